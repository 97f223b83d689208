"""Random growth models from either side: three levels of evidence hold, or a loss is listed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st
from random_designs import Design, LevelText, OutcomeText, Stacked, designs
from random_growth import (
    KNOWN_LOSSES,
    CurveText,
    Data,
    Formula,
    Specification,
    evidence_against,
    plain,
)
from random_shapes import ShapeText, shapes
from two_sides import long_frame

import growthmm as gm
from growthmm.errors import NotIdentifiedError, UnsupportedError
from growthmm.model.defaults import Loss

Anything = Specification | Stacked | LevelText | OutcomeText | ShapeText

NIGHTLY = settings.default.max_examples > 100

KINDS = {"one outcome": plain(), "designs": designs(), "shapes": shapes()}
"""Random models, and the share of them: half, a quarter and a quarter."""

SHARES = {"one outcome": (500, 24), "designs": (250, 14), "shapes": (250, 12)}


@pytest.mark.parametrize("kind", KINDS)
def test_two_forms_are_one_model_or_a_loss_is_listed(kind: str) -> None:
    @settings(max_examples=SHARES[kind][0 if NIGHTLY else 1])
    @given(KINDS[kind], st.integers(0, 10_000))
    def holds(specification: Anything, seed: int) -> None:
        _assert_one_model(specification, seed)

    holds()


def _assert_one_model(specification: Anything, seed: int) -> None:
    try:
        pair, frame = specification.pair()
    except UnsupportedError as error:
        for kind in _listed(error.losses):
            event(f"a loss is listed: {kind}")
        return
    try:
        against = evidence_against(pair, frame, specification.estimator, seed)
    except NotIdentifiedError:
        # Terms of the formula are collinear, as the engine says.
        reject()
    event(f"{specification.kind}, {pair.growth.residual.kind}")
    assert against is None, against


def _listed(losses: Sequence[Loss]) -> set[str]:
    """The kinds of what is lost; each is known, and has a reason and something nearest."""
    assert losses
    for loss in losses:
        assert loss.what.startswith(KNOWN_LOSSES), loss
        assert loss.why
        assert loss.nearest
    return {kind for loss in losses for kind in KNOWN_LOSSES if loss.what.startswith(kind)}


BASIS = """
i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4
s =~ 0*y_0 + b1*y_1 + b2*y_2 + b3*y_3 + 1*y_4
"""
BOTH = " + ".join(
    f'(0 + I(1 * (sex == "{sex}")) + I(1 * (sex == "{sex}")):t | id)' for sex in ("female", "male")
)


FOUND: dict[str, Anything] = {
    "residuals by occasion beside an intercept alone": CurveText(
        BASIS + "i ~~ 0*s\ns ~~ 0*s\ni ~ x\n" + "".join(f"y_{t} ~~ y_{t}\n" for t in range(5)),
        "ml",
        Data(),
    ),
    "uncorrelated factors of a latent basis": CurveText(BASIS + "i ~~ 0*s\n", "ml", Data()),
    "a factor of a latent basis without a mean": CurveText(
        BASIS + "i ~~ 0*s\ns ~ 0*1\n", "ml", Data(missing="rows")
    ),
    "a covariate on a factor of a latent basis without a mean": CurveText(
        BASIS + "s ~ 0*1\ni ~ x\ns ~ x\n", "ml", Data()
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
    "a power of time, persons differing in the intercept alone": ShapeText(
        "nlme(y ~ b0 + b1 * (t^g), fixed = b0 + b1 + g ~ 1, random = b0 ~ 1 | id)",
        "one rate, nlme",
        Data(),
    ),
    "a decay at times far apart, variances by occasion": ShapeText(
        "nlme(y ~ b0 + b1 * exp(-g * t), fixed = b0 + b1 + g ~ 1, random = b0 + b1 ~ 1 | id, "
        "weights = varIdent(form = ~ 1 | t))",
        "one rate, nlme",
        Data("uneven"),
    ),
    "variances by outcome in groups, the data showing the last outcome first": Stacked(
        'y ~ 0 + of + of:t + (0 + I(1 * (sex == "f")):of | id) + (0 + I(1 * (sex == "m")):of | id)',
        "by_group:of",
        "ml",
        Design(),
    ),
    "more covariates at the occasions than persons in a group": Formula(
        "y ~ t + x + sex + w + w2 + (1 | id) + (0 + t | id)",
        "by_group:arm",
        "ml",
        Data("six", 5, "rows"),
    ),
    "a model without random effects, by REML": Formula(
        "y ~ 0 + factor(t) + arm + t:w", "toeplitz", "reml", Data("six")
    ),
    "contrasts of groups whose means the other side has, by REML": Formula(
        "y ~ t + C(arm, contr.sum) + (t | id)", "by_group:arm", "reml", Data()
    ),
    "a mean of each occasion beside a random slope of a covariate": Formula(
        "y ~ 0 + factor(t) + w + (1 + w | id)", "common", "ml", Data()
    ),
    "a covariate's effect, and what another outcome adds to it": Stacked(
        "y ~ 0 + of + of:t + w + of:w + (0 + of | id)", "common", "ml", Design()
    ),
    "a covariate's random slope beside residuals of each group": Formula(
        "y ~ 0 + factor(t) + w:factor(t) + (1 + w | id)", "by_group:sex:ar1", "ml", Data()
    ),
    "a random slope of which one group has more": Formula(
        'y ~ t + (0 + I(1 * (sex == "female")):t | id) + (0 + t | id)', "common", "reml", Data()
    ),
    "means of groups that sum to zero": Formula(
        "y ~ 0 + factor(t) + C(arm, contr.sum) + (t + w | id)", "by_group:arm", "ml", Data()
    ),
    "a group that is a number beside covariances of each": Formula(
        "y ~ 0 + t + cohort + lag(w) + (t | id)", "by_group:cohort", "ml", Data("six")
    ),
    "a curve whose loadings overflow on the way to a solution": ShapeText(
        "nlme(y ~ b0 + b1 * (1/(1 + exp(-g * (t - p)))), fixed = list(b0 ~ x, b1 ~ 1, g ~ 1, "
        "p ~ 1), random = b0 ~ 1 | id, weights = varIdent(form = ~ 1 | t))",
        "two parameters, nlme",
        Data("six", 2),
    ),
    "a variance of two outcomes at a first time that is not zero": Stacked(
        "y ~ of * t + (1 | id)", "by_group:of:by_occasion:a,-1|b,-1", "ml", Design("uneven")
    ),
}
"""What random specifications showed to be wrong."""


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name: str) -> None:
    pair, frame = FOUND[name].pair()
    for seed in (1, 8):
        assert evidence_against(pair, frame, FOUND[name].estimator, seed) is None


def test_restricted_likelihood_of_moving_effects_is_one_optimum() -> None:
    frame = long_frame(missing=0.1, n_persons=60)
    found = gm.verify("y ~ t + t:w + (1 | id)", frame, time="t", estimator="reml", engines=["long"])
    assert found.verdict == "identical"
    assert all(level.passed for level in found.levels)


def test_restricted_likelihoods_of_other_contrasts_differ_by_a_constant() -> None:
    found = gm.verify(
        "y ~ t + C(arm, contr.sum) + (t | id)",
        long_frame(n_persons=60),
        time="t",
        residual="by_group:arm",
        estimator="reml",
        engines=["long"],
    )
    assert all(level.passed for level in found.levels[:4])
    gap = found.sem_fit.log_likelihood - found.mixed_fit.log_likelihood
    assert abs(gap - math.log(3.0)) < 1e-6
    assert "log|det A| = 1.098612 of another coding" in found.levels[2].note
