"""Whether fits may be compared: same outcomes, persons and fixed effects; one within another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.prepare import LongData, WideData
from growthmm.errors import DataError
from growthmm.inference.result import FitResult
from growthmm.inference.short_names import short_names

__all__ = [
    "clustered",
    "extra_effects",
    "not_nested",
    "require_same_data",
    "same_fixed_effects",
    "variances",
]

FloatArray = NDArray[np.float64]

FALL = 1e-6
"""How much lower, in log-likelihood, a larger model may end by rounding."""


def require_same_data(fits: Sequence[FitResult]) -> None:
    """Refuse fits of other outcomes, or of the same outcomes of other persons.

    Raises
    ------
    DataError
        If the values differ, or fits that name one grouping factor share them out differently.
    """
    first = fits[0]
    names = short_names([fit.label for fit in fits])
    for fit, name in zip(fits[1:], names[1:], strict=True):
        one, two = _outcomes(first), _outcomes(fit)
        if one.shape != two.shape or not np.array_equal(one, two):
            raise DataError(
                f"The models were not fitted to the same outcomes: {names[0]} uses "
                f"{first.n_rows} values, {name} {fit.n_rows}.",
                hint="Drop the rows with missing covariates before fitting, or compare models "
                "of one outcome.",
            )
        if _other_persons(first, fit):
            raise DataError(
                "The models were not fitted to the same persons: the outcomes are equal, but "
                f"{names[0]} has them from {first.n_subjects} persons and {name} from "
                f"{fit.n_subjects}, or they are shared out differently.",
                hint="Fit both models to the same data, the same column as the person.",
            )


def _outcomes(fit: FitResult) -> FloatArray:
    if isinstance(fit.data, LongData):
        return np.sort(fit.data.problem.outcome)
    group = fit.data.problem.groups[0]
    values = group.outcomes if hasattr(group, "outcomes") else group.mean
    return np.sort(values[np.isfinite(values)].ravel())


def _other_persons(one: FitResult, two: FitResult) -> bool:
    """Whether one grouping factor divides the outcomes otherwise."""
    if not (isinstance(one.data, LongData) and isinstance(two.data, LongData)):
        return False
    if one.data.problem.group != two.data.problem.group:
        return False
    return not np.array_equal(_totals(one.data), _totals(two.data))


def _totals(data: LongData) -> FloatArray:
    """Each person's number of outcomes and their sum, whatever the order of persons."""
    problem = data.problem
    count = np.bincount(problem.subject, minlength=problem.n_subjects)
    outcome = np.asarray(problem.outcome)
    order = np.lexsort((outcome, problem.subject))
    total = np.bincount(
        problem.subject[order], weights=outcome[order], minlength=problem.n_subjects
    )
    table = np.column_stack([count, total])
    return np.asarray(table[np.lexsort((total, count))])


def same_fixed_effects(fit: FitResult, other: FitResult) -> bool:
    """Whether the fixed effects are the same, in the same coding."""
    if isinstance(fit.data, LongData) and isinstance(other.data, LongData):
        a, b = fit.data.problem, other.data.problem
        if a.fixed.shape != b.fixed.shape or not np.array_equal(fit.data.rows, other.data.rows):
            return False
        return bool(
            np.array_equal(
                a.fixed[:, np.argsort(a.fixed_names)], b.fixed[:, np.argsort(b.fixed_names)]
            )
        )
    if isinstance(fit.data, WideData) and isinstance(other.data, WideData):
        return _means(fit) == _means(other)
    return False


def _means(fit: FitResult) -> set[str]:
    kinds = dict(zip(fit.fit.names, fit.fit.kinds, strict=True))
    return {name for name, kind in kinds.items() if kind in ("mean", "regression")}


def not_nested(smaller: FitResult, larger: FitResult, names: tuple[str, str]) -> str:
    """Why the smaller model is not one within the larger; empty where nothing speaks against it.

    The message has the two models by `names`.

    Of mixed models the column spaces of both designs are looked at; of any fits, whether the
    larger one has the higher likelihood.
    """
    a, b = smaller.data, larger.data
    if isinstance(a, LongData) and isinstance(b, LongData) and np.array_equal(a.rows, b.rows):
        for what, one, two in (
            ("fixed effects", a.problem.fixed, b.problem.fixed),
            ("random effects", a.problem.random, b.problem.random),
        ):
            if not _within(np.asarray(one), np.asarray(two)):
                return (
                    f"the {what} of {names[0]} are not among those of {names[1]}: "
                    "the models are not nested, so no test"
                )
    if smaller.log_likelihood > larger.log_likelihood + FALL:
        return (
            f"{names[1]} has more parameters than {names[0]} and a lower likelihood: "
            "the models are not nested, so no test"
        )
    return ""


def _within(one: FloatArray, two: FloatArray) -> bool:
    """Whether the columns of `one` are combinations of those of `two`."""
    size = np.sqrt(np.sum(one**2, axis=0))
    if not one.shape[1] or not bool(np.any(size > 0)):
        return True
    if not two.shape[1]:
        return False
    scaled = two / np.maximum(np.sqrt(np.sum(two**2, axis=0)), 1e-300)
    basis, upper = np.linalg.qr(scaled)
    basis = basis[:, np.abs(np.diag(upper)) > 1e-12]
    rest = one - basis @ (basis.T @ one)
    return bool(np.all(np.sqrt(np.sum(rest**2, axis=0)) <= 1e-7 * np.maximum(size, 1e-300)))


def extra_effects(smaller: FitResult, larger: FitResult) -> tuple[str, ...]:
    """Random effects (factors with a variance) of the larger model that the smaller lacks."""
    few, many = _varying(smaller), _varying(larger)
    return tuple(name for name in many if name not in few)


def _varying(fit: FitResult) -> tuple[str, ...]:
    if isinstance(fit.data, LongData):
        return fit.data.problem.random_names
    model = fit.data.problem.model
    free = {p.left for p in model.paths if p.op == "~~" and p.left == p.right and p.free}
    return tuple(name for name in model.latent if name in free)


def clustered(fit: FitResult) -> bool:
    """Whether persons stand in clusters."""
    if isinstance(fit.data, LongData):
        return fit.data.problem.clusters is not None
    return any(getattr(group, "clusters", None) is not None for group in fit.data.problem.groups)


def variances(fit: FitResult) -> tuple[str, ...]:
    """The names of the variances of random effects or latent variables."""
    named = zip(fit.fit.names, fit.fit.kinds, strict=True)
    return tuple(name for name, kind in named if kind == "variance")
