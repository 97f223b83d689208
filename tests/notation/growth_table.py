"""The golden table: growth models, each in every notation or with the reason why not.

A file of ``table/`` is one model. Its head is written by hand: what the model is, its source, the
data that its facts come from, spellings by people (``[people]``). The rest is written anew by
``GROWTHMM_WRITE_GOLDEN=1`` and read by people before it is kept: ``[texts]`` in every notation,
``[cannot]`` with what is lost in the others, and ``[back]``, the mixed model that the SEM gives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import growthmm as gm
from growthmm.errors import GrowthmmError, UnsupportedError
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.notation import names, notation
from growthmm.notation.base import families
from growthmm.translation.binding.mixed import bind_mixed
from growthmm.verbs.source import source
from growthmm.verbs.translated import Translation

FOLDER = Path(__file__).parent / "table"

Model = MixedModel | SemModel

MARK = "\n# From here on written by GROWTHMM_WRITE_GOLDEN=1.\n"

COLUMNS = tuple(
    f"{name}:{family}" if len(families(notation(name))) > 1 else name
    for name in names()
    for family in families(notation(name))
)
"""Every notation; one that writes both families stands there once for each."""

WRITTEN_ONLY = ("brms", "mixedmodels.jl", "dot", "ram")


@dataclass(frozen=True)
class Entry:
    """One model of the table."""

    name: str
    says: str
    model: str
    notation: str = "lme4"
    residual: str | None = None
    estimator: str | None = "ml"
    data: str = "growth"
    people: Mapping[str, list[str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    cannot: Mapping[str, str] = field(default_factory=dict)
    back: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.toml"


def family_of(column: str) -> str:
    """``mixed`` or ``sem``, for a column of the table."""
    name, _, family = column.partition(":")
    return family or families(notation(name))[0]


@cache
def entries() -> dict[str, Entry]:
    """The table."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        found[path.stem] = Entry(path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
    return found


