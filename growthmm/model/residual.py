"""Residual covariance structures, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from growthmm.errors import SpecificationError

__all__ = ["COMMON", "ResidualKind", "ResidualStructure"]

ResidualKind = Literal[
    "common",
    "by_occasion",
    "by_group",
    "ar1",
    "ar1+common",
    "arh1",
    "cs",
    "csh",
    "toeplitz",
    "banded",
    "unstructured",
    "across",
]

BY_COLUMN = ("by_group", "across", "groupwise")
"""Structures that name a column."""

CORRELATED = (
    "ar1",
    "ar1+common",
    "arh1",
    "cs",
    "csh",
    "toeplitz",
    "banded",
    "unstructured",
)
"""Structures in which the residuals of one person at different times covary."""

_INNER = re.compile(r":((?:" + "|".join(map(re.escape, CORRELATED)) + r")(?::\d+)?)$")

BY_LEVEL = ("by_group", "groupwise")
"""Structures with parameters for each level of a column."""


@dataclass(frozen=True, slots=True)
class ResidualStructure:
    """The covariance matrix of the residuals of one person.

    Parameters
    ----------
    kind : str
        One of ``common``, ``by_occasion``, ``by_group``, ``ar1``, ``ar1+common``,
        ``arh1``, ``cs``, ``csh``, ``toeplitz``, ``banded``, ``unstructured``, ``across``; or
        ``groupwise``, which text writes as ``by_group:COLUMN:ar1``: the structure `within`, with
        parameters of its own in each group.
    by : str, optional
        The column whose levels have variances or structures of their own (``by_group``,
        ``groupwise``), or whose rows at one time have a covariance matrix (``across``: of several
        outcomes).
    bands : int, optional
        The number of bands above the diagonal that are free (``banded`` only).
    crossed : bool
        Whether each of those levels has a variance at every occasion, and every occasion
        covariances of its own, written ``by_group:COLUMN:by_occasion``.
    shared : tuple of tuple of str
        For ``by_group`` and ``groupwise``: sets of levels that share their parameters, written
        ``by_group:COLUMN:a|b``, ``by_group:COLUMN:ar1:a|b``. Where `crossed` a member may also
        be one level at one occasion, ``a,0``; a level alone stands for each of its occasions.
    within : ResidualStructure, optional
        For ``groupwise``: the structure of the persons of one group.
    time : str, optional
        The column of times, where the text names it with the structure. Takes no part in
        comparison.
    person : str, optional
        The factor within whose levels residuals are correlated, a canonical expression, where
        the text names it with the structure. Takes no part in comparison.

    Raises
    ------
    SpecificationError
        If the kind is unknown or its argument is missing.

    Examples
    --------
    >>> str(ResidualStructure.parse("by_group:sex"))
    'by_group:sex'
    >>> ResidualStructure.parse("by_group:arm:a|b").shared
    (('a', 'b'),)
    >>> str(ResidualStructure.parse("by_group:sex:banded:2").within)
    'banded:2'
    """

    kind: ResidualKind | Literal["groupwise"] = "common"
    by: str | None = None
    bands: int | None = None
    crossed: bool = False
    shared: tuple[tuple[str, ...], ...] = ()
    within: ResidualStructure | None = None
    time: str | None = field(default=None, compare=False)
    person: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in (*get_args(ResidualKind), "groupwise"):
            raise SpecificationError(
                f"Unknown residual structure {self.kind!r}.",
                hint=f"Use one of {', '.join(get_args(ResidualKind))}.",
            )
        if (self.kind in BY_COLUMN) != (self.by is not None):
            raise SpecificationError(
                f"Residual structure {self.kind!r} with by={self.by!r}.",
                hint="Write by_group:COLUMN or across:COLUMN; no other structure takes a column.",
            )
        if self.crossed and self.kind not in BY_COLUMN:
            raise SpecificationError(
                f"Residual structure {self.kind!r} by occasion within groups.",
                hint="Write by_group:COLUMN:by_occasion.",
            )
        _check_shared(self)
        _check_within(self)
        if (self.kind == "banded") != (self.bands is not None):
            raise SpecificationError(
                f"Residual structure {self.kind!r} with bands={self.bands!r}.",
                hint="Write banded:K with K the number of free bands above the diagonal.",
            )

    @classmethod
    def parse(cls, text: str) -> ResidualStructure:
        """Read ``common``, ``by_group:COLUMN``, ``banded:K`` and the like."""
        kind, _, argument = text.strip().partition(":")
        if kind in ("by_group", "across"):
            pieces = argument.split(":")
            sets = [piece for piece in pieces if "|" in piece]
            shared = tuple(tuple(map(str.strip, members.split("|"))) for members in sets)
            told = ":".join(piece for piece in pieces if "|" not in piece)
            own = _INNER.search(told) if kind == "by_group" else None
            if own is not None:
                inner = cls.parse(own[1])
                return cls("groupwise", by=told[: own.start()], shared=shared, within=inner)
            column = told.removesuffix(":by_occasion")
            return cls(
                kind,  # type: ignore[arg-type]
                by=column or None,
                crossed=column != told,
                shared=shared,
            )
        if kind == "banded":
            if not argument.isdigit() or int(argument) < 1:
                raise SpecificationError(
                    f"Residual structure {text!r} lacks its number of bands.",
                    hint="Write banded:K with K = 1, 2, ...",
                )
            return cls("banded", bands=int(argument))
        if argument:
            raise SpecificationError(
                f"Residual structure {kind!r} takes no argument, got {argument!r}.",
                hint=f"Write {kind}.",
            )
        return cls(kind)  # type: ignore[arg-type]

    @property
    def of_person(self) -> ResidualStructure:
        """What the residuals of one person are: the structure of a group where groups have one."""
        return self if self.within is None else self.within

    @property
    def word(self) -> str:
        """The first word of its text."""
        return "by_group" if self.kind == "groupwise" else self.kind

    def __str__(self) -> str:
        if self.kind in BY_COLUMN:
            crossed = ":by_occasion" if self.crossed else ""
            sets = "".join(":" + "|".join(members) for members in self.shared)
            own = "" if self.within is None else f":{self.within}"
            return f"{self.word}:{self.by}{own}{crossed}{sets}"
        if self.kind == "banded":
            return f"banded:{self.bands}"
        return self.kind


def _check_shared(structure: ResidualStructure) -> None:
    """Refuse sets of levels that mean nothing."""
    members = [name for own in structure.shared for name in own]
    if not members and not structure.shared:
        return
    short = any(len(own) < 2 for own in structure.shared)
    if structure.kind not in BY_LEVEL or short or "" in members or len(set(members)) < len(members):
        shown = " and ".join("|".join(own) for own in structure.shared)
        raise SpecificationError(
            f"Residual structure {structure.kind!r} with variances shared by {shown}.",
            hint="Write by_group:COLUMN:a|b with two or more levels, each in one set.",
        )


def _check_within(structure: ResidualStructure) -> None:
    """Refuse a structure of groups within which nothing is correlated."""
    within = structure.within
    if (structure.kind == "groupwise") != (within is not None):
        raise SpecificationError(
            f"Residual structure {structure.kind!r} with within={within!s}.",
            hint="Write by_group:COLUMN:ar1, and so on.",
        )
    if within is not None and within.kind not in CORRELATED:
        raise SpecificationError(
            f"Residual structure {within} within the groups of {structure.by}.",
            hint="Write by_group:COLUMN or by_group:COLUMN:by_occasion for residuals that are "
            f"not correlated, or one of {', '.join(CORRELATED)} behind the column.",
        )


COMMON = ResidualStructure()
