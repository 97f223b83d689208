"""One difference between two analyses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.explaining.causes import CAUSES, Effect

__all__ = ["Difference"]


@dataclass(frozen=True)
class Difference:
    """One atomic difference, and the change that takes it away from the first analysis.

    Parameters
    ----------
    cause : str
        A word of the table of causes.
    what : str
        The part of the model; empty where the cause says it.
    before, after : str
        How each analysis has it.
    apply : callable
        An analysis with that part as the second one has it.
    changes : tuple of str
        Why it makes another model, where that needs saying.
    """

    cause: str
    what: str
    before: str
    after: str
    apply: Callable[[Analysis], Analysis]
    changes: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """What the cause changes."""
        return CAUSES[self.cause].effect
