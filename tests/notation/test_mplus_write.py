"""Writing Mplus: text reads back as the model, with names that Mplus takes."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import reference_folder

from growthmm.errors import SpecificationError
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.sem import Constraint, Defined, Path, SemModel
from growthmm.model.terms import Term
from growthmm.notation.base import DerivedColumn, ScriptContext
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.mplus.notation import NOTATION
from growthmm.notation.mplus.read import read
from growthmm.notation.mplus.rows import normal

LINES = 90

TEXTS = [
    "MODEL:\n  i s | y0@0 y1@1 y2@2;",
    "MODEL:\n  i s | y0@0 y1@1 y2@2;\n  i ON x;\n  s ON x;\n  y0 y1 y2 (v);",
    "MODEL:\n  i s q c | y0@-1 y1@0 y2@1.5 y3@2;\n  i WITH s@0;",
    "MODEL:\n  i s | y0@0 y1@1 y2* y3*2.5;",
    "MODEL:\n  i s1 | y0@0 y1@1 y2@1;\n  i s2 | y0@0 y1@0 y2@1;",
    "MODEL:\n  f BY y0@1 y1* y2*;",
    "MODEL:\n  f BY y0* y1* y2*;\n  f@1;",
    "MODEL:\n  i s | y0@0 y1@1 y2@2;\n  y0 y1 y2 (v);\nMODEL CONSTRAINT:\n  NEW(sd);\n"
    "  sd = sqrt(v);\n  v > 0.1;",
    "VARIABLE:\n  TSCORES = a0 a1 a2;\nANALYSIS:\n  TYPE = RANDOM;\n  ESTIMATOR = ML;\n"
    "MODEL:\n  i s | y0 y1 y2 AT a0 a1 a2;",
    "ANALYSIS:\n  TYPE = RANDOM;\n  ESTIMATOR = ML;\n"
    "MODEL:\n  i s | y0@0 y1@1;\n  st | y0 ON a0;\n  st | y1 ON a1;\n  i WITH st;",
    "VARIABLE:\n  GROUPING IS sex (0 = g1 1 = g2);\nMODEL:\n  i s | y0@0 y1@1 y2*;\n"
    "  y0 y1 y2 (v);\nMODEL g2:\n  y2;\n  [s@0];",
    "DATA: LISTWISE = ON;\nANALYSIS:\n  INFORMATION = EXPECTED;\nMODEL:\n  y ON x;",
]


@pytest.mark.parametrize("text", TEXTS)
def test_canonical_text_writes_back_as_itself(text: str) -> None:
    model = read(text)
    written = NOTATION.write(model)
    assert written.losses == ()
    assert written.text == text
    assert read(written.text) == model


def _golden() -> list[tuple[str, str]]:
    found = []
    for file in sorted((reference_folder() / "golden").glob("*.json")):
        sem = json.loads(file.read_text()).get("sem")
        cases = [sem, *sem.values()] if isinstance(sem, dict) else []
        found += [
            (file.stem, case["model"])
            for case in cases
            if isinstance(case, dict) and isinstance(case.get("model"), str)
        ]
    return found


def test_golden_models_read_back() -> None:
    models = _golden()
    assert len(models) >= 20
    for name, text in models:
        model = read_lavaan(text)
        written = NOTATION.write(model)
        assert written.losses == (), name
        assert normal(read(written.text)).table == normal(model).table, name
        assert max(map(len, written.text.split("\n"))) <= LINES, name


LAVAAN = {
    "path model": "sem('y0 ~ y1 + x\ny1 ~ x')",
    "no defaults": "lavaan('f =~ y0 + y1 + y2\nf ~ x; f ~~ f')",
    "second order": "cfa('f =~ y0 + y1 + y2\ng =~ y3 + y4 + y5\nh =~ f + g')",
    "random x": "growth('f =~ y0 + y1 + y2; f ~ x + z', fixed.x = FALSE)",
    "groups": "cfa('f =~ y0 + y1 + c(NA, NA)*y2', group = 'sex', group.label = c('f', 'm'), "
    "group.equal = c('loadings', 'intercepts'))",
    "equal residuals in groups": "growth('i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2', "
    "group = 'sex', group.label = c('1', '2'), group.equal = 'residuals')",
    "phantom": "growth('f =~ 0\ny0 ~ f + x')",
    "labels that are rows": "growth('f =~ 1*y0 + equal(\"f=~y2\")*y1 + y2')",
    "constraints": "growth('f =~ 1*y0 + a*y1 + b*y2\na == 2*b^2\na > 0.1\nq := (a + b)/2')",
}


@pytest.mark.parametrize("case", LAVAAN)
def test_lavaan_models_are_carried_over(case: str) -> None:
    model = read_lavaan(LAVAAN[case])
    written = NOTATION.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert normal(again).table == normal(model).table
    if case == "groups":
        assert again.group_labels == ("f", "m")
        assert again.group_variable == "sex"


def test_long_names_are_shortened_and_mapped_back() -> None:
    text = "\n".join(
        [
            "initial.level =~ 1*lib_hours_0 + 1*lib_hours_1 + 1*lib_hours_2",
            "growth.rate =~ 0*lib_hours_0 + 1*lib_hours_1 + 2*lib_hours_2",
            "initial.level ~ effect_of_sex*sexmale + a.1*sexMALE",
            "ratio := effect_of_sex/a.1",
        ]
    )
    model = read_lavaan(text)
    written = NOTATION.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert normal(again).table == normal(model).table
    body = written.text[written.text.index("MODEL:") :]
    words = set(re.findall(r"\w+", body)) - {"CONSTRAINT"}
    assert all(len(word) <= 8 for word in words)
    assert '! libhour0 stands for "lib_hours_0"' in written.text
    assert NOTATION.write(again).text == written.text


HOSTILE = [
    'x"); system("id',
    "y;\nMODEL: y@0;",
    "a b",
    "by",
    "MODEL",
    "größe",
    "y!z",
    "1st",
    "",
    "*!",
    'a" stands for "b',
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_code(name: str) -> None:
    rows = [
        Path("i", "=~", y, free=False, value=1.0, label=None) for y in ("y0", name or "_", "y2")
    ]
    model = SemModel(
        (*rows, Path("i", "~~", "i", label=name or None), Path("i", "~1")),
        ("i",),
        ("y0", name or "_", "y2"),
        defined=(),
    )
    written = NOTATION.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert normal(again).table == normal(model).table
    body = [line for line in written.text.split("\n") if not line.startswith("!")]
    assert body[0] == "MODEL:"
    assert all(sign not in "\n".join(body) for sign in "\"'!(") or "i (" in "\n".join(body)


def test_what_mplus_cannot_say_comes_all_at_once() -> None:
    model = read_lavaan("f =~ 1*y0 + y1 + y2\ny1 ~~ lower(0)*y1\ny0 ~ x")
    paths = tuple(
        replace(p, free=False, definition="w") if p.name == "y0~x" else p for p in model.paths
    )
    model = replace(model, paths=paths, estimator="reml", likelihood="wishart")
    assert [loss.what for loss in NOTATION.write(model).losses] == [
        "estimator = reml",
        "likelihood = wishart",
        "bounds of y1~~y1",
        "y0~x = data.w",
    ]


def test_numbers_and_columns_in_one_factor_are_a_loss() -> None:
    model = read("i s | y0@0 y1@1 y2@2;")
    paths = tuple(
        replace(p, value=None, definition="a2") if p.name == "s=~y2" else p for p in model.paths
    )
    losses = NOTATION.write(replace(model, paths=paths)).losses
    assert [loss.what for loss in losses] == ["s=~y2 = data.a2"]


def test_groups_without_names_are_a_loss() -> None:
    model = replace(read("i s | y0@0 y1@1 y2@2;"), group_variable="sex")
    assert [loss.what for loss in NOTATION.write(model).losses] == ["groups of sex"]


OBSERVED = ("y0", "y1", "y2", "x")
LATENT = ("i", "s_slope_of_time")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def models(draw: st.DrawFn) -> SemModel:
    """Any table over a few variables, with labels, fixed values and groups."""
    n_groups = draw(st.integers(1, 3))
    everything = LATENT + OBSERVED
    kinds = st.one_of(
        st.tuples(st.sampled_from(LATENT), st.just("=~"), st.sampled_from(OBSERVED)),
        st.tuples(st.sampled_from(everything), st.just("~"), st.just("z")),
        st.tuples(st.sampled_from(everything), st.just("~~"), st.sampled_from(everything)),
        st.tuples(st.sampled_from(everything), st.just("~1"), st.just("")),
    )
    pairs = draw(
        st.lists(
            kinds,
            unique_by=lambda key: (
                (key[1], *sorted(key[::2])) if key[1] == "~~" else (key[1], key[0], key[2])
            ),
            max_size=12,
        )
    )
    paths = []
    for number, (left, op, right) in enumerate(pairs):
        for group in range(n_groups):
            kind = draw(st.sampled_from(("free", "fixed", "label", "own", "absent")))
            if kind == "absent":
                continue
            paths.append(
                Path(
                    left,
                    op,
                    right,
                    free=kind != "fixed",
                    value=draw(NUMBERS | st.sampled_from((0.0, 1.0, 2.0)))
                    if kind == "fixed"
                    else None,
                    start=draw(st.sampled_from((None, 0.5))) if kind == "free" else None,
                    label={"label": "shared.parameter", "own": f"l{number}_{group}"}.get(kind),
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
    )


@settings(max_examples=examples(40, 80))
@given(models())
def test_every_model_reads_back(model: SemModel) -> None:
    written = NOTATION.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert normal(again).table == normal(model).table
    assert read(NOTATION.write(again).text) == again
    lines = [line for line in written.text.split("\n") if not line.startswith("!")]
    assert max(map(len, lines)) <= LINES


OCCASIONS = tuple(float(k) for k in range(6))
GPA = tuple(f"gpa_{k}" for k in range(6))
LIB = tuple(f"lib_hours_{k}" for k in range(6))


def _schema() -> Schema:
    return Schema(
        person="student",
        time="occasion",
        outcome="gpa",
        occasions=OCCASIONS,
        variables=(Variable("sex", "person_level", ("female", "male")),),
        outcome_columns=GPA,
        varying_columns=(("lib_hours", LIB),),
    )


def _model() -> SemModel:
    return read(
        "i s | gpa_0@0 gpa_1@1 gpa_2@2 gpa_3@3 gpa_4@4 gpa_5@5; gpa_0-gpa_5 (r);\n"
        "i s ON sexmale; gpa_0 ON lib_hours_0 (b); gpa_1 ON lib_hours_1 (b);"
    )


def test_script_for_wide_data_reads_back() -> None:
    model = _model()
    script = NOTATION.script(model, ScriptContext("folder/gpa.csv", "wide", _schema()))
    assert 'FILE = "folder/gpa.dat";' in script
    assert "MISSING = ALL (-999);" in script
    assert read(script) == model
    assert max(map(len, script.split("\n"))) <= LINES


def test_script_for_long_data_reshapes_and_reads_back() -> None:
    model = _model()
    part = ColumnPart("C(sex)", 0, "male", "contrast")
    derived = (DerivedColumn("sexmale", Column(Term(("C(sex)",)), (part,))),)
    script = NOTATION.script(model, ScriptContext("gpa.csv", "long", _schema(), derived))
    lines = [line.strip() for line in script.split("\n")]
    assert "DATA LONGTOWIDE:" in lines
    assert "LONG = gpa | libhours;" in lines
    assert "IDVARIABLE = student;" in lines
    assert "REPETITION = occasion (0 1 2 3 4 5);" in lines
    assert "NAMES = student occasion gpa libhours sexmale;" in lines
    assert '! sexmale: the column "C(sex) [male]"' in lines
    assert read(script) == model
    assert max(map(len, lines)) <= LINES


@pytest.mark.parametrize("text", TEXTS)
def test_scripts_read_back(text: str) -> None:
    model = read(text)
    assert read(NOTATION.script(model, ScriptContext(None, "wide"))) == model


@pytest.mark.parametrize("path", ['a";b.csv', "a\nb.csv", "a!b.csv", "x" * 200 + ".csv"])
def test_paths_that_would_end_their_quotes_are_refused(path: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        NOTATION.script(_model(), ScriptContext(path, "wide"))
    assert caught.value.hint


def test_mixed_models_are_refused() -> None:
    from growthmm.notation.lme4 import NOTATION as LME4

    with pytest.raises(SpecificationError, match="mixed model"):
        NOTATION.write(LME4.read("y ~ t + (t | id)"))
