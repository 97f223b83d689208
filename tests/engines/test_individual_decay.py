"""Autoregression at times of everyone's own, in any unit."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.engines.long.residual_structures.decay import typical_step
from growthmm.engines.prepare import long_data
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.translation.binding.mixed import bind_mixed


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    """Five visits of 80 persons about a quarter of a year apart, in days and in years."""
    rng = np.random.default_rng(11)
    n, times = 80, np.arange(5) * 90.0
    day = (times + rng.integers(-25, 26, (n, 5))).astype(int)
    level = rng.normal(50, 4, n)
    rows = []
    for i in range(n):
        apart = np.abs(day[i][:, None] - day[i][None, :])
        error = rng.multivariate_normal(np.zeros(5), 9 * 0.99**apart)
        rows += [
            (f"p{i}", d, round(level[i] + 0.02 * d + e, 4))
            for d, e in zip(day[i].tolist(), error.tolist(), strict=True)
        ]
    frame = pd.DataFrame(rows, columns=["id", "day", "y"])
    return frame.assign(year=frame["day"] / 365.25)


@pytest.mark.parametrize("residual", ["ar1", "ar1+common"])
def test_unit_of_time_does_not_matter(residual: str, visits: pd.DataFrame) -> None:
    found = [
        gm.fit(f"y ~ {time} + (1 | id)", visits, residual=residual, time=time)
        for time in ("day", "year")
    ]
    assert np.isclose(found[0].log_likelihood, found[1].log_likelihood, atol=1e-6)


def test_step_is_within_persons(visits: pd.DataFrame) -> None:
    model = gm.read("y ~ day + (1 | id)")
    assert isinstance(model, MixedModel)
    model = replace(model, residual=ResidualStructure("ar1"))
    bound = bind_mixed(model, visits, id="id", time="day", wide_form=False)
    step = typical_step(long_data(bound, visits).problem)
    own = visits.sort_values(["id", "day"]).groupby("id")["day"].diff()
    assert step == own.groupby(visits["id"]).min().median()
    assert np.diff(np.unique(visits["day"])).min() == 1


@pytest.mark.r("nlme")
def test_nlme_has_the_same_maximum(visits: pd.DataFrame, tmp_path: Path) -> None:
    visits.to_csv(tmp_path / "visits.csv", index=False)
    script = tmp_path / "visits.R"
    script.write_text(
        "library(nlme)\n"
        f'd <- read.csv("{tmp_path / "visits.csv"}")\n'
        "fit <- lme(y ~ day, random = ~ 1 | id, correlation = corExp(form = ~ day | id),\n"
        "  data = d, method = 'ML')\n"
        "cat(sprintf('%.9f', logLik(fit)))\n"
    )
    done = subprocess.run(
        ["Rscript", str(script)], capture_output=True, text=True, timeout=120, check=True
    )
    ours = gm.fit("y ~ day + (1 | id)", visits, residual="ar1", time="day").log_likelihood
    assert abs(ours - float(done.stdout)) < 1e-5
