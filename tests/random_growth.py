"""Random growth models of every kind, from either side, with data that they fit.

A specification names what a model is made of and writes its own text, so that a failure shrinks
to few parts and prints as a formula or as lavaan text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import NDArray
from two_sides import long_frame

from growthmm.data.lagging import with_lagged
from growthmm.data.names import wide_columns
from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import long_data, wide_data
from growthmm.equivalence import evidence
from growthmm.equivalence.correspondence import correspondence, restricted_shift
from growthmm.equivalence.moment_functions import MixedMoments
from growthmm.equivalence.points import admissible
from growthmm.equivalence.referee import referee_log_likelihood
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

__all__ = [
    "KNOWN_LOSSES",
    "CurveText",
    "Data",
    "Formula",
    "Specification",
    "evidence_against",
    "plain",
]

FloatArray = NDArray[np.float64]

RELATIVE = 1e-8
"""How far log-likelihoods may differ at the same values, as ``verify`` has it."""

KNOWN_LOSSES = (
    # Beside random effects of the groups of another column.
    "residual variances by_group:",
    "residuals by_group:",
    # AR(1) by lag where occasions are not evenly spaced; equal covariances of neighbours there.
    "y_0~~y_0.5, y_0~~y_2",
    # An effect of a category on a factor without a mean: formulas code every level of it.
    "fixed effects ",
    # A regression of factors where a covariate acts on the first alone: full mediation.
    "s~l0",
)
"""How what is lost begins, where a specification has no counterpart."""

FRAMES = {
    "even": (0.0, 1.0, 2.0, 3.0, 4.0),
    "uneven": (0.0, 0.5, 2.0, 3.0, 5.0),
    "centred": (-2.0, -1.0, 0.0, 1.0, 2.0),
    "six": (0.25, 1.25, 2.25, 3.25, 4.25, 5.25),
}
"""Shared occasions by name."""

TRENDS = {
    "t": ("1", "t"),
    "1": ("1",),
    "t + I(t^2)": ("1", "t", "t + I(t^2)"),
    "0 + t": ("1", "0 + t"),
    "poly(t, 2)": ("1", "t", "poly(t, 2)"),
    "knot": ("1", "knot"),
    "t + knot": ("1", "t", "t + knot"),
    "pmin(t, 1) + pmax(t - 1, 0)": ("1", "pmin(t, 1) + pmax(t - 1, 0)"),
    "I((t - 1)/2)": ("1", "I((t - 1)/2)"),
    "scale(t)": ("1", "scale(t)"),
    "exp(-0.4 * t)": ("1", "exp(-0.4 * t)"),
    "ns(t, df = 2)": ("1", "t", "ns(t, df = 2)"),
    "bs(t, df = 3)": ("1", "t"),
    "t + phase": ("1", "t"),
    "factor(t)": ("1", "t"),
    "0 + factor(t)": ("1", "t"),
}
"""Fixed functions of time, and the random ones that go with each."""

BY_PERSON = ("t", "1", "t + I(t^2)", "poly(t, 2)", "log(t + 3)", "pmax(t - 1, 0) + t")
"""Functions of time that have values at any time."""

PERSON = ("x", "sex", "arm", "z", "yes", "C(arm, contr.sum)", "x:sex", "t:x", "t:sex")
VARYING = (
    *("w", "w + w2", "t:w", "w:x", "w:sex", "mood", "w:factor(t)"),
    *("lag(w)", "w + lag(w)", "lag(w):x", "t:lag(w)", "lag(w):w2", "lag(w, 2)"),
)

RESIDUALS = {
    "1": (
        *("common", "by_occasion", "ar1", "ar1+common", "arh1", "by_group:sex", "by_group:arm"),
        *("by_group:sex:ar1", "by_group:arm:ar1:a|c", "by_group:sex:unstructured"),
        *("cs", "csh", "toeplitz", "banded:1", "unstructured"),
    ),
    "0": (
        "cs",
        "csh",
        "toeplitz",
        "banded:2",
        "unstructured",
        "ar1",
        "arh1",
        "common",
        "by_group:sex:csh",
    ),
    "t": (
        *("common", "by_occasion", "ar1", "by_group:sex", "by_group:arm", "banded:1"),
        "by_group:sex:ar1",
    ),
}
"""Residual structures that leave a model with such random effects identified."""

MALE, FEMALE = 'I(1 * (sex == "male"))', 'I(1 * (sex == "female"))'


@cache
def _shared_frame(times: str, seed: int, missing: str, individual: bool) -> pd.DataFrame:
    frame = long_frame(
        FRAMES[times], n_persons=36, seed=seed, missing=0.15 if missing == "outcomes" else 0.0
    )
    if missing == "rows":
        frame = frame.sample(frac=0.9, random_state=seed).sort_index()
    if individual:
        shift = np.random.default_rng(seed).uniform(-0.4, 0.4, len(frame))
        frame["t"] = (frame["t"] + shift).round(3)
    return frame


@dataclass(frozen=True)
class Data:
    """What the rows are: occasions, seed, what is missing, whether times differ by person."""

    times: str = "even"
    seed: int = 1
    missing: str = "nothing"
    individual: bool = False

    def frame(self) -> pd.DataFrame:
        """Long data."""
        return _shared_frame(self.times, self.seed, self.missing, self.individual).copy()

    def __str__(self) -> str:
        own = ", each person's own" if self.individual else ""
        return f"{self.times} times{own}, {self.missing} missing, seed {self.seed}"


@dataclass(frozen=True, repr=False)
class Formula:
    """A mixed model: a formula with a residual structure and an estimator."""

    text: str
    residual: str
    estimator: str
    data: Data

    @property
    def kind(self) -> str:
        """What it is."""
        return "individual times, formula" if self.data.individual else "formula"

    def __repr__(self) -> str:
        return f"\n  {self.text} ; residual={self.residual}, {self.estimator}\n  ({self.data})"

    def pair(self) -> tuple[Pair, pd.DataFrame]:
        """Both forms, and long data."""
        frame = self.data.frame()
        read = source(self.text, notation="lme4", residual=self.residual)
        return paired(read.model, frame, Facts(id="id", time="t"))[0], frame


@dataclass(frozen=True, repr=False)
class CurveText:
    """A latent growth curve: lavaan text over the occasions of `data`."""

    text: str
    estimator: str
    data: Data

    @property
    def kind(self) -> str:
        """What it is."""
        return "lavaan, groups" if "group =" in self.text else "lavaan"

    def __repr__(self) -> str:
        return f"{self.text}  ({self.estimator}; {self.data})"

    def pair(self) -> tuple[Pair, pd.DataFrame]:
        """Both forms, and long data."""
        read = source(self.text, notation="lavaan")
        facts = Facts(id="id", time="t", outcome="y", layout="long")
        pair, frame = paired(read.model, self.data.frame(), facts)
        assert frame is not None
        return pair, frame


Specification = Formula | CurveText


def _random(inside: str, bars: str, individual: bool, draw: st.DrawFn) -> str:
    """The random effects: in one block, apart, by group, or with a covariate's slope."""
    kind = draw(st.sampled_from(("plain", "plain", "by group", "slope", "own slope")))
    if kind == "by group" and not individual:
        more = "" if inside == "1" else f" + {{0}}:{inside.removeprefix('0 + ')}"
        blocks = [f"(0 + {{0}}{more} | id)".format(sex) for sex in (FEMALE, MALE)]
        if "+" not in inside.removeprefix("0 + ") and not inside.startswith("0"):
            return " + ".join(blocks)
    if kind == "own slope":
        # In one group alone, or of each group, or more in one group than in the other.
        more = draw(st.sampled_from((f"{FEMALE}:w", "sex:w", "x", f"{FEMALE}:t")))
        if more != f"{FEMALE}:t" or inside in ("1", "t"):
            return f"({inside} | id) + (0 + {more} | id)"
    if kind == "slope":
        return f"({inside} + w {bars if bars != 'apart' else '||'} id)"
    if bars == "apart" and not inside.startswith("0") and inside != "1":
        return f"(1 | id) + (0 + {inside} | id)"
    return f"({inside} {'|' if bars == 'apart' or inside == '1' else bars} id)"


