"""The verbs ``simulate`` and ``study``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import as_pandas
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.resampling.outcomes import draw_outcomes
from growthmm.inference.resampling.persons import draw_persons
from growthmm.inference.resampling.study import SimulationStudy, simulation_study
from growthmm.inference.result import FitResult
from growthmm.model.mixed import MixedModel
from growthmm.progress import showing
from growthmm.verbs.binding import Facts, mixed_arrays

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["simulate", "study"]

FloatArray = NDArray[np.float64]


def simulate(
    fit: FitResult,
    n_subjects: int | None = None,
    *,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw a sample from a fitted model.

    Persons keep their times, covariates and missing values; outcomes are new.

    Parameters
    ----------
    fit : FitResult
        The model, its parameters and the persons' designs.
    n_subjects : int, optional
        Persons, drawn from those of the data with replacement; the data's own where None.
    parameters : mapping of str to float, optional
        Values by name in place of estimates (an effect of another size, say).
    seed : int
        Of the random numbers.

    Returns
    -------
    DataFrame
        Long for a mixed model, with the data's columns and persons numbered from 1 where
        `n_subjects` is given; wide for a structural equation model, with its outcomes, covariates
        and definition variables.

    Raises
    ------
    SpecificationError
        If `parameters` names none of the model's, or the outcome is computed by the formula.
    UnsupportedEngineError
        If the estimates are no covariance matrix, or the fit is to moments.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> sample = gm.simulate(fit, 50, parameters={"occasion": 0.2}, seed=1)
    >>> len(sample), sample["student"].nunique()
    (300, 50)
    """
    values, rng = _values(fit, parameters), np.random.default_rng(seed)
    if n_subjects is not None and n_subjects < 2:
        raise SpecificationError(
            f"A sample of {n_subjects} persons.", hint="A growth model needs at least two."
        )
    if isinstance(fit.data, WideData):
        problem = fit.data.problem
        if n_subjects is not None:
            drawn = draw_persons(problem, rng, n_subjects)
            assert isinstance(drawn, WideProblem)
            problem = drawn
        made = draw_outcomes(problem, values, rng)
        assert isinstance(made, WideProblem)
        return _wide_frame(made)
    return _long_frame(fit, fit.data, values, n_subjects, rng)


def _values(fit: FitResult, parameters: Mapping[str, float] | None) -> FloatArray:
    own = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    strange = [name for name in parameters or {} if name not in own]
    if strange:
        raise SpecificationError(
            f"The model has no parameter {', '.join(map(repr, strange))}.",
            hint=f"It has: {', '.join(own)}.",
        )
    if fit.engine not in ("long", "wide"):
        raise UnsupportedEngineError(
            f"The fit is by {fit.engine}; samples are drawn and fitted by our engines.",
            hint="Use engine long or wide.",
        )
    own |= {name: float(value) for name, value in (parameters or {}).items()}
    return np.array(list(own.values()))


def _wide_frame(problem: WideProblem) -> pd.DataFrame:
    import pandas as pd

    model, parts = problem.model, []
    for k, data in enumerate(problem.groups):
        assert isinstance(data, WideGroup)
        columns = dict(zip(model.outcomes, data.outcomes.T, strict=True))
        columns |= dict(zip(model.covariates, data.covariates.T, strict=True))
        columns |= dict(data.definitions)
        part = pd.DataFrame(columns)
        if model.group_variable is not None and model.group_labels:
            part[model.group_variable] = model.group_labels[k]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _long_frame(
    fit: FitResult,
    data: LongData,
    values: FloatArray,
    n_subjects: int | None,
    rng: np.random.Generator,
) -> pd.DataFrame:
    import pandas as pd

    model = fit.model
    if fit.source is None or not isinstance(model, MixedModel):
        raise UnsupportedEngineError(
            "The fit holds no data frame to draw persons from.",
            hint="Fit by gm.fit with data as a frame or path, or use engine='wide'.",
        )
    frame = as_pandas(fit.source)
    person = data.problem.group
    if model.response not in frame.columns or person not in frame.columns:
        raise SpecificationError(
            f"The outcome {model.response} or the person {person} is no column of the data that "
            "the model was fitted to.",
            hint="Compute it before fitting, or fit the growth curve: engine='wide'.",
        )
    if n_subjects is not None:
        groups = frame.groupby(person, sort=False).indices
        known = [groups[label] for label in data.subjects]
        picked = [known[k] for k in rng.integers(len(known), size=n_subjects)]
        numbers = np.repeat(np.arange(1, n_subjects + 1), [len(rows) for rows in picked])
        frame = frame.iloc[np.concatenate(picked)].reset_index(drop=True)
        frame = frame.assign(**{person: numbers})
    else:
        frame = frame.copy()
    _, arrays, _ = mixed_arrays(model, frame, Facts(person))
    drawn = draw_outcomes(arrays.problem, values, rng)
    assert not isinstance(drawn, WideProblem)
    outcome = np.full(len(frame), np.nan)
    outcome[arrays.rows] = drawn.outcome
    frame[model.response] = pd.Series(outcome, index=frame.index)
    return frame


def study(
    fit: FitResult,
    n_subjects: int | None = None,
    *,
    parameters: Mapping[str, float] | None = None,
    n_simulations: int = 500,
    df: str | None = None,
    level: float = 0.95,
    seed: int = 0,
    workers: int | None = None,
    progress: bool | None = None,
) -> SimulationStudy:
    """Bias, error, coverage and power of a model's estimates, by simulation.

    Samples are drawn from the model as :func:`simulate` does, and each is fitted as the model
    was.

    Parameters
    ----------
    fit : FitResult
        The model, its parameters (what is true in the samples) and the persons' designs.
    n_subjects : int, optional
        Persons of a sample, drawn from those of the data; the data's own where None.
    parameters : mapping of str to float, optional
        True values by name in place of estimates.
    n_simulations : int
        Samples.
    df : {"satterthwaite", "kenward-roger", "none"}, optional
        Degrees of freedom of tests and intervals; those of the fit where None.
    level : float
        Coverage of the intervals; tests are at one minus it.
    seed, workers : int
        Of the random numbers; processes. The answer depends on no number of processes.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    SimulationStudy
        ``.table``, ``.n_failed``, ``.n_boundary``, ``.summary()``.

    Raises
    ------
    SpecificationError
        If an option is none.
    FitFailedError
        If hardly any fit converges.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> found = gm.study(fit, 30, n_simulations=20, seed=1)
    >>> found.table["power"].round(2).tolist()[:2]
    [1.0, 1.0]
    """
    values = _values(fit, parameters)
    if fit.penalty is not None or fit.robust is not None:
        raise SpecificationError(
            "Studies are of plain fits, not of penalised ones or those with robust errors.",
            hint="Fit again without penalty= and robust=.",
        )
    with showing(progress):
        return simulation_study(
            fit.data.problem,
            values,
            engine=fit.engine,
            options={
                "estimator": fit.estimator,
                "bounds": fit.fit.bounds,
                "information": fit.fit.information,
            },
            df=df or fit.df,
            n_subjects=n_subjects,
            n_simulations=n_simulations,
            level=level,
            seed=seed,
            workers=workers,
        )
