"""Find one call in a program's text and cut it into arguments, without running anything."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

from growthmm.errors import NotationError
from growthmm.model.expression_tree import Name, Text, Truth, parse

__all__ = [
    "Argument",
    "CallText",
    "at_top_level",
    "data_name",
    "find_call",
    "text_argument",
    "truth_argument",
    "whole_call",
]

_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)"""
    r"""|(?P<comment>\#[^\n]*)|(?P<mark>["'`()\[\]{},;~])|(?P<name>[^\W\d][\w.]*)""",
    re.DOTALL,
)
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_BEFORE = re.compile(
    r"""(?:[\w.`$\[\]"']+\s*(?:<<?-|=)\s*)?(?:(?:[\w.]+\s*::\s*)?[\w.]+\s*\(\s*)*"""
    r"""(?:[\w.]+\s*:::?\s*)?"""
)
_KEYWORD = re.compile(r"\s*([^\W\d][\w.]*)\s*=(?!=)")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call.

    Parameters
    ----------
    name : str or None
        Its name, where it is written.
    start, stop : int
        Where its value stands in the text.
    """

    name: str | None
    start: int
    stop: int

    def blanked(self, text: str) -> str:
        """`text` up to the value's end, with blanks before the value."""
        return " " * self.start + text[self.start : self.stop]


@dataclass(frozen=True, slots=True)
class CallText:
    """A call in a text.

    Parameters
    ----------
    function : str
        The function, without its package.
    start : int
        Where the name begins.
    arguments : tuple of Argument
        In order.
    """

    function: str
    start: int
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    text: str
    position: int
    depth: int


def _marks(text: str) -> list[_Mark]:
    """Brackets, separators and names outside of quotes and comments, with their depth."""
    found: list[_Mark] = []
    stack: list[_Mark] = []
    for token in _TOKEN.finditer(text):
        if token["name"] is not None:
            found.append(_Mark(token[0], token.start(), len(stack)))
        mark = token["mark"]
        if mark is None:
            continue
        here = _Mark(mark, token.start(), len(stack))
        if mark in "\"'`":
            raise NotationError(
                f"The quote {mark} is never closed", text=text, position=token.start()
            )
        if mark in _CLOSES:
            stack.append(here)
        elif mark in ")]}":
            if not stack or _CLOSES[stack[-1].text] != mark:
                raise NotationError(
                    f"The bracket {mark} closes nothing", text=text, position=token.start()
                )
            here = _Mark(mark, token.start(), len(stack) - 1)
            stack.pop()
        found.append(here)
    if stack:
        raise NotationError(
            f"The bracket {stack[-1].text} is never closed",
            text=text,
            position=stack[-1].position,
            expected=(_CLOSES[stack[-1].text],),
        )
    return found


def at_top_level(text: str, mark: str) -> bool:
    """Whether `mark` stands outside of brackets, quotes and comments.

    Raises
    ------
    NotationError
        If a quote or bracket is not closed.
    """
    return any(m.text == mark and m.depth == 0 for m in _marks(text))


def find_call(text: str, functions: Collection[str]) -> CallText | None:
    """The one call of one of `functions` in a text; other statements are passed over.

    Parameters
    ----------
    text : str
        A call, an assignment of one, or a program that holds one.
    functions : collection of str
        The functions to look for.

    Returns
    -------
    CallText or None
        None where there is none.

    Raises
    ------
    NotationError
        If there are several, or the text around the call is no program.
    """
    marks = _marks(text)
    calls = [
        at
        for at, mark in enumerate(marks[:-1])
        if mark.text in functions
        and marks[at + 1].text == "("
        and not text[mark.position + len(mark.text) : marks[at + 1].position].strip()
    ]
    if not calls:
        return None
    if len(calls) > 1:
        raise NotationError(
            f"{len(calls)} calls that fit a model, where one was expected",
            text=text,
            position=marks[calls[1]].position,
            hint="Give one model at a time.",
        )
    made, closing = _cut(text, marks, calls[0])
    _check_surroundings(text, marks, calls[0], closing)
    return made


