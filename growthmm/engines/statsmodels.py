"""statsmodels' MixedLM, as a witness: it gets the data as they are, and its answer is translated.

MixedLM works with relative parameters (random-effects covariance over residual variance) and a
likelihood that profiles the residual variance out. Estimates come back on the natural scale, and
so does their covariance matrix: the inverse Hessian of the profile likelihood is the covariance
matrix of fixed effects and relative parameters; the residual variance and the products with it
follow by the delta method.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.limits import Deadline, TimeLimitError
from growthmm.engines.outcome import Boundary, Convergence, EngineFit, ParameterKind
from growthmm.errors import FitFailedError, UnsupportedEngineError

if TYPE_CHECKING:
    from growthmm.engines.long.problem import LongProblem
    from growthmm.model.mixed import Estimator

__all__ = ["fit", "version"]

FloatArray = NDArray[np.float64]

ACCEPTED = 1e-8
"""Half the squared Newton decrement (log-likelihood still to be gained) that ends the search."""

SINGULAR = 1e-5
"""Share of a variance, or eigenvalue of the correlations, below which the matrix is singular."""

METHODS: tuple[tuple[str, dict[str, float]], ...] = (
    ("bfgs", {"gtol": 1e-9, "maxiter": 500}),
    ("lbfgs", {"maxiter": 500}),
    ("cg", {"gtol": 1e-9, "maxiter": 500}),
    ("powell", {"ftol": 1e-12, "maxiter": 200}),
)
"""The optimisers of MixedLM in their order; the last, a slow one, only at the very end."""


def version() -> str:
    """Return the version of statsmodels."""
    import statsmodels

    return str(statsmodels.__version__)


@dataclass(frozen=True)
class _Attempt:
    """One run of MixedLM and its place by its own derivatives."""

    result: Any
    origin: str
    decrement: float
    max_score: float
    message: str


def fit(
    problem: LongProblem,
    *,
    estimator: Estimator = "ml",
    start: FloatArray | None = None,
    time_limit: float = 60.0,
) -> EngineFit:
    """Fit a linear mixed model with MixedLM.

    Its optimisers are tried in turn, from `start` where one is given and then from its own, until
    its own score is zero; the best answer counts.

    Parameters
    ----------
    problem : LongProblem
        The model and its data.
    estimator : {"ml", "reml"}
        What to maximise.
    start : (n_parameters,) ndarray, optional
        Natural-scale values, in the order of ``EngineFit.names``, to start from first.
    time_limit : float
        Seconds that all attempts may take together.

    Returns
    -------
    EngineFit
        Fixed effects, (co)variances of the random effects and ``var(Residual)``, with the inverse
        of MixedLM's observed information.

    Raises
    ------
    UnsupportedEngineError
        If the model has another residual structure than a common variance, or no random effects.
    FitFailedError
        If no optimiser returns an answer, or the time is over before the first one does.

    References
    ----------
    Lindstrom, M. J., & Bates, D. M. (1988). https://doi.org/10.1080/01621459.1988.10478693

    Examples
    --------
    >>> from growthmm.engines.long.problem import LongProblem, RandomEffects
    >>> rng = np.random.default_rng(1)
    >>> person = np.repeat(np.arange(30), 4)
    >>> y = rng.normal(size=30)[person] + rng.normal(size=120)
    >>> one = np.ones((120, 1))
    >>> block = RandomEffects(("(Intercept)",), (0,))
    >>> nothing = np.zeros(120, dtype=np.intp)
    >>> problem = LongProblem(y, one, ("(Intercept)",), one, (block,), person, 30, "id", nothing)
    >>> fit(problem).names
    ('(Intercept)', 'var((Intercept)|id)', 'var(Residual)')
    """
    _refuse(problem)
    deadline = Deadline("MixedLM", time_limit)
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        best = _search(problem, estimator, start, deadline, messages)
    messages = [*dict.fromkeys(str(w.message).strip() for w in caught), *messages]
    if best is None:
        raise FitFailedError(
            f"MixedLM gave no answer: {'; '.join(messages) or 'no optimiser ended'}.",
            hint="Leave it out of the witnesses.",
        )
    return _translate(problem, estimator, best, tuple(messages))


def _refuse(problem: LongProblem) -> None:
    if problem.residual.kind != "common":
        raise UnsupportedEngineError(
            f"MixedLM has one residual variance; the model asks for {problem.residual}.",
            hint="Use the long engine, or nlme through R.",
        )
    if problem.random.shape[1] == 0:
        raise UnsupportedEngineError(
            "MixedLM cannot fit a model without random effects.", hint="Use the long engine."
        )


def _model(problem: LongProblem, deadline: Deadline) -> Any:
    from statsmodels.regression.mixed_linear_model import MixedLM

    class LimitedMixedLM(MixedLM):  # type: ignore[misc]
        """MixedLM that looks at the clock for every person."""

        def _expand_vcomp(self, vcomp: Any, group_ix: int) -> Any:
            deadline.check()
            return super()._expand_vcomp(vcomp, group_ix)

        def _augment_exog(self, group_ix: int) -> Any:
            deadline.check()
            return super()._augment_exog(group_ix)

    return LimitedMixedLM(
        problem.outcome, problem.fixed, groups=problem.subject, exog_re=problem.random
    )


def _free_pattern(problem: LongProblem) -> Any:
    """Which entries are free; None where all of one unstructured matrix are.

    MixedLM masks the score of the Cholesky factor by the factor of this matrix, so the factor has
    to be ones where effects of one block meet (a matrix of ones would be singular).
    """
    size = problem.random.shape[1]
    if len(problem.covariance_entries) == size * (size + 1) // 2:
        return None
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    root = np.eye(size)
    for a, b in problem.covariance_entries:
        root[max(a, b), min(a, b)] = 1.0
    pattern = MixedLMParams(problem.fixed.shape[1], size, 0)
    pattern.fe_params = np.ones(problem.fixed.shape[1])
    pattern.cov_re = root @ root.T
    pattern.vcomp = np.empty(0)
    return pattern


def _starting_parameters(problem: LongProblem, start: FloatArray) -> Any:
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    n_fixed, size = problem.fixed.shape[1], problem.random.shape[1]
    relative = np.zeros((size, size))
    for value, (a, b) in zip(start[n_fixed:-1], problem.covariance_entries, strict=True):
        relative[a, b] = relative[b, a] = value / start[-1]
    values, vectors = np.linalg.eigh(relative)
    floor = 1e-8 * max(float(values[-1]), 1e-8)
    params = MixedLMParams(n_fixed, size, 0)
    params.fe_params = np.array(start[:n_fixed], dtype=float)
    params.cov_re = (vectors * np.maximum(values, floor)) @ vectors.T
    params.vcomp = np.empty(0)
    return params


def _search(
    problem: LongProblem,
    estimator: Estimator,
    start: FloatArray | None,
    deadline: Deadline,
    messages: list[str],
) -> _Attempt | None:
    """Try optimisers, each from where the best one stopped: from `start`, then MixedLM's own."""
    ends: list[_Attempt] = []
    try:
        run = _Run(_model(problem, deadline), _free_pattern(problem), estimator)
        origins = [("its own start", None)]
        if start is not None:
            origins.insert(0, ("the start given", _starting_parameters(problem, start)))
        for origin, params in origins:
            best: _Attempt | None = None
            last = origin == origins[-1][0]
            for method, options in METHODS if last else METHODS[:-1]:
                point = params if best is None else best.result.params_object
                attempt = run.attempt(point, method, options, origin)
                if isinstance(attempt, str):
                    messages.append(attempt)
                    continue
                if best is None or attempt.result.llf > best.result.llf:
                    best = attempt
                    ends = [*(e for e in ends if e.origin != origin), best]
                if best.decrement < ACCEPTED:
                    return best
                if len(ends) == 2 and abs(ends[0].result.llf - ends[1].result.llf) < 1e-6:
                    return _agreed(ends)
    except TimeLimitError as error:
        if not ends:
            raise
        messages.append(error.message)
    return max(ends, key=lambda e: float(e.result.llf), default=None)


