"""Weakly informative penalties that keep covariance matrices of random effects off zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.optimiser import maximise
from growthmm.engines.outcome import Boundary, Convergence, EngineFit
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.intervals.coordinates import Block, chart
from growthmm.inference.likelihood import likelihood
from growthmm.inference.matrices import complete_blocks, residual_variances

__all__ = ["PENALTIES", "WEIGHT", "penalised", "refuse_penalised"]

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

PENALTIES = ("wishart", "gamma")
"""Penalties by name."""

WEIGHT = 0.75
"""Of ``log|G|``: a Wishart density with 2.5 degrees of freedom more than the matrix has rows, or a
gamma density of shape 2.5 for a standard deviation, each of infinite scale."""


def refuse_penalised(penalty: str | None, what: str) -> None:
    """Raise the error for what is made of plain maxima alone.

    Parameters
    ----------
    penalty : str or None
        The fit's; None where there is none.
    what : str
        What was asked for, at the start of a sentence, in the singular.

    Raises
    ------
    SpecificationError
        If the fit is penalised.

    Examples
    --------
    >>> refuse_penalised(None, "A likelihood-ratio test")
    """
    if penalty is not None:
        raise SpecificationError(
            f"{what} is of a plain maximum of the likelihood; the fit is penalised ({penalty}).",
            hint="Fit without a penalty.",
        )


def penalised(
    problem: LongProblem | WideProblem,
    *,
    penalty: str,
    estimator: Literal["ml", "reml"] = "ml",
    information: Literal["expected", "observed"] = "expected",
) -> EngineFit:
    """Maximise the likelihood times a prior density of the random effects' covariance matrix.

    ``log L + 0.75 sum (log|G| - q log s2)`` over the blocks `G` of q random effects, `s2` the
    residual variance where there is one, else without it (Chung et al. 2013,
    doi:10.1007/s11336-013-9328-2; 2015, doi:10.3102/1076998615570945; the defaults of blme's
    ``blmer``). The log-likelihood reported is that of the data alone.

    Parameters
    ----------
    problem : LongProblem or WideProblem
        Model and data.
    penalty : {"wishart", "gamma"}
        ``"gamma"`` is for uncorrelated effects, and is the same there.
    estimator : {"ml", "reml"}
        Which likelihood.
    information : {"expected", "observed"}
        Which information, with the penalty's curvature, gives the standard errors.

    Returns
    -------
    EngineFit

    Raises
    ------
    SpecificationError
        If there is no such penalty, or it does not fit the model.
    UnsupportedEngineError
        If covariances within a block are fixed or shared, or there are no random effects.
    """
    if penalty not in PENALTIES:
        raise SpecificationError(
            f"There is no penalty {penalty!r}.", hint=f"Use one of {', '.join(PENALTIES)}."
        )
    engine = "long" if isinstance(problem, LongProblem) else "wide"
    plain = run(engine, problem, estimator=estimator, bounds="psd", information=information)
    blocks = _checked(plain, problem, penalty)
    scale = residual_variances(plain, problem)
    common = scale[0][1] if len(scale) == 1 else None
    bare = likelihood(problem, estimator)
    objective = _with_penalty(bare, blocks, common)
    made, x = chart(None, 0.0, blocks, _inside(plain.estimates, blocks, common))
    best = maximise(made.pulled(objective), x)
    values = made.values(best.point)
    covariance = _covariance(
        problem, values, objective, bare, estimator=estimator, information=information
    )
    return replace(
        plain,
        estimates=values,
        covariance=covariance,
        log_likelihood=bare(values)[0],
        convergence=Convergence(
            best.converged,
            best.iterations,
            best.decrement,
            float(np.abs(best.gradient / np.sqrt(np.abs(np.diag(best.hessian)))).max(initial=0.0)),
            "the Newton decrement of the penalised likelihood is zero"
            if best.converged
            else "stopped where the penalised likelihood can still rise",
        ),
        boundary=Boundary(),
        bounds="psd",
    )


def _checked(
    plain: EngineFit, problem: LongProblem | WideProblem, penalty: str
) -> tuple[Block, ...]:
    restricted = isinstance(problem, LongProblem) and problem.restricted
    constrained = isinstance(problem, WideProblem) and bool(problem.model.constraints)
    blocks, incomplete = complete_blocks(plain, problem)
    if restricted or constrained or incomplete or not blocks:
        raise UnsupportedEngineError(
            "The penalty is on free covariance matrices of random effects; this model has "
            + ("fixed, shared or constrained covariances." if blocks or incomplete else "none."),
            hint="Free the covariances, or fit without a penalty.",
        )
    if penalty == "gamma" and any(block.size > 1 for block in blocks):
        raise SpecificationError(
            "The gamma penalty is on standard deviations of uncorrelated random effects.",
            hint="Use penalty='wishart' for effects that covary.",
        )
    return tuple(blocks)


def _inside(values: FloatArray, blocks: tuple[Block, ...], common: int | None) -> FloatArray:
    """Values whose matrices are well inside the positive definite ones."""
    out = np.array(values)
    for block in blocks:
        places = np.array(block.places)
        size = np.diag(out[places])
        floor = 0.1 * float(size.max(initial=0.0)) or 0.1 * float(out[common] if common else 1.0)
        grown = np.maximum(size, 1e-3 * floor)
        matrix = out[places].copy()
        np.fill_diagonal(matrix, 1.1 * grown)
        roots = np.sqrt(1.1 * grown)
        limit = 0.9 * np.outer(roots, roots)
        off = np.clip(matrix, -limit, limit)
        np.fill_diagonal(off, 1.1 * grown)
        if np.linalg.eigvalsh(off / np.outer(roots, roots))[0] < 0.01:
            off = np.diag(1.1 * grown)
        out[places] = off
    return out


def _with_penalty(bare: Objective, blocks: tuple[Block, ...], common: int | None) -> Objective:
    def objective(values: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, hessian = bare(values)
        gradient, hessian = gradient.copy(), hessian.copy()
        for block in blocks:
            size = block.size
            matrix = values[np.array(block.places)]
            sign, log_det = np.linalg.slogdet(matrix)
            if sign <= 0 or not np.isfinite(log_det):
                return -np.inf, gradient, hessian
            inverse = np.linalg.inv(matrix)
            pairs = [(a, b) for a in range(size) for b in range(a + 1)]
            slopes = []
            for a, b in pairs:
                unit = np.zeros((size, size))
                unit[a, b] = unit[b, a] = 1.0
                slopes.append(inverse @ unit)
            value += WEIGHT * float(log_det)
            for i, (a, b) in enumerate(pairs):
                gradient[block.places[a][b]] += WEIGHT * np.trace(slopes[i])
                for j, (c, d) in enumerate(pairs):
                    bend = WEIGHT * float(np.sum(slopes[i] * slopes[j].T))
                    hessian[block.places[a][b], block.places[c][d]] -= bend
            if common is not None:
                if values[common] <= 0:
                    return -np.inf, gradient, hessian
                value -= WEIGHT * size * float(np.log(values[common]))
                gradient[common] -= WEIGHT * size / values[common]
                hessian[common, common] += WEIGHT * size / values[common] ** 2
        return value, gradient, hessian

    return objective


def _covariance(
    problem: LongProblem | WideProblem,
    values: FloatArray,
    objective: Objective,
    bare: Objective,
    *,
    estimator: Literal["ml", "reml"],
    information: Literal["expected", "observed"],
) -> FloatArray:
    """Inverse of the information with the penalty's curvature."""
    if isinstance(problem, LongProblem):
        matrix = long_engine.information(problem, values, information, estimator)
        if estimator == "reml":
            p = problem.fixed.shape[1]
            matrix[:p, p:] = matrix[p:, :p] = 0.0
    else:
        matrix = wide_engine.information(problem, values, information, estimator)
    matrix = matrix - (objective(values)[2] - bare(values)[2])
    scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    return np.asarray(np.linalg.inv(matrix * np.outer(scale, scale)) * np.outer(scale, scale))
