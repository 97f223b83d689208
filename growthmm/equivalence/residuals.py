"""Residual covariance matrices of a mixed model, by their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.errors import SpecificationError
from growthmm.model.names import residual_name

__all__ = ["ResidualMatrices"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]


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
        kind = problem.residual.kind
        if kind == "common":
            return (residual_name(),)
        if kind == "by_occasion":
            return tuple(residual_name(time) for time in problem.occasions)
        if kind == "by_group":
            return tuple(residual_name(name) for name in problem.strata_names)
        raise SpecificationError(
            f"The referee has no residual structure {kind}.", hint="Use gm.fit."
        )

    def _owners(self, rows: IntArray) -> IntArray:
        """Which of the structure's parameters is the variance of each row."""
        kind = self.problem.residual.kind
        if kind == "by_occasion":
            return self.problem.occasion[rows]
        if kind == "by_group":
            assert self.problem.strata is not None
            return self.problem.strata[rows]
        return np.zeros(len(rows), dtype=np.intp)

    def variances(self, values: FloatArray) -> FloatArray:
        """Residual variances of all rows, (n_rows,)."""
        known = dict(self.problem.fixed_parameters) | dict(zip(self.names, values, strict=True))
        own = np.array([known[name] for name in self._own])
        return np.asarray(own[self._owners(np.arange(len(self.problem.outcome)))])

    def matrix(self, values: FloatArray, rows: IntArray) -> FloatArray:
        """The matrix of one person's rows, (n_times, n_times)."""
        known = dict(self.problem.fixed_parameters) | dict(zip(self.names, values, strict=True))
        own = np.array([known[name] for name in self._own])
        return np.diag(own[self._owners(rows)])

    def derivatives(self, values: FloatArray, rows: IntArray) -> FloatArray:  # noqa: ARG002
        """By every parameter of the model, (n_parameters, n_times, n_times)."""
        at = {name: k for k, name in enumerate(self.names)}
        made = np.zeros((len(self.names), len(rows), len(rows)))
        for j, owner in enumerate(self._owners(rows)):
            k = at.get(self._own[owner])
            if k is not None:
                made[k, j, j] = 1.0
        return made

    def draw(self, names: Sequence[str], rng: np.random.Generator) -> FloatArray:
        """Random values of the structure's free parameters `names`."""
        return rng.uniform(0.5, 1.5, size=len(names))

    def has_unit(self, name: str) -> bool:
        """Whether a parameter grows with the outcome's unit, as no correlation does."""
        return name.startswith(("var(", "cov("))

    @property
    def heterogeneous(self) -> bool:
        """Whether the parameters are variances, each of its own rows."""
        return self.problem.residual.kind in ("common", "by_occasion", "by_group")
