"""Writing lavaan: text reads back as the model, in the shape that people write."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path as File

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from growthmm.errors import NotationError
from growthmm.model.sem import Constraint, Defined, Path, SemModel
from growthmm.notation.lavaan.read import read
from growthmm.notation.lavaan.write import write_model as write

GOLDEN = File(__file__).resolve().parents[2] / ".." / "shared" / "reference" / "golden"

TEXTS = [
    "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2",
    "i =~ 1*y0 + 1*y1\ns =~ 0*y0 + 1*y1\ny0 ~~ r*y0\ny1 ~~ r*y1\ni ~ x + z\ns ~ z\ni ~~ 0*s",
    "f =~ NA*y0 + y1 + y2\nf ~~ 1*f",
    "f =~ 1*y0 + 0.1*y1 + -2.5*y2 + start(0.5)*y3\ny1 ~ 1\nf ~ 0*1",
    "f =~ 1*y0 + a*y1 + b*y2\na == 2*b^2\na > 0.1\nq := (a + b)/2",
    'f =~ 1*y0 + equal("f=~y2")*y1 + y2',
    "i =~ 1*y0 + 1*y1\nx ~~ x\nx ~~ z\ni ~ x\nx ~ 1",
]

CALLS = [
    "growth('f =~ y0 + y1 + y2', data = d, missing = 'ml', information = 'observed')",
    "growth('f =~ y0 + y1 + y2; f ~ x + z', fixed.x = FALSE)",
    "cfa('f =~ y0 + y1 + y2\ng =~ y3 + y4', std.lv = TRUE, likelihood = 'wishart')",
    "lavaan('f =~ y0 + y1 + y2\nf ~ x; f ~~ f', meanstructure = TRUE)",
    "sem('y0 ~ y1 + x\ny1 ~ x')",
    'growth("f =~ c(1, NA)*y0 + c(a, b)*y1 + y2", group = "sex", group.label = c("f", "m"))',
    'cfa("f =~ y0 + y1 + c(NA, NA)*y2", group = "sex", group.equal = c("loadings", "intercepts"))',
    'growth("f =~ y0 + y1 + y2", group = "se\\"x", group.equal = "loadings")',
    "growth(\"f =~ c(1, NA)*y0 + c('a', NA)*y1 + upper(2, Inf)*y2; y1 ~ c(0, NA)*1\")",
]


@pytest.mark.parametrize("text", TEXTS)
def test_canonical_text_writes_back_as_itself(text: str) -> None:
    written = write(read(text))
    assert written.losses == ()
    again = read(written.text)
    assert again == read(text)
    assert write(again).text == written.text


@pytest.mark.parametrize("text", TEXTS[:6])
def test_canonical_text_is_what_was_written(text: str) -> None:
    assert write(read(text)).text == text


@pytest.mark.parametrize("text", CALLS)
def test_calls_read_back(text: str) -> None:
    model = read(text)
    written = write(model)
    assert written.losses == ()
    assert read(written.text) == model


def _golden_models() -> list[tuple[str, str]]:
    found = []
    for file in sorted(GOLDEN.glob("*.json")):
        sem = json.loads(file.read_text()).get("sem")
        cases = [sem, *sem.values()] if isinstance(sem, dict) else []
        found += [
            (file.stem, case["model"])
            for case in cases
            if isinstance(case, dict) and isinstance(case.get("model"), str)
        ]
    return found


@pytest.mark.skipif(not GOLDEN.exists(), reason="the folder shared/reference is absent")
def test_golden_models_read_back() -> None:
    models = _golden_models()
    assert len(models) >= 20
    for name, text in models:
        model = read(text)
        written = write(model)
        assert written.losses == (), name
        assert read(written.text) == model, name


@pytest.mark.skipif(not GOLDEN.exists(), reason="the folder shared/reference is absent")
@pytest.mark.parametrize(
    "case", ["A02_gpa_slope_homosced", "A05_gpa_tvc_equal", "A04_gpa_sex_covariate"]
)
def test_golden_texts_are_canonical(case: str) -> None:
    text = json.loads((GOLDEN / f"{case}.json").read_text())["sem"]["model"]
    assert write(read(text)).text == text


@pytest.mark.parametrize(
    "name", ["a b", "if", "2nd", "x;system('id')", "TRUE", "f\n", "a:b", "", "y'"]
)
def test_names_that_are_no_names_never_become_text(name: str) -> None:
    model = SemModel((Path("i", "=~", name or "y", free=False, value=1.0),), ("i",), (name or "y",))
    if not name:
        model = replace(model, paths=(*model.paths, Path("i", "~~", "i", label="a b")))
    written = write(model)
    assert written.text == ""
    assert len(written.losses) == 1


def test_what_lavaan_cannot_say_comes_all_at_once() -> None:
    model = read(TEXTS[0])
    paths = (*model.paths, Path("s", "=~", "y9", free=False, definition="age"))
    model = replace(model, paths=paths, outcomes=(*model.outcomes, "y9"), estimator="reml")
    assert [loss.what for loss in write(model).losses] == [
        "loadings of s in the column age",
        "estimator = reml",
    ]


def test_a_bare_table_needs_zeros_against_the_defaults() -> None:
    paths = (
        Path("i", "=~", "y0", free=False, value=1.0),
        Path("i", "=~", "y1", free=False, value=1.0),
        Path("s", "=~", "y0", free=False, value=0.0),
        Path("s", "=~", "y1", free=False, value=1.0),
        Path("y1", "~~", "y0"),
        Path("i", "~~", "i"),
        Path("s", "~1"),
    )
    model = SemModel(paths, ("i", "s"), ("y1", "y0"))
    written = write(model)
    assert written.losses == ()
    assert read(written.text) == model
    assert "s ~~ 0*s" in written.text


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
OBSERVED = ("y0", "y1", "y2", "x")
LATENT = ("i", "s.2")


@st.composite
def models(draw: st.DrawFn) -> SemModel:
    """Any table over a few variables, with labels, fixed values, bounds and groups."""
    n_groups = draw(st.integers(1, 2))
    pairs = draw(
        st.lists(
            st.one_of(
                st.tuples(st.sampled_from(LATENT), st.just("=~"), st.sampled_from(OBSERVED)),
                st.tuples(st.sampled_from(LATENT), st.just("~"), st.just("z")),
                st.tuples(st.sampled_from(OBSERVED), st.just("~"), st.just("z")),
                st.tuples(
                    st.sampled_from(LATENT + OBSERVED),
                    st.just("~~"),
                    st.sampled_from(LATENT + OBSERVED),
                ),
                st.tuples(st.sampled_from(LATENT + OBSERVED), st.just("~1"), st.just("")),
            ),
            unique_by=lambda key: (
                (key[1], *sorted(key[::2])) if key[1] == "~~" else (key[1], key[0], key[2])
            ),
            max_size=10,
        )
    )
    paths = []
    for number, (left, op, right) in enumerate(pairs):
        for group in range(n_groups):
            kind = draw(st.sampled_from(("free", "fixed", "label", "own", "absent")))
            if kind == "absent":
                continue
            lower = draw(st.sampled_from((None, 0.0, -1.5))) if kind == "free" else None
            paths.append(
                Path(
                    left,
                    op,
                    right,
                    free=kind != "fixed",
                    value=draw(NUMBERS) if kind == "fixed" else None,
                    label={"label": "shared", "own": f"l{number}_{group}"}.get(kind),
                    lower=lower,
                    group=group,
                )
            )
    labels = [path.label for path in paths if path.label]
    defined = (Defined("q", f"2*{labels[0]}**2"),) if labels else ()
    constraints = (Constraint(labels[0], ">", "-1"),) if labels else ()
    covariates = ("z",) if any(path.right == "z" for path in paths) else ()
    return SemModel(
        tuple(paths),
        LATENT,
        OBSERVED,
        covariates,
        constraints=constraints,
        defined=defined,
        n_groups=n_groups,
        missing=draw(st.sampled_from(("ml", "listwise"))),
        function=draw(st.sampled_from(("growth", "cfa", "lavaan"))),
    )


@settings(max_examples=examples(75, 300))
@given(models())
def test_every_model_reads_back(model: SemModel) -> None:
    written = write(model)
    assert written.losses == ()
    assert read(written.text) == model


@settings(max_examples=examples(25, 100))
@given(models())
def test_written_text_is_canonical(model: SemModel) -> None:
    text = write(model).text
    assert write(read(text)).text == text


def test_written_models_never_fail_to_read() -> None:
    with pytest.raises(NotationError):
        read(write(SemModel((), (), ())).text)
