"""Occasions of a structural equation model: from its loadings, matched to observed times."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from growthmm.errors import SpecificationError, TooFewOccasionsError, TranslationError
from growthmm.model.defaults import Assumption
from growthmm.model.sem import SemModel
from growthmm.translation.loadings.affine import affine_map, number
from growthmm.translation.loadings.tables import growth_outcomes, loading_table
from growthmm.translation.naming import common_stem

__all__ = [
    "checked_times",
    "common_stem",
    "match_times",
    "name_scores",
    "observed_times",
    "time_scores",
]


Scores = tuple[tuple[str, float], ...]
"""Each growth outcome with its time score, scores ascending."""


def time_scores(model: SemModel, columns: Sequence[str] | None = None) -> Scores:
    """Each growth outcome with its time score, in order of time.

    The scores are the loadings of the first growth factor whose fixed loadings all differ; failing
    that, the numbers at the ends of the outcomes' names, or their positions.

    Parameters
    ----------
    model : SemModel
        With at least one latent variable that has indicators.
    columns : sequence of str, optional
        Those of one of several outcomes; all growth outcomes where None.

    Returns
    -------
    tuple of (str, float)
        Outcome and score, scores ascending.

    Raises
    ------
    TranslationError
        If the model has no growth factor.
    """
    outcomes = growth_outcomes(model) if columns is None else tuple(columns)
    if not outcomes:
        raise TranslationError(
            "The model has no latent variable with indicators, so no growth factor.",
            hint="Write the growth factors with =~, such as i =~ 1*y0 + 1*y1 + 1*y2.",
        )
    for rows in loading_table(model).values():
        if any(row.free or row.definition for row in rows.values()):
            continue
        scores = [float(rows[y].value or 0.0) if y in rows else 0.0 for y in outcomes]
        if len(set(scores)) == len(scores) and len(scores) > 1:
            return _ascending(outcomes, scores)
    numbered = name_scores(outcomes)
    if numbered is not None:
        return numbered
    return tuple((y, float(j)) for j, y in enumerate(outcomes))


def name_scores(outcomes: Sequence[str]) -> Scores | None:
    """The numbers at the ends of the outcomes' names, ascending, or None.

    Examples
    --------
    >>> name_scores(["gpa_m1", "gpa_0.5"]), name_scores(["a", "b"])
    ((('gpa_m1', -1.0), ('gpa_0.5', 0.5)), None)
    """
    found = [re.search(r"(m?\d+(?:\.\d+)?)$", y) for y in outcomes]
    numbers = [float(m.group(1).replace("m", "-")) for m in found if m is not None]
    if len(numbers) != len(outcomes) or len(set(numbers)) != len(numbers):
        return None
    return _ascending(outcomes, numbers)


def _ascending(outcomes: Sequence[str], scores: Sequence[float]) -> Scores:
    return tuple(sorted(zip(outcomes, scores, strict=True), key=lambda pair: pair[1]))


def observed_times(
    scores: Scores, observed: Sequence[float], time: str
) -> tuple[Scores, Assumption]:
    """Each growth outcome with its observed time.

    Tried in turn: time scores that are observed times; names that end in observed times; an
    affine map from the scores to the times.

    Parameters
    ----------
    scores : tuple of (str, float)
        Outcomes and their time scores, ascending.
    observed : sequence of float
        Distinct observed times, ascending.
    time : str
        The time column's name, for messages.

    Returns
    -------
    times : tuple of (str, float)
        Outcomes with their times, ascending.
    assumption : Assumption
        What was found.

    Raises
    ------
    TranslationError
        If nothing ties outcomes to times.
    """
    numbered = name_scores([name for name, _ in scores])
    exact = {value for _, value in scores} <= set(observed)
    if not exact and numbered is not None and {v for _, v in numbered} <= set(observed):
        shown = ", ".join(number(value) for _, value in numbered)
        return numbered, Assumption(
            f"the outcomes are those at {time} {shown}", "the numbers that their names end in"
        )
    times, note = match_times(tuple(value for _, value in scores), observed, time)
    return tuple((y, t) for (y, _), t in zip(scores, times, strict=True)), note


def match_times(
    scores: Sequence[float], observed: Sequence[float], time: str
) -> tuple[tuple[float, ...], Assumption]:
    """Observed times, one for each score, and the affine map between them.

    Parameters
    ----------
    scores : sequence of float
        Time scores, ascending.
    observed : sequence of float
        Distinct observed times, ascending.
    time : str
        The time column's name, for messages.

    Returns
    -------
    times : tuple of float
        The observed time of each score.
    assumption : Assumption
        The map, stated.

    Raises
    ------
    TranslationError
        If the scores are no affine function of the observed times.
    """
    shown = ", ".join(number(v) for v in observed[:12])
    if set(scores) <= set(observed):
        return tuple(scores), Assumption(
            f"time scores are the values of {time}", f"the loadings occur among {shown}"
        )
    if len(scores) != len(observed):
        raise TranslationError(
            f"The model has {len(scores)} occasions (time scores "
            f"{', '.join(number(v) for v in scores)}), the data have {len(observed)} values of "
            f"{time} ({shown}).",
            hint="Choose the rows that the model is about, or give --time-values.",
        )
    if len(observed) < 2:
        raise TooFewOccasionsError(
            f"The data have one value of {time}: {shown}.",
            hint="A growth model needs at least two occasions.",
        )
    affine = affine_map(tuple(scores), tuple(observed))
    if affine is None:
        raise TranslationError(
            f"The time scores {', '.join(number(v) for v in scores)} are no affine function of the "
            f"values of {time} ({shown}).",
            hint="Give the times of the outcomes in order as --time-values.",
        )
    intercept, slope = affine
    return tuple(observed), Assumption(
        f"time score = {number(intercept)} + {number(slope)} * {time}",
        "the one affine map between the loadings and the observed times",
    )


def checked_times(values: Sequence[float]) -> tuple[float, ...]:
    """Times that a user gave, as numbers.

    Raises
    ------
    SpecificationError
        If one is no finite number, or one stands twice.
    """
    try:
        made = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        raise SpecificationError(
            f"The time values {values!r} are not all numbers.", hint="Write 0,1,2,3, say."
        ) from None
    if not all(math.isfinite(v) for v in made):
        raise SpecificationError(
            f"The time values {', '.join(f'{v:g}' for v in made)} are not all finite.",
            hint="Give a number for each occasion.",
        )
    if len(set(made)) < len(made):
        raise SpecificationError(
            f"The time values {', '.join(f'{v:g}' for v in made)} name an occasion twice.",
            hint="Give each occasion a time of its own.",
        )
    return made
