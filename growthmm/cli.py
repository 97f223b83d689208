"""The command line: the same verbs, with files and flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main", "run"]

INTERRUPTED = 130
FAULT = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``growthmm``; the process's own where None.

    Returns
    -------
    int
        0 done (for ``verify``: identical or identical_if), 1 a verification that ended
        otherwise, 2 a bad call or bad input.

    Examples
    --------
    >>> main(["--version"])
    growthmm 0.1.0
    0
    """
    import warnings

    from growthmm.commands.parser import parse
    from growthmm.errors import GrowthmmError

    try:
        chosen = parse(sys.argv[1:] if arguments is None else list(arguments))
        if chosen is None:
            return 0
        from growthmm.commands.actions import perform

        # What other programs warn of is for programmers; results say what users need to know.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return perform(chosen)
    except GrowthmmError as error:
        print(f"growthmm: {error}", file=sys.stderr)
        return 2
    except SystemExit as ended:
        # argparse ends so after printing a command's help.
        return int(ended.code or 0)


def run() -> None:
    """Entry point of the installed command: ends the process quietly, whatever happens."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = _report
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        from growthmm.commands.output import close_quietly

        close_quietly()
        status = 0
    sys.exit(status)


def _report(kind: type[BaseException], error: BaseException, _trace: object) -> None:
    """One message for a fault of growthmm's own, and a status that no verdict has."""
    import os
    import traceback

    if os.environ.get("GROWTHMM_TRACEBACK"):
        traceback.print_exception(kind, error, error.__traceback__)
    print(
        f"growthmm: a fault inside growthmm: {kind.__name__}: {error}\n"
        "Hint: please report it with the command; GROWTHMM_TRACEBACK=1 shows where it arose.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(FAULT)
