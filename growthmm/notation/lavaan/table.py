"""Rows as written, plus defaults, as the complete table of a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from growthmm.model.sem import Operator, Path
from growthmm.notation.lavaan.defaults import Options, classify, fill
from growthmm.notation.lavaan.modifiers import Modifiers
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.lavaan.syntax import Row, Syntax
from growthmm.notation.sem.table import Table, Variables

__all__ = ["GROUP_EQUAL", "Groups", "build", "in_order"]

GROUP_EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "regressions",
    "residuals",
    "residual.covariances",
    "lv.variances",
    "lv.covariances",
)
"""What ``group.equal`` can hold equal in a linear model."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What a text and its call say of groups.

    Parameters
    ----------
    n : int
        How many; 1 also where nobody says.
    equal : tuple of str
        ``group.equal``.
    partial : tuple of str
        ``group.partial``: rows, by name, that stay free.
    """

    n: int = 1
    equal: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()


@dataclass(slots=True)
class _Cell:
    """One row of one group while it is worked out."""

    left: str
    op: Operator
    right: str
    group: int
    rule: str
    written: bool
    free: bool = True
    value: float | None = None
    start: float | None = None
    lower: float | None = None
    upper: float | None = None
    label: str | None = None
    key: str = field(default="")

    @property
    def plain_name(self) -> str:
        return f"{self.left}{self.op}{self.right}"

    @property
    def name(self) -> str:
        return self.plain_name + (f".g{self.group + 1}" if self.group else "")

    def fix(self, value: float) -> None:
        self.free, self.value = False, value

    def release(self) -> None:
        self.free, self.value = True, None


def build(syntax: Syntax, options: Options, function: str, groups: Groups, source: Source) -> Table:
    """Fill in the defaults and apply the modifiers.

    Parameters
    ----------
    syntax : Syntax
        The text.
    options : Options
        The defaults of the function, as its arguments change them.
    function : str
        Its name.
    groups : Groups
        What is known of groups.
    source : Source
        For errors.

    Raises
    ------
    NotationError
        If a modifier has another number of values than there are groups.
    """
    variables = classify([(r.left, r.op, r.right) for r in syntax.rows], syntax.phantoms)
    rows = [in_order(row, variables) for row in syntax.rows]
    formulas = [(row.left, row.op, row.right) for row in rows]
    defaults = fill(formulas, variables, options, function)
    cells: list[_Cell] = []
    for group in range(groups.n):
        for row in rows:
            cell = _Cell(row.left, row.op, row.right, group, "written", written=True)
            cells.append(cell)
        _fix_by_default([c for c in cells if c.group == group], variables, options, function)
        for default in defaults:
            cell = _Cell(
                default.left, default.op, default.right, group, default.rule, written=False
            )
            if default.value is not None:
                cell.fix(default.value)
            _free_in_later_groups(cell, variables, options, groups)
            cells.append(cell)
        own = [cell for cell in cells if cell.group == group and cell.written]
        for row, cell in zip(rows, own, strict=True):
            _apply(row.modifiers, cell, groups.n, row.position, source)
    _label_equal_groups(cells, variables, groups)
    _join(cells)
    return Table(tuple(_path(cell) for cell in cells), variables)


def in_order(row: Row, variables: Variables) -> Row:
    """A covariance with its variables in lavaan's order: latent ones, then observed ones."""
    if row.op != "~~":
        return row
    order = (*variables.latent, *variables.observed)
    if order.index(row.left) <= order.index(row.right):
        return row
    return replace(row, left=row.right, right=row.left)


def _fix_by_default(
    cells: Sequence[_Cell], variables: Variables, options: Options, function: str
) -> None:
    """What the program fixes in rows that are written without a value."""
    seen: set[str] = set()
    for cell in cells:
        if cell.op == "=~" and cell.left not in seen:
            seen.add(cell.left)
            if options.auto_fix_first and not options.std_lv:
                cell.fix(1.0)
                cell.rule = f"{function}(): the first loading is 1"
        if (
            options.std_lv
            and cell.op == "~~"
            and cell.left == cell.right
            and cell.left in variables.latent
        ):
            cell.fix(1.0)


