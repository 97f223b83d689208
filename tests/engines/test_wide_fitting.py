"""Missing data, constraints, bounds, identification and errors of the wide engine."""

import dataclasses

import numpy as np
import pytest
from wide_models import growth_model, polynomial

from growthmm.engines import wide
from growthmm.engines.wide import fitting
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.engines.wide.system import compile_problem
from growthmm.errors import (
    DataError,
    NotIdentifiedError,
    SpecificationError,
    TooFewSubjectsError,
    UnsupportedEngineError,
)
from growthmm.model.sem import Constraint, Path, SemModel

NAMES = [f"y{t}" for t in range(5)]


def simulate(seed=0, n=150, slope_variance=0.3, noise=1.0, covariate=False):
    rng = np.random.default_rng(seed)
    t = np.arange(5.0)
    x = rng.normal(2.0, 1.0, n)
    cov = [[1.0, 0.1], [0.1, slope_variance]] if slope_variance else [[1.0, 0.0], [0.0, 0.0]]
    u = rng.multivariate_normal([0, 0], cov, n)
    y = 3 + u[:, :1] + (0.5 + u[:, 1:]) * t + rng.normal(0, noise, (n, 5))
    if covariate:
        y = y + 0.4 * x[:, None] + 0.1 * x[:, None] * t
    return y, x


def no_x(y):
    return WideGroup(y, np.zeros((len(y), 0)))


def linear(**options):
    return growth_model(polynomial(NAMES, 1), **options)


def test_a_time_varying_covariate_missing_takes_its_row_only():
    y, _ = simulate()
    rng = np.random.default_rng(1)
    z = rng.normal(size=y.shape)
    zs = [f"z{t}" for t in range(5)]
    direct = [(a, b, "b") for a, b in zip(NAMES, zs, strict=True)]
    model = linear(direct=direct, covariates=zs)
    lost = rng.random(y.shape) < 0.2
    holes = np.where(lost, np.nan, z)
    fit = wide.fit(WideProblem(model, (WideGroup(y, holes),)))
    filled = wide.fit(WideProblem(model, (WideGroup(np.where(lost, np.nan, y), z),)))
    assert fit.n_rows == (~lost).sum()
    assert fit.log_likelihood == pytest.approx(filled.log_likelihood, abs=1e-9)
    assert fit.estimates == pytest.approx(filled.estimates, rel=1e-8)
    assert fit.standard_errors == pytest.approx(filled.standard_errors, rel=1e-8)
    measures = wide.fit_measures(WideProblem(model, (WideGroup(y, holes),)), fit)
    assert np.isnan(measures["chi_square"])


def test_a_person_level_covariate_missing_takes_the_person():
    y, x = simulate(covariate=True)
    model = linear(regressions=[("i", "x"), ("s", "x")], covariates=["x"])
    holes = x.copy()
    holes[::7] = np.nan
    problem = WideProblem(model, (WideGroup(y, holes[:, None]),))
    fit = wide.fit(problem)
    keep = ~np.isnan(holes)
    fewer = wide.fit(WideProblem(model, (WideGroup(y[keep], x[keep, None]),)))
    assert fit.n_subjects == keep.sum()
    assert fit.log_likelihood == pytest.approx(fewer.log_likelihood, abs=1e-9)
    scores, _ = wide.factor_scores(problem, fit.estimates)
    assert len(scores) == len(y)
    assert np.array_equal(np.isnan(scores[:, 0]), ~keep)


def test_a_missing_covariate_that_acts_on_nothing_observed_does_no_harm():
    y, x = simulate()
    y[:10, 2:] = np.nan
    rows = linear(direct=[("y4", "x", "b")], covariates=["x"])
    holes = x.copy()
    holes[:10] = np.nan
    fit = wide.fit(WideProblem(rows, (WideGroup(y, holes[:, None]),)))
    other = wide.fit(WideProblem(rows, (WideGroup(y, np.where(np.isnan(holes), 99, x)[:, None]),)))
    assert fit.n_rows == np.sum(~np.isnan(y))
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-9)
    assert fit.standard_errors == pytest.approx(other.standard_errors, rel=1e-8)


def test_persons_without_outcomes_are_dropped_and_scored_at_the_mean():
    y, _ = simulate()
    y[3] = np.nan
    problem = WideProblem(linear(), (no_x(y),))
    fit = wide.fit(problem)
    assert fit.n_subjects == len(y) - 1
    scores, covariances = wide.factor_scores(problem, fit.estimates)
    assert scores[3] == pytest.approx([fit.value("i~1"), fit.value("s~1")])
    assert covariances[3, 0, 0] == pytest.approx(fit.value("i~~i"))
    bartlett, _ = wide.factor_scores(problem, fit.estimates, "bartlett")
    assert np.all(np.isnan(bartlett[3]))


