"""Sufficient statistics of persons within clusters.

A cell is the persons of one cluster with one pattern of missing outcomes; of it only sums are
needed, since sums of products are needed only over all persons of a pattern.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup, WideMoments
from growthmm.engines.wide.ram import Ram
from growthmm.engines.wide.statistics import Cells, collect, persons, reach
from growthmm.errors import DataError, TooFewSubjectsError, UnsupportedEngineError

__all__ = ["Levels", "collect_levels"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Levels:
    """Moments about a centre, by pattern and by cell.

    Parameters
    ----------
    observed : (n_patterns, T) ndarray of bool
        The patterns.
    n : (n_patterns,) ndarray
        Persons of each.
    ww, yw, yy : ndarray
        Sums of products of regressors and outcomes by pattern: (n_patterns, 1 + q, 1 + q),
        (n_patterns, T, 1 + q) and (n_patterns, T, T).
    pattern : (n_cells,) ndarray of int
        The pattern of each cell, cells cluster by cluster.
    count : (n_cells,) ndarray
        Persons of each cell.
    w, y : (n_cells, 1 + q) and (n_cells, T) ndarray
        Their sums of regressors and outcomes.
    first : (n_clusters,) ndarray of int
        First cell of each cluster.
    centre : (T,) ndarray
        What was taken off each outcome.
    transform : (1 + q, 1 + q) ndarray
        ``w = transform @ w_centred``.
    """

    observed: BoolArray
    n: FloatArray
    ww: FloatArray
    yw: FloatArray
    yy: FloatArray
    pattern: IntArray
    count: FloatArray
    w: FloatArray
    y: FloatArray
    first: IntArray
    centre: FloatArray
    transform: FloatArray

    @property
    def n_subjects(self) -> int:
        """Persons with at least one outcome."""
        return int(self.n.sum())

    @property
    def n_rows(self) -> int:
        """Outcome values."""
        return int((self.observed.sum(axis=1) * self.n).sum())

    @property
    def cluster(self) -> IntArray:
        """Cluster of each cell."""
        sizes = np.diff(np.append(self.first, len(self.pattern)))
        return np.repeat(np.arange(len(self.first)), sizes)

    def by_cluster(self, values: FloatArray) -> FloatArray:
        """Sums over the cells of each cluster."""
        return np.asarray(np.add.reduceat(values, self.first, axis=0), dtype=float)

    def by_pattern(self, values: FloatArray) -> FloatArray:
        """Sums over the cells of each pattern."""
        out = np.zeros((len(self.n), *values.shape[1:]))
        np.add.at(out, self.pattern, values)
        return out


def collect_levels(
    within: Ram, between: Ram, data: WideGroup | WideMoments
) -> tuple[Levels, Cells, Cells]:
    """Statistics for the likelihood, and each level's own rough moments.

    Parameters
    ----------
    within, between : Ram
        Matrices of the two levels.
    data : WideGroup or WideMoments
        Persons with their clusters.

    Returns
    -------
    levels : Levels
        Exact, for the likelihood.
    inside, across : Cells
        Moments about the clusters' means, and of these means.

    Raises
    ------
    UnsupportedEngineError
        If the model has definition variables, or the data are moments without clusters.
    DataError
        If a covariate of clusters differs within one.
    TooFewSubjectsError
        If nobody has an outcome, or there are fewer than two clusters.
    """
    if not isinstance(data, WideGroup) or data.clusters is None:
        raise UnsupportedEngineError(
            "A model of two levels needs persons and the cluster of each.",
            hint="Give the rows of the data, with the column of clusters.",
        )
    if within.definitions or between.definitions:
        raise UnsupportedEngineError(
            "Definition variables are fitted in models of one level alone.",
            hint="Give the variable as a time-varying covariate, or use the long form.",
        )
    rows = persons(within, data)
    acts = (reach(between)[0] | reach(within)[0])[:, : within.n_outcomes]
    observed = rows.observed & ~(~rows.known @ acts)
    keep = observed.any(axis=1)
    codes, clusters = np.unique(np.asarray(data.clusters)[keep], return_inverse=True)
    if len(codes) < 2:
        raise TooFewSubjectsError(
            f"{len(codes)} cluster has persons with outcomes.",
            hint="A model of two levels needs several clusters.",
        )
    y, seen, w = np.where(observed, rows.outcomes, 0.0)[keep], observed[keep], rows.regressors[keep]
    clusters = clusters.reshape(-1)
    _check_constant(between, w, clusters)
    centre = y.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    transform = np.eye(w.shape[1])
    transform[1:, 0] = w[:, 1:].mean(axis=0)
    x = w.copy()
    x[:, 1:] -= transform[1:, 0]
    y = np.where(seen, y - centre, 0.0)
    levels = _levels(x, y, seen, clusters, centre=centre, transform=transform)
    inside, across = _apart(rows.regressors[keep], y, seen, clusters)
    return levels, collect(within, inside), collect(between, across)


def _levels(
    x: FloatArray,
    y: FloatArray,
    seen: BoolArray,
    clusters: IntArray,
    *,
    centre: FloatArray,
    transform: FloatArray,
) -> Levels:
    patterns, label = np.unique(seen, axis=0, return_inverse=True)
    label = label.reshape(-1)
    key = clusters * len(patterns) + label
    cells, place = np.unique(key, return_inverse=True)
    place = place.reshape(-1)
    joined = np.hstack([x, y])
    sums = np.zeros((len(cells), joined.shape[1]))
    np.add.at(sums, place, joined)
    product = np.stack([joined[label == p].T @ joined[label == p] for p in range(len(patterns))])
    k = x.shape[1]
    owner = cells // len(patterns)
    return Levels(
        observed=np.asarray(patterns, dtype=bool),
        n=np.bincount(label).astype(float),
        ww=product[:, :k, :k],
        yw=product[:, k:, :k],
        yy=product[:, k:, k:],
        pattern=(cells % len(patterns)).astype(np.intp),
        count=np.bincount(place).astype(float),
        w=sums[:, :k],
        y=sums[:, k:],
        first=np.concatenate([[0], np.flatnonzero(np.diff(owner)) + 1]).astype(np.intp),
        centre=centre,
        transform=transform,
    )


def _check_constant(between: Ram, w: FloatArray, clusters: IntArray) -> None:
    used = np.any(between.k_fixed != 0, axis=0)
    used[between.k.cols] = True
    used[0] = False
    for column in np.flatnonzero(used):
        first = np.zeros(int(clusters.max()) + 1)
        first[clusters[::-1]] = w[::-1, column]
        strange = np.flatnonzero(first[clusters] != w[:, column])
        if len(strange):
            raise DataError(
                f"A covariate at level 2 is {first[clusters[strange[0]]]:g} and "
                f"{w[strange[0], column]:g} for persons of one cluster.",
                hint="Use it at level 1, or its mean over the cluster at level 2.",
            )


def _apart(
    w: FloatArray, y: FloatArray, seen: BoolArray, clusters: IntArray
) -> tuple[WideGroup, WideGroup]:
    """Outcomes about their clusters' means, and these means."""
    n = int(clusters.max()) + 1
    count = np.zeros((n, y.shape[1]))
    total = np.zeros((n, y.shape[1]))
    np.add.at(count, clusters, seen.astype(float))
    np.add.at(total, clusters, y)
    means = total / np.maximum(count, 1.0)
    sizes = np.bincount(clusters)
    regressors = np.zeros((n, w.shape[1] - 1))
    np.add.at(regressors, clusters, w[:, 1:])
    regressors /= sizes[:, None]
    inside = WideGroup(np.where(seen, y - means[clusters], np.nan), w[:, 1:] - regressors[clusters])
    return inside, WideGroup(np.where(count > 0, means, np.nan), regressors)
