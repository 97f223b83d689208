"""Residual structures: written as labels and constraints, recognised by what these imply."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import growthmm as gm
from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import long_data, wide_data
from growthmm.errors import UnsupportedError
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.moments.residual_matrices import residual_matrix
from growthmm.notation import notation
from growthmm.translation.from_sem import growth_from_sem
from growthmm.translation.pair import Pair, same_growth
from growthmm.translation.residuals.recognition import same_residual
from tests.two_sides import assert_same_model, back, long_frame, mixed_pair, sem_pair

EQUAL, UNEQUAL = (0.0, 1.0, 2.0, 3.0), (0.0, 2.0, 5.0, 7.0)
SPACINGS = (EQUAL, UNEQUAL, (0.0, 0.5, 1.25, 3.0, 4.7), (0.0, 12.0, 24.0, 36.0))
AUTOREGRESSIVE = ("ar1", "ar1+common", "arh1")
OTHERS = ("common", "by_occasion", "cs", "csh", "toeplitz", "banded:1", "banded:2", "unstructured")


@cache
def _frame(times: tuple[float, ...]) -> Any:
    return long_frame(times, n_persons=80)


@cache
def _drawn(times: tuple[float, ...], kind: str, rho: float) -> Any:
    """Data with a random intercept and residuals of the structure."""
    frame = _frame(times).copy()
    n, size = 80, len(times)
    values = {"ar1": [1.0, rho], "arh1": [*np.linspace(0.7, 1.5, size), rho]}
    values["ar1+common"] = [1.0, rho, 0.4]
    rng = np.random.default_rng(5)
    noise = rng.multivariate_normal(
        np.zeros(size), residual_matrix(kind, values[kind], times).matrix, size=n
    )
    frame["y"] = 1 + 0.3 * frame["t"] + np.repeat(rng.normal(size=n), size) + noise.ravel()
    return frame


def _mixed(kind: str, times: tuple[float, ...]) -> Pair:
    formula = "y ~ t" if kind not in AUTOREGRESSIVE else "y ~ t + (1 | id)"
    return mixed_pair(formula, _frame(times), residual=kind, id="id", time="t")


@pytest.mark.parametrize("times", SPACINGS, ids=range(len(SPACINGS)))
@pytest.mark.parametrize("kind", AUTOREGRESSIVE + OTHERS)
def test_formula_to_text_and_back(kind: str, times: tuple[float, ...]) -> None:
    pair = _mixed(kind, times)
    again = back(pair, _frame(times))
    assert again.growth.residual == ResidualStructure.parse(kind)
    assert same_growth(pair.growth, again.growth) is None
    once_more = back(again, _frame(times))
    assert once_more.sem.model.table == again.sem.model.table


@pytest.mark.parametrize("times", SPACINGS[:3], ids=range(3))
@pytest.mark.parametrize("kind", AUTOREGRESSIVE + OTHERS)
def test_both_forms_have_the_same_moments(kind: str, times: tuple[float, ...]) -> None:
    assert_same_model(_mixed(kind, times), None)


@pytest.mark.parametrize("program", ["mplus", "openmx", "semopy"])
@pytest.mark.parametrize("times", [EQUAL, UNEQUAL], ids=range(2))
@pytest.mark.parametrize("kind", AUTOREGRESSIVE + OTHERS)
def test_other_programs_read_back(kind: str, times: tuple[float, ...], program: str) -> None:
    pair = _mixed(kind, times)
    written = notation(program).write(replace(pair.sem.model, estimator="ml"))
    assert not written.losses, written.losses
    model = notation(program).read(written.text)
    assert isinstance(model, SemModel)
    found = growth_from_sem(model, pair.sem.schema, pair.sem.covariates)
    assert same_growth(pair.growth, found.growth) is None


@pytest.mark.parametrize("program", ["sas", "stata"])
def test_programs_without_nonlinear_constraints_refuse_them(program: str) -> None:
    model = replace(_mixed("ar1", EQUAL).sem.model, estimator="ml")
    losses = notation(program).write(model).losses
    assert [loss.what for loss in losses] == ["c2 == c1**2/v", "c3 == c1**3/v**2"]
    straight = replace(_mixed("toeplitz", EQUAL).sem.model, estimator="ml")
    assert not notation(program).write(straight).losses


@pytest.mark.parametrize(
    ("times", "rho"),
    [(EQUAL, 0.5), (UNEQUAL, 0.6), (UNEQUAL, -0.6), (SPACINGS[2], 0.6), (SPACINGS[3], 0.95)],
    ids=range(5),
)
@pytest.mark.parametrize("kind", ["ar1", "arh1"])
def test_both_engines_end_at_one_optimum(kind: str, times: tuple[float, ...], rho: float) -> None:
    frame = _drawn(times, kind, rho)
    pair = mixed_pair("y ~ t + (1 | id)", frame, residual=kind, time="t")
    ours = long_engine.fit(long_data(pair.mixed, frame).problem)
    other = wide_engine.fit(wide_data(pair.sem, frame).problem)
    assert ours.convergence.converged
    assert other.convergence.converged
    assert ours.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", AUTOREGRESSIVE)
def test_twelve_occasions(kind: str) -> None:
    times = tuple(float(t) for t in range(12))
    frame = _drawn(times, kind, 0.5)
    pair = mixed_pair("y ~ t + (1 | id)", frame, residual=kind, time="t")
    ours = long_engine.fit(long_data(pair.mixed, frame).problem)
    other = wide_engine.fit(wide_data(pair.sem, frame).problem, bounds="psd")
    assert ours.convergence.converged
    assert other.convergence.converged
    assert ours.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)


HEAD = "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3\ns =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3\n"
ONE = "".join(f"y_{j} ~~ z*y_{j}\n" for j in range(4))
LAGS = "".join(f"y_{j} ~~ k{k - j}*y_{k}\n" for j, k in combinations(range(4), 2))
OWN = "".join(f"y_{j} ~~ k{j}{k}*y_{k}\n" for j, k in combinations(range(4), 2))
IMPLIED = {
    HEAD + ONE + LAGS + "k2 == k1*k1/z\nk3 == k1*k2/z": "ar1",
    HEAD + ONE + LAGS + "z*k2 - k1^2 == 0\nk3/k2 == k2/k1": "ar1",
    HEAD + ONE + LAGS + "r := k1/z\nk2 == z*r^2\nk3 == z*r^3": "ar1",
    HEAD + ONE + LAGS + "k3 == k2^2/k1": "ar1+common",
    HEAD + ONE + LAGS + "k2 == k1\nk3 == k1": "cs",
    HEAD + ONE + LAGS: "toeplitz",
    HEAD + ONE + OWN + "k01 == k12\nk12 == k23\nk02 == k13": "toeplitz",
    HEAD + OWN.replace("k03*", "0*"): "banded:2",
    HEAD: "by_occasion",
    HEAD + "".join(f"y_{j} ~~ a{j}*y_{j}\n" for j in range(4)) + "a0 == a1\na1 == a2\na2 == a3": (
        "common"
    ),
}
"""Growth curve text with labels of its own, and what its constraints imply."""


@pytest.mark.parametrize("text", IMPLIED, ids=range(len(IMPLIED)))
def test_a_structure_is_recognised_by_what_it_implies(text: str) -> None:
    pair, _ = sem_pair(text, _frame(EQUAL), id="id", time="t")
    assert str(pair.growth.residual) == IMPLIED[text]
    rows = {row.key: row for row in pair.parameters}
    if IMPLIED[text] == "ar1":
        assert rows["residual:rho"].sem_name == "k1/z"
        assert rows["residual:rho"].rule.startswith("rho = k1/z")


NONE = {
    HEAD + "y_0 ~~ y_2": "y_0~~y_2",
    HEAD + ONE + LAGS + "k2 == k1^2/z": "y_0~~y_1, y_0~~y_2, y_0~~y_3, y_1~~y_2, ... with k2",
    HEAD + ONE + "y_0 ~~ 0.1*y_1": "y_0~~y_1",
    HEAD + "y_0 ~~ a*y_0\ny_1 ~~ b*y_1\na == 2*b": "residual variances with a == 2*b",
    HEAD + "y_0 ~~ a*y_0\ns ~~ b*s\na == b": "a == b",
}


@pytest.mark.parametrize("text", NONE, ids=range(len(NONE)))
def test_what_is_no_structure_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        sem_pair(text, _frame(EQUAL), id="id", time="t")
    assert [loss for loss in caught.value.losses if loss.what.startswith(NONE[text])]


def test_the_map_has_a_row_and_a_rule_for_every_residual_parameter() -> None:
    rows = {row.key: row for row in _mixed("ar1+common", EQUAL).parameters if not row.parents}
    assert rows["residual:ar1"].rule == "variance of the autoregressive part = c1**2/c2"
    assert rows["residual"].sem_name == "v - c1**2/c2"
    banded = {row.key: row for row in _mixed("banded:1", EQUAL).parameters if not row.parents}
    assert banded["residual:0:1"].sem_name == "y_0~~y_1"
    assert banded["residual:0:1"].kind == "residual_covariance"


def test_structures_that_coincide_over_few_occasions() -> None:
    def same(first: str, second: str, times: tuple[float, ...]) -> bool:
        return same_residual(ResidualStructure.parse(first), ResidualStructure.parse(second), times)

    assert same("ar1+common", "toeplitz", (0.0, 1.0, 2.0))
    assert not same("ar1+common", "toeplitz", (0.0, 1.0, 3.0))
    assert same("banded:2", "unstructured", (0.0, 1.0, 2.0))
    assert same("csh", "unstructured", (0.0, 1.0))
    assert not same("ar1", "toeplitz", EQUAL)
    assert not same("ar1", "ar1+common", EQUAL)
    assert not same("by_group:sex", "common", EQUAL)


def test_the_schema_alone_gives_the_same_translation() -> None:
    made = gm.translate("y ~ t + (1 | id)", "lavaan", data=_frame(UNEQUAL), residual="ar1")
    again = gm.translate("y ~ t + (1 | id)", "lavaan", schema=made.schema, residual="ar1")
    bare = gm.translate("y ~ t + (1 | id)", "lavaan", time_values=UNEQUAL, residual="ar1")
    assert made.text == again.text == bare.text


def test_covariances_without_growth_factors_are_a_marginal_model() -> None:
    text = "".join(f"y_{j} ~ 1\ny_{j} ~~ y_{j}\n" for j in range(4)) + "".join(
        f"y_{j} ~~ y_{k}\n" for j, k in combinations(range(4), 2)
    )
    made = gm.translate(text, "nlme", data=_frame(EQUAL), id="id", time="t")
    assert made.text.startswith("gls(y ~ 0 + factor(t), correlation = corSymm(")
    pair, _ = sem_pair(text, _frame(EQUAL), id="id", time="t")
    assert_same_model(pair, None)
