"""Frames of other libraries into pandas and back, without losing column types on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from growthmm.data.frames import as_pandas
from growthmm.errors import DataError

if TYPE_CHECKING:
    import pandas

__all__ = ["Kind", "give_back", "take_in"]


@dataclass(frozen=True)
class Kind:
    """Where a frame came from.

    Parameters
    ----------
    backend : str
        What narwhals calls it; ``"pandas"`` for pandas frames and files.
    lazy : bool
        Whether it was lazy (a DuckDB relation, a polars LazyFrame).
    schema : object
        The pyarrow schema, where the frame came through pyarrow.
    """

    backend: str
    lazy: bool = False
    schema: Any = None


def take_in(data: object) -> tuple[pandas.DataFrame, Kind]:
    """A frame as pandas, with what is needed to give the same kind back.

    Frames other than pandas ones keep their types as pyarrow-backed columns.

    Parameters
    ----------
    data : frame, str or Path
        As for :func:`growthmm.data.frames.as_pandas`.

    Returns
    -------
    frame : pandas.DataFrame
        The data.
    kind : Kind
        For :func:`give_back`.

    Raises
    ------
    DataError
        As :func:`growthmm.data.frames.as_pandas` does, and where pyarrow is not installed.
    """
    import pandas

    if isinstance(data, (pandas.DataFrame, str, Path)):
        return as_pandas(data), Kind("pandas")
    import narwhals as nw

    try:
        frame: Any = nw.from_native(data)
    except TypeError:
        return as_pandas(data), Kind("pandas")
    lazy = isinstance(frame, nw.LazyFrame)
    try:
        import pyarrow

        table = frame.collect(backend="pyarrow").to_native() if lazy else frame.to_arrow()
    except ModuleNotFoundError as error:
        raise DataError(
            f"Reshaping a {type(data).__module__} frame needs {error.name or 'pyarrow'}, "
            "which is not installed.",
            hint="pip install pyarrow, or pass a pandas frame.",
        ) from error

    def mapped(kind: Any) -> Any:
        return None if pyarrow.types.is_dictionary(kind) else pandas.ArrowDtype(kind)

    converted = table.to_pandas(types_mapper=mapped, ignore_metadata=True)
    return converted, Kind(frame.implementation.value, lazy, table.schema)


def give_back(frame: pandas.DataFrame, kind: Kind, origins: Mapping[str, str]) -> Any:
    """Turn a pandas frame back into the kind that came in.

    Parameters
    ----------
    frame : pandas.DataFrame
        The result.
    kind : Kind
        From :func:`take_in`.
    origins : mapping of str to str
        For each column of `frame`, the column that it was made from.

    Returns
    -------
    frame
        Of the kind that came in; pandas frames come back as they are.
    """
    if kind.backend == "pandas":
        return frame
    import narwhals as nw
    import pyarrow

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    fields, columns = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        at = kind.schema.get_field_index(origins.get(field.name, ""))
        source = kind.schema.field(at) if at >= 0 else None
        if source is not None and pyarrow.types.is_dictionary(source.type):
            # Types such as the polars Enum are known by the type of the codes and by metadata.
            column, field = column.cast(source.type), source.with_name(field.name)  # noqa: PLW2901
        fields.append(field)
        columns.append(column)
    table = pyarrow.Table.from_arrays(columns, schema=pyarrow.schema(fields))
    narrow = nw.from_native(table, eager_only=True)
    if kind.backend == "pyarrow":
        return table
    if kind.lazy:
        return narrow.lazy(backend=kind.backend).to_native()
    backend: Any = kind.backend
    return nw.from_arrow(narrow, backend=backend).to_native()
