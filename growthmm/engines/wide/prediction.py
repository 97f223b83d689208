"""Fitted outcomes, person by person."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.latent import factor_scores
from growthmm.engines.wide.levels.prediction import level_scores
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.engines.wide.statistics import Persons, persons, reach
from growthmm.engines.wide.system import compile_problem
from growthmm.errors import FitFailedError, UnsupportedEngineError

__all__ = ["fitted"]

FloatArray = NDArray[np.float64]
Level = Literal["person", "population"]

CHUNK = 4096


def fitted(problem: WideProblem, values: FloatArray, level: Level = "person") -> FloatArray:
    """Expected outcomes given covariates, and given the person's factor scores where asked.

    With outcomes y, latent variables f and covariates x, ``y = A_y y + L f + K x + e``: the
    population's is ``E(y | x)``, a person's ``(I - A_y)^-1 (L f + K x)`` at the scores of the
    regression method, which for a growth curve is a mixed model's ``X b + Z u``.

    Parameters
    ----------
    problem : WideProblem
        Model and data (persons, not moments).
    values : (n_parameters,) ndarray
        Parameter values.
    level : {"person", "population"}
        Which expectation.

    Returns
    -------
    (n_subjects, n_outcomes) ndarray
        Persons in the order of the data, group after group; NaN where it depends on a covariate
        that is missing.

    Raises
    ------
    UnsupportedEngineError
        If a group is given by its moments.
    FitFailedError
        If the paths form a cycle without a solution at `values`.

    Examples
    --------
    >>> from growthmm.model.sem import Path, SemModel
    >>> model = SemModel((Path("y", "~1"), Path("y", "~~", "y")), (), ("y",))
    >>> rows = WideGroup(np.array([[1.0], [3.0]]), np.empty((2, 0)))
    >>> fitted(WideProblem(model, (rows,)), np.array([2.0, 1.0])).tolist()
    [[2.0], [2.0]]
    """
    system = compile_problem(problem)
    values = np.asarray(values, dtype=float)
    if system.levels is not None:
        only = problem.groups[0]
        assert isinstance(only, WideGroup)  # compile_problem has looked
        both = level_scores((system.groups[0][0], system.groups[1][0]), only, values)
        return both.population if level == "population" else both.person
    made, first = [], 0
    scores = factor_scores(problem, values)[0] if level == "person" else None
    for (ram, _), data in zip(system.groups, problem.groups, strict=True):
        if not isinstance(data, WideGroup):
            raise UnsupportedEngineError(
                "Moments hold no persons to predict for.", hint="Give the rows of the data."
            )
        rows = persons(ram, data)
        for start in range(0, len(rows.observed), CHUNK):
            part = slice(start, start + CHUNK)
            if scores is None:
                made.append(_given_covariates(ram, rows, part, values))
                continue
            own = scores[first : first + len(rows.observed[part])]
            made.append(_given_scores(ram, rows, part, values, own))
            first += len(own)
    return np.concatenate(made)


def _designs(rows: Persons, part: slice) -> FloatArray | None:
    return None if rows.designs is None else rows.designs[part]


def _given_covariates(ram: r.Ram, rows: Persons, part: slice, values: FloatArray) -> FloatArray:
    at = r.implied(ram, values, _designs(rows, part))
    if at is None:
        raise _cycle()
    t = ram.n_outcomes
    expected = np.einsum(
        "dpw,nw->np" if len(at.mean) == 1 else "npw,nw->np", at.mean, rows.regressors[part]
    )
    unknown = ~rows.known[part] @ reach(ram)[0]
    return np.where(unknown[:, :t], np.nan, expected[:, :t])


def _given_scores(
    ram: r.Ram, rows: Persons, part: slice, values: FloatArray, scores: FloatArray
) -> FloatArray:
    t = ram.n_outcomes
    a, _, k = r.matrices(ram, values, _designs(rows, part))
    try:
        total = np.linalg.inv(np.eye(t) - a[:, :t, :t])
    except np.linalg.LinAlgError:
        raise _cycle() from None
    direct, loads = total @ k[:, :t], total @ a[:, :t, t:]
    design = "d" if len(direct) == 1 else "n"
    expected = np.einsum(f"{design}tw,nw->nt", direct, rows.regressors[part])
    expected = expected + np.einsum(f"{design}tl,nl->nt", loads, np.nan_to_num(scores))
    unknown = ~rows.known[part] @ np.any(direct != 0, axis=0).T
    unknown |= np.isnan(scores) @ np.any(loads != 0, axis=0).T
    return np.where(unknown, np.nan, expected)


def _cycle() -> FitFailedError:
    return FitFailedError(
        "The paths form a cycle that has no solution at these values.",
        hint="Change the regressions within the cycle.",
    )
