"""Parameters held at values that the model's text leaves free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from growthmm.errors import SpecificationError
from growthmm.model.sem import SemModel

__all__ = ["hold_paths"]


def hold_paths(model: SemModel, fixed: Mapping[str, float]) -> SemModel:
    r"""A structural equation model with parameters fixed.

    Parameters
    ----------
    model : SemModel
        The model.
    fixed : mapping of str to float
        Values by parameter; a label holds every row that has it.

    Raises
    ------
    SpecificationError
        If there is no such free parameter, or a value is not finite.

    Examples
    --------
    >>> from growthmm.verbs.source import read
    >>> held = hold_paths(read("i =~ 1*y0 + 1*y1\ny0 ~~ r*y0\ny1 ~~ r*y1"), {"r": 2.0})
    >>> held.path("y0", "~~", "y0").value, "r" in held.free_parameters
    (2.0, False)
    """
    given = {name: float(value) for name, value in fixed.items()}
    strange = [name for name in given if name not in model.free_parameters]
    if strange:
        raise SpecificationError(
            f"The model has no free parameter {', '.join(map(repr, strange))} to fix.",
            hint=f"It has: {', '.join(model.free_parameters)}.",
        )
    bad = [f"{name} = {value}" for name, value in given.items() if not np.isfinite(value)]
    if bad:
        raise SpecificationError(
            f"Parameters are fixed at {', '.join(bad)}.", hint="Fix them at finite numbers."
        )
    paths = tuple(
        replace(path, free=False, value=given[path.parameter])
        if path.free and path.parameter in given
        else path
        for path in model.paths
    )
    return replace(model, paths=paths)
