"""Profile-likelihood intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.optimiser import maximise
from growthmm.inference.derived import covariance_entries
from growthmm.inference.intervals.coordinates import Block, Target, chart
from growthmm.inference.likelihood import likelihood
from growthmm.inference.matrices import complete_blocks, home_of
from growthmm.inference.result import FitResult

__all__ = ["Profile", "profile_of", "targets"]

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

STEPS = 60


@dataclass(frozen=True)
class Profile:
    """The likelihood's maximum as a function of one quantity.

    Parameters
    ----------
    objective : callable
        Log-likelihood with derivatives.
    blocks : tuple of Block
        Matrices that stay positive semi-definite.
    target : Target
        The quantity.
    estimates : (n_parameters,) ndarray
        The maximum over all parameters.
    top : float
        The log-likelihood there.
    low, high : float
        What the quantity can be.
    """

    objective: Objective
    blocks: tuple[Block, ...]
    target: Target
    estimates: FloatArray
    top: float
    low: float = -np.inf
    high: float = np.inf

    def at(self, value: float, start: FloatArray) -> tuple[float, FloatArray]:
        """The maximum with the quantity held, and the parameters there."""
        made, x = chart(self.target, value, self.blocks, start)
        inner = made.pulled(self.objective)
        if not np.isfinite(inner(x)[0]):
            return -np.inf, start
        if not len(x):
            return float(inner(x)[0]), made.values(x)
        best = maximise(inner, x, tolerance=1e-9)
        return best.value, made.values(best.point)

    def limit(self, direction: int, cut: float, error: float) -> float:
        """Where the signed root ``(2 (top - profile))^(1/2)`` reaches `cut` on one side.

        Parameters
        ----------
        direction : {-1, 1}
            Below or above the estimate.
        cut : float
            Normal quantile.
        error : float
            Standard error: the first step's size.

        Returns
        -------
        float
            The edge of what the quantity can be where the root stays below; NaN where the
            likelihood ends before.
        """
        centre = self.target.value(self.estimates)
        edge = self.high if direction > 0 else self.low
        room = abs(edge - centre)
        inner, root_inner, start = 0.0, 0.0, self.estimates
        step = min(cut * error if error > 0 else 0.1 * (abs(centre) or 1.0), room)
        outer = root_outer = np.nan
        for _ in range(STEPS):
            reach = min(inner + step, room)
            value, point = self.at(centre + direction * reach, start)
            root = float(np.sqrt(max(2.0 * (self.top - value), 0.0)))
            if root >= cut:
                outer, root_outer = reach, root
                if np.isfinite(root):
                    break
                step *= 0.5
                if step < 1e-6 * max(reach, 1e-300):
                    return float("nan")
                continue
            inner, root_inner, start = reach, root, point
            if reach >= room:
                return edge
            left = (outer - inner) * 0.5 if np.isfinite(outer) else np.inf
            guess = (cut / root - 1.0) * reach * 1.05 if root > 0.1 * cut else 2.0 * reach
            step = min(max(guess, 0.02 * reach), 2.0 * reach, left)
        else:
            return float("nan")

        def excess(reach: float, start: FloatArray) -> tuple[float, FloatArray]:
            value, point = self.at(centre + direction * reach, start)
            return float(np.sqrt(max(2.0 * (self.top - value), 0.0))) - cut, point

        ends = (inner, root_inner - cut), (outer, root_outer - cut)
        return centre + direction * _root(excess, ends, start, 1e-8 * cut)


def _root(
    function: Callable[[float, FloatArray], tuple[float, FloatArray]],
    ends: tuple[tuple[float, float], tuple[float, float]],
    start: FloatArray,
    tolerance: float,
) -> float:
    """The root between two points and their values, by regula falsi of Illinois type.

    Dowell & Jarratt (1971), doi:10.1007/BF01934364. `start` goes from one evaluation to the next.
    """
    (a, fa), (b, fb) = ends
    for _ in range(STEPS):
        c = b - fb * (b - a) / (fb - fa)
        fc, start = function(c, start)
        if not np.isfinite(fc):
            return float("nan")
        if abs(fc) < tolerance or abs(b - a) < 1e-12 * abs(b):
            return c
        if fc * fb < 0:
            a, fa = b, fb
        else:
            fa *= 0.5
        b, fb = c, fc
    return b


def targets(fit: FitResult) -> tuple[dict[str, Target], tuple[Block, ...]]:
    """What can be profiled, by name: parameters, standard deviations and correlations.

    Under positive semi-definite bounds a covariance itself is no coordinate; its correlation is.
    """
    blocks: list[Block] = []
    if fit.fit.bounds == "psd":
        blocks, _ = complete_blocks(fit.fit, fit.data.problem)
    home = home_of(fit.fit, fit.data.problem, blocks)
    inside = {k for block in blocks for row in block.places for k in row}
    made = {name: Target("parameter", k) for k, name in enumerate(fit.fit.names) if k not in inside}
    found = covariance_entries(fit.fit, fit.data.problem)
    variance = {a: k for a, b, k in found.entries if a == b}
    for a, b, k in found.entries:
        if a == b:
            where = home.get(a)
            block, rows = (where[0], (where[1],)) if where else (None, ())
            made[f"sd({found.labels[a]})"] = Target("sd", k, block, rows)
        elif a in variance and b in variance:
            one, two = home.get(a), home.get(b)
            pair = (one[1], two[1]) if one and two and one[0] == two[0] else ()
            made[f"correlation({found.labels[a]},{found.labels[b]})"] = Target(
                "correlation", k, one[0] if one and pair else None, pair, (variance[a], variance[b])
            )
    return made, tuple(blocks)


def profile_of(fit: FitResult, target: Target, blocks: tuple[Block, ...]) -> Profile:
    """The profile of one quantity of an ML fit by one of our engines."""
    kind = fit.fit.kinds[target.place]
    low, high = -np.inf, np.inf
    if target.kind == "correlation":
        low, high = -1.0, 1.0
    elif target.kind == "sd" or (kind == "residual" and fit.fit.names[target.place][:3] == "var"):
        low = 0.0
    return Profile(
        likelihood(fit.data.problem, "ml"),
        blocks,
        target,
        fit.fit.estimates,
        fit.log_likelihood,
        low,
        high,
    )
