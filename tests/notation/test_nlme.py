"""nlme: calls of lme() and gls() read, written, and run by R itself."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_scripts import Printed, context, model_of, ours, run
from reference import case, long_frame, reference_folder

import growthmm as gm
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.expression import canonical_tree
from growthmm.model.expression_tree import parse
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Schema
from growthmm.model.sem import Path as SemPath
from growthmm.model.sem import SemModel
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation import notation, recognise
from growthmm.notation.base import ScriptContext
from growthmm.notation.nlme.nonlinear_forms import self_started

NLME = notation("nlme")


def read(text: str) -> MixedModel:
    model = NLME.read(text)
    assert isinstance(model, MixedModel)
    return model


def term(text: str) -> Term:
    return INTERCEPT if text == "1" else Term(tuple(text.split(":")))


def block(terms: str, group: str, covariance: str = "unstructured") -> RandomBlock:
    return RandomBlock(tuple(map(term, terms.split(" + "))), group, covariance)  # type: ignore[arg-type]


def reads_back(model: MixedModel) -> str:
    """The text of a model, which must say all of it and read back as it, columns included."""
    written = NLME.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert again == model
    for name in ("time", "person"):
        told = getattr(model.residual, name)
        assert told is None or getattr(again.residual, name) == told
    assert NLME.write(again) == written
    return written.text


RANDOM = [
    ("random = ~ t | id", [block("1 + t", "id")]),
    ("random = ~ 1 | school/child", [block("1", "school"), block("1", "school:child")]),
    ("random = list(id = ~ t)", [block("1 + t", "id")]),
    ("random = list(id = pdDiag(~ t))", [block("1 + t", "id", "diagonal")]),
    ("random = list(id = pdSymm(form = ~ t - 1))", [block("t", "id")]),
    ("random = list(id = nlme::pdLogChol(~ 1))", [block("1", "id")]),
    ("random = list(id = pdIdent(~ 1))", [block("1", "id")]),
    ("random = list(id = pdIdent(~ t))", [block("1 + t", "id", "identity")]),
    ("random = list(id = pdCompSymm(~ t))", [block("1 + t", "id", "compound_symmetry")]),
    (
        "random = list(id = pdBlocked(list(pdSymm(~ 1), pdDiag(~ 0 + t + x))))",
        [block("1", "id"), block("t + x", "id", "diagonal")],
    ),
    (
        'random = list(id = pdBlocked(list(~ 1 + t, ~ x - 1), pdClass = "pdDiag"))',
        [block("1 + t", "id", "diagonal"), block("x", "id", "diagonal")],
    ),
    (
        "random = list(school = pdDiag(~ t), child = ~ t)",
        [block("1 + t", "school", "diagonal"), block("1 + t", "school:child")],
    ),
]


@pytest.mark.parametrize(("random", "blocks"), RANDOM)
def test_random_effects_are_read_and_read_back(random: str, blocks: list[RandomBlock]) -> None:
    model = read(f"lme(y ~ t + x, data = d, {random})")
    assert model.random == tuple(blocks)
    assert (model.estimator, model.data) == ("reml", "d")
    assert [d.value for d in model.defaults[:2]] == ["REML", "an error"]
    reads_back(model)


LME = "lme(y ~ t, random = ~ t | id"
GLS = "gls(y ~ t"
RESIDUALS = [
    (f"{LME})", "common", None, None),
    (f"{LME}, weights = NULL, correlation = NULL)", "common", None, None),
    (f"{LME}, weights = varIdent(form = ~ 1 | t))", "by_occasion", "t", None),
    (f"{LME}, weights = varIdent(form = ~ 1 | factor(t)))", "by_occasion", "t", None),
    (f"{LME}, weights = varIdent(c(b = 2), ~ 1 | sex))", "by_group:sex", None, None),
    (f"{LME}, weights = varIdent(~ 1 | occ))", "by_group:occ", None, None),
    (
        "lme(y ~ t, random = ~ 1 | id, weights = varIdent(form = ~ 1 | t))",
        "by_occasion",
        "t",
        None,
    ),
    (
        "lme(y ~ t + sex, random = ~ 1 | id, weights = varIdent(form = ~ 1 | sex))",
        "by_group:sex",
        None,
        None,
    ),
    (f"{LME}, correlation = corAR1(form = ~ t | id))", "ar1", "t", "id"),
    (f"{LME}, corr = corAR1(0.3, form = ~ occ | id, fixed = FALSE))", "ar1", "occ", "id"),
    (f"{LME}, correlation = corAR1())", "ar1", None, None),
    (f"{LME}, correlation = corCAR1(form = ~ t))", "ar1", "t", None),
    (f"{LME}, correlation = corExp(form = ~ t | id))", "ar1", "t", "id"),
    (f"{GLS}, correlation = corExp(form = ~ t | id, nugget = TRUE))", "ar1+common", "t", "id"),
    (f"{GLS}, correlation = corCompSymm(form = ~ 1 | id))", "cs", None, "id"),
    (
        f"{GLS}, correlation = corAR1(form = ~ t | id), weights = varIdent(form = ~ 1 | t))",
        "arh1",
        "t",
        "id",
    ),
    (
        f"{GLS}, correlation = corCompSymm(form = ~ 1 | id), weights = varIdent(~ 1 | t))",
        "csh",
        "t",
        "id",
    ),
    (
        "gls(y ~ factor(visit) * arm, correlation = corSymm(form = ~ 1 | id), "
        "weights = varIdent(form = ~ 1 | visit))",
        "unstructured",
        "visit",
        "id",
    ),
    (
        f"{GLS}, correlation = corSymm(form = ~ I(t + 1) | id), weights = varIdent(~ 1 | t))",
        "unstructured",
        "t",
        "id",
    ),
    (
        f"{GLS}, correlation = corSymm(form = ~ as.integer(factor(t)) | id), "
        "weights = varIdent(~ 1 | t))",
        "unstructured",
        "t",
        "id",
    ),
    (
        "lme(y ~ t, random = ~ t | a/b, correlation = corAR1(form = ~ t | a/b))",
        "ar1",
        "t",
        "a:b",
    ),
    ("lme(y ~ t, random = ~ 1 | a, correlation = corAR1(form = ~ t | a/b))", "ar1", "t", "a:b"),
]


@pytest.mark.parametrize(("text", "residual", "time", "person"), RESIDUALS)
def test_residuals_are_read_and_read_back(
    text: str, residual: str, time: str | None, person: str | None
) -> None:
    model = read(text)
    assert str(model.residual) == residual
    assert (model.residual.time, model.residual.person) == (time, person)
    assert recognise(text) == "nlme"
    reads_back(model)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"{LME}, correlation = corAR1())", "distance of residuals"),
        (f"{LME}, correlation = corCAR1(form = ~ t))", "correlation of residuals"),
        (f"{LME}, correlation = corAR1(form = ~ as.integer(factor(t))))", "distance of residuals"),
        (f"{LME})", "missing values"),
    ],
)
def test_what_the_program_decides_is_a_default(text: str, what: str) -> None:
    assert what in [d.what for d in read(text).defaults]


WRITTEN = [
    ("y ~ t + (t | id)", "common", "lme(y ~ t, random = ~ 1 + t | id)"),
    ("y ~ t", "common", "gls(y ~ t)"),
    (
        "y ~ t + (t || id)",
        "by_occasion",
        "lme(y ~ t, random = list(id = pdDiag(~ 1 + t)), weights = varIdent(form = ~ 1 | t))",
    ),
    (
        "y ~ t + (1 + factor(s) || id)",
        "common",
        "lme(y ~ t, random = list(id = pdBlocked(list(pdSymm(~ 1), pdSymm(~ 0 + factor(s))))))",
    ),
    (
        "y ~ t + (1 | id) + (0 + t | id)",
        "by_group:sex",
        "lme(y ~ t, random = list(id = pdBlocked(list(pdSymm(~ 1), pdSymm(~ 0 + t)))), "
        "weights = varIdent(form = ~ 1 | sex))",
    ),
    (
        "y ~ t + (t | school/child)",
        "ar1",
        "lme(y ~ t, random = ~ 1 + t | school/child, "
        "correlation = corAR1(form = ~ t | school/child))",
    ),
    (
        "y ~ t + (1 | child) + (t | child:tooth)",
        "common",
        "lme(y ~ t, random = list(child = pdSymm(~ 1), tooth = pdSymm(~ 1 + t)))",
    ),
    (
        "y ~ I(t^2) + (0 + t | id)",
        "ar1+common",
        "lme(y ~ I(t^2), random = ~ 0 + t | id, "
        "correlation = corExp(form = ~ t | id, nugget = TRUE))",
    ),
    (
        "y ~ t + (1 | id)",
        "unstructured",
        "lme(y ~ t, random = ~ 1 | id, correlation = corSymm(form = ~ as.integer(factor(t)) | id), "
        "weights = varIdent(form = ~ 1 | t))",
    ),
]


@pytest.mark.parametrize(("formula", "residual", "text"), WRITTEN)
def test_a_formula_with_residuals_is_written(formula: str, residual: str, text: str) -> None:
    assert NLME.write(model_of(formula, residual, "reml")).text == text
    by_ml = NLME.write(model_of(formula, residual, "ml"))
    assert by_ml.losses == ()
    assert by_ml.text == f'{text[:-1]}, method = "ML")'
    assert read(by_ml.text).residual == ResidualStructure.parse(residual)


@pytest.mark.parametrize(
    ("formula", "residual", "what"),
    [
        ("y ~ t + (t | id)", "toeplitz", "toeplitz residuals"),
        ("y ~ t + (t | id)", "banded:2", "banded:2 residuals"),
        ("y ~ t + x + (1 | id)", "ar1", "the column of times of residuals ar1"),
        ("y ~ t", "ar1", "the column of persons of residuals ar1"),
        ("y ~ t + (1 | a) + (1 | b)", "common", "random effects of b"),
        ("y ~ t + (1 | a:b)", "common", "random effects of a:b"),
        ("y ~ t + (1 | `my id`)", "common", "the column 'my id'"),
        ('`x"); system("id` ~ t + (1 | id)', "common", "the column 'x\"); system(\"id'"),
        ("y ~ cr(t, df = 3) + (1 | id)", "common", "cr(t, df=3)"),
    ],
)
def test_what_cannot_be_said_is_a_loss(formula: str, residual: str, what: str) -> None:
    assert what in [loss.what for loss in NLME.write(model_of(formula, residual)).losses]


SELF_STARTING = [
    ("SSasymp(x, a, b, c)", (3, 2, -0.3), (2.309548, 2.523276, 2.772735)),
    ("SSasympOff(x, a, b, c)", (3, -0.3, 0.2), (0.5978436, 1.341427, 2.209319)),
    ("SSasympOrig(x, a, b)", (3, -0.3), (0.9286446, 1.569829, 2.318204)),
    ("SSbiexp(x, a, b, c, d)", (3, -0.3, 2, 0.1), (3.222276, 2.09248, 0.9011227)),
    ("SSfpl(x, a, b, c, d)", (3, 2, 1.1, 0.4), (2.817574, 2.562177, 2.095349)),
    ("SSgompertz(x, a, b, c)", (3, 2, 0.4), (0.8467932, 1.347987, 2.178447)),
    ("SSlogis(x, a, scal = c, xmid = b)", (3, 1.1, 0.4), (0.5472766, 1.31347, 2.713952)),
    ("SSmicmen(x, a, b)", (3, 2), (0.6, 1, 1.5)),
    ("SSweibull(x, a, b, c, d)", (3, 2, -0.3, 1.2), (1.55127, 2.046553, 2.635346)),
]
"""With R 4.5's values at x of .5, 1 and 2."""


