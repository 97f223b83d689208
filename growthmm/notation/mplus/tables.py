"""Options of VARIABLE, DATA and ANALYSIS in an Mplus input that are refused, or change nothing."""

from __future__ import annotations

__all__ = ["ESTIMATORS", "REFUSED", "REFUSED_TYPES", "TYPES", "WITHOUT_EFFECT"]

_LINEAR = "growthmm fits linear Gaussian models to persons drawn at random."
_COMPUTE = "Compute it in the data, and drop the statement."

REFUSED = {
    "VARIABLE": {
        "CATEGORICAL": _LINEAR,
        "CENSORED": _LINEAR,
        "COUNT": _LINEAR,
        "NOMINAL": _LINEAR,
        "CLASSES": "growthmm fits no mixtures. Drop the classes.",
        "KNOWNCLASS": "Use GROUPING for groups that are known.",
        "TRAINING": "growthmm fits no mixtures.",
        "STRATIFICATION": _LINEAR,
        "SUBPOPULATION": "Select the persons in the data.",
        "USEOBSERVATIONS": "Select the rows in the data, and drop the statement.",
        "WEIGHT": "Weights are not supported.",
        "FREQWEIGHT": "Weights are not supported.",
        "BWEIGHT": "Weights are not supported.",
        "B2WEIGHT": "Weights are not supported.",
        "B3WEIGHT": "Weights are not supported.",
        "REPWEIGHTS": "Weights are not supported.",
        "WTSCALE": "Weights are not supported.",
        "FINITE": _LINEAR,
        "CONSTRAINT": "Constraints on columns of the data are not supported.",
        "PATTERN": "Leave planned missing values missing.",
        "SURVIVAL": _LINEAR,
        "TIMECENSORED": _LINEAR,
        "DSURVIVAL": _LINEAR,
        "LAGGED": "Lagged columns belong in the data.",
        "TINTERVAL": "Dynamic models are not supported.",
        "CENTERING": "Centre the columns in the data, and drop the statement.",
        "PROPENSITY": _COMPUTE,
    },
    "DATA": {
        "IMPUTATION": "Give one data set.",
        "SWMATRIX": "Give the persons' data.",
    },
    "ANALYSIS": {
        "ROTATION": "Exploratory factors are not supported.",
        "ALIGNMENT": "Write the equalities with labels.",
        "DISTRIBUTION": _LINEAR,
        "MULTIPLIER": _LINEAR,
        "REPSE": "Weights are not supported.",
        "BASEHAZARD": _LINEAR,
        "KNOWNCLASS": "Use GROUPING for groups that are known.",
    },
}
"""Options, by command, that change the model in a way that is not supported, with hints."""

WITHOUT_EFFECT = {
    "VARIABLE": ("IDVARIABLE", "VARIANCES"),
    "DATA": ("FORMAT", "NOBSERVATIONS", "VARIANCES"),
    "ANALYSIS": (
        "ITERATIONS",
        "SDITERATIONS",
        "H1ITERATIONS",
        "H1STARTS",
        "CONVERGENCE",
        "H1CONVERGENCE",
        "COVERAGE",
        "STARTS",
        "STITERATIONS",
        "STCONVERGENCE",
        "STSEED",
        "STSCALE",
        "OPTSEED",
        "PROCESSORS",
        "BOOTSTRAP",
        "ALGORITHM",
        "INTEGRATION",
        "CHOLESKY",
        "MITERATIONS",
        "MCITERATIONS",
        "MCONVERGENCE",
        "MCCONVERGENCE",
        "UCELLSIZE",
        "LOGHIGH",
        "LOGLOW",
        "LOGCRITERION",
        "RLOGCRITERION",
        "ADAPTIVE",
        "LINK",
        "PARAMETERIZATION",
        "INTERACTIVE",
        "MATRIX",
        "DIFFTEST",
    ),
}
"""What changes neither the model nor its maximum."""

TYPES = ("GENERAL", "RANDOM", "MEANSTRUCTURE", "MISSING", "H1", "TWOLEVEL")
"""What ANALYSIS: TYPE may say."""

REFUSED_TYPES = {
    "COMPLEX": "Fit with robust standard errors instead: robust= and cluster=.",
    "MIXTURE": "growthmm fits no mixtures.",
    "THREELEVEL": "Write three levels as a mixed model: a random effect for each level.",
    "CROSSCLASSIFIED": "Write crossed effects as a mixed model: (1 | a) + (1 | b).",
    "BASIC": "Leave TYPE out to fit the model.",
    "EFA": "Exploratory factors are not supported.",
}
"""What ANALYSIS: TYPE may say in Mplus and not here, with hints."""

ESTIMATORS = {
    "ML": "observed information",
    "MLR": "robust (a sandwich)",
    "MLF": "first-order derivatives",
    "MLM": "robust, complete data",
    "MLMV": "robust, complete data",
    "MLMVS": "robust, complete data",
}
"""Estimators with the maximum likelihood estimates, and the standard errors they print."""
