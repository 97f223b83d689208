"""The symbolic mixed model: what a formula says, before any data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from growthmm.errors import SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.model.terms import Term
from growthmm.rendering import Shown

__all__ = ["BlockCovariance", "Estimator", "LoadingParameter", "MixedModel", "RandomBlock"]

Estimator = Literal["ml", "reml"]

BlockCovariance = Literal[
    "unstructured", "diagonal", "by_term", "compound_symmetry", "identity", "patterned"
]
"""Covariance of one block of random effects.

``unstructured`` is ``(a + b | g)``. ``by_term`` is lme4's ``(a + b || g)``: terms independent of
each other, but the columns of one (categorical) term correlated. ``diagonal`` has no covariance at
all (nlme ``pdDiag``, statsmodels variance components). ``compound_symmetry`` has one variance and
one covariance (nlme ``pdCompSymm``, Stata ``exchangeable``), ``identity`` one variance and no
covariance (``pdIdent``). ``patterned`` is any other matrix of which entries are equal or held at
numbers; no formula says it.
"""


@dataclass(frozen=True, slots=True)
class RandomBlock:
    """One block ``(terms | group)`` of random effects.

    Parameters
    ----------
    terms : tuple of Term
        The terms before the bar, the intercept written out as ``Term()`` where it is there.
    group : str
        The grouping factor, a canonical expression (``"student"``, ``"school:child"``).
    covariance : str
        How the effects of the block vary together: see `BlockCovariance`.
    pattern : tuple of tuple of (str or float)
        For a ``patterned`` block the whole symmetric matrix over its columns: entries with one
        name are equal, numbers are held. Empty for all others.
    """

    terms: tuple[Term, ...]
    group: str
    covariance: BlockCovariance = "unstructured"
    pattern: tuple[tuple[str | float, ...], ...] = ()

    def __post_init__(self) -> None:
        if bool(self.pattern) != (self.covariance == "patterned"):
            raise SpecificationError(
                f"A {self.covariance} random block over {self.group!r} with a pattern of "
                f"{len(self.pattern)} rows.",
                hint="A patterned block has a pattern, and no other.",
            )
        if not self.terms:
            raise SpecificationError(
                f"A random block over {self.group!r} has no terms.",
                hint="Write at least an intercept: (1 | group).",
            )


@dataclass(frozen=True, slots=True)
class LoadingParameter:
    """A parameter that stands within terms: ``g`` of ``I(1 - exp(-g*t))``.

    Parameters
    ----------
    name : str
        Its name in the terms' expressions, where it is no column.
    start : float, optional
        Where a search for it may begin. Takes no part in comparison.
    """

    name: str
    start: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class MixedModel(Shown):
    """A mixed model for long data, as its text says it.

    It is linear but for `loading_parameters`: where there are any, it is linear at their values.

    Parameters
    ----------
    response : str
        The outcome, a canonical expression.
    fixed : tuple of Term
        The fixed effects, in the order in which R's ``terms()`` lists them (intercept first,
        then by degree of interaction); the intercept written out as ``Term()``.
    random : tuple of RandomBlock
        The blocks of random effects, in the order of the text; empty where there are none.
    residual : ResidualStructure
        Covariance of the residuals within a person.
    estimator : {"ml", "reml"}
        As the text, or its program's default, has it.
    loading_parameters : tuple of LoadingParameter
        Parameters in the expressions of terms; empty for a linear mixed model.
    notation : str
        The notation that the model was read from, whose coefficient names results use.
        Takes no part in comparison.
    defaults : tuple of Default
        What the program filled in. Takes no part in comparison.
    data : str, optional
        The data frame or file that the text names. Takes no part in comparison.
    """

    _html: ClassVar[str] = "model.html"

    response: str
    fixed: tuple[Term, ...]
    random: tuple[RandomBlock, ...] = ()
    residual: ResidualStructure = COMMON
    estimator: Estimator = "reml"
    loading_parameters: tuple[LoadingParameter, ...] = ()
    notation: str = field(default="lme4", compare=False)
    defaults: tuple[Default, ...] = field(default=(), compare=False)
    data: str | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        bars = [f"({' + '.join(map(str, b.terms)) or '0'} | {b.group})" for b in self.random]
        terms = " + ".join([*map(str, self.fixed), *bars])
        return (
            f"<MixedModel {self.response} ~ {terms or '0'}: residual {self.residual}, "
            f"{self.estimator.upper()}, {self.notation}>"
        )

    @property
    def loading_names(self) -> tuple[str, ...]:
        """Names of the loading parameters."""
        return tuple(parameter.name for parameter in self.loading_parameters)

    @property
    def groups(self) -> tuple[str, ...]:
        """The distinct grouping factors, in the order of the text."""
        return tuple(dict.fromkeys(block.group for block in self.random))
