"""lavaan's blocks ``level: 1`` and ``level: 2``: one table from each, joined.

The rules are those of lavaan 0.6: the defaults fill every block by itself, but the intercepts of
a variable that stands at both levels are those of level 2, and zero at level 1.
"""

from __future__ import annotations

from dataclasses import replace

from growthmm.model.sem import Path
from growthmm.notation.lavaan.defaults import Options
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.lavaan.syntax import Row, Syntax
from growthmm.notation.lavaan.table import Groups, build
from growthmm.notation.sem.table import Table, Variables

__all__ = ["build_levels"]

INTERCEPTS = "intercepts at level 1 are zero where the variable stands at level 2 too"


def build_levels(
    syntax: Syntax, options: Options, function: str, groups: Groups, source: Source
) -> Table:
    """Fill in the defaults level by level; see :func:`growthmm.notation.lavaan.table.build`.

    Raises
    ------
    NotationError
        If there are groups too, there is no second level, or a covariate stands at both.
    """
    if not syntax.levels:
        return build(syntax, options, function, groups, source)
    if groups.n > 1:
        raise source.error("The model has groups and levels.", 0, hint="Write one of the two.")
    tables = []
    for level in (1, 2):
        rows = tuple(row for row in syntax.rows if row.level == level)
        phantoms = tuple(name for name, at in syntax.phantom_levels if at == level)
        if not rows:
            raise source.error(
                f"Level {level} holds no formula.",
                0,
                hint="Write both blocks: level: 1 and level: 2.",
            )
        part = Syntax(rows, phantoms=phantoms)
        tables.append(build(part, options, function, groups, source))
    inner, outer = tables[0].variables, tables[1].variables
    _check(inner, outer, syntax.rows, source)
    above = set(outer.observed) - set(outer.exogenous)
    paths = [_at_level_1(path, above, function) for path in tables[0].paths]
    paths += [replace(path, level=2) for path in tables[1].paths]
    return Table(tuple(paths), inner.joined(outer))


def _at_level_1(path: Path, above: set[str], function: str) -> Path:
    if path.op != "~1" or path.left not in above or path.rule == "written":
        return path
    return replace(path, free=False, value=0.0, rule=f"{function}(): {INTERCEPTS}")


def _check(inner: Variables, outer: Variables, rows: tuple[Row, ...], source: Source) -> None:
    covariates = {*inner.exogenous, *outer.exogenous}
    shared = [n for n in (*inner.observed, *inner.latent) if n in (*outer.observed, *outer.latent)]
    for name in shared:
        latent = name in inner.latent or name in outer.latent
        if not latent and name not in covariates:
            continue
        position = next(r.position for r in rows if r.level == 2 and name in (r.left, r.right))
        if latent:
            raise source.error(
                f"The latent variable {name} stands at both levels.",
                position,
                hint="Give the factors of each level names of their own.",
            )
        raise source.error(
            f"The covariate {name} stands at both levels, where lavaan splits it into a latent "
            "mean and the rest.",
            position,
            hint=f"Use {name} at one level, or a column with its means at level 2.",
        )
