"""Short symbols for parameters and covariates whose names are too long for a formula."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from growthmm.equivalence.proof.proof import CovarianceBlock, MeanBlock, Proof
from growthmm.equivalence.proof.symbols import Parts

if TYPE_CHECKING:
    import sympy

__all__ = ["LONGEST", "abbreviated"]

LONGEST = 36
"""Characters of a name up to which it stands in formulas as it is."""


def abbreviated(proof: Proof) -> tuple[Proof, tuple[tuple[sympy.Symbol, sympy.Symbol], ...]]:
    """The proof with short symbols in place of long names, and what they stand for.

    Parameters
    ----------
    proof : Proof
        The proof.

    Returns
    -------
    proof : Proof
        The same where no name is long.
    names : tuple of (Symbol, Symbol)
        Each short symbol and the one that it stands for: ``m1`` and so on for the mixed model's
        parameters, ``p1`` for the SEM's, ``x1`` for covariates.
    """
    short = _short(proof)
    if not short:
        return proof, ()

    def matrix(own: sympy.Matrix) -> sympy.Matrix:
        return own.xreplace(short)

    def parts(own: Parts) -> Parts:
        return Parts(matrix(own.design), matrix(own.covariance), matrix(own.residual))

    def mean(own: MeanBlock) -> MeanBlock:
        return replace(own, mixed=matrix(own.mixed), sem=matrix(own.sem))

    def block(own: CovarianceBlock) -> CovarianceBlock:
        return replace(own, mixed=parts(own.mixed), sem=parts(own.sem), traced=matrix(own.traced))

    def relation(pair: tuple[sympy.Symbol, sympy.Expr]) -> tuple[sympy.Symbol, sympy.Expr]:
        return short.get(pair[0], pair[0]), pair[1].xreplace(short)

    made = replace(
        proof,
        mapping=tuple(map(relation, proof.mapping)),
        constraints=tuple(map(relation, proof.constraints)),
        means=tuple(map(mean, proof.means)),
        blocks=tuple(map(block, proof.blocks)),
        positive=tuple(short.get(own, own) for own in proof.positive),
    )
    return made, tuple((new, old) for old, new in short.items())


def _short(proof: Proof) -> dict[sympy.Symbol, sympy.Symbol]:
    """A symbol for each that is long, in the order of the map."""
    import sympy

    mixed = [left for left, _ in proof.mapping]
    others = {s for means in proof.means for s in means.mixed.free_symbols | means.sem.free_symbols}
    others |= {
        s
        for block in proof.blocks
        for s in block.mixed.whole.free_symbols | block.sem.whole.free_symbols
    }
    others |= {s for pair in (*proof.mapping, *proof.constraints) for s in pair[1].free_symbols}
    others |= {left for left, _ in proof.constraints}
    every = [*mixed, *sorted(others - set(mixed), key=str)]
    taken = {own.name for own in every}
    counts: dict[str, int] = {}
    found = {}
    for own in every:
        if len(own.name) <= LONGEST:
            continue
        letter = "m" if own in mixed else "x" if own.name.startswith("[") else "p"
        name = ""
        while not name or name in taken:
            counts[letter] = counts.get(letter, 0) + 1
            name = f"{letter}{counts[letter]}"
        found[own] = sympy.Symbol(name, positive=True) if own.is_positive else sympy.Symbol(name)
    return found
