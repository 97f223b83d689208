"""Residual variances of several outcomes: read from rows, and written as rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from growthmm.model.defaults import Loss
from growthmm.model.growth import GrowthModel
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.model.schema import Schema
from growthmm.model.sem import Path, SemModel
from growthmm.model.strata import residual_strata, residual_terms
from growthmm.translation.naming import covariate_name
from growthmm.translation.residual_reading import ReadResiduals
from growthmm.translation.residual_rows import ResidualRows

__all__ = ["outcome_residual_rows", "read_outcome_residuals"]


def read_outcome_residuals(
    model: SemModel, schema: Schema, latent: Collection[str], distal: Collection[str]
) -> ReadResiduals:
    """Read the residual structure of several outcomes.

    An outcome that persons have once has the residual variance of another occasion: its own random
    effect is told apart from it no other way.

    Parameters
    ----------
    model : SemModel
        The table.
    schema : Schema
        With several outcomes.
    latent : collection of str
        The growth factors.
    distal : collection of str
        Outcomes that persons have once, whose rows say something else.
    """
    place = {y: j for j, y in enumerate(schema.outcome_columns) if y not in distal}
    parameters: dict[int, str] = {}
    losses: list[Loss] = []
    for path in model.paths:
        ends = {path.left, path.right}
        if path.op != "~~" or path.is_zero or ends & (set(latent) | set(distal)):
            continue
        if len(ends) == 1 and path.left in place:
            if path.free:
                parameters[place[path.left]] = path.parameter
        else:
            losses.append(_covariance(path, place, schema))
    absent = [y for y, j in place.items() if j not in parameters]
    if absent:
        losses.append(
            Loss(
                f"residual variances of {', '.join(absent)} not estimated",
                "a mixed model estimates its residual variances",
                "free residual variances",
            )
        )
    if losses:
        return ReadResiduals(losses=tuple(losses))
    found = _structure(parameters, schema)
    if found is None:
        unequal = Loss(
            "residual variances of which some are equal",
            "stacked rows have one residual variance, or one for each outcome, time or both",
            "one label for all, for each outcome or for each time, or none",
        )
        return ReadResiduals(losses=(unequal,))
    return found


def _structure(parameters: Mapping[int, str], schema: Schema) -> ReadResiduals | None:
    """The structure whose variances are equal exactly where these parameters are."""
    indicator, time = schema.indicator, schema.time
    for structure in (
        COMMON,
        ResidualStructure("by_group", by=indicator),
        ResidualStructure("by_occasion", time=time),
        ResidualStructure("by_group", by=indicator, crossed=True, time=time),
    ):
        strata = residual_strata(structure, schema)
        assert strata is not None
        held = {strata[j]: parameter for j, parameter in parameters.items()}
        if set(strata) != set(held) or len(set(held.values())) != len(held):
            continue
        if all(held[strata[j]] == parameter for j, parameter in parameters.items()):
            terms = residual_terms(structure, schema)
            names = tuple((term.key, held[strata[term.cells[0][0]]]) for term in terms)
            return ReadResiduals(structure, names)
    return None


def _covariance(path: Path, place: Mapping[str, int], schema: Schema) -> Loss:
    """Why a residual covariance is left out."""
    series = [schema.series[place[y]] for y in (path.left, path.right) if y in place]
    if len(series) < 2 or series[0] == series[1]:
        return Loss(
            path.name,
            "residuals of several outcomes are independent here",
            "uncorrelated residuals, or growthmm fit on the SEM side",
        )
    return Loss(
        f"the residual covariance {path.name} of two outcomes",
        "residuals of stacked rows are independent here, as they always are in lme4; only a "
        "residual matrix over outcomes within occasions has it",
        "nlme, where they are the same at all occasions: correlation = corSymm(form = ~ 1 | "
        "person/time), weights = varIdent(form = ~ 1 | outcome); or growthmm fit on the SEM side",
    )


def outcome_residual_rows(
    growth: GrowthModel, distal: Collection[int], label: Callable[[str], str]
) -> ResidualRows:
    """Write the residual variances of several outcomes.

    Parameters
    ----------
    growth : GrowthModel
        With several outcomes.
    distal : collection of int
        Occasions of outcomes that are written as regressions on the growth factors.
    label : callable
        Makes of a wish a label that no variable bears.
    """
    strata = residual_strata(growth.residual, growth.schema)
    assert strata is not None
    outcomes = growth.schema.outcome_columns
    own = {j: stratum for j, stratum in enumerate(strata) if j not in distal}
    rows: dict[int, Path] = {}
    for j, stratum in own.items():
        shared = [k for k, other in own.items() if other == stratum]
        shown = stratum if isinstance(stratum, str) else f"{stratum:.15g}"
        wish = covariate_name(f"v_{shown}") if shown else "v"
        named = label(wish) if len(shared) > 1 else None
        rows[j] = Path(outcomes[j], "~~", outcomes[j], label=named)
    names = []
    for term in residual_terms(growth.residual, growth.schema):
        first = next(j for j, _ in term.cells if j in rows)
        names.append((term.key, rows[first].parameter))
    return ResidualRows(tuple(rows.values()), (), tuple(names), ())
