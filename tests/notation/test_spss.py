"""SPSS MIXED: commands as people write them, round trips, losses, errors, hostile names."""

from __future__ import annotations

import pytest
from program_models import formula

from growthmm.errors import SpecificationError
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.terms import Term
from growthmm.notation import recognise
from growthmm.notation.base import ScriptContext
from growthmm.notation.command_languages.facts import settled
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.spss.notation import NOTATION

VARIANTS = {
    "worked example": (
        "MIXED y WITH t x\n  /FIXED = t x t*x /METHOD = ML /PRINT = SOLUTION G R\n"
        "  /RANDOM = INTERCEPT t | SUBJECT(id) COVTYPE(UN)\n"
        "  /REPEATED = occ | SUBJECT(id) COVTYPE(DIAG).",
        ("y ~ t*x + (1 + t | id)", "by_occasion", "ml"),
    ),
    "defaults: REML and independent effects": (
        "mixed y with t /fixed=t /random=intercept t | subject(id).",
        ("y ~ t + (t || id)", "common", "reml"),
    ),
    "as the dialogue pastes it": (
        "MIXED gpa BY sex WITH occasion\n"
        "  /CRITERIA=DFMETHOD(SATTERTHWAITE) CIN(95) MXITER(100) MXSTEP(10) SCORING(1) \n"
        "    SINGULAR(0.000000000001) HCONVERGE(0, ABSOLUTE) LCONVERGE(0, ABSOLUTE)\n"
        "  /FIXED=occasion sex occasion*sex | SSTYPE(3)\n  /METHOD=REML\n"
        "  /PRINT=SOLUTION TESTCOV\n"
        "  /RANDOM=INTERCEPT occasion | SUBJECT(student) COVTYPE(UN).",
        ("gpa ~ occasion*factor(sex) + (occasion | student)", "common", "reml"),
    ),
    "abbreviations": (
        "MIXED y WITH t /FIX t /MET ML /RAN INTERCEPT | SUBJECT(id) /PRI SOLUTION.",
        ("y ~ t + (1 | id)", "common", "ml"),
    ),
    "no intercept": (
        "MIXED y BY arm WITH t /FIXED=arm arm*t | NOINT SSTYPE(1).",
        ("y ~ 0 + factor(arm) + factor(arm):t", "common", "reml"),
    ),
    "intercept only": (
        "MIXED y /RANDOM=INTERCEPT | SUBJECT(id) COVTYPE(ID).",
        ("y ~ 1 + (1 | id)", "common", "reml"),
    ),
    "powers": (
        "MIXED y WITH t /FIXED=t t*t /RANDOM=INTERCEPT t t*t | SUBJECT(id) COVTYPE(UN).",
        ("y ~ t + I(t^2) + (t + I(t^2) | id)", "common", "reml"),
    ),
    "computed columns": (
        "* Age in decades.\nCOMPUTE dec = (age - 40)/10.\nEXECUTE.\n"
        "MIXED y WITH dec /FIXED=dec dec*dec /RANDOM=INTERCEPT dec | SUBJECT(id) COVTYPE(UN).",
        (
            "y ~ I((age - 40)/10) + I(((age - 40)/10)^2) + (I((age - 40)/10) | id)",
            "common",
            "reml",
        ),
    ),
    "comments and other commands": (
        "* MIXED z\n  WITH u.\nCOMMENT a model.\nGET FILE='l.sav'.\nSORT CASES BY id.\n\n"
        "MIXED y WITH t /* the slope */\n /FIXED=t  /* both\n /RANDOM=INTERCEPT | SUBJECT(id).\n"
        "EXECUTE.",
        ("y ~ t + (1 | id)", "common", "reml"),
    ),
    "nested groups": (
        "MIXED y WITH t /FIXED=t /RANDOM=INTERCEPT | SUBJECT(school) COVTYPE(VC)"
        " /RANDOM=INTERCEPT t | SUBJECT(school*id) COVTYPE(UN).",
        ("y ~ t + (1 | school) + (t | school:id)", "common", "reml"),
    ),
    "a factor with one variance is a group": (
        "MIXED y BY occ /FIXED= /RANDOM=occ | SUBJECT(id) COVTYPE(VC).",
        ("y ~ 1 + (1 | id:occ)", "common", "reml"),
    ),
    "marginal model without its last period": (
        "MIXED y BY week trt\n /FIXED=week trt week*trt\n /REPEATED=week | SUBJECT(id) COVTYPE(UN)",
        ("y ~ factor(week)*factor(trt)", "unstructured", "reml"),
    ),
    "upper and lower case are the same": (
        "Mixed Y With T /Fixed=t /Random=Intercept T | Subject(ID) CovType(Diag).",
        ("Y ~ T + (T || ID)", "common", "reml"),
    ),
}

