"""The likelihood's surface for any residual structure: one covariance matrix a pattern.

With ``V = L L'``, ``W~ = L^-1 [X, y]`` and ``T_a = L^-1 V_a L^-T`` every derivative is a sum of
products of ``W~``, ``T_a W~`` and traces (Wolfinger, Tobias & Sall 1994,
doi:10.1137/0915079).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.patterns import Batch, Patterns
from growthmm.engines.long.residual_structures.base import Pattern, Structure
from growthmm.engines.long.surface import Surface, solve_fixed

__all__ = ["Whitened", "dense_surface", "pattern_covariance", "whitened"]

FloatArray = NDArray[np.float64]
Entries = tuple[tuple[int, int], ...]

CHUNK_VALUES = 400_000


@dataclass(frozen=True)
class Whitened:
    """A batch seen through the Cholesky factors of its covariance matrices.

    Parameters
    ----------
    counts : (n_patterns,) ndarray
        Persons of each pattern.
    inverse : (n_patterns, n_times, n_times) ndarray
        ``L^-1``.
    log_det : (n_patterns,) ndarray
        ``log|V|``.
    data : (n_patterns, n_times, n_vectors, n_fixed + 1) ndarray
        ``L^-1 [X, y]``.
    slopes : (n_covariance, n_patterns, n_times, n_times) ndarray
        ``T_a``.
    curves : tuple of ((int, int), ndarray)
        ``L^-1 V_ab L^-T`` where it is not zero, a <= b.
    """

    counts: FloatArray
    inverse: FloatArray
    log_det: FloatArray
    data: FloatArray
    slopes: FloatArray
    curves: tuple[tuple[tuple[int, int], FloatArray], ...]


def pattern_covariance(
    design: FloatArray, covariance: FloatArray, matrix: FloatArray
) -> FloatArray:
    """``Z G Z' + R`` over patterns."""
    return np.asarray(design @ covariance @ design.transpose(0, 2, 1) + matrix, dtype=float)


