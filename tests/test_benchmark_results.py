"""Results of benchmark runs: kept, laid over each other, judged; no timing is tested here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
MODULES = ("scenarios", "simulate", "peers", "timing", "merge", "publish", "startup")


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of the benchmark, which stand beside each other in a folder of their own."""
    from importlib import import_module

    sys.path.insert(0, str(FOLDER))
    try:
        yield SimpleNamespace(**{name: import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            sys.modules.pop(name, None)


def row(
    bench, scenario="complete", persons=200, *, peer="lme4", ratio=5.0, date="2026-01-01", **more
):
    return bench.timing.Row(
        scenario, persons, peer, "1", "gm.fit(formula, long)", 0.01, 0.01 * ratio, ratio, 3,
        date=date, **more,
    )  # fmt: skip


def test_a_new_run_replaces_its_own_rows_and_keeps_the_others(bench):
    old = bench.merge.Outcome(
        rows=[row(bench, "missing"), row(bench, persons=2_000), row(bench)],
        alone=[{"scenario": "complete", "persons": 200, "seconds": 1.0, "date": "a"}],
        startup=[{"call": "import numpy", "seconds": 1.0, "ratio": 1.0}],
    )
    new = bench.merge.Outcome(
        rows=[row(bench, ratio=9.0, date="2026-02-02"), row(bench, "shuffled")],
        alone=[
            {"scenario": "complete", "persons": 200, "seconds": 2.0, "date": "b"},
            {"scenario": "missing", "persons": 200, "seconds": 3.0, "date": "b"},
        ],
    )
    found = bench.merge.merged(old, new)
    keys = [(r.scenario, r.persons, r.ratio, r.date) for r in found.rows]
    assert keys == [
        ("complete", 200, 9.0, "2026-02-02"),
        ("complete", 2_000, 5.0, "2026-01-01"),
        ("missing", 200, 5.0, "2026-01-01"),
        ("shuffled", 200, 5.0, "2026-01-01"),
    ]
    assert [(r["scenario"], r["seconds"]) for r in found.alone] == [
        ("complete", 2.0),
        ("missing", 3.0),
    ]
    assert found.startup == old.startup


def test_what_is_published_is_read_again(bench, tmp_path):
    before = bench.merge.Outcome(rows=[row(bench, gain=1e-9)])
    bench.publish.publish(tmp_path, {"date": "2026-01-01"}, before)
    assert bench.merge.earlier(tmp_path).rows == before.rows
    assert bench.merge.earlier(tmp_path / "absent") == bench.merge.Outcome()
    # A row of an earlier form: without a date it has its run's, and what is unknown is dropped.
    path = tmp_path / "results.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found["comparisons"][0].pop("date")
    found["comparisons"][0]["strange"] = 1
    path.write_text(json.dumps(found), encoding="utf-8")
    assert bench.merge.earlier(tmp_path).rows == before.rows


@pytest.mark.parametrize(("ratio", "verdict"), [(199.0, "not reached"), (201.0, "reached")])
def test_goals_are_judged_by_the_figures(bench, tmp_path, ratio, verdict):
    out = bench.merge.Outcome(rows=[row(bench, persons=20_000, ratio=ratio)])
    bench.publish.publish(tmp_path, {}, out)
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert f"against lme4 | 200x | {ratio:,.0f}x | {verdict} |" in page


@pytest.mark.parametrize(("gain", "verdict"), [(-1e-3, "not reached"), (2e-9, "reached")])
def test_less_accurate_than_semopy_shows(bench, tmp_path, gain, verdict):
    out = bench.merge.Outcome(rows=[row(bench, peer="semopy", gain=gain)])
    bench.publish.publish(tmp_path, {}, out)
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert f"log-likelihood above semopy's | not less | {gain:+.1e} | {verdict} |" in page


def test_starting_is_compared_with_numpy(bench):
    found = {record["call"]: record for record in bench.startup.startup(rounds=1)}
    assert list(found) == ["import numpy", "import growthmm", "growthmm --help"]
    assert found["import numpy"]["ratio"] == 1.0
    assert all(record["seconds"] > 0 for record in found.values())


def test_semopy_has_our_likelihood_at_its_estimates(bench, tmp_path):
    data = bench.peers.Stored.make(bench.scenarios.SCENARIOS[0], 200, tmp_path)
    wide = data.wide()
    import growthmm as gm

    ours = gm.fit(data.scenario.sem, gm.Moments(wide.mean(), wide.cov(), len(wide), ddof=1))
    theirs = bench.peers.open_peer("semopy", data).run()
    assert abs(ours.log_likelihood - theirs.log_likelihood) < 1e-6
