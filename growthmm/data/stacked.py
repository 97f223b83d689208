"""Several outcomes in one column: rows of a person, an occasion and an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.keys import refuse_missing
from growthmm.data.levels import level_codes
from growthmm.errors import DataError, DuplicateOccasionError
from growthmm.model.schema import Schema
from growthmm.model.strata import outcome_indicators

if TYPE_CHECKING:
    import pandas

__all__ = [
    "find_stack",
    "outcome_codes",
    "row_cells",
    "stack_columns",
    "unstacked",
    "with_outcome_indicators",
]

Codes = NDArray[np.intp]

MOST = 24
"""No more outcomes than that are stacked."""


def row_cells(frame: pandas.DataFrame, schema: Schema) -> Codes:
    """The occasion of each row, of one outcome or of several; -1 for none of them.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    schema : Schema
        With time and the occasions, and of several outcomes the column that tells them apart.
    """
    assert schema.time is not None
    time = numeric_column(frame, schema.time)
    if not schema.series:
        return _at(np.asarray(schema.occasions), time)
    assert schema.indicator is not None
    found = np.full(len(frame), -1, dtype=np.intp)
    kind = outcome_codes(frame, schema)
    for k, outcome in enumerate(schema.outcomes):
        cells = np.asarray(schema.cells_of(outcome), dtype=np.intp)
        place = _at(np.asarray(schema.occasions)[cells], time)
        own = (kind == k) & (place >= 0)
        found[own] = cells[place[own]]
    return found


def outcome_codes(frame: pandas.DataFrame, schema: Schema) -> Codes:
    """Which of several outcomes each row holds, in the schema's order; -1 where none is named."""
    assert schema.indicator is not None
    if all(isinstance(outcome, str) for outcome in schema.outcomes):
        return level_codes(frame, schema.indicator, schema.outcomes)
    values = numeric_column(frame, schema.indicator)
    made = np.full(len(values), -1, dtype=np.intp)
    for k, outcome in enumerate(schema.outcomes):
        made[values == float(outcome)] = k
    return made


def _at(known: NDArray[np.float64], time: NDArray[np.float64]) -> Codes:
    """The position of each time among known ones, ascending; -1 where it is none of them."""
    place = np.clip(np.searchsorted(known, time), 0, len(known) - 1)
    return np.where(known[place] == time, place, -1)


