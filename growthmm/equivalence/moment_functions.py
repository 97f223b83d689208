"""The moments that each side implies, as functions of its own parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.model.names import residual_name
from growthmm.model.sem import SemModel
from growthmm.moments.linear import mixed_moments
from growthmm.moments.ram import ParameterEntries, ram_derivatives, reduced_form

__all__ = ["MixedMoments", "MomentFunction", "SemMoments"]

FloatArray = NDArray[np.float64]


class MomentFunction(Protocol):
    """Means at several designs and their covariance matrix, stacked into one vector."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters."""

    def moments(self, values: FloatArray) -> FloatArray:
        """The stacked moments at parameter values."""

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Their derivatives, (n_moments, n_parameters)."""


def _stack(means: FloatArray, covariance: FloatArray) -> FloatArray:
    lower = np.tril_indices(covariance.shape[-1])
    return np.concatenate([means.ravel(), covariance[lower]])


@dataclass(frozen=True)
class MixedMoments:
    """Moments of a mixed model for persons seen at every occasion.

    Parameters
    ----------
    problem : LongProblem
        Rows of the designs, person by person and occasion by occasion.
    """

    problem: LongProblem

    @property
    def names(self) -> tuple[str, ...]:
        """Fixed effects, covariance entries, residual variances."""
        problem = self.problem
        residual = (
            tuple(residual_name(time) for time in problem.occasions)
            if problem.residual.kind == "by_occasion"
            else (residual_name(),)
        )
        return (*problem.fixed_names, *problem.covariance_names, *residual)

    def matrices(self, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Fixed effects, random-effects covariance, residual variance of each row."""
        problem = self.problem
        p, entries = problem.fixed.shape[1], problem.covariance_entries
        G = np.zeros((problem.random.shape[1],) * 2)
        for value, (a, b) in zip(values[p : p + len(entries)], entries, strict=True):
            G[a, b] = G[b, a] = value
        residual = values[p + len(entries) :]
        by_row = (
            residual[problem.occasion]
            if len(residual) > 1
            else np.full(len(problem.outcome), residual[0])
        )
        return values[:p], G, by_row

    def moments(self, values: FloatArray) -> FloatArray:
        """Means of every person and the covariance matrix of the first, stacked."""
        problem = self.problem
        beta, G, residual = self.matrices(values)
        t = len(problem.outcome) // problem.n_subjects
        X = np.asarray(problem.fixed).reshape(problem.n_subjects, t, -1)
        Z = np.asarray(problem.random).reshape(problem.n_subjects, t, -1)
        mean, cov = mixed_moments(X, beta, Z, G, np.diag(residual[:t]))
        return _stack(mean, cov[0])

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Exact: the moments are linear in the parameters."""
        origin = self.moments(np.zeros_like(values))
        units = np.eye(len(values))
        return np.column_stack([self.moments(unit) - origin for unit in units])


@dataclass(frozen=True)
class SemMoments:
    """Moments of a structural equation model given covariates.

    Parameters
    ----------
    model : SemModel
        A model of one group without constraints.
    outcomes : tuple of str
        The observed variables wanted, in order.
    covariates : (n_designs, n_covariates) ndarray
        Values of the covariates, in the model's order.
    """

    model: SemModel
    outcomes: tuple[str, ...]
    covariates: FloatArray

    @property
    def names(self) -> tuple[str, ...]:
        """The free parameters."""
        return self.model.free_parameters

    def _positions(self) -> dict[str, int]:
        model = self.model
        return {v: k for k, v in enumerate((*model.outcomes, *model.latent, *model.covariates))}

    def _fill(self, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        at = self._positions()
        known = dict(zip(self.names, values, strict=True))
        A, S, m = np.zeros((len(at), len(at))), np.zeros((len(at), len(at))), np.zeros(len(at))
        for path in self.model.paths:
            value = known[path.parameter] if path.free else path.value or 0.0
            if path.op == "=~":
                A[at[path.right], at[path.left]] = value
            elif path.op == "~":
                A[at[path.left], at[path.right]] = value
            elif path.op == "~1":
                m[at[path.left]] = value
            else:
                S[at[path.left], at[path.right]] = S[at[path.right], at[path.left]] = value
        return A, S, m

    def _entries(self) -> ParameterEntries:
        at = self._positions()
        index = {name: k for k, name in enumerate(self.names)}
        directed, symmetric, means = [], [], []
        for path in self.model.paths:
            if not path.free:
                continue
            k = index[path.parameter]
            if path.op == "=~":
                directed.append((k, at[path.right], at[path.left]))
            elif path.op == "~":
                directed.append((k, at[path.left], at[path.right]))
            elif path.op == "~1":
                means.append((k, at[path.left]))
            else:
                symmetric.append((k, at[path.left], at[path.right]))
        return ParameterEntries(len(index), directed, symmetric, means)

    def _places(self) -> tuple[list[int], list[int]]:
        at = self._positions()
        return [at[y] for y in self.outcomes], [at[x] for x in self.model.covariates]

    def moments(self, values: FloatArray) -> FloatArray:
        """Means at every design and the covariance matrix given covariates, stacked."""
        observed, exogenous = self._places()
        form = reduced_form(*self._fill(values), observed, exogenous)
        return _stack(form.intercept + self.covariates @ form.slopes.T, form.covariance)

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Exact first derivatives of the reduced form."""
        observed, exogenous = self._places()
        d = ram_derivatives(*self._fill(values), observed, self._entries(), exogenous=exogenous)
        columns = [
            _stack(d.intercept[k] + self.covariates @ d.slopes[k].T, d.covariance[k])
            for k in range(len(self.names))
        ]
        return np.column_stack(columns)
