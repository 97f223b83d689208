"""Built-in data: synthetic, drawn from the figures of real studies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.gpa_figures import FIGURES, NAMES
from growthmm.data.moments import Moments

if TYPE_CHECKING:
    import pandas

__all__ = ["gpa", "gpa_moments", "names"]

_N_TIMES = 6

_GPA_LABEL = (
    "Synthetic data: drawn so that, within each sex, the counts, means and covariances of the six "
    "grade point averages and the six lib_hours are exactly those of the GPA data (Hox, "
    "Multilevel Analysis; lib_hours was simulated on top). Normal-theory ML and REML results of "
    "complete-data models in gpa, occasion, sex and lib_hours carry over. Individual effects, "
    "sandwich standard errors and other covariates do not; lib_hours were whole hours in the "
    "original and are not here."
)


def names() -> tuple[str, ...]:
    """The built-in data sets, each a function of this module.

    Examples
    --------
    >>> names()
    ('gpa',)
    """
    return ("gpa",)


def gpa(seed: int = 1) -> pandas.DataFrame:
    """Grade point averages of 200 students over six semesters: synthetic, with real moments.

    Within each sex the number of students (105 female, 95 male) and the means and covariances of
    the six grade point averages and the six ``lib_hours`` are those of the GPA data of Hox
    (*Multilevel Analysis*), to which ``lib_hours`` was added by simulation. The values themselves
    are drawn anew.

    What carries over from the original, whatever the seed: every normal-theory ML and REML result
    (estimates, standard errors from expected or observed information, log-likelihoods, tests, fit
    measures) of models for complete data in these columns. What does not: the effects predicted
    for individual students, sandwich (robust) standard errors, anything that looks at the shape
    of distributions, and other covariates. ``lib_hours`` are whole hours in the original and are
    not here, and grade points are not rounded to tenths.

    Parameters
    ----------
    seed : int
        Seed of the draw. Moments are the same for every seed.

    Returns
    -------
    pandas.DataFrame
        Long, 1,200 rows: ``student`` (1 to 200), ``occasion`` (0 to 5), ``gpa`` (grade points),
        ``sex`` (``"female"`` or ``"male"``), ``lib_hours`` (hours in the library).
        ``attrs["synthetic"]`` is True and ``attrs["description"]`` says the above.

    Examples
    --------
    >>> data = gpa()
    >>> data.groupby("occasion")["gpa"].mean().round(3).tolist()
    [2.593, 2.716, 2.81, 2.918, 3.019, 3.134]
    """
    import pandas

    moments = gpa_moments()
    streams = np.random.SeedSequence(seed).generate_state(len(moments))
    drawn = np.concatenate(
        [m.draw(seed=int(s)).to_numpy() for m, s in zip(moments.values(), streams, strict=True)]
    )
    sex = np.repeat(list(moments), [m.n for m in moments.values()])
    # Sexes alternate as evenly as their numbers allow, so that no slice of students lacks one.
    place = np.concatenate([(np.arange(m.n) + 0.5) / m.n for m in moments.values()])
    order = np.argsort(place, kind="stable")
    drawn, sex = drawn[order], sex[order]
    n = sex.size
    frame = pandas.DataFrame(
        {
            "student": np.repeat(np.arange(1, n + 1), _N_TIMES),
            "occasion": np.tile(np.arange(_N_TIMES), n),
            "gpa": drawn[:, :_N_TIMES].reshape(-1),
            "sex": np.repeat(sex, _N_TIMES).astype(object),
            "lib_hours": drawn[:, _N_TIMES:].reshape(-1),
        }
    ).astype({"sex": "str"})
    frame.attrs = {"name": "gpa", "synthetic": True, "description": _GPA_LABEL}
    return frame


def gpa_moments() -> dict[str, Moments]:
    """Moments of the GPA data by sex, from which :func:`gpa` draws.

    Returns
    -------
    dict of str to Moments
        For ``"female"`` and ``"male"``, the moments (divisor n) of ``gpa_0`` to ``gpa_5`` and
        ``lib_hours_0`` to ``lib_hours_5``.

    Examples
    --------
    >>> {sex: moments.n for sex, moments in gpa_moments().items()}
    {'female': 105, 'male': 95}
    """
    return {sex: Moments(mean, cov, n, NAMES) for sex, (n, mean, cov) in FIGURES.items()}