@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("missing", [False, True])
def test_units_and_origin_move_the_answer_exactly(unit, missing):
    y, x = simulate(covariate=True)
    if missing:
        y[np.random.default_rng(2).random(y.shape) < 0.2] = np.nan
    model = linear(regressions=[("i", "x"), ("s", "x")], covariates=["x"])
    base = wide.fit(WideProblem(model, (WideGroup(y, x[:, None]),)))
    moved = wide.fit(WideProblem(model, (WideGroup(unit * (y + 1000.0), x[:, None] + 50.0),)))
    assert moved.convergence.converged
    shift = -np.sum(~np.isnan(y)) * np.log(unit)
    assert moved.log_likelihood == pytest.approx(base.log_likelihood + shift, rel=1e-10)
    assert moved.value("s~x") == pytest.approx(unit * base.value("s~x"), rel=1e-6)
    assert moved.value("s~~s") == pytest.approx(unit**2 * base.value("s~~s"), rel=1e-7)


def test_equalities_as_constraints_are_labels():
    y, _ = simulate(noise=0.8)
    labelled = wide.fit(WideProblem(linear(), (no_x(y),)))
    free = linear(residual="free")
    pairs = [(f"y{t}~~y{t}", "==", f"y{t + 1}~~y{t + 1}") for t in range(4)]
    model = dataclasses.replace(free, constraints=tuple(Constraint(*p) for p in pairs))
    problem = WideProblem(model, (no_x(y),))
    fit = wide.fit(problem)
    assert fit.convergence.converged
    assert fit.log_likelihood == pytest.approx(labelled.log_likelihood, abs=1e-9)
    assert fit.value("y2~~y2") == pytest.approx(labelled.value("r"), rel=1e-8)
    k = fit.names.index("y2~~y2")
    error = labelled.standard_errors[labelled.names.index("r")]
    assert fit.standard_errors[k] == pytest.approx(error, rel=1e-7)
    robust = wide.sandwich(problem, fit.estimates)
    other = wide.sandwich(WideProblem(linear(), (no_x(y),)), labelled.estimates)
    assert robust[k, k] == pytest.approx(other[0, 0], rel=1e-6)
    measures = wide.fit_measures(problem, fit)
    plain = wide.fit_measures(WideProblem(linear(), (no_x(y),)), labelled)
    assert measures == pytest.approx(plain, rel=1e-7)


@pytest.mark.parametrize("information", ["expected", "observed"])
@pytest.mark.parametrize("bounds", ["none", "psd"])
def test_nonlinear_constraints_are_a_reparametrisation(information, bounds):
    """Residual variances in geometric progression, written in two ways."""
    y, _ = simulate(noise=0.8)
    free = linear(residual="free")
    texts = [
        [(f"y{t}~~y{t} * y0~~y0", "==", f"y{t - 1}~~y{t - 1} * y1~~y1") for t in range(2, 5)],
        [(f"y{t}~~y{t}", "==", f"y0~~y0 * exp({t} * log(y1~~y1 / y0~~y0))") for t in range(2, 5)],
    ]
    fits = []
    for pairs in texts:
        model = dataclasses.replace(free, constraints=tuple(Constraint(*p) for p in pairs))
        problem = WideProblem(model, (no_x(y),))
        fits.append(wide.fit(problem, information=information, bounds=bounds))
    one, two = fits
    assert one.convergence.converged
    assert two.convergence.converged
    assert one.log_likelihood == pytest.approx(two.log_likelihood, abs=1e-9)
    assert one.estimates == pytest.approx(two.estimates, rel=1e-6)
    assert one.standard_errors == pytest.approx(two.standard_errors, rel=1e-5)
    ratios = one.estimates[1:5] / one.estimates[:4]
    assert ratios == pytest.approx(np.full(4, ratios[0]), rel=1e-8)


