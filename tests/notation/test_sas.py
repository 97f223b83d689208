"""PROC MIXED: programs as people write them, round trips, losses, errors, hostile names."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_models import HOSTILE, formula, formulas

from growthmm.model.expression import quote
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation import notation, recognise
from growthmm.notation.base import ScriptContext
from growthmm.notation.command_languages.facts import settled
from growthmm.notation.sas.notation import NOTATION

VARIANTS = {
    "worked example": (
        "proc mixed data=l method=ml covtest;\n  class id occ; model y = t x t*x / solution;\n"
        "  random intercept t / subject=id type=un g; repeated occ / subject=id type=un(1) r; run;",
        ("y ~ t*x + (1 + t | id)", "by_occasion", "ml"),
    ),
    "defaults: REML and independent effects": (
        "PROC MIXED; CLASS ID; MODEL Y = T / S DDFM=KR; RANDOM INT T / SUB=ID; RUN;",
        ("Y ~ T + (T || ID)", "common", "reml"),
    ),
    "bars": (
        "proc mixed; model y = t|x / s; random int / sub=id; run;",
        ("y ~ t*x + (1 | id)", "common", "reml"),
    ),
    "bars up to a degree": (
        "proc mixed; model y = t|x|z@2 / s; run;",
        ("y ~ (t + x + z)^2", "common", "reml"),
    ),
    "powers": (
        "proc mixed noclprint; model y = t t*t t*t*t / s; random int t t*t / sub=id type=un; run;",
        ("y ~ t + I(t^2) + I(t^3) + (t + I(t^2) | id)", "common", "reml"),
    ),
    "categorical": (
        "proc mixed; class sex(ref=first) arm(ref='placebo'); model y = t sex*t arm / noint;",
        ('y ~ 0 + t + factor(sex):t + relevel(arm, ref = "placebo")', "common", "reml"),
    ),
    "comments everywhere": (
        "* a model; /* of; growth */ %let x = 1;\nproc mixed /* here */ data=work.d(where=(a>1)); "
        "*model z = t;\n model y = /* ; */ t; random int / subject=id; run; proc print; run;",
        ("y ~ t + (1 | id)", "common", "reml"),
    ),
    "nested groups": (
        "proc mixed; class school child; model y = t / s; random int / subject=school;"
        " random int t / subject=child(school) type=un; run;",
        ("y ~ t + (1 | school) + (t | school:child)", "common", "reml"),
    ),
    "a categorical effect with one variance is a group": (
        "proc mixed; class id occ; model y = t; random int occ / subject=id; run;",
        ("y ~ t + (1 | id) + (1 | id:occ)", "common", "reml"),
    ),
    "crossed, without subject": (
        "proc mixed; class a b; model y = ; random a b; run;",
        ("y ~ 1 + (1 | a) + (1 | b)", "common", "reml"),
    ),
    "marginal model": (
        "proc mixed; class id week(ref=first) trt(ref=first); model y = week|trt / s;"
        " repeated week / subject=id type=un; run;",
        ("y ~ factor(week)*factor(trt)", "unstructured", "reml"),
    ),
    "a data step of assignments": (
        "data l2; set l; c = (age - 8)/2; lx = log(x); run;\n"
        "proc mixed data=l2; model y = c lx c*c; random int c / sub=id type=un; run;",
        (
            "y ~ I((age - 8)/2) + log(x) + I(((age - 8)/2)^2) + (1 + I((age - 8)/2) | id)",
            "common",
            "reml",
        ),
    ),
    "a data step of other statements is passed over": (
        "data l; set w; array ys y0-y3; do t = 0 to 3; y = ys{t+1}; output; end; run;\n"
        "proc sort data=l; by id t; run; proc mixed; model y = t; random int / sub=id; run;",
        ("y ~ t + (1 | id)", "common", "reml"),
    ),
    "quoted names": (
        "proc mixed; class 'person id'n; model 'the y'n = t; random int / sub='person id'n; run;",
        ("`the y` ~ t + (1 | `person id`)", "common", "reml"),
    ),
    "lists of names": (
        "proc mixed; model y = x1-x3; random int / sub=id type=un; run;",
        ("y ~ x1 + x2 + x3 + (1 | id)", "common", "reml"),
    ),
    "Cholesky roots": (
        "proc mixed; model y = t; random int t / sub=id type=fa0(2); run;",
        ("y ~ t + (t | id)", "common", "reml"),
    ),
}

RESIDUALS = {
    "": "common",
    "type=vc": "common",
    "type=ar(1)": "ar1",
    "type=sp(pow)(t)": "ar1",
    "type=ar(1) local": "ar1+common",
    "type=ARH(1)": "arh1",
    "type=cs": "cs",
    "type=csh": "csh",
    "type=toep": "toeplitz",
    "type=un": "unstructured",
    "type=un(1)": "by_occasion",
    "type=un(3)": "banded:2",
    "group=occ": "by_occasion",
    "group=sex": "by_group:sex",
    "type=ar(1) group=sex": "by_group:sex:ar1",
    "type=un(2) group=sex": "by_group:sex:banded:1",
    "type=cs group=sex": "by_group:sex:cs",
    "type=un(1) group=sex": "by_group:sex:by_occasion",
}


def _like(model: MixedModel) -> tuple[object, ...]:
    return settled(model)


@pytest.mark.parametrize("name", VARIANTS)
def test_programs_as_people_write_them(name: str) -> None:
    text, (wanted, residual, estimator) = VARIANTS[name]
    read = NOTATION.read(text)
    assert isinstance(read, MixedModel)
    assert _like(read) == _like(formula(wanted, residual, estimator))
    assert recognise(text) == "sas"


@pytest.mark.parametrize("option", RESIDUALS)
def test_residual_structures(option: str) -> None:
    text = f"proc mixed; class id occ sex; model y = t; repeated occ / sub=id {option}; run;"
    read = NOTATION.read(text)
    assert isinstance(read, MixedModel)
    assert read.residual == ResidualStructure.parse(RESIDUALS[option])
    assert read.residual.person == "id"


def test_defaults_are_rows_with_their_rules() -> None:
    read = NOTATION.read(
        "proc mixed; class id sex; model y = t sex; random int t / subject=id; run;"
    )
    assert {row.what: row.value for row in read.defaults} == {
        "estimator": "REML",
        "bounds": "variances not negative",
        "reference level of sex": "the last",
        "intercept": "included",
        "covariance of RANDOM, subject id": "independent effects",
        "residuals": "independent, one variance",
        "degrees of freedom": "containment or between-within",
        "missing values": "rows dropped",
    }
    assert all(row.rule.startswith("PROC MIXED: ") for row in read.defaults)
    told = NOTATION.read("proc mixed nobound method=reml; model y=t/noint ddfm=bw; run;")
    assert ("bounds", "unbounded") in {(row.what, row.value) for row in told.defaults}
    assert not {"estimator", "intercept", "degrees of freedom"} & {r.what for r in told.defaults}


def test_persons_and_occasions_have_no_reference_level() -> None:
    text = (
        "proc mixed; class id visit sex arm(ref='a') site; model y = t arm sex*t; "
        "random int t / subject=id type=un; repeated visit / subject=id type=ar(1); run;"
    )
    references = [d.what for d in NOTATION.read(text).defaults if "reference" in d.what]
    assert references == ["reference level of sex"]


GOLDEN = {
    "y ~ 0 + factor(t) + (1 | school/id)": [
        "class t(ref=first) school id;",
        "model y = t / solution noint;",
        "random intercept / subject=school type=un;",
        "random intercept / subject=id(school) type=un;",
    ],
    'y ~ t + I(t^2) + relevel(arm, ref = "it\'s")': [
        "class arm(ref='it''s');",
        "model y = t t*t arm / solution;",
    ],
    "y ~ t + factor(t)": ["class t_level(ref=first);", "model y = t t_level / solution;"],
    "y ~ `two words` + (0 + factor(t) | id)": [
        "class t id;",
        "model y = 'two words'n / solution;",
        "random t / subject=id type=un;",
    ],
}


@pytest.mark.parametrize("text", GOLDEN)
def test_golden_texts(text: str) -> None:
    written = NOTATION.write(formula(text))
    assert written.losses == ()
    lines = [line.strip() for line in written.text.split("\n")]
    wanted = GOLDEN[text]
    if "0 + factor(t) | id" in text:
        wanted = ["class t(ref=first) id;", *wanted[1:]]
    assert lines[lines.index("proc mixed method=reml;") + 1 : -1] == wanted


@given(formulas(), st.sampled_from(["stata", "spss", "lme4"]))
def test_there_and_back_by_another_notation(text: str, name: str) -> None:
    model = NOTATION.read(NOTATION.write(formula(text)).text)
    written = notation(name).write(model)
    assert written.losses == ()
    back = notation(name).read(written.text)
    assert isinstance(model, MixedModel)
    assert isinstance(back, MixedModel)
    assert _like(back) == _like(model)


LOSSES = {
    ("y ~ t + (1 + factor(sex) | id)", "common"): "an intercept beside C(sex) | id",
    ("y ~ ns(t, df = 3)", "common"): "ns(t, df=3)",
    ("y ~ C(sex, contr.sum)", "common"): "C(sex, Sum)",
    ("y ~ t", "ar1"): "the column of persons of residuals ar1",
    ("y ~ X + x", "common"): "the name 'x'",
    ("y ~ intercept", "common"): "the name 'intercept'",
}


@pytest.mark.parametrize(("text", "residual"), LOSSES)
def test_what_cannot_be_said_is_a_loss(text: str, residual: str) -> None:
    written = NOTATION.write(formula(text, residual))
    assert written.losses[0].what == LOSSES[text, residual]
    assert all(loss.why and loss.nearest for loss in written.losses)


def test_long_names_are_shortened_and_come_back() -> None:
    long = "minutes_of_exercise_in_the_week_before_the_visit"
    model = formula(f"y ~ {long} + {long}_2 + (1 | id)")
    written = NOTATION.write(model)
    assert written.losses == ()
    assert f"growthmm name: {long[:32]} = {long} */" in written.text
    longest = max(len(w) for w in re.findall(r"\w+", written.text.split("*/")[-1]))
    assert longest <= 32
    assert NOTATION.read(written.text).fixed == model.fixed  # type: ignore[union-attr]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_quoted_or_refused(name: str) -> None:
    term = Term((quote(name),))
    model = replace(formula("y ~ t + (1 | id)"), fixed=(INTERCEPT, term))
    written = NOTATION.write(model)
    if written.losses:
        assert "the name" in written.losses[0].what
        return
    assert _like(NOTATION.read(written.text)) == _like(model)  # type: ignore[arg-type]
    bare = re.sub(r"'(?:[^'\n]|'')*'n?", "", written.text)
    assert bare.count(";") == 5
    assert "%" not in bare
    assert "&" not in bare


@pytest.mark.parametrize("path", ["it's.csv", "a'; x 'rm -rf .'; *.csv", "&sysuserid %x.csv"])
def test_hostile_paths_are_strings(path: str) -> None:
    script = NOTATION.script(formula("y ~ t + (1 | id)"), ScriptContext(path))
    bare = re.sub(r"'(?:[^'\n]|'')*'", "''", script)
    assert "datafile='' out=" in bare
    assert not set("&%") & set(bare)


def test_scripts_import_reshape_fit_and_print() -> None:
    schema = Schema(
        "id",
        "t",
        "y",
        (0.0, 1.5),
        (Variable("sex", "person_level", ("m", "f")),),
        outcome_columns=("y_a", "y_b"),
    )
    model = formula("y ~ t*sex + (t | id)", "by_occasion", "ml")
    wide = NOTATION.script(model, ScriptContext("d.csv", "wide", schema))
    assert "proc import datafile='d.csv'" in wide
    assert "  t = 1.5; y = y_b; output;" in wide
    assert "class sex(ref='m') id t_level;" in wide
    assert "proc mixed data=growthmm_model covtest method=ml;" in wide
    assert "ods output FitStatistics=growthmm_fit" in wide
    again = NOTATION.read(wide)
    assert isinstance(again, MixedModel)
    assert again.residual.kind == "by_occasion"


def test_coefficient_names() -> None:
    def column(*parts: ColumnPart) -> Column:
        return Column(Term(tuple(p.expression for p in parts)), parts)

    sex = ColumnPart("C(sex)", 0, "male", "contrast")
    assert NOTATION.coefficient(column()) == "Intercept"
    assert NOTATION.coefficient(column(ColumnPart("I(t**2)"), ColumnPart("x"))) == "t*t*x"
    assert NOTATION.coefficient(column(ColumnPart("t"), sex)) == "t*sex male"


ERRORS = {
    "": "The text has no PROC MIXED and no PROC CALIS (line 1, column 1)",
    "proc mixed; model y = t": "The last statement has no semicolon (line 1, column 24)",
    "proc mixed; run;": "PROC MIXED without a MODEL statement (line 1, column 1)",
    "proc mixed; model y t; run;": "'t' stands where = should (line 1, column 21)",
    "proc mixed; model = t; run;": "'=' stands where the outcome should (line 1, column 19)",
    "proc mixed; model y = t +x; run;": "'+' is no effect (line 1, column 25)",
    "proc mixed; model y = t / foo; run;": "MODEL has no option 'foo' that is known",
    "proc mixed methd=ml; model y=t; run;": "PROC MIXED has no option 'methd' that is known",
    "proc mixed method=mivque0; model y=t; run;": "METHOD=MIVQUE0 is not supported",
    "proc mixed; modle y=t; run;": "PROC MIXED has no statement 'modle'",
    "proc mixed; model y=t; model z=t; run;": "A second MODEL statement",
    "proc mixed; model y=t; random int t / type=un; run;": "RANDOM: TYPE= needs SUBJECT=",
    "proc mixed; model y=t; random int t / sub=id type=csh; run;": (
        "RANDOM: TYPE=CSH is not supported"
    ),
    "proc mixed; model y=t; random t; run;": "RANDOM: a numeric effect needs SUBJECT=",
    "proc mixed; model y=t; random / sub=id; run;": "RANDOM without effects",
    "proc mixed; class o; model y=t; random int o/sub=id type=un; run;": (
        "RANDOM: an intercept beside all levels of a CLASS variable is redundant"
    ),
    "proc mixed; model y=t; repeated o / sub=id type=un; run;": (
        "The REPEATED effect o is not in CLASS (line 1, column 33)"
    ),
    "proc mixed; class o; model y=t; repeated o/sub=id type=toep(2); run;": (
        "REPEATED: TYPE=TOEP(2) is not supported (line 1, column 51)"
    ),
    "proc mixed; model y=t; repeated / sub=id type=ar(1) local group=g; run;": (
        "REPEATED: GROUP= is not supported with LOCAL"
    ),
    "proc mixed; model y=t; repeated / sub=id type=cs local; run;": (
        "REPEATED: LOCAL is only supported with AR(1)"
    ),
    "proc mixed; model y = &t; run;": "Macros and macro variables are not read (line 1, column 23)",
    "data d; set d; t = t - 1; run; proc mixed; model y = t; run;": (
        "A data step changes t in place (line 1, column 54)"
    ),
    "proc mixed; model y=t; run; proc mixed; model y=t; run;": (
        "The text has a second procedure with a model (line 1, column 29)"
    ),
    "proc mixed; class a(foo=1); model y=t; run;": "The CLASS option foo is not supported",
    "proc mixed; model y = x1-z3; run;": "x1-z3 is no numbered range",
    "proc mixed; model y = t(; run;": "A bracket is not closed (line 1, column 24)",
    "proc mixed method=; model y=t; run;": "A value is missing behind =",
}
