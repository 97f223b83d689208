"""What a program can say and growthmm cannot is named, with its line and column."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from growthmm.errors import NotationError
from growthmm.notation import names, notation

TABLE = tomllib.loads(
    (Path(__file__).parent / "unsupported.toml").read_text(encoding="utf-8"),
)

WRITTEN_ONLY = {"brms", "mixedmodels.jl", "dot", "ram"}

FEW = {"semopy": 5}
"""Programs that have no more features than these that are not supported."""

ROWS = [
    pytest.param(name, row, id=f"{name}-{k}")
    for name, rows in TABLE.items()
    for k, row in enumerate(rows)
]


def test_every_notation_that_is_read_has_its_rows() -> None:
    assert set(TABLE) == set(names()) - WRITTEN_ONLY
    for name, rows in TABLE.items():
        assert len({row["message"] for row in rows}) >= FEW.get(name, 8), name


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_it_is_named_with_its_place(name: str, row: dict[str, object]) -> None:
    with pytest.raises(NotationError) as caught:
        notation(name).read(str(row["text"]))
    line, column = caught.value.line, caught.value.column
    assert [line, column] == row["place"]
    assert caught.value.message.split("\n")[0] == f"{row['message']} (line {line}, column {column})"
