"""The two engines, written independently, agree on random models."""

from __future__ import annotations

import numpy as np
import pytest
from random_models import Pair, random_pair

from growthmm.engines import long, wide


def _agree_anywhere(pair: Pair, seed: int) -> None:
    rng = np.random.default_rng([7, seed])
    truth = pair.vector(pair.truth)
    names = long.parameter_names(pair.long)
    moved = [1.0 + 0.1 * rng.standard_normal() for _ in names]
    for values in (truth, truth * np.array(moved)):
        for estimator in ("ml", "reml"):
            left = long.log_likelihood(pair.long, values, estimator)
            right = wide.log_likelihood(pair.wide, pair.to_wide(values), estimator)
            assert left == pytest.approx(right, rel=1e-9), (seed, pair.kind, estimator)
    assert np.isfinite(long.log_likelihood(pair.long, truth)), (seed, pair.kind)


def _agree_at_the_optimum(pair: Pair, seed: int, estimator: str) -> None:
    mine = long.fit(pair.long, estimator=estimator, bounds="none")
    theirs = wide.fit(pair.wide, estimator=estimator, bounds="none")
    if not mine.convergence.converged and mine.boundary.beyond:
        # Without bounds the likelihood can have no maximum; then neither engine claims one.
        assert not theirs.convergence.converged, (seed, pair.kind, theirs.convergence)
        mine = long.fit(pair.long, estimator=estimator, bounds="psd")
        theirs = wide.fit(pair.wide, estimator=estimator, bounds="psd")
        assert mine.convergence.converged, (seed, pair.kind, mine.convergence)
        assert mine.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-7), seed
        return
    said = (seed, pair.kind, estimator, mine.convergence, theirs.convergence)
    assert mine.convergence.converged, said
    assert theirs.convergence.converged, said
    assert mine.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-9), said
    gap = np.abs(pair.to_wide(mine.estimates) - theirs.estimates) / theirs.standard_errors
    assert np.nanmax(gap) < 1e-5, (*said, gap)
    assert np.isfinite(gap).all() or theirs.boundary.at_boundary, (*said, gap)


@pytest.mark.parametrize("seed", range(50))
def test_long_and_wide_agree(seed: int) -> None:
    pair = random_pair(seed)
    _agree_anywhere(pair, seed)
    _agree_at_the_optimum(pair, seed, "reml" if seed % 2 else "ml")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(50, 1050))
def test_long_and_wide_agree_on_a_thousand_models(seed: int) -> None:
    pair = random_pair(seed)
    _agree_anywhere(pair, seed)
    for estimator in ("ml", "reml"):
        _agree_at_the_optimum(pair, seed, estimator)
