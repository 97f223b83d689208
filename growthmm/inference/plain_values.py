"""Tables and rows as plain values, for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["plain", "records"]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """The row with None for what is not a number."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in row.items()
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table."""
    return [plain({str(k): v for k, v in row.items()}) for row in frame.to_dict("records")]
