"""Reference data and golden numbers, read from the folder ``shared`` beside the project.

Nothing of it is copied into the project. Where the folder is absent, whatever asks for it is
skipped, with the reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT.parent / "shared" / "reference"

Method = Literal["ml", "reml"]


@dataclass(frozen=True)
class Case:
    """One reference case: which data, which model, and where its numbers stand.

    `formula` is what a user of lme4 would write (``None`` where no linear mixed model is meant);
    `golden_formula` is how the golden file spells it, where that differs. `golden_call` lists
    pieces of an ``nlme::lme`` call instead. `lavaan_path` leads to the golden lavaan text (``()``
    where there is none).
    """

    name: str
    file: str
    long: str
    wide: str
    id: str
    time: str
    outcome: str
    formula: str | None
    outcome_columns: tuple[str, ...]
    residual: str = "common"
    golden_formula: str | None = None
    golden_call: tuple[str, ...] = ()
    formula_path: tuple[str, ...] = ("mixed", "ml", "formula")
    lavaan_path: tuple[str, ...] = ("sem", "model")
    lavaan_arguments_path: tuple[str, ...] = ("sem", "arguments")
    complete: bool = True

    @property
    def golden(self) -> dict[str, Any]:
        """Everything the golden file holds."""
        return case(self.name)

    @property
    def lavaan(self) -> str:
        """The lavaan text that produced the golden SEM numbers."""
        if not self.lavaan_path:
            pytest.skip(f"case {self.name} has no lavaan text")
        return str(_at(self.golden, self.lavaan_path))

    @property
    def lavaan_arguments(self) -> dict[str, Any]:
        """Arguments of ``growth()`` in the golden run."""
        return dict(_at(self.golden, self.lavaan_arguments_path) or {})

    def long_frame(self) -> pd.DataFrame:
        """The long data."""
        return long_frame(self.long)

    def wide_frame(self) -> pd.DataFrame:
        """The wide data."""
        return wide_frame(self.wide)


def _columns(stem: str, occasions: range) -> tuple[str, ...]:
    return tuple(f"{stem}{occasion}" for occasion in occasions)


def _gpa(name: str, file: str, formula: str, **more: Any) -> Case:
    defaults: dict[str, Any] = {
        "long": "A_gpa_long.csv",
        "wide": "A_gpa_wide.csv",
        "id": "student",
        "time": "occasion",
        "outcome": "gpa",
        "outcome_columns": _columns("gpa_", range(6)),
    }
    return Case(name, file, formula=formula, **{**defaults, **more})


def _simulated(name: str, file: str, data: str, n_times: int, formula: str, **more: Any) -> Case:
    defaults: dict[str, Any] = {
        "long": f"{data}_long.csv",
        "wide": f"{data}_wide.csv",
        "id": "id",
        "time": "time",
        "outcome": "y",
        "outcome_columns": _columns("y_", range(n_times)),
    }
    return Case(name, file, formula=formula, **{**defaults, **more})


_SLOPE = "gpa ~ occasion + (1 + occasion | student)"
_QUADRATIC = "gpa ~ occasion + I(occasion^2) + (1 + occasion + I(occasion^2) | student)"
_MISSING: dict[str, Any] = {
    "long": "A08_gpa_missing_long.csv",
    "wide": "A08_gpa_missing_wide.csv",
    "complete": False,
}
_SINGULAR: dict[str, Any] = {
    "lavaan_path": ("sem", "lavaan_unconstrained", "model"),
    "lavaan_arguments_path": ("sem", "lavaan_unconstrained", "arguments"),
}
_DEMO: dict[str, Any] = {"outcome_columns": _columns("t", range(1, 5))}

CASES: dict[str, Case] = {
    entry.name: entry
    for entry in (
        _gpa("A01", "A01_gpa_intercept_only", "gpa ~ 1 + (1 | student)"),
        _gpa("A01b", "A01b_gpa_random_intercept", "gpa ~ occasion + (1 | student)"),
        _gpa("A02", "A02_gpa_slope_homosced", _SLOPE),
        _gpa(
            "A03",
            "A03_gpa_slope_heterosced",
            "gpa ~ occasion + (occasion | student)",
            residual="by_occasion",
            golden_call=(
                "fixed = gpa ~ occasion",
                "random = ~occasion | student",
                "varIdent(form = ~1 | occasion)",
            ),
        ),
        _gpa(
            "A04",
            "A04_gpa_sex_covariate",
            "gpa ~ occasion * sexmale + (1 + occasion | student)",
        ),
        _gpa(
            "A05",
            "A05_gpa_tvc_equal",
            "gpa ~ occasion + lib_hours + (1 + occasion | student)",
        ),
        _gpa(
            "A05b",
            "A05b_gpa_fixedx_accounting",
            "gpa ~ occasion + lib_hours + (1 + occasion | student)",
            formula_path=(),
            lavaan_path=("tvc", "model"),
            lavaan_arguments_path=(),
        ),
        _gpa("A06", "A06_gpa_quadratic", _QUADRATIC),
        _gpa(
            "A06b",
            "A06b_gpa_quadratic_fixed",
            "gpa ~ occasion + I(occasion^2) + (1 + occasion | student)",
        ),
        _gpa(
            "A07",
            "A07_gpa_uncorrelated",
            "gpa ~ occasion + (1 + occasion || student)",
            golden_formula="gpa ~ occasion + ((1 | student) + (0 + occasion | student))",
        ),
        _gpa("A08", "A08_gpa_missing", _SLOPE, **_MISSING),
        _gpa(
            "A08c",
            "A08c_gpa_missing_sex",
            "gpa ~ occasion * sexmale + (1 + occasion | student)",
            **_MISSING,
        ),
        _gpa(
            "A09",
            "A09_gpa_slope_ar1",
            _SLOPE,
            residual="ar1",
            golden_call=(
                "fixed = gpa ~ occasion",
                "corAR1(form = ~occasion | student)",
            ),
            lavaan_path=("sem", "lavaan", "model"),
            lavaan_arguments_path=(),
        ),
        _simulated(
            "B01",
            "B01_sleepstudy_full",
            "B_sleepstudy",
            10,
            "Reaction ~ Days + (Days | Subject)",
            id="Subject",
            time="Days",
            outcome="Reaction",
            outcome_columns=_columns("Reaction_", range(10)),
        ),
        _simulated(
            "D01",
            "D01_demogrowth_linear_homosced",
            "D_demogrowth",
            4,
            "y ~ time + (time | id)",
            **_DEMO,
        ),
        _simulated(
            "E02",
            "E02_sim_unbalanced",
            "E02_unbalanced",
            7,
            "y ~ time + (time | id)",
            outcome_columns=_columns("y_", range(1, 8)),
            lavaan_path=(),
            lavaan_arguments_path=(),
            complete=False,
        ),
        _gpa(
            "F01",
            "F01_gpa_piecewise",
            "gpa ~ t1 + t2 + (t1 + t2 | student)",
            long="F_gpa_piecewise_long.csv",
        ),
        _simulated(
            "F02",
            "F02_demogrowth_latent_basis",
            "D_demogrowth",
            4,
            "y ~ bt + (bt | id)",
            formula_path=("profile_lmer", "mixed_at_profile", "formula"),
            **_DEMO,
        ),
        _simulated(
            "F03",
            "F03_quadratic_sim",
            "F_quad_sim",
            6,
            "y ~ time + I(time^2) + (time + I(time^2) | id)",
        ),
        _simulated(
            "G01",
            "G01_parallel_process",
            "G_parallel",
            5,
            "y ~ 0 + dA + tA + dB + tB + (0 + dA + tA + dB + tB | id)",
            long="G_parallel_stacked.csv",
            outcome_columns=tuple(f"{stem}_{time}" for stem in "ab" for time in range(5)),
            residual="by_group:proc",
            golden_call=(
                "fixed = y ~ 0 + dA + tA + dB + tB",
                "random = ~0 + dA + tA + dB + tB | id",
                "varIdent(form = ~1 | proc)",
            ),
        ),
        _gpa(
            "H01",
            "H01_gpa_multigroup_sex",
            "gpa ~ occasion * sexmale + (occasion | student)",
            formula_path=("mixed", "H2", "formula"),
            lavaan_path=("sem", "H2_equal_residual_G", "model"),
            lavaan_arguments_path=("sem", "H2_equal_residual_G", "arguments"),
        ),
        _simulated(
            "K01",
            "K01_singular_full",
            "K_singular",
            5,
            "y ~ time + (time | id)",
            **_SINGULAR,
        ),
        _simulated(
            "K02",
            "K02_singular_uncorrelated",
            "K_singular",
            5,
            "y ~ time + (time || id)",
            golden_formula="y ~ time + ((1 | id) + (0 + time | id))",
            **_SINGULAR,
        ),
        _simulated("L01", "L01_lcs_constant_change", "L_lcs", 5, "y ~ time + (time | id)"),
        _simulated(
            "M01",
            "M01_mediation_slope",
            "M_mediation",
            5,
            "y ~ time * x + (time | id)",
            formula_path=("mixed_growth_part_only", "formula"),
        ),
    )
}
"""Every case that tests run over, by its short name.

