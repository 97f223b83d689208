"""Random effects of persons and of their clusters, and the clusters' scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.nested.statistics import Nested, cluster_rows
from growthmm.engines.long.nested.surface import Solved, solve_nested
from growthmm.engines.long.prepared import Prepared
from growthmm.engines.long.problem import LongProblem

__all__ = ["cluster_scores", "nested_effects"]

FloatArray = NDArray[np.float64]


def nested_effects(
    problem: LongProblem, ready: Prepared, internal: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Best linear predictions of the effects that act on each person.

    With ``H = (Omega^-1 + sum_i W_i' D_i^-1 W_i)^-1`` a cluster's effects are
    ``H W'D^-1 r`` with conditional covariance ``s H``; a person's are
    ``Gamma Z_i' D_i^-1 (r_i - W_i b_c)``.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    ready : Prepared
        The same, made ready.
    internal : (n_parameters,) ndarray
        Admissible parameters, in internal units.

    Returns
    -------
    modes : (n_subjects, n_random) ndarray
        In the user's units; in the columns of clusters those of the person's cluster.
    covariances : (n_subjects, n_random, n_random) ndarray
        Of both levels' effects together.
    """
    data, found, scale, contrast = _solved(ready, internal)
    k = data.n_fixed + 1
    q = problem.random.shape[1]
    relative = ready.covariance(internal[ready.n_fixed :]) / scale
    between = found.spread @ (found.weighted[:, k:, :k] @ contrast)[..., None]
    wide = found.reduced[:, :, k:]
    own_cluster = between[data.cluster]
    left = (found.reduced[:, :, :k] @ contrast)[..., None] - wide @ own_cluster
    modes = np.zeros((len(data.cluster), q))
    modes[:, data.inner] = (found.inner @ left)[..., 0]
    modes[:, data.outer] = own_cluster[..., 0]
    spread = np.zeros((len(data.cluster), q, q))
    outer = found.spread[data.cluster]
    carried = found.inner @ wide @ outer
    low, high = data.inner, data.outer
    spread[:, high[:, None], high] = outer
    spread[:, low[:, None], high] = -carried
    spread[:, high[:, None], low] = -carried.swapaxes(1, 2)
    spread[:, low[:, None], low] = (
        found.inner
        - found.inner @ found.own @ found.inner
        + carried @ (found.inner @ wide).swapaxes(1, 2)
    )
    back = ready.scaling.unit * ready.scaling.random
    rows = cluster_rows(problem)
    out = np.zeros((problem.n_subjects, q))
    around = np.tile(scale * back @ relative @ back.T, (problem.n_subjects, 1, 1))
    out[rows.person] = modes @ back.T
    around[rows.person] = scale * back @ spread @ back.T
    return out, around


def cluster_scores(ready: Prepared, internal: FloatArray) -> FloatArray:
    """``X_c' V_c^-1 r_c`` of every cluster, (n_clusters, n_fixed), in internal units."""
    data, found, scale, contrast = _solved(ready, internal)
    k = data.n_fixed + 1
    cross = found.weighted[:, :k, :k] + found.weighted[:, :k, k:] @ found.reach[:, k:]
    return np.asarray((cross @ contrast)[:, : data.n_fixed] / scale, dtype=float)


def _solved(ready: Prepared, internal: FloatArray) -> tuple[Nested, Solved, float, FloatArray]:
    assert isinstance(ready.products, Nested)
    p = ready.n_fixed
    scale = float(internal[-1])
    found = solve_nested(ready.products, ready.covariance(internal[p:]) / scale)
    assert found is not None  # the caller has looked
    return ready.products, found, scale, np.append(-internal[:p], 1.0)
