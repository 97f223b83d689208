"""Why printed numbers differ from ours: the usual causes, each tested by a refit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from growthmm.equivalence.printed.comparison import Fits, Setting, compare, criteria
from growthmm.equivalence.printed.result import Cause, ComparedFigure
from growthmm.errors import GrowthmmError
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.printed.results import PrintedResults

__all__ = ["Explained", "explain"]

Refit = Callable[[Setting], Fits]

MOST = 4
"""How many causes are looked for together."""

FARTHEST = 1.0
"""Log-likelihood units by which a program may have stopped short and still be the cause."""


@dataclass(frozen=True)
class Explained:
    """The causes found, and what remains.

    Parameters
    ----------
    causes : tuple of Cause
        In the order in which they explain most.
    remaining : int
        How many numbers differ under all of them.
    """

    causes: tuple[Cause, ...]
    remaining: int


@dataclass(frozen=True, slots=True)
class _Other:
    """An alternative: a cause, the setting that it makes, and what it says."""

    cause: str
    setting: Setting
    description: str


def explain(
    printed: PrintedResults, refit: Refit, setting: Setting, rows: tuple[ComparedFigure, ...]
) -> Explained:
    """Look for the causes of the differences, the one that explains most first.

    Parameters
    ----------
    printed : PrintedResults
        What the program printed.
    refit : callable
        Our fit under a setting; raises GrowthmmError where there is none.
    setting : Setting
        Under which `rows` were compared.
    rows : tuple of ComparedFigure
        The comparison.

    Returns
    -------
    Explained
        At most four causes; fewer where nothing more is reproduced.
    """
    causes: list[Cause] = []
    current = rows
    while _remaining(rows, current) and len(causes) < MOST:
        best: tuple[int, _Other, tuple[ComparedFigure, ...]] | None = None
        for other in _alternatives(printed, refit, setting, current):
            try:
                made = compare(printed, refit(other.setting), other.setting)
            except GrowthmmError:
                continue
            remaining = _remaining(rows, made)
            if other.cause == "stopped_early" and remaining:
                continue
            if best is None or remaining < best[0]:
                best = remaining, other, made
            if remaining == 0:
                break
        before = _remaining(rows, current)
        if best is None or best[0] > before - max(1, before // 4):
            break
        remaining, other, made = best
        gained = {row.key for row in _differing(current)} & _agreeing(made)
        names = [_shown(row) for row in current if row.key in gained]
        causes.append(Cause(other.cause, other.description, tuple(names), remaining))
        setting, current = other.setting, made
    causes += _of_data(printed, current)
    return Explained(tuple(causes), _remaining(rows, current))


def _differing(rows: tuple[ComparedFigure, ...]) -> list[ComparedFigure]:
    return [row for row in rows if not row.agrees]


def _agreeing(rows: tuple[ComparedFigure, ...]) -> set[tuple[str, str, int]]:
    return {row.key for row in rows if row.agrees}


def _remaining(rows: tuple[ComparedFigure, ...], made: tuple[ComparedFigure, ...]) -> int:
    """How many of the numbers of `rows` do not agree in `made`, or have gone, or are new there."""
    known = {row.key for row in rows}
    new = {row.key for row in _differing(made)} - known
    return len(known - _agreeing(made)) + len(new)


def _shown(row: ComparedFigure) -> str:
    return f"SE of {row.printed_name}" if row.what == "std_error" else row.printed_name


def _alternatives(
    printed: PrintedResults, refit: Refit, now: Setting, rows: tuple[ComparedFigure, ...]
) -> Iterator[_Other]:
    """Every alternative to a setting, those that need no fit first."""
    wrong = _differing(rows)
    kinds = {row.what for row in wrong}
    if any(row.printed_name in ("aic", "bic") for row in wrong):
        yield from _criteria(refit, now)
    if "std_error" in kinds:
        yield from _errors(now)
    if kinds & {"estimate"}:
        yield _Other(
            "deviations",
            replace(now, deviations=not now.deviations),
            "What the output calls a variance is a standard deviation, or the reverse (and a "
            "correlation for a covariance).",
        )
    if kinds <= {"std_error"}:
        return
    yield from _fits(now, refit)
    yield from _early(printed, refit, now)


def _criteria(refit: Refit, now: Setting) -> Iterator[_Other]:
    what = {
        "rows": "the number of rows",
        "subjects": "the number of persons",
        "residual_rows": "rows less fixed effects",
    }
    fit = refit(now).expected
    for rule, words in what.items():
        if rule != now.bic:
            other = replace(now, bic=rule)  # type: ignore[arg-type]
            value = criteria(fit, other)["bic"]
            text = f"BIC counts {words} ({value:.3f}), not {what[now.bic]}."
            yield _Other("bic", other, text)
    if now.estimator == "reml":
        rule = "covariances" if now.aic == "all" else "all"
        words = "covariance parameters alone" if rule == "covariances" else "all parameters"
        for bic, said in what.items():
            other = replace(now, aic=rule, bic=bic)  # type: ignore[arg-type]
            yield _Other("aic", other, f"AIC and BIC count {words}; BIC, {said}.")


def _errors(now: Setting) -> Iterator[_Other]:
    for kind in ("expected", "observed"):
        if (now.fixed_errors, now.variance_errors) != (kind, kind):
            yield _Other(
                "information",
                replace(now, fixed_errors=kind, variance_errors=kind, robust=False),
                f"The printed standard errors are from {kind} information.",
            )
    text = "The printed standard errors are robust (sandwich)."
    if now.robust:
        text = "The printed standard errors are the model's own, not robust."
    yield _Other("robust", replace(now, robust=not now.robust), text)
    if now.estimator == "ml":
        words = "without" if now.adjusted else "with"
        yield _Other(
            "adjusted_errors",
            replace(now, adjusted=not now.adjusted),
            f"The printed standard errors are {words} nlme's factor sqrt(n / (n - p)).",
        )


def _fits(now: Setting, refit: Refit) -> Iterator[_Other]:
    model = refit(now).expected.model
    names = {"ml": "ML", "reml": "REML"}
    turned = "ml" if now.estimator == "reml" else "reml"
    yield _Other(
        "estimator",
        replace(now, estimator=turned),  # type: ignore[arg-type]
        f"The printed figures are those of {names[turned]}; growthmm fitted by "
        f"{names[now.estimator]}.",
    )
    text = "The old program dropped incomplete persons (listwise); growthmm used all outcomes."
    if now.listwise:
        text = "The old program used all observed outcomes; growthmm dropped incomplete persons."
    yield _Other("listwise", replace(now, listwise=not now.listwise), text)
    if isinstance(model, SemModel):
        yield _Other(
            "divisor",
            replace(now, wishart=not now.wishart),
            "The old program's covariances have the divisor N - 1 (likelihood wishart), "
            "growthmm's N.",
        )
    other = "none" if now.bounds == "psd" else "psd"
    text = "The old program kept covariance matrices positive semi-definite; growthmm did not."
    if other == "none":
        text = "The old program let variances be negative; growthmm kept them from it."
    yield _Other("bounds", replace(now, bounds=other), text)  # type: ignore[arg-type]
    if isinstance(model, MixedModel):
        yield from _structures(model, now)


def _structures(model: MixedModel, now: Setting) -> Iterator[_Other]:
    """Defaults of programs that change the model: residual variances, random covariances."""
    if model.residual.kind in ("common", "by_occasion"):
        kind = "by_occasion" if model.residual.kind == "common" else "common"
        text = "The printed figures are those of a model with one residual variance."
        if kind == "by_occasion":
            text = "The printed figures are those of a model with a residual variance an occasion."
        yield _Other("residual_variances", replace(now, residual=kind), text)
    blocks = [block for block in model.random if len(block.terms) > 1]
    if blocks:
        correlated = any(block.covariance == "unstructured" for block in blocks)
        text = "The printed figures are those of a model with correlated random effects."
        if correlated:
            text = (
                "The printed figures are those of a model with uncorrelated random effects (the "
                "default of SAS, SPSS and Stata)."
            )
        yield _Other("random_covariances", replace(now, diagonal=correlated), text)


def _early(printed: PrintedResults, refit: Refit, now: Setting) -> Iterator[_Other]:
    """A program that stopped below the maximum, by no more than its printed figure says."""
    said = printed.log_likelihood
    value = None if said is None else said.value
    slack = None if said is None else said.tolerance
    if value is None and printed.deviance is not None:
        value, slack = -printed.deviance.value / 2, printed.deviance.tolerance / 2
    if value is None or slack is None:
        return
    short = refit(now).expected.log_likelihood - value
    if not now.early < short < FARTHEST or short <= slack:
        return
    off = float(np.sqrt(2 * (short + slack)))
    yield _Other(
        "stopped_early",
        replace(now, early=short + slack, error_slack=max(now.error_slack, off)),
        f"The old program stopped {short:.3g} log-likelihood units below the maximum; its "
        f"estimates lie within the {off:.2g} standard errors that go with it.",
    )


def _of_data(printed: PrintedResults, rows: tuple[ComparedFigure, ...]) -> list[Cause]:
    """Counts of persons or rows that no rule reproduces: other data."""
    words = {"n_subjects": "persons", "n_rows": "rows"}
    wrong = [row for row in rows if row.printed_name in words and not row.agrees]
    if not wrong:
        return []
    said = "; ".join(
        f"{words[row.printed_name]}: {row.printed:g} printed, {row.ours:g} here" for row in wrong
    )
    of = "" if printed.n_given is None else f" of {printed.n_given} in its data"
    text = f"The old program used other data{of} ({said})."
    return [Cause("different_data", text, (), len(_differing(rows)))]
