"""semopy, as a witness: its Wishart likelihood on the augmented moment matrix.

semopy has no mean structure that can be trusted, but its covariance structures can say one: with
a constant variable ``one`` of variance 1 and every mean written as a regression on ``one``, fitting
the matrix of raw moments ``[[S + m m', m], [m', 1]]`` is maximum likelihood of means and
covariances. Covariates join as exogenous variables whose moments are fixed at the sample's, and the
log-likelihood given them follows from semopy's objective by subtracting their part.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.kinds import path_kinds
from growthmm.engines.limits import Deadline, TimeLimitError
from growthmm.engines.outcome import Boundary, Convergence, EngineFit
from growthmm.engines.semopy_text import Description, describe
from growthmm.engines.wide.problem import WideMoments
from growthmm.errors import FitFailedError, UnsupportedEngineError

if TYPE_CHECKING:
    from growthmm.engines.wide.problem import WideProblem
    from growthmm.model.mixed import Estimator
    from growthmm.model.sem import SemModel

__all__ = ["fit", "version"]

FloatArray = NDArray[np.float64]

ACCEPTED = 1e-8
"""Half the squared Newton decrement (log-likelihood still to be gained) that ends the search."""

RESTARTS = 6
"""Runs of SLSQP from where the last one ended; each forgets its approximation of the Hessian."""


def version() -> str:
    """Return the version of semopy."""
    from importlib.metadata import version as installed

    return installed("semopy")


def fit(
    problem: WideProblem,
    *,
    estimator: Estimator = "ml",
    start: FloatArray | None = None,
    time_limit: float = 60.0,
) -> EngineFit:
    """Fit a structural equation model with semopy.

    Parameters
    ----------
    problem : WideProblem
        A model of one group and its complete data.
    estimator : {"ml"}
        Maximum likelihood; semopy has no REML.
    start : (n_parameters,) ndarray, optional
        Values to start again from, in the order of ``SemModel.free_parameters``, should semopy's
        own start lead nowhere.
    time_limit : float
        Seconds that all attempts may take together.

    Returns
    -------
    EngineFit
        Estimates with the inverse of semopy's expected information; the log-likelihood is
        conditional on the covariates.

    Raises
    ------
    UnsupportedEngineError
        If data are missing, or the model has several groups, constraints, bounds or definition
        variables, or the estimator is REML.
    FitFailedError
        If no attempt gives an answer within the time.

    References
    ----------
    Meshcheryakov, G., Igolkina, A. A., & Samsonova, M. G. (2021). semopy 2.
    https://doi.org/10.48550/arXiv.2106.01140

    Examples
    --------
    >>> from growthmm.engines.wide.problem import WideMoments, WideProblem
    >>> from growthmm.model.sem import Path, SemModel
    >>> rows = (Path("y", "~", "x"), Path("y", "~1"), Path("y", "~~", "y"))
    >>> moments = WideMoments(np.array([3.0, 1.0]), np.array([[2.0, 1.0], [1.0, 1.0]]), 100)
    >>> model = SemModel(rows, latent=(), outcomes=("y",), covariates=("x",))
    >>> fit(WideProblem(model, (moments,))).estimates.round(4)
    array([1., 2., 1.])
    """
    _refuse(problem, estimator)
    description = describe(problem.model)
    moments = _complete_moments(problem, description)
    task = _Task(problem.model, description, moments, Deadline("semopy", time_limit))
    messages: list[str] = []
    with _silence(messages):
        best = _search(task, start, messages)
    if best is None:
        raise FitFailedError(
            f"semopy gave no answer: {'; '.join(messages) or 'no attempt ended'}.",
            hint="Leave it out of the witnesses.",
        )
    return _translate(problem.model, moments, best, tuple(messages))


def _refuse(problem: WideProblem, estimator: str) -> None:
    model = problem.model
    reasons = []
    if estimator != "ml":
        reasons.append("its REML only multiplies all (co)variances by n / (n - 1)")
    if model.n_groups > 1 or len(problem.groups) > 1:
        reasons.append("it cannot share parameters between groups")
    if model.constraints:
        reasons.append("constraints make its standard errors wrong")
    if any(path.definition is not None for path in model.paths):
        reasons.append("it has no definition variables")
    if any(path.lower is not None or path.upper is not None for path in model.paths):
        reasons.append("bounds of the model would not be kept")
    if reasons:
        raise UnsupportedEngineError(
            f"semopy cannot fit this model: {'; '.join(reasons)}.",
            hint="Use the wide engine, or lavaan through R.",
        )


@dataclass(frozen=True)
class _Moments:
    """Raw moments of outcomes, acting covariates and the constant, in this order."""

    raw: FloatArray
    n_outcomes: int
    n_subjects: int

    @property
    def log_determinant_given(self) -> float:
        """Log-determinant of the raw moments of covariates and constant."""
        block = self.raw[self.n_outcomes :, self.n_outcomes :]
        return float(np.linalg.slogdet(block)[1])


def _complete_moments(problem: WideProblem, description: Description) -> _Moments:
    group, model = problem.groups[0], problem.model
    n_outcomes = len(model.outcomes)
    columns = [*range(n_outcomes)]
    columns += [n_outcomes + model.covariates.index(name) for name in description.covariates]
    if isinstance(group, WideMoments):
        mean, cov, n_subjects = group.mean[columns], group.cov[np.ix_(columns, columns)], group.n
    else:
        data = np.hstack([group.outcomes, group.covariates])[:, columns]
        incomplete = int(np.sum(~np.all(np.isfinite(data), axis=1)))
        if incomplete:
            raise UnsupportedEngineError(
                f"semopy needs complete data; {incomplete} of {data.shape[0]} persons lack a "
                "value, and its likelihood for missing data takes means as zero.",
                hint="Use the wide engine, or lavaan through R.",
            )
        mean, n_subjects = data.mean(axis=0), data.shape[0]
        cov = (data - mean).T @ (data - mean) / n_subjects
    augmented = np.append(mean, 1.0)
    raw = np.outer(augmented, augmented)
    raw[:-1, :-1] += cov
    correlations = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    if not np.all(np.isfinite(correlations)) or np.linalg.eigvalsh(correlations)[0] < 1e-12:
        raise UnsupportedEngineError(
            f"semopy needs a positive definite sample covariance matrix; that of {n_subjects} "
            f"persons and {cov.shape[0]} variables is singular.",
            hint="Use the wide engine, which does not invert it.",
        )
    return _Moments(raw, n_outcomes, n_subjects)


@contextmanager
def _silence(messages: list[str]) -> Iterator[None]:
    """Keep semopy's prints, warnings and log records from users; gather them in `messages`."""
    root, handler = logging.getLogger(), logging.NullHandler()

    def keep(record: logging.LogRecord) -> bool:
        if "semopy" not in record.pathname:
            return True
        if record.levelno >= logging.WARNING:
            messages.append(record.getMessage())
        return False

    printed = StringIO()
    root.addHandler(handler)
    root.addFilter(keep)
    try:
        with warnings.catch_warnings(record=True) as caught, redirect_stdout(printed):
            warnings.simplefilter("always")
            yield
    finally:
        root.removeFilter(keep)
        root.removeHandler(handler)
    said = [str(w.message).strip() for w in caught] + printed.getvalue().split("\n")
    messages[:] = [*dict.fromkeys(m for m in [*messages, *said] if m)]


