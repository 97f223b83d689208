"""Tests of whole terms of a formula: F tests with degrees of freedom, or Wald's chi-square."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate
from growthmm.data.frames import as_pandas
from growthmm.engines.prepare import LongData
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.degrees.method import METHODS, Degrees, degrees_of
from growthmm.inference.estimated_loadings import refuse_estimated_loadings
from growthmm.inference.hypotheses.estimable import TermColumns, type_1, type_2, type_3
from growthmm.inference.penalised import refuse_penalised
from growthmm.inference.plain_values import records
from growthmm.inference.reading.new_rows import bound_of
from growthmm.inference.result import FitResult
from growthmm.model.expression import spell
from growthmm.model.schema import Column, ColumnPart
from growthmm.model.terms import Term
from growthmm.rendering import Shown, Tabular

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUMS", "TermTests", "term_coefficients", "term_name", "term_tests"]

FloatArray = NDArray[np.float64]

SUMS = ("I", "II", "III")
"""Types of hypotheses, by the sums of squares that have them."""


@dataclass(frozen=True)
class TermTests(Tabular, Shown):
    """A test of every term of a mixed model's fixed effects.

    Parameters
    ----------
    table : DataFrame
        One row a term: ``term, statistic, df, df_denominator, p_value``. The statistic is F where
        there are denominator degrees of freedom, else a chi-square.
    sums : {"I", "II", "III"}
        Which hypotheses.
    method : {"satterthwaite", "kenward-roger", "none"}
        How the denominator's degrees of freedom were found.
    contrasts : dict of str to DataFrame
        For each term the contrasts of the coefficients (columns) that are tested against zero.
    """

    table: pd.DataFrame
    sums: str
    method: str
    contrasts: dict[str, pd.DataFrame]

    def to_dict(self) -> dict[str, Any]:
        """As plain values: ``sums``, ``method``, ``rows``."""
        return {"sums": self.sums, "method": self.method, "rows": records(self.table)}

    def summary(self) -> str:
        """The table as text."""
        title = {
            "none": "Wald tests",
            "satterthwaite": "F tests, Satterthwaite's degrees of freedom",
        }
        head = title.get(self.method, "F tests, Kenward and Roger's degrees of freedom")
        shown = self.table.rename(
            columns={"statistic": "chi2" if self.method == "none" else "F", "p_value": "p"}
        )
        if self.method == "none":
            shown = shown.drop(columns="df_denominator")
        text = shown.to_string(index=False, float_format=lambda v: f"{v:.4g}")
        return f"Type {self.sums} {head}\n{text}"

    def __repr__(self) -> str:
        return self.summary()


def term_tests(fit: FitResult, sums: str = "III", df: str | None = None) -> TermTests:
    """Test every term beside the intercept.

    Parameters
    ----------
    fit : FitResult
        A mixed model.
    sums : {"I", "II", "III"}
        See :func:`growthmm.inference.hypotheses.estimable.type_3` and its neighbours.
    df : {"satterthwaite", "kenward-roger", "none"}, optional
        Denominator degrees of freedom; those of the fit where None.

    Returns
    -------
    TermTests

    Raises
    ------
    SpecificationError
        If `sums` or `df` is none, or there is no term beside the intercept.
    UnsupportedEngineError
        If it is no mixed model fitted with its data, or the degrees of freedom don't apply.
    """
    import pandas as pd

    if sums not in SUMS:
        raise SpecificationError(
            f"There are no hypotheses of type {sums!r}.", hint=f"Use one of {', '.join(SUMS)}."
        )
    if df not in (None, *METHODS):
        raise SpecificationError(
            f"There are no degrees of freedom {df!r}.", hint=f"Use one of {', '.join(METHODS)}."
        )
    data = _mixed(fit)
    method = df or (fit.df if fit.robust is None else None) or "none"
    if method != "none" and fit.robust is not None:
        raise UnsupportedEngineError(
            f"Degrees of freedom by {method} go with the model's own standard errors; these are "
            f"robust ({fit.robust}).",
            hint="Fit without robust=, or take df='none'.",
        )
    if method != "none":
        refuse_penalised(fit.penalty, f"An F test with degrees of freedom by {method}")
    found = None if method == "none" else degrees_of(fit.fit, data.problem, method)
    contrasts = _contrasts(fit, data, sums)
    if not contrasts:
        raise SpecificationError(
            "The model has no term beside the intercept.", hint="Add a predictor."
        )
    names = list(data.problem.fixed_names)
    rows = [_row(fit, name, made, found) for name, made in contrasts.items()]
    frames = {name: pd.DataFrame(made, columns=names) for name, made in contrasts.items()}
    return TermTests(pd.DataFrame.from_records(rows), sums, method, frames)


def _row(
    fit: FitResult, name: str, contrasts: FloatArray, found: Degrees | None
) -> dict[str, str | float]:
    from scipy.special import chdtrc, fdtrc

    p, q = contrasts.shape[1], len(contrasts)
    gap = contrasts @ fit.fit.estimates[:p]
    if found is None:
        spread = contrasts @ fit.fit.covariance[:p, :p] @ contrasts.T
        statistic, denominator = float(gap @ np.linalg.solve(spread, gap)), np.nan
        p_value = float(chdtrc(q, statistic))
    else:
        statistic, denominator = found.f_test(gap, contrasts)
        finite = np.isfinite(denominator)
        p_value = float(fdtrc(q, denominator, statistic) if finite else chdtrc(q, q * statistic))
    return {
        "term": name,
        "statistic": statistic,
        "df": q,
        "df_denominator": denominator,
        "p_value": p_value,
    }


def term_name(term: Term) -> str:
    """A term as R prints it.

    Examples
    --------
    >>> term_name(Term(("C(wave)", "sex")))
    'factor(wave):sex'
    """
    return ":".join(spell(factor, "r") for factor in term.factors) or "(Intercept)"


def term_coefficients(fit: FitResult) -> dict[str, tuple[str, ...]]:
    """The coefficients of each term, by the term's name in R's and in Python's spelling.

    Empty for fits that keep no terms.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    """
    data = fit.data
    if not isinstance(data, LongData) or data.bound is None:
        return {}
    names = data.problem.fixed_names
    made: dict[str, tuple[str, ...]] = {}
    for name, column in zip(names, data.bound.fixed, strict=False):
        for label in dict.fromkeys((term_name(column.term), str(column.term))):
            made[label] = (*made.get(label, ()), name)
    return made


def _mixed(fit: FitResult) -> LongData:
    data = fit.data
    if not isinstance(data, LongData):
        raise UnsupportedEngineError(
            "Terms are of a mixed model's formula, and this is a structural equation model.",
            hint="Use engine='long', which fits the translation, or gm.test with equations.",
        )
    refuse_estimated_loadings(data.problem, "A test of terms")
    if fit.source is None or data.bound is None:
        raise UnsupportedEngineError(
            "The fit keeps no data, from which the levels' hypotheses are made.",
            hint="Fit by gm.fit.",
        )
    return data


def _contrasts(fit: FitResult, data: LongData, sums: str) -> dict[str, FloatArray]:
    bound = bound_of(data)
    whole, pieces = _written_out(bound.fixed)
    terms = list(pieces.values())
    design = np.asarray(data.problem.fixed, dtype=float)
    indicators = np.empty((0, 0))
    if sums == "III":
        frame = as_pandas(fit.source)
        indicators = np.asarray(evaluate(whole, frame, bound.schema), dtype=float)[data.rows]
    made: dict[str, FloatArray] = {}
    for which, term in enumerate(pieces):
        if term.is_intercept:
            continue
        if sums == "I":
            made[term_name(term)] = type_1(design, terms, which)
        elif sums == "II":
            made[term_name(term)] = type_2(design, terms, which)
        else:
            made[term_name(term)] = type_3(design, indicators, terms, which)
    return made


def _written_out(
    columns: tuple[Column, ...],
) -> tuple[tuple[Column, ...], Mapping[Term, TermColumns]]:
    """Columns with an indicator for every level, and where each term's stand in both designs."""
    levels: dict[str, int] = {}
    for part in (part for column in columns for part in column.parts):
        if part.coding != "numeric":
            seen = part.index + 1 + (part.coding == "contrast")
            levels[part.expression] = max(seen, levels.get(part.expression, 0))
    terms = list(dict.fromkeys(column.term for column in columns))
    whole: list[Column] = []
    pieces: dict[Term, TermColumns] = {}
    for term in terms:
        own = np.flatnonzero([column.term == term for column in columns])
        made = _indicators([columns[k] for k in own], levels)
        places = np.arange(len(whole), len(whole) + len(made))
        free = places[[_free(column, columns[own[0]]) for column in made]]
        categories = frozenset(f for f in term.factors if f in levels)
        numbers = frozenset(term.factors) - categories
        pieces[term] = TermColumns(numbers, categories, own, places, free)
        whole.extend(made)
    return tuple(whole), pieces


def _free(column: Column, fitted: Column) -> bool:
    """Whether a column of indicators is at no reference level of a factor coded by contrasts."""
    pairs = zip(column.parts, fitted.parts, strict=True)
    return all(own.index > 0 or coded.coding != "contrast" for own, coded in pairs)


def _indicators(columns: list[Column], levels: Mapping[str, int]) -> list[Column]:
    """A term's columns with each category's contrasts replaced by all its indicators."""
    made: dict[tuple[ColumnPart, ...], None] = {(): None}
    if not columns[0].parts:
        return columns[:1]
    for k, part in enumerate(columns[0].parts):
        if part.expression in levels:
            own = [
                replace(part, index=i, label=str(i), coding="full")
                for i in range(levels[part.expression])
            ]
        else:
            own = list(dict.fromkeys(column.parts[k] for column in columns))
        made = {(*before, piece): None for before in made for piece in own}
    return [Column(columns[0].term, parts) for parts in made]
