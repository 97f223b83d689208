"""Residual parameters as arithmetic over entries of the residual covariance matrix.

An autoregression has a correlation for its parameter, a structural equation model has covariances:
each is written here by the other, ``c2 == c1**2/v`` and ``rho = c1/v``, for any spacing of times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from growthmm.model.residual import ResidualStructure
from growthmm.notation.sem.text import number_text

__all__ = ["Bases", "bases", "entry_text", "parameter_texts"]

Cell = tuple[int, int]
Spelling = Callable[[Cell], str]
"""The name of the SEM's parameter in a cell (j, k), j <= k."""

NEAR = 1e-9
STEPS = 16


@dataclass(frozen=True, slots=True)
class Bases:
    """The cells whose covariances are parameters; all others follow from them.

    Parameters
    ----------
    cells : tuple of (int, int)
        One cell, or two for an autoregression plus a common variance.
    distances : tuple of float
        The time between their occasions.
    """

    cells: tuple[Cell, ...]
    distances: tuple[float, ...]


def bases(structure: ResidualStructure, occasions: tuple[float, ...]) -> Bases:
    """The cells that a structure's covariances are computed from; none where all are free."""
    pairs = list(combinations(range(len(occasions)), 2))
    if structure.kind not in ("ar1", "ar1+common", "arh1", "csh") or not pairs:
        return Bases((), ())
    by_distance: dict[float, Cell] = {}
    for j, k in pairs:
        by_distance.setdefault(round(abs(occasions[k] - occasions[j]), 9), (j, k))
    distances = sorted(by_distance)
    if structure.kind == "csh":
        return Bases(((0, 1),), (1.0,))
    if structure.kind == "ar1+common":
        if len(distances) < 2:
            return Bases((by_distance[distances[0]],), (distances[0],))
        first, second = _two(distances)
        return Bases((by_distance[first], by_distance[second]), (first, second))
    unit = _unit(distances)
    # An odd number of units tells the sign of the correlation.
    odd = [d for d in distances if unit and round(d / unit) % 2]
    chosen = odd[0] if odd else distances[0]
    return Bases((by_distance[chosen],), (chosen,))


def _two(distances: list[float]) -> tuple[float, float]:
    """Two distances from which the others are few whole steps away, else the nearest and farthest.

    Between these powers are fractions, and never large.
    """
    for first, second in combinations(distances, 2):
        steps = [(d - first) / (second - first) for d in distances]
        if all(abs(step - round(step)) < NEAR and abs(step) <= STEPS for step in steps):
            return first, second
    return distances[0], distances[-1]


def _unit(distances: list[float]) -> float:
    """The largest time of which all distances are whole multiples, 0 where there is none."""
    rest, step = distances[0], 0.0
    for distance in distances:
        larger, smaller = max(rest, distance), min(rest, distance)
        while smaller > 1e-6 * distances[-1]:
            larger, smaller = smaller, larger % smaller
            if larger - smaller < 1e-6 * distances[-1]:
                smaller = 0.0
        rest = larger
    step = rest
    whole = all(abs(d / step - round(d / step)) < 1e-6 for d in distances)
    return step if whole and distances[-1] / step < 1e4 else 0.0


def entry_text(
    structure: ResidualStructure, occasions: tuple[float, ...], cell: Cell, name: Spelling
) -> str | None:
    """The covariance in a cell, by the variances and base covariances; None where it is one."""
    base = bases(structure, occasions)
    j, k = cell
    if not base.cells or j == k:
        return None
    distance = abs(occasions[k] - occasions[j])
    if structure.kind == "ar1+common":
        if any(abs(distance - known) < NEAR for known in base.distances):
            return None
        first, second = (name(c) for c in base.cells)
        exponent = (distance - base.distances[0]) / (base.distances[1] - base.distances[0])
        return _product(second, first, exponent)
    own = base.cells[0]
    if structure.kind == "ar1":
        if abs(distance - base.distances[0]) < NEAR:
            return None
        return _decayed(name(own), name((j, j)), distance / base.distances[0], occasions, base)
    if cell == own:
        return None
    scale = f"sqrt({name((own[0], own[0]))}*{name((own[1], own[1]))})"
    mine = f"sqrt({name((j, j))}*{name((k, k))})"
    exponent = 1.0 if structure.kind == "csh" else distance / base.distances[0]
    if abs(exponent - 1.0) < NEAR:
        return f"{name(own)}*{mine}/{scale}"
    ratio = f"({name(own)}/{scale})"
    return f"{_even_safe(ratio, exponent, occasions, base)}*{mine}"