RESIDUALS = {
    "": "by_occasion",
    "COVTYPE(ID)": "common",
    "COVTYPE(DIAG)": "by_occasion",
    "COVTYPE(AR1)": "ar1",
    "covtype(arh1)": "arh1",
    "COVTYPE(CS)": "cs",
    "COVTYPE(CSR)": "cs",
    "COVTYPE(CSH)": "csh",
    "COVTYPE(TP)": "toeplitz",
    "COVTYPE(UN)": "unstructured",
    "COVTYPE(UNR)": "unstructured",
}


@pytest.mark.parametrize("name", VARIANTS)
def test_commands_as_people_write_them(name: str) -> None:
    text, (wanted, residual, estimator) = VARIANTS[name]
    read = NOTATION.read(text)
    assert settled(read) == settled(formula(wanted, residual, estimator))
    assert recognise(text) == "spss"


@pytest.mark.parametrize("option", RESIDUALS)
def test_residual_structures(option: str) -> None:
    read = NOTATION.read(f"MIXED y WITH t /FIXED=t /REPEATED=occ | SUBJECT(id) {option}.")
    assert read.residual == ResidualStructure.parse(RESIDUALS[option])
    assert (read.residual.time, read.residual.person) == ("occ", "id")


def test_defaults_are_rows_with_their_rules() -> None:
    read = NOTATION.read("MIXED y BY sex WITH t /FIXED=t sex /RANDOM=INTERCEPT t | SUBJECT(id).")
    assert {row.what: row.value for row in read.defaults} == {
        "reference level of sex": "the last",
        "intercept": "included",
        "covariance of RANDOM, subject id": "independent effects",
        "estimator": "REML",
        "residuals": "independent, one variance",
        "degrees of freedom": "Satterthwaite",
        "missing values": "rows dropped",
    }
    assert all(row.rule.startswith("SPSS MIXED: ") for row in read.defaults)
    persons = NOTATION.read("MIXED y BY id WITH t /FIXED=t /RANDOM=INTERCEPT t | SUBJECT(id).")
    assert not [row.what for row in persons.defaults if row.what.startswith("reference")]
    bare = NOTATION.read("MIXED y /REPEATED=occ | SUBJECT(id) /METHOD=REML.")
    rules = {row.what: row.rule for row in bare.defaults}
    assert rules["residuals"] == "SPSS MIXED: REPEATED: COVTYPE(DIAG) unless told"
    assert "estimator" not in rules


GOLDEN = {
    "y ~ factor(arm) + t + (t || school/id)": [
        "MIXED y BY arm WITH t",
        "/FIXED = arm t | SSTYPE(3)",
        "/RANDOM = INTERCEPT t | SUBJECT(school) COVTYPE(DIAG)",
        "/RANDOM = INTERCEPT t | SUBJECT(school*id) COVTYPE(DIAG)",
    ],
    "y ~ 0 + factor(t) + I(x^2)": ["MIXED y BY t WITH x", "/FIXED = t x*x | NOINT SSTYPE(3)"],
    "y ~ t + factor(t)": ["MIXED y BY t_level WITH t", "/FIXED = t t_level | SSTYPE(3)"],
}


@pytest.mark.parametrize("text", GOLDEN)
def test_golden_texts(text: str) -> None:
    written = NOTATION.write(formula(text))
    assert written.losses == ()
    body = written.text[written.text.index("MIXED") :].split("\n")
    lines = [line.strip() for line in body]
    assert lines[-1] == "/PRINT = SOLUTION G R TESTCOV."
    assert [line for line in lines[:-1] if line != "/METHOD = REML"] == GOLDEN[text]


LOSSES = {
    ("y ~ t + (1 + factor(sex) | id)", "common"): "an intercept beside C(sex) | id",
    ('y ~ relevel(arm, ref = "b")', "common"): 'C(arm, Treatment("b"))',
    ("y ~ tan(t)", "common"): "tan(t)",
    ("y ~ t", "un"): "the column of persons of residuals unstructured",
    ("y ~ `two words`", "common"): "the name 'two words'",
    ("y ~ with", "common"): "the name 'with'",
    ("y ~ größe", "common"): "the name 'größe'",
}


@pytest.mark.parametrize(("text", "residual"), LOSSES)
def test_what_cannot_be_said_is_a_loss(text: str, residual: str) -> None:
    structure = {"un": "unstructured"}.get(residual, residual)
    written = NOTATION.write(formula(text, structure))
    assert written.losses[0].what == LOSSES[text, residual]
    assert all(loss.why and loss.nearest for loss in written.losses)


