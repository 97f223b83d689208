"""R's programs as live witnesses, against the golden numbers and against absence."""

import json
import shutil
from dataclasses import replace
from pathlib import Path as FilePath

import numpy as np
import pytest

from growthmm.engines.limits import Deadline, TimeLimitError
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.r import available, fit_lavaan, fit_lme4, fit_nlme, process
from growthmm.engines.r.lavaan import syntax
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.errors import (
    EngineNotInstalledError,
    FitFailedError,
    UnsupportedEngineError,
)
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import Constraint, Path, SemModel

REFERENCE = FilePath(__file__).resolve().parents[2] / ".." / "shared" / "reference"
needs_reference = pytest.mark.skipif(
    not REFERENCE.exists(), reason="the folder shared/reference is not beside the project"
)
ONE = "(Intercept)"


CURVES = {
    "A02_gpa_slope_homosced": ({}, "A_gpa"),
    "A03_gpa_slope_heterosced": ({"free_residuals": True}, "A_gpa"),
    "A04_gpa_sex_covariate": ({"covariate": True}, "A_gpa"),
    "A07_gpa_uncorrelated": ({"zero": True}, "A_gpa"),
    "A08c_gpa_missing_sex": ({"covariate": True}, "A08_gpa_missing"),
}


def at_night(*values):
    return pytest.param(*values, marks=pytest.mark.nightly)


def needs(package):
    def mark(test):
        missing = shutil.which("Rscript") is None or available()[package] is None
        reason = f"Rscript with the package {package} is not installed"
        return pytest.mark.r(pytest.mark.skipif(missing, reason=reason)(test))

    return mark


def long_problem(name="A_gpa", *, blocks=None, residual="common"):
    import pandas as pd

    frame = pd.read_csv(REFERENCE / "data" / f"{name}_long.csv").dropna(subset=["gpa"])
    design = np.column_stack([np.ones(len(frame)), frame["occasion"]]).astype(float)
    names = (ONE, "occasion")
    codes = pd.factorize(frame["student"])[0]
    occasion = frame["occasion"].to_numpy(int)
    return LongProblem(
        frame["gpa"].to_numpy(float), design, names, design,
        blocks or (RandomEffects(names, (0, 1)),), codes, int(codes.max()) + 1, "student",
        occasion, tuple(float(t) for t in range(6)), ResidualStructure(residual),
        (frame["sex"] == "male").to_numpy(int), ("female", "male"),
    )  # fmt: skip


def linear_growth(*, covariate=False, zero=False, free_residuals=False, **changes):
    outcomes = tuple(f"gpa_{t}" for t in range(6))
    rows = [Path("i", "=~", y, free=False, value=1.0) for y in outcomes]
    rows += [Path("s", "=~", y, free=False, value=float(t)) for t, y in enumerate(outcomes)]
    rows += [Path(y, "~~", y, label=None if free_residuals else "r") for y in outcomes]
    rows += [Path("i", "~~", "i"), Path("s", "~~", "s")]
    rows.append(Path("i", "~~", "s", free=not zero, value=0.0 if zero else None))
    rows += [Path("i", "~1"), Path("s", "~1")]
    rows += [Path(f, "~", "sexmale") for f in "is"] if covariate else []
    model = SemModel(tuple(rows), ("i", "s"), outcomes, ("sexmale",) if covariate else ())
    return replace(model, **changes)


def wide_problem(model, name="A_gpa"):
    import pandas as pd

    frame = pd.read_csv(REFERENCE / "data" / f"{name}_wide.csv")
    covariates = frame[list(model.covariates)].to_numpy(float)
    return WideProblem(model, (WideGroup(frame[list(model.outcomes)].to_numpy(float), covariates),))


def golden(case):
    return json.loads((REFERENCE / "golden" / f"{case}.json").read_text())


def exact_values(block):
    return np.array([*block["fixef"].values(), *block["theta"].values()])


@needs_reference
@needs("lme4")
@pytest.mark.parametrize(
    ("case", "estimator"),
    [
        at_night("A02_gpa_slope_homosced", "ml"),
        at_night("A02_gpa_slope_homosced", "reml"),
        ("A07_gpa_uncorrelated", "ml"),
        at_night("A07_gpa_uncorrelated", "reml"),
        at_night("A08_gpa_missing", "ml"),
        ("A08_gpa_missing", "reml"),
    ],
)
def test_lme4(case, estimator):
    apart = (RandomEffects((ONE, "occasion"), (0, 1), diagonal=True),) if "A07" in case else None
    name = "A08_gpa_missing" if "A08" in case else "A_gpa"
    exact = golden(case)["exact"][estimator]
    result = fit_lme4(long_problem(name, blocks=apart), estimator=estimator)
    assert result.log_likelihood == pytest.approx(exact["logLik"], abs=1e-8)
    np.testing.assert_allclose(result.estimates, exact_values(exact), rtol=5e-6)
    errors = exact["se_expected" if estimator == "ml" else "se"]
    np.testing.assert_allclose(result.standard_errors[:2], list(errors.values())[:2], rtol=1e-6)
    assert np.all(np.isnan(result.standard_errors[2:]))
    assert result.version == available()["lme4"]


