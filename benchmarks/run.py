"""Time growthmm beside the programs that people use, and write a table and a figure.

    python benchmarks/run.py --quick
    python benchmarks/run.py --full
    python benchmarks/run.py --sizes 200 2000 --only complete,missing

What is not run again is kept: results are laid over those of earlier runs in the same folder, each
row with its date, so that a run that was cut can be continued by ``--only`` what is left.

Everything of ours is the whole public call ``gm.fit(text, data_frame)``, from text to estimates
and standard errors. Of the others it is the fit alone, with their data in memory in their own form.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from machine import describe  # noqa: E402
from memory import peak_above_data  # noqa: E402
from merge import Outcome, earlier, merged  # noqa: E402
from passes import moments_pass  # noqa: E402
from peers import Stored  # noqa: E402
from publish import publish  # noqa: E402
from scenarios import FORMULA, SCENARIOS, Scenario  # noqa: E402
from startup import startup  # noqa: E402
from timing import Call, Row, median_seconds, paired_ratio, race  # noqa: E402

import growthmm as gm  # noqa: E402

RESULTS = Path(__file__).with_name("results")
QUICK = (200, 20_000)
QUICK_PEERS = ("lme4", "MixedLM", "lavaan", "semopy")
FULL = (200, 2_000, 20_000, 200_000, 1_000_000)
FLAT = ("lavaan", "semopy")
LARGEST_WIDE_SCENARIO = 200_000
"""20 occasions of a million persons are 1 GB in each program."""


TODAY = date.today().isoformat()


def calls(data: Stored) -> dict[str, Call]:
    """Our calls for one set of data, by the kind of data they take."""
    scenario, frame = data.scenario, data.frame

    def long() -> float:
        return gm.fit(FORMULA, frame, **scenario.options).log_likelihood

    found = {"long": Call("gm.fit(formula, long)", long)}
    if not scenario.wide:
        return found
    wide, sem = data.wide(), scenario.sem
    found["wide"] = Call("gm.fit(sem, wide)", lambda: gm.fit(sem, wide).log_likelihood)
    if scenario.name == "complete":
        moments = gm.Moments(wide.mean(), wide.cov(), len(wide), ddof=1)
        found["moments"] = Call("gm.fit(sem, moments)", lambda: gm.fit(sem, moments).log_likelihood)
    return found


@dataclass(frozen=True)
class Limits:
    """What a run may take.

    Parameters
    ----------
    sizes : tuple of int
        Persons.
    longest : float
        Seconds of one fit of a peer.
    pairs : int
        Pairs at most.
    peers : tuple of str or None
        The programs to time; all where None.
    """

    sizes: tuple[int, ...]
    longest: float
    pairs: int
    peers: tuple[str, ...] | None


def _opponents(scenario: Scenario, limits: Limits) -> list[tuple[str, str]]:
    """Programs, and which of our calls runs against each."""
    own = {"lavaan": "wide", "OpenMx": "wide" if scenario.wide else "long", "semopy": "moments"}
    if limits.peers is not None:
        return [(p, own.get(p, "long")) for p in scenario.peers if p in limits.peers]
    found = [(peer, own.get(peer, "long")) for peer in scenario.peers]
    return found + [("lavaan", "long") for peer in scenario.peers if peer == "lavaan"]


def compare(scenario: Scenario, limits: Limits, out: Outcome) -> None:
    """All sizes of one scenario."""
    last: dict[str, tuple[int, float]] = {}
    for n in limits.sizes:
        if scenario.n_times > 10 and n > LARGEST_WIDE_SCENARIO:
            continue
        with tempfile.TemporaryDirectory() as folder:
            data = Stored.make(scenario, n, Path(folder))
            ours = calls(data)
            _alone(data, ours, out)
            for peer, kind in _opponents(scenario, limits):
                size, seconds = last.get(peer, (n, 0.0))
                # What works on moments hardly takes longer for more persons.
                expected = seconds * (1 if peer in FLAT else n / size)
                row = race(
                    peer,
                    data,
                    ours[kind],
                    longest=limits.longest,
                    expected=expected,
                    most=limits.pairs,
                )
                if row.theirs is not None:
                    last[peer] = (n, row.theirs)
                out.rows.append(replace(row, date=TODAY))
                _say(row)


def _alone(data: Stored, ours: dict[str, Call], out: Outcome) -> None:
    """Our own time and memory, and how that compares with the pass over the data."""
    scenario = data.scenario
    seconds = median_seconds(ours["long"].run)
    found: dict[str, object] = {
        "scenario": scenario.name,
        "persons": data.n_subjects,
        "call": ours["long"].text,
        "seconds": seconds,
        "memory": peak_above_data(data.folder, scenario.options),
        "pass": None,
        "date": TODAY,
    }
    if scenario.name == "shuffled":
        ordered = SCENARIOS[0].frame(data.n_subjects)
        found["against_sorted"] = paired_ratio(
            ours["long"].run, lambda: gm.fit(FORMULA, ordered).log_likelihood
        )
    if scenario.name == "complete":
        found["pass"] = median_seconds(lambda: moments_pass(data.frame))
        if data.n_subjects == FULL[0]:
            frame = data.frame
            text = median_seconds(lambda: str(gm.fit(FORMULA, frame).summary()))
            out.whole.append({"persons": data.n_subjects, "seconds": text, "date": TODAY})
    out.alone.append(found)
    print(f"{scenario.name:>15} {data.n_subjects:>9,}  growthmm {seconds:.4f} s", flush=True)


def _say(row: Row) -> None:
    if row.theirs is None or row.ours is None:
        text = row.note
    else:
        text = f"{row.theirs:.3f} s against {row.ours:.4f} s: {row.ratio:.0f}x"
    print(f"{row.scenario:>15} {row.persons:>9,}  {row.peer}: {text}", flush=True)


def main() -> None:
    """Read the command line, run, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="to 20,000 persons; some minutes")
    size.add_argument("--full", action="store_true", help="to 1,000,000 persons; up to an hour")
    size.add_argument("--sizes", type=int, nargs="+", help="persons")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument(
        "--only", metavar="NAME,...", help=f"scenarios to run: {', '.join(names)}, startup"
    )
    parser.add_argument("--peers", nargs="+", help="programs to time")
    parser.add_argument("--longest", type=float, help="seconds that one fit of a peer may take")
    parser.add_argument("--output", type=Path, help="folder of the results")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else [*names, "startup"]
    if strange := set(chosen) - {*names, "startup"}:
        parser.error(f"there is no scenario {', '.join(sorted(strange))}")
    quick = not (arguments.full or arguments.sizes)
    limits = Limits(
        tuple(arguments.sizes or (QUICK if quick else FULL)),
        arguments.longest or (10.0 if quick else 100.0),
        3 if quick else 7,
        tuple(arguments.peers) if arguments.peers else QUICK_PEERS if quick else None,
    )
    output = arguments.output or (RESULTS if arguments.full else RESULTS / "quick")
    machine = describe()
    if hasattr(os, "getloadavg"):
        machine["load_before"] = round(os.getloadavg()[0], 2)
    before, out = earlier(output), Outcome()
    if "startup" in chosen:
        out.startup.extend(record | {"date": TODAY} for record in startup())
        publish(output, machine, merged(before, out))
    for scenario in SCENARIOS:
        if scenario.name in chosen:
            compare(scenario, limits, out)
            # After each scenario, so that a run that is ended early leaves what it has.
            publish(output, machine, merged(before, out))
    print(f"Written to {output}")


if __name__ == "__main__":
    main()
