"""Moments of structural equation models of two levels, cluster by cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide.problem import WideGroup
from growthmm.equivalence.cells import Cells
from growthmm.equivalence.moment_functions import SemMoments, lower_triangles
from growthmm.moments.ram import ram_derivatives, reduced_form

__all__ = ["SemLevelMoments"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class SemLevelMoments(SemMoments):
    """Moments given covariates where the units are clusters of persons.

    An outcome's moments are the sums of both levels'; two persons of a cluster share those of
    level 2.
    """

    def _regressors(self, cells: Cells) -> FloatArray:
        group = self.problem.groups[cells.group]
        assert isinstance(group, WideGroup)
        return np.asarray(np.nan_to_num(group.covariates[cells.persons]))

    def _same(self, cells: Cells) -> NDArray[np.bool_]:
        return np.asarray(cells.persons[:, None] == cells.persons[None, :])

    def moments(self, values: FloatArray) -> FloatArray:
        """Means of every cluster and covariance matrices of those of `kinds`, stacked."""
        observed = self._observed
        inner, outer = (
            reduced_form(*self._fill(values, (0, ()), level), *observed) for level in (1, 2)
        )
        pieces = []
        for cells in self.persons:
            at = cells.columns
            slopes = (inner.slopes + outer.slopes)[at]
            mean = (inner.intercept + outer.intercept)[at]
            pieces.append(mean + np.einsum("rx,rx->r", slopes, self._regressors(cells)))
        for k in self.kinds:
            at = self.persons[k].columns
            same = self._same(self.persons[k])
            pick = np.ix_(at, at)
            whole = np.where(same, inner.covariance[pick], 0.0) + outer.covariance[pick]
            pieces.append(lower_triangles(whole))
        return np.concatenate(pieces)

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Exact first derivatives of the reduced forms."""
        observed, exogenous = self._observed
        inner, outer = (
            ram_derivatives(
                *self._fill(values, (0, ()), level),
                observed,
                self._entries(0, level),
                exogenous=exogenous,
            )
            for level in (1, 2)
        )
        pieces = []
        for cells in self.persons:
            at = cells.columns
            slopes = (inner.slopes + outer.slopes)[:, at]
            mean = (inner.intercept + outer.intercept)[:, at]
            mean = mean + np.einsum("krx,rx->kr", slopes, self._regressors(cells))
            pieces.append(mean.T)
        for k in self.kinds:
            at = self.persons[k].columns
            same = self._same(self.persons[k])
            within = inner.covariance[:, at[:, None], at[None, :]]
            whole = np.where(same, within, 0.0) + outer.covariance[:, at[:, None], at[None, :]]
            pieces.append(lower_triangles(whole).T)
        return np.concatenate(pieces)

    def admissible(self, values: FloatArray) -> bool:
        """Whether every cluster's covariance matrix exists and is positive definite."""
        observed = self._observed
        inner, outer = (
            reduced_form(*self._fill(values, (0, ()), level), *observed) for level in (1, 2)
        )
        for k in self.kinds:
            at = self.persons[k].columns
            pick = np.ix_(at, at)
            same = self._same(self.persons[k])
            whole = np.where(same, inner.covariance[pick], 0.0) + outer.covariance[pick]
            if not np.all(np.isfinite(whole)) or np.linalg.eigvalsh(whole)[0] <= 0:
                return False
        return True
