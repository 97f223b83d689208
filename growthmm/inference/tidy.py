"""A fit as plain tables: parameters, one row of figures, and one row an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.engines.prepare import LongData
from growthmm.engines.wide.problem import WideGroup
from growthmm.errors import SpecificationError

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.inference.result import FitResult

__all__ = ["augmented", "glanced", "tidied"]


def tidied(result: FitResult) -> pd.DataFrame:
    """Estimates and what is derived from them, one row each.

    Parameters
    ----------
    result : FitResult
        The fit.

    Returns
    -------
    DataFrame
        ``term, kind, estimate, std_error, statistic, df, p_value, conf_low, conf_high``; NaN
        where a derived parameter has none.
    """
    import pandas as pd

    names = {"name": "term", "ci_low": "conf_low", "ci_high": "conf_high"}
    table = result.estimates.rename(columns=names)
    more = result.derived.rename(columns=names).reindex(columns=table.columns)
    if not len(more):
        return table
    return pd.concat([table, more.astype(table.dtypes.to_dict())], ignore_index=True)


def glanced(result: FitResult) -> pd.DataFrame:
    """One row of figures on the fit.

    Parameters
    ----------
    result : FitResult
        The fit.

    Returns
    -------
    DataFrame
        Engine, estimator, log-likelihood, deviance, AIC, BIC over rows and over persons, counts,
        whether it converged and whether it lies at the boundary.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "engine": result.engine,
                "estimator": result.estimator,
                "log_likelihood": result.log_likelihood,
                "deviance": result.deviance,
                "aic": result.aic,
                "bic": result.bic,
                "bic_subjects": result.bic_subjects,
                "n_parameters": result.n_parameters,
                "n_subjects": result.n_subjects,
                "n_rows": result.n_rows,
                "converged": result.convergence.converged,
                "at_boundary": result.boundary.at_boundary or result.boundary.beyond,
            }
        ]
    )


def augmented(result: FitResult) -> pd.DataFrame:
    """One row an outcome: observed, fitted, residual.

    Parameters
    ----------
    result : FitResult
        The fit.

    Returns
    -------
    DataFrame
        ``subject``, for an SEM ``variable``, ``observed``, ``fitted_population`` (fixed effects
        alone), ``fitted`` (with the person's own effects) and ``residual``; the index of a mixed
        model's rows are positions in the data.

    Raises
    ------
    SpecificationError
        If the model was fitted to moments, which have no persons.
    """
    import pandas as pd

    data = result.data
    if isinstance(data, LongData):
        subject = data.subjects.to_numpy()[np.asarray(data.problem.subject)]
        own, mean = result.predict(level="person"), result.predict(level="population")
        made = {"subject": subject, "observed": data.problem.outcome}
        index = pd.Index(data.rows)
    else:
        groups = data.problem.groups
        if not all(isinstance(group, WideGroup) for group in groups):
            raise SpecificationError(
                "The model was fitted to moments, and there are no persons to list.",
                hint="Fit it to the persons' data.",
            )
        seen = np.concatenate([g.outcomes for g in groups if isinstance(g, WideGroup)])
        there = np.isfinite(seen)
        rows, columns = np.nonzero(there)
        variables = np.asarray(data.problem.model.outcomes, dtype=object)
        own, mean = result.predict(level="person")[there], result.predict(level="population")[there]
        subjects = np.asarray(data.subjects)
        made = {"subject": subjects[rows], "variable": variables[columns], "observed": seen[there]}
        index = pd.RangeIndex(len(rows))
    made |= {"fitted_population": mean, "fitted": own, "residual": made["observed"] - own}
    return pd.DataFrame(made, index=index)
