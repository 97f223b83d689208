"""What ``summary()`` prints of a glmmTMB fit."""

from __future__ import annotations

import re
from dataclasses import replace

from growthmm.printed.figures import refuse
from growthmm.printed.r_tables import coefficients, criteria, group_counts, lines_of, variance_table
from growthmm.printed.results import PrintedResults

__all__ = ["read_output"]


def read_output(text: str) -> PrintedResults:
    """Read a summary of a Gaussian ``glmmTMB()``; it does not say whether by ML or REML.

    Parameters
    ----------
    text : str
        The summary.

    Returns
    -------
    PrintedResults
        Fixed effects, (co)variances, and the logarithms of residual variances.

    Raises
    ------
    NotationError
        If the text is none, or that of another family.
    """
    family = re.search(r"^\s?Family:\s*(\w+)", text, re.M)
    if family is None or family[1] != "gaussian":
        raise refuse(
            "This is no summary of a Gaussian glmmTMB()."
            if family is None
            else f"The family is {family[1]}.",
            text,
            0 if family is None else family.start(1),
            "Results of the family gaussian are read.",
        )
    lines = lines_of(text)
    headings = [k for k, line in enumerate(lines) if line.text.startswith("Conditional model:")]
    groups = next((k for k, line in enumerate(lines) if line.text.startswith("Random effects")), 0)
    rows = coefficients(lines, headings[-1] + 1) if headings else []
    if not rows:
        raise refuse(
            "The summary has no table of fixed effects.",
            text,
            family.start(),
            "Give all that summary() printed.",
        )
    spread = next((k for k, ln in enumerate(lines) if ln.text.startswith("Dispersion model:")), -1)
    dispersion = coefficients(lines, spread + 1, "dispersion ") if spread >= 0 else []
    residuals = [
        replace(row, name=f"log var(Residual {row.name})", kind="residual log variance")
        for row in dispersion
    ]
    known = criteria(lines)
    n_subjects, n_rows = group_counts(text)
    return PrintedResults(
        program="glmmTMB",
        notation="glmmtmb",
        family="mixed",
        rows=(*rows, *variance_table(lines, groups), *residuals),
        log_likelihood=known.get("log_likelihood"),
        deviance=known.get("deviance"),
        aic=known.get("aic"),
        bic=known.get("bic"),
        n_subjects=n_subjects,
        n_rows=n_rows,
    )
