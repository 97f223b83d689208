"""The wide engine against the reference numbers of R and of the dense likelihood."""

import numpy as np
import pytest
from wide_models import (
    GPA,
    case_model,
    golden,
    growth_model,
    growth_paths,
    polynomial,
    problem,
    table,
    wide_group,
)

from growthmm.engines import wide
from growthmm.engines.wide.problem import WideMoments, WideProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.model.sem import SemModel

FACTORS = {
    "(Intercept)": "i",
    "occasion": "s",
    "Days": "s",
    "time": "s",
    "I(occasion^2)": "q",
    "I(time^2)": "q",
    "I(t^2)": "q",
    "t": "s",
    "t1": "s1",
    "t2": "s2",
    "s1": "s1",
    "s2": "s2",
}
EXACT = [
    "A01_gpa_intercept_only",
    "A01b_gpa_random_intercept",
    "A02_gpa_slope_homosced",
    "A03_gpa_slope_heterosced",
    "A04_gpa_sex_covariate",
    "A05_gpa_tvc_equal",
    "A06_gpa_quadratic",
    "A06b_gpa_quadratic_fixed",
    "A07_gpa_uncorrelated",
    "A08_gpa_missing",
    "A08c_gpa_missing_sex",
    "B01_sleepstudy_full",
    "D01_demogrowth_linear_homosced",
    "F01_gpa_piecewise",
    "F03_quadratic_sim",
]
LAVAAN = [
    *EXACT,
    "L01_lcs_constant_change",
    "F02_demogrowth_latent_basis",
    "G01_parallel_process",
    "M01_mediation_slope",
]
MEASURES = {
    "chi_square": "chisq",
    "df": "df",
    "p_value": "pvalue",
    "cfi": "cfi",
    "tli": "tli",
    "rmsea": "rmsea",
    "rmsea_ci_low": "rmsea.ci.lower",
    "rmsea_ci_high": "rmsea.ci.upper",
    "srmr": "srmr",
    "unrestricted_log_likelihood": "unrestricted.logl",
    "baseline_chi_square": "baseline.chisq",
    "baseline_df": "baseline.df",
}


def load(case):
    data, model = case_model(case)
    return problem(table(data), model)


def sem_name(exact, factors, names):
    """Our name of a parameter of the dense likelihood."""
    if exact == "R[resid]":
        return "r"
    if exact.startswith("R["):
        y = exact[2:-1]
        return f"{y}~~{y}"
    if exact.startswith("G["):
        a, b = (factors[part] for part in exact[2:-1].split(","))
        return f"{a}~~{b}" if f"{a}~~{b}" in names else f"{b}~~{a}"
    if exact in ("sexmale",):
        return "i~sexmale"
    if exact == "occasion:sexmale":
        return "s~sexmale"
    if exact == "lib_hours":
        return "b"
    return f"{factors[exact]}~1"


def factor_names(exact, model):
    """Which growth factor each coefficient of time is: in the order of the formula."""
    times = [n for n in exact["fixef"] if n not in ("sexmale", "occasion:sexmale", "lib_hours")]
    return dict(zip(times, model.latent, strict=True))


@pytest.mark.parametrize("case", EXACT)
def test_estimates_and_standard_errors_are_those_of_the_dense_likelihood(case):
    data = load(case)
    exact = golden(case)["exact"]["ml"]
    factors = factor_names(exact, data.model)
    expected = wide.fit(data)
    observed = wide.fit(data, information="observed")
    assert expected.convergence.converged
    assert expected.log_likelihood == pytest.approx(exact["logLik"], abs=1e-7)
    assert len(expected.names) == exact["npar"]
    # Residuals by occasion: "R[...]" stand in the order of the occasions.
    residuals = [n for n in exact["theta"] if n.startswith("R[")]
    by_occasion = dict(zip(residuals, [f"{y}~~{y}" for y in GPA], strict=False))
    seen = set()
    for name, value in {**exact["fixef"], **exact["theta"]}.items():
        if len(residuals) > 1 and name in by_occasion:
            ours = by_occasion[name]
        else:
            ours = sem_name(name, factors, expected.names)
        k = expected.names.index(ours)
        seen.add(ours)
        assert expected.estimates[k] == pytest.approx(value, rel=1e-6), name
        assert expected.standard_errors[k] == pytest.approx(exact["se_expected"][name], rel=1e-5)
        assert observed.standard_errors[k] == pytest.approx(exact["se_observed"][name], rel=1e-5)
    assert seen == set(expected.names)


