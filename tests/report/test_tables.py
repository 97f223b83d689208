"""Tables for papers and pages, and a fit as plain data frames."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hostile_data import hostile

import growthmm as gm
from growthmm.errors import SpecificationError
from growthmm.inference.result import FitResult

LINE = "gpa ~ occasion + (1 + occasion | student)"


@cache
def fitted(engine: str) -> FitResult:
    data = gm.datasets.gpa()
    data.loc[3, "gpa"] = np.nan
    if engine == "long":
        return gm.fit(LINE, data)
    text = gm.translate(LINE, "lavaan", data=data).text
    return gm.fit(text, data, id="student", time="occasion")


def test_latex_has_a_line_a_parameter() -> None:
    lines = fitted("long").to_latex().splitlines()
    assert lines[0] == r"\begin{tabular}{llrrrrrrr}"
    body = lines[4:-2]
    assert len(body) == 6
    assert all(line.count("&") == 8 and line.endswith(r"\\") for line in body)
    assert body[0].startswith("(Intercept) & ")
    assert (
        r"gpa\_0" in fitted("wide").to_latex()
        or r"i\textasciitilde{}1" in fitted("wide").to_latex()
    )


def test_markdown_escapes_pipes() -> None:
    lines = fitted("long").to_markdown().splitlines()
    assert lines[1] == "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    assert any(r"var(occasion\|student)" in line for line in lines)


def test_small_p_values_are_one_word() -> None:
    assert "| < .001 |" in fitted("long").to_markdown()
    assert "<td>&lt;&nbsp;.001</td>" in fitted("long").to_html()
    assert "&lt; " not in fitted("long").to_html()


def test_hostile_names_in_tables() -> None:
    for table in (hostile().mixed_fit.to_html(), hostile().mixed_fit._repr_html_()):
        assert "<script" not in table
    assert "<script" not in hostile()._repr_html_()
    assert "<script" not in hostile().to_markdown()


def test_comparison_has_tables() -> None:
    made = gm.compare(
        gm.fit("gpa ~ occasion + (1 | student)", gm.datasets.gpa()), gm.fit(LINE, gm.datasets.gpa())
    )
    assert made.to_latex().count(r"\\") == 3
    assert made._repr_html_().count("<tr>") == 3


@pytest.mark.parametrize("engine", ["long", "wide"])
def test_tidy_and_glance(engine: str) -> None:
    fit = fitted(engine)
    table = fit.tidy()
    assert list(table.columns[:4]) == ["term", "kind", "estimate", "std_error"]
    assert len(table) == len(fit.estimates) + len(fit.derived)
    row = fit.glance().iloc[0]
    assert row["aic"] == pytest.approx(-2 * row["log_likelihood"] + 2 * row["n_parameters"])
    assert row["n_rows"] == 1199


def test_augment_is_the_same_of_both_forms() -> None:
    ours, theirs = fitted("long").augment(), fitted("wide").augment()
    assert len(ours) == len(theirs) == 1199
    np.testing.assert_allclose(ours["observed"] - ours["fitted"], ours["residual"])
    ours = ours.sort_values(["subject", "observed", "fitted"])
    theirs = theirs.sort_values(["subject", "observed", "fitted"])
    np.testing.assert_allclose(ours["fitted"], theirs["fitted"], atol=1e-6)
    assert 3 not in ours.index


def test_moments_have_no_rows() -> None:
    wide = gm.to_wide(
        gm.datasets.gpa()[["student", "occasion", "gpa"]],
        id="student",
        time="occasion",
        values=["gpa"],
    )
    columns = [c for c in wide.columns if c.startswith("gpa")]
    moments = gm.Moments(wide[columns].mean(), wide[columns].cov(), len(wide))
    fit = gm.fit(gm.translate(LINE, "lavaan", data=gm.datasets.gpa()).text, moments)
    with pytest.raises(SpecificationError, match="no persons to list"):
        fit.augment()
