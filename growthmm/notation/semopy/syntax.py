"""semopy's model syntax: text to rows as written, before any default.

A statement a line; ``#`` begins a comment. Effects are ``=~``, ``~`` and ``~~``; operations are
``START``, ``BOUND``, ``CONSTRAINT`` and ``DEFINE(latent)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from growthmm.model.sem import Constraint, Operator
from growthmm.notation.lavaan.parser import Source, parse_side
from growthmm.notation.sem.expression import Expression, names, spell

__all__ = ["Row", "Syntax", "parse"]

_EFFECT = re.compile(r"([^=~]*)(=~|~~|~)(.*)", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w.]*")
_LABEL = re.compile(r"[^\W\d][\w.]*")
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]-?[0-9]+)?")
_UNSUPPORTED = {"|": "thresholds", ":=": "defined parameters", "==": "sign of equality"}

_OPERATION = re.compile(r"([A-Z][A-Z_]+)\s*(?:\((.*)\))?\s*([\w\s]*)")
_NEW_OPERATION = re.compile(r"([a-z][a-z_]*)\s*[\"'`:0-9(]")

_HINTS = {
    "ORDINAL": "growthmm fits linear Gaussian models.",
    "FORCE": "Write the regression that makes the variable endogenous.",
    "EXO": "semopy 2 finds exogenous variables itself.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """An effect: as in :class:`growthmm.model.sem.Path`, with the text before the ``*``."""

    left: str
    op: Operator
    right: str
    value: float | None = None
    label: str | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class Syntax:
    """A description, parsed.

    Parameters
    ----------
    rows : tuple of Row
        Effects.
    constraints : tuple of Constraint
        ``CONSTRAINT``.
    starts : tuple of (str, float)
        ``START``, by label.
    bounds : tuple of (str, (float, float))
        ``BOUND``, by label.
    latent : tuple of str
        ``DEFINE(latent)``.
    """

    rows: tuple[Row, ...]
    constraints: tuple[Constraint, ...] = ()
    starts: tuple[tuple[str, float], ...] = ()
    bounds: tuple[tuple[str, tuple[float, float]], ...] = ()
    latent: tuple[str, ...] = ()


def parse(text: str) -> Syntax:
    """Parse a description.

    Parameters
    ----------
    text : str
        Statements in semopy's syntax.

    Raises
    ------
    NotationError
        If a line is malformed, or says something that is no linear SEM.

    Examples
    --------
    >>> [(row.left, row.label, row.right) for row in parse("i ~ ai*1 + x").rows]
    [('i', 'ai', ''), ('i', None, 'x')]
    """
    collected = _Collected(Source(text))
    start = 0
    for line in text.replace("\u223c", "~").split("\n"):
        statement = line.split("#")[0]
        if statement.strip():
            collected.add(statement, start)
        start += len(line) + 1
    return collected.finished()


class _Collected:
    """Statements, as they come."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows: list[Row] = []
        self.constraints: list[Constraint] = []
        self.used: list[tuple[str, int]] = []
        self.starts: list[tuple[str, float]] = []
        self.bounds: list[tuple[str, tuple[float, float]]] = []
        self.latent: list[str] = []
        self.seen: set[tuple[str, str, str]] = set()

    def finished(self) -> Syntax:
        if not self.rows:
            raise self.source.error("The text holds no model.", 0, expected=("=~", "~", "~~"))
        labels = {row.label for row in self.rows if row.label}
        for name, position in self.used:
            if name not in labels:
                raise self.source.error(
                    f"The label {name} stands at no parameter.",
                    position,
                    expected=tuple(sorted(labels)),
                    hint="Label the parameter: label*variable.",
                )
        return Syntax(
            tuple(self.rows),
            tuple(self.constraints),
            tuple(self.starts),
            tuple(self.bounds),
            tuple(self.latent),
        )

    def add(self, statement: str, start: int) -> None:
        first = start + len(statement) - len(statement.lstrip())
        operation = _OPERATION.fullmatch(statement.strip())
        if operation is not None:
            self._operation(operation, first)
            return
        effect = _EFFECT.fullmatch(statement)
        if effect is None:
            hint = "Write START(), BOUND(), CONSTRAINT() or DEFINE() in capitals."
            new = _NEW_OPERATION.match(statement.strip())
            for sign, what in _UNSUPPORTED.items():
                if sign in statement:
                    at = start + statement.index(sign)
                    raise self.source.error(f"semopy has no {what} ({sign}).", at)
            raise self.source.error(
                "There is no operator in this line.",
                first,
                expected=("=~", "~", "~~", "START()", "BOUND()", "CONSTRAINT()", "DEFINE()"),
                hint=hint if new is not None else None,
            )
        left, op, right = effect.groups()
        self._effect(left, cast("Operator", op), right, start, start + effect.start(3))

    def _effect(self, left: str, op: Operator, right: str, start: int, where: int) -> None:
        targets = self._pieces(left, ",", start)
        terms = self._pieces(right, "+", where)
        for target, position in targets:
            if _NAME.fullmatch(target) is None:
                raise self._no_name(target, position)
            for term, at in terms:
                self._row(target, op, term, at)

    def _pieces(self, text: str, sign: str, start: int) -> list[tuple[str, int]]:
        pieces = []
        at = start
        for piece in text.split(sign):
            shown = piece.strip()
            position = at + len(piece) - len(piece.lstrip())
            if not shown:
                raise self.source.error(
                    "Something is missing here.", min(position, at), expected=("a name",)
                )
            pieces.append((shown, position))
            at += len(piece) + 1
        return pieces

    def _no_name(self, text: str, position: int) -> Exception:
        if ":" in text:
            return self.source.error(
                f"The interaction {text} is not supported.",
                position,
                hint="Add a column that holds the product to the data, and write its name.",
            )
        return self.source.error(f"{text!r} is no name.", position, expected=("a name",))

    def _row(self, left: str, op: Operator, term: str, position: int) -> None:
        before, star, variable = term.rpartition("*")
        variable, before = variable.strip(), before.strip()
        value: float | None = None
        label: str | None = None
        if star:
            if _NUMBER.fullmatch(before):
                value = float(before)
                if value in (float("inf"), float("-inf")):
                    raise self.source.error(f"The number {before} is too large.", position)
            elif before == "START":
                raise self.source.error(
                    f"START*{variable} fixes a parameter at its starting value, which the text "
                    "does not say.",
                    position,
                    hint="Write the number.",
                )
            elif _LABEL.fullmatch(before) and not _is_float(before):
                label = before
            else:
                raise self.source.error(
                    f"{before!r} is neither a number nor a label.",
                    position,
                    expected=("a number", "a name"),
                )
        kind = op
        if op == "~" and variable == "1":
            kind, variable = "~1", ""
        elif _NAME.fullmatch(variable) is None:
            raise self._no_name(variable, position)
        if variable == left and op != "~~":
            raise self.source.error(f"{left} cannot explain itself.", position)
        first, second = sorted((left, variable)) if op == "~~" else (left, variable)
        if (kind, first, second) in self.seen:
            raise self.source.error(
                f"{left} {op} {variable or 1} is written twice.",
                position,
                hint="Keep one of the two.",
            )
        self.seen.add((kind, first, second))
        self.rows.append(Row(left, kind, variable, value, label, position))

    def _operation(self, match: re.Match[str], position: int) -> None:
        name, inside, operands = match.groups()
        targets = operands.split()
        if name in ("START", "BOUND"):
            values = self._values(name, inside or "", 1 if name == "START" else 2, position)
            if not targets:
                raise self.source.error(f"{name} names no label.", position, expected=("a name",))
            for target in targets:
                self.used.append((target, position))
                if name == "START":
                    self.starts.append((target, values[0]))
                else:
                    self.bounds.append((target, (values[0], values[1])))
        elif name == "CONSTRAINT" and inside:
            self._constraint(inside, position + match.start(2))
        elif name == "DEFINE" and (inside or "").strip() == "latent":
            self.latent.extend(targets)
        else:
            raise self.source.error(
                f"The operation {name} is not supported.",
                position,
                expected=("START()", "BOUND()", "CONSTRAINT()", "DEFINE(latent)"),
                hint=_HINTS.get("ORDINAL" if "ordinal" in (inside or "") else name),
            )

    def _values(self, name: str, inside: str, count: int, position: int) -> list[float]:
        parts = [part.strip() for part in inside.split(",")]
        if len(parts) != count or not all(_is_float(part) for part in parts):
            raise self.source.error(
                f"{name}({inside}) does not hold {count} number{'s' * (count > 1)}.",
                position,
                expected=("a number",),
            )
        return [float(part) for part in parts]

    def _constraint(self, text: str, start: int) -> None:
        match = re.search(r"[<>=]", text)
        if match is None:
            raise self.source.error(
                "A constraint relates two sides.", start, expected=("=", "<", ">")
            )
        at = match.start()
        op = cast("Literal['==', '<', '>']", "==" if match.group() == "=" else match.group())
        sides = []
        for side, where in ((text[:at], start), (text[at + 1 :], start + at + 1)):
            expression = cast("Expression", parse_side(side, "arithmetic", self.source, where))
            self.used += [(name.text, name.position) for name in names(expression)]
            sides.append(spell(expression))
        self.constraints.append(Constraint(sides[0], op, sides[1]))


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
