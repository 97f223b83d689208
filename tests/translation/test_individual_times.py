"""Formulas at individually varying times, there and back."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.errors import UnboundError, UnsupportedError
from growthmm.model.schema import Schema, Variable
from growthmm.model.sem import Path

FORMULAS = [
    "y ~ t + (1 + t | id)",
    "y ~ t + I(t^2) + w + t:w + (1 + t | id)",
    "y ~ t + x + (1 + t + x | id)",
    "y ~ t + x + t:x + (1 + t:x | id)",
    "y ~ t + sex + t:sex + (1 | id)",
    "y ~ poly(t, 2) + (1 | id)",
    "y ~ log(t + 1) + (1 + log(t + 1) | id)",
    "y ~ pmax(t - 2, 0) + t + w:x + (1 + t | id)",
    "y ~ scale(x) + t + (1 | id) + (0 + scale(x) | id)",
]


@cache
def data() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    n = rng.integers(2, 6, 60)
    frame = pd.DataFrame({"id": np.repeat(np.arange(60), n)})
    frame["t"] = rng.uniform(0, 5, len(frame)).round(4)
    frame["x"] = rng.normal(size=len(frame))
    frame["w"] = frame.id % 2
    frame["sex"] = np.where(frame.id % 3 == 0, "m", "f")
    own = rng.normal(size=(60, 3)) * (1.0, 0.5, 0.5)
    frame["y"] = 2 + frame.t + (own[frame.id] * np.c_[np.ones(len(frame)), frame.t, frame.x]).sum(1)
    frame["y"] += rng.normal(size=len(frame))
    return frame


@pytest.mark.parametrize("to", ["openmx", "mplus"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_there_and_back_is_the_same_formula(formula: str, to: str) -> None:
    made = gm.translate(formula, to, data=data(), time="t")
    assert gm.translate(formula, to, id="id", schema=made.schema).text == made.text
    back = gm.translate(made.text, "lme4", notation=to, schema=made.schema)
    assert set(gm.read(back.text).fixed) == set(gm.read(formula).fixed)
    assert set(gm.read(back.text).random) == set(gm.read(formula).random)


@pytest.mark.parametrize("formula", FORMULAS[:2] + FORMULAS[4:6])
def test_both_engines_give_one_likelihood(formula: str) -> None:
    first, second = (
        gm.fit(formula, data(), time="t", engine=engine, bounds="none")
        for engine in ("long", "wide")
    )
    assert first.log_likelihood == pytest.approx(second.log_likelihood, abs=1e-6)


def test_a_schema_by_hand_is_enough() -> None:
    schema = Schema(
        "id",
        "t",
        "y",
        variables=(Variable("w", "person_level"),),
        outcome_columns=("y_1", "y_2", "y_3"),
        shared_times=False,
    )
    made = gm.translate("y ~ t * w + (1 + t | id)", "openmx", schema=schema)
    assert '"data.t_1", "data.t_2", "data.t_3"' in made.text
    with pytest.raises(UnboundError, match="one for each visit"):
        gm.translate(
            "y ~ t + (1 | id)", "openmx", schema=Schema("id", "t", "y", shared_times=False)
        )


def test_which_columns_are_time_is_asked_where_it_cannot_be_told() -> None:
    text = gm.translate("y ~ t + x + (1 + t + x | id)", "openmx", data=data(), time="t").text
    with pytest.raises(UnboundError, match="any of them may be time"):
        gm.translate(text, "lme4")
    assert gm.translate(text, "lme4", time="t").text.strip() == "y ~ t + x + (1 + t + x | person)"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("y_1 = mean", "free intercepts"),
        ("residuals", "residual variances"),
        ("numbers", "loadings 1, 2"),
    ],
)
def test_what_depends_on_the_visit_is_refused(change: str, word: str) -> None:
    model = gm.translate("y ~ t + (1 + t | id)", "openmx", data=data()).model
    assert hasattr(model, "paths")

    def changed(path: Path) -> Path:
        if change == "y_1 = mean" and (path.op, path.left) == ("~1", "y_1"):
            return replace(path, free=True, value=None)
        if change == "residuals" and path.label:
            return replace(path, label=None)
        if change == "numbers" and (path.left, path.op, path.right) == ("i", "=~", "y_2"):
            return replace(path, value=2.0)
        return path

    paths = [changed(path) for path in model.paths]
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(replace(model, paths=tuple(paths)), "lme4", time="t")
    assert any(word in loss.what for loss in caught.value.losses)


def test_a_random_slope_before_a_function_of_time() -> None:
    formula = "gpa ~ lib_hours + I(occasion^2) + (1 + lib_hours + I(occasion^2) || student)"
    found = gm.verify(formula, gm.datasets.gpa(), time="occasion", engines=["long"])
    assert all(level.passed for level in found.levels[:3]), found.levels


@pytest.mark.parametrize("residual", ["by_occasion", "by_group:w", "cs", "unstructured"])
def test_residuals_that_need_occasions_or_groups_are_refused(residual: str) -> None:
    with pytest.raises(UnsupportedError, match="residual structure"):
        gm.translate("y ~ t + (1 | id)", "openmx", data=data(), residual=residual)


def test_residuals_tied_by_visit_are_refused_on_the_way_back() -> None:
    model = gm.translate("y ~ t + (1 + t | id)", "openmx", data=data()).model
    assert hasattr(model, "paths")
    tied = replace(model, paths=(*model.paths, Path("y_1", "~~", "y_2")))
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(tied, "lme4", time="t")
    assert any("residual covariances" in loss.what for loss in caught.value.losses)
