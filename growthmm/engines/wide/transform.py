"""Internal parameters whose covariance blocks are positive semi-definite by construction.

Each block of covarying latent variables is ``L L'`` with L lower triangular, each variance that
stands alone a square. Where a block holds fixed values or labels that also stand elsewhere,
equality constraints on ``L L'`` say so. Natural parameters are thus quadratic in internal ones
(Pinheiro & Bates 1996, doi:10.1007/BF00140873).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.kept import kept
from growthmm.engines.wide.constraints import Jet
from growthmm.engines.wide.likelihood import System
from growthmm.engines.wide.ram import Ram

__all__ = ["Block", "Transform", "covariance_blocks", "identity", "semidefinite"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Block:
    """Variables of one group that covary with each other and no others.

    Parameters
    ----------
    group : int
        The group.
    variables : tuple of int
        Positions among outcomes and latents.
    owners : (k, k) tuple of tuples of int
        Parameter of each entry, -1 where fixed.
    fixed : (k, k) tuple of tuples of float
        Fixed values.
    latent : bool
        Whether all are latent.
    """

    group: int
    variables: tuple[int, ...]
    owners: tuple[tuple[int, ...], ...]
    fixed: tuple[tuple[float, ...], ...]
    latent: bool

    def matrix(self, values: FloatArray) -> FloatArray:
        """The block's covariance matrix."""
        owners = np.array(self.owners)
        return np.where(owners >= 0, values[np.maximum(owners, 0)], np.array(self.fixed))

    @property
    def parameters(self) -> tuple[int, ...]:
        """Free parameters in the block."""
        return tuple(sorted({k for row in self.owners for k in row if k >= 0}))


@dataclass(frozen=True)
class Transform:
    """``natural_k = linear[k] @ x + x' quadratic[k] x`` and constraints of the same form.

    Parameters
    ----------
    linear : (n_natural, n_internal) ndarray
        Coefficients.
    quadratic : (n_natural, n_internal, n_internal) ndarray
        Symmetric forms.
    tied_linear, tied_quadratic, tied_constant : ndarray
        Constraints ``tied_linear @ x + x' tied_quadratic x + tied_constant == 0``.
    """

    linear: FloatArray
    quadratic: FloatArray
    tied_linear: FloatArray
    tied_quadratic: FloatArray
    tied_constant: FloatArray

    @property
    def trivial(self) -> bool:
        """Whether internal and natural parameters are the same."""
        return not np.any(self.quadratic)

    def natural(self, x: FloatArray) -> FloatArray:
        """Natural parameters."""
        return np.asarray(self.linear @ x + (self.quadratic @ x) @ x)

    def slope(self, x: FloatArray) -> FloatArray:
        """Derivative of the natural parameters (n_natural, n_internal)."""
        return np.asarray(self.linear + 2.0 * (self.quadratic @ x))

    def ties(self, x: FloatArray) -> list[Jet]:
        """The constraints and their derivatives."""
        return [
            Jet(float(row @ x + x @ form @ x + c), row + 2.0 * form @ x, 2.0 * form)
            for row, form, c in zip(
                self.tied_linear, self.tied_quadratic, self.tied_constant, strict=True
            )
        ]


def identity(size: int) -> Transform:
    """Internal parameters are the natural ones."""
    return Transform(
        np.eye(size),
        np.zeros((size, size, size)),
        np.zeros((0, size)),
        np.zeros((0, size, size)),
        np.zeros(0),
    )


def covariance_blocks(system: System) -> list[Block]:
    """Connected blocks of the covariance matrices S, those with free entries."""
    return [
        block if g == 0 else replace(block, group=g)
        for g, (ram, _) in enumerate(system.groups)
        for block in _blocks(ram)
    ]


@kept
def _blocks(ram: Ram) -> list[Block]:
    """The blocks of one group, called the first."""
    owner = np.full((ram.n_variables, ram.n_variables), -1)
    owner[ram.s.rows, ram.s.cols] = ram.s.parameters
    owner[ram.s.cols, ram.s.rows] = ram.s.parameters
    linked = (owner >= 0) | (ram.s_fixed != 0)
    varying = {(row, col) for matrix, row, col, _ in ram.definitions if matrix == "s"}
    found: list[Block] = []
    for members in _components(linked):
        if any(row in members or col in members for row, col in varying):
            continue
        index = np.ix_(members, members)
        if np.any(owner[index] >= 0):
            found.append(_block(ram, members, owner[index], ram.s_fixed[index]))
    return found