def _decayed(
    base: str, variance: str, exponent: float, occasions: tuple[float, ...], where: Bases
) -> str:
    """``v (c/v)^e``."""
    if abs(exponent - round(exponent)) < NEAR:
        return _product(base, variance, exponent)
    power = _even_safe(base, exponent, occasions, where)
    return f"{power}*{_power(variance, 1.0 - exponent)}"


def _even_safe(base: str, exponent: float, occasions: tuple[float, ...], where: Bases) -> str:
    """A power of a quantity that may be negative where an even and an odd number of units meet."""
    if abs(exponent - round(exponent)) < NEAR:
        return _power(base, exponent)
    unit = _unit(sorted({round(abs(b - a), 9) for a, b in combinations(occasions, 2)}))
    if not unit or round(where.distances[0] / unit) % 2 == 0:
        return _power(base, exponent)
    square = f"({base}**2)"
    if round(exponent * where.distances[0] / unit) % 2 == 0:
        return _power(square, exponent / 2)
    return f"{base}*{_power(square, (exponent - 1) / 2)}"


def _product(up: str, down: str, exponent: float) -> str:
    """``up^e down^(1-e)``."""
    if abs(exponent - round(exponent)) < NEAR:
        whole = round(exponent)
        if whole > 1:
            return f"{_power(up, whole)}/{_power(down, whole - 1)}"
        return f"{_power(down, 1 - whole)}/{_power(up, -whole)}"
    return f"{_power(up, exponent)}*{_power(down, 1.0 - exponent)}"


def _power(base: str, exponent: float) -> str:
    if abs(exponent - round(exponent)) < NEAR:
        exponent = float(round(exponent))
    if exponent == 1.0:
        return base
    shown = number_text(exponent)
    return f"{base}**({shown})" if exponent < 0 else f"{base}**{shown}"


def parameter_texts(
    structure: ResidualStructure, occasions: tuple[float, ...], name: Spelling
) -> tuple[tuple[str, str], ...]:
    """The residual parameters that are no entry of the matrix, as arithmetic over its entries.

    Parameters
    ----------
    structure : ResidualStructure
        The structure.
    occasions : tuple of float
        The times.
    name : callable
        The name of the parameter in a cell.

    Returns
    -------
    tuple of (str, str)
        Growth parameter key and expression.

    Examples
    --------
    >>> cells = {(0, 0): "v", (1, 1): "v", (2, 2): "v", (0, 1): "c1", (1, 2): "c1", (0, 2): "c2"}
    >>> parameter_texts(ResidualStructure("ar1"), (0.0, 1.0, 2.0), cells.__getitem__)
    (('residual:rho', 'c1/v'),)
    >>> parameter_texts(ResidualStructure("ar1+common"), (0.0, 1.0, 2.0), cells.__getitem__)
    (('residual:ar1', 'c1**2/c2'), ('residual:rho', 'c2/c1'), ('residual', 'v - c1**2/c2'))
    """
    base = bases(structure, occasions)
    if structure.kind == "cs" and len(occasions) > 1:
        return (("residual:rho", f"{name((0, 1))}/{name((0, 0))}"),)
    if not base.cells:
        return ()
    (a, b), distance = base.cells[0], base.distances[0]
    if structure.kind == "ar1+common":
        if len(base.cells) < 2:
            return ()
        first, second = name(base.cells[0]), name(base.cells[1])
        gap = base.distances[1] - distance
        rho = _power(f"{second}/{first}" if gap == 1.0 else f"({second}/{first})", 1.0 / gap)
        part = _product(first, second, 1.0 + distance / gap)
        return (
            ("residual:ar1", part),
            ("residual:rho", rho),
            ("residual", f"{name((0, 0))} - {part}"),
        )
    if structure.kind == "ar1":
        ratio = f"{name((a, b))}/{name((a, a))}"
    else:
        ratio = f"{name((a, b))}/sqrt({name((a, a))}*{name((b, b))})"
    if distance == 1.0:
        return (("residual:rho", ratio),)
    unit = _unit(sorted({round(abs(b - a), 9) for a, b in combinations(occasions, 2)}))
    whole = unit > 0 and abs(1.0 / unit - round(1.0 / unit)) < NEAR
    power = _even_safe if whole else _plain
    return (("residual:rho", power(f"({ratio})", 1.0 / distance, occasions, base)),)


def _plain(base: str, exponent: float, occasions: tuple[float, ...], where: Bases) -> str:  # noqa: ARG001
    return _power(base, exponent)
