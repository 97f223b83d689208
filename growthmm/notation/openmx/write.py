"""A model as OpenMx text: every path written, nothing left to defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.sem import Path, SemModel
from growthmm.notation.base import Written
from growthmm.notation.losses.levels import levels_loss
from growthmm.notation.openmx.algebra import renamed
from growthmm.notation.openmx.names import ENTITIES, RESERVED, legends, safe_names
from growthmm.notation.sem.text import is_syntactic, number_text, r_string

__all__ = ["Spelling", "model_text", "same_model", "spelling", "write_model"]

WIDTH = 96


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a model's names are written.

    Parameters
    ----------
    variables, labels : dict of str to str
        Name meant to name written; `labels` holds the algebras' names too.
    factors : dict of str to str
        For each covariate the latent variable that carries its value.
    name : str
        The model's own name.
    groups : tuple of str
        The submodels' names; empty where there is one group.
    """

    variables: dict[str, str]
    labels: dict[str, str]
    factors: dict[str, str]
    name: str
    groups: tuple[str, ...]


_LEVELS = (
    "in OpenMx each level is a model with data of its own, joined to the other by keys (joinKey), "
    "so that one text for one data set does not say it"
)


def write_model(model: SemModel) -> Written:
    """Write a model as a call of ``mxModel()``.

    Parameters
    ----------
    model : SemModel
        Any model. A covariate becomes a latent variable whose mean is the covariate's value,
        person by person (a definition variable), so that the likelihood is conditional on it.

    Returns
    -------
    Written
        Text that reads back as the model, and what OpenMx cannot say.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> print(write_model(read("i =~ 1*y0 + 1*y1")).text)
    mxModel("growth", type = "RAM",
      manifestVars = c("y0", "y1"),
      latentVars = "i",
      mxPath(from = "i", to = c("y0", "y1"), free = FALSE, values = 1),
      mxPath(from = c("y0", "y1", "i"), arrows = 2, values = 1),
      mxPath(from = "one", to = "i", values = 0))
    """
    beyond = levels_loss(model, "OpenMx", _LEVELS)
    if beyond:
        return Written("", beyond)
    losses, unread = _settings_losses(model), _relation_losses(model)
    if unread:
        return Written("", (*losses, *unread))
    said = replace(model, estimator="ml", likelihood="normal")
    said = replace(said, information=None if model.information == "expected" else model.information)
    if said.n_groups == 1:
        said = replace(said, group_variable=None, group_labels=())
    names = spelling(said)
    text = model_text(said, names, _frames(said))
    lines = [*legends(names.variables, names.labels), text]
    if said.information == "observed":
        lines[-1] = f'mxOption({text}, "Calculate Hessian", "Yes")'
    text = "\n".join(lines)
    from growthmm.notation.openmx.read import read

    try:
        again = read(text)
    except NotationError as error:
        why: str | None = error.message.split("\n")[0]
    else:
        why = None if same_model(said, again) else "it reads back as another model"
    if why is not None:
        losses.append(Loss("the model as a whole", why, "lavaan"))
    return Written(text, tuple(losses))


def _settings_losses(model: SemModel) -> list[Loss]:
    losses = []
    if model.estimator == "reml":
        losses.append(
            Loss("estimator = reml", "OpenMx's paths have maximum likelihood alone", "ML")
        )
    if model.likelihood != "normal":
        why = "OpenMx's likelihood of raw data divides by N"
        losses.append(Loss(f"likelihood = {model.likelihood}", why, "lavaan"))
    if model.information == "expected":
        why = "OpenMx takes standard errors from the Hessian"
        losses.append(Loss("information = expected", why, "observed information, or lavaan"))
    if model.n_groups == 1 and model.group_variable is not None:
        why = "OpenMx needs a model for each group, and the text does not say how many there are"
        losses.append(Loss(f"group = {model.group_variable}", why, "name the groups"))
    return losses


def _relation_losses(model: SemModel) -> list[Loss]:
    losses = []
    sides: list[tuple[str, tuple[str, ...]]] = [
        (f"{c.left} {c.op} {c.right}", (c.left, c.right)) for c in model.constraints
    ]
    sides += [(f"{d.name} := {d.expression}", (d.expression,)) for d in model.defined]
    for shown, expressions in sides:
        try:
            for expression in expressions:
                renamed(expression, {})
        except NotationError:
            why = "it is no arithmetic over labels"
            losses.append(Loss(shown, why, "label the parameters"))
    return losses


def same_model(one: SemModel, other: SemModel) -> bool:
    """Whether two tables say the same, however a factor's arrow is called.

    To OpenMx ``f =~ y`` and ``y ~ f`` are one arrow.
    """
    return _arrows(one) == _arrows(other)


