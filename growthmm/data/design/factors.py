"""Evaluate one factor of a formula on data: numbers, categories or the columns of a basis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.basis import basis
from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.levels import Scalar, level_codes, level_text, plain
from growthmm.data.wording import listed, nearest, rows_text
from growthmm.errors import ColumnNotFoundError, ValueColumnError
from growthmm.model.expression import spell, tree
from growthmm.model.expression_functions import FUNCTIONS
from growthmm.model.expression_tree import (
    Call,
    Name,
    Negative,
    Node,
    Number,
    Operation,
    Text,
    Truth,
    names_in,
)

if TYPE_CHECKING:
    import pandas

    from growthmm.model.schema import Schema

__all__ = ["COMPARISONS", "Coding", "Table", "coding_of", "is_truth", "levels_in_text", "numeric"]

FloatArray = NDArray[np.float64]

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
}


@dataclass(frozen=True)
class Table:
    """Data whose columns are read as numbers or as codes.

    Parameters
    ----------
    data : pandas.DataFrame or mapping of str to (n_rows,) ndarray
        The columns.
    schema : Schema, optional
        Levels and constants.
    """

    data: pandas.DataFrame | Mapping[str, NDArray[Any]]
    schema: Schema | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        if isinstance(self.data, Mapping):
            return max((np.shape(v)[0] for v in self.data.values()), default=0)
        return len(self.data)

    def number(self, name: str) -> FloatArray:
        """A column as numbers, without a copy where it holds doubles."""
        if not isinstance(self.data, Mapping):
            return numeric_column(self.data, name)
        if name not in self.data:
            raise ColumnNotFoundError(
                f"There is no column {name!r} among the values given.",
                hint=f"{nearest(name, self.data)}Given: {listed(self.data)}.",
            )
        values = np.asarray(self.data[name])
        if values.dtype.kind not in "fiub":
            raise ValueColumnError(
                f"The column {name!r} must hold numbers, not {values.dtype}.",
                hint="Give numbers, or the levels of a categorical column.",
            )
        return values.astype(np.float64, copy=False)

    def missing(self, name: str) -> NDArray[np.bool_]:
        """Where a column of any type has no value."""
        if isinstance(self.data, Mapping):
            return np.isnan(self.number(name))
        return np.asarray(codes(self.data, name)[0] < 0)

    def is_level(self, name: str, text: str) -> FloatArray:
        """Whether a column's value, as R prints it, is `text`; NaN where it is missing.

        Raises
        ------
        ColumnNotFoundError
            If there is no such column.
        """
        import pandas

        data = self.data
        if isinstance(data, Mapping):
            frame = pandas.DataFrame({name: data[name]})
        else:
            require_columns(data, [name])
            frame = data
        numbered, labels = codes(frame, name)
        found = [float(level_text(plain(label)) == text) for label in labels]
        return np.asarray(np.array([*found, np.nan])[numbered])

    def integers(self, expression: str) -> NDArray[Any] | None:
        """A plain column of integers as it stands; None for any other expression."""
        node = tree(expression)
        if not isinstance(node, Name) or isinstance(self.data, Mapping):
            return None
        require_columns(self.data, [node.name])
        column = self.data[node.name]
        whole = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu"
        return column.to_numpy() if whole else None

    def levels(self, name: str) -> tuple[Scalar, ...] | None:
        """The levels of a categorical column that the schema knows."""
        variable = None if self.schema is None else self.schema.variable(name)
        return None if variable is None else variable.levels

    def constants(self, expression: str) -> dict[str, tuple[float, ...]] | None:
        """The frozen constants of an expression."""
        found = None if self.schema is None else self.schema.constants_of(expression)
        return None if found is None else dict(found.values)


@dataclass(frozen=True)
class Coding:
    """How a factor is coded.

    Parameters
    ----------
    kind : {"numeric", "categorical", "basis"}
        What it is.
    levels : tuple of scalars
        Of a categorical factor.
    contrast : str
        ``Treatment``, ``Sum``, ``Helmert`` or ``Poly``.
    reference : int
        Position of the reference level.
    """

    kind: str
    levels: tuple[Scalar, ...] = ()
    contrast: str = "Treatment"
    reference: int = 0


def is_truth(node: Node) -> bool:
    """Whether an expression is a comparison, which R and patsy take as categorical."""
    if isinstance(node, Call) and node.function == "I":
        return is_truth(node.args[0])
    return isinstance(node, Operation) and node.operator in COMPARISONS


def levels_in_text(node: Call) -> tuple[Scalar, ...] | None:
    """The levels that ``C(x, levels=[...])`` writes out."""
    written = dict(node.keywords).get("levels")
    if not isinstance(written, Call):
        return None
    return tuple(_literal(item) for item in written.args)


def _literal(node: Node) -> Scalar:
    if isinstance(node, Negative) and isinstance(node.operand, Number):
        return -node.operand.value
    if isinstance(node, Number | Text | Truth):
        return node.value
    raise TypeError(node)


def coding_of(expression: str, levels: tuple[Scalar, ...] | None) -> Coding:
    """How the factor `expression` is coded, given the levels of what it codes.

    Parameters
    ----------
    expression : str
        Canonical text of a factor.
    levels : tuple of scalars, optional
        The levels of its variable, None where that is numeric.

    Raises
    ------
    ValueColumnError
        If the reference level of a contrast is no level.
    """
    node = tree(expression)
    if is_truth(node):
        return Coding("categorical", (False, True))
    if not isinstance(node, Call):
        return Coding("numeric") if levels is None else Coding("categorical", levels)
    if node.function == "C":
        return _categorical(expression, node, levels or ())
    kind = "basis" if FUNCTIONS[node.function].kind == "basis" else "numeric"
    return Coding(kind)


def _categorical(expression: str, node: Call, levels: tuple[Scalar, ...]) -> Coding:
    contrast = node.args[1] if len(node.args) > 1 else None
    if isinstance(contrast, Name):
        return Coding("categorical", levels, contrast.name)
    if not isinstance(contrast, Call):
        return Coding("categorical", levels)
    reference = _literal(contrast.args[0])
    for at, level in enumerate(levels):
        if level == reference or (isinstance(reference, str) and _same_text(level, reference)):
            return Coding("categorical", levels, "Treatment", at)
    raise ValueColumnError(
        f"The reference {reference!r} of {spell(expression, 'r')} is not among the levels "
        f"{listed(levels)}.",
        hint="Name a level that occurs.",
    )


def _same_text(level: Scalar, text: str) -> bool:
    return level_text(level) == text


def numeric(node: Node, table: Table) -> FloatArray:
    """The value of a numeric expression in each row; NaN where a variable is missing.

    Raises
    ------
    ValueColumnError
        If a value that is there gives none, as ``log(0)`` does.
    """
    if isinstance(node, Name):
        return table.number(node.name)
    inner = node.args[0] if isinstance(node, Call) and node.function == "I" else node
    with np.errstate(all="ignore"):
        values = np.asarray(_value(inner, table), dtype=np.float64)
    if values.ndim == 0:
        values = np.full(table.n_rows, float(values))
    if not np.isfinite(values).all():
        _refuse_undefined(inner, table, values)
    return values


def _refuse_undefined(node: Node, table: Table, values: FloatArray) -> None:
    from growthmm.model.expression_print import show

    bad = ~np.isfinite(values)
    for name in names_in(node):
        bad &= ~table.missing(name)
    if bad.any():
        rows = np.flatnonzero(bad)
        raise ValueColumnError(
            f"{show(node, 'canonical')} has no finite value in {rows.size} "
            f"row{'s' if rows.size > 1 else ''} ({rows_text(rows)}).",
            hint="Shift or drop these values: log(x + 1), say.",
        )


def _value(node: Node, table: Table) -> Any:
    if isinstance(node, Name):
        return table.number(node.name)
    if isinstance(node, Number | Truth):
        return float(node.value)
    if isinstance(node, Negative):
        return -_value(node.operand, table)
    if isinstance(node, Operation) and node.left is not None:
        return _operation(node, node.left, table)
    if isinstance(node, Call) and FUNCTIONS[node.function].kind in ("elementwise", "identity"):
        if node.function == "I":
            return _value(node.args[0], table)
        function = getattr(np, node.function)
        return function(*(_value(a, table) for a in node.args))
    if isinstance(node, Call) and node.function == "scale":
        return _nested_scale(node, table)
    from growthmm.model.expression_print import show

    if isinstance(node, Call) and FUNCTIONS[node.function].kind == "lag":
        raise ValueColumnError(
            f"{show(node, 'canonical')} stands within an expression.",
            hint="Use it as a factor of its own, of data with persons and times.",
        )
    raise ValueColumnError(
        f"{show(node, 'canonical')} gives categories or several columns within an expression.",
        hint="Use it as a factor of its own.",
    )


def _operation(node: Operation, left: Node, table: Table) -> Any:
    if node.operator == ":":
        raise ValueColumnError(
            "The operator : has no numeric value within an expression.",
            hint="Write x*y within I(), x:y between factors.",
        )
    if node.operator in COMPARISONS:
        if isinstance(left, Name) and isinstance(node.right, Text):
            found = table.is_level(left.name, node.right.value)
            return found if node.operator == "==" else 1.0 - found
        first, second = _value(left, table), _value(node.right, table)
        truth = COMPARISONS[node.operator](first, second).astype(float)
        return np.where(np.isnan(first) | np.isnan(second), np.nan, truth)
    first, second = _value(left, table), _value(node.right, table)
    return _ARITHMETIC[node.operator](np.asarray(first, dtype=float), second)


def _nested_scale(node: Call, table: Table) -> Any:
    from growthmm.data.design.basis import fit_basis
    from growthmm.model.expression_print import show

    text = show(node, "canonical")
    x = numeric(node.args[0], table)
    frozen = table.constants(text)
    return basis(node, x, fit_basis(node, x, text) if frozen is None else frozen)[:, 0]


def codes_of(node: Node, levels: tuple[Scalar, ...], table: Table) -> NDArray[np.intp]:
    """The level of each row, -1 where missing."""
    if isinstance(node, Call) and node.function == "C":
        return codes_of(node.args[0], levels, table)
    if isinstance(node, Name) and not all(isinstance(v, float) for v in levels):
        return level_codes(table.data, node.name, levels)
    values = numeric(node, table)
    grid = np.asarray(levels, dtype=np.float64)
    order = np.argsort(grid)
    at = np.minimum(np.searchsorted(grid[order], values), grid.size - 1)
    found = order[at]
    wrong = (grid[found] != values) & ~np.isnan(values)
    if wrong.any():
        unknown = np.unique(values[wrong])
        from growthmm.model.expression_print import show

        raise ValueColumnError(
            f"{show(node, 'canonical')} is {listed(unknown)}, not among the levels "
            f"{listed(levels)}.",
            hint="Use the data that the model was bound to, or bind it again.",
        )
    return np.where(np.isnan(values), -1, found)
