"""The curves of a mixed model whose terms hold parameters, as the long engine takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.curve_grid import curve_grid
from growthmm.data.curves import Taylor, curve, holds
from growthmm.data.design.factors import Table
from growthmm.data.frames import numeric_column
from growthmm.engines.long.loadings import Curves, Loadings
from growthmm.model.bound import BoundMixed
from growthmm.model.expression import variables
from growthmm.model.schema import Column, Schema
from growthmm.model.terms import Term

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CurvedColumns", "curved_columns"]

FloatArray = NDArray[np.float64]


class CurvedColumns:
    """Design columns split into functions of parameters and the rest.

    Parameters
    ----------
    bound : BoundMixed
        A model whose terms hold parameters.
    frame : DataFrame
        Long data.

    Attributes
    ----------
    fixed, random : tuple of Column
        The columns without the parts that hold parameters.
    variables : tuple of (n_rows,) ndarray
        What the curves are functions of, NaN where missing.
    """

    def __init__(self, bound: BoundMixed, frame: pd.DataFrame) -> None:
        self.model = bound.model
        self.schema: Schema = bound.schema
        names = bound.model.loading_names
        random = [column for block in bound.random for column in block.columns]
        self.curves: list[tuple[str, ...]] = []
        self.places = [
            [self._place(c, names) for c in columns] for columns in (bound.fixed, random)
        ]
        self.fixed = tuple(_rest(column, names) for column in bound.fixed)
        self.random = tuple(_rest(column, names) for column in random)
        used = [v for expressions in self.curves for e in expressions for v in variables(e)]
        self.columns = [v for v in dict.fromkeys(used) if v not in names]
        self.variables = tuple(numeric_column(frame, name) for name in self.columns)

    def _place(self, column: Column, names: Sequence[str]) -> int:
        own = tuple(p.expression for p in column.parts if holds(p.expression, names))
        if not own:
            return -1
        if own not in self.curves:
            self.curves.append(own)
        return self.curves.index(own)

    def loadings(self, rows: NDArray[np.intp] | None) -> Loadings:
        """The curves at the distinct values of their variables among the rows used.

        Parameters
        ----------
        rows : (n_rows,) ndarray of int, optional
            Rows used; all where None.
        """
        values = [v if rows is None else v[rows] for v in self.variables]
        points, at = np.unique(np.column_stack(values), axis=0, return_inverse=True)
        table = Table({name: points[:, k] for k, name in enumerate(self.columns)}, self.schema)
        names = self.model.loading_names

        def evaluate(point: FloatArray) -> Curves:
            given = dict(zip(names, point.tolist(), strict=True))
            made = [curve(expressions, table, given) for expressions in self.curves]
            return _stacked(made)

        return Loadings(
            names,
            self._starts(points),
            at.reshape(-1).astype(np.intp),
            tuple(self.places[0]),
            tuple(self.places[1]),
            evaluate,
        )

    def _starts(self, points: FloatArray) -> FloatArray:
        """The model's own start, and without one curves that bend over the span of times."""
        given = [parameter.start for parameter in self.model.loading_parameters]
        if all(value is not None for value in given):
            return np.array([given], dtype=float)
        widest = int(np.argmax(np.ptp(points, axis=0)))
        times = points[:, widest]
        tried = []
        for point in curve_grid(given.count(None), float(times.min()), float(times.max())):
            values = iter(point)
            tried.append([next(values) if v is None else v for v in given])
        return np.array(tried, dtype=float)


def _rest(column: Column, names: Sequence[str]) -> Column:
    parts = tuple(part for part in column.parts if not holds(part.expression, names))
    return Column(Term(tuple(part.expression for part in parts)), parts)


def _stacked(made: Sequence[Taylor]) -> Curves:
    return Curves(
        np.stack([taylor.value for taylor in made]),
        np.stack([taylor.first for taylor in made]),
        np.stack([taylor.second for taylor in made]),
    )


def curved_columns(bound: BoundMixed, frame: pd.DataFrame) -> tuple[BoundMixed, CurvedColumns]:
    """The model without the parts of its columns that hold parameters, and those parts."""
    curved = CurvedColumns(bound, frame)
    blocks, start = [], 0
    for block in bound.random:
        stop = start + len(block.columns)
        blocks.append(replace(block, columns=curved.random[start:stop]))
        start = stop
    return replace(bound, fixed=curved.fixed, random=tuple(blocks)), curved
