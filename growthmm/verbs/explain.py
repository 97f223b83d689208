"""The verb ``explain``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from growthmm.data.frames import as_pandas
from growthmm.data.lagging import with_lagged
from growthmm.data.moments import Moments
from growthmm.engines.wide_to_long import frame_from_wide
from growthmm.equivalence.explaining.analysis import Analysis, growth_of_mixed, sem_parts
from growthmm.equivalence.explaining.explain import explain_analyses
from growthmm.equivalence.explaining.habits import as_printed, habits_of, with_options
from growthmm.equivalence.explaining.result import Explanation
from growthmm.errors import SpecificationError
from growthmm.model.bound import BoundSem
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.printed import read_printed
from growthmm.progress import showing
from growthmm.translation.binding.mixed import bind_mixed
from growthmm.translation.binding.sem import bind_sem
from growthmm.translation.binding.time_scores import time_scores
from growthmm.translation.left_out import at_occasions
from growthmm.translation.loadings.tables import growth_outcomes
from growthmm.translation.redundancy import without_redundancy
from growthmm.verbs.against import printed_text, verify_printed
from growthmm.verbs.binding import Facts, Layout, layout_of
from growthmm.verbs.lagging import with_lag_columns, with_lag_facts
from growthmm.verbs.source import Function, ModelLike, Source, source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explain"]

PLACES = (0.0, 1.0, 2.0, 3.0)
"""Occasions that stand in where two formulas are compared and none are known."""


def explain(
    a: ModelLike,
    b: ModelLike,
    data: object | None = None,
    *,
    id: str | None = None,
    time: str | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    layout: Layout | None = None,
    schema: Schema | None = None,
    notation_a: str | None = None,
    notation_b: str | None = None,
    function_a: Function | None = None,
    function_b: Function | None = None,
    estimator_a: str | None = None,
    estimator_b: str | None = None,
    residual_a: str | ResidualStructure | None = None,
    residual_b: str | ResidualStructure | None = None,
    options_a: Mapping[str, str] | None = None,
    options_b: Mapping[str, str] | None = None,
    printed_a: str | Path | None = None,
    printed_b: str | Path | None = None,
    progress: bool | None = None,
) -> Explanation:
    """Explain why two analyses of the same data give different numbers, difference by difference.

    Each side is taken as its own program runs it by default (``lmer``: REML; lavaan's
    ``growth()``: ML, free residual variances, incomplete persons dropped), or as its text or the
    call says. The difference of the two is taken apart, and removed from the first one part after
    another; every step is fitted.

    Parameters
    ----------
    a, b : str, Path, MixedModel or SemModel
        The two models, in any notation.
    data : data frame, path or Moments, optional
        Their data, long or wide. Without them the differences are listed, without numbers.
    id, time, outcome : str, optional
        Columns of the long form, where the models do not say.
    time_values, layout, schema
        See ``translate``.
    notation_a, notation_b, function_a, function_b : str, optional
        How to read the texts, where that can't be told; see ``translate``.
    estimator_a, estimator_b : {"ml", "reml"}, optional
        In place of what the programs use.
    residual_a, residual_b : str, optional
        Residual structure of a mixed model whose notation can't say it.
    options_a, options_b : mapping of str to str, optional
        How the programs were run otherwise: ``bounds`` (``psd``, ``none``), ``missing`` (``all``,
        ``listwise``), ``missing_covariates`` (``rows``, ``persons``), ``covariates``
        (``conditional``, ``joint``), ``divisor`` (``n``, ``n-1``), ``information``
        (``expected``, ``observed``), ``robust``, ``adjusted`` (``no``, ``yes``), ``tests``
        (``z``, ``t``, ``t containment``, ``t satterthwaite``), ``bic`` (``rows``, ``subjects``,
        ``residual_rows``), ``baseline`` (``independence``, ``growth``), ``parametrisation``
        (``covariances``, ``correlations``, ``deviations``, ``relative``).
    printed_a, printed_b : str or Path, optional
        Results that a side's program printed, a file's path or text. They say by which estimator
        and rules that side was run, and are held against its fit number by number.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    Explanation
        ``.verdict``, ``.steps``, ``.summary()``, ``.to_dict()``.

    Raises
    ------
    GrowthmmError
        If a model can't be read or is no growth model, or the data do not fit.

    Examples
    --------
    >>> import growthmm as gm
    >>> found = gm.explain(
    ...     "lmer(gpa ~ occasion + (occasion | student), gpa)",
    ...     "lmer(gpa ~ occasion + (occasion | student), gpa, REML = FALSE)",
    ...     gm.datasets.gpa(),
    ... )
    >>> step, = found.steps
    >>> step.cause, round(step.log_likelihood_before, 3), round(step.log_likelihood_after, 3)
    ('estimator', -130.478, -123.117)
    """
    if schema is not None and data is not None:
        raise SpecificationError(
            "Both data and a schema were given.", hint="Leave one of them out."
        )
    sides = (
        source(
            a,
            notation=notation_a,
            function=function_a,
            residual=residual_a,
            estimator=estimator_a,
        ),
        source(
            b,
            notation=notation_b,
            function=function_b,
            residual=residual_b,
            estimator=estimator_b,
        ),
    )
    facts = Facts(id, time, outcome, time_values, layout, schema)
    bound = _bound(sides, data, facts)
    outputs = [None if p is None else read_printed(printed_text(p)) for p in (printed_a, printed_b)]
    analyses = []
    for side, output, options in zip(bound.analyses, outputs, (options_a, options_b), strict=True):
        habits = side.habits if output is None else as_printed(side.habits, output)
        analyses.append(replace(side, habits=with_options(habits, options or {})))
    families = tuple("mixed" if isinstance(s.model, MixedModel) else "sem" for s in sides)
    with showing(progress):
        found = explain_analyses(
            analyses[0],
            analyses[1],
            bound.frame,
            families=cast("tuple[str, str]", families),
            labels=(sides[0].label, sides[1].label),
            assumptions=bound.assumptions,
        )
    if data is None:
        return found
    known = replace(facts, id=bound.facts.id, time=bound.facts.time, schema=None)
    against = tuple(
        verify_printed(read.model, data, known, output, label=read.label)
        for read, output in zip(sides, outputs, strict=True)
        if output is not None
    )
    return replace(found, printed=against)


@dataclass(frozen=True)
class _Bound:
    analyses: tuple[Analysis, Analysis]
    frame: pd.DataFrame | None
    assumptions: tuple[str, ...]
    facts: Facts


def _bound(sides: tuple[Source, Source], data: object | None, facts: Facts) -> _Bound:
    """Both models tied to one data set, in one set of facts."""
    frame = _frame(data)
    models = (sides[0].model, sides[1].model)
    found: dict[int, Analysis] = {}
    notes: list[str] = []
    # Wide data are made long by the SEM that names their columns; a formula names time best.
    order = sorted(range(2), key=lambda k: isinstance(models[k], SemModel))
    wide = frame is not None and _is_wide(models, frame, facts)
    if wide:
        order = sorted(range(2), key=lambda k: _binding_rank(models[k]))
        assert frame is not None
        facts = _with_outcome(models, facts)
    long = None if wide else frame
    whole = frame
    if frame is None and facts.schema is None:
        facts = _with_times(models, facts)
    for k in order:
        model = models[k]
        if isinstance(model, MixedModel):
            if long is None and wide:
                raise SpecificationError(
                    "Wide data are given for a mixed model.", hint="Give long data."
                )
            analysis, schema, said, long = _of_mixed(model, long, facts)
        else:
            source_frame = whole if wide else long
            analysis, schema, said, made = _of_sem(model, source_frame, facts, wide=wide)
            long = _joined(long, made)
        facts = replace(
            facts,
            id=facts.id or schema.person,
            time=facts.time or schema.time,
            outcome=facts.outcome or schema.outcome,
        )
        if wide and facts.time_values is None:
            facts = replace(facts, time_values=schema.occasions)
        if frame is None and facts.schema is None and isinstance(model, MixedModel):
            facts = replace(facts, schema=schema)
        found[k] = analysis
        notes += [str(note) for note in said]
    return _Bound((found[0], found[1]), long, tuple(dict.fromkeys(notes)), facts)


def _binding_rank(model: MixedModel | SemModel) -> int:
    """Which model says best what the times of wide data are: one with fixed loadings."""
    if isinstance(model, MixedModel):
        return 2
    return int(any(path.op == "=~" and path.free for path in model.paths))


def _frame(data: object | None) -> pd.DataFrame | None:
    if data is None:
        return None
    return data.draw() if isinstance(data, Moments) else as_pandas(data)


def _is_wide(models: tuple[MixedModel | SemModel, ...], frame: pd.DataFrame, facts: Facts) -> bool:
    sems = [model for model in models if isinstance(model, SemModel)]
    if not sems:
        return facts.layout == "wide"
    if facts.layout is not None:
        return facts.layout == "wide"
    names = growth_outcomes(sems[0]) or sems[0].outcomes
    if all(name in frame.columns for name in names):
        return True
    formulas = [model for model in models if isinstance(model, MixedModel)]
    if formulas:
        return False
    return layout_of(sems[0], frame, facts) == "wide"


def _with_outcome(models: tuple[MixedModel | SemModel, ...], facts: Facts) -> Facts:
    """The outcome, person and time that a formula names, for the SEM's wide data."""
    for model in models:
        if isinstance(model, MixedModel):
            slopes = [f for block in model.random for t in block.terms for f in t.factors]
            fixed = [f for t in model.fixed for f in t.factors]
            times = [name for name in (*slopes, *fixed) if name.isidentifier()]
            return replace(
                facts,
                outcome=facts.outcome or model.response,
                id=facts.id or (model.groups[0] if model.groups else None),
                time=facts.time or (times[0] if times else None),
            )
    return facts


