"""What is made of a frozen value is kept for that value, not for its equals."""

from __future__ import annotations

import gc
from dataclasses import dataclass

import pytest

from growthmm.engines.kept import kept


@dataclass(frozen=True)
class _Value:
    number: int


def test_equal_values_have_answers_of_their_own_and_go_with_them() -> None:
    calls: list[int] = []

    @kept
    def double(value: _Value) -> list[int]:
        calls.append(value.number)
        return [2 * value.number]

    first, second = _Value(3), _Value(3)
    assert double(first) is double(first)
    assert double(first) is not double(second)
    assert calls == [3, 3]
    for number in range(50):
        assert double(_Value(number)) == [2 * number]
        gc.collect()


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
