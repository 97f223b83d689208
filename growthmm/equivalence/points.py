"""Parameter values, and persons, at which the two forms are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate
from growthmm.data.lagging import with_lagged
from growthmm.engines.outcome import EngineFit
from growthmm.equivalence.moment_functions import MixedMoments
from growthmm.errors import ValueColumnError
from growthmm.model.expression import quote
from growthmm.model.schema import Column, Schema, Variable

__all__ = [
    "admissible",
    "block_entries",
    "design_frame",
    "finite_designs",
    "interior",
    "perturbed",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

FLOOR = 0.05
"""Least variance of any combination of random effects, as a share of the largest."""


PERSONS_OF_A_CLUSTER = 3
"""In designs that are drawn."""


def block_entries(mixed: MixedMoments) -> list[tuple[tuple[int, ...], IntArray]]:
    """Columns of each independent block of random effects, and where its entries stand.

    Returns
    -------
    list of (columns, (n_effects, n_effects) ndarray of int)
        Positions among the parameters; -1 for an entry that is held at a number.
    """
    problem = mixed.problem
    at = {name: k for k, name in enumerate(mixed.names)}
    cells = dict(zip(problem.block_entries, problem.block_cells, strict=True))
    made = []
    for block in problem.blocks:
        parts = [(c,) for c in block.columns] if block.diagonal else [block.columns]
        for columns in parts:
            where = np.full((len(columns),) * 2, -1, dtype=np.intp)
            for a, first in enumerate(columns):
                for b, second in enumerate(columns[a:], a):
                    cell = cells[first, second]
                    if isinstance(cell, str):
                        where[a, b] = where[b, a] = at[cell]
            made.append((tuple(columns), where))
    return made


def _patterned(where: IntArray) -> bool:
    """Whether entries are held or share a parameter."""
    upper = where[np.triu_indices(len(where))]
    return bool((upper < 0).any()) or len(set(upper.tolist())) < len(upper)


def admissible(mixed: MixedMoments, rng: np.random.Generator) -> FloatArray:
    """Random parameter values of a mixed model, covariance matrices positive definite."""
    values = rng.normal(size=len(mixed.names))
    p, curves = mixed.problem.fixed.shape[1], mixed.problem.loadings
    if curves is not None:
        start = curves.starts[0]
        spread = 0.3 * np.maximum(np.abs(start), 0.1)
        own = slice(p, p + len(start))
        moves = values[own].copy()
        for shrunk in (1.0, 0.3, 0.1, 0.0):
            values[own] = start + shrunk * spread * moves
            if finite_designs(mixed, values):
                break
        p += len(start)
    residual = [k for k in range(len(values)) if k >= p]
    for columns, where in block_entries(mixed):
        q = len(columns)
        if _patterned(where):
            # Shared entries: every one of its diagonal outweighs those beside it.
            for k in set(where[where >= 0].tolist()):
                values[k] = rng.uniform(-0.3, 0.3) / q
            for k in set(np.diag(where)[np.diag(where) >= 0].tolist()):
                values[k] = rng.uniform(0.5, 1.5)
        else:
            root = rng.normal(size=(q, q)) + 0.3 * np.eye(q)
            values[where] = root @ root.T / q
        residual = [k for k in residual if k not in where]
    values[residual] = mixed.residuals.draw([mixed.names[k] for k in residual], rng)
    return values


def finite_designs(mixed: MixedMoments, values: FloatArray) -> bool:
    """Whether curves have values and slopes at all times."""
    curves = mixed.problem.loadings
    with np.errstate(all="ignore"):
        if curves is not None:
            start = mixed.problem.fixed.shape[1]
            own = curves.evaluate(np.asarray(values)[start : start + len(curves.names)])
            if not np.isfinite(own.second).all():
                return False
        return all(bool(np.all(np.isfinite(design))) for design in mixed.designs(values))


def interior(mixed: MixedMoments, fit: EngineFit) -> FloatArray:
    """The mixed model's estimates, the random effects' covariance moved off the boundary.

    How near the boundary it is, is judged for factors with orthonormal loadings, so that neither
    the unit nor the origin of time matters.
    """
    problem = mixed.problem
    values = np.array([fit.value(name) for name in mixed.names])
    residual = float(np.mean(mixed.residuals.variances(values)))
    _, G = mixed.matrices(values)
    _, random = mixed.designs(values)
    for columns, where in block_entries(mixed):
        loadings = random[:, list(columns)] / np.sqrt(problem.n_subjects)
        turn = np.asarray(np.linalg.qr(loadings, mode="r"))
        if len(turn) < len(columns) or np.linalg.cond(turn / np.linalg.norm(turn, axis=0)) > 1e12:
            turn = np.diag(np.linalg.norm(loadings, axis=0))
        own = G[np.ix_(columns, columns)]
        curvature, basis = np.linalg.eigh(turn @ own @ turn.T)
        floor = FLOOR * max(float(curvature[-1]), 0.1 * residual)
        if curvature[0] >= floor:
            continue
        back = np.linalg.solve(turn, basis)
        raised = (back * np.maximum(curvature, floor)) @ back.T
        if _patterned(where):
            diagonal = np.diag(where)
            for k in set(diagonal[diagonal >= 0].tolist()):
                values[k] += float(np.max(np.diag(raised - own)[diagonal == k]))
        else:
            values[where] = 0.5 * (raised + raised.T)
    return values


def perturbed(
    mixed: MixedMoments, fit: EngineFit, center: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Another admissible point: fixed effects moved as their estimates vary, variances by factors.

    The random effects' covariance is multiplied by one number, and so are residuals that are
    correlated; each residual variance of uncorrelated ones by one of its own.
    """
    fixed = [k for k, kind in enumerate(fit.kinds) if kind == "fixed"]
    places = np.array([mixed.names.index(name) for name in fit.names], dtype=np.intp)
    spread = fit.covariance[np.ix_(fixed, fixed)]
    moved = center.copy()
    if fixed and np.all(np.isfinite(spread)):
        scale = np.sqrt(np.diag(spread))
        curvature, basis = np.linalg.eigh(spread / np.outer(scale, scale))
        root = scale[:, None] * basis * np.sqrt(np.maximum(curvature, 0.0))
        moved[places[fixed]] += 2.0 * root @ rng.normal(size=len(fixed))
    random, common = rng.uniform(0.7, 1.4), rng.uniform(0.7, 1.4)
    for k, kind in zip(places, fit.kinds, strict=True):
        if kind in ("variance", "covariance"):
            moved[k] *= random
        elif kind == "residual" and mixed.residuals.heterogeneous:
            moved[k] *= rng.uniform(0.7, 1.4)
        elif kind == "residual" and mixed.residuals.has_unit(mixed.names[k]):
            moved[k] *= common
    return moved


