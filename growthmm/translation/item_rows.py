"""The parameter map of second-order growth with estimated item loadings."""

from __future__ import annotations

from growthmm.model.expression import quote, spell
from growthmm.model.mixed import MixedModel
from growthmm.model.names import covariance_name
from growthmm.model.sem import Path, SemModel
from growthmm.model.terms import Term
from growthmm.translation.pair import Pair
from growthmm.translation.parameter_map import Kind, MapRow

__all__ = ["item_rows"]

SAME = "the same number"


def item_rows(model: SemModel, mixed: MixedModel, near: Pair) -> tuple[MapRow, ...]:
    """Which parameters of the two forms are the same numbers.

    Parameters
    ----------
    model : SemModel
        The latent growth curve.
    mixed : MixedModel
        Its mixed form, with items' loadings in its terms.
    near : Pair
        Both forms of the same model with loadings of 1.

    Returns
    -------
    tuple of MapRow
        A row for each parameter of the SEM.
    """
    schema = near.growth.schema
    person, item = schema.person, dict(zip(schema.outcome_columns, schema.series, strict=True))
    curve = mixed.random[-1].terms[0].factors
    basis = {f.name: f.column.term.factors for f in near.growth.factors}
    columns = {c.name: c.column.term.factors for c in near.growth.covariates}
    upper = {p.left for p in model.paths if p.op == "=~" and p.right in model.latent}
    made: dict[str, MapRow] = {}

    def mean(path: Path) -> str:
        if path.left in item:
            value = item[path.left]
            shown = f'"{value}"' if isinstance(value, str) else f"{value:g}"
            return f"I(1 * ({schema.indicator} == {shown}))"
        return _name((*curve, *basis[path.left]))

    def covariance(path: Path) -> str:
        if path.left in item:
            by = f"|{schema.indicator} {item[path.left]}" * (mixed.residual.kind != "common")
            return f"var(Residual{by})"
        if path.left in upper:
            left, right = (_name((*curve, *basis[name])) for name in (path.left, path.right))
            return covariance_name(left, right, person)
        return covariance_name(_name(curve), _name(curve), f"{person}:{schema.time}")

    for path in model.paths:
        if not path.free or path.parameter in made:
            continue
        kind: Kind
        if path.op == "=~":
            kind, name = "loading", path.parameter
        elif path.op == "~":
            kind, name = "effect", _name((*curve, *columns[path.right], *basis[path.left]))
        elif path.op == "~1":
            kind, name = "mean", mean(path)
        else:
            kind = "residual" if path.left in item else "variance"
            kind = "covariance" if path.left != path.right else kind
            name = covariance(path)
        syntax = f"{path.left} {path.op.rstrip('1')} {path.right or '1'}"
        own = f"fixef: {name}" if kind in ("mean", "effect", "loading") else name
        made[path.parameter] = MapRow(
            f"{kind}:{path.parameter}", kind, name, own, path.parameter, syntax, SAME
        )
    return tuple(made.values())


def _name(factors: tuple[str, ...]) -> str:
    """The name of a term's coefficient in R."""
    return ":".join(spell(f, "r") for f in Term(factors).factors) or quote("(Intercept)")