@dataclass(frozen=True)
class _Attempt:
    """Where one run of semopy ended, in the order of the model's free parameters."""

    estimates: FloatArray
    covariance: FloatArray
    score: FloatArray
    log_likelihood: float
    decrement: float
    iterations: int
    message: str


def _build(description: Description, moments: _Moments, deadline: Deadline) -> Any:
    import pandas as pd
    from semopy import Model

    class LimitedModel(Model):  # type: ignore[misc]
        """A semopy model that looks at the clock and never hands NaN to its optimiser."""

        def obj_mlw(self, x: Any) -> Any:
            deadline.check()
            if not np.all(np.isfinite(x)):
                raise ValueError("the optimiser left the finite numbers")
            return super().obj_mlw(x)

        def grad_mlw(self, x: Any) -> Any:
            deadline.check()
            return super().grad_mlw(x)

    model = LimitedModel(description.text)
    # Its search for the outcome that measures a latent variable never ends where none does, since
    # a defaultdict answers None for None; a plain one ends it.
    model.first_manifs = dict(model.first_manifs)
    names = [f"y{k}" for k in range(moments.n_outcomes)]
    names += [description.variables[name] for name in description.covariates]
    names.append("one")
    frame = pd.DataFrame(moments.raw, index=names, columns=names)
    model.load(cov=frame, n_samples=moments.n_subjects)
    return model


