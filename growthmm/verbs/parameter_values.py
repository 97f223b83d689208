"""Parameter values as users give them, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError
from growthmm.model.sem import SemModel

__all__ = ["labelled", "vector"]

FloatArray = NDArray[np.float64]


def labelled(model: SemModel, values: Mapping[str, float]) -> dict[str, float]:
    """Values by parameter, where rows that share a label may be given row by row.

    Parameters
    ----------
    model : SemModel
        The model.
    values : mapping of str to float
        By parameter, or by row as a table of estimates lists them.

    Returns
    -------
    dict of str to float

    Raises
    ------
    SpecificationError
        If rows that share a label are given different values.

    Examples
    --------
    >>> from growthmm.model.sem import Path
    >>> rows = tuple(Path(y, "~~", y, label="v") for y in ("a", "b"))
    >>> labelled(SemModel(rows, (), ("a", "b")), {"a~~a": 2.0, "b~~b": 2.0})
    {'v': 2.0}
    """
    made = dict(values)
    for path in model.paths:
        if not path.free or path.label is None or path.name not in made:
            continue
        value = made.pop(path.name)
        if made.setdefault(path.label, value) != value:
            raise SpecificationError(
                f"{path.name} is {value:g}, and other rows of the label {path.label} are "
                f"{made[path.label]:g}.",
                hint="Rows that share a label share one value.",
            )
    return made


def vector(names: Sequence[str], values: Mapping[str, float], what: str) -> FloatArray:
    """Values in the order of the names.

    Raises
    ------
    SpecificationError
        If some are missing or unknown.
    """
    missing = [name for name in names if name not in values]
    strange = [name for name in values if name not in names]
    if missing or strange:
        parts = [f"lack {', '.join(missing)}"] if missing else []
        parts += [f"have {', '.join(strange)}, which the model does not"] if strange else []
        raise SpecificationError(
            f"The {what} {' and '.join(parts)}.", hint=f"Parameters: {', '.join(names)}."
        )
    return np.array([float(values[name]) for name in names])
