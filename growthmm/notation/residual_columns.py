"""Which columns a residual structure is about: the times, and the persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, variables
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Schema
from growthmm.model.terms import Term
from growthmm.notation.base import ScriptContext

__all__ = [
    "Within",
    "at_one_time",
    "by_column",
    "by_columns",
    "columns",
    "crossed_loss",
    "groupwise_loss",
    "lacking",
    "missing_columns",
    "placed",
    "shared_loss",
    "within",
]

_TIMELESS = ("common", "by_group", "cs")
_ONE_CORRELATION = {
    "ar1": "corAR1",
    "arh1": "corAR1",
    "cs": "corCompSymm",
    "csh": "corCompSymm",
    "unstructured": "corSymm",
}
"""What nlme calls the correlations of a structure."""

_PERSONLESS = ("common", "by_group", "by_occasion")


@dataclass(frozen=True, slots=True)
class Within:
    """The columns of a residual structure.

    Parameters
    ----------
    time : str or None
        The column of times.
    person : str or None
        The factor within whose levels residuals are correlated, a canonical expression.
    """

    time: str | None
    person: str | None


def within(model: MixedModel) -> Within:
    """The columns of times and persons, as far as the model tells them.

    The residual structure's own; else the single variable with a random slope, or the single
    variable of the fixed effects, and the innermost grouping factor.

    Examples
    --------
    >>> slope = RandomBlock((Term(), Term(("t",))), "id")
    >>> within(MixedModel("y", (Term(), Term(("t",)), Term(("x",))), (slope,)))
    Within(time='t', person='id')
    """
    time = model.residual.time
    for terms in ([t for block in model.random for t in block.terms], model.fixed):
        names = tuple(name for name in _names(terms) if name not in model.loading_names)
        if time is None and len(names) == 1:
            time = names[0]
    person = model.residual.person
    if person is None and model.random:
        person = max(model.groups, key=lambda group: len(variables(group)))
    return Within(time, person)


def placed(model: MixedModel, context: ScriptContext) -> MixedModel:
    """The model with the columns of a schema in its residual structure, where it lacks them."""
    schema: Schema | None = context.schema
    if schema is None:
        return model
    known = model.residual
    person = known.person or (None if model.random else quote(schema.person))
    return replace(model, residual=replace(known, time=known.time or schema.time, person=person))


def missing_columns(title: str, model: MixedModel) -> list[Loss]:
    """What a program names in its residual structure and the model does not tell."""
    kind, found = model.residual.of_person.kind, within(model)
    losses = []
    if found.time is None and (kind not in _TIMELESS or model.residual.crossed):
        losses.append(
            Loss(
                f"the column of times of residuals {kind}",
                f"{title} names it, and the model does not tell which it is",
                "say it with time= or --time",
            )
        )
    if found.person is None and kind not in _PERSONLESS:
        losses.append(
            Loss(
                f"the column of persons of residuals {kind}",
                f"{title} names it, and the model has no random effects that tell it",
                "say it with id= or --id",
            )
        )
    return losses


def by_column(
    name: str, fixed: Sequence[Term], random: Sequence[RandomBlock], time: str | None = None
) -> ResidualStructure:
    """Residual variances by the levels of a column: by occasion where it is the model's time.

    Parameters
    ----------
    name : str
        The column.
    fixed, random : sequence
        The model's terms. The column is time where it has a random slope, or is the only
        variable of the model.
    time : str, optional
        The column of times, where the text names it elsewhere.

    Examples
    --------
    >>> str(by_column("t", [Term(("t",))], [])), str(by_column("sex", [Term(("t",))], []))
    ('by_occasion', 'by_group:sex')
    """
    slopes = _names([t for block in random for t in block.terms])
    if name == time or name in slopes or (not slopes and _names(fixed) == (name,)):
        return ResidualStructure("by_occasion", time=name)
    return ResidualStructure("by_group", by=name)


def by_columns(
    names: tuple[str, str], random: Sequence[RandomBlock], time: str | None = None
) -> ResidualStructure:
    """Residual variances by the levels of two columns, the one with a random slope being time.

    Examples
    --------
    >>> str(by_columns(("t", "sex"), [RandomBlock((Term(), Term(("t",))), "id")]))
    'by_group:sex:by_occasion'
    """
    slopes = _names([t for block in random for t in block.terms])
    first, second = names
    if first == time or (first in slopes and second != time):
        first, second = second, first
    return ResidualStructure("by_group", by=first, crossed=True, time=second)


def at_one_time(group: str | None, random: Sequence[RandomBlock]) -> Within | None:
    """The columns of persons and times in a grouping factor of a person's times, or None.

    Residuals whose subject is a person at a time are of several outcomes there. A factor within
    which random effects vary is one of persons.

    Parameters
    ----------
    group : str, optional
        The factor within whose levels residuals covary.
    random : sequence of RandomBlock
        The model's random effects.

    Examples
    --------
    >>> at_one_time("id:t", [RandomBlock((Term(),), "id")])
    Within(time='t', person='id')
    >>> at_one_time("school:id", [RandomBlock((Term(),), "school:id")]) is None
    True
    """
    groups = {block.group for block in random}
    pieces = [] if group is None or group in groups else group.split(":")
    for k, piece in enumerate(pieces):
        person = ":".join(other for at, other in enumerate(pieces) if at != k)
        if person in groups and len(variables(piece)) == 1:
            return Within(variables(piece)[0], person)
    return None


def crossed_loss(title: str, model: MixedModel) -> list[Loss]:
    """The loss of residual (co)variances by two columns, for programs that have one of them.

    Variances by group and occasion, parameters that some groups share, correlated residuals of
    each group, or covariances of several outcomes at one time; nothing where there are none.
    """
    residual = model.residual
    time = within(model).time or "time"
    if residual.kind == "across":
        return [_across_loss(title, model, time)]
    if residual.shared:
        return shared_loss(title, model)
    if residual.within is not None:
        return [groupwise_loss(title, model)]
    if not residual.crossed:
        return []
    return [
        Loss(
            f"residual variances by {residual.by} and occasion",
            f"{title} is written with residual variances by one column",
            f"nlme::lme(..., weights = varIdent(form = ~ 1 | {residual.by} * {time})), or a column "
            "that holds the combination",
        )
    ]


def shared_loss(title: str, model: MixedModel) -> list[Loss]:
    """The loss of residual variances that some groups share: programs have one for each level."""
    residual = model.residual
    if not residual.shared:
        return []
    sets = " and ".join(" = ".join(members) for members in residual.shared)
    if residual.within is not None:
        return [
            Loss(
                f"{residual.within} residuals of each {residual.by} with {sets}",
                f"{title} is written without residuals that some levels of a column share",
                f"a data column in which these levels are one, in place of {residual.by}, with "
                "SAS: PROC MIXED with REPEATED / GROUP=; or gm.fit, which fits the model as it is",
            )
        ]
    occasion = " and occasion" * residual.crossed
    by = f"{residual.by} * {within(model).time or 'time'}" if residual.crossed else residual.by
    return [
        Loss(
            f"residual variances by {residual.by}{occasion} with {sets}",
            f"{title} has a residual variance for each level of a column, and no equal ones",
            "a data column in which levels that share a variance are one level, in place of "
            f"{residual.by}; or nlme::lme(..., weights = varIdent(form = ~ 1 | {by})), all of them "
            "different; or gm.fit, which fits the model as it is",
        )
    ]


def groupwise_loss(title: str, model: MixedModel) -> Loss:
    """The loss of a correlated residual structure of its own in each group."""
    residual = model.residual
    assert residual.within is not None
    by, within_ = residual.by or "", residual.within
    nearest = "SAS: PROC MIXED with REPEATED / GROUP="
    if within_.kind in _ONE_CORRELATION:
        found = within(model)
        person = found.person or "person"
        covariate = "1" if within_.kind in ("cs", "csh") else found.time or "time"
        variances = f"{by} * {found.time or 'time'}" if within_.kind in ("arh1", "csh") else by
        nearest += (
            "; or, with one correlation for all groups and their own variances, nlme::lme(..., "
            f"correlation = {_ONE_CORRELATION[within_.kind]}(form = ~ {covariate} | {person}), "
            f"weights = varIdent(form = ~ 1 | {variances})), which is another model"
        )
    return Loss(
        f"{within_} residuals with parameters of their own for each {by}",
        f"{title} is written with one correlation structure for all persons",
        f"{nearest}; or gm.fit, or the growth curve of several groups (lavaan, OpenMx, Mplus)",
    )


def _across_loss(title: str, model: MixedModel, time: str) -> Loss:
    residual = model.residual
    what = f"residual covariances of the outcomes ({residual.by}) at one {time}"
    if residual.crossed:
        return Loss(
            f"{what}, others at each",
            f"{title} has no residual matrix for each time",
            f"residual=across:{residual.by}, the same matrix at all times; SAS (GROUP=); or "
            "growthmm fit",
        )
    person = within(model).person or "person"
    return Loss(
        what,
        f"{title} is written here with residuals that covary between times, or not at all",
        f"nlme::lme(..., correlation = corSymm(form = ~ as.integer(factor({residual.by})) | "
        f"{person}/{time}), weights = varIdent(form = ~ 1 | {residual.by}))",
    )


def lacking(title: str, model: MixedModel, nearest: str) -> Loss:
    """The loss of a residual structure that a program with others does not have."""
    shown = {"ar1+common": "AR(1) residuals plus measurement error"}
    kind = str(model.residual)
    return Loss(shown.get(kind, f"{kind} residuals"), f"{title} has no such structure", nearest)


def columns(model: MixedModel) -> tuple[str, ...]:
    """Every data column that a model and its residual structure name.

    Examples
    --------
    >>> columns(MixedModel("y", (Term(), Term(("t",))), residual=ResidualStructure("by_occasion")))
    ('y', 't')
    """
    terms = (*model.fixed, *(t for block in model.random for t in block.terms))
    expressions = [model.response, *(f for t in terms for f in t.factors), *model.groups]
    found, kind = within(model), model.residual.of_person.kind
    if found.person is not None and kind not in _PERSONLESS:
        expressions.append(found.person)
    names = [v for e in expressions for v in variables(e) if v not in model.loading_names]
    timeless = kind in _TIMELESS and not model.residual.crossed
    own = (model.residual.by, None if timeless else found.time)
    return tuple(dict.fromkeys([*names, *(n for n in own if n is not None)]))


def _names(terms: Sequence[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v for t in terms for f in t.factors for v in variables(f)))
