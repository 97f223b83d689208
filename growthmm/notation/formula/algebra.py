"""The algebra of terms: crossing, nesting, powers and differences, expanded as R expands them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from growthmm.errors import NotationError
from growthmm.model.terms import Term

__all__ = ["Atoms", "expand"]

MAX_TERMS = 2000


@dataclass(frozen=True, slots=True)
class Atoms:
    """Plain names that stand for factors, so that the parser of the algebra sees no user text.

    Parameters
    ----------
    names : dict of str to str
        The name of each canonical expression, in order of appearance.
    """

    names: dict[str, str] = field(default_factory=dict)

    def name(self, expression: str) -> str:
        """The plain name of a factor."""
        return self.names.setdefault(expression, f"f{len(self.names)}")


def expand(algebra: str, atoms: Atoms, *, shown: str, position: int) -> tuple[Term, ...]:
    """Expand a sum over plain names to terms in R's order.

    Terms come by degree, then by appearance; the factors of a term in the order in which they
    first appear in the whole formula, as R's ``terms()`` has them.

    Parameters
    ----------
    algebra : str
        Plain names, ``+ - * / : **``, parentheses, 0 and 1.
    atoms : Atoms
        What the names stand for.
    shown : str
        The text, for errors.
    position : int
        Where in it the sum begins.

    Returns
    -------
    tuple of Term
        The intercept first, where it is there.

    Raises
    ------
    NotationError
        If it expands to too many terms.
    """
    from formulaic.parser import DefaultFormulaParser

    if _bound(algebra) > MAX_TERMS:
        raise NotationError(
            f"The formula expands to more than {MAX_TERMS} terms",
            text=shown,
            position=position,
            hint="Cross fewer factors.",
        )
    parsed = DefaultFormulaParser(include_intercept=False).get_terms(algebra)
    order = {plain: at for at, plain in enumerate(atoms.names.values())}
    meaning = {plain: expression for expression, plain in atoms.names.items()}
    found: dict[Term, None] = {}
    for term in parsed:
        factors = {str(f.expr) for f in term.factors} - {"1"}
        plain = sorted(factors, key=order.__getitem__)
        found[Term(tuple(meaning[p] for p in plain))] = None
    terms = sorted(found, key=lambda term: len(term.factors))
    return tuple(terms)


def _bound(algebra: str) -> float:
    """An upper bound on the number of terms, from the operators alone."""
    stack: list[list[object]] = [[]]
    for token in re.findall(r"f\d+|\*\*|\d+|[-+*/:()]", algebra):
        if token == "(":
            stack.append([])
        elif token == ")":
            inner = _size(stack.pop())
            stack[-1].append(inner)
        elif token.startswith("f"):
            stack[-1].append(1.0)
        else:
            stack[-1].append(token)
    return _size(stack[0])


def _size(tokens: list[object]) -> float:
    """Number of terms of a sum of products of sizes."""
    total, product, operator, power = 0.0, 1.0, "", False
    for token in [*tokens, "+"]:
        if power:
            # Every product of up to that many of the terms.
            product = min((1.0 + product) ** int(str(token)), 1e12)
            power = False
        elif token == "**":
            power = True
        elif isinstance(token, float) or str(token).isdigit():
            size = token if isinstance(token, float) else 1.0
            grown = {"*": product + size + product * size, ":": product * size}
            product = grown.get(operator, product + product * size if operator == "/" else size)
        elif token in ("+", "-"):
            total, product, operator = total + product, 0.0, ""
        else:
            operator = str(token)
    return min(total, 1e12)
