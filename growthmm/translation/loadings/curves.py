"""Loadings that hold parameters: from columns of a mixed model to cells, a cell an occasion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from growthmm.data.curves import curve, holds
from growthmm.data.design.factors import Table
from growthmm.model.expression import canonical, tree
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation, names_in
from growthmm.model.growth import GrowthFactor, GrowthModel
from growthmm.model.mixed import LoadingParameter, MixedModel
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.translation.loadings.curve_starts import told_apart
from growthmm.translation.tabulate import time_table

__all__ = [
    "cell_values",
    "curve_factor",
    "free_column",
    "is_curve",
    "loading_parameters",
    "probed_loadings",
    "span_start",
    "starts_of",
    "table_of_cells",
]

Cell = float | str

PROBES = (0.6180339887, 0.4142135624, 0.7320508076, 0.2360679775, 0.8284271247, 0.3166247904)


def is_curve(parts: Sequence[ColumnPart], model: MixedModel) -> bool:
    """Whether a product holds a loading parameter."""
    return any(holds(part.expression, model.loading_names) for part in parts)


def curve_factor(
    name: str,
    column: Column,
    parameters: Sequence[str],
    schema: Schema,
    starts: Mapping[str, float] | None = None,
) -> GrowthFactor:
    """The growth factor of a column that holds parameters, with no mean and not random yet.

    Parameters
    ----------
    name : str
        What to call it.
    column : Column
        A product of functions of time and parameters.
    parameters : sequence of str
        Parameters that it may hold.
    schema : Schema
        With the occasions.
    starts : mapping of str to float, optional
        Starting values of some of them.
    """
    names = [n for n in parameters if any(holds(p.expression, [n]) for p in column.parts)]
    cells = tuple(_cell(column, names, schema, j) for j in range(len(schema.occasions)))
    values = _started(column, cells, names, schema, starts or {})
    loadings = cell_values(cells, values)
    return GrowthFactor(
        name,
        column,
        loadings,
        mean=False,
        random=False,
        cells=cells,
        parameters=tuple(names),
        starts=tuple(values[n] for n in names),
    )


def starts_of(model: MixedModel) -> dict[str, float]:
    """The starting values that a model gives for its loading parameters."""
    return {p.name: p.start for p in model.loading_parameters if p.start is not None}


def free_column(cells: Sequence[Cell], schema: Schema) -> str:
    """The expression in time whose values at the occasions are numbers and parameters.

    Examples
    --------
    >>> free_column([0.0, "l1", 1.0], Schema("id", "t", "y", (0.0, 1.0, 2.0)))
    'I(l1*(t == 1) + (t == 2))'
    """
    time = Name(schema.time or "time")
    total: Node | None = None
    for cell, t in zip(cells, schema.occasions, strict=True):
        if cell == 0.0:
            continue
        here: Node = Operation("==", time, _number(t))
        if cell != 1.0:
            factor = _number(cell) if isinstance(cell, float) else Name(cell)
            here = Operation("*", factor, here)
        total = here if total is None else Operation("+", total, here)
    assert total is not None
    return canonical(show(Call("I", (total,)), "canonical"))


def table_of_cells(cells: Sequence[Cell], schema: Schema) -> str:
    """The expression in time whose values at the occasions are numbers and arithmetic.

    Examples
    --------
    >>> table_of_cells([1.0, "exp(-g)"], Schema("id", "t", "y", (0.0, 1.0)))
    'I((t == 0) + exp(-g)*(t == 1))'
    """
    places = {f"cell{j}_": c for j, c in enumerate(cells) if isinstance(c, str)}
    plain = [f"cell{j}_" if isinstance(c, str) else c for j, c in enumerate(cells)]
    text = free_column(plain, schema)
    for name, inner in places.items():
        text = text.replace(f"{name}*", f"({inner})*")
    return canonical(text)


def loading_parameters(growth: GrowthModel) -> tuple[LoadingParameter, ...]:
    """The parameters within the loadings of a growth model, with where a search may begin."""
    made: dict[str, LoadingParameter] = {}
    for factor in growth.factors:
        for name in factor.parameters:
            start = (
                factor.loadings[factor.cells.index(name)]
                if name in factor.cells
                else factor.starts[factor.parameters.index(name)]
            )
            made.setdefault(name, LoadingParameter(name, start))
    return tuple(made.values())


def probed_loadings(factor: GrowthFactor, growth: GrowthModel) -> tuple[float, ...]:
    """Loadings at odd values of the parameters, by which growth factors are compared.

    Parameters are told apart by their order, not by their names.
    """
    if not factor.cells:
        return factor.loadings
    order = [name for _, name in growth.loading_keys]
    span = span_start(growth.schema)
    probes = {n: span * PROBES[order.index(n) % len(PROBES)] for n in factor.parameters}
    return cell_values(factor.cells, probes)


def cell_values(cells: Sequence[Cell], values: Mapping[str, float]) -> tuple[float, ...]:
    """The cells at values of their parameters.

    Examples
    --------
    >>> cell_values([0.0, "1 - exp(-g*2)"], {"g": 0.5})
    (0.0, 0.6321205588285577)
    """
    table = Table({"1": np.zeros(1)})
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(float(curve([_expression(cell)], table, values).value[0]))
        else:
            made.append(cell)
    return tuple(made)


@lru_cache(maxsize=4096)
def _expression(cell: str) -> str:
    return canonical(f"I({cell})")


def span_start(schema: Schema) -> float:
    """One over the span of the occasions: a rate that bends over it."""
    return 1.0 / ((schema.occasions[-1] - schema.occasions[0]) or 1.0)


def _number(value: float) -> Node:
    return Number(value) if value >= 0 else Negative(Number(-value))


def _started(
    column: Column,
    cells: Sequence[Cell],
    names: Sequence[str],
    schema: Schema,
    given: Mapping[str, float],
) -> dict[str, float]:
    """Starting values: free loadings on the line through the fixed ones, rates by the span."""
    unknown = [name for name in names if name not in given and name not in cells]
    if len(unknown) > 1:
        given = {**given, **told_apart(column, names, unknown, schema, given)}
    times = np.asarray(schema.occasions)
    known = [(t, c) for t, c in zip(times, cells, strict=True) if isinstance(c, float)]
    made = {}
    for name in names:
        if name in given:
            made[name] = given[name]
        elif name in cells and len(known) > 1:
            at, values = zip(*known, strict=True)
            slope, level = np.polyfit(at, values, 1)
            made[name] = float(level + slope * times[list(cells).index(name)])
        elif name in cells:
            made[name] = float(times[list(cells).index(name)])
        else:
            made[name] = span_start(schema)
    return made


def _cell(column: Column, names: Sequence[str], schema: Schema, occasion: int) -> Cell:
    """One loading: a number where no parameter moves it, a name where it is one, or arithmetic."""
    table = {k: v[occasion : occasion + 1] for k, v in time_table(schema).items()}
    expressions = [part.expression for part in column.parts]
    looks = []
    for scale in (1.0, 1.7, 0.4):
        point = {n: scale * PROBES[k % len(PROBES)] for k, n in enumerate(names)}
        looks.append((point, curve(expressions, Table(table, schema), point)))
    values = [float(found.value[0]) for _, found in looks]
    if all(not found.first.any() for _, found in looks):
        return values[0] + 0.0
    for name in names:
        if all(abs(v - point[name]) < 1e-12 for v, (point, _) in zip(values, looks, strict=True)):
            return name
    # Several parameters have constraints of one form at all occasions, by which they are read.
    nodes = [_at(tree(e), table, schema, fold=len(names) == 1) for e in expressions]
    product = nodes[0]
    for node in nodes[1:]:
        product = Operation("*", product, node)
    return show(product, "r")


def _at(node: Node, table: Mapping[str, np.ndarray], schema: Schema, *, fold: bool) -> Node:
    """An expression at one occasion: what holds no parameter as a number."""
    if not any(name not in table for name in names_in(node)):
        values = curve([canonical(f"I({show(node, 'canonical')})")], Table(table, schema), {})
        return _number(float(values.value[0]))
    if isinstance(node, Negative):
        inner = _at(node.operand, table, schema, fold=fold)
        return inner.operand if fold and isinstance(inner, Negative) else Negative(inner)
    if isinstance(node, Operation) and node.left is not None:
        left, right = (_at(side, table, schema, fold=fold) for side in (node.left, node.right))
        whole = Operation(node.operator, left, right)
        return _folded(node.operator, left, right) if fold else whole
    if isinstance(node, Call):
        inside = tuple(_at(a, table, schema, fold=fold) for a in node.args)
        return inside[0] if node.function == "I" else Call(node.function, inside, node.keywords)
    return node


def _folded(operator: str, left: Node, right: Node) -> Node:
    """An operation without what adds nothing or multiplies by one."""
    if operator == "*" and Number(0.0) in (left, right):
        return Number(0.0)
    if operator == "*" and Number(1.0) in (left, right):
        return right if left == Number(1.0) else left
    if operator in ("+", "-") and right == Number(0.0):
        return left
    if operator == "+" and left == Number(0.0):
        return right
    if operator in ("/", "**") and right == Number(1.0):
        return left
    return Operation(operator, left, right)
