"""Verification: both forms fitted, six levels of evidence, two verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from growthmm.engines.outcome import EngineFit
from growthmm.engines.prepare import LongData, WideData, long_data, wide_data
from growthmm.engines.registry import run
from growthmm.equivalence import evidence
from growthmm.equivalence.evidence import Level
from growthmm.equivalence.fits import Fits, fit_both
from growthmm.equivalence.moment_test import MomentComparison
from growthmm.equivalence.result import Equivalence, Optimum, Verdict
from growthmm.inference.result import FitResult
from growthmm.model.growth import GrowthModel
from growthmm.notation import notation
from growthmm.translation.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["verify_pair"]

INTERIOR = (
    "the optimum lies inside the parameter space: the mixed model keeps the factor covariance "
    "positive semi-definite, the structural equation model does not"
)


@dataclass(frozen=True)
class _Sides:
    """Both forms with their data and fits."""

    pair: Pair
    long: LongData
    wide: WideData
    fits: Fits


def verify_pair(
    pair: Pair,
    frame: pd.DataFrame,
    *,
    estimator: str = "ml",
    bounds: str | None = None,
    engines: Sequence[str] | None = None,
    time_limit: float = 60.0,
) -> Equivalence:
    """Fit both forms of a growth model and gather the evidence that they are the same.

    Parameters
    ----------
    pair : Pair
        The two forms.
    frame : DataFrame
        Long data.
    estimator : {"ml", "reml"}
        What to maximise.
    bounds : {"psd", "none"}, optional
        One parameter space for both; where None the mixed side is bounded and the SEM side not.
    engines : sequence of str, optional
        The witnesses wanted.
    time_limit : float
        Seconds that a witness may take.

    Returns
    -------
    Equivalence
        Verdicts and evidence.
    """
    pair = _with_estimator(pair, estimator)
    long, wide = long_data(pair.mixed, frame), wide_data(pair.sem, frame)
    fits = fit_both(
        long.problem,
        wide.problem,
        estimator=estimator,
        bounds=bounds,
        engines=engines,
        time_limit=time_limit,
    )
    sides = _Sides(pair, long, wide, fits)
    structure = evidence.structure(pair)
    comparison = evidence.compare_pair_moments(pair)
    levels = (
        structure,
        evidence.moments(comparison),
        evidence.likelihood(pair, long.problem, wide.problem, fits),
        evidence.estimates(pair, long.problem, wide.problem, fits),
        evidence.inference(pair, fits),
        evidence.predictions(pair, long, wide, fits),
    )
    model_verdict, conditions = _model_verdict(structure, comparison, pair.growth, bounds)
    optima = _optima(sides, bounds)
    verdict, reason = _verdict(levels, model_verdict, optima, fits)
    return Equivalence(
        verdict=verdict,
        model_verdict=model_verdict,
        conditions=conditions,
        reason=reason,
        levels=levels,
        reports=fits.reports,
        pair=pair,
        mixed_fit=FitResult(pair.mixed.model, fits.long, long, "mixed model"),
        sem_fit=FitResult(pair.sem.model, fits.wide, wide, "latent growth curve"),
        optima=optima,
        text=_other_text(pair),
        assumptions=pair.assumptions,
    )


def _other_text(pair: Pair) -> str:
    if pair.source == "mixed":
        return notation("lavaan").write(pair.sem.model).text
    alone = replace(pair.mixed.model, estimator="reml")
    return notation(alone.notation).write(alone).text


def _with_estimator(pair: Pair, estimator: str) -> Pair:
    """The pair, its mixed side estimated as asked; the SEM's text stays maximum likelihood."""
    mixed = replace(pair.mixed, model=replace(pair.mixed.model, estimator=estimator))  # type: ignore[arg-type]
    return replace(pair, mixed=mixed)


def _model_verdict(
    structure: Level, comparison: MomentComparison, growth: GrowthModel, bounds: str | None
) -> tuple[Verdict, tuple[str, ...]]:
    if not structure.passed or not comparison.same:
        return ("nested" if comparison.nested_df is not None else "different"), ()
    if bounds is None and growth.blocks:
        return "identical_if", (INTERIOR,)
    return "identical", ()


def _optima(sides: _Sides, bounds: str | None) -> tuple[Optimum, ...]:
    """At a boundary, the optimum over either space by both engines."""
    fits = sides.fits
    if bounds is not None or not (_edge(fits.long) or _edge(fits.wide)):
        return ()
    estimator = fits.long.estimator
    long_free = run("long", sides.long.problem, estimator=estimator, bounds="none")
    wide_bound = run("wide", sides.wide.problem, estimator=estimator, bounds="psd")
    return (
        Optimum(
            "psd",
            {"long": fits.long.log_likelihood, "wide": wide_bound.log_likelihood},
            fits.long.boundary.description or wide_bound.boundary.description,
        ),
        Optimum(
            "none",
            {"long": long_free.log_likelihood, "wide": fits.wide.log_likelihood},
            fits.wide.boundary.description or long_free.boundary.description,
        ),
    )


def _edge(fit: EngineFit) -> bool:
    return fit.boundary.at_boundary or fit.boundary.beyond


def _verdict(
    levels: tuple[Level, ...],
    model_verdict: Verdict,
    optima: tuple[Optimum, ...],
    fits: Fits,
) -> tuple[Verdict, str]:
    if model_verdict not in ("identical", "identical_if"):
        return model_verdict, "the moments or the written text of the two forms differ"
    failed = [level for level in levels if level.passed is False]
    if optima:
        bounded, unbounded = optima
        spread = max(_spread(bounded), _spread(unbounded))
        likelihood = next(level for level in levels if level.name == "likelihood")
        gap = fits.wide.log_likelihood - fits.long.log_likelihood
        if spread <= 1e-5 and likelihood.passed and gap > 1e-7:
            return "different_estimator", (
                "the same likelihood maximised over two parameter spaces: bounded (positive "
                f"semi-definite) {fits.long.log_likelihood:.6f}, {bounded.description}; unbounded "
                f"{fits.wide.log_likelihood:.6f}, {unbounded.description}"
            )
    if failed:
        return "different", "evidence against: " + "; ".join(
            f"{level.name} ({level.note})" for level in failed
        )
    witnesses = [r.name for r in fits.reports if r.used and r.name not in ("long", "wide")]
    support = f", with {' and '.join(witnesses)} as witness" if witnesses else ""
    return "identical", (
        "one model written twice: the same moments, likelihood, estimates, standard errors and "
        f"predictions{support}"
    )


def _spread(optimum: Optimum) -> float:
    values = list(optimum.log_likelihood.values())
    return max(values) - min(values)
