"""Bases whose constants come from the data once, and are frozen from then on."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from growthmm.data.wording import listed
from growthmm.errors import ValueColumnError
from growthmm.model.expression_tree import Call, Negative, Node, Number, Truth

__all__ = ["basis", "fit_basis", "width"]

FloatArray = NDArray[np.float64]

Frozen = dict[str, tuple[float, ...]]


def arguments(node: Call) -> dict[str, Any]:
    """The literal arguments of a basis function, by name."""
    values = {name: _literal(value) for name, value in node.keywords}
    if node.function == "poly":
        values["degree"] = _literal(node.args[1])
    return values


def _literal(node: Node) -> Any:
    if isinstance(node, Negative):
        return -cast("Number", node.operand).value
    if isinstance(node, Call):
        return [_literal(item) for item in node.args]
    value = cast("Number | Truth", node).value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def fit_basis(node: Call, x: FloatArray, expression: str) -> Frozen:
    """The constants of a basis, from all values of its variable that are not missing.

    Parameters
    ----------
    node : Call
        ``poly()``, ``scale()``, ``bs()``, ``ns()`` or ``cr()`` in normal form.
    x : (n_rows,) ndarray
        The variable, NaN where missing.
    expression : str
        Its canonical text, for errors.

    Returns
    -------
    dict of str to tuple of float
        Named constants; empty for a basis that needs none.

    Raises
    ------
    ValueColumnError
        If the values cannot carry the basis.
    """
    known = arguments(node)
    if node.function == "poly" and known.get("raw", False):
        return {}
    x = x[~np.isnan(x)]
    distinct = np.unique(x).size
    needed = {"poly": known.get("degree", 1) + 1, "scale": 2}.get(node.function, 2)
    if distinct < needed and not (node.function == "scale" and not known.get("scale", True)):
        raise ValueColumnError(
            f"{expression} needs {needed} distinct values of its variable, and has {distinct}.",
            hint="Lower the degree, or leave the term out.",
        )
    if node.function == "scale":
        return _fit_scale(x, known)
    if node.function == "ns":
        return _fit_natural(x, known, expression)
    state: dict[str, Any] = {}
    try:
        _formulaic(node, x, state)
    except ValueError as error:
        raise ValueColumnError(f"{expression}: {error}", hint="Change df or the knots.") from None
    return _freeze(state)


def _fit_scale(x: FloatArray, known: dict[str, Any]) -> Frozen:
    frozen: Frozen = {}
    centre = float(x.mean()) if known.get("center", True) else 0.0
    if known.get("center", True):
        frozen["center"] = (centre,)
    if known.get("scale", True):
        squares = float(np.sum((x - centre) ** 2))
        # Without centring R divides by the root mean square.
        frozen["scale"] = (float(np.sqrt(squares / (x.size - known.get("ddof", 1)))),)
    return frozen


def _freeze(state: dict[str, Any]) -> Frozen:
    frozen: Frozen = {}
    for name, value in state.items():
        if value is None or isinstance(value, bool):
            continue
        if isinstance(value, dict):
            frozen[name] = tuple(float(value[k]) for k in sorted(value))
        else:
            frozen[name] = tuple(float(v) for v in np.atleast_1d(value))
    return frozen


def _thaw(function: str, frozen: Frozen) -> dict[str, Any]:
    if function == "poly":
        return {name: dict(enumerate(values)) for name, values in frozen.items()}
    state: dict[str, Any] = {
        name: list(values) if name == "knots" else values[0] for name, values in frozen.items()
    }
    if function == "cr":
        state |= {"constraints": None, "cyclic": False}
    return state


def _formulaic(node: Call, x: FloatArray, state: dict[str, Any]) -> FloatArray:
    """The columns of poly(), bs() or cr() by formulaic's transforms; no missing values."""
    known = arguments(node)
    if node.function == "poly":
        from formulaic.transforms.poly import poly

        return np.asarray(poly(x, known["degree"], _state=state), dtype=float)
    if node.function == "bs":
        from formulaic.transforms.basis_spline import basis_spline

        columns = basis_spline(x, **known, extrapolation="extend", _state=state)
    else:
        from formulaic.transforms.cubic_spline import natural_cubic_spline

        columns = natural_cubic_spline(x, **known, _state=state)
    return np.column_stack([np.asarray(columns[key], dtype=float) for key in columns])


