"""A growth model whose covariances differ between groups, as a SEM of several groups.

Each group has the rows of an ordinary growth curve. An effect of the group itself is no path
there, it is part of a mean: ``mean of i in males = mean of i + effect of sexmale on i``. So every
parameter of a group is a sum of parameters of the growth model; equal sums are one parameter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.design.names import r_name
from growthmm.model.bound import BoundSem
from growthmm.model.factor_pattern import parameters_of
from growthmm.model.growth import (
    Covariate,
    DirectEffect,
    GrowthModel,
    OccasionMean,
    PredictorEffect,
    direct_key,
    parameter_keys,
    residual_cells,
    residual_classes,
)
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.model.schema import Column, ColumnPart, Grouping
from growthmm.model.sem import Constraint, Path, SemModel
from growthmm.model.terms import Term
from growthmm.translation.coding import column_key
from growthmm.translation.groups.grouping import group_names, of_group, split_by_group
from growthmm.translation.loadings.affine import number
from growthmm.translation.naming import NameBook, covariate_name, occasion_indicator

__all__ = ["grouped_sem"]

Weights = dict[str, float]
"""A sum of the growth model's parameters: key and factor of each."""

Identity = tuple[tuple[str, float], ...]

HELD = "held:"
"""Before parameters that constraints give, which are none of the growth model's."""


def grouped_sem(growth: GrowthModel, single: Callable[[GrowthModel], BoundSem]) -> BoundSem:
    """Write a growth model as a growth curve of several groups.

    Parameters
    ----------
    growth : GrowthModel
        With its groups in the schema.
    single : callable
        What writes the growth model of one group.

    Returns
    -------
    BoundSem
        Groups in the order of the schema. Parameters that are sums of the growth model's stand in
        its ``rules``.
    """
    grouping = growth.schema.grouping
    assert grouping is not None
    order = [grouping.levels.index(level) for level in grouping.order or grouping.levels]
    covariates = list(growth.covariates)
    slices = [_of_level(growth, level, covariates) for level in order]
    bound = [single(each.growth) for each in slices]
    rows, parameters, shown = _merged(bound, slices, grouping)
    model = SemModel(
        paths=rows,
        latent=tuple(dict.fromkeys(name for b in bound for name in b.model.latent)),
        outcomes=bound[0].model.outcomes,
        covariates=tuple(dict.fromkeys(name for b in bound for name in b.model.covariates)),
        constraints=(*_held(bound, shown), *_constraints(parameters)),
        defined=bound[0].model.defined,
        n_groups=len(order),
        group_variable=grouping.variable,
        group_labels=group_names(grouping),
        function="growth",
        estimator=growth.estimator,
    )
    # What residual structures compute from several parameters, alike in all groups or in some.
    computed: dict[str, str] = {}
    for b, each, names_of in zip(bound, slices, shown, strict=True):
        for key, text in b.rules:
            computed.setdefault(each.residuals.get(key, key), _respelled(text, names_of))
    names, rules = _names([k for k in parameter_keys(growth) if k not in computed], parameters)
    used = {*model.covariates, *(p.definition for p in model.paths if p.definition is not None)}
    wide = tuple(c for c in covariates if set(c.columns) & used)
    return BoundSem(model, growth.schema, wide, growth, names, rules=(*rules, *computed.items()))


@dataclass(frozen=True)
class _Slice:
    """The growth model of one group, and what its parameters are in terms of the whole's."""

    growth: GrowthModel
    weights: dict[str, Weights]
    residuals: dict[str, str] = field(default_factory=dict)

    def identity(self, path: Path, key: str) -> Identity:
        """What the parameter of a row is a sum of."""
        made = self.weights.get(key)
        if made is None:
            outcomes = self.growth.schema.outcome_columns
            own = path.op == "~~" and path.left in outcomes and path.right in outcomes
            # Groups with a residual structure of their own have such parameters of their own.
            where = min(self.residuals.values(), default="").partition("@")[2] if own else ""
            made = {f"{HELD}{key}{'@' + where if where else ''}": 1.0}
        return tuple(sorted((source, weight) for source, weight in made.items() if weight))