def _block(ram: Ram, members: list[int], owner: IntArray, fixed: FloatArray) -> Block:
    return Block(
        0,
        tuple(members),
        tuple(tuple(int(v) for v in row) for row in owner),
        tuple(tuple(float(v) for v in row) for row in fixed),
        all(v >= ram.n_outcomes for v in members),
    )


def _components(linked: NDArray[np.bool_]) -> list[list[int]]:
    left = set(range(len(linked)))
    found = []
    while left:
        members, edge = set[int](), {min(left)}
        while edge:
            members |= edge
            edge = {int(j) for i in edge for j in np.flatnonzero(linked[i])} - members
        left -= members
        found.append(sorted(members))
    return found


def semidefinite(system: System, start: FloatArray) -> tuple[Transform, FloatArray]:
    """The transform, and internal values near the natural values `start`.

    Of residuals that covary the variances are squares, as in mixed models, and the covariances
    keep their natural parameters.
    """
    blocks = [part for block in covariance_blocks(system) for part in _bounded(block)]
    distinct = {(b.owners, b.fixed): b for b in blocks}
    held = {int(k) for ram, _ in system.groups for k in (*ram.a.parameters, *ram.k.parameters)}
    inside = {k for b in distinct.values() for k in b.parameters} - held
    sizes = [len(b.variables) * (len(b.variables) + 1) // 2 for b in distinct.values()]
    plain = [k for k in range(system.n_parameters) if k not in inside]
    n = len(plain) + sum(sizes)
    linear = np.zeros((system.n_parameters, n))
    quadratic = np.zeros((system.n_parameters, n, n))
    linear[plain, np.arange(len(plain))] = 1.0
    x = np.zeros(n)
    x[: len(plain)] = start[plain]
    ties: list[tuple[FloatArray, FloatArray, float]] = []
    known = set(plain)
    offset = len(plain)
    for block, size in zip(distinct.values(), sizes, strict=True):
        k = len(block.variables)
        place = np.full((k, k), -1)
        place[np.tril_indices(k)] = offset + np.arange(size)
        x[offset : offset + size] = _root(block.matrix(start))[np.tril_indices(k)]
        offset += size
        for a in range(k):
            for b in range(a + 1):
                form = _form(n, place, a, b)
                owner = block.owners[a][b]
                if owner < 0:
                    ties.append((np.zeros(n), form, -block.fixed[a][b]))
                elif owner in known:
                    ties.append((-linear[owner], form - quadratic[owner], 0.0))
                else:
                    quadratic[owner] = form
                    known.add(owner)
    return _assemble(linear, quadratic, ties), x


def _bounded(block: Block) -> list[Block]:
    """The block itself, or where residuals covary each of its free variances alone."""
    if block.latent or len(block.variables) == 1:
        return [block]
    return [
        Block(block.group, (variable,), ((block.owners[a][a],),), ((0.0,),), False)
        for a, variable in enumerate(block.variables)
        if block.owners[a][a] >= 0
    ]


def _assemble(
    linear: FloatArray, quadratic: FloatArray, ties: Sequence[tuple[FloatArray, FloatArray, float]]
) -> Transform:
    n = linear.shape[1]
    return Transform(
        linear,
        quadratic,
        np.array([t[0] for t in ties]).reshape(-1, n),
        np.array([t[1] for t in ties]).reshape(-1, n, n),
        np.array([t[2] for t in ties]),
    )


def _form(n: int, place: IntArray, a: int, b: int) -> FloatArray:
    """The symmetric form of entry (a, b) of ``L L'``."""
    form = np.zeros((n, n))
    for c in range(b + 1):
        form[place[a, c], place[b, c]] += 0.5
        form[place[b, c], place[a, c]] += 0.5
    return form


def _root(matrix: FloatArray) -> FloatArray:
    """Cholesky factor of the nearest well inside matrix, in units of the block's own variances."""
    diagonal = np.diag(matrix).copy()
    typical = float(np.abs(diagonal).max(initial=0.0)) or 1.0
    diagonal = np.maximum(diagonal, 1e-3 * typical)
    scale = np.sqrt(diagonal)
    inner = matrix / np.outer(scale, scale)
    np.fill_diagonal(inner, 1.0)
    values, vectors = np.linalg.eigh(inner)
    fixed = (vectors * np.maximum(values, 0.05)) @ vectors.T
    return np.asarray(np.linalg.cholesky(fixed * np.outer(scale, scale)))
