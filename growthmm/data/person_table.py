"""All values that a model uses of a person in one row, and the way back to the data's layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, numeric_column, require_columns
from growthmm.data.stacked import row_cells, with_outcome_indicators
from growthmm.data.wording import listed
from growthmm.errors import DataError, UnsupportedEngineError
from growthmm.model.schema import Schema, Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PersonTable", "table_of_long", "table_of_wide"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PersonTable:
    """A row a person, as numbers, missing ones among them.

    Parameters
    ----------
    names : tuple of str
        The columns: outcomes and covariates by occasion, covariates of persons, auxiliary
        variables.
    values : (n_subjects, n_columns) ndarray
        NaN where missing.
    indicators : (n_subjects, n_indicators) ndarray
        Categories of persons as indicator columns, nothing missing: predictors alone.
    strata : (n_subjects,) ndarray of int
        The group of each person, from 0; zeros where the model has none.
    layout : object
        How completed values become data again.
    """

    names: tuple[str, ...]
    values: FloatArray
    indicators: FloatArray
    strata: NDArray[np.intp]
    layout: _Wide | _Long

    @property
    def persons(self) -> Any:
        """The persons' identifiers: of long data their own, else row numbers from 1."""
        return self.layout.persons()

    def places(self, name: str) -> list[int]:
        """Where the values of one of the data's columns stand, (n_times,) or one."""
        return self.layout.places(self.names, name)

    @property
    def n_missing(self) -> int:
        """Cells that are missing."""
        return int(np.isnan(self.values).sum())

    def completed(self, values: FloatArray) -> pd.DataFrame:
        """Data in the layout that was given, from completed values.

        Parameters
        ----------
        values : (n_subjects, n_columns) ndarray
            Without missing values.
        """
        return self.layout.frame(self.names, values)


@dataclass(frozen=True)
class _Wide:
    """Rows of a wide frame."""

    source: pd.DataFrame

    def persons(self) -> Any:
        return np.arange(1, len(self.source) + 1)

    def places(self, names: Sequence[str], name: str) -> list[int]:
        return [list(names).index(name)]

    def frame(self, names: Sequence[str], values: FloatArray) -> pd.DataFrame:
        return self.source.assign(**dict(zip(names, values.T, strict=True)))


@dataclass(frozen=True)
class _Long:
    """Long rows, one for each person and cell.

    Parameters
    ----------
    schema : Schema
        Roles and occasions.
    person : array
        The persons' identifiers.
    kept : tuple of (str, array)
        Columns of persons as they stand.
    by_cell : tuple of (str, array)
        Columns that are functions of the occasion, (n_cells,).
    blocks : tuple of (str, tuple of int)
        Numeric columns and, for each cell, their place in the table.
    """

    schema: Schema
    person: Any
    kept: tuple[tuple[str, Any], ...]
    by_cell: tuple[tuple[str, Any], ...]
    blocks: tuple[tuple[str, tuple[int, ...]], ...]

    def persons(self) -> Any:
        return self.person

    def places(self, names: Sequence[str], name: str) -> list[int]:  # noqa: ARG002
        return list(dict.fromkeys(dict(self.blocks)[name]))

    def frame(self, names: Sequence[str], values: FloatArray) -> pd.DataFrame:  # noqa: ARG002
        import pandas as pd

        schema = self.schema
        assert schema.time is not None
        n, cells = len(values), len(schema.occasions)
        made: dict[str, Any] = {
            schema.person: self.person.repeat(cells),
            schema.time: np.tile(np.asarray(schema.occasions), n),
        }
        if schema.indicator is not None:
            made[schema.indicator] = np.tile(np.asarray(schema.series, dtype=object), n)
        made |= {name: column.repeat(cells) for name, column in self.kept}
        made |= {name: np.tile(column, n) for name, column in self.by_cell}
        made |= {name: values[:, list(places)].ravel() for name, places in self.blocks}
        long = pd.DataFrame(made)
        return with_outcome_indicators(long, schema) if schema.series else long


