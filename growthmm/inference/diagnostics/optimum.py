"""Checks of the optimum: slope, curvature, boundary."""

from __future__ import annotations

from growthmm.engines.long.problem import LongProblem
from growthmm.inference.diagnostics.finding import Finding
from growthmm.inference.diagnostics.stationary import (
    OTHERS_TOLERANCE,
    TOLERANCE,
    Stationarity,
)
from growthmm.inference.matrices import complete_blocks
from growthmm.inference.result import FitResult

__all__ = ["FLATTEST", "check_boundary", "check_curvature", "check_gradient", "uncorrelated"]

FLATTEST = 1e-6
"""Smallest eigenvalue of the scaled information below which the likelihood is called flat."""


def check_gradient(fit: FitResult, at: Stationarity) -> Finding:
    """Whether the likelihood's slope at the estimates is zero.

    Measured by half the squared Newton decrement, which is in units of the log-likelihood and
    does not depend on those of the parameters.
    """
    record = fit.convergence
    gain, slope = at.gain, float(abs(at.slopes).max(initial=0.0))
    tolerance = TOLERANCE if fit.engine in ("long", "wide") else OTHERS_TOLERANCE
    if fit.boundary.at_boundary and gain > tolerance and _patterned(fit):
        # On the boundary of a patterned matrix only the search has the free coordinates.
        gain, slope = record.decrement, record.max_score
    evidence: dict[str, object] = {
        "to_gain": gain,
        "tolerance": tolerance,
        "largest_slope": slope,
        "reported_converged": record.converged,
    }
    if gain <= tolerance:
        return Finding(
            "gradient",
            "ok",
            f"the slope is zero: {gain:.1e} log-likelihood units to gain",
            evidence,
        )
    message = (
        "the likelihood curves upward: this is no maximum"
        if gain == float("inf")
        else f"the slope is not zero: about {gain:.2g} log-likelihood units to gain"
    )
    other = "long" if isinstance(fit.data.problem, LongProblem) else "wide"
    remedy = (
        f"Fit again with engine={other!r}, ours, and look at gm.all_optimizers(fit)."
        if fit.engine not in ("long", "wide")
        else "Look at gm.all_optimizers(fit) and gm.restarts(fit); start elsewhere with start=, "
        "or simplify the covariance structure."
    )
    return Finding("gradient", "problem", message, evidence, remedy)


def _patterned(fit: FitResult) -> bool:
    return complete_blocks(fit.fit, fit.data.problem)[1]


def uncorrelated(fit: FitResult) -> str:
    """How a model of the fit's family says that random effects do not covary."""
    if isinstance(fit.data.problem, LongProblem):
        return "'||' in place of '|'"
    a, b, *_ = *fit.data.problem.model.latent, "i", "s"
    return f"{a} ~~ 0*{b}"


def check_curvature(at: Stationarity) -> Finding:
    """Whether the likelihood curves down in every direction, and how weakly in the weakest.

    The eigenvalues are those of minus the Hessian, scaled to ones on the diagonal: what is left
    where they are near zero is a combination of parameters that the data hardly determine.
    """
    if not len(at.eigenvalues):
        return Finding("curvature", "ok", "there is nothing to curve: all parameters are held")
    low, high = float(at.eigenvalues[0]), float(at.eigenvalues[-1])
    evidence: dict[str, object] = {
        "smallest_eigenvalue": low,
        "largest_eigenvalue": high,
        "condition": high / low if low > 0 else None,
        "weakest_direction": at.weakest,
    }
    if low > FLATTEST:
        return Finding(
            "curvature", "ok", f"it curves down everywhere: smallest eigenvalue {low:.2g}", evidence
        )
    where = ", ".join(at.weakest) or "one combination of parameters"
    if low < -FLATTEST:
        return Finding(
            "curvature",
            "problem",
            f"the likelihood curves upward along {where} (eigenvalue {low:.2g}): a saddle",
            evidence,
            "Restart elsewhere: gm.restarts(fit).",
        )
    return Finding(
        "curvature",
        "warning",
        f"the likelihood is flat along {where} (eigenvalue {low:.2g})",
        evidence,
        "The data hardly tell these parameters apart: drop one, hold it with fixed=, or constrain.",
    )


def check_boundary(fit: FitResult) -> Finding:
    """Whether the covariance matrix of the random effects is singular, or none at all."""
    edge = fit.boundary
    evidence: dict[str, object] = {
        "at_boundary": edge.at_boundary,
        "beyond": edge.beyond,
        "parameters": list(edge.parameters),
        "bounds": fit.fit.bounds,
    }
    if not edge.at_boundary and not edge.beyond:
        return Finding("boundary", "ok", "the covariance matrices are inside their space", evidence)
    if edge.beyond:
        return Finding(
            "boundary",
            "warning",
            f"the estimates are no covariance matrix: {edge.description}",
            evidence,
            "Fit with bounds='psd' to stay among covariance matrices, or drop the effect.",
        )
    return Finding(
        "boundary",
        "warning",
        f"on the boundary: {edge.description}; standard errors there are not given",
        evidence,
        f"Drop the effect (gm.test_variance tests it), uncorrelate it ({uncorrelated(fit)}), or "
        "keep it off zero with penalty='wishart'.",
    )