@needs_reference
@needs("lme4")
def test_lme4_says_that_a_fit_is_singular():
    import pandas as pd

    frame = pd.read_csv(REFERENCE / "data" / "K_singular_long.csv")
    design = np.column_stack([np.ones(len(frame)), frame["time"]])
    codes = pd.factorize(frame["id"])[0]
    names = (ONE, "time")
    result = fit_lme4(
        LongProblem(
            frame["y"].to_numpy(float),
            design,
            names,
            design,
            (RandomEffects(names, (0, 1)),),
            codes,
            int(codes.max()) + 1,
            "id",
            np.zeros(len(frame), dtype=np.intp),
        )
    )
    assert result.boundary.at_boundary
    assert any("singular" in message for message in result.warnings)
    expected = golden("K01_singular_full")["mixed"]["ml"]["logLik"]
    assert result.log_likelihood == pytest.approx(expected, abs=1e-6)


@needs_reference
@needs("nlme")
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_nlme_by_occasion(estimator):
    exact = golden("A03_gpa_slope_heterosced")["exact"][estimator]
    result = fit_nlme(long_problem(residual="by_occasion"), estimator=estimator)
    assert result.names[-6:] == tuple(f"var(Residual[{t}])" for t in range(6))
    assert result.log_likelihood == pytest.approx(exact["logLik"], abs=1e-6)
    np.testing.assert_allclose(result.estimates, exact_values(exact), rtol=5e-4)


@needs_reference
@needs("nlme")
def test_nlme_ar1_and_independent_blocks():
    exact = golden("A09_gpa_slope_ar1")["exact"]
    result = fit_nlme(long_problem(residual="ar1"))
    assert result.log_likelihood == pytest.approx(exact["logLik"], abs=1e-6)
    np.testing.assert_allclose(result.estimates, list(exact["estimates"].values()), rtol=1e-4)
    apart = (RandomEffects((ONE,), (0,)), RandomEffects(("occasion",), (1,)))
    exact = golden("A07_gpa_uncorrelated")["exact"]["ml"]
    result = fit_nlme(long_problem(blocks=apart))
    assert result.log_likelihood == pytest.approx(exact["logLik"], abs=1e-6)
    np.testing.assert_allclose(result.estimates, exact_values(exact), rtol=1e-4)


@needs_reference
@needs("nlme")
def test_nlme_by_group_is_common_where_groups_are_alike():
    problem = replace(long_problem(), residual=ResidualStructure("by_group", by="sex"))
    result, common = fit_nlme(problem), fit_nlme(long_problem())
    assert result.names[-2:] == ("var(Residual[female])", "var(Residual[male])")
    low, high = sorted(result.estimates[-2:])
    assert low < common.value("var(Residual)") < high
    assert result.log_likelihood > common.log_likelihood


@needs_reference
@needs("lavaan")
@pytest.mark.parametrize(
    ("case", "information"),
    [
        at_night("A02_gpa_slope_homosced", "expected"),
        at_night("A02_gpa_slope_homosced", "observed"),
        ("A03_gpa_slope_heterosced", "expected"),
        at_night("A03_gpa_slope_heterosced", "observed"),
        at_night("A04_gpa_sex_covariate", "expected"),
        ("A04_gpa_sex_covariate", "observed"),
        at_night("A07_gpa_uncorrelated", "expected"),
        ("A07_gpa_uncorrelated", "observed"),
        ("A08c_gpa_missing_sex", "expected"),
        at_night("A08c_gpa_missing_sex", "observed"),
    ],
)
def test_lavaan(case, information):
    options, name = CURVES[case]
    sem = golden(case)["sem"]
    rows = {
        f"{r['lhs']}{r['op'].strip()}{r['rhs'] * (r['op'] != '~1')}": r for r in sem["estimates"]
    }
    rows |= {r["label"]: r for r in sem["estimates"] if r.get("label")}
    result = fit_lavaan(wide_problem(linear_growth(**options), name), information=information)
    assert result.convergence.converged
    assert result.log_likelihood == pytest.approx(sem["logLik"], abs=1e-7)
    for name_, value, error in zip(
        result.names, result.estimates, result.standard_errors, strict=True
    ):
        row = rows[name_]
        assert abs(value - row["est"]) < 1e-4 * row["se_expected"], name_
        assert error == pytest.approx(row[f"se_{information}"], rel=1e-5), name_
    assert result.n_subjects == (194 if "A08" in case else 200)
    assert result.n_rows == (699 if "A08" in case else 1200)


