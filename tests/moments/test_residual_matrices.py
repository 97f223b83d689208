"""Residual matrices by definition: derivatives, the way back, and the long engine's own."""

from __future__ import annotations

import numpy as np
import pytest

from growthmm.engines.long.problem import LongProblem
from growthmm.engines.long.residual_structures import structure_of
from growthmm.engines.long.residual_structures.base import Pattern
from growthmm.errors import SpecificationError
from growthmm.model.residual import ResidualStructure
from growthmm.model.residual_parameters import residual_parameters
from growthmm.moments.residual_matrices import (
    n_residual_parameters,
    residual_matrix,
    residual_values,
)

KINDS = (
    "common",
    "by_occasion",
    "ar1",
    "ar1+common",
    "arh1",
    "cs",
    "csh",
    "toeplitz",
    "banded:2",
    "unstructured",
)
TIMES = (
    (0.0, 1.0, 2.0, 3.0, 4.0),
    (1.0, 2.0, 4.0, 7.0, 12.0),
    (0.0, 0.5, 1.25, 3.0, 4.7),
)


def _values(structure: ResidualStructure, times: tuple[float, ...]) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.array(
        [
            {"variance": 2.0, "covariance": 0.3, "correlation": 0.6}[p.kind] * rng.uniform(0.8, 1.2)
            for p in residual_parameters(structure, times)
        ]
    )


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("text", KINDS)
def test_derivatives_are_those_of_the_matrix(text: str, times: tuple[float, ...]) -> None:
    structure = ResidualStructure.parse(text)
    values, bands = _values(structure, times), structure.bands or 0
    exact = residual_matrix(structure.kind, values, times, bands=bands).derivatives
    for k in range(len(values)):
        step = 1e-6 * np.eye(len(values))[k]
        above = residual_matrix(structure.kind, values + step, times, bands=bands).matrix
        below = residual_matrix(structure.kind, values - step, times, bands=bands).matrix
        np.testing.assert_allclose(exact[k], (above - below) / 2e-6, atol=1e-8)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("text", KINDS)
def test_the_long_engine_has_the_same_matrices_and_names(
    text: str, times: tuple[float, ...]
) -> None:
    structure = ResidualStructure.parse(text)
    m = len(times)
    problem = LongProblem(
        outcome=np.zeros(2 * m),
        fixed=np.ones((2 * m, 1)),
        fixed_names=("(Intercept)",),
        random=np.zeros((2 * m, 0)),
        blocks=(),
        subject=np.repeat([0, 1], m),
        n_subjects=2,
        group="id",
        occasion=np.tile(np.arange(m), 2),
        occasions=times,
        residual=structure,
    )
    engine = structure_of(problem)
    assert engine.names == tuple(p.name for p in residual_parameters(structure, times))
    values = _values(structure, times)
    pattern = Pattern(np.arange(m)[None], np.zeros((1, m), dtype=np.intp))
    found = engine.evaluate(values, pattern)
    assert found is not None
    own = residual_matrix(structure.kind, values, times, bands=structure.bands or 0)
    np.testing.assert_allclose(own.matrix, found.matrix[0], rtol=1e-13)
    np.testing.assert_allclose(own.derivatives, found.first[:, 0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("text", KINDS)
def test_a_matrix_gives_its_parameters_back(text: str, times: tuple[float, ...]) -> None:
    structure = ResidualStructure.parse(text)
    values, bands = _values(structure, times), structure.bands or 0
    matrix = residual_matrix(structure.kind, values, times, bands=bands).matrix
    found = residual_values(structure.kind, matrix, times, bands=bands)
    assert found is not None
    np.testing.assert_allclose(found, values, rtol=1e-10)
    assert n_residual_parameters(structure.kind, len(times), bands=bands) == len(values)
    if len(values) < 15:
        matrix[[0, 1, 2, -1], [-1, 2, 1, 0]] += 0.1
        assert residual_values(structure.kind, matrix, times, bands=bands) is None


@pytest.mark.parametrize("kind", ["ar1", "ar1+common", "arh1"])
def test_a_negative_correlation_comes_back(kind: str) -> None:
    times = (0.0, 2.0, 5.0, 6.0)
    head = {"ar1": [2.0], "ar1+common": [2.0], "arh1": [1.0, 2.0, 3.0, 4.0]}[kind]
    values = np.array([*head, -0.5, *([0.5] if kind == "ar1+common" else [])])
    matrix = residual_matrix(kind, values, times).matrix
    found = residual_values(kind, matrix, times)
    assert found is not None
    np.testing.assert_allclose(found, values, rtol=1e-10)


def test_variances_by_group_follow_the_rows() -> None:
    matrix = residual_matrix("by_group", [2.0, 3.0], [0.0, 1.0], strata=[1, 0]).matrix
    assert matrix.tolist() == [[3.0, 0.0], [0.0, 2.0]]


def test_what_has_no_matrix_is_refused() -> None:
    with pytest.raises(SpecificationError, match="no real power"):
        residual_matrix("ar1", [1.0, -0.5], [0.0, 0.5])
    with pytest.raises(SpecificationError, match="3 residual parameters for ar1"):
        residual_matrix("ar1", [1.0, 0.5, 2.0], [0.0, 1.0])
    with pytest.raises(SpecificationError, match="no residual structure 'ma1'"):
        residual_matrix("ma1", [1.0], [0.0, 1.0])
    with pytest.raises(SpecificationError, match="with a correlation between them"):
        residual_matrix("arh1", [1.0, -1.0, 0.5], [0.0, 1.0])
    with pytest.raises(SpecificationError, match="without the groups"):
        residual_matrix("by_group", [1.0], [0.0])
