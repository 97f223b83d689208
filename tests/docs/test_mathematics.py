"""The formulas of the pages on mathematics, evaluated from scratch and held against the package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
from pages import DOCS
from scipy.stats import chi2

import growthmm as gm
from growthmm.inference.result import FitResult

LOG_2PI = np.log(2 * np.pi)
LINEAR = "gpa ~ occasion + (occasion | student)"
SEX = "gpa ~ occasion * sex + (occasion | student)"
OUTCOMES = [f"gpa_{k}" for k in range(6)]


@cache
def data(*, gaps: bool = False) -> pd.DataFrame:
    """The GPA data; with gaps a sixth of the outcomes are missing."""
    frame = gm.datasets.gpa()
    if gaps:
        hidden = np.random.default_rng(3).random(len(frame)) < 1 / 6
        frame = frame.assign(gpa=frame["gpa"].mask(hidden))
    return frame


@dataclass(frozen=True)
class Person:
    """A person's outcomes, designs and covariance matrix."""

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    v: np.ndarray


@cache
def fitted(model: str = SEX, *, gaps: bool = True, **options: str) -> FitResult:
    """A fit, made once."""
    return gm.fit(model, data(gaps=gaps), **options)


def values(fit: object) -> dict[str, float]:
    """The estimates by name."""
    return dict(zip(fit.estimates["name"], fit.estimates["estimate"], strict=True))


def errors(fit: object) -> np.ndarray:
    """The standard errors."""
    return fit.estimates["std_error"].to_numpy()


def theta_of(fit: object) -> np.ndarray:
    """G11, G12, G22 and the residual variance."""
    return fit.estimates["estimate"].to_numpy()[-4:]


def covariance(z: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """``Z G Z' + s I``."""
    g = np.array([[theta[0], theta[1]], [theta[1], theta[2]]])
    return z @ g @ z.T + theta[3] * np.eye(len(z))


SLOPES = 4


def slope(z: np.ndarray, j: int) -> np.ndarray:
    """The derivative of the covariance matrix in the j-th covariance parameter."""
    return covariance(z, np.eye(SLOPES)[j])


def persons(frame: pd.DataFrame, theta: np.ndarray, *, sex: bool = True) -> list[Person]:
    """Every person's arrays."""
    made = []
    for _, rows in frame.dropna(subset=["gpa"]).groupby("student"):
        t = rows["occasion"].to_numpy(float)
        male = (rows["sex"] == "male").to_numpy(float)
        z = np.column_stack([np.ones_like(t), t])
        x = np.column_stack([z, male, male * t]) if sex else z
        made.append(Person(rows["gpa"].to_numpy(), x, z, covariance(z, theta)))
    return made


def sums(people: list[Person]) -> tuple[np.ndarray, np.ndarray]:
    """``sum X'V^-1 X`` and ``sum X'V^-1 y``."""
    left = sum(p.x.T @ np.linalg.solve(p.v, p.x) for p in people)
    right = sum(p.x.T @ np.linalg.solve(p.v, p.y) for p in people)
    return left, right


def log_likelihood(people: list[Person], beta: np.ndarray, *, reml: bool = False) -> float:
    """The first two formulas of the page on likelihoods."""
    total = 0.0
    for p in people:
        r = p.y - p.x @ beta
        total += np.linalg.slogdet(p.v)[1] + r @ np.linalg.solve(p.v, r)
    n = sum(len(p.y) for p in people)
    if reml:
        total += np.linalg.slogdet(sums(people)[0])[1]
        n -= len(beta)
    return -0.5 * (n * LOG_2PI + total)


def growth_curve() -> str:
    """The same model as a growth curve."""
    return gm.translate(SEX, "lavaan", data=data()).text


@pytest.mark.parametrize("estimator", ["ml", "reml"])
@pytest.mark.parametrize("gaps", [False, True])
def test_likelihoods_of_both_sides(estimator: str, gaps: bool) -> None:
    fit = fitted(gaps=gaps, estimator=estimator)
    people = persons(data(gaps=gaps), theta_of(fit))
    left, right = sums(people)
    beta = np.linalg.solve(left, right)
    assert fit.estimates["estimate"].to_numpy()[:4] == pytest.approx(beta, abs=1e-9)
    expected = log_likelihood(people, beta, reml=estimator == "reml")
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-8)
    other = gm.fit(
        growth_curve(), data(gaps=gaps), id="student", time="occasion", estimator=estimator
    )
    assert other.log_likelihood == pytest.approx(expected, abs=1e-7)
    n = sum(len(p.y) for p in people) - (4 if estimator == "reml" else 0)
    scale = theta_of(fit)[3]
    square = sum((r := p.y - p.x @ beta) @ np.linalg.solve(p.v / scale, r) for p in people)
    assert square / n == pytest.approx(scale, rel=1e-6)


