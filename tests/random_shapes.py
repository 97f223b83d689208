"""Random models of latent change, of cohorts, and of curves with one estimated rate.

Beside those of :mod:`random_growth`, and in the same form: each specification writes its own text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from hypothesis import strategies as st
from random_growth import FRAMES, Data

from growthmm.data.names import wide_columns
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

__all__ = ["ShapeText", "shapes"]

ShapeKind = Literal[
    "latent change", "cohorts", "one rate, nlme", "one rate, lavaan", "two parameters, nlme"
]

SEEN = 3
"""How many occasions each cohort has."""


@dataclass(frozen=True, repr=False)
class ShapeText:
    """A model whose text is lavaan's, or ``nlme()``'s."""

    text: str
    kind: ShapeKind
    data: Data
    estimator: str = "ml"

    def __repr__(self) -> str:
        return f"\n{self.text}\n  ({self.kind}, {self.estimator}; {self.data})"

    def pair(self) -> tuple[Pair, pd.DataFrame]:
        """Both forms, and long data."""
        frame = self.data.frame()
        if self.kind == "cohorts":
            frame = _by_cohort(frame, FRAMES[self.data.times])
        read = source(self.text, notation="nlme" if "nlme(" in self.text else "lavaan")
        facts = Facts(id="id", time="t")
        if "nlme(" not in self.text:
            facts = Facts(id="id", time="t", outcome="y", layout="long")
        pair, made = paired(read.model, frame, facts)
        assert made is not None
        return pair, made


def _by_cohort(frame: pd.DataFrame, times: tuple[float, ...]) -> pd.DataFrame:
    """Each cohort's rows at the occasions from its own first one on."""
    place = {time: k for k, time in enumerate(times)}
    at = frame["t"].map(place) - (frame["cohort"] - 1)
    return frame[(at >= 0) & (at < SEEN)].reset_index(drop=True)


def _data(times: tuple[str, ...] = tuple(FRAMES)) -> st.SearchStrategy[Data]:
    missing = st.sampled_from(("nothing", "outcomes", "rows"))
    return st.builds(Data, st.sampled_from(times), st.integers(1, 4), missing)


def _loadings(name: str, values: list[str], columns: list[str]) -> str:
    pairs = zip(values, columns, strict=True)
    return f"{name} =~ " + " + ".join(f"{value}*{y}" for value, y in pairs)


def _residuals(kind: str, columns: list[str]) -> list[str]:
    return [f"{y} ~~ {'v*' if kind == 'common' else ''}{y}" for y in columns]


@st.composite
def latent_change(draw: st.DrawFn) -> ShapeText:
    """Latent change scores: constant change, or change by known proportions."""
    data = draw(_data(("even", "six")))
    times = FRAMES[data.times]
    columns, n = list(wide_columns("y", times)), len(times)
    share = draw(st.sampled_from((None, None, "0.2", "-0.3")))
    covaried = draw(st.sampled_from(((), ("l0",), ("l0", "s"), ("s",))))
    lines = [f"l{k} =~ 1*{y}" for k, y in enumerate(columns)]
    for k in range(1, n):
        lines += [f"l{k} ~ 1*l{k - 1}", f"d{k} =~ 1*l{k}"]
        lines += [f"{x}{k} ~~ 0*{x}{k}\n{x}{k} ~ 0*1" for x in "ld"]
        if share is not None:
            lines.append(f"d{k} ~ {share}*l{k - 1}")
    lines.append("s =~ " + " + ".join(f"1*d{k}" for k in range(1, n)))
    lines += ["l0 ~~ l0", "s ~~ s", "l0 ~ 1", "s ~ 1", *(f"{y} ~ 0*1" for y in columns)]
    tie = draw(st.sampled_from(("l0 ~~ s", "l0 ~~ 0*s", "s ~ l0")))
    lines.append(tie)
    lines += [f"{factor} ~ x" for factor in covaried]
    lines += _residuals(draw(st.sampled_from(("common", "free"))), columns)
    if draw(st.booleans()):
        ws = wide_columns("w", times)
        lines += [f"{y} ~ bw*{w}" for y, w in zip(columns, ws, strict=True)]
    body = "\n".join(lines)
    # A regression among factors enters the means, which REML takes for linear.
    estimator = draw(st.sampled_from(("ml", "reml") if "~~" in tie else ("ml",)))
    return ShapeText(f"lavaan('\n{body}\n', fixed.x = TRUE)", "latent change", data, estimator)