F02's ``bt`` is the latent basis at its profiled loadings, not a column of the data. A05b's golden
file holds likelihoods under several treatments of the covariates, no fit. H01's formula and text
are those of its H2 (equal G and residual variance); the other steps stand in ``golden``.
"""


def reference_folder() -> Path:
    """The folder with reference data and golden numbers; skips where it is absent."""
    if not FOLDER.is_dir():
        pytest.skip(
            "the reference data are not here: they are looked for in shared/reference "
            "beside the project",
            allow_module_level=True,
        )
    return FOLDER


@cache
def _golden(stem: str) -> dict[str, Any]:
    with (FOLDER / "golden" / f"{stem}.json").open(encoding="utf-8") as stream:
        content = json.load(stream)
    assert isinstance(content, dict)
    return content


def case(name: str) -> dict[str, Any]:
    """The golden file of a case, by its short name (``"A02"``) or its stem."""
    reference_folder()
    return _golden(CASES[name].file if name in CASES else name)


@cache
def _frame(file: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / "data" / file)


def long_frame(file: str) -> pd.DataFrame:
    """A fresh copy of a long data set."""
    reference_folder()
    return _frame(file).copy()


def wide_frame(file: str) -> pd.DataFrame:
    """A fresh copy of a wide data set."""
    reference_folder()
    return _frame(file).copy()


def _at(content: Any, path: tuple[str, ...]) -> Any:
    if not path:
        return None
    for key in path:
        content = content[key]
    return content


def _part(name: str) -> str:
    """Which part of the model a name of the golden files belongs to."""
    if name.startswith("G"):
        return "covariance"
    if name.startswith("R[") or name in {"sigma2", "rho", "r", "psi_z"}:
        return "residual"
    return "fixed"


def exact(name: str, method: Method) -> dict[str, Any]:
    """The dense referee's answer to a case.

    Returns
    -------
    dict
        ``log_likelihood``, ``n_parameters``; ``estimates`` and its parts ``fixed`` (means and
        regressions), ``covariance`` and ``residual``; ``se_expected`` and ``se_observed`` (empty
        where the golden file has none; under REML only fixed effects have them, expected). All
        are dicts with the names of the golden files.
        A06 and K: the optimum without bounds, where G need not be a covariance matrix.
    """
    golden = case(name)
    block = golden.get("exact", golden.get("exact_unconstrained"))
    if block is None:
        pytest.skip(f"case {name} has no dense referee in its golden file")
    if "exact_unconstrained" in golden or "estimates" in block:
        if method == "reml":
            pytest.skip(f"case {name} has the dense referee for ML only")
    else:
        block = block[method]
    estimates = block.get("estimates") or {**block["fixef"], **block["theta"]}
    parts: dict[str, dict[str, float]] = {"fixed": {}, "covariance": {}, "residual": {}}
    for parameter, value in estimates.items():
        parts[_part(parameter)][parameter] = value
    return {
        "log_likelihood": block["logLik"],
        "n_parameters": block["npar"],
        "estimates": estimates,
        **parts,
        "se_expected": dict(block.get("se_expected", block.get("se", {}))),
        "se_observed": dict(block.get("se_observed", {})),
    }
