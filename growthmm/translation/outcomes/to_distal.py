"""Outcomes that persons have once, written as regressions on the growth factors, and their map."""

from __future__ import annotations

from growthmm.model.bound import BoundSem
from growthmm.model.factor_pattern import entries
from growthmm.model.growth import DirectEffect, GrowthFactor, GrowthModel, cov_key
from growthmm.model.sem import Path
from growthmm.model.strata import residual_strata
from growthmm.translation.outcomes.distal import distal_cells
from growthmm.translation.parameter_map import Kind, MapRow
from growthmm.translation.residuals.map import group_texts

__all__ = ["distal_factors", "distal_paths", "map_rows"]


def distal_factors(growth: GrowthModel) -> dict[str, int]:
    """Growth factors that stand for an outcome that persons have once, with its occasion.

    The outcome regressed on the other factors of its block says the same where it has a mean of
    its own, an effect of every covariate that acts on those factors, and a residual variance that
    other occasions share.

    Parameters
    ----------
    growth : GrowthModel
        The growth model.

    Returns
    -------
    dict of str to int
        In order of the factors; empty where there are none.
    """
    strata = residual_strata(growth.residual, growth.schema)
    if strata is None or not growth.schema.series:
        return {}
    alone = distal_cells(growth.schema)
    found: dict[str, int] = {}
    for factor in growth.factors:
        places = [j for j, value in enumerate(factor.loadings) if value]
        if len(places) != 1 or places[0] not in alone or factor.loadings[places[0]] != 1.0:
            continue
        cell = places[0]
        if [f.name for f in growth.factors if f.loadings[cell]] != [factor.name]:
            continue
        if any(strata[j] == strata[cell] for j in range(len(strata)) if j not in alone):
            found[factor.name] = cell
    complete = {name: cell for name, cell in found.items() if _complete(growth, name, cell)}
    return complete if len(complete) == len(found) else {}


def _complete(growth: GrowthModel, name: str, cell: int) -> bool:
    factor = growth.factor(name)
    others = _block_of(growth, name)
    if not (factor.mean and factor.random) or others is None:
        return False
    if not _covaries_freely(growth, name):
        return False
    acting = {e.covariate for e in growth.predictor_effects if e.factor in others}
    own = {e.covariate for e in growth.predictor_effects if e.factor == name}
    return acting <= own and not any(_reaches(e, cell) for e in growth.direct_effects)


def _covaries_freely(growth: GrowthModel, name: str) -> bool:
    """Whether a factor's (co)variances are all parameters of their own."""
    for block in growth.blocks:
        if name not in block.factors:
            continue
        every = [cell for _, _, cell in entries(block.cells)]
        own = block.cells[block.factors.index(name)]
        return all(isinstance(cell, str) and every.count(cell) == 1 for cell in own)
    return False


def _reaches(effect: DirectEffect, cell: int) -> bool:
    if effect.column is not None:
        return bool(effect.loadings[cell])
    return effect.occasion in (None, cell)


def _block_of(growth: GrowthModel, name: str) -> tuple[str, ...] | None:
    """The other factors of a factor's block."""
    for block in growth.blocks:
        if name in block.factors:
            return tuple(other for other in block.factors if other != name)
    return None


def _regressors(growth: GrowthModel, name: str, distal: dict[str, int]) -> list[str]:
    """What the outcome is regressed on: growth factors, and the distal outcomes before it."""
    columns, order = growth.schema.outcome_columns, list(distal)
    found = []
    for other in _block_of(growth, name) or ():
        if other not in distal:
            found.append(other)
        elif order.index(other) < order.index(name):
            found.append(columns[distal[other]])
    return found


