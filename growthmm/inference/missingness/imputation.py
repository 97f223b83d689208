"""Missing values of a table of persons filled in: many times by regressions, or once by forests."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.data.person_table import PersonTable
from growthmm.errors import SpecificationError, UnsupportedEngineError

__all__ = ["METHODS", "Forest", "Method", "chained", "forest"]

FloatArray = NDArray[np.float64]

Method = Literal["regression", "forest"]

METHODS: tuple[Method, ...] = ("regression", "forest")

ROUNDS = 20
"""Passes of chained regressions; with half the values missing ten are too few."""

FOREST_ROUNDS = 10
"""Passes of forests at most."""


def chained(table: PersonTable, n_imputations: int, seed: int) -> list[FloatArray]:
    """Complete a table several times by chained regressions.

    Each variable with missing values is regressed on all others, the regression is drawn from its
    posterior distribution, and the missing values from the regression; twenty passes, each
    imputation a chain of its own (van Buuren & Groothuis-Oudshoorn 2011,
    doi:10.18637/jss.v045.i03). By scikit-learn's ``IterativeImputer`` with
    ``sample_posterior=True``; the regressions are :class:`DrawnRegression`, since scikit-learn's
    own ``BayesianRidge`` is drawn anew for each cell, which makes standard errors too small. Where
    the model has groups, each is imputed by itself.

    Parameters
    ----------
    table : PersonTable
        What is known.
    n_imputations : int
        How many.
    seed : int
        Of the random numbers; each imputation's stream depends on it and its number alone.

    Returns
    -------
    list of (n_subjects, n_columns) ndarray
        Completed values; observed ones as they were.

    Raises
    ------
    SpecificationError
        If there is to be none.
    UnsupportedEngineError
        If two variables were never seen together, or one too seldom for a regression.
    """
    if n_imputations < 1:
        raise SpecificationError(
            f"{n_imputations} imputations.", hint="Give a number of 1 or more; 20 is usual."
        )
    groups = _groups(table)
    for rows in groups:
        _check(table, rows)
    made = []
    for stream in np.random.SeedSequence(seed).spawn(n_imputations):
        values = table.values.copy()
        for rows, own in zip(groups, stream.spawn(len(groups)), strict=True):
            values[rows] = _one(table, rows, own)
        made.append(values)
    return made


def _one(table: PersonTable, rows: NDArray[np.intp], seed: np.random.SeedSequence) -> FloatArray:
    """One completion of one group's rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    from growthmm.inference.missingness.drawing import DrawnRegression, Draws

    values = table.values[rows]
    if not np.isnan(values).any():
        return values
    first, second = seed.spawn(2)
    imputer = IterativeImputer(
        DrawnRegression(Draws(first)),
        sample_posterior=True,
        max_iter=ROUNDS,
        skip_complete=True,
        random_state=int(second.generate_state(1)[0]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = imputer.fit_transform(np.column_stack([values, _varying(table, rows)]))
    return np.asarray(found)[:, : values.shape[1]]


def _varying(table: PersonTable, rows: NDArray[np.intp]) -> FloatArray:
    """The indicators that are no constant among some persons."""
    own = table.indicators[rows]
    return own[:, np.ptp(own, axis=0) > 0] if own.size else own


def _groups(table: PersonTable) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(table.strata == g) for g in np.unique(table.strata)]


def _check(table: PersonTable, rows: NDArray[np.intp]) -> None:
    seen = np.isfinite(table.values[rows])
    gaps = np.flatnonzero(~seen.all(axis=0))
    if not gaps.size:
        return
    together = seen.T.astype(float) @ seen.astype(float)
    never = np.argwhere(np.triu(together == 0))
    if len(never):
        a, b = (table.names[k] for k in never[0])
        what = f"{a} was never seen" if a == b else f"{a} and {b} were never seen together"
        raise UnsupportedEngineError(
            f"{what}, so that the data do not say how they go together.",
            hint="Rely on full information: the growth model says it.",
        )
    p = table.values.shape[1] + _varying(table, rows).shape[1]
    few = [k for k in gaps if seen[:, k].sum() <= p + 1]
    if few:
        n = int(seen[:, few[0]].sum())
        raise UnsupportedEngineError(
            f"{table.names[few[0]]} was seen for {n} persons, too few for a regression on the "
            f"{p - 1} other variables.",
            hint="Rely on full information, or impute with fewer variables.",
        )


@dataclass(frozen=True)
class Forest:
    """One completion by random forests.

    Parameters
    ----------
    values : (n_subjects, n_columns) ndarray
        Completed values.
    errors : dict of str to float
        For each column with missing values the forest's own error out of bag, as a share of the
        column's standard deviation.
    rounds : int
        Passes over the variables until the values stopped settling.
    """

    values: FloatArray
    errors: dict[str, float]
    rounds: int


def forest(table: PersonTable, seed: int, *, trees: int = 100) -> Forest:
    """Complete a table once by random forests.

    Stekhoven and Buhlmann's missForest (2012, doi:10.1093/bioinformatics/btr597) with
    scikit-learn's ``RandomForestRegressor``: starting from means, each variable with missing
    values, the fewest first, is predicted by a forest grown on all others, until the change
    between passes grows for the first time; the pass before that counts. Predictions have no
    noise, and there is one completion: standard errors take imputed values for observed ones.

    Parameters
    ----------
    table : PersonTable
        What is known.
    seed : int
        Of the random numbers.
    trees : int
        Trees a forest.

    Returns
    -------
    Forest
    """
    from sklearn.ensemble import RandomForestRegressor

    for rows in _groups(table):
        _check(table, rows)
    gaps = ~np.isfinite(table.values)
    order = [k for k in np.argsort(gaps.sum(axis=0), kind="stable") if gaps[:, k].any()]
    groups = np.eye(int(table.strata.max(initial=0)) + 1)[table.strata][:, 1:]
    values = np.where(gaps, np.nanmean(table.values, axis=0), table.values)
    width = values.shape[1]
    rng = np.random.default_rng(seed)
    errors: dict[str, float] = {}
    last, rounds = np.inf, 0
    for step in range(FOREST_ROUNDS):
        before, kept = values.copy(), errors
        errors = {}
        for k in order:
            others = np.column_stack([np.delete(values, k, axis=1), table.indicators, groups])
            grower = RandomForestRegressor(
                n_estimators=trees,
                max_features="sqrt",
                min_samples_leaf=5,
                oob_score=True,
                random_state=int(rng.integers(2**31)),
            )
            known = ~gaps[:, k]
            grower.fit(others[known], values[known, k])
            values[~known, k] = grower.predict(others[~known])
            share = max(1.0 - float(grower.oob_score_), 0.0)
            errors[table.names[k]] = float(np.sqrt(share))
        change = float(((values - before) ** 2).sum() / max((values**2).sum(), 1e-300))
        if change > last:
            return Forest(before[:, :width], kept, rounds)
        last, rounds = change, step + 1
        if change == 0.0:
            break
    return Forest(values, errors, rounds)
