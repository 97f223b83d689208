"""Results as JSON, as a table for people, and as a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from merge import Outcome
from scenarios import SCENARIOS
from timing import Row

__all__ = ["publish"]

Record = Mapping[str, Any]

TITLES = {scenario.name: scenario.title for scenario in SCENARIOS}

ROUNDING = 1e-6
"""What sums over many persons may differ by in log-likelihood."""

SIZES = (200, 2_000, 20_000, 200_000, 1_000_000)

GOALS = (
    ("complete", 20_000, "lme4", "gm.fit(formula, long)", 200),
    ("complete", 200_000, "lme4", "gm.fit(formula, long)", 500),
    ("missing", 20_000, "lme4", "gm.fit(formula, long)", 100),
    ("missing", 200_000, "lme4", "gm.fit(formula, long)", 300),
    ("individual", 20_000, "lme4", "gm.fit(formula, long)", 80),
    ("individual", 200_000, "lme4", "gm.fit(formula, long)", 200),
    ("complete", 2_000, "MixedLM", "gm.fit(formula, long)", 1_000),
    ("complete", 20_000, "MixedLM", "gm.fit(formula, long)", 5_000),
    *(("complete", n, "lavaan", "gm.fit(sem, wide)", 5) for n in SIZES),
    *(("missing", n, "lavaan", "gm.fit(sem, wide)", 30) for n in SIZES),
    *(("complete", n, "semopy", "gm.fit(sem, moments)", 2) for n in SIZES),
)


def publish(folder: Path, machine: Record, found: Outcome) -> None:
    """Write ``results.json``, ``results.md`` and ``speed.svg``."""
    rows, alone = found.rows, found.alone
    folder.mkdir(parents=True, exist_ok=True)
    everything = {
        "machine": dict(machine),
        "comparisons": [row.to_dict() for row in rows],
        "alone": [dict(record) for record in alone],
        "text_to_printed_result": [dict(record) for record in found.whole],
        "startup": [dict(record) for record in found.startup],
    }
    text = json.dumps(everything, indent=1, default=float)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    page = _page(machine, found)
    (folder / "results.md").write_text(page, encoding="utf-8")
    _figure(folder / "speed.svg", rows, alone)


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _page(machine: Record, found: Outcome) -> str:
    rows, alone = found.rows, found.alone
    lines = ["# How fast", ""]
    lines += [
        "Model `y ~ t * x + (1 + t | id)`, simulated data, six occasions where nothing else is "
        "said, maximum likelihood. Ours is the whole call `gm.fit(text, data)`, standard errors "
        "included; the others' is the fit alone, data in memory in their own form, one thread. "
        "Each of their runs follows one of ours; ratios are medians over these pairs, so that "
        "what else the machine does slows both. Seconds depend on the machine, ratios hardly do.",
        "",
        "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in machine.items()) + ".",
        "",
        "![Seconds by number of persons](speed.svg)",
        "",
    ]
    lines += _goals(found)
    for name, title in TITLES.items():
        lines += _scenario(title, [row for row in rows if row.scenario == name])
    lines += ["## Our own time and memory", ""]
    lines += [
        "Memory is the peak of one fit above the data frame, in a process of its own. The pass "
        "is the least that any fit of sorted data has to do: verify ids, times and covariate, "
        "and sum cross-products, in plain NumPy.",
        "",
    ]
    body = [
        [
            TITLES[record["scenario"]],
            f"{record['persons']:,}",
            _seconds(record["seconds"]),
            _number(record["memory"]),
            _seconds(record["pass"]),
            _number(record["seconds"] / record["pass"]) if record["pass"] else "",
            str(record["date"]),
        ]
        for record in alone
    ]
    lines += _table(["data", "persons", "seconds", "MB", "pass, s", "seconds / pass", "date"], body)
    return "\n".join(lines)


def _scenario(title: str, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    body = [
        [
            f"{row.persons:,}",
            f"{row.peer} {row.version}".strip(),
            f"`{row.call}`",
            _seconds(row.ours),
            _seconds(row.theirs),
            "" if row.ratio is None else f"**{_number(row.ratio)}x**",
            "" if row.gain is None else f"{row.gain:+.1e}",
            _number(row.memory),
            str(row.runs) if row.runs else row.note,
            row.date,
        ]
        for row in rows
    ]
    headers = ["persons", "program", "our call", "ours, s", "theirs, s", "ratio"]
    headers += ["our log-likelihood less theirs", "theirs, MB", "pairs", "date"]
    return [f"## {title.capitalize()}", "", *_table(headers, body)]


def _goals(found: Outcome) -> list[str]:
    rows = found.rows
    body: list[list[str]] = []
    for scenario, persons, peer, call, goal in GOALS:
        for row in rows:
            key = (row.scenario, row.persons, row.peer, row.call)
            if key == (scenario, persons, peer, call) and row.ratio is not None:
                what = f"{TITLES[scenario]}, {persons:,} persons, against {peer}"
                verdict = "reached" if row.ratio >= goal else "not reached"
                body.append([what, f"{goal:,}x", f"{_number(row.ratio)}x", verdict])
    for row in rows:
        if row.peer == "semopy" and row.gain is not None:
            what = f"{TITLES[row.scenario]}, {row.persons:,} persons, log-likelihood above semopy's"
            verdict = "reached" if row.gain >= -ROUNDING else "not reached"
            body.append([what, "not less", f"{row.gain:+.1e}", verdict])
    body += _own_goals(found)
    if not body:
        return []
    return ["## Goals", "", *_table(["what", "goal", "found", ""], body)]


def _own_goals(outcome: Outcome) -> list[list[str]]:
    rows, whole = outcome.rows, outcome.whole
    body: list[list[str]] = []
    own = {(record["scenario"], record["persons"]): record for record in outcome.alone}

    def add(what: str, goal: str, found: str, reached: bool) -> None:
        body.append([what, goal, found, "reached" if reached else "not reached"])

    for record in whole:
        for row in rows:
            same = (row.scenario, row.persons, row.peer) == ("complete", record["persons"], "lme4")
            if same and row.theirs is not None:
                found = f"{record['seconds']:.4f} s against {row.theirs:.4f} s"
                what = f"{record['persons']} persons, text to printed result, against lme4's fit"
                add(what, "less", found, record["seconds"] < row.theirs)
    largest = own.get(("complete", 1_000_000))
    if largest is not None and largest["pass"]:
        ratio = largest["seconds"] / largest["pass"]
        add(
            "1,000,000 persons, sorted, against the pass", "3x at most", f"{ratio:.1f}x", ratio <= 3
        )
        if largest["memory"] is not None:
            megabytes = largest["memory"]
            found = f"{megabytes:.0f} MB"
            add("1,000,000 persons, memory above the data", "under 200 MB", found, megabytes < 200)
    for (scenario, persons), record in own.items():
        if scenario == "shuffled" and record.get("against_sorted") is not None:
            ratio = record["against_sorted"]
            what = f"{persons:,} persons, shuffled against sorted"
            add(what, "3x at most", f"{ratio:.1f}x", ratio <= 3)
    for record in outcome.startup:
        if record["call"] != "import numpy":
            ratio = record["ratio"]
            what = f"`{record['call']}` against `import numpy`, process included"
            add(what, "1.5x at most", f"{ratio:.2f}x", ratio <= 1.5)
    return body


def _figure(path: Path, rows: Sequence[Row], alone: Sequence[Record]) -> None:
    try:
        import matplotlib as mpl
    except ModuleNotFoundError:
        print("No figure: matplotlib is not installed.")
        return
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growthmm"
    from matplotlib import pyplot as plt

    panels = [name for name in TITLES if any(row.scenario == name for row in rows)]
    if not panels:
        return
    figure, axes = plt.subplots(
        1, len(panels), figsize=(3.2 * len(panels), 3.6), sharey=True, squeeze=False
    )
    for axis, name in zip(axes[0], panels, strict=True):
        mine = [(r["persons"], r["seconds"]) for r in alone if r["scenario"] == name]
        axis.plot(*zip(*mine, strict=True), color="black", marker="o", label="growthmm", lw=2)
        peers = dict.fromkeys(row.peer for row in rows)
        for number, peer in enumerate(peers):
            points = {
                row.persons: row.theirs
                for row in rows
                if (row.scenario, row.peer) == (name, peer) and row.theirs is not None
            }
            if points:
                axis.plot(
                    list(points), list(points.values()), color=f"C{number}", marker=".", label=peer
                )
        axis.set(xscale="log", yscale="log", title=TITLES[name], xlabel="persons")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("seconds for one fit")
    handles = {
        label: handle
        for axis in axes[0]
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="lower center", ncol=len(handles), frameon=False
    )
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
