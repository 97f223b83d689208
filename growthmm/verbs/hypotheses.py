"""The verbs ``test`` and ``test_variance``."""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.inference.hypotheses.classical import linear_test
from growthmm.inference.hypotheses.outcome import HypothesisTest
from growthmm.inference.hypotheses.variance import variance_test
from growthmm.inference.result import FitResult
from growthmm.progress import showing

__all__ = ["test", "test_variance"]


def test(
    fit: FitResult, hypothesis: str | Sequence[str], *, kind: str = "wald", df: str | None = None
) -> HypothesisTest:
    """Test linear equations among the parameters of a fit.

    Parameters
    ----------
    fit : FitResult
        The larger model.
    hypothesis : str or sequence of str
        ``"occasion = 0"``, ``"a = b"``, ``"a = 0, b = 0"``; names as in ``fit.estimates``.
    kind : {"wald", "score", "lrt"}
        Which test.
    df : {"satterthwaite", "kenward-roger", "none"}, optional
        For a Wald test of fixed effects: an F test with these denominator degrees of freedom;
        those of the fit where None.

    Returns
    -------
    HypothesisTest
        ``.statistic``, ``.df``, ``.df_denominator``, ``.p_value``, ``.summary()``.

    Raises
    ------
    SpecificationError
        If the hypothesis or `kind` is malformed.
    UnsupportedEngineError
        Where the test does not apply, with the reason.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", gm.datasets.gpa())
    >>> gm.test(fit, "sexmale = 0, occasion:sexmale = 0")
    sexmale = 0, occasion:sexmale = 0: wald statistic 16.9992, chi2(2), p = 0.000204
    """
    return linear_test(fit, hypothesis, kind=kind, df=df)


def test_variance(
    fit: FitResult,
    effects: str | Sequence[str],
    *,
    method: str = "mixture",
    n_simulations: int = 10_000,
    seed: int = 0,
    progress: bool | None = None,
) -> HypothesisTest:
    """Test whether random effects (or the variances of growth factors) are there.

    Zero lies on the boundary of what a variance can be, so that the likelihood-ratio statistic is
    no chi-square.

    Parameters
    ----------
    fit : FitResult
        The larger model.
    effects : str or sequence of str
        Random effects of a mixed model, or latent variables.
    method : {"mixture", "exact"}
        The limiting mixture of chi-squares (one effect: in closed form; several: simulated), or
        the finite-sample distribution of one uncorrelated variance component.
    n_simulations, seed : int
        For what is simulated.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    SpecificationError
        If an effect or the method is unknown.
    UnsupportedEngineError
        Where the test does not apply, with the reason.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> gm.test_variance(fit, "occasion").distribution
    '0.5*chi2(1) + 0.5*chi2(2)'
    """
    with showing(progress):
        return variance_test(fit, effects, method=method, n_simulations=n_simulations, seed=seed)