def find_stack(
    frame: pandas.DataFrame, *, id: str, times: Sequence[str], indicators: Sequence[str]
) -> tuple[str, str] | None:
    """The columns of time and of outcome that, with the person, identify stacked rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    id : str
        The column of persons.
    times, indicators : sequence of str
        Columns that may be either, the likeliest first.

    Returns
    -------
    tuple of (str, str), or None
        None where person and time alone identify rows, or no pair of columns does; and where
        fewer than half the persons have a time twice, which is no design but a mistake.

    Raises
    ------
    DataError
        If several columns of time would do.

    Examples
    --------
    >>> import pandas
    >>> rows = pandas.DataFrame({"id": [1, 1, 1, 1], "t": [0, 0, 1, 1], "of": ["a", "b"] * 2})
    >>> find_stack(rows, id="id", times=["t"], indicators=["of"])
    ('t', 'of')
    """
    person = codes(frame, id)[0]
    for indicator in indicators:
        kind, labels = codes(frame, indicator)
        if not 1 < len(labels) <= MOST:
            continue
        found = []
        for name in times:
            if name == indicator:
                continue
            time = codes(frame, name)[0]
            good = (person >= 0) & (kind >= 0) & (time >= 0)
            pair = person[good] * (int(time.max(initial=0)) + 1) + time[good]
            cell = pair * len(labels) + kind[good]
            if len(np.unique(cell)) < len(cell):
                continue
            first, counts = np.unique(pair, return_counts=True)
            twice = np.unique(first[counts > 1] // (int(time.max(initial=0)) + 1))
            if 2 * len(twice) >= len(np.unique(person[good])):
                found.append(name)
        if len(found) > 1:
            raise DataError(
                f"Rows are identified by person, {indicator} and any of {', '.join(found)}.",
                hint="Name the column of times with time= or --time.",
            )
        if found:
            return found[0], indicator
    return None


def with_outcome_indicators(frame: pandas.DataFrame, schema: Schema) -> pandas.DataFrame:
    """Stacked rows with the numeric indicators of the outcomes that the schema names.

    Parameters
    ----------
    frame : pandas.DataFrame
        Stacked data.
    schema : Schema
        With tables of the indicators at the occasions.

    Returns
    -------
    pandas.DataFrame
        `frame` itself where it has them.
    """
    absent = [pair for pair in outcome_indicators(schema) if pair[0] not in frame.columns]
    if not absent:
        return frame
    kind = outcome_codes(frame, schema)
    made: dict[str, Any] = {}
    for name, outcome in absent:
        values = np.array([*(float(own == outcome) for own in schema.outcomes), np.nan])
        made[name] = values[kind]
    return frame.assign(**made)


def stack_columns(
    frame: pandas.DataFrame,
    *,
    id: str,
    time: str,
    outcomes: Sequence[str],
    once: Sequence[str] = (),
    indicator: str,
    value: str,
) -> pandas.DataFrame:
    """Long data with a column an outcome, as rows of one outcome each.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a person and time.
    id, time : str
        Their columns.
    outcomes : sequence of str
        Columns of the outcomes.
    once : sequence of str
        Those among them that persons have once, repeated in every row: one row a person, at the
        first time of the data.
    indicator, value : str
        Names of the columns to make: whose value a row holds, and the value.

    Returns
    -------
    pandas.DataFrame
        Persons in order of first appearance, outcome after outcome, all other columns repeated.

    Raises
    ------
    DataError
        If a column to make is there already, or an outcome that persons have once varies.
    """
    import pandas

    others = [c for c in frame.columns if c not in outcomes]
    if clash := next((c for c in (indicator, value) if c in others), None):
        raise DataError(
            f"The stacked column {clash!r} would have the name of a column that is there.",
            hint="Rename that column, or name the stacked columns otherwise.",
        )
    pieces = []
    for outcome in outcomes:
        rows = frame[others]
        values = frame[outcome]
        if outcome in once:
            rows, values = _once(frame, others, outcome, id, time)
        made: dict[str, Any] = {indicator: outcome, value: values.to_numpy()}
        pieces.append(rows.assign(**made))
    stacked = pandas.concat(pieces, ignore_index=True)
    numbered = codes(stacked, id)[0]
    return stacked.iloc[np.argsort(numbered, kind="stable")].reset_index(drop=True)


def _once(
    frame: pandas.DataFrame, others: Sequence[str], outcome: str, id: str, time: str
) -> tuple[pandas.DataFrame, pandas.Series[float]]:
    """A row a person: the outcome's one value, at the first time of the data."""
    person = codes(frame, id)[0]
    values = numeric_column(frame, outcome)
    n = int(person.max(initial=-1)) + 1
    first = np.full(n, np.nan)
    seen = np.isfinite(values) & (person >= 0)
    first[person[seen][::-1]] = values[seen][::-1]
    varies = seen.copy()
    varies[seen] = values[seen] != first[person[seen]]
    if varies.any():
        who = frame[id].iloc[int(np.flatnonzero(varies)[0])]
        raise DataError(
            f"The outcome {outcome!r} varies within persons ({id} {who}, among others), and the "
            "model has it once a person.",
            hint="Give it one value in every row of a person, or let it load on growth factors.",
        )
    at = np.unique(person, return_index=True)[1]
    rows = frame[list(others)].iloc[at].copy()
    rows[time] = np.nanmin(numeric_column(frame, time))
    made = frame[outcome].iloc[at].copy()
    made[:] = first[person[at]]
    return rows, made


def unstacked(
    frame: pandas.DataFrame, keys: tuple[str, str, str], values: tuple[str, ...]
) -> tuple[pandas.DataFrame, tuple[str, ...]]:
    """Stacked rows as long data with a column an outcome.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row for each person, time and outcome.
    keys : tuple of (str, str, str)
        The columns of person, time and outcome.
    values : tuple of str
        The one column of the values.

    Returns
    -------
    long : pandas.DataFrame
        A row for each person and time, in order of first appearance.
    outcomes : tuple of str
        Its columns of outcomes, in order of first appearance.

    Raises
    ------
    DataError
        If there are several columns of values, an outcome's name is that of another column, or
        a row has no outcome.
    DuplicateOccasionError
        If a person has an outcome twice at one time.
    """
    import pandas

    id, time, indicator = keys
    require_columns(frame, [indicator])
    if len(values) != 1:
        raise DataError(
            f"Stacked rows hold their values in one column, and values= names {len(values)}.",
            hint="Name that column alone.",
        )
    refuse_missing(frame, indicator)
    numbered, labels = codes(frame, indicator)
    outcomes = tuple(str(label) for label in labels)
    others = [c for c in frame.columns if c not in (indicator, *values)]
    if clash := next((o for o in outcomes if o in others), None):
        raise DataError(
            f"The outcome {clash!r} has the name of another column.", hint="Rename that column."
        )
    pairs = frame.groupby([id, time], sort=False, dropna=False).ngroup().to_numpy()
    cell = pairs * len(outcomes) + numbered
    if len(np.unique(cell)) < len(cell):
        at = int(np.flatnonzero(pandas.Series(cell).duplicated())[0])
        raise DuplicateOccasionError(
            f"{id} {frame[id].iloc[at]} has {outcomes[numbered[at]]} twice at {time} "
            f"{frame[time].iloc[at]}.",
            hint="Keep one row for each person, time and outcome.",
        )
    first = np.unique(pairs, return_index=True)[1]
    long = frame[others].iloc[first].reset_index(drop=True)
    for k, outcome in enumerate(outcomes):
        own = pandas.Series(frame[values[0]].to_numpy()[numbered == k], index=pairs[numbered == k])
        long[outcome] = own.reindex(range(len(first))).to_numpy()
    return long, outcomes
