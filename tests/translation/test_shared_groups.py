"""Groups that share some (co)variances of factors and residuals, and not others: both ways."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from two_sides import back, long_frame, mixed_pair, sem_pair

import growthmm as gm
from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import long_data, wide_data
from growthmm.equivalence import evidence
from growthmm.errors import SpecificationError, UnsupportedError
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.terms import Term
from growthmm.translation.pair import Pair, pair_from_mixed, same_growth

LOADINGS = """
i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4
s =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3 + 4*y_4
"""

EQUAL = "\n".join(f"y_{j} ~~ v*y_{j}" for j in range(5))

TWO_VARIANCES = "i ~~ c(v1, v1, v2)*i\ns ~~ c(a, b, b)*s\ni ~~ c(p, q, r)*s\n" + EQUAL

FACTORS = {
    "one variance": (f"i ~~ c(w, w, w)*i\n{EQUAL}", ["cov:i:i@0+1+2", "cov:i:s@0", "cov:s:s@0"]),
    "two of three": (TWO_VARIANCES, ["cov:i:i@0+1", "cov:i:s@0", "cov:s:s@0"]),
    "the covariance": (f"i ~~ c(p, p, q)*s\n{EQUAL}", ["cov:i:i@0", "cov:i:s@0+1", "cov:s:s@0"]),
    "no slope in one group": (
        "i ~~ c(w, w, w)*i\ns ~~ c(NA, NA, 0)*s\ni ~~ c(NA, NA, 0)*s\n" + EQUAL,
        ["cov:i:i@0+1+2", "cov:i:s@0", "cov:s:s@0"],
    ),
    "no covariance in one group": (
        "i ~~ c(w, w, w)*i\ni ~~ c(NA, NA, 0)*s\n" + EQUAL,
        ["cov:i:i@0+1+2", "cov:i:s@0", "cov:s:s@0"],
    ),
    "across factors": (
        f"i ~~ c(w, b, d)*i\ns ~~ c(e, w, f)*s\n{EQUAL}",
        ["cov:i:i@0", "cov:i:s@0", "cov:s:s@0"],
    ),
}
"""Lines of a growth curve of three groups, and the keys of the first group's covariances."""

ALIKE = (
    "i ~ c(m, m, m)*1\ns ~ c(n, n, n)*1\ni ~~ c(w, w, w)*i\ni ~~ c(p, p, p)*s\ns ~~ c(u, u, u)*s\n"
)

RESIDUALS = {
    "by_group:arm:a|b": [f"c(r, r, q)*y_{j}" for j in range(5)],
    "by_group:arm:a|c": [f"c(r, q, r)*y_{j}" for j in range(5)],
    "by_group:arm:by_occasion:a|c": [f"c(r{j}, q{j}, r{j})*y_{j}" for j in range(5)],
    "by_group:arm:by_occasion:a,0|b,0|c,0:b,4|c,4": [
        "c(r, r, r)*y_0",
        *(f"y_{j}" for j in (1, 2, 3)),
        "c(o, k, k)*y_4",
    ],
    "by_group:arm:by_occasion:a,0|a,1|a,2|a,3|a,4": [f"c(r, q{j}, p{j})*y_{j}" for j in range(5)],
}
"""What the residual variances of a growth curve are in a mixed model."""


@cache
def _frame() -> pd.DataFrame:
    return long_frame(n_persons=90, seed=4)


def _call(lines: str) -> str:
    return f"growth('{LOADINGS}{lines}', group = \"arm\")"


def _factors(name: str) -> str:
    return _call(FACTORS[name][0])


def _residuals(residual: str) -> str:
    rows = [f"y_{j} ~~ {text}" for j, text in enumerate(RESIDUALS[residual])]
    return _call(ALIKE + "\n".join(rows))


def _pair(text: str) -> Pair:
    return sem_pair(text, _frame(), id="id", time="t")[0]


TEXTS = [_factors(name) for name in FACTORS] + [_residuals(name) for name in RESIDUALS]


