"""The data that an OpenMx model names: which frame, which rows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from growthmm.notation.lavaan.parser import Source
from growthmm.notation.openmx.parser import Binary, Call, Field, Index, Name, Node, Number, String
from growthmm.notation.sem.text import number_text

__all__ = ["DataPart", "data_part"]


@dataclass(frozen=True, slots=True)
class DataPart:
    """``mxData()``.

    Parameters
    ----------
    frame : str, optional
        The data frame's name.
    kind : str
        ``raw``, ``cov`` ...
    complete : bool
        Whether persons with missing values are dropped.
    group_variable, group_label : str, optional
        Which rows, where they are one group's.
    position : int
        Where the call stands.
    """

    frame: str | None
    kind: str
    complete: bool = False
    group_variable: str | None = None
    group_label: str | None = None
    position: int = 0


def data_part(call: Call, follow: Callable[[Node], Node], source: Source) -> DataPart:
    """Read a call of ``mxData()``.

    Parameters
    ----------
    call : Call
        The call.
    follow : callable
        Gives for a name what was assigned to it.
    source : Source
        For errors.

    Raises
    ------
    NotationError
        If the data are of a kind that is not read.

    Examples
    --------
    >>> from growthmm.notation.openmx.parser import parse
    >>> text = 'mxData(na.omit(d[d$sex == "f", ]), type = "raw")'
    >>> part = data_part(parse(text)[0], lambda node: node, Source(text))
    >>> part.frame, part.complete, part.group_variable, part.group_label
    ('d', True, 'sex', 'f')
    """
    places = {"observed": 0, "type": 1}
    found: dict[str, Node] = {}
    plain = 0
    for argument in call.arguments:
        if argument.value is None:
            continue
        name = argument.name
        if name is None:
            name = next((key for key, place in places.items() if place == plain), "means")
            plain += 1
        found[name] = argument.value
    kind = found.get("type")
    shown = kind.text if isinstance(kind, String) else ""
    if shown not in ("raw", "cov"):
        raise source.error(
            f"mxData() of type {shown or 'that is not written'} is not read.",
            (kind or call).position,
            expected=('"raw"', '"cov"'),
        )
    if shown == "raw" and any(name in found for name in ("weight", "frequency", "primaryKey")):
        raise source.error("Weights and keys of mxData() are not read.", call.position)
    part = DataPart(None, shown, position=call.position)
    observed = found.get("observed")
    if isinstance(observed, Call) and observed.function == "mxFactor":
        message = "Ordinal data (mxFactor()) are not supported."
        raise source.error(message, observed.position)
    return part if observed is None else _rows(observed, part, follow)


def _rows(node: Node, part: DataPart, follow: Callable[[Node], Node]) -> DataPart:
    """The frame and rows that an expression means, as far as it can be told."""
    for _ in range(8):
        if isinstance(node, Name):
            part = replace(part, frame=node.text)
            target = follow(node)
            if target is node or not _restricts(target):
                return part
            node = target
        elif isinstance(node, Call) and node.function == "na.omit" and node.arguments:
            part, inside = replace(part, complete=True), node.arguments[0].value
            if inside is None:
                return part
            node = inside
        elif isinstance(node, Index) and node.arguments:
            part, node = _grouped(node.arguments[0].value, part), node.target
        elif isinstance(node, Call) and node.function == "subset" and len(node.arguments) > 1:
            part = _grouped(node.arguments[1].value, part)
            inside = node.arguments[0].value
            if inside is None:
                return part
            node = inside
        else:
            return part
    return part


def _restricts(node: Node) -> bool:
    return isinstance(node, Index) or (
        isinstance(node, Call) and node.function in ("na.omit", "subset")
    )


def _grouped(condition: Node | None, part: DataPart) -> DataPart:
    """The group that ``d$sex == "f"`` picks; the rows stay unknown where it is something else."""
    if not isinstance(condition, Binary) or condition.op != "==":
        return part
    variable = _column(condition.left)
    level = condition.right
    if variable is None:
        return part
    if isinstance(level, String):
        label: str | None = level.text
    elif isinstance(level, Number):
        label = number_text(level.value)
    elif isinstance(level, Name) and level.text in ("TRUE", "FALSE"):
        label = level.text
    else:
        label = None
    return replace(part, group_variable=variable, group_label=label)


def _column(node: Node) -> str | None:
    if isinstance(node, Field):
        return node.name
    if isinstance(node, Name):
        return node.text
    if isinstance(node, Index) and node.double and len(node.arguments) == 1:
        inside = node.arguments[0].value
        return inside.text if isinstance(inside, String) else None
    return None
