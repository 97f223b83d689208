"""PROC CALIS: LINEQS and PATH programs against lavaan's text, round trips, losses, errors."""

from __future__ import annotations

from dataclasses import replace

import pytest
from program_models import HOSTILE

from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.sem import Constraint, SemModel
from growthmm.model.terms import Term
from growthmm.notation.base import DerivedColumn, ScriptContext
from growthmm.notation.command_languages.sem import same_sem
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.sas.notation import NOTATION

GROWTH = "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2\n"
F_GROWTH = "fi =~ 1*y0 + 1*y1 + 1*y2\nfs =~ 0*y0 + 1*y1 + 2*y2\n"
ZERO = "y0 ~ 0*1\ny1 ~ 0*1\ny2 ~ 0*1\n"

VARIANTS = {
    "worked example": (
        "proc calis data=w method=fiml;\n"
        "  lineqs y0 = 0*Intercept + 1*fi + 0*fs + e0, y1 = 0*Intercept + 1*fi + 1*fs + e1,\n"
        "         y2 = 0*Intercept + 1*fi + 2*fs + e2,\n"
        "         fi = ai*Intercept + gi*x + d1, fs = as*Intercept + gs*x + d2;\n"
        "  variance e0-e2 = th0-th2, d1 d2 = p1 p2, x; mean x; cov d1 d2 = p12; run;",
        F_GROWTH + "fi ~ ai*1 + gi*x\nfs ~ as*1 + gs*x\ny0 ~~ th0*y0\ny1 ~~ th1*y1\ny2 ~~ th2*y2\n"
        "fi ~~ p1*fi + p12*fs\nfs ~~ p2*fs",
    ),
    "means of exogenous factors": (
        "proc calis method=fiml; lineqs y0 = 1. fi + 0. fs + 0. Intercept + e0, "
        "y1 = 1. fi + 1. fs + 0. Intercept + e1, y2 = 1. fi + 2. fs + 0. Intercept + e2; "
        "mean fi fs = m1 m2; run;",
        F_GROWTH + "fi ~ m1*1\nfs ~ m2*1",
    ),
    "common residual variance": (
        "PROC CALIS METHOD=FIML; LINEQS y0=1*fi+0*fs+0*INTERCEPT+e0, y1=1*fi+1*fs+0*INTERCEPT+e1,"
        " y2=1*fi+2*fs+0*INTERCEPT+e2; VARIANCE e0-e2 = v v v; MEAN fi fs; RUN;",
        F_GROWTH + "y0 ~~ v*y0\ny1 ~~ v*y1\ny2 ~~ v*y2",
    ),
    "errors covary": (
        "proc calis method=fiml; lineqs y0=1*fi+0*Intercept+e0, y1=1*fi+0*Intercept+e1,"
        " y2=1*fi+0*Intercept+e2; cov e0 e1 = c, e1 e2 = c; mean fi; run;",
        "fi =~ 1*y0 + 1*y1 + 1*y2\ny0 ~~ c*y1\ny1 ~~ c*y2",
    ),
    "starting values": (
        "proc calis method=fiml; lineqs y0=1*fi+0*Intercept+e0, y1=a(.5)*fi+0*Intercept+e1,"
        " y2=(2)*fi+0*Intercept+e2; variance fi = vf(3), e0=(1); mean fi=(2); run;",
        "fi =~ 1*y0 + a*y1 + y2\nfi ~~ vf*fi",
    ),
    "zero residual variance": (
        "proc calis method=fiml; lineqs y0=1*fi+0*Intercept+e0, y1=1*fi+0*Intercept+e1;"
        " variance e0 = 0; mean fi; run;",
        "fi =~ 1*y0 + 1*y1\ny0 ~~ 0*y0",
    ),
    "time-varying covariates": (
        "proc calis method=fiml; var y0-y2 z0-z2; path fi ===> y0-y2 = 1 1 1,"
        " z0 ===> y0 = b, z1 ===> y1 = b, z2 ===> y2 = b;"
        " pcov fi * z0-z2 = 0 0 0; mean fi, y0-y2 = 0 0 0; run;",
        "fi =~ 1*y0 + 1*y1 + 1*y2\ny0 ~ b*z0\ny1 ~ b*z1\ny2 ~ b*z2",
    ),
    "PATH with all kinds of arrows": (
        "proc calis method=fiml; var y0-y2 x; path i ===> y0-y2 = 1 1 1, y0 y1 y2 <--- s = 0 1 2,"
        " i s <- x = gi gs, 1 ---> i s = ai as, <==> y0-y2 = v v v, 1 ===> y0-y2 = 0 0 0,"
        " i <==> s = c; run;",
        GROWTH + "i ~ ai*1 + gi*x\ns ~ as*1 + gs*x\ni ~~ c*s\ny0 ~~ v*y0\ny1 ~~ v*y1\ny2 ~~ v*y2",
    ),
    "PATH without VAR": (
        "proc calis method=fiml; path i ===> y0 y1 y2 = 1 1 1, s ===> y0 y1 y2 = 0 1 2;"
        " pvar y0-y2; pcov i s; mean i s, y0-y2 = 0 0 0; run;",
        GROWTH,
    ),
    "regression": (
        "proc calis method=fiml; path y <=== x z = b1 b2, y <=== w; run;",
        "y ~ b1*x + b2*z + w\ny ~ 1",
    ),
    "bounds and constraints": (
        "proc calis method=fiml; var y0-y2; path i ===> y0-y2 = 1 1 1; pvar y0-y2 = a b c;"
        " mean i, y0-y2 = 0 0 0; bounds 0 <= a <= 9; lincon a - 2*b = 0; run;",
        "i =~ 1*y0 + 1*y1 + 1*y2\ny0 ~~ lower(0)*y0 + upper(9)*y0 + a*y0\n"
        "y1 ~~ b*y1\ny2 ~~ c*y2\na - 2*b == 0",
    ),
    "upper and lower case, comments": (
        "* CALIS; Proc Calis Method=Fiml /* all rows */; Lineqs Y0 = 1*Fi + 0*INTERCEPT + E0,"
        " Y1 = 1*fi + 0*intercept + E1; Variance e0 = V, E1 = v; Mean FI; Run;",
        "Fi =~ 1*Y0 + 1*Y1\nY0 ~~ V*Y0\nY1 ~~ V*Y1",
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_programs_as_people_write_them(name: str) -> None:
    text, wanted = VARIANTS[name]
    read = NOTATION.read(text)
    assert isinstance(read, SemModel)
    assert same_sem(read, replace(read_lavaan(wanted), missing="ml"))


def test_defaults_are_rows_with_their_rules() -> None:
    read = NOTATION.read(
        "proc calis; var y0 y1 x; path f ===> y0 y1 = 1 1, x ===> f; mean y0 = 0; run;"
    )
    assert isinstance(read, SemModel)
    rules = {path.name: path.rule for path in read.paths if path.rule != "written"}
    assert rules == {
        "y0~~y0": "PROC CALIS: variances are free",
        "y1~~y1": "PROC CALIS: variances are free",
        "f~~f": "PROC CALIS: variances are free",
        "y1~1": "PROC CALIS: means of observed variables are free",
        "f~1": "PROC CALIS: means of latent variables are zero",
    }
    assert (read.covariates, read.missing, read.likelihood) == (("x",), "listwise", "wishart")
    assert [row.what for row in read.defaults] == ["method", "divisor", "moments of x"]


def test_exogenous_variables_with_restricted_moments_are_random() -> None:
    read = NOTATION.read("proc calis; var y x; path y <=== x; variance x = v; run;")
    assert isinstance(read, SemModel)
    assert (read.covariates, read.fixed_x) == ((), False)
    assert read.path("x", "~~", "x").label == "v"  # type: ignore[union-attr]


def test_golden_text() -> None:
    model = read_lavaan(GROWTH + "i + s ~ x\ny0 ~~ v*y0\ny1 ~~ v*y1\ny2 ~~ v*y2")
    assert NOTATION.write(model).text.split("\n") == [
        "proc calis method=ml vardef=n;",
        "  var y0 y1 y2 x;",
        "  path",
        "    i ===> y0 y1 y2 = 1 1 1,",
        "    s ===> y0 y1 y2 = 0 1 2,",
        "    x ===> i s;",
        "  pvar y0 = v, y1 = v, y2 = v, i, s;",
        "  pcov i s;",
        "  mean y0 = 0, y1 = 0, y2 = 0, i, s;",
        "run;",
    ]


def test_losses_are_all_listed() -> None:
    model = read_lavaan("f =~ y0 + a*y1\ny0 ~~ lower(0)*y0\nq := a^2\na > exp(0) + a^2")
    assert [loss.what for loss in NOTATION.write(model).losses] == [
        "q := a**2",
        "bounds of y0~~y0",
        "a > exp(0) + a**2",
    ]
    groups = read_lavaan("growth('f =~ 1*y0 + c(a, b)*y1', group = 'g')")
    assert [loss.what for loss in NOTATION.write(groups).losses] == ["2 groups"]
    divisor = replace(read_lavaan(GROWTH), missing="ml", likelihood="wishart")
    assert [loss.what for loss in NOTATION.write(divisor).losses] == [
        "divisor N - 1 with missing values"
    ]


def test_linear_constraints_come_back() -> None:
    model = read_lavaan("f =~ 1*y0 + a*y1 + b*y2\na == 2*b - 1\na < 3")
    written = NOTATION.write(model)
    assert "  lincon a = 2*b - 1;" in written.text
    assert NOTATION.read(written.text).constraints == (  # type: ignore[union-attr]
        Constraint("a", "==", "2*b - 1"),
        Constraint("a", "<", "3"),
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_quoted_or_refused(name: str) -> None:
    plain = read_lavaan(GROWTH + "i ~ x")
    paths = tuple(replace(p, right=name) if p.right == "x" else p for p in plain.paths)
    model = replace(plain, paths=paths, covariates=(name,))
    written = NOTATION.write(model)
    if written.losses:
        assert "the name" in written.losses[0].what
    else:
        assert same_sem(NOTATION.read(written.text), model)  # type: ignore[arg-type]
    labelled = tuple(replace(p, label=name) if p.free else p for p in plain.paths)
    assert NOTATION.write(replace(plain, paths=labelled)).losses


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
    model = read_lavaan(GROWTH + "i + s ~ x")
    long = NOTATION.script(model, ScriptContext("d.csv", "long", schema, (derived,)))
    assert "x = ifn(missing(sex), ., sex = 'm');" in long
    assert "if abs(t - (-1)) <= 1e-9 then y0 = y;" in long
    assert "proc calis data=growthmm_wide method=fiml;" in long
    assert same_sem(NOTATION.read(long), replace(model, missing="ml"))  # type: ignore[arg-type]
    wide = NOTATION.script(model, ScriptContext("d.csv", "wide", schema, (derived,)))
    assert "proc sort" not in wide
    assert "x = ifn(missing(sex), ., sex = 'm');" in wide


ERRORS = {
    "proc calis; run;": "PROC CALIS without a LINEQS or PATH statement (line 1, column 1)",
    "proc calis method=gls; path y <- x; run;": "METHOD=GLS is not supported (line 1, column 12)",
    "proc calis vardef=wdf; path y <- x; run;": "VARDEF= can be DF or N",
    "proc calis; path y x; run;": "An arrow is missing (line 1, column 21)",
    "proc calis; path y <=== ; run;": "The end stands where a variable should",
    "proc calis; path y <=== x z = 1; run;": "2 parameters and 1 value (line 1, column 20)",
    "proc calis; path y <=== x = 1 2, y <=== z; run;": "1 parameter and 2 values",
    "proc calis; lineqs y = b*x; run;": "The equation of y has no error term (line 1, column 20)",
    "proc calis; lineqs y = b*x - z + e; run;": "A minus sign before a variable",
    "proc calis; lineqs y = b* + e; run;": (
        "'+' stands where the variable of the coefficient should"
    ),
    "proc calis; lineqs y = 1*f + e1; cov e1 x = c; run;": (
        "A covariance of an error with x is not supported"
    ),
    "proc calis; path y <- x, y <- x; run;": "x -> y is written twice (line 1, column 26)",
    "proc calis; path y <- x; cov y; run;": "A covariance needs two variables",
    "proc calis; path y <- x; foo; run;": "PROC CALIS has no statement 'foo' that is known",
    "proc calis; path y <- x = b; bounds q > 0; run;": (
        "BOUNDS or LINCON names q, which is no parameter"
    ),
    "proc calis; path y <- x = b; bounds 0 = b; run;": "A bound is an inequality",
    "proc calis; path y <- x = b; lincon b; run;": "A constraint relates two sides",
    "proc calis; path y <- x = b; lincon b*b = 1; run;": (
        "A linear constraint adds multiples of parameters"
    ),
    "proc calis; path y <- x = 1e999; run;": "The number 1e999 is too large",
    "proc calis; path y <- y; run;": "y cannot explain itself (line 1, column 18)",
}
