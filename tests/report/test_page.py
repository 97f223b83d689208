"""The HTML page: whole, self-contained, with everything from the data escaped."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hostile_data import GROUP, OUTCOME, hostile

import growthmm as gm
from growthmm.cli import main
from growthmm.equivalence.result import Equivalence
from growthmm.errors import SpecificationError
from growthmm.notation import names
from growthmm.report.equations import equations_mathml
from growthmm.report.methods_text import methods_paragraph, own_version
from growthmm.report.pictures.catalogue import PICTURES, available
from growthmm.report.program_texts import program_texts
from growthmm.report.specification import specification_parts
from growthmm.translation.scripts.context import DataFile

FORMULA = "gpa ~ occasion * sex + lib_hours + (1 + occasion | student)"


@cache
def verified() -> Equivalence:
    return gm.verify(FORMULA, gm.datasets.gpa(), engines=["semopy"])


@cache
def page() -> str:
    return verified().to_html()


@cache
def hostile_page() -> str:
    return hostile().to_html()


class Elements(HTMLParser):
    """Tags in order, ids, and what is left open."""

    VOID = frozenset(["meta", "link", "br", "img"])

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [v or "" for name, v in attrs if name in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("of", [page, hostile_page])
def test_page_is_well_formed_and_loads_nothing(of: object) -> None:
    found = Elements(of())  # type: ignore[operator]
    assert not found.open
    assert len(found.ids) == len(set(found.ids))
    assert all(link.startswith(("#", "data:")) for link in found.links)
    assert found.tags.count("script") == 1
    assert not found.handlers


def test_the_verdict_stands_first_and_every_part_follows() -> None:
    text = page()
    headings = re.findall(r"<h[12][^>]*>(.*?)</h[12]>", text, flags=re.S)
    assert "identical" in headings[0]
    assert headings[1:] == [
        "The two specifications",
        "Equations",
        "Path diagram",
        "Parameters",
        "Proof",
        "Evidence",
        "Pictures",
        "The model in every program's words",
        "For a methods section",
    ]
    assert text.count('class="picture"') == len(available(verified())) == len(PICTURES)
    for level in verified().levels:
        assert f"<strong>{level.name} holds</strong>" in text
    for row in verified().to_dict()["parameters"]:
        assert f"{row['estimate']['long']:.4f}"[:6] in text


def test_what_comes_from_the_data_is_text() -> None:
    found = Elements(hostile_page())
    assert "img" not in found.tags
    assert found.tags.count("b") == 0
    shown = "".join(found.text)
    assert OUTCOME in shown
    assert GROUP in shown
    assert "t&amp;{{7*7}}$x_1$" in shown


def test_parts_hold_the_whole_of_both_models() -> None:
    parts = specification_parts(verified().pair)
    assert [part.title for part in parts] == [
        "Growth curve and its mean",
        "Effects of covariates",
        "Differences between persons",
        "Residuals",
    ]
    assert parts[2].mixed == ("(1 + occasion | student)",)
    assert parts[2].sem == ("i ~~ i", "s ~~ s", "i ~~ s") or set(parts[2].sem) == {
        "i ~~ i",
        "s ~~ s",
        "i ~~ s",
    }
    drawn = sum(not p.is_zero for p in verified().pair.sem.model.paths if p.op != "=~")
    lines = sum(len(part.sem) for part in parts) - 2
    assert lines == drawn


def test_every_program_speaks_or_says_why_not() -> None:
    found = program_texts(verified().pair, DataFile("gpa.csv"))
    assert {p.key.removesuffix("-sem").removesuffix("-mixed") for p in found} == {
        name.replace(".", "-") for name in names()
    }
    assert all(p.text or p.losses for p in found)
    assert {"lme4", "lavaan", "mplus", "openmx"} <= {p.key for p in found if p.text}


def test_methods_paragraph_says_what_was_done() -> None:
    text = methods_paragraph(verified())
    assert f"growthmm {own_version()}, by two engines" in text
    assert "1200 outcomes of 200 persons at 6 occasions" in text
    assert "10.1080/10705511.2019.1704289" in text
    assert "statsmodels" not in text


def test_equations_name_every_factor() -> None:
    found = dict(equations_mathml(verified().pair.growth))
    assert "<mtext>sexmale</mtext>" in found["Growth factor s"]
    assert "<mtext>lib_hours</mtext>" in found["Within persons"]


def test_report_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gm.datasets.gpa().to_csv("gpa.csv", index=False)
    words = ("report", "gpa ~ occasion + (1 | student)", "--data", "gpa.csv", "--engines", "semopy")
    assert main([*words, "--output", "report.html"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main(list(words)) == 2
    assert "--output report.html" in capsys.readouterr().err


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_are_figures(kind: str, tmp_path: Path) -> None:
    figure = verified().picture(kind)
    figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_scores_lie_on_the_line() -> None:
    axes = verified().picture("scores").axes
    assert len(axes) == 2
    for one in axes:
        x, y = one.lines[1].get_data()
        assert len(x) == 200
        assert max(abs(x - y)) < 1e-6 * max(abs(x))


def test_no_such_picture() -> None:
    with pytest.raises(SpecificationError, match="There is no picture 'x'"):
        verified().picture("x")
