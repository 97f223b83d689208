"""What R said of a structural equation model, as a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from growthmm.engines.kinds import path_kinds
from growthmm.engines.outcome import Convergence, EngineFit
from growthmm.errors import FitFailedError

if TYPE_CHECKING:
    from growthmm.model.sem import SemModel

__all__ = ["sem_answer"]


def sem_answer(
    program: str,
    model: SemModel,
    result: dict[str, Any],
    *,
    version: str,
    information: Literal["expected", "observed"],
    counts: tuple[int, int],
) -> EngineFit:
    """The fit of a program that maximises the likelihood without bounds.

    Parameters
    ----------
    program : str
        As people print it; in lower case the engine's name.
    model : SemModel
        The model.
    result : dict
        What its script gave: ``estimates``, ``covariance``, ``log_likelihood``, ``converged``,
        ``iterations`` and ``said``.
    version : str
        The program's version.
    information : {"expected", "observed"}
        Behind its standard errors.
    counts : (int, int)
        Persons and outcome values used.

    Raises
    ------
    FitFailedError
        If it gave no estimates of all parameters.
    """
    names = model.free_parameters
    values = [float("nan") if value is None else value for value in result["estimates"]]
    if len(values) != len(names) or not np.all(np.isfinite(values)):
        raise FitFailedError(
            f"{program} gave no estimates of all {len(names)} parameters; "
            f"it said: {'; '.join(result['said'])}",
            hint="Leave it out of the witnesses.",
        )
    covariance = np.full((len(names), len(names)), np.nan)
    if result["covariance"]:
        covariance = np.array(result["covariance"], dtype=float)
    converged = bool(result["converged"][0])
    return EngineFit(
        engine=program.lower(),
        estimator="ml",
        names=names,
        kinds=path_kinds(model),
        estimates=np.array(values, dtype=float),
        covariance=covariance,
        information=information,
        log_likelihood=float(result["log_likelihood"][0]),
        n_subjects=counts[0],
        n_rows=counts[1],
        convergence=Convergence(
            converged,
            int(result["iterations"][0]),
            float("nan"),
            float("nan"),
            f"{program} ended" + ("" if converged else " without convergence"),
        ),
        bounds="none",
        version=version,
        warnings=tuple(result["said"]),
    )
