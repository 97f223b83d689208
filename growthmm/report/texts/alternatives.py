"""Several estimators side by side, as text."""

from __future__ import annotations

from math import isnan

from growthmm.inference.alternatives.meaning import MEANINGS
from growthmm.inference.alternatives.result import Alternatives
from growthmm.report.text_table import figure, p_text, paragraph, table

__all__ = ["alternatives_summary"]


def alternatives_summary(found: Alternatives) -> str:
    """A block of rows a coefficient, then a paragraph an estimator.

    Parameters
    ----------
    found : Alternatives
        The answers.
    """
    rows, last = [], None
    for row in found.table.to_dict("records"):
        name = str(row["name"])
        rows.append(
            [
                "" if name == last else name,
                MEANINGS[str(row["method"])].title,
                figure(row["estimate"]),
                figure(row["std_error"]),
                p_text(row["p_value"]),
                "" if row["method"] == "mixed" else figure(row["difference_in_se"], 2),
            ]
        )
        last = name
    headers = ["effect", "by", "estimate", "SE", "p", "from mixed, in SE"]
    used = next(answer for answer in found.answers if answer.method == "mixed")
    lines = [paragraph(found.model), f"{used.n_subjects} persons, {used.n_rows} rows", ""]
    lines += [table(headers, rows, left=2)]
    if found.mundlak is not None:
        lines += ["", *_device(found)]
    lines += ["", "What they are"]
    for answer in found.answers:
        meaning = MEANINGS[answer.method]
        text = f"{meaning.title} [{meaning.library}]. Estimates {meaning.estimates}. Assumes: "
        text += f"{meaning.assumes}. Does not estimate: {meaning.silent}."
        if answer.reason:
            text = f"{meaning.title}: not here, {answer.reason}."
        elif answer.note:
            text += f" Here {answer.note}."
        lines.append(paragraph(text, indent="  "))
    return "\n".join(lines)


def _device(found: Alternatives) -> list[str]:
    device = found.mundlak
    assert device is not None
    same = (
        "Persons' means as predictors (Mundlak) give the within estimates: largest difference "
        f"{device.max_difference:.1e}."
    )
    if isnan(device.df):
        return [paragraph(same)]
    test = (
        f"Effects between persons are those within (all means' coefficients zero): chi-square "
        f"{device.statistic:.2f}, df {device.df:.0f}, p {p_text(device.p_value)}. Where p is "
        "small, the mixed model's effect of a predictor mixes two different effects. A mean of "
        "time tells when a person was seen: its coefficient is dropout, or late entry, that goes "
        "with the person's level, which maximum likelihood allows for."
    )
    return [paragraph(same), paragraph(test)]
