"""The verbs ``simulate`` and ``study``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.data.frames import as_pandas
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.resampling.outcomes import draw_outcomes
from growthmm.inference.resampling.persons import draw_persons, refuse_clusters
from growthmm.inference.resampling.study import SimulationStudy, StudySeries, simulation_study
from growthmm.inference.result import FitResult
from growthmm.model.mixed import MixedModel
from growthmm.progress import showing
from growthmm.verbs.binding import Facts, mixed_arrays
from growthmm.verbs.source import Function, ModelLike
from growthmm.verbs.truth import Covariates, Design, Truth, truth_of_fit, truth_of_model

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["simulate", "study"]


def simulate(
    model: FitResult | ModelLike,
    n_subjects: int | None = None,
    *,
    parameters: Mapping[str, float] | None = None,
    data: object | None = None,
    id: str | None = None,
    time: str | None = None,
    time_values: Sequence[float] | None = None,
    covariates: Covariates | None = None,
    residual: str | None = None,
    notation: str | None = None,
    function: Function | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw a sample from a fitted model, or from a bare one at given parameter values.

    From a fit, persons keep their times, covariates and missing values; outcomes are new: ``X b +
    Z u + e`` with ``u ~ N(0, G)``, ``e ~ N(0, R)`` (Laird & Ware 1982, doi:10.2307/2529876). A
    bare model is given its persons: rows of `data`, or times and covariates.

    Parameters
    ----------
    model : FitResult, str, Path, MixedModel or SemModel
        A fit, with its parameters and the persons' designs; or a model.
    n_subjects : int, optional
        Persons, drawn from those of the data with replacement; the data's own where None. Without
        data, how many are made.
    parameters : mapping of str to float, optional
        Values by name, as a table of estimates has them: for a fit in place of some estimates (an
        effect of another size, say), for a bare model all of them.
    data : data frame or path, optional
        Of a bare model: a row a person and time (a row a person for a structural equation model)
        with the covariates. The outcome need not be there; where it is missing, it stays so.
    id, time : str, optional
        Of a bare mixed model: columns of person and time.
    time_values : sequence of float, optional
        Of a bare mixed model without data: the times of every person.
    covariates : mapping of str to sequence or callable, optional
        Of a bare model without data: values of person-level covariates, shared out in turn, or a
        function of a generator and the number of persons that draws them.
    residual, notation, function : str, optional
        How to read a bare model, see :func:`fit`.
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
        If `parameters` names none of the model's or lacks one, or the outcome is computed by the
        formula.
    UnboundError
        If a bare model is not told what its persons are.
    UnsupportedEngineError
        If the values are no covariance matrix, the fit is to moments, or persons in clusters are
        to be drawn one by one.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> sample = gm.simulate(fit, 50, parameters={"occasion": 0.2}, seed=1)
    >>> len(sample), sample["student"].nunique()
    (300, 50)

    Without data:

    >>> truth = {"(Intercept)": 10, "week": 1, "week:groupnew": 0.5, "var((Intercept)|pupil)": 4,
    ...          "var(Residual)": 1}
    >>> sample = gm.simulate("score ~ week + week:group + (1 | pupil)", 40, parameters=truth,
    ...                      time_values=[0, 1, 2], covariates={"group": ["control", "new"]})
    >>> sample.groupby("group")["pupil"].nunique().to_dict()
    {'control': 20, 'new': 20}
    """
    design = Design(n_subjects, data, id, time, time_values, covariates)
    reading = {"residual": residual, "notation": notation, "function": function}
    truth = _truth(model, parameters, design, reading, seed)
    rng = np.random.default_rng(seed)
    if n_subjects is not None and n_subjects < 2:
        raise SpecificationError(
            f"A sample of {n_subjects} persons.", hint="A growth model needs at least two."
        )
    # A bare model without data has its persons made, not drawn.
    drawn_from = n_subjects if isinstance(model, FitResult) or data is not None else None
    if isinstance(truth.data, WideData):
        problem = truth.data.problem
        if drawn_from is not None:
            drawn = draw_persons(problem, rng, drawn_from)
            assert isinstance(drawn, WideProblem)
            problem = drawn
        made = draw_outcomes(problem, truth.values, rng)
        assert isinstance(made, WideProblem)
        return _wide_frame(made)
    return _long_frame(truth, truth.data, drawn_from, rng)


def _truth(
    model: FitResult | ModelLike,
    parameters: Mapping[str, float] | None,
    design: Design,
    reading: Mapping[str, Any],
    seed: int,
) -> Truth:
    if not isinstance(model, FitResult):
        return truth_of_model(model, parameters, design, seed=seed, **reading)
    beside = [*design.said, *(name for name, value in reading.items() if value is not None)]
    if beside:
        raise SpecificationError(
            f"A fit has its own {', '.join(beside)}.",
            hint="Leave them out, or give the model itself in place of the fit.",
        )
    return truth_of_fit(model, parameters)


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
    truth: Truth, data: LongData, n_subjects: int | None, rng: np.random.Generator
) -> pd.DataFrame:
    import pandas as pd

    model = truth.model
    if truth.source is None or not isinstance(model, MixedModel):
        raise UnsupportedEngineError(
            "The fit holds no data frame to draw persons from.",
            hint="Fit by gm.fit with data as a frame or path, or use engine='wide'.",
        )
    frame = as_pandas(truth.source)
    person = data.problem.group
    if model.response not in frame.columns or person not in frame.columns:
        raise SpecificationError(
            f"The outcome {model.response} or the person {person} is no column of the data that "
            "the model was fitted to.",
            hint="Compute it before fitting, or fit the growth curve: engine='wide'.",
        )
    if n_subjects is not None:
        refuse_clusters(data.problem)
        groups = frame.groupby(person, sort=False).indices
        known = [groups[label] for label in data.subjects]
        picked = [known[k] for k in rng.integers(len(known), size=n_subjects)]
        numbers = np.repeat(np.arange(1, n_subjects + 1), [len(rows) for rows in picked])
        frame = frame.iloc[np.concatenate(picked)].reset_index(drop=True)
        frame = frame.assign(**{person: numbers})
    else:
        frame = frame.copy()
    _, arrays, _ = mixed_arrays(model, frame, Facts(person))
    drawn = draw_outcomes(arrays.problem, truth.values, rng)
    assert not isinstance(drawn, WideProblem)
    outcome = np.full(len(frame), np.nan)
    outcome[arrays.rows] = drawn.outcome
    frame[model.response] = pd.Series(outcome, index=frame.index)
    return frame


