"""Symbols of parameters and covariates, exact numbers, and expressions of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from growthmm.errors import UnsupportedError
from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation, parse
from growthmm.rendering import Brief

if TYPE_CHECKING:
    import sympy

    from growthmm.model.sem import SemModel

__all__ = [
    "Parts",
    "covariate_symbol",
    "definition_symbol",
    "number",
    "read_expression",
    "sem_symbols",
    "symbol",
]

DIGITS = 12
SMALL = 1000
"""Largest denominator of fractions that are recognised in their decimals."""


@dataclass(frozen=True, repr=False)
class Parts(Brief):
    """A covariance matrix as ``design covariance design' + residual``.

    Parameters
    ----------
    design : Matrix
        (n_times, n_effects): the random effects' design, or loadings.
    covariance : Matrix
        (n_effects, n_effects): of the random effects, or factors.
    residual : Matrix
        (n_times, n_times).
    """

    design: sympy.Matrix
    covariance: sympy.Matrix
    residual: sympy.Matrix

    @property
    def whole(self) -> sympy.Matrix:
        """The covariance matrix of the outcomes, (n_times, n_times)."""
        return self.design * self.covariance * self.design.T + self.residual


def symbol(name: str, *, positive: bool | None = None) -> sympy.Symbol:
    """The symbol of a parameter; variances are positive, so that roots simplify."""
    import sympy

    if positive is None:
        positive = name.startswith("var(")
    return sympy.Symbol(name, positive=True) if positive else sympy.Symbol(name, real=True)


def covariate_symbol(column: str) -> sympy.Symbol:
    """The symbol of a covariate, in brackets: its effect may have the same name."""
    import sympy

    return sympy.Symbol(f"[{column}]", real=True)


def definition_symbol(name: str) -> sympy.Symbol:
    """The symbol of a definition variable, the person's own loading."""
    import sympy

    return sympy.Symbol(f"data.{name}", real=True)


def sem_symbols(model: SemModel) -> dict[str, sympy.Symbol]:
    """The symbols of a structural equation model's parameters, by name."""
    free = [p for p in model.paths if p.free]
    variances = {p.parameter for p in free if p.op == "~~" and p.left == p.right}
    return {p.parameter: symbol(p.parameter, positive=p.parameter in variances) for p in free}


def number(value: float) -> sympy.Rational:
    """A number of the model as the fraction that its decimals (12 at most) say.

    Examples
    --------
    >>> number(0.1), number(3.0), number(1 / 3), number(0.123456789)
    (1/10, 3, 1/3, 123456789/1000000000)
    """
    import sympy

    near = Fraction(value).limit_denominator(SMALL)
    if abs(float(near) - value) <= 10.0**-DIGITS * abs(value):
        return sympy.Rational(near.numerator, near.denominator)
    return sympy.Rational(f"{value:.{DIGITS}g}")


def read_expression(text: str, names: Mapping[str, sympy.Symbol]) -> sympy.Expr:
    """Arithmetic over parameter names as an expression.

    Parameters
    ----------
    text : str
        ``c1^2/v``, say. Nothing of it is run.
    names : mapping of str to Symbol
        The parameters; names that are no identifiers (``i~~s``) may stand in the text too.

    Raises
    ------
    UnsupportedError
        If it is no arithmetic over those names.
    """
    places: dict[str, sympy.Symbol] = {}
    for k, name in enumerate(sorted(names, key=len, reverse=True)):
        if not name.isidentifier() and name in text:
            places[f"placeholder_{k}_"] = names[name]
            text = text.replace(name, f"placeholder_{k}_")
    return _expression(parse(text), {**names, **places}, text)


def _expression(node: Node, names: Mapping[str, sympy.Symbol], text: str) -> sympy.Expr:
    import sympy

    match node:
        case Number():
            return number(node.value)
        case Name() if node.name in names:
            return names[node.name]
        case Negative():
            return -_expression(node.operand, names, text)
        case Operation(operator=sign, left=left, right=right) if left is not None:
            a, b = _expression(left, names, text), _expression(right, names, text)
            if sign in _SIGNS:
                return _SIGNS[sign](a, b)
        case Call(function=("sqrt" | "exp" | "log") as function, args=(argument,)):
            return getattr(sympy, function)(_expression(argument, names, text))
    raise UnsupportedError(
        f"The proof can't read the rule {text!r}.",
        hint="Levels 2 and 3 of verify show the same with numbers.",
    )


_SIGNS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "^": lambda a, b: a**b,
}
