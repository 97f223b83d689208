"""Residual parameters by group as a mixed model names them."""

from __future__ import annotations

from dataclasses import replace

from growthmm.data.levels import level_text
from growthmm.model.groupwise import groupwise_parameters
from growthmm.model.names import residual_name
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.model.schema import Schema
from growthmm.model.shared_strata import cell_classes, class_names, structure_of_cells

__all__ = ["plainest", "variance_names"]


def variance_names(residual: ResidualStructure, schema: Schema) -> tuple[str, ...]:
    """The names of the residual parameters, a name for those that groups share.

    Parameters
    ----------
    residual : ResidualStructure
        ``by_group`` or ``groupwise`` of the schema's grouping.
    schema : Schema
        With the levels and the occasions.
    """
    if residual.kind == "groupwise":
        own = groupwise_parameters(residual, _levels(schema), schema.numbers)
        return tuple(p.name for each in own for p in each.parameters)
    found = class_names(residual, _levels(schema), schema.occasions)
    return tuple(residual_name(name) for name in found)


def plainest(residual: ResidualStructure, schema: Schema) -> ResidualStructure:
    """The same variances in the plainest words: sets of levels in order, and no more than needed.

    Parameters
    ----------
    residual, schema
        As in :func:`variance_names`.
    """
    levels = _levels(schema)
    n = len(schema.occasions) if residual.crossed else 1
    classes = cell_classes(residual, levels, schema.occasions)
    rows = [classes[k * n : (k + 1) * n] for k in range(len(levels))]
    made = structure_of_cells(residual.by or "", rows, levels, schema.occasions[:n])
    if residual.within is not None:
        return residual.within if made == COMMON else replace(residual, shared=made.shared)
    return replace(made, time=residual.time, person=residual.person)


def _levels(schema: Schema) -> tuple[str, ...]:
    assert schema.grouping is not None
    return tuple(map(level_text, schema.grouping.levels))
