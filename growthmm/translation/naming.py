"""Names on the SEM side for what a formula leaves nameless."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from growthmm.data.design.names import r_name
from growthmm.data.levels import level_text
from growthmm.data.names import syntactic
from growthmm.model.expression import canonical, quote, variables
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.terms import Term
from growthmm.translation.shifted import blanked, lag_name, product_columns, shift_of, unshifted

__all__ = ["NameBook", "common_stem", "covariate_name", "occasion_indicator", "polynomial_degree"]


# fmt: off
RESERVED = frozenset({
    "if", "else", "for", "while", "repeat", "function", "break", "next", "in", "NA", "NULL",
    "NaN", "Inf", "TRUE", "FALSE", "True", "False", "None", "and", "or", "not", "class", "def",
    "is", "lambda", "return", "start", "equal", "c", "rv", "lower", "upper", "efa", "group"
})
# fmt: on
"""Words that a program of either family reads as its own."""


def covariate_name(coefficient: str) -> str:
    """A name that every SEM notation accepts, made from a coefficient's name.

    Examples
    --------
    >>> covariate_name("occasion:sexmale"), covariate_name("factor(sex)male")
    ('occasion.sexmale', 'sexmale')
    """
    # In backticks the same characters are a column's own name.
    plain = re.sub(r"(?<![`\w.])(?:factor|C)\((\w+)\)(?!`)", r"\1", coefficient)
    plain = re.sub(r"(?<!\\)`", "", plain.replace(":", "."))
    made = syntactic(plain)
    while "__" in made:
        made = made.replace("__", "_")
    made = made.rstrip("_")
    return f"{made}_" if made in RESERVED else made


def polynomial_degree(
    loadings: tuple[float, ...], times: tuple[float, ...], highest: int = 3
) -> int | None:
    """The degree of the polynomial in time that loadings are, up to `highest`, or None."""
    values, t = np.asarray(loadings), np.asarray(times)
    spread = np.ptp(t) if len(t) > 1 else 0.0
    u = (t - t.mean()) / spread if spread > 0 else t * 0.0
    scale = float(np.abs(values).max(initial=0.0)) or 1.0
    for degree in range(min(highest, len(set(times)) - 1) + 1):
        fitted = np.polynomial.polynomial.polyfit(u, values, degree)
        if np.abs(np.polynomial.polynomial.polyval(u, fitted) - values).max() <= 1e-9 * scale:
            return degree
    return None


def occasion_indicator(schema: Schema, occasion: int) -> Column:
    """A numeric indicator of one occasion (from 0), as a formula writes it."""
    time = quote(schema.time or "time")
    expression = canonical(f"I(1*({time} == {schema.occasions[occasion]!r}))")
    return Column(Term((expression,)), (ColumnPart(expression),))


def common_stem(columns: Sequence[str]) -> str | None:
    """What wide column names share before their occasion's number, or None.

    Examples
    --------
    >>> common_stem(["gpa_0", "gpa_1"]), common_stem(["t1", "t2"]), common_stem(["a", "b"])
    ('gpa', 't', None)
    """
    stems = {re.sub(r"[._]?(?:m|-)?\d+(?:\.\d+)?$", "", column) for column in columns}
    if len(stems) != 1 or not all(re.search(r"\d$", column) for column in columns):
        return None
    return stems.pop() or None


class NameBook:
    """Hands out names that nothing else bears.

    Parameters
    ----------
    taken : set of str
        Names that are not free.
    """

    LETTERS = ("i", "s", "q", "c")

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)
        self.stems: dict[frozenset[ColumnPart], str] = {}

    def fresh(self, wish: str) -> str:
        """`wish`, or `wish` with the first free number behind it."""
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}{number}"
        self.taken.add(name)
        return name

    def factor(
        self, loadings: tuple[float, ...], times: tuple[float, ...], coefficient: str
    ) -> str:
        """``i``, ``s``, ``q``, ``c`` for polynomials, else a name made from the coefficient's."""
        degree = polynomial_degree(loadings, times) if loadings else None
        if degree is not None and self.LETTERS[degree] not in self.taken:
            return self.fresh(self.LETTERS[degree])
        return self.fresh("f_" + covariate_name(coefficient))

    def growth_factor(self, loadings: tuple[float, ...], schema: Schema, coefficient: str) -> str:
        """The factor's name; of several outcomes with the outcome behind: ``i_read``."""
        if not schema.series:
            return self.factor(loadings, schema.numbers, coefficient)
        loaded = {own for own, v in zip(schema.series, loadings, strict=True) if v}
        cells = (
            schema.cells_of(next(iter(loaded))) if len(loaded) == 1 else range(len(schema.series))
        )
        times = tuple(schema.occasions[j] for j in cells)
        degree = polynomial_degree(tuple(loadings[j] for j in cells), times)
        if degree is None:
            return self.fresh("f_" + covariate_name(coefficient))
        letter = self.LETTERS[degree]
        if len(loaded) != 1:
            return self.fresh(letter)
        return self.fresh(covariate_name(f"{letter}_{level_text(next(iter(loaded)))}"))

    def covariate(
        self, column: Column, schema: Schema, coefficient: str, varying: bool
    ) -> tuple[str, tuple[str, ...]]:
        """Name and wide columns of a covariate; a plain column keeps its own name."""
        names = variables(column.parts[0].expression)
        plain = (
            names[0]
            if len(column.parts) == 1
            and column.parts[0].expression == quote(names[0])
            and column.parts[0].coding == "numeric"
            else None
        )
        if varying:
            known = schema.wide_columns(plain) if plain is not None else None
            if plain is not None and known is not None:
                name = covariate_name(plain)
                return (plain if name == plain else self.fresh(name)), known
            return self._varying(column, schema)
        if (
            plain is not None
            and plain == covariate_name(plain)
            and schema.variable(plain) is not None
            and plain not in schema.outcome_columns
            and all(plain not in columns for _, columns in schema.varying_columns)
        ):
            return plain, (plain,)
        name = self.fresh(covariate_name(coefficient))
        return name, (name,)

    def _varying(self, column: Column, schema: Schema) -> tuple[str, tuple[str, ...]]:
        """Name and wide columns of a product, those of the covariates themselves where shifted."""
        by = shift_of(column, schema)
        own = column if by is None else unshifted(column, schema)
        key = frozenset(own.parts)
        stem = self.stems.get(key)
        if stem is None:
            stem = self.stems[key] = self.fresh(covariate_name(r_name(own)))
        columns = product_columns(stem, column, schema)
        if by is not None:
            return self.fresh(lag_name(stem, by)), schema.shifted(columns, by)
        return stem, blanked(columns, column, schema)
