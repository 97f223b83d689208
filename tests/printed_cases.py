"""The printed results kept as test inputs: which model and which data they are of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OUTPUTS = Path(__file__).parent / "printed" / "outputs"

COLUMNS = [f"gpa_{k}" for k in range(6)]
LOADINGS = (
    "i =~ " + " + ".join(f"1*{y}" for y in COLUMNS) + "\n"
    "s =~ " + " + ".join(f"{k}*{y}" for k, y in enumerate(COLUMNS)) + "\n"
)
EQUAL = "".join(f"{y} ~~ v*{y}\n" for y in COLUMNS)
GROUPS = "".join(f"{y} ~~ c(v, v)*{y}\n" for y in COLUMNS)
LINEAR = "gpa ~ occasion + (1 + occasion | student)"
SEX = "gpa ~ occasion * sex + (1 + occasion | student)"
GPA, GPA_WIDE = "A_gpa_long.csv", "A_gpa_wide.csv"
MISSING, MISSING_WIDE = "A08_gpa_missing_long.csv", "A08_gpa_missing_wide.csv"


@dataclass(frozen=True)
class Printed:
    """One output: the model that it is of, its data, a residual structure."""

    name: str
    model: str
    data: str
    residual: str | None = None

    @property
    def text(self) -> str:
        """What was printed."""
        return (OUTPUTS / f"{self.name}.txt").read_text(encoding="utf-8")

    @property
    def path(self) -> Path:
        """Where it stands."""
        return OUTPUTS / f"{self.name}.txt"


GLS_UN = (
    "gls(gpa ~ occasion, correlation = corSymm(form = ~1|student), "
    "weights = varIdent(form = ~1|occasion), data = gpa, method = 'ML')"
)

CASES = (
    Printed("lme4_a02_reml", LINEAR, GPA),
    Printed("lme4_a02_ml", LINEAR, GPA),
    Printed("lmertest_a04_reml", SEX, GPA),
    Printed("lme4_a08_ml", LINEAR, MISSING),
    Printed(
        "lme4_a06_ml",
        "gpa ~ occasion + I(occasion^2) + (1 + occasion + I(occasion^2) | student)",
        GPA,
    ),
    Printed("lme4_a07_ml", "gpa ~ occasion + (1 + occasion || student)", GPA),
    Printed("lme4_b01_reml", "Reaction ~ Days + (Days | Subject)", "B_sleepstudy_long.csv"),
    Printed("nlme_a02_ml", LINEAR, GPA),
    Printed("nlme_a02_reml", LINEAR, GPA),
    Printed("nlme_a03_ml", LINEAR, GPA, "by_occasion"),
    Printed("nlme_a09_ml", LINEAR, GPA, "ar1"),
    Printed("nlme_a07_ml", "gpa ~ occasion + (1 + occasion || student)", GPA),
    Printed(
        "gls_ar1_reml",
        "gls(gpa ~ occasion, correlation = corAR1(form = ~occasion|student), data = gpa)",
        GPA,
    ),
    Printed("gls_un_ml", GLS_UN, GPA),
    Printed("glmmtmb_a02_ml", LINEAR, GPA),
    Printed("glmmtmb_a03_ml", LINEAR, GPA, "by_occasion"),
    Printed("statsmodels_a02_ml", LINEAR, GPA),
    Printed("statsmodels_a02_reml", LINEAR, GPA),
    Printed("statsmodels_a04_reml", SEX, GPA),
    Printed("sas_a02_ml", LINEAR, GPA),
    Printed("sas_a02_reml", LINEAR, GPA),
    Printed("sas_a03_ml", LINEAR, GPA, "by_occasion"),
    Printed("spss_a02_reml", LINEAR, GPA),
    Printed("spss_a02_ml_boxed", LINEAR, GPA),
    Printed("stata_a02_ml", LINEAR, GPA),
    Printed("stata_a03_ml", LINEAR, GPA, "by_occasion"),
    Printed("mplus_a02_ml", LOADINGS + EQUAL, GPA_WIDE),
    Printed("lavaan_a02_fit", LOADINGS + EQUAL, GPA_WIDE),
    Printed("lavaan_a02_mlr", LOADINGS + EQUAL, GPA_WIDE),
    Printed("lavaan_a03_std_ci", LOADINGS, GPA_WIDE),
    Printed("lavaan_a08_fiml", LOADINGS + EQUAL, MISSING_WIDE),
    Printed("lavaan_a08_listwise", LOADINGS + EQUAL, MISSING_WIDE),
    Printed("lavaan_h01_groups", f'growth("{LOADINGS}{GROUPS}", group = "sex")', GPA_WIDE),
    Printed("openmx_a02", LOADINGS + EQUAL, GPA_WIDE),
    Printed("openmx_a03", LOADINGS, GPA_WIDE),
)
"""Outputs that agree with our fits."""
