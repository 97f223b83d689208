"""Printing and writing: JSON or text, to standard output or to a file in one step."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from growthmm.data.writing import write_whole
from growthmm.errors import SpecificationError

__all__ = ["Answer", "check_target", "close_quietly", "deliver", "write_whole"]


@dataclass(frozen=True)
class Answer:
    """What a command has to say.

    Parameters
    ----------
    values : dict
        The object that ``--json`` prints.
    text : str
        What people read.
    status : int
        The exit status.
    content : bytes, optional
        What ``--output`` writes where it is not the text (a Parquet file).
    """

    values: dict[str, Any]
    text: str
    status: int = 0
    content: bytes | None = None


def deliver(answer: Answer, chosen: argparse.Namespace) -> int:
    """Print or write an answer as JSON or text.

    Parameters
    ----------
    answer : Answer
        The command's answer.
    chosen : Namespace
        With ``json`` and ``output``.

    Returns
    -------
    int
        The answer's exit status, also where the reader of a pipe has gone.

    Raises
    ------
    SpecificationError
        If the file cannot be written.
    """
    if chosen.json:
        made = json.dumps(plain(answer.values), indent=2, allow_nan=False)
    else:
        made = answer.text
    if not made.endswith("\n"):
        made += "\n"
    if chosen.output is not None:
        content = answer.content if answer.content is not None and not chosen.json else None
        write_whole(Path(chosen.output), made.encode() if content is None else content)
        return answer.status
    try:
        sys.stdout.write(made)
        sys.stdout.flush()
    except BrokenPipeError:
        close_quietly()
    return answer.status


def close_quietly() -> None:
    """Point standard output nowhere, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def check_target(name: str | None) -> None:
    """Refuse a file that could not be written, before the work that it is for.

    Raises
    ------
    SpecificationError
        If it is a folder, or its folder is absent or may not be written to.
    """
    if name is None:
        return
    target = Path(name)
    if not name or target.is_dir():
        raise SpecificationError(
            f"The output {name!r} is a folder." if name else "The output has no name.",
            hint="Name a file: --output result.json.",
        )
    if not target.parent.is_dir():
        raise SpecificationError(
            f"The output {name!r} cannot be written: there is no folder {str(target.parent)!r}.",
            hint="Create the folder, or choose one that exists.",
        )
    if not os.access(target.parent, os.W_OK):
        raise SpecificationError(
            f"The output {name!r} cannot be written: the folder {str(target.parent)!r} is "
            "read-only.",
            hint="Choose a folder that may be written to.",
        )


def plain(value: Any) -> Any:
    """Values that JSON knows; what is missing or not finite becomes None.

    Parameters
    ----------
    value : object
        Dictionaries, lists, NumPy scalars and arrays, dates and whatever has a text.

    Returns
    -------
    object
        Dictionaries, lists, text, numbers, booleans and None.

    Examples
    --------
    >>> plain({"p": float("nan"), 1: (True, "a")})
    {'p': None, '1': [True, 'a']}
    """
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "isoformat"):
        # pandas' NaT alone is a date unequal to itself.
        return value.isoformat() if value == value else None  # noqa: PLR0124
    return None if str(value) == "<NA>" else str(value)
