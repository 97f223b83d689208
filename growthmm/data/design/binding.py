"""Design columns: encoding the terms of a formula as R does.

Levels and constants are taken from the data once, when terms are bound, and stand in the schema
from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from growthmm.data.design.basis import fit_basis, width
from growthmm.data.design.contrasts import r_labels
from growthmm.data.design.factors import (
    Coding,
    Table,
    coding_of,
    levels_in_text,
    numeric,
)
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

__all__ = ["BoundColumns", "bind_columns"]

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
    >>> from growthmm.data.design.names import r_name
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
