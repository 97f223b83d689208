"""The page on what each notation can say, made by asking the notations themselves.

``python docs/support.py`` writes ``docs/support-table.md`` anew; a test holds that the page is
what this makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from growthmm.errors import GrowthmmError
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualKind, ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.notation import names, notation
from growthmm.notation.base import Model, Notation, ScriptContext, families
from growthmm.notation.lavaan import read as read_lavaan
from growthmm.notation.lme4 import NOTATION as LME4

PAGE = Path(__file__).with_name("support-table.md")

SLOPE = "y ~ t + (1 + t | id)"

FACTORS = "i =~ 1*y1 + 1*y2 + 1*y3 + 1*y4\ns =~ 0*y1 + 1*y2 + 2*y3 + 3*y4\n"

EQUAL = "".join(f"y{k} ~~ v*y{k}\n" for k in range(1, 5))


@dataclass(frozen=True)
class Answer:
    """What a notation does with a model.

    Parameters
    ----------
    said : bool
        Whether it writes all of the model, and reads the same model back where it reads at all.
    losses : tuple of str
        What it cannot say.
    """

    said: bool
    losses: tuple[str, ...] = ()


def _formula(text: str) -> MixedModel:
    return replace(LME4.read(text), estimator="ml")


def _residual(kind: str) -> MixedModel:
    """The plainest model in which the structure is identified, with its columns named."""
    argument = {"by_group": ":sex", "banded": ":1"}.get(kind, "")
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
        replace(p, value=None, definition=f"t{p.right[1:]}")
        if (p.left, p.op) == ("s", "=~")
        else p
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
    "REML": lambda: replace(_formula(SLOPE), estimator="reml"),
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
    "REML": lambda: replace(_sem(), estimator="reml"),
}
"""Features of structural equation models, each with a small growth curve that has it."""


def _back(speaker: Notation, text: str) -> Model | None:
    """What the notation reads in `text`, or None where it reads nothing."""
    try:
        return speaker.read(text)
    except GrowthmmError:
        return None


def reads(speaker: Notation) -> bool:
    """Whether the notation reads what it writes."""
    return _back(speaker, speaker.write(_plain(speaker)).text) is not None


def _plain(speaker: Notation) -> Model:
    return _formula(SLOPE) if "mixed" in families(speaker) else _sem()


def asked(speaker: Notation, model: Model) -> Answer:
    """Write a model, and read it back where the notation reads."""
    try:
        written = speaker.write(model)
    except GrowthmmError as error:
        return Answer(False, (str(error).split("\n")[0],))
    if written.losses:
        return Answer(False, tuple(loss.what for loss in written.losses))
    if not reads(speaker):
        return Answer(True)
    again = _back(speaker, written.text)
    if again is None:
        return Answer(False, ("the text does not read back",))
    same = (
        again.table == model.table
        if isinstance(again, SemModel) and isinstance(model, SemModel)
        else replace(again, estimator=model.estimator) == model
    )
    return Answer(same, () if same else ("another model is read back",))
