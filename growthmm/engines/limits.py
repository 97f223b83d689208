"""Time limits for programs that were not written here.

A witness may run for ever. Its objective is Python that a fit calls thousands of times, so every
call looks at the clock and stops the fit by an exception. That costs nanoseconds, works in every
thread and on every system, and leaves no process behind; a worker process would have to import
the program anew (seconds, where the fit takes milliseconds), ``fork`` is unsafe beside threads,
and alarm signals reach the main thread alone. What runs outside Python (Rscript) is a process
already, and is killed at its limit.
"""

from __future__ import annotations

from time import monotonic

from growthmm.errors import FitFailedError

__all__ = ["Deadline", "TimeLimitError"]


class TimeLimitError(FitFailedError):
    """A fit that did not end within its time limit."""


class Deadline:
    """A moment after which work must stop.

    Parameters
    ----------
    program : str
        Whose work it is, for the message.
    seconds : float
        How long it may take from now.

    Raises
    ------
    TimeLimitError
        By :meth:`check`, once the time is over.

    Examples
    --------
    >>> Deadline("MixedLM", 60.0).check()
    >>> Deadline("MixedLM", 0.0).check()
    Traceback (most recent call last):
    growthmm.engines.limits.TimeLimitError: MixedLM did not finish within 0 s.
    Hint: Give it more time, or leave it out of the witnesses.
    """

    def __init__(self, program: str, seconds: float) -> None:
        self.program = program
        self.seconds = seconds
        self._end = monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - monotonic())

    def error(self) -> TimeLimitError:
        """Make the error that says that the time is over."""
        return TimeLimitError(
            f"{self.program} did not finish within {self.seconds:g} s.",
            hint="Give it more time, or leave it out of the witnesses.",
        )

    def check(self) -> None:
        """Raise if the time is over."""
        if monotonic() >= self._end:
            raise self.error()
