"""What another program printed: results with the decimals that they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from growthmm.rendering import Brief

__all__ = ["FIGURES", "PrintedFigure", "PrintedResults", "PrintedRow", "RowKind"]

RowKind = Literal[
    "fixed",
    "variance",
    "sd",
    "covariance",
    "correlation",
    "residual variance",
    "residual sd",
    "residual log variance",
    "residual ratio",
    "residual correlation",
    "residual covariance",
    "path",
    "defined",
]
"""What a printed number is.

``path`` is any row of a structural equation model, named as lavaan names it. ``residual ratio``
is a standard deviation over the reference stratum's (nlme's ``varIdent``).
"""


@dataclass(frozen=True, slots=True, repr=False)
class PrintedRow(Brief):
    """One printed estimate.

    Parameters
    ----------
    name : str
        The parameter, as the model names it: ``"i~~s"`` for a SEM's row, a coefficient's name
        for a mixed model, ``"var(occasion|student)"`` and the like for its (co)variances.
    estimate : float
        The estimate.
    std_error : float, optional
        Its standard error; None where none was printed, or the parameter is fixed.
    decimals : int
        How many decimals were printed: half a unit of the last one is what can be compared.
    fixed : bool
        Whether the program says that it was not estimated.
    printed : str
        What the program calls it: ``"S WITH I"``.
    group : int
        Which group it belongs to, from 0.
    kind : str
        What the number is; see :data:`RowKind`.
    effects : tuple of str
        Mixed models: the effect (two of a covariance), a residual's stratum; ``"#2"`` where the
        program says a position alone.
    block : str
        Mixed models: the grouping factor as printed; empty where none was.
    error_decimals : int
        Decimals of the standard error.
    """

    name: str
    estimate: float
    std_error: float | None = None
    decimals: int = 3
    fixed: bool = False
    printed: str = ""
    group: int = 0
    kind: RowKind = "path"
    effects: tuple[str, ...] = ()
    block: str = ""
    error_decimals: int = 3

    @property
    def tolerance(self) -> float:
        """Half a unit of the last printed decimal."""
        return 0.5 * 10.0**-self.decimals

    @property
    def error_tolerance(self) -> float:
        """Half a unit of the last printed decimal of the standard error."""
        return 0.5 * 10.0**-self.error_decimals


@dataclass(frozen=True, slots=True, repr=False)
class PrintedFigure(Brief):
    """A printed figure of the whole fit.

    Parameters
    ----------
    value : float
        The figure.
    decimals : int
        How many decimals were printed; negative where the last digits are rounded away.
    """

    value: float
    decimals: int = 3

    @property
    def tolerance(self) -> float:
        """Half a unit of the last printed decimal."""
        return 0.5 * 10.0**-self.decimals

    def agrees(self, value: float) -> bool:
        """Whether `value` rounds to the figure (with room for the sum of two roundings).

        Examples
        --------
        >>> PrintedFigure(-123.117).agrees(-123.11710), PrintedFigure(-123.117).agrees(-123.12)
        (True, False)
        """
        return abs(value - self.value) <= self.tolerance * (1 + 1e-6)


FIGURES = (
    *("log_likelihood", "deviance", "aic", "bic", "unrestricted_log_likelihood"),
    *("chi_square", "rmsea", "cfi", "tli", "srmr"),
)
"""The figures of the whole fit that a program may print."""


@dataclass(frozen=True, slots=True, repr=False)
class PrintedResults(Brief):
    """The results that a program printed.

    Parameters
    ----------
    program : str
        Which program, with its version where it says one.
    rows : tuple of PrintedRow
        The estimates.
    log_likelihood, unrestricted_log_likelihood : PrintedFigure, optional
        Of the model, and of the saturated one.
    aic, bic, chi_square, rmsea, cfi, tli, srmr : PrintedFigure, optional
        Fit.
    n_parameters, n_subjects, n_rows, df : int, optional
        Counts; `df` of the chi-square test.
    estimator : str, optional
        ``"ML"``, ``"REML"``, ``"MLR"``.
    terminated_normally : bool
        Whether the program says that it converged.
    deviance : PrintedFigure, optional
        ``-2 log L``, of the restricted likelihood under REML.
    notation : str
        The program's name among the notations: ``"lme4"``.
    family : {"mixed", "sem"}
        What it fitted.
    information : {"expected", "observed"}, optional
        Where the program says which information matrix its standard errors are from.
    robust : bool
        Whether it says that they are of the sandwich kind.
    listwise : bool, optional
        Whether incomplete persons were dropped, where that can be told.
    n_given : int, optional
        Persons in its data, where it says how many it left out.
    """

    program: str
    rows: tuple[PrintedRow, ...]
    log_likelihood: PrintedFigure | None = None
    unrestricted_log_likelihood: PrintedFigure | None = None
    aic: PrintedFigure | None = None
    bic: PrintedFigure | None = None
    chi_square: PrintedFigure | None = None
    rmsea: PrintedFigure | None = None
    cfi: PrintedFigure | None = None
    tli: PrintedFigure | None = None
    srmr: PrintedFigure | None = None
    n_parameters: int | None = None
    n_subjects: int | None = None
    n_rows: int | None = None
    df: int | None = None
    estimator: str | None = None
    terminated_normally: bool = True
    deviance: PrintedFigure | None = None
    notation: str = "mplus"
    family: Literal["mixed", "sem"] = "sem"
    information: Literal["expected", "observed"] | None = None
    robust: bool = False
    listwise: bool | None = None
    n_given: int | None = None

    def row(self, name: str, group: int = 0) -> PrintedRow | None:
        """The row called `name`, or None."""
        return next((r for r in self.rows if r.name == name and r.group == group), None)

    def figures(self) -> dict[str, PrintedFigure]:
        """The figures of the whole fit that were printed, by name."""
        found = {name: getattr(self, name) for name in FIGURES}
        return {name: figure for name, figure in found.items() if figure is not None}

    def counts(self) -> dict[str, int]:
        """The counts that were printed, by name."""
        found = {
            "n_parameters": self.n_parameters,
            "n_subjects": self.n_subjects,
            "n_rows": self.n_rows,
            "df": self.df,
        }
        return {name: count for name, count in found.items() if count is not None}
