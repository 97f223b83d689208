"""Which columns are categorical, and what their levels are in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, require_columns
from growthmm.data.wording import listed, shown
from growthmm.errors import ValueColumnError

if TYPE_CHECKING:
    import pandas

__all__ = ["Scalar", "column_levels", "level_codes", "level_text", "plain"]

Scalar = str | float | int | bool


def level_text(level: Scalar) -> str:
    """A level as R prints it: 15 significant digits, ``TRUE`` and ``FALSE``.

    Examples
    --------
    >>> level_text(3.0), level_text(True), level_text("male")
    ('3', 'TRUE', 'male')
    """
    if isinstance(level, bool):
        return str(level).upper()
    return level if isinstance(level, str) else f"{level:.15g}"


def column_levels(frame: pandas.DataFrame, name: str) -> tuple[Scalar, ...] | None:
    """The levels of a categorical column in their order; None for a numeric one.

    As R's ``factor()`` has them: a categorical column keeps the order of its own categories
    (those that occur), booleans run from False to True, texts are sorted by code point (R sorts
    them by locale, so scripts write the levels out).

    Parameters
    ----------
    frame : pandas.DataFrame
        The data.
    name : str
        A column.

    Returns
    -------
    tuple of scalars or None
        The levels that occur, the first being the reference.

    Raises
    ------
    ColumnNotFoundError
        If there is no such column.
    ValueColumnError
        If it mixes text with other values.

    Examples
    --------
    >>> import pandas
    >>> column_levels(pandas.DataFrame({"sex": ["male", "female", None]}), "sex")
    ('female', 'male')
    """
    import pandas

    require_columns(frame, [name])
    dtype = frame[name].dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        used = np.unique(np.asarray(frame[name].cat.codes))
        return tuple(plain(dtype.categories[i]) for i in used if i >= 0)
    if pandas.api.types.is_bool_dtype(dtype):
        return (False, True)
    kinds = pandas.api.types
    if not (kinds.is_object_dtype(dtype) or kinds.is_string_dtype(dtype)):
        return None
    values = [plain(v) for v in codes(frame, name)[1]]
    if values and all(isinstance(v, bool) for v in values):
        return (False, True)
    texts = [v for v in values if isinstance(v, str)]
    if not texts:
        return None
    if len(texts) < len(values):
        others = [v for v in values if not isinstance(v, str)]
        raise ValueColumnError(
            f"The column {name!r} mixes text ({shown(texts[0])}) with other values "
            f"({shown(others[0])}).",
            hint="Make it all text or all numbers.",
        )
    return tuple(sorted(texts))


def plain(value: Any) -> Scalar:
    """A value without its NumPy type."""
    made: Scalar = value.item() if isinstance(value, np.generic) else value
    return made


def level_codes(
    data: pandas.DataFrame | Mapping[str, NDArray[Any]], name: str, levels: tuple[Scalar, ...]
) -> NDArray[np.intp]:
    """The position of each value of a column among `levels`; -1 where missing.

    Parameters
    ----------
    data : pandas.DataFrame or mapping of str to (n_rows,) ndarray
        The data.
    name : str
        The column.
    levels : tuple of scalars
        All values that it may have.

    Raises
    ------
    ValueColumnError
        If it holds a value that is no level.
    """
    import pandas

    frame = data if isinstance(data, pandas.DataFrame) else pandas.DataFrame({name: data[name]})
    numbered, labels = codes(frame, name)
    position = {level: i for i, level in enumerate(levels)}
    found = [position.get(plain(label), -2) for label in labels]
    if -2 in found:
        unknown = [plain(labels[i]) for i, at in enumerate(found) if at == -2]
        raise ValueColumnError(
            f"The column {name!r} holds {listed(unknown)}, not among its levels {listed(levels)}.",
            hint="Use the data that the model was bound to, or bind it again.",
        )
    return np.asarray(np.array([*found, -1], dtype=np.intp)[numbered])
