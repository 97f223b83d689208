"""Every shape of growth model that goes both ways: a text, its data, and the facts by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
from clustered import schools
from two_sides import long_frame

from growthmm.model.schema import Constants, Schema, Variable

__all__ = ["SHAPES", "Shape", "data"]

FEMALE, MALE = 'I(1 * (sex == "female"))', 'I(1 * (sex == "male"))'
LINE = "y ~ t + (1 + t | id)"

Kind = Literal["one", "stacked", "levels", "both", "visits", "stacked visits", "cohorts"]


@cache
def data(kind: Kind) -> pd.DataFrame:
    """Long data; stacked rows of outcomes; persons in clusters; own times; cohorts' own times."""
    if kind == "levels":
        return schools()
    frame = long_frame(n_persons=36)
    if kind == "cohorts":
        at = frame["t"] - (frame["cohort"] - 1)
        return frame[(at >= 0) & (at < 3)].reset_index(drop=True)
    if kind == "visits":
        rng = np.random.default_rng(5)
        return frame.assign(t=(frame["t"] + rng.uniform(-0.4, 0.4, len(frame))).round(3))
    if kind == "one":
        return frame
    rng = np.random.default_rng(6)
    rows = [
        frame.assign(of=of, y=frame["y"] + rng.normal(size=len(frame)), school=frame["id"] // 4)
        for of in ("b", "a")
    ]
    stacked = pd.concat(rows, ignore_index=True)
    if kind == "stacked visits":
        cell = stacked.groupby(["id", "t"]).ngroup()
        moved = rng.uniform(-0.4, 0.4, cell.max() + 1)[cell]
        stacked["t"] = (stacked["t"] + moved).round(3)
    return stacked


PERSONS = (
    Variable("x", "person_level"),
    Variable("sex", "person_level", ("female", "male")),
    Variable("arm", "person_level", ("a", "b", "c")),
    Variable("cohort", "person_level"),
    Variable("w", "time_varying"),
)
COHORT = (Constants("C(cohort)", (("levels", (1.0, 2.0, 3.0)),)),)
ONE = Schema("id", "t", "y", (0.0, 1.0, 2.0, 3.0, 4.0), PERSONS, COHORT)
TWO = Schema(
    "id", "t", "y", ONE.occasions * 2, PERSONS, indicator="of", series=("a",) * 5 + ("b",) * 5
)
HAND: dict[Kind, Schema] = {
    "one": ONE,
    "stacked": TWO,
    "both": replace(TWO, cluster="school"),
    "cohorts": ONE,
    "levels": Schema(
        "child",
        "t",
        "y",
        (0.0, 1.0, 2.0, 3.0),
        (
            Variable("x", "person_level"),
            Variable("z", "cluster_level"),
            Variable("w", "time_varying"),
        ),
        cluster="school",
    ),
    "visits": Schema(
        "id",
        "t",
        "y",
        variables=PERSONS,
        outcome_columns=tuple(f"y_{k}" for k in range(1, 6)),
        shared_times=False,
    ),
    "stacked visits": Schema(
        "id",
        "t",
        "y",
        variables=(*PERSONS, Variable("of", "time_varying", ("a", "b"))),
        outcome_columns=tuple(f"y_{k}" for k in range(1, 11)),
        shared_times=False,
    ),
}
"""The facts as somebody writes them who has no data."""


@dataclass(frozen=True)
class Shape:
    """A model as text, and the notation of the other side.

    Parameters
    ----------
    text : str
        The model.
    to : str
        A notation of the other family.
    notation : str
        That of `text`.
    residual : str, optional
        Residual structure that the notation does not say.
    kind : str
        Which data.
    back : str
        The notation of the way back.
    """

    text: str
    to: str = "lavaan"
    notation: str = "lme4"
    residual: str | None = None
    kind: Kind = "one"
    back: str = "lme4"

    @property
    def schema(self) -> Schema:
        """The facts by hand."""
        return HAND[self.kind]


def _table(times: tuple[float, ...] = (0, 1, 2, 3, 4), stem: str = "y") -> str:
    level = " + ".join(f"1*{stem}_{t:g}" for t in times)
    slope = " + ".join(f"{t:g}*{stem}_{t:g}" for t in times)
    own = "" if stem == "y" else f"_{stem}"
    return f"i{own} =~ {level}\ns{own} =~ {slope}\n"


def _equal(stem: str = "y", label: str = "v", n: int = 5) -> str:
    return "".join(f"{stem}_{t} ~~ {label}*{stem}_{t}\n" for t in range(n))


def _lagged(by: int, label: str = "") -> str:
    own = f"{label}*" if label else ""
    return "".join(f"y_{t} ~ {own}w_{t - by}\n" for t in range(by, 5))


def _curve(curve: str) -> Shape:
    text = f"nlme(y ~ b0 + b1 * ({curve}), fixed = b0 + b1 + g ~ 1, random = b0 + b1 ~ 1 | id)"
    return Shape(text, notation="nlme", back="nlme")


def _change() -> str:
    lines = [f"l{t} =~ 1*y_{t}" for t in range(5)]
    for t in range(1, 5):
        lines += [f"l{t} ~ 1*l{t - 1}", f"d{t} =~ 1*l{t}"]
        lines += [f"{x}{t} ~~ 0*{x}{t}\n{x}{t} ~ 0*1" for x in "ld"]
    lines.append("s =~ " + " + ".join(f"1*d{t}" for t in range(1, 5)))
    lines += ["l0 ~~ s", "l0 ~~ l0", "s ~~ s", "l0 ~ 1", "s ~ 1"]
    lines += [f"y_{t} ~ 0*1" for t in range(5)]
    return "lavaan('" + "\n".join(lines) + "\n" + _equal() + "')"


def _curve_text(text: str, **more: object) -> Shape:
    return replace(Shape(text, to="lme4", notation="lavaan", back="lavaan"), **more)  # type: ignore[arg-type]


PARALLEL = _table(stem="a") + _table(stem="b")
APART = "i_a + s_a ~~ 0*i_b + 0*s_b\n"
ACROSS = "".join(f"a_{t} ~~ k*b_{t}\n" for t in range(5))
LEVELS = (
    "growth('\nlevel: 1\n"
    + _table((0, 1, 2, 3))
    + _equal(n=4)
    + "i ~ x\ni ~ 0*1\ns ~ 0*1\nlevel: 2\n"
    + _table((0, 1, 2, 3)).replace("i =~", "ib =~").replace("s =~", "sb =~")
    + "".join(f"y_{t} ~~ 0*y_{t}\n" for t in range(4))
    + 'ib ~ z\n\', cluster = "school")'
)
COHORTS = """growth('
i =~ 1*y1 + 1*y2 + 1*y3
s =~ c(0, 1, 2)*y1 + c(1, 2, 3)*y2 + c(2, 3, 4)*y3
i ~ c(mi, mi, mi)*1
s ~ c(ms, ms, ms)*1
i ~~ c(vi, vi, vi)*i
i ~~ c(cis, cis, cis)*s
s ~~ c(vs, vs, vs)*s
y1 ~~ c(r, r, r)*y1
y2 ~~ c(r, r, r)*y2
y3 ~~ c(r, r, r)*y3
', group = "cohort", group.label = c("1", "2", "3"))"""
BOTH = " + ".join(f"(0 + {who}:of + {who}:of:t | id)" for who in (FEMALE, MALE))

SHAPES: dict[str, Shape] = {
    # Growth shapes
    "linear": Shape(LINE),
    "separate slopes": Shape("y ~ pmin(t, 2) + pmax(t - 2, 0) + (1 + pmin(t, 2) | id)"),
    "change of slope": Shape("y ~ t + pmax(t - 2, 0) + (1 + t | id)"),
    "natural spline": Shape("y ~ ns(t, df = 2) + (1 | id)"),
    "B-spline": Shape("y ~ bs(t, df = 3) + (1 | id)"),
    "orthogonal polynomial": Shape("y ~ poly(t, 2) + (1 + poly(t, 2) | id)"),
    "tabulated": _curve_text(_table().replace("2*y_2", "0.3*y_2") + _equal()),
    "known rate": Shape("y ~ exp(-0.4 * t) + (1 + exp(-0.4 * t) | id)"),
    "another origin and unit": Shape("y ~ I((t - 1)/2) + (1 + I((t - 1)/2) | id)"),
    "latent basis": _curve_text(
        _table()
        .replace("1*y_1 + 2*y_2", "NA*y_1 + NA*y_2")
        .replace("3*y_3 + 4*y_4", "NA*y_3 + 1*y_4")
        + _equal(),
        to="nlme",
    ),
    "estimated rate": _curve("1 - exp(-g * t)"),
    "estimated rate, Gompertz": _curve("exp(-exp(-g * (t - 2)))"),
    # Residuals and factor covariances
    "by occasion": Shape(LINE, residual="by_occasion"),
    "by group": Shape(LINE, residual="by_group:sex"),
    "AR(1)": Shape(LINE, residual="ar1"),
    "AR(1) plus common": Shape("y ~ t + (1 | id)", residual="ar1+common"),
    "ARH(1)": Shape("y ~ t + (1 | id)", residual="arh1"),
    "compound symmetry": Shape("y ~ t", residual="cs"),
    "heterogeneous compound symmetry": Shape("y ~ t", residual="csh"),
    "Toeplitz": Shape("y ~ t", residual="toeplitz"),
    "banded": Shape("y ~ t", residual="banded:2"),
    "unstructured (MMRM)": Shape("y ~ factor(t) * arm", residual="unstructured"),
    "diagonal factors": Shape("y ~ t + (t || id)"),
    "a zero row": Shape("y ~ t + I(t^2) + (1 + t | id)"),
    # Covariates
    "covariates of some factors": Shape("y ~ t + x + arm + t:sex + (1 + t | id)"),
    "a direct effect": Shape("y ~ t + x:I(1*(t == 3)) + (1 + t | id)"),
    "one effect": Shape("y ~ t + w + (1 + t | id)"),
    "an effect an occasion": Shape("y ~ t + w:factor(t) + (1 + t | id)"),
    "an effect linear in time": Shape("y ~ t + w + t:w + (1 + t | id)"),
    "lagged": Shape("y ~ t + w + lag(w) + (1 + t | id)"),
    "lagged, moving": Shape("y ~ t + lag(w, 2) + (t * lag(w)) + (1 + t | id)"),
    "lagged, as a curve": _curve_text(_table() + _equal() + _lagged(1, "b")),
    "lagged, an effect an occasion": _curve_text(_table() + _equal() + _lagged(2)),
    "a random slope, OpenMx": Shape("y ~ t + w + (1 + t + w | id)", to="openmx"),
    # Individually varying times
    "own times, OpenMx": Shape("y ~ t + x + (1 + t | id)", to="openmx", kind="visits"),
    "own times, Mplus": Shape("y ~ t + w + t:x + (1 + t | id)", to="mplus", kind="visits"),
    "parallel at own times": Shape(
        "y ~ 0 + of + of:t + of:x + (0 + of + of:t | id)", to="openmx", kind="stacked visits"
    ),
    # Groups, several outcomes, levels
    "groups": Shape(
        f"y ~ t*sex + (0 + {FEMALE} + {FEMALE}:t | id) + (0 + {MALE} + {MALE}:t | id)",
        residual="by_group:sex",
    ),
    "groups, AR(1) of their own": Shape("y ~ t*sex + (1 | id)", residual="by_group:sex:ar1"),
    "groups, some with one ARH(1)": Shape("y ~ t*arm", residual="by_group:arm:arh1:a|c"),
    "groups of numbers": Shape("y ~ t*C(cohort) + (1 + t | id)"),
    "parallel": Shape(
        "y ~ 0 + of + of:t + (0 + of + of:t | id)", residual="by_group:of", kind="stacked"
    ),
    "three outcomes, two with one variance": Shape(
        "y ~ 0 + of + of:t + (0 + of + of:t | id)",
        residual="by_group:of:by_occasion:a,0|b,0",
        kind="stacked",
    ),
    "parallel, covariances beside": Shape(
        "y ~ 0 + of + of:t + of:x + (0 + of + of:t | id)", residual="across:of", kind="stacked"
    ),
    "parallel, a covariance each time": Shape(
        "y ~ 0 + of + of:t + (0 + of + of:t | id)",
        residual="across:of:by_occasion",
        kind="stacked",
    ),
    "parallel in groups": Shape(
        f"y ~ 0 + of + of:t + {BOTH}", residual="across:of", kind="stacked"
    ),
    "parallel, as a curve": _curve_text(PARALLEL + _equal("a") + _equal("b"), kind="stacked"),
    "parallel, as a curve apart": _curve_text(
        PARALLEL + APART + _equal("a", "p") + _equal("b", "q") + ACROSS, to="nlme", kind="stacked"
    ),
    "three levels": Shape("y ~ t * x + z + w + (t | school) + (t | child)", kind="levels"),
    "three levels, as a curve": _curve_text(LEVELS, kind="levels"),
    "parallel in clusters": Shape(
        "y ~ 0 + of + of:t + (0 + of | school) + (0 + of + of:t | id)", kind="both"
    ),
    "cohorts": _curve_text(COHORTS, kind="cohorts"),
    "change scores": _curve_text(_change()),
    "a regression among factors": _curve_text(_table() + _equal() + "s ~ i\n"),
}
"""The shapes of the issue, each bullet; outcomes that persons have once are tested apart."""
