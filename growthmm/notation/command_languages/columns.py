"""Design columns as arithmetic of SAS and Stata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from growthmm.errors import UnboundError, UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.expression import tree, variables
from growthmm.model.expression_tree import Call
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.notation.base import ScriptContext
from growthmm.notation.command_languages.arithmetic import arithmetic
from growthmm.notation.command_languages.names import NameRule, Names
from growthmm.notation.sem.text import number_text

__all__ = [
    "column_arithmetic",
    "derived_columns",
    "occasion_columns",
    "schema_names",
    "schema_of",
]

_CODED = (", Sum", ", Helmert", ", Poly")


def column_arithmetic(
    column: Column,
    schema: Schema | None,
    program: str,
    spelled: Callable[[str], str],
    literal: Callable[[str], str],
) -> str:
    """A program's arithmetic that computes a design column.

    Parameters
    ----------
    column : Column
        The column.
    schema : Schema, optional
        The levels of categorical columns.
    program : {"sas", "stata"}
        The program.
    spelled, literal : callable
        Its spelling of a column, and of a text.

    Raises
    ------
    UnsupportedError
        If a factor has other contrasts than treatment contrasts, or a function that the
        program lacks.

    Examples
    --------
    >>> from growthmm.model.terms import Term
    >>> part = ColumnPart("C(sex)", 0, "male", "contrast")
    >>> column_arithmetic(Column(Term(("C(sex)",)), (part,)), None, "stata", str, repr)
    "cond(missing(sex), ., sex == 'male')"
    """
    parts = [_part(part, schema, program, spelled, literal) for part in column.parts]
    return " * ".join(f"({part})" if len(parts) > 1 else part for part in parts) or "1"


def _part(
    part: ColumnPart,
    schema: Schema | None,
    program: str,
    spelled: Callable[[str], str],
    literal: Callable[[str], str],
) -> str:
    if part.coding == "numeric":
        node = tree(part.expression)
        inner = node.args[0] if isinstance(node, Call) and node.function == "I" else node
        text = arithmetic(inner, program, spelled)
        if text is None:
            raise _uncomputed(part.expression, program)
        return text
    other = any(sign in part.expression for sign in _CODED)
    if part.coding == "contrast" and (other or (schema and schema.contrasts != "treatment")):
        raise _uncomputed(f"{part.expression}{part.label}", program)
    name = variables(part.expression)[0]
    variable = schema.variable(name) if schema is not None else None
    level = literal(part.label)
    for known in variable.levels or () if variable is not None else ():
        number = isinstance(known, (int, float)) and not isinstance(known, bool)
        if number and part.label in (str(known), number_text(float(known))):
            level = number_text(float(known))
    shown = spelled(name)
    if program == "sas":
        return f"ifn(missing({shown}), ., {shown} = {level})"
    return f"cond(missing({shown}), ., {shown} == {level})"


def _uncomputed(what: str, program: str) -> UnsupportedError:
    title = {"sas": "SAS", "stata": "Stata"}[program]
    loss = Loss(what, f"a {title} program does not compute it here", "a column in the data")
    return UnsupportedError("The script cannot compute its columns.", losses=(loss,))


def schema_of(context: ScriptContext) -> Schema:
    """The schema that a reshaping script needs.

    Raises
    ------
    UnboundError
        If there is none.
    """
    schema = context.schema
    if schema is None or not schema.occasions or schema.time is None:
        raise UnboundError(
            "A script that reshapes data needs to know them.",
            missing=("person", "time", "outcome", "occasions"),
            hint="Give the data, or person, time and time values.",
        )
    return schema


def occasion_columns(schema: Schema) -> list[tuple[str, tuple[str, ...]]]:
    """Each column that varies over occasions, and its wide columns."""
    return [(schema.outcome, schema.outcome_columns), *schema.varying_columns]


def schema_names(rule: NameRule, schema: Schema, more: Iterable[str] = ()) -> Names:
    """The spelling of the keys, outcomes and varying columns of a data set, and of more.

    Parameters
    ----------
    rule : NameRule
        What the program takes as a name.
    schema : Schema
        The facts of the data.
    more : iterable of str
        Other columns that the script uses.

    Raises
    ------
    UnsupportedError
        If the program cannot name them all.
    """
    columns = [schema.person, schema.time or ""]
    for stem, wide in occasion_columns(schema):
        columns += [stem, *wide]
    names = Names(rule, [name for name in (*columns, *more) if name])
    if names.losses:
        raise UnsupportedError(f"{rule.title} cannot name these columns.", losses=names.losses)
    return names


def derived_columns(
    context: ScriptContext,
    schema: Schema,
    names: Names,
    program: str,
    literal: Callable[[str], str],
    *,
    wide: bool,
) -> Iterator[tuple[str, str]]:
    """The columns that a script computes before fitting, and a program's arithmetic for each.

    Parameters
    ----------
    context : ScriptContext
        The columns.
    schema : Schema
        The facts of the data.
    names : Names
        The spelling of columns.
    program : {"sas", "stata"}
        The program.
    literal : callable
        Its spelling of a text.
    wide : bool
        Whether the columns are those of wide data, one an occasion where they vary.

    Yields
    ------
    name, code : str
        As the program spells them.
    """
    for derived in context.derived:
        targets = (schema.wide_columns(derived.name) if wide else ()) or (derived.name,)
        for k, target in enumerate(targets):
            at = {stem: cols[k] for stem, cols in occasion_columns(schema) if len(targets) > 1}

            def spelled(name: str, at: dict[str, str] = at, k: int = k) -> str:
                if at and name == schema.time:
                    return number_text(schema.occasions[k])
                return names(at.get(name, name))

            yield (
                names(target),
                column_arithmetic(derived.column, schema, program, spelled, literal),
            )
