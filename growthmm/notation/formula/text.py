"""Terms as the right-hand side of a formula."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from growthmm.model.terms import INTERCEPT, Term

__all__ = ["term_text"]


def term_text(terms: Sequence[Term], spelled: dict[str, str], *, explicit: bool) -> str:
    """Terms as the right-hand side of a formula.

    Parameters
    ----------
    terms : sequence of Term
        The terms.
    spelled : dict of str to str
        Each factor in the target's spelling.
    explicit : bool
        Whether the intercept is written as ``1`` where it is there.

    Examples
    --------
    >>> term_text([INTERCEPT, Term(("t",))], {"t": "t"}, explicit=False)
    't'
    """
    intercept = INTERCEPT in terms
    proper = [term for term in terms if not term.is_intercept]
    pieces = [
        ("- " if taken else "") + ":".join(spelled[f] for f in term.factors)
        for term, taken in _in_writing_order(proper)
    ]
    if not intercept:
        pieces.insert(0, "0")
    elif explicit or not pieces:
        pieces.insert(0, "1")
    return " + ".join(pieces).replace(" + - ", " - ")


def _in_writing_order(terms: list[Term]) -> list[tuple[Term, bool]]:
    """Terms in an order in which reading them keeps the order of the factors in each.

    Readers order the factors of a term by their first appearance in the formula, and terms by
    degree; so a term may be written early for the order of its factors. Where no order of the
    terms will do, the product of all factors goes first and is taken away at the end (True).
    """
    by_degree = sorted(terms, key=lambda term: -len(term.factors))
    for written in (terms, by_degree):
        if _keeps_factors(written):
            return [(term, False) for term in written]
    total = _total_order(terms)
    if total is None:
        return [(term, False) for term in terms]
    every = Term(total)
    return [(every, False), *((term, False) for term in terms), (every, True)]


def _keeps_factors(terms: Sequence[Term]) -> bool:
    place = {f: at for at, f in enumerate(dict.fromkeys(f for t in terms for f in t.factors))}
    return all(list(t.factors) == sorted(t.factors, key=place.__getitem__) for t in terms)


def _total_order(terms: Sequence[Term]) -> tuple[str, ...] | None:
    """An order of all factors that agrees with every term, or None."""
    from graphlib import CycleError, TopologicalSorter

    sorter: TopologicalSorter[str] = TopologicalSorter()
    for term in terms:
        for before, after in pairwise(term.factors):
            sorter.add(after, before)
    try:
        return tuple(sorter.static_order())
    except CycleError:
        return None
