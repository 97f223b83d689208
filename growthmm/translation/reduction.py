"""Structural equation models brought to the shape of a growth curve without changing them.

Latent variables that are fixed sums of others (the true scores and differences of a latent change
score model) are left out: what they pass on becomes loadings of the latent variables behind them.
Free regressions among growth factors that are a covariance written otherwise become covariances.
Intercepts of outcomes that share a label become the mean of a factor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from growthmm.model.phantoms import Phantom, without_phantoms
from growthmm.model.sem import Operator, Path, SemModel
from growthmm.translation.loadings.proportional_change import Change, polynomials
from growthmm.translation.loadings.recognised_curves import fresh_name

__all__ = ["Reduction", "reduced"]

FloatArray = NDArray[np.float64]

Edge = tuple[str, str]
"""Effect and cause."""


@dataclass(frozen=True)
class Reduction:
    """A model of the same moments whose factors have loadings on the outcomes alone.

    Parameters
    ----------
    model : SemModel
        The reduced model.
    rules : tuple of (str, str)
        For each of its parameters that is no parameter of the original, or another number than
        the original's of that name, its value in terms of the original's parameters.
    inverse : tuple of (str, str)
        The original's parameters that are no numbers of the reduced model, in terms of the moments
        of the factors.
    change : Change, optional
        Loadings that hold coefficients of proportional change; `model` has them without it.
    phantoms : tuple of Phantom
        Parameters that stand in constraints alone; `model` has no latent variables for them.
    """

    model: SemModel
    rules: tuple[tuple[str, str], ...] = ()
    inverse: tuple[tuple[str, str], ...] = ()
    change: Change | None = None
    phantoms: tuple[Phantom, ...] = ()


def reduced(model: SemModel) -> Reduction:
    """The model as a growth curve has to be written, itself where it is.

    Parameters
    ----------
    model : SemModel
        Any model of one group.

    Returns
    -------
    Reduction
        The model itself where nothing can be reduced.

    Examples
    --------
    Two true scores, the second the first plus a constant change:

    >>> one = {"free": False, "value": 1.0}
    >>> rows = [Path("l0", "=~", "y0", **one), Path("l1", "=~", "y1", **one)]
    >>> rows += [Path("l1", "~", "l0", **one), Path("s", "=~", "l1", **one)]
    >>> rows += [Path(name, "~~", name) for name in ("l0", "s", "y0", "y1")]
    >>> found = reduced(SemModel(tuple(rows), ("l0", "l1", "s"), ("y0", "y1"))).model
    >>> [path.name for path in found.paths if path.op == "=~"]
    ['l0=~y0', 'l0=~y1', 's=~y1']
    """
    if model.n_groups > 1 or model.group_variable:
        return Reduction(model)
    whole, free = without_phantoms(model)
    plain, change = _without_sums(_intercepts_as_factors(whole))
    return replace(_regressions_as_covariances(plain), change=change, phantoms=free)


def _intercepts_as_factors(model: SemModel) -> SemModel:
    """The model with intercepts that share a label as the mean of a factor without variance."""
    shared: dict[str, list[Path]] = {}
    for path in model.paths:
        if path.op == "~1" and path.free and path.label and path.left in model.outcomes:
            shared.setdefault(path.label, []).append(path)
    found = {label: rows for label, rows in shared.items() if len(rows) > 1}
    if not found:
        return model
    rows = [path for path in model.paths if not any(path in same for same in found.values())]
    names: list[str] = []
    taken = {*model.latent, *model.outcomes, *model.covariates}
    for label, same in found.items():
        name = fresh_name(f"i_{label}", taken)
        names.append(name)
        rows += [Path(name, "=~", path.left, free=False, value=1.0) for path in same]
        rows.append(Path(name, "~1", "", label=label, start=same[0].start))
    return replace(model, paths=tuple(rows), latent=(*model.latent, *names))


def _edge(path: Path, model: SemModel) -> Edge | None:
    """The two latent variables that a directed path joins, None for any other path."""
    if path.op not in ("=~", "~") or not {path.left, path.right} <= set(model.latent):
        return None
    return (path.left, path.right) if path.op == "~" else (path.right, path.left)


def _without_sums(model: SemModel) -> tuple[SemModel, Change | None]:
    """The model with effects among latent variables passed on to the outcomes.

    Effects that are fixed make numbers of the loadings; one that is free, and starts from or ends
    in a sum, makes a polynomial of them.
    """
    edges = {path: edge for path in model.paths if (edge := _edge(path, model)) is not None}
    fixed = {path: edge for path, edge in edges.items() if not path.free}
    if not any(path.value for path in fixed) or any(path.definition for path in edges):
        return model, None
    chained = {name for edge in fixed.values() for name in edge}
    loads = [p for p in model.paths if p.op == "=~" and p.right in model.outcomes]
    own = _with_disturbance(model, edges)
    kept = [name for name in model.latent if name in own or name not in chained]
    sums = set(model.latent) - set(kept)
    moving = {path: edge for path, edge in edges.items() if path.free and set(edge) & sums}
    chained |= {name for edge in moving.values() for name in edge}
    if any(path.free or path.definition for path in loads if path.left in chained):
        return model, None
    total = _totals(model, fixed, loads)
    if total is None:
        return model, None
    change = _change(model, fixed | moving, loads, [n for n in kept if n in chained])
    if moving and change is None:
        return model, None
    rows: list[Path] = []
    for name in kept:
        if name not in chained:
            rows += [path for path in loads if path.left == name]
            continue
        column = dict(zip(model.outcomes, total[:, model.latent.index(name)].tolist(), strict=True))
        if moving and change is not None:
            column = {y: change.plain.get((name, y), 0.0) for y in model.outcomes}
        rows += [
            Path(name, "=~", y, free=False, value=value) for y, value in column.items() if value
        ]
    names = set(kept) | set(model.outcomes) | set(model.covariates) | {""}
    rows += [
        path
        for path in model.paths
        if path not in fixed and path not in loads and {path.left, path.right} <= names
    ]
    made = replace(model, paths=tuple(rows), latent=tuple(kept))
    return made, change if moving else None


def _change(
    model: SemModel, edges: dict[Path, Edge], loads: list[Path], factors: list[str]
) -> Change | None:
    """The loadings as polynomials of free effects; None where these are no plain parameters."""
    free = {path.parameter for path in edges if path.free}
    others = {path.parameter for path in model.paths if path.free and path not in edges}
    bound = {
        word for c in model.constraints for word in re.findall(r"[\w.]+", c.left + " " + c.right)
    }
    order = _order(model, list(edges.values()))
    if order is None or free & (others | bound):
        return None
    weighted = [
        (edge, path.parameter if path.free else float(path.value or 0.0))
        for path, edge in edges.items()
    ]
    own = [(p.left, p.right, float(p.value or 0.0)) for p in loads if not p.free]
    found = ((name, polynomials(name, order, weighted, own)) for name in factors)
    return Change(tuple((name, tuple(cells.items())) for name, cells in found))


def _totals(model: SemModel, fixed: dict[Path, Edge], loads: list[Path]) -> FloatArray | None:
    """Total effects of the latent variables on the outcomes, (n_outcomes, n_latent)."""
    at = {name: k for k, name in enumerate(model.latent)}
    among = np.zeros((len(at), len(at)))
    for path, (effect, cause) in fixed.items():
        among[at[effect], at[cause]] = path.value or 0.0
    loadings = np.zeros((len(model.outcomes), len(at)))
    for path in loads:
        if not path.free and path.definition is None:
            loadings[model.outcomes.index(path.right), at[path.left]] = path.value or 0.0
    # Without loops the powers of the matrix end, and sums of whole numbers stay whole.
    power, whole = np.eye(len(at)), np.eye(len(at))
    for _ in at:
        power = power @ among
        whole = whole + power
    return None if np.any(power @ among) else loadings @ whole


def _with_disturbance(model: SemModel, edges: dict[Path, Edge]) -> set[str]:
    """Latent variables that are more than a sum of others, by a mean, a variance or a cause."""
    found: set[str] = set()
    for path in model.paths:
        if path in edges or path.is_zero or path.op == "=~":
            continue
        found |= {path.left, path.right} & set(model.latent)
    return found


def _regressions_as_covariances(model: SemModel) -> Reduction:
    """The model with free regressions among factors as covariances, where that says the same.

    A set of factors in which every pair is joined once, by a regression or by a covariance, without
    loops, has an unrestricted covariance matrix; free intercepts leave the means unrestricted, and
    free effects of the causes' covariates the effects.
    """
    regressions = {
        path: edge for path in model.paths if path.free and (edge := _edge(path, model)) is not None
    }
    if not regressions:
        return Reduction(model)
    order = _order(model, list(regressions.values()))
    if order is None or not all(
        _saturated(model, regressions, part) for part in _parts(model, regressions, order)
    ):
        return Reduction(model)
    causes = {effect: [c for e, c in regressions.values() if e == effect] for effect in order}
    moved = {name for name in order if causes[name]}
    rows = [path for path in model.paths if path not in regressions]
    for effect, cause in regressions.values():
        rows = [p for p in rows if not _joins(p, effect, cause)]
        rows.append(Path(effect, "~~", cause))
    made = replace(model, paths=tuple(rows))
    return Reduction(made, tuple(_rules(made, model, regressions, moved)), _inverse(regressions))


def _joins(path: Path, first: str, second: str) -> bool:
    return path.op == "~~" and {path.left, path.right} == {first, second} and first != second


def _order(model: SemModel, edges: list[Edge]) -> list[str] | None:
    """Latent variables, causes first; None where they form a loop."""
    left, order = list(model.latent), []
    while left:
        free = [n for n in left if not any(e == n and c in left for e, c in edges)]
        if not free:
            return None
        order += free
        left = [n for n in left if n not in free]
    return order


def _parts(
    model: SemModel, regressions: dict[Path, Edge], order: list[str]
) -> list[tuple[str, ...]]:
    """Sets of factors that regressions and covariances join, each with at least one regression."""
    import networkx

    graph: networkx.Graph[str] = networkx.Graph()
    graph.add_edges_from(regressions.values())
    touched = {name for edge in regressions.values() for name in edge}
    for path in model.paths:
        latent = {path.left, path.right} <= set(model.latent)
        if path.op == "~~" and path.left != path.right and not path.is_zero and latent:
            graph.add_edge(path.left, path.right)
    parts = networkx.connected_components(graph)
    return [tuple(n for n in order if n in part) for part in parts if part & touched]


def _saturated(model: SemModel, regressions: dict[Path, Edge], part: tuple[str, ...]) -> bool:
    """Whether the factors' moments are unrestricted although some are regressed on others."""
    labels = [path.label for path in model.paths if path.label]
    constrained = " ".join(f"{c.left} {c.right}" for c in model.constraints)

    def alone(path: Path | None) -> bool:
        """Whether a row holds a parameter of its own."""
        return (
            path is not None
            and path.free
            and (path.label is None or labels.count(path.label) == 1)
            and path.parameter not in constrained
        )

    edges = {edge: path for path, edge in regressions.items()}
    for k, first in enumerate(part):
        if not alone(model.path(first, "~~", first)):
            return False
        for second in part[k + 1 :]:
            between = [edges.get((second, first)), edges.get((first, second))]
            between.append(model.path(first, "~~", second))
            real = [path for path in between if path is not None and not path.is_zero]
            if len(real) != 1 or not alone(real[0]):
                return False
    effects = {
        name: {p.right for p in model.paths if p.op == "~" and p.left == name and not p.is_zero}
        - set(model.latent)
        for name in part
    }
    for effect, cause in edges:
        if effect in part:
            own = all(alone(model.path(effect, "~", x)) for x in effects[cause])
            if not own or not alone(model.path(effect, "~1")):
                return False
    return True


