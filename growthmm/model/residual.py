"""Residual covariance structures, as values."""

from __future__ import annotations

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

BY_COLUMN = ("by_group", "across")
"""Structures that name a column."""


@dataclass(frozen=True, slots=True)
class ResidualStructure:
    """The covariance matrix of the residuals of one person.

    Parameters
    ----------
    kind : str
        One of ``common``, ``by_occasion``, ``by_group``, ``ar1``, ``ar1+common``,
        ``arh1``, ``cs``, ``csh``, ``toeplitz``, ``banded``, ``unstructured``, ``across``.
    by : str, optional
        The column whose levels have variances of their own (``by_group``), or whose rows at one
        time have a covariance matrix (``across``: of several outcomes).
    bands : int, optional
        The number of bands above the diagonal that are free (``banded`` only).
    crossed : bool
        Whether each of those levels has a variance at every occasion, and every occasion
        covariances of its own, written ``by_group:COLUMN:by_occasion``.
    shared : tuple of tuple of str
        For ``by_group``: sets of levels that share their variances, written
        ``by_group:COLUMN:a|b``. Where `crossed` a member may also be one level at one occasion,
        ``a,0``; a level alone stands for each of its occasions.
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
    """

    kind: ResidualKind = "common"
    by: str | None = None
    bands: int | None = None
    crossed: bool = False
    shared: tuple[tuple[str, ...], ...] = ()
    time: str | None = field(default=None, compare=False)
    person: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(ResidualKind):
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
        if (self.kind == "banded") != (self.bands is not None):
            raise SpecificationError(
                f"Residual structure {self.kind!r} with bands={self.bands!r}.",
                hint="Write banded:K with K the number of free bands above the diagonal.",
            )

    @classmethod
    def parse(cls, text: str) -> ResidualStructure:
        """Read ``common``, ``by_group:COLUMN``, ``banded:K`` and the like."""
        kind, _, argument = text.strip().partition(":")
        if kind in BY_COLUMN:
            pieces = argument.split(":")
            sets = [piece for piece in pieces if "|" in piece]
            told = ":".join(piece for piece in pieces if "|" not in piece)
            column = told.removesuffix(":by_occasion")
            return cls(
                kind,  # type: ignore[arg-type]
                by=column or None,
                crossed=column != told,
                shared=tuple(tuple(map(str.strip, members.split("|"))) for members in sets),
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

    def __str__(self) -> str:
        if self.kind in BY_COLUMN:
            crossed = ":by_occasion" if self.crossed else ""
            sets = "".join(":" + "|".join(members) for members in self.shared)
            return f"{self.kind}:{self.by}{crossed}{sets}"
        if self.kind == "banded":
            return f"banded:{self.bands}"
        return self.kind


def _check_shared(structure: ResidualStructure) -> None:
    """Refuse sets of levels that mean nothing."""
    members = [name for own in structure.shared for name in own]
    if not members and not structure.shared:
        return
    short = any(len(own) < 2 for own in structure.shared)
    if structure.kind != "by_group" or short or "" in members or len(set(members)) < len(members):
        shown = " and ".join("|".join(own) for own in structure.shared)
        raise SpecificationError(
            f"Residual structure {structure.kind!r} with variances shared by {shown}.",
            hint="Write by_group:COLUMN:a|b with two or more levels, each in one set.",
        )


COMMON = ResidualStructure()
