"""Fixed effects of persons (the within estimator), and Mundlak's form of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.long.problem import LongProblem, RandomEffects
from growthmm.engines.registry import run
from growthmm.inference.alternatives.answer import Answer, failed
from growthmm.inference.alternatives.rows import Rows, independent
from growthmm.model.residual import COMMON
from growthmm.rendering import Brief

__all__ = ["Mundlak", "mundlak", "within"]

FloatArray = NDArray[np.float64]


def within(rows: Rows) -> Answer:
    """The within estimator: a constant of their own for all persons.

    Least squares of deviations from persons' means, ``(y_ij - ybar_i)`` on ``(x_ij - xbar_i)``, by
    linearmodels' ``PanelOLS``. Standard errors are clustered by person (Arellano 1987,
    doi:10.1111/j.1468-0084.1987.mp49004006.x), times ``G/(G - 1) (n - 1)/(n - p)`` for G persons, n
    rows and p coefficients, as R's ``plm::vcovHC(type = "sss")`` has it.

    Parameters
    ----------
    rows : Rows
        The rows.

    Returns
    -------
    Answer
        Of the coefficients that vary within persons; the others are absorbed.

    Examples
    --------
    >>> person = np.repeat(np.arange(3), 2)
    >>> x = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 2.0])
    >>> y = 5.0 * person + 2.0 * x + np.array([0.0, 0.1, -0.1, 0.0, 0.0, 0.1])
    >>> within(Rows(y, np.column_stack([np.ones(6), x]), ("one", "x"), person)).names
    ('x',)
    """
    import pandas as pd
    from linearmodels.panel import PanelOLS

    kept = rows.varying
    if not kept:
        return failed("within", "no column of the model varies within persons")
    place = np.concatenate([np.arange(n) for n in np.bincount(rows.person)])
    index = pd.MultiIndex.from_arrays([rows.person, place], names=["person", "row"])
    names = [rows.names[k] for k in kept]
    frame = pd.DataFrame(rows.design[:, kept], index=index, columns=names)
    outcome = pd.Series(rows.outcome, index=index, name="outcome")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = PanelOLS(outcome, frame, entity_effects=True, check_rank=False)
        found = model.fit(
            cov_type="clustered", cluster_entity=True, group_debias=False, debiased=False
        )
    persons, n, p = rows.n_subjects, len(rows.outcome), len(names)
    factor = persons / (persons - 1) * (n - 1) / (n - p)
    return Answer(
        "within",
        tuple(names),
        np.asarray(found.params, dtype=float),
        np.sqrt(np.diag(np.asarray(found.cov)) * factor),
        n,
        persons,
        note=_note(rows, kept),
    )


def _note(rows: Rows, kept: list[int]) -> str:
    lost = [name for k, name in enumerate(rows.names) if k not in kept]
    said = [f"absorbed: {', '.join(lost)}"] if lost else []
    if rows.singles:
        said.append(f"{rows.singles} of {rows.n_subjects} persons have one row and add nothing")
    return "; ".join(said)


@dataclass(frozen=True, repr=False)
class Mundlak(Brief):
    """A random-intercept model with persons' means, beside the within estimator.

    Parameters
    ----------
    answer : Answer
        Of the model's own coefficients, and of the means (``mean(x)``).
    max_difference : float
        Largest absolute difference of a coefficient from the within estimator's, over the
        largest coefficient's size or 1.
    statistic, df, p_value : float
        Wald test that all coefficients of means are zero, clustered by person: a Hausman test
        that holds where its usual form does not (Arellano 1993, doi:10.1016/0304-4076(93)90040-C).
        NaN where the means add no column.
    """

    answer: Answer
    max_difference: float
    statistic: float
    df: float
    p_value: float


def mundlak(rows: Rows, problem: LongProblem, fixed: Answer) -> Mundlak:
    """Mundlak's device: persons' means of all that varies within them, as columns of their own.

    The random-intercept model ``y_ij = x_ij'b + xbar_i'c + z_i'd + u_i + e_ij`` has the within
    estimate of ``b``, whatever the variances, balanced or not (Mundlak 1978,
    doi:10.2307/1913646): deviations from persons' means are orthogonal to all that is the same in
    all rows of a person. ``c`` is between minus within.

    Parameters
    ----------
    rows : Rows
        The rows.
    problem : LongProblem
        The model's arrays, which give the grouping factor its name.
    fixed : Answer
        The within estimator's.

    Returns
    -------
    Mundlak
    """
    from scipy.stats import chi2

    extended = extended_rows(rows)
    n = len(rows.outcome)
    made = replace(
        problem,
        outcome=extended.outcome,
        fixed=extended.design,
        fixed_names=extended.names,
        random=np.ones((n, 1)),
        blocks=(RandomEffects(("(Intercept)",), (0,)),),
        subject=extended.person,
        occasion=np.zeros(n, dtype=np.intp),
        occasions=(0.0,),
        residual=COMMON,
        strata=None,
        strata_names=(),
        fixed_parameters=(),
    )
    fit = run("long", made, estimator="ml")
    p = len(extended.names)
    estimates = fit.estimates[:p]
    covariance = _sandwich(made, fit.estimates)[:p, :p]
    answer = Answer(
        "mundlak",
        extended.names,
        estimates,
        np.sqrt(np.diag(covariance)),
        n,
        rows.n_subjects,
        working=tuple(zip(fit.names[p:], fit.estimates[p:].tolist(), strict=True)),
    )
    means = [k for k, name in enumerate(extended.names) if name.startswith("mean(")]
    statistic = np.nan
    if means:
        own = covariance[np.ix_(means, means)]
        statistic = float(estimates[means] @ np.linalg.solve(own, estimates[means]))
    gaps = [abs(answer.coefficient(name)[0] - b) for name, b in zip(*_pair(fixed), strict=True)]
    size = max(1.0, float(np.abs(fixed.estimates).max(initial=0.0)))
    df = float(len(means)) if means else np.nan
    p_value = float(chi2.sf(statistic, df)) if means else np.nan
    return Mundlak(answer, max(gaps, default=np.nan) / size, statistic, df, p_value)


def _pair(fixed: Answer) -> tuple[tuple[str, ...], list[float]]:
    return fixed.names, fixed.estimates.tolist()


def _sandwich(problem: LongProblem, values: FloatArray) -> FloatArray:
    from growthmm.engines import long as long_engine

    found: FloatArray = long_engine.sandwich(problem, values)
    return found


def extended_rows(rows: Rows) -> Rows:
    """The rows with persons' means of the varying columns, as far as these tell something new.

    Parameters
    ----------
    rows : Rows
        The rows.

    Returns
    -------
    Rows
        A column that is collinear within persons with earlier ones (age beside the year) stands
        there as its means alone.

    Examples
    --------
    >>> person = np.array([0, 0, 1, 1])
    >>> x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 5.0]])
    >>> extended_rows(Rows(np.zeros(4), x, ("one", "x"), person)).names
    ('one', 'x', 'mean(x)')
    """
    at, means = rows.varying, rows.means(rows.design)
    apart = np.abs(rows.design - means).max(axis=0) > 1e-9 * np.abs(rows.design).max(axis=0)
    columns, names = [], []
    for k, name in enumerate(rows.names):
        alone = k in at or not apart[k]
        columns.append(rows.design[:, k] if alone else means[:, k])
        names.append(name if alone else f"mean({name})")
    columns += [means[:, k] for k in at]
    names += [f"mean({rows.names[k]})" for k in at]
    whole = np.column_stack(columns)
    kept = independent(whole)
    return replace(rows, design=whole[:, kept], names=tuple(names[k] for k in kept))
