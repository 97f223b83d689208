"""Tests of random effects, whose variances are zero on the boundary of what they can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.registry import run
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.hypotheses.cone import cone_statistics, mixture_p_value
from growthmm.inference.hypotheses.dropped import Dropped, without_effects
from growthmm.inference.hypotheses.exact import exact_draws, tail
from growthmm.inference.hypotheses.outcome import HypothesisTest
from growthmm.inference.penalised import refuse_penalised
from growthmm.inference.result import FitResult

__all__ = ["METHODS", "variance_test"]

METHODS = ("mixture", "exact")
"""Reference distributions by name."""


def variance_test(
    fit: FitResult,
    effects: str | Sequence[str],
    *,
    method: str = "mixture",
    n_simulations: int = 10_000,
    seed: int = 0,
) -> HypothesisTest:
    """Likelihood-ratio test of random effects: their variances and covariances are zero.

    Parameters
    ----------
    fit : FitResult
        The larger model, by ML or REML (the fixed effects stay the same).
    effects : str or sequence of str
        Random effects of a mixed model, ``"occasion"``; latent variables of a growth curve, whose
        variance goes with its covariances while their mean stays.
    method : {"mixture", "exact"}
        ``"mixture"``: the limiting distribution. One effect beside q that it covaries with has
        ``0.5 chi2(q) + 0.5 chi2(q + 1)`` (Stram & Lee 1994, doi:10.2307/2533455); several have
        one that is simulated by projection on the cone of covariance matrices (Self & Liang 1987,
        doi:10.1080/01621459.1987.10478472). ``"exact"``: the finite-sample distribution of one
        uncorrelated effect, simulated (Crainiceanu & Ruppert 2004,
        doi:10.1111/j.1467-9868.2004.00438.x; with other random effects the approximation of
        Greven et al. 2008, doi:10.1198/106186008X386599), as RLRsim has it.
    n_simulations, seed : int
        For what is simulated.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    SpecificationError
        If an effect or the method is unknown.
    UnsupportedEngineError
        Where the test does not apply, with the reason.
    """
    if method not in METHODS:
        raise SpecificationError(
            f"There is no reference distribution {method!r}.",
            hint=f"Use one of {', '.join(METHODS)}.",
        )
    if fit.engine not in ("long", "wide"):
        raise UnsupportedEngineError(
            f"The fit is by {fit.engine}; random effects are tested in fits by our engines.",
            hint="Use engine long or wide.",
        )
    refuse_penalised(fit.penalty, "A test of random effects")
    names = [effects] if isinstance(effects, str) else list(effects)
    larger = fit.log_likelihood
    if fit.fit.bounds == "none" and (fit.boundary.beyond or fit.boundary.at_boundary):
        larger = run(
            fit.engine, fit.data.problem, estimator=fit.estimator, bounds="psd"
        ).log_likelihood
    smaller = without_effects(fit, names)
    statistic = max(0.0, 2.0 * (larger - smaller.fit.log_likelihood))
    if statistic < 1e-7:
        statistic = 0.0
    title = f"no random effect {', '.join(names)}"
    if method == "exact":
        draws = exact_draws(fit, names, n_simulations=n_simulations, seed=seed)
        p_value, error = tail(draws, statistic)
        kind = "RLRT" if fit.estimator == "reml" else "LRT"
        return HypothesisTest(
            title, "exact", statistic, f"simulated {kind}", None, None, p_value, error
        )
    if smaller.fit.boundary.at_boundary or smaller.fit.boundary.beyond:
        raise UnsupportedEngineError(
            "Without the effect the model is at a boundary too "
            f"({smaller.fit.boundary.description}), where these mixtures don't hold.",
            hint="Drop what is on the boundary first.",
        )
    if len(names) == 1:
        q = smaller.partners[0]
        return HypothesisTest(
            title,
            "lrt",
            statistic,
            f"0.5*chi2({q}) + 0.5*chi2({q + 1})",
            None,
            None,
            mixture_p_value(statistic, (q, q + 1)),
        )
    return _simulated(fit, smaller, statistic, title, n_simulations=n_simulations, seed=seed)


def _simulated(
    fit: FitResult,
    smaller: Dropped,
    statistic: float,
    title: str,
    *,
    n_simulations: int,
    seed: int,
) -> HypothesisTest:
    problem = fit.data.problem
    if isinstance(problem, LongProblem):
        matrix = long_engine.information(problem, smaller.values, "expected", fit.fit.estimator)
    else:
        matrix = wide_engine.information(problem, smaller.values, "expected", fit.fit.estimator)
    scale = 1.0 / np.sqrt(np.diag(matrix))
    inverse = np.linalg.inv(matrix * np.outer(scale, scale)) * np.outer(scale, scale)
    at = list(smaller.tested)
    draws = cone_statistics(
        inverse[np.ix_(at, at)], smaller.blocks, n_simulations=n_simulations, seed=seed
    )
    p_value, error = tail(draws, statistic)
    return HypothesisTest(
        title,
        "lrt",
        statistic,
        f"simulated mixture of chi2(0..{len(at)})",
        None,
        None,
        p_value,
        error,
    )
