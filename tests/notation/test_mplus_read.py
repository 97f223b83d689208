"""Reading Mplus inputs, as people write them, against the same models in lavaan's syntax."""

from __future__ import annotations

from contextlib import suppress

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from growthmm.errors import NotationError
from growthmm.model.sem import Defined, SemModel
from growthmm.notation import recognise
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.mplus.read import read, read_input

I4 = "i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3\n"
S4 = "s =~ 0*y0 + 1*y1 + 2*y2 + 3*y3\n"
LINEAR = I4 + S4
SAME = "\n".join(f"y{k} ~~ v*y{k}" for k in range(4))

UPPER = (LINEAR + "i + s ~ x\n" + SAME).upper()

HEAD = (
    "VARIABLE: NAMES = id y0-y3 x z a0-a3; USEVARIABLES = y0-y3 x z a0-a3; MISSING = ALL (-99);\n"
)

VARIANTS: dict[str, tuple[str, str]] = {
    "as in the manual": (
        "TITLE: linear growth;\nDATA: FILE = w.dat;\n"
        "VARIABLE: NAMES = y0-y3 x; USEVARIABLES = y0-y3 x; MISSING = ALL (-99);\n"
        "MODEL: i s | y0@0 y1@1 y2@2 y3@3;\n       i s ON x;\n",
        LINEAR + "i + s ~ x",
    ),
    "bare": ("i s | y0@0 y1@1 y2@2 y3@3;", LINEAR),
    "lower case, four letters": (
        "titl: a model: two parts\ndata: file is 'my data.dat';\nvari: name are id y0 y1 y2 y3;\n"
        "usev are y0-y3;\nmiss = .;\nanal: type = gene; esti = ml;\n"
        "mode: i s | y0@0 y1@1 y2@2 y3@3;\noutp: sampstat;\nplot: type = plot3;\n",
        LINEAR,
    ),
    "one line": ("MODEL: I S | Y0@0 Y1@1 Y2@2 Y3@3; I S ON X; Y0-Y3 (V);", UPPER),
    "capitals follow NAMES": (
        HEAD + "MODEL: I S | Y0@0 Y1@1 Y2@2 Y3@3; I s ON X;",
        LINEAR.replace("i =~", "I =~").replace("s =~", "S =~") + "I + S ~ x",
    ),
    "line breaks inside statements": (
        "MODEL:\n i s\n |\n y0@0 y1@1\n y2@2\n y3@3\n ;\n i\n s ON\n x\n ;",
        LINEAR + "i + s ~ x",
    ),
    "comments": (
        "! y0@9;\nMODEL: ! i s | y0@0;\n i s | y0@0 y1@1 ! y2@7\n y2@2 y3@3;\n!* s@0;\n i@0; *!\n",
        LINEAR,
    ),
    "equal residual variances": ("i s | y0@0 y1@1 y2@2 y3@3; y0-y3 (v);", LINEAR + SAME),
    "numbered equality": (
        "i s | y0@0 y1@1 y2@2 y3@3;\ny0-y3 (1);",
        LINEAR + SAME.replace("v*", "eq1*"),
    ),
    "label of its line alone": (
        "i s | y0@0 y1@1 y2@2 y3@3;\ny0\ny1\ny2 y3 (v);",
        LINEAR + "y2 ~~ v*y2\ny3 ~~ v*y3",
    ),
    "a label a line": (
        "i s | y0@0 y1@1 y2@2 y3@3;\ny0 (v)\ny1 (v)\ny2 (w)\ny3 (w);",
        LINEAR + "y0 ~~ v*y0\ny1 ~~ v*y1\ny2 ~~ w*y2\ny3 ~~ w*y3",
    ),
    "list of labels": (
        "i s | y0@0 y1@1 y2@2 y3@3; y0-y3 (p1-p4);",
        LINEAR + "\n".join(f"y{k} ~~ p{k + 1}*y{k}" for k in range(4)),
    ),
    "quadratic squares the scores": (
        "i s q | y0@0 y1@1 y2@2 y3@3;",
        LINEAR + "q =~ 0*y0 + 1*y1 + 4*y2 + 9*y3",
    ),
    "cubic, negative and broken scores": (
        "i s q c | y0@-1 y1@-.5 y2@0 y3@1.5;",
        I4 + "s =~ -1*y0 + -0.5*y1 + 0*y2 + 1.5*y3\nq =~ 1*y0 + 0.25*y1 + 0*y2 + 2.25*y3\n"
        "c =~ -1*y0 + -0.125*y1 + 0*y2 + 3.375*y3",
    ),
    "free basis": (
        "i s | y0@0 y1@1 y2*2 y3*3;",
        I4 + "s =~ 0*y0 + 1*y1 + start(2)*y2 + start(3)*y3",
    ),
    "free basis without starts": (
        "i s | y0@0 y1@1 y2 y3*;",
        I4 + "s =~ 0*y0 + 1*y1 + y2 + y3",
    ),
    "piecewise": (
        "i s1 | y0@0 y1@1 y2@1 y3@1; i s2 | y0@0 y1@0 y2@1 y3@2;",
        I4 + "s1 =~ 0*y0 + 1*y1 + 1*y2 + 1*y3\ns2 =~ 0*y0 + 0*y1 + 1*y2 + 2*y3",
    ),
    "parallel processes": (
        "i s | y0@0 y1@1 y2@2 y3@3;\nj t | z0@0 z1@1 z2@2 z3@3;",
        LINEAR + LINEAR.replace("i =~", "j =~").replace("s =~", "t =~").replace("*y", "*z"),
    ),
    "parallel processes, slopes on intercepts": (
        "i s | y0@0 y1@1 y2@2 y3@3;\nj t | z0@0 z1@1 z2@2 z3@3; s ON j; t ON i;",
        LINEAR
        + LINEAR.replace("i =~", "j =~").replace("s =~", "t =~").replace("*y", "*z")
        + "s ~ j\nt ~ i",
    ),
    "by factors": (
        "i BY y0-y3@1; s BY y0@0 y1@1 y2@2 y3@3; [y0-y3@0]; [i s];",
        LINEAR,
    ),
    "uncorrelated": ("i s | y0@0 y1@1 y2@2 y3@3; i WITH s@0;", LINEAR + "i ~~ 0*s"),
    "no random slope": (
        "i s | y0@0 y1@1 y2@2 y3@3; s@0; i WITH s@0;",
        LINEAR + "s ~~ 0*s\ni ~~ 0*s",
    ),
    "all at zero with a list of factors": (
        "i s q | y0@0 y1@1 y2@2 y3@3; s-q@0; i-q WITH i-q@0;",
        LINEAR + "q =~ 0*y0 + 1*y1 + 4*y2 + 9*y3\ns ~~ 0*s\nq ~~ 0*q\ni ~~ 0*s + 0*q\ns ~~ 0*q",
    ),
    "no covariances": (
        "ANALYSIS: MODEL = NOCOV;\nMODEL: i s | y0@0 y1@1 y2@2 y3@3;",
        LINEAR + "i ~~ 0*s",
    ),
    "starts": (
        "i s | y0@0 y1@1 y2@2 y3@3; [i*2.5 s*-.1]; i*1; s*.2; i WITH s*0; y0-y3*.5 (v);",
        LINEAR + SAME,
    ),
    "time-varying, one by one": (
        HEAD + "MODEL: i s | y0@0 y1@1 y2@2 y3@3;\ny0 ON a0 (b); y1 ON a1 (b);\n"
        "y2 ON a2 (b); y3 ON a3 (b);",
        LINEAR + "\n".join(f"y{k} ~ b*a{k}" for k in range(4)),
    ),
    "time-varying in pairs": (
        HEAD + "MODEL: i s | y0@0 y1@1 y2@2 y3@3; y0-y3 PON a0-a3 (b);",
        LINEAR + "\n".join(f"y{k} ~ b*a{k}" for k in range(4)),
    ),
    "neighbouring residuals": (
        "i s | y0@0 y1@1 y2@2 y3@3; y0-y2 PWITH y1-y3 (c1);",
        LINEAR + "y0 ~~ c1*y1\ny1 ~~ c1*y2\ny2 ~~ c1*y3",
    ),
    "fixed values": (
        "i s | y0@0 y1@1 y2@2 y3@3; [s@0]; y0@.5; s ON x@0.25; i ON x;",
        LINEAR + "s ~ 0*1\ny0 ~~ 0.5*y0\ns ~ 0.25*x\ni ~ x",
    ),
    "covariate with moments": (
        "i s | y0@0 y1@1 y2@2 y3@3; i s ON x; x;",
        LINEAR + "i + s ~ x\nx ~~ x\nx ~ 1",
    ),
    "distal outcome": (
        "i s | y0@0 y1@1 y2@2 y3@3; d ON i s x;",
        LINEAR + "d ~ i + s + x\nd ~ 1",
    ),
    "commas and several statements a line": (
        "i s | y0@0, y1@1, y2@2, y3@3; [i]; [s]; i; s;",
        LINEAR,
    ),
    "constraint": (
        "MODEL: i s | y0@0 y1@1 y2@2 y3@3; i (vi); s (vs);\nMODEL CONSTRAINT: vs = 2*VI; vi > 0;",
        LINEAR + "i ~~ vi*i\ns ~~ vs*s\nvs == 2*vi\nvi > 0",
    ),
    "new parameter": (
        "MODEL: i s | y0@0 y1@1 y2@2 y3@3; i (vi); s (vs); i WITH s (c);\n"
        "MODEL CONS: NEW(r*.5); r = c/SQRT(vi*vs);",
        LINEAR + "i ~~ vi*i + c*s\ns ~~ vs*s\nr := c/sqrt(vi*vs)",
    ),
    "last mention wins": (
        "i s | y0@0 y1@1 y2@2 y3@3; y0-y3 (v); y3 (w); s@0; s*1;",
        LINEAR + SAME.replace("v*y3", "w*y3"),
    ),
    "options without effect": (
        "VARIABLE: NAMES ARE id y0-y3; IDVARIABLE = id; USEVARIABLES ARE y0-y3; AUXILIARY = id;\n"
        "ANALYSIS: ESTIMATOR = MLR; PROCESSORS = 4; ITERATIONS = 1000; COVERAGE = 0;\n"
        "MODEL: i s | y0@0 y1@1 y2@2 y3@3;\nOUTPUT: STANDARDIZED TECH1 TECH4;\n"
        "SAVEDATA: FILE = f.dat; SAVE = FSCORES;",
        LINEAR,
    ),
}


