"""Rows without a covariate: what each family's programs do with them, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes
from growthmm.engines.prepare import LongData, outcome_values
from growthmm.model.defaults import Assumption
from growthmm.translation.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["left_out", "missing_note"]


def left_out(pair: Pair, long: LongData, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows with an outcome but without another variable of the model, (n_rows,) bool.

    Parameters
    ----------
    pair : Pair
        Both forms.
    long : LongData
        The arrays of the mixed form.
    frame : DataFrame
        Long data.
    """
    found = np.isfinite(outcome_values(pair.mixed.schema, frame))
    found[long.rows] = False
    return found


def missing_note(
    pair: Pair, rows: NDArray[np.bool_], frame: pd.DataFrame
) -> tuple[Assumption, ...]:
    """What happens to rows without a covariate (equivalence condition 8, remark R7).

    Parameters
    ----------
    pair : Pair
        Both forms.
    rows : (n_rows,) ndarray of bool
        As :func:`left_out` gives them.
    frame : DataFrame
        Long data.

    Returns
    -------
    tuple of Assumption
        One, or none where no row is concerned.
    """
    if not rows.any():
        return ()
    schema = pair.mixed.schema
    person, _ = codes(frame, schema.person)
    concerned = np.unique(person[rows])
    everyone = np.isin(person, concerned) & np.isfinite(outcome_values(schema, frame))
    n, who = int(rows.sum()), len(concerned)
    several, persons = ("s" if n > 1 else ""), ("s" if who > 1 else "")
    return (
        Assumption(
            f"{n} row{several} with {schema.outcome} but without another variable of the model "
            f"{'are' if n > 1 else 'is'} left out of both forms",
            "mixed-model programs drop rows with missing covariates; structural equation programs "
            f"that condition on covariates drop whole persons (here {who} person{persons} with "
            f"{int(everyone.sum())} outcomes), unless the outcome of such a row is set to missing "
            "and its covariate to any number",
        ),
    )
