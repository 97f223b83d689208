"""A verification whose data and model have names and values that are markup and scripts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

import growthmm as gm
from growthmm.equivalence.result import Equivalence

OUTCOME = "<img src=x onerror=alert(1)>"
GROUP = "</script><script>window.hacked=1</script>"
TIME = "t&amp;{{7*7}}$x_1$"


@cache
def hostile() -> Equivalence:
    rng = np.random.default_rng(4)
    n, times = 60, np.arange(4.0)
    level = rng.normal(size=(n, 1)) + rng.normal(size=(n, 1)) * 0.4 * times
    frame = pd.DataFrame(
        {
            "person": np.repeat(np.arange(n), 4),
            TIME: np.tile(times, n),
            GROUP: np.repeat(np.where(np.arange(n) % 2, "<b>a</b>", "\"'>b{% x %}"), 4),
            OUTCOME: (level + rng.normal(size=(n, 4))).ravel(),
        }
    )
    formula = f"`{OUTCOME}` ~ `{TIME}` + `{GROUP}` + (1 + `{TIME}` | person)"
    return gm.verify(formula, frame, id="person", time=TIME, engines=["semopy"])
