"""What to write in either program so that a difference goes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from growthmm.equivalence.explaining.alignment import aligned
from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.explaining.causes import CAUSES, remedies
from growthmm.equivalence.explaining.difference import Difference
from growthmm.equivalence.explaining.differences import differences
from growthmm.errors import GrowthmmError, UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.notation import notation
from growthmm.notation.base import Written
from growthmm.translation.to_mixed import mixed_from_growth
from growthmm.translation.to_sem import sem_from_growth

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Remedies"]

MOST_LINES = 4

Lines = tuple[tuple[str, str], ...]


class Remedies:
    """Lines to write, difference by difference.

    Parameters
    ----------
    a, b : Analysis
        The two analyses in their own names.
    families : (str, str)
        ``"mixed"`` or ``"sem"``, of each.
    frame : DataFrame, optional
        Long data.
    """

    def __init__(
        self, a: Analysis, b: Analysis, families: tuple[str, str], frame: pd.DataFrame | None = None
    ) -> None:
        self.a, self.b = a, b
        self.families = families
        self._back = self._backwards(frame)

    def _backwards(self, frame: pd.DataFrame | None) -> dict[tuple[str, int], Difference]:
        """The differences that lead from the second to the first, by cause and count."""
        second, first = aligned(self.b, self.a, frame)
        self._second = second
        return _numbered(differences(second, first))

    def of(self, found: Sequence[Difference]) -> tuple[Lines, ...]:
        """For each difference what to write in either program."""
        made = []
        for key, difference in _numbered(found).items():
            if CAUSES[difference.cause].effect not in ("model", "coding"):
                sides = (self.a.notation, self.b.notation)
                made.append(remedies(difference.cause, difference.before, difference.after, *sides))
                continue
            lines: list[tuple[str, str]] = []
            own = self._written(self.a, difference, self.families[0])
            if own:
                lines.append((self.a.notation, own))
            back = self._back.get(key)
            other = None if back is None else self._written(self._second, back, self.families[1])
            if other:
                lines.append((self.b.notation, other))
            made.append(tuple(lines))
        return tuple(made)

    def _written(self, side: Analysis, difference: Difference, family: str) -> str:
        if family == "mixed" and difference.cause == "group_covariances":
            return "random effects of indicators of the groups, a block for each group"
        try:
            before = _text(side, family)
            after = _text(difference.apply(side), family)
        except UnsupportedError as error:
            losses = [loss for loss in error.losses if isinstance(loss, Loss)]
            near = list(dict.fromkeys(loss.nearest for loss in losses))
            return f"cannot say it; nearest: {'; '.join(near[:2])}" if near else ""
        except GrowthmmError:
            return ""
        known = {line.strip() for line in before.splitlines()}
        new = [line.strip() for line in after.splitlines() if line.strip() not in known]
        if len(new) > MOST_LINES:
            new = [*new[: MOST_LINES - 1], "..."]
        return "; ".join(new)


def _numbered(found: Sequence[Difference]) -> dict[tuple[str, int], Difference]:
    made: dict[tuple[str, int], Difference] = {}
    for difference in found:
        count = sum(1 for cause, _ in made if cause == difference.cause)
        made[difference.cause, count] = difference
    return made


def _text(side: Analysis, family: str) -> str:
    speaker = notation(side.notation)
    if family == "mixed":
        bound, _ = mixed_from_growth(side.growth, spelling=side.notation)
        model = replace(bound.model, estimator=side.habits.estimator)
        return _all_said(speaker.write(model))
    sem = sem_from_growth(side.growth)
    return _all_said(speaker.write(replace(sem.model, estimator="ml")))


def _all_said(written: Written) -> str:
    if written.losses:
        raise UnsupportedError("The notation cannot say it.", losses=list(written.losses))
    return written.text
