"""Design columns against R's model.matrix, and against what evaluation promises."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from growthmm.data.design.binding import bind_columns
from growthmm.data.design.contrasts import contrast_matrix
from growthmm.data.design.evaluation import evaluate, evaluate_columns
from growthmm.data.design.names import patsy_name, r_name
from growthmm.errors import ColumnNotFoundError, DataError, UnboundError, ValueColumnError
from growthmm.model.expression import canonical
from growthmm.model.schema import Column, Schema, Variable
from growthmm.model.terms import INTERCEPT, Term


def terms_of(*texts: str) -> list[Term]:
    """``"1"`` is the intercept, ``"t:x"`` a product; commas within calls stay."""
    return [INTERCEPT if t == "1" else Term(tuple(t.split(":"))) for t in texts]


def schema_of(bound: object, occasions: tuple[float, ...] = ()) -> Schema:
    return Schema(
        "id",
        "t",
        "y",
        occasions,
        tuple(Variable(n, "time_varying", v) for n, v in bound.levels),  # type: ignore[attr-defined]
        bound.constants,  # type: ignore[attr-defined]
    )


def matrix(frame: object, *texts: str) -> tuple[list[str], np.ndarray]:
    bound = bind_columns(terms_of(*texts), frame)
    data = frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()  # type: ignore[attr-defined]
    values = evaluate(bound.columns, data, schema_of(bound))
    return [r_name(c) for c in bound.columns], values


@pytest.fixture
def frame() -> pd.DataFrame:
    n = 24
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(6), 4),
            "t": np.tile([0.0, 1.0, 2.0, 3.5], 6),
            "x": np.round(np.sin(np.arange(n) * 1.7) * 3 + 4, 3),
            "sex": np.where(np.arange(n) // 4 % 2 == 0, "male", "female"),
            "g": np.array(["b", "a", "c"])[np.arange(n) % 3],
            "flag": np.arange(n) % 5 > 2,
            "week": np.tile([1, 2, 3, 10], 6),
        }
    )


IN_R = [
    ("~ t*sex", ("1", "t", "sex", "t:sex")),
    ("~ 0 + t*sex", ("t", "sex", "t:sex")),
    ("~ 0 + sex*factor(week)", ("sex", "C(week)", "sex:C(week)")),
    ("~ sex:g", ("1", "sex:g")),
    ("~ t:g", ("1", "t:g")),
    ("~ t + t:g", ("1", "t", "t:g")),
    ("~ 0 + t + sex + t:g", ("t", "sex", "t:g")),
    ("~ sex*g*t - sex", ("1", "g", "t", "sex:g", "sex:t", "g:t", "sex:g:t")),
    ("~ flag*t", ("1", "flag", "t", "flag:t")),
    ("~ 0 + flag + sex:g:flag", ("flag", "flag:sex:g")),
    ("~ poly(t, 2)*sex", ("1", "poly(t, 2)", "sex", "poly(t, 2):sex")),
    ("~ poly(t, 3)", ("1", "poly(t, 3)")),
    ("~ poly(x, 1)", ("1", "poly(x, 1)")),
    ("~ poly(t, 3, raw = TRUE)", ("1", "poly(t, 3, raw=True)")),
    ("~ scale(x)", ("1", "scale(x)")),
    ("~ scale(x, center = FALSE)", ("1", "scale(x, center=False)")),
    ("~ scale(x, scale = FALSE)", ("1", "scale(x, scale=False)")),
    ("~ ns(x, df = 3)", ("1", "ns(x, df=3)")),
    ("~ ns(t, df = 1)", ("1", "ns(t, df=1)")),
    ("~ 0 + ns(x, knots = c(3, 5), intercept = TRUE)",
     ("ns(x, knots=[3, 5], include_intercept=True)",)),
    ("~ ns(x, df = 3, Boundary.knots = c(2, 6))",
     ("1", "ns(x, df=3, lower_bound=2, upper_bound=6)")),
    ("~ bs(x, df = 5)", ("1", "bs(x, df=5)")),
    ("~ bs(x, knots = c(3, 5.5), degree = 2)", ("1", "bs(x, knots=[3, 5.5], degree=2)")),
    ("~ C(factor(g), contr.sum)*t", ("1", "C(g, Sum)", "t", "C(g, Sum):t")),
    ("~ C(factor(g), contr.helmert)", ("1", "C(g, Helmert)")),
    ("~ C(factor(week), contr.poly)", ("1", "C(week, Poly)")),
    ('~ relevel(factor(g), ref = "b")*t', ("1", 'C(g, Treatment("b"))', "t",
                                           'C(g, Treatment("b")):t')),
    ('~ factor(g, levels = c("c", "a", "b"))', ("1", 'C(g, levels=["c", "a", "b"])')),
    ("~ I(t > 1)*sex", ("1", "I(t > 1)", "sex", "I(t > 1):sex")),
    ("~ I(pmax(t - 2, 0)) + I((t - 3)/10) + log(x) + sqrt(x) + I(x^3)",
     ("1", "I(maximum(t - 2, 0))", "I((t - 3)/10)", "log(x)", "sqrt(x)", "I(x**3)")),
    ("~ I(t^2):scale(x)", ("1", "I(t**2):scale(x)")),
]  # fmt: skip


@pytest.mark.r("splines")
def test_columns_and_their_names_are_those_of_model_matrix(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    formulas = ", ".join(formula for formula, _ in IN_R)
    # A missing row of another column takes no part in the constants that R computes.
    code = f"""
    library(splines); options(warn = -1)
    d <- read.csv("{path}"); d$flag <- d$flag == "True"
    for (f in list({formulas})) {{
      m <- model.matrix(f, d)
      cat(colnames(m), sep = "\\t"); cat("\\n")
      cat(sprintf("%.17g", m), sep = "\\t"); cat("\\n")
    }}"""
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True
    )
    lines = done.stdout.strip("\n").split("\n")
    assert len(lines) == 2 * len(IN_R)
    for at, (formula, texts) in enumerate(IN_R):
        names, values = matrix(frame, *texts)
        assert names == lines[2 * at].split("\t"), formula
        expected = np.array(lines[2 * at + 1].split("\t"), float)
        expected = expected.reshape(values.shape, order="F")
        np.testing.assert_allclose(values, expected, rtol=0, atol=2e-14, err_msg=formula)


def test_patsy_names_are_those_of_patsy(frame: pd.DataFrame) -> None:
    patsy = pytest.importorskip("patsy")
    frame = frame.assign(**{"my col": frame["x"]})
    formula = (
        "t*sex + flag + I(t ** 2) + C(week) + C(g, Sum) + np.log(x) + bs(x, df=4)"
        ' + scale(x, ddof=1) + Q("my col") + C(g, Treatment("b"))'
    )
    expected = patsy.dmatrix(formula, frame.astype({"sex": object, "g": object}))
    texts = ["1", "t", "sex", "t:sex", "flag", "I(t**2)", "C(week)", "C(g, Sum)", "log(x)"]
    texts += ["bs(x, df=4)", "scale(x)", "`my col`", 'C(g, Treatment("b"))']
    bound = bind_columns(terms_of(*texts), frame)
    names = [patsy_name(column, dict(bound.levels)) for column in bound.columns]
    assert sorted(names) == sorted(expected.design_info.column_names)
    values = evaluate(bound.columns, frame, schema_of(bound))
    order = [expected.design_info.column_names.index(name) for name in names]
    np.testing.assert_allclose(values, np.asarray(expected)[:, order], atol=1e-13)


def test_constants_come_from_the_data_once(frame: pd.DataFrame) -> None:
    texts = ("poly(t, 2)", "scale(x)", "bs(x, df=4)", "ns(x, df=3)", "cr(x, df=4)", "C(week)")
    bound = bind_columns(terms_of("1", *texts), frame)
    schema = schema_of(bound)
    whole = evaluate(bound.columns, frame, schema)
    some = frame.iloc[[3, 9, 10]]
    np.testing.assert_allclose(
        evaluate(bound.columns, some, schema), whole[[3, 9, 10]], rtol=0, atol=1e-13
    )
    again = bind_columns(terms_of("1", *texts), None, known=schema)
    assert again.columns == bound.columns
    assert set(again.constants) == set(bound.constants)
    # Known facts win over other data.
    assert bind_columns(terms_of("1", *texts), some, known=schema).columns == bound.columns


def test_a_mapping_tabulates_bases_at_the_occasions(frame: pd.DataFrame) -> None:
    bound = bind_columns(terms_of("1", "t", "poly(t, 2)", "I(t**2)"), frame)
    times = np.array([0.0, 1.0, 2.0, 3.5])
    table = evaluate(bound.columns, {"t": times}, schema_of(bound))
    np.testing.assert_allclose(table, evaluate(bound.columns, frame, schema_of(bound))[:4])


def test_plain_columns_are_not_copied(frame: pd.DataFrame) -> None:
    values = evaluate_columns([Column(Term(("x",)), bound_part("x"))], frame)[0]
    assert np.shares_memory(values, frame["x"].to_numpy())
    array = np.arange(5.0)
    values = evaluate_columns([Column(Term(("x",)), bound_part("x"))], {"x": array})[0]
    assert values is array


def bound_part(name: str) -> tuple[object, ...]:
    from growthmm.model.schema import ColumnPart

    return (ColumnPart(name),)


def test_missing_values_propagate(frame: pd.DataFrame) -> None:
    frame.loc[0, "x"] = np.nan
    frame.loc[1, "sex"] = None
    frame.loc[2, "t"] = np.nan
    texts = ("1", "x", "sex", "scale(x)", "poly(x, 2)", "ns(x, df=3)", "bs(x, df=4)", "I(t > 1)")
    bound = bind_columns(terms_of(*texts, "C(t)"), frame)
    values = evaluate(bound.columns, frame, schema_of(bound))
    missing = np.isnan(values)
    for at, column in enumerate(bound.columns):
        used = "".join(column.term.factors)
        row = 1 if "sex" in used else 2 if "t" in used.replace("cat", "") and "x" not in used else 0
        expected = [] if column.term.is_intercept else [row]
        assert np.flatnonzero(missing[:, at]).tolist() == expected, column
    # The constants ignore the missing value.
    scale = dict(next(c for c in bound.constants if c.expression == "scale(x)").values)
    assert scale["center"][0] == pytest.approx(frame["x"].mean(), rel=1e-15)
    assert scale["scale"][0] == pytest.approx(frame["x"].std(), rel=1e-14)


def test_levels_have_an_order(frame: pd.DataFrame) -> None:
    frame["c"] = pd.Categorical(frame["g"], categories=["c", "unused", "b", "a"])
    bound = bind_columns(terms_of("1", "c", "g", "flag", "C(week)"), frame)
    assert dict(bound.levels) == {
        "c": ("c", "b", "a"),
        "g": ("a", "b", "c"),
        "flag": (False, True),
    }
    assert dict(bound.constants[0].values) == {"levels": (1.0, 2.0, 3.0, 10.0)}


def test_frames_of_other_kinds_are_read(frame: pd.DataFrame) -> None:
    other = pl.from_pandas(frame)
    names, values = matrix(other, "1", "t", "sex", "flag", "scale(x)")
    expected_names, expected = matrix(frame, "1", "t", "sex", "flag", "scale(x)")
    assert names == expected_names
    np.testing.assert_array_equal(values, expected)


def test_a_number_in_arithmetic_of_true_and_false_counts(frame: pd.DataFrame) -> None:
    values = matrix(frame, "I((t - 2)*(t > 2))")[1][:, 0]
    np.testing.assert_array_equal(values, np.where(frame["t"] > 2, frame["t"] - 2, 0.0))


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("kind", ["Treatment", "Sum", "Helmert", "Poly"])
def test_contrasts_with_the_constant_span_everything(kind: str, n: int) -> None:
    full = np.column_stack([np.ones(n), contrast_matrix(kind, n)])
    assert np.linalg.matrix_rank(full) == n
    if kind != "Treatment":
        np.testing.assert_allclose(contrast_matrix(kind, n).sum(axis=0), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("absent", ColumnNotFoundError, "no column 'absent'"),
        ("log(zero)", ValueColumnError, r"log\(zero\) has no finite value in 24 rows"),
        ("I(1/zero)", ValueColumnError, r"1/zero has no finite value"),
        ("I(sex + 1)", ValueColumnError, "'sex' must hold numbers"),
        ("I(C(g) + 1)", ValueColumnError, "gives categories"),
        ("poly(zero, 2)", ValueColumnError, "needs 3 distinct values of its variable, and has 1"),
        ("scale(zero)", ValueColumnError, "needs 2 distinct values"),
        ("bs(x, df=2)", ValueColumnError, r"bs\(x, df=2\): Invalid value for `df`"),
        ("ns(x, knots=[99])", ValueColumnError, "knots .* must be distinct and lie within"),
        ("C(one)", ValueColumnError, "contrasts need two"),
        ('C(g, Treatment("z"))', ValueColumnError, "'z' .* is not among the levels 'a', 'b', 'c'"),
        ("mixed", ValueColumnError, "mixes text"),
    ],
)
def test_values_that_cannot_be_coded_are_refused(
    frame: pd.DataFrame, text: str, error: type[DataError], message: str
) -> None:
    frame = frame.assign(zero=0.0, one="a", mixed=["a", 1, *["b"] * 22])
    bound_terms = [INTERCEPT, Term((canonical(text),))]
    with pytest.raises(error, match=message):
        bind_and_evaluate(bound_terms, frame)


def bind_and_evaluate(terms: list[Term], frame: pd.DataFrame) -> None:
    bound = bind_columns(terms, frame)
    evaluate(bound.columns, frame, schema_of(bound))


def test_new_levels_are_refused(frame: pd.DataFrame) -> None:
    bound = bind_columns(terms_of("1", "g", "C(week)"), frame)
    schema = schema_of(bound)
    with pytest.raises(ValueColumnError, match="'g' holds 'z', not among its levels"):
        evaluate(bound.columns, frame.assign(g="z"), schema)
    with pytest.raises(ValueColumnError, match=r"week is 4.0, not among the levels"):
        evaluate(bound.columns, frame.assign(week=4), schema)


def test_without_data_or_facts_binding_names_what_is_missing() -> None:
    with pytest.raises(UnboundError) as caught:
        bind_columns(terms_of("1", "sex"))
    assert caught.value.missing == ("levels of sex",)
    schema = Schema("id", "t", "y", (0.0, 1.0, 2.0), (Variable("sex", "person_level", ("f", "m")),))
    bound = bind_columns(terms_of("1", "t", "sex", "C(t)", "poly(t, 2, raw=True)"), known=schema)
    names = [r_name(c) for c in bound.columns]
    assert names[:5] == ["(Intercept)", "t", "sexm", "factor(t)1", "factor(t)2"]
    with pytest.raises(UnboundError, match=r"constants of poly\(t, 2\) are not known"):
        bind_columns(terms_of("1", "poly(t, 2)"), known=schema)


def test_a_million_rows_take_well_under_a_second_each() -> None:
    import time

    n = 1_000_000
    frame = pd.DataFrame(
        {"t": np.tile(np.arange(10.0), n // 10), "g": pd.Categorical(np.arange(n) % 3)}
    )
    started = time.perf_counter()
    bound = bind_columns(terms_of("1", "t", "I(t**2)", "g", "t:g"), frame)
    evaluate(bound.columns, frame, schema_of(bound))
    assert time.perf_counter() - started < 3
