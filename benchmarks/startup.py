"""What starting costs: importing growthmm, and its help, beside importing NumPy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

__all__ = ["startup"]

CALLS = {
    "import numpy": ("-c", "import numpy"),
    "import growthmm": ("-c", "import growthmm"),
    "growthmm --help": ("-m", "growthmm", "--help"),
}


def startup(rounds: int = 15) -> list[dict[str, object]]:
    """Median seconds of a fresh process for each call, and their ratio to NumPy's.

    Rounds go through all calls in turn, so that a busy machine slows them alike; the ratio is the
    median over rounds.
    """
    seconds: dict[str, list[float]] = {call: [] for call in CALLS}
    for round_ in range(rounds + 1):
        for call, words in CALLS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
            if round_:
                seconds[call].append(time.perf_counter() - start)
    base = seconds["import numpy"]
    return [
        {
            "call": call,
            "seconds": statistics.median(own),
            "ratio": statistics.median(a / b for a, b in zip(own, base, strict=True)),
        }
        for call, own in seconds.items()
    ]
