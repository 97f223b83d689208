"""Random effects of persons, and a robust covariance of the fixed effects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.curved.linear import at_values
from growthmm.engines.long.dense import pattern_covariance
from growthmm.engines.long.evaluation import admissible
from growthmm.engines.long.narrow import cholesky, small_covariance, solve
from growthmm.engines.long.nested.effects import cluster_scores, nested_effects
from growthmm.engines.long.nested.statistics import Nested
from growthmm.engines.long.patterns import persons
from growthmm.engines.long.prepared import Prepared, prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.products import person_products, semi_cholesky, solve_lower, square
from growthmm.engines.long.residual_structures.base import Pattern
from growthmm.engines.long.rows import ordered, transformed
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.model.names import stratum_names
from growthmm.model.residual import BY_LEVEL

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "random_effects",
    "residual_matrix",
    "residual_places",
    "sandwich",
    "whitened_persons",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

CHUNK_VALUES = 400_000


def random_effects(problem: LongProblem, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Best linear predictions of the random effects, at given parameters.

    ``b_i = G Z_i' V_i^-1 (y_i - X_i beta)`` with conditional covariance
    ``G - G Z_i' V_i^-1 Z_i G`` (Laird & Ware 1982, doi:10.2307/2529876): lme4's ``ranef`` and
    ``condVar``, without the uncertainty of the fixed effects.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        In the order of `parameter_names`.

    Returns
    -------
    modes : (n_subjects, n_random) ndarray
    covariances : (n_subjects, n_random, n_random) ndarray
        A person without rows has zeros and the covariance of the random effects.

    Notes
    -----
    In the columns of clusters stand the effects of the person's cluster.

    Raises
    ------
    SpecificationError
        Where some person's covariance matrix is not positive definite.
    """
    problem, values = at_values(problem, values)
    ready = prepare(problem)
    admissible(ready, values)
    internal = ready.internal(values)
    fixed, parameters = internal[: ready.n_fixed], internal[ready.n_fixed :]
    covariance = ready.covariance(parameters)
    q = len(covariance)
    back = ready.scaling.unit * ready.scaling.random
    modes = np.zeros((problem.n_subjects, q))
    spread = np.tile(back @ covariance @ back.T, (problem.n_subjects, 1, 1))
    if q == 0:
        return modes, spread
    if isinstance(ready.products, Nested):
        return nested_effects(problem, ready, internal)
    pieces = (
        _products_pieces(problem, ready, fixed, covariance, float(parameters[-1]))
        if ready.products is not None
        else _dense_pieces(problem, ready, fixed, parameters)
    )
    turn = back @ covariance
    for person, linear, quadratic in pieces:
        modes[person] = linear @ turn.T
        spread[person] -= turn @ quadratic @ turn.T
    return modes, spread


