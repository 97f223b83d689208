"""Which of a formula's covariance functions are random effects, and which the residuals."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import quote, tree
from growthmm.model.expression_tree import Call, Name
from growthmm.model.mixed import BlockCovariance, RandomBlock
from growthmm.model.residual import ResidualKind, ResidualStructure
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.formula.bars import is_wide
from growthmm.notation.formula.reading import Formula, Structured
from growthmm.notation.residual_columns import at_one_time, by_column

__all__ = ["STRUCTURES", "Settled", "settle"]

STRUCTURES = frozenset(
    ("us", "diag", "cs", "homcs", "ar1", "hetar1", "ou", "toep", "homtoep", "homdiag")
)
"""Covariance functions that are read."""

_RANDOM: dict[str, BlockCovariance] = {"us": "unstructured", "diag": "diagonal"}
_EQUAL: dict[str, BlockCovariance] = {"homcs": "compound_symmetry", "homdiag": "identity"}
_ALONE: dict[str, ResidualKind] = {
    "ar1": "ar1",
    "ou": "ar1",
    "hetar1": "arh1",
    "cs": "csh",
    "homcs": "cs",
    "homtoep": "toeplitz",
    "homdiag": "common",
    "us": "unstructured",
    "diag": "by_occasion",
}
_WITH_COMMON: dict[str, ResidualKind] = {"ar1": "ar1+common", "ou": "ar1+common"}


@dataclass(frozen=True, slots=True)
class Settled:
    """Random effects and residuals told apart.

    Parameters
    ----------
    random : tuple of RandomBlock
        In the order of the text.
    residual : ResidualStructure
        The residuals.
    defaults : tuple of Default
        What the program decides.
    """

    random: tuple[RandomBlock, ...]
    residual: ResidualStructure
    defaults: tuple[Default, ...] = ()


def settle(
    text: str, formula: Formula, dispersion: tuple[Term, ...] | None, position: int
) -> Settled:
    """Tell random effects and residuals apart.

    Parameters
    ----------
    text : str
        The text, for errors.
    formula : Formula
        The formula with its covariance functions.
    dispersion : tuple of Term or None
        Terms of the dispersion formula; None where there is none.
    position : int
        Where the dispersion formula stands.

    Raises
    ------
    NotationError
        If they make no residual structure that growth models here have.
    """
    terms = _in_order(formula)
    if dispersion is not None and not dispersion:
        return _without_residual(text, terms, position)
    structured = [t for t in terms if isinstance(t, Structured) and not _is_random(t)]
    blocks = tuple(_block(text, t) for t in terms if t not in structured)
    if dispersion in (None, (INTERCEPT,)):
        if not structured:
            return Settled(blocks, ResidualStructure())
        chosen = _single(text, structured)
        if chosen.function not in _WITH_COMMON:
            raise _fail(
                text,
                chosen.position,
                f"{chosen.function}() beside a residual variance is not supported",
                "Add dispformula = ~ 0, so that it is the residuals' covariance.",
            )
        return _residual(text, blocks, chosen, _WITH_COMMON[chosen.function])
    if structured:
        raise _fail(
            text,
            structured[0].position,
            f"{structured[0].function}() beside residual variances by a column is not supported",
            "Write dispformula = ~ 0 or leave it out.",
        )
    column = _variance_column(text, dispersion or (), position)
    return Settled(blocks, by_column(column, formula.fixed, blocks))


def _in_order(formula: Formula) -> list[RandomBlock | Structured]:
    """Random terms in the order of the text."""
    found: list[RandomBlock | Structured] = []
    waiting = list(formula.structured)
    for at, block in enumerate(formula.random):
        while waiting and waiting[0].after == at:
            found.append(waiting.pop(0))
        found.append(block)
    return [*found, *waiting]


def _without_residual(text: str, terms: list[RandomBlock | Structured], position: int) -> Settled:
    """The residuals where the program has no residual variance: one of the random terms."""
    special = [t for t in terms if isinstance(t, Structured) and not _is_random(t)]
    candidates: list[RandomBlock | Structured] = [*special] or [
        t for t in terms if _occasions(t.terms) is not None
    ]
    if not candidates:
        raise _fail(
            text,
            position,
            "dispformula = ~ 0 leaves the model without residuals",
            "Add ar1(0 + factor(time) | person) or another covariance function, or leave it out.",
        )
    groups = [_block(text, t) for t in terms if isinstance(t, RandomBlock) or _is_random(t)]
    within_times = [t for t in candidates if _at_one_time(t, groups)]
    if len(within_times) == 1:
        candidates = within_times
    if len(candidates) > 1:
        raise _fail(
            text,
            position,
            f"dispformula = ~ 0 with {len(candidates)} terms that could be the residuals",
            "Keep one term over 0 + factor(time).",
        )
    chosen = candidates[0]
    blocks = tuple(_block(text, t) for t in terms if t is not chosen)
    if isinstance(chosen, RandomBlock):
        function = "us" if chosen.covariance == "unstructured" else "diag"
        chosen = Structured(function, chosen.terms, chosen.group, position, 0)
    if chosen.function not in _ALONE:
        raise _fail(
            text,
            chosen.position,
            f"{chosen.function}() with a variance for each occasion is not supported",
            "Write homtoep() for one variance, or us().",
        )
    return _residual(text, blocks, chosen, _ALONE[chosen.function])


def _residual(
    text: str, blocks: tuple[RandomBlock, ...], term: Structured, kind: ResidualKind
) -> Settled:
    time = _occasions(term.terms)
    if time is None:
        raise _fail(
            text,
            term.position,
            f"{term.function}() over anything but the levels of one column is not supported",
            f"Write {term.function}(0 + factor(time) | person).",
        )
    notes: tuple[Default, ...] = ()
    if term.function in ("ar1", "hetar1"):
        rule = f"{term.function}(): levels follow each other at distance one"
        notes = (Default("distance of residuals", "in occasions", rule),)
    elif term.function == "ou":
        notes = (Default("correlation of residuals", "positive", "ou(): exp(-theta distance)"),)
    if kind == "common":
        return Settled(blocks, ResidualStructure(), notes)
    across = at_one_time(term.group, blocks) if kind == "unstructured" else None
    if across is not None:
        found = ResidualStructure("across", by=time, time=across.time, person=across.person)
        return Settled(blocks, found, notes)
    person = None if kind == "by_occasion" else term.group
    return Settled(blocks, ResidualStructure(kind, time=time, person=person), notes)


def _at_one_time(term: RandomBlock | Structured, blocks: list[RandomBlock]) -> bool:
    """Whether a term is of a person's outcomes at one time."""
    return at_one_time(term.group, [b for b in blocks if b.group != term.group]) is not None


