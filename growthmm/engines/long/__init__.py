"""The long engine: ML and REML of linear mixed models on long data, one grouping factor."""

from __future__ import annotations

from growthmm.engines.long.curved.linear import at_loadings, at_values
from growthmm.engines.long.effects import (
    random_effects,
    residual_matrix,
    residual_places,
    sandwich,
)
from growthmm.engines.long.evaluation import (
    distance,
    information,
    log_likelihood,
    parameter_kinds,
    parameter_names,
    score,
)
from growthmm.engines.long.fitting import fit
from growthmm.engines.long.identification import null_space
from growthmm.engines.long.problem import Clusters, LongProblem, RandomEffects

__all__ = [
    "Clusters",
    "LongProblem",
    "RandomEffects",
    "at_loadings",
    "at_values",
    "distance",
    "fit",
    "information",
    "log_likelihood",
    "null_space",
    "parameter_kinds",
    "parameter_names",
    "random_effects",
    "residual_matrix",
    "residual_places",
    "sandwich",
    "score",
]
