"""lme4: formulas and calls read, written, and run by R itself."""

from __future__ import annotations

import json
import subprocess
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
from growthmm.notation.formula.reading import read_terms

LME4 = notation("lme4")


def term(text: str) -> Term:
    return INTERCEPT if text == "1" else Term(tuple(text.split(":")))


def block(terms: str, group: str, covariance: str = "unstructured") -> RandomBlock:
    return RandomBlock(tuple(map(term, terms.split(" + "))), group, covariance)  # type: ignore[arg-type]


FORMULAS = [
    (
        "gpa ~ occasion*sex + (1 + occasion | student)",
        "1 + occasion + sex + occasion:sex",
        [block("1 + occasion", "student")],
    ),
    ("y ~ t + (t | g)", "1 + t", [block("1 + t", "g")]),
    ("y ~ t + (1+t|g)", "1 + t", [block("1 + t", "g")]),
    ("y ~ t + (t || g)", "1 + t", [block("1 + t", "g", "by_term")]),
    ("y ~ t + (1|g) + (0+t|g)", "1 + t", [block("1", "g"), block("t", "g")]),
    ("y ~ t + (t - 1 | g)", "1 + t", [block("t", "g")]),
    ("y ~ 0 + t + (1 | a/b)", "t", [block("1", "a"), block("1", "a:b")]),
    ("y ~ (1 | a/b/c)", "1", [block("1", "a"), block("1", "a:b"), block("1", "a:b:c")]),
    ("y ~ (1 | a) + (1 | b)", "1", [block("1", "a"), block("1", "b")]),
    ("y ~ (1 | factor(id))", "1", [block("1", "id")]),
    ("y ~ t", "1 + t", []),
    ("y ~ (t | g) + x", "1 + x", [block("1 + t", "g")]),
    (
        "log(y) ~ I(t^2) + poly(t, 2, raw = TRUE) + (poly(t, 2) | g)",
        "1 + I(t**2) + poly(t, 2, raw=True)",
        [block("1 + poly(t, 2)", "g")],
    ),
    ("y ~ t +\n  (1 | g)  # persons", "1 + t", [block("1", "g")]),
    ("y ~ (a + b)^2 - a + (1 | g)", "1 + b + a:b", [block("1", "g")]),
    ("y ~ (a + b + c)^2 - b - a:b + (1 | g)", "1 + a + c + a:c + b:c", [block("1", "g")]),
    ("y ~ d + a:b:c + c:d + (1 | g)", "1 + d + d:c + a:b:c", [block("1", "g")]),
    (
        "y ~ (a + b + c + d)^3 - a - b - c - d - a:b:c",
        "1 + a:b + a:c + a:d + b:c + b:d + c:d + a:b:d + a:c:d + b:c:d",
        [],
    ),
]


@pytest.mark.parametrize(("text", "fixed", "random"), FORMULAS)
def test_formulas_are_read_and_read_back(text: str, fixed: str, random: list[RandomBlock]) -> None:
    model = LME4.read(text)
    assert isinstance(model, MixedModel)
    assert " + ".join(map(str, model.fixed)) == fixed
    assert model.random == tuple(random)
    assert model.estimator == "reml"
    written = LME4.write(model)
    assert written.losses == ()
    assert LME4.read(written.text) == model
    assert LME4.write(LME4.read(written.text)) == written


