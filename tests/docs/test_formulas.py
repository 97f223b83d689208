"""Formulas of the site are drawn without a network, each of them."""

from __future__ import annotations

import re

import pytest
from pages import DOCS, script

pytest.importorskip("latex2mathml", reason="the extra docs is not installed")

FORMULA = re.compile(r"\$\$(.*?)\$\$|(?<![$\\])\$([^$\n]+(?:\n[^$\n]+)?)\$(?!\$)", re.DOTALL)


def formulas(text: str) -> list[str]:
    """The formulas of a page, outside code."""
    plain = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    return [block or inline for block, inline in FORMULA.findall(plain)]


@pytest.mark.parametrize("page", sorted(DOCS.glob("mathematics/*.md")), ids=lambda page: page.stem)
def test_every_formula_becomes_mathml(page) -> None:
    found = formulas(page.read_text(encoding="utf-8"))
    assert len(found) > 10
    for formula in found:
        made = script("mathml")._mathml(formula, "inline")
        assert made.startswith("<math"), formula
        assert "\\" not in made, formula
        words = set(re.findall(r"<m[io]>([A-Za-z]{2,})</m[io]>", made))
        assert words <= {"log", "ln", "max", "min", "det", "Pr", "tr", "Cov", "Var"}, formula


def test_the_site_asks_for_no_script_from_elsewhere() -> None:
    conf = (DOCS / "conf.py").read_text(encoding="utf-8")
    assert 'html_math_renderer = "mathml"' in conf
    assert "mathjax" not in conf
