"""Random growth models of several outcomes, levels and cohorts, of latent change and of one rate.

Beside those of :mod:`random_growth`, and in the same form: each specification writes its own text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import NDArray

from growthmm.data.names import wide_columns
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

__all__ = ["Design", "LevelText", "OutcomeText", "Stacked", "designs"]

FloatArray = NDArray[np.float64]

FEMALE, MALE = 'I(1 * (sex == "f"))', 'I(1 * (sex == "m"))'

CALENDARS: dict[str, dict[str, tuple[float, ...]]] = {
    "alike": {"b": (0.0, 1.0, 2.0, 3.0), "a": (0.0, 1.0, 2.0, 3.0)},
    "unlike": {"b": (0.0, 1.0, 2.0, 3.0), "a": (0.0, 1.0, 3.0)},
    "three": {"c": (0.0, 1.0, 2.0), "a": (0.0, 1.0, 2.0), "b": (0.0, 1.0, 2.0)},
    "uneven": {"a": (-1.0, 0.5, 2.0, 4.0), "b": (-1.0, 0.5, 2.0, 4.0)},
}
"""Times of each outcome, the outcomes in an order of their own."""


@dataclass(frozen=True)
class Design:
    """What rows there are: the calendar, the seed, and whether some are missing."""

    calendar: str = "alike"
    seed: int = 1
    missing: bool = False

    def frame(self) -> pd.DataFrame:
        """Stacked rows of children in schools."""
        return _rows(self.calendar, self.seed, self.missing).copy()

    def __str__(self) -> str:
        return f"{self.calendar} times{', rows missing' if self.missing else ''}, seed {self.seed}"


@cache
def _rows(calendar: str, seed: int, missing: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    outcomes = CALENDARS[calendar]
    made = []
    for child in range(48):
        x, z = rng.normal(size=2)
        w = {t: rng.normal() for times in outcomes.values() for t in times}
        for of, times in outcomes.items():
            level, slope = rng.normal(size=2)
            made += [
                (child // 4, child, t, of, x, "fm"[child % 2], w[t], level + slope * t + z)
                for t in times
            ]
    frame = pd.DataFrame(made, columns=["school", "id", "t", "of", "x", "sex", "w", "y"])
    homes = rng.normal(size=(12, 2))
    frame["z"] = homes[frame["school"], 0]
    frame["y"] += homes[frame["school"], 1] + rng.normal(size=len(frame))
    keep = rng.random(len(frame)) > (0.15 if missing else 0.0)
    return frame[keep].reset_index(drop=True)


@dataclass(frozen=True, repr=False)
class Stacked:
    """A mixed model of rows of several outcomes, or of persons in clusters."""

    text: str
    residual: str
    estimator: str
    data: Design

    def __repr__(self) -> str:
        return f"\n  {self.text} ; residual={self.residual}, {self.estimator}\n  ({self.data})"

    @property
    def kind(self) -> str:
        """What it is."""
        levels = "| school" in self.text
        return "three levels of several outcomes" if levels else "parallel processes, formula"

    def pair(self) -> tuple[Pair, pd.DataFrame]:
        """Both forms, and stacked rows."""
        frame = self.data.frame()
        read = source(self.text, notation="lme4", residual=self.residual)
        return paired(read.model, frame, Facts(id="id", time="t"))[0], frame


@dataclass(frozen=True, repr=False)
class LevelText:
    """Persons in clusters with one outcome: a formula, or a growth curve of two levels."""

    text: str
    notation: str
    data: Design
    estimator: str = "ml"

    def __repr__(self) -> str:
        return f"\n{self.text}\n  ({self.notation}; {self.data})"

    @property
    def kind(self) -> str:
        """What it is."""
        return "three levels, " + ("formula" if self.notation == "lme4" else "lavaan")

    def pair(self) -> tuple[Pair, pd.DataFrame]:
        """Both forms, and long data."""
        frame = self.data.frame()
        frame = frame[frame["of"] == "a"].drop(columns="of").reset_index(drop=True)
        read = source(self.text, notation=self.notation)
        facts = Facts(id="id", time="t", outcome=None if self.notation == "lme4" else "y")
        return paired(read.model, frame, facts)[0], frame


@dataclass(frozen=True, repr=False)
class OutcomeText:
    """A growth curve of several outcomes: lavaan text over the times of a calendar."""

    text: str
    data: Design
    estimator: str = "ml"

    def __repr__(self) -> str:
        return f"\n{self.text}  ({self.data})"

    @property
    def kind(self) -> str:
        """What it is."""
        return "parallel processes, lavaan"

    def pair(self) -> tuple[Pair, pd.DataFrame]:
        """Both forms, and stacked rows."""
        frame = self.data.frame()
        read = source(self.text, notation="lavaan")
        pair, made = paired(read.model, frame, Facts(id="id", time="t", outcome="y"))
        assert made is not None
        return pair, made


def _designs(calendars: Sequence[str]) -> st.SearchStrategy[Design]:
    return st.builds(Design, st.sampled_from(tuple(calendars)), st.integers(1, 3), st.booleans())


INSIDE = ("0 + of", "0 + of + of:t", "1", "t")


@st.composite
def stacked(draw: st.DrawFn) -> Stacked:
    """A random mixed model of stacked rows."""
    data = draw(_designs(tuple(CALENDARS)))
    trend = draw(
        st.sampled_from(("0 + of + of:t", "0 + of + of:t + of:I(t^2)", "of + t", "of * t"))
    )
    terms = [trend]
    terms += draw(
        st.lists(
            st.sampled_from(("of:x", "x", "of:t:x", "of:sex", "w", "of:w", "x:t")),
            max_size=2,
            unique=True,
        )
    )
    kind = draw(st.sampled_from(("plain", "plain", "apart", "groups", "levels")))
    level = "0 + of" if trend.startswith("0") else "1"
    slope = f"{level} + {'of:t' if level != '1' else 't'}"
    whole = draw(st.sampled_from((level, slope)))
    first = CALENDARS[data.calendar]["a"][0]
    residual = draw(
        st.sampled_from(
            (
                *("common", "by_occasion", "by_group:of", "by_group:of:by_occasion"),
                f"by_group:of:by_occasion:a,{first:g}|b,{first:g}",
                *("across:of", "across:of:by_occasion"),
            )
        )
    )
    if kind == "apart":
        terms += [f"({level} | id)", "(0 + of:t | id)"] if level != "1" else [f"({slope} || id)"]
    elif kind == "groups":
        inside = " + ".join(f"{{0}}:{part}" for part in whole.removeprefix("0 + ").split(" + "))
        inside = inside.replace("{0}:1", "{0}")
        terms += [f"(0 + {inside.format(who)} | id)" for who in (FEMALE, MALE)]
        residual = draw(st.sampled_from((residual, "by_group:sex")))
    elif kind == "levels":
        outer = draw(st.sampled_from((level, slope)))
        terms += [f"({whole} | id)", f"({outer} | school)"]
        if draw(st.booleans()):
            terms.insert(1, "z")
        residual = "common"
    else:
        terms.append(f"({whole} | id)")
    estimator = "ml" if kind == "levels" else draw(st.sampled_from(("ml", "reml")))
    return Stacked(f"y ~ {' + '.join(terms)}", residual, estimator, data)


BASES = {
    "intercept": {},
    "linear": {"s": lambda t: t},
    "quadratic": {"s": lambda t: t, "q": lambda t: t**2},
    "decay": {"s": lambda t: np.exp(-0.5 * t)},
    "centred": {"s": lambda t: t - 1},
}
"""Loadings of the factors beside the intercept at the times."""


def _factors(name: str, basis: str, times: tuple[float, ...]) -> dict[str, FloatArray]:
    t = np.array(times)
    made = {f"i_{name}": np.ones(len(t))}
    return made | {f"{letter}_{name}": rule(t) for letter, rule in BASES[basis].items()}


def _loading_line(factor: str, values: FloatArray, columns: Sequence[str]) -> str:
    pairs = zip(values, columns, strict=True)
    return f"{factor} =~ " + " + ".join(f"{value:.12g}*{y}" for value, y in pairs)


@st.composite
def outcome_texts(draw: st.DrawFn) -> OutcomeText:
    """A random growth curve of several outcomes."""
    data = draw(_designs(tuple(CALENDARS)))
    calendar = CALENDARS[data.calendar]
    columns = {name: wide_columns(name, times) for name, times in calendar.items()}
    factors: dict[str, list[str]] = {}
    lines = []
    for name, times in calendar.items():
        made = _factors(name, draw(st.sampled_from(tuple(BASES))), times)
        factors[name] = list(made)
        lines += [_loading_line(f, values, columns[name]) for f, values in made.items()]
    if draw(st.booleans()):
        first, *others = factors.values()
        lines += [f"{a} ~~ 0*{b}" for a in first for own in others for b in own]
    kind = draw(st.sampled_from(("one", "outcome", "time", "free", "across", "each")))
    label = {"one": "v*", "outcome": "v_{0}*", "across": "v_{0}*", "time": "u{1}*"}.get(kind, "")
    places = {time: k for k, time in enumerate(sorted({t for ts in calendar.values() for t in ts}))}
    at = {
        (name, t): y
        for name, ts in calendar.items()
        for t, y in zip(ts, columns[name], strict=True)
    }
    lines += [f"{y} ~~ {label.format(name, places[t])}{y}" for (name, t), y in at.items()]
    if kind in ("across", "each"):
        lines += [
            f"{y} ~~ {f'k_{a}_{b}*' if kind == 'across' else ''}{at[b, t]}"
            for (a, t), y in at.items()
            for b in calendar
            if a < b and (b, t) in at
        ]
    every = [f for own in factors.values() for f in own]
    for name in draw(st.lists(st.sampled_from(("x", "level", "w")), max_size=2, unique=True)):
        if name == "x":
            lines += [f"{f} ~ x" for f in draw(st.sampled_from((every, every[:1], every[-1:])))]
        elif name == "level":
            lines.append(f"{every[-1]} ~ 0*1")
        else:
            chosen = draw(st.sampled_from(tuple(calendar)))
            ws = wide_columns("w", calendar[chosen])
            lines += [f"{y} ~ bw*{w}" for y, w in zip(columns[chosen], ws, strict=True)]
    return OutcomeText("\n".join(lines) + "\n", data, draw(st.sampled_from(("ml", "reml"))))


@st.composite
def level_texts(draw: st.DrawFn) -> LevelText:
    """A random model of persons in clusters, by either side."""
    data = draw(_designs(("alike", "uneven")))
    if draw(st.booleans()):
        trend = draw(st.sampled_from(("t", "1", "t + I(t^2)", "factor(t)", "poly(t, 2)")))
        inner, outer = (draw(st.sampled_from(("t", "1", "t"))) for _ in range(2))
        terms = [trend, *draw(st.lists(st.sampled_from(("x", "z", "x:t", "z:t", "w", "sex"))))[:3]]
        bars = draw(st.sampled_from(("|", "||")))
        group = draw(st.sampled_from((f"({outer} | school)", f"({outer} || school)")))
        text = f"y ~ {' + '.join(dict.fromkeys(terms))} + ({inner} {bars} id) + {group}"
        return LevelText(text, "lme4", data)
    times = CALENDARS[data.calendar]["a"]
    columns = wide_columns("y", times)
    rules = {"i": np.ones(len(times)), "s": np.array(times)}
    lines = ["level: 1", *(_loading_line(f, v, columns) for f, v in rules.items())]
    lines += [f"{y} ~~ v*{y}" for y in columns]
    lines += draw(st.sampled_from(([], ["i ~~ 0*s"], ["s ~~ 0*s", "i ~~ 0*s"], ["i ~ x", "s ~ x"])))
    lines += ["i ~ 0*1", "s ~ 0*1", "level: 2"]
    lines += [_loading_line(f"{f}b", v, columns) for f, v in rules.items()]
    lines += [f"{y} ~~ 0*{y}" for y in columns]
    lines += draw(st.sampled_from(([], ["ib ~~ 0*sb", "sb ~~ 0*sb"], ["ib ~ z"], ["ib ~~ 0*sb"])))
    body = "\n".join(lines)
    return LevelText(f"growth('\n{body}\n', cluster = \"school\")\n", "lavaan", data)


def designs() -> st.SearchStrategy[Stacked | OutcomeText | LevelText]:
    """A random growth model of several outcomes, of levels, or of both."""
    return st.one_of(stacked(), outcome_texts(), level_texts())