def test_sum_over_patterns() -> None:
    fit = fitted(LINEAR)
    theta = theta_of(fit)
    beta = fit.estimates["estimate"].to_numpy()[:2]
    wide = gm.to_wide(data(gaps=True), id="student", time="occasion", values=["gpa", "lib_hours"])
    y = wide[OUTCOMES].to_numpy()
    z = np.column_stack([np.ones(6), np.arange(6)])
    mu, sigma = z @ beta, covariance(z, theta)
    total = 0.0
    for seen in np.unique(~np.isnan(y), axis=0):
        if not seen.any():
            continue
        rows = y[(~np.isnan(y) == seen).all(axis=1)][:, seen]
        n, mean = len(rows), rows.mean(axis=0)
        s = np.cov(rows.T, bias=True).reshape(len(mean), -1) if n > 1 else 0 * np.outer(mean, mean)
        inverse = np.linalg.inv(sigma[np.ix_(seen, seen)])
        gap = mean - mu[seen]
        total += n * (
            seen.sum() * LOG_2PI
            - np.linalg.slogdet(inverse)[1]
            + np.trace(s @ inverse)
            + gap @ inverse @ gap
        )
    assert -0.5 * total == pytest.approx(fit.log_likelihood, abs=1e-8)


def test_reml_from_ml_in_closed_form() -> None:
    ml, reml = fitted(gaps=False), fitted(gaps=False, estimator="reml")
    z = np.column_stack([np.ones(6), np.arange(6)])
    n, k, s = 200, 2, theta_of(ml)[3]
    g = ml.factor_cov.to_numpy()
    expected = g + k / (n - k) * (g + s * np.linalg.inv(z.T @ z))
    assert reml.factor_cov.to_numpy() == pytest.approx(expected, abs=1e-8)
    assert theta_of(reml)[3] == pytest.approx(s, abs=1e-8)
    assert errors(reml)[:4] == pytest.approx(errors(ml)[:4] * np.sqrt(n / (n - k)), abs=1e-8)


def test_joint_is_conditional_plus_that_of_the_covariates() -> None:
    wide = gm.to_wide(data(), id="student", time="occasion", values=["gpa", "lib_hours"])
    wide["male"] = (wide["sex"] == "male").astype(float)
    text = "\n".join(f"i =~ 1*{y}\ns =~ {k}*{y}" for k, y in enumerate(OUTCOMES))
    text += "\ni + s ~ male"
    free = text + "\nmale ~ 1\nmale ~~ male"
    joint = gm.fit(f"growth('{free}', fixed.x = FALSE)", wide)
    conditional = gm.fit(f"growth('{text}')", wide)
    x, n = wide["male"], len(wide)
    own = -n / 2 * (LOG_2PI + np.log(x.var(ddof=0)) + 1)
    assert joint.log_likelihood == pytest.approx(conditional.log_likelihood + own, abs=1e-7)
    assert joint.n_parameters == conditional.n_parameters + 2


