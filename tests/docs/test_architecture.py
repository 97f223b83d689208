"""The page that explains the layout names the rooms and the directions that there are."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from pages import DOCS, ROOT

PAGE = (DOCS / "how-it-works.md").read_text(encoding="utf-8")
LINTER: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "tool"
]["importlinter"]
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def rooms() -> set[str]:
    """The rooms that the page lists, without endings."""
    listed = next(block for block in BLOCKS if block.startswith("growthmm/\n"))
    return {name.rstrip("/").removesuffix(".py") for name in re.findall(r"^  (\S+)", listed, re.M)}


def layers() -> list[set[str]]:
    """The layers that the page shows, lowest first."""
    shown = next(block for block in BLOCKS if block.startswith("errors, "))
    return [set(re.findall(r"\w+", layer)) for layer in shown.split("<-")]


def test_every_room_is_on_the_page_and_no_other() -> None:
    there = {
        path.stem
        for path in (ROOT / "growthmm").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms() == there - {"__init__"}


def test_imports_run_as_the_page_shows() -> None:
    contract = next(one for one in LINTER["contracts"] if one["type"] == "layers")
    held = [set(re.findall(r"\w+", layer)) for layer in reversed(contract["layers"])]
    assert layers() == held


def test_the_page_counts_the_contracts() -> None:
    numbers = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    more = numbers[len(LINTER["contracts"]) - 1]
    assert f"{more.capitalize()} more contracts" in PAGE
