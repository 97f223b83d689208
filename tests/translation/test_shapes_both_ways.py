"""Every shape of growth model, there and back from either side: the identity but for names."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest
from two_sides import long_frame

import growthmm as gm
from growthmm.translation.pair import same_growth
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

FACTS: dict[str, Any] = {"id": "id", "time": "t", "outcome": "y"}
MALE, FEMALE = 'I(1 * (sex == "male"))', 'I(1 * (sex == "female"))'


@cache
def _frame() -> pd.DataFrame:
    return long_frame(n_persons=36)


LINE = "y ~ t + (1 + t | id)"

FORMULAS: dict[str, tuple[str, str, str]] = {
    "separate slopes": ("y ~ pmin(t, 2) + pmax(t - 2, 0) + (1 + pmin(t, 2) | id)", "", "lavaan"),
    "change of slope": ("y ~ t + pmax(t - 2, 0) + (1 + t | id)", "", "lavaan"),
    "natural spline": ("y ~ ns(t, df = 2) + (1 | id)", "", "lavaan"),
    "B-spline": ("y ~ bs(t, df = 3) + (1 | id)", "", "lavaan"),
    "orthogonal polynomial": ("y ~ poly(t, 2) + (1 + poly(t, 2) | id)", "", "lavaan"),
    "exponential with known rate": ("y ~ exp(-0.4 * t) + (1 + exp(-0.4 * t) | id)", "", "lavaan"),
    "another origin and unit": ("y ~ I((t - 1)/2) + (1 + I((t - 1)/2) | id)", "", "lavaan"),
    "variances by occasion": (LINE, "by_occasion", "lavaan"),
    "variances by group": (LINE, "by_group:sex", "lavaan"),
    "AR(1)": (LINE, "ar1", "lavaan"),
    "AR(1) of each group": ("y ~ t*sex + (1 | id)", "by_group:sex:ar1", "lavaan"),
    "Toeplitz of each group": ("y ~ t", "by_group:sex:toeplitz", "lavaan"),
    "AR(1) plus common": ("y ~ t + (1 | id)", "ar1+common", "lavaan"),
    "ARH(1)": ("y ~ t + (1 | id)", "arh1", "lavaan"),
    "compound symmetry": ("y ~ t", "cs", "lavaan"),
    "heterogeneous compound symmetry": ("y ~ t", "csh", "lavaan"),
    "Toeplitz": ("y ~ t", "toeplitz", "lavaan"),
    "banded": ("y ~ t", "banded:2", "lavaan"),
    "unstructured (MMRM)": ("y ~ factor(t) * arm", "unstructured", "lavaan"),
    "uncorrelated factors": ("y ~ t + (1 | id) + (0 + t | id)", "", "lavaan"),
    "a factor without variance": ("y ~ t + I(t^2) + (1 + t | id)", "", "lavaan"),
    "covariates on some factors": ("y ~ t + x + arm + t:sex + (1 + t | id)", "", "lavaan"),
    "a direct effect": ("y ~ t + x:I(1*(t == 3)) + (1 + t | id)", "", "lavaan"),
    "one effect": ("y ~ t + w + (1 + t | id)", "", "lavaan"),
    "an effect an occasion": ("y ~ t + w:factor(t) + (1 + t | id)", "", "lavaan"),
    "an effect linear in time": ("y ~ t + w + t:w + (1 + t | id)", "", "lavaan"),
    "a random slope of a covariate": ("y ~ t + w + (1 + t + w | id)", "", "openmx"),
    "groups": (
        f"y ~ t*sex + (0 + {FEMALE} + {FEMALE}:t | id) + (0 + {MALE} + {MALE}:t | id)",
        "by_group:sex",
        "lavaan",
    ),
}
"""A formula with its residuals, and the notation of the curve."""


def _pair(text: str, notation: str, residual: str | None = None, **more: Any) -> Any:
    read = source(text, notation=notation, residual=residual or None)
    return paired(read.model, more.pop("data", _frame()), Facts(**(FACTS | more)))


@pytest.mark.parametrize("shape", FORMULAS)
def test_formula_to_curve_to_formula(shape: str) -> None:
    text, residual, program = FORMULAS[shape]
    there = _pair(text, "lme4", residual)[0]
    curve = gm.write(there.sem.model, program, on_loss="keep").text
    known = {"data": None, "schema": there.growth.schema}
    back = (
        _pair(curve, program, **known, id=None, time=None, outcome=None)[0]
        if program == "openmx"
        else _pair(curve, program)[0]
    )
    assert same_growth(there.growth, back.growth) is None
    formula = gm.write(back.mixed.model, "lme4", on_loss="keep").text
    again = _pair(formula, "lme4", residual)[0]
    assert same_growth(there.growth, again.growth) is None
    assert len(again.sem.model.free_parameters) == len(there.sem.model.free_parameters)


def _table(*columns: tuple[Any, ...], names: str = "isq") -> str:
    """Factors with their loadings, and equal residual variances."""
    rows = [
        f"{name} =~ " + " + ".join(f"{value}*y_{t}" for t, value in enumerate(values))
        for name, values in zip(names, columns, strict=False)
    ]
    return "\n".join(rows) + "\n"


ONES, TIMES = (1, 1, 1, 1, 1), (0, 1, 2, 3, 4)
EQUAL = "".join(f"y_{t} ~~ v*y_{t}\n" for t in range(5))
CHANGE = "\n".join(
    [
        *(f"l{t} =~ 1*y_{t}" for t in range(5)),
        *(f"l{t} ~ 1*l{t - 1}\nd{t} =~ 1*l{t}" for t in range(1, 5)),
        *(f"{name}{t} ~~ 0*{name}{t}\n{name}{t} ~ 0*1" for t in range(1, 5) for name in "ld"),
        "s =~ " + " + ".join(f"1*d{t}" for t in range(1, 5)),
        "l0 ~~ s\nl0 ~~ l0\ns ~~ s\nl0 ~ 1\ns ~ 1\n",
        *(f"y_{t} ~ 0*1" for t in range(5)),
    ]
)
CURVES = {
    "linear": _table(ONES, TIMES) + EQUAL,
    "separate slopes": _table(ONES, (0, 1, 2, 2, 2), (0, 0, 0, 1, 2)) + EQUAL,
    "tabulated": _table(ONES, (0, 0.7, 0.2, 5, 1.5)) + EQUAL,
    "latent basis": _table(ONES, (0, "a", "b", "c", 1)) + EQUAL,
    "variances by occasion": _table(ONES, TIMES),
    "diagonal": _table(ONES, TIMES) + EQUAL + "i ~~ 0*s\n",
    "zero row": _table(ONES, TIMES, (0, 1, 4, 9, 16)) + EQUAL + "q ~~ 0*q\ni ~~ 0*q\ns ~~ 0*q\n",
    "covariates": _table(ONES, TIMES) + EQUAL + "i ~ x + sexmale\ns ~ x\n",
    "a direct effect": _table(ONES, TIMES) + EQUAL + "y_2 ~ x\n",
    "one effect": _table(ONES, TIMES) + EQUAL + "".join(f"y_{t} ~ b*w_{t}\n" for t in range(5)),
    "an effect an occasion": _table(ONES, TIMES)
    + EQUAL
    + "".join(f"y_{t} ~ w_{t}\n" for t in range(5)),
    "groups": "growth('"
    + _table(ONES, TIMES)
    + "".join(f"y_{t} ~~ c(v1, v2, v3)*y_{t}\n" for t in range(5))
    + 'i ~ c(m, m, m)*1\n\', group = "arm")',
}
"""Growth curves over y_0 ... y_4 whose own text comes back but for names."""

REDUCED = {
    "latent change": f"lavaan('{CHANGE}\n{EQUAL}')",
    "a regression among factors": _table(ONES, TIMES) + EQUAL + "s ~ i\n",
}
"""Curves that are the linear one in other parameters."""


def _carried(text: str) -> Any:
    """The pair, and that of the formula written again as a curve."""
    there = _pair(text, "lavaan")[0]
    program = there.mixed.model.notation
    written = gm.write(there.mixed.model, program, on_loss="keep").text
    beside = None if program == "nlme" else str(there.mixed.model.residual)
    return there, _pair(written, program, beside)[0]


@pytest.mark.parametrize("shape", CURVES)
def test_curve_to_formula_to_curve(shape: str) -> None:
    there, again = _carried(CURVES[shape])
    assert same_growth(there.growth, again.growth) is None
    free = there.sem.model.free_parameters
    assert len(free) == len(again.sem.model.free_parameters)


@pytest.mark.parametrize("shape", REDUCED)
def test_reparametrised_curves_come_back_as_the_plain_one(shape: str) -> None:
    there, again = _carried(REDUCED[shape])
    assert same_growth(there.growth, again.growth) is None
    plain = _pair(CURVES["linear"], "lavaan")[0]
    assert same_growth(plain.growth, again.growth) is None


@pytest.mark.parametrize("shape", FORMULAS)
def test_data_and_facts_by_hand_agree(shape: str) -> None:
    text, residual, program = FORMULAS[shape]
    options: dict[str, Any] = {"notation": "lme4", "residual": residual or None}
    made = gm.translate(text, program, data=_frame(), time="t", id="id", **options)
    again = gm.translate(text, program, schema=made.schema, **options)
    assert again.text == made.text
    assert again.parameter_rows == made.parameter_rows