def design_frame(  # type: ignore[no-untyped-def]
    schema: Schema, n_persons: int, seed: int, *, columns: Sequence[Column] = ()
):
    """Persons with random covariates, seen at every occasion, and random outcomes beside.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    n_persons : int
        How many persons.
    seed : int
        Of the random numbers.
    columns : sequence of Column
        Design columns that must have values: where covariates of both signs give none, as under
        a logarithm, they are drawn positive.

    Returns
    -------
    frame : DataFrame
        Long data without the outcome.
    outcome : (n_persons * n_times,) ndarray
        Numbers to stand for it.
    """
    rng = np.random.default_rng(seed)
    frame = _drawn(schema, n_persons, rng, positive=False)
    try:
        evaluate(columns, frame, schema)
    except ValueColumnError:
        frame = _drawn(schema, n_persons, rng, positive=True)
    return frame, rng.normal(size=len(frame))


def _times(schema: Schema, n_persons: int, rng: np.random.Generator) -> FloatArray:
    """The occasions of each person, or times drawn for each."""
    if schema.shared_times:
        return np.tile(np.asarray(schema.occasions), n_persons)
    low, high = schema.time_range or (0.0, float(len(schema.numbers)))
    drawn = rng.uniform(low, high, (n_persons, len(schema.numbers)))
    return np.sort(drawn, axis=1).ravel()


