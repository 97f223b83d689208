"""The model as RAM matrices: where every parameter stands, the implied moments, their derivatives.

With v the outcomes and then the latent variables, and w = (1, x) the constant and the covariates::

    v = A v + K w + u,   u ~ N(0, S),   B = (I - A)^-1
    E(v | x) = B K w,    Cov(v | x) = B S B'

McArdle & McDonald (1984), doi:10.1111/j.2044-8317.1984.tb00802.x. A, S and K are linear in the
parameters, so every derivative of the moments is a product of B, the moments and constants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.kept import kept
from growthmm.errors import UnsupportedEngineError
from growthmm.model.sem import Path, SemModel

__all__ = [
    "Entries",
    "Implied",
    "Jacobian",
    "Ram",
    "compile_group",
    "compile_groups",
    "curvature",
    "implied",
    "jacobian",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Grid = tuple[IntArray, ...]

MANY = 16
"""Designs from which on entries are added one by one rather than all at once."""


@dataclass(frozen=True)
class Entries:
    """Free entries of one matrix.

    Parameters
    ----------
    rows, cols : (n_entries,) ndarray of int
        Where they stand (one of the two halves of a symmetric matrix).
    parameters : (n_entries,) ndarray of int
        Which parameter stands there.
    """

    rows: IntArray
    cols: IntArray
    parameters: IntArray

    def __len__(self) -> int:
        return len(self.parameters)


@dataclass(frozen=True)
class Ram:
    """One group's matrices.

    Parameters
    ----------
    n_outcomes, n_variables, n_regressors : int
        T, p (outcomes and latents) and 1 + the number of covariates.
    n_parameters : int
        Parameters of the whole model.
    a_fixed, s_fixed, k_fixed : ndarray
        Fixed values of A (p, p), S (p, p) and K (p, 1 + q).
    a, s, k : Entries
        Free entries.
    definitions : tuple of (str, int, int, str)
        Matrix, row, column and data column of entries that differ from person to person.
    """

    n_outcomes: int
    n_variables: int
    n_regressors: int
    n_parameters: int
    a_fixed: FloatArray
    s_fixed: FloatArray
    k_fixed: FloatArray
    a: Entries
    s: Entries
    k: Entries
    definitions: tuple[tuple[str, int, int, str], ...]
    depth: int | None = field(init=False)
    cov_parameters: IntArray = field(init=False)
    mean_parameters: IntArray = field(init=False)

    def __post_init__(self) -> None:
        cov = np.union1d(self.a.parameters, self.s.parameters).astype(np.intp)
        mean = np.union1d(self.a.parameters, self.k.parameters).astype(np.intp)
        object.__setattr__(self, "depth", self._depth())
        object.__setattr__(self, "cov_parameters", cov)
        object.__setattr__(self, "mean_parameters", mean)

    @cached_property
    def grids(self) -> tuple[Grid, Grid, Grid, Grid]:
        """Places in a matrix of all parameters: cov x cov, cov x mean, mean x cov, mean x mean."""
        cov, mean = self.cov_parameters, self.mean_parameters
        return np.ix_(cov, cov), np.ix_(cov, mean), np.ix_(mean, cov), np.ix_(mean, mean)

    @cached_property
    def spreading(self) -> IntArray:
        """Parameters that move covariances: those of A and S but for the carried ones."""
        return np.setdiff1d(self.cov_parameters, self._carried).astype(np.intp)

    @cached_property
    def only_mean(self) -> IntArray:
        """Parameters that move means, linearly, and no covariance."""
        return np.setdiff1d(self.mean_parameters, self.spreading).astype(np.intp)

    @cached_property
    def _carried(self) -> IntArray:
        """Parameters of A on paths that end where they lead, from variables without a variance.

        Such a variable is a multiple of a covariate, and the parameter is the covariate's effect.
        """
        leads = np.array(self.a_fixed != 0)
        leads[self.a.rows, self.a.cols] = True
        random = np.array((self.s_fixed != 0).any(axis=1))
        random[self.s.rows] = random[self.s.cols] = True
        moved = np.zeros(self.n_variables, dtype=bool)
        moved[self.k.rows] = True
        for matrix, row, col, _ in self.definitions:
            if matrix == "a":
                leads[row, col] = True
            elif matrix == "s":
                random[[row, col]] = True
        silent = np.asarray(~(random | moved | leads.any(axis=1)))
        ends = np.asarray(~leads.any(axis=0))
        carries = silent[self.a.cols] & ends[self.a.rows]
        other = np.concatenate([self.a.parameters[~carries], self.s.parameters, self.k.parameters])
        return np.setdiff1d(self.a.parameters[carries], other).astype(np.intp)

    @cached_property
    def only_s(self) -> IntArray:
        """Parameters of S that are not in A or K."""
        other = np.union1d(self.a.parameters, self.k.parameters)
        return np.setdiff1d(self.s.parameters, other).astype(np.intp)

    @property
    def linear(self) -> bool:
        """Whether directed paths among variables are all fixed, and the same for everyone.

        The moments are then linear in the parameters, and their derivatives constant.
        """
        return not len(self.a) and not self.definitions

    @cached_property
    def slopes(self) -> Jacobian:
        """Derivatives of the moments where they are constant."""
        at = implied(self, np.zeros(self.n_parameters))
        assert at is not None
        return _jacobian(self, at)

    @cached_property
    def total_effects(self) -> FloatArray | None:
        """``(I - A)^-1`` (1, p, p) where it is constant; None where I - A is singular."""
        return _total_effects(self, self.a_fixed[None])

    def _depth(self) -> int | None:
        """Length of the longest chain of directed paths; None where there is a cycle."""
        direct = self.a_fixed != 0
        direct[self.a.rows, self.a.cols] = True
        for matrix, row, col, _ in self.definitions:
            direct[row, col] |= matrix == "a"
        power = np.eye(self.n_variables, dtype=bool)
        for length in range(self.n_variables + 1):
            power = power @ direct
            if not power.any():
                return length
        return None


@dataclass(frozen=True)
class Implied:
    """Implied moments of all variables; the leading axis is the design (1 where persons share it).

    Parameters
    ----------
    b : (n_designs, p, p) ndarray
        Total effects (I - A)^-1.
    sigma : (n_designs, p, p) ndarray
        Covariance matrix of outcomes and latents.
    mean : (n_designs, p, 1 + q) ndarray
        Coefficients of (1, x) in the means.
    """

    b: FloatArray
    sigma: FloatArray
    mean: FloatArray


@dataclass(frozen=True)
class Jacobian:
    """First derivatives of the outcomes' moments.

    Parameters
    ----------
    sigma : (n_designs, n_cov, T, T) ndarray
        For the parameters ``Ram.cov_parameters``.
    mean : (n_designs, n_mean, T, 1 + q) ndarray
        For the parameters ``Ram.mean_parameters``.
    """

    sigma: FloatArray
    mean: FloatArray


@kept
def compile_groups(model: SemModel) -> tuple[Ram, ...]:
    """The matrices of every group of a model, made once.

    Raises
    ------
    UnsupportedEngineError
        If a path makes a conditioned-on covariate depend on something.
    """
    return tuple(compile_group(model, group) for group in range(model.n_groups))


def compile_group(model: SemModel, group: int, level: int = 1) -> Ram:
    """The matrices of one group of a model, or of one level.

    Raises
    ------
    UnsupportedEngineError
        If a path makes a conditioned-on covariate depend on something.
    """
    variables = {name: i for i, name in enumerate((*model.outcomes, *model.latent))}
    covariates = {name: 1 + j for j, name in enumerate(model.covariates)}
    parameters = {name: k for k, name in enumerate(model.free_parameters)}
    p, w = len(variables), 1 + len(covariates)
    fixed = {"a": np.zeros((p, p)), "s": np.zeros((p, p)), "k": np.zeros((p, w))}
    free: dict[str, list[tuple[int, int, int]]] = {"a": [], "s": [], "k": []}
    definitions: list[tuple[str, int, int, str]] = []
    for path in model.paths:
        if (path.group, path.level) != (group, level):
            continue
        matrix, row, col = _place(path, variables, covariates)
        if path.definition is not None:
            definitions.append((matrix, row, col, path.definition))
        elif path.free:
            free[matrix].append((row, col, parameters[path.parameter]))
        else:
            fixed[matrix][row, col] = path.value
            if matrix == "s":
                fixed[matrix][col, row] = path.value
    return Ram(
        len(model.outcomes),
        p,
        w,
        len(parameters),
        fixed["a"],
        fixed["s"],
        fixed["k"],
        _entries(free["a"]),
        _entries(free["s"]),
        _entries(free["k"]),
        tuple(definitions),
    )


def _place(
    path: Path, variables: dict[str, int], covariates: dict[str, int]
) -> tuple[str, int, int]:
    if path.op == "=~":
        effect, cause = path.right, path.left
    else:
        effect, cause = path.left, path.right
    blocked = [n for n in (effect, cause) if n in covariates]
    if effect in covariates or (path.op in ("=~", "~~") and blocked):
        raise UnsupportedEngineError(
            f"The path {path.name} holds the covariate {blocked[0]!r}, on which the likelihood "
            "is conditional, as something that the model explains.",
            hint=f"Count {blocked[0]!r} among the outcomes (fixed_x=False), or drop the path.",
        )
    if path.op == "~1":
        return "k", variables[effect], 0
    if path.op == "~~":
        return "s", variables[effect], variables[cause]
    if cause in covariates:
        return "k", variables[effect], covariates[cause]
    return "a", variables[effect], variables[cause]


def _entries(found: list[tuple[int, int, int]]) -> Entries:
    table = np.array(found, dtype=np.intp).reshape(-1, 3)
    return Entries(table[:, 0], table[:, 1], table[:, 2])


def matrices(
    ram: Ram, values: FloatArray, designs: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A, S and K at `values`; `designs` (n_designs, n_definitions) fills the definition entries."""
    n = 1 if designs is None else len(designs)
    a = np.repeat(ram.a_fixed[None], n, axis=0)
    s = np.repeat(ram.s_fixed[None], n, axis=0)
    k = np.repeat(ram.k_fixed[None], n, axis=0)
    a[:, ram.a.rows, ram.a.cols] = values[ram.a.parameters]
    s[:, ram.s.rows, ram.s.cols] = values[ram.s.parameters]
    s[:, ram.s.cols, ram.s.rows] = values[ram.s.parameters]
    k[:, ram.k.rows, ram.k.cols] = values[ram.k.parameters]
    if designs is not None:
        target = {"a": a, "s": s, "k": k}
        for j, (matrix, row, col, _) in enumerate(ram.definitions):
            target[matrix][:, row, col] = designs[:, j]
            if matrix == "s":
                s[:, col, row] = designs[:, j]
    return a, s, k


