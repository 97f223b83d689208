"""Exponentials of base ``1 + b`` as dual change scores: true scores and their differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, log1p

from growthmm.data.names import wide_columns
from growthmm.model.growth import GrowthFactor, GrowthModel
from growthmm.model.sem import Path
from growthmm.translation.loadings.affine import same
from growthmm.translation.loadings.curves import cell_values

__all__ = ["ChangeRows", "change_rows"]

PROBES = (0.21, -0.13)


@dataclass(frozen=True)
class ChangeRows:
    """A level and a change, written as true scores that each come from the one before.

    Parameters
    ----------
    factors : tuple of str
        The growth factors that are said by these rows.
    parameter : str
        The coefficient of proportional change.
    paths : tuple of Path
        The rows.
    latent : tuple of str
        True scores after the first, and differences.
    """

    factors: tuple[str, ...]
    parameter: str
    paths: tuple[Path, ...]
    latent: tuple[str, ...]


def change_rows(growth: GrowthModel, taken: set[str]) -> ChangeRows | None:
    """The rows of a level ``(1 + b)^k`` and a change ``((1 + b)^k - 1)/b`` over steps ``k``.

    Parameters
    ----------
    growth : GrowthModel
        With shared occasions and their wide columns in the schema.
    taken : set of str
        Names that latent variables may not bear.

    Returns
    -------
    ChangeRows or None
        None where no two growth factors are such a pair.
    """
    if growth.schema.series:
        return None
    for level in growth.factors:
        for change in growth.factors:
            steps = _steps(level, change)
            if steps is not None:
                return _rows(growth, level, change, steps, taken)
    return None


def _steps(level: GrowthFactor, change: GrowthFactor) -> tuple[int, ...] | None:
    """How many steps each occasion is from the first."""
    if len(level.parameters) != 1 or level.parameters != change.parameters or level is change:
        return None
    (b,) = level.parameters
    probe = PROBES[0]
    values = cell_values(level.cells, {b: probe})
    if min(values) <= 0:
        return None
    steps = tuple(round(log(value) / log1p(probe)) for value in values)
    if steps[0] != 0 or any(k >= m for k, m in pairwise(steps)):
        return None
    for value in PROBES:
        power = tuple((1 + value) ** k for k in steps)
        found = cell_values(level.cells, {b: value}), cell_values(change.cells, {b: value})
        if not same(found[0], power) or not same(found[1], tuple((p - 1) / value for p in power)):
            return None
    return steps


def _rows(
    growth: GrowthModel,
    level: GrowthFactor,
    change: GrowthFactor,
    steps: Sequence[int],
    taken: set[str],
) -> ChangeRows:
    (b,) = level.parameters
    last = range(1, steps[-1] + 1)
    scores = _names(f"{level.name}_at", last, taken)
    differences = _names(f"d{change.name}", last, taken | set(scores))
    seen = dict(zip(steps, growth.schema.outcome_columns, strict=True))
    rows = [_one(level.name, "=~", seen[0])]
    before = level.name
    for k, score, difference in zip(last, scores, differences, strict=True):
        if k in seen:
            rows.append(_one(score, "=~", seen[k]))
        rows += [
            _one(score, "~", before),
            _one(difference, "=~", score),
            _one(change.name, "=~", difference),
            Path(difference, "~", before, label=b),
        ]
        before = score
    for name in (*scores, *differences):
        rows += [
            Path(name, "~~", name, free=False, value=0.0),
            Path(name, "~1", "", free=False, value=0.0),
        ]
    return ChangeRows((level.name, change.name), b, tuple(rows), (*scores, *differences))


def _one(left: str, op: str, right: str) -> Path:
    return Path(left, op, right, free=False, value=1.0)  # type: ignore[arg-type]


def _names(stem: str, steps: range, taken: set[str]) -> tuple[str, ...]:
    made = wide_columns(stem, [float(k) for k in steps])
    while taken & set(made):
        stem += "_"
        made = wide_columns(stem, [float(k) for k in steps])
    return made
