"""Mplus's models of two levels: TYPE = TWOLEVEL, %WITHIN% and %BETWEEN%."""

from __future__ import annotations

from dataclasses import replace

import pytest

import growthmm as gm
from growthmm.errors import NotationError, UnboundError
from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.mplus.notation import NOTATION

HEAD = """VARIABLE: NAMES = y0-y3 x w school; USEVARIABLES = y0-y3 x w;
  CLUSTER = school; WITHIN = x; BETWEEN = w;
ANALYSIS: TYPE = TWOLEVEL; ESTIMATOR = ML;
"""
WITHIN = "iw sw | y0@0 y1@1 y2@2 y3@3; y0-y3 (1); iw sw ON x;"
BETWEEN = "ib sb | y0@0 y1@1 y2@2 y3@3; y0-y3@0; ib sb ON w;"


def text(within: str = WITHIN, between: str = BETWEEN, head: str = HEAD) -> str:
    return f"{head}MODEL: %WITHIN%\n{within}\n%BETWEEN%\n{between}"


def test_the_users_guide_s_growth_model_of_two_levels() -> None:
    # Mplus User's Guide (2017), example 9.12, says in words what the defaults are.
    model = NOTATION.read(text())
    rules = {path.name: path for path in model.paths}
    assert rules["iw~~sw"].free
    assert rules["ib~~sb.l2"].free
    assert [rules[name].value for name in ("iw~1", "sw~1", "y0~1", "y0~1.l2")] == [0, 0, 0, 0]
    assert "between level" in rules["iw~1"].rule
    assert rules["ib~1.l2"].free
    assert rules["sb~1.l2"].free
    assert rules["y3~~y3.l2"].value == 0
    assert rules["y3~~y3"].label == "eq1"
    assert model.cluster_variable == "school"
    assert (model.outcomes, model.covariates) == (("y0", "y1", "y2", "y3"), ("x", "w"))


def test_the_same_model_as_lavaans_levels() -> None:
    # lavaan frees the means of latent variables at both levels, so they are written as zero.
    loadings = "{i} =~ 1*y0 + 1*y1 + 1*y2 + 1*y3\n{s} =~ 0*y0 + 1*y1 + 2*y2 + 3*y3\n"
    equal = "".join(f"y{k} ~~ eq1*y{k}\n" for k in range(4))
    none = "".join(f"y{k} ~~ 0*y{k}\n" for k in range(4))
    inner = loadings.format(i="iw", s="sw") + equal + "iw + sw ~ x\niw + sw ~ 0*1\niw ~~ sw\n"
    outer = loadings.format(i="ib", s="sb") + none + "ib + sb ~ w\nib ~~ sb\n"
    lavaan = gm.read(f"growth('level: 1\n{inner}level: 2\n{outer}', cluster = \"school\")")
    assert isinstance(lavaan, SemModel)
    assert NOTATION.read(text()).table == lavaan.table


@pytest.mark.parametrize(
    ("within", "between"),
    [
        (WITHIN, BETWEEN),
        ("y0 ON x; y1 ON y0;", "y0 y1; y1 ON w;"),
        ("f BY y0-y3; f ON x;", "fb BY y0-y3; fb ON w; [y1@0];"),
        ("y0 WITH y1; y2 ON x;", "y0-y1; y0 WITH y1 (c); y0 ON w;"),
    ],
)
def test_what_is_written_reads_back(within: str, between: str) -> None:
    lists = "" if "y2 ON x" not in within else "VARIABLE: WITHIN = y2 x; BETWEEN = w;\n"
    head = HEAD if not lists else f"{lists}ANALYSIS: TYPE = TWOLEVEL;\n"
    model = NOTATION.read(text(within, between, head))
    written = NOTATION.write(model)
    assert written.losses == ()
    assert NOTATION.read(written.text) == model


def test_a_variable_of_the_within_level_alone_has_its_mean_there() -> None:
    head = "VARIABLE: WITHIN = z x; BETWEEN = w;\nANALYSIS: TYPE = TWOLEVEL;\n"
    model = NOTATION.read(text(f"{WITHIN} z ON x;", head=head))
    assert model.path("z", "~1").free
    assert model.path("z", "~1", level=2) is None


