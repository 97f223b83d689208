"""Names that OpenMx takes, and what stands for those that it doesn't."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from growthmm.errors import NotationError
from growthmm.notation.openmx.parser import String, parse
from growthmm.notation.sem.text import r_string

__all__ = [
    "ENTITIES",
    "RESERVED",
    "Dictionary",
    "definition_column",
    "dictionary",
    "legends",
    "safe_names",
]

RESERVED = frozenset(
    {"data", "objective", "likelihood", "fitfunction", "expectation", "compute", "one"}
)
"""OpenMx's reserved names (``imxReservedNames``)."""

ENTITIES = frozenset({"A", "S", "F", "M", "Inf", "NaN", "NA", "TRUE", "FALSE", "NULL"})
"""Matrices of a RAM model, and constants: no label and no algebra may be called so."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LEGEND = re.compile(
    r"""^\#[ ](?P<label>label[ ])?(?P<safe>[A-Za-z]\w*)[ ]stands[ ]for[ ]
        (?P<name>"(?:[^"\\\n]|\\.)*")[ ]*$""",
    re.MULTILINE | re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What stands for what in a text.

    Parameters
    ----------
    variables, labels : dict of str to str
        From the written name to the one meant.
    """

    variables: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def variable(self, name: str) -> str:
        """The variable that `name` stands for."""
        return self.variables.get(name, name)

    def label(self, name: str) -> str:
        """The label that `name` stands for."""
        return self.labels.get(name, name)


def safe_names(names: Iterable[str], reserved: Collection[str]) -> dict[str, str]:
    """Names that OpenMx takes: ASCII letters, digits and underscores, a letter first.

    Parameters
    ----------
    names : iterable of str
        The names meant.
    reserved : collection of str
        Names that must not be used.

    Returns
    -------
    dict of str to str
        From the name meant to the one to write; the same where OpenMx takes it.

    Examples
    --------
    >>> safe_names(["y0", "lib.hours", "lib_hours", "one"], RESERVED)
    {'y0': 'y0', 'lib.hours': 'lib_hours_1', 'lib_hours': 'lib_hours', 'one': 'one_1'}
    """
    wanted = list(dict.fromkeys(names))
    made = {n: n for n in wanted if _PLAIN.fullmatch(n) and n not in reserved}
    taken = set(made) | set(reserved)
    for name in wanted:
        if name in made:
            continue
        stem = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
        stem = stem if _PLAIN.fullmatch(stem) else f"v_{stem}".rstrip("_")
        safe, number = stem, 0
        while safe in taken:
            number += 1
            safe = f"{stem}_{number}"
        taken.add(safe)
        made[name] = safe
    return {name: made[name] for name in wanted}


def legends(variables: dict[str, str], labels: dict[str, str]) -> list[str]:
    r"""Comments that say what stands for what, where that is not the name itself.

    Examples
    --------
    >>> legends({"lib.hours": "lib_hours", "y": "y"}, {})
    ['# lib_hours stands for "lib.hours"']
    """
    lines = []
    for kind, names in (("", variables), ("label ", labels)):
        for name, safe in names.items():
            if name != safe:
                lines.append(f"# {kind}{safe} stands for {r_string(name)}")
    return lines


def dictionary(text: str) -> Dictionary:
    """The legends of a text.

    Examples
    --------
    >>> dictionary('# lib_hours stands for "lib.hours"').variables
    {'lib_hours': 'lib.hours'}
    """
    made = Dictionary()
    for match in _LEGEND.finditer(text):
        try:
            (node,) = parse(match["name"])
        except (NotationError, ValueError):
            continue
        if isinstance(node, String):
            (made.labels if match["label"] else made.variables)[match["safe"]] = node.text
    return made


def definition_column(label: str) -> str | None:
    """The data column that a label means by person (``data.x``, ``model.data.x``), or None.

    Examples
    --------
    >>> definition_column("data.t1"), definition_column("g.data.t1"), definition_column("t1")
    ('t1', 't1', None)
    """
    parts = label.split(".")
    if len(parts) == 2 and parts[0] == "data":
        return parts[1]
    return parts[2] if len(parts) == 3 and parts[1] == "data" else None
