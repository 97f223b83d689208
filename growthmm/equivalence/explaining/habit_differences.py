"""Differences that are no part of the model: how programs run and print an analysis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.explaining.difference import Difference
from growthmm.equivalence.explaining.spans import acting_covariates

__all__ = ["habit_differences"]

_WORDS: dict[str, tuple[str, dict[str, str]]] = {
    "estimator": ("estimator", {"ml": "ML", "reml": "REML"}),
    "missing": (
        "listwise",
        {"all": "all observed outcomes", "listwise": "persons without a missing value"},
    ),
    "missing_covariates": ("missing_covariates", {"rows": "the row", "persons": "the person"}),
    "covariates": (
        "joint_likelihood",
        {
            "conditional": "conditional on the covariates",
            "joint": "joint with the covariates",
        },
    ),
    "divisor": ("divisor", {"n": "N", "n-1": "N - 1"}),
    "bounds": (
        "bounds",
        {"psd": "covariance matrices only", "none": "negative variances as well"},
    ),
    "information": (
        "information",
        {"expected": "expected", "observed": "observed", "pooled": "expected"},
    ),
    "robust": ("robust", {"no": "the model's own", "yes": "robust"}),
    "adjusted": ("adjusted_errors", {"no": "as they are", "yes": "times sqrt(n / (n - p))"}),
    "tests": (
        "tests",
        {
            "z": "z",
            "t": "t without degrees of freedom",
            "t containment": "t (containment)",
            "t satterthwaite": "t (Satterthwaite)",
        },
    ),
    "bic": (
        "bic",
        {"rows": "rows", "subjects": "persons", "residual_rows": "rows less fixed effects"},
    ),
    "baseline": (
        "fit_baseline",
        {
            "independence": "uncorrelated variables",
            "growth": "equal means and variances",
            "none": "nothing",
        },
    ),
    "parametrisation": (
        "parametrisation",
        {
            "covariances": "variances and covariances",
            "correlations": "variances and correlations",
            "deviations": "standard deviations and correlations",
            "relative": "covariances relative to the residual variance",
        },
    ),
}
"""The cause of each habit, and its values in words."""


_MOMENTS = {
    "expected": "every person's own covariates",
    "pooled": "the covariates' moments of all persons",
}


def habit_differences(a: Analysis, b: Analysis) -> Iterator[Difference]:
    """The differences in how two programs run and print an analysis.

    Parameters
    ----------
    a, b : Analysis
        Aligned.
    """
    for field, (cause, words) in _WORDS.items():
        before, after = getattr(a.habits, field), getattr(b.habits, field)
        if before == after or _without_effect(field, a, b):
            continue

        def apply(analysis: Analysis, field: str = field, value: str = after) -> Analysis:
            made = replace(analysis, habits=replace(analysis.habits, **{field: value}))  # type: ignore[arg-type]
            if field == "robust":
                habits = replace(made.habits, information=b.habits.information)
                made = replace(made, habits=habits)
            return made

        if field == "information" and {before, after} == {"expected", "pooled"}:
            shown = [_MOMENTS[value] for value in (before, after)]
            yield Difference("pooled_covariates", "", shown[0], shown[1], apply)
            continue
        yield Difference(cause, "", words[before], words[after], apply)
        if field == "covariates":
            yield from _covariate_moments(a, b)
    if a.habits.covariates == b.habits.covariates == "joint":
        yield from _covariate_moments(a, b)


def _covariate_moments(a: Analysis, b: Analysis) -> Iterator[Difference]:
    if (a.covariate_model is None) == (b.covariate_model is None):
        return
    words = ["saturated" if side.covariate_model is None else "restricted" for side in (a, b)]
    for k, side in enumerate((a, b)):
        if side.habits.covariates == "conditional":
            words[k] = "saturated"  # it says nothing of them
    yield Difference(
        "covariate_moments",
        "",
        words[0],
        words[1],
        lambda analysis: replace(
            analysis, covariate_model=b.covariate_model, covariate_columns=b.covariate_columns
        ),
    )


def _without_effect(field: str, a: Analysis, b: Analysis) -> bool:
    """Whether a habit can make no difference, whatever the data."""
    covariates = acting_covariates(a.growth) | acting_covariates(b.growth)
    if field in ("missing_covariates", "covariates") and not covariates:
        return True
    if field == "bounds":
        return not (a.growth.blocks or b.growth.blocks)
    if field == "baseline":
        return "none" in (a.habits.baseline, b.habits.baseline)
    if field == "information":
        kinds = {a.habits.information, b.habits.information}
        if not covariates and kinds == {"expected", "pooled"}:
            return True
        return "yes" in (a.habits.robust, b.habits.robust)
    if field == "parametrisation":
        printed = {a.habits.parametrisation, b.habits.parametrisation}
        blocks = (*a.growth.blocks, *b.growth.blocks)
        return printed == {"covariances", "correlations"} and all(
            len(block.factors) == 1 for block in blocks
        )
    return False
