"""Design columns evaluated on data.

Levels and constants stand in the schema, where binding the terms has put them: evaluation never
looks at the data as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.basis import basis
from growthmm.data.design.contrasts import contrast_matrix
from growthmm.data.design.factors import (
    Table,
    codes_of,
    coding_of,
    levels_in_text,
    numeric,
)
from growthmm.data.levels import Scalar
from growthmm.errors import UnboundError
from growthmm.model.expression import tree
from growthmm.model.expression_tree import Call, Name
from growthmm.model.schema import Column, ColumnPart, Schema

if TYPE_CHECKING:
    import pandas

__all__ = [
    "evaluate",
    "evaluate_columns",
    "factored",
]

FloatArray = NDArray[np.float64]


class _Evaluator:
    """Evaluates parts; what several columns share is computed once."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.kept: dict[str, Any] = {}

    def part(self, part: ColumnPart) -> FloatArray:
        """The values of one part, shape (n_rows,)."""
        node = tree(part.expression)
        if part.coding != "numeric":
            return self.category(part)
        if not (isinstance(node, Call) and coding_of(part.expression, None).kind == "basis"):
            if part.expression not in self.kept:
                self.kept[part.expression] = numeric(node, self.table)
            return np.asarray(self.kept[part.expression])
        if part.expression not in self.kept:
            frozen = self.table.constants(part.expression)
            raw = node.function == "poly" and any(k == "raw" for k, _ in node.keywords)
            if frozen is None and not raw:
                raise UnboundError(
                    f"The constants of {part.expression} are not known.",
                    missing=(f"constants of {part.expression}",),
                    hint="Bind the model to data first.",
                )
            x = numeric(node.args[0], self.table)
            self.kept[part.expression] = basis(node, x, frozen or {})
        return np.asarray(self.kept[part.expression][:, part.index])

    def category(self, part: ColumnPart) -> FloatArray:
        """An indicator or contrast of a categorical factor; NaN where it is missing."""
        if part.expression not in self.kept:
            coding = coding_of(part.expression, self.levels(part.expression))
            codes = codes_of(tree(part.expression), coding.levels, self.table)
            self.kept[part.expression] = coding, codes
        coding, codes = self.kept[part.expression]
        n = len(coding.levels)
        matrix = (
            np.eye(n)
            if part.coding == "full"
            else contrast_matrix(coding.contrast, n, coding.reference)
        )
        # Code -1, missing, picks the last row.
        return np.asarray(np.append(matrix[:, part.index], np.nan)[codes])

    def levels(self, expression: str) -> tuple[Scalar, ...] | None:
        node = tree(expression)
        if isinstance(node, Call) and node.function == "C":
            written = levels_in_text(node)
            if written is not None:
                return written
            stored = self.table.constants(expression)
            if stored is not None:
                return stored["levels"]
            node = node.args[0]
        levels = self.table.levels(node.name) if isinstance(node, Name) else None
        schema = self.table.schema
        if levels is None and isinstance(node, Name) and schema and node.name == schema.time:
            levels = schema.times or None
        if levels is None and isinstance(node, Name):
            raise UnboundError(
                f"The levels of {expression} are not known.",
                missing=(f"levels of {expression}",),
                hint="Bind the model to data first.",
            )
        return levels


def factored(
    groups: Sequence[Sequence[Column]], data: pandas.DataFrame, schema: Schema | None = None
) -> tuple[list[NDArray[Any]], list[list[tuple[int, ...]]]]:
    """Evaluate the distinct factors of design columns, and say which make up each column.

    Parameters
    ----------
    groups : sequence of sequence of Column
        As :func:`~growthmm.data.design.binding.bind_columns` gives them.
    data : pandas.DataFrame
        The data.
    schema : Schema, optional
        Levels and constants.

    Returns
    -------
    factors : list of (n_rows,) ndarray
        Numbers, read-only; plain columns share memory with `data` and are of its type. NaN where
        a variable is missing.
    columns : list of list of tuple of int
        For each group and column the factors that it is the product of.

    Raises
    ------
    UnboundError
        If levels or constants are not known.
    DataError
        If columns are absent or hold values that cannot be used.
    """
    table = Table(data, schema)
    evaluator = _Evaluator(table)
    place: dict[ColumnPart, int] = {}
    factors: list[NDArray[Any]] = []
    found: list[list[tuple[int, ...]]] = []
    for columns in groups:
        made = []
        for column in columns:
            for part in column.parts:
                if part not in place:
                    place[part] = len(factors)
                    plain = table.integers(part.expression) if part.coding == "numeric" else None
                    factors.append(evaluator.part(part) if plain is None else plain)
            made.append(tuple(place[part] for part in column.parts))
        found.append(made)
    return factors, found


def evaluate_columns(
    columns: Sequence[Column],
    data: pandas.DataFrame | Mapping[str, NDArray[Any]],
    schema: Schema | None = None,
) -> list[FloatArray]:
    """Evaluate design columns one by one; plain numeric columns are not copied.

    Parameters
    ----------
    columns : sequence of Column
        As :func:`~growthmm.data.design.binding.bind_columns` gives them.
    data : pandas.DataFrame or mapping of str to (n_rows,) ndarray
        The data; a mapping serves to tabulate bases at the occasions.
    schema : Schema, optional
        Levels and constants.

    Returns
    -------
    list of (n_rows,) ndarray
        Read-only use: they may share memory with `data`. NaN where a variable is missing.

    Raises
    ------
    UnboundError
        If levels or constants are not known.
    DataError
        If columns are absent or hold values that cannot be used.
    """
    table = Table(data, schema)
    evaluator = _Evaluator(table)
    found = []
    for column in columns:
        values: FloatArray | None = None
        for part in column.parts:
            factor = evaluator.part(part)
            values = factor if values is None else values * factor
        found.append(np.ones(table.n_rows) if values is None else values)
    return found


def evaluate(
    columns: Sequence[Column],
    data: pandas.DataFrame | Mapping[str, NDArray[Any]],
    schema: Schema | None = None,
) -> FloatArray:
    """Evaluate design columns as one matrix.

    Parameters
    ----------
    columns : sequence of Column
        As :func:`~growthmm.data.design.binding.bind_columns` gives them.
    data : pandas.DataFrame or mapping of str to (n_rows,) ndarray
        The data.
    schema : Schema, optional
        Levels and constants.

    Returns
    -------
    (n_rows, n_columns) ndarray
        Fortran-ordered; NaN where a variable is missing.

    Raises
    ------
    UnboundError
        If levels or constants are not known.
    DataError
        If columns are absent or hold values that cannot be used.

    Examples
    --------
    >>> from growthmm.model.schema import ColumnPart
    >>> from growthmm.model.terms import Term
    >>> t = np.array([0.0, 1.0, 2.0])
    >>> square = Column(Term(("I(t**2)",)), (ColumnPart("I(t**2)"),))
    >>> evaluate([Column(Term()), square], {"t": t})
    array([[1., 0.],
           [1., 1.],
           [1., 4.]])
    """
    values = evaluate_columns(columns, data, schema)
    n_rows = values[0].shape[0] if values else Table(data, schema).n_rows
    out = np.empty((n_rows, len(values)), order="F")
    for at, column in enumerate(values):
        out[:, at] = column
    return out
