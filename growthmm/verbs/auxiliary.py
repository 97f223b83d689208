"""The verb ``with_auxiliary``, and fits with auxiliary variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from growthmm.data.person_table import table_of_long
from growthmm.engines.prepare import WideData
from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.equivalence.correspondence import carried, correspondence
from growthmm.errors import SpecificationError
from growthmm.inference.result import FitResult
from growthmm.model.auxiliary import with_correlates
from growthmm.model.sem import SemModel
from growthmm.verbs.incomplete import Incomplete
from growthmm.verbs.source import ModelLike, source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["auxiliary_estimates", "with_auxiliary"]


def with_auxiliary(
    model: ModelLike, names: Sequence[str], *, notation: str | None = None
) -> SemModel:
    """Add auxiliary variables to a structural equation model, as saturated correlates.

    They inform on missing outcomes and restrict nothing (Graham 2003,
    doi:10.1207/S15328007SEM1001_4): each covaries with the other auxiliary variables and with the
    residuals of all outcomes, and is regressed on the covariates. All parameters of the model
    mean what they meant.

    Parameters
    ----------
    model : str, Path or SemModel
        A structural equation model.
    names : sequence of str
        Columns of wide data that the model does not use.
    notation : str, optional
        How to read the text.

    Returns
    -------
    SemModel
        To be fitted (``gm.fit``) or written (``gm.write(model, "lavaan")``).

    Raises
    ------
    SpecificationError
        If the model is a mixed model, or names a variable already.
    UnsupportedEngineError
        If it has two levels or definition variables.

    Examples
    --------
    >>> import growthmm as gm
    >>> growth = "i =~ 1*y0 + 1*y1 + 1*y2"
    >>> "y0 ~~ a" in gm.write(gm.with_auxiliary(growth, ["a"]), "lavaan").text
    True
    """
    read = source(model, notation=notation)
    if not isinstance(read.model, SemModel):
        raise SpecificationError(
            "A mixed model has no place for auxiliary variables.",
            hint="Translate it to a structural equation model first, or use "
            "gm.missing(model, data, auxiliary=[...]).",
        )
    return with_correlates(read.model, names)


def auxiliary_estimates(study: Incomplete, names: Sequence[str]) -> tuple[FitResult, pd.DataFrame]:
    """A fit with auxiliary variables, and the model's own parameters in its own names.

    Parameters
    ----------
    study : Incomplete
        Model and data.
    names : sequence of str
        The auxiliary variables, columns of the data.

    Returns
    -------
    fit : FitResult
        Of the growth curve with correlates.
    estimates : DataFrame
        ``name, kind, estimate, std_error``.
    """
    if study.wide_rows:
        assert isinstance(study.model, SemModel)
        fit = study.fit(study.frame, with_correlates(study.model, names))
        return fit, fit.estimates
    model, wide = _with_columns(study, names)
    fit = study.fit(study.frame, model, wide)
    if isinstance(study.model, SemModel):
        return fit, fit.estimates
    return fit, _in_mixed_names(study, fit)


def _with_columns(study: Incomplete, names: Sequence[str]) -> tuple[SemModel, WideData]:
    """The growth curve of long data with correlates, and its arrays."""
    import pandas as pd

    if study.pair is None:
        raise SpecificationError(
            f"Auxiliary variables of long data need the mixed form: {study.alone}.",
            hint="Give wide data, a row a person.",
        )
    schema, base = study.pair.mixed.schema, study.wide.problem.model
    # Raises what speaks against correlates before the data are looked at.
    with_correlates(base, names)
    table = table_of_long(study.frame, schema, names)
    places = [k for name in names for k in table.places(name)]
    columns = tuple(table.names[k] for k in places)
    held = pd.DataFrame(table.values[:, places], index=pd.Index(table.persons))
    matrix = held.reindex(pd.Index(study.wide.subjects)).to_numpy(float)
    model = with_correlates(base, columns)
    groups, start = [], 0
    for group in study.groups:
        stop = start + len(group.outcomes)
        groups.append(
            replace(group, outcomes=np.column_stack([group.outcomes, matrix[start:stop]]))
        )
        start = stop
    made: tuple[WideGroup, ...] = tuple(groups)
    model = replace(model, estimator=study.model.estimator)
    return model, WideData(WideProblem(model, made), study.wide.subjects)


def _in_mixed_names(study: Incomplete, fit: FitResult) -> pd.DataFrame:
    """The growth part's estimates as those of the mixed model."""
    import pandas as pd

    assert study.pair is not None
    link = correspondence(study.pair)
    at = [fit.fit.names.index(name) for name in link.sem.names]
    values = fit.fit.estimates[at]
    covariance = fit.fit.covariance[np.ix_(at, at)]
    there = link.to_mixed(values)
    errors = np.sqrt(np.diag(carried(covariance, link.slopes(there, values))))
    return pd.DataFrame({"name": link.mixed.names, "estimate": there, "std_error": errors})
