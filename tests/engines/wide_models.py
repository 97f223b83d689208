"""Explicit builders of SEM path tables and of the reference cases, for the wide engine's tests."""

from __future__ import annotations

import json
from pathlib import Path as File

import pandas as pd
import pytest

from growthmm.engines.wide.problem import WideGroup, WideProblem
from growthmm.model.sem import Constraint, Defined, Path, SemModel

SHARED = File(__file__).resolve().parents[2] / ".." / "shared" / "reference"


def golden(case):
    file = SHARED / "golden" / f"{case}.json"
    if not file.exists():
        pytest.skip("the reference folder shared/reference is not beside the project")
    return json.loads(file.read_text())


def table(name):
    file = SHARED / "data" / f"{name}.csv"
    if not file.exists():
        pytest.skip("the reference folder shared/reference is not beside the project")
    return pd.read_csv(file)


def growth_paths(
    loadings,
    *,
    residual="common",
    label="r",
    regressions=(),
    direct=(),
    uncorrelated=(),
    fixed_factors=(),
    definitions=None,
    group=0,
    equal=(),
):
    """Rows of a growth model.

    `loadings` is {factor: {outcome: number, or a label for a free loading}}; `regressions` is
    (factor, covariate) pairs; `direct` is (outcome, covariate, label) triples; `uncorrelated`
    pairs of factors; `fixed_factors` have no variance; `equal` parameter names shared by groups.
    """
    rows = []
    factors = list(loadings)
    outcomes = list(dict.fromkeys(y for row in loadings.values() for y in row))

    def shared(name):
        return f"eq_{name}" if name in equal else None

    for f, row in loadings.items():
        for y, value in row.items():
            if definitions and (f, y) in definitions:
                rows.append(Path(f, "=~", y, free=False, definition=definitions[f, y], group=group))
            elif isinstance(value, str):
                rows.append(Path(f, "=~", y, label=value, group=group))
            else:
                rows.append(Path(f, "=~", y, free=False, value=float(value), group=group))
    for y in outcomes:
        name = {"common": label, "free": None}[residual]
        rows.append(Path(y, "~~", y, label=name, group=group))
    for y, x, name in direct:
        rows.append(Path(y, "~", x, label=name, group=group))
    for f, x in regressions:
        rows.append(Path(f, "~", x, group=group))
    random = [f for f in factors if f not in fixed_factors]
    for f in random:
        rows.append(Path(f, "~~", f, group=group, label=shared(f"{f}~~{f}")))
    for i, a in enumerate(random):
        for b in random[i + 1 :]:
            if (a, b) not in uncorrelated:
                rows.append(Path(a, "~~", b, group=group, label=shared(f"{a}~~{b}")))
    for f in factors:
        rows.append(Path(f, "~1", group=group, label=shared(f"{f}~1")))
    return rows, factors, outcomes


def growth_model(loadings, *, covariates=(), constraints=(), defined=(), extra=(), **options):
    rows, factors, outcomes = growth_paths(loadings, **options)
    return SemModel(
        paths=(*rows, *extra),
        latent=tuple(factors),
        outcomes=tuple(outcomes),
        covariates=tuple(covariates),
        constraints=tuple(Constraint(*c) for c in constraints),
        defined=tuple(Defined(*d) for d in defined),
    )


def polynomial(names, degree, times=None):
    times = range(len(names)) if times is None else times
    factors = ["i", "s", "q"][: degree + 1]
    return {
        f: {y: float(t) ** k for y, t in zip(names, times, strict=True)}
        for k, f in enumerate(factors)
    }


def wide_group(frame, model, definitions=()):
    return WideGroup(
        frame[list(model.outcomes)].to_numpy(float),
        frame[list(model.covariates)].to_numpy(float).reshape(len(frame), -1),
        tuple((d, frame[d].to_numpy(float)) for d in definitions),
    )


def problem(frame, model):
    return WideProblem(model, (wide_group(frame, model),))


GPA = [f"gpa_{t}" for t in range(6)]
LIB = [f"lib_hours_{t}" for t in range(6)]


