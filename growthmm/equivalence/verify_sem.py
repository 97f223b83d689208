"""Verification of a structural equation model that no linear mixed model says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import WideData
from growthmm.equivalence.fits import NO_MIXED, EngineReport, fit_sem
from growthmm.equivalence.not_representable import Nearest, NotRepresentable
from growthmm.equivalence.sem_evidence import CurvedFit, sem_evidence
from growthmm.equivalence.sem_referee import usable
from growthmm.equivalence.stacked_curves import stacked_curves
from growthmm.errors import EngineError, NotIdentifiedError
from growthmm.inference.result import FitResult
from growthmm.model.defaults import Assumption, Loss

__all__ = ["verify_sem"]


def verify_sem(
    data: WideData,
    losses: tuple[Loss, ...],
    *,
    nearest: Nearest | None = None,
    text: str = "",
    assumptions: tuple[Assumption, ...] = (),
    estimator: str = "ml",
    bounds: str | None = None,
    engines: Sequence[str] | None = None,
    time_limit: float = 60.0,
) -> NotRepresentable | None:
    """Fit a model that has no linear mixed form, and gather the evidence on model and fit.

    Parameters
    ----------
    data : WideData
        Model and data, of one level.
    losses : tuple of Loss
        Why it has no mixed form.
    nearest : Nearest, optional
        The nearest model that has one, verified.
    text : str
        The mixed form with curves as a call of nlme that was read again, where there is one.
    assumptions : tuple of Assumption
        What was guessed on the way.
    estimator, bounds, engines, time_limit
        As in :func:`growthmm.equivalence.verify.verify_pair`.

    Returns
    -------
    NotRepresentable or None
        None where the moments are linear in some parameters after all: then the model has a
        linear mixed form, though perhaps none that growthmm writes.
    """
    why = NO_MIXED
    if nearest is not None:
        why += "; it fits the nearest one"
    fit, reports = fit_sem(
        data.problem,
        estimator=estimator,
        bounds=bounds,
        engines=engines,
        time_limit=time_limit,
        why=why,
    )
    curved = _curved(data, fit, estimator, bounds, text)
    if curved is not None:
        own = EngineReport("long", True, "", fit.version, curved.fit, 0.0)
        reports = tuple(own if report.name == "long" else report for report in reports)
    evidence = sem_evidence(data.problem, fit, curved)
    if not evidence.curved:
        return None
    failed = [level.name for level in evidence.levels if level.passed is False]
    reason = (
        "no linear mixed model: its means and covariances depend on products of parameters "
        f"({', '.join(dict.fromkeys(loss.what for loss in losses))})"
    )
    reason += (
        f"; the fit is not shown to full precision ({', '.join(failed)})"
        if failed
        else "; both engines fit it, long by a mixed model that is linear given the loadings, and "
        "all evidence holds"
        if curved is not None
        else "; the engine wide fits it as it is, and all evidence on that fit holds"
    )
    if nearest is not None:
        reason += f"; the nearest model with a mixed form: {nearest.form.what}"
    return NotRepresentable(
        losses=losses,
        reason=reason,
        levels=evidence.levels,
        reports=reports,
        sem_fit=FitResult(data.problem.model, fit, data, "latent growth curve"),
        nearest=nearest,
        curved=curved,
        assumptions=assumptions,
    )


def _curved(
    data: WideData, fit: EngineFit, estimator: str, bounds: str | None, text: str
) -> CurvedFit | None:
    """The mixed form with curves, where the model has one that our engine fits."""
    if estimator != "ml":
        return None
    form = stacked_curves(usable(data.problem))
    if form is None:
        return None
    space: Literal["psd", "none"] = "psd" if bounds == "psd" else "none"
    try:
        found = form.fitted(space, fit.names)
    except (EngineError, NotIdentifiedError):
        return None
    return CurvedFit(form, found, text) if found.convergence.converged else None