@cache
def clustered() -> pd.DataFrame:
    """Twelve schools with four to seven children, seen up to four times."""
    rng = np.random.default_rng(5)
    rows = []
    for c in range(12):
        level, rate = rng.normal(0, 1, 2)
        for k in range(4 + c % 4):
            a, b = rng.normal(0, 1, 2) * (1.0, 0.5)
            for t in range(4):
                if rng.random() > 0.15:
                    y = 5 + level + a + (1 + 0.4 * rate + b) * t + rng.normal(0, 0.7)
                    rows.append((f"s{c}", f"s{c}c{k}", t, y))
    return pd.DataFrame(rows, columns=["school", "child", "t", "y"])


def test_likelihood_of_clusters() -> None:
    frame = clustered()
    fit = gm.fit("y ~ t + (t | school/child)", frame)
    v = values(fit)
    beta = np.array([v["(Intercept)"], v["t"]])
    blocks = {}
    for level in ("school", "child"):
        own = {name: x for name, x in v.items() if level in name.split("|")[-1].split(":")[-1]}
        blocks[level] = np.array(list(own.values()))
    residual = v["var(Residual)"]
    dense = direct = 0.0
    for _, cluster in frame.groupby("school"):
        z = np.column_stack([np.ones(len(cluster)), cluster["t"]])
        r = cluster["y"].to_numpy() - z @ beta
        between = covariance(z, np.r_[blocks["school"], 0.0])
        child = cluster["child"].to_numpy()
        within = covariance(z, np.r_[blocks["child"], 0.0]) * (child[:, None] == child)
        within += residual * np.eye(len(z))
        total = between + within
        dense += np.linalg.slogdet(total)[1] + r @ np.linalg.solve(total, r)
        g = np.array([[blocks["school"][0], blocks["school"][1]], blocks["school"][1:]])
        b = np.column_stack([np.ones(4), np.arange(4)]) @ g
        b = b @ np.column_stack([np.ones(4), np.arange(4)]).T
        a, left = np.zeros((4, 4)), np.zeros(4)
        for name in np.unique(child):
            mine = child == name
            pick = np.eye(4)[cluster["t"].to_numpy()[mine]]
            w = within[np.ix_(mine, mine)]
            a += pick.T @ np.linalg.solve(w, pick)
            left += pick.T @ np.linalg.solve(w, r[mine])
            direct += np.linalg.slogdet(w)[1] + r[mine] @ np.linalg.solve(w, r[mine])
        direct += np.linalg.slogdet(np.eye(4) + b @ a)[1]
        direct -= left @ b @ np.linalg.solve(np.eye(4) + a @ b, left)
    for total in (dense, direct):
        expected = -0.5 * (len(frame) * LOG_2PI + total)
        assert fit.log_likelihood == pytest.approx(expected, abs=1e-7)


def information(people: list[Person], beta: np.ndarray, *, observed: bool) -> np.ndarray:
    """The information matrices of the page on uncertainty."""
    p = len(beta)
    made = np.zeros((p + SLOPES, p + SLOPES))
    for one in people:
        inverse = np.linalg.inv(one.v)
        u = inverse @ (one.y - one.x @ beta)
        made[:p, :p] += one.x.T @ inverse @ one.x
        for j in range(SLOPES):
            vj = slope(one.z, j)
            if observed:
                made[:p, p + j] += one.x.T @ inverse @ vj @ u
            for k in range(SLOPES):
                vk = slope(one.z, k)
                trace = 0.5 * np.trace(inverse @ vj @ inverse @ vk)
                made[p + j, p + k] += u @ vj @ inverse @ vk @ u - trace if observed else trace
    made[p:, :p] = made[:p, p:].T
    return made


@pytest.mark.parametrize("kind", ["expected", "observed"])
def test_information(kind: str) -> None:
    fit = fitted(information=kind)
    people = persons(data(gaps=True), theta_of(fit))
    beta = fit.estimates["estimate"].to_numpy()[:4]
    matrix = information(people, beta, observed=kind == "observed")
    expected = np.sqrt(np.diag(np.linalg.inv(matrix)))
    assert errors(fit) == pytest.approx(expected, rel=1e-6)
    if kind == "observed":
        assert np.abs(matrix[:4, 4:]).max() > 1


