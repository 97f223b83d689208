"""Whether estimates lie on, or beyond, the boundary of positive semi-definite matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.outcome import Boundary
from growthmm.engines.wide import ram as r
from growthmm.engines.wide.likelihood import System
from growthmm.engines.wide.transform import covariance_blocks
from growthmm.model.sem import SemModel

__all__ = ["examine"]

FloatArray = NDArray[np.float64]

SINGULAR = 1e-8
"""Share of the outcomes' variance below which a variance counts as zero."""


def examine(model: SemModel, system: System, values: FloatArray) -> Boundary:
    """Look at every block of (co)variances.

    A variance is judged by its share in the variance of the outcomes, so that the answer does not
    depend on units.

    Parameters
    ----------
    model : SemModel
        For names.
    system : System
        The compiled problem.
    values : (n_parameters,) ndarray
        Estimates.

    Returns
    -------
    Boundary
        What was found; several findings share one description.
    """
    names = (*model.outcomes, *model.latent)
    parameters: dict[str, None] = {}
    notes: list[str] = []
    lowest, direction = np.inf, np.zeros(0)
    beyond = singular = False
    shares = _shares(system, values)
    for block in covariance_blocks(system):
        matrix = block.matrix(values)
        unit = shares[block.group][list(block.variables)]
        if len(unit) == 1 and matrix[0, 0] * unit[0] ** 2 > SINGULAR:
            continue
        curve, vectors = np.linalg.eigh(matrix * np.outer(unit, unit))
        if curve[0] > SINGULAR:
            continue
        beyond |= bool(curve[0] < -SINGULAR)
        singular |= bool(curve[0] >= -SINGULAR)
        free = [model.free_parameters[k] for k in block.parameters]
        if not (set(free) <= set(parameters)):
            variables = [names[v] for v in block.variables]
            where = _where(model, block.group)
            notes.append(_describe(matrix, variables, unit, where, curve))
        parameters.update(dict.fromkeys(free))
        if block.latent and curve[0] < lowest:
            lowest = float(curve[0])
            along = unit * vectors[:, 0]
            direction = np.zeros(len(model.latent))
            direction[np.array(block.variables) - len(model.outcomes)] = along / np.linalg.norm(
                along
            )
    return Boundary(
        at_boundary=singular and not beyond,
        beyond=beyond,
        parameters=tuple(parameters),
        direction=tuple(float(d) for d in direction),
        description="; ".join(notes),
    )


def _shares(system: System, values: FloatArray) -> list[FloatArray]:
    """Typical effect of each variable on the outcomes, in their standard deviations, by group."""
    found = []
    for ram, cells in system.groups:
        at = r.implied(ram, values, None if cells.designs is None else cells.designs[:200])
        if at is None:
            found.append(np.ones(ram.n_variables))
            continue
        effects = (at.b[:, : ram.n_outcomes] ** 2).mean(axis=0)
        share = np.sqrt((effects / cells.variances()[:, None]).max(axis=0))
        found.append(np.where(share > 0, share, 1.0))
    return found


def _where(model: SemModel, group: int) -> str:
    """Which group or level, in words, where it is not the first."""
    if not group:
        return ""
    return " at level 2" if model.n_levels > 1 else f" in group {group + 1}"


def _describe(
    matrix: FloatArray, names: list[str], unit: FloatArray, suffix: str, curve: FloatArray
) -> str:
    diagonal = np.diag(matrix)
    scaled = diagonal * unit**2
    for name, value, share in zip(names, diagonal, scaled, strict=True):
        if share < -SINGULAR:
            return f"the variance {name}~~{name} is negative ({value:.6g}){suffix}"
    for name, share in zip(names, scaled, strict=True):
        if share <= SINGULAR:
            note = "" if curve[0] >= -SINGULAR else ", with covariances that are not"
            return f"the variance {name}~~{name} is zero{note}{suffix}"
    sd = np.sqrt(diagonal)
    correlation = matrix / np.outer(sd, sd)
    np.fill_diagonal(correlation, 0.0)
    a, b = np.unravel_index(np.argmax(np.abs(correlation)), correlation.shape)
    value = float(correlation[a, b])
    pair = f"the correlation of {names[a]} and {names[b]} is {value:.6f}"
    if abs(value) > 1.0 + 1e-7 or len(names) == 2:
        return pair + suffix
    state = "has a negative eigenvalue" if curve[0] < -SINGULAR else "is singular"
    return f"the covariance matrix of {', '.join(names)} {state} ({pair}){suffix}"
