"""The one table of causes: what can differ between two analyses, and who does it by default."""

from __future__ import annotations

from growthmm.equivalence.explaining.cause import Cause, Effect
from growthmm.equivalence.explaining.causes_of_models import MODEL_CAUSES
from growthmm.equivalence.explaining.causes_of_runs import RUN_CAUSES

__all__ = ["CAUSES", "Cause", "Effect", "remedies"]

CAUSES: dict[str, Cause] = {cause.word: cause for cause in (*MODEL_CAUSES, *RUN_CAUSES)}
"""Every cause by its word."""


def remedies(word: str, before: str, after: str, a: str, b: str) -> tuple[tuple[str, str], ...]:
    """What to write in either program so that the difference goes away.

    Parameters
    ----------
    word : str
        The cause.
    before, after : str
        How the first and the second program have it.
    a, b : str
        Their notations.

    Returns
    -------
    tuple of (str, str)
        Notation and what to write there; empty where neither can be told.
    """
    table = CAUSES[word].write
    found = []
    for notation, wanted in ((a, after), (b, before)):
        line = table.get(wanted, {}).get(notation)
        if line is not None:
            found.append((notation, line))
    return tuple(found)
