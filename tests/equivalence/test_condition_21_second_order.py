"""Condition 21: second-order growth has loadings that are parameters, or is a three-level model."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.equivalence.not_representable import NotRepresentable
from growthmm.equivalence.result import Equivalence
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


FORMULA = "y ~ item + t + (1 + t | id) + (1 | id:t)"
FACTS = {"id": "id", "time": "t", "outcome": "y"}


@cache
def verified(source: str) -> Equivalence:
    if source == "formula":
        return gm.verify(FORMULA, stacked(), engines=["long"])
    if source == "wide":
        return gm.verify(text(), wide(), engines=["long"], **FACTS)
    return gm.verify(text(), stacked(), engines=["long"], **FACTS)


@pytest.mark.parametrize("source", ["formula", "wide", "stacked"])
def test_verify_calls_the_three_level_form_identical(source: str) -> None:
    found = verified(source)
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if"), found.reason
    assert [level.passed for level in found.levels] == [True] * 6
    truth = gm.fit(text(), wide(), id="id").log_likelihood
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(truth, abs=1e-7)
        assert fit.n_parameters == 9
    rows = found.parameters.set_index("mixed_name")
    assert rows.loc["var((Intercept)|id:t)", "estimate_long"] == pytest.approx(
        rows.loc["var((Intercept)|id:t)", "estimate_wide"], rel=1e-6
    )
    if source != "formula":
        assert rows.loc["var((Intercept)|id:t)", "sem_name"] == "p"


def test_translation_to_the_formula_and_back() -> None:
    made = gm.translate(text(), "lme4", data=wide(), **FACTS)
    assert made.text.strip() == "y ~ t + outcome + (1 + t | id) + (1 | id:t)"
    there = gm.translate(text(), "nlme", data=wide(), **FACTS).text
    assert there.endswith("random = list(id = pdSymm(~ 1 + t), t = pdSymm(~ 1)))")
    data = stacked()
    sem = gm.translate(FORMULA, "lavaan", data=data).text
    assert "i =~ 1*q + 1*q2 + 1*q3" in sem
    assert "q2 =~ 1*a_1 + 1*b_1 + 1*c_1" in sem
    back = gm.translate(sem, "lme4", data=data, **FACTS).text
    assert back.strip() == FORMULA
    assert gm.translate(back, "lavaan", data=data).text == sem
    nested = gm.translate(FORMULA, "nlme", data=data).text
    assert gm.translate(nested, "lavaan", data=data).text == sem


def test_clusters_are_told_from_occasions() -> None:
    """``(1 | id:k)`` where k is no time of the model are persons in clusters, as before."""
    data = stacked().rename(columns={"id": "school"})
    data["child"] = data["school"].astype(str) + data["item"]
    made = gm.translate("y ~ t + (1 + t | school) + (1 | school:child)", "lavaan", data=data)
    assert "level: 2" in made.text


@cache
def free_loadings() -> NotRepresentable:
    found = gm.verify(FREE, wide(), engines=["semopy"], **FACTS)
    assert isinstance(found, NotRepresentable)
    return found


FREE = re.sub(r"1\*([bc])(\d)", r"l\1*\1\2", text())


def test_estimated_loadings_are_no_linear_mixed_model() -> None:
    with pytest.raises(UnsupportedError, match="condition 21") as caught:
        gm.translate(FREE, "lme4")
    assert "estimated loadings f0=~b0" in str(caught.value)
    found = free_loadings()
    assert found.verdict == found.model_verdict == "not_representable"
    assert found.losses == caught.value.losses
    assert found.sem_fit.log_likelihood > gm.fit(text(), wide(), id="id").log_likelihood


def test_both_engines_fit_it_given_the_loadings() -> None:
    found = free_loadings()
    assert [level.passed for level in found.levels] == [True] * 6
    assert found.curved is not None
    long, sem = found.curved.fit, found.sem_fit.fit
    assert long.log_likelihood == pytest.approx(sem.log_likelihood, abs=1e-8)
    assert np.abs(long.estimates - sem.estimates).max() < 1e-6 * sem.standard_errors.max()
    assert long.standard_errors == pytest.approx(sem.standard_errors, rel=1e-6)
    rows = found.parameters.set_index("sem_name")
    assert rows.loc["lb", "estimate_long"] == pytest.approx(rows.loc["lb", "estimate_wide"])
    assert found.to_dict()["log_likelihood"]["long"] == long.log_likelihood


def test_nlme_says_it_and_the_three_level_form_is_nested_in_it() -> None:
    found = free_loadings()
    assert found.text.startswith(
        'nlme(y ~ b0 * ((outcome == "a") + lb * (outcome == "b") + lc * (outcome == "c")) + b1, '
    )
    assert "random = list(id = pdSymm(b0 ~ t), t = pdSymm(b0 ~ 1))" in found.text
    assert "varIdent" not in found.text
    assert found.nearest is not None
    near = found.nearest.to_dict(found.sem_fit)
    assert near["text"] == "y ~ t + outcome + (1 + t | id) + (1 | id:t)"
    assert (near["verdict"], near["relation"], near["df"]) == ("identical", "smaller", 2)
    truth = gm.compare(found.nearest.found.sem_fit, found.sem_fit).to_dict()["rows"][1]
    assert near["chi_square"] == pytest.approx(truth["chi_square"])


CURVED = {
    "a loading for each occasion": re.sub(r"l[bc]\*", "", FREE),
    "one loading of two items": FREE.replace("lc*", "lb*"),
    "unique variances by item": re.sub(r"~~ e\*([abc])", r"~~ u\1*\1", FREE),
    "states of their own": FREE.replace("~~ p*", "~~ "),
    "no states beside growth": FREE.replace("~~ p*", "~~ 0*"),
}


@pytest.mark.parametrize("source", CURVED.values(), ids=CURVED.keys())
def test_other_patterns_have_that_form_too(source: str) -> None:
    found = gm.verify(source, wide(), engines=["long"], **FACTS)
    assert found.verdict == "not_representable"
    assert isinstance(found, NotRepresentable)
    assert found.curved is not None
    assert [level.passed for level in found.levels[1:]] == [True] * 5, found.levels


COVARIATES = ["i ~ x\ns ~ x", "i ~ x + z\ns ~ g*z", "i ~ x\nf1 ~ z", "i ~ x\nb1 ~ z", "i ~~ 0*s"]


@cache
def with_covariates() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = wide().assign(x=rng.normal(size=120), z=rng.integers(0, 2, 120))
    for name in (f"{k}{t}" for k in ITEMS for t in TIMES):
        frame[name] += 0.3 * frame["x"] + 0.2 * int(name[1]) * frame["z"]
    return frame.assign(x=frame["x"].mask(rng.uniform(size=120) < 0.05))


@pytest.mark.parametrize("more", COVARIATES)
def test_covariates_and_independent_growth_are_fitted_by_both_engines(more: str) -> None:
    found = gm.verify(f"{FREE}\n{more}", with_covariates(), engines=["long"], **FACTS)
    assert isinstance(found, NotRepresentable)
    assert found.curved is not None
    assert [level.passed for level in found.levels[1:]] == [True] * 5, found.levels
    assert found.curved.fit.log_likelihood == pytest.approx(found.sem_fit.log_likelihood, abs=1e-8)
    assert bool(found.curved.text) == ("f1" not in more and "b1" not in more)


NLME = {
    "common": FREE,
    "unique variances by item": re.sub(r"~~ e\*([abc])", r"~~ u\1*\1", FREE),
    "covariates": f"{FREE}\ni ~ x + z\ns ~ z",
    "independent": f"{FREE}\ni ~~ 0*s",
    "no intercepts": re.sub(r".*~ m[bc]\*1\n?", "", FREE),
    "another marker": FREE.replace("1*a", "la*a").replace("lb*b", "1*b"),
}


@pytest.mark.parametrize("source", NLME.values(), ids=NLME.keys())
def test_nlme_text_goes_both_ways(source: str) -> None:
    data = with_covariates()
    made = gm.translate(source, "nlme", data=data, **FACTS)
    assert gm.translate(source, "nlme", schema=made.schema).text == made.text
    rows = data.melt(id_vars=["id", "x", "z"], value_name="y").dropna(subset="y")
    rows = rows.assign(outcome=rows["variable"].str[0], t=rows["variable"].str[1].astype(int))
    back = gm.translate(made.text, "lavaan", data=rows.drop(columns="variable"), **FACTS)
    assert gm.translate(back.text, "nlme", schema=back.schema).text == made.text
    renamed = data.rename(columns={f"{k}{t}": f"{k}_{t}" for k in ITEMS for t in TIMES})
    here, there = gm.fit(back.text, renamed, id="id"), gm.fit(source, data, id="id")
    assert here.log_likelihood == pytest.approx(there.log_likelihood, abs=1e-7)
    assert here.n_parameters == there.n_parameters
    assert len(made.parameters) == there.n_parameters


def test_verify_takes_the_nlme_text_on_stacked_rows() -> None:
    rows = stacked().assign(item=lambda d: d["item"].map({"a": 1, "b": 2, "c": 3}))
    text = (
        "nlme(y ~ m2 * (item == 2) + m3 * (item == 3) + (i + s * t + state) * "
        "((item == 1) + l2 * (item == 2) + l3 * (item == 3)), "
        "fixed = i + s + m2 + m3 + l2 + l3 ~ 1, "
        "random = list(id = pdSymm(i + s ~ 1), t = pdSymm(state ~ 1)))"
    )
    found = gm.verify(text, rows.drop(columns="variable"), engines=["long"], **FACTS)
    assert isinstance(found, NotRepresentable)
    assert [level.passed for level in found.levels] == [True] * 6, found.levels
    truth = free_loadings().sem_fit.log_likelihood
    assert found.sem_fit.log_likelihood == pytest.approx(truth, abs=1e-7)
    with pytest.raises(UnsupportedError, match="Restricted likelihood"):
        gm.verify(text, rows.drop(columns="variable"), estimator="reml", **FACTS)


def test_nlme_has_no_words_for_other_patterns() -> None:
    for source in (CURVED["a loading for each occasion"], CURVED["states of their own"]):
        with pytest.raises(UnsupportedError, match="condition 21"):
            gm.translate(source, "nlme", data=wide(), **FACTS)


@pytest.mark.parametrize(
    "more", ["f1 ~~ f2", "a0 ~~ a1", "f1 ~ 1", "f2 ~ r*f1", "lb == 0.5 + lc/2"]
)
def test_what_has_no_such_form_is_fitted_by_the_sem_engine_alone(more: str) -> None:
    source = FREE.replace("f1 ~ 0*1\n", "") if more == "f1 ~ 1" else FREE
    found = gm.verify(f"{source}\n{more}", wide(), engines=["long"], **FACTS)
    assert found.verdict == "not_representable"
    assert isinstance(found, NotRepresentable)
    assert found.curved is None
    assert found.sem_fit.convergence.converged


@pytest.mark.r("lavaan")
def test_lavaan_ends_there_too() -> None:
    fit = gm.fit(FREE, wide(), id="id", engine="lavaan")
    assert fit.log_likelihood == pytest.approx(free_loadings().sem_fit.log_likelihood, abs=1e-6)


OTHER = {
    "unique variances of their own": ({"unique": ""}, "identical", 17),
    "states of their own": ({"state": ""}, "identical", 11),
    "intercepts of their own": ({"item": False}, "identical", 13),
}


@pytest.mark.parametrize(("changed", "verdict", "count"), OTHER.values(), ids=OTHER.keys())
def test_other_equalities_are_other_linear_models(
    changed: dict[str, object], verdict: str, count: int
) -> None:
    made = text(**changed)  # type: ignore[arg-type]
    found = gm.verify(made, wide(), engines=["long"], **FACTS)
    assert found.verdict == verdict, found.reason
    assert found.sem_fit.n_parameters == found.mixed_fit.n_parameters == count
    assert "(1 | id:t)" in found.text or changed == {"state": ""}


def test_fixed_loadings_other_than_one_are_named() -> None:
    with pytest.raises(UnsupportedError, match="loadings f0=~b0 = 2"):
        gm.translate(text(loading="2*"), "lme4")
