"""Arithmetic over parameters with exact first and second derivatives.

Expressions of constraints and defined parameters are read by a small recursive-descent parser and
evaluated as truncated Taylor polynomials (forward-mode differentiation of second order; Griewank &
Walther 2008, doi:10.1137/1.9780898717761).
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.kept import kept
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.sem import SemModel

__all__ = ["Jet", "Relation", "defined", "evaluate_expression", "relations"]

FloatArray = NDArray[np.float64]
Environment = Mapping[str, "Jet"]


@dataclass(frozen=True)
class Jet:
    """A number with its gradient (n,) and Hessian (n, n)."""

    value: float
    gradient: FloatArray
    hessian: FloatArray

    @staticmethod
    def constant(value: float, size: int) -> Jet:
        """A number that depends on nothing."""
        return Jet(value, np.zeros(size), np.zeros((size, size)))

    @staticmethod
    def variable(value: float, index: int, size: int) -> Jet:
        """The variable number `index`."""
        return Jet(value, np.eye(size)[index], np.zeros((size, size)))

    def __add__(self, other: Jet) -> Jet:
        return Jet(
            self.value + other.value,
            self.gradient + other.gradient,
            self.hessian + other.hessian,
        )

    def __sub__(self, other: Jet) -> Jet:
        return self + (-other)

    def __neg__(self) -> Jet:
        return Jet(-self.value, -self.gradient, -self.hessian)

    def __mul__(self, other: Jet) -> Jet:
        cross = np.outer(self.gradient, other.gradient)
        return Jet(
            self.value * other.value,
            self.gradient * other.value + self.value * other.gradient,
            self.hessian * other.value + self.value * other.hessian + cross + cross.T,
        )

    def __truediv__(self, other: Jet) -> Jet:
        # Products, since powers of large and small numbers have no value.
        inverse = 1.0 / other.value
        square = inverse * inverse
        return self * other.chain(inverse, -square, 2.0 * square * inverse)

    def __pow__(self, other: Jet) -> Jet:
        if not np.any(other.gradient) and not np.any(other.hessian):
            n, v = other.value, self.value
            if v < 0 and n != round(n):
                raise ValueError(f"{v:g} to the power {n:g} is no real number")
            first = n * v ** (n - 1) if n != 0 else 0.0
            second = n * (n - 1) * v ** (n - 2) if n not in (0, 1) else 0.0
            return self.chain(v**n, first, second)
        return (other * self.chain(*_log(self.value))).chain(
            *_exp(other.value * math.log(self.value))
        )

    def chain(self, value: float, first: float, second: float) -> Jet:
        """A function of this number, from its value and two derivatives."""
        outer = np.outer(self.gradient, self.gradient)
        return Jet(value, first * self.gradient, first * self.hessian + second * outer)


def _exp(v: float) -> tuple[float, float, float]:
    e = math.exp(v)
    return e, e, e


def _log(v: float) -> tuple[float, float, float]:
    return math.log(v), 1.0 / v, -1.0 / v**2


def _sqrt(v: float) -> tuple[float, float, float]:
    s = math.sqrt(v)
    return s, 0.5 / s, -0.25 / (s * v)


def _abs(v: float) -> tuple[float, float, float]:
    return abs(v), math.copysign(1.0, v), 0.0


def _sin(v: float) -> tuple[float, float, float]:
    return math.sin(v), math.cos(v), -math.sin(v)


def _cos(v: float) -> tuple[float, float, float]:
    return math.cos(v), -math.sin(v), -math.cos(v)


FUNCTIONS: dict[str, Callable[[float], tuple[float, float, float]]] = {
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "abs": _abs,
    "sin": _sin,
    "cos": _cos,
}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_.][\w.]*)|(?P<sign>\*\*|[-+*/^()]))"
)


Evaluator = Callable[[Environment, int], Jet]
"""An expression that was read: its value from what the names stand for."""


class _Reader:
    """Recursive descent over one expression; every method returns how to evaluate its part."""

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        self.text, self.names = text, frozenset(names)
        self.listed = names
        self.odd = sorted((n for n in names if not _TOKEN.fullmatch(n)), key=len, reverse=True)
        self.position = 0
        self.kind, self.token, self.start = "", "", 0
        self.advance()

    def advance(self) -> None:
        rest = self.text[self.position :]
        stripped = rest.lstrip()
        self.start = self.position + len(rest) - len(stripped)
        if not stripped:
            self.kind, self.token = "end", ""
            return
        for name in self.odd:
            if stripped.startswith(name):
                self.kind, self.token = "name", name
                self.position = self.start + len(name)
                return
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            raise self.error(f"Cannot read {stripped[0]!r} in an expression.")
        self.kind = str(match.lastgroup)
        self.token = match.group(self.kind)
        self.position = match.end()

    def error(self, message: str, expected: Sequence[str] = ()) -> NotationError:
        return NotationError(message, text=self.text, position=self.start, expected=expected)

    def take(self, *signs: str) -> str | None:
        if self.kind == "sign" and self.token in signs:
            token = self.token
            self.advance()
            return token
        return None

    def whole(self) -> Evaluator:
        value = self.sum()
        if self.kind != "end":
            raise self.error(f"{self.token!r} is left over.", ("an operator", "the end"))
        return value

    def sum(self) -> Evaluator:
        value = self.product()
        while sign := self.take("+", "-"):
            value = _joined(operator.add if sign == "+" else operator.sub, value, self.product())
        return value

    def product(self) -> Evaluator:
        value = self.signed()
        while sign := self.take("*", "/"):
            value = _joined(operator.mul if sign == "*" else self.quotient, value, self.signed())
        return value

    def quotient(self, value: Jet, other: Jet) -> Jet:
        if other.value == 0.0:
            raise SpecificationError(f"{self.text!r} divides by zero.", hint="Restate it.")
        return value / other

    def signed(self) -> Evaluator:
        if self.take("-"):
            inner = self.signed()
            return lambda names, size: -inner(names, size)
        if self.take("+"):
            return self.signed()
        return self.power()

    def power(self) -> Evaluator:
        base = self.atom()
        if self.take("^", "**"):
            return _joined(self.guarded(operator.pow), base, self.signed())
        return base

    def atom(self) -> Evaluator:
        if self.take("("):
            value = self.sum()
            if not self.take(")"):
                raise self.error("A bracket is not closed.", (")",))
            return value
        kind, token = self.kind, self.token
        if kind == "number":
            self.advance()
            number = float(token)
            return lambda _names, size: Jet.constant(number, size)
        if kind == "name":
            function = FUNCTIONS.get(token)
            if function is not None and token not in self.names:
                return self.call(token, function)
            if token not in self.names:
                raise SpecificationError(
                    f"The expression {self.text!r} names {token!r}, which is no parameter.",
                    hint=f"Parameters: {', '.join(self.listed)}.",
                )
            self.advance()
            return lambda names, _size: names[token]
        raise self.error(
            "The expression breaks off." if kind == "end" else f"{token!r} cannot stand here.",
            ("a number", "a parameter", "("),
        )

    def call(self, name: str, function: Callable[[float], tuple[float, float, float]]) -> Evaluator:
        self.advance()
        if not self.take("("):
            raise self.error(f"{name} is a function.", ("(",))
        inner = self.sum()
        if not self.take(")"):
            raise self.error("A bracket is not closed.", (")",))
        chained = self.guarded(lambda jet: jet.chain(*function(jet.value)))
        return lambda names, size: chained(inner(names, size))

    def guarded(self, work: Callable[..., Jet]) -> Callable[..., Jet]:
        def tried(*jets: Jet) -> Jet:
            try:
                return work(*jets)
            except (ValueError, OverflowError, ZeroDivisionError, TypeError) as error:
                raise SpecificationError(
                    f"{self.text!r} has no value at these parameters ({error}).",
                    hint="Restate the expression, or start from other values.",
                ) from error

        return tried


def _joined(operation: Callable[[Jet, Jet], Jet], first: Evaluator, second: Evaluator) -> Evaluator:
    return lambda names, size: operation(first(names, size), second(names, size))


@lru_cache(maxsize=4096)
def _read(text: str, names: tuple[str, ...]) -> Evaluator:
    """The expression as a function, which a search asks for at every step."""
    return _Reader(text, names).whole()


def evaluate_expression(text: str, names: Environment, size: int) -> Jet:
    """The value and derivatives of an arithmetic expression.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / ^ **``, brackets and exp, log, sqrt, abs, sin, cos.
    names : mapping of str to Jet
        What the names stand for.
    size : int
        Number of variables of the jets.

    Raises
    ------
    NotationError
        If the text cannot be read.
    SpecificationError
        If a name is unknown or the expression has no value.

    Examples
    --------
    >>> x = Jet.variable(3.0, 0, 1)
    >>> jet = evaluate_expression("2*x^2 - 1", {"x": x}, 1)
    >>> jet.value, float(jet.gradient[0]), float(jet.hessian[0, 0])
    (17.0, 12.0, 4.0)
    """
    return _read(text, tuple(names))(names, size)


def _environment(model: SemModel, values: FloatArray) -> dict[str, Jet]:
    """Parameters by label, by the name of each row that holds them, and defined parameters."""
    size = len(values)
    index = {name: k for k, name in enumerate(model.free_parameters)}
    names = {n: Jet.variable(float(values[k]), k, size) for n, k in index.items()}
    for path in model.paths:
        if path.free:
            names.setdefault(path.name, names[path.parameter])
        elif path.value is not None:
            fixed = Jet.constant(path.value, size)
            names.setdefault(path.label or path.name, fixed)
            names.setdefault(path.name, fixed)
    waiting = {d.name: d.expression for d in model.defined}
    while waiting:
        done = []
        for name, text in waiting.items():
            others = set(waiting) & set(re.findall(r"[A-Za-z_.][\w.]*", text))
            if not others:
                names[name] = evaluate_expression(text, names, size)
                done.append(name)
        if not done:
            raise SpecificationError(
                f"The defined parameters {', '.join(waiting)} refer to each other in a circle.",
                hint="Define each from parameters, or from parameters defined without it.",
            )
        for name in done:
            del waiting[name]
    return names


def defined(model: SemModel, values: FloatArray) -> tuple[tuple[str, ...], list[Jet]]:
    """Names and values (with derivatives) of the defined parameters."""
    names = _environment(model, np.asarray(values, dtype=float))
    found = tuple(d.name for d in model.defined)
    return found, [names[name] for name in found]


@dataclass(frozen=True)
class Relation:
    """``jet == 0`` or ``jet >= 0``.

    Parameters
    ----------
    text : str
        As the model says it.
    equality : bool
        Whether it is an equality.
    parameters : tuple of int
        For a simple bound, the parameter concerned.
    solves : (int, frozenset of int), optional
        For an equality with a parameter alone on one side: that parameter, and those that the
        other side holds.
    """

    text: str
    equality: bool
    jet: Jet
    parameters: tuple[int, ...] = ()
    solves: tuple[int, frozenset[int]] | None = None


def relations(model: SemModel, values: FloatArray) -> list[Relation]:
    """All constraints and bounds of the model, evaluated at `values`."""
    size = len(values)
    found: list[Relation] = []
    if model.constraints:
        names = _environment(model, values)
        for c in model.constraints:
            left = evaluate_expression(c.left, names, size)
            right = evaluate_expression(c.right, names, size)
            jet = right - left if c.op == "<" else left - right
            given = _solutions(model)[c.left, c.right] if c.op == "==" else None
            found.append(Relation(f"{c.left} {c.op} {c.right}", c.op == "==", jet, (), given))
    bounded = [
        path
        for path in model.paths
        if path.free and not (path.lower is None and path.upper is None)
    ]
    index = {name: k for k, name in enumerate(model.free_parameters)} if bounded else {}
    for path in bounded:
        k = index[path.parameter]
        here = Jet.variable(float(values[k]), k, size)
        if path.lower is not None and np.isfinite(path.lower):
            text = f"{path.parameter} > {path.lower:g}"
            found.append(Relation(text, False, here - Jet.constant(path.lower, size), (k,)))
        if path.upper is not None and np.isfinite(path.upper):
            text = f"{path.parameter} < {path.upper:g}"
            found.append(Relation(text, False, Jet.constant(path.upper, size) - here, (k,)))
    unique = {relation.text: relation for relation in found}
    return list(unique.values())


@kept
def _solutions(model: SemModel) -> dict[tuple[str, str], tuple[int, frozenset[int]] | None]:
    """For each of a model's constraints, as :func:`_solved` tells.

    Kept by the model itself: models that compare equal may have their parameters in another order.
    """
    index = {name: k for k, name in enumerate(model.free_parameters)}
    for path in model.paths:
        if path.free:
            index.setdefault(path.name, index[path.parameter])
    meanings = {d.name: d.expression for d in model.defined}
    return {(c.left, c.right): _solved(index, meanings, c.left, c.right) for c in model.constraints}


def _solved(
    index: Mapping[str, int], meanings: Mapping[str, str], left: str, right: str
) -> tuple[int, frozenset[int]] | None:
    """The parameter that stands alone on one side and not on the other, and what that one holds."""
    for alone, other in ((left, right), (right, left)):
        k = index.get(alone.strip())
        if k is None:
            continue
        needs = _held(other, index, meanings)
        if k not in needs:
            return k, needs
    return None


def _held(text: str, index: Mapping[str, int], meanings: Mapping[str, str]) -> frozenset[int]:
    """The parameters in an expression, those in the definitions it uses too."""
    words = set(re.findall(r"[A-Za-z_.][\w.]*", text))
    found = {
        k
        for name, k in index.items()
        if name in words or (not name.isidentifier() and name in text)
    }
    for name in words & set(meanings):
        rest = {n: e for n, e in meanings.items() if n != name}
        found |= _held(meanings[name], index, rest)
    return frozenset(found)
