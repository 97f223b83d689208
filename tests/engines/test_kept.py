"""What is made of a frozen value is kept for that value, not for its equals."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import pytest

from growthmm.engines.kept import kept


@dataclass(frozen=True)
class _Value:
    number: int


class _Answer:
    """An answer that can be watched."""


def test_equal_values_have_answers_of_their_own_and_go_with_them() -> None:
    calls: list[int] = []
    alive: weakref.WeakSet[_Answer] = weakref.WeakSet()

    @kept
    def answer(value: _Value) -> _Answer:
        calls.append(value.number)
        made = _Answer()
        alive.add(made)
        return made

    first, second = _Value(3), _Value(3)
    assert answer(first) is answer(first)
    assert answer(first) is not answer(second)
    assert calls == [3, 3]
    for number in range(50):
        answer(_Value(number))
        assert len(alive) == 2
    assert len(calls) == 52
    del first, second
    assert not alive


def test_an_error_is_not_kept() -> None:
    calls: list[int] = []

    @kept
    def fail(value: _Value) -> None:
        calls.append(value.number)
        raise ValueError("no answer")

    value = _Value(1)
    for _ in range(2):
        with pytest.raises(ValueError, match="no answer"):
            fail(value)
    assert calls == [1, 1]
