"""What each column of long data is to a model, and which column is time and which person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import as_pandas, codes, require_columns
from growthmm.data.levels import column_levels
from growthmm.data.persons import number_persons
from growthmm.data.wording import listed
from growthmm.errors import UnboundError
from growthmm.model.expression import variables
from growthmm.model.mixed import MixedModel
from growthmm.model.occasions import distinct_numbers, places
from growthmm.model.schema import Role, Variable

if TYPE_CHECKING:
    import pandas

__all__ = ["classify", "find_person", "find_time", "time_candidates"]

Codes = NDArray[np.intp]

GLANCE = 1024
FEW = 256


def classify(
    frame: object,
    *,
    id: str,
    time: str | None,
    names: Sequence[str],
    outcome: str | None = None,
) -> tuple[Variable, ...]:
    """The role of each column: constant within persons, a function of time, or time-varying.

    Missing values within a person (or at a time) are no evidence against constancy.

    Parameters
    ----------
    frame : data frame
        Long data.
    id : str
        The column of persons.
    time : str or None
        The column of times.
    names : sequence of str
        The columns to judge.
    outcome : str, optional
        The outcome among them.

    Returns
    -------
    tuple of Variable
        One for each name, with levels where it is categorical.

    Raises
    ------
    ColumnNotFoundError
        If there is no such column.

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"id": [1, 1, 2, 2], "t": [0, 1, 0, 1], "x": [5, 5, 6, 6],
    ...                           "knot": [0, 3, 0, 3], "w": [1, 2, 3, 4]})
    >>> [v.role for v in classify(frame, id="id", time="t", names=["x", "knot", "w"])]
    ['person_level', 'time_function', 'time_varying']
    """
    frame = as_pandas(frame)
    require_columns(frame, [id, *([] if time is None else [time]), *names])
    keyed: dict[str, Codes] = {}

    def within(key: str, name: str) -> bool:
        if key not in keyed:
            keyed[key] = codes(frame, key)[0]
        return _constant(*_values(frame, name), keyed[key])

    found = []
    for name in names:
        role: Role
        if name == id:
            role = "person"
        elif name == time:
            role = "time"
        elif name == outcome:
            role = "outcome"
        elif within(id, name):
            role = "person_level"
        elif time is not None and within(time, name):
            role = "time_function"
        else:
            role = "time_varying"
        levels = None if role in ("person", "time", "outcome") else column_levels(frame, name)
        found.append(Variable(name, role, levels))
    return tuple(found)


def _values(frame: pandas.DataFrame, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values that can be compared, and which of them are there; numbers need no hashing."""
    dtype = frame[name].dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "fiub":
        values = frame[name].to_numpy()
        return values, ~np.isnan(values) if dtype.kind == "f" else np.ones(values.size, bool)
    numbered = codes(frame, name)[0]
    return numbered, numbered >= 0


def _constant(values: NDArray[Any], present: NDArray[np.bool_], groups: Codes) -> bool:
    """Whether each group (code -1: none) holds at most one value that is there."""
    usable = present & (groups >= 0)
    if not usable.all():
        values, groups = values[usable], groups[usable]
    if not groups.size:
        return True
    first = np.empty(int(groups.max()) + 1, dtype=values.dtype)
    # Which row of a group wins does not matter: all must equal it.
    first[groups] = values
    return bool((first[groups] == values).all())


def find_person(model: MixedModel, frame: object | None = None) -> str:
    """The grouping factor of the persons: the innermost of several.

    Parameters
    ----------
    model : MixedModel
        A mixed model.
    frame : data frame, optional
        Data that show which factor is nested in which where the text does not.

    Returns
    -------
    str
        A canonical expression, in most models a column's name.

    Raises
    ------
    UnboundError
        If the model has no grouping factor, or several of which none is the innermost.
    """
    groups = model.groups
    if not groups and model.residual.person is not None:
        return model.residual.person
    if not groups:
        raise UnboundError(
            "The model has no random effects, so nothing says who the persons are.",
            missing=("id",),
            hint="Name the column of persons: id= or --id.",
        )
    innermost = [
        g for g in groups if not any(set(variables(g)) < set(variables(h)) for h in groups)
    ]
    if len(innermost) > 1 and frame is not None:
        innermost = _nested(as_pandas(frame), innermost)
    if len(innermost) != 1:
        raise UnboundError(
            f"The grouping factors {listed(groups)} are several, and none is nested in all others.",
            missing=("id",),
            hint="Name the column of persons: id= or --id.",
        )
    return innermost[0]


def _nested(frame: pandas.DataFrame, groups: list[str]) -> list[str]:
    """The groups of which each other one is a function."""
    numbered = {g: _joint(frame, variables(g)) for g in groups}
    return [
        g
        for g in groups
        if all(_constant(numbered[h], numbered[h] >= 0, numbered[g]) for h in groups if h != g)
    ]


