"""Moments of a linear structural equation model in RAM form, with derivatives.

All variables obey ``v = A v + u`` with ``u ~ N(m, S)``, hence ``v = B u`` with ``B = (I - A)^-1``.
Source: McArdle & McDonald (1984), https://doi.org/10.1111/j.2044-8317.1984.tb00802.x
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError

__all__ = [
    "ParameterEntries",
    "RamDerivatives",
    "ReducedForm",
    "ram_derivatives",
    "ram_moments",
    "reduced_form",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ParameterEntries:
    """Where each parameter stands in A, S and m; a parameter may stand in several places.

    Parameters
    ----------
    n_parameters : int
        How many parameters there are.
    directed : sequence of (parameter, row, column)
        Entries of A.
    symmetric : sequence of (parameter, row, column)
        Entries of S; an off-diagonal entry stands for both triangles and is given once.
    means : sequence of (parameter, row)
        Entries of m.
    """

    n_parameters: int
    directed: Sequence[tuple[int, int, int]] = ()
    symmetric: Sequence[tuple[int, int, int]] = ()
    means: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True)
class ReducedForm:
    """Outcomes given exogenous variables: ``y | x ~ N(intercept + slopes x, covariance)``.

    Parameters
    ----------
    intercept : (n_observed,) ndarray
        Means at x = 0.
    slopes : (n_observed, n_exogenous) ndarray
        Effects of x.
    covariance : (n_observed, n_observed) ndarray
        Covariance given x.
    """

    intercept: FloatArray
    slopes: FloatArray
    covariance: FloatArray


@dataclass(frozen=True)
class RamDerivatives:
    """Derivatives of a :class:`ReducedForm` with respect to the parameters.

    Parameters
    ----------
    intercept : (n_parameters, n_observed) ndarray
        First derivatives of the intercept.
    slopes : (n_parameters, n_observed, n_exogenous) ndarray
        First derivatives of the slopes.
    covariance : (n_parameters, n_observed, n_observed) ndarray
        First derivatives of the covariance.
    second_intercept : (n_parameters, n_parameters, n_observed) ndarray
        Second derivatives of the intercept.
    second_slopes : (n_parameters, n_parameters, n_observed, n_exogenous) ndarray
        Second derivatives of the slopes.
    second_covariance : (n_parameters, n_parameters, n_observed, n_observed) ndarray
        Second derivatives of the covariance.
    """

    intercept: FloatArray
    slopes: FloatArray
    covariance: FloatArray
    second_intercept: FloatArray
    second_slopes: FloatArray
    second_covariance: FloatArray


def _total_effects(directed: FloatArray) -> FloatArray:
    A = np.asarray(directed, dtype=float)
    if A.ndim != 2 or A.shape[0] != A.shape[1] or not np.all(np.isfinite(A)):
        raise SpecificationError(
            f"The matrix of directed paths, {A.shape}, is not a finite square matrix.",
            hint="Rows are effects, columns causes.",
        )
    try:
        return np.asarray(np.linalg.inv(np.eye(A.shape[0]) - A), dtype=float)
    except np.linalg.LinAlgError:
        raise SpecificationError(
            "I - A is singular: the directed paths form a loop that amplifies itself for ever.",
            hint="Change the coefficients of the loop.",
        ) from None


def ram_moments(
    directed: FloatArray, symmetric: FloatArray, means: FloatArray, observed: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Joint mean ``F B m`` and covariance ``F B S B' F'`` of the observed variables.

    Parameters
    ----------
    directed : (n_variables, n_variables) ndarray
        Directed paths A; row: effect, column: cause.
    symmetric : (n_variables, n_variables) ndarray
        (Co)variances S of the disturbances.
    means : (n_variables,) ndarray
        Means and intercepts m.
    observed : sequence of int
        The observed variables.

    Returns
    -------
    mean : (n_observed,) ndarray
        Implied means.
    cov : (n_observed, n_observed) ndarray
        Implied covariance matrix.

    Raises
    ------
    SpecificationError
        If A is not square and finite, or I - A is singular.

    Examples
    --------
    A factor (last variable) with mean 2 and variance 3 measured twice:

    >>> A = np.zeros((3, 3)); A[:2, 2] = 1.0
    >>> ram_moments(A, np.diag([1.0, 1.0, 3.0]), np.array([0.0, 0.0, 2.0]), [0, 1])
    (array([2., 2.]), array([[4., 3.],
           [3., 4.]]))
    """
    form = reduced_form(directed, symmetric, means, observed)
    return form.intercept, form.covariance


