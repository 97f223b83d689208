"""Latent change scores and regressions among factors as the growth curves that they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import growthmm as gm
from growthmm.errors import UnsupportedError
from growthmm.notation import notation
from growthmm.translation.reduction import reduced

TIMES = range(4)


def curve(*more: str, factors: tuple[str, ...] = ("i", "s")) -> str:
    """A latent growth curve over y0 ... y3 with equal residual variances."""
    power = {"i": 0, "s": 1, "q": 2}
    rows = [f"{f} =~ " + " + ".join(f"{t ** power[f]}*y{t}" for t in TIMES) for f in factors]
    rows += [f"y{t} ~~ v*y{t}" for t in TIMES]
    return "\n".join([*rows, *more])


def change_score(proportion: str = "") -> str:
    """A latent change score model; `proportion` of the level before acts on each change."""
    rows = [f"l{t} =~ 1*y{t}" for t in TIMES]
    rows += [f"l{t} ~ 1*l{t - 1}" for t in TIMES[1:]]
    rows += [f"d{t} =~ 1*l{t}" for t in TIMES[1:]]
    rows += [f"{name}{t} ~~ 0*{name}{t}" for t in TIMES[1:] for name in "ld"]
    rows += ["s =~ " + " + ".join(f"1*d{t}" for t in TIMES[1:])]
    rows += ["l0 ~~ l0", "s ~~ s", "l0 ~~ s", "l0 ~ 1", "s ~ 1"]
    rows += [f"{name}{t} ~ 0*1" for t in TIMES[1:] for name in "ld"]
    if proportion:
        rows += [f"d{t} ~ {proportion}*l{t - 1}" for t in TIMES[1:]]
    return "\n".join([*rows, *(f"y{t} ~ 0*1" for t in TIMES), *(f"y{t} ~~ v*y{t}" for t in TIMES)])


def plain(text: str, function: str = "growth"):
    return notation("lavaan").read(text, function=function)


def frame(n: int = 60, seed: int = 4):
    """Wide data with a quadratic trend and a covariate."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    level, slope, bend = rng.normal(size=(3, n)) * np.array([[1.0], [0.5], [0.2]])
    made = {
        f"y{t}": 2
        + level
        + 0.3 * x
        + (0.7 + slope + 0.4 * level) * t
        + (bend + 0.1) * t * t
        + rng.normal(size=n)
        for t in TIMES
    }
    return pd.DataFrame({"id": np.arange(n), "x": x} | made)


def test_constant_change_is_linear_growth() -> None:
    found = reduced(plain(change_score(), "lavaan")).model
    assert found.latent == ("l0", "s")
    loadings = {
        f: [float(row.value) if (row := found.path(f, "=~", f"y{t}")) else 0.0 for t in TIMES]
        for f in found.latent
    }
    assert loadings == {"l0": [1, 1, 1, 1], "s": [0, 1, 2, 3]}


def test_known_proportion_is_a_tabulated_curve() -> None:
    found = reduced(plain(change_score("0.5"), "lavaan")).model
    assert [found.path("l0", "=~", f"y{t}").value for t in TIMES] == [1, 1.5, 2.25, 3.375]
    assert [found.path("s", "=~", f"y{t}").value for t in TIMES[1:]] == [1, 2.5, 4.75]


def test_estimated_proportion_makes_loadings_parameters() -> None:
    with pytest.raises(UnsupportedError) as raised:
        gm.translate(change_score("b"), "lme4", data=frame(), id="id", function="lavaan")
    assert "d1~l0" in str(raised.value) or "b" in str(raised.value)


def test_curves_are_left_alone() -> None:
    model = plain(curve())
    assert reduced(model).model is model
    assert reduced(model).rules == ()


@pytest.mark.parametrize(
    ("rows", "formula"),
    [
        (("s ~ i",), "y ~ t + (1 + t | id)"),
        (("i ~ s",), "y ~ t + (1 + t | id)"),
        (("s ~ i + x", "i ~ x"), "y ~ t + x + t:x + (1 + t | id)"),
        (("s ~ i + x",), "y ~ t + t:x + (1 + t | id)"),
    ],
)
def test_regression_among_factors_is_a_covariance(rows: tuple[str, ...], formula: str) -> None:
    data = frame()
    made = gm.translate(curve(*rows), "lme4", data=data, id="id", time="t", outcome="y")
    assert made.text == formula
    assert gm.verify(curve(*rows), data, id="id", time="t", outcome="y").verdict == "identical"


def test_chain_of_regressions_is_an_unstructured_covariance() -> None:
    rows = ("s ~ i", "q ~ i + s")
    found = gm.verify(
        curve(*rows, factors=("i", "s", "q")), frame(300), id="id", time="t", outcome="y"
    )
    assert found.verdict in ("identical", "different_estimator")
    assert found.model_verdict == "identical_if"
    level = {level.name: level for level in found.levels}
    assert level["moments"].passed
    assert level["likelihood"].passed


@pytest.mark.parametrize(
    "rows",
    [
        # The intercept's covariate reaches the slope through the intercept alone.
        ("s ~ i", "i ~ x"),
        # Intercept and bend are joined by the slope alone.
        ("s ~ i", "q ~ s", "i ~~ 0*q"),
        # The slope's mean is the intercept's times the coefficient.
        ("s ~ i", "s ~ 0*1"),
    ],
)
def test_regression_that_restricts_the_moments_is_refused(rows: tuple[str, ...]) -> None:
    factors = ("i", "s", "q") if "q" in " ".join(rows) else ("i", "s")
    with pytest.raises(UnsupportedError) as raised:
        gm.translate(
            curve(*rows, factors=factors), "lme4", data=frame(), id="id", time="t", outcome="y"
        )
    (loss, *_) = raised.value.losses
    assert "restrict" in loss.why
    assert "nonlinear function" in loss.why


def test_map_says_how_the_coefficient_follows() -> None:
    data = frame()
    found = gm.verify(curve("s ~ i"), data, id="id", time="t", outcome="y")
    table = found.parameters.set_index("sem_name")
    assert table.loc["s~i", "mixed_name"] == "cov(s,i) / var(i)"
    G = found.mixed_fit.factor_cov.to_numpy()
    ours = table.loc["s~i", ["estimate_long", "estimate_wide"]].astype(float)
    np.testing.assert_allclose(ours, G[0, 1] / G[0, 0], rtol=1e-8)
    errors = table.loc["s~i", ["std_error_long", "std_error_wide"]].astype(float)
    np.testing.assert_allclose(errors.iloc[0], errors.iloc[1], rtol=1e-6)


def test_equal_models_keep_their_own_names() -> None:
    # Equal models may write a covariance either way round, and name its parameter so.
    first = plain(curve("s ~ i", "s ~~ 0*i", "s ~ 1"))
    turned = tuple(
        replace(path, left=path.right, right=path.left) if path.name == "s~~i" else path
        for path in first.paths
    )
    second = replace(first, paths=turned[::-1])
    assert first == second
    orders = [reduced(model).model.free_parameters for model in (first, second)]
    assert set(orders[0]) == set(orders[1])
    assert orders[0] != orders[1]
