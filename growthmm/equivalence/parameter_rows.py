"""The parameter map filled with every engine's estimates and standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import ENGINES
from growthmm.equivalence.correspondence import Correspondence, NoCounterpartError, carried
from growthmm.equivalence.fits import EngineReport
from growthmm.inference.derived import derived_covariances
from growthmm.translation.pair import Pair
from growthmm.translation.parameter_map import MapRow

__all__ = ["parameter_rows"]

FloatArray = NDArray[np.float64]


def parameter_rows(
    pair: Pair, reports: Sequence[EngineReport], link: Correspondence
) -> list[dict[str, Any]]:
    """One row a parameter: names and rule, estimates and standard errors by engine.

    Parameters
    ----------
    pair : Pair
        The two forms.
    reports : sequence of EngineReport
        The engines; those not used are left out.
    link : Correspondence
        How one side's parameters give the other's.

    Returns
    -------
    list of dict
        With ``estimate`` and ``std_error`` by engine and ``max_difference_in_se``.
    """
    fits = {report.name: report.fit for report in reports if report.used and report.fit}
    views = {name: _View(pair, link, fit, ENGINES[name].family) for name, fit in fits.items()}
    rows = []
    for row in pair.parameters:
        found = {engine: view.value(row) for engine, view in views.items()}
        rows.append(
            {
                "mixed_name": row.mixed_name,
                "mixed_syntax": row.mixed_syntax,
                "sem_name": row.sem_name,
                "sem_syntax": row.sem_syntax,
                "rule": row.rule,
                "kind": row.kind,
                "estimate": {engine: estimate for engine, (estimate, _) in found.items()},
                "std_error": {engine: error for engine, (_, error) in found.items()},
                "max_difference_in_se": _spread(list(found.values())),
            }
        )
    return rows


@dataclass(frozen=True)
class _View:
    """One engine's fit in its own parameters, and in the other family's."""

    pair: Pair
    link: Correspondence
    fit: EngineFit
    family: str

    def value(self, row: MapRow) -> tuple[float | None, float | None]:
        """Estimate and standard error of a row; None where there is none."""
        keys = row.parents or (row.key,)
        own = [self._own(key, row) for key in keys]
        if all(name in self.fit.names for name in own):
            names, values, covariance = self.fit.names, self.fit.estimates, self.fit.covariance
            places = [names.index(name) for name in own]
        elif self._other is None:
            return None, None
        else:
            names, values, covariance = self._other
            other = [self._theirs(key, row) for key in keys]
            if any(name not in names for name in other):
                return None, None
            places = [names.index(name) for name in other]
        if not row.parents:
            k = places[0]
            variance = float(covariance[k, k])
            return float(values[k]), (float(np.sqrt(variance)) if variance > 0 else None)
        if row.kind == "sd":
            entries: tuple[tuple[int, int, int], ...] = ((0, 0, places[0]),)
        else:
            entries = ((0, 1, places[0]), (0, 0, places[1]), (1, 1, places[2]))
        for kind, _, _, estimate, error in derived_covariances(values, covariance, entries):
            if kind == row.kind:
                return _finite(estimate), _finite(error)
        return None, None

    def _own(self, key: str, row: MapRow) -> str:
        return self._name(self.family, key, row)

    def _theirs(self, key: str, row: MapRow) -> str:
        return self._name("sem" if self.family == "mixed" else "mixed", key, row)

    def _name(self, family: str, key: str, row: MapRow) -> str:
        named = self._mixed if family == "mixed" else self._sem
        if key in named:
            return named[key]
        if row.of != family:
            return ""
        return row.mixed_name if family == "mixed" else row.sem_name

    @cached_property
    def _mixed(self) -> dict[str, str]:
        return dict(self.pair.mixed_names)

    @cached_property
    def _sem(self) -> dict[str, str]:
        return dict(self.pair.sem.names)

    @cached_property
    def _other(self) -> tuple[tuple[str, ...], FloatArray, FloatArray] | None:
        """Names, values and covariance matrix in the other family's parameters."""
        own = self.link.mixed.names if self.family == "mixed" else self.link.sem.names
        if set(own) != set(self.fit.names):
            return None
        at = [self.fit.names.index(name) for name in own]
        values, covariance = self.fit.estimates[at], self.fit.covariance[np.ix_(at, at)]
        try:
            if self.family == "mixed":
                there = self.link.to_sem(values)
                slopes = self.link.slopes_back(values, there)
                return self.link.sem.names, there, carried(covariance, slopes)
            there = self.link.to_mixed(values)
        except NoCounterpartError:
            return None
        return (
            self.link.mixed.names,
            there,
            carried(covariance, self.link.slopes(there, values)),
        )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _spread(found: list[tuple[float | None, float | None]]) -> float | None:
    values = [estimate for estimate, _ in found if estimate is not None]
    errors = [error for _, error in found if error is not None and error > 0]
    if len(values) < 2 or not errors:
        return None
    return (max(values) - min(values)) / errors[0]
