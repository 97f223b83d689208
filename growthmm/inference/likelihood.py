"""A problem's likelihood with its derivatives, whichever engine it is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.evaluation import derivatives as long_derivatives
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.likelihood import evaluate
from growthmm.engines.wide.problem import WideProblem
from growthmm.engines.wide.system import compile_problem
from growthmm.inference.estimated_loadings import refuse_estimated_loadings

__all__ = ["likelihood"]

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]


def likelihood(
    problem: LongProblem | WideProblem, estimator: Literal["ml", "reml"] = "ml"
) -> Objective:
    """The log-likelihood of all parameters as a function with gradient and Hessian.

    Parameters
    ----------
    problem : LongProblem or WideProblem
        Model and data.
    estimator : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    callable
        From values (n_parameters,), in the engine's order and the user's units, to value,
        gradient and Hessian; minus infinity where it does not exist.
    """
    refuse_estimated_loadings(problem, "A profile or a penalty")
    if isinstance(problem, LongProblem):
        return lambda values: long_derivatives(problem, values, estimator)
    system = compile_problem(problem)

    def objective(values: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        at = evaluate(system, values, restricted=estimator == "reml")
        return at.value, at.score, at.hessian

    return objective