@pytest.mark.parametrize("case", VARIANTS)
def test_variants_are_the_model_that_lavaan_says(case: str) -> None:
    text, lavaan = VARIANTS[case]
    model = read(text)
    assert model.table == read_lavaan(lavaan).table
    assert (model.missing, model.information, model.notation) == ("ml", "observed", "mplus")


def test_there_are_enough_variants() -> None:
    assert len(VARIANTS) >= 30


@pytest.mark.parametrize("case", VARIANTS)
def test_variants_are_recognised(case: str) -> None:
    assert recognise(VARIANTS[case][0]) == "mplus"


@pytest.mark.parametrize(
    "text",
    [
        "y ~ t + (1 | id)",
        "i =~ 1*y0 + 1*y1",
        "lme(y ~ t, random = ~ t | id, data = d)",
        "y ~ by + (by | on)",
        "proc mixed; by id; model y = t; run;",
        "growth('i =~ 1*y0 + 1*y1')",
    ],
)
def test_other_notations_are_left_alone(text: str) -> None:
    assert recognise(text) != "mplus"


def test_starting_values_are_kept() -> None:
    model = read(VARIANTS["starts"][0])
    starts = {p.name: p.start for p in model.paths if p.start is not None}
    assert starts["i~1"] == 2.5
    assert starts["s~1"] == -0.1
    assert starts["i~~s"] == 0.0
    assert starts["y2~~y2"] == 0.5


