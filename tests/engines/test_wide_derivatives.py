"""Derivatives of the wide engine against central differences, on models of every kind."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wide_models import growth_model, polynomial

from growthmm.engines import wide
from growthmm.engines.wide import constraints
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.engines.wide.robust import person_scores
from growthmm.engines.wide.system import compile_problem
from growthmm.engines.wide.transform import semidefinite
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.sem import Defined, Path, SemModel

NAMES = ["y1", "y2", "y3", "y4"]


def gradient(function, values, step=1e-6):
    columns = []
    for k in range(len(values)):
        h = step * max(1.0, abs(values[k]))
        up, down = values.copy(), values.copy()
        up[k] += h
        down[k] -= h
        columns.append((np.asarray(function(up)) - np.asarray(function(down))) / (2 * h))
    return np.array(columns)


def general_model():
    """Free loadings, a cycle, a regression among factors, shared labels, covarying residuals."""
    rows = [
        Path("f", "=~", "y1", free=False, value=1.0),
        Path("f", "=~", "y2"),
        Path("f", "=~", "y3", label="l"),
        Path("g", "=~", "y3", free=False, value=1.0),
        Path("g", "=~", "y4", label="l"),
        Path("g", "~", "f"),
        Path("f", "~", "g", free=False, value=0.2),
        Path("g", "~", "x1", label="b"),
        Path("y4", "~", "x2", label="b"),
        Path("y2", "~", "y1"),
        Path("y1", "~~", "y2"),
        Path("y1", "~1"),
        Path("g", "~1", label="l2"),
        Path("y3", "~1", label="l2"),
        Path("f", "~~", "f"),
        Path("g", "~~", "g"),
        Path("f", "~~", "g"),
    ]
    rows += [Path(y, "~~", y, label="r" if y in ("y1", "y3") else None) for y in NAMES]
    return SemModel(tuple(rows), ("f", "g"), tuple(NAMES), ("x1", "x2"))


def loading_definitions():
    return growth_model(
        {"i": dict.fromkeys(NAMES, 1.0), "s": dict.fromkeys(NAMES, 0.0)},
        definitions={("s", y): f"t{j}" for j, y in enumerate(NAMES)},
        regressions=[("i", "x1"), ("s", "x1")],
        covariates=["x1", "x2"],
    )


MODELS = {
    "general": general_model,
    "growth": lambda: growth_model(
        polynomial(NAMES, 1),
        regressions=[("i", "x1"), ("s", "x2")],
        direct=[("y2", "x1", "d"), ("y3", "x2", "d")],
        covariates=["x1", "x2"],
        residual="free",
    ),
    "definitions": loading_definitions,
}


def random_problem(kind, seed, n=40, missing=0.25):
    rng = np.random.default_rng(seed)
    model = MODELS[kind]()
    y = rng.normal(5.0, 2.0, (n, 4)) + rng.normal(size=(n, 1))
    y[rng.random((n, 4)) < missing] = np.nan
    x = rng.normal(3.0, 1.5, (n, 2))
    definitions = tuple((f"t{j}", j + rng.uniform(0, 0.5, n)) for j in range(4))
    data = WideGroup(y, x, definitions if kind == "definitions" else ())
    values = np.empty(len(model.free_parameters))
    for k, kind_of in enumerate(wide.parameter_kinds(WideProblem(model, (data,)))):
        values[k] = {
            "mean": rng.uniform(3, 6),
            "loading": rng.uniform(0.6, 1.4),
            "regression": rng.uniform(-0.4, 0.4),
            "covariance": rng.uniform(-0.3, 0.3),
            "variance": rng.uniform(1.0, 2.0),
            "residual": rng.uniform(1.5, 3.0),
        }[kind_of]
    names = model.free_parameters
    if "y1~~y2" in names:
        values[names.index("y1~~y2")] = 0.3
    return WideProblem(model, (data,)), values


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_score_and_observed_information_are_derivatives(kind, seed):
    problem, values = random_problem(kind, seed)
    slope = gradient(lambda v: wide.log_likelihood(problem, v), values)
    exact = wide.score(problem, values)
    assert exact == pytest.approx(slope, rel=1e-6, abs=1e-6 * np.abs(exact).max())
    curve = -gradient(lambda v: wide.score(problem, v), values)
    observed = wide.information(problem, values, kind="observed")
    assert observed == pytest.approx(curve, rel=1e-6, abs=1e-6 * np.abs(observed).max())


@pytest.mark.parametrize("kind", ["growth", "definitions"])
def test_restricted_score_and_information_are_derivatives(kind):
    problem, values = random_problem(kind, 5)
    slope = gradient(lambda v: wide.log_likelihood(problem, v, "reml"), values)
    exact = wide.score(problem, values, "reml")
    assert exact == pytest.approx(slope, rel=1e-6, abs=1e-6 * np.abs(exact).max())
    fit = wide.fit(problem, estimator="reml")
    values = fit.estimates
    curve = -gradient(lambda v: wide.score(problem, v, "reml"), values)
    kinds = np.array(wide.parameter_kinds(problem))
    fixed = np.isin(kinds, ["mean", "regression"])
    schur = curve[np.ix_(~fixed, ~fixed)] - curve[np.ix_(~fixed, fixed)] @ np.linalg.solve(
        curve[np.ix_(fixed, fixed)], curve[np.ix_(fixed, ~fixed)]
    )
    observed = wide.information(problem, values, "observed", "reml")
    close = {"rel": 1e-5, "abs": 1e-6 * np.abs(observed).max()}
    assert observed[np.ix_(~fixed, ~fixed)] == pytest.approx(schur, **close)
    assert observed[np.ix_(fixed, fixed)] == pytest.approx(curve[np.ix_(fixed, fixed)], **close)
    assert not np.any(observed[np.ix_(fixed, ~fixed)])


def dense_moments(problem, values):
    """Each person's observed mean and covariance, from the definition of the model."""
    model, data = problem.model, problem.groups[0]
    variables = [*model.outcomes, *model.latent]
    at = dict(zip(model.free_parameters, values, strict=True))
    definitions = dict(data.definitions)
    for i in range(len(data.outcomes)):
        a, s = np.zeros((2, len(variables), len(variables)))
        m = np.zeros(len(variables))
        for p in model.paths:
            value = at[p.parameter] if p.free else p.value
            if p.definition:
                value = definitions[p.definition][i]
            if p.op == "=~":
                a[variables.index(p.right), variables.index(p.left)] = value
            elif p.op == "~1":
                m[variables.index(p.left)] += value
            elif p.op == "~~":
                j, k = variables.index(p.left), variables.index(p.right)
                s[j, k] = s[k, j] = value
            elif p.right in model.covariates:
                x = data.covariates[i, model.covariates.index(p.right)]
                m[variables.index(p.left)] += value * x
            else:
                a[variables.index(p.left), variables.index(p.right)] = value
        b = np.linalg.inv(np.eye(len(variables)) - a)
        seen = np.flatnonzero(~np.isnan(data.outcomes[i]))
        yield i, seen, (b @ m)[seen], (b @ s @ b.T)[np.ix_(seen, seen)]