@pytest.mark.parametrize("case", LAVAAN)
def test_log_likelihood_and_estimates_are_lavaans(case):
    data = load(case)
    sem = golden(case)["sem"]
    fit = wide.fit(data)
    assert fit.log_likelihood == pytest.approx(sem["logLik"], abs=2e-7)
    assert fit.convergence.decrement < 1e-10
    assert fit.convergence.max_score < 1e-6
    errors = dict(zip(fit.names, fit.standard_errors, strict=True))
    compared = 0
    for row in sem["estimates"]:
        name = row.get("label") or f"{row['lhs']}{row['op']}{row['rhs']}"
        if name in fit.names:
            # lavaan stops where its own gradient is small: a thousandth of a standard error.
            assert abs(fit.value(name) - row["est"]) < 1e-3 * errors[name], name
            compared += 1
    assert compared >= len(fit.names)


@pytest.mark.parametrize(
    "case", [c for c in EXACT if not c.startswith("A06_")] + ["G01_parallel_process"]
)
def test_restricted_log_likelihood_is_lme4s(case):
    reference = golden(case)
    fit = wide.fit(load(case), estimator="reml")
    assert fit.convergence.converged
    assert fit.log_likelihood == pytest.approx(reference["mixed"]["reml"]["logLik"], abs=1e-6)
    exact = reference["exact"].get("reml")
    if exact and case != "A03_gpa_slope_heterosced" and "G01" not in case:
        factors = factor_names(exact, case_model(case)[1])
        for name, value in {**exact["fixef"], **exact["theta"]}.items():
            ours = sem_name(name, factors, fit.names)
            assert fit.value(ours) == pytest.approx(value, rel=2e-6), name
            if name in exact["se"]:
                k = fit.names.index(ours)
                assert fit.standard_errors[k] == pytest.approx(exact["se"][name], rel=1e-5)


def test_restricted_likelihood_is_refused_where_loadings_are_free():
    with pytest.raises(UnsupportedEngineError, match="l2, l3"):
        wide.fit(load("F02"), estimator="reml")


@pytest.mark.parametrize(
    "case", ["A06_gpa_quadratic", "K01_singular_full", "K02_singular_uncorrelated"]
)
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_bounded_optimum_is_lme4s(case, estimator):
    mixed = golden(case)["mixed"].get(estimator)
    if mixed is None:
        pytest.skip(f"the reference has no {estimator} fit of {case}")
    fit = wide.fit(load(case), estimator=estimator, bounds="psd")
    assert fit.convergence.converged
    assert fit.log_likelihood == pytest.approx(mixed["logLik"], abs=2e-6)
    assert fit.boundary.at_boundary
    assert not fit.boundary.beyond
    singular = [fit.names.index(n) for n in fit.boundary.parameters]
    assert np.all(np.isnan(fit.standard_errors[singular]))
    rest = np.setdiff1d(np.arange(len(fit.names)), singular)
    assert np.all(fit.standard_errors[rest] > 0)


def test_unbounded_optimum_says_how_it_leaves_the_space():
    quadratic = wide.fit(load("A06"))
    assert quadratic.boundary.beyond
    assert "correlation of s and q is -1.00698" in quadratic.boundary.description
    assert np.linalg.norm(quadratic.boundary.direction) == pytest.approx(1.0)
    reference = golden("K01_singular_full")["sem"]["lavaan_unconstrained"]
    linear = wide.fit(load("K01"))
    assert linear.log_likelihood == pytest.approx(reference["logLik"], abs=1e-7)
    assert "s~~s is negative (-0.01114" in linear.boundary.description
    diagonal = wide.fit(load("K02"))
    reference = golden("K02_singular_uncorrelated")["sem"]["lavaan_unconstrained"]
    assert diagonal.log_likelihood == pytest.approx(reference["logLik"], abs=1e-7)
    assert diagonal.boundary.parameters == ("s~~s",)


