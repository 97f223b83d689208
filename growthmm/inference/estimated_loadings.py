"""What is not made for mixed models whose design holds parameters."""

from __future__ import annotations

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import UnsupportedEngineError

__all__ = ["refuse_estimated_loadings"]


def refuse_estimated_loadings(problem: LongProblem | WideProblem, what: str) -> None:
    """Raise the error for a mixed model with estimated loadings.

    Parameters
    ----------
    problem : LongProblem or WideProblem
        Model and data.
    what : str
        What was asked for, at the start of a sentence.

    Raises
    ------
    UnsupportedEngineError
        If the problem is such a model.
    """
    if isinstance(problem, LongProblem) and problem.loadings is not None:
        raise UnsupportedEngineError(
            f"{what} is made for mixed models with known designs; this one's depends on "
            f"{', '.join(problem.loadings.names)}.",
            hint="Use engine='wide', where loadings are parameters like others.",
        )