def _agreed(ends: list[_Attempt]) -> _Attempt:
    """The better of two ends, where both are singular: there no score need be zero."""
    best = max(ends, key=lambda e: float(e.result.llf))
    if any(_singularity(e.result.model, e.result)[0] > SINGULAR for e in ends):
        return best
    gap = float(abs(ends[0].result.llf - ends[1].result.llf))
    return replace(best, decrement=min(gap, best.decrement), max_score=float(np.sqrt(2 * gap)))


@dataclass(frozen=True)
class _Run:
    """MixedLM with its data, the free entries and the estimator."""

    model: Any
    pattern: Any
    estimator: Estimator

    def attempt(
        self, start: Any, method: str, options: dict[str, float], origin: str
    ) -> _Attempt | str:
        """One optimiser, or why it gave nothing."""
        try:
            with np.errstate(all="ignore"):
                result = self.model.fit(
                    start_params=None if start is None else start.copy(),
                    reml=self.estimator == "reml",
                    free=self.pattern,
                    method=method,
                    full_output=True,
                    **options,
                )
                if not np.isfinite(result.llf):
                    return f"{method} from {origin} ended at a log-likelihood of {result.llf}"
                decrement, max_score = _distance(self.model, result)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
            return f"{method} from {origin} failed: {error}"
        return _Attempt(result, origin, decrement, max_score, f"{method} from {origin}")


