"""The clusters of rows and of persons, as codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, require_columns
from growthmm.data.persons import number_persons
from growthmm.engines.long.problem import Clusters
from growthmm.errors import DataError
from growthmm.model.bound import BoundMixed
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "clusters_named",
    "clusters_of_persons",
    "clusters_of_rows",
    "clusters_of_wide_rows",
    "group_name",
    "numbered_persons",
]

Codes = NDArray[np.intp]


def clusters_named(code: Codes | None, schema: Schema) -> Clusters | None:
    """The clusters of a long problem's rows, where there are any."""
    if code is None:
        return None
    return Clusters(code, int(code.max()) + 1, schema.cluster or "")


def group_name(schema: Schema) -> str:
    """The grouping factor of persons: a column, or the pair where names repeat."""
    return f"{schema.cluster}:{schema.person}" if schema.repeats else schema.person


def numbered_persons(
    schema: Schema, frame: pd.DataFrame
) -> tuple[NDArray[np.integer[Any]], pd.Index[Any]]:
    """The person of each row as a code, -1 where missing, and the persons' names."""
    if not schema.repeats or schema.cluster is None:
        return number_persons(frame, schema.person)
    import pandas as pd

    require_columns(frame, [schema.cluster, schema.person])
    homes, clusters = codes(frame, schema.cluster)
    own, names = codes(frame, schema.person)
    joint = homes * len(names) + own
    known = (homes >= 0) & (own >= 0)
    found, numbered = np.unique(joint[known], return_inverse=True)
    person = np.full(len(joint), -1, dtype=np.intp)
    person[known] = numbered.reshape(-1)
    labels = [f"{clusters[k // len(names)]}:{names[k % len(names)]}" for k in found.tolist()]
    return person, pd.Index(labels, dtype=object, name=group_name(schema))


def clusters_of_rows(bound: BoundMixed, frame: pd.DataFrame) -> Codes | None:
    """The cluster of each row, -1 where missing; None where clusters have no random effects."""
    cluster = bound.schema.cluster
    if cluster is None or not any(block.outer for block in bound.random):
        return None
    require_columns(frame, [cluster])
    return codes(frame, cluster)[0]


def clusters_of_persons(
    model: SemModel, cluster: str | None, frame: pd.DataFrame, person: Codes
) -> Codes | None:
    """The cluster of each person of long data, by the person's first row.

    Parameters
    ----------
    model : SemModel
        The model; None is returned for one of one level.
    cluster : str, optional
        The column of clusters.
    frame : DataFrame
        Long data.
    person : (n_rows,) ndarray of int
        The person of each row.

    Raises
    ------
    DataError
        If a row has no cluster.
    """
    if model.n_levels == 1:
        return None
    found = _known(frame, cluster or model.cluster_variable)
    first = np.zeros(int(person.max(initial=-1)) + 1, dtype=np.intp)
    rows = np.flatnonzero(person >= 0)[::-1]
    first[person[rows]] = rows
    return found[first]


def clusters_of_wide_rows(model: SemModel, frame: pd.DataFrame) -> Codes | None:
    """The cluster of each row of wide data; None for a model of one level.

    Raises
    ------
    DataError
        If the model does not name the column, or a row has no cluster.
    """
    return None if model.n_levels == 1 else _known(frame, model.cluster_variable)


def _known(frame: pd.DataFrame, cluster: str | None) -> Codes:
    if cluster is None:
        raise DataError(
            "The model has two levels, and nothing says which column holds the clusters.",
            hint='Write the whole call: growth(model, cluster = "school").',
        )
    require_columns(frame, [cluster])
    code = codes(frame, cluster)[0]
    missing = int(np.count_nonzero(code < 0))
    if missing:
        raise DataError(
            f"{missing} rows have no {cluster}.", hint="Drop them, or give every one a cluster."
        )
    return code
