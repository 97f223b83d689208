"""Cross-validation by person: how well a model predicts persons that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import DataError, SpecificationError, UnsupportedEngineError
from growthmm.inference.comparability import require_same_data
from growthmm.inference.estimated_loadings import refuse_estimated_loadings
from growthmm.inference.resampling.persons import take_persons
from growthmm.inference.result import FitResult
from growthmm.progress import showing, tracked

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cross_validate"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class _Piece:
    """One model, the persons to fit it to and those to predict."""

    problem: LongProblem | WideProblem
    engine: str
    options: dict[str, Any]
    train: NDArray[np.intp]
    test: NDArray[np.intp]


def cross_validate(
    *fits: FitResult,
    n_folds: int = 10,
    seed: int = 0,
    workers: int = 1,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Predict each person from a fit to others, model by model, over the same splits.

    Persons are split by scikit-learn's ``KFold`` over persons, so that no one's rows stand on both
    sides. The log score is the log density of a person's outcomes under the model fitted to the
    others (Gneiting & Raftery 2007, doi:10.1198/016214506000001437), of all outcomes jointly; the
    prediction error is that of the fixed effects alone, as a new person has no random effects yet.

    Parameters
    ----------
    *fits : FitResult
        By our engines, of the same data; of rows, not of moments.
    n_folds : int
        Parts.
    seed : int
        Of the split.
    workers : int
        Processes.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    DataFrame
        A row a model: ``model``, ``log_score`` (sum over persons; larger is better), ``difference``
        from the best, ``difference_std_error`` (from the folds' differences), ``mse`` and ``rmse``
        over rows, ``n_folds``, ``not_converged`` (fits).

    Raises
    ------
    SpecificationError
        If there are fewer folds than 2 or more than persons.
    DataError
        If the fits are of other outcomes or persons.
    UnsupportedEngineError
        For other programs' fits, penalised ones, several groups, moments or estimated loadings.

    Examples
    --------
    >>> import growthmm as gm
    >>> data = gm.datasets.gpa()
    >>> a = gm.fit("gpa ~ occasion + (1 | student)", data)
    >>> b = gm.fit("gpa ~ occasion + (1 + occasion | student)", data)
    >>> gm.cross_validate(a, b, n_folds=5)["difference"].round(0).tolist()
    [-74.0, 0.0]
    """
    import pandas as pd
    from joblib import Parallel, delayed
    from sklearn.model_selection import KFold

    if not fits:
        raise SpecificationError("No fit was given.", hint="Give one or more fits.")
    require_same_data(fits)
    order = [_order(fit) for fit in fits]
    n = len(order[0])
    if any(len(found) != n for found in order):
        raise DataError("The models are of other persons.", hint="Fit them to the same persons.")
    if not 2 <= n_folds <= n:
        raise SpecificationError(
            f"{n_folds} folds of {n} persons.", hint="Give between 2 and the number of persons."
        )
    folds = list(KFold(n_folds, shuffle=True, random_state=seed).split(np.zeros(n)))
    pieces = [
        _Piece(
            fit.data.problem,
            fit.engine,
            {"estimator": fit.estimator, "bounds": fit.fit.bounds},
            own[train],
            own[test],
        )
        for fit, own in zip(fits, order, strict=True)
        for train, test in folds
    ]
    each = Parallel(n_jobs=workers, return_as="generator")(delayed(_scored)(p) for p in pieces)
    with showing(progress):
        found = list(tracked(each, "cross-validation", total=len(pieces)))
    scores, rows = np.zeros((len(fits), n_folds)), []
    for m, fit in enumerate(fits):
        own = found[m * n_folds : (m + 1) * n_folds]
        scores[m] = [score for score, *_ in own]
        squares, count = sum(f[1] for f in own), sum(f[2] for f in own)
        rows.append((fit.label, squares / count, sum(not f[3] for f in own)))
    best = int(np.argmax(scores.sum(axis=1)))
    gap = scores - scores[best]
    return pd.DataFrame(
        {
            "model": [row[0] for row in rows],
            "log_score": scores.sum(axis=1),
            "difference": gap.sum(axis=1),
            "difference_std_error": np.sqrt(n_folds) * gap.std(axis=1, ddof=1),
            "mse": [row[1] for row in rows],
            "rmse": [float(np.sqrt(row[1])) for row in rows],
            "n_folds": n_folds,
            "not_converged": [row[2] for row in rows],
        }
    )


def _order(fit: FitResult) -> NDArray[np.intp]:
    """The persons' positions in the order of their identifiers, the same for every fit."""
    problem = fit.data.problem
    if fit.engine not in ("long", "wide") or fit.penalty is not None:
        raise UnsupportedEngineError(
            "Persons are left out of unpenalised fits by our engines only.",
            hint="Fit with engine long or wide.",
        )
    refuse_estimated_loadings(problem, "Cross-validation")
    labels = np.asarray(fit.data.subjects, dtype=object)
    order = np.array(sorted(range(len(labels)), key=lambda k: str(labels[k])), dtype=np.intp)
    if isinstance(problem, LongProblem):
        return order
    if len(problem.groups) != 1 or not isinstance(problem.groups[0], WideGroup):
        raise UnsupportedEngineError(
            "Persons are left out of rows of one group only.", hint="Give the rows of the data."
        )
    seen = np.asarray(np.isfinite(problem.groups[0].outcomes).any(axis=1))
    return order[seen[order]]


def _scored(piece: _Piece) -> tuple[float, float, int, bool]:
    """Log score of the persons left out, their squared errors, how many, and whether converged."""
    train = take_persons(piece.problem, (piece.train,))
    fit = run(piece.engine, train, **piece.options)
    values = fit.estimates
    # The likelihood is a product over persons: that of all less that of the others.
    own: Any = long_engine if isinstance(train, LongProblem) else wide_engine
    score = own.log_likelihood(piece.problem, values) - own.log_likelihood(train, values)
    test = take_persons(piece.problem, (piece.test,))
    if isinstance(test, LongProblem):
        errors = np.asarray(test.outcome) - np.asarray(test.fixed) @ values[: test.fixed.shape[1]]
    else:
        data = test.groups[0]
        assert isinstance(data, WideGroup)
        gaps = data.outcomes - wide_engine.fitted(test, values, "population")
        errors = gaps[np.isfinite(gaps)]
    return float(score), float(errors @ errors), len(errors), fit.convergence.converged