@st.composite
def formulas(draw: st.DrawFn) -> Formula:
    """A random mixed model."""
    individual = draw(st.integers(0, 4)) == 4
    trend = draw(st.sampled_from(BY_PERSON if individual else tuple(TRENDS)))
    inside = draw(st.sampled_from(("1", "t") if individual else TRENDS[trend]))
    terms = [trend]
    terms += draw(st.lists(st.sampled_from(PERSON), max_size=2, unique=True))
    terms += draw(st.lists(st.sampled_from(VARYING), max_size=1))
    if sum("arm" in term for term in terms) > 1:
        terms.remove("arm")
    if individual:
        terms = [term for term in terms if "factor" not in term]
    bars = draw(st.sampled_from(("|", "||", "apart")))
    none = not individual and draw(st.integers(0, 7)) == 7
    if none:
        residual = draw(st.sampled_from(RESIDUALS["0"]))
    elif individual:
        residual = "common"
    else:
        residual = draw(st.sampled_from(RESIDUALS["1" if inside == "1" else "t"]))
        if residual == "banded:1" and inside not in ("1", "t"):
            residual = "by_occasion"
    if not none:
        terms.append(_random(inside, bars, individual, draw))
    estimator = draw(st.sampled_from(("ml", "reml")))
    if trend == "0 + factor(t)" and "C(arm, contr.sum)" in terms:
        # Means of groups whose sum is zero are a constraint, under which REML has no constant.
        estimator = "ml"
    return Formula(f"y ~ {' + '.join(terms)}", residual, estimator, draw(_data(individual)))


