"""Places for the labels of a path diagram, each on its own arrow and none on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.report.diagrams.curves import Arrow, Box
from growthmm.report.text_size import text_width

__all__ = ["placed"]

FloatArray = NDArray[np.float64]
POSITIONS = np.concatenate([[0.5], 0.5 + np.outer(np.arange(1, 15), [0.03, -0.03]).ravel()])
CLOSE = 2.0


def placed(
    arrows: Sequence[Arrow], texts: Sequence[str], taken: Sequence[Box], size: float
) -> list[Box | None] | None:
    """A box on each arrow for its text, or None where there is no room for all of them.

    Of the places on an arrow where a box meets no variable and no other label, the one that
    covers least of other arrows is chosen; arrows with fewest places go first.

    Parameters
    ----------
    arrows : sequence of Arrow
        The arrows.
    texts : sequence of str
        What stands at each; empty where nothing does.
    taken : sequence of Box
        The variables.
    size : float
        Font size.

    Returns
    -------
    list of (Box or None), or None
        None for an arrow without text.
    """
    curves = [arrow.at(np.linspace(0.02, 0.98, 25)) for arrow in arrows]
    blocked = _corners(taken)
    choices: dict[int, FloatArray] = {}
    for k, (arrow, text) in enumerate(zip(arrows, texts, strict=True)):
        if not text:
            continue
        where = np.array([0.5, 0.42, 0.58, 0.34, 0.66]) if arrow.kind == "variance" else POSITIONS
        middle = arrow.at(where)
        half = np.array([text_width(text, size) / 2 + CLOSE, size * 0.5 + CLOSE])
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        free = boxes[~_meets(boxes, blocked).any(axis=1)]
        if not len(free):
            return None
        others = np.concatenate([c for m, c in enumerate(curves) if m != k] or [np.zeros((0, 2))])
        choices[k] = free[np.argsort(_covered(free, others), kind="stable")]
    made: list[Box | None] = [None] * len(arrows)
    used = np.zeros((0, 4))
    for k in sorted(choices, key=lambda k: (len(choices[k]), k)):
        boxes = choices[k]
        free = boxes[~_meets(boxes, used).any(axis=1)]
        if not len(free):
            return None
        x0, y0, x1, y1 = (float(v) for v in free[0])
        made[k] = Box(x0, y0, x1 - x0, y1 - y0)
        used = np.concatenate([used, free[:1]])
    return made


def _corners(boxes: Sequence[Box]) -> FloatArray:
    return np.array([(b.x, b.y, b.x + b.width, b.y + b.height) for b in boxes]).reshape(-1, 4)


def _meets(a: FloatArray, b: FloatArray) -> NDArray[np.bool_]:
    """Which boxes of one list overlap which of another, (n_a, n_b)."""
    a, b = a[:, None, :], b[None, :, :]
    found = (a[..., 0] < b[..., 2]) & (b[..., 0] < a[..., 2])
    return np.asarray(found & (a[..., 1] < b[..., 3]) & (b[..., 1] < a[..., 3]))


def _covered(boxes: FloatArray, points: FloatArray) -> NDArray[np.intp]:
    """How many points each box covers."""
    x, y = points[None, :, 0], points[None, :, 1]
    inside = (boxes[:, :1] < x) & (x < boxes[:, 2:3]) & (boxes[:, 1:2] < y) & (y < boxes[:, 3:4])
    return np.asarray(inside.sum(axis=1))
