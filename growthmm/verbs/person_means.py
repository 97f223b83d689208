"""Person means of time-varying covariates as covariates of their own (Mundlak's form)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import as_pandas, codes, numeric_column, require_columns
from growthmm.data.roles import find_person
from growthmm.data.wording import listed
from growthmm.errors import SpecificationError
from growthmm.model.defaults import Assumption
from growthmm.model.expression import quote, variables
from growthmm.model.mixed import MixedModel
from growthmm.model.terms import Term

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.model.sem import SemModel

__all__ = ["PersonMeans", "with_person_means"]


@dataclass(frozen=True)
class PersonMeans:
    """A model and data with person means added.

    Parameters
    ----------
    model : MixedModel
        With a fixed effect of each mean.
    frame : DataFrame
        With a column for each mean.
    columns : tuple of (str, str)
        Each new column and the covariate that it is the mean of.
    """

    model: MixedModel
    frame: pd.DataFrame
    columns: tuple[tuple[str, str], ...]

    @property
    def notes(self) -> tuple[Assumption, ...]:
        """What the new columns are."""
        return tuple(
            Assumption(
                f"{column} is each person's mean of {name} over the rows with an outcome",
                f"the effect of {name} is then the one within persons (Mundlak); the data of other "
                "programs need the column",
            )
            for column, name in self.columns
        )


def with_person_means(
    model: MixedModel | SemModel, data: object, names: Sequence[str], id: str | None
) -> PersonMeans:
    """Add the person means of covariates to a mixed model, and to its data.

    The coefficient of ``x`` is then the effect within persons, that of ``x_mean`` the contextual
    one (between minus within; Mundlak 1978, doi:10.2307/1913646). Means are taken over the rows
    in which the outcome and the covariate are observed. Latent means (Mplus, lavaan's two-level
    models) are another model.

    Parameters
    ----------
    model : MixedModel
        With fixed effects of the covariates.
    data : data frame or path
        Long data.
    names : sequence of str
        The covariates.
    id : str, optional
        The column of persons; the model's grouping factor where None.

    Returns
    -------
    PersonMeans
        The model and data.

    Raises
    ------
    SpecificationError
        If the model is a SEM, a covariate is none of it, or is the same in all rows of a person.

    Examples
    --------
    >>> import pandas
    >>> from growthmm.verbs.source import read
    >>> data = pandas.DataFrame({"id": [1, 1, 2, 2], "x": [0, 2, 1, 5], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> found = with_person_means(read("y ~ x + (1 | id)"), data, ["x"], None)
    >>> [str(term) for term in found.model.fixed], found.frame.x_mean.tolist()
    (['1', 'x', 'x_mean'], [1.0, 1.0, 3.0, 3.0])
    """
    if not isinstance(model, MixedModel):
        raise SpecificationError(
            "Person means are added to a mixed model.",
            hint="Translate the SEM to a formula first.",
        )
    if data is None:
        raise SpecificationError("mundlak= takes person means of data.", hint="Give the data.")
    frame = as_pandas(data)
    group = id if id is not None else variables(find_person(model, frame))[0]
    require_columns(frame, [group, *names])
    used = {v for term in model.fixed for factor in term.factors for v in variables(factor)}
    person, labels = codes(frame, group)
    seen = person >= 0
    for name in variables(model.response):
        seen &= np.isfinite(numeric_column(frame, name))
    made: dict[str, NDArray[np.float64]] = {}
    columns = []
    for name in dict.fromkeys(names):
        if name not in used:
            raise SpecificationError(
                f"The model has no effect of {name!r}, so its person mean explains nothing.",
                hint=f"Its covariates: {listed(sorted(used)) or 'none'}.",
            )
        values = numeric_column(frame, name)
        here = seen & np.isfinite(values)
        count = np.bincount(person[here], minlength=len(labels))
        total = np.bincount(person[here], values[here], minlength=len(labels))
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        column = _fresh(f"{name}_mean", frame)
        made[column] = np.where(person >= 0, mean[np.maximum(person, 0)], np.nan)
        if bool(np.all(np.abs(values - made[column])[here] == 0)):
            raise SpecificationError(
                f"{name} is the same in all rows of every person: it is its own mean.",
                hint="Leave it out of mundlak=.",
            )
        columns.append((column, name))
    first = [term for term in model.fixed if len(term.factors) < 2]
    rest = [term for term in model.fixed if len(term.factors) >= 2]
    added = [Term((quote(column),)) for column, _ in columns]
    return PersonMeans(
        replace(model, fixed=(*first, *added, *rest)), frame.assign(**made), tuple(columns)
    )


def _fresh(wish: str, frame: pd.DataFrame) -> str:
    name = wish
    while name in frame.columns:
        name += "_"
    return name
