"""glmmTMB: calls read, written, and run by R itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_scripts import Printed, context, model_of, ours, run
from reference import long_frame, reference_folder

import growthmm as gm
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.expression import quote
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Schema
from growthmm.model.sem import Path as SemPath
from growthmm.model.sem import SemModel
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation import notation, recognise
from growthmm.notation.base import ScriptContext

TMB = notation("glmmtmb")


def read(text: str) -> MixedModel:
    model = TMB.read(text)
    assert isinstance(model, MixedModel)
    return model


def block(terms: str, group: str, covariance: str = "unstructured") -> RandomBlock:
    made = [INTERCEPT if t == "1" else Term(tuple(t.split(":"))) for t in terms.split(" + ")]
    return RandomBlock(tuple(made), group, covariance)  # type: ignore[arg-type]


def reads_back(model: MixedModel) -> str:
    """The text of a model, which must say all of it and read back as it, columns included."""
    written = TMB.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert again == model
    assert (again.residual.time, again.residual.person) == (
        model.residual.time,
        model.residual.person,
    )
    assert TMB.write(again) == written
    return written.text


SLOPES = block("1 + t", "id")
READ = [
    ("y ~ t + (t | id)", [SLOPES], "common", None, None),
    ("y ~ t + us(1 + t | id), dispformula = ~ 1", [SLOPES], "common", None, None),
    ("y ~ t + (t || id)", [block("1 + t", "id", "diagonal")], "common", None, None),
    ("y ~ t + diag(t | id)", [block("1 + t", "id", "diagonal")], "common", None, None),
    (
        "y ~ t + diag(0 + factor(t) | id) + (1 | id)",
        [block("C(t)", "id", "diagonal"), block("1", "id")],
        "common",
        None,
        None,
    ),
    ("y ~ t + (t | id), dispformula = ~ 0 + factor(t)", [SLOPES], "by_occasion", "t", None),
    ("y ~ t + (t | id), dispformula = ~ factor(t)", [SLOPES], "by_occasion", "t", None),
    ("y ~ t + (t | id), disp = ~ factor(occ) - 1", [SLOPES], "by_group:occ", None, None),
    ("y ~ t + x + (t | id), dispformula = ~ C(x)", [SLOPES], "by_group:x", None, None),
    ("y ~ t + (t | id) + ar1(0 + factor(occ) | id)", [SLOPES], "ar1+common", "occ", "id"),
    ("y ~ t + ou(numFactor(t) + 0 | id)", [], "ar1+common", "t", "id"),
    ("y ~ t + (t | id) + ar1(occ + 0 | id), dispformula = ~ 0", [SLOPES], "ar1", "occ", "id"),
    ("y ~ t + ar1(factor(t) - 1 | id), dispformula = ~ 0", [], "ar1", "t", "id"),
    ("y ~ t + ou(0 + numFactor(t) | id), dispformula = ~ 0", [], "ar1", "t", "id"),
    ("y ~ t + hetar1(0 + factor(t) | id), dispformula = ~ 0", [], "arh1", "t", "id"),
    ("y ~ t + homcs(0 + factor(t) | id), dispformula = ~ 0", [], "cs", "t", "id"),
    ("y ~ t + cs(0 + factor(t) | id), dispformula = ~ 0", [], "csh", "t", "id"),
    ("y ~ t + homtoep(0 + factor(t) | id), dispformula = ~ 0", [], "toeplitz", "t", "id"),
    ("y ~ t + us(0 + factor(t) | id), dispformula = ~ 0", [], "unstructured", "t", "id"),
    ("y ~ t + (0 + factor(t) | id), dispformula = ~ 0", [], "unstructured", "t", "id"),
    ("y ~ (t | id) + diag(0 + factor(t) | id), dispf = ~ 0", [SLOPES], "by_occasion", "t", None),
    ("y ~ (t | id) + homdiag(0 + factor(t) | id), disp = ~ 0", [SLOPES], "common", None, None),
    ("y ~ t + ar1(0 + factor(t) | s:id), dispformula = ~ 0", [], "ar1", "t", "s:id"),
]  # fmt: skip


@pytest.mark.parametrize(("inside", "blocks", "residual", "time", "person"), READ)
def test_calls_are_read_and_read_back(
    inside: str, blocks: list[RandomBlock], residual: str, *, time: str | None, person: str | None
) -> None:
    text = f"glmmTMB({inside}, data = d)"
    model = read(text)
    assert model.random == tuple(blocks)
    assert str(model.residual) == residual
    assert (model.residual.time, model.residual.person) == (time, person)
    assert (model.estimator, model.data) == ("ml", "d")
    assert model.defaults[0].value == "ML"
    assert recognise(text) == "glmmtmb"
    reads_back(model)


@pytest.mark.parametrize(
    ("rest", "estimator"),
    [
        ("REML = TRUE", "reml"),
        ("REML = FALSE", "ml"),
        ("family = gaussian, ziformula = ~ 0", "ml"),
        ('family = gaussian(link = "identity")', "ml"),
        ("family = gaussian()", "ml"),
        ("family = 'gaussian', control = glmmTMBControl(a = 1)", "ml"),
        ("weights = NULL, map = NULL", "ml"),
    ],
)
def test_further_arguments(rest: str, estimator: str) -> None:
    model = read(f"m <- glmmTMB::glmmTMB(y ~ t + (1 | id), d, {rest})")
    assert (model.estimator, model.random) == (estimator, (block("1", "id"),))
    reads_back(model)


WRITTEN = [
    ("common", "y ~ t + (1 + t | id)"),
    ("by_occasion", "y ~ t + (1 + t | id), dispformula = ~ 0 + factor(t)"),
    ("by_group:sex", "y ~ t + (1 + t | id), dispformula = ~ 0 + factor(sex)"),
    ("ar1", "y ~ t + (1 + t | id) + ar1(0 + factor(t) | id), dispformula = ~ 0"),
    ("ar1+common", "y ~ t + (1 + t | id) + ar1(0 + factor(t) | id)"),
    ("arh1", "y ~ t + (1 + t | id) + hetar1(0 + factor(t) | id), dispformula = ~ 0"),
    ("cs", "y ~ t + (1 + t | id) + homcs(0 + factor(t) | id), dispformula = ~ 0"),
    ("csh", "y ~ t + (1 + t | id) + cs(0 + factor(t) | id), dispformula = ~ 0"),
    ("toeplitz", "y ~ t + (1 + t | id) + homtoep(0 + factor(t) | id), dispformula = ~ 0"),
    ("unstructured", "y ~ t + (1 + t | id) + us(0 + factor(t) | id), dispformula = ~ 0"),
]


@pytest.mark.parametrize(("residual", "inside"), WRITTEN)
def test_a_formula_with_residuals_is_written(residual: str, inside: str) -> None:
    model = model_of("y ~ t + (t | id)", residual)
    assert TMB.write(model).text == f"glmmTMB({inside})"
    assert TMB.write(replace(model, estimator="reml")).text == f"glmmTMB({inside}, REML = TRUE)"
    assert read(f"glmmTMB({inside})") == model


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("y ~ t", "glmmTMB(y ~ t)"),
        ("y ~ t + (t || id)", "glmmTMB(y ~ t + diag(1 + t | id))"),
        ("y ~ (1 + factor(s) || id)", "glmmTMB(y ~ 1 + (1 | id) + (0 + factor(s) | id))"),
        ("y ~ (1 | a/b)", "glmmTMB(y ~ 1 + (1 | a) + (1 | a:b))"),
    ],
)
def test_random_effects_are_written(formula: str, text: str) -> None:
    assert TMB.write(model_of(formula, "common")).text == text


@pytest.mark.parametrize(
    ("formula", "residual", "what"),
    [
        ("y ~ t + (t | id)", "banded:2", "banded:2 residuals"),
        ("y ~ t + x + (1 | id)", "ar1", "the column of times of residuals ar1"),
        ("y ~ t + x + (1 | id)", "cs", "the column of times of residuals cs"),
        ("y ~ t", "unstructured", "the column of persons of residuals unstructured"),
    ],
)
def test_what_cannot_be_said_is_a_loss(formula: str, residual: str, what: str) -> None:
    assert what in [loss.what for loss in TMB.write(model_of(formula, residual)).losses]


ERRORS = [
    ("y ~ t", "This is no call of glmmTMB() (line 1, column 1)"),
    ("glmmTMB()", "glmmTMB() without a formula (line 1, column 1)"),
    ("glmmTMB(y ~ t, family = poisson)", "The family poisson is not supported (line 1, column 25)"),
    ("glmmTMB(y ~ t, family = gaussian('log'))", "The family gaussian('log') is not supported (l"),
    ("glmmTMB(y ~ t, ziformula = ~ 1)", "Zero inflation is not supported (line 1, column 27)"),
    ("glmmTMB(y ~ t, weights = w)", "glmmTMB(): weights= is not supported (line 1, column 26)"),
    ("glmmTMB(y ~ t, map = list(theta = 1))", "glmmTMB(): map= is not supported (line 1, column 2"),
    ("glmmTMB(y ~ t, bogus = 1)", "glmmTMB() has no argument bogus= (line 1, column 24)"),
    ("glmmTMB(y ~ t, dispformula = ~ x)", "dispformula = ~ x is log-linear in x where it is a nu"),
    ("glmmTMB(y ~ t, dispformula = ~ a + b)", "A dispersion formula other than the levels of one"),
    ("glmmTMB(y ~ t, dispformula = ~ (1 | g))", "A random term within another term (line 1, colu"),
    ("glmmTMB(y ~ t + (1 | id), dispformula = ~ 0)", "dispformula = ~ 0 leaves the model without"),
    ("glmmTMB(y ~ rr(t | id, d = 2))", "The covariance structure rr() of a random term is not su"),
    ("glmmTMB(y ~ t + ar1(t))", "ar1() holds no random term (line 1, column 17)"),
    ("glmmTMB(y ~ t + cs(0 + factor(t) | id))", "cs() beside a residual variance is not supported"),
    ("glmmTMB(y ~ t + ar1(factor(t) | id))", "ar1() over anything but the levels of one column i"),
    ("glmmTMB(y ~ t + cs(1 + t | id), dispformula = ~ 0)", "cs() over anything but the levels of"),
    (
        "glmmTMB(y ~ t + toep(0 + factor(t) | id), dispformula = ~ 0)",
        "toep() with a variance for each occasion is not supported (line 1, column 17)",
    ),
    (
        "glmmTMB(y ~ ar1(0 + factor(t) | id) + ar1(0 + factor(t) | g))",
        "2 covariance functions over occasions in one model (line 1, column 39)",
    ),
    (
        "glmmTMB(y ~ ar1(0 + factor(t) | id) + cs(0 + factor(t) | g), dispformula = ~ 0)",
        "dispformula = ~ 0 with 2 terms that could be the residuals (line 1, column 75)",
    ),
    (
        "glmmTMB(y ~ ar1(0 + factor(t) | id), dispformula = ~ factor(t))",
        "ar1() beside residual variances by a column is not supported (line 1, column 13)",
    ),
    ("glmmTMB(y ~ t - ar1(0 + factor(t) | id))", "A random term is taken away (line 1, column 17)"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_malformed_text_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        TMB.read(text)
    assert str(caught.value).startswith(message)


@given(st.text(alphabet="ytid1 0~+-*:/|()^`'\"\\.,=#\n\0factordispulm gausREMLT", max_size=45))
def test_no_text_raises_anything_but_a_notation_error(text: str) -> None:
    for candidate in (
        f"glmmTMB({text})",
        f"glmmTMB(y ~ t + ar1({text}))",
        f"glmmTMB(y ~ t + (1 | id), dispformula = ~ {text})",
        f"glmmTMB(y ~ t + ar1(0 + factor(t) | id), {text})",
    ):
        try:
            model = TMB.read(candidate)
        except NotationError:
            continue
        written = TMB.write(model)
        assert written.losses or TMB.read(written.text) == model


HOSTILE = 'x"); system("id'
columns = st.one_of(
    st.sampled_from(["t", "x", "my column", "a`b", HOSTILE, "TRUE", "größe", "a\\"]),
    st.text(min_size=1, max_size=6).filter(lambda s: "\0" not in s),
).map(quote)
factors = st.one_of(
    columns, columns.map(lambda c: f"I({c}^2)"), columns.map(lambda c: f"factor({c})")
)
sums = st.lists(
    st.lists(factors, min_size=1, max_size=2).map(":".join), min_size=1, max_size=3
).map(" + ".join)
bars = st.builds(
    lambda f, i, s, g: f"{f}({i}{s} | {g})",
    st.sampled_from(["", "us", "diag"]),
    st.sampled_from(["1 + ", "0 + t + "]),
    sums,
    columns,
)


@given(columns, sums, st.lists(bars, max_size=2), st.sampled_from(READ), st.booleans())
def test_text_to_model_to_text_to_model_is_the_identity(
    response: str, fixed: str, random: list[str], example: tuple[str, ...], reml: bool
) -> None:
    right, _, rest = example[0].removeprefix("y ~ ").partition(", ")
    formula = f"{response} ~ {' + '.join([fixed, *random, right])}"
    more = f", {rest}" if rest else ""
    reads_back(read(f"glmmTMB({formula}{more}, REML = {'TRUE' if reml else 'FALSE'})"))


def test_a_structural_equation_model_is_refused() -> None:
    with pytest.raises(SpecificationError, match="glmmTMB writes mixed models"):
        TMB.write(SemModel((SemPath("y", "~~", "y"),), (), ("y",)))


def test_the_script_takes_distances_into_account_where_occasions_are_unequally_far_apart() -> None:
    model = model_of("y ~ t + (t | id)", "ar1")
    uneven = ScriptContext(schema=Schema("id", "t", "y", occasions=(0.0, 1.0, 3.0)))
    assert "ou(0 + numFactor(t) | id)" in TMB.script(model, uneven)
    even = ScriptContext(schema=Schema("id", "t", "y", occasions=(0.0, 2.0, 4.0)))
    assert "ar1(0 + factor(t) | id)" in TMB.script(model, even)


def test_the_script_stops_where_the_program_is_too_old() -> None:
    script = TMB.script(model_of("y ~ t + (t | id)", "arh1"), ScriptContext())
    assert 'packageVersion("glmmTMB") >= "1.1.12"' in script


SLOPE = "gpa ~ occasion + (1 + occasion | student)"
INTERCEPTS = "gpa ~ occasion + (1 | student)"
FITS = [
    (SLOPE, "common", "reml"),
    (SLOPE, "by_occasion", "ml"),
    (SLOPE, "ar1", "ml"),
    (INTERCEPTS, "ar1", "ml"),
    ("gpa ~ occasion", "ar1+common", "ml"),
    ("gpa ~ occasion", "cs", "ml"),
    ("gpa ~ occasion * sex", "csh", "ml"),
    ("gpa ~ occasion", "unstructured", "ml"),
    ("gpa ~ occasion * sex + (occasion || student)", "by_group:sex", "ml"),
]
SLOW = [("gpa ~ occasion", "toeplitz", "ml"), (SLOPE, "ar1+common", "ml")]


def printed_for(fits: list[tuple[str, str, str]], folder: Path) -> dict[str, Printed]:
    scripts = {}
    for formula, residual, estimator in fits:
        schema = ours(formula, residual, estimator)[3]
        script = TMB.script(model_of(formula, residual, estimator), context(schema))
        scripts[f"{formula} ; {residual}, {estimator}"] = script
    return run(scripts, folder)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Printed]:
    """What R prints for each of the fits."""
    return printed_for(FITS, tmp_path_factory.mktemp("glmmtmb"))


def check(formula: str, residual: str, estimator: str, out: Printed) -> None:
    log_likelihood, estimates, errors, _ = ours(formula, residual, estimator)
    assert out.log_likelihood == pytest.approx(log_likelihood, abs=1e-5)
    for name, (value, error) in out.fixed.items():
        assert abs(value - estimates[name]) < 1e-3 * errors[name]
        # Its information is the observed one, ours the expected.
        assert error == pytest.approx(errors[name], rel=5e-3)
    for name, value in out.covariances.items():
        if name in estimates:
            assert value == pytest.approx(estimates[name], rel=1e-3, abs=1e-6)
    for level, value in out.values("residual").items():
        assert value == pytest.approx(estimates[f"var(Residual[{level}])"], rel=1e-3)


@pytest.mark.r("glmmTMB")
@pytest.mark.parametrize(("formula", "residual", "estimator"), FITS)
def test_the_script_reproduces_our_estimates(
    formula: str, residual: str, estimator: str, printed: dict[str, Printed]
) -> None:
    out = printed[f"{formula} ; {residual}, {estimator}"]
    check(formula, residual, estimator, out)
    estimates = ours(formula, residual, estimator)[1]
    if residual in ("cs", "ar1") and "|" not in formula:
        first = out.covariances["var(factor(occasion)0|student)"]
        assert first == pytest.approx(estimates["var(Residual)"], rel=1e-4)
    if residual == "unstructured":
        for a in range(6):
            for b in range(a + 1):
                inner = f"factor(occasion){b},factor(occasion){a}|student"
                name = f"var(factor(occasion){a}|student)" if a == b else f"cov({inner})"
                own = f"var(Residual[{a}])" if a == b else f"cov(Residual[{b}],Residual[{a}])"
                assert out.covariances[name] == pytest.approx(estimates[own], rel=1e-3)


@pytest.mark.r("glmmTMB")
@pytest.mark.nightly
def test_the_script_reproduces_our_estimates_where_it_takes_long(tmp_path: Path) -> None:
    out = printed_for(SLOW, tmp_path)
    for formula, residual, estimator in SLOW:
        check(formula, residual, estimator, out[f"{formula} ; {residual}, {estimator}"])


@pytest.mark.r("glmmTMB")
def test_hostile_names_are_names_to_the_program(tmp_path: Path) -> None:
    frame = long_frame("A_gpa_long.csv").rename(
        columns={"occasion": HOSTILE, "student": "my id", "gpa": "a`b"}
    )
    path = tmp_path / 'd") ; q(.csv'
    frame.to_csv(path, index=False)
    model = model_of(f"{quote('a`b')} ~ {quote(HOSTILE)} + (1 | `my id`)", "by_occasion")
    model = replace(model, residual=ResidualStructure("by_occasion", time=HOSTILE))
    out = run({"names": TMB.script(model, ScriptContext(str(path)))}, tmp_path)["names"]
    assert out.log_likelihood == pytest.approx(ours(INTERCEPTS, "by_occasion")[0], abs=1e-5)


def test_a_call_is_fitted_without_being_told_more() -> None:
    text = "glmmTMB(gpa ~ occasion * sex + cs(0 + factor(occasion) | student), dispformula = ~ 0)"
    fit = gm.fit(text, long_frame("A_gpa_long.csv"))
    expected = ours("gpa ~ occasion * sex", "csh")[0]
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-8)


def test_indicators_with_variances_of_their_own_are_residual_variances() -> None:
    text = "glmmTMB(gpa ~ occasion + (occasion | student) + diag(0 + factor(occasion) | student))"
    made = gm.translate(text, "lavaan", data=long_frame("A_gpa_long.csv"))
    assert isinstance(made.model, SemModel)
    labels = {row.parameter for row in made.model.paths if row.left == row.right and row.free}
    assert len(labels) == 8


def test_a_latent_curve_is_translated_as_the_model_alone() -> None:
    reference_folder()
    text = "i =~ 1*y_0 + 1*y_1 + 1*y_2\ny_0 ~~ y_0\ny_1 ~~ y_1\ny_2 ~~ y_2"
    made = gm.translate(text, "glmmtmb", id="id", time="week", outcome="y", time_values=[0, 1, 2])
    assert made.text == "glmmTMB(y ~ 1 + (1 | id), dispformula = ~ 0 + factor(week))"
    assert "REML = FALSE" in made.script
