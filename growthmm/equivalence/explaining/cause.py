"""A cause of different numbers, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from growthmm.rendering import Brief

__all__ = ["Cause", "Effect"]

Effect = Literal["model", "coding", "likelihood", "errors", "printing"]
"""What a cause changes: the model; only its coordinates; the likelihood or the data that go into
it; only the standard errors; only what is printed."""


@dataclass(frozen=True, slots=True, repr=False)
class Cause(Brief):
    """A cause of different numbers.

    Parameters
    ----------
    word : str
        Its stable name.
    title : str
        A headline.
    effect : Effect
        What it changes.
    template : str
        One sentence with the fields ``{a}``, ``{b}`` (the programs), ``{before}``, ``{after}``
        (how each has it) and ``{what}`` (the part of the model).
    by_default : str
        Which programs' defaults cause it.
    about : str
        What it does to the numbers.
    example : tuple of str
        Two models that differ in it alone.
    write : mapping of str to mapping of str to str
        For a value, what to write in each notation to have it. Empty where the model's own text
        says it.
    """

    word: str
    title: str
    effect: Effect
    template: str
    by_default: str
    about: str
    example: tuple[str, str]
    write: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
