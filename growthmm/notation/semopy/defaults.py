"""The defaults of ``semopy.ModelMeans``, as rows.

The rules are those of semopy 2.3 (Meshcheryakov, Igolkina & Samsonova 2021,
https://arxiv.org/abs/2106.01140).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from growthmm.model.sem import Operator, Path
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.semopy.syntax import Row, Syntax

__all__ = ["AUTOMATIC", "Roles", "complete", "roles"]

AUTOMATIC = "_auto"
"""Begins labels that only exist because semopy needs one; they name no parameter."""

_RULE = "semopy.ModelMeans: "


@dataclass(frozen=True, slots=True)
class Roles:
    """What semopy takes each variable to be.

    Parameters
    ----------
    latent : tuple of str
        Latent variables.
    outcomes : tuple of str
        Observed variables with moments of their own.
    covariates : tuple of str
        Observed variables that only predict, and stand in no ``~~``.
    explained : frozenset of str
        Variables with an incoming arrow, that of the constant included.
    """

    latent: tuple[str, ...]
    outcomes: tuple[str, ...]
    covariates: tuple[str, ...]
    explained: frozenset[str]


def roles(syntax: Syntax) -> Roles:
    """Classify the variables of a description."""
    arrows = [row for row in syntax.rows if row.op != "~~"]
    latent = dict.fromkeys([row.left for row in arrows if row.op == "=~"] + list(syntax.latent))
    explained = {row.right if row.op == "=~" else row.left for row in arrows}
    order = [name for row in arrows if row.op == "=~" for name in (row.right,)]
    order += [row.left for row in arrows if row.op in ("~", "~1")]
    order += [row.right for row in arrows if row.op == "~"]
    observed = [name for name in dict.fromkeys(order) if name not in latent]
    covarying = {name for row in syntax.rows if row.op == "~~" for name in (row.left, row.right)}
    covariates = [n for n in observed if n not in explained and n not in covarying]
    return Roles(
        tuple(latent),
        tuple(n for n in observed if n not in covariates),
        tuple(covariates),
        frozenset(explained),
    )


def complete(syntax: Syntax, source: Source) -> tuple[tuple[Path, ...], Roles]:
    """The complete table of a description.

    Raises
    ------
    NotationError
        If a covariance names a variable that no effect names, or semopy would hold moments of a
        random exogenous variable at their sample values.
    """
    found = roles(syntax)
    known = {*found.latent, *found.outcomes, *found.covariates}
    for row in syntax.rows:
        for name in (row.left, row.right):
            if name and name not in known:
                raise source.error(
                    f"{name} stands in no =~ and no ~, and semopy does not know it.",
                    row.position,
                    hint=f"Give it a mean: {name} ~ 1.",
                )
    starts = dict(syntax.starts)
    bounds = dict(syntax.bounds)
    uses = Counter(row.label for row in syntax.rows if row.label)
    used = {constraint.left + constraint.right for constraint in syntax.constraints}
    markers = _markers(syntax)
    paths = []
    for row in syntax.rows:
        label = row.label
        start = starts.get(label) if label else None
        low, high = bounds.get(label, (float("-inf"), float("inf"))) if label else (None, None)
        silent = (
            label is not None
            and label.startswith(AUTOMATIC)
            and uses[label] == 1
            and not any(label in text for text in used)
        )
        value, rule = row.value, "written"
        if row in markers:
            value, rule = 1.0, _RULE + "the first loading without a label is 1"
        paths.append(
            Path(
                row.left,
                row.op,
                row.right,
                free=value is None,
                value=value,
                label=None if silent else label,
                start=start,
                lower=low if low is not None and low != float("-inf") else None,
                upper=high if high is not None and high != float("inf") else None,
                rule=rule,
            )
        )
    return (*paths, *_added(syntax, found, source)), found


def _markers(syntax: Syntax) -> list[Row]:
    """Loadings that semopy fixes at 1: a factor's first plain one, where no number stands."""
    markers = []
    for factor in dict.fromkeys(row.left for row in syntax.rows if row.op == "=~"):
        loadings = [row for row in syntax.rows if row.op == "=~" and row.left == factor]
        plain = [row for row in loadings if row.value is None and row.label is None]
        if plain and all(row.value is None for row in loadings):
            markers.append(plain[0])
    return markers


def _added(syntax: Syntax, found: Roles, source: Source) -> list[Path]:
    written = {
        (row.op, *sorted((row.left, row.right))) for row in syntax.rows if row.op in ("~~", "~1")
    }
    added: list[Path] = []

    def add(left: str, op: Operator, right: str, rule: str) -> None:
        first, second = sorted((left, right))
        if (op, first, second) not in written:
            added.append(Path(left, op, right, rule=_RULE + rule))

    random = [name for name in found.outcomes if name not in found.explained]
    for row in syntax.rows:
        for name in (row.left, row.right) if row.op == "~~" else ():
            missing = [
                (a, b)
                for a, b in [*combinations(random, 2), *((n, n) for n in random)]
                if name in random and ("~~", *sorted((a, b))) not in written
            ]
            if missing:
                a, b = missing[0]
                raise source.error(
                    f"{name} has a covariance but predicts alone, so semopy holds {a} ~~ {b} at "
                    "its sample value, which the text does not say.",
                    row.position,
                    hint=f"Write {a} ~~ {b} too, or leave {name} out of ~~.",
                )
    for name in found.outcomes:
        if name in found.explained:
            add(name, "~~", name, "residual variances are free")
    for name in found.latent:
        add(name, "~~", name, "latent variances are free")
    for a, b in combinations([n for n in found.latent if n not in found.explained], 2):
        add(a, "~~", b, "latent variables that nothing explains, no constant either, covary")
    for name in found.outcomes:
        add(name, "~1", "", "observed intercepts are free")
    return added
