"""No name of a column, level, label or file becomes code in any notation."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from growth_table import COLUMNS, family_of
from program_models import HOSTILE

import growthmm as gm
from growthmm.errors import GrowthmmError
from growthmm.model.expression import quote
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.notation.base import ScriptContext

NAMES = ('x"); system("id', "x'); system('id", "x`; system(id); `", "x\n; system(id)")
"""Names that close each kind of quote; the nightly profile tries more."""

CALLS = re.compile(r"(?i)\b(?:system|shell|host|popen|rm\s+-rf|%macro|sysuserid)\b")
"""What the names would run."""

R_PROGRAMS = ("lme4", "nlme", "glmmtmb", "brms", "lavaan", "openmx")
PYTHON_PROGRAMS = ("statsmodels", "semopy")

PLACES = ("covariate", "outcome", "time", "person", "level", "label", "file")


@cache
def _made(column: str, name: str, place: str) -> tuple[str, str] | str:
    """Text and script with the name in one place, or the reason for a refusal."""
    names = {"covariate": "x", "outcome": "y", "time": "t", "person": "id"}
    if place in names:
        names[place] = name
    x, y, t, person = (quote(names[k]) for k in ("covariate", "outcome", "time", "person"))
    frame = pd.DataFrame(
        {
            names["person"]: np.repeat(np.arange(12), 3),
            names["time"]: np.tile(np.arange(3.0), 12),
            names["covariate"]: np.repeat(np.arange(12.0) % 5, 3),
            names["outcome"]: np.arange(36.0) ** 1.5,
            "g": np.repeat([name if place == "level" else "a", "zz"] * 6, 3),
        }
    )
    text = f"{y} ~ {t} * {x} + g + (1 + {t} | {person})"
    facts = {"id": names["person"], "time": names["time"]}
    try:
        made = gm.translate(text, column, data=frame, **facts)
        model, script, said = made.model, made.script, made.text
        if place == "label":
            if isinstance(model, MixedModel):
                return "a mixed model has no labels"
            model = _labelled(model, name)
            said = gm.write(model, column.partition(":")[0]).text
        if place in ("label", "file"):
            path = f"{name}.csv" if place == "file" else None
            context = ScriptContext(path, "long" if isinstance(model, MixedModel) else "wide")
            script = notation(column.partition(":")[0]).script(model, context)
    except GrowthmmError as error:
        return str(error)
    return said, script


def _labelled(model: SemModel, label: str) -> SemModel:
    paths = [replace(p, label=label) if p.label == "v" else p for p in model.paths]
    return replace(model, paths=tuple(paths))


def _bare(column: str, code: str) -> str:
    """The code without what its language takes for strings, quoted names and comments."""
    name = column.partition(":")[0]
    if name in PYTHON_PROGRAMS:
        nodes = list(ast.walk(ast.parse(code)))
        plain = [node.id for node in nodes if isinstance(node, ast.Name)]
        return " ".join(plain + [node.attr for node in nodes if isinstance(node, ast.Attribute)])
    if name == "sas":
        return re.sub(r"'(?:[^']|'')*'n?|/\*.*?\*/", "", code, flags=re.S)
    if name == "spss":
        code = re.sub(r"(?m)^\s*[#*].*$", "", code)
        return re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "", code)
    if name == "stata":
        return re.sub(r"`\".*?\"'|(?m:^\s*\*.*$)", "", code)
    if name == "mplus":
        return re.sub(r"(?m:!.*$)|\"[^\"\n]*\"", "", code)
    if name == "ram":
        return ""
    strings = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|(?m:#.*$)"
    return re.sub(strings, "", code, flags=re.S)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("column", COLUMNS)
def test_no_name_becomes_code(column: str, place: str) -> None:
    _assert_harmless(column, place, NAMES)


@pytest.mark.nightly
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("column", COLUMNS)
def test_no_other_name_becomes_code(column: str, place: str) -> None:
    _assert_harmless(column, place, HOSTILE)


def _assert_harmless(column: str, place: str, names: tuple[str, ...]) -> None:
    for name in names:
        made = _made(column, name, place)
        if isinstance(made, str):
            assert len(made) > 20
            continue
        text, script = made
        for code in (text, script):
            if code is text and column in ("semopy", "lavaan"):
                _assert_reads_back(column, text, name, place)
                continue
            assert not CALLS.search(_bare(column, code)), f"{name!r}:\n{code}"


def _assert_reads_back(column: str, text: str, name: str, place: str) -> None:
    """Path text stands alone: what it says is what was meant, and no line more."""
    model = notation(column).read(text)
    assert isinstance(model, SemModel)
    assert len(model.defined) == len(model.constraints) == 0
    known = {*model.latent, *model.outcomes, *model.covariates}
    assert len(known) == 2 + 3 + 2, (name, place, known)


@pytest.mark.r("lavaan")
def test_r_calls_nothing_of_the_kind(tmp_path: Path) -> None:
    """R's own parser finds no call, no variable and no operator that the names spell."""
    scripts = []
    for column in R_PROGRAMS:
        for place in PLACES:
            for name in NAMES:
                made = _made(column, name, place)
                if not isinstance(made, str):
                    scripts += [code for code in made if column != "lavaan" or "library" in code]
    assert len(scripts) > 50
    for at, code in enumerate(scripts):
        (tmp_path / f"{at:04d}.R").write_text(code, encoding="utf-8")
    check = (
        'for (f in list.files(pattern = "[.]R$")) { p <- parse(f, encoding = "UTF-8");'
        "n <- unlist(lapply(p, function(e) { w <- all.names(e);"
        'w[grepl("^(system|shell|rm)$", w)] }));'
        'if (length(n)) cat(f, n, "\\n") }'
    )
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", check],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_every_family_is_tried() -> None:
    assert {family_of(column) for column in COLUMNS} == {"mixed", "sem"}
    said = [_made(column, NAMES[0], "covariate") for column in COLUMNS]
    assert sum(not isinstance(made, str) for made in said) >= 10
