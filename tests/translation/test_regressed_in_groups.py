"""Outcomes that persons have once, and regressions among growth factors, in several groups."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from two_sides import long_frame, mixed_pair, sem_pair

import growthmm as gm
from growthmm.equivalence import evidence
from growthmm.errors import UnsupportedError
from growthmm.translation.pair import pair_from_mixed, same_growth

TIMES = range(4)
FACTORS = "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3\ns =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3\n"
SHARED = "i ~~ c(a, a)*i\ni ~~ c(b, b)*s\ns ~~ c(d, d)*s\n"


@cache
def _wide() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = 240
    male = np.arange(n) % 2
    level = rng.normal(size=n) * (1 + 0.4 * male)
    slope = 0.4 * rng.normal(size=n) + 0.2 * level
    frame = pd.DataFrame({"id": np.arange(n), "sex": np.where(male, "m", "f")})
    frame["x"] = rng.normal(size=n)
    for t in TIMES:
        grown = 2 + level + (0.5 + slope) * t + 0.3 * frame["x"]
        frame[f"y_{t}"] = grown + rng.normal(size=n) * 0.6
    own = 0.5 * level - 0.8 * slope * (1 + male) + 0.2 * frame["x"]
    frame["z"] = 1 + own + 0.3 * male + rng.normal(size=n)
    return frame


def _text(lines: str, residual: str = "v") -> str:
    rows = "\n".join(f"y_{t} ~~ {residual}*y_{t}" for t in TIMES)
    return f"growth('{FACTORS}{rows}\n{lines}', group = \"sex\")"


SAME = {
    "own paths": (_text("z ~ 1 + i + s"), 19),
    "own residuals": (_text("z ~ 1 + i + s", "c(v, u)"), 20),
    "a covariate": (_text("z ~ 1 + i + s + x\ni ~ x\ns ~ x"), 23),
    "paths shared with all they follow from": (
        _text(SHARED + "z ~ 1 + c(p, p)*i + c(q, q)*s\nz ~~ c(r, r)*z"),
        13,
    ),
    "paths shared, the variance not": (_text(SHARED + "z ~ 1 + c(p, p)*i + c(q, q)*s"), 14),
    "a slope on an intercept": (_text("s ~ i"), 11),
    "a shared slope on an intercept": (
        _text("s ~ c(p, p)*i\ni ~~ c(a, a)*i\ns ~~ c(d, d)*s"),
        8,
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_just_identified_in_each_group_is_the_same_model(name: str) -> None:
    text, count = SAME[name]
    found = gm.verify(text, _wide(), id="id")
    assert found.verdict == "identical"
    assert all(level.passed for level in found.levels)
    assert len(found.pair.sem.model.free_parameters) == count
    # The mixed model, written as a curve again, is that model too.
    again = pair_from_mixed(found.pair.mixed)
    assert same_growth(found.pair.growth, again.growth) is None
    assert evidence.moments(evidence.compare_pair_moments(again, draws=2)).passed


TIED = {
    "one path": (_text("z ~ 1 + c(p, p)*i + s"), "the label p on z in groups that differ"),
    "the variance": (_text("z ~ 1 + i + s\nz ~~ c(r, r)*z"), "the label r on z"),
    "the intercept": (_text("z ~ c(k, k)*1 + i + s"), "the label k on z"),
    "a slope on an intercept": (_text("s ~ c(p, p)*i"), "the label p on s"),
    "the residual variance of a slope": (_text("s ~ i\ns ~~ c(d, d)*s"), "the label d on s"),
}


@pytest.mark.parametrize("name", TIED)
def test_groups_that_share_part_of_it_tie_products(name: str) -> None:
    text, what = TIED[name]
    found = gm.verify(text, _wide(), id="id")
    assert found.verdict == "not_representable"
    assert any(loss.what.startswith(what) for loss in found.losses)


def test_the_map_says_of_which_group_each_row_is() -> None:
    found = gm.verify(SAME["own paths"][0], _wide(), id="id")
    rows = found.parameters.set_index("sem_name")
    assert rows.loc["z~i.g2", "sem_syntax"] == "z~i.g2 in m"
    assert rows.loc["z~~z", "rule"].endswith("in f")
    made = gm.verify(SAME["a slope on an intercept"][0], _wide(), id="id").parameters
    rules = dict(zip(made["mixed_name"], made["sem_name"], strict=True))
    assert rules["time:sexm"] == "(s~1.g2 + s~i.g2 * i~1.g2) - (s~1 + s~i * i~1)"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("i ~ c(m, n)*1\ns ~ c(n, k)*1", "the mean of i and the mean of s equal in different"),
        ("i ~ c(m, n)*1\ns ~~ c(m, k)*s", "the mean of i and the variance of s equal"),
    ],
)
def test_one_label_over_parameters_of_different_kinds_names_them(lines: str, why: str) -> None:
    facts: dict[str, Any] = {"id": "id"}
    with pytest.raises(UnsupportedError) as refused:
        sem_pair(_text(lines), _wide(), **facts)
    (loss,) = refused.value.losses
    assert why in loss.why
    assert "growthmm fit" in loss.nearest
    assert gm.fit(_text(lines), _wide(), id="id").convergence.converged


def test_a_time_varying_covariate_of_one_group_is_shown_as_the_curve_has_it() -> None:
    frame = long_frame(n_persons=24)
    text = 'y ~ t * sex + w:I(1 * (sex == "male")) + (0 + I(1 * (sex == "male")) | id)'
    rows = mixed_pair(text, frame, time="t").parameters
    row = next(row for row in rows if row.mixed_name.startswith("w:"))
    assert row.sem_syntax == "y_0 ~ b*w_0, ... (one label) in male"
