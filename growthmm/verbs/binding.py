"""From a model and data, whatever their layouts, to both forms or to one engine's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from growthmm.data.frames import as_pandas, require_columns
from growthmm.data.lagging import with_lagged
from growthmm.data.moments import Moments
from growthmm.data.stacked import with_outcome_indicators
from growthmm.engines.prepare import (
    LongData,
    WideData,
    long_data,
    scatter_data,
    sem_data,
    wide_data,
)
from growthmm.engines.wide.problem import WideMoments, WideProblem
from growthmm.engines.wide_to_long import frame_from_wide
from growthmm.errors import DataError, SpecificationError
from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Assumption
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.rendering import Brief
from growthmm.translation.binding.covariates import with_indicators
from growthmm.translation.binding.groups import settled_groups
from growthmm.translation.binding.mixed import bind_mixed
from growthmm.translation.binding.outcomes import stacked_frame
from growthmm.translation.binding.sem import bind_sem, sem_schema
from growthmm.translation.joint_covariates import given_covariates
from growthmm.translation.lagged import lag_note
from growthmm.translation.left_out import at_occasions
from growthmm.translation.loadings.tables import growth_outcomes
from growthmm.translation.pair import Pair, pair_from_mixed, pair_from_sem
from growthmm.translation.redundancy import without_redundancy
from growthmm.verbs.lagging import with_lag_columns, with_lag_facts

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Facts",
    "given_layout",
    "layout_of",
    "mixed_arrays",
    "paired",
    "sem_arrays",
    "with_lags",
]

Layout = Literal["long", "wide"]


@dataclass(frozen=True, repr=False)
class Facts(Brief):
    """What users may say about their data.

    Parameters
    ----------
    id, time, outcome : str, optional
        Columns of the long form.
    time_values : sequence of float, optional
        Times of the outcomes, where the data do not hold them.
    layout : {"long", "wide"}, optional
        The layout, where it can't be told.
    schema : Schema, optional
        Everything a translation needs to know of data, in place of data.
    """

    id: str | None = None
    time: str | None = None
    outcome: str | None = None
    time_values: Sequence[float] | None = None
    layout: Layout | None = None
    schema: Schema | None = None


def layout_of(model: SemModel, frame: pd.DataFrame, facts: Facts) -> Layout:
    """Wide where the frame has the model's outcomes as columns, else long.

    Raises
    ------
    ColumnNotFoundError
        If the frame has some of the outcomes, but not all.
    """
    if facts.layout is not None:
        return facts.layout
    # Where the model grows, its indicators decide: another outcome may be person-level.
    names = growth_outcomes(model) or model.outcomes
    present = [name for name in names if name in frame.columns]
    if len(present) == len(names):
        return "wide"
    if facts.id is not None and facts.time is not None and facts.time in frame.columns:
        return "long"
    if present or (facts.id is None and facts.time is None):
        require_columns(frame, model.outcomes)
    return "long"


def given_layout(model: MixedModel | SemModel, data: object | None, facts: Facts) -> Layout | None:
    """The layout of the data that a growth curve is given with; None for a mixed model."""
    if not isinstance(model, SemModel) or data is None or isinstance(data, Moments):
        return None
    return layout_of(model, as_pandas(data), facts)


def _frame_of(data: object, model: MixedModel | SemModel) -> pd.DataFrame:
    """A frame; printed moments are drawn from, so that the sample has exactly these."""
    if isinstance(data, Moments):
        if isinstance(model, MixedModel):
            raise SpecificationError(
                "Moments are of wide data, and a mixed model names long columns.",
                hint="Write the model as a latent growth curve, or translate it first.",
            )
        return data.draw()
    return as_pandas(data)


def mixed_arrays(
    model: MixedModel, data: object, facts: Facts
) -> tuple[MixedModel, LongData, tuple[Assumption, ...]]:
    """A mixed model without redundant parameters, and its arrays for the long engines."""
    _refuse_wide(model, facts)
    model, frame, facts = with_lags(model, _frame_of(data, model), facts)
    assert frame is not None
    bound = bind_mixed(
        model, frame, id=facts.id, time=facts.time, known=facts.schema, wide_form=False
    )
    if any(block.diagonal and len(block.columns) > 1 for block in bound.random):
        # A variance for every occasion beside the residual's is seen once occasions are known.
        told = bind_mixed(model, frame, id=facts.id, time=facts.time, known=facts.schema)
        reduced = without_redundancy(told)
        bound = reduced if reduced is not told else bound
    return bound.model, long_data(bound, frame), bound.assumptions


def _refuse_wide(model: MixedModel, facts: Facts) -> None:
    if facts.layout == "wide":
        raise SpecificationError(
            f"A mixed model ({model.response} ~ ...) takes long data, a row a person and occasion.",
            hint="Reshape first: growthmm reshape --to long.",
        )


def sem_arrays(
    model: SemModel, data: object, facts: Facts
) -> tuple[WideData, tuple[Assumption, ...]]:
    """The arrays of any structural equation model for the wide engines."""
    if isinstance(data, Moments):
        wanted = (*model.outcomes, *model.covariates)
        picked = _pick(data, wanted)
        return WideData(WideProblem(model, (picked,)), _row_numbers(0)), ()
    frame = _frame_of(data, model)
    if layout_of(model, frame, facts) == "wide":
        return sem_data(model, with_indicators(model, frame), id=facts.id), ()
    frame = _stacked(model, frame, facts)
    schema, covariates, notes = sem_schema(
        model,
        frame,
        layout="long",
        id=facts.id,
        time=facts.time,
        outcome=facts.outcome,
        time_values=facts.time_values,
        known=None,
    )
    model, _ = settled_groups(model, frame, None)
    frame, more = at_occasions(with_lagged(frame, schema), schema)
    return scatter_data(model, schema, covariates, frame), (*notes, *more)


def _pick(moments: Moments, names: Sequence[str]) -> WideMoments:
    """The moments of the model's variables, with divisor n."""
    missing = [name for name in names if name not in moments.names]
    if missing:
        raise DataError(
            f"The moments have no variable {', '.join(missing)}; they have "
            f"{', '.join(moments.names)}.",
            hint="Give names= in the model's spelling.",
        )
    at = [moments.names.index(name) for name in names]
    scale = (moments.n - moments.ddof) / moments.n
    return WideMoments(moments.mean[at], moments.cov[at][:, at] * scale, moments.n)


