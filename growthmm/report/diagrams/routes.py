"""Ways for the arrows of a path diagram: around variables, and loops where there is room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import atan2, cos, hypot, pi, sin

import numpy as np

from growthmm.report.diagrams.curves import Arrow, Box, Point

__all__ = ["around", "crossed", "loop_of_factor", "loop_of_outcome"]

CLEAR = 3.0
"""Pixels by which an arrow keeps off the variables that it passes."""

BENDS = tuple(
    sign * size for size in (30, 60, 90, 120, 160, 200, 260, 320, 400) for sign in (1, -1)
)
"""Pixels by which an arrow in the way of a variable is bent, tried in this order."""

ALONG = np.linspace(0.0, 1.0, 61)

REACH, HALF, WIDE = 44.0, 7.0, 24.0
"""A loop: how far its control points stand out, half its foot, half of their distance."""


def crossed(arrow: Arrow, boxes: Iterable[Box]) -> bool:
    """Whether a curve runs through any of some boxes.

    Parameters
    ----------
    arrow : Arrow
        The curve.
    boxes : iterable of Box
        Without those where it begins and ends.
    """
    edges = np.array([(b.x, b.y, b.x + b.width, b.y + b.height) for b in boxes])
    if not len(edges):
        return False
    low, high = edges[:, :2] - CLEAR, edges[:, 2:] + CLEAR
    points = arrow.at(ALONG)[:, None, :]
    return bool(np.any(np.all((low < points) & (points < high), axis=2)))


def around(arrow: Arrow, boxes: Sequence[Box]) -> Arrow:
    """The arrow, bent as little as keeps it off the boxes; as it is where no bend does.

    Parameters
    ----------
    arrow : Arrow
        The arrow.
    boxes : sequence of Box
        The variables that it neither leaves nor reaches.
    """
    if not crossed(arrow, boxes):
        return arrow
    a, b, c, d = arrow.points
    length = hypot(d[0] - a[0], d[1] - a[1]) or 1.0
    across = (-(d[1] - a[1]) / length, (d[0] - a[0]) / length)
    for bend in BENDS:
        # Bent in the middle, or early, or late.
        for first, second in ((1.0, 1.0), (1.0, 0.4), (0.4, 1.0)):
            moved = (a, _moved(b, across, first * bend), _moved(c, across, second * bend), d)
            made = replace(arrow, points=moved)
            if not crossed(made, boxes):
                return made
    return arrow


def _moved(point: Point, along: Point, size: float) -> Point:
    return point[0] + along[0] * size, point[1] + along[1] * size


def loop_of_factor(box: Box, ends: Sequence[Point], *, kind: str, free: bool) -> Arrow:
    """A variance on the upper side of a circle, where other arrows are furthest.

    Parameters
    ----------
    box : Box
        The circle.
    ends : sequence of (float, float)
        Where other arrows touch it.
    kind, free
        As in :class:`~growthmm.report.diagrams.curves.Arrow`.
    """
    x, y = box.center
    taken = [atan2(end[1] - y, end[0] - x) for end in ends]
    choices = [-pi * degrees / 180 for degrees in range(90, 25, -10)]
    choices = [side for up in choices for side in (up, -pi - up)]
    angle = max(choices, key=lambda a: round(min((_turn(a, t) for t in taken), default=0.0), 6))
    foot = x + 0.5 * box.width * cos(angle), y + 0.5 * box.height * sin(angle)
    # Upward for the most part, so that a label on it clears the circle.
    out = 0.4 * cos(angle), -1.0
    size = hypot(*out)
    return _loop(foot, (out[0] / size, out[1] / size), kind, free=free)


def _turn(a: float, b: float) -> float:
    """The angle between two directions."""
    return abs((a - b + pi) % (2 * pi) - pi)


def loop_of_outcome(box: Box, ends: Sequence[Point], *, down: bool, kind: str, free: bool) -> Arrow:
    """A variance on the lower (or upper) side of a square, where other arrows are furthest."""
    x, y = box.center[0], box.y + (box.height if down else 0.0)
    room = max(box.width / 2 - HALF - 3.0, 0.0)
    near = [end[0] for end in ends if abs(end[1] - y) < 1.0]
    choices = (0.0, 0.5 * room, -0.5 * room, room, -room)
    shift = max(choices, key=lambda s: round(min((abs(x + s - e) for e in near), default=0.0), 3))
    return _loop((x + shift, y), (0.0, 1.0 if down else -1.0), kind, free=free)


def _loop(foot: Point, out: Point, kind: str, *, free: bool) -> Arrow:
    along = (-out[1], out[0])
    start, end = _moved(foot, along, -HALF), _moved(foot, along, HALF)
    first = _moved(_moved(foot, out, REACH), along, -WIDE)
    second = _moved(_moved(foot, out, REACH), along, WIDE)
    return Arrow((start, first, second, end), kind, free)
