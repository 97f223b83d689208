"""Residual variances by group of which some are equal: a partition of the groups, or of cells.

A cell is one group, or where variances are by group and occasion one group at one occasion.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from growthmm.errors import SpecificationError
from growthmm.model.names import stratum_names
from growthmm.model.residual import COMMON, ResidualStructure

__all__ = [
    "StratumCell",
    "cell_classes",
    "class_names",
    "classes_of_cells",
    "names_of_cells",
    "structure_of_cells",
    "structure_of_places",
]

StratumCell = tuple[str, float | None]
"""A level, and one time where variances differ between these."""


def cell_classes(
    structure: ResidualStructure, levels: Sequence[str], occasions: Sequence[float]
) -> tuple[int, ...]:
    """For each cell the class of equal variances that it is in, counted by first members.

    Parameters
    ----------
    structure : ResidualStructure
        ``by_group``.
    levels : sequence of str
        The levels of its column, as text.
    occasions : sequence of float
        The times, which matter where the structure is crossed.

    Returns
    -------
    tuple of int
        Cells are the levels in order; where the structure is crossed each at every occasion.

    Raises
    ------
    SpecificationError
        If the structure shares variances of what is no level, or no cell.

    Examples
    --------
    >>> cell_classes(ResidualStructure.parse("by_group:arm:a|c"), ("a", "b", "c"), ())
    (0, 1, 0)
    """
    return classes_of_cells(structure, _rectangle(structure, levels, occasions))


def classes_of_cells(structure: ResidualStructure, cells: Sequence[StratumCell]) -> tuple[int, ...]:
    """The same for cells that are no rectangle, as of outcomes with times of their own.

    Parameters
    ----------
    structure : ResidualStructure
        ``by_group``.
    cells : sequence of (str, float or None)
        The level of each cell, and the time where variances differ between these.

    Raises
    ------
    SpecificationError
        As :func:`cell_classes` does.

    Examples
    --------
    >>> shared = ResidualStructure.parse("by_group:of:by_occasion:a|b")
    >>> classes_of_cells(shared, (("a", 0.0), ("a", 1.0), ("b", 1.0), ("b", 2.0)))
    (0, 1, 1, 2)
    """
    names = [_cell_name(cell) for cell in cells]
    levels = list(dict.fromkeys(level for level, _ in cells))
    joined = list(range(len(cells)))
    for members in structure.shared:
        whole = [name for name in members if name in levels]
        single = [names.index(name) for name in members if name in names and name not in levels]
        if len(whole) + len(single) < len(members):
            unknown = [name for name in members if name not in levels and name not in names]
            at = names if structure.crossed else ()
            raise SpecificationError(
                f"Residuals {structure} share variances of {', '.join(unknown)}, and the levels "
                f"of {structure.by} are {', '.join(levels)}"
                + (f"; at single occasions {'; '.join(at)}." if at else "."),
                hint="Name levels as the data have them"
                + (f", or one at one occasion: {at[0]}" if at else "")
                + ".",
            )
        for time in dict.fromkeys(time for level, time in cells if level in whole) or (None,):
            same = [k for k, (level, own) in enumerate(cells) if level in whole and own == time]
            found = {joined[cell] for cell in [*same, *single]}
            joined = [min(found) if own in found else own for own in joined]
    order = {own: k for k, own in enumerate(dict.fromkeys(joined))}
    return tuple(order[own] for own in joined)


def _rectangle(
    structure: ResidualStructure, levels: Sequence[str], occasions: Sequence[float]
) -> tuple[StratumCell, ...]:
    times = tuple(occasions) if structure.crossed else (None,)
    return tuple((level, time) for level in levels for time in times)


def _cell_name(cell: StratumCell) -> str:
    level, time = cell
    return stratum_names((level,), None if time is None else (time,))[0]


def class_names(
    structure: ResidualStructure, levels: Sequence[str], occasions: Sequence[float]
) -> tuple[str, ...]:
    """A name for each class: those of its cells, of a level with all its cells the level's.

    Parameters
    ----------
    structure, levels, occasions
        As in :func:`cell_classes`.

    Examples
    --------
    >>> class_names(ResidualStructure.parse("by_group:arm:a|c"), ("a", "b", "c"), ())
    ('a|c', 'b')
    """
    return names_of_cells(structure, _rectangle(structure, levels, occasions))


def names_of_cells(structure: ResidualStructure, cells: Sequence[StratumCell]) -> tuple[str, ...]:
    """The same for cells that are no rectangle.

    Parameters
    ----------
    structure, cells
        As in :func:`classes_of_cells`.

    Examples
    --------
    >>> shared = ResidualStructure.parse("by_group:of:by_occasion:a|b")
    >>> names_of_cells(shared, (("a", 0.0), ("a", 1.0), ("b", 1.0), ("b", 2.0)))
    ('a,0', 'a,1|b,1', 'b,2')
    """
    classes = classes_of_cells(structure, cells)
    of_level: dict[str, list[int]] = {}
    for (level, _), own in zip(cells, classes, strict=True):
        of_level.setdefault(level, []).append(own)
    members: dict[int, dict[str, None]] = {}
    for cell, own in zip(cells, classes, strict=True):
        level = cell[0]
        whole = len(of_level[level]) > 1 and len(set(of_level[level])) == 1
        members.setdefault(own, {})[level if whole else _cell_name(cell)] = None
    return tuple("|".join(found) for found in members.values())


def structure_of_cells(
    by: str, values: Sequence[Sequence[Hashable]], levels: Sequence[str], times: Sequence[float]
) -> ResidualStructure:
    """The plainest structure with these variances equal.

    Parameters
    ----------
    by : str
        The column of groups.
    values : sequence of sequence
        For each level at each occasion what its variance is called; for each level one where
        there are no occasions to tell apart.
    levels : sequence of str
        The levels, as text.
    times : sequence of float
        The occasions.

    Returns
    -------
    ResidualStructure
        ``common``, ``by_occasion`` or ``by_group``.

    Examples
    --------
    >>> str(structure_of_cells("arm", [["v", "v"], ["w", "w"], ["v", "v"]], "abc", (0.0, 1.0)))
    'by_group:arm:a|c'
    >>> str(structure_of_cells("arm", [["v", "w"], ["v", "x"]], "ab", (0.0, 1.0)))
    'by_group:arm:by_occasion:a,0|b,0'
    >>> str(structure_of_cells("arm", [["v", "w"], ["v", "w"]], "ab", (0.0, 1.0)))
    'by_occasion'
    """
    rows = [tuple(row) for row in values]
    flat = [name for row in rows for name in row]
    if len(set(flat)) == 1:
        return COMMON
    grouped = ResidualStructure("by_group", by=by)
    if all(len(set(row)) == 1 for row in rows):
        return replace(grouped, shared=_sets([row[0] for row in rows], levels))
    if len(set(rows)) == 1 and len(set(rows[0])) == len(rows[0]):
        return ResidualStructure("by_occasion")
    crossed = replace(grouped, crossed=True)
    if len(set(flat)) == sum(len(row) for row in set(rows)):
        return replace(crossed, shared=_sets(rows, levels))
    cells = stratum_names(tuple(levels), tuple(times))
    return replace(crossed, shared=_sets(flat, cells))


def _sets(keys: Sequence[Hashable], names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Names with one key, where there are several."""
    found: dict[Hashable, list[str]] = {}
    for key, name in zip(keys, names, strict=True):
        found.setdefault(key, []).append(name)
    return tuple(tuple(own) for own in found.values() if len(own) > 1)