def _rules(
    made: SemModel, model: SemModel, regressions: dict[Path, Edge], moved: set[str]
) -> list[tuple[str, str]]:
    """Parameters of the reduced model that are not the original's of that name."""
    found = []
    for path in made.paths:
        if not path.free:
            continue
        ends = {path.left, path.right} & moved
        if path.op == "~~" and ends and {path.left, path.right} <= set(made.latent):
            what = "variance" if path.left == path.right else "covariance"
            found.append((path.parameter, f"implied {what} of {_both(path)}"))
        elif path.op == "~1" and path.left in moved:
            found.append((path.parameter, f"implied mean of {path.left}"))
        elif path.op == "~" and path.left in moved and path.right in model.covariates:
            found.append((path.parameter, f"total effect of {path.right} on {path.left}"))
    single = {edge[0]: path for path, edge in regressions.items()}
    if len(single) == len(regressions) == 1:
        return [_spelled(rule, *next(iter(regressions.items())), model) for rule in found]
    return found


def _both(path: Path) -> str:
    return path.left if path.left == path.right else f"{path.left} and {path.right}"


def _spelled(rule: tuple[str, str], path: Path, edge: Edge, model: SemModel) -> tuple[str, str]:
    """The rule in full where one factor is regressed on one other."""
    (name, text), (effect, cause) = rule, edge
    b = path.parameter

    def of(factor: str, op: Operator) -> str:
        row = model.path(factor, op, "" if op == "~1" else factor)
        return row.parameter if row is not None and row.free else f"{factor}{op}{factor}"

    if text == f"implied mean of {effect}":
        return name, f"{of(effect, '~1')} + {b} * {of(cause, '~1')}"
    if text == f"implied variance of {effect}":
        return name, f"{of(effect, '~~')} + {b}^2 * {of(cause, '~~')}"
    if text == f"implied covariance of {effect} and {cause}":
        return name, f"{b} * {of(cause, '~~')}"
    return rule


def _inverse(regressions: dict[Path, Edge]) -> tuple[tuple[str, str], ...]:
    """The original's parameters that the reduced model does not have."""
    made = []
    for path, (effect, cause) in regressions.items():
        causes = [c for e, c in regressions.values() if e == effect]
        rule = f"coefficient of {cause} in the regression of {effect} on {', '.join(causes)}"
        if len(causes) == 1:
            rule = f"cov({effect},{cause}) / var({cause})"
        made.append((path.parameter, rule))
    return tuple(made)
