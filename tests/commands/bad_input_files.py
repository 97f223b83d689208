"""The files that the table of bad inputs names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

N_PERSONS = 12
WEEKS = (0, 1, 2, 4)


def masked(text: str, folder: Path) -> str:
    """A message without what differs between machines or grows with the registries."""
    from growthmm.commands.parser import COMMANDS
    from growthmm.engines.registry import ENGINES
    from growthmm.notation import names

    lists = {"NOTATIONS": names(), "ENGINES": ENGINES, "COMMANDS": COMMANDS}
    for word, known in lists.items():
        text = text.replace(", ".join(known), word)
    return text.replace(str(folder), "FOLDER").strip("\n")


def good() -> pd.DataFrame:
    """Long data without fault: 12 pupils at four unequally spaced weeks."""
    rng = np.random.default_rng(7)
    person = np.repeat(np.arange(N_PERSONS), len(WEEKS))
    week = np.tile(np.array(WEEKS), N_PERSONS)
    level, slope = rng.normal(10, 2, N_PERSONS), rng.normal(1, 0.4, N_PERSONS)
    score = level[person] + slope[person] * week + rng.normal(0, 0.5, len(week))
    return pd.DataFrame(
        {
            "pupil": [f"p{k:02d}" for k in person],
            "week": week,
            "score": score.round(3),
            "group": np.where(person % 2, "new", "old"),
            "age": 10 + person % 3,
            "hours": rng.integers(0, 20, len(week)),
        }
    )


def changed(column: str, rows: slice | int, value: object) -> pd.DataFrame:
    """The good data with some cells of a column replaced."""
    frame = good()
    frame[column] = frame[column].astype(object)
    frame.iloc[rows, frame.columns.get_loc(column)] = value
    return frame


def frames() -> dict[str, pd.DataFrame]:
    """Data files by name, each with one fault."""
    data = good()
    wide = data.pivot(index="pupil", columns="week", values="score").add_prefix("score_")
    wide = wide.reset_index().assign(age=10)
    cells = [name for name in wide.columns if name.startswith("score_")]
    two = data[data["week"] < 2]
    day = data.assign(day=data["week"] * 7)
    return {
        "good": data,
        "wide": wide,
        "wide_lacks_one": wide.drop(columns="score_2"),
        "wide_person_twice": pd.concat([wide, wide.iloc[:1]]),
        "wide_text": wide.assign(score_1=["ill", *wide["score_1"].astype(str)[1:]]),
        "wide_infinite": wide.assign(score_1=[np.inf, *wide["score_1"][1:]]),
        "wide_constant": wide.assign(**dict.fromkeys(cells, 5)),
        "wide_empty_cells": wide.assign(**dict.fromkeys(cells, np.nan)),
        "wide_one_person": wide.iloc[:1],
        "wide_no_id": wide.drop(columns="pupil"),
        "text_outcome": changed("score", 5, "absent"),
        "comma_numbers": changed("score", slice(None), "1,5"),
        "text_time": changed("week", 3, "later"),
        "infinite_outcome": changed("score", 7, np.inf),
        "infinite_time": changed("week", 7, np.inf),
        "infinite_covariate": changed("age", 7, -np.inf),
        "constant_outcome": data.assign(score=3.0),
        "no_outcome": data.assign(score=np.nan),
        "no_covariate": data.assign(age=np.nan),
        "constant_covariate": data.assign(age=10),
        "one_group": data.assign(group="old"),
        "missing_id": changed("pupil", slice(4, 6), None),
        "missing_time": changed("week", 4, None),
        "twice": pd.concat([data, data.iloc[:2]]),
        "one_person": data.iloc[: len(WEEKS)],
        "one_occasion": data[data["week"] == 0],
        "two_occasions": two,
        "group_varies": changed("group", slice(4, 5), "old"),
        "some_ages": changed("age", slice(0, 8), None),
        "exact": data.assign(score=data["week"] * 2 + data["hours"]),
        "numbers_as_text": data.assign(week="week " + data["week"].astype(str)),
        "two_times": day,
        "time_of_no_person": data.assign(week=np.arange(len(data)) // 4),
        "no_rows": data.iloc[:0],
        "one_column": data[["score"]],
        "huge": data.assign(score=data["score"] * 1e200),
        "dates": data.assign(week=pd.Timestamp("2020-01-01") + pd.to_timedelta(data["week"], "D")),
    }


TEXTS = {
    "empty.csv": "",
    "blank.csv": "\n\n",
    "twice_named.csv": "pupil,week,score,score\n1,0,2,3\n1,1,3,4\n2,0,1,2\n2,1,2,2\n",
    "ragged.csv": "pupil,week,score\n1,0,2\n1,1,3,9,9\n2,0,1\n",
    "semicolons.csv": "pupil;week;score\n1;0;2\n1;1;3\n2;0;1\n",
    "notes.txt": "not a table\n",
    "fake.parquet": "not parquet\n",
    "growth.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2 + 1*score_4\n"
    "s =~ 0*score_0 + 1*score_1 + 2*score_2 + 4*score_4\n",
    "equal.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2 + 1*score_4\n"
    "s =~ 0*score_0 + 1*score_1 + 2*score_2 + 4*score_4\n"
    "score_0 ~~ v*score_0\nscore_1 ~~ v*score_1\nscore_2 ~~ v*score_2\nscore_4 ~~ v*score_4\n",
    "by_group.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2 + 1*score_4\n"
    "s =~ 0*score_0 + 1*score_1 + 2*score_2 + 4*score_4\ni ~ groupold\n",
    "hours.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2 + 1*score_4\n"
    "s =~ 0*score_0 + 1*score_1 + 2*score_2 + 4*score_4\ni ~ hours\n",
    "mimic.lav": "f =~ score_0 + score_1 + score_2\nf ~ age\n",
    "open_bracket.lav": "i =~ 1*score_0 + c(1,1*score_1\n",
    "no_operator.lav": "i =~ 1*score_0 + 1*score_1\ns is slope\n",
    "odd_names.lav": "i =~ 1*a + 1*b + 1*c\ns =~ 0*a + 1*b + 2*c\n",
    "free.lav": "i =~ 1*score_0 + score_1 + score_2 + score_4\n"
    "s =~ 0*score_0 + score_1 + score_2 + score_4\nq =~ score_0 + score_1 + score_2 + score_4\n",
    "empty.lav": "\n",
    "unknown_covariate.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2 + 1*score_4\n"
    "s =~ 0*score_0 + 1*score_1 + 2*score_2 + 4*score_4\ni ~ agee\n",
    "other_times.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2 + 1*score_3\n"
    "s =~ 0*score_0 + 1*score_1 + 5*score_2 + 6*score_3\n",
    "categorical.lav": "i =~ 1*score_0 + 1*score_1\nscore_0 | t1\n",
    "bad_constraint.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2\ni ~~ a*i\na == log(0 - 1)\n",
    "contradiction.lav": "i =~ 1*score_0 + 1*score_1 + 1*score_2\ni ~~ a*i\na == 1\na == 2\n",
    "one_line.json": '{"mean": [1, 2]',
    "list.json": "[1, 2]",
    "lacks_n.json": '{"mean": [1, 2], "cov": [[1, 0], [0, 1]]}',
    "strange_key.json": '{"mean": [1], "cov": [[1]], "n": 9, "sd": [1]}',
    "sizes.json": '{"mean": [1, 2, 3], "cov": [[1, 0], [0, 1]], "n": 50}',
    "negative.json": '{"mean": [1, 2], "cov": [[1, 2], [2, 1]], "n": 50}',
    "asymmetric.json": '{"mean": [1, 2], "cov": [[1, 0.5], [0, 1]], "n": 50}',
    "text_n.json": '{"mean": [1, 2], "cov": [[1, 0], [0, 1]], "n": "fifty"}',
    "no_mean.json": '{"mean": null, "cov": [[1, 0], [0, 1]], "n": 50}',
}


def write_files(folder: Path) -> None:
    """Write every file that the table names."""
    for name, frame in frames().items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 4)
    (folder / "binary.lav").write_bytes(b"\xff\xfe\x00\x01")
    (folder / "zeros.csv").write_bytes(b"\x00" * 64)
    (folder / "folder.csv").mkdir()
    (folder / "models").mkdir()
    deep = "(" * 3000 + "week" + ")" * 3000
    (folder / "deep.r").write_text(f"score ~ {deep} + (1 | pupil)\n", encoding="utf-8")
    wide = frames()["wide"]
    names = [name for name in wide.columns if name.startswith("score_")]
    moments = {
        "names": names,
        "mean": wide[names].mean().tolist(),
        "cov": wide[names].cov().to_numpy().tolist(),
        "n": len(wide),
        "ddof": 1,
    }
    (folder / "moments.json").write_text(json.dumps(moments), encoding="utf-8")
