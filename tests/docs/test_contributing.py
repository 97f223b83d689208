"""The pages on contributing, followed: a notation and an engine are one module and one line."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from types import ModuleType
from typing import get_args

import pytest
from pages import DOCS, script

import growthmm as gm
from growthmm.engines import registry, statsmodels
from growthmm.engines.long.residual_structures import MODULES as STRUCTURES
from growthmm.engines.outcome import EngineFit
from growthmm.errors import NotationError, UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualKind, ResidualStructure
from growthmm.model.residual_parameters import residual_parameters
from growthmm.model.schema import Column
from growthmm.model.terms import INTERCEPT, Term
from growthmm.moments.residual_matrices import n_residual_parameters
from growthmm.notation import MODULES
from growthmm.notation.base import Model, ScriptContext, Written

MODEL = "gpa ~ occasion + (1 + occasion | student)"


class Grow:
    """A notation for one kind of model: ``GROW gpa BY occasion WITHIN student``."""

    name, title, family = "grow", "GROW", "mixed"
    words = re.compile(r"GROW (\w+) BY (\w+) WITHIN (\w+)")

    def recognises(self, text: str) -> bool:
        """Whether the text begins with its word."""
        return text.startswith("GROW ")

    def read(self, text: str) -> MixedModel:
        """The linear growth model that the words say."""
        found = self.words.fullmatch(text.strip())
        if found is None:
            raise NotationError("This is no GROW.", hint="Write GROW y BY t WITHIN id.")
        y, t, person = found.groups()
        line = (INTERCEPT, Term((t,)))
        return MixedModel(y, line, (RandomBlock(line, person),), estimator="ml")

    def write(self, model: Model) -> Written:
        """The words, and a loss where the model has more."""
        lost = (Loss("whatever is no line", "GROW says lines alone", "lme4"),)
        if not isinstance(model, MixedModel) or len(model.fixed) < 2 or not model.random:
            return Written("", lost)
        time = model.fixed[1].factors[0]
        text = f"GROW {model.response} BY {time} WITHIN {model.random[0].group}"
        same = replace(self.read(text), defaults=model.defaults) == replace(model, estimator="ml")
        return Written(text, () if same else lost)

    def script(self, model: Model, context: ScriptContext) -> str:
        """The words after their data."""
        return f"USE {context.data}\n{self.write(model).text}"

    def coefficient(self, column: Column) -> str:
        """Their own name."""
        return str(column)


@pytest.fixture
def grow(monkeypatch: pytest.MonkeyPatch) -> Grow:
    """The notation, in a module of its own, with its line in the registry."""
    module = ModuleType("grow_notation")
    module.NOTATION = Grow()
    monkeypatch.setitem(sys.modules, "grow_notation", module)
    monkeypatch.setitem(MODULES, "grow", "grow_notation")
    return module.NOTATION


def test_a_new_notation_translates_from_and_to_every_other(grow: Grow) -> None:
    data = gm.datasets.gpa()
    text = "GROW gpa BY occasion WITHIN student"
    curve = gm.translate(text, "lavaan", data=data).text
    assert curve == gm.translate(MODEL, "lavaan", data=data).text
    back = gm.translate(curve, "grow", data=data, id="student", time="occasion")
    assert back.text.strip() == text
    assert "GROW" in gm.translate(MODEL, "grow", data=data).script
    assert gm.verify(text, data, engines=["statsmodels"]).verdict == "identical"
    with pytest.raises(UnsupportedError, match="GROW"):
        gm.translate("gpa ~ occasion * sex + (occasion | student)", "grow", data=data)
    with pytest.raises(NotationError):
        gm.read("GROW gpa")
    support = script("support")
    assert support.reads(grow, "mixed")
    assert not support.says(grow, support.MIXED["no random effects"]())


def _shaken(problem: object, **options: object) -> EngineFit:
    """A program that stops short and says that it has converged."""
    fit = statsmodels.fit(problem, **options)
    return replace(fit, engine="shaky", estimates=fit.estimates * (1 + 1e-2))


def _sound(problem: object, **options: object) -> EngineFit:
    return replace(statsmodels.fit(problem, **options), engine="sound")


def test_a_new_engine_is_asked_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("new_engines")
    module.sound, module.shaky = _sound, _shaken
    monkeypatch.setitem(sys.modules, "new_engines", module)
    for name in ("sound", "shaky"):
        row = registry.Engine(name, "mixed", False, "new_engines", name, tolerance=1e-2)
        monkeypatch.setitem(registry.ENGINES, name, row)
    data = gm.datasets.gpa()
    check = gm.verify(MODEL, data, engines=["sound", "shaky"])
    rows = check.engines.set_index("name")
    assert check.verdict == "identical"
    assert bool(rows.loc["sound", "used"])
    assert not bool(rows.loc["shaky", "used"])
    assert rows.loc["shaky", "distance"] > 1e-2
    direct = gm.fit(MODEL, data, engine="sound")
    assert direct.log_likelihood == pytest.approx(-123.117105, abs=1e-5)


@pytest.mark.parametrize("kind", get_args(ResidualKind))
def test_every_structure_is_known_where_the_page_says(kind: str) -> None:
    assert kind in STRUCTURES
    structure = ResidualStructure.parse(
        {"by_group": "by_group:sex", "across": "across:outcome", "banded": "banded:1"}.get(
            kind, kind
        )
    )
    parameters = residual_parameters(structure, (0.0, 1.0, 2.0, 3.0))
    if kind not in ("by_group", "across"):  # whose parameters depend on groups or outcomes
        referee = n_residual_parameters(kind, 4, bands=structure.bands or 0)
        assert len({p.key for p in parameters}) == referee
    assert f"`{kind}" in (DOCS / "mathematics" / "parameter-maps.md").read_text(encoding="utf-8")
