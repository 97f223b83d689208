"""The two verdicts: on the models, and on these fits."""

from __future__ import annotations

from typing import Literal

from growthmm.engines.registry import engine
from growthmm.equivalence.evidence import Level
from growthmm.equivalence.fits import NOT_ASKED, EngineReport, Fits
from growthmm.equivalence.moment_test import MomentComparison
from growthmm.equivalence.optima import Optima
from growthmm.model.expression_rates import estimated_rates
from growthmm.model.growth import GrowthModel

__all__ = ["Verdict", "curved_reason", "model_verdict", "verdict"]

Verdict = Literal[
    "identical",
    "identical_if",
    "nested",
    "approximate",
    "different_estimator",
    "not_representable",
    "different",
]

INTERIOR = (
    "the optimum lies inside the parameter space: the mixed model keeps the factor covariance "
    "positive semi-definite, the structural equation model does not"
)

BEYOND = 1e-7
"""Log-likelihood by which the unbounded optimum must be higher to be another one."""

SAME = 1e-5
"""How far the engines may be apart at one optimum on a boundary."""


def model_verdict(
    structure: Level,
    comparison: MomentComparison,
    growth: GrowthModel,
    bounds: str | None,
    inequalities: tuple[str, ...] = (),
) -> tuple[Verdict, tuple[str, ...]]:
    """Whether the two are the same model, and under which conditions.

    Parameters
    ----------
    structure : Level
        Level 1.
    comparison : MomentComparison
        Level 2.
    growth : GrowthModel
        What both say.
    bounds : {"psd", "none"}, optional
        One parameter space for both, where that was asked for.
    inequalities : tuple of str
        What the structural equation model's text says of the size of parameters.

    Returns
    -------
    verdict : str
    conditions : tuple of str
        What an ``identical_if`` depends on; for ``nested`` the degrees of freedom.
    """
    if comparison.nested_df is not None:
        larger = "structural equation model" if comparison.covers else "mixed model"
        return "nested", (
            f"the {larger} is the larger one, by {comparison.nested_df} degrees of freedom",
        )
    if not structure.passed or not comparison.same:
        return "different", ()
    if growth.loading_keys:
        return "not_representable", (curved_reason(growth),)
    conditions = [INTERIOR] if bounds is None and growth.blocks else []
    if inequalities:
        shown = ", ".join(inequalities)
        conditions.append(f"no inequality holds with equality ({shown}): the mixed model has none")
    return ("identical_if", tuple(conditions)) if conditions else ("identical", ())


def curved_reason(growth: GrowthModel) -> str:
    """Why a model with estimated loadings is no linear mixed model, and what comes nearest."""
    names = [name for _, name in growth.loading_keys]
    shown, count = ", ".join(names), len(names)
    factors = ", ".join(f.name for f in growth.factors if f.cells)
    more = f"{count} parameter" + ("s" if count > 1 else "")
    parts = [part.expression for f in growth.factors if f.cells for part in f.column.parts]
    rates = estimated_rates(parts, names)
    curve = f", the exponential exp(-g*t) with estimated rate g = {' and '.join(rates)}"
    return (
        f"the loadings of {factors} depend on the parameter{'s' * (count > 1)} {shown}"
        f"{curve if rates else ''}, and a linear mixed model's "
        "design is fixed numbers; the nearest forms are nlme::nlme(), which has the same "
        f"likelihood but need not end at its maximum, and lme4 at given {shown}, profiled over "
        f"them, with {more} more than lmer counts"
    )


def verdict(
    levels: tuple[Level, ...], of_models: Verdict, optima: Optima, fits: Fits
) -> tuple[Verdict, str]:
    """What these fits show, and why in a sentence.

    Parameters
    ----------
    levels : tuple of Level
        The evidence.
    of_models : str
        The verdict on the models.
    optima : tuple of Optimum
        Both optima, where a fit lies at a boundary.
    fits : Fits
        All fits.

    Returns
    -------
    verdict : str
    reason : str
    """
    if of_models not in ("identical", "identical_if", "not_representable"):
        return of_models, "the moments or the written text of the two forms differ"
    failed = {level.name: level for level in levels if level.passed is False}
    ends = {"estimates", "inference"}
    held = fits.wide.boundary.inequalities
    if held and set(failed) <= ends and _estimated(fits):
        return "different_estimator", _inequality(held, fits)
    if optima and set(failed) <= ends and _another(optima, fits):
        return "different_estimator", _two_spaces(optima, fits)
    if not failed and of_models == "not_representable":
        return of_models, (
            "no linear mixed model, but one nonlinear in its loadings: both forms have the same "
            "moments, likelihood, estimates, standard errors and predictions; "
            f"{_support(fits.reports)}"
        )
    if not failed:
        return "identical", (
            "one model written twice: the same moments, likelihood, estimates, standard errors "
            f"and predictions; {_support(fits.reports)}"
        )
    against = "; ".join(f"{name} ({level.note})" for name, level in failed.items())
    if set(failed) <= ends:
        return "approximate", (
            "one model with one likelihood, but the fits do not show it to full precision: "
            + against
        )
    return "different", f"evidence against: {against}"


def _estimated(fits: Fits) -> bool:
    """Whether both ends are sure, and not one and the same."""
    gap = fits.long.log_likelihood - fits.wide.log_likelihood
    return fits.long.convergence.converged and fits.wide.convergence.converged and abs(gap) > BEYOND


def _inequality(held: tuple[str, ...], fits: Fits) -> str:
    verb = "hold" if len(held) > 1 else "holds"
    return (
        "the same likelihood maximised over two parameter spaces: in the structural equation model "
        f"{' and '.join(held)} {verb} with equality, at {fits.wide.log_likelihood:.6f}; the mixed "
        f"model without it ends at {fits.long.log_likelihood:.6f}"
    )


def _another(optima: Optima, fits: Fits) -> bool:
    """Whether the unbounded space holds a higher optimum, or none, and the bounded one is sure."""
    bounded, unbounded = optima
    if bounded.spread > SAME:
        return False
    if not fits.wide.convergence.converged:
        return True
    gap = fits.wide.log_likelihood - fits.long.log_likelihood
    return unbounded.spread <= SAME and gap > BEYOND


def _two_spaces(optima: Optima, fits: Fits) -> str:
    bounded, unbounded = optima
    text = (
        "the same likelihood maximised over two parameter spaces: bounded (positive "
        f"semi-definite) {fits.long.log_likelihood:.6f}, {bounded.description}; unbounded "
    )
    if not fits.wide.convergence.converged:
        return text + f"no maximum was found (stopped at {fits.wide.log_likelihood:.6f})"
    return text + f"{fits.wide.log_likelihood:.6f}, {unbounded.description}"


def _support(reports: tuple[EngineReport, ...]) -> str:
    used = [r.name for r in reports if r.used and r.name not in ("long", "wide")]
    if used:
        title = "witness" if len(used) == 1 else "witnesses"
        live = " (R ran)" if any(engine(name).r_package for name in used) else ""
        return f"{title}: {' and '.join(used)}{live}"
    asked = [
        f"{r.name}: {r.reason.removesuffix('.')}"
        for r in reports
        if r.name not in ("long", "wide") and not r.reason.startswith(NOT_ASKED)
    ]
    why = "; ".join(asked) if asked else "none was asked for"
    return f"no witness could be used ({why})"
