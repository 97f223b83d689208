"""Parameter values at which the two forms are compared, by the growth model's keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design import evaluate
from growthmm.engines.outcome import EngineFit
from growthmm.errors import ValueColumnError
from growthmm.model.expression import quote
from growthmm.model.growth import FactorBlock, GrowthModel
from growthmm.model.schema import Column, Schema
from growthmm.translation.pair import Pair

__all__ = ["admissible", "block_matrix", "by_key", "design_frame", "interior", "order", "perturbed"]

FloatArray = NDArray[np.float64]

FLOOR = 0.05
"""Least variance of any combination of random effects, as a share of the largest."""


def order(names: tuple[str, ...], named: dict[str, str], keys: tuple[str, ...]) -> list[int]:
    """For each of a side's parameters, the position of its growth key.

    Parameters
    ----------
    names : tuple of str
        The side's parameters.
    named : dict of str to str
        The side's name of each key.
    keys : tuple of str
        The growth model's keys.

    Examples
    --------
    >>> order(("b", "a"), {"mean:i": "a", "mean:s": "b"}, ("mean:i", "mean:s"))
    [1, 0]
    """
    position = {named[key]: k for k, key in enumerate(keys)}
    return [position[name] for name in names]


def by_key(values: FloatArray, places: list[int]) -> FloatArray:
    """A side's values, put in the order of the keys."""
    made = np.empty(len(places))
    made[places] = values
    return made


def block_matrix(
    block: FactorBlock, values: FloatArray, keys: tuple[str, ...]
) -> tuple[FloatArray, NDArray[np.intp]]:
    """A block's covariance matrix and where each of its entries stands among the keys."""
    q = len(block.factors)
    where = np.zeros((q, q), dtype=np.intp)
    for a, first in enumerate(block.factors):
        for b in range(a, q):
            where[a, b] = where[b, a] = keys.index(f"cov:{first}:{block.factors[b]}")
    return values[where], where


def admissible(growth: GrowthModel, keys: tuple[str, ...], rng: np.random.Generator) -> FloatArray:
    """Random parameter values, covariance matrices positive definite."""
    values = rng.normal(size=len(keys))
    for k, key in enumerate(keys):
        if key.startswith("residual"):
            values[k] = rng.uniform(0.5, 1.5)
    for block in growth.blocks:
        q = len(block.factors)
        root = rng.normal(size=(q, q)) + 0.3 * np.eye(q)
        _, where = block_matrix(block, values, keys)
        values[where] = root @ root.T / q
    return values


def interior(pair: Pair, fit: EngineFit, keys: tuple[str, ...]) -> FloatArray:
    """The mixed model's estimates by key, the factor covariance moved off the boundary.

    How near the boundary it is, is judged for factors with orthonormal loadings, so that neither
    the unit nor the origin of time matters.
    """
    values = by_key(fit.estimates, order(fit.names, dict(pair.mixed_names), keys))
    residual = float(
        np.mean([v for key, v in zip(keys, values, strict=True) if key.startswith("residual")])
    )
    for block in pair.growth.blocks:
        G, where = block_matrix(block, values, keys)
        loadings = np.array([pair.growth.factor(name).loadings for name in block.factors]).T
        turn = np.asarray(np.linalg.qr(loadings, mode="r"))
        if len(turn) < len(G) or np.linalg.cond(turn / np.linalg.norm(turn, axis=0)) > 1e12:
            turn = np.diag(np.linalg.norm(loadings, axis=0))
        curvature, basis = np.linalg.eigh(turn @ G @ turn.T)
        floor = FLOOR * max(float(curvature[-1]), 0.1 * residual)
        if curvature[0] < floor:
            back = np.linalg.solve(turn, basis)
            G = (back * np.maximum(curvature, floor)) @ back.T
            values[where] = 0.5 * (G + G.T)
    return values


def perturbed(
    pair: Pair, fit: EngineFit, center: FloatArray, keys: tuple[str, ...], rng: np.random.Generator
) -> FloatArray:
    """Another admissible point: fixed effects moved as their estimates vary, variances by factors.

    The factor covariance is multiplied by one number, each residual variance by one of its own.
    """
    places = np.array(order(fit.names, dict(pair.mixed_names), keys))
    fixed = [k for k, kind in enumerate(fit.kinds) if kind == "fixed"]
    spread = fit.covariance[np.ix_(fixed, fixed)]
    moved = center.copy()
    if fixed and np.all(np.isfinite(spread)):
        scale = np.sqrt(np.diag(spread))
        curvature, basis = np.linalg.eigh(spread / np.outer(scale, scale))
        root = scale[:, None] * basis * np.sqrt(np.maximum(curvature, 0.0))
        moved[places[fixed]] += 2.0 * root @ rng.normal(size=len(fixed))
    covariance = rng.uniform(0.7, 1.4)
    for k, key in enumerate(keys):
        if key.startswith("cov:"):
            moved[k] *= covariance
        elif key.startswith("residual"):
            moved[k] *= rng.uniform(0.7, 1.4)
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


def _drawn(  # type: ignore[no-untyped-def]
    schema: Schema, n_persons: int, rng: np.random.Generator, *, positive: bool
):
    import pandas as pd

    t = len(schema.occasions)
    made: dict[str, object] = {
        schema.person: np.repeat(np.arange(n_persons), t),
        schema.time: np.tile(np.asarray(schema.occasions), n_persons),  # type: ignore[dict-item]
    }
    for variable in schema.variables:
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
        if levels is None and numbered is not None:
            levels = dict(numbered.values).get("levels")
        drawn: object
        if levels is not None:
            # Each level as often as the others, in an order of its own for each variable.
            codes = rng.permutation(np.arange(size) % len(levels))
            drawn = pd.Categorical.from_codes(codes, pd.Index(list(levels), dtype=object))
            if variable.levels is None:
                drawn = np.asarray(levels)[codes]
        else:
            drawn = np.exp(rng.normal(size=size)) if positive else rng.normal(size=size)
        made[variable.name] = drawn if within else np.repeat(drawn, t)  # type: ignore[call-overload]
    return pd.DataFrame(made)
