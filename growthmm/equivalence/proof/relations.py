"""How the two forms' parameters give each other, in symbols: the map, and the SEM's constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from growthmm.equivalence.proof.residual_form import residual_matrix
from growthmm.equivalence.proof.sem_form import joint_moments
from growthmm.equivalence.proof.strata import strata
from growthmm.equivalence.proof.symbols import (
    covariate_symbol,
    read_expression,
    sem_symbols,
    symbol,
)
from growthmm.errors import UnsupportedError
from growthmm.model.expression_tree import parse
from growthmm.model.sem import SemModel
from growthmm.translation.loadings.free import inverted
from growthmm.translation.pair import Pair

if TYPE_CHECKING:
    import sympy

__all__ = ["Relation", "constraints", "parameter_mapping"]

Relation = tuple["sympy.Symbol", "sympy.Expr"]

LOADING = "loading_"


def constraints(model: SemModel) -> tuple[Relation, ...]:
    """What the equality constraints put in place of parameters, and the defined parameters in them.

    Raises
    ------
    UnsupportedError
        If a constraint determines no parameter.
    """
    free = sem_symbols(model)
    defined = {d.name: symbol(d.name) for d in model.defined if d.name not in free}
    known = {**free, **defined}
    made: list[Relation] = []
    for constraint in model.constraints:
        if constraint.op == "==":
            left = read_expression(constraint.left, known)
            right = read_expression(constraint.right, known)
            made.append(_determined(left, right, {s for s, _ in made}, str(constraint)))
    used = {s for _, right in made for s in right.free_symbols}
    waiting = [d for d in model.defined if d.name in defined]
    while named := [d for d in waiting if defined[d.name] in used]:
        for own in named:
            made.append((defined[own.name], read_expression(own.expression, known)))
            used |= made[-1][1].free_symbols
            waiting.remove(own)
    return tuple(made)


def _determined(
    left: sympy.Expr, right: sympy.Expr, taken: set[sympy.Symbol], shown: str
) -> Relation:
    """A parameter that an equation gives: its left side, or one that stands in it linearly."""
    if left.is_Symbol and left not in taken and left not in right.free_symbols:
        return left, right
    apart = left - right
    for own in sorted(apart.free_symbols - taken, key=str):
        slope = apart.expand().coeff(own)
        if slope != 0 and not slope.has(own) and not (apart - slope * own).expand().has(own):
            return own, own - apart / slope
    raise UnsupportedError(
        f"The constraint {shown} gives no parameter in closed form.",
        hint="Write the parameter that it determines on the left.",
    )


def parameter_mapping(
    pair: Pair, curved: Mapping[str, sympy.Symbol] | None = None
) -> tuple[Relation, ...]:
    """Each mixed-model parameter, and what it is of the SEM's.

    Parameters
    ----------
    pair : Pair
        The two forms.
    curved : mapping of str to Symbol, optional
        Symbols of parameters that are called otherwise.

    Raises
    ------
    UnsupportedError
        If there is a parameter whose rule is no arithmetic.
    """
    known = sem_symbols(pair.sem.model)
    same, rules = dict(pair.sem.names), dict(pair.sem.rules)
    curves = dict(pair.growth.loading_keys)
    made: dict[str, sympy.Expr] = {}
    waiting = []
    for key, name in pair.mixed_names:
        if key in same and same[key] in known:
            made[name] = known[same[key]]
        elif key in curves:
            made[name] = _of_curve(pair, curves[key], known)
        elif key in rules:
            made[name] = read_expression(rules[key], known)
        else:
            waiting.append((key, name))
    for key, name in waiting:
        made[name] = _of_distal(pair, key, name, made)
    called = curved or {}
    return tuple((called.get(name) or symbol(name), made[name]) for _, name in pair.mixed_names)


def _of_curve(pair: Pair, name: str, known: Mapping[str, sympy.Symbol]) -> sympy.Expr:
    """A parameter within loadings from a loading that the SEM has as a parameter."""
    model, outcomes = pair.sem.model, pair.growth.schema.outcome_columns
    held = {c.left for c in model.constraints if c.op == "=="}
    for factor in pair.growth.factors:
        if name not in factor.parameters:
            continue
        for y, cell in zip(outcomes, factor.cells, strict=True):
            path = model.path(factor.name, "=~", y)
            if not isinstance(cell, str) or path is None or path.parameter in held:
                continue
            text = inverted(parse(cell), name, LOADING) if path.free else None
            if text is not None:
                return read_expression(text, {**known, LOADING: known[path.parameter]})
    raise _no_rule(name)


def _of_distal(pair: Pair, key: str, name: str, made: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """A parameter of an outcome that persons have once, which the SEM regresses on its factors.

    Means, effects and covariances of the random effects are those that the SEM implies for the
    factors and the outcome; the random effect is the outcome less its residual.
    """
    head, _, rest = key.partition(":")
    places = {f.name: _variable(pair, f.name) for f in pair.growth.factors}
    first, _, second = rest.partition(":")
    if first not in places or head not in ("mean", "effect", "cov"):
        raise _no_rule(name)
    names, mean, covariance = joint_moments(pair.sem.model)
    row = names.index(places[first])
    at_zero = {s: 0 for s in mean[row].free_symbols if s.name.startswith("[")}
    if head == "mean":
        return mean[row].subs(at_zero)
    if head == "effect":
        columns = pair.growth.covariate(second).columns
        return mean[row].expand().coeff(covariate_symbol(columns[0]))
    if second not in places:
        raise _no_rule(name)
    value = covariance[row, names.index(places[second])]
    if first != second or places[first] == first:
        return value
    cell = pair.growth.schema.outcome_columns.index(places[first])
    residual = residual_matrix(pair, strata(pair)[0])[cell, cell]
    return value - residual.subs({symbol(n): v for n, v in made.items()}, simultaneous=True)


def _variable(pair: Pair, factor: str) -> str:
    """The SEM's variable that a growth factor is: itself, or the one outcome that it loads."""
    if factor in pair.sem.model.latent:
        return factor
    own = pair.growth.factor(factor).loadings
    columns = [y for y, v in zip(pair.growth.schema.outcome_columns, own, strict=True) if v]
    return columns[0] if len(columns) == 1 else factor


def _no_rule(name: str) -> UnsupportedError:
    return UnsupportedError(
        f"The parameter map has no rule for {name} that is arithmetic.",
        hint="Levels 2 and 3 of verify show the same with numbers.",
    )
