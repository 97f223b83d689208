"""The defaults of ``growth()``, ``sem()``, ``cfa()`` and ``lavaan()``, as a table and as rows.

The rules are those of lavaan 0.6 (Rosseel 2012, https://doi.org/10.18637/jss.v048.i02).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from growthmm.model.sem import Operator
from growthmm.notation.sem.table import Variables

__all__ = ["FUNCTIONS", "DefaultRow", "Function", "Options", "classify", "fill"]

Function = Literal["growth", "sem", "cfa", "lavaan"]

Formula = tuple[str, Operator, str]


@dataclass(frozen=True, slots=True)
class Options:
    """lavaan's options that put rows into a model.

    Parameters
    ----------
    int_ov_free, int_lv_free : bool
        Whether intercepts of observed, of latent variables are free; else 0.
    auto_fix_first : bool
        Whether the first indicator of a factor loads with 1.
    auto_fix_single : bool
        Whether a factor's only indicator has no residual variance.
    auto_var, auto_cov_lv_x, auto_cov_y : bool
        Whether variances, covariances of exogenous factors, and residual covariances of
        variables that nothing depends on are free.
    std_lv : bool
        Whether factors have variance 1 instead of a first loading of 1.
    orthogonal, orthogonal_x, orthogonal_y : bool
        Whether (exogenous, endogenous) factors do not covary.
    fixed_x : bool
        Whether the likelihood is conditional on exogenous observed variables.
    """

    int_ov_free: bool = False
    int_lv_free: bool = False
    auto_fix_first: bool = False
    auto_fix_single: bool = False
    auto_var: bool = False
    auto_cov_lv_x: bool = False
    auto_cov_y: bool = False
    std_lv: bool = False
    orthogonal: bool = False
    orthogonal_x: bool = False
    orthogonal_y: bool = False
    fixed_x: bool = True


_AUTO = {
    "auto_fix_first": True,
    "auto_fix_single": True,
    "auto_var": True,
    "auto_cov_lv_x": True,
    "auto_cov_y": True,
}

FUNCTIONS: dict[str, Options] = {
    "growth": Options(int_ov_free=False, int_lv_free=True, **_AUTO),
    "sem": Options(int_ov_free=True, int_lv_free=False, **_AUTO),
    "cfa": Options(int_ov_free=True, int_lv_free=False, **_AUTO),
    "lavaan": Options(),
}
"""What each function sets; ``sem`` and ``cfa`` are the same."""


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """A row that a default puts into the model: free, or fixed at `value`."""

    left: str
    op: Operator
    right: str
    value: float | None
    rule: str


def classify(formulas: list[Formula], phantoms: tuple[str, ...] = ()) -> Variables:
    """The roles of the variables.

    Parameters
    ----------
    formulas : list of (left, op, right)
        What is written.
    phantoms : tuple of str
        Latent variables without indicators.

    Examples
    --------
    >>> classify([("i", "=~", "y1"), ("i", "=~", "y2"), ("i", "~", "x")]).exogenous
    ('x',)
    """
    latent = _unique([a for a, op, _ in formulas if op == "=~"], phantoms)
    regressed = _unique([a for a, op, _ in formulas if op == "~"])
    predictors = _unique([b for _, op, b in formulas if op == "~"])
    indicators = _unique([b for _, op, b in formulas if op == "=~"])
    observed = _without(_unique(indicators, regressed, predictors), latent)
    with_moments = _unique(
        [a for a, op, _ in formulas if op == "~~"],
        [b for _, op, b in formulas if op == "~~"],
        [a for a, op, _ in formulas if op == "~1"],
    )
    exogenous = _without(predictors, latent, indicators, regressed, with_moments)
    observed = _unique(observed, _without(with_moments, latent))
    ends = _without(regressed, indicators, predictors)
    return Variables(
        latent=latent,
        observed=observed,
        exogenous=exogenous,
        latent_exogenous=_without(latent, indicators, regressed),
        ends=_unique(
            [name for name in latent if name in ends], [name for name in observed if name in ends]
        ),
    )


def _unique(*groups: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _without(names: tuple[str, ...], *groups: tuple[str, ...]) -> tuple[str, ...]:
    taken = {name for group in groups for name in group}
    return tuple(name for name in names if name not in taken)


def fill(
    formulas: list[Formula], variables: Variables, options: Options, function: str
) -> list[DefaultRow]:
    """The rows that the defaults add to `formulas`, in lavaan's order.

    Parameters
    ----------
    formulas : list of (left, op, right)
        What is written; no default replaces it.
    variables : Variables
        Their roles.
    options : Options
        The defaults.
    function : str
        Whose they are, for the rules' names.

    Returns
    -------
    list of DefaultRow
        Variances, covariances, means.
    """
    written = {(op, *sorted((a, b))) for a, op, b in formulas}
    rows = [
        *_variances(formulas, variables, options, function),
        *_covariances(variables, options, function),
        *_moments_of_exogenous(variables, options, function),
        *_means(variables, options, function),
    ]
    kept: dict[tuple[str, str, str], DefaultRow] = {}
    for row in rows:
        first, second = sorted((row.left, row.right))
        key = (row.op, first, second)
        if key not in written:
            kept[key] = row
    return list(kept.values())


def _variances(
    formulas: list[Formula], variables: Variables, options: Options, function: str
) -> list[DefaultRow]:
    rows = []
    single = _single_indicators(formulas) if options.auto_var and options.auto_fix_single else ()
    for name in (*_without(variables.observed, variables.exogenous), *variables.latent):
        latent = name in variables.latent
        value: float | None = None if options.auto_var else 0.0
        rule = "variances are free" if options.auto_var else "variances are zero unless written"
        if latent and options.std_lv:
            value, rule = 1.0, "std.lv: latent variances are 1"
        elif name in single:
            value, rule = 0.0, "auto.fix.single: an only indicator has no residual variance"
        elif options.auto_var:
            rule = "latent variances are free" if latent else "residual variances are free"
        rows.append(DefaultRow(name, "~~", name, value, f"{function}(): {rule}"))
    return rows


def _single_indicators(formulas: list[Formula]) -> tuple[str, ...]:
    loadings = [(a, b) for a, op, b in formulas if op == "=~"]
    factors = [a for a, _ in loadings]
    used = [b for _, b in loadings]
    return tuple(b for a, b in loadings if factors.count(a) == 1 and used.count(b) == 1)


def _covariances(variables: Variables, options: Options, function: str) -> list[DefaultRow]:
    rows = []
    if options.auto_cov_lv_x:
        zero = options.orthogonal or options.orthogonal_x
        for a, b in combinations(variables.latent_exogenous, 2):
            rule = "orthogonal: zero" if zero else "exogenous latent variables covary"
            value = 0.0 if zero else None
            rows.append(DefaultRow(a, "~~", b, value, f"{function}(): {rule}"))
    if options.auto_cov_y:
        for a, b in combinations(variables.ends, 2):
            both = a in variables.latent and b in variables.latent
            zero = both and (options.orthogonal or options.orthogonal_y)
            rule = "orthogonal: zero" if zero else "endogenous variables covary (auto.cov.y)"
            value = 0.0 if zero else None
            rows.append(DefaultRow(a, "~~", b, value, f"{function}(): {rule}"))
    return rows


def _moments_of_exogenous(
    variables: Variables, options: Options, function: str
) -> list[DefaultRow]:
    if options.fixed_x:
        return []
    rule = f"{function}(): fixed.x = FALSE: exogenous variables are random"
    names = variables.exogenous
    return [DefaultRow(a, "~~", b, None, rule) for k, a in enumerate(names) for b in names[k:]]


def _means(variables: Variables, options: Options, function: str) -> list[DefaultRow]:
    rows = []
    for name in (*variables.observed, *variables.latent):
        latent = name in variables.latent
        if options.fixed_x and name in variables.exogenous:
            continue
        free = options.int_lv_free if latent else options.int_ov_free
        what = "latent means" if latent else "observed intercepts"
        rule = f"{function}(): {what} are {'free' if free else 'zero'}"
        rows.append(DefaultRow(name, "~1", "", None if free else 0.0, rule))
    return rows
