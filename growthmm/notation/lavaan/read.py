"""lavaan: read and write models and calls."""

from __future__ import annotations

from dataclasses import replace

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.sem import SemModel
from growthmm.notation.lavaan.arguments import Settings, settings
from growthmm.notation.lavaan.call import is_call, read_call
from growthmm.notation.lavaan.defaults import Function
from growthmm.notation.lavaan.levels import build_levels
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.lavaan.syntax import Syntax, parse

__all__ = ["read"]


def read(text: str, function: Function | None = None) -> SemModel:
    r"""Read a model text, or a whole call.

    Parameters
    ----------
    text : str
        Bare model syntax, or R code that calls ``growth()``, ``sem()``, ``cfa()`` or
        ``lavaan()``.
    function : {"growth", "sem", "cfa", "lavaan"}, optional
        Whose defaults fill bare text; ``growth`` where None. A call says it itself.

    Returns
    -------
    SemModel
        The complete table: defaults stand in it as rows whose `rule` names them.

    Raises
    ------
    NotationError
        If the text is malformed, or is no linear SEM.

    Examples
    --------
    >>> model = read("i =~ 1*y0 + 1*y1\ns =~ 0*y0 + 1*y1\ni + s ~ x")
    >>> model.covariates, model.path("i", "~~", "s").rule
    (('x',), 'growth(): endogenous variables covary (auto.cov.y)')
    """
    try:
        if is_call(text):
            call = read_call(text)
            source = Source(text if call.aligned else call.model)
            chosen = settings(call.function, call.arguments, Source(text))
            return _model(parse(call.model, source.text), chosen, source)
        name: Function = function or "growth"
        chosen = settings(name, (), Source(text))
        if function is None:
            rule = "bare model text is read as growth(); rows that are written win over defaults"
            chosen = replace(
                chosen, defaults=(Default("function", "growth", rule), *chosen.defaults)
            )
        return _model(parse(text), chosen, Source(text))
    except RecursionError:
        raise NotationError("The text is nested too deeply.", text=text, position=0) from None


def _model(syntax: Syntax, chosen: Settings, source: Source) -> SemModel:
    _check_options(syntax, source)
    written = max((row.modifiers.n_groups for row in syntax.rows), default=1)
    n_groups = max(written, chosen.groups.n)
    groups = replace(chosen.groups, n=n_groups)
    if n_groups == 1 and chosen.group_variable is not None and "intercepts" in groups.equal:
        raise NotationError(
            'group.equal with "intercepts" frees latent means in all groups but the first, '
            "and the text does not say how many groups there are.",
            text=source.text,
            position=0,
            hint='Name the groups: group.label = c("a", "b").',
        )
    _check_cluster(syntax, chosen, source)
    table = build_levels(syntax, chosen.options, chosen.function, groups, source)
    labels = {path.label for path in table.paths if path.label}
    known = labels | {defined.name for defined in syntax.defined}
    for name, position in syntax.used:
        if name not in known:
            raise source.error(
                f"The label {name} stands at no parameter.",
                position,
                expected=tuple(sorted(known)),
                hint="Label the parameter: label*variable.",
            )
    for defined in syntax.defined:
        if defined.name in labels:
            raise source.error(f"{defined.name} is a label and is defined.", 0)
    fixed_x = chosen.options.fixed_x
    exogenous = table.variables.exogenous if fixed_x else ()
    try:
        return SemModel(
            paths=table.paths,
            latent=table.variables.latent,
            outcomes=tuple(n for n in table.variables.observed if n not in exogenous),
            covariates=exogenous,
            constraints=syntax.constraints,
            defined=syntax.defined,
            n_groups=n_groups,
            group_variable=chosen.group_variable,
            group_labels=chosen.group_labels,
            cluster_variable=chosen.cluster_variable,
            function=chosen.function,
            fixed_x=fixed_x,
            missing=chosen.missing,
            information=chosen.information,
            likelihood=chosen.likelihood,
            defaults=chosen.defaults,
            data=chosen.data,
        )
    except NotationError:
        raise
    except SpecificationError as error:
        raise NotationError(error.message, text=source.text, position=0, hint=error.hint) from None


def _check_cluster(syntax: Syntax, chosen: Settings, source: Source) -> None:
    if chosen.cluster_variable is not None and not syntax.levels:
        raise source.error(
            f'cluster = "{chosen.cluster_variable}" without levels only corrects standard errors.',
            chosen.cluster_position,
            hint="Write both blocks, level: 1 and level: 2; or leave the argument out.",
        )


def _check_options(syntax: Syntax, source: Source) -> None:
    if not syntax.rows:
        raise source.error(
            "The text has constraints, but no formula.", 0, expected=("=~", "~", "~~")
        )
