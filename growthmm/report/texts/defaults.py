"""Defaults on which two programs differ, as text."""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.notation.default_list import DefaultRow
from growthmm.report.text_table import paragraph

__all__ = ["defaults_text"]


def defaults_text(rows: Sequence[DefaultRow]) -> str:
    """A paragraph a default, those first that something was written for; then what was lost."""
    kept = [row for row in rows if row.written]
    told = [row for row in rows if not row.written and row.target_value]
    lost = [row for row in rows if not row.written and not row.target_value]
    lines: list[str] = []
    if kept:
        lines.append("Defaults that the target does not share, and what was written:")
        lines += [_line(row) for row in kept]
    if told:
        lines.append(
            "Defaults that differ, with nothing in the text to keep them (--script tells them):"
        )
        lines += [_line(row) for row in told]
    if lost:
        lines.append("Lost (the target says nothing of it):")
        lines += [_line(row) for row in lost]
    return "\n".join(lines)


def _line(row: DefaultRow) -> str:
    said = f"{row.what}: {row.source_value}"
    if row.source_rule != "written":
        said += f" ({row.source_rule})"
    if row.target_value:
        said += f"; by itself it would be {row.target_value} ({row.target_rule})"
    if row.written:
        said += f"; written: {row.written}"
    return paragraph(said, indent="  ")
