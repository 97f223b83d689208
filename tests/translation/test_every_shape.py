"""Every shape: the identity both ways, the same from data and from facts, refused without."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from growth_shapes import SHAPES, Shape, data

import growthmm as gm
from growthmm.errors import UnboundError
from growthmm.translation.pair import same_growth
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

STATEFUL = ("ns(", "bs(", "poly(", "scale(")


def _facts(shape: Shape) -> dict[str, Any]:
    """Columns that the text does not name."""
    own: dict[str, Any] = {"id": shape.schema.person, "time": "t"}
    return own | ({"outcome": "y"} if shape.notation == "lavaan" else {})


def _from_data(shape: Shape) -> Any:
    options: dict[str, Any] = {"notation": shape.notation, "residual": shape.residual}
    return gm.translate(
        shape.text,
        shape.to,
        data=data(shape.kind),
        on_loss="keep",
        **_facts(shape),
        **options,
    )


@pytest.mark.parametrize("name", SHAPES)
def test_data_and_facts_by_hand_agree(name: str) -> None:
    shape = SHAPES[name]
    made = _from_data(shape)
    known = shape.schema
    # What a basis has learned from data, no hand computes; the functions stand in the text.
    learned = [c for c in made.schema.constants if c.expression.startswith(STATEFUL)]
    known = replace(known, constants=(*known.constants, *learned))
    again = gm.translate(
        shape.text,
        shape.to,
        schema=known,
        notation=shape.notation,
        residual=shape.residual,
        on_loss="keep",
    )
    assert again.text == made.text
    assert again.model == made.model
    assert again.parameter_rows == made.parameter_rows
    assert [str(loss) for loss in again.losses] == [str(loss) for loss in made.losses]


CURVES = [name for name, shape in SHAPES.items() if shape.notation == "lavaan"]


@pytest.mark.parametrize("name", [name for name in SHAPES if name not in CURVES])
def test_without_facts_a_formula_is_refused_by_their_names(name: str) -> None:
    shape = SHAPES[name]
    with pytest.raises(UnboundError) as refused:
        gm.translate(shape.text, shape.to, notation=shape.notation, residual=shape.residual)
    assert any("data" in fact or "--" in fact or fact == "id" for fact in refused.value.missing)


@pytest.mark.parametrize("name", CURVES)
def test_what_a_curve_assumes_without_facts_is_listed(name: str) -> None:
    """Its loadings and its columns' names say the facts, and each is an assumption."""
    shape = SHAPES[name]
    made = gm.translate(shape.text, shape.to, notation="lavaan", on_loss="keep")
    said = " ".join(str(note) for note in made.assumptions)
    assert "time" in said
    assert "person" in said


@pytest.mark.parametrize("name", SHAPES)
def test_both_ways_are_the_identity(name: str) -> None:
    shape = SHAPES[name]
    read = source(shape.text, notation=shape.notation, residual=shape.residual)
    there = paired(read.model, data(shape.kind), Facts(**_facts(shape)))[0]
    schema = Facts(schema=there.growth.schema)
    mixed, sem = there.mixed.model, there.sem.model
    # To the other side.
    formula = shape.notation != "lavaan"
    written = gm.write(sem if formula else mixed, shape.to, on_loss="keep").text
    residual = None if formula or shape.to == "nlme" else str(mixed.residual)
    other = source(written, notation=shape.to, residual=residual).model
    again = paired(other, None, schema)[0]
    assert same_growth(there.growth, again.growth) is None
    # And back.
    own = again.mixed.model if formula else again.sem.model
    text = gm.write(own, shape.back, on_loss="keep").text
    residual = None if not formula or shape.back == "nlme" else str(mixed.residual)
    last = paired(source(text, notation=shape.back, residual=residual).model, None, schema)[0]
    assert same_growth(there.growth, last.growth) is None
    assert len(last.sem.model.free_parameters) == len(again.sem.model.free_parameters)
    assert last.mixed.model.residual == there.mixed.model.residual
