"""Which covariance parameters the designs at hand cannot tell apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.curved.linear import at_loadings
from growthmm.engines.long.prepared import Prepared, prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.starts import sampled
from growthmm.errors import NotIdentifiedError

__all__ = ["check_identified", "null_space"]

FloatArray = NDArray[np.float64]

SINGULAR = 1e-11

WHOLE = (
    "An unstructured residual holds every variance and covariance already: leave out the random "
    "effects of the person, or restrict the residual structure."
)


def null_space(problem: LongProblem) -> tuple[str, ...]:
    """Covariance parameters that a null direction of the Jacobian of all `V` mixes.

    The Jacobian is that of the entries of every person's covariance matrix; its cross-products
    with weights ``V^-1`` are ``tr(V^-1 V_a V^-1 V_b)``, whose rank is looked at.

    Parameters
    ----------
    problem : LongProblem
        The model and its designs; outcomes play no part.

    Returns
    -------
    tuple of str
        Empty where the model is identified.
    """
    if problem.loadings is not None:
        problem = at_loadings(problem, problem.loadings.starts[0])
    ready = prepare(problem)
    names = (*problem.covariance_names, *ready.structure.names)
    if ready.restriction is not None:
        names = ready.restriction.names
    return tuple(names[index] for index in _mixed(ready))


def _mixed(ready: Prepared) -> list[int]:
    traces = ready.plain_surface.traces
    jacobian = ready.jacobian[ready.n_fixed :, ready.n_fixed :]
    if ready.restriction is not None:
        change = np.linalg.solve(jacobian, ready.restriction.matrix)
        traces, jacobian = change.T @ traces @ change, np.eye(change.shape[1])
    if not len(traces):
        return []
    diagonal = np.diag(traces)
    nothing = diagonal <= 1e-14 * float(np.max(diagonal))
    scale = np.where(nothing, 1.0, 1.0 / np.sqrt(np.where(nothing, 1.0, diagonal)))
    values, vectors = np.linalg.eigh(traces * np.outer(scale, scale))
    lost = values < SINGULAR * len(values)
    if not bool(np.any(lost)):
        return []
    # Internal entries of one block are mixtures of the user's: name what the user wrote.
    inverse = np.linalg.inv(jacobian)
    weight = np.sqrt(np.maximum(np.diag(inverse.T @ traces @ inverse), 0.0))
    directions = (jacobian * scale) @ vectors[:, lost]
    loads = np.sqrt(np.sum((directions * weight[:, None]) ** 2, axis=1))
    involved = (loads > 1e-4 * max(float(loads.max()), 1e-300)) & (weight > 0)
    return [int(i) for i in np.flatnonzero(involved | _without_weight(weight))]


def _without_weight(weight: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(weight <= 1e-7 * float(weight.max()), dtype=bool)


def check_identified(problem: LongProblem) -> None:
    """Refuse a model with a redundant covariance parameter.

    Raises
    ------
    NotIdentifiedError
        Naming the parameters that cannot be told apart.
    """
    part = sampled(prepare(problem))
    if part is not None and not _mixed(part):
        return
    culprits = null_space(problem)
    if culprits:
        sizes = np.bincount(problem.subject)
        fewest, most = int(sizes[sizes > 0].min()), int(sizes.max())
        rows = str(most) if fewest == most else f"{fewest} to {most}"
        raise NotIdentifiedError(
            f"The covariance parameters {NotIdentifiedError.listed(culprits)} cannot be told apart "
            f"from these designs ({int(np.sum(sizes > 0))} persons with {rows} rows each).",
            parameters=culprits,
            hint=WHOLE
            if problem.residual.kind == "unstructured"
            else "Drop a random effect, make effects independent (||), or restrict the "
            "residual structure.",
        )
