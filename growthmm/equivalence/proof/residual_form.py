"""Residual covariance matrices in symbols, by each structure's definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from growthmm.equivalence.proof.strata import Stratum
from growthmm.equivalence.proof.symbols import number, symbol
from growthmm.errors import UnsupportedError
from growthmm.model.growth import residual_cells, residual_classes
from growthmm.model.residual_parameters import ResidualParameter
from growthmm.model.strata import residual_terms
from growthmm.translation.pair import Pair
from growthmm.translation.residuals.arithmetic import bases

if TYPE_CHECKING:
    import sympy

__all__ = ["positive_covariances", "residual_matrix"]


def positive_covariances(pair: Pair) -> tuple[str, ...]:
    """The SEM's residual covariances that are taken to be positive.

    A correlation's power or root that is no whole number has one value only where the correlation
    is positive, and then so are these.

    Parameters
    ----------
    pair : Pair
        The two forms.
    """
    structure, times = pair.growth.residual.of_person, pair.growth.schema.numbers
    if structure.kind not in ("ar1", "arh1", "ar1+common"):
        return ()
    base = bases(structure, times)
    powers = [*(abs(a - b) for a in times for b in times), *(1 / d for d in base.distances)]
    if all(float(power).is_integer() for power in powers):
        return ()
    outcomes = pair.growth.schema.outcome_columns
    model = pair.sem.model
    found = [
        model.path(outcomes[j], "~~", outcomes[k], group)
        for group in range(model.n_groups)
        for j, k in base.cells
    ]
    return tuple(dict.fromkeys(path.parameter for path in found if path is not None and path.free))


def residual_matrix(pair: Pair, stratum: Stratum) -> sympy.Matrix:
    """The residuals' covariance matrix at a stratum's occasions, (n_times, n_times).

    Parameters
    ----------
    pair : Pair
        The two forms.
    stratum : Stratum
        Whose.

    Raises
    ------
    UnsupportedError
        If the structure has parameters that the two forms do not share.
    """
    at = list(stratum.occasions)
    if pair.growth.residual_by_group:
        return _of_group(pair, stratum)
    structure, schema = pair.growth.residual, pair.growth.schema
    return _structured(pair, residual_terms(structure, schema)).extract(at, at)


def _symbols(pair: Pair, keys: tuple[str, ...]) -> dict[str, sympy.Symbol]:
    named = dict(pair.mixed_names)
    unknown = [key for key in keys if key not in named]
    if unknown:
        raise UnsupportedError(
            f"The proof has no symbols for residuals {pair.growth.residual}.",
            hint="Levels 2 and 3 of verify show the same with numbers.",
        )
    return {key: symbol(named[key]) for key in keys}


def _of_group(pair: Pair, stratum: Stratum) -> sympy.Matrix:
    """One group's structure, its variance, or its variance at each occasion."""
    import sympy

    level, n = stratum.level or 0, len(pair.growth.schema.occasions)
    for groups, found in residual_classes(pair.growth):
        if level in groups:
            at = list(stratum.occasions)
            return _structured(pair, found).extract(at, at)
    cells = residual_cells(pair.growth)
    own = _symbols(pair, cells)
    if pair.growth.residual.crossed:
        return sympy.diag(*(own[cells[level * n + j]] for j in stratum.occasions))
    return sympy.diag(*(own[cells[level]] for _ in stratum.occasions))


def _structured(pair: Pair, found: Sequence[ResidualParameter]) -> sympy.Matrix:
    """A structure with these parameters, at all occasions or visits."""
    import sympy

    kind, times = pair.growth.residual.of_person.kind, pair.growth.schema.numbers
    n, symbols = len(times), _symbols(pair, tuple(p.key for p in found))
    own = {key.partition("@")[0]: value for key, value in symbols.items()}
    R = sympy.zeros(n, n)
    for parameter in found:
        for j, k in parameter.cells:
            R[j, k] = R[k, j] = symbols[parameter.key]
    if "residual:rho" not in own:
        return R
    rho = own["residual:rho"]
    for j in range(n):
        for k in range(n):
            power = number(abs(times[j] - times[k])) if "ar" in kind else int(j != k)
            if kind == "ar1+common":
                R[j, k] = own["residual:ar1"] * rho**power + own["residual"] * int(j == k)
            elif j != k and kind in ("arh1", "csh"):
                R[j, k] = sympy.sqrt(R[j, j]) * sympy.sqrt(R[k, k]) * rho**power
            elif j != k:
                R[j, k] = own["residual"] * rho**power
    return R