@pytest.mark.parametrize("kind", MODELS)
def test_log_likelihood_is_the_sum_over_persons(kind):
    problem, values = random_problem(kind, 11)
    total = 0.0
    for i, seen, mean, covariance in dense_moments(problem, values):
        gap = problem.groups[0].outcomes[i, seen] - mean
        total -= 0.5 * (len(seen) * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1])
        total -= 0.5 * gap @ np.linalg.solve(covariance, gap)
    assert wide.log_likelihood(problem, values) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("kind", MODELS)
def test_expected_information_takes_each_persons_covariates(kind):
    problem, values = random_problem(kind, 13, n=25)
    size = len(values)
    total = np.zeros((size, size))
    people = list(dense_moments(problem, values))

    def moments(v):
        return np.concatenate(
            [np.concatenate([m, c.ravel()]) for _, _, m, c in dense_moments(problem, v)]
        )

    slopes = gradient(moments, values)
    at = 0
    for _, seen, _, covariance in people:
        k = len(seen)
        inverse = np.linalg.inv(covariance)
        mean = slopes[:, at : at + k]
        sigma = slopes[:, at + k : at + k + k * k].reshape(size, k, k)
        at += k + k * k
        total += mean @ inverse @ mean.T
        total += 0.5 * np.einsum("kab,lba->kl", inverse @ sigma, inverse @ sigma)
    ours = wide.information(problem, values)
    assert ours == pytest.approx(total, rel=1e-6, abs=1e-7 * np.abs(total).max())