def _drawn(  # type: ignore[no-untyped-def]
    schema: Schema, n_persons: int, rng: np.random.Generator, *, positive: bool
):
    import pandas as pd

    t, grouping = len(schema.numbers), schema.grouping
    made: dict[str, object] = {
        schema.person: np.repeat(np.arange(n_persons), t),
        schema.time: _times(schema, n_persons, rng),  # type: ignore[dict-item]
    }
    clusters = np.arange(n_persons) // PERSONS_OF_A_CLUSTER
    if schema.cluster is not None:
        made[schema.cluster] = np.repeat(clusters, t)
    # Columns of one covariate at several lags have values that belong together.
    known = {variable.name for variable in schema.variables}
    sources = dict.fromkeys(lagged.of for lagged in schema.lagged if lagged.of not in known)
    for variable in (*schema.variables, *(Variable(name, "time_varying") for name in sources)):
        if variable.name in made:
            continue
        constants = schema.constants_of(variable.name)
        levels = variable.levels
        if variable.role == "time_function" and constants is not None:
            values = np.asarray(constants.values[0][1])
            if levels is not None:
                values = np.asarray(levels, dtype=object)[values.astype(np.intp)]
            made[variable.name] = np.tile(values, n_persons)
            continue
        within = variable.role == "time_varying"
        size = n_persons * t if within else n_persons
        numbered = schema.constants_of(f"C({quote(variable.name)})")
        if grouping is not None and variable.name == grouping.variable:
            levels = grouping.levels
        elif levels is None and numbered is not None:
            levels = dict(numbered.values).get("levels")
        if variable.role == "cluster_level":
            size = int(clusters[-1]) + 1
        drawn: object
        if levels is not None:
            # Each level as often as the others, in an order of its own for each variable.
            codes = rng.permutation(np.arange(size) % len(levels))
            drawn = pd.Categorical.from_codes(codes, pd.Index(list(levels), dtype=object))
            if variable.levels is None:
                drawn = np.asarray(levels)[codes]
        else:
            drawn = np.exp(rng.normal(size=size)) if positive else rng.normal(size=size)
        if variable.role == "cluster_level":
            drawn = drawn[clusters]  # type: ignore[index]
        if within and schema.series:
            drawn = _shared(schema, variable.name, np.asarray(drawn), n_persons)
        made[variable.name] = drawn if within else np.repeat(drawn, t)  # type: ignore[call-overload]
    for name in dict.fromkeys(lagged.of for lagged in schema.lagged):
        # Several lags of a covariate that stands nowhere itself are of the same values.
        if name not in made:
            drawn = rng.normal(size=n_persons * t)
            values = np.exp(drawn) if positive else drawn
            made[name] = _shared(schema, name, values, n_persons) if schema.series else values
    frame = with_lagged(pd.DataFrame(made), schema)
    if grouping is None or not grouping.columns:
        return frame
    # Cohorts are seen at the times that they have columns for.
    seen = np.zeros(len(frame), dtype=bool)
    for level, columns in zip(grouping.order or grouping.levels, grouping.columns, strict=True):
        at = np.isin(frame[schema.time], [time for _, time in columns])
        seen |= at & np.asarray(frame[grouping.variable] == level)
    return frame[seen].reset_index(drop=True)


def _shared(schema: Schema, name: str, drawn: NDArray[Any], n_persons: int) -> NDArray[Any]:
    """Values of a covariate that several outcomes share at one time, the same in their rows."""
    columns = schema.wide_columns(name)
    if columns is None:
        return drawn
    first = [columns.index(column) for column in columns]
    return drawn.reshape(n_persons, -1)[:, first].ravel()
