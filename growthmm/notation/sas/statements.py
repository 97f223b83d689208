"""SAS programs as steps of statements; finds the one procedure that holds a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from growthmm.notation.command_languages.arithmetic import assigned
from growthmm.notation.command_languages.names import longer_names
from growthmm.notation.command_languages.tokens import Piece, error_at
from growthmm.notation.sas.parser import GRAMMAR

__all__ = ["Procedure", "Statement", "find_procedure"]

_OTHERS = {
    "glimmix": "generalised linear mixed models",
    "nlmixed": "nonlinear mixed models",
    "hpmixed": "mixed models of another syntax",
    "glm": "linear models without random effects",
    "tcalis": "an older form of PROC CALIS",
}
_QUIET = ("data", "set", "run", "keep", "drop", "label", "format", "length", "by", "")
_WORD = re.compile(r"[^\W\d]\w*")
_SECOND = re.compile(r"\s*([^\W\d]\w*)")
_ASSIGNMENT = re.compile(r"([^\W\d]\w*|'[^'\n]+'n)\s*=", re.IGNORECASE)
_MACRO = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|[&%]")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, without its semicolon.

    Parameters
    ----------
    word : str
        Its first word, in lower case.
    shown : str
        That word as it is written.
    position : int
        Where it stands.
    rest : Piece
        What follows.
    """

    word: str
    shown: str
    position: int
    rest: Piece

    def second(self) -> str:
        """The word behind its first, in lower case."""
        match = _SECOND.match(self.rest.text)
        return match[1].lower() if match is not None else ""


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure step.

    Parameters
    ----------
    name : {"mixed", "calis"}
        Which one.
    text : str
        The program, for errors.
    head : Statement
        The PROC statement, behind the procedure's name.
    statements : tuple of Statement
        Those behind it.
    derived : dict of str to str
        Columns that data steps before it compute, by lower-case name.
    recoded : frozenset of str
        Columns that data steps before it change in place, in lower case.
    longer : dict of str to str
        Shortened names that comments explain.
    """

    name: str
    text: str
    head: Statement
    statements: tuple[Statement, ...]
    derived: dict[str, str]
    recoded: frozenset[str]
    longer: dict[str, str]

    def parsed(self, rule: str, statement: Statement) -> Any:
        """A statement as the grammar's rule has it.

        Raises
        ------
        NotationError
            Where it is malformed.
        """
        return GRAMMAR.parse(rule, self.text, statement.rest)


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
    derived: dict[str, str] = {}
    recoded: set[str] = set()
    found: list[list[Statement]] = []
    for step in _steps(_statements(text)):
        first = step[0]
        if first.word == "data" and not found:
            _assignments(step, derived, recoded)
        name = first.second()
        if first.word != "proc":
            continue
        if name in ("mixed", "calis"):
            found.append(step)
        elif name in _OTHERS:
            raise error_at(
                text,
                _behind_name(first).position - len(name),
                f"PROC {name.upper()} fits {_OTHERS[name]} and is not read",
                hint="Write PROC MIXED or PROC CALIS.",
            )
    if not found:
        raise error_at(
            text,
            len(text) - len(text.lstrip()),
            "The text has no PROC MIXED and no PROC CALIS",
            ("proc mixed", "proc calis"),
        )
    if len(found) > 1:
        message = "The text has a second procedure with a model"
        raise error_at(text, found[1][0].position, message, hint="Give one at a time.")
    _check_macros(text, found[0])
    proc, *later = found[0]
    head = Statement(proc.word, proc.shown, proc.position, _behind_name(proc))
    longer = longer_names(text, folded=True)
    return Procedure(proc.second(), text, head, tuple(later), derived, frozenset(recoded), longer)


def _behind_name(statement: Statement) -> Piece:
    name = _SECOND.match(statement.rest.text)
    return statement.rest.behind(name.end() if name is not None else 0)


def _statements(text: str) -> list[Statement]:
    found = []
    for piece in GRAMMAR.pieces(text):
        first = _WORD.match(piece.text)
        shown = first.group() if first is not None else piece.text[0]
        word = shown.lower() if first is not None else ""
        found.append(Statement(word, shown, piece.position, piece.behind(len(shown))))
    return found


def _steps(statements: list[Statement]) -> list[list[Statement]]:
    steps: list[list[Statement]] = []
    open_step = False
    for statement in statements:
        if statement.word in ("proc", "data") or not open_step:
            steps.append([])
        open_step = statement.word not in ("run", "quit")
        if open_step:
            steps[-1].append(statement)
    return [step for step in steps if step]


def _assignments(step: list[Statement], derived: dict[str, str], recoded: set[str]) -> None:
    """What a data step of plain assignments computes."""
    found: dict[str, str] = {}
    changed: set[str] = set()
    for statement in step:
        text = statement.shown + statement.rest.text
        match = _ASSIGNMENT.match(text)
        if match is None:
            if statement.word not in _QUIET:
                return
            continue
        name, right = match[1].lower().removesuffix("'n").lstrip("'"), text[match.end() :]
        if name in (word.lower() for word in _WORD.findall(right)):
            changed.add(name)
            continue
        expression = assigned(right, "sas", {**derived, **found}, folded=True)
        if expression is not None:
            found[name] = expression
    derived.update(found)
    recoded |= changed


def _check_macros(text: str, step: list[Statement]) -> None:
    for statement in step:
        for match in _MACRO.finditer(statement.rest.text):
            if match.group() in "&%":
                place = statement.rest.position + match.start()
                message = "Macros and macro variables are not read"
                raise error_at(text, place, message, hint="Write out what they stand for.")
