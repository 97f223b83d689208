"""Linear combinations of a fit's parameters, simple slopes among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import LongData
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.degrees.method import degrees_of
from growthmm.inference.hypotheses.linear import linear_hypothesis
from growthmm.inference.result import FitResult
from growthmm.model.sem import SemModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Combination",
    "combination",
    "contrast_table",
    "parameter_places",
    "slope_places",
    "slope_table",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Combination:
    """An estimated linear combination of parameters.

    Parameters
    ----------
    estimate, std_error : float
        NaN where a parameter has no standard error.
    df : float
        Degrees of freedom of its test; NaN where it is normal.
    """

    estimate: float
    std_error: float
    df: float

    def quantile(self, level: float) -> float:
        """Two-sided critical value."""
        from scipy.special import ndtri, stdtrit

        p = 0.5 + level / 2
        return float(stdtrit(self.df, p) if self.df < np.inf else ndtri(p))

    def row(self, level: float) -> dict[str, float]:
        """Columns ``estimate, std_error, statistic, df, p_value, ci_low, ci_high``."""
        from scipy.special import ndtr, stdtr

        statistic = self.estimate / self.std_error if self.std_error > 0 else np.nan
        tail = stdtr(self.df, -abs(statistic)) if self.df < np.inf else ndtr(-abs(statistic))
        half = self.quantile(level) * self.std_error
        return {
            "estimate": self.estimate,
            "std_error": self.std_error,
            "statistic": statistic,
            "df": self.df,
            "p_value": float(2 * tail),
            "ci_low": self.estimate - half,
            "ci_high": self.estimate + half,
        }


def parameter_places(fit: FitResult) -> dict[str, int]:
    """Position of every name of the table of estimates among the parameters."""
    position = {name: k for k, name in enumerate(fit.fit.names)}
    if isinstance(fit.model, SemModel):
        return {p.name: position[p.parameter] for p in fit.model.paths if p.free} | position
    return position


def combination(fit: FitResult, weights: FloatArray) -> Combination:
    """Estimate, standard error and degrees of freedom of ``weights @ parameters``.

    Parameters
    ----------
    fit : FitResult
        Whose parameters, standard errors and method for degrees of freedom are meant.
    weights : (n_parameters,) ndarray
        One for each of ``fit.fit.names``.
    """
    used = np.flatnonzero(weights)
    square = float(weights[used] @ fit.fit.covariance[np.ix_(used, used)] @ weights[used])
    error = float(np.sqrt(square)) if square >= 0 else np.nan
    return Combination(float(weights @ fit.fit.estimates), error, _df(fit, weights))


def _df(fit: FitResult, weights: FloatArray) -> float:
    if fit.df is None or fit.degrees is None:
        return float("nan")
    used = np.flatnonzero(weights)
    if len(used) == 1:
        return float(fit.degrees[used[0]])
    if fit.robust is not None:
        raise UnsupportedEngineError(
            f"Robust standard errors {fit.robust} have degrees of freedom for each coefficient, "
            "not for their combinations.",
            hint="Use robust='cr0', or model-based standard errors with df=.",
        )
    found = degrees_of(fit.fit, fit.data.problem, fit.df)
    assert isinstance(fit.data, LongData)
    p = fit.data.problem.fixed.shape[1]
    return found.of(weights[:p]) if not np.any(weights[p:]) else float("nan")


def contrast_table(
    fit: FitResult, combinations: Mapping[str, str] | Sequence[str], level: float = 0.95
) -> pd.DataFrame:
    """Linear combinations written as text.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    combinations : mapping of str to str, or sequence of str
        Texts such as ``"occasion + 2*occasion:sexmale"``, labelled or not. Names are those of
        ``fit.estimates``.
    level : float
        Coverage.

    Returns
    -------
    DataFrame
        Columns ``name, estimate, std_error, statistic, df, p_value, ci_low, ci_high``.

    Raises
    ------
    NotationError
        If a text cannot be read.
    SpecificationError
        If a text names no parameter.
    """
    import pandas as pd

    if isinstance(combinations, str):
        combinations = [combinations]
    pairs = (
        list(combinations.items())
        if isinstance(combinations, Mapping)
        else [(text, text) for text in combinations]
    )
    places = parameter_places(fit)
    records = []
    for label, text in pairs:
        made = linear_hypothesis(text, places, len(fit.fit.names))
        if len(made.matrix) != 1 or "=" in _without_names(text, places):
            raise SpecificationError(
                f"{text!r} is no single combination of parameters.",
                hint="Write one sum, without '='; gm.test takes equations.",
            )
        found = combination(fit, made.matrix[0])
        shifted = Combination(found.estimate - float(made.target[0]), found.std_error, found.df)
        records.append({"name": label} | shifted.row(level))
    return pd.DataFrame.from_records(records)


def _without_names(text: str, names: Mapping[str, int]) -> str:
    """What a text says beside parameters, whose names may hold an equals sign (``s=~y2``)."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def slope_table(
    fit: FitResult, slope: str, interaction: str, at: Sequence[float], level: float = 0.95
) -> pd.DataFrame:
    """Simple slopes ``slope + interaction * m`` at moderator values m.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    slope, interaction : str
        Parameters, named as in ``fit.estimates``: ``"occasion"`` and ``"occasion:sexmale"``, or
        ``"s~1"`` and ``"s~sexmale"``.
    at : sequence of float
        Moderator values.
    level : float
        Coverage.

    Returns
    -------
    DataFrame
        Columns ``moderator, estimate, std_error, statistic, df, p_value, ci_low, ci_high``.

    Raises
    ------
    SpecificationError
        If a parameter is unknown.
    """
    import pandas as pd

    a, b = slope_places(fit, slope, interaction)
    unit = np.eye(len(fit.fit.names))
    rows = [
        {"moderator": float(m)} | combination(fit, unit[a] + float(m) * unit[b]).row(level)
        for m in at
    ]
    return pd.DataFrame.from_records(rows)


def slope_places(fit: FitResult, slope: str, interaction: str) -> tuple[int, int]:
    """Positions of both parameters.

    Raises
    ------
    SpecificationError
        If a parameter is unknown, is the other one, or is a variance.
    """
    places = parameter_places(fit)
    strange = [name for name in (slope, interaction) if name not in places]
    if strange or places[slope] == places[interaction]:
        what = f"no parameter {', '.join(map(repr, strange))}" if strange else "one parameter only"
        raise SpecificationError(
            f"Simple slopes need a slope and its interaction; the fit has {what}.",
            hint=f"It has: {', '.join(places)}.",
        )
    at = places[slope], places[interaction]
    if any(fit.fit.kinds[k] not in ("fixed", "mean", "regression") for k in at):
        raise SpecificationError(
            f"{slope} and {interaction} are not both fixed effects (means or regressions).",
            hint="Name a coefficient and its interaction with the moderator.",
        )
    return at
