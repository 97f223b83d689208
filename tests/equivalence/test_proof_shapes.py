"""Proofs of every shape hold, and their symbols are the engines' moments in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sympy
from growth_shapes import SHAPES, data
from numpy.typing import NDArray
from test_condition_21_second_order import text as second_order
from test_condition_21_second_order import wide as second_order_data
from two_sides import long_frame, mixed_pair, sem_pair

import growthmm as gm
from growthmm.engines.wide.problem import WideGroup
from growthmm.equivalence.correspondence import Correspondence, correspondence
from growthmm.equivalence.proof.proof import Proof, prove
from growthmm.equivalence.proof.simplifying import Zero
from growthmm.equivalence.proof.strata import strata
from growthmm.errors import UnsupportedError
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

FloatArray = NDArray[np.float64]

LINE = "i =~ 1*y_0 + 1*y_1 + 1*y_2 + 1*y_3 + 1*y_4\n"
RATE = LINE + "s =~ 0*y_0 + b1*y_1 + b2*y_2 + b3*y_3 + b4*y_4\n"
EQUAL = "".join(f"y_{t} ~~ v*y_{t}\n" for t in range(5))
UNEVEN = (0.0, 0.5, 2.0, 3.3, 5.0)
MEDIATED = """
i =~ 1*a_0 + 1*a_1 + 1*a_2
s =~ 0*a_0 + 1*a_1 + 2*a_2
a_0 ~~ v*a_0
a_1 ~~ v*a_1
a_2 ~~ v*a_2
i ~ x
s ~ a*x
z ~ b*s + bi*i + c*x
z ~ 1
i ~~ s
"""


def _nlme(curve: str, times: tuple[float, ...] = UNEVEN, fixed: str = "b0 + b1 + g ~ 1") -> Pair:
    text = f"nlme(y ~ b0 + b1 * {curve}, fixed = {fixed}, random = b0 + b1 ~ 1 | id)"
    return paired(source(text, notation="nlme").model, long_frame(times), Facts())[0]


def _text(text: str) -> Pair:
    return sem_pair(text, long_frame(), id="id", time="t", outcome="y")[0]


def _shape(name: str) -> Pair:
    shape = SHAPES[name]
    read = source(shape.text, notation=shape.notation, residual=shape.residual)
    if shape.notation == "lavaan":
        person = shape.schema.person
        return paired(read.model, data(shape.kind), Facts(id=person, time="t", outcome="y"))[0]
    return paired(read.model, data(shape.kind), Facts(time="t", id=_person(name)))[0]


def _person(name: str) -> str | None:
    shape = SHAPES[name]
    return None if shape.kind == "levels" else shape.schema.person


def _mediated() -> Pair:
    rng = np.random.default_rng(4)
    frame = {name: rng.normal(size=40) for name in ("a_0", "a_1", "a_2", "x", "z")}
    wide = pd.DataFrame(frame).assign(id=range(40))
    return paired(source(MEDIATED, notation="lavaan").model, wide, Facts(id="id"))[0]


def _change(share: float) -> str:
    """True scores whose differences depend on the score before, at a share that is given."""
    text = SHAPES["change scores"].text
    lines = "".join(f"\nd{t} ~ {share}*l{t - 1}" for t in range(1, 5))
    return text.replace("')", lines + "')")


def _uneven(residual: str, times: tuple[float, ...] = UNEVEN) -> Pair:
    return mixed_pair("y ~ t", long_frame(times), residual=residual, id="id", time="t")


MORE = {
    "a rate with covariates": lambda: _nlme("exp(-g * t)", fixed="list(b0 + b1 ~ x + sex, g ~ 1)"),
    "logistic": lambda: _nlme("(1/(1 + exp(-g * (t - 1))))"),
    "a power": lambda: _nlme("((t + 1)^g)"),
    "a rate by its ratios": lambda: _text(
        RATE + "b2 == 1 - (1 - b1)^2\nb3 == 1 - (1 - b1)^3\nb4 == 1 - (1 - b1)^4\n" + EQUAL
    ),
    "a rate defined from the last loading": lambda: _text(
        RATE
        + "g := -log(1 - b4)/4\nb2 == 1 - exp(-2*g)\nb3 == 1 - exp(-3*g)\nb1 == 1 - exp(-g)\n"
        + EQUAL
    ),
    "constraints the other way round": lambda: _text(
        RATE
        + "g := -log(1 - b1)\n1 - b2 == exp(-2*g)\nb3 - 1 == -exp(-3*g)\nb4 == 1 - exp(-4*g)\n"
        + EQUAL
    ),
    "columns in another order": lambda: _text(
        "i =~ 1*y_3 + 1*y_0 + 1*y_4 + 1*y_1 + 1*y_2\n"
        "s =~ 3*y_3 + 4*y_4 + 1*y_1 + 2*y_2 + 0*y_0\n" + EQUAL
    ),
    "variances by group and occasion": lambda: mixed_pair(
        "y ~ t * sex + (1 + t | id)", long_frame(), residual="by_group:sex:by_occasion"
    ),
    "variances that some groups share": lambda: mixed_pair(
        "y ~ t * arm + (1 + t | id)", long_frame(), residual="by_group:arm:a|c"
    ),
    "a distal outcome": _mediated,
    "second order": lambda: sem_pair(second_order(), second_order_data(), id="id")[0],
    "change that is a known share of the level": lambda: _text(_change(0.2)),
    "AR(1), uneven": lambda: _uneven("ar1"),
    "ARH(1), uneven": lambda: _uneven("arh1"),
    "ARH(1), every second": lambda: _uneven("arh1", (0.0, 2.0, 4.0, 6.0)),
}


@cache
def pair_of(name: str) -> Pair:
    return MORE[name]() if name in MORE else _shape(name)


@cache
def proven(name: str) -> tuple[Correspondence, Proof]:
    link = correspondence(pair_of(name))
    return link, prove(pair_of(name), link)


def in_numbers(matrix: Any, values: Mapping[str, float]) -> FloatArray:
    """A matrix of symbols at values of them by name."""
    own = sorted(matrix.free_symbols, key=str)
    return np.array(sympy.lambdify(own, matrix, cse=True)(*(values[s.name] for s in own)), float)


def mixed_values(link: Correspondence, proof: Proof) -> tuple[FloatArray, dict[str, float]]:
    """Values of the mixed model's parameters, by the names of the proof's symbols too."""
    values = link.mixed_starts[0]
    known = dict(zip(link.mixed.names, map(float, values), strict=True))
    return values, known | {f"b[{name}]": value for name, value in known.items()}


@pytest.mark.parametrize("name", [*SHAPES, *MORE])
def test_both_forms_have_the_same_moments(name: str) -> None:
    _, proof = proven(name)
    assert proof.holds, [block.difference for block in (*proof.means, *proof.blocks)]


@pytest.mark.parametrize("name", [*SHAPES, *MORE])
def test_mixed_symbols_are_the_moments_of_persons(name: str) -> None:
    link, proof = proven(name)
    values, known = mixed_values(link, proof)
    groups = strata(pair_of(name))
    beta, _ = link.mixed.matrices(values)
    fixed, _ = link.mixed.designs(values)
    seen: list[int] = []
    for k in link.mixed.kinds:
        cells, wide = link.mixed.persons[k], link.sem.problem.groups[link.mixed.persons[k].group]
        assert isinstance(wide, WideGroup)
        first = np.flatnonzero(cells.persons == cells.row)
        columns = link.sem.problem.model.outcomes
        found = {columns[c]: r for r, c in zip(first, cells.columns[first], strict=True)}
        own = groups[cells.group]
        if set(found) != set(own.outcomes) or seen.count(cells.group) == 2:
            continue
        seen.append(cells.group)
        order = [found[y] for y in own.outcomes]
        names = link.sem.problem.model.covariates
        person = {
            f"[{x}]": float(v) for x, v in zip(names, wide.covariates[cells.row], strict=True)
        }
        person |= {f"data.{d}": float(v[cells.row]) for d, v in wide.definitions}
        mean = in_numbers(proof.means[cells.group].mixed, known | person)[:, 0]
        np.testing.assert_allclose(mean, fixed[cells.rows[order]] @ beta, rtol=1e-9, atol=1e-9)
        levels = len(proof.blocks) // len(groups)
        blocks = proof.blocks[cells.group * levels : (cells.group + 1) * levels]
        ours = sum(in_numbers(block.mixed.whole, known | person) for block in blocks)
        whole = link.mixed.covariance(values, cells.rows)
        np.testing.assert_allclose(ours, whole[np.ix_(order, order)], rtol=1e-9, atol=1e-9)
        others = np.flatnonzero(cells.persons != cells.row)
        if len(others):
            # What persons of one cluster share is the clusters' covariance matrix.
            between = in_numbers(blocks[1].mixed.whole, known | person)
            at = [own.outcomes.index(columns[c]) for c in cells.columns[others]]
            np.testing.assert_allclose(between[:, at], whole[np.ix_(order, others)], rtol=1e-9)
    assert set(seen) == set(range(len(groups)))


@pytest.mark.parametrize("name", [*SHAPES, *MORE])
def test_sem_symbols_are_what_the_engine_implies(name: str) -> None:
    link, proof = proven(name)
    model, values = pair_of(name).sem.model, link.to_sem(link.mixed_starts[0])
    if model.n_levels > 1 or any(path.definition for path in model.paths):
        pytest.skip("moments differ from person to person")
    known = dict(zip(link.sem.names, map(float, values), strict=True))
    known |= {d.name: _defined(d.name, proof, known) for d in model.defined}
    rng = np.random.default_rng(2)
    for group, (means, block) in enumerate(zip(proof.means, proof.blocks, strict=True)):
        found = gm.implied(model, {n: known[n] for n in link.sem.names}, group=group)
        x = {name: float(rng.normal()) for name in found.slopes.columns}
        own = strata(pair_of(name))[group].outcomes
        expected = found.mean + found.slopes @ np.array(list(x.values()))
        named = known | {f"[{name}]": value for name, value in x.items()}
        mean = in_numbers(means.sem, named)[:, 0]
        np.testing.assert_allclose(mean, expected[list(own)], rtol=1e-6, atol=1e-7)
        cov = found.cov.loc[list(own), list(own)]
        for side in (block.sem.whole, block.traced):
            np.testing.assert_allclose(in_numbers(side, named), cov, rtol=1e-6, atol=1e-7)


def _defined(name: str, proof: Proof, known: Mapping[str, float]) -> float:
    """A defined parameter that stands in the proof."""
    for own, expression in proof.constraints:
        if own.name == name:
            return float(expression.subs({s: known[s.name] for s in expression.free_symbols}))
    return float("nan")


def test_each_group_has_symbols_of_its_own() -> None:
    _, proof = proven("groups")
    assert [block.title for block in proof.blocks] == ["sex = female", "sex = male"]
    female, male = ({s.name for s in block.sem.whole.free_symbols} for block in proof.blocks)
    assert female == {"i~~i", "i~~s", "s~~s", "v_female"}
    assert male == {"i~~i.g2", "i~~s.g2", "s~~s.g2", "v_male"}
    # The other group's random effects are no columns of zeros.
    assert all(block.mixed.design.shape == (5, 2) for block in proof.blocks)
    assert repr(proof) == "<Proof holds: 10 means, 30 variances and covariances>"
    text = proof.to_text()
    assert "t:sexmale = -s~1 + s~1.g2" in text
    assert "Variance of y_4, sex = male" in text
    assert "10 of 10 means and 30 of 30" in text
    assert "sex = male, by blocks" in proof.to_html()
    assert r"sex = female" in proof.to_latex()


def test_cohorts_have_their_own_times() -> None:
    _, proof = proven("cohorts")
    assert proof.outcomes == ("y1", "y2", "y3")
    assert [str(means.mixed[0]) for means in proof.means] == [
        "(Intercept)",
        "(Intercept) + t",
        "(Intercept) + 2*t",
    ]


def test_rates_and_loadings_stay_symbols() -> None:
    _, proof = proven("estimated rate")
    said = dict(proof.mapping)
    assert {s.name: str(v) for s, v in said.items()}["g"] == "-log(1 - s_1)"
    assert str(proof.mixed_mean[2]) == "(Intercept) + b[I(1 - exp(-g * t))]*(1 - exp(-2*g))"
    assert [str(own) for own, _ in proof.constraints] == ["s_2", "s_3", "s_4", "g"]
    traced = {s.name for s in proof.traced_cov[1, 2].free_symbols}
    assert {"s_1", "s_2", "s~~s"} <= traced
    _, basis = proven("latent basis")
    assert str(basis.sem_mean[1]) == "i~1 + s=~y_1*s~1"
    assert "exp" in proof.to_latex()


def test_a_distal_outcome_s_random_effect_is_what_the_regression_implies() -> None:
    _, proof = proven("a distal outcome")
    said = {s.name: str(v.expand()) for s, v in proof.mapping}
    assert said["cov(outcomea,outcomez|id)"] == "b*i~~s + bi*i~~i"
    assert said["outcomez:x"] == "a*b + bi*i~x + c"


def test_what_is_taken_for_given_is_said() -> None:
    _, proof = proven("ARH(1), uneven")
    assert [own.name for own in proof.positive] == ["c1_2"]
    for text in (proof.to_text(), proof.to_latex().replace("\\", ""), proof.to_html()):
        assert "It takes c1_2 to be positive" in text
    _, even = proven("ARH(1)")
    assert not even.positive
    assert "positive" not in even.to_text()


def test_zero_in_numbers_alone_is_no_proof() -> None:
    x = sympy.Symbol("x", real=True)
    apart = sympy.Matrix([[sympy.Abs(x) - x]])
    with pytest.raises(UnsupportedError, match="zero in numbers"):
        Zero((), ())(apart, sympy.zeros(1, 1))
    assert Zero((), (), (x,))(apart, sympy.zeros(1, 1)).is_zero_matrix
    assert Zero((), ())(sympy.Matrix([[x**2]]), sympy.zeros(1, 1))[0] == x**2