def test_every_default_has_its_rule() -> None:
    model = read("i s | y0@0 y1@1 y2@2; i s ON x;")
    rules = {p.name: p.rule for p in model.paths if p.rule != "written"}
    assert rules == {
        "y0~~y0": "Mplus: residual variances are free",
        "y1~~y1": "Mplus: residual variances are free",
        "y2~~y2": "Mplus: residual variances are free",
        "i~~i": "Mplus: latent variables' (residual) variances are free",
        "s~~s": "Mplus: latent variables' (residual) variances are free",
        "i~~s": "Mplus: residuals of growth factors covary",
        "y0~1": "Mplus: | fixes the outcomes' intercepts at 0",
        "y1~1": "Mplus: | fixes the outcomes' intercepts at 0",
        "y2~1": "Mplus: | fixes the outcomes' intercepts at 0",
        "i~1": "Mplus: growth factors' means are free",
        "s~1": "Mplus: growth factors' means are free",
    }
    assert {d.what for d in model.defaults} == {
        "estimator",
        "missing",
        "information",
        "covariates",
    }


def test_individual_times_are_definition_loadings() -> None:
    model = read(
        "VARIABLE: NAMES = y0-y2 a0-a2; TSCORES = a0-a2;\nANALYSIS: TYPE = RANDOM;\n"
        "MODEL: i s | y0-y2 AT a0-a2;"
    )
    loadings = {(p.left, p.right): (p.value, p.definition) for p in model.paths if p.op == "=~"}
    assert loadings["i", "y1"] == (1.0, None)
    assert loadings["s", "y0"] == (None, "a0")
    assert loadings["s", "y2"] == (None, "a2")
    path = model.path("i", "~~", "s")
    assert path is not None
    assert path.free
    assert model.covariates == ()
    assert ("standard errors", "robust (a sandwich)") in {(d.what, d.value) for d in model.defaults}


