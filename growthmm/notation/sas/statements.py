"""SAS programs as steps of statements; finds the one procedure that holds a model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from growthmm.errors import NotationError
from growthmm.notation.command_languages.arithmetic import assigned
from growthmm.notation.command_languages.names import longer_names
from growthmm.notation.command_languages.tokens import Cursor, Token, blank, scan, too_long

__all__ = ["Procedure", "Statement", "find_procedure"]

_OTHERS = {
    "glimmix": "generalised linear mixed models",
    "nlmixed": "nonlinear mixed models",
    "hpmixed": "mixed models of another syntax",
    "glm": "linear models without random effects",
    "tcalis": "an older form of PROC CALIS",
}
_QUIET = ("data", "set", "run", "keep", "drop", "label", "format", "length", "by", "")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, without its semicolon.

    Parameters
    ----------
    tokens : tuple of Token
        Its words and signs.
    stop : int
        Where its semicolon stands.
    """

    tokens: tuple[Token, ...]
    stop: int

    @property
    def word(self) -> str:
        """Its first word, in lower case."""
        first = self.tokens[0] if self.tokens else None
        return first.text.lower() if first is not None and first.kind == "name" else ""

    def cursor(self, text: str, skip: int = 1) -> Cursor:
        """A cursor behind its first words."""
        return Cursor(text, self.tokens[skip:], self.stop)


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure step.

    Parameters
    ----------
    name : {"mixed", "calis"}
        Which one.
    text : str
        The program, for errors.
    statements : tuple of Statement
        The PROC statement and those behind it.
    derived : dict of str to str
        Columns that data steps before it compute, by lower-case name.
    recoded : frozenset of str
        Columns that data steps before it change in place, in lower case.
    longer : dict of str to str
        Shortened names that comments explain.
    """

    name: str
    text: str
    statements: tuple[Statement, ...]
    derived: dict[str, str]
    recoded: frozenset[str]
    longer: dict[str, str]


def find_procedure(text: str) -> Procedure:
    """The one PROC MIXED or PROC CALIS of a program.

    Parameters
    ----------
    text : str
        The program. Data steps of plain assignments are understood, other steps passed over.

    Raises
    ------
    NotationError
        If there is none, or more than one.
    """
    problem = too_long(text)
    if problem is not None:
        raise problem
    steps = _steps(_statements(text, _without_comments(text)))
    derived: dict[str, str] = {}
    recoded: set[str] = set()
    found: list[list[Statement]] = []
    for step in steps:
        first = step[0]
        if first.word == "data" and not found:
            _assignments(text, step, derived, recoded)
        name = first.tokens[1].text.lower() if len(first.tokens) > 1 else ""
        if first.word != "proc":
            continue
        if name in ("mixed", "calis"):
            found.append(step)
        elif name in _OTHERS:
            raise NotationError(
                f"PROC {name.upper()} fits {_OTHERS[name]} and is not read",
                text=text,
                position=first.tokens[1].position,
                hint="Write PROC MIXED or PROC CALIS.",
            )
    if not found:
        raise NotationError(
            "The text has no PROC MIXED and no PROC CALIS",
            text=text,
            position=len(text) - len(text.lstrip()),
            expected=("proc mixed", "proc calis"),
        )
    if len(found) > 1:
        raise NotationError(
            "The text has a second procedure with a model",
            text=text,
            position=found[1][0].tokens[0].position,
            hint="Give one at a time.",
        )
    _check_macros(text, found[0])
    name = found[0][0].tokens[1].text.lower()
    longer = longer_names(text, folded=True)
    return Procedure(name, text, tuple(found[0]), derived, frozenset(recoded), longer)


def _without_comments(text: str) -> str:
    """The text with comments blanked: ``/* */``, and statements that begin with ``*``."""
    shown = text
    starts, at = True, 0
    for match in re.finditer(r"/\*|['\"]|;|\*|%\*|\S", text):
        place, sign = match.start(), match.group()
        if place < at:
            continue
        if sign == "/*":
            end = text.find("*/", place + 2)
            at = len(text) if end < 0 else end + 2
            shown = blank(shown, place, at)
        elif sign in ("*", "%*") and starts:
            end = text.find(";", place)
            at = len(text) if end < 0 else end + 1
            shown = blank(shown, place, at)
        elif sign in "'\"":
            # A quoted string ends on its line; a lone quote stands for itself.
            closing = re.compile(rf"{sign}|\n|$").search(text, place + 1)
            closed = closing is not None and closing.group() == sign
            at = closing.end() if closing is not None and closed else place + 1
            starts = False
        else:
            starts = sign == ";"
    return shown


def _statements(text: str, shown: str) -> list[Statement]:
    statements: list[Statement] = []
    current: list[Token] = []
    for token in scan(shown):
        if token.kind == "sign" and token.text == ";":
            if current:
                statements.append(Statement(tuple(current), token.position))
            current = []
        else:
            current.append(token)
    if current:
        last = Statement(tuple(current), len(text.rstrip()))
        if last.word in ("run", "quit"):
            return [*statements, last]
        raise NotationError(
            "The last statement has no semicolon",
            text=text,
            position=last.stop,
            expected=(";",),
        )
    return statements


def _steps(statements: list[Statement]) -> list[list[Statement]]:
    steps: list[list[Statement]] = []
    open_step = False
    for statement in statements:
        begins = statement.word in ("proc", "data")
        if begins or not open_step:
            steps.append([])
        open_step = True
        if statement.word in ("run", "quit"):
            open_step = False
            continue
        steps[-1].append(statement)
    return [step for step in steps if step]


def _assignments(
    text: str, step: list[Statement], derived: dict[str, str], recoded: set[str]
) -> None:
    """What a data step of plain assignments computes."""
    found: dict[str, str] = {}
    changed: set[str] = set()
    for statement in step:
        tokens = statement.tokens
        second = tokens[1] if len(tokens) > 1 else None
        if second is None or second.text != "=" or not tokens[0].is_name:
            if statement.word not in _QUIET:
                return
            continue
        name = tokens[0].text.lower()
        right = text[second.end : statement.stop]
        if any(token.text.lower() == name for token in tokens[2:] if token.is_name):
            changed.add(name)
            continue
        expression = assigned(right, "sas", {**derived, **found}, folded=True)
        if expression is not None:
            found[name] = expression
    derived.update(found)
    recoded |= changed


def _check_macros(text: str, step: list[Statement]) -> None:
    for statement in step:
        for token in statement.tokens:
            if token.kind == "sign" and token.text in ("&", "%"):
                raise NotationError(
                    "Macros and macro variables are not read",
                    text=text,
                    position=token.position,
                    hint="Write out what they stand for.",
                )