def _of_level(growth: GrowthModel, level: int, covariates: list[Covariate]) -> _Slice:
    """The growth model of one group; covariates that it needs are added to those given."""
    schema = growth.schema
    weights: dict[str, Weights] = {}

    def add(key: str, source: str, weight: float) -> None:
        weights.setdefault(key, {})
        weights[key][source] = weights[key].get(source, 0.0) + weight

    for factor in growth.factors:
        if factor.mean:
            add(f"mean:{factor.name}", f"mean:{factor.name}", 1.0)
    predictors: list[PredictorEffect] = []
    for effect in growth.predictor_effects:
        source = f"effect:{effect.factor}:{effect.covariate}"
        weight, rest = _apart(growth.covariate(effect.covariate), growth, level, covariates)
        if rest is None:
            add(f"mean:{effect.factor}", source, weight)
        elif weight:
            predictors.append(PredictorEffect(effect.factor, rest.name))
            add(f"effect:{effect.factor}:{rest.name}", source, weight)
    means = {mean.occasion: mean for mean in growth.occasion_means}
    for j in means:
        add(f"occasion:{j}", f"occasion:{j}", 1.0)
    direct: list[DirectEffect] = []
    for one in growth.direct_effects:
        weight, rest = _apart(growth.covariate(one.covariate), growth, level, covariates)
        if rest is not None and weight:
            direct.append(replace(one, covariate=rest.name))
            add(direct_key(direct[-1]), direct_key(one), weight)
        for j in range(len(schema.occasions)) if rest is None and weight else ():
            if one.occasion in (None, j):
                means.setdefault(j, OccasionMean(j, occasion_indicator(schema, j)))
                moved = one.loadings[j] if one.loadings else 1.0
                add(f"occasion:{j}", direct_key(one), weight * moved)
    blocks = tuple(block for block in growth.blocks if not block.groups or level in block.groups)
    for block in blocks:
        for key, source in zip(
            parameters_of(block.alone.cells), parameters_of(block.cells), strict=True
        ):
            add(key, source, 1.0)
    by_group = growth.residual_by_group
    within = growth.residual.within
    cells = residual_cells(growth) if by_group and within is None else ()
    residuals = {
        parameter.key.partition("@")[0]: parameter.key
        for groups, own in residual_classes(growth)
        for parameter in own
        if level in groups
    }
    for key, source in residuals.items():
        add(key, source, 1.0)
    if within is not None:
        pass
    elif by_group and growth.residual.crossed:
        n = len(schema.occasions)
        for j in range(n):
            add(f"residual:{j}", cells[level * n + j], 1.0)
    elif by_group:
        add("residual", cells[level], 1.0)
    if within is None:
        within = ResidualStructure("by_occasion") if growth.residual.crossed else COMMON
    random = {name for block in blocks for name in block.factors}
    free = {key for key, found in weights.items() if any(found.values())}
    made = replace(
        growth,
        factors=tuple(
            replace(f, mean=f"mean:{f.name}" in free, random=f.name in random)
            for f in growth.factors
        ),
        blocks=tuple(block.alone for block in blocks),
        covariates=tuple(covariates),
        predictor_effects=tuple(dict.fromkeys(predictors)),
        direct_effects=tuple(dict.fromkeys(direct)),
        occasion_means=tuple(means[j] for j in sorted(means) if f"occasion:{j}" in free),
        residual=within if by_group else growth.residual,
        schema=replace(schema, grouping=None),
    )
    sources = {key: weights.get(key, {key: 1.0}) for key in parameter_keys(made)}
    return _Slice(made, sources, residuals)


def _apart(
    covariate: Covariate, growth: GrowthModel, level: int, covariates: list[Covariate]
) -> tuple[float, Covariate | None]:
    """What a covariate is in one group: a number times a covariate, or a number alone."""
    schema = growth.schema
    own, rest = split_by_group(covariate.column.parts, schema.grouping)
    if not own:
        return 1.0, covariate
    weight = of_group(own, schema)[level]
    if not rest:
        return weight, None
    column = _product(rest)
    key = column_key(column)
    found = next((c for c in covariates if column_key(c.column) == key), None)
    if found is None:
        taken = {factor.name for factor in growth.factors} | set(schema.outcome_columns)
        book = NameBook(taken | {name for c in covariates for name in (c.name, *c.columns)})
        name, columns = book.covariate(column, schema, r_name(column), covariate.time_varying)
        found = Covariate(name, column, covariate.time_varying, columns)
        covariates.append(found)
    return weight, found


def _product(parts: Sequence[ColumnPart]) -> Column:
    return Column(Term(tuple(part.expression for part in parts)), tuple(parts))


def _merged(
    bound: Sequence[BoundSem], slices: Sequence[_Slice], grouping: Grouping
) -> tuple[tuple[Path, ...], dict[Identity, str], list[dict[str, str]]]:
    """The rows of all groups, the parameter of each sum, and what each group's are called now."""
    keys = [{name: key for key, name in b.names} for b in bound]
    uses: dict[Identity, list[tuple[int, Path, str]]] = {}
    for g, (b, each) in enumerate(zip(bound, slices, strict=True)):
        for path in b.model.paths:
            if path.free:
                key = keys[g].get(path.parameter, path.parameter)
                identity = each.identity(path, key)
                uses.setdefault(identity, []).append((g, path, key))
    taken = {n for b in bound for n in (*b.model.latent, *b.model.outcomes, *b.model.covariates)}
    wishes: dict[str, list[Identity]] = {}
    for identity, found in uses.items():
        if len(found) > 1 or found[0][1].label is not None or len(uses) > len(_basis(list(uses))):
            wishes.setdefault(found[0][1].label or _wish(found[0][2]), []).append(identity)
    labels: dict[Identity, str] = {}
    book = NameBook(taken)
    shown = [covariate_name(name) for name in group_names(grouping)]
    for wish, identities in wishes.items():
        for identity in identities:
            groups = {g for g, _, _ in uses[identity]}
            apart = len(identities) > 1 and len(groups) == 1
            name = f"{wish}_{shown[min(groups)]}" if apart else wish
            labels[identity] = book.fresh(name)
    rows, parameters = [], {}
    renaming: list[dict[str, str]] = [{} for _ in bound]
    for g, (b, each) in enumerate(zip(bound, slices, strict=True)):
        for path in b.model.paths:
            row = replace(path, group=g, label=None)
            if path.free:
                key = keys[g].get(path.parameter, path.parameter)
                identity = each.identity(path, key)
                row = replace(row, label=labels.get(identity))
                parameters[identity] = renaming[g][path.parameter] = row.parameter
            rows.append(row)
    return tuple(rows), parameters, renaming


