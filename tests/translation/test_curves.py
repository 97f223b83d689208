"""Free loadings and curves: both ways, recognised by what constraints imply, in every notation."""

from __future__ import annotations

import pytest

import growthmm as gm
from growthmm.errors import UnsupportedError
from growthmm.notation import notation

TIMES = [0, 1, 2, 3, 4]
FACTS = {"time_values": TIMES, "outcome": "y", "id": "id", "time": "t"}


def curved(curve: str, parameters: str = "g") -> str:
    return (
        f"nlme(y ~ b0 + b1 * ({curve}), fixed = b0 + b1 + {parameters} ~ 1, "
        "random = b0 + b1 ~ 1 | id)"
    )


CURVES = (
    "1 - exp(-g * t)",
    "exp(-g * t)",
    "exp(g * t)",
    "exp(-exp(-g * (t - 2)))",
    "1/(1 + exp(-g * (t - 2)))",
    "t^g",
)


@pytest.mark.parametrize("curve", CURVES)
def test_curves_go_to_lavaan_and_back(curve: str) -> None:
    made = gm.translate(curved(curve), "lavaan", time_values=TIMES)
    back = gm.translate(made.text, "nlme", **FACTS)
    assert back.text.startswith(f"nlme(y ~ b0 + b1 * ({curve}), fixed = b0 + b1 + g ~ 1")
    again = gm.translate(back.text, "lavaan", time_values=TIMES)
    assert again.text == made.text


@pytest.mark.parametrize("target", ["mplus", "openmx"])
def test_other_programs_say_the_constraints(target: str) -> None:
    made = gm.translate(curved("1 - exp(-g * t)"), target, time_values=TIMES)
    model = notation(target).read(made.text)
    assert len(model.constraints) == 3
    assert [defined.name for defined in model.defined] == ["g"]


def test_labels_and_spelling_of_the_constraints_do_not_matter() -> None:
    text = """
    i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3 + 1*y4
    s =~ 0*y0 + a*y1 + b*y2 + c*y3 + d*y4
    b == a + a*(1 - a)
    (1 - c) == (1 - a)^3
    1 - d == (1 - b)^2
    """
    made = gm.translate(text, "nlme", **FACTS)
    assert "b1 * (1 - exp(-rate * t))" in made.text
    assert gm.read(made.text).loading_names == ("rate",)


LATENT = """
i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3
s =~ 0*y0 + y1 + y2 + 1*y3
"""


def test_a_latent_basis_goes_both_ways() -> None:
    facts = FACTS | {"time_values": [0, 1, 2, 4]}
    made = gm.translate(LATENT, "nlme", **facts)
    assert "b1 * (s_1 * (t == 1) + s_2 * (t == 2) + (t == 4))" in made.text
    keys = [row.key for row in made.parameter_rows if row.kind == "loading"]
    assert keys == ["loading:s:1", "loading:s:2"]
    names = [row.sem_name for row in made.parameter_rows if row.kind == "loading"]
    assert names == ["s=~y1", "s=~y2"]
    there = gm.translate(made.text, "lavaan", time_values=[0, 1, 2, 4])
    assert "s =~ 0*y_0 + s_1*y_1 + start(0.25)*y_1 + s_2*y_2 + start(0.5)*y_2 + 1*y_4" in there.text
    back = gm.translate(there.text, "nlme", **facts)
    assert back.text == made.text


def test_mplus_reads_a_latent_basis() -> None:
    text = "MODEL: i s | y0@0 y1* y2* y3@1;"
    made = gm.translate(text, "nlme", **(FACTS | {"time_values": [0, 1, 2, 3]}))
    assert len(gm.read(made.text).loading_parameters) == 2


def test_data_and_schema_give_the_same_translation() -> None:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"id": np.repeat(np.arange(30), 5), "t": np.tile(TIMES, 30), "y": rng.normal(size=150)}
    )
    made = gm.translate(curved("1 - exp(-g * t)"), "lavaan", data=frame)
    again = gm.translate(curved("1 - exp(-g * t)"), "lavaan", schema=made.schema)
    assert again.text == made.text


SEVERAL = (
    "exp(-exp(-g * (t - c)))",
    "1/(1 + exp(-g * (t - c)))",
    "1 - exp(-g * t^c)",
    "(1 - exp(-g * t))^c",
    "exp(g * t) + c * t",
    "exp(-g * (t - 2)) + sin(c * t)",
)


@pytest.mark.parametrize("target", ["lavaan", "mplus", "openmx"])
@pytest.mark.parametrize("curve", SEVERAL)
def test_curves_of_several_parameters_go_both_ways(curve: str, target: str) -> None:
    made = gm.translate(curved(curve, "g + c"), target, time_values=TIMES)
    back = gm.translate(made.text, "nlme", **FACTS)
    parts = back.text.replace("(", "").replace(")", "")
    assert curve.replace("(", "").replace(")", "") in parts
    assert gm.read(back.text).loading_names == ("g", "c")
    again = gm.translate(back.text, target, time_values=TIMES)
    assert again.text == made.text


