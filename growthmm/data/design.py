"""Design columns: encoding the terms of a formula as R does, and evaluating them on data.

Levels and constants are taken from the data once, when terms are bound, and stand in the schema
from then on: evaluation never looks at the data as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design_basis import basis, fit_basis, width
from growthmm.data.design_contrasts import contrast_matrix, r_labels
from growthmm.data.design_factors import (
    Coding,
    Table,
    codes_of,
    coding_of,
    levels_in_text,
    numeric,
)
from growthmm.data.design_names import patsy_name, r_name
from growthmm.data.frames import as_pandas
from growthmm.data.levels import Scalar, column_levels, level_text
from growthmm.data.wording import listed
from growthmm.errors import UnboundError, ValueColumnError
from growthmm.model.expression import tree
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call, Name, Negative, Node, Operation
from growthmm.model.schema import Column, ColumnPart, Constants, Schema
from growthmm.model.terms import Term

if TYPE_CHECKING:
    import pandas

__all__ = [
    "BoundColumns",
    "bind_columns",
    "evaluate",
    "evaluate_columns",
    "factored",
    "patsy_name",
    "r_name",
]

FloatArray = NDArray[np.float64]

MAX_LEVELS = 5000


class BoundColumns(NamedTuple):
    """What binding terms gives.

    Parameters
    ----------
    columns : tuple of Column
        The design columns, in R's order.
    levels : tuple of (str, tuple of scalars)
        The levels of each categorical column used, for ``Variable.levels``.
    constants : tuple of Constants
        Frozen constants of bases, and levels of ``C()`` of numbers.
    """

    columns: tuple[Column, ...]
    levels: tuple[tuple[str, tuple[Scalar, ...]], ...]
    constants: tuple[Constants, ...]


@dataclass
class _Binder:
    """Finds levels and constants, in the schema where it has them, else in the data."""

    frame: pandas.DataFrame | None
    known: Schema | None
    levels: dict[str, tuple[Scalar, ...] | None] = field(default_factory=dict)
    constants: dict[str, Constants] = field(default_factory=dict)

    def coding(self, expression: str) -> Coding:
        """How a factor is coded; its levels and constants are kept on the way."""
        node = tree(expression)
        levels: tuple[Scalar, ...] | None = None
        if isinstance(node, Name):
            levels = self.column(node.name)
        elif isinstance(node, Call) and node.function == "C":
            levels = self.factor(expression, node)
        coding = coding_of(expression, levels)
        if coding.kind == "basis":
            assert isinstance(node, Call)
            self.freeze(expression, node)
        else:
            for inner in _inner_bases(node):
                self.freeze(show(inner, "canonical"), inner)
        return coding

    def column(self, name: str) -> tuple[Scalar, ...] | None:
        """The levels of a column, None where it is numeric."""
        if name not in self.levels:
            variable = None if self.known is None else self.known.variable(name)
            if variable is not None:
                found = variable.levels
            elif self.known is not None and name in (self.known.time, self.known.outcome):
                found = None
            elif self.frame is not None:
                found = column_levels(self.frame, name)
            else:
                raise UnboundError(
                    f"Whether {name!r} is numeric or categorical is not known.",
                    missing=(f"levels of {name}",),
                    hint="Give data, or a schema with this variable.",
                )
            self.levels[name] = found
        return self.levels[name]

    def factor(self, expression: str, node: Call) -> tuple[Scalar, ...]:
        """The levels of ``C()``: written out, or of its column, or its distinct numbers."""
        written = levels_in_text(node)
        if written is not None:
            return written
        inner = node.args[0]
        frozen = self.stored(expression)
        if frozen is None:
            is_time = self.known is not None and inner == Name(self.known.time or "")
            if isinstance(inner, Name) and not is_time:
                levels = self.column(inner.name)
                if levels is not None:
                    return levels
            frozen = {"levels": self.distinct(expression, node)}
            self.constants[expression] = Constants(expression, tuple(frozen.items()))
        return frozen["levels"]

    def distinct(self, expression: str, node: Call) -> tuple[float, ...]:
        inner = node.args[0]
        known = self.known
        if self.frame is None:
            is_time = known is not None and inner == Name(known.time or "")
            if is_time and known is not None and known.occasions:
                return known.times
            raise UnboundError(
                f"The levels of {expression} are not known.",
                missing=(f"levels of {expression}",),
                hint="Give data, or the occasions of the schema.",
            )
        values = np.unique(numeric(inner, Table(self.frame, known)))
        values = values[~np.isnan(values)]
        if values.size > MAX_LEVELS:
            raise ValueColumnError(
                f"{expression} has {values.size} levels, more than {MAX_LEVELS}.",
                hint="Is this a continuous variable? Use it without C().",
            )
        return tuple(float(v) for v in values)

    def stored(self, expression: str) -> dict[str, tuple[float, ...]] | None:
        found = self.constants.get(expression)
        if found is None and self.known is not None:
            found = self.known.constants_of(expression)
            if found is not None:
                self.constants[expression] = found
        return None if found is None else dict(found.values)

    def freeze(self, expression: str, node: Call) -> None:
        if self.stored(expression) is not None:
            return
        raw = node.function == "poly" and any(k == "raw" for k, _ in node.keywords)
        if self.frame is None:
            if raw:
                return
            raise UnboundError(
                f"The constants of {expression} are not known.",
                missing=(f"constants of {expression}",),
                hint="Give data: they are computed from all rows.",
            )
        x = numeric(node.args[0], Table(self.frame, self.known))
        frozen = fit_basis(node, x, expression)
        if frozen:
            self.constants[expression] = Constants(expression, tuple(frozen.items()))


def _inner_bases(node: Node) -> list[Call]:
    """The ``scale()`` calls within an expression, whose constants are of all rows too."""
    if isinstance(node, Negative):
        return _inner_bases(node.operand)
    if isinstance(node, Operation):
        sides = [side for side in (node.left, node.right) if side is not None]
        return [found for side in sides for found in _inner_bases(side)]
    if not isinstance(node, Call) or node.function == "C":
        return []
    if node.function == "scale":
        return [node]
    return [found for argument in node.args for found in _inner_bases(argument)]


def bind_columns(
    terms: Sequence[Term],
    frame: object | None = None,
    *,
    known: Schema | None = None,
) -> BoundColumns:
    """Encode terms as design columns, as R's ``model.matrix`` does.

    A categorical factor is coded by contrasts where an earlier term holds the rest of its term,
    else by an indicator for each level; without an intercept the first categorical factor has
    an indicator for each level. The first factor of a product varies fastest.

    Parameters
    ----------
    terms : sequence of Term
        In R's order; the intercept is ``Term()``.
    frame : data frame, optional
        The data: all their rows give levels and constants. None where `known` has them all.
    known : Schema, optional
        Levels and constants that are known already; they win over the data.

    Returns
    -------
    BoundColumns
        Columns, levels and constants.

    Raises
    ------
    UnboundError
        If there are no data and `known` lacks a fact.
    DataError
        If columns are absent or their values cannot be coded.

    Notes
    -----
    The rule is that of R's C function ``TermCode`` (Chambers & Hastie 1992, Statistical Models
    in S, section 2.4.1).

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"t": [0, 1], "sex": ["m", "f"]})
    >>> bound = bind_columns([Term(), Term(("t",)), Term(("t", "sex"))], frame)
    >>> [r_name(column) for column in bound.columns]
    ['(Intercept)', 't', 't:sexm']
    """
    binder = _Binder(None if frame is None else as_pandas(frame), known)
    codings = {e: binder.coding(e) for term in terms for e in term.factors}
    full = _full_coding(terms, codings)
    columns = [
        column for at, term in enumerate(terms) for column in _columns(term, codings, full, at)
    ]
    levels = tuple((name, v) for name, v in binder.levels.items() if v is not None)
    return BoundColumns(tuple(columns), levels, tuple(binder.constants.values()))


def _full_coding(terms: Sequence[Term], codings: dict[str, Coding]) -> set[tuple[int, str]]:
    """The (position of term, factor) that have an indicator for each level."""
    full = set()
    for at, term in enumerate(terms):
        for factor in term.factors:
            rest = set(term.factors) - {factor}
            if rest and not any(rest <= set(earlier.factors) for earlier in terms[:at]):
                full.add((at, factor))
    if not any(term.is_intercept for term in terms):
        for at, term in enumerate(terms):
            first = next((f for f in term.factors if codings[f].kind == "categorical"), None)
            if first is not None:
                full.add((at, first))
                break
    return full


def _columns(
    term: Term, codings: dict[str, Coding], full: set[tuple[int, str]], at: int
) -> list[Column]:
    parts = [_parts(f, codings[f], (at, f) in full) for f in term.factors]
    # product() varies its last argument fastest, R the first factor.
    return [Column(term, tuple(reversed(chosen))) for chosen in product(*reversed(parts))]


def _parts(expression: str, coding: Coding, full: bool) -> list[ColumnPart]:
    if coding.kind == "numeric":
        return [ColumnPart(expression)]
    if coding.kind == "basis":
        node = tree(expression)
        assert isinstance(node, Call)
        n = width(node)
        return [ColumnPart(expression, i, str(i + 1) if n > 1 else "") for i in range(n)]
    if full:
        return [
            ColumnPart(expression, i, level_text(level), "full")
            for i, level in enumerate(coding.levels)
        ]
    if len(coding.levels) < 2:
        raise ValueColumnError(
            f"{expression} has only the level{'s' if not coding.levels else ''} "
            f"{listed(coding.levels) or '(none)'}: contrasts need two.",
            hint="Leave the term out.",
        )
    labels = r_labels(coding.contrast, coding.levels, coding.reference)
    return [ColumnPart(expression, i, label, "contrast") for i, label in enumerate(labels)]


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
        As :func:`bind_columns` gives them.
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
        As :func:`bind_columns` gives them.
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
        As :func:`bind_columns` gives them.
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
