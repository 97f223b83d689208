"""Searches by every optimiser at hand, and from dispersed starts."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.registry import ENGINES, run, state
from growthmm.errors import DataError, EngineError, SpecificationError
from growthmm.inference.optimisers.ending import Ending, Endings, ending, failure
from growthmm.inference.optimisers.landscape import (
    Landscape,
    landscape,
    moment_start,
    require_searchable,
)
from growthmm.inference.result import FitResult
from growthmm.progress import showing, tracked

__all__ = ["METHODS", "all_optimizers", "restarts"]

FloatArray = NDArray[np.float64]

METHODS: dict[str, dict[str, Any]] = {
    "L-BFGS-B": {"ftol": 1e-15, "gtol": 1e-7, "maxiter": 2000},
    "BFGS": {"gtol": 1e-6, "maxiter": 2000},
    "CG": {"gtol": 1e-6, "maxiter": 5000},
    "SLSQP": {"ftol": 1e-13, "maxiter": 2000},
    "trust-ncg": {"gtol": 1e-7, "maxiter": 2000},
    "trust-exact": {"gtol": 1e-7, "maxiter": 2000},
    "Nelder-Mead": {"xatol": 1e-6, "fatol": 1e-10, "maxiter": 20_000, "adaptive": True},
}
"""scipy's methods, with tolerances for coordinates in standard units."""

AWAY = 3.0
"""Standard units by which every coordinate of a start is moved."""

WITH_HESSIAN, WITHOUT_GRADIENT = ("trust-ncg", "trust-exact"), ("Nelder-Mead",)


def all_optimizers(
    fit: FitResult,
    *,
    methods: Sequence[str] | None = None,
    programs: Sequence[str] | None = None,
    time_limit: float = 60.0,
    progress: bool | None = None,
) -> Endings:
    """Fit again by every optimiser at hand, as lme4's ``allFit`` does.

    Our Newton search and scipy's methods maximise the same likelihood with the same exact
    derivatives from the same start, some standard units of every coordinate away from that by
    moments (which for balanced data is the maximum); other programs search by themselves. Each is
    judged by our likelihood and its slope at its estimates, not by what it says (methods: Nocedal
    & Wright 2006, doi:10.1007/978-0-387-40065-5).

    Parameters
    ----------
    fit : FitResult
        By one of our engines.
    methods : sequence of str, optional
        Of ``scipy.optimize.minimize``: ``"L-BFGS-B"``, ``"BFGS"``, ``"CG"``, ``"SLSQP"``,
        ``"trust-ncg"``, ``"trust-exact"``, ``"Nelder-Mead"``; all where None.
    programs : sequence of str, optional
        Other programs, as ``growthmm engines`` names them; all that are installed and take the
        model's family where None.
    time_limit : float
        Seconds that another program may take.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    Endings
        The fit first; ``.rows``, ``.table``, ``.estimates``, ``.confirmed``, ``.summary()``.

    Raises
    ------
    SpecificationError
        If there is no such method.
    UnsupportedEngineError
        If the fit's parameters are not free coordinates.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (1 + occasion | student)", gm.datasets.gpa())
    >>> found = gm.all_optimizers(fit, methods=["BFGS", "SLSQP"], programs=())
    >>> [row.verdict for row in found.rows], found.confirmed
    (['agrees', 'agrees', 'agrees'], True)
    """
    require_searchable(fit)
    chosen = list(METHODS) if methods is None else list(methods)
    strange = [name for name in chosen if name not in METHODS]
    if strange:
        raise SpecificationError(
            f"There is no method {strange[0]!r}.", hint=f"Use some of {', '.join(METHODS)}."
        )
    ground = landscape(fit, moment_start(fit))
    away = _away(ground)
    begun = time.perf_counter()
    with showing(progress):
        again = _run(fit, fit.engine, start=ground.values(away))
    own = time.perf_counter() - begun
    rows = [
        ending(
            fit,
            "Newton",
            "ours",
            values=again.estimates,
            log_likelihood=again.log_likelihood,
            claimed=again.convergence.converged,
            seconds=own,
            own_seconds=own,
        )
    ]
    searches: list[Callable[[], Ending]] = [
        *(partial(_by_scipy, fit, ground, away, name, own) for name in chosen),
        *(partial(_by_program, fit, name, time_limit, own) for name in _programs(fit, programs)),
    ]
    with showing(progress):
        rows += [search() for search in tracked(searches, "optimisers")]
    return Endings(fit.label, tuple(rows))


def _run(fit: FitResult, engine: str, **options: Any) -> Any:
    return run(engine, fit.data.problem, estimator=fit.estimator, bounds=fit.fit.bounds, **options)


def _programs(fit: FitResult, programs: Sequence[str] | None) -> list[str]:
    if programs is not None:
        return list(programs)
    family = ENGINES[fit.engine].family
    named = [e.name for e in ENGINES.values() if e.family == family and not e.own]
    return [name for name in named if state(name).installed]


def _away(ground: Landscape) -> FloatArray:
    """A start off the one by moments, up in one coordinate and down in the next."""
    point = AWAY * np.where(np.arange(ground.size) % 2, -1.0, 1.0)
    while not np.isfinite(ground.objective(point)[0]):
        point = 0.5 * point
    return point


