"""Indicators of groups and residual variances by group and occasion, over all mixed notations."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import growthmm as gm
from growthmm.data.design.evaluation import evaluate
from growthmm.errors import SpecificationError
from growthmm.model.expression import canonical
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, ColumnPart
from growthmm.model.terms import Term

MIXED = ["lme4", "nlme", "statsmodels", "glmmtmb", "brms", "mixedmodels.jl", "sas", "spss", "stata"]

CROSSED = replace(
    gm.read("y ~ t + sex + (1 + t | id)"),
    residual=ResidualStructure("by_group", by="sex", crossed=True, time="t"),
)

BLOCK = gm.read('y ~ t + (0 + I(1 * (sex == "male")) | id)')


@pytest.mark.parametrize("notation", MIXED)
def test_residual_variances_by_group_and_occasion_are_said_or_refused(notation: str) -> None:
    written = gm.write(CROSSED, notation, on_loss="keep")
    if notation == "nlme":
        assert "weights = varIdent(form = ~ 1 | sex * t)" in written.text
        assert not written.losses
        assert gm.read(written.text).residual == CROSSED.residual
    elif notation == "sas":
        assert "type=un(1) group=sex_level" in written.text
        assert not written.losses
        assert gm.read(written.text, "sas").residual == CROSSED.residual
    elif notation == "brms":
        assert "sigma ~ 0 + factor(sex):factor(t)" in written.text
        assert not written.losses
    else:
        assert any("sex" in loss.what for loss in written.losses), written.losses


@pytest.mark.parametrize("notation", MIXED)
def test_an_indicator_among_random_effects_reads_back_or_is_refused(notation: str) -> None:
    written = gm.write(BLOCK, notation, on_loss="keep")
    if written.losses:
        assert any('sex == "male"' in loss.what for loss in written.losses)
    elif notation != "brms":
        again = gm.read(written.text, notation)
        assert again.random == BLOCK.random


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('I(1*(sex=="male"))', 'I(1*(sex == "male"))'),
        ("dummy(sex, 'male')", 'I(1*(sex == "male"))'),
        ('I(as.numeric("male" == sex))', 'I(1*(sex == "male"))'),
        ("I(1 * (yes != TRUE))", "I(1*(yes != True))"),
    ],
)
def test_indicators_have_one_spelling(text: str, expected: str) -> None:
    assert canonical(text) == expected
    assert canonical(expected, language="python") == expected


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ('I(1*(sex == "male"))', [1.0, 0.0, None]),
        ('I(1*(sex != "male"))', [0.0, 1.0, None]),
        ("I(1*(yes == True))", [1.0, 0.0, 1.0]),
        ('I(1*(n == "2"))', [0.0, 1.0, 0.0]),
    ],
)
def test_columns_are_compared_with_texts_and_truths(
    expression: str, values: list[float | None]
) -> None:
    frame = pd.DataFrame(
        {"sex": ["male", "female", None], "yes": [True, False, True], "n": [1, 2, 3]}
    )
    column = Column(Term((expression,)), (ColumnPart(expression),))
    found = pd.Series(evaluate((column,), frame)[:, 0])
    assert found.astype(object).where(found.notna(), None).tolist() == values


def test_the_structure_has_one_spelling() -> None:
    assert str(CROSSED.residual) == "by_group:sex:by_occasion"
    assert ResidualStructure.parse("by_group:sex:by_occasion") == CROSSED.residual
    with pytest.raises(SpecificationError, match="by occasion within groups"):
        ResidualStructure("common", crossed=True)
