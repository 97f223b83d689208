"""The parser of a program's ``grammar.lark``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Transformer
from lark.load_grammar import FromPackageLoader

__all__ = ["parser_of"]


@cache
def parser_of(
    package: str,
    starts: tuple[str, ...] = ("start",),
    *,
    placeholders: bool = True,
    build: type[Transformer[Any, Any]] | None = None,
    shared: str | None = None,
) -> Lark:
    """The LALR parser of the grammar in `package`, made once.

    Parameters
    ----------
    package : str
        Where ``grammar.lark`` is.
    starts : tuple of str
        The rules that a text may be parsed with.
    placeholders : bool
        Whether an optional part that is absent is None in the tree.
    build : type of Transformer, optional
        What makes values while parsing; the parser gives trees where None.
    shared : str, optional
        A package of grammars that this one imports from.

    Examples
    --------
    >>> parser_of("growthmm.notation.openmx").parse("x <- 1").data
    Token('RULE', 'start')
    """
    return Lark(
        files(package).joinpath("grammar.lark").read_text("utf-8"),
        parser="lalr",
        start=list(starts),
        maybe_placeholders=placeholders,
        transformer=build() if build is not None else None,
        import_paths=[] if shared is None else [FromPackageLoader(shared, ("",))],
    )
