"""Missing data looked at as a whole, auxiliary variables, and the command."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_reference import kept
from reference import case, reference_folder

import growthmm as gm
from growthmm.cli import main
from growthmm.errors import ColumnNotFoundError, SpecificationError, UnsupportedEngineError
from growthmm.inference.missingness.result import MissingData

FORMULA = "gpa ~ occasion + (occasion | student)"
Y = [f"gpa_{t}" for t in range(6)]
HOURS = [f"lib_hours_{t}" for t in range(6)]
CURVE = "\n".join(
    [
        "i =~ " + " + ".join(f"1*{y}" for y in Y),
        "s =~ " + " + ".join(f"{t}*{y}" for t, y in enumerate(Y)),
        *(f"{y} ~~ v*{y}" for y in Y),
    ]
)


def data(layout: str) -> pd.DataFrame:
    return pd.read_csv(reference_folder() / "data" / f"A08_gpa_missing_{layout}.csv")


@cache
def found(*, forest: bool = False) -> MissingData:
    return gm.missing(
        FORMULA, data("long"), n_imputations=3, auxiliary=["lib_hours"], seed=2, forest=forest
    )


def test_patterns_and_rules_are_those_of_the_data() -> None:
    result = found()
    wide = data("wide")[Y]
    counts = wide.notna().value_counts()
    patterns = result.patterns
    assert patterns["count"].sum() == 200
    for row in patterns.to_dict("records"):
        assert counts[tuple(row[y] for y in Y)] == row["count"]
    assert result.occasions["n_missing"].tolist() == wide.isna().sum().tolist()
    rules = {rule.rule: rule for rule in result.rules}
    used = (rules["all_rows"].n_subjects, rules["all_rows"].n_rows)
    assert used == (194, 699)
    # lavaan's own counts (case A08b): 23 persons listwise, 194 with missing = "ml".
    assert (rules["listwise"].n_subjects, rules["listwise"].n_rows) == (23, 138)
    assert rules["full_information"].n_subjects == 194
    assert rules["listwise"].dropped_rows == 699 - 138
    assert "lavaan by default" in rules["listwise"].programs


def test_both_sides_reach_the_same_maximum() -> None:
    both, golden = found().both, case("A08_gpa_missing")
    assert both.verdict == "identical"
    assert both.max_difference_in_se < 1e-6
    for value in (both.log_likelihood_long, both.log_likelihood_wide):
        assert abs(value - golden["mixed"]["ml"]["logLik"]) < 1e-6


def test_the_listwise_analysis_is_lavaans_default() -> None:
    """Log-likelihood -4.306349 of 23 persons (case A08b)."""
    wide = data("wide").dropna(subset=Y)
    fit = gm.fit(CURVE, wide)
    assert abs(fit.log_likelihood - -4.306349) < 1e-6
    theirs = fit.estimates.set_index("name")
    ours = found().estimates.query("method == 'listwise'").set_index("name")
    for mixed, sem in (("(Intercept)", "i~1"), ("occasion", "s~1")):
        gap = ours.loc[mixed, "estimate"] - theirs.loc[sem, "estimate"]
        assert abs(gap) / theirs.loc[sem, "std_error"] < 1e-6


def test_every_way_stands_beside_maximum_likelihood() -> None:
    table = found(forest=True).estimates
    assert set(table["method"]) == {
        "maximum_likelihood",
        "listwise",
        "auxiliary",
        "imputation",
        "forest",
    }
    base = table[table["method"] == "maximum_likelihood"].set_index("name")
    assert (base["difference_in_se"] == 0).all()
    fit = gm.fit(FORMULA, data("long"), information="observed").estimates.set_index("name")
    np.testing.assert_allclose(base["std_error"], fit["std_error"])
    away = table[table["method"] == "listwise"].set_index("name")
    assert away.loc["(Intercept)", "difference_in_se"] > 2
    ratios = table.set_index(["method", "name"])["relative_std_error"]
    assert ratios["listwise", "occasion"] > 1.5
    assert ratios["forest", "occasion"] < 0.8
    assert 0.8 < ratios["imputation", "occasion"] < 1.25
    assert table.query("method == 'imputation'")["missing_information"].between(0, 1).all()


AUXILIARY = {
    "unconditional": (FORMULA, CURVE, HOURS, ["lib_hours"]),
    "conditional": (
        "gpa ~ occasion * sexmale + (occasion | student)",
        CURVE + "\ni ~ sexmale\ns ~ sexmale",
        [HOURS[0], HOURS[5]],
        ["first", "last"],
    ),
}
NAMES = {
    "i~1": "(Intercept)",
    "s~1": "occasion",
    "i~sexmale": "sexmale",
    "s~sexmale": "occasion:sexmale",
    "i~~i": "var((Intercept)|student)",
    "s~~s": "var(occasion|student)",
    "i~~s": "cov((Intercept),occasion|student)",
    "gpa_0~~gpa_0": "var(Residual)",
}


@pytest.mark.parametrize("name", AUXILIARY)
@pytest.mark.parametrize("side", ["mixed", "sem"])
def test_auxiliary_variables_are_semtools_saturated_correlates(name: str, side: str) -> None:
    formula, curve, columns, in_long = AUXILIARY[name]
    reference = kept("missing")["auxiliary"][name]
    if side == "sem":
        table = gm.fit(
            gm.with_auxiliary(curve, columns), data("wide"), information="observed"
        ).estimates
        named = {key: key for key in NAMES}
    else:
        wide, long = data("wide"), data("long")
        for new, old in zip(in_long, columns, strict=False):
            if new not in long:
                long[new] = long["student"].map(wide.set_index("student")[old])
        table = gm.missing(
            formula, long, auxiliary=in_long, n_imputations=0, forest=False
        ).estimates
        table = table[table["method"] == "auxiliary"]
        named = NAMES
    table = table.drop_duplicates("name").set_index("name")
    for key, value in reference["estimate"].items():
        row, error = table.loc[named[key]], reference["std_error"][key]
        assert abs(row["estimate"] - value) / error < 2e-3, key
        assert row["std_error"] == pytest.approx(error, rel=2e-3), key


def test_an_auxiliary_variable_leaves_complete_data_alone() -> None:
    """Saturated: nothing about the growth part changes, chi-square and df neither."""
    wide = gm.to_wide(gm.datasets.gpa(), id="student", time="occasion", values=["gpa", "lib_hours"])
    without, fit = gm.fit(CURVE, wide), gm.fit(gm.with_auxiliary(CURVE, HOURS[:2]), wide)
    own = fit.estimates.set_index("name").loc[without.estimates["name"]]
    theirs = without.estimates.set_index("name")
    gaps = (own["estimate"] - theirs["estimate"]).abs() / theirs["std_error"]
    assert gaps.max() < 1e-6
    np.testing.assert_allclose(own["std_error"], theirs["std_error"], rtol=1e-6)
    for measure in ("chi_square", "df"):
        assert fit.fit_measures[measure] == pytest.approx(without.fit_measures[measure], abs=1e-6)


def test_an_auxiliary_variable_mends_what_dropout_by_it_does() -> None:
    rng = np.random.default_rng(26)
    n, times = 400, np.arange(4.0)
    factors = rng.multivariate_normal([2.0, 0.5], [[0.8, 0.1], [0.1, 0.2]], size=n)
    y = factors[:, :1] + factors[:, 1:] * times + 0.6 * rng.normal(size=(n, 4))
    aux = 0.9 * (y[:, 3] - y[:, 3].mean()) + 0.5 * rng.normal(size=n)
    seen = np.where((aux > 0.8)[:, None] & (times >= 2), np.nan, y)
    wide = pd.DataFrame(seen, columns=[f"y_{t:g}" for t in times]).assign(id=range(n), aux=aux)
    long = gm.to_long(wide, id="id", time="t", values=["y"])
    result = gm.missing("y ~ t + (t | id)", long, auxiliary=["aux"], n_imputations=4, forest=False)
    slope = result.estimates.query("name == 't'").set_index("method")
    complete = gm.fit(
        "y ~ t + (t | id)",
        gm.to_long(
            wide.assign(**dict(zip(wide.columns[:4], y.T, strict=True))),
            id="id",
            time="t",
            values=["y"],
        ),
    ).estimates.set_index("name")
    truth, error = complete.loc["t", "estimate"], complete.loc["t", "std_error"]
    assert (slope.loc["maximum_likelihood", "estimate"] - truth) / error < -2.5
    assert abs(slope.loc["auxiliary", "estimate"] - truth) / error < 1.5
    assert abs(slope.loc["imputation", "estimate"] - truth) / error < 2
    assert result["auxiliary"].note == "saturated correlates: aux"


def test_a_sem_of_wide_data_is_looked_at_too() -> None:
    wide = gm.missing(CURVE, data("wide"), n_imputations=2, forest=False, auxiliary=HOURS[:1])
    long = found()
    pd.testing.assert_frame_equal(wide.patterns, long.patterns)
    assert wide.dropout == long.dropout
    assert [r.to_dict() for r in wide.rules] == [r.to_dict() for r in long.rules]
    first = wide.estimates.query("name == 's~1'").set_index("method")["estimate"]
    second = long.estimates.query("name == 'occasion'").set_index("method")["estimate"]
    for method in ("maximum_likelihood", "listwise"):
        assert first[method] == pytest.approx(second[method], abs=1e-7)
    assert wide["auxiliary"].estimates is not None


def test_a_sem_that_is_no_growth_model_has_one_form() -> None:
    text = "gpa_1 ~ gpa_0\ngpa_2 ~ gpa_1\ngpa_0 ~ 1\ngpa_0 ~~ gpa_0\ngpa_1 ~ 1\ngpa_2 ~ 1"
    result = gm.missing(text, data("wide"), n_imputations=2, forest=False)
    assert result.both.verdict == "unavailable"
    assert result.both.reason
    assert [rule.rule for rule in result.rules] == ["full_information", "listwise"]
    assert result["imputation"].estimates is not None
    assert "no order" in result.dropout[0].reason


def test_missing_covariates_cost_persons_in_sem_programs() -> None:
    long = data("long")
    long["x"] = np.where(long["student"] % 10 == 0, np.nan, long["student"] % 7)
    result = gm.missing(
        "gpa ~ occasion + x + (occasion | student)", long, n_imputations=2, forest=False
    )
    rules = {rule.rule: rule for rule in result.rules}
    lost = long[(long["student"] % 10 == 0)].dropna(subset=["gpa"])
    assert rules["full_information"].dropped_rows == len(lost)
    assert rules["all_rows"].dropped_rows == len(lost)
    made = gm.impute("gpa ~ occasion + x + (occasion | student)", long, 1).frames[0]
    assert made["x"].notna().all()
    assert (made.groupby("student")["x"].nunique() == 1).all()
    assert result["imputation"].n_subjects == 194
    assert result["maximum_likelihood"].n_subjects < 180


def test_covariates_that_vary_are_imputed_at_each_occasion() -> None:
    long = data("long")
    gone = (long["student"] + long["occasion"]) % 9 == 0
    long["lib_hours"] = long["lib_hours"].astype(float).mask(gone)
    formula = "gpa ~ occasion * sex + lib_hours + (occasion | student)"
    made = gm.impute(formula, long, 2, seed=3)
    first = made.frames[0]
    assert len(first) == 194 * 6
    assert first.notna().all(axis=None)
    key = ["student", "occasion"]
    merged = first.merge(long.dropna(subset=["lib_hours"]), on=key, suffixes=("", "_seen"))
    assert (merged["lib_hours"] == merged["lib_hours_seen"]).all()
    assert (merged["sex"] == merged["sex_seen"]).all()
    kept_gpa = merged.dropna(subset=["gpa_seen"])
    assert (kept_gpa["gpa"] == kept_gpa["gpa_seen"]).all()


def test_basis_constants_stay_those_of_the_data() -> None:
    """poly() and scale() of completed data would be other columns than those of the data."""
    long = data("long")
    formula = "gpa ~ scale(occasion) + (1 | student)"
    seen = long.dropna(subset=["gpa"])
    result = gm.missing(formula, seen, n_imputations=0, forest=False)
    plain = gm.missing("gpa ~ occasion + (1 | student)", seen, n_imputations=0, forest=False)
    for method in ("maximum_likelihood", "listwise"):
        scaled = result[method].estimates.set_index("name")["estimate"]
        slope = plain[method].estimates.set_index("name")["estimate"]["occasion"]
        spread = seen["occasion"].std(ddof=1)
        assert scaled["scale(occasion)"] == pytest.approx(slope * spread, rel=1e-6)


def test_several_outcomes_are_looked_at_one_by_one() -> None:
    frame = pd.read_csv(reference_folder() / "data" / "G_parallel_stacked.csv")
    value = "y" if "y" in frame else "value"
    last = frame["time"] == frame["time"].max()
    frame[value] = frame[value].mask(last & (frame["id"] % 4 == 0))
    outcome = next(c for c in frame.columns if c not in ("id", "time", value))
    formula = f"{value} ~ 0 + {outcome} + {outcome}:time + (0 + {outcome} + {outcome}:time | id)"
    result = gm.missing(formula, frame, n_imputations=2, forest=False)
    assert len(result.series) == len(result.dropout) == frame[outcome].nunique()
    assert result["imputation"].estimates is not None
    assert result.to_dict()["occasions"]


def test_individual_times_leave_full_information() -> None:
    frame = pd.read_csv(reference_folder() / "data" / "E02_unbalanced_long.csv")
    result = gm.missing("y ~ time + (time | id)", frame, n_imputations=2)
    assert [rule.rule for rule in result.rules] == ["all_rows"]
    assert "differ from person to person" in result["imputation"].reason
    assert "differ from person to person" in result.dropout[0].reason


def refused(kind: type[Exception], match: str, call: Any, *args: Any, **options: Any) -> None:
    with pytest.raises(kind, match=match):
        call(*args, **options)


def test_refusals_say_why() -> None:
    long = data("long")
    moments = gm.Moments(np.zeros(6), np.eye(6), 50, names=Y)
    refused(UnsupportedEngineError, "Moments are of complete", gm.missing, CURVE, moments)
    refused(SpecificationError, "can't be pooled", gm.missing, FORMULA, long, n_imputations=1)
    refused(ColumnNotFoundError, "'mood'", gm.missing, FORMULA, long, auxiliary=["mood"])
    refused(SpecificationError, "no imputation by", gm.impute, FORMULA, long, method="mean")
    refused(SpecificationError, "has no place", gm.with_auxiliary, FORMULA, ["lib_hours"])
    refused(SpecificationError, "already", gm.with_auxiliary, CURVE, ["gpa_1"])
    refused(SpecificationError, "No auxiliary", gm.with_auxiliary, CURVE, [])
    text = long.assign(mood=np.where(long["occasion"] % 2 == 0, "a", "b"))
    refused(
        UnsupportedEngineError,
        "categories that change",
        gm.impute,
        "gpa ~ occasion + lib_hours:mood + (occasion | student)",
        text.assign(mood=np.where((text["student"] + text["occasion"]) % 2 == 0, "a", "b")),
    )
    some = long.assign(sex=long["sex"].where(long["student"] % 5 > 0))
    refused(
        UnsupportedEngineError,
        "'sex' is missing for",
        gm.impute,
        "gpa ~ occasion + sex + (occasion | student)",
        some,
    )
    refused(
        UnsupportedEngineError,
        "computed by the formula",
        gm.impute,
        "log(gpa) ~ occasion + (occasion | student)",
        long,
    )


def test_complete_data_need_nothing() -> None:
    result = gm.missing(FORMULA, gm.datasets.gpa())
    assert [a.method for a in result.analyses] == ["maximum_likelihood"]
    assert result.dropout[0].reason == "nobody drops out"
    assert len(result.patterns) == 1


def test_the_picture_shows_patterns_and_curves() -> None:
    result = found()
    figure = result.plot()
    patterns, curves = figure.axes
    assert len(patterns.patches) == 6 * min(20, len(result.patterns))
    assert len(curves.lines) == result.means["last_seen"].nunique()
    line = next(item for item in curves.lines if item.get_label().startswith("gpa_5"))
    stayed = result.means.query("last_seen == 'gpa_5'")["mean"]
    np.testing.assert_allclose(line.get_ydata(), stayed)


def test_text_and_tables_say_what_was_found() -> None:
    text = found().summary()
    for words in ("lavaan by default", "multiply", "(identical)", "multiple imputation", "23"):
        assert words.replace("multiply", "multiplies") in text
    assert "complete persons alone" in found().to_latex()


def test_commands_print_the_same_numbers_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gpa.csv"
    data("long").to_csv(path, index=False)
    words = ["missing", FORMULA, "--data", str(path), "--json"]
    assert main([*words, "--imputations", "0", "--no-forest", "--auxiliary", "lib_hours"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["rules"][2]["n_subjects"] == 23
    assert answer["both_sides"]["verdict"] == "identical"
    assert {a["method"] for a in answer["analyses"]} >= {"maximum_likelihood", "auxiliary"}
    assert answer["dropout"][0]["depends"] is True
    assert main(["alternatives", FORMULA, "--data", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {row["method"] for row in answer["rows"]} >= {"mixed", "within", "gee_ar1"}
    assert answer["mundlak"]["max_difference"] < 1e-10
    assert main(["alternatives", FORMULA, "--data", str(path)]) == 0
    assert "GEE, exchangeable" in capsys.readouterr().out


@pytest.mark.nightly
@pytest.mark.r("lavaan", "jsonlite")
@pytest.mark.parametrize("name", AUXILIARY)
def test_written_correlates_are_fitted_alike_by_lavaan(name: str) -> None:
    _, curve, columns, _ = AUXILIARY[name]
    model = gm.with_auxiliary(curve, columns)
    ours = gm.fit(model, data("wide"), information="observed")
    theirs = gm.fit(model, data("wide"), engine="lavaan")
    assert abs(ours.log_likelihood - theirs.log_likelihood) < 1e-5
    one, two = (f.estimates.set_index("name") for f in (ours, theirs))
    gaps = (one["estimate"] - two.loc[one.index, "estimate"]).abs() / one["std_error"]
    assert gaps.max() < 5e-3


def test_forests_of_many_persons_are_grown_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("growthmm.verbs.missing.MANY", 100)
    result = gm.missing(FORMULA, data("long"), n_imputations=0)
    assert "forest=True" in result["forest"].reason
