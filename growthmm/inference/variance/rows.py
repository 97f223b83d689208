"""What a growth model says of every outcome that was used: its mean and its variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.wide import ram as r
from growthmm.engines.wide.problem import WideGroup
from growthmm.engines.wide.statistics import persons
from growthmm.errors import UnsupportedEngineError
from growthmm.inference.labelled import ordered_estimates
from growthmm.inference.result import FitResult
from growthmm.inference.variance.explained import refuse_levels

__all__ = ["ModelRows", "model_rows"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ModelRows:
    """Expectations and variances of the outcomes, one row an outcome value used.

    Parameters
    ----------
    person : (n_rows,) ndarray of int
        Whose it is.
    occasion : (n_rows,) ndarray
        Its time (or stratum of residual variances); the outcome's name for a structural equation
        model.
    mean : (n_rows,) ndarray
        Given the covariates, in the outcome's unit.
    design : (n_rows, n_random) ndarray
        Loadings of the random effects or growth factors.
    factor_cov : (n_groups, n_random, n_random) ndarray
        Their covariance matrix given the covariates, one where all persons share it.
    group : (n_rows,) ndarray of int
        Which of these matrices holds.
    residual : (n_rows,) ndarray
        Residual variance, in the outcome's squared unit.
    """

    person: NDArray[np.intp]
    occasion: NDArray[Any]
    mean: FloatArray
    design: FloatArray
    factor_cov: FloatArray
    group: NDArray[np.intp]
    residual: FloatArray

    @property
    def random(self) -> FloatArray:
        """Variance ``z' G z`` between persons, (n_rows,)."""
        own = self.factor_cov[self.group]
        return np.asarray(np.einsum("ni,nij,nj->n", self.design, own, self.design))


def model_rows(fit: FitResult) -> ModelRows:
    """Means and variances of the outcomes at the estimates.

    Parameters
    ----------
    fit : FitResult
        A mixed model, or a structural equation model of one growing outcome.

    Returns
    -------
    ModelRows
        The same for both forms of a model, but for the order of rows.

    Raises
    ------
    UnsupportedEngineError
        If the model has several outcomes, or is a structural equation model of two levels, or the
        data are moments.
    """
    values = ordered_estimates(fit.fit, fit.data)
    if isinstance(fit.data, LongData):
        return _long(fit, fit.data, values)
    return _wide(fit.data, values)


def _long(fit: FitResult, data: LongData, values: FloatArray) -> ModelRows:
    if data.bound is not None and data.bound.schema.series:
        raise _several_outcomes([[str(name)] for name in dict.fromkeys(data.bound.schema.series)])
    problem, values = long_engine.at_values(data.problem, values)
    n = len(problem.outcome)
    matrix = fit.residual_cov.to_numpy()
    place = np.zeros(n, dtype=np.intp)
    if len(matrix) > 1:
        place = long_engine.residual_places(problem)
    return ModelRows(
        np.asarray(problem.subject, dtype=np.intp),
        _times(problem),
        np.asarray(problem.fixed @ values[: problem.fixed.shape[1]]),
        np.asarray(problem.random, dtype=float),
        fit.factor_cov.to_numpy()[None],
        np.zeros(n, dtype=np.intp),
        np.diag(matrix)[place],
    )


def _times(problem: LongProblem) -> NDArray[Any]:
    """What tells rows of different variances apart.

    The occasion where the model has them, the stratum of residual variances by group and occasion,
    else the first varying column of the random effects, else the group.
    """
    if len(problem.occasions) > 1:
        return np.asarray(problem.occasions, dtype=float)[problem.occasion]
    strata = None
    if problem.strata is not None:
        strata = np.asarray(problem.strata_names, dtype=object)[problem.strata]
        if problem.residual.crossed:
            return strata
    design = np.asarray(problem.random, dtype=float)
    varying = [k for k in range(design.shape[1]) if np.ptp(design[:, k]) > 0]
    if varying:
        return design[:, varying[0]]
    return np.zeros(len(design)) if strata is None else strata


def _wide(data: WideData, values: FloatArray) -> ModelRows:
    problem = data.problem
    refuse_levels(data, "Variance accounted for")
    _refuse_several_outcomes(data)
    means = wide_engine.fitted(problem, values, "population")
    designs, covs, residuals, seen = [], [], [], []
    for ram, group in zip(r.compile_groups(problem.model), problem.groups, strict=True):
        assert isinstance(group, WideGroup)  # fitted() has refused moments
        rows = persons(ram, group)
        t, n = ram.n_outcomes, len(rows.observed)
        at = r.implied(ram, values, rows.designs)
        a, s, _ = r.matrices(ram, values, rows.designs)
        assert at is not None  # fitted() has looked
        own = at.b[:, :t, :t]
        theta = np.einsum("nij,njk,nik->ni", own, s[:, :t, :t], own)
        load = own @ a[:, :t, t:]
        covs.append(at.sigma[0, t:, t:])
        designs.append(np.broadcast_to(load, (n, *load.shape[1:])))
        residuals.append(np.broadcast_to(theta, (n, t)))
        seen.append(rows.observed)
    observed = np.concatenate(seen)
    person, place = np.nonzero(observed)
    group_of = np.repeat(np.arange(len(seen)), [len(part) for part in seen])
    return ModelRows(
        person,
        np.asarray(problem.model.outcomes, dtype=object)[place],
        means[observed],
        np.concatenate(designs)[observed],
        np.stack(covs),
        group_of[person],
        np.concatenate(residuals)[observed],
    )


def _refuse_several_outcomes(data: WideData) -> None:
    """Variance is accounted for outcome by outcome: pooled over two outcomes it has no unit."""
    import networkx as nx

    model = data.problem.model
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(model.outcomes)
    loads = [(p.left, p.right) for p in model.paths if p.op == "=~" and p.right in model.outcomes]
    graph.add_edges_from(loads)
    parts = [set(part) & set(model.outcomes) for part in nx.connected_components(graph)]
    found = [sorted(part) for part in parts if part]
    if len(found) > 1:
        raise _several_outcomes(found)


def _several_outcomes(outcomes: list[list[str]]) -> UnsupportedEngineError:
    shown = "; ".join(", ".join(part) for part in outcomes)
    return UnsupportedEngineError(
        f"The model has several outcomes ({shown}), whose variances have no common scale.",
        hint="Take r_squared(fit).by_variable of the growth curve, or fit the outcomes one by one.",
    )
