"""The arguments of a lavaan call, as settings of the model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, cast

from growthmm.model.defaults import Default
from growthmm.notation.lavaan.call import Argument
from growthmm.notation.lavaan.defaults import FUNCTIONS, Function, Options
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.lavaan.table import GROUP_EQUAL, Groups

__all__ = ["Settings", "settings"]

_OPTIONS = {
    "int.ov.free": "int_ov_free",
    "int.lv.free": "int_lv_free",
    "auto.fix.first": "auto_fix_first",
    "auto.fix.single": "auto_fix_single",
    "auto.var": "auto_var",
    "auto.cov.lv.x": "auto_cov_lv_x",
    "auto.cov.y": "auto_cov_y",
    "std.lv": "std_lv",
    "orthogonal": "orthogonal",
    "orthogonal.x": "orthogonal_x",
    "orthogonal.y": "orthogonal_y",
    "fixed.x": "fixed_x",
}

_OVERRIDDEN = frozenset(k for k in _OPTIONS if k.startswith(("int.", "auto.")))
"""What growth(), sem() and cfa() set themselves, whatever the call says."""

_WITHOUT_EFFECT = frozenset(
    {
        "se",
        "test",
        "control",
        "verbose",
        "warn",
        "debug",
        "do.fit",
        "start",
        "check.start",
        "check.post",
        "check.gradient",
        "check.vcov",
        "check.lv.names",
        "baseline",
        "h1",
        "implied",
        "loglik",
        "store.vcov",
        "bootstrap",
        "parallel",
        "ncpus",
        "cl",
        "iseed",
        "optim.method",
        "optim.attempts",
        "optim.force.converged",
        "optim.gradient",
        "optim.init_nelder_mead",
        "optim.parscale",
        "optim.dx.tol",
        "em.iter.max",
        "em.fx.tol",
        "em.dx.tol",
        "em.h1.iter.max",
        "em.h1.tol",
        "em.h1.warn",
        "h1.information",
        "observed.information",
        "ceq.simple",
        "auto.th",
        "auto.delta",
        "auto.efa",
        "ov.order",
        "representation",
    }
)
"""What changes neither the model nor its maximum."""

_UNLESS = {
    "conditional.x": (False, "fixed.x = TRUE gives the same likelihood."),
    "meanstructure": (True, "Means are part of every growth model."),
    "std.ov": (False, "Standardise the columns of the data instead."),
    "correlation": (False, "Fit covariances."),
    "group.w.free": (False, "Drop the argument."),
    "ridge": (False, "Drop the argument."),
    "effect.coding": (False, "Write the constraints on the loadings."),
    "bounds": ("none", "Write bounds in the model: lower(0)*x."),
    "mimic": ("lavaan", "Drop the argument, and write what it changes."),
}

_REFUSED = {
    "ordered": "growthmm fits linear Gaussian models.",
    "sampling.weights": "Weights are not supported.",
    "constraints": "Write the constraints in the model's text.",
    "sample.cov": "Give the moments as data: gm.Moments(mean, cov, n).",
    "sample.mean": "Give the moments as data: gm.Moments(mean, cov, n).",
    "sample.nobs": "Give the moments as data: gm.Moments(mean, cov, n).",
    "model.type": "Call growth(), sem() or cfa().",
}

_MISSING = {
    "listwise": "listwise",
    "default": "listwise",
    "ml": "ml",
    "fiml": "ml",
    "direct": "ml",
}

_ROBUST = ("MLR", "MLM", "MLMV", "MLMVS", "MLF")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a function and its arguments decide.

    Parameters
    ----------
    function : {"growth", "sem", "cfa", "lavaan"}
        The function.
    options : Options
        Its defaults, as the arguments change them.
    groups : Groups
        Their number, and what is equal among them.
    group_variable : str, optional
        The column of groups.
    group_labels : tuple of str
        ``group.label``.
    cluster_variable : str, optional
        The column of clusters.
    cluster_position : int
        Where the text names it.
    missing, information, likelihood : str
        As in :class:`growthmm.model.sem.SemModel`.
    data : str, optional
        The data's name.
    defaults : tuple of Default
        Decisions that are not rows.
    """

    function: Function
    options: Options
    groups: Groups = field(default_factory=Groups)
    group_variable: str | None = None
    group_labels: tuple[str, ...] = ()
    cluster_variable: str | None = None
    cluster_position: int = 0
    missing: Literal["listwise", "ml"] = "listwise"
    information: Literal["expected", "observed"] | None = None
    likelihood: Literal["normal", "wishart"] = "normal"
    data: str | None = None
    defaults: tuple[Default, ...] = ()