def study(
    model: FitResult | ModelLike,
    n_subjects: int | Sequence[int] | None = None,
    *,
    parameters: Mapping[str, float] | None = None,
    n_simulations: int = 500,
    df: str | None = None,
    level: float = 0.95,
    data: object | None = None,
    id: str | None = None,
    time: str | None = None,
    time_values: Sequence[float] | None = None,
    covariates: Covariates | None = None,
    estimator: str | None = None,
    residual: str | None = None,
    notation: str | None = None,
    function: Function | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: bool | None = None,
) -> SimulationStudy | StudySeries:
    """Bias, error, coverage and power of a model's estimates, by simulation.

    Samples are drawn from the model as :func:`simulate` does, and each is fitted as the model
    was. Figures and their Monte Carlo errors are those of Morris, White & Crowther (2019,
    doi:10.1002/sim.8086).

    Parameters
    ----------
    model : FitResult, str, Path, MixedModel or SemModel
        A fit, with its parameters (what is true in the samples) and the persons' designs; or a
        model.
    n_subjects : int or sequence of int, optional
        Persons of a sample, drawn from those of the data; the data's own where None. Without data,
        how many are made, the same in all samples. Several numbers make a study of each.
    parameters : mapping of str to float, optional
        True values by name, in place of a fit's estimates, or all of a bare model's.
    n_simulations : int
        Samples.
    df : {"satterthwaite", "kenward-roger", "none"}, optional
        Degrees of freedom of tests and intervals; those of the fit where None.
    level : float
        Coverage of the intervals; tests are at one minus it.
    data, id, time, time_values, covariates, residual, notation, function
        Of a bare model, as for :func:`simulate`.
    estimator : {"ml", "reml"}, optional
        By which a bare model is fitted; ``ml`` where None, unless a call states it.
    seed, workers : int
        Of the random numbers; processes. The answer depends on no number of processes.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    SimulationStudy or StudySeries
        ``.table``, ``.summary()``; ``.n_failed``, ``.n_boundary`` of one study, ``.studies`` of a
        series.

    Raises
    ------
    SpecificationError
        If an option is none.
    UnboundError
        If a bare model is not told what its persons are.
    FitFailedError
        If hardly any fit converges.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa())
    >>> found = gm.study(fit, 30, n_simulations=20, seed=1)
    >>> found.table["power"].round(2).tolist()[:2]
    [1.0, 1.0]

    Power by the number of persons, planned without data:

    >>> truth = {"(Intercept)": 10, "week": 1, "week:groupnew": 0.5, "var((Intercept)|pupil)": 4,
    ...          "var(Residual)": 1}
    >>> found = gm.study("score ~ week + week:group + (1 | pupil)", [10, 20], parameters=truth,
    ...                  time_values=[0, 1, 2], covariates={"group": ["control", "new"]},
    ...                  n_simulations=40, seed=1)
    >>> found.table.query("name == 'week:groupnew'")["power"].round(2).tolist()
    [0.28, 0.4]
    """
    if isinstance(model, FitResult) and (model.penalty is not None or model.robust is not None):
        raise SpecificationError(
            "Studies are of plain fits, not of penalised ones or those with robust errors.",
            hint="Fit again without penalty= and robust=.",
        )
    design = Design(None, data, id, time, time_values, covariates)
    reading = {
        "residual": residual,
        "notation": notation,
        "function": function,
        "estimator": estimator,
    }
    drawn = isinstance(model, FitResult) or data is not None
    sizes = _sizes(n_subjects)
    found = []
    for size in sizes:
        truth = _truth(model, parameters, replace(design, n_subjects=size), reading, seed)
        with showing(progress):
            found.append(
                simulation_study(
                    truth.data.problem,
                    truth.values,
                    engine=truth.engine,
                    options={"estimator": truth.estimator} | truth.options,
                    df=df or truth.df,
                    n_subjects=size if drawn else None,
                    n_simulations=n_simulations,
                    level=level,
                    seed=seed,
                    workers=workers,
                )
            )
    if not found:
        raise SpecificationError(
            "There is no number of persons.", hint="Give n_subjects=[50, 100]."
        )
    alone = n_subjects is None or isinstance(n_subjects, int | np.integer)
    return found[0] if alone else StudySeries(tuple(found))


def _sizes(n_subjects: int | Sequence[int] | None) -> list[int | None]:
    if n_subjects is None or isinstance(n_subjects, int | np.integer):
        return [n_subjects]
    return [int(size) for size in n_subjects]
