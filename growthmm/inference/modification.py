"""Modification indices: score tests of what a structural equation model holds fixed."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import wide as wide_engine
from growthmm.engines.prepare import WideData
from growthmm.errors import SpecificationError, UnsupportedEngineError
from growthmm.inference.likelihood import likelihood
from growthmm.inference.penalised import refuse_penalised
from growthmm.inference.result import FitResult
from growthmm.model.sem import Operator, Path, SemModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["modification_indices"]

FloatArray = NDArray[np.float64]


def modification_indices(
    fit: FitResult,
    *,
    minimum: float = 0.0,
    information: Literal["expected", "observed"] = "expected",
) -> pd.DataFrame:
    """What freeing each fixed parameter of a structural equation model would gain.

    For a path c that is fixed (or absent) and the free parameters f, with score s and information
    I at the estimates, the index is ``s_c^2 / v`` and the expected change of the parameter
    ``s_c / v``, where ``v = I_cc - I_cf I_ff^-1 I_fc`` (Sörbom 1989, doi:10.1007/BF02294623).
    The index is a chi-square with one degree of freedom where the restriction is true.

    Parameters
    ----------
    fit : FitResult
        An ML fit by the wide engine.
    minimum : float
        Leave out smaller indices.
    information : {"expected", "observed"}
        Which information, as lavaan whatever that of the standard errors.

    Returns
    -------
    DataFrame
        Columns ``name, group, index, expected_change, p_value, meaning``, largest index first;
        ``meaning`` says what the parameter would be in a mixed model.

    Raises
    ------
    SpecificationError
        If the fit is of a mixed model.
    UnsupportedEngineError
        For REML fits, other engines, and models with constraints beside shared labels.

    Examples
    --------
    >>> import growthmm as gm
    >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", gm.datasets.gpa(), engine="wide")
    >>> gm.modification_indices(fit).loc[0, "name"]
    'gpa_4~~gpa_5'
    """
    import pandas as pd
    from scipy.special import chdtrc

    if not isinstance(fit.data, WideData) or not isinstance(fit.model, SemModel):
        raise SpecificationError(
            "Modification indices are of a structural equation model's fixed paths.",
            hint="Fit the model as a latent growth curve: engine='wide'.",
        )
    model = fit.data.problem.model
    if fit.engine != "wide" or fit.estimator != "ml":
        raise UnsupportedEngineError(
            f"Modification indices are made for ML fits by the wide engine; this one is "
            f"{fit.estimator.upper()} by {fit.engine}.",
            hint="Use engine='wide' and estimator='ml'.",
        )
    refuse_penalised(fit.penalty, "A modification index")
    if model.constraints:
        raise UnsupportedEngineError(
            "Modification indices are not made for models with constraints.",
            hint="Give equal parameters one label, or compare models by gm.compare.",
        )
    rows = [
        (path, index, change)
        for path, index, change in _indices(fit, fit.data, model, information)
        if index >= minimum
    ]
    rows.sort(key=lambda row: -row[1])
    return pd.DataFrame(
        [
            (p.name, p.group, index, change, float(chdtrc(1, index)), _meaning(p, model))
            for p, index, change in rows
        ],
        columns=["name", "group", "index", "expected_change", "p_value", "meaning"],
    )


def _indices(
    fit: FitResult, data: WideData, model: SemModel, information: Literal["expected", "observed"]
) -> list[tuple[Path, float, float]]:
    candidates = _candidates(model)
    freed = {id(path) for path in candidates}
    names = {id(path): f"freed {k}" for k, path in enumerate(candidates)}
    opened = [
        replace(path, free=True, value=None, label=names[id(path)], start=None)
        if id(path) in freed
        else path
        for path in (*model.paths, *(p for p in candidates if p not in model.paths))
    ]
    larger = replace(model, paths=tuple(opened))
    problem = replace(data.problem, model=larger)
    own = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    own |= {names[id(p)]: p.value or 0.0 for p in candidates}
    values = np.array([own[name] for name in larger.free_parameters])
    _, score, _ = likelihood(problem)(values)
    matrix = wide_engine.information(problem, values, information)
    order = {name: k for k, name in enumerate(larger.free_parameters)}
    free = [order[name] for name in model.free_parameters]
    scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    matrix = matrix * np.outer(scale, scale)
    inverse = np.linalg.pinv(matrix[np.ix_(free, free)], rcond=1e-12, hermitian=True)
    found = []
    for path in candidates:
        k = order[names[id(path)]]
        across = matrix[free, k]
        left = float(matrix[k, k] - across @ inverse @ across)
        if left < 1e-8:
            continue  # no new moment depends on it
        slope = float(score[k] * scale[k])
        found.append((path, slope**2 / left, slope * scale[k] / left))
    return found


def _candidates(model: SemModel) -> list[Path]:
    """Fixed rows, and rows that are not there: loadings, (co)variances, regressions, means."""
    held = [p for p in model.paths if not p.free and p.definition is None]
    for group in range(model.n_groups):
        pairs: list[tuple[str, Operator, str]] = []
        pairs += [(f, "=~", y) for f in model.latent for y in model.outcomes]
        pairs += [(a, "~~", b) for a, b in combinations(model.outcomes, 2)]
        pairs += [(a, "~~", b) for a, b in combinations(model.latent, 2)]
        pairs += [(v, "~", x) for v in (*model.latent, *model.outcomes) for x in model.covariates]
        if any(p.op == "~" and p.left in model.latent for p in model.paths):
            pairs += [(a, "~", b) for a, b in permutations(model.latent, 2)]
        pairs += [(v, "~1", "") for v in (*model.latent, *model.outcomes)]
        for left, op, right in pairs:
            if model.path(left, op, right, group) is None:
                held.append(Path(left, op, right, free=False, value=0.0, group=group))
    return held


def _meaning(path: Path, model: SemModel) -> str:
    """What the parameter would be in a mixed model on long data."""
    latent = path.left in model.latent
    if path.op == "~~" and path.left == path.right:
        kind = "random effect" if latent else "residual"
        return f"a variance of the {kind} {path.left} that is estimated"
    if path.op == "~~":
        if latent:
            return f"random effects {path.left} and {path.right} that covary: no || between them"
        return (
            f"a residual covariance of {path.left} and {path.right}: residuals that are AR(1), "
            "banded or unstructured"
        )
    if path.op == "=~":
        return (
            f"a loading of {path.right} on {path.left} that is estimated: another time score, a "
            "curve that is not the one of the fixed scores"
        )
    if path.op == "~1":
        if latent:
            return f"a mean of {path.left}: its fixed effect"
        return f"a mean of {path.left} off the curve: the occasion as a factor in the fixed part"
    if latent and path.right in model.latent:
        return (
            f"a regression of {path.left} on {path.right}: random effects that covary, whose means "
            "are tied to that"
        )
    if latent:
        if _constant(path.left, model, path.group):
            return (
                f"an effect of {path.right} on the level {path.left}: the fixed effect {path.right}"
            )
        return f"an effect of {path.right} on {path.left}: the interaction time:{path.right}"
    return (
        f"an effect of {path.right} on {path.left} alone: one of its own at this occasion, the "
        f"occasion as a factor by {path.right}"
    )


def _constant(factor: str, model: SemModel, group: int) -> bool:
    loadings = [p for p in model.paths if p.op == "=~" and p.left == factor and p.group == group]
    return all(not p.free and p.value == 1.0 for p in loadings)
