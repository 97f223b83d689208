"""A newcomer who follows the README alone reaches a verified model of a CSV of their own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pages import ROOT, script

from growthmm.commands.parser import COMMANDS
from growthmm.engines.registry import ENGINES
from growthmm.notation import names

transcripts = script("transcripts")
PAGE = ROOT / "README.md"
README = PAGE.read_text(encoding="utf-8")
STEPS = README[README.index("**3. Verify.**") : README.index("### When the answer")]


def shell(text: str) -> list[str]:
    """The commands of the shell in a text."""
    return [
        command
        for block in transcripts.blocks(text)
        if block.language == "sh" and block.remark != "not run"
        for command in transcripts.commands(block.text)
    ]


def test_readme_shows_what_its_commands_print(tmp_path: Path) -> None:
    wrong = transcripts.check(PAGE, tmp_path)
    assert wrong == [], "run: python docs/transcripts.py README.md\n" + "\n".join(map(str, wrong))


def _own_csv(path: Path) -> None:
    """Reading scores of 60 pupils in grades 1 to 4, some of them missing, under other names."""
    rng = np.random.default_rng(8)
    n, grades = 60, np.arange(1, 5)
    level, rate = rng.normal(40, 5, n), rng.normal(6, 1.5, n)
    scores = level[:, None] + rate[:, None] * (grades - 1) + rng.normal(0, 2.5, (n, 4))
    data = pd.DataFrame(
        {
            "pupil": [f"P{k:03d}" for k in np.repeat(np.arange(n), 4)],
            "grade": np.tile(grades, n),
            "reading": np.where(rng.random((n, 4)) < 0.1, np.nan, scores).ravel().round(1),
            "minutes": rng.integers(5, 60, 4 * n),
        }
    )
    data.sample(frac=1, random_state=8).to_csv(path, index=False)


OWN = {
    "gpa.csv": "reading.csv",
    "gpa": "reading",
    "occasion": "grade",
    "student": "pupil",
    "lib_hours": "minutes",
}
"""Names of the README's example, and those of the newcomer's own data."""


def _own(command: str) -> str:
    """A command of the README with the newcomer's names."""
    return re.sub("|".join(map(re.escape, OWN)), lambda match: OWN[match[0]], command)


def test_the_steps_work_with_a_csv_of_ones_own(tmp_path: Path) -> None:
    _own_csv(tmp_path / "reading.csv")
    session = transcripts.Session(tmp_path)
    printed = {}
    for command in shell(STEPS):
        mine = _own(command)
        words, status = session.run(transcripts.Block("sh", "", "", mine, 0))
        assert status == 0, words
        printed[mine.split()[1]] = printed.get(mine.split()[1], "") + words
    verdict = printed["verify"].split("\n")[0]
    assert verdict == "Verdict: identical"
    assert printed["verify"].count("Verdict: identical") == 2
    assert "reading1" in printed["translate"]  # Mplus takes eight characters
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "identical" in report
    assert "growth(model" in (tmp_path / "growth.R").read_text(encoding="utf-8")


def test_readme_names_every_notation_engine_and_command() -> None:
    table = README[README.index("## Notations and engines") : README.index("## What `verify`")]
    assert [name for name in (*names(), *ENGINES) if f"`{name}`" not in table] == []
    used = {command.split()[1] for command in shell(README) if command.startswith("growthmm ")}
    assert used == set(COMMANDS)


INSTALLATION_SECONDS = 3600
"""How long pip may take; it downloads, and a machine may be busy."""

STEPS_SECONDS = 300


def _newcomer(commands: list[str], folder: Path, seconds: float) -> tuple[str, float]:
    """What a shell prints that runs commands in turn and ends at the first that fails; its time."""
    ours = ("PYTHONPATH", "VIRTUAL_ENV")
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", "\n".join(["set -e", *commands])],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=seconds,
        check=False,
        env={name: value for name, value in os.environ.items() if name not in ours},
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout, time.monotonic() - started


@pytest.mark.nightly
def test_from_a_clean_clone(tmp_path: Path) -> None:
    """After the README's own installation: a verified model of one's own CSV in five minutes."""
    clone = tmp_path / "growthmm"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    text = (clone / "README.md").read_text(encoding="utf-8")
    text = text[: text.index("### When the answer")]
    installation = [
        command
        for block in transcripts.blocks(text)
        if block.language == "sh" and block.remark == "not run"
        for command in transcripts.commands(block.text)
    ]
    assert any(command.startswith("pip install") for command in installation)
    _newcomer(installation, clone, INSTALLATION_SECONDS)

    activate = next(command for command in installation if "activate" in command)
    printed, seconds = _newcomer([activate, *shell(text)], clone, 2 * STEPS_SECONDS)
    assert printed.count("Verdict: identical\n") == 2
    assert (clone / "report.html").stat().st_size > 100_000
    assert seconds < STEPS_SECONDS

    _own_csv(clone / "reading.csv")
    steps = text[text.index("**3. Verify.**") :]
    printed, seconds = _newcomer([activate, *map(_own, shell(steps))], clone, 2 * STEPS_SECONDS)
    assert printed.count("Verdict: identical\n") == 2
    assert "reading_1" in printed
    assert seconds < STEPS_SECONDS