@pytest.mark.parametrize("kind", MODELS)
def test_person_scores_add_up(kind):
    problem, values = random_problem(kind, 17)
    exact = wide.score(problem, values)
    total = person_scores(problem, values).sum(axis=0)
    assert total == pytest.approx(exact, rel=1e-9, abs=1e-9 * np.abs(exact).max())


def test_semidefinite_transform_is_what_its_derivatives_say():
    problem, values = random_problem("growth", 19)
    transform, x = semidefinite(compile_problem(problem), values)
    slope = gradient(transform.natural, x)
    assert transform.slope(x) == pytest.approx(slope.T, rel=1e-7, abs=1e-7)
    assert transform.natural(x) == pytest.approx(values, rel=1e-9)


numbers = st.floats(0.2, 3.0)


@given(a=numbers, b=numbers)
@pytest.mark.parametrize(
    "text",
    [
        "a*b + 2",
        "a/b - b^2",
        "-a^2 * (b + 1)",
        "exp(a*b) - log(a)",
        "sqrt(a + b)**3",
        "a^b",
        "sin(a)*cos(b) + abs(-a)",
        "1.5e-1*a - .5",
    ],
)
def test_jets_carry_exact_derivatives(text, a, b):
    def jet(v):
        names = {n: constraints.Jet.variable(float(v[k]), k, 2) for k, n in enumerate("ab")}
        return constraints.evaluate_expression(text, names, 2)

    at = np.array([a, b])
    here = jet(at)
    python = text.replace("^", "**")
    functions = {n: getattr(np, n) for n in ("exp", "log", "sqrt", "sin", "cos", "abs")}
    expected = eval(python, functions | {"a": a, "b": b})
    scale = 1 + abs(here.value) + np.abs(here.hessian).max()
    assert here.value == pytest.approx(expected, rel=1e-12)
    slope = gradient(lambda v: jet(v).value, at)
    curve = gradient(lambda v: jet(v).gradient, at)
    assert here.gradient == pytest.approx(slope, rel=1e-6, abs=1e-6 * scale)
    assert here.hessian == pytest.approx(curve, rel=1e-6, abs=1e-6 * scale)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("a +", NotationError, "breaks off"),
        ("(a", NotationError, "not closed"),
        ("a b", NotationError, "left over"),
        ("a $ b", NotationError, "Cannot read"),
        ("a + zz", SpecificationError, "'zz'"),
        ("log(a - a)", SpecificationError, "no value"),
        ("a/(a-a)", SpecificationError, "divides by zero"),
        ("__import__('os')", SpecificationError, "no parameter"),
    ],
)
def test_expressions_that_cannot_be(text, error, message):
    names = {n: constraints.Jet.variable(1.0, k, 2) for k, n in enumerate("ab")}
    with pytest.raises(error, match=message):
        constraints.evaluate_expression(text, names, 2)


def test_definitions_in_a_circle_are_refused():
    model = dataclasses.replace(
        general_model(),
        defined=(Defined("p", "q + l"), Defined("q", "p * l")),
    )
    with pytest.raises(SpecificationError, match="circle"):
        constraints.defined(model, np.ones(len(model.free_parameters)))
