"""Printed names and the model's, matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from growthmm.model.sem import Path, SemModel
from growthmm.printed.results import PrintedRow

__all__ = ["SemNames", "match_name", "place_of"]

_PARTS = re.compile(r"\s*[:*#]\s*")


def _plain(name: str) -> str:
    """A name without spaces, backticks and case; the parts of an interaction in one order."""
    bare = re.sub(r"[`\s]", "", name.casefold())
    return "*".join(sorted(_PARTS.split(bare)))


def _loose(name: str) -> str:
    """A name with R's, Python's and SAS's ways to say a level or a power made alike."""
    bare = _plain(name)
    bare = re.sub(r"\(?intercept\)?|_cons", "intercept", bare)
    bare = re.sub(r"\[t\.([^\]]*)\]", r"\1", bare)
    bare = re.sub(r"\*\*", "^", bare)
    return re.sub(r"[\[\]()=.\s]|(?<![a-z0-9_])c\.", "", bare)


def match_name(printed: str, names: Sequence[str]) -> str | None:
    """The one of `names` that a program printed as `printed`, or None.

    Spelling is forgiven where it cannot lead to another name: spaces, case, the order of an
    interaction's parts, names that the program cut or abbreviated with ``~``.

    Examples
    --------
    >>> match_name("sex:occasion", ["(Intercept)", "occasion:sex"])
    'occasion:sex'
    >>> match_name("lib_ho~s", ["lib_hours", "occasion"])
    'lib_hours'
    """
    if printed in names:
        return printed
    for spelled in (_plain, _loose):
        found = [name for name in names if spelled(name) == spelled(printed)]
        if len(found) == 1:
            return found[0]
    if "~" in printed:
        pattern = re.compile(".*".join(re.escape(piece) for piece in printed.split("~")))
        found = [name for name in names if pattern.fullmatch(name)]
    elif len(printed) >= 6:
        found = [name for name in names if name.casefold().startswith(printed.casefold())]
        found = found or [name for name in names if _abbreviates(printed, name)]
    else:
        found = []
    return found[0] if len(found) == 1 else None


def _abbreviates(short: str, full: str) -> bool:
    """Whether the letters of `short` stand in `full` in this order, the first one first."""
    if not short or not full or short[0] != full[0] or len(short) >= len(full):
        return False
    rest = iter(full)
    return all(letter in rest for letter in short)


def place_of(printed: str, labels: Sequence[str]) -> int | None:
    """The place of an effect or stratum among `labels`: by name, or by ``#`` and its number.

    Examples
    --------
    >>> place_of("#2", ["0", "1", "2"]), place_of("2", ["0", "1", "2"])
    (1, 2)
    """
    if re.fullmatch(r"#\d{1,6}", printed):
        at = int(printed[1:]) - 1
        return at if at < len(labels) else None
    found = match_name(printed, labels)
    if found is not None:
        return list(labels).index(found)
    ends = [
        k
        for k, label in enumerate(labels)
        if re.search(rf"(?<![\d.]){re.escape(label)}(?:\.0+)?\]?$", printed)
    ]
    return ends[0] if len(ends) == 1 else None


class SemNames:
    """The model's paths for those that a structural equation program printed.

    Variables that have other names in the output are found by what they do: outcomes by their
    order, latent variables by their loadings.
    """

    def __init__(self, model: SemModel, rows: Iterable[PrintedRow]) -> None:
        self._model = model
        self._paths: dict[tuple[str, str, str, int], Path] = {
            (p.op, *_ends(p.left, p.op, p.right), p.group): p for p in model.paths
        }
        self._variables = (*model.latent, *model.outcomes, *model.covariates)
        self._renamed = self._by_loadings(list(rows))

    def path(self, row: PrintedRow) -> str | None:
        """The name of the row's path, or None."""
        left, op, right = _split(row.name)
        if not op:
            return None
        ends = self._variable(left), self._variable(right) if right else ""
        tries = [(op, *ends)]
        if op == "~":
            # A RAM program writes loadings and regressions alike.
            tries.append(("=~", ends[1], ends[0]))
        for sign, a, b in tries:
            found = self._paths.get((sign, *_ends(a, sign, b), row.group))
            if found is not None:
                return found.name
        return None

    def _variable(self, printed: str) -> str:
        renamed = self._renamed.get(printed, printed)
        return match_name(renamed, self._variables) or renamed

    def _by_loadings(self, rows: list[PrintedRow]) -> Mapping[str, str]:
        """Names for variables that the model does not have, where fixed loadings identify them."""
        loads: dict[str, dict[str, float]] = {}
        for row in rows:
            left, op, right = _split(row.name)
            if op == "=~" and row.group == 0:
                loads.setdefault(left, {})[right] = row.estimate
        strange = [name for name in loads if match_name(name, self._variables) is None]
        if not strange:
            return {}
        own: dict[str, dict[str, float]] = {}
        for path in self._model.paths:
            if path.op == "=~" and path.group == 0 and path.value is not None:
                own.setdefault(path.left, {})[path.right] = path.value
        printed_outcomes = list(dict.fromkeys(name for load in loads.values() for name in load))
        outcomes = list(dict.fromkeys(name for load in own.values() for name in load))
        if len(printed_outcomes) != len(outcomes):
            return {}
        renamed = dict(zip(printed_outcomes, outcomes, strict=True))
        for latent in strange:
            wanted = {renamed[name]: value for name, value in loads[latent].items() if value}
            same = [
                name for name, load in own.items() if {n: v for n, v in load.items() if v} == wanted
            ]
            if len(same) == 1:
                renamed[latent] = same[0]
        return {name: other for name, other in renamed.items() if name != other}


def _ends(left: str, op: str, right: str) -> tuple[str, str]:
    if op == "~~":
        first, second = sorted((left, right))
        return first, second
    return left, right


def _split(name: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"(.+?)(=~|~~|~1$|~)(.*)", name)
    return (match[1], match[2], match[3]) if match else (name, "", "")