@pytest.mark.parametrize("case", LAVAAN)
def test_fit_measures_are_lavaans(case):
    data = load(case)
    reference = golden(case)["sem"]["fit_measures"]
    ours = wide.fit_measures(data, wide.fit(data))
    for name, theirs in MEASURES.items():
        if reference[theirs] is not None:
            assert ours[name] == pytest.approx(reference[theirs], rel=1e-6, abs=2e-7), name


def test_growth_baseline_is_that_of_widaman_and_thompson():
    data = load("A02")
    ours = wide.fit_measures(data, wide.fit(data), baseline="growth")
    assert ours["baseline_chi_square"] == pytest.approx(1108.4529, abs=1e-4)
    assert ours["baseline_df"] == 25
    assert ours["cfi"] == pytest.approx(0.8427, abs=5e-5)
    assert ours["tli"] == pytest.approx(0.8127, abs=6e-5)


@pytest.mark.parametrize("case", [c for c in LAVAAN if c[:4] not in ("F02_", "A06_")])
@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_factor_scores_are_lavaans(case, method):
    if case.startswith("L01") and method == "bartlett":
        pytest.skip("lavaan inverts a singular matrix there; see the test of change scores")
    data = load(case)
    reference = golden(case)["sem"][f"factor_scores_{method}_first"]
    found = {
        row.get("label") or f"{row['lhs']}{row['op']}{row['rhs']}": row["est"]
        for row in golden(case)["sem"]["estimates"]
    }
    values = np.array([found[name] for name in wide.parameter_names(data)])
    scores, _ = wide.factor_scores(data, values, method)
    spread = np.nanstd(scores, axis=0) + np.abs(np.nanmean(scores, axis=0))
    for ours, theirs in zip(scores, reference, strict=False):
        for j, factor in enumerate(data.model.latent):
            if theirs[factor] is None:
                assert np.isnan(ours[j])
            elif not np.isnan(ours[j]):
                assert ours[j] == pytest.approx(theirs[factor], abs=1e-9 * spread[j])


def test_bartlett_scores_of_change_scores_are_least_squares():
    data = load("L01")
    fit = wide.fit(data)
    scores, _ = wide.factor_scores(data, fit.estimates, "bartlett")
    design = np.column_stack([np.ones(5), np.arange(5)])
    lines = np.linalg.lstsq(design, data.groups[0].outcomes.T, rcond=None)[0].T
    names = list(data.model.latent)
    assert scores[:, [names.index("l0"), names.index("s")]] == pytest.approx(lines, abs=1e-10)


@pytest.mark.parametrize("case", ["A02b_gpa_lavaan_variants"])
def test_sandwich_is_lavaans_mlr(case):
    data = load("A02")
    errors = np.sqrt(np.diag(wide.sandwich(data, wide.fit(data).estimates)))
    ours = dict(zip(wide.parameter_names(data), errors, strict=True))
    ours |= {f"{y}~~{y}": ours["r"] for y in GPA}
    compared = 0
    for row in golden(case)["MLR"]["estimates"]:
        name = f"{row['lhs']}{row['op']}{row['rhs'] or ''}"
        if name in ours and row["se"]:
            assert ours[name] == pytest.approx(row["se"], rel=1e-5)
            compared += 1
    assert compared >= 6


def test_defined_parameters_have_delta_method_errors():
    data = load("M01")
    reference = golden("M01_mediation_slope")["exact"]
    fit = wide.fit(data, information="observed")
    names, values, covariance = wide.defined_values(data, fit.estimates, fit.covariance)
    assert names == ("ind", "ind_i", "total")
    assert values[0] == pytest.approx(reference["indirect"], rel=1e-7)
    assert np.sqrt(covariance[0, 0]) == pytest.approx(reference["indirect_se_observed"], rel=1e-5)


COVARIANCES = ("i~~i", "s~~s", "i~~s")
GROUPS = {
    "H0_free": ((), ("r1", "r2")),
    "H1_equal_residual": ((), ("r", "r")),
    "H2_equal_residual_G": (COVARIANCES, ("r", "r")),
    "H3_plus_equal_slope_mean": ((*COVARIANCES, "s~1"), ("r", "r")),
    "H4_all_equal": ((*COVARIANCES, "s~1", "i~1"), ("r", "r")),
}


