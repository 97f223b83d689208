"""What another program printed: results with the decimals that they have."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PrintedFigure", "PrintedResults", "PrintedRow"]


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One printed estimate.

    Parameters
    ----------
    name : str
        The parameter, as the model names it: ``"i~~s"`` for a SEM's row, a coefficient's name
        for a mixed model.
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
    """

    name: str
    estimate: float
    std_error: float | None = None
    decimals: int = 3
    fixed: bool = False
    printed: str = ""
    group: int = 0

    @property
    def tolerance(self) -> float:
        """Half a unit of the last printed decimal."""
        return 0.5 * 10.0**-self.decimals


@dataclass(frozen=True, slots=True)
class PrintedFigure:
    """A printed figure of the whole fit.

    Parameters
    ----------
    value : float
        The figure.
    decimals : int
        How many decimals were printed.
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


@dataclass(frozen=True, slots=True)
class PrintedResults:
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
        Counts.
    estimator : str, optional
        ``"ML"``, ``"REML"``, ``"MLR"``.
    terminated_normally : bool
        Whether the program says that it converged.
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

    def row(self, name: str, group: int = 0) -> PrintedRow | None:
        """The row called `name`, or None."""
        return next((r for r in self.rows if r.name == name and r.group == group), None)
