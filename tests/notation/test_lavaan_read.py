"""Reading lavaan: tables without R, calls, and what malformed text is told."""

from __future__ import annotations

from contextlib import suppress

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from growthmm.errors import NotationError
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.notation.lavaan.read import read

LINEAR = "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2"


def free(model: SemModel) -> list[str]:
    return [path.name for path in model.paths if path.free]


def fixed(model: SemModel) -> dict[str, float | None]:
    return {path.name: path.value for path in model.paths if not path.free}


def test_growth_fills_in_what_lavaan_does() -> None:
    model = read(LINEAR + "\ni + s ~ x")
    moments = ["y0~~y0", "y1~~y1", "y2~~y2", "i~~i", "s~~s", "i~~s", "i~1", "s~1"]
    assert free(model) == ["i~x", "s~x", *moments]
    assert fixed(model)["y0~1"] == 0.0
    assert model.covariates == ("x",)
    assert model.outcomes == ("y0", "y1", "y2")
    assert model.latent == ("i", "s")
    path = model.path("i", "~~", "s")
    assert path is not None
    assert path.rule.startswith("growth(): endogenous variables covary")
    assert model.defaults[0].what == "function"


def test_cfa_frees_intercepts_and_not_means() -> None:
    model = read(LINEAR, "cfa")
    assert "y0~1" in free(model)
    assert fixed(model)["i~1"] == 0.0


def test_random_covariates_of_growth_have_mean_zero() -> None:
    model = read(f"growth('{LINEAR}\ni ~ x + z', fixed.x = FALSE)")
    assert model.covariates == ()
    assert model.outcomes == ("y0", "y1", "y2", "x", "z")
    assert fixed(model)["x~1"] == 0.0
    assert {"x~~x", "x~~z", "z~~z"} <= set(free(model))


def test_a_covariate_with_a_mean_of_its_own_is_random() -> None:
    model = read(LINEAR + "\ni ~ x + z\nx ~ 1")
    assert model.covariates == ("z",)
    assert "x~~z" not in [path.name for path in model.paths]


def test_a_label_that_is_fixed_once_is_fixed_everywhere() -> None:
    model = read("f =~ a*y0 + a*y1 + y2")
    assert fixed(model)["f=~y1"] == 1.0


def test_equal_names_the_parameter_of_a_row() -> None:
    model = read('f =~ y0 + equal("f=~y2")*y1 + y2')
    assert model.free_parameters.count("f=~y2") == 1
    assert [p.parameter for p in model.paths if p.op == "=~" and p.free] == ["f=~y2"] * 2


def test_bounds_starts_and_labels_of_one_term() -> None:
    path = read(LINEAR + "\ns ~~ v*s + lower(0)*s + start(0.5)*s").path("s", "~~", "s")
    assert path is not None
    assert (path.label, path.lower, path.upper, path.start) == ("v", 0.0, None, 0.5)


def test_groups_from_vectors() -> None:
    model = read("f =~ c(1, NA)*y0 + c(a, b)*y1 + y2\nf ~ c(0, NA)*1")
    assert model.n_groups == 2
    assert [p.label for p in model.paths if p.name.startswith("f=~y1")] == ["a", "b"]
    assert fixed(model)["f~1"] == 0.0
    assert "f~1.g2" in free(model)


def test_groups_of_a_call_without_a_number_stay_one() -> None:
    model = read(f'growth("{LINEAR}", group = "sex", group.equal = "residuals")')
    assert (model.n_groups, model.group_variable) == (1, "sex")
    path = model.path("y0", "~~", "y0")
    assert path is not None
    assert path.label == "y0~~y0"


def test_a_program_with_an_assignment() -> None:
    model = read(
        "library(lavaan)\n"
        "# a growth model\n"
        "m <- '\n  i =~ 1*y0 + 1*y1  # intercept\n  s =~ 0*y0 + 1*y1; y0 ~~ v*y0\n'\n"
        'fit <- lavaan::growth(m, data = d, missing = "fiml", information = "observed",\n'
        "              estimator = 'ML', likelihood = 'normal', se = 'standard')\n"
        "summary(fit)\n"
    )
    assert (model.missing, model.information, model.data) == ("ml", "observed", "d")
    assert model.latent == ("i", "s")


