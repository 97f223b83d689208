"""Scores of the latent variables, person by person."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.wide import ram as r
from growthmm.engines.wide.levels.prediction import level_scores
from growthmm.engines.wide.patterns import invert_patterns
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.engines.wide.statistics import Persons, persons, reach
from growthmm.engines.wide.system import compile_problem
from growthmm.errors import FitFailedError, SpecificationError, UnsupportedEngineError

__all__ = ["factor_scores"]

FloatArray = NDArray[np.float64]

CHUNK = 4096


def factor_scores(
    problem: WideProblem,
    values: FloatArray,
    method: Literal["regression", "bartlett"] = "regression",
) -> tuple[FloatArray, FloatArray]:
    """Latent variables given each person's outcomes and covariates.

    ``"regression"`` is the conditional mean (Thurstone 1935; the best linear unbiased predictor
    at these values). ``"bartlett"`` is the generalised least-squares estimate from the person's
    outcomes alone (Bartlett 1937, doi:10.1111/j.2044-8295.1937.tb00863.x), NaN where they do not
    determine it; there a latent variable that others cause without a disturbance follows from
    its causes, and any other counts as unknown, with a variance or without.

    Parameters
    ----------
    problem : WideProblem
        Model and data (persons, not moments).
    values : (n_parameters,) ndarray
        Parameter values.
    method : {"regression", "bartlett"}
        Which scores.

    Returns
    -------
    scores : (n_subjects, n_latent) ndarray
        Persons in the order of the data, group after group, those without outcomes too; latent
        variables of clusters are repeated for its persons.
    covariances : (n_subjects, n_latent, n_latent) ndarray
        Conditional covariance matrices.

    Raises
    ------
    UnsupportedEngineError
        If a group is given by its moments, or Bartlett scores are asked for without residuals.
    FitFailedError
        If an outcomes' covariance matrix is not positive definite.
    """
    if method not in ("regression", "bartlett"):
        raise SpecificationError(
            f"Unknown factor scores {method!r}.", hint='Use "regression" or "bartlett".'
        )
    system = compile_problem(problem)
    values = np.asarray(values, dtype=float)
    if system.levels is not None:
        if method != "regression":
            raise UnsupportedEngineError(
                "Bartlett scores are given for models of one level.",
                hint='Use method="regression".',
            )
        only = problem.groups[0]
        assert isinstance(only, WideGroup)  # compile_problem has looked
        both = level_scores((system.groups[0][0], system.groups[1][0]), only, values)
        return both.scores, both.covariances
    scores, covariances = [], []
    for (ram, _), data in zip(system.groups, problem.groups, strict=True):
        if not isinstance(data, WideGroup):
            raise UnsupportedEngineError(
                "Moments hold no persons to score.", hint="Give the rows of the data."
            )
        rows = persons(ram, data)
        for start in range(0, len(rows.observed), CHUNK):
            part = slice(start, start + CHUNK)
            one, two = _score(ram, rows, part, values, method)
            scores.append(one)
            covariances.append(two)
    return np.concatenate(scores), np.concatenate(covariances)


def _score(
    ram: r.Ram, rows: Persons, part: slice, values: FloatArray, method: str
) -> tuple[FloatArray, FloatArray]:
    t = ram.n_outcomes
    designs = None if rows.designs is None else rows.designs[part]
    w, observed = rows.regressors[part], rows.observed[part]
    at = r.implied(ram, values, designs)
    if at is None:
        raise _not_positive()
    expected = np.einsum("dpw,nw->np" if len(at.mean) == 1 else "npw,nw->np", at.mean, w)
    gap = np.where(observed, rows.outcomes[part] - expected[:, :t], 0.0)
    if method == "regression":
        found = invert_patterns(at.sigma[:, :t, :t], observed)
        if found is None:
            raise _not_positive()
        cross = at.sigma[:, t:, :t] @ found[0]
        scores = expected[:, t:] + np.einsum("nlt,nt->nl", cross, gap)
        covariance = at.sigma[:, t:, t:] - cross @ at.sigma[:, :t, t:]
    else:
        shift, covariance = _bartlett(ram, at, r.matrices(ram, values, designs), observed, gap)
        scores = expected[:, t:] + shift
    unknown = ~rows.known[part] @ reach(ram)[0]
    return np.where(unknown[:, t:], np.nan, scores), covariance


def _not_positive() -> FitFailedError:
    return FitFailedError(
        "The covariance matrix of the outcomes is not positive definite at these values.",
        hint="Take values from a fit that converged.",
    )


def _bartlett(
    ram: r.Ram,
    at: r.Implied,
    matrices: tuple[FloatArray, FloatArray, FloatArray],
    observed: NDArray[np.bool_],
    gap: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    t = ram.n_outcomes
    a, s, _ = matrices
    disturbed = np.any(s[:, t:, t:] != 0, axis=(0, 2))
    caused = np.any(a[:, t:, :] != 0, axis=(0, 2))
    free = t + np.flatnonzero(disturbed | ~caused)
    own = at.b[:, :t, :t]
    found = invert_patterns(own @ s[:, :t, :t] @ own.swapaxes(1, 2), observed)
    if found is None or np.any(s[:, :t, t:]):
        raise UnsupportedEngineError(
            "Bartlett scores need outcomes with residual variances of their own, independent of "
            "the latent variables.",
            hint='Use method="regression".',
        )
    load = at.b[:, :t, :][:, :, free]
    side = load.swapaxes(1, 2) @ found[0]
    inner = side @ load
    inner = 0.5 * (inner + inner.swapaxes(1, 2))
    size = np.sqrt(np.einsum("naa->na", inner))
    size = np.where(size > 0, size, 1.0)
    unit = inner / (size[:, :, None] * size[:, None, :])
    curve, vectors = np.linalg.eigh(unit)
    solid = curve > 1e-10
    scaled = vectors / size[:, :, None]
    inverse = (scaled * np.where(solid, 1.0 / np.where(solid, curve, 1.0), 0.0)[:, None, :]) @ (
        scaled.swapaxes(1, 2)
    )
    onto = at.b[:, t:, :][:, :, free]
    shift = np.einsum("nlf,nf->nl", onto @ inverse, np.einsum("nft,nt->nf", side, gap))
    covariance = onto @ inverse @ onto.swapaxes(1, 2)
    # A latent variable is determined where it has no part in the null space of `inner`.
    lost = np.any(
        (np.abs(onto @ scaled) > 1e-6 * np.abs(onto @ scaled).max(initial=0.0)) & ~solid[:, None],
        axis=2,
    )
    both = lost[:, :, None] | lost[:, None, :]
    return np.where(lost, np.nan, shift), np.where(both, np.nan, covariance)
