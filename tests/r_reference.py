"""What R programs said, kept as script, raw output and versions; and the same said again, live.

Every ``reference_r/NAME.R`` prints one JSON object, kept as ``reference_r/NAME.json``. Scripts read
the reference data from the folder that they are given.
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from reference import reference_folder

FOLDER = Path(__file__).resolve().parent / "reference_r"


@cache
def kept(name: str) -> dict[str, Any]:
    """The output that was kept."""
    found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def live(name: str) -> dict[str, Any]:
    """The output of the script run now."""
    done = subprocess.run(
        ["Rscript", str(FOLDER / f"{name}.R"), str(reference_folder() / "data")],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def differences(one: Any, two: Any, relative: float, where: str = "") -> list[str]:
    """Where two outputs differ, versions apart."""
    if isinstance(one, dict) and isinstance(two, dict):
        names = [n for n in dict.fromkeys((*one, *two)) if n != "versions"]
        return [
            text
            for n in names
            for text in differences(one.get(n), two.get(n), relative, f"{where}/{n}")
        ]
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = enumerate(zip(one, two, strict=True))
        return [t for k, (a, b) in pairs for t in differences(a, b, relative, f"{where}/{k}")]
    if isinstance(one, int | float) and isinstance(two, int | float):
        near = abs(one - two) <= relative * max(abs(one), abs(two)) + 1e-9
        return [] if near else [f"{where}: {one} and {two}"]
    return [] if one == two else [f"{where}: {one!r} and {two!r}"]