def _products_pieces(
    problem: LongProblem,
    ready: Prepared,
    fixed: FloatArray,
    covariance: FloatArray,
    scale: float,
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Persons, their ``Z'V^-1r`` (n, q) and ``Z'V^-1Z`` (n, q, q)."""
    rows = ordered(problem)
    squares, vectors, _ = person_products(problem, ready.scaling, rows)
    q = len(covariance)
    factor = semi_cholesky(square(squares, q))
    left = np.tensordot(np.append(-fixed, 1.0), vectors, axes=1)
    lower = cholesky(small_covariance(factor, covariance, scale))
    assert lower is not None  # admissible() has looked
    whitened = solve(lower, solve_lower(factor, left[None]))[0]
    bases = solve(lower, factor)
    linear = np.einsum("irg,rg->gi", bases, whitened)
    yield rows.present, linear, np.einsum("irg,jrg->gij", bases, bases)


def _dense_pieces(
    problem: LongProblem, ready: Prepared, fixed: FloatArray, parameters: FloatArray
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    for person, inverse, design, data in whitened_persons(problem, ready, parameters):
        left = inverse @ (data @ np.append(-fixed, 1.0))[..., None]
        turned = inverse @ design
        back = turned.transpose(0, 2, 1)
        yield person, (back @ left)[..., 0], back @ turned


def whitened_persons(
    problem: LongProblem, ready: Prepared, parameters: FloatArray
) -> Iterator[tuple[IntArray, FloatArray, FloatArray, FloatArray]]:
    """Persons, ``L^-1``, `Z` and ``[X, y]``, in pieces."""
    covariance, own = ready.covariance(parameters), parameters[len(ready.entries) :]
    for batch in persons(problem, ready.scaling, ready.structure):
        n, size, c = batch.data.shape
        step = max(1, CHUNK_VALUES // (size * (size + c)))
        for low in range(0, n, step):
            part = slice(low, low + step)
            pattern = Pattern(batch.pattern.occasion[part], batch.pattern.stratum[part])
            residual = ready.structure.evaluate(own, pattern)
            assert residual is not None  # admissible() has looked
            whole = pattern_covariance(batch.design[part], covariance, residual.matrix)
            inverse = np.linalg.inv(np.linalg.cholesky(whole))
            yield batch.person[part], inverse, batch.design[part], batch.data[part]


def sandwich(problem: LongProblem, values: FloatArray, kind: Literal["cr0"] = "cr0") -> FloatArray:
    """Cluster-robust covariance of the fixed effects.

    ``(X'V^-1X)^-1 sum_i X_i'V_i^-1 r_i r_i'V_i^-1X_i (X'V^-1X)^-1`` (Liang & Zeger 1986,
    doi:10.1093/biomet/73.1.13).

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        In the order of `parameter_names`.
    kind : {"cr0"}
        Without a correction for few persons.

    Returns
    -------
    (n_fixed, n_fixed) ndarray
        Over clusters where persons stand in clusters, else over persons.

    Raises
    ------
    SpecificationError
        If `kind` is not known, or some person's covariance matrix is not positive definite.
    """
    if kind != "cr0":
        raise SpecificationError(f"There is no sandwich {kind!r}.", hint="Use 'cr0'.")
    if problem.loadings is not None:
        raise UnsupportedEngineError(
            "Parameters in the loadings tie means and covariances together, so that the fixed "
            "effects have no sandwich of their own.",
            hint="Use robust='observed' with the wide engine.",
        )
    ready = prepare(problem)
    surface = admissible(ready, values)
    internal = ready.internal(values)
    fixed, parameters = internal[: ready.n_fixed], internal[ready.n_fixed :]
    p = ready.n_fixed
    meat = np.zeros((p, p))
    if isinstance(ready.products, Nested):
        scores = cluster_scores(ready, internal)
        meat += scores.T @ scores
    elif ready.products is None:
        contrast = np.append(-fixed, 1.0)
        for _, inverse, _, data in whitened_persons(problem, ready, parameters):
            left = inverse @ (data @ contrast)[..., None]
            scores = ((inverse @ data[..., :p]).transpose(0, 2, 1) @ left)[..., 0]
            meat += scores.T @ scores
    else:
        scores = _person_scores(problem, ready, values, fixed)
        meat += scores.T @ scores
    inner = surface.gls @ meat @ surface.gls
    back = ready.jacobian[:p, :p]
    return np.asarray(back @ inner @ back.T, dtype=float)


def _person_scores(
    problem: LongProblem, ready: Prepared, values: FloatArray, fixed: FloatArray
) -> FloatArray:
    """``X_i'V_i^-1r_i`` of every person: ``V^-1 r = (r - Z b) / s`` with `b` the predictions."""
    rows = ordered(problem)
    order = slice(None) if rows.order is None else rows.order
    data, _ = transformed(problem, ready.scaling, order)
    modes, _ = random_effects(problem, values)
    p = ready.n_fixed
    own = modes[problem.subject[order]] / ready.scaling.unit
    left = data @ np.append(-fixed, 1.0)
    left -= np.einsum("ij,ij->i", problem.random[order], own)
    scale = float(ready.internal(values)[-1])
    scored = data[:, :p] * (left / scale)[:, None]
    return np.asarray(np.add.reduceat(scored, rows.starts[:-1], axis=0), dtype=float)


def residual_matrix(problem: LongProblem, values: FloatArray) -> pd.DataFrame:
    """Residual covariance matrix over the occasions.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        In the order of `parameter_names`.

    Returns
    -------
    DataFrame
        Labelled by times; by strata for residual variances by group; by groups and times for a
        structure of its own in each group; one entry labelled
        ``Residual`` where residuals are alike at all times.
    """
    import pandas as pd

    problem, values = at_values(problem, values)
    ready = prepare(problem)
    own = np.asarray(values, dtype=float)
    if ready.restriction is not None:
        own = ready.restriction.expand(own, ready.n_fixed)
    own = own[len(own) - len(ready.structure.names) :]
    labels: list[object] = ["Residual"]
    index = np.zeros((1, 1), dtype=np.intp)
    pattern = Pattern(index, index)
    if problem.residual.kind == "groupwise":
        # Groups after each other, and in each of them the times.
        labels = list(stratum_names(problem.strata_names, problem.occasions))
        size, groups = len(problem.occasions), len(problem.strata_names)
        times, index = np.meshgrid(np.arange(size), np.arange(groups))
        pattern = Pattern(times, index)
    elif ready.structure.by_stratum:
        labels = list(problem.strata_names)
        index = np.arange(len(labels))[None]
        pattern = Pattern(np.zeros_like(index), index)
    elif len(problem.occasions) > 1 and problem.residual.kind != "common":
        labels = list(problem.occasions)
        if problem.series:
            cells = zip(problem.series, problem.occasions, strict=True)
            labels = [stratum_names((one,), (time,))[0] for one, time in cells]
        index = np.arange(len(labels))[None]
        pattern = Pattern(index, np.zeros_like(index))
    evaluated = ready.structure.evaluate(own, pattern)
    if evaluated is None:
        raise SpecificationError(
            f"The residual parameters {own.tolist()} are outside their domain.",
            hint="Variances are positive and correlations inside (-1, 1).",
        )
    matrix = evaluated.matrix[0]
    if problem.residual.kind == "groupwise":
        from scipy.linalg import block_diag

        matrix = np.asarray(block_diag(*evaluated.matrix))
    return pd.DataFrame(matrix, index=labels, columns=labels)


def residual_places(problem: LongProblem) -> IntArray:
    """Which row of :func:`residual_matrix` each row of the data is, (n_rows,)."""
    kind, occasion = problem.residual.kind, np.asarray(problem.occasion, dtype=np.intp)
    if kind in BY_LEVEL:
        assert problem.strata is not None
        strata = np.asarray(problem.strata, dtype=np.intp)
        return strata if kind == "by_group" else strata * len(problem.occasions) + occasion
    return np.zeros_like(occasion) if kind == "common" else occasion
