"""Two mixed models that differ in their writing alone, and columns whose names say occasion."""

from __future__ import annotations

import re
from collections import Counter

from growthmm.model.expression import tree, variables
from growthmm.model.expression_print import show
from growthmm.model.expression_tree import Call
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.terms import Term
from growthmm.notation.command_languages.effects import monomials
from growthmm.notation.losses.blocks import PLAIN

__all__ = ["is_wide", "occasion_like", "quoted_group", "settled"]

_OCCASIONS = re.compile(
    r"(?:occ|occasion|wave|time|visit|week|month|year|day|age|session|round|t)s?_?[0-9]*"
)


def occasion_like(name: str) -> bool:
    """Whether a column's name says that it holds occasions.

    Examples
    --------
    >>> occasion_like("Wave"), occasion_like("sex")
    (True, False)
    """
    return _OCCASIONS.fullmatch(name.lower()) is not None


def settled(model: MixedModel) -> tuple[object, ...]:
    """What a model says, whichever of several equal ways it is written in.

    A block without covariances of one numeric effect is a block; blocks stand in any order.
    """
    blocks = sorted(
        (str(sorted(map(_factors, block.terms), key=str)), block.group, block.covariance)
        for block in _blocks(model)
    )
    fixed = frozenset(map(_factors, model.fixed))
    return (model.response, fixed, tuple(blocks), model.residual, model.estimator)


def _factors(term: Term) -> tuple[str, ...]:
    """The factors in one order, powers of a column multiplied out.

    An ``I()`` around a function changes nothing.
    """
    bare = []
    powers: Counter[str] = Counter()
    for factor in term.factors:
        known = monomials(factor)
        if known is not None and not known.categorical:
            powers[known.name] += known.power
            continue
        node = tree(factor)
        inner = node.args[0] if isinstance(node, Call) and node.function == "I" else None
        bare.append(show(inner, "canonical") if isinstance(inner, Call) else factor)
    return tuple(sorted([*bare, *(f"{name} ** {power}" for name, power in powers.items())]))


def _blocks(model: MixedModel) -> list[RandomBlock]:
    made: list[RandomBlock] = []
    for block in model.random:
        wide = [term for term in block.terms if is_wide(term)]
        if block.covariance == "by_term" and wide:
            made += [RandomBlock((term,), block.group) for term in block.terms]
        elif block.covariance == "unstructured" or (
            block.covariance not in PLAIN and (wide or len(block.terms) > 1)
        ):
            made.append(block)
        elif len(block.terms) == 1 and not wide:
            made.append(RandomBlock(block.terms, block.group))
        elif wide:
            made.append(RandomBlock(block.terms, block.group, "diagonal"))
        else:
            made += [RandomBlock((term,), block.group) for term in block.terms]
    return made


def is_wide(term: Term) -> bool:
    """Whether a term has a factor of several columns.

    Examples
    --------
    >>> is_wide(Term(("t", "C(sex)"))), is_wide(Term(("I(t**2)",)))
    (True, False)
    """
    for factor in term.factors:
        known = monomials(factor)
        if known is None and factor.startswith(("C(", "poly(", "bs(", "ns(", "cr(")):
            return True
        if known is not None and known.categorical:
            return True
    return False


def quoted_group(group: str) -> list[str]:
    """The columns of a grouping factor."""
    return [variables(part)[0] if variables(part) else part for part in group.split(":")]
