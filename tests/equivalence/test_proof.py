"""Proofs in symbols: zero where the forms agree, not where one is spoilt, refused elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.equivalence.correspondence import correspondence
from growthmm.equivalence.proof.proof import Proof, prove
from growthmm.equivalence.proof.sem_form import sem_moments, traced_covariance
from growthmm.errors import UnsupportedError
from growthmm.model.sem import Constraint
from growthmm.notation.lavaan.read import read
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

LINE = "gpa ~ occasion + (1 + occasion | student)"
MODELS = [
    (LINE, None),
    ("gpa ~ occasion * sex + lib_hours + (1 + occasion | student)", None),
    ("gpa ~ factor(occasion) * sex + (1 + occasion || student)", None),
    ("gpa ~ poly(occasion, 2) + (1 | student)", "toeplitz"),
    ("gpa ~ occasion + (1 | student)", "by_occasion"),
    ("gpa ~ occasion + (1 | student)", "ar1"),
    ("gpa ~ occasion + (1 | student)", "ar1+common"),
    ("gpa ~ occasion", "arh1"),
    ("gpa ~ occasion", "cs"),
    ("gpa ~ occasion", "csh"),
    ("gpa ~ occasion", "unstructured"),
    ("gpa ~ occasion + (1 | student)", "banded:1"),
    # Loadings that are the person's own.
    ("gpa ~ occasion + lib_hours + (1 + lib_hours | student)", None),
]


def pair_of(text: str, residual: str | None = None) -> Pair:
    read_ = source(
        text, notation=None, function=None, residual=residual, estimator="ml", otherwise="ml"
    )
    facts = Facts("student", "occasion", None, None, None)
    return paired(read_.model, gm.datasets.gpa(), facts, spelling="lme4")[0]


@cache
def proof_of(text: str, residual: str | None = None) -> Proof:
    pair = pair_of(text, residual)
    return prove(pair, correspondence(pair))


@pytest.mark.parametrize(("text", "residual"), MODELS)
def test_both_forms_have_the_same_moments(text: str, residual: str | None) -> None:
    proof = proof_of(text, residual)
    assert proof.holds, (proof.mean_difference, proof.cov_difference)
    assert proof.mixed_cov != proof.sem_cov


def test_a_spoilt_loading_is_found() -> None:
    pair = pair_of(LINE)
    paths = tuple(
        replace(p, value=2.5) if p.name == "s=~gpa_2" else p for p in pair.sem.model.paths
    )
    spoilt = replace(pair.sem, model=replace(pair.sem.model, paths=paths))
    proof = prove(replace(pair, sem=spoilt), correspondence(pair))
    assert not proof.holds
    zero = [j for j in range(6) if proof.mean_difference[j] == 0]
    assert zero == [0, 1, 3, 4, 5]
    assert "do not imply" in proof.to_text()


def test_symbols_are_the_moments_in_numbers() -> None:
    text, residual = "gpa ~ occasion + (1 | student)", "ar1"
    pair = pair_of(text, residual)
    link, proof = correspondence(pair), proof_of(text, residual)
    values = link.mixed_starts[0]
    known = dict(zip(link.mixed.names, values, strict=True))
    ours = proof.mixed_cov.subs({s: known[s.name] for s in proof.mixed_cov.free_symbols})
    rows = link.mixed.persons[link.mixed.kinds[0]].rows
    wanted = link.mixed.covariance(values, rows)
    np.testing.assert_allclose(np.array(ours, dtype=float), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "f =~ y0 + a*y1 + y2\ng =~ y3 + y4\ng ~ b*f\ny0 ~~ y3",
        "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2\ns ~ i",
        "y2 ~ a*y1\ny3 ~ b*y1 + c*y2 + d*x",
        "f =~ 1*y0 + 1*y1\ny1 ~ r*y0",
    ],
)
def test_tracing_paths_is_matrix_algebra(text: str) -> None:
    model = read(text)
    _, covariance = sem_moments(model)
    assert (covariance - traced_covariance(model)).expand().is_zero_matrix


def test_texts() -> None:
    proof = proof_of("gpa ~ occasion * sex + lib_hours + (1 + occasion | student)")
    text = proof.to_text()
    assert "var(occasion|student) = s~~s" in text
    assert "6 of 6 means" in text
    assert text.count("21 of 21") == 2
    latex = proof.to_latex()
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}")
    assert r"\text{s\textasciitilde{}\textasciitilde{}s}" in latex
    assert "lib_hours" not in latex.replace(r"lib\_hours", "")
    assert "<mtext>i~sexmale</mtext>" in proof.to_html()
    assert repr(proof) == "<Proof holds: 6 means, 21 variances and covariances>"


def test_persons_in_clusters_have_two_covariance_matrices() -> None:
    """Each level's own; together they are not the mixed model's marginal matrix of a person."""
    rng = np.random.default_rng(1)
    child = np.repeat(np.arange(60), 4)
    frame = pd.DataFrame(
        {"school": child // 6, "child": child, "t": np.tile(np.arange(4.0), 60)}
    ).assign(y=rng.normal(size=240) + rng.normal(size=60)[child])
    read_ = source(
        "y ~ t + (1 + t | school/child)",
        notation=None,
        function=None,
        residual=None,
        estimator="ml",
        otherwise="ml",
    )
    pair = paired(read_.model, frame, Facts(None, "t", None, None, None), spelling="lme4")[0]
    proof = prove(pair, correspondence(pair))
    assert proof.holds
    assert [block.title for block in proof.blocks] == ["within school", "between school"]
    within, between = ({s.name for s in block.mixed.whole.free_symbols} for block in proof.blocks)
    assert "var(Residual)" in within - between
    assert "var((Intercept)|school)" in between - within
    assert repr(proof) == "<Proof holds: 4 means, 20 variances and covariances>"
    html = proof.to_html()
    assert "within school, by blocks" in html
    assert "between school, by blocks" in html
    paths = tuple(
        replace(p, value=9.0) if p.name == "sb=~y_1.l2" else p for p in pair.sem.model.paths
    )
    spoilt = replace(pair.sem, model=replace(pair.sem.model, paths=paths))
    proof = prove(replace(pair, sem=spoilt), correspondence(pair))
    assert proof.blocks[0].difference.is_zero_matrix
    assert not proof.blocks[1].difference.is_zero_matrix


def test_times_of_everyones_own_are_symbols() -> None:
    frame = gm.datasets.gpa()
    frame["when"] = frame["occasion"] + 0.01 * (frame["student"] % 7)
    read_ = source(
        "gpa ~ when * sex + I(when^2) + (1 + when | student)",
        notation=None,
        function=None,
        residual=None,
        estimator="ml",
        otherwise="ml",
    )
    pair = paired(read_.model, frame, Facts("student", "when", None, None, None), spelling="lme4")[
        0
    ]
    proof = prove(pair, correspondence(pair))
    assert proof.holds
    assert "data.when_2" in {s.name for s in proof.mixed_cov[1, 0].free_symbols}
    assert "data.when_3" not in {s.name for s in proof.mixed_cov[1, 0].free_symbols}


def test_several_outcomes() -> None:
    rng = np.random.default_rng(2)
    wide = pd.DataFrame(rng.normal(size=(50, 6)), columns=["a0", "a1", "a2", "b0", "b1", "b2"])
    lines = [
        f"{f}{k} =~ " + " + ".join(f"{t**k:g}*{f}{t}" for t in range(3))
        for f in "ab"
        for k in (0, 1)
    ]
    text = "\n".join([*lines, *(f"{f}{t} ~~ v{f}*{f}{t}" for f in "ab" for t in range(3))])
    found = gm.verify(
        text.replace("a0 =~", "i =~")
        .replace("a1 =~", "s =~")
        .replace("b0 =~", "j =~")
        .replace("b1 =~", "r =~"),
        wide,
        layout="wide",
        engines=["semopy"],
    )
    proof = found.proof()
    assert proof.holds
    assert len(proof.outcomes) == 6
    assert found.pair.growth.schema.outcomes


def test_html_shows_small_models_in_full_and_larger_ones_by_blocks() -> None:
    large = proof_of(LINE).to_html()
    assert "by blocks" in large
    assert large.count("<mtable>") == 6
    data = gm.datasets.gpa().query("occasion < 2")
    small = gm.verify("gpa ~ occasion + (1 | student)", data, engines=["semopy"]).proof().to_html()
    assert "by blocks" not in small
    assert small.count("Variance of") == 2
    assert small.count("<math") == small.count("</math>")


def test_what_has_no_proof_is_refused() -> None:
    """A residual parameter without a name on the mixed side, a constraint without a solution."""
    pair = pair_of("gpa ~ occasion + (1 | student)", "ar1")
    nameless = replace(
        pair, mixed_names=tuple(n for n in pair.mixed_names if n[0] != "residual:rho")
    )
    with pytest.raises(UnsupportedError, match="no symbols for residuals ar1"):
        prove(nameless, correspondence(pair))
    bent = Constraint("exp(v) + v", "==", "exp(c1) + c1")
    spoilt = replace(pair.sem, model=replace(pair.sem.model, constraints=(bent,)))
    with pytest.raises(UnsupportedError, match="gives no parameter in closed form"):
        prove(replace(pair, sem=spoilt), correspondence(pair))


def test_second_order_growth_with_estimated_loadings_is_refused_with_the_reason() -> None:
    from test_condition_21_second_order import text, wide

    found = gm.verify(text(loading=""), wide(), id="id", engines=["long"])
    assert found.verdict == "not_representable"
    with pytest.raises(UnsupportedError, match="no linear mixed model") as refused:
        found.proof()
    assert refused.value.losses
