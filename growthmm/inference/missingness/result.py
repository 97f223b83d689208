"""What is missing, who is dropped for it, and what that does to the estimates."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.data.patterns import missing_patterns
from growthmm.inference.missingness.dropout import Dropout, means_by_dropout
from growthmm.inference.missingness.rules import Rule
from growthmm.inference.plain_values import plain, records
from growthmm.rendering import Brief, Shown, Tabular, render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["TITLES", "Analysis", "BothSides", "MissingData", "Series"]

FloatArray = NDArray[np.float64]

TITLES: dict[str, str] = {
    "maximum_likelihood": "maximum likelihood, all observed outcomes",
    "full_information": "the same, without persons who lack a covariate",
    "auxiliary": "maximum likelihood with auxiliary variables",
    "imputation": "multiple imputation",
    "forest": "one imputation by random forests",
    "listwise": "complete persons alone",
}
"""The analyses by their stable words, in the order of tables."""


@dataclass(frozen=True, repr=False)
class Series(Brief):
    """The values of one outcome, or of all where patterns go across.

    Parameters
    ----------
    name : str
        The outcome.
    columns : tuple of str
        Its wide columns.
    values : (n_subjects, n_times) ndarray
        NaN where missing.
    """

    name: str
    columns: tuple[str, ...]
    values: FloatArray


@dataclass(frozen=True, repr=False)
class Analysis(Brief):
    """One way of dealing with what is missing.

    Parameters
    ----------
    method : str
        A stable word, a key of :data:`TITLES`.
    estimates : DataFrame, optional
        With ``name, kind, estimate, std_error``; None where it gave none.
    n_subjects, n_rows : int, optional
        Persons and outcome values behind it.
    note : str
        What is to know.
    reason : str
        Why there are no estimates; empty where there are.
    """

    method: str
    estimates: pd.DataFrame | None
    n_subjects: int | None = None
    n_rows: int | None = None
    note: str = ""
    reason: str = ""

    @property
    def title(self) -> str:
        """The method in words."""
        return TITLES[self.method]


@dataclass(frozen=True, repr=False)
class BothSides(Brief):
    """All-rows maximum likelihood of the mixed model beside full information of the growth curve.

    Parameters
    ----------
    verdict : str
        Of the verification; ``unavailable`` without a second form.
    log_likelihood_long, log_likelihood_wide : float
        Of both fits.
    max_difference_in_se : float
        Largest difference of an estimate, over its standard error.
    reason : str
        The verdict in a sentence, or why there is none.
    """

    verdict: str
    log_likelihood_long: float = np.nan
    log_likelihood_wide: float = np.nan
    max_difference_in_se: float = np.nan
    reason: str = ""


@dataclass(frozen=True)
class MissingData(Tabular, Shown):
    """A look at missing data.

    Parameters
    ----------
    model : str
        The model's label.
    series : tuple of Series
        The outcomes.
    rules : tuple of Rule
        Who is dropped by whom.
    both : BothSides
        That both sides use what is there in the same way.
    dropout : tuple of Dropout
        One for each outcome.
    analyses : tuple of Analysis
        Estimates by each way, maximum likelihood first.
    seed : int
        Of the imputations.
    notes : tuple of str
        What is to know beside.
    """

    model: str
    series: tuple[Series, ...]
    rules: tuple[Rule, ...]
    both: BothSides
    dropout: tuple[Dropout, ...]
    analyses: tuple[Analysis, ...]
    seed: int = 0
    notes: tuple[str, ...] = ()

    def __getitem__(self, method: str) -> Analysis:
        for analysis in self.analyses:
            if analysis.method == method:
                return analysis
        raise KeyError(method)

    @property
    def _whole(self) -> Series:
        columns = tuple(name for s in self.series for name in s.columns)
        return Series("", columns, np.column_stack([s.values for s in self.series]))

    @property
    def patterns(self) -> pd.DataFrame:
        """Which outcomes were observed together: a boolean column each, ``n_observed, count``."""
        whole = self._whole
        return missing_patterns(whole.values).to_frame(whole.columns)

    @property
    def occasions(self) -> pd.DataFrame:
        """One row an outcome's column: ``column, n_observed, n_missing, share_missing``."""
        import pandas as pd

        whole = self._whole
        seen = np.isfinite(whole.values).sum(axis=0)
        n = len(whole.values)
        return pd.DataFrame(
            {
                "column": whole.columns,
                "n_observed": seen,
                "n_missing": n - seen,
                "share_missing": 1.0 - seen / max(n, 1),
            }
        )

    @property
    def means(self) -> pd.DataFrame:
        """Observed means of the persons last seen at the same occasion.

        Columns ``outcome, last_seen, n_subjects, column, n, mean``.
        """
        import pandas as pd

        rows = []
        for own in self.series:
            for last, persons, means, counts in means_by_dropout(own.values):
                rows += [
                    {
                        "outcome": own.name,
                        "last_seen": own.columns[last],
                        "n_subjects": persons,
                        "column": own.columns[j],
                        "n": int(counts[j]),
                        "mean": float(means[j]),
                    }
                    for j in range(len(own.columns))
                    if counts[j]
                ]
        return pd.DataFrame(rows)

    @property
    def estimates(self) -> pd.DataFrame:
        """One row a parameter and analysis.

        Columns ``name, kind, method, estimate, std_error, difference_in_se, relative_std_error,
        missing_information``: the difference from maximum likelihood over its standard error, and
        the standard error over its own; what imputation says is missing of the information.
        """
        import pandas as pd

        base = self["maximum_likelihood"].estimates
        columns = ["name", "kind", "method", "estimate", "std_error"]
        last = ["difference_in_se", "relative_std_error", "missing_information"]
        if base is None:
            return pd.DataFrame(columns=columns + last)
        parts = []
        for analysis in self.analyses:
            if analysis.estimates is None:
                continue
            own = analysis.estimates.set_index("name").reindex(base["name"]).reset_index()
            made = own.assign(
                kind=base["kind"].to_numpy(),
                method=analysis.method,
                difference_in_se=(own["estimate"] - base["estimate"]) / base["std_error"],
                relative_std_error=own["std_error"] / base["std_error"],
            )
            parts.append(made.reindex(columns=columns + last))
        return pd.concat(
            [part.astype(dict.fromkeys(last, float)) for part in parts], ignore_index=True
        )

    def plot(self) -> Figure:
        """Patterns, and curves of observed means by when persons were last seen (matplotlib)."""
        made: Figure = render("missing.figure", self)
        return made

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as the command line's ``--json`` prints it."""
        whole = self._whole
        return {
            "model": self.model,
            "columns": list(whole.columns),
            "patterns": [
                {
                    "observed": [bool(row[name]) for name in whole.columns],
                    "n_observed": int(row["n_observed"]),
                    "count": int(row["count"]),
                }
                for row in self.patterns.to_dict("records")
            ],
            "occasions": records(self.occasions),
            "rules": [rule.to_dict() for rule in self.rules],
            "both_sides": plain(asdict(self.both)),
            "dropout": [found.to_dict() for found in self.dropout],
            "means": records(self.means),
            "analyses": [
                {
                    "method": a.method,
                    "title": a.title,
                    "used": a.estimates is not None,
                    "n_subjects": a.n_subjects,
                    "n_rows": a.n_rows,
                    "note": a.note,
                    "reason": a.reason,
                }
                for a in self.analyses
            ],
            "estimates": records(self.estimates),
            "seed": self.seed,
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """What was found, as text."""
        return str(render("missing.summary", self))

    def __repr__(self) -> str:
        values = self._whole.values
        gaps = int(np.isnan(values).sum())
        return f"<MissingData {self.model}: {gaps} of {values.size} outcomes missing>"
