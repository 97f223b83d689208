"""Residual covariances of several outcomes at one time: their parameters."""

from __future__ import annotations

from growthmm.model.names import RESIDUAL, residual_name, stratum_names
from growthmm.model.residual_parameters import Cell, ResidualParameter

__all__ = ["across_parameters", "across_places"]


def across_places(
    series: tuple[str, ...], occasions: tuple[float, ...], *, crossed: bool = False
) -> dict[tuple[int, int], tuple[Cell, ...]]:
    """The cells that hold one parameter, by a pair of outcomes or of cells.

    Parameters
    ----------
    series : tuple of str
        Which outcome each occasion is of.
    occasions : tuple of float
        The times.
    crossed : bool
        Whether each time has variances and covariances of its own.

    Returns
    -------
    dict of (int, int) to tuple of (int, int)
        In the order of the upper triangle. Keys are positions among the outcomes, or among the
        cells where `crossed`.

    Examples
    --------
    >>> across_places(("a", "a", "b", "b"), (0.0, 1.0, 0.0, 1.0))[0, 1]
    ((0, 2), (1, 3))
    """
    outcomes = tuple(dict.fromkeys(series))
    own = tuple(range(len(series))) if crossed else tuple(outcomes.index(one) for one in series)
    found: dict[tuple[int, int], list[Cell]] = {}
    for j, first in enumerate(occasions):
        for k in range(j, len(occasions)):
            if occasions[k] == first and (k == j or series[k] != series[j]):
                a, b = sorted((own[j], own[k]))
                found.setdefault((a, b), []).append((j, k))
    return {pair: tuple(found[pair]) for pair in sorted(found)}


def across_parameters(
    series: tuple[str, ...], occasions: tuple[float, ...], *, crossed: bool = False
) -> tuple[ResidualParameter, ...]:
    """Variances of the outcomes' residuals and covariances of those at one time.

    Parameters
    ----------
    series, occasions, crossed
        As in :func:`across_places`.

    Examples
    --------
    >>> [p.name for p in across_parameters(("a", "b"), (0.0, 0.0))]
    ['var(Residual[a])', 'cov(Residual[a],Residual[b])', 'var(Residual[b])']
    """
    names = tuple(dict.fromkeys(series))
    if crossed:
        cells = zip(series, occasions, strict=True)
        names = tuple(stratum_names((one,), (time,))[0] for one, time in cells)
    made = []
    for (a, b), found in across_places(series, occasions, crossed=crossed).items():
        if a == b:
            made.append(
                ResidualParameter(f"residual:{a}", residual_name(names[a]), "variance", found)
            )
            continue
        name = f"cov({RESIDUAL}[{names[a]}],{RESIDUAL}[{names[b]}])"
        made.append(ResidualParameter(f"residual:{a}:{b}", name, "covariance", found))
    return tuple(made)
