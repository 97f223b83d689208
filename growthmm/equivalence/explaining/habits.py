"""How programs run and print an analysis by default, beside the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args, get_type_hints

from growthmm.errors import SpecificationError
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.printed.conventions import CONVENTIONS, Convention
from growthmm.printed.results import PrintedResults

__all__ = ["Habits", "as_printed", "habits_of", "with_options"]


@dataclass(frozen=True, slots=True)
class Habits:
    """Everything about an analysis that is not its model.

    Parameters
    ----------
    estimator : {"ml", "reml"}
        What is maximised.
    bounds : {"psd", "none"}
        The parameter space of covariance matrices.
    missing : {"all", "listwise"}
        Whether all observed outcomes are used, or only persons without a missing value.
    missing_covariates : {"rows", "persons"}
        What a missing covariate drops.
    covariates : {"conditional", "joint"}
        Whether the covariates' own likelihood is counted.
    divisor : {"n", "n-1"}
        Of covariances.
    information : {"expected", "observed", "pooled"}
        Behind the standard errors; ``pooled`` is expected with the covariates' moments of all
        persons in every pattern of missing outcomes, as lavaan has it.
    robust : {"no", "yes"}
        Whether they are of the sandwich kind.
    adjusted : {"no", "yes"}
        Whether they are multiplied by the root of n / (n - p).
    tests : {"z", "t", "t containment", "t satterthwaite"}
        Of coefficients.
    bic : {"rows", "subjects", "residual_rows"}
        What BIC counts.
    baseline : {"none", "independence", "growth"}
        What CFI and TLI compare with; a mixed-model program prints neither.
    parametrisation : {"covariances", "correlations", "deviations", "relative"}
        What is printed of variances.
    """

    estimator: Literal["ml", "reml"] = "ml"
    bounds: Literal["psd", "none"] = "psd"
    missing: Literal["all", "listwise"] = "all"
    missing_covariates: Literal["rows", "persons"] = "rows"
    covariates: Literal["conditional", "joint"] = "conditional"
    divisor: Literal["n", "n-1"] = "n"
    information: Literal["expected", "observed", "pooled"] = "expected"
    robust: Literal["no", "yes"] = "no"
    adjusted: Literal["no", "yes"] = "no"
    tests: Literal["z", "t", "t containment", "t satterthwaite"] = "z"
    bic: Literal["rows", "subjects", "residual_rows"] = "rows"
    baseline: Literal["none", "independence", "growth"] = "none"
    parametrisation: Literal["covariances", "correlations", "deviations", "relative"] = (
        "covariances"
    )


_TESTS: Mapping[str, Literal["t", "t containment", "t satterthwaite"]] = {
    "lme4": "t",
    "nlme": "t containment",
    "sas": "t containment",
    "spss": "t satterthwaite",
}
"""Mixed-model programs that do not print z."""

_PRINTED: Mapping[str, Literal["correlations", "deviations", "relative"]] = {
    "lme4": "correlations",
    "glmmtmb": "correlations",
    "mixedmodels.jl": "correlations",
    "nlme": "deviations",
    "brms": "deviations",
    "statsmodels": "relative",
}
"""Programs that do not print variances and covariances alone."""


def habits_of(model: MixedModel | SemModel) -> Habits:
    """How the program of a model's notation runs and prints it.

    Parameters
    ----------
    model : MixedModel or SemModel
        As read, with what its text says of estimator, missing data and so on.
    """
    habit = CONVENTIONS.get(model.notation, Convention())
    if isinstance(model, SemModel):
        sandwich = any(d.what == "standard errors" and "robust" in d.value for d in model.defaults)
        otherwise = "observed" if model.missing == "ml" else habit.fixed_errors
        information: Literal["expected", "observed", "pooled"] = model.information or otherwise
        if information == "expected" and model.notation == "lavaan" and model.missing == "ml":
            information = "pooled"
        return Habits(
            estimator=model.estimator,
            bounds="psd" if model.notation == "semopy" else "none",
            missing="all" if model.missing == "ml" else "listwise",
            missing_covariates="persons",
            divisor="n" if model.likelihood == "normal" else "n-1",
            information=information,
            robust="yes" if sandwich else "no",
            bic="subjects",
            baseline="independence",
        )
    return Habits(
        estimator=model.estimator,
        bounds=habit.bounds,
        information=habit.fixed_errors,
        adjusted="yes" if habit.adjusted and model.estimator == "ml" else "no",
        tests=_TESTS.get(model.notation, "z"),
        bic="rows" if habit.bic == "residual_rows" and model.estimator == "ml" else habit.bic,
        parametrisation=_PRINTED.get(model.notation, "covariances"),
    )


def as_printed(habits: Habits, printed: PrintedResults) -> Habits:
    """The habits with what a program's output says of the run.

    Parameters
    ----------
    habits : Habits
        The program's.
    printed : PrintedResults
        Its output.
    """
    said = (printed.estimator or "").lower()
    if said:
        habits = replace(habits, estimator="reml" if said == "reml" else "ml")
    if printed.information is not None:
        habits = replace(habits, information=printed.information)
    if printed.listwise is not None:
        habits = replace(habits, missing="listwise" if printed.listwise else "all")
    return replace(habits, robust="yes" if printed.robust else "no")


def with_options(habits: Habits, options: Mapping[str, str]) -> Habits:
    """The habits with those replaced that the call names.

    Parameters
    ----------
    habits : Habits
        The program's.
    options : mapping of str to str
        By the name of the field, such as ``{"missing": "listwise"}``.

    Raises
    ------
    SpecificationError
        If there is no such option or value.

    Examples
    --------
    >>> with_options(Habits(), {"missing": "listwise"}).missing
    'listwise'
    """
    kinds = get_type_hints(Habits)
    names = [field.name for field in fields(Habits)]
    for name, value in options.items():
        if name not in names:
            raise SpecificationError(
                f"There is no option {name!r} of an analysis.",
                hint=f"Options: {', '.join(names)}.",
            )
        if value not in get_args(kinds[name]):
            raise SpecificationError(
                f"The option {name} has no value {value!r}.",
                hint=f"Use one of {', '.join(get_args(kinds[name]))}.",
            )
    return replace(habits, **options)  # type: ignore[arg-type]
