"""Results that programs printed are read: names, values, decimals, figures and counts."""

from __future__ import annotations

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_cases import CASES, OUTPUTS, Printed
from reference import case

from growthmm.errors import NotationError, SpecificationError
from growthmm.printed import READERS, program_of, read_printed

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(OUTPUTS.glob("*.txt"))}


@pytest.mark.parametrize("printed", CASES, ids=lambda p: p.name)
def test_the_program_is_recognised(printed: Printed) -> None:
    program = {"lmertest": "lme4", "gls": "nlme"}.get(*[printed.name.split("_")[0]] * 2)
    assert program_of(printed.text) == program
    assert read_printed(printed.text).notation == program


@pytest.mark.parametrize("name", ["lme4_a02_ml", "sas_a02_ml", "spss_a02_ml_boxed", "stata_a02_ml"])
def test_mixed_estimates_are_the_golden_ones_to_their_decimals(name: str) -> None:
    exact = case("A02_gpa_slope_homosced")["exact"]["ml"]
    found = read_printed(TEXTS[name])
    kinds = {"variance", "covariance", "residual variance", "fixed"}
    golden = {
        ("fixed", 0): exact["fixef"]["(Intercept)"],
        ("fixed", 1): exact["fixef"]["occasion"],
        ("residual variance", 0): exact["theta"]["R[resid]"],
    }
    rows = [row for row in found.rows if row.kind in kinds]
    assert len(rows) >= 5
    for row in rows:
        if row.kind == "fixed":
            at = 1 if row.name == "occasion" else 0
            value = golden["fixed", at]
        elif row.kind == "residual variance":
            value = golden["residual variance", 0]
        elif row.kind == "covariance":
            value = exact["theta"]["G[(Intercept),occasion]"]
        else:
            slope = row.effects[0] in ("occasion", "#2")
            value = exact["theta"][
                f"G[{'occasion' if slope else '(Intercept)'},"
                f"{'occasion' if slope else '(Intercept)'}]"
            ]
        # lme4 stops a little early with its default tolerances.
        slack = 4e-6 if name.startswith("lme4") else 0.0
        assert abs(row.estimate - value) <= row.tolerance * 1.001 + slack, row.name


def test_lavaan_groups_labels_and_counts() -> None:
    found = read_printed(TEXTS["lavaan_h01_groups"])
    assert (found.n_subjects, found.n_parameters, found.df) == (200, 11, 43)
    first, second = found.row("i~1"), found.row("i~1", group=1)
    assert first is not None
    assert second is not None
    assert (first.estimate, second.estimate) == (2.635, 2.560)
    assert found.row("gpa_0~1") is not None
    assert found.row("gpa_0~1").fixed


def test_lavaan_persons_left_out() -> None:
    dropped = read_printed(TEXTS["lavaan_a08_listwise"])
    assert (dropped.n_subjects, dropped.n_given, dropped.listwise) == (23, 200, True)
    used = read_printed(TEXTS["lavaan_a08_fiml"])
    assert (used.n_subjects, used.listwise, used.information) == (194, False, "observed")


def test_standardised_columns_and_intervals_are_no_estimates() -> None:
    found = read_printed(TEXTS["lavaan_a03_std_ci"])
    names = [row.name for row in found.rows if not row.fixed]
    assert len(names) == len(set(names)) == 11


def test_nlme_ratios_and_reference_stratum() -> None:
    found = read_printed(TEXTS["nlme_a03_ml"])
    ratios = [row for row in found.rows if row.kind == "residual ratio"]
    assert [row.effects for row in ratios] == [(str(k),) for k in range(6)]
    residual = next(row for row in found.rows if row.kind == "residual sd")
    assert residual.effects == ("0",)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_windows_line_ends_change_nothing(name: str) -> None:
    assert read_printed(TEXTS[name].replace("\n", "\r\n")) == read_printed(TEXTS[name])


def test_columns_that_r_wraps() -> None:
    text = (
        "Linear mixed model fit by REML. t-tests use Satterthwaite's method [\n"
        "lmerModLmerTest]\nFixed effects:\n"
        "                 Estimate Std. Error\n(Intercept)      2.599e+00  1.836e-02\n"
        "occasion         1.063e-01  5.885e-03\n"
        "                        df t value Pr(>|t|)    \n"
        "(Intercept)      1.990e+02  141.59   <2e-16 ***\n"
        "occasion         1.990e+02   18.07   < 2e-16 ***\n---\n"
    )
    found = read_printed(text)
    assert [(row.name, row.estimate, row.decimals) for row in found.rows] == [
        ("(Intercept)", 2.599, 3),
        ("occasion", 0.1063, 4),
    ]
    assert found.rows[1].std_error == 0.005885


def test_stata_factor_variables() -> None:
    text = (
        "Mixed-effects REML regression  Number of obs = 1,200\n"
        "         gpa | Coefficient  Std. err.      z\n-------------+------\n"
        "    occasion |   .1200544    .008018    14.97\n             |\n"
        "         sex |\n       male  |  -.0755532   .0364596    -2.07\n             |\n"
        "sex#c.occasion |\n       male  |  -.0289266   .0116338    -2.49\n             |\n"
        "       _cons |   2.635102   .0251281   104.87\n-------------+------\n"
    )
    names = [row.name for row in read_printed(text).rows]
    assert names == ["occasion", "male.sex", "male.sex#c.occasion", "_cons"]


def test_a_second_result_is_refused_where_it_begins() -> None:
    text = TEXTS["lme4_a02_ml"]
    with pytest.raises(NotationError) as caught:
        read_printed(text + text)
    assert caught.value.position == len(text)


@pytest.mark.parametrize(
    "text", ["", "no results", "Linear mixed model fit by REML", "lavaan 0.6 x"]
)
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(NotationError, match=r"\n|growthmm|output|estimates"):
        read_printed(text)


def test_an_unknown_program_is_refused() -> None:
    with pytest.raises(SpecificationError, match="no reader"):
        read_printed("x", "amos")


def _mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(sorted(TEXTS.values())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        size = draw(st.integers(0, 60))
        insert = draw(
            st.one_of(st.text(max_size=8), st.sampled_from(["\n", "1e999", "|", "(1,1)"]))
        )
        text = text[:at] + insert + text[at + size :]
    return text


@settings(max_examples=examples(75, 300))
@given(text=st.composite(_mutated)(), program=st.sampled_from([None, *READERS]))
def test_readers_raise_nothing_but_notation_errors(text: str, program: str | None) -> None:
    try:
        found = read_printed(text, program)
    except NotationError:
        return
    assert found.rows