def test_inequalities_hold_only_where_they_bind():
    y, _ = simulate(noise=1.0)
    free = wide.fit(WideProblem(linear(), (no_x(y),)))
    r = free.value("r")
    loose = dataclasses.replace(linear(), constraints=(Constraint("r", "<", f"{2 * r}"),))
    fit = wide.fit(WideProblem(loose, (no_x(y),)))
    assert fit.log_likelihood == pytest.approx(free.log_likelihood, abs=1e-9)
    assert not fit.boundary.at_boundary
    tight = dataclasses.replace(linear(), constraints=(Constraint("r", "<", f"{0.8 * r}"),))
    fit = wide.fit(WideProblem(tight, (no_x(y),)))
    assert fit.convergence.converged
    assert fit.value("r") == pytest.approx(0.8 * r, rel=1e-9)
    assert fit.boundary.at_boundary
    rows = [dataclasses.replace(p, upper=0.8 * r) if p.label == "r" else p for p in linear().paths]
    bounded = wide.fit(WideProblem(dataclasses.replace(linear(), paths=tuple(rows)), (no_x(y),)))
    assert bounded.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)
    pinned = bounded.names.index("r")
    assert np.isnan(bounded.standard_errors[pinned])
    fixed_rows = [
        dataclasses.replace(p, label=None, free=False, value=0.8 * r) if p.label == "r" else p
        for p in linear().paths
    ]
    fixed = wide.fit(
        WideProblem(dataclasses.replace(linear(), paths=tuple(fixed_rows)), (no_x(y),))
    )
    assert fixed.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)
    assert bounded.standard_errors[1:] == pytest.approx(fixed.standard_errors, rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_psd_optimum_is_the_best_of_many_starts(seed):
    """No variance in the slopes: half of the samples want a negative one."""
    from scipy.optimize import minimize

    y, _ = simulate(seed=seed, n=60, slope_variance=0.0)
    problem = WideProblem(linear(), (no_x(y),))
    bounded = wide.fit(problem, bounds="psd")
    unbounded = wide.fit(problem)
    assert bounded.convergence.converged
    assert bounded.log_likelihood <= unbounded.log_likelihood + 1e-9
    assert bounded.boundary.at_boundary == unbounded.boundary.beyond

    def value(v):
        a, b, c, d = v[:4]
        at = [d**2, a**2, b**2 + c**2, a * b, v[4], v[5]]
        return -wide.log_likelihood(problem, np.array(at))

    rng = np.random.default_rng(seed)
    assert bounded.names == ("r", "i~~i", "s~~s", "i~~s", "i~1", "s~1")
    found = []
    for _ in range(4):
        start = np.concatenate([rng.uniform(0.2, 1.2, 4), bounded.estimates[4:]])
        found.append(-minimize(value, start, method="BFGS").fun)
    assert bounded.log_likelihood == pytest.approx(max(found), abs=1e-5)


def test_psd_with_labels_across_blocks():
    """Both variances share one parameter: the second factor's is tied by a constraint."""
    y, _ = simulate(seed=3, n=80)
    rows = [
        dataclasses.replace(p, label="v")
        if (p.op, p.left) == ("~~", p.right) and p.left in "is"
        else p
        for p in linear().paths
    ]
    model = dataclasses.replace(linear(), paths=tuple(rows))
    problem = WideProblem(model, (no_x(y),))
    one = wide.fit(problem)
    system = compile_problem(problem)
    starts = [wide.start_values(problem)]
    transform, best = fitting._bounded(problem, system, starts, "ml")
    assert len(transform.tied_constant) == 1
    assert best.converged
    assert best.value == pytest.approx(one.log_likelihood, abs=1e-8)
    assert transform.natural(best.point) == pytest.approx(one.estimates, rel=1e-6)


def test_start_does_not_decide_the_answer():
    y, _ = simulate()
    problem = WideProblem(linear(), (no_x(y),))
    fit = wide.fit(problem)
    far = fit.estimates * np.array([3.0, 0.2, 4.0, -0.5, 0.5, 3.0])
    again = wide.fit(problem, start=far)
    assert again.estimates == pytest.approx(fit.estimates, rel=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_latent_basis_starts_itself(seed):
    rng = np.random.default_rng(seed)
    basis = np.array([0.0, 0.6, 0.8, 0.9, 1.0])
    u = rng.multivariate_normal([0, 0], [[1, 0.1], [0.1, 2.0]], 200)
    y = 3 + u[:, :1] + (5 + u[:, 1:]) * basis + rng.normal(0, 0.5, (200, 5))
    model = growth_model(
        {
            "i": dict.fromkeys(NAMES, 1.0),
            "s": dict(zip(NAMES, [0, "l1", "l2", "l3", 1], strict=True)),
        }
    )
    fit = wide.fit(WideProblem(model, (no_x(y),)))
    assert fit.convergence.converged
    labels = [fit.value(n) for n in ("l1", "l2", "l3")]
    assert labels == pytest.approx(basis[1:4], abs=0.05)


def test_redundant_parameters_are_named():
    y, _ = simulate()
    model = growth_model(
        {
            "i": dict.fromkeys(NAMES, 1.0),
            "s": dict(zip(NAMES, [0, "l1", "l2", "l3", "l4"], strict=True)),
        }
    )
    problem = WideProblem(model, (no_x(y),))
    with pytest.raises(NotIdentifiedError) as caught:
        wide.fit(problem)
    assert set(caught.value.parameters) == {"l1", "l2", "l3", "l4", "s~~s", "i~~s", "s~1"}
    fit = wide.fit(problem, allow_redundant=True)
    fixed = growth_model(
        {
            "i": dict.fromkeys(NAMES, 1.0),
            "s": dict(zip(NAMES, [0, "l1", "l2", "l3", 1], strict=True)),
        }
    )
    same = wide.fit(WideProblem(fixed, (no_x(y),)))
    assert fit.log_likelihood == pytest.approx(same.log_likelihood, abs=1e-7)
    finite = {n for n, e in zip(fit.names, fit.standard_errors, strict=True) if np.isfinite(e)}
    assert finite == {"r", "i~~i", "i~1"}


def test_identification_looks_at_the_patterns_present():
    y, _ = simulate()
    y[:75, 1:] = np.nan
    y[75:, 0] = np.nan
    y[75:, 2:] = np.nan
    problem = WideProblem(linear(), (no_x(y),))
    with pytest.raises(NotIdentifiedError):
        wide.fit(problem)
    assert "i~1" not in wide.null_space(problem, wide.start_values(problem))


def test_implied_moments_are_the_reduced_form():
    y, x = simulate(covariate=True)
    model = linear(regressions=[("i", "x"), ("s", "x")], covariates=["x"])
    problem = WideProblem(model, (WideGroup(y, x[:, None]),))
    fit = wide.fit(problem)
    a, pi, sigma = wide.implied(problem, fit.estimates)
    t = np.arange(5.0)
    assert a == pytest.approx(fit.value("i~1") + fit.value("s~1") * t)
    assert pi[:, 0] == pytest.approx(fit.value("i~x") + fit.value("s~x") * t)
    expected = fit.value("i~~i") + fit.value("i~~s") * np.add.outer(t, t)
    expected += fit.value("s~~s") * np.outer(t, t) + fit.value("r") * np.eye(5)
    assert sigma == pytest.approx(expected)


def test_more_occasions_than_persons():
    rng = np.random.default_rng(4)
    names = [f"y{t}" for t in range(20)]
    u = rng.normal(size=(12, 2))
    y = u[:, :1] + u[:, 1:] * np.arange(20) + rng.normal(size=(12, 20))
    problem = WideProblem(growth_model(polynomial(names, 1)), (no_x(y),))
    fit = wide.fit(problem)
    assert fit.convergence.converged
    assert np.isnan(wide.fit_measures(problem, fit)["chi_square"])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda y: no_x(y[:, :4]), DataError, r"shape \(150, 4\)"),
        (lambda y: no_x(np.where(y > 5, np.inf, y)), DataError, "infinite"),
        (lambda y: no_x(np.full_like(y, np.nan)), TooFewSubjectsError, "None of the 150"),
        (lambda _: WideMoments(np.zeros(4), np.eye(4), 10), DataError, "5 observed variables"),
        (lambda _: WideMoments(np.zeros(5), np.full((5, 5), np.nan), 9), DataError, "missing"),
    ],
)
def test_data_that_do_not_fit_are_refused(change, error, message):
    y, _ = simulate()
    with pytest.raises(error, match=message):
        wide.fit(WideProblem(linear(), (change(y),)))


