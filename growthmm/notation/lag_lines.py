"""Lines of complete programs that compute columns of earlier or later values from long data.

Each finds the place of every row, the number of its occasion or of its person's visit, and looks
up the covariate's value at another place of the same person. Several rows of a place, as stacked
outcomes have them, hold one value of a covariate, and any that is known will do.
"""

from __future__ import annotations

from collections.abc import Callable

from growthmm.model.expression_print import number_text, python_string, r_string
from growthmm.model.schema import Lagged, Schema

__all__ = ["julia_lags", "python_lags", "r_lags", "sas_lags", "spss_lags", "stata_lags"]

Names = Callable[[str], str]

NOTE = "values of other occasions by person; 0 at the ends, which have none"

PLACE = "growthmm_place"
VALUE = "growthmm_value"


def r_lags(schema: Schema | None) -> list[str]:
    """Lines of R that compute the lagged columns of ``data``.

    Parameters
    ----------
    schema : Schema, optional
        With person, time, occasions and the lagged columns.

    Examples
    --------
    >>> made = r_lags(Schema("id", "t", "y", (0.0, 1.0), lagged=(Lagged("x_lag1", "x"),)))
    >>> print(made[-1])
    data[["x_lag1"]] <- ifelse(place <= 1, 0, data[["x"]][other])
    """
    if schema is None or not schema.lagged:
        return []
    person = ", ".join(f"data[[{r_string(name)}]]" for name in _keys(schema))
    time = f"data[[{r_string(schema.time or 'time')}]]"
    lines = [f"# {NOTE}", f"person <- paste({person})"]
    if schema.shared_times:
        lines.append(f"place <- match({time}, c({_listed(schema)}))")
    else:
        rank = 'function(t) rank(t, na.last = "keep")'
        lines.append(f"place <- ave({time}, person, FUN = {rank})")
    for lagged in schema.lagged:
        of = f"data[[{r_string(lagged.of)}]]"
        lines += [
            f"known <- which(!is.na({of}))",
            f"other <- known[match(paste(person, place{_back(lagged)}), "
            "paste(person, place)[known])]",
            f"data[[{r_string(lagged.name)}]] <- ifelse(place {_outside(lagged, schema)}, 0, "
            f"{of}[other])",
        ]
    return lines


def python_lags(schema: Schema | None) -> list[str]:
    """Lines of Python that compute the lagged columns of ``data``."""
    if schema is None or not schema.lagged:
        return []
    person = [f"data[{python_string(name)}]" for name in _keys(schema)]
    time = f"data[{python_string(schema.time or 'time')}]"
    if schema.shared_times:
        at = ", ".join(f"{value!r}: {place}" for place, value in enumerate(schema.times, 1))
        place = f"{time}.map({{{at}}})"
    else:
        place = f"{time}.groupby([{', '.join(person)}]).rank()"
    lines = [f"# {NOTE}", f"place = {place}", f"rows = list(zip({', '.join(person)}, place))"]
    for lagged in schema.lagged:
        own, of = python_string(lagged.name), python_string(lagged.of)
        lines += [
            f"known = {{row: x for row, x in zip(rows, data[{of}]) if x == x}}",
            f"data[{own}] = [0.0 if p {_outside(lagged, schema)} else "
            f"known.get((*i, p{_back(lagged)}), np.nan) for *i, p in rows]",
        ]
    return lines


def julia_lags(schema: Schema | None) -> list[str]:
    """Lines of Julia that compute the lagged columns of ``data``."""
    from growthmm.notation.mixedmodels_jl.formula import julia_string

    if schema is None or not schema.lagged:
        return []
    person = ", ".join(f"data[!, {julia_string(name)}]" for name in _keys(schema))
    time = f"data[!, {julia_string(schema.time or 'time')}]"
    lines = [f"# {NOTE}", f"person = collect(zip({person}))"]
    if schema.shared_times:
        lines.append(f"place = indexin({time}, [{_listed(schema)}])")
    else:
        lines += [
            "place = Vector{Union{Nothing, Int}}(nothing, length(person))",
            "for i in unique(person)",
            f"    own = findall(isequal.(person, Ref(i)) .& .!ismissing.({time}))",
            f"    place[own[sortperm({time}[own])]] = 1:length(own)",
            "end",
        ]
    for lagged in schema.lagged:
        own, of = julia_string(lagged.name), julia_string(lagged.of)
        lines += [
            f"known = Dict((i, p) => x for (i, p, x) in zip(person, place, data[!, {of}]) "
            "if !ismissing(x))",
            f"data[!, {own}] = [isnothing(p) ? missing : p {_outside(lagged, schema)} ? 0.0 : "
            f"get(known, (i, p{_back(lagged)}), missing) for (i, p) in zip(person, place)]",
        ]
    return lines


