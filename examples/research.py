"""From a raw CSV to a report, asking whether a reading programme makes pupils learn faster.

``python examples/research.py FOLDER`` works in a folder with ``scores.csv``, which
``python examples/make_data.py FOLDER`` makes, and writes there

- ``report.html``: the final model verified, for colleagues;
- ``estimates.tex`` and ``estimates.csv``: its table, for the paper;
- ``model.R`` and ``model.inp``: the model for lavaan and Mplus, for reviewers.

It needs ``pip install 'growthmm[report]'``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import growthmm as gm

ABSENT = -99
LINE = "read ~ term + (1 + term | pupil)"
FINAL = "read ~ term * programme + home + (1 + term | pupil)"


def load(path: Path) -> pd.DataFrame:
    """Read the raw file: a row a pupil and term, absences as missing values."""
    raw = pd.read_csv(path)
    if raw["pupil"].duplicated().any():
        raise SystemExit("A pupil occurs twice.")
    terms = [name for name in raw if name.startswith("read_")]
    raw[terms] = raw[terms].mask(raw[terms] == ABSENT)
    return gm.to_long(raw, id="pupil", time="term", values=["read"])


def shapes(data: pd.DataFrame) -> str:
    """Hold a line against other shapes of growth, by ML."""
    return gm.compare(
        gm.fit("read ~ term + (1 | pupil)", data),
        gm.fit(LINE, data),
        gm.fit("read ~ term + I(term^2) + (1 + term | pupil)", data),
        gm.fit(LINE, data, residual="by_occasion"),
    ).summary()


def main(folder: Path) -> None:
    """Analyse the data of a folder and write the results beside them."""
    data = load(folder / "scores.csv")
    observed = data["read"].notna()
    print(f"{data['pupil'].nunique()} pupils, {observed.sum()} of {len(data)} scores observed")

    print("\nWhich shape, and which residuals?")
    print(shapes(data))

    fit = gm.fit(FINAL, data, estimator="reml", df="kenward-roger")
    print("\nThe model, by REML")
    print(fit.summary())

    checks = gm.diagnose(fit)
    print(f"\nDiagnosis: {checks.status}")
    slopes = gm.simple_slopes(fit, "term", "term:programmeyes", at=[0, 1])
    print("\nPoints a term, with 95% intervals")
    for group, slope in zip(("not in the programme", "in it"), slopes.itertuples(), strict=True):
        print(f"  {group}: {slope.estimate:.2f} ({slope.ci_low:.2f} to {slope.ci_high:.2f})")

    check = gm.verify(FINAL, data)
    print(f"\nThe growth curve of this model: {check.verdict}")
    print(f"  (without data: {check.model_verdict}, {'; '.join(check.conditions)})")
    check.to_html(folder / "report.html")
    (folder / "estimates.tex").write_text(fit.to_latex(), encoding="utf-8")
    fit.tidy().to_csv(folder / "estimates.csv", index=False)
    data.to_csv(folder / "long.csv", index=False)
    for program, name in (("lavaan", "model.R"), ("mplus", "model.inp")):
        made = gm.translate(FINAL, program, data=folder / "long.csv")
        (folder / name).write_text(made.script, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