def _positions(model: Any, sem: SemModel, description: Description) -> list[int]:
    """Place of every free parameter of the model in semopy's vector."""
    active = [name for name, parameter in model.parameters.items() if parameter.active]
    places = {name: active.index(short) for name, short in description.parameters.items()}
    for parameter, variable in description.implicit.items():
        short = description.variables[variable]
        for index, name in enumerate(active):
            for place in model.parameters[name].locations:
                number = next(k for k, m in enumerate(model.matrices) if m is place.matrix)
                if number < 2:
                    continue
                rows, columns = model.names[number]
                if rows[place.indices[0]] == columns[place.indices[1]] == short:
                    places[parameter] = index
    return [places[name] for name in sem.free_parameters]


@dataclass(frozen=True)
class _Task:
    """A model in both words, its data and its time."""

    sem: SemModel
    description: Description
    moments: _Moments
    deadline: Deadline


def _search(task: _Task, start: FloatArray | None, messages: list[str]) -> _Attempt | None:
    """Try semopy's bounds (variances not negative) first, then none."""
    best: _Attempt | None = None
    starts = [("its own start", None)] + ([] if start is None else [("the start given", start)])
    try:
        for bounded in (True, False):
            for origin, point in starts:
                end = _from_start(task, point, origin, bounded, messages)
                if end is not None and (best is None or end.log_likelihood > best.log_likelihood):
                    best = end
                if best is not None and best.decrement < ACCEPTED:
                    return best
    except TimeLimitError as error:
        if best is None:
            raise
        messages.append(error.message)
    return best


def _from_start(
    task: _Task, point: FloatArray | None, origin: str, bounded: bool, messages: list[str]
) -> _Attempt | None:
    """Run SLSQP, and again from where it ended, until its score is zero."""
    model = _build(task.description, task.moments, task.deadline)
    order = _positions(model, task.sem, task.description)
    if not bounded:
        for parameter in model.parameters.values():
            parameter.bound = (None, None)
    if point is not None:
        model.param_vals[order] = np.asarray(point, dtype=float)
    best: _Attempt | None = None
    for _ in range(RESTARTS):
        attempt = _attempt(model, order, task.moments, f"SLSQP from {origin}")
        if isinstance(attempt, str):
            messages.append(attempt)
            break
        if best is None or attempt.log_likelihood > best.log_likelihood:
            best = attempt
        if best.decrement < ACCEPTED:
            break
    return best


