"""Design columns as R code over a data frame."""

from __future__ import annotations

from growthmm.model.expression import quote, spell, variables
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.notation.sem.text import number_text, r_string

__all__ = ["column_code", "level_text"]

_CONTRASTS = {"Sum": "contr.sum", "Helmert": "contr.helmert", "Poly": "contr.poly"}


def level_text(level: str | float | int | bool) -> str:
    """A level, or a time, as R writes it.

    Examples
    --------
    >>> level_text("male"), level_text(True), level_text(2.0)
    ('"male"', 'TRUE', '2')
    """
    if isinstance(level, bool):
        return "TRUE" if level else "FALSE"
    if isinstance(level, str):
        return r_string(level)
    return number_text(float(level))


def column_code(column: Column, schema: Schema | None, frame: str) -> str:
    """R code that computes a design column from the data frame (or list) `frame`.

    Examples
    --------
    >>> from growthmm.model.terms import Term
    >>> part = ColumnPart("C(sex)", 0, "male", "contrast")
    >>> column_code(Column(Term(("C(sex)",)), (part,)), None, "d")
    'as.numeric(with(d, sex) == "male")'
    """
    return " * ".join(_part(part, schema, frame) for part in column.parts) or "1"


def _part(part: ColumnPart, schema: Schema | None, frame: str) -> str:
    if part.coding == "numeric":
        code = f"with({frame}, {spell(part.expression, 'r')})"
        return f"as.matrix({code})[, {part.index + 1}]"
    name = variables(part.expression)[0]
    values = f"with({frame}, {spell(quote(name), 'r')})"
    variable = schema.variable(name) if schema is not None else None
    levels = variable.levels if variable is not None else None
    contrast = _contrast(part.expression, schema)
    if part.coding == "contrast" and contrast is not None and levels is not None:
        shown = ", ".join(level_text(level) for level in levels)
        return f"{contrast}({len(levels)})[match({values}, c({shown})), {part.index + 1}]"
    level: str | float | int | bool = part.label
    for known in levels or ():
        if str(known) == part.label or level_text(known).strip('"') == part.label:
            level = known
    return f"as.numeric({values} == {level_text(level)})"


def _contrast(expression: str, schema: Schema | None) -> str | None:
    """R's contrast function, where it is not treatment coding."""
    for sign, function in _CONTRASTS.items():
        if f", {sign}" in expression:
            return function
    if "Treatment" in expression or schema is None:
        return None
    return {"sum": "contr.sum", "helmert": "contr.helmert", "poly": "contr.poly"}.get(
        schema.contrasts
    )
