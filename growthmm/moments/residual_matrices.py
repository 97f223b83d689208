"""Residual covariance matrices by their definitions, with exact first derivatives.

Written out entry by entry, from what each structure means; nothing here is shared with the engines.
Parameters stand in the order in which the mixed model names them.

=================  ==========================================  =================================
kind               parameters                                  entry (j, k)
=================  ==========================================  =================================
``common``         v                                           v [j = k]
``by_occasion``    v_1 ... v_T                                 v_j [j = k]
``by_group``       v_1 ... v_g                                 v_(stratum of j) [j = k]
``ar1``            v, rho                                      v rho^|t_j - t_k|
``ar1+common``     a, rho, v                                   a rho^|t_j - t_k| + v [j = k]
``arh1``           v_1 ... v_T, rho                            sqrt(v_j v_k) rho^|t_j - t_k|
``cs``             v, rho                                      v (rho or 1)
``csh``            v_1 ... v_T, rho                            sqrt(v_j v_k) (rho or 1)
``toeplitz``       c_0 ... c_(T-1)                             c_|j - k|
``banded``         c_11, c_12, ..., c_22, ... within the band  c_jk [|j - k| <= bands]
``unstructured``   c_11, c_12, ..., c_22, ...                  c_jk
``across``         c_11, c_12, ..., c_22, ... over strata      c_(strata of j, k) [t_j = t_k]
=================  ==========================================  =================================

Jennrich, R. I., & Schluchter, M. D. (1986). https://doi.org/10.2307/2530695
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError

__all__ = ["ResidualMatrix", "n_residual_parameters", "residual_matrix", "residual_values"]

FloatArray = NDArray[np.float64]

LINEAR = ("common", "by_occasion", "by_group", "toeplitz", "banded", "unstructured")
DECAYING = ("ar1", "ar1+common", "arh1")
BY_OCCASION = ("arh1", "csh")


@dataclass(frozen=True)
class ResidualMatrix:
    """The covariance matrix of one person's residuals and its derivatives.

    Parameters
    ----------
    matrix : (n_times, n_times) ndarray
        The matrix.
    derivatives : (n_parameters, n_times, n_times) ndarray
        Its derivative by each parameter.
    """

    matrix: FloatArray
    derivatives: FloatArray


def n_residual_parameters(kind: str, n_times: int, *, bands: int = 0, n_strata: int = 0) -> int:
    """How many parameters a structure has over `n_times` occasions.

    Examples
    --------
    >>> n_residual_parameters("banded", 4, bands=1), n_residual_parameters("arh1", 4)
    (7, 5)
    """
    if kind in LINEAR:
        return int(_table(kind, n_times, bands, _no_strata(n_times, n_strata)).max(initial=-1)) + 1
    _known(kind)
    if kind == "ar1+common":
        return 3
    return n_times + 1 if kind in BY_OCCASION else 2


def residual_matrix(
    kind: str,
    values: Sequence[float] | FloatArray,
    times: Sequence[float] | FloatArray,
    *,
    bands: int = 0,
    strata: Sequence[int] | None = None,
) -> ResidualMatrix:
    """The residual covariance matrix over all `times`.

    Parameters
    ----------
    kind : str
        The structure, as the table above has it.
    values : (n_parameters,) array
        Its parameters.
    times : (n_times,) array
        The occasions' times; of a person with fewer rows take the submatrix.
    bands : int
        How many bands beside the diagonal are free (``banded``).
    strata : (n_times,) sequence of int, optional
        Level of each row's grouping column (``by_group``, ``across``); where every time has a
        matrix of its own (``across``), a level for each row.

    Returns
    -------
    ResidualMatrix
        Matrix and derivatives.

    Raises
    ------
    SpecificationError
        If the kind is unknown, the number of parameters is another one, or a correlation has no
        real power (negative, with time differences that are no whole numbers).

    Examples
    --------
    >>> residual_matrix("ar1", [4.0, 0.5], [0.0, 1.0, 3.0]).matrix
    array([[4. , 2. , 0.5],
           [2. , 4. , 1. ],
           [0.5, 1. , 4. ]])
    """
    own, t = np.asarray(values, dtype=float), np.asarray(times, dtype=float)
    groups = None if strata is None else np.asarray(strata, dtype=np.intp)
    if kind == "across":
        return _linear(own, _across(t, groups))
    highest = 0 if groups is None else int(groups.max(initial=-1)) + 1
    wanted = n_residual_parameters(kind, len(t), bands=bands, n_strata=highest)
    if len(own) < wanted or (len(own) > wanted and kind != "by_group"):
        raise SpecificationError(
            f"{len(own)} residual parameters for {kind} over {len(t)} occasions.",
            hint=f"Give {wanted} of them.",
        )
    if kind in LINEAR:
        return _linear(own, _table(kind, len(t), bands, groups))
    if kind == "ar1+common":
        level, slope = _correlations(kind, float(own[1]), t)
        eye = np.eye(len(t))
        return ResidualMatrix(own[0] * level + own[2] * eye, np.stack([level, own[0] * slope, eye]))
    level, slope = _correlations(kind, float(own[-1]), t)
    if kind not in BY_OCCASION:
        return ResidualMatrix(own[0] * level, np.stack([level, own[0] * slope]))
    return _heterogeneous(own[:-1], level, slope)


def _linear(own: FloatArray, table: NDArray[np.intp]) -> ResidualMatrix:
    """The matrix whose cells hold the parameters that the table says."""
    rows = (table == np.arange(len(own))[:, None, None]).astype(float)
    return ResidualMatrix(np.tensordot(own, rows, axes=1), rows)


def _across(times: FloatArray, strata: NDArray[np.intp] | None) -> NDArray[np.intp]:
    """Which parameter each cell holds where rows of one time covary by their strata."""
    if strata is None:
        raise SpecificationError(
            "Residual covariances across outcomes without the outcomes.", hint="Give strata=."
        )
    lower = np.minimum(strata[:, None], strata[None, :])
    upper = np.maximum(strata[:, None], strata[None, :])
    pair = lower * (int(strata.max(initial=0)) + 1) + upper
    covary = np.equal.outer(times, times) & (
        np.not_equal.outer(strata, strata) | np.eye(len(times), dtype=bool)
    )
    known = np.unique(pair[covary])
    return np.where(covary, np.searchsorted(known, pair), -1)


def _heterogeneous(variances: FloatArray, level: FloatArray, slope: FloatArray) -> ResidualMatrix:
    """``sqrt(v_j v_k) C_jk``."""
    if np.any(variances <= 0):
        raise SpecificationError(
            f"Residual variances {variances.tolist()} with a correlation between them.",
            hint="Give positive variances.",
        )
    size = len(variances)
    sd = np.sqrt(variances)
    outer = np.outer(sd, sd)
    rows = np.zeros((size + 1, size, size))
    for j in range(size):
        half = 0.5 * outer[j] * level[j] / variances[j]
        rows[j, j, :] += half
        rows[j, :, j] += half
    rows[size] = outer * slope
    return ResidualMatrix(outer * level, rows)


def _correlations(kind: str, rho: float, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The correlation matrix that `rho` makes, and its derivative."""
    size = len(times)
    off = 1.0 - np.eye(size)
    if kind not in DECAYING:
        return np.eye(size) + rho * off, off
    distance = np.abs(times[:, None] - times[None, :])
    if rho <= 0:
        whole = np.rint(distance)
        if np.any(np.abs(whole - distance) > 1e-9):
            raise SpecificationError(
                f"A correlation of {rho:g} has no real power at time differences that are no "
                "whole numbers.",
                hint="Give a positive one, or count time in whole units.",
            )
        distance = whole
    level, slope = np.eye(size), np.zeros((size, size))
    apart = off > 0
    level[apart] = np.power(rho, distance[apart])
    slope[apart] = distance[apart] * np.power(rho, distance[apart] - 1.0)
    return level, slope


