"""Marginal models for repeated measures against nlme::gls."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import growthmm as gm
from growthmm.engines.r import available
from tests.reference import FOLDER, long_frame, reference_folder

pytestmark = pytest.mark.r
reference_folder()
GLS = {
    "ar1": "correlation = corAR1(form = ~ occasion | student)",
    "arh1": "correlation = corAR1(form = ~ occasion | student), weights = varIdent(form = ~ 1 | f)",
    "cs": "correlation = corCompSymm(form = ~ 1 | student)",
    "csh": "correlation = corCompSymm(form = ~ 1 | student), weights = varIdent(form = ~ 1 | f)",
    "unstructured": (
        "correlation = corSymm(form = ~ k | student), weights = varIdent(form = ~ 1 | f)"
    ),
}


@pytest.mark.parametrize("kind", GLS)
def test_gls_ends_at_our_maximum(kind: str, tmp_path: Path) -> None:
    if "nlme" not in available():
        pytest.skip("Rscript with nlme is not installed")
    script = tmp_path / "gls.R"
    script.write_text(
        "library(nlme)\n"
        f'd <- read.csv("{FOLDER / "data" / "A_gpa_long.csv"}")\n'
        "d$f <- factor(d$occasion); d$k <- as.integer(d$f)\n"
        f"fit <- gls(gpa ~ f, d, {GLS[kind]}, method = 'ML',\n"
        "  control = glsControl(tolerance = 1e-10, msTol = 1e-12, msMaxIter = 500,\n"
        "    maxIter = 500))\n"
        "cat(sprintf('[%.12f', logLik(fit)), sprintf(', %.12f', coef(fit)), ']')\n"
    )
    out = subprocess.run(
        ["Rscript", str(script)], capture_output=True, text=True, timeout=120, check=True
    )
    golden, *means = json.loads(out.stdout)
    fit = gm.fit(
        "gpa ~ factor(occasion)",
        long_frame("A_gpa_long.csv"),
        id="student",
        time="occasion",
        residual=kind,
    )
    assert fit.log_likelihood == pytest.approx(golden, abs=1e-6)
    fixed = fit.estimates[fit.estimates["kind"] == "fixed"]["estimate"].to_numpy()
    assert fixed == pytest.approx(means, rel=1e-5)
