"""Paths of one RAM model spread over the cells of its matrices, as OpenMx does it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Literal, cast

from growthmm.notation.lavaan.parser import Source
from growthmm.notation.openmx.names import RESERVED, definition_column
from growthmm.notation.openmx.parts import ModelPart, PathPart
from growthmm.notation.openmx.values import Item, Vector

__all__ = ["Cell", "Place", "cells"]

Matrix = Literal["A", "S", "M"]
Place = tuple[Matrix, str, str]
"""Matrix, row (the variable acted on) and column (the cause; empty in ``M``)."""

MAX_CELLS = 100_000

_BRACKETS = re.compile(r"(?P<algebra>[^\W\d]\w*)\[1,\s*1\]")
_ILLEGAL = frozenset("+-!~?:*/^%<>=&|$.[],")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that a path has set.

    Parameters
    ----------
    free : bool
        Whether it is estimated.
    value : float, optional
        Its value or starting value; None where the text gives none.
    label : str, optional
        Its label.
    definition : str, optional
        The data column that it takes its value from.
    algebra : str, optional
        The algebra that it takes its value from.
    lower, upper : float, optional
        Bounds.
    position : int
        Where the path stands in the text.
    """

    free: bool
    value: float | None
    label: str | None = None
    definition: str | None = None
    algebra: str | None = None
    lower: float | None = None
    upper: float | None = None
    position: int = 0


def cells(model: ModelPart, source: Source) -> dict[Place, Cell]:
    """The cells that a model's paths set; a later path replaces an earlier one.

    Parameters
    ----------
    model : ModelPart
        The model.
    source : Source
        Its text, for errors.

    Returns
    -------
    dict of Place to Cell
        A covariance once, in the order in which its path names the variables.

    Raises
    ------
    NotationError
        Where OpenMx would stop: unknown variables, too many values, labels it does not take.
    """
    table = _Table(model, source)
    for path in model.paths:
        table.add(path)
    return table.cells


@dataclass
class _Table:
    model: ModelPart
    source: Source
    cells: dict[Place, Cell] = field(default_factory=dict)
    count: int = 0

    def add(self, path: PathPart) -> None:
        pairs = self._pairs(path)
        self.count += len(pairs)
        if self.count > MAX_CELLS:
            raise self.source.error("The model has more paths than can be read.", path.position)
        for name in ("arrows", "free", "values", "labels", "lower", "upper"):
            given = len(cast("Vector", getattr(path, name)))
            if given > len(pairs):
                shown = {"lower": "lbound", "upper": "ubound"}.get(name, name)
                raise self.source.error(
                    f"mxPath() has {given} {shown} for {len(pairs)} paths.",
                    path.position,
                    hint="Give one for each path, or one for all.",
                )
        if path.connect != "single" and len(path.arrows) > 1:
            raise self.source.error(
                f'Several arrows with connect = "{path.connect}".', path.position
            )
        for k, (origin, target) in enumerate(pairs):
            self._place(path, k, origin, target)

    def _pairs(self, path: PathPart) -> list[tuple[str, str]]:
        origins = cast("tuple[str, ...]", path.origins.items)
        targets = cast("tuple[str, ...]", path.targets.items) or origins
        if path.connect == "single":
            size = max(len(origins), len(targets))
            pairs = [(origins[k % len(origins)], targets[k % len(targets)]) for k in range(size)]
        elif len(origins) * len(targets) > MAX_CELLS:
            raise self.source.error("The model has more paths than can be read.", path.position)
        else:
            pairs = [(origin, target) for origin in origins for target in targets]
            if path.connect.startswith("unique"):
                once = {frozenset(pair): pair for pair in reversed(pairs)}
                kept = set(once.values())
                pairs = [pair for pair in dict.fromkeys(pairs) if pair in kept]
            if path.connect.endswith("bivariate"):
                pairs = [pair for pair in pairs if pair[0] != pair[1]]
        known = {*self.model.manifest, *self.model.latent}
        for name in dict.fromkeys(name for pair in pairs for name in pair):
            if name not in known and name != "one":
                raise self.source.error(
                    f"The variable {name} stands neither in manifestVars nor in latentVars.",
                    path.position,
                    expected=tuple(sorted(known)),
                )
        return pairs

    def _place(self, path: PathPart, k: int, origin: str, target: str) -> None:
        arrows = path.arrows.items[k % len(path.arrows)]
        cell = self._cell(path, k)
        if target == "one" or (origin == "one" and arrows != 1.0):
            raise self.source.error(
                'The constant "one" takes single-headed arrows that leave it.', path.position
            )
        if origin == "one":
            self._set(("M", target, ""), cell)
        elif arrows == 1.0:
            if origin == target:
                raise self.source.error(
                    f"The path from {origin} to itself has one head.",
                    path.position,
                    hint="A variance has two: arrows = 2.",
                )
            for pair in ((origin, target), (target, origin)):
                self.cells.pop(("S", *pair), None)
            self._set(("A", target, origin), cell)
        elif arrows == 2.0:
            self.cells.pop(("A", target, origin), None)
            if ("S", target, origin) in self.cells and origin != target:
                origin, target = target, origin
            self._set(("S", origin, target), cell)
        else:
            raise self.source.error(
                "A path has one or two heads: arrows = 1 or arrows = 2.", path.position
            )

    def _set(self, place: Place, cell: Cell) -> None:
        self.cells[place] = cell

    def _cell(self, path: PathPart, k: int) -> Cell:
        def entry(vector: Vector) -> Item:
            return vector.items[k % len(vector)]

        def number(vector: Vector, what: str) -> float | None:
            value = entry(vector)
            if value is None:
                return None
            if not math.isfinite(value):  # type: ignore[arg-type]
                if what != "values":
                    return None
                raise self.source.error("A value is not finite.", path.position)
            return float(value)

        free = bool(entry(path.free))
        value = number(path.values, "values")
        lower, upper = number(path.lower, "lbound"), number(path.upper, "ubound")
        if lower is not None and upper is not None and lower >= upper:
            raise self.source.error("A lower bound is not below the upper one.", path.position)
        label = cast("str | None", entry(path.labels))
        made = Cell(free, value, lower=lower, upper=upper, position=path.position)
        if label is None:
            return made
        return self._labelled(label, made)

    def _labelled(self, label: str, cell: Cell) -> Cell:
        column = definition_column(label)
        brackets = _BRACKETS.fullmatch(label)
        if (column is not None or brackets is not None) and cell.free:
            raise self.source.error(
                f"The label {label} takes the value from elsewhere, but the path is free.",
                cell.position,
                hint="Write free = FALSE.",
            )
        fixed = (False, cell.value)
        if column:
            return Cell(*fixed, definition=column, position=cell.position)
        if brackets is not None:
            return Cell(*fixed, algebra=brackets["algebra"], position=cell.position)
        number = re.fullmatch(r"[0-9]+\.*[0-9]*(L|[eE][-+]?[0-9]+)?", label)
        if not label or set(label) & _ILLEGAL or number or label in RESERVED | {"A", "S", "F", "M"}:
            raise self.source.error(
                f"{label or 'An empty string'} is no label that OpenMx takes.",
                cell.position,
                hint="Letters, digits and underscores; not A, S, F, M or a reserved name.",
            )
        return Cell(cell.free, cell.value, label, None, None, cell.lower, cell.upper, cell.position)
