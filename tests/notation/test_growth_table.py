"""The golden table: every model in every notation that can say it, or the reason why not."""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from dataclasses import replace

import pytest
from growth_table import (
    COLUMNS,
    WRITTEN_ONLY,
    Entry,
    Model,
    canonical,
    carried,
    data_facts,
    entries,
    family,
    family_of,
    file_text,
    frame,
    schema,
    without_estimator,
)

from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.notation import notation, recognise
from growthmm.notation.command_languages.facts import settled
from growthmm.notation.command_languages.sem import same_sem
from growthmm.notation.command_languages.sheet import with_categories
from growthmm.translation.pair import same_growth
from growthmm.verbs.binding import Facts, paired

ENTRIES = entries()

READABLE = [
    (entry, column)
    for entry in ENTRIES.values()
    for column in entry.texts
    if column.partition(":")[0] not in WRITTEN_ONLY
]


def _named(value: object) -> str:
    return value.name if isinstance(value, Entry) else str(value).replace(":", "-")


def _read(column: str, text: str) -> MixedModel | SemModel:
    return notation(column.partition(":")[0]).read(text)  # type: ignore[no-any-return]


def test_the_table_is_large_enough() -> None:
    assert len(ENTRIES) >= 25
    texts = sum(len(entry.texts) for entry in ENTRIES.values())
    assert texts > 0.6 * len(ENTRIES) * len(COLUMNS)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=_named)
def test_written_as_the_table_has_it(entry: Entry) -> None:
    text = file_text(entry)
    if os.environ.get("GROWTHMM_WRITE_GOLDEN"):
        entry.path.write_text(text, encoding="utf-8")
    assert text == entry.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=_named)
def test_said_or_refused_with_a_reason_in_every_notation(entry: Entry) -> None:
    assert {*entry.texts, *entry.cannot} == {*COLUMNS}
    assert not {*entry.texts} & {*entry.cannot}
    for why in entry.cannot.values():
        assert len(why) > 20


@pytest.mark.parametrize(("entry", "column"), READABLE, ids=_named)
def test_reads_back(entry: Entry, column: str) -> None:
    text = entry.texts[column]
    model = _read(column, text)
    name = column.partition(":")[0]
    assert isinstance(model, MixedModel) == (family_of(column) == "mixed")
    assert recognise(text) in (name, "lavaan" if name == "semopy" else name)
    again = notation(name).write(model)
    assert again.losses == ()
    assert notation(name).read(again.text) == model


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=_named)
def test_every_spelling_is_the_same_model(entry: Entry) -> None:
    """Within a family by the model itself; the other family's spellings by each other."""
    for side in ("mixed", "sem"):
        found = {
            column: without_estimator(_read(column, text))
            for column, text in entry.texts.items()
            if family_of(column) == side and column.partition(":")[0] not in WRITTEN_ONLY
        }
        if side == family(entry):
            found["source"] = without_estimator(canonical(entry))
        for (a, first), (b, second) in itertools.pairwise(found.items()):
            assert _same(entry, first, second), f"{a} and {b}"


def _same(entry: Entry, first: Model, second: Model) -> bool:
    """Whether two spellings say the same; what the data hold as categorical is so in all."""
    if isinstance(first, SemModel) and isinstance(second, SemModel):
        first, second = _plain(first), _plain(second)
        if first.table == second.table:
            return True
        # Some programs' arrows don't tell loadings from regressions.
        return first.n_groups == 1 and same_sem(first, second)
    assert isinstance(first, MixedModel)
    assert isinstance(second, MixedModel)
    known = data_facts(entry)
    return settled(with_categories(first, known)) == settled(with_categories(second, known))


def _plain(model: SemModel) -> SemModel:
    """The model alone: no label that ties nothing, no rule for missing values."""
    used = Counter(path.label for path in model.paths if path.label)
    said = " ".join([*(f"{c.left} {c.right}" for c in model.constraints)])
    said += " ".join(defined.expression for defined in model.defined)
    paths = tuple(
        replace(path, label=None) if used[path.label] == 1 and path.label not in said else path
        for path in model.paths
    )
    return replace(model, paths=paths, missing="ml")


PEOPLE = [
    pytest.param(entry, column, text, id=f"{entry.name}-{column}-{k}".replace(":", "-"))
    for entry in ENTRIES.values()
    for column, texts in entry.people.items()
    for k, text in enumerate(texts)
]


@pytest.mark.parametrize(("entry", "column", "text"), PEOPLE)
def test_as_people_write_it(entry: Entry, column: str, text: str) -> None:
    ours = without_estimator(_read(column, entry.texts[column]))
    assert _same(entry, without_estimator(_read(column, text)), ours)


def _pairs(entry: Entry) -> list[tuple[str, str]]:
    """Every readable spelling with every other notation."""
    readable = [c for c in entry.texts if c.partition(":")[0] not in WRITTEN_ONLY]
    return [(a, b) for a in readable for b in COLUMNS if a != b]


def _expected(entry: Entry, first: str, second: str) -> str | None:
    """The table's text, where the way there is one that the table has."""
    if family_of(first) == family_of(second) or family_of(first) == family(entry):
        return entry.texts.get(second)
    return None


def _assert_translates(entry: Entry, pairs: list[tuple[str, str]]) -> None:
    known = schema(entry)
    models = {}
    for first, second in pairs:
        if first not in models:
            models[first] = _read(first, entry.texts[first])
        model = models[first]
        made = carried(model, second, known, entry.data)
        wanted = _expected(entry, first, second)
        where = f"{first} to {second}"
        if wanted is not None:
            assert not isinstance(made, str), f"{where}: {made}"
            if second.partition(":")[0] not in WRITTEN_ONLY:
                forms = [without_estimator(_read(second, text)) for text in (made.text, wanted)]
                assert _same(entry, *forms), where
        elif family_of(first) == family_of(second) or family_of(first) == family(entry):
            assert isinstance(made, str), where


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=_named)
def test_from_one_notation_to_the_others(entry: Entry) -> None:
    """A handful of the pairs; nightly tries them all."""
    pairs = random.Random(entry.name).choices(_pairs(entry), k=6)
    _assert_translates(entry, pairs)


@pytest.mark.nightly
@pytest.mark.parametrize("entry", ENTRIES.values(), ids=_named)
def test_from_every_notation_to_every_other(entry: Entry) -> None:
    _assert_translates(entry, _pairs(entry))


BOTH_WAYS = [entry for entry in ENTRIES.values() if {*entry.back} - {"error"}]


@pytest.mark.parametrize("entry", BOTH_WAYS, ids=_named)
def test_the_growth_curve_gives_the_mixed_model_back(entry: Entry) -> None:
    known = schema(entry)
    assert isinstance(known, Schema)
    ((column, text),) = entry.back.items()
    forms = []
    for model in (canonical(entry), _read(column, text)):
        facts = Facts(id=known.person, time=known.time)
        forms.append(paired(without_estimator(model), frame(entry.data), facts)[0])
    assert same_growth(forms[0].growth, forms[1].growth) is None
