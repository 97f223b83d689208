"""SEM texts that are growth models and no linear mixed model: one verdict, our fit, the nearest."""

from __future__ import annotations

import json
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

import growthmm as gm
from growthmm.equivalence.not_representable import NotRepresentable
from growthmm.errors import NotEquivalentError, UnsupportedError
from growthmm.model.defaults import NonlinearLoss

TIMES = range(5)


def factor(name: str, stem: str = "y", power: int = 1, times: range = TIMES) -> str:
    return f"{name} =~ " + " + ".join(f"{t**power}*{stem}_{t}" for t in times)


def latent_change(stem: str = "y", prefix: str = "") -> str:
    """True scores ``l`` and differences ``d`` of an outcome."""
    rows = [f"l{t} =~ 1*{stem}_{t}" for t in TIMES]
    rows += [f"l{t} ~ 1*l{t - 1}" for t in TIMES[1:]] + [f"d{t} =~ 1*l{t}" for t in TIMES[1:]]
    rows += [f"l{t} ~~ 0*l{t}" for t in TIMES[1:]] + [f"d{t} ~~ 0*d{t}" for t in TIMES[1:]]
    rows += ["s =~ " + " + ".join(f"1*d{t}" for t in TIMES[1:]), "l0 ~~ l0", "s ~~ s + l0"]
    rows += ["l0 ~ 1", "s ~ 1", *(f"{stem}_{t} ~~ r{stem}*{stem}_{t}" for t in TIMES)]
    return re.sub(r"\b([lds])(\d?)\b", rf"{prefix}\1\2", "\n".join(rows))


LINE = f"{factor('i', power=0)}\n{factor('s')}"
RESIDUALS = "\n".join(f"y_{t} ~~ e*y_{t}" for t in TIMES)
QUADRATIC = f"{LINE}\n{factor('q', power=2)}\n{RESIDUALS}"
TWO = "\n".join(factor(f"{f}{k}", k, p) for k in "ac" for p, f in ((0, "i"), (1, "s")))
COUPLED = "\n".join(
    [latent_change("a"), latent_change("c", "m")]
    + [f"d{t} ~ b*l{t - 1} + k*ml{t - 1}" for t in TIMES[1:]]
    + [f"md{t} ~ g*ml{t - 1}" for t in TIMES[1:]]
)
SECOND = "\n".join(
    [f"f{t} =~ 1*a_{t} + lb*b_{t} + lc*c_{t}" for t in TIMES]
    + [factor("i", "f", 0).replace("f_", "f"), factor("s", "f").replace("f_", "f")]
    + [f"f{t} ~~ p*f{t}\nf{t} ~ 0*1" for t in TIMES]
    + [f"{k}_{t} ~~ u{k}*{k}_{t}" for k in "abc" for t in TIMES]
    + [f"{k}_{t} ~ m{k}*1" for k in "bc" for t in TIMES]
)

