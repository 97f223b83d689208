"""statsmodels: calls of mixedlm() read, written, and run by statsmodels itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import case, reference_folder

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.expression import quote
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Schema, Variable
from growthmm.model.sem import Path as SemPath
from growthmm.model.sem import SemModel
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation import notation, recognise
from growthmm.notation.base import ScriptContext

STATSMODELS = notation("statsmodels")
LME4 = notation("lme4")


def term(text: str) -> Term:
    return INTERCEPT if text == "1" else Term(tuple(text.split(":")))


def block(terms: str, group: str, covariance: str = "unstructured") -> RandomBlock:
    return RandomBlock(tuple(map(term, terms.split(" + "))), group, covariance)  # type: ignore[arg-type]


def call(arguments: str) -> str:
    return f'smf.mixedlm("y ~ t", data, groups="g"{arguments})'


CALLS = [
    (call(""), [block("1", "g")], "reml"),
    (call(', re_formula="~t"') + ".fit(reml=False)", [block("1 + t", "g")], "ml"),
    (call(', re_formula="0 + t"') + ".fit(reml=True)", [block("t", "g")], "reml"),
    (call(', re_formula=None, vc_formula={"a": "1", "t": "0 + t"}'),
     [block("1 + t", "g", "diagonal")], "reml"),
    (call(', re_formula="1", vc_formula={"t": "0 + t"}'),
     [block("1", "g"), block("t", "g")], "reml"),
    (call(', re_formula="1", vc_formula={"c": "0 + C(c)"}'),
     [block("1", "g"), block("1", "g:c")], "reml"),
    (call(', vc_formula={"c": "0 + C(c)", "ct": "0 + C(c):t"}'),
     [block("1 + t", "g:c", "diagonal")], "reml"),
    ('MixedLM.from_formula("y ~ t", groups=df["g"], data=df)', [block("1", "g")], "reml"),
    ("import statsmodels.api as sm\nmodel = sm.MixedLM.from_formula('y ~ t', df, groups=df.g)\n"
     "fit = model.fit(reml=False, method='bfgs')\nprint(fit.summary())", [block("1", "g")], "ml"),
    ('fit = mixedlm("y ~ "\n  "t", df, "~ t", groups="g").fit(None, False)',
     [block("1 + t", "g")], "ml"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "random", "estimator"), CALLS)
def test_calls_are_read_and_read_back(text: str, random: list[RandomBlock], estimator: str) -> None:
    model = STATSMODELS.read(text)
    assert isinstance(model, MixedModel)
    assert (model.response, model.fixed) == ("y", (INTERCEPT, Term(("t",))))
    assert model.random == tuple(random)
    assert model.estimator == estimator
    assert ("estimator" in [d.what for d in model.defaults]) == (
        "reml" not in text and "(None" not in text
    )
    assert recognise(text) == "statsmodels"
    written = STATSMODELS.write(model)
    assert written.losses == ()
    assert STATSMODELS.read(written.text) == model


def test_scale_divides_by_n_as_in_patsy() -> None:
    model = STATSMODELS.read('smf.mixedlm("y ~ scale(t) + scale(x, ddof=1)", d, groups="g")')
    assert isinstance(model, MixedModel)
    assert [str(t) for t in model.fixed] == ["1", "scale(t, ddof=0)", "scale(x)"]
    assert STATSMODELS.read(STATSMODELS.write(model).text) == model
    assert [loss.what for loss in LME4.write(model).losses] == ["scale(t, ddof=0)"]


@pytest.mark.parametrize(
    ("lme4", "statsmodels"),
    [
        ("y ~ t + (t | g)", 'smf.mixedlm("y ~ t", data, groups="g", re_formula="~ t").fit()'),
        ("lmer(y ~ t + (1 | g), REML = FALSE)",
         'smf.mixedlm("y ~ t", data, groups="g").fit(reml=False)'),
        ("y ~ t + (t || g)", 'smf.mixedlm("y ~ t", data, groups="g", '
         'vc_formula={"Intercept": "1", "t": "0 + t"}).fit()'),
        ("y ~ I(t^2)*sex + (1 | a/b)", 'smf.mixedlm("y ~ I(t ** 2) + sex + I(t ** 2):sex", data, '
         'groups="a", re_formula="1", vc_formula={"b": "0 + C(b)"}).fit()'),
        ("y ~ `my x` + (1 | `g g`)",
         'smf.mixedlm("y ~ Q(\\"my x\\")", data, groups="g g").fit()'),
    ],
)  # fmt: skip
def test_lme4_is_statsmodels_over_there(lme4: str, statsmodels: str) -> None:
    written = STATSMODELS.write(LME4.read(lme4))
    assert written.text == statsmodels
    assert written.losses == ()


@pytest.mark.parametrize(
    ("lme4", "what"),
    [
        ("y ~ t + (t | a) + (t | a:b)", ["covariances of the random effects (1 + t | a:b)"]),
        ("y ~ t + (1 | a) + (1 | b)", ["random effects over b"]),
        ("y ~ t", ["no random effects"]),
        ("y ~ poly(t, 2) + (1 | g)", ["poly(t, 2)"]),
        ("y ~ t + (factor(t) || g)", ["the variance component of C(t) | g"]),
    ],
)
def test_what_mixedlm_cannot_say_is_a_loss(lme4: str, what: list[str]) -> None:
    assert [loss.what for loss in STATSMODELS.write(LME4.read(lme4)).losses] == what


def test_all_losses_come_at_once() -> None:
    model = LME4.read("y ~ poly(t, 2) + (1 | a) + (1 | b)")
    assert isinstance(model, MixedModel)
    model = replace(model, residual=ResidualStructure("by_occasion"))
    assert [loss.what for loss in STATSMODELS.write(model).losses] == [
        "residual variance by occasion",
        "random effects over b",
        "poly(t, 2)",
    ]
    sem = SemModel((SemPath("y", "~~", "y"),), (), ("y",))
    with pytest.raises(SpecificationError, match="statsmodels writes mixed models"):
        STATSMODELS.write(sem)


ERRORS = [
    ("", "There is no call of mixedlm() (line 1, column 1)"),
    ("x", "There is no call of mixedlm() (line 1, column 1)"),
    ("(((", "This is no Python: '(' was never closed (line 1, column 3)\n  (((\n    ^"),
    ("smf.mixedlm('y ~ t'", "This is no Python: '(' was never closed (line 1, column 12)"),
    ("smf.mixedlm('y ~ t', d)", "mixedlm() lacks groups= (line 1, column 1)"),
    ("smf.mixedlm(groups='g')", "mixedlm() lacks formula= (line 1, column 1)"),
    ("mixedlm('y ~ t', d, groups='g')\nmixedlm('y ~ t', d, groups='g')",
     "2 calls of mixedlm(), where one was expected (line 2, column 1)"),
    ("mixedlm(f, d, groups='g')",
     "The formula must be written out as a string (line 1, column 9)\n  mixedlm(f, d, groups='g')\n"
     "          ^"),
    ("mixedlm(f'{y} ~ t', d, groups='g')", "The formula must be written out as a string"),
    ("ä = mixedlm(f, d, groups='g')",
     "The formula must be written out as a string (line 1, column 13)"),
    ("mixedlm('y ~ foo(t)', d, groups='g')",
     "Unknown function foo() (line 1, column 5)\n  y ~ foo(t)\n      ^"),
    ("mixedlm('y ~ t + (1 | g)', d, groups='g')",
     "statsmodels formulas have no (terms | group) (line 1, column 12)"),
    ("mixedlm('y ~ t', d, groups='g', bogus=1)", "mixedlm() has no argument bogus= (line 1, col"),
    ("mixedlm('y ~ t', d, groups='g', subset=a)", "mixedlm(): subset= is not supported (line 1"),
    ("mixedlm('y ~ t', d, groups=3)", "groups must be written out as a string (line 1, column 28)"),
    ("mixedlm('y ~ t', d, groups='g', **k)", "Arguments in ** cannot be read (line 1, column 35)"),
    ("mixedlm('y ~ t', d, formula='y ~ t')", "formula= is given twice (line 1, column 29)"),
    ("mixedlm('y ~ t', d, groups='g', re_formula='0')",
     "re_formula has no terms (line 1, column 1)"),
    ("mixedlm('y ~ t', d, groups='g', re_formula='y ~ t')", "A one-sided formula was expected"),
    ("mixedlm('y ~ t', d, groups='g', vc_formula=v)", "vc_formula must be written out as a dict"),
    ("mixedlm('y ~ t', d, groups='g', vc_formula={'a': 't'})",
     "The variance component 'a' has 2 terms, all with one variance (line 1, column 1)\n  t\n  ^"),
    ("mixedlm('y ~ t', d, groups='g', vc_formula={'a': '0 + scale(t)'})",
     "The variance component 'a' uses scale(t, ddof=0), which MixedLM evaluates within each group"),
    ("mixedlm('y ~ t', d, groups='g', vc_formula={'a': '1', 'b': '1'})",
     "vc_formula has the component 1 twice"),
    ("mixedlm('y ~ t', d, groups='g').fit(reml=r)",
     "reml must be True or False (line 1, column 42)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_malformed_text_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        STATSMODELS.read(text)
    assert str(caught.value).startswith(message)


@given(st.text(alphabet="ytgx1 0~+-*:/|()^`'\"\\.,=#{}\n\0mixedl", max_size=40))
def test_no_text_raises_anything_but_a_notation_error(text: str) -> None:
    candidates = [
        text,
        f"mixedlm({text})",
        f"mixedlm({text!r}, d, groups='g')",
        f"mixedlm('y ~ t', d, groups='g', re_formula={text!r}, vc_formula={{'a': {text!r}}})",
    ]
    for candidate in candidates:
        try:
            model = STATSMODELS.read(candidate)
        except NotationError:
            continue
        assert STATSMODELS.read(STATSMODELS.write(model).text) == model


@pytest.mark.parametrize("text", ["(" * 5000, "-" * 100_000 + "1", "x." * 30_000 + "y", "[" * 150])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        STATSMODELS.read(text)


columns = st.one_of(
    st.sampled_from(["t", "x", "my column", 'x"); system("id', "'''", "class", "größe"]),
    st.text(min_size=1, max_size=6).filter(lambda s: "\0" not in s),
)
factors = st.one_of(
    columns.map(quote),
    columns.map(lambda c: f"I({quote(c)}**2)"),
    columns.map(lambda c: f"C({quote(c)})"),
    columns.map(lambda c: f"log({quote(c)})"),
    columns.map(lambda c: f"scale({quote(c)})"),
)
numeric = st.one_of(columns.map(quote), columns.map(lambda c: f"I({quote(c)}**2)"))
sums = st.lists(st.lists(factors, min_size=1, max_size=2).map(":".join), min_size=1, max_size=3)


@given(columns, sums.map(" + ".join), columns, st.data())
def test_text_to_model_to_text_to_model_is_the_identity(
    response: str, fixed: str, group: str, data: st.DataObject
) -> None:
    start = LME4.read(f"{quote(response)} ~ {fixed}")
    assert isinstance(start, MixedModel)
    g = quote(group)
    terms = [
        INTERCEPT,
        *(Term((f,)) for f in data.draw(st.lists(numeric, unique=True, max_size=3))),
    ]
    structure = data.draw(st.sampled_from(["correlated", "diagonal", "both", "nested"]))
    first = RandomBlock(tuple(terms), g)
    if structure == "diagonal":
        first = RandomBlock(tuple(terms), g, "diagonal" if len(terms) > 1 else "unstructured")
    random = [first]
    if structure == "both":
        random = [RandomBlock((INTERCEPT,), g)]
        if len(terms) > 1:
            covariance = "diagonal" if len(terms) > 2 else "unstructured"
            random.append(RandomBlock(tuple(terms[1:]), g, covariance))
    if structure == "nested":
        inner = data.draw(columns)
        random.append(RandomBlock((INTERCEPT,), f"{g}:{quote(inner)}"))
    model = replace(start, random=tuple(random), estimator="ml")
    written = STATSMODELS.write(model)
    assert written.losses == ()
    ast.parse(written.text)
    assert STATSMODELS.read(written.text) == model
    assert recognise(written.text) == "statsmodels"


def run(script: str, folder: Path) -> dict[str, list[list[str]]]:
    path = folder / "fit.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    found: dict[str, list[list[str]]] = {}
    for line in done.stdout.strip().split("\n"):
        word, *rest = line.split("\t")
        found.setdefault(word, []).append(rest)
    return found


@pytest.mark.parametrize(
    ("name", "formula", "names"),
    [
        ("A02_gpa_slope_homosced", None, ["Intercept", "occasion"]),
        (
            "A04_gpa_sex_covariate",
            "gpa ~ occasion * sex + (occasion | student)",
            ["Intercept", "sex[T.male]", "occasion", "occasion:sex[T.male]"],
        ),
        (
            "A07_gpa_uncorrelated",
            "gpa ~ occasion + (occasion || student)",
            ["Intercept", "occasion"],
        ),
    ],
)
def test_the_script_runs_to_the_golden_numbers(
    name: str, formula: str | None, names: list[str], tmp_path: Path
) -> None:
    golden = case(name)["mixed"]["ml"]
    data = reference_folder() / "data" / "A_gpa_long.csv"
    model = LME4.read(f"lmer({formula or golden['formula']}, REML = FALSE)")
    schema = Schema(
        "student",
        "occasion",
        "gpa",
        variables=(Variable("sex", "person_level", ("female", "male")),),
    )
    out = run(STATSMODELS.script(model, ScriptContext(str(data), schema=schema)), tmp_path)
    assert float(out["logLik"][0][0]) == pytest.approx(golden["logLik"], abs=1e-6)
    effects = {ast.literal_eval(n): float(b) for n, b, _ in out["fixef"]}
    assert list(effects) == names
    # statsmodels stops where its score is about 1e-4; its estimates agree to that.
    assert sorted(effects.values()) == pytest.approx(sorted(golden["fixef"].values()), rel=1e-6)
    assert float(out["sigma2"][0][0]) == pytest.approx(golden["residual_variance"], rel=1e-4)
    variances = [float(value) for _, value in out.get("vc", [])]
    variances += [float(v) for row, column, v in out.get("cov", []) if row == column]
    blocks = golden["varcorr"].values()
    expected = [row[i] for b in blocks for i, row in enumerate(b["cov"])]
    assert sorted(variances) == pytest.approx(sorted(expected), rel=1e-4)


def test_names_that_look_like_code_are_harmless(tmp_path: Path) -> None:
    import numpy as np
    import pandas as pd

    evil = 'x"); open("pwned", "w'
    rng = np.random.default_rng(1)
    n = 200
    frame = pd.DataFrame({'g"1': np.arange(n) // 5, evil: np.arange(n) % 5.0})
    frame["s\\x"] = np.where(np.arange(n) // 5 % 2 == 0, 'a"); open("pwned2", "w', "b")
    person = rng.normal(size=n // 5)[np.arange(n) // 5]
    frame["y y"] = person + frame[evil] + rng.normal(size=n)
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    back = chr(92)
    model = LME4.read(
        f"`y y` ~ {quote(evil)}*{quote(f's{back}x')} + (1 | {quote('g' + chr(34) + '1')})"
    )
    schema = Schema(
        'g"1',
        evil,
        "y y",
        variables=(Variable("s\\x", "person_level", ('a"); open("pwned2", "w', "b")),),
    )
    out = run(STATSMODELS.script(model, ScriptContext(str(path), schema=schema)), tmp_path)
    assert len(out["fixef"]) == 4
    assert not list(tmp_path.glob("pwned*"))
