"""What simulated data are drawn from: a fit, or a bare model with parameters and a design."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import as_pandas
from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import LongData, WideData
from growthmm.errors import SpecificationError, UnboundError, UnsupportedEngineError
from growthmm.inference.result import FitResult
from growthmm.model.expression import quote, variables
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.verbs.binding import Facts, mixed_arrays, sem_arrays
from growthmm.verbs.parameter_values import labelled, vector
from growthmm.verbs.source import Function, ModelLike, source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Covariates", "Design", "Truth", "truth_of_fit", "truth_of_model"]

FloatArray = NDArray[np.float64]

Covariates = Mapping[str, Sequence[Any] | Callable[[np.random.Generator, int], Any]]
"""Values of person-level covariates: a sequence shared out in turn, or a function that draws."""


@dataclass(frozen=True)
class Truth:
    """A model at given parameter values, with the designs of persons.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model.
    data : LongData or WideData
        Designs, covariates, pattern of missing values.
    values : (n_parameters,) ndarray
        In the engine's order.
    source : object
        The data frame behind `data`, or None.
    estimator : str
        How samples are fitted.
    options : dict
        Further options of the fits.
    df : str or None
        Degrees of freedom of the tests.
    """

    model: MixedModel | SemModel
    data: LongData | WideData
    values: FloatArray
    source: object
    estimator: str
    options: dict[str, Any] = field(default_factory=dict)
    df: str | None = None

    @property
    def engine(self) -> str:
        """Ours of the family."""
        return "long" if isinstance(self.data, LongData) else "wide"


@dataclass(frozen=True)
class Design:
    """What is said of the persons that a bare model is to have.

    Parameters
    ----------
    n_subjects : int, optional
        How many.
    data : data frame or path, optional
        Their rows: times, covariates, and missing values of the outcome where it is there.
    id, time : str, optional
        Columns of person and time.
    time_values : sequence of float, optional
        Times of every person, where there are no data.
    covariates : mapping, optional
        Person-level covariates, where there are no data.
    """

    n_subjects: int | None = None
    data: object | None = None
    id: str | None = None
    time: str | None = None
    time_values: Sequence[float] | None = None
    covariates: Covariates | None = None

    @property
    def said(self) -> list[str]:
        """Names of what was given beside the number of persons."""
        names = ("data", "id", "time", "time_values", "covariates")
        return [name for name in names if getattr(self, name) is not None]


def truth_of_fit(fit: FitResult, parameters: Mapping[str, float] | None) -> Truth:
    """A fit's model at its estimates, some of them replaced.

    Parameters
    ----------
    fit : FitResult
        By our engines.
    parameters : mapping of str to float, optional
        Values in place of estimates.

    Raises
    ------
    SpecificationError
        If a parameter is unknown.
    UnsupportedEngineError
        If the fit is by another engine.
    """
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
    options = {"bounds": fit.fit.bounds, "information": fit.fit.information}
    values = np.array(list(own.values()))
    return Truth(fit.model, fit.data, values, fit.source, fit.estimator, options, fit.df)


def truth_of_model(
    model: ModelLike,
    parameters: Mapping[str, float] | None,
    design: Design,
    *,
    estimator: str | None = None,
    residual: str | None = None,
    notation: str | None = None,
    function: Function | None = None,
    seed: int = 0,
) -> Truth:
    """A bare model at the values given, for the persons of a design.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        The model.
    parameters : mapping of str to float
        All of its parameters by name, as the table of estimates of a fit has them.
    design : Design
        The persons.
    estimator : {"ml", "reml"}, optional
        How samples are fitted; ``ml`` where None, unless a call states it.
    residual, notation, function : optional
        How to read the model.
    seed : int
        For covariates that are drawn.

    Raises
    ------
    SpecificationError
        If parameters are missing or unknown, or something is malformed.
    UnboundError
        If the design does not say what the model needs.
    """
    read = source(
        model,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
        otherwise="ml",
    )
    rng = np.random.default_rng([seed, 1])
    data: LongData | WideData
    if isinstance(read.model, MixedModel):
        person = design.id or _person(read.model)
        frame = _long_rows(read.model, person, design, rng)
        fitted, data, _ = mixed_arrays(read.model, frame, Facts(person, design.time))
        names = long_engine.parameter_names(data.problem)
        values = vector(names, parameters or {}, "parameters")
        return Truth(fitted, data, values, frame, read.model.estimator)
    frame = _wide_rows(read.model, design, rng)
    facts = Facts(design.id, design.time, layout="wide")
    data, _ = sem_arrays(read.model, frame, facts)
    own = data.problem.model
    names = wide_engine.parameter_names(data.problem)
    values = vector(names, labelled(own, parameters or {}), "parameters")
    return Truth(own, data, values, frame, read.model.estimator)


def _person(model: MixedModel) -> str:
    groups = [name for group in model.groups for name in variables(group)]
    if len(set(groups)) != 1:
        raise UnboundError(
            f"Which column the person is can't be told ({', '.join(groups) or 'no group'}).",
            missing=("person",),
            hint="Name it: id=...; persons in clusters are given by data=.",
        )
    return groups[0]


def _response(model: MixedModel) -> str:
    name = variables(model.response)[0]
    if model.response != quote(name):
        raise SpecificationError(
            f"The outcome {model.response} is computed from a column, which can't be drawn.",
            hint="Name the outcome itself.",
        )
    return name


def _long_rows(
    model: MixedModel, person: str, design: Design, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows with some number for the outcome wherever one is to be drawn."""
    outcome = _response(model)
    if design.data is not None:
        _nothing_beside_data(design)
        frame = as_pandas(design.data).copy()
        if outcome not in frame.columns:
            frame[outcome] = _unread(len(frame))
        return frame
    terms = [*model.fixed, *(term for block in model.random for term in block.terms)]
    used = [name for term in terms for factor in term.factors for name in variables(factor)]
    used += variables(model.residual.by) if model.residual.by is not None else ()
    columns = [name for name in dict.fromkeys(used) if name not in (person, outcome)]
    given = design.covariates or {}
    _covariates_known(given, columns)
    left = [name for name in columns if name not in given]
    time = design.time or (left[0] if len(left) == 1 else None if left else "time")
    missing = [name for name in left if name != time]
    if design.n_subjects is None or design.time_values is None or time is None or missing:
        raise UnboundError(
            f"A bare model does not say its persons ({_lacking(design, time, missing)}).",
            missing=tuple(missing),
            hint="Give n_subjects=, time_values= and covariates={'sex': ['female', 'male']} (and "
            "time= where it can't be told), or data= with a row a person and time.",
        )
    return _crossed(design, design.n_subjects, {"person": person, "time": time}, outcome, rng)


