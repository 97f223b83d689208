"""Vignettes run, and the numbers that they state hold."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

import growthmm as gm
from growthmm.inference.comparison import Comparison
from growthmm.inference.result import FitResult

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "vignettes"
VIGNETTES = sorted(FOLDER.glob("[0-9]*.md"))
LONG_RUNNING: frozenset[str] = frozenset()
WIDEST = 78

_CELL = re.compile(r"^```\{code-cell\} python\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_OPTIONS = re.compile(r"\A(?:---\n.*?^---$|(?::\S+:[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)")


@dataclass(frozen=True)
class Cell:
    """Code of one cell, and the line of the file on which it starts."""

    code: str
    line: int


def _cells(path: Path) -> list[Cell]:
    text = path.read_text(encoding="utf-8")
    cells = []
    for match in _CELL.finditer(text):
        options = _OPTIONS.match(match["body"])
        start = match.start("body") + (len(options[0]) if options else 0)
        cells.append(Cell(text[start : match.end("body")], text[:start].count("\n")))
    return cells


def _trees(path: Path) -> list[ast.Module]:
    trees = []
    for cell in _cells(path):
        tree = ast.parse(cell.code, filename=str(path))
        trees.append(ast.increment_lineno(tree, cell.line))
    return trees


def _asserted(tree: ast.Module) -> list[ast.Assert]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def _prose(path: Path) -> str:
    text = path.read_text(encoding="utf-8").split("---", maxsplit=2)[2]
    return re.sub(r"^```.*?^```$|`[^`\n]*`|\]\([^)]*\)", "", text, flags=re.MULTILINE | re.DOTALL)


PARAMETERS = [
    pytest.param(
        path, id=path.stem, marks=[pytest.mark.nightly] if path.stem in LONG_RUNNING else []
    )
    for path in VIGNETTES
]


@pytest.mark.parametrize("path", PARAMETERS)
def test_vignette_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    from matplotlib import pyplot

    names: dict[str, Any] = {"__name__": "__main__"}
    for tree in _trees(path):
        exec(compile(tree, str(path), "exec"), names)
    pyplot.close("all")
    capsys.readouterr()


@pytest.mark.parametrize("path", VIGNETTES, ids=lambda path: path.stem)
def test_vignette_ends_in_assertions(path: Path) -> None:
    assert _asserted(_trees(path)[-1])


@pytest.mark.parametrize("path", VIGNETTES, ids=lambda path: path.stem)
def test_numbers_in_the_text_are_asserted(path: Path) -> None:
    asserted = {
        str(abs(node.value))
        for tree in _trees(path)
        for claim in _asserted(tree)
        for node in ast.walk(claim)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    }
    stated = {str(float(number)) for number in _NUMBER.findall(_prose(path))}
    assert sorted(stated - asserted) == []


@pytest.mark.parametrize("path", VIGNETTES, ids=lambda path: path.stem)
def test_code_fits_the_page(path: Path) -> None:
    lines = [line for cell in _cells(path) for line in cell.code.splitlines()]
    assert [line for line in lines if len(line) > WIDEST] == []


@pytest.mark.parametrize("path", VIGNETTES, ids=lambda path: path.stem)
def test_pictures_are_described(path: Path) -> None:
    drawn = re.compile(r"\.picture\(|\.plot\(\)$|plt\.subplots|_repr_svg_", re.MULTILINE)
    cells = [match["body"] for match in _CELL.finditer(path.read_text(encoding="utf-8"))]
    assert [body for body in cells if drawn.search(body) and "    alt: " not in body] == []


@pytest.mark.parametrize("path", VIGNETTES, ids=lambda path: path.stem)
def test_vignette_is_a_notebook_that_the_site_executes(path: Path) -> None:
    reading = pytest.importorskip("myst_nb.core.read", reason="myst-nb is in the extra docs")
    config = pytest.importorskip("myst_nb.core.config").NbParserConfig()
    parsing = pytest.importorskip("myst_parser.config.main").MdParserConfig()
    notebook = reading.read_myst_markdown_notebook(
        path.read_text(encoding="utf-8"), parsing, code_directive="{code-cell}"
    )
    assert config.execution_mode != "off"
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert [c.strip() for c in code] == [c.code.strip() for c in _cells(path)]


def test_every_vignette_is_on_the_site() -> None:
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert len(VIGNETTES) == 12
    assert re.findall(r"^(\d\d-\S+)$", index, re.MULTILINE) == [path.stem for path in VIGNETTES]


_CHOICES = re.compile(r"^ +(\w+) : \{([^}]*)\}", re.MULTILINE)


def _verbs() -> dict[str, Callable[..., Any]]:
    public = {name: getattr(gm, name) for name in gm.__all__}
    return {name: found for name, found in public.items() if inspect.isfunction(found)}


def _methods(kind: type) -> dict[str, Callable[..., Any]]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_")}


def _asked() -> dict[str, Callable[..., Any]]:
    """What is asked of fits."""
    return {
        name: verb
        for name, verb in _verbs().items()
        if next(iter(inspect.signature(verb).parameters)) in ("fit", "fits")
    }


def _inferring() -> dict[str, Callable[..., Any]]:
    return {"fit": gm.fit} | _asked() | _methods(FitResult) | _methods(Comparison)


def _nodes(kind: type[Any]) -> list[Any]:
    trees = [tree for path in VIGNETTES for tree in _trees(path)]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, kind)]


def test_every_verb_is_in_some_vignette() -> None:
    called = {
        node.attr
        for node in _nodes(ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == "gm"
    }
    assert len(_verbs()) > 30
    assert sorted(set(_verbs()) - called) == []


@pytest.mark.parametrize("kind", [FitResult, Comparison], ids=["fit", "comparison"])
def test_every_method_is_in_some_vignette(kind: type) -> None:
    called = {node.func.attr for node in _nodes(ast.Call) if isinstance(node.func, ast.Attribute)}
    assert sorted(set(_methods(kind)) - called) == []


@pytest.mark.parametrize("name", _inferring())
def test_every_choice_of_a_method_is_in_some_vignette(name: str) -> None:
    method = _inferring()[name]
    parameters = inspect.signature(method).parameters
    written = {node.value for node in _nodes(ast.Constant) if isinstance(node.value, str)}
    for parameter, listed in _CHOICES.findall(method.__doc__ or ""):
        choices = re.findall(r'"([^"]*)"', listed)
        default = parameters[parameter].default
        usual = choices[0] if default is None else default
        assert [c for c in choices if c != usual and c not in written] == [], parameter


def test_every_method_is_refused_somewhere_in_a_vignette() -> None:
    refused: set[str] = set()
    calls = [n for n in _nodes(ast.Call) if isinstance(n.func, ast.Name)]
    for node in [*_nodes(ast.Try), *(n for n in calls if n.func.id == "refusal")]:
        refused |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    # What R2 has no number for, its note says.
    methods = set(_asked()) - {"r_squared"} | {"predict", "confidence_intervals"}
    assert sorted(methods - refused) == []