TEXTS = {
    # text, what a loss names, the nearest model, its relation, its degrees of freedom
    "autoregressive latent trajectory": (
        LINE + "\n" + "\n".join(f"y_{t} ~ a*y_{t - 1}" for t in TIMES[1:]),
        "y_1~y_0",
        "y ~ time + (1 + time | id)",
        "smaller",
        1,
    ),
    "one lagged outcome": (
        f"{LINE}\ny_2 ~ y_1\n{RESIDUALS}",
        "y_2~y_1",
        "y ~ time + (1 + time | id)",
        "smaller",
        1,
    ),
    "an outcome acts on another": (
        TWO + "\n" + "\n".join(f"a_{t} ~ k*c_{t - 1}" for t in TIMES[1:]),
        "a_1~c_0",
        "value ~ 0 + outcome + outcome:time + (0 + outcome + outcome:time | id)",
        "smaller",
        1,
    ),
    "coupled dual change": (
        COUPLED,
        "change in proportion b, k, g",
        "value ~ 0 + a + c + a:time + c:time + (0 + a + a:time | id) + (0 + c + c:time | id)",
        "smaller",
        3,
    ),
    "dual change with noise": (
        latent_change().replace("~~ 0*d", "~~ v*d")
        + "\n"
        + "\n".join(f"d{t} ~ b*l{t - 1}" for t in TIMES[1:]),
        "d1~l0",
        "y ~ time + (1 + time | id) + (0 + I(1 * (time >= 1))",
        "smaller",
        1,
    ),
    "a product of loadings": (
        f"{factor('i', power=0)}\ns =~ 1*y_1 + l2*y_2 + l3*y_3 + l4*y_4\nl4 == l2*l2\n" + RESIDUALS,
        "estimated loadings s=~y_2, s=~y_3, s=~y_4",
        "nlme(y ~ b0 + b1 * ((time == 1) + l2 * (time == 2)",
        "larger",
        1,
    ),
    "loadings tied by a sum": (
        f"{factor('i', power=0)}\ns =~ 0*y_0 + l1*y_1 + l2*y_2 + l3*y_3 + 1*y_4\nl3 == l1 + l2\n"
        + RESIDUALS,
        "estimated loadings s=~y_1, s=~y_2, s=~y_3",
        "nlme(y ~ b0 + b1 * (l1 * (time == 1)",
        "larger",
        1,
    ),
    "a chain of growth factors": (
        f"{QUADRATIC}\ns ~ i\nq ~ s\ni ~~ 0*q",
        "s~i",
        "y ~ time + I(time^2) + (1 + time + I(time^2) | id)",
        "larger",
        1,
    ),
    "a slope without a mean of its own": (
        f"{LINE}\n{RESIDUALS}\ns ~ i\ns ~ 0*1",
        "s~i",
        "y ~ time + (1 + time | id)",
        "larger",
        1,
    ),
    "a distal outcome of the slope alone": (
        f"{LINE}\n{RESIDUALS}\nz ~ s\nz ~ 1",
        "no path from i to z",
        "value ~ 0 + outcome + y:time + (0 + outcome + y:time | id)",
        "larger",
        1,
    ),
    "second-order growth": (
        SECOND,
        "estimated loadings f0=~b_0",
        "value ~ time + outcome + (1 + time | id) + (1 | id:time)",
        "smaller",
        2,
    ),
    "autoregressive states": (
        SECOND + "\n" + "\n".join(f"f{t} ~ r*f{t - 1}" for t in TIMES[1:]),
        "estimated loadings f0=~b_0",
        "value ~ time + outcome + (1 + time | id) + (1 | id:time)",
        "smaller",
        3,
    ),
}


@cache
def frame() -> pd.DataFrame:
    """Five times of a single outcome and of three items, and an outcome that persons have once."""
    rng = np.random.default_rng(4)
    n = 150
    growth = rng.multivariate_normal([2, 0.5], [[1, 0.2], [0.2, 0.3]], n)
    states = growth @ np.array([np.ones(5), np.arange(5)]) + 0.5 * rng.normal(size=(n, 5))
    made: dict[str, object] = {"id": np.arange(n)}
    for stem, loading, shift in (("y", 1, 0), ("a", 1, 0), ("b", 0.8, 0.3), ("c", 1.2, -0.2)):
        for t in TIMES:
            made[f"{stem}_{t}"] = shift + loading * states[:, t] + 0.5 * rng.normal(size=n)
    made["z"] = growth[:, 1] + 0.5 * rng.normal(size=n)
    return pd.DataFrame(made)


def options(name: str) -> dict[str, str]:
    return {"id": "id"} | ({"function": "lavaan"} if "change" in name else {})


@cache
def verified(name: str) -> NotRepresentable:
    made = gm.verify(TEXTS[name][0], frame(), engines=["long"], **options(name))
    assert isinstance(made, NotRepresentable)
    return made


@pytest.mark.parametrize("name", TEXTS)
def test_one_verdict_with_its_reason_and_all_evidence(name: str) -> None:
    found, what = verified(name), TEXTS[name][1]
    assert found.verdict == found.model_verdict == "not_representable"
    assert not found.identical
    assert any(loss.what.startswith(what) for loss in found.losses)
    assert any(isinstance(loss, NonlinearLoss) for loss in found.losses)
    assert [level.name for level in found.levels][1:] == [
        "moments",
        "likelihood",
        "estimates",
        "inference",
        "predictions",
    ]
    assert [level.passed for level in found.levels[1:]] == [True] * 5, found.levels
    assert found.sem_fit.convergence.converged


@pytest.mark.parametrize("name", TEXTS)
def test_translate_refuses_with_the_same_losses(name: str) -> None:
    # nlme alone has words for loadings of items.
    to = "lme4" if name == "second-order growth" else "nlme"
    with pytest.raises(UnsupportedError) as caught:
        gm.translate(TEXTS[name][0], to, data=frame(), **options(name))
    assert caught.value.losses == verified(name).losses


