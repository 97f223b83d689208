"""The Python of pages that show no output runs, from the top of each page."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pages import DOCS, ROOT, script

from growthmm.commands.parser import COMMANDS

transcripts = script("transcripts")

SHOWN = {"notations.md"}
"""Pages whose Python is a text that growthmm reads; another test reads it."""

PAGES = [
    page
    for page in [*sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("after-the-fit/*.md"))]
    if page not in transcripts.PAGES and page.name not in SHOWN
]
EVERYWHERE = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts),
]

SHORTER = (
    (re.compile(r"n_simulations=\d+"), "n_simulations=9, workers=1"),
    (re.compile(r"(gm\.restarts\(\w+, )\d+"), r"\g<1>2"),
    (re.compile(r"(gm\.impute\(.*, )\d+(?=, seed)"), r"\g<1>2"),
    (re.compile(r"(n_folds=)\d+"), r"\g<1>3"),
    (re.compile(r"^gm\.all_optimizers\(fit\) .*$", re.MULTILINE), ""),
    (re.compile(r"(gm\.missing\(.*)\)"), r"\g<1>, n_imputations=2, forest=False)"),
)
"""What takes long on a page, and what a test makes of it."""


def python(page: Path) -> list[str]:
    """The Python blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [block.text for block in transcripts.blocks(text) if block.language == "python"]


@cache
def fitted() -> dict[str, Any]:
    """What the pages below "after the fit" go on from."""
    names: dict[str, Any] = {}
    for code in python(DOCS / "after-the-fit.md"):
        exec(code, names)
    return names


@cache
def run(page: Path) -> dict[str, Any]:
    """What the Python of a page leaves behind."""
    text = page.read_text(encoding="utf-8")
    goes_on = "of [after the fit](../after-the-fit.md)" in text
    names: dict[str, Any] = dict(fitted()) if goes_on else {}
    code = "\n".join(python(page))
    for pattern, shorter in SHORTER:
        code = pattern.sub(shorter, code)
    exec(compile(code, page.name, "exec"), names)
    return names


@pytest.mark.parametrize(
    "page", [page for page in PAGES if python(page)], ids=lambda page: page.stem
)
def test_the_python_of_a_page_runs(page: Path) -> None:
    assert len(run(page)) > 1


def test_numbers_of_the_page_on_missing_data() -> None:
    page = DOCS / "missing-data.md"
    found = run(page)["found"]
    listwise = next(rule for rule in found.rules if rule.rule == "listwise")
    moved = found.estimates.query("method == 'listwise' and name == '(Intercept)'")
    assert (
        f"keeps {listwise.n_subjects} of 200 students and moves the\n"
        f"intercept by {moved['difference_in_se'].iloc[0]:.1f} standard errors"
    ) in page.read_text(encoding="utf-8")


def lines(page: Path) -> list[str]:
    """The command lines in the blocks of a page, those with a backslash joined to the next."""
    text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
    commands = "|".join(COMMANDS)
    return re.findall(rf"^ {{0,4}}(growthmm (?:{commands}) .+)$", text, re.MULTILINE)


@pytest.mark.parametrize(
    "page", [page for page in EVERYWHERE if lines(page)], ids=lambda page: page.stem
)
def test_command_lines_of_a_page_are_understood(page: Path) -> None:
    for line in lines(page):
        words = shlex.split(line)
        own = words[1 : words.index("|")] if "|" in words else words[1:]
        COMMANDS[own[0]][1](own[0]).parse_args(own[1:])
