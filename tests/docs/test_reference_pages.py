"""The reference pages have every public name, command and flag."""

from __future__ import annotations

import re

import pytest
from pages import DOCS, script

import growthmm as gm
from growthmm.commands.parser import COMMANDS

command_line = script("command_line")
API = (DOCS / "api.md").read_text(encoding="utf-8")
LISTED = re.findall(r"^\.\. auto(?:function|class|module):: growthmm\.(\w+)$", API, re.MULTILINE)


def test_every_public_name_is_on_the_page() -> None:
    missing = set(gm.__all__) - set(LISTED) - {"__version__"}
    assert sorted(missing) == [], "name them in docs/api.md, each under its subject"
    assert "growthmm.__version__" in API


def test_the_page_names_nothing_that_does_not_exist() -> None:
    own = re.findall(r"^\.\. auto(?:function|class):: growthmm\.(\w+)$", API, re.MULTILINE)
    assert sorted(set(own) - set(gm.__all__)) == []
    assert len(LISTED) == len(set(LISTED))


@pytest.mark.parametrize("name", sorted(set(gm.__all__) - {"__version__", "datasets"}))
def test_public_names_say_what_they_are(name: str) -> None:
    said = getattr(gm, name).__doc__
    assert len(said.split("\n")[0]) > 10
    assert "Parameters" in said


def test_command_line_page_is_up_to_date() -> None:
    page = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert page == command_line.page(), "run: python docs/command_line.py"
    assert [name for name in COMMANDS if f"## growthmm {name}\n" not in page] == []
    assert page.count("| `--json` |") == len(COMMANDS)
