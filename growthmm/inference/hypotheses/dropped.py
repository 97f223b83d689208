"""A model without some of its random effects, and what the hypothesis holds at zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines.long.problem import LongProblem
from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideProblem
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.estimated_loadings import refuse_estimated_loadings
from growthmm.inference.hypotheses.cone import VanishingBlock
from growthmm.inference.result import FitResult

__all__ = ["Dropped", "without_effects"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Dropped:
    """The smaller model's fit, and the larger model's parameters that are zero there.

    Parameters
    ----------
    fit : EngineFit
        Of the model without the effects.
    values : (n_parameters,) ndarray
        The larger model's parameters there.
    tested : tuple of int
        Positions of the parameters under test.
    blocks : tuple of VanishingBlock
        What among them must be positive semi-definite.
    partners : tuple of int
        For each effect dropped, how many effects remain that it covaried with.
    """

    fit: EngineFit
    values: FloatArray
    tested: tuple[int, ...]
    blocks: tuple[VanishingBlock, ...]
    partners: tuple[int, ...]


def without_effects(fit: FitResult, effects: Sequence[str]) -> Dropped:
    """Fit the model without some random effects (or without the variances of some factors).

    Parameters
    ----------
    fit : FitResult
        The larger model, by one of our engines, over positive semi-definite matrices.
    effects : sequence of str
        Names of random effects, or of latent variables whose variance and covariances go.

    Raises
    ------
    SpecificationError
        If the model has no such effect.
    UnsupportedEngineError
        If the covariance matrix is constrained otherwise.
    """
    problem = fit.data.problem
    refuse_estimated_loadings(problem, "A test of random effects")
    known = problem.effect_names if isinstance(problem, LongProblem) else problem.model.latent
    strange = [name for name in effects if name not in known]
    if strange or not effects:
        raise SpecificationError(
            f"The model has no random effect {', '.join(map(repr, strange)) or 'named'}.",
            hint=f"It has: {', '.join(known)}.",
        )
    if isinstance(problem, LongProblem):
        return _long(fit, problem, list(effects))
    return _wide(fit, problem, list(effects))


def _long(fit: FitResult, problem: LongProblem, effects: list[str]) -> Dropped:
    if problem.restricted:
        raise UnsupportedEngineError(
            "Covariance parameters of the model are held or shared.",
            hint="Test random effects in a model whose covariances are free.",
        )
    names = problem.effect_names
    gone = {k for k, name in enumerate(names) if name in effects}
    kept = [k for k in range(len(names)) if k not in gone]
    blocks = []
    for block in problem.blocks:
        stay = [
            (n, kept.index(c))
            for n, c in zip(block.names, block.columns, strict=True)
            if c not in gone
        ]
        if stay:
            blocks.append(
                replace(block, names=tuple(n for n, _ in stay), columns=tuple(c for _, c in stay))
            )
    smaller = replace(problem, random=np.asarray(problem.random)[:, kept], blocks=tuple(blocks))
    if not any(block.outer for block in blocks):
        smaller = replace(smaller, clusters=None)
    answer = run("long", smaller, estimator=fit.estimator, bounds="psd")
    own = dict(zip(answer.names, answer.estimates.tolist(), strict=True))
    every = long_engine.parameter_names(problem)
    values = np.array([own.get(name, 0.0) for name in every])
    covariances = dict(zip(problem.covariance_entries, problem.covariance_names, strict=True))
    tested = [every.index(n) for (a, b), n in covariances.items() if {a, b} & gone]
    found, partners = [], []
    for block in problem.blocks:
        out = [c for c in block.columns if c in gone]
        groups = [[c] for c in out] if block.diagonal else ([out] if out else [])
        partners += [0 if block.diagonal else len(block.columns) - len(out)] * len(groups)
        for group in groups:
            found.append(
                VanishingBlock(
                    len(group),
                    tuple(
                        (i, j, tested.index(every.index(covariances[a, b])))
                        for i, a in enumerate(group)
                        for j, b in enumerate(group)
                        if i <= j
                    ),
                )
            )
    return Dropped(answer, values, tuple(tested), tuple(found), tuple(partners))


def _wide(fit: FitResult, problem: WideProblem, effects: list[str]) -> Dropped:
    model = problem.model
    free = model.free_parameters
    rows = [p for p in model.paths if p.op == "~~" and {p.left, p.right} & set(effects)]
    odd = [p.name for p in rows if not p.free and p.value]
    shared = [
        p.parameter
        for p in model.paths
        if p not in rows and p.free and p.parameter in {r.parameter for r in rows}
    ]
    if odd or shared or model.constraints or model.n_groups > 1:
        raise UnsupportedEngineError(
            f"The variances of {', '.join(effects)} are fixed, shared, constrained or of several "
            "groups.",
            hint="Test random effects in a model whose covariances are free.",
        )
    paths = tuple(
        replace(p, free=False, value=0.0, label=None) if p in rows else p for p in model.paths
    )
    smaller = replace(problem, model=replace(model, paths=paths))
    answer = run("wide", smaller, estimator=fit.estimator, bounds="psd")
    own = dict(zip(answer.names, answer.estimates.tolist(), strict=True))
    values = np.array([own.get(name, 0.0) for name in free])
    entry = {frozenset((p.left, p.right)): free.index(p.parameter) for p in rows if p.free}
    tested = sorted(set(entry.values()))
    linked = _linked(effects, entry)
    blocks, partners = [], []
    for group in linked:
        missing = [
            (a, b) for i, a in enumerate(group) for b in group[i:] if frozenset((a, b)) not in entry
        ]
        if missing:
            raise UnsupportedEngineError(
                f"The covariance of {missing[0][0]} and {missing[0][1]} is zero within a block.",
                hint="Test one of the effects at a time.",
            )
        blocks.append(
            VanishingBlock(
                len(group),
                tuple(
                    (i, j, tested.index(entry[frozenset((a, b))]))
                    for i, a in enumerate(group)
                    for j, b in enumerate(group)
                    if i <= j
                ),
            )
        )
        others = {n for pair in entry if pair & set(group) for n in pair} - set(effects)
        partners.append(len(others))
    return Dropped(answer, values, tuple(tested), tuple(blocks), tuple(partners))


def _linked(effects: list[str], entry: dict[frozenset[str], int]) -> list[list[str]]:
    """Effects in groups that covary."""
    groups: list[list[str]] = []
    for name in effects:
        near = [g for g in groups if any(frozenset((name, other)) in entry for other in g)]
        merged = [n for g in near for n in g] + [name]
        groups = [g for g in groups if g not in near] + [merged]
    return groups
