"""Persons of a problem drawn again, with all that is theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.estimated_loadings import refuse_estimated_loadings

__all__ = ["draw_persons", "refuse_clusters", "take_persons"]

Problem = LongProblem | WideProblem
IntArray = NDArray[np.intp]


def draw_persons(
    problem: Problem, rng: np.random.Generator, n_subjects: int | None = None
) -> Problem:
    """As many persons as there are (or `n_subjects`), drawn with replacement.

    Groups of a structural equation model keep their sizes, or their shares.

    Parameters
    ----------
    problem : LongProblem or WideProblem
        From which to draw.
    rng : Generator
        Random numbers.
    n_subjects : int, optional
        How many persons; as many as there are where None.
    """
    if isinstance(problem, LongProblem):
        n = problem.n_subjects
        return take_persons(problem, (rng.integers(n, size=n_subjects or n),))
    sizes = [_size(data) for data in problem.groups]
    wanted = sizes
    if n_subjects is not None:
        edges = np.round(np.cumsum([0, *sizes]) * n_subjects / sum(sizes)).astype(int)
        wanted = np.diff(edges).tolist()
    chosen = tuple(rng.integers(n, size=k) for n, k in zip(sizes, wanted, strict=True))
    return take_persons(problem, chosen)


def _size(data: object) -> int:
    if not isinstance(data, WideGroup):
        raise UnsupportedEngineError(
            "Moments hold no persons to draw again.", hint="Give the rows of the data."
        )
    return len(data.outcomes)


def take_persons(problem: Problem, chosen: tuple[IntArray, ...]) -> Problem:
    """The problem of some persons, each as often as chosen, group by group.

    Parameters
    ----------
    problem : LongProblem or WideProblem
        From which to take.
    chosen : tuple of (n_chosen,) ndarray of int
        Positions of persons, one array a group (one for a long problem).
    """
    refuse_estimated_loadings(problem, "A sample of persons")
    refuse_clusters(problem)
    if isinstance(problem, LongProblem):
        return _long(problem, chosen[0])
    groups = []
    for data, rows in zip(problem.groups, chosen, strict=True):
        _size(data)
        assert isinstance(data, WideGroup)
        held = tuple((name, values[rows]) for name, values in data.definitions)
        groups.append(WideGroup(data.outcomes[rows], data.covariates[rows], held))
    return replace(problem, groups=tuple(groups))


def refuse_clusters(problem: Problem) -> None:
    """Refuse to draw persons that stand in clusters.

    Raises
    ------
    UnsupportedEngineError
        If they do.
    """
    if _clustered(problem):
        raise UnsupportedEngineError(
            "Persons in clusters are not independent of each other, and are not drawn one by one.",
            hint="Use a model without effects of clusters.",
        )


def _clustered(problem: Problem) -> bool:
    if isinstance(problem, LongProblem):
        return problem.clusters is not None
    return any(isinstance(g, WideGroup) and g.clusters is not None for g in problem.groups)


def _long(problem: LongProblem, chosen: IntArray) -> LongProblem:
    order = np.argsort(problem.subject, kind="stable")
    edges = np.searchsorted(np.asarray(problem.subject)[order], np.arange(problem.n_subjects + 1))
    sizes = np.diff(edges)[chosen]
    starts = np.repeat(edges[chosen] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
    rows = order[starts + np.arange(int(sizes.sum()))]
    return replace(
        problem,
        outcome=problem.outcome[rows],
        fixed=problem.fixed[rows],
        random=problem.random[rows],
        subject=np.repeat(np.arange(len(chosen)), sizes),
        n_subjects=len(chosen),
        occasion=problem.occasion[rows],
        strata=None if problem.strata is None else problem.strata[rows],
    )
