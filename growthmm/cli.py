"""The command line: the same verbs, with files and flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


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
    """
    from growthmm.commands.parser import build_parser
    from growthmm.errors import GrowthmmError

    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 0
    try:
        from growthmm.commands import actions

        status: int = getattr(actions, chosen.command)(chosen)
    except GrowthmmError as error:
        print(f"growthmm: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return status


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(main())
