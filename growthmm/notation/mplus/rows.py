"""The rows that an Mplus text has to write so that its defaults make the rest of a model."""

from __future__ import annotations

from dataclasses import replace

from growthmm.model.sem import Operator, Path, SemModel
from growthmm.notation.mplus.defaults import complete
from growthmm.notation.mplus.syntax import Curve, Row, Syntax

__all__ = ["Key", "normal", "to_write"]

Key = tuple[str, str, str]

Cells = dict[tuple[Key, int], Path]


def normal(model: SemModel) -> SemModel:
    """`model` with a label on every row whose name another row has for a label."""
    labels = {path.label for path in model.paths if path.label}
    paths = tuple(
        replace(path, label=path.name) if path.name in labels and path.label is None else path
        for path in model.paths
    )
    return replace(model, paths=paths)


def to_write(model: SemModel, *, above: frozenset[str] | None = None) -> Syntax:
    """Rows and growth curves that make `model`, with Mplus's defaults, and nothing more.

    What is written changes the defaults of the rest, so this goes round until nothing changes.

    Parameters
    ----------
    model : SemModel
        As :func:`normal` returns it.
    above : frozenset of str, optional
        At the within level, as in :func:`growthmm.notation.mplus.defaults.complete`.
    """
    mine = _cells(model.paths)
    silent = _silent(model)
    bare = {
        cell: replace(path, label=None) if cell[0] in silent else path
        for cell, path in mine.items()
    }
    curves = _curves(model, bare)
    wanted: dict[tuple[Key, int | None], None] = {}
    order = {key: k for k, key in enumerate(dict.fromkeys(_key(path) for path in model.paths))}
    grown = {(f, y) for curve in curves for f in curve.factors for y in curve.indicators}
    for path in model.paths:
        key = _key(path)
        if path.op in ("=~", "~") and (not path.is_zero or key[1:] in grown):
            wanted[key, None] = None
    for factor, outcome in grown:
        wanted[("=~", factor, outcome), None] = None
    for key in _mentions(model, mine):
        wanted[key, None] = None
    for _ in range(2 * len(order) + 4):
        syntax = _syntax(wanted, bare, curves, order)
        paths = complete(syntax, model.n_groups, above=above).paths
        theirs = _cells(normal(replace(model, paths=paths)).paths)
        differing = [
            cell
            for cell in dict.fromkeys((*mine, *theirs))
            if _said(mine.get(cell)) != _said(theirs.get(cell))
        ]
        missing: list[tuple[Key, int | None]]
        missing = [
            (key, None) for key, group in differing if group == 0 and (key, None) not in wanted
        ]
        if not missing:
            # The overall row is the first group's; a row of its own could say no more.
            missing = [cell for cell in differing if cell[1] != 0 and cell not in wanted]
        if not missing:
            break
        wanted.update(dict.fromkeys(missing))
    return _syntax(wanted, bare, curves, order)


def _silent(model: SemModel) -> set[Key]:
    """Loadings that are equal across groups, and to nothing else, as Mplus has them anyway."""
    users: dict[str, list[Path]] = {}
    for path in model.paths:
        if path.label:
            users.setdefault(path.label, []).append(path)
    used = {name for c in model.constraints for name in (c.left, c.right)}
    used |= {d.expression for d in model.defined}
    found = set()
    for label, paths in users.items():
        keys = {_key(path) for path in paths}
        alone = len(keys) == 1 and not any(label in text for text in used)
        whole = len(paths) == model.n_groups > 1 and all(path.free for path in paths)
        if alone and whole and paths[0].op == "=~" and label == paths[0].name:
            found |= keys
    return found


def _key(path: Path) -> Key:
    return Row(path.left, path.op, path.right).key


def _cells(paths: tuple[Path, ...]) -> Cells:
    return {(_key(path), path.group): path for path in paths if not path.is_zero}


def _said(path: Path | None) -> tuple[object, ...] | None:
    return None if path is None else path.identity


def _syntax(
    wanted: dict[tuple[Key, int | None], None],
    mine: Cells,
    curves: tuple[Curve, ...],
    order: dict[Key, int],
) -> Syntax:
    rows = [_row(key, group, mine) for key, group in wanted]
    rows.sort(
        key=lambda row: (row.group is not None, row.group or 0, order.get(row.key, len(order)))
    )
    return Syntax(tuple(rows), curves)


def _row(key: Key, group: int | None, mine: Cells) -> Row:
    path = mine.get((key, group or 0))
    operators: dict[str, Operator] = {"=~": "=~", "~": "~", "~~": "~~", "~1": "~1"}
    if path is None:
        return Row(key[1], operators[key[0]], key[2], free=False, value=0.0, group=group)
    return Row(
        path.left,
        path.op,
        path.right,
        free=path.free,
        value=path.value,
        start=path.start,
        label=path.label,
        definition=path.definition,
        group=group,
    )


