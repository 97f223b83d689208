"""A model argument with its own options behind a semicolon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from growthmm.data.wording import nearest
from growthmm.errors import SpecificationError

__all__ = ["OPTIONS", "Given", "given"]

OPTIONS = ("residual", "estimator", "bounds", "function", "from")
"""What a model may say of itself."""

# A single `=` between a word and a value: neither SEM text (=~, ==, :=) nor a formula has that.
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_-]+)\s*=(?![=~])\s*([^,;=~`()]*?)\s*")


@dataclass(frozen=True)
class Given:
    """A model argument with its options split off.

    Parameters
    ----------
    text : str
        The model: text or a path.
    options : dict of str to str
        Its own options, which win over flags.
    """

    text: str
    options: dict[str, str]

    @property
    def in_file(self) -> bool:
        """Whether the model is the path of a file that exists."""
        if "\n" in self.text or "\0" in self.text or len(self.text) > 1000:
            return False
        try:
            return Path(self.text).expanduser().is_file()
        except OSError:
            return False


def given(text: str) -> Given:
    """Split ``model ; key=value, key=value``; the semicolons of SEM text stay.

    Parameters
    ----------
    text : str
        The argument as typed.

    Returns
    -------
    Given
        The model and its options.

    Raises
    ------
    SpecificationError
        If an option is unknown, empty or said twice.

    Examples
    --------
    >>> given("y ~ t + (t | id) ; residual=by_occasion, estimator=reml").options
    {'residual': 'by_occasion', 'estimator': 'reml'}
    >>> given("i =~ 1*a; s =~ 0*a").options
    {}
    """
    options: dict[str, str] = {}
    while True:
        head, mark, tail = text.rpartition(";")
        pieces = [piece for piece in tail.split(",") if piece.strip()]
        matches = [_ASSIGNMENT.fullmatch(piece) for piece in pieces]
        if not mark or not pieces or matches[0] is None:
            return Given(text.strip() if options else text, options)
        for piece, match in zip(pieces, matches, strict=True):
            _take(options, piece.strip(), match)
        text = head


def _take(options: dict[str, str], piece: str, match: re.Match[str] | None) -> None:
    if match is None:
        raise SpecificationError(
            f"The model option {piece!r} is not understood.",
            hint="Write ; residual=by_occasion, estimator=reml.",
        )
    key, value = match.group(1).lower(), match.group(2)
    if key not in OPTIONS:
        raise SpecificationError(
            f"There is no model option {key!r} ({piece!r}).",
            hint=f"{nearest(key, OPTIONS)}Options: {', '.join(OPTIONS)}.",
        )
    if not value:
        raise SpecificationError(
            f"The model option {key!r} has no value.", hint=f"Write ; {key}=VALUE, or leave it out."
        )
    if key in options:
        raise SpecificationError(
            f"The model option {key!r} is given twice: {value} and {options[key]}.",
            hint="Give it once.",
        )
    options[key] = value
