"""Curves whose constraints give every loading outright, as a function of free parameters.

``s_3 == exp(-exp(-g*(3 - c)))`` at the occasion 3, and so at the others, is the function
``exp(-exp(-g*(t - c)))`` of time: what is a number in every loading and straight in time is time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from growthmm.data.curves import curve
from growthmm.data.design.factors import Table
from growthmm.errors import DataError, NotationError, SpecificationError
from growthmm.model.expression import canonical, tree, variables
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation, parse
from growthmm.model.sem import Constraint
from growthmm.translation.loadings.affine import affine_map, affine_text

__all__ = ["cells_given", "function_of_time", "same_cells"]

Cell = float | str

PROBES = (0.31, 0.77, 1.39, 0.53, 1.13)


def cells_given(
    rows: Sequence[str | float],
    ties: Sequence[Constraint],
    meanings: Mapping[str, str],
    named: Mapping[str, str],
) -> tuple[Cell, ...] | None:
    """The loadings as arithmetic over parameters.

    Parameters
    ----------
    rows : sequence of str or float
        For each occasion the loading: a number, or its parameter in the SEM.
    ties : sequence of Constraint
        All constraints about these.
    meanings : mapping of str to str
        Expressions of defined parameters.
    named : mapping of str to str
        The SEM's parameters that the loadings are functions of, and what to call them.

    Returns
    -------
    tuple of (float or str), or None
        None where a constraint does not give one loading by these parameters alone.

    Examples
    --------
    >>> tie = Constraint("s_1", "==", "1 - exp(-r)")
    >>> cells_given([0.0, "s_1"], [tie], {"r": "2*g"}, {"g": "g"})
    (0.0, '1 - exp(-(2*g))')
    """
    given: dict[str, str] = {}
    for tie in ties:
        side = _given(tie, {r for r in rows if isinstance(r, str)}, meanings, named)
        if side is None or side[0] in given:
            return None
        given[side[0]] = side[1]
    made: list[Cell] = []
    for row in rows:
        if isinstance(row, str) and row not in given:
            return None
        made.append(given[row] if isinstance(row, str) else row)
    return tuple(made)


def _given(
    tie: Constraint, loadings: set[str], meanings: Mapping[str, str], named: Mapping[str, str]
) -> tuple[str, str] | None:
    """The loading that stands alone on one side, and the other side over the parameters."""
    if tie.op != "==":
        return None
    for alone, other in ((tie.left, tie.right), (tie.right, tie.left)):
        name = alone.strip().strip("()").strip()
        if name not in loadings:
            continue
        try:
            node = _put(tree(canonical(f"I({other})")), meanings, named)
        except NotationError:
            continue
        if node is not None:
            inner = node.args[0] if isinstance(node, Call) and node.function == "I" else node
            return name, show(inner, "canonical")
    return None


def _put(node: Node, meanings: Mapping[str, str], named: Mapping[str, str]) -> Node | None:
    """The expression with definitions put in and parameters renamed; None with other names."""
    if isinstance(node, Name):
        if node.name in named:
            return replace(node, name=named[node.name])
        if node.name not in meanings:
            return None
        rest = {name: text for name, text in meanings.items() if name != node.name}
        found = _put(tree(canonical(f"I({meanings[node.name]})")), rest, named)
        return found.args[0] if isinstance(found, Call) and found.function == "I" else found
    if isinstance(node, Negative):
        inner = _put(node.operand, meanings, named)
        return None if inner is None else Negative(inner)
    if isinstance(node, Operation) and node.left is not None:
        left, right = _put(node.left, meanings, named), _put(node.right, meanings, named)
        return None if left is None or right is None else Operation(node.operator, left, right)
    if isinstance(node, Call):
        inside = [_put(argument, meanings, named) for argument in node.args]
        kept = [argument for argument in inside if argument is not None]
        return Call(node.function, tuple(kept)) if len(kept) == len(inside) else None
    return node if isinstance(node, Number) else None


def function_of_time(cells: Sequence[Cell], times: Sequence[float], time: str) -> str | None:
    """One expression in time that the cells are at the occasions.

    Parameters
    ----------
    cells : sequence of (float or str)
        Numbers, and arithmetic over parameters.
    times : sequence of float
        The occasions.
    time : str
        How an expression writes the time column.

    Returns
    -------
    str or None
        A canonical expression; None where the cells do not have a form in common.

    Examples
    --------
    >>> function_of_time(["exp(g*c)", "exp(-g*(1 - c))", "exp(-g*(2 - c))"], [0, 1, 2], "t")
    'exp(-g*(t - c))'
    """
    groups: dict[str, list[tuple[float, Node]]] = {}
    for cell, at in zip(cells, times, strict=True):
        if isinstance(cell, str):
            node = parse(cell)
            groups.setdefault(_form(node), []).append((float(at), node))
    for group in sorted(groups.values(), key=len, reverse=True):
        if len(group) < 2:
            break
        whole = _joined([node for _, node in group], tuple(t for t, _ in group), time)
        if whole is None:
            continue
        alone = isinstance(whole, Call)
        text = show(whole, "canonical")
        expression = canonical(text if alone else f"I({text})")
        if same_cells(expression, cells, times, time):
            return expression
    return None


def same_cells(expression: str, cells: Sequence[Cell], times: Sequence[float], time: str) -> bool:
    """Whether an expression in time has the cells' values, at any values of the parameters."""
    texts = [canonical(f"I({cell})") for cell in cells if isinstance(cell, str)]
    column = canonical(time)
    names = list(dict.fromkeys(n for text in (*texts, expression) for n in variables(text)))
    names = [name for name in names if name not in variables(column)]
    points = Table({variables(column)[0]: np.asarray(times, dtype=float)})
    one = Table({"1": np.zeros(1)})
    for turn in range(3):
        values = {n: PROBES[(turn + k) % len(PROBES)] for k, n in enumerate(names)}
        try:
            found = curve([expression], points, values).value
            meant = [
                float(curve([canonical(f"I({c})")], one, values).value[0])
                if isinstance(c, str)
                else c
                for c in cells
            ]
        except (SpecificationError, DataError):
            return False
        both = np.isfinite(found) & np.isfinite(meant)
        gap = np.abs(found - meant)[both]
        if not both.any() or np.any(gap > 1e-9 * max(1.0, float(np.abs(found[both]).max()))):
            return False
    return True