def test_robust_estimators_are_ml_with_a_note() -> None:
    model = read(f'cfa("{LINEAR}", d, estimator = "MLR")')
    assert model.estimator == "ml"
    assert any(row.what == "standard errors" for row in model.defaults)


def test_escapes_in_the_model_string() -> None:
    model = read('growth("f =~ y0 + equal(\\"f=~y2\\")*y1 + y2\\nf ~ x", d)')
    assert model.covariates == ("x",)


def test_unicode_names_and_tilde() -> None:
    assert read("größe =~ 1*y.0 + 1*y_1\ngröße \u02dc x").latent == ("größe",)


def test_the_notation_is_found_by_its_call() -> None:
    from growthmm.notation import recognise

    assert recognise(f"growth('{LINEAR}', data = d)") == "lavaan"
    assert recognise(LINEAR) == "lavaan"
    assert notation("lavaan").read(LINEAR) == read(LINEAR)


MALFORMED = {
    "": ("The text holds no model.", 1, 1),
    "y0 y1": ("There is no operator in this line.", 1, 1),
    "f =~ y0 y1": ("Did not expect 'y1' here.", 1, 9),
    "f =~ y0\nf ~ ": ("Nothing stands after ~.", 2, 4),
    "=~ y0": ("Nothing stands before =~.", 1, 1),
    "f =~ y0 +": ("The statement stops short.", 1, 10),
    "f =~ y0 - y1": ("Did not expect '-' here.", 1, 9),
    "f =~ y0 @ y1": ("The character '@' has no meaning here.", 1, 9),
    "f =~ 2*a*y0": ("The modifier 2*a mixes numbers and names (a).", 1, 6),
    "f =~ c(1, a)*y0": ("c(1, a) mixes numbers and labels.", 1, 6),
    "f =~ c(1, 2)*y0 + c(1, 2, 3)*y1": ("A modifier of f=~y0 has 2 values", 1, 14),
    "f =~ 1*y0 + 2*y0": ("The term has two modifiers of the kind 'fixed'.", 1, 15),
    "f =~ y0\nf =~ a*y0": ("f =~ y0 is written twice.", 2, 8),
    "f ~~ y0\ny0 ~~ f": ("y0 ~~ f is written twice.", 2, 7),
    "f =~ f": ("f cannot measure itself.", 1, 6),
    "f =~ 3": ("The number 3 stands where a variable should.", 1, 6),
    "f =~ foo(1)*y0": ("There is no modifier foo().", 1, 6),
    "f =~ (1/0)*y0": ("1/0 is no number", 1, 7),
    "f =~ 1e999*y0": ("The number 1e999 is too large.", 1, 6),
    "if =~ y0": ("if is a reserved word of R.", 1, 1),
    "f =~ `a b`": ("lavaan takes no quoted name that is not a plain one: `a b`.", 1, 6),
    "f =~ y0\nlevel: 1": ("Formulas stand before the first level.", 2, 1),
    "group: 1\nf =~ y0": ("Blocks (group:) are not supported.", 1, 1),
    "y0 | t1": ("Thresholds of ordered variables (|) are not supported.", 1, 4),
    "f <~ y0": ("Formative factors (<~) are not supported.", 1, 3),
    "y0 ~*~ y0": ("Scaling factors of ordered variables (~*~) are not supported.", 1, 4),
    "y0 ~ x:z": ("The interaction x:z is not supported.", 1, 6),
    'efa("a")*f =~ y0': ("Exploratory factors (efa) before the operator is not supported.", 1, 1),
    "f =~ y0\na == 1": ("The label a stands at no parameter.", 2, 1),
    "f =~ y0 + a*y1\na <= 1": ("lavaan has no operator <=.", 2, 3),
    "f =~ y0 + a*y1\nb := foo(a)": ("The function foo() with 1 arguments", 2, 6),
    "f =~ y0 + a*y1\nb := a\nb := a": ("b is defined twice.", 3, 1),
    "a == 1": ("The text has constraints, but no formula.", 1, 1),
    "growth(m)": ("The text of the model 'm' is not here.", 1, 8),
    "growth('f =~ y0', d": ("This parenthesis is never closed.", 1, 7),
    "growth('f =~ y0": ("This string is never closed.", 1, 8),
    "growth('f =~ y0 y1', d)": ("Did not expect 'y1' here.", 1, 17),
    "growth()": ("growth() is called without a model.", 1, 1),
    "growth('f=~y0', ordered = TRUE)": ("The argument ordered is not supported.", 1, 27),
    "growth('f=~y0', estimator = 'WLSMV')": ("estimator = 'WLSMV' is not supported.", 1, 29),
    "growth('f=~y0', mising = 'ml')": ("The argument mising of growth() is not known.", 1, 26),
    "growth('f=~y0', int.ov.free = TRUE)": ("growth() sets int.ov.free itself", 1, 31),
    "growth('f=~y0', cluster = 'id')": ('cluster = "id" without levels', 1, 27),
    "growth('f=~y0')\ncfa('f=~y0')": ("The text fits two models.", 2, 1),
    "foo('x'); growth('f=~y0')": ("The function foo() is none that growthmm reads.", 1, 1),
}


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_text_is_told_where_and_what(text: str) -> None:
    message, line, column = MALFORMED[text]
    with pytest.raises(NotationError) as caught:
        read(text)
    assert caught.value.message.startswith(message.removesuffix(".")), caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


