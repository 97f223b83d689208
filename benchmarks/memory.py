"""Peak memory of one fit above its data, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

__all__ = ["peak_above_data"]


def peak_above_data(folder: Path, options: dict[str, str]) -> float | None:
    """MB that ``gm.fit(formula, frame)`` needs at its peak beyond the frame and the libraries.

    None where the system does not tell.
    """
    command = [sys.executable, __file__, str(folder), json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


def _status(key: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(key):
            return float(line.split()[1]) / 1024
    raise SystemExit(1)


def _main() -> None:
    import pandas as pd
    from scenarios import FORMULA

    import growthmm as gm

    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    columns = {name: np.fromfile(folder / f"{name}.bin") for name in ("id", "t", "x", "y")}
    columns["id"] = columns["id"].astype(np.int64)
    frame = pd.DataFrame(columns, copy=False)
    # What importing and the first call need is no part of the fit.
    first = frame[frame["id"] < 50]
    gm.fit(FORMULA, first, **options)
    if not Path("/proc/self/clear_refs").exists():
        raise SystemExit(1)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status("VmRSS")
    fit = gm.fit(FORMULA, frame, **options)
    print(max(0.0, _status("VmHWM") - before) if fit.convergence.converged else "")


if __name__ == "__main__":
    _main()
