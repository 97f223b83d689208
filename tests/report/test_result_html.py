"""Every public result has a text that fits a screen and HTML that is safe."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hostile_data import GROUP, OUTCOME, hostile

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.errors import GrowthmmError
from growthmm.inference.result import FitResult
from growthmm.model.growth import FactorBlock
from growthmm.model.mixed import RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column
from growthmm.model.terms import Term

LINE = "gpa ~ occasion + (1 + occasion | student)"
SEX = "gpa ~ occasion * sex + (occasion | student)"
SEM = "i =~ 1*y0 + 1*y1\ny0 ~~ v*y0\ny1 ~~ v*y1"


@cache
def fitted(text: str = SEX, estimator: str = "ml") -> FitResult:
    return gm.fit(text, gm.datasets.gpa(), estimator=estimator)


@cache
def verified() -> Equivalence:
    return gm.verify(LINE, gm.datasets.gpa(), engines=["semopy"])


def wide() -> pd.DataFrame:
    data = gm.datasets.gpa()[["student", "occasion", "gpa"]]
    return gm.to_wide(data, id="student", time="occasion", values=["gpa"])


def two() -> tuple[FitResult, FitResult]:
    return fitted("gpa ~ occasion + (1 | student)"), fitted(LINE)


def with_gaps() -> pd.DataFrame:
    data = gm.datasets.gpa()
    rows = data["gpa"].mask((data["occasion"] > 3) & (data["student"] % 5 == 0))
    return data.assign(gpa=rows)


def moments() -> Any:
    return gm.Moments([0.0, 1.0], [[1.0, 0.2], [0.2, 1.0]], 50, names=["<a>", "b"])


PRINTED = """Linear mixed model fit by maximum likelihood  ['lmerMod']
Formula: gpa ~ occasion + (1 + occasion | student)
     AIC      BIC   logLik deviance df.resid
   258.2    288.8   -123.1    246.2     1194
Random effects:
 Groups   Name        Variance Std.Dev. Corr
 student  (Intercept) 0.045193 0.21259
          occasion    0.004504 0.06711  -0.10
 Residual             0.042388 0.20588
Number of obs: 1200, groups:  student, 200
Fixed effects:
            Estimate Std. Error t value
