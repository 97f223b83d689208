"""The tables that verifications share as text: levels of evidence, and engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from growthmm.equivalence.evidence import Level
from growthmm.equivalence.fits import NOT_ASKED, EngineReport
from growthmm.report.text_table import table

__all__ = ["asked", "engines_table", "levels_table", "not_asked"]


def asked(reports: Sequence[EngineReport]) -> list[EngineReport]:
    """The engines that were asked for, used or not."""
    return [report for report in reports if not report.reason.startswith(NOT_ASKED)]


def not_asked(reports: Sequence[EngineReport]) -> list[str]:
    """The names of the engines that were not asked for."""
    return [report.name for report in reports if report.reason.startswith(NOT_ASKED)]


def levels_table(levels: Sequence[Level]) -> str:
    """The levels of evidence, numbered, with figure and tolerance."""
    return table(
        ["level", "holds", "figure", "tolerance", "what"],
        [
            [
                f"{number} {level.name}",
                {True: "yes", False: "NO", None: "-"}[level.passed],
                "" if level.figure is None else f"{level.figure:.1e}",
                "" if level.tolerance is None else f"{level.tolerance:.0e}",
                level.note,
            ]
            for number, level in enumerate(levels, 1)
        ],
        note=True,
    )


def engines_table(
    reports: Sequence[EngineReport], found: Callable[[EngineReport], str] | None = None
) -> str:
    """The engines that were asked, and their log-likelihoods.

    Parameters
    ----------
    reports : sequence of EngineReport
        All engines.
    found : callable, optional
        What is said of one that was used; nothing where None.
    """
    return table(
        ["engine", "used", "log-likelihood", "note"],
        [
            [
                f"{report.name} {report.version}".strip(),
                "yes" if report.used else "no",
                "" if report.fit is None else f"{report.fit.log_likelihood:.6f}",
                report.reason or ("" if found is None else found(report)),
            ]
            for report in asked(reports)
        ],
        note=True,
    )