def _table(
    kind: str, n_times: int, bands: int, strata: NDArray[np.intp] | None
) -> NDArray[np.intp]:
    """Which parameter each cell holds, -1 for none."""
    place = np.arange(n_times)
    lag = np.abs(place[:, None] - place[None, :])
    same = lag == 0
    if kind == "common":
        return np.where(same, 0, -1)
    if kind == "by_occasion":
        return np.where(same, place[:, None], -1)
    if kind == "by_group":
        if strata is None:
            raise SpecificationError(
                "Residual variances by group without the groups.", hint="Give strata=."
            )
        return np.where(same, strata[:, None], -1)
    if kind == "toeplitz":
        return np.asarray(lag)
    table = np.full((n_times, n_times), -1)
    width = bands if kind == "banded" else n_times
    count = 0
    for j in range(n_times):
        for k in range(j, min(n_times, j + width + 1)):
            table[j, k] = table[k, j] = count
            count += 1
    return table


def _no_strata(n_times: int, n_strata: int) -> NDArray[np.intp]:
    return np.full(n_times, n_strata - 1, dtype=np.intp)


def _known(kind: str) -> None:
    if kind not in (*LINEAR, *DECAYING, "cs", "csh"):
        raise SpecificationError(f"There is no residual structure {kind!r}.", hint="See the table.")