def _by_scipy(
    fit: FitResult, ground: Landscape, start: FloatArray, method: str, own: float
) -> Ending:
    from scipy.optimize import minimize

    seen: dict[bytes, tuple[float, FloatArray, FloatArray]] = {}
    wall = 1e6 * (1.0 + abs(fit.log_likelihood))

    def at(x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        key = x.tobytes()
        if key not in seen:
            if len(seen) > 64:
                seen.clear()
            seen[key] = ground.objective(x)
        return seen[key]

    def value(x: FloatArray) -> float:
        found = at(x)[0]
        return -found if np.isfinite(found) else wall

    derivatives: dict[str, Any] = {}
    if method not in WITHOUT_GRADIENT:
        derivatives["jac"] = lambda x: -at(x)[1]
    if method in WITH_HESSIAN:
        derivatives["hess"] = lambda x: -at(x)[2]
    begun = time.perf_counter()
    with warnings.catch_warnings():
        # What scipy warns of is in its result, which is judged below.
        warnings.simplefilter("ignore")
        found = minimize(value, start, method=method, options=METHODS[method], **derivatives)
    seconds = time.perf_counter() - begun
    if not np.isfinite(at(found.x)[0]):
        return failure(method, "scipy", "it ended where the likelihood does not exist")
    return ending(
        fit,
        method,
        "scipy",
        values=ground.values(found.x),
        log_likelihood=at(found.x)[0],
        claimed=bool(found.success),
        seconds=seconds,
        own_seconds=own,
    )


def _by_program(fit: FitResult, name: str, time_limit: float, own: float) -> Ending:
    from growthmm.inference.likelihood import likelihood

    begun = time.perf_counter()
    try:
        found = run(name, fit.data.problem, estimator=fit.estimator, time_limit=time_limit)
    except (EngineError, DataError, SpecificationError) as error:
        return failure(name, "program", str(error).partition("\n")[0])
    seconds = time.perf_counter() - begun
    values = found.estimates[[found.names.index(n) for n in fit.fit.names]]
    value = likelihood(fit.data.problem, fit.fit.estimator)(values)[0]
    if not np.isfinite(value):
        return failure(name, "program", "our likelihood does not exist at its estimates")
    return ending(
        fit,
        name,
        "program",
        values=values,
        log_likelihood=value,
        claimed=found.convergence.converged,
        seconds=seconds,
        own_seconds=own,
    )


def restarts(
    fit: FitResult,
    n: int = 10,
    *,
    spread: float = 5.0,
    seed: int = 0,
    progress: bool | None = None,
) -> Endings:
    """Fit again from dispersed starts: whether there is another, or a higher, maximum.

    Multistart (Rinnooy Kan & Timmer 1987, doi:10.1007/BF02592070): every coordinate starts
    ``spread z`` units away, `z` standard normal, a unit one over the root of its curvature.

    Parameters
    ----------
    fit : FitResult
        By one of our engines.
    n : int
        How many starts.
    spread : float
        Standard deviation of the starts around the estimates, in standard units of each
        coordinate. A start without a likelihood is drawn halfway back.
    seed : int
        Of the starts.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    Endings
        The fit first, then a row a start.

    Raises
    ------
    SpecificationError
        If `n` is not positive.
    UnsupportedEngineError
        If the fit's parameters are not free coordinates.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (1 + occasion | student)", gm.datasets.gpa())
    >>> gm.restarts(fit, 3).confirmed
    True
    """
    require_searchable(fit)
    if n < 1 or not spread > 0:
        raise SpecificationError(
            f"{n} restarts with a spread of {spread:g}.", hint="Give numbers above 0."
        )
    rng = np.random.default_rng(seed)
    begun = time.perf_counter()
    with showing(progress):
        again = _run(fit, fit.engine)
    own = time.perf_counter() - begun
    rows = [_ended(fit, "moments", again, own, own)]
    # Around starts by moments, where every coordinate has a curvature, also for fits on a boundary.
    ground = landscape(fit, moment_start(fit))
    with showing(progress):
        for k in tracked(range(1, n + 1), "restarts"):
            step = spread * rng.standard_normal(ground.size)
            while not np.isfinite(ground.objective(step)[0]):
                step = 0.5 * step
            rows.append(_restarted(fit, str(k), ground.values(step), own))
    return Endings(fit.label, tuple(rows))


def _restarted(fit: FitResult, name: str, start: FloatArray, own: float) -> Ending:
    begun = time.perf_counter()
    try:
        found = _run(fit, fit.engine, start=start)
    except EngineError as error:
        return failure(name, "restart", str(error).partition("\n")[0])
    return _ended(fit, name, found, time.perf_counter() - begun, own)


def _ended(fit: FitResult, name: str, found: Any, seconds: float, own: float) -> Ending:
    return ending(
        fit,
        name,
        "restart",
        values=found.estimates,
        log_likelihood=found.log_likelihood,
        claimed=found.convergence.converged,
        seconds=seconds,
        own_seconds=own,
    )
