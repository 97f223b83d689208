"""GPA models with residual structures, in both forms, and one's mixed against another's SEM."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from growthmm.equivalence import evidence
from growthmm.equivalence.verdict import Verdict, model_verdict
from growthmm.translation.pair import Pair
from tests.reference import long_frame
from tests.two_sides import mixed_pair

INTERCEPT, SLOPE = "gpa ~ occasion + (1 | student)", "gpa ~ occasion + (occasion | student)"


@cache
def gpa() -> Any:
    return long_frame("A_gpa_long.csv")


def pair_of(formula: str, residual: str) -> Pair:
    return mixed_pair(formula, gpa(), residual=residual, id="student", time="occasion")


def crossed(mixed: Pair, sem: Pair) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on one pair's mixed model and another's growth curve."""
    both = replace(mixed, sem=sem.sem)
    comparison = evidence.compare_pair_moments(both, draws=2)
    return model_verdict(evidence.structure(both), comparison, both.growth, None)
