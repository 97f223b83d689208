"""Residual covariance structures: one file each, and the registry that finds them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from growthmm.engines.long.problem import LongProblem
    from growthmm.engines.long.residual_structures.base import Structure

__all__ = ["MODULES", "structure_of"]

MODULES = {
    kind: f"growthmm.engines.long.residual_structures.{module}"
    for kind, module in {
        "common": "one_variance",
        "by_occasion": "by_occasion",
        "by_group": "by_group",
        "groupwise": "groupwise",
        "ar1": "ar1",
        "ar1+common": "ar1_common",
        "arh1": "arh1",
        "cs": "cs",
        "csh": "csh",
        "toeplitz": "toeplitz",
        "banded": "banded",
        "unstructured": "unstructured",
        "across": "across",
    }.items()
}
"""Kind of structure, and the module whose ``structure(problem)`` builds it."""


@cache
def _module(kind: str) -> object:
    return import_module(MODULES[kind])


def structure_of(problem: LongProblem) -> Structure:
    """The residual structure of `problem`."""
    return cast("Structure", _module(problem.residual.kind).structure(problem))  # type: ignore[attr-defined]
