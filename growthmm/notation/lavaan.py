"""lavaan: read and write models and calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.lavaan_arguments import Settings, settings
from growthmm.notation.lavaan_call import is_call, read_call
from growthmm.notation.lavaan_defaults import FUNCTIONS, Function
from growthmm.notation.lavaan_levels import build_levels
from growthmm.notation.lavaan_parser import Source
from growthmm.notation.lavaan_syntax import Syntax, parse

__all__ = ["NOTATION", "LavaanNotation", "read", "write"]


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
            0,
            hint="Write both blocks, level: 1 and level: 2; or leave the argument out.",
        )


def _check_options(syntax: Syntax, source: Source) -> None:
    if not syntax.rows:
        raise source.error(
            "The text has constraints, but no formula.", 0, expected=("=~", "~", "~~")
        )


def write(model: SemModel) -> Written:
    """Write a model as lavaan text, a whole call where the model needs one.

    Parameters
    ----------
    model : SemModel
        Any model.

    Returns
    -------
    Written
        Text that reads back as `model`, and what lavaan cannot say.

    Examples
    --------
    >>> print(write(read("i =~ 1*y0 + 1*y1; y0 ~~ r*y0; y1 ~~ r*y1")).text)
    i =~ 1*y0 + 1*y1
    y0 ~~ r*y0
    y1 ~~ r*y1
    """
    from growthmm.notation.lavaan_write import write_model

    return write_model(model)


class LavaanNotation:
    """lavaan, the R package, as a notation."""

    name = "lavaan"
    title = "lavaan"
    family: Literal["mixed", "sem"] = "sem"

    def recognises(self, text: str) -> bool:
        """Whether `text` calls one of lavaan's functions."""
        return is_call(text)

    def read(self, text: str, function: Function | None = None) -> SemModel:
        """Read `text`; see :func:`read`."""
        if function is not None and function not in FUNCTIONS:
            raise NotationError(
                f"lavaan has no function {function!r}.",
                expected=tuple(FUNCTIONS),
                hint="Use one of growth, sem, cfa, lavaan.",
            )
        return read(text, function)

    def write(self, model: Model) -> Written:
        """Write `model`; see :func:`write`."""
        return write(_sem(model))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete R program; see :mod:`growthmm.notation.lavaan_script`."""
        from growthmm.notation.lavaan_script import script

        return script(_sem(model), context)

    def coefficient(self, column: Column) -> str:
        """The name of `column` in wide data: its parts, joined."""
        return ".".join(f"{part.expression}{part.label}" for part in column.parts) or "1"


def _sem(model: Model) -> SemModel:
    if isinstance(model, SemModel):
        return model
    raise SpecificationError(
        "lavaan writes structural equation models, and this is a mixed model.",
        hint="Translate it first: growthmm.translate(model, to='lavaan', ...).",
    )


NOTATION = LavaanNotation()