def _arrows(model: SemModel) -> tuple[object, ...]:
    labels = {path.label for path in model.paths if path.label}
    rows = set()
    for path in model.paths:
        if path.is_zero:
            continue
        label = path.label or (path.name if path.name in labels else None)
        turned = path
        if path.op == "=~":
            turned = replace(path, left=path.right, op="~", right=path.left)
        rows.add(replace(turned, label=label).identity)
    variables = (frozenset(model.latent), frozenset(model.outcomes), frozenset(model.covariates))
    relations = (frozenset(model.constraints), frozenset(model.defined), model.n_groups)
    settings = (model.missing, model.information, model.group_variable, model.group_labels)
    return (frozenset(rows), *variables, *relations, *settings)


def spelling(model: SemModel) -> Spelling:
    """Names that OpenMx takes for everything in a model."""
    definitions = [p.definition for p in model.paths if p.definition is not None]
    observed = (*model.outcomes, *model.covariates, *definitions)
    variables = safe_names((*observed, *model.latent), RESERVED)
    taken = {*variables.values(), *RESERVED}
    factors = {}
    for name in model.covariates:
        factor = f"def_{variables[name]}"
        while factor in taken:
            factor += "_"
        taken.add(factor)
        factors[name] = factor
    used = [path.label for path in model.paths if path.label]
    used += [defined.name for defined in model.defined]
    labels = safe_names(used, RESERVED | ENTITIES)
    taken |= set(labels.values())

    def free(wish: str) -> str:
        while wish in taken:
            wish += "_"
        taken.add(wish)
        return wish

    name = free("growth")
    groups = (
        tuple(free(f"group{k + 1}") for k in range(model.n_groups)) if model.n_groups > 1 else ()
    )
    return Spelling(variables, labels, factors, name, groups)


def _frames(model: SemModel) -> tuple[str | None, ...]:
    """The data of each group, as R code; None where the text need not name any."""
    frame = model.data if model.data is not None and is_syntactic(model.data) else "data"
    if model.n_groups == 1:
        return (frame if model.missing == "ml" else None,)
    if model.group_variable is None:
        return tuple(frame if model.missing == "ml" else None for _ in range(model.n_groups))
    column = f"{frame}[[{r_string(model.group_variable)}]]"
    frames = []
    for k in range(model.n_groups):
        level = (
            r_string(model.group_labels[k]) if model.group_labels else f"unique({column})[{k + 1}]"
        )
        rows = f"{frame}[{column} == {level}, ]"
        frames.append(rows if model.missing == "ml" else f"na.omit({rows})")
    return tuple(frames)


def model_text(model: SemModel, names: Spelling, frames: Sequence[str | None]) -> str:
    """The call of ``mxModel()``.

    Parameters
    ----------
    model : SemModel
        The model.
    names : Spelling
        How its names are written.
    frames : sequence of (str or None)
        R code of each group's data.
    """
    relations = _relations(model, names)
    if not names.groups:
        return _one_group(model, names, 0, frames[0], relations)
    inner = []
    for group in range(model.n_groups):
        text = _one_group(model, names, group, frames[group], [])
        inner.append(text.replace("\n", "\n  "))
    together = f"mxFitFunctionMultigroup({_vector(list(map(r_string, names.groups)))})"
    parts = ",\n  ".join([*inner, *relations, together])
    return f"mxModel({r_string(names.name)},\n  {parts})"


def _one_group(
    model: SemModel, names: Spelling, group: int, frame: str | None, relations: list[str]
) -> str:
    name = names.groups[group] if names.groups else names.name
    v = names.variables
    latent = [v[n] for n in model.latent] + [names.factors[n] for n in model.covariates]
    parts = [f"manifestVars = {_vector([r_string(v[n]) for n in model.outcomes])}"]
    if latent:
        parts.append(f"latentVars = {_vector([r_string(n) for n in latent])}")
    if frame is not None:
        parts.append(f'mxData({frame}, type = "raw")')
    paths = [path for path in model.paths if path.group == group]
    parts += _loadings(paths, names, model)
    parts += _regressions(paths, names, model)
    parts += _covariances(paths, names, model)
    parts += _means(paths, names, model)
    inside = ",\n  ".join([*parts, *relations])
    return f'mxModel({r_string(name)}, type = "RAM",\n  {inside})'


def _relations(model: SemModel, names: Spelling) -> list[str]:
    lines = [
        f"mxConstraint({renamed(c.left, names.labels, '^')} {c.op} "
        f"{renamed(c.right, names.labels, '^')})"
        for c in model.constraints
    ]
    lines += [
        f"mxAlgebra({renamed(d.expression, names.labels, '^')}, "
        f"name = {r_string(names.labels[d.name])})"
        for d in model.defined
    ]
    return lines


