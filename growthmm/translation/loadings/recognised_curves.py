"""Estimated loadings of an SEM: free ones, and those that constraints tie to a curve in time.

A curve is recognised by what its constraints imply, whatever their labels and spelling: at any
value of the curve's parameter its loadings meet the constraints, and there are as many of these
as leave one parameter free.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from growthmm.data.curves import curve
from growthmm.data.design.factors import Table
from growthmm.data.names import wide_columns
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.expression import canonical, quote, variables
from growthmm.model.expression_tree import Call, parse
from growthmm.model.growth import GrowthFactor
from growthmm.model.phantoms import Phantom
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.sem import Constraint, Path, SemModel
from growthmm.model.terms import Term
from growthmm.translation.loadings.affine import affine_text
from growthmm.translation.loadings.curves import (
    Cell,
    cell_values,
    curve_factor,
    free_column,
    span_start,
    table_of_cells,
)
from growthmm.translation.loadings.explicit_curves import cells_given, function_of_time, same_cells

__all__ = ["Estimated", "KnownCurve", "estimated_loadings", "fresh_name"]

KnownCurve = tuple[Column, tuple[str, ...]]
"""A column of time that holds parameters, and which."""

SHAPES = (
    "1 - exp(-{g}*{u})",
    "exp(-{g}*{u})",
    "exp({g}*{u}) - 1",
    "exp({g}*{u})",
    "1 - exp({g}*{u})",
    "exp(-exp(-{g}*{u}))",
    "1/(1 + exp(-{g}*{u}))",
    "({u})**{g}",
    "(1 - exp(-{g}*{u}))/(1 - exp(-{g}*{span}))",
)
"""Curves of one parameter ``g`` over the time ``u`` since an occasion: exponential approach, decay
and growth, Jenss-Bayley's exponential, Gompertz, logistic, power; the first also scaled to end at
one."""

PROBES = (0.31, 0.77, 1.39)


@dataclass(frozen=True)
class Estimated:
    """A growth factor with estimated loadings, as an SEM says it.

    Parameters
    ----------
    factor : GrowthFactor
        Without a mean and not random yet.
    names : tuple of (str, str)
        Parameters within the loadings, and the SEM's parameter where that is the same number.
    constraints : tuple of Constraint
        What makes the loadings a curve.
    """

    factor: GrowthFactor
    names: tuple[tuple[str, str], ...]
    constraints: tuple[Constraint, ...] = ()


def estimated_loadings(
    model: SemModel,
    table: Mapping[str, Mapping[str, Path]],
    schema: Schema,
    known: Sequence[KnownCurve] = (),
    phantoms: Sequence[Phantom] = (),
) -> dict[str, Estimated]:
    """The latent variables with estimated loadings that are growth factors, by name.

    Parameters
    ----------
    model : SemModel
        The model.
    table : mapping of str to mapping of str to Path
        For each latent variable its loadings by indicator.
    schema : Schema
        With occasions and the outcomes' columns.
    known : sequence of KnownCurve
        Curves that are likely, tried first.
    phantoms : sequence of Phantom
        Parameters that stand in constraints alone.
    """
    reader = _Reader(model, schema, known, phantoms)
    found = {}
    for name, rows in table.items():
        if any(row.free for row in rows.values()) and all(
            row.definition is None for row in rows.values()
        ):
            made = reader.factor(name, rows)
            if made is not None:
                found[name] = made
    return found


class _Reader:
    def __init__(
        self,
        model: SemModel,
        schema: Schema,
        known: Sequence[KnownCurve],
        phantoms: Sequence[Phantom],
    ) -> None:
        self.model = model
        self.schema = schema
        self.known = known
        self.time = quote(schema.time or "time")
        self.taken: set[str | None] = {schema.time, schema.person, schema.outcome}
        self.taken |= {variable.name for variable in schema.variables}
        self.phantoms = {one.parameter: self.fresh(one.parameter) for one in phantoms}
        self.starts = {
            self.phantoms[one.parameter]: one.start for one in phantoms if one.start is not None
        }

    def factor(self, name: str, rows: Mapping[str, Path]) -> Estimated | None:
        """A factor with free loadings, or with loadings on a curve."""
        own = [rows.get(y) for y in self.schema.outcome_columns]
        parameters = {row.parameter for row in own if row is not None and row.free}
        ties = [c for c in self.model.constraints if self._about(c) & parameters]
        if not ties:
            return self.free(name, own)
        if any(self._about(tie) & set(self.phantoms) for tie in ties):
            return self.explicit(name, own, ties)
        return self.curve(name, own, ties)

    def explicit(
        self, name: str, rows: Sequence[Path | None], ties: Sequence[Constraint]
    ) -> Estimated | None:
        """A factor each of whose loadings is a function of free parameters."""
        meanings = {d.name: d.expression for d in self.model.defined}
        loadings = [_loading(row) for row in rows]
        cells = cells_given(loadings, ties, meanings, self.phantoms)
        if cells is None:
            return None
        times = self.schema.occasions
        used = {v for c in cells if isinstance(c, str) for v in variables(canonical(f"I({c})"))}
        names = [own for own in self.phantoms.values() if own in used]
        known = [c.parts[0].expression for c, own in self.known if set(own) == set(names)]
        expression = next(
            (e for e in known if same_cells(e, cells, times, self.time)),
            function_of_time(cells, times, self.time) or table_of_cells(cells, self.schema),
        )
        column = Column(Term((expression,)), (ColumnPart(expression),))
        made = curve_factor(name, column, names, self.schema, self.starts)
        sem = {own: label for label, own in self.phantoms.items()}
        return Estimated(made, tuple((own, sem[own]) for own in made.parameters), tuple(ties))

    def free(self, name: str, rows: Sequence[Path | None]) -> Estimated | None:
        """A latent basis: each free loading a parameter of its own, unless they share a label."""
        columns = wide_columns(name, self.schema.occasions)
        cells: list[Cell] = []
        names: dict[str, str] = {}
        starts: dict[str, float] = {}
        for row, column in zip(rows, columns, strict=True):
            if row is None or not row.free:
                cells.append(0.0 if row is None else float(row.value or 0.0))
                continue
            parameter = names.get(row.parameter) or self.fresh(row.label or column)
            names[row.parameter] = parameter
            cells.append(parameter)
            if row.start is not None:
                starts[parameter] = row.start
        expression = free_column(cells, self.schema)
        column_ = Column(Term((expression,)), (ColumnPart(expression),))
        made = curve_factor(name, column_, list(names.values()), self.schema, starts)
        return Estimated(made, tuple((mixed, sem) for sem, mixed in names.items()))

    def fresh(self, wish: str) -> str:
        """A name that an expression can hold and no column bears."""
        return fresh_name(wish, self.taken)

    def curve(
        self, name: str, rows: Sequence[Path | None], ties: Sequence[Constraint]
    ) -> Estimated | None:
        """The curve whose loadings meet the constraints at any value of its parameter."""
        labels = {row.parameter for row in rows if row is not None and row.free}
        if len(ties) != len(labels) - 1 or any(tie.op != "==" for tie in ties):
            return None
        if any(not self._about(tie) <= labels for tie in ties):
            return None
        fallback: tuple[Column, str] | None = None
        for column, parameter in self.candidates(rows):
            defined = self.meets(column, parameter, rows, ties)
            if defined is None:
                continue
            if defined:
                return self.made(name, column, parameter, defined, ties)
            fallback = fallback or (column, parameter)
        if fallback is None:
            return None
        return self.made(name, *fallback, self.fresh("rate"), ties)

    def made(
        self, name: str, column: Column, parameter: str, called: str, ties: Sequence[Constraint]
    ) -> Estimated:
        """The factor of a curve, its parameter called as the model calls it."""
        if parameter != called:
            expression = _renamed(column.parts[0].expression, parameter, called)
            column = Column(Term((expression,)), (ColumnPart(expression),))
        return Estimated(curve_factor(name, column, [called], self.schema), (), tuple(ties))

    def candidates(self, rows: Sequence[Path | None]) -> list[tuple[Column, str]]:
        """Curves of one parameter, with the parameter's name."""
        made = [(column, names[0]) for column, names in self.known if len(names) == 1]
        times = self.schema.occasions
        held = [t for t, row in zip(times, rows, strict=True) if row is None or not row.free]
        g = "rate_"
        for origin in dict.fromkeys([*held, 0.0, times[0], times[-1]]):
            shifted = affine_text(-origin, 1.0, self.time)
            u = shifted if shifted == self.time else f"({shifted})"
            for shape in SHAPES:
                if "{span}" in shape and times[-1] == origin:
                    continue
                span = repr(times[-1] - origin)
                text = shape.format(g=g, u=u, span=span)
                whole = isinstance(parse(text), Call)
                expression = canonical(text if whole else f"I({text})")
                part = ColumnPart(expression)
                made.append((Column(Term((expression,)), (part,)), g))
        return made

    def meets(
        self,
        column: Column,
        parameter: str,
        rows: Sequence[Path | None],
        ties: Sequence[Constraint],
    ) -> str | None:
        """The defined parameter that is the curve's; "" where none is; None for another curve."""
        factor = curve_factor("", column, [parameter], self.schema)
        alike: set[str] | None = None
        for probe in PROBES:
            value = probe * span_start(self.schema)
            loadings = cell_values(factor.cells, {parameter: value})
            if not np.isfinite(loadings).all():
                return None
            values = _labelled(rows, loadings)
            if values is None or not self._held(ties, values):
                return None
            here = {n for n, v in self._defined(values).items() if abs(v - value) < 1e-9}
            alike = here if alike is None else alike & here
        return min(alike, default="") if alike is not None else None

    def _about(self, tie: Constraint) -> set[str]:
        """Parameters of the model that a constraint is about, through defined ones too."""
        named = set(_named(tie.left)) | set(_named(tie.right))
        defined = {d.name: d.expression for d in self.model.defined}
        for _ in defined:
            named |= {v for n in named & set(defined) for v in _named(defined[n])}
        return named - set(defined)

    def _defined(self, values: Mapping[str, float]) -> dict[str, float]:
        known, made = dict(values), {}
        waiting = {d.name: d.expression for d in self.model.defined}
        for _ in range(len(waiting)):
            for name, text in list(waiting.items()):
                if set(_named(text)) <= set(known):
                    number = _value(text, known)
                    del waiting[name]
                    if number is not None:
                        known[name] = made[name] = number
        return made

    def _held(self, ties: Sequence[Constraint], values: Mapping[str, float]) -> bool:
        known = {**values, **self._defined(values)}
        for tie in ties:
            left, right = _value(tie.left, known), _value(tie.right, known)
            if left is None or right is None:
                return False
            if abs(left - right) > 1e-9 * max(1.0, abs(left)):
                return False
        return True


