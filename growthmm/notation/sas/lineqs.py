"""The equations of a LINEQS statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from growthmm.notation.command_languages.sem import Cell
from growthmm.notation.command_languages.tokens import Cursor, Token
from growthmm.notation.sas.calis_cells import read_cell

if TYPE_CHECKING:
    from growthmm.notation.sas.calis import Draft

__all__ = ["read_lineqs"]


@dataclass(frozen=True, slots=True)
class _Summand:
    cell: Cell
    variable: Token
    plain: bool


def read_lineqs(draft: Draft, cursor: Cursor) -> None:
    """Read ``y = 0*Intercept + 1*f + e, ...``.

    An equation's error is the variable without a coefficient whose name begins with E or D, and
    that stands in no other equation. Other variables without a coefficient have a free one.

    Parameters
    ----------
    draft : Draft
        What takes the rows.
    cursor : Cursor
        Behind the word LINEQS.

    Raises
    ------
    NotationError
        If an equation is malformed, or lacks its error.
    """
    draft.lineqs = True
    equations: list[tuple[Token, list[_Summand]]] = []
    while not cursor.done:
        left = cursor.name("the variable that an equation explains")
        cursor.expect("=")
        summands = [_summand(cursor)]
        while cursor.sees("+", "-"):
            if cursor.sees("+"):
                cursor.take()
            summands.append(_summand(cursor))
        equations.append((left, summands))
        if not cursor.done:
            cursor.expect(",", hint="Separate terms by + and equations by commas.")
    left_sides = {token.text.lower() for token, _ in equations}
    used: dict[str, int] = {}
    for _, summands in equations:
        for summand in summands:
            key = summand.variable.text.lower()
            used[key] = used.get(key, 0) + 1
    for left, summands in equations:
        error = _error(draft, summands, left_sides, used)
        if error is None:
            raise draft.fail(
                f"The equation of {left.text} has no error term",
                left,
                "Add + e1 to it (for a factor + d1); VARIANCE e1 = 0 takes it away.",
            )
        _rows(draft, left, summands, error)


def _summand(cursor: Cursor) -> _Summand:
    start = cursor.at
    if cursor.accept("*"):
        return _Summand(Cell(), cursor.name(), False)
    if cursor.sees("-") and cursor.peek(1).kind != "number":
        raise cursor.fail("A minus sign before a variable", hint="Write -1*variable.")
    if cursor.peek().is_name:
        following = cursor.peek(1)
        if not following.is_name and following.text not in ("*", "("):
            return _Summand(Cell(), cursor.take(), True)
    if not (cursor.sees_number or cursor.sees("(") or cursor.peek().is_name):
        raise cursor.fail(f"{cursor.shown()} is no term of an equation", ("a variable",))
    cell = read_cell(cursor)
    cursor.accept("*")
    plain = cell.value == 1.0 and cursor.tokens[start].kind == "number"
    return _Summand(cell, cursor.name("the variable of the coefficient"), plain)


def _error(
    draft: Draft, summands: list[_Summand], left_sides: set[str], used: dict[str, int]
) -> _Summand | None:
    observed = {name.lower() for name in draft.listed or ()}
    candidates = [
        summand
        for summand in summands
        if summand.plain
        and summand.variable.text[:1].lower() in ("e", "d")
        and used[summand.variable.text.lower()] == 1
        and summand.variable.text.lower() not in left_sides | observed
    ]
    return candidates[-1] if candidates else None


def _rows(draft: Draft, left: Token, summands: list[_Summand], error: _Summand) -> None:
    effect = draft.variable(left)
    draft.order[effect] = None
    draft.errors[draft.variable(error.variable)] = effect
    if error.variable.text[:1].lower() == "d":
        draft.latent_hint.add(effect)
    for summand in summands:
        if summand is error:
            continue
        cell = draft.labelled(summand.cell)
        if summand.variable.says("intercept", "intercep"):
            draft.add("~1", "", effect, cell, summand.variable)
        else:
            draft.add("->", draft.variable(summand.variable), effect, cell, summand.variable)
