"""Residual (co)variances of several outcomes: read from rows, and written as rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from growthmm.model.defaults import Loss
from growthmm.model.growth import GrowthModel
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.model.residual_parameters import Cell, ResidualParameter
from growthmm.model.schema import Schema
from growthmm.model.sem import Path, SemModel
from growthmm.model.shared_strata import structure_of_places
from growthmm.model.strata import outcome_cells, residual_strata, residual_terms
from growthmm.translation.naming import covariate_name
from growthmm.translation.residuals.reading import ReadResiduals
from growthmm.translation.residuals.rows import ResidualRows

__all__ = ["outcome_residual_rows", "plain_outcome_residual", "read_outcome_residuals"]


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
    parameters: dict[Cell, str] = {}
    losses: list[Loss] = []
    for path in model.paths:
        ends = {path.left, path.right}
        if path.op != "~~" or path.is_zero or ends & (set(latent) | set(distal)):
            continue
        cell = _cell(path, place)
        if cell is not None and (cell[0] == cell[1] or _beside(cell, schema)):
            if path.free:
                parameters[cell] = path.parameter
            elif cell[0] != cell[1]:
                losses.append(_held(path))
        else:
            losses.append(_covariance(path, place, schema))
    absent = [y for y, j in place.items() if (j, j) not in parameters]
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
    return _structure(parameters, schema) or ReadResiduals(losses=(_unequal(parameters, schema),))


def _cell(path: Path, place: Mapping[str, int]) -> Cell | None:
    if path.left not in place or path.right not in place:
        return None
    j, k = sorted((place[path.left], place[path.right]))
    return j, k


def _beside(cell: Cell, schema: Schema) -> bool:
    """Whether two occasions are of two outcomes at one time."""
    j, k = cell
    return schema.occasions[j] == schema.occasions[k] and schema.series[j] != schema.series[k]


def _structure(parameters: Mapping[Cell, str], schema: Schema) -> ReadResiduals | None:
    """The structure whose cells are equal exactly where these parameters are."""
    indicator, time = schema.indicator, schema.time
    for structure in (
        COMMON,
        ResidualStructure("by_group", by=indicator),
        ResidualStructure("by_occasion", time=time),
        ResidualStructure("by_group", by=indicator, crossed=True, time=time),
        ResidualStructure("across", by=indicator, time=time),
        ResidualStructure("across", by=indicator, crossed=True, time=time),
    ):
        terms = residual_terms(structure, schema)
        meant = {cell: term.key for term in terms for cell in term.cells}
        own = {cell: key for cell, key in meant.items() if cell in parameters}
        # Cells of outcomes that persons have once are not among the parameters.
        if len(own) < len(parameters) or set(own.values()) != {term.key for term in terms}:
            continue
        if structure.kind == "across" and len(own) < len(meant):
            continue
        held = {key: parameters[cell] for cell, key in own.items()}
        if len(set(held.values())) < len(held):
            continue
        if all(held[key] == parameters[cell] for cell, key in own.items()):
            return ReadResiduals(structure, tuple(held.items()))
    return _shared(parameters, schema)


def _shared(parameters: Mapping[Cell, str], schema: Schema) -> ReadResiduals | None:
    """Variances of which some outcomes, or some of them at some times, share one."""
    if any(j != k for j, k in parameters):
        return None
    # An outcome that persons have once has the variance of another, which its own effect absorbs.
    spare = next(iter(parameters.values()))
    values = [parameters.get((j, j), spare) for j in range(len(schema.series))]
    structure = structure_of_places(
        schema.indicator or "", outcome_cells(schema, crossed=True), values
    )
    if structure.crossed:
        structure = replace(structure, time=schema.time)
    terms = residual_terms(structure, schema)
    return ReadResiduals(structure, tuple((t.key, values[t.cells[0][0]]) for t in terms))


def plain_outcome_residual(residual: ResidualStructure, schema: Schema) -> ResidualStructure:
    """The same variances of several outcomes in the plainest words, where some share them.

    Parameters
    ----------
    residual : ResidualStructure
        The structure as text says it.
    schema : Schema
        With the outcomes.
    """
    strata = residual_strata(residual, schema) if residual.shared else None
    if strata is None:
        return residual
    if len(set(strata)) == 1:
        return COMMON
    made = structure_of_places(residual.by or "", outcome_cells(schema, crossed=True), strata)
    by_time = residual_strata(ResidualStructure("by_occasion"), schema) or ()
    if _same_partition(strata, by_time):
        return ResidualStructure("by_occasion", time=residual.time)
    return replace(made, time=residual.time, person=residual.person)


def _same_partition(first: Sequence[object], second: Sequence[object]) -> bool:
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len(set(first)) == len(set(second))


def _unequal(parameters: Mapping[Cell, str], schema: Schema) -> Loss:
    if all(j == k for j, k in parameters):
        return Loss(
            "residual variances of which some are equal",
            "stacked rows have one residual variance, or one for each outcome, time or both",
            "one label for all, for each outcome or for each time, or none",
        )
    y = schema.outcome_columns
    shown = [f"{y[j]}~~{y[k]}" for j, k in parameters if j != k]
    return Loss(
        f"residual covariances {', '.join(shown[:4])}{', ...' if len(shown) > 4 else ''}",
        "with the variances beside them they are not one covariance matrix of the outcomes at "
        "every time, nor one for each time",
        "a covariance of every two outcomes at every time that they share, with the same label at "
        "all times where the variances of each outcome have one, or without labels",
    )


def _held(path: Path) -> Loss:
    return Loss(
        f"the residual covariance {path.name} fixed",
        "a mixed model estimates the residual covariances that it has",
        "a free covariance, or none",
    )


def _covariance(path: Path, place: Mapping[str, int], schema: Schema) -> Loss:
    """Why a residual covariance is left out."""
    series = [schema.series[place[y]] for y in (path.left, path.right) if y in place]
    if len(series) < 2 or series[0] == series[1]:
        return Loss(
            path.name,
            "residuals of several outcomes covary at one time alone",
            "uncorrelated residuals, or growthmm fit on the SEM side",
        )
    return Loss(
        f"the residual covariance {path.name} of two outcomes",
        "they are of two times, and residuals of several outcomes covary at one time alone",
        "a covariance of the outcomes at the same time, or growthmm fit on the SEM side",
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
    outcomes = growth.schema.outcome_columns
    strata = residual_strata(growth.residual, growth.schema)
    assert strata is not None
    rows: dict[Cell, Path] = {}
    names = []
    for term in residual_terms(growth.residual, growth.schema):
        cells = [cell for cell in term.cells if not set(cell) & set(distal)]
        first = cells[0]
        named = label(_wish(term, strata[first[0]], strata[first[1]])) if len(cells) > 1 else None
        for j, k in cells:
            rows[j, k] = Path(outcomes[j], "~~", outcomes[k], label=named)
        names.append((term.key, rows[first].parameter))
    variances = [rows[cell] for cell in sorted(rows) if cell[0] == cell[1]]
    beside = [rows[cell] for cell in sorted(rows) if cell[0] != cell[1]]
    return ResidualRows((*variances, *beside), (), tuple(names), ())


def _wish(term: ResidualParameter, first: str | float, second: str | float) -> str:
    """A label that says which outcome, or which two, a (co)variance is of."""
    if term.kind == "covariance":
        return covariate_name(f"c_{first}_{second}")
    shown = first if isinstance(first, str) else f"{first:.15g}"
    return covariate_name(f"v_{shown}") if shown else "v"
