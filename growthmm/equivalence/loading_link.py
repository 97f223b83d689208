"""Parameters of curves from the SEM's loadings, and these from the curves' parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.errors import SpecificationError, ValueColumnError
from growthmm.model.phantoms import phantoms
from growthmm.translation.loadings.curves import cell_values, loading_parameters
from growthmm.translation.pair import Pair

__all__ = ["LoadingLink", "loading_link"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LoadingLink:
    """Where loadings are arithmetic over a curve's parameters.

    Parameters
    ----------
    names : tuple of str
        The parameters in the cells.
    mixed : tuple of int
        Their positions on the mixed side.
    starts : tuple of float
        Where looking for them may begin.
    cells : tuple of str
        The loadings as arithmetic over the parameters.
    sem : tuple of int
        For each cell the position of the SEM's loading.
    free : bool
        Whether the parameters are the SEM's too, so that they need not be solved for.
    """

    names: tuple[str, ...]
    mixed: tuple[int, ...]
    starts: tuple[float, ...]
    cells: tuple[str, ...]
    sem: tuple[int, ...]
    free: bool = False

    def _loadings(self, parameters: FloatArray) -> FloatArray | None:
        """The loadings at values of the parameters; None where they have no value."""
        named = dict(zip(self.names, map(float, parameters), strict=True))
        try:
            with np.errstate(all="ignore"):
                found = np.array(cell_values(self.cells, named))
        except (SpecificationError, ValueColumnError, OverflowError):
            return None
        return found if np.all(np.isfinite(found)) else None

    def put_in_sem(self, values: FloatArray, made: FloatArray) -> None:
        """Write the loadings at mixed `values` into the SEM's `made`."""
        found = self._loadings(values[list(self.mixed)])
        if found is not None:
            made[list(self.sem)] = found

    def put_in_mixed(self, values: FloatArray, made: FloatArray) -> None:
        """Write the parameters whose loadings are nearest to the SEM's at `values` into `made`."""
        if self.free:
            return
        from scipy.optimize import least_squares

        target = values[list(self.sem)]

        def left_over(parameters: FloatArray) -> FloatArray:
            found = self._loadings(parameters)
            return np.full(len(target), 1e6) if found is None else found - target

        best: tuple[float, FloatArray] | None = None
        for scale in (1.0, 0.3, 3.0, 0.1, 10.0):
            found = least_squares(
                left_over, scale * np.array(self.starts), xtol=1e-15, ftol=1e-15, gtol=1e-15
            )
            if best is None or found.cost < best[0]:
                best = (float(found.cost), np.asarray(found.x))
            if best[0] < 1e-24 * max(1.0, float(target @ target)):
                break
        assert best is not None
        made[list(self.mixed)] = best[1]


def loading_link(pair: Pair, mixed: Sequence[str], sem: Sequence[str]) -> LoadingLink | None:
    """The link of a pair whose loadings are curves; None where there are none.

    Parameters
    ----------
    pair : Pair
        The two forms.
    mixed, sem : sequence of str
        The parameters of either side.
    """
    growth, same = pair.growth, dict(pair.sem.names)
    of_mixed = dict(pair.mixed_names)
    carried = {one.parameter for one in phantoms(pair.sem.model).values()}
    own = [
        (key, name) for key, name in growth.loading_keys if key not in same or same[key] in carried
    ]
    if not own or any(of_mixed.get(key) not in mixed for key, _ in own):
        return None
    loadings = {
        (path.left, path.right): path.parameter
        for path in pair.sem.model.paths
        if path.op == "=~" and path.free
    }
    names = {name for _, name in own}
    cells: list[str] = []
    places: list[int] = []
    for factor in growth.factors:
        if not names & set(factor.parameters):
            continue
        for y, cell in zip(growth.schema.outcome_columns, factor.cells, strict=True):
            parameter = loadings.get((factor.name, y))
            if isinstance(cell, str) and parameter in sem:
                cells.append(cell)
                places.append(sem.index(parameter))
    if not cells:
        return None
    known = {p.name: p.start for p in loading_parameters(growth)}
    return LoadingLink(
        tuple(name for _, name in own),
        tuple(mixed.index(of_mixed[key]) for key, _ in own),
        tuple(float(known.get(name) or 1.0) for _, name in own),
        tuple(cells),
        tuple(places),
        bool(carried),
    )
