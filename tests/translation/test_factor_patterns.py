"""Factor covariances with equal or held entries: read from labels and values, and written again."""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement as pairs
from typing import Any

import pytest

import growthmm as gm
from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import long_data, wide_data
from growthmm.errors import SpecificationError, UnsupportedError
from growthmm.model.factor_pattern import pattern_kind
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.terms import Term
from growthmm.translation.pair import Pair, same_growth
from tests.two_sides import assert_same_model, back, long_frame, mixed_pair, sem_pair

TIMES = range(5)


def _factor(name: str, power: int) -> str:
    return f"{name} =~ " + " + ".join(f"{t**power}*y_{t}" for t in TIMES) + "\n"


EQUAL = "".join(f"y_{t} ~~ v*y_{t}\n" for t in TIMES)
LINEAR = _factor("i", 0) + _factor("s", 1) + EQUAL
QUADRATIC = LINEAR + _factor("q", 2)
PATTERNS = {
    LINEAR + "i ~~ w*i\ns ~~ w*s": "compound_symmetry",
    LINEAR + "i ~~ w*i\ns ~~ w*s\ni ~~ 0*s": "identity",
    LINEAR + "i ~~ 0.5*s": "patterned",
    LINEAR + "s ~~ 0.5*s": "patterned",
    LINEAR + "i ~~ 2*i\ns ~~ 0.5*s\ni ~~ 0.1*s": "patterned",
    QUADRATIC + "s ~~ 0*q": "patterned",
    QUADRATIC + "i ~~ k*s\ni ~~ k*q": "patterned",
    QUADRATIC + "i ~~ w*i\ns ~~ w*s\nq ~~ w*q\ni ~~ k*s\ni ~~ k*q\ns ~~ k*q": "compound_symmetry",
}
"""Text, and what the covariance matrix of its factors is."""


@cache
def _frame() -> Any:
    return long_frame(TIMES, n_persons=60)


def _pair(text: str) -> Pair:
    return sem_pair(text, _frame(), id="id", time="t")[0]


@pytest.mark.parametrize("text", PATTERNS, ids=range(len(PATTERNS)))
def test_a_pattern_is_recognised_and_read_back(text: str) -> None:
    pair = _pair(text)
    assert [pattern_kind(block.cells) for block in pair.growth.blocks] == [PATTERNS[text]]
    assert_same_model(pair, _frame())
    again = back(pair, _frame())
    assert same_growth(pair.growth, again.growth) is None


@pytest.mark.parametrize("text", PATTERNS, ids=range(len(PATTERNS)))
def test_both_engines_end_at_one_optimum(text: str) -> None:
    pair = _pair(text)
    fits = (
        long_engine.fit(long_data(pair.mixed, _frame()).problem, bounds="psd"),
        wide_engine.fit(wide_data(pair.sem, _frame()).problem, bounds="psd"),
    )
    assert all(fit.convergence.converged for fit in fits)
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "kind"), [("pdCompSymm", "compound_symmetry"), ("pdIdent", "identity")]
)
def test_a_formula_with_one_variance_goes_there_and_back(call: str, kind: str) -> None:
    text = f"lme(y ~ t, random = list(id = {call}(~ 1 + t)))"
    made = gm.translate(text, "lavaan", data=_frame())
    again = gm.translate(made.text, "nlme", data=_frame(), id="id", time="t")
    assert again.text == text
    pair = _pair(made.text)
    assert pattern_kind(pair.growth.blocks[0].cells) == kind
    assert dict(pair.mixed_names)["cov:i:i"] == "var((Intercept),t|id)"


def test_what_no_formula_says_names_who_can() -> None:
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(LINEAR + "i ~~ 0.5*s", "lme4", data=_frame(), id="id", time="t")
    (loss,) = caught.value.losses
    assert loss.what == "covariances of which some are equal or held at numbers of 1, t | id"
    assert "lavaan, Mplus, OpenMx" in loss.nearest


def test_the_same_pattern_is_fitted_from_a_model_value() -> None:
    block = RandomBlock((Term(), Term(("t",))), "id", "patterned", (("a", 0.5), (0.5, "b")))
    model = MixedModel("y", (Term(), Term(("t",))), (block,), estimator="ml")
    fit = gm.fit(model, _frame())
    other = gm.fit(LINEAR + "i ~~ 0.5*s", _frame(), id="id", time="t")
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)
    narrow = RandomBlock((Term(),), "id", "patterned", (("a", 0.5), (0.5, "b")))
    with pytest.raises(SpecificationError, match="has 2 rows"):
        gm.fit(MixedModel("y", (Term(),), (narrow,)), _frame())


def test_covariances_of_a_factor_without_variance_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="s ~~ s fixed at zero while others"):
        _pair(LINEAR + "s ~~ 0*s\ni ~~ s")


def test_a_label_on_a_factor_and_a_residual_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="the label v on several parameters"):
        _pair(LINEAR + "i ~~ v*i")


def test_blocks_of_their_own_stay_apart() -> None:
    pair = _pair(LINEAR + "i ~~ 0*s")
    assert [block.factors for block in pair.growth.blocks] == [("i",), ("s",)]
    keys = [f"cov:{a}:{b}" for a, b in pairs(("i", "s"), 2)]
    joined = mixed_pair("y ~ t + (t | id)", _frame())
    assert [key for key, _ in joined.mixed_names if key.startswith("cov:")] == keys
