"""``verify --against``: our fits beside what other programs printed."""

from __future__ import annotations

import json
from functools import cache

import pandas as pd
import pytest
from printed_cases import (
    CASES,
    EQUAL,
    GPA,
    GPA_WIDE,
    LINEAR,
    LOADINGS,
    MISSING_WIDE,
    OUTPUTS,
    Printed,
)
from reference import reference_folder

import growthmm as gm
from growthmm.cli import main
from growthmm.errors import SpecificationError


@cache
def frame(name: str) -> pd.DataFrame:
    return pd.read_csv(reference_folder() / "data" / name)


def text_of(name: str) -> str:
    return (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("printed", CASES, ids=lambda p: p.name)
def test_every_printed_number_agrees(printed: Printed) -> None:
    needs_time = printed.residual is not None or printed.model.startswith("gls")
    found = gm.verify(
        printed.model,
        frame(printed.data),
        against=printed.path,
        residual=printed.residual,
        time="occasion" if needs_time else None,
    )
    assert found.verdict == "agrees", found.summary()
    assert not found.not_printed
    assert len(found.rows) > 9


def test_a_changed_last_digit_is_seen() -> None:
    text = text_of("lme4_a02_reml").replace("0.106314", "0.106414")
    found = gm.verify(LINEAR, frame(GPA), against=text)
    assert [row.printed_name for row in found.rows if not row.agrees] == ["occasion"]
    assert found.verdict == "differs"


def cause_words(found: gm.verify) -> list[str]:
    return [cause.cause for cause in found.causes]


def test_reml_where_ml_was_asked_for() -> None:
    found = gm.verify(LINEAR, frame(GPA), against=text_of("lme4_a02_reml"), estimator="ml")
    assert (found.verdict, cause_words(found)) == ("explained", ["estimator"])


def test_a_program_that_does_not_say_its_estimator() -> None:
    found = gm.verify(LINEAR, frame(GPA), against=text_of("glmmtmb_a02_reml"))
    assert (found.verdict, cause_words(found)) == ("explained", ["estimator"])


def test_all_rows_or_whole_persons() -> None:
    said = text_of("lavaan_a08_listwise").replace(
        "  Number of observations                            23         200\n",
        "  Number of observations                            23         200\n"
        "  Number of missing patterns                         1            \n",
    )
    found = gm.verify(LOADINGS + EQUAL, frame(MISSING_WIDE), against=said)
    assert found.verdict == "explained"
    assert cause_words(found)[0] == "listwise"


def test_divisor_n_minus_1() -> None:
    found = gm.verify(LOADINGS + EQUAL, frame(GPA_WIDE), against=text_of("lavaan_a02_wishart"))
    assert (found.verdict, cause_words(found)) == ("explained", ["divisor"])


def test_information() -> None:
    said = text_of("openmx_a03")
    found = gm.verify(LOADINGS, frame(GPA_WIDE), against=said)
    assert found.agrees
    expected = text_of("lavaan_a03_std_ci").replace("Expected", "Observed")
    found = gm.verify(LOADINGS, frame(GPA_WIDE), against=expected)
    assert (found.verdict, cause_words(found)) == ("explained", ["information"])


def test_bic_over_persons() -> None:
    text = text_of("nlme_a02_ml").replace("288.7747", "278.0241")
    found = gm.verify(LINEAR, frame(GPA), against=text)
    assert (found.verdict, cause_words(found)) == ("explained", ["bic"])


def test_residual_variances_and_random_covariances() -> None:
    found = gm.verify(LINEAR, frame(GPA), against=text_of("nlme_a07_ml"))
    assert (found.verdict, cause_words(found)) == ("explained", ["random_covariances"])
    found = gm.verify(LINEAR, frame(GPA), against=text_of("nlme_a03_ml"), time="occasion")
    assert cause_words(found)[0] == "residual_variances"
    assert found.verdict == "explained"


def test_standard_deviations_called_variances() -> None:
    text = text_of("sas_a02_reml")
    for variance, deviation in (("0.04519", "0.21259"), ("0.004504", "0.067111")):
        text = text.replace(variance, deviation)
    text = text.replace("0.04239", "0.20588").replace("-0.00140", "-0.09823")
    found = gm.verify(LINEAR, frame(GPA), against=text)
    assert (found.verdict, cause_words(found)) == ("explained", ["deviations"])


def test_a_program_that_stopped_early() -> None:
    text = text_of("nlme_a02_ml")
    for exact, early in (("-123.1171", "-123.1201"), ("258.2342", "258.2402")):
        text = text.replace(exact, early)
    text = text.replace("288.7747", "288.7807").replace("0.21179410", "0.21240000")
    found = gm.verify(LINEAR, frame(GPA), against=text)
    assert (found.verdict, cause_words(found)) == ("explained", ["stopped_early"])


def test_other_data() -> None:
    fewer = frame(GPA)[frame(GPA)["student"] > 20]
    found = gm.verify(LINEAR, fewer, against=text_of("lme4_a02_ml"))
    assert found.verdict == "differs"
    assert cause_words(found)[-1] == "different_data"
    assert "200 printed, 180 here" in found.causes[-1].description


def test_the_other_family_s_model() -> None:
    """A model is translated to the family of the program that printed."""
    found = gm.verify(LINEAR, frame(GPA), against=text_of("lavaan_a02_fit"))
    assert found.agrees, found.summary()
    found = gm.verify(
        LOADINGS + EQUAL, frame(GPA_WIDE), against=text_of("sas_a02_ml"), id="student"
    )
    assert {row.printed_name for row in found.rows if not row.agrees} <= {"occasion"}


def test_other_names_of_the_latent_variables() -> None:
    import re

    text = re.sub(r"\bi\b(?= =~|  |  ~~| ~~)", "I0", text_of("lavaan_a02_fit"))
    found = gm.verify(LINEAR, frame(GPA), against=text)
    assert found.agrees, found.summary()


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    data = str(reference_folder() / "data" / GPA)
    call = ["verify", LINEAR, "--data", data, "--against"]
    assert main([*call, str(OUTPUTS / "lme4_a02_reml.txt"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "agrees"
    assert answer["against"]["n_agree"] == answer["against"]["n_compared"] == 14
    assert main([*call, str(OUTPUTS / "glmmtmb_a02_reml.txt")]) == 1
    assert "estimator: The printed figures are those of REML" in capsys.readouterr().out
    assert main([*call, "no-such-file.out"]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_engines_have_no_part_in_it() -> None:
    with pytest.raises(SpecificationError, match="Both engines"):
        gm.verify(LINEAR, frame(GPA), against=text_of("lme4_a02_ml"), engines=["statsmodels"])
