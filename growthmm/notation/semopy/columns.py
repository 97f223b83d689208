"""Design columns as Python code over a data frame."""

from __future__ import annotations

from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, spell, variables
from growthmm.model.expression_print import python_string
from growthmm.model.schema import Column, ColumnPart, Schema

__all__ = ["column_code"]


def column_code(column: Column, schema: Schema | None, frame: str) -> str:
    """Python code that computes a design column from the data frame `frame`.

    Raises
    ------
    UnsupportedError
        If a factor has other contrasts than treatment contrasts.

    Examples
    --------
    >>> from growthmm.model.terms import Term
    >>> part = ColumnPart("C(sex)", 0, "male", "contrast")
    >>> column_code(Column(Term(("C(sex)",)), (part,)), None, "d")
    '(d["sex"] == "male").astype(float)'
    """
    return " * ".join(_part(part, schema, frame) for part in column.parts) or "1.0"


def _labels(level: str | float | int | bool) -> tuple[str, ...]:
    """How R and Python write a level in a coefficient's name."""
    if isinstance(level, bool):
        return str(level), str(level).upper()
    return (level,) if isinstance(level, str) else (str(level), f"{level:g}")


def _part(part: ColumnPart, schema: Schema | None, frame: str) -> str:
    if part.coding == "numeric":
        name = variables(part.expression)
        if part.expression == quote(name[0]):
            return f"{frame}[{python_string(name[0])}]"
        formula = python_string("0 + " + spell(part.expression, "python"))
        matrix = f'formulaic.model_matrix({formula}, {frame}, na_action="ignore")'
        return f"{matrix}.iloc[:, {part.index}]"
    other = ", Sum" in part.expression or ", Helmert" in part.expression
    other = other or ", Poly" in part.expression
    if part.coding == "contrast" and (
        other or (schema is not None and schema.contrasts != "treatment")
    ):
        loss = Loss(
            f"{part.expression}{part.label}",
            "a Python program without growthmm has no such contrasts",
            "a column with the contrast in the data, or treatment contrasts",
        )
        raise UnsupportedError("The script cannot compute its columns.", losses=(loss,))
    name_of = variables(part.expression)[0]
    variable = schema.variable(name_of) if schema is not None else None
    level: str | float | int | bool = part.label
    for known in variable.levels or () if variable is not None else ():
        if part.label in _labels(known):
            level = known
    shown = python_string(level) if isinstance(level, str) else repr(level)
    return f"({frame}[{python_string(name_of)}] == {shown}).astype(float)"
