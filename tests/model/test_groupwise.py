"""A correlated residual structure of its own in each group: its words and its parameters."""

from __future__ import annotations

import pytest

from growthmm.errors import SpecificationError
from growthmm.model.groupwise import groupwise_parameters
from growthmm.model.residual import CORRELATED, ResidualStructure

INNER = [kind if kind != "banded" else "banded:2" for kind in CORRELATED]


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("sets", ["", ":a|b", ":a|b:c|d"])
def test_its_word_is_read_and_written(inner: str, sets: str) -> None:
    word = f"by_group:arm:{inner}{sets}"
    read = ResidualStructure.parse(word)
    assert str(read) == word
    assert read.by == "arm"
    assert str(read.within) == inner == str(read.of_person)


def test_a_column_may_have_the_name_of_a_structure() -> None:
    assert ResidualStructure.parse("by_group:ar1").within is None
    assert ResidualStructure.parse("by_group:ar1").by == "ar1"
    assert ResidualStructure.parse("by_group:cs:ar1").by == "cs"


@pytest.mark.parametrize(
    "word", ["by_group:sex:banded", "by_group:sex:ar1:a", "groupwise", "across:of:ar1:a|b"]
)
def test_half_a_word_is_refused_or_names_a_column(word: str) -> None:
    try:
        read = ResidualStructure.parse(word)
    except SpecificationError:
        return
    assert read.within is None
    assert str(read) == word


def test_structures_without_correlations_are_no_structure_of_groups() -> None:
    with pytest.raises(SpecificationError, match="within the groups of sex") as refused:
        ResidualStructure("groupwise", by="sex", within=ResidualStructure("by_occasion"))
    assert "by_group:COLUMN:by_occasion" in str(refused.value.hint)
    with pytest.raises(SpecificationError, match="within=None"):
        ResidualStructure("groupwise", by="sex")


@pytest.mark.parametrize("inner", INNER)
def test_each_set_of_groups_has_the_parameters_of_the_structure(inner: str) -> None:
    word = ResidualStructure.parse(f"by_group:arm:{inner}:c|a")
    classes = groupwise_parameters(word, ("a", "b", "c"), (0.0, 1.0, 2.0))
    assert [own.groups for own in classes] == [(0, 2), (1,)]
    assert [own.name for own in classes] == ["a|c", "b"]
    keys = [p.key for own in classes for p in own.parameters]
    names = [p.name for own in classes for p in own.parameters]
    assert len(set(keys)) == len(keys) == len(set(names))
    for own in classes:
        assert [p.key.partition("@")[0] for p in own.parameters] == [p.key for p in own.inner]
        assert all(own.name in p.name for p in own.parameters)