def _lacking(design: Design, time: str | None, missing: list[str]) -> str:
    parts = [] if design.n_subjects is not None else ["no number of persons"]
    parts += [] if design.time_values is not None else ["no times"]
    if time is None:
        parts.append(f"time may be {' or '.join(missing)}")
    elif missing:
        parts.append(f"no values of {', '.join(missing)}")
    return "; ".join(parts)


def _crossed(
    design: Design, n: int, roles: Mapping[str, str], outcome: str, rng: np.random.Generator
) -> pd.DataFrame:
    """A row for every person and time; the outcome holds numbers that nothing depends on."""
    import pandas as pd

    times = list(design.time_values or ())
    _enough(n)
    if not times:
        raise SpecificationError("There are no times.", hint="Give time_values=[0, 1, 2].")
    columns: dict[str, Any] = {
        roles["person"]: np.repeat(np.arange(1, n + 1), len(times)),
        roles["time"]: np.tile(np.asarray(times, dtype=float), n),
    }
    for name, values in (design.covariates or {}).items():
        columns[name] = np.repeat(_values(name, values, n, rng), len(times))
    columns[outcome] = _unread(n * len(times))
    return pd.DataFrame(columns)


def _wide_rows(model: SemModel, design: Design, rng: np.random.Generator) -> pd.DataFrame:
    import pandas as pd

    if design.time_values is not None or design.time is not None:
        raise SpecificationError(
            "The times of a structural equation model are its loadings.",
            hint="Leave time and time_values out.",
        )
    if design.data is not None:
        _nothing_beside_data(design)
        frame = as_pandas(design.data)
        rows = _unread(len(frame))
        absent = {name: rows for name in model.outcomes if name not in frame.columns}
        return frame.assign(**absent)
    if model.n_groups > 1 or model.group_variable or any(p.definition for p in model.paths):
        raise UnboundError(
            "A model of groups, or with definition variables, has persons that differ.",
            hint="Give data= with a row a person; the outcomes need not be there.",
        )
    given = design.covariates or {}
    _covariates_known(given, model.covariates)
    missing = [name for name in model.covariates if name not in given]
    if design.n_subjects is None or missing:
        raise UnboundError(
            "A bare model does not say its persons ("
            + "; ".join(
                [f"no values of {', '.join(missing)}"] * bool(missing)
                + ["no number of persons"] * (design.n_subjects is None)
            )
            + ").",
            missing=tuple(missing),
            hint="Give n_subjects= and covariates={'x': [0, 1]}, or data=.",
        )
    n = design.n_subjects
    _enough(n)
    columns: dict[str, Any] = dict.fromkeys(model.outcomes, _unread(n))
    columns |= {name: _values(name, values, n, rng) for name, values in given.items()}
    return pd.DataFrame(columns)


def _unread(n: int) -> FloatArray:
    """Numbers in place of outcomes that are yet to be drawn; like no predictor's."""
    return np.random.default_rng(0).standard_normal(n)


def _enough(n: int) -> None:
    if n < 2:
        raise SpecificationError(
            f"A sample of {n} persons.", hint="A growth model needs at least two."
        )


def _nothing_beside_data(design: Design) -> None:
    beside = [name for name in ("time_values", "covariates") if getattr(design, name) is not None]
    if beside:
        raise SpecificationError(
            f"Both data and {' and '.join(beside)} are given.",
            hint="Data say times and covariates; leave the others out.",
        )


def _covariates_known(given: Covariates, columns: Sequence[str]) -> None:
    if not isinstance(given, Mapping):
        raise SpecificationError(
            f"The covariates are a {type(given).__name__}, not a mapping from their names.",
            hint="covariates={'age': lambda rng, n: rng.normal(40, 5, n), 'arm': ['a', 'b']}",
        )
    strange = [name for name in given if name not in columns]
    if strange:
        raise SpecificationError(
            f"The model has no covariate {', '.join(map(repr, strange))}.",
            hint=f"It has: {', '.join(columns) or 'none'}.",
        )


def _values(
    name: str,
    values: Sequence[Any] | Callable[[np.random.Generator, int], Any],
    n: int,
    rng: np.random.Generator,
) -> NDArray[Any]:
    """A value for every person."""
    made = np.asarray(values(rng, n) if callable(values) else list(values))
    if callable(values) and made.shape != (n,):
        raise SpecificationError(
            f"The function for {name} gave values of shape {made.shape} for {n} persons.",
            hint="It takes a generator and the number of persons, and returns a value for each.",
        )
    if made.ndim != 1 or not made.size:
        raise SpecificationError(
            f"The covariate {name} has no list of values.", hint="Give covariates={'x': [0, 1]}."
        )
    return made[np.arange(n) % len(made)]
