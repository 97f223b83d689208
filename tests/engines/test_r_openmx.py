"""OpenMx and glmmTMB as live witnesses, against our engines and the golden numbers."""

from dataclasses import replace

import numpy as np
import pytest
from wide_models import GPA, case_model, golden, growth_model, polynomial, table, wide_group

import growthmm as gm
from growthmm.engines import long, wide
from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.r import available, fit_glmmtmb, fit_lavaan, fit_openmx
from growthmm.engines.r.arithmetic import arithmetic
from growthmm.engines.registry import ENGINES, states
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.errors import UnsupportedEngineError
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import Constraint, Path, SemModel

ONE = "(Intercept)"


def wide_case(name):
    data, model = case_model(name)
    return WideProblem(model, (wide_group(table(data), model),))


def individual_times():
    ys = [f"y_{k}" for k in range(1, 8)]
    model = growth_model(
        {"i": dict.fromkeys(ys, 1.0), "s": dict.fromkeys(ys, 0.0)},
        definitions={("s", f"y_{k}"): f"time_{k}" for k in range(1, 8)},
    )
    frame = table("E02_unbalanced_wide")
    return WideProblem(model, (wide_group(frame, model, [f"time_{k}" for k in range(1, 8)]),))


def agree(witness, ours, errors=2e-3):
    assert witness.convergence.converged
    assert witness.names == ours.names
    assert witness.log_likelihood == pytest.approx(ours.log_likelihood, abs=1e-6)
    distance = np.abs(witness.estimates - ours.estimates) / ours.standard_errors
    assert np.max(distance) < 1e-3
    assert (witness.n_subjects, witness.n_rows) == (ours.n_subjects, ours.n_rows)
    if errors is not None:
        np.testing.assert_allclose(witness.standard_errors, ours.standard_errors, rtol=errors)


@pytest.mark.r("OpenMx")
@pytest.mark.parametrize(
    "name", ["A08c", *(pytest.param(n, marks=pytest.mark.nightly) for n in ("A05", "G01", "L01"))]
)
def test_openmx_agrees_with_the_wide_engine(name):
    problem = wide_case(name)
    agree(fit_openmx(problem), wide.fit(problem, information="observed"))


@pytest.mark.r("OpenMx")
def test_openmx_with_individual_times_and_starts():
    problem = individual_times()
    ours = wide.fit(problem, information="observed")
    witness = fit_openmx(problem, start=ours.estimates)
    agree(witness, ours)
    sem = golden("E02_sim_unbalanced")["sem"]
    assert witness.log_likelihood == pytest.approx(sem["logLik"], abs=1e-7)
    np.testing.assert_allclose(
        [witness.value(n) for n in ("i~1", "s~1", "i~~i", "i~~s", "s~~s", "r")],
        [sem["estimates"][n] for n in ("b0", "b1", "G11", "G12", "G22", "sigma2")],
        rtol=1e-5,
    )
    assert witness.version == available()["OpenMx"]


@pytest.mark.r("OpenMx")
@pytest.mark.nightly
def test_openmx_in_groups_with_constraints_and_bounds():
    frame = table("A_gpa_wide")
    base = growth_model(polynomial(GPA, 1))
    paths = [
        replace(p, group=g, label=(p.label or p.name) if p.free and p.op == "~~" else p.label)
        for g in range(2)
        for p in base.paths
    ]
    paths = [replace(p, lower=1e-4) if p.label == "r" else p for p in paths]
    both = replace(
        base, paths=tuple(paths), n_groups=2, constraints=(Constraint("s~~s", "==", "0.2 * r**1"),)
    )
    halves = (frame[frame["sex"] == "female"], frame[frame["sex"] == "male"])
    problem = WideProblem(both, tuple(wide_group(half, both) for half in halves))
    agree(fit_openmx(problem), wide.fit(problem), errors=None)


