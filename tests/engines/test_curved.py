"""The long engine with parameters in the loadings: derivatives, missing rows, varying times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.engines import long as engine
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.equivalence.referee import referee_log_likelihood
from growthmm.errors import NotIdentifiedError, UnsupportedEngineError

EXPONENTIAL = (
    "nlme(y ~ b0 + b1 * (1 - exp(-g * t)), fixed = list(b0 + b1 ~ x, g ~ 1), "
    "random = b0 + b1 ~ 1 | id)"
)
GOMPERTZ = (
    "nlme(y ~ b0 + b1 * exp(-exp(-g * (t - c))), fixed = b0 + b1 + g + c ~ 1, "
    "random = b0 + b1 ~ 1 | id, start = c(8, 6, 0.8, 1))"
)
JENSS_BAYLEY = (
    "nlme(y ~ b0 + b1 * t + b2 * exp(g * t), fixed = b0 + b1 + b2 + g ~ 1, "
    "random = b0 + b1 ~ 1 | id, start = c(15, 0.1, -6, -0.5))"
)


@cache
def frame(varying: bool = False, gompertz: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n, t = 120, np.arange(5.0)
    times = np.tile(t, (n, 1)) + (rng.uniform(-0.4, 0.4, size=(n, 5)) if varying else 0.0)
    x = rng.normal(size=n)
    low = 10 + 0.5 * x + rng.normal(size=n)
    rise = 6 - 0.4 * x + rng.normal(size=n)
    shape = np.exp(-np.exp(-1.2 * (times - 1.5))) if gompertz else 1 - np.exp(-0.5 * times)
    y = low[:, None] + rise[:, None] * shape + 0.6 * rng.normal(size=(n, 5))
    made = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n), 5),
            "t": times.ravel(),
            "x": np.repeat(x, 5),
            "y": y.ravel(),
        }
    )
    made.loc[rng.random(len(made)) < 0.15, "y"] = np.nan
    return made


CASES = [
    (EXPONENTIAL, "common", False),
    (EXPONENTIAL, "by_occasion", False),
    (EXPONENTIAL, "ar1", False),
    (EXPONENTIAL, "common", True),
    (GOMPERTZ, "common", False),
    (JENSS_BAYLEY, "common", True),
]


@pytest.mark.parametrize(("model", "residual", "varying"), CASES)
def test_derivatives_are_those_of_the_referee(model: str, residual: str, varying: bool) -> None:
    fit = gm.fit(model, frame(varying, model is GOMPERTZ), residual=residual)
    assert fit.convergence.converged
    assert fit.convergence.max_score < 1e-6
    problem, values = fit.data.problem, fit.fit.estimates
    rng = np.random.default_rng(0)
    point = values + 0.3 * fit.fit.standard_errors * rng.normal(size=len(values))
    if residual != "ar1":
        # The referee knows no autoregression.
        expected = referee_log_likelihood(problem, point)
        assert engine.log_likelihood(problem, point) == pytest.approx(expected, rel=1e-11)
    steps = 1e-5 * np.maximum(np.abs(point), 0.1)
    moves = np.diag(steps)

    def difference(function):
        up = [function(problem, point + move) for move in moves]
        down = [function(problem, point - move) for move in moves]
        return np.array([(a - b) / (2 * h) for a, b, h in zip(up, down, steps, strict=True)])

    score = engine.score(problem, point)
    size = np.sqrt(np.diag(engine.information(problem, point)))
    assert np.abs((difference(engine.log_likelihood) - score) / size).max() < 1e-5
    hessian = -engine.information(problem, point, "observed")
    gap = (difference(engine.score) - hessian) / np.outer(size, size)
    assert np.abs(gap).max() < 1e-6


def test_expected_information_is_the_mean_of_the_observed_one() -> None:
    fit = gm.fit(EXPONENTIAL, frame().dropna())
    problem, values = fit.data.problem, fit.fit.estimates
    linear, point = engine.at_values(problem, values)
    p = linear.fixed.shape[1]
    expected = engine.information(problem, values)
    # Given the rate, the model is linear, and so is its information.
    keep = [k for k in range(len(values)) if k != p]
    there = engine.information(linear, point)
    np.testing.assert_allclose(expected[np.ix_(keep, keep)], there, rtol=1e-8, atol=1e-8)


def test_at_fixed_loadings_it_is_the_linear_model() -> None:
    fit = gm.fit(EXPONENTIAL, frame())
    rate = float(fit.estimates.set_index("name").loc["g", "estimate"])
    known = f"I(1 - exp(-{rate!r} * t))"
    linear = gm.fit(f"y ~ x + {known} + x:{known} + (1 + {known} | id)", frame())
    assert linear.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)
    assert linear.n_parameters == fit.n_parameters - 1
    np.testing.assert_allclose(fit.random_effects, linear.random_effects, atol=1e-6)
    np.testing.assert_allclose(fit.predict(), linear.predict(), atol=1e-6)


def test_reml_and_sandwich_are_refused() -> None:
    with pytest.raises(UnsupportedEngineError, match="no restricted likelihood"):
        gm.fit(EXPONENTIAL, frame(), estimator="reml")
    with pytest.raises(UnsupportedEngineError, match="tie means and covariances"):
        gm.fit(EXPONENTIAL, frame(), robust="cr0")
    with pytest.raises(UnsupportedEngineError, match="fits linear mixed models"):
        gm.fit(EXPONENTIAL, frame(), engine="statsmodels")
    with pytest.raises(UnsupportedEngineError, match="fixed or shared covariance"):
        gm.fit(EXPONENTIAL, frame(), fixed={"var((Intercept)|id)": 1.0})


def test_a_basis_without_scale_is_not_identified() -> None:
    free = " + ".join(f"l{k} * (t == {k})" for k in range(5))
    names = " + ".join(f"l{k}" for k in range(5))
    text = f"nlme(y ~ b0 + b1 * ({free}), fixed = b0 + b1 + {names} ~ 1, random = b0 + b1 ~ 1 | id)"
    with pytest.raises(NotIdentifiedError, match="cannot be told apart"):
        gm.fit(text, frame())


LIVE = """
library(lme4)
d <- read.csv(commandArgs(TRUE)[1])
profile <- function(g) {
  d$B <- 1 - exp(-g * d$t)
  as.numeric(logLik(lmer(y ~ x * B + (1 + B | id), d, REML = FALSE, control = lmerControl(
    optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12)))))
}
found <- optimize(profile, c(0.1, 2), maximum = TRUE, tol = 1e-9)
cat(format(found$objective, digits = 15), format(found$maximum, digits = 15))
"""

NLME = """
library(nlme)
d <- na.omit(read.csv(commandArgs(TRUE)[1]))
f <- nlme(y ~ b0 + b1 * (1 - exp(-g * t)), d, fixed = list(b0 + b1 ~ x, g ~ 1),
  random = b0 + b1 ~ 1 | id, start = c(10, 0.5, 6, -0.4, 0.5), method = "ML",
  control = nlmeControl(maxIter = 500, tolerance = 1e-7, pnlsTol = 1e-4))
