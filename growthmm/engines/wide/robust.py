"""Standard errors that hold when the distribution is not normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.constraints import relations
from growthmm.engines.wide.likelihood import evaluate
from growthmm.engines.wide.patterns import invert_patterns
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.engines.wide.search import null_basis
from growthmm.engines.wide.statistics import Persons, persons
from growthmm.engines.wide.system import compile_problem
from growthmm.engines.wide.uncertainty import invert
from growthmm.errors import FitFailedError, UnsupportedEngineError

__all__ = ["person_scores", "sandwich"]

FloatArray = NDArray[np.float64]

CHUNK = 4096


def person_scores(problem: WideProblem, values: FloatArray) -> FloatArray:
    """Each person's contribution to the score, (n_subjects, n_parameters).

    Persons without outcomes have zeros.

    Raises
    ------
    UnsupportedEngineError
        If a group is given by its moments.
    FitFailedError
        If the likelihood does not exist at `values`.
    """
    system = compile_problem(problem)
    values = np.asarray(values, dtype=float)
    if system.levels is not None:
        raise UnsupportedEngineError(
            "Persons of one cluster have no scores of their own.",
            hint="Use robust='cr0' with the long engine, which goes by clusters.",
        )
    found = []
    for (ram, _), data in zip(system.groups, problem.groups, strict=True):
        if not isinstance(data, WideGroup):
            raise UnsupportedEngineError(
                "Moments hold no persons, and robust standard errors need them.",
                hint="Give the rows of the data.",
            )
        rows = persons(ram, data)
        for start in range(0, len(rows.observed), CHUNK):
            found.append(_scores(ram, rows, slice(start, start + CHUNK), values))
    return np.concatenate(found)


def _scores(ram: r.Ram, rows: Persons, part: slice, values: FloatArray) -> FloatArray:
    t = ram.n_outcomes
    designs = None if rows.designs is None else rows.designs[part]
    w, observed = rows.regressors[part], rows.observed[part]
    at = r.implied(ram, values, designs)
    inverse = None if at is None else invert_patterns(at.sigma[:, :t, :t], observed)
    if at is None or inverse is None:
        raise FitFailedError(
            "The likelihood does not exist at these values.",
            hint="Take values from a fit that converged.",
        )
    jac = r.jacobian(ram, at)
    design = "d" if len(at.b) == 1 else "n"
    expected = np.einsum(f"{design}aw,nw->na", at.mean[:, :t], w)
    z = np.einsum("nab,nb->na", inverse[0], np.where(observed, rows.outcomes[part] - expected, 0))
    found = np.zeros((len(w), ram.n_parameters))
    quadratic = np.einsum(f"na,{design}kab,nb->nk", z, jac.sigma, z, optimize=True)
    trace = np.einsum(f"nab,{design}kab->nk", inverse[0], jac.sigma, optimize=True)
    found[:, ram.cov_parameters] = 0.5 * (quadratic - trace)
    moved = np.einsum(f"na,{design}kaw,nw->nk", z, jac.mean, w, optimize=True)
    found[:, ram.mean_parameters] += moved
    return found


def sandwich(problem: WideProblem, values: FloatArray) -> FloatArray:
    """Robust covariance matrix of the ML estimates, clustered by person (CR0, Huber-White).

    ``H^-1 (sum_i s_i s_i') H^-1`` with H the observed information and s_i the person's score, over
    means and covariances together (what SEM programs call MLR; White 1982, doi:10.2307/1912526),
    within the equality constraints of the model.

    Parameters
    ----------
    problem : WideProblem
        Model and data (persons, not moments).
    values : (n_parameters,) ndarray
        The ML estimates.

    Returns
    -------
    (n_parameters, n_parameters) ndarray
        The covariance matrix.
    """
    system = compile_problem(problem)
    values = np.asarray(values, dtype=float)
    scores = person_scores(problem, values)
    at = evaluate(system, values)
    held = [c.jet for c in relations(problem.model, values) if c.equality]
    slope = np.array([jet.gradient for jet in held]).reshape(-1, len(values))
    bread = -at.hessian
    if held:
        multipliers = np.linalg.lstsq(slope.T, at.score, rcond=None)[0]
        for multiplier, jet in zip(multipliers, held, strict=True):
            bread = bread + multiplier * jet.hessian
    basis = null_basis(slope, len(values))
    inverse = basis @ invert(basis.T @ bread @ basis) @ basis.T
    return np.asarray(inverse @ (scores.T @ scores) @ inverse)
