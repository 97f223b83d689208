"""Mplus's printed output: estimates, standard errors and fit, with their decimals."""

from __future__ import annotations

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from growthmm.errors import NotationError
from growthmm.notation.mplus.read import read
from growthmm.printed.mplus import read_output
from growthmm.printed.results import PrintedFigure, PrintedResults

GROWTH = """\
Mplus VERSION 8.4
MUTHEN & MUTHEN
03/01/2021   9:14 AM

INPUT INSTRUCTIONS

  TITLE: growth of gpa;
  MODEL: i s | gpa_0@0 gpa_1@1 gpa_2@2;
         i s ON x;
  MODEL CONSTRAINT: NEW(ratio);

INPUT READING TERMINATED NORMALLY

SUMMARY OF ANALYSIS

Number of groups                                                 1
Number of observations                                         200

Estimator                                                       ML
Information matrix                                        OBSERVED

THE MODEL ESTIMATION TERMINATED NORMALLY

MODEL FIT INFORMATION

Number of Free Parameters                       10

Loglikelihood

          H0 Value                        -123.117
          H1 Value                         -27.413

Information Criteria

          Akaike (AIC)                     266.234
          Bayesian (BIC)                   299.217
          Sample-Size Adjusted BIC         267.536
            (n* = (n + 2) / 24)

Chi-Square Test of Model Fit

          Value                            191.409
          Degrees of Freedom                    21
          P-Value                           0.0000

RMSEA (Root Mean Square Error Of Approximation)

          Estimate                           0.201
          90 Percent C.I.                    0.176  0.228
          Probability RMSEA <= .05           0.000

CFI/TLI

          CFI                                0.786
          TLI                                0.847

Chi-Square Test of Model Fit for the Baseline Model

          Value                            811.626
          Degrees of Freedom                    15
          P-Value                           0.0000

SRMR (Standardized Root Mean Square Residual)

          Value                              0.119

MODEL RESULTS

                                                    Two-Tailed
                    Estimate       S.E.  Est./S.E.    P-Value

 I        |
    GPA_0              1.000      0.000    999.000    999.000
    GPA_1              1.000      0.000    999.000    999.000

 S        |
    GPA_0              0.000      0.000    999.000    999.000
    GPA_1              1.000      0.000    999.000    999.000

 I          ON
    X                  0.253      0.021     12.048      0.000

 S          ON
    X                 -0.017      0.008     -2.125      0.034

 S        WITH
    I                 -0.0012     0.0016    -0.750      0.453

 Intercepts
    GPA_0              0.000      0.000    999.000    999.000
    I                  2.599      0.018    141.956      0.000
    S                  0.106      0.006     18.066      0.000

 Residual Variances
    GPA_0              0.042      0.002     20.000      0.000
    I                  0.045      0.007      6.600      0.000
    S                  0.005      0.001      6.265      0.000

 New/Additional Parameters
    RATIO              9.000      1.250      7.200      0.000


STANDARDIZED MODEL RESULTS


STDYX Standardization

                                                    Two-Tailed
                    Estimate       S.E.  Est./S.E.    P-Value

 I          ON
    X                  0.999      0.001     12.048      0.000

QUALITY OF NUMERICAL RESULTS

     Condition Number for the Information Matrix              0.190E-02
"""

GROUPS = """\
Mplus VERSION 7.11
SUMMARY OF ANALYSIS

Number of groups                                                 2
Number of observations
   Group MALE                                                  500
   Group FEMALE                                                600
   Total sample size                                          1100

MODEL RESULTS

                                                    Two-Tailed
                    Estimate       S.E.  Est./S.E.    P-Value

Group MALE

 F1       BY
    Y1                 1.000      0.000    999.000    999.000
    LIB_HOUR           1.014      0.020     50.253      0.000

 Means
    F1                 0.000      0.000    999.000    999.000

Group FEMALE

 F1       BY
    Y1                 1.000      0.000    999.000    999.000
    LIB_HOUR           0.480      0.019     24.642      0.000

 Means
    F1                 0.250      0.019     24.642      0.000

 Variances
    F1                 0.747      0.059     12.616      0.000
"""


@pytest.fixture(scope="module")
def growth() -> PrintedResults:
    return read_output(GROWTH)


