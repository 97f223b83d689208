"""Contrast matrices, and what the two languages call their columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.data.levels import Scalar, level_text

__all__ = ["contrast_matrix", "r_labels"]


def contrast_matrix(kind: str, n_levels: int, reference: int = 0) -> NDArray[np.float64]:
    """The coding of a categorical variable by contrasts.

    Parameters
    ----------
    kind : {"Treatment", "Sum", "Helmert", "Poly"}
        R's ``contr.treatment``, ``contr.sum``, ``contr.helmert``, ``contr.poly``.
    n_levels : int
        Number of levels.
    reference : int
        Position of the reference level (treatment contrasts).

    Returns
    -------
    (n_levels, n_levels - 1) ndarray
        A row for each level.

    Notes
    -----
    Chambers & Hastie (1992), Statistical Models in S, section 2.3.2.

    Examples
    --------
    >>> contrast_matrix("Sum", 3)
    array([[ 1.,  0.],
           [ 0.,  1.],
           [-1., -1.]])
    """
    identity = np.eye(n_levels)
    if kind == "Sum":
        return np.vstack([identity[:-1, :-1], -np.ones((1, n_levels - 1))])
    if kind == "Helmert":
        lower = np.triu(-np.ones((n_levels, n_levels)))[:, 1:]
        rows = np.arange(1, n_levels)
        lower[rows, rows - 1] = rows
        return lower
    if kind == "Poly":
        scores = np.arange(n_levels) - (n_levels - 1) / 2
        q, r = np.linalg.qr(np.vander(scores, n_levels, increasing=True))
        return np.asarray(q[:, 1:] * np.sign(np.diag(r))[1:], dtype=float)
    return np.delete(identity, reference, axis=1)


def r_labels(kind: str, levels: tuple[Scalar, ...], reference: int = 0) -> tuple[str, ...]:
    """What R appends to a factor's name for each contrast.

    Examples
    --------
    >>> r_labels("Treatment", ("a", "b", "c"), 1), r_labels("Sum", ("a", "b", "c"))
    (('a', 'c'), ('1', '2'))
    """
    n = len(levels)
    if kind == "Treatment":
        return tuple(level_text(v) for i, v in enumerate(levels) if i != reference)
    if kind == "Poly":
        first = (".L", ".Q", ".C")
        return tuple(first[i] if i < 3 else f"^{i + 1}" for i in range(n - 1))
    return tuple(str(i + 1) for i in range(n - 1))
