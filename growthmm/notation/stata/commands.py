"""Stata do-files as commands; finds the one that holds a model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from growthmm.errors import NotationError
from growthmm.notation.command_languages.arithmetic import assigned
from growthmm.notation.command_languages.effects import Variables
from growthmm.notation.command_languages.names import longer_names
from growthmm.notation.command_languages.tokens import Cursor, Token, scan, too_long

__all__ = ["ModelCommand", "Option", "abbreviates", "find_command", "options"]

_QUIET = ("quietly", "qui", "noisily", "noi", "capture", "cap", "version")
_PREFIXES = ("by", "bysort", "bys", "svy", "mi", "bootstrap", "jackknife", "xi", "statsby", "fp")
_OTHERS = ("gsem", "meglm", "melogit", "meqrlogit", "mepoisson", "menl", "meprobit", "xtgee")
_TYPES = ("byte", "int", "long", "float", "double")


@dataclass(frozen=True, slots=True)
class ModelCommand:
    """A command that fits a model.

    Parameters
    ----------
    name : {"mixed", "xtmixed", "sem"}
        Which one.
    cursor : Cursor
        Behind its name.
    variables : Variables
        What ``generate`` before it computes.
    """

    name: str
    cursor: Cursor
    variables: Variables


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command.

    Parameters
    ----------
    token : Token
        Its name.
    inside : Cursor or None
        What stands in its brackets.
    """

    token: Token
    inside: Cursor | None


def abbreviates(word: str, full: str, least: int) -> bool:
    """Whether `word` is `full`, or as much of it as Stata asks for.

    Examples
    --------
    >>> abbreviates("cov", "covariance", 3), abbreviates("c", "covariance", 3)
    (True, False)
    """
    return len(word) >= least and full.startswith(word)


def find_command(text: str) -> ModelCommand:
    """The one ``mixed`` or ``sem`` command of a do-file; other commands are passed over.

    Raises
    ------
    NotationError
        If there is none, or more than one.
    """
    problem = too_long(text)
    if problem is not None:
        raise problem
    variables = Variables(folded=False, longer=longer_names(text, folded=False))
    found: list[ModelCommand] = []
    shown, spans = _commands(text)
    for start, stop in spans:
        tokens = _unprefixed(scan(shown, start, stop))
        if not tokens:
            continue
        first = tokens[0]
        if first.kind == "name" and first.text in ("mixed", "xtmixed", "sem"):
            cursor = Cursor(text, tokens[1:], stop)
            found.append(ModelCommand(first.text, cursor, variables))
        elif first.kind == "name" and first.text in (*_OTHERS, *_PREFIXES):
            _refuse(text, first, tokens)
        elif not found:
            _generate(shown, tokens, stop, variables)
    if not found:
        raise NotationError(
            "The text has no mixed and no sem command",
            text=text,
            position=len(text) - len(text.lstrip()),
            expected=("mixed", "sem"),
        )
    if len(found) > 1:
        raise found[1].cursor.fail(
            "The text has a second command with a model", hint="Give one at a time."
        )
    return found[0]


def _refuse(text: str, first: Token, tokens: list[Token]) -> None:
    if first.text in _OTHERS:
        raise NotationError(
            f"{first.text} is not read",
            text=text,
            position=first.position,
            hint="Write mixed or sem, for Gaussian outcomes.",
        )
    if any(token.kind == "name" and token.text in ("mixed", "sem") for token in tokens):
        raise NotationError(
            f"The prefix {first.text} is not supported",
            text=text,
            position=first.position,
            hint="Give the command alone.",
        )


