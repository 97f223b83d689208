"""Tests of whole terms against lmerTest's and pbkrtest's tables, and what they hold to."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import long_frame

import growthmm as gm
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.result import FitResult

MODELS = {
    "three_way": "gpa ~ occasion * sex * job + (occasion | student)",
    "categories": "gpa ~ factor(occasion) * sex + job + (1 | student)",
    "sums": "gpa ~ occasion * C(sex, contr.sum) * C(job, contr.sum) + (occasion | student)",
    "helmert": "gpa ~ C(job, contr.helmert) * sex + occasion + (occasion | student)",
    "curve": "gpa ~ poly(occasion, 2) * job + sex + (1 | student)",
    "marginal_left_out": "gpa ~ occasion + sex + occasion:job + (1 | student)",
    "sleep": "Reaction ~ Days + I(Days^2) + (Days | Subject)",
}

OTHER_HYPOTHESES = {
    ("curve", "II", "job"),
    ("marginal_left_out", "II", "occasion"),
    ("marginal_left_out", "III", "occasion"),
}
"""Where lmerTest tests something else: see docs, where programs disagree."""


@cache
def frame() -> pd.DataFrame:
    made = long_frame("A08_gpa_missing_long.csv")
    jobs = np.array(["clerk", "baker", "miner", "baker"])
    made["job"] = jobs[made["student"].to_numpy() % 4]
    made["sex"] = np.where(made["sexmale"] == 1, "male", "female")
    return made[made["student"] <= 48]


@cache
def fitted(name: str) -> FitResult:
    data = long_frame("B_sleepstudy_long.csv") if name == "sleep" else frame()
    time = "Days" if name == "sleep" else "occasion"
    return gm.fit(MODELS[name], data, estimator="reml", time=time)


def bare(text: str) -> str:
    return "".join(text.split()).replace("factor(sex)", "sex").replace("factor(job)", "job")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("sums", ["I", "II", "III"])
@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
def test_terms_are_lmertests(name: str, sums: str, method: str) -> None:
    golden = kept("terms")[name][method][sums]
    found = gm.test_terms(fitted(name), sums, df=method).table
    assert [bare(term) for term in found["term"]] == [bare(term) for term in golden]
    for ours, theirs in zip(found.to_dict("records"), golden.values(), strict=True):
        if (name, sums, ours["term"]) in OTHER_HYPOTHESES:
            continue
        assert ours["df"] == theirs["df"]
        # lme4's search ends at 1e-5 of a standard error.
        assert ours["statistic"] == pytest.approx(theirs["statistic"], rel=2e-4, abs=1e-6)
        assert ours["df_denominator"] == pytest.approx(theirs["df_denominator"], rel=2e-4)
        assert ours["p_value"] == pytest.approx(theirs["p_value"], rel=5e-3)


def test_type_three_depends_on_no_coding() -> None:
    one, two = (gm.test_terms(fitted(name)).table for name in ("three_way", "sums"))
    assert one["statistic"].to_numpy() == pytest.approx(two["statistic"].to_numpy(), rel=1e-6)
    first = gm.test_terms(fitted("three_way"), "I").table
    assert first["statistic"].iloc[1] != pytest.approx(one["statistic"].iloc[1], rel=0.01)


def test_type_three_is_a_mean_over_categories() -> None:
    fit = gm.fit("gpa ~ occasion * sex + (occasion | student)", frame(), estimator="reml")
    made = gm.test_terms(fit, df="kenward-roger")
    np.testing.assert_allclose(made.contrasts["occasion"], [[0.0, 1.0, 0.0, 0.5]], atol=1e-12)
    row = made.table.set_index("term").loc["occasion"]
    own = gm.test(fit, "occasion + 0.5*occasion:sexmale = 0", df="kenward-roger")
    assert row["statistic"] == pytest.approx(own.statistic)
    assert row["p_value"] == pytest.approx(own.p_value)


def test_lmertest_takes_a_polynomial_for_a_category() -> None:
    # The same columns, spelled one by one, have growthmm's answer there too.
    method = "kenward-roger"
    ours = gm.test_terms(fitted("curve"), "II", df=method).table.set_index("term").loc["job"]
    names = ("curve", "curve_by_columns")
    golden = {name: kept("terms")[name][method]["II"]["job"] for name in names}
    assert ours["statistic"] == pytest.approx(golden["curve_by_columns"]["statistic"], rel=2e-4)
    assert ours["df_denominator"] == pytest.approx(
        golden["curve_by_columns"]["df_denominator"], rel=2e-4
    )
    assert golden["curve"]["statistic"] < 0.8 * ours["statistic"]


def test_lmertest_tests_the_reference_where_a_margin_is_left_out() -> None:
    fit, method = fitted("marginal_left_out"), "kenward-roger"
    golden = kept("terms")["marginal_left_out"][method]["III"]["occasion"]
    reference = gm.test(fit, "occasion = 0", df=method)
    assert reference.statistic == pytest.approx(golden["statistic"], rel=2e-4)
    clerk, miner = "occasion:jobclerk / 3", "occasion:jobminer / 3"
    mean = gm.test(fit, f"occasion + {clerk} + {miner} = 0", df=method)
    ours = gm.test_terms(fit, df=method).table.set_index("term").loc["occasion"]
    assert ours["statistic"] == pytest.approx(mean.statistic)
    assert mean.statistic > 1.1 * reference.statistic


def test_a_term_stands_for_its_coefficients() -> None:
    fit = fitted("three_way")
    names = "occasion:jobclerk = 0, occasion:jobminer = 0"
    one, two = gm.test(fit, "occasion:job"), gm.test(fit, names)
    assert (one.statistic, one.df) == (two.statistic, 2)
    several = gm.test(fit, ["occasion:job", "sexmale = 0"], df="satterthwaite")
    assert several.df == 3
    coded = gm.fit("gpa ~ C(occasion) + (1 | student)", frame(), time="occasion")
    assert gm.test(coded, "C(occasion)").df == gm.test(coded, "factor(occasion)").df == 5


def test_without_degrees_of_freedom_terms_have_walds_chi_square() -> None:
    fit = fitted("three_way")
    table = gm.test_terms(fit, df="none").table.set_index("term")
    own = gm.test(fit, "occasion:sex:job", df="none")
    assert table.loc["occasion:sex:job", "statistic"] == pytest.approx(own.statistic)
    assert table["df_denominator"].isna().all()
    robust = gm.fit(MODELS["three_way"], frame(), robust="cr0")
    spread = gm.test_terms(robust).table.set_index("term").loc["occasion:sex:job"]
    assert spread["statistic"] != pytest.approx(own.statistic, rel=0.01)
    assert gm.test_terms(fit).to_dict()["rows"][0]["df_denominator"] is None


def test_columns_that_were_made_first_are_there_still() -> None:
    data = gm.datasets.gpa()
    model = "gpa ~ occasion * sex + lib_hours + (occasion | student)"
    fit = gm.fit(model, data, mundlak=["lib_hours"])
    assert "lib_hours_mean" in gm.test_terms(fit).table["term"].tolist()
    sample = gm.simulate(fit, 20, seed=1)
    assert sample.groupby("student")["lib_hours_mean"].nunique().eq(1).all()
    assert len(gm.trajectories(fit).table) == 25
    late = data.assign(t=data["occasion"] + 0.2 * np.sin(np.arange(len(data))))
    rounded = gm.fit("gpa ~ t * sex + (t | student)", late, bin=1)
    assert sorted(gm.simulate(rounded, 20)["t"].unique()) == list(range(6))


def test_refusals() -> None:
    fit = fitted("three_way")
    with pytest.raises(SpecificationError, match="'IV'"):
        gm.test_terms(fit, "IV")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="'kr'"):
        gm.test_terms(fit, df="kr")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="no term beside"):
        gm.test_terms(gm.fit("gpa ~ 1 + (1 | student)", frame(), time="occasion"))
    with pytest.raises(UnsupportedEngineError, match="structural equation model"):
        gm.test_terms(gm.fit("gpa ~ occasion + (1 | student)", frame(), engine="wide"))
    with pytest.raises(UnsupportedEngineError, match="REML"):
        gm.test_terms(gm.fit(MODELS["three_way"], frame()), df="kenward-roger")
    robust = gm.fit(MODELS["three_way"], frame(), robust="cr2")
    with pytest.raises(UnsupportedEngineError, match="robust"):
        gm.test_terms(robust, df="satterthwaite")


@pytest.mark.r("lmerTest", "pbkrtest", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("terms"), live("terms"), 1e-4) == []
