"""Where on a moderator's scale a simple slope differs from zero (Johnson & Neyman)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.errors import UnsupportedEngineError
from growthmm.inference.reading.contrasts import slope_places, slope_table
from growthmm.inference.result import FitResult
from growthmm.rendering import Shown, render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["SignificanceRegion", "significance_region"]


@dataclass(frozen=True)
class SignificanceRegion(Shown):
    """The moderator values at which a simple slope differs from zero.

    Parameters
    ----------
    slope, interaction : str
        The parameters.
    bounds : tuple of float
        Where the slope is just significant: none, one or two values.
    where : {"outside", "inside", "everywhere", "nowhere", "above", "below"}
        On which side of the bounds it is.
    level : float
        One minus the size of the tests.
    fit : FitResult
        Whose slopes they are.
    """

    slope: str
    interaction: str
    bounds: tuple[float, ...]
    where: str
    level: float
    fit: FitResult

    def slopes(self, low: float, high: float, n: int = 101) -> pd.DataFrame:
        """Simple slopes on a grid of moderator values."""
        grid = np.linspace(low, high, n)
        return slope_table(self.fit, self.slope, self.interaction, list(grid), self.level)

    def plot(self, low: float, high: float) -> Figure:
        """The simple slope with its interval over moderator values from `low` to `high`.

        Raises
        ------
        EngineNotInstalledError
            If matplotlib is absent.
        """
        figure: Figure = render("region.figure", self, low, high)
        return figure

    def summary(self) -> str:
        """One line of text."""
        ends = " and ".join(f"{value:.4g}" for value in self.bounds)
        place = f"{self.where} {ends}" if self.bounds else self.where
        return (
            f"{self.slope} + {self.interaction} * moderator differs from zero "
            f"({100 * (1 - self.level):g}% tests) {place}"
        )

    def __repr__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "slope": self.slope,
            "interaction": self.interaction,
            "bounds": list(self.bounds),
            "where": self.where,
            "level": self.level,
        }


def significance_region(
    fit: FitResult, slope: str, interaction: str, level: float = 0.95
) -> SignificanceRegion:
    """The Johnson-Neyman region of a simple slope.

    The slope at moderator m is ``a + b m``; its bounds solve
    ``(a + b m)^2 = q^2 (V_aa + 2 m V_ab + m^2 V_bb)`` with the critical value q: normal, or of t
    with the smaller of the two coefficients' degrees of freedom where the fit has them. Johnson &
    Neyman (1936); for mixed models and growth curves Curran, Bauer & Willoughby (2004),
    doi:10.1037/1082-989X.9.2.220.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    slope, interaction : str
        Parameters, named as in ``fit.estimates``.
    level : float
        One minus the size of the tests, value by value.

    Returns
    -------
    SignificanceRegion

    Raises
    ------
    SpecificationError
        If a parameter is unknown.
    UnsupportedEngineError
        If a parameter has no standard error.
    """
    from scipy.special import ndtri, stdtrit

    a, b = slope_places(fit, slope, interaction)
    spread = fit.fit.covariance[np.ix_([a, b], [a, b])]
    if not np.all(np.isfinite(spread)):
        raise UnsupportedEngineError(
            f"{slope} and {interaction} have no standard errors here.",
            hint="Fit again with information='expected', or drop what is at a boundary.",
        )
    df = np.nan if fit.degrees is None else np.nanmin(np.append(fit.degrees[[a, b]], np.inf))
    p = 0.5 + level / 2
    q = float(stdtrit(df, p) if df < np.inf else ndtri(p))
    one, two = fit.fit.estimates[[a, b]]
    # Significant where c2 m^2 + c1 m + c0 > 0.
    c2 = two**2 - q**2 * spread[1, 1]
    c1 = 2 * (one * two - q**2 * spread[0, 1])
    c0 = one**2 - q**2 * spread[0, 0]
    bounds, where = _solve(float(c2), float(c1), float(c0))
    return SignificanceRegion(slope, interaction, bounds, where, level, fit)


def _solve(c2: float, c1: float, c0: float) -> tuple[tuple[float, ...], str]:
    inner = c1**2 - 4 * c2 * c0
    if c2 == 0:
        if c1 == 0:
            return (), "everywhere" if c0 > 0 else "nowhere"
        return (-c0 / c1,), "above" if c1 > 0 else "below"
    if inner <= 0:
        return (), "everywhere" if c2 > 0 else "nowhere"
    # The root without cancellation first.
    half = -0.5 * (c1 + np.copysign(np.sqrt(inner), c1))
    ends = sorted((float(half / c2), float(c0 / half)))
    return tuple(ends), "outside" if c2 > 0 else "inside"