def table_of_wide(
    frame: pd.DataFrame, names: Sequence[str], group: str | None = None
) -> PersonTable:
    """The columns of wide data.

    Parameters
    ----------
    frame : DataFrame
        A row a person.
    names : sequence of str
        Outcomes, covariates and auxiliary variables.
    group : str, optional
        The column of groups.

    Returns
    -------
    PersonTable
        Of the persons with any of these values.

    Examples
    --------
    >>> import pandas
    >>> table = table_of_wide(pandas.DataFrame({"a": [1.0, None], "b": [2.0, None]}), ["a", "b"])
    >>> table.values.tolist()
    [[1.0, 2.0]]
    """
    values = np.column_stack([numeric_column(frame, name) for name in names])
    seen = np.flatnonzero(np.isfinite(values).any(axis=1))
    strata = np.zeros(len(frame), dtype=np.intp) if group is None else codes(frame, group)[0]
    return PersonTable(
        tuple(names),
        values[seen],
        np.empty((len(seen), 0)),
        strata[seen],
        _Wide(frame.iloc[seen].reset_index(drop=True)),
    )


def table_of_long(
    frame: pd.DataFrame, schema: Schema, auxiliary: Sequence[str] = ()
) -> PersonTable:
    """The values of long data by person and occasion.

    Parameters
    ----------
    frame : DataFrame
        Long data.
    schema : Schema
        Roles and shared occasions.
    auxiliary : sequence of str
        Numeric columns that the model does not use; by occasion where they vary within persons.

    Returns
    -------
    PersonTable
        Of the persons with any outcome or auxiliary value.

    Raises
    ------
    UnsupportedEngineError
        If occasions are not shared, persons stand in clusters, the outcome is computed, or a
        category is missing or varies over time.
    """
    _refuse(frame, schema)
    require_columns(frame, auxiliary)
    person, labels = codes(frame, schema.person)
    cell = row_cells(frame, schema)
    good = (person >= 0) & (cell >= 0)
    spread = _Spread(person[good], cell[good], len(labels), len(schema.occasions), good)
    outcome = spread.by_cell(numeric_column(frame, schema.outcome))
    parts, names, blocks = [outcome], list(_cell_names(schema.outcome, schema)), []
    blocks.append((schema.outcome, tuple(range(outcome.shape[1]))))
    kept: list[tuple[str, Any]] = []
    by_cell: list[tuple[str, Any]] = []
    indicators = [np.empty((len(labels), 0))]
    told = [v for v in schema.variables if v.name in frame.columns]
    told += [Variable(name, _role(frame, name, person)) for name in auxiliary]
    for variable in told:
        name = variable.name
        if name in (schema.person, schema.time, schema.outcome, schema.indicator):
            continue
        if variable.role == "time_function":
            by_cell.append((name, spread.of_cells(frame[name])))
        elif variable.role == "person_level" and _is_category(frame, variable):
            column, coded = _category(frame, name, person, len(labels))
            kept.append((name, column))
            indicators.append(coded)
        elif variable.role == "person_level":
            start = sum(part.shape[1] for part in parts)
            parts.append(spread.by_person(numeric_column(frame, name))[:, None])
            names.append(name)
            blocks.append((name, (start,) * len(schema.occasions)))
        else:
            block, places = spread.by_time(numeric_column(frame, name), schema)
            start = sum(part.shape[1] for part in parts)
            parts.append(block)
            names += [f"{name}_{t:g}" for t in schema.times]
            blocks.append((name, tuple(start + k for k in places)))
    values = np.column_stack(parts)
    told_of = list(range(outcome.shape[1]))
    told_of += [k for n, where in blocks if n in auxiliary for k in set(where)]
    seen = np.flatnonzero(np.isfinite(values[:, told_of]).any(axis=1))
    strata = np.zeros(len(labels), dtype=np.intp)
    if schema.grouping is not None:
        strata = _first(codes(frame, schema.grouping.variable)[0], person, len(labels))
    layout = _Long(
        schema,
        labels.take(seen),
        tuple((name, column.take(seen)) for name, column in kept),
        tuple(by_cell),
        tuple(blocks),
    )
    return PersonTable(
        tuple(names), values[seen], np.column_stack(indicators)[seen], strata[seen], layout
    )


