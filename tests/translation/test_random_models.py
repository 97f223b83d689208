"""What holds for every growth model: there and back, evidence, order and labels, recodings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from reference import long_frame as golden_long
from strategies import GrowthExample, growth_models, occasions
from two_sides import (
    assert_round_trip,
    assert_same_model,
    log_likelihoods,
    long_frame,
    mixed_pair,
    random_values,
)

import growthmm as gm
from growthmm.errors import NotIdentifiedError
from growthmm.translation.pair import Pair

EXAMPLES = settings(max_examples=50)


def _pair(example: GrowthExample, frame: pd.DataFrame | None = None) -> Pair:
    try:
        pair = mixed_pair(
            example.text,
            example.frame if frame is None else frame,
            residual=example.residual,
            time="t",
        )
        # A design of too low a rank is refused by whoever makes the arrays.
        log_likelihoods(pair, example.frame if frame is None else frame, random_values(pair.growth))
    except NotIdentifiedError:
        reject()
    return pair


@EXAMPLES
@given(growth_models())
def test_there_and_back_is_the_same_model(example: GrowthExample) -> None:
    _pair(example)
    assert_round_trip(example.text, example.frame, residual=example.residual, time="t")


@EXAMPLES
@given(growth_models(), st.integers(0, 1000), st.sampled_from(("ml", "reml")))
def test_moments_and_likelihoods_agree(example: GrowthExample, seed: int, estimator: str) -> None:
    pair = _pair(example)
    assert_same_model(pair, example.frame, seed=seed)
    values = random_values(pair.growth, seed)
    found = log_likelihoods(pair, example.frame, values, estimator)
    assert max(found) - min(found) <= 1e-8 * max(1.0, abs(found[2])), found


@EXAMPLES
@given(growth_models(), st.randoms(use_true_random=False))
def test_order_of_rows_and_labels_of_persons_do_not_matter(
    example: GrowthExample, random: np.random.Generator
) -> None:
    pair = _pair(example)
    persons = sorted(example.frame["id"].unique())
    labels = [f"p{k}" for k in range(len(persons))]
    random.shuffle(labels)  # type: ignore[arg-type]
    rows = list(range(len(example.frame)))
    random.shuffle(rows)  # type: ignore[arg-type]
    other = example.frame.iloc[rows]
    other = other.assign(id=other["id"].map(dict(zip(persons, labels, strict=True))))
    again = _pair(example, other)
    assert again.sem.model.free_parameters == pair.sem.model.free_parameters
    values = random_values(pair.growth)
    first = log_likelihoods(pair, example.frame, values)
    second = log_likelihoods(again, other, values)
    # Constants of poly() and scale() are sums over rows, in whatever order.
    assert np.allclose(first, second, rtol=1e-9, atol=1e-9)


def _recoded(frame: pd.DataFrame, origin: float, unit: float) -> pd.DataFrame:
    return frame.assign(t=(frame["t"] - origin) / unit)


def _matrices(pair: Pair, values: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Factor means and covariance, in the order of the factors."""
    names = [factor.name for factor in pair.growth.factors]
    cov = np.zeros((len(names), len(names)))
    for a, first in enumerate(names):
        for b, second in enumerate(names):
            key = f"cov:{first}:{second}"
            cov[a, b] = values.get(key, values.get(f"cov:{second}:{first}", 0.0))
    return np.array([values.get(f"mean:{name}", 0.0) for name in names]), cov


def _turned(pair: Pair, values: dict[str, float], A: np.ndarray) -> dict[str, float]:
    """Values of the recoded model: alpha' = A alpha, Psi' = A Psi A', effects as the means."""
    names = [factor.name for factor in pair.growth.factors]
    means, cov = _matrices(pair, values)
    turned, cov = A @ means, A @ cov @ A.T
    made = dict(values)
    for a, first in enumerate(names):
        made[f"mean:{first}"] = float(turned[a])
        for b, second in enumerate(names):
            if f"cov:{first}:{second}" in made:
                made[f"cov:{first}:{second}"] = float(cov[a, b])
    for covariate in {effect.covariate for effect in pair.growth.predictor_effects}:
        effects = A @ np.array([values[f"effect:{name}:{covariate}"] for name in names])
        made |= {f"effect:{n}:{covariate}": float(v) for n, v in zip(names, effects, strict=True)}
    return made


def _recoding(degree: int, origin: float, unit: float) -> np.ndarray:
    """A with (1, t, t^2) = (1, t', t'^2) A, where t = origin + unit t'."""
    full = np.array([[1.0, origin, origin**2], [0.0, unit, 2 * origin * unit], [0.0, 0.0, unit**2]])
    return full[: degree + 1, : degree + 1]