@needs_reference
@needs("lavaan")
def test_lavaan_from_moments_and_in_groups():
    problem = wide_problem(linear_growth())
    data = problem.groups[0].outcomes
    whole = fit_lavaan(problem)
    moments = WideMoments(data.mean(axis=0), np.cov(data.T, bias=True), len(data))
    printed = fit_lavaan(WideProblem(problem.model, (moments,)))
    assert printed.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-7)
    rows = []
    for group in range(2):
        rows += [
            replace(p, group=group, label=(p.label or p.name) if p.free else None)
            for p in problem.model.paths
        ]
    both = replace(problem.model, paths=tuple(rows), n_groups=2)
    halves = tuple(WideGroup(half, np.empty((len(half), 0))) for half in (data[:80], data[80:]))
    split = fit_lavaan(WideProblem(both, halves))
    assert split.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-6)
    assert len(split.names) == len(whole.names)


@needs_reference
@needs("lavaan")
def test_lavaan_constraints_and_starts():
    constrained = linear_growth(constraints=(Constraint("s~~s", "==", "0.1 * r"),))
    result = fit_lavaan(wide_problem(constrained))
    assert result.value("s~~s") == pytest.approx(0.1 * result.value("r"), rel=1e-5)
    own = fit_lavaan(wide_problem(linear_growth()))
    again = fit_lavaan(wide_problem(linear_growth()), start=own.estimates)
    assert again.log_likelihood == pytest.approx(own.log_likelihood, abs=1e-8)


@needs_reference
@needs("lavaan")
def test_a_missing_covariate_costs_what_it_acts_on():
    problem = wide_problem(linear_growth(covariate=True))
    group = problem.groups[0]
    covariates = group.covariates.copy()
    covariates[:5] = np.nan
    some = fit_lavaan(WideProblem(problem.model, (WideGroup(group.outcomes, covariates),)))
    rest = WideGroup(group.outcomes[5:], group.covariates[5:])
    without = fit_lavaan(WideProblem(problem.model, (rest,)))
    assert some.n_subjects == 195
    assert some.log_likelihood == pytest.approx(without.log_likelihood, abs=1e-7)


def test_syntax_holds_no_name_and_no_code():
    nasty = 'x"); system("true'
    model = SemModel((Path(nasty, "~1"), Path(nasty, "~~", nasty, label=nasty)), (), (nasty,))
    assert syntax(model) == "v1 ~ p1*1\nv1 ~~ p2*v1\n"
    wild = replace(model, constraints=(Constraint(nasty, "==", "system('true')"),))
    with pytest.raises(UnsupportedEngineError, match="only arithmetic"):
        syntax(wild)


def test_refusals_name_the_reason():
    problem = LongProblem(
        np.zeros(4), np.ones((4, 1)), (ONE,), np.ones((4, 1)), (RandomEffects((ONE,), (0,)),),
        np.array([0, 0, 1, 1]), 2, "id", np.zeros(4, dtype=np.intp),
    )  # fmt: skip
    with pytest.raises(UnsupportedEngineError, match="by_occasion"):
        fit_lme4(replace(problem, residual=ResidualStructure("by_occasion")))
    with pytest.raises(UnsupportedEngineError, match="toeplitz"):
        fit_nlme(replace(problem, residual=ResidualStructure("toeplitz")))
    with pytest.raises(UnsupportedEngineError, match="without random effects"):
        fit_lme4(replace(problem, random=np.empty((4, 0)), blocks=()))
    wide = WideProblem(linear_growth(), (WideGroup(np.zeros((4, 6)), np.empty((4, 0))),))
    with pytest.raises(UnsupportedEngineError, match="no REML"):
        fit_lavaan(wide, estimator="reml")


def test_absent_r_is_a_clear_message(monkeypatch):
    monkeypatch.setattr(process.shutil, "which", lambda _: None)
    process.available.cache_clear()
    try:
        assert set(available().values()) == {None}
        with pytest.raises(EngineNotInstalledError, match="R is not installed") as caught:
            process.require("lavaan")
        assert "r-cran-lavaan" in (caught.value.hint or "")
    finally:
        process.available.cache_clear()


@needs("lme4")
def test_r_is_killed_at_its_limit_and_its_errors_come_over(monkeypatch, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    prelude = process.files("growthmm.engines.r").joinpath("scripts", "prelude.R").read_text()
    (scripts / "prelude.R").write_text(prelude)
    (scripts / "slow.R").write_text("Sys.sleep(60)\n")
    (scripts / "bad.R").write_text(
        'report(directory, function() { warning("so \\"it\\" goes"); stop("no, it doesn\'t") })\n'
    )
    (scripts / "good.R").write_text(
        'report(directory, function() { warning("a \\"b\\" \\\\"); '
        "list(x = c(1/3, NA), m = diag(2)) })\n"
    )
    monkeypatch.setattr(process, "files", lambda _: tmp_path)
    with pytest.raises(TimeLimitError, match=r"slow R did not finish within 1 s"):
        process.run("slow", [], {}, Deadline("slow R", 1.0))
    with pytest.raises(FitFailedError, match="no, it doesn't"):
        process.run("bad", [], {}, Deadline("R", 30.0))
    result = process.run("good", [], {}, Deadline("R", 30.0))
    assert result == {"x": [1 / 3, None], "m": [[1, 0], [0, 1]], "said": ['a "b" \\']}
