"""Causes that are differences of models and of their coding."""

from __future__ import annotations

from growthmm.equivalence.explaining.cause import Cause

__all__ = ["MODEL_CAUSES"]

_ML = "lmer(gpa ~ occasion + (occasion | student), d, REML = FALSE)"
_GROWTH = "growth(m, data = d)"

MODEL_CAUSES: tuple[Cause, ...] = (
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
)
"""Another model, or one model in other coordinates."""
