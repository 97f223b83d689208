"""How long a fit takes, from a data frame to estimates and standard errors.

The model is ``y ~ t * x + (1 + t | id)`` with six occasions. Absolute times depend on the machine;
ratios in one run say more.
"""

from __future__ import annotations

import time
import warnings

import pytest
from simulate import linear_growth

import growthmm as gm

MODEL = "y ~ t * x + (1 + t | id)"
SIZES = (200, 2_000, 20_000)
SIZES_BESIDE_MIXEDLM = (200, 2_000)


@pytest.mark.parametrize("n_subjects", SIZES)
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_long(benchmark, n_subjects, estimator):
    data = linear_growth(n_subjects)
    fit = benchmark(lambda: gm.fit(MODEL, data, estimator=estimator, engine="long"))
    assert fit.n_subjects == n_subjects


@pytest.mark.parametrize("n_subjects", SIZES)
def test_long_missing(benchmark, n_subjects):
    data = linear_growth(n_subjects, missing=0.25)
    fit = benchmark(lambda: gm.fit(MODEL, data, engine="long"))
    assert fit.n_rows == len(data)


@pytest.mark.parametrize("n_subjects", SIZES)
@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_wide(benchmark, n_subjects, missing):
    data = linear_growth(n_subjects, missing=missing)
    fit = benchmark(lambda: gm.fit(MODEL, data, engine="wide"))
    assert fit.n_rows == len(data)


@pytest.mark.parametrize("n_subjects", SIZES_BESIDE_MIXEDLM)
def test_beside_mixedlm(benchmark, ratios, n_subjects):
    import statsmodels.formula.api as smf

    data = linear_growth(n_subjects)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        other = smf.mixedlm("y ~ t * x", data, groups="id", re_formula="~t").fit(reml=False)
        seconds = time.perf_counter() - start
    fit = benchmark(lambda: gm.fit(MODEL, data, engine="long"))
    assert fit.log_likelihood > other.llf - 1e-6
    ours = benchmark.stats.stats.median
    ratios.append(
        f"{n_subjects:>8,} persons: growthmm {ours:.4f} s, MixedLM {seconds:.3f} s, "
        f"ratio {seconds / ours:.0f}; log-likelihood {fit.log_likelihood - other.llf:+.1e} above it"
    )
