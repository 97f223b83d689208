"""Random growth models from either side: three levels of evidence hold, or a loss is listed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st
from random_growth import (
    KNOWN_LOSSES,
    CurveText,
    Data,
    Formula,
    Specification,
    evidence_against,
    specifications,
)
from two_sides import long_frame

import growthmm as gm
from growthmm.errors import NotIdentifiedError, UnsupportedError
from growthmm.model.defaults import Loss

NIGHTLY = settings.default.max_examples > 100


@settings(max_examples=1000 if NIGHTLY else 50)
@given(specifications(), st.integers(0, 10_000))
def test_two_forms_are_one_model_or_a_loss_is_listed(
    specification: Specification, seed: int
) -> None:
    try:
        pair, frame = specification.pair()
    except UnsupportedError as error:
        _assert_listed(error.losses)
        event("a loss is listed")
        return
    try:
        against = evidence_against(pair, frame, specification.estimator, seed)
    except NotIdentifiedError:
        # Terms of the formula are collinear, as the engine says.
        reject()
    event(f"{type(specification).__name__}, {pair.growth.residual.kind}")
    assert against is None, against


def _assert_listed(losses: Sequence[Loss]) -> None:
    assert losses
    for loss in losses:
        assert loss.what.startswith(KNOWN_LOSSES), loss
        assert loss.why
        assert loss.nearest


BASIS = """
i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4
s =~ 0*y_0 + b1*y_1 + b2*y_2 + b3*y_3 + 1*y_4
"""
BOTH = " + ".join(
    f'(0 + I(1 * (sex == "{sex}")) + I(1 * (sex == "{sex}")):t | id)' for sex in ("female", "male")
)


FOUND = {
    "residuals by occasion beside an intercept alone": CurveText(
        BASIS + "i ~~ 0*s\ns ~~ 0*s\ni ~ x\n" + "".join(f"y_{t} ~~ y_{t}\n" for t in range(5)),
        "ml",
        Data(),
    ),
    "uncorrelated factors of a latent basis": CurveText(BASIS + "i ~~ 0*s\n", "ml", Data()),
    "a factor of a latent basis without a mean": CurveText(
        BASIS + "i ~~ 0*s\ns ~ 0*1\n", "ml", Data(missing="rows")
    ),
    "slopes of each group without a common one": Formula(
        "y ~ t:sex + (1 | id)", "by_group:sex", "ml", Data()
    ),
    "effects of each group without a common one": Formula(
        f"y ~ t + x:sex + {BOTH}", "banded:1", "reml", Data("uneven")
    ),
    "means of each group beside another function": Formula(
        f"y ~ knot + t:sex + {BOTH}", "by_occasion", "reml", Data()
    ),
    "an effect that moves with time, by REML": Formula(
        "y ~ factor(t) + t:w + (1 | id)", "common", "reml", Data("six")
    ),
    "a model without random effects, by REML": Formula(
        "y ~ 0 + factor(t) + arm + t:w", "toeplitz", "reml", Data("six")
    ),
}
"""What random specifications showed to be wrong."""


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name: str) -> None:
    pair, frame = FOUND[name].pair()
    assert evidence_against(pair, frame, FOUND[name].estimator) is None


def test_restricted_likelihood_of_moving_effects_is_one_optimum() -> None:
    frame = long_frame(missing=0.1, n_persons=60)
    found = gm.verify("y ~ t + t:w + (1 | id)", frame, time="t", estimator="reml", engines=["long"])
    assert found.verdict == "identical"
    assert all(level.passed for level in found.levels)
