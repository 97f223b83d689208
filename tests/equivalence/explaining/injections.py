"""Analyses written from a specification, and known differences put into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pandas as pd

TIMES = 5


@dataclass(frozen=True)
class Spec:
    """A mixed model and how it is run.

    Everything that can be injected is a field; `data` says which outcomes and covariates are
    missing: ``complete``, ``outcomes`` or ``covariates`` (both).
    """

    data: str = "complete"
    origin: int = 0
    unit: int = 1
    slope: bool = True
    slope_mean: bool = True
    correlated: bool = True
    square: bool = False
    x: bool = False
    x_on_slope: bool = False
    x_centred: bool = False
    z: bool = False
    sex: bool = False
    sex_contrast: str = ""
    w: bool = False
    w_free: bool = False
    residual: str = "common"
    estimator: str = "ml"
    options: tuple[tuple[str, str], ...] = field(default=())

    @property
    def formula(self) -> str:
        """The model as lme4 writes it."""
        t = "t" if not self.origin else f"(t - {self.origin})"
        scaled = t if self.unit == 1 else f"{t} / {self.unit}"
        time = "t" if scaled == "t" else f"I({scaled})"
        x = "I(x - 3)" if self.x_centred else "x"
        fixed = ["1"]
        fixed += [time] if self.slope_mean else []
        fixed += [f"I(({scaled})^2)"] if self.square else []
        fixed += [x] if self.x else []
        fixed += [f"{time}:{x}"] if self.x_on_slope else []
        fixed += ["z"] if self.z else []
        if self.sex:
            fixed += [f"C(sex, {self.sex_contrast})" if self.sex_contrast else "sex"]
        if self.w:
            fixed += ["factor(t):w" if self.w_free else "w"]
        bar = "|" if self.correlated else "||"
        random = f"(1 + {time} {bar} id)" if self.slope else "(1 | id)"
        return " + ".join([f"y ~ {fixed[0]}", *fixed[1:], random])


@dataclass(frozen=True)
class Injection:
    """A known difference.

    Parameters
    ----------
    cause : str
        The word that has to be found; empty where the difference can't matter on these data.
    applies : callable
        Whether it can be put into a specification.
    put : callable
        Puts it in.
    """

    cause: str
    applies: Callable[[Spec], bool]
    put: Callable[[Spec], Spec]


def _option(name: str, value: str) -> Callable[[Spec], Spec]:
    return lambda s: replace(s, options=(*s.options, (name, value)))


def _always(_: Spec) -> bool:
    return True


def _whole(s: Spec) -> bool:
    return s.data != "covariates" or not s.w


INJECTIONS = (
    Injection("estimator", _always, lambda s: replace(s, estimator="reml")),
    Injection("time_origin", lambda s: s.slope_mean, lambda s: replace(s, origin=2)),
    Injection("time_unit", lambda s: s.slope_mean, lambda s: replace(s, unit=4)),
    Injection(
        "random_covariances",
        lambda s: s.slope and s.correlated,
        lambda s: replace(s, correlated=False),
    ),
    Injection(
        "factor_variance",
        lambda s: s.slope and s.slope_mean and s.correlated,
        lambda s: replace(s, slope=False),
    ),
    Injection(
        "factor_mean",
        lambda s: s.slope and s.slope_mean and not s.square,
        lambda s: replace(s, slope_mean=False),
    ),
    Injection(
        "growth_factor", lambda s: not s.square and s.slope_mean, lambda s: replace(s, square=True)
    ),
    Injection(
        "covariate_on_factor",
        lambda s: s.x and not s.x_on_slope and s.slope_mean,
        lambda s: replace(s, x_on_slope=True),
    ),
    Injection("centring", lambda s: s.x, lambda s: replace(s, x_centred=True)),
    Injection("covariate", lambda s: not s.z, lambda s: replace(s, z=True)),
    Injection("contrasts", lambda s: s.sex, lambda s: replace(s, sex_contrast="Sum")),
    Injection("effects_over_time", lambda s: s.w, lambda s: replace(s, w_free=True)),
    Injection(
        "residual_variances",
        lambda s: s.residual == "common",
        lambda s: replace(s, residual="by_occasion"),
    ),
    Injection(
        "residual_correlation",
        lambda s: s.residual == "common" and not s.slope,
        lambda s: replace(s, residual="ar1"),
    ),
    Injection("listwise", lambda s: s.data != "complete", _option("missing", "listwise")),
    Injection("", lambda s: s.data == "complete", _option("missing", "listwise")),
    Injection(
        "missing_covariates",
        lambda s: s.data == "covariates" and s.w,
        _option("missing_covariates", "persons"),
    ),
    Injection(
        "", lambda s: s.data != "covariates" or not s.w, _option("missing_covariates", "persons")
    ),
    Injection(
        "joint_likelihood",
        lambda s: (s.x or s.w) and _whole(s) and not s.z,
        _option("covariates", "joint"),
    ),
    Injection("information", lambda s: s.data != "complete", _option("information", "observed")),
    Injection("robust", _always, _option("robust", "yes")),
    Injection("tests", _always, _option("tests", "z")),
    Injection("bic", _always, _option("bic", "subjects")),
    Injection("parametrisation", _always, _option("parametrisation", "deviations")),
    Injection("", lambda s: s.slope, _option("bounds", "none")),
)
"""What is injected; the last can't matter where the optimum lies inside."""