def test_the_estimator_and_the_script() -> None:
    model = NOTATION.read(text(head=HEAD.replace(" ESTIMATOR = ML;", "")))
    notes = {note.what: note for note in model.defaults}
    assert notes["estimator"].value == "MLR"
    assert "TWOLEVEL" in notes["estimator"].rule
    script = NOTATION.script(model, ScriptContext("w.csv", "wide"))
    assert "NAMES = y0 y1 y2 y3 x w school;\n  USEVARIABLES = y0 y1 y2 y3 x w;" in script
    assert "CLUSTER = school;\n  WITHIN = x;\n  BETWEEN = w;" in script
    assert NOTATION.read(script) == model
    with pytest.raises(UnboundError, match="column of clusters"):
        NOTATION.script(replace(model, cluster_variable=None), ScriptContext("w.csv", "wide"))


def test_means_of_level_1_and_columns_in_loadings_are_losses() -> None:
    model = NOTATION.read(text())
    paths = tuple(
        replace(path, free=True, value=None) if path.name == "iw~1" else path
        for path in model.paths
    )
    assert [loss.what for loss in NOTATION.write(replace(model, paths=paths)).losses] == ["iw~1"]
    paths = tuple(
        replace(path, value=None, definition=f"a{path.right[1]}")
        if path.op == "=~" and path.left == "sw"
        else path
        for path in model.paths
    )
    losses = NOTATION.write(replace(model, paths=paths)).losses
    assert "sw=~y1 = data.a1" in {loss.what for loss in losses}


REFUSED = {
    text(between="iw BY y0-y3;"): ((7, 1), "The latent variable iw stands at both levels"),
    text(between=f"{BETWEEN} ib ON x;"): ((7, 57), "The covariate x stands at both levels"),
    text(within=f"{WITHIN} [iw];"): ((5, 54), "The mean of iw stands in %WITHIN%"),
    text(within=f"{WITHIN} [y0];"): ((5, 54), "The mean of y0 stands in %WITHIN%"),
    text(within=f"{WITHIN} st | y0 ON x;"): ((5, 53), "A random slope in a model of two levels"),
    text(within=f"{WITHIN} a b | y0 y1 AT x w;"): ((5, 53), "AT in a model of two levels"),
    text(head=HEAD.replace("WITHIN = x; ", "")): ((5, 50), "x stands in %WITHIN% alone"),
    text(head=HEAD.replace("BETWEEN = w;", "")): ((7, 48), "w stands in %BETWEEN% alone"),
    text(head=HEAD.replace("= x;", "= x y0;")): ((5, 9), "y0 stands at both levels"),
    text(head=HEAD.replace("= w;", "= w x;")): ((5, 50), "x stands in %WITHIN% and in VARIABLE"),
    text(head="ANALYSIS: TYPE = GENERAL;\n"): ((2, 8), "%WITHIN% stands in a model"),
    text(head=HEAD.replace("TWOLEVEL", "GENERAL")): ((2, 3), "CLUSTER without TYPE = TWOLEVEL"),
    text(head=HEAD.replace("TWOLEVEL", "THREELEVEL")): ((3, 18), "THREELEVEL is not supported"),
    text(head=HEAD.replace("TWOLEVEL", "CROSSCLASSIFIED")): ((3, 18), "CROSSCLASSIFIED"),
    text(head=HEAD.replace("= school;", "= school x;")): ((2, 13), "CLUSTER names one column"),
    text().replace("%BETWEEN%", "%BETWEEN school%"): ((6, 1), "The level %BETWEEN school%"),
    "MODEL: %WITHIN% y ON x;": ((1, 8), "%BETWEEN% holds no statement"),
    "MODEL: y; %BETWEEN% y;": ((1, 8), "before the first level, %BETWEEN%"),
}


@pytest.mark.parametrize("given", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_place(given: str) -> None:
    place, message = REFUSED[given]
    with pytest.raises(NotationError) as caught:
        NOTATION.read(given)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == place
