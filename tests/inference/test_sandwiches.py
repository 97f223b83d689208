"""Robust standard errors against R's package sandwich."""

from __future__ import annotations

import pytest
from r_reference import differences, kept, live
from reference import long_frame, wide_frame

import growthmm as gm
from growthmm.errors import GrowthmmError

CURVE = (
    "i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5\n"
    "s =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2 + 3*gpa_3 + 4*gpa_4 + 5*gpa_5"
)


@pytest.mark.parametrize(("name", "more"), [("curve", ""), ("curve_sex", "\ni + s ~ sexmale")])
def test_all_parameters_of_a_curve(name: str, more: str) -> None:
    golden = kept("sandwiches")[name]
    fit = gm.fit(CURVE + more, wide_frame("A_gpa_wide.csv"), robust="observed")
    errors = fit.estimates.set_index("name")["std_error"]
    assert len(golden) == len(errors)
    for parameter, value in golden.items():
        assert errors[parameter] == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "file"),
    [("persons", "A_gpa_long.csv"), ("persons_missing", "A08_gpa_missing_long.csv")],
)
def test_least_squares_clustered_by_person(name: str, file: str) -> None:
    fit = gm.fit("gpa ~ occasion * sexmale", long_frame(file), id="student", robust="cr0")
    errors = fit.estimates.set_index("name")["std_error"]
    for coefficient, value in kept("sandwiches")[name].items():
        assert errors[coefficient] == pytest.approx(value, rel=1e-9)


def test_refusals() -> None:
    with pytest.raises(GrowthmmError, match="robust standard error 'hc3'"):
        gm.fit(CURVE, wide_frame("A_gpa_wide.csv"), robust="hc3")  # type: ignore[arg-type]
    formula = "gpa ~ occasion + (1 | student)"
    with pytest.raises(GrowthmmError, match="means and covariances together"):
        gm.fit(formula, long_frame("A_gpa_long.csv"), robust="observed")


@pytest.mark.r("lavaan", "sandwich", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("sandwiches"), live("sandwiches"), 1e-4) == []
