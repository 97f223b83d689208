"""Statistics of the wide engine taken in one sweep against those taken all at once."""

from __future__ import annotations

import numpy as np
import pytest

from growthmm.engines.wide import WideGroup, WideProblem, fit, log_likelihood, score
from growthmm.engines.wide import statistics as statistics_module
from growthmm.engines.wide.sweep import CHUNK, LARGE, sweep
from growthmm.errors import DataError
from growthmm.model.sem import Path, SemModel

YS = ("y0", "y1", "y2", "y3")
MODEL = SemModel(
    (
        *(Path("i", "=~", y, free=False, value=1.0) for y in YS),
        *(Path("s", "=~", y, free=False, value=float(j)) for j, y in enumerate(YS)),
        *(Path(y, "~~", y) for y in YS),
        *(Path(a, "~~", b) for a, b in (("i", "i"), ("s", "s"), ("i", "s"))),
        *(Path(f, "~1") for f in ("i", "s")),
        *(Path(f, "~", x) for f in ("i", "s") for x in ("x", "z")),
    ),
    ("i", "s"),
    YS,
    ("x", "z"),
)


def data(n=CHUNK + 700, *, missing=0.0, origin=0.0, seed=1):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.integers(0, 2, n), rng.standard_normal(n) + origin])
    effects = rng.standard_normal((n, 2)) @ np.array([[1.0, 0.2], [0.0, 0.6]])
    effects += 0.4 * x[:, :1]
    y = origin + effects[:, :1] + effects[:, 1:] * np.arange(4) + rng.standard_normal((n, 4))
    y[rng.random(y.shape) < missing] = np.nan
    return WideGroup(np.asfortranarray(y), x)


def both(group, monkeypatch):
    """The problem as it is, and one that was not swept."""
    swept, plain = WideProblem(MODEL, (group,)), WideProblem(MODEL, (group,))
    with monkeypatch.context() as patch:
        patch.setattr(statistics_module, "sweep", lambda _: None)
        found = fit(plain)
    return swept, plain, found


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("origin", [0.0, 2008.0])
def test_likelihood_and_score(missing, origin, monkeypatch):
    group = data(missing=missing, origin=origin)
    swept, plain, found = both(group, monkeypatch)
    assert sweep(group) is not None
    size, vectors = np.linalg.eigh(found.covariance)
    values = found.estimates + 0.5 * vectors @ np.sqrt(np.maximum(size, 0.0))
    expected = log_likelihood(plain, values)
    assert log_likelihood(swept, values) == pytest.approx(expected, rel=1e-11)
    slope = score(plain, values)
    tolerance = 1e-7 * np.abs(slope).max()
    np.testing.assert_allclose(score(swept, values), slope, rtol=1e-6, atol=tolerance)
    assert fit(swept).log_likelihood == pytest.approx(found.log_likelihood, rel=1e-12)


def test_persons_without_outcomes_do_not_count(monkeypatch):
    group = data(missing=0.3)
    group.outcomes[:5] = np.nan
    swept, _, found = both(group, monkeypatch)
    assert fit(swept).n_subjects == found.n_subjects < len(group.outcomes)


def test_what_is_left_to_the_other_way():
    assert sweep(data(LARGE - 1)) is None
    group = data()
    group.covariates[-1, 0] = np.nan
    assert sweep(group) is None
    many = WideGroup(np.tile(data(missing=0.5).outcomes, (1, 4)), np.zeros((CHUNK + 700, 0)))
    rng = np.random.default_rng(1)
    many.outcomes[rng.random(many.outcomes.shape) < 0.4] = np.nan
    assert sweep(many) is None


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_infinite_values_are_refused(missing):
    group = data(missing=missing)
    group.outcomes[-1, 2] = np.inf
    with pytest.raises(DataError, match="infinite"):
        fit(WideProblem(MODEL, (group,)))
