"""The examples run, and their results are what they should be."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples' data."""
    run("make_data", tmp_path, monkeypatch)
    return tmp_path


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a script as a user does."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", str(folder)])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def test_data(folder: Path) -> None:
    raw = pd.read_csv(folder / "scores.csv")
    assert raw.shape == (120, 8)
    assert 10 < (raw == -99).sum().sum() < 100
    assert len((folder / "growth.dat").read_text(encoding="utf-8").splitlines()) == 120


def test_research(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("research", folder, monkeypatch)
    printed = capsys.readouterr().out
    assert "558 of 600 scores observed" in printed
    assert "Diagnosis: ok" in printed
    assert "The growth curve of this model: identical" in printed
    table = pd.read_csv(folder / "estimates.csv").set_index("term")
    effect = table.loc["term:programmeyes"]
    assert abs(effect["estimate"] - 1.2) < 2 * effect["std_error"]
    assert effect["p_value"] < 0.001
    for name, word in (
        ("report.html", "<html"),
        ("estimates.tex", r"\toprule"),
        ("model.R", "growth(model"),
        ("model.inp", "DATA:"),
    ):
        assert word in (folder / name).read_text(encoding="utf-8"), name


def test_equivalence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("equivalence", tmp_path, monkeypatch)
    printed = capsys.readouterr().out
    assert "the same means and covariances: True" in printed
    assert printed.count("-123.117105") == 2
    assert "Verdict: identical - of the models: identical_if" in printed
    for tiny in re.findall(r"differ by (\S+)", printed):
        assert float(tiny) < 1e-9
    moved = [float(x) for x in re.findall(r"log L ([-+]\S+),", printed)]
    assert moved == pytest.approx([-7.3612, 73.7319, -0.3703], abs=2e-4)
    assert re.findall(r"^  (\w+): ", printed.split("by default")[1], re.MULTILINE)[:2] == [
        "estimator",
        "residual_variances",
    ]


def test_migration(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("migrate", folder, monkeypatch)
    printed = capsys.readouterr().out
    assert "\nidentical\n" in printed
    found = [float(x) for x in re.findall(r"log L (\S+)", printed)]
    assert len(found) >= 2
    assert np.ptp(found) < 1e-3
    assert "varIdent" in (folder / "growth_nlme.R").read_text(encoding="utf-8")
    assert 'missing = "ml"' in (folder / "growth_lavaan.R").read_text(encoding="utf-8")
    assert "lavaan: missing: ml" in (folder / "defaults.txt").read_text(encoding="utf-8")
