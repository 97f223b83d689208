"""A fit as plain values, for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from growthmm.engines.prepare import WideData
from growthmm.inference.plain_values import plain, records

if TYPE_CHECKING:
    from growthmm.inference.result import FitResult

__all__ = ["fit_record"]


def fit_record(fit: FitResult) -> dict[str, Any]:
    """What ``FitResult.to_dict`` gives; None for what does not exist.

    Parameters
    ----------
    fit : FitResult
        A fit.
    """
    measured = fit.estimator == "ml" and isinstance(fit.data, WideData)
    return {
        "engine": fit.engine,
        "estimator": fit.estimator,
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "bic": fit.bic,
        "bic_subjects": fit.bic_subjects,
        "n_subjects": fit.n_subjects,
        "n_rows": fit.n_rows,
        "converged": fit.convergence.converged,
        "at_boundary": fit.boundary.at_boundary or fit.boundary.beyond,
        "boundary": fit.boundary.description,
        "bounds": fit.fit.bounds,
        "information": fit.fit.information,
        "robust": fit.robust,
        "df": fit.df or "none",
        "penalty": fit.penalty,
        "estimates": records(fit.estimates),
        "derived": records(fit.derived),
        "fit_measures": plain(fit.fit_measures) if measured else None,
        "assumptions": [str(a) for a in fit.assumptions],
        "warnings": list(fit.fit.warnings),
    }