def _joint(frame: pandas.DataFrame, names: Sequence[str]) -> Codes:
    """Codes of the combinations of several columns."""
    require_columns(frame, names)
    joint = codes(frame, names[0])[0]
    for name in names[1:]:
        other = codes(frame, name)[0]
        pair = joint * (int(other.max(initial=0)) + 1) + other
        missing = (joint < 0) | (other < 0)
        joint = np.where(missing, -1, np.unique(pair, return_inverse=True)[1])
    return joint


def time_candidates(model: MixedModel, frame: object, id: str) -> tuple[str, ...]:
    """Numeric variables of the model that, with the person, identify rows.

    Parameters
    ----------
    model : MixedModel
        A mixed model.
    frame : data frame
        Long data.
    id : str
        The column of persons.

    Returns
    -------
    tuple of str
        Columns, in the order of the formula. Columns that are text, constant, or constant
        within every person are none.

    Raises
    ------
    ColumnNotFoundError
        If the data lack a column of the model.
    """
    import pandas

    frame = as_pandas(frame)
    terms = [*model.fixed, *(term for block in model.random for term in block.terms)]
    names = dict.fromkeys(v for term in terms for e in term.factors for v in variables(e))
    for parameter in model.loading_names:
        names.pop(parameter, None)
    if model.residual.time is not None:
        names[model.residual.time] = None
    require_columns(frame, [id, *names])
    person = number_persons(frame, id)[0].astype(np.intp)
    found = []
    for name in names:
        column = frame[name]
        kind = pandas.api.types
        if name == id or not kind.is_numeric_dtype(column.dtype):
            continue
        if kind.is_bool_dtype(column.dtype):
            continue
        # Most columns that do not identify rows already fail to in the first ones.
        first = codes(frame.iloc[:GLANCE], name)[0]
        if len(frame) > GLANCE and _repeats(person[:GLANCE], first):
            continue
        if _identifies(person, _numbered(frame, name)):
            found.append(name)
    return tuple(found)


def _repeats(person: Codes, value: Codes) -> bool:
    usable = (person >= 0) & (value >= 0)
    key = person[usable] * (int(value.max(initial=0)) + 1) + value[usable]
    return len(np.unique(key)) < len(key)


def _numbered(frame: pandas.DataFrame, name: str) -> Codes:
    """Codes of a numeric column; where its values are few they need not be hashed."""
    column = frame[name]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        values = column.to_numpy()
        known = distinct_numbers(values[:GLANCE])
        if len(known) <= FEW:
            found = places(values, known)
            if bool(((found >= 0) | np.isnan(values)).all()):
                return found
    return codes(frame, name)[0]


def _identifies(person: Codes, value: Codes) -> bool:
    """Whether no pair of person and value stands twice; rows with a missing one do not count."""
    n_values = int(value.max(initial=-1)) + 1
    usable = (person >= 0) & (value >= 0)
    if not usable.all():
        person, value = person[usable], value[usable]
    key = person * n_values + value
    if key.size < 2:
        return key.size == 1
    if (key[1:] > key[:-1]).all():
        return True
    n_cells = (int(person.max()) + 1) * n_values
    if n_cells <= 8 * key.size:
        seen = np.zeros(n_cells, dtype=bool)
        seen[key] = True
        return int(np.count_nonzero(seen)) == key.size
    key.sort()
    return bool((key[1:] != key[:-1]).all())


def find_time(model: MixedModel, frame: object, id: str) -> str:
    """The numeric variable of the model that, with the person, identifies rows.

    Among several the one that the residual structure names, else the one with a random slope.

    Parameters
    ----------
    model : MixedModel
        A mixed model.
    frame : data frame
        Long data.
    id : str
        The column of persons.

    Returns
    -------
    str
        The column of times.

    Raises
    ------
    UnboundError
        If there is none, or still several; the message lists the candidates.

    Examples
    --------
    >>> import pandas
    >>> from growthmm.model.mixed import RandomBlock
    >>> from growthmm.model.terms import Term
    >>> t = Term(("t",))
    >>> model = MixedModel("y", (Term(), t), (RandomBlock((Term(), t), "id"),))
    >>> frame = pandas.DataFrame({"id": [1, 1], "t": [0, 1], "y": [2.0, 3.0]})
    >>> find_time(model, frame, "id")
    't'
    """
    candidates = time_candidates(model, frame, id)
    if model.residual.time in candidates:
        return model.residual.time
    if len(candidates) > 1:
        slopes = {
            v
            for block in model.random
            for term in block.terms
            for e in term.factors
            for v in variables(e)
        }
        candidates = tuple(name for name in candidates if name in slopes) or candidates
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        from growthmm.data.time_search import no_time

        terms = [*model.fixed, *(term for block in model.random for term in block.terms)]
        names = dict.fromkeys(v for term in terms for e in term.factors for v in variables(e))
        raise no_time(as_pandas(frame), id, names, variables(model.response))
    raise UnboundError(
        f"Several variables of the model could be time: {listed(candidates)}.",
        missing=("time",),
        hint="Name the column of times with time= or --time.",
    )