def _data(individual: bool = False) -> st.SearchStrategy[Data]:
    return st.builds(
        Data,
        st.sampled_from(tuple(FRAMES)),
        st.integers(1, 5),
        st.sampled_from(("nothing", "outcomes", "rows")),
        st.just(individual),
    )


def _loadings(name: str, values: list[str], times: tuple[float, ...]) -> str:
    pairs = zip(values, wide_columns("y", times), strict=True)
    return f"{name} =~ " + " + ".join(f"{value}*{y}" for value, y in pairs)


def _number(value: float) -> str:
    return f"{value:.12g}"


SHAPES: dict[str, dict[str, Callable[[FloatArray], FloatArray]]] = {
    "linear": {"s": lambda t: t},
    "intercept": {},
    "centred": {"s": lambda t: t - 1},
    "unit": {"s": lambda t: t / 2},
    "quadratic": {"s": lambda t: t, "q": np.square},
    "two slopes": {"s": lambda t: np.minimum(t, 1), "q": lambda t: np.maximum(t - 1, 0)},
    "change of slope": {"s": lambda t: t, "q": lambda t: np.maximum(t - 1, 0)},
    "table": {"s": lambda t: np.array([0, 0.7, 0.2, 5, 1.5, 2.25])[: len(t)]},
    "decay": {"s": lambda t: np.exp(-0.5 * t)},
}
"""Loadings of the factors beside the intercept at the times."""


def _free_basis(times: tuple[float, ...]) -> list[str]:
    last = len(times) - 1
    return ["0", *(f"b{k}" for k in range(1, last)), "1"]


