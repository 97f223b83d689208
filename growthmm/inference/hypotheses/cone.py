"""The likelihood-ratio statistic where parameters under test must form covariance matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.progress import bar

__all__ = ["VanishingBlock", "cone_statistics", "mixture_p_value"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class VanishingBlock:
    """A block of the covariance matrix that is zero under the hypothesis.

    Parameters
    ----------
    size : int
        Rows of the block, which must be positive semi-definite.
    entries : tuple of (int, int, int)
        Row and column, row <= column, and the position of the parameter among those under test.
    """

    size: int
    entries: tuple[tuple[int, int, int], ...]


def mixture_p_value(statistic: float, degrees: Sequence[int]) -> float:
    """Probability of as large a value under an even mixture of chi-squares.

    Adding a random effect to q correlated ones gives ``chi2(q)`` and ``chi2(q + 1)`` with weights
    one half each (Stram & Lee 1994, doi:10.2307/2533455, case 3; Self & Liang 1987,
    doi:10.1080/01621459.1987.10478472, case 6). ``chi2(0)`` is a point at zero.

    Examples
    --------
    >>> round(mixture_p_value(2.705543, (0, 1)), 4), mixture_p_value(0.0, (0, 1))
    (0.05, 1.0)
    """
    from scipy.special import chdtrc

    if statistic <= 0:
        return 1.0
    return float(np.mean([chdtrc(df, statistic) if df else 0.0 for df in degrees]))


def cone_statistics(
    covariance: FloatArray,
    blocks: Sequence[VanishingBlock],
    *,
    n_simulations: int,
    seed: int | np.random.SeedSequence,
) -> FloatArray:
    """Draws from the limiting null distribution of the likelihood-ratio statistic.

    With ``Z ~ N(0, C)`` over the parameters under test the statistic is
    ``Z' C^-1 Z - min (Z - t)' C^-1 (Z - t)`` over the `t` whose blocks are positive semi-definite
    (Self & Liang 1987, doi:10.1080/01621459.1987.10478472; Shapiro 1988, doi:10.2307/1403361).
    The minimum is found by accelerated projected gradients (Beck & Teboulle 2009,
    doi:10.1137/080716542).

    Parameters
    ----------
    covariance : (n_tested, n_tested) ndarray
        `C`: the block, over the parameters under test, of the inverse information of all.
    blocks : sequence of VanishingBlock
        What must be positive semi-definite; other parameters under test are free.
    n_simulations : int
        How many.
    seed : int or SeedSequence
        Of the random numbers.

    Returns
    -------
    (n_simulations,) ndarray

    Examples
    --------
    One variance: half of the draws are zero, the others chi-square with one degree of freedom.

    >>> one = [VanishingBlock(1, ((0, 0, 0),))]
    >>> draws = cone_statistics(np.eye(1), one, n_simulations=4000, seed=1)
    >>> bool(0.48 < np.mean(draws == 0) < 0.52)
    True
    """
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(covariance)
    white = rng.standard_normal((n_simulations, len(covariance)))
    whole = np.einsum("ni,ni->n", white, white)
    at = [place for block in blocks for _, _, place in block.entries]
    units = np.concatenate([_units(covariance, block) for block in blocks])
    own = (white @ root.T)[:, at] * units
    metric = np.asarray(
        np.linalg.inv(covariance[np.ix_(at, at)] * np.outer(units, units)), dtype=float
    )
    return np.asarray(np.maximum(whole - _distances(own, metric, blocks), 0.0), dtype=float)


def _units(covariance: FloatArray, block: VanishingBlock) -> FloatArray:
    """Units in which a block's entries are of like size and lengths are Frobenius norms.

    Rows and columns are multiplied by one number each, which keeps positive matrices positive;
    off-diagonal entries stand twice in the matrix.
    """
    size = {a: covariance[k, k] ** -0.25 for a, b, k in block.entries if a == b}
    return np.array(
        [size[a] * size[b] * (1.0 if a == b else np.sqrt(2.0)) for a, b, _ in block.entries]
    )


def _distances(
    points: FloatArray, metric: FloatArray, blocks: Sequence[VanishingBlock]
) -> FloatArray:
    """Squared distances of points from the cone, in the metric."""
    step = 1.0 / float(np.linalg.eigvalsh(metric)[-1])
    nearest = _project(points, blocks)
    left = np.flatnonzero(np.any(nearest != points, axis=1))
    current = ahead = nearest[left]
    momentum = 1.0
    with bar("null distribution", len(points)) as advance:
        for _ in range(5000):
            if not len(left):
                break
            following = _project(ahead - step * (ahead - points[left]) @ metric, blocks)
            move = following - current
            faster = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
            done = np.abs(move).max(axis=1) < 1e-8 * (1.0 + np.abs(points[left]).max(axis=1))
            # Where the move turns back the momentum is dropped (O'Donoghue & Candes 2015).
            forward = np.einsum("ni,ni->n", ahead - following, move) <= 0
            ahead = following + ((momentum - 1.0) / faster * forward)[:, None] * move
            nearest[left[done]] = following[done]
            left, current, ahead = left[~done], following[~done], ahead[~done]
            momentum = faster
            advance(len(points) - len(left))
    nearest[left] = current
    gap = points - nearest
    return np.asarray(np.einsum("ni,ij,nj->n", gap, metric, gap), dtype=float)


def _project(points: FloatArray, blocks: Sequence[VanishingBlock]) -> FloatArray:
    """The nearest points whose blocks are positive semi-definite."""
    out = np.empty_like(points)
    start = 0
    for block in blocks:
        width = len(block.entries)
        part = points[:, start : start + width]
        if block.size == 1:
            out[:, start : start + width] = np.maximum(part, 0.0)
            start += width
            continue
        matrices = np.zeros((len(points), block.size, block.size))
        for k, (a, b, _) in enumerate(block.entries):
            matrices[:, a, b] = matrices[:, b, a] = part[:, k] / (1.0 if a == b else np.sqrt(2.0))
        values, vectors = np.linalg.eigh(matrices)
        made = (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.transpose(0, 2, 1)
        positive = values[:, 0] >= 0
        for k, (a, b, _) in enumerate(block.entries):
            entry = made[:, a, b] * (1.0 if a == b else np.sqrt(2.0))
            out[:, start + k] = np.where(positive, part[:, k], entry)
        start += width
    return out
