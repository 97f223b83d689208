"""A covariate's value of an earlier or a later occasion, in long data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, numeric_column
from growthmm.data.stacked import row_cells
from growthmm.data.visits import visit_numbers
from growthmm.model.schema import Schema

if TYPE_CHECKING:
    import pandas

__all__ = ["lagged_values", "with_lagged"]


def lagged_values(frame: pandas.DataFrame, schema: Schema, of: str, by: int) -> NDArray[np.float64]:
    """A covariate's value `by` occasions earlier in each row.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    schema : Schema
        With person and time. Of shared occasions these are counted, of several outcomes the times
        of all; where times differ between persons, their rows that have a time.
    of : str
        The covariate, a numeric column.
    by : int
        How many occasions earlier, whatever time lies between; below zero how many later.

    Returns
    -------
    (n_rows,) ndarray
        Zero at the first `by` occasions (the last); NaN where the other value is missing, or the
        person has no row then.

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"id": [1, 1, 1, 2], "t": [0, 1, 3, 1], "x": [5.0, 6.0, 7.0, 8.0]})
    >>> lagged_values(frame, Schema("id", "t", "y", (0.0, 1.0, 3.0)), "x", 1)
    array([ 0.,  5.,  6., nan])
    """
    person, n_persons = _persons(frame, schema)
    place, n_places = _places(frame, schema, person)
    values = numeric_column(frame, of)
    table = np.full((n_persons, n_places), np.nan)
    known = (person >= 0) & (place >= 0) & np.isfinite(values)
    table[person[known], place[known]] = values[known]
    outside = _outside(place, n_places, by)
    found = np.full(len(frame), np.nan)
    inside = (person >= 0) & (place >= 0) & ~outside
    found[inside] = table[person[inside], place[inside] - by]
    found[outside] = 0.0
    return found


def _outside(place: NDArray[np.intp], n_places: int, by: int) -> NDArray[np.bool_]:
    """Rows of occasions that have no other one."""
    there = place - by
    return np.asarray((place >= 0) & ((there < 0) | (there >= n_places)))


def _places(
    frame: pandas.DataFrame, schema: Schema, person: NDArray[np.intp]
) -> tuple[NDArray[np.intp], int]:
    """Which of the times each row is of, or which of its person's visits, and how many; or -1."""
    if schema.shared_times:
        cell = row_cells(frame, schema)
        times = schema.times
        at = np.array([*(times.index(time) for time in schema.occasions), -1], dtype=np.intp)
        return np.asarray(at[cell]), len(times)
    assert schema.time is not None
    time = numeric_column(frame, schema.time)
    visit = visit_numbers(person, time, (person >= 0) & np.isfinite(time))
    return visit, int(visit.max(initial=-1)) + 1


def _persons(frame: pandas.DataFrame, schema: Schema) -> tuple[NDArray[np.intp], int]:
    """The person of each row; names that clusters repeat are a person in each."""
    person, labels = codes(frame, schema.person)
    if not schema.repeats or schema.cluster is None:
        return person, len(labels)
    cluster, clusters = codes(frame, schema.cluster)
    both = np.where((person < 0) | (cluster < 0), -1, person * len(clusters) + cluster)
    return both, len(labels) * len(clusters)


def with_lagged(frame: pandas.DataFrame, schema: Schema) -> pandas.DataFrame:
    """Long data with the schema's lagged columns, computed where their covariates are there.

    One whose covariate is not there is zero at the occasions that have no other one.

    Parameters
    ----------
    frame : pandas.DataFrame
        Long data.
    schema : Schema
        With the lagged columns.
    """
    made = {}
    for lagged in schema.lagged:
        if lagged.of in frame.columns:
            made[lagged.name] = lagged_values(frame, schema, lagged.of, lagged.by)
        elif lagged.name in frame.columns:
            place, n_places = _places(frame, schema, _persons(frame, schema)[0])
            own = numeric_column(frame, lagged.name)
            made[lagged.name] = np.where(_outside(place, n_places, lagged.by), 0.0, own)
    return frame.assign(**made) if made else frame
