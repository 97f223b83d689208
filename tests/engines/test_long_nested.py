"""Random effects of persons within clusters: dense algebra, differences, lme4."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest
from clustered import nested_problem, schools

import growthmm as gm
from growthmm.engines import long
from growthmm.errors import DataError, NotIdentifiedError, UnsupportedEngineError
from growthmm.model.residual import ResidualStructure

FORMULA = "y ~ t * x + z + w + (t | child) + (t | school)"


@cache
def problem():
    return nested_problem(schools())


@cache
def fitted(estimator: str):
    return long.fit(problem(), estimator=estimator)


def dense(values, estimator):
    """Log-likelihood, V and its derivatives by the definition, all rows at once."""
    p = problem()
    n, X = len(p.outcome), np.asarray(p.fixed)
    Z, W = np.asarray(p.random)[:, :2], np.asarray(p.random)[:, 2:]
    same = p.subject[:, None] == p.subject
    home = p.clusters.code[:, None] == p.clusters.code
    slopes = []
    for design, mask in ((Z, same), (W, home)):
        for a, b in ((0, 0), (0, 1), (1, 1)):
            unit = np.zeros((2, 2))
            unit[a, b] = unit[b, a] = 1.0
            slopes.append(mask * (design @ unit @ design.T))
    slopes.append(np.eye(n))
    V = np.tensordot(values[3:], np.array(slopes), axes=1)
    r = p.outcome - X @ values[:3]
    inverse = np.linalg.inv(V)
    value = -0.5 * (n * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + r @ inverse @ r)
    information = X.T @ inverse @ X
    if estimator == "reml":
        value += 0.5 * (3 * np.log(2 * np.pi) - np.linalg.slogdet(information)[1])
        inverse = inverse - inverse @ X @ np.linalg.solve(information, X.T @ inverse)
    return value, V, slopes, inverse


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_likelihood_and_expected_information_are_those_of_dense_algebra(estimator):
    values = fitted(estimator).estimates * 1.07
    value, _, slopes, inverse = dense(values, estimator)
    found = long.log_likelihood(problem(), values, estimator)
    assert found == pytest.approx(value, rel=1e-12)
    moved = [inverse @ slope for slope in slopes]
    expected = np.array([[0.5 * np.sum(a * b.T) for a in moved] for b in moved])
    information = long.information(problem(), values, "expected", estimator)
    assert information[3:, 3:] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("shift", [1.0, 1.1])
def test_derivatives_are_differences(estimator, shift):
    values = fitted(estimator).estimates * shift
    step = 1e-5 * np.eye(len(values))
    score = long.score(problem(), values, estimator)
    found = [
        (
            long.log_likelihood(problem(), values + h, estimator)
            - long.log_likelihood(problem(), values - h, estimator)
        )
        / 2e-5
        for h in step
    ]
    assert score == pytest.approx(found, abs=1e-5, rel=1e-6)
    above = [long.score(problem(), values + h, estimator) for h in step]
    below = [long.score(problem(), values - h, estimator) for h in step]
    slopes = (np.array(above) - np.array(below)) / 2e-5
    information = long.information(problem(), values, "observed", estimator)
    assert information == pytest.approx(-slopes, abs=1e-6 * np.abs(information).max())


@pytest.mark.parametrize("bounds", ["psd", "none"])
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_a_fit_ends_where_the_score_is_zero(estimator, bounds):
    found = long.fit(problem(), estimator=estimator, bounds=bounds)
    assert found.convergence.converged
    assert long.distance(problem(), found.estimates, estimator) < 1e-6
    assert found.names[3:5] == ("var((Intercept)|child)", "cov((Intercept),t|child)")
    assert found.names[-2:] == ("var(t|school)", "var(Residual)")


def test_a_model_without_slopes_at_one_level_is_nested_in_that_with_them():
    data = schools()
    small = gm.fit("y ~ t + x + (t | child) + (1 | school)", data)
    large = gm.fit("y ~ t + x + (t | child) + (t | school)", data)
    one = gm.fit("y ~ t + x + (t | child)", data)
    assert one.log_likelihood < small.log_likelihood < large.log_likelihood
    # Without any between-cluster variance the likelihood is that of one level.
    values = np.zeros(len(large.fit.names))
    for name, value in zip(one.fit.names, one.fit.estimates, strict=True):
        values[large.fit.names.index(name)] = value
    again = long.log_likelihood(large.data.problem, values)
    assert again == pytest.approx(one.log_likelihood, abs=1e-9)


def test_random_effects_are_conditional_moments():
    values = fitted("ml").estimates
    p = problem()
    _, V, _, _ = dense(values, "ml")
    weight = np.linalg.inv(V)
    left = p.outcome - np.asarray(p.fixed) @ values[:3]
    G = np.zeros((4, 4))
    G[:2, :2] = [[values[3], values[4]], [values[4], values[5]]]
    G[2:, 2:] = [[values[6], values[7]], [values[7], values[8]]]
    modes, spread = long.random_effects(p, values)
    for person in (0, 5, 17):
        mine = p.subject == person
        home = p.clusters.code == p.clusters.code[mine][0]
        design = np.asarray(p.random).copy()
        design[~mine, :2] = 0.0
        design[~home, 2:] = 0.0
        reach = G @ design.T
        assert modes[person] == pytest.approx(reach @ weight @ left, abs=1e-9)
        assert spread[person] == pytest.approx(G - reach @ weight @ reach.T, abs=1e-9)


def test_a_cluster_variance_that_is_zero_lies_at_its_bound():
    data = schools()
    homes = {child: k % 20 for k, child in enumerate(sorted(data["child"].unique()))}
    mixed = data.assign(school=data["child"].map(homes))
    bounded = gm.fit("y ~ t + (1 | child) + (1 | school)", mixed)
    free = gm.fit("y ~ t + (1 | child) + (1 | school)", mixed, bounds="none")
    assert free.estimates.set_index("name").loc["var((Intercept)|school)", "estimate"] < 0
    assert free.log_likelihood > bounded.log_likelihood
    assert bounded.fit.boundary.at_boundary
    assert "var((Intercept)|school) = 0 at its bound 0" in bounded.fit.boundary.description
    sem = gm.translate("y ~ t + (1 | child) + (1 | school)", "lavaan", data=mixed).text
    wide = gm.fit(sem, mixed, id="child", time="t")
    assert wide.log_likelihood == pytest.approx(free.log_likelihood, abs=1e-7)


def test_names_that_repeat_from_cluster_to_cluster():
    data = schools()
    own = data.groupby("school")["child"].transform(lambda c: c.rank(method="dense"))
    repeated = data.assign(child=own.astype(int))
    found = gm.fit("y ~ t + (t | school/child)", repeated)
    plain = gm.fit("y ~ t + (t | school) + (t | child)", data)
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-9)
    assert found.n_subjects == plain.n_subjects
    assert "var(t|school:child)" in found.fit.names
    assert list(plain.random_effects.columns) == [
        "(Intercept)|school",
        "t|school",
        "(Intercept)|child",
        "t|child",
    ]


def test_what_cannot_be_fitted_is_refused():
    data = schools()
    with pytest.raises(gm.errors.UnsupportedError, match="crossed"):
        gm.fit("y ~ t + (1 | school) + (1 | t)", data)
    with pytest.raises(gm.errors.UnsupportedError, match="two nested grouping factors"):
        gm.fit("y ~ t + (1 | school/child/t)", data)
    with pytest.raises(DataError, match="more than one school"):
        gm.fit("y ~ t + (1 | school) + (1 | child)", data.assign(school=data["t"]), id="child")
    with pytest.raises(UnsupportedEngineError, match="independent residuals"):
        gm.fit(FORMULA, data, residual="ar1", time="t")
    with pytest.raises(NotIdentifiedError, match="1 school"):
        gm.fit("y ~ t + (1 | school) + (1 | child)", data.assign(school=1))
    with pytest.raises(UnsupportedEngineError, match="one grouping factor"):
        gm.fit(FORMULA, data, engine="statsmodels")


def test_a_person_in_two_clusters_is_refused():
    p = problem()
    code = np.array(p.clusters.code)
    row = int(np.flatnonzero(np.bincount(p.subject)[p.subject] > 1)[0])
    code[row] = (code[row] + 1) % p.clusters.n_clusters
    broken = nested_problem(schools())
    object.__setattr__(broken, "clusters", long.Clusters(code, p.clusters.n_clusters, "school"))
    with pytest.raises(DataError, match="more than one school"):
        long.fit(broken)


def test_residual_structures_are_named_in_the_refusal():
    broken = nested_problem(schools())
    object.__setattr__(broken, "residual", ResidualStructure("by_occasion"))
    with pytest.raises(UnsupportedEngineError, match="by_occasion"):
        long.fit(broken)


@pytest.mark.r("lme4", "jsonlite")
@pytest.mark.parametrize("estimator", [pytest.param("ml", marks=pytest.mark.nightly), "reml"])
@pytest.mark.parametrize(
    "formula",
    [
        FORMULA,
        "y ~ t + x + (1 | school/child)",
        "y ~ t + z + (t | child) + (1 | school)",
        "y ~ t + (1 + t || child) + (t | school)",
    ],
)
def test_lme4_agrees(tmp_path, formula, estimator):
    data = schools(40, 8)
    data.to_csv(tmp_path / "d.csv", index=False)
    script = f"""
    suppressPackageStartupMessages(library(lme4))
    d <- read.csv("{tmp_path / "d.csv"}")
    control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e6))
    m <- lmer({formula}, d, REML = {str(estimator == "reml").upper()}, control = control)
    school <- ranef(m)$school
    cat(jsonlite::toJSON(list(ll = as.numeric(logLik(m)), se = sqrt(diag(as.matrix(vcov(m)))),
      names = names(fixef(m)), school = school[[1]], ids = rownames(school)), digits = NA))
    """
    done = subprocess.run(
        [shutil.which("Rscript"), "-e", script], capture_output=True, text=True, check=True
    )
    theirs = json.loads(done.stdout)
    ours = gm.fit(formula, data, estimator=estimator)
    assert ours.log_likelihood == pytest.approx(theirs["ll"][0], abs=1e-6)
    rows = ours.estimates.set_index("name").loc[theirs["names"]]
    assert rows["std_error"].to_numpy() == pytest.approx(np.array(theirs["se"]), rel=1e-5)
    home = data.groupby("child")["school"].first()
    effects = ours.random_effects["(Intercept)|school"].groupby(home).first()
    ids = np.array(theirs["ids"], dtype=int)
    scale = float(np.std(theirs["school"]))
    assert effects.loc[ids].to_numpy() == pytest.approx(
        np.array(theirs["school"]), abs=1e-4 * scale
    )