def reduced_form(
    directed: FloatArray,
    symmetric: FloatArray,
    means: FloatArray,
    observed: Sequence[int],
    exogenous: Sequence[int] = (),
) -> ReducedForm:
    """Moments of the observed variables given exogenous ones.

    Parameters
    ----------
    directed, symmetric, means, observed
        As in :func:`ram_moments`.
    exogenous : sequence of int
        Variables that are conditioned on. Nothing may cause them or vary with them: their
        rows of A and S and their means are zero.

    Returns
    -------
    ReducedForm
        Intercepts, slopes and covariance given x.

    Raises
    ------
    SpecificationError
        If an exogenous variable has a cause, a variance or a mean in the model, or
        I - A is singular.

    Examples
    --------
    >>> A = np.array([[0.0, 0.5], [0.0, 0.0]])
    >>> reduced_form(A, np.diag([2.0, 0.0]), np.array([1.0, 0.0]), [0], [1]).slopes
    array([[0.5]])
    """
    x = list(exogenous)
    S, m = np.asarray(symmetric, dtype=float), np.asarray(means, dtype=float)
    if x and (np.any(np.asarray(directed)[x]) or np.any(S[x]) or np.any(m[x])):
        raise SpecificationError(
            f"The exogenous variables {x} have causes, variances or means in the model.",
            hint="Condition only on variables that nothing explains.",
        )
    B = _total_effects(directed)[list(observed)]
    return ReducedForm(B @ m, B[:, x], B @ S @ B.T)


def ram_derivatives(
    directed: FloatArray,
    symmetric: FloatArray,
    means: FloatArray,
    observed: Sequence[int],
    entries: ParameterEntries,
    *,
    exogenous: Sequence[int] = (),
) -> RamDerivatives:
    r"""First and second derivatives of the reduced form.

    A, S and m are linear in the parameters, so with :math:`B_a = B A_a B` and
    :math:`B_{ab} = B A_a B A_b B + B A_b B A_a B`

    .. math::

        (B m)_{ab} &= B_{ab} m + B_a m_b + B_b m_a \\
        (B S B')_{a} &= B_a S B' + B S B_a' + B S_a B' \\
        (B S B')_{ab} &= \operatorname{sym}\{B_{ab} S B' + B_a S B_b' + B_a S_b B'
                         + B_b S_a B'\}

    where sym adds the transpose.

    Parameters
    ----------
    directed, symmetric, means, observed, exogenous
        As in :func:`reduced_form`.
    entries : ParameterEntries
        Where the parameters stand.

    Returns
    -------
    RamDerivatives
        Exact derivatives.

    Raises
    ------
    SpecificationError
        If I - A is singular.

    Examples
    --------
    >>> A = np.zeros((2, 2)); A[0, 1] = 0.5
    >>> where = ParameterEntries(1, directed=[(0, 0, 1)])
    >>> d = ram_derivatives(A, np.diag([1.0, 3.0]), np.zeros(2), [0], where)
    >>> d.covariance[0], d.second_covariance[0, 0]
    (array([[3.]]), array([[6.]]))
    """
    S, m = np.asarray(symmetric, dtype=float), np.asarray(means, dtype=float)
    p, size, rows, x = entries.n_parameters, m.size, list(observed), list(exogenous)
    full = _total_effects(directed)
    dA, dS, dm = np.zeros((p, size, size)), np.zeros((p, size, size)), np.zeros((p, size))
    for a, i, j in entries.directed:
        dA[a, i, j] += 1.0
    for a, i, j in entries.symmetric:
        dS[a, i, j] += 1.0
        if i != j:
            dS[a, j, i] += 1.0
    for a, i in entries.means:
        dm[a, i] += 1.0
    B = full[rows]
    step = dA @ full  # A_a B
    dB = B @ step  # (p, observed, size)
    half = np.einsum("aoi,bij->aboj", dB, step)
    d2B = half + np.swapaxes(half, 0, 1)
    first = np.einsum("aoi,bi->abo", dB, dm)
    second_intercept = d2B @ m + first + np.swapaxes(first, 0, 1)
    one_side = dB @ (S @ B.T)
    covariance = one_side + np.swapaxes(one_side, 1, 2) + B @ dS @ B.T
    mixed = np.einsum("aoi,bij,kj->abok", dB, dS, B, optimize=True)
    both = d2B @ (S @ B.T) + mixed + np.swapaxes(mixed, 0, 1)
    both = both + np.einsum("aoi,ij,bkj->abok", dB, S, dB, optimize=True)
    second_covariance = both + np.swapaxes(both, 2, 3)
    return RamDerivatives(
        dB @ m + dm @ B.T, dB[:, :, x], covariance, second_intercept, d2B[..., x], second_covariance
    )
