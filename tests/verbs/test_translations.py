"""Each model in ``texts.txt`` says the same in every notation, and every pair carries it over."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from study import long_data

import growthmm as gm
from growthmm.errors import UnsupportedError

NOTATIONS = ("lme4", "statsmodels", "lavaan", "semopy")
NO_WORDS = "(cannot say it)"


def table() -> dict[str, dict[str, str]]:
    """The texts by model and notation."""
    text = Path(__file__).with_name("texts.txt").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for section in text.split("## ")[1:]:
        name, _, body = section.partition("\n")
        parts = body.split("\n[") if body.startswith("\n") else ("\n" + body).split("\n[")
        pairs = (part.partition("]\n") for part in parts[1:])
        found[name] = {notation: said.strip("\n") for notation, _, said in pairs}
    return found


TABLE = table()
PAIRS = [
    (name, source, target)
    for name, source, target in itertools.product(TABLE, NOTATIONS, NOTATIONS)
    if TABLE[name][source] != NO_WORDS
]


@cache
def data() -> pd.DataFrame:
    return long_data()


def facts(name: str) -> dict[str, object]:
    time = "year" if name == "years" else "wave"
    return {"data": data(), "id": "person", "time": time}


def spelled(text: str, notation: str) -> object:
    """What of a text matters: the order of SEM statements does not."""
    return frozenset(text.strip().split("\n")) if notation in ("lavaan", "semopy") else text.strip()


def test_the_table_is_complete() -> None:
    assert len(TABLE) >= 16
    assert all(tuple(texts) == NOTATIONS for texts in TABLE.values())
    refused = [(name, n) for name in TABLE for n in NOTATIONS if TABLE[name][n] == NO_WORDS]
    assert refused == [("orthogonal polynomials", "statsmodels")]


@pytest.mark.parametrize(("name", "source", "target"), PAIRS, ids="-".join)
def test_text_of_one_is_text_of_the_other(name: str, source: str, target: str) -> None:
    given, wanted = TABLE[name][source], TABLE[name][target]
    if wanted == NO_WORDS:
        with pytest.raises(UnsupportedError) as caught:
            gm.translate(given, target, notation=source, **facts(name))
        assert caught.value.losses
        return
    made = gm.translate(given, target, notation=source, **facts(name))
    assert spelled(made.text, target) == spelled(wanted, target)
    assert made.losses == ()


SAID = [(name, n) for name in TABLE for n in NOTATIONS if TABLE[name][n] != NO_WORDS]


@pytest.mark.parametrize(("name", "notation"), SAID, ids="-".join)
def test_text_reads_back_and_writes_itself(name: str, notation: str) -> None:
    text = TABLE[name][notation]
    written = gm.write(gm.read(text, notation), notation)
    assert written.losses == ()
    assert spelled(written.text, notation) == spelled(text, notation)
    assert gm.write(gm.read(written.text), notation).text == written.text


PYTHON = [(name, n) for name, n in SAID if n in ("statsmodels", "semopy")]


@pytest.mark.parametrize(("name", "notation"), PYTHON, ids="-".join)
def test_python_scripts_compile(name: str, notation: str) -> None:
    made = gm.translate(TABLE[name]["lme4"], notation, **facts(name))
    compile(made.script, f"{name}.py", "exec")
    written = gm.write(gm.read(TABLE[name][notation], notation), notation)
    compile(written.script, f"{name}.py", "exec")
