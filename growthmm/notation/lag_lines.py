"""Lines of complete programs that compute columns of earlier values from long data."""

from __future__ import annotations

from collections.abc import Callable

from growthmm.model.expression_print import number_text, python_string, r_string
from growthmm.model.schema import Schema

__all__ = ["julia_lags", "python_lags", "r_lags", "sas_lags", "spss_lags", "stata_lags"]

Names = Callable[[str], str]


def r_lags(schema: Schema | None) -> list[str]:
    """Lines of R that compute the lagged columns of ``data``.

    Parameters
    ----------
    schema : Schema, optional
        With person, time, occasions and the lagged columns.

    Examples
    --------
    >>> from growthmm.model.schema import Lagged
    >>> made = r_lags(Schema("id", "t", "y", (0.0, 1.0), lagged=(Lagged("x_lag1", "x"),)))
    >>> print(made[-1])
    data[["x_lag1"]] <- ifelse(place <= 1, 0, data[["x"]][earlier])
    """
    if schema is None or not schema.lagged:
        return []
    person, time = r_string(schema.person), r_string(schema.time or "time")
    lines = [
        "# earlier values by person and occasion; 0 at the first, which have none",
        f"place <- match(data[[{time}]], c({_listed(schema)}))",
    ]
    for lagged in schema.lagged:
        own, of, by = r_string(lagged.name), r_string(lagged.of), lagged.by
        lines += [
            f"earlier <- match(paste(data[[{person}]], place - {by}), "
            f"paste(data[[{person}]], place))",
            f"data[[{own}]] <- ifelse(place <= {by}, 0, data[[{of}]][earlier])",
        ]
    return lines


def python_lags(schema: Schema | None) -> list[str]:
    """Lines of Python that compute the lagged columns of ``data``."""
    if schema is None or not schema.lagged:
        return []
    person, time = python_string(schema.person), python_string(schema.time or "time")
    at = ", ".join(f"{value!r}: {place}" for place, value in enumerate(schema.occasions))
    lines = [
        "# earlier values by person and occasion; 0 at the first, which have none",
        f"place = data[{time}].map({{{at}}})",
        f"rows = list(zip(data[{person}], place))",
    ]
    for lagged in schema.lagged:
        own, of, by = python_string(lagged.name), python_string(lagged.of), lagged.by
        lines += [
            f"known = dict(zip(rows, data[{of}]))",
            f"data[{own}] = [0.0 if p < {by} else known.get((i, p - {by}), np.nan) "
            "for i, p in rows]",
        ]
    return lines


def julia_lags(schema: Schema | None) -> list[str]:
    """Lines of Julia that compute the lagged columns of ``data``."""
    from growthmm.notation.mixedmodels_jl.formula import julia_string

    if schema is None or not schema.lagged:
        return []
    person, time = julia_string(schema.person), julia_string(schema.time or "time")
    lines = [
        "# earlier values by person and occasion; 0 at the first, which have none",
        f"place = indexin(data[!, {time}], [{_listed(schema)}])",
        f"rows = collect(zip(data[!, {person}], place))",
    ]
    for lagged in schema.lagged:
        own, of, by = julia_string(lagged.name), julia_string(lagged.of), lagged.by
        lines += [
            f"known = Dict(zip(rows, data[!, {of}]))",
            f"data[!, {own}] = [isnothing(p) ? missing : p <= {by} ? 0.0 : "
            f"get(known, (i, p - {by}), missing) for (i, p) in rows]",
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
    lines: list[str] = []
    for number, lagged in enumerate(schema.lagged if schema is not None else (), 1):
        assert schema is not None
        person, time = names(schema.person), names(schema.time or "time")
        made, by = f"growthmm_lag{number}", lagged.by
        here = f"whichn(a.{time}, {_listed(schema)})"
        there = f"whichn(b.{time}, {_listed(schema)})"
        lines += [
            "/* earlier values by person and occasion; 0 at the first, which have none */",
            "proc sql;",
            f"  create table {made} as",
            f"  select a.*, case when {here} <= {by} then 0 else b.{names(lagged.of)} end "
            f"as {names(lagged.name)}",
            f"  from {source} as a left join {source} as b",
            f"  on a.{person} = b.{person} and {there} > 0 and {here} - {by} = {there};",
            "quit;",
        ]
        source = made
    return lines, source


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
    person, time = names(schema.person), names(schema.time or "time")
    place = "growthmm_place"
    lines = ["* earlier values by person and occasion; 0 at the first, which have none"]
    lines.append(f"generate {place} = .")
    for number, value in enumerate(schema.occasions, 1):
        near = f"abs({time} - ({number_text(value)})) <= 1e-9"
        lines.append(f"replace {place} = {number} if {near}")
    lines.append(f"sort {person} {place}")
    for lagged in schema.lagged:
        own, of, by = names(lagged.name), names(lagged.of), lagged.by
        lines.append(f"capture drop {own}")
        lines.append(f"generate double {own} = 0 if {place} <= {by}")
        for back in range(1, by + 1):
            same = f"{place} > {by} & {place} < . & {place}[_n-{back}] == {place} - {by}"
            lines.append(f"by {person}: replace {own} = {of}[_n-{back}] if {same}")
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
    person, time = names(schema.person), names(schema.time or "time")
    place = "growthmm_place"
    lines = ["* Earlier values by person and occasion; 0 at the first, which have none."]
    lines += [f"SORT CASES BY {person} {time}.", f"COMPUTE {place} = $SYSMIS."]
    for number, value in enumerate(schema.occasions, 1):
        lines.append(f"IF (ABS({time} - ({number_text(value)})) <= 1E-9) {place} = {number}.")
    lines.append("EXECUTE.")
    for lagged in schema.lagged:
        own, of, by = names(lagged.name), names(lagged.of), lagged.by
        lines.append(f"COMPUTE {own} = $SYSMIS.")
        lines.append(f"IF ({place} <= {by}) {own} = 0.")
        for back in range(1, by + 1):
            same = f"LAG({person}, {back}) = {person} AND {place} > {by}"
            where = f"{same} AND LAG({place}, {back}) = {place} - {by}"
            lines.append(f"IF ({where}) {own} = LAG({of}, {back}).")
    return [*lines, "EXECUTE."]


def _listed(schema: Schema) -> str:
    return ", ".join(number_text(value) for value in schema.occasions)
