"""Terms of a formula: products of factors, each a canonical expression."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["INTERCEPT", "Term"]


@dataclass(frozen=True, slots=True)
class Term:
    """A product of factors; the empty product is the intercept.

    Parameters
    ----------
    factors : tuple of str
        Canonical (Python-spelled) expressions, as
        :func:`growthmm.model.expression.canonical` gives them: ``"t"``,
        ``"I(t**2)"``, ``"poly(t, 2)"``, ``"C(sex)"``, ``"`my column`"``.

    Examples
    --------
    >>> str(Term(("occasion", "sex")))
    'occasion:sex'
    >>> str(Term())
    '1'
    """

    factors: tuple[str, ...] = ()

    @property
    def is_intercept(self) -> bool:
        """Whether this is the constant term."""
        return not self.factors

    def __str__(self) -> str:
        return ":".join(self.factors) if self.factors else "1"


INTERCEPT = Term()