def _row_numbers(n: int):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.arange(1, n + 1).astype(object)


def paired(
    model: MixedModel | SemModel,
    data: object | None,
    facts: Facts,
    *,
    spelling: str = "lme4",
) -> tuple[Pair, pd.DataFrame | None]:
    """Both forms of a growth model, and its data in the long layout.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model as read.
    data : data frame, path or Moments, optional
        Its data.
    facts : Facts
        What was said about them.
    spelling : str
        The mixed notation whose coefficient names are used for a SEM source.

    Returns
    -------
    pair : Pair
        Both forms.
    frame : DataFrame or None
        Long data.
    """
    if isinstance(model, MixedModel):
        _refuse_wide(model, facts)
        frame = None if data is None else _frame_of(data, model)
        model, frame, facts = with_lags(model, frame, facts)
        bound = bind_mixed(
            model,
            frame,
            id=facts.id,
            time=facts.time,
            time_values=facts.time_values,
            known=facts.schema,
        )
        return pair_from_mixed(with_lag_facts(bound, frame)), frame
    apart = given_covariates(model)
    if apart is not None:
        pair, frame = paired(apart[0], data, facts, spelling=spelling)
        return replace(pair, assumptions=(*pair.assumptions, apart[1].note)), frame
    frame = None if data is None else _frame_of(data, model)
    layout = layout_of(model, frame, facts) if frame is not None else "wide"
    _refuse_contradictions(facts)
    if frame is not None and layout == "long":
        frame = _stacked(model, frame, facts)
    bound_sem = bind_sem(
        model,
        frame,
        layout=layout,
        id=facts.id,
        time=facts.time,
        outcome=facts.outcome,
        time_values=facts.time_values,
        known=facts.schema,
    )
    if frame is not None and layout == "wide":
        frame = _long_frame(bound_sem, frame)
    if frame is not None and bound_sem.schema.series:
        frame = with_outcome_indicators(frame, bound_sem.schema)
    if bound_sem.schema.lagged:
        notes = tuple(lag_note(made, bound_sem.schema) for made in bound_sem.schema.lagged)
        bound_sem = replace(bound_sem, assumptions=(*bound_sem.assumptions, *notes))
        frame = None if frame is None else with_lagged(frame, bound_sem.schema)
    if frame is not None and layout == "long":
        frame, notes = at_occasions(frame, bound_sem.schema)
        bound_sem = replace(bound_sem, assumptions=(*bound_sem.assumptions, *notes))
    return pair_from_sem(bound_sem, spelling=spelling), frame


def with_lags(
    model: MixedModel, frame: pd.DataFrame | None, facts: Facts
) -> tuple[MixedModel, pd.DataFrame | None, Facts]:
    """A mixed model, its data and facts with columns of earlier values where it has some.

    Parameters
    ----------
    model : MixedModel
        Any mixed model.
    frame : DataFrame, optional
        Long data.
    facts : Facts
        What was said about them.
    """
    model, frame, time, known = with_lag_columns(
        model,
        frame,
        id=facts.id,
        time=facts.time,
        time_values=facts.time_values,
        known=facts.schema,
    )
    return model, frame, replace(facts, time=time, schema=known)


def _stacked(model: SemModel, frame: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Long data, of several outcomes stacked."""
    if facts.id is None or facts.time is None:
        return frame
    require_columns(frame, [facts.id, facts.time])
    return stacked_frame(model, frame, id=facts.id, time=facts.time, outcome=facts.outcome)


def _refuse_contradictions(facts: Facts) -> None:
    if facts.schema is None:
        return
    for what, said, given in (
        ("person", facts.schema.person, facts.id),
        ("time", facts.schema.time, facts.time),
        ("outcome", facts.schema.outcome, facts.outcome),
    ):
        if given is not None and given != said:
            raise SpecificationError(
                f"The schema's {what} is {said!r}, and {given!r} was given.",
                hint="Leave one of them out.",
            )


def _long_frame(bound: BoundSem, frame: pd.DataFrame) -> pd.DataFrame:
    if bound.schema.person in frame.columns and frame[bound.schema.person].duplicated().any():
        twice = frame.loc[frame[bound.schema.person].duplicated(), bound.schema.person]
        raise DataError(
            f"The person column {bound.schema.person} of wide data has values twice: "
            f"{', '.join(str(v) for v in twice.unique()[:5])}.",
            hint="Wide data have a row a person.",
        )
    return frame_from_wide(frame, bound)


def pair_problems(pair: Pair, frame: pd.DataFrame) -> tuple[LongData, WideData]:
    """Both forms' arrays."""
    return long_data(pair.mixed, frame), wide_data(pair.sem, frame)
