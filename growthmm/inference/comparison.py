"""Model comparison: likelihood-ratio tests and the table of information criteria."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.comparability import (
    clustered,
    extra_effects,
    not_nested,
    require_same_data,
    same_fixed_effects,
    variances,
)
from growthmm.inference.criteria import aicc, weights
from growthmm.inference.hypotheses.variance import variance_test
from growthmm.inference.result import FitResult
from growthmm.inference.short_names import ShortName, short_names
from growthmm.progress import tracked
from growthmm.rendering import Brief, Tabular, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "ComparisonRow", "compare_fits"]


@dataclass(frozen=True, slots=True, repr=False)
class ComparisonRow(Brief):
    """One model of a comparison.

    Parameters
    ----------
    model : str
        Its label.
    n_parameters : int
        Free parameters.
    aic, bic, log_likelihood, deviance : float
        As fitted; BIC over rows.
    chi_square, df, p_value : float or None
        Likelihood-ratio test against the row above (Wilks 1938, doi:10.1214/aoms/1177732360); None
        for the first row and where the test is refused.
    delta_aic : float
        AIC less the smallest of the table.
    comparable : bool
        Whether the row may be compared with every other one. REML fits with different fixed
        effects may not.
    reason : str
        Why a test is refused or a row not comparable; empty otherwise.
    ml_log_likelihood, ml_aic, ml_bic : float or None
        The values by maximum likelihood, given beside rows that are not comparable.
    bic_subjects : float
        BIC over persons, as SEM programs print it.
    aicc, aicc_subjects : float or None
        AIC corrected for small samples, over rows and over persons; None where there are no more
        of them than parameters and one.
    delta_bic : float
        BIC less the smallest of the table.
    weight : float or None
        Akaike weight; None in a table with rows that are not comparable.
    boundary_p_value : float or None
        Where the row adds random effects alone: the p value of the same statistic under a mixture
        of chi-squares, because a variance of zero lies on the boundary. `p_value` is too large.
    boundary_distribution : str
        That mixture, or why there is none; empty where it does not matter.
    name : str
        The label where all labels are short and differ; otherwise a letter, in the order in which
        the fits were given, and the label cut short: ``"B: i =~ 1*y_0 + ... s ~ x"``.
    """

    model: str
    n_parameters: int
    aic: float
    bic: float
    log_likelihood: float
    deviance: float
    chi_square: float | None
    df: int | None
    p_value: float | None
    delta_aic: float
    comparable: bool
    reason: str = ""
    ml_log_likelihood: float | None = None
    ml_aic: float | None = None
    ml_bic: float | None = None
    bic_subjects: float = float("nan")
    aicc: float | None = None
    aicc_subjects: float | None = None
    delta_bic: float = float("nan")
    weight: float | None = None
    boundary_p_value: float | None = None
    boundary_distribution: str = ""
    name: str = ""


@dataclass(frozen=True)
class Comparison(Tabular):
    """A table of models, fewest parameters first.

    Parameters
    ----------
    rows : tuple of ComparisonRow
        The models.
    estimator : {"ml", "reml"}
        By which they were fitted.
    refitted : bool
        Whether REML fits were refitted by ML for the table.
    fits : tuple of FitResult
        The fits behind the rows, in their order.
    """

    rows: tuple[ComparisonRow, ...]
    estimator: str
    refitted: bool
    fits: tuple[FitResult, ...] = field(default=(), compare=False)

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def average(self, criterion: str = "aicc") -> pd.DataFrame:
        """Fixed effects averaged over the models.

        See :func:`growthmm.inference.averaging.averaged`.
        """
        from growthmm.inference.averaging import averaged

        return averaged(self, criterion)

    def conditional(self) -> pd.DataFrame:
        """Conditional AICs of the models, for predicting the same persons again.

        Columns ``model, log_likelihood, df, caic, delta_caic, reason``; where a model has none,
        NaN and the reason. See :func:`growthmm.inference.conditional.conditional_aic`.
        """
        from growthmm.inference.conditional import conditional_table

        return conditional_table(self.fits)

    def to_dict(self) -> dict[str, Any]:
        """The rows as plain values."""
        return {
            "estimator": self.estimator,
            "refitted": self.refitted,
            "rows": [asdict(row) for row in self.rows],
        }

    def _repr_html_(self) -> str:
        return self.to_html()

    def summary(self) -> str:
        """The table as text."""
        return str(render("comparison.summary", self))

    def __repr__(self) -> str:
        return self.summary()


REFUSAL = (
    "REML fits with different fixed effects: their likelihoods are of different data contrasts "
    "and move when a covariate is recoded"
)


def compare_fits(fits: Sequence[FitResult], *, refit: bool | None = None) -> Comparison:
    """Compare fits of the same data by likelihood-ratio tests and information criteria.

    Parameters
    ----------
    fits : sequence of FitResult
        At least two.
    refit : bool, optional
        Whether REML fits are refitted by ML first. By default they are, as lme4's ``anova`` does.

    Returns
    -------
    Comparison
        Rows ordered by number of parameters. A test of REML fits across different fixed effects
        is refused; their rows are flagged and the ML values given beside.

    Raises
    ------
    SpecificationError
        If fewer than two fits are given, or ML and REML fits are mixed without refitting.
    DataError
        If they were not fitted to the same outcomes.
    """
    if len(fits) < 2:
        raise SpecificationError(
            f"{len(fits)} model was given to compare.", hint="Give at least two fits."
        )
    require_same_data(fits)
    names = short_names([fit.label for fit in fits])
    named = list(zip(fits, names, strict=True))
    unfair = [str(name) for fit, name in named if fit.penalty is not None]
    if unfair:
        raise SpecificationError(
            f"Penalised fits have no maximised likelihood to compare: {', '.join(unfair)}.",
            hint="Fit them without a penalty.",
        )
    restricted = any(fit.estimator == "reml" for fit in fits)
    if refit is None:
        refit = restricted
    if not refit and len({fit.estimator for fit in fits}) > 1:
        raise SpecificationError(
            "Some models are fitted by ML and some by REML: "
            + ", ".join(f"{name} {fit.estimator.upper()}" for fit, name in named)
            + ".",
            hint="Compare them all by ML: refit=True (--refit).",
        )
    refitted = bool(refit and restricted)
    if refit:
        fits = [fit.refit("ml") for fit in tracked(fits, "models by ML")]
    named = sorted(zip(fits, names, strict=True), key=lambda one: one[0].n_parameters)
    ordered = [fit for fit, _ in named]
    alike = [
        all(fit.estimator == "ml" or same_fixed_effects(fit, other) for other in ordered)
        for fit in ordered
    ]
    shares = weights([fit.aic for fit in ordered]) if all(alike) else None
    best = min(fit.aic for fit in ordered), min(fit.bic for fit in ordered)
    rows = [
        _row(one, named[k - 1] if k else None, best, comparable, shares[k] if shares else None)
        for k, (one, comparable) in enumerate(zip(named, alike, strict=True))
    ]
    return Comparison(tuple(rows), ordered[0].estimator, refitted, tuple(ordered))


_Named = tuple[FitResult, ShortName]


def _row(
    one: _Named,
    above: _Named | None,
    best: tuple[float, float],
    comparable: bool,
    weight: float | None,
) -> ComparisonRow:
    fit, name = one
    test = _Test() if above is None else _tested(one, above)
    ml = fit.refit("ml") if not comparable else None
    corrected = [
        aicc(fit.log_likelihood, fit.n_parameters, n) for n in (fit.n_rows, fit.n_subjects)
    ]
    return ComparisonRow(
        model=fit.label,
        n_parameters=fit.n_parameters,
        aic=fit.aic,
        bic=fit.bic,
        log_likelihood=fit.log_likelihood,
        deviance=fit.deviance,
        chi_square=test.chi_square,
        df=test.df,
        p_value=test.p_value,
        delta_aic=fit.aic - best[0],
        comparable=comparable,
        reason=test.reason if comparable else REFUSAL,
        ml_log_likelihood=ml.log_likelihood if ml else None,
        ml_aic=ml.aic if ml else None,
        ml_bic=ml.bic if ml else None,
        bic_subjects=fit.bic_subjects,
        aicc=corrected[0] if isfinite(corrected[0]) else None,
        aicc_subjects=corrected[1] if isfinite(corrected[1]) else None,
        delta_bic=fit.bic - best[1],
        weight=weight,
        boundary_p_value=test.boundary_p_value,
        boundary_distribution=test.boundary_distribution,
        name=str(name),
    )


@dataclass(frozen=True, slots=True)
class _Test:
    """A likelihood-ratio test, or why there is none."""

    chi_square: float | None = None
    df: int | None = None
    p_value: float | None = None
    reason: str = ""
    boundary_p_value: float | None = None
    boundary_distribution: str = ""


def _tested(one: _Named, other: _Named) -> _Test:
    from scipy.special import chdtrc

    (fit, name), (above, name_above) = one, other
    if fit.estimator == "reml" and not same_fixed_effects(fit, above):
        return _Test(reason=REFUSAL)
    df = fit.n_parameters - above.n_parameters
    chi_square = max(0.0, 2.0 * (fit.log_likelihood - above.log_likelihood))
    if df == 0:
        return _Test(chi_square, df, reason="as many parameters as the model above, so no test")
    astray = [n.brief for f, n in (other, one) if not f.convergence.converged]
    if astray:
        return _Test(reason=f"not converged, so no test: {', '.join(astray)}")
    reason = not_nested(above, fit, (name_above.brief, name.brief))
    if reason:
        return _Test(df=df, reason=reason)
    p_value, distribution = _at_the_boundary(fit, above, chi_square)
    return _Test(chi_square, df, float(chdtrc(df, chi_square)), "", p_value, distribution)


def _at_the_boundary(
    fit: FitResult, above: FitResult, chi_square: float
) -> tuple[float | None, str]:
    """The p value under a mixture, where the larger model has more random effects and no more."""
    if clustered(fit) and same_fixed_effects(fit, above):
        grown = set(variances(fit)) > set(variances(above))
        return None, "none is made for persons in clusters" if grown else ""
    effects = extra_effects(above, fit)
    if not effects or type(fit.data) is not type(above.data) or not same_fixed_effects(fit, above):
        return None, ""
    try:
        found = variance_test(fit, effects)
    except UnsupportedEngineError as error:
        return None, str(error).partition("\n")[0]
    if abs(found.statistic - chi_square) > 1e-4 * (1.0 + chi_square):
        return None, "the models differ in more than these random effects"
    return found.p_value, found.distribution
