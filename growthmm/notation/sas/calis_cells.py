"""Parameters as PROC CALIS lists them: numbers, names, starting values, bounds, constraints."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from growthmm.model.sem import Constraint
from growthmm.notation.command_languages.effects import name_list
from growthmm.notation.command_languages.sem import Cell
from growthmm.notation.command_languages.tokens import Cursor, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from growthmm.notation.sas.calis import Draft

__all__ = ["check_number", "pair_cells", "read_cell", "read_cells", "read_constraints"]

MAX_PARAMETERS = 10_000

_RELATIONS = ("<=", ">=", "<", ">", "=", "==")


def read_cell(cursor: Cursor) -> Cell:
    """One parameter: ``0.5`` (fixed), ``name``, ``name(start)``, ``(start)``."""
    if cursor.sees_number:
        return Cell(free=False, value=cursor.number())
    label = None
    if cursor.peek().is_name:
        label = cursor.take().text
    start = None
    if cursor.sees("("):
        inside = cursor.bracketed()
        start = inside.number()
        if not inside.done:
            raise inside.fail("A starting value is one number")
    elif label is None:
        raise cursor.fail(
            f"{cursor.shown()} is no parameter", ("a number", "a name", "(starting value)")
        )
    return Cell(label=label, start=start)


def _cells(cursor: Cursor) -> list[Cell]:
    found: list[Cell] = []
    while not cursor.done and not cursor.sees(","):
        first, sign, last = cursor.peek(), cursor.peek(1), cursor.peek(2)
        if first.is_name and sign.text == "-" and sign.kind == "sign" and last.is_name:
            piece = Cursor(cursor.text, cursor.tokens[cursor.at : cursor.at + 3])
            found += [Cell(label=token.text) for token in name_list(piece)]
            cursor.at += 3
        else:
            found.append(read_cell(cursor))
    return found


def read_cells(
    draft: Draft,
    cursor: Cursor,
    op: Literal["->", "~~", "~1"],
    pairs: Sequence[tuple[Token, Token]],
    token: Token,
) -> None:
    """Read ``= parameters`` for as many rows, or nothing, where all are free."""
    if not pairs:
        raise cursor.fail(f"{cursor.shown()} stands where a variable should", ("a variable",))
    cells = [Cell()] * len(pairs)
    if cursor.accept("="):
        cells = _cells(cursor)
        if len(cells) != len(pairs):
            raise cursor.fail(
                f"{len(pairs)} parameter{'s' * (len(pairs) > 1)} and {len(cells)} value"
                f"{'s' * (len(cells) != 1)}",
                token=token,
                hint="Give as many names or numbers as there are parameters.",
            )
    for (left, right), given in zip(pairs, cells, strict=True):
        first, second = draft.variable(left), draft.variable(right)
        cell = draft.labelled(given)
        if op == "~1":
            draft.add(op, "", second, cell, right)
        elif op == "->":
            draft.add(op, first, second, cell, right)
        else:
            _covariance(draft, first, second, cell, left)


def _covariance(draft: Draft, first: str, second: str, cell: Cell, token: Token) -> None:
    """A row for two errors, or for two variables; an error stands for what it disturbs."""
    errors = [name in draft.errors for name in (first, second)]
    ends = [draft.errors.get(name, name) for name in (first, second)]
    if errors[0] != errors[1]:
        other = ends[1] if errors[0] else ends[0]
        if other not in draft.explained:
            raise draft.fail(
                f"A covariance of an error with {other} is not supported",
                token,
                "Let errors covary with errors.",
            )
    draft.add("~~", ends[0], ends[1], cell, token)


def check_number(cursor: Cursor, number: int) -> None:
    """Refuse a list of more parameters than a model can have."""
    if number > MAX_PARAMETERS:
        raise cursor.fail(
            f"The lists make {number} parameters, more than {MAX_PARAMETERS}",
            hint="Write a smaller model.",
        )


def pair_cells(cursor: Cursor) -> list[tuple[Token, Token]]:
    """``a b c``: all pairs within the list, row by row; ``a * b c``: between two lists."""
    first = name_list(cursor)
    if cursor.accept("*"):
        second = name_list(cursor)
        check_number(cursor, len(first) * len(second))
        return [(a, b) for a in first for b in second]
    if len(first) == 1:
        raise cursor.fail("A covariance needs two variables", ("a variable",))
    check_number(cursor, len(first) ** 2)
    return [(first[i], first[j]) for i in range(len(first)) for j in range(i)]


def read_constraints(draft: Draft, cursor: Cursor, word: str) -> None:
    """Read BOUNDS (``0 <= v, a > 1``) or LINCON (``a - 2*b = 0``)."""
    while not cursor.done:
        start = cursor.at
        depth_tokens = list(cursor.until(","))
        if not cursor.done:
            cursor.take()
        stop = depth_tokens[-1].end if depth_tokens else None
        piece = Cursor(cursor.text, depth_tokens, stop)
        if word == "bounds":
            _bound(draft, piece)
        else:
            _lincon(draft, piece, cursor.tokens[start])


def _bound(draft: Draft, cursor: Cursor) -> None:
    parts: list[float | list[Token]] = []
    signs: list[str] = []
    while True:
        parts.append(cursor.number() if cursor.sees_number else name_list(cursor))
        if cursor.done:
            break
        sign = cursor.take()
        if sign.text not in ("<=", ">=", "<", ">"):
            raise cursor.fail("A bound is an inequality", ("<=", ">="), token=sign)
        signs.append(sign.text)
    names = [part for part in parts if isinstance(part, list)]
    if len(names) != 1 or not names[0] or not 2 <= len(parts) <= 3:
        raise cursor.fail(
            "A bound has one list of parameters and one or two numbers",
            hint="Write 0 <= v or 0 <= v <= 5.",
        )
    for (left, right), relation in zip(pairwise(parts), signs, strict=True):
        lower = isinstance(left, float) == (relation in ("<=", "<"))
        value = left if isinstance(left, float) else right
        assert isinstance(value, float)
        for token in names[0]:
            name = draft.label(token.text)
            low, high = draft.bounds.get(name, (None, None))
            draft.bounds[name] = (value, high) if lower else (low, value)


def _lincon(draft: Draft, cursor: Cursor, token: Token) -> None:
    """A linear relation, spelled as constraints are elsewhere."""
    at = [k for k, each in enumerate(cursor.tokens) if each.text in _RELATIONS]
    if len(at) != 1:
        raise draft.fail("A constraint relates two sides", token, "Write lincon a - 2*b = 0;")
    relation = cursor.tokens[at[0]].text
    sides = []
    for tokens in (cursor.tokens[: at[0]], cursor.tokens[at[0] + 1 :]):
        sides.append(_side(draft, Cursor(cursor.text, tokens, cursor.end.position)))
    op: Literal["==", "<", ">"] = "==" if relation[0] == "=" else "<" if relation[0] == "<" else ">"
    draft.constraints.append(Constraint(sides[0], op, sides[1]))


def _side(draft: Draft, cursor: Cursor) -> str:
    """``2*a - b`` or a number, with blanks around plus and minus."""
    pieces: list[str] = []
    while True:
        sign = ""
        if cursor.sees("+", "-"):
            sign = cursor.take().text
        if cursor.peek().kind == "number":
            text = f"{cursor.number():.17g}"
            if cursor.accept("*"):
                text += f"*{draft.label(cursor.name('a parameter').text)}"
        else:
            text = draft.label(cursor.name("a parameter").text)
        if pieces:
            pieces.append(f" {sign or '+'} {text}")
        else:
            pieces.append(f"-{text}" if sign == "-" else text)
        if cursor.done:
            return re.sub(r"\s+", " ", "".join(pieces))
        if not cursor.sees("+", "-"):
            raise cursor.fail("A linear constraint adds multiples of parameters", ("+", "-"))
