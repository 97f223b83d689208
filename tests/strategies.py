"""Hypothesis strategies: random growth models with data that they fit.

>>> text, residual, frame = growth_models().example()  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from two_sides import long_frame

__all__ = ["GrowthExample", "growth_models", "occasions"]

TREND = {
    "1": ("1",),
    "0 + t": ("0 + t",),
    "t": ("1", "t"),
    "t + I(t^2)": ("1", "t", "t + I(t^2)"),
    "poly(t, 2)": ("1", "t", "poly(t, 2)"),
    "poly(t, 2, raw = TRUE)": ("1", "t"),
    "I((t - 1)/2)": ("1", "I((t - 1)/2)"),
    "scale(t)": ("1", "scale(t)"),
    "knot": ("1", "knot"),
    "pmin(t, 1)": ("1", "pmin(t, 1)"),
    "factor(t)": ("1", "t"),
    "0 + factor(t)": ("1", "t"),
}
"""Fixed functions of time, and the random ones that go with each."""

SLOPE = ("t", "I((t - 1)/2)", "scale(t)", "knot", "poly(t, 2)")

PERSON = ("x", "z", "sex", "arm", "yes", "C(arm, contr.sum)", "C(arm, contr.helmert)", "x:sex")

VARYING = ("w", "w2", "mood", "w:x", "w:sex", "t:w", "w:factor(t)")


@dataclass(frozen=True)
class GrowthExample:
    """A model with its data.

    Parameters
    ----------
    text : str
        A formula in lme4's notation; its person is ``id``, its time ``t``.
    residual : str
        ``common`` or ``by_occasion``.
    frame : DataFrame
        Long data.
    """

    text: str
    residual: str
    frame: pd.DataFrame

    def __repr__(self) -> str:
        times = ", ".join(f"{t:g}" for t in np.unique(self.frame["t"]))
        return f"<{self.text} ; residual={self.residual}, {len(self.frame)} rows at {times}>"


@st.composite
def occasions(draw: st.DrawFn) -> tuple[float, ...]:
    """Three to six distinct times around 1, spaced evenly or not."""
    n = draw(st.integers(3, 6))
    start = draw(st.sampled_from((0.0, -1.0, -1.5, 0.25)))
    steps = draw(st.lists(st.sampled_from((0.5, 1.0, 1.0, 2.0, 0.75)), min_size=n, max_size=n))
    times = start + np.cumsum([0.0, *steps[1:]])
    return tuple(float(t) for t in times)


@st.composite
def growth_models(draw: st.DrawFn) -> GrowthExample:
    """A random growth model that is identified, and long data for it.

    Fixed and random functions of time, correlated or not; person-level covariates, numeric and
    categorical in any coding, on the intercept and on slopes; time-varying covariates with one
    effect, an effect an occasion or an effect that moves; missing outcomes and missing rows.
    """
    times = draw(occasions())
    trend = draw(st.sampled_from(sorted(TREND)))
    persons = draw(st.lists(st.sampled_from(PERSON), max_size=2, unique=True))
    if sum("arm" in name for name in persons) > 1:
        persons = persons[:1]
    varying = draw(st.lists(st.sampled_from(VARYING), max_size=2, unique=True))
    if "w:factor(t)" in varying:
        varying = ["w:factor(t)"]
    terms = [trend, *persons, *varying]
    slopes = [name for name in SLOPE if name == trend or (name == "t" and trend == "t + I(t^2)")]
    if slopes and persons and draw(st.booleans()):
        terms.append(f"{slopes[0]}:{persons[0]}")
    inside = draw(st.sampled_from(TREND[trend]))
    bars = draw(st.sampled_from(("|", "||", "apart")))
    alone = inside in ("1", "0 + t")
    if len(times) < 4 and inside not in ("1", "0 + t", "t"):
        inside, alone = "1", True
    if bars == "apart" and not alone:
        random = f"(1 | id) + (0 + {inside} | id)"
    else:
        random = f"({inside} {'|' if alone or bars == 'apart' else bars} id)"
    frame = long_frame(
        times,
        n_persons=draw(st.integers(30, 40)),
        seed=draw(st.integers(0, 10_000)),
        missing=draw(st.sampled_from((0.0, 0.0, 0.2))),
    )
    if draw(st.booleans()):
        frame = frame.sample(frac=0.9, random_state=draw(st.integers(0, 99))).sort_index()
    text = f"y ~ {' + '.join(terms)} + {random}"
    return GrowthExample(text, draw(st.sampled_from(("common", "by_occasion"))), frame)
