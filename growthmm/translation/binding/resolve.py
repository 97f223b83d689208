"""What a covariate's name stands for in long data: ``sexmale`` is the level male of ``sex``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from growthmm.data.design.binding import bind_columns
from growthmm.data.design.names import r_name
from growthmm.data.names import syntactic
from growthmm.errors import DataError, UnboundError
from growthmm.model.expression import canonical, quote
from growthmm.model.schema import Column, ColumnPart, Constants, Schema, Variable
from growthmm.model.terms import INTERCEPT, Term
from growthmm.translation.coding import PartKey, part_key
from growthmm.translation.naming import covariate_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Resolver"]

CONTRASTS = ("Sum", "Helmert", "Poly")

NUMERIC = (
    "C({0})",
    "scale({0})",
    "I({0}**2)",
    "I({0}**3)",
    "log({0})",
    "sqrt({0})",
    "poly({0}, 2)",
    "poly({0}, 3)",
)
"""Recodings of a numeric column that a name is tried as, beside the expressions of the schema."""


@dataclass
class Resolver:
    """Reads names of covariates as products of encoded columns.

    Names are those that :func:`growthmm.translation.naming.covariate_name` makes of R's names of
    coefficients, joined by dots.

    Parameters
    ----------
    schema : Schema
        Variables, with levels where categorical, and frozen constants.
    frame : DataFrame, optional
        The data, for constants that are not frozen yet.

    Examples
    --------
    >>> from growthmm.model.schema import Variable
    >>> sex = Variable("sex", "person_level", ("female", "male"))
    >>> column = Resolver(Schema("id", "t", "y", variables=(sex,))).column("sexmale")
    >>> r_name(column)
    'sexmale'
    """

    schema: Schema
    frame: pd.DataFrame | None = None
    _parts: dict[str, dict[PartKey, ColumnPart]] | None = None
    _constants: dict[str, Constants] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The column that `name` stands for, or None."""
        variable = self.schema.variable(name)
        if variable is not None and variable.levels == (False, True):
            return _product((ColumnPart(quote(name), 0, "TRUE", "contrast"),))
        if variable is not None:
            return None if variable.levels is not None else _product((ColumnPart(quote(name)),))
        parts = self._read(name)
        for taken in self.schema.outcome_columns if parts is None else ():
            # A number behind a name keeps a covariate apart from a column of the outcome.
            if re.fullmatch(re.escape(taken) + r"\d", name):
                parts = self._read(taken)
        return None if parts is None else _product(parts)

    def constants(self, columns: Sequence[Column]) -> tuple[Constants, ...]:
        """The constants that columns need and that were frozen on the way."""
        used = dict.fromkeys(part.expression for column in columns for part in column.parts)
        return tuple(self._constants[e] for e in used if e in self._constants)

    def _read(self, name: str) -> tuple[ColumnPart, ...] | None:
        """The parts of a product, the longest name first at each place."""
        if self._parts is None:
            self._parts = {}
            for candidate, made in self._candidates():
                self._parts.setdefault(candidate, {})[part_key(made)] = made
        for end in range(len(name), 0, -1):
            if end < len(name) and name[end] != ".":
                continue
            known = self._parts.get(name[:end], {})
            if len(known) > 1:
                # Two columns whose names become one: nothing says which is meant.
                continue
            part = next(iter(known.values()), None) or self._recoded(name[:end])
            if part is None:
                continue
            if end == len(name):
                return (part,)
            rest = self._read(name[end + 1 :])
            if rest is not None:
                return (part, *rest)
        return None

    def _candidates(self) -> Iterator[tuple[str, ColumnPart]]:
        """Names of single parts; those that come later win."""
        schema = self.schema
        for variable in schema.variables:
            if variable.levels is None or len(variable.levels) < 2:
                continue
            own = quote(variable.name)
            for contrast in CONTRASTS:
                yield from self._columns(f"C({own}, {contrast})", contrasts=True)
            for level in variable.levels[1:]:
                shown = repr(level) if not isinstance(level, str) else f'"{_escaped(level)}"'
                expression = f"C({own}, Treatment({shown}))"
                yield from self._columns(expression, contrasts=True)
            for expression in (f"C({own})", own):
                yield from self._columns(expression, contrasts=False)
                yield from self._columns(expression, contrasts=True)
        for constants in schema.constants:
            yield from self._columns(constants.expression, contrasts=True)
        for variable in schema.variables:
            if variable.levels is None:
                yield from _plain(variable.name)
        if schema.time is not None:
            yield from _plain(schema.time)

    def _recoded(self, name: str) -> ColumnPart | None:
        """A common recoding of a numeric column that bears this name."""
        known = list(self.schema.variables)
        if self.schema.time is not None and not self.schema.shared_times:
            known.append(Variable(self.schema.time, "time"))
        for variable in known:
            if variable.levels is not None or variable.role == "time_function":
                continue
            for template in NUMERIC:
                expression = canonical(template.format(quote(variable.name)))
                head = covariate_name(expression.split(",")[0])
                if template == NUMERIC[0]:
                    head = covariate_name(quote(variable.name))
                if not name.startswith(head):
                    continue
                found = dict(self._columns(expression, contrasts=True)).get(name)
                if found is not None:
                    return found
        return None

    def _columns(self, expression: str, *, contrasts: bool) -> Iterator[tuple[str, ColumnPart]]:
        """The parts that a factor is encoded by, with their names."""
        term = Term((expression,))
        terms = [INTERCEPT, term] if contrasts else [term]
        try:
            bound = bind_columns(terms, self.frame, known=self.schema)
        except (UnboundError, DataError):
            # What cannot be encoded is no candidate.
            return
        self._constants |= {c.expression: c for c in bound.constants}
        for column in bound.columns:
            if column.parts:
                yield covariate_name(r_name(column)), column.parts[0]


def _plain(name: str) -> Iterator[tuple[str, ColumnPart]]:
    """A numeric column under the names that wide columns and covariates have."""
    part = ColumnPart(quote(name))
    yield syntactic(name), part
    yield covariate_name(r_name(_product((part,)))), part


def _product(parts: Sequence[ColumnPart]) -> Column:
    return Column(Term(tuple(part.expression for part in parts)), tuple(parts))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
