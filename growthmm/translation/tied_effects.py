"""Effects of a time-varying covariate that labels and constraints tie, as effects in time.

Linear equalities leave the effects of the occasions a linear space. Where that is all polynomials
in time of some degree, the effects are a constant one, one that grows with time, and so on;
otherwise each parameter that the ties leave free moves with a column of time of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.model.growth import Covariate, DirectEffect, direct_key
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import Constraint, Path, SemModel
from growthmm.notation.sem.text import number_text
from growthmm.translation.loadings.basis import basis_column
from growthmm.translation.ties import constraints_among, linear_ties

__all__ = ["TiedEffects", "tied_effects"]

FloatArray = NDArray[np.float64]

NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class TiedEffects:
    """What tied paths from one covariate say.

    Parameters
    ----------
    effects : tuple of DirectEffect
        One for each dimension that the ties leave.
    names : tuple of (str, str)
        Keys of the effects that are one parameter of the SEM, and the parameter.
    rules : tuple of (str, str)
        Keys of the others, and how they follow from the SEM's parameters.
    constraints : tuple of Constraint
        The constraints that the effects meet whatever their values.
    """

    effects: tuple[DirectEffect, ...]
    names: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str], ...]
    constraints: tuple[Constraint, ...]


def tied_effects(
    covariate: Covariate,
    found: Sequence[tuple[int, Path]],
    model: SemModel,
    schema: Schema,
    hints: Sequence[Column] = (),
) -> TiedEffects | None:
    """Paths from one covariate to the outcomes of several occasions, as effects in time.

    Parameters
    ----------
    covariate : Covariate
        A covariate of the occasion itself, with a column for each.
    found : sequence of (int, Path)
        The occasion that each path leads to; at least two of the paths are tied.
    model : SemModel
        With its constraints.
    schema : Schema
        With time and occasions of one outcome.
    hints : sequence of Column
        Columns of time that the effects may move with, tried first.

    Returns
    -------
    TiedEffects or None
        None where nothing ties the paths, or not by linear equations, or where they are of
        another covariate than said.

    Examples
    --------
    >>> from growthmm.model.schema import ColumnPart
    >>> from growthmm.model.terms import Term
    >>> rows = tuple(Path(f"y{j}", "~", f"x{j}", label=f"b{j}") for j in range(3))
    >>> model = SemModel(
    ...     rows, (), ("y0", "y1", "y2"), ("x0", "x1", "x2"), (Constraint("b2", "==", "2*b1 - b0"),)
    ... )
    >>> x = Covariate("x", Column(Term(("x",)), (ColumnPart("x"),)), True, ("x0", "x1", "x2"))
    >>> times = {"occasions": (0.0, 1.0, 2.0), "outcome_columns": ("y0", "y1", "y2")}
    >>> schema = Schema(person="id", time="t", outcome="y", **times)
    >>> made = tied_effects(x, tuple(enumerate(rows)), model, schema)
    >>> made.names, made.rules[0][1]
    ((('direct:x', 'b0'),), 'b1 - b0')
    """
    if not covariate.time_varying or covariate.shifted or schema.series or not schema.shared_times:
        return None
    parameters = tuple(dict.fromkeys(path.parameter for _, path in found))
    constraints = constraints_among(model, parameters)
    if len(parameters) == len(found) and not constraints:
        return None
    ties = linear_ties(model, constraints, parameters)
    if ties is None:
        return None
    where = (_numeric(schema), [c for c in hints if all(p.coding == "numeric" for p in c.parts)])
    size = len(parameters) - (int(np.linalg.matrix_rank(ties, tol=NEAR)) if len(ties) else 0)
    at = np.array([schema.occasions[j] for j, _ in found])
    if len(found) == len(schema.occasions) and 0 < size < len(found):
        powers = at[:, None] ** np.arange(size)
        own = np.array([powers[_first(found, p)] for p in parameters])
        every = np.array([own[parameters.index(path.parameter)] for _, path in found])
        if np.allclose(every, powers, atol=NEAR) and _met(ties, own):
            return _polynomial(covariate, parameters, own, constraints, where)
    return _apart(covariate, found, parameters, (ties, constraints), where)


def _numeric(schema: Schema) -> Schema:
    """The schema without categories of time: a formula codes all levels of these, not one."""
    categorical = {v.name for v in schema.variables if v.levels is not None}
    kept = (c for c in schema.constants if c.expression not in categorical)
    return replace(schema, constants=tuple(kept))


def _first(found: Sequence[tuple[int, Path]], parameter: str) -> int:
    return next(k for k, (_, path) in enumerate(found) if path.parameter == parameter)


def _met(ties: FloatArray, values: FloatArray) -> bool:
    return not len(ties) or bool(np.all(np.abs(ties @ values) <= NEAR * np.abs(values).max()))


def _polynomial(
    covariate: Covariate,
    parameters: tuple[str, ...],
    own: FloatArray,
    constraints: tuple[Constraint, ...],
    where: tuple[Schema, Sequence[Column]],
) -> TiedEffects | None:
    """A constant effect and those that grow with powers of time; `own` holds these powers."""
    schema, hints = where
    size = own.shape[1]
    chosen = _independent(own)
    weights = np.linalg.inv(own[chosen])
    effects: list[DirectEffect] = []
    told: list[str] = []
    for degree in range(size):
        if degree == 0:
            effects.append(DirectEffect(covariate.name))
        else:
            moving = tuple(t**degree for t in schema.occasions)
            column = basis_column(moving, schema, hints=hints, bases=False)
            if column is None:
                return None
            effects.append(DirectEffect(covariate.name, None, column, moving))
        told.append(_sum(weights[degree], [parameters[k] for k in chosen]))
    return _told(effects, told, parameters, constraints)


def _independent(own: FloatArray) -> list[int]:
    """Rows, of the earliest times where possible, that determine all others."""
    chosen: list[int] = []
    for k in range(len(own)):
        if np.linalg.matrix_rank(own[[*chosen, k]], tol=NEAR) > len(chosen):
            chosen.append(k)
    return chosen


def _apart(
    covariate: Covariate,
    found: Sequence[tuple[int, Path]],
    parameters: tuple[str, ...],
    tied: tuple[FloatArray, tuple[Constraint, ...]],
    where: tuple[Schema, Sequence[Column]],
) -> TiedEffects | None:
    """An effect for each parameter that the ties leave free, which moves as they say."""
    (ties, constraints), (schema, hints) = tied, where
    free, space = _free(ties, len(parameters))
    effects: list[DirectEffect] = []
    for k in range(len(free)):
        moving = [0.0] * len(schema.occasions)
        for j, path in found:
            moving[j] = round(float(space[parameters.index(path.parameter), k]), 12)
        places = [j for j, value in enumerate(moving) if value]
        if all(value == 1.0 for value in moving):
            effects.append(DirectEffect(covariate.name))
        elif len(places) == 1 and moving[places[0]] == 1.0:
            effects.append(DirectEffect(covariate.name, places[0]))
        else:
            column = basis_column(tuple(moving), schema, hints=hints, bases=False)
            if column is None:
                return None
            effects.append(DirectEffect(covariate.name, None, column, tuple(moving)))
    return _told(effects, [parameters[k] for k in free], parameters, constraints)


def _free(ties: FloatArray, size: int) -> tuple[list[int], FloatArray]:
    """Parameters that the ties leave free, and all in terms of these, (n_parameters, n_free)."""
    rows = ties.copy()
    bound: list[tuple[int, int]] = []
    # From the last: the effects at early occasions are kept.
    for k in reversed(range(size)):
        left = [r for r in range(len(rows)) if r not in [row for row, _ in bound]]
        pivot = max(left, key=lambda r: abs(rows[r, k]), default=None)
        if pivot is None or abs(rows[pivot, k]) <= NEAR:
            continue
        rows[pivot] /= rows[pivot, k]
        for r in range(len(rows)):
            if r != pivot:
                rows[r] -= rows[r, k] * rows[pivot]
        bound.append((pivot, k))
    taken = {k for _, k in bound}
    free = [k for k in range(size) if k not in taken]
    space = np.zeros((size, len(free)))
    for at, k in enumerate(free):
        space[k, at] = 1.0
        for row, other in bound:
            space[other, at] = -rows[row, k]
    return free, space


def _told(
    effects: Sequence[DirectEffect],
    told: Sequence[str],
    parameters: tuple[str, ...],
    constraints: tuple[Constraint, ...],
) -> TiedEffects:
    keys = [direct_key(effect) for effect in effects]
    pairs = list(zip(keys, told, strict=True))
    return TiedEffects(
        tuple(effects),
        tuple(pair for pair in pairs if pair[1] in parameters),
        tuple(pair for pair in pairs if pair[1] not in parameters),
        constraints,
    )


def _sum(weights: FloatArray, parameters: Sequence[str]) -> str:
    """A weighted sum of parameters as text, the positive parts first."""
    terms = [
        (float(weight), name)
        for weight, name in zip(weights, parameters, strict=True)
        if abs(weight) > NEAR
    ]
    terms.sort(key=lambda term: term[0] < 0)
    shown = ""
    for weight, name in terms:
        size = abs(round(weight, 12))
        part = name if size == 1.0 else f"{number_text(size)}*{name}"
        sign = "-" if weight < 0 else "+"
        shown += f" {sign} {part}" if shown else (f"-{part}" if weight < 0 else part)
    return shown
