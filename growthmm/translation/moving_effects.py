"""Effects of covariates that move with time, read from the latent variables that carry them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from growthmm.model.defaults import Loss
from growthmm.model.growth import Covariate, DirectEffect, direct_key
from growthmm.model.schema import Column, Schema
from growthmm.translation.binding.covariates import plain_column
from growthmm.translation.carriers import Carrier
from growthmm.translation.lagged import acting
from growthmm.translation.loadings.affine import same
from growthmm.translation.loadings.basis import basis_column
from growthmm.translation.naming import polynomial_degree
from growthmm.translation.tabulate import tabulate

__all__ = ["MovingEffects", "moving_effects"]


@dataclass(frozen=True, slots=True)
class MovingEffects:
    """What carriers say.

    Parameters
    ----------
    effects : tuple of DirectEffect
        One for each set of carriers that share a label.
    names : tuple of (str, str)
        Growth parameter key and SEM parameter of each.
    losses : tuple of Loss
        Sets that are no covariate times a function of time.
    """

    effects: tuple[DirectEffect, ...]
    names: tuple[tuple[str, str], ...]
    losses: tuple[Loss, ...]


def moving_effects(
    carriers: Sequence[Carrier],
    covariates: Sequence[Covariate],
    schema: Schema,
    hints: tuple[Column, ...],
) -> MovingEffects:
    """Read carriers that share a label, an outcome each, as effects that move with time.

    Parameters
    ----------
    carriers : sequence of Carrier
        The model's.
    covariates : sequence of Covariate
        What its covariates are.
    schema : Schema
        With the outcomes' columns.
    hints : tuple of Column
        Columns of time that the loadings may be, tried first.
    """
    groups: dict[str, list[Carrier]] = {}
    for carrier in carriers:
        groups.setdefault(carrier.path.parameter, []).append(carrier)
    outcomes = schema.outcome_columns
    effects: list[DirectEffect] = []
    names: list[tuple[str, str]] = []
    losses: list[Loss] = []
    for parameter, members in groups.items():
        covariate = acting(covariates, members[0].source, members[0].target, outcomes)
        assert covariate is not None
        places: dict[int, float] = {}
        for carrier in members:
            j = outcomes.index(carrier.target) if carrier.target in outcomes else -1
            own = covariate.columns[j] if covariate.time_varying else covariate.columns[0]
            if j >= 0 and j not in places and own == carrier.source:
                places[j] = carrier.loading
        loadings = tuple(places.get(j, 0.0) for j in range(len(outcomes)))
        absent = [j for j, name in enumerate(covariate.columns) if not name]
        loadings = _whole(loadings, absent, schema, hints)
        column = basis_column(loadings, schema, hints=hints)
        if column is None or not column.parts or len(places) < len(members):
            losses.append(
                Loss(
                    f"effects through {', '.join(carrier.name for carrier in members)}",
                    "they are no covariate times a function of time",
                    "a data column that holds the product",
                )
            )
            continue
        effects.append(DirectEffect(covariate.name, None, column, loadings))
        names.append((direct_key(effects[-1]), parameter))
    return MovingEffects(tuple(effects), tuple(names), tuple(losses))


def _whole(
    loadings: tuple[float, ...], absent: Sequence[int], schema: Schema, hints: tuple[Column, ...]
) -> tuple[float, ...]:
    """The loadings, with those of a function of time where a lagged covariate has no path."""
    if not absent or schema.time is None:
        return loadings
    known = [j for j in range(len(loadings)) if j not in absent]
    for column in (*hints, plain_column(schema.time)):
        values = tabulate(column, schema)
        if same(tuple(values[j] for j in known), tuple(loadings[j] for j in known)):
            return values
    times = np.asarray(schema.occasions)
    degree = polynomial_degree(
        tuple(loadings[j] for j in known), tuple(schema.occasions[j] for j in known)
    )
    if degree is None or schema.series:
        return loadings
    curve = np.polynomial.Polynomial.fit(times[known], np.asarray(loadings)[known], degree)
    scale = float(np.abs(loadings).max())
    made = np.round(curve(times) / scale, 12) * scale
    return tuple(loadings[j] if j in known else float(made[j]) for j in range(len(times)))