def test_the_parameters_of_a_curve_are_means_of_phantom_variables() -> None:
    made = gm.translate(curved(SEVERAL[0], "g + c"), "lavaan", time_values=TIMES)
    assert [c.right for c in made.model.constraints][1] == "exp(-exp(-g*(1 - c)))"
    assert made.model.latent == ("i", "s", "g_", "c_")
    rows = [row for row in made.parameter_rows if row.kind == "loading"]
    assert [(row.mixed_name, row.sem_name) for row in rows] == [("g", "g"), ("c", "c")]
    mplus = gm.translate(curved(SEVERAL[0], "g + c"), "mplus", time_values=TIMES).text
    assert "NEW(g*1.25 c*1.25);" in mplus
    assert "g_" not in mplus


def test_constraints_in_other_words_are_the_same_curve() -> None:
    """As a user of Mplus writes a Gompertz curve: definitions between, and other numbers."""
    text = """
    MODEL: i BY y0-y3@1; s BY y0* (l0) y1* (l1) y2* (l2) y3* (l3);
      [i s y0-y3@0]; y0-y3 (v);
    MODEL CONSTRAINT: NEW(rate place);
      l0 = EXP(-EXP(-rate*(0 - place))); l1 = EXP(-EXP(-rate*(2 - place)));
      EXP(-EXP(-rate*(4 - place))) = l2; l3 = EXP(-EXP(-rate*(6 - place)));
    """.replace("(l0) y1*", "(l0); s BY y1*").replace("(l1) y2*", "(l1); s BY y2*")
    text = text.replace("(l2) y3*", "(l2); s BY y3*")
    made = gm.translate(text, "nlme", **(FACTS | {"time_values": [0, 2, 4, 6]}))
    assert "b1 * (exp(-exp(-rate * (t - place))))" in made.text
    assert "rate = 0.5, place = 0.5" in made.text


def test_rates_that_two_factors_share_go_both_ways() -> None:
    text = (
        "nlme(y ~ b0 * exp(-g * t) + b1 * (1 - exp(-g * t)), fixed = b0 + b1 + g ~ 1, "
        "random = b0 + b1 ~ 1 | id)"
    )
    made = gm.translate(text, "lavaan", time_values=TIMES)
    back = gm.translate(made.text, "nlme", **FACTS)
    assert "b0 * (exp(-g * t)) + b1 * (1 - exp(-g * t))" in back.text
    assert gm.translate(back.text, "lavaan", time_values=TIMES).text == made.text


def test_functions_that_constraints_lack_are_refused() -> None:
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(curved("tanh(g * (t - c))", "g + c"), "lavaan", time_values=TIMES)
    assert any("constraints are arithmetic" in x.why for x in caught.value.losses)


MIXED = ["lme4", "statsmodels", "glmmtmb", "brms", "mixedmodels.jl", "sas", "stata", "spss"]


@pytest.mark.parametrize("name", MIXED)
def test_every_other_mixed_notation_refuses_loading_parameters(name: str) -> None:
    model = gm.read(curved("1 - exp(-g * t)"))
    lost = notation(name).write(model).losses
    assert [loss.what for loss in lost if loss.what == "the loading parameter g"]


KNOWN = (
    "I(1 - exp(-0.3 * t))",
    "exp(-0.4 * t)",
    "I(t^1.5)",
    "exp(-exp(-(t - 2)))",
    "I(1/(1 + exp(-(t - 2))))",
    "pmin(t, 2)",
    "pmax(t - 2, 0)",
)


@pytest.mark.parametrize("term", KNOWN)
def test_known_curves_are_recognised_from_their_loadings(term: str) -> None:
    formula = f"y ~ {term} + (1 + {term} | id)"
    made = gm.translate(formula, "lavaan", time_values=TIMES)
    back = gm.translate(made.text, "lme4", schema=made.schema)
    assert back.text == formula


def test_any_table_of_loadings_is_a_formula() -> None:
    text = """
    i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3 + 1*y4
    s =~ 0*y0 + 0.7*y1 + 0.2*y2 + 5*y3 + 0.2*y4
    """
    made = gm.translate(text, "lme4", **FACTS, on_loss="keep")
    assert "0.7 * (t == 1) + 0.2 * (t == 2) + 5 * (t == 3) + 0.2 * (t == 4)" in made.text
    there = gm.translate(made.text, "lavaan", time_values=TIMES)
    assert "0*y_0 + 0.7*y_1 + 0.2*y_2 + 5*y_3 + 0.2*y_4" in there.text


@pytest.mark.parametrize("basis", ["ns(t, df = 2)", "bs(t, df = 4)", "bs(t, df = 3)"])
def test_splines_are_recognised_with_the_data_s_knots(basis: str) -> None:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(30), 6),
            "t": np.tile(np.arange(6), 30),
            "y": rng.normal(size=180),
        }
    )
    made = gm.translate(f"y ~ {basis} + (1 | id)", "lavaan", data=frame)
    back = gm.translate(made.text, "lme4", data=frame, id="id", time="t", outcome="y")
    assert back.text == f"y ~ {basis} + (1 | id)"
