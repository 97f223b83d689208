"""Printing and writing: JSON or text, to standard output or to a file in one step."""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

from growthmm.errors import SpecificationError

__all__ = ["deliver", "write_frame"]


def deliver(values: dict[str, Any], text: str, chosen: argparse.Namespace) -> int:
    """Print or write a result as JSON or text.

    Returns
    -------
    int
        0.
    """
    made = json.dumps(_plain(values), indent=2, allow_nan=False) if chosen.json else text
    if chosen.output is None:
        print(made)
    else:
        write_whole(Path(chosen.output), (made + "\n").encode())
    return 0


def write_frame(frame: Any, chosen: argparse.Namespace) -> int:
    """Print or write a data frame: CSV, or Parquet by the file's ending; JSON when asked."""
    if chosen.json:
        return deliver({"rows": frame.to_dict("records")}, "", chosen)
    if chosen.output is None:
        print(frame.to_csv(index=False), end="")
        return 0
    target = Path(chosen.output)
    if target.suffix.lower() == ".parquet":
        made: bytes = frame.to_parquet(index=False)
    else:
        made = frame.to_csv(index=False).encode()
    write_whole(target, made)
    return 0


def write_whole(target: Path, content: bytes) -> None:
    """Write a file in one step, so that a half-written one never stands there.

    Raises
    ------
    SpecificationError
        If it cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise SpecificationError(
            f"The file {target} cannot be written: {error.strerror}.",
            hint="Choose a folder that exists and may be written to.",
        ) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        current = os.umask(0)
        os.umask(current)
        os.chmod(temporary, 0o666 & ~current)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise SpecificationError(
            f"The file {target} cannot be written: {error.strerror}.",
            hint="Choose a path that is no folder and may be written to.",
        ) from None


def _plain(value: Any) -> Any:
    """Values that JSON knows; what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
