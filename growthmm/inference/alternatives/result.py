"""The answers of several estimators side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.inference.alternatives.answer import Answer
from growthmm.inference.alternatives.meaning import MEANINGS
from growthmm.inference.alternatives.within import Mundlak
from growthmm.inference.plain_values import plain, records
from growthmm.rendering import Shown, Tabular, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Alternatives"]


@dataclass(frozen=True)
class Alternatives(Tabular, Shown):
    """Several estimators' answers to one question.

    Parameters
    ----------
    model : str
        The model's label.
    answers : tuple of Answer
        One for each estimator, also where it does not apply.
    mundlak : Mundlak, optional
        The random-intercept model with persons' means, where something varies within persons.
    """

    model: str
    answers: tuple[Answer, ...]
    mundlak: Mundlak | None = None

    def __getitem__(self, method: str) -> Answer:
        for answer in self.answers:
            if answer.method == method:
                return answer
        raise KeyError(method)

    @property
    def table(self) -> pd.DataFrame:
        """One row a coefficient and estimator.

        Columns ``name, method, estimate, std_error, statistic, p_value, ci_low, ci_high,
        difference_in_se``: tests and intervals (95%) are normal; the difference is from the mixed
        model's estimate, over its standard error.
        """
        import pandas as pd
        from scipy.special import ndtr, ndtri

        quantile = float(ndtri(0.975))
        base, rows = self["mixed"], []
        for name in dict.fromkeys(name for answer in self.answers for name in answer.names):
            own, scale = base.coefficient(name)
            for answer in self.answers:
                if name not in answer.names:
                    continue
                estimate, error = answer.coefficient(name)
                statistic = estimate / error if error > 0 else np.nan
                rows.append(
                    {
                        "name": name,
                        "method": answer.method,
                        "estimate": estimate,
                        "std_error": error,
                        "statistic": statistic,
                        "p_value": float(2 * ndtr(-abs(statistic))),
                        "ci_low": estimate - quantile * error,
                        "ci_high": estimate + quantile * error,
                        "difference_in_se": (estimate - own) / scale if scale > 0 else np.nan,
                    }
                )
        return pd.DataFrame(rows)

    @property
    def methods(self) -> pd.DataFrame:
        """What each estimator estimates, assumes and is silent about, and what it used."""
        import pandas as pd

        return pd.DataFrame(self._method_rows())

    def _method_rows(self) -> list[dict[str, Any]]:
        return [answer.to_dict() | asdict(MEANINGS[answer.method]) for answer in self.answers]

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as the command line's ``--json`` prints it."""
        test = None
        if self.mundlak is not None:
            test = plain(
                {
                    "max_difference": self.mundlak.max_difference,
                    "statistic": self.mundlak.statistic,
                    "df": self.mundlak.df,
                    "p_value": self.mundlak.p_value,
                }
            )
        return {
            "model": self.model,
            "rows": records(self.table),
            "methods": self._method_rows(),
            "mundlak": test,
        }

    def summary(self) -> str:
        """The estimators side by side, and what each of them means."""
        return str(render("alternatives.summary", self))

    def __repr__(self) -> str:
        used = sum(not answer.reason for answer in self.answers)
        return f"<Alternatives {self.model}: {used} of {len(self.answers)} estimators>"