FRAGMENTS = st.sampled_from(
    [
        *("f", "y0", "y1", "a", "x", "1", "0", "0.5", "-1", "NA", "c(", ")", "start(", "equal("),
        *('"f=~y1"', "=~", "~", "~~", ":=", "==", "<", ">", "+", "*", "/", "^", "-", ",", ";"),
        *("\n", " ", "#", "!", ":", "|", "%", "?", "'", '"', "(", "`", "\\", "é", "\0"),
        *("growth(", "model", "<-", "data = d"),
    ]
)


@settings(max_examples=examples(75, 300))
@given(st.one_of(st.lists(FRAGMENTS, max_size=25).map("".join), st.text(max_size=60)))
def test_no_text_raises_anything_but_a_notation_error(text: str) -> None:
    model = None
    with suppress(NotationError):
        model = read(text)
    assert model is None or model.latent or model.outcomes


@pytest.mark.parametrize(
    "text",
    [
        "f =~ " + "sqrt(" * 3000 + "1" + ")" * 3000 + "*y0",
        "f =~ " + "-" * 5000 + "1*y0",
        "f =~ y0 + a*y1\nb := " + "2^" * 5000 + "a",
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(NotationError, match="nested too deeply"):
        read(text)


GROUPED = [
    "f =~ y0 + a*y1 + y2\nf ~ x",
    'i =~ 1*y0 + 1*y1\ny0 ~~ equal("y1~~y1")*y0',
    "f =~ 1*y0 + y1 + start(2)*y2 + lower(0)*y2",
]


@pytest.mark.parametrize("text", GROUPED)
@pytest.mark.parametrize("equal", ["", ', group.equal = c("loadings", "residuals", "means")'])
def test_groups_that_only_the_data_know_are_those_of_the_call(text: str, equal: str) -> None:
    from growthmm.notation.sem.groups import with_groups

    bare = read(f"growth('{text}', group = 'sex'{equal})")
    named = read(f"growth('{text}', group = 'sex', group.label = c('f', 'm'){equal})")
    expanded = with_groups(bare, ("f", "m"))
    for path, other in zip(expanded.paths, named.paths, strict=True):
        assert (path.name, path.parameter, path.value) == (
            other.name,
            other.parameter,
            other.value,
        )


def test_groups_of_the_text_and_of_the_data_must_agree() -> None:
    from growthmm.errors import SpecificationError
    from growthmm.notation.sem.groups import with_groups

    with pytest.raises(SpecificationError, match="written for 2 groups, the data have 3"):
        with_groups(read("f =~ c(1, 1)*y0 + c(a, b)*y1"), ("a", "b", "c"))
