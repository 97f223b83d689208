"""Tables in text fit the terminal; no number is cut, and no part of a name is lost."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_long_names import OUTCOME, SEX, TIME, verified

import growthmm as gm
from growthmm.cli import main
from growthmm.report.text_columns import display_width
from growthmm.report.text_table import table

NAMES = st.text("abcdefg_:.~()| 番é", min_size=1, max_size=90).map(str.strip).filter(bool)
NUMBERS = st.integers(-(10**6), 10**6).map(lambda n: f"{n / 1000:.3f}")


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], int]:
    left, right = draw(st.integers(1, 3)), draw(st.integers(0, 10))
    rows = draw(st.lists(st.tuples(*[NAMES] * left, *[NUMBERS] * right), min_size=1, max_size=4))
    return [list(row) for row in rows], left


@given(tables(), st.integers(60, 160), st.booleans())
def test_a_table_fits_and_keeps_everything(
    made: tuple[list[list[str]], int], width: int, note: bool
) -> None:
    rows, left = made
    headers = [f"h{k}" for k in range(len(rows[0]))]
    if note:
        headers.append("note")
        rows = [[*row, f"a note on row {k} " * 6] for k, row in enumerate(rows)]
    text = table(headers, rows, left=left, note=note, width=width)
    lines = text.split("\n")
    assert max(map(display_width, lines)) <= width
    words = text.split()
    for row in rows:
        for number in row[left : len(row) - note]:
            assert number in words
    # The first block has every letter of every name, in order of lines.
    first = text.split("\n\n")[0]
    for letter in set("abcdefg_:.~()|番é"):
        wanted = sum(name.count(letter) for row in rows for name in row[:left])
        assert first.count(letter) >= wanted


def test_a_table_without_rows_or_numbers() -> None:
    assert table(["model", "AIC"], []) == "model  AIC\n----------"
    names = ["one_name_of_many_letters_" * 3] * 3
    shown = table(["mixed", "SEM", "rule"], [names], left=3, width=60)
    assert max(map(len, shown.split("\n"))) <= 60
    assert "".join(shown.split("\n")[2:]).replace(" ", "").count("letters") == 9


def test_signs_that_move_the_cursor_are_blanks() -> None:
    assert "\x1b" not in table(["a\x1b[2Jb"], [["x\r\ny"]])


@cache
def _results() -> dict[str, Any]:
    columns = {"gpa": OUTCOME, "occasion": TIME, "sex": SEX, "student": "日本語の番号 id"}
    data = gm.datasets.gpa().query("student <= 60").rename(columns=columns)
    small = f"`{OUTCOME}` ~ {TIME} + (1 | `日本語の番号 id`)"
    found = verified()
    return {
        "verify": found,
        "fit": found.mixed_fit,
        "sem": found.sem_fit,
        "compare": gm.compare(gm.fit(small, data), found.mixed_fit),
        "explain": gm.explain(f"lmer({small}, d)", f"lmer({small}, d, REML = FALSE)", data),
    }


@pytest.mark.parametrize("kind", ["verify", "fit", "sem", "compare", "explain"])
@pytest.mark.parametrize("width", ["80", "120"])
def test_long_names_leave_tables_within_the_terminal(
    monkeypatch: pytest.MonkeyPatch, kind: str, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    inside = False
    rows = []
    for line in _results()[kind].summary().split("\n"):
        if set(line.strip()) == {"-"}:
            inside = True
        if not line:
            inside = False
        rows += [line] if inside else []
    assert len(rows) > 2
    assert max(map(display_width, rows)) <= int(width)


def test_the_table_of_a_translation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    monkeypatch.delenv("COLUMNS")
    formula = f"gpa ~ {TIME} + (1 + {TIME} | student)"
    words = ["translate", formula, "--to", "lavaan", "--time-values", "0,1,2,3"]
    assert main(words) == 0
    shown = capsys.readouterr().out.partition("mixed ")[2]
    assert "cov((Intercept)," in shown
    assert max(map(display_width, shown.split("\n\n")[0].split("\n")[1:])) <= 112


def test_assumptions_of_an_sem_translated_to_an_sem(capsys: pytest.CaptureFixture[str]) -> None:
    # There are no parameters of two sides, and so no table.
    text = "i =~ 1*y_0 + 1*y_1 + 1*y_2"
    assert main(["translate", text, "--from", "lavaan", "--to", "openmx"]) == 0
    assert "Assumed: " in capsys.readouterr().out
