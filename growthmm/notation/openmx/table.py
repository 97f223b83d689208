"""Models of OpenMx as the table of a structural equation model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.sem import Constraint, Defined, Path, SemModel
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.openmx.algebra import Relations, relations, renamed
from growthmm.notation.openmx.cells import Cell, Place, cells
from growthmm.notation.openmx.names import Dictionary
from growthmm.notation.openmx.parts import ModelPart

__all__ = ["sem_model"]

_DEFAULTS = (
    Default("paths", "none", 'mxModel(type = "RAM"): a path that is not written is zero'),
    Default("estimator", "ML", "OpenMx: maximum likelihood"),
    Default("information", "observed", "OpenMx: standard errors from the Hessian"),
)
_RAW = Default("missing", "all outcomes", 'mxData(type = "raw"): every observed outcome is used')

Cells = Mapping[Place, Cell]


@dataclass(frozen=True, slots=True)
class _Group:
    """One group's model and its cells."""

    part: ModelPart
    cells: Cells


def sem_model(models: Sequence[ModelPart], names: Dictionary, source: Source) -> SemModel:
    """The table of the model that a script ends with.

    Parameters
    ----------
    models : sequence of ModelPart
        The models of the script; the last one is meant.
    names : Dictionary
        What names stand for.
    source : Source
        The text, for errors.

    Returns
    -------
    SemModel
        A latent variable that is nothing but a definition variable's value is a covariate on
        which the likelihood is conditional.

    Raises
    ------
    NotationError
        If there is no model, or the models are no groups of one.
    """
    if not models:
        raise source.error("There is no mxModel() in the text.", 0, hint="Write the whole model.")
    whole = models[-1]
    parts = _groups(whole, source)
    groups = [_Group(part, cells(part, source)) for part in parts]
    shared = _covariates(groups)
    first = parts[0]
    said = relations(
        [*parts, *([whole] if whole is not first else [])], groups_labels(groups), source
    )
    _check_labels(groups, source)
    paths = [path for k, group in enumerate(groups) for path in _paths(group, k, shared, names)]
    latent = tuple(names.variable(name) for name in first.latent if name not in shared)
    outcomes = tuple(names.variable(name) for name in first.manifest)
    covariates = tuple(dict.fromkeys(names.variable(column) for column in shared.values()))
    defaults = list(_DEFAULTS)
    if len(models) > 1:
        defaults.append(Default("model", whole.name or "the last", "the last model of the script"))
    raw = all(part.data is not None and part.data.kind == "raw" for part in parts)
    if raw:
        defaults.append(_RAW)
    group_variable, group_labels = _grouping(parts, source)
    try:
        return SemModel(
            paths=tuple(paths),
            latent=latent,
            outcomes=outcomes,
            covariates=covariates,
            constraints=_renamed_constraints(said, names),
            defined=_renamed_defined(said, names),
            n_groups=len(parts),
            group_variable=group_variable,
            group_labels=group_labels,
            fixed_x=bool(covariates) or not _random_predictors(groups),
            missing=_missing(parts, source),
            information="observed" if whole.observed_information else None,
            notation="openmx",
            defaults=tuple(defaults),
            data=first.data.frame if first.data is not None else None,
        )
    except NotationError:
        raise
    except SpecificationError as error:
        raise NotationError(
            error.message, text=source.text, position=whole.position, hint=error.hint
        ) from None


