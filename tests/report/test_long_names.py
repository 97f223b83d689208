"""Names too long for a formula, and letters that mean something to LaTeX or to pages."""

from __future__ import annotations

import warnings
from functools import cache

import pytest

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.report.equations import equations_mathml
from growthmm.report.proof_names import LONGEST, abbreviated

OUTCOME = "Durchschnitt über alle Fächer & Jahre_{i}$x$ größer % #1"
TIME = "a_variable_of_a_survey_whose_name_has_60_letters_and_is_time_"
SEX = "a covariate's name <script>alert(1)</script> of sixty letters"


@cache
def verified() -> Equivalence:
    names = {"gpa": OUTCOME, "occasion": TIME, "sex": SEX, "student": "日本語の番号 id"}
    data = gm.datasets.gpa().query("student <= 60").rename(columns=names)
    formula = f"`{OUTCOME}` ~ {TIME} * `{SEX}` + (1 + {TIME} | `日本語の番号 id`)"
    return gm.verify(formula, data, engines=["semopy"])


def test_long_names_are_short_symbols_with_a_legend() -> None:
    proof = verified().proof()
    short, names = abbreviated(proof)
    assert short.holds
    assert [new.name for new, _ in names] == ["m1", "m2", "m3", "m4", "m5", "x1", "p1", "p2"]
    assert names[0][1].name == TIME
    everything = [block.mixed.whole for block in short.blocks] + [m.sem for m in short.means]
    assert max(len(s.name) for matrix in everything for s in matrix.free_symbols) <= LONGEST
    # What the short symbols stand for is the proof as it was.
    back = dict(names)
    assert short.mixed_cov.xreplace(back) == proof.mixed_cov
    assert short.sem_mean.xreplace(back) == proof.sem_mean
    assert [(a.xreplace(back), b.xreplace(back)) for a, b in short.mapping] == list(proof.mapping)
    text = proof.to_text()
    assert f"m1 is {TIME}" in text
    assert "Mean of" in text
    formulas = [line for line in text.splitlines() if line.startswith(("  mixed", "  SEM"))]
    assert max(map(len, formulas)) < 120
    latex = proof.to_latex()
    assert r"$m1$: a\_variable" in latex
    assert not {"&", "%", "#"} & set(latex.partition(r"\begin{align*}")[0].replace("\\", ""))
    assert "<script" not in proof.to_html()


def test_short_names_stay() -> None:
    found = gm.verify("gpa ~ occasion + (1 + occasion | student)", gm.datasets.gpa(),
                      engines=["semopy"]).proof()  # fmt: skip
    made, names = abbreviated(found)
    assert made is found
    assert names == ()


def test_equations_are_not_wider_than_a_page() -> None:
    for _, math in equations_mathml(verified().pair.growth):
        assert max(len(piece.partition("<")[0]) for piece in math.split(">")) <= 40


@pytest.mark.parametrize("kind", ["trajectories", "parameters", "missing", "scores"])
def test_pictures_have_room_for_their_panels(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = verified().picture(kind)
    box = figure.axes[0].get_position()
    assert box.width > 0.3
    assert box.height > 0.25
    for axes in figure.axes:
        assert len(axes.get_ylabel()) <= 60
        assert len(axes.get_xlabel()) <= 90


def test_no_picture_of_agreement_where_one_engine_was_used() -> None:
    found = gm.verify("gpa ~ occasion + (1 | student)", gm.datasets.gpa(), engines=["semopy"])
    alone = [r for r in found.reports if r.name == "long"]
    from dataclasses import replace

    from growthmm.report.pictures.catalogue import available

    assert "parameters" in available(found)
    assert "parameters" not in available(replace(found, reports=tuple(alone)))
