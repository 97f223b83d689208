"""Names under a program's rules: taken as they are, quoted, shortened, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from growthmm.model.defaults import Loss

__all__ = ["NameRule", "Names", "longer_names", "words"]

_MAPPING = re.compile(r"growthmm name: ([\w.]+) = ([\w.]+)")


@dataclass(frozen=True, slots=True)
class NameRule:
    """What a program takes as a name.

    Parameters
    ----------
    title : str
        The program.
    pattern : str
        A regular expression for plain names of any length.
    longest : int
        Most bytes that a name may have.
    reserved : frozenset of str
        Words that are no names, in lower case where case does not matter.
    folded : bool
        Whether upper and lower case are the same.
    said : str
        The rule in words.
    quote : callable, optional
        Spells a name that is not plain, or gives None.
    """

    title: str
    pattern: str
    longest: int
    reserved: frozenset[str]
    folded: bool
    said: str
    quote: Callable[[str], str | None] | None = None

    def key(self, name: str) -> str:
        """The name as the program compares it."""
        return name.lower() if self.folded else name

    def plain(self, name: str) -> bool:
        """Whether a name is written as it is, but for its length."""
        return re.fullmatch(self.pattern, name) is not None and self.key(name) not in self.reserved


@dataclass
class Names:
    """The spelling of a model's names.

    Parameters
    ----------
    rule : NameRule
        The program's rule.
    given : iterable of str
        Every name, columns and labels.
    free_to_rename : iterable of str
        Those that are no columns of the data (labels, latent variables): dots in them are
        written as underscores where the program has no dots.
    """

    rule: NameRule
    given: Iterable[str]
    free_to_rename: Collection[str] = ()
    losses: list[Loss] = field(default_factory=list)
    shortened: dict[str, str] = field(default_factory=dict)
    _spelled: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        taken: dict[str, str] = {}
        names = tuple(dict.fromkeys(self.given))
        for name in sorted(names, key=self._changes):
            spelled = self._one(name, taken)
            if spelled is None:
                self._lose(name, self.rule.said, "rename it")
                self._spelled[name] = "name"
                continue
            other = taken.setdefault(self.rule.key(spelled), name)
            if other != name:
                why = f"{self.rule.title} cannot tell it from {other!r}"
                self._lose(name, why, "rename one of the two")
            self._spelled[name] = spelled

    def _changes(self, name: str) -> bool:
        return len(name) > self.rule.longest or not self.rule.plain(name)

    def _lose(self, name: str, why: str, nearest: str) -> None:
        shown = name if len(name) <= 60 else name[:57] + "..."
        self.losses.append(Loss(f"the name {shown!r}", why, nearest))

    def _one(self, name: str, taken: dict[str, str]) -> str | None:
        fits = len(name.encode("utf-8", "replace")) <= self.rule.longest
        if self.rule.plain(name):
            return name if fits else self._short(name, taken)
        if name in self.free_to_rename and re.fullmatch(r"[A-Za-z_][\w.]*", name, re.ASCII):
            return self._short(name.replace(".", "_"), taken, name)
        if fits and self.rule.quote is not None and self.rule.key(name) not in self.rule.reserved:
            return self.rule.quote(name)
        return None

    def _short(self, name: str, taken: dict[str, str], stands_for: str = "") -> str | None:
        if not name.isascii() or len(name) > 1000:
            return None
        for number in range(1000):
            tail = str(number) if number else ""
            short = name[: self.rule.longest - len(tail)] + tail
            if self.rule.key(short) not in taken and self.rule.plain(short):
                self.shortened[short] = stands_for or name
                return short
        return None

    def __call__(self, name: str) -> str:
        """The spelling of a name."""
        return self._spelled[name]

    def free(self, wish: str) -> str:
        """A name like `wish` that nothing has, and that is then taken."""
        used = {self.rule.key(spelled) for spelled in self._spelled.values()}
        name, number = wish, 1
        while self.rule.key(name) in used or self.rule.key(name) in self.rule.reserved:
            number += 1
            name = f"{wish}{number}"
        self._spelled[f"\0{name}"] = name
        return name

    def notes(self) -> list[str]:
        """A line for each shortened name, to be written as comments; readers know them."""
        return [f"growthmm name: {short} = {name}" for short, name in self.shortened.items()]


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set.

    Examples
    --------
    >>> sorted(words("by with"))
    ['by', 'with']
    """
    return frozenset(text.split())


def longer_names(text: str, *, folded: bool) -> dict[str, str]:
    """The shortened names that comments of a text explain."""
    found = _MAPPING.findall(text)
    return {(short.lower() if folded else short): name for short, name in found}
