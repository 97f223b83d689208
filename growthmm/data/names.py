"""Names of wide columns that every SEM notation accepts, and the families they form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from string import Formatter

import numpy as np

from growthmm.data.wording import shown
from growthmm.errors import DataError

__all__ = [
    "TEMPLATE",
    "check_template",
    "column_names",
    "parse_label",
    "sem_name",
    "stem_names",
    "stems",
    "syntactic",
    "time_label",
    "wide_columns",
]

TEMPLATE = "{value}_{time}"
"""How wide columns are named unless told."""


def syntactic(name: str) -> str:
    """The nearest name of ASCII letters, digits, dots and underscores that starts with a letter.

    Examples
    --------
    >>> syntactic("reading score"), syntactic("2nd"), syntactic("gpa")
    ('reading_score', 'x2nd', 'gpa')
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", plain)
    return plain if re.match(r"[A-Za-z]", plain) else f"x{plain}"


def stem_names(values: Sequence[str]) -> tuple[str, ...]:
    """Syntactic stems of several columns, kept distinct by ``_2``, ``_3`` and so on.

    Examples
    --------
    >>> stem_names(["a b", "a-b", "gpa"])
    ('a_b', 'a_b_2', 'gpa')
    """
    taken = {value for value in values if syntactic(value) == value}
    made = []
    for value in values:
        stem = base = syntactic(value)
        count = 1
        while stem != value and stem in taken:
            count += 1
            stem = f"{base}_{count}"
        taken.add(stem)
        made.append(stem)
    return tuple(made)


def time_label(time: object) -> str:
    """A time as it stands in a column name.

    Parameters
    ----------
    time : number, date or str
        The time.

    Returns
    -------
    str
        Whole numbers without a point, a minus sign as ``m``, dates with underscores.

    Raises
    ------
    DataError
        If the time is missing or infinite.

    Examples
    --------
    >>> time_label(2.0), time_label(-1), time_label(0.5), time_label("week 1")
    ('2', 'm1', '0.5', 'week_1')
    """
    if isinstance(time, np.datetime64):
        time = time.item()
    if isinstance(time, (datetime, date)):
        text = time.isoformat().removesuffix("T00:00:00")
        return re.sub(r"[^0-9]", "_", text)
    if isinstance(time, (bool, np.bool_, Integral)):
        return str(int(time)).replace("-", "m")
    if isinstance(time, (Real, Decimal)):
        number = time if isinstance(time, np.floating) else float(time)
        if not np.isfinite(number):
            raise DataError(
                f"A time is {time}, which names no column.", hint="Drop the rows without a time."
            )
        if float(number).is_integer():
            return str(int(number)).replace("-", "m")
        return np.format_float_positional(number, trim="-").replace("-", "m")
    return re.sub(r"[^A-Za-z0-9_.]", "_", str(time))


def parse_label(label: str) -> float | None:
    """The number that a label of :func:`time_label` stands for, or None where it is text.

    Examples
    --------
    >>> parse_label("m1"), parse_label("0.5"), parse_label("week_1")
    (-1.0, 0.5, None)
    """
    if re.fullmatch(r"m?\d+(\.\d+)?", label, flags=re.ASCII):
        return float(label.replace("m", "-"))
    return None


def sem_name(value: str, time: object) -> str:
    """The wide column of one variable at one time, as every SEM notation accepts it.

    Parameters
    ----------
    value : str
        The long column.
    time : number, date or str
        The occasion.

    Returns
    -------
    str
        ``stem_time``.

    Examples
    --------
    >>> sem_name("gpa", 0), sem_name("gpa", -1.0), sem_name("gpa", 0.5)
    ('gpa_0', 'gpa_m1', 'gpa_0.5')
    """
    return f"{syntactic(value)}_{time_label(time)}"


def wide_columns(
    stem: str, occasions: Iterable[object], *, among: Sequence[str] = ()
) -> tuple[str, ...]:
    """The wide columns of one variable, one for each occasion.

    Parameters
    ----------
    stem : str
        The long column.
    occasions : iterable
        The occasions.
    among : sequence of str
        All columns that go wide together, `stem` among them: names are then kept distinct as
        ``to_wide`` keeps them.

    Returns
    -------
    tuple of str
        Names in the order of `occasions`.

    Raises
    ------
    DataError
        If two occasions would share a name.

    Examples
    --------
    >>> wide_columns("gpa", (0.0, 1.0, 2.5))
    ('gpa_0', 'gpa_1', 'gpa_2.5')
    """
    base = stem_names(among)[list(among).index(stem)] if stem in among else syntactic(stem)
    occasions = list(occasions)
    made: dict[str, object] = {}
    for time in occasions:
        name = f"{base}_{time_label(time)}"
        if name in made:
            raise DataError(
                f"The occasions {shown(made[name])} and {shown(time)} would both be named "
                f"{name!r}.",
                hint="Rename one of them, or number the occasions.",
            )
        made[name] = time
    return tuple(made)


