"""The result of a fit, with everything that users read off it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from growthmm.engines import long as long_engine
from growthmm.engines import wide as wide_engine
from growthmm.engines.outcome import Boundary, Convergence, EngineFit
from growthmm.engines.prepare import LongData, WideData
from growthmm.engines.registry import run
from growthmm.errors import SpecificationError
from growthmm.inference.counted import n_free
from growthmm.inference.criteria import aic, bic
from growthmm.inference.derived_table import derived_table
from growthmm.inference.estimates import estimates_table
from growthmm.inference.fitted import fitted_outcomes
from growthmm.inference.growth_fit import both_fit_measures
from growthmm.inference.joint import JointLikelihood, joint_likelihood
from growthmm.inference.labelled import (
    factor_covariance,
    ordered_estimates,
    residual_covariance,
)
from growthmm.model.defaults import Assumption
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.rendering import Tabular, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FitResult"]


@dataclass(frozen=True)
class FitResult(Tabular):
    """A fitted growth model.

    Parameters
    ----------
    model : MixedModel or SemModel
        What was fitted.
    fit : EngineFit
        The engine's answer.
    data : LongData or WideData
        The arrays that it was fitted to.
    label : str
        How tables name the model.
    assumptions : tuple of Assumption
        What had to be guessed on the way.
    robust : str, optional
        Name of the sandwich behind the standard errors; None where they are the model's own.
    df : str, optional
        How the tests' degrees of freedom were found; None where tests are normal.
    degrees : (n_parameters,) ndarray, optional
        Degrees of freedom of each parameter's test, NaN where it is normal.
    penalty : str, optional
        Name of the penalty on the random effects' covariance matrix.
    source : object, optional
        The data as they were given, from which persons can be drawn again.
    """

    model: MixedModel | SemModel
    fit: EngineFit
    data: LongData | WideData
    label: str = ""
    assumptions: tuple[Assumption, ...] = ()
    robust: str | None = None
    df: str | None = None
    degrees: NDArray[np.float64] | None = None
    penalty: str | None = None
    source: object = None

    @property
    def engine(self) -> str:
        """The engine that fitted it."""
        return self.fit.engine

    @property
    def estimator(self) -> str:
        """``"ml"`` or ``"reml"``."""
        return self.fit.estimator

    @property
    def log_likelihood(self) -> float:
        """Maximised log-likelihood with all constants, conditional on covariates."""
        return self.fit.log_likelihood

    @property
    def deviance(self) -> float:
        """``-2 log L`` (for REML the REML criterion)."""
        return -2.0 * self.fit.log_likelihood

    @cached_property
    def n_parameters(self) -> int:
        """Free parameters, fixed effects included; those that constraints settle don't count."""
        return n_free(self.fit, self.data)

    @property
    def n_subjects(self) -> int:
        """Persons with at least one outcome used."""
        return self.fit.n_subjects

    @property
    def n_rows(self) -> int:
        """Outcome values used."""
        return self.fit.n_rows

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return aic(self.log_likelihood, self.n_parameters)

    @property
    def bic(self) -> float:
        """Schwarz's criterion over rows, as mixed-model programs print it."""
        return bic(self.log_likelihood, self.n_parameters, self.n_rows)

    @property
    def bic_subjects(self) -> float:
        """Schwarz's criterion over persons, as structural equation programs print it."""
        return bic(self.log_likelihood, self.n_parameters, self.n_subjects)

    @property
    def convergence(self) -> Convergence:
        """The record of the optimisation."""
        return self.fit.convergence

    @property
    def boundary(self) -> Boundary:
        """Whether the estimates lie on the boundary of covariance matrices, and where."""
        return self.fit.boundary

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row a free parameter (for SEMs one a free path), see ``FitResult``.

        Columns ``name, kind, estimate, std_error, statistic, df, p_value, ci_low, ci_high``.
        """
        if isinstance(self.model, SemModel):
            rows = tuple((p.name, p.parameter) for p in self.model.paths if p.free)
        else:
            rows = tuple((name, name) for name in self.fit.names)
        return estimates_table(self.fit, rows, degrees=self.degrees)

    @cached_property
    def derived(self) -> pd.DataFrame:
        """What follows from the estimates, by the delta method.

        Standard deviations and correlations of the random effects or factors, residual standard
        deviations, the intraclass correlation of a random-intercept model, and the parameters that
        a structural equation model defines (``:=``). Columns ``name, kind, estimate, std_error``.
        """
        return derived_table(self.fit, self.data, self._values)

    @property
    def _values(self) -> NDArray[np.float64]:
        """The estimates in the order of our engine's parameters."""
        return ordered_estimates(self.fit, self.data)

    @cached_property
    def factor_cov(self) -> pd.DataFrame:
        """Covariance matrix of the growth factors (given covariates), labelled.

        One below the other, group and factor in the index, for a model of several groups.
        """
        return factor_covariance(self.fit, self.data)

    @cached_property
    def residual_cov(self) -> pd.DataFrame:
        """Covariance matrix of the residuals at the occasions, labelled.

        One entry where a mixed model's residuals are alike at all times; one below the other,
        group and outcome in the index, for a structural equation model of several groups.
        """
        return residual_covariance(self.fit, self.data, self._values)

    @cached_property
    def random_effects(self) -> pd.DataFrame:
        """Predicted random effects (BLUPs), or factor scores by the regression method.

        One row a person, with the effects of the person's cluster where there are any. A mixed
        model's are deviations from the fixed effects; a factor score is the factor itself, its
        mean included.
        """
        import pandas as pd

        if isinstance(self.data, LongData):
            modes, _ = long_engine.random_effects(self.data.problem, self._values)
            columns = list(self.data.problem.effect_names)
        else:
            modes, _ = wide_engine.factor_scores(self.data.problem, self._values)
            columns = list(self.data.problem.model.latent)
        return pd.DataFrame(modes, index=pd.Index(self.data.subjects), columns=columns)

    @cached_property
    def fit_measures(self) -> dict[str, float]:
        """Fit of a structural equation model against the unrestricted one, by lavaan's conventions.

        ``chi_square``, ``df``, ``p_value``, ``cfi``, ``tli``, ``rmsea`` with ``rmsea_ci_low`` and
        ``rmsea_ci_high`` (90%), ``srmr``, ``unrestricted_log_likelihood``,
        ``baseline_chi_square`` and ``baseline_df``; and ``growth_cfi``, ``growth_tli``,
        ``growth_baseline_chi_square`` and ``growth_baseline_df`` against one mean and one variance
        at all occasions, which a growth model contains (Widaman & Thompson 2003,
        doi:10.1037/1082-989X.8.1.16). NaN where no unrestricted model exists.

        Raises
        ------
        SpecificationError
            For a mixed model.
        UnsupportedEngineError
            For a fit by REML.
        """
        return both_fit_measures(replace(self.fit, estimates=self._values), self.data)

    def predict(
        self,
        new_data: object | None = None,
        level: str = "person",
        *,
        interval: str | None = None,
        coverage: float = 0.95,
    ) -> Any:
        """Fitted outcomes, or outcomes expected in new rows.

        ``x'b``, for a person ``x'b + z'u`` with the person's predicted effects `u`; errors by the
        mixed model equations (Henderson 1975, doi:10.2307/2529430).

        Parameters
        ----------
        new_data : data frame or path, optional
            Long rows for a mixed model, a row a person for a structural equation model; the data
            of the fit where None.
        level : {"person", "population"}
            With the person's own random effects, or from the fixed effects alone.
        interval : {"confidence", "prediction"}, optional
            For new data: an interval for the expected outcome, or for an outcome yet to be seen.
            A prediction at the population's level is one for a new person.
        coverage : float
            Of the interval.

        Returns
        -------
        ndarray or DataFrame
            Without new data (n_rows,) in the order of the rows used for a mixed model;
            (n_subjects, n_outcomes) for a structural equation model, NaN where a person has no
            scores. For new data a table with ``estimate`` and, for an interval, ``std_error,
            ci_low, ci_high``; see :func:`growthmm.inference.reading.prediction.predict_new`.

        Raises
        ------
        SpecificationError
            If an option is none, or an interval is asked for without new data.
        DataError
            If columns of new data are absent, or a person is unknown.

        Examples
        --------
        >>> import growthmm as gm
        >>> data = gm.datasets.gpa()
        >>> fit = gm.fit("gpa ~ occasion + (occasion | student)", data)
        >>> fit.predict(data.head(2), "population", interval="confidence").round(3)
           estimate  std_error  ci_low  ci_high
        0     2.599      0.018   2.563    2.635
        1     2.706      0.017   2.672    2.739
        """
        if level not in ("person", "population"):
            raise SpecificationError(
                f"There is no prediction level {level!r}.",
                hint="Use 'person' or 'population'.",
            )
        if new_data is not None:
            from growthmm.inference.reading.prediction import predict_new

            return predict_new(self, new_data, level=level, interval=interval, coverage=coverage)
        if interval is not None:
            raise SpecificationError(
                f"A {interval} interval is made for rows that are given.",
                hint="Give the data again: fit.predict(data, interval=...).",
            )
        return fitted_outcomes(self.data, self._values, level)

    def confidence_intervals(
        self,
        method: str = "wald",
        *,
        level: float = 0.95,
        kind: str = "parametric",
        interval: str = "percentile",
        n_simulations: int = 1000,
        seed: int = 0,
        workers: int | None = None,
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """Confidence intervals of the parameters and of what is derived from them.

        Parameters
        ----------
        method : {"wald", "profile", "bootstrap"}
            ``"wald"``: estimate and standard error, with the fit's degrees of freedom.
            ``"profile"``: where twice the fall of the likelihood, maximised over all else,
            reaches the chi-square quantile (Venzon & Moolgavkar 1988, doi:10.2307/2347496); a
            REML fit is profiled by ML, as lme4 does. ``"bootstrap"``: from data drawn anew.
        level : float
            Coverage.
        kind : {"parametric", "case"}
            Outcomes drawn from the model, or persons drawn again.
        interval : {"percentile", "basic"}
            What is made of the bootstrap's draws.
        n_simulations, seed, workers, progress : optional
            Of the bootstrap, whose answer no number of processes changes; whether to show a bar.

        Returns
        -------
        DataFrame
            Columns ``name, kind, estimate, ci_low, ci_high``; NaN where the method gives none.

        Raises
        ------
        SpecificationError
            If an option is none, or the method does not apply.

        Examples
        --------
        >>> import growthmm as gm
        >>> fit = gm.fit("gpa ~ occasion + (1 + occasion | student)", gm.datasets.gpa())
        >>> table = fit.confidence_intervals("profile").set_index("name")
        >>> table.loc["sd(occasion)", ["ci_low", "ci_high"]].round(4).tolist()
        [0.057, 0.0777]
        """
        from growthmm.inference.intervals.table import interval_table

        return interval_table(
            self,
            method=method,
            level=level,
            kind=kind,
            interval=interval,
            n_simulations=n_simulations,
            seed=seed,
            workers=workers,
            progress=progress,
        )

    def refit(self, estimator: str) -> FitResult:
        """The same model on the same data by another estimator (``"ml"`` or ``"reml"``).

        Over the same parameter space where one of our engines fitted it.
        """
        if estimator == self.estimator:
            return self
        if self.penalty is not None:
            raise SpecificationError(
                f"The fit is penalised ({self.penalty}), and its likelihood is no maximum.",
                hint="Fit again with the other estimator and without a penalty.",
            )
        options = {"bounds": self.fit.bounds} if self.engine in ("long", "wide") else {}
        fit = run(self.engine, self.data.problem, estimator=estimator, **options)
        model = replace(self.model, estimator=estimator)  # type: ignore[arg-type]
        return replace(self, model=model, fit=fit, robust=None, df=None, degrees=None)

    @cached_property
    def other_bounds(self) -> FitResult | None:
        """The fit over the other parameter space, where this one lies at or beyond the boundary.

        None in the interior, where both spaces have the same optimum, and for other programs'
        fits.
        """
        edge = self.boundary.at_boundary or self.boundary.beyond
        if not edge or self.penalty is not None or self.engine not in ("long", "wide"):
            return None
        bounds = "none" if self.fit.bounds == "psd" else "psd"
        fit = run(self.engine, self.data.problem, estimator=self.estimator, bounds=bounds)
        return replace(self, fit=fit, robust=None, df=None, degrees=None)

    @cached_property
    def joint(self) -> JointLikelihood:
        """The joint likelihood of outcomes and covariates (structural equation models only).

        Raises
        ------
        SpecificationError
            For a mixed model, which is conditional on its covariates by construction.
        DataError
            If covariates are missing or linearly dependent.
        """
        if isinstance(self.data, LongData):
            raise SpecificationError(
                "A mixed model is conditional on its covariates, which have no distribution in it.",
                hint="Fit the model as a latent growth curve: engine='wide'.",
            )
        return joint_likelihood(self.data.problem, self.log_likelihood, self.n_parameters)

    def tidy(self) -> pd.DataFrame:
        """Estimates and derived parameters, one row each: ``term, kind, estimate`` and so on."""
        from growthmm.inference.tidy import tidied

        return tidied(self)

    def glance(self) -> pd.DataFrame:
        """One row of figures on the fit: likelihood, criteria, counts, convergence."""
        from growthmm.inference.tidy import glanced

        return glanced(self)

    def augment(self) -> pd.DataFrame:
        """One row an outcome: ``subject, observed, fitted_population, fitted, residual``."""
        from growthmm.inference.tidy import augmented

        return augmented(self)

    def summary(self) -> str:
        """The result as text."""
        return str(render("fit.summary", self))

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as the command line's ``--json`` prints it.

        What does not exist is None.
        """
        from growthmm.inference.record import fit_record

        return fit_record(self)

    def __repr__(self) -> str:
        return (
            f"<FitResult {self.label or self.engine}: {self.estimator.upper()} by {self.engine}, "
            f"log-likelihood {self.log_likelihood:.6f}, {self.n_parameters} parameters>"
        )

    def _repr_html_(self) -> str:
        return str(render("fit.html", self))
