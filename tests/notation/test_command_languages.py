"""SAS, SPSS and Stata: what is written reads back, and malformed text is refused in its place."""

from __future__ import annotations

import pytest
import test_sas
import test_sas_calis
import test_spss
import test_stata
import test_stata_sem
from hypothesis import given
from program_models import mixed_models, sem_models

from growthmm.errors import NotationError
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.notation.command_languages.facts import settled
from growthmm.notation.command_languages.sem import same_sem

UNSAID = {
    "sas": (),
    "spss": ("ar1+common", "banded", "by_group"),
    "stata": ("ar1+common", "arh1", "csh"),
}
"""Residual structures that a program does not have."""

MALFORMED = [
    pytest.param(name, text, message, id=f"{name}-{module.__name__}-{k}")
    for name, module in (
        ("sas", test_sas),
        ("sas", test_sas_calis),
        ("spss", test_spss),
        ("stata", test_stata),
        ("stata", test_stata_sem),
    )
    for k, (text, message) in enumerate(module.ERRORS.items())
]


@pytest.mark.parametrize("name", UNSAID)
@given(model=mixed_models())
def test_mixed_models_to_text_and_back(name: str, model: MixedModel) -> None:
    program = notation(name)
    written = program.write(model)
    if model.residual.kind in UNSAID[name]:
        assert [loss.what for loss in written.losses] == [f"residuals {model.residual}"]
        return
    if _only_variable(model):
        # Levels of the only variable are occasions to these programs' readers.
        assert [loss.what for loss in written.losses] == ["the model as a whole"]
        return
    assert written.losses == ()
    once = program.read(written.text)
    assert isinstance(once, MixedModel)
    assert settled(once) == settled(model)
    again = program.write(once)
    assert again.losses == ()
    assert program.read(again.text) == once


def _only_variable(model: MixedModel) -> bool:
    """Whether residual variances go by the only variable of a model without random slopes."""
    slopes = {name for block in model.random for term in block.terms for name in term.factors}
    fixed = {name for term in model.fixed for name in term.factors}
    return model.residual.by == "sex" and not slopes and fixed == {"C(sex)"}


@pytest.mark.parametrize("name", ["sas", "stata"])
@given(model=sem_models())
def test_structural_equation_models_to_text_and_back(name: str, model: SemModel) -> None:
    program = notation(name)
    written = program.write(model)
    assert written.losses == ()
    once = program.read(written.text)
    assert isinstance(once, SemModel)
    assert same_sem(once, model)
    again = program.write(once)
    assert again.losses == ()
    assert program.read(again.text) == once


@pytest.mark.parametrize(("name", "text", "message"), MALFORMED)
def test_malformed_text_is_refused_in_its_place(name: str, text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        notation(name).read(text)
    assert str(caught.value).startswith(message)
