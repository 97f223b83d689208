"""A model as lavaan text: what the program's defaults do not say, and every loading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.sem import Operator, Path, SemModel
from growthmm.notation.base import Written
from growthmm.notation.lavaan.defaults import FUNCTIONS, classify
from growthmm.notation.lavaan.modifiers import Modifiers
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.lavaan.syntax import Row, Syntax
from growthmm.notation.lavaan.table import Groups, build, in_order
from growthmm.notation.lavaan.terms import arithmetic_text, call_text, formula_lines
from growthmm.notation.losses.definitions import definition_losses
from growthmm.notation.sem.levels import of_level
from growthmm.notation.sem.text import is_syntactic

__all__ = ["unwritable_names", "write_model"]

Key = tuple[str, str, str]


def write_model(model: SemModel) -> Written:
    """Write a model; see :func:`growthmm.notation.lavaan.notation.write`."""
    from growthmm.notation.lavaan.read import read

    losses = unwritable_names(model)
    if losses:
        return Written("", losses)
    said, losses = _sayable(model)
    text = "\n".join([*_formulas(said), *_relations(said)])
    text = call_text(said, text)
    if not losses:
        try:
            again = read(text)
        except NotationError as error:
            losses = (_unsaid(error.message),)
        else:
            if again != said:
                losses = (_unsaid(_difference(said, again)),)
    return Written(text, losses)


def _formulas(model: SemModel) -> list[str]:
    """The rows to write as lines, level by level where there are two."""
    if model.n_levels == 1:
        return formula_lines(_rows(model), model.n_groups)
    lines = []
    for level in (1, 2):
        lines += [f"level: {level}", *formula_lines(_rows(of_level(model, level)), 1)]
    return lines


def unwritable_names(model: SemModel) -> tuple[Loss, ...]:
    """Names and labels that R would not take as they are."""
    losses = []
    variables = (*model.latent, *model.outcomes, *model.covariates)
    labels = {path.label for path in model.paths if path.label}
    rows = {path.name for path in model.paths}
    for name in dict.fromkeys(variables):
        if not is_syntactic(name):
            losses.append(
                Loss(
                    f"the variable {name!r}",
                    "lavaan's names are letters, digits, dots and underscores, a letter first, "
                    "and no reserved word of R",
                    "rename the column",
                )
            )
    for label in sorted((labels - rows) | {defined.name for defined in model.defined}):
        if not is_syntactic(label):
            why = "a label has to be a plain name of R"
            losses.append(Loss(f"the label {label!r}", why, "rename the label"))
    return tuple(losses)


def _sayable(model: SemModel) -> tuple[SemModel, tuple[Loss, ...]]:
    """The part of the model that lavaan can say, and the rest."""
    losses = definition_losses(model, "lavaan 0.6")
    if model.estimator == "reml":
        losses.append(
            Loss("estimator = reml", "lavaan has maximum likelihood alone", "lme4, or ML")
        )
    paths = tuple(path for path in model.paths if path.definition is None)
    return replace(model, paths=paths, estimator="ml"), tuple(losses)


def _unsaid(why: str) -> Loss:
    return Loss("the model as a whole", why, "write the rows another way")


def _difference(model: SemModel, again: SemModel) -> str:
    """What reads back otherwise."""
    mine = {path.identity: path.name for path in model.paths if not path.is_zero}
    theirs = {path.identity: path.name for path in again.paths if not path.is_zero}
    names = [name for key, name in mine.items() if key not in theirs]
    names += [name for key, name in theirs.items() if key not in mine]
    shown = ", ".join(dict.fromkeys(names)) or "its variables or settings"
    return f"lavaan's defaults get in the way of {shown}"


def _key(path: Path | Row) -> Key:
    left, right = sorted((path.left, path.right)) if path.op == "~~" else (path.left, path.right)
    return (path.op, left, right)


def _rows(model: SemModel) -> list[Row]:
    """The rows to write: loadings, regressions, and all that the defaults would make otherwise.

    What is written changes the defaults of the rest, so this goes round until nothing changes.
    """
    options = replace(FUNCTIONS[model.function], fixed_x=model.fixed_x)
    table: dict[Key, dict[int, Path]] = {}
    for path in model.paths:
        table.setdefault(_key(path), {})[path.group] = path
    wanted: dict[Key, None] = {key: None for key in table if key[0] in ("=~", "~")}
    for key in _mentions(model, table):
        wanted[key] = None
    phantoms = _phantoms(model)
    mine = _by_key(model.paths)
    for _ in range(len(table) + 3):
        rows = _as_rows(list(wanted), table, model)
        syntax = Syntax(tuple(rows), phantoms=phantoms)
        built = build(syntax, options, model.function, Groups(n=model.n_groups), Source(""))
        theirs = _by_key(built.paths)
        differing = [
            key
            for key in dict.fromkeys((*table, *theirs))
            if mine.get(key, frozenset()) != theirs.get(key, frozenset()) and key not in wanted
        ]
        if not differing:
            break
        wanted.update(dict.fromkeys(differing))
    rows = _as_rows(list(wanted), table, model)
    variables = classify([(row.left, row.op, row.right) for row in rows], phantoms)
    turned = [in_order(row, variables) for row in rows]
    return [*turned, *(Row(name, "=~", "0") for name in phantoms)]


def _phantoms(model: SemModel) -> tuple[str, ...]:
    measured = {path.left for path in model.paths if path.op == "=~"}
    return tuple(name for name in model.latent if name not in measured)


def _mentions(model: SemModel, table: dict[Key, dict[int, Path]]) -> list[Key]:
    """Zero rows that bring in variables which no loading or regression names."""
    named = {name for key in table if key[0] in ("=~", "~") for name in key[1:]}
    keys: list[Key] = []
    for name in model.outcomes:
        if name not in named:
            keys.append(("~~", name, name))
    explained = (*model.outcomes, *model.latent)
    for name in model.covariates:
        if name not in named and explained:
            keys.append(("~", explained[0], name))
    return keys


def _by_key(paths: Sequence[Path]) -> dict[Key, frozenset[object]]:
    found: dict[Key, set[object]] = {}
    for path in paths:
        if not path.is_zero:
            found.setdefault(_key(path), set()).add(path.identity)
    return {key: frozenset(identities) for key, identities in found.items()}


def _as_rows(keys: list[Key], table: dict[Key, dict[int, Path]], model: SemModel) -> list[Row]:
    """Rows with modifiers, in the order in which they will be written."""
    order = {key: k for k, key in enumerate(table)}
    latent = set(model.latent)

    def rank(key: Key) -> tuple[int, int, int]:
        op, left, right = key
        kind = {"=~": 0, "~": 2, "~1": 4}.get(op, 3 if {left, right} & latent else 1)
        place = model.latent.index(left) if op == "=~" else 0
        return kind, place, order.get(key, len(order))

    rows = []
    first_loadings: set[str] = set()
    for key in sorted(keys, key=rank):
        paths = table.get(key, {})
        op, left, right = key
        shown = next(iter(paths.values()), None)
        if shown is not None:
            left, right = shown.left, shown.right
        marker = op == "=~" and left not in first_loadings
        first_loadings |= {left} if op == "=~" else set()
        rows.append(Row(left, _operator(op), right, _modifiers(paths, model.n_groups, marker)))
    return rows


def _operator(op: str) -> Operator:
    operators: dict[str, Operator] = {"=~": "=~", "~": "~", "~~": "~~", "~1": "~1"}
    return operators[op]


def _modifiers(paths: dict[int, Path], n_groups: int, marker: bool) -> Modifiers:
    zero = Path("", "~1", free=False, value=0.0)
    rows = [paths.get(group, zero) for group in range(n_groups)]
    fixed = tuple(None if row.free else row.value for row in rows)
    labels = tuple(row.label or "" for row in rows)
    starts = tuple(row.start if row.free else None for row in rows)
    lower = tuple(row.lower if row.free else None for row in rows)
    upper = tuple(row.upper if row.free else None for row in rows)

    def unless_empty(
        values: tuple[float | None, ...],
    ) -> tuple[float | None, ...] | None:
        return None if all(value is None for value in values) else values

    free = all(value is None for value in fixed)
    return Modifiers(
        fixed=fixed if marker or not free else None,
        start=unless_empty(starts),
        lower=unless_empty(lower),
        upper=unless_empty(upper),
        label=labels if any(labels) else None,
    )


def _relations(model: SemModel) -> list[str]:
    lines = [
        f"{arithmetic_text(c.left)} {c.op} {arithmetic_text(c.right)}" for c in model.constraints
    ]
    return lines + [f"{d.name} := {arithmetic_text(d.expression)}" for d in model.defined]
