"""Condition 20: parallel processes are one mixed model of stacked rows."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from reference import case, long_frame, wide_frame

import growthmm as gm
from growthmm.errors import UnsupportedError

FORMULA = "y ~ 0 + proc + proc:time + (0 + proc + proc:time | id)"
DUMMIES = "y ~ 0 + dA + tA + dB + tB + (0 + dA + tA + dB + tB | id)"
NLME = (
    "lme(y ~ 0 + dA + tA + dB + tB, random = ~ 0 + dA + tA + dB + tB | id, "
    'weights = varIdent(form = ~ 1 | proc), method = "ML")'
)


@functools.cache
def verified(text: str, residual: str | None = None) -> Any:
    return gm.verify(text, long_frame("G_parallel_stacked.csv"), residual=residual)


@pytest.mark.parametrize(
    ("text", "residual"),
    [(FORMULA, "by_group:proc"), (DUMMIES, "by_group:proc"), (NLME, None)],
)
def test_stacked_formulas_are_identical_to_the_growth_curve(
    text: str, residual: str | None
) -> None:
    found = verified(text, residual)
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert all(level.passed for level in found.levels)
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(case("G01")["exact"]["ml"]["logLik"], abs=1e-6)
        assert fit.n_parameters == 16


def test_estimates_are_the_exact_ones() -> None:
    rows = verified(DUMMIES, "by_group:proc").parameters.set_index("mixed_name")
    expected = case("G01")["exact"]["ml"]
    names = {
        f"G[{a},{b}]": (a, b) for a in ("dA", "tA", "dB", "tB") for b in ("dA", "tA", "dB", "tB")
    }
    for key, value in expected["theta"].items():
        if key.startswith("R"):
            name = f"var(Residual[{key[2]}])"
        else:
            a, b = names[key]
            name = f"var({a}|id)" if a == b else f"cov({a},{b}|id)"
        for engine in ("long", "wide"):
            assert rows.loc[name, f"estimate_{engine}"] == pytest.approx(value, rel=1e-5)
    for name, value in expected["fixef"].items():
        assert rows.loc[name, "estimate_wide"] == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("file", "facts"),
    [
        ("G_parallel_wide.csv", {"id": "id"}),
        ("G_parallel_long.csv", {"id": "id", "time": "time"}),
        ("G_parallel_stacked.csv", {"id": "id", "time": "time", "outcome": "y"}),
    ],
)
def test_the_growth_curve_is_identical_to_the_stacked_formula(
    file: str, facts: dict[str, str]
) -> None:
    frame = wide_frame(file) if "wide" in file else long_frame(file)
    found = gm.verify(case("G01")["sem"]["model"], frame, **facts)
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert found.sem_fit.log_likelihood == pytest.approx(
        case("G01")["exact"]["ml"]["logLik"], abs=1e-6
    )
    fitted = gm.fit(case("G01")["sem"]["model"], frame, **facts)
    assert fitted.log_likelihood == pytest.approx(case("G01")["exact"]["ml"]["logLik"], abs=1e-6)


def test_residual_covariances_of_one_occasion_are_a_matrix_over_outcomes() -> None:
    model = case("G01")["sem"]["model"] + "\n" + "\n".join(f"a_{t} ~~ c*b_{t}" for t in range(5))
    frame = wide_frame("G_parallel_wide.csv")
    found = gm.verify(model, frame, id="id")
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    assert found.mixed_fit.n_parameters == found.sem_fit.n_parameters == 17
    assert found.mixed_fit.log_likelihood > case("G01")["exact"]["ml"]["logLik"]
    with pytest.raises(UnsupportedError) as refused:
        gm.translate(model, "lme4", data=frame, id="id")
    assert "corSymm(form = ~ as.integer(factor(outcome)) | id/time)" in str(refused.value)


def test_residual_covariances_of_two_occasions_are_refused() -> None:
    model = case("G01")["sem"]["model"] + "\na_0 ~~ b_1"
    frame = wide_frame("G_parallel_wide.csv")
    with pytest.raises(UnsupportedError, match="they are of two times"):
        gm.verify(model, frame, id="id")
    assert gm.fit(model, frame, id="id").n_parameters == 17
