"""A mixed model's columns and variances in rows that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.evaluation import evaluate
from growthmm.data.frames import numeric_column, require_columns
from growthmm.engines.groups import residual_strata
from growthmm.engines.prepare import LongData
from growthmm.errors import DataError, SpecificationError, UnsupportedEngineError
from growthmm.inference.estimated_loadings import refuse_estimated_loadings
from growthmm.inference.result import FitResult
from growthmm.model.occasions import places
from growthmm.model.residual import BY_LEVEL

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.model.bound import BoundMixed

__all__ = ["NewRows", "new_rows", "residual_variances", "subject_places"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class NewRows:
    """Designs of new rows; NaN where a variable is missing.

    Parameters
    ----------
    fixed : (n_rows, n_fixed) ndarray
        Columns of the fixed effects.
    random : (n_rows, n_random) ndarray
        Columns of the random effects.
    """

    fixed: FloatArray
    random: FloatArray


def new_rows(data: LongData, frame: pd.DataFrame) -> NewRows:
    """Evaluate a model's columns with the levels and constants of the data that it was fitted to.

    Parameters
    ----------
    data : LongData
        What was fitted.
    frame : DataFrame
        New long data; the outcome need not be there.

    Raises
    ------
    ColumnNotFoundError
        If a variable of the model is absent.
    SpecificationError
        If the fit keeps no columns.
    UnsupportedEngineError
        If parameters stand in the design.
    """
    refuse_estimated_loadings(data.problem, "A prediction for new rows")
    bound = bound_of(data)
    random = tuple(column for block in bound.random for column in block.columns)
    return NewRows(
        evaluate(bound.fixed, frame, bound.schema), evaluate(random, frame, bound.schema)
    )


def bound_of(data: LongData) -> BoundMixed:
    """The bound model of a fit.

    Raises
    ------
    SpecificationError
        If it was fitted to bare arrays.
    """
    if data.bound is None:
        raise SpecificationError(
            "The fit is of bare arrays, and keeps no model to evaluate in new rows.",
            hint="Fit by gm.fit.",
        )
    return data.bound


def subject_places(data: LongData, frame: pd.DataFrame) -> NDArray[np.intp]:
    """Which person of the fit each new row belongs to.

    Raises
    ------
    DataError
        If a person is not among those of the fit.
    UnsupportedEngineError
        If persons stand in clusters.
    """
    import pandas as pd

    if data.problem.clusters is not None:
        raise UnsupportedEngineError(
            "Predictions for known persons in clusters are not made.",
            hint="Take level='population', or fit.predict() for the rows of the fit.",
        )
    person = bound_of(data).schema.person
    require_columns(frame, [person])
    found = data.subjects.get_indexer(pd.Index(frame[person]))
    if np.any(found < 0):
        strange = frame[person][found < 0].unique()
        raise DataError(
            f"{len(strange)} persons of the new data are not in the fit: "
            f"{', '.join(str(v) for v in strange[:5])}.",
            hint="Predict new persons with level='population' and interval='prediction'.",
        )
    return np.asarray(found, dtype=np.intp)


def residual_variances(fit: FitResult, frame: pd.DataFrame, *, known: bool) -> FloatArray:
    """Residual variance in each new row.

    Parameters
    ----------
    fit : FitResult
        A mixed model.
    frame : DataFrame
        New rows.
    known : bool
        Whether they are of persons whose outcomes were seen.

    Raises
    ------
    UnsupportedEngineError
        If residuals of one person are correlated and `known`.
    DataError
        If a row is at no occasion that has a residual variance.
    """
    assert isinstance(fit.data, LongData)
    bound, problem = bound_of(fit.data), fit.data.problem
    matrix = fit.residual_cov.to_numpy()
    if known and np.any(matrix != np.diag(np.diag(matrix))):
        raise UnsupportedEngineError(
            f"Residuals of one person are correlated ({problem.residual}), so that those that "
            "were seen say something about new ones, which is not used here.",
            hint="Take interval='confidence', or level='population'.",
        )
    variances = np.diag(matrix)
    if np.all(variances == variances[0]):
        return np.full(len(frame), variances[0])
    kind = problem.residual.kind
    at = np.zeros(len(frame), dtype=np.intp)
    if kind in BY_LEVEL:
        strata, names = residual_strata(bound, frame)
        assert strata is not None
        order = {name: k for k, name in enumerate(problem.strata_names)}
        at = np.array([order.get(name, -1) for name in names] + [-1])[strata]
    if kind != "by_group":
        assert bound.schema.time is not None
        times = np.asarray(problem.occasions)
        when = places(numeric_column(frame, bound.schema.time), times)
        at = np.where((at < 0) | (when < 0), -1, at * len(times) + when)
    if np.any(at < 0):
        raise DataError(
            f"{int(np.sum(at < 0))} new rows are where no residual variance was estimated.",
            hint=f"Variances are known for {', '.join(str(v) for v in fit.residual_cov.index)}.",
        )
    return np.asarray(variances[at])