def case_model(case):
    """(data set, model) of a reference case."""
    name = case.split("_")[0]
    linear, quadratic = polynomial(GPA, 1), polynomial(GPA, 2)
    if name in ("A02", "A08"):
        model = growth_model(linear)
    elif name == "A01":
        model = growth_model(polynomial(GPA, 0))
    elif name == "A01b":
        model = growth_model(linear, fixed_factors=("s",))
    elif name == "A03":
        model = growth_model(linear, residual="free")
    elif name in ("A04", "A08c"):
        model = growth_model(
            linear, regressions=[("i", "sexmale"), ("s", "sexmale")], covariates=["sexmale"]
        )
    elif name == "A05":
        direct = [(y, x, "b") for y, x in zip(GPA, LIB, strict=True)]
        model = growth_model(linear, direct=direct, covariates=LIB)
    elif name == "A06":
        model = growth_model(quadratic)
    elif name == "A06b":
        model = growth_model(quadratic, fixed_factors=("q",))
    elif name == "A07":
        model = growth_model(linear, uncorrelated=[("i", "s")])
    elif name == "B01":
        model = growth_model(polynomial([f"Reaction_{t}" for t in range(10)], 1))
    elif name == "D01":
        model = growth_model(polynomial(["t1", "t2", "t3", "t4"], 1))
    elif name == "F01":
        model = growth_model(
            {
                "i": dict.fromkeys(GPA, 1.0),
                "s1": dict(zip(GPA, [0, 1, 2, 2, 2, 2], strict=True)),
                "s2": dict(zip(GPA, [0, 0, 0, 1, 2, 3], strict=True)),
            }
        )
    elif name == "F02":
        names = ["t1", "t2", "t3", "t4"]
        model = growth_model(
            {
                "i": dict.fromkeys(names, 1.0),
                "s": dict(zip(names, [0, "l2", "l3", 1], strict=True)),
            }
        )
    elif name == "F03":
        model = growth_model(polynomial([f"y_{t}" for t in range(6)], 2))
    elif name in ("K01", "K02"):
        pairs = [("i", "s")] if name == "K02" else []
        model = growth_model(polynomial([f"y_{t}" for t in range(5)], 1), uncorrelated=pairs)
    elif name == "G01":
        model = parallel_process()
    elif name == "L01":
        model = change_score()
    elif name == "M01":
        model = mediation()
    else:
        raise KeyError(case)
    return DATA[name], model


DATA = {
    **dict.fromkeys(
        ["A01", "A01b", "A02", "A03", "A04", "A05", "A06", "A06b", "A07", "F01"], "A_gpa_wide"
    ),
    "A08": "A08_gpa_missing_wide",
    "A08c": "A08_gpa_missing_wide",
    "B01": "B_sleepstudy_wide",
    "D01": "D_demogrowth_wide",
    "F02": "D_demogrowth_wide",
    "F03": "F_quad_sim_wide",
    "K01": "K_singular_wide",
    "K02": "K_singular_wide",
    "G01": "G_parallel_wide",
    "L01": "L_lcs_wide",
    "M01": "M_mediation_wide",
}


def parallel_process():
    rows = []
    factors = ["iA", "sA", "iB", "sB"]
    outcomes = []
    for stem in "AB":
        names = [f"{stem.lower()}_{t}" for t in range(5)]
        outcomes += names
        for t, y in enumerate(names):
            rows.append(Path(f"i{stem}", "=~", y, free=False, value=1.0))
            rows.append(Path(f"s{stem}", "=~", y, free=False, value=float(t)))
            rows.append(Path(y, "~~", y, label=f"r{stem.lower()}"))
    for i, a in enumerate(factors):
        rows += [Path(a, "~~", b) for b in factors[i:]]
    rows += [Path(f, "~1") for f in factors]
    return SemModel(tuple(rows), tuple(factors), tuple(outcomes))


def change_score():
    rows = []
    for t in range(5):
        rows.append(Path(f"l{t}", "=~", f"y_{t}", free=False, value=1.0))
        rows.append(Path(f"y_{t}", "~~", f"y_{t}", label="r"))
    for t in range(1, 5):
        rows.append(Path(f"l{t}", "~", f"l{t - 1}", free=False, value=1.0))
        rows.append(Path(f"d{t}", "=~", f"l{t}", free=False, value=1.0))
        rows.append(Path("s", "=~", f"d{t}", free=False, value=1.0))
        for f in (f"l{t}", f"d{t}"):
            rows.append(Path(f, "~~", f, free=False, value=0.0))
            rows.append(Path(f, "~1", free=False, value=0.0))
    rows += [Path("l0", "~~", "l0"), Path("s", "~~", "s"), Path("l0", "~~", "s")]
    rows += [Path("l0", "~1"), Path("s", "~1")]
    latent = [f"l{t}" for t in range(5)] + [f"d{t}" for t in range(1, 5)] + ["s"]
    return SemModel(tuple(rows), tuple(latent), tuple(f"y_{t}" for t in range(5)))


def mediation():
    names = [f"y_{t}" for t in range(5)]
    rows, factors, _ = growth_paths(polynomial(names, 1))
    rows += [
        Path("i", "~", "x", label="ai"),
        Path("s", "~", "x", label="a"),
        Path("z", "~", "x", label="cp"),
        Path("z", "~", "i", label="bi"),
        Path("z", "~", "s", label="b"),
        Path("z", "~1"),
        Path("z", "~~", "z"),
    ]
    return SemModel(
        tuple(rows),
        tuple(factors),
        (*names, "z"),
        ("x",),
        defined=(
            Defined("ind", "a*b"),
            Defined("ind_i", "ai*bi"),
            Defined("total", "cp + ind + ind_i"),
        ),
    )