def _held(bound: Sequence[BoundSem], shown: Sequence[dict[str, str]]) -> tuple[Constraint, ...]:
    """The constraints of the groups, each once."""
    found = [
        Constraint(_respelled(c.left, names), c.op, _respelled(c.right, names))
        for b, names in zip(bound, shown, strict=True)
        for c in b.model.constraints
    ]
    return tuple(dict.fromkeys(found))


def _respelled(text: str, names: dict[str, str]) -> str:
    """Arithmetic with parameters under other names."""
    return re.sub(r"[^\W\d][\w.]*", lambda word: names.get(word[0], word[0]), text)


def _wish(key: str) -> str:
    """A label for a parameter that several groups share."""
    head, _, rest = key.partition(":")
    letters = {"mean": "m", "occasion": "m", "effect": "b", "direct": "b", "cov": "c"}
    if head == "cov" and len(set(rest.split(":"))) == 1:
        head, rest = "var", rest.split(":")[0]
    return covariate_name(f"{letters.get(head, 'v')}_{rest}".rstrip("_"))


def _matrix(identities: Sequence[Identity], keys: Sequence[str]) -> NDArray[np.float64]:
    at = {key: column for column, key in enumerate(keys)}
    matrix = np.zeros((len(identities), len(keys)))
    for row, identity in enumerate(identities):
        for key, weight in identity:
            matrix[row, at[key]] = weight
    return matrix


def _basis(identities: Sequence[Identity]) -> list[int]:
    """Positions of sums of which no one follows from those before."""
    keys = list(dict.fromkeys(key for identity in identities for key, _ in identity))
    matrix = _matrix(identities, keys)
    kept: list[int] = []
    for row in range(len(identities)):
        if np.linalg.matrix_rank(matrix[[*kept, row]]) > len(kept):
            kept.append(row)
    return kept


def _constraints(parameters: dict[Identity, str]) -> tuple[Constraint, ...]:
    """Sums that follow from others: the group as a number, say, with a line through the means."""
    identities = list(parameters)
    kept = _basis(identities)
    keys = list(dict.fromkeys(key for identity in identities for key, _ in identity))
    matrix = _matrix(identities, keys)
    names = [parameters[identities[row]] for row in kept]
    made = []
    for row in sorted(set(range(len(identities))) - set(kept)):
        weights = np.linalg.lstsq(matrix[kept].T, matrix[row], rcond=None)[0]
        made.append(Constraint(parameters[identities[row]], "==", _sum(weights, names)))
    return tuple(made)


def _names(
    keys: Sequence[str], parameters: dict[Identity, str]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Growth parameters that are one parameter of the SEM, and those that are a sum of several."""
    names, rules = [], []
    held = [key for identity in parameters for key, _ in identity if key.startswith(HELD)]
    identities = [list(parameters)[row] for row in _basis(list(parameters))]
    matrix = _matrix(identities, [*keys, *dict.fromkeys(held)])
    shown = [parameters[identity] for identity in identities]
    for at, key in enumerate(keys):
        same = parameters.get(((key, 1.0),))
        if same is not None:
            names.append((key, same))
            continue
        unit = np.zeros(matrix.shape[1])
        unit[at] = 1.0
        weights = np.linalg.lstsq(matrix.T, unit, rcond=None)[0]
        rules.append((key, _sum(weights, shown)))
    return tuple(names), tuple(rules)


def _sum(weights: NDArray[np.floating[Any]], names: Sequence[str]) -> str:
    """A weighted sum as text, positive parts first."""
    parts = [(float(w), name) for w, name in zip(weights, names, strict=True) if abs(w) > 1e-9]
    parts.sort(key=lambda part: part[0] < 0)
    text = ""
    for weight, name in parts:
        size = number(abs(weight))
        shown = name if size == "1" else f"{size}*{name}"
        if not text:
            text = shown if weight > 0 else f"-{shown}"
        else:
            text += (" - " if weight < 0 else " + ") + shown
    return text or "0"