def _residual_lines(kind: str, names: list[str]) -> list[str]:
    """Residual variances and covariances of one group."""
    if kind in ("by occasion", "banded"):
        beside = pairwise(names) if kind == "banded" else ()
        return [f"{a} ~~ {b}" for a, b in (*zip(names, names, strict=True), *beside)]
    lines = [f"{y} ~~ v*{y}" for y in names]
    pairs = [(a, b, j - i) for i, a in enumerate(names) for j, b in enumerate(names) if i < j]
    if kind == "cs":
        lines += [f"{a} ~~ c*{b}" for a, b, _ in pairs]
    if kind == "toeplitz":
        lines += [f"{a} ~~ c{lag}*{b}" for a, b, lag in pairs]
    if kind == "ar1":
        lines += [f"{a} ~~ c{lag}*{b}" for a, b, lag in pairs]
        lines += [f"c{lag} == v*(c1/v)^{lag}" for lag in range(2, len(names))]
    return lines


def _effect(kind: str, occasion: int) -> str:
    """The label of a time-varying covariate's effect at an occasion, by how effects are tied."""
    if kind == "line":
        return f"bw{occasion}*"
    if kind == "two":
        return "bw*" if occasion < 2 else "bw_later*"
    return "" if kind == "free" else "bw*"


def _covariates(draw: st.DrawFn, factors: list[str], times: tuple[float, ...]) -> list[str]:
    lines, names = [], wide_columns("y", times)
    chosen = draw(
        st.lists(st.sampled_from(("x", "sexmale", "w", "direct")), max_size=2, unique=True)
    )
    for name in chosen:
        if name == "direct":
            lines.append(f"{names[1]} ~ z")
        elif name == "w":
            kind = draw(st.sampled_from(("equal", "free", "some", "two", "line", "lagged")))
            shown = 2 if kind == "some" else len(times)
            late = int(kind == "lagged")
            columns = zip(names[late:shown], wide_columns("w", times)[: shown - late], strict=True)
            lines += [f"{y} ~ {_effect(kind, j)}{w}" for j, (y, w) in enumerate(columns)]
            if kind == "line":
                # The effects lie on a straight line in time.
                pace = [_number((t - times[0]) / (times[1] - times[0])) for t in times]
                for j in range(2, len(times)):
                    lines.append(f"bw{j} == bw0 + {pace[j]}*(bw1 - bw0)")
        else:
            on = draw(st.sampled_from((factors, factors[:1], factors[-1:])))
            lines += [f"{factor} ~ {name}" for factor in on]
    return lines


def _factor_lines(draw: st.DrawFn, factors: list[str], covaried: bool) -> list[str]:
    """Means, zero covariances, zero rows, and a regression in place of a covariance."""
    lines = []
    if len(factors) > 1:
        kind = draw(st.sampled_from(("free", "diagonal", "zero row", "regression")))
        last = factors[-1]
        if kind == "diagonal":
            lines += [f"{a} ~~ 0*{b}" for i, a in enumerate(factors) for b in factors[i + 1 :]]
        if kind == "zero row":
            lines += [f"{a} ~~ 0*{last}" for a in factors]
        if kind == "regression" and len(factors) == 2 and not covaried:
            lines.append(f"{last} ~ {factors[0]}")
        elif draw(st.integers(0, 3)) == 3:
            lines.append(f"{last} ~ 0*1")
    return lines


PATTERNS = ((0, 0, 0), (0, 1, 2), (0, 0, 1), (0, 1, 1), (0, 1, 0))


def _by_group(draw: st.DrawFn, factors: list[str], names: list[str]) -> list[str]:
    """Labels that all groups share, or some, or none, for each parameter by itself."""

    def shared(name: str, pattern: tuple[int, ...]) -> str:
        return "c(" + ", ".join(f"{name}{g}" for g in pattern) + ")"

    lines = []
    for factor in factors:
        lines.append(f"{factor} ~ {shared(f'm{factor}', draw(st.sampled_from(PATTERNS)))}*1")
    alike = draw(st.booleans())
    pattern = draw(st.sampled_from(PATTERNS))
    for i, a in enumerate(factors):
        for b in factors[i:]:
            own = pattern if alike else draw(st.sampled_from(PATTERNS))
            lines.append(f"{a} ~~ {shared(f'g{a}{b}', own)}*{b}")
    common = draw(st.booleans())
    residual = draw(st.sampled_from(PATTERNS))
    for y in names:
        own = residual if common else draw(st.sampled_from(PATTERNS))
        lines.append(f"{y} ~~ {shared('v' if common else f'v{y}_', own)}*{y}")
    if draw(st.booleans()):
        lines.append(f"{factors[0]} ~ {shared('bx', draw(st.sampled_from(PATTERNS)))}*x")
    return lines


