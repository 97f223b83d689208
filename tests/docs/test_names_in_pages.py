"""Names, attributes and flags that pages mention exist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import pytest
from pages import DOCS, ROOT

import growthmm as gm
from growthmm.commands.parser import COMMANDS

PAGES = [
    ROOT / "README.md",
    ROOT / "examples" / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.glob("*.md")),
    *sorted(DOCS.glob("after-the-fit/*.md")),
    *sorted(DOCS.glob("coming-from/*.md")),
    *sorted(DOCS.glob("contributing/*.md")),
    *sorted(DOCS.glob("mathematics/*.md")),
]
OTHERS = {"--full", "--live", "--no-install-recommends", "--vanilla"}
"""Flags of programs that are not growthmm."""


@cache
def result() -> object:
    """A fit."""
    return gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa())


@cache
def flags() -> frozenset[str]:
    """Every flag of every command."""
    every = (build(name)._option_string_actions for name, (_, build) in COMMANDS.items())
    return frozenset(flag for found in every for flag in found) | {"--help", "--version"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    public = set(re.findall(r"\bgm\.([A-Za-z]\w*)", text))
    assert sorted(name for name in public if not hasattr(gm, name)) == []
    attributes = set(re.findall(r"(?<![\w.-])fit\.([a-z]\w*)", text))
    assert sorted(name for name in attributes if name not in dir(result())) == []
    used = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text))
    assert sorted(used - flags() - OTHERS) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_paths_and_modules_that_a_page_names_exist(page: Path) -> None:
    words = set(re.findall(r"`([\w.*/-]+)`", page.read_text(encoding="utf-8")))
    rooms = ("growthmm/", "tests/", "docs/", "examples/", "benchmarks/", ".ci/")
    paths = {word for word in words if word.startswith(rooms) and "NAME" not in word}
    assert sorted(path for path in paths if not any(ROOT.glob(path.rstrip("/")))) == []
    dotted = {word for word in words if re.fullmatch(r"growthmm(\.\w+)+", word)}
    assert sorted(name for name in dotted if not _importable(name)) == []


def _importable(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    try:
        resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_the_changelog_lists_every_command_once() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    lines = [entry for entry in text.split("\n- ") if entry.startswith("A command line")]
    assert len(lines) == 1
    assert set(re.findall(r"`([a-z]+)`", lines[0])) == set(COMMANDS)
