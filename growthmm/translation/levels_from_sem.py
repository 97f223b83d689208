"""A structural equation model of two levels, read as a growth curve and what clusters add to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.factor_pattern import entries, renamed
from growthmm.model.growth import FactorBlock, GrowthModel, between_key
from growthmm.model.sem import Path, SemModel
from growthmm.translation.factor_reading import read_factor_covariances

__all__ = ["Flattened", "flattened"]

CONDITION = "Equal residual variances and no between-level residuals are what lmer's model has"

Loadings = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Flattened:
    """The growth curve of one level, and the random effects of clusters beside it.

    Parameters
    ----------
    model : SemModel
        Persons' rows, with the means and effects of level 2 on the persons' factors.
    outer : tuple of FactorBlock
        Factors in which clusters differ, by the names of the persons' factors.
    names : tuple of (str, str)
        Growth parameter keys of `outer` and the model's parameters.
    """

    model: SemModel
    outer: tuple[FactorBlock, ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @property
    def factors(self) -> frozenset[str]:
        """The factors in which clusters differ."""
        return frozenset(name for block in self.outer for name in block.factors)

    def lifted(self, growth: GrowthModel) -> GrowthModel:
        """The growth model with what clusters add.

        Raises
        ------
        UnsupportedError
            If residual variances are not equal (condition 22).
        """
        if not self.outer:
            return growth
        if growth.residual.kind != "common":
            raise UnsupportedError(
                "The two-level model is no mixed model that is fitted here.",
                losses=[
                    Loss(
                        f"residual structure {growth.residual} at level 1",
                        f"{CONDITION} (condition 22)",
                        "one label for the residual variances of level 1",
                    )
                ],
                hint="growthmm fit still fits it on the SEM side.",
            )
        return replace(growth, outer_blocks=self.outer)


def flattened(model: SemModel, *, strict: bool = True) -> Flattened:
    """Read level 2 as means, effects and random effects of the persons' growth factors.

    Parameters
    ----------
    model : SemModel
        Any model; one of one level is returned as it is.
    strict : bool
        Whether to refuse what no mixed model says; otherwise it is left out.

    Returns
    -------
    Flattened
        Factors are matched by their loadings; one that stands at level 2 alone gets a factor
        without variance among the persons'.

    Raises
    ------
    UnsupportedError
        If level 2 has what no random effects of clusters are: residuals (condition 22), estimated
        loadings, regressions among factors.
    """
    if model.n_levels == 1:
        return Flattened(model)
    return _Reading(model).result(strict)


class _Reading:
    """Walks over the rows of level 2."""

    def __init__(self, model: SemModel) -> None:
        self.model = model
        self.inner = [p for p in model.paths if p.level == 1]
        self.outer = [p for p in model.paths if p.level == 2]
        self.losses: list[Loss] = []
        named = {name for p in self.outer for name in (p.left, p.right)}
        self.high = [name for name in model.latent if name in named]
        self.low = [name for name in model.latent if name not in named]

    def result(self, strict: bool) -> Flattened:
        self._losses()
        if self.losses and strict:
            raise UnsupportedError(
                "The two-level model is no mixed model with random effects of persons and "
                "clusters.",
                losses=self.losses,
                hint="growthmm fit still fits it on the SEM side.",
            )
        match = self._matches()
        alone = [name for name in self.high if match[name] == name]
        rows = {self._place(p): p for p in self.inner}
        for path in self.outer:
            if path.op == "~~":
                continue
            if path.op == "=~" and path.left not in alone:
                continue
            row = _labelled(path, match)
            if not (path.op == "~1" and not row.free and not row.value):
                rows[self._place(row)] = row
        for name in alone:
            rows["~~", name, name] = Path(name, "~~", name, free=False, value=0.0)
        flat = replace(
            self.model,
            paths=tuple(rows.values()),
            latent=(*self.low, *alone),
            cluster_variable=None,
        )
        blocks, names = self._blocks(match, strict)
        return Flattened(flat, blocks, names)

    def _place(self, path: Path) -> tuple[str, str, str]:
        ends = sorted((path.left, path.right)) if path.op == "~~" else [path.left, path.right]
        return path.op, ends[0], ends[1]

    def _lose(self, what: str, why: str, nearest: str) -> None:
        self.losses.append(Loss(what, why, nearest))

    def _losses(self) -> None:
        high = set(self.high)
        residuals = [
            p
            for p in self.outer
            if p.op == "~~" and not {p.left, p.right} <= high and not p.is_zero
        ]
        if residuals:
            self._lose(
                f"between-level residual (co)variances {', '.join(p.name for p in residuals)}",
                f"{CONDITION} (condition 22): a cluster's own deviation at an occasion is no "
                "random effect of the cluster",
                "fix them at 0, or add random effects of cluster and occasion (lme4)",
            )
        free = [p for p in self.outer if p.op == "=~" and p.free]
        if free:
            self._lose(
                f"estimated loadings {', '.join(p.name for p in free)}",
                "the random effects of clusters have fixed designs",
                "the loadings of level 1",
            )
        among = [p for p in self.outer if p.op == "~" and p.right in high and not p.is_zero]
        if among:
            self._lose(
                f"regressions {', '.join(p.name for p in among)}",
                "random effects of clusters have covariances",
                "a covariance in the place of each",
            )
        twice = [
            p.name
            for p in self.inner
            if p.op == "~1" and not p.is_zero and p.left in (*self.low, *self.model.outcomes)
        ]
        if twice:
            self._lose(
                f"means at level 1: {', '.join(twice)}",
                "means stand at level 2, and both cannot be told apart",
                "fix those of level 1 at 0",
            )

    def _loadings(self, name: str, rows: Sequence[Path]) -> Loadings:
        found = {p.right: float(p.value or 0.0) for p in rows if (p.op, p.left) == ("=~", name)}
        return tuple((y, found.get(y, 0.0)) for y in self.model.outcomes)

    def _matches(self) -> dict[str, str]:
        """The persons' factor with the loadings of each factor of level 2, or itself."""
        known: dict[Loadings, str] = {}
        for name in self.low:
            fixed = all(not p.free for p in self.inner if (p.op, p.left) == ("=~", name))
            if fixed:
                known.setdefault(self._loadings(name, self.inner), name)
        return {name: known.get(self._loadings(name, self.outer), name) for name in self.high}

    def _blocks(
        self, match: dict[str, str], strict: bool
    ) -> tuple[tuple[FactorBlock, ...], tuple[tuple[str, str], ...]]:
        alone = replace(
            self.model,
            paths=tuple(replace(p, level=1, label=_label(p)) for p in self.outer),
            cluster_variable=None,
        )
        found = read_factor_covariances(alone, self.high, self.high)
        if found.losses and strict:
            raise UnsupportedError(
                "Level 2 has no covariance matrix of random effects.", losses=found.losses
            )
        names = dict(found.names)
        keys: dict[str, str] = {}
        blocks = []
        for block in found.blocks:
            factors = tuple(match[name] for name in block.factors)
            for a, b, cell in entries(block.cells):
                if isinstance(cell, str):
                    keys.setdefault(cell, between_key(factors[a], factors[b]))
            blocks.append(FactorBlock(factors, renamed(block.cells, keys)))
        return tuple(blocks), tuple((keys[key], name) for key, name in names.items())


def _label(path: Path) -> str | None:
    """A label that keeps the parameter's name where the row changes its level."""
    return path.parameter if path.free else path.label


def _labelled(path: Path, match: dict[str, str]) -> Path:
    return replace(path, left=match.get(path.left, path.left), level=1, label=_label(path))
