"""Residual covariance matrices of a mixed model's persons, by their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.model.across import across_parameters
from growthmm.model.names import in_stratum, residual_name
from growthmm.model.residual_parameters import ResidualParameter, residual_parameters
from growthmm.moments.residual_matrices import ResidualMatrix, residual_matrix

__all__ = ["ResidualMatrices"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]

TIMELESS = ("common", "by_group")


@dataclass(frozen=True)
class ResidualMatrices:
    """The residual covariance matrix of any rows of one person, with derivatives.

    Parameters
    ----------
    problem : LongProblem
        The model and data.
    names : tuple of str
        All parameters of the model.
    """

    problem: LongProblem
    names: tuple[str, ...]

    @cached_property
    def _own(self) -> tuple[str, ...]:
        """The structure's parameters, free or held."""
        problem = self.problem
        if problem.residual.kind == "by_group":
            return tuple(residual_name(name) for name in problem.strata_names)
        if problem.residual.kind == "groupwise":
            return tuple(
                in_stratum(p.name, group) for group in problem.strata_names for p in self._inner
            )
        if problem.residual.kind == "across":
            crossed = problem.residual.crossed
            found = across_parameters(problem.series, problem.occasions, crossed=crossed)
            return tuple(parameter.name for parameter in found)
        return tuple(p.name for p in residual_parameters(problem.residual, problem.occasions))

    @property
    def _inner(self) -> tuple[ResidualParameter, ...]:
        """The parameters of one group's structure."""
        within = self.problem.residual.within
        assert within is not None
        return residual_parameters(within, self.problem.occasions)

    def _values(self, values: FloatArray) -> FloatArray:
        known = dict(self.problem.fixed_parameters) | dict(zip(self.names, values, strict=True))
        return np.array([known[name] for name in self._own])

    def _evaluated(self, values: FloatArray, rows: IntArray) -> ResidualMatrix:
        """Matrix and derivatives by the structure's own parameters."""
        problem, own = self.problem, self._values(values)
        structure = problem.residual
        if structure.kind in TIMELESS:
            strata = None if problem.strata is None else problem.strata[rows].tolist()
            return residual_matrix(
                structure.kind, own, np.arange(len(rows), dtype=float), strata=strata
            )
        if structure.kind == "groupwise":
            return self._of_group(own, rows)
        whole = self._whole(own)
        at = problem.occasion[rows]
        if structure.kind == "by_occasion":
            # Stacked rows of several outcomes have a time in common, and no residual.
            same = np.eye(len(rows))
            return ResidualMatrix(
                np.diag(np.diag(whole.matrix)[at]),
                whole.derivatives[:, at[:, None], at[None, :]] * same,
            )
        return ResidualMatrix(
            whole.matrix[np.ix_(at, at)], whole.derivatives[:, at[:, None], at[None, :]]
        )

    def _of_group(self, own: FloatArray, rows: IntArray) -> ResidualMatrix:
        """The matrix of a person's group."""
        assert self.problem.strata is not None
        at, size = self.problem.occasion[rows], len(self._inner)
        start = int(self.problem.strata[rows[0]]) * size
        found = self._group_matrix(own[start : start + size])
        slopes = np.zeros((len(own), len(rows), len(rows)))
        slopes[start : start + size] = found.derivatives[:, at[:, None], at[None, :]]
        return ResidualMatrix(found.matrix[np.ix_(at, at)], slopes)

    def _group_matrix(self, own: FloatArray) -> ResidualMatrix:
        """One group's matrix over all occasions, at its own parameters."""
        within = self.problem.residual.within
        assert within is not None
        return residual_matrix(within.kind, own, self.problem.occasions, bands=within.bands or 0)

    def _whole(self, own: FloatArray) -> ResidualMatrix:
        """Over all occasions, of several outcomes too."""
        problem = self.problem
        structure, strata = problem.residual, None
        if structure.kind == "across":
            order = {outcome: k for k, outcome in enumerate(dict.fromkeys(problem.series))}
            strata = [order[outcome] for outcome in problem.series]
            if structure.crossed:
                strata = list(range(len(strata)))
        return residual_matrix(
            structure.kind, own, problem.occasions, bands=structure.bands or 0, strata=strata
        )

    def variances(self, values: FloatArray) -> FloatArray:
        """Residual variances of all rows, (n_rows,)."""
        problem, own = self.problem, self._values(values)
        if problem.residual.kind == "common":
            return np.full(len(problem.outcome), own[0])
        if problem.residual.kind == "by_group":
            assert problem.strata is not None
            return np.asarray(own[problem.strata])
        if problem.residual.kind == "groupwise":
            assert problem.strata is not None
            parts = own.reshape(len(problem.strata_names), -1)
            table = np.stack([np.diag(self._group_matrix(part).matrix) for part in parts])
            return np.asarray(table[problem.strata, problem.occasion])
        return np.asarray(np.diag(self._whole(own).matrix)[problem.occasion])

    def matrix(self, values: FloatArray, rows: IntArray) -> FloatArray:
        """The matrix of one person's rows, (n_times, n_times)."""
        return self._evaluated(values, rows).matrix

    def derivatives(self, values: FloatArray, rows: IntArray) -> FloatArray:
        """By every parameter of the model, (n_parameters, n_times, n_times)."""
        at = {name: k for k, name in enumerate(self.names)}
        made = np.zeros((len(self.names), len(rows), len(rows)))
        slopes = self._evaluated(values, rows).derivatives
        for name, slope in zip(self._own, slopes, strict=True):
            if name in at:
                made[at[name]] = slope
        return made

    def draw(self, names: Sequence[str], rng: np.random.Generator) -> FloatArray:
        """Random values of the structure's free parameters `names`, matrices positive definite."""
        times = np.asarray(self.problem.occasions)
        nearest = max(1.0, float(np.diff(np.sort(times)).min(initial=np.inf)))
        small = 0.4 / max(1, len(times) - 1)
        made = []
        for name in names:
            if name.startswith("var("):
                made.append(rng.uniform(0.5, 1.5))
            elif name.startswith("cov("):
                # Rows of the matrix stay dominated by their variances.
                made.append(rng.uniform(-small, small))
            else:
                made.append(rng.uniform(0.3, 0.7) ** (1.0 / nearest if nearest < np.inf else 1.0))
        return np.array(made)

    def has_unit(self, name: str) -> bool:
        """Whether a parameter grows with the outcome's unit, as no correlation does."""
        return name.startswith(("var(", "cov("))

    @property
    def heterogeneous(self) -> bool:
        """Whether the parameters are variances, each of its own rows."""
        return self.problem.residual.kind in ("common", "by_occasion", "by_group")
