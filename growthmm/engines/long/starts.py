"""Starting values from moments: closed form for balanced data, one scoring step otherwise.

Where statistics are kept person by person, a fit to some of the persons comes first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.nested.statistics import Nested
from growthmm.engines.long.prepared import Prepared
from growthmm.engines.long.products import Products
from growthmm.engines.long.scaling import GOLDEN
from growthmm.engines.long.surface import expected_information, score
from growthmm.engines.long.two_effects import TwoEffects

__all__ = ["sampled", "start_parameters"]

FloatArray = NDArray[np.float64]

SAMPLED_PERSONS = 2_048
SAMPLED_SHARE = 32
MANY_IN_CLOSED_FORM = 50_000
"""Persons from which on a sample saves more than its own search costs."""


def sampled(ready: Prepared) -> Prepared | None:
    """The statistics of some persons, where they are kept person by person and are many."""
    products = ready.products
    if products is None or isinstance(products, Nested):
        return None
    if isinstance(products, Products) and products.design is not None:
        return None
    n = products.n_subjects
    if n < (MANY_IN_CLOSED_FORM if isinstance(products, TwoEffects) else 4 * SAMPLED_PERSONS):
        return None
    m = max(SAMPLED_PERSONS, n // SAMPLED_SHARE)
    fractions = np.arange(1, m + 1) * GOLDEN % 1.0
    chosen = np.unique((fractions * n).astype(np.intp))
    part = products.part(chosen)
    return replace(ready, products=part, n_rows=part.n_rows, n_subjects=part.n_subjects)


def start_parameters(ready: Prepared, estimator: str) -> FloatArray:
    """Internal covariance parameters at which every block is positive definite."""
    found = _balanced(ready, estimator)
    if found is None:
        found = _one_step(ready)
    begin = _inside(ready, found)
    covered = {place for block in ready.blocks for place in block.places}
    if len(covered) < len(begin) and ready.structure.linear and ready.surface(begin) is None:
        # A scoring step of covariances that no block keeps in order can be no covariance matrix.
        begin[len(ready.entries) :] = ready.structure.start(1.0)
    return begin


def _balanced(ready: Prepared, estimator: str) -> FloatArray | None:
    """Everyone has the same design: ``G = cov(b_i) - s (Z'Z)^-1`` (Laird & Ware 1982)."""
    data = ready.products
    if not isinstance(data, Products) or data.factor.shape[2] != 1:
        return None
    if data.spare <= 0 or not ready.entries:
        return None
    factor = data.factor[:, :, 0]
    if not bool(np.all(np.diag(factor) > 0)):
        return None
    p = ready.n_fixed
    total = data.total
    fixed = np.linalg.solve(total[:p, :p], total[:p, p]) if p else np.zeros(0)
    contrast = np.append(-fixed, 1.0)
    n = data.n_subjects
    variance = float(contrast @ data.within @ contrast) / data.spare
    if not variance > 0:
        return None
    vectors = np.tensordot(contrast, data.data, axes=1)
    inverse = np.linalg.inv(factor)
    lost = min(p / len(factor), 0.5 * n) if estimator == "reml" else 0.0
    covariance = (
        inverse.T @ (vectors @ vectors.T / (n - lost) - variance * np.eye(len(factor))) @ inverse
    )
    entries = [covariance[a, b] for a, b in ready.entries]
    return np.array([*entries, variance])


def _one_step(ready: Prepared) -> FloatArray:
    """One scoring step from no random effects (MIVQUE(0), Rao 1971)."""
    k = len(ready.entries)
    parameters, surface = ready.plain, ready.plain_surface
    p = ready.n_fixed
    information = expected_information(surface, "reml")[p:, p:]
    linear = ready.structure.linear
    use = slice(0, k + len(ready.structure.names)) if linear else slice(0, k)
    if information[use, use].size:
        scale = 1.0 / np.sqrt(np.maximum(np.diag(information[use, use]), 1e-300))
        matrix = information[use, use] * np.outer(scale, scale)
        slope = score(surface, "reml")[p:][use] * scale
        parameters[use] += scale * np.linalg.lstsq(matrix, slope, rcond=1e-10)[0]
    return parameters


def _inside(ready: Prepared, parameters: FloatArray) -> FloatArray:
    """Lift every block's eigenvalues off zero."""
    out = parameters.copy()
    for block in ready.blocks:
        matrix = block.matrix(out)
        values, vectors = np.linalg.eigh(matrix)
        residual = block.places[0] >= len(ready.entries)
        floor = max(0.05 * float(np.max(np.abs(values))), 0.1 if residual else 0.02)
        values = np.maximum(values, floor if values[0] <= 0 else min(values[0], floor))
        matrix = (vectors * values) @ vectors.T
        for (a, b), place in zip(block.entries, block.places, strict=True):
            out[place] = matrix[a, b]
    return out