@pytest.mark.r("OpenMx")
@pytest.mark.nightly
def test_openmx_from_moments():
    problem = wide_case("A04")
    data = np.column_stack([problem.groups[0].outcomes, problem.groups[0].covariates])
    moments = WideMoments(data.mean(axis=0), np.cov(data.T, bias=True), len(data))
    whole = wide.fit(problem, information="observed")
    agree(fit_openmx(WideProblem(problem.model, (moments,))), whole)
    few = WideProblem(problem.model, (replace(moments, n=5),))
    with pytest.raises(UnsupportedEngineError, match="No data of 5 persons"):
        fit_openmx(few)


@pytest.mark.r("OpenMx")
@pytest.mark.nightly
def test_a_missing_covariate_costs_what_it_acts_on():
    problem = wide_case("A04")
    group = problem.groups[0]
    covariates = group.covariates.copy()
    covariates[:5] = np.nan
    witness = fit_openmx(WideProblem(problem.model, (WideGroup(group.outcomes, covariates),)))
    rest = WideGroup(group.outcomes[5:], group.covariates[5:])
    ours = wide.fit(WideProblem(problem.model, (rest,)), information="observed")
    agree(witness, ours)


@pytest.mark.r("OpenMx")
@pytest.mark.nightly
def test_names_are_no_code(tmp_path):
    file = tmp_path / "touched"
    nasty = f'y"); system("touch {file}")'
    rng = np.random.default_rng(5)
    model = SemModel((Path(nasty, "~1"), Path(nasty, "~~", nasty, label=nasty)), (), (nasty,))
    problem = WideProblem(model, (WideGroup(rng.normal(size=(40, 1)), np.empty((40, 0))),))
    agree(fit_openmx(problem), wide.fit(problem, information="observed"))
    assert not file.exists()


def long_problem(name="A_gpa", *, kind="common", n_random=2, blocks=None, by=None):
    frame = table(f"{name}_long").dropna(subset=["gpa"])
    design = np.column_stack([np.ones(len(frame)), frame["occasion"]]).astype(float)
    names = (ONE, "occasion")
    persons = {person: k for k, person in enumerate(dict.fromkeys(frame["student"]))}
    whole = (RandomEffects(names[:n_random], tuple(range(n_random))),) if n_random else ()
    return LongProblem(
        frame["gpa"].to_numpy(float), design, names, design[:, :n_random],
        whole if blocks is None else blocks, frame["student"].map(persons).to_numpy(int),
        len(persons), "student", frame["occasion"].to_numpy(int),
        tuple(float(t) for t in range(6)), ResidualStructure(kind, by=by),
        (frame["sex"] == "male").to_numpy(int), ("female", "male"),
    )  # fmt: skip


APART = (RandomEffects((ONE, "occasion"), (0, 1), diagonal=True),)
STRUCTURES = {
    "common, REML, missing": ({"name": "A08_gpa_missing"}, "reml"),
    "by_occasion": ({"kind": "by_occasion"}, "ml"),
    "uncorrelated": ({"blocks": APART}, "ml"),
    "by_group": ({"kind": "by_group", "by": "sex"}, "ml"),
    "ar1": ({"kind": "ar1"}, "ml"),
    "ar1+common, no random effects": ({"kind": "ar1+common", "n_random": 0}, "ml"),
    "csh, no random effects": ({"kind": "csh", "n_random": 0}, "ml"),
    "unstructured, no random effects": ({"kind": "unstructured", "n_random": 0}, "ml"),
}
QUICK = ("by_occasion",)


@pytest.mark.r("glmmTMB")
@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.nightly) for n in STRUCTURES],
)
def test_glmmtmb_agrees_with_the_long_engine(name):
    options, estimator = STRUCTURES[name]
    problem = long_problem(**options)
    ours = long.fit(problem, estimator=estimator, information="observed")
    witness = fit_glmmtmb(problem, estimator=estimator)
    assert witness.names == ours.names
    assert witness.convergence.converged
    assert not witness.boundary.at_boundary
    assert witness.log_likelihood == pytest.approx(ours.log_likelihood, abs=5e-6)
    assert np.max(np.abs(witness.estimates - ours.estimates) / ours.standard_errors) < 1e-3
    errors = witness.standard_errors[:2]
    if estimator == "reml":
        assert np.all(np.isnan(errors))
    else:
        np.testing.assert_allclose(errors, ours.standard_errors[:2], rtol=1e-5)
    assert witness.version == available()["glmmTMB"]