def sas_lags(schema: Schema | None, source: str, names: Names) -> tuple[list[str], str]:
    """Steps of SAS that compute the lagged columns, and the data set that has them.

    Parameters
    ----------
    schema : Schema, optional
        With the lagged columns.
    source : str
        The data set of long data.
    names : callable
        SAS's spelling of a column.
    """
    if schema is None or not schema.lagged:
        return [], source
    keys = [names(name) for name in _keys(schema)]
    time = names(schema.time or "time")
    same = " and ".join(f"a.{key} = b.{key}" for key in keys)
    place = f"whichn(a.{time}, {_listed(schema)})"
    if not schema.shared_times:
        place = (
            f"(select count(*) from {source} as b where {same} and b.{time} is not missing "
            f"and b.{time} <= a.{time})"
        )
    lines = [
        f"/* {NOTE} */",
        "proc sql;",
        "  create table growthmm_placed as",
        f"  select a.*, {place} as {PLACE} from {source} as a;",
    ]
    source = "growthmm_placed"
    for number, lagged in enumerate(schema.lagged, 1):
        made = f"growthmm_lag{number}"
        lines += [
            f"  create table {made} as",
            f"  select a.*, case when a.{PLACE} = 0 then . when a.{PLACE} "
            f"{_outside(lagged, schema)} then 0 else b.{VALUE} end as {names(lagged.name)}",
            f"  from {source} as a left join",
            f"  (select {', '.join([*keys, PLACE])}, max({names(lagged.of)}) as {VALUE} "
            f"from {source}",
            f"  where {PLACE} > 0 group by {', '.join([*keys, PLACE])}) as b",
            f"  on {same} and a.{PLACE}{_back(lagged)} = b.{PLACE};",
        ]
        source = made
    return [*lines, "quit;"], source


def stata_lags(schema: Schema | None, names: Names) -> list[str]:
    """Commands of Stata that compute the lagged columns.

    Parameters
    ----------
    schema : Schema, optional
        With the lagged columns.
    names : callable
        Stata's spelling of a column.
    """
    if schema is None or not schema.lagged:
        return []
    person, time = " ".join(names(name) for name in _keys(schema)), names(schema.time or "time")
    lines = [f"* {NOTE}"]
    if schema.shared_times:
        lines.append(f"generate {PLACE} = .")
        for number, value in enumerate(schema.times, 1):
            near = f"abs({time} - ({number_text(value)})) <= 1e-9"
            lines.append(f"replace {PLACE} = {number} if {near}")
    else:
        lines.append(f"bysort {person} ({time}): generate {PLACE} = _n if {time} < .")
    for number, lagged in enumerate(schema.lagged, 1):
        own, file = names(lagged.name), f"growthmm_lag{number}"
        lines += [
            "preserve",
            f"collapse (firstnm) {VALUE} = {names(lagged.of)}, by({person} {PLACE})",
            f"replace {PLACE} = {PLACE}{_forth(lagged)}",
            f"tempfile {file}",
            f"save `{file}'",
            "restore",
            f"merge m:1 {person} {PLACE} using `{file}', keep(master match) nogenerate",
            f"capture drop {own}",
            f"generate double {own} = {VALUE} if {PLACE} < .",
            f"replace {own} = 0 if {PLACE} {_outside(lagged, schema)} & {PLACE} < .",
            f"drop {VALUE}",
        ]
    return lines


def spss_lags(schema: Schema | None, names: Names) -> list[str]:
    """Commands of SPSS that compute the lagged columns.

    Parameters
    ----------
    schema : Schema, optional
        With the lagged columns.
    names : callable
        SPSS's spelling of a column.
    """
    if schema is None or not schema.lagged:
        return []
    person, time = " ".join(names(name) for name in _keys(schema)), names(schema.time or "time")
    lines = [f"* {NOTE[0].upper()}{NOTE[1:]}."]
    if schema.shared_times:
        lines.append(f"COMPUTE {PLACE} = $SYSMIS.")
        for number, value in enumerate(schema.times, 1):
            lines.append(f"IF (ABS({time} - ({number_text(value)})) <= 1E-9) {PLACE} = {number}.")
    else:
        lines.append(f"RANK VARIABLES={time} (A) BY {person} /RANK INTO {PLACE} /PRINT=NO.")
    lines += [f"SORT CASES BY {person} {PLACE}.", "DATASET NAME growthmm_rows."]
    for lagged in schema.lagged:
        own, outside = names(lagged.name), _outside(lagged, schema)
        lines += [
            "DATASET DECLARE growthmm_values.",
            f"AGGREGATE /OUTFILE=growthmm_values /BREAK={person} {PLACE} "
            f"/{VALUE}=MAX({names(lagged.of)}).",
            "DATASET ACTIVATE growthmm_values.",
            f"COMPUTE {PLACE} = {PLACE}{_forth(lagged)}.",
            f"SORT CASES BY {person} {PLACE}.",
            "DATASET ACTIVATE growthmm_rows.",
            f"MATCH FILES /FILE=* /TABLE=growthmm_values /BY {person} {PLACE}.",
            f"COMPUTE {own} = {VALUE}.",
            f"IF ({PLACE} {outside}) {own} = 0.",
            f"IF (SYSMIS({PLACE})) {own} = $SYSMIS.",
            "EXECUTE.",
            "DATASET CLOSE growthmm_values.",
            f"DELETE VARIABLES {VALUE}.",
        ]
    return lines


def _keys(schema: Schema) -> tuple[str, ...]:
    """The columns that identify persons."""
    if schema.repeats and schema.cluster is not None:
        return schema.cluster, schema.person
    return (schema.person,)


def _back(lagged: Lagged) -> str:
    """From a place to the one whose value stands there."""
    return f" - {lagged.by}" if lagged.by > 0 else f" + {-lagged.by}"


def _forth(lagged: Lagged) -> str:
    """From a place to the one at which its value stands."""
    return f" + {lagged.by}" if lagged.by > 0 else f" - {-lagged.by}"


def _outside(lagged: Lagged, schema: Schema) -> str:
    """What holds of places that have no other one."""
    return f"<= {lagged.by}" if lagged.by > 0 else f"> {len(schema.times) + lagged.by}"


def _listed(schema: Schema) -> str:
    return ", ".join(number_text(value) for value in schema.times)
