"""The verbs ``test``, ``test_terms`` and ``test_variance``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from growthmm.inference.hypotheses.classical import linear_test
from growthmm.inference.hypotheses.outcome import HypothesisTest
from growthmm.inference.hypotheses.terms import TermTests, term_tests
from growthmm.inference.hypotheses.variance import variance_test
from growthmm.inference.result import FitResult
from growthmm.progress import showing

__all__ = ["test", "test_terms", "test_variance"]


def test(
    fit: FitResult, hypothesis: str | Sequence[str], *, kind: str = "wald", df: str | None = None
) -> HypothesisTest:
    """Test linear equations among the parameters of a fit.

    Parameters
    ----------
    fit : FitResult
        The larger model.
    hypothesis : str or sequence of str
        ``"occasion = 0"``, ``"a = b"``, ``"a = 0, b = 0"``; names as in ``fit.estimates``. The
        name of a mixed model's term (``"occasion:sex"``) says that all its coefficients are zero.
    kind : {"wald", "score", "lrt"}
        For ``R t = c``: ``(R t - c)' (R V R')^-1 (R t - c)`` (Wald 1943,
        doi:10.1090/S0002-9947-1943-0012401-3), ``s' I^-1 s`` under the hypothesis (Rao 1948,
        doi:10.1017/S0305004100023987), or twice the difference of the log-likelihoods (Wilks
        1938, doi:10.1214/aoms/1177732360).
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


def test_terms(
    fit: FitResult,
    sums: Literal["I", "II", "III"] = "III",
    *,
    df: Literal["none", "satterthwaite", "kenward-roger"] | None = None,
) -> TermTests:
    """Test every term of a mixed model's formula: F tests with degrees of freedom.

    The hypotheses are those of the three types of sums of squares (SAS; Goodnight 1980,
    doi:10.1080/03610928008827869), as lmerTest's ``anova()`` takes them. Type III holds all other
    terms, and weighs the levels of other categories equally: in ``t * sex`` the slope ``t`` is the
    mean of both sexes', whatever their numbers and however sex is coded. Type II leaves terms that
    contain a term out of account, type I all that come later in the formula.

    Parameters
    ----------
    fit : FitResult
        A mixed model by the engine long, or by other engines with ``df="none"``.
    sums : {"I", "II", "III"}
        Which hypotheses.
    df : {"satterthwaite", "kenward-roger", "none"}, optional
        Denominator degrees of freedom (:func:`fit` has the sources); those of the fit where None.
        Without any, the tests are Wald's chi-squares.

    Returns
    -------
    TermTests
        ``.table`` with ``term, statistic, df, df_denominator, p_value``, ``.contrasts``.

    Raises
    ------
    SpecificationError
        If an option is none, or there is no term beside the intercept.
    UnsupportedEngineError
        For structural equation models, and where the degrees of freedom do not apply.

    Examples
    --------
    >>> import growthmm as gm
    >>> data = gm.datasets.gpa()
    >>> fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", data, estimator="reml")
    >>> gm.test_terms(fit, df="satterthwaite")
    Type III F tests, Satterthwaite's degrees of freedom
            term     F  df  df_denominator        p
        occasion 329.5   1             198 5.28e-44
             sex 4.294   1             198  0.03954
    occasion:sex 6.182   1             198  0.01373
    """
    return term_tests(fit, sums, df)


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
        The limiting mixture of chi-squares, for one effect beside q that it covaries with
        ``0.5 chi2(q) + 0.5 chi2(q + 1)`` (Self & Liang 1987, doi:10.1080/01621459.1987.10478472;
        Stram & Lee 1994, doi:10.2307/2533455), for several simulated; or the finite-sample
        distribution of one uncorrelated variance component (Crainiceanu & Ruppert 2004,
        doi:10.1111/j.1467-9868.2004.00438.x).
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
