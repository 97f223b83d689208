"""The functions that a factor may use: their arguments, aliases and spellings, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ALIASES", "CONTRASTS", "FUNCTIONS", "Function", "Kind", "Parameter"]

Kind = Literal["elementwise", "identity", "categorical", "basis", "vector", "contrast", "lag"]

Value = Literal["expression", "integer", "number", "truth", "numbers", "levels", "contrast"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a function.

    Parameters
    ----------
    name : str
        Its canonical (Python) name.
    value : str
        What it takes.
    default : float, bool or None
        What stands for it where it is not written; such a value is dropped.
    required : bool
        Whether there is no default.
    r : str, optional
        Its name in R where that differs.
    """

    name: str
    value: Value
    default: float | bool | None = None
    required: bool = False
    r: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the expression language.

    Parameters
    ----------
    kind : str
        How it is evaluated.
    parameters : tuple of Parameter
        Its arguments, in order.
    positional : int
        How many of them are written without their names.
    r, python : str
        Its name in each language's formulas; empty where the language has none.
    """

    kind: Kind
    parameters: tuple[Parameter, ...]
    positional: int = 1
    r: str = ""
    python: str = ""


_X = Parameter("x", "expression", required=True)


def _elementwise(name: str, python: str | None = None, r: str | None = None) -> Function:
    return Function("elementwise", (_X,), 1, r or name, python or f"np.{name}")


_PAIR = (_X, Parameter("y", "expression", required=True))

FUNCTIONS: dict[str, Function] = {
    "I": Function("identity", (_X,), 1, "I", "I"),
    "C": Function(
        "categorical",
        (_X, Parameter("contrast", "contrast"), Parameter("levels", "levels")),
        2,
        "factor",
        "C",
    ),
    "poly": Function(
        "basis",
        (_X, Parameter("degree", "integer", 1.0), Parameter("raw", "truth", False)),
        2,
        "poly",
        "",
    ),
    "scale": Function(
        "basis",
        (
            _X,
            Parameter("center", "truth", True),
            Parameter("scale", "truth", True),
            Parameter("ddof", "integer", 1.0),
        ),
        1,
        "scale",
        "scale",
    ),
    "bs": Function(
        "basis",
        (
            _X,
            Parameter("df", "integer"),
            Parameter("knots", "numbers"),
            Parameter("degree", "integer", 3.0),
            Parameter("include_intercept", "truth", False, r="intercept"),
            Parameter("lower_bound", "number"),
            Parameter("upper_bound", "number"),
        ),
        1,
        "bs",
        "bs",
    ),
    "ns": Function(
        "basis",
        (
            _X,
            Parameter("df", "integer"),
            Parameter("knots", "numbers"),
            Parameter("include_intercept", "truth", False, r="intercept"),
            Parameter("lower_bound", "number"),
            Parameter("upper_bound", "number"),
        ),
        1,
        "ns",
        "",
    ),
    "cr": Function(
        "basis",
        (
            _X,
            Parameter("df", "integer"),
            Parameter("knots", "numbers"),
            Parameter("lower_bound", "number"),
            Parameter("upper_bound", "number"),
        ),
        1,
        "",
        "cr",
    ),
    # Neither language has a lag within persons: R's lag() moves the times of a series.
    "lag": Function("lag", (_X, Parameter("k", "integer", 1.0)), 2),
    "lead": Function("lag", (_X, Parameter("k", "integer", 1.0)), 2),
    **{
        name: _elementwise(name)
        for name in ("log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "floor")
    },
    **{name: _elementwise(name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "ceil": _elementwise("ceil", r="ceiling"),
    "maximum": Function("elementwise", _PAIR, 2, "pmax", "np.maximum"),
    "minimum": Function("elementwise", _PAIR, 2, "pmin", "np.minimum"),
}
"""Every function, by its canonical name."""

ALIASES: dict[str, str] = {
    "factor": "C",
    "as.factor": "C",
    "relevel": "C",
    "splines::bs": "bs",
    "splines::ns": "ns",
    "base::factor": "C",
    "ceiling": "ceil",
    "pmax": "maximum",
    "pmin": "minimum",
    **{f"np.{name}": name for name, f in FUNCTIONS.items() if f.python == f"np.{name}"},
    **{f"numpy.{name}": name for name, f in FUNCTIONS.items() if f.python == f"np.{name}"},
}
"""Other spellings of those names."""

CONTRASTS: dict[str, tuple[str, str]] = {
    "contr.treatment": ("Treatment", "contr.treatment"),
    "contr.sum": ("Sum", "contr.sum"),
    "contr.helmert": ("Helmert", "contr.helmert"),
    "contr.poly": ("Poly", "contr.poly"),
    "Treatment": ("Treatment", "contr.treatment"),
    "Sum": ("Sum", "contr.sum"),
    "Helmert": ("Helmert", "contr.helmert"),
    "Poly": ("Poly", "contr.poly"),
}
"""Contrasts by either name: the canonical one, and R's."""
