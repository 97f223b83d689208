"""Results of a run laid over those of earlier runs, so that a run can be cut and continued."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from scenarios import SCENARIOS
from timing import Row

__all__ = ["Outcome", "earlier", "merged"]

Record = dict[str, Any]

ORDER = {scenario.name: place for place, scenario in enumerate(SCENARIOS)}


@dataclass
class Outcome:
    """What runs found; every row and record has the date of its run.

    Parameters
    ----------
    rows : list of Row
        Comparisons with other programs.
    alone : list of dict
        Our own time and memory.
    whole : list of dict
        From text to printed result.
    startup : list of dict
        Importing and help.
    """

    rows: list[Row] = field(default_factory=list)
    alone: list[Record] = field(default_factory=list)
    whole: list[Record] = field(default_factory=list)
    startup: list[Record] = field(default_factory=list)


def earlier(folder: Path) -> Outcome:
    """What ``results.json`` of a folder holds; nothing where there is none."""
    path = folder / "results.json"
    if not path.exists():
        return Outcome()
    found = json.loads(path.read_text(encoding="utf-8"))
    day = str(found.get("machine", {}).get("date", ""))
    names = {f.name for f in fields(Row)}
    rows = [
        Row(**{"date": day} | {name: value for name, value in row.items() if name in names})
        for row in found["comparisons"]
    ]
    return Outcome(
        rows,
        [{"date": day} | record for record in found["alone"]],
        [{"date": day} | record for record in found["text_to_printed_result"]],
        [{"date": day} | record for record in found.get("startup", [])],
    )


def merged(old: Outcome, new: Outcome) -> Outcome:
    """All of `new`, and of `old` what was not measured again."""
    rows = {(r.scenario, r.persons, r.peer, r.call): r for r in (*old.rows, *new.rows)}
    return Outcome(
        sorted(rows.values(), key=lambda r: (ORDER.get(r.scenario, len(ORDER)), r.persons)),
        sorted(
            _latest(old.alone, new.alone, ("scenario", "persons")),
            key=lambda r: (ORDER.get(r["scenario"], len(ORDER)), r["persons"]),
        ),
        _latest(old.whole, new.whole, ("persons",)),
        _latest(old.startup, new.startup, ("call",)),
    )


def _latest(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]], keys: tuple[str, ...]
) -> list[Record]:
    found = {tuple(record[key] for key in keys): dict(record) for record in (*old, *new)}
    return list(found.values())
