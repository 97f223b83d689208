"""Both forms of a growth model side by side: data to try models on, and what must agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import long_data, wide_data
from growthmm.equivalence import evidence
from growthmm.equivalence.moment_functions import MixedMoments
from growthmm.equivalence.referee import referee_log_likelihood
from growthmm.model.growth import GrowthModel, parameter_keys
from growthmm.notation import notation
from growthmm.notation.lme4 import formula_text
from growthmm.translation.pair import Pair, same_growth
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.source import source

RELATIVE = 1e-9


def long_frame(
    times: Sequence[float] = (0, 1, 2, 3, 4),
    *,
    n_persons: int = 24,
    seed: int = 1,
    missing: float = 0.0,
) -> pd.DataFrame:
    """Long data with covariates of every kind, and an outcome that grows.

    Columns: ``id, t, y``; person-level ``x, z`` (numbers), ``sex`` (2 levels), ``arm`` (3),
    ``yes`` (truth), ``cohort`` (1, 2, 3), ``income`` (positive); time-varying ``w, w2`` and
    ``mood`` (3 levels); functions of time ``knot``, ``phase`` (2 levels) and ``year``.
    """
    rng = np.random.default_rng(seed)
    t = len(times)

    def repeated(values: Any) -> Any:
        return np.repeat(values, t)

    persons = np.arange(n_persons)
    frame = pd.DataFrame(
        {"id": repeated(persons), "t": np.tile(np.asarray(times, float), n_persons)}
    )
    frame["x"] = repeated(rng.normal(size=n_persons))
    frame["z"] = repeated(rng.normal(size=n_persons))
    frame["sex"] = repeated(np.array(["female", "male"])[persons % 2])
    frame["arm"] = repeated(np.array(["a", "b", "c"])[persons % 3])
    frame["yes"] = repeated(persons // 2 % 2 == 1)
    frame["cohort"] = repeated(rng.permutation(persons % 3 + 1))
    frame["income"] = repeated(np.exp(rng.normal(size=n_persons)))
    frame["w"] = rng.normal(size=len(frame))
    frame["w2"] = rng.normal(size=len(frame))
    frame["mood"] = np.array(["low", "mid", "high"])[rng.integers(0, 3, size=len(frame))]
    middle = float(np.median(times))
    frame["knot"] = np.maximum(frame["t"] - middle, 0.0)
    frame["phase"] = np.where(frame["t"] < middle, "before", "after")
    frame["year"] = 2008 + 2 * frame["t"]
    growth = repeated(rng.normal(size=n_persons)) + frame["t"] * repeated(
        rng.normal(size=n_persons)
    )
    frame["y"] = 1 + 0.5 * frame["t"] + 0.4 * frame["x"] + growth + rng.normal(size=len(frame))
    if missing:
        frame.loc[rng.random(len(frame)) < missing, "y"] = np.nan
    return frame


def wide_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a person: ``y_0 ...``, ``w_0 ...`` and person-level columns, levels as indicators."""
    tables = []
    for name in ("y", "w"):
        table = frame.pivot(index="id", columns="t", values=name)
        table.columns = [f"{name}_{time:g}" for time in table.columns]
        tables.append(table)
    persons = frame.groupby("id").first()
    numbers = persons[["x", "z"]].assign(
        sexmale=(persons["sex"] == "male") * 1.0,
        armb=(persons["arm"] == "b") * 1.0,
        armc=(persons["arm"] == "c") * 1.0,
    )
    return pd.concat([*tables, numbers], axis=1).reset_index()


def mixed_pair(
    text: str, frame: pd.DataFrame | None, *, residual: str | None = None, **facts: Any
) -> Pair:
    """A formula bound to long data, in both forms."""
    read = source(text, notation="lme4", residual=residual)
    return paired(read.model, frame, Facts(**facts))[0]


def sem_pair(text: str, frame: pd.DataFrame | None, **facts: Any) -> tuple[Pair, Any]:
    """Growth curve text bound to data, in both forms, and its long data."""
    read = source(text, notation="lavaan")
    return paired(read.model, frame, Facts(**facts))