def _groups(whole: ModelPart, source: Source) -> tuple[ModelPart, ...]:
    """The models that are fitted together."""
    parts = whole.submodels or (whole,)
    if whole.submodels and whole.groups is not None:
        by_name = {part.name: part for part in whole.submodels}
        missing = [name for name in whole.groups.names if name not in by_name]
        if missing:
            raise source.error(
                f"There is no submodel {missing[0]}.",
                whole.groups.position,
                expected=tuple(by_name),
            )
        parts = tuple(by_name[name] for name in whole.groups.names)
    elif whole.submodels:
        raise source.error(
            "Submodels are read as groups of persons that are fitted together.",
            whole.position,
            hint='Add mxFitFunctionMultigroup(c("a", "b")).',
        )
    for part in parts:
        if part.kind != "RAM":
            raise source.error(
                f'The model {part.name} is not of type "RAM".',
                part.position,
                hint='Write type = "RAM".',
            )
        both = set(part.manifest) & set(part.latent)
        if both or "one" in (*part.manifest, *part.latent):
            name = min(both, default="one")
            raise source.error(f"The variable {name} is both latent and manifest.", part.position)
        if not part.manifest:
            raise source.error("The model has no manifestVars.", part.position)
        if set(part.manifest) != set(parts[0].manifest) or part.submodels:
            raise source.error("The groups have different manifestVars.", part.position)
    return parts


def groups_labels(groups: Sequence[_Group]) -> tuple[set[str], set[str]]:
    """Labels of all paths, and algebras that paths take their values from."""
    labels = {c.label for group in groups for c in group.cells.values() if c.label}
    algebras = {c.algebra for group in groups for c in group.cells.values() if c.algebra}
    return labels, algebras


def _check_labels(groups: Sequence[_Group], source: Source) -> None:
    """One label, one parameter: free everywhere or fixed everywhere, with the same bounds."""
    seen: dict[str, Cell] = {}
    for group in groups:
        for cell in group.cells.values():
            if cell.label is None:
                continue
            mate = seen.setdefault(cell.label, cell)
            if mate.free != cell.free or (not cell.free and (mate.value or 0) != (cell.value or 0)):
                raise source.error(
                    f"The label {cell.label} is free in one path and fixed in another, or fixed "
                    "at two values.",
                    cell.position,
                )
            if (mate.lower, mate.upper) != (cell.lower, cell.upper):
                raise source.error(f"The label {cell.label} has several bounds.", cell.position)


def _covariates(groups: Sequence[_Group]) -> dict[str, str]:
    """Latent variables that are a data column's value, person by person, and that column."""
    found: list[dict[str, str]] = []
    for group in groups:
        columns = {}
        for name in group.part.latent:
            mean = group.cells.get(("M", name, ""))
            if mean is None or mean.definition is None or mean.definition in group.part.manifest:
                continue
            others = [
                cell
                for (matrix, row, col), cell in group.cells.items()
                if (matrix == "S" and name in (row, col)) or (matrix == "A" and row == name)
            ]
            if all(not cell.free and not _given(cell) for cell in others):
                columns[name] = mean.definition
        found.append(columns)
    shared = {k: v for k, v in found[0].items() if all(other.get(k) == v for other in found)}
    once: dict[str, str] = {}
    for name, column in shared.items():
        if column not in once.values():
            once[name] = column
    rest = {name for group in groups for name in group.part.latent if name not in once}
    return {name: column for name, column in once.items() if column not in rest}


def _given(cell: Cell) -> bool:
    """Whether a fixed cell is something other than zero."""
    return bool(cell.value or cell.definition or cell.algebra)


def _paths(group: _Group, number: int, covariates: dict[str, str], names: Dictionary) -> list[Path]:
    made = []
    latent = {name for name in group.part.latent if name not in covariates}
    regressed = _regressed(group.cells, latent)

    def variable(name: str) -> str:
        return names.variable(covariates.get(name, name))

    for (matrix, row, col), cell in group.cells.items():
        if row in covariates or (matrix == "S" and col in covariates):
            continue
        left, op, right = variable(row), "~", variable(col) if col else ""
        if matrix == "M":
            op = "~1"
        elif matrix == "S":
            op = "~~"
        elif col in latent and (col, row) not in regressed:
            left, op, right = right, "=~", left
        label = cell.algebra or cell.label
        free = cell.free or cell.algebra is not None
        path = Path(
            left,
            cast('Literal["=~", "~", "~~", "~1"]', op),
            right,
            free=free,
            value=None if free or cell.definition else cell.value or 0.0,
            label=None if label is None else names.label(label),
            start=cell.value if free and cell.value not in (None, 0.0, 1.0) else None,
            definition=None if cell.definition is None else names.variable(cell.definition),
            lower=cell.lower if free else None,
            upper=cell.upper if free else None,
            group=number,
        )
        # A parameter's own name is no label.
        made.append(replace(path, label=None) if path.label == path.name else path)
    rank = {"=~": 0, "~": 1, "~~": 2, "~1": 3}
    return sorted(made, key=lambda path: rank[path.op])


