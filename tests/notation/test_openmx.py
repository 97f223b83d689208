"""OpenMx text: read, written, refused."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import CASES

import growthmm as gm
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.sem import Constraint, Defined, Path, SemModel
from growthmm.notation import recognise
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.openmx.notation import NOTATION
from growthmm.notation.openmx.read import read
from growthmm.notation.openmx.write import same_model

LINEAR = "i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3\ns =~ 0*y0 + 1*y1 + 2*y2 + 3*y3\n"
COMMON = "y0 ~~ r*y0\ny1 ~~ r*y1\ny2 ~~ r*y2\ny3 ~~ r*y3\n"

BY_HAND = """
library(OpenMx)
d <- read.csv("wide.csv")   # a row a person (id)
ys <- paste0("y", 0:3)
m <- mxModel("g", type="RAM", manifestVars=ys, latentVars=c("i","s"), mxData(d, "raw"),
 mxPath("i", ys, free=FALSE, values=1), mxPath("s", ys, free=FALSE, values=0:3),
 mxPath(ys, arrows=2, values=1, labels=%s),
 mxPath(c("i","s"), arrows=2, connect="unique.pairs", values=c(1,0,1)),
 mxPath("one", c("i","s")))
fit <- mxRun(m)
summary(fit)
"""

HEAD = 'mxModel("g", type = "RAM", manifestVars = c("y0", "y1"), latentVars = "i", '

MODELS = {
    "intercept": "i =~ 1*y0 + 1*y1 + 1*y2\ny0 ~~ r*y0\ny1 ~~ r*y1\ny2 ~~ r*y2",
    "linear": LINEAR,
    "common": LINEAR + COMMON,
    "uncorrelated": LINEAR + COMMON + "i ~~ 0*s",
    "slope without variance": LINEAR + COMMON + "s ~~ 0*s\ni ~~ 0*s",
    "quadratic": LINEAR + "q =~ 0*y0 + 1*y1 + 4*y2 + 9*y3",
    "piecewise": LINEAR + "t =~ 0*y0 + 0*y1 + 0*y2 + 1*y3",
    "latent basis": "i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3\ns =~ 0*y0 + 1*y1 + y2 + l*y3",
    "predictor": LINEAR + COMMON + "i + s ~ x",
    "two predictors": LINEAR + "i ~ x + b*z\ns ~ b*z",
    "time-varying": LINEAR + COMMON + "y0 ~ b*x0\ny1 ~ b*x1\ny2 ~ b*x2\ny3 ~ b*x3",
    "varying effects": LINEAR + "y0 ~ x0\ny1 ~ x1\ny2 ~ x2\ny3 ~ x3",
    "factor on factor": LINEAR + "s ~ i",
    "mediation": LINEAR + COMMON + "i ~ x\ns ~ a*x\nz ~ c*x + i + b*s\nz ~ 1\nind := a*b",
    "free intercepts": LINEAR + "y0 ~ 1\ni ~ 0*1",
    "neighbours": LINEAR + "y0 ~~ k*y1\ny1 ~~ k*y2\ny2 ~~ k*y3",
    "constraint": LINEAR + COMMON + "i ~~ vi*i\ns ~~ vs*s\nvi == 2*vs^2 + exp(r)\nvs > 0.01",
    "bounds": LINEAR + "s ~~ lower(0.001)*s + upper(9)*s",
    "starts": LINEAR + "s ~~ start(0.5)*s\ni ~ start(-2.5)*1",
    "labelled constant": "f =~ label('k')*y0 + 1*y0 + y1 + y2",
    "marker": "f =~ y0 + y1 + y2 + y3",
    "parallel": "a =~ 1*y0 + 1*y1\nb =~ 1*z0 + 1*z1",
    "cfa": "cfa('f =~ y0 + y1 + y2 + y3')",
    "sem": "sem('f =~ y0 + y1 + y2\ng =~ z0 + z1 + z2\ng ~ f')",
    "all observed": f"growth('{LINEAR}', missing = 'ml')",
    "observed information": f"growth('{LINEAR}', missing = 'ml', information = 'observed')",
    "random predictor": f"growth('{LINEAR}i ~ x\nx ~ 1', fixed.x = FALSE)",
    "groups": f"growth('{LINEAR}i ~~ c(v, v)*i', group = 'sex', group.label = c('f', 'm'))",
    "groups, all observed": (
        f"growth('{LINEAR}i ~ c(a, b)*1', group = 'sex', group.label = c('1', '2'), missing = 'ml')"
    ),
    "groups unnamed": f"growth('{LINEAR}i ~ c(a, b)*1', group = 'sex')",
    "equal groups": (
        f"growth('{LINEAR}', group = 'sex', group.label = c('f', 'm'), "
        "group.equal = c('residuals', 'lv.variances'))"
    ),
    "change score": (
        "l0 =~ 1*y0\nl1 =~ 1*y1\nd1 =~ 1*l1\nl1 ~ 1*l0\nl1 ~~ 0*l1\nl1 ~ 0*1\n"
        "y0 ~~ r*y0\ny1 ~~ r*y1"
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_writing_and_reading_is_the_identity(name: str) -> None:
    model = read_lavaan(MODELS[name])
    written = NOTATION.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert again == model
    assert NOTATION.write(again).text == written.text


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case].lavaan_path])
def test_every_reference_model_is_written_and_read(case: str) -> None:
    model = read_lavaan(CASES[case].lavaan)
    written = NOTATION.write(model)
    assert written.losses == ()
    assert read(written.text) == model


def test_what_is_written() -> None:
    text = NOTATION.write(read_lavaan(LINEAR + COMMON + "i + s ~ x")).text
    assert text == (
        'mxModel("growth", type = "RAM",\n'
        '  manifestVars = c("y0", "y1", "y2", "y3"),\n'
        '  latentVars = c("i", "s", "def_x"),\n'
        '  mxPath(from = "i", to = c("y0", "y1", "y2", "y3"), free = FALSE, values = 1),\n'
        '  mxPath(from = "s", to = c("y0", "y1", "y2", "y3"), free = FALSE, '
        "values = c(0, 1, 2, 3)),\n"
        '  mxPath(from = "def_x", to = c("i", "s"), values = 0),\n'
        '  mxPath(from = c("y0", "y1", "y2", "y3", "i", "s"),\n'
        "    arrows = 2,\n"
        "    values = 1,\n"
        '    labels = c("r", "r", "r", "r", NA, NA)),\n'
        '  mxPath(from = "i", to = "s", arrows = 2, values = 0),\n'
        '  mxPath(from = "one", to = c("i", "s"), values = 0),\n'
        '  mxPath(from = "one", to = "def_x", free = FALSE, labels = "data.x"))'
    )


SAME_AS_COMMON = {
    "as people write it": BY_HAND % '"r"',
    "repeated labels": BY_HAND % 'rep("r", 4)',
    "recycled labels": BY_HAND % 'c("r", "r")',
    "equals sign, abbreviated arguments": """
        m = mxModel(name = "g", type = "RAM", manifestVars = c("y0", "y1", "y2", "y3"),
          latentVars = c("i", "s"), mxPath(from = "i", to = sprintf("y%d", 0:3), val = 1, fre = F),
          mxPath("s", paste("y", 0:3, sep = ""), free = F, values = seq(0, 3)),
          mxPath(paste("y", seq(0, 3, by = 1), sep = ""), arr = 2, lab = "r", val = .5),
          mxPath("i", arrows = 2), mxPath("s", arrows = 2), mxPath("i", "s", arrows = 2),
          mxPath(from = "one", to = c("i", "s"), values = c(0, 0)), mxData(d, type = "raw"))""",
    "step by step": """
        m <- mxModel("g", type = "RAM", manifestVars = paste0("y", seq_len(4) - 1))
        m <- mxModel(m, latentVars = list("i", "s"), mxData(observed = d, type = "raw"))
        loads <- list(mxPath("i", paste0("y", 0:3), free = FALSE, values = rep(1, 4)),
                      mxPath("s", paste0("y", 0:3), free = !TRUE, values = c(0, 1:3)))
        m <- mxModel(m, loads, mxPath(c("i", "s"), connect = "unique.pairs", arrows = 2))
        m <- mxModel(m, mxPath(rev(paste0("y", 0:3)), arrows = 2, labels = "r"),
                     mxPath("one", "i"), mxPath("one", "s"), mxCI("r"))
        fit <- mxTryHard(m)
        round(coef(fit), 3)""",
    "a later path replaces an earlier one": """
        mxModel("g", type = "RAM", manifestVars = c('y0','y1','y2','y3'), latentVars = c('s','i'),
          mxPath('i', c('y0','y1','y2','y3'), values = 1), mxData(d, "raw"),
          mxPath('i', c('y0','y1','y2','y3'), free = FALSE, values = 1),
          mxPath('s', c('y0','y1','y2','y3'), free = FALSE, values = 3 - 3:0),
          mxPath(c('y0','y1','y2','y3'), arrows = 2, labels = 'r'),
          mxPath('i', 's'), mxPath('i', 's', arrows = 2), mxPath(c('i','s'), arrows = 2),
          mxPath('one', c('i', 's')), mxFitFunctionML())""",
}


@pytest.mark.parametrize("spelling", SAME_AS_COMMON)
def test_texts_as_people_write_them(spelling: str) -> None:
    expected = replace(read_lavaan(LINEAR + COMMON), missing="ml")
    assert read(SAME_AS_COMMON[spelling]) == expected


def test_a_text_is_recognised() -> None:
    assert recognise(BY_HAND % '"r"') == "openmx"
    assert gm.read(BY_HAND % '"r"').notation == "openmx"
    assert not NOTATION.recognises("y ~ t + (t | id) # not mxModel(")


def test_nothing_is_filled_in() -> None:
    model = read(BY_HAND % 'paste0("th", 0:3)')
    assert len(model.free_parameters) == 9
    assert {d.what for d in model.defaults} == {"paths", "estimator", "information", "missing"}
    assert model.path("y0", "~1") is None
    assert all(path.rule == "written" for path in model.paths)


def test_zero_and_one_are_no_starting_values() -> None:
    model = read(HEAD + 'mxPath(c("y0", "y1", "i"), arrows = 2, values = c(1, 0, 0.3)))')
    assert [path.start for path in model.paths] == [None, None, 0.3]


def test_the_manual_example_has_a_random_covariate() -> None:
    model = read(
        """mxModel("g", type="RAM", manifestVars=c(paste0("y",0:1),"x"), latentVars=c("i"),
        mxPath("i",paste0("y",0:1),free=FALSE,values=1), mxPath("x","i"),
        mxPath(c("i","y0","y1","x"),arrows=2,values=1), mxPath("one",c("i","x")),
        mxData(d,"raw"))"""
    )
    assert model.outcomes == ("y0", "y1", "x")
    assert model.covariates == ()
    assert model.fixed_x is False


def test_definition_variables_in_loadings() -> None:
    ys, ts = [f"y{k}" for k in range(3)], [f"t{k}" for k in range(3)]
    model = read(
        """mxModel("g", type = "RAM", manifestVars = paste0("y", 0:2), latentVars = c("i", "s"),
        mxPath("i", paste0("y", 0:2), free = FALSE, values = 1),
        mxPath("s", paste0("y", 0:2), free = FALSE, labels = paste0("data.t", 0:2)),
        mxPath(c("i", "s"), arrows = 2, connect = "unique.pairs"), mxPath("one", c("i", "s")),
        mxPath(paste0("y", 0:2), arrows = 2, labels = "r"))"""
    )
    assert [model.path("s", "=~", y).definition for y in ys] == ts  # type: ignore[union-attr]
    assert not any(path.free for path in model.paths if path.op == "=~")
    assert model.covariates == ()
    assert read(NOTATION.write(model).text) == model


def test_a_latent_variable_with_variance_is_no_covariate() -> None:
    text = HEAD.replace('"i", ', 'c("i", "x"), ') + (
        'mxPath("one", "x", free = FALSE, labels = "data.z"), mxPath("x", "i"){more})'
    )
    assert read(text.replace("{more}", "")).covariates == ("z",)
    kept = read(text.replace("{more}", ', mxPath("x", arrows = 2)'))
    assert kept.covariates == ()
    assert kept.path("x", "~1").definition == "z"  # type: ignore[union-attr]
    assert read(NOTATION.write(kept).text) == kept


def test_algebras_and_constraints() -> None:
    model = read(
        HEAD + 'mxPath("i", c("y0", "y1"), labels = c("a", "b")), mxPath("i", arrows = 2, '
        'free = FALSE, labels = "v[1,1]"), mxAlgebra(a^2 + b, name = "v"), '
        'mxAlgebra(expression = sqrt(v[1,1])/2, "half"), mxConstraint(a > -b, name = "c"))'
    )
    path = model.path("i", "~~", "i")
    assert path is not None
    assert (path.free, path.label) == (True, "v")
    assert model.constraints == (Constraint("v", "==", "a**2 + b"), Constraint("a", ">", "-b"))
    assert model.defined == (Defined("half", "sqrt(v)/2"),)
    assert read(NOTATION.write(model).text) == model


@pytest.mark.parametrize(
    "rows",
    ['d[d$sex == "f", ]', 'd[d[["sex"]] == "f", ]', 'subset(d, sex == "f")', 'd[d$sex=="f",1:3]'],
)
def test_groups_are_rows_of_the_data(rows: str) -> None:
    group = 'mxModel("{0}", type = "RAM", manifestVars = "y", mxData({1}, "raw"), mxPath("y", '
    group += 'arrows = 2, labels = "v"), mxPath("one", "y"))'
    other = rows.replace('"f"', '"m"')
    text = f'mxModel("both", {group.format("a", rows)}, {group.format("b", other)}, '
    model = read(text + 'mxFitFunctionMultigroup(c("a", "b.fitfunction")))')
    assert (model.n_groups, model.group_variable, model.group_labels) == (2, "sex", ("f", "m"))
    assert model.missing == "ml"
    assert model.free_parameters == ("v", "y~1", "y~1.g2")
    assert read(NOTATION.write(model).text) == model


def test_incomplete_persons_are_dropped_where_the_text_says_so() -> None:
    text = HEAD + 'mxPath("i", "y0"), mxData({}, "raw"))'
    assert read(text.format("na.omit(d)")).missing == "listwise"
    assert read("e <- na.omit(d)\n" + text.format("e")).missing == "listwise"
    assert read(text.format("d")).missing == "ml"


def test_a_regression_is_told_from_a_loading() -> None:
    model = read(NOTATION.write(read_lavaan(MODELS["mediation"])).text)
    assert model.path("z", "~", "s") is not None
    assert model.path("s", "=~", "y3") is not None
    assert same_model(model, read_lavaan(MODELS["mediation"]))


NAMES = [
    'x"); system("touch {file}"); c("',
    "x'); system('touch {file}'); c('",
    "y\n; system('touch {file}')",
    "lib.hours.0",
    "A",
    "one",
    "data",
    "2nd",
    "größe",
    "a b",
    "\\",
    "`x`",
    "]",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_written_and_read(name: str) -> None:
    model = SemModel(
        (
            Path("f", "=~", name, free=False, value=1.0),
            Path("f", "=~", "y", label=name),
            Path(name, "~", "z" + name),
            Path("f", "~~", "f", label="v" + name),
            Path("y", "~~", "y", free=False, definition="t" + name),
        ),
        ("f",),
        (name, "y"),
        ("z" + name,),
    )
    written = NOTATION.write(model)
    assert written.losses == ()
    again = read(written.text)
    assert again == model
    code = "\n".join(line for line in written.text.split("\n") if not line.startswith("# "))
    assert "system" not in code.replace("_system_", "")


def test_what_openmx_cannot_say() -> None:
    model = replace(
        read_lavaan(LINEAR), estimator="reml", likelihood="wishart", information="expected"
    )
    losses = {loss.what for loss in NOTATION.write(model).losses}
    assert losses == {"estimator = reml", "likelihood = wishart", "information = expected"}
    unlabelled = replace(read_lavaan(LINEAR), constraints=(Constraint("i~~i", "==", "s~~s"),))
    assert [loss.what for loss in NOTATION.write(unlabelled).losses] == ["i~~i == s~~s"]
    alone = read_lavaan(f"growth('{LINEAR}', group = 'sex')")
    assert [loss.what for loss in NOTATION.write(alone).losses] == ["group = sex"]
    with pytest.raises(SpecificationError, match="Translate it first"):
        NOTATION.write(gm.read("y ~ t + (t | id)"))


def test_there_and_back_between_the_families() -> None:
    times = [0.0, 1.0, 2.0, 3.0]
    there = gm.translate("y ~ t + I(t^2) + (t || id)", "openmx", time_values=times)
    back = gm.translate(there.text, "lme4", id="id", time="t", outcome="y", time_values=times)
    assert back.text == "y ~ t + I(t^2) + (1 | id) + (0 + t | id)"


MALFORMED = {
    "": "There is no mxModel() in the text",
    'mxPath("i", "y0")': "There is no mxModel() in the text",
    'mxModel("g", type = "RAM", latentVars = "i")': "The model has no manifestVars",
    'mxModel("g", manifestVars = "y0")': 'The model g is not of type "RAM"',
    'mxModel("g", type = "LISREL")': 'Models of type "LISREL" are not read',
    'mxModel("g", type = "RAM", manifestVars = c("y", "i"), latentVars = "i")': (
        "The variable i is both latent and manifest"
    ),
    "for (k in 1:3) { x }": "Did not expect in here",
    "m <- function(x) {": "Did not expect '{' here",
    HEAD + 'mxPath("i", "y0")': "The code stops short",
    HEAD + 'mxPath("i, y0))': "This string is never closed",
    HEAD + 'mxPath("i", c("y0", "y2")))': "The variable y2 stands neither in manifestVars",
    HEAD + 'mxPath("i", c("y0", "y1"), values = 1:3))': "mxPath() has 3 values for 2 paths",
    HEAD + 'mxPath("i", "y0", arrows = 3))': "A path has one or two heads",
    HEAD + 'mxPath("i", "i"))': "The path from i to itself has one head",
    HEAD + 'mxPath("one", "i", arrows = 2))': 'The constant "one" takes single-headed arrows',
    HEAD + 'mxPath("i", "y0", labels = "data.t"))': "The label data.t takes the value from",
    HEAD + 'mxPath("i", "y0", labels = "a.b"))': "a.b is no label that OpenMx takes",
    HEAD + 'mxPath("i", "y0", labels = "A"))': "A is no label that OpenMx takes",
    HEAD + 'mxPath("i", c("y0", "y1"), free = c(TRUE, FALSE), labels = "v"))': (
        "The label v is free in one path and fixed in another"
    ),
    HEAD + 'mxPath(c("y0", "y1"), arrows = 2, lbound = c(0, NA), labels = "v"))': (
        "The label v has several bounds"
    ),
    HEAD + 'mxPath("i", "y0", lbound = 2, ubound = 1))': "A lower bound is not below",
    HEAD + 'mxPath("i", "y0", conect = "single"))': "There is no argument conect",
    HEAD + 'mxPath("i", "y0", connect = "all"))': "connect should be one of single",
    HEAD + 'mxPath("i", "y0", free = "yes"))': "free should be logical",
    HEAD + 'mxPath("i", "y0", values = start))': "This argument of mxPath() cannot be worked out",
    HEAD + 'mxPath("i", paste0("y", 0:1e9)))': "The range 0:1000000000 is longer",
    HEAD + 'mxPath(rep("i", 1e6), "y0"))': "times = 1000000 is no possible length",
    HEAD + 'mxPath("i", "y0", values = 1/0))': "1 / 0 is not finite",
    HEAD
    + 'mxPath("i", "y0", labels = "q[1,1]", free = FALSE))': "There is no mxAlgebra() called q",
    HEAD + 'mxAlgebra(a * 2, name = "q"))': "a is neither a label nor an algebra",
    HEAD + 'mxAlgebra(solve(a), name = "q"))': "This part of the algebra is not read",
    HEAD + "mxConstraint(a))": "mxConstraint() needs a relation",
    HEAD + 'mxData(d, "sscp"))': "mxData() of type sscp is not read",
    HEAD + 'mxMatrix("Full", 1, 1))': "mxMatrix() is not read",
    HEAD + "mxFitFunctionWLS())": "mxFitFunctionWLS() is not read",
    HEAD + 'mxThreshold("y0", 2))': "mxThreshold() is not read",
    HEAD + "remove = TRUE)": "The argument remove of mxModel() is not read",
    f'mxModel("m", {HEAD}mxPath("i", "y0")))': "Submodels are read as groups",
    f'm <- {HEAD}mxPath("i", "y0"))\nm$A$free[1, 2] <- TRUE': "A change within a model is not read",
    f'm <- {HEAD}mxPath("i", "y0"))\nm <- omxSetParameters(m, "a", values = 1)': (
        "omxSetParameters() is not read"
    ),
}


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_text_says_what_and_where(text: str) -> None:
    with pytest.raises(NotationError) as caught:
        read(text)
    assert caught.value.message.startswith(MALFORMED[text])
    assert caught.value.line is not None
    assert caught.value.column is not None


def test_a_position_survives_comments_and_strings() -> None:
    text = '# a "comment\n' + HEAD + "\n  mxPath('#', \"y0\"))  # (("
    with pytest.raises(NotationError) as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == (3, 3)


def test_deep_nesting_is_read_or_refused() -> None:
    text = HEAD + 'mxPath("i", "y0", values = ' + "(" * 50 + "2" + ")" * 50 + "))"
    assert read(text).paths[0].start == 2.0
    with pytest.raises(NotationError, match="nested too deeply"):
        read("x <- " + "-" * 20_000 + "1")


PIECES = (
    "mxModel( mxPath( mxData( mxAlgebra( mxConstraint( mxFitFunctionMultigroup( c( paste0( rep( "
    'seq( sprintf( list( "g" "i" "y0" "one" "data.t" "raw" "%d" "a[1,1]" type= name= values= '
    'labels= free= arrows= connect= manifestVars= latentVars= "RAM" m d a NA TRUE FALSE NULL 1 2 '
    "0:3 1e9 -1 ) ) ) , , , <- = == $ [ ] [[ ]] + * / ^ ~ ! \n ; # \\ ' \" ` { } % & |"
)


@settings(deadline=None, max_examples=examples(50, 150))
@given(st.lists(st.sampled_from(PIECES.split(" ")), max_size=30).map(" ".join))
def test_no_sequence_of_pieces_raises_anything_else(text: str) -> None:
    with contextlib.suppress(NotationError):
        read(text)


@settings(deadline=None, max_examples=examples(50, 150))
@given(st.data())
def test_no_damaged_text_raises_anything_else(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([BY_HAND % '"r"', *SAME_AS_COMMON.values()]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 5))
        text = (
            text[:at]
            + data.draw(st.sampled_from([*PIECES.split(" "), "é", "\0", " "]))
            + text[at + cut :]
        )
    try:
        model = read(text)
    except NotationError:
        return
    written = NOTATION.write(model)
    assert same_model(read(written.text), model)


@pytest.mark.nightly
@settings(deadline=None, max_examples=20_000)
@given(
    st.lists(st.sampled_from(PIECES.split(" ")), max_size=40).map(" ".join) | st.text(max_size=60)
)
def test_no_text_at_all_raises_anything_else(text: str) -> None:
    with contextlib.suppress(NotationError):
        read(text)
