"""What R and patsy call the coefficient of a design column."""

from __future__ import annotations

from collections.abc import Mapping

from growthmm.data.levels import Scalar, level_text
from growthmm.errors import NotationError
from growthmm.model.expression import spell, tree
from growthmm.model.expression_tree import Call, Name
from growthmm.model.schema import Column, ColumnPart

__all__ = ["patsy_name", "r_name"]


def r_name(column: Column) -> str:
    """R's name of a coefficient.

    Parameters
    ----------
    column : Column
        A design column.

    Examples
    --------
    >>> from growthmm.model.terms import Term
    >>> r_name(Column(Term()))
    '(Intercept)'
    >>> part = ColumnPart("C(occasion)", 2, "3", "contrast")
    >>> r_name(Column(Term(("C(occasion)",)), (part,)))
    'factor(occasion)3'
    """
    if not column.parts:
        return "(Intercept)"
    return ":".join(_spelled(p.expression, "r") + p.label for p in column.parts)


def patsy_name(column: Column, levels: Mapping[str, tuple[Scalar, ...]] | None = None) -> str:
    """Patsy's (and so statsmodels') name of a coefficient.

    Parameters
    ----------
    column : Column
        A design column.
    levels : mapping of str to tuple of scalars, optional
        Levels by column, which name sum and Helmert contrasts; numbered where absent.

    Examples
    --------
    >>> from growthmm.model.terms import Term
    >>> part = ColumnPart("sex", 0, "male", "contrast")
    >>> patsy_name(Column(Term(("sex",)), (part,)))
    'sex[T.male]'
    """
    if not column.parts:
        return "Intercept"
    return ":".join(_patsy_part(part, levels or {}) for part in column.parts)


def _patsy_part(part: ColumnPart, levels: Mapping[str, tuple[Scalar, ...]]) -> str:
    name = _spelled(part.expression, "python")
    if part.coding == "numeric":
        return f"{name}[{part.index}]" if part.label else name
    label = {"TRUE": "True", "FALSE": "False"}.get(part.label, part.label)
    if part.coding == "full":
        return f"{name}[{label}]"
    node = tree(part.expression)
    contrast = node.args[1] if isinstance(node, Call) and len(node.args) > 1 else None
    if not isinstance(contrast, Name):
        return f"{name}[T.{label}]"
    if contrast.name == "Poly":
        number = {".L": ".Linear", ".Q": ".Quadratic", ".C": ".Cubic"}
        return f"{name}[{number.get(label, label)}]"
    assert isinstance(node, Call)
    inner = node.args[0]
    own = levels.get(inner.name, ()) if isinstance(inner, Name) else ()
    # Sum contrasts are named by the level itself, Helmert's by the one compared to those before.
    at = part.index + (contrast.name == "Helmert")
    label = level_text(own[at]) if at < len(own) else label
    return f"{name}[{contrast.name[0]}.{label}]"


def _spelled(expression: str, language: str) -> str:
    try:
        return spell(expression, "r" if language == "r" else "python")
    except NotationError:
        # A function that the language lacks still needs a name in tables of results.
        return expression
