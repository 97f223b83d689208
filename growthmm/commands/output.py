"""Printing and writing: JSON or text, to standard output or to a file in one step."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def write_whole(target: Path, content: bytes) -> None:
    """Write a file in one step, so that a half-written one never stands there.

    Parameters
    ----------
    target : Path
        The file. What is no regular file (a device, a named pipe) is written to as it is.
    content : bytes
        All of it.

    Raises
    ------
    SpecificationError
        If it cannot be written.
    """
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        _replace(Path(os.path.realpath(target)), content)
    except BrokenPipeError:
        return
    except OSError as error:
        raise SpecificationError(
            f"The output {str(target)!r} cannot be written: {error.strerror}.",
            hint="Choose a file in a folder that exists and may be written to.",
        ) from None


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~mask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


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
