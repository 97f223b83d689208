"""The page on what notations can say is what the notations say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from growthmm.notation import WRITTEN_ONLY, names, notation
from growthmm.notation.base import families

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def support() -> ModuleType:
    spec = importlib.util.spec_from_file_location("support", DOCS / "support.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_up_to_date(support: ModuleType) -> None:
    page = (DOCS / "support-table.md").read_text(encoding="utf-8")
    assert page == support.page(), "run: python docs/support.py"
    assert [name for name in names() if f"`{name}`" not in page] == []


def test_notations_that_are_not_read_are_known_by_name(support: ModuleType) -> None:
    for name in names():
        speaker = notation(name)
        read = [support.reads(speaker, family) for family in families(speaker)]
        assert any(read) == all(read) == (name not in WRITTEN_ONLY), name


def test_a_loss_is_a_no(support: ModuleType) -> None:
    assert support.says(notation("nlme"), support._residual("ar1"))
    assert not support.says(notation("lme4"), support._residual("ar1"))
    assert support.says(notation("openmx"), support._individual_times())
    assert not support.says(notation("lavaan"), support._individual_times())


def test_a_different_model_read_back_is_a_no(support: ModuleType) -> None:
    class Forgetful:
        """A notation that writes less than it is given, and says nothing about it."""

        name, title, family = "forgetful", "Forgetful", "mixed"

        def write(self, _model: object) -> object:
            lme4 = notation("lme4")
            return lme4.write(support._formula("y ~ t + (1 | id)"))

        def read(self, text: str) -> object:
            return notation("lme4").read(text)

    assert not support.says(Forgetful(), support._formula(support.SLOPE))
