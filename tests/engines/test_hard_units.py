"""Units and designs that strain arithmetic: the answers are the easy ones', in the user's units."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from growthmm.engines import long, wide
from growthmm.engines.long import LongProblem, RandomEffects
from growthmm.engines.wide import WideGroup, WideProblem
from growthmm.errors import NotIdentifiedError
from growthmm.model.sem import Path, SemModel

N, M = 80, 5


def _data(slope_sd: float = 0.4):
    rng = np.random.default_rng(11)
    effects = rng.standard_normal((N, 2)) @ np.array([[1.0, 0.3], [0.0, 1.0]]) * [0.9, slope_sd]
    x = rng.standard_normal(N)
    t = np.arange(M, dtype=float)
    y = 1 + 0.5 * t + effects[:, :1] + effects[:, 1:] * t + 0.4 * x[:, None]
    y = y + 0.7 * rng.standard_normal((N, M))
    seen = rng.uniform(size=y.shape) > 0.15
    seen[:, 0] = True
    return y, x, seen


def _long(y, seen, times, covariates=()) -> LongProblem:
    person, occasion = np.nonzero(seen)
    t = np.asarray(times, dtype=float)[occasion]
    one = np.ones(len(t))
    own = [x[person] for x in covariates]
    names = ("one", "t", *(f"x{k}" for k in range(len(own))))
    return LongProblem(
        y[seen], np.column_stack([one, t, *own]), names, np.column_stack([one, t]),
        (RandomEffects(("i", "s"), (0, 1)),), person, N, "id", occasion, tuple(map(float, times)),
    )  # fmt: skip


def _wide(y, seen, times, covariates=()) -> WideProblem:
    names = [f"y{j}" for j in range(M)]
    paths = [Path("i", "=~", v, free=False, value=1.0) for v in names]
    paths += [
        Path("s", "=~", v, free=False, value=float(t)) for v, t in zip(names, times, strict=True)
    ]
    xs = [f"x{k}" for k in range(len(covariates))]
    paths += [Path("i", "~1"), Path("s", "~1"), *(Path("i", "~", x) for x in xs)]
    paths += [Path("i", "~~", "i"), Path("i", "~~", "s"), Path("s", "~~", "s")]
    paths += [Path(v, "~~", v, label="r") for v in names]
    model = SemModel(tuple(paths), ("i", "s"), tuple(names), tuple(xs))
    values = np.column_stack(covariates) if covariates else np.zeros((N, 0))
    return WideProblem(model, (WideGroup(np.where(seen, y, np.nan), values),))


def _fits(y, seen, times, covariates=(), **options):
    left = long.fit(_long(y, seen, times, covariates), **options)
    right = wide.fit(_wide(y, seen, times, covariates), **options)
    return left, right


def _same(left, right) -> None:
    """Both engines' estimates, parameter by parameter, within 1e-5 standard errors."""
    assert left.convergence.converged
    assert right.convergence.converged
    assert left.log_likelihood == pytest.approx(right.log_likelihood, rel=1e-9)
    gap = np.abs(np.sort(left.estimates) - np.sort(right.estimates))
    scale = right.standard_errors[np.argsort(right.estimates)]
    assert np.all(gap < 1e-5 * scale)


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_years_are_times(estimator: str) -> None:
    y, _, seen = _data()
    options = {"estimator": estimator, "bounds": "none"}
    near = long.fit(_long(y, seen, np.arange(M)), **options)
    years = 2008.0 + np.arange(M)
    far, other = _fits(y, seen, years, **options)
    _same(far, other)
    # b0 = b0' + 2008 b1', and G turns with it.
    back = np.array([[1.0, 2008.0], [0.0, 1.0]])
    np.testing.assert_allclose(back @ far.estimates[:2], near.estimates[:2], rtol=1e-8)
    g = np.array([[far.estimates[2], far.estimates[3]], [far.estimates[3], far.estimates[4]]])
    turned = back @ g @ back.T
    scale = np.abs(g).max()
    np.testing.assert_allclose(
        turned[np.triu_indices(2)], near.estimates[2:5], atol=1e-14 * scale + 1e-7
    )
    assert far.estimates[5] == pytest.approx(near.estimates[5], rel=1e-8)
    if estimator == "ml":
        assert far.log_likelihood == pytest.approx(near.log_likelihood, rel=1e-10)
    np.testing.assert_allclose(far.standard_errors[[1, 4, 5]], near.standard_errors[[1, 4, 5]],
                               rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_outcomes_in_any_unit(unit: float, estimator: str) -> None:
    y, x, seen = _data()
    options = {"estimator": estimator, "bounds": "none"}
    times = np.arange(M)
    for engine, make in ((long, _long), (wide, _wide)):
        plain = engine.fit(make(y, seen, times, [x]), **options)
        scaled = engine.fit(make(unit * y, seen, times, [x]), **options)
        assert scaled.convergence.converged
        assert plain.convergence.converged
        powers = np.array(
            [2.0 if k in ("variance", "covariance", "residual") else 1.0 for k in plain.kinds]
        )
        np.testing.assert_allclose(scaled.estimates, plain.estimates * unit**powers, rtol=1e-6)
        np.testing.assert_allclose(
            scaled.standard_errors, plain.standard_errors * unit**powers, rtol=1e-6
        )
        n = int(seen.sum()) - (3 if estimator == "reml" else 0)
        expected = plain.log_likelihood - n * np.log(unit)
        assert scaled.log_likelihood == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("engine", "make", "name", "apart"),
    [
        (long, _long, "x{}", 1e-3),
        (long, _long, "x{}", 1e-5),
        (wide, _wide, "i~x{}", 1e-3),
        (wide, _wide, "i~x{}", 1e-5),
    ],
)  # fmt: skip
def test_near_collinear_covariates(engine, make, name: str, apart: float) -> None:
    y, x, seen = _data()
    noise = np.random.default_rng(2).standard_normal(N)
    found = engine.fit(make(y, seen, np.arange(M), [x, x + apart * noise]), bounds="none")
    assert found.convergence.converged
    plain = long.fit(_long(y, seen, np.arange(M), [x, noise]), bounds="none")
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-10)
    # x1 = x + apart z: the sum of both coefficients is x's, and x1's is z's over `apart`.
    first, second = (found.value(name.format(k)) for k in (0, 1))
    assert second * apart == pytest.approx(plain.value("x1"), rel=1e-5)
    assert first + second == pytest.approx(plain.value("x0"), rel=1e-5)


