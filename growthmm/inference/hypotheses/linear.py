"""Linear hypotheses about parameters, read from text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import NotationError, SpecificationError

__all__ = ["LinearHypothesis", "linear_hypothesis"]

FloatArray = NDArray[np.float64]

_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class LinearHypothesis:
    """``matrix @ parameters == target``.

    Parameters
    ----------
    text : str
        As it was written.
    matrix : (n_equations, n_parameters) ndarray
        Linearly independent rows.
    target : (n_equations,) ndarray
        What they equal.
    """

    text: str
    matrix: FloatArray
    target: FloatArray

    @property
    def involved(self) -> tuple[int, ...]:
        """Positions of the parameters that it is about."""
        return tuple(int(k) for k in np.flatnonzero(np.any(self.matrix != 0, axis=0)))


def linear_hypothesis(
    text: str | Sequence[str], names: Mapping[str, int], size: int
) -> LinearHypothesis:
    """Read one or several linear equations among parameters.

    Parameters
    ----------
    text : str or sequence of str
        Equations such as ``"occasion = 0"``, ``"2*a - b = 1"`` or ``"a = b = 0"``, divided by
        commas, semicolons or new lines. A parameter alone is tested against zero. Names are
        written as the table of estimates has them; the longest that fits is taken.
    names : mapping of str to int
        Position of each name among the parameters; several names may have one.
    size : int
        Number of parameters.

    Returns
    -------
    LinearHypothesis

    Raises
    ------
    NotationError
        If the text cannot be read.
    SpecificationError
        If the equations contradict or repeat each other, or name no parameter.

    Examples
    --------
    >>> made = linear_hypothesis("occasion = 0, 2*(Intercept) = 5", {"(Intercept)": 0,
    ...                          "occasion": 1}, 2)
    >>> made.matrix.tolist(), made.target.tolist()
    ([[0.0, 1.0], [2.0, 0.0]], [0.0, 5.0])
    """
    whole = text if isinstance(text, str) else "; ".join(text)
    rows: list[FloatArray] = []
    for sides in _Reader(whole, names, size).equations():
        whole_sides = sides if len(sides) > 1 else [*sides, np.zeros(size + 1)]
        rows.extend(a - b for a, b in pairwise(whole_sides))
    table = np.array(rows).reshape(-1, size + 1)
    matrix, target = table[:, :size], 0.0 - table[:, size]
    if not rows or not np.all(np.any(matrix != 0, axis=1)):
        raise SpecificationError(
            f"The hypothesis {whole!r} names no parameter in some equation.",
            hint=f"Parameters: {', '.join(names)}.",
        )
    if np.linalg.matrix_rank(matrix) < len(matrix):
        raise SpecificationError(
            f"The equations of {whole!r} repeat or contradict each other.",
            hint="Drop those that follow from others.",
        )
    return LinearHypothesis(whole, matrix, target)


class _Reader:
    """Recursive descent; every side is coefficients of the parameters and of the constant."""

    def __init__(self, text: str, names: Mapping[str, int], size: int) -> None:
        self.text, self.names, self.size = text, names, size
        self.known = sorted(names, key=len, reverse=True)
        self.at = 0

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def _take(self, signs: str) -> str | None:
        self._skip()
        if self.at < len(self.text) and self.text[self.at] in signs:
            self.at += 1
            return self.text[self.at - 1]
        return None

    def _fail(self, expected: Sequence[str]) -> NotationError:
        rest = self.text[self.at : self.at + 30]
        names = ", ".join(self.names)
        message = f"Cannot read {rest!r} in a hypothesis" if rest else "The hypothesis breaks off"
        return NotationError(
            f"{message}; the parameters are {names}.",
            text=self.text,
            position=self.at,
            expected=expected,
        )

    def equations(self) -> list[list[FloatArray]]:
        found: list[list[FloatArray]] = []
        while True:
            while self._take(",;\n"):
                pass
            if self.at >= len(self.text):
                return found
            sides = [self._sum()]
            while self._take("="):
                self._take("=")
                sides.append(self._sum())
            found.append(sides)
            self._skip()
            if self.at < len(self.text) and self.text[self.at] not in ",;\n":
                raise self._fail(("+", "-", "*", "=", "a comma", "the end"))

    def _sum(self) -> FloatArray:
        value = self._product()
        while sign := self._take("+-"):
            value = value + (1.0 if sign == "+" else -1.0) * self._product()
        return value

    def _product(self) -> FloatArray:
        value = self._factor()
        while sign := self._take("*/"):
            other = self._factor()
            value = self._times(value, other) if sign == "*" else self._over(value, other)
        return value

    def _times(self, a: FloatArray, b: FloatArray) -> FloatArray:
        if np.any(a[:-1]) and np.any(b[:-1]):
            raise SpecificationError(
                f"The hypothesis {self.text!r} multiplies parameters.",
                hint="Only linear hypotheses are tested here.",
            )
        return np.asarray(a * b[-1] if np.any(a[:-1]) else b * a[-1])

    def _over(self, a: FloatArray, b: FloatArray) -> FloatArray:
        if np.any(b[:-1]) or b[-1] == 0:
            raise SpecificationError(
                f"The hypothesis {self.text!r} divides by a parameter or by zero.",
                hint="Only linear hypotheses are tested here.",
            )
        return np.asarray(a / b[-1])

    def _factor(self) -> FloatArray:
        if self._take("-"):
            return -self._factor()
        if self._take("+"):
            return self._factor()
        self._skip()
        value = np.zeros(self.size + 1)
        for name in self.known:
            if self.text.startswith(name, self.at) and self._ends(name):
                self.at += len(name)
                value[self.names[name]] = 1.0
                return value
        match = _NUMBER.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            value[-1] = float(match.group())
            return value
        if self._take("("):
            value = self._sum()
            if self._take(")"):
                return value
            raise self._fail((")",))
        raise self._fail(("a parameter", "a number"))

    def _ends(self, name: str) -> bool:
        """Whether the name is no beginning of a longer word."""
        after = self.text[self.at + len(name) : self.at + len(name) + 1]
        return not (name[-1].isalnum() and (after.isalnum() or after == "_"))
