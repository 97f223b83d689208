"""Path diagrams: no labels overlap, everything is drawn, and text stays text."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.textpath import TextPath

from growthmm.notation.lavaan.read import read
from growthmm.report.diagrams.curves import Box
from growthmm.report.diagrams.figure import diagram_picture
from growthmm.report.diagrams.layout import FONT, SMALL, Diagram, diagram_layout, diagram_parts
from growthmm.report.diagrams.routes import crossed
from growthmm.report.diagrams.svg import diagram_svg

SVG = "{http://www.w3.org/2000/svg}"


def curve(n_factors: int, n_times: int, *more: str, stem: str = "y") -> str:
    lines = [
        f"{'isqc'[k]} =~ " + " + ".join(f"{float(t) ** k:g}*{stem}_{t}" for t in range(n_times))
        for k in range(n_factors)
    ]
    return "\n".join([*lines, *more])


def ar(n: int) -> list[str]:
    return [f"y_{a} ~~ c{b - a}*y_{b}" for a in range(n) for b in range(a + 1, n)]


MODELS = {
    "two occasions": curve(1, 2),
    "line": curve(2, 4),
    "six occasions": curve(2, 6, "i ~ sex + age", "s ~ sex + age"),
    "square": curve(3, 5, "i ~ sex", "s ~ sex", "q ~ sex"),
    "cube, twelve occasions": curve(4, 12),
    "cube with covariates": curve(4, 8, *(f"{f} ~ u + v + w" for f in "isqc")),
    "time-varying covariate": curve(2, 5, *(f"y_{t} ~ b*x_{t}" for t in range(5))),
    "both kinds": curve(2, 6, "i ~ sex", *(f"y_{t} ~ x_{t}" for t in range(6))),
    "unstructured residuals": curve(1, 6, *ar(6)),
    "banded, twelve occasions": curve(2, 12, *(f"y_{t} ~~ c*y_{t + 1}" for t in range(11))),
    "autoregressive": curve(2, 5, *(f"y_{t + 1} ~ a*y_{t}" for t in range(4))),
    "free intercepts": curve(1, 4, *(f"y_{t} ~ 1" for t in range(1, 4)), "y_0 ~ 0*1"),
    "factor of factors": "f =~ y0 + y1 + y2\ng =~ y3 + y4 + y5\nh =~ f + g",
    "factors regressed": curve(2, 4, "s ~ i"),
    "no factors": "y2 ~ y1\ny3 ~ y1 + y2 + x",
    "long names": curve(2, 5, stem="a_name_that_is_much_longer_than_its_square"),
    "two groups": curve(2, 4, "i ~~ c(a, b)*i"),
}


def values(text: str) -> dict[str, float]:
    return {p.parameter: -1234.5678 for p in read(text).paths if p.free}


@st.composite
def growth_curves(draw: st.DrawFn) -> str:
    """A growth curve with covariates, residual covariances, paths past a row, groups."""
    n_factors, n_times = draw(st.integers(1, 4)), draw(st.integers(2, 9))
    stem = draw(st.sampled_from(["y", "gpa", "a_name_of_some_length", "MWMWMW"]))
    factors, times = "isqc"[:n_factors], range(n_times)
    more = [f"{f} ~ {x}" for x in ("sex", "motivation")[: draw(st.integers(0, 2))] for f in factors]
    if draw(st.booleans()):
        more += [f"{stem}_{t} ~ hours_{t}" for t in times]
    bands = draw(st.integers(0, min(3, n_times - 1)))
    more += [f"{stem}_{t} ~~ {stem}_{t + k}" for k in range(1, bands + 1) for t in times[:-k]]
    if draw(st.booleans()):
        more += [f"{stem}_{t} ~ 1" for t in times[1:]]
    if draw(st.booleans()):
        # From the row at the top past the factors.
        more += [f"{stem}_{t} ~ sex" for t in draw(st.sets(st.sampled_from(times)))]
    if draw(st.booleans()):
        more += [f"{stem}_{t + 1} ~ a*{stem}_{t}" for t in times[:-1]]
    if n_factors > 1 and draw(st.booleans()):
        more.append("s ~ i")
    if draw(st.booleans()):
        more.append("i ~~ c(a, b)*i")
    return curve(n_factors, n_times, *more, stem=stem)


def measured(made: Diagram) -> list[tuple[str, Box]]:
    """Every text with its box as matplotlib's font, a wide one, draws it."""
    found = []
    texts = [(n.text, n.box, FONT) for n in made.nodes]
    texts += [(label.text, label.box, SMALL) for label in made.labels]
    for text, box, size in texts:
        extent = TextPath((0, 0), text, size=size, usetex=False).get_extents()
        x, y = box.center
        found.append((text, Box(x - extent.width / 2, y - size / 2, extent.width, size)))
    return found


@settings(max_examples=examples(12, 200))
@given(growth_curves(), st.booleans())
def test_texts_as_drawn_never_meet_and_arrows_pass_variables_by(text: str, estimated: bool) -> None:
    model = read(text)
    known = values(text) if estimated else None
    for made in diagram_parts(model, known):
        texts = measured(made)
        for (one, a), (other, b) in combinations(texts, 2):
            assert not a.overlaps(b), (one, other)
        for label in made.labels:
            assert not any(label.box.overlaps(node.box) for node in made.nodes), label
        for arrow in made.arrows:
            ends = (arrow.points[0], arrow.points[3])
            others = [n.box for n in made.nodes if not any(n.box.holds(p) for p in ends)]
            assert not crossed(arrow, others), (arrow, text)