def test_collinear_covariates_are_refused() -> None:
    y, x, seen = _data()
    with pytest.raises(NotIdentifiedError):
        long.fit(_long(y, seen, np.arange(M), [x, 2.0 * x]))
    with pytest.raises(NotIdentifiedError):
        wide.fit(_wide(y, seen, np.arange(M), [x, 2.0 * x]))


def test_tiny_variances_are_found_or_said_to_be_at_the_bound() -> None:
    y, _, seen = _data(slope_sd=0.0)
    free, other = _fits(y, seen, np.arange(M), bounds="none")
    _same(free, other)
    bounded, held = _fits(y, seen, np.arange(M), bounds="psd")
    assert bounded.log_likelihood == pytest.approx(held.log_likelihood, abs=1e-8)
    assert bounded.boundary.at_boundary == free.boundary.beyond
    assert held.boundary.at_boundary == other.boundary.beyond
    # A slope's variance a millionth of the residual's, told by times that reach far.
    scaled = np.arange(M) * 1e3
    small, also = _fits(_data(0.4)[0], seen, scaled, bounds="none")
    _same(small, also)
    reference = long.fit(_long(_data(0.4)[0], seen, np.arange(M)), bounds="none")
    assert small.value("var(s|id)") == pytest.approx(1e-6 * reference.value("var(s|id)"), rel=1e-7)


def test_an_unfinished_search_does_not_say_it_converged(monkeypatch) -> None:
    from growthmm.engines import optimiser

    y, _, seen = _data()
    whole = optimiser.maximise

    def short(*args, **options):
        return whole(*args, **{**options, "max_iterations": 1})

    problem = _long(y, seen, np.arange(M))
    start = np.array([0.0, 0.0, 40.0, 0.0, 30.0, 9.0])
    good = long.fit(problem, start=start)
    monkeypatch.setattr("growthmm.engines.long.ending.maximise", short)
    for stopped in (
        long.fit(dataclasses.replace(problem), start=start),
        long.fit(
            dataclasses.replace(problem, fixed_parameters=(("var(Residual)", 9.0),)),
            start=start[:-1],
        ),
    ):
        assert not stopped.convergence.converged
        assert stopped.convergence.decrement > 1e-10
        assert "still to gain" in stopped.convergence.message
    assert good.convergence.converged
