"""What each estimator estimates, what it takes for granted, and what it can't say."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MEANINGS", "Meaning"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """An estimator in words.

    Parameters
    ----------
    title : str
        Its name in tables.
    library : str
        Whose work it is.
    estimates : str
        What it estimates.
    assumes : str
        What has to hold, missing outcomes included.
    silent : str
        What it doesn't estimate.
    """

    title: str
    library: str
    estimates: str
    assumes: str
    silent: str


_GEE_ASSUMES = (
    "the means are right; missing outcomes depend on covariates alone (not on earlier outcomes); "
    "many persons"
)
_GEE_SILENT = "variances between persons, individual curves, a likelihood"

MEANINGS: dict[str, Meaning] = {
    "mixed": Meaning(
        "mixed model",
        "growthmm (long)",
        "mean effects, and how persons differ: variances and covariances of the random effects, "
        "individual curves",
        "what differs between persons is unrelated to predictors that vary over time; the "
        "covariances are modelled rightly; missing outcomes may depend on observed ones",
        "effects within persons apart from those between, unless persons' means are predictors",
    ),
    "sem": Meaning(
        "latent growth curve (SEM)",
        "growthmm (wide)",
        "the mixed model's parameters, in wide data; fit against the unrestricted model",
        "as the mixed model; occasions shared, or times as definition variables",
        "the same",
    ),
    "within": Meaning(
        "fixed effects (within)",
        "linearmodels (PanelOLS)",
        "effects of what varies within persons, from deviations from persons' means alone",
        "nothing about what is stable in persons; predictors unrelated to past and future "
        "residuals; missing outcomes depend on covariates and the stable part alone",
        "effects of what is the same in all rows of a person, the intercept, variances between "
        "persons",
    ),
    "mundlak": Meaning(
        "random intercept with persons' means (Mundlak)",
        "growthmm (long)",
        "the within estimates once more, and what differs between persons beside them: mean(x) is "
        "between minus within",
        "for the within part what fixed effects assume; for the rest that the intercept's rest is "
        "unrelated to all predictors",
        "differences of persons in growth: the intercept alone is random",
    ),
    "pooled": Meaning(
        "OLS, clustered by person",
        "statsmodels (OLS)",
        "mean effects over all rows, every row with the same weight",
        "the means are right; missing outcomes depend on covariates alone (not on earlier "
        "outcomes); many persons",
        "variances between persons, individual curves; it is the least precise",
    ),
    "gee_exchangeable": Meaning(
        "GEE, exchangeable",
        "statsmodels (GEE)",
        "mean effects, rows weighted as if any two of a person were equally correlated",
        _GEE_ASSUMES,
        _GEE_SILENT,
    ),
    "gee_ar1": Meaning(
        "GEE, AR(1)",
        "statsmodels (GEE)",
        "mean effects, rows weighted as if correlations decayed over time",
        _GEE_ASSUMES,
        _GEE_SILENT,
    ),
    "gee_unstructured": Meaning(
        "GEE, unstructured",
        "statsmodels (GEE)",
        "mean effects, rows weighted by a correlation for every pair of occasions",
        _GEE_ASSUMES + "; few occasions",
        _GEE_SILENT,
    ),
}
"""Every estimator by its stable word, in the order of tables."""
