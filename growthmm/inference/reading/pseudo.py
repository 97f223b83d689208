"""Coefficients of a mixed model in standard deviations of their own level."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.registry import run
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.estimated_loadings import refuse_estimated_loadings
from growthmm.inference.result import FitResult
from growthmm.model.residual import COMMON

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["level_deviations", "pseudo_standardized"]

FloatArray = NDArray[np.float64]

SAME = 1e-8
"""Share of a column's spread below which it counts as the same within persons."""


def level_deviations(problem: LongProblem, estimator: str) -> tuple[float, float]:
    """Standard deviations of the outcome within and between persons.

    Of the model with a random intercept alone: ``sqrt(s2)`` and ``sqrt(t00)``.

    Parameters
    ----------
    problem : LongProblem
        Whose outcome.
    estimator : {"ml", "reml"}
        By which that model is fitted.

    Returns
    -------
    within, between : float
    """
    one = np.ones((len(problem.outcome), 1))
    empty = replace(
        problem,
        fixed=one,
        fixed_names=("(Intercept)",),
        random=one,
        blocks=(RandomEffects(("(Intercept)",), (0,)),),
        residual=COMMON,
        fixed_parameters=(),
    )
    found = run("long", empty, estimator=estimator)
    between, within = (float(found.estimates[found.names.index(name)]) for name in found.names[1:])
    between = 0.0 if found.boundary.at_boundary else between
    return float(np.sqrt(within)), float(np.sqrt(between))


def pseudo_standardized(fit: FitResult) -> pd.DataFrame:
    """Fixed effects in standard deviations of predictor and outcome, each at the predictor's level.

    ``b sd(x) / sd(y)``. A predictor that is the same in all rows of a person has the standard
    deviation of the persons' values, and the outcome's between persons; any other that of its
    rows, and the outcome's within persons (Hoffman 2015, Longitudinal Analysis, pp. 341-342,
    ISBN 978-0-415-87602-5; as R's effectsize, method "pseudo").

    Parameters
    ----------
    fit : FitResult
        A mixed model.

    Returns
    -------
    DataFrame
        Columns ``name, level, estimate, std_error, statistic, df, p_value, ci_low, ci_high``.
        ``level`` is ``within``, ``between``, or ``both`` for a predictor that varies within and
        differs between persons: split it (``mundlak=``), as its one coefficient mixes two.

    Raises
    ------
    SpecificationError
        If the outcome does not differ between persons.
    UnsupportedEngineError
        For structural equation models, and persons in clusters.
    """
    import pandas as pd

    problem = fit.data.problem
    if not isinstance(problem, LongProblem):
        raise UnsupportedEngineError(
            "Standardising by level is of a mixed model's fixed effects.",
            hint="Use engine='long', which fits the translation, or kind='all'.",
        )
    refuse_estimated_loadings(problem, "Standardising by level")
    if problem.clusters is not None:
        raise UnsupportedEngineError(
            "Standardising by level is made for two levels; here persons stand in clusters.",
            hint="Divide by standard deviations that suit the question.",
        )
    within, between = level_deviations(problem, fit.estimator)
    table = fit.estimates[fit.estimates["kind"] == "fixed"]
    records = []
    for k, row in enumerate(table.to_dict("records")):
        level, spread = _spread(np.asarray(problem.fixed[:, k], dtype=float), problem)
        if level == "between" and spread > 0 and not between > 0:
            raise SpecificationError(
                f"{row['name']} stands between persons, and the outcome does not differ between "
                "them beyond chance.",
                hint="Standardise by hand, with the outcome's whole standard deviation.",
            )
        scale = spread / (between if level == "between" else within) if spread > 0 else 0.0
        scaled = ("estimate", "std_error", "ci_low", "ci_high")
        made = {name: row[name] * scale if name in scaled else row[name] for name in row}
        records.append({"name": row["name"], "level": level} | made)
    return pd.DataFrame.from_records(records).drop(columns="kind")


def _spread(column: FloatArray, problem: LongProblem) -> tuple[str, float]:
    """A predictor's level and its standard deviation there; no spread for a constant."""
    person = np.asarray(problem.subject)
    rows = np.bincount(person, minlength=problem.n_subjects)
    means = np.bincount(person, weights=column, minlength=problem.n_subjects) / rows
    whole = float(np.std(column, ddof=1))
    if whole <= SAME * float(np.abs(column).max(initial=0.0)):
        return "between", 0.0
    inside = float(np.sqrt(np.mean((column - means[person]) ** 2)))
    if inside <= SAME * whole:
        return "between", float(np.std(means, ddof=1))
    between = float(np.std(means)) > SAME * whole
    return ("both" if between else "within"), whole