def test_an_arrow_in_the_way_is_bent_and_others_are_straight() -> None:
    made = diagram_layout(read(curve(2, 4, "i ~ sex", "y_0 ~ sex", "y_3 ~ sex")))
    boxes = {n.name: n.box for n in made.nodes}
    regressions = [a for a in made.arrows if a.kind == "regression"]
    assert len(regressions) == 3
    passed = [b for name, b in boxes.items() if name in "is"]
    assert not any(crossed(a, passed) for a in regressions if boxes["i"].y < a.points[3][1] - 60)


def test_each_level_has_a_drawing_of_its_own() -> None:
    text = "\n".join(
        [
            "level: 1",
            "i =~ 1*y0 + 1*y1 + 1*y2",
            "y0 ~~ v*y0",
            "level: 2",
            "ib =~ 1*y0 + 1*y1 + 1*y2",
            "ib ~ 1",
        ]
    )
    within, between = diagram_parts(read(f"growth('{text}', cluster = 'school')"))
    assert within.title == "within clusters (level 1)"
    assert {n.name for n in within.nodes if n.kind == "latent"} == {"i"}
    assert {n.name for n in between.nodes if n.kind == "latent"} == {"ib"}
    drawn = diagram_svg(read(f"growth('{text}', cluster = 'school')"))
    assert drawn.count(">y1</text>") == 2


@pytest.mark.parametrize("estimated", [False, True], ids=["labels", "estimates"])
@pytest.mark.parametrize("name", MODELS)
def test_no_label_meets_a_label_or_a_variable(name: str, estimated: bool) -> None:
    model = read(MODELS[name])
    for group in range(model.n_groups):
        made = diagram_layout(model, values(MODELS[name]) if estimated else None, group=group)
        for a, b in combinations(made.labels, 2):
            assert not a.box.overlaps(b.box), (a, b)
        for a, b in combinations(made.nodes, 2):
            assert not a.box.overlaps(b.box), (a, b)
        for label in made.labels:
            for node in made.nodes:
                assert not label.box.overlaps(node.box), (label, node)
        frame = Box(0, 0, made.width, made.height)
        for box in [n.box for n in made.nodes] + [label.box for label in made.labels]:
            assert frame.x <= box.x
            assert frame.y <= box.y
            assert box.x + box.width <= frame.width
            assert box.y + box.height <= frame.height


@pytest.mark.parametrize("name", MODELS)
def test_every_path_is_drawn_once(name: str) -> None:
    model = read(MODELS[name])
    for group in range(model.n_groups):
        made = diagram_layout(model, values(MODELS[name]), group=group)
        drawn = [p for p in model.paths if p.group == group and not p.is_zero]
        assert len(made.arrows) == len(drawn)
        assert len(made.labels) == len(drawn)
        kinds = [arrow.kind for arrow in made.arrows]
        assert kinds.count("loading") == sum(p.op == "=~" for p in drawn)
        assert {n.name.strip() for n in made.nodes if n.kind == "latent"} == set(model.latent)


def test_every_label_stands_on_its_own_arrow() -> None:
    made = diagram_layout(read(MODELS["both kinds"]), values(MODELS["both kinds"]))
    for arrow, label in zip(made.arrows, made.labels, strict=True):
        x, y = label.box.center
        box = arrow.bounds
        assert box.x - 1 <= x <= box.x + box.width + 1
        assert box.y - 1 <= y <= box.y + box.height + 1


def test_factors_stand_above_outcomes_and_the_constant_above_both() -> None:
    made = {n.name: n.box.y for n in diagram_layout(read(MODELS["six occasions"])).nodes}
    assert made["1"] == made["sex"] < made["i"] == made["s"] < made["y_0"] == made["y_5"]


def test_svg_has_shapes_and_real_text() -> None:
    root = ElementTree.fromstring(diagram_svg(read(MODELS["six occasions"]), name="d"))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "Path diagram"
    assert "(i) -->" in root.find(f"{SVG}desc").text
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert {"i", "s", "sex", "y_5", "1"} <= set(texts)
    assert len(list(root.iter(f"{SVG}ellipse"))) == 2
    both = [p for p in root.iter(f"{SVG}path") if p.get("marker-start")]
    assert len(both) == 6 + 3


def test_hostile_labels_are_text() -> None:
    model = read("i =~ 1*y1 + 1*y2")
    name = '<script>alert("x")</script>&'
    paths = tuple(
        replace(
            p,
            left=name if p.left == "y1" else p.left,
            right=name if p.right == "y1" else p.right,
        )
        for p in model.paths
    )
    hostile = replace(model, paths=paths, outcomes=(name, "y2"))
    drawn = diagram_svg(hostile)
    assert "<script" not in drawn
    assert ElementTree.fromstring(drawn) is not None


def test_png_and_pdf() -> None:
    model = read(MODELS["line"])
    assert diagram_picture(model).startswith(b"\x89PNG")
    assert diagram_picture(model, kind="pdf").startswith(b"%PDF")
