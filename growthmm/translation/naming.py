"""Names on the SEM side for what a formula leaves nameless."""

from __future__ import annotations

import numpy as np

from growthmm.data.names import syntactic, wide_columns
from growthmm.model.schema import Column, Schema

__all__ = ["NameBook", "covariate_name", "polynomial_degree"]


def covariate_name(coefficient: str) -> str:
    """A name that every SEM notation accepts, made from a coefficient's name.

    Examples
    --------
    >>> covariate_name("occasion:sexmale"), covariate_name("I(age^2)")
    ('occasion.sexmale', 'I_age_2')
    """
    made = syntactic(coefficient.replace(":", ".").replace("`", ""))
    while "__" in made:
        made = made.replace("__", "_")
    return made.strip("_")


def polynomial_degree(
    loadings: tuple[float, ...], times: tuple[float, ...], highest: int = 3
) -> int | None:
    """The degree of the polynomial in time that loadings are, up to `highest`, or None."""
    values, t = np.asarray(loadings), np.asarray(times)
    spread = np.ptp(t) if len(t) > 1 else 0.0
    u = (t - t.mean()) / spread if spread > 0 else t * 0.0
    scale = float(np.abs(values).max(initial=0.0)) or 1.0
    for degree in range(min(highest, len(t) - 1) + 1):
        fitted = np.polynomial.polynomial.polyfit(u, values, degree)
        if np.abs(np.polynomial.polynomial.polyval(u, fitted) - values).max() <= 1e-9 * scale:
            return degree
    return None


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
        degree = polynomial_degree(loadings, times)
        if degree is not None and self.LETTERS[degree] not in self.taken:
            return self.fresh(self.LETTERS[degree])
        return self.fresh("f_" + covariate_name(coefficient))

    def covariate(
        self, column: Column, schema: Schema, coefficient: str, varying: bool
    ) -> tuple[str, tuple[str, ...]]:
        """Name and wide columns of a covariate; a plain column keeps its own name."""
        plain = (
            column.parts[0].expression
            if len(column.parts) == 1 and column.parts[0].coding == "numeric"
            else None
        )
        if varying:
            known = schema.wide_columns(plain) if plain is not None else None
            if plain is not None and known is not None:
                return covariate_name(plain), known
            stem = self.fresh(covariate_name(coefficient))
            return stem, wide_columns(stem, schema.occasions)
        if (
            plain is not None
            and plain == covariate_name(plain)
            and schema.variable(plain) is not None
        ):
            return plain, (plain,)
        name = self.fresh(covariate_name(coefficient))
        return name, (name,)
