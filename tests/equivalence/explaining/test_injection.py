"""Differences put into analyses at random are found again, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from injections import BASES, Spec, data_of, injected

import growthmm as gm


def found_in(base: Spec, other: Spec) -> set[str]:
    """The causes that explain names."""
    explanation = gm.explain(
        base.formula,
        other.formula,
        data_of(base.data),
        time="t",
        estimator_a=base.estimator,
        estimator_b=other.estimator,
        residual_a=base.residual,
        residual_b=other.residual,
        options_a=dict(base.options),
        options_b=dict(other.options),
    )
    assert not [note for note in explanation.assumptions if note.startswith("not fitted")]
    return set(explanation.causes)


def missed(trials: int, seed: int) -> tuple[list[str], list[str]]:
    """Trials in which a cause was not found, and trials in which one was made up."""
    rng = np.random.default_rng(seed)
    lacking, made_up = [], []
    for _ in range(trials):
        base, other, expected = injected(rng)
        names = found_in(base, other)
        told = f"{base.formula} -> {other.formula} {other}: {names} not {expected}"
        if expected - names:
            lacking.append(told)
        if names - expected:
            made_up.append(told)
    return lacking, made_up


def test_there_are_thirty_bases() -> None:
    assert len(set(BASES)) == 30


def test_injected_differences_are_found() -> None:
    assert missed(40, seed=3) == ([], [])


@pytest.mark.nightly
def test_injected_differences_are_found_in_many_trials() -> None:
    lacking, made_up = missed(500, seed=11)
    assert len(lacking) <= 5
    assert made_up == []


@pytest.mark.parametrize("base", BASES[:10], ids=lambda spec: spec.formula)
def test_nothing_differs_from_itself(base: Spec) -> None:
    assert found_in(base, base) == set()
