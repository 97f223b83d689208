"""Condition 7: effects of time-varying covariates, equal, by occasion, moving, or random."""

from __future__ import annotations

import numpy as np
import pytest

import growthmm as gm
from growthmm.errors import SpecificationError, UnboundError, UnsupportedError

RANDOM = "gpa ~ occasion + lib_hours + (1 + occasion + lib_hours | student)"
EFFECTS = {
    "one effect": "gpa ~ occasion + lib_hours + (1 + occasion | student)",
    "an effect an occasion": "gpa ~ occasion + factor(occasion):lib_hours + (1 | student)",
    "linear in time": "gpa ~ occasion * lib_hours + (1 | student)",
    "random slope": RANDOM,
    "random slope alone": "gpa ~ occasion + (1 | student) + (0 + lib_hours | student)",
    "random slope of a product": "gpa ~ occasion + (1|student) + (0 + lib_hours:occasion|student)",
    "random slope, moderated": "gpa ~ occasion + lib_hours * sex + (1 + lib_hours || student)",
}


@pytest.mark.parametrize("formula", EFFECTS.values(), ids=EFFECTS.keys())
def test_verify_calls_them_identical(formula: str) -> None:
    data = gm.datasets.gpa()
    found = gm.verify(formula, data, time="occasion", engines=["long"])
    assert found.model_verdict == "identical_if"
    assert all(level.passed for level in found.levels[:3])
    assert found.verdict in ("identical", "different_estimator")


def test_a_random_slope_is_a_factor_whose_loadings_are_the_covariate() -> None:
    made = gm.translate(RANDOM, "openmx", data=gm.datasets.gpa(), time="occasion")
    assert '"data.lib_hours_0"' in made.text
    rows = made.parameters.set_index("mixed_name")
    assert rows.loc["var(lib_hours|student)", "sem_name"] == "f_lib_hours~~f_lib_hours"
    with pytest.raises(UnsupportedError, match="no definition variables"):
        gm.translate(RANDOM, "lavaan", data=gm.datasets.gpa(), time="occasion")


def test_time_is_asked_for_where_several_variables_could_be_it() -> None:
    with pytest.raises(UnboundError, match="Several variables of the model could be time"):
        gm.translate(RANDOM, "openmx", data=gm.datasets.gpa())
    made = gm.translate(RANDOM, "openmx", data=gm.datasets.gpa(), time="occasion")
    assert made.schema is not None
    assert made.schema.time == "occasion"


def test_both_engines_agree_on_a_random_slope() -> None:
    data = gm.datasets.gpa()
    values = [
        gm.fit(RANDOM, data, time="occasion", engine=engine).log_likelihood
        for engine in ("long", "wide")
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-6)


@pytest.mark.parametrize("formula", EFFECTS.values(), ids=EFFECTS.keys())
@pytest.mark.parametrize("to", ["openmx", "mplus"])
def test_round_trip(formula: str, to: str) -> None:
    data = gm.datasets.gpa()
    made = gm.translate(formula, to, data=data, time="occasion")
    by_hand = gm.translate(formula, to, id="student", schema=made.schema)
    assert by_hand.text == made.text
    back = gm.translate(made.text, "lme4", notation=to, schema=made.schema)
    again = gm.translate(back.text, to, schema=made.schema)
    first, second = gm.read(made.text, to), gm.read(again.text, to)
    assert len(first.free_parameters) == len(second.free_parameters)
    assert set(first.latent) == set(second.latent)
    assert {p.definition for p in first.paths} == {p.definition for p in second.paths}


def test_person_means_split_within_from_between() -> None:
    data = gm.datasets.gpa()
    formula = "gpa ~ occasion + lib_hours + (1 + occasion | student)"
    fit = gm.fit(formula, data, mundlak=["lib_hours"])
    mean = data.groupby("student").lib_hours.transform("mean")
    within = data.assign(m=mean, w=data.lib_hours - mean)
    other = gm.fit("gpa ~ occasion + w + m + (1 + occasion | student)", within)
    table, there = (f.estimates.set_index("name").estimate for f in (fit, other))
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-7)
    assert table["lib_hours"] == pytest.approx(there["w"], rel=1e-6)
    assert table["lib_hours_mean"] == pytest.approx(there["m"] - there["w"], rel=1e-5)
    found = gm.verify(formula, data, mundlak=["lib_hours"], engines=["long"])
    assert found.verdict == "identical"
    assert any("each person's mean of lib_hours" in str(note) for note in found.assumptions)


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_person_means_are_added_to_a_growth_curve_too(layout: str) -> None:
    long = gm.datasets.gpa()
    formula = "gpa ~ occasion + lib_hours + (1 + occasion | student)"
    text = gm.translate(formula, "lavaan", data=long).text
    data, facts = long, {"id": "student", "time": "occasion"}
    if layout == "wide":
        data = gm.to_wide(long, id="student", time="occasion", values=["gpa", "lib_hours"])
        facts = {"id": "student"}
    found = gm.verify(text, data, mundlak=["lib_hours"], engines=["long"], **facts)
    direct = gm.fit(formula, long, mundlak=["lib_hours"])
    assert found.verdict == "identical"
    assert found.sem_fit.log_likelihood == pytest.approx(direct.log_likelihood, abs=1e-7)
    made = gm.translate(text, "lavaan", data=data, mundlak=["lib_hours"], **facts)
    assert "i ~ lib_hours_mean" in made.text
    assert any("(Mundlak)" in str(note) for note in made.assumptions)


def test_person_means_of_what_does_not_vary_are_refused() -> None:
    with pytest.raises(SpecificationError, match="its own mean"):
        gm.fit(
            "gpa ~ occasion + x + (1 | student)",
            gm.datasets.gpa().assign(x=lambda d: np.floor(d.student / 2)),
            mundlak=["x"],
        )
    with pytest.raises(SpecificationError, match="no effect of 'lib_hours'"):
        gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa(), mundlak=["lib_hours"])