occasion    0.106314   0.005885   18.07
"""

RESULTS: dict[str, Callable[[], Any]] = {
    "Grouping": lambda: gm.Grouping("sex", ("female", "male")),
    "Lagged": lambda: gm.Lagged("x_lag1", "x"),
    "Moments": moments,
    "Schema": lambda: gm.translate(LINE, "lavaan", data=gm.datasets.gpa()).schema,
    "Variable": lambda: gm.translate(SEX, "lavaan", data=gm.datasets.gpa()).schema.variables[0],
    "all_optimizers": lambda: gm.all_optimizers(fitted(), methods=["BFGS"], programs=()),
    "alternatives": lambda: gm.alternatives(LINE, gm.datasets.gpa()),
    "compare": lambda: gm.compare(*two()),
    "compare.average": lambda: gm.compare(*two()).average(),
    "conditional_aic": lambda: gm.conditional_aic(fitted(LINE)),
    "contrasts": lambda: gm.contrasts(fitted(), "occasion + occasion:sexmale"),
    "cross_validate": lambda: gm.cross_validate(fitted(LINE), n_folds=2),
    "datasets": gm.datasets.gpa,
    "defaults": lambda: gm.defaults("y ~ t + (1 | id)", "lavaan"),
    "diagnose": lambda: gm.diagnose(fitted()),
    "explain": lambda: gm.explain(
        "lmer(gpa ~ occasion + (1 | student))",
        "lmer(gpa ~ occasion + (1 | student), REML = FALSE)",
        gm.datasets.gpa(),
    ),
    "fit": fitted,
    "fit.confidence_intervals": lambda: fitted().confidence_intervals(),
    "fit.predict": lambda: fitted().predict(),
    "fit.tidy": lambda: fitted().tidy(),
    "fit.glance": lambda: fitted().glance(),
    "fit.augment": lambda: fitted().augment(),
    "icc": lambda: gm.icc(fitted(LINE)),
    "impute": lambda: gm.impute(LINE, with_gaps(), 2, seed=1),
    "implied": lambda: gm.implied(SEM, {"v": 1.0, "i~~i": 2.0, "i~1": 0.5}),
    "log_likelihood": lambda: gm.log_likelihood(
        LINE,
        gm.datasets.gpa(),
        dict(zip(fitted(LINE).fit.names, fitted(LINE).fit.estimates, strict=True)),
    ),
    "missing": lambda: gm.missing(LINE, with_gaps(), n_imputations=2, forest=False, seed=1),
    "modification_indices": lambda: gm.modification_indices(verified().sem_fit),
    "pool": lambda: gm.pool(gm.impute(LINE, with_gaps(), 2, seed=1).fits()),
    "r2beta": lambda: gm.r2beta(fitted(SEX, "reml")),
    "r_squared": lambda: gm.r_squared(fitted()),
    "r_squared.partition": lambda: gm.r_squared(fitted()).partition,
    "read": lambda: gm.read(LINE),
    "read a SEM": lambda: gm.read(SEM),
    "restarts": lambda: gm.restarts(fitted(LINE), 2),
    "significance_region": lambda: gm.significance_region(
        gm.fit("gpa ~ occasion * lib_hours + (1 | student)", gm.datasets.gpa()),
        "occasion",
        "occasion:lib_hours",
    ),
    "simple_slopes": lambda: gm.simple_slopes(fitted(), "occasion", "occasion:sexmale", [0, 1]),
    "simulate": lambda: gm.simulate(fitted(LINE), 5),
    "standardized": lambda: gm.standardized(fitted()),
    "study": lambda: gm.study(fitted(LINE), 20, n_simulations=3, workers=1),
    "test": lambda: gm.test(fitted(), "sexmale = 0"),
    "test_terms": lambda: gm.test_terms(fitted()),
    "test_variance": lambda: gm.test_variance(fitted(LINE), "occasion"),
    "to_long": lambda: gm.to_long(wide(), id="student", time="occasion", values=["gpa"]),
    "to_wide": wide,
    "trajectories": lambda: gm.trajectories(fitted(), {"sex": ["female", "male"]}, times=[0, 5]),
    "translate": lambda: gm.translate(LINE, "lavaan", data=gm.datasets.gpa()),
    "verify": verified,
    "verify against": lambda: gm.verify(LINE, gm.datasets.gpa(), against=PRINTED),
    "verify.parameters": lambda: verified().parameters,
    "verify.proof": lambda: verified().proof(),
    "with_auxiliary": lambda: gm.with_auxiliary(SEM, ["a"]),
    "write": lambda: gm.write(gm.read(LINE), "nlme"),
}

PLAIN = (pd.DataFrame, pd.Series, np.ndarray, float, tuple)
"""Results that are no classes of growthmm's."""

BUILT = (
    gm.Grouping,
    gm.Lagged,
    gm.Variable,
    Column,
    Term,
    FactorBlock,
    RandomBlock,
    ResidualStructure,
)
"""What models are built of, shown as the call that makes it."""

INPUTS = {"Grouping", "Lagged", "Variable"}
"""What users build themselves: shown as the call that makes it."""


