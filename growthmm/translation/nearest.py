"""The nearest growth model that has a mixed form, where a structural equation model has none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

from growthmm.model.sem import Path, SemModel
from growthmm.translation.loadings.tables import loading_table
from growthmm.translation.second_order import second_order

__all__ = ["NearModel", "items_alike", "near_models"]

Relation = Literal["smaller", "larger", "other"]


@dataclass(frozen=True)
class NearModel:
    """A model with other restrictions.

    Parameters
    ----------
    model : SemModel
        The model.
    what : str
        What makes it another.
    relation : {"smaller", "larger", "other"}
        Whether it is nested in the original, or the original in it.
    """

    model: SemModel
    what: str
    relation: Relation


def near_models(model: SemModel) -> tuple[NearModel, ...]:
    """Models near one whose moments are nonlinear, the nearest first.

    Parameters
    ----------
    model : SemModel
        A growth model of one level.

    Returns
    -------
    tuple of NearModel
        Perhaps none of them can be translated.
    """
    made: list[NearModel] = []
    for steps in _ROUTES:
        near, done = model, list[NearModel]()
        for step in steps:
            found = step(near)
            if found is not None:
                near = found.model
                done.append(found)
        if done and not any(near == other.model for other in made):
            relations = {one.relation for one in done}
            relation: Relation = relations.pop() if len(relations) == 1 else "other"
            made.append(NearModel(near, ", ".join(one.what for one in done), relation))
    return tuple(made)


def items_alike(model: SemModel) -> NearModel | None:
    """Loadings of 1 on the items of a second-order growth model.

    Parameters
    ----------
    model : SemModel
        Any model.

    Returns
    -------
    NearModel or None
        None where it is none, or has no estimated ones.
    """
    found = second_order(model)
    if found is None:
        return None

    def estimated(path: Path) -> bool:
        return path.op == "=~" and path.left in found.occasions and path.free

    if not any(map(estimated, model.paths)):
        return None
    paths = tuple(
        Path(p.left, "=~", p.right, free=False, value=1.0) if estimated(p) else p
        for p in model.paths
    )
    return NearModel(_changed(model, paths=paths), "all items have loadings of 1", "smaller")


def _no_lags(model: SemModel) -> NearModel | None:
    """No regressions among outcomes that grow."""
    outcomes = set(model.outcomes)
    loaded = {p.right for p in model.paths if p.op == "=~"}
    rows = tuple(
        p
        for p in model.paths
        if not (p.op == "~" and p.free and {p.left, p.right} <= outcomes and p.left in loaded)
    )
    if len(rows) == len(model.paths):
        return None
    made = _changed(model, paths=rows)
    return NearModel(made, "no outcome acts on another", "smaller")


def _no_added_covariances(model: SemModel) -> NearModel | None:
    """No covariances of latent variables without variances, where nobody wrote them."""
    without = {
        p.left
        for p in model.paths
        if p.op == "~~" and p.left == p.right and p.left in model.latent and p.is_zero
    }

    def added(path: Path) -> bool:
        inside = {path.left, path.right} & without
        return path.op == "~~" and path.free and path.rule != "written" and bool(inside)

    names = [path.name for path in model.paths if added(path)]
    if not names:
        return None
    paths = tuple(replace(p, free=False, value=0.0) if added(p) else p for p in model.paths)
    what = f"{', '.join(names)} are zero: their variables have no variances"
    return NearModel(_changed(model, paths=paths), what, "smaller")


def _no_effects(model: SemModel) -> NearModel | None:
    """No effects among latent variables that are to be estimated."""
    rows = tuple(p for p in model.paths if not _latent_effect(model, p))
    if len(rows) == len(model.paths):
        return None
    made = _changed(model, paths=rows)
    return NearModel(made, "no latent variable acts on another in proportion", "smaller")


def _latent_effect(model: SemModel, path: Path) -> bool:
    return path.op == "~" and path.free and {path.left, path.right} <= set(model.latent)


def _no_disturbances(model: SemModel) -> NearModel | None:
    """No variances of latent variables that are sums of others (true scores, differences)."""
    latent = set(model.latent)
    sums = {p.left for p in model.paths if p.op == "~" and not p.free and p.value}
    sums |= {p.right for p in model.paths if p.op == "=~" and not p.free and p.value}
    sums &= latent

    def own(path: Path) -> bool:
        return path.op == "~~" and path.left in sums and path.left == path.right and path.free

    if not any(map(own, model.paths)):
        return None
    paths = tuple(
        replace(p, free=False, value=0.0, label=None) if own(p) else p for p in model.paths
    )
    return NearModel(
        _changed(model, paths=paths), "changes have no variances of their own", "smaller"
    )


def _free_covariances(model: SemModel) -> NearModel | None:
    """Free means, variances and covariances of the growth factors in place of regressions."""
    if not any(_latent_effect(model, p) for p in model.paths):
        return None
    if any(p.op == "=~" and p.right in model.latent for p in model.paths):
        return None
    joined = {n for p in model.paths if _latent_effect(model, p) for n in (p.left, p.right)}
    names = [name for name in model.latent if name in joined]
    acting = {p.right for p in model.paths if p.op == "~" and p.left in names} - set(model.latent)
    rows = [p for p in model.paths if not (_latent_effect(model, p) or _moment_of(p, joined))]
    rows += [Path(name, "~1") for name in names]
    rows += [Path(name, "~~", name) for name in names]
    rows += [Path(a, "~~", b) for a, b in combinations(names, 2)]
    said = {(p.left, p.right) for p in rows if p.op == "~"}
    rows += [Path(name, "~", x) for name in names for x in sorted(acting) if (name, x) not in said]
    made = _changed(model, paths=tuple(rows))
    what = f"means and covariances of {', '.join(names)} are free"
    return NearModel(made, what, "larger")


def _moment_of(path: Path, names: set[str]) -> bool:
    if path.op == "~1":
        return path.left in names
    return path.op == "~~" and {path.left, path.right} <= names


def _free_loadings(model: SemModel) -> NearModel | None:
    """Estimated loadings without the constraints among them."""
    loadings = {
        p.parameter for rows in loading_table(model).values() for p in rows.values() if p.free
    }
    kept = tuple(c for c in model.constraints if not (_words(c.left) | _words(c.right)) & loadings)
    if len(kept) == len(model.constraints):
        return None
    made = _changed(model, constraints=kept)
    return NearModel(made, "the loadings are free of constraints", "larger")


def _through_every_factor(model: SemModel) -> NearModel | None:
    """Paths to an outcome that persons have once from all growth factors and their covariates."""
    latent, loaded = set(model.latent), {p.right for p in model.paths if p.op == "=~"}
    distal = [
        y
        for y in model.outcomes
        if y not in loaded
        and any(p.op == "~" and p.left == y and p.right in latent for p in model.paths)
    ]
    if not distal:
        return None
    acting = {p.right for p in model.paths if p.op == "~" and p.left in latent} - latent
    rows = list(model.paths)
    for y in distal:
        rows = [p for p in rows if not (p.left == y and p.op in ("~1", "~") and not p.free)]
        there = {p.right for p in rows if p.op == "~" and p.left == y}
        rows += [
            Path(y, "~", name) for name in (*model.latent, *sorted(acting)) if name not in there
        ]
        if not any(p.op == "~1" and p.left == y for p in rows):
            rows.append(Path(y, "~1"))
    if tuple(rows) == model.paths:
        return None
    what = f"every growth factor acts on {', '.join(distal)}"
    return NearModel(_changed(model, paths=tuple(rows)), what, "larger")


def _changed(model: SemModel, **parts: Any) -> SemModel:
    """The model with other parts, without constraints and definitions of parameters that went."""
    made: SemModel = replace(model, **parts)
    gone = _parameters(model) - _parameters(made)
    kept = []
    for one in made.defined:
        if _words(one.expression) & gone:
            gone |= {one.name}
        else:
            kept.append(one)
    held = tuple(c for c in made.constraints if not (_words(c.left) | _words(c.right)) & gone)
    return replace(made, defined=tuple(kept), constraints=held)


def _parameters(model: SemModel) -> set[str]:
    return {path.parameter for path in model.paths if path.free or path.label}


def _words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_.][\w.]*", text))


_Step = Callable[[SemModel], NearModel | None]

_ROUTES: tuple[tuple[_Step, ...], ...] = (
    (items_alike,),
    (_no_added_covariances,),
    (_no_lags,),
    (_through_every_factor,),
    (_free_covariances,),
    (_free_loadings,),
    (items_alike, _no_lags, _no_effects),
    (items_alike, _no_lags, _no_effects, _no_disturbances),
    (_no_lags, _free_covariances, _free_loadings, _through_every_factor),
)