def settings(
    function: Function, arguments: tuple[tuple[str, Argument], ...], source: Source
) -> Settings:
    """Interpret the arguments of a call.

    Parameters
    ----------
    function : {"growth", "sem", "cfa", "lavaan"}
        The function that is called.
    arguments : tuple of (str, Argument)
        Its arguments but the model.
    source : Source
        For errors.

    Raises
    ------
    NotationError
        If an argument changes the model in a way that is not supported.
    """
    result = Settings(function, FUNCTIONS[function])
    given = dict(arguments)
    for name, argument in arguments:
        result = _with(result, name, argument, source)
    return replace(result, defaults=(*result.defaults, *_defaults(result, given)))


def _with(result: Settings, name: str, argument: Argument, source: Source) -> Settings:
    if name in _WITHOUT_EFFECT:
        return result
    if name in _REFUSED:
        raise source.error(
            f"The argument {name} is not supported.", argument.position, hint=_REFUSED[name]
        )
    if name in _UNLESS:
        kept, hint = _UNLESS[name]
        if argument.value not in (kept, "default"):
            raise source.error(
                f"{name} = {argument.text} is not supported.", argument.position, hint=hint
            )
        return result
    if name in _OPTIONS:
        return _option(result, name, argument, source)
    handlers = {
        "missing": _missing,
        "estimator": _estimator,
        "information": _information,
        "likelihood": _likelihood,
        "data": _data,
        "group": _group,
        "cluster": _cluster,
        "group.label": _group_label,
        "group.equal": _group_equal,
        "group.partial": _group_partial,
    }
    handler = handlers.get(name)
    if handler is None:
        from difflib import get_close_matches

        known = (*handlers, *_OPTIONS, *_UNLESS, *_REFUSED, *_WITHOUT_EFFECT)
        near = get_close_matches(name, known, n=1)
        raise source.error(
            f"The argument {name} of {result.function}() is not known.",
            argument.position,
            hint=f"Did you mean {near[0]}?" if near else "Drop it if it changes nothing.",
        )
    return handler(result, argument, source)


def _option(result: Settings, name: str, argument: Argument, source: Source) -> Settings:
    value = argument.value
    if value == "default" and name == "fixed.x":
        value = True
    if not isinstance(value, bool):
        raise source.error(
            f"{name} = {argument.text} is neither TRUE nor FALSE.",
            argument.position,
            expected=("TRUE", "FALSE"),
        )
    attribute = _OPTIONS[name]
    if name in _OVERRIDDEN and result.function != "lavaan":
        if value != getattr(FUNCTIONS[result.function], attribute):
            raise source.error(
                f"{result.function}() sets {name} itself and passes over {name} = {argument.text}.",
                argument.position,
                hint=f"Write the rows in the model's text, or call lavaan(..., {name} = "
                f"{argument.text}).",
            )
        return result
    return replace(result, options=replace(result.options, **{attribute: value}))


def _choice(argument: Argument, name: str, allowed: tuple[str, ...], source: Source) -> str:
    value = argument.value
    chosen = value.lower() if isinstance(value, str) else None
    for each in allowed:
        if chosen == each.lower():
            return each
    raise source.error(
        f"{name} = {argument.text} is not supported.",
        argument.position,
        expected=tuple(f'"{each}"' for each in allowed),
    )


def _missing(result: Settings, argument: Argument, source: Source) -> Settings:
    value = _MISSING[_choice(argument, "missing", tuple(_MISSING), source)]
    return replace(result, missing=cast("Literal['listwise', 'ml']", value))


