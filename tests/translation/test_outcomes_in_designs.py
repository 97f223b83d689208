"""Several outcomes together with groups, clusters and distal outcomes: both forms, both ways."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.errors import UnsupportedError
from growthmm.translation.pair import same_growth
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

TIMES = {"read": (0, 1, 2, 3), "math": (0, 1, 3)}
FEMALE, MALE = 'I(1 * (sex == "f"))', 'I(1 * (sex == "m"))'
BOTH = " + ".join(f"(0 + {who}:outcome + {who}:outcome:time | id)" for who in (FEMALE, MALE))
MEANS = "value ~ 0 + outcome + outcome:time"
WHOLE = f"{MEANS} + (0 + outcome + outcome:time | id)"


@cache
def persons(n: int = 90) -> pd.DataFrame:
    """Wide data: reading, mathematics at fewer times, sex, x, and an outcome z at the end."""
    rng = np.random.default_rng(4)
    sex = np.array(list("fmm") * (n // 3))
    eta = rng.normal(size=(n, 4)) + 0.7 * rng.normal(size=(n, 1)) * (1 + (sex == "m"))[:, None]
    x = rng.normal(size=n)
    made: dict[str, Any] = {"id": np.arange(n) + 1, "x": x, "sex": sex}
    for k, (name, times) in enumerate(TIMES.items()):
        for t in times:
            growth = eta[:, 2 * k] + (eta[:, 2 * k + 1] + 0.4 * x) * t
            made[f"{name}_{t}"] = growth + 0.5 * rng.normal(size=n)
    made["z"] = 0.5 * eta[:, 1] + 0.3 * x + rng.normal(size=n)
    return pd.DataFrame(made)


@cache
def rows() -> pd.DataFrame:
    """Stacked, the outcomes in the order of the columns and not of their names."""
    wide = persons().drop(columns="z")
    return gm.to_long(wide, id="id", time="time", values=["read", "math"], stack="outcome")


@cache
def pupils() -> pd.DataFrame:
    """Stacked rows of children in schools, some missing."""
    rng = np.random.default_rng(3)
    made: list[tuple[Any, ...]] = []
    child = 0
    for school in range(25):
        between = rng.multivariate_normal(np.zeros(4), 0.3 * np.eye(4) + 0.1)
        z = rng.normal()
        for _ in range(int(rng.integers(2, 7))):
            child += 1
            own = rng.multivariate_normal(np.zeros(4), 0.5 * np.eye(4) + 0.2) + between
            x = rng.normal()
            for k, of in enumerate(("read", "math")):
                for t in range(4):
                    y = k + own[2 * k] + 0.3 * x + 0.2 * z + own[2 * k + 1] * t
                    made.append((school, child, t, of, x, z, y + 0.8 * rng.normal()))
    frame = pd.DataFrame(made, columns=["school", "child", "time", "outcome", "x", "z", "value"])
    return frame[rng.random(len(frame)) > 0.1].reset_index(drop=True)


def process(name: str) -> str:
    times = TIMES[name]
    level = " + ".join(f"1*{name}_{t}" for t in times)
    slope = " + ".join(f"{t}*{name}_{t}" for t in times)
    return f"i_{name} =~ {level}\ns_{name} =~ {slope}\n"


def residuals(label: str) -> str:
    """Variances, the label made from the outcome's name, the time and `#` of the group."""
    return "".join(
        f"{name}_{t} ~~ {label.format(name=name, t=t)}*{name}_{t}\n"
        for name, times in TIMES.items()
        for t in times
    )


TWO = process("read") + process("math")
READ = process("read") + "".join(f"read_{t} ~~ v*read_{t}\n" for t in range(4))
BESIDE = "".join(f"read_{t} ~~ c(k,k)*math_{t}\n" for t in TIMES["math"])

FORMULAS = {
    "groups, common": (f"{MEANS} + {BOTH}", None),
    "groups, by occasion": (f"{MEANS} + {BOTH}", "by_occasion"),
    "groups, by outcome": (f"{MEANS} + outcome:sex + {BOTH}", "by_group:outcome"),
    "groups, by both": (f"{MEANS} + {BOTH}", "by_group:outcome:by_occasion"),
    "groups, across": (f"{MEANS} + x + {BOTH}", "across:outcome"),
    "groups, by group": (f"{MEANS} + {BOTH}", "by_group:sex"),
    "groups, intercepts": (f"{MEANS} + outcome:sex + (0 + outcome:sex | id)", None),
    "group means alone": (f"{WHOLE} + outcome:time:sex", "by_group:outcome"),
}

