"""The three classical tests of a linear hypothesis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.degrees.method import degrees_of
from growthmm.inference.hypotheses.linear import LinearHypothesis, linear_hypothesis
from growthmm.inference.hypotheses.null_fit import null_fit
from growthmm.inference.hypotheses.outcome import HypothesisTest
from growthmm.inference.hypotheses.terms import term_coefficients
from growthmm.inference.penalised import refuse_penalised
from growthmm.inference.result import FitResult
from growthmm.model.sem import SemModel

__all__ = ["KINDS", "linear_test"]

FloatArray = NDArray[np.float64]

KINDS = ("wald", "score", "lrt")
"""The tests by name."""


def linear_test(
    fit: FitResult, hypothesis: str | Sequence[str], *, kind: str = "wald", df: str | None = None
) -> HypothesisTest:
    """Test linear equations among the parameters of a fit.

    Parameters
    ----------
    fit : FitResult
        The larger model.
    hypothesis : str or sequence of str
        As :func:`~growthmm.inference.hypotheses.linear.linear_hypothesis` reads it. The name of
        a mixed model's term stands for all its coefficients.
    kind : {"wald", "score", "lrt"}
        Wald: ``(R t - c)' (R V R')^-1 (R t - c)`` at the estimates `t` with covariance matrix `V`
        (Wald 1943, doi:10.1090/S0002-9947-1943-0012401-3). Score: ``s' I^-1 s`` with the score and
        the expected information of the larger model at the estimates under the hypothesis (Rao
        1948, doi:10.1017/S0305004100023987). LRT: twice the difference of the log-likelihoods
        (Wilks 1938, doi:10.1214/aoms/1177732360).
    df : {"satterthwaite", "kenward-roger", "none"}, optional
        For a Wald test of fixed effects: an F test with these denominator degrees of freedom;
        those of the fit where None.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    SpecificationError
        If the hypothesis or `kind` is malformed.
    UnsupportedEngineError
        Where the test does not apply, with the reason.
    """
    if kind not in KINDS:
        raise SpecificationError(
            f"There is no test {kind!r}.", hint=f"Use one of {', '.join(KINDS)}."
        )
    names = _names(fit)
    made = linear_hypothesis(_equations(fit, hypothesis, names), names, len(fit.fit.names))
    if kind == "wald":
        return _wald(fit, made, df)
    if df not in (None, "none"):
        raise SpecificationError(
            f"Degrees of freedom {df} belong to a Wald test, not to {kind}.",
            hint="Leave df out, or use kind='wald'.",
        )
    return _likelihood_ratio(fit, made) if kind == "lrt" else _score(fit, made)


def _names(fit: FitResult) -> dict[str, int]:
    position = {name: k for k, name in enumerate(fit.fit.names)}
    if isinstance(fit.model, SemModel):
        rows = {p.name: position[p.parameter] for p in fit.model.paths if p.free}
        return rows | position
    return position


def _equations(
    fit: FitResult, hypothesis: str | Sequence[str], names: dict[str, int]
) -> str | Sequence[str]:
    """The hypothesis with names of terms written out as their coefficients."""
    asked = [hypothesis] if isinstance(hypothesis, str) else list(hypothesis)
    terms = term_coefficients(fit)
    if not any(text.strip() in terms and text.strip() not in names for text in asked):
        return hypothesis
    made: list[str] = []
    for text in asked:
        name = text.strip()
        made += terms[name] if name in terms and name not in names else (text,)
    return made


def _refuse_boundary(fit: FitResult, hypothesis: LinearHypothesis) -> None:
    names, kinds = fit.fit.names, fit.fit.kinds
    for row, target in zip(hypothesis.matrix, hypothesis.target, strict=True):
        at = np.flatnonzero(row)
        variance = kinds[at[0]] == "variance" or names[at[0]].startswith("var(")
        if len(at) == 1 and target == 0 and variance:
            raise UnsupportedEngineError(
                f"{names[at[0]]} = 0 lies on the boundary of what a variance can be, where this "
                "test has another distribution.",
                hint="Use gm.test_variance, which drops the random effect whole.",
            )


def _wald(fit: FitResult, hypothesis: LinearHypothesis, df: str | None) -> HypothesisTest:
    from scipy.special import chdtrc, fdtrc

    _refuse_boundary(fit, hypothesis)
    matrix = hypothesis.matrix
    gap = matrix @ fit.fit.estimates - hypothesis.target
    method = df or (fit.df if fit.robust is None else None) or "none"
    if method != "none":
        refuse_penalised(fit.penalty, f"An F test with degrees of freedom by {method}")
        found = degrees_of(fit.fit, fit.data.problem, method)
        p = found.problem.fixed.shape[1]
        if max(hypothesis.involved) >= p:
            raise UnsupportedEngineError(
                f"Degrees of freedom by {method} are of fixed effects, and "
                f"{hypothesis.text!r} is about covariance parameters too.",
                hint="Use df='none'.",
            )
        statistic, denominator = found.f_test(gap, matrix[:, :p])
        p_value = (
            float(fdtrc(len(matrix), denominator, statistic))
            if np.isfinite(denominator)
            else float(chdtrc(len(matrix), len(matrix) * statistic))
        )
        return HypothesisTest(
            hypothesis.text, "wald", statistic, "F", len(matrix), denominator, p_value
        )
    at = list(hypothesis.involved)
    covariance = matrix[:, at] @ fit.fit.covariance[np.ix_(at, at)] @ matrix[:, at].T
    if not np.all(np.isfinite(covariance)):
        raise UnsupportedEngineError(
            f"Parameters of {hypothesis.text!r} have no standard errors here.",
            hint="Use kind='lrt', or gm.test_variance at a boundary.",
        )
    statistic = float(gap @ np.linalg.solve(covariance, gap))
    p_value = float(chdtrc(len(matrix), statistic))
    note = "" if fit.robust is None else f"with robust standard errors ({fit.robust})"
    return HypothesisTest(
        hypothesis.text, "wald", statistic, "chi2", len(matrix), None, p_value, note=note
    )


def _refuse_restricted(fit: FitResult, hypothesis: LinearHypothesis, kind: str) -> None:
    location = [fit.fit.kinds[k] in ("fixed", "mean", "regression") for k in hypothesis.involved]
    if fit.estimator == "reml" and any(location):
        raise UnsupportedEngineError(
            f"A {kind} test of {hypothesis.text!r} by REML would compare restricted likelihoods "
            "of different fixed effects.",
            hint="Fit by estimator='ml', or use a Wald test with degrees of freedom.",
        )


def _likelihood_ratio(fit: FitResult, hypothesis: LinearHypothesis) -> HypothesisTest:
    from scipy.special import chdtrc

    refuse_penalised(fit.penalty, "A likelihood-ratio test")
    _refuse_boundary(fit, hypothesis)
    _refuse_restricted(fit, hypothesis, "likelihood-ratio")
    under = null_fit(fit, hypothesis)
    statistic = max(0.0, 2.0 * (fit.log_likelihood - under.log_likelihood))
    df = len(hypothesis.matrix)
    note = "" if under.converged else "the fit under the hypothesis did not converge"
    return HypothesisTest(
        hypothesis.text,
        "lrt",
        statistic,
        "chi2",
        df,
        None,
        float(chdtrc(df, statistic)),
        note=note,
    )


def _score(fit: FitResult, hypothesis: LinearHypothesis) -> HypothesisTest:
    from scipy.special import chdtrc

    refuse_penalised(fit.penalty, "A score test")
    _refuse_boundary(fit, hypothesis)
    _refuse_restricted(fit, hypothesis, "score")
    problem = fit.data.problem
    if isinstance(fit.model, SemModel) and fit.model.constraints:
        raise UnsupportedEngineError(
            "The score test is not made for models with constraints of their own.",
            hint="Use kind='lrt'.",
        )
    under = null_fit(fit, hypothesis)
    if isinstance(problem, LongProblem):
        score = long_engine.score(problem, under.values, fit.fit.estimator)
        matrix = long_engine.information(problem, under.values, "expected", fit.fit.estimator)
    else:
        score = wide_engine.score(problem, under.values, fit.fit.estimator)
        matrix = wide_engine.information(problem, under.values, "expected", fit.fit.estimator)
    scale = 1.0 / np.sqrt(np.diag(matrix))
    inner = np.linalg.solve(matrix * np.outer(scale, scale), scale * score)
    statistic = float((scale * score) @ inner)
    df = len(hypothesis.matrix)
    note = "" if under.converged else "the fit under the hypothesis did not converge"
    p_value = float(chdtrc(df, statistic))
    return HypothesisTest(hypothesis.text, "score", statistic, "chi2", df, None, p_value, note=note)