@cache
def frame(kind: str) -> pd.DataFrame:
    """Long data that have every feature of the table's models well inside their bounds.

    ``growth`` has shared occasions, ``visits`` times of each person's own, ``odd`` the columns of
    ``growth`` under names that would be code or syntax somewhere.
    """
    rng = np.random.default_rng(20)
    persons, times = 240, np.arange(5.0)
    person = np.repeat(np.arange(persons), len(times))
    made = pd.DataFrame({"id": person + 1, "t": np.tile(times, persons)})
    made["school"] = made["id"] % 30 + 1
    made["x"] = rng.normal(size=persons).round(3)[person]
    made["sex"] = np.array(["female", "male"])[person % 2]
    made["arm"] = np.array(["a", "b", "c"])[person // 2 % 3]
    made["w"] = rng.normal(size=len(made)).round(3)
    if kind == "visits":
        made["t"] = (made["t"] + rng.uniform(-0.3, 0.3, len(made))).round(2)
    t = made["t"].to_numpy()
    factors = rng.multivariate_normal(np.zeros(4), _FACTOR_COV, persons)[person]
    noise = rng.normal(size=(persons, len(times)))
    serial = noise.copy()
    for k in range(1, len(times)):
        serial[:, k] = 0.6 * serial[:, k - 1] + 0.8 * noise[:, k]
    white = rng.normal(size=len(made)) * (0.6 + 0.1 * np.tile(times, persons))
    by_sex = np.where(made["sex"] == "male", 1.25, 0.8)
    school = rng.normal(size=(31, 2))[made["school"]] * [0.5, 0.2]
    male = (made["sex"] == "male") * 1.0
    shift = made["arm"].map({"a": 0.0, "b": 0.5, "c": -0.3})
    made["y"] = 5 + 0.4 * made["x"] + 0.6 * male + shift
    made["y"] += (0.8 + 0.2 * male + 0.1 * made["x"]) * t
    made["y"] += 0.05 * t**2 + (0.5 + 0.1 * t) * made["w"] + school[:, 0] + school[:, 1] * t
    made["y"] += factors @ [1, 0, 0, 0] + factors[:, 1] * t + factors[:, 2] * (t**2 - 4 * t)
    made["y"] += factors[:, 3] * made["w"] + by_sex * (0.8 * serial.ravel() + white)
    other = rng.normal(size=len(made)) + 0.5 * factors[:, 0] + 0.6 * factors[:, 1] * t
    own = rng.normal(size=(persons, 2))[person]
    level = 0.4 * factors[:, 0] + 0.7 * factors[:, 1]
    made["z"] = (level + 2.0 * rng.normal(size=persons)[person]).round(4)
    made["v"] = (3 + 0.5 * t + other + own[:, 0] + 0.5 * own[:, 1] * t).round(4)
    errors = 0.8 * serial.ravel() + 0.7 * rng.normal(size=len(made))
    made["r"] = (2 + 0.5 * t + errors).round(4)
    towards = factors[:, 0] + (4 + factors[:, 1]) * (1 - np.exp(-0.4 * t))
    made["u"] = (5 + towards + 0.5 * rng.normal(size=len(made))).round(4)
    made["y"] = made["y"].round(4)
    return made.rename(columns=ODD) if kind == "odd" else made


def wide_frame() -> pd.DataFrame:
    """The data ``growth``, a row a person: ``y_0`` to ``y_4``, ``v_0`` ..., ``w_0`` ..."""
    long = frame("growth")
    persons = long.groupby("id").first()[["x", "z", "sex"]]
    stems = [long.pivot(index="id", columns="t", values=name) for name in ("y", "v", "w")]
    for name, table in zip(("y", "v", "w"), stems, strict=True):
        table.columns = [f"{name}_{time:g}" for time in table.columns]
    return pd.concat([persons, *stems], axis=1).reset_index()


_FACTOR_COV = np.array(
    [[1.2, 0.2, 0.02, 0.1], [0.2, 0.5, 0.01, 0.02], [0.02, 0.01, 0.06, 0.0], [0.1, 0.02, 0, 0.4]]
)

ODD = {
    "y": "GPA score",
    "t": "week no.",
    "id": "pupil's id",
    "x": 'x"); system("id',
    "w": "hours_of_study_in_the_library_in_the_week",
    "sex": "if",
}

FACTS = {
    "growth": {"id": "id", "time": "t"},
    "visits": {"id": "id", "time": "t"},
    "odd": {"id": ODD["id"], "time": ODD["t"]},
}


@cache
def canonical(entry: Entry) -> Model:
    """The model as the head of its file says it."""
    return source(
        entry.model,
        notation=entry.notation,
        residual=entry.residual,
        estimator=entry.estimator if entry.notation == "lme4" else None,
    ).model


@cache
def family(entry: Entry) -> str:
    """Which family the source is of."""
    return "mixed" if isinstance(canonical(entry), MixedModel) else "sem"


@cache
def schema(entry: Entry) -> Schema | str:
    """The facts of the data, or why the model does not go to the other family."""
    other = "lavaan" if family(entry) == "mixed" else "nlme"
    try:
        made = gm.translate(
            canonical(entry), other, data=frame(entry.data), on_loss="keep", **facts(entry)
        )
    except GrowthmmError as error:
        return reason(error)
    assert made.schema is not None
    return made.schema


@cache
def data_facts(entry: Entry) -> Schema:
    """What the data are to the entry's mixed model."""
    known = schema(entry)
    if isinstance(known, Schema):
        return known
    model = canonical(entry)
    assert isinstance(model, MixedModel)
    if len(model.groups) > 1:
        # Several levels of persons are not bound; none of these models has categories.
        return Schema("id", "t", model.response)
    return bind_mixed(model, frame(entry.data), wide_form=False, **FACTS[entry.data]).schema


def facts(entry: Entry) -> dict[str, Any]:
    """Columns by name, and the outcome where the source does not say it."""
    known: dict[str, Any] = dict(FACTS[entry.data])
    if family(entry) == "sem":
        known["outcome"] = "y"
    return known


def reason(error: GrowthmmError) -> str:
    """What a notation cannot say, in the words of its losses."""
    losses = error.losses if isinstance(error, UnsupportedError) else ()
    return "\n".join(f"{loss.what}: {loss.why}" for loss in losses) or error.message


def carried(model: Model, column: str, known: Schema | str, data: str) -> Translation | str:
    """The model in a notation, or the reason why not."""
    facts = dict(FACTS[data]) if isinstance(model, MixedModel) else {}
    try:
        if isinstance(known, Schema):
            return gm.translate(model, column, schema=known, **facts)
        if (family_of(column) == "mixed") != isinstance(model, MixedModel):
            return known
        # What does not cross over has its facts from the data alone.
        return gm.translate(model, column, data=frame(data), **facts)
    except GrowthmmError as error:
        return reason(error)


def everywhere(entry: Entry) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Its texts, what can't be said, and the mixed model that comes back from its SEM."""
    known = schema(entry)
    texts, cannot, back = {}, {}, {}
    for column in COLUMNS:
        made = carried(canonical(entry), column, known, entry.data)
        if isinstance(made, str):
            cannot[column] = made
        else:
            texts[column] = made.text
    if family(entry) == "mixed" and isinstance(known, Schema) and "lavaan" in texts:
        sem = notation("lavaan").read(texts["lavaan"])
        for column in ("nlme", "sas:mixed", "lme4"):
            made = carried(sem, column, known, entry.data)
            if not isinstance(made, str):
                back[column] = made.text
                break
        else:
            back["error"] = str(made)
    return texts, cannot, back


def file_text(entry: Entry) -> str:
    """The whole file of an entry, its head kept, the rest as it comes out now."""
    head = entry.path.read_text(encoding="utf-8").split(MARK)[0].rstrip("\n") + "\n"
    lines = [head.rstrip("\n"), MARK]
    for title, table in zip(("texts", "cannot", "back"), everywhere(entry), strict=True):
        if not table:
            continue
        lines.append(f"[{title}]")
        for key, text in table.items():
            assert "'''" not in text
            assert not text.endswith("'")
            lines.append(f"\"{key}\" = '''\n{text}'''" if text else f'"{key}" = ""')
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def without_estimator(model: Model) -> Model:
    """The model alone: how it is to be estimated is left to its program."""
    return replace(model, estimator="ml")