@pytest.mark.parametrize(("call", "values", "there"), SELF_STARTING, ids=lambda v: str(v)[:11])
def test_self_starting_models_are_their_formulas(
    call: str, values: tuple[float, ...], there: tuple[float, ...]
) -> None:
    written = canonical_tree(self_started(parse(call), call), call).replace("^", "**")
    names = dict(zip("abcd", values, strict=False))
    for x, value in zip((0.5, 1, 2), there, strict=True):
        assert eval(written, {"exp": math.exp, "x": x, **names}) == pytest.approx(value, rel=1e-6)


def test_an_exponential_of_a_sum_has_a_coefficient() -> None:
    head = "fixed = a + b + c + d ~ 1, random = a + b ~ 1 | id)"
    model = read(f"nlme(y ~ a + b*t - exp(c + d*t), {head}")
    assert model == read(f"nlme(y ~ a + b*t + c*(-exp(d*t)), {head}")
    assert [p.name for p in model.loading_parameters] == ["d"]
    assert "c is its logarithm" in str(model.defaults[-1])
    # Where c varies between persons, or stands elsewhere too, it is no coefficient.
    for text in (
        "nlme(y ~ a - exp(c + d*t), fixed = a + c + d ~ 1, random = a + c ~ 1 | id)",
        "nlme(y ~ a - exp(c + d*t) / c, fixed = a + c + d ~ 1, random = a ~ 1 | id)",
    ):
        with pytest.raises(NotationError, match="no linear coefficient") as caught:
            read(text)
        assert "b2*exp(g*t)" in str(caught.value)


