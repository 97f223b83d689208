"""What every estimator takes: an outcome, a design and the persons of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.errors import UnsupportedEngineError

__all__ = ["Rows", "independent", "rows_of"]

FloatArray = NDArray[np.float64]

TINY = 1e-9
"""A column whose part that is new is smaller than this, relative to its size, holds nothing new."""


@dataclass(frozen=True)
class Rows:
    """The rows of a mixed model, without its random effects.

    Parameters
    ----------
    outcome : (n_rows,) ndarray
        The outcome.
    design : (n_rows, n_fixed) ndarray
        The columns of the fixed effects.
    names : tuple of str
        Their names.
    person : (n_rows,) ndarray of int
        Person of each row, from 0; rows are in order of person, then of time.
    time : (n_rows,) ndarray, optional
        The time of each row, where the model has one.

    Examples
    --------
    >>> person = np.array([0, 0, 1, 1])
    >>> rows = Rows(np.arange(4.0), np.array([[0.0], [2.0], [1.0], [1.0]]), ("x",), person)
    >>> rows.means(rows.design).ravel().tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    outcome: FloatArray
    design: FloatArray
    names: tuple[str, ...]
    person: NDArray[np.intp]
    time: FloatArray | None = None

    @property
    def n_subjects(self) -> int:
        """Number of persons."""
        return int(self.person.max()) + 1

    @property
    def singles(self) -> int:
        """Persons with one row."""
        return int((np.bincount(self.person) == 1).sum())

    def means(self, columns: FloatArray) -> FloatArray:
        """Each person's means of columns, in every row of the person, (n_rows, n_columns)."""
        counts = np.bincount(self.person)
        sums = np.column_stack([np.bincount(self.person, c) for c in columns.T])
        found: FloatArray = (sums / counts[:, None])[self.person]
        return found

    @property
    def varying(self) -> list[int]:
        """The columns of the design that vary within persons and tell something new there."""
        return independent(self.design - self.means(self.design), np.abs(self.design).max(axis=0))


def independent(columns: FloatArray, sizes: FloatArray | None = None) -> list[int]:
    """The columns that are no linear combination of those before them.

    Parameters
    ----------
    columns : (n_rows, n_columns) ndarray
        The columns.
    sizes : (n_columns,) ndarray, optional
        What counts as large for each; its own largest entry where None.

    Examples
    --------
    >>> independent(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0]]))
    [0, 2]
    """
    sizes = np.abs(columns).max(axis=0) if sizes is None else sizes
    kept: list[int] = []
    basis = np.empty((len(columns), 0))
    for k, column in enumerate(columns.T):
        rest = column
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size > TINY * max(float(sizes[k]), 1e-300) * np.sqrt(len(columns)):
            kept.append(k)
            basis = np.column_stack([basis, rest / size])
    return kept


def rows_of(problem: LongProblem, time: FloatArray | None) -> Rows:
    """The rows of a mixed model's arrays.

    Parameters
    ----------
    problem : LongProblem
        The arrays.
    time : (n_rows,) ndarray, optional
        The time of each of its rows.

    Returns
    -------
    Rows

    Raises
    ------
    UnsupportedEngineError
        If persons stand in clusters, or loadings are estimated.
    """
    if problem.clusters is not None:
        raise UnsupportedEngineError(
            f"Persons stand in {problem.clusters.group}, and the other estimators have one level "
            "of clusters.",
            hint="Leave the upper level's random effects out, or compare the mixed models alone.",
        )
    if problem.loadings is not None:
        raise UnsupportedEngineError(
            "The model estimates loadings, so that it is no linear regression with any columns.",
            hint="Fix the loadings: write the shape of growth as columns of time.",
        )
    keys = (problem.subject,) if time is None else (time, problem.subject)
    order = np.lexsort(keys)
    return Rows(
        np.asarray(problem.outcome, dtype=np.float64)[order],
        np.asarray(problem.fixed, dtype=np.float64)[order],
        problem.fixed_names,
        np.asarray(problem.subject, dtype=np.intp)[order],
        None if time is None else time[order],
    )