@pytest.mark.parametrize(
    ("call", "estimator", "data"),
    [
        ("lmer(y ~ t + (1 | g), data = d, REML = FALSE)", "ml", "d"),
        ("lmer(y ~ t + (1 | g), d, FALSE)", "ml", "d"),
        ("lme4::lmer(y ~ t + (1 | g), REML = F)", "ml", None),
        ("fit <- lmer(y ~ t + (1 | g), data = read.csv('a(b.csv'))", "reml", "read.csv('a(b.csv')"),
        ('fit = lmer(REML = TRUE, formula = y ~ t + (1 | g), data = "x.csv")', "reml", "x.csv"),
        ("library(lme4)\nsummary(lmer(y ~ t +\n  (1 | g), d))\nplot(x, y)", "reml", "d"),
        (
            "lmer(y ~ t + (1 | g), d, weights = NULL, control = lmerControl(a = 1, b = c(2, 3)))",
            "reml",
            "d",
        ),
    ],
)
def test_calls_set_the_estimator(call: str, estimator: str, data: str | None) -> None:
    model = LME4.read(call)
    assert isinstance(model, MixedModel)
    assert (model.estimator, model.data) == (estimator, data)
    assert model.fixed == (INTERCEPT, Term(("t",)))
    assert model.random == (block("1", "g"),)
    told = "REML" in call or "FALSE" in call
    assert ("estimator" in [d.what for d in model.defaults]) == (not told)
    assert recognise(call) == "lme4"


def test_the_text_names_the_estimator_only_where_it_is_not_the_default() -> None:
    assert LME4.write(LME4.read("y ~ t + (t | g)")).text == "y ~ t + (1 + t | g)"
    text = "lmer(y ~ t + (1 + t | g), REML = FALSE)"
    assert LME4.write(LME4.read(text)).text == text


