"""Both specifications part by part, so that what matches can stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from growthmm.model.expression import variables
from growthmm.model.mixed import RandomBlock
from growthmm.model.sem import Path, SemModel
from growthmm.model.terms import Term
from growthmm.translation.pair import Pair

__all__ = ["SpecificationPart", "specification_parts"]


@dataclass(frozen=True, slots=True)
class SpecificationPart:
    """What one part of the model is called and written like on each side.

    Parameters
    ----------
    title : str
        The part.
    mixed, sem : tuple of str
        Lines of either side.
    """

    title: str
    mixed: tuple[str, ...]
    sem: tuple[str, ...]


def specification_parts(pair: Pair) -> tuple[SpecificationPart, ...]:
    """Mean curve, effects of covariates, differences between persons, residuals.

    Parameters
    ----------
    pair : Pair
        The two forms.

    Returns
    -------
    tuple of SpecificationPart
        Those that the model has.
    """
    model, sem, growth = pair.mixed.model, pair.sem.model, pair.growth
    covariates = {
        name
        for covariate in growth.covariates
        for part in covariate.column.parts
        for name in variables(part.expression)
    }
    factors = {str(factor.column.term) for factor in growth.factors}
    acted = [t for t in model.fixed if str(t) not in factors and _uses(t, covariates)]
    curve = [t for t in model.fixed if t not in acted]
    effects = _regressions(sem)
    if acted and not effects and sem.n_groups > 1:
        effects = ("(in the means of the groups, part 1)",)
    outer = len(growth.outer_blocks)
    parts = [
        SpecificationPart("Growth curve and its mean", _terms(curve), _means(sem)),
        SpecificationPart("Effects of covariates", _terms(acted), effects),
    ]
    if outer:
        clusters = model.random[0].group
        title = f"Differences between clusters ({clusters})"
        parts.append(SpecificationPart(title, _bars(model.random[:1]), _covariances(sem, level=2)))
    parts += [
        SpecificationPart(
            "Differences between persons",
            _bars(model.random[1 if outer else 0 :]),
            _covariances(sem),
        ),
        SpecificationPart(
            "Residuals", (f"residual: {model.residual}",), _covariances(sem, within=False)
        ),
    ]
    return tuple(part for part in parts if part.mixed or part.sem)


def _bars(blocks: Sequence[RandomBlock]) -> tuple[str, ...]:
    return tuple(
        f"({' + '.join(map(str, block.terms)) or '0'} | {block.group})"
        + ("" if block.covariance == "unstructured" else f"  {block.covariance}")
        for block in blocks
    )


def _uses(term: Term, covariates: set[str]) -> bool:
    return any(set(variables(factor)) & covariates for factor in term.factors)


def _terms(terms: list[Term]) -> tuple[str, ...]:
    return (f"fixed: {' + '.join(map(str, terms))}",) if terms else ()


def _coefficient(path: Path) -> str:
    if path.definition is not None:
        return f"data.{path.definition}*"
    if not path.free:
        return f"{path.value:g}*"
    return f"{path.label}*" if path.label else ""


def _group(path: Path, sem: SemModel) -> str:
    if sem.n_levels > 1:
        return f"  (level {path.level})"
    return f"  (group {path.group + 1})" if path.group else ""


def _means(sem: SemModel) -> tuple[str, ...]:
    lines = []
    for group in range(sem.n_groups):
        for factor in sem.latent:
            found = [p for p in sem.paths if (p.left, p.op, p.group) == (factor, "=~", group)]
            if found:
                cells = " + ".join(f"{_coefficient(p)}{p.right}" for p in found)
                lines.append(f"{factor} =~ {cells}{_group(found[0], sem)}")
    means = [p for p in sem.paths if p.op == "~1" and (p.free or p.value)]
    means.sort(key=lambda p: p.left not in sem.latent)
    return (*lines, *(f"{p.left} ~ {_coefficient(p)}1{_group(p, sem)}" for p in means))


def _regressions(sem: SemModel) -> tuple[str, ...]:
    return tuple(
        f"{p.left} ~ {_coefficient(p)}{p.right}{_group(p, sem)}" for p in sem.paths if p.op == "~"
    )


def _covariances(sem: SemModel, *, within: bool = True, level: int = 1) -> tuple[str, ...]:
    """Of factors at a level, or of outcomes with the constraints."""
    latent = set(sem.latent)
    found = [
        p
        for p in sem.paths
        if p.op == "~~" and not p.is_zero and ({p.left, p.right} <= latent) == within
        if not within or p.level == level
    ]
    lines = [f"{p.left} ~~ {_coefficient(p)}{p.right}{_group(p, sem)}" for p in found]
    if not within:
        lines += [f"{c.left} {c.op} {c.right}" for c in sem.constraints]
    return tuple(lines)
