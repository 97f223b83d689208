"""Two random effects at individual times: the closed form against persons' cross-products."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from growthmm.engines import long
from growthmm.engines.long.narrow import narrow_surface
from growthmm.engines.long.prepared import prepare
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.long.products import Products, collect
from growthmm.engines.long.surface import Surface, rescaled
from growthmm.engines.long.two_effects import TwoEffects, unit_surface

ENTRIES = ((0, 0), (0, 1), (1, 1))


def _problem(
    *, person_level: bool = True, shuffle: bool = False, origin: float = 0.0, n: int = 60
) -> LongProblem:
    rng = np.random.default_rng(11)
    sizes = rng.integers(1, 7, n)
    sizes[:3] = 6
    subject = np.repeat(np.arange(n), sizes)
    t = rng.uniform(0, 5, len(subject))
    x = rng.normal(3.0, 2.0, n)[subject]
    if not person_level:
        x = rng.normal(size=len(subject))
    b = rng.normal(size=(n, 2)) @ np.array([[1.0, 0.0], [0.2, 0.4]])
    y = 2 + b[subject, 0] + (0.5 + b[subject, 1]) * t + 0.3 * x + rng.normal(size=len(t))
    t = t + origin
    order = rng.permutation(len(t)) if shuffle else np.arange(len(t))
    subject, t, x, y = subject[order], t[order], x[order], y[order]
    one = np.ones(len(t))
    from growthmm.engines.long.design import Design

    fixed = Design(len(t), [t, x], [(), (0,), (1,), (0, 1)])
    return LongProblem(
        y,
        fixed,
        ("(Intercept)", "t", "x", "t:x"),
        Design(len(t), [t], [(), (0,)]),
        (RandomEffects(("(Intercept)", "t"), (0, 1)),),
        subject,
        n,
        "id",
        np.zeros(len(one), dtype=int),
    )


def _close(left: Surface, right: Surface, tolerance: float = 1e-9) -> None:
    for field in fields(Surface):
        a, b = np.asarray(getattr(left, field.name)), np.asarray(getattr(right, field.name))
        assert a.shape == b.shape, field.name
        size = max(float(np.abs(b).max(initial=0.0)), 1.0)
        assert np.abs(a - b).max(initial=0.0) <= tolerance * size, field.name


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "covariance",
    [[[0.0, 0.0], [0.0, 0.0]], [[1.3, 0.2], [0.2, 0.4]], [[40.0, -9.0], [-9.0, 3.0]]],
)
@pytest.mark.parametrize("given", [False, True])
def test_the_surface_is_that_of_the_cross_products(
    covariance: list[list[float]], shuffle: bool, given: bool
) -> None:
    problem = _problem(shuffle=shuffle)
    ready = prepare(problem)
    assert isinstance(ready.products, TwoEffects)
    products = collect(problem, ready.scaling)
    fixed = np.array([0.1, -0.2, 0.05, 0.3]) if given else None
    g = np.array(covariance)
    ours = unit_surface(ready.products, g, ENTRIES, restricted=True, fixed=fixed)
    theirs = narrow_surface(products, g, 1.0, ENTRIES, with_scale=False, fixed=fixed)
    assert ours is not None
    assert theirs is not None
    _close(ours, theirs)
    ratios = np.array([g[0, 0], g[0, 1], g[1, 1]])
    scale = 0.7
    whole = narrow_surface(products, scale * g, scale, ENTRIES, with_scale=True, fixed=fixed)
    assert whole is not None
    _close(rescaled(ours, ratios, scale, with_scale=True), whole)


def test_a_covariance_outside_the_admissible_region_has_no_surface() -> None:
    ready = prepare(_problem())
    assert isinstance(ready.products, TwoEffects)
    inside = np.array([[1.0, 0.0], [0.0, -0.001]])
    outside = np.array([[1.0, 0.0], [0.0, -5.0]])
    found = unit_surface(ready.products, inside, ENTRIES, restricted=False, fixed=None)
    assert found is not None
    assert unit_surface(ready.products, outside, ENTRIES, restricted=False, fixed=None) is None
    both = np.array([[-90.0, 0.0], [0.0, -90.0]])
    assert unit_surface(ready.products, both, ENTRIES, restricted=False, fixed=None) is None


def test_a_covariate_that_changes_within_persons_takes_the_cross_products() -> None:
    assert isinstance(prepare(_problem(person_level=False)).products, Products)


def test_shared_designs_take_the_cross_products() -> None:
    problem = _problem()
    subject = np.repeat(np.arange(80), 5)
    rng = np.random.default_rng(3)
    t = np.tile(np.array([0.0, 1, 2, 4, 7]), 80)
    y = rng.normal(size=len(t))
    design = np.column_stack([np.ones(len(t)), t])
    problem = replace(
        problem,
        outcome=y,
        fixed=design,
        fixed_names=("a", "b"),
        random=design,
        subject=subject,
        n_subjects=80,
        occasion=np.zeros(len(t), dtype=int),
    )
    assert not isinstance(prepare(problem).products, TwoEffects)


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("origin", [0.0, 2008.0])
def test_fits_agree_with_the_wider_route(estimator: str, origin: float) -> None:
    """Designs given as arrays hide what their columns are products of."""
    problem = _problem(origin=origin)
    fit = long.fit(problem, estimator=estimator, information="observed")  # type: ignore[arg-type]
    dense: NDArray[np.float64] = np.asarray(problem.fixed)
    # Columns that are no products of the data's own are opaque to the closed form.
    opaque = replace(problem, fixed=dense, random=np.asarray(problem.random))
    assert isinstance(prepare(problem).products, TwoEffects)
    assert isinstance(prepare(opaque).products, Products)
    other = long.fit(opaque, estimator=estimator, information="observed")  # type: ignore[arg-type]
    assert fit.convergence.converged
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-8)
    gap = np.abs(fit.estimates - other.estimates) / other.standard_errors
    assert gap.max() < 1e-5
    assert fit.standard_errors == pytest.approx(other.standard_errors, rel=1e-6)