@pytest.mark.r("glmmTMB")
@pytest.mark.nightly
def test_glmmtmb_says_that_a_fit_is_singular():
    problem = long_problem(kind="ar1+common", n_random=1)
    ours, witness = long.fit(problem), fit_glmmtmb(problem)
    assert ours.boundary.at_boundary
    assert witness.boundary.at_boundary
    assert witness.log_likelihood == pytest.approx(ours.log_likelihood, abs=1e-5)


@pytest.mark.r("glmmTMB")
@pytest.mark.nightly
def test_ar1_at_times_two_apart_is_per_unit_of_time():
    problem = long_problem(kind="ar1")
    twice = replace(problem, occasions=tuple(2.0 * t for t in problem.occasions))
    one, two = fit_glmmtmb(problem), fit_glmmtmb(twice)
    assert two.value("rho(Residual)") == pytest.approx(one.value("rho(Residual)") ** 0.5, rel=1e-6)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)


def test_refusals_name_the_reason():
    problem = long_problem()
    with pytest.raises(UnsupportedEngineError, match="no residual structure toeplitz"):
        fit_glmmtmb(replace(problem, residual=ResidualStructure("toeplitz")))
    uneven = replace(long_problem(kind="ar1"), occasions=(0.0, 1.0, 2.5, 3.0, 4.0, 5.1))
    with pytest.raises(UnsupportedEngineError, match="equally spaced"):
        fit_glmmtmb(uneven)
    wide_problem = WideProblem(
        growth_model(polynomial(GPA, 1)), (WideGroup(np.zeros((4, 6)), np.empty((4, 0))),)
    )
    with pytest.raises(UnsupportedEngineError, match="no REML"):
        fit_openmx(wide_problem, estimator="reml")
    with pytest.raises(UnsupportedEngineError, match="no expected information"):
        fit_openmx(wide_problem, information="expected")


def test_powers_in_constraints():
    assert arithmetic("0.1*r**2 + r^2", {"r": "p1"}, "lavaan") == "0.1 * p1 ^ 2 + p1 ^ 2"
    with pytest.raises(UnsupportedEngineError, match="The witness OpenMx takes only arithmetic"):
        arithmetic("system('ls')", {"r": "p1"}, "OpenMx")


@pytest.mark.r("lavaan")
@pytest.mark.nightly
def test_lavaan_takes_powers_too():
    problem = wide_case("A02")
    model = replace(problem.model, constraints=(Constraint("s~~s", "==", "2.5 * r**2"),))
    result = fit_lavaan(WideProblem(model, problem.groups))
    assert result.value("s~~s") == pytest.approx(2.5 * result.value("r") ** 2, rel=1e-4)


@pytest.mark.r("OpenMx", "glmmTMB")
def test_they_are_engines_by_name():
    known = {state.name: state for state in states()}
    assert {ENGINES[n].family for n in ("openmx",)} == {"sem"}
    assert ENGINES["glmmtmb"].family == "mixed"
    assert known["openmx"].version == available()["OpenMx"]
    assert known["glmmtmb"].installed


@pytest.mark.r("OpenMx", "glmmTMB")
@pytest.mark.nightly
def test_verify_counts_them():
    formula = "gpa ~ occasion + (occasion | student)"
    result = gm.verify(formula, gm.datasets.gpa(), engines=["openmx", "glmmtmb"])
    table = result.engines.set_index("name")
    assert table.loc[["openmx", "glmmtmb"], "used"].all()
    assert result.verdict == "identical"
