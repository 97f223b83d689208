"""Path diagrams in Graphviz DOT."""

from __future__ import annotations

import re

import pytest

import growthmm as gm
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.sem import Path, SemModel
from growthmm.notation import recognise
from growthmm.notation.base import ScriptContext
from growthmm.notation.dot import NOTATION
from growthmm.notation.lavaan.read import read as read_lavaan

STRING = r'"(?:[^"\\\n]|\\[\\"n])*"'
ATTRIBUTE = rf"[a-z]+=(?:{STRING}|[A-Za-z0-9.]+)"
LINE = re.compile(
    rf"""(?:digraph\ model\ \{{ | subgraph\ cluster_\d+\ \{{ | \}}
    | (?:graph|node|edge|[vg]\w*(?:\ ->\ [vg]\w*)?)(?:\ \[{ATTRIBUTE}(?:,\ {ATTRIBUTE})*\])?;
    | label={STRING}; | \{{rank=same;(?:\ [vg]\w*;)+\}})""",
    re.VERBOSE,
)


def edges(text: str) -> dict[tuple[str, str], str]:
    """Each arrow between labels, with its attributes."""
    names = dict(re.findall(rf"(\w+) \[label=({STRING}), shape", text))
    names = {key: re.sub(r"\\(.)", r"\1", value[1:-1]) for key, value in names.items()}
    found = re.findall(r"(\w+) -> (\w+)(?: \[(.*)\])?;", text)
    return {(names[a], names[b]): attributes for a, b, attributes in found}


def test_a_growth_curve() -> None:
    text = NOTATION.write(
        read_lavaan("i =~ 1*y0 + 1*y1\ns =~ 0*y0 + 1*y1\ny0 ~~ r*y0\ny1 ~~ r*y1\ni + s ~ b*x")
    ).text
    drawn = edges(text)
    assert drawn["i", "y0"] == 'label="1"'
    assert ("s", "y0") not in drawn
    assert drawn["x", "i"] == 'label="b"'
    assert drawn["y0", "y0"] == 'label="r", dir=both'
    assert drawn["i", "s"] == "dir=both, constraint=false"
    assert drawn["1", "s"] == "style=dotted"
    assert ("1", "y0") not in drawn
    shapes = re.findall(r'label="(\w+)", shape=(\w+)', text)
    assert dict(shapes) == {
        "i": "ellipse", "s": "ellipse", "y0": "box", "y1": "box", "x": "box", "1": "triangle"
    }  # fmt: skip


def test_definition_variables_and_labelled_constants() -> None:
    paths = (
        Path("s", "=~", "y", free=False, definition="age"),
        Path("s", "~1", free=False, value=2.5, label="k"),
    )
    drawn = edges(NOTATION.write(SemModel(paths, ("s",), ("y",))).text)
    assert drawn == {("s", "y"): 'label="data.age"', ("1", "s"): 'label="k = 2.5", style=dotted'}


def test_each_group_is_a_cluster() -> None:
    text = "growth('i =~ 1*y0 + 1*y1\ni ~ c(a, b)*1', group = 'sex', group.label = c('f', 'm'))"
    written = NOTATION.write(read_lavaan(text)).text
    assert re.findall(r"label=(\"[fm]\");", written) == ['"f"', '"m"']
    assert 'g0_3 -> g0_0 [label="a"' in written
    assert 'g1_3 -> g1_0 [label="b"' in written


@pytest.mark.parametrize(
    "name",
    ['y"]; x [URL="file:///etc/passwd', "\\", "a\\", 'a\\"b', "a\nb", "a\r\nb", "<b>x</b>", "\\N",
     "größe", "a;b}", "\0"],
)  # fmt: skip
def test_no_name_leaves_its_quotes(name: str) -> None:
    paths = (Path("f", "=~", name, label=name), Path(name, "~~", name, free=False, definition=name))
    text = NOTATION.write(SemModel(paths, ("f",), (name,))).text
    for line in text.split("\n"):
        assert LINE.fullmatch(line.strip()), line


def test_it_is_written_from_data_and_never_read() -> None:
    made = gm.translate("y ~ t + (t | id)", "dot", time_values=[0, 1, 2])
    assert edges(made.text)["s", "y_2"] == 'label="2"'
    assert NOTATION.script(made.model, ScriptContext()) == made.text
    assert recognise(made.text) == "dot"
    with pytest.raises(NotationError, match="written, not read"):
        gm.read(made.text)
    mixed = gm.read("y ~ t + (t | id)")
    (loss,) = NOTATION.write(mixed).losses
    assert "translate it first" in loss.nearest
    with pytest.raises(SpecificationError, match="translate"):
        gm.write(mixed, "dot")