@st.composite
def cohorts(draw: st.DrawFn) -> ShapeText:
    """Groups that share a growth model, or part of it, over occasions of their own."""
    data = draw(_data(("even", "six", "centred")))
    times = FRAMES[data.times]
    columns = [f"y{k + 1}" for k in range(SEEN)]
    shapes = {"i": lambda t: t**0, "s": lambda t: t}
    if draw(st.booleans()):
        shapes["q"] = lambda t: t * t
    lines = []
    for name, rule in shapes.items():
        scores = [[rule(times[g + k]) for g in range(3)] for k in range(SEEN)]
        cells = ["c(" + ", ".join(f"{v:.12g}" for v in own) + ")" for own in scores]
        lines.append(_loadings(name, cells, columns))

    def shared(name: str, pattern: tuple[int, ...]) -> str:
        return "c(" + ", ".join(f"{name}{g}" for g in pattern) + ")"

    patterns = ((0, 0, 0), (0, 0, 0), (0, 1, 1), (0, 1, 2))
    names = list(shapes)
    for a, first in enumerate(names):
        lines.append(f"{first} ~ {shared('m' + first, draw(st.sampled_from(patterns)))}*1")
        for second in names[a:]:
            zero = "q" in (first, second)
            label = "c(0, 0, 0)" if zero else shared("g" + first + second, (0, 0, 0))
            lines.append(f"{first} ~~ {label}*{second}")
    residual = draw(st.sampled_from(((0, 0, 0), (0, 1, 2))))
    lines += [f"{y} ~~ {shared('r', residual)}*{y}" for y in columns]
    if draw(st.booleans()):
        lines.append(f"i ~ {shared('b', (0, 0, 0))}*x")
    body = "\n".join(lines)
    text = f'growth(\'\n{body}\n\', group = "cohort", group.label = c("1", "2", "3"))'
    return ShapeText(text, "cohorts", data, draw(st.sampled_from(("ml", "reml"))))


CURVES = (
    "1 - exp(-g * t)",
    "exp(-g * t)",
    "exp(-exp(-g * (t - 1)))",
    "1/(1 + exp(-g * (t - 1)))",
    "t^g",
)
"""Curves of one parameter; the first has lavaan text of its own, too."""


TWO = ("exp(-exp(-g * (t - p)))", "1/(1 + exp(-g * (t - p)))", "t^g * exp(-p * t)")
"""Curves of two parameters, a rate and a place, say."""


@st.composite
def two_parameters(draw: st.DrawFn) -> ShapeText:
    """A curve with two estimated parameters, or two curves with one parameter each."""
    data = draw(_data(("even", "six")))
    random = draw(st.sampled_from(("b0 + b1", "b0", "b1")))
    shape = f"b0 + b1 * ({draw(st.sampled_from(TWO))})"
    fixed = draw(st.sampled_from(("b0 + b1 + g + p ~ 1", "list(b0 ~ x, b1 ~ 1, g ~ 1, p ~ 1)")))
    if draw(st.integers(0, 2)) == 2:
        shape = "b0 * exp(-g * t) + b1 * (1 - exp(-p * t))"
    weights = draw(st.sampled_from(("", ", weights = varIdent(form = ~ 1 | t)")))
    text = f"nlme(y ~ {shape}, fixed = {fixed}, random = {random} ~ 1 | id{weights})"
    return ShapeText(text, "two parameters, nlme", data)


@st.composite
def one_rate(draw: st.DrawFn) -> ShapeText:
    """A curve with one estimated parameter, by either side."""
    data = draw(_data(("even", "uneven", "six")))
    curve = draw(st.sampled_from(CURVES))
    if curve == CURVES[0] and draw(st.booleans()):
        return _constrained(draw, data)
    random = draw(st.sampled_from(("b0 + b1", "b0", "b1")))
    fixed = "b0 + b1 + g ~ 1"
    if draw(st.integers(0, 2)) == 2:
        fixed = "list(b0 ~ x, b1 ~ 1, g ~ 1)"
    if random == "b0 + b1" and draw(st.booleans()):
        random = "pdDiag(b0 + b1 ~ 1)"
    random = random if "pdDiag" in random else f"{random} ~ 1"
    grouped = f"list(id = {random})" if "pdDiag" in random else f"{random} | id"
    weights = draw(st.sampled_from(("", ", weights = varIdent(form = ~ 1 | t)")))
    text = f"nlme(y ~ b0 + b1 * ({curve}), fixed = {fixed}, random = {grouped}{weights})"
    return ShapeText(text, "one rate, nlme", data)


def _constrained(draw: st.DrawFn, data: Data) -> ShapeText:
    """The exponential as loadings with constraints, in any of three spellings."""
    times = FRAMES[data.times]
    columns = list(wide_columns("y", times))
    moved = [k for k, t in enumerate(times) if t != 0]
    labels = ["0" if t == 0 else f"a{k}" for k, t in enumerate(times)]
    lines = [_loadings("i", ["1"] * len(times), columns), _loadings("s", labels, columns)]
    if times[0] != 0:
        # lavaan fixes a first loading that has but a label.
        lines[1] += f" + NA*{columns[0]}"
    first = moved[0]
    unit = times[first]
    for k in moved[1:]:
        power = f"{times[k] / unit:.15g}"
        lines.append(
            draw(
                st.sampled_from(
                    (f"a{k} == 1 - (1 - a{first})^{power}", f"1 - a{k} == (1 - a{first})^{power}")
                )
            )
        )
    lines += _residuals(draw(st.sampled_from(("common", "free"))), columns)
    lines += draw(st.sampled_from(([], ["i ~~ 0*s"], ["i ~ x"], ["i ~ x", "s ~ x"])))
    return ShapeText("\n".join(lines) + "\n", "one rate, lavaan", data)


def shapes() -> st.SearchStrategy[ShapeText]:
    """A random model of latent change, of cohorts or of one rate."""
    return st.one_of(latent_change(), cohorts(), one_rate(), two_parameters())
