"""The verb ``implied``: means and covariances of the outcomes at given parameter values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import wide as wide_engine
from growthmm.engines.wide.problem import WideMoments, WideProblem
from growthmm.errors import SpecificationError, UnboundError
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.rendering import Shown
from growthmm.verbs.binding import Facts, paired
from growthmm.verbs.parameter_values import labelled, vector
from growthmm.verbs.source import Function, ModelLike, source

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.translation.pair import Pair

__all__ = ["Implied", "implied"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Implied(Shown):
    """Moments of the outcomes of a person seen at every occasion, given covariates x.

    Parameters
    ----------
    mean : Series
        Means where every covariate is zero, by outcome.
    slopes : DataFrame
        Effects of the covariates on the means: outcomes in rows, covariates in columns.
    cov : DataFrame
        Covariance matrix given the covariates.
    """

    _html: ClassVar[str] = "moments.html"

    mean: pd.Series
    slopes: pd.DataFrame
    cov: pd.DataFrame

    def __repr__(self) -> str:
        import pandas as pd

        n, x = len(self.mean), self.slopes.shape[1]
        given = f" given {x} covariate{'s' * (x != 1)}" if x else ""
        table = pd.concat([self.mean, self.slopes, self.cov], axis=1)
        shown = table.to_string(max_cols=12, max_rows=24, float_format="{:.4g}".format)
        return f"Means and covariances of {n} outcomes{given}\n{shown}"


def implied(
    model: ModelLike,
    parameters: Mapping[str, float],
    data: object | None = None,
    *,
    id: str | None = None,
    time: str | None = None,
    time_values: Sequence[float] | None = None,
    schema: Schema | None = None,
    residual: str | None = None,
    notation: str | None = None,
    function: Function | None = None,
    group: int = 0,
) -> Implied:
    r"""Means and covariance matrix that a model implies: ``X b`` and ``Z G Z' + R``.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        The model. A structural equation model needs no data.
    parameters : mapping of str to float
        All parameters by name, as ``FitResult.estimates`` names them, or a shared label once.
    data : data frame or path, optional
        Where a mixed model takes occasions and codings from.
    id, time, time_values, schema, residual, notation, function
        As in ``translate``.
    group : int
        Which group of a model of several, from 0.

    Returns
    -------
    Implied
        ``.mean``, ``.slopes``, ``.cov``, by the outcomes' wide columns.

    Raises
    ------
    SpecificationError
        If parameters are missing or unknown.
    UnboundError
        If a mixed model comes without data or schema.

    References
    ----------
    Laird, N. M., & Ware, J. H. (1982). https://doi.org/10.2307/2529876
    McArdle, J. J., & McDonald, R. P. (1984). https://doi.org/10.1111/j.2044-8317.1984.tb00802.x

    Examples
    --------
    >>> import growthmm as gm
    >>> found = gm.implied("i =~ 1*y0 + 1*y1\ny0 ~~ v*y0\ny1 ~~ v*y1",
    ...                    {"i~1": 2.0, "i~~i": 1.0, "v": 0.5})
    >>> found.mean.tolist(), found.cov.to_numpy().tolist()
    ([2.0, 2.0], [[1.5, 1.0], [1.0, 1.5]])
    """
    read = source(model, notation=notation, function=function, residual=residual, otherwise="ml")
    if isinstance(read.model, SemModel):
        values = vector(read.model.free_parameters, labelled(read.model, parameters), "parameters")
        return _of_sem(read.model, values, group)
    if data is None and schema is None:
        raise UnboundError(
            "A mixed model does not say its occasions and codings.",
            hint="Give data=, or a schema=.",
        )
    facts = Facts(id, time, None, time_values, None, schema)
    pair, _ = paired(read.model, data, facts)
    return _of_sem(pair.sem.model, _as_sem(pair, parameters), group)


def _as_sem(pair: Pair, parameters: Mapping[str, float]) -> FloatArray:
    from growthmm.equivalence.correspondence import correspondence

    link = correspondence(pair)
    return link.to_sem(vector(link.mixed.names, parameters, "parameters"))


def _of_sem(model: SemModel, values: FloatArray, group: int) -> Implied:
    import pandas as pd

    if not 0 <= group < model.n_groups:
        raise SpecificationError(
            f"There is no group {group}; the model has {model.n_groups}.",
            hint="Groups count from 0.",
        )
    if any(path.definition for path in model.paths):
        raise SpecificationError(
            "The model's moments differ from person to person: it has definition variables.",
            hint="Take fitted values of the persons: gm.fit(...).predict().",
        )
    names = [*model.outcomes, *model.covariates]
    nothing = WideMoments(np.zeros(len(names)), np.eye(len(names)), 2)
    problem = WideProblem(model, (nothing,) * model.n_groups)
    mean, slopes, covariance = wide_engine.implied(problem, values, group)
    outcomes = list(model.outcomes)
    return Implied(
        pd.Series(mean, index=outcomes, name="mean"),
        pd.DataFrame(slopes, index=outcomes, columns=list(model.covariates)),
        pd.DataFrame(covariance, index=outcomes, columns=outcomes),
    )
