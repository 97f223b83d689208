"""The verb ``diagnose``."""

from __future__ import annotations

from growthmm.inference.diagnostics.diagnosis import Diagnosis, diagnose_fit
from growthmm.inference.result import FitResult
from growthmm.progress import showing

__all__ = ["diagnose"]


def diagnose(fit: FitResult, *, influence: bool = False, progress: bool | None = None) -> Diagnosis:
    """Look a fit over: whether it is a maximum, and whether the data determine it.

    Checks the slope of the likelihood and its curvature, computed anew at the estimates, the
    boundary of covariance matrices, scales and collinearity of the predictors, times far from
    zero, the number of persons, variances near zero and correlations near one. The slope `s` is
    measured by what is still to be gained, ``s' I^-1 s / 2`` with minus the Hessian `I` (Dennis &
    Schnabel 1996, doi:10.1137/1.9781611971200, section 7.2); collinearity by variance inflation
    and condition numbers (Belsley, Kuh & Welsch 1980, doi:10.1002/0471725153); influence by the
    distance ``(b - b_i)' V^-1 (b - b_i) / p`` (Cook 1977, doi:10.1080/00401706.1977.10489493).

    Parameters
    ----------
    fit : FitResult
        By whatever engine, unpenalised.
    influence : bool
        Whether to leave out every person in turn too (Cook's distances), a fit for each.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    Diagnosis
        ``.status``, ``.converged``, ``.findings`` with evidence and remedy, ``.table``,
        ``.summary()``.

    Raises
    ------
    SpecificationError
        If the fit is penalised: its estimates are no maximum of the likelihood.
    UnsupportedEngineError
        If persons can't be left out.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (1 + occasion | student)", gm.datasets.gpa())
    >>> found = gm.diagnose(fit)
    >>> found.status, found["gradient"].status
    ('ok', 'ok')
    """
    with showing(progress):
        return diagnose_fit(fit, influence=influence)