def back(pair: Pair, frame: pd.DataFrame) -> Pair:
    """The written growth curve, read again and bound to the same long data."""
    text = notation("lavaan").write(pair.sem.model).text
    schema = pair.growth.schema
    facts = {"id": schema.person, "time": schema.time, "outcome": schema.outcome}
    return sem_pair(text, frame, **facts)[0]


def formula(pair: Pair) -> str:
    """The mixed form as lme4 writes it, without residual structure and estimator."""
    return formula_text(pair.mixed.model)


def random_values(growth: GrowthModel, seed: int = 0) -> dict[str, float]:
    """Parameter values by growth key, factor covariances positive definite."""
    rng = np.random.default_rng(seed)
    values: dict[str, float] = {}
    for block in growth.blocks:
        q = len(block.factors)
        root = rng.normal(size=(q, q)) + 0.3 * np.eye(q)
        matrix = root @ root.T / q
        for a, first in enumerate(block.factors):
            for b in range(a, q):
                values[f"cov:{first}:{block.factors[b]}"] = float(matrix[a, b])
    for key in parameter_keys(growth):
        if key.startswith("residual"):
            values[key] = float(rng.uniform(0.5, 1.5))
        elif key not in values:
            values[key] = float(rng.normal())
    return values


def log_likelihoods(
    pair: Pair, frame: pd.DataFrame, values: dict[str, float], estimator: str = "ml"
) -> tuple[float, float, float]:
    """By the long engine, the wide engine and the referee, at values by growth key."""
    long, wide = long_data(pair.mixed, frame).problem, wide_data(pair.sem, frame).problem
    by_mixed = {name: values[key] for key, name in pair.mixed_names}
    by_sem = {name: values[key] for key, name in pair.sem.names}
    mixed = np.array([by_mixed[name] for name in MixedMoments(long).names])
    sem = np.array([by_sem[name] for name in pair.sem.model.free_parameters])
    return (
        long_engine.log_likelihood(long, mixed, estimator=estimator),
        wide_engine.log_likelihood(wide, sem, estimator=estimator),
        referee_log_likelihood(long, mixed, estimator),
    )


def assert_same_model(pair: Pair, frame: pd.DataFrame | None, *, seed: int = 0) -> None:
    """Levels 1 to 3: the text reads back, moments agree both ways, three likelihoods agree."""
    structure = evidence.structure(pair)
    assert structure.passed, structure.note
    comparison = evidence.compare_pair_moments(pair, draws=2, seed=seed)
    assert evidence.moments(comparison).passed, comparison
    if frame is not None:
        assert_likelihoods(pair, frame, seed=seed)


def assert_likelihoods(pair: Pair, frame: pd.DataFrame, *, seed: int = 0) -> None:
    """Level 3: the engines and the referee agree at random parameter values."""
    found = log_likelihoods(pair, frame, random_values(pair.growth, seed))
    assert max(found) - min(found) <= RELATIVE * max(1.0, abs(found[2])), found


def assert_round_trip(
    text: str, frame: pd.DataFrame, *, residual: str | None = None, **facts: Any
) -> tuple[Pair, Pair]:
    """Mixed -> SEM text -> mixed -> SEM: the same growth model but for names, on all levels."""
    there = mixed_pair(text, frame, residual=residual, **facts)
    assert_same_model(there, frame)
    again = back(there, frame)
    different = same_growth(there.growth, again.growth)
    assert different is None, different
    structure = evidence.structure(again)
    assert structure.passed, structure.note
    assert_likelihoods(again, frame)
    mixed = source(formula(again), notation="lme4", residual=again.mixed.model.residual).model
    identity = again.growth.schema
    third = paired(mixed, frame, Facts(id=identity.person, time=identity.time))[0]
    different = same_growth(there.growth, third.growth)
    assert different is None, different
    return there, again
