"""Rows of long data at times that a structural equation model has no outcome for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.frames import numeric_column
from growthmm.errors import TranslationError
from growthmm.model.defaults import Assumption
from growthmm.model.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["at_occasions"]

SHOWN = 12


def at_occasions(
    frame: pd.DataFrame, schema: Schema
) -> tuple[pd.DataFrame, tuple[Assumption, ...]]:
    """Long data without the rows at other times, and what is said of these.

    Parameters
    ----------
    frame : DataFrame
        Long data of a model that has an outcome for each occasion.
    schema : Schema
        With the occasions.

    Returns
    -------
    frame : DataFrame
        The rows at the occasions.
    notes : tuple of Assumption
        One, where rows with an outcome are left out.

    Raises
    ------
    TranslationError
        If fewer rows are at the occasions than there are persons: times vary individually.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"id": [1, 1, 1], "t": [0, 1, 2], "y": [3.0, 4.0, 5.0]})
    >>> kept, notes = at_occasions(data, Schema("id", "t", "y", (0.0, 1.0)))
    >>> len(kept), notes[0].what
    (2, '1 of 3 rows are not in the model, those at t 2')
    """
    if schema.time is None or schema.series or not (schema.shared_times and schema.occasions):
        return frame, ()
    if schema.outcome not in frame.columns:
        return frame, ()
    times = numeric_column(frame, schema.time)
    seen = np.isfinite(times) & np.isfinite(numeric_column(frame, schema.outcome))
    other = np.isfinite(times) & ~np.isin(times, schema.times)
    n_out, n_seen = int((seen & other).sum()), int(seen.sum())
    if not n_out:
        return frame, ()
    n_persons = frame.loc[seen, schema.person].nunique()
    model = ", ".join(f"{t:g}" for t in schema.times)
    if n_seen - n_out < n_persons:
        raise TranslationError(
            f"Only {n_seen - n_out} of {n_seen} rows, of {n_persons} persons, are at "
            f"{schema.time} {model}, the model's occasions: times vary from person to person.",
            hint="Round them to these occasions (bin=, --bin), or let the loadings be each "
            "person's own times: a formula, OpenMx's definition variables, Mplus' AT.",
        )
    rest = np.unique(times[seen & other])
    shown = ", ".join(f"{t:g}" for t in rest[:SHOWN]) + ", ..." * (len(rest) > SHOWN)
    what = f"{n_out} of {n_seen} rows are not in the model, those at {schema.time} {shown}"
    return frame[~other], (Assumption(what, f"its outcomes are those at {model}"),)
