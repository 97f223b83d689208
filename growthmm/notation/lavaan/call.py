"""A lavaan call, with the assignments before it: ``fit <- growth(model, data = d)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from growthmm.notation.lavaan.defaults import Function
from growthmm.notation.lavaan.parser import Source

__all__ = ["Argument", "Call", "is_call", "read_call"]

_FUNCTIONS = ("growth", "sem", "cfa", "lavaan")
_IGNORED_CALLS = frozenset(
    {
        "library",
        "require",
        "summary",
        "print",
        "coef",
        "parameterEstimates",
        "fitMeasures",
        "options",
        "setwd",
        "set.seed",
        "read.csv",
        "read.table",
        "fitmeasures",
        "standardizedSolution",
        "logLik",
        "anova",
        "vcov",
    }
)

_TOKEN = re.compile(
    r"""
      (?P<space>[\s\u00a0]+)
    | (?P<comment>\#[^\n]*)
    | (?P<raw>[rR](?:"\((?:.*?)\)"|'\((?:.*?)\)'))
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?L?)
    | (?P<name>(?:[^\W\d_]|\.)[\w.]*(?:::[\w.]+)?)
    | (?P<arrow><-)
    | (?P<sign>[()=,;$\[\]{}+*/^<>~|&!-]|:)
    """,
    re.VERBOSE | re.DOTALL,
)

_CALL_START = re.compile(r"(?:^|[^\w.])(?:lavaan::)?(?:growth|sem|cfa|lavaan)\s*\(")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument's value: a string, number, logical, name, or vector of these.

    Parameters
    ----------
    value : str, float, bool, tuple of str, or None
        The value; None for ``NULL``, and for a name or an expression.
    name : str, optional
        The variable, where the value is one.
    position : int
        Where the value begins.
    text : str
        The value as written.
    """

    value: str | float | bool | tuple[str, ...] | None
    name: str | None
    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A whole call.

    Parameters
    ----------
    function : str
        ``growth``, ``sem``, ``cfa`` or ``lavaan``.
    model : str
        The model text.
    aligned : bool
        Whether offsets in `model` are offsets in the call's text (all else is blank).
    arguments : tuple of (str, Argument)
        The other arguments.
    """

    function: Function
    model: str
    aligned: bool
    arguments: tuple[tuple[str, Argument], ...]


def is_call(text: str) -> bool:
    """Whether `text` calls one of lavaan's functions.

    Examples
    --------
    >>> is_call("growth(m, data = d)"), is_call("i =~ 1*y1 + 1*y2")
    (True, False)
    """
    return _CALL_START.search(re.sub(r"[#!][^\n]*", "", text)) is not None


def _tokens(text: str, source: Source) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            quoted = text[at] in "\"'"
            raise source.error(
                "This string is never closed." if quoted else f"Did not expect {text[at]!r} here.",
                at,
            )
        kind = cast("str", match.lastgroup)
        if kind not in ("space", "comment"):
            tokens.append(_Token(kind, match.group(), at))
        at = match.end()
    return tokens


def read_call(text: str) -> Call:
    """Read a call, and assignments of strings before it.

    Parameters
    ----------
    text : str
        R code: ``model <- '...'``, ``fit <- growth(model, data = d)``; ``library()`` and
        ``summary()`` are passed over.

    Raises
    ------
    NotationError
        If it holds anything else, or the model's text cannot be found.
    """
    source = Source(text)
    tokens = _tokens(text, source)
    strings: dict[str, _Token] = {}
    found: Call | None = None
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.text == ";":
            at += 1
            continue
        target = None
        if token.kind == "name" and _text(tokens, at + 1) in ("<-", "="):
            target, at = token, at + 2
            if at >= len(tokens):
                raise source.error("The assignment stops short.", len(text))
            token = tokens[at]
        if token.kind in ("string", "raw"):
            if target is not None:
                strings[target.text] = token
            at += 1
            continue
        if token.kind != "name":
            raise source.error(f"Did not expect {token.text!r} here.", token.position)
        if _text(tokens, at + 1) != "(":
            if target is None and found is None:
                raise source.error(
                    f"Did not expect {token.text!r} here.",
                    token.position,
                    expected=tuple(f"{name}(" for name in _FUNCTIONS),
                )
            at += 1
            continue
        function = token.text.removeprefix("lavaan::")
        end = _closing(tokens, at + 1, source)
        if function in _FUNCTIONS:
            if found is not None:
                raise source.error(
                    "The text fits two models.", token.position, hint="Give one call at a time."
                )
            inside = tokens[at + 2 : end]
            found = _call(cast("Function", function), inside, strings, token, source)
        elif function.split("::")[-1] not in _IGNORED_CALLS:
            raise source.error(
                f"The function {token.text}() is none that growthmm reads.",
                token.position,
                expected=tuple(f"{name}(" for name in _FUNCTIONS),
            )
        at = end + 1
    if found is None:
        raise source.error("There is no call of growth(), sem(), cfa() or lavaan().", 0)
    return found


def _text(tokens: list[_Token], at: int) -> str:
    return tokens[at].text if at < len(tokens) else ""


def _closing(tokens: list[_Token], opening: int, source: Source) -> int:
    depth = 0
    for k in range(opening, len(tokens)):
        depth += (tokens[k].text == "(") - (tokens[k].text == ")")
        if depth == 0:
            return k
    raise source.error(
        "This parenthesis is never closed.", tokens[opening].position, expected=(")",)
    )


def _call(
    function: Function,
    tokens: list[_Token],
    strings: dict[str, _Token],
    start: _Token,
    source: Source,
) -> Call:
    arguments: dict[str, Argument] = {}
    model: _Token | None = None
    positional = ["model", "data"]
    for part in _split(tokens):
        named = len(part) > 1 and part[0].kind in ("name", "string") and part[1].text == "="
        if named:
            name, value = part[0].text.strip("\"'"), part[2:]
        else:
            free = [p for p in positional if p not in arguments and not (p == "model" and model)]
            if not free:
                raise source.error("This argument has no name.", part[0].position)
            name, value = free[0], part
        if not value:
            raise source.error(f"The argument {name} has no value.", part[-1].position)
        if name in arguments or (name == "model" and model is not None):
            raise source.error(f"The argument {name} is given twice.", part[0].position)
        if name == "model":
            model = _model(value, strings, source)
        else:
            arguments[name] = _argument(value, source)
    if model is None:
        raise source.error(
            f"{function}() is called without a model.", start.position, expected=("model = '...'",)
        )
    text, aligned = _literal(model, source)
    return Call(function, text, aligned, tuple(arguments.items()))


def _split(tokens: list[_Token]) -> list[list[_Token]]:
    parts: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _model(value: list[_Token], strings: dict[str, _Token], source: Source) -> _Token:
    token = value[0]
    if len(value) == 1 and token.kind in ("string", "raw"):
        return token
    if len(value) == 1 and token.kind == "name" and token.text in strings:
        return strings[token.text]
    raise source.error(
        f"The text of the model {token.text!r} is not here.",
        token.position,
        hint="Write the model as a string, or assign it before the call: model <- '...'.",
    )


def _literal(token: _Token, source: Source) -> tuple[str, bool]:
    """The text of a string token; aligned with the source where nothing is escaped."""
    if token.kind == "raw":
        skip, body = 3, token.text[3:-2]
    else:
        skip, body = 1, token.text[1:-1]
        if "\\" in body:
            return _unescape(body), False
    blank = "".join("\n" if sign == "\n" else " " for sign in source.text)
    begin = token.position + skip
    return blank[:begin] + body + blank[begin + len(body) :], True


def _unescape(text: str) -> str:
    spelled = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda m: spelled.get(m.group(1), m.group(1)), text, flags=re.DOTALL)


def _argument(value: list[_Token], source: Source) -> Argument:
    token = value[0]
    end = value[-1].position + len(value[-1].text)
    shown = source.text[token.position : end]
    if len(value) == 1:
        return Argument(_scalar(token), _variable(token), token.position, shown)
    if token.text == "-" and len(value) == 2 and value[1].kind == "number":
        return Argument(-float(value[1].text.rstrip("L")), None, token.position, shown)
    if token.text == "c" and value[1].text == "(" and value[-1].text == ")":
        entries = [t for t in value[2:-1] if t.text != ","]
        if all(entry.kind == "string" for entry in entries):
            return Argument(
                tuple(_unescape(entry.text[1:-1]) for entry in entries),
                None,
                token.position,
                shown,
            )
    return Argument(None, shown, token.position, shown)


def _variable(token: _Token) -> str | None:
    return token.text if token.kind == "name" and _scalar(token) is None else None


def _scalar(token: _Token) -> str | float | bool | None:
    logical: dict[str, Literal[True, False]] = {"TRUE": True, "T": True, "FALSE": False, "F": False}
    if token.kind == "string":
        return _unescape(token.text[1:-1])
    if token.kind == "number":
        return float(token.text.rstrip("L"))
    return logical.get(token.text)
