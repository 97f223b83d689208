"""The page with one model in every notation is what the notations write."""

from __future__ import annotations

import re

import pytest
from pages import DOCS, script

import growthmm as gm
from growthmm.notation import names, notation
from growthmm.notation.base import families

one_model = script("one_model")
PAGE = (DOCS / "one-model.md").read_text(encoding="utf-8")


def test_page_is_up_to_date() -> None:
    assert one_model.page() == PAGE, "run: python docs/one_model.py"


def test_every_notation_and_family_is_there() -> None:
    halves = dict(zip(("mixed", "sem"), PAGE.split("## As a latent growth curve")[:2], strict=True))
    for family, half in halves.items():
        shown = re.findall(r"^### .* \(`([^=]*?)`\)$", half, flags=re.MULTILINE)
        assert shown == [name for name in names() if family in families(notation(name))]


@pytest.mark.parametrize("name", ["nlme", "sas", "stata", "lavaan", "semopy", "mplus", "openmx"])
def test_texts_of_the_page_are_the_model(name: str) -> None:
    data = gm.datasets.gpa()
    expected = gm.fit(one_model.MODEL, data).log_likelihood
    parts = PAGE.split(f"(`{name}`)\n")[1:]
    assert parts
    for part in parts:
        text = re.search(r"```text\n(.*?)\n```", part, flags=re.DOTALL)[1]
        fit = gm.fit(text, data, notation=name, id="student", time="occasion", estimator="ml")
        assert fit.log_likelihood == pytest.approx(expected, abs=1e-8)
