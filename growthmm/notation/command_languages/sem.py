"""Rows of PROC CALIS and Stata's ``sem``, and what both programs add to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from growthmm.errors import SpecificationError
from growthmm.model.sem import Operator, Path, SemModel

__all__ = ["Cell", "Roles", "Row", "complete", "same_sem"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands for one parameter.

    Parameters
    ----------
    free : bool
        Whether it is estimated.
    value : float, optional
        Where it is fixed.
    label : str, optional
        Its name.
    start : float, optional
        Its starting value.
    """

    free: bool = True
    value: float | None = None
    label: str | None = None
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A directed effect (``->``), a (co)variance (``~~``) or a mean (``~1``), as written.

    Parameters
    ----------
    op : {"->", "~~", "~1"}
        Its kind.
    left, right : str
        Cause and effect; the two variables that covary; the variable with the mean.
    cell : Cell
        The parameter.
    position : int
        Where it stands.
    rule : str
        What put it there.
    """

    op: str
    left: str
    right: str
    cell: Cell
    position: int = 0
    rule: str = "written"

    @property
    def key(self) -> tuple[str, str, str]:
        """What the row is about, whichever way round a covariance is written."""
        if self.op == "~~":
            first, second = sorted((self.left, self.right))
            return self.op, first, second
        return self.op, self.left, self.right


@dataclass(frozen=True, slots=True)
class Roles:
    """The variables of a model.

    Parameters
    ----------
    manifest : tuple of str
        Observed variables, in order of appearance.
    latent : tuple of str
        Latent variables.
    conditional : tuple of str
        Observed variables of whose moments the likelihood is conditional.
    """

    manifest: tuple[str, ...]
    latent: tuple[str, ...]
    conditional: tuple[str, ...] = ()


def complete(
    rows: Sequence[Row],
    manifest: Sequence[str],
    latent: Sequence[str],
    program: str,
    *,
    joint: bool,
) -> tuple[tuple[Path, ...], Roles]:
    """The complete table of a model whose program adds the usual free moments.

    Variances are free; exogenous variables covary; observed variables have free means or
    intercepts, latent ones none. Observed exogenous variables whose moments are all free, and
    which covary with no other variable, are conditioned on: it changes no estimate of the rest.

    Parameters
    ----------
    rows : sequence of Row
        What is written.
    manifest, latent : sequence of str
        The variables.
    program : str
        Whose rules are named.
    joint : bool
        Whether moments of exogenous observed variables that are written make them random.

    Returns
    -------
    paths, roles
        The table, and the variables by role.
    """
    written = {row.key for row in rows}
    endogenous = {row.right for row in rows if row.op == "->"}
    names = [*manifest, *latent]
    exogenous = [name for name in names if name not in endogenous]
    conditional = _conditional(rows, [n for n in manifest if n in exogenous], exogenous, joint)
    added: list[Row] = []

    def add(op: str, left: str, right: str, cell: Cell, rule: str) -> None:
        row = Row(op, left, right, cell, rule=f"{program}: {rule}")
        if row.key not in written:
            added.append(row)

    random = [name for name in names if name not in conditional]
    for name in random:
        add("~~", name, name, Cell(), "variances are free")
    for first, second in combinations([n for n in random if n in exogenous], 2):
        add("~~", first, second, Cell(), "exogenous variables covary")
    for name in random:
        if name in manifest:
            add("~1", "", name, Cell(), "means of observed variables are free")
        else:
            zero = Cell(free=False, value=0.0)
            add("~1", "", name, zero, "means of latent variables are zero")
    measuring = _measuring(rows, manifest, latent)
    kept = [
        row
        for row in (*rows, *added)
        if row.op == "->" or not ({row.left, row.right} & set(conditional))
    ]
    factors, observed = set(latent), set(manifest)
    acted = _acted_on(kept, manifest, latent)
    paths = tuple(
        _path(
            row,
            row.left in measuring
            or (row.left in factors and row.right in observed and row.right not in acted),
        )
        for row in kept
    )
    return paths, Roles(tuple(manifest), tuple(latent), tuple(conditional))


def _conditional(
    rows: Sequence[Row], candidates: list[str], exogenous: list[str], joint: bool
) -> list[str]:
    """Exogenous observed variables with saturated moments and no covariance with others."""
    if not candidates:
        return []
    inside = set(candidates)
    others = [name for name in exogenous if name not in inside]
    apart = set()
    for row in rows:
        if row.op == "->" or not {row.left, row.right} & inside:
            continue
        within = {row.left, row.right} - {""} <= inside
        plain = row.cell.free and row.cell.label is None
        if within and (joint or not plain):
            return []
        if not within:
            if row.cell.free or row.cell.value:
                return []
            apart.add(frozenset((row.left, row.right)))
    wanted = {frozenset((name, other)) for name in candidates for other in others}
    return candidates if wanted <= apart else []


def _measuring(
    rows: Sequence[Row], manifest: Sequence[str], latent: Sequence[str]
) -> frozenset[str]:
    """Latent variables all of whose effects are on latent ones, which they measure."""
    effects: dict[str, set[str]] = {}
    for row in rows:
        if row.op == "->" and row.left in latent:
            effects.setdefault(row.left, set()).add(row.right)
    return frozenset(name for name, targets in effects.items() if not targets & set(manifest))


def _acted_on(
    rows: Sequence[Row], manifest: Sequence[str], latent: Sequence[str]
) -> frozenset[str]:
    """Observed variables that factors act on, rather than measure them.

    They have a mean of their own that is free, and all their arrows from factors are free, where
    these factors have other indicators with fixed loadings and no free mean.
    """
    arrows = [row for row in rows if row.op == "->" and row.left in latent]
    fixed = {row.right for row in arrows if not row.cell.free}
    own = {row.right for row in rows if row.op == "~1" and row.cell.free}
    scaled = {row.left for row in arrows if row.right in fixed - own}
    return frozenset(
        row.right
        for row in arrows
        if row.right in manifest
        and row.right in own - fixed
        and all(other.left in scaled for other in arrows if other.right == row.right)
    )


def _path(row: Row, loads: bool) -> Path:
    cell = row.cell
    op: Operator
    if row.op == "->":
        op, left, right = "~", row.right, row.left
        if loads:
            op, left, right = "=~", row.left, row.right
    elif row.op == "~1":
        op, left, right = "~1", row.right, ""
    else:
        op, left, right = "~~", row.left, row.right
    return Path(
        left,
        op,
        right,
        free=cell.free,
        value=cell.value,
        label=cell.label,
        start=cell.start,
        rule=row.rule,
    )


def same_sem(first: SemModel, second: SemModel) -> bool:
    """Whether two models have the same parameters and moments, loadings or regressions alike."""
    return _arrows(first) == _arrows(second)


def _arrows(model: SemModel) -> tuple[object, ...]:
    rows = set()
    for path in model.paths:
        if not path.is_zero:
            turned = path
            if path.op == "=~":
                turned = replace(path, left=path.right, op="~", right=path.left)
            rows.add(turned.identity)
    if model.n_groups != 1:
        raise SpecificationError("Models of several groups are not compared here.")
    return (
        frozenset(rows),
        frozenset(model.latent),
        frozenset(model.outcomes),
        frozenset(model.covariates),
        frozenset(model.constraints),
        frozenset(model.defined),
        model.missing,
        model.likelihood,
    )
