"""Short names of models that stand side by side: an SEM's text is too long for a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

__all__ = ["ShortName", "short_names"]

LONGEST_PLAIN = 30
"""Characters of a name that a table can hold."""

LONGEST = 84
"""Characters of a name that a line of its own can hold."""


@dataclass(frozen=True, slots=True)
class ShortName:
    """What tables and notes call a model.

    Parameters
    ----------
    text : str
        The model's name, cut in the middle where it is long: where two growth curves differ is
        mostly at the end.
    letter : str
        ``A`` for the first model given, and so on; empty where the names are short and differ.
    """

    text: str
    letter: str = ""

    @property
    def brief(self) -> str:
        """The letter alone where there is one."""
        return self.letter or self.text

    def __str__(self) -> str:
        return f"{self.letter}: {self.text}" if self.letter else self.text


def short_names(labels: Sequence[str]) -> tuple[ShortName, ...]:
    """Names for models in the order given, all different.

    Parameters
    ----------
    labels : sequence of str
        What the models are called: mostly their text.

    Examples
    --------
    >>> [str(name) for name in short_names(["y ~ t", "y ~ t + x"])]
    ['y ~ t', 'y ~ t + x']
    >>> [str(name) for name in short_names(["model", "model"])]
    ['A: model', 'B: model']
    """
    texts = [_cut(" ".join(label.split()) or "model") for label in labels]
    if len(set(texts)) == len(texts) and all(len(text) <= LONGEST_PLAIN for text in texts):
        return tuple(ShortName(text) for text in texts)
    return tuple(ShortName(text, _letter(k)) for k, text in enumerate(texts))


def _letter(k: int) -> str:
    """A to Z, then AA, AB and so on, as spreadsheets name their columns."""
    more, last = divmod(k, len(ascii_uppercase))
    return (_letter(more - 1) if more else "") + ascii_uppercase[last]


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    head = (LONGEST - 3) // 2
    return f"{text[:head].rstrip()} … {text[head + 3 - LONGEST :].lstrip()}"
