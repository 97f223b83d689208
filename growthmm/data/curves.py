"""Functions of time that hold parameters: their values with exact first and second derivatives.

An expression is evaluated as a truncated Taylor polynomial in its parameters (forward-mode
differentiation of second order; Griewank & Walther 2008, doi:10.1137/1.9780898717761).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.factors import COMPARISONS, Table, numeric
from growthmm.errors import SpecificationError
from growthmm.model.expression import tree, variables
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call, Name, Negative, Node, Operation

__all__ = ["Taylor", "curve", "holds"]

FloatArray = NDArray[np.float64]

Slopes = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True)
class Taylor:
    """Numbers with their derivatives in some parameters.

    Parameters
    ----------
    value : (n_rows,) ndarray
        The numbers.
    first : (n_parameters, n_rows) ndarray
        First derivatives.
    second : (n_parameters, n_parameters, n_rows) ndarray
        Second derivatives.
    """

    value: FloatArray
    first: FloatArray
    second: FloatArray

    @staticmethod
    def constant(value: FloatArray, size: int) -> Taylor:
        """Numbers that depend on no parameter."""
        n = len(value)
        return Taylor(value, np.zeros((size, n)), np.zeros((size, size, n)))

    def __add__(self, other: Taylor) -> Taylor:
        return Taylor(
            self.value + other.value, self.first + other.first, self.second + other.second
        )

    def __neg__(self) -> Taylor:
        return Taylor(-self.value, -self.first, -self.second)

    def __mul__(self, other: Taylor) -> Taylor:
        cross = self.first[:, None] * other.first[None]
        return Taylor(
            self.value * other.value,
            self.first * other.value + self.value * other.first,
            self.second * other.value
            + self.value * other.second
            + cross
            + cross.transpose(1, 0, 2),
        )

    def chain(self, value: FloatArray, slope: FloatArray, bend: FloatArray) -> Taylor:
        """A function of these numbers, from its value and two derivatives."""
        outer = self.first[:, None] * self.first[None]
        return Taylor(value, slope * self.first, slope * self.second + bend * outer)


def holds(expression: str, parameters: Sequence[str]) -> bool:
    """Whether an expression uses one of the parameters.

    Examples
    --------
    >>> holds("I(1 - exp(-g*t))", ["g"]), holds("I(t**2)", ["g"])
    (True, False)
    """
    return any(name in parameters for name in variables(expression))


def curve(expressions: Sequence[str], table: Table, parameters: Mapping[str, float]) -> Taylor:
    """The product of expressions that may hold parameters, row by row.

    Parameters
    ----------
    expressions : sequence of str
        Canonical numeric expressions; none gives ones.
    table : Table
        The columns that they use.
    parameters : mapping of str to float
        The parameters and their values.

    Returns
    -------
    Taylor
        The values and derivatives, parameters in the order given.

    Raises
    ------
    SpecificationError
        If a parameter stands where a function has no derivative, in a comparison say.
    DataError
        If columns are absent or cannot be used.

    Examples
    --------
    >>> table = Table({"t": np.array([0.0, 1.0])})
    >>> found = curve(["I(1 - exp(-g*t))"], table, {"g": 0.5})
    >>> found.value.round(4).tolist(), found.first.round(4).tolist()
    ([0.0, 0.3935], [[0.0, 0.6065]])
    """
    names = tuple(parameters)
    reader = _Reader(table, names, np.array(list(parameters.values()), dtype=float))
    made = Taylor.constant(np.ones(table.n_rows), len(names))
    with np.errstate(all="ignore"):
        for expression in expressions:
            made = made * reader.node(tree(expression))
    return made


@dataclass(frozen=True)
class _Reader:
    table: Table
    names: tuple[str, ...]
    values: FloatArray

    def node(self, node: Node) -> Taylor:
        if not _uses(node, self.names):
            return Taylor.constant(numeric(node, self.table), len(self.names))
        if isinstance(node, Name):
            return self.variable(self.names.index(node.name))
        if isinstance(node, Negative):
            return -self.node(node.operand)
        if isinstance(node, Operation) and node.left is not None:
            return self.operation(node, node.left)
        if isinstance(node, Call):
            return self.call(node)
        raise _no_derivative(node)

    def variable(self, index: int) -> Taylor:
        n, size = self.table.n_rows, len(self.names)
        first = np.zeros((size, n))
        first[index] = 1.0
        return Taylor(np.full(n, self.values[index]), first, np.zeros((size, size, n)))

    def operation(self, node: Operation, left: Node) -> Taylor:
        if node.operator in COMPARISONS:
            raise _no_derivative(node)
        a, b = self.node(left), self.node(node.right)
        if node.operator == "+":
            return a + b
        if node.operator == "-":
            return a + (-b)
        if node.operator == "*":
            return a * b
        if node.operator == "/":
            v = b.value
            return a * b.chain(1 / v, -1 / v**2, 2 / v**3)
        if node.operator == "**":
            return self.power(a, b)
        raise _no_derivative(node)

    def power(self, a: Taylor, b: Taylor) -> Taylor:
        v, n = a.value, b.value
        if not b.first.any():
            one = np.where(n == 0, 0.0, n * v ** np.where(n == 0, 1.0, n - 1))
            flat = (n == 0) | (n == 1)
            two = np.where(flat, 0.0, n * (n - 1) * v ** np.where(flat, 1.0, n - 2))
            return a.chain(v**n, one, two)
        log = np.log(v)
        made = (b * a.chain(log, 1 / v, -1 / v**2)).chain(v**n, v**n, v**n)
        if a.first.any():
            return made
        # Zero to a positive power is zero whatever the power.
        still = (v == 0) & (n > 0)
        return Taylor(
            np.where(still, 0.0, made.value),
            np.where(still, 0.0, made.first),
            np.where(still, 0.0, made.second),
        )

    def call(self, node: Call) -> Taylor:
        if node.function == "I":
            return self.node(node.args[0])
        rule = _RULES.get(node.function)
        if rule is None or len(node.args) != 1:
            raise _no_derivative(node)
        inner = self.node(node.args[0])
        return inner.chain(*rule(inner.value))


def _uses(node: Node, names: tuple[str, ...]) -> bool:
    if isinstance(node, Name):
        return node.name in names
    if isinstance(node, Negative):
        return _uses(node.operand, names)
    if isinstance(node, Operation):
        left = node.left is not None and _uses(node.left, names)
        return left or _uses(node.right, names)
    return isinstance(node, Call) and any(_uses(argument, names) for argument in node.args)


def _no_derivative(node: Node) -> SpecificationError:
    return SpecificationError(
        f"{show(node, 'canonical')} holds a parameter and has no derivative in it.",
        hint="Use + - * / ^, exp, log, sqrt and trigonometric functions of parameters.",
    )


def _tan(v: FloatArray) -> Slopes:
    t = np.tan(v)
    return t, 1 + t**2, 2 * t * (1 + t**2)


def _tanh(v: FloatArray) -> Slopes:
    t = np.tanh(v)
    return t, 1 - t**2, -2 * t * (1 - t**2)


def _sqrt(v: FloatArray) -> Slopes:
    s = np.sqrt(v)
    return s, 0.5 / s, -0.25 / (s * v)


_RULES: dict[str, Callable[[FloatArray], Slopes]] = {
    "exp": lambda v: (np.exp(v), np.exp(v), np.exp(v)),
    "expm1": lambda v: (np.expm1(v), np.exp(v), np.exp(v)),
    "log": lambda v: (np.log(v), 1 / v, -1 / v**2),
    "log1p": lambda v: (np.log1p(v), 1 / (1 + v), -1 / (1 + v) ** 2),
    "log2": lambda v: (np.log2(v), 1 / (v * np.log(2)), -1 / (v**2 * np.log(2))),
    "log10": lambda v: (np.log10(v), 1 / (v * np.log(10)), -1 / (v**2 * np.log(10))),
    "sqrt": _sqrt,
    "sin": lambda v: (np.sin(v), np.cos(v), -np.sin(v)),
    "cos": lambda v: (np.cos(v), -np.sin(v), -np.cos(v)),
    "tan": _tan,
    "sinh": lambda v: (np.sinh(v), np.cosh(v), np.sinh(v)),
    "cosh": lambda v: (np.cosh(v), np.sinh(v), np.cosh(v)),
    "tanh": _tanh,
}
"""A function's value and two derivatives, by its name in expressions."""
