"""Results that other programs printed: one file a program, and the registry that finds them."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from growthmm.errors import NotationError, SpecificationError

if TYPE_CHECKING:
    from growthmm.printed.results import PrintedResults

__all__ = ["READERS", "SIGNS", "program_of", "programs", "read_printed"]

READERS = {
    "mplus": "growthmm.printed.mplus",
    "lavaan": "growthmm.printed.lavaan",
    "openmx": "growthmm.printed.openmx",
    "lme4": "growthmm.printed.lme4",
    "nlme": "growthmm.printed.nlme",
    "glmmtmb": "growthmm.printed.glmmtmb",
    "statsmodels": "growthmm.printed.statsmodels",
    "sas": "growthmm.printed.sas",
    "spss": "growthmm.printed.spss",
    "stata": "growthmm.printed.stata",
}
"""Program, by its notation's name, and the module whose ``read_output`` reads what it prints."""

SIGNS = {
    "mplus": r"Mplus\s+(?:VERSION|DEVELOPMENT)",
    "lavaan": r"^\s*lavaan\s+\(?\d[\w.-]*\)?\s+\S",
    "openmx": r"^free parameters:",
    "lme4": r"^Linear mixed model fit by",
    "nlme": r"^(?:Linear mixed-effects model|Generalized least squares) fit by",
    "glmmtmb": r"^\s?Family:\s*\w+\s*\(",
    "statsmodels": r"Mixed Linear Model Regression Results",
    "stata": r"^\s*Mixed-effects (?:ML|REML) regression",
    "spss": r"Estimates of (?:Fixed Effects|Covariance Parameters)",
    "sas": r"The Mixed Procedure|Covariance Parameter Estimates|Solution for Fixed Effects",
}
"""What a program's output begins with, as a pattern."""

ONE_EACH = ("lavaan", "openmx", "lme4", "nlme", "glmmtmb", "statsmodels", "stata")
"""Programs whose sign begins every result, so that a second one is a second result."""

LONGEST = 5_000_000


def programs() -> tuple[str, ...]:
    """The programs whose output is read."""
    return tuple(READERS)


def program_of(text: str) -> str | None:
    """The program that printed `text`, or None where none of those known did.

    Examples
    --------
    >>> program_of("Linear mixed model fit by REML ['lmerMod']")
    'lme4'
    """
    found = [
        (match.start(), name)
        for name, sign in SIGNS.items()
        if (match := re.search(sign, text, re.M)) is not None
    ]
    return min(found)[1] if found else None


def read_printed(text: str, program: str | None = None) -> PrintedResults:
    """Read the results that a program printed.

    Parameters
    ----------
    text : str
        What it printed: Mplus's ``.out``, ``summary()`` of lme4, nlme, glmmTMB, lavaan or OpenMx,
        a listing of PROC MIXED or of SPSS MIXED, a log of Stata's ``mixed``, a summary of
        statsmodels.
    program : str, optional
        Which program; recognised from the text where None.

    Returns
    -------
    PrintedResults
        Estimates and figures, each with its printed decimals.

    Raises
    ------
    NotationError
        If no program is recognised, the text holds no results or several.
    SpecificationError
        If there is no such program.

    Examples
    --------
    >>> found = read_printed('''Linear mixed model fit by maximum likelihood  ['lmerMod']
    ...      AIC      BIC   logLik deviance df.resid
    ...   258.2    288.8   -123.1    246.2     1194
    ... Fixed effects:
    ...             Estimate Std. Error t value
    ... (Intercept) 2.599214   0.018311  141.95
    ... ''')
    >>> found.notation, found.estimator, found.rows[0].estimate, found.rows[0].decimals
    ('lme4', 'ML', 2.599214, 6)
    """
    from growthmm.printed.figures import refuse, tidy

    if program is not None and program not in READERS:
        raise SpecificationError(
            f"There is no reader of printed results for {program!r}.",
            hint=f"Programs: {', '.join(READERS)}.",
        )
    if len(text) > LONGEST:
        raise NotationError(
            f"The printed results have {len(text):,} characters; {LONGEST:,} are read.",
            hint="Keep the part with the results of one model.",
        )
    text = tidy(text)
    name = program or program_of(text)
    if name is None:
        raise refuse(
            "The text is no output of a program that growthmm knows.",
            text,
            len(text) - len(text.lstrip()),
            f"Programs: {', '.join(READERS)}. Give what the program printed, heading included.",
        )
    if name in ONE_EACH:
        starts = list(re.finditer(SIGNS[name], text, re.M))
        if len(starts) > 1:
            raise refuse(
                "The text holds the results of a second model.",
                text,
                starts[1].start(),
                "Keep those of one model.",
            )
    reader = import_module(READERS[name])
    results: PrintedResults = reader.read_output(text)
    if not results.rows:
        raise refuse(
            "The text has the program's heading, but no estimates.",
            text,
            0,
            "Give all that the program printed of one model.",
        )
    return results