CLOSED = {
    "y ~ t + (t | id)": 1,
    "y ~ t*x + (t | id)": 1,
    "y ~ t*sex + w + (t | id)": 1,
    "y ~ t + I(t^2) + (t + I(t^2) | id)": 2,
    "y ~ t + I(t^2) + x + t:x + I(t^2):x + (t + I(t^2) | id)": 2,
}
"""Models whose fixed and random spans are closed under a shift, with their degrees."""


@EXAMPLES
@given(
    st.sampled_from(sorted(CLOSED)),
    occasions(),
    st.floats(-3, 3),
    st.sampled_from((0.1, 0.5, 2.0, 10.0)),
    st.integers(0, 1000),
)
def test_a_recoding_of_time_is_a_reparametrisation(
    text: str, times: tuple[float, ...], origin: float, unit: float, seed: int
) -> None:
    degree = CLOSED[text]
    if len(times) <= degree + 1:
        reject()
    frame = long_frame(times, seed=seed, missing=0.1)
    recoded = _recoded(frame, origin, unit)
    before, after = mixed_pair(text, frame, time="t"), mixed_pair(text, recoded, time="t")
    A = _recoding(degree, origin, unit)
    values = random_values(before.growth, seed)
    turned = _turned(before, values, A)
    ml = log_likelihoods(before, frame, values)
    assert np.allclose(ml, log_likelihoods(after, recoded, turned), rtol=1e-7)
    reml = log_likelihoods(before, frame, values, "reml")
    moved = log_likelihoods(after, recoded, turned, "reml")
    copies = 1 + len({effect.covariate for effect in before.growth.predictor_effects})
    shift = copies * np.log(abs(np.linalg.det(A)))
    assert np.allclose(np.array(moved) - np.array(reml), shift, rtol=1e-6, atol=1e-6)


@settings(max_examples=10)
@given(st.floats(-2, 2), st.sampled_from((0.5, 2.0, 10.0)), st.integers(0, 1000))
def test_estimates_follow_a_recoding_of_time(origin: float, unit: float, seed: int) -> None:
    text = "y ~ t*x + (t | id)"
    frame = long_frame((0, 1, 2, 3), n_persons=60, seed=seed)
    recoded = _recoded(frame, origin, unit)
    pair = mixed_pair(text, frame, time="t")
    A = _recoding(1, origin, unit)
    for estimator, shift in (("ml", 0.0), ("reml", 2 * np.log(unit))):
        a = gm.fit(gm.read(text, "lme4"), frame, estimator=estimator)
        b = gm.fit(gm.read(text, "lme4"), recoded, estimator=estimator)
        assert b.log_likelihood - a.log_likelihood == pytest.approx(shift, abs=1e-6)
        values = {key: _estimates(a)[name] for key, name in pair.mixed_names}
        expected = _turned(pair, values, A)
        found = {key: _estimates(b)[name] for key, name in pair.mixed_names}
        for key, value in expected.items():
            assert found[key] == pytest.approx(value, rel=1e-4, abs=1e-4), key


def _estimates(fit: gm.FitResult) -> dict[str, float]:  # type: ignore[name-defined]
    table = fit.estimates
    return dict(zip(table["name"], table["estimate"], strict=True))


def test_a_shift_under_uncorrelated_effects_is_another_model() -> None:
    """Condition 18: A07, whose log-likelihood a shift moves from -123.4874 to -153.4105."""
    frame = golden_long("A_gpa_long.csv")
    text = gm.read("gpa ~ occasion + (occasion || student)", "lme4")
    before = gm.fit(text, frame, estimator="ml").log_likelihood
    shifted = frame.assign(occasion=frame["occasion"] - 3)
    after = gm.fit(text, shifted, estimator="ml").log_likelihood
    assert before == pytest.approx(-123.4874, abs=5e-5)
    scaled = frame.assign(occasion=frame["occasion"] / 10)
    assert gm.fit(text, scaled, estimator="ml").log_likelihood == pytest.approx(before, abs=1e-6)
    assert after == pytest.approx(-153.4105, abs=5e-5)


def test_time_divided_by_ten_moves_reml_by_its_logarithm() -> None:
    frame = golden_long("A_gpa_long.csv")
    text = gm.read("gpa ~ occasion + (occasion | student)", "lme4")
    before = gm.fit(text, frame, estimator="reml").log_likelihood
    scaled = frame.assign(occasion=frame["occasion"] / 10)
    after = gm.fit(text, scaled, estimator="reml").log_likelihood
    assert after - before == pytest.approx(2.302585, abs=1e-6)