@pytest.mark.parametrize("text", TEXTS, ids=[*FACTORS, *RESIDUALS])
def test_the_same_model_both_ways(text: str) -> None:
    pair = _pair(text)
    again = pair_from_mixed(pair.mixed)
    for one in (pair, again, back(again, _frame())):
        structure = evidence.structure(one)
        assert structure.passed, structure.note
        comparison = evidence.compare_pair_moments(one, draws=2)
        assert evidence.moments(comparison).passed, comparison
        different = same_growth(pair.growth, one.growth)
        assert different is None, different
    assert dict(again.mixed_names) == dict(pair.mixed_names)


@pytest.mark.parametrize("name", FACTORS)
def test_keys_say_in_which_groups_a_parameter_stands(name: str) -> None:
    pair = _pair(_factors(name))
    assert [key for key, _ in pair.mixed_names if key.startswith("cov:")][:3] != []
    (first, *_) = [block for block in pair.growth.blocks if 0 in block.groups]
    keys = dict.fromkeys(cell for row in first.cells for cell in row)
    assert list(keys) == FACTORS[name][1]
    assert len(set(dict(pair.mixed_names).values())) == len(pair.sem.model.free_parameters)


@pytest.mark.parametrize("residual", RESIDUALS)
def test_residual_variances_are_named_by_who_has_them(residual: str) -> None:
    pair = _pair(_residuals(residual))
    assert str(pair.mixed.model.residual) == residual
    told = mixed_pair("y ~ t + (1 + t | id)", _frame(), residual=residual, time="t")
    assert told.growth.residual == pair.growth.residual
    assert same_growth(told.growth, pair.growth) is None


@pytest.mark.parametrize("bounds", ["psd", "none"])
@pytest.mark.parametrize("text", TEXTS[1:8:2], ids=[*FACTORS, *RESIDUALS][1:8:2])
def test_both_engines_end_at_one_optimum(text: str, bounds: str) -> None:
    pair = _pair(text)
    fits = (
        long_engine.fit(long_data(pair.mixed, _frame()).problem, bounds=bounds),
        wide_engine.fit(wide_data(pair.sem, _frame()).problem, bounds=bounds),
    )
    assert all(fit.convergence.converged for fit in fits)
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, abs=1e-6)
    assert len(fits[0].names) == len(fits[1].names)
    errors = [dict(zip(fit.names, fit.standard_errors, strict=True)) for fit in fits]
    sem = dict(pair.sem.names)
    for key, name in pair.mixed_names:
        if key in sem:
            assert errors[0][name] == pytest.approx(errors[1][sem[key]], rel=1e-5)


def test_the_restricted_maximum_is_one_too() -> None:
    pair = _pair(TEXTS[1])
    fits = (
        long_engine.fit(long_data(pair.mixed, _frame()).problem, estimator="reml"),
        wide_engine.fit(wide_data(pair.sem, _frame()).problem, estimator="reml"),
    )
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, abs=1e-6)


def test_merged_groups_are_the_model_of_a_merged_column() -> None:
    merged = _frame().assign(two=np.where(_frame()["arm"] == "b", "b", "a or c"))
    formula = "y ~ t + x + (1 + t | id)"
    fits = [
        gm.fit(formula, merged, residual=residual, id="id", time="t", estimator=estimator)
        for estimator in ("ml", "reml")
        for residual in ("by_group:arm:a|c", "by_group:two")
    ]
    for one, other in (fits[:2], fits[2:]):
        assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-8)
        assert one.n_parameters == other.n_parameters
    assert "var(Residual[a|c])" in set(fits[0].estimates["name"])


def test_one_variance_among_indicators_of_all_groups_is_the_ordinary_effect() -> None:
    """``pdIdent(~ 0 + sex)``: everyone has one of the effects, and their variance is one."""
    for call in ("pdIdent", "pdCompSymm"):
        made = gm.translate(f"lme(y ~ t, random = list(id = {call}(~ 0 + sex)))", "lavaan",
                            data=_frame())  # fmt: skip
        plain = gm.translate("y ~ t + (1 | id)", "lavaan", data=_frame())
        assert made.text == plain.text
        left_out = any("different groups do not covary" in str(a) for a in made.assumptions)
        assert left_out is (call == "pdCompSymm")