def test_fit(growth: PrintedResults) -> None:
    assert growth.program == "Mplus 8.4"
    assert growth.terminated_normally
    assert growth.estimator == "ML"
    assert (growth.n_parameters, growth.n_subjects, growth.df) == (10, 200, 21)
    figures = {
        "log_likelihood": -123.117,
        "unrestricted_log_likelihood": -27.413,
        "aic": 266.234,
        "bic": 299.217,
        "chi_square": 191.409,
        "rmsea": 0.201,
        "cfi": 0.786,
        "tli": 0.847,
        "srmr": 0.119,
    }
    for name, value in figures.items():
        assert getattr(growth, name) == PrintedFigure(value, 3), name


def test_estimates(growth: PrintedResults) -> None:
    rows = {row.name: row for row in growth.rows}
    assert len(rows) == len(growth.rows) == 14
    assert (rows["I=~GPA_1"].estimate, rows["I=~GPA_1"].fixed) == (1.0, True)
    assert rows["I=~GPA_1"].std_error is None
    assert (rows["I~X"].estimate, rows["I~X"].std_error) == (0.253, 0.021)
    assert (rows["S~1"].estimate, rows["S~1"].printed) == (0.106, "[S]")
    assert rows["S~~S"].std_error == 0.001
    assert (rows["S~~I"].estimate, rows["S~~I"].decimals) == (-0.0012, 4)
    assert rows["S~~I"].tolerance == pytest.approx(5e-5)
    assert rows["S~~I"].printed == "S WITH I"
    assert rows["RATIO"].std_error == 1.25


def test_names_of_the_model() -> None:
    model = read(
        "MODEL: i s | gpa_0@0 gpa_1@1 gpa_2@2; i s ON x; i (vi);\n"
        "MODEL CONSTRAINT: NEW(ratio); ratio = 2*vi;"
    )
    names = {row.name for row in read_output(GROWTH, model).rows}
    free = {path.name for path in model.paths if path.free}
    assert {"i~x", "s~~s", "i~~s", "i~1", "i=~gpa_1", "ratio", "gpa_0~~gpa_0"} <= names
    assert len(names & free) == 8


def test_groups_and_names_cut_to_eight_characters() -> None:
    model = read("f1 BY y1 lib_hours;")
    results = read_output(GROUPS, model)
    assert results.n_subjects == 1100
    assert [row.group for row in results.rows] == [0, 0, 0, 1, 1, 1, 1]
    first, second = results.row("f1=~lib_hours"), results.row("f1=~lib_hours", 1)
    assert first is not None
    assert second is not None
    assert (first.estimate, second.estimate) == (1.014, 0.48)
    assert results.log_likelihood is None
    assert not results.terminated_normally


def test_names_that_the_writer_shortened() -> None:
    from growthmm.notation.lavaan.read import read as read_lavaan
    from growthmm.notation.mplus.notation import NOTATION

    model = read_lavaan("level =~ 1*lib_hours_0 + 1*lib_hours_1")
    assert "libhour1" in NOTATION.write(model).text
    text = "Mplus VERSION 8\nMODEL RESULTS\n\n Residual Variances\n  LIBHOUR1  0.5  0.1  5.0  0.0\n"
    assert read_output(text, model).rows[0].name == "lib_hours_1~~lib_hours_1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no output of Mplus"),
        ("lavaan 0.6-14", "no output of Mplus"),
        ("Mplus VERSION 8.4\n*** ERROR in MODEL command", "no MODEL RESULTS"),
        ("Mplus VERSION 8\nMODEL RESULTS\n\n Thresholds\n    U1$1  0.1 0.2 0.3 0.4", "Thresholds"),
        ("Mplus VERSION 8\nMODEL RESULTS\n\nWithin Level\n\n", "Two levels"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(NotationError, match=said):
        read_output(text)


def test_agreement_is_to_the_printed_decimals() -> None:
    figure = PrintedFigure(0.253, 3)
    assert figure.agrees(0.25349)
    assert not figure.agrees(0.2536)


@settings(max_examples=examples(50, 200))
@given(st.integers(0, len(GROWTH)), st.integers(0, 40), st.text(max_size=10))
def test_damaged_outputs_raise_nothing_else(at: int, length: int, put: str) -> None:
    try:
        results = read_output(GROWTH[:at] + put + GROWTH[at + length :])
    except NotationError:
        return
    assert isinstance(results, PrintedResults)