def whitened(
    patterns: Patterns,
    structure: Structure,
    covariance: FloatArray,
    parameters: FloatArray,
    entries: Entries,
) -> Iterator[Whitened | None]:
    """Batches, in pieces that stay in cache; None where a matrix is not positive definite."""
    for batch in patterns.batches:
        g, n, m, c = batch.data.shape
        k = len(entries) + len(parameters)
        step = max(1, CHUNK_VALUES // (n * (m * c + k * n)))
        for low in range(0, g, step):
            yield _whiten(
                _piece(batch, slice(low, low + step)), structure, covariance, parameters, entries
            )


def _piece(batch: Batch, part: slice) -> Batch:
    pattern = Pattern(batch.pattern.occasion[part], batch.pattern.stratum[part])
    return Batch(batch.design[part], batch.data[part], batch.counts[part], pattern)


def _whiten(
    batch: Batch,
    structure: Structure,
    covariance: FloatArray,
    parameters: FloatArray,
    entries: Entries,
) -> Whitened | None:
    own = structure.evaluate(parameters, batch.pattern)
    if own is None:
        return None
    try:
        lower = np.linalg.cholesky(pattern_covariance(batch.design, covariance, own.matrix))
    except np.linalg.LinAlgError:
        return None
    inverse = np.linalg.inv(lower)
    turned = inverse @ batch.design
    g, n, m, c = batch.data.shape
    slopes = np.empty((len(entries) + len(own.first), g, n, n))
    for index, (a, b) in enumerate(entries):
        outer = turned[:, :, a, None] * turned[:, None, :, b]
        slopes[index] = outer if a == b else outer + outer.transpose(0, 2, 1)
    back = inverse.transpose(0, 2, 1)
    slopes[len(entries) :] = inverse @ own.first @ back
    shift = len(entries)
    curves = tuple(
        ((a + shift, b + shift), inverse @ matrix @ back) for (a, b), matrix in own.second
    )
    data = (inverse @ batch.data.reshape(g, n, m * c)).reshape(g, n, m, c)
    log_det = 2.0 * np.sum(np.log(np.einsum("gii->gi", lower)), axis=1)
    return Whitened(batch.counts, inverse, log_det, data, slopes, curves)


def dense_surface(
    patterns: Patterns,
    structure: Structure,
    covariance: FloatArray,
    parameters: FloatArray,
    entries: Entries,
    *,
    fixed: FloatArray | None = None,
) -> Surface | None:
    """The surface at one covariance; None where some person's `V` is not positive definite.

    Parameters
    ----------
    patterns : Patterns
        The data.
    structure : Structure
        The residual structure.
    covariance : (n_random, n_random) ndarray
        `G`, not necessarily positive semi-definite.
    parameters : (n_residual,) ndarray
        The structure's parameters.
    entries : tuple of (int, int)
        Free entries of `G`.
    fixed : (n_fixed,) ndarray, optional
        Fixed effects; generalised least squares where None.
    """
    pieces: list[Whitened] = []
    k = len(entries) + len(parameters)
    c = patterns.batches[0].data.shape[3]
    cross, d_cross = np.zeros((c, c)), np.zeros((k, c, c))
    log_det, d_log_det = 0.0, np.zeros(k)
    traces, curved = np.zeros((k, k)), np.zeros((k, k))
    for piece in whitened(patterns, structure, covariance, parameters, entries):
        if piece is None:
            return None
        pieces.append(piece)
        flat = piece.data.reshape(-1, c)
        cross += flat.T @ flat
        g, n, m, _ = piece.data.shape
        turned = piece.slopes @ piece.data.reshape(g, n, m * c)
        d_cross -= np.tensordot(turned.reshape(k, -1, c).transpose(0, 2, 1), flat, axes=1)
        log_det += float(piece.counts @ piece.log_det)
        d_log_det += np.einsum("agii,g->a", piece.slopes, piece.counts)
        rooted = (piece.slopes * np.sqrt(piece.counts)[:, None, None]).reshape(k, -1)
        traces += rooted @ rooted.T
        for (a, b), matrix in piece.curves:
            value = float(np.einsum("gii,g->", matrix, piece.counts))
            curved[a, b] += value
            curved[b, a] += value if a != b else 0.0
    solved = solve_fixed(cross)
    if solved is None:
        return None
    best, gls, log_det_gls = solved
    fixed = best if fixed is None else fixed
    residual, of_fixed, restricted = _second_orders(pieces, fixed, gls, k)
    return Surface(
        n_rows=patterns.n_rows,
        cross=cross,
        log_det=log_det,
        fixed=fixed,
        gls=gls,
        log_det_gls=log_det_gls,
        d_cross=d_cross,
        d_log_det=d_log_det,
        dd_log_det=curved - traces,
        dd_residual=residual,
        dd_fixed=of_fixed,
        traces=traces,
        restricted_traces=restricted,
    )


def _second_orders(
    pieces: list[Whitened], fixed: FloatArray, gls: FloatArray, k: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Second derivatives of ``r'V^-1r`` and ``tr(gls X'V^-1X)``, and half of the latter's squares.

    Returns
    -------
    residual, of_fixed, restricted : (n_covariance, n_covariance) ndarray
    """
    p = len(fixed)
    contrast = np.append(-fixed, 1.0)
    root = np.linalg.cholesky(gls) if p else np.zeros((0, 0))
    residual, squares = np.zeros((k, k)), np.zeros((k, k))
    bent = np.zeros((k, k))
    for piece in pieces:
        g, n, m, _ = piece.data.shape
        left = piece.data @ contrast
        columns = (piece.data[..., :p] @ root).reshape(g, n, m * p)
        turned = (piece.slopes @ left).reshape(k, -1)
        residual += 2.0 * turned @ turned.T
        spread = (piece.slopes @ columns).reshape(k, -1)
        squares += spread @ spread.T
        for (a, b), matrix in piece.curves:
            of_residual = -float(np.sum(left * (matrix @ left)))
            of_columns = -float(np.sum(columns * (matrix @ columns)))
            for i, j in {(a, b), (b, a)}:
                residual[i, j] += of_residual
                bent[i, j] += of_columns
    return residual, 2.0 * squares + bent, squares
