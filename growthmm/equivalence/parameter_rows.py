"""The parameter map filled with every engine's estimates and standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from growthmm.engines.outcome import EngineFit
from growthmm.engines.registry import ENGINES
from growthmm.equivalence.fits import EngineReport
from growthmm.inference.derived import derived_covariances
from growthmm.translation.pair import Pair
from growthmm.translation.parameter_map import MapRow

__all__ = ["parameter_rows"]


def parameter_rows(pair: Pair, reports: Sequence[EngineReport]) -> list[dict[str, Any]]:
    """One row a parameter: names and rule, estimates and standard errors by engine.

    Parameters
    ----------
    pair : Pair
        The two forms.
    reports : sequence of EngineReport
        The engines; those not used are left out.

    Returns
    -------
    list of dict
        With ``estimate`` and ``std_error`` by engine and ``max_difference_in_se``.
    """
    fits = {report.name: report.fit for report in reports if report.used and report.fit}
    names = {"mixed": dict(pair.mixed_names), "sem": dict(pair.sem.names)}
    rows = []
    for row in pair.parameters:
        found = {
            engine: _value(row, fit, names[ENGINES[engine].family]) for engine, fit in fits.items()
        }
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


def _value(row: MapRow, fit: EngineFit, names: dict[str, str]) -> tuple[float | None, float | None]:
    if not row.parents:
        k = fit.names.index(names[row.key])
        return float(fit.estimates[k]), _finite(float(fit.standard_errors[k]))
    positions = [fit.names.index(names[parent]) for parent in row.parents]
    if row.kind == "sd":
        entries: tuple[tuple[int, int, int], ...] = ((0, 0, positions[0]),)
    else:
        entries = ((0, 1, positions[0]), (0, 0, positions[1]), (1, 1, positions[2]))
    made = derived_covariances(fit.estimates, fit.covariance, entries)
    for kind, _, _, estimate, error in made:
        if kind == row.kind:
            return _finite(estimate), _finite(error)
    return None, None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _spread(found: list[tuple[float | None, float | None]]) -> float | None:
    values = [estimate for estimate, _ in found if estimate is not None]
    errors = [error for _, error in found if error is not None and error > 0]
    if len(values) < 2 or not errors:
        return None
    return (max(values) - min(values)) / errors[0]