class Text(HTMLParser):
    """Tags that are open, those that were met, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.met: set[str] = set()
        self.said = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.met.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def test_every_public_name_is_here() -> None:
    assert {name.partition(" ")[0].partition(".")[0] for name in RESULTS} == set(gm.__all__) - {
        "__version__"
    }


@pytest.mark.parametrize("name", RESULTS)
def test_result(name: str) -> None:
    result = RESULTS[name]()
    if isinstance(result, PLAIN):
        return
    text = repr(result)
    assert text.strip()
    assert len(text) < 4000
    if name in INPUTS:
        return
    for part in parts(result):
        # No class's constructor with all it holds: something to read.
        assert not repr(part).startswith(f"{type(part).__name__}(")
        html = Text(part._repr_html_())
        assert not html.open
        assert html.said.strip() or not any(vars_of(part))
        assert not html.met & {"script", "img", "iframe", "link"}
        assert part is result or len(repr(part)) < 4000


def parts(result: object, depth: int = 2) -> Iterator[Any]:
    """A result, and what of growthmm's own its public attributes hold, and so on."""
    yield result
    if not depth:
        return
    for name in dir(result):
        held = inspect.getattr_static(result, name)
        if name.startswith("_") or (callable(held) and not isinstance(held, property)):
            continue
        try:
            value = getattr(result, name)
        except (GrowthmmError, AttributeError):
            continue
        if isinstance(value, (tuple, list)) and value:
            value = value[0]
        if is_dataclass(value) and not isinstance(value, (type, *BUILT)):
            yield from parts(value, depth - 1)


def vars_of(part: Any) -> list[object]:
    """What the fields of a data class hold that is something."""
    return [v for own in fields(part) if (v := getattr(part, own.name)) not in (None, (), "")]


def test_a_part_of_a_result_is_one_line() -> None:
    level = verified().levels[1]
    assert repr(level).startswith("<Level name=moments passed=True figure=")
    assert "moments" in Text(level._repr_html_()).said
    fit = verified().sem_fit.fit
    assert len(repr(fit)) < 170
    assert "estimates=6 array" in repr(fit)
    paths = gm.read(SEM + "\ny0 ~ x").paths
    assert repr(paths[0]) == "<Path i=~y0: fixed at 1>"
    assert "<Path y0~~y0: free, label v>" in [repr(path) for path in paths]


def test_texts_of_what_users_look_at() -> None:
    schema = RESULTS["Schema"]()
    times = "0, 1, 2, 3, 4, 5"
    assert repr(schema) == f"<Schema: person student, time occasion ({times}), outcome gpa>"
    assert repr(moments()) == "<Moments of 50 persons: 2 variables, <a>, b>"
    lines = repr(RESULTS["implied"]()).splitlines()
    assert lines[0] == "Means and covariances of 2 outcomes"
    assert lines[2].split() == ["y0", "0.5", "3", "2"]


@pytest.mark.parametrize(
    "make",
    [
        hostile,
        lambda: hostile().mixed_fit,
        lambda: hostile().sem_fit,
        lambda: hostile().proof(),
        lambda: hostile().pair.mixed.model,
        lambda: hostile().pair.sem.model,
        lambda: hostile().pair.growth.schema,
        lambda: gm.write(hostile().pair.mixed.model, "lme4"),
        lambda: gm.diagnose(hostile().mixed_fit),
        lambda: gm.r_squared(hostile().mixed_fit),
        moments,
    ],
)
def test_names_from_the_data_are_text(make: Callable[[], Any]) -> None:
    html = Text(make()._repr_html_())
    assert not html.met & {"script", "img", "b", "a"}


def test_hostile_names_are_shown() -> None:
    said = Text(hostile().pair.mixed.model._repr_html_()).said
    assert OUTCOME in said
    assert GROUP in said


def test_a_long_label_is_shortened() -> None:
    loadings = " + ".join(f"1*gpa_{t}" for t in range(6))
    text = f"i =~ {loadings}\n" + "\n".join(f"gpa_{t} ~~ v*gpa_{t}" for t in range(6))
    page = gm.fit(text, wide())._repr_html_()
    assert page.startswith("<p><strong>i =~ 1*gpa_0")
    assert " ...</strong>" in page
    assert f"<strong>{SEX}</strong>" in fitted()._repr_html_()


def test_a_table_of_findings_is_for_reading() -> None:
    found = gm.diagnose(fitted(LINE))
    page = found._repr_html_()
    assert "evidence" in found.table
    assert "evidence" not in page
    assert "<th>message</th>" in page
    assert 'style="white-space: normal' in page
    assert "white-space" not in gm.test_terms(fitted())._repr_html_()
