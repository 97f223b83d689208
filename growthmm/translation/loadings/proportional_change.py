"""Change that is proportional to the level: loadings as polynomials of its coefficient.

In a dual change score model ``l_t = l_{t-1} + d_t`` and ``d_t = s + b l_{t-1}``, so that the level
at the k-th step is ``(1 + b)^k l_0 + ((1 + b)^k - 1)/b s``: an exponential in time with the
estimated rate ``-log(1 + b)`` (McArdle, 2009, doi:10.1146/annurev.psych.60.110707.163612). Without
the step's own 1 it is an autoregression, ``b^k``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isclose

from growthmm.model.defaults import Loss, NonlinearLoss
from growthmm.model.expression import canonical, quote
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.terms import Term
from growthmm.translation.loadings.affine import affine_map, affine_text, number
from growthmm.translation.loadings.curves import curve_factor, span_start, table_of_cells
from growthmm.translation.loadings.recognised_curves import Estimated, fresh_name

__all__ = ["Change", "change_curves", "change_of_several", "polynomials"]

Monomial = tuple[str, ...]
"""Parameters that are multiplied, in order, one as often as its power."""

Polynomial = dict[Monomial, float]
"""Coefficients by monomial."""

Edge = tuple[str, str]
"""Effect and cause."""


@dataclass(frozen=True)
class Change:
    """Loadings that hold coefficients of proportional change.

    Parameters
    ----------
    loadings : tuple of (str, tuple of (str, Polynomial))
        For each growth factor its loadings: outcome, and polynomial of the coefficients.
    """

    loadings: tuple[tuple[str, tuple[tuple[str, Polynomial], ...]], ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The coefficients, in order of occurrence."""
        cells = [cell for _, row in self.loadings for _, cell in row]
        return tuple(dict.fromkeys(name for cell in cells for one in cell for name in one))

    @property
    def plain(self) -> dict[tuple[str, str], float]:
        """Loadings without proportional change, by factor and outcome.

        At coefficients of zero; of one, where that would leave a factor with one outcome (an
        autoregression).
        """
        for value in (0.0, 1.0):
            numbers = {
                (factor, y): sum(v * value ** len(m) for m, v in cell.items())
                for factor, row in self.loadings
                for y, cell in row
            }
            reached = [[bool(numbers[f, y]) for y, _ in row] for f, row in self.loadings]
            if all(sum(own) > 1 or len(own) < 2 for own in reached):
                break
        return numbers


def polynomials(
    factor: str,
    order: Sequence[str],
    edges: Sequence[tuple[Edge, float | str]],
    loads: Sequence[tuple[str, str, float]],
) -> dict[str, Polynomial]:
    """Total effects of a latent variable on the outcomes.

    Parameters
    ----------
    factor : str
        The latent variable.
    order : sequence of str
        All latent variables, causes first.
    edges : sequence of ((str, str), float or str)
        Effect, cause, and the coefficient: a number or a parameter.
    loads : sequence of (str, str, float)
        Latent variable, outcome, and loading.

    Examples
    --------
    >>> edges = [(("d1", "l0"), "b"), (("l1", "d1"), 1.0), (("l1", "l0"), 1.0)]
    >>> polynomials("l0", ["l0", "d1", "l1"], edges, [("l0", "y0", 1.0), ("l1", "y1", 1.0)])
    {'y0': {(): 1.0}, 'y1': {('b',): 1.0, (): 1.0}}
    """
    total: dict[str, Polynomial] = {factor: {(): 1.0}}
    for name in order:
        for (effect, cause), coefficient in edges:
            if effect == name and cause in total:
                _add(total.setdefault(name, {}), total[cause], coefficient)
    made: dict[str, Polynomial] = {}
    for name, outcome, loading in loads:
        if name in total:
            _add(made.setdefault(outcome, {}), total[name], loading)
    return {y: kept for y, cell in made.items() if (kept := {m: v for m, v in cell.items() if v})}


def _add(to: Polynomial, other: Polynomial, coefficient: float | str) -> None:
    for monomial, value in other.items():
        if isinstance(coefficient, str):
            key = tuple(sorted((*monomial, coefficient)))
            to[key] = to.get(key, 0.0) + value
        else:
            to[monomial] = to.get(monomial, 0.0) + value * coefficient


