"""Micro benchmarks: the whole call ``gm.fit``, from text and data to estimates and errors.

Absolute times depend on the machine; ``run.py`` times other programs beside.
"""

from __future__ import annotations

import pytest
from peers import Stored
from scenarios import FORMULA, SCENARIOS

import growthmm as gm

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
SIZES = (200, 2_000, 20_000)


@pytest.mark.parametrize("persons", SIZES)
@pytest.mark.parametrize("name", list(BY_NAME))
def test_long(benchmark, name, persons):
    scenario = BY_NAME[name]
    data = scenario.frame(persons)
    fit = benchmark(lambda: gm.fit(FORMULA, data, **scenario.options))
    assert fit.convergence.converged
    assert fit.n_rows == len(data)


@pytest.mark.parametrize("persons", SIZES)
def test_long_reml(benchmark, persons):
    data = BY_NAME["complete"].frame(persons)
    fit = benchmark(lambda: gm.fit(FORMULA, data, estimator="reml"))
    assert fit.n_subjects == persons


@pytest.mark.parametrize("persons", SIZES)
@pytest.mark.parametrize("name", [s.name for s in SCENARIOS if s.wide])
def test_wide(benchmark, name, persons, tmp_path):
    scenario = BY_NAME[name]
    wide = Stored(scenario, persons, scenario.frame(persons), tmp_path).wide()
    fit = benchmark(lambda: gm.fit(scenario.sem, wide))
    assert fit.convergence.converged
    assert fit.n_subjects == persons


def test_text_to_printed_result(benchmark):
    data = BY_NAME["complete"].frame(200)
    text = benchmark(lambda: gm.fit(FORMULA, data).summary())
    assert "t:x" in text