def two_groups(equal, labels):
    frame = table("A_gpa_wide")
    rows = []
    for k in range(2):
        more, factors, outcomes = growth_paths(
            polynomial(GPA, 1), label=labels[k], group=k, equal=equal
        )
        rows += more
    model = SemModel(
        tuple(rows),
        tuple(factors),
        tuple(outcomes),
        n_groups=2,
        group_variable="sex",
        group_labels=("female", "male"),
    )
    return WideProblem(
        model, tuple(wide_group(frame[frame.sex == s], model) for s in ("female", "male"))
    )


@pytest.mark.parametrize("name", GROUPS)
def test_groups_are_lavaans(name):
    reference = golden("H01_gpa_multigroup_sex")["sem"][name]
    data = two_groups(*GROUPS[name])
    fit = wide.fit(data)
    assert len(fit.names) == reference["npar"]
    assert fit.log_likelihood == pytest.approx(reference["logLik"], abs=1e-7)
    ours = wide.fit_measures(data, fit)
    for measure, theirs in MEASURES.items():
        expected = reference["fit_measures"][theirs]
        assert ours[measure] == pytest.approx(expected, rel=1e-6, abs=2e-7), measure
    bounded = wide.fit(data, bounds="psd")
    assert bounded.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)


def test_definition_variables_are_individual_times():
    reference = golden("E02_sim_unbalanced")
    frame = table("E02_unbalanced_wide")
    outcomes = [f"y_{k}" for k in range(1, 8)]
    times = [f"time_{k}" for k in range(1, 8)]
    model = growth_model(
        {"i": dict.fromkeys(outcomes, 1.0), "s": dict.fromkeys(outcomes, 0.0)},
        definitions={("s", y): t for y, t in zip(outcomes, times, strict=True)},
    )
    data = WideProblem(model, (wide_group(frame, model, times),))
    fit = wide.fit(data)
    exact = reference["exact"]["ml"]
    assert fit.log_likelihood == pytest.approx(exact["logLik"], abs=1e-7)
    ours = {
        "(Intercept)": "i~1",
        "time": "s~1",
        "G[(Intercept),(Intercept)]": "i~~i",
        "G[(Intercept),time]": "i~~s",
        "G[time,time]": "s~~s",
        "R[resid]": "r",
    }
    for theirs, value in {**exact["fixef"], **exact["theta"]}.items():
        k = fit.names.index(ours[theirs])
        assert fit.estimates[k] == pytest.approx(value, rel=1e-6)
        assert fit.standard_errors[k] == pytest.approx(exact["se_expected"][theirs], rel=1e-5)
    restricted = wide.fit(data, estimator="reml")
    lme4 = reference["mixed"]["reml"]["logLik"]
    assert restricted.log_likelihood == pytest.approx(lme4, abs=1e-6)
    assert np.isnan(wide.fit_measures(data, fit)["chi_square"])


def test_moments_are_as_good_as_persons():
    data, model = case_model("A04")
    frame = table(data)
    columns = [*model.outcomes, *model.covariates]
    values = frame[columns].to_numpy(float)
    moments = WideMoments(values.mean(axis=0), np.cov(values.T, bias=True), len(values))
    persons, summary = problem(frame, model), WideProblem(model, (moments,))
    one, two = wide.fit(persons), wide.fit(summary)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)
    assert two.estimates == pytest.approx(one.estimates, rel=1e-9)
    assert two.standard_errors == pytest.approx(one.standard_errors, rel=1e-9)
    for a, b in zip(
        wide.fit_measures(persons, one).values(),
        wide.fit_measures(summary, two).values(),
        strict=True,
    ):
        assert b == pytest.approx(a, rel=1e-7)
    with pytest.raises(UnsupportedEngineError, match="no persons"):
        wide.factor_scores(summary, two.estimates)
    with pytest.raises(UnsupportedEngineError, match="no persons"):
        wide.sandwich(summary, two.estimates)
