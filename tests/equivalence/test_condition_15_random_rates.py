"""Condition 15: persons that differ in a rate are approximated differently, and so refused."""

from __future__ import annotations

import pytest

import growthmm as gm
from growthmm.errors import UnsupportedError

RANDOM_RATE = (
    "nlme(y ~ b0 + b1 * (1 - exp(-g * t)), fixed = b0 + b1 + g ~ 1, random = b0 + b1 + g ~ 1 | id)"
)


@pytest.mark.parametrize("to", ["lavaan", "mplus", "openmx"])
def test_a_random_rate_is_refused_naming_both_approximations(to: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(RANDOM_RATE, to, time_values=[0, 1, 2, 3])
    (loss,) = caught.value.losses
    assert loss.what == "random effect of g"
    assert "first-order Taylor expansion" in loss.why
    assert "nlme by its own linearisation" in loss.why
    assert "the same for everyone" in loss.nearest


def test_the_text_itself_is_read_and_written() -> None:
    model = gm.read(RANDOM_RATE)
    again = gm.read(gm.write(model, "nlme").text)
    assert again == model
    assert str(model.random[0].terms[-1]) == "g"
