"""What the page on limits says is refused is refused, by name, with what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pages import DOCS

import growthmm as gm
from growthmm.errors import GrowthmmError

PAGE = (DOCS / "limitations.md").read_text(encoding="utf-8")
CURVE = "i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2\ns =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2\n"


def rated() -> object:
    """The GPA data with raters that are crossed with students."""
    return gm.datasets.gpa().assign(rater=lambda d: (d["student"] + d["occasion"]) % 7)


def early(**options: str) -> object:
    """The growth curve of the first three occasions."""
    data = gm.datasets.gpa()[lambda d: d["occasion"] < 3]
    return gm.fit(CURVE, data, id="student", time="occasion", **options)


REFUSED: dict[str, tuple[str, Callable[[], object]]] = {
    "crossed grouping factors": (
        "crossed",
        lambda: gm.fit("gpa ~ occasion + (1 | student) + (1 | rater)", rated()),
    ),
    "glmer": ("generalised", lambda: gm.read("glmer(y ~ t + (1 | id), d, family = binomial)")),
    "counts": ("poisson", lambda: gm.read("glmmTMB(y ~ t + (1 | id), family = poisson)")),
    "GLIMMIX": ("GLIMMIX", lambda: gm.read("proc glimmix; class id; model y = t; run;", "sas")),
    "meglm": ("meglm", lambda: gm.read("meglm y t || id:", "stata")),
    "GENLINMIXED": ("MIXED", lambda: gm.read("GENLINMIXED /FIELDS TARGET=y.", "spss")),
    "`gsem`": ("gsem", lambda: gm.read("gsem (y <- t)", "stata")),
    "thresholds": ("Thresholds", lambda: gm.read(CURVE + "gpa_0 | t1", "lavaan")),
    "products of latent variables": ("x:z", lambda: gm.read(CURVE + "i ~ x:z", "lavaan")),
    "`CLASSES`": (
        "CLASSES",
        lambda: gm.read("VARIABLE: NAMES = y0-y2; CLASSES = c(2); MODEL: i s | y0@0 y1@1;"),
    ),
    "`offset()`": ("offset", lambda: gm.read("y ~ t + offset(x) + (1 | id)")),
    "`weights`": ("weights", lambda: gm.read("lmer(y ~ t + (1 | id), d, weights = w)")),
    "models as matrices": (
        "mxMatrix",
        lambda: gm.read('mxModel("m", mxMatrix("Full", 1, 1, free = TRUE))', "openmx"),
    ),
    "brms": ("written, not read", lambda: gm.read("bf(y ~ t + (1 | id))", "brms")),
    "persons that differ in a rate": (
        "nonlinearly",
        lambda: gm.fit(
            "nlme(gpa ~ b0 + b1 * (1 - exp(-g * occasion)), fixed = b0 + b1 + g ~ 1, "
            "random = b0 + g ~ 1 | student)",
            gm.datasets.gpa(),
        ),
    ),
    "lagged outcomes": (
        "gpa_1~gpa_0",
        lambda: gm.translate(CURVE + "gpa_1 ~ gpa_0", "nlme", id="student", time="occasion"),
    ),
    "Equal or fixed coefficients": (
        "label a",
        lambda: gm.translate(CURVE + "i ~ a*x\ns ~ a*x", "nlme", id="student", time="occasion"),
    ),
    "Kenward and Roger": ("mixed model", lambda: early(df="kenward-roger")),
    "Printed moments": (
        "wide data",
        lambda: gm.fit("y ~ t + (1 | id)", gm.Moments([1, 2], [[1, 0.5], [0.5, 1]], n=50)),
    ),
}
"""A word of the page, a word of the message, and what is refused."""


@pytest.mark.parametrize("claim", REFUSED)
def test_what_the_page_says_is_refused_is_refused(claim: str) -> None:
    word, attempt = REFUSED[claim]
    assert claim in PAGE
    with pytest.raises(GrowthmmError) as caught:
        attempt()
    assert word in str(caught.value)
    assert caught.value.hint


def test_growth_curves_have_degrees_of_freedom_by_cr2_alone() -> None:
    assert '`robust="cr2"`, which brings its own' in PAGE
    assert early().estimates["df"].isna().all()  # type: ignore[attr-defined]
    assert early(robust="cr2").estimates["df"].notna().sum() == 2  # type: ignore[attr-defined]


def test_a_just_identified_regression_is_translated() -> None:
    text = CURVE + "s ~ i"
    data = gm.datasets.gpa()[lambda d: d["occasion"] < 3]
    assert gm.verify(text, data, id="student", time="occasion").identical


def test_every_package_that_is_named_is_linked() -> None:
    assert PAGE.count("https://cran.r-project.org/package=") > 10
