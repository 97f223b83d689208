"""The verb ``alternatives``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import as_pandas, numeric_column
from growthmm.data.moments import Moments
from growthmm.engines.prepare import LongData
from growthmm.engines.registry import run
from growthmm.equivalence.correspondence import correspondence
from growthmm.equivalence.fits import EngineReport, fit_both
from growthmm.equivalence.parameter_rows import parameter_rows
from growthmm.errors import GrowthmmError, TranslationError, UnsupportedEngineError
from growthmm.inference.alternatives.answer import Answer, failed
from growthmm.inference.alternatives.estimating import WORKING, estimating_equations
from growthmm.inference.alternatives.pooled import pooled
from growthmm.inference.alternatives.result import Alternatives
from growthmm.inference.alternatives.rows import rows_of
from growthmm.inference.alternatives.within import mundlak, within
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, Layout, mixed_arrays, pair_problems, paired
from growthmm.verbs.source import Function, ModelLike, source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["alternatives"]


def alternatives(
    model: ModelLike,
    data: object,
    *,
    id: str | None = None,
    time: str | None = None,
    estimator: str | None = None,
    residual: str | ResidualStructure | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    layout: Layout | None = None,
    notation: str | None = None,
    function: Function | None = None,
) -> Alternatives:
    """The fixed effects of a growth model by other estimators, side by side.

    The mixed model and its latent growth curve; fixed effects of persons (the within estimator,
    linearmodels) and a random intercept with persons' means, which is the same (Mundlak 1978,
    doi:10.2307/1913646); least squares with standard errors clustered by person and generalised
    estimating equations with three working correlations (statsmodels; Liang & Zeger 1986,
    doi:10.1093/biomet/73.1.13). All on the rows that the mixed model uses.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        A growth model of one outcome, in either family.
    data : data frame or path
        Long data; or wide, for a structural equation model.
    id, time, outcome, time_values, layout, notation, function : optional
        As in ``fit``.
    estimator : {"ml", "reml"}, optional
        Of the mixed model and the growth curve; ``ml`` where None, unless a call states it.
    residual : str, optional
        Residual structure of a mixed model.

    Returns
    -------
    Alternatives
        ``.table`` (a row a coefficient and estimator), ``.methods`` (what each estimates,
        assumes, and is silent about), ``.mundlak``, ``.summary()``.

    Raises
    ------
    UnsupportedEngineError
        If the model has several outcomes, clusters above persons or estimated loadings, or the
        data are moments.

    Examples
    --------
    >>> import growthmm as gm
    >>> found = gm.alternatives("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> found.table.query("name == 'occasion'")[["method", "estimate"]].round(4).head(3)
       method  estimate
    7   mixed    0.1063
    8     sem    0.1063
    9  within    0.1063
    """
    if isinstance(data, Moments):
        raise UnsupportedEngineError(
            "Moments have no rows, and the other estimators need them.", hint="Give the data."
        )
    read = source(
        model,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
        otherwise="ml",
    )
    facts = Facts(id, time, outcome, time_values, layout)
    pair, frame, long, reason = _arrays(read.model, data, facts)
    _refuse_outcomes(pair, long)
    rows = rows_of(long.problem, _times(long, pair, frame, facts))
    how = read.model.estimator
    if pair is not None:
        first, second = _both(pair, frame, how)
    else:
        first, second = _alone(long, how), failed("sem", reason)
    fixed = within(rows)
    device = None if fixed.reason else mundlak(rows, long.problem, fixed)
    answers = [first, second, fixed]
    answers += [failed("mundlak", fixed.reason) if device is None else device.answer]
    answers += [pooled(rows), *(estimating_equations(rows, working) for working in WORKING)]
    return Alternatives(read.label, tuple(answers), device)


def _arrays(
    model: MixedModel | SemModel, data: object, facts: Facts
) -> tuple[Pair | None, pd.DataFrame, LongData, str]:
    """Both forms where there are two, long data, the mixed form's arrays; why there is one form."""
    try:
        pair, frame = paired(model, data, facts)
    except TranslationError as error:
        if not isinstance(model, MixedModel):
            raise
        frame = as_pandas(data)
        return None, frame, mixed_arrays(model, frame, facts)[1], error.message.rstrip(".")
    assert frame is not None
    return pair, frame, pair_problems(pair, frame)[0], ""


def _refuse_outcomes(pair: Pair | None, long: LongData) -> None:
    schema = None if long.bound is None else long.bound.schema
    schema = schema if pair is None else pair.mixed.schema
    if schema is not None and schema.series:
        raise UnsupportedEngineError(
            f"The model has {len(schema.outcomes)} outcomes, and the other estimators take one: "
            "fixed effects of persons would be the same for all of them.",
            hint="Give a model of one outcome.",
        )


def _times(
    long: LongData, pair: Pair | None, frame: pd.DataFrame, facts: Facts
) -> NDArray[np.float64] | None:
    """The time of each row used; None where the model and the call name none."""
    name = facts.time
    if name is None and pair is not None:
        name = pair.mixed.schema.time
    if name is None and long.bound is not None:
        name = long.bound.schema.time
    return None if name is None else numeric_column(frame, name)[long.rows]


def _alone(long: LongData, estimator: str) -> Answer:
    """The mixed model where it has no second form."""
    fit = run("long", long.problem, estimator=estimator)
    p = long.problem.fixed.shape[1]
    errors = fit.standard_errors[:p]
    return Answer("mixed", fit.names[:p], fit.estimates[:p], errors, fit.n_rows, fit.n_subjects)


def _both(pair: Pair, frame: pd.DataFrame, estimator: str) -> tuple[Answer, Answer]:
    """The fixed effects by both forms."""
    long, wide = pair_problems(pair, frame)
    first = _alone(long, estimator)
    try:
        fits = fit_both(
            long.problem,
            wide.problem,
            estimator=estimator,
            bounds=None,
            engines=("long", "wide"),
            time_limit=60.0,
        )
    except GrowthmmError as error:
        return first, failed("sem", error.message.rstrip("."))
    link = correspondence(pair).started(fits.long.estimates, fits.wide.estimates)
    ours = (
        EngineReport("long", True, fit=fits.long),
        EngineReport("wide", True, fit=fits.wide),
    )
    rows = [row for row in parameter_rows(pair, ours, link) if row["mixed_name"] in first.names]
    values = {
        row["mixed_name"]: (row["estimate"]["wide"], row["std_error"]["wide"])
        for row in rows
        if row["estimate"]["wide"] is not None
    }
    pairs = np.array(
        [[np.nan if v is None else v for v in two] for two in values.values()], dtype=float
    ).reshape(-1, 2)
    fit = fits.wide
    return first, Answer("sem", tuple(values), pairs[:, 0], pairs[:, 1], fit.n_rows, fit.n_subjects)
