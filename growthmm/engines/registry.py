"""The engines by name: what each fits, whether it can run here, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, Literal

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import EngineNotInstalledError, SpecificationError, UnsupportedEngineError
from growthmm.progress import steps

__all__ = ["ENGINES", "Engine", "EngineState", "engine", "run", "states"]


@dataclass(frozen=True)
class Engine:
    """An engine and how it is reached.

    Parameters
    ----------
    name : str
        As users type it.
    family : {"mixed", "sem"}
        Whether it takes a long or a wide problem.
    own : bool
        Whether it is one of ours; the others are witnesses.
    module, function : str
        Where its ``fit`` is.
    distribution : str, optional
        The Python distribution that it needs.
    r_package : str, optional
        The R package that it needs.
    tolerance : float
        How far from our optimum, in standard errors, a witness may be and still count.
    title : str
        One line for people.
    """

    name: str
    family: Literal["mixed", "sem"]
    own: bool
    module: str
    function: str = "fit"
    distribution: str | None = None
    r_package: str | None = None
    tolerance: float = 1e-3
    title: str = ""


ENGINES: dict[str, Engine] = {
    e.name: e
    for e in (
        Engine(
            "long", "mixed", True, "growthmm.engines.long", title="mixed models on long data (ours)"
        ),
        Engine("wide", "sem", True, "growthmm.engines.wide", title="SEMs on wide data (ours)"),
        Engine(
            "statsmodels",
            "mixed",
            False,
            "growthmm.engines.statsmodels",
            distribution="statsmodels",
            tolerance=1e-2,
            title="statsmodels MixedLM",
        ),
        Engine(
            "semopy",
            "sem",
            False,
            "growthmm.engines.semopy",
            distribution="semopy",
            tolerance=1e-3,
            title="semopy on the augmented moment matrix",
        ),
        Engine(
            "lme4",
            "mixed",
            False,
            "growthmm.engines.r",
            "fit_lme4",
            r_package="lme4",
            title="lmer through Rscript",
        ),
        Engine(
            "nlme",
            "mixed",
            False,
            "growthmm.engines.r",
            "fit_nlme",
            r_package="nlme",
            tolerance=1e-2,
            title="lme through Rscript",
        ),
        Engine(
            "lavaan",
            "sem",
            False,
            "growthmm.engines.r",
            "fit_lavaan",
            r_package="lavaan",
            title="lavaan through Rscript",
        ),
        Engine(
            "glmmtmb",
            "mixed",
            False,
            "growthmm.engines.r",
            "fit_glmmtmb",
            r_package="glmmTMB",
            title="glmmTMB through Rscript",
        ),
        Engine(
            "openmx",
            "sem",
            False,
            "growthmm.engines.r",
            "fit_openmx",
            r_package="OpenMx",
            title="OpenMx through Rscript",
        ),
    )
}
"""Every engine by name; a new one is a row here and a file."""


@dataclass(frozen=True)
class EngineState:
    """Whether an engine can run on this machine.

    Parameters
    ----------
    name, family, title : str
        As in :class:`Engine`.
    installed : bool
        Whether it can be called.
    version : str
        Of the program behind it; empty where it is not installed.
    reason : str
        Why it can't be called, and what to install; empty where it can.
    """

    name: str
    family: str
    title: str
    installed: bool
    version: str
    reason: str


def engine(name: str) -> Engine:
    """The engine called `name`.

    Raises
    ------
    SpecificationError
        If there is none of that name.
    """
    found = ENGINES.get(name)
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(name, ENGINES, n=1)
        raise SpecificationError(
            f"There is no engine called {name!r}.",
            hint=(f"Did you mean {near[0]!r}? " if near else "")
            + f"Engines: {', '.join(ENGINES)}.",
        )
    return found


def state(name: str) -> EngineState:
    """Whether the engine called `name` can run here."""
    e = engine(name)
    version, reason = "", ""
    if e.own:
        version = metadata.version("growthmm")
    elif e.distribution is not None:
        if find_spec(e.distribution) is None:
            reason = f"the Python package {e.distribution} is not installed"
        else:
            version = metadata.version(e.distribution)
    elif e.r_package is not None:
        found = import_module(e.module).available().get(e.r_package)
        if found is None:
            reason = f"Rscript with the package {e.r_package} is not installed"
        else:
            version = found
    return EngineState(e.name, e.family, e.title, not reason, version, reason)


def states() -> tuple[EngineState, ...]:
    """The state of every engine."""
    return tuple(state(name) for name in ENGINES)


WITH_LEVELS = ("lme4", "lavaan")
"""Witnesses that are called for persons in clusters."""


def _refuse_levels(name: str, problem: LongProblem | WideProblem) -> None:
    if name in WITH_LEVELS:
        return
    if isinstance(problem, LongProblem):
        if problem.clusters is not None:
            raise UnsupportedEngineError(
                f"The witness {name} is called with one grouping factor, and this model has "
                f"{problem.clusters.group} around {problem.group}.",
                hint="Use the long engine, or lme4.",
            )
    elif problem.model.n_levels > 1:
        raise UnsupportedEngineError(
            f"The witness {name} fits models of one level.",
            hint="Use the wide engine, or lavaan.",
        )


def run(name: str, problem: LongProblem | WideProblem, **options: Any) -> EngineFit:
    """Fit a problem by the engine called `name`.

    Parameters
    ----------
    name : str
        The engine.
    problem : LongProblem or WideProblem
        Of the engine's family.
    **options
        ``estimator``, ``start`` and what else the engine takes.

    Raises
    ------
    EngineNotInstalledError
        If the program behind it is not on this machine.
    EngineError
        If it cannot fit the problem.
    """
    e = engine(name)
    needed = LongProblem if e.family == "mixed" else WideProblem
    if not isinstance(problem, needed):
        kind = "mixed model on long data" if e.family == "mixed" else "SEM on wide data"
        raise SpecificationError(
            f"The engine {name} fits a {kind}.",
            hint="Translate the model, or choose an engine of its family.",
        )
    if not e.own:
        if isinstance(problem, LongProblem) and problem.restricted:
            raise UnsupportedEngineError(
                f"The engine {name} cannot fix or equate covariance parameters.",
                hint="Use the long engine.",
            )
        if isinstance(problem, LongProblem) and problem.loadings is not None:
            raise UnsupportedEngineError(
                f"The engine {name} fits linear mixed models, and the loadings of this one depend "
                f"on the parameters {', '.join(problem.loadings.names)}.",
                hint="Use the long engine, or the wide one for the latent growth curve.",
            )
        _refuse_levels(name, problem)
        found = state(name)
        if not found.installed:
            raise EngineNotInstalledError(
                f"The engine {name} cannot run: {found.reason}.",
                hint="Install it, or choose another engine (growthmm engines lists them).",
            )
    fit: Callable[..., EngineFit] = getattr(import_module(e.module), e.function)
    with steps(f"fit by {e.name}"):
        return fit(problem, **options)
