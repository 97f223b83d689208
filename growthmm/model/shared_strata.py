"""Residual variances by group of which some are equal: a partition of the groups, or of cells.

A cell is one group, or where variances are by group and occasion one group at one occasion.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from growthmm.errors import SpecificationError
from growthmm.model.names import stratum_names
from growthmm.model.residual import COMMON, ResidualStructure

__all__ = ["cell_classes", "class_names", "structure_of_cells"]


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
    times = tuple(occasions) if structure.crossed else None
    cells = stratum_names(tuple(levels), times)
    n_times = len(times) if times is not None else 1
    joined = list(range(len(cells)))
    for members in structure.shared:
        whole = [levels.index(name) for name in members if name in levels]
        single = [cells.index(name) for name in members if name in cells and name not in levels]
        if len(whole) + len(single) < len(members):
            unknown = [name for name in members if name not in levels and name not in cells]
            raise SpecificationError(
                f"Residuals {structure} share variances of {', '.join(unknown)}, and the levels "
                f"of {structure.by} are {', '.join(levels)}.",
                hint="Name levels as the data have them"
                + (", or one at one occasion: a,0" if structure.crossed else "")
                + ".",
            )
        for j in range(n_times if whole else 1):
            same = [g * n_times + j for g in whole] + single
            found = {joined[cell] for cell in same}
            joined = [min(found) if own in found else own for own in joined]
    order = {own: k for k, own in enumerate(dict.fromkeys(joined))}
    return tuple(order[own] for own in joined)


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
    classes = cell_classes(structure, levels, occasions)
    times = tuple(occasions) if structure.crossed else None
    cells = stratum_names(tuple(levels), times)
    n = len(cells) // len(levels)
    members: dict[int, dict[str, None]] = {}
    for k, (name, own) in enumerate(zip(cells, classes, strict=True)):
        level = k // n
        whole = n > 1 and set(classes[level * n : (level + 1) * n]) == {own}
        members.setdefault(own, {})[levels[level] if whole else name] = None
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