ERRORS = [
    ("", "The text is empty (line 1, column 1)"),
    ("y", "This is no formula: it has no ~ (line 1, column 1)\n  y\n  ^"),
    ("~ x", "The formula has no outcome left of ~ (line 1, column 3)"),
    ("2 ~ x", "The outcome names no column (line 1, column 1)"),
    ("cbind(a, b) ~ x", "Several outcomes in one formula (line 1, column 1)"),
    ("y ~ t | g", "A bar outside parentheses (line 1, column 7)\n  y ~ t | g\n        ^"),
    ("y ~ x + t | g", "A bar outside parentheses (line 1, column 11)"),
    ("y ~ t + (1 | g", "The bracket ( is never closed (line 1, column 9)"),
    ("y ~ t)", "The bracket ) closes nothing (line 1, column 6)"),
    ("y ~ t + (1 | )", "Unexpected ')' (line 1, column 14)"),
    ("y ~ t t", "Unexpected 't' (line 1, column 7)\n  y ~ t t\n        ^\nExpected: + or -, *"),
    ("y ~ t +", "The text ends too early (line 1, column 8)"),
    ("y ~ (1 | g) * x", "A random term within another term (line 1, column 8)"),
    ("y ~ t - (1 | g)", "A random term is taken away (line 1, column 12)"),
    ("y ~ (0 | g)", "The random term has no effects before the bar (line 1, column 8)"),
    ("y ~ (1 | a | b)", "Two bars in one random term (line 1, column 12)"),
    ("y ~ (1 | a * b)", "The grouping factor after the bar must be a column (line 1, column 12)"),
    ("y ~ offset(z) + t", "offset() is not supported (line 1, column 5)"),
    ("y ~ us(1 + t | g)", "The covariance structure us() of a random term is not supported (line"),
    ("y ~ ar1(0 + f | g)", "The covariance structure ar1() of a random term is not supported"),
    ("y ~ 2*x", "A number within a product of terms (line 1, column 5)"),
    ("y ~ x + 3", "Numbers other than 0 and 1 are no terms (line 1, column 9)"),
    ("y ~ t^0.5", "The power of a sum of terms must be a whole number from 1 to 10 (line 1, col"),
    ("y ~ t > 3", "The operator > has no meaning between terms (line 1, column 7)"),
    ("y ~ .", "The dot for all other columns (line 1, column 5)"),
    ("y ~ 'x'", "A literal is no term (line 1, column 5)"),
    ("y ~ rank(x)", "Unknown function rank() (line 1, column 5)"),
    ("y ~ x:-1", "A minus sign within a term (line 1, column 7)"),
    ("y ~ x ~ z", "Unexpected '~' (line 1, column 7)"),
    ("y ~ a*b*c*d*e*f*g*h*i*j*k*l", "The formula expands to more than 2000 terms (line 1"),
    ("lm(y ~ x)", "lm() is no call of lmer() (line 1, column 1)"),
    ("lmer()", "lmer() without a formula (line 1, column 1)"),
    ("lmer(y ~ x, d, TRUE, 1, 2, 3, 4, 5, 6)", "lmer() has too many arguments without names"),
    ("lmer(y ~ x, weights = w)", "lmer(): weights= is not supported (line 1, column 23)"),
    ("lmer(y ~ x, subset = a > 2)", "lmer(): subset= is not supported (line 1, column 22)"),
    ("lmer(y ~ x, bogus = 2)", "lmer() has no argument bogus= (line 1, column 21)"),
    ("lmer(y ~ x, REML = 3)", "REML must be TRUE or FALSE (line 1, column 20)"),
    ("lmer(y ~ x, REML = T, REML = F)", "REML= is given twice (line 1, column 29)"),
    ("glmer(y ~ x, family = binomial)", "glmer() fits a generalised linear mixed model, which i"),
    ("lmer(y ~ x) + 3", "Unexpected text after the call (line 1, column 13)"),
    ("foo bar lmer(y ~ x)", "Unexpected text before the call (line 1, column 1)"),
    ("lmer(y ~ x)\nlmer(y ~ z)", "2 calls that fit a model, where one was expected (line 2, col"),
    ("lmer(y ~\n  foo(x))", "Unknown function foo() (line 2, column 3)\n    foo(x))\n    ^"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_malformed_text_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        LME4.read(text)
    assert str(caught.value).startswith(message)


@given(st.text(alphabet="ytgx1 0~+-*:/|()^`'\"\\.,=#\n\0lmerREMLFALSE<-%in&", max_size=50))
def test_no_text_raises_anything_but_a_notation_error(text: str) -> None:
    for candidate in (text, f"y ~ {text}", f"lmer(y ~ t + (1 | g), {text})", f"y ~ t + ({text}|g)"):
        try:
            model = LME4.read(candidate)
        except NotationError:
            continue
        assert LME4.read(LME4.write(model).text) == model


def test_very_long_sums_are_read() -> None:
    names = [f"v{i}" for i in range(900)]
    model = LME4.read(f"y ~ {' + '.join(names)} + (1 | g)")
    assert isinstance(model, MixedModel)
    assert len(model.fixed) == 901


columns = st.one_of(
    st.sampled_from(["t", "x", "sex", "my column", "a`b", 'x"); system("id', "TRUE", "größe"]),
    st.text(min_size=1, max_size=6).filter(lambda s: "\0" not in s),
).map(quote)
factors = st.one_of(
    columns,
    columns.map(lambda c: f"I({c}^2)"),
    columns.map(lambda c: f"factor({c})"),
    columns.map(lambda c: f"poly({c}, 2)"),
    columns.map(lambda c: f"log({c})"),
)
products = st.lists(factors, min_size=1, max_size=3).map(":".join)
sums = st.lists(products, min_size=1, max_size=4).map(" + ".join)
fixed_parts = st.builds(lambda i, s: i + s, st.sampled_from(["", "0 + ", "1 + "]), sums)
bars = st.builds(
    lambda i, s, bar, g: f"({i}{s} {bar} {g})",
    st.sampled_from(["", "0 + "]),
    sums,
    st.sampled_from(["|", "||"]),
    st.lists(columns, min_size=1, max_size=2).map("/".join),
)


def test_a_name_with_a_quote_and_a_tilde_leaves_a_formula_one() -> None:
    text = r"t ~ t + (`a\`b`:`~` | `my column`)"
    assert recognise(text) == "lme4"
    assert recognise(r"`a\`b` =~ 1*y1 + 1*y2") == "lavaan"


@given(columns, fixed_parts, st.lists(bars, max_size=3), st.booleans())
def test_text_to_model_to_text_to_model_is_the_identity(
    response: str, fixed: str, random: list[str], call: bool
) -> None:
    formula = f"{response} ~ {' + '.join([fixed, *random])}"
    model = LME4.read(f"lmer({formula}, REML = FALSE)" if call else formula)
    written = LME4.write(model)
    assert written.losses == ()
    assert LME4.read(written.text) == model
    assert recognise(written.text) == "lme4"


@pytest.mark.r("stats")
def test_terms_come_in_the_order_of_r() -> None:
    formulas = [
        "a*b*c", "(a+b+c)^2", "a/b", "b %in% a", "b+a+a:b", "b+a:c+c", "0+a+1", "a-1", "a*b-a",
        "a/(b+c)", "(a+b)/c", "a+0", "-1+a", "1+a:b+a", "(a+b+c)^2-a:b", "a*b-a:b", "b:a+a:b",
        "a+a", "a*b%in%c", "a^2", "(a*b)/c", "a*(b+c)-1", "a:b:c+c:b", "c + a*b", "1", "a-a",
        "(a+b)-(a+c)", "(a+b+c+d)^3-a:b-c", "a+b-0", "a%in%b+c", "a-1+1", "0+a-1", "a%in%(b+c)",
        "(a/b)/c", "a/b/c", "(a+b)*(a+c)", "a:a", "a*a", "0+a:b+b:a-a", "a*b*c-a:b:c",
        "(a+b)^2*c", "(a+b)^3/d", "c:b+a:b:c+a", "a+(b-1)", "a-(b+1)", "(a+b)%in%c", "b*a-b-1",
        "a/b-a", "d:c:b:a+a*b*c*d-a:d-c",
    ]  # fmt: skip
    code = (
        f"for (f in list({', '.join('~' + f for f in formulas)})) {{ t <- terms(f); "
        "cat(attr(t, 'intercept'), attr(t, 'term.labels'), sep = '|'); cat('\\n') }"
    )
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True
    )
    lines = done.stdout.strip().split("\n")
    assert len(lines) == len(formulas)
    for formula, line in zip(formulas, lines, strict=True):
        terms = read_terms(formula, language="r")
        intercept = str(int(INTERCEPT in terms))
        got = [intercept, *(str(t) for t in terms if not t.is_intercept)]
        assert "|".join(got) == line.rstrip("|"), formula


@pytest.mark.parametrize(
    ("residual", "what", "nearest"),
    [
        ("by_occasion", "residual variance by occasion", "varIdent(form = ~ 1 | occasion)"),
        ("by_group:sex", "residual variance by sex", "varIdent(form = ~ 1 | sex)"),
        ("ar1", "AR(1) residuals", "corAR1(form = ~ occasion | student)"),
        ("unstructured", "unstructured residuals", "corSymm(form = ~ occasion | student)"),
        ("banded:2", "banded residuals (2)", "lavaan"),
    ],
)
def test_a_residual_structure_is_a_loss_with_its_nearest(
    residual: str, what: str, nearest: str
) -> None:
    from dataclasses import replace

    model = LME4.read("gpa ~ occasion + (occasion | student)")
    assert isinstance(model, MixedModel)
    written = LME4.write(replace(model, residual=ResidualStructure.parse(residual)))
    (loss,) = written.losses
    assert loss.what == what
    assert nearest in loss.nearest
    assert written.text == "gpa ~ occasion + (1 + occasion | student)"


def test_a_diagonal_block_is_a_loss_only_where_its_meaning_is_lost() -> None:
    numeric = MixedModel("y", (INTERCEPT,), (block("1 + t", "g", "diagonal"),))
    assert LME4.write(numeric).losses == ()
    assert LME4.write(numeric).text == "y ~ 1 + (1 + t || g)"
    wide = MixedModel("y", (INTERCEPT,), (block("1 + C(t)", "g", "diagonal"),))
    (loss,) = LME4.write(wide).losses
    assert "C(t)" in loss.what


def test_a_structural_equation_model_is_refused() -> None:
    sem = SemModel((SemPath("y", "~~", "y"),), (), ("y",))
    with pytest.raises(SpecificationError, match="lme4 writes mixed models"):
        LME4.write(sem)


def run_r(script: str, folder: Path) -> dict[str, list[list[str]]]:
    """The lines that a script prints, by their first word."""
    path = folder / "fit.R"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["Rscript", "--vanilla", str(path)], capture_output=True, text=True, check=True, cwd=folder
    )
    found: dict[str, list[list[str]]] = {}
    for line in done.stdout.strip().split("\n"):
        word, *rest = line.split("\t")
        found.setdefault(word, []).append(rest)
    return found