def column_names(
    values: Sequence[str], occasions: Sequence[object], names: str
) -> dict[str, tuple[str, ...]]:
    """Wide columns of each of `values`, one for each occasion.

    Parameters
    ----------
    values : sequence of str
        Long columns.
    occasions : sequence
        Times.
    names : str
        The template.

    Returns
    -------
    dict of str to tuple of str
        Names by value.

    Raises
    ------
    DataError
        If two of them are the same.
    """
    labels = [time_label(occasion) for occasion in occasions]
    made: dict[str, tuple[str, ...]] = {}
    taken: dict[str, tuple[str, object]] = {}
    for value, stem in zip(values, stem_names(values), strict=True):
        made[value] = tuple(names.format(value=stem, time=label) for label in labels)
        for name, occasion in zip(made[value], occasions, strict=True):
            if name in taken:
                other, when = taken[name]
                raise DataError(
                    f"{other!r} at {when} and {value!r} at {occasion} would both be named "
                    f"{name!r}.",
                    hint="Rename a column or the occasions, or give another names= template.",
                )
            taken[name] = (value, occasion)
    return made


def check_template(names: str, n_values: int) -> None:
    """Check a template for wide column names.

    Parameters
    ----------
    names : str
        The template, with the fields ``{value}`` and ``{time}``.
    n_values : int
        How many variables it must tell apart.

    Raises
    ------
    DataError
        If it has other fields, or lacks one that it needs.
    """
    try:
        fields = {field for _, field, _, _ in Formatter().parse(names) if field is not None}
        names.format(value="v", time="0")
    except (ValueError, KeyError, IndexError):
        fields = {"?"}
    if not fields <= {"value", "time"}:
        raise DataError(
            f"The template {names!r} is not understood.",
            hint="Its fields are {value} and {time}, as in names='{value}_{time}'.",
        )
    needed = {"time"} | ({"value"} if n_values > 1 else set())
    if lacking := sorted(needed - fields):
        raise DataError(
            f"The template {names!r} has no {{{lacking[0]}}}, so that columns would share a name.",
            hint="Write names='{value}_{time}', say.",
        )


_FAMILY = re.compile(
    r"(?P<stem>.*?[^\W\d_](?:.*?[^._])??)(?:_(?P<under>m?\d+(?:\.\d+)?)|\.(?P<dot>m?\d+)|(?P<bare>\d+))",
    flags=re.ASCII,
)


def stems(columns: Iterable[str]) -> dict[str, list[tuple[str, float]]]:
    """Families of wide columns that differ by a number at the end of their names.

    Recognised are ``gpa_0``, ``gpa_m1`` (minus one), ``gpa_0.5``, ``gpa.0`` and ``gpa0``. A
    number after a dot or straight after the stem is whole.

    Parameters
    ----------
    columns : iterable of str
        Column names; what is no text is passed over.

    Returns
    -------
    dict of str to list of (str, float)
        For each stem of two columns or more, its columns and their numbers, ascending.

    Examples
    --------
    >>> stems(["id", "gpa_1", "gpa_0", "t1", "t2", "sex"])
    {'gpa': [('gpa_0', 0.0), ('gpa_1', 1.0)], 't': [('t1', 1.0), ('t2', 2.0)]}
    """
    families: dict[tuple[str, str], dict[float, str]] = {}
    for column in columns:
        found = _FAMILY.fullmatch(column) if isinstance(column, str) else None
        if found is None:
            continue
        kind = str(found.lastgroup)
        label = parse_label(found[kind])
        if label is not None:
            families.setdefault((found["stem"], kind), {}).setdefault(label, column)
    result: dict[str, list[tuple[str, float]]] = {}
    for (stem, _), members in families.items():
        if len(members) > max(1, len(result.get(stem, ()))):
            result[stem] = [(members[time], time) for time in sorted(members)]
    return result
