"""Sufficient statistics: one moment matrix for each pattern of missing outcomes.

An iteration works on these and never on persons, so that its cost does not grow with their number.
With definition variables there is one for each distinct design and pattern.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup, WideMoments
from growthmm.engines.wide.ram import Ram
from growthmm.engines.wide.sweep import sweep
from growthmm.errors import DataError, TooFewSubjectsError

__all__ = ["Cells", "Persons", "collect", "persons", "reach"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Persons:
    """One group's rows after the rule for missing covariates.

    Parameters
    ----------
    outcomes : (n_subjects, T) ndarray
        Zero where not observed.
    observed : (n_subjects, T) ndarray of bool
        Which outcomes count.
    regressors : (n_subjects, 1 + q) ndarray
        Constant and covariates, a missing one filled by its mean (it acts on nothing observed).
    known : (n_subjects, 1 + q) ndarray of bool
        Which regressors were observed.
    designs : (n_subjects, n_definitions) ndarray or None
        Values of the definition entries, zero where missing.
    known_designs : (n_subjects, n_definitions) ndarray of bool or None
        Which of them were observed.
    """

    outcomes: FloatArray
    observed: BoolArray
    regressors: FloatArray
    known: BoolArray
    designs: FloatArray | None
    known_designs: BoolArray | None


NEARLY_COLLINEAR = 1e-6
"""Smallest eigenvalue of the regressors' scaled products below which they are made orthogonal."""


@dataclass(frozen=True)
class Cells:
    """Moments of one group about its centre, a row for each pattern (and design).

    Parameters
    ----------
    observed : (n_cells, T) ndarray of bool
        The pattern.
    n : (n_cells,) ndarray
        Persons.
    ww, yw, yy : ndarray
        Sums of products of regressors and outcomes: (n_cells, 1 + q, 1 + q), (n_cells, T, 1 + q)
        and (n_cells, T, T).
    centre : (T,) ndarray
        What was taken off each outcome.
    transform : (1 + q, 1 + q) ndarray
        ``w = transform @ w_centred``.
    designs : (n_cells, n_definitions) ndarray or None
        Values of the definition entries.
    filled : bool
        Whether a missing covariate was filled (no saturated model exists then).
    """

    observed: BoolArray
    n: FloatArray
    ww: FloatArray
    yw: FloatArray
    yy: FloatArray
    centre: FloatArray
    transform: FloatArray
    designs: FloatArray | None = None
    filled: bool = False
    n_rows: int = field(init=False)
    n_subjects: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_rows", int(np.sum(self.observed.sum(axis=1) * self.n)))
        object.__setattr__(self, "n_subjects", int(np.sum(self.n)))

    def variances(self) -> FloatArray:
        """Variance of each outcome about its mean; 1 where it does not vary."""
        seen = np.maximum((self.n[:, None] * self.observed).sum(axis=0), 1.0)
        variance = np.einsum("caa->a", self.yy) / seen
        return np.where(variance > 0, variance, 1.0)

    def part(self, rows: slice) -> Cells:
        """Some of the cells."""
        return Cells(
            self.observed[rows],
            self.n[rows],
            self.ww[rows],
            self.yw[rows],
            self.yy[rows],
            self.centre,
            self.transform,
            None if self.designs is None else self.designs[rows],
            self.filled,
        )


def reach(ram: Ram) -> tuple[BoolArray, BoolArray]:
    """Which variables each regressor and each definition entry can act on.

    Returns
    -------
    regressors : (1 + q, p) ndarray of bool
        Whether the reduced-form slope can be other than zero.
    definitions : (n_definitions, p) ndarray of bool
        Whether the entry enters the moments of the variable.
    """
    p = ram.n_variables
    direct = ram.a_fixed != 0
    direct[ram.a.rows, ram.a.cols] = True
    entry = ram.k_fixed != 0
    entry[ram.k.rows, ram.k.cols] = True
    for matrix, row, col, _ in ram.definitions:
        if matrix == "a":
            direct[row, col] = True
        elif matrix == "k":
            entry[row, col] = True
    total = np.eye(p, dtype=bool)
    for _ in range(p):
        total = total | (direct @ total)
    acts = np.zeros((len(ram.definitions), p), dtype=bool)
    for j, (matrix, row, col, _) in enumerate(ram.definitions):
        acts[j] = total[:, row] | (total[:, col] if matrix == "s" else False)
    return (total @ entry).T, acts


