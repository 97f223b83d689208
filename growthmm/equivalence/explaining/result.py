"""What an explanation holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from growthmm.equivalence.explaining.causes import CAUSES, Effect
from growthmm.equivalence.explaining.fitting import Figures
from growthmm.equivalence.verdict import Verdict
from growthmm.rendering import Brief, render

if TYPE_CHECKING:
    from growthmm.equivalence.printed.result import AgainstPrinted

__all__ = ["Change", "Explanation", "Interaction", "Step"]


@dataclass(frozen=True, slots=True, repr=False)
class Change(Brief):
    """One parameter before and after a step.

    Parameters
    ----------
    name : str
        The growth parameter: ``mean:i``, ``cov:i:s``, ``residual``.
    before, after : float or None
        Its estimates; None where the model does not have it.
    error_before, error_after : float or None
        Its standard errors.
    """

    name: str
    before: float | None
    after: float | None
    error_before: float | None
    error_after: float | None


@dataclass(frozen=True, repr=False)
class Step(Brief):
    """One difference, taken away from the first analysis.

    Parameters
    ----------
    cause : str
        A stable word (see ``growthmm.equivalence.explaining.causes``).
    description : str
        What changes, in plain words.
    what : str
        The part of the model that it is about; may be empty.
    value_a, value_b : str
        How each analysis has it.
    by_default : str
        Which programs' defaults cause it.
    remedies : tuple of (str, str)
        A notation, and what to write in it so that the difference goes away.
    before, after : Figures or None
        Both fits; None without data, or where there is no fit.
    """

    cause: str
    description: str
    what: str
    value_a: str
    value_b: str
    by_default: str
    remedies: tuple[tuple[str, str], ...]
    before: Figures | None
    after: Figures | None

    @property
    def effect(self) -> Effect:
        """What the cause changes: model, coding, likelihood, errors or printing."""
        return CAUSES[self.cause].effect

    @property
    def log_likelihood_before(self) -> float | None:
        """The log-likelihood with the difference."""
        return None if self.before is None else self.before.log_likelihood

    @property
    def log_likelihood_after(self) -> float | None:
        """The log-likelihood without it."""
        return None if self.after is None else self.after.log_likelihood

    @property
    def changes(self) -> tuple[Change, ...]:
        """Parameters whose estimate or standard error moves, come or go."""
        if self.before is None or self.after is None:
            return ()
        found = []
        for name in dict.fromkeys((*self.before.names, *self.after.names)):
            old, new = self.before.value(name), self.after.value(name)
            if old is not None and new is not None and _alike(old, new):
                continue
            (was, error), (now, error_now) = old or (None, None), new or (None, None)
            found.append(Change(name, was, now, error, error_now))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """The step as plain values."""
        made: dict[str, Any] = {
            "cause": self.cause,
            "description": self.description,
            "effect": self.effect,
            "what": self.what,
            "a": self.value_a,
            "b": self.value_b,
            "by_default": self.by_default,
            "remedies": [{"notation": n, "write": text} for n, text in self.remedies],
            "log_likelihood_before": self.log_likelihood_before,
            "log_likelihood_after": self.log_likelihood_after,
        }
        for name in ("n_parameters", "aic", "bic", "n_persons", "n_rows"):
            made[f"{name}_before"] = None if self.before is None else getattr(self.before, name)
            made[f"{name}_after"] = None if self.after is None else getattr(self.after, name)
        made["changes"] = [
            {
                "name": c.name,
                "before": c.before,
                "after": c.after,
                "std_error_before": c.error_before,
                "std_error_after": c.error_after,
            }
            for c in self.changes
        ]
        return made


def _alike(old: tuple[float, float], new: tuple[float, float]) -> bool:
    """Whether estimate and standard error are the same to what matters."""
    scale = next((e for e in (*old[1:], *new[1:]) if math.isfinite(e) and e > 0), 1.0)
    if abs(old[0] - new[0]) > 1e-4 * scale:
        return False
    if math.isfinite(old[1]) and math.isfinite(new[1]):
        return abs(old[1] - new[1]) <= 1e-5 * scale
    return math.isfinite(old[1]) == math.isfinite(new[1])


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two differences whose effects on the log-likelihood do not add up.

    Parameters
    ----------
    first, second : str
        The causes.
    alone : float
        What the second does by itself, from the first analysis.
    after : float
        What it does once the first is taken away.
    """

    first: str
    second: str
    alone: float
    after: float


@dataclass(frozen=True)
class Explanation:
    """Why two analyses give different numbers.

    Parameters
    ----------
    verdict : str
        As for ``verify``: ``identical``, ``identical_if``, ``nested``, ``different_estimator``,
        ``not_representable`` or ``different``.
    reason : str
        The verdict in a sentence.
    nested_df : int, optional
        Degrees of freedom, where one model is nested in the other.
    steps : tuple of Step
        The differences, in an order in which every step can be fitted.
    smallest : tuple of str
        Causes that have to go so that both give the same numbers; printing apart.
    interactions : tuple of Interaction
        Pairs of differences whose order matters.
    labels : (str, str)
        How both analyses are called.
    notations : (str, str)
        Their programs.
    first, last : Figures or None
        Both ends of the walk: the two analyses as their programs print them.
    left_out : tuple of str
        Differences of the programs that make no difference here, and why.
    printed : tuple of AgainstPrinted
        Printed results held against the fits, where some were given.
    assumptions : tuple of str
        What was guessed.
    """

    verdict: Verdict
    reason: str
    nested_df: int | None
    steps: tuple[Step, ...]
    smallest: tuple[str, ...]
    interactions: tuple[Interaction, ...]
    labels: tuple[str, str]
    notations: tuple[str, str]
    first: Figures | None
    last: Figures | None
    left_out: tuple[str, ...] = ()
    printed: tuple[AgainstPrinted, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes of the steps, in their order."""
        return tuple(step.cause for step in self.steps)

    def summary(self) -> str:
        """The explanation as text."""
        return str(render("explanation.summary", self))

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain values."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "nested_df": self.nested_df,
            "steps": [step.to_dict() for step in self.steps],
            "smallest": list(self.smallest),
            "interactions": [
                {"first": i.first, "second": i.second, "alone": i.alone, "after": i.after}
                for i in self.interactions
            ],
            "left_out": list(self.left_out),
            "printed": [found.to_dict() for found in self.printed],
            "assumptions": list(self.assumptions),
        }

    def __repr__(self) -> str:
        n = len(self.steps)
        return f"<Explanation {self.verdict}: {n} step{'s' * (n != 1)}; {self.reason}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return str(render("explanation.html", self))
