"""OpenMx, as a witness of structural equation models: positional labels in, parameters out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.limits import Deadline
from growthmm.engines.outcome import EngineFit
from growthmm.engines.r.arithmetic import arithmetic
from growthmm.engines.r.process import csv, require, run
from growthmm.engines.r.sem_answer import sem_answer
from growthmm.engines.wide.problem import WideGroup, WideMoments
from growthmm.errors import UnsupportedEngineError
from growthmm.model.sem import Constraint, SemModel
from growthmm.notation.openmx.script import STARTS
from growthmm.notation.openmx.write import model_text, spelling
from growthmm.notation.r_code.incomplete import reached

if TYPE_CHECKING:
    from growthmm.engines.wide.problem import WideProblem
    from growthmm.model.mixed import Estimator

__all__ = ["fit_openmx"]

FloatArray = NDArray[np.float64]


def fit_openmx(
    problem: WideProblem,
    *,
    estimator: Estimator = "ml",
    start: FloatArray | None = None,
    information: Literal["observed"] | None = None,
    time_limit: float = 120.0,
) -> EngineFit:
    """Fit a structural equation model with R's ``OpenMx``.

    All observed outcomes are used, by full-information maximum likelihood. An outcome on which a
    missing covariate or definition variable acts counts as missing. Moments are turned into data
    that have exactly these.

    Parameters
    ----------
    problem : WideProblem
        The model and its data; bounds, constraints and definition variables may be there.
    estimator : {"ml"}
        Maximum likelihood.
    start : (n_parameters,) ndarray, optional
        Starting values in the order of ``SemModel.free_parameters``; moments of the data give
        them otherwise.
    information : {"observed"}, optional
        OpenMx has no other; numeric derivatives, good to about three digits.
    time_limit : float
        Seconds until R is killed.

    Returns
    -------
    EngineFit
        Estimates and their covariance matrix; the log-likelihood is conditional on covariates.

    Raises
    ------
    UnsupportedEngineError
        If the estimator is REML, or expected information is asked for.
    EngineNotInstalledError
        If R or OpenMx is not installed.
    FitFailedError
        If OpenMx stops or does not end in time.

    References
    ----------
    Neale, M. C., et al. (2016). https://doi.org/10.1007/s11336-014-9435-8
    """
    if estimator != "ml" or information not in (None, "observed"):
        lacking = "REML" if estimator != "ml" else f"{information} information"
        raise UnsupportedEngineError(
            f"The witness OpenMx cannot fit this model: it has no {lacking}.",
            hint="Use the wide engine.",
        )
    model = _positional(problem.model, start)
    names = spelling(model)
    text, count, n_rows = _data(problem, names.variables)
    version = require("OpenMx")
    frames = (
        tuple(f"wide[groups == {k + 1}, ]" for k in range(model.n_groups))
        if model.n_groups > 1
        else ("wide",)
    )
    inputs = {"data.csv": text, "model.R": model_text(model, names, frames), "starts.R": STARTS}
    n_parameters = len(problem.model.free_parameters)
    arguments = ["0" if start is None else "1", str(n_parameters), str(model.n_groups)]
    result = run("OpenMx", arguments, inputs, Deadline("OpenMx", time_limit))
    return sem_answer(
        "OpenMx",
        problem.model,
        result,
        version=version,
        information="observed",
        counts=(count, n_rows),
    )


def _positional(model: SemModel, start: FloatArray | None) -> SemModel:
    """The model with parameters called ``p1``, ``p2`` and so on, without defined parameters."""
    new = {name: f"p{k + 1}" for k, name in enumerate(model.free_parameters)}
    begin = {} if start is None else dict(zip(model.free_parameters, start.tolist(), strict=True))
    paths = tuple(
        replace(
            path,
            label=new[path.parameter] if path.free else None,
            start=begin.get(path.parameter, path.start) if path.free else None,
        )
        for path in model.paths
    )
    meanings = {d.name: d.expression for d in model.defined}
    constraints = tuple(
        Constraint(
            arithmetic(c.left, new, "OpenMx", meanings),
            c.op,
            arithmetic(c.right, new, "OpenMx", meanings),
        )
        for c in model.constraints
    )
    return replace(model, paths=paths, constraints=constraints, defined=(), missing="ml")


def _data(problem: WideProblem, spelled: dict[str, str]) -> tuple[str, int, int]:
    """All persons as CSV, their number, and the number of outcome values."""
    model = problem.model
    touched = reached(model)
    columns = list(dict.fromkeys((*model.outcomes, *model.covariates, *touched)))
    blocks, n_rows = [], 0
    for number, group in enumerate(problem.groups, start=1):
        rows = _drawn(group, model) if isinstance(group, WideMoments) else group
        outcomes = rows.outcomes.copy()
        values = dict(zip(model.covariates, rows.covariates.T, strict=True)) | dict(
            rows.definitions
        )
        for name, acted in touched.items():
            lacking = np.isnan(values[name])
            for place in (model.outcomes.index(outcome) for outcome in acted):
                outcomes[lacking, place] = np.nan
            values[name] = np.where(lacking, 0.0, values[name])
        n_rows += int(np.sum(np.isfinite(outcomes)))
        table = dict(zip(model.outcomes, outcomes.T, strict=True)) | values
        full = np.column_stack([*(table[name] for name in columns), np.full(len(outcomes), number)])
        blocks.append(full[np.any(np.isfinite(outcomes), axis=1)])
    everyone = np.vstack(blocks)
    return csv([*(spelled[name] for name in columns), "group"], everyone), len(everyone), n_rows


def _drawn(moments: WideMoments, model: SemModel) -> WideGroup:
    """Complete data with exactly these moments."""
    size = len(moments.mean)
    if moments.n <= size:
        raise UnsupportedEngineError(
            f"No data of {moments.n} persons have a full-rank covariance matrix of {size} "
            "variables.",
            hint="Use the wide engine.",
        )
    raw = np.random.default_rng(20).standard_normal((moments.n, size))
    raw -= raw.mean(axis=0)
    basis = np.linalg.qr(raw)[0] * np.sqrt(moments.n)
    value, vector = np.linalg.eigh(moments.cov)
    data = moments.mean + basis @ (vector * np.sqrt(np.maximum(value, 0.0))).T
    split = len(model.outcomes)
    return WideGroup(data[:, :split], data[:, split:])
