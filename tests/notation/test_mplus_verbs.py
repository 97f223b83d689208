"""Mplus inputs through the verbs: fitted, verified and translated."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from reference import reference_folder

import growthmm as gm
from growthmm.engines.wide.fitting import fit as fit_wide
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.notation.mplus.notation import NOTATION
from growthmm.notation.mplus.read import read
from growthmm.notation.mplus.rows import normal

SCORES = " ".join(f"gpa_{k}@{k}" for k in range(6))

CASES = {
    "A02_gpa_slope_homosced": f"MODEL: i s | {SCORES}; gpa_0-gpa_5 (1);",
    "A03_gpa_slope_heterosced": f"model: i s | {SCORES};",
    "A06b_gpa_quadratic_fixed": f"MODEL: i s q | {SCORES}; q@0; q WITH i@0 s@0; gpa_0-gpa_5 (v);",
    "A07_gpa_uncorrelated": f"MODEL: i s | {SCORES}; i WITH s@0; gpa_0-gpa_5 (v);",
    "F01_gpa_piecewise": "MODEL: i s1 | gpa_0@0 gpa_1@1 gpa_2@2 gpa_3@2 gpa_4@2 gpa_5@2;\n"
    "i s2 | gpa_0@0 gpa_1@0 gpa_2@0 gpa_3@1 gpa_4@2 gpa_5@3; gpa_0-gpa_5 (v);",
    "A05_gpa_tvc_equal": "VARIABLE: NAMES = student gpa_0-gpa_5 lib_hours_0-lib_hours_5;\n"
    f"MODEL: i s | {SCORES}; gpa_0-gpa_5 (v); gpa_0-gpa_5 PON lib_hours_0-lib_hours_5 (b);",
}


@cache
def _wide() -> pd.DataFrame:
    long = pd.read_csv(reference_folder() / "data" / "A_gpa_long.csv")
    wide = long.pivot(index="student", columns="occasion", values=["gpa", "lib_hours"])
    wide.columns = [f"{name}_{time}" for name, time in wide.columns]
    return wide.reset_index()


@pytest.mark.parametrize("case", CASES)
def test_likelihoods_are_the_golden_ones(case: str) -> None:
    golden = json.loads((reference_folder() / "golden" / f"{case}.json").read_text())
    fit = gm.fit(CASES[case], _wide())
    assert fit.log_likelihood == pytest.approx(golden["sem"]["logLik"], abs=1e-5)
    assert fit.n_parameters == golden["sem"]["npar"]


def test_written_text_of_a_mixed_model_is_verified() -> None:
    data = gm.datasets.gpa()
    made = gm.translate("gpa ~ occasion*sex + (1 + occasion | student)", "mplus", data=data)
    assert made.losses == ()
    assert read(made.script).table == read(made.text).table == made.model.table
    result = gm.verify(CASES["A02_gpa_slope_homosced"], data, id="student", time="occasion")
    assert result.verdict == "identical"


def test_back_to_a_formula() -> None:
    made = gm.translate(
        CASES["A07_gpa_uncorrelated"], "lme4", id="student", time="occasion", outcome="gpa"
    )
    assert made.text == "gpa ~ occasion + (1 | student) + (0 + occasion | student)"


def test_individual_times_fit_as_definition_variables() -> None:
    long = pd.read_csv(reference_folder() / "data" / "E02_unbalanced_long.csv")
    golden = json.loads((reference_folder() / "golden" / "E02_sim_unbalanced.json").read_text())
    long["k"] = long.groupby("id").cumcount()
    last = int(long["k"].max())
    model = read(
        f"VARIABLE: NAMES = id y0-y{last} a0-a{last}; TSCORES = a0-a{last};\n"
        f"ANALYSIS: TYPE = RANDOM;\nMODEL: i s | y0-y{last} AT a0-a{last}; y0-y{last} (v);"
    )
    wide = {name: long.pivot(index="id", columns="k", values=name) for name in ("y", "time")}
    times = tuple((f"a{k}", wide["time"][k].to_numpy(float)) for k in range(last + 1))
    group = WideGroup(wide["y"].to_numpy(float), np.empty((len(wide["y"]), 0)), times)
    fit = fit_wide(WideProblem(model, (group,)))
    assert fit.log_likelihood == pytest.approx(golden["mixed"]["ml"]["logLik"], abs=1e-6)
    written = NOTATION.write(model)
    assert written.losses == ()
    assert read(written.text) == model


GROUPS = {
    "H0_free": ("gpa_0-gpa_5 (a);", "gpa_0-gpa_5 (b);"),
    "H1_equal_residual": ("gpa_0-gpa_5 (a);", ""),
    "H2_equal_residual_G": ("gpa_0-gpa_5 (a); i (p1); s (p2); i WITH s (p3);", ""),
    "H3_plus_equal_slope_mean": (
        "gpa_0-gpa_5 (a); i (p1); s (p2); i WITH s (p3); [s] (m);",
        "",
    ),
    "H4_all_equal": ("gpa_0-gpa_5 (a); i s (p1-p2); i WITH s (p3); [i s] (m1-m2);", ""),
}


@pytest.mark.parametrize("case", GROUPS)
def test_groups_give_the_golden_likelihoods(case: str) -> None:
    overall, second = GROUPS[case]
    text = "VARIABLE: GROUPING IS sex (0 = f 1 = m);\n"
    text += f"MODEL: i s | {SCORES}; {overall}\n" + (f"MODEL m: {second}" if second else "")
    long = pd.read_csv(reference_folder() / "data" / "A_gpa_long.csv")
    golden = json.loads(
        (reference_folder() / "golden" / "H01_gpa_multigroup_sex.json").read_text()
    )["sem"][case]
    groups = []
    for sex in ("female", "male"):
        wide = long[long["sex"] == sex].pivot(index="student", columns="occasion", values="gpa")
        groups.append(WideGroup(wide.to_numpy(float), np.empty((len(wide), 0))))
    model = read(text)
    fit = fit_wide(WideProblem(model, tuple(groups)))
    assert fit.log_likelihood == pytest.approx(golden["logLik"], abs=1e-6)
    assert len(model.free_parameters) == golden["npar"]
    assert normal(read(NOTATION.write(model).text)).table == normal(model).table
