"""A SEM that models its covariates too: both likelihoods, and what lies between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import wide_data
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.result import Equivalence
from growthmm.inference.joint import joint_likelihood
from growthmm.translation.joint_covariates import JointCovariates

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["with_joint_likelihood"]


def with_joint_likelihood(
    found: Equivalence, joint: JointCovariates, frame: pd.DataFrame
) -> Equivalence:
    """The verification of the conditional model, with the joint likelihood beside it.

    ``log L(y, x) = log L(y | x) + log L(x)`` (equivalence conditions 9, remarks R5 and R6): the
    programs that report the joint one differ by the covariates' part, and agree without it.

    Parameters
    ----------
    found : Equivalence
        Of the model given its covariates.
    joint : JointCovariates
        The model as it was.
    frame : DataFrame
        Long data.

    Returns
    -------
    Equivalence
        With the verdict ``different_estimator`` where the conditional forms are identical.
    """
    wide = wide_data(found.pair.sem, frame).problem
    group = wide.groups[0]
    assert isinstance(group, WideGroup)
    by_name = dict(zip(wide.model.outcomes, group.outcomes.T, strict=True))
    by_name |= dict(zip(wide.model.covariates, group.covariates.T, strict=True))
    columns = np.column_stack([by_name[name] for name in joint.joint.outcomes])
    others = np.column_stack(
        [by_name[name] for name in joint.joint.covariates] or [np.empty((len(columns), 0))]
    )
    problem = WideProblem(joint.joint, (WideGroup(columns, others, group.definitions),))
    fit = wide_engine.fit(problem, estimator="ml")
    alone = found.sem_fit
    parts = joint_likelihood(wide, alone.log_likelihood, alone.n_parameters)
    covariates = ", ".join(joint.covariates)
    n_parameters = len(joint.joint.free_parameters)
    reason = (
        f"fixed.x = FALSE: this SEM's log-likelihood {fit.log_likelihood:.6f} "
        f"({n_parameters} parameters) is that of the outcomes and {covariates} together, the "
        f"mixed model's {alone.log_likelihood:.6f} ({alone.n_parameters} parameters) that of the "
        f"outcomes given them"
    )
    if joint.saturated:
        reason += (
            f"; subtracting {parts.covariate_log_likelihood:.6f}, the covariates' own, makes "
            "them equal"
        )
    else:
        reason += "; " + _trap(joint, fit.log_likelihood, parts.covariate_log_likelihood, alone)
    if found.verdict not in ("identical", "identical_if"):
        return replace(found, reason=f"{found.reason}; {reason}")
    return replace(found, verdict="different_estimator", reason=reason)


def _trap(joint: JointCovariates, total: float, saturated: float, alone: object) -> str:
    """What the covariates' moments are held at, and what it costs."""
    given = float(alone.log_likelihood)  # type: ignore[attr-defined]
    own = total - given
    held = []
    if joint.zero_means:
        held.append(
            f"growth() fixes the means of {', '.join(joint.zero_means)} at zero (write "
            f"{joint.zero_means[0]} ~ 1, and then all their ~~ too, to free them)"
        )
    if joint.absent:
        held.append(f"{', '.join(joint.absent)} are not free")
    return (
        f"and the covariates' model is not saturated: {' and '.join(held)}, so their part is "
        f"{own:.6f} in place of {saturated:.6f}; subtracting it makes the two equal"
    )
