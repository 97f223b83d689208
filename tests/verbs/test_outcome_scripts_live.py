"""Scripts of several outcomes, run as they are, and nlme as a witness of stacked rows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from reference import case, reference_folder

import growthmm as gm

pytestmark = pytest.mark.r

STACKED = "y ~ 0 + proc + proc:time + (0 + proc + proc:time | id)"
LONG = {"id": "id", "time": "time"}
SCRIPTS: dict[str, tuple[str, str, str | None, str, dict[str, Any]]] = {
    "wide to nlme": ("G01", "nlme", None, "G_parallel_wide.csv", {"id": "id"}),
    "a column an outcome to nlme": ("G01", "nlme", None, "G_parallel_long.csv", LONG),
    "stacked to nlme": ("G01", "nlme", None, "G_parallel_stacked.csv", {**LONG, "outcome": "y"}),
    "stacked to lavaan": (
        "G01",
        "lavaan",
        STACKED,
        "G_parallel_stacked.csv",
        {"residual": "by_group:proc"},
    ),
    "distal, wide to lme4": ("M01", "lme4", None, "M_mediation_wide.csv", {"id": "id"}),
    "distal, long to lme4": ("M01", "lme4", None, "M_mediation_long.csv", LONG),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name: str, tmp_path: Path) -> None:
    golden, to, model, file, facts = SCRIPTS[name]
    path = reference_folder() / "data" / file
    text = model or case(golden)["sem"]["model"]
    script = tmp_path / "script.R"
    script.write_text(gm.translate(text, to, data=path, **facts).script)
    done = subprocess.run(
        ["Rscript", str(script)], capture_output=True, text=True, timeout=120, check=True
    )
    found = re.search(r"logLik\s+(-?\d+\.\d+)", done.stdout)
    assert found is not None
    # nlme stops a little early.
    expected = case(golden)["sem"]["logLik"]
    assert float(found.group(1)) == pytest.approx(expected, abs=2e-6)


def test_nlme_is_a_witness() -> None:
    frame = reference_folder() / "data" / "G_parallel_stacked.csv"
    found = gm.verify(STACKED, frame, residual="by_group:proc", engines=["nlme"])
    assert found.verdict == "identical"
    assert "nlme (R ran)" in found.reason