def _unprefixed(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[0].kind == "name" and tokens[0].text in _QUIET:
        version = tokens[0].text == "version"
        tokens = tokens[1:]
        if version:
            colon = next((k for k, token in enumerate(tokens) if token.text == ":"), None)
            return tokens[colon + 1 :] if colon is not None else []
        if tokens and tokens[0].text == ":":
            tokens = tokens[1:]
    return tokens


class _Splitter:
    """Cuts a do-file into commands, a character or a comment at a time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.shown = list(text)
        self.spans: list[tuple[int, int]] = []
        self.start = 0
        self.fresh = True
        self.semicolons = False

    def clear(self, first: int, last: int, *, breaks: bool) -> int:
        """Blank a part; line breaks too, unless `breaks` keeps them."""
        last = min(last, len(self.shown))
        for k in range(first, last):
            if self.shown[k] != "\n" or not breaks:
                self.shown[k] = " "
        return last

    def end(self, place: int) -> None:
        """End the command at a place."""
        if not self.fresh:
            self.spans.append((self.start, place))
        self.start, self.fresh = place + 1, True

    def step(self, at: int) -> int:
        """Deal with what begins at a place; where to go on."""
        text, sign = self.text, self.text[at]
        spaced = at == 0 or text[at - 1].isspace()
        if text.startswith("/*", at):
            close = text.find("*/", at)
            return self.clear(at, len(text) if close < 0 else close + 2, breaks=False)
        if text.startswith("///", at) and spaced:
            return self.clear(at, self.line(at) + 1, breaks=False)
        if text.startswith("//", at) and spaced:
            return self.clear(at, self.line(at), breaks=True)
        if sign == "*" and self.fresh:
            close = text.find(";", at) if self.semicolons else self.line(at)
            return self.clear(at, len(text) if close < 0 else close, breaks=not self.semicolons)
        if text.startswith("#delimit", at) and self.fresh:
            stop = self.line(at)
            self.semicolons = ";" in text[at:stop]
            self.start = stop
            return self.clear(at, stop, breaks=True)
        if sign == (";" if self.semicolons else "\n"):
            self.end(at)
            return at + 1
        if not sign.isspace():
            self.fresh = False
        if sign == '"':
            close = text.find('"', at + 1, self.line(at))
            return at + 1 if close < 0 else close + 1
        return at + 1

    def line(self, at: int) -> int:
        """Where the line ends."""
        stop = self.text.find("\n", at)
        return len(self.text) if stop < 0 else stop


def _commands(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without comments and line continuations, and where each command stands."""
    splitter = _Splitter(text)
    at = 0
    while at < len(text):
        at = splitter.step(at)
    splitter.end(len(text))
    return "".join(splitter.shown), splitter.spans


def _generate(shown: str, tokens: list[Token], stop: int, variables: Variables) -> None:
    word = tokens[0].text
    if not (tokens[0].kind == "name" and len(word) >= 1 and "generate".startswith(word)):
        if len(tokens) > 1 and len(word) >= 4 and "replace".startswith(word):
            _replaced(tokens[1].text, variables)
        return
    rest = tokens[1:]
    if rest and rest[0].text in _TYPES:
        rest = rest[1:]
    if len(rest) < 3 or not rest[0].is_name or rest[1].text != "=":
        return
    variables.seen.setdefault(rest[0].text, rest[0].text)
    if any(token.says("if", "in") for token in rest):
        return
    right = shown[rest[1].end : stop]
    expression = assigned(right, "stata", variables.derived, folded=False)
    if expression is not None:
        variables.derived[rest[0].text] = expression


def _replaced(name: str, variables: Variables) -> None:
    """A column that is changed: one of the data's own is recoded, one made here just made."""
    variables.derived.pop(name, None)
    if name not in variables.seen:
        variables.recoded.add(name)


def options(cursor: Cursor, stops: Collection[str] = ()) -> list[Option]:
    """The options up to one of `stops` or the end."""
    found: list[Option] = []
    while not cursor.done and not cursor.sees(*stops):
        if cursor.accept(","):
            continue
        token = cursor.name("an option")
        inside = cursor.bracketed() if cursor.sees("(") else None
        found.append(Option(token, inside))
    return found
