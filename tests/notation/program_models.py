"""Models for the notations of SAS, SPSS and Stata, and names that would be code."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.lme4 import NOTATION as LME4

HOSTILE = (
    'x"); system("id',
    "x'; x; run; %macro",
    "a b",
    "x\n! rm -rf .",
    "y || shell id",
    "`x'",
    "x */ run; /*",
    "$(id)",
    "&sysuserid",
    "x. HOST COMMAND=['id'].",
)
"""Column names that would be code if a program took them as they are."""


def formula(text: str, residual: str = "common", estimator: str = "reml") -> MixedModel:
    """A mixed model from a formula, with the residual structure and estimator."""
    structure = ResidualStructure.parse(residual)
    return replace(LME4.read(text), residual=structure, estimator=estimator)  # type: ignore[arg-type]


_NUMERIC = ("t", "x", "I(t^2)", "log(x)", "I((t - 2)/10)", "I(pmax(t - 3, 0))")
_FACTORS = ("factor(sex)", "factor(arm)")


@st.composite
def formulas(draw: st.DrawFn) -> str:
    """Formulas of growth models: crossings, factors, computed columns, random effects."""
    atoms = draw(st.lists(st.sampled_from([*_NUMERIC, *_FACTORS]), max_size=3, unique=True))
    fixed = [*atoms]
    if len(atoms) > 1 and draw(st.booleans()):
        fixed = [" * ".join(atoms[:2]), *atoms[2:]]
    pieces = [draw(st.sampled_from(["1", "1", "0"])), *fixed]
    if draw(st.booleans()):
        inside = draw(st.lists(st.sampled_from(_NUMERIC), max_size=2, unique=True))
        bar = draw(st.sampled_from(["|", "||"]))
        group = draw(st.sampled_from(["id", "school/id"]))
        lead = draw(st.sampled_from(["1", "1", "0"])) if inside else "1"
        pieces.append(f"({' + '.join([lead, *inside])} {bar} {group})")
    return f"y ~ {' + '.join(pieces)}"


RESIDUALS = (
    *("common", "by_occasion", "by_group:sex", "ar1", "ar1+common", "arh1", "cs", "csh"),
    *("toeplitz", "banded:2", "unstructured"),
)


@st.composite
def mixed_models(draw: st.DrawFn) -> MixedModel:
    """Mixed models with a residual structure that says its columns."""
    model = formula(draw(formulas()), "common", draw(st.sampled_from(["ml", "reml"])))
    residual = ResidualStructure.parse(draw(st.sampled_from(RESIDUALS)))
    return replace(model, residual=replace(residual, time="week", person="id"))


@st.composite
def sem_models(draw: st.DrawFn) -> SemModel:
    """Growth curves and other structural equation models, labels and numbers anywhere."""
    n = draw(st.integers(2, 4))
    cell = st.sampled_from(["", "0*", "a*", "b*", "0.5*", "-1*"])
    lines = [f"i =~ {' + '.join(f'1*y{k}' for k in range(n))}"]
    if draw(st.booleans()):
        lines.append(f"s =~ {' + '.join(f'{k}*y{k}' for k in range(n))}")
    latent = [line[0] for line in lines]
    for name in latent:
        if draw(st.booleans()):
            lines.append(f"{name} ~ {draw(cell)}x")
        if draw(st.booleans()):
            lines.append(f"{name} ~ {draw(cell)}1")
    if draw(st.booleans()):
        lines += [f"y{k} ~ {draw(cell)}z{k}" for k in range(n)]
    if draw(st.booleans()):
        lines += [f"y{k} ~~ v*y{k}" for k in range(n)]
    if draw(st.booleans()):
        lines.append(f"y0 ~~ {draw(cell)}y1")
    if draw(st.booleans()):
        lines.append(f"d ~ {draw(cell)}i + {draw(cell)}x")
    model = read_lavaan("\n".join(lines), draw(st.sampled_from(["growth", "sem", "lavaan"])))
    return replace(model, missing=draw(st.sampled_from(["ml", "listwise"])))