def test_random_slope_of_a_covariate() -> None:
    model = read("i s | y0@0 y1@1 y2@2;\nst | y0 ON a0; st | y1 ON a1; st | y2 ON a2; st ON x;")
    definitions = {p.right: p.definition for p in model.paths if p.left == "st" and p.op == "=~"}
    assert definitions == {"y0": "a0", "y1": "a1", "y2": "a2"}
    cells = {p.name: p.free for p in model.paths if "st" in (p.left, p.right)}
    assert cells["st~~st"]
    assert cells["st~1"]
    assert not cells["i~~st"]
    assert model.covariates == ("x",)


def test_new_parameters_inside_equations_are_solved_for() -> None:
    model = read(
        "MODEL: i s | y0@0 y1@1 y2@2; y0-y2 (v); y0 WITH y1 (c1); y1 WITH y2 (c1); y0 WITH y2 (c2);"
        "MODEL CONSTRAINT: NEW(r); c1 = v*r; c2 = v*r**2;"
    )
    assert model.defined == (Defined("r", "c1/v"),)
    assert [(c.left, c.op, c.right) for c in model.constraints] == [("c2", "==", "v*r**2")]


GROUPS = (
    "VARIABLE: NAMES = y1-y3 sex; USEVARIABLES = y1-y3; GROUPING IS sex (0 = f 1 = m);\n"
    "MODEL: {}\nMODEL m: {}"
)


def _cells(model: SemModel, group: int) -> dict[str, tuple[bool, float | None, str | None]]:
    return {
        f"{p.left}{p.op}{p.right}": (p.free, p.value, p.label)
        for p in model.paths
        if p.group == group
    }


def test_groups_of_a_growth_model() -> None:
    model = read(GROUPS.format("i s | y1@0 y2@1 y3*2; y1-y3 (v);", "[s@0]; y3; i WITH s@0;"))
    assert (model.group_variable, model.group_labels, model.n_groups) == ("sex", ("0", "1"), 2)
    first, second = _cells(model, 0), _cells(model, 1)
    assert first["s~1"] == (True, None, None)
    assert second["s~1"] == (False, 0.0, None)
    assert second["i~1"] == (True, None, None)
    # Loadings, also free time scores, are equal; a label of the overall MODEL is in all groups.
    assert second["s=~y3"] == (True, None, "s=~y3")
    assert first["y3~~y3"] == (True, None, "v")
    assert second["y1~~y1"] == (True, None, "v")
    assert second["y3~~y3"] == (True, None, None)
    assert second["i~~s"] == (False, 0.0, None)


def test_groups_of_a_factor_model() -> None:
    model = read(GROUPS.format("f BY y1-y3;", "f BY y3; [y3];"))
    first, second = _cells(model, 0), _cells(model, 1)
    assert first["f=~y1"] == (False, 1.0, None)
    assert second["f=~y1"] == (False, 1.0, None)
    assert second["f=~y2"] == (True, None, "f=~y2")
    assert second["f=~y3"] == (True, None, None)
    assert second["y2~1"] == (True, None, "y2~1")
    assert second["y3~1"] == (True, None, None)
    assert first["f~1"] == (False, 0.0, None)
    assert second["f~1"] == (True, None, None)


def test_growth_of_latent_outcomes() -> None:
    model = read("f1 BY a1 b1; f2 BY a2 b2; f3 BY a3 b3; i s | f1@0 f2@1 f3@2;")
    means = {p.left: (p.free, p.value) for p in model.paths if p.op == "~1"}
    assert means["i"] == (False, 0.0)
    assert means["s"] == (True, None)
    assert means["f2"] == (False, 0.0)
    assert means["b1"] == (True, None)


