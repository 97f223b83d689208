"""The built-in data."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pandas
import pytest

from growthmm import datasets
from growthmm.data.gpa_figures import FIGURES, NAMES
from growthmm.data.reshape import to_wide


def wide(seed):
    return to_wide(datasets.gpa(seed), id="student", time="occasion", values=["gpa", "lib_hours"])


def test_the_frame():
    data = datasets.gpa()
    assert list(data.columns) == ["student", "occasion", "gpa", "sex", "lib_hours"]
    assert data.shape == (1200, 5)
    assert data["occasion"].tolist() == [0, 1, 2, 3, 4, 5] * 200
    assert data["student"].tolist() == np.repeat(np.arange(1, 201), 6).tolist()
    assert data["sex"].iloc[0] == "female"
    assert data.groupby("sex")["student"].nunique().to_dict() == {"female": 105, "male": 95}
    assert data.notna().all(axis=None)


def test_it_says_what_it_is():
    data = datasets.gpa()
    assert data.attrs["synthetic"] is True
    for word in ("Synthetic", "carry over", "Individual effects", "sandwich", "whole hours"):
        assert word in data.attrs["description"]


def test_every_set_that_is_named_is_there():
    assert all(callable(getattr(datasets, name)) for name in datasets.names())


@pytest.mark.parametrize("seed", [1, 2, 12345])
@pytest.mark.parametrize("sex", ["female", "male"])
def test_moments_are_the_figures(seed, sex):
    n, mean, lower = FIGURES[sex]
    data = wide(seed)
    values = data.loc[data["sex"] == sex, list(NAMES)].to_numpy()
    assert len(values) == n
    np.testing.assert_allclose(values.mean(axis=0), mean, rtol=1e-12)
    centred = values - values.mean(axis=0)
    found = centred.T @ centred / n
    cov = np.zeros((12, 12))
    for j, row in enumerate(lower):
        cov[j, : j + 1] = cov[: j + 1, j] = row
    sd = np.sqrt(np.diag(cov))
    np.testing.assert_allclose(found / np.outer(sd, sd), cov / np.outer(sd, sd), atol=1e-12)


def test_seeds_differ_and_repeat():
    pandas.testing.assert_frame_equal(datasets.gpa(3), datasets.gpa(3))
    assert (datasets.gpa(3)["gpa"] != datasets.gpa(4)["gpa"]).all()


def test_figures_are_the_originals(reference_data):
    original = pandas.read_csv(reference_data / "A_gpa_wide.csv")
    assert sum(n for n, _, _ in FIGURES.values()) == len(original)
    for sex, (n, mean, lower) in FIGURES.items():
        values = original.loc[original["sex"] == sex, list(NAMES)].to_numpy()
        assert len(values) == n
        np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-14)
        cov = np.cov(values.T, ddof=0)
        sd = np.sqrt(np.diag(cov))
        for j, row in enumerate(lower):
            np.testing.assert_allclose(
                row / sd[j] / sd[: j + 1], cov[j, : j + 1] / sd[j] / sd[: j + 1], atol=1e-14
            )


def test_the_whole_samples_moments_are_the_originals(reference_data):
    original = pandas.read_csv(reference_data / "A_gpa_wide.csv")[list(NAMES)]
    drawn = wide(1)[list(NAMES)]
    np.testing.assert_allclose(drawn.mean(), original.mean(), rtol=1e-12)
    scale = np.outer(original.std(), original.std())
    np.testing.assert_allclose(drawn.cov() / scale, original.cov() / scale, atol=1e-12)


def test_no_row_of_the_original_is_shipped(reference_data):
    original = pandas.read_csv(reference_data / "A_gpa_long.csv")
    assert not np.isclose(datasets.gpa()["gpa"], original["gpa"], atol=1e-9).any()


R_FITS = """
suppressMessages(library(lme4))
d <- read.csv(commandArgs(TRUE)[1])
for (reml in c(FALSE, TRUE)) for (f in list(
  gpa ~ occasion + (1 + occasion | student),
  gpa ~ occasion * sex + (1 + occasion | student),
  gpa ~ occasion + lib_hours + (1 + occasion | student))) {
  m <- lmer(f, d, REML = reml, control = lmerControl(check.conv.grad = "ignore"))
  cat(sprintf("%.10f\\n", as.numeric(logLik(m))))
}
"""


@pytest.mark.r("lme4")
def test_lme4_gives_the_originals_likelihoods(reference_data, tmp_path):
    datasets.gpa().to_csv(tmp_path / "gpa.csv", index=False)
    (tmp_path / "fits.R").write_text(R_FITS)
    answer = subprocess.run(
        ["Rscript", "--vanilla", tmp_path / "fits.R", tmp_path / "gpa.csv"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = [float(line) for line in answer.stdout.split()]
    cases = ("A02_gpa_slope_homosced", "A04_gpa_sex_covariate", "A05_gpa_tvc_equal")
    golden = [json.loads((reference_data / f"../golden/{c}.json").read_text()) for c in cases]
    expected = [g["mixed"][kind]["logLik"] for kind in ("ml", "reml") for g in golden]
    np.testing.assert_allclose(found, expected, atol=1e-5)