ERRORS = [
    (
        "nlme(y ~ SSfoo(t, b0), fixed = b0 ~ 1, random = b0 ~ 1 | id)",
        "The self-starting model SSfoo() is not known (line 1, column 10)",
    ),
    (
        "nlme(y ~ SSlogis(t, b0), fixed = b0 ~ 1, random = b0 ~ 1 | id)",
        "SSlogis() has not all its arguments (line 1, column 10)",
    ),
    ("", "This is no call of lme(), gls() or nlme() (line 1, column 1)"),
    ("y ~ t", "This is no call of lme(), gls() or nlme() (line 1, column 1)"),
    ("lme()", "lme() without a formula (line 1, column 1)"),
    ("lme(y ~ t)", "lme() without random effects takes them from a groupedData object (line 1, co"),
    ("nlme(y ~ t)", "nlme() without fixed= and random= (line 1, column"),
    ("gnls(y ~ t)", "gnls() fits a nonlinear model, which is not supported (line 1, column"),
    (
        "nlme(y ~ t + b0, fixed = b0 ~ 1, random = b0 ~ 1 | id)",
        "Part of the model has no linear coefficient (line 1, column",
    ),
    (
        "nlme(y ~ b0 + b1, fixed = b0 + b1 + g ~ 1, random = b0 ~ 1 | id)",
        "The model does not use g (line 1, column",
    ),
    (
        "nlme(y ~ b0*exp(-g*t), fixed = list(b0 ~ 1, g ~ x), random = b0 ~ 1 | id)",
        "The covariates of g enter nonlinearly, which is not supported (line 1, column",
    ),
    ("lme(y ~ t + (1 | g), random = ~ 1 | g)", "lme() has no (terms | group) in its formula (line"),
    ("lme(y ~ t, random = ~ t)", "The random effects have no grouping factor (line 1, column 21)"),
    ("lme(y ~ t, random = pdDiag(~ t))", "The random effects have no grouping factor (line 1, c"),
    ("lme(y ~ t, random = list(~ t))", "The random effects have no grouping factor (line 1, colu"),
    ("lme(y ~ t, random = list())", "list() holds no random effects (line 1, column 21)"),
    ("lme(y ~ t, random = foo(~ t))", "foo() is no form of random effects (line 1, column 21)"),
    ("lme(y ~ t, random = ~ 0 | id)", "The formula has no random effects (line 1, column 21)"),
    ("lme(y ~ t, random = ~ 1 || id)", "Two bars in one random term (line 1, column 25)"),
    ("lme(y ~ t, random = y ~ 1 | id)", "A one-sided formula was expected (line 1, column 21)"),
    ("lme(y ~ t, random = list(id = pdFoo(~ t)))", "The covariance class pdFoo() is not support"),
    ("lme(y ~ t, random = list(id = pdDiag()))", "pdDiag() without a formula (line 1, column 31)"),
    ("lme(y ~ t, random = list(id = ~ t | g))", "A grouping factor within the random effects of"),
    ("lme(y ~ t, random = list(id = pdBlocked(~ t)))", "pdBlocked() holds no list of blocks (line"),
    (f"{LME}, weights = varPower())", "The variance function varPower() is not supported (line 1,"),
    (f"{LME}, weights = ~ t)", "Weights other than varIdent() are not supported (line 1, column 4"),
    (f"{LME}, weights = varIdent())", "varIdent() names no column (line 1, column 41)"),
    (f"{LME}, weights = varIdent(form = ~ t | g))", "varIdent() takes the levels of one column (l"),
    (f"{LME}, weights = varIdent(form = ~ 1 | a - b))", "The grouping factor after the bar must b"),
    (f"{LME}, weights = varIdent(~ 1 | g, fixed = 2))", "varIdent(): fixed= is not supported (lin"),
    (f"{LME}, correlation = corARMA(p = 1))", "The correlation class corARMA() is not supported ("),
    (
        f"{LME}, correlation = 0.3)",
        "The correlation is no call of a correlation class (line 1, col",
    ),
    (f"{LME}, correlation = corAR1(fixed = TRUE))", "corAR1() with fixed parameters is not suppor"),
    (
        f"{LME}, correlation = corAR1(form = ~ t * 2 | id))",
        "The covariate of corAR1() must be one ",
    ),
    (
        f"{LME}, correlation = corAR1(form = ~ t | g))",
        "The correlation is within g, the random eff",
    ),
    (
        f"{LME}, correlation = corSymm(form = ~ t | id))",
        "corSymm() with one variance for all occas",
    ),
    (
        f"{LME}, correlation = corAR1(form = ~ t | id), weights = varIdent(form = ~ 1 | sex))",
        "The variances are by sex, the correlation over t (line 1, column 80)",
    ),
    (
        f"{LME}, correlation = corExp(form = ~ t, nugget = T), weights = varIdent(~ 1 | t))",
        "corExp() with nugget = TRUE and varIdent() is not supported (line 1, column 87)",
    ),
    (f"{GLS}, correlation = corAR1(form = ~ t))", "corAR1() without a grouping factor takes all "),
    (f"{LME}, method = 'MM')", "method must be one of the strings ML, REML (line 1, column 40)"),
    (f"{LME}, subset = t > 2)", "lme(): subset= is not supported (line 1, column 40)"),
    (f"{LME}, bogus = 2)", "lme() has no argument bogus= (line 1, column 39)"),
    (f"{LME}, method = 'ML', meth = 'ML')", "method= is given twice (line 1, column 52)"),
    (f"{LME}", "The bracket ( is never closed (line 1, column 4)"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_malformed_text_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        NLME.read(text)
    assert str(caught.value).startswith(message)


@given(st.text(alphabet="ytid1 0~+-*:/|()^`'\"\\.,=#\n\0listpdDagSymcorAR1vaIentNUL", max_size=45))
def test_no_text_raises_anything_but_a_notation_error(text: str) -> None:
    for candidate in (
        f"lme({text})",
        f"lme(y ~ t, random = {text})",
        f"{LME}, weights = varIdent({text}))",
        f"{LME}, correlation = corAR1({text}))",
        f"lme(y ~ t, random = list(id = pdBlocked(list({text}))))",
    ):
        try:
            model = NLME.read(candidate)
        except NotationError:
            continue
        written = NLME.write(model)
        assert written.losses or NLME.read(written.text) == model


names = st.sampled_from(["t", "x", "sex", ".z", "größe", "a.b_c"])
factors = st.one_of(names, names.map(lambda n: f"I({n}^2)"), names.map(lambda n: f"factor({n})"))
sums = st.lists(
    st.lists(factors, min_size=1, max_size=2).map(":".join), min_size=1, max_size=3
).map(" + ".join)
sides = st.builds(lambda i, s: i + s, st.sampled_from(["", "0 + ", "1 + "]), sums)
matrices = st.one_of(
    st.builds(lambda f, s: f"{f}(~ {s})", st.sampled_from(["pdSymm", "pdDiag"]), sides),
    st.lists(st.builds(lambda s: f"pdDiag(~ {s})", sides), min_size=2, max_size=3).map(
        lambda parts: f"pdBlocked(list({', '.join(parts)}))"
    ),
)
randoms = st.one_of(
    st.builds(lambda s, g: f"~ {s} | {g}", sides, st.sampled_from(["id", "a/id"])),
    matrices.map(lambda m: f"list(id = {m})"),
    st.builds(lambda m, n: f"list(a = {m}, id = {n})", matrices, matrices),
)
residuals = st.sampled_from(
    [
        "",
        ", weights = varIdent(form = ~ 1 | x)",
        ", correlation = corAR1(form = ~ t)",
        ", correlation = corExp(form = ~ t, nugget = TRUE)",
        ", correlation = corCompSymm(), weights = varIdent(form = ~ 1 | t)",
        ", correlation = corSymm(), weights = varIdent(form = ~ 1 | t)",
    ]
)


@given(sides, randoms, residuals, st.sampled_from(["", ', method = "ML"']))
def test_text_to_model_to_text_to_model_is_the_identity(
    fixed: str, random: str, residual: str, method: str
) -> None:
    reads_back(read(f"lme(y ~ {fixed}, random = {random}{residual}{method})"))


def test_a_structural_equation_model_is_refused() -> None:
    with pytest.raises(SpecificationError, match="nlme writes mixed models"):
        NLME.write(SemModel((SemPath("y", "~~", "y"),), (), ("y",)))


SLOPE = "gpa ~ occasion + (1 + occasion | student)"
INTERCEPTS = "gpa ~ occasion + (1 | student)"
FITS = [
    (SLOPE, "common", "ml"),
    (SLOPE, "by_occasion", "ml"),
    (SLOPE, "by_occasion", "reml"),
    (SLOPE, "ar1", "ml"),
    (INTERCEPTS, "arh1", "ml"),
    ("gpa ~ occasion", "ar1+common", "ml"),
    ("gpa ~ occasion", "cs", "reml"),
    ("gpa ~ occasion", "csh", "ml"),
    ("gpa ~ occasion * sex", "unstructured", "ml"),
    ("gpa ~ occasion * sex + (occasion || student)", "by_group:sex", "ml"),
]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Printed]:
    """What R prints for each of the fits."""
    scripts = {}
    for formula, residual, estimator in FITS:
        schema = ours(formula, residual, estimator)[3]
        script = NLME.script(model_of(formula, residual, estimator), context(schema))
        scripts[f"{formula} ; {residual}, {estimator}"] = script
    return run(scripts, tmp_path_factory.mktemp("nlme"))


@pytest.mark.r("nlme")
@pytest.mark.parametrize(("formula", "residual", "estimator"), FITS)
def test_the_script_reproduces_our_estimates(
    formula: str, residual: str, estimator: str, printed: dict[str, Printed]
) -> None:
    out = printed[f"{formula} ; {residual}, {estimator}"]
    log_likelihood, estimates, errors, _ = ours(formula, residual, estimator)
    assert out.log_likelihood == pytest.approx(log_likelihood, abs=1e-5)
    for name, (value, error) in out.fixed.items():
        assert abs(value - estimates[name]) < 1e-3 * errors[name]
        assert error == pytest.approx(errors[name], rel=1e-4)
    for name, value in out.covariances.items():
        # lme stops up to 1e-4 short of the optimum in variances.
        assert value == pytest.approx(estimates.get(name, 0.0), rel=1e-3, abs=1e-6)
    for level, value in out.values("residual").items():
        assert value == pytest.approx(estimates[f"var(Residual[{level}])"], rel=1e-3)
    correlations = out.values("correlation")
    if residual in ("ar1", "arh1", "cs", "csh"):
        (value,) = correlations.values()
        assert value == pytest.approx(estimates["rho(Residual)"], rel=1e-3)
    if residual == "ar1+common":
        assert correlations["Phi"] == pytest.approx(estimates["rho(AR1)"], rel=1e-4)
        total = estimates["var(AR1)"] + estimates["var(Residual)"]
        share = estimates["var(Residual)"] / total
        assert correlations["nugget"] == pytest.approx(share, rel=1e-4)


@pytest.mark.r("nlme")
@pytest.mark.parametrize("method", ["ml", "reml"])
def test_the_script_gives_the_golden_likelihoods(method: str, printed: dict[str, Printed]) -> None:
    golden = case("A03")["mixed"][method]["logLik"]
    assert printed[f"{SLOPE} ; by_occasion, {method}"].log_likelihood == pytest.approx(
        golden, abs=1e-6
    )


@pytest.mark.r("nlme")
def test_a_script_stacks_wide_data(tmp_path: Path) -> None:
    schema = Schema(
        "student",
        "occasion",
        "gpa",
        occasions=tuple(map(float, range(6))),
        outcome_columns=tuple(f"gpa_{j}" for j in range(6)),
    )
    path = str(reference_folder() / "data" / "A_gpa_wide.csv")
    wide = ScriptContext(path, layout="wide", schema=schema)
    model = model_of(SLOPE, "ar1")
    out = run({"wide": NLME.script(model, wide)}, tmp_path)["wide"]
    assert out.log_likelihood == pytest.approx(ours(SLOPE, "ar1")[0], abs=1e-6)


def test_the_script_takes_the_continuous_structure_where_times_are_no_whole_numbers() -> None:
    schema = Schema("id", "t", "y", occasions=(0.0, 0.5, 1.5))
    script = NLME.script(model_of("y ~ t + (t | id)", "ar1"), ScriptContext(schema=schema))
    assert "corCAR1(form = ~ t | id)" in script
    assert "corAR1" not in script


@pytest.mark.parametrize(
    ("text", "formula", "residual"),
    [
        (
            "lme(gpa ~ occasion, random = ~ 1 | student, method = 'ML', "
            "weights = varIdent(form = ~ 1 | occasion))",
            INTERCEPTS,
            "by_occasion",
        ),
        (
            "gls(gpa ~ occasion * sex, weights = varIdent(form = ~ 1 | occasion), "
            "correlation = corSymm(form = ~ 1 | student))",
            "gpa ~ occasion * sex",
            "unstructured",
        ),
        (
            "lme(gpa ~ sex, random = ~ 1 | student, weights = varIdent(form = ~ 1 | sex))",
            "gpa ~ sex + (1 | student)",
            "by_group:sex",
        ),
    ],
)
def test_a_call_is_fitted_without_being_told_more(text: str, formula: str, residual: str) -> None:
    fit = gm.fit(text, long_frame("A_gpa_long.csv"))
    assert fit.log_likelihood == pytest.approx(ours(formula, residual)[0], abs=1e-8)


def test_variances_by_the_levels_of_time_are_by_occasion_in_translation() -> None:
    text = (
        "lme(gpa ~ occasion + sexmale, random = ~ 1 | student, "
        "weights = varIdent(form = ~ 1 | occasion), method = 'ML')"
    )
    assert str(read(text).residual) == "by_group:occasion"
    made = gm.translate(text, "lavaan", data=long_frame("A_gpa_long.csv"))
    assert isinstance(made.model, SemModel)
    rows = [made.model.path(f"gpa_{j}", "~~", f"gpa_{j}") for j in range(6)]
    labels = {row.parameter for row in rows if row is not None and row.free}
    assert len(labels) == 6


def test_a_latent_curve_is_translated_with_its_residuals() -> None:
    text = "i =~ 1*y_0 + 1*y_1 + 1*y_2\ny_0 ~~ y_0\ny_1 ~~ y_1\ny_2 ~~ y_2"
    made = gm.translate(text, "nlme", id="id", time="week", outcome="y", time_values=[0, 1, 2])
    assert made.text == ("lme(y ~ 1, random = ~ 1 | id, weights = varIdent(form = ~ 1 | week))")
    assert 'method = "ML"' in made.script


def test_columns_that_are_named_go_into_the_text() -> None:
    model = replace(model_of("y ~ t + x", "ar1"), estimator="reml")
    made = gm.translate(model, "nlme", id="person", time="t")
    assert made.text == "gls(y ~ t + x, correlation = corAR1(form = ~ t | person))"