def implied(ram: Ram, values: FloatArray, designs: FloatArray | None = None) -> Implied | None:
    """Implied moments, or None where I - A is singular."""
    a, s, k = matrices(ram, values, designs)
    b = ram.total_effects if ram.linear else _total_effects(ram, a)
    if b is None:
        return None
    sigma = b @ s @ b.swapaxes(1, 2)
    return Implied(b, np.asarray(0.5 * (sigma + sigma.swapaxes(1, 2))), b @ k)


def _total_effects(ram: Ram, a: FloatArray) -> FloatArray | None:
    """``(I - A)^-1``: a finite sum of powers of A where no path leads back to its start."""
    unit = np.eye(ram.n_variables)
    if ram.depth is not None:
        total = unit + a
        for _ in range(1, ram.depth):
            total = unit + a @ total
        return np.asarray(total, dtype=float)
    try:
        b = np.linalg.inv(unit - a)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(b, dtype=float) if np.all(np.isfinite(b)) else None


def _collect(parts: FloatArray, owners: IntArray, targets: IntArray, out: FloatArray) -> None:
    """Add the derivative of each entry (axis 1) to that of its parameter."""
    if len(owners):
        select = (targets[:, None] == owners[None, :]).astype(float)
        shape = parts.shape
        flat = parts.reshape(shape[0], shape[1], -1)
        out += (select @ flat).reshape(shape[0], len(targets), *shape[2:])


