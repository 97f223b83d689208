"""Occasions of a structural equation model: from its loadings, matched to observed times."""

from __future__ import annotations

import re
from collections.abc import Sequence

from growthmm.errors import TooFewOccasionsError, TranslationError
from growthmm.model.defaults import Assumption
from growthmm.model.sem import SemModel
from growthmm.translation.basis import affine_map, number
from growthmm.translation.from_sem import growth_outcomes, loading_table

__all__ = ["common_stem", "match_times", "time_scores"]


def time_scores(model: SemModel) -> tuple[tuple[str, float], ...]:
    """Each growth outcome with its time score, in order of time.

    The scores are the loadings of the first growth factor whose fixed loadings all differ; failing
    that, the numbers at the ends of the outcomes' names, or their positions.

    Parameters
    ----------
    model : SemModel
        With at least one latent variable that has indicators.

    Returns
    -------
    tuple of (str, float)
        Outcome and score, scores ascending.

    Raises
    ------
    TranslationError
        If the model has no growth factor.
    """
    outcomes = growth_outcomes(model)
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
            pairs = zip(outcomes, scores, strict=True)
            return tuple(sorted(pairs, key=lambda pair: pair[1]))
    found = [re.search(r"(m?\d+(?:\.\d+)?)$", y) for y in outcomes]
    numbers = [m.group(1).replace("m", "-") for m in found if m is not None]
    if len(numbers) == len(outcomes) and len(set(numbers)) == len(numbers):
        pairs = zip(outcomes, (float(n) for n in numbers), strict=True)
        return tuple(sorted(pairs, key=lambda pair: pair[1]))
    return tuple((y, float(j)) for j, y in enumerate(outcomes))


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


def common_stem(columns: Sequence[str]) -> str | None:
    """What wide column names share before their occasion's number, or None.

    Examples
    --------
    >>> common_stem(["gpa_0", "gpa_1"]), common_stem(["t1", "t2"]), common_stem(["a", "b"])
    ('gpa', 't', None)
    """
    stems = {re.sub(r"[._]?(?:m|-)?\d+(?:\.\d+)?$", "", column) for column in columns}
    if len(stems) != 1 or not all(re.search(r"\d$", column) for column in columns):
        return None
    return stems.pop() or None
