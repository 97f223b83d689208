"""Expected courses over time at chosen values of the covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.data.frames import as_pandas, require_columns
from growthmm.engines.prepare import LongData
from growthmm.engines.wide.problem import WideMoments, WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.reading.new_rows import bound_of
from growthmm.inference.reading.prediction import predict_new
from growthmm.inference.result import FitResult
from growthmm.model.expression import variables
from growthmm.rendering import Shown, render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Trajectories", "trajectories"]


@dataclass(frozen=True)
class Trajectories(Shown):
    """Expected outcomes over time, one course for each combination of covariate values.

    Parameters
    ----------
    table : DataFrame
        Columns ``course``, the time's and covariates' own, ``estimate, std_error, ci_low,
        ci_high``.
    time : str
        The column of time; ``outcome`` for a structural equation model.
    held : dict of str to object
        Covariates that were not chosen, and the value at which they are held.
    interval : {"confidence", "prediction"}
        What the interval is for.
    coverage : float
        How often it covers.
    """

    table: pd.DataFrame
    time: str
    held: dict[str, Any]
    interval: str
    coverage: float

    def plot(self) -> Figure:
        """A line with its band for each course.

        Raises
        ------
        EngineNotInstalledError
            If matplotlib is absent.
        """
        figure: Figure = render("trajectories.figure", self)
        return figure

    def __repr__(self) -> str:
        held = ", ".join(f"{name} = {value}" for name, value in self.held.items())
        text = self.table.round(4).to_string(index=False)
        return f"{text}\nheld: {held}" if held else text


def trajectories(
    fit: FitResult,
    at: Mapping[str, Sequence[Any]] | None = None,
    *,
    time: str | None = None,
    times: Sequence[float] | None = None,
    interval: str = "confidence",
    coverage: float = 0.95,
) -> Trajectories:
    """The effect of time at chosen covariate values, for the population.

    Parameters
    ----------
    fit : FitResult
        Of either family.
    at : mapping of str to sequence
        Values of covariates; every combination has a course. Covariates left out are held at
        their mean in the data, categorical ones at their first level.
    time : str, optional
        The column of time of a mixed model, where several could be it.
    times : sequence of float, optional
        At which times; 25 between the first and the last where None. A structural equation
        model has its outcomes.
    interval : {"confidence", "prediction"}
        For the expected outcome, or for a new person's.
    coverage : float
        Of the interval.

    Returns
    -------
    Trajectories

    Raises
    ------
    SpecificationError
        If a covariate is none of the model's, or time cannot be told.
    UnsupportedEngineError
        If the fit keeps no data to take means from.
    """
    chosen = {name: list(values) for name, values in (at or {}).items()}
    if isinstance(fit.data, LongData):
        if fit.source is None:
            raise UnsupportedEngineError(
                "The fit keeps no data from which times and means could be taken.",
                hint="Fit by gm.fit, and use fit.predict with rows of your own.",
            )
        return _long(
            fit,
            fit.data,
            as_pandas(fit.source),
            chosen,
            time=time,
            times=times,
            interval=interval,
            coverage=coverage,
        )
    if time is not None or times is not None:
        raise SpecificationError(
            "The times of a structural equation model are those of its outcomes.",
            hint="Leave time and times out, or fit the translation: engine='long'.",
        )
    columns = fit.data.problem.model.covariates
    _known(chosen, columns)
    means = _covariate_means(fit.data.problem)
    held = {name: means[name] for name in columns if name not in chosen}
    rows, labels = _grid({}, chosen, held)
    found = predict_new(fit, rows, level="population", interval=interval, coverage=coverage)
    size = len(fit.data.problem.model.outcomes)
    table = rows[list(chosen)].loc[np.repeat(rows.index, size)].reset_index(drop=True)
    table.insert(0, "course", np.repeat(labels, size))
    table["outcome"] = found.index.get_level_values("outcome")
    table[list(found.columns)] = found.to_numpy()
    return Trajectories(table, "outcome", held, interval, coverage)


def _covariate_means(problem: WideProblem) -> dict[str, float]:
    """Means of a structural equation model's covariates over its persons."""
    data, first = problem.groups[0], len(problem.model.outcomes)
    means = data.mean[first:] if isinstance(data, WideMoments) else data.covariates.mean(axis=0)
    return dict(zip(problem.model.covariates, map(float, means), strict=True))


def _long(
    fit: FitResult,
    data: LongData,
    frame: pd.DataFrame,
    chosen: dict[str, list[Any]],
    *,
    time: str | None,
    times: Sequence[float] | None,
    interval: str,
    coverage: float,
) -> Trajectories:
    bound = bound_of(data)
    random = [column for block in bound.random for column in block.columns]
    used = _columns([*bound.fixed, *random])
    time = _time(time or bound.schema.time, used, _columns(random), chosen)
    _known(chosen, [name for name in used if name != time])
    require_columns(frame, used)
    if times is None:
        times = np.linspace(float(frame[time].min()), float(frame[time].max()), 25).tolist()
    held: dict[str, Any] = {}
    for name in used:
        if name != time and name not in chosen:
            variable = bound.schema.variable(name)
            levels = None if variable is None else variable.levels
            held[name] = levels[0] if levels else float(frame[name].mean())
    rows, labels = _grid({time: list(times)}, chosen, held)
    if bound.model.residual.by is not None and interval == "prediction":
        require_columns(rows, [bound.model.residual.by])
    found = predict_new(fit, rows, level="population", interval=interval, coverage=coverage)
    table = rows[[time, *chosen]].copy()
    table.insert(0, "course", labels)
    table[list(found.columns)] = found.to_numpy()
    return Trajectories(table, time, held, interval, coverage)


def _columns(columns: Sequence[Any]) -> list[str]:
    """The data columns behind design columns."""
    names = [v for c in columns for part in c.parts for v in variables(part.expression)]
    return list(dict.fromkeys(names))


def _time(named: str | None, used: list[str], random: list[str], chosen: Mapping[str, Any]) -> str:
    candidates = [name for name in random if name not in chosen]
    found = named or (candidates[0] if len(candidates) == 1 else None)
    if found is None or found not in used:
        raise SpecificationError(
            f"Which column is time can't be told among {', '.join(used) or 'no columns'}.",
            hint="Name it: time=...",
        )
    return found


def _known(chosen: Mapping[str, Any], columns: Sequence[str]) -> None:
    strange = [name for name in chosen if name not in columns]
    if strange:
        raise SpecificationError(
            f"The model has no covariate {', '.join(map(repr, strange))}.",
            hint=f"It has: {', '.join(columns) or 'none'}.",
        )


def _grid(
    time: Mapping[str, list[Any]], chosen: Mapping[str, list[Any]], held: Mapping[str, Any]
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of every combination, and what each row's course is called."""
    import pandas as pd

    names = [*chosen, *time]
    rows = list(product(*chosen.values(), *time.values()))
    frame = pd.DataFrame(rows, columns=names, index=range(len(rows)))
    labels = [
        ", ".join(f"{name} = {value}" for name, value in zip(chosen, row, strict=False)) or "all"
        for row in rows
    ]
    return frame.assign(**held), labels