def _free_in_later_groups(
    cell: _Cell, variables: Variables, options: Options, groups: Groups
) -> None:
    """With equal intercepts, latent means are free from the second group on; so with scales."""
    if cell.group == 0 or cell.left not in variables.latent:
        return
    if cell.op == "~1" and "intercepts" in groups.equal and "means" not in groups.equal:
        cell.release()
    scaled = options.std_lv and "loadings" in groups.equal and "lv.variances" not in groups.equal
    if cell.op == "~~" and cell.left == cell.right and scaled:
        cell.release()


def _apply(modifiers: Modifiers, cell: _Cell, n_groups: int, position: int, source: Source) -> None:
    def of_group(values: Sequence[float | None] | Sequence[str]) -> float | str | None:
        if len(values) == 1:
            return values[0]
        if len(values) != n_groups:
            raise source.error(
                f"A modifier of {cell.plain_name} has {len(values)} values, but there are "
                f"{n_groups} groups.",
                position,
                hint="Give one value, or one for each group.",
            )
        return values[cell.group]

    if modifiers.fixed is not None:
        value = cast("float | None", of_group(modifiers.fixed))
        cell.release() if value is None else cell.fix(value)
        cell.rule = "written"
    if modifiers.start is not None:
        value = cast("float | None", of_group(modifiers.start))
        if cell.free:
            cell.start = value
        elif value is not None:
            cell.value = value
    if modifiers.lower is not None:
        cell.lower = cast("float | None", of_group(modifiers.lower))
    if modifiers.upper is not None:
        cell.upper = cast("float | None", of_group(modifiers.upper))
    if modifiers.label is not None:
        cell.label = cast("str", of_group(modifiers.label)) or None


def _label_equal_groups(cells: list[_Cell], variables: Variables, groups: Groups) -> None:
    """Give what ``group.equal`` names the label of its first group's row."""
    first = {cell.plain_name: cell for cell in cells if cell.group == 0}
    for cell in cells:
        if cell.label is not None or cell.plain_name in groups.partial or not cell.free:
            continue
        if _held_equal(cell, variables, groups.equal):
            mate = first[cell.plain_name]
            if mate.free and (cell.group > 0 or groups.n == 1):
                cell.label = mate.label or mate.name


def _held_equal(cell: _Cell, variables: Variables, equal: tuple[str, ...]) -> bool:
    variance = cell.left == cell.right
    inner = cell.left in variables.latent
    kind = {
        "=~": "loadings",
        "~": "regressions",
        "~1": "means" if inner else "intercepts",
        "~~": ("lv.variances" if variance else "lv.covariances")
        if inner
        else ("residuals" if variance else "residual.covariances"),
    }[cell.op]
    if not inner and cell.op in ("~1", "~~") and cell.left in variables.exogenous:
        return False
    return kind in equal


def _join(cells: list[_Cell]) -> None:
    """Rows that share a label share value, freedom and bounds.

    One fixed row fixes all; bounds are the widest.
    """
    shared: dict[str, list[_Cell]] = defaultdict(list)
    for cell in cells:
        shared[cell.label or cell.name].append(cell)
    for members in shared.values():
        fixed = next((cell for cell in members if not cell.free), None)
        if fixed is not None:
            for cell in members:
                cell.fix(cast("float", fixed.value))
        lower = [cell.lower for cell in members if cell.lower is not None]
        upper = [cell.upper for cell in members if cell.upper is not None]
        for cell in members:
            cell.lower = min(lower, default=None) if cell.free else None
            cell.upper = max(upper, default=None) if cell.free else None
            cell.start = cell.start if cell.free else None


def _path(cell: _Cell) -> Path:
    return Path(
        cell.left,
        cell.op,
        cell.right,
        free=cell.free,
        value=cell.value,
        label=cell.label,
        start=cell.start,
        lower=cell.lower,
        upper=cell.upper,
        group=cell.group,
        rule=cell.rule,
    )
