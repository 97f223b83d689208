"""Coordinates for a profile: one function of the parameters held, the others free.

Under positive semi-definite bounds a block of (co)variances is ``L L'`` with the effect concerned
first, so that its standard deviation is ``L_11`` and, for a correlation `r` of the first two,
``(L_21, L_22) = s (r, (1 - r^2)^(1/2))``: every parameter stays quadratic in free coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Chart", "Target", "chart"]

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]


@dataclass(frozen=True)
class Block:
    """A covariance matrix all of whose entries are free parameters.

    Parameters
    ----------
    places : (size, size) tuple of tuples of int
        Position of each entry among the parameters.
    """

    places: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """Rows."""
        return len(self.places)

    def ordered(self, first: tuple[int, ...]) -> Block:
        """With the rows `first` before the others."""
        order = [*first, *(k for k in range(self.size) if k not in first)]
        return Block(tuple(tuple(self.places[a][b] for b in order) for a in order))


@dataclass(frozen=True)
class Target:
    """What is profiled.

    Parameters
    ----------
    kind : {"parameter", "sd", "correlation"}
        A parameter itself; the standard deviation of a block's row; the correlation of two.
    place : int
        Position of the parameter (of the variance, of the covariance).
    block : int or None
        Which block, for the other kinds.
    rows : tuple of int
        Rows within the block.
    variances : tuple of int
        For a correlation, the positions of the two variances.
    """

    kind: str
    place: int
    block: int | None = None
    rows: tuple[int, ...] = ()
    variances: tuple[int, ...] = ()

    def value(self, values: FloatArray) -> float:
        """Its value at given parameters."""
        if self.kind == "correlation":
            a, b = (values[k] for k in self.variances)
            return float(values[self.place] / np.sqrt(a * b))
        return float(np.sqrt(values[self.place]) if self.kind == "sd" else values[self.place])


@dataclass(frozen=True)
class Chart:
    """Parameters as functions of free coordinates, the target held at a value.

    Parameters
    ----------
    constant, linear, quadratic : ndarray
        ``constant + linear @ x + x' quadratic x / 2``, (n,), (n, m) and (n, m, m).
    bent : tuple of (int, int, int, float), optional
        A covariance that is ``r sqrt(v_a v_b)``: its position, the coordinates of the two
        variances, and `r`.
    """

    constant: FloatArray
    linear: FloatArray
    quadratic: FloatArray
    bent: tuple[int, int, int, float] | None = None

    def values(self, x: FloatArray) -> FloatArray:
        """The parameters."""
        out = self.constant + self.linear @ x + 0.5 * (self.quadratic @ x) @ x
        if self.bent is not None:
            place, a, b, r = self.bent
            out[place] = r * np.sqrt(x[a] * x[b]) if x[a] > 0 and x[b] > 0 else np.nan
        return np.asarray(out, dtype=float)

    def pulled(self, objective: Objective) -> Objective:
        """The objective as a function of the coordinates."""

        def inner(x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            values = self.values(x)
            m = len(x)
            if not np.all(np.isfinite(values)):
                return -np.inf, np.zeros(m), np.zeros((m, m))
            value, gradient, hessian = objective(values)
            slope = self.linear + self.quadratic @ x
            curve = np.tensordot(gradient, self.quadratic, axes=1)
            if self.bent is not None:
                place, a, b, _ = self.bent
                c = values[place]
                slope = slope.copy()
                slope[place, a], slope[place, b] = 0.5 * c / x[a], 0.5 * c / x[b]
                curve = curve.copy()
                curve[a, a] -= 0.25 * gradient[place] * c / x[a] ** 2
                curve[b, b] -= 0.25 * gradient[place] * c / x[b] ** 2
                curve[a, b] += 0.25 * gradient[place] * c / (x[a] * x[b])
                curve[b, a] += 0.25 * gradient[place] * c / (x[a] * x[b])
            return value, slope.T @ gradient, slope.T @ hessian @ slope + curve

        return inner


def chart(
    target: Target | None, at: float, blocks: tuple[Block, ...], start: FloatArray
) -> tuple[Chart, FloatArray]:
    """Coordinates with the target held, and the free ones nearest to given parameters.

    Parameters
    ----------
    target : Target or None
        What is held; nothing where None.
    at : float
        At which value.
    blocks : tuple of Block
        Matrices that stay positive semi-definite.
    start : (n,) ndarray
        Parameters.
    """
    n = len(start)
    inside = {k for block in blocks for row in block.places for k in row}
    place_held = target.place if target is not None else -1
    plain = [k for k in range(n) if k not in inside and k != place_held]
    x: list[float] = [float(start[k]) for k in plain]
    m = len(plain) + sum(b.size * (b.size + 1) // 2 for b in blocks) + n
    constant = np.zeros(n)
    linear, quadratic = np.zeros((n, m)), np.zeros((n, m, m))
    linear[plain, np.arange(len(plain))] = 1.0
    for index, block in enumerate(blocks):
        held = target if target is not None and target.block == index else None
        own = block if held is None else block.ordered(held.rows)
        root = _root(np.array([[start[k] for k in row] for row in own.places]))
        factor = _factor(root, held, at, x, m)
        for a in range(own.size):
            for b in range(a + 1):
                left, right = factor[a], factor[b]
                # Row 0 of a factor's coefficients is the constant.
                place = own.places[a][b]
                product = np.einsum("ci,cj->ij", left, right)
                product = product + product.T
                constant[place] = 0.5 * product[0, 0]
                linear[place] = product[0, 1:]
                quadratic[place] = product[1:, 1:]
    bent = None
    if target is None or target.block is not None:
        pass
    elif target.kind == "correlation":
        a, b = (plain.index(k) for k in target.variances)
        bent = (target.place, a, b, at)
    else:
        constant[target.place] = at**2 if target.kind == "sd" else at
    size = len(x)
    made = Chart(constant, linear[:, :size], quadratic[:, :size, :size], bent)
    return made, np.array(x)


def _root(matrix: FloatArray) -> FloatArray:
    """Lower triangular root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    lower: FloatArray = np.asarray(np.linalg.qr(root.T, mode="r")).T
    return lower * np.where(np.diag(lower) < 0, -1.0, 1.0)


def _factor(root: FloatArray, held: Target | None, at: float, x: list[float], m: int) -> FloatArray:
    """Entries of L as (row, column, 1 + coordinate) coefficients; appends coordinates to `x`."""
    size = len(root)
    out = np.zeros((size, size, m + 1))
    for a in range(size):
        for b in range(a + 1):
            if held is not None and held.kind == "sd" and (a, b) == (0, 0):
                out[0, 0, 0] = at
                continue
            if held is not None and held.kind == "correlation" and a == 1:
                if b == 0:
                    x.append(float(np.hypot(root[1, 0], root[1, 1])))
                    out[1, 0, len(x)] = at
                    out[1, 1, len(x)] = np.sqrt(max(1.0 - at**2, 0.0))
                continue
            x.append(float(root[a, b]))
            out[a, b, len(x)] = 1.0
    return out
