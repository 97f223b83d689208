"""Programs that write both families: SAS and Stata keep a model's own unless asked."""

from __future__ import annotations

from functools import cache

import pytest

import growthmm as gm
from growthmm.errors import SpecificationError
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.notation.base import families

FORMULA = "gpa ~ occasion * sex + (1 + occasion | student)"

TEXTS = {
    "sas": (
        "proc mixed data=gpa method=ml; class student sex(ref=first);\n"
        "model gpa = occasion|sex / s; random int occasion / sub=student type=un; run;"
    ),
    "spss": (
        "MIXED gpa BY sex WITH occasion /FIXED=occasion sex occasion*sex /METHOD=ML\n"
        "/RANDOM=INTERCEPT occasion | SUBJECT(student) COVTYPE(UN)."
    ),
    "stata": "mixed gpa c.occasion##sex || student: occasion, cov(un)",
}


@cache
def _log_likelihood() -> float:
    return float(gm.fit(FORMULA, gm.datasets.gpa(), id="student", time="occasion").log_likelihood)


def test_families() -> None:
    assert families(notation("sas")) == families(notation("stata")) == ("mixed", "sem")
    assert families(notation("spss")) == ("mixed",)
    assert families(notation("lavaan")) == ("sem",)


@pytest.mark.parametrize("program", TEXTS)
def test_the_same_fit_as_the_formula(program: str) -> None:
    fit = gm.fit(TEXTS[program], gm.datasets.gpa(), id="student", time="occasion")
    assert fit.log_likelihood == pytest.approx(_log_likelihood(), abs=1e-8)


@pytest.mark.parametrize("program", ["sas", "stata"])
def test_one_program_in_its_other_family(program: str) -> None:
    data = gm.datasets.gpa()
    made = gm.translate(TEXTS[program], f"{program}:sem", data=data)
    assert isinstance(made.model, SemModel)
    fit = gm.fit(made.text, data, id="student", time="occasion")
    assert fit.log_likelihood == pytest.approx(_log_likelihood(), abs=1e-8)
    assert len(made.parameters) > 0


@pytest.mark.parametrize("program", ["sas", "stata"])
def test_a_model_keeps_its_family_unless_asked(program: str) -> None:
    sem = "i =~ 1*y_0 + 1*y_1 + 1*y_2\ns =~ 0*y_0 + 1*y_1 + 2*y_2\n"
    sem += "y_0 ~~ v*y_0\ny_1 ~~ v*y_1\ny_2 ~~ v*y_2"
    assert isinstance(gm.translate(sem, program).model, SemModel)
    assert isinstance(gm.translate("y ~ t + (t | id)", program).model, MixedModel)
    crossed = gm.translate(sem, f"{program}:mixed", id="id", time="t", outcome="y")
    assert isinstance(crossed.model, MixedModel)
    back = gm.translate(crossed.text, "lme4").text
    assert back.replace("lmer(", "").startswith("y ~ t + (1 + t | id)")


def test_a_family_that_a_program_lacks() -> None:
    with pytest.raises(SpecificationError, match="SPSS writes no models of the family 'sem'"):
        gm.translate("y ~ t + (t | id)", "spss:sem")
    with pytest.raises(SpecificationError, match="SPSS writes mixed models"):
        gm.write(gm.read("f =~ 1*y0 + 1*y1"), "spss")
