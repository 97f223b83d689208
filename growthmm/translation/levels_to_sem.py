"""A growth model of persons in clusters as a structural equation model of two levels.

The growth curve of one level is what persons have; what clusters have, the means and what does not
differ within clusters stand on growth factors of their own at level 2, with the same loadings.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from growthmm.errors import UnsupportedError
from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Loss
from growthmm.model.factor_pattern import entries
from growthmm.model.growth import GrowthModel
from growthmm.model.sem import Path
from growthmm.translation.clusters import is_of_clusters

__all__ = ["two_levels"]


def two_levels(flat: BoundSem) -> BoundSem:
    """The model of two levels, from that of persons alone.

    Parameters
    ----------
    flat : BoundSem
        The growth curve without what clusters have, whose growth model has it.

    Raises
    ------
    UnsupportedError
        If residuals are not independent with one variance (condition 22), or times vary.
    """
    growth = flat.growth
    _refuse(growth)
    return _Lift(flat).result()


def _refuse(growth: GrowthModel) -> None:
    losses = []
    if growth.residual.kind != "common":
        losses.append(
            Loss(
                f"residual structure {growth.residual}",
                "with random effects of clusters a mixed model here has independent residuals "
                "of one variance (condition 22)",
                "a common residual variance, or the two-level model on the SEM side alone",
            )
        )
    if not growth.schema.shared_times:
        losses.append(
            Loss(
                f"individually varying {growth.schema.time}",
                "a model of two levels has shared occasions",
                "times rounded to shared occasions, or lme4",
            )
        )
    if growth.loading_keys:
        losses.append(
            Loss(
                "parameters in the loadings",
                "a model of two levels has known loadings here",
                "fixed loadings",
            )
        )
    if losses:
        raise UnsupportedError("The growth model has no form with two levels.", losses=losses)


class _Lift:
    """Sorts the rows into two levels."""

    def __init__(self, flat: BoundSem) -> None:
        self.flat, self.growth = flat, flat.growth
        growth = self.growth
        self.outer = {name for block in growth.outer_blocks for name in block.factors}
        self.above = {
            column
            for covariate in growth.covariates
            if is_of_clusters(covariate, growth.schema)
            for column in covariate.columns
        }
        effects = growth.predictor_effects
        self.high = {e.factor for e in effects if e.covariate in self.above}
        low = {e.factor for e in effects if e.covariate not in self.above}
        factors = growth.factors
        self.within = {f.name for f in factors if f.random or f.name in low}
        self.between = [
            f.name for f in factors if f.mean or f.name in self.outer or f.name in self.high
        ]
        taken = {*flat.model.latent, *flat.model.outcomes, *flat.model.covariates}
        self.names: dict[str, str] = {}
        for name in self.between:
            wish = f"{name}b"
            while wish in taken:
                wish += "_"
            taken.add(wish)
            self.names[name] = wish
        self.factors = {f.name for f in factors}
        self.moved: dict[str, str] = {}

    def result(self) -> BoundSem:
        model = self.flat.model
        rows = [row for path in model.paths for row in self._inner(path)]
        rows += [row for path in model.paths for row in self._outer(path)]
        rows += [
            Path(y, "~~", y, free=False, value=0.0, level=2)
            for y in self.growth.schema.outcome_columns
        ]
        covariances, named = self._covariances()
        rows += covariances
        gone = self.factors - self.within
        latent = (
            *(name for name in model.latent if name not in gone),
            *(self.names[name] for name in self.between),
        )
        return replace(
            self.flat,
            model=replace(
                model,
                paths=tuple(rows),
                latent=latent,
                cluster_variable=self.growth.schema.cluster,
            ),
            names=(
                *((key, self.moved.get(name, name)) for key, name in self.flat.names),
                *named,
            ),
        )

    def _is_moved(self, path: Path) -> bool:
        return path.op == "~1" or (path.op == "~" and path.right in self.above)

    def _inner(self, path: Path) -> list[Path]:
        gone = self.factors - self.within
        if path.left in gone or path.right in gone:
            return []
        if path.op == "~1":
            return [Path(path.left, "~1", free=False, value=0.0)]
        return [] if self._is_moved(path) else [path]

    def _outer(self, path: Path) -> list[Path]:
        carried = path.op == "=~" and path.left in self.names
        if not (carried or self._is_moved(path)):
            return []
        if path.left in self.factors and path.left not in self.names:
            return []
        if path.left not in self.names and path.left in self.flat.model.latent:
            return []
        row = replace(path, left=self.names.get(path.left, path.left), level=2)
        if path.free:
            self.moved[path.parameter] = row.parameter
        return [row]

    def _covariances(self) -> tuple[list[Path], list[tuple[str, str]]]:
        cells: dict[frozenset[str], str | float] = {}
        for block in self.growth.outer_blocks:
            for a, b, cell in entries(block.cells):
                cells[frozenset((block.factors[a], block.factors[b]))] = cell
        often = Counter(cell for cell in cells.values() if isinstance(cell, str))
        rows, named = [], dict[str, str]()
        for position, first in enumerate(self.between):
            for second in self.between[position:]:
                cell = cells.get(frozenset((first, second)), 0.0)
                ends = self.names[first], self.names[second]
                if isinstance(cell, str):
                    label = "g_" + "_".join(cell.split(":")) if often[cell] > 1 else None
                    row = Path(ends[0], "~~", ends[1], label=label, level=2)
                    named.setdefault(cell, row.parameter)
                else:
                    row = Path(ends[0], "~~", ends[1], free=False, value=cell, level=2)
                rows.append(row)
        return rows, list(named.items())
