"""Which residual variance each occasion has."""

from __future__ import annotations

from growthmm.model.across import across_parameters
from growthmm.model.names import residual_name, stratum_names
from growthmm.model.residual import BY_COLUMN, ResidualStructure
from growthmm.model.residual_parameters import ResidualParameter, residual_parameters
from growthmm.model.schema import Scalar, Schema
from growthmm.model.shared_strata import StratumCell, classes_of_cells, names_of_cells

__all__ = [
    "outcome_cells",
    "outcome_indicators",
    "residual_strata",
    "residual_terms",
    "stratum_text",
]


def residual_strata(residual: ResidualStructure, schema: Schema) -> tuple[str | float, ...] | None:
    """For each occasion what its residual variance is called by; None where that is no answer.

    Parameters
    ----------
    residual : ResidualStructure
        ``common``, ``by_occasion``, or ``by_group`` or ``across`` of columns that occasions decide.
    schema : Schema
        With the occasions, of one outcome or of several.

    Returns
    -------
    tuple of str or float, or None
        Equal where variances are; None where they depend on persons, or residuals of different
        times covary.

    Examples
    --------
    >>> two = Schema("id", "t", "y", (0.0, 1.0) * 2, indicator="of", series=("a", "a", "b", "b"))
    >>> residual_strata(ResidualStructure("by_group", by="of"), two)
    ('a', 'a', 'b', 'b')
    """
    if residual.kind == "common":
        return ("",) * len(schema.occasions)
    if residual.kind == "by_occasion":
        return schema.occasions
    if residual.kind not in BY_COLUMN or residual.by != schema.indicator or not schema.series:
        return None
    if residual.kind == "groupwise":
        return None
    cells = outcome_cells(schema, crossed=residual.crossed)
    if not residual.shared:
        return tuple(stratum_names((a,), None if t is None else (t,))[0] for a, t in cells)
    known = tuple(dict.fromkeys(cells))
    names = names_of_cells(residual, known)
    of_cell = dict(zip(known, classes_of_cells(residual, known), strict=True))
    return tuple(names[of_cell[cell]] for cell in cells)


def outcome_cells(schema: Schema, *, crossed: bool) -> tuple[StratumCell, ...]:
    """The outcome that each occasion is of, with its time where `crossed`.

    Parameters
    ----------
    schema : Schema
        Of several outcomes.
    crossed : bool
        Whether times are told apart.
    """
    levels = tuple(stratum_text(own) for own in schema.series)
    times = schema.occasions if crossed else (None,) * len(levels)
    return tuple(zip(levels, times, strict=True))


def residual_terms(residual: ResidualStructure, schema: Schema) -> tuple[ResidualParameter, ...]:
    """The parameters of the residuals of one outcome, or of several.

    Parameters
    ----------
    residual : ResidualStructure
        The structure.
    schema : Schema
        With the occasions. Of several outcomes residuals of one time may covary.

    Returns
    -------
    tuple of ResidualParameter
        As :func:`~growthmm.model.residual_parameters.residual_parameters` has them.
    """
    if residual.kind == "across":
        series = tuple(stratum_text(own) for own in schema.series)
        return across_parameters(series, schema.occasions, crossed=residual.crossed)
    strata = residual_strata(residual, schema) if schema.series else None
    if strata is None or residual.kind == "common":
        return residual_parameters(residual, schema.numbers)
    made = []
    for k, stratum in enumerate(dict.fromkeys(strata)):
        cells = tuple((j, j) for j, own in enumerate(strata) if own == stratum)
        made.append(ResidualParameter(f"residual:{k}", residual_name(stratum), "variance", cells))
    return tuple(made)


def outcome_indicators(schema: Schema) -> tuple[tuple[str, Scalar], ...]:
    """Numeric columns that are one in the rows of one of several outcomes, zero in the others'.

    Parameters
    ----------
    schema : Schema
        With the tables of such columns at the occasions.

    Returns
    -------
    tuple of (str, scalar)
        Column and outcome.
    """
    found = []
    for constants in schema.constants:
        table = dict(constants.values).get("tabulated")
        variable = schema.variable(constants.expression)
        if table is None or variable is None or variable.levels is not None:
            continue
        for outcome in schema.outcomes:
            marks = table == tuple(float(own == outcome) for own in schema.series)
            if marks and variable.name != schema.indicator:
                found.append((variable.name, outcome))
    return tuple(found)


def stratum_text(level: Scalar) -> str:
    """A level as names of residual variances have it.

    Examples
    --------
    >>> stratum_text("read"), stratum_text(1.0), stratum_text(True)
    ('read', '1', 'TRUE')
    """
    if isinstance(level, bool):
        return str(level).upper()
    return level if isinstance(level, str) else f"{level:.15g}"
