"""Statistics from tables of persons by occasions against those taken person by person."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from growthmm.engines.long import LongProblem, RandomEffects, fit, log_likelihood, score
from growthmm.engines.long import fitting as fitting_module
from growthmm.engines.long import prepared as prepared_module
from growthmm.engines.long.design import Design, factors_of
from growthmm.engines.long.grid import collect_grid
from growthmm.engines.long.residual_structures import structure_of
from growthmm.engines.long.scaling import find_scaling
from growthmm.engines.long.tables import bases_of, tables_of
from growthmm.errors import DataError
from growthmm.model.residual import ResidualStructure

ONE = "(Intercept)"


def simulate(n, times, *, seed=3, missing=0.0, origin=0.0):
    """Columns of a growth model with a person-level and a time-varying covariate."""
    rng = np.random.default_rng(seed)
    t = np.tile(np.asarray(times, dtype=float), n) + origin
    k = len(times)
    x = np.repeat(rng.integers(0, 3, n), k)
    w = rng.standard_normal(n * k) + origin
    person = np.repeat(np.arange(n), k)
    effects = rng.standard_normal((n, 2)) @ np.array([[1.0, 0.3], [0.0, 0.5]])
    y = 1 + x + effects[person, 0] + (0.3 + effects[person, 1]) * (t - origin) + 0.4 * w
    y += rng.standard_normal(n * k)
    keep = rng.random(n * k) >= missing
    keep[::k] = True
    return {"t": t, "x": x, "w": w, "y": y, "person": person, "group": x % 2, "keep": keep}


def problem(data, columns, *, random=((), (0,)), residual="common", order=None):
    """A problem over bases t, x, w."""
    rows = np.flatnonzero(data["keep"])
    rows = rows if order is None else rows[order]
    bases = [data[name][rows] for name in ("t", "x", "w")]
    n = len(rows)
    names = tuple(":".join("txw"[f] for f in c) or ONE for c in columns)
    random_names = tuple(":".join("txw"[f] for f in c) or ONE for c in random)
    occasions, occasion = np.unique(data["t"][rows], return_inverse=True)
    structure = ResidualStructure.parse(residual)
    block = RandomEffects(random_names, tuple(range(len(random))))
    return LongProblem(
        outcome=data["y"][rows],
        fixed=Design(n, bases, list(columns)),
        fixed_names=names,
        random=Design(n, bases, list(random)),
        blocks=(block,) if random else (),
        subject=data["person"][rows],
        n_subjects=int(data["person"].max()) + 1,
        group="id",
        occasion=occasion,
        occasions=tuple(occasions.tolist()),
        residual=structure,
        strata=data["group"][rows] if structure.kind == "by_group" else None,
        strata_names=("0", "1") if structure.kind == "by_group" else (),
    )


TIMES = (0, 1, 2, 3.5)
FIXED = ((), (0,), (1,), (0, 1))
SIMPLE = simulate(90, TIMES)
GAPS = simulate(90, TIMES, missing=0.3)
FEW = simulate(9, TIMES, missing=0.4)
YEARS = simulate(60, TIMES, origin=2008.0, missing=0.2)


def shuffled(data):
    return np.random.default_rng(8).permutation(int(data["keep"].sum()))


CASES = {
    "complete": lambda: problem(SIMPLE, FIXED),
    "complete, shuffled": lambda: problem(SIMPLE, FIXED, order=shuffled(SIMPLE)),
    "missing": lambda: problem(GAPS, FIXED),
    "missing, shuffled": lambda: problem(GAPS, FIXED, order=shuffled(GAPS)),
    "few persons": lambda: problem(FEW, ((), (0,))),
    "time-varying covariate": lambda: problem(GAPS, (*FIXED, (2,), (0, 2), (1, 2))),
    "time-varying, complete": lambda: problem(SIMPLE, (*FIXED, (2,), (0, 0), (2, 2))),
    "years": lambda: problem(YEARS, (*FIXED, (2,), (0, 0))),
    "intercepts": lambda: problem(GAPS, FIXED, random=((),)),
    "no random effects": lambda: problem(GAPS, FIXED, random=()),
    "by occasion": lambda: problem(GAPS, FIXED, residual="by_occasion"),
    "by occasion, complete": lambda: problem(SIMPLE, (*FIXED, (2,)), residual="by_occasion"),
    "by group": lambda: problem(SIMPLE, FIXED, residual="by_group:g"),
    "by group, missing": lambda: problem(GAPS, FIXED, residual="by_group:g", order=shuffled(GAPS)),
    "unstructured": lambda: problem(GAPS, FIXED, random=(), residual="unstructured"),
    "ar1": lambda: problem(GAPS, (*FIXED, (2,)), random=((),), residual="ar1"),
}


@cache
def case(name):
    return CASES[name]()


def dense(given):
    return replace(given, fixed=np.asarray(given.fixed), random=np.asarray(given.random))


def person_by_person(given, monkeypatch):
    """The same problem, prepared without tables."""
    with monkeypatch.context() as patch:
        patch.setattr(prepared_module, "collect_grid", lambda *_: None)
        own = replace(given)
        prepared_module.prepare(own)
    return own


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_likelihood_and_score_agree_with_persons_one_by_one(name, estimator, monkeypatch):
    given = case(name)
    assert collect_grid(given, find_scaling(given), structure_of(given)) is not None
    own = person_by_person(given, monkeypatch)
    assert prepared_module.prepare(own) is not prepared_module.prepare(given)
    found = fit(own)
    size, vectors = np.linalg.eigh(np.nan_to_num(found.covariance, nan=0.0))
    values = found.estimates + 0.3 * vectors @ np.sqrt(np.maximum(size, 0.0))
    expected = log_likelihood(own, values, estimator)
    assert log_likelihood(given, values, estimator) == pytest.approx(expected, rel=1e-11)
    slope = score(own, values, estimator)
    tolerance = 1e-8 * np.abs(slope).max()
    np.testing.assert_allclose(score(given, values, estimator), slope, rtol=1e-7, atol=tolerance)


@pytest.mark.parametrize("name", ["complete", "missing, shuffled", "time-varying covariate"])
def test_dense_designs_give_the_same(name):
    given = case(name)
    found, other = fit(given), fit(dense(given))
    np.testing.assert_allclose(other.estimates, found.estimates, rtol=1e-8, atol=1e-10)
    assert other.log_likelihood == pytest.approx(found.log_likelihood, rel=1e-12)


def test_columns_find_their_place():
    given = case("complete")
    bases = bases_of(given)
    assert len(bases.values) == 3
    tables = tables_of(given, bases, structure_of(given))
    assert tables is not None
    place = {id(base): index for index, base in enumerate(bases.values)}
    t, x, w = (place[id(base)] for base in factors_of(given.fixed)[0])
    assert t in tables.kind
    assert x in tables.person
    assert w in tables.varying
    assert tables.present is None


def test_a_late_exception_is_seen():
    """Constancy is verified in every row, not inferred from the first ones."""
    data = {name: values.copy() for name, values in simulate(500, TIMES).items()}
    data["x"][-1] += 1
    data["t"][-2] += 0.25
    given = problem(data, FIXED)
    slow = fit(replace(dense(given), occasion=given.occasion))
    assert fit(given).log_likelihood == pytest.approx(slow.log_likelihood, rel=1e-11)
    tables = tables_of(given, bases_of(given), structure_of(given))
    assert tables is None or len(tables.varying) >= 1


def test_rows_that_stand_twice_are_all_used():
    data = simulate(40, (0, 1, 2))
    rows = np.concatenate([np.arange(120), [5, 17]])
    twice = {name: values[rows] for name, values in data.items()}
    given = problem(twice, FIXED)
    assert fit(given).n_rows == 122
    single = problem(data, FIXED)
    assert fit(single).log_likelihood != pytest.approx(fit(given).log_likelihood)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["outcome", "covariate"])
@pytest.mark.parametrize("name", ["complete", "missing, shuffled"])
def test_values_that_are_not_finite_are_refused(where, name, value):
    given = case(name)
    outcome = given.outcome.copy()
    bases = [np.array(base, dtype=float) for base in factors_of(given.fixed)[0]]
    target = outcome if where == "outcome" else bases[1]
    target[len(target) // 2] = value
    n = len(outcome)
    broken = replace(
        given,
        outcome=outcome,
        fixed=Design(n, bases, list(given.fixed.columns)),
        random=Design(n, bases, list(given.random.columns)),
    )
    with pytest.raises(DataError, match="not finite"):
        fit(broken)


def test_individual_times_start_from_a_sample(monkeypatch):
    rng = np.random.default_rng(4)
    n = 9_000
    data = simulate(n, (0, 1, 2))
    data["t"] = data["t"] + rng.uniform(-0.3, 0.3, 3 * n)
    given = replace(problem(data, FIXED), occasion=np.zeros(3 * n, dtype=int), occasions=(0.0,))
    found = fit(given)
    monkeypatch.setattr(fitting_module, "sampled", lambda _: None)
    other = fit(replace(given))
    assert found.convergence.converged
    assert found.convergence.iterations <= 4
    np.testing.assert_allclose(found.estimates, other.estimates, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.covariance, other.covariance, rtol=1e-7, atol=1e-14)


def test_design_is_the_array():
    t, x = np.array([0, 1, 2, 3]), np.array([1.0, 0.0, 2.0, 5.0])
    design = Design(4, [t, x], [(), (0,), (0, 1), (0, 0)])
    whole = np.column_stack([np.ones(4), t, t * x, t**2])
    np.testing.assert_array_equal(design, whole)
    np.testing.assert_array_equal(design[1:3], whole[1:3])
    np.testing.assert_array_equal(design[[2, 0]], whole[[2, 0]])
    np.testing.assert_array_equal(design[np.array([[0, 1], [2, 3]])], whole.reshape(2, 2, 4))
    np.testing.assert_array_equal(design[:, [1, 3]], whole[:, [1, 3]])
    np.testing.assert_array_equal(design[t > 1, 2], whole[t > 1, 2])
    np.testing.assert_array_equal(design[-1], whole[-1])
    np.testing.assert_array_equal(design @ np.arange(4.0), whole @ np.arange(4.0))
    np.testing.assert_array_equal(design.reshape(2, 2, 4), whole.reshape(2, 2, 4))
    np.testing.assert_array_equal(design.pick([0, 2]), whole[:, [0, 2]])
    assert design.shape == whole.shape
    assert len(design) == 4
    assert {f.name for f in fields(LongProblem)} >= {"fixed", "random"}
