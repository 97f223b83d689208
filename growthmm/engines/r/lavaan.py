"""lavaan, as a witness of structural equation models: positional names in, parameters out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines.limits import Deadline
from growthmm.engines.outcome import EngineFit
from growthmm.engines.r.arithmetic import arithmetic
from growthmm.engines.r.process import csv, require, run
from growthmm.engines.r.sem_answer import sem_answer
from growthmm.engines.wide import start_values
from growthmm.engines.wide.problem import WideGroup, WideMoments
from growthmm.errors import UnsupportedEngineError

if TYPE_CHECKING:
    from growthmm.engines.wide.problem import WideProblem
    from growthmm.model.mixed import Estimator
    from growthmm.model.sem import Path, SemModel

__all__ = ["fit_lavaan", "syntax"]

FloatArray = NDArray[np.float64]


def fit_lavaan(
    problem: WideProblem,
    *,
    estimator: Estimator = "ml",
    start: FloatArray | None = None,
    information: Literal["expected", "observed"] | None = None,
    time_limit: float = 120.0,
) -> EngineFit:
    """Fit a structural equation model with R's ``lavaan``.

    All observed outcomes are used. An outcome on which a missing covariate acts counts as
    missing; the covariate of a missing outcome is filled with any number, for it enters no
    density.

    Parameters
    ----------
    problem : WideProblem
        The model and its data.
    estimator : {"ml"}
        Maximum likelihood; lavaan has no REML.
    start : (n_parameters,) ndarray, optional
        Starting values in the order of ``SemModel.free_parameters``; lavaan's own otherwise.
    information : {"expected", "observed"}, optional
        The information matrix of the standard errors; lavaan's default where None: expected for
        complete data, observed otherwise.
    time_limit : float
        Seconds until R is killed.

    Returns
    -------
    EngineFit
        Estimates and their covariance matrix; the log-likelihood is conditional on covariates.

    Raises
    ------
    UnsupportedEngineError
        If the estimator is REML or the model has definition variables or bounds.
    EngineNotInstalledError
        If R or lavaan is not installed.
    FitFailedError
        If lavaan stops or does not end in time.

    References
    ----------
    Rosseel, Y. (2012). https://doi.org/10.18637/jss.v048.i02
    """
    _refuse(problem.model, estimator)
    version = require("lavaan")
    inputs, sizes, complete, n_rows = _data(problem)
    if start is None and problem.model.n_levels > 1:
        # From its own start lavaan stays where it is, without saying so in its log-likelihood.
        start = start_values(problem)
    inputs["model.txt"] = syntax(problem.model, start)
    chosen = information or ("expected" if complete else "observed")
    n_parameters = len(problem.model.free_parameters)
    arguments = ["listwise" if complete else "ml", chosen, str(len(problem.groups)), sizes]
    arguments += [str(n_parameters), str(problem.model.n_levels)]
    result = run("lavaan", arguments, inputs, Deadline("lavaan", time_limit))
    return sem_answer(
        "lavaan",
        problem.model,
        result,
        version=version,
        information=chosen,
        counts=(int(result["n_subjects"][0]), n_rows),
    )


def _refuse(model: SemModel, estimator: str) -> None:
    reasons = []
    if estimator != "ml":
        reasons.append("it has no REML")
    if any(path.definition is not None for path in model.paths):
        reasons.append("it has no definition variables")
    if any(path.lower is not None or path.upper is not None for path in model.paths) or any(
        constraint.op != "==" for constraint in model.constraints
    ):
        reasons.append("it does not keep bounds reliably beside equal parameters")
    if reasons:
        raise UnsupportedEngineError(
            f"The witness lavaan cannot fit this model: {'; '.join(reasons)}.",
            hint="Use the wide engine.",
        )


def syntax(model: SemModel, start: FloatArray | None = None) -> str:
    """Write a model for ``lavaan::lavaan()`` in positional names, so that no name is code.

    Parameters
    ----------
    model : SemModel
        The model.
    start : (n_parameters,) ndarray, optional
        Starting values in the order of ``SemModel.free_parameters``.

    Returns
    -------
    str
        lavaan syntax: observed variables ``v1``, latent ``f1``, parameters ``p1`` and so on.

    Raises
    ------
    UnsupportedEngineError
        If a constraint is no arithmetic over the parameters.

    Examples
    --------
    >>> from growthmm.model.sem import Path, SemModel
    >>> print(syntax(SemModel((Path("y", "~1"), Path("y", "~~", "y")), (), ("y",))))
    v1 ~ p1*1
    v1 ~~ p2*v1
    <BLANKLINE>
    """
    variables = {name: f"f{k + 1}" for k, name in enumerate(model.latent)}
    observed = (*model.outcomes, *model.covariates)
    variables |= {name: f"v{k + 1}" for k, name in enumerate(observed)}
    parameters = {name: f"p{k + 1}" for k, name in enumerate(model.free_parameters)}
    begin = {} if start is None else dict(zip(model.free_parameters, start, strict=True))
    lines: list[str] = []
    blocks = [(group, 1) for group in range(model.n_groups)]
    blocks += [(0, 2)] if model.n_levels > 1 else []
    for group, level in blocks:
        if model.n_groups > 1:
            lines.append(f"group: {group + 1}")
        if model.n_levels > 1:
            lines.append(f"level: {level}")
        for path in model.paths:
            if (path.group, path.level) == (group, level):
                lines.append(_row(path, variables, parameters, begin))
    measured = {path.left for path in model.paths if path.op == "=~"}
    if model.n_levels == model.n_groups == 1:
        lines += [f"{variables[name]} =~ 0" for name in model.latent if name not in measured]
    meanings = {d.name: d.expression for d in model.defined}
    for constraint in model.constraints:
        sides = [
            arithmetic(side, parameters, "lavaan", meanings)
            for side in (constraint.left, constraint.right)
        ]
        lines.append(f" {constraint.op} ".join(sides))
    return "\n".join([*lines, ""])


def _row(
    path: Path, variables: dict[str, str], parameters: dict[str, str], begin: dict[str, float]
) -> str:
    left = variables[path.left]
    op, right = ("~", "1") if path.op == "~1" else (path.op, variables.get(path.right, ""))
    if not path.free:
        return f"{left} {op} {float(path.value or 0.0)!r}*{right}"
    row = f"{left} {op} {parameters[path.parameter]}*{right}"
    value = begin.get(path.parameter, path.start)
    return row if value is None else f"{row} + start({float(value)!r})*{right}"


def _data(problem: WideProblem) -> tuple[dict[str, str], str, bool, int]:
    """Input files, sizes of groups (where moments are given), completeness and outcome values."""
    n_outcomes = len(problem.model.outcomes)
    names = [f"v{k + 1}" for k in range(n_outcomes + len(problem.model.covariates))]
    moments = [group for group in problem.groups if isinstance(group, WideMoments)]
    if moments:
        files = {}
        for number, group in enumerate(moments, start=1):
            files[f"cov{number}.csv"] = csv(names, group.cov)
            files[f"mean{number}.csv"] = csv(names, group.mean[None, :])
        sizes = " ".join(str(group.n) for group in moments)
        return files, sizes, True, n_outcomes * sum(group.n for group in moments)
    reach = _reached(problem.model)
    blocks, complete, n_rows = [], True, 0
    persons = [group for group in problem.groups if isinstance(group, WideGroup)]
    for number, rows in enumerate(persons, start=1):
        outcomes, covariates, used = _prepared(rows, reach)
        complete = complete and bool(np.all(np.isfinite(outcomes)))
        n_rows += int(np.sum(np.isfinite(outcomes)))
        clusters = np.zeros(len(rows.outcomes)) if rows.clusters is None else rows.clusters
        kept = np.full(len(outcomes), number), clusters[used]
        blocks.append(np.column_stack([outcomes, covariates, *kept]))
    return {"data.csv": csv([*names, "group", "cluster"], np.vstack(blocks))}, "", complete, n_rows


def _reached(model: SemModel) -> NDArray[np.bool_]:
    """Whether a covariate (row) acts on an outcome (column), directly or through others."""
    effects: dict[str, set[str]] = {}
    for path in model.paths:
        if path.op in ("=~", "~") and (path.free or path.value != 0.0):
            cause, effect = (path.left, path.right) if path.op == "=~" else (path.right, path.left)
            effects.setdefault(cause, set()).add(effect)
    reach = np.zeros((len(model.covariates), len(model.outcomes)), dtype=bool)
    for row, covariate in enumerate(model.covariates):
        found, waiting = set[str](), [covariate]
        while waiting:
            new = effects.get(waiting.pop(), set()) - found
            found |= new
            waiting.extend(new)
        reach[row] = [outcome in found for outcome in model.outcomes]
    return reach


def _prepared(
    group: WideGroup, reach: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Outcomes and covariates as lavaan may see them, and which persons have outcomes."""
    outcomes, covariates = group.outcomes.copy(), group.covariates.copy()
    lacking = np.isnan(covariates)
    outcomes[(lacking.astype(int) @ reach.astype(int)) > 0] = np.nan
    for column in range(covariates.shape[1]):
        known = covariates[~lacking[:, column], column]
        covariates[lacking[:, column], column] = known.mean() if known.size else 0.0
    kept = np.any(np.isfinite(outcomes), axis=1)
    return outcomes[kept], covariates[kept], np.asarray(kept)
