"""Covariance structures of random effects: every mixed notation writes or refuses each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from growthmm.errors import SpecificationError
from growthmm.model.mixed import BlockCovariance, MixedModel, RandomBlock
from growthmm.model.terms import Term
from growthmm.notation import names, notation

MIXED = tuple(
    name
    for name in names()
    if "mixed" in getattr(notation(name), "families", (notation(name).family,))
    and name not in ("dot", "ram")
)
SAID = {
    "nlme": ("compound_symmetry", "identity"),
    "glmmtmb": ("compound_symmetry", "identity"),
    "stata": ("compound_symmetry", "identity"),
    "spss": ("compound_symmetry", "identity"),
    "sas": ("compound_symmetry",),
}
"""What each program has words for, beside unstructured and diagonal blocks."""

TERMS = (Term(), Term(("t",)))


def _model(covariance: str, name: str) -> MixedModel:
    pattern = (("v", 0.5), (0.5, "w")) if covariance == "patterned" else ()
    block = RandomBlock(TERMS, "id", covariance, pattern)  # type: ignore[arg-type]
    estimator = getattr(notation(name), "default_estimator", "reml")
    return MixedModel("y", TERMS, (block,), estimator=estimator, notation=name)


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("covariance", get_args(BlockCovariance))
def test_a_structure_reads_back_or_is_refused(name: str, covariance: str) -> None:
    model = _model(covariance, name)
    written = notation(name).write(model)
    if covariance in ("unstructured", "diagonal", "by_term"):
        assert not written.losses
        return
    if covariance not in SAID.get(name, ()):
        assert [loss for loss in written.losses if "no such structure" in loss.why]
        return
    assert not written.losses, written.losses
    again = notation(name).read(written.text)
    assert isinstance(again, MixedModel)
    assert replace(again, estimator=model.estimator).random == model.random


def test_a_pattern_belongs_to_a_patterned_block() -> None:
    with pytest.raises(SpecificationError, match="A patterned random block"):
        RandomBlock(TERMS, "id", "patterned")
    with pytest.raises(SpecificationError, match="pattern of 1 rows"):
        RandomBlock((Term(),), "id", "identity", ((1.0,),))
