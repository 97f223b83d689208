"""Condition 21: second-order growth has loadings that are parameters, or is a three-level model."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.errors import UnsupportedError

ITEMS, TIMES = "abc", range(3)


def text(loading: str = "1*", unique: str = "e*", state: str = "p*", item: bool = True) -> str:
    lines = []
    for t in TIMES:
        own = [f"{'1*' if k == 'a' else loading}{k}{t}" for k in ITEMS]
        lines.append(f"f{t} =~ {' + '.join(own)}")
    lines.append("i =~ " + " + ".join(f"1*f{t}" for t in TIMES))
    lines.append("s =~ " + " + ".join(f"{t}*f{t}" for t in TIMES))
    lines += [f"{k}{t} ~~ {unique}{k}{t}" for k in ITEMS for t in TIMES]
    lines += [f"f{t} ~~ {state}f{t}" for t in TIMES]
    lines += [f"f{t} ~ 0*1" for t in TIMES]
    lines += [f"{k}{t} ~ {f'm{k}*' if item else ''}1" for k in "bc" for t in TIMES]
    return "\n".join(lines)


@cache
def wide() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 120
    growth = rng.multivariate_normal([1, 0.5], [[1, 0.1], [0.1, 0.6]], n)
    states = growth @ np.array([[1, 1, 1], [0, 1, 2]]) + 0.5 * rng.normal(size=(n, 3))
    made = {
        f"{k}{t}": states[:, t] + shift + 0.6 * rng.normal(size=n)
        for k, shift in zip(ITEMS, (0.0, 0.4, -0.3), strict=True)
        for t in TIMES
    }
    frame = pd.DataFrame(made).mask(rng.uniform(size=(n, 9)) < 0.05)
    return frame.assign(id=range(n))


def stacked() -> pd.DataFrame:
    long = wide().melt(id_vars="id", value_name="y").dropna()
    return long.assign(item=long["variable"].str[0], t=long["variable"].str[1].astype(int))


def test_with_loadings_of_one_it_is_the_three_level_model() -> None:
    sem = gm.fit(text(), wide(), id="id")
    mixed = gm.fit("y ~ item + t + (1 + t | id) + (1 | id:t)", stacked())
    assert mixed.log_likelihood == pytest.approx(sem.log_likelihood, abs=1e-7)
    assert mixed.n_parameters == sem.n_parameters == 9
    ours = mixed.estimates.set_index("name")
    theirs = sem.estimates.set_index("name")
    for mixed_name, sem_name in (
        ("(Intercept)", "i~1"),
        ("t", "s~1"),
        ("itemb", "b0~1"),
        ("itemc", "c1~1"),
        ("var((Intercept)|id)", "i~~i"),
        ("cov((Intercept),t|id)", "i~~s"),
        ("var(t|id)", "s~~s"),
        ("var((Intercept)|id:t)", "f1~~f1"),
        ("var(Residual)", "a0~~a0"),
    ):
        here, there = ours.loc[mixed_name], theirs.loc[sem_name]
        assert abs(here["estimate"] - there["estimate"]) < 1e-5 * there["std_error"]


def test_the_three_level_form_is_named() -> None:
    with pytest.raises(UnsupportedError, match="3 items at each of 3 occasions") as caught:
        gm.translate(text(), "lme4")
    assert "y ~ item + t + (1 + t | id) + (1 | id:t)" in str(caught.value)


def test_estimated_loadings_are_no_linear_mixed_model() -> None:
    free = text(loading="lb*")
    with pytest.raises(UnsupportedError, match="condition 21") as caught:
        gm.translate(free, "lme4")
    assert "estimated loadings f0=~b0" in str(caught.value)
    found = gm.fit(free, wide(), id="id")
    assert found.convergence.converged
    assert found.log_likelihood > gm.fit(text(), wide(), id="id").log_likelihood - 1e-9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"unique": ""}, "unique variances that differ"),
        ({"state": ""}, "variances of f0, f1, f2 that differ"),
        ({"item": False}, r"intercepts of item 2 \(b0, b1, b2\) that differ"),
        ({"loading": "2*"}, "loadings f0=~b0 = 2"),
    ],
)
def test_what_keeps_it_from_being_one_is_named(changed: dict[str, object], message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        gm.translate(text(**changed), "lme4")  # type: ignore[arg-type]