@pytest.mark.parametrize("name", TEXTS)
def test_the_nearest_model_is_fitted_by_both_engines(name: str) -> None:
    _, _, text, relation, df = TEXTS[name]
    found = verified(name)
    assert found.nearest is not None
    near = found.nearest.to_dict(found.sem_fit)
    assert near["text"].startswith(text)
    assert found.text == (near["text"] if found.curved is None else found.curved.text)
    assert (near["relation"], near["df"]) == (relation, df)
    assert near["chi_square"] > 0
    both = near["log_likelihood"]
    if near["verdict"] == "identical":
        assert both["long"] == pytest.approx(both["wide"], abs=1e-6)
    refit = gm.fit(found.nearest.form.model, frame(), id="id")
    assert refit.log_likelihood == pytest.approx(both["wide"], abs=1e-8)


def test_it_answers_as_other_verifications_do() -> None:
    found = verified("one lagged outcome")
    plain = found.to_dict()
    other = gm.verify(f"{LINE}\n{RESIDUALS}", frame(), id="id", engines=["long"]).to_dict()
    assert set(other) <= set(plain)
    json.dumps(plain, allow_nan=False)
    assert plain["log_likelihood"]["long"] is None
    assert plain["log_likelihood"]["wide"] == found.sem_fit.log_likelihood
    assert set(plain["parameters"][0]) == set(other["parameters"][0])
    assert found.parameters["estimate_wide"].tolist() == found.sem_fit.fit.estimates.tolist()
    assert found.engines.set_index("name").loc["wide", "used"]
    assert "Nearest model with a mixed form" in found.summary()
    assert "y_2~y_1" in found.to_html()
    assert found.to_markdown().startswith("| SEM")
    with pytest.raises(NotEquivalentError, match="y_2~y_1"):
        found.check()


def test_the_page_loads_nothing() -> None:
    found = verified("one lagged outcome")
    page = found.to_html()
    assert "y_2~y_1" in page
    assert "<script" not in page
    assert "https://" not in page
    assert "src=" not in page


def test_semopy_is_a_witness_of_the_model_itself() -> None:
    found = gm.verify(TEXTS["a chain of growth factors"][0], frame(), id="id", engines=["semopy"])
    report = next(report for report in found.reports if report.name == "semopy")
    assert report.used, report.reason
    assert report.fit is not None
    assert report.fit.log_likelihood == pytest.approx(found.sem_fit.log_likelihood, abs=1e-6)


def test_missing_outcomes_and_a_covariate() -> None:
    rng = np.random.default_rng(8)
    data = frame().assign(x=rng.normal(size=len(frame())))
    ys = [f"y_{t}" for t in TIMES]
    data[ys] = data[ys].mask(rng.uniform(size=(len(data), 5)) < 0.1)
    found = gm.verify(f"{LINE}\n{RESIDUALS}\ns ~ i\ni ~ x", data, id="id", engines=["long"])
    assert found.verdict == "not_representable"
    assert [level.passed for level in found.levels[1:]] == [True] * 5, found.levels
    assert found.nearest is not None
    assert found.nearest.found.text == "y ~ time + x + time:x + (1 + time | id)"


def test_long_data_and_printed_moments() -> None:
    text = f"{LINE}\ny_2 ~ y_1\n{RESIDUALS}"
    columns = [f"y_{t}" for t in TIMES]
    wide = frame()[["id", *columns]]
    long = gm.to_long(wide, id="id", values=["y"], time="time")
    expected = verified("one lagged outcome").sem_fit.log_likelihood
    there = gm.verify(text, long, id="id", time="time", engines=["long"])
    assert there.sem_fit.log_likelihood == pytest.approx(expected, abs=1e-8)
    moments = gm.Moments(wide[columns].mean(), wide[columns].cov(ddof=0), len(wide))
    printed = gm.verify(text, moments, engines=["long"])
    assert printed.verdict == "not_representable"
    assert printed.sem_fit.log_likelihood == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        # Equal coefficients have no formula here, but the moments are linear.
        f"{LINE}\n{RESIDUALS}\ni ~ m*1\ns ~ m*1",
        # A fixed mean is an offset.
        f"{LINE}\n{RESIDUALS}\ns ~ 0.5*1",
        # Constraints that leave nothing free make a table of numbers of the loadings.
        f"{LINE}\nq =~ 0*y_0 + q1*y_1 + q2*y_2 + q3*y_3 + q4*y_4\nq2 == 4*q1\nq3 == q1*9\n"
        f"q4 == q1*16\nq1*q2 == 4\n{RESIDUALS}",
    ],
)
def test_what_is_linear_all_the_same_is_refused_without_that_verdict(text: str) -> None:
    with pytest.raises(UnsupportedError):
        gm.verify(text, frame(), id="id", engines=["long"])


