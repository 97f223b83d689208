"""Vignettes run, and the numbers that they state hold."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

VIGNETTES = sorted((Path(__file__).resolve().parents[1] / "vignettes").glob("*.py"))


@pytest.mark.parametrize("path", VIGNETTES, ids=lambda path: path.stem)
def test_vignette_runs(path: Path) -> None:
    runpy.run_path(str(path))


def test_there_is_a_vignette() -> None:
    assert VIGNETTES