def _estimator(result: Settings, argument: Argument, source: Source) -> Settings:
    value = _choice(argument, "estimator", ("ML", *_ROBUST), source)
    if value == "ML":
        return result
    row = Default(
        "standard errors",
        "robust",
        f'{result.function}(): estimator = "{value}" is ML with '
        "corrected standard errors and tests",
    )
    return replace(result, defaults=(*result.defaults, row))


def _information(result: Settings, argument: Argument, source: Source) -> Settings:
    value = _choice(argument, "information", ("expected", "observed", "default"), source)
    if value == "default":
        return result
    return replace(result, information=cast("Literal['expected', 'observed']", value))


def _likelihood(result: Settings, argument: Argument, source: Source) -> Settings:
    value = _choice(argument, "likelihood", ("normal", "wishart", "default"), source)
    if value == "default":
        return result
    return replace(result, likelihood=cast("Literal['normal', 'wishart']", value))


def _data(result: Settings, argument: Argument, _: Source) -> Settings:
    value = argument.value
    return replace(result, data=value if isinstance(value, str) else argument.name)


def _group(result: Settings, argument: Argument, source: Source) -> Settings:
    if argument.text == "NULL":
        return result
    if not isinstance(argument.value, str):
        raise source.error(
            f"group = {argument.text} names no column.",
            argument.position,
            expected=("a quoted string",),
        )
    return replace(result, group_variable=argument.value)


def _cluster(result: Settings, argument: Argument, source: Source) -> Settings:
    if argument.text == "NULL":
        return result
    if not isinstance(argument.value, str):
        raise source.error(
            f"cluster = {argument.text} names no column.",
            argument.position,
            expected=("a quoted string",),
        )
    place = argument.position
    return replace(result, cluster_variable=argument.value, cluster_position=place)


def _strings(argument: Argument, source: Source) -> tuple[str, ...]:
    value = argument.value
    if isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, tuple):
        raise source.error(
            f"{argument.text} is no vector of strings.",
            argument.position,
            expected=('c("...", "...")',),
        )
    return value


def _group_label(result: Settings, argument: Argument, source: Source) -> Settings:
    labels = _strings(argument, source)
    groups = replace(result.groups, n=max(len(labels), 1))
    return replace(result, group_labels=labels, groups=groups)


def _group_equal(result: Settings, argument: Argument, source: Source) -> Settings:
    equal = _strings(argument, source)
    for each in equal:
        if each not in GROUP_EQUAL:
            raise source.error(
                f"group.equal = {each!r} is not supported.",
                argument.position,
                expected=GROUP_EQUAL,
            )
    return replace(result, groups=replace(result.groups, equal=equal))


def _group_partial(result: Settings, argument: Argument, source: Source) -> Settings:
    partial = tuple("".join(each.split()) for each in _strings(argument, source))
    return replace(result, groups=replace(result.groups, partial=partial))


def _defaults(result: Settings, given: dict[str, Argument]) -> list[Default]:
    """What the call does not say and the program decides."""
    function = result.function
    rows = []
    if "estimator" not in given:
        rows.append(Default("estimator", "ML", f'{function}(): estimator = "ML" unless told'))
    if "missing" not in given:
        rule = f'{function}(): missing = "listwise" unless told: incomplete persons are dropped'
        rows.append(Default("missing", "listwise", rule))
    if "information" not in given:
        value = "observed" if result.missing == "ml" else "expected"
        rule = f'{function}(): information is {value} with missing = "{result.missing}"'
        rows.append(Default("information", value, rule))
    if "fixed.x" not in given:
        rule = f"{function}(): fixed.x = TRUE: conditional on exogenous variables"
        rows.append(Default("fixed.x", "TRUE", rule))
    if "meanstructure" not in given and function != "growth":
        rule = f"{function}() leaves means out of complete data; growthmm keeps them in"
        rows.append(Default("meanstructure", "TRUE", rule))
    return rows
