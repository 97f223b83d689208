"""Ratios to other programs, collected in a run and printed at its end."""

from __future__ import annotations

import pytest

RATIOS: list[str] = []


@pytest.fixture
def ratios() -> list[str]:
    return RATIOS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if RATIOS:
        terminalreporter.section("beside MixedLM, in this run")
        for line in RATIOS:
            terminalreporter.write_line(line)
