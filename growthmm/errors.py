"""The one tree of errors and warnings.

Every message says what happened, with the values, and ends in a hint that says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ApproximationWarning",
    "BoundaryWarning",
    "ColumnNotFoundError",
    "ConvergenceWarning",
    "DataError",
    "DuplicateOccasionError",
    "EngineError",
    "EngineNotInstalledError",
    "FitFailedError",
    "GrowthmmError",
    "GrowthmmWarning",
    "MissingKeyError",
    "NotEquivalentError",
    "NotIdentifiedError",
    "NotTimeInvariantError",
    "NotationError",
    "ScalingWarning",
    "SpecificationError",
    "TooFewOccasionsError",
    "TooFewSubjectsError",
    "TranslationError",
    "UnboundError",
    "UnsupportedEngineError",
    "UnsupportedError",
    "ValueColumnError",
]


class GrowthmmError(Exception):
    """Base of everything that growthmm raises on purpose.

    Parameters
    ----------
    message : str
        What happened, with the values that show it.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nHint: {self.hint}"


class SpecificationError(GrowthmmError, ValueError):
    """The model itself is malformed."""


class NotationError(SpecificationError):
    """Text that cannot be read.

    Parameters
    ----------
    message : str
        What is wrong.
    text : str, optional
        The text that was read.
    position : int, optional
        Offset in `text`, in characters, at which reading failed.
    expected : sequence of str, optional
        What could have stood there.
    hint : str, optional
        What to write instead.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str | None = None,
        position: int | None = None,
        expected: Sequence[str] = (),
        hint: str | None = None,
    ) -> None:
        self.text = text
        self.position = position
        self.expected = tuple(expected)
        self.line: int | None = None
        self.column: int | None = None
        if text is not None and position is not None:
            position = max(0, min(position, len(text)))
            before = text[:position]
            self.line = before.count("\n") + 1
            self.column = position - (before.rfind("\n") + 1) + 1
            shown, mark = _around(text.split("\n")[self.line - 1], self.column - 1)
            message = (
                f"{message.removesuffix('.')} (line {self.line}, column {self.column})\n"
                f"  {shown}\n  {' ' * mark}^"
            )
            hint = hint or "Correct the text at the mark."
        if self.expected:
            message = f"{message}\nExpected: {', '.join(self.expected)}"
        super().__init__(message, hint=hint)


def _around(line: str, position: int, width: int = 90) -> tuple[str, int]:
    """The part of a long line around a position, and the position in that part."""
    if len(line) <= width:
        return line, position
    start = max(0, min(position - width // 2, len(line) - width))
    before, after = "..." if start else "", "..." if start + width < len(line) else ""
    return before + line[start : start + width] + after, len(before) + position - start


class NotIdentifiedError(SpecificationError):
    """More parameters than the implied moments can tell apart.

    Parameters
    ----------
    message : str
        What cannot be told apart.
    parameters : sequence of str
        The parameters that the null space of the Jacobian mixes.
    hint : str, optional
        What to fix or drop.
    """

    def __init__(
        self, message: str, *, parameters: Sequence[str] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.parameters = tuple(parameters)

    @staticmethod
    def listed(parameters: Sequence[str], limit: int = 8) -> str:
        """The first parameters, and how many more there are."""
        more = len(parameters) - limit
        shown = ", ".join(parameters[:limit])
        return shown if more <= 0 else f"{shown} and {more} more"


class TranslationError(GrowthmmError):
    """A model cannot be carried over."""


class UnsupportedError(TranslationError):
    """The target cannot say it.

    Parameters
    ----------
    message : str
        One line that names target and model.
    losses : sequence of Loss
        Everything that would be lost, each with its nearest alternative.
    hint : str, optional
        What to do.
    """

    def __init__(
        self, message: str, *, losses: Sequence[object] = (), hint: str | None = None
    ) -> None:
        self.losses = tuple(losses)
        if self.losses:
            message = "\n".join([message, *(f"  - {loss}" for loss in self.losses)])
            hint = hint or "Choose the nearest form that is named, or fit the model as it is."
        super().__init__(message, hint=hint)


class UnboundError(TranslationError):
    """Facts that a translation needs and cannot guess.

    Parameters
    ----------
    message : str
        What was to be translated.
    missing : sequence of str
        The facts, by name.
    hint : str, optional
        How to give them.
    """

    def __init__(
        self, message: str, *, missing: Sequence[str] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.missing = tuple(missing)


class DataError(GrowthmmError, ValueError):
    """The data do not fit what was asked of them."""


class ColumnNotFoundError(DataError):
    """A column that is not in the data."""


class MissingKeyError(DataError):
    """A row whose person or time is missing."""


class DuplicateOccasionError(DataError):
    """A (person, time) pair that stands in more than one row where a wide form is needed."""


class NotTimeInvariantError(DataError):
    """A covariate called person-level that varies within a person."""


class TooFewOccasionsError(DataError):
    """Fewer occasions than a growth model needs."""


class TooFewSubjectsError(DataError):
    """Fewer persons than a growth model needs."""


class ValueColumnError(DataError):
    """A column whose values cannot be used: text, infinite, constant or all missing."""


class EngineError(GrowthmmError):
    """An engine did not do what was asked of it."""


class EngineNotInstalledError(EngineError):
    """The program behind an engine is not on this machine."""


class UnsupportedEngineError(EngineError):
    """The engine cannot fit this model or these data."""


class FitFailedError(EngineError):
    """A fit that gave no usable answer."""


class NotEquivalentError(GrowthmmError):
    """Two models that were claimed to be the same are not."""


class GrowthmmWarning(UserWarning):
    """Base of every warning."""


class ConvergenceWarning(GrowthmmWarning):
    """A fit stopped where its gradient is not zero."""


class BoundaryWarning(GrowthmmWarning):
    """A fit lies on the boundary of its parameter space."""


class ScalingWarning(GrowthmmWarning):
    """Variables of very different scale."""


class ApproximationWarning(GrowthmmWarning):
    """An answer that is close to, but not exactly, what was asked."""
