"""The moments that each side implies, person by person, as functions of its own parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long import at_values, parameter_names
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.cells import Cells
from growthmm.equivalence.loading_slopes import design_slopes
from growthmm.equivalence.residuals import ResidualMatrices
from growthmm.errors import SpecificationError
from growthmm.model.sem import Path
from growthmm.moments.linear import covariance_derivatives
from growthmm.moments.ram import ParameterEntries, ram_derivatives, reduced_form
from growthmm.rendering import Brief

__all__ = ["MixedMoments", "MomentFunction", "SemMoments", "lower_triangles"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]


class MomentFunction(Protocol):
    """Means and covariance matrices of several persons, stacked into one vector."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters."""

    def moments(self, values: FloatArray) -> FloatArray:
        """The stacked moments at parameter values, (n_moments,)."""

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Their derivatives, (n_moments, n_parameters)."""

    def constraints(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What must be zero, (n_constraints,), and its derivatives."""


def lower_triangles(matrices: FloatArray) -> FloatArray:
    """Lower triangles of matrices (..., n, n) as vectors."""
    rows, columns = np.tril_indices(matrices.shape[-1])
    return np.asarray(matrices[..., rows, columns])


@dataclass(frozen=True, repr=False)
class MixedMoments(Brief):
    """Moments of a mixed model.

    Parameters
    ----------
    problem : LongProblem
        The designs.
    persons : tuple of Cells
        Whose means are wanted.
    kinds : tuple of int
        Positions in `persons` of those whose covariance matrices are wanted as well.
    """

    problem: LongProblem
    persons: tuple[Cells, ...] = ()
    kinds: tuple[int, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Fixed effects, parameters in the loadings, covariance entries, residual parameters."""
        return parameter_names(self.problem)

    @cached_property
    def residuals(self) -> ResidualMatrices:
        """The residual covariance matrices."""
        return ResidualMatrices(self.problem, self.names)

    def matrices(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Fixed effects (n_fixed,) and random-effects covariance (n_random, n_random)."""
        problem = self.problem
        named = dict(zip(self.names, values, strict=True))
        G = np.zeros((problem.random.shape[1],) * 2)
        for (a, b), cell in zip(problem.block_entries, problem.block_cells, strict=True):
            G[a, b] = G[b, a] = named[cell] if isinstance(cell, str) else cell
        return values[: problem.fixed.shape[1]], G

    def designs(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both designs, at the values of what parameters they hold."""
        linear, _ = at_values(self.problem, values)
        return np.asarray(linear.fixed), np.asarray(linear.random)

    def covariance(
        self, values: FloatArray, rows: IntArray, random: FloatArray | None = None
    ) -> FloatArray:
        """Marginal covariance matrix of the rows of one person, or of one cluster."""
        _, G = self.matrices(values)
        Z = (self.designs(values)[1] if random is None else random)[rows]
        return self.shared(Z, G, rows) + self.residual(values, rows)

    def residual(self, values: FloatArray, rows: IntArray) -> FloatArray:
        """Residual covariance matrix of the rows, which persons of a cluster do not share."""
        return self._of_one_person(self.residuals.matrix(values, rows), rows)

    def shared(self, Z: FloatArray, G: FloatArray, rows: IntArray) -> FloatArray:
        """``Z G Z'``, in which persons of a cluster share what is the cluster's."""
        outer = [c for block in self.problem.blocks if block.outer for c in block.columns]
        whole = Z @ G @ Z.T
        if not outer:
            return np.asarray(whole)
        own = Z[:, outer] @ G[np.ix_(outer, outer)] @ Z[:, outer].T
        return own + self._of_one_person(whole - own, rows)

    def _of_one_person(self, matrices: FloatArray, rows: IntArray) -> FloatArray:
        """The matrices with zeros between persons."""
        if self.problem.clusters is None:
            return np.asarray(matrices)
        subject = self.problem.subject[rows]
        return np.where(subject[:, None] == subject[None, :], matrices, 0.0)

    def moments(self, values: FloatArray) -> FloatArray:
        """Means of every person and covariance matrices of those of `kinds`, stacked."""
        beta, _ = self.matrices(values)
        fixed, random = self.designs(values)
        means = [fixed[cells.rows] @ beta for cells in self.persons]
        rows = [self.persons[k].rows for k in self.kinds]
        covariances = (lower_triangles(self.covariance(values, r, random)) for r in rows)
        return np.concatenate([*means, *covariances])

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Exact first derivatives."""
        problem, size = self.problem, len(self.names)
        fixed, random = self.designs(values)
        beta, G = self.matrices(values)
        p, curves = fixed.shape[1], problem.loadings
        inner = slice(p, p + (0 if curves is None else len(curves.names)))
        at = {name: k for k, name in enumerate(self.names)}
        pieces = []
        for cells in self.persons:
            piece = np.zeros((len(cells.rows), size))
            piece[:, :p] = fixed[cells.rows]
            if curves is not None:
                piece[:, inner] = (design_slopes(problem, values[inner], cells.rows)[0] @ beta).T
            pieces.append(piece)
        free = problem.covariance_entries
        owners = [at[name] for name in problem.covariance_names]
        for k in self.kinds:
            rows = self.persons[k].rows
            n = len(rows)
            slopes = np.zeros((size, n, n))
            none = np.zeros((0, n, n))
            entries = covariance_derivatives(random[rows], free, none)
            for slope, (column, _) in zip(entries, free, strict=True):
                if self.problem.group_of(column) == self.problem.group:
                    slope[...] = self._of_one_person(slope, rows)
            np.add.at(slopes, owners, entries)
            slopes += self._of_one_person(self.residuals.derivatives(values, rows), rows)
            if curves is not None:
                half = design_slopes(problem, values[inner], rows)[1] @ G @ random[rows].T
                slopes[inner] += half + half.transpose(0, 2, 1)
            pieces.append(lower_triangles(slopes).T)
        return np.concatenate(pieces)

    def constraints(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002
        """None: equal and fixed parameters are one name, or none."""
        return np.zeros(0), np.zeros((0, len(self.names)))


@dataclass(frozen=True, repr=False)
class SemMoments(Brief):
    """Moments of a structural equation model given covariates.

    Parameters
    ----------
    problem : WideProblem
        The model, and persons in rows.
    persons : tuple of Cells
        Whose means are wanted.
    kinds : tuple of int
        Positions in `persons` of those whose covariance matrices are wanted as well.
    """

    problem: WideProblem
    persons: tuple[Cells, ...]
    kinds: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The free parameters."""
        return self.problem.model.free_parameters

    @cached_property
    def _at(self) -> dict[str, int]:
        model = self.problem.model
        return {v: k for k, v in enumerate((*model.outcomes, *model.latent, *model.covariates))}

    def _design(self, cells: Cells) -> tuple[int, tuple[tuple[str, float], ...]]:
        """What of a person the moments depend on, besides covariates."""
        group = self.problem.groups[cells.group]
        assert isinstance(group, WideGroup)
        held = tuple((name, float(values[cells.row])) for name, values in group.definitions)
        return cells.group, held

    def _covariates(self, cells: Cells) -> FloatArray:
        group = self.problem.groups[cells.group]
        assert isinstance(group, WideGroup)
        # A covariate is missing only where it acts on no outcome that is there.
        return np.asarray(np.nan_to_num(group.covariates[cells.row]))

    def _fill(
        self,
        values: FloatArray,
        design: tuple[int, tuple[tuple[str, float], ...]],
        level: int = 1,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        at, (group, held) = self._at, design
        known = dict(zip(self.names, values, strict=True))
        definitions = dict(held)
        A, S, m = np.zeros((len(at), len(at))), np.zeros((len(at), len(at))), np.zeros(len(at))
        for path in self.problem.model.paths:
            if (path.group, path.level) != (group, level):
                continue
            if path.free:
                value = known[path.parameter]
            elif path.definition is not None:
                value = definitions[path.definition]
            else:
                value = path.value or 0.0
            if path.op == "~1":
                m[at[path.left]] = value
            elif path.op == "~~":
                S[at[path.left], at[path.right]] = S[at[path.right], at[path.left]] = value
            else:
                A[self._directed(path)] = value
        # A definition that is missing belongs to an outcome that is missing as well.
        return np.nan_to_num(A), S, m

    def _directed(self, path: Path) -> tuple[int, int]:
        ends = self._at[path.left], self._at[path.right]
        return ends if path.op == "~" else (ends[1], ends[0])

    def _entries(self, group: int, level: int = 1) -> ParameterEntries:
        at = self._at
        index = {name: k for k, name in enumerate(self.names)}
        directed, symmetric, means = [], [], []
        for path in self.problem.model.paths:
            if not path.free or (path.group, path.level) != (group, level):
                continue
            k = index[path.parameter]
            if path.op == "~1":
                means.append((k, at[path.left]))
            elif path.op == "~~":
                symmetric.append((k, at[path.left], at[path.right]))
            else:
                directed.append((k, *self._directed(path)))
        return ParameterEntries(len(index), directed, symmetric, means)

    @cached_property
    def _observed(self) -> tuple[list[int], list[int]]:
        model = self.problem.model
        return [self._at[y] for y in model.outcomes], [self._at[x] for x in model.covariates]

    def moments(self, values: FloatArray) -> FloatArray:
        """Means of every person and covariance matrices of those of `kinds`, stacked."""
        designs = [self._design(cells) for cells in self.persons]
        forms = {
            design: reduced_form(*self._fill(values, design), *self._observed)
            for design in dict.fromkeys(designs)
        }
        pieces = []
        for cells, design in zip(self.persons, designs, strict=True):
            form = forms[design]
            mean = form.intercept + form.slopes @ self._covariates(cells)
            pieces.append(mean[cells.columns])
        for k in self.kinds:
            columns = self.persons[k].columns
            pieces.append(lower_triangles(forms[designs[k]].covariance[np.ix_(columns, columns)]))
        return np.concatenate(pieces)

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Exact first derivatives of the reduced form."""
        observed, exogenous = self._observed
        designs = [self._design(cells) for cells in self.persons]
        entries = {group: self._entries(group) for group, _ in dict.fromkeys(designs)}
        forms = {
            design: ram_derivatives(
                *self._fill(values, design), observed, entries[design[0]], exogenous=exogenous
            )
            for design in dict.fromkeys(designs)
        }
        pieces = []
        for cells, design in zip(self.persons, designs, strict=True):
            form = forms[design]
            mean = form.intercept + form.slopes @ self._covariates(cells)
            pieces.append(mean[:, cells.columns].T)
        for k in self.kinds:
            columns = self.persons[k].columns
            covariance = forms[designs[k]].covariance[:, columns[:, None], columns[None, :]]
            pieces.append(lower_triangles(covariance).T)
        return np.concatenate(pieces)

    def admissible(self, values: FloatArray) -> bool:
        """Whether every covariance matrix exists and is positive definite."""
        try:
            for k in self.kinds:
                cells = self.persons[k]
                form = reduced_form(*self._fill(values, self._design(cells)), *self._observed)
                own = form.covariance[np.ix_(cells.columns, cells.columns)]
                if not np.all(np.isfinite(own)) or np.linalg.eigvalsh(own)[0] <= 0:
                    return False
        except SpecificationError:
            return False
        return True

    def constraints(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The model's equalities among parameters."""
        equal = [r.jet for r in relations(self.problem.model, values) if r.equality]
        size = len(self.names)
        left = np.array([jet.value for jet in equal])
        return left, np.array([jet.gradient for jet in equal]).reshape(len(equal), size)
