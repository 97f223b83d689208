"""Parameters of one side from the other's, where they are not the same numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import growthmm as gm
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import long_data, wide_data
from growthmm.equivalence import agreement, evidence
from growthmm.equivalence.correspondence import (
    Correspondence,
    NoCounterpartError,
    carried,
    correspondence,
)
from growthmm.equivalence.fits import fit_both, newton_distance
from growthmm.model.sem import Constraint, Path
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

FORMULA = "gpa ~ occasion + (1 + occasion | student)"


@cache
def gpa() -> tuple:
    return paired(source(FORMULA).model, gm.datasets.gpa(), Facts("student", "occasion"))


def other_sem(*paths: Path, constraints: tuple[Constraint, ...] = ()) -> Pair:
    """The GPA pair with some of its SEM's paths replaced, or joined by others."""
    pair, _ = gpa()
    new = {(p.left, p.op, p.right): p for p in paths}
    kept = [new.pop((p.left, p.op, p.right), p) for p in pair.sem.model.paths]
    model = replace(pair.sem.model, paths=(*kept, *new.values()), constraints=constraints)
    names = tuple((k, n) for k, n in pair.sem.names if n in model.free_parameters)
    return replace(pair, sem=replace(pair.sem, model=model, names=names))


def by_regression() -> Pair:
    """The covariance of intercept and slope written as a regression: ``b = cov / var``."""
    fixed = Path("i", "~~", "s", free=False, value=0.0)
    pair = other_sem(fixed, Path("s", "~", "i"))
    # With s ~ i its intercept and residual variance are no mean and no variance.
    names = tuple((k, n) for k, n in pair.sem.names if k not in ("mean:s", "cov:s:s"))
    return replace(pair, sem=replace(pair.sem, names=names))


def named(link: Correspondence, mixed: np.ndarray) -> tuple[dict, dict]:
    there = link.to_sem(mixed)
    return (
        dict(zip(link.mixed.names, mixed, strict=True)),
        dict(zip(link.sem.names, there, strict=True)),
    )


def test_a_covariance_written_as_a_regression_is_solved_from_the_moments() -> None:
    link = correspondence(by_regression())
    assert not link.renaming
    mixed, sem = named(link, link.mixed_starts[1])
    cov, var = mixed["cov((Intercept),occasion|student)"], mixed["var((Intercept)|student)"]
    b = cov / var
    assert sem["s~i"] == pytest.approx(b, rel=1e-11)
    assert sem["s~~s"] == pytest.approx(mixed["var(occasion|student)"] - b * cov, rel=1e-11)
    assert sem["s~1"] == pytest.approx(mixed["occasion"] - b * mixed["(Intercept)"], rel=1e-11)
    back = link.to_mixed(link.to_sem(link.mixed_starts[1]))
    np.testing.assert_allclose(back, link.mixed_starts[1], rtol=1e-11, atol=1e-12)
    comparison = evidence.compare_correspondence(link)
    assert comparison.same


def test_slopes_are_the_derivatives_of_the_map() -> None:
    link = correspondence(by_regression())
    values = link.mixed_starts[0]
    there = link.to_sem(values)
    link = link.started(values, there)
    step = 1e-6
    numeric = np.column_stack(
        [
            (link.to_sem(values + step * unit) - link.to_sem(values - step * unit)) / (2 * step)
            for unit in np.eye(len(values))
        ]
    )
    forth, back = link.slopes_back(values, there), link.slopes(values, there)
    np.testing.assert_allclose(forth, numeric, atol=1e-7)
    np.testing.assert_allclose(back @ forth, np.eye(len(values)), atol=1e-10)


def test_evidence_holds_across_a_reparametrisation() -> None:
    pair, (_, frame) = by_regression(), gpa()
    long, wide = long_data(pair.mixed, frame), wide_data(pair.sem, frame)
    fits = fit_both(
        long.problem, wide.problem, estimator="ml", bounds=None, engines=["long"], time_limit=5.0
    )
    link = correspondence(pair).started(fits.long.estimates, fits.wide.estimates)
    for level in (
        evidence.likelihood(link, long.problem, wide.problem, fits),
        agreement.estimates(link, long.problem, wide.problem, fits),
        agreement.inference(link, fits),
    ):
        assert level.passed, level


def test_constraints_are_part_of_the_map_and_of_the_count() -> None:
    rows = [Path(f"gpa_{j}", "~~", f"gpa_{j}", label=f"v{j}") for j in range(6)]
    equal = tuple(Constraint(f"v{j}", "==", f"v{j + 1}") for j in range(5))
    pair = other_sem(*rows, constraints=equal)
    link = correspondence(pair)
    assert link.n_constraints == 5
    mixed, sem = named(link, link.mixed_starts[0])
    for j in range(6):
        assert sem[f"v{j}"] == pytest.approx(mixed["var(Residual)"], rel=1e-10)
    comparison = evidence.compare_correspondence(link)
    assert comparison.same
    assert comparison.n_second == comparison.n_first == 6


def test_a_larger_sem_is_nested_with_its_degrees_of_freedom() -> None:
    rows = [Path(f"gpa_{j}", "~~", f"gpa_{j}", label=f"v{j}") for j in range(6)]
    comparison = evidence.compare_correspondence(correspondence(other_sem(*rows)))
    assert (comparison.covers, comparison.covered) == (True, False)
    assert comparison.nested_df == 5


def test_what_the_other_side_cannot_say_has_no_counterpart() -> None:
    rows = [Path(f"gpa_{j}", "~~", f"gpa_{j}", label=f"v{j}") for j in range(6)]
    link = correspondence(other_sem(*rows))
    with pytest.raises(NoCounterpartError, match="apart"):
        link.to_mixed(link.sem_starts[0])


def test_distance_under_constraints_is_zero_at_the_constrained_optimum() -> None:
    _, frame = gpa()
    rows = [Path(f"gpa_{j}", "~~", f"gpa_{j}", label=f"v{j}") for j in range(6)]
    bent = tuple(Constraint(f"v{j + 1}", "==", f"v{j}^2 / .04") for j in range(5))
    pair = other_sem(*rows, constraints=bent)
    problem = wide_data(pair.sem, frame).problem
    found = wide_engine.fit(problem)
    assert found.convergence.converged
    assert newton_distance(problem, found.estimates, "ml") < 1e-5
    # The score itself is not zero there: the constraints hold the variances.
    assert np.abs(wide_engine.score(problem, found.estimates)).max() > 1.0


def test_errors_are_carried_but_never_made_up() -> None:
    covariance = np.array([[4.0, np.nan], [np.nan, np.nan]])
    made = carried(covariance, np.array([[0.5, 0.0], [1.0, 1.0]]))
    assert made[0, 0] == 1.0
    assert np.isnan(made[1, 1])
