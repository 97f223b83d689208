"""Random blocks as terms with a bar."""

from __future__ import annotations

from growthmm.model.expression import tree
from growthmm.model.expression_tree import Call
from growthmm.model.mixed import RandomBlock
from growthmm.model.terms import Term
from growthmm.notation.formula.text import term_text

__all__ = ["bars", "is_wide"]


_EQUAL = {"compound_symmetry": "homcs", "identity": "homdiag"}
"""What glmmTMB calls effects with one variance."""


def is_wide(term: Term) -> bool:
    """Whether a term certainly has several columns."""
    nodes = [tree(factor) for factor in term.factors]
    return any(isinstance(n, Call) and n.function in ("C", "poly", "bs", "ns", "cr") for n in nodes)


def bars(block: RandomBlock, texts: dict[str, str], group: str, diagonal: str) -> tuple[str, ...]:
    """The terms of one block; several where its terms are independent, but not its columns.

    Parameters
    ----------
    block : RandomBlock
        The block.
    texts : dict of str to str
        Each factor in the program's spelling.
    group : str
        The grouping factor in the program's spelling.
    diagonal : str
        How the program writes effects without any covariance: ``"diag({terms} | {group})"``.

    Examples
    --------
    >>> block = RandomBlock((Term(), Term(("t",))), "id", "diagonal")
    >>> bars(block, {"t": "t"}, "id", "({terms} || {group})")
    ('(1 + t || id)',)
    """
    inside = term_text(block.terms, texts, explicit=True)
    if block.covariance == "unstructured":
        return (f"({inside} | {group})",)
    if block.covariance == "by_term" and any(is_wide(term) for term in block.terms):
        return tuple(f"({term_text((t,), texts, explicit=True)} | {group})" for t in block.terms)
    function = _EQUAL.get(block.covariance)
    if function is not None:
        return (f"{function}({inside} | {group})",)
    return (diagonal.replace("{terms}", inside).replace("{group}", group),)
