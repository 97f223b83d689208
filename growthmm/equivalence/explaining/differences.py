"""The difference of two aligned analyses, taken apart into causes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from growthmm.equivalence.explaining import edits
from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.explaining.coding import covariate_codings, time_codings
from growthmm.equivalence.explaining.difference import Difference
from growthmm.equivalence.explaining.habit_differences import habit_differences
from growthmm.equivalence.explaining.spans import (
    acting_covariates,
    coordinates,
    effect_vectors,
    mean_vectors,
    same_span,
)
from growthmm.model.factor_pattern import pattern_kind
from growthmm.model.growth import FactorBlock, GrowthFactor, GrowthModel
from growthmm.model.residual import ResidualStructure
from growthmm.translation.groups.shared_blocks import shared_entries

__all__ = ["differences"]


def differences(a: Analysis, b: Analysis) -> tuple[Difference, ...]:
    """Every atomic difference between two aligned analyses.

    Parameters
    ----------
    a, b : Analysis
        As :func:`growthmm.equivalence.explaining.alignment.aligned` makes them.

    Returns
    -------
    tuple of Difference
        Applied one after another they lead from the first to the second.
    """
    return (*_of_models(a, b), *habit_differences(a, b))


def _on_growth(change: Callable[[GrowthModel], GrowthModel]) -> Callable[[Analysis], Analysis]:
    return lambda analysis: replace(analysis, growth=change(analysis.growth))


def _of_models(a: Analysis, b: Analysis) -> Iterator[Difference]:
    first, second = a.growth, b.growth
    free = {f.name for f in (*first.factors, *second.factors) if f.cells}
    recoded = time_codings(first, second, free)
    for step in recoded:
        yield Difference(
            step.cause,
            step.what,
            step.before,
            step.after,
            _on_growth(partial(edits.with_loadings, loadings=step.loadings)),
            step.changes,
        )
    for coded in covariate_codings(first, second):
        yield Difference(
            coded.cause,
            coded.what,
            coded.before,
            coded.after,
            _on_growth(partial(edits.covariate_coded_as_in, other=second, covariates=coded.names)),
        )
    yield from _residuals(first.residual, second.residual)
    yield from _random(first, second)
    yield from _factors(first, second)
    yield from _means(first, second)
    yield from _covariates(first, second)
    yield from _loadings(first, second)


_PARTS = {
    "common": ("uncorrelated", "equal"),
    "by_occasion": ("uncorrelated", "free at every occasion"),
    "ar1": ("AR(1)", "equal"),
    "arh1": ("AR(1)", "free at every occasion"),
    "cs": ("compound symmetric", "equal"),
    "csh": ("compound symmetric", "free at every occasion"),
    "ar1+common": ("AR(1) plus an independent residual", "equal"),
}
"""Correlation and variances of residual structures that can change one without the other."""


def _residual_parts(structure: ResidualStructure) -> tuple[str, str]:
    if structure.kind == "by_group":
        words = f"free for each {structure.by}" + " and occasion" * structure.crossed
        sets = ", ".join(" = ".join(members) for members in structure.shared)
        return "uncorrelated", words + (f" but {sets}" if sets else "")
    if structure.within is not None:
        sets = ", ".join(" = ".join(members) for members in structure.shared)
        each = f", of each {structure.by} its own" + (f" but {sets}" if sets else "")
        return tuple(word + each for word in _residual_parts(structure.within))  # type: ignore[return-value]
    return _PARTS.get(structure.kind, (str(structure), "as that says"))


def _residuals(first: ResidualStructure, second: ResidualStructure) -> Iterator[Difference]:
    if first == second:
        return
    (corr_a, var_a), (corr_b, var_b) = _residual_parts(first), _residual_parts(second)

    def to(structure: ResidualStructure) -> Callable[[Analysis], Analysis]:
        return _on_growth(lambda g: replace(g, residual=structure))

    kinds = {parts: kind for kind, parts in _PARTS.items()}
    middle = kinds.get((corr_b, var_a))
    if corr_a != corr_b and var_a != var_b and middle is not None:
        between = ResidualStructure(middle)  # type: ignore[arg-type]
        yield Difference("residual_correlation", "", corr_a, corr_b, to(between))
        yield Difference("residual_variances", "", var_a, var_b, to(second))
    elif corr_a != corr_b:
        yield Difference("residual_correlation", "", corr_a, corr_b, to(second))
    else:
        yield Difference("residual_variances", "", var_a, var_b, to(second))


def _random(first: GrowthModel, second: GrowthModel) -> Iterator[Difference]:
    one = {name for block in first.blocks for name in block.factors}
    two = {name for block in second.blocks for name in block.factors}
    shared = one & two
    before = {p for p in edits.free_pairs(first) if p <= shared}
    after = {p for p in edits.free_pairs(second) if p <= shared}
    grouped = [{block.groups for block in growth.blocks} - {()} for growth in (first, second)]
    tied = any(block.shares for block in (*first.blocks, *second.blocks))
    same = grouped[0] == grouped[1] and not (tied and _tied(first) != _tied(second))
    if one == two and not same:
        words = [_by_group(growth.blocks) for growth in (first, second)]
        yield Difference(
            "group_covariances",
            "",
            words[0],
            words[1],
            _on_growth(partial(edits.covariances_as_in, other=second)),
        )
        return
    patterns = [_patterns(growth.blocks) for growth in (first, second)]
    if one == two and patterns[0] != patterns[1] and any(patterns):
        words = [
            ", ".join(sorted(p)) if p else "free" for p in ({k for k, _ in x} for x in patterns)
        ]
        yield Difference(
            "random_covariances",
            "",
            words[0],
            words[1],
            _on_growth(partial(edits.covariances_as_in, other=second)),
        )
    elif before != after:
        words = ["free" if len(a - b) else "zero" for a, b in ((before, after), (after, before))]
        if before - after and after - before:
            words = ["free for some pairs", "free for others"]
        yield Difference(
            "random_covariances",
            "",
            words[0],
            words[1],
            _on_growth(partial(edits.covariances_as_in, other=second)),
        )
    here = {f.name for f in first.factors} & {f.name for f in second.factors}
    for factor in first.factors:
        name = factor.name
        if name in here and (name in one) != (name in two):
            words = ["free", "zero"] if name in one else ["zero", "free"]
            yield Difference(
                "factor_variance",
                name,
                words[0],
                words[1],
                _on_growth(partial(edits.random_as_in, other=second, name=name)),
            )


def _tied(growth: GrowthModel) -> frozenset[frozenset[object]]:
    """Which (co)variances of different groups are equal."""
    return shared_entries(growth, {factor.name: factor.name for factor in growth.factors})


def _by_group(blocks: tuple[FactorBlock, ...]) -> str:
    if not any(block.groups for block in blocks):
        return "equal in all"
    tied = any(block.shares for block in blocks)
    return "equal in part" if tied else "free in each"


def _patterns(blocks: tuple[FactorBlock, ...]) -> frozenset[tuple[str, object]]:
    """Covariance matrices with equal or held entries: what they are called, and their cells."""
    return frozenset(
        (pattern_kind(block.pattern).replace("_", " "), (block.factors, block.pattern))
        for block in blocks
        if block.pattern
    )


def _factors(first: GrowthModel, second: GrowthModel) -> Iterator[Difference]:
    one, two = ({f.name for f in growth.factors} for growth in (first, second))
    for factor in (*first.factors, *second.factors):
        name = factor.name
        if (name in one) == (name in two):
            continue
        words = ["there", "absent"] if name in one else ["absent", "there"]
        what = f"{name} ({', '.join(f'{v:.4g}' for v in factor.loadings[:8])})"
        yield Difference(
            "growth_factor",
            what,
            words[0],
            words[1],
            _on_growth(partial(edits.factor_as_in, other=second, name=name)),
        )


def _means(first: GrowthModel, second: GrowthModel) -> Iterator[Difference]:
    shared = {f.name for f in first.factors} & {f.name for f in second.factors}
    like = coordinates(first, second)
    one = mean_vectors(first, like, shared)
    two = mean_vectors(second, like, shared)
    occasions = (
        {m.occasion for m in first.occasion_means},
        {m.occasion for m in second.occasion_means},
    )
    if occasions[0] != occasions[1] and not same_span(one, two):
        words = [
            f"free at {len(chosen)} occasions beside the growth factors"
            if chosen
            else "those of the growth factors"
            for chosen in occasions
        ]
        yield Difference(
            "occasion_means",
            "",
            words[0],
            words[1],
            _on_growth(partial(edits.means_as_in, other=second, names=shared)),
        )
        return
    if same_span(one, two):
        return
    means = {f.name: f.mean for f in second.factors}
    for factor in first.factors:
        name = factor.name
        if name not in means or factor.mean == means[name]:
            continue
        words = ["free", "zero"] if factor.mean else ["zero", "free"]
        yield Difference(
            "factor_mean",
            name,
            words[0],
            words[1],
            _on_growth(partial(edits.means_as_in, other=second, names={name})),
        )


def _covariates(first: GrowthModel, second: GrowthModel) -> Iterator[Difference]:
    here = acting_covariates(first), acting_covariates(second)
    factors = [f.name for f in first.factors if f.name in {g.name for g in second.factors}]
    like = coordinates(first, second)
    for name in dict.fromkeys(c.name for c in (*first.covariates, *second.covariates)):
        inside = [name in acting for acting in here]
        if not any(inside):
            continue
        if not all(inside):
            words = ["there", "absent"] if inside[0] else ["absent", "there"]
            yield Difference(
                "covariate",
                name,
                words[0],
                words[1],
                _on_growth(partial(edits.covariate_as_in, other=second, covariate=name)),
            )
            continue
        spans = [effect_vectors(g, name, like, set(factors)) for g in (first, second)]
        if same_span(*spans):
            continue
        yield from _effects(first, second, name, factors)


def _effects(
    first: GrowthModel, second: GrowthModel, name: str, factors: list[str]
) -> Iterator[Difference]:
    on = [{e.factor for e in g.predictor_effects if e.covariate == name} for g in (first, second)]
    for factor in factors:
        inside = [factor in chosen for chosen in on]
        if inside[0] != inside[1]:
            words = ["free", "zero"] if inside[0] else ["zero", "free"]
            yield Difference(
                "covariate_on_factor",
                f"{name} on {factor}",
                words[0],
                words[1],
                _on_growth(
                    partial(edits.predictor_as_in, other=second, factor=factor, covariate=name)
                ),
            )
    direct = [[e for e in g.direct_effects if e.covariate == name] for g in (first, second)]
    alike = [{(e.occasion, e.column is None, e.loadings) for e in chosen} for chosen in direct]
    if alike[0] != alike[1]:
        words = []
        for chosen in direct:
            if not chosen:
                words.append("none beside the growth factors")
            elif any(e.occasion is not None for e in chosen):
                words.append("free at each occasion")
            elif any(e.column is not None for e in chosen):
                words.append("a function of time")
            else:
                words.append("equal at all occasions")
        yield Difference(
            "effects_over_time",
            name,
            words[0],
            words[1],
            _on_growth(partial(edits.effects_over_time_as_in, other=second, covariate=name)),
        )


def _loadings(first: GrowthModel, second: GrowthModel) -> Iterator[Difference]:
    there = {f.name: f for f in second.factors}
    for factor in first.factors:
        other = there.get(factor.name)
        if other is None or factor.cells == other.cells:
            continue
        words = [_estimated(each) for each in (factor, other)]
        yield Difference(
            "latent_basis",
            factor.name,
            words[0],
            words[1],
            _on_growth(partial(edits.loadings_as_in, other=second, name=factor.name)),
        )


def _estimated(factor: GrowthFactor) -> str:
    if not factor.cells:
        return "fixed"
    count = sum(isinstance(cell, str) for cell in factor.cells)
    return f"estimated at {count} occasion{'s' if count > 1 else ''}"