def whole_call(text: str, argument: Argument) -> CallText | None:
    """The call that an argument consists of, its package left out; None where it is no call.

    Raises
    ------
    NotationError
        If a quote or bracket is not closed.

    Examples
    --------
    >>> text = "nlme::corAR1(form = ~ t | id)"
    >>> whole_call(text, Argument(None, 0, len(text))).function
    'corAR1'
    """
    marks = _marks(argument.blanked(text))
    names = [at for at, mark in enumerate(marks) if mark.depth == 0 and _is_name(mark.text)]
    packaged = len(names) > 1 and re.fullmatch(
        r"\s*::\s*",
        text[marks[names[0]].position + len(marks[names[0]].text) : marks[names[1]].position],
    )
    if not names or names[0] != 0:
        return None
    at = names[1] if packaged else 0
    after = marks[at].position + len(marks[at].text)
    if text[argument.start : marks[0].position].strip() or len(marks) < at + 2:
        return None
    if marks[at + 1].text != "(" or text[after : marks[at + 1].position].strip():
        return None
    made, closing = _cut(text, marks, at)
    return made if not text[closing.position + 1 : argument.stop].strip() else None


def _is_name(text: str) -> bool:
    return text[0].isalpha() or text[0] == "."


def _cut(text: str, marks: list[_Mark], at: int) -> tuple[CallText, _Mark]:
    """The call whose name is a mark, with its arguments, and the bracket that closes it."""
    opening = marks[at + 1]
    inside = [m for m in marks[at + 2 :] if m.depth <= opening.depth + 1]
    closing = next(m for m in inside if m.depth == opening.depth and m.text == ")")
    commas = [
        m.position
        for m in inside
        if m.position < closing.position and m.text == "," and m.depth == opening.depth + 1
    ]
    edges = [opening.position, *commas, closing.position]
    pieces = [_argument(text, a + 1, b) for a, b in pairwise(edges)]
    arguments = tuple(p for p in pieces if p.name or text[p.start : p.stop].strip())
    return CallText(marks[at].text, marks[at].position, arguments), closing


def _argument(text: str, start: int, stop: int) -> Argument:
    named = _KEYWORD.match(text, start, stop)
    if named is None:
        return Argument(None, start, stop)
    return Argument(named[1], named.end(), stop)


def _check_surroundings(text: str, marks: list[_Mark], at: int, closing: _Mark) -> None:
    """Refuse text that runs into the call, which a program could not hold."""
    start = marks[at].position
    ends = [m.position + 1 for m in marks[:at] if m.text == ";" and m.depth == 0]
    begin = max([0, text.rfind("\n", 0, start) + 1, *ends])
    before = text[begin:start].lstrip()
    if before and not _BEFORE.fullmatch(before):
        raise NotationError(
            "Unexpected text before the call",
            text=text,
            position=begin + (len(text[begin:start]) - len(before)),
            hint="Write the call alone, or name <- call.",
        )
    after = re.compile(r"[ \t)]*(?:[\n;#]|\.\w|\|>|$)").match(text, closing.position + 1)
    if after is None:
        rest = text[closing.position + 1 :]
        raise NotationError(
            "Unexpected text after the call",
            text=text,
            position=closing.position + 1 + len(rest) - len(rest.lstrip()),
            hint="Write the call alone.",
        )


def truth_argument(text: str, argument: Argument, what: str) -> bool:
    """The value of an argument that is TRUE or FALSE.

    Raises
    ------
    NotationError
        If it is anything else.
    """
    node = parse(argument.blanked(text), shown=text)
    if isinstance(node, Truth):
        return node.value
    if isinstance(node, Name) and node.name in ("T", "F"):
        return node.name == "T"
    raise NotationError(
        f"{what} must be TRUE or FALSE",
        text=text,
        position=node.position,
        expected=("TRUE", "FALSE"),
    )


def text_argument(text: str, argument: Argument, what: str, allowed: Collection[str]) -> str:
    """The value of an argument that is one of some strings.

    Raises
    ------
    NotationError
        If it is anything else.
    """
    node = parse(argument.blanked(text), shown=text)
    if isinstance(node, Text) and node.value in allowed:
        return node.value
    raise NotationError(
        f"{what} must be one of the strings {', '.join(allowed)}",
        text=text,
        position=node.position,
        expected=tuple(f'"{value}"' for value in allowed),
    )


def data_name(text: str, argument: Argument) -> str:
    """How the text names its data: a name or a path, else the expression as written."""
    written = text[argument.start : argument.stop].strip()
    if re.fullmatch(r"[^\W\d][\w.]*", written):
        return written
    try:
        node = parse(written)
    except NotationError:
        return written
    return node.value if isinstance(node, Text) else written