def _regressed(table: Cells, latent: set[str]) -> set[tuple[str, str]]:
    """Paths from a factor that are regressions rather than loadings.

    Both are one arrow in OpenMx. A factor that has observed indicators acts on another factor; an
    observed variable that has a mean of its own, where the fixed indicators of the factor have
    none, is acted on.
    """
    arrows = [(col, row, cell) for (matrix, row, col), cell in table.items() if matrix == "A"]
    measured = {cause for cause, effect, _ in arrows if cause in latent and effect not in latent}
    own_mean = {
        row
        for (matrix, row, _), cell in table.items()
        if matrix == "M" and (cell.free or _given(cell))
    }
    loaded = {
        effect
        for cause, effect, cell in arrows
        if cause in latent and _given(cell) and not cell.free
    }
    found = set()
    for cause, effect, cell in arrows:
        if cause not in latent:
            continue
        if effect in latent:
            if cause in measured:
                found.add((cause, effect))
            continue
        fixed = [e for c, e, other in arrows if c == cause and not other.free and e not in latent]
        plain = [e for e in fixed if e not in own_mean]
        if cell.free and effect in own_mean and effect not in loaded and plain:
            found.add((cause, effect))
    return found


def _random_predictors(groups: Sequence[_Group]) -> bool:
    """Whether an observed variable that nothing acts on acts on others: a random covariate."""
    for group in groups:
        manifest = set(group.part.manifest)
        acted = {row for (matrix, row, _), cell in group.cells.items() if matrix == "A"}
        acting = {col for (matrix, _, col), cell in group.cells.items() if matrix == "A"}
        if (acting & manifest) - acted:
            return True
    return False


def _renamed_constraints(said: Relations, names: Dictionary) -> tuple[Constraint, ...]:
    return tuple(
        Constraint(renamed(c.left, names.labels), c.op, renamed(c.right, names.labels))
        for c in said.constraints
    )


def _renamed_defined(said: Relations, names: Dictionary) -> tuple[Defined, ...]:
    return tuple(
        Defined(names.label(d.name), renamed(d.expression, names.labels)) for d in said.defined
    )


def _missing(parts: Sequence[ModelPart], source: Source) -> Literal["listwise", "ml"]:
    rules = {
        "ml"
        if part.data is not None and part.data.kind == "raw" and not part.data.complete
        else "listwise"
        for part in parts
    }
    if len(rules) > 1:
        raise source.error("Some groups drop incomplete persons, others do not.", parts[0].position)
    return "ml" if rules == {"ml"} else "listwise"


def _grouping(parts: Sequence[ModelPart], source: Source) -> tuple[str | None, tuple[str, ...]]:
    """The column that splits persons into groups, and the groups where they are named."""
    variables = {part.data.group_variable for part in parts if part.data is not None}
    if len(parts) == 1 or variables in (set(), {None}):
        return None, ()
    if len(variables) > 1:
        raise source.error("The groups are rows by different columns.", parts[1].position)
    labels = [part.data.group_label for part in parts if part.data is not None]
    known = tuple(label for label in labels if label is not None)
    complete = len(set(known)) == len(parts)
    return next(iter(variables)), known if complete else ()
