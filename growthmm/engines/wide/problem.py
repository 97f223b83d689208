"""The input of the wide engine: a table of paths and numbers, nothing of text or data frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.model.sem import SemModel
from growthmm.rendering import Brief

__all__ = ["WideGroup", "WideMoments", "WideProblem"]


@dataclass(frozen=True, repr=False)
class WideGroup(Brief):
    """The data of one group of persons, in person rows.

    Parameters
    ----------
    outcomes : (n_subjects, n_outcomes) ndarray
        Columns in the order of ``SemModel.outcomes``; NaN where missing.
    covariates : (n_subjects, n_covariates) ndarray
        Columns in the order of ``SemModel.covariates``; NaN where missing.
    definitions : dict of str to (n_subjects,) ndarray
        Definition variables by name, where the model has any.
    clusters : (n_subjects,) ndarray of int, optional
        Cluster of each person, where the model has two levels.
    """

    outcomes: NDArray[np.float64]
    covariates: NDArray[np.float64]
    definitions: tuple[tuple[str, NDArray[np.float64]], ...] = ()
    clusters: NDArray[np.intp] | None = None


@dataclass(frozen=True, repr=False)
class WideMoments(Brief):
    """The first two moments of one group of persons with complete data.

    Parameters
    ----------
    mean : (n_variables,) ndarray
        Means of the outcomes, then of the covariates, in the model's order.
    cov : (n_variables, n_variables) ndarray
        Their covariance matrix with divisor n.
    n : int
        Number of persons.
    """

    mean: NDArray[np.float64]
    cov: NDArray[np.float64]
    n: int


@dataclass(frozen=True, repr=False)
class WideProblem(Brief):
    """A structural equation model with its data.

    Parameters
    ----------
    model : SemModel
        Complete table of paths.
    groups : tuple of WideGroup or WideMoments
        One for each group of the model (one where it has none).
    """

    model: SemModel
    groups: tuple[WideGroup | WideMoments, ...]
