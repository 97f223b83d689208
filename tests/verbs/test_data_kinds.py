"""Every kind of data gives the same answer, and is left as it was."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from study import long_data, wide_frame

import growthmm as gm
from growthmm.errors import GrowthmmError, SpecificationError

FORMULA = "score ~ wave * school + mood + (1 + wave | person)"
TEXT = """
i =~ 1*score_0 + 1*score_1 + 1*score_3 + 1*score_6
s =~ 0*score_0 + 1*score_1 + 3*score_3 + 6*score_6
i ~ iq
"""
KINDS = ("pandas", "polars", "polars lazy", "pyarrow", "duckdb", "csv", "csv.gz", "tsv", "parquet")


@cache
def frames(layout: str) -> pd.DataFrame:
    return long_data() if layout == "long" else wide_frame(long_data())


def as_kind(frame: pd.DataFrame, kind: str, folder: Path) -> object:
    if kind == "pandas":
        return frame.copy()
    if kind in ("polars", "polars lazy"):
        polars = pytest.importorskip("polars")
        made = polars.from_pandas(frame)
        return made.lazy() if kind.endswith("lazy") else made
    if kind == "pyarrow":
        return pytest.importorskip("pyarrow").Table.from_pandas(frame, preserve_index=False)
    if kind == "duckdb":
        return pytest.importorskip("duckdb").from_df(frame)
    path = folder / f"data.{kind}"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    return path


@cache
def answer(model: str, layout: str) -> float:
    return gm.fit(model, frames(layout)).log_likelihood


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("model", "layout"), [(FORMULA, "long"), (TEXT, "wide")])
def test_fit_takes_every_kind(kind: str, model: str, layout: str, tmp_path: Path) -> None:
    data = as_kind(frames(layout), kind, tmp_path)
    fit = gm.fit(model, data)
    assert fit.log_likelihood == pytest.approx(answer(model, layout), abs=1e-9)
    if kind == "pandas":
        pd.testing.assert_frame_equal(data, frames(layout))


@pytest.mark.parametrize("kind", KINDS)
def test_translate_takes_every_kind(kind: str, tmp_path: Path) -> None:
    data = as_kind(frames("long"), kind, tmp_path)
    text = gm.translate(FORMULA, "lavaan", data=data).text
    assert text == gm.translate(FORMULA, "lavaan", data=frames("long")).text
    back = gm.translate(text, "lme4", data=data, id="person", time="wave").text
    assert back == "score ~ wave + school + mood + wave:school + (1 + wave | person)"


@pytest.mark.parametrize("kind", ["polars", "csv"])
def test_verify_takes_other_kinds(kind: str, tmp_path: Path) -> None:
    data = as_kind(frames("long"), kind, tmp_path)
    found = gm.verify("score ~ wave + (1 + wave | person)", data, engines=["statsmodels"])
    assert found.verdict == "identical"


def test_moments_stand_for_complete_data() -> None:
    wide = wide_frame(long_data(gaps=False))
    names = ["score_0", "score_1", "score_3", "score_6", "iq"]
    moments = gm.Moments.of(wide, names)
    fit, from_moments = gm.fit(TEXT, wide), gm.fit(TEXT, moments)
    assert from_moments.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-8)
    pd.testing.assert_frame_equal(fit.estimates, from_moments.estimates, rtol=1e-5)
    assert gm.translate(TEXT, "semopy", data=moments).text
    found = gm.verify(TEXT + "\n".join(f"{n} ~~ v*{n}" for n in names[:4]), moments)
    assert found.verdict == "identical"
    with pytest.raises(SpecificationError, match="long columns"):
        gm.fit(FORMULA, moments)


def test_a_stated_estimator_counts_and_a_default_does_not() -> None:
    data = frames("long")
    formula = "score ~ wave + (1 | person)"
    stated = gm.fit(f"lmer({formula}, d, REML = TRUE)", data)
    assert stated.estimator == "reml"
    assert gm.fit(f"lmer({formula}, d)", data).estimator == "ml"
    assert gm.fit(formula, data).estimator == "ml"
    assert gm.fit(f"lmer({formula}, d, REML = TRUE)", data, estimator="ml").estimator == "ml"
    assert gm.fit(formula, data, estimator="reml").log_likelihood == stated.log_likelihood
    assert gm.verify(
        f"lmer({formula}, REML = TRUE)", data, engines=["statsmodels"]
    ).mixed_fit.estimator == ("reml")


def test_a_model_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "growth.lav"
    path.write_text("\ufeff" + TEXT, encoding="utf-8")
    formula = tmp_path / "model.r"
    formula.write_text("lmer(score ~ wave +\n  (1 | person), d)\n", encoding="utf-8")
    assert gm.read(path) == gm.read(str(path)) == gm.read(TEXT)
    assert gm.read(formula).groups == ("person",)
    assert gm.fit(path, frames("wide")).label == str(path)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: gm.read(3), "A model to read is text or a path, not int"),
        (lambda: gm.read("y ~ t\0 + (1 | id)"), "null character"),
        (lambda: gm.read("  "), "The model text is empty"),
        (lambda: gm.fit(3, frames("long")), "A model is text, a path or a model already read"),
        (lambda: gm.fit(FORMULA, 3), "which is no data frame"),
        (lambda: gm.fit(FORMULA, None), "No data were given"),
        (lambda: gm.fit(FORMULA, frames("long").iloc[:0]), "no rows"),
        (lambda: gm.fit(FORMULA, frames("long"), estimator="REML"), "no estimator 'REML'"),
        (lambda: gm.fit(FORMULA, frames("long"), start={"x": 1.0}), "The starting values lack"),
        (lambda: gm.fit(FORMULA, frames("long").set_index("person")), "There is no column"),
        (lambda: gm.translate(FORMULA, "lavan", data=frames("long")), "no notation called"),
        (lambda: gm.write(gm.read(FORMULA), "lavaan"), "lavaan writes SEMs"),
        (gm.compare, "0 model was given to compare"),
        (lambda: gm.log_likelihood(FORMULA, frames("long"), {}), "The parameters lack"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: object, says: str) -> None:
    with pytest.raises(GrowthmmError) as caught:
        call()  # type: ignore[operator]
    assert says in str(caught.value)
    assert "\nHint: " in str(caught.value)