def test_a_shared_variance_is_fitted_from_a_model_value() -> None:
    a, b = Term(('I(1 * (sex == "female"))',)), Term(('I(1 * (sex == "male"))',))
    slopes = [Term((*term.factors, "t")) for term in (a, b)]
    cells = (("v", 0.0, "c", 0.0), (0.0, "v", 0.0, "d"), ("c", 0.0, "w", 0.0), (0.0, "d", 0.0, "u"))
    block = RandomBlock((a, b, *slopes), "id", "patterned", cells)
    model = MixedModel("y", (Term(), Term(("t",))), (block,), estimator="ml")
    fit = gm.fit(model, _frame())
    text = (
        LOADINGS
        + "i ~ c(m, m)*1\ns ~ c(n, n)*1\ni ~~ c(v, v)*i\n"
        + EQUAL.replace("v*", "c(e, e)*")
    )
    other = gm.fit(f"growth('{text}', group = \"sex\")", _frame(), id="id", time="t")
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)
    assert fit.n_parameters == other.n_parameters == 8


@pytest.mark.parametrize("target", ["lme4", "nlme", "glmmtmb", "brms", "statsmodels"])
def test_programs_that_cannot_say_it_are_told_the_nearest(target: str) -> None:
    facts = {"data": _frame(), "id": "id", "time": "t"}
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(_factors("one variance"), target, **facts)
    loss = next(loss for loss in caught.value.losses if "some are equal" in loss.what)
    assert loss.nearest.startswith('all of them different, (0 + I(1*(arm == "a")) + ')
    assert ", with 2 more parameters; or " in loss.nearest
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(_residuals("by_group:arm:a|c"), target, **facts)
    (loss,) = caught.value.losses
    assert loss.what == "residual variances by arm with a = c"
    assert "varIdent(form = ~ 1 | arm)" in loss.nearest


def test_the_map_says_who_shares() -> None:
    rows = {row.key: row for row in _pair(TWO_VARIANCES_TEXT).parameters if row.kind == "variance"}
    assert rows["cov:i:i@0+1"].rule == "Psi[i,i] = G[i,i] in a, b"
    assert rows["cov:s:s@1+2"].sem_syntax == "s ~~ s in b, c"
    pair = _pair(_residuals("by_group:arm:a|c"))
    (row,) = [row for row in pair.parameters if row.key == "residual:0" and row.kind == "residual"]
    assert row.rule == "Theta = sigma^2 I in a, c, equal in these groups"
    crossed = _pair(_residuals("by_group:arm:by_occasion:a,0|b,0|c,0:b,4|c,4"))
    rules = {row.key: row.rule for row in crossed.parameters if row.kind == "residual"}
    assert rules["residual:1:4"].startswith("Theta of y_4 in b; y_4 in c = ")


TWO_VARIANCES_TEXT = _call(TWO_VARIANCES)


def test_explain_names_covariances_that_are_equal_in_part() -> None:
    found = gm.explain(
        _call("i ~~ c(w, w, w)*i\n" + EQUAL), _call(EQUAL), _frame(), id="id", time="t"
    )
    (step,) = [step for step in found.steps if step.cause == "group_covariances"]
    assert "equal in part" in step.description


@pytest.mark.nightly
def test_explain_names_groups_that_share_residual_variances() -> None:
    found = gm.explain(
        _residuals("by_group:arm:a|b"), _residuals("by_group:arm:a|c"), _frame(), id="id", time="t"
    )
    (step,) = [step for step in found.steps if step.cause == "residual_variances"]
    assert "a = b" in step.description
    assert "a = c" in step.description


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("by_group:arm:a|b", (("a", "b"),)),
        ("by_group:arm:a|b:c|d", (("a", "b"), ("c", "d"))),
        ("by_group:arm:by_occasion:a,0|b,0", (("a,0", "b,0"),)),
    ],
)
def test_a_structure_reads_back(text: str, shared: tuple[tuple[str, ...], ...]) -> None:
    read = ResidualStructure.parse(text)
    assert (read.by, read.shared, str(read)) == ("arm", shared, text)