def jacobian(ram: Ram, at: Implied) -> Jacobian:
    """First derivatives of the outcomes' implied moments.

    ``dSigma = B dA Sigma + (.)' + B dS B'`` and ``dM = B (dA M + dK)``.
    """
    return ram.slopes if ram.linear and len(at.b) == 1 else _jacobian(ram, at)


def _jacobian(ram: Ram, at: Implied) -> Jacobian:
    t, n = ram.n_outcomes, len(at.b)
    d_sigma = np.zeros((n, len(ram.cov_parameters), t, t))
    d_mean = np.zeros((n, len(ram.mean_parameters), t, ram.n_regressors))
    if len(ram.a):
        effect = at.b[:, :t, ram.a.rows].swapaxes(1, 2)
        part = effect[:, :, :, None] * at.sigma[:, ram.a.cols, None, :t]
        _collect(part + part.swapaxes(2, 3), ram.a.parameters, ram.cov_parameters, d_sigma)
        part = effect[:, :, :, None] * at.mean[:, ram.a.cols, None, :]
        _collect(part, ram.a.parameters, ram.mean_parameters, d_mean)
    if n > MANY:
        position = np.searchsorted(ram.cov_parameters, ram.s.parameters)
        for row, col, k in zip(ram.s.rows, ram.s.cols, position, strict=True):
            part = at.b[:, :t, row, None] * at.b[:, None, :t, col]
            d_sigma[:, k] += part
            if row != col:
                d_sigma[:, k] += part.swapaxes(1, 2)
    elif len(ram.s):
        one = at.b[:, :t, ram.s.rows].swapaxes(1, 2)
        two = at.b[:, :t, ram.s.cols].swapaxes(1, 2)
        part = one[:, :, :, None] * two[:, :, None, :]
        off = (ram.s.rows != ram.s.cols)[None, :, None, None]
        part = np.where(off, part + part.swapaxes(2, 3), part)
        _collect(part, ram.s.parameters, ram.cov_parameters, d_sigma)
    if len(ram.k):
        effect = at.b[:, :t, ram.k.rows].swapaxes(1, 2)
        part = effect[:, :, :, None] * np.eye(ram.n_regressors)[ram.k.cols][None, :, None, :]
        _collect(part, ram.k.parameters, ram.mean_parameters, d_mean)
    return Jacobian(d_sigma, d_mean)


