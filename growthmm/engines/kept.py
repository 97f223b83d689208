"""What was made from a value that does not change, kept while the value lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

__all__ = ["kept"]

K = TypeVar("K")
V = TypeVar("V")


def kept(make: Callable[[K], V]) -> Callable[[K], V]:
    """A function of one frozen value that works its answer out once for each.

    Values are told apart by identity, so that those that compare equal but are laid out
    differently (the order of a model's rows) get answers of their own. An error is not kept.

    Parameters
    ----------
    make : callable
        A pure function of values that can be weakly referenced; its answer must not refer to the
        value.

    Examples
    --------
    >>> calls = []
    >>> size = kept(lambda value: calls.append(value) or len(value))
    >>> letters = frozenset("abc")
    >>> size(letters), size(letters), len(calls)
    (3, 3, 1)
    """
    known: dict[int, tuple[weakref.ref[Any], V]] = {}

    @wraps(make)
    def find(value: K) -> V:
        key = id(value)
        found = known.get(key)
        if found is not None and found[0]() is value:
            return found[1]
        answer = make(value)
        known[key] = (weakref.ref(value, lambda _: known.pop(key, None)), answer)
        return answer

    return find
