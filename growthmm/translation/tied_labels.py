"""Labels of a structural equation model that tie parameters which formulas keep apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from growthmm.model.defaults import Loss

__all__ = ["tied_labels"]


def tied_labels(names: Sequence[tuple[str, str]]) -> list[Loss]:
    """A loss for each name that several growth parameters share.

    Parameters
    ----------
    names : sequence of (str, str)
        Keys of growth parameters, and the SEM's names for them.
    """
    counts = Counter(name for _, name in names)
    return [
        Loss(
            f"the label {label} on several parameters",
            "a formula has no equal coefficients",
            "parameters without the label",
        )
        for label, count in counts.items()
        if count > 1
    ]
