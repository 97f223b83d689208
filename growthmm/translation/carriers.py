"""Effects of time-varying covariates that move with time, by latent variables that carry a product.

The product of a covariate with a fixed loading would be a data column that is collinear with the
covariate, and constant where the loading is zero; structural equation programs refuse both. So a
latent variable without variance takes the covariate times the loading, and passes it on to the
outcome with the effect as its coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from growthmm.data.names import wide_columns
from growthmm.model.growth import Covariate, DirectEffect, GrowthModel
from growthmm.model.sem import Path, SemModel
from growthmm.translation.naming import covariate_name

__all__ = ["Carrier", "carrier_names", "carrier_rows", "carriers"]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A latent variable that passes a covariate times a number on to one outcome.

    Parameters
    ----------
    name : str
        The latent variable.
    source : str
        The covariate's wide column.
    loading : float
        The number.
    target : str
        The outcome.
    path : Path
        The row of the effect.
    """

    name: str
    source: str
    loading: float
    target: str
    path: Path


def carriers(model: SemModel) -> tuple[Carrier, ...]:
    """The latent variables of a model that are nothing but a covariate times a number.

    A carrier has one free loading, one fixed regression on a covariate, and neither mean,
    variance nor covariance.
    """
    found = []
    for name in model.latent:
        out = [p for p in model.paths if p.op == "=~" and p.left == name and not p.is_zero]
        into = [p for p in model.paths if p.op == "~" and p.left == name and not p.is_zero]
        rest = [
            p
            for p in model.paths
            if p not in out and p not in into and name in (p.left, p.right) and not p.is_zero
        ]
        if len(out) != 1 or len(into) != 1 or rest or not out[0].free or into[0].free:
            continue
        if into[0].right in model.covariates and into[0].value and not into[0].definition:
            loading = float(into[0].value)
            found.append(Carrier(name, into[0].right, loading, out[0].right, out[0]))
    return tuple(found)


def carrier_names(effect: DirectEffect, growth: GrowthModel) -> tuple[str, ...]:
    """Names of the carriers of one effect, a name an occasion, that nothing else bears."""
    assert effect.column is not None
    covariate = growth.covariate(effect.covariate)
    taken = {factor.name for factor in growth.factors} | set(growth.schema.outcome_columns)
    taken |= {name for other in growth.covariates for name in other.columns}
    taken |= {other.name for other in growth.covariates}
    function = ".".join(part.expression + part.label for part in effect.column.parts)
    stem = covariate_name(f"{covariate.name}.{function}")
    names = _columns(stem, growth)
    while taken & set(names):
        stem += "."
        names = _columns(stem, growth)
    return names


def _columns(stem: str, growth: GrowthModel) -> tuple[str, ...]:
    schema = growth.schema
    if schema.series:
        return tuple(f"{stem}.{y}" for y in schema.outcome_columns)
    return wide_columns(stem, schema.numbers)


def carrier_rows(
    effect: DirectEffect,
    covariate: Covariate,
    names: Sequence[str],
    outcomes: Sequence[str],
    label: str,
) -> list[Path]:
    """The rows of an effect that moves with time; occasions with a zero loading have none."""
    rows = []
    for j, (name, loading) in enumerate(zip(names, effect.loadings, strict=True)):
        if loading and covariate.columns[j]:
            rows += [
                Path(name, "=~", outcomes[j], label=label),
                Path(name, "~", covariate.columns[j], free=False, value=loading),
                Path(name, "~~", name, free=False, value=0.0),
                Path(name, "~1", "", free=False, value=0.0),
            ]
    return rows
