"""The parameters of a residual structure over occasions: keys, names, and the cells they fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from growthmm.model.names import RESIDUAL, residual_name
from growthmm.model.residual import ResidualStructure

__all__ = ["Cell", "ResidualParameter", "residual_parameters"]

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ResidualParameter:
    """One parameter of the residuals.

    Parameters
    ----------
    key : str
        Its key in a growth model: ``residual``, ``residual:2`` (an occasion's variance),
        ``residual:0:2`` (a covariance of two occasions), ``residual:lag1``, ``residual:rho``,
        ``residual:ar1``.
    name : str
        What a mixed model calls it.
    kind : {"variance", "covariance", "correlation"}
        What it is.
    cells : tuple of (int, int)
        The entries (j, k), j <= k, of the covariance matrix that it *is*; empty where it is none.
    """

    key: str
    name: str
    kind: Literal["variance", "covariance", "correlation"]
    cells: tuple[Cell, ...] = ()


def residual_parameters(
    structure: ResidualStructure, occasions: tuple[float, ...]
) -> tuple[ResidualParameter, ...]:
    """The parameters of a structure over shared occasions, in the mixed model's order.

    Parameters
    ----------
    structure : ResidualStructure
        The structure.
    occasions : tuple of float
        The times.

    Examples
    --------
    >>> [p.name for p in residual_parameters(ResidualStructure("ar1"), (0.0, 1.0))]
    ['var(Residual)', 'rho(Residual)']
    """
    size, kind = len(occasions), structure.kind
    diagonal = tuple((j, j) for j in range(size))
    one = ResidualParameter("residual", residual_name(), "variance", diagonal)
    each = tuple(
        ResidualParameter(f"residual:{j}", residual_name(time), "variance", ((j, j),))
        for j, time in enumerate(occasions)
    )
    rho = ResidualParameter("residual:rho", f"rho({RESIDUAL})", "correlation")
    if kind == "by_occasion":
        return each
    if kind in ("ar1", "cs"):
        return one, rho
    if kind in ("arh1", "csh"):
        return *each, rho
    if kind == "ar1+common":
        return (
            ResidualParameter("residual:ar1", "var(AR1)", "variance"),
            ResidualParameter("residual:rho", "rho(AR1)", "correlation"),
            ResidualParameter("residual", residual_name(), "variance"),
        )
    if kind == "toeplitz":
        return one, *(_lag(lag, size) for lag in range(1, size))
    if kind in ("banded", "unstructured"):
        width = structure.bands or size
        return tuple(
            each[j] if j == k else _entry(j, k, occasions)
            for j in range(size)
            for k in range(j, min(size, j + width + 1))
        )
    return (one,)


def _lag(lag: int, size: int) -> ResidualParameter:
    cells = tuple((j, j + lag) for j in range(size - lag))
    return ResidualParameter(
        f"residual:lag{lag}", f"cov({RESIDUAL}[lag {lag}])", "covariance", cells
    )


def _entry(j: int, k: int, occasions: tuple[float, ...]) -> ResidualParameter:
    name = f"cov({RESIDUAL}[{occasions[j]:.15g}],{RESIDUAL}[{occasions[k]:.15g}])"
    return ResidualParameter(f"residual:{j}:{k}", name, "covariance", ((j, k),))
