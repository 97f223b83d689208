"""The defaults of Mplus's MODEL, as rows of the complete table.

The rules are those of the Mplus User's Guide (Muthén & Muthén 2017, chapters 14, 16 and 17) for
continuous outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

from growthmm.model.sem import Operator, Path
from growthmm.notation.lavaan.defaults import classify
from growthmm.notation.mplus.syntax import Curve, Row, Syntax
from growthmm.notation.sem.table import Table, Variables

__all__ = ["complete"]

Key = tuple[str, str, str]


def complete(
    syntax: Syntax,
    n_groups: int = 1,
    *,
    no_covariances: bool = False,
    above: frozenset[str] | None = None,
) -> Table:
    """Fill in what Mplus fills in.

    Parameters
    ----------
    syntax : Syntax
        The text.
    n_groups : int
        How many groups there are.
    no_covariances : bool
        Whether covariances are zero unless written.
    above : frozenset of str, optional
        At the within level: the variables that stand at the between level too, which has the
        means.

    Returns
    -------
    Table
        Written rows, then defaults, for each group. A row that a default holds equal across
        groups has the label of the first group's row, or its name.
    """
    variables = classify([(row.left, row.op, row.right) for row in syntax.rows])
    overall = {row.key: row for row in syntax.rows if row.group is None}
    defaults = _Defaults(syntax, variables, no_covariances, above)
    first: dict[Key, Path] = {}
    paths: list[Path] = []
    for group in range(n_groups):
        own = {row.key: row for row in syntax.rows if row.group == group}
        for key in dict.fromkeys((*overall, *own)):
            row = own.get(key) or overall[key]
            path = _path(row, group)
            if key not in own and defaults.invariant(row):
                path = _as_in_first(path, first.setdefault(key, path))
            paths.append(path)
        for default in defaults.rows(group):
            key = Row(default.left, default.op, default.right).key
            if key in overall or key in own:
                continue
            held = default.free and defaults.equal(default)
            mate = first.setdefault(key, default) if held else default
            paths.append(_as_in_first(default, mate))
    return Table(tuple(paths), variables)


def _path(row: Row, group: int) -> Path:
    rule = "Mplus BY: the first loading is 1" if row.marker else "written"
    return Path(
        row.left,
        row.op,
        row.right,
        free=row.free,
        value=row.value,
        label=row.label,
        start=row.start,
        definition=row.definition,
        group=group,
        rule=rule,
    )


def _as_in_first(path: Path, first: Path) -> Path:
    if path is first or not path.free or path.label is not None:
        return path
    return replace(path, label=first.label or first.name)


class _Defaults:
    """The rows that Mplus adds in each group, unless they are written."""

    def __init__(
        self,
        syntax: Syntax,
        variables: Variables,
        no_covariances: bool,
        within: frozenset[str] | None,
    ) -> None:
        self.within = within
        self.variables = variables
        self.no_covariances = no_covariances
        curves = syntax.curves
        self.growing = _unique(c.indicators for c in curves if c.kind != "slope")
        self.slopes = _unique(c.factors for c in curves if c.kind == "slope")
        self.growth = _unique(c.factors for c in curves if c.kind != "slope")
        self.above = _intercepts_of_latent(curves, variables)
        loaded = {row.right for row in syntax.rows if row.op == "=~"}
        self.indicators = loaded - set(self.growing)

    def rows(self, group: int) -> list[Path]:
        """The rows of one group."""
        return [*self._variances(group), *self._covariances(group), *self._means(group)]

    def equal(self, path: Path | Row) -> bool:
        """Whether a row is an intercept that is held equal across groups."""
        return (
            path.op == "~1"
            and path.left in self.indicators
            and path.left not in self.variables.latent
        )

    def invariant(self, row: Row) -> bool:
        """Whether a written row is held equal: loadings, and intercepts of indicators."""
        return row.free and row.label is None and (row.op == "=~" or self.equal(row))

    def _variances(self, group: int) -> list[Path]:
        rows = []
        for name in (*self._explained(), *self.variables.latent):
            latent = name in self.variables.latent
            what = "latent variables' (residual) variances" if latent else "residual variances"
            rows.append(_free(name, "~~", name, group, f"{what} are free"))
        return rows

    def _explained(self) -> tuple[str, ...]:
        outside = set(self.variables.exogenous)
        return tuple(name for name in self.variables.observed if name not in outside)

    def _covariances(self, group: int) -> list[Path]:
        if self.no_covariances:
            return []
        rows = []
        exogenous = [n for n in self.variables.latent_exogenous if n not in self.slopes]
        for a, b in combinations(exogenous, 2):
            both = a in self.growth and b in self.growth
            what = "growth factors" if both else "exogenous latent variables"
            rows.append(_free(a, "~~", b, group, f"{what} covary"))
        for a in self.slopes:
            for b in self.variables.latent:
                if a != b and (b not in self.slopes or self.slopes.index(a) < self.slopes.index(b)):
                    rule = "Mplus: random slopes covary with nothing unless written"
                    rows.append(Path(b, "~~", a, free=False, value=0.0, group=group, rule=rule))
        ends = [name for name in self.variables.ends if name not in self.slopes]
        for a, b in combinations(ends, 2):
            both = a in self.growth and b in self.growth
            what = "residuals of growth factors" if both else "residuals of final outcomes"
            rows.append(_free(a, "~~", b, group, f"{what} covary"))
        return rows

    def _means(self, group: int) -> list[Path]:
        if self.within is not None:
            return self._means_within(self.within)
        rows = []
        for name in self._explained():
            if name in self.growing:
                rows.append(_zero(name, group, "| fixes the outcomes' intercepts at 0"))
            else:
                rows.append(_free(name, "~1", "", group, "observed intercepts are free"))
        for name in self.variables.latent:
            if name in self.above:
                why = "the intercept factor of latent outcomes has mean 0 where intercepts are free"
                rows.append(_zero(name, group, why))
            elif name in self.growing:
                rows.append(_zero(name, group, "| fixes the outcomes' intercepts at 0"))
            elif name in self.growth or name in self.slopes:
                rows.append(_free(name, "~1", "", group, "growth factors' means are free"))
            elif group == 0:
                rows.append(_zero(name, group, "latent means are 0 (in the first group)"))
            else:
                what = "latent means are free after the first group"
                rows.append(_free(name, "~1", "", group, what))
        return rows

    def _means_within(self, above: frozenset[str]) -> list[Path]:
        rows = []
        for name in (*self._explained(), *self.variables.latent):
            if name in above or name in self.variables.latent:
                rows.append(_zero(name, 0, "the means are those of the between level"))
            else:
                rows.append(_free(name, "~1", "", 0, "observed intercepts are free"))
        return rows


def _unique(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _intercepts_of_latent(curves: tuple[Curve, ...], variables: Variables) -> frozenset[str]:
    return frozenset(
        curve.factors[0]
        for curve in curves
        if curve.kind != "slope" and all(name in variables.latent for name in curve.indicators)
    )


def _free(left: str, op: Operator, right: str, group: int, rule: str) -> Path:
    return Path(left, op, right, group=group, rule=f"Mplus: {rule}")


def _zero(name: str, group: int, rule: str) -> Path:
    return Path(name, "~1", free=False, value=0.0, group=group, rule=f"Mplus: {rule}")