@pytest.mark.parametrize(
    ("residual", "message"),
    [
        ("by_group:arm:a|z", "share variances of z, and the levels of arm are a, b, c"),
        ("by_group:arm:a,0|b,0", "share variances of a,0, b,0"),
        ("by_group:arm:by_occasion:a,0|b,17", "share variances of b,17"),
        ("by_group:arm:a|a", "variances shared by a|a"),
        ("by_group:arm:a|b:b|c", "variances shared by a|b and b|c"),
        ("across:arm:a|b", "variances shared by a|b"),
    ],
)
def test_sets_that_mean_nothing_are_refused(residual: str, message: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        gm.fit("y ~ t + (1 + t | id)", _frame(), residual=residual, id="id", time="t")
    assert message in str(caught.value)


def test_all_groups_together_are_no_groups() -> None:
    pair = mixed_pair("y ~ t + (1 | id)", _frame(), residual="by_group:arm:a|b|c", time="t")
    assert pair.growth.residual.kind == "common"
    assert pair.sem.model.n_groups == 1
    pair = mixed_pair(
        "y ~ t + (1 | id)", _frame(), residual="by_group:arm:by_occasion:a|b|c", time="t"
    )
    assert pair.growth.residual.kind == "by_occasion"


@pytest.mark.parametrize("residual", ["by_group:arm:a|c", "by_group:arm:by_occasion:a,0|b,0"])
def test_facts_by_hand_are_as_good_as_data(residual: str) -> None:
    by_hand = gm.Schema(
        person="id",
        time="t",
        outcome="y",
        occasions=(0.0, 1.0, 2.0, 3.0, 4.0),
        variables=(gm.Variable("arm", "person_level", ("a", "b", "c")),),
    )
    text = "y ~ t + (1 + t | id)"
    with_data = gm.translate(text, "lavaan", data=_frame(), time="t", residual=residual)
    without = gm.translate(text, "lavaan", schema=by_hand, residual=residual)
    assert without.text == with_data.text
    assert without.parameter_rows == with_data.parameter_rows


def test_cohorts_may_share_in_part() -> None:
    """Groups seen at times of their own: residual variances and factor (co)variances of two."""
    frame = long_frame(range(5), n_persons=120, seed=8)
    at = frame["t"] - (frame["cohort"] - 1)
    seen = frame[(at >= 0) & (at < 3)].reset_index(drop=True)
    rows = [
        "i =~ 1*y1 + 1*y2 + 1*y3",
        "s =~ c(0, 1, 2)*y1 + c(1, 2, 3)*y2 + c(2, 3, 4)*y3",
        "i ~ c(mi, mi, mi)*1\ns ~ c(ms, ms, ms)*1",
        "i ~~ c(v, v, w)*i\ni ~~ c(c, d, d)*s\ns ~~ c(u, u, u)*s",
        *(f"y{j} ~~ c(r, r, q)*y{j}" for j in (1, 2, 3)),
    ]
    labels = 'group.label = c("1", "2", "3"), missing = "ml"'
    text = "growth('" + "\n".join(rows) + f'\', group = "cohort", {labels})'
    pair, _ = sem_pair(text, seen, id="id", time="t")
    assert str(pair.mixed.model.residual) == "by_group:cohort:1|2"
    assert evidence.structure(pair).passed
    assert evidence.moments(evidence.compare_pair_moments(pair, draws=2)).passed
    assert same_growth(pair.growth, pair_from_mixed(pair.mixed).growth) is None


def test_several_outcomes_in_groups_may_share_in_part() -> None:
    frame = _frame()
    rng = np.random.default_rng(1)
    stacked = pd.concat(
        [
            frame.assign(
                of=of, y=np.repeat(rng.normal(size=90), 5) + rng.normal(size=len(frame)) + 0.2 * k
            )
            for k, of in enumerate(("a", "b"))
        ],
        ignore_index=True,
    )
    a, b = Term(('I(1 * (sex == "female"))', "of")), Term(('I(1 * (sex == "male"))', "of"))
    cells = (
        ("v", "c", 0.0, 0.0),
        ("c", "w", 0.0, 0.0),
        (0.0, 0.0, "v", "d"),
        (0.0, 0.0, "d", "u"),
    )
    block = RandomBlock((a, b), "id", "patterned", cells)
    model = MixedModel("y", (Term(("of",)), Term(("of", "t"))), (block,), estimator="ml")
    found = gm.verify(model, stacked, id="id", time="t", residual="by_group:of", engines=["semopy"])
    assert found.verdict == "identical", found.reason
    assert found.mixed_fit.n_parameters == 4 + 5 + 2
