"""semopy: our tables against semopy's own, round trips, and the programs, run."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from collections import defaultdict
from contextlib import suppress
from pathlib import Path as File

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import reference_folder

from growthmm.errors import NotationError, UnsupportedError
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.notation.base import DerivedColumn, ScriptContext
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.semopy.notation import NOTATION
from growthmm.notation.semopy.read import read

GROWTH = "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2\ni ~~ s\ny0 ~ 0*1\ny1 ~ 0*1\ny2 ~ 0*1\n"

CASES = {
    "growth": GROWTH + "i ~ ai*1\ns ~ as_*1\nSTART(0.5) ai\nSTART(1) as_",
    "growth with x": GROWTH + "i ~ ai*1 + x\ns ~ as_*1 + x\nSTART(0.5) ai as_",
    "time-varying": GROWTH.replace("0*1", "0*1 + b*x") + "i ~ m*1\nSTART(1) m",
    "common residual": GROWTH + "y0 ~~ r*y0\ny1 ~~ r*y1\ny2 ~~ r*y2",
    "factors": "f =~ y0 + y1 + y2\ng =~ y3 + y4",
    "labels and numbers": "f =~ a*y0 + y1 + 2*y2\ng =~ b*y3 + b*y4 + y5\nBOUND(0, 1) a",
    "all labelled": "f =~ a*y0 + b*y1\nCONSTRAINT(a > 0.5)\nf ~~ 1*f",
    "path model": "y0 ~ y1 + x\ny1 ~ 2*x + z # comment",
    "mediator": "f =~ y0 + y1\nw ~ f + x\nf ~ x\ny0 ~~ y1",
    "random x": "y ~ x + z\nx ~~ z\nx ~~ x\nz ~~ v*z",
    "several left sides": "f =~ y0 + y1\ng =~ y2 + y3\nf, g ~ x\ny0 ~ a*1",
    "defined latent": "DEFINE(latent) e\ny0 ~ 1*e + x\ny1 ~ e",
    "second order": "f =~ y0 + y1\ng =~ y2 + y3\nh =~ f + g",
}


def _theirs(text: str) -> dict[tuple[str, str, str], tuple[bool, float | None]]:
    """The parameters that semopy makes, and the classes of equal ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        import semopy

        model = semopy.ModelMeans(text)
        logging.disable(logging.NOTSET)
    rows, classes = {}, defaultdict(set)
    for name, parameter in model.parameters.items():
        for location in parameter.locations:
            kind = next(
                which
                for which, matrix in zip(model.matrices_names, model.matrices, strict=True)
                if matrix is location.matrix
            )
            names = model.names[list(model.matrices_names).index(kind)]
            left, right = names[0][location.indices[0]], names[1][location.indices[1]]
            key = ("~", left, right) if kind not in ("psi", "theta") else ("~~", left, right)
            key = ("~~", *sorted((left, right))) if key[0] == "~~" else key
            rows[key] = (parameter.active, None if parameter.active else float(parameter.start))
            if parameter.active:
                classes[name].add(key)
    return rows, {frozenset(keys) for keys in classes.values() if len(keys) > 1}


def _ours(model: SemModel) -> dict[tuple[str, str, str], tuple[bool, float | None]]:
    rows, classes = {}, defaultdict(set)
    for path in model.paths:
        if path.op == "~~":
            key = ("~~", *sorted((path.left, path.right)))
        elif path.op == "=~":
            key = ("~", path.right, path.left)
        else:
            key = ("~", path.left, path.right or "1")
        rows[key] = (path.free, path.value)
        if path.free:
            classes[path.parameter].add(key)
    return rows, {frozenset(keys) for keys in classes.values() if len(keys) > 1}


