"""How estimates behave in data of a known model: bias, error, coverage, power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import FitFailedError, NotIdentifiedError, SpecificationError
from growthmm.inference.degrees.method import with_degrees
from growthmm.inference.estimates import estimates_table
from growthmm.inference.plain_values import records
from growthmm.inference.resampling.outcomes import draw_outcomes
from growthmm.inference.resampling.persons import draw_persons
from growthmm.inference.resampling.replicates import replicates
from growthmm.rendering import Shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SimulationStudy", "StudySeries", "simulation_study"]

FloatArray = NDArray[np.float64]
COLUMNS = ("estimate", "std_error", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True)
class SimulationStudy(Shown):
    """What came of many samples.

    Parameters
    ----------
    table : DataFrame
        One row a parameter: ``name, kind, true, mean, bias, bias_error, relative_bias, rmse, sd,
        mean_std_error, coverage, coverage_error, power, power_error``. Errors are Monte Carlo
        standard errors (Morris, White & Crowther 2019, doi:10.1002/sim.8086). NaN where there is
        no test or no standard error.
    n_subjects : int
        Persons of each sample.
    n_simulations : int
        Samples.
    n_failed : int
        Samples whose fit did not converge; they count nowhere.
    n_boundary : int
        Samples whose estimates lie on the boundary.
    """

    table: pd.DataFrame
    n_subjects: int
    n_simulations: int
    n_failed: int
    n_boundary: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values: the counts, and ``rows``."""
        return {
            "n_subjects": self.n_subjects,
            "n_simulations": self.n_simulations,
            "n_failed": self.n_failed,
            "n_boundary": self.n_boundary,
            "rows": records(self.table),
        }

    def summary(self) -> str:
        """The table as text."""
        head = (
            f"{self.n_simulations} samples of {self.n_subjects} persons; {self.n_failed} fits did "
            f"not converge, {self.n_boundary} lie on the boundary"
        )
        shown = ["name", "true", "bias", "rmse", "coverage", "power"]
        return f"{head}\n{self.table[shown].to_string(index=False, float_format='%.4f')}"

    def __repr__(self) -> str:
        return self.summary()


@dataclass(frozen=True)
class StudySeries:
    """Studies of samples of several sizes.

    Parameters
    ----------
    studies : tuple of SimulationStudy
        One a size.
    """

    studies: tuple[SimulationStudy, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The studies' tables, one below the other, with ``n_subjects`` in front."""
        import pandas as pd

        parts = [one.table.assign(n_subjects=one.n_subjects) for one in self.studies]
        whole = pd.concat(parts, ignore_index=True)
        return whole[["n_subjects", *(name for name in whole if name != "n_subjects")]]

    def to_dict(self) -> dict[str, Any]:
        """As plain values: ``studies``."""
        return {"studies": [one.to_dict() for one in self.studies]}

    def summary(self) -> str:
        """The tables as text."""
        return "\n\n".join(one.summary() for one in self.studies)

    def __repr__(self) -> str:
        return self.summary()


@dataclass(frozen=True)
class _Fitted:
    """Figures of one sample's fit (n_parameters, n_columns), and what it is of."""

    figures: FloatArray
    edge: bool
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    n_subjects: int


@dataclass(frozen=True)
class _Sample:
    """One sample and its fit; a class, so that other processes can be sent it."""

    problem: LongProblem | WideProblem
    values: FloatArray
    engine: str
    options: dict[str, Any]
    df: str | None
    level: float
    n_subjects: int | None

    def __call__(self, rng: np.random.Generator) -> _Fitted | None:
        problem = self.problem
        if self.n_subjects is not None:
            problem = draw_persons(problem, rng, self.n_subjects)
        drawn = draw_outcomes(problem, self.values, rng)
        try:
            found = run(self.engine, drawn, **self.options)
        except (FitFailedError, NotIdentifiedError):
            return None
        if not found.convergence.converged:
            return None
        degrees = None
        if self.df not in (None, "none"):
            found, degrees = with_degrees(found, drawn, str(self.df))
        names = tuple((name, name) for name in found.names)
        table = estimates_table(found, names, self.level, degrees)
        edge = found.boundary.at_boundary or found.boundary.beyond
        figures = table[list(COLUMNS)].to_numpy(dtype=float)
        return _Fitted(figures, edge, found.names, found.kinds, found.n_subjects)


def simulation_study(
    problem: LongProblem | WideProblem,
    values: FloatArray,
    *,
    engine: str,
    options: dict[str, Any],
    df: str | None,
    n_subjects: int | None,
    n_simulations: int,
    level: float,
    seed: int,
    workers: int | None,
) -> SimulationStudy:
    """Draw samples from the model at `values`, fit each, and sum up.

    See :func:`growthmm.verbs.simulate.study`.
    """
    import pandas as pd

    if not 0 < level < 1:
        raise SpecificationError(
            f"A level of {level} is no probability.", hint="Give it as level=0.95."
        )
    if n_subjects is not None and n_subjects < 2:
        raise SpecificationError(
            f"Samples of {n_subjects} persons.", hint="A growth model needs at least two."
        )
    task = _Sample(problem, values, engine, options, df, level, n_subjects)
    found = replicates(task, n_simulations, seed=seed, workers=workers, title="simulation study")
    good = [row for row in found if row is not None]
    if len(good) < 2:
        raise FitFailedError(
            f"{n_simulations - len(good)} of {n_simulations} fits to simulated data failed.",
            hint="Give more persons, or a simpler covariance structure.",
        )
    whole, first = np.array([one.figures for one in good]), good[0]
    table = pd.DataFrame({"name": first.names, "kind": first.kinds, "true": values})
    for name, column in _columns(whole, values, level).items():
        table[name] = column
    if n_subjects is None:
        n_subjects = first.n_subjects
    return SimulationStudy(
        table,
        n_subjects,
        n_simulations,
        n_simulations - len(good),
        sum(one.edge for one in good),
    )


def _columns(whole: FloatArray, true: FloatArray, level: float) -> dict[str, FloatArray]:
    estimate, error, p_value, low, high = (whole[:, :, k] for k in range(len(COLUMNS)))
    n = len(whole)
    spread = estimate.std(axis=0, ddof=1)
    bias = estimate.mean(axis=0) - true
    known = np.isfinite(error)
    counted = np.maximum(known.sum(axis=0), 1)
    covered = np.where(known, (low <= true) & (true <= high), False).sum(axis=0) / counted
    tested = np.isfinite(p_value)
    tests = np.maximum(tested.sum(axis=0), 1)
    power = np.where(tested, p_value < 1.0 - level, False).sum(axis=0) / tests
    covered = np.where(known.any(axis=0), covered, np.nan)
    power = np.where(tested.any(axis=0), power, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(true != 0, bias / true, np.nan)
    return {
        "mean": estimate.mean(axis=0),
        "bias": bias,
        "bias_error": spread / np.sqrt(n),
        "relative_bias": relative,
        "rmse": np.sqrt(np.mean((estimate - true) ** 2, axis=0)),
        "sd": spread,
        "mean_std_error": np.where(known, error, 0.0).sum(axis=0) / counted,
        "coverage": covered,
        "coverage_error": np.sqrt(covered * (1.0 - covered) / counted),
        "power": power,
        "power_error": np.sqrt(power * (1.0 - power) / tests),
    }
