"""Expressions: one canonical spelling, whichever language they were written in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growthmm.errors import NotationError
from growthmm.model.expression import canonical, quote, spell, variables

SPELLINGS = [
    ("I(t^2)", "I(t**2)"),
    ("I( t ** 2 )", "I(t**2)"),
    ("factor(x)", "C(x)"),
    ("as.factor(x)", "C(x)"),
    ("C(x, contr.treatment)", "C(x)"),
    ("C(x, Sum)", "C(x, Sum)"),
    ("C(factor(x), contr.sum)", "C(x, Sum)"),
    ('C(x, "contr.helmert")', "C(x, Helmert)"),
    ("C(x, Treatment('b'))", 'C(x, Treatment("b"))'),
    ('relevel(factor(x), ref = "b")', 'C(x, Treatment("b"))'),
    ('relevel(x, "b")', 'C(x, Treatment("b"))'),
    ("np.power(t, 2)", "I(t**2)"),
    ("C(x, Treatment(reference=2))", "C(x, Treatment(2))"),
    ("factor(x, levels = c(3, 1, -2))", "C(x, levels=[3, 1, -2])"),
    ("poly(t, 2, raw=TRUE)", "poly(t, 2, raw=True)"),
    ("poly(t, degree = 2L, raw = T)", "poly(t, 2, raw=True)"),
    ("poly(t, 2, raw = FALSE)", "poly(t, 2)"),
    ("poly(t)", "poly(t, 1)"),
    ("scale(x, center = TRUE)", "scale(x)"),
    ("center(x)", "scale(x, scale=False)"),
    ("splines::ns(x, 3)", "ns(x, df=3)"),
    ("bs(x, df=4, Boundary.knots=c(0, 5))", "bs(x, df=4, lower_bound=0, upper_bound=5)"),
    ("np.log(x)", "log(x)"),
    ("I(pmax(t - 3, 0))", "I(maximum(t - 3, 0))"),
    ("I((t-3)/10)", "I((t - 3)/10)"),
    ("I(t / (a * b))", "I(t/(a*b))"),
    ("I(a - (b - c))", "I(a - (b - c))"),
    ("I((-t)^2)", "I((-t)**2)"),
    ("I(-t^2)", "I(-t**2)"),
    ("I(2^3^4)", "I(2**3**4)"),
    ("I((2^3)^4)", "I((2**3)**4)"),
    ("1e-3", "0.001"),
    ("2L", "2"),
    ("1e20", "1e+20"),
    ("`my column`", "`my column`"),
    ("`gpa`", "gpa"),
    ('Q("my column")', "`my column`"),
    ("`if`", "`if`"),
    ("school:child", "school:child"),
    ("I(t > 3)", "I(t > 3)"),
    ("größe", "größe"),
]


@pytest.mark.parametrize(("text", "expected"), SPELLINGS)
def test_every_spelling_has_one_canonical_form(text: str, expected: str) -> None:
    assert canonical(text) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("expression", "r", "python"),
    [
        ("I(t**2)", "I(t^2)", "I(t ** 2)"),
        ("I((t - 3)/10)", "I((t - 3)/10)", "I((t - 3) / 10)"),
        ("C(x)", "factor(x)", "C(x)"),
        ("C(x, Sum)", "C(factor(x), contr.sum)", "C(x, Sum)"),
        ('C(x, Treatment("b"))', 'relevel(factor(x), ref = "b")', 'C(x, Treatment("b"))'),
        ("log(x)", "log(x)", "np.log(x)"),
        ("scale(x)", "scale(x)", "scale(x, ddof=1)"),
        ("scale(x, scale=False)", "scale(x, scale = FALSE)", "center(x)"),
        ("bs(x, df=4)", "bs(x, df = 4)", "bs(x, df=4)"),
        ("`my column`", "`my column`", 'Q("my column")'),
        ("x.1", "x.1", 'Q("x.1")'),
        ("lambda", "lambda", 'Q("lambda")'),
        ("I(maximum(t - 3, 0))", "I(pmax(t - 3, 0))", "I(np.maximum(t - 3, 0))"),
    ],
)
def test_each_language_has_its_spelling(expression: str, r: str, python: str) -> None:
    assert spell(expression, "r") == r
    assert spell(expression, "python") == python
    assert canonical(r) == expression
    assert canonical(python, language="python") == expression


def test_scale_means_what_its_language_means() -> None:
    assert canonical("scale(x)", language="python") == "scale(x, ddof=0)"
    assert spell("scale(x, ddof=0)", "python") == "scale(x)"
    with pytest.raises(NotationError, match="R has no function"):
        spell("scale(x, ddof=0)", "r")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("I((t - t0)/10)", ("t", "t0")),
        ("C(sex, Sum)", ("sex",)),
        ('C(sex, Treatment("b"))', ("sex",)),
        ("bs(x, knots=[1, 2])", ("x",)),
        ("maximum(a, b)", ("a", "b")),
        ("`a b`:c", ("a b", "c")),
        ("2", ()),
    ],
)
def test_variables_are_columns_alone(expression: str, expected: tuple[str, ...]) -> None:
    assert variables(expression) == expected


ERRORS = [
    ("", "The text is empty (line 1, column 1)\n  \n  ^\nExpected: a formula or an expression"),
    (
        "foo(x)",
        "Unknown function foo() (line 1, column 1)\n  foo(x)\n  ^",
    ),
    (
        "I(t ~ 2)",
        "Unexpected '~' (line 1, column 5)\n  I(t ~ 2)\n      ^\nExpected: + or -, *, /, :, ^, "
        "%in%, |, a comparison, (, ), ,",
    ),
    ("I(t", "The text ends too early (line 1, column 4)\n  I(t\n     ^"),
    ("1e999", "The number 1e999 is too large (line 1, column 1)\n  1e999\n  ^"),
    ("'a", "The quote ' is never closed (line 1, column 1)\n  'a\n  ^"),
    ("a | b", "The operator | has no meaning within a factor (line 1, column 3)\n  a | b\n    ^"),
    ("x + NULL", "NULL is no column (line 1, column 5)\n  x + NULL\n      ^"),
    ("poly(t, 2.5)", "poly(): degree must be a whole number (line 1, column 9)"),
    ("poly(t, 99)", "poly(): degree must lie between 1 and 50 (line 1, column 1)"),
    ("poly(t, x)", "poly(): degree must be a whole number (line 1, column 9)"),
    ("poly(t, raw = 1)", "poly(): raw must be TRUE or FALSE (line 1, column 15)"),
    ("poly(t, 2, 2, 2)", "poly() takes at most 3 arguments, not 4 (line 1, column 1)"),
    ("poly()", "poly() lacks its argument x (line 1, column 1)"),
    ("bs(x, wrong = 1)", "bs() has no argument wrong= (line 1, column 15)"),
    ("bs(x, df = 4, knots = c(1))", "bs() takes df or knots, not both (line 1, column 1)"),
    ("bs(x, df = 4, df = 5)", "bs(): df= is given twice (line 1, column 15)"),
    ("C(x, Wrong)", "Unknown contrast (line 1, column 6)"),
    ("relevel(x)", "relevel() takes a factor and its new reference (line 1, column 1)"),
    ("relevel(x, 2)", "relevel() with a number counts levels, in the order that R has them"),
    ("C(x, levels = c(a))", "C(): levels must hold literals alone (line 1, column 17)"),
    ("I('x')", "A column or a number was expected, not a literal (line 1, column 3)"),
    ("x\n+ $", "Unexpected character '$' (line 2, column 3)\n  + $\n    ^"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_malformed_text_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        canonical(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["(" * 200 + "x" + ")" * 200, "-" * 5000 + "x", "I(" * 101])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        canonical(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "eval('1')",
        "system('id')",
        "I(x.__class__())",
        "I((lambda: 1)())",
        "`a`()",
    ],
)
def test_no_text_becomes_code(text: str) -> None:
    with pytest.raises(NotationError):
        canonical(text)


names = st.one_of(
    st.sampled_from(["t", "x", "gpa", "x.1", "if", "lambda", "T", "größe"]),
    st.text(min_size=1, max_size=8).filter(lambda s: "\0" not in s),
)


def _grow(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "**"])
    comparisons = st.sampled_from(["<", ">=", "=="])
    functions = st.sampled_from(["I", "log", "exp", "scale", "C", "sqrt"])
    return st.one_of(
        st.builds(lambda a, o, b: f"({a}) {o} ({b})", children, operators, children),
        st.builds(lambda a, o, b: f"(({a}) {o} ({b}))", children, comparisons, children),
        st.builds(lambda a, o, b: f"{a} {o} {b}", children, operators, children),
        st.builds(lambda f, a: f"{f}({a})", functions, children),
        st.builds(lambda a: f"-{a}", children),
        st.builds(lambda a, b: f"pmax({a}, {b})", children, children),
    )


expressions = st.recursive(
    st.one_of(
        names.map(quote),
        st.integers(0, 10**20).map(str),
        st.floats(0, 1e300, allow_nan=False).map(repr),
    ),
    _grow,
    max_leaves=8,
)


@given(expressions)
def test_the_canonical_form_is_its_own_in_every_language(text: str) -> None:
    form = canonical(text)
    assert canonical(form) == form
    assert canonical(spell(form, "r")) == form
    assert canonical(spell(form, "python"), language="python") == form


@given(names)
def test_any_name_survives_quoting(name: str) -> None:
    assert variables(quote(name)) == (name,)
    for language in ("r", "python"):
        assert variables(canonical(spell(quote(name), language))) == (name,)


@given(st.text(alphabet="tx12.()[],+-*/^:|~`'\"\\%<>= CIpolyTRUE\n\0e#$", max_size=40))
def test_no_text_raises_anything_but_a_notation_error(text: str) -> None:
    try:
        form = canonical(text)
    except NotationError:
        return
    assert canonical(form) == form