def _free_indices(result: Any) -> NDArray[np.intp]:
    n_parameters = result.params.size
    if result.freepat is None:
        return np.arange(n_parameters, dtype=np.intp)
    return np.flatnonzero(result.freepat.get_packed(use_sqrt=False, has_fe=True))


def _distance(model: Any, result: Any) -> tuple[float, float]:
    """Half the squared Newton decrement and the largest score per SE, by MixedLM's derivatives."""
    if _singularity(model, result)[0] < SINGULAR:
        return _distance_in_factor(model, result)
    score = np.concatenate(model.score_full(result.params_object, calc_fe=True)[:2])
    free = _free_indices(result)
    covariance = np.asarray(result.cov_params())[np.ix_(free, free)]
    decrement = 0.5 * float(score[free] @ covariance @ score[free])
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if not np.isfinite(decrement) or decrement < 0 or np.any(np.diag(covariance) <= 0):
        return np.inf, np.inf
    return decrement, float(np.abs(score[free] * errors).max(initial=0.0))


def _distance_in_factor(model: Any, result: Any) -> tuple[float, float]:
    """The same at a singular covariance matrix, where only the Cholesky factor has a zero score."""
    relative = np.asarray(result.cov_re_unscaled)
    ridge = 1e-14 * np.trace(relative) * np.eye(relative.shape[0])
    point = np.linalg.cholesky(relative + ridge)[np.tril_indices(relative.shape[0])]
    score = np.asarray(model.score(point))
    step = 1e-5 * max(float(np.abs(point).max()), 1e-8)
    hessian = np.array(
        [
            (model.score(point + step * e) - model.score(point - step * e)) / (2.0 * step)
            for e in np.eye(point.size)
        ]
    )
    values, vectors = np.linalg.eigh(-0.5 * (hessian + hessian.T))
    curved = values > 1e-8 * np.abs(values).max(initial=0.0)
    if np.any(values < -1e-4 * np.abs(values).max(initial=0.0)):
        return np.inf, np.inf
    steps = (vectors.T @ score)[curved] / np.sqrt(values[curved])
    return 0.5 * float(steps @ steps), float(np.abs(steps).max(initial=0.0))


def _natural_covariance(problem: LongProblem, model: Any, result: Any) -> FloatArray:
    """Covariance of fixed effects, natural (co)variances and the residual variance.

    With relative parameters g and residual variance s = Q(g) / n profiled out,
    ``cov(s, g) = s' C_gg`` and ``var(s) = 2 s^2 / n + s' C_gg s'``, where s' is the gradient of
    Q / n; natural entries are products ``s g``.
    """
    n_fixed, size = problem.fixed.shape[1], problem.random.shape[1]
    packed = {
        (int(a), int(b)): k for k, (a, b) in enumerate(zip(*np.tril_indices(size), strict=True))
    }
    entries = problem.covariance_entries
    chosen = [n_fixed + packed[max(a, b), min(a, b)] for a, b in entries]
    order = [*range(n_fixed), *chosen]
    base = np.asarray(result.cov_params())[np.ix_(order, order)]
    scale = float(result.scale)
    relative = np.asarray(result.cov_re_unscaled)
    slope = np.zeros(len(order))
    for k, (a, b) in enumerate(entries):
        step = 1e-5 * np.sqrt(relative[a, a] * relative[b, b])
        values = []
        for sign in (1.0, -1.0):
            moved = relative.copy()
            moved[a, b] += sign * step
            moved[b, a] = moved[a, b]
            values.append(model.get_scale(result.fe_params, moved, np.empty(0)))
        slope[n_fixed + k] = (values[0] - values[1]) / (2.0 * step)
    denominator = problem.outcome.size - (n_fixed if result.reml else 0)
    full = np.zeros((len(order) + 1, len(order) + 1))
    full[:-1, :-1] = base
    full[-1, :-1] = full[:-1, -1] = base @ slope
    full[-1, -1] = 2.0 * scale**2 / denominator + slope @ base @ slope
    change = np.eye(len(order) + 1)
    for k, (a, b) in enumerate(entries):
        change[n_fixed + k, n_fixed + k] = scale
        change[n_fixed + k, -1] = relative[a, b]
    return np.asarray(change @ full @ change.T, dtype=float)