def fresh_name(wish: str, taken: set[Any]) -> str:
    """A name that an expression can hold and nothing bears; it is taken from then on.

    Examples
    --------
    >>> fresh_name("2.x", {"l2_x"})
    'l2_x_'
    """
    plain = re.sub(r"\W", "_", wish)
    plain = plain if plain[0].isalpha() else f"l{plain}"
    while plain in taken:
        plain += "_"
    taken.add(plain)
    return plain


def _loading(row: Path | None) -> str | float:
    if row is None or not row.free:
        return 0.0 if row is None else float(row.value or 0.0)
    return row.parameter


def _labelled(rows: Sequence[Path | None], loadings: Sequence[float]) -> dict[str, float] | None:
    """The loadings by parameter; None where fixed or shared ones are others."""
    made: dict[str, float] = {}
    for row, loading in zip(rows, loadings, strict=True):
        if row is None or not row.free:
            fixed = 0.0 if row is None else float(row.value or 0.0)
            if abs(fixed - loading) > 1e-9 * max(1.0, abs(fixed)):
                return None
        elif abs(made.setdefault(row.parameter, loading) - loading) > 1e-9:
            return None
    return made


def _named(text: str) -> tuple[str, ...]:
    try:
        return variables(canonical(f"I({text})"))
    except NotationError:
        # Row names such as s=~y2 stand in no arithmetic.
        return (text,)


def _value(text: str, values: Mapping[str, float]) -> float | None:
    try:
        found = curve([canonical(f"I({text})")], Table({"1": np.zeros(1)}), values)
    except (NotationError, SpecificationError):
        return None
    return float(found.value[0])


def _renamed(expression: str, old: str, new: str) -> str:
    return canonical(re.sub(rf"\b{re.escape(old)}\b", new, expression))
