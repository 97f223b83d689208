"""The explanation of two analyses: differences, walk, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from growthmm.equivalence.explaining.alignment import aligned
from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.explaining.causes import CAUSES
from growthmm.equivalence.explaining.difference import Difference
from growthmm.equivalence.explaining.differences import differences
from growthmm.equivalence.explaining.fitting import Figures, Fitter
from growthmm.equivalence.explaining.remedies import Remedies
from growthmm.equivalence.explaining.result import Explanation, Step
from growthmm.equivalence.explaining.verdicts import compare_analyses
from growthmm.equivalence.explaining.walk import Walk, interactions, walk
from growthmm.equivalence.moment_test import MomentComparison
from growthmm.equivalence.verdict import Verdict
from growthmm.notation import notation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explain_analyses"]

INTERIOR = (
    "the optimum lies inside the parameter space: {one} keeps the factor covariance positive "
    "semi-definite, {other} does not"
)


def explain_analyses(
    a: Analysis,
    b: Analysis,
    frame: pd.DataFrame | None,
    *,
    families: tuple[str, str],
    labels: tuple[str, str] = ("", ""),
    assumptions: Sequence[str] = (),
) -> Explanation:
    """Explain why two analyses give different numbers.

    Parameters
    ----------
    a, b : Analysis
        The two, in their own names.
    frame : DataFrame, optional
        Long data.
    families : (str, str)
        ``"mixed"`` or ``"sem"``.
    labels : (str, str)
        How they are called.
    assumptions : sequence of str
        What was guessed.

    Returns
    -------
    Explanation
        The differences, one at a time, and the verdict.
    """
    first, second = aligned(a, b, frame)
    found = differences(first, second)
    fitter = None if frame is None else Fitter(frame)
    way = walk(first, second, found, fitter)
    called = _called(a.notation, b.notation)
    lines = dict(zip(map(id, found), Remedies(a, b, families, frame).of(found), strict=True))
    steps = tuple(_step(d, (x, y), called, lines[id(d)], way) for d, x, y in way.taken)
    comparison = None
    if any(step.effect in ("model", "coding") for step in steps):
        comparison = compare_analyses(first, second)
    verdict, reason, nested = _verdict(steps, comparison, way, called)
    moving = [d for d, before, after in way.taken if d.effect in ("model", "likelihood", "coding")]
    crossed = () if fitter is None or len(moving) < 2 else interactions(first, moving, fitter)
    return Explanation(
        verdict=verdict,
        reason=reason,
        nested_df=nested,
        steps=steps,
        smallest=tuple(step.cause for step in steps if step.effect != "printing"),
        interactions=crossed,
        labels=labels,
        notations=(a.notation, b.notation),
        first=way.first,
        last=way.last,
        left_out=tuple(
            f"{d.cause}: {_sentence(d, called)} It makes no difference on these data."
            for d in way.idle
        ),
        assumptions=(*assumptions, *(f"not fitted: {why}" for why in way.failures)),
    )


def _called(a: str, b: str) -> tuple[str, str]:
    if a == b:
        return "the first", "the second"
    return _title(a), _title(b)


def _title(name: str) -> str:
    return notation(name).title.split(" (")[0]


def _sentence(difference: Difference, called: tuple[str, str]) -> str:
    text = CAUSES[difference.cause].template.format(
        a=called[0],
        b=called[1],
        before=difference.before,
        after=difference.after,
        what=difference.what or "the model",
    )
    if difference.changes:
        text += f" That makes it another model: {'; '.join(difference.changes)}."
    return text[0].upper() + text[1:] if text.startswith("the ") else text


def _step(
    difference: Difference,
    figures: tuple[Figures | None, Figures | None],
    called: tuple[str, str],
    lines: tuple[tuple[str, str], ...],
    way: Walk,
) -> Step:
    description = _sentence(difference, called)
    if difference.cause == "fit_baseline" and len(way.indices) == 2:
        shown = [f"CFI {cfi:.4f} and TLI {tli:.4f}" for cfi, tli in way.indices]
        description += f" {shown[0]} become {shown[1]}."
    return Step(
        cause=difference.cause,
        description=description,
        what=difference.what,
        value_a=difference.before,
        value_b=difference.after,
        by_default=CAUSES[difference.cause].by_default,
        remedies=lines,
        before=figures[0],
        after=figures[1],
    )


def _verdict(
    steps: tuple[Step, ...],
    comparison: MomentComparison | None,
    way: Walk,
    called: tuple[str, str],
) -> tuple[Verdict, str, int | None]:
    effects = {step.effect for step in steps}
    if comparison is not None and not comparison.same:
        return _of_different_models(comparison, called)
    if comparison is None and effects & {"model", "coding"}:
        return "different", "the models differ, and no form that says both was found", None
    recoded = " in another coding" if "coding" in effects else ""
    causes = [step.cause for step in steps if step.effect == "likelihood"]
    if causes == ["bounds"] and way.first is None:
        bounded = next(step for step in steps if step.cause == "bounds")
        one, other = called if "only" in bounded.value_a else (called[1], called[0])
        return "identical_if", "one model, if " + INTERIOR.format(one=one, other=other), None
    if causes:
        return (
            "different_estimator",
            f"one model{recoded}, run in two ways: {', '.join(causes)}",
            None,
        )
    rest = "" if not steps else "; what is left is how standard errors and results are printed"
    if effects <= {"coding"}:
        rest = ""
    return "identical", f"one model{recoded}, fitted in one way{rest}", None


def _of_different_models(
    comparison: MomentComparison, called: tuple[str, str]
) -> tuple[Verdict, str, int | None]:
    df = comparison.nested_df
    if df is None:
        return "different", "neither model contains the other", None
    small, large = called if comparison.covers else (called[1], called[0])
    return (
        "nested",
        f"the model of {small} is that of {large} with {df} parameter{'s' if df > 1 else ''} less",
        df,
    )