@pytest.mark.r("lme4")
@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize(
    "name", ["A02_gpa_slope_homosced", "A04_gpa_sex_covariate", "A05_gpa_tvc_equal"]
)
def test_the_script_runs_to_the_golden_numbers(name: str, method: str, tmp_path: Path) -> None:
    golden = case(name)["mixed"][method]
    data = reference_folder() / "data" / "A_gpa_long.csv"
    remark = "FALSE" if method == "ml" else "TRUE"
    # The golden file has the indicator; a factor gives the same coefficients and names.
    formula = golden["formula"].replace("sexmale", "sex")
    model = LME4.read(f"lmer({formula}, REML = {remark})")
    schema = Schema(
        "student",
        "occasion",
        "gpa",
        variables=(Variable("sex", "person_level", ("female", "male")),),
    )
    out = run_r(LME4.script(model, ScriptContext(str(data), schema=schema)), tmp_path)
    assert float(out["logLik"][0][0]) == pytest.approx(golden["logLik"], abs=1e-6)
    effects = {json.loads(name): (float(b), float(se)) for name, b, se in out["fixef"]}
    assert list(effects) == list(golden["fixef"])
    for key, (estimate, error) in effects.items():
        assert estimate == pytest.approx(golden["fixef"][key], rel=1e-6)
        assert error == pytest.approx(golden["se"][key], rel=1e-5)
    expected = golden["varcorr"]["student"]
    for _, row, column, value in out["cov"]:
        i, j = (expected["names"].index(json.loads(n)) for n in (row, column))
        assert float(value) == pytest.approx(expected["cov"][i][j], rel=1e-5)
    assert float(out["sigma2"][0][0]) == pytest.approx(golden["residual_variance"], rel=1e-6)