def structure_of_places(
    by: str, cells: Sequence[StratumCell], values: Sequence[Hashable]
) -> ResidualStructure:
    """The plainest ``by_group`` structure with these variances equal, of cells in any places.

    Parameters
    ----------
    by : str
        The column of levels.
    cells : sequence of (str, float)
        The level and the time of each cell.
    values : sequence
        What its variance is called.

    Examples
    --------
    >>> cells = [("a", 0.0), ("a", 1.0), ("b", 0.0), ("b", 1.0), ("c", 0.0)]
    >>> str(structure_of_places("of", cells, ["v", "v", "v", "v", "w"]))
    'by_group:of:a|b'
    >>> str(structure_of_places("of", cells, ["v", "w", "v", "w", "u"]))
    'by_group:of:by_occasion:a|b'
    >>> str(structure_of_places("of", cells, ["v", "w", "x", "w", "u"]))
    'by_group:of:by_occasion:a,1|b,1'
    """
    own: dict[str, dict[float | None, Hashable]] = {}
    for (level, time), value in zip(cells, values, strict=True):
        own.setdefault(level, {})[time] = value
    grouped = ResidualStructure("by_group", by=by)
    if all(len(set(row.values())) == 1 for row in own.values()):
        firsts = [next(iter(row.values())) for row in own.values()]
        return replace(grouped, shared=_sets(firsts, list(own)))
    crossed = replace(grouped, crossed=True)
    whole = replace(crossed, shared=_sets([frozenset(r.items()) for r in own.values()], list(own)))
    order = {value: k for k, value in enumerate(dict.fromkeys(values))}
    if classes_of_cells(whole, cells) == tuple(order[value] for value in values):
        return whole
    return replace(crossed, shared=_sets(values, [_cell_name(cell) for cell in cells]))
