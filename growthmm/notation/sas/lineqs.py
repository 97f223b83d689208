"""The equations of a LINEQS statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from growthmm.notation.sas.draft import Draft
from growthmm.notation.sas.statements import Statement
from growthmm.notation.sas.syntax import Equation, Summand

__all__ = ["read_lineqs"]


def read_lineqs(draft: Draft, statement: Statement) -> None:
    """Read ``y = 0*Intercept + 1*f + e, ...``.

    An equation's error is the variable without a coefficient whose name begins with E or D, and
    that stands in no other equation. Other variables without a coefficient have a free one.

    Parameters
    ----------
    draft : Draft
        What takes the rows.
    statement : Statement
        The LINEQS statement.

    Raises
    ------
    NotationError
        If an equation is malformed, or lacks its error.
    """
    draft.lineqs = True
    equations: tuple[Equation, ...] = draft.parsed("lineqs", statement)
    known = {each.left.text.lower() for each in equations}
    known |= {name.lower() for name in draft.listed or ()}
    used = Counter(s.variable.text.lower() for each in equations for s in each.summands)
    for equation in equations:
        error = _error(equation, known, used)
        if error is None:
            raise draft.fail(
                f"The equation of {equation.left.text} has no error term",
                equation.left,
                "Add + e1 to it (for a factor + d1); VARIANCE e1 = 0 takes it away.",
            )
        _rows(draft, equation, error)


def _error(equation: Equation, known: set[str], used: Mapping[str, int]) -> Summand | None:
    candidates = [
        summand
        for summand in equation.summands
        if summand.plain
        and summand.variable.text[:1].lower() in ("e", "d")
        and used[summand.variable.text.lower()] == 1
        and summand.variable.text.lower() not in known
    ]
    return candidates[-1] if candidates else None


def _rows(draft: Draft, equation: Equation, error: Summand) -> None:
    effect = draft.variable(equation.left)
    draft.order[effect] = None
    draft.errors[draft.variable(error.variable)] = effect
    if error.variable.text[:1].lower() == "d":
        draft.latent_hint.add(effect)
    for summand in equation.summands:
        if summand is error:
            continue
        cell = draft.labelled(summand.cell)
        if summand.variable.says("intercept", "intercep"):
            draft.add("~1", "", effect, cell, summand.variable)
        else:
            draft.add("->", draft.variable(summand.variable), effect, cell, summand.variable)
