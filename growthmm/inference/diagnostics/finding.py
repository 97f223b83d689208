"""One check of a fit: what was looked at, what was found, what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from growthmm.rendering import Brief

__all__ = ["Finding", "Status"]

Status = Literal["ok", "note", "warning", "problem"]


@dataclass(frozen=True, repr=False)
class Finding(Brief):
    """The outcome of one check.

    Parameters
    ----------
    check : str
        Stable name: ``gradient``, ``curvature``, ``boundary``, ``scaling``, ``collinearity``,
        ``time_origin``, ``persons``, ``variance_near_zero``, ``correlation_near_one``,
        ``influence``.
    status : {"ok", "note", "warning", "problem"}
        ``"problem"``: the estimates are not what they are reported to be. ``"warning"``: they are,
        but some are poorly determined. ``"note"``: worth knowing.
    message : str
        What was found, in plain words.
    evidence : dict of str to number, text or list of them
        The figures behind it.
    remedy : str
        What to do, with the text to write where there is one; empty where nothing is wrong.
    """

    check: str
    status: Status
    message: str
    evidence: dict[str, object] = field(default_factory=dict)
    remedy: str = ""