def curvature(ram: Ram, at: Implied, q: FloatArray, g: FloatArray) -> FloatArray:
    """Second derivatives of the moments, contracted: ``tr(Q d2Sigma) / 2 + tr(G' d2M)``.

    Parameters
    ----------
    ram : Ram
        The matrices.
    at : Implied
        The moments.
    q : (n_designs, T, T) ndarray
        Symmetric.
    g : (n_designs, T, 1 + q) ndarray
        Weights of the means.

    Returns
    -------
    (n_parameters, n_parameters) ndarray
        Summed over designs.
    """
    size = ram.n_parameters
    total = np.zeros((size, size))
    if not len(ram.a):
        return total
    t = ram.n_outcomes
    by = at.b[:, :t, :]
    qb = q @ by
    gb = g.swapaxes(1, 2) @ by
    inner = by.swapaxes(1, 2) @ qb
    outer = at.sigma[:, :, :t] @ qb + at.mean @ gb
    r, c, owner = ram.a.rows, ram.a.cols, ram.a.parameters
    e, f = np.ix_(np.arange(len(r)), np.arange(len(r)))
    chain = np.sum(at.b[:, c[e], r[f]] * outer[:, c[f], r[e]], axis=0)
    both = np.sum(at.sigma[:, c[f], c[e]] * inner[:, r[e], r[f]], axis=0)
    np.add.at(total, (owner[e], owner[f]), chain + chain.T + both)
    if len(ram.s):
        e, f = np.ix_(np.arange(len(r)), np.arange(len(ram.s)))
        x, y = ram.s.rows[f], ram.s.cols[f]
        mixed = at.b[:, c[e], x] * inner[:, y, r[e]]
        mixed = mixed + np.where(x != y, at.b[:, c[e], y] * inner[:, x, r[e]], 0.0)
        _add_both(total, owner[e], ram.s.parameters[f], mixed.sum(axis=0))
    if len(ram.k):
        e, f = np.ix_(np.arange(len(r)), np.arange(len(ram.k)))
        mixed = at.b[:, c[e], ram.k.rows[f]] * gb[:, ram.k.cols[f], r[e]]
        _add_both(total, owner[e], ram.k.parameters[f], mixed.sum(axis=0))
    return total


def _add_both(total: FloatArray, rows: IntArray, cols: IntArray, values: FloatArray) -> None:
    np.add.at(total, (rows, cols), values)
    np.add.at(total, (cols, rows), values)
