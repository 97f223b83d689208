"""Causes that are differences in how programs run and print a model."""

from __future__ import annotations

from growthmm.equivalence.explaining.cause import Cause

__all__ = ["RUN_CAUSES"]

_LMER = "lmer(gpa ~ occasion + (occasion | student), d)"
_ML = "lmer(gpa ~ occasion + (occasion | student), d, REML = FALSE)"
_GROWTH = "growth(m, data = d)"

RUN_CAUSES: tuple[Cause, ...] = (
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
"""One model, run or printed in another way."""