def width(node: Call) -> int:
    """The number of columns of a basis."""
    known = arguments(node)
    if node.function == "scale":
        return 1
    if node.function == "poly":
        return int(known["degree"])
    intercept = int(known.get("include_intercept", False))
    inner = len(known.get("knots") or ())
    if node.function == "cr":
        return int(known["df"]) if "df" in known else inner + 2
    if node.function == "ns":
        return int(known["df"]) if "df" in known else inner + 1 + intercept
    return int(known["df"]) if "df" in known else inner + int(known.get("degree", 3)) + intercept


def basis(node: Call, x: FloatArray, frozen: Frozen) -> FloatArray:
    """Evaluate a basis from its frozen constants.

    Parameters
    ----------
    node : Call
        The basis in normal form.
    x : (n_rows,) ndarray
        The variable, NaN where missing.
    frozen : dict of str to tuple of float
        What :func:`fit_basis` gave.

    Returns
    -------
    (n_rows, n_columns) ndarray
        NaN in the rows where `x` is.
    """
    known = arguments(node)
    if node.function == "poly" and known.get("raw", False):
        return x[:, None] ** np.arange(1, known["degree"] + 1)
    if node.function == "scale":
        centre = frozen.get("center", (0.0,))[0]
        return ((x - centre) / frozen.get("scale", (1.0,))[0])[:, None]
    present = ~np.isnan(x)
    whole = bool(present.all())
    inside = x if whole else x[present]
    if node.function == "ns":
        columns = _natural(inside, frozen, bool(known.get("include_intercept", False)))
    elif inside.size:
        columns = _formulaic(node, inside, _thaw(node.function, frozen))
    else:
        columns = np.empty((0, width(node)))
    if whole:
        return columns
    out = np.full((x.size, columns.shape[1]), np.nan)
    out[present] = columns
    return out


def _fit_natural(x: FloatArray, known: dict[str, Any], expression: str) -> Frozen:
    intercept = int(known.get("include_intercept", False))
    low = float(known.get("lower_bound", x.min()))
    high = float(known.get("upper_bound", x.max()))
    inner = [float(k) for k in known.get("knots") or ()]
    if "df" in known:
        n_inner = known["df"] - 1 - intercept
        if n_inner < 0:
            raise ValueColumnError(
                f"{expression}: df={known['df']} is too small.",
                hint=f"Use df={1 + intercept} or more.",
            )
        within = x[(x >= low) & (x <= high)]
        inner = np.quantile(within, np.linspace(0, 1, n_inner + 2)[1:-1]).tolist()
    if any(not low < k < high for k in inner) or len(set(inner)) < len(inner):
        shown = listed([float(f"{k:.6g}") for k in inner], limit=8)
        raise ValueColumnError(
            f"{expression}: the knots {shown} must be distinct and lie within {low:g} to {high:g}.",
            hint="Lower df, or give knots=.",
        )
    return {"knots": tuple(sorted(inner)), "lower_bound": (low,), "upper_bound": (high,)}


def _natural(x: FloatArray, frozen: Frozen, intercept: bool) -> FloatArray:
    """R's ``ns()``: cubic B-splines without curvature at the ends, straight beyond them.

    The null space of the second derivatives at both ends is taken from a Householder QR, as in
    Hastie, T. (1992), Generalized additive models, in Chambers & Hastie, Statistical Models in S.
    """
    from scipy.interpolate import BSpline

    low, high = frozen["lower_bound"][0], frozen["upper_bound"][0]
    knots = np.array([*(low,) * 4, *frozen["knots"], *(high,) * 4])
    spline = BSpline(knots, np.eye(knots.size - 4), 3)
    ends = np.array([low, high])
    curvature = spline.derivative(2)(ends)
    values = spline(np.clip(x, low, high))
    slopes = spline.derivative(1)(ends)
    for end, slope, beyond in ((low, slopes[0], x < low), (high, slopes[1], x > high)):
        if beyond.any():
            values[beyond] += np.outer(x[beyond] - end, slope)
    first = 0 if intercept else 1
    q, _ = np.linalg.qr(curvature[:, first:].T, mode="complete")
    return np.asarray(values[:, first:] @ q[:, 2:], dtype=float)