SUBSUMED = {
    "random_covariances": {"factor_variance"},
    "missing_covariates": {"listwise"},
    "information": {"robust", "estimator"},
}
"""A cause that is not named beside one of these: by REML, fixed effects' errors are expected."""

BASES = tuple(
    Spec(data=data, **parts)  # type: ignore[arg-type]
    for data in ("complete", "outcomes", "covariates")
    for parts in (
        {},
        {"x": True},
        {"x": True, "x_on_slope": True},
        {"sex": True},
        {"w": True},
        {"square": True},
        {"w": True, "x": True},
        {"slope": False},
        {"residual": "by_occasion"},
        {"sex": True, "w": True, "square": True},
    )
)
"""Thirty models."""


@cache
def data_of(kind: str) -> pd.DataFrame:
    """Growth with random intercepts and slopes well inside the parameter space."""
    rng = np.random.default_rng(7)
    n = 80
    frame = pd.DataFrame(
        {"id": np.repeat(np.arange(n), TIMES), "t": np.tile(np.arange(float(TIMES)), n)}
    )
    x, z = 3 + rng.normal(size=n), rng.normal(size=n)
    frame["x"], frame["z"] = np.repeat(x, TIMES), np.repeat(z, TIMES)
    frame["sex"] = np.repeat(np.array(["female", "male"])[rng.integers(0, 2, size=n)], TIMES)
    frame["w"] = rng.normal(size=len(frame))
    root = np.linalg.cholesky(np.array([[2.0, 0.3], [0.3, 1.0]]))
    effects = rng.normal(size=(n, 2)) @ root.T
    frame["y"] = (
        4
        + np.repeat(effects[:, 0] + 0.5 * x + 0.4 * z, TIMES)
        + frame["t"] * np.repeat(1 + effects[:, 1] + 0.2 * x, TIMES)
        + 0.1 * frame["t"] ** 2
        + 0.5 * (frame["sex"] == "male")
        + frame["w"] * (0.3 + 0.1 * frame["t"])
        + rng.normal(size=len(frame))
    )
    if kind != "complete":
        frame.loc[rng.random(len(frame)) < 0.06, "y"] = np.nan
    if kind == "covariates":
        frame.loc[rng.random(len(frame)) < 0.03, "w"] = np.nan
    return frame


def injected(rng: np.random.Generator) -> tuple[Spec, Spec, set[str]]:
    """A base, the base with one to three differences, and the causes that have to be found."""
    base = BASES[rng.integers(len(BASES))]
    spec = base
    causes: set[str] = set()
    for _ in range(rng.integers(1, 4)):
        taken = {name for name, _ in spec.options}
        fitting = [
            one
            for one in INJECTIONS
            if one.applies(spec)
            and one.put(spec) != spec
            and not taken & {name for name, _ in one.put(Spec()).options}
        ]
        chosen = fitting[rng.integers(len(fitting))]
        spec = chosen.put(spec)
        causes |= {chosen.cause} - {""}
    return base, spec, {c for c in causes if not SUBSUMED.get(c, set()) & causes}