def distal_paths(growth: GrowthModel, distal: dict[str, int]) -> list[Path]:
    """The rows of the distal outcomes.

    Parameters
    ----------
    growth : GrowthModel
        The growth model.
    distal : dict of str to int
        Its distal outcomes, as :func:`distal_factors` has them.
    """
    rows = []
    for name, cell in distal.items():
        z = growth.schema.outcome_columns[cell]
        rows += [Path(z, "~", other) for other in _regressors(growth, name, distal)]
        rows += [
            Path(z, "~", growth.covariate(e.covariate).columns[0])
            for e in growth.predictor_effects
            if e.factor == name
        ]
        rows += [Path(z, "~1"), Path(z, "~~", z)]
    return rows


def map_rows(
    growth: GrowthModel, sem: BoundSem, mixed_names: tuple[tuple[str, str], ...]
) -> tuple[MapRow, ...]:
    """The parameters of distal outcomes on either side, with how one side's give the other's.

    Parameters
    ----------
    growth : GrowthModel
        The growth model.
    sem : BoundSem
        Its SEM form.
    mixed_names : tuple of (str, str)
        The mixed model's names by key.
    """
    if not growth.schema.series:
        return ()
    mixed = dict(mixed_names)
    rows: list[MapRow] = []
    known = {name for _, name in sem.names}
    for factor in growth.factors:
        columns = [y for j, y in enumerate(growth.schema.outcome_columns) if factor.loadings[j]]
        if f"mean:{factor.name}" in dict(sem.names) or len(columns) != 1:
            continue
        z = columns[0]
        for path in sem.model.paths:
            if path.free and z == path.left and path.op != "=~" and path.parameter not in known:
                rows.append(_sem_row(growth, path, factor, mixed))
                known.add(path.parameter)
    return tuple(rows)


def _sem_row(
    growth: GrowthModel, path: Path, factor: GrowthFactor, mixed: dict[str, str]
) -> MapRow:
    z = path.left
    own, where = mixed.get(cov_key(factor.name, factor.name), ""), ""
    if not own:
        own, where = _of_group(growth, path, factor, mixed)
    others = [name for name in (_block_of(growth, factor.name) or ()) if name != factor.name]
    shown = ", ".join(others)
    kind: Kind = "effect"
    if path.op == "~1":
        name, syntax = f"{mixed[f'mean:{factor.name}']} - b'mean({shown})", "fixef, less b'fixef"
        rule = f"intercept of {z} = mean of {z} less b' means of {shown}"
        kind = "mean"
    elif path.op == "~~" and path.right == z:
        name, syntax = f"{own} + residual - b'cov({shown}; {z})", "VarCorr"
        rule = f"Var({z} given {shown}) = G[{z},{z}] + residual variance - b' cov({shown}; {z})"
        kind = "residual"
    elif path.op == "~" and path.right in {c for x in growth.covariates for c in x.columns}:
        name, syntax = f"{path.right} on {z} - b'{path.right} on ({shown})", "fixef, less b'fixef"
        rule = f"direct effect of {path.right} = its effect on {z} less b' its effects on {shown}"
    else:
        name, syntax = f"b[{path.right}], b = cov({shown})^-1 cov({shown}; {z})", "VarCorr"
        rule = (
            f"b = G[{shown}]^-1 G[{shown}; {z}]: covariances of the random effects over their "
            "variances"
        )
    return MapRow(
        f"sem:{path.parameter}",
        kind,
        name + where,
        syntax,
        path.parameter,
        path.name + where,
        rule + where,
        of="sem",
    )


def _of_group(
    growth: GrowthModel, path: Path, factor: GrowthFactor, mixed: dict[str, str]
) -> tuple[str, str]:
    """The variance of a factor in the group of a row, and which group that is."""
    grouping = growth.schema.grouping
    assert grouping is not None
    level = grouping.levels.index((grouping.order or grouping.levels)[path.group])
    for block in growth.blocks:
        if factor.name in block.factors and level in block.groups:
            place = block.factors.index(factor.name)
            cell = block.cells[place][place]
            return mixed[str(cell)], f" in {group_texts(growth, str(level))}"
    raise KeyError(factor.name)
