"""What the MODEL commands of an Mplus input say, as rows, before any default."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from growthmm.model.sem import Constraint, Defined, Operator

__all__ = ["Curve", "Row", "Syntax", "merged"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the text has it.

    Parameters
    ----------
    left, op, right : str
        As in :class:`growthmm.model.sem.Path`.
    free : bool
        Whether it is estimated.
    value : float, optional
        The value where it is not.
    start : float, optional
        The starting value.
    label : str, optional
        The label.
    definition : str, optional
        The column that holds the coefficient, person by person.
    group : int, optional
        The group that it is written for; None in the overall MODEL.
    marker : bool
        Whether it is fixed only because it is the first loading of its factor.
    position : int
        Where it was written.
    """

    left: str
    op: Operator
    right: str = ""
    free: bool = True
    value: float | None = None
    start: float | None = None
    label: str | None = None
    definition: str | None = None
    group: int | None = None
    marker: bool = False
    position: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """What the row is about, whichever way round a covariance is written."""
        if self.op == "~~":
            first, second = sorted((self.left, self.right))
            return self.op, first, second
        return self.op, self.left, self.right


@dataclass(frozen=True, slots=True)
class Curve:
    """Growth factors that a ``|`` statement makes.

    Parameters
    ----------
    factors : tuple of str
        Intercept, slope and powers; one random slope.
    indicators : tuple of str
        What grows.
    kind : {"scores", "at", "slope"}
        Time scores, individual times, or the random slope of a covariate.
    """

    factors: tuple[str, ...]
    indicators: tuple[str, ...]
    kind: Literal["scores", "at", "slope"] = "scores"


@dataclass(frozen=True, slots=True)
class Syntax:
    """A model text, parsed.

    Parameters
    ----------
    rows : tuple of Row
        One for each pair of variables and command, in the order of the text.
    curves : tuple of Curve
        Growth factors.
    constraints : tuple of Constraint
        MODEL CONSTRAINT's relations.
    defined : tuple of Defined
        Its new parameters.
    """

    rows: tuple[Row, ...] = ()
    curves: tuple[Curve, ...] = ()
    constraints: tuple[Constraint, ...] = field(default=())
    defined: tuple[Defined, ...] = field(default=())


def merged(old: Row, new: Row) -> Row:
    """A parameter mentioned again in the same command: the later mention wins.

    A label, or a starting value, that the later one does not repeat stays.
    """
    return replace(
        new,
        label=new.label or old.label,
        start=(new.start if new.start is not None else old.start) if new.free else None,
    )
