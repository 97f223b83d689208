"""The machine and the programs that a run was made with; nothing that names it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["describe"]

PACKAGES = ("growthmm", "numpy", "pandas", "scipy", "statsmodels", "semopy")


def describe() -> dict[str, object]:
    """Processor, cores, memory, system, versions and threads."""
    found: dict[str, object] = {
        "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": _memory(),
        "system": platform.system(),
        "python": platform.python_version(),
        "threads": os.environ.get("OMP_NUM_THREADS", "not limited"),
    }
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    rscript = shutil.which("Rscript")
    if rscript is not None:
        code = "cat(paste(R.version$major, R.version$minor, sep = '.'))"
        done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, check=False)
        found["R"] = done.stdout.strip()
    return found


def _first(path: str, key: str) -> str:
    if not Path(path).exists():
        return ""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return line.split(":", maxsplit=1)[1].strip()
    return ""


def _memory() -> float | None:
    text = _first("/proc/meminfo", "MemTotal")
    return round(int(text.split()[0]) / 1024**2, 1) if text else None
