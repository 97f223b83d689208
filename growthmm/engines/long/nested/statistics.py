"""Statistics of persons within clusters: cross-products a person, and their sums a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.rows import transformed
from growthmm.engines.long.scaling import Scaling
from growthmm.errors import DataError, NotIdentifiedError, UnsupportedEngineError

__all__ = ["Nested", "check_nested", "cluster_rows", "collect_nested"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Nested:
    """What the likelihood needs of persons within clusters, in internal units.

    With ``A_i = [X_i, y_i, W_i]``, `Z` the random-effects design of persons and `W` that of
    clusters, persons stand cluster by cluster.

    Parameters
    ----------
    inner, outer : (n_inner,) and (n_outer,) ndarray of int
        Columns of `Z` and of `W` in the problem's random-effects design.
    root : (n_present, n_inner, n_inner) ndarray
        ``Z_i'Z_i = root root'``.
    turned : (n_present, n_inner, m) ndarray
        ``root^+ Z_i'A_i``.
    total : (n_clusters, m, m) ndarray
        Sums of ``A_i'A_i``.
    first : (n_clusters,) ndarray of int
        First person of each cluster that has rows.
    cluster : (n_present,) ndarray of int
        Cluster of each person, counted from 0 without gaps.
    n_fixed, n_rows, n_subjects : int
        Fixed effects, outcome values, persons that have any.
    """

    inner: IntArray
    outer: IntArray
    root: FloatArray
    turned: FloatArray
    total: FloatArray
    first: IntArray
    cluster: IntArray
    n_fixed: int
    n_rows: int
    n_subjects: int

    @property
    def spare(self) -> int:
        """Outcome values beyond the directions in which persons' own effects move them."""
        return self.n_rows - int(np.count_nonzero(np.any(self.root != 0, axis=1)))

    def by_cluster(self, values: FloatArray) -> FloatArray:
        """Sums over the persons of each cluster."""
        return np.asarray(np.add.reduceat(values, self.first, axis=0), dtype=float)


@dataclass(frozen=True)
class ClusterRows:
    """Rows cluster by cluster, and person by person within them.

    Parameters
    ----------
    order : (n_rows,) ndarray of int
        The rows in that order.
    starts : (n_present,) ndarray of int
        First row of each person, in that order.
    person : (n_present,) ndarray of int
        The persons' codes.
    cluster : (n_present,) ndarray of int
        Their clusters' codes.
    """

    order: IntArray
    starts: IntArray
    person: IntArray
    cluster: IntArray


def cluster_rows(problem: LongProblem) -> ClusterRows:
    """Find persons within clusters.

    Raises
    ------
    DataError
        If a person has rows in two clusters.
    """
    assert problem.clusters is not None
    subject = np.asarray(problem.subject, dtype=np.intp)
    code = np.asarray(problem.clusters.code, dtype=np.intp)
    order = np.lexsort((subject, code))
    subject, code = subject[order], code[order]
    change = (subject[1:] != subject[:-1]) | (code[1:] != code[:-1])
    starts = np.concatenate([[0], np.flatnonzero(change) + 1]).astype(np.intp)
    person = subject[starts]
    if len(np.unique(person)) < len(person):
        twice = int(np.flatnonzero(np.bincount(person) > 1)[0])
        raise DataError(
            f"The person with code {twice} has rows in more than one {problem.clusters.group}.",
            hint="Nested random effects need every person in one cluster.",
        )
    return ClusterRows(order, starts, person, code[starts])


def check_nested(problem: LongProblem) -> None:
    """Refuse what has no nested form.

    Raises
    ------
    UnsupportedEngineError
        If the residual structure, or a restriction of the covariances, has none here.
    """
    outer = [block for block in problem.blocks if block.outer]
    if problem.clusters is None:
        if outer:
            raise DataError(
                f"The random effects {', '.join(outer[0].names)} are those of clusters, and the "
                "problem names no cluster of any row.",
                hint="Give `clusters`.",
            )
        return
    if problem.residual.kind != "common":
        raise UnsupportedEngineError(
            f"Random effects of {problem.clusters.group} and of {problem.group} are fitted with "
            f"independent residuals of one variance, not with {problem.residual}.",
            hint="Leave the residual structure out, or fit the two-level latent growth curve.",
        )
    if problem.loadings is not None:
        raise UnsupportedEngineError(
            "Random effects at two levels are fitted with known loadings, and those of this model "
            f"depend on {', '.join(problem.loadings.names)}.",
            hint="Fix the parameters in the loadings.",
        )


def collect_nested(problem: LongProblem, scaling: Scaling) -> Nested:
    """Take the cross-products.

    Raises
    ------
    NotIdentifiedError
        If there are fewer than two clusters.
    DataError
        If a person has rows in two clusters.
    """
    rows = cluster_rows(problem)
    change = np.flatnonzero(np.diff(rows.cluster)) + 1
    first = np.concatenate([[0], change]).astype(np.intp)
    assert problem.clusters is not None
    if len(first) < 2:
        raise NotIdentifiedError(
            f"The rows belong to {len(first)} {problem.clusters.group} alone, whose effects have "
            "no variance to estimate.",
            hint=f"Leave the random effects of {problem.clusters.group} out.",
        )
    data, design = transformed(problem, scaling, rows.order)
    if not (np.isfinite(data).all() and np.isfinite(design).all()):
        raise DataError(
            "The arrays hold values that are not finite.",
            hint="Drop rows with missing values before fitting.",
        )
    outer = np.array([c for b in problem.blocks if b.outer for c in b.columns], dtype=np.intp)
    inner = np.array([c for b in problem.blocks if not b.outer for c in b.columns], dtype=np.intp)
    whole = np.hstack([data, design[:, outer]])
    own = design[:, inner]
    squares = np.add.reduceat(own[:, :, None] * own[:, None, :], rows.starts, axis=0)
    crossed = np.add.reduceat(own[:, :, None] * whole[:, None, :], rows.starts, axis=0)
    sizes, basis = np.linalg.eigh(squares)
    solid = sizes > 1e-13 * sizes[:, -1:] if len(inner) else np.ones_like(sizes, dtype=bool)
    length = np.sqrt(np.where(solid, sizes, 0.0))
    back = np.where(solid, 1.0 / np.where(solid, length, 1.0), 0.0)
    bounds = np.append(rows.starts[first], len(whole))
    total = np.stack([whole[a:b].T @ whole[a:b] for a, b in pairwise(bounds.tolist())])
    return Nested(
        inner=inner,
        outer=outer,
        root=basis * length[:, None, :],
        turned=back[:, :, None] * (basis.swapaxes(1, 2) @ crossed),
        total=total,
        first=first,
        cluster=np.repeat(np.arange(len(first)), np.diff(np.append(first, len(rows.person)))),
        n_fixed=data.shape[1] - 1,
        n_rows=len(whole),
        n_subjects=len(rows.person),
    )
