"""Models in files that name their data: translated from the file alone; defaults listed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.cli import main
from growthmm.data.named import read_free, with_codes
from growthmm.errors import DataError, SpecificationError, UnboundError
from growthmm.notation.data_source import named_by_r, named_by_sas, named_by_spss, named_by_stata

SCORES = " ".join(f"y{k}@{k}" for k in range(4))
INPUT = f"""TITLE: growth;
DATA: FILE IS data/g.dat;
VARIABLE: NAMES ARE id Y0-Y3 x; USEVARIABLES = Y0-Y3; MISSING = Y0-Y3 (-99) x (9);
MODEL: i s | {SCORES}; y0-y3 (1);
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model file beside its data, of free format, two missing codes."""
    draw = np.random.default_rng(3)
    intercepts = draw.normal(2, 1, 60)
    rows = []
    for k in range(60):
        y = intercepts[k] + np.arange(4) * draw.normal(0.5, 0.3) + draw.normal(0, 0.4, 4)
        cells = [f"{value:.4f}" for value in y]
        if k % 7 == 0:
            cells[k % 4] = "-99"
        rows.append("  ".join([str(k + 1), *cells, "9" if k == 3 else "1"]))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "g.dat").write_text("\r\n".join(rows) + "\r\n")
    (tmp_path / "m.inp").write_text(INPUT)
    return tmp_path


def test_an_mplus_file_is_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    made = gm.translate(folder / "m.inp", "lme4", id="id")
    assert made.text.strip() == "Y ~ time + (1 + time | id)"
    said = [str(note) for note in made.assumptions]
    assert any("data/g.dat (60 rows, 6 columns)" in note for note in said)
    assert made.schema is not None
    assert made.schema.person == "id"


def test_the_free_format_file_is_read_rightly(folder: Path) -> None:
    from growthmm.verbs.model_data import named_data, named_source

    found = named_source(INPUT, gm.read(INPUT))
    assert found is not None
    frame = named_data(found, folder).frame
    assert list(frame.columns) == ["id", "Y0", "Y1", "Y2", "Y3", "x"]
    assert int(frame[["Y0", "Y1", "Y2", "Y3"]].isna().sum().sum()) == 9
    assert int(frame["x"].isna().sum()) == 1
    fit = gm.fit(INPUT, frame)
    text = (folder / "data" / "g.dat").read_text().replace("-99", "nan")
    by_hand = pd.DataFrame(
        [line.split() for line in text.splitlines()], columns=frame.columns
    ).astype(float)
    assert fit.log_likelihood == pytest.approx(gm.fit(INPUT, by_hand).log_likelihood, abs=1e-9)


def test_data_that_are_not_there_are_said(folder: Path) -> None:
    (folder / "data" / "g.dat").unlink()
    made = gm.translate(folder / "m.inp", "lme4")
    assert "is not in" in " ".join(str(note) for note in made.assumptions)


def test_a_row_on_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "g.dat"
    path.write_text("1 2.5\n3\n4, 5 6\n")
    assert read_free(path, ["a", "b", "c"]).to_numpy().tolist() == [
        ["1", "2.5", "3"],
        ["4", "5", "6"],
    ]
    path.write_text("1 2\n3\n4 5\n")
    with pytest.raises(DataError, match="The last row"):
        read_free(path, ["a", "b", "c"])
    path.write_text("1 2\n3 4\n")
    with pytest.raises(DataError, match="Line 2"):
        read_free(path, ["a", "b", "c"])


def test_codes_hold_for_their_columns() -> None:
    frame = pd.DataFrame({"a": ["9", "9.00", "1"], "b": ["9", ".", "m"]})
    made = with_codes(frame, [("9", ["a"]), (".", [])])
    assert made["a"].isna().tolist() == [True, True, False]
    assert made["b"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("reader", "text", "path", "kind", "names"),
    [
        (named_by_r, 'd <- read.csv("a b.csv")\nx', "a b.csv", "delimited", ()),
        (named_by_r, "d = read.table('d.txt', header = TRUE)", "d.txt", "delimited", ()),
        (named_by_stata, "use gpa, clear\nmixed y t || id: t", "gpa.dta", "stata", ()),
        (named_by_stata, 'use id y using "d.dta"\nmixed y t || id:', "d.dta", "stata", ()),
        (named_by_stata, "import delimited g.csv\nmixed y t || id:", "g.csv", "delimited", ()),
        (
            named_by_sas,
            "proc import datafile='g.csv' out=d dbms=csv; run; proc mixed; run;",
            "g.csv",
            "delimited",
            (),
        ),
        (
            named_by_sas,
            "data d; infile 'g.dat' dlm=',' firstobs=2; input id t y; run;",
            "g.dat",
            "free",
            ("id", "t", "y"),
        ),
        (
            named_by_spss,
            "GET DATA /TYPE=TXT /FILE='g.csv' /DELIMITERS=\",\" /FIRSTCASE=2\n"
            " /VARIABLES=id F4 t F2 y F8.2.\nMIXED y.",
            "g.csv",
            "free",
            ("id", "t", "y"),
        ),
        (named_by_spss, "GET FILE='g.sav'.", "g.sav", "spss", ()),
    ],
)
def test_files_that_programs_name(reader, text, path, kind, names) -> None:  # type: ignore[no-untyped-def]
    found = reader(text)
    assert found is not None
    assert (found.path, found.format, found.names) == (path, kind, names)


def test_a_script_of_two_files_names_none_unless_the_model_s_frame_is_known() -> None:
    text = 'a <- read.csv("a.csv")\nb <- read.csv("b.csv")\n'
    assert named_by_r(text) is None
    assert named_by_r(text, "b").path == "b.csv"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (
            ".sas",
            'proc import datafile="long.csv" out=d dbms=csv; run;\n'
            "proc mixed data=d method=ml; class id; model y = t / s;\n"
            "random int t / subject=id type=un; run;",
        ),
        (".do", "import delimited long.csv\nmixed y t || id: t, covariance(unstructured)\n"),
        (
            ".sps",
            "GET DATA /TYPE=TXT /FILE='long.csv' /DELIMITERS=',' /FIRSTCASE=2\n"
            " /VARIABLES=id F4 t F2 y F8.\n"
            "MIXED y WITH t /FIXED=t /METHOD=ML /RANDOM=INTERCEPT t | SUBJECT(id) COVTYPE(UN).",
        ),
        (".R", 'd <- read.csv("long.csv")\nlmer(y ~ t + (1 + t | id), d, REML = FALSE)\n'),
    ],
)
def test_model_files_of_other_programs(tmp_path: Path, suffix: str, text: str) -> None:
    lines = ["id,t,y"]
    draw = np.random.default_rng(1)
    lines += [f"{k},{t},{draw.normal():.4f}" for k in range(12) for t in (0, 1, 3)]
    (tmp_path / "long.csv").write_text("\n".join(lines) + "\n")
    model = tmp_path / f"m{suffix}"
    model.write_text(text)
    made = gm.translate(model, "lavaan")
    assert "s =~ 0*y_0 + 1*y_1 + 3*y_3" in made.text
    assert "long.csv (36 rows, 3 columns)" in " ".join(str(a) for a in made.assumptions)


def test_defaults_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    model = "proc mixed data=d; model y = t / s; random int t / sub=id; run;"
    rows = gm.defaults(model, "stata")
    kept = {row.what: row for row in rows if row.written}
    assert (kept["estimator"].source_value, kept["estimator"].target_value) == ("REML", "ML")
    assert kept["estimator"].written == "reml"
    assert main(["defaults", model, "--to", "lavaan", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["defaults"]
    covariance = next(row for row in listed if row["what"] == "i~~s")
    assert covariance["source_rule"].startswith("PROC MIXED: TYPE=VC")
    assert covariance["written"] == "i ~~ 0*s"
    residuals = next(row for row in listed if "~~y_0" in row["what"])
    assert residuals["target_rule"] == "growth(): residual variances are free"


def test_defaults_of_mplus_that_lavaan_does_not_share() -> None:
    rows = gm.defaults(INPUT, "lavaan")
    missing = next(row for row in rows if row.what == "missing")
    assert (missing.source_value, missing.target_value) == ("ml", "listwise")
    assert missing.written == 'missing = "ml"'


def test_defaults_that_both_share_are_left_out() -> None:
    rows = gm.defaults("lmer(y ~ t + (t | id), d)", "statsmodels")
    assert not {"estimator", "intercept", "residuals"} & {row.what for row in rows}


def test_the_command_line_prints_map_defaults_and_losses(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["translate", str(folder / "m.inp"), "--to", "lme4", "--id", "id"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Y ~ time") < shown.index("fixed effect of its loading")
    assert "Defaults that differ" in shown
    assert "Lost (the target says nothing of it):\n  information: observed" in shown
    assert main(["translate", str(folder / "m.inp"), "--to", "lavaan", "--json"]) == 0
    assert any(row["what"] == "missing" for row in json.loads(capsys.readouterr().out)["defaults"])


def test_why_the_named_data_gave_no_facts_is_said(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("id,t,y,x\n1,0,2.0,1\n")
    (tmp_path / "m.sps").write_text(
        'GET DATA /TYPE=TXT /FILE="g.csv" /DELIMITERS="," /FIRSTCASE=2 /VARIABLES=id F8 t F8.\n'
        "MIXED y WITH t /FIXED=t | SSTYPE(3) /RANDOM=INTERCEPT | SUBJECT(id) COVTYPE(ID).\n"
    )
    with pytest.raises(UnboundError, match="the times") as caught:
        gm.translate(tmp_path / "m.sps", "lavaan")
    assert "g.csv' has 4 cells, and a row has 2 columns." in str(caught.value.hint)


def test_fit_and_verify_take_the_data_that_the_file_names(folder: Path) -> None:
    named = gm.fit(folder / "m.inp")
    frame = read_free(folder / "data" / "g.dat", ["id", "Y0", "Y1", "Y2", "Y3", "x"])
    frame = with_codes(frame, [("-99", ("Y0", "Y1", "Y2", "Y3")), ("9", ("x",))])
    assert named.log_likelihood == gm.fit(folder / "m.inp", frame).log_likelihood
    note = "the data are data/g.dat (60 rows, 6 columns)"
    assert note in [said.what for said in named.assumptions]
    found = gm.verify(folder / "m.inp")
    assert found.model_verdict == "identical_if"
    assert note in [said.what for said in found.assumptions]


def test_a_model_without_data_anywhere_is_refused(folder: Path) -> None:
    (folder / "bare.lav").write_text("i =~ 1*y0 + 1*y1\ns =~ 0*y0 + 1*y1\n")
    for verb in (gm.fit, gm.verify):
        for model in ("y ~ t + (t | id)", folder / "bare.lav"):
            with pytest.raises(SpecificationError, match="No data were given"):
                verb(model)


def test_commands_take_the_data_that_the_file_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(folder / "m.inp"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "identical"
    assert main(["fit", "y ~ t + (t | id)"]) == 2
    assert "growthmm fit needs data." in capsys.readouterr().err
