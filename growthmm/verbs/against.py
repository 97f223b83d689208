"""A model fitted by our engines as another program fits it, and held against what that printed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from growthmm.data.frames import as_pandas
from growthmm.data.moments import Moments
from growthmm.engines.prepare import LongData, WideData, long_data, wide_data
from growthmm.engines.registry import run
from growthmm.engines.wide.problem import WideGroup, WideMoments, WideProblem
from growthmm.equivalence.printed.causes import explain
from growthmm.equivalence.printed.comparison import (
    Fits,
    Setting,
    compare,
    first_setting,
    not_printed,
)
from growthmm.equivalence.printed.result import AgainstPrinted
from growthmm.errors import SpecificationError
from growthmm.inference.result import FitResult
from growthmm.inference.robust import with_robust_errors
from growthmm.model.defaults import Assumption
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.printed import read_printed
from growthmm.printed.results import PrintedResults
from growthmm.verbs.binding import Facts, layout_of, mixed_arrays, paired, sem_arrays

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["printed_text", "verify_printed"]

Arrays = LongData | WideData


def printed_text(against: str | Path) -> str:
    """The printed results: text itself, or what the file of that path holds.

    Raises
    ------
    SpecificationError
        If there is no such file, or it can't be read.
    """
    if isinstance(against, str) and "\n" in against:
        return against
    path = Path(against)
    try:
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SpecificationError(
            f"The printed results {str(against)!r} cannot be read: {why}.",
            hint="Give the path of the file that the old program wrote, or its text.",
        ) from None


def verify_printed(
    model: MixedModel | SemModel,
    data: object,
    facts: Facts,
    against: str | Path | PrintedResults,
    *,
    label: str = "",
    estimator: Literal["ml", "reml"] | None = None,
    bounds: Literal["psd", "none"] | None = None,
) -> AgainstPrinted:
    """Fit a model by the estimator and the defaults of a program and compare with its output.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model; translated where the program is of the other family.
    data : data frame, path or Moments
        Its data.
    facts : Facts
        What was said about them.
    against : str, Path or PrintedResults
        The output.
    label : str
        How tables name the model.
    estimator : {"ml", "reml"}, optional
        In place of what the output says.
    bounds : {"psd", "none"}, optional
        In place of the program's habit.

    Returns
    -------
    AgainstPrinted
        Number by number, and the causes of differences.
    """
    read = against if isinstance(against, PrintedResults) else read_printed(printed_text(against))
    refits = _Refits(model, data, facts, read, label)
    setting = first_setting(read, estimator)
    if bounds is not None:
        setting = replace(setting, bounds=bounds)
    fits = refits(setting)
    rows = compare(read, fits, setting)
    found = explain(read, refits, setting, rows)
    verdict: Literal["agrees", "explained", "differs"] = "agrees"
    if not all(row.agrees for row in rows):
        verdict = "differs" if found.remaining else "explained"
    drift = float(np.sqrt(2 * setting.early))
    return AgainstPrinted(
        verdict=verdict,
        printed=read,
        fit=fits.expected,
        rows=rows,
        causes=found.causes,
        settings=_words(setting, read),
        allowance=(
            f"half a unit of the last printed digit, and for a program that may stop "
            f"{setting.early:.0e} log-likelihood units early {drift:.1e} standard errors; "
            f"{setting.error_slack:.0e} of a standard error"
        ),
        not_printed=not_printed(read, fits.expected),
        assumptions=tuple(str(note) for note in fits.expected.assumptions),
    )


def _words(setting: Setting, printed: PrintedResults) -> tuple[str, ...]:
    information = setting.fixed_errors
    if setting.variance_errors != information:
        kind = setting.variance_errors
        information = f"{information} information, of (co)variances {kind}"  # type: ignore[assignment]
    else:
        information = f"{information} information"  # type: ignore[assignment]
    bic = {"rows": "rows", "subjects": "persons", "residual_rows": "rows less fixed effects"}
    words = [
        f"estimator {setting.estimator.upper()}",
        "incomplete persons dropped" if setting.listwise else "all observed outcomes",
        "robust standard errors" if setting.robust else f"standard errors from {information}",
        f"BIC over {bic[setting.bic]}",
    ]
    if setting.adjusted and setting.estimator == "ml":
        words.append("standard errors times sqrt(n / (n - p))")
    if printed.family == "mixed" and setting.estimator == "reml" and setting.aic != "all":
        words.append("AIC and BIC count covariance parameters")
    return tuple(words)


@dataclass
class _Refits:
    """Our fits under one setting after another, each made once."""

    model: MixedModel | SemModel
    data: object
    facts: Facts
    printed: PrintedResults
    label: str
    _known: dict[tuple[object, ...], Fits] = field(default_factory=dict)
    _frame: Any = None

    def __call__(self, setting: Setting) -> Fits:
        key = setting.fit_key
        if key not in self._known:
            self._known[key] = self._fits(setting)
        return self._known[key]

    def _fits(self, setting: Setting) -> Fits:
        model = self._changed(setting)
        fitted, arrays, notes = self._arrays(model, setting.listwise)
        if setting.wishart:
            arrays = _wishart(arrays)
        engine = "long" if isinstance(arrays, LongData) else "wide"
        options: dict[str, Any] = {"estimator": setting.estimator, "bounds": setting.bounds}
        made = []
        for information in ("expected", "observed"):
            answer = run(engine, arrays.problem, information=information, **options)
            if setting.robust:
                kind = "cr0" if engine == "long" else "observed"
                answer, _ = with_robust_errors(answer, arrays.problem, kind)
            made.append(FitResult(fitted, answer, arrays, self.label, notes))
        return Fits(made[0], made[1])

    def _changed(self, setting: Setting) -> MixedModel | SemModel:
        """The model with the program's names, and with what a cause changes."""
        model = replace(self.model, estimator=setting.estimator)
        if isinstance(model, SemModel):
            return model
        if self.printed.family == "mixed":
            model = replace(model, notation=self.printed.notation)
        if setting.residual is not None:
            model = replace(model, residual=ResidualStructure.parse(setting.residual))
        if setting.diagonal is not None:
            kind: Any = "by_term" if setting.diagonal else "unstructured"
            blocks = tuple(replace(block, covariance=kind) for block in model.random)
            model = replace(model, random=blocks)
        return model

    def _arrays(
        self, model: MixedModel | SemModel, listwise: bool
    ) -> tuple[MixedModel | SemModel, Arrays, tuple[Assumption, ...]]:
        data = self._complete(model) if listwise else self._given()
        if isinstance(model, MixedModel) and self.printed.family == "mixed":
            return mixed_arrays(model, data, self.facts)
        if isinstance(model, SemModel) and self.printed.family == "sem":
            wide, notes = sem_arrays(model, data, self.facts)
            return wide.problem.model, wide, notes
        spelling = self.printed.notation if self.printed.family == "mixed" else "lme4"
        pair, frame = paired(model, data, self.facts, spelling=spelling)
        assert frame is not None
        if self.printed.family == "mixed":
            mixed = replace(pair.mixed.model, notation=spelling, estimator=model.estimator)
            return mixed, long_data(replace(pair.mixed, model=mixed), frame), pair.assumptions
        sem = replace(pair.sem.model, estimator=model.estimator)
        return sem, wide_data(pair.sem, frame), pair.assumptions

    def _given(self) -> Any:
        """The data, read once."""
        if self._frame is None:
            whole = isinstance(self.data, Moments)
            self._frame = self.data if whole else as_pandas(self.data)
        return self._frame

    def _complete(self, model: MixedModel | SemModel) -> Any:
        """The data of the persons without a missing value."""
        frame = self._given()
        if isinstance(frame, Moments):
            return frame
        if isinstance(model, SemModel) and layout_of(model, frame, self.facts) == "wide":
            used = [n for n in (*model.outcomes, *model.covariates) if n in frame.columns]
            return frame.dropna(subset=used).reset_index(drop=True)
        if isinstance(model, MixedModel):
            _, long, _ = mixed_arrays(model, frame, self.facts)
        else:
            pair, frame = paired(model, frame, self.facts)
            assert frame is not None
            long = long_data(pair.mixed, frame)
        return _of_whole_persons(frame, long)