def _mentions(model: SemModel, mine: Cells) -> list[Key]:
    """Rows that bring in variables which no loading or regression does, or not in their role."""
    loads = {key[2] for key, _ in mine if key[0] == "=~"}
    regressed = {key[1] for key, _ in mine if key[0] == "~"}
    predicts = {key[2] for key, _ in mine if key[0] == "~"}
    measured = {key[1] for key, _ in mine if key[0] == "=~"}
    keys: list[Key] = []
    for name in model.outcomes:
        if name not in loads and name not in regressed:
            keys.append(("~~", name, name))
    anchor = (*sorted(model.outcomes), *model.latent)
    for name in model.latent:
        if name not in measured and model.outcomes:
            keys.append(("=~", name, min(model.outcomes)))
    for name in model.covariates:
        if name not in predicts and anchor:
            keys.append(("~", anchor[0], name))
    return keys


def _curves(model: SemModel, mine: Cells) -> tuple[Curve, ...]:
    """Loadings that a ``|`` statement says."""
    if any(path.definition is not None and path.op != "=~" for path in model.paths):
        return ()
    table: dict[str, dict[str, Path]] = {name: {} for name in model.latent}
    for (key, group), path in mine.items():
        if key[0] == "=~" and group == 0:
            table[key[1]][key[2]] = path
    plain = {name for name in model.latent if table[name] and _same_in_groups(name, model, mine)}
    curves: list[Curve] = []
    used: set[str] = set()
    for name in sorted(model.latent, key=lambda name: -len(table[name])):
        if name in used or name not in plain or not _is_intercept(table[name]):
            continue
        outcomes = tuple(y for y in model.outcomes if y in table[name])
        if len(outcomes) < 2 or set(outcomes) != set(table[name]):
            continue
        found = _slopes(name, outcomes, table, [n for n in model.latent if n in plain - used])
        if found:
            curves += found
            used |= {factor for curve in found for factor in curve.factors}
    for name in model.latent:
        rows = table[name].values()
        if name in plain - used and rows and all(row.definition for row in rows):
            curves.append(Curve((name,), tuple(table[name]), "slope"))
    return tuple(curves)


def _same_in_groups(name: str, model: SemModel, mine: Cells) -> bool:
    def loadings(group: int) -> frozenset[tuple[object, ...]]:
        return frozenset(
            (key, path.free, None if path.free else path.value, path.definition)
            for (key, g), path in mine.items()
            if g == group and key[0] == "=~" and key[1] == name
        )

    return all(loadings(group) == loadings(0) for group in range(1, model.n_groups))


def _is_intercept(rows: dict[str, Path]) -> bool:
    return all(not r.free and r.value == 1.0 and not r.label for r in rows.values())


def _slopes(
    intercept: str, outcomes: tuple[str, ...], table: dict[str, dict[str, Path]], names: list[str]
) -> list[Curve]:
    """Curves that start from `intercept`: each a slope with its powers, or an individual one."""
    curves: list[Curve] = []
    taken = {intercept}
    for name in names:
        rows = table[name]
        if name in taken or not set(rows) <= set(outcomes):
            continue
        if any(row.definition or row.label for row in rows.values()):
            continue
        if set(rows) == set(outcomes) and _is_intercept(rows):
            continue
        factors = [intercept, name]
        taken.add(name)
        if not any(row.free for row in rows.values()):
            factors += _powers(outcomes, rows, table, [n for n in names if n not in taken])
            taken |= set(factors)
        curves.append(Curve(tuple(factors), outcomes))
    if curves:
        return curves
    return [
        Curve((intercept, name), outcomes, "at")
        for name in names
        if set(table[name]) == set(outcomes) and all(r.definition for r in table[name].values())
    ]


def _powers(
    outcomes: tuple[str, ...],
    slope: dict[str, Path],
    table: dict[str, dict[str, Path]],
    names: list[str],
) -> list[str]:
    """The factors whose loadings are the slope's squared, then cubed."""
    scores = [slope[y].value or 0.0 if y in slope else 0.0 for y in outcomes]
    found: list[str] = []
    for power in (2, 3):
        try:
            wanted = [float(score**power) for score in scores]
        except OverflowError:
            break
        name = next(
            (n for n in names if n not in found and _loads(table[n], outcomes, wanted)), None
        )
        if name is None:
            break
        found.append(name)
    return found


def _loads(rows: dict[str, Path], outcomes: tuple[str, ...], wanted: list[float]) -> bool:
    if not set(rows) <= set(outcomes):
        return False
    if any(row.free or row.label or row.definition for row in rows.values()):
        return False
    return [rows[y].value if y in rows else 0.0 for y in outcomes] == wanted