def _with_times(models: tuple[MixedModel | SemModel, ...], facts: Facts) -> Facts:
    """Occasions without data: those of the SEM's loadings, else places that stand in."""
    if facts.time_values is not None:
        return facts
    for model in models:
        if isinstance(model, SemModel):
            scores = time_scores(sem_parts(model).model)
            return replace(facts, time_values=tuple(sorted(value for _, value in scores)))
    return replace(facts, time_values=PLACES)


def _of_mixed(
    model: MixedModel, frame: pd.DataFrame | None, facts: Facts
) -> tuple[Analysis, Schema, tuple[Any, ...], pd.DataFrame | None]:
    known = facts.schema
    places = facts.time_values if known is None and frame is None else None
    person = facts.id if known is None else None
    model, frame, time, known = with_lag_columns(
        model, frame, id=person, time=facts.time, time_values=places, known=known
    )
    bound = bind_mixed(model, frame, id=person, time=time, time_values=places, known=known)
    bound = with_lag_facts(bound, frame)
    growth = growth_of_mixed(bound)
    analysis = Analysis(growth, habits_of(bound.model), model.notation)
    return analysis, bound.schema, without_redundancy(bound).assumptions, frame


def _of_sem(
    model: SemModel, frame: pd.DataFrame | None, facts: Facts, *, wide: bool
) -> tuple[Analysis, Schema, tuple[Any, ...], pd.DataFrame | None]:
    habits = habits_of(model)
    parts = sem_parts(model)
    bound = bind_sem(
        parts.model,
        frame,
        layout="wide" if wide or frame is None else "long",
        id=facts.id,
        time=facts.time,
        outcome=facts.outcome,
        time_values=facts.time_values if facts.schema is None else None,
        known=facts.schema,
    )
    if parts.covariate_model is not None:
        habits = replace(habits, covariates="joint")
    analysis = Analysis(
        bound.growth,
        habits,
        model.notation,
        None if parts.saturated else parts.covariate_model,
        bound.covariates,
    )
    made = _lengthened(frame, bound) if wide and frame is not None else frame
    if made is None:
        return analysis, bound.schema, bound.assumptions, None
    made, notes = at_occasions(with_lagged(made, bound.schema), bound.schema)
    return analysis, bound.schema, (*bound.assumptions, *notes), made


def _lengthened(frame: pd.DataFrame, bound: BoundSem) -> pd.DataFrame:
    """Long data, with every other column of the persons repeated."""
    long = frame_from_wide(frame, bound)
    taken = set(bound.schema.outcome_columns) | set(long.columns)
    taken |= {c for covariate in bound.covariates for c in covariate.columns}
    others = [name for name in frame.columns if name not in taken]
    at = np.repeat(np.arange(len(frame)), len(bound.schema.occasions))
    return long.assign(**{str(n): frame[n].to_numpy()[at] for n in others})


def _joined(long: pd.DataFrame | None, made: pd.DataFrame | None) -> pd.DataFrame | None:
    if long is None or made is None or len(long) != len(made):
        return made if long is None else long
    new = [name for name in made.columns if name not in long.columns]
    return long.assign(**{str(name): made[name].to_numpy() for name in new})
