"""Equality constraints among parameters: which hold only some, their gaps and derivatives."""

from __future__ import annotations

import cmath
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import NotationError
from growthmm.model.sem import Constraint, SemModel
from growthmm.notation.sem.expression import (
    Call,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
    names,
)

__all__ = ["constraint_gap", "constraints_among", "linear_ties"]

FloatArray = NDArray[np.float64]

STEP = 1e-30

NEAR = 1e-9


def constraints_among(model: SemModel, parameters: Iterable[str]) -> tuple[Constraint, ...]:
    """The equalities that hold parameters among `parameters` and no others.

    Parameters
    ----------
    model : SemModel
        With its constraints, and the definitions that these may use.
    parameters : iterable of str
        Names of free parameters.
    """
    own = set(parameters)
    found = []
    for constraint in model.constraints:
        sides = [_expression(side) for side in (constraint.left, constraint.right)]
        if constraint.op != "==" or None in sides:
            continue
        held = {name for side in sides if side is not None for name in _held(side, model)}
        if held and held <= own:
            found.append(constraint)
    return tuple(found)


def constraint_gap(
    model: SemModel, constraint: Constraint, values: Mapping[str, float]
) -> tuple[float | None, FloatArray]:
    """``left - right`` and its derivatives, by complex steps (Squire & Trapp 1998).

    doi:10.1137/S003614459631241X. None where an expression has no value.

    Parameters
    ----------
    model : SemModel
        With the definitions that the constraint may use.
    constraint : Constraint
        Of the model.
    values : mapping of str to float
        Of each parameter that it holds; the derivatives are in this order.
    """
    left, right = _expression(constraint.left), _expression(constraint.right)
    assert left is not None
    assert right is not None
    slope = np.zeros(len(values))
    gap = 0.0 + 0.0j
    for at, name in enumerate(values):
        known = {n: complex(v, STEP if n == name else 0.0) for n, v in values.items()}
        try:
            gap = _value(left, known, model) - _value(right, known, model)
        except (ZeroDivisionError, OverflowError, ValueError):
            return None, slope
        slope[at] = gap.imag / STEP
    return gap.real, slope


def linear_ties(
    model: SemModel, constraints: Sequence[Constraint], parameters: Sequence[str]
) -> FloatArray | None:
    """Coefficients of homogeneous linear constraints, (n_constraints, n_parameters), else None.

    Parameters
    ----------
    model : SemModel
        With the definitions that the constraints may use.
    constraints : sequence of Constraint
        Equalities among `parameters`, as :func:`constraints_among` finds them.
    parameters : sequence of str
        Names of free parameters.
    """
    rng = np.random.default_rng(1)
    rows = []
    for constraint in constraints:
        slopes = []
        for _ in range(2):
            values = rng.normal(size=len(parameters))
            given = dict(zip(parameters, values.tolist(), strict=True))
            gap, slope = constraint_gap(model, constraint, given)
            if gap is None or abs(gap - slope @ values) > NEAR:
                return None
            slopes.append(slope)
        if not np.allclose(slopes[0], slopes[1], atol=NEAR):
            return None
        rows.append(slopes[0])
    return np.array(rows).reshape(len(rows), len(parameters))


def _value(expression: Expression, known: Mapping[str, complex], model: SemModel) -> complex:
    if isinstance(expression, Number):
        return complex(expression.value)
    if isinstance(expression, Name):
        if expression.text in known:
            return known[expression.text]
        inner = _definition(expression.text, model)
        if inner is None:
            raise ValueError(expression.text)
        return _value(inner, known, model)
    if isinstance(expression, Negative):
        return -_value(expression.operand, known, model)
    if isinstance(expression, Call) and len(expression.arguments) == 1:
        inside = _value(expression.arguments[0], known, model)
        functions = {"sqrt": cmath.sqrt, "exp": cmath.exp, "log": cmath.log}
        if expression.function in functions:
            return functions[expression.function](inside)
    if isinstance(expression, Operation):
        a, b = _value(expression.left, known, model), _value(expression.right, known, model)
        if expression.op == "+":
            return a + b
        if expression.op == "-":
            return a - b
        if expression.op == "*":
            return a * b
        if expression.op == "/":
            return a / b
        if expression.op == "^":
            return _power(a, b)
    raise ValueError("no number")


def _power(base: complex, exponent: complex) -> complex:
    if exponent.imag == 0.0 and exponent.real == round(exponent.real):
        # Repeated products keep the tiny imaginary part exact.
        made = complex(1.0)
        for _ in range(abs(int(exponent.real))):
            made *= base
        return made if exponent.real >= 0 else 1.0 / made
    return cmath.exp(exponent * cmath.log(base))


def _held(expression: Expression, model: SemModel) -> set[str]:
    """The parameters in an expression, those in the definitions that it uses too."""
    found: set[str] = set()
    for name in names(expression):
        inner = _definition(name.text, model)
        found |= {name.text} if inner is None else _held(inner, model)
    return found


def _definition(name: str, model: SemModel) -> Expression | None:
    text = next((d.expression for d in model.defined if d.name == name), None)
    return None if text is None else _expression(text)


@lru_cache(maxsize=1024)
def _expression(text: str) -> Expression | None:
    try:
        from growthmm.notation.lavaan.parser import Source, parse_side

        found: Expression = parse_side(text, "arithmetic", Source(text), 0)
    except NotationError:
        return None
    return found
