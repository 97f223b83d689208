"""brms: written, not read."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from r_scripts import model_of

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.sem import Path as SemPath
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.notation import notation, recognise
from growthmm.notation.base import ScriptContext

BRMS = notation("brms")
RESIDUALS = [
    ("common", "y ~ t + (1 + t | id)"),
    ("by_occasion", "y ~ t + (1 + t | id), sigma ~ 0 + factor(t)"),
    ("by_group:sex", "y ~ t + (1 + t | id), sigma ~ 0 + factor(sex)"),
    ("ar1", "y ~ t + (1 + t | id) + ar(time = t, gr = id, p = 1, cov = TRUE)"),
    (
        "arh1",
        "y ~ t + (1 + t | id) + ar(time = t, gr = id, p = 1, cov = TRUE), sigma ~ 0 + factor(t)",
    ),
    ("cs", "y ~ t + (1 + t | id) + cosy(time = t, gr = id)"),
    ("csh", "y ~ t + (1 + t | id) + cosy(time = t, gr = id), sigma ~ 0 + factor(t)"),
    ("unstructured", "y ~ t + (1 + t | id) + unstr(time = t, gr = id), sigma ~ 0 + factor(t)"),
]


@pytest.mark.parametrize(("residual", "inside"), RESIDUALS)
def test_a_formula_with_residuals_is_written(residual: str, inside: str) -> None:
    written = BRMS.write(model_of("y ~ t + (t | id)", residual))
    assert (written.text, written.losses) == (f"bf({inside})", ())


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("y ~ t", "bf(y ~ t)"),
        ("y ~ t + (t || id)", "bf(y ~ t + (1 + t || id))"),
        ("y ~ (1 + factor(s) || id)", "bf(y ~ 1 + (1 | id) + (0 + factor(s) | id))"),
        ("y ~ I(t**2) + (1 | a/b)", "bf(y ~ I(t^2) + (1 | a) + (1 | a:b))"),
    ],
)
def test_random_effects_are_written(formula: str, text: str) -> None:
    assert BRMS.write(model_of(formula, "common")).text == text


@pytest.mark.parametrize(
    ("formula", "residual", "what"),
    [
        ("y ~ t + (t | id)", "ar1+common", "AR(1) residuals plus measurement error"),
        ("y ~ t + (t | id)", "toeplitz", "toeplitz residuals"),
        ("y ~ t + (t | id)", "banded:1", "banded:1 residuals"),
        ("y ~ t + x + (1 | id)", "by_occasion", "the column of times of residuals by_occasion"),
        ("y ~ t", "ar1", "the column of persons of residuals ar1"),
        ("y__1 ~ t + (1 | id)", "common", "the column 'y__1'"),
        ('`x"); system("id` ~ t + (1 | id)', "common", "the column 'x\"); system(\"id'"),
    ],
)
def test_what_cannot_be_said_is_a_loss(formula: str, residual: str, what: str) -> None:
    assert what in [loss.what for loss in BRMS.write(model_of(formula, residual)).losses]


def test_it_is_recognised_and_not_read() -> None:
    text = "brm(bf(y ~ t + (t | id)), data = d)"
    assert recognise(text) == "brms"
    with pytest.raises(NotationError, match="brms is written, not read"):
        BRMS.read(text)


def test_coefficients_have_the_names_of_the_program() -> None:
    square = Column(Term(("I(t**2)",)), (ColumnPart("I(t**2)"),))
    level = Column(Term(("C(t)",)), (ColumnPart("C(t)", 2, "3", "contrast"),))
    names = [BRMS.coefficient(c) for c in (Column(Term()), square, level)]
    assert names == ["Intercept", "ItE2", "factort3"]


def test_a_structural_equation_model_is_refused() -> None:
    with pytest.raises(SpecificationError, match="brms writes mixed models"):
        BRMS.write(SemModel((SemPath("y", "~~", "y"),), (), ("y",)))


@pytest.mark.r("stats")
def test_scripts_are_programs_of_r(tmp_path: Path) -> None:
    hostile = tmp_path / 'a"); q("no.csv'
    schema = Schema("id", "t", "y", occasions=(0.0, 1.0))
    for at, (residual, _) in enumerate(RESIDUALS):
        model = replace(model_of("y ~ t + (t | id)", residual), estimator="ml")
        script = BRMS.script(model, ScriptContext(str(hostile), schema=schema))
        (tmp_path / f"{at}.R").write_text(script, encoding="utf-8")
    code = "for (f in list.files(pattern = '[0-9].R')) cat(length(parse(f)), '')"
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.split() == ["5"] * len(RESIDUALS)