def _change(name: str, more: str = "") -> str:
    """Change in proportion to the level over five occasions, as lavaan's users write it."""
    rows = [f"l{name}1 ~ 1", f"l{name}1 ~~ l{name}1"]
    for t in range(1, 6):
        rows += [
            f"l{name}{t} =~ 1*{name}{t}",
            f"{name}{t} ~~ e{name}*{name}{t}",
            f"{name}{t} ~ 0*1",
        ]
    for t in range(2, 6):
        rows += [f"l{name}{t} ~ 1*l{name}{t - 1}", f"d{name}{t} =~ 1*l{name}{t}"]
        rows += [f"d{name}{t} ~ b{name}*l{name}{t - 1}"]
        rows += [f"{v}{name}{t} ~~ 0*{v}{name}{t}" for v in "ld"]
        rows += [f"{v}{name}{t} ~ 0*1" for v in "ld"]
    return "\n".join([*rows, more])


def _five_occasions() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    level = 10 + 2 * rng.normal(size=(200, 1))
    true = level * 1.15 ** np.arange(5)
    return pd.DataFrame(true + rng.normal(size=(200, 5)), columns=[f"y{t}" for t in range(1, 6)])


def test_covariances_that_growth_added_are_named_and_left_out_in_the_nearest_model() -> None:
    found = gm.verify(_change("y"), _five_occasions(), engines=["long"])
    assert isinstance(found, NotRepresentable)
    assert "loadings 0, 0" not in found.summary()
    assert " ".join(found.summary().split()).count("a formula fixes no coefficient") == 1
    assert found.nearest is not None
    assert "dy2~~dy3" in found.nearest.form.what
    near = found.nearest.to_dict(found.sem_fit)
    assert (near["verdict"], near["relation"], near["df"]) == ("not_representable", "smaller", 6)
    assert near["text"].startswith("nlme(y ~ b0 * ((1 + by)^(time - 1))")
    held = "\n".join(f"dy{s} ~~ 0*dy{t}" for s in range(2, 6) for t in range(s + 1, 6))
    plain = gm.verify(_change("y", held), _five_occasions(), engines=["long"])
    assert plain.verdict == "not_representable"
    assert plain.sem_fit.log_likelihood == pytest.approx(near["log_likelihood"]["wide"], abs=1e-7)


def test_the_nearest_of_an_autoregressive_latent_trajectory_has_no_lags() -> None:
    text = "i =~ 1*y2 + 1*y3 + 1*y4 + 1*y5\ns =~ 1*y2 + 2*y3 + 3*y4 + 4*y5\n"
    text += "\n".join(f"y{t} ~ rho*y{t - 1}" for t in range(2, 6))
    text += "\ny1 ~ 1\ny1 ~~ i\ny1 ~~ s\ni ~~ s"
    rng = np.random.default_rng(2)
    growth = rng.multivariate_normal([5, 1], [[2, 0.2], [0.2, 0.3]], 300)
    rows = [8 + 1.3 * rng.normal(size=300) + 0.5 * growth[:, 0]]
    for t in range(1, 5):
        rows.append(growth @ [1, t] + 0.3 * rows[-1] + rng.normal(size=300))
    frame = pd.DataFrame(np.array(rows).T, columns=[f"y{t}" for t in range(1, 6)])
    found = gm.verify(text, frame, engines=["long"])
    assert isinstance(found, NotRepresentable)
    assert {loss.why for loss in found.losses} == {
        "a regression among outcomes is no random effect: loadings become polynomials"
    }
    assert found.nearest is not None
    near = found.nearest.to_dict(found.sem_fit)
    assert (near["what"], near["verdict"], near["df"]) == (
        "no outcome acts on another",
        "identical",
        1,
    )