def residual_values(
    kind: str, matrix: FloatArray, times: Sequence[float] | FloatArray, *, bands: int = 0
) -> FloatArray | None:
    """The parameters of a structure that give `matrix`, solved for from as few entries as needed.

    Parameters
    ----------
    kind : str
        The structure; not ``by_group``.
    matrix : (n_times, n_times) ndarray
        A covariance matrix.
    times : (n_times,) array
        The occasions' times.
    bands : int
        As in :func:`residual_matrix`.

    Returns
    -------
    (n_parameters,) ndarray or None
        None where no parameters give the matrix, to 1e-9 of its entries.

    Examples
    --------
    >>> residual_values("ar1+common", np.array([[5, 2, 1], [2, 5, 2], [1, 2, 5.0]]), [0, 1, 2])
    array([4. , 0.5, 1. ])
    >>> residual_values("ar1", np.array([[5, 2, 1], [2, 5, 2], [1, 2, 5.0]]), [0, 1, 2]) is None
    True
    """
    t = np.asarray(times, dtype=float)
    with np.errstate(all="ignore"):
        found = _solved(kind, np.asarray(matrix, dtype=float), t, bands)
    if found is None or not np.all(np.isfinite(found)):
        return None
    try:
        again = residual_matrix(kind, found, t, bands=bands).matrix
    except SpecificationError:
        return None
    close = np.abs(again - matrix) <= 1e-9 * float(np.abs(matrix).max(initial=0.0))
    return found if bool(np.all(close)) else None


def _solved(kind: str, R: FloatArray, t: FloatArray, bands: int) -> FloatArray | None:
    size = len(t)
    if kind in LINEAR:
        table = _table(kind, size, bands, None)
        first = [np.argwhere(table == k)[0] for k in range(int(table.max()) + 1)]
        return np.array([R[j, k] for j, k in first])
    _known(kind)
    if size < 2:
        return None
    variances = np.diag(R)
    sd = np.sqrt(variances)
    C = R / np.outer(sd, sd)
    if kind in ("cs", "csh"):
        rho = C[0, 1]
        return np.append(variances, rho) if kind == "csh" else np.array([R[0, 0], rho])
    pairs = sorted((abs(float(t[k] - t[j])), j, k) for j in range(size) for k in range(j + 1, size))
    if kind == "ar1+common":
        near = pairs[0]
        far = next((pair for pair in pairs if pair[0] > near[0] * (1 + 1e-9)), None)
        if far is None:
            return None
        ratio = R[far[1:]] / R[near[1:]]
        rho = _root(ratio, far[0] - near[0])
        part = R[near[1:]] / _power(rho, near[0])
        return np.array([part, rho, R[0, 0] - part])
    # An odd distance, where there is one, tells the sign.
    odd = [pair for pair in pairs if abs(pair[0] % 2 - 1) < 1e-9]
    distance, j, k = odd[0] if odd else pairs[0]
    rho = _root(C[j, k], distance)
    return np.append(variances, rho) if kind == "arh1" else np.array([R[0, 0], rho])


def _root(value: float, distance: float) -> float:
    """The correlation at distance one."""
    odd = abs(distance % 2 - 1) < 1e-9
    return float(np.sign(value) * abs(value) ** (1 / distance)) if odd else value ** (1 / distance)


def _power(rho: float, distance: float) -> float:
    whole = round(distance)
    return float(rho ** (whole if abs(whole - distance) < 1e-9 else distance))
