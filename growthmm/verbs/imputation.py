"""The verbs ``impute`` and ``pool``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from growthmm.errors import SpecificationError
from growthmm.inference.missingness.imputation import METHODS, Method, chained, forest
from growthmm.inference.missingness.rubin import PooledFits, pool_fits
from growthmm.inference.result import FitResult
from growthmm.model.residual import ResidualStructure
from growthmm.rendering import Shown
from growthmm.verbs.binding import Facts, Layout
from growthmm.verbs.incomplete import Incomplete, incomplete
from growthmm.verbs.source import Function, ModelLike, source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Imputations", "completed", "impute", "pool"]


@dataclass(frozen=True)
class Imputations(Shown):
    """Completed data sets.

    Parameters
    ----------
    frames : tuple of DataFrame
        In the layout of the data: the model's columns, a row for each person and occasion (long),
        or all columns (wide). Persons without any value are left out.
    method : {"regression", "forest"}
        How they were made.
    seed : int
        Of the random numbers.
    n_missing : int
        Cells that were filled in.
    study : Incomplete
        The model and the data that it is for.
    errors : dict of str to float
        Of forests: their error out of bag by column, as a share of its standard deviation.
    """

    frames: tuple[pd.DataFrame, ...]
    method: Method
    seed: int
    n_missing: int
    study: Incomplete = field(repr=False)
    errors: dict[str, float] = field(default_factory=dict)

    def fits(self) -> tuple[FitResult, ...]:
        """The model fitted to each, with basis constants of the data as they were."""
        return tuple(self.study.fit(frame) for frame in self.frames)

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return (
            f"<Imputations: {len(self)} by {self.method}, {self.n_missing} cells filled in, "
            f"seed {self.seed}>"
        )


def impute(
    model: ModelLike,
    data: object,
    n_imputations: int = 20,
    *,
    method: Method = "regression",
    auxiliary: Sequence[str] = (),
    seed: int = 0,
    id: str | None = None,
    time: str | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    layout: Layout | None = None,
    residual: str | ResidualStructure | None = None,
    estimator: str | None = None,
    notation: str | None = None,
    function: Function | None = None,
) -> Imputations:
    """Fill in missing outcomes and covariates.

    In person rows, with all values of the model at all occasions as predictors of each other:
    ``"regression"`` draws them several times by chained Bayesian regressions (scikit-learn's
    ``IterativeImputer``), as multiple imputation needs; ``"forest"`` predicts them once by random
    forests (Stekhoven & Buhlmann 2012, doi:10.1093/bioinformatics/btr597).

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        The model that the data are for: it says which columns count.
    data : data frame or path
        Long or wide.
    n_imputations : int
        How many completed data sets; forests make one.
    method : {"regression", "forest"}
        How.
    auxiliary : sequence of str
        Columns that the model does not use, and that predict what is missing.
    seed : int
        Of the random numbers.
    id, time, outcome, time_values, layout, residual, estimator, notation, function : optional
        As in ``fit``.

    Returns
    -------
    Imputations
        ``.frames``; ``.fits()`` for ``gm.pool``.

    Raises
    ------
    SpecificationError
        If the method is none.
    UnsupportedEngineError
        If imputation does not apply: times differ between persons, clusters, categories that
        are missing, two variables that were never seen together.

    Examples
    --------
    >>> import growthmm as gm
    >>> data = gm.datasets.gpa()
    >>> data["gpa"] = data["gpa"].mask((data["occasion"] == 5) & (data["student"] % 3 == 0))
    >>> made = gm.impute("gpa ~ occasion + (occasion | student)", data, 3, seed=1)
    >>> made.n_missing, [len(frame) for frame in made.frames]
    (66, [1200, 1200, 1200])
    """
    if method not in METHODS:
        raise SpecificationError(
            f"There is no imputation by {method!r}.", hint=f"Use one of {', '.join(METHODS)}."
        )
    read = source(
        model,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
        otherwise="ml",
    )
    facts = Facts(id, time, outcome, time_values, layout)
    study = incomplete(read.model, read.label, data, facts)
    return completed(study, n_imputations, method=method, auxiliary=auxiliary, seed=seed)


def completed(
    study: Incomplete,
    n_imputations: int,
    *,
    method: Method,
    auxiliary: Sequence[str],
    seed: int,
) -> Imputations:
    """Completed data sets of a model and its data, see :func:`impute`."""
    table = study.table(auxiliary)
    if method == "forest":
        grown = forest(table, seed)
        return Imputations(
            (table.completed(grown.values),), method, seed, table.n_missing, study, grown.errors
        )
    made = chained(table, n_imputations, seed)
    frames = tuple(table.completed(values) for values in made)
    return Imputations(frames, method, seed, table.n_missing, study)


def pool(fits: Sequence[FitResult], *, complete_df: float | None = None) -> PooledFits:
    """Pool fits of one model to several completed data sets by Rubin's rules.

    Estimates are means; variances are those within plus ``1 + 1/m`` times those between
    imputations (Rubin 1987, doi:10.1002/9780470316696); degrees of freedom by Barnard and Rubin
    (1999, doi:10.1093/biomet/86.4.948).

    Parameters
    ----------
    fits : sequence of FitResult
        ``gm.impute(...).fits()``, or fits of data that another program completed.
    complete_df : float, optional
        Degrees of freedom without missing data. Where None those of the fits (``df=`` of
        ``gm.fit``), else infinite.

    Returns
    -------
    PooledFits
        ``.estimates``.

    Raises
    ------
    SpecificationError
        If there are fewer than two fits, or their parameters differ.

    Examples
    --------
    >>> import growthmm as gm
    >>> data = gm.datasets.gpa()
    >>> data["gpa"] = data["gpa"].mask((data["occasion"] == 5) & (data["student"] % 3 == 0))
    >>> made = gm.impute("gpa ~ occasion + (occasion | student)", data, 3, seed=1)
    >>> found = gm.pool(made.fits()).estimates
    >>> found["name"].head(2).tolist()
    ['(Intercept)', 'occasion']
    """
    return pool_fits(fits, complete_df)
