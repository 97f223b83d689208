"""The verb ``fit``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.registry import engine as engine_called
from growthmm.engines.registry import run
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.degrees.method import METHODS, with_degrees
from growthmm.inference.penalised import penalised
from growthmm.inference.result import FitResult
from growthmm.inference.robust import ROBUST, with_robust_errors
from growthmm.model.defaults import Assumption
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.progress import showing, steps
from growthmm.verbs.binding import Facts, Layout, mixed_arrays, pair_problems, paired, sem_arrays
from growthmm.verbs.given_data import given_data
from growthmm.verbs.holding import hold_paths
from growthmm.verbs.parameter_values import labelled, vector
from growthmm.verbs.prepared import prepared
from growthmm.verbs.rounding import Bins
from growthmm.verbs.source import Function, ModelLike, source

__all__ = ["fit", "log_likelihood"]


def fit(
    model: ModelLike,
    data: object | None = None,
    *,
    id: str | None = None,
    time: str | None = None,
    engine: str = "auto",
    estimator: str | None = None,
    residual: str | ResidualStructure | None = None,
    bounds: str | None = None,
    information: Literal["expected", "observed"] | None = None,
    df: Literal["none", "satterthwaite", "kenward-roger"] | None = None,
    robust: Literal["cr0", "cr2", "observed"] | None = None,
    penalty: Literal["wishart", "gamma"] | None = None,
    start: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    layout: Layout | None = None,
    notation: str | None = None,
    function: Function | None = None,
    time_limit: float = 60.0,
    bin: Bins | None = None,
    mundlak: Sequence[str] | None = None,
    progress: bool | None = None,
) -> FitResult:
    """Fit a growth model written in either family, by any engine.

    Every observed outcome is used, whatever the source program's rule for missing data.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        A formula, SEM text, a whole call, a file, or a model already read.
    data : data frame, path or Moments, optional
        Long data; wide data (or moments) for a structural equation model. What the text of a
        model's file names where None.
    id, time : str, optional
        Columns of person and time, where the model does not say.
    engine : str
        ``auto`` takes ours of the model's family. An engine of the other family fits the
        translation.
    estimator : {"ml", "reml"}, optional
        What to maximise; ``ml`` where None, unless a call states it (``lmer(..., REML = TRUE)``).
    residual : str, optional
        Residual structure of a mixed model: ``common``, ``by_occasion`` and so on.
    bounds : {"psd", "none"}, optional
        Keep covariance matrices positive semi-definite, or not; each family's habit where None.
    information : {"expected", "observed"}, optional
        Which information matrix gives standard errors (our engines); expected where None.
    df : {"none", "satterthwaite", "kenward-roger"}, optional
        Degrees of freedom of the tests of fixed effects (long engine); none where None, so that
        statistics are normal. Kenward-Roger needs REML and adjusts the standard errors too.
    robust : {"cr0", "cr2", "observed"}, optional
        Standard errors clustered by person: of the fixed effects (``cr0``, or ``cr2`` corrected
        for few persons, with its own degrees of freedom; either family), or of all parameters by
        observed information (lavaan's MLR, wide engine).
    penalty : {"wishart", "gamma"}, optional
        A weakly informative penalty that keeps the random effects' (factors') covariance matrix
        off its boundary (our engines; Chung et al. 2013, with blme's defaults): ``gamma`` for
        uncorrelated effects.
    start : mapping of str to float, optional
        Starting values of all free parameters by name.
    fixed : mapping of str to float, optional
        Parameters held at a value, by name (our engines): variances, covariances and residual
        parameters of a mixed model, any parameter of a structural equation model.
    outcome, time_values, layout : optional
        Facts about data for a structural equation model, see ``translate``.
    notation, function : str, optional
        How to read the text.
    time_limit : float
        Seconds that another program may take.
    bin, mundlak : optional
        Round individual times, add person means of covariates: see ``translate``.
    progress : bool, optional
        Whether to count the steps of a fit that takes more than a second; where None, if standard
        error is a terminal.

    Returns
    -------
    FitResult
        Estimates and everything computed from them. Whether the fit converged and whether it
        lies on a boundary stand in ``.convergence``, ``.boundary`` and the summary; no Python
        warning is issued.

    Raises
    ------
    SpecificationError
        If the model or an option is malformed or the model is not identified.
    DataError
        If the data do not fit the model.
    EngineError
        If the engine cannot fit it.

    Examples
    --------
    >>> import growthmm as gm
    >>> result = gm.fit("gpa ~ occasion + (1 + occasion | student)", gm.datasets.gpa())
    >>> round(result.log_likelihood, 3)
    -123.117
    """
    read = source(
        model,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
        otherwise="ml",
    )
    _check_options(bounds=bounds, information=information, robust=robust, df=df)
    own = given_data(read, data)
    facts = Facts(id, time, outcome, time_values, layout)
    if engine == "auto":
        engine = "long" if isinstance(read.model, MixedModel) else "wide"
    chosen = engine_called(engine)
    ready = prepared(read.model, own.data, facts, bin, mundlak).with_lags()
    fitted, arrays, notes = _arrays(ready.model, ready.data, ready.facts, chosen.family)
    notes += own.notes + ready.notes
    if fixed:
        fitted, arrays = _held(engine, fitted, arrays, fixed)
    options = _engine_options(
        engine, bounds=bounds, information=information, time_limit=time_limit
    ) | {"estimator": read.model.estimator}
    if start is not None:
        options["start"] = _vector(arrays, start, "starting values")
    if penalty is not None:
        _no_penalty_with(engine, robust=robust, df=df, bounds=bounds, start=start)
        options.pop("bounds", None)
        with showing(progress), steps(f"fit by {engine}"):
            answer = penalised(arrays.problem, penalty=penalty, **options)
        return FitResult(
            fitted, answer, arrays, read.label, notes, penalty=penalty, source=ready.data
        )
    with showing(progress):
        answer = run(engine, arrays.problem, **options)
    answer, method, degrees = _with_errors(answer, arrays, robust=robust, df=df)
    return FitResult(
        fitted, answer, arrays, read.label, notes, robust, method, degrees, source=ready.data
    )


def _check_options(*, bounds: Any, information: Any, robust: Any, df: Any) -> None:
    _known(bounds, ("psd", "none", None), "bounds")
    _known(information, ("expected", "observed", None), "information")
    _known(robust, (*ROBUST, None), "robust standard error")
    _known(df, (*METHODS, None), "method for degrees of freedom")
    if df not in (None, "none") and robust is not None:
        raise SpecificationError(
            f"The degrees of freedom {df} are of model-based standard errors, not of "
            f"robust={robust!r}.",
            hint="Leave one of them out; robust='cr2' has degrees of freedom of its own.",
        )


def _engine_options(
    engine: str, *, bounds: str | None, information: str | None, time_limit: float
) -> dict[str, Any]:
    """What the engine is told, or a refusal of what only ours take."""
    if engine_called(engine).own:
        space = {} if bounds is None else {"bounds": bounds}
        return {"information": information or "expected", **space}
    if bounds is not None or information is not None:
        raise UnsupportedEngineError(
            f"The engine {engine} takes neither bounds nor information.",
            hint="Use one of ours: long or wide.",
        )
    return {"time_limit": time_limit}


def _with_errors(
    answer: EngineFit, arrays: LongData | WideData, *, robust: str | None, df: str | None
) -> tuple[EngineFit, str | None, NDArray[np.float64] | None]:
    """The fit under the standard errors asked for, the method of its degrees of freedom, these."""
    if robust is not None:
        answer, degrees = with_robust_errors(answer, arrays.problem, robust)
        return answer, None if degrees is None else "satterthwaite", degrees
    if df not in (None, "none"):
        answer, degrees = with_degrees(answer, arrays.problem, str(df))
        return answer, df, degrees
    return answer, None, None


def _no_penalty_with(engine: str, **options: Any) -> None:
    """Refuse what has no meaning beside a penalty."""
    if not engine_called(engine).own:
        raise UnsupportedEngineError(
            f"The engine {engine} takes no penalty.", hint="Use one of ours: long or wide."
        )
    given = [
        f"{name}={value!r}"
        for name, value in options.items()
        if value not in (None, "none") or (name == "bounds" and value == "none")
    ]
    given = [text for text in given if text != "bounds='psd'"]
    if given:
        raise SpecificationError(
            f"A penalised fit does not go with {', '.join(given)}.",
            hint="Leave the penalty out, or the other option.",
        )


def _held(
    engine: str,
    model: MixedModel | SemModel,
    arrays: LongData | WideData,
    fixed: Mapping[str, float],
) -> tuple[MixedModel | SemModel, LongData | WideData]:
    """The model and its arrays with parameters held at values."""
    if not engine_called(engine).own:
        raise UnsupportedEngineError(
            f"The engine {engine} cannot hold parameters at values.",
            hint="Use one of ours: long or wide.",
        )
    if isinstance(arrays, LongData):
        given = tuple((name, float(value)) for name, value in fixed.items())
        problem = replace(arrays.problem, fixed_parameters=given)
        long_engine.parameter_names(problem)  # refuses unknown names
        return model, replace(arrays, problem=problem)
    sem = hold_paths(arrays.problem.model, fixed)
    return sem, replace(arrays, problem=replace(arrays.problem, model=sem))


def _known(value: Any, allowed: tuple[Any, ...], what: str) -> Any:
    if value not in allowed:
        raise SpecificationError(
            f"There is no {what} {value!r}.",
            hint=f"Use one of {', '.join(str(v) for v in allowed if v is not None)}.",
        )
    return value


def _arrays(
    model: MixedModel | SemModel, data: object, facts: Facts, family: str
) -> tuple[MixedModel | SemModel, LongData | WideData, tuple[Assumption, ...]]:
    """The model as the engine's family says it, and its arrays."""
    if isinstance(model, MixedModel) and family == "mixed":
        return mixed_arrays(model, data, facts)
    if isinstance(model, SemModel) and family == "sem":
        wide, notes = sem_arrays(model, data, facts)
        # The data may have written the model out, group by group.
        return wide.problem.model, wide, notes
    pair, frame = paired(model, data, facts)
    assert frame is not None
    long, wide = pair_problems(pair, frame)
    if family == "mixed":
        translated = replace(pair.mixed.model, estimator=model.estimator)
        return translated, long, pair.assumptions
    return replace(pair.sem.model, estimator=model.estimator), wide, pair.assumptions


def _vector(arrays: LongData | WideData, values: Mapping[str, float], what: str) -> Any:
    own = long_engine if isinstance(arrays, LongData) else wide_engine
    names = own.parameter_names(arrays.problem)
    if isinstance(arrays, WideData):
        values = labelled(arrays.problem.model, values)
    return vector(names, values, what)


def log_likelihood(
    model: ModelLike,
    data: object,
    parameters: Mapping[str, float],
    *,
    id: str | None = None,
    time: str | None = None,
    estimator: str = "ml",
    residual: str | ResidualStructure | None = None,
) -> float:
    """The log-likelihood of a model at given parameter values.

    Parameters
    ----------
    model, data, id, time, residual
        As in :func:`fit`.
    parameters : mapping of str to float
        All parameters by name, as ``FitResult.estimates`` names them, or a shared label once.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    float
        With all constants, conditional on covariates.

    Raises
    ------
    SpecificationError
        If parameters are missing or unknown.
    """
    read = source(
        model, residual=residual, estimator=_known(estimator, ("ml", "reml"), "estimator")
    )
    family = "mixed" if isinstance(read.model, MixedModel) else "sem"
    _, arrays, _ = _arrays(read.model, data, Facts(id, time), family)
    own = long_engine if isinstance(arrays, LongData) else wide_engine
    values = _vector(arrays, parameters, "parameters")
    return float(own.log_likelihood(arrays.problem, values, estimator=estimator))