@pytest.mark.parametrize("case", CASES)
def test_table_equals_semopys(case: str) -> None:
    assert _ours(read(CASES[case])) == _theirs(CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_reads_back(case: str) -> None:
    model = read(CASES[case])
    written = NOTATION.write(model)
    assert written.losses == ()
    assert read(written.text) == model


@pytest.mark.parametrize("case", CASES)
def test_written_text_is_the_same_model_to_semopy(case: str) -> None:
    written = NOTATION.write(read(CASES[case])).text
    rows, classes = _theirs(written)
    own, own_classes = _theirs(CASES[case])
    assert {key: cell for key, cell in rows.items() if cell != (False, 0.0)} == {
        key: cell for key, cell in own.items() if cell != (False, 0.0)
    }
    assert classes == own_classes


LAVAAN = [
    "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2\ni + s ~ x\ny0 ~ b*z\ny1 ~ b*w",
    "f =~ NA*y0 + y1 + y2\nf ~~ 1*f",
    "f =~ y0 + y1 + 1e22*y2 + -1e-7*y3\ny1 ~~ lower(0)*y1 + start(2)*y1\ny2 ~ 1",
    "i =~ 1*y0 + 1*y1\nx ~~ x\nx ~~ z\ni ~ x\nx ~ 1",
    "f =~ 1*y0 + a*y1 + b*y2\na == 2*b^2\na > 0.1",
]


@pytest.mark.parametrize("text", LAVAAN)
@pytest.mark.parametrize("function", ["growth", "sem"])
def test_lavaan_models_are_carried_over(text: str, function: str) -> None:
    model = read_lavaan(text, function)
    written = NOTATION.write(model)
    assert written.losses == ()
    assert read(written.text).table == model.table
    kept = {key: cell for key, cell in _theirs(written.text)[0].items() if cell != (False, 0.0)}
    ours = {key: cell for key, cell in _ours(model)[0].items() if cell != (False, 0.0)}
    assert kept == ours


def test_what_semopy_cannot_say_comes_all_at_once() -> None:
    model = read_lavaan("f =~ c(1, 1)*y0 + c(a, b)*y1\nq := a - b")
    assert [loss.what for loss in NOTATION.write(model).losses] == ["groups", "q := a - b"]


def test_names_that_semopy_cannot_read_are_losses() -> None:
    model = read_lavaan("f =~ 1*.y0 + a.b*y1")
    what = [loss.what for loss in NOTATION.write(model).losses]
    assert what == ["the variable '.y0'", "the label 'a.b'"]


def test_a_latent_variable_without_indicators_needs_a_name_without_dots() -> None:
    assert NOTATION.write(read_lavaan("f =~ 0\ny0 ~ f + x")).losses == ()
    losses = NOTATION.write(read_lavaan("f.1 =~ 0\ny0 ~ f.1 + x")).losses
    assert [loss.what for loss in losses] == ["the variable 'f.1'"]


MALFORMED = {
    "": ("The text holds no model.", 1, 1),
    "f =~ y0\ny1 y2": ("There is no operator in this line.", 2, 1),
    "f =~ y0 +": ("Something is missing here.", 1, 10),
    "f =~ y0 - y1": ("'y0 - y1' is no name.", 1, 6),
    "y ~ x:z": ("The interaction x:z is not supported.", 1, 5),
    "y ~ nan*x": ("'nan' is neither a number nor a label.", 1, 5),
    "y ~ START*x": ("START*x fixes a parameter", 1, 5),
    "y ~ x\ny ~ a*x": ("y ~ x is written twice.", 2, 5),
    "y ~ y": ("y cannot explain itself.", 1, 5),
    "y ~ x\nSTART(a) b": ("START(a) does not hold 1 number.", 2, 1),
    "y ~ x\nSTART(1) b": ("The label b stands at no parameter.", 2, 1),
    "y ~ a*x\nBOUND(1) a": ("BOUND(1) does not hold 2 numbers.", 2, 1),
    "y ~ a*x\nCONSTRAINT(a)": ("A constraint relates two sides.", 2, 12),
    "y ~ a*x\nCONSTRAINT(a > c)": ("The label c stands at no parameter.", 2, 16),
    "y ~ x\nDEFINE(ordinal) y": ("The operation DEFINE is not supported.", 2, 1),
    "y ~ x\nEXO z": ("The operation EXO is not supported.", 2, 1),
    "y ~ x\nw ~~ y": ("w stands in no =~ and no ~", 2, 6),
    "y ~ x + z\nx ~~ z": ("x has a covariance but predicts alone", 2, 6),
}


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_text_is_told_where_and_what(text: str) -> None:
    message, line, column = MALFORMED[text]
    with pytest.raises(NotationError) as caught:
        read(text)
    assert caught.value.message.startswith(message.removesuffix(".")), caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


FRAGMENTS = st.sampled_from(
    [
        *("f", "y0", "y1", "a", "1", "0.5", "-1", "=~", "~", "~~", "+", "*", ",", "\n", " ", "#"),
        *("START(", "BOUND(", "CONSTRAINT(", "DEFINE(latent)", ")", ">", "=", "é", "nan", "\0"),
        "\u223c",
    ]
)


@settings(max_examples=examples(75, 300))
@given(st.one_of(st.lists(FRAGMENTS, max_size=25).map("".join), st.text(max_size=60)))
def test_no_text_raises_anything_but_a_notation_error(text: str) -> None:
    model = None
    with suppress(NotationError):
        model = read(text)
    assert model is None or model.latent or model.outcomes


OCCASIONS = tuple(float(k) for k in range(6))
GPA = tuple(f"gpa_{k}" for k in range(6))
LIB = tuple(f"lib_hours_{k}" for k in range(6))


def _schema(*, contrasts: str = "treatment") -> Schema:
    return Schema(
        person="student",
        time="occasion",
        outcome="gpa",
        occasions=OCCASIONS,
        variables=(Variable("sex", "person_level", ("female", "male")),),
        outcome_columns=GPA,
        varying_columns=(("lib_hours", LIB),),
        contrasts=contrasts,  # type: ignore[arg-type]
    )


def _dummy() -> tuple[DerivedColumn, ...]:
    part = ColumnPart("C(sex)", 0, "male", "contrast")
    return (DerivedColumn("sexmale", Column(Term(("C(sex)",)), (part,))),)


@pytest.mark.parametrize(
    "case", ["A02_gpa_slope_homosced", "A04_gpa_sex_covariate", "A05_gpa_tvc_equal"]
)
def test_the_program_finds_the_golden_optimum(case: str, tmp_path: File) -> None:
    sem = json.loads((reference_folder() / "golden" / f"{case}.json").read_text())["sem"]
    data = str(reference_folder() / "data" / "A_gpa_long.csv")
    context = ScriptContext(data, "long", _schema(), _dummy())
    script = tmp_path / "script.py"
    script.write_text(NOTATION.script(read_lavaan(sem["model"]), context), encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode == 0, answer.stderr
    found = dict(line.split() for line in answer.stdout.splitlines()[:3])
    golden = next(value for key, value in sem["fit_measures"].items() if key == "chisq")
    assert found["persons"] == "200"
    assert float(found["chi_square"]) == pytest.approx(golden, abs=1e-6)


def test_other_contrasts_are_refused() -> None:
    context = ScriptContext("d.csv", "long", _schema(contrasts="sum"), _dummy())
    with pytest.raises(UnsupportedError, match="contrasts"):
        NOTATION.script(read_lavaan("i =~ 1*gpa_0 + 1*gpa_1\ni ~ sexmale"), context)
