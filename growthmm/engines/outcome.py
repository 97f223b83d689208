"""What every engine returns: numbers in the model's own parameters, and how they were found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.rendering import Brief

__all__ = ["Boundary", "Convergence", "EngineFit", "ParameterKind"]

FloatArray = NDArray[np.float64]

ParameterKind = Literal[
    "fixed", "mean", "loading", "regression", "variance", "covariance", "residual"
]


@dataclass(frozen=True, slots=True, repr=False)
class Convergence(Brief):
    """One record of the optimisation.

    Parameters
    ----------
    converged : bool
        Whether the Newton decrement is below tolerance and the Hessian positive definite on the
        free subspace.
    iterations : int
        Iterations of the optimiser that ended the search.
    decrement : float
        Half the squared Newton decrement at the end: the log-likelihood still to be gained.
    max_score : float
        Largest absolute score, in log-likelihood units per standard error.
    message : str
        In plain words, how it ended.
    """

    converged: bool
    iterations: int
    decrement: float
    max_score: float
    message: str


@dataclass(frozen=True, slots=True, repr=False)
class Boundary(Brief):
    """Where an estimate lies on, or beyond, the boundary of positive semi-definite matrices.

    Parameters
    ----------
    at_boundary : bool
        Whether the factor covariance (or a variance) is singular at the estimates.
    beyond : bool
        Whether the estimates are no covariance matrix (only without bounds).
    parameters : tuple of str
        The parameters concerned.
    direction : tuple of float
        The unit vector in the factors along which the variance is zero (or negative).
    description : str
        In plain words: which variance or correlation, with its value.
    inequalities : tuple of str
        The inequalities of the model's text that hold with equality.
    """

    at_boundary: bool = False
    beyond: bool = False
    parameters: tuple[str, ...] = ()
    direction: tuple[float, ...] = ()
    description: str = ""
    inequalities: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class EngineFit(Brief):
    """The answer of one engine.

    Parameters
    ----------
    engine : str
        Its name.
    estimator : {"ml", "reml"}
        What was maximised.
    names : tuple of str
        The free parameters, in the engine's own family's names.
    kinds : tuple of str
        What each one is.
    estimates : (n_parameters,) ndarray
        On the natural scale: fixed effects, variances and covariances.
    covariance : (n_parameters, n_parameters) ndarray
        Covariance matrix of the estimates under `information`; NaN rows at a boundary.
    information : {"expected", "observed"}
        Which information matrix `covariance` inverts.
    log_likelihood : float
        With all constants, conditional on covariates; restricted where the estimator is.
    n_subjects, n_rows : int
        Persons and outcome values used.
    convergence : Convergence
        How it ended.
    boundary : Boundary
        Whether it lies on the boundary.
    bounds : {"psd", "none"}
        The parameter space that was searched.
    version : str
        Of the program behind the engine.
    warnings : tuple of str
        What the program said.
    """

    engine: str
    estimator: Literal["ml", "reml"]
    names: tuple[str, ...]
    kinds: tuple[ParameterKind, ...]
    estimates: FloatArray
    covariance: FloatArray
    information: Literal["expected", "observed"]
    log_likelihood: float
    n_subjects: int
    n_rows: int
    convergence: Convergence
    boundary: Boundary = Boundary()
    bounds: Literal["psd", "none"] = "none"
    version: str = ""
    warnings: tuple[str, ...] = field(default=())

    def value(self, name: str) -> float:
        """The estimate of the parameter called `name`."""
        return float(self.estimates[self.names.index(name)])

    @property
    def standard_errors(self) -> FloatArray:
        """Square roots of the diagonal of `covariance`; NaN where it has none."""
        diagonal = np.diag(self.covariance).copy()
        diagonal[~(diagonal > 0)] = np.nan
        return np.sqrt(diagonal)
