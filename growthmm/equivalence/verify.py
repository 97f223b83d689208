"""Verification: both forms fitted, six levels of evidence, two verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from growthmm.engines.prepare import LongData, long_data, wide_data
from growthmm.equivalence import agreement, evidence
from growthmm.equivalence.correspondence import correspondence
from growthmm.equivalence.fits import fit_both
from growthmm.equivalence.missing_covariates import left_out, missing_note
from growthmm.equivalence.optima import find_optima
from growthmm.equivalence.result import Equivalence
from growthmm.equivalence.verdict import model_verdict, verdict
from growthmm.inference.result import FitResult
from growthmm.model.defaults import Assumption
from growthmm.model.expression import variables
from growthmm.notation import notation
from growthmm.translation.inequalities import inequalities
from growthmm.translation.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["verify_pair"]


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
    long = long_data(pair.mixed, frame)
    frame, dropped = _rows_used(pair, long, frame)
    wide = wide_data(pair.sem, frame)
    fits = fit_both(
        long.problem,
        wide.problem,
        estimator=estimator,
        bounds=bounds,
        engines=engines,
        time_limit=time_limit,
    )
    optima = find_optima(long.problem, wide.problem, fits, bounds)
    link = correspondence(pair)
    comparison = evidence.compare_correspondence(link)
    link = link.started(fits.long.estimates, fits.wide.estimates)
    levels = (
        evidence.structure(pair),
        evidence.moments(comparison),
        evidence.likelihood(link, long.problem, wide.problem, fits),
        agreement.estimates(link, long.problem, wide.problem, fits, optima),
        agreement.inference(link, fits, optima),
        agreement.predictions(pair, link, long, wide, fits),
    )
    of_models, conditions = model_verdict(
        levels[0], comparison, pair.growth, bounds, inequalities(pair.sem.model)
    )
    of_fits, reason = verdict(levels, of_models, optima, fits)
    return Equivalence(
        verdict=of_fits,
        model_verdict=of_models,
        conditions=conditions,
        reason=reason,
        levels=levels,
        reports=fits.reports,
        pair=pair,
        mixed_fit=FitResult(pair.mixed.model, fits.long, long, "mixed model"),
        sem_fit=FitResult(pair.sem.model, fits.wide, wide, "latent growth curve"),
        optima=optima,
        link=link,
        text=_other_text(pair),
        assumptions=pair.assumptions + dropped,
        nested_df=comparison.nested_df,
    )


def _rows_used(
    pair: Pair, long: LongData, frame: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[Assumption, ...]]:
    """The frame without the outcomes whose rows lack a variable of the model.

    The wide form could keep such an outcome where another row of the person knows the covariate;
    then the two would not be fitted to the same data.
    """
    rows = left_out(pair, long, frame)
    if not rows.any():
        return frame, ()
    note = missing_note(pair, rows, frame)
    columns = variables(pair.mixed.model.response)
    return frame.assign(**{name: frame[name].mask(rows) for name in columns}), note


def _other_text(pair: Pair) -> str:
    if pair.source == "mixed":
        return evidence.sem_speaker(pair.sem.model).write(pair.sem.model).text
    curved = bool(pair.mixed.model.loading_parameters)
    alone = replace(pair.mixed.model, estimator="ml" if curved else "reml")
    return notation(alone.notation).write(alone).text


def _with_estimator(pair: Pair, estimator: str) -> Pair:
    """The pair, its mixed side estimated as asked; the SEM's text stays maximum likelihood."""
    mixed = replace(pair.mixed, model=replace(pair.mixed.model, estimator=estimator))  # type: ignore[arg-type]
    return replace(pair, mixed=mixed)