def _form(node: Node) -> str:
    """The expression with all numbers alike."""
    if isinstance(node, Number) or (isinstance(node, Negative) and _is_number(node.operand)):
        return "#"
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Negative):
        return f"-({_form(node.operand)})"
    if isinstance(node, Operation) and node.left is not None:
        return f"({_form(node.left)}{node.operator}{_form(node.right)})"
    if isinstance(node, Call):
        return f"{node.function}({','.join(map(_form, node.args))})"
    return repr(node)


def _is_number(node: Node) -> bool:
    return isinstance(node, Number)


def _value(node: Node) -> float | None:
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Negative) and isinstance(node.operand, Number):
        return -node.operand.value
    return None


def _joined(nodes: Sequence[Node], times: tuple[float, ...], time: str) -> Node | None:
    """Expressions of one form as one: numbers that differ are straight in time."""
    first = nodes[0]
    values = [_value(node) for node in nodes]
    known = tuple(value for value in values if value is not None)
    if len(known) == len(nodes):
        if len(set(known)) == 1:
            return first
        line = affine_map(known, times)
        return None if line is None else parse(affine_text(*line, time, times))
    if isinstance(first, Negative):
        inner = _joined([n.operand for n in nodes if isinstance(n, Negative)], times, time)
        return None if inner is None else Negative(inner)
    if isinstance(first, Operation) and first.left is not None:
        alike = [n for n in nodes if isinstance(n, Operation) and n.left is not None]
        left = _joined([n.left for n in alike if n.left is not None], times, time)
        right = _joined([n.right for n in alike], times, time)
        return None if left is None or right is None else Operation(first.operator, left, right)
    if isinstance(first, Call):
        calls = [n for n in nodes if isinstance(n, Call)]
        inside = [_joined([n.args[k] for n in calls], times, time) for k in range(len(first.args))]
        kept = tuple(n for n in inside if n is not None)
        return Call(first.function, kept) if len(kept) == len(inside) else None
    return first
