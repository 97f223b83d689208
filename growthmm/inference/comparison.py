"""Model comparison: likelihood-ratio tests and the table of information criteria."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.engines.prepare import LongData, WideData
from growthmm.errors import DataError, SpecificationError
from growthmm.inference.result import FitResult
from growthmm.rendering import Tabular, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "ComparisonRow", "compare_fits"]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
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
        Likelihood-ratio test against the row above; None for the first row and where the test is
        refused.
    delta_aic : float
        AIC less the smallest of the table.
    comparable : bool
        Whether the row may be compared with every other one. REML fits with different fixed
        effects may not.
    reason : str
        Why a test is refused or a row not comparable; empty otherwise.
    ml_log_likelihood, ml_aic, ml_bic : float or None
        The values by maximum likelihood, given beside rows that are not comparable.
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
    """

    rows: tuple[ComparisonRow, ...]
    estimator: str
    refitted: bool

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

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
    _same_data(fits)
    unfair = [fit.label for fit in fits if fit.penalty is not None]
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
            + ", ".join(f"{fit.label} {fit.estimator.upper()}" for fit in fits)
            + ".",
            hint="Use --refit to compare them all by ML.",
        )
    refitted = bool(refit and restricted)
    if refit:
        fits = [fit.refit("ml") for fit in fits]
    ordered = sorted(fits, key=lambda fit: fit.n_parameters)
    smallest = min(fit.aic for fit in ordered)
    alike = [
        all(fit.estimator == "ml" or _same_fixed_space(fit, other) for other in ordered)
        for fit in ordered
    ]
    rows = [
        _row(fit, ordered[k - 1] if k else None, fit.aic - smallest, comparable)
        for k, (fit, comparable) in enumerate(zip(ordered, alike, strict=True))
    ]
    return Comparison(tuple(rows), ordered[0].estimator, refitted)


def _row(fit: FitResult, above: FitResult | None, delta: float, comparable: bool) -> ComparisonRow:
    from scipy.special import chdtrc

    chi_square = p_value = None
    df = None
    reason = "" if comparable else REFUSAL
    if above is not None and (fit.estimator == "ml" or _same_fixed_space(fit, above)):
        df = fit.n_parameters - above.n_parameters
        gain = max(0.0, 2.0 * (fit.log_likelihood - above.log_likelihood))
        chi_square = gain
        if df > 0:
            p_value = float(chdtrc(df, gain))
        else:
            reason = reason or "as many parameters as the model above, so no test"
    ml = fit.refit("ml") if not comparable else None
    return ComparisonRow(
        model=fit.label,
        n_parameters=fit.n_parameters,
        aic=fit.aic,
        bic=fit.bic,
        log_likelihood=fit.log_likelihood,
        deviance=fit.deviance,
        chi_square=chi_square,
        df=df,
        p_value=p_value,
        delta_aic=delta,
        comparable=comparable,
        reason=reason,
        ml_log_likelihood=ml.log_likelihood if ml else None,
        ml_aic=ml.aic if ml else None,
        ml_bic=ml.bic if ml else None,
    )


def _outcomes(fit: FitResult) -> np.ndarray:
    if isinstance(fit.data, LongData):
        return np.sort(fit.data.problem.outcome)
    group = fit.data.problem.groups[0]
    values = group.outcomes if hasattr(group, "outcomes") else group.mean
    return np.sort(values[np.isfinite(values)].ravel())


def _same_data(fits: Sequence[FitResult]) -> None:
    first = _outcomes(fits[0])
    for fit in fits[1:]:
        other = _outcomes(fit)
        if first.shape != other.shape or not np.array_equal(first, other):
            raise DataError(
                f"The models were not fitted to the same outcomes: {fits[0].label} uses "
                f"{fits[0].n_rows} values, {fit.label} {fit.n_rows}.",
                hint="Drop the rows with missing covariates before fitting, or compare models "
                "of one outcome.",
            )


def _same_fixed_space(fit: FitResult, other: FitResult) -> bool:
    """Whether the fixed effects are the same, in the same coding."""
    if isinstance(fit.data, LongData) and isinstance(other.data, LongData):
        a, b = fit.data.problem, other.data.problem
        if a.fixed.shape != b.fixed.shape or not np.array_equal(fit.data.rows, other.data.rows):
            return False
        return bool(
            np.array_equal(
                a.fixed[:, np.argsort(a.fixed_names)], b.fixed[:, np.argsort(b.fixed_names)]
            )
        )
    if isinstance(fit.data, WideData) and isinstance(other.data, WideData):
        return _mean_rows(fit) == _mean_rows(other)
    return False


def _mean_rows(fit: FitResult) -> set[str]:
    kinds = dict(zip(fit.fit.names, fit.fit.kinds, strict=True))
    return {name for name, kind in kinds.items() if kind in ("mean", "regression")}