def _refuse(frame: pd.DataFrame, schema: Schema) -> None:
    if not schema.shared_times or schema.time is None or not schema.occasions:
        raise UnsupportedEngineError(
            "Times differ from person to person, and missing values are imputed at occasions that "
            "all share.",
            hint="Round times to occasions (bin=), or rely on full information, which needs none.",
        )
    if schema.cluster is not None:
        raise UnsupportedEngineError(
            f"Persons stand in clusters ({schema.cluster}), which imputation here does not know.",
            hint="Rely on full information.",
        )
    if schema.outcome not in frame.columns:
        raise UnsupportedEngineError(
            f"The outcome {schema.outcome} is computed by the formula; what is imputed is a "
            "column.",
            hint="Compute the column first, and name it in the formula.",
        )
    varying = [
        v.name
        for v in schema.variables
        if v.role in ("time_varying", "cluster_level")
        and v.name in frame.columns
        and v.name != schema.indicator
        and _is_category(frame, v)
    ]
    if varying:
        raise UnsupportedEngineError(
            f"{listed(varying)} has categories that change over time; imputation here is of "
            "numbers.",
            hint="Code it as numeric columns, or rely on full information.",
        )


def _is_category(frame: pd.DataFrame, variable: Variable) -> bool:
    import pandas as pd

    return variable.levels is not None or not pd.api.types.is_numeric_dtype(frame[variable.name])


def _role(frame: pd.DataFrame, name: str, person: NDArray[np.intp]) -> Any:
    """Whether an auxiliary variable is one of persons or of occasions."""
    values = numeric_column(frame, name)
    n = int(person.max(initial=-1)) + 1
    good = np.isfinite(values) & (person >= 0)
    first = np.full(n, np.nan)
    first[person[good][::-1]] = values[good][::-1]
    return "person_level" if (values[good] == first[person[good]]).all() else "time_varying"


def _category(
    frame: pd.DataFrame, name: str, person: NDArray[np.intp], n: int
) -> tuple[Any, FloatArray]:
    """A category of persons as it stands, and its indicators but the first."""
    numbered, levels = codes(frame, name)
    own = _first(numbered, person, n)
    if (own < 0).any():
        raise UnsupportedEngineError(
            f"The category {name!r} is missing for {int((own < 0).sum())} of {n} persons; "
            "imputation here is of numbers.",
            hint="Code it as numeric columns, or leave these persons out.",
        )
    return levels.take(own), (own[:, None] == np.arange(1, len(levels))).astype(float)


def _first(numbered: NDArray[np.intp], person: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """The first code of each person that is not missing; -1 where there is none."""
    made = np.full(n, -1, dtype=np.intp)
    good = (numbered >= 0) & (person >= 0)
    made[person[good][::-1]] = numbered[good][::-1]
    return made


def _cell_names(name: str, schema: Schema) -> tuple[str, ...]:
    if len(schema.outcome_columns) == len(schema.occasions):
        return schema.outcome_columns
    return tuple(f"{name}_{t:g}" for t in schema.occasions)


@dataclass(frozen=True)
class _Spread:
    """Long rows put into matrices of persons by cells."""

    person: NDArray[np.intp]
    cell: NDArray[np.intp]
    n: int
    n_cells: int
    good: NDArray[np.bool_]

    def by_cell(self, values: FloatArray) -> FloatArray:
        table = np.full((self.n, self.n_cells), np.nan)
        known = np.isfinite(values[self.good])
        at = (self.person[known], self.cell[known])
        if len(np.unique(at[0] * self.n_cells + at[1])) < len(at[0]):
            raise DataError(
                "A person has several rows at one occasion.",
                hint="Keep one row for each person and occasion.",
            )
        table[at] = values[self.good][known]
        return table

    def by_person(self, values: FloatArray) -> FloatArray:
        made = np.full(self.n, np.nan)
        known = np.isfinite(values[self.good])
        made[self.person[known][::-1]] = values[self.good][known][::-1]
        return made

    def by_time(self, values: FloatArray, schema: Schema) -> tuple[FloatArray, list[int]]:
        """A column a time, and for each cell its time: several outcomes share them."""
        places = [schema.times.index(t) for t in schema.occasions]
        table = np.full((self.n, len(schema.times)), np.nan)
        known = np.isfinite(values[self.good])
        table[self.person[known], np.asarray(places)[self.cell[known]]] = values[self.good][known]
        return table, places

    def of_cells(self, column: pd.Series[Any]) -> Any:
        first = np.full(self.n_cells, -1, dtype=np.intp)
        rows = np.flatnonzero(self.good)
        first[self.cell[::-1]] = rows[::-1]
        return column.to_numpy()[first]