def change_curves(change: Change, schema: Schema) -> dict[str, Estimated]:
    """The growth factors whose loadings hold coefficients of proportional change.

    With one coefficient and steps that follow time the curve is written in closed form; otherwise
    by its value at every occasion.
    """
    taken = {schema.time, schema.person, schema.outcome, *(v.name for v in schema.variables)}
    renamed = {name: fresh_name(name, taken) for name in change.parameters}
    found = {}
    for factor, row in change.loadings:
        by_outcome = dict(row)
        cells = [
            {tuple(renamed[n] for n in m): v for m, v in by_outcome.get(y, {}).items()}
            for y in schema.outcome_columns
        ]
        if not any(any(cell) for cell in cells):
            continue
        expression = _closed(cells, schema) or _apart(cells, schema)
        column = Column(Term((expression,)), (ColumnPart(expression),))
        # Change is slow at first: the start bends the line a little.
        starts = {name: 0.1 * span_start(schema) for name in renamed.values()}
        made = curve_factor(factor, column, list(renamed.values()), schema, starts)
        used = [(name, sem) for sem, name in renamed.items() if name in made.parameters]
        found[factor] = Estimated(made, tuple(used))
    return found


def change_of_several(change: Change) -> Loss:
    """Why proportional change of several outcomes is not translated."""
    return NonlinearLoss(
        f"change in proportion {', '.join(change.parameters)} to the level",
        "the loadings of several outcomes depend on parameters, and curves of several outcomes at "
        "once are not translated here",
        "the change of one outcome, whose mixed form is nlme's",
    )


def _closed(cells: Sequence[Polynomial], schema: Schema) -> str | None:
    """``(a + b)^k``, or its sum over the steps so far, with ``k`` straight in time."""
    names = {name for cell in cells for monomial in cell for name in monomial}
    if len(names) != 1:
        return None
    (b,) = names
    powers = [
        tuple(cell.get((b,) * k, 0.0) for k in range(1 + max(map(len, cell), default=-1)))
        for cell in cells
    ]
    for reader, template in (
        (_power, "({base})**({u})"),
        (_sum, "(({base})**({u}) - 1)/({less})"),
    ):
        found = reader(powers)
        if found is None:
            continue
        own, scale, steps = found
        times = affine_map(tuple(map(float, steps)), schema.occasions)
        if times is None:
            return None
        u = affine_text(*times, quote(schema.time or "time"))
        base = b if own == 0 else f"{number(own)} + {b}"
        less = b if own == 1 else f"{b} - {number(1 - own)}"
        text = template.format(base=base, u=u, less=less)
        return canonical(f"I({text})" if scale == 1 else f"I({number(scale)}*{text})")
    return None


Closed = tuple[float, float, list[int]]
"""The step's own coefficient, a scale, and how many steps each occasion is from the start."""


def _power(powers: Sequence[tuple[float, ...]]) -> Closed | None:
    """``c (a + b)^k`` from coefficients: the highest is c, the next ``c k a``."""
    longest = max(powers, key=len)
    k, scale = len(longest) - 1, longest[-1]
    own = longest[-2] / (k * scale)
    steps = [len(cell) - 1 for cell in powers]
    for cell, n in zip(powers, steps, strict=True):
        expected = [scale * comb(n, m) * own ** (n - m) for m in range(n + 1)]
        if n < 0 or not _alike(cell, expected):
            return None
    return own, scale, steps


def _sum(powers: Sequence[tuple[float, ...]]) -> Closed | None:
    """``c (1 + (a + b) + ... + (a + b)^(k - 1))``."""
    longest = max(powers, key=len)
    k, scale = len(longest), longest[-1]
    own = (longest[-2] / scale - 1) / (k - 1)
    steps = [len(cell) for cell in powers]
    for cell, n in zip(powers, steps, strict=True):
        expected = [scale * sum(comb(j, m) * own ** (j - m) for j in range(m, n)) for m in range(n)]
        if not _alike(cell, expected):
            return None
    return own, scale, steps


def _alike(first: Sequence[float], second: Sequence[float]) -> bool:
    return all(
        isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(first, second, strict=True)
    )


def _apart(cells: Sequence[Polynomial], schema: Schema) -> str:
    """The loading at every occasion, as it is."""
    return table_of_cells([_text(c) if any(c) else c.get((), 0.0) for c in cells], schema)


def _text(cell: Polynomial) -> str:
    parts = []
    for monomial, value in sorted(cell.items(), key=lambda item: (len(item[0]), item[0])):
        factors = [f"{n}**{monomial.count(n)}" for n in dict.fromkeys(monomial)]
        head = [] if monomial and value == 1 else [number(value)]
        parts.append("*".join(head + [f.removesuffix("**1") for f in factors]))
    return " + ".join(parts)
