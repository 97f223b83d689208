"""What a comparison with printed results found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from growthmm.inference.result import FitResult
from growthmm.printed.results import PrintedResults
from growthmm.rendering import Brief, Shown, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AgainstPrinted", "Cause", "ComparedFigure"]


@dataclass(frozen=True, repr=False)
class ComparedFigure(Brief):
    """One printed number beside ours.

    Parameters
    ----------
    printed_name : str
        What the program calls it.
    name : str
        What growthmm calls it; empty where its model has no such parameter.
    what : {"estimate", "std_error", "figure", "count"}
        Which number of the row it is.
    printed : float
        As printed.
    ours : float or None
        Ours; None where there is none.
    tolerance : float
        Half a unit of the last printed digit, and the allowance for the program.
    agrees : bool
        Whether the two differ by no more.
    group : int
        The group, from 0.
    """

    printed_name: str
    name: str
    what: Literal["estimate", "std_error", "figure", "count"]
    printed: float
    ours: float | None
    tolerance: float
    agrees: bool
    group: int = 0

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from the others."""
        return self.printed_name, self.what, self.group


@dataclass(frozen=True, repr=False)
class Cause(Brief):
    """One reason why printed numbers differ from ours, tested by refitting.

    Parameters
    ----------
    cause : str
        A stable word: ``estimator``, ``listwise``, ``information``, ``robust``, ``divisor``,
        ``bic``, ``aic``, ``bounds``, ``adjusted_errors``, ``deviations``,
        ``residual_variances``, ``random_covariances``, ``stopped_early``, ``different_data``.
    description : str
        In plain words, with figures.
    reproduced : tuple of str
        The numbers that agree under the alternative and did not before.
    remaining : int
        How many still differ.
    """

    cause: str
    description: str
    reproduced: tuple[str, ...]
    remaining: int


@dataclass(frozen=True)
class AgainstPrinted(Shown):
    """Our fit beside what another program printed.

    Parameters
    ----------
    verdict : {"agrees", "explained", "differs"}
        ``agrees``: every printed number, to its printed precision. ``explained``: not, but refits
        under the `causes` reproduce all. ``differs``: some remain.
    printed : PrintedResults
        What was read.
    fit : FitResult
        Ours, by the program's estimator and defaults.
    rows : tuple of ComparedFigure
        Number by number.
    causes : tuple of Cause
        Why numbers differ, in the order in which they explain most.
    settings : tuple of str
        Under which rules of the program our fit was made.
    allowance : str
        What is allowed beyond the printed precision.
    not_printed : tuple of str
        Our parameters that the output does not show.
    assumptions : tuple of str
        What was guessed.
    """

    verdict: Literal["agrees", "explained", "differs"]
    printed: PrintedResults
    fit: FitResult
    rows: tuple[ComparedFigure, ...]
    causes: tuple[Cause, ...]
    settings: tuple[str, ...]
    allowance: str
    not_printed: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether every printed number agrees."""
        return self.verdict == "agrees"

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def summary(self) -> str:
        """The comparison as text."""
        return str(render("printed.summary", self))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values, as the command line's ``--json`` prints it."""
        return {
            "verdict": self.verdict,
            "against": {
                "program": self.printed.program,
                "notation": self.printed.notation,
                "estimator": self.fit.estimator,
                "settings": list(self.settings),
                "allowance": self.allowance,
                "n_compared": len(self.rows),
                "n_agree": sum(row.agrees for row in self.rows),
                "rows": [asdict(row) for row in self.rows],
                "causes": [asdict(cause) for cause in self.causes],
                "not_printed": list(self.not_printed),
                "assumptions": list(self.assumptions),
                "terminated_normally": self.printed.terminated_normally,
            },
            "log_likelihood": self.fit.log_likelihood,
            "n_subjects": self.fit.n_subjects,
            "n_rows": self.fit.n_rows,
        }

    def __repr__(self) -> str:
        agree = sum(row.agrees for row in self.rows)
        return (
            f"<AgainstPrinted {self.printed.program}: {self.verdict}, "
            f"{agree} of {len(self.rows)} numbers agree>"
        )
