"""The verb ``compare``."""

from __future__ import annotations

from growthmm.inference.comparison import Comparison, compare_fits
from growthmm.inference.result import FitResult
from growthmm.progress import showing

__all__ = ["compare"]


def compare(
    *fits: FitResult, refit: bool | None = None, progress: bool | None = None
) -> Comparison:
    """Compare fits of the same data by likelihood-ratio tests and information criteria.

    ``2 (log L1 - log L0)`` against chi-square (Wilks 1938, doi:10.1214/aoms/1177732360), ``-2 log L
    + 2 k`` (Akaike 1974, doi:10.1109/TAC.1974.1100705), its correction ``+ 2 k (k + 1) / (n - k -
    1)`` (Hurvich & Tsai 1989, doi:10.1093/biomet/76.2.297) and ``-2 log L + k log n`` (Schwarz
    1978, doi:10.1214/aos/1176344136), over rows and over persons.

    Parameters
    ----------
    *fits : FitResult
        At least two.
    refit : bool, optional
        Whether REML fits are refitted by ML first; they are where None, as lme4's ``anova``
        does.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    Comparison
        ``.rows``, ``.table`` and ``.summary()``.

    Raises
    ------
    SpecificationError
        If fewer than two fits are given, or ML and REML fits are mixed without refitting.
    DataError
        If they were not fitted to the same outcomes.

    Examples
    --------
    >>> import growthmm as gm
    >>> data = gm.datasets.gpa()
    >>> a = gm.fit("gpa ~ occasion + (1 + occasion | student)", data)
    >>> b = gm.fit("gpa ~ occasion + sex + (1 + occasion | student)", data)
    >>> round(gm.compare(a, b).rows[1].chi_square, 3)
    10.166
    """
    with showing(progress):
        return compare_fits(fits, refit=refit)