def test_sandwiches() -> None:
    fit = fitted()
    people = persons(data(gaps=True), theta_of(fit))
    beta = fit.estimates["estimate"].to_numpy()[:4]
    m = np.linalg.inv(sums(people)[0])
    plain, reduced = np.zeros((4, 4)), np.zeros((4, 4))
    for p in people:
        r = p.y - p.x @ beta
        lower = np.linalg.cholesky(p.v)
        power, turn = np.linalg.eigh(lower.T @ (p.v - p.x @ m @ p.x.T) @ lower)
        a = lower @ (turn / np.sqrt(power)) @ turn.T @ lower.T
        scores = p.x.T @ np.linalg.solve(p.v, np.column_stack([r, a @ r]))
        plain += np.outer(scores[:, 0], scores[:, 0])
        reduced += np.outer(scores[:, 1], scores[:, 1])
    for robust, meat in (("cr0", plain), ("cr2", reduced)):
        expected = np.sqrt(np.diag(m @ meat @ m))
        assert errors(fitted(robust=robust))[:4] == pytest.approx(expected, rel=1e-6)


def test_sandwich_of_means_and_covariances() -> None:
    fit = gm.fit(growth_curve(), data(gaps=True), id="student", time="occasion", robust="observed")
    theta = theta_of(fitted())
    people = persons(data(gaps=True), theta)
    beta = fitted().estimates["estimate"].to_numpy()[:4]
    inverse = np.linalg.inv(information(people, beta, observed=True))
    meat = np.zeros_like(inverse)
    for p in people:
        u = np.linalg.solve(p.v, p.y - p.x @ beta)
        rates = [slope(p.z, j) for j in range(SLOPES)]
        score = [0.5 * (u @ v @ u - np.trace(np.linalg.solve(p.v, v))) for v in rates]
        score = np.r_[p.x.T @ u, score]
        meat += np.outer(score, score)
    expected = np.sqrt(np.diag(inverse @ meat @ inverse))
    found = {round(value, 12) for value in errors(fit)}  # one of six rows of the shared label
    assert sorted(found) == pytest.approx(sorted(expected), rel=1e-4)


