"""The shapes of a path diagram: boxes, and arrows as cubic Bézier curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import hypot

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrow", "Box", "Point", "arc", "arc_height", "below", "straight"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its upper left corner and its sides."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> Point:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def overlaps(self, other: Box) -> bool:
        """Whether the two have more than an edge in common."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def holds(self, point: Point) -> bool:
        """Whether a point is within, or on an edge."""
        x, y = point
        return (
            self.x - 1.0 <= x <= self.x + self.width + 1.0
            and self.y - 1.0 <= y <= self.y + self.height + 1.0
        )

    def moved(self, dx: float, dy: float) -> Box:
        """The same rectangle elsewhere."""
        return Box(self.x + dx, self.y + dy, self.width, self.height)


@dataclass(frozen=True)
class Arrow:
    """A path as a cubic Bézier curve.

    Parameters
    ----------
    points : tuple of (float, float)
        Start, two control points, end.
    kind : str
        As in the model's graph: loading, regression, mean, variance, covariance.
    free : bool
        Whether it is estimated.
    """

    points: tuple[Point, Point, Point, Point]
    kind: str
    free: bool

    @property
    def two_headed(self) -> bool:
        """Whether it is a variance or covariance."""
        return self.kind in ("variance", "covariance")

    @cached_property
    def bounds(self) -> Box:
        """The rectangle around the curve."""
        curve = self.at(np.linspace(0.0, 1.0, 33))
        low, high = curve.min(axis=0), curve.max(axis=0)
        return Box(float(low[0]), float(low[1]), *(float(v) for v in high - low))

    def at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the curve, (n, 2), at positions 0 to 1."""
        a, b, c, d = (np.asarray(p) for p in self.points)
        t = t[:, None]
        u = 1 - t
        return np.asarray(u**3 * a + 3 * u**2 * t * b + 3 * u * t**2 * c + t**3 * d)

    def moved(self, dx: float, dy: float) -> Arrow:
        """The same arrow elsewhere."""
        a, b, c, d = ((x + dx, y + dy) for x, y in self.points)
        return replace(self, points=(a, b, c, d))


def straight(a: Box, b: Box, from_: str, to: str, *, kind: str, free: bool) -> Arrow:
    """A straight arrow between the edges of two shapes."""
    return _line(_edge(a, b.center, from_), _edge(b, a.center, to), kind, free)


def below(a: Box, b: Box, from_: str, port: float, *, free: bool) -> Arrow:
    """A loading: from a factor's edge to its own place (-1 to 1) on the top of an outcome."""
    end = (b.center[0] + 0.36 * port * b.width, b.y)
    return _line(_edge(a, end, from_), end, "loading", free)


def arc_height(apart: float, *, down: bool) -> float:
    """How far the control points of an arc stand off its row; the curve reaches 3/4 of it."""
    return (52.0 if down else 40.0) + 34.0 * apart


def arc(a: Box, b: Box, apart: float, *, down: bool, kind: str, free: bool) -> Arrow:
    """A curved arrow between two shapes of one row, higher the further they are apart."""
    sign = 1.0 if down else -1.0
    y = a.y + (a.height if down else 0.0)
    side = 0.22 if b.x > a.x else -0.22
    start = (a.center[0] + side * a.width, y)
    end = (b.center[0] - side * b.width, y)
    height = arc_height(apart, down=down)
    lean = 0.12 * (end[0] - start[0])
    controls = (start[0] + lean, y + sign * height), (end[0] - lean, y + sign * height)
    return Arrow((start, *controls, end), kind, free)


def _line(start: Point, end: Point, kind: str, free: bool) -> Arrow:
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    first = (start[0] + third[0], start[1] + third[1])
    second = (end[0] - third[0], end[1] - third[1])
    return Arrow((start, first, second, end), kind, free)


def _edge(box: Box, toward: Point, kind: str) -> Point:
    """Where the line from a shape's middle to a point leaves the shape."""
    x, y = box.center
    dx, dy = toward[0] - x, toward[1] - y
    if kind == "latent":
        # An ellipse.
        scale = 1 / max(hypot(2 * dx / box.width, 2 * dy / box.height), 1e-9)
    elif kind == "constant" and dy > 0:
        # The base of the triangle, or its sides, which near it are steep.
        scale = min(box.height / 2 / max(dy, 1e-9), box.width / 2 / max(abs(dx), 1e-9))
    elif kind == "constant":
        return x, box.y
    else:
        scale = min(
            box.width / 2 / max(abs(dx), 1e-9),
            box.height / 2 / max(abs(dy), 1e-9),
        )
    return x + scale * dx, y + scale * dy