def _translate(
    problem: LongProblem, estimator: Estimator, best: _Attempt, messages: tuple[str, ...]
) -> EngineFit:
    result, n_fixed = best.result, problem.fixed.shape[1]
    cov_re = np.asarray(result.cov_re)
    entries = problem.covariance_entries
    estimates = np.concatenate(
        [result.fe_params, [cov_re[a, b] for a, b in entries], [result.scale]]
    )
    names = (*problem.fixed_names, *problem.covariance_names, "var(Residual)")
    kinds: list[ParameterKind] = ["fixed"] * n_fixed
    kinds += ["variance" if a == b else "covariance" for a, b in entries]
    boundary = _boundary(problem, result)
    covariance = np.full((len(names), len(names)), np.nan)
    if boundary.at_boundary:
        covariance[:n_fixed, :n_fixed] = np.asarray(result.cov_params())[:n_fixed, :n_fixed]
    else:
        covariance = _natural_covariance(problem, result.model, result)
    converged = best.decrement < 1e-6
    distance = "its own score is zero" if converged else "its own score is not zero"
    return EngineFit(
        engine="statsmodels",
        estimator=estimator,
        names=names,
        kinds=(*kinds, "residual"),
        estimates=np.asarray(estimates, dtype=float),
        covariance=covariance,
        information="observed",
        log_likelihood=float(result.llf),
        n_subjects=problem.n_subjects,
        n_rows=int(problem.outcome.size),
        convergence=Convergence(
            converged,
            _iterations(result),
            best.decrement,
            best.max_score,
            f"{best.message}: {distance}",
        ),
        boundary=boundary,
        bounds="psd",
        version=version(),
        warnings=messages,
    )


def _iterations(result: Any) -> int:
    history: dict[str, Any] = result.hist[-1] if result.hist else {}
    return int(history.get("iterations", max(len(history.get("allvecs", ())) - 1, 0)))


def _singularity(model: Any, result: Any) -> tuple[float, FloatArray]:
    """How far the random-effects covariance is from singular, and the direction concerned.

    The smaller of the smallest eigenvalue of the correlations and the smallest variance in units
    of the residual variance (at the root mean square of its column).
    """
    relative = np.asarray(result.cov_re_unscaled)
    root = np.sqrt(np.maximum(np.diag(relative), np.finfo(float).tiny))
    shares = np.diag(relative) * np.mean(model.exog_re**2, axis=0)
    weakest = int(np.argmin(shares))
    values, vectors = np.linalg.eigh(relative / np.outer(root, root))
    if shares[weakest] <= values[0]:
        return float(shares[weakest]), np.eye(root.size)[weakest]
    direction = vectors[:, 0] / root
    return float(values[0]), direction / np.linalg.norm(direction)


def _boundary(problem: LongProblem, result: Any) -> Boundary:
    distance, direction = _singularity(result.model, result)
    if distance > SINGULAR:
        return Boundary()
    names = problem.random_names
    concerned = {names[k] for k in np.flatnonzero(np.abs(direction) > 1e-8)}
    parameters = [
        name
        for name, (a, b) in zip(problem.covariance_names, problem.covariance_entries, strict=True)
        if names[a] in concerned or names[b] in concerned
    ]
    variances = np.diag(np.asarray(result.cov_re))
    shown = ", ".join(f"var({n}) = {v:.4g}" for n, v in zip(names, variances, strict=True))
    return Boundary(
        at_boundary=True,
        parameters=tuple(parameters),
        direction=tuple(float(v) for v in direction),
        description=f"the random-effects covariance is singular ({distance:.1g}; {shown})",
    )
