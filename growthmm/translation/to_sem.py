"""A growth model as a structural equation model, every row written out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from growthmm.model.bound import BoundSem
from growthmm.model.factor_pattern import entries
from growthmm.model.growth import DirectEffect, FactorBlock, GrowthModel, direct_key
from growthmm.model.phantoms import with_phantoms
from growthmm.model.sem import Path, SemModel
from growthmm.translation.carriers import carrier_names, carrier_rows
from growthmm.translation.groups.sem import grouped_sem
from growthmm.translation.levels_to_sem import two_levels
from growthmm.translation.loadings.free import loading_rows
from growthmm.translation.naming import covariate_name
from growthmm.translation.outcomes.to_distal import distal_factors, distal_paths
from growthmm.translation.residuals.outcomes import outcome_residual_rows
from growthmm.translation.residuals.rows import residual_rows

__all__ = ["sem_from_growth"]


def sem_from_growth(growth: GrowthModel) -> BoundSem:
    """Write a growth model as a latent growth curve, of two levels where it has clusters.

    Growth factors become latent variables with fixed loadings, their means intercepts, covariate
    effects regressions. Equal parameters share a label. The table is complete, so that no
    program's default fills anything in.

    Parameters
    ----------
    growth : GrowthModel
        With shared occasions and their wide columns in the schema.

    Returns
    -------
    BoundSem
        The model and, for each growth parameter key, the name of its parameter.

    Raises
    ------
    UnsupportedError
        If a model of two levels has no such form.
    """
    if growth.by_group:
        return grouped_sem(growth, lambda own: _of_persons(own, regressed=False))
    flat = _of_persons(growth)
    return two_levels(flat) if growth.outer_blocks else flat


def _of_persons(growth: GrowthModel, *, regressed: bool = True) -> BoundSem:
    """The growth curve of persons, every row written out.

    Outcomes that persons have once are `regressed` on the growth factors, or else factors
    themselves: groups then share what they share.
    """
    whole, distal = growth, distal_factors(growth) if regressed else {}
    if distal:
        growth = _without(growth, distal)
    loadings = loading_rows(growth)
    rows: list[Path] = list(loadings.paths)
    names: list[tuple[str, str]] = list(loadings.names)
    outcomes = growth.schema.outcome_columns
    rows += _means(growth, names)
    rows += _effects(growth, names)
    moving, carrying = _moving(growth, names)
    rows += moving
    rows += _factor_covariances(growth, names, carrying)
    if growth.schema.series:
        residuals = outcome_residual_rows(
            growth, set(distal.values()), lambda wish: _label(wish, growth)
        )
    else:
        residuals = residual_rows(growth, lambda wish: _label(wish, growth))
    rows += residuals.paths
    names += residuals.names
    if distal:
        rows += distal_paths(whole, distal)
        growth = whole
    covariates = tuple(dict.fromkeys(name for c in _used(growth) for name in c))
    model = SemModel(
        paths=tuple(rows),
        latent=(
            *(f.name for f in growth.factors if f.name not in distal),
            *carrying,
            *loadings.latent,
        ),
        outcomes=outcomes,
        covariates=covariates,
        constraints=(*loadings.constraints, *residuals.constraints),
        defined=loadings.defined,
        function="growth",
        estimator=growth.estimator,
    )
    return BoundSem(
        with_phantoms(model, loadings.phantoms),
        growth.schema,
        growth.covariates,
        growth,
        tuple(names),
        rules=residuals.expressions,
    )


def _without(growth: GrowthModel, distal: dict[str, int]) -> GrowthModel:
    """The growth of the outcomes that persons have more than once."""
    blocks = (_less(block, distal) for block in growth.blocks)
    return replace(
        growth,
        factors=tuple(f for f in growth.factors if f.name not in distal),
        blocks=tuple(block for block in blocks if block.factors),
        predictor_effects=tuple(e for e in growth.predictor_effects if e.factor not in distal),
    )


def _less(block: FactorBlock, distal: dict[str, int]) -> FactorBlock:
    kept = [k for k, name in enumerate(block.factors) if name not in distal]
    pattern = tuple(tuple(block.cells[a][b] for b in kept) for a in kept)
    factors = tuple(block.factors[k] for k in kept)
    return FactorBlock(factors, pattern if block.pattern else ())


def _used(growth: GrowthModel) -> list[tuple[str, ...]]:
    """Wide columns of each covariate that some path uses, in order of use."""
    used: list[tuple[str, ...]] = []
    for effect in growth.predictor_effects:
        used.append(growth.covariate(effect.covariate).columns)
    for direct in growth.direct_effects:
        covariate = growth.covariate(direct.covariate)
        if covariate.time_varying and direct.occasion is not None:
            used.append((covariate.columns[direct.occasion],))
        elif direct.column is not None:
            pairs = zip(covariate.columns, direct.loadings, strict=True)
            used.append(tuple(name for name, loading in pairs if loading))
        else:
            used.append(covariate.columns)
    # A lagged covariate has no column at the first occasions.
    return [tuple(name for name in names if name) for names in used]


def _means(growth: GrowthModel, names: list[tuple[str, str]]) -> list[Path]:
    rows = []
    for factor in growth.factors:
        row = _free_or_zero(factor.name, "~1", "", factor.mean)
        rows.append(row)
        if factor.mean:
            names.append((f"mean:{factor.name}", row.parameter))
    free = {mean.occasion for mean in growth.occasion_means}
    loaded = [
        any(f.definition or f.loadings[j] for f in growth.factors)
        for j in range(len(growth.schema.occasions))
    ]
    for j, y in enumerate(growth.schema.outcome_columns):
        if growth.schema.series and not loaded[j] and j not in free:
            continue
        row = _free_or_zero(y, "~1", "", j in free)
        rows.append(row)
        if j in free:
            names.append((f"occasion:{j}", row.parameter))
    return rows


def _free_or_zero(left: str, op: str, right: str, free: bool) -> Path:
    return Path(left, op, right, free=free, value=None if free else 0.0)  # type: ignore[arg-type]


def _effects(growth: GrowthModel, names: list[tuple[str, str]]) -> list[Path]:
    rows = []
    for effect in growth.predictor_effects:
        row = Path(effect.factor, "~", effect.covariate)
        rows.append(row)
        names.append((f"effect:{effect.factor}:{effect.covariate}", row.parameter))
    outcomes = growth.schema.outcome_columns
    for direct in growth.direct_effects:
        if _plain(direct, growth):
            covariate = growth.covariate(direct.covariate)
            label = _label(covariate_name(f"b_{direct_key(direct).partition(':')[2]}"), growth)
            sources = (
                covariate.columns if covariate.time_varying else covariate.columns * len(outcomes)
            )
            rows += [
                Path(y, "~", x, label=label)
                for y, x, value in zip(outcomes, sources, direct.loadings, strict=True)
                if value and x
            ]
            names.append((direct_key(direct), label))
            continue
        if direct.column is not None:
            continue
        covariate = growth.covariate(direct.covariate)
        columns = covariate.columns if covariate.time_varying else covariate.columns * len(outcomes)
        if direct.occasion is None:
            label = _label(f"b_{covariate.name}", growth)
            pairs = zip(outcomes, columns, strict=True)
            rows += [Path(y, "~", x, label=label) for y, x in pairs if x]
            names.append((direct_key(direct), label))
        else:
            row = Path(outcomes[direct.occasion], "~", columns[direct.occasion])
            rows.append(row)
            names.append((direct_key(direct), row.parameter))
    return rows


def _plain(effect: DirectEffect, growth: GrowthModel) -> bool:
    """Whether an effect is the same wherever it acts: on one of several outcomes, or at times.

    And alone there: two paths cannot join the same two variables.
    """
    if not (effect.loadings and set(effect.loadings) <= {0.0, 1.0}):
        return False
    if not growth.schema.series and (
        effect.loadings.count(1.0) < 2 or growth.covariate(effect.covariate).shifted
    ):
        return False
    cells = range(len(effect.loadings))
    others = [
        other
        for other in growth.direct_effects
        if other.covariate == effect.covariate and other != effect
    ]
    return not any(effect.loadings[j] and _acts(other, j) for other in others for j in cells)


def _acts(effect: DirectEffect, cell: int) -> bool:
    if effect.occasion is not None:
        return effect.occasion == cell
    return not effect.loadings or bool(effect.loadings[cell])


def _moving(
    growth: GrowthModel, names: list[tuple[str, str]]
) -> tuple[list[Path], tuple[str, ...]]:
    """Rows of the effects that move with time, and the latent variables that carry them."""
    rows: list[Path] = []
    carrying: list[str] = []
    for direct in growth.direct_effects:
        if direct.column is None or _plain(direct, growth):
            continue
        made = carrier_names(direct, growth)
        function = ".".join(p.expression + p.label for p in direct.column.parts)
        label = _label(covariate_name(f"b_{direct.covariate}.{function}"), growth)
        covariate = growth.covariate(direct.covariate)
        rows += carrier_rows(direct, covariate, made, growth.schema.outcome_columns, label)
        names.append((direct_key(direct), label))
        places = zip(made, direct.loadings, covariate.columns, strict=True)
        carrying += [name for name, loading, column in places if loading and column]
    return rows, tuple(carrying)


def _label(wish: str, growth: GrowthModel) -> str:
    taken = {factor.name for factor in growth.factors} | set(growth.schema.outcome_columns)
    taken |= {name for covariate in growth.covariates for name in covariate.columns}
    taken |= {name for _, name in growth.loading_keys}
    while wish in taken:
        wish += "_"
    return wish


def _factor_covariances(
    growth: GrowthModel, names: list[tuple[str, str]], carrying: tuple[str, ...]
) -> list[Path]:
    cells: dict[tuple[str, str], str | float] = {}
    for block in growth.blocks:
        for a, b, cell in entries(block.cells):
            cells[block.factors[a], block.factors[b]] = cell
    often = Counter(cell for cell in cells.values() if isinstance(cell, str))
    labels = {
        key: _label("g_" + "_".join(key.split(":")[1:]), growth)
        for key, count in often.items()
        if count > 1
    }
    rows = []
    named: dict[str, str] = {}
    factors = [factor.name for factor in growth.factors]
    for position, first in enumerate(factors):
        for second in factors[position:]:
            cell = cells.get((first, second), cells.get((second, first), 0.0))
            if isinstance(cell, str):
                row = Path(first, "~~", second, label=labels.get(cell))
                named.setdefault(cell, row.parameter)
            else:
                row = Path(first, "~~", second, free=False, value=cell)
            rows.append(row)
        rows += [_free_or_zero(first, "~~", carrier, False) for carrier in carrying]
    for position, first in enumerate(carrying):
        rows += [_free_or_zero(first, "~~", other, False) for other in carrying[position + 1 :]]
    names += named.items()
    return rows
