"""Samples and studies of bare models, without a fit; samples of persons in clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.errors import SpecificationError, UnboundError, UnsupportedEngineError

SCHOOL = "score ~ week * group + (week | pupil)"
TRUE = {
    "(Intercept)": 10.0,
    "week": 1.0,
    "groupnew": 0.0,
    "week:groupnew": 0.4,
    "var((Intercept)|pupil)": 4.0,
    "cov((Intercept),week|pupil)": 0.2,
    "var(week|pupil)": 0.3,
    "var(Residual)": 1.0,
}
DESIGN = {"time": "week", "time_values": [0, 1, 2, 4], "covariates": {"group": ["control", "new"]}}
CURVE = "i =~ 1*y0 + 1*y1 + 1*y2 + 1*y4\ns =~ 0*y0 + 1*y1 + 2*y2 + 4*y4\ni + s ~ x\n" + "\n".join(
    f"y{t} ~~ v*y{t}" for t in (0, 1, 2, 4)
)
VALUES = {
    **{"i~1": 10.0, "s~1": 1.0, "i~x": 0.0, "s~x": 0.4},
    **{"i~~i": 4.0, "i~~s": 0.2, "s~~s": 0.3, "v": 1.0},
}


def test_a_sample_of_a_bare_model_has_its_parameters() -> None:
    sample = gm.simulate(SCHOOL, 3000, parameters=TRUE, seed=2, **DESIGN)
    assert sample.groupby("group")["pupil"].nunique().tolist() == [1500, 1500]
    fit = gm.fit(SCHOOL, sample, time="week")
    gap = fit.fit.estimates - [TRUE[name] for name in fit.fit.names]
    assert np.abs(gap / fit.fit.standard_errors).max() < 4
    assert sample.equals(gm.simulate(SCHOOL, 3000, parameters=TRUE, seed=2, **DESIGN))


def test_a_curves_sample_has_its_parameters() -> None:
    drawn = {"x": lambda rng, n: rng.normal(size=n)}
    sample = gm.simulate(CURVE, 3000, parameters=VALUES, covariates=drawn, seed=3)
    assert abs(sample["x"].std() - 1) < 0.1
    fit = gm.fit(CURVE, sample)
    gap = fit.fit.estimates - [VALUES[name] for name in fit.fit.names]
    assert np.abs(gap / fit.fit.standard_errors).max() < 4


def test_data_give_designs_and_missing_values() -> None:
    rows = gm.simulate(SCHOOL, 40, parameters=TRUE, seed=1, **DESIGN)
    rows.loc[::5, "score"] = np.nan
    sample = gm.simulate(SCHOOL, data=rows, time="week", parameters=TRUE, seed=4)
    assert sample["score"].isna().equals(rows["score"].isna())
    bare = gm.simulate(SCHOOL, data=rows.drop(columns="score"), time="week", parameters=TRUE)
    assert bare["score"].notna().all()
    more = gm.simulate(SCHOOL, 70, data=rows, time="week", parameters=TRUE)
    assert more["pupil"].nunique() == 70
    wide = gm.simulate(CURVE, data=pd.DataFrame({"x": np.arange(9.0)}), parameters=VALUES)
    assert wide["x"].tolist() == list(range(9))


def test_a_study_of_a_bare_model_is_that_of_a_fit() -> None:
    rows = gm.simulate(SCHOOL, 30, parameters=TRUE, seed=1, **DESIGN)
    fit = gm.fit(SCHOOL, rows, time="week", estimator="reml")
    options = {"n_simulations": 30, "df": "satterthwaite", "seed": 5, "workers": 1}
    one = gm.study(fit, parameters=TRUE, **options).table
    call = f"lmer({SCHOOL}, d, REML = TRUE)"
    two = gm.study(call, data=rows, time="week", parameters=TRUE, **options).table
    pd.testing.assert_frame_equal(one, two)


def test_power_grows_with_the_number_of_persons() -> None:
    options = {"parameters": TRUE, "n_simulations": 60, "seed": 6, "workers": 1}
    found = gm.study(SCHOOL, (20, 80), **options, **DESIGN)
    assert [one.n_subjects for one in found.studies] == [20, 80]
    power = found.table.query("name == 'week:groupnew'")["power"].tolist()
    assert power[1] > power[0] + 0.2
    assert "80 persons" in found.summary()
    assert len(found.to_dict()["studies"][0]["rows"]) == 8
    alone = gm.study(SCHOOL, 80, **options, **DESIGN)
    pd.testing.assert_frame_equal(alone.table, found.studies[1].table)
    curve = gm.study(CURVE, [40], parameters=VALUES, covariates={"x": [0, 1]}, n_simulations=20)
    assert curve.table["coverage"].mean() > 0.8


def test_clusters_share_their_effects() -> None:
    data = gm.datasets.gpa().assign(school=lambda d: d["student"] % 40)
    rng = np.random.default_rng(1)
    data["gpa"] += 0.4 * rng.standard_normal(40)[data["school"]]
    fit = gm.fit("gpa ~ occasion + (1 | school/student)", data, time="occasion")
    name = next(n for n in fit.fit.names if "student" in n)
    true = {"var((Intercept)|school)": 4.0, name: 0.01, "var(Residual)": 0.01}
    sample = gm.simulate(fit, parameters=true, seed=3)
    means = sample.groupby(["school", "student"])["gpa"].mean()
    within = means.groupby("school").std().mean()
    assert means.groupby("school").mean().std() > 1.3
    assert within < 0.2
    with pytest.raises(UnsupportedEngineError, match="clusters"):
        gm.simulate(fit, 50)


def test_random_effects_of_clusters_are_tested_by_their_full_names() -> None:
    data = gm.datasets.gpa().assign(school=lambda d: d["student"] % 20)
    rng = np.random.default_rng(1)
    data["gpa"] += 0.3 * rng.standard_normal(20)[data["school"]]
    fit = gm.fit("gpa ~ occasion + (1 | school/student)", data, time="occasion")
    found = gm.test_variance(fit, "(Intercept)|school")
    alone = gm.fit("gpa ~ occasion + (1 | student)", data, time="occasion")
    assert found.statistic == pytest.approx(2 * (fit.log_likelihood - alone.log_likelihood))
    assert found.distribution == "0.5*chi2(0) + 0.5*chi2(1)"
    with pytest.raises(SpecificationError, match=r"It has: .*\|school"):
        gm.test_variance(fit, "(Intercept)")
    with pytest.raises(UnsupportedEngineError, match="two levels"):
        gm.test_variance(fit, "(Intercept)|school", method="exact")


def test_what_a_bare_model_must_be_told() -> None:
    def sample(model: str = SCHOOL, n: int | None = 20, **options: object) -> object:
        return gm.simulate(model, n, **({"parameters": TRUE} | DESIGN | options))  # type: ignore[arg-type]

    with pytest.raises(UnboundError, match="no number of persons"):
        sample(n=None)
    with pytest.raises(UnboundError, match="no times"):
        sample(time_values=None)
    with pytest.raises(UnboundError, match="no values of group"):
        sample(covariates=None)
    with pytest.raises(UnboundError, match="week or group"):
        sample(covariates=None, time=None)
    with pytest.raises(UnboundError, match="school"):
        sample("score ~ week + (week | school/pupil)")
    with pytest.raises(SpecificationError, match="lack groupnew"):
        sample(parameters={k: v for k, v in TRUE.items() if k != "groupnew"})
    with pytest.raises(SpecificationError, match="have slope"):
        sample(parameters=TRUE | {"slope": 1.0})
    with pytest.raises(SpecificationError, match="no covariate 'age'"):
        sample(covariates={"age": [1]})
    with pytest.raises(SpecificationError, match="not a mapping"):
        sample(covariates=lambda rng, n: rng.normal(size=n))
    with pytest.raises(SpecificationError, match=r"shape \(21,\)"):
        sample(covariates={"group": lambda rng, n: rng.normal(size=n + 1)})
    with pytest.raises(SpecificationError, match="computed"):
        sample("log(score) ~ week * group + (week | pupil)")
    with pytest.raises(SpecificationError, match="1 persons"):
        sample(n=1)
    with pytest.raises(SpecificationError, match="There are no times"):
        sample(time_values=[])
    with pytest.raises(SpecificationError, match="Both data and time_values"):
        sample(data=gm.datasets.gpa(), covariates=None)
    with pytest.raises(UnsupportedEngineError, match="negative"):
        sample(parameters=TRUE | {"var(week|pupil)": -1.0})
    with pytest.raises(SpecificationError, match="its loadings"):
        gm.simulate(CURVE, 20, parameters=VALUES, time_values=[0])
    with pytest.raises(UnboundError, match="no values of x"):
        gm.simulate(CURVE, 20, parameters=VALUES)
    fit = gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa())
    with pytest.raises(SpecificationError, match="A fit has its own time_values"):
        gm.simulate(fit, time_values=[0, 1])
    with pytest.raises(SpecificationError, match="no number of persons"):
        gm.study(SCHOOL, [], parameters=TRUE, **DESIGN)
