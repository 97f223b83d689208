"""What ``summary()`` prints of an lme4 fit, with lmerTest or without."""

from __future__ import annotations

import re

from growthmm.printed.figures import after, refuse
from growthmm.printed.r_tables import coefficients, criteria, group_counts, lines_of, variance_table
from growthmm.printed.results import PrintedResults

__all__ = ["read_output"]

_METHOD = re.compile(r"^Linear mixed model fit by (REML|maximum\s+likelihood)", re.M)


def read_output(text: str) -> PrintedResults:
    """Read a summary of ``lmer()``.

    Parameters
    ----------
    text : str
        The summary.

    Returns
    -------
    PrintedResults
        Fixed effects, variances with standard deviations, correlations, criteria and counts.

    Raises
    ------
    NotationError
        If the text is none, or has no fixed effects.

    Examples
    --------
    >>> found = read_output('''Linear mixed model fit by REML ['lmerMod']
    ... REML criterion at convergence: 261
    ... Random effects:
    ...  Groups   Name        Variance Std.Dev. Corr
    ...  student  (Intercept) 0.045193 0.21259
    ...           occasion    0.004504 0.06711  -0.10
    ...  Residual             0.042388 0.20588
    ... Number of obs: 1200, groups:  student, 200
    ... Fixed effects:
    ...             Estimate Std. Error t value
    ... occasion    0.106314   0.005885   18.07
    ... ''')
    >>> found.row("cor((Intercept),occasion|student)").estimate, found.n_subjects
    (-0.1, 200)
    """
    method = _METHOD.search(text)
    if method is None:
        raise refuse(
            "This is no summary of lmer().",
            text,
            0,
            "It begins with 'Linear mixed model fit by REML' or 'by maximum likelihood'.",
        )
    lines = lines_of(text)
    fixed = next((k for k, line in enumerate(lines) if line.text.startswith("Fixed effects:")), -1)
    random = next((k for k, line in enumerate(lines) if line.text.startswith("Random effects")), 0)
    rows = coefficients(lines, fixed + 1) if fixed >= 0 else []
    if not rows:
        raise refuse(
            "The summary has no table of fixed effects.",
            text,
            method.start(),
            "Give all that summary() printed.",
        )
    known = criteria(lines)
    criterion = after(text, "REML criterion at convergence")
    n_subjects, n_rows = group_counts(text)
    return PrintedResults(
        program="lmerTest" if "lmerModLmerTest" in text else "lme4",
        notation="lme4",
        family="mixed",
        rows=(*rows, *variance_table(lines, random)),
        log_likelihood=known.get("log_likelihood"),
        deviance=known.get("deviance") or criterion,
        aic=known.get("aic"),
        bic=known.get("bic"),
        n_subjects=n_subjects,
        n_rows=n_rows,
        estimator="REML" if method[1] == "REML" else "ML",
        terminated_normally="failed to converge" not in text,
    )