@st.composite
def curve_texts(draw: st.DrawFn) -> CurveText:
    """A random latent growth curve."""
    data = draw(_data())
    times = FRAMES[data.times]
    names = list(wide_columns("y", times))
    shape = draw(st.sampled_from((*SHAPES, "latent basis")))
    lines = [_loadings("i", ["1"] * len(times), times)]
    if shape == "latent basis":
        factors = ["i", "s"]
        lines.append(_loadings("s", _free_basis(times), times))
    else:
        factors = ["i", *SHAPES[shape]]
        for name, rule in SHAPES[shape].items():
            values = [_number(value) for value in rule(np.array(times))]
            lines.append(_loadings(name, values, times))
    group = shape != "latent basis" and draw(st.integers(0, 4)) == 4
    if group:
        lines += _by_group(draw, factors, names)
    else:
        covariates = _covariates(draw, factors, times)
        lines += _factor_lines(draw, factors, bool(covariates))
        kinds = ("common", "by occasion")
        if len(factors) == 1:
            kinds += ("toeplitz", "cs", "banded", "ar1")  # type: ignore[assignment]
        lines += _residual_lines(draw(st.sampled_from(kinds)), names)
        lines += covariates
    text = "\n".join(lines) + "\n"
    if group:
        text = f"growth('\n{text}', group = \"arm\")\n"
    # REML takes the means for linear and free; a regression among factors enters them as a product.
    tied = any(f"{b} ~ i" in lines for b in factors) or any(" == bw" in line for line in lines)
    linear = shape != "latent basis" and not tied
    estimator = draw(st.sampled_from(("ml", "reml"))) if linear else "ml"
    return CurveText(text, estimator, data)


def plain() -> st.SearchStrategy[Specification]:
    """A random growth model of one outcome at one level, said by either side."""
    return st.one_of(formulas(), curve_texts())


def evidence_against(
    pair: Pair, frame: pd.DataFrame, estimator: str = "ml", seed: int = 20
) -> str | None:
    """What speaks against the two forms being one model, on the first three levels.

    Parameters
    ----------
    pair : Pair
        The two forms.
    frame : DataFrame
        Long data.
    estimator : {"ml", "reml"}
        Of the likelihood on level 3.
    seed : int
        Of the parameter values.

    Returns
    -------
    str or None
        The level that fails, with figures; None where all hold.
    """
    structure = evidence.structure(pair)
    if not structure.passed:
        return f"structure: {structure.note}"
    link = correspondence(pair, draws=2, seed=seed)
    moments = evidence.moments(evidence.compare_correspondence(link))
    if not moments.passed:
        return f"moments: {moments.figure}, {moments.note}"
    frame = with_lagged(frame, pair.mixed.schema)
    long, wide = long_data(pair.mixed, frame).problem, wide_data(pair.sem, frame).problem
    rng = np.random.default_rng(seed)
    for _ in range(2):
        values = admissible(MixedMoments(long), rng)
        restricted = estimator == "reml"
        shift = restricted_shift(link, len(long.fixed_names), values) if restricted else 0.0
        found = (
            long_engine.log_likelihood(long, values, estimator=estimator),
            wide_engine.log_likelihood(wide, link.to_sem(values), estimator=estimator) - shift,
            referee_log_likelihood(long, values, estimator),
        )
        if not max(found) - min(found) <= RELATIVE * max(1.0, abs(found[2])):
            return f"likelihood: long {found[0]}, wide {found[1]}, referee {found[2]}"
    return None