@pytest.mark.r("lme4")
def test_names_that_look_like_code_are_harmless(tmp_path: Path) -> None:
    import numpy as np
    import pandas as pd

    evil = 'x"); file.create("pwned'
    evil_level = 'a"); file.create("pwned2'
    rng = np.random.default_rng(1)
    n = 200
    frame = pd.DataFrame({"g`1": np.arange(n) // 5, evil: np.arange(n) % 5.0})
    frame["s\\x"] = np.where(np.arange(n) // 5 % 2 == 0, evil_level, "b")
    person = rng.normal(size=n // 5)[np.arange(n) // 5]
    frame["y\ny"] = person + frame[evil] + rng.normal(size=n)
    path = tmp_path / 'da"ta.csv'
    frame.to_csv(path, index=False)
    text = f"{quote('y' + chr(10) + 'y')} ~ {quote(evil)} * {quote('s' + chr(92) + 'x')}"
    model = LME4.read(f"{text} + (1 | {quote('g`1')})")
    schema = Schema(
        "g`1",
        evil,
        "y\ny",
        variables=(Variable("s\\x", "person_level", (evil_level, "b")),),
    )
    out = run_r(LME4.script(model, ScriptContext(str(path), schema=schema)), tmp_path)
    assert len(out["fixef"]) == 4
    assert np.isfinite(float(out["logLik"][0][0]))
    assert not list(tmp_path.glob("pwned*"))
