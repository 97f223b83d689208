"""Stata's ``mixed``: commands as people write them, round trips, losses, errors, names."""

from __future__ import annotations

import pytest
from program_models import formula

from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.terms import Term
from growthmm.notation import recognise
from growthmm.notation.base import ScriptContext
from growthmm.notation.command_languages.facts import settled
from growthmm.notation.stata.names import string
from growthmm.notation.stata.notation import NOTATION

VARIANTS = {
    "worked example": (
        "mixed y c.t##c.x || id: t, covariance(unstructured) residuals(independent, by(occ)) mle",
        ("y ~ t*x + (1 + t | id)", "by_occasion", "ml"),
    ),
    "defaults: ML and independent effects": (
        "mixed y t x || id: t",
        ("y ~ t + x + (t || id)", "common", "ml"),
    ),
    "abbreviations": (
        "mixed y t || id: t, cov(un) res(ind) reml nolog",
        ("y ~ t + (t | id)", "common", "reml"),
    ),
    "factor variables": (
        "mixed y i.sex##c.t ib2.arm || id:",
        ("y ~ factor(sex)*t + C(arm, Treatment(2)) + (1 | id)", "common", "ml"),
    ),
    "a bare name in a product is categorical": (
        "mixed y sex#c.t || id:",
        ("y ~ factor(sex):t + (1 | id)", "common", "ml"),
    ),
    "brackets": (
        "mixed y i.sex##c.(t x) || id:",
        ("y ~ factor(sex) + t + x + factor(sex):t + factor(sex):x + (1 | id)", "common", "ml"),
    ),
    "powers": (
        "mixed y c.t##c.t##c.t || id: t",
        ("y ~ t + I(t^2) + I(t^3) + (t || id)", "common", "ml"),
    ),
    "all levels": (
        "mixed y ibn.occ, noconstant || id:",
        ("y ~ 0 + factor(occ) + (1 | id)", "common", "ml"),
    ),
    "comments, continuations, prefixes, other commands": (
        "* mixed z u || id:\nuse l.dta, clear // data\n/* a\nmodel */\n"
        "quietly mixed y t ///  outcome and time\n   || id: t, /* both */ cov(uns)\nestat ic",
        ("y ~ t + (t | id)", "common", "ml"),
    ),
    "semicolons": (
        "#delimit ;\nmixed y t\n || id: t ,\n reml ;\n#delimit cr\nestimates store a",
        ("y ~ t + (t || id)", "common", "reml"),
    ),
    "nested levels": (
        "mixed y t || school: || id: t, cov(uns)",
        ("y ~ t + (1 | school) + (t | school:id)", "common", "ml"),
    ),
    "the same level twice": (
        "mixed y t || id: || id: t, nocons",
        ("y ~ t + (1 | id) + (0 + t | id)", "common", "ml"),
    ),
    "effects of levels, crossed": (
        "mixed y t || _all: R.item || id:",
        ("y ~ t + (1 | item) + (1 | id)", "common", "ml"),
    ),
    "effects of levels, nested": (
        "mixed y t || id: R.occ",
        ("y ~ t + (1 | id:occ)", "common", "ml"),
    ),
    "generated columns": (
        "generate double c = (age - 8)/2\ngen lx = ln(x)\nmixed y c.c##c.c lx || id: c, cov(uns)",
        (
            "y ~ I((age - 8)/2) + I(((age - 8)/2)^2) + log(x) + (I((age - 8)/2) | id)",
            "common",
            "ml",
        ),
    ),
    "marginal model": (
        "mixed y i.week##i.trt || id:, noconstant residuals(unstructured, t(week)) reml",
        ("y ~ factor(week)*factor(trt)", "unstructured", "reml"),
    ),
}

RESIDUALS = {
    "independent": "common",
    "independent, by(wave)": "by_occasion",
    "independent, by(t)": "by_occasion",
    "independent, by(sex)": "by_group:sex",
    "ar 1, t(wave) by(sex)": "by_group:sex:ar1",
    "exchangeable, by(sex)": "by_group:sex:cs",
    "banded 2, t(wave) by(sex)": "by_group:sex:banded:2",
    "unstructured, t(wave) by(sex)": "by_group:sex:unstructured",
    "ar 1, t(wave)": "ar1",
    "ar, t(wave)": "ar1",
    "exponential, t(t)": "ar1",
    "exchangeable": "cs",
    "toeplitz, t(wave)": "toeplitz",
    "unstructured, t(wave)": "unstructured",
    "banded 2, t(wave)": "banded:2",
    "banded, t(wave)": "unstructured",
}


@pytest.mark.parametrize("name", VARIANTS)
def test_commands_as_people_write_them(name: str) -> None:
    text, (wanted, residual, estimator) = VARIANTS[name]
    read = NOTATION.read(text)
    assert isinstance(read, MixedModel)
    assert settled(read) == settled(formula(wanted, residual, estimator))
    assert recognise(text) == "stata"


@pytest.mark.parametrize("option", RESIDUALS)
def test_residual_structures(option: str) -> None:
    read = NOTATION.read(f"mixed y t || id: t, residuals({option})")
    assert isinstance(read, MixedModel)
    assert read.residual == ResidualStructure.parse(RESIDUALS[option])