def _of_whole_persons(frame: pd.DataFrame, long: LongData) -> pd.DataFrame:
    """The rows of persons with as many rows as anyone has."""
    subject = np.asarray(long.problem.subject)
    counts = np.bincount(subject)
    whole = counts[subject] == counts.max()
    kept: pd.DataFrame = frame.iloc[long.rows[whole]].reset_index(drop=True)
    return kept


def _wishart(arrays: Arrays) -> WideData:
    """Moments with divisor N - 1 and the weight N - 1, as lavaan's likelihood wishart has it."""
    if not isinstance(arrays, WideData):
        raise SpecificationError(
            "A mixed model has no likelihood of a covariance matrix.", hint="Leave it out."
        )
    problem = arrays.problem
    groups = []
    for group in problem.groups:
        moments = group if isinstance(group, WideMoments) else _moments(group)
        n = moments.n - 1
        groups.append(WideMoments(moments.mean, moments.cov * (moments.n / n), n))
    return WideData(WideProblem(problem.model, tuple(groups)), arrays.subjects)


def _moments(group: WideGroup) -> WideMoments:
    values = np.column_stack([group.outcomes, group.covariates])
    if group.definitions or not np.all(np.isfinite(values)):
        raise SpecificationError(
            "The divisor of a covariance matrix is a matter of complete data.",
            hint="Leave it out.",
        )
    cov = np.cov(values, rowvar=False, ddof=0).reshape(values.shape[1], values.shape[1])
    return WideMoments(values.mean(axis=0), cov, len(values))
