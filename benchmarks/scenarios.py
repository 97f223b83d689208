"""What is timed: data of one kind, the model in each family's words, and who can fit it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from simulate import linear_growth

__all__ = ["FORMULA", "SCENARIOS", "Scenario"]

FORMULA = "y ~ t * x + (1 + t | id)"


@dataclass(frozen=True)
class Scenario:
    """One kind of data.

    Parameters
    ----------
    name, title : str
        In file names and for people.
    peers : tuple of str
        Programs that can fit it.
    n_times : int
        Occasions.
    simulation : dict
        Options of ``linear_growth``.
    options : dict
        Options of ``gm.fit``.
    wide : bool
        Whether the same model is timed from SEM text and wide data too.
    """

    name: str
    title: str
    peers: tuple[str, ...]
    n_times: int = 6
    simulation: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    wide: bool = True

    def frame(self, n_subjects: int) -> pd.DataFrame:
        """Long data."""
        return linear_growth(n_subjects, self.n_times, **self.simulation)

    @property
    def sem(self) -> str:
        """The model as lavaan writes it."""
        ys = [f"y{j}" for j in range(self.n_times)]
        lines = ["i =~ " + " + ".join(f"1*{y}" for y in ys)]
        lines.append("s =~ " + " + ".join(f"{j}*{y}" for j, y in enumerate(ys)))
        lines += ["i ~ x", "s ~ x"]
        if self.options.get("residual") != "by_occasion":
            lines += [f"{y} ~~ r*{y}" for y in ys]
        return "\n".join(lines)


SCENARIOS = (
    Scenario(
        "complete",
        "complete data",
        ("lme4", "nlme", "glmmTMB", "MixedLM", "lavaan", "OpenMx", "semopy"),
    ),
    Scenario(
        "missing",
        "25% of the rows missing",
        ("lme4", "glmmTMB", "lavaan", "OpenMx"),
        simulation={"missing": 0.25},
    ),
    Scenario(
        "individual",
        "individually varying times",
        ("lme4", "glmmTMB", "OpenMx"),
        simulation={"individual": True},
        wide=False,
    ),
    Scenario(
        "by_occasion",
        "residual variance by occasion",
        ("nlme", "glmmTMB", "lavaan", "OpenMx"),
        simulation={"by_occasion": True},
        options={"residual": "by_occasion"},
    ),
    Scenario("many_occasions", "20 occasions", ("lme4", "glmmTMB", "lavaan", "OpenMx"), n_times=20),
    Scenario("shuffled", "rows shuffled", (), simulation={"shuffled": True}, wide=False),
)