def test_defaults_are_rows_with_their_rules() -> None:
    read = NOTATION.read("mixed y t || id: t")
    assert {row.what: row.value for row in read.defaults} == {
        "intercept": "included",
        "covariance of random effects of id": "independent effects",
        "estimator": "ML",
        "residuals": "independent, one variance",
        "missing values": "rows dropped",
    }
    assert all(row.rule.startswith("Stata mixed: ") for row in read.defaults)
    told = NOTATION.read("mixed y t, nocons || id: t, cov(ind) reml residuals(ind)")
    assert {row.what for row in told.defaults} == {"missing values"}


GOLDEN = {
    "y ~ factor(sex)*t + (t || school/id)": (
        "mixed y i.sex t i.sex#c.t || school: t, covariance(independent)"
        " || id: t, covariance(independent) reml"
    ),
    "y ~ 0 + factor(t) + factor(sex)": "mixed y ibn.t i.sex, noconstant reml",
    "y ~ C(arm, Treatment(3)) + I(t^2)": "mixed y ib3.arm c.t#c.t, reml",
    "y ~ t + (1 | a:b)": "mixed y t || a:, noconstant || b:, reml",
    "y ~ t + factor(t)": "mixed y t i.t, reml",
}


@pytest.mark.parametrize("text", GOLDEN)
def test_golden_texts(text: str) -> None:
    written = NOTATION.write(formula(text))
    assert written.losses == ()
    assert written.text == GOLDEN[text]


LOSSES = {
    ("y ~ t + (0 + factor(sex) | id)", "common"): "C(sex) | id",
    ("y ~ t + (1 | a) + (1 | b)", "common"): "random effects of b beside a",
    ('y ~ relevel(arm, ref = "b")', "common"): "'b' as reference of arm",
    ("y ~ t", "ar1"): "the column of persons of residuals ar1",
    ("y ~ `two words`", "common"): "the name 'two words'",
    ("y ~ double", "common"): "the name 'double'",
    ("y ~ log2(t)", "common"): "log2(t)",
}


@pytest.mark.parametrize(("text", "residual"), LOSSES)
def test_what_cannot_be_said_is_a_loss(text: str, residual: str) -> None:
    written = NOTATION.write(formula(text, residual))
    assert written.losses[0].what == LOSSES[text, residual]
    assert all(loss.why and loss.nearest for loss in written.losses)


def test_names_that_differ_in_case_are_two_names() -> None:
    assert NOTATION.write(formula("y ~ X + x")).losses == ()


def test_long_names_are_shortened_and_come_back() -> None:
    long = "minutes_of_exercise_in_the_week_before_the_visit"
    model = formula(f"y ~ {long} + {long}_2 + (1 | id)")
    written = NOTATION.write(model)
    assert written.losses == ()
    assert f"* growthmm name: {long[:32]} = {long}\n" in written.text
    assert f"* growthmm name: {long[:31]}1 = {long}_2\n" in written.text
    assert NOTATION.read(written.text).fixed == model.fixed  # type: ignore[union-attr]


def test_hostile_paths_are_strings() -> None:
    assert string("it's `c(pwd)' $HOME \"'.csv") == "`\"it's \\`c(pwd)' \\$HOME \" '.csv\"'"
    script = NOTATION.script(formula("y ~ t"), ScriptContext("a\n! id\n.csv"))
    assert 'import delimited using `"a ! id .csv"\', clear' in script


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
    assert "rename y_b growthmm_0_2\n" in wide
    assert "reshape long growthmm_0_, i(id) j(growthmm_occasion)" in wide
    assert "replace t = 1.5 if growthmm_occasion == 2" in wide
    assert 'replace sex_coded = 2 if sex == `"f"\'' in wide
    assert "mixed y t i.sex_coded c.t#i.sex_coded || id: t, covariance(unstructured)" in wide
    again = NOTATION.read(wide)
    assert isinstance(again, MixedModel)
    assert again.residual.kind == "by_occasion"


def test_coefficient_names() -> None:
    sex = ColumnPart("C(sex)", 0, "2", "contrast")
    time = ColumnPart("I(t**2)")
    column = Column(Term(("C(sex)", "I(t**2)")), (sex, time))
    assert NOTATION.coefficient(column) == "2.sex#c.t#c.t"
    assert NOTATION.coefficient(Column(Term())) == "_cons"


ERRORS = {
    "": "The text has no mixed and no sem command (line 1, column 1)",
    "regress y t": "The text has no mixed and no sem command",
    "bysort g: mixed y t || id:": "The prefix bysort is not supported",
    "mixed": "The end stands where the outcome should",
    "mixed y t || id t": "'t' stands where : should (line 1, column 17)",
    "mixed y t || id: t, cov(foo)": "covariance(foo) is not supported (line 1, column 25)",
    "mixed y t || id: t, foo": "The option foo is not supported (line 1, column 21)",
    "mixed y t* || id:": "Abbreviated variable lists are not read",
    "mixed y ib(last).sex || id:": "The base can be a level or first",
    "mixed y ibn.sex || id:": "ibn. beside a constant is redundant",
    "mixed y i.sex, nocons || id:": "A factor variable without its base and without a constant",
    "mixed y t || id:, residuals(ar 1)": "residuals(ar) needs t(time)",
    "mixed y R.t || id:": "R. is only for random effects",
    "replace t = t - 1\nmixed y t || id:": "replace changes t in place (line 2, column 9)",
    "mixed y t || id:\nmixed y t || id: t": "The text has a second command with a model",
    "mixed y c.(t || id:": "A bracket is not closed (line 1, column 11)",
    "mixed y c.t## || id:": "'||' stands where a variable should",
}
