"""Facts of stacked data that follow from which outcome each occasion is of."""

from __future__ import annotations

from dataclasses import replace

from growthmm.data.levels import Scalar, level_text
from growthmm.data.names import syntactic, wide_columns
from growthmm.errors import UnboundError
from growthmm.model.schema import Constants, Schema, Variable
from growthmm.translation.tabulate import TABULATED

__all__ = ["indicator_table", "outcome_columns", "with_indicator"]


def with_indicator(schema: Schema) -> Schema:
    """The schema of stacked data with what its series say: the indicator, the wide columns."""
    assert schema.indicator is not None
    variables, constants = schema.variables, schema.constants
    if schema.variable(schema.indicator) is None:
        texts = all(isinstance(outcome, str) for outcome in schema.outcomes)
        levels = schema.outcomes if texts else None
        variables = (*variables, Variable(schema.indicator, "time_function", levels))
    if schema.constants_of(schema.indicator) is None:
        constants = (*constants, indicator_table(schema))
    columns = schema.outcome_columns or outcome_columns(
        schema.series, schema.occasions, schema.indicator
    )
    return replace(schema, variables=variables, constants=constants, outcome_columns=columns)


def indicator_table(schema: Schema) -> Constants:
    """Which outcome each occasion is of: a level's position, or the number itself."""
    assert schema.indicator is not None
    if all(isinstance(outcome, str) for outcome in schema.outcomes):
        values = tuple(float(schema.outcomes.index(own)) for own in schema.series)
    else:
        values = tuple(float(own) for own in schema.series)
    return Constants(schema.indicator, ((TABULATED, values),))


def outcome_columns(
    series: tuple[Scalar, ...], occasions: tuple[float, ...], indicator: str
) -> tuple[str, ...]:
    """Wide columns of several outcomes: ``read_0``, and the outcome alone where it has one."""
    stems = {
        own: own if isinstance(own, str) else f"{indicator}{level_text(own)}" for own in series
    }
    made: list[str] = []
    for outcome, stem in stems.items():
        times = [t for own, t in zip(series, occasions, strict=True) if own == outcome]
        alone = len(times) == 1
        made += (
            [syntactic(stem)]
            if alone
            else wide_columns(stem, times, among=[str(s) for s in stems.values()])
        )
    if len(set(made)) < len(made):
        raise UnboundError(
            f"The outcomes {', '.join(stems.values())} would share wide columns.",
            missing=("outcome columns",),
            hint=f"Rename the values of {indicator}.",
        )
    return tuple(made)