G <- as.matrix(f$modelStruct$reStruct$id) * f$sigma^2
cat(format(c(logLik(f), fixef(f), G[1, 1], G[1, 2], G[2, 2], f$sigma^2), digits = 15))
"""


def tied(pattern: tuple[tuple[str | float, ...], ...]) -> LongProblem:
    """A curve beside effects of single times, whose covariance matrix has a pattern."""
    plain = gm.fit(EXPONENTIAL, frame()).data.problem
    times = np.array([plain.loadings.at == k for k in range(3)], dtype=float).T  # type: ignore[union-attr]
    block = RandomEffects(("u0", "u1", "u2"), (2, 3, 4), pattern=pattern)
    return replace(
        plain,
        random=np.column_stack([plain.random[:], times]),
        blocks=(*plain.blocks, block),
        loadings=replace(plain.loadings, random=(*plain.loadings.random, -1, 0, -1)),  # type: ignore[union-attr, arg-type]
    )


SHARED = (("v", 0.0, 0.0), (0.0, "v", 0.0), (0.0, 0.0, "w"))


def test_independent_effects_may_share_a_variance() -> None:
    problem = tied(SHARED)
    apart = replace(
        problem,
        blocks=(*problem.blocks[:-1], RandomEffects(("u0", "u1", "u2"), (2, 3, 4), diagonal=True)),
    )
    names = engine.parameter_names(problem)
    assert names[-3:-1] == ("v", "w")
    assert engine.parameter_kinds(problem)[-3:] == ("variance", "variance", "residual")
    rng = np.random.default_rng(2)
    fit = engine.fit(problem)
    assert fit.convergence.converged
    values = fit.estimates + 0.3 * np.nan_to_num(fit.standard_errors, nan=0.1) * rng.normal(
        size=len(names)
    )
    values[-3:] = 0.2, 0.3, 0.4
    every = np.insert(values, len(values) - 2, values[-3])
    assert engine.log_likelihood(problem, values) == engine.log_likelihood(apart, every)
    dense = referee_log_likelihood(problem, values)
    assert engine.log_likelihood(problem, values) == pytest.approx(dense, rel=1e-11)
    score = engine.score(problem, values)
    slopes = -engine.information(problem, values, kind="observed")
    for k in range(len(values)):
        step = np.zeros(len(values))
        step[k] = 1e-5 * max(1.0, abs(values[k]))
        ahead, back = values + step, values - step
        rise = engine.log_likelihood(problem, ahead) - engine.log_likelihood(problem, back)
        assert score[k] == pytest.approx(rise / (2 * step[k]), rel=1e-5, abs=1e-4)
        turn = (engine.score(problem, ahead) - engine.score(problem, back)) / (2 * step[k])
        assert slopes[k] == pytest.approx(turn, rel=1e-5, abs=1e-3)


def test_a_shared_variance_is_fitted_to_its_maximum() -> None:
    problem = tied(SHARED)
    own = engine.fit(problem, bounds="none")
    assert own.convergence.converged
    assert np.abs(engine.score(problem, own.estimates)).max() < 1e-4
    again = engine.fit(problem, bounds="none", start=own.estimates * 1.05)
    assert again.log_likelihood == pytest.approx(own.log_likelihood, abs=1e-8)


@pytest.mark.parametrize(
    "problem",
    [
        lambda: tied((("v", "c", "c"), ("c", "v", "c"), ("c", "c", "v"))),
        lambda: tied(((0.5, 0.0, 0.0), (0.0, "v", 0.0), (0.0, 0.0, "v"))),
        lambda: replace(tied(SHARED), fixed_parameters=(("v", 0.1),)),
    ],
)
def test_other_restrictions_are_refused(problem: Callable[[], LongProblem]) -> None:
    with pytest.raises(UnsupportedEngineError, match="variances of independent effects"):
        engine.fit(problem())


@pytest.mark.r("lme4")
def test_the_profile_of_lmer_is_the_maximum(tmp_path) -> None:
    value, rate = _ran(LIVE, tmp_path)
    fit = gm.fit(EXPONENTIAL, frame())
    row = fit.estimates.set_index("name").loc["g"]
    assert fit.log_likelihood == pytest.approx(value, abs=1e-6)
    assert abs(row["estimate"] - rate) / row["std_error"] < 1e-3


@pytest.mark.r("nlme")
def test_nlme_has_the_likelihood_and_stops_below_its_maximum(tmp_path) -> None:
    value, *found = _ran(NLME, tmp_path)
    fit = gm.fit(EXPONENTIAL, frame())
    # Its fixed effects come coefficient by coefficient: b0, b0.x, b1, b1.x, g.
    b0, b0x, b1, b1x, *rest = found
    loading = "I(1 - exp(-g * t))"
    assert fit.fit.names[:5] == ("(Intercept)", "x", loading, f"{loading}:x", "g")
    point = np.array([b0, b0x, b1, b1x, *rest])
    # Its own value is that of its last linearisation, where it stops moving by 1e-7 relative.
    there = engine.log_likelihood(fit.data.problem, point)
    assert there == pytest.approx(value, abs=1e-5)
    assert value < fit.log_likelihood - 1e-3


def _ran(script: str, folder) -> list[float]:
    import subprocess

    path, data = folder / "script.R", folder / "data.csv"
    path.write_text(script, encoding="utf-8")
    frame().to_csv(data, index=False)
    done = subprocess.run(
        ["Rscript", str(path), str(data)], capture_output=True, text=True, check=True, timeout=120
    )
    return [float(value) for value in done.stdout.split()]
