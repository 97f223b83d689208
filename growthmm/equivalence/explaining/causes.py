"""The one table of causes: what can differ between two analyses, and who does it by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["CAUSES", "Cause", "Effect", "remedies"]

Effect = Literal["model", "coding", "likelihood", "errors", "printing"]
"""What a cause changes: the model; only its coordinates; the likelihood or the data that go into
it; only the standard errors; only what is printed."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of different numbers.

    Parameters
    ----------
    word : str
        Its stable name.
    title : str
        A headline.
    effect : Effect
        What it changes.
    template : str
        One sentence with the fields ``{a}``, ``{b}`` (the programs), ``{before}``, ``{after}``
        (how each has it) and ``{what}`` (the part of the model).
    by_default : str
        Which programs' defaults cause it.
    about : str
        What it does to the numbers.
    example : tuple of str
        Two models that differ in it alone.
    write : mapping of str to mapping of str to str
        For a value, what to write in each notation to have it. Empty where the model's own text
        says it.
    """

    word: str
    title: str
    effect: Effect
    template: str
    by_default: str
    about: str
    example: tuple[str, str]
    write: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


_LMER = "lmer(gpa ~ occasion + (occasion | student), d)"
_ML = "lmer(gpa ~ occasion + (occasion | student), d, REML = FALSE)"
_GROWTH = "growth(m, data = d)"

CAUSES: dict[str, Cause] = {
    cause.word: cause
    for cause in (
        Cause(
            "estimator",
            "REML or ML",
            "likelihood",
            "{a} maximises {before}, {b} {after}.",
            "lme4, nlme, statsmodels, SAS and SPSS use REML unless told; glmmTMB, Stata and every "
            "SEM program ML.",
            "The two log-likelihoods are of different quantities and not comparable. REML makes "
            "the variances of the random effects and the standard errors larger, by about one part "
            "in the number of persons.",
            (_LMER, _ML),
            {
                "ML": {
                    "lme4": "lmer(..., REML = FALSE)",
                    "nlme": 'method = "ML"',
                    "statsmodels": "fit(reml=False)",
                    "glmmtmb": "REML = FALSE",
                    "mixedmodels.jl": "fit(MixedModel, ...; REML=false)",
                    "sas": "PROC MIXED METHOD=ML;",
                    "spss": "/METHOD=ML",
                    "stata": "mixed ..., mle",
                },
                "REML": {
                    "lme4": "lmer(..., REML = TRUE)",
                    "nlme": 'method = "REML"',
                    "statsmodels": "fit(reml=True)",
                    "glmmtmb": "REML = TRUE",
                    "mixedmodels.jl": "fit(MixedModel, ...; REML=true)",
                    "sas": "PROC MIXED METHOD=REML;",
                    "spss": "/METHOD=REML",
                    "stata": "mixed ..., reml",
                },
            },
        ),
        Cause(
            "listwise",
            "Incomplete persons dropped, or all observed outcomes used",
            "likelihood",
            "{a} uses {before}, {b} {after}.",
            "lavaan and semopy drop persons with any missing value unless told; mixed-model "
            "programs, Mplus and OpenMx use every observed outcome.",
            "Everything changes, as the data do: compare the numbers of persons and rows first.",
            (_ML, _GROWTH),
            {
                "all observed outcomes": {
                    "lavaan": 'missing = "ml"',
                    "mplus": "DATA: LISTWISE = OFF;",
                    "stata": "sem ..., method(mlmv)",
                    "sas": "PROC CALIS METHOD=FIML;",
                },
                "persons without a missing value": {
                    "lavaan": 'missing = "listwise"',
                    "mplus": "DATA: LISTWISE = ON;",
                    "lme4": "data = the rows of complete persons",
                    "nlme": "data = the rows of complete persons",
                },
            },
        ),
        Cause(
            "missing_covariates",
            "A missing covariate drops the person or the row",
            "likelihood",
            "Where a covariate is missing, {a} drops {before}, {b} {after}.",
            "Mixed-model programs drop the row. SEM programs that condition on covariates drop the "
            'whole person, lavaan with missing = "ml" and Mplus too.',
            "The data that remain differ. For a time-varying covariate that is missing together "
            "with the outcome of its occasion, any number in its place gives the mixed model's "
            "likelihood, as it never enters it.",
            (
                "lmer(y ~ t + w + (t | id), d, REML = FALSE)",
                'growth("... y1 ~ b*w1 ...", d, missing = "ml")',
            ),
            {
                "the row": {"lavaan": "a number for each covariate whose outcome is missing"},
                "the person": {"lme4": "data = persons with all covariates"},
            },
        ),
        Cause(
            "joint_likelihood",
            "The covariates' own likelihood counted, or not",
            "likelihood",
            "The likelihood of {a} is {before}, that of {b} {after}.",
            "lavaan (fixed.x = TRUE), Mplus and mixed models condition on covariates; Amos, EQS, "
            "LISREL and fixed.x = FALSE count their means and covariances as parameters.",
            "Log-likelihood, AIC, BIC and the number of parameters move; estimates, standard "
            "errors and chi-square of the growth model don't.",
            ('growth("i ~ x ...", d)', 'growth("i ~ x ...", d, fixed.x = FALSE)'),
            {
                "conditional on the covariates": {"lavaan": "fixed.x = TRUE"},
                "joint with the covariates": {"lavaan": "fixed.x = FALSE"},
            },
        ),
        Cause(
            "covariate_moments",
            "Covariates' means or covariances restricted",
            "likelihood",
            "The covariates' own moments are {before} in {a}, {after} in {b}.",
            "growth() fixes the intercepts of all observed variables at 0, of covariates too once "
            "fixed.x = FALSE.",
            "The log-likelihood falls, far where a covariate's mean is far from zero; the growth "
            "model itself is fitted as before.",
            ('growth("i ~ x ...", d, fixed.x = FALSE)', 'growth("... x ~ 1; x ~~ x", ...)'),
            {"saturated": {"lavaan": "x ~ 1, with x ~~ x for every pair of covariates"}},
        ),
        Cause(
            "divisor",
            "Likelihood with N or N - 1",
            "likelihood",
            "{a} divides covariances by {before}, {b} by {after}.",
            'N - 1 is lavaan\'s likelihood = "wishart", and the habit of EQS, LISREL, Amos and '
            "SAS CALIS.",
            "Every (co)variance is multiplied by N/(N - 1), residual ones too, and standard errors "
            "by its root. That is not REML, which leaves residual variances nearly alone.",
            (_GROWTH, 'growth(m, data = d, likelihood = "wishart")'),
            {
                "N": {"lavaan": 'likelihood = "normal"'},
                "N - 1": {"lavaan": 'likelihood = "wishart"'},
            },
        ),
        Cause(
            "bounds",
            "Covariance matrices kept positive semi-definite, or not",
            "likelihood",
            "{a} searches {before}, {b} {after}.",
            "Mixed-model programs keep the covariance matrix of the random effects positive "
            "semi-definite (lme4 then says singular); SEM programs let variances be negative.",
            "Only where the best fit is at the boundary: the unbounded program ends higher, with a "
            "negative variance or a correlation beyond 1.",
            (_ML, "growth(...)  # with a negative variance"),
            {
                "covariance matrices only": {
                    "lavaan": "a label on the variance, and label > 0",
                    "openmx": "the covariance matrix as L %*% t(L)",
                    "mplus": "MODEL CONSTRAINT: label > 0;",
                },
                "negative variances as well": {"sas": "PROC MIXED NOBOUND;"},
            },
        ),
        Cause(
            "residual_variances",
            "Residual variances equal, or one an occasion",
            "model",
            "Residual variances are {before} in {a}, {after} in {b}.",
            "Mixed-model programs have one residual variance; SEM programs free one an occasion.",
            "The SEM has one parameter more for every occasion but the first, and another "
            "log-likelihood; all estimates move.",
            (_ML, _GROWTH),
        ),
        Cause(
            "residual_correlation",
            "Residuals correlated over time",
            "model",
            "Residuals are {before} in {a}, {after} in {b}.",
            "glmmTMB's and lme4's ar1() is a random term, and a residual variance stays beside it; "
            "in gls(), lme(), brms and SAS AR(1) is the residual itself.",
            "AR(1) plus a residual variance has one parameter more than AR(1).",
            (
                "lme(y ~ t, ~ 1 | id, correlation = corAR1())",
                "glmmTMB(y ~ t + (1 | id) + ar1(0 + factor(t) | id))",
            ),
        ),
        Cause(
            "random_covariances",
            "Factor covariances free or zero",
            "model",
            "The covariances of the growth factors are {before} in {a}, {after} in {b}.",
            "(t | id) has them and (t || id) has not; growth() has them; SAS, SPSS and Stata leave "
            "them out unless told (TYPE=UN, COVTYPE(UN), cov(un)).",
            "One parameter for every pair of factors; without it the model depends on the origin "
            "of time.",
            ("y ~ t + (t || id)", "y ~ t + (t | id)"),
        ),
        Cause(
            "group_covariances",
            "Factor covariances of each group",
            "model",
            "The factors' covariances are {before} of the groups in {a}, {after} in {b}.",
            "growth(..., group = ) frees every parameter in each group; a mixed model has one "
            "covariance matrix for everyone.",
            "A covariance matrix for every group but the first.",
            ("y ~ t * sex + (t | id)", 'growth(m, data = d, group = "sex")'),
        ),
        Cause(
            "growth_factor",
            "A growth factor on one side only",
            "model",
            "The growth factor {what} is {before} in {a}, {after} in {b}.",
            "None: the two shapes of growth were written.",
            "Fixed effect, variance and covariances of the factor come or go together.",
            ("y ~ t + (t | id)", "y ~ t + I(t^2) + (t + I(t^2) | id)"),
        ),
        Cause(
            "factor_mean",
            "A growth factor without a mean",
            "model",
            "The mean of {what} is {before} in {a}, {after} in {b}.",
            "growth() frees the means of all latent variables, sem() and cfa() fix them at 0; in a "
            "formula a random effect has no fixed effect unless written.",
            "One parameter; where it is wrong to leave it out, variances take up the mean.",
            ("y ~ t + (t | id)", "y ~ 1 + (t | id)"),
        ),
        Cause(
            "factor_variance",
            "A growth factor without a variance",
            "model",
            "The variance of {what} is {before} in {a}, {after} in {b}.",
            "Latent variables have a variance unless fixed; a fixed effect has none unless written "
            "before a bar.",
            "The variance and the covariances with the other factors come or go together.",
            ("y ~ t + (t | id)", "y ~ t + (1 | id)"),
        ),
        Cause(
            "covariate",
            "A covariate on one side only",
            "model",
            "The covariate {what} is {before} in {a}, {after} in {b}.",
            "None: it was written on one side.",
            "Its effects come or go, and persons or rows where it is missing with it.",
            ("y ~ t + (t | id)", "y ~ t * x + (t | id)"),
        ),
        Cause(
            "covariate_on_factor",
            "A covariate acts on fewer growth factors",
            "model",
            "The effect of {what} is {before} in {a}, {after} in {b}.",
            "y ~ t + x has no x:t, so that x acts on the intercept alone; a growth curve often has "
            "it on every factor.",
            "One parameter for each factor.",
            ("y ~ t + x + (t | id)", "y ~ t * x + (t | id)"),
        ),
        Cause(
            "effects_over_time",
            "A covariate's effect equal or free over time",
            "model",
            "The effect of {what} over time is {before} in {a}, {after} in {b}.",
            "A formula has one coefficient for a time-varying covariate; an SEM has one an "
            "occasion unless they share a label.",
            "The SEM has one parameter more for every occasion but the first.",
            ("y ~ t + w + (t | id)", "y1 ~ w1; y2 ~ w2; ..."),
        ),
        Cause(
            "occasion_means",
            "Means free at single occasions",
            "model",
            "The means over time are {before} in {a}, {after} in {b}.",
            "factor(t) and free intercepts of the outcomes leave means free; a function of time "
            "does not.",
            "A parameter for every mean that the growth factors don't give.",
            ("y ~ t + (t | id)", "y ~ factor(t) + (t | id)"),
        ),
        Cause(
            "latent_basis",
            "Loadings estimated",
            "model",
            "The loadings of {what} are {before} in {a}, {after} in {b}.",
            "None: NA* or no number before an indicator frees a loading.",
            "A latent basis is no linear mixed model; nlme can say it.",
            ("s =~ 0*y1 + 1*y2 + 2*y3", "s =~ 0*y1 + 1*y2 + y3"),
        ),
        Cause(
            "time_origin",
            "Where time is zero",
            "coding",
            "Time is zero at {before} in {a}, at {after} in {b}.",
            "None: it was written.",
            "Intercept, its variance and its covariances are those at another time. The "
            "log-likelihood stays the same only where the model is closed under a shift: with "
            "all covariances and every lower power of time.",
            ("y ~ t + (t | id)", "y ~ I(t - 2) + (I(t - 2) | id)"),
        ),
        Cause(
            "time_unit",
            "The unit of time",
            "coding",
            "One unit of {what} is {before} in {a}, {after} in {b}.",
            "None: it was written.",
            "Slopes, their variances and standard errors are multiplied. The REML log-likelihood "
            "moves by the logarithm of the unit for every fixed effect that does.",
            ("y ~ t + (t | id)", "y ~ I(t / 10) + (I(t / 10) | id)"),
        ),
        Cause(
            "time_basis",
            "Another basis of the same functions of time",
            "coding",
            "The functions of time are {before} in {a}, {after} in {b}.",
            "poly() is orthogonal unless raw = TRUE.",
            "Coefficients mean something else; the fit is the same where all covariances are free.",
            ("y ~ t + I(t^2) + (1 | id)", "y ~ poly(t, 2) + (1 | id)"),
        ),
        Cause(
            "centring",
            "A covariate centred or scaled",
            "coding",
            "The covariate {what} is {before} in {a}, {after} in {b}.",
            "None in the programs compared here; Mplus does it by DEFINE: CENTER.",
            "Other coefficients mean something else. Centring by a constant leaves the fit alone "
            "where the intercept and time are free to follow; centring by persons' own means is "
            "another model.",
            ("y ~ t + x + (t | id)", "y ~ t + scale(x) + (t | id)"),
        ),
        Cause(
            "contrasts",
            "How levels are coded",
            "coding",
            "The levels of {what} are coded by {before} in {a}, by {after} in {b}.",
            "R and Python take the first level as the reference, SAS and SPSS the last, "
            "MixedModels.jl can have effects coding.",
            "Coefficients are of other differences; the fit is the same.",
            ("y ~ t + sex + (t | id)", "y ~ t + C(sex, Sum) + (t | id)"),
        ),
        Cause(
            "information",
            "Standard errors from expected or observed information",
            "errors",
            "Standard errors of {a} come from {before} information, those of {b} from {after}.",
            "Expected: lme4, nlme, lavaan with complete data. Observed: glmmTMB, statsmodels, "
            'Mplus, OpenMx, Stata, lavaan with missing = "ml".',
            "Standard errors alone; nothing with complete data where residual variances are equal.",
            (_GROWTH, 'growth(m, data = d, information = "observed")'),
            {
                "expected": {
                    "lavaan": 'information = "expected"',
                    "mplus": "INFORMATION = EXPECTED;",
                },
                "observed": {
                    "lavaan": 'information = "observed"',
                    "mplus": "INFORMATION = OBSERVED;",
                },
            },
        ),
        Cause(
            "pooled_covariates",
            "Covariates' moments pooled over patterns of missing outcomes",
            "errors",
            "With missing outcomes the expected information has {before} in {a}, {after} in {b}.",
            'lavaan with missing = "ml", information = "expected" and covariates takes the '
            "covariates' moments of all persons in every pattern of missing outcomes.",
            "Standard errors alone, and only where outcomes are missing and covariates act. Those "
            "from observed information agree: compare these.",
            (
                "lmer(y ~ t * x + (t | id), d, REML = FALSE)",
                'growth(m, d, missing = "ml", information = "expected")',
            ),
            {
                "every person's own covariates": {"lavaan": 'information = "observed"'},
            },
        ),
        Cause(
            "robust",
            "Robust standard errors",
            "errors",
            "Standard errors of {a} are {before}, those of {b} {after}.",
            "Mplus's MLR and lavaan's MLR and MLM print sandwich standard errors.",
            "Standard errors and the chi-square alone; estimates and log-likelihood stay.",
            (_GROWTH, 'growth(m, data = d, estimator = "MLR")'),
            {
                "the model's own": {"lavaan": 'estimator = "ML"', "mplus": "ESTIMATOR = ML;"},
                "robust": {"lavaan": 'estimator = "MLR"', "mplus": "ESTIMATOR = MLR;"},
            },
        ),
        Cause(
            "adjusted_errors",
            "Standard errors times sqrt(n / (n - p))",
            "errors",
            "Standard errors of {a} are printed {before}, those of {b} {after}.",
            'summary() of lme(..., method = "ML") multiplies by sqrt(n / (n - p)).',
            "Standard errors of fixed effects, by the same factor.",
            (_ML, 'lme(gpa ~ occasion, d, ~ occasion | student, method = "ML")'),
            {
                "as they are": {"nlme": "sqrt(diag(vcov(fit))), or summary(fit, adjustSigma = F)"},
                "times sqrt(n / (n - p))": {"nlme": "summary(fit)"},
            },
        ),
        Cause(
            "tests",
            "z or t, and with which degrees of freedom",
            "printing",
            "{a} tests coefficients by {before}, {b} by {after}.",
            "SEM programs, glmmTMB, statsmodels and Stata: z. lme4: t without degrees of freedom. "
            "nlme and SAS: t, containment. SPSS: t, Satterthwaite.",
            "p values and intervals alone; they differ most in small samples.",
            (_ML, _GROWTH),
            {
                "z": {"spss": "COMPUTE from estimate and standard error"},
                "t (Satterthwaite)": {
                    "lme4": "lmerTest::lmer(...)",
                    "sas": "MODEL ... / DDFM=SATTERTHWAITE;",
                    "stata": "mixed ..., reml dfmethod(satterthwaite)",
                },
                "t (containment)": {"sas": "MODEL ... / DDFM=CONTAIN;"},
            },
        ),
        Cause(
            "bic",
            "BIC over rows or persons",
            "printing",
            "BIC of {a} counts {before}, that of {b} {after}.",
            "lme4, glmmTMB, statsmodels and Stata count rows; nlme and SPSS rows less fixed "
            "effects under REML; SEM programs and SAS persons.",
            "BIC alone: the number of parameters times the difference of the logarithms.",
            (_ML, _GROWTH),
        ),
        Cause(
            "fit_baseline",
            "The baseline of CFI and TLI",
            "printing",
            "CFI and TLI compare with {before} in {a}, with {after} in {b}.",
            "SEM programs take uncorrelated variables with free means and variances, which "
            "does not contain a growth model with equal residual variances.",
            "CFI and TLI alone; chi-square, RMSEA and SRMR stay.",
            (_GROWTH, "growth(...)  # with baseline.model of equal means and variances"),
            {
                "equal means and variances": {"lavaan": "fitMeasures(fit, baseline.model = null)"},
            },
        ),
        Cause(
            "parametrisation",
            "Variances printed in other words",
            "printing",
            "{a} prints {before}, {b} {after}.",
            "SEM programs, SAS, SPSS and Stata print variances and covariances; lme4 and glmmTMB "
            "correlations, nlme standard deviations, correlations and ratios of residual ones; "
            "statsmodels' params are relative to the residual variance, glmmTMB's dispersion is a "
            "logarithm.",
            "The same estimates: a covariance is the correlation times both standard deviations.",
            (_ML, _GROWTH),
        ),
    )
}
"""Every cause by its word, those that move the likelihood first."""


def remedies(word: str, before: str, after: str, a: str, b: str) -> tuple[tuple[str, str], ...]:
    """What to write in either program so that the difference goes away.

    Parameters
    ----------
    word : str
        The cause.
    before, after : str
        How the first and the second program have it.
    a, b : str
        Their notations.

    Returns
    -------
    tuple of (str, str)
        Notation and what to write there; empty where neither can be told.
    """
    table = CAUSES[word].write
    found = []
    for notation, wanted in ((a, after), (b, before)):
        line = table.get(wanted, {}).get(notation)
        if line is not None:
            found.append((notation, line))
    return tuple(found)
