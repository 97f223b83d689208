"""Every reference case in one table: its verdict, both engines, and the exact estimates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pytest
from reference import CASES, case, exact, reference_folder

import growthmm as gm
from growthmm.equivalence.result import Equivalence

reference_folder()

Source = Literal["formula", "text"]


@dataclass(frozen=True)
class Row:
    """What ``verify`` says of a case, and where the log-likelihoods of both forms stand.

    ``golden`` and ``unbounded`` lead to them in the golden file (``()``: the dense referee's);
    ``sources`` are the sides that it is given from.
    """

    verdict: str = "identical"
    model_verdict: str = "identical_if"
    golden: tuple[str, ...] = ()
    unbounded: tuple[str, ...] | None = None
    sources: tuple[Source, ...] = ("formula", "text")


IDENTICAL = ("A01", "A01b", "A02", "A03", "A04", "A05", "A06b", "A07", "A08", "A08c")
BOUNDARY = Row("different_estimator", golden=("mixed", "ml", "logLik"), unbounded=())

TABLE = {name: Row() for name in (*IDENTICAL, "A09", "B01", "D01", "F01", "F03")} | {
    "A05b": Row("different_estimator", golden=("tvc", "fixed_x_TRUE", "logLik"), sources=("text",)),
    "A06": BOUNDARY,
    # Its curve has definition variables, which lavaan text has no word for.
    "E02": Row(sources=("formula",)),
    "F02": Row(
        "not_representable", "not_representable", golden=("sem", "logLik"), sources=("text",)
    ),
    "G01": Row(),
    "H01": Row(golden=("sem", "H2_equal_residual_G", "logLik")),
    "K01": BOUNDARY,
    "K02": BOUNDARY,
    "L01": Row(golden=("mixed", "ml", "logLik")),
    "M01": Row(sources=("text",)),
}

X = [f"lib_hours_{k}" for k in range(6)]
JOINT = "\n".join(
    [*(f"{x} ~ 1" for x in X), *(f"{a} ~~ {b}" for k, a in enumerate(X) for b in X[k:])]
)
"""The joint likelihood of A05b: means and covariances of the covariate are free."""


def _text(name: str) -> str:
    entry = CASES[name]
    if name == "A05b":
        return f"growth('{entry.lavaan}\n{JOINT}', fixed.x = FALSE)"
    group = entry.lavaan_arguments.get("group")
    return f"growth('{entry.lavaan}', group = \"{group}\")" if group else entry.lavaan


@cache
def verified(name: str, source: Source) -> Equivalence:
    entry = CASES[name]
    if source == "formula":
        return gm.verify(
            entry.formula,
            entry.long_frame(),
            id=entry.id,
            time=None if name == "G01" else entry.time,
            residual=entry.residual,
            engines=["long"],
        )
    return gm.verify(_text(name), entry.wide_frame(), id=entry.id, engines=["long"])


def _golden(name: str, path: tuple[str, ...]) -> float:
    if not path:
        return float(exact(name, "ml")["log_likelihood"])
    content = case(name)
    for key in path:
        content = content[key]
    return float(content)


def _mixed_name(golden: str, person: str, spelled: dict[str, str]) -> str:
    """A golden parameter's name in the mixed model."""
    if golden in spelled:
        return spelled[golden]
    found = re.fullmatch(r"G\[(.+),(.+?)\]", golden)
    if found:
        a, b = found.groups()
        return f"var({a}|{person})" if a == b else f"cov({a},{b}|{person})"
    found = re.fullmatch(r"R\[(.+)\]", golden)
    if found:
        level = found.group(1)
        return "var(Residual)" if level == "resid" else f"var(Residual[{level}])"
    return golden


SPELLED = {
    "A09": {
        "G11": "var((Intercept)|student)",
        "G21": "cov((Intercept),occasion|student)",
        "G22": "var(occasion|student)",
        "sigma2": "var(Residual)",
        "rho": "rho(Residual)",
    }
}

EVERY = [(name, source) for name, row in TABLE.items() for source in row.sources]


@pytest.mark.parametrize(("name", "source"), EVERY)
def test_verdict(name: str, source: Source) -> None:
    found, row = verified(name, source), TABLE[name]
    assert (found.verdict, found.model_verdict) == (row.verdict, row.model_verdict), found.reason
    assert [level.passed for level in found.levels[:3]] == [True] * 3


@pytest.mark.parametrize(("name", "source"), EVERY)
def test_both_engines_reach_the_golden_log_likelihood(name: str, source: Source) -> None:
    found, row = verified(name, source), TABLE[name]
    unbounded = row.golden if row.unbounded is None else row.unbounded
    for fit, path in ((found.mixed_fit, row.golden), (found.sem_fit, unbounded)):
        assert fit.log_likelihood == pytest.approx(_golden(name, path), abs=1e-6)


EXACT = [name for name, row in TABLE.items() if row.golden == () and "formula" in row.sources]


@pytest.mark.parametrize("name", EXACT)
def test_estimates_are_the_dense_referee_s(name: str) -> None:
    found, spelled = verified(name, "formula"), SPELLED.get(name, {})
    rows = found.parameters.set_index("mixed_name")
    golden = exact(name, "ml")["estimates"]
    assert golden
    for key, value in golden.items():
        own = rows.loc[_mixed_name(key, CASES[name].id, spelled)]
        for engine in ("long", "wide"):
            assert own[f"estimate_{engine}"] == pytest.approx(value, rel=1e-5, abs=1e-12), key
