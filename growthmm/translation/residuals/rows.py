"""The residuals of a growth model as rows, labels and constraints of a path table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise

from growthmm.model.growth import GrowthModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.residual_parameters import residual_parameters
from growthmm.model.sem import Constraint, Path
from growthmm.notation.sem.expression import spell
from growthmm.translation.residuals.arithmetic import entry_text, parameter_texts

__all__ = ["ResidualRows", "residual_rows"]

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ResidualRows:
    """What the residuals are in a path table.

    Parameters
    ----------
    paths : tuple of Path
        Variances and covariances of the outcomes.
    constraints : tuple of Constraint
        What ties covariances to each other.
    names : tuple of (str, str)
        For each growth parameter key that is one of the table's parameters, which.
    expressions : tuple of (str, str)
        For each other key, the arithmetic over parameters that gives it.
    """

    paths: tuple[Path, ...]
    constraints: tuple[Constraint, ...]
    names: tuple[tuple[str, str], ...]
    expressions: tuple[tuple[str, str], ...]


def residual_rows(growth: GrowthModel, label: Callable[[str], str]) -> ResidualRows:
    """Write a growth model's residual structure.

    Parameters
    ----------
    growth : GrowthModel
        With shared occasions.
    label : callable
        Makes of a wish a label that no variable bears.
    """
    outcomes, occasions = growth.schema.outcome_columns, growth.schema.numbers
    structure = growth.residual
    cells = _labels(structure, occasions, label)
    starts = _starts(structure, occasions)
    rows = [
        Path(y, "~~", y, label=cells.get((j, j)), start=starts.get((j, j)))
        for j, y in enumerate(outcomes)
    ]
    width = _width(structure, len(occasions))
    rows += [
        Path(outcomes[j], "~~", outcomes[k], label=cells.get((j, k)), start=starts.get((j, k)))
        for j, k in combinations(range(len(occasions)), 2)
        if k - j <= width
    ]
    at = {cell: row.parameter for cell, row in _by_cell(rows, outcomes).items()}
    # One constraint for each label.
    constraints: dict[str, Constraint] = {}
    for cell, parameter in at.items():
        text = entry_text(structure, occasions, cell, at.__getitem__)
        if text is not None and parameter not in constraints:
            constraints[parameter] = Constraint(parameter, "==", _spelled(text))
    expressions = parameter_texts(structure, occasions, at.__getitem__)
    computed = {key for key, _ in expressions}
    names = tuple(
        (p.key, at[p.cells[0]])
        for p in residual_parameters(structure, occasions)
        if p.cells and p.key not in computed
    )
    return ResidualRows(tuple(rows), tuple(constraints.values()), names, expressions)


def _starts(structure: ResidualStructure, occasions: tuple[float, ...]) -> dict[Cell, float]:
    """Starting values by cell, where the constraints have no value at the programs' own.

    Programs start covariances at zero; that of two distances divides by that of one.
    """
    if structure.kind != "ar1+common":
        return {}
    size = len(occasions)
    unit = min((b - a for a, b in pairwise(occasions)), default=1.0)
    starts = {(j, j): 1.0 for j in range(size)}
    for j, k in combinations(range(size), 2):
        starts[j, k] = round(0.5 ** (1.0 + (occasions[k] - occasions[j]) / unit), 6)
    return starts


def _spelled(text: str) -> str:
    """Arithmetic with no more brackets than needed, as a table reads it back."""
    from growthmm.notation.lavaan.parser import Source, parse_side

    return spell(parse_side(text, "arithmetic", Source(text), 0))


def _by_cell(rows: list[Path], outcomes: tuple[str, ...]) -> dict[Cell, Path]:
    place = {y: j for j, y in enumerate(outcomes)}
    return {(place[row.left], place[row.right]): row for row in rows}


def _width(structure: ResidualStructure, size: int) -> int:
    """How many occasions apart residuals may be and still covary."""
    if structure.kind in ("common", "by_occasion", "by_group"):
        return 0
    return structure.bands or size


def _labels(
    structure: ResidualStructure, occasions: tuple[float, ...], label: Callable[[str], str]
) -> dict[Cell, str]:
    """Labels by cell; cells without one have parameters of their own."""
    size, kind = len(occasions), structure.kind
    if kind in ("by_occasion", "banded", "unstructured"):
        return {}
    pairs = list(combinations(range(size), 2))
    if kind in ("arh1", "csh"):
        own = {(j, j): label(f"v{j + 1}") for j in range(size)}
        return own | {(j, k): label(f"c{j + 1}_{k + 1}") for j, k in pairs}
    one = label("v")
    made = {(j, j): one for j in range(size)}
    if kind == "cs":
        return made | dict.fromkeys(pairs, label("c"))
    if kind == "toeplitz":
        return made | {(j, k): label(f"c{k - j}") for j, k in pairs}
    if kind in ("ar1", "ar1+common"):
        distances = {(j, k): round(occasions[k] - occasions[j], 9) for j, k in pairs}
        order = {d: n for n, d in enumerate(sorted(set(distances.values())), 1)}
        return made | {cell: label(f"c{order[d]}") for cell, d in distances.items()}
    return made
