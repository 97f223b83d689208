"""Condition 27: with fewer persons than occasions the likelihood is fine, the chi-square is not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import growthmm as gm

FORMULA = "y ~ t + (1 + t | id)"


def study(n: int, n_times: int) -> pd.DataFrame:
    rng = np.random.default_rng(27)
    times = np.arange(float(n_times))
    factors = rng.multivariate_normal([2.0, 0.5], [[1.0, 0.1], [0.1, 0.3]], size=n)
    y = factors[:, :1] + factors[:, 1:] * times + 0.7 * rng.normal(size=(n, n_times))
    return pd.DataFrame(
        {"id": np.repeat(np.arange(n), n_times), "t": np.tile(times, n), "y": y.ravel()}
    )


def test_both_forms_are_fitted_and_identical() -> None:
    found = gm.verify(FORMULA, study(8, 12))
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert found.sem_fit.log_likelihood == pytest.approx(found.mixed_fit.log_likelihood, abs=1e-6)


def test_the_chi_square_has_no_saturated_model() -> None:
    few = gm.verify(FORMULA, study(8, 12)).sem_fit.fit_measures
    enough = gm.verify(FORMULA, study(60, 4)).sem_fit.fit_measures
    assert math.isfinite(enough["chi_square"])
    assert few.get("chi_square") is None or math.isnan(few["chi_square"])


def test_the_message_says_what_is_fine_and_what_is_not() -> None:
    found = gm.verify(FORMULA, study(8, 12))
    assert found.reason.startswith("one model written twice")
    shown = " ".join(found.sem_fit.summary().split())
    assert "with 8 persons and 12 outcomes the unrestricted covariance matrix is singular" in shown
    assert "the likelihood of the growth curve is fine" in shown
