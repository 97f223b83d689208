"""Means and covariances from a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from growthmm.errors import DataError

if TYPE_CHECKING:
    from growthmm.data.moments import Moments

__all__ = ["read_moments"]

EXAMPLE = 'It is JSON: {"names": ["y_0", "y_1"], "mean": [1, 2], "cov": [[1, 0.5], [0.5, 1]], '
EXAMPLE += '"n": 200, "ddof": 1}.'


def read_moments(path: str) -> Moments:
    """Read printed moments.

    Parameters
    ----------
    path : str
        A JSON file with ``names``, ``mean``, ``cov`` and ``n``; ``ddof`` is 0 where it is absent
        (the divisor of the covariances is ``n - ddof``).

    Returns
    -------
    Moments
        Usable wherever complete data are.

    Raises
    ------
    DataError
        If the file is absent, is no such object, or its numbers do not fit together.
    """
    from growthmm.data.moments import Moments

    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"The moments file {path!r} cannot be read: {error.strerror}.", hint=EXAMPLE
        ) from None
    except ValueError as error:
        raise DataError(f"The moments file {path!r} is no JSON: {error}.", hint=EXAMPLE) from None
    if not isinstance(held, dict):
        raise DataError(
            f"The moments file {path!r} holds a {type(held).__name__}, not an object.", hint=EXAMPLE
        )
    absent = [key for key in ("mean", "cov", "n") if key not in held]
    strange = [key for key in held if key not in ("names", "mean", "cov", "n", "ddof")]
    if absent or strange:
        parts = [f"lacks {', '.join(absent)}"] if absent else []
        parts += [f"has {', '.join(strange)}, which mean nothing"] if strange else []
        raise DataError(f"The moments file {path!r} {' and '.join(parts)}.", hint=EXAMPLE)
    try:
        return Moments(
            held["mean"], held["cov"], held["n"], held.get("names"), ddof=held.get("ddof", 0)
        )
    except TypeError as error:
        raise DataError(
            f"The moments file {path!r} holds values of the wrong kind: {error}.", hint=EXAMPLE
        ) from None
