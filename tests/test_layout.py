"""What must hold of the project's shape: cheap import, no grab-bag modules, small files."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "growthmm"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = (
    "pandas",
    "scipy",
    "formulaic",
    "networkx",
    "semopy",
    "statsmodels",
    "sklearn",
    "linearmodels",
    "matplotlib",
    "lark",
    "polars",
    "pyarrow",
    "typer",
    "rich",
)
LONGEST_FILE = 500


def _name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def _run(code: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    return answer.stdout


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, growthmm; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert _run(code).strip() == "[]"


def test_listing_the_public_names_loads_nothing_heavy() -> None:
    code = f"import sys, growthmm; dir(growthmm); print([m for m in {HEAVY!r} if m in sys.modules])"
    assert _run(code).strip() == "[]"


def test_no_grab_bag_modules() -> None:
    grab_bags = {"utils", "util", "helpers", "helper", "common", "misc"}
    parts = {path: set(path.relative_to(PACKAGE).with_suffix("").parts) for path in MODULES}
    assert [_name(path) for path in MODULES if parts[path] & grab_bags] == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not tree.body:
        pytest.fail(f"{_name(path)} is empty: say in a docstring what the room holds")
    assert ast.get_docstring(tree), f"{_name(path)} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_file_is_not_too_long(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") < LONGEST_FILE


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_broad_except(path: Path) -> None:
    broad = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]
    assert broad == []
