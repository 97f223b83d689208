"""The difference of two aligned analyses, taken apart into causes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from growthmm.equivalence.explaining import edits
from growthmm.equivalence.explaining.analysis import Analysis
from growthmm.equivalence.explaining.causes import CAUSES, Effect
from growthmm.equivalence.explaining.coding import covariate_codings, time_codings
from growthmm.equivalence.explaining.spans import (
    effect_vectors,
    mean_vectors,
    same_span,
)
from growthmm.model.growth import GrowthModel
from growthmm.model.residual import ResidualStructure

__all__ = ["Difference", "differences"]


@dataclass(frozen=True)
class Difference:
    """One atomic difference, and the change that takes it away from the first analysis.

    Parameters
    ----------
    cause : str
        A word of the table of causes.
    what : str
        The part of the model; empty where the cause says it.
    before, after : str
        How each analysis has it.
    apply : callable
        An analysis with that part as the second one has it.
    """

    cause: str
    what: str
    before: str
    after: str
    apply: Callable[[Analysis], Analysis]

    @property
    def effect(self) -> Effect:
        """What the cause changes."""
        return CAUSES[self.cause].effect


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
    return (*_of_models(a, b), *_of_habits(a, b))


def _on_growth(change: Callable[[GrowthModel], GrowthModel]) -> Callable[[Analysis], Analysis]:
    return lambda analysis: replace(analysis, growth=change(analysis.growth))


def _of_models(a: Analysis, b: Analysis) -> Iterator[Difference]:
    first, second = a.growth, b.growth
    free = {name for name, _ in (*a.free_loadings, *b.free_loadings)}
    recoded = time_codings(first, second, free)
    for step in recoded:
        yield Difference(
            step.cause,
            step.what,
            step.before,
            step.after,
            _on_growth(lambda g, to=step.loadings: edits.with_loadings(g, to)),
        )
    for coded in covariate_codings(first, second):
        yield Difference(
            coded.cause,
            coded.what,
            coded.before,
            coded.after,
            _on_growth(lambda g, n=coded.names: edits.covariate_coded_as_in(g, second, n)),
        )
    yield from _residuals(first.residual, second.residual)
    yield from _random(first, second)
    yield from _factors(first, second)
    yield from _means(first, second)
    yield from _covariates(first, second)
    yield from _loadings(a, b)


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
        return "uncorrelated", f"free for each {structure.by}"
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
    if before != after:
        words = ["free" if len(a - b) else "zero" for a, b in ((before, after), (after, before))]
        if before - after and after - before:
            words = ["free for some pairs", "free for others"]
        yield Difference(
            "random_covariances",
            "",
            *words,
            _on_growth(lambda g: edits.covariances_as_in(g, second)),
        )
    here = {f.name for f in first.factors} & {f.name for f in second.factors}
    for factor in first.factors:
        name = factor.name
        if name in here and (name in one) != (name in two):
            words = ["free", "zero"] if name in one else ["zero", "free"]
            yield Difference(
                "factor_variance",
                name,
                *words,
                _on_growth(lambda g, n=name: edits.random_as_in(g, second, n)),
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
            *words,
            _on_growth(lambda g, n=name: edits.factor_as_in(g, second, n)),
        )


def _means(first: GrowthModel, second: GrowthModel) -> Iterator[Difference]:
    shared = {f.name for f in first.factors} & {f.name for f in second.factors}
    like = {f.name: f.loadings for f in first.factors}
    one = mean_vectors(first, like, shared)
    two = mean_vectors(second, like, shared)
    occasions = (
        {m.occasion for m in first.occasion_means},
        {m.occasion for m in second.occasion_means},
    )
    if occasions[0] != occasions[1] and not same_span(one, two):
        words = [
            f"free at {len(chosen)} occasions beside the growth factors" if chosen
            else "those of the growth factors"
            for chosen in occasions
        ]
        yield Difference(
            "occasion_means",
            "",
            *words,
            _on_growth(lambda g: edits.means_as_in(g, second, shared)),
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
            *words,
            _on_growth(lambda g, n=name: edits.means_as_in(g, second, {n})),
        )


def _covariates(first: GrowthModel, second: GrowthModel) -> Iterator[Difference]:
    here = _acting(first), _acting(second)
    factors = [f.name for f in first.factors if f.name in {g.name for g in second.factors}]
    like = {f.name: f.loadings for f in first.factors}
    for name in dict.fromkeys(c.name for c in (*first.covariates, *second.covariates)):
        inside = [name in acting for acting in here]
        if not any(inside):
            continue
        if not all(inside):
            words = ["there", "absent"] if inside[0] else ["absent", "there"]
            yield Difference(
                "covariate",
                name,
                *words,
                _on_growth(lambda g, n=name: edits.covariate_as_in(g, second, n)),
            )
            continue
        spans = [effect_vectors(g, name, like, set(factors)) for g in (first, second)]
        if same_span(*spans):
            continue
        yield from _effects(first, second, name, factors)


def _acting(growth: GrowthModel) -> set[str]:
    acting = {e.covariate for e in growth.predictor_effects}
    return acting | {e.covariate for e in growth.direct_effects}


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
                *words,
                _on_growth(lambda g, f=factor: edits.predictor_as_in(g, second, f, name)),
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
            *words,
            _on_growth(lambda g: edits.effects_over_time_as_in(g, second, name)),
        )


def _loadings(a: Analysis, b: Analysis) -> Iterator[Difference]:
    shared = {f.name for f in a.growth.factors} & {f.name for f in b.growth.factors}
    for name in sorted(shared):
        own = [frozenset(x for x in side.free_loadings if x[0] == name) for side in (a, b)]
        if own[0] == own[1]:
            continue
        words = [f"estimated at {len(chosen)} occasions" if chosen else "fixed" for chosen in own]
        target = b.growth.factor(name)

        def apply(analysis: Analysis, name: str = name, target=target, new=own[1]) -> Analysis:  # type: ignore[no-untyped-def]
            rest = frozenset(x for x in analysis.free_loadings if x[0] != name)
            to = {name: (target.loadings, target.column)}
            growth = edits.with_loadings(analysis.growth, to)
            return replace(analysis, growth=growth, free_loadings=rest | new)

        yield Difference("latent_basis", name, *words, apply)


_WORDS: dict[str, tuple[str, dict[str, str]]] = {
    "estimator": ("estimator", {"ml": "ML", "reml": "REML"}),
    "missing": (
        "listwise",
        {"all": "all observed outcomes", "listwise": "persons without a missing value"},
    ),
    "missing_covariates": ("missing_covariates", {"rows": "the row", "persons": "the person"}),
    "covariates": (
        "joint_likelihood",
        {
            "conditional": "conditional on the covariates",
            "joint": "joint with the covariates",
        },
    ),
    "divisor": ("divisor", {"n": "N", "n-1": "N - 1"}),
    "bounds": (
        "bounds",
        {"psd": "covariance matrices only", "none": "negative variances as well"},
    ),
    "information": ("information", {"expected": "expected", "observed": "observed"}),
    "robust": ("robust", {"no": "the model's own", "yes": "robust"}),
    "adjusted": ("adjusted_errors", {"no": "as they are", "yes": "times sqrt(n / (n - p))"}),
    "tests": (
        "tests",
        {
            "z": "z",
            "t": "t without degrees of freedom",
            "t containment": "t (containment)",
            "t satterthwaite": "t (Satterthwaite)",
        },
    ),
    "bic": (
        "bic",
        {"rows": "rows", "subjects": "persons", "residual_rows": "rows less fixed effects"},
    ),
    "baseline": (
        "fit_baseline",
        {
            "independence": "uncorrelated variables",
            "growth": "equal means and variances",
            "none": "nothing",
        },
    ),
    "parametrisation": (
        "parametrisation",
        {
            "covariances": "variances and covariances",
            "correlations": "variances and correlations",
            "deviations": "standard deviations and correlations",
            "relative": "covariances relative to the residual variance",
        },
    ),
}
"""The cause of each habit, and its values in words."""


def _of_habits(a: Analysis, b: Analysis) -> Iterator[Difference]:
    for field, (cause, words) in _WORDS.items():
        before, after = getattr(a.habits, field), getattr(b.habits, field)
        if before == after or _without_effect(field, a, b):
            continue

        def apply(analysis: Analysis, field: str = field, value: str = after) -> Analysis:
            made = replace(analysis, habits=replace(analysis.habits, **{field: value}))  # type: ignore[arg-type]
            if field == "robust":
                habits = replace(made.habits, information=b.habits.information)
                made = replace(made, habits=habits)
            return made

        yield Difference(cause, "", words[before], words[after], apply)
        if field == "covariates":
            yield from _covariate_moments(a, b)
    if a.habits.covariates == b.habits.covariates == "joint":
        yield from _covariate_moments(a, b)


def _covariate_moments(a: Analysis, b: Analysis) -> Iterator[Difference]:
    if (a.covariate_model is None) == (b.covariate_model is None):
        return
    words = ["saturated" if side.covariate_model is None else "restricted" for side in (a, b)]
    for k, side in enumerate((a, b)):
        if side.habits.covariates == "conditional":
            words[k] = "saturated"  # it says nothing of them
    yield Difference(
        "covariate_moments",
        "",
        *words,
        lambda analysis: replace(
            analysis, covariate_model=b.covariate_model, covariate_columns=b.covariate_columns
        ),
    )


def _without_effect(field: str, a: Analysis, b: Analysis) -> bool:
    """Whether a habit can make no difference, whatever the data."""
    covariates = _acting(a.growth) | _acting(b.growth)
    if field in ("missing_covariates", "covariates") and not covariates:
        return True
    if field == "bounds":
        return not (a.growth.blocks or b.growth.blocks)
    if field == "baseline":
        return "none" in (a.habits.baseline, b.habits.baseline)
    if field == "information":
        return "yes" in (a.habits.robust, b.habits.robust)
    if field == "parametrisation":
        kinds = {a.habits.parametrisation, b.habits.parametrisation}
        blocks = (*a.growth.blocks, *b.growth.blocks)
        return kinds == {"covariances", "correlations"} and all(
            len(block.factors) == 1 for block in blocks
        )
    return False