def _single(text: str, structured: list[Structured]) -> Structured:
    if len(structured) > 1:
        raise _fail(
            text,
            structured[1].position,
            f"{len(structured)} covariance functions over occasions in one model",
            "Keep one of them.",
        )
    return structured[0]


def _block(text: str, term: RandomBlock | Structured) -> RandomBlock:
    if isinstance(term, RandomBlock):
        return term
    if not _is_random(term):
        raise _fail(
            text,
            term.position,
            f"A second covariance function, {term.function}(), is not supported",
            "Keep one term over 0 + factor(time).",
        )
    covariance = (_RANDOM | _EQUAL)[term.function]
    alone = len(term.terms) == 1 and not is_wide(term.terms[0])
    return RandomBlock(term.terms, term.group, "unstructured" if alone else covariance)


def _is_random(term: Structured) -> bool:
    """Whether a covariance function is of random effects: those of residuals are over occasions."""
    if term.function in _EQUAL:
        return _occasions(term.terms) is None
    return term.function in _RANDOM


def _occasions(terms: tuple[Term, ...]) -> str | None:
    """The column whose levels are the effects: ``0 + factor(t)``, or ``0 + t`` for a factor."""
    if len(terms) != 1 or len(terms[0].factors) != 1:
        return None
    node = tree(terms[0].factors[0])
    if isinstance(node, Call) and node.function == "C" and isinstance(node.args[0], Name):
        return node.args[0].name
    return node.name if isinstance(node, Name) else None


def _variance_column(text: str, terms: tuple[Term, ...], position: int) -> str:
    """The column of ``~ 0 + factor(x)`` or ``~ factor(x)``."""
    proper = [term for term in terms if not term.is_intercept]
    if len(proper) == 1 and len(proper[0].factors) == 1:
        node = tree(proper[0].factors[0])
        if isinstance(node, Call) and node.function == "C" and isinstance(node.args[0], Name):
            return node.args[0].name
        if isinstance(node, Name):
            name = quote(node.name)
            raise _fail(
                text,
                position,
                f"dispformula = ~ {name} is log-linear in {name} where it is a number",
                f"Write dispformula = ~ 0 + factor({name}).",
            )
    raise _fail(
        text,
        position,
        "A dispersion formula other than the levels of one column is not supported",
        "Write dispformula = ~ 0 + factor(time).",
    )


def _fail(text: str, position: int, message: str, hint: str) -> NotationError:
    return NotationError(message, text=text, position=position, hint=hint)