def persons(ram: Ram, data: WideGroup) -> Persons:
    """Apply the rule for missing covariates.

    An outcome on which a missing covariate (or definition variable) acts counts as missing.

    Raises
    ------
    DataError
        If an array has the wrong shape, holds an infinite value or a definition variable is
        absent.
    """
    y = np.asarray(data.outcomes, dtype=float)
    x = np.asarray(data.covariates, dtype=float)
    t, q = ram.n_outcomes, ram.n_regressors - 1
    if y.ndim != 2 or y.shape[1] != t or x.shape != (len(y), q):
        raise DataError(
            f"Outcomes of shape {y.shape} and covariates of shape {x.shape} do not fit a model "
            f"of {t} outcomes and {q} covariates.",
            hint="Give one row a person, columns in the order of the model.",
        )
    if np.any(np.isinf(y)) or np.any(np.isinf(x)):
        raise DataError("The data hold infinite values.", hint="Set them to missing (NaN).")
    effects, acts = (found[:, :t] for found in reach(ram))
    lost = np.isnan(x)
    observed = ~np.isnan(y)
    if lost.any():
        observed &= ~(lost @ effects[1:])
    designs = known_designs = None
    if ram.definitions:
        table = dict(data.definitions)
        absent = [name for *_, name in ram.definitions if name not in table]
        if absent:
            raise DataError(
                f"The definition variables {', '.join(dict.fromkeys(absent))} are not in the data.",
                hint=f"Given: {', '.join(table) or 'none'}.",
            )
        columns = [np.asarray(table[name], dtype=float) for *_, name in ram.definitions]
        designs = np.stack(columns, axis=1)
        known_designs = ~np.isnan(designs)
        observed &= ~(~known_designs @ acts)
        used = (observed @ acts.T) & known_designs
        designs = np.where(used, designs, 0.0)
    if lost.any():
        kept = np.where(lost, 0.0, x)
        count = np.maximum((~lost).sum(axis=0), 1)
        x = np.where(lost, kept.sum(axis=0) / count, kept)
    one = np.ones((len(y), 1))
    return Persons(
        np.where(observed, y, 0.0),
        observed,
        np.hstack([one, x]),
        np.hstack([one > 0, ~lost]),
        designs,
        known_designs,
    )


def collect(ram: Ram, data: WideGroup | WideMoments) -> Cells:
    """Sufficient statistics of one group.

    Raises
    ------
    TooFewSubjectsError
        If no person has an outcome.
    DataError
        If the data do not fit the model.
    """
    if isinstance(data, WideMoments):
        return _from_moments(ram, data)
    swept = None if ram.definitions else _swept(ram, data)
    if swept is not None:
        return swept
    rows = persons(ram, data)
    keep: BoolArray = np.asarray(rows.observed.any(axis=1))
    if not keep.any():
        raise TooFewSubjectsError(
            f"None of the {len(keep)} persons has an outcome that can be used.",
            hint="Check which outcomes and covariates are missing.",
        )
    part: BoolArray | slice = slice(None) if keep.all() else keep
    y, seen, w = rows.outcomes[part], rows.observed[part], rows.regressors[part]
    filled = bool(np.any(~rows.known[part]))
    centre = y.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    shift = w.mean(axis=0)
    shift[0] = 0.0
    w = w - shift
    w[:, 0] = 1.0
    transform = np.eye(ram.n_regressors)
    transform[:, 0] += shift
    w, transform = _apart(w, transform)
    y = y - centre
    if not seen.all():
        y = np.where(seen, y, 0.0)
    designs = None if rows.designs is None else rows.designs[part]
    label, first = _labels(seen, designs)
    sizes = np.bincount(label)
    ends = np.cumsum(sizes)
    joined = np.hstack([w, y])
    if len(sizes) > 1:
        joined = joined[np.argsort(label, kind="stable")]
    if sizes.max() == 1:
        product = joined[:, :, None] * joined[:, None, :]
    else:
        product = np.stack(
            [joined[e - n : e].T @ joined[e - n : e] for n, e in zip(sizes, ends, strict=True)]
        )
    k = ram.n_regressors
    return Cells(
        seen[first],
        sizes.astype(float),
        product[:, :k, :k],
        product[:, k:, :k],
        product[:, k:, k:],
        centre,
        transform,
        None if designs is None else designs[first],
        filled,
    )


