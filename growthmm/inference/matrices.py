"""Covariance matrices of random effects whose entries are all free, each once."""

from __future__ import annotations

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.wide.problem import WideProblem
from growthmm.inference.derived import covariance_entries, residual_variances
from growthmm.inference.intervals.coordinates import Block

__all__ = ["complete_blocks", "home_of", "residual_variances"]


def complete_blocks(fit: EngineFit, problem: LongProblem | WideProblem) -> tuple[list[Block], bool]:
    """Blocks of random effects that covary, and whether some had to be left out.

    A block is left out where an entry of it is fixed; all are where a parameter stands twice.

    Parameters
    ----------
    fit : EngineFit
        Whose parameters' positions are meant.
    problem : LongProblem or WideProblem
        What it fitted.
    """
    groups, place = _groups(fit, problem)
    if len(set(place.values())) < len(place):
        return [], True
    blocks = []
    for rows in groups:
        if all((a, b) in place for i, a in enumerate(rows) for b in rows[i:]):
            table = tuple(tuple(place[min(a, b), max(a, b)] for b in rows) for a in rows)
            blocks.append(Block(table))
    return blocks, len(blocks) < len(groups)


def home_of(
    fit: EngineFit, problem: LongProblem | WideProblem, blocks: list[Block]
) -> dict[int, tuple[int, int]]:
    """For each random effect in a complete block, which block and which row of it."""
    groups, place = _groups(fit, problem)
    own = {block.places[0][0]: k for k, block in enumerate(blocks)}
    found: dict[int, tuple[int, int]] = {}
    for rows in groups:
        k = own.get(place.get((rows[0], rows[0]), -1))
        if k is not None:
            found |= {row: (k, i) for i, row in enumerate(rows)}
    return found


def _groups(
    fit: EngineFit, problem: LongProblem | WideProblem
) -> tuple[list[list[int]], dict[tuple[int, int], int]]:
    place = {(a, b): k for a, b, k in covariance_entries(fit, problem).entries}
    groups: list[set[int]] = []
    for pair in place:
        near = [g for g in groups if g & set(pair)]
        groups = [g for g in groups if g not in near] + [set(pair).union(*near)]
    return [sorted(g) for g in groups], place