CURVES = {
    "groups": (f"growth('{TWO}{residuals('c(v_{name},v_{name})')}', group = \"sex\")", {}),
    "groups by time": (f"growth('{TWO}{residuals('c(v{t},v{t})')}', group = \"sex\")", {}),
    "groups' own variances": (f"growth('{TWO}{residuals('c(v1,v2)')}', group = \"sex\")", {}),
    "groups, covariances beside": (
        f"growth('{TWO}{residuals('c(v_{name},v_{name})')}{BESIDE}', group = \"sex\")",
        {},
    ),
    "slope alone": (f"{READ}i_read ~~ 0*s_read\nz ~ s_read\nz ~ 1", {}),
    "slope alone by a covariance": (f"{READ}i_read ~~ 0*s_read\nz ~~ s_read\nz ~ 1", {}),
    "level alone": (f"{READ}s_read ~~ 0*s_read\ni_read ~~ 0*s_read\nz ~ i_read\nz ~ 1", {}),
    "mediation apart": (f"{READ}i_read ~~ 0*s_read\ns_read ~ x\nz ~ s_read + x\nz ~ 1", {}),
    "one process of two": (
        f"{TWO}{residuals('v')}i_read + s_read ~~ 0*i_math + 0*s_math\nz ~ i_math + s_math\nz ~ 1",
        {},
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_of_groups_are_growth_curves_of_groups(name: str) -> None:
    text, residual = FORMULAS[name]
    found = gm.verify(text, rows(), residual=residual, bounds="none", engines=["long", "wide"])
    assert (found.verdict, found.model_verdict) == ("identical", "identical"), found.reason
    assert all(level.passed for level in found.levels)


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_to_curve_to_formula(name: str) -> None:
    text, residual = FORMULAS[name]
    there = gm.translate(text, "lavaan", data=rows(), residual=residual)
    assert gm.translate(text, "lavaan", schema=there.schema, residual=residual).text == there.text
    back = paired(source(there.text, notation="lavaan").model, None, Facts(schema=there.schema))[0]
    first = paired(
        source(text, notation="lme4", residual=residual).model, None, Facts(schema=there.schema)
    )[0]
    assert same_growth(first.growth, back.growth) is None


@pytest.mark.parametrize("name", CURVES)
def test_curves_are_stacked_models(name: str) -> None:
    text, facts = CURVES[name]
    found = gm.verify(text, persons(), id="id", bounds="none", engines=["long", "wide"], **facts)
    assert (found.verdict, found.model_verdict) == ("identical", "identical"), found.reason
    assert all(level.passed for level in found.levels)


@pytest.mark.parametrize("name", CURVES)
def test_curve_to_formula_to_curve(name: str) -> None:
    text, _ = CURVES[name]
    there = paired(source(text, notation="lavaan").model, persons(), Facts(id="id"))[0]
    schema = there.growth.schema
    written = gm.write(there.mixed.model, "nlme", on_loss="keep").text
    read = source(written, notation="nlme").model
    again = paired(read, None, Facts(schema=schema))[0]
    assert same_growth(there.growth, again.growth) is None
    third = gm.write(again.sem.model, "lavaan").text
    last = paired(source(third, notation="lavaan").model, None, Facts(schema=schema))[0]
    assert same_growth(there.growth, last.growth) is None


LEVELS = {
    "all": f"{MEANS} + (0 + outcome + outcome:time | school) + "
    "(0 + outcome + outcome:time | child)",
    "covariates": f"{MEANS} + x + outcome:z + (0 + outcome | school) + "
    "(0 + outcome + outcome:time | child)",
}


@pytest.mark.parametrize("name", LEVELS)
def test_outcomes_of_persons_in_clusters(name: str) -> None:
    text = LEVELS[name]
    facts: dict[str, Any] = {"id": "child", "time": "time"}
    options: dict[str, Any] = {"bounds": "none", "engines": ["long", "wide"]}
    found = gm.verify(text, pupils(), **facts, **options)
    assert (found.verdict, found.model_verdict) == ("identical", "identical"), found.reason
    assert all(level.passed for level in found.levels)
    curve = gm.translate(text, "lavaan", data=pupils(), **facts)
    assert gm.translate(text, "lavaan", schema=curve.schema).text == curve.text
    back = gm.translate(curve.text, "lme4", data=pupils(), outcome="value", **facts)
    again = gm.translate(back.text, "lavaan", data=pupils(), **facts)
    assert again.text == curve.text


def test_what_levels_of_several_outcomes_lack_is_named() -> None:
    with pytest.raises(UnsupportedError, match="independent residuals of one variance"):
        gm.translate(
            LEVELS["all"], "lavaan", data=pupils(), id="child", residual="by_group:outcome"
        )


def test_variances_by_outcome_and_time_that_differ_between_groups_are_refused() -> None:
    text = f"growth('{TWO}', group = \"sex\")"
    with pytest.raises(UnsupportedError, match="that differ between groups"):
        gm.translate(text, "nlme", data=persons(), id="id")
    assert gm.fit(text, persons(), id="id").convergence.converged


def test_a_path_that_is_missing_among_factors_that_covary_is_refused_with_the_nearest() -> None:
    text = f"{READ}i_read ~~ s_read\nz ~ s_read\nz ~ 1"
    with pytest.raises(UnsupportedError) as refused:
        gm.translate(text, "nlme", data=persons(), id="id")
    assert "no path from i_read to z" in str(refused.value)
    assert "just identified" in str(refused.value)
    assert gm.fit(text, persons(), id="id").convergence.converged


@cache
def at_own_times() -> pd.DataFrame:
    """Stacked rows at times that no two persons share, and both outcomes of a person do."""
    frame = rows().dropna().reset_index(drop=True)
    rng = np.random.default_rng(3)
    cell = frame.groupby(["id", "time"]).ngroup()
    moved = rng.uniform(-0.4, 0.4, cell.max() + 1)[cell]
    return frame.assign(time=(frame["time"] + moved).round(3))


@pytest.mark.parametrize("text", [WHOLE, f"{MEANS} + outcome:x + (0 + outcome | id)"])
def test_outcomes_at_individual_times_have_definition_variables(text: str) -> None:
    facts: dict[str, Any] = {"id": "id", "time": "time"}
    found = gm.verify(text, at_own_times(), bounds="none", engines=["long", "wide"], **facts)
    assert (found.verdict, found.model_verdict) == ("identical", "identical"), found.reason
    assert all(level.passed for level in found.levels)
    with pytest.raises(UnsupportedError, match="no definition variables"):
        gm.translate(text, "lavaan", data=at_own_times(), **facts)
    for residual in ("by_group:outcome", "across:outcome"):
        with pytest.raises(UnsupportedError, match="nobody shares occasions"):
            gm.translate(text, "openmx", data=at_own_times(), residual=residual, **facts)
