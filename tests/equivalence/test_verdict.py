"""Evidence that contradicts is never called identity: wrong translations, parts that fail."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

import growthmm as gm
from growthmm.engines.outcome import Convergence
from growthmm.engines.prepare import long_data, wide_data
from growthmm.engines.registry import ENGINES
from growthmm.equivalence import agreement, evidence
from growthmm.equivalence.correspondence import correspondence
from growthmm.equivalence.evidence import Level
from growthmm.equivalence.fits import EngineReport, Fits, fit_both, newton_distance
from growthmm.equivalence.referee import referee_log_likelihood, rounding
from growthmm.equivalence.verdict import _support, model_verdict, verdict
from growthmm.model.sem import Path
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

FORMULA = "gpa ~ occasion + (1 + occasion | student)"


@cache
def sides() -> tuple:
    """The pair, both data, both fits of the built-in data."""
    data = gm.datasets.gpa()
    pair, frame = paired(source(FORMULA).model, data, Facts("student", "occasion"))
    long, wide = long_data(pair.mixed, frame), wide_data(pair.sem, frame)
    fits = fit_both(
        long.problem,
        wide.problem,
        estimator="ml",
        bounds=None,
        engines=["long"],
        time_limit=60.0,
    )
    return pair, long, wide, fits


def with_paths(pair: Pair, change) -> Pair:
    """The pair with another SEM than the translation."""
    paths = tuple(changed for path in pair.sem.model.paths for changed in change(path))
    return replace(pair, sem=replace(pair.sem, model=replace(pair.sem.model, paths=paths)))


def levels(**failing: bool | None) -> tuple[Level, ...]:
    names = ("structure", "moments", "likelihood", "estimates", "inference", "predictions")
    return tuple(Level(n, failing.get(n, True), 1.0, 0.1, f"about {n}") for n in names)


@pytest.mark.parametrize(
    "name", ["structure", "moments", "likelihood", "estimates", "inference", "predictions"]
)
def test_a_level_that_fails_is_never_identity(name: str) -> None:
    *_, fits = sides()
    found, reason = verdict(levels(**{name: False}), "identical_if", (), fits)
    assert found == ("approximate" if name in ("estimates", "inference") else "different")
    assert f"about {name}" in reason


def test_no_random_effects_leave_nothing_to_predict() -> None:
    *_, fits = sides()
    assert verdict(levels(predictions=None), "identical", (), fits)[0] == "identical"


def test_unconverged_fits_are_not_called_different_models() -> None:
    pair, long, wide, fits = sides()
    stopped = replace(fits.wide, convergence=Convergence(False, 3, 1.0, 2.0, "stopped"))
    level = agreement.estimates(
        correspondence(pair), long.problem, wide.problem, Fits(fits.long, stopped, fits.reports)
    )
    assert level.passed is False
    assert "wide did not converge" in level.note
    assert verdict(levels(estimates=False), "identical_if", (), fits)[0] == "approximate"


def test_smaller_model_is_nested_with_its_degrees_of_freedom() -> None:
    pair, *_ = sides()

    def uncorrelated(path: Path) -> tuple[Path, ...]:
        if path.op == "~~" and path.left != path.right:
            return (replace(path, free=False, value=0.0),)
        return (path,)

    comparison = evidence.compare_pair_moments(with_paths(pair, uncorrelated))
    assert comparison.nested_df == 1
    found, conditions = model_verdict(
        Level("structure", True, 0.0, 0.0, ""), comparison, pair.growth, None
    )
    assert found == "nested"
    assert conditions == ("the mixed model is the larger one, by 1 degrees of freedom",)


@pytest.mark.parametrize("estimator", ["ml", "reml"])
def test_wrong_loading_shows_in_the_likelihood(estimator: str) -> None:
    pair, long, wide, _ = sides()

    def bent(path: Path) -> tuple[Path, ...]:
        if path.op == "=~" and path.left == "s" and path.value == 5.0:
            return (replace(path, value=5.001),)
        return (path,)

    wrong = with_paths(pair, bent)
    problem = replace(wide.problem, model=wrong.sem.model)
    fits = fit_both(
        long.problem, problem, estimator=estimator, bounds=None, engines=["long"], time_limit=1.0
    )
    level = evidence.likelihood(correspondence(wrong), long.problem, problem, fits)
    assert level.passed is False
    assert level.tolerance == 1e-8


def test_outcome_moved_in_one_form_shows_in_the_estimates() -> None:
    pair, long, wide, fits = sides()
    group = wide.problem.groups[0]
    outcomes = group.outcomes.copy()
    outcomes[0, 0] += 0.5
    problem = replace(wide.problem, groups=(replace(group, outcomes=outcomes),))
    other = fit_both(
        long.problem, problem, estimator="ml", bounds=None, engines=["long"], time_limit=1.0
    )
    link = correspondence(pair)
    assert agreement.estimates(link, long.problem, problem, other).passed is False
    moved = replace(wide, problem=problem)
    assert agreement.predictions(pair, link, long, moved, fits).passed is False


def test_newton_distance_is_a_step_in_standard_errors() -> None:
    _, long, _, fits = sides()
    at = fits.long.estimates.copy()
    assert newton_distance(long.problem, at, "ml") < 1e-8
    at[0] += 0.5 * fits.long.standard_errors[0]
    # With the covariance parameters where they are, the step back is half a standard error.
    assert newton_distance(long.problem, at, "ml") == pytest.approx(0.5, rel=0.2)


def test_rounding_bound_is_small_but_in_odd_units() -> None:
    _, long, _, fits = sides()
    value = referee_log_likelihood(long.problem, fits.long.estimates)
    assert 0 < rounding(long.problem, fits.long.estimates) < 1e-10 * abs(value)


@pytest.mark.parametrize("package", ["lme4", "nlme", "glmmTMB", "lavaan", "OpenMx"])
def test_the_verdict_says_when_r_was_the_witness(package: str) -> None:
    name = package.lower()
    assert ENGINES[name].r_package == package
    assert _support((EngineReport(name, True),)) == f"witness: {name} (R ran)"
    assert _support((EngineReport("semopy", True),)) == "witness: semopy"


def test_reasons_against_witnesses_are_one_list() -> None:
    reports = (EngineReport("statsmodels", False, "No."), EngineReport("semopy", False, "Never."))
    assert _support(reports) == "no witness could be used (statsmodels: No; semopy: Never)"