def test_long_names_are_shortened_and_come_back() -> None:
    long = "minutes_of_exercise_" * 4 + "week"
    model = formula(f"y ~ {long} + (1 | id)")
    written = NOTATION.write(model)
    assert written.losses == ()
    assert f"growthmm name: {long[:64].rstrip('_')}" in written.text
    assert NOTATION.read(written.text).fixed == model.fixed


@pytest.mark.parametrize(
    "path", ["it's.csv", 'a"; END PROGRAM.\nHOST COMMAND=["id"].csv', "a\\b.csv"]
)
def test_hostile_paths_are_strings(path: str) -> None:
    script = NOTATION.script(formula("y ~ t + (1 | id)"), ScriptContext(path))
    line = next(line for line in script.split("\n") if line.startswith("path = "))
    namespace: dict[str, str] = {}
    exec(line, namespace)
    assert namespace["path"] == path
    assert script.count("END PROGRAM.\n") == 1


def test_scripts_import_reshape_fit_and_print() -> None:
    schema = Schema(
        "id",
        "t",
        "y",
        (0.0, 1.5),
        (Variable("sex", "person_level", ("m", "f")),),
        outcome_columns=("y_a", "y_b"),
        varying_columns=(("z", ("z_a", "z_b")),),
    )
    model = formula("y ~ t*sex + z + (t | id)", "by_occasion", "ml")
    wide = NOTATION.script(model, ScriptContext("d.csv", "wide", schema))
    assert "GET DATA /TYPE=TXT" in wide
    assert "  /MAKE y FROM y_a y_b\n  /MAKE z FROM z_a z_b" in wide
    assert "RECODE growthmm_index (1 = 0) (2 = 1.5) INTO t." in wide
    assert "MIXED y BY sex WITH t z" in wide
    code = wide.partition("PYTHON3.\n")[2].partition("END PROGRAM.")[0]
    compile(code, "script", "exec")
    assert NOTATION.read(wide).residual.kind == "by_occasion"
    with pytest.raises(SpecificationError):
        NOTATION.script(read_lavaan("f =~ y0 + y1"), ScriptContext())


def test_coefficient_names() -> None:
    sex = ColumnPart("C(sex)", 0, "male", "contrast")
    time = ColumnPart("I(t**2)")
    column = Column(Term(("C(sex)", "I(t**2)")), (sex, time))
    assert NOTATION.coefficient(column) == "[sex=male] * t * t"
    assert NOTATION.coefficient(Column(Term())) == "Intercept"


ERRORS = {
    "": "The text has no MIXED command (line 1, column 1)",
    "REGRESSION /DEPENDENT y.": "The text has no MIXED command (line 1, column 1)",
    "MIXED .": "The end stands where the outcome should",
    "MIXED y WITH t /FIXED=t u.": "u stands neither in BY nor in WITH (line 1, column 25)",
    "MIXED y WITH t /FIXED=t | FOO.": "FIXED has no option FOO (line 1, column 27)",
    "MIXED y WITH t /FIXD=t.": "'FIXD' is no subcommand of MIXED (line 1, column 17)",
    "MIXED y WITH t /FI=t.": "'FI' is no subcommand of MIXED",
    "MIXED y WITH t /FIXED=t /FIXED=t.": "A second subcommand FIXED (line 1, column 26)",
    "MIXED y WITH t /RANDOM=t.": "RANDOM: a numeric effect needs SUBJECT",
    "MIXED y WITH t /RANDOM=INTERCEPT t | COVTYPE(UN).": "RANDOM: COVTYPE needs SUBJECT",
    "MIXED y WITH t /RANDOM= | SUBJECT(id).": "RANDOM without effects",
    "MIXED y BY o /RANDOM=INTERCEPT o | SUBJECT(id) COVTYPE(UN).": (
        "RANDOM: an intercept beside all levels of a factor is redundant"
    ),
    "MIXED y WITH t /REPEATED=t.": "REPEATED needs SUBJECT (line 1, column 26)",
    "MIXED y WITH t /REPEATED=t | SUBJECT(id) COVTYPE(TPH).": (
        "REPEATED: COVTYPE(TPH) is not supported"
    ),
    "MIXED y WITH t /REPEATED=t | SUBJECT(id COVTYPE(UN).": "A bracket is not closed",
    "MIXED y WITH t /FIXED=t t|x.": "FIXED has no option x (line 1, column 27)",
    "COMPUTE t = t - 1.\nMIXED y WITH t /FIXED=t.": (
        "COMPUTE changes t in place (line 2, column 23)"
    ),
    "MIXED y.\nMIXED z.": "The text has a second MIXED command (line 2, column 1)",
}
