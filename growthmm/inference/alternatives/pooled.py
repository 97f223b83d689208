"""Least squares over all rows, with standard errors clustered by person."""

from __future__ import annotations

import numpy as np

from growthmm.inference.alternatives.answer import Answer
from growthmm.inference.alternatives.rows import Rows

__all__ = ["pooled"]


def pooled(rows: Rows) -> Answer:
    """Ordinary least squares with cluster-robust standard errors, by statsmodels.

    The sandwich of Liang and Zeger (1986, doi:10.1093/biomet/73.1.13) with persons as clusters,
    times ``G/(G - 1) (n - 1)/(n - p)`` for G persons, n rows and p coefficients, as Stata's
    ``vce(cluster)`` and R's ``sandwich::vcovCL`` have it.

    Parameters
    ----------
    rows : Rows
        The rows.

    Returns
    -------
    Answer

    Examples
    --------
    >>> person = np.repeat(np.arange(4), 2)
    >>> x = np.column_stack([np.ones(8), np.arange(8.0)])
    >>> pooled(Rows(2.0 + 3.0 * x[:, 1], x, ("one", "x"), person)).estimates.round(6).tolist()
    [2.0, 3.0]
    """
    from statsmodels.regression.linear_model import OLS

    found = OLS(rows.outcome, rows.design).fit(
        cov_type="cluster", cov_kwds={"groups": rows.person, "use_correction": True}
    )
    return Answer(
        "pooled",
        rows.names,
        np.asarray(found.params),
        np.asarray(found.bse),
        len(rows.outcome),
        rows.n_subjects,
    )
