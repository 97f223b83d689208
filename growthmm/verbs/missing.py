"""The verb ``missing``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import require_columns
from growthmm.equivalence.verify import verify_pair
from growthmm.errors import GrowthmmError, SpecificationError
from growthmm.inference.missingness.dropout import Dropout, dropout_check
from growthmm.inference.missingness.result import Analysis, BothSides, MissingData, Series
from growthmm.inference.missingness.rubin import pool_fits
from growthmm.inference.missingness.rules import Rule, kept_persons
from growthmm.inference.result import FitResult
from growthmm.model.residual import ResidualStructure
from growthmm.verbs.auxiliary import auxiliary_estimates
from growthmm.verbs.binding import Facts, Layout
from growthmm.verbs.imputation import completed
from growthmm.verbs.incomplete import Incomplete, incomplete
from growthmm.verbs.source import Function, ModelLike, source

__all__ = ["missing"]

FloatArray = NDArray[np.float64]

MANY = 5000
"""Persons from whom on forests, which take minutes there, are grown on demand only."""

LOCATION = ("fixed", "mean", "regression", "loading")


def missing(
    model: ModelLike,
    data: object,
    *,
    id: str | None = None,
    time: str | None = None,
    auxiliary: Sequence[str] = (),
    n_imputations: int = 20,
    forest: bool | None = None,
    seed: int = 0,
    estimator: str | None = None,
    residual: str | ResidualStructure | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    layout: Layout | None = None,
    notation: str | None = None,
    function: Function | None = None,
) -> MissingData:
    """Look at missing data: patterns, who drops whom, and what that does to the estimates.

    Maximum likelihood from all observed outcomes comes first: the mixed model on all rows and the
    growth curve by full information, which are the same. Beside it stand the analyses of the
    persons that programs keep by default, multiple imputation pooled by Rubin's rules, one
    imputation by random forests, and auxiliary variables as saturated correlates (Graham 2003,
    doi:10.1207/S15328007SEM1001_4). Standard errors are by observed information, which stays
    right where dropout depends on outcomes (Kenward & Molenberghs 1998,
    doi:10.1214/ss/1028905830). Whether it does is checked by a logistic regression of dropout on
    the outcome before.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        A growth model in either family, or another structural equation model of wide data.
    data : data frame or path
        Long or wide.
    id, time, outcome, time_values, layout, residual, notation, function : optional
        As in ``fit``.
    auxiliary : sequence of str
        Columns that the model does not use, and that go with missing values.
    n_imputations : int
        Of multiple imputation; 0 leaves it out.
    forest : bool, optional
        Whether to impute by forests too; where None, of data of up to 5,000 persons.
    seed : int
        Of the imputations.
    estimator : {"ml", "reml"}, optional
        Of all analyses; ``ml`` where None, unless a call states it.

    Returns
    -------
    MissingData
        ``.patterns``, ``.occasions``, ``.rules``, ``.both``, ``.dropout``, ``.means``,
        ``.estimates``, ``.plot()``, ``.summary()``.

    Raises
    ------
    SpecificationError
        If there is to be one imputation, or fewer than none.
    ColumnNotFoundError
        If an auxiliary variable is no column.
    UnsupportedEngineError
        If the data are moments.
    TranslationError
        If a mixed model has no wide form.

    Examples
    --------
    >>> import growthmm as gm
    >>> data = gm.datasets.gpa()
    >>> low = data.query("occasion == 2 and gpa < 2.5")["student"]
    >>> gone = data["student"].isin(low) & (data["occasion"] > 2)
    >>> data["gpa"] = data["gpa"].mask(gone)
    >>> formula = "gpa ~ occasion + (occasion | student)"
    >>> found = gm.missing(formula, data, n_imputations=0, forest=False)
    >>> found.both.verdict, [rule.n_subjects for rule in found.rules]
    ('identical', [200, 200, 164])
    >>> found.dropout[0].depends, found.dropout[0].reason
    (None, 'the outcome before tells all dropouts from the others')
    """
    if n_imputations < 0 or n_imputations == 1:
        raise SpecificationError(
            f"{n_imputations} imputation{'' if n_imputations == 1 else 's'} can't be pooled.",
            hint="Give 2 or more (20 is usual), or 0 to leave imputation out.",
        )
    read = source(
        model,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
        otherwise="ml",
    )
    facts = Facts(id, time, outcome, time_values, layout)
    study = incomplete(read.model, read.label, data, facts)
    require_columns(study.frame, auxiliary)
    series = _series(study)
    analyses = [_of_fit("maximum_likelihood", study.whole)]
    rules = _rules(study)
    analyses += _dropping(study, rules)
    if auxiliary:
        analyses.append(_correlates(study, auxiliary))
    if np.isnan(np.column_stack([study.outcomes, study.covariates])).any():
        analyses += _imputing(study, n_imputations, forest, auxiliary, seed)
    return MissingData(
        read.label,
        series,
        tuple(rules),
        _both(study),
        _dropouts(study, series),
        tuple(analyses),
        seed,
        _notes(study),
    )


def _series(study: Incomplete) -> tuple[Series, ...]:
    """The outcomes, each with its columns in order of time."""
    names, values = study.wide.problem.model.outcomes, study.outcomes
    schema = None if study.pair is None else study.pair.mixed.schema
    if schema is None:
        return (Series("outcomes", names, values),)
    if not schema.series or len(schema.outcome_columns) != len(names):
        return (Series(schema.outcome, names, values),)
    made = []
    for outcome in schema.outcomes:
        columns = [schema.outcome_columns[j] for j in schema.cells_of(outcome)]
        at = [names.index(name) for name in columns]
        made.append(Series(str(outcome), tuple(columns), values[:, at]))
    return tuple(made)


def _rules(study: Incomplete) -> list[Rule]:
    """Who is kept by each rule."""
    outcomes, covariates = study.outcomes, study.covariates
    seen = np.isfinite(outcomes)
    rules = []
    if study.mixed is not None:
        problem = study.mixed.problem
        rules.append(_rule("all_rows", problem.n_subjects, len(problem.outcome), seen))
    shared = study.pair is None or study.pair.mixed.schema.shared_times
    for name in ("full_information", "listwise") if shared else ():
        keep = kept_persons(outcomes, covariates, name)
        rules.append(_rule(name, int(keep.sum()), int(seen[keep].sum()), seen))
    return rules


def _rule(name: str, persons: int, rows: int, seen: NDArray[np.bool_]) -> Rule:
    return Rule(name, persons, rows, len(seen) - persons, int(seen.sum()) - rows)


def _of_fit(method: str, fit: FitResult, note: str = "") -> Analysis:
    if not fit.convergence.converged:
        note = "; ".join(filter(None, [note, f"not converged: {fit.convergence.message}"]))
    return Analysis(method, fit.estimates, fit.n_subjects, fit.n_rows, note)


def _dropping(study: Incomplete, rules: Sequence[Rule]) -> Iterator[Analysis]:
    """Fits to the persons that programs keep, where these are not all."""
    used = study.whole.n_rows
    for rule in rules:
        if rule.rule == "all_rows" or rule.n_rows == used:
            continue
        keep = kept_persons(study.outcomes, study.covariates, rule.rule)
        try:
            yield _of_fit(rule.rule, study.fit(study.persons(keep)))
        except GrowthmmError as error:
            yield Analysis(rule.rule, None, rule.n_subjects, rule.n_rows, reason=error.message)


def _correlates(study: Incomplete, names: Sequence[str]) -> Analysis:
    try:
        fit, estimates = auxiliary_estimates(study, names)
    except GrowthmmError as error:
        return Analysis("auxiliary", None, reason=error.message)
    note = f"saturated correlates: {', '.join(names)}"
    return Analysis("auxiliary", estimates, fit.n_subjects, study.whole.n_rows, note)


def _imputing(
    study: Incomplete,
    n_imputations: int,
    grown: bool | None,
    auxiliary: Sequence[str],
    seed: int,
) -> Iterator[Analysis]:
    """Multiple imputation and forests."""
    if n_imputations:
        yield _multiple(study, n_imputations, auxiliary, seed)
    persons = len(study.outcomes)
    if grown is None and persons > MANY:
        why = f"forests for {persons} persons take minutes and are grown on demand: forest=True"
        yield Analysis("forest", None, reason=why)
        return
    if grown is False:
        return
    try:
        made = completed(study, 1, method="forest", auxiliary=auxiliary, seed=seed)
        fit = made.fits()[0]
    except GrowthmmError as error:
        yield Analysis("forest", None, reason=error.message)
        return
    note = (
        "standard errors take the imputed values for observed ones: too small; variances are off, "
        "as predictions have no noise"
    )
    yield _of_fit("forest", fit, note)


def _multiple(
    study: Incomplete, n_imputations: int, auxiliary: Sequence[str], seed: int
) -> Analysis:
    try:
        made = completed(study, n_imputations, method="regression", auxiliary=auxiliary, seed=seed)
        fits = made.fits()
    except GrowthmmError as error:
        return Analysis("imputation", None, reason=error.message)
    location = sum(kind in LOCATION for kind in fits[0].estimates["kind"])
    pooled = pool_fits(fits, float(max(fits[0].n_subjects - location, 1)))
    failed = sum(not fit.convergence.converged for fit in fits)
    note = f"{n_imputations} imputations of {made.n_missing} cells, seed {seed}"
    if failed:
        note += f"; {failed} fits did not converge"
    if pooled.estimates["std_error"].isna().any():
        edge = sum(bool(fit.estimates["std_error"].isna().any()) for fit in fits)
        note += f"; {edge} fits lie at the boundary, where variances have no standard error"
    return Analysis("imputation", pooled.estimates, fits[0].n_subjects, fits[0].n_rows, note)


def _both(study: Incomplete) -> BothSides:
    """The mixed model on all rows beside the growth curve by full information."""
    if study.pair is None or study.long is None:
        return BothSides("unavailable", reason=study.alone)
    found = verify_pair(
        study.pair,
        study.long,
        estimator=study.model.estimator,
        bounds=None,
        engines=("long", "wide"),
        time_limit=60.0,
    )
    gaps = [
        row["max_difference_in_se"]
        for row in found.to_dict()["parameters"]
        if row["max_difference_in_se"] is not None
    ]
    return BothSides(
        found.verdict,
        found.mixed_fit.log_likelihood,
        found.sem_fit.log_likelihood,
        max(gaps, default=np.nan),
        found.reason,
    )


def _dropouts(study: Incomplete, series: Sequence[Series]) -> tuple[Dropout, ...]:
    if study.pair is None:
        return (Dropout("outcomes", 0, 0, reason="the model says no order of the outcomes"),)
    if not study.pair.mixed.schema.shared_times:
        why = "times differ from person to person, so that no occasion is missed"
        return tuple(Dropout(own.name, 0, 0, reason=why) for own in series)
    return tuple(dropout_check(own.values, own.name) for own in series)


def _notes(study: Incomplete) -> tuple[str, ...]:
    notes = []
    nothing = int((~np.isfinite(study.outcomes).any(axis=1)).sum())
    if nothing:
        notes.append(
            f"{nothing} person{'s' if nothing > 1 else ''} of the data with no outcome at all: "
            "they are used only where an auxiliary variable tells of them"
        )
    return tuple(notes)
