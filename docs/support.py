"""The page on what each notation can say, made by asking the notations themselves.

``python docs/support.py`` writes ``docs/support-table.md`` anew; a test holds that the page is
what this makes.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import get_args

from growthmm.errors import GrowthmmError
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualKind, ResidualStructure
from growthmm.model.sem import Path, SemModel
from growthmm.notation import names, notation
from growthmm.notation.base import Model, Notation, ScriptContext, families
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.lme4 import NOTATION as LME4

PAGE = pathlib.Path(__file__).with_name("support-table.md")

SLOPE = "y ~ t + (1 + t | id)"

FACTORS = "i =~ 1*y1 + 1*y2 + 1*y3 + 1*y4\ns =~ 0*y1 + 1*y2 + 2*y3 + 3*y4\n"

EQUAL = "".join(f"y{k} ~~ v*y{k}\n" for k in range(1, 5))


_LEVELS = f"""level: 1
{FACTORS}{EQUAL}i + s ~ 0*1
level: 2
ib =~ 1*y1 + 1*y2 + 1*y3 + 1*y4
sb =~ 0*y1 + 1*y2 + 2*y3 + 3*y4
{"".join(f"y{k} ~~ 0*y{k}" + chr(10) for k in range(1, 5))}"""


def _formula(text: str) -> MixedModel:
    return replace(LME4.read(text), estimator="ml")


def _residual(kind: str) -> MixedModel:
    """The plainest model in which the structure is identified, with its columns named."""
    argument = {"by_group": ":sex", "banded": ":1", "across": ":of"}.get(kind, "")
    structure = ResidualStructure.parse(kind + argument)
    text = "y ~ t" if kind in _MARGINAL else SLOPE
    return replace(_formula(text), residual=replace(structure, time="t", person="id"))


_MARGINAL = ("cs", "csh", "toeplitz", "banded", "unstructured")
"""Structures that are given without random effects, as marginal models are written."""


def _sem(more: str = "", *, residuals: str = EQUAL, factors: str = FACTORS) -> SemModel:
    return replace(read_lavaan(factors + residuals + more, "growth"), missing="ml")


def _bounded() -> SemModel:
    model = _sem()
    paths = tuple(replace(p, lower=0.0) if p.name == "s~~s" else p for p in model.paths)
    return replace(model, paths=paths)


def _individual_times() -> SemModel:
    model = _sem()
    paths = tuple(
        replace(p, value=None, definition=f"t{p.right[1:]}") if (p.left, p.op) == ("s", "=~") else p
        for p in model.paths
    )
    return replace(model, paths=paths)


MIXED: Mapping[str, Callable[[], MixedModel]] = {
    "random intercept and slope, correlated": lambda: _formula(SLOPE),
    "independent random effects": lambda: _formula("y ~ t + (1 + t || id)"),
    "no random effects": lambda: _formula("y ~ t"),
    "covariates, categorical ones too": lambda: _formula("y ~ t * factor(sex) + (1 + t | id)"),
    "`poly(t, 2)`": lambda: _formula("y ~ poly(t, 2) + (1 + t | id)"),
    "nested grouping factors": lambda: _formula("y ~ t + (1 + t | school/id)"),
    "crossed grouping factors": lambda: _formula("y ~ t + (1 | id) + (1 | rater)"),
}
"""Features of mixed models, each with a small model that has it."""

SEM: Mapping[str, Callable[[], SemModel]] = {
    "growth factors, equal residual variances": _sem,
    "residual variances by occasion": lambda: _sem(residuals=""),
    "covariances of residuals": lambda: _sem("y1 ~~ c*y2\ny2 ~~ c*y3\ny3 ~~ c*y4\n"),
    "covariates of growth factors": lambda: _sem("i + s ~ x\n"),
    "covariates of outcomes, one label": lambda: _sem("y1 ~ b*w1\ny2 ~ b*w2\n"),
    "latent basis (free loadings)": lambda: _sem(
        factors="i =~ 1*y1 + 1*y2 + 1*y3 + 1*y4\ns =~ 0*y1 + 1*y2 + y3 + y4\n"
    ),
    "regressions among growth factors": lambda: _sem("s ~ i\n"),
    "distal outcomes": lambda: _sem("d ~ i + s\nd ~ 1\n"),
    "defined parameters": lambda: _sem("i ~~ a*i\nicc := a / (a + v)\n"),
    "linear equality constraints": lambda: _sem("i ~~ a*i\ns ~~ b*s\na == 2*b\n"),
    "nonlinear equality constraints": lambda: _sem("i ~~ a*i\ns ~~ b*s\nb == a^2\n"),
    "inequality constraints": lambda: _sem("s ~~ b*s\nb > 0\n"),
    "bounds on parameters": _bounded,
    "groups": lambda: _sem("s ~~ c(a, b)*s\n", residuals=""),
    "individually varying times": _individual_times,
    "two levels": lambda: replace(read_lavaan(_LEVELS, "growth"), missing="ml"),
}
"""Features of structural equation models, each with a small growth curve that has it."""


def _back(speaker: Notation, text: str) -> Model | None:
    """What the notation reads in `text`, or None where it reads nothing."""
    try:
        return speaker.read(text)
    except GrowthmmError:
        return None


def _plain(family: str) -> Model:
    return _formula(SLOPE) if family == "mixed" else _sem()


def reads(speaker: Notation, family: str) -> bool:
    """Whether the notation reads what it writes for the plainest model of a family."""
    return _back(speaker, speaker.write(_plain(family)).text) is not None


def _same(a: Model, b: Model) -> bool:
    """Whether two models are the same, whatever the words and the estimator."""
    if isinstance(a, SemModel) and isinstance(b, SemModel):
        return replace(a, paths=_arrows(a)).table == replace(b, paths=_arrows(b)).table
    if isinstance(a, MixedModel) and isinstance(b, MixedModel):
        return _plainly(a) == _plainly(b)
    return False


def _arrows(model: SemModel) -> tuple[Path, ...]:
    """The rows with every path out of a latent variable to an observed one as a loading."""
    return tuple(
        replace(p, left=p.right, op="=~", right=p.left)
        if p.op == "~" and p.right in model.latent and p.left not in model.latent
        else p
        for p in model.paths
    )


def _plainly(model: MixedModel) -> MixedModel:
    """The model by ML, with independent numeric terms called diagonal."""
    blocks = tuple(
        replace(b, covariance="diagonal") if b.covariance == "by_term" else b for b in model.random
    )
    return replace(model, random=blocks, estimator="ml")


def says(speaker: Notation, model: Model) -> bool:
    """Whether a notation says all of a model, and reads the same back where it reads at all."""
    try:
        written = speaker.write(model)
    except GrowthmmError:
        return False
    if written.losses:
        return False
    if not reads(speaker, "mixed" if isinstance(model, MixedModel) else "sem"):
        return True
    again = _back(speaker, written.text)
    return again is not None and _same(again, model)


def _has_script(speaker: Notation, family: str) -> bool:
    context = ScriptContext("data.csv", "long" if family == "mixed" else "wide")
    return bool(speaker.script(_plain(family), context).strip())


def _speakers(family: str) -> list[Notation]:
    return [s for s in map(notation, names()) if family in families(s)]


def _table(corner: str, rows: Mapping[str, Callable[[Notation], bool]], family: str) -> list[str]:
    speakers = _speakers(family)
    lines = [
        f"| {corner} | {' | '.join(f'`{s.name}`' for s in speakers)} |",
        f"|---|{'---|' * len(speakers)}",
    ]
    for name, answer in rows.items():
        cells = ["yes" if answer(s) else "no" for s in speakers]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _asking(models: Mapping[str, Callable[[], Model]]) -> dict[str, Callable[[Notation], bool]]:
    return {name: partial(_says_made, model=made()) for name, made in models.items()}


def _says_made(speaker: Notation, *, model: Model) -> bool:
    return says(speaker, model)


def _general(family: str) -> dict[str, Callable[[Notation], bool]]:
    return {
        "reads": lambda speaker: reads(speaker, family),
        "writes": lambda speaker: says(speaker, _plain(family)),
        "complete script": lambda speaker: _has_script(speaker, family),
    }


HEAD = """\
<!-- Made by docs/support.py; do not edit. -->

# What each notation can say

"Yes" means that the notation writes a small model with the feature without loss and, where it
reads, reads the same model back. "No" means that writing it is a loss, which `translate` reports
with the nearest thing that can be said. This page is made by asking the notations
(`python docs/support.py`), and a test holds that it is up to date.

It is about writing a model within its own family. What can be carried to the other family, and
what can be fitted, is under [limitations](limitations.md).
"""


def page() -> str:
    """The page as Markdown."""
    residuals = {f"`{kind}`": lambda k=kind: _residual(k) for kind in get_args(ResidualKind)}
    lines = [HEAD, "## Mixed models", ""]
    lines += _table("", _general("mixed") | _asking(MIXED), "mixed")
    lines += ["## Residual structures of mixed models", ""]
    lines += _table("`residual=`", _asking(residuals), "mixed")
    lines += [
        "`cs`, `csh`, `toeplitz`, `banded:1` and `unstructured` are tried without random effects,",
        "the others with a random intercept and slope.",
        "",
        "## Structural equation models",
        "",
    ]
    lines += _table("", _general("sem") | _asking(SEM), "sem")
    lines += [
        "`dot` is a picture (Graphviz) and `ram` shows the matrices: neither fits anything, and",
        "their complete script is that picture or those matrices.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
