"""Every reference case in one table: its verdict, both engines, and the exact estimates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pytest
from reference import CASES, case, exact, reference_folder

import growthmm as gm
from growthmm.equivalence.result import Equivalence

reference_folder()

Source = Literal["formula", "text"]


@dataclass(frozen=True)
class Row:
    """What ``verify`` says of a case, and where the log-likelihoods of both forms stand.

    ``golden`` and ``unbounded`` lead to them in the golden file (``()``: the dense referee's).
    ``mixed`` is what differs where the case is given as a mixed model.
    """

    verdict: str = "identical"
    model_verdict: str = "identical_if"
    golden: tuple[str, ...] = ()
    unbounded: tuple[str, ...] | None = None
    mixed: Row | None = None


IDENTICAL = ("A01", "A01b", "A02", "A03", "A04", "A05", "A06b", "A07", "A08", "A08c")
BOUNDARY = Row("different_estimator", golden=("mixed", "ml", "logLik"), unbounded=())

TABLE = {name: Row() for name in (*IDENTICAL, "A09", "B01", "D01", "F01", "F03")} | {
    # Given as a formula it is A05: the likelihood is of gpa given lib_hours.
    "A05b": Row(
        "different_estimator",
        golden=("tvc", "fixed_x_TRUE", "logLik"),
        mixed=Row(golden=("tvc", "conditional_x_TRUE", "logLik")),
    ),
    "A06": BOUNDARY,
    "E02": Row(),
    "F02": Row("not_representable", "not_representable", golden=("sem", "logLik")),
    "G01": Row(),
    "H01": Row(golden=("sem", "H2_equal_residual_G", "logLik")),
    "K01": BOUNDARY,
    "K02": BOUNDARY,
    "L01": Row(golden=("mixed", "ml", "logLik")),
    # The formula has the growth part alone.
    "M01": Row(mixed=Row(golden=("mixed_growth_part_only", "logLik"))),
}

X = [f"lib_hours_{k}" for k in range(6)]
JOINT = "\n".join(
    [*(f"{x} ~ 1" for x in X), *(f"{a} ~~ {b}" for k, a in enumerate(X) for b in X[k:])]
)
"""The joint likelihood of A05b: means and covariances of the covariate are free."""


SHAPE = "nlme(y ~ b0 + b1 * (l2 * (time == 1) + l3 * (time == 2) + (time == 3)), data, {rest})"
"""F02's latent basis; golden are lmer at its profile, and lavaan."""

VISITS = """mxModel("growth", type = "RAM",
  manifestVars = c({names}), latentVars = c("i", "s"),
  mxPath(from = "i", to = c({names}), free = FALSE, values = 1),
  mxPath(from = "s", to = c({names}), free = FALSE, labels = c({times})),
  mxPath(from = c({names}), arrows = 2, values = 1, labels = "v"),
  mxPath(from = c("i", "s"), arrows = 2, connect = "unique.pairs", values = c(1, 0, 1)),
  mxPath(from = "one", to = c("i", "s"), values = 0))"""
"""E02's curve, whose golden numbers are OpenMx's: loadings stand in the data."""


def _text(name: str) -> str:
    entry = CASES[name]
    if name == "A05b":
        return f"growth('{entry.lavaan}\n{JOINT}', fixed.x = FALSE)"
    if name == "E02":
        names = ", ".join(f'"{y}"' for y in entry.outcome_columns)
        times = ", ".join(f'"data.time_{k}"' for k in range(1, 8))
        return VISITS.format(names=names, times=times)
    group = entry.lavaan_arguments.get("group")
    return f"growth('{entry.lavaan}', group = \"{group}\")" if group else entry.lavaan


def _formula(name: str) -> str | None:
    if name == "F02":
        rest = "fixed = b0 + b1 + l2 + l3 ~ 1, random = b0 + b1 ~ 1 | id"
        return SHAPE.format(rest=rest)
    return CASES[name].formula


@cache
def verified(name: str, source: Source) -> Equivalence:
    entry = CASES[name]
    if source == "formula":
        return gm.verify(
            _formula(name),
            entry.long_frame(),
            id=entry.id,
            time=None if name == "G01" else entry.time,
            residual=entry.residual,
            engines=["long"],
        )
    return gm.verify(_text(name), entry.wide_frame(), id=entry.id, engines=["long"])


def _row(name: str, source: Source) -> Row:
    row = TABLE[name]
    return row.mixed if source == "formula" and row.mixed is not None else row


def _golden(name: str, path: tuple[str, ...]) -> float:
    if not path:
        return float(exact(name, "ml")["log_likelihood"])
    content = case(name)
    for key in path:
        content = content[key]
    return float(content)


A09 = {
    "G11": "var((Intercept)|student)",
    "G21": "cov((Intercept),{time}|student)",
    "G22": "var({time}|student)",
    "sigma2": "var(Residual)",
    "rho": "rho(Residual)",
}
M01 = {
    "G11": "i~~i",
    "G12": "i~~s",
    "G22": "s~~s",
    "psi_z": "z~~z",
    "mi": "i~1",
    "ms": "s~1",
    "mz": "z~1",
}
"""Parameters of the growth curve, as the golden files of two cases call them."""

OF_TEXTS = {
    "F01": {"t1": "pmin(time, 2)", "t2": "pmax(time - 2, 0)"},
    "G01": {
        "dA": "outcomea",
        "tA": "outcomea:time",
        "dB": "outcomeb",
        "tB": "outcomeb:time",
        "A": "a",
        "B": "b",
    },
}
"""What terms are called where wide data have no columns with their names."""


def _mixed_names(golden: str, name: str, source: Source) -> tuple[str, ...]:
    """What the mixed model may call a golden parameter; a covariance has two orders."""
    person, words = CASES[name].id, OF_TEXTS.get(name, {}) if source == "text" else {}

    def said(word: str) -> str:
        if source == "text" and word not in words:
            return re.sub(rf"\b{CASES[name].time}\b", "time", word)
        return words.get(word, word)

    if name == "A09" and golden in A09:
        return (A09[golden].format(time=said("occasion")),)
    found = re.fullmatch(r"G\[(.+),(.+?)\]", golden)
    if found:
        a, b = map(said, found.groups())
        if a == b:
            return (f"var({a}|{person})",)
        return f"cov({a},{b}|{person})", f"cov({b},{a}|{person})"
    found = re.fullmatch(r"R\[(.+)\]", golden)
    if found:
        level = said(found.group(1))
        return ("var(Residual)" if level == "resid" else f"var(Residual[{level}])",)
    return (said(golden),)


def _found(rows: list[dict[str, Any]], name: str, source: Source, golden: str) -> dict[str, Any]:
    """The row of a golden parameter."""
    if name == "M01":
        named = M01.get(golden, golden)
        return next(row for row in rows if row["sem_name"] == named)
    names = _mixed_names(golden, name, source)
    return next(row for row in rows if row["mixed_name"] in names)


SOURCES: tuple[Source, ...] = ("formula", "text")
EVERY = [(name, source) for name in TABLE for source in SOURCES]


@pytest.mark.parametrize(("name", "source"), EVERY)
def test_verdict(name: str, source: Source) -> None:
    found, row = verified(name, source), _row(name, source)
    assert (found.verdict, found.model_verdict) == (row.verdict, row.model_verdict), found.reason
    assert [level.passed for level in found.levels[:3]] == [True] * 3


@pytest.mark.parametrize(("name", "source"), EVERY)
def test_both_engines_reach_the_golden_log_likelihood(name: str, source: Source) -> None:
    found, row = verified(name, source), _row(name, source)
    unbounded = row.golden if row.unbounded is None else row.unbounded
    for fit, path in ((found.mixed_fit, row.golden), (found.sem_fit, unbounded)):
        assert fit.log_likelihood == pytest.approx(_golden(name, path), abs=1e-6)


EXACT = [
    (name, source) for name, source in EVERY if _row(name, source).golden == () and name != "A06"
]


@pytest.mark.parametrize(("name", "source"), EXACT)
def test_estimates_are_the_dense_referee_s(name: str, source: Source) -> None:
    found = verified(name, source)
    rows = found.parameters.to_dict("records")
    golden = exact(name, "ml")["estimates"]
    assert golden
    for key, value in golden.items():
        own = _found(rows, name, source, key)
        for engine in ("long", "wide"):
            assert own[f"estimate_{engine}"] == pytest.approx(value, rel=1e-5, abs=1e-12), key
