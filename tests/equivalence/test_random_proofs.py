"""Random growth models: each is proved, or refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import examples
from hypothesis import given, settings
from random_designs import designs
from random_growth import plain
from random_shapes import shapes

from growthmm.equivalence.correspondence import correspondence
from growthmm.equivalence.proof.proof import prove
from growthmm.errors import UnsupportedError

KINDS = {"one outcome": (plain(), 6), "designs": (designs(), 3), "shapes": (shapes(), 3)}


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_proved_or_refused_with_a_reason(kind: str) -> None:
    models, few = KINDS[kind]
    ends = []

    @settings(max_examples=examples(few, 50))
    @given(models)
    def holds(specification: Any) -> None:
        try:
            pair, _ = specification.pair()
        except UnsupportedError:
            return
        try:
            proof = prove(pair, correspondence(pair, draws=2, seed=1))
        except UnsupportedError as error:
            ends.append(error.hint or "no reason")
            return
        ends.append("")
        assert proof.holds
        assert "simplify to zero" in proof.to_text()

    holds()
    assert "no reason" not in ends
    assert ends.count("") >= 0.9 * len(ends) > 0
