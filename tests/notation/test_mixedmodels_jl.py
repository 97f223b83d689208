"""MixedModels.jl: written, not read. There is no Julia here, so texts are compared."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_scripts import model_of

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.expression import quote
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.sem import Path as SemPath
from growthmm.model.sem import SemModel
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation import notation, recognise
from growthmm.notation.base import ScriptContext
from growthmm.notation.mixedmodels_jl.formula import identifier, julia_string

JULIA = notation("mixedmodels.jl")
WRITTEN = [
    ("y ~ t*x + (1 + t | id)", "y ~ 1 + t + x + t & x + (1 + t | id)", ""),
    ("y ~ 0 + t + (0 + t | id)", "y ~ 0 + t + (0 + t | id)", ""),
    ("y ~ t + (t || id)", "y ~ 1 + t + zerocorr(1 + t | id)", ""),
    ("y ~ (t:x | a/b)", "y ~ 1 + (1 + t & x | a) + (1 + t & x | a & b)", ""),
    ("log(y) ~ I(t^2) + (1 | id)", "log(y) ~ 1 + t ^ 2 + (1 | id)", ""),
    ("y ~ I((t - 2)/10) + (1 | id)", "y ~ 1 + protect((t - 2) / 10) + (1 | id)", ""),
    ("y ~ I(t*x) + exp(t + 1) + (1 | id)", "y ~ 1 + protect(t * x) + exp(t + 1) + (1 | id)", ""),
    (
        "y ~ factor(s) + (1 | id)",
        "y ~ 1 + s + (1 | id)",
        "contrasts = Dict(:s => DummyCoding())",
    ),
    (
        'y ~ relevel(s, ref = "b") + C(g, contr.helmert) + (1 | id)',
        "y ~ 1 + s + g + (1 | id)",
        'contrasts = Dict(:s => DummyCoding(; base = "b"), :g => HelmertCoding())',
    ),
    (
        "y ~ (1 + factor(s) || id)",
        "y ~ 1 + (1 | id) + (0 + s | id)",
        "contrasts = Dict(:s => DummyCoding())",
    ),
    (
        "`my y` ~ `x.1` + `end` + (1 | id)",
        'var"my y" ~ 1 + var"x.1" + var"end" + (1 | id)',
        "",
    ),
]


@pytest.mark.parametrize(("formula", "inside", "options"), WRITTEN)
def test_a_formula_is_written(formula: str, inside: str, options: str) -> None:
    model = model_of(formula, "common")
    by_ml, by_reml = JULIA.write(model), JULIA.write(replace(model, estimator="reml"))
    start = f"fit(MixedModel, @formula({inside}), data"
    assert by_ml.losses == ()
    assert by_ml.text == f"{start}{'; ' if options else ''}{options})"
    comma = ", " if options else ""
    assert by_reml.text == f"{start}; {options}{comma}REML = true)"


@pytest.mark.parametrize(
    ("formula", "residual", "what"),
    [
        ("y ~ t + (t | id)", "by_occasion", "residual variance by occasion"),
        ("y ~ t + (t | id)", "unstructured", "unstructured residuals"),
        ("y ~ poly(t, 2) + (t | id)", "common", "poly(t, 2)"),
        ("y ~ scale(t) + (1 | id)", "common", "scale(t)"),
        ("y ~ t + factor(t) + (1 | id)", "common", "t with more than one coding"),
        ("y ~ C(s, contr.sum) + (1 | id)", "common", "C(s, Sum)"),
        ("y ~ t", "common", "no random effects"),
    ],
)
def test_what_cannot_be_said_is_a_loss(formula: str, residual: str, what: str) -> None:
    assert what in [loss.what for loss in JULIA.write(model_of(formula, residual)).losses]


RAW = re.compile(r'var"((?:[^"\\]|\\.)*)"', re.DOTALL)


def raw_value(inside: str) -> str:
    """What Julia makes of a raw string: backslashes only count before a quote or at the end."""

    def halved(match: re.Match[str]) -> str:
        return "\\" * (len(match[1]) // 2) + match[2]

    quotes = re.sub(r'(\\+)(")', lambda m: "\\" * ((len(m[1]) - 1) // 2) + '"', inside)
    return re.sub(r"(\\+)(\Z)", halved, quotes)


@given(st.text(min_size=1, max_size=12, alphabet='xyid"\\; ()$`#\n'))
def test_any_name_is_one_name(name: str) -> None:
    written = identifier(name)
    if written != name:
        found = RAW.fullmatch(written)
        assert found is not None
        assert raw_value(found[1]) == name
    model = MixedModel(quote("y"), (INTERCEPT, Term((quote(name),))))
    assert f"@formula(y ~ 1 + {written})" in JULIA.write(model).text


def test_file_names_are_strings() -> None:
    assert julia_string('a") ; run(`id` $x\\') == '"a\\") ; run(`id` \\$x\\\\"'
    script = JULIA.script(model_of("y ~ t + (t | id)", "common"), ScriptContext('a$(1)"'))
    assert 'CSV.File("a\\$(1)\\"")' in script


def test_a_script_stacks_wide_data() -> None:
    schema = Schema("id", "t", "y", occasions=(0.0, 1.5), outcome_columns=("y_0", "y_1.5"))
    context = ScriptContext("w.csv", layout="wide", schema=schema)
    script = JULIA.script(model_of("y ~ t + (t | id)", "common"), context)
    assert "enumerate([0, 1.5])" in script
    assert 'rows[!, "y"] = wide[!, ["y_0", "y_1.5"][j]]' in script


def test_it_is_recognised_and_not_read() -> None:
    text = "fit(MixedModel, @formula(y ~ 1 + t + (1 + t | id)), df)"
    assert recognise(text) == "mixedmodels.jl"
    with pytest.raises(NotationError, match=r"MixedModels\.jl is written, not read"):
        JULIA.read(text)


def test_coefficients_have_the_names_of_the_program() -> None:
    both = Column(
        Term(("I(t**2)", "C(s)")), (ColumnPart("I(t**2)"), ColumnPart("C(s)", 0, "b", "contrast"))
    )
    assert JULIA.coefficient(both) == "t ^ 2 & s: b"
    assert JULIA.coefficient(Column(Term())) == "(Intercept)"


def test_a_structural_equation_model_is_refused() -> None:
    with pytest.raises(SpecificationError, match=r"MixedModels\.jl writes mixed models"):
        JULIA.write(SemModel((SemPath("y", "~~", "y"),), (), ("y",)))
