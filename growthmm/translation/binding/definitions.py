"""Which long columns the definition variables of a structural equation model are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from growthmm.data.names import syntactic
from growthmm.errors import UnboundError
from growthmm.model.defaults import Assumption
from growthmm.model.growth import Covariate
from growthmm.model.schema import Schema, Variable
from growthmm.model.sem import SemModel
from growthmm.translation.binding.covariates import covariate_families, plain_column
from growthmm.translation.binding.resolve import Resolver
from growthmm.translation.binding.time_scores import name_scores
from growthmm.translation.carriers import carriers
from growthmm.translation.definitions import definition_families
from growthmm.translation.loadings.tables import growth_outcomes, loading_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Families",
    "families_of",
    "individual_time",
    "named_covariates",
    "visits_in_order",
]

Families = tuple[tuple[str | None, tuple[str, ...]], ...]
"""For each covariate its columns, with the stem where it is time-varying."""


def individual_time(
    model: SemModel, known: Schema | None, time: str | None, long: pd.DataFrame | None
) -> str | None:
    """The column of individually varying times that a model's loadings are, or None.

    Loadings in data columns are times where `time` names them, or where the model has no other
    growth factor that tells its outcomes apart. They are functions of times where long data have
    more times than the model has outcomes.

    Raises
    ------
    UnboundError
        If several families of columns may be time.
    """
    if known is not None:
        return None if known.shared_times else known.time
    outcomes = visits_in_order(model)
    stems = [stem for stem, _ in definition_families(model, outcomes) if stem is not None]
    if time is not None and (syntactic(time) in stems or time in stems):
        return time
    if not stems or _has_scores(model):
        return None
    if time is not None:
        many = long is not None and time in long.columns and _many(long, time, len(outcomes))
        return time if many else None
    if len(stems) > 1:
        raise UnboundError(
            f"Loadings in columns of {', '.join(stems)}: any of them may be time.",
            missing=("time",),
            hint=f"Say which is: time={stems[0]!r} or --time {stems[0]}.",
        )
    return stems[0]


def _many(frame: pd.DataFrame, time: str, n_outcomes: int) -> bool:
    return bool(frame[time].nunique() > 3 * n_outcomes + 10)


def _has_scores(model: SemModel) -> bool:
    """Whether some growth factor has numbers that tell the outcomes apart."""
    carried = {carrier.name for carrier in carriers(model)}
    for name, rows in loading_table(model).items():
        fixed = [row.value for row in rows.values() if not row.free and row.definition is None]
        if name not in carried and len(set(fixed)) > 1:
            return True
    return any(path.op == "=~" and path.free and path.left not in carried for path in model.paths)


def visits_in_order(model: SemModel) -> tuple[str, ...]:
    """The growth outcomes by the numbers that their names end in, else as they stand."""
    outcomes = growth_outcomes(model)
    numbered = name_scores(outcomes)
    return outcomes if numbered is None else tuple(name for name, _ in numbered)


def families_of(model: SemModel, outcomes: Sequence[str]) -> Families:
    """Covariates and definition variables, grouped by the long column that they come from."""
    acting = covariate_families(model, outcomes)
    known = {column for _, columns in acting if "" not in columns for column in columns}
    held = definition_families(model, outcomes)
    lagged = [family for family in held if "" in family[1] and family not in acting]
    plain = [family for family in held if "" not in family[1]]
    whole = [family for family in plain if not set(family[1]) <= known]
    # A covariate of some visits only is all of it where its columns are loadings too.
    taken = {column for _, columns in whole for column in columns}
    whole += lagged
    return (*(f for f in acting if not set(f[1]) & taken), *whole)


def named_covariates(
    families: Families, schema: Schema
) -> tuple[tuple[Variable, ...], tuple[Covariate, ...], tuple[Assumption, ...]]:
    """Covariates of wide data, each a column of long data of its own.

    Where times vary individually, a name such as ``I_time_2`` is the function of time that the
    translation from a formula calls so.

    Returns
    -------
    variables : tuple of Variable
        Their roles.
    covariates : tuple of Covariate
        What they are.
    notes : tuple of Assumption
        What was read from names.
    """
    variables: list[Variable] = []
    covariates: list[Covariate] = []
    notes: list[Assumption] = []
    time = schema.time or "time"
    plain = tuple(Variable(stem or family[0], "time_varying") for stem, family in families)
    for stem, family in families:
        name = stem or family[0]
        column = plain_column(name)
        found = None
        if stem is not None and not schema.shared_times and syntactic(time) != name:
            others = tuple(v for v in plain if v.name not in (name, syntactic(time)))
            found = Resolver(replace(schema, variables=others)).column(name)
        if found is not None:
            column = found
            notes.append(Assumption(f"{name} is {column.term}", "its name"))
        elif stem is not None and syntactic(time) == name and not schema.shared_times:
            column = plain_column(time)
        else:
            variables.append(Variable(name, "time_varying" if stem is not None else "person_level"))
        covariates.append(Covariate(name, column, stem is not None, family))
    return tuple(variables), tuple(covariates), tuple(notes)