def _swept(ram: Ram, data: WideGroup) -> Cells | None:
    """The statistics in one sweep, where the data allow it."""
    if data.outcomes.shape[1:] != (ram.n_outcomes,) or data.covariates.shape != (
        len(data.outcomes),
        ram.n_regressors - 1,
    ):
        return None
    found = sweep(data)
    if found is None:
        return None
    observed, n, product = found.cells()
    k = ram.n_regressors
    total = product[:, :k, :k].sum(axis=0)
    if not len(n) or not np.isfinite(product).all():
        return None
    if k > 2:
        length = np.sqrt(np.diag(total))
        if not bool(np.all(length > 0)):
            return None
        if float(np.linalg.eigvalsh(total / np.outer(length, length))[0]) <= NEARLY_COLLINEAR:
            return None
    transform = np.eye(k)
    transform[:, 0] += found.shift
    return Cells(
        observed,
        n,
        product[:, :k, :k],
        product[:, k:, :k],
        product[:, k:, k:],
        found.centre,
        transform,
    )


def _apart(w: FloatArray, transform: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Regressors made orthogonal where they are nearly collinear.

    Sums of products square the condition of the regressors, so a difference between two of them
    that is small beside both must be taken before they are multiplied.
    """
    length = np.sqrt(np.einsum("ij,ij->j", w, w))
    fewer_persons = len(w) < w.shape[1]
    if w.shape[1] < 3 or fewer_persons or not bool(np.all(length > 0)):
        return w, transform
    if float(np.linalg.eigvalsh((w / length).T @ (w / length))[0]) > NEARLY_COLLINEAR:
        return w, transform
    triangle: FloatArray = np.asarray(np.linalg.qr(w, mode="r"))
    triangle = triangle * np.where(np.diag(triangle) < 0, -1.0, 1.0)[:, None]
    diagonal = np.diag(triangle)
    if float(np.min(diagonal / length)) < 1e-12:
        return w, transform
    # The first stays the constant 1, whose length is the root of the number of persons.
    triangle = triangle / np.sqrt(len(w))
    made = np.linalg.solve(triangle.T, w.T).T
    made[:, 0] = 1.0
    return np.asarray(made, dtype=float), transform @ triangle.T


def _labels(
    seen: BoolArray, designs: FloatArray | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cell of each person, and one person of each cell."""
    if seen.all():
        label, first = np.zeros(len(seen), dtype=np.intp), np.zeros(1, dtype=np.intp)
    elif seen.shape[1] <= 62:
        code = seen @ (1 << np.arange(seen.shape[1], dtype=np.int64))
        _, first, label = np.unique(code, return_index=True, return_inverse=True)
    else:
        _, first, label = np.unique(seen, axis=0, return_index=True, return_inverse=True)
    label = label.reshape(-1)
    if designs is not None:
        table = np.column_stack([label.astype(float), designs])
        order = np.lexsort(table.T[::-1])
        new = np.ones(len(table), dtype=bool)
        new[1:] = np.any(table[order][1:] != table[order][:-1], axis=1)
        label = np.empty(len(table), dtype=np.intp)
        label[order] = np.cumsum(new) - 1
        first = order[new]
    return label.astype(np.intp), np.asarray(first, dtype=np.intp)


def _from_moments(ram: Ram, data: WideMoments) -> Cells:
    t, k = ram.n_outcomes, ram.n_regressors
    size = t + k - 1
    mean, cov = np.asarray(data.mean, dtype=float), np.asarray(data.cov, dtype=float)
    if ram.definitions:
        raise DataError(
            "A model with definition variables needs persons, not moments.",
            hint="Give the rows of the data.",
        )
    if mean.shape != (size,) or cov.shape != (size, size):
        raise DataError(
            f"Moments of shapes {mean.shape} and {cov.shape} do not fit a model of {size} "
            "observed variables.",
            hint="Give outcomes, then covariates, in the order of the model.",
        )
    if not (np.all(np.isfinite(mean)) and np.all(np.isfinite(cov)) and np.allclose(cov, cov.T)):
        raise DataError(
            "The moments hold missing or infinite values, or the covariance matrix is not "
            "symmetric.",
            hint="Give a full symmetric covariance matrix with divisor n.",
        )
    transform = np.eye(k)
    transform[1:, 0] = mean[t:]
    ww = np.zeros((1, k, k))
    ww[0, 0, 0] = data.n
    ww[0, 1:, 1:] = data.n * cov[t:, t:]
    yw = np.zeros((1, t, k))
    yw[0, :, 1:] = data.n * cov[:t, t:]
    return Cells(
        np.ones((1, t), dtype=bool),
        np.array([float(data.n)]),
        ww,
        yw,
        data.n * cov[None, :t, :t],
        mean[:t],
        transform,
    )