def _attempt(model: Any, order: list[int], moments: _Moments, origin: str) -> _Attempt | str:
    """One run of SLSQP from where the model stands, or why it gave nothing."""
    try:
        with np.errstate(all="ignore"):
            result = model.fit(obj="MLW", solver="SLSQP", options={"ftol": 1e-13, "maxiter": 1000})
            gradient = np.asarray(model.grad_mlw(result.x), dtype=float)
            covariance = np.asarray(model.calc_fim(inverse=True)[1])
    except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
        return f"{origin} failed: {error}"
    if not np.isfinite(result.fun) or not np.all(np.isfinite(gradient)):
        return f"{origin} ended at an objective of {result.fun}"
    score = -0.5 * moments.n_subjects * gradient
    decrement = 0.5 * float(score @ covariance @ score)
    return _Attempt(
        np.asarray(result.x, dtype=float)[order],
        covariance[np.ix_(order, order)],
        score[order],
        _log_likelihood(moments, float(result.fun), float(model.cov_logdet)),
        decrement if np.isfinite(decrement) and decrement >= 0 else np.inf,
        int(result.n_it),
        f"{origin}: {result.message}",
    )


def _log_likelihood(moments: _Moments, objective: float, log_determinant: float) -> float:
    """Log-likelihood of the outcomes given covariates, with all constants, from the objective.

    The objective is ``log|O| + tr(O^-1 M) - log|M| - dim`` with O the implied and M the observed
    raw moments; the block of the q covariates and the constant is fixed at M, and contributes
    ``log|M_x| + q + 1``.
    """
    size, n_outcomes = moments.raw.shape[0], moments.n_outcomes
    deviance = objective + log_determinant + size
    deviance -= moments.log_determinant_given + (size - n_outcomes)
    constant = n_outcomes * float(np.log(2.0 * np.pi))
    return float(-0.5 * moments.n_subjects * (constant + deviance))


def _translate(
    sem: SemModel, moments: _Moments, best: _Attempt, messages: tuple[str, ...]
) -> EngineFit:
    errors = np.sqrt(np.maximum(np.diag(best.covariance), 0.0))
    converged = best.decrement < 1e-6
    verdict = "its own score is zero" if converged else "its own score is not zero"
    return EngineFit(
        engine="semopy",
        estimator="ml",
        names=sem.free_parameters,
        kinds=path_kinds(sem),
        estimates=best.estimates,
        covariance=best.covariance,
        information="expected",
        log_likelihood=best.log_likelihood,
        n_subjects=moments.n_subjects,
        n_rows=moments.n_subjects * moments.n_outcomes,
        convergence=Convergence(
            converged,
            best.iterations,
            best.decrement,
            float(np.abs(best.score * errors).max(initial=0.0)),
            f"{best.message}; {verdict}",
        ),
        boundary=_boundary(sem, best.estimates),
        bounds="none",
        version=version(),
        warnings=messages,
    )


def _boundary(sem: SemModel, estimates: FloatArray) -> Boundary:
    """Whether the covariance matrix of the latent variables is none."""
    values = dict(zip(sem.free_parameters, estimates, strict=True))
    matrix = np.zeros((len(sem.latent), len(sem.latent)))
    for path in sem.paths:
        if path.op == "~~" and path.left in sem.latent and path.right in sem.latent:
            a, b = sem.latent.index(path.left), sem.latent.index(path.right)
            value = values[path.parameter] if path.free else float(path.value or 0.0)
            matrix[a, b] = matrix[b, a] = value
    if not matrix.size:
        return Boundary()
    root = np.sqrt(np.abs(np.diag(matrix)))
    root[root == 0] = 1.0
    lowest, vectors = np.linalg.eigh(matrix / np.outer(root, root))
    if lowest[0] >= -1e-10:
        return Boundary()
    direction = vectors[:, 0] / root
    shown = {sem.latent[k] for k in np.flatnonzero(np.abs(vectors[:, 0]) > 1e-8)}
    return Boundary(
        at_boundary=False,
        beyond=True,
        parameters=tuple(
            dict.fromkeys(
                p.parameter
                for p in sem.paths
                if p.free and p.op == "~~" and p.left in shown and p.right in shown
            )
        ),
        direction=tuple(float(v) for v in direction / np.linalg.norm(direction)),
        description=(
            "the covariance matrix of the latent variables has a negative eigenvalue "
            f"({lowest[0]:.3g} after scaling)"
        ),
    )
