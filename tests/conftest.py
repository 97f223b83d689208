"""Fixtures, marks and profiles shared by all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    deadline=None,
    derandomize=False,
    max_examples=2000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)

os.environ["COLUMNS"] = "112"
"""Texts are as wide as the terminal; tests have one of a known width."""

PROFILE = os.environ.get("GROWTHMM_PROFILE", "default")
settings.load_profile(PROFILE)


def examples(default: int, nightly: int) -> int:
    """How many examples a property is tried on that needs more, or fewer, than the others."""
    return nightly if PROFILE == "nightly" else default


R_PACKAGES = ("lme4", "nlme", "lavaan")
"""What a test marked ``r`` needs where its mark names no packages."""


@cache
def missing_r_packages(packages: tuple[str, ...]) -> str | None:
    """Why R cannot serve `packages`, or None where it can."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "Rscript is not on the path"
    asked = ", ".join(f'"{package}"' for package in packages)
    code = f"for (p in c({asked})) if (!nzchar(system.file(package = p))) cat(p, '')"
    try:
        answer = subprocess.run(
            [rscript, "--vanilla", "-e", code],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        return f"Rscript does not run: {error}"
    absent = answer.stdout.split()
    return f"R lacks {', '.join(absent)}" if absent else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave nightly tests to their profile, and ``r`` tests to machines that have R."""
    if PROFILE != "nightly":
        kept: list[pytest.Item] = []
        left: list[pytest.Item] = []
        for item in items:
            (kept if item.get_closest_marker("nightly") is None else left).append(item)
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs R where R, or one of its packages, is absent."""
    mark = item.get_closest_marker("r")
    if mark is not None:
        reason = missing_r_packages(tuple(mark.args) or R_PACKAGES)
        if reason is not None:
            pytest.skip(reason)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of the reference data files; the test is skipped where it is absent."""
    from reference import reference_folder

    return reference_folder() / "data"