def _loadings(paths: Sequence[Path], names: Spelling, model: SemModel) -> list[str]:
    lines = []
    rows = [path for path in paths if path.op == "=~"]
    for factor in dict.fromkeys(path.left for path in rows):
        own = [path for path in rows if path.left == factor]
        targets = [names.variables[path.right] for path in own]
        lines.append(_call(_Arrows([names.variables[factor]], targets, own, 1.0), names, model))
    return lines


def _regressions(paths: Sequence[Path], names: Spelling, model: SemModel) -> list[str]:
    rows = [path for path in paths if path.op == "~" and not path.is_zero]
    if not rows:
        return []
    origins = [names.factors.get(path.right) or names.variables[path.right] for path in rows]
    targets = [names.variables[path.left] for path in rows]
    return [_call(_Arrows(origins, targets, rows, 0.0), names, model)]


def _covariances(paths: Sequence[Path], names: Spelling, model: SemModel) -> list[str]:
    rows = [path for path in paths if path.op == "~~" and not path.is_zero]
    lines = []
    for alone, found in groupby(
        sorted(rows, key=lambda p: p.left != p.right), key=lambda p: p.left == p.right
    ):
        own = list(found)
        lefts = [names.variables[path.left] for path in own]
        rights = None if alone else [names.variables[path.right] for path in own]
        start = 1.0 if alone else 0.0
        lines.append(_call(_Arrows(lefts, rights, own, start, heads=2), names, model))
    return lines


def _means(paths: Sequence[Path], names: Spelling, model: SemModel) -> list[str]:
    rows = [path for path in paths if path.op == "~1" and not path.is_zero]
    lines = []
    if rows:
        targets = [names.variables[path.left] for path in rows]
        lines.append(_call(_Arrows(["one"], targets, rows, 0.0), names, model))
    elif not model.covariates:
        # Raw data need a vector of means, be it zero.
        targets = [r_string(names.variables[name]) for name in model.outcomes]
        lines.append(f'mxPath(from = "one", to = {_vector(targets)}, free = FALSE, values = 0)')
    if model.covariates:
        factors = _vector([r_string(names.factors[name]) for name in model.covariates])
        labels = _vector([r_string(f"data.{names.variables[name]}") for name in model.covariates])
        lines.append(f'mxPath(from = "one", to = {factors}, free = FALSE, labels = {labels})')
    return lines


@dataclass(frozen=True, slots=True)
class _Arrows:
    """Paths that one ``mxPath()`` says."""

    origins: Sequence[str]
    targets: Sequence[str] | None
    paths: Sequence[Path]
    start: float
    heads: int = 1


def _call(arrows: _Arrows, names: Spelling, model: SemModel) -> str:
    """One ``mxPath()``; what is the same for all its paths is written once."""
    shared = {path.label for path in model.paths if path.label}
    origins, targets, paths = arrows.origins, arrows.targets, arrows.paths

    def label(path: Path) -> str:
        if path.definition is not None:
            return r_string(f"data.{names.variables[path.definition]}")
        own = path.label or (path.name if path.free and path.name in shared else None)
        return "NA" if own is None else r_string(names.labels[own])

    def value(path: Path) -> str:
        if path.definition is not None:
            return "NA"
        if not path.free:
            return number_text(path.value or 0.0)
        return number_text(arrows.start if path.start is None else path.start)

    def bound(limit: float | None) -> str:
        return "NA" if limit is None else number_text(limit)

    arguments = [f"from = {_once(list(map(r_string, origins)))}"]
    if targets is not None:
        both = list(map(r_string, targets))
        arguments.append(f"to = {_vector(both) if len(set(origins)) == 1 else _once(both)}")
    if arrows.heads != 1:
        arguments.append(f"arrows = {arrows.heads}")
    if not all(path.free for path in paths):
        arguments.append(f"free = {_once(['TRUE' if p.free else 'FALSE' for p in paths])}")
    for key, entries in (
        ("values", [value(path) for path in paths]),
        ("labels", [label(path) for path in paths]),
        ("lbound", [bound(path.lower) for path in paths]),
        ("ubound", [bound(path.upper) for path in paths]),
    ):
        if set(entries) != {"NA"}:
            arguments.append(f"{key} = {_once(entries)}")
    line = f"mxPath({', '.join(arguments)})"
    return line if len(line) <= WIDTH else f"mxPath({(',' + chr(10) + '    ').join(arguments)})"


def _once(entries: list[str]) -> str:
    """A vector, or its one entry where all are the same."""
    return entries[0] if len(set(entries)) == 1 else _vector(entries)


def _vector(entries: list[str]) -> str:
    return entries[0] if len(entries) == 1 else f"c({', '.join(entries)})"
