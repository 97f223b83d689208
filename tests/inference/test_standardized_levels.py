"""Coefficients standardised by level against effectsize, and against the curve's std.all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import long_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.reading.pseudo import level_deviations
from growthmm.inference.result import FitResult

GPA, MISSING = "A_gpa_long.csv", "A08_gpa_missing_long.csv"
MODELS = {
    "slope": ("gpa ~ occasion * sexmale + (occasion | student)", GPA, "reml"),
    "tvc": ("gpa ~ occasion + sexmale + lib_hours + (1 | student)", GPA, "ml"),
    "missing": ("gpa ~ occasion * sexmale + (occasion | student)", MISSING, "reml"),
    "sleep": ("Reaction ~ Days + (Days | Subject)", "B_sleepstudy_long.csv", "reml"),
    "between": ("gpa ~ sexmale + (1 | student)", GPA, "ml"),
}


@cache
def fitted(name: str) -> FitResult:
    formula, file, estimator = MODELS[name]
    time = "Days" if name == "sleep" else "occasion"
    return gm.fit(formula, long_frame(file), estimator=estimator, time=time)


@pytest.mark.parametrize("name", MODELS)
def test_coefficients_are_effectsizes(name: str) -> None:
    table = gm.standardized(fitted(name), "pseudo").set_index("name")
    problem = fitted(name).data.problem
    # effectsize takes the outcome's deviations from a fit by REML, whatever the model's own.
    ours, theirs = (level_deviations(problem, e) for e in (fitted(name).estimator, "reml"))
    scale = {"within": ours[0] / theirs[0], "between": ours[1] / theirs[1]}
    for coefficient, value in kept("standardized")[name]["estimate"].items():
        row = table.loc[coefficient]
        same = scale["between" if row["level"] == "between" else "within"]
        assert row["estimate"] * same == pytest.approx(value, rel=2e-5, abs=1e-12)
    own = fitted(name).estimates.set_index("name").loc[table.index]
    np.testing.assert_allclose(table["statistic"], own["statistic"])
    slopes = table.index != "(Intercept)"
    ratio = (table["estimate"] / table["std_error"])[slopes]
    np.testing.assert_allclose(ratio, own["statistic"][slopes])


def test_levels_are_told() -> None:
    assert gm.standardized(fitted("tvc"), "pseudo")["level"].tolist() == [
        *("between", "within", "between", "both")
    ]
    assert gm.standardized(fitted("missing"), "pseudo")["level"].iloc[1] == "both"


def test_between_persons_it_is_the_curves_standardised_effect() -> None:
    # Balanced data and predictors of persons alone: the outcome's variance between persons is
    # what the curve implies for its factor. effectsize divides by n - 1, lavaan by n.
    row = gm.standardized(fitted("between"), "pseudo").set_index("name").loc["sexmale"]
    n = fitted("between").n_subjects
    curve = gm.fit("gpa ~ sexmale + (1 | student)", long_frame(GPA), engine="wide", time="occasion")
    table = gm.standardized(curve).set_index("name")
    effect = table[table.index.str.endswith("~sexmale") & (table["kind"] == "~")].iloc[0]
    assert row["estimate"] * np.sqrt((n - 1) / n) == pytest.approx(effect["estimate"], rel=1e-7)
    assert effect["estimate"] == pytest.approx(kept("standardized")["curve"], rel=1e-5)


def test_refusals() -> None:
    with pytest.raises(UnsupportedEngineError, match="mixed model's fixed effects"):
        gm.standardized(gm.fit(MODELS["slope"][0], long_frame(GPA), engine="wide"), "pseudo")
    data = gm.datasets.gpa().assign(school=lambda d: d["student"] % 20)
    fit = gm.fit("gpa ~ occasion + (1 | school/student)", data, time="occasion")
    with pytest.raises(UnsupportedEngineError, match="clusters"):
        gm.standardized(fit, "pseudo")
    rng = np.random.default_rng(3)
    flat = pd.DataFrame({"id": np.repeat(np.arange(30), 4), "t": np.tile(np.arange(4.0), 30)})
    flat["x"] = (flat["id"] % 2).astype(float)
    noise = rng.normal(size=(30, 4))
    flat["y"] = (noise - noise.mean(axis=1, keepdims=True)).ravel()
    with pytest.raises(SpecificationError, match="does not differ between"):
        gm.standardized(gm.fit("y ~ t + x + (1 | id)", flat, time="t"), "pseudo")


@pytest.mark.r("lme4", "effectsize", "lavaan", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("standardized"), live("standardized"), 1e-4) == []
