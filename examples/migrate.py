"""An Mplus project, moved to R: its input becomes a lavaan and an nlme script.

``python examples/migrate.py FOLDER`` works in a folder with ``growth.inp`` and the data that it
names, ``growth.dat``; ``python examples/make_data.py FOLDER`` puts both there. It writes

- ``growth.csv``: the data with names, as other programs want them;
- ``growth_lavaan.R``, ``growth_nlme.R``: complete programs;
- ``defaults.txt``: where Mplus and the new programs differ unless told.

Where R is installed, both programs' engines are asked as witnesses.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import growthmm as gm
from growthmm.engines.registry import states

COLUMNS = ["prog", "home", "r0", "r1", "r2", "r3", "r4"]
MISSING = -99
TARGETS = ("lavaan", "nlme")


def named(folder: Path) -> Path:
    """The data as a CSV file with names, -99 as empty cells; persons are numbered."""
    data = pd.read_csv(folder / "growth.dat", sep=r"\s+", header=None, names=COLUMNS)
    data = data.mask(data == MISSING)
    data.insert(0, "pupil", range(1, len(data) + 1))
    path = folder / "growth.csv"
    data.to_csv(path, index=False)
    return path


def main(folder: Path) -> None:
    """Translate, verify and write the new programs."""
    old = folder / "growth.inp"
    data = named(folder)
    notes = []
    for target in TARGETS:
        made = gm.translate(old, target, data=data, id="pupil", time="term", outcome="read")
        (folder / f"growth_{target}.R").write_text(made.script, encoding="utf-8")
        print(f"{target}\n  " + made.text.strip().replace("\n", "\n  "))
        notes += [f"{target}: {row}" for row in made.defaults]
    (folder / "defaults.txt").write_text("\n".join(notes) + "\n", encoding="utf-8")

    here = {state.name for state in states() if state.installed}
    witnesses = [name for name in TARGETS if name in here]
    check = gm.verify(old, data, id="pupil", time="term", outcome="read", engines=witnesses)
    print(f"\n{check.verdict}")
    for row in check.engines.itertuples():
        print(f"  {row.name}: " + (f"log L {row.log_likelihood:.4f}" if row.used else row.reason))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
