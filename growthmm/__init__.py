"""growthmm: growth models as mixed models and as structural equation models.

Translate a growth model from either family to the other, fit both, and verify with graded evidence
that they are the same model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from growthmm import datasets
    from growthmm.data.moments import Moments
    from growthmm.data.reshape import to_long, to_wide
    from growthmm.inference.conditional import conditional_aic
    from growthmm.inference.cross_validation import cross_validate
    from growthmm.inference.modification import modification_indices
    from growthmm.inference.optimisers.searches import all_optimizers, restarts
    from growthmm.model.schema import Grouping, Lagged, Schema, Variable
    from growthmm.verbs.alternatives import alternatives
    from growthmm.verbs.auxiliary import with_auxiliary
    from growthmm.verbs.compare import compare
    from growthmm.verbs.defaults import defaults
    from growthmm.verbs.diagnose import diagnose
    from growthmm.verbs.explain import explain
    from growthmm.verbs.fit import fit, log_likelihood
    from growthmm.verbs.hypotheses import test, test_terms, test_variance
    from growthmm.verbs.implied import implied
    from growthmm.verbs.imputation import impute, pool
    from growthmm.verbs.missing import missing
    from growthmm.verbs.reading import (
        contrasts,
        significance_region,
        simple_slopes,
        standardized,
        trajectories,
    )
    from growthmm.verbs.simulate import simulate, study
    from growthmm.verbs.source import read
    from growthmm.verbs.translate import translate, write
    from growthmm.verbs.variance import icc, r2beta, r_squared
    from growthmm.verbs.verify import verify

__version__ = "0.1.0"

__all__ = [
    "Grouping",
    "Lagged",
    "Moments",
    "Schema",
    "Variable",
    "__version__",
    "all_optimizers",
    "alternatives",
    "compare",
    "conditional_aic",
    "contrasts",
    "cross_validate",
    "datasets",
    "defaults",
    "diagnose",
    "explain",
    "fit",
    "icc",
    "implied",
    "impute",
    "log_likelihood",
    "missing",
    "modification_indices",
    "pool",
    "r2beta",
    "r_squared",
    "read",
    "restarts",
    "significance_region",
    "simple_slopes",
    "simulate",
    "standardized",
    "study",
    "test",
    "test_terms",
    "test_variance",
    "to_long",
    "to_wide",
    "trajectories",
    "translate",
    "verify",
    "with_auxiliary",
    "write",
]

_HOMES = {
    "Moments": ("growthmm.data.moments", "Moments"),
    "Schema": ("growthmm.model.schema", "Schema"),
    "Grouping": ("growthmm.model.schema", "Grouping"),
    "Lagged": ("growthmm.model.schema", "Lagged"),
    "Variable": ("growthmm.model.schema", "Variable"),
    "all_optimizers": ("growthmm.inference.optimisers.searches", "all_optimizers"),
    "alternatives": ("growthmm.verbs.alternatives", "alternatives"),
    "compare": ("growthmm.verbs.compare", "compare"),
    "conditional_aic": ("growthmm.inference.conditional", "conditional_aic"),
    "cross_validate": ("growthmm.inference.cross_validation", "cross_validate"),
    "contrasts": ("growthmm.verbs.reading", "contrasts"),
    "datasets": ("growthmm.datasets", None),
    "defaults": ("growthmm.verbs.defaults", "defaults"),
    "diagnose": ("growthmm.verbs.diagnose", "diagnose"),
    "explain": ("growthmm.verbs.explain", "explain"),
    "fit": ("growthmm.verbs.fit", "fit"),
    "icc": ("growthmm.verbs.variance", "icc"),
    "implied": ("growthmm.verbs.implied", "implied"),
    "impute": ("growthmm.verbs.imputation", "impute"),
    "log_likelihood": ("growthmm.verbs.fit", "log_likelihood"),
    "missing": ("growthmm.verbs.missing", "missing"),
    "modification_indices": ("growthmm.inference.modification", "modification_indices"),
    "pool": ("growthmm.verbs.imputation", "pool"),
    "r2beta": ("growthmm.verbs.variance", "r2beta"),
    "r_squared": ("growthmm.verbs.variance", "r_squared"),
    "read": ("growthmm.verbs.source", "read"),
    "restarts": ("growthmm.inference.optimisers.searches", "restarts"),
    "significance_region": ("growthmm.verbs.reading", "significance_region"),
    "simple_slopes": ("growthmm.verbs.reading", "simple_slopes"),
    "simulate": ("growthmm.verbs.simulate", "simulate"),
    "standardized": ("growthmm.verbs.reading", "standardized"),
    "study": ("growthmm.verbs.simulate", "study"),
    "test": ("growthmm.verbs.hypotheses", "test"),
    "test_terms": ("growthmm.verbs.hypotheses", "test_terms"),
    "test_variance": ("growthmm.verbs.hypotheses", "test_variance"),
    "to_long": ("growthmm.data.reshape", "to_long"),
    "to_wide": ("growthmm.data.reshape", "to_wide"),
    "trajectories": ("growthmm.verbs.reading", "trajectories"),
    "translate": ("growthmm.verbs.translate", "translate"),
    "verify": ("growthmm.verbs.verify", "verify"),
    "with_auxiliary": ("growthmm.verbs.auxiliary", "with_auxiliary"),
    "write": ("growthmm.verbs.translate", "write"),
}


def __getattr__(name: str) -> Any:
    """Load a public name where it is first used, so that importing the package is cheap."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'growthmm' has no attribute {name!r}")
    module = import_module(home[0])
    value = module if home[1] is None else getattr(module, home[1])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
