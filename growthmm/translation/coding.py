"""Encoded columns in one normal form, so that the same numbers written twice are known as one."""

from __future__ import annotations

from growthmm.model.expression import canonical, tree
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call, Name
from growthmm.model.schema import Column, ColumnPart

__all__ = ["PartKey", "column_key", "part_key"]

PartKey = tuple[object, ...]


def part_key(part: ColumnPart) -> PartKey:
    """What the numbers of one part are: a treatment contrast is the indicator of its level.

    Examples
    --------
    >>> a = ColumnPart("sex", 0, "male", "contrast")
    >>> b = ColumnPart("C(sex)", 1, "male", "full")
    >>> part_key(a) == part_key(b)
    True
    """
    node = tree(part.expression)
    contrast = None
    if isinstance(node, Call) and node.function == "C":
        contrast = node.args[1] if len(node.args) > 1 else None
        inner = show(node.args[0], "canonical")
    else:
        inner = part.expression
    named = isinstance(contrast, Name) and contrast.name != "Treatment"
    if part.coding == "numeric" or (part.coding == "contrast" and named):
        return (canonical(part.expression), part.index, part.coding)
    return (inner, part.label, "indicator")


def column_key(column: Column) -> frozenset[PartKey]:
    """What the numbers of a column are, whatever the order and coding of its factors."""
    return frozenset(part_key(part) for part in column.parts)
