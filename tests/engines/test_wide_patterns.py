"""Sums over patterns first, and pattern by pattern: the same second derivatives."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from growthmm.engines.wide import second_derivatives
from growthmm.engines.wide.ram import Jacobian
from growthmm.engines.wide.second_derivatives import Second, second
from growthmm.engines.wide.statistics import Cells


@pytest.mark.parametrize("n_cells", [1, 2, 9])
def test_second_derivatives_do_not_depend_on_the_order_of_sums(
    monkeypatch: pytest.MonkeyPatch, n_cells: int
) -> None:
    rng = np.random.default_rng(n_cells)
    t, r, k, j = 4, 2, 5, 3

    def symmetric(*shape: int) -> np.ndarray:
        found = rng.normal(size=shape)
        return found + found.swapaxes(-1, -2)

    observed = rng.random((n_cells, t)) < 0.8
    both = observed[:, :, None] & observed[:, None, :]
    cells = Cells(
        observed,
        rng.integers(1, 40, n_cells).astype(float),
        symmetric(n_cells, r, r),
        rng.normal(size=(n_cells, t, r)),
        symmetric(n_cells, t, t),
        rng.normal(size=t),
        np.array([[1.0, 0.0], [0.4, 1.0]]),
    )
    w, spread = symmetric(n_cells, t, t) * both, symmetric(n_cells, t, t)
    g = rng.normal(size=(n_cells, t, r))
    jac = Jacobian(symmetric(1, k, t, t), rng.normal(size=(1, j, t, r)))
    pooled = second(cells, w, spread, g, jac)
    monkeypatch.setattr(second_derivatives, "MANY_OUTCOMES", 0)
    apart = second(cells, w, spread, g, jac)
    for field in fields(Second):
        left, right = getattr(pooled, field.name), getattr(apart, field.name)
        if field.name in ("mixed", "means"):
            left, right = left + left.T, right + right.T
        assert left == pytest.approx(right, rel=1e-11, abs=1e-9), field.name
