"""Arguments of a call of R, matched to their names as R matches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from growthmm.errors import NotationError
from growthmm.notation.r_code.call import Argument, CallText

__all__ = ["Signature", "matched"]


@dataclass(frozen=True)
class Signature:
    """What a function of R takes.

    Parameters
    ----------
    function : str
        Its name, for errors.
    order : tuple of str
        The arguments that may be given without a name, in their order.
    accepted : tuple of str
        The arguments that mean something to the model; errors list them.
    example : str
        A call with its arguments named.
    harmless : frozenset of str
        Arguments that don't change the model.
    refused : mapping of str to str
        Arguments that would change it beyond what is supported, and what to do instead.
    """

    function: str
    order: tuple[str, ...]
    accepted: tuple[str, ...]
    example: str
    harmless: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)

    def full_name(self, name: str) -> str:
        """The argument that R takes an abbreviation for; the name itself where there is none."""
        known = {*self.order, *self.accepted, *self.harmless, *self.refused}
        begun = [each for each in known if each.startswith(name)]
        return begun[0] if name not in known and len(begun) == 1 else name


def matched(text: str, call: CallText, signature: Signature) -> dict[str, Argument]:
    """The arguments of a call by their full names, in the order of the text.

    Parameters
    ----------
    text : str
        The text that holds the call.
    call : CallText
        The call.
    signature : Signature
        What its function takes.

    Returns
    -------
    dict of str to Argument
        Arguments that mean something, and harmless ones; arguments that are ``NULL`` are left
        out.

    Raises
    ------
    NotationError
        If an argument is unknown, refused, given twice or one too many.
    """
    given: dict[str, Argument] = {}
    for argument in call.arguments:
        if argument.name is None:
            continue
        name = signature.full_name(argument.name)
        if name in given:
            raise NotationError(
                f"{name}= is given twice", text=text, position=argument.start, hint="Keep one."
            )
        given[name] = argument
    unnamed = [argument for argument in call.arguments if argument.name is None]
    free = [name for name in signature.order if name not in given]
    if len(unnamed) > len(free):
        raise NotationError(
            f"{signature.function}() has too many arguments without names",
            text=text,
            position=unnamed[-1].start,
            hint=f"Name them: {signature.example}.",
        )
    given.update(zip(free, unnamed, strict=False))
    return {n: a for n, a in given.items() if not _is_null(text, n, a, signature)}


def _is_null(text: str, name: str, argument: Argument, signature: Signature) -> bool:
    """Check one argument; whether it is NULL, and so as good as absent."""
    written = text[argument.start : argument.stop]
    known = {*signature.order, *signature.accepted, *signature.harmless, *signature.refused}
    if name in known and written.strip() == "NULL":
        return True
    if name in signature.accepted or name in signature.harmless:
        return False
    position = argument.start + len(written) - len(written.lstrip())
    if name in signature.refused:
        raise NotationError(
            f"{signature.function}(): {name}= is not supported",
            text=text,
            position=position,
            hint=signature.refused[name],
        )
    raise NotationError(
        f"{signature.function}() has no argument {name}=",
        text=text,
        position=position,
        expected=signature.accepted,
    )
