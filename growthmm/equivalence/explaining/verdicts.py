"""Whether the models of two analyses are the same, or one is nested in the other, by moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import long_data, wide_data
from growthmm.equivalence.cells import Cells
from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.moment_functions import MixedMoments, MomentFunction, SemMoments
from growthmm.equivalence.moment_test import MomentComparison, compare_moments
from growthmm.equivalence.points import admissible, design_frame
from growthmm.errors import GrowthmmError
from growthmm.model.growth import GrowthModel, cov_key
from growthmm.translation.to_mixed import mixed_from_growth
from growthmm.translation.to_sem import sem_from_growth

__all__ = ["compare_analyses"]

FloatArray = NDArray[np.float64]

OUTCOME = "y_outcome_"
PERSONS = 14


def compare_analyses(a: Analysis, b: Analysis, *, draws: int = 2) -> MomentComparison | None:
    """Compare the models of two aligned analyses at random admissible parameter values.

    Parameters
    ----------
    a, b : Analysis
        Over one schema.
    draws : int
        Random values of either.

    Returns
    -------
    MomentComparison or None
        None where no form says both.
    """
    estimated = any(factor.cells for side in (a, b) for factor in side.growth.factors)
    for form in (_of_sem,) if estimated else (_of_mixed, _of_sem):
        try:
            sides = [form(side, draws) for side in (a, b)]
        except GrowthmmError:
            continue
        (first, first_values), (second, second_values) = sides
        return compare_moments(first, second, first_values, second_values)
    return None


def _frame(growth: GrowthModel):  # type: ignore[no-untyped-def]
    """Persons with covariates, the same for both sides of one schema."""
    columns = [covariate.column for covariate in growth.covariates]
    levels = max((len(v.levels or ()) for v in growth.schema.variables), default=0)
    frame, outcome = design_frame(growth.schema, PERSONS + 2 * levels, 20, columns=columns)
    frame[OUTCOME] = outcome
    return frame


def _cells(n_persons: int, n_rows: int) -> tuple[Cells, ...]:
    """Persons in blocks of rows of one length."""
    each = np.arange(n_rows // n_persons)
    return tuple(Cells(p * len(each) + each, 0, p, each) for p in range(n_persons))


def _kinds(growth: GrowthModel, cells: tuple[Cells, ...]) -> tuple[int, ...]:
    """One person where all have the same covariance matrix, else everyone."""
    own = bool(growth.schema.grouping) or not growth.schema.shared_times
    return tuple(range(len(cells))) if own else (0,)


def _of_mixed(side: Analysis, draws: int) -> tuple[MomentFunction, Sequence[FloatArray]]:
    frame = _frame(side.growth)
    bound, _ = mixed_from_growth(side.growth)
    bound = replace(
        bound,
        model=replace(bound.model, response=OUTCOME),
        schema=replace(bound.schema, outcome=OUTCOME),
    )
    problem = long_data(bound, frame).problem
    cells = _cells(problem.n_subjects, len(frame))
    moments = MixedMoments(problem, cells, _kinds(side.growth, cells))
    rng = np.random.default_rng(11)
    return moments, [admissible(moments, rng) for _ in range(draws)]


def _of_sem(side: Analysis, draws: int) -> tuple[MomentFunction, Sequence[FloatArray]]:
    frame = _frame(side.growth)
    sem = sem_from_growth(side.growth)
    schema = replace(sem.schema, outcome=OUTCOME)
    problem = wide_data(replace(sem, schema=schema), frame).problem
    cells = _cells(frame[schema.person].nunique(), len(frame))
    moments = SemMoments(problem, cells, _kinds(side.growth, cells))
    rng = np.random.default_rng(11)
    keys = {name: key for key, name in sem.names}
    starts = {p.parameter: p.start for p in sem.model.paths if p.free and p.start is not None}
    values = []
    for _ in range(draws):
        drawn = _drawn(side.growth, rng)
        values.append(np.array([drawn(keys[n], starts.get(n)) for n in moments.names]))
    return moments, values


def _drawn(growth: GrowthModel, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    """Values by growth key: factor covariances positive definite, variances positive."""
    covariances: dict[str, float] = {}
    for block in growth.blocks:
        q = len(block.factors)
        root = 0.4 * rng.normal(size=(q, q)) + np.eye(q)
        matrix = root @ root.T / q
        for k, one in enumerate(block.factors):
            for m in range(k, q):
                covariances[cov_key(one, block.factors[m])] = float(matrix[k, m])

    def value(key: str, start: float | None) -> float:
        if key in covariances:
            return covariances[key]
        if key.startswith("residual"):
            return float(rng.uniform(0.5, 1.5))
        if start is not None:
            return float(start + 0.3 * rng.normal())
        return float(rng.normal())

    return value
