"""Whether a difference of symbols is zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from growthmm.equivalence.proof.relations import Relation
from growthmm.equivalence.proof.symbols import symbol
from growthmm.errors import UnsupportedError

if TYPE_CHECKING:
    import sympy

__all__ = ["Zero", "each_entry"]

DIGITS = 40
POINTS = 4

ROUNDED = 1e-10
"""Share of the larger coefficients up to which one is the rounding of the model's decimals."""


class Zero:
    """Simplifies what one side has more than the other, in the SEM's free parameters.

    Parameters
    ----------
    mapping : sequence of (Symbol, Expr)
        Each mixed-model parameter, and what it is of the SEM's.
    held : sequence of (Symbol, Expr)
        What the SEM's constraints put in place of parameters.
    positive : sequence of Symbol
        The SEM's parameters that are taken to be positive.
    """

    def __init__(
        self,
        mapping: Sequence[Relation],
        held: Sequence[Relation],
        positive: Sequence[sympy.Symbol] = (),
    ) -> None:
        self.mapping = dict(mapping)
        self.held = dict(held)
        self.positive = {own: symbol(own.name, positive=True) for own in positive}

    def __call__(self, mixed: sympy.Matrix, sem: sympy.Matrix) -> sympy.Matrix:
        """The difference, entry by entry.

        Raises
        ------
        UnsupportedError
            If an entry is zero in numbers and sympy does not get it to zero.
        """
        left = each_entry(mixed, lambda own: own.xreplace(self.mapping))
        ours, theirs = self._free(left), self._free(sem)
        size = max((_size(own) for own in (*ours, *theirs)), default=1.0)
        return each_entry(ours - theirs, lambda own: _simplified(own.xreplace(self.positive), size))

    def _free(self, matrix: sympy.Matrix) -> sympy.Matrix:
        """Without the parameters that constraints give."""
        for _ in self.held:
            if not matrix.free_symbols & set(self.held):
                break
            matrix = each_entry(matrix, lambda own: own.subs(self.held))
        return matrix


def each_entry(matrix: sympy.Matrix, make: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Matrix:
    """The function of every entry, taken once where a symmetric matrix has it twice."""
    made = matrix.copy()
    for j in range(matrix.rows):
        for k in range(matrix.cols):
            twin = k > j and matrix.is_square and matrix[j, k] == matrix[k, j]
            if not twin:
                made[j, k] = make(matrix[j, k])
    for j in range(matrix.rows):
        for k in range(j + 1, matrix.cols):
            if matrix.is_square and matrix[j, k] == matrix[k, j]:
                made[j, k] = made[k, j]
    return made


def _size(entry: sympy.Expr) -> float:
    """The largest coefficient of a sum, at least 1."""
    return max([1.0, *(abs(float(c)) for c in entry.as_coefficients_dict().values())])


def _simplified(entry: sympy.Expr, size: float) -> sympy.Expr:
    import sympy

    short = sympy.expand(entry)
    if short != 0 and _size(short / (ROUNDED * size)) <= 1.0:
        # A loading that is the product of two has been rounded once more.
        short = sympy.Integer(0)
    if short != 0:
        short = sympy.simplify(short)
    if short != 0 and _vanishes(short):
        raise UnsupportedError(
            f"The difference {short} is zero in numbers, and sympy does not simplify it to zero.",
            hint="Levels 2 and 3 of verify show the same with numbers.",
        )
    return short


def _vanishes(entry: sympy.Expr) -> bool:
    """Whether an expression is zero at points that are no special ones, to many digits."""
    import sympy

    own = sorted(entry.free_symbols, key=str)
    roots = [sympy.sqrt(sympy.prime(k + 1)) for k in range(len(own) + POINTS)]
    for shift in range(POINTS):
        values = {s: roots[k + shift] / roots[len(own) + shift] for k, s in enumerate(own)}
        found = sympy.N(entry.subs(values), DIGITS, chop=False)
        size = abs(complex(found)) if found.is_number else 1.0
        if not size < 10.0 ** (-DIGITS / 2):
            return False
    return True
