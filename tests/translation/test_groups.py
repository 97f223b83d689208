"""Growth models of several groups of persons: from either side, back again, and what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from two_sides import back, formula, long_frame, mixed_pair, sem_pair, wide_frame

import growthmm as gm
from growthmm.equivalence import evidence
from growthmm.errors import (
    ColumnNotFoundError,
    DataError,
    SpecificationError,
    UnboundError,
    UnsupportedError,
)
from growthmm.model.mixed import MixedModel
from growthmm.translation.binding.mixed import bind_mixed
from growthmm.translation.pair import Pair, pair_from_mixed, reread, same_growth

FACTS: dict[str, Any] = {"id": "id", "time": "t", "outcome": "y"}

A, B, C = (f'I(1 * (arm == "{arm}"))' for arm in "abc")


@cache
def _frame() -> pd.DataFrame:
    return long_frame()


def _same(pair: Pair) -> None:
    """The text reads back and the moments agree both ways."""
    structure = evidence.structure(pair)
    assert structure.passed, structure.note
    comparison = evidence.compare_pair_moments(pair, draws=2)
    assert evidence.moments(comparison).passed, comparison


FORMULAS = [
    ('y ~ t * sex + (0 + I(1 * (sex == "male")) | id)', "ar1"),
    ('y ~ t + (1 | id) + (0 + I(1 * (sex == "male")):t | id)', "cs"),
    ("y ~ t * sex + (1 + t | id)", "by_group:sex:by_occasion"),
    (f"y ~ t + (0 + {A} + {A}:t | id) + (0 + {B} + {B}:t | id) + (0 + {C} | id)", None),
    (f'y ~ t * arm + (0 + {A} | id) + (0 + I(1 * (arm != "a")) | id)', None),
    ("y ~ t + arm + (1 + t | id)", "by_group:arm"),
    ("y ~ t * sex + x + (1 | id) + (0 + t | id)", "by_group:sex"),
    ('y ~ t + w + sex:w + (0 + I(1 * (sex == "male")) | id)', None),
    (f'y ~ t + x + x:arm + (0 + {B} + {B}:t | id) + (0 + I(1 * (arm != "b")) | id)', None),
    ('y ~ t + I(1 * (arm == "c")) + I(1 * (arm == "c")):x:t + (1 | id)', "by_group:arm"),
    ("y ~ t + (0 + I(1 * (yes == TRUE)) | id) + (0 + I(1 * (yes == FALSE)) | id)", "by_group:yes"),
]


@pytest.mark.parametrize(("text", "residual"), FORMULAS)
def test_formula_to_lavaan_to_formula_is_the_identity(text: str, residual: str | None) -> None:
    there = mixed_pair(text, _frame(), residual=residual, time="t")
    _same(there)
    again = back(there, _frame())
    different = same_growth(there.growth, again.growth)
    assert different is None, different
    _same(again)
    assert set(again.mixed.model.random) == set(there.mixed.model.random)
    assert again.mixed.model.residual == there.mixed.model.residual
    third = mixed_pair(formula(again), _frame(), residual=residual, time="t")
    assert third.sem.model == there.sem.model


LOADINGS = """
i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4
s =~ 0*y_0 + 1*y_1 + 2*y_2 + 3*y_3 + 4*y_4
"""


def _row(left: str, op: str, right: str, pattern: tuple[int, ...], name: str) -> str:
    """One line in which groups of one number share a parameter, and those of -1 have none."""
    if -1 in pattern:
        shown = ", ".join("0" if n < 0 else "NA" for n in pattern)
        labels = ", ".join(f'"{name}{n}"' if n >= 0 else '""' for n in pattern)
        return f"{left} {op} c({shown})*{right} + c({labels})*{right}"
    return f"{left} {op} c({', '.join(f'{name}{n}' for n in pattern)})*{right}"


def _text(patterns: dict[str, Any]) -> str:
    """A growth curve of three groups with a pattern of equality for each kind of parameter."""
    lines = [
        LOADINGS,
        _row("i", "~", "1", patterns["i"], "mi"),
        _row("s", "~", "1", patterns["s"], "ms"),
        _row("i", "~", "x", patterns["x"], "bi"),
        _row("i", "~~", "i", patterns["ii"], "vi"),
        _row("i", "~~", "s", patterns["is"], "cis"),
        _row("s", "~~", "s", patterns["ss"], "vs"),
    ]
    if patterns["e"] != "free":
        lines += [_row(f"y_{j}", "~~", f"y_{j}", patterns["e"], "r") for j in range(5)]
    return "growth('" + "\n".join(lines) + '\', group = "arm")'


PATTERN = st.sampled_from([(0, 0, 0), (0, 1, 2), (0, 0, 1), (0, 1, 0), (0, 1, 1)])
ZEROS = st.sampled_from([(0, -1, 1), (-1, 0, 0), (0, 0, -1)])


@cache
def _many() -> pd.DataFrame:
    return long_frame(n_persons=90, seed=4)


@settings(max_examples=10 if settings.default.max_examples <= 100 else 100, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "i": PATTERN,
            "s": PATTERN | ZEROS,
            "x": PATTERN | ZEROS,
            "ii": PATTERN,
            "is": PATTERN,
            "ss": PATTERN,
            "e": PATTERN | st.just("free"),
        }
    )
)
def test_any_pattern_of_equality_is_the_same_model_in_long_form(
    patterns: dict[str, Any],
) -> None:
    text = _text(patterns)
    pair, frame = sem_pair(text, wide_frame(_many()).assign(arm=_arms()))
    _same(pair)
    # Back from the mixed model, whose groups are as many as the data have.
    again = pair_from_mixed(pair.mixed)
    different = same_growth(pair.growth, again.growth)
    assert different is None, different
    own = [{p for p in o.mixed_names if p[0].startswith(("cov", "res"))} for o in (pair, again)]
    assert own[0] == own[1]
    _same(again)
    long, wide = (gm.fit(text, frame, id="person", time="time", engine=e) for e in ("long", "wide"))
    if wide.convergence.converged and not long.boundary.at_boundary:
        assert long.log_likelihood == pytest.approx(wide.log_likelihood, abs=1e-6)
        assert long.n_parameters == wide.n_parameters


def _arms() -> Any:
    return _many().groupby("id")["arm"].first().to_numpy()


@pytest.mark.parametrize(
    ("lines", "losses"),
    [
        ("s ~ c(m, m, m)*1\ni ~ c(m, a, b)*1", ["the label m on several parameters"]),
        (
            "\n".join(f"y_{j} ~~ c(r, q, p)*y_{j}" for j in range(5))
            + "\n"
            + "\n".join(f"y_{j} ~~ c(a, b, d)*y_{k}" for j in range(5) for k in range(j + 1, 5))
            + "\ni ~~ 0*i\ni ~~ 0*s\ns ~~ 0*s",
            ["cs residuals with parameters of their own for each arm"],
        ),
        ("i ~~ c(m, a, b)*i\ns ~ c(d, m, e)*1", ["the label m on several parameters"]),
    ],
)
def test_what_no_formula_says_of_groups_is_refused(lines: str, losses: list[str]) -> None:
    residual = "" if "y_0" in lines else "\n".join(f"y_{j} ~~ v_e*y_{j}" for j in range(5))
    text = f"growth('{LOADINGS}{residual}\n{lines}', group = \"arm\")"
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(text, "lme4", data=_frame(), **FACTS)
    assert [loss.what for loss in caught.value.losses] == losses
    assert gm.fit(text, _frame(), id="id", time="t").n_parameters > 0


@pytest.mark.parametrize(
    ("text", "residual", "why"),
    [
        ("y ~ t + (0 + sex | id)", "by_group:arm", "the values of one column"),
        ("y ~ t + (1 | id)", "by_group:mood", "varies within them"),
        ("y ~ t + (1 + sex | id)", "by_group:sex", "loadings that differ within the groups"),
        ("y ~ t + (0 + w + sex:w | id)", "by_group:sex", "loadings that differ within the groups"),
    ],
)
def test_residual_variances_by_what_is_no_group_are_refused(
    text: str, residual: str, why: str
) -> None:
    with pytest.raises(UnsupportedError) as caught:
        mixed_pair(text, _frame(), residual=residual, time="t")
    (loss,) = caught.value.losses
    assert loss.what == f"residual variances {residual}"
    assert why in loss.why


@pytest.mark.parametrize("term", ["sex", "C(arm, contr.sum)"])
def test_effects_in_overlapping_groups_have_a_definition_variable(term: str) -> None:
    """``(1 + sex | id)``: the intercept of all, and a deviation of one group, covary."""
    pair = mixed_pair(f"y ~ t + (1 + {term} | id)", _frame(), time="t")
    assert pair.growth.schema.grouping is None
    assert any(path.definition for path in pair.sem.model.paths)


def test_covariances_between_groups_are_left_out_as_nobody_has_them() -> None:
    pair = mixed_pair("y ~ t + (0 + sex + sex:t | id)", _frame(), time="t")
    assert formula(pair) == (
        'y ~ t + (0 + I(1 * (sex == "female")) + I(1 * (sex == "female")):t | id)'
        ' + (0 + I(1 * (sex == "male")) + I(1 * (sex == "male")):t | id)'
    )
    assert any("different groups do not covary" in str(note) for note in pair.assumptions)
    _same(pair)


@pytest.mark.parametrize(("text", "residual"), FORMULAS[:5])
def test_facts_by_hand_are_as_good_as_data(text: str, residual: str | None) -> None:
    by_hand = gm.Schema(
        person="id",
        time="t",
        outcome="y",
        occasions=(0.0, 1.0, 2.0, 3.0, 4.0),
        variables=(
            gm.Variable("x", "person_level"),
            gm.Variable("sex", "person_level", ("female", "male")),
            gm.Variable("arm", "person_level", ("a", "b", "c")),
            gm.Variable("w", "time_varying"),
        ),
    )
    # Whichever group comes first in the data.
    turned = _frame().sort_values("id", ascending=False, kind="stable")
    with_data = gm.translate(text, "lavaan", data=turned, time="t", residual=residual)
    without = gm.translate(text, "lavaan", schema=by_hand, residual=residual)
    assert without.text == with_data.text
    assert without.parameter_rows == with_data.parameter_rows


def test_facts_of_groups_by_hand_are_as_good_as_data_for_a_sem() -> None:
    text = _text(
        {"i": (0, 1, 2), "s": (0, 0, 1), "x": (0, 0, 0), "e": (0, 1, 2)}
        | dict.fromkeys(("ii", "is", "ss"), (0, 1, 1))
    )
    turned = _frame().sort_values("arm", ascending=False, kind="stable")
    with_data = gm.translate(text, "nlme", data=turned, **FACTS)
    without = gm.translate(text, "nlme", schema=with_data.schema)
    assert without.text == with_data.text
    assert without.parameter_rows == with_data.parameter_rows
    by_hand = gm.Schema(
        person="id",
        time="t",
        outcome="y",
        occasions=(0.0, 1.0, 2.0, 3.0, 4.0),
        variables=(
            gm.Variable("x", "person_level"),
            gm.Variable("arm", "person_level", ("a", "b", "c")),
        ),
        grouping=gm.Grouping("arm", ("a", "b", "c"), ("c", "b", "a")),
    )
    again = gm.translate(text, "nlme", schema=by_hand)
    assert again.text == with_data.text
    assert again.parameter_rows == with_data.parameter_rows


def test_facts_of_groups_that_are_missing_are_named() -> None:
    lines = LOADINGS + "i ~ c(a, b)*1"
    with pytest.raises(UnboundError) as caught:
        gm.translate(lines, "lme4", notation="lavaan")
    assert caught.value.missing == ("the column of groups",)
    with pytest.raises(UnboundError) as caught:
        gm.translate(f"growth('{lines}', group = 'sex')", "lme4")
    assert caught.value.missing == ("levels of sex (data= or --data)",)
    named = f"growth('{lines}', group = 'sex', group.label = c('male', 'female'))"
    assert gm.translate(named, "nlme").text  # the labels are the levels


def test_groups_that_do_not_fit_the_data_are_refused() -> None:
    lines = LOADINGS + "i ~ c(a, b, d)*1"
    with pytest.raises(SpecificationError, match="written for 3 groups, the data have 2"):
        gm.translate(f"growth('{lines}', group = 'sex')", "lme4", data=_frame(), **FACTS)
    text = f"growth('{lines}', group = 'arm', group.label = c('a', 'b', 'd'))"
    with pytest.raises(DataError, match="are a, b, c, those of the model a, b, d"):
        gm.translate(text, "lme4", data=_frame(), **FACTS)
    gone = _frame().assign(arm=_frame()["arm"].where(_frame()["id"] > 3))
    with pytest.raises(DataError, match="missing in"):
        gm.translate(f"growth('{lines}', group = 'arm')", "lme4", data=gone, **FACTS)


def test_a_level_of_a_text_column_may_be_named_on_wide_data() -> None:
    text = LOADINGS + "i ~ sexmale\ns ~ sexmale"
    numbers = wide_frame(_frame())
    texts = numbers.drop(columns="sexmale").assign(
        sex=np.where(numbers["sexmale"] == 1, "male", "female")
    )
    fits = [gm.fit(text, data, notation="lavaan") for data in (numbers, texts)]
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, abs=1e-10)
    made = gm.translate(text, "nlme", data=texts, notation="lavaan")
    assert made.text.startswith("lme(y ~ time + sex + time:sex, ")
    assert any("sexmale is sexmale" in str(note) for note in made.assumptions)
    long = gm.fit(text, texts, engine="long", notation="lavaan")
    assert long.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-6)
    with pytest.raises(ColumnNotFoundError):
        gm.fit(text.replace("sexmale", "sexmail"), texts, notation="lavaan")


COHORTS = """growth('
i =~ 1*y1 + 1*y2 + 1*y3
s =~ c(0, 1, 2)*y1 + c(1, 2, 3)*y2 + c(2, 3, 4)*y3
i ~ c(mi, mi, mi)*1
s ~ c(ms, ms, ms)*1
i ~~ c(vi, vi, vi)*i
i ~~ c(cis, cis, cis)*s
s ~~ c(vs, vs, vs)*s
y1 ~~ c(r, r, r)*y1
y2 ~~ c(r, r, r)*y2
y3 ~~ c(r, r, r)*y3
', group = "cohort", group.label = c("1", "2", "3"), missing = "ml")"""


@cache
def _cohorts() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Long and wide data of three cohorts, each seen three times from its own age on."""
    whole = long_frame((6, 7, 8, 9, 10), n_persons=150, seed=6)
    rng = np.random.default_rng(6)
    level, slope = (np.repeat(rng.normal(size=150), 5) for _ in range(2))
    noise = 0.4 * rng.normal(size=len(whole))
    whole = whole.assign(y=3 + level + (whole["t"] - 6) * (1 + slope) + noise)
    start = whole["cohort"] + 5
    long = whole[(whole["t"] >= start) & (whole["t"] < start + 3)].reset_index(drop=True)
    wave = (long["t"] - long["cohort"] - 5).astype(int) + 1
    wide = long.assign(wave=wave).pivot(index=["id", "cohort"], columns="wave", values="y")
    wide.columns = [f"y{k}" for k in wide.columns]
    return long, wide.reset_index()


@pytest.mark.parametrize("layout", ["long", "wide"])
def test_cohorts_with_one_curve_are_one_long_model(layout: str) -> None:
    long, wide = _cohorts()
    plain = "y ~ I(t - 6) + (1 + I(t - 6) | id)"
    golden = gm.fit(plain, long)
    facts: dict[str, Any] = {"id": "id", "time": "t"} if layout == "long" else {"id": "id"}
    data = long if layout == "long" else wide
    found = gm.verify(COHORTS, data, engines=["semopy"], **facts)
    assert found.verdict == "identical", found.reason
    assert found.text == (plain if layout == "long" else "y ~ time + (1 + time | id)")
    assert found.sem_fit.log_likelihood == pytest.approx(golden.log_likelihood, abs=1e-6)
    assert found.sem_fit.n_parameters == golden.n_parameters == 6
    values = found.sem_fit.estimates.drop_duplicates("estimate")["estimate"]
    assert set(np.round(golden.estimates["estimate"], 6)) <= set(np.round(values, 6))


def test_one_long_model_of_cohorts_is_one_growth_curve_with_missing_cells() -> None:
    long, _ = _cohorts()
    found = gm.verify("y ~ t + (1 + t | id)", long, time="t", engines=["semopy"])
    assert found.verdict == "identical", found.reason
    assert found.pair.sem.model.n_groups == 1
    assert len(found.pair.sem.model.outcomes) == 5


def test_cohorts_may_differ_as_other_groups_do() -> None:
    _, wide = _cohorts()
    text = COHORTS.replace("c(mi, mi, mi)", "c(m1, m2, m2)").replace("c(r, r, r)", "c(r, q, p)")
    pair, frame = sem_pair(text, wide, id="id")
    assert formula(pair) == "y ~ time + I(1 * (cohort != 1)) + (1 + time | id)"
    assert str(pair.mixed.model.residual) == "by_group:cohort"
    _same(pair)
    fits = [gm.fit(text, wide, engine=engine) for engine in ("long", "wide")]
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, abs=1e-6)
    assert frame is not None


def test_outcomes_at_ages_that_a_cohort_has_no_column_for_are_refused() -> None:
    long, _ = _cohorts()
    late = long.assign(t=np.where((long["id"] == long["id"][0]), 6 + (long["t"] % 5), long["t"]))
    with pytest.raises(DataError, match="where their group has no column"):
        gm.fit(COHORTS, late.drop_duplicates(["id", "t"]), id="id", time="t")


@pytest.mark.parametrize("layout", ["long", "wide"])
@pytest.mark.parametrize("differ", ["", "means", "residuals", "both"])
def test_cohorts_go_through_their_own_mixed_form_and_back(differ: str, layout: str) -> None:
    """Formula to SEM to formula, and the other way, with the facts that a translation gives."""
    long, wide = _cohorts()
    text = COHORTS
    if differ in ("means", "both"):
        text = text.replace("c(mi, mi, mi)", "c(m1, m2, m2)")
    if differ in ("residuals", "both"):
        text = text.replace("c(r, r, r)", "c(r, q, p)")
    facts: dict[str, Any] = {"id": "id", "time": "t"} if layout == "long" else {"id": "id"}
    made = gm.translate(text, "nlme", data=long if layout == "long" else wide, **facts)
    back = gm.translate(made.text, "lavaan", schema=made.schema)
    again = gm.translate(back.text, "nlme", schema=back.schema)
    assert again.text == made.text
    assert gm.translate(again.text, "lavaan", schema=again.schema).text == back.text
    assert made.schema is not None
    assert isinstance(made.model, MixedModel)
    bound = bind_mixed(made.model, None, known=made.schema)
    pair = pair_from_mixed(bound)
    assert reread(pair, pair.sem.model) is None
    rows = long if layout == "long" else long.assign(time=long["t"] - 6)
    found = gm.verify(made.text, rows, time=made.schema.time, engines=["long"])
    assert found.verdict == "identical", found.reason
    golden = gm.fit(text, wide, id="id")
    assert found.sem_fit.log_likelihood == pytest.approx(golden.log_likelihood, abs=1e-6)
