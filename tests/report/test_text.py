"""Reports as text, whole, against golden files; versions of programs are masked.

``GROWTHMM_WRITE_GOLDEN=1`` writes the files anew.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.rendering import render
from growthmm.report.text_columns import page_width

GOLDEN = Path(__file__).parent / "golden"
SLOPE = "gpa ~ occasion + (1 + occasion | student)"


@cache
def verification() -> Equivalence:
    return gm.verify(SLOPE, gm.datasets.gpa())


def comparison(*, refit: bool) -> str:
    formulas = (
        "gpa ~ occasion + (1 | student)",
        SLOPE,
        "gpa ~ occasion + sex + (1 + occasion | student)",
    )
    fits = [gm.fit(f, gm.datasets.gpa(), estimator="reml") for f in formulas]
    return gm.compare(*fits, refit=refit).summary()


def diagram() -> str:
    fit = verification().sem_fit
    values = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    return str(render("sem.diagram", fit.model, values))


def diagnosis(*, time: str) -> str:
    data = gm.datasets.gpa()
    data["year"] = data["occasion"] + 2000
    text = gm.diagnose(gm.fit(SLOPE.replace("occasion", time), data, time=time)).summary()
    text = re.sub(r"[\d.]+e-\d+ log-likelihood", "ROUNDING log-likelihood", text)
    return re.sub(r"eigenvalue [\d.]+e-1\d", "eigenvalue ROUNDING", text)


REPORTS = {
    "verification": lambda: str(verification().summary()),
    "fit": lambda: str(gm.fit(SLOPE, gm.datasets.gpa()).summary()),
    "sem_fit": lambda: str(verification().sem_fit.summary()),
    "comparison_refitted": lambda: comparison(refit=True),
    "comparison_as_fitted": lambda: comparison(refit=False),
    "diagram": diagram,
    "diagnosis": lambda: diagnosis(time="occasion"),
    "diagnosis_far": lambda: diagnosis(time="year"),
}


def masked(name: str, text: str) -> str:
    """The text without what depends on the machine: versions, engines, figures of rounding."""
    text = re.sub(r"(by (?:long|wide)) \d[\w.]*", r"\1 VERSION", text)
    text = re.sub(r"in \d+ Newton steps", "in N Newton steps", text)
    if name != "verification":
        return text + "\n"
    text = re.sub(r"^(long|wide|statsmodels|semopy) \d[\w.]* *", r"\1 VERSION ", text, flags=re.M)
    text = re.sub(r"(?<=NAME\): ).*", "NAMES", text)
    text = re.sub(r"\b\d(?:\.\d)?e-\d\d\b|\b0(?:\.0)?e\+00\b", "TINY", text)
    # Columns and rules are as wide as what was masked, and so is where notes wrap.
    text = re.sub(r"\n {30,}", " ", text)
    return re.sub(r"(?<=\S) {2,}", "  ", re.sub(r"-{10,}", "----------", text)) + "\n"


@pytest.mark.parametrize("name", REPORTS)
def test_report(name: str) -> None:
    made = masked(name, REPORTS[name]())
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("GROWTHMM_WRITE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", REPORTS)
def test_no_line_is_too_long(name: str) -> None:
    longest = max(REPORTS[name]().splitlines(), key=len)
    assert len(longest) <= page_width() + 20, longest


def test_long_notes_wrap_under_their_own_column() -> None:
    text = verification().summary()
    lines = text[text.index("Evidence") :].splitlines()
    column = lines[1].index("what")
    carried = [line for line in lines[3:12] if line.startswith(" ")]
    assert carried
    assert all(len(line) - len(line.lstrip()) == column for line in carried)


def test_estimates_stand_at_their_paths() -> None:
    text = diagram()
    assert "(s) -->" in text
    assert "/1\\ --- 2.599 --> (i)" in text
    assert "[gpa_5] <-> itself: v = 0.04239" in text
