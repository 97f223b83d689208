"""The table of reference cases says what the golden files say."""

from __future__ import annotations

import pytest
import reference
from reference import CASES, Case, exact, reference_folder


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _at(content, path):
    for key in path:
        content = content[key]
    return content


@pytest.fixture(params=list(CASES))
def entry(request: pytest.FixtureRequest) -> Case:
    reference_folder()
    return CASES[request.param]


def test_formula_is_the_golden_one(entry: Case) -> None:
    if entry.golden_call:
        call = _squeeze(entry.golden["mixed"]["ml"]["call"])
        assert [piece for piece in entry.golden_call if _squeeze(piece) not in call] == []
    elif entry.formula_path:
        golden = _at(entry.golden, entry.formula_path)
        assert _squeeze(entry.golden_formula or entry.formula) == _squeeze(golden)
    else:
        assert entry.name == "A05b"
        assert entry.formula == CASES["A05"].formula


def test_formula_names_columns_of_the_long_data(entry: Case) -> None:
    frame = entry.long_frame()
    for column in (entry.id, entry.time, entry.outcome):
        assert column in frame.columns
    assert entry.formula.startswith(f"{entry.outcome} ~ ")
    assert f"| {entry.id})" in entry.formula


def test_wide_data_hold_the_outcomes_of_the_long_data(entry: Case) -> None:
    long, wide = entry.long_frame(), entry.wide_frame()
    outcomes = wide[list(entry.outcome_columns)]
    assert int(outcomes.notna().to_numpy().sum()) == int(long[entry.outcome].notna().sum())
    assert outcomes.sum().sum() == pytest.approx(long[entry.outcome].sum(), rel=1e-12)
    assert entry.complete == bool(outcomes.notna().to_numpy().all())


def test_lavaan_text_names_the_outcomes(entry: Case) -> None:
    if not entry.lavaan_path:
        assert entry.name == "E02"
        return
    text = entry.lavaan
    assert [column for column in entry.outcome_columns if column not in text] == []
    assert ("missing" in entry.lavaan_arguments) == (not entry.complete)


WITHOUT_EXACT = ("A05b", "F02", "H01", "L01")
ML_ONLY = {"A09", "K01", "K02", "M01"}
GAIN_WITHOUT_BOUNDS = {
    ("A06", "ml"): 0.0305,
    ("A06", "reml"): 0.0207,
    ("K01", "ml"): 0.1761,
    ("K02", "ml"): 0.0835,
}
"""How far the unbounded optimum lies above lme4's, where G is no covariance matrix."""


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("name", [name for name in CASES if name not in WITHOUT_EXACT])
def test_exact_has_every_parameter_and_the_mixed_likelihood(name, method) -> None:
    reference_folder()
    if name in ML_ONLY and method == "reml":
        with pytest.raises(pytest.skip.Exception, match="for ML only"):
            exact(name, method)
        return
    answer = exact(name, method)
    assert len(answer["estimates"]) == answer["n_parameters"]
    parts = answer["fixed"] | answer["covariance"] | answer["residual"]
    assert parts == answer["estimates"]
    assert answer["se_expected"] or answer["se_observed"]
    if name == "M01":
        return
    mixed = CASES[name].golden["mixed"][method]
    gain = answer["log_likelihood"] - mixed["logLik"]
    assert gain == pytest.approx(GAIN_WITHOUT_BOUNDS.get((name, method), 0.0), abs=1e-4)
    if (name, method) not in GAIN_WITHOUT_BOUNDS:
        assert abs(gain) < 2e-7


@pytest.mark.parametrize("name", WITHOUT_EXACT)
def test_exact_skips_where_there_is_none(name) -> None:
    reference_folder()
    with pytest.raises(pytest.skip.Exception, match="no dense referee"):
        exact(name, "ml")


def test_frames_are_copies() -> None:
    frame = CASES["A02"].long_frame()
    frame["gpa"] = 0.0
    assert CASES["A02"].long_frame()["gpa"].mean() > 2


def test_absent_folder_skips_with_a_reason(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "absent")
    with pytest.raises(pytest.skip.Exception, match="beside the project"):
        reference.case("A02")