def test_calls_that_make_no_sense_are_refused():
    y, _ = simulate()
    problem = WideProblem(linear(), (no_x(y),))
    with pytest.raises(SpecificationError, match="estimator='mlr'"):
        wide.fit(problem, estimator="mlr")
    with pytest.raises(SpecificationError, match=r"shape \(3,\) for 6"):
        wide.log_likelihood(problem, np.ones(3))
    with pytest.raises(SpecificationError, match="factor scores"):
        wide.factor_scores(problem, wide.start_values(problem), "thurstone")
    with pytest.raises(DataError, match="has 1 groups, the data 2"):
        wide.fit(WideProblem(linear(), (no_x(y), no_x(y))))
    restricted = wide.fit(problem, estimator="reml")
    with pytest.raises(UnsupportedEngineError, match="REML"):
        wide.fit_measures(problem, restricted)
    assert wide.log_likelihood(problem, -np.ones(6)) == -np.inf


def test_a_covariate_that_the_model_explains_is_refused():
    y, x = simulate()
    rows = (*linear().paths, Path("x", "~", "i"))
    model = SemModel(rows, ("i", "s"), tuple(NAMES), ("x",))
    with pytest.raises(UnsupportedEngineError, match="'x'"):
        wide.fit(WideProblem(model, (WideGroup(y, x[:, None]),)))


def test_the_cost_of_an_iteration_does_not_grow_with_persons():
    y, _ = simulate(n=400)
    y[::3, 4] = np.nan
    once = WideProblem(linear(), (no_x(y),))
    often = WideProblem(linear(), (no_x(np.tile(y, (5, 1))),))
    cells = [compile_problem(p).groups[0][1] for p in (once, often)]
    assert [len(c.n) for c in cells] == [2, 2]
    one, two = wide.fit(once), wide.fit(often)
    assert two.estimates == pytest.approx(one.estimates, rel=1e-8)
    assert two.log_likelihood == pytest.approx(5 * one.log_likelihood, rel=1e-12)
