"""Implied moments and a dense Gaussian likelihood: the referee between the engines.

Arrays in, frozen results out; nothing here knows a model or a data frame.
"""

from growthmm.moments.gaussian import (
    GaussianGroup,
    GroupDerivatives,
    ScoreAndInformation,
    grouped_log_likelihood,
    log_likelihood,
    score_and_information,
)
from growthmm.moments.linear import covariance_derivatives, mixed_moments
from growthmm.moments.ram import (
    ParameterEntries,
    RamDerivatives,
    ReducedForm,
    ram_derivatives,
    ram_moments,
    reduced_form,
)
from growthmm.moments.rank import mixed_columns, null_space, rank
from growthmm.moments.restricted import (
    RestrictedGroup,
    RestrictedLikelihood,
    restricted_log_likelihood,
    restricted_score_and_information,
)

__all__ = [
    "GaussianGroup",
    "GroupDerivatives",
    "ParameterEntries",
    "RamDerivatives",
    "ReducedForm",
    "RestrictedGroup",
    "RestrictedLikelihood",
    "ScoreAndInformation",
    "covariance_derivatives",
    "grouped_log_likelihood",
    "log_likelihood",
    "mixed_columns",
    "mixed_moments",
    "null_space",
    "ram_derivatives",
    "ram_moments",
    "rank",
    "reduced_form",
    "restricted_log_likelihood",
    "restricted_score_and_information",
    "score_and_information",
]
