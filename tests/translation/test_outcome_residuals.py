"""Residuals of several outcomes that covary at one time: both forms, both ways, against R."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_reference import differences, kept, live
from reference import long_frame

import growthmm as gm
from growthmm.errors import NotationError, SpecificationError, UnsupportedError
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure

FORMULA = "y ~ 0 + proc + proc:time + (0 + proc + proc:time | id)"
NLME = (
    "lme(y ~ 0 + proc + proc:time, random = ~ 0 + proc + proc:time | id, "
    "correlation = corSymm(form = ~ as.integer(factor(proc)) | id/time), "
    'weights = varIdent(form = ~ 1 | proc), method = "ML")'
)
ONE, EACH = "across:proc", "across:proc:by_occasion"


@cache
def rows(which: str = "complete") -> pd.DataFrame:
    frame = long_frame("G_parallel_stacked.csv")
    return frame if which == "complete" else frame[np.arange(1, len(frame) + 1) % 7 != 0]


def lines(process: str, times: tuple[int, ...] = (0, 1, 2)) -> str:
    level = " + ".join(f"1*{process}_{t}" for t in times)
    slope = " + ".join(f"{t}*{process}_{t}" for t in times)
    return f"i{process} =~ {level}\ns{process} =~ {slope}\n"


CURVES = {
    "one matrix": lines("a")
    + lines("b")
    + "".join(f"a_{t} ~~ va*a_{t}\nb_{t} ~~ vb*b_{t}\na_{t} ~~ c*b_{t}\n" for t in range(3)),
    "a matrix at each time": lines("a") + lines("b") + "a_0 ~~ b_0\na_1 ~~ b_1\na_2 ~~ b_2\n",
    "three outcomes, one matrix": "".join(map(lines, "abd"))
    + "".join(f"{y}_{t} ~~ v{y}*{y}_{t}\n" for y in "abd" for t in range(3))
    + "".join(f"a_{t} ~~ k*b_{t}\na_{t} ~~ l*d_{t}\nb_{t} ~~ m*d_{t}\n" for t in range(3)),
    "times that not all outcomes have": lines("a", (0, 1, 2))
    + lines("b", (0, 2, 3))
    + "".join(f"a_{t} ~~ va*a_{t}\n" for t in (0, 1, 2))
    + "".join(f"b_{t} ~~ vb*b_{t}\n" for t in (0, 2, 3))
    + "a_0 ~~ c*b_0\na_2 ~~ c*b_2\n",
}
STRUCTURES = dict.fromkeys(CURVES, ResidualStructure("across", by="outcome"))
STRUCTURES["a matrix at each time"] = ResidualStructure("across", by="outcome", crossed=True)


@cache
def study() -> pd.DataFrame:
    """Wide data of outcomes a, b and d at 0 ... 3, some cells missing."""
    rng = np.random.default_rng(8)
    n = 90
    level, shared = rng.normal(size=(n, 1)), rng.normal(size=(n, 4))
    made: dict[str, Any] = {"id": np.arange(n)}
    for k, name in enumerate("abd"):
        slope = 0.5 * rng.normal(size=(n, 1))
        table = level + slope * np.arange(4) + (0.3 + 0.2 * k) * shared
        table = table + 0.6 * rng.normal(size=(n, 4))
        table[rng.random((n, 4)) < 0.06] = np.nan
        made |= {f"{name}_{t}": table[:, t] for t in range(4)}
    return pd.DataFrame(made)


@pytest.mark.parametrize("name", CURVES)
def test_curves_are_stacked_models_and_back(name: str) -> None:
    there = gm.translate(CURVES[name], "nlme", data=study(), id="id", on_loss="keep")
    assert isinstance(there.model, MixedModel)
    assert there.model.residual == STRUCTURES[name]
    # The facts alone give the same.
    schema = there.schema
    by_facts = gm.translate(CURVES[name], "nlme", schema=schema, on_loss="keep")
    assert by_facts.text == there.text
    assert (there.losses != ()) == there.model.residual.crossed
    residual = str(there.model.residual) if there.model.residual.crossed else None
    formula = gm.translate(CURVES[name], "lme4", schema=schema, on_loss="keep").text
    source = there.text if residual is None else formula
    back = gm.translate(source, "lavaan", schema=schema, residual=residual)
    again = gm.translate(back.text, "nlme", schema=schema, on_loss="keep")
    assert again.text == there.text


@pytest.mark.parametrize("name", CURVES)
def test_both_forms_are_one_model(name: str) -> None:
    found = gm.verify(CURVES[name], study(), id="id", bounds="none", engines=["long", "wide"])
    assert (found.verdict, found.model_verdict) == ("identical", "identical")
    assert all(level.passed for level in found.levels)


@pytest.mark.parametrize("which", ["complete", "gaps"])
@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_nlme_has_the_same_likelihood_and_estimates(which: str, estimator: str) -> None:
    expected = kept("outcome_residuals")[which][estimator]
    fit = gm.fit(FORMULA, rows(which), residual=ONE, estimator=estimator)
    assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=2e-6)
    own = fit.estimates.set_index("name")
    for name, value in expected["fixed"].items():
        error = own.loc[name, "std_error"]
        assert abs(own.loc[name, "estimate"] - value) < 1e-3 * error
        assert error == pytest.approx(expected["std_error"][name], rel=1e-3)
    names = {"A": "var(Residual[A])", "B": "var(Residual[B])"}
    names["AB"] = "cov(Residual[A],Residual[B])"
    for key, value in expected["residual"].items():
        row = own.loc[names[key]]
        assert abs(row["estimate"] - value) < 2e-3 * row["std_error"]


@pytest.mark.parametrize("which", ["complete", "gaps"])
@pytest.mark.parametrize(("residual", "kind"), [(ONE, "one"), (EACH, "each")])
def test_lavaan_has_the_same_likelihood_and_estimates(which: str, residual: str, kind: str) -> None:
    expected = kept("outcome_residuals")[which][kind]
    found = gm.verify(FORMULA, rows(which), residual=residual, engines=["long", "wide"])
    assert (found.verdict, found.model_verdict) == ("identical", "identical_if")
    for fit in (found.mixed_fit, found.sem_fit):
        assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-5)
        assert fit.n_parameters == (17 if residual == ONE else 29)
    own = found.sem_fit.estimates.set_index("name")
    for name in ("A_3~~A_3", "A_3~~B_3", "B_3~~B_3"):
        row, error = own.loc[name], expected["std_error"][name]
        assert abs(row["estimate"] - expected["estimates"][name]) < 1e-3 * error
        assert row["std_error"] == pytest.approx(error, rel=1e-3)


@pytest.mark.r("nlme", "lavaan", "jsonlite")
@pytest.mark.nightly
def test_the_kept_output_is_what_r_says() -> None:
    assert differences(kept("outcome_residuals"), live("outcome_residuals"), 1e-4) == []


def test_nlme_text_is_read_as_the_structure() -> None:
    read = gm.read(NLME)
    assert isinstance(read, MixedModel)
    assert str(read.residual) == ONE
    assert (read.residual.time, read.residual.person) == ("time", "id")
    fit = gm.fit(NLME, rows())
    assert fit.log_likelihood == pytest.approx(
        kept("outcome_residuals")["complete"]["ml"]["log_likelihood"], abs=1e-6
    )


def test_the_map_says_which_covariance_it_is() -> None:
    made = gm.translate(FORMULA, "lavaan", data=rows(), residual=ONE)
    row = made.parameters.set_index("mixed_name").loc["cov(Residual[A],Residual[B])"]
    assert row["sem_name"] == "c_A_B"
    assert "residual covariance of two outcomes at one time" in row["rule"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("a_0 ~~ b_1\n", "they are of two times"),
        ("a_0 ~~ a_1\n", "covary at one time alone"),
        ("a_0 ~~ b_0\n", "not one covariance matrix of the outcomes at every time"),
        ("a_0 ~~ c*b_0\na_1 ~~ c*b_1\na_2 ~~ c*b_2\n", "without labels"),
        ("a_0 ~~ 0.2*b_0\n", "the residual covariance a_0~~b_0 fixed"),
    ],
)
def test_other_covariances_are_refused_by_name(change: str, what: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        gm.translate(lines("a") + lines("b") + change, "nlme", data=study(), id="id")
    assert what in str(refused.value)


@pytest.mark.parametrize("to", ["lme4", "statsmodels", "brms", "mixedmodels.jl"])
def test_programs_without_the_structure_say_so(to: str) -> None:
    made = gm.translate(CURVES["one matrix"], to, data=study(), id="id", on_loss="keep")
    assert "corSymm(form = ~ as.integer(factor(outcome)) | id/time)" in made.losses[-1].nearest
    each = gm.translate(CURVES["a matrix at each time"], to, data=study(), id="id", on_loss="keep")
    assert "across:outcome, the same matrix at all times" in each.losses[-1].nearest


SAID = {
    "sas:mixed": "repeated outcome / subject=time_level(id) type=un",
    "spss": "/REPEATED = outcome | SUBJECT(id*time) COVTYPE(UN)",
    "glmmtmb": "us(0 + factor(outcome) | id:time), dispformula = ~ 0",
}


@pytest.mark.parametrize("to", SAID)
def test_the_subject_of_the_residuals_is_a_person_at_a_time(to: str) -> None:
    made = gm.translate(CURVES["one matrix"], to, data=study(), id="id")
    assert SAID[to] in made.text
    read = gm.read(made.text, to.partition(":")[0])
    assert isinstance(read, MixedModel)
    assert str(read.residual) == "across:outcome"
    assert (read.residual.time, read.residual.person) == ("time", "id")
    assert gm.write(read, to.partition(":")[0]).text == made.text
    back = gm.translate(made.text, "lavaan", schema=made.schema, notation=to.partition(":")[0])
    assert gm.translate(back.text, to, schema=made.schema).text == made.text


def test_sas_has_a_matrix_for_each_time() -> None:
    curve = CURVES["a matrix at each time"]
    made = gm.translate(curve, "sas:mixed", data=study(), id="id")
    assert SAID["sas:mixed"] + " group=time_level;" in made.text
    read = gm.read(made.text, "sas")
    assert isinstance(read, MixedModel)
    assert str(read.residual) == "across:outcome:by_occasion"
    for to in ("spss", "glmmtmb"):
        with pytest.raises(UnsupportedError, match="no residual matrix for each time"):
            gm.translate(curve, to, data=study(), id="id")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("random int t / subject=id type=un; repeated of / subject=w(id) type=un;", "across:of"),
        ("random int / subject=w(id); repeated of / subject=w(id) type=un;", "unstructured"),
        ("repeated of / subject=id type=un;", "unstructured"),
    ],
)
def test_sas_residuals_within_persons_or_within_their_times(text: str, kind: str) -> None:
    whole = f"proc mixed data=d method=ml; class id of w; model y = of t / s; {text} run;"
    read = gm.read(whole, "sas")
    assert isinstance(read, MixedModel)
    assert str(read.residual) == kind


def test_a_group_that_is_not_the_time_is_refused() -> None:
    text = (
        "proc mixed data=d; class id of w sex; model y = of t / s; random int / subject=id; "
        "repeated of / subject=w(id) type=un group=sex; run;"
    )
    with pytest.raises(NotationError, match="GROUP= is not the time"):
        gm.read(text, "sas")


@pytest.mark.r
def test_glmmtmb_reaches_the_same_maximum(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows().to_csv(path, index=False)
    made = gm.translate(FORMULA, "glmmtmb", data=str(path), residual=ONE, time="time")
    (tmp_path / "fit.R").write_text(made.script, encoding="utf-8")
    run = subprocess.run(
        ["Rscript", str(tmp_path / "fit.R")], capture_output=True, text=True, check=True
    )
    (line,) = [row for row in run.stdout.splitlines() if row.startswith("logLik")]
    wanted = gm.fit(FORMULA, rows(), residual=ONE, estimator="reml").log_likelihood
    assert float(line.split()[1]) == pytest.approx(wanted, abs=1e-4)


def test_a_column_that_tells_no_outcomes_apart_is_refused() -> None:
    frame = rows()
    one = frame[frame["proc"] == "A"].assign(sex="f")
    with pytest.raises(SpecificationError, match="does not tell outcomes"):
        gm.fit("y ~ time + (1 | id)", one, residual="across:sex", time="time")


def test_what_is_simulated_covaries_at_one_time() -> None:
    fit = gm.fit(FORMULA, rows(), residual=ONE)
    drawn = gm.simulate(fit, seed=3)
    again = gm.fit(FORMULA, drawn, residual=ONE).estimates.set_index("name")
    own = fit.estimates.set_index("name")
    name = "cov(Residual[A],Residual[B])"
    gap = again.loc[name, "estimate"] - own.loc[name, "estimate"]
    assert abs(gap) < 4 * own.loc[name, "std_error"]
