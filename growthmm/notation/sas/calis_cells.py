"""Parameters of PROC CALIS as rows: paths, moments, bounds, linear constraints."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from growthmm.model.sem import Constraint
from growthmm.notation.command_languages.sem import Cell
from growthmm.notation.command_languages.tokens import Token
from growthmm.notation.sas.draft import Draft
from growthmm.notation.sas.statements import Statement
from growthmm.notation.sas.syntax import Bound, Linear, Moment

__all__ = ["add_bounds", "add_lincon", "add_moment", "add_pairs", "add_rows", "check_number"]

MAX_PARAMETERS = 10_000


def add_rows(
    draft: Draft,
    op: Literal["->", "~~", "~1"],
    pairs: Sequence[tuple[Token, Token]],
    cells: tuple[Cell, ...] | None,
    token: Token,
) -> None:
    """Rows with their parameters, or free ones, where none are given."""
    given = [Cell()] * len(pairs) if cells is None else list(cells)
    if len(given) != len(pairs):
        raise draft.fail(
            f"{len(pairs)} parameter{'s' * (len(pairs) > 1)} and {len(given)} value"
            f"{'s' * (len(given) != 1)}",
            token,
            "Give as many names or numbers as there are parameters.",
        )
    for (left, right), said in zip(pairs, given, strict=True):
        first, second = draft.variable(left), draft.variable(right)
        cell = draft.labelled(said)
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
            message = f"A covariance of an error with {other} is not supported"
            raise draft.fail(message, token, "Let errors covary with errors.")
    draft.add("~~", ends[0], ends[1], cell, token)


def check_number(draft: Draft, number: int, token: Token) -> None:
    """Refuse a list of more parameters than a model can have."""
    if number > MAX_PARAMETERS:
        message = f"The lists make {number} parameters, more than {MAX_PARAMETERS}"
        raise draft.fail(message, token, "Write a smaller model.")


def add_moment(draft: Draft, op: Literal["~~", "~1"], moment: Moment) -> None:
    """Variances or means of a list."""
    pairs = [(token, token) for token in moment.names]
    add_rows(draft, op, pairs, moment.cells, moment.names[0])


def add_pairs(draft: Draft, moment: Moment) -> None:
    """``a b c``: all pairs within the list, row by row; ``a * b c``: between two lists."""
    first, others = moment.names, moment.others
    check_number(draft, len(first) * len(others or first), first[0])
    if others is not None:
        pairs = [(a, b) for a in first for b in others]
    else:
        pairs = [(first[i], first[j]) for i in range(len(first)) for j in range(i)]
    if not pairs:
        message = "A covariance needs two variables"
        raise draft.fail(message, first[0], expected=("a variable",))
    add_rows(draft, "~~", pairs, moment.cells, first[0])


def add_bounds(draft: Draft, statement: Statement) -> None:
    """Read BOUNDS: ``0 <= v, a > 1``."""
    for bound in draft.parsed("bounds", statement):
        _bound(draft, bound)


def _bound(draft: Draft, bound: Bound) -> None:
    names = [part for part in bound.parts if isinstance(part, tuple)]
    if len(names) != 1 or not 2 <= len(bound.parts) <= 3:
        message = "A bound has one list of parameters and one or two numbers"
        raise draft.fail(message, bound.signs[0], "Write 0 <= v or 0 <= v <= 5.")
    for (left, right), sign in zip(pairwise(bound.parts), bound.signs, strict=True):
        lower = isinstance(left, float) == (sign.text in ("<=", "<"))
        value = left if isinstance(left, float) else right
        assert isinstance(value, float)
        for token in names[0]:
            name = draft.label(token.text)
            low, high = draft.bounds.get(name, (None, None))
            draft.bounds[name] = (value, high) if lower else (low, value)


def add_lincon(draft: Draft, statement: Statement) -> None:
    """Read LINCON: linear relations, spelled as constraints are elsewhere."""
    for relation in draft.parsed("lincon", statement):
        draft.constraints.append(_lincon(draft, relation))


def _lincon(draft: Draft, said: Linear) -> Constraint:
    sign = said.relation[0]
    op: Literal["==", "<", ">"] = "==" if sign == "=" else "<" if sign == "<" else ">"
    return Constraint(_side(draft, said.left), op, _side(draft, said.right))


def _side(draft: Draft, terms: tuple[tuple[str, float | None, Token | None], ...]) -> str:
    """``2*a - b`` or a number, with blanks around plus and minus."""
    shown = ""
    for sign, value, parameter in terms:
        pieces = [] if value is None else [f"{value:.17g}"]
        pieces += [] if parameter is None else [draft.label(parameter.text)]
        text = "*".join(pieces)
        if shown:
            shown += f" {sign} {text}"
        else:
            shown = f"-{text}" if sign == "-" else text
    return shown
