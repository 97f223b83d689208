"""How the covariance of the fixed effects depends on covariance parameters that are estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.dense import whitened
from growthmm.engines.long.evaluation import admissible
from growthmm.engines.long.parametrisation import free_parameters
from growthmm.engines.long.patterns import collect_patterns
from growthmm.engines.long.prepared import Prepared, prepare
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.surface import Estimator, Surface, expected_information, profile

__all__ = ["FixedUncertainty", "SmallSample", "fixed_uncertainty", "small_sample"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class FixedUncertainty:
    """The covariance of the fixed effects as a function of covariance parameters.

    The coordinates of the covariance parameters are the engine's own; what is made of `slopes`
    and `spread` together depends on no choice of coordinates.

    Parameters
    ----------
    covariance : (n_fixed, n_fixed) ndarray
        ``Phi = (X' V^-1 X)^-1``.
    slopes : (n_covariance, n_fixed, n_fixed) ndarray
        Its derivatives.
    spread : (n_covariance, n_covariance) ndarray
        Covariance matrix of the covariance parameters: the inverse of the observed information of
        the likelihood with the fixed effects maximised out, over its positive directions.
    dropped : int
        Directions in which that likelihood is flat or curves upward.
    """

    covariance: FloatArray
    slopes: FloatArray
    spread: FloatArray
    dropped: int


@dataclass(frozen=True)
class SmallSample:
    """Sums over persons of which Kenward and Roger's correction is made.

    Parameters
    ----------
    covariance : (n_fixed, n_fixed) ndarray
        ``Phi``.
    first : (n_covariance, n_fixed, n_fixed) ndarray
        ``P_a = -X' V^-1 V_a V^-1 X``.
    second : (n_covariance, n_covariance, n_fixed, n_fixed) ndarray
        ``Q_ab = X' V^-1 V_a V^-1 V_b V^-1 X``.
    curved : (n_covariance, n_covariance, n_fixed, n_fixed) ndarray
        ``R_ab = X' V^-1 V_ab V^-1 X``, zero where `V` is linear in its parameters.
    spread : (n_covariance, n_covariance) ndarray
        Inverse of the expected restricted information.
    """

    covariance: FloatArray
    first: FloatArray
    second: FloatArray
    curved: FloatArray
    spread: FloatArray


def fixed_uncertainty(
    problem: LongProblem,
    values: FloatArray,
    estimator: Estimator = "reml",
    bounds: Literal["psd", "none"] = "psd",
) -> FixedUncertainty:
    """The covariance of the fixed effects, its derivatives, and what the parameters are worth.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        The estimates.
    estimator : {"ml", "reml"}
        Which likelihood was maximised.
    bounds : {"psd", "none"}
        Over which space: under ``"psd"`` the coordinates are Cholesky factors, in which a
        singular covariance matrix is an interior point.

    Returns
    -------
    FixedUncertainty
        In the user's units.
    """
    ready, surface, parameters = _surface(problem, values)
    p = ready.n_fixed
    _, gradient, curvature = profile(surface, estimator)
    inner = -np.einsum("ij,ajk,kl->ail", surface.gls, surface.d_cross[:, :p, :p], surface.gls)
    if ready.restriction is not None:
        slope = _restricted_slope(ready)
        curvature = slope.T @ curvature @ slope
    else:
        free = free_parameters(len(parameters), ready.blocks if bounds == "psd" else ())
        point = free.free(parameters)
        slope = free.jacobian(point)
        _, curvature = free.pull_back(point, gradient, curvature)
    spread, dropped = _positive_inverse(-curvature)
    back = ready.jacobian[:p, :p]
    return FixedUncertainty(
        back @ surface.gls @ back.T,
        back @ np.tensordot(slope.T, inner, axes=1) @ back.T,
        spread,
        dropped,
    )


def small_sample(problem: LongProblem, values: FloatArray) -> SmallSample:
    """The sums of Kenward & Roger (1997), at the REML estimates, in the user's units.

    Parameters
    ----------
    problem : LongProblem
        Model and data.
    values : (n_parameters,) ndarray
        The REML estimates.
    """
    ready, surface, parameters = _surface(problem, values)
    p, k = ready.n_fixed, len(parameters)
    first = surface.d_cross[:, :p, :p]
    second, curved = np.zeros((k, k, p, p)), np.zeros((k, k, p, p))
    patterns = ready.patterns or collect_patterns(problem, ready.scaling, ready.structure)
    own = parameters[len(ready.entries) :]
    covariance = ready.covariance(parameters)
    for piece in whitened(patterns, ready.structure, covariance, own, ready.entries):
        assert piece is not None  # admissible() has looked
        g, n, m, _ = piece.data.shape
        columns = piece.data[..., :p].reshape(g, n, m * p)
        turned = (piece.slopes @ columns).reshape(k, -1, p)
        second += np.einsum("ari,brj->abij", turned, turned, optimize=True)
        for (a, b), matrix in piece.curves:
            value = columns.reshape(-1, p).T @ (matrix @ columns).reshape(-1, p)
            curved[a, b] += value
            if a != b:
                curved[b, a] += value
    information = expected_information(surface, "reml")[p:, p:]
    if ready.restriction is not None:
        slope = _restricted_slope(ready)
        first = np.tensordot(slope.T, first, axes=1)
        second = np.einsum("ac,bd,abij->cdij", slope, slope, second)
        curved = np.einsum("ac,bd,abij->cdij", slope, slope, curved)
        information = slope.T @ information @ slope
    back = ready.jacobian[:p, :p]
    turn = np.linalg.inv(back)
    return SmallSample(
        back @ surface.gls @ back.T,
        turn.T @ first @ turn,
        turn.T @ second @ turn,
        turn.T @ curved @ turn,
        _positive_inverse(information)[0],
    )


def _surface(problem: LongProblem, values: FloatArray) -> tuple[Prepared, Surface, FloatArray]:
    """The surface at the generalised least squares solution, and the internal parameters."""
    ready = prepare(problem)
    admissible(ready, values)
    parameters = ready.internal(values)[ready.n_fixed :]
    surface = ready.surface(parameters)
    assert surface is not None  # admissible() has looked
    return ready, surface, parameters


def _restricted_slope(ready: Prepared) -> FloatArray:
    """Derivatives of the internal covariance parameters in the user's free ones."""
    assert ready.restriction is not None
    p = ready.n_fixed
    return np.asarray(np.linalg.solve(ready.jacobian[p:, p:], ready.restriction.matrix))


def _positive_inverse(matrix: FloatArray) -> tuple[FloatArray, int]:
    """Inverse over the directions of positive curvature, and how many others there are."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    solid = values > 1e-8
    root = scale[:, None] * vectors[:, solid] / np.sqrt(values[solid])
    return root @ root.T, int(np.sum(~solid))
