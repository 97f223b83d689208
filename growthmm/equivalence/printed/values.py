"""Our values of whatever a program prints, with standard errors by the delta method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines.prepare import LongData, WideData
from growthmm.equivalence.printed.names import SemNames, match_name, place_of
from growthmm.inference.derived import covariance_entries
from growthmm.inference.result import FitResult
from growthmm.printed.results import PrintedResults, PrintedRow

__all__ = ["Quantity", "Values"]

FloatArray = NDArray[np.float64]

STEP = 1e-5


@dataclass(frozen=True)
class Quantity:
    """What a printed row is in our fit.

    Parameters
    ----------
    name : str
        Our name for it.
    function : callable
        From the fit's estimates to the value.
    gradient : (n_parameters,) ndarray
        Its derivatives at the estimates.
    value : float
        Its value there.
    location : bool
        Whether it is a fixed effect, mean, regression or loading.
    """

    name: str
    function: Callable[[FloatArray], float]
    gradient: FloatArray
    value: float
    location: bool

    def error(self, covariance: FloatArray) -> float:
        """Standard error under a covariance matrix of the estimates; NaN where it has none."""
        used = np.flatnonzero(self.gradient)
        square = float(self.gradient[used] @ covariance[np.ix_(used, used)] @ self.gradient[used])
        return float(np.sqrt(square)) if square > 0 else float("nan")


class Values:
    """A fit, asked in the terms in which another program prints.

    Parameters
    ----------
    fit : FitResult
        By one of our engines.
    printed : PrintedResults
        What is compared with it.
    """

    def __init__(self, fit: FitResult, printed: PrintedResults) -> None:
        self.fit = fit
        self._estimates = np.asarray(fit.fit.estimates, dtype=float)
        self._position = {name: k for k, name in enumerate(fit.fit.names)}
        self._rows = printed.rows

    def quantity(self, row: PrintedRow) -> Quantity | None:
        """Our quantity for a printed row, or None where the model has none."""
        if isinstance(self.fit.data, WideData):
            return self._path(row)
        if row.kind == "fixed":
            return self._coefficient(row)
        if row.kind.startswith("residual"):
            return self._residual(row)
        return self._covariance(row)

    def ratio(self, quantity: Quantity) -> Quantity:
        """The same over the residual variance, times the residual standard deviation there."""
        at = self._position.get("var(Residual)")
        if at is None:
            return quantity
        scale = float(np.sqrt(self._estimates[at]))
        return self._made(
            quantity.name, lambda v: quantity.function(v) / v[at] * scale, location=False
        )

    def _made(
        self, name: str, function: Callable[[FloatArray], float], *, location: bool = False
    ) -> Quantity:
        at = self._estimates
        gradient = np.zeros(len(at))
        for k in range(len(at)):
            step = STEP * max(abs(at[k]), 1e-3)
            up, down = at.copy(), at.copy()
            up[k] += step
            down[k] -= step
            with np.errstate(invalid="ignore", divide="ignore"):
                gradient[k] = (function(up) - function(down)) / (2 * step)
        with np.errstate(invalid="ignore", divide="ignore"):
            return Quantity(name, function, gradient, float(function(at)), location)

    def _one(self, name: str, *, location: bool) -> Quantity:
        k = self._position[name]
        return self._made(name, lambda v: float(v[k]), location=location)

    def _coefficient(self, row: PrintedRow) -> Quantity | None:
        names = [
            n
            for n, kind in zip(self.fit.fit.names, self.fit.fit.kinds, strict=True)
            if kind == "fixed"
        ]
        found = match_name(row.name, names)
        return None if found is None else self._one(found, location=True)

    @cached_property
    def _entries(self) -> tuple[tuple[str, ...], dict[tuple[int, int], int]]:
        found = covariance_entries(self.fit.fit, self.fit.data.problem)
        return found.labels, {(a, b): k for a, b, k in found.entries}

    def _covariance(self, row: PrintedRow) -> Quantity | None:
        """An entry of the random effects' covariance matrix, its root, or a correlation."""
        labels, entries = self._entries
        places = [place_of(effect, labels) for effect in row.effects]
        if not places or any(place is None for place in places):
            return None
        a, b = sorted(place for place in (places[0], places[-1]) if place is not None)
        at = entries.get((a, b))
        if row.kind in ("variance", "sd", "covariance"):
            if at is None:
                return None
            if row.kind == "sd":
                return self._made(f"sd({labels[a]})", lambda v: _root(v[at]))
            return self._one(self.fit.fit.names[at], location=False)
        first, second = entries.get((a, a)), entries.get((b, b))
        if at is None or first is None or second is None:
            return None
        name = f"correlation({labels[a]},{labels[b]})"
        return self._made(name, lambda v: float(v[at]) / _root(v[first] * v[second]))

    @cached_property
    def _strata(self) -> tuple[str, ...]:
        matrix = self.fit.residual_cov
        return tuple(f"{label:g}" if isinstance(label, float) else str(label) for label in matrix)

    def _matrix(self, values: FloatArray) -> FloatArray:
        data = self.fit.data
        assert isinstance(data, LongData)
        own = long_engine.parameter_names(data.problem)
        order = [self._position[name] for name in own]
        frame = long_engine.residual_matrix(data.problem, values[order])
        return np.asarray(frame.to_numpy(), dtype=float)

    def _residual(self, row: PrintedRow) -> Quantity | None:
        """A residual variance or correlation, whatever form the program gives it."""
        strata = self._strata
        what = row.kind.removeprefix("residual ")
        if row.effects == ("offset",):
            if len(strata) < 2:
                return None
            return self._made(
                "var(Residual) - cov(Residual)", lambda v: _entry(self._matrix(v), 0, 0, minus=1)
            )
        places = [place_of(effect, strata) for effect in row.effects]
        if any(place is None for place in places):
            return None
        known = [place for place in places if place is not None]
        if what in ("correlation", "covariance"):
            if len(strata) < 2:
                return None
            a, b = (known[0], known[1]) if len(known) == 2 else (0, known[0] if known else 1)
            if what == "covariance":
                return self._made(f"cov(Residual[{a},{b}])", lambda v: self._matrix(v)[a, b])
            return self._made(
                f"cor(Residual[{a},{b}])", lambda v: _correlation(self._matrix(v), a, b)
            )
        return self._spread(row, what, known)

    def _spread(self, row: PrintedRow, what: str, known: list[int]) -> Quantity | None:
        strata = self._strata
        diagonal = np.diag(self._matrix(self._estimates))
        alike = bool(np.allclose(diagonal, diagonal[0], rtol=1e-12))
        if not known and not alike:
            return None
        at = known[0] if known else 0
        name = "Residual" if alike else f"Residual[{strata[at]}]"
        if what == "sd":
            return self._made(f"sd({name})", lambda v: _root(self._matrix(v)[at, at]))
        if what == "log variance":
            return self._made(f"log var({name})", lambda v: float(np.log(self._matrix(v)[at, at])))
        if what == "ratio":
            first = next(
                (r.effects[0] for r in self._rows if r.kind == "residual ratio"), row.effects[0]
            )
            base = place_of(first, strata) or 0
            return self._made(
                f"sd({name}) / sd(Residual[{strata[base]}])",
                lambda v: _root(self._matrix(v)[at, at] / self._matrix(v)[base, base]),
            )
        return self._made(f"var({name})", lambda v: float(self._matrix(v)[at, at]))

    @cached_property
    def _sem_names(self) -> SemNames:
        assert isinstance(self.fit.data, WideData)
        return SemNames(self.fit.data.problem.model, self._rows)

    def _path(self, row: PrintedRow) -> Quantity | None:
        data = self.fit.data
        assert isinstance(data, WideData)
        if row.kind == "defined":
            return self._defined(row)
        name = self._sem_names.path(row)
        if name is None:
            return None
        path = next(p for p in data.problem.model.paths if p.name == name)
        location = path.op != "~~"
        if path.free:
            found = self._one(path.parameter, location=location)
            return Quantity(name, found.function, found.gradient, found.value, location)
        if path.value is None:
            return None
        value = float(path.value)
        return Quantity(name, lambda _: value, np.zeros(len(self._estimates)), value, location)

    def _defined(self, row: PrintedRow) -> Quantity | None:
        table = self.fit.derived
        rows = table[table["kind"] == "defined"]
        found = match_name(row.name, [str(name) for name in rows["name"]])
        if found is None:
            return None
        at = rows[rows["name"] == found].iloc[0]
        value, error = float(at["estimate"]), float(at["std_error"])
        return _Known(found, lambda _: value, np.zeros(len(self._estimates)), value, True, error)


@dataclass(frozen=True)
class _Known(Quantity):
    """A quantity whose standard error is already known."""

    known: float = float("nan")

    def error(self, covariance: FloatArray) -> float:  # noqa: ARG002
        """The known standard error."""
        return self.known


def _root(value: float) -> float:
    return float(np.sqrt(value)) if value >= 0 else float("nan")


def _entry(matrix: FloatArray, a: int, b: int, *, minus: int) -> float:
    return float(matrix[a, b] - matrix[a, minus])


def _correlation(matrix: FloatArray, a: int, b: int) -> float:
    return float(matrix[a, b]) / _root(matrix[a, a] * matrix[b, b])
