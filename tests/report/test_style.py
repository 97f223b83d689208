"""The palette under simulated colour blindness, and pictures that keep their texts inside."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hostile_data import hostile
from matplotlib.figure import Figure
from numpy.typing import NDArray
from test_page import verified

import growthmm as gm
from growthmm.equivalence.result import Equivalence
from growthmm.report.pictures.catalogue import available
from growthmm.report.pictures.style import GREY, INK, PALETTE, drawing
from growthmm.report.pictures.words import picture_words

# Machado, Oliveira & Fernandes (2009), doi:10.1109/TVCG.2009.113, severity 1, linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
APART = 15.0
"""Distance in CIELAB; 2.3 is just noticeable (Mahy et al. 1994, doi:10.1002/col.5080190207)."""


def linear(color: str) -> NDArray[np.float64]:
    """Linear RGB of ``#rrggbb``."""
    c = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB of linear RGB, white D65."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a: str, b: str) -> float:
    """WCAG's contrast of two colours."""
    light = [float(linear(color) @ [0.2126, 0.7152, 0.0722]) + 0.05 for color in (a, b)]
    return max(light) / min(light)


def smallest(palette: tuple[str, ...], deficiency: str) -> float:
    seen = [lab(DEFICIENCIES[deficiency] @ linear(color)) for color in palette]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_colours_are_told_apart(deficiency: str) -> None:
    assert smallest(PALETTE, deficiency) > APART


def test_the_measure_finds_red_and_green() -> None:
    assert smallest(("#dd5555", "#77aa44"), "none") > 2 * APART
    assert smallest(("#d62728", "#2ca02c", "#8c564b"), "deuteranopia") < APART


def test_texts_of_pictures_can_be_read() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast(INK, "#ffffff") > 4.5
    assert contrast(GREY, "#ffffff") > 3.0


@cache
def individual() -> Equivalence:
    frame = gm.datasets.gpa().query("student <= 60")
    frame = frame.assign(age=frame["occasion"] + 0.03 * (frame["student"] % 9))
    frame.loc[frame.index % 11 == 3, "gpa"] = np.nan
    return gm.verify("gpa ~ age + (1 + age | student)", frame, engines=["semopy"])


@cache
def clusters() -> Equivalence:
    rng = np.random.default_rng(3)
    child = np.repeat(np.arange(120), 4)
    frame = pd.DataFrame({"school": child // 6, "child": child, "t": np.tile(np.arange(4.0), 120)})
    own = rng.normal(size=(120, 2)) @ np.array([[1.0, 0.1], [0.0, 0.4]])
    shared = rng.normal(size=20)
    frame["y"] = shared[child // 6] + own[child, 0] + own[child, 1] * frame["t"]
    frame["y"] += rng.normal(size=len(frame))
    return gm.verify("y ~ t + (1 | school) + (1 + t | child)", frame, engines=["semopy"])


@cache
def parallel() -> Equivalence:
    rng = np.random.default_rng(5)
    level = rng.normal(size=(80, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    wide = pd.DataFrame(
        {
            f"{'ab'[k]}_{t}": level[:, k] * (1 + 0.2 * t) + rng.normal(size=80)
            for k in range(2)
            for t in range(3)
        }
    )
    lines = []
    for name in "ab":
        lines.append(f"i{name} =~ " + " + ".join(f"1*{name}_{t}" for t in range(3)))
        lines.append(f"s{name} =~ " + " + ".join(f"{t}*{name}_{t}" for t in range(3)))
        lines += [f"{name}_{t} ~~ v{name}*{name}_{t}" for t in range(3)]
    return gm.verify("\n".join(lines), wide, layout="wide", engines=["semopy"])


VERIFIED = {
    "plain": verified,
    "hostile": hostile,
    "individual": individual,
    "clusters": clusters,
    "parallel": parallel,
}


def beyond(figure: Figure) -> float:
    """Inches by which what is drawn reaches beyond the picture."""
    figure.canvas.draw()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    return max(-box.x0, -box.y0, box.x1 - width, box.y1 - height)


@pytest.mark.parametrize("name", VERIFIED)
def test_pictures_keep_their_texts_inside(name: str) -> None:
    result = VERIFIED[name]()
    assert len(available(result)) >= 4
    for kind in available(result):
        assert beyond(result.picture(kind)) < 0.02, kind


def test_a_text_outside_is_found() -> None:
    with drawing(2.0, 2.0) as figure:
        figure.text(0.9, 0.5, "far too long for this")
        assert beyond(figure) > 0.5


@pytest.mark.parametrize("name", VERIFIED)
def test_pictures_have_words(name: str) -> None:
    result = VERIFIED[name]()
    for kind in available(result):
        words = picture_words(result, kind)
        assert words.endswith(".")
        assert len(words) > 40
        assert "nan" not in words.lower().replace(OUTCOMES.get(name, ""), "")


OUTCOMES = {"hostile": "onerror"}


def test_png_and_svg() -> None:
    figure = verified().picture("trajectories")
    for kind, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        stream = BytesIO()
        figure.savefig(stream, format=kind)
        assert stream.getvalue().startswith(start)


def test_individual_times_are_drawn_at_their_own_times() -> None:
    """Means of curve and data are over the same rows, so that they are near each other."""
    axes = individual().picture("trajectories").axes[0]
    assert axes.get_xlabel() == "age"
    curve, data = axes.lines[-2], axes.lines[-1]
    np.testing.assert_allclose(curve.get_xdata(), data.get_xdata())
    assert np.max(np.abs(np.asarray(curve.get_ydata()) - data.get_ydata())) < 0.15
    assert len(curve.get_xdata()) > 3  # type: ignore[arg-type]


def test_several_outcomes_have_a_panel_each() -> None:
    axes = parallel().picture("trajectories").axes
    assert [one.get_ylabel() for one in axes] == ["a", "b"]


def test_notebooks_show_pictures_without_pyplot() -> None:
    formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is in extra docs")
    shown, _ = formatters.DisplayFormatter().format(verified().picture("scores"))
    assert shown["image/png"].startswith(b"\x89PNG")
    with drawing(2.0, 1.0) as figure:
        figure.add_subplot()
    assert figure._repr_png_()[16:24] == b"\x00\x00\x00\xc8\x00\x00\x00\x64"
