"""Stata's ``sem``: commands against lavaan's text, round trips, losses, errors, names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.notation import recognise
from growthmm.notation.base import DerivedColumn, ScriptContext
from growthmm.notation.command_languages.sem import same_sem
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.stata.notation import NOTATION

GROWTH = "I =~ 1*y0 + 1*y1 + 1*y2\nS =~ 0*y0 + 1*y1 + 2*y2\n"
PATHS = "(y0 <- I@1 S@0 _cons@0) (y1 <- I@1 S@1 _cons@0) (y2 <- I@1 S@2 _cons@0)"

VARIANTS = {
    "worked example": (
        f"sem {PATHS} ///\n    (I <- x _cons) (S <- x _cons), cov(e.I*e.S) method(ml)",
        GROWTH + "I + S ~ x",
    ),
    "means of exogenous factors": (f"sem {PATHS}, means(I S)", GROWTH),
    "loadings the other way round": (
        "sem (I -> y0@1 y1@1 y2@1) (S -> y0@0 y1@1 y2@2), means(I S) noconstant",
        GROWTH,
    ),
    "equal residual variances": (
        f"sem {PATHS}, mean(I@a S) var(e.y0@v e.y1@v e.y2@v)",
        GROWTH + "I ~ a*1\ny0 ~~ v*y0\ny1 ~~ v*y1\ny2 ~~ v*y2",
    ),
    "uncorrelated factors": (f"sem {PATHS}, means(I S) cov(I*S@0)", GROWTH + "I ~~ 0*S"),
    "errors covary": (
        f"sem {PATHS}, means(I S) covariance(e.y0*e.y1@c e.y1*e.y2@c)",
        GROWTH + "y0 ~~ c*y1\ny1 ~~ c*y2",
    ),
    "covariances as paths": (
        f"sem {PATHS} (e.y0 <-> e.y1) (I <-> S), means(I S)",
        GROWTH + "y0 ~~ y1",
    ),
    "variances fixed": (
        f"sem {PATHS}, means(I S) variance(S@0.5 e.y0@0)",
        GROWTH + "S ~~ 0.5*S\ny0 ~~ 0*y0",
    ),
    "latent names given": (
        "sem (y0 <- i@1 _cons@0) (y1 <- i@1 _cons@0), means(i) nocapslatent latent(i)",
        "i =~ 1*y0 + 1*y1",
    ),
    "observed names in capitals": (
        "sem (Y0 Y1 <- f@1 _cons@0), mean(f) nocapslatent latent(f)",
        "f =~ 1*Y0 + 1*Y1",
    ),
    "the first loading is 1": (
        "sem (F -> y0 y1 y2), means(F@0)",
        "F =~ 1*y0 + y1 + y2\nF ~ 0*1\ny0 ~ 1\ny1 ~ 1\ny2 ~ 1",
    ),
    "regression without brackets": ("sem y <- x@b z", "y ~ b*x + z\ny ~ 1"),
    "ranges of names, semicolons": (
        "#delimit ;\nsem (I -> y0-y2@1)\n (y0-y2 <- _cons@0),\n means(I) ;",
        "I =~ 1*y0 + 1*y1 + 1*y2",
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_commands_as_people_write_them(name: str) -> None:
    text, wanted = VARIANTS[name]
    read = NOTATION.read(text)
    assert isinstance(read, SemModel)
    assert same_sem(read, read_lavaan(wanted))
    assert recognise(text) == "stata"


def test_settings() -> None:
    read = NOTATION.read(f"sem {PATHS}, means(I S) method(mlmv) vce(eim)")
    assert isinstance(read, SemModel)
    assert (read.missing, read.information, read.likelihood) == ("ml", "expected", "normal")
    plain = NOTATION.read(f"sem {PATHS}, means(I S)")
    assert isinstance(plain, SemModel)
    assert (plain.missing, plain.information) == ("listwise", None)
    assert [row.what for row in plain.defaults] == ["method", "information"]


def test_defaults_are_rows_with_their_rules() -> None:
    read = NOTATION.read("sem (y0 y1 <- F) (F <- x)")
    assert {path.name: path.rule for path in read.paths if path.rule != "written"} == {  # type: ignore[union-attr]
        "F=~y0": "Stata sem: the first loading is 1",
        "y0~~y0": "Stata sem: variances are free",
        "y1~~y1": "Stata sem: variances are free",
        "F~~F": "Stata sem: variances are free",
        "y0~1": "Stata sem: means of observed variables are free",
        "y1~1": "Stata sem: means of observed variables are free",
        "F~1": "Stata sem: means of latent variables are zero",
    }


def test_written_moments_make_exogenous_variables_random() -> None:
    conditional = NOTATION.read("sem (y <- x)")
    joint = NOTATION.read("sem (y <- x), var(x) mean(x)")
    assert isinstance(conditional, SemModel)
    assert isinstance(joint, SemModel)
    assert (conditional.covariates, conditional.fixed_x) == (("x",), True)
    assert (joint.covariates, joint.fixed_x) == ((), False)


def test_golden_text() -> None:
    model = read_lavaan(GROWTH + "I + S ~ x\ny0 ~~ v*y0\ny1 ~~ v*y1\ny2 ~~ v*y2")
    assert NOTATION.write(model).text.split(" ///\n    ") == [
        "sem (y0 <- I@1 S@0 _cons@0)",
        "(y1 <- I@1 S@1 _cons@0)",
        "(y2 <- I@1 S@2 _cons@0)",
        "(I <- x _cons)",
        "(S <- x _cons), var(e.y0@v e.y1@v e.y2@v) cov(e.I*e.S) method(ml) noanchor",
    ]


def test_losses_are_all_listed() -> None:
    model = read_lavaan("f =~ y0 + a*y1 + b*y2\ny0 ~~ lower(0)*y0\nq := a^2\na == 2*b")
    assert [loss.what for loss in NOTATION.write(model).losses] == [
        "q := a**2",
        "bounds of y0~~y0",
        "a == 2*b",
    ]
    divisor = replace(read_lavaan(GROWTH), likelihood="wishart")
    assert [loss.what for loss in NOTATION.write(divisor).losses] == ["divisor N - 1"]


def test_scripts_import_reshape_fit_and_print() -> None:
    schema = Schema(
        "id",
        "t",
        "y",
        (-1.0, 0.0, 1.0),
        (Variable("sex", "person_level", ("f", "m")),),
        outcome_columns=("y0", "y1", "y2"),
    )
    part = ColumnPart("sex", 0, "m", "contrast")
    derived = DerivedColumn("x", Column(Term(("sex",)), (part,)))
    model = read_lavaan(GROWTH + "I + S ~ x")
    long = NOTATION.script(model, ScriptContext("d.csv", "long", schema, (derived,)))
    assert 'generate double x = cond(missing(sex), ., sex == `"m"\')' in long
    assert "generate double growthmm_x = y if abs(t - (-1)) <= 1e-9" in long
    assert "bysort id: keep if _n == 1" in long
    assert same_sem(NOTATION.read(long), replace(model, missing="ml"))  # type: ignore[arg-type]
    wide = NOTATION.script(model, ScriptContext("d.csv", "wide", schema, (derived,)))
    assert "egen" not in wide
    assert "generate double x = " in wide


ERRORS = {
    "sem": "An arrow is missing (line 1, column 4)",
    "sem (y x)": "An arrow is missing (line 1, column 9)",
    "sem (y <- x, foo": "A bracket is not closed (line 1, column 5)",
    "sem (y <- x@)": "')' stands where a number or a name should",
    "sem (y <- x@(a+b))": "Expressions behind @ are not supported",
    "sem (y <- x), foo": "The option foo is not supported",
    "sem (y <- x), var(y)": "y is explained (line 1, column 19)",
    "sem (y <- x), var(e.x)": "x is exogenous (line 1, column 21)",
    "sem (y <- x), var": "var() lacks its variables",
    "sem (y <- x), cov(y*)": "The end stands where a variable should",
    "sem (y <- x) (y <- x@1)": "x -> y is written twice (line 1, column 20)",
    "sem (y <- y)": "y cannot explain itself",
    "sem (e.y <- x)": "e.y cannot be explained",
    "sem (y <- x@1e999)": "The number 1e999 is too large",
}
