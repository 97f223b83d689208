"""Stata's factor-variable notation: ``c.t##i.sex``, ``ib2.arm``, ``c.(t x)#i.sex``."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.model.expression import canonical
from growthmm.model.terms import Term
from growthmm.notation.command_languages.effects import Variables
from growthmm.notation.command_languages.tokens import Token, error_at

__all__ = ["Factor", "Product", "term_of"]


@dataclass(frozen=True, slots=True)
class Factor:
    """One variable of a term.

    Parameters
    ----------
    token : Token
        Its name.
    kind : {"c", "i", "R", ""}
        Continuous, categorical, an effect for each level, or not said.
    base : str
        The base level as text, ``"n"`` for none, empty for the lowest.
    """

    token: Token
    kind: str = ""
    base: str = ""


Product = tuple[Factor, ...]


def term_of(product: Product, variables: Variables, text: str) -> Term:
    """The term that a product is; repeated continuous names are powers."""
    factors: dict[str, None] = {}
    for factor in product:
        if factor.token.text in variables.recoded:
            message = f"replace changes {factor.token.text} in place"
            hint = "Generate a column of another name."
            raise error_at(text, factor.token, message, hint=hint)
        if factor.kind == "R":
            raise error_at(text, factor.token, "R. is only for random effects")
        if factor.kind == "i":
            column = variables.quoted(factor.token)
            coded = f"C({column})"
            if factor.base not in ("", "n"):
                coded = f"C({column}, Treatment({factor.base}))"
            factors[canonical(coded)] = None
            continue
        same = [
            other.token
            for other in product
            if other.kind != "i" and other.token.text == factor.token.text
        ]
        factors[variables.term(tuple(same)).factors[0]] = None
    return Term(tuple(factors))