def restricted(theta: np.ndarray, people: list[Person]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The information of covariance parameters by REML, and the pieces of Kenward and Roger."""
    x = np.vstack([p.x for p in people])
    n = len(x)
    v, rates = np.zeros((n, n)), [np.zeros((n, n)) for _ in theta]
    at = 0
    for p in people:
        block = slice(at, at + len(p.y))
        v[block, block] = p.v
        for j, rate in enumerate(rates):
            rate[block, block] = slope(p.z, j)
        at += len(p.y)
    inverse = np.linalg.inv(v)
    phi = np.linalg.inv(x.T @ inverse @ x)
    p = inverse - inverse @ x @ phi @ x.T @ inverse
    turned = [p @ rate for rate in rates]
    matrix = np.array([[0.5 * np.sum(a * b.T) for b in turned] for a in turned])
    first = [-x.T @ inverse @ r @ inverse @ x for r in rates]
    second = [[x.T @ inverse @ a @ inverse @ b @ inverse @ x for b in rates] for a in rates]
    return matrix, [phi, np.array(first), np.array(second)]


def curvature(theta: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    """Second derivatives of the restricted likelihood, by differences."""

    def value(at: np.ndarray) -> float:
        people = persons(frame, at)
        return log_likelihood(people, np.linalg.solve(*sums(people)), reml=True)

    step = 1e-3 * np.sqrt(np.outer(theta[[0, 2, 3]], theta[[0, 2, 3]]).diagonal())
    step = np.array([step[0], np.sqrt(step[0] * step[1]), step[1], step[2]])
    made = np.zeros((SLOPES, SLOPES))
    for j in range(SLOPES):
        for k in range(j + 1):
            a, b = step[j] * np.eye(SLOPES)[j], step[k] * np.eye(SLOPES)[k]
            corners = value(theta + a + b) - value(theta + a - b)
            corners += value(theta - a - b) - value(theta - a + b)
            made[j, k] = made[k, j] = corners / (4 * step[j] * step[k])
    return made


def test_degrees_of_freedom() -> None:
    few = data(gaps=True)[lambda d: d["student"] <= 20]
    fit = gm.fit(SEX, few, estimator="reml", df="satterthwaite")
    people = persons(few, theta_of(fit))
    matrix, (phi, first, second) = restricted(theta_of(fit), people)
    spread = np.linalg.inv(matrix)
    assert errors(fit)[4:] == pytest.approx(np.sqrt(np.diag(spread)), rel=1e-5)
    observed = np.linalg.inv(-curvature(theta_of(fit), few))
    for k in range(4):
        gradient = np.array([-(phi @ f @ phi)[k, k] for f in first])
        nu = 2 * phi[k, k] ** 2 / (gradient @ observed @ gradient)
        assert fit.estimates["df"][k] == pytest.approx(nu, rel=1e-3)
    adjusted = gm.fit(SEX, few, estimator="reml", df="kenward-roger")
    inner = second - np.einsum("aij,jk,bkl->abil", first, phi, first)
    phi_a = phi + 2 * phi @ np.einsum("ab,abij->ij", spread, inner) @ phi
    assert errors(adjusted)[:4] == pytest.approx(np.sqrt(np.diag(phi_a)), rel=1e-5)


def test_a_variance_at_its_bound() -> None:
    x = gm.test_variance(fitted(), "occasion")
    expected = 0.5 * chi2.sf(x.statistic, 1) + 0.5 * chi2.sf(x.statistic, 2)
    assert x.p_value == pytest.approx(expected, rel=1e-9)


def test_profile_interval() -> None:
    fit = fitted(LINEAR)
    interval = fit.confidence_intervals("profile").set_index("name").loc["occasion"]
    for end in (interval["ci_low"], interval["ci_high"]):
        less = data(gaps=True).assign(gpa=lambda d, b=end: d["gpa"] - b * d["occasion"])
        held = gm.fit("gpa ~ 1 + (occasion | student)", less, id="student", time="occasion")
        fall = 2 * (fit.log_likelihood - held.log_likelihood)
        assert fall == pytest.approx(chi2.ppf(0.95, 1), rel=1e-4)


def test_criteria_and_fit_measures() -> None:
    text = gm.translate(LINEAR, "lavaan", data=data()).text
    fit = gm.fit(text, data(), id="student", time="occasion")
    ll, k, n = fit.log_likelihood, 6, 200
    assert fit.aic == pytest.approx(-2 * ll + 2 * k)
    assert fit.bic == pytest.approx(-2 * ll + k * np.log(1200))
    assert fit.bic_subjects == pytest.approx(-2 * ll + k * np.log(n))
    page = (DOCS / "mathematics" / "uncertainty.md").read_text(encoding="utf-8")
    assert f"{fit.bic:.4f}" in page
    assert f"{fit.bic_subjects:.4f}" in page
    wide = gm.to_wide(data(), id="student", time="occasion", values=["gpa", "lib_hours"])
    s = np.cov(wide[OUTCOMES].T, bias=True)
    top = -n / 2 * (6 * LOG_2PI + np.linalg.slogdet(s)[1] + 6)
    low = -n / 2 * (6 * LOG_2PI + np.log(np.diag(s)).sum() + 6)
    x, df, x0, df0 = 2 * (top - ll), 27 - k, 2 * (top - low), 15
    found = fit.fit_measures
    assert found["chi_square"] == pytest.approx(x)
    assert found["rmsea"] == pytest.approx(np.sqrt((x - df) / (n * df)))
    assert found["cfi"] == pytest.approx(1 - (x - df) / (x0 - df0))
    assert found["tli"] == pytest.approx((x0 / df0 - x / df) / (x0 / df0 - 1))
    z = np.column_stack([np.ones(6), np.arange(6)])
    v = values(fit)
    theta = np.array([v["i~~i"], v["i~~s"], v["s~~s"], v.get("v", v.get("gpa_0~~gpa_0"))])
    scale = np.sqrt(np.diag(s))
    gaps = ((s - covariance(z, theta)) / np.outer(scale, scale))[np.tril_indices(6)]
    means = (wide[OUTCOMES].mean().to_numpy() - z @ [v["i~1"], v["s~1"]]) / scale
    assert found["srmr"] == pytest.approx(np.sqrt(((gaps**2).sum() + (means**2).sum()) / 27))


def test_variance_accounted_for() -> None:
    fit = fitted()
    people = persons(data(gaps=True), theta_of(fit))
    beta = fit.estimates["estimate"].to_numpy()[:4]
    fixed = np.concatenate([p.x @ beta for p in people]).var(ddof=1)
    s = theta_of(fit)[3]
    random = np.concatenate([np.diag(p.v) - s for p in people]).mean()
    found = gm.r_squared(fit)
    assert found.marginal == pytest.approx(fixed / (fixed + random + s), rel=1e-9)
    assert found.conditional == pytest.approx((fixed + random) / (fixed + random + s), rel=1e-9)


def test_predictions() -> None:
    fit = fitted()
    g = fit.factor_cov.to_numpy()
    beta = fit.estimates["estimate"].to_numpy()[:4]
    people = persons(data(gaps=True), theta_of(fit))
    blups = np.array([g @ p.z.T @ np.linalg.solve(p.v, p.y - p.x @ beta) for p in people])
    assert fit.random_effects.to_numpy() == pytest.approx(blups, abs=1e-9)


def structure(kind: str, own: dict[str, float], times: np.ndarray) -> np.ndarray:
    """A residual covariance matrix by the table of the page on parameter maps."""
    d = np.abs(np.subtract.outer(times, times))
    v, rho = own.get("var(Residual)", 0.0), own.get("rho(Residual)", own.get("rho(AR1)", 0.0))
    each = np.array([own.get(f"var(Residual[{t:g}])", 0.0) for t in times])
    roots = np.sqrt(np.outer(each, each))
    if kind in ("banded:1", "unstructured"):
        return np.diag(each) + sum(
            own.get(f"cov(Residual[{a:g}],Residual[{b:g}])", 0.0)
            * ((np.add.outer(times, times) == a + b) & (d == b - a))
            for a in times
            for b in times[times > a]
        )
    return {
        "common": v * (d == 0),
        "by_occasion": np.diag(each),
        "ar1": v * rho**d,
        "ar1+common": own.get("var(AR1)", 0.0) * rho**d + v * (d == 0),
        "arh1": roots * rho**d,
        "cs": np.where(d == 0, v, v * rho),
        "csh": np.where(d == 0, roots, roots * rho),
        "toeplitz": v * (d == 0)
        + sum(own.get(f"cov(Residual[lag {lag}])", 0.0) * (d == lag) for lag in range(1, 6)),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "common",
        "by_occasion",
        "ar1",
        "ar1+common",
        "arh1",
        "cs",
        "csh",
        "toeplitz",
        "banded:1",
        "unstructured",
    ],
)
def test_residual_structures(kind: str) -> None:
    fit = gm.fit("gpa ~ occasion", data(), id="student", time="occasion", residual=kind)
    own = values(fit)
    expected = structure(kind, own, np.arange(6.0))
    held = gm.implied(
        "gpa ~ occasion", own, data(), id="student", time="occasion", residual=kind
    ).cov.to_numpy()
    assert held == pytest.approx(expected, abs=1e-12)
    assert len(own) - 2 == {"common": 1, "ar1": 2, "cs": 2, "ar1+common": 3}.get(
        kind, {"by_occasion": 6, "toeplitz": 6, "banded:1": 11, "unstructured": 21}.get(kind, 7)
    )


@pytest.mark.parametrize("kind", ["ar1", "ar1+common"])
def test_autocorrelation_goes_by_times(kind: str) -> None:
    frame = data()[lambda d: d["occasion"].isin((0, 1, 4))]
    own = {"(Intercept)": 2.0, "occasion": 0.1, "var(Residual)": 0.3, "rho(Residual)": 0.6}
    if kind == "ar1+common":
        own |= {"var(AR1)": 0.2, "rho(AR1)": own.pop("rho(Residual)")}
    found = gm.implied("gpa ~ occasion", own, frame, id="student", time="occasion", residual=kind)
    expected = structure(kind, own, np.array([0.0, 1.0, 4.0]))
    assert found.cov.to_numpy() == pytest.approx(expected, abs=1e-12)


def _worked_out(text: str, known: dict[str, float]) -> float:
    """The value of a constraint's right side."""
    return eval(text.replace("^", "**"), {}, known)


def test_map_of_ar1_with_common_variance() -> None:
    made = gm.translate(
        "gpa ~ occasion", "lavaan", data=data(), id="student", residual="ar1+common"
    )
    a, rho, s = 0.2, 0.7, 0.1
    c = {k: a * rho**k for k in range(1, 6)}
    for left, right in re.findall(r"^(c\d) == (.*)$", made.text, flags=re.MULTILINE):
        known = {f"c{k}": value for k, value in c.items()}
        assert known[left] == pytest.approx(_worked_out(right, known))
    assert (c[2] / c[1], c[1] ** 2 / c[2], a + s - c[1] ** 2 / c[2]) == pytest.approx((rho, a, s))


def test_recoding_of_time() -> None:
    tens = data().assign(tens=lambda d: (d["occasion"] - 5) / 10)
    old = gm.fit(LINEAR, tens, estimator="reml")
    new = gm.fit("gpa ~ tens + (tens | student)", tens, estimator="reml")
    a = np.array([[1.0, 5.0], [0.0, 10.0]])
    assert new.log_likelihood - old.log_likelihood == pytest.approx(np.log(10), abs=1e-7)
    g = a @ old.factor_cov.to_numpy() @ a.T
    assert new.factor_cov.to_numpy() == pytest.approx(g, abs=1e-6)
    alpha = a @ old.estimates["estimate"].to_numpy()[:2]
    assert new.estimates["estimate"].to_numpy()[:2] == pytest.approx(alpha, abs=1e-8)
    page = (DOCS / "mathematics" / "parameter-maps.md").read_text(encoding="utf-8")
    for origin in (0, 3):
        shifted = tens.assign(occasion=tens["occasion"] - origin)
        fit = gm.fit("gpa ~ occasion + (occasion || student)", shifted)
        assert f"{fit.log_likelihood:.4f}" in page


def test_penalty() -> None:
    plain, fit = fitted(LINEAR), fitted(LINEAR, penalty="wishart")

    def penalised(one: object) -> float:
        g, s = one.factor_cov.to_numpy(), theta_of(one)[3]
        return one.log_likelihood + 0.75 * (np.linalg.slogdet(g)[1] - 2 * np.log(s))

    people = persons(data(gaps=True), theta_of(fit), sex=False)
    beta = np.linalg.solve(*sums(people))
    assert fit.log_likelihood == pytest.approx(log_likelihood(people, beta), abs=1e-8)
    assert penalised(fit) > penalised(plain)


def test_every_formula_has_its_source() -> None:
    pages = (DOCS / "mathematics").glob("*.md")
    links = [link for p in pages for link in re.findall(r"\]\((http[^)]*)\)", p.read_text())]
    assert len(links) > 25
    assert [link for link in links if not link.startswith("https://doi.org/10.")] == []
