"""The parameter map: what each parameter is called on either side, and how one gives the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from growthmm.data.design.names import r_name
from growthmm.model.factor_pattern import entries
from growthmm.model.growth import GrowthModel, direct_key, parameter_keys
from growthmm.model.schema import Column, ColumnPart
from growthmm.model.terms import Term
from growthmm.rendering import Brief
from growthmm.translation.coding import column_key
from growthmm.translation.groups.grouping import members, split_by_group
from growthmm.translation.naming import covariate_name
from growthmm.translation.residuals.map import (
    ResidualMapKind,
    group_texts,
    residual_description,
    residual_mixed_syntax,
)

__all__ = ["Kind", "MapRow", "parameter_map"]

Kind = (
    Literal["mean", "effect", "loading", "variance", "covariance", "sd", "correlation"]
    | ResidualMapKind
)


@dataclass(frozen=True, slots=True, repr=False)
class MapRow(Brief):
    """One parameter on both sides.

    Parameters
    ----------
    key : str
        The growth model's key of the parameter, or of what it is computed from.
    kind : str
        ``mean``, ``effect``, ``loading``, ``variance``, ``covariance``, ``residual``,
        ``residual_covariance``, ``residual_correlation``, ``sd``, ``correlation``.
    mixed_name, sem_name : str
        Parameter names in either family.
    mixed_syntax, sem_syntax : str
        How either family writes it.
    rule : str
        The formula that gives one from the other.
    parents : tuple of str
        Keys that a derived row (``sd``, ``correlation``) is computed from.
    of : {"mixed", "sem"}
        Whose parameter the row's number is, where the sides' parameters are not the same numbers:
        of the mixed model's parameter `mixed_name`, or of the SEM's parameter `sem_name`.
    """

    key: str
    kind: Kind
    mixed_name: str
    mixed_syntax: str
    sem_name: str
    sem_syntax: str
    rule: str
    parents: tuple[str, ...] = ()
    of: Literal["mixed", "sem"] = "mixed"


def parameter_map(
    growth: GrowthModel,
    mixed_names: tuple[tuple[str, str], ...],
    sem_names: tuple[tuple[str, str], ...],
    sem_rules: tuple[tuple[str, str], ...] = (),
    sem_inverse: tuple[tuple[str, str], ...] = (),
    *,
    free: frozenset[str] = frozenset(),
) -> tuple[MapRow, ...]:
    """The map of all parameters, with standard deviations and correlations behind.

    Parameters
    ----------
    growth : GrowthModel
        The model on which both sides agree.
    mixed_names, sem_names : tuple of (str, str)
        For each parameter key the family's name.
    sem_rules : tuple of (str, str)
        Keys that are computed from several of the SEM's parameters, and how.
    sem_inverse : tuple of (str, str)
        The SEM's parameters that are computed from several keys, and how.
    free : frozenset of str
        The SEM's parameters that stand in constraints alone.

    Returns
    -------
    tuple of MapRow
        One row a parameter, then the derived rows.
    """
    mixed, computed = dict(mixed_names), dict(sem_rules)
    # The parameter of a curve is no row of the SEM, which defines it from a loading.
    sem = dict(growth.loading_keys) | dict(sem_names)
    rows: list[MapRow] = []
    for key in parameter_keys(growth):
        if key.partition(":")[0].partition("@")[0] == "residual":
            name = sem.get(key, computed.get(key, ""))
            rows.append(_residual(growth, key, mixed[key], name, key not in sem))
            continue
        kind, syntax, rule = _describe(growth, key, same=key in sem)
        if key in sem and sem[key] in free:
            syntax = f"{sem[key]} (in constraints on loadings)"
        elif kind == "loading" and syntax.startswith(f"{mixed[key]} :=") and key in dict(sem_names):
            syntax = f"{sem[key]} (label of effects on differences)"
            rule = "effect of the level on its change = " + rule.partition(" = ")[2]
        if growth.outer_blocks and key in sem:
            syntax, rule = _at_its_level(growth, key, sem[key], syntax, rule)
        if key not in sem:
            told = computed.get(key) or _computed(growth, key)
            what = "coefficient in the effects" if _tied(key) else rule.split(" = ")[0]
            syntax, rule = told, f"{what} = {told}"
        name = sem.get(key, syntax)
        rows.append(
            MapRow(key, kind, mixed[key], _mixed_syntax(kind, mixed[key]), name, syntax, rule)
        )
    variances = {row.key: row for row in rows if row.kind == "variance"}
    for row in list(rows):
        if row.kind == "variance":
            rows.append(_sd(row))
        elif row.kind == "covariance":
            parents = _variances_of(growth, row.key)
            if all(parent in variances for parent in parents):
                rows.append(_correlation(row, parents))
        elif row.kind == "residual":
            rows.append(_sd(row))
    for name, rule in sem_inverse:
        syntax = name.replace("~", " ~ ")
        rows.append(MapRow(name, "effect", rule, "VarCorr", name, syntax, rule, of="sem"))
    return tuple(rows)


def _tied(key: str) -> bool:
    """Whether a key is of effects at the occasions that constraints tie."""
    return key.partition(":")[0] == "direct"


def _at_its_level(
    growth: GrowthModel, key: str, name: str, syntax: str, rule: str
) -> tuple[str, str]:
    """Syntax and rule where the SEM has two levels: its own names, and whose covariance it is."""
    row, _, level = name.partition(".l")
    if level and "~" in row:
        op = "~~" if "~~" in row else "~"
        left, right = row.split(op)
        syntax = f"level 2: {left} {op} {right}"
    if key.partition(":")[0] == "between":
        rule = f"{rule}, both of {growth.schema.cluster}"
    elif key.partition(":")[0] == "cov":
        rule = f"{rule}, both of {growth.schema.person}"
    return syntax, rule


def _variances_of(growth: GrowthModel, key: str) -> tuple[str, str]:
    """Keys of the variances that a covariance of growth factors is standardised by."""
    for block in (*growth.blocks, *growth.outer_blocks):
        for a, b, cell in entries(block.cells):
            if cell == key:
                return str(block.cells[a][a]), str(block.cells[b][b])
    return "", ""


def _mixed_syntax(kind: Kind, name: str) -> str:
    if kind in ("mean", "effect"):
        return f"fixef: {name}"
    if kind == "loading":
        return f"nlme fixef: {name}"
    return f"VarCorr: {name}"


def _residual(
    growth: GrowthModel, key: str, mixed_name: str, sem_name: str, computed: bool
) -> MapRow:
    kind, syntax, rule = residual_description(growth, key, sem_name, computed=computed)
    shown = residual_mixed_syntax(kind, mixed_name)
    return MapRow(key, kind, mixed_name, shown, sem_name, syntax, rule)


def _in_its_groups(growth: GrowthModel, name: str) -> tuple[str, tuple[str, ...], str]:
    """A covariate as the SEM has it: name, columns, and in which groups where it acts in some."""
    schema, covariate = growth.schema, growth.covariate(name)
    own, rest = split_by_group(covariate.column.parts, schema.grouping)
    groups = members(own, schema) if own and rest and growth.by_group else None
    if not groups:
        return name, covariate.columns, ""
    column = Column(Term(tuple(part.expression for part in rest)), tuple(rest))
    same = (c for c in growth.covariates if column_key(c.column) == column_key(column))
    known = next(same, None)
    shown = known.name if known is not None else covariate_name(r_name(column))
    columns = dict(schema.varying_columns).get(rest[0].expression, ()) if len(rest) == 1 else ()
    if known is not None:
        columns = known.columns
    where = f" in {group_texts(growth, '+'.join(map(str, groups)))}"
    return shown, columns or covariate.columns, where


def _describe(growth: GrowthModel, key: str, *, same: bool) -> tuple[Kind, str, str]:
    """Kind, SEM syntax and rule of one parameter, which may be the same number on both sides."""
    head, _, rest = key.partition(":")
    outcomes = growth.schema.outcome_columns
    if head == "mean":
        return "mean", f"{rest} ~ 1", f"mean of {rest} = fixed effect of its loading"
    if head == "occasion":
        y = outcomes[int(rest)]
        return "mean", f"{y} ~ 1", f"intercept of {y} = fixed effect of the occasion's indicator"
    if head == "effect":
        factor, _, covariate = rest.partition(":")
        shown = covariate
        if same:
            name, _, where = _in_its_groups(growth, covariate)
            shown = name + where
        if not growth.factor(factor).column.parts:
            rule = f"{factor} on {shown} = main effect"
        else:
            rule = f"{factor} on {shown} = interaction with the loading"
        return "effect", f"{factor} ~ {shown}", rule
    if head == "loading":
        return _loading(growth, key)
    if head == "direct":
        effect = next(e for e in growth.direct_effects if direct_key(e) == key)
        name, occasion = effect.covariate, effect.occasion
        columns, where = growth.covariate(name).columns, ""
        if same:
            _, columns, where = _in_its_groups(growth, name)
        if occasion is not None:
            x = columns[occasion] if len(columns) > 1 else columns[0]
            rule = "path to one occasion = interaction with it"
            return "effect", f"{outcomes[occasion]} ~ {x}{where}", rule
        if effect.column is not None:
            at = next((j for j, value in enumerate(effect.loadings) if value), 0)
            rule = "path from the covariate times its loading = interaction with time"
            return "effect", f"{name} times {effect.column.term} -> {outcomes[at]}, ...", rule
        return (
            "effect",
            f"{outcomes[0]} ~ b*{columns[0]}, ... (one label){where}",
            "paths to all occasions, equal = one fixed effect",
        )
    return _factor_covariance(growth, key)


def _factor_covariance(growth: GrowthModel, key: str) -> tuple[Kind, str, str]:
    """A (co)variance of growth factors, which several entries may have in common."""
    found = [
        (block.factors[a], block.factors[b], block.groups)
        for block in (*growth.blocks, *growth.outer_blocks)
        for a, b, cell in entries(block.cells)
        if cell == key
    ]
    # Blocks of several groups may share it.
    places = list(dict.fromkeys((a, b) for a, b, _ in found))
    where = "+".join(map(str, sorted({g for _, _, groups in found for g in groups})))
    among = f" in {group_texts(growth, where)}" if where else ""
    kind: Kind = "variance" if all(a == b for a, b in places) else "covariance"
    syntax = f"{places[0][0]} ~~ {places[0][1]}" + ", ... (one label)" * (len(places) > 1)
    psi = " = ".join(f"Psi[{a},{b}]" for a, b in places)
    return kind, syntax + among, f"{psi} = G[{places[0][0]},{places[0][1]}]{among}"


def _loading(growth: GrowthModel, key: str) -> tuple[Kind, str, str]:
    name = dict(growth.loading_keys)[key]
    _, factor, place = key.split(":", 2)
    cells = growth.factor(factor).cells
    if name in cells:
        y = growth.schema.outcome_columns[int(place)]
        rule = f"loading of {y} on {factor} = parameter within the terms: no linear mixed model"
        return "loading", f"{factor} =~ {y}", rule
    outcomes = growth.schema.outcome_columns
    shown = ", ".join(n for n in growth.factor(factor).parameters if n not in cells)
    tied = [f"{y}: {c}" for y, c in zip(outcomes, cells, strict=True) if isinstance(c, str)]
    return (
        "loading",
        f"{name} := from the loadings of {factor}",
        f"loadings of {factor} = function of {shown} ({'; '.join(tied)}): no linear mixed model",
    )


def _computed(growth: GrowthModel, key: str) -> str:
    """What of the SEM gives a mixed model's parameter of an outcome that persons have once."""
    key, _, where = key.partition("@")
    if where:
        return f"{_computed(growth, key)} in {group_texts(growth, where)}"
    head, _, rest = key.partition(":")
    outcome = {f.name: _column(growth, f.name) for f in growth.factors}
    first, _, second = rest.partition(":")
    own: tuple[ColumnPart, ...] = ()
    others: tuple[ColumnPart, ...] = ()
    if head == "effect":
        parts = growth.covariate(second).column.parts
        own, others = split_by_group(parts, growth.schema.grouping)
    if own and not others:
        return f"difference between groups of {outcome[first]}~1 + b'means of the factors"
    if head == "mean":
        return f"{outcome[first]}~1 + b'means of the factors"
    if head == "effect":
        return f"{outcome[first]}~{second} + b'effects of {second} on the factors"
    if first == second:
        z = outcome[first]
        return f"b'Psi b + {z}~~{z} - residual variance"
    return f"cov({outcome[first]}, {outcome[second]}) = Psi b"


def _column(growth: GrowthModel, factor: str) -> str:
    """The one observed variable that a factor loads, or the factor's own name."""
    if not growth.schema.series:
        return factor
    loadings = growth.factor(factor).loadings
    own = [y for y, v in zip(growth.schema.outcome_columns, loadings, strict=False) if v]
    return own[0] if len(own) == 1 else factor


def _sd(row: MapRow) -> MapRow:
    return MapRow(
        row.key,
        "sd",
        row.mixed_name.replace("var(", "sd(", 1),
        "VarCorr: Std.Dev.",
        f"sqrt({row.sem_name})",
        f"sqrt({row.sem_syntax.split(',')[0]})",
        "square root of the variance",
        (row.key,),
    )


def _correlation(row: MapRow, parents: tuple[str, str]) -> MapRow:
    return MapRow(
        row.key,
        "correlation",
        row.mixed_name.replace("cov(", "cor(", 1),
        "VarCorr: Corr",
        f"cor({row.sem_name})",
        f"{row.sem_syntax}, standardised",
        "covariance over the product of the standard deviations",
        (row.key, *parents),
    )
