"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from growthmm.errors import SpecificationError

__all__ = ["write_whole"]


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
