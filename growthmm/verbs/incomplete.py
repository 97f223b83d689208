"""A model and its incomplete data, whatever the layout: persons, tables, fits of completed data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import as_pandas
from growthmm.data.moments import Moments
from growthmm.data.person_table import PersonTable, table_of_long, table_of_wide
from growthmm.engines.prepare import LongData, WideData, long_data, wide_data
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideGroup
from growthmm.errors import TranslationError, UnsupportedEngineError
from growthmm.inference.result import FitResult
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.rendering import Brief
from growthmm.translation.binding.covariates import with_indicators
from growthmm.translation.pair import Pair
from growthmm.verbs.binding import Facts, layout_of, mixed_arrays, paired, sem_arrays

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Incomplete", "incomplete"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Incomplete(Brief):
    """A model and data with missing values.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model as read.
    label : str
        Its name in tables.
    frame : DataFrame
        The data as they were given.
    facts : Facts
        What was said about them.
    pair : Pair, optional
        Both forms, where there are two.
    long : DataFrame, optional
        Long data, where there are both forms.
    alone : str
        Why there is one form; empty where there are two.
    """

    model: MixedModel | SemModel
    label: str
    frame: pd.DataFrame
    facts: Facts
    pair: Pair | None
    long: pd.DataFrame | None
    alone: str = ""

    @cached_property
    def wide_rows(self) -> bool:
        """Whether the data have a row a person."""
        if isinstance(self.model, MixedModel):
            return False
        return layout_of(self.model, self.frame, self.facts) == "wide"

    @cached_property
    def wide(self) -> WideData:
        """The person rows of the growth curve, in the order of `subjects`."""
        if isinstance(self.model, SemModel):
            return sem_arrays(self.model, self.frame, self.facts)[0]
        assert self.pair is not None
        assert self.long is not None
        return wide_data(self.pair.sem, self.long)

    @cached_property
    def mixed(self) -> LongData | None:
        """The rows of the mixed form, where there is one."""
        if self.pair is None or self.long is None:
            return None
        return long_data(self.pair.mixed, self.long)

    @property
    def outcomes(self) -> FloatArray:
        """Outcomes, (n_subjects, n_outcomes), NaN where missing; group after group."""
        return np.concatenate([g.outcomes for g in self.groups])

    @property
    def covariates(self) -> FloatArray:
        """Covariates of the growth curve, (n_subjects, n_covariates)."""
        return np.concatenate([g.covariates for g in self.groups])

    @property
    def groups(self) -> tuple[WideGroup, ...]:
        """The groups' person rows."""
        found = tuple(g for g in self.wide.problem.groups if isinstance(g, WideGroup))
        assert len(found) == len(self.wide.problem.groups)
        return found

    def persons(self, keep: NDArray[np.bool_]) -> pd.DataFrame:
        """The data of some persons.

        Parameters
        ----------
        keep : (n_subjects,) ndarray of bool
            In the order of `outcomes`.
        """
        subjects = np.asarray(self.wide.subjects, dtype=object)[keep]
        if not self.wide_rows:
            person = self._person
            return self.frame[self.frame[person].isin(list(subjects))]
        if self.facts.id is not None and self.facts.id in self.frame.columns:
            return self.frame[self.frame[self.facts.id].isin(list(subjects))]
        rows = np.zeros(len(self.frame), dtype=bool)
        rows[subjects.astype(np.intp) - 1] = True
        return self.frame[rows]

    @property
    def _person(self) -> str:
        if self.pair is not None:
            return self.pair.mixed.schema.person
        assert self.facts.id is not None
        return self.facts.id

    def table(self, auxiliary: Sequence[str] = ()) -> PersonTable:
        """All values of persons in one row, for imputation.

        Raises
        ------
        UnsupportedEngineError
            If imputation does not apply to the model or its data.
        """
        if self.wide_rows:
            assert isinstance(self.model, SemModel)
            return _table_of_sem(self.model, self.frame, auxiliary)
        if self.pair is None:
            raise UnsupportedEngineError(
                f"Long data of a model without a mixed form can't be imputed: {self.alone}.",
                hint="Give wide data, a row a person.",
            )
        return table_of_long(self.frame, self.pair.mixed.schema, auxiliary)

    def fit(
        self, frame: pd.DataFrame, model: SemModel | None = None, wide: WideData | None = None
    ) -> FitResult:
        """The model fitted to other rows, its basis constants those of the whole data.

        Parameters
        ----------
        frame : DataFrame
            In the layout that was given.
        model : SemModel, optional
            Another model in its place (with auxiliary variables).
        wide : WideData, optional
            That model's arrays, where they are made already.
        """
        if wide is not None:
            assert model is not None
            return _fitted(model, wide, self.label)
        if isinstance(self.model, SemModel):
            arrays, _ = sem_arrays(model or self.model, frame, self.facts)
            return _fitted(arrays.problem.model, arrays, self.label)
        assert self.pair is not None
        told = replace(self.facts, schema=self.pair.mixed.schema, time_values=None)
        bound, rows, _ = mixed_arrays(self.model, frame, told)
        return _fitted(bound, rows, self.label)

    @cached_property
    def whole(self) -> FitResult:
        """Maximum likelihood from all observed outcomes."""
        return self.fit(self.frame)


def _fitted(model: MixedModel | SemModel, arrays: LongData | WideData, label: str) -> FitResult:
    # Expected information is not valid where dropout depends on outcomes (Kenward & Molenberghs
    # 1998, doi:10.1214/ss/1028905830).
    engine = "long" if isinstance(arrays, LongData) else "wide"
    fit = run(engine, arrays.problem, estimator=model.estimator, information="observed")
    return FitResult(model, fit, arrays, label)


def _table_of_sem(model: SemModel, frame: pd.DataFrame, auxiliary: Sequence[str]) -> PersonTable:
    if any(path.definition is not None for path in model.paths):
        raise UnsupportedEngineError(
            "The model has definition variables, which differ from person to person and are not "
            "imputed.",
            hint="Rely on full information, or round times to occasions (bin=).",
        )
    if model.n_levels > 1:
        raise UnsupportedEngineError(
            "The model has two levels, and imputation here knows no clusters.",
            hint="Rely on full information.",
        )
    names = dict.fromkeys((*model.outcomes, *model.covariates, *auxiliary))
    return table_of_wide(with_indicators(model, frame), tuple(names), model.group_variable)


def incomplete(model: MixedModel | SemModel, label: str, data: object, facts: Facts) -> Incomplete:
    """Bind a model to incomplete data.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model as read.
    label : str
        Its name in tables.
    data : data frame or path
        Long or wide.
    facts : Facts
        What was said about them.

    Raises
    ------
    UnsupportedEngineError
        If the data are moments.
    TranslationError
        If a mixed model has no wide form.
    """
    if isinstance(data, Moments):
        raise UnsupportedEngineError(
            "Moments are of complete data.", hint="Give the data with their missing values."
        )
    frame = as_pandas(data)
    try:
        pair, long = paired(model, frame, facts)
    except TranslationError as error:
        if isinstance(model, MixedModel):
            raise
        return Incomplete(model, label, frame, facts, None, None, error.message.rstrip("."))
    return Incomplete(model, label, frame, facts, pair, long)