def test_what_the_input_says_of_its_data() -> None:
    text = (
        "TITLE: growth\nDATA: FILE IS 'my data.dat'; LISTWISE = ON;\n"
        "VARIABLE: NAMES = id y0-y2 x; USEV = y0-y2 w; MISS ARE ALL (-99 -88);\n"
        "DEFINE: w = x*x;\nANALYSIS: INFORMATION = EXPECTED;\n"
        "MODEL: i s | y0@0 y1@1 y2@2;"
    )
    given = read_input(text)
    assert given.title == "growth"
    assert given.options.file == "my data.dat"
    assert given.options.names == ("id", "y0", "y1", "y2", "x")
    assert given.options.missing == "ALL (-99 -88)"
    assert (given.model.missing, given.model.information) == ("listwise", "expected")
    notes = {d.what: d for d in given.model.defaults}
    assert notes["w"].value in ("w = x*x", "left out")
    assert "w = x*x" in {d.value for d in given.model.defaults}


REFUSED = {
    "VARIABLE: NAMES = y1-y3;\n  CATEGORICAL = y1-y3;\nMODEL: y1;": (2, 3, "CATEGORICAL"),
    "VARI: NAME = y; COUNT = y; MODEL: y;": (1, 17, "COUNT"),
    "VARIABLE: NAMES = y; CLASSES = c (2); MODEL: y;": (1, 22, "CLASSES"),
    "VARIABLE: NAMES = y w; WEIGHT = w; MODEL: y;": (1, 24, "WEIGHT"),
    "VARIABLE: NAMES = y c; CLUSTER = c; MODEL: y;": (1, 24, "CLUSTER"),
    "ANALYSIS: TYPE = TWOLEVEL;\nMODEL: y;": (2, 8, "TWOLEVEL"),
    "ANALYSIS: TYPE = COMPLEX RANDOM;\nMODEL: y;": (1, 18, "COMPLEX"),
    "ANALYSIS: TYPE IS RANDOM\n MIXTURE;\nMODEL: y;": (2, 2, "MIXTURE"),
    "ANALYSIS: ESTIMATOR = BAYES;\nMODEL: y;": (1, 23, "BAYES"),
    "ANALYSIS: ESTIMATOR = WLSMV;\nMODEL: y;": (1, 23, "WLSMV"),
    "MODEL:\n%WITHIN%\ni s | y0@0 y1@1;": (2, 1, "%BETWEEN%"),
    "MODEL: y;\n  %BETWEEN%\n y;": (1, 8, "%BETWEEN%"),
    "MODEL: %OVERALL%\n i s | y0@0 y1@1;": (1, 8, "%OVERALL%"),
    "MODEL: i s | y0@0 y1@1;\n{y0@1};": (2, 1, "{ }"),
    "MODEL: [y0$1];": (1, 11, "$"),
    "MODEL: c#1 ON x;": (1, 9, "#"),
    "MODEL: f BY y1-y3; fx | f XWITH x;": (1, 27, "XWITH"),
    "MODEL: f BY y1-y3; y1^ ON y2^;": (1, 22, "^"),
    "MODEL: y (v);\nMODEL CONSTRAINT: LOOP(x, 1, 2, 0.1);": (2, 19, "LOOP"),
    "MODEL: y (v);\nMODEL CONSTRAINT: DO(1,3) v = 1;": (2, 19, "DO"),
    "MODEL: y;\nMODEL PRIORS: v ~ N(0,1);": (2, 1, "PRIORS"),
    "MONTECARLO: NAMES = y;\nMODEL: y;": (1, 1, "MONTECARLO"),
    "DATA: FILE = a.dat; TYPE = MEANS COVARIANCE;\nMODEL: y;": (1, 28, "MEANS COVARIANCE"),
    "DATA WIDETOLONG: WIDE = y1-y3;\nMODEL: y;": (1, 1, "WIDETOLONG"),
    "VARIABLE: NAMES = y x;\nDEFINE: CENTER x (GRANDMEAN);\nMODEL: y ON x;": (2, 9, "DEFINE"),
    "VARIABLE: NAMES = y; USEOBSERVATIONS = y GT 1; MODEL: y;": (1, 22, "USEOBSERVATIONS"),
    "MODEL: i s q | y0-y2 AT a0-a2;": (1, 8, "Powers"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_supported_is_named_with_its_place(text: str) -> None:
    line, column, word = REFUSED[text]
    with pytest.raises(NotationError) as caught:
        read(text)
    assert word in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.hint or caught.value.expected or word == "MONTECARLO"


MALFORMED = {
    "MODEL: i s | y0@0 y1@1 y2@;": (1, 27),
    "MODEL: i s | y0@0 y1@1\n i ON x;": (2, 4),
    "MODEL: i ON;": (1, 12),
    "MODEL: y1-y3 PWITH x1-x2;": (1, 14),
    "MODEL: y WITH y;": (1, 15),
    "MODEL: f BY f;": (1, 13),
    "MODEL: y3-y1;": (1, 8),
    "MODEL: a-c;": (1, 8),
    "MODEL: y1-y3 (p1-p2);": (1, 15),
    "MODEL: (p);": (1, 9),
    "MODEL: i s q | y0@0 y1@1 y2*2;": (1, 26),
    "MODEL: a b c d e | y0@0 y1@1;": (1, 8),
    "MODEL: y; MODEL m: y;": (1, 11),
    "MODEL: y (v); MODEL CONSTRAINT: w = 1;": (1, 33),
    "MODEL: y (v); MODEL CONSTRAINT: NEW(w); v = 1;": (1, 37),
    "MODEL: y (v); MODEL CONSTRAINT: v = foo(1);": (1, 37),
    "MODEL: y (v); MODEL CONSTRAINT: v == 1;": (1, 36),
    "VARIABLE: NAMES = y0 y1; MODEL: i s | y0@0 y1@1 y2@2;": (1, 49),
    "VARIABLE: NAMES = y0-y2; USEV = y0 y1; MODEL: i s | y0@0 y1@1 y2@2;": (1, 63),
    "VARIABLE: NAMES = y0 y0; MODEL: y0;": (1, 11),
    "VARIABLE: NAMS = y0; MODEL: y0;": (1, 11),
    "VARIABLE: NAMES = y; GROUPING = g; MODEL: y;": (1, 33),
    "hello world MODEL: y; MODEL: x;": (1, 1),
    "TITLE: nothing": (1, 15),
    "": (1, 1),
    "MODEL: y@1e999;": (1, 10),
}


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_text_is_shown_where_it_is(text: str) -> None:
    with pytest.raises(NotationError) as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == MALFORMED[text]


PIECES = st.sampled_from(
    [
        *"|@*()[];-=<>!,.{}%$#:&^+/\n '\"",
        *("MODEL:", "MODEL CONSTRAINT:", "VARIABLE:", "NAMES =", "GROUPING IS g (1 = a 2 = b)"),
        *("MODEL a:", "DATA:", "ANALYSIS:", "TYPE = RANDOM", "NEW(r)", "USEV", "i s | y0@0 y1@1;"),
        *("BY", "ON", "WITH", "PON", "PWITH", "AT", "y0", "y1", "y0-y3", "i", "s", "f", "x", "1"),
        *("r", "v", "(v)", "(p1-p3)", "0.5", "1e5", "r = v*2;", "é", "ß", "\u00a0", "9", "²"),
    ]
)


@settings(max_examples=examples(75, 400))
@given(st.lists(PIECES, max_size=25).map(" ".join) | st.text(max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    for prefix in ("", "MODEL: "):
        with suppress(NotationError):
            assert isinstance(read(prefix + text), SemModel)


@pytest.mark.nightly
@settings(max_examples=50_000)
@given(st.lists(PIECES, max_size=25).map(" ".join))
def test_no_text_of_very_many_raises_anything_else(text: str) -> None:
    for prefix in ("", "MODEL: "):
        with suppress(NotationError):
            read(prefix + text)


@settings(max_examples=examples(75, 300))
@given(st.sampled_from(sorted(VARIANTS)), st.data())
def test_damaged_inputs_raise_nothing_else(case: str, data: st.DataObject) -> None:
    text = VARIANTS[case][0]
    cut = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(cut, min(len(text), cut + 12)))
    with suppress(NotationError):
        read(text[:cut] + data.draw(PIECES) + text[end:])


def test_deep_nesting_is_an_error_of_the_notation() -> None:
    deep = "-(" * 5000 + "v" + ")" * 5000
    with pytest.raises(NotationError, match="nested too deeply"):
        read(f"MODEL: y (v); MODEL CONSTRAINT: v = {deep};")
    flat = "(" * 5000 + "1" + ")" * 5000
    assert read(f"MODEL: y (v); MODEL CONSTRAINT: v = {flat};").constraints[0].right == "1"
