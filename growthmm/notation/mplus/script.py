"""A complete Mplus input: the data file and its columns, the model, what to print."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import PurePath

from growthmm.errors import SpecificationError
from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.mplus.names import shortened
from growthmm.notation.mplus.write import Sections, sections, wrapped
from growthmm.notation.sem.levels import cluster_column
from growthmm.notation.sem.text import number_text

__all__ = ["MISSING", "script"]

MISSING = -999
"""What stands for a missing value in the data file."""


def script(model: SemModel, context: ScriptContext) -> str:
    """A complete input.

    Mplus reads numbers alone, without a line of names, so comments say which columns the data
    file must have, in which order, and what stands for a missing value. Long data are brought
    into wide form by Mplus itself (``DATA LONGTOWIDE``).

    Parameters
    ----------
    model : SemModel
        The model.
    context : ScriptContext
        Where the data are and what they look like.

    Returns
    -------
    str
        An input (``.inp``).

    Raises
    ------
    SpecificationError
        If the path of the data cannot stand in an input.
    UnboundError
        If nothing names the column of a second level's clusters.

    Examples
    --------
    >>> from growthmm.notation.mplus.read import read
    >>> print(script(read("i s | y0@0 y1@1 y2@2; y0-y2 (v);"), ScriptContext("w.csv", "wide")))
    ! Mplus reads numbers alone: write the columns of NAMES from w.csv
    ! to w.dat, in that order, without a line of names, with -999 for missing values.
    TITLE: A growth model;
    DATA:
      FILE = "w.dat";
    VARIABLE:
      NAMES = y0 y1 y2;
      USEVARIABLES = y0 y1 y2;
      MISSING = ALL (-999);
    ANALYSIS:
      ESTIMATOR = ML;
    MODEL:
      i s | y0@0 y1@1 y2@2;
      y0 y1 y2 (v);
    OUTPUT:
      SAMPSTAT TECH1;
    """
    parts = sections(replace(model, cluster_variable=cluster_column(model, context)))
    columns = _long(model, context, parts) if _is_long(context) else _wide(model, parts)
    file = _file(context.data)
    lines = [*_advice(context.data, file, columns), *parts.comments, *columns.comments]
    lines += ["TITLE: A growth model;", "DATA:", f'  FILE = "{file}";']
    if parts.listwise:
        lines.append("  LISTWISE = ON;")
    lines += columns.reshaping
    lines += ["VARIABLE:"]
    lines += _indented(wrapped("NAMES =", columns.names))
    lines += _indented(wrapped("USEVARIABLES =", columns.used))
    lines.append(f"  MISSING = ALL ({MISSING});")
    for statement in (parts.grouping, parts.times, *parts.levels):
        lines += _indented(statement.split("\n")) if statement else []
    analysis = parts.analysis or ()
    if "ESTIMATOR = ML;" not in analysis:
        analysis = ("ESTIMATOR = ML;", *analysis)
    lines += ["ANALYSIS:", *_indented(list(analysis)), *parts.model]
    lines += ["OUTPUT:", "  SAMPSTAT TECH1;"]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The data file's columns, those analysed, and how the one becomes the other."""

    names: list[str]
    used: list[str]
    reshaping: list[str]
    comments: list[str]
    notes: list[str]


def _is_long(context: ScriptContext) -> bool:
    schema = context.schema
    return context.layout == "long" and schema is not None and bool(schema.occasions)


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _file(path: str | None) -> str:
    if path is None:
        return "data.dat"
    name = str(PurePath(path).with_suffix(".dat")) if PurePath(path).name else path
    if any(sign in name for sign in '"!;') or not name.isprintable():
        raise SpecificationError(
            f"Mplus has no way to write the path {path!r}: quotes, '!', ';' and control "
            "characters end it.",
            hint="Rename the file.",
        )
    if len(name) > 75:
        raise SpecificationError(
            f"The path {path!r} is longer than a line of an Mplus input.",
            hint="Give a path relative to where Mplus runs.",
        )
    return name


def _advice(path: str | None, file: str, columns: _Columns) -> list[str]:
    source = path or "the data"
    return [
        f"! Mplus reads numbers alone: write the columns of NAMES from {source}",
        f"! to {file}, in that order, without a line of names, with {MISSING} for missing values.",
        *columns.notes,
    ]


def _analysed(model: SemModel) -> list[str]:
    columns = [path.definition for path in model.paths if path.definition]
    return list(dict.fromkeys((*model.outcomes, *model.covariates, *columns)))


def _wide(model: SemModel, parts: Sections) -> _Columns:
    used = [parts.names[name] for name in _analysed(model)]
    names = list(used)
    names += _other_columns(model, parts)
    return _Columns(names, used, [], [], [])


def _other_columns(model: SemModel, parts: Sections) -> list[str]:
    """The columns of groups and of clusters."""
    names = [_group_column(parts)] if model.n_groups > 1 else []
    cluster = [line for line in parts.levels if line.startswith("CLUSTER = ")]
    return names + [line.removeprefix("CLUSTER = ").rstrip(";") for line in cluster]


def _group_column(parts: Sections) -> str:
    return parts.grouping.removeprefix("GROUPING IS ").split(" ")[0]


def _long(model: SemModel, context: ScriptContext, parts: Sections) -> _Columns:
    """The long file's columns, and LONGTOWIDE."""
    schema = context.schema
    assert schema is not None
    analysed = _analysed(model)
    stems = [(schema.outcome, schema.outcome_columns)]
    stems += [(s, c) for s, c in schema.varying_columns if set(c) & set(analysed)]
    placed = {column for _, columns in stems for column in columns}
    constant = [name for name in analysed if name not in placed]
    taken = [parts.names[name] for name in analysed]
    own = [stem for stem, _ in stems]
    person, time = schema.person, schema.time or "time"
    short = shortened([person, time, *own], taken)
    # A column that is in the file, but which no row of the model uses, needs a name too.
    idle = [c for _, columns in stems for c in columns if c not in parts.names.written]
    extra = shortened(idle, [*taken, *short.written.values()])
    wide = [
        [parts.names.written.get(column) or extra[column] for column in columns]
        for _, columns in stems
    ]
    times = [number_text(value) for value in schema.occasions]
    reshaping = ["DATA LONGTOWIDE:"]
    reshaping += _indented(wrapped("LONG =", _joined([[short[stem]] for stem in own])))
    reshaping += _indented(wrapped("WIDE =", _joined(wide)))
    reshaping.append(f"  IDVARIABLE = {short[person]};")
    reshaping += _indented(wrapped(f"REPETITION = {short[time]} (", times, end=");", glue=True))
    names = [short[person], short[time], *(short[stem] for stem in own)]
    names += [parts.names[name] for name in constant]
    names += _other_columns(model, parts)
    notes = [
        f"! {parts.names[derived.name]}: the column {json.dumps(_what(derived.column.parts))}"
        for derived in context.derived
        if derived.name in parts.names.written
    ]
    comments = [*short.comments(), *extra.comments()]
    return _Columns(names, taken, reshaping, comments, notes)


def _joined(lists: list[list[str]]) -> list[str]:
    """Lists with ``|`` between them."""
    joined = list(lists[0])
    for names in lists[1:]:
        joined += ["|", *names]
    return joined


def _what(parts: tuple[object, ...]) -> str:
    """What a derived column is, in words: ``C(sex) is male``, ``x``, joined by ``times``."""
    words = []
    for part in parts:
        expression = getattr(part, "expression", "")
        label = getattr(part, "label", "")
        words.append(f"{expression} [{label}]" if label else str(expression))
    return " times ".join(words) or "1"
