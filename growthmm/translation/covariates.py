"""Covariates of a structural equation model, tied to the columns of long data."""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.model.expression import quote
from growthmm.model.schema import Column, ColumnPart, Variable
from growthmm.model.sem import SemModel
from growthmm.model.terms import Term
from growthmm.translation.naming import covariate_name
from growthmm.translation.time_scores import common_stem

__all__ = ["covariate_families", "dummy_column", "plain_column"]


def plain_column(name: str) -> Column:
    """A numeric data column as it is."""
    expression = quote(name)
    return Column(Term((expression,)), (ColumnPart(expression),))


def covariate_families(
    model: SemModel, outcomes: Sequence[str]
) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
    """Covariates grouped into time-varying families.

    Columns that each act on one outcome of their own and share a label or a name before the
    number are one time-varying covariate.

    Parameters
    ----------
    model : SemModel
        With its covariates.
    outcomes : sequence of str
        The growth outcomes in order of occasion.

    Returns
    -------
    tuple of (str or None, tuple of str)
        For each covariate its columns, with the stem where it is time-varying (columns then in
        order of occasion), else None and the one column.
    """
    targets: dict[str, list[tuple[str, str]]] = {name: [] for name in model.covariates}
    for path in model.paths:
        if path.op == "~" and path.right in targets and (path.free or path.value):
            targets[path.right].append((path.left, path.parameter))
    single = {
        name: found[0]
        for name, found in targets.items()
        if len(found) == 1 and found[0][0] in outcomes
    }
    by_stem: dict[str, list[str]] = {}
    by_label: dict[str, list[str]] = {}
    for name, (_, parameter) in single.items():
        stem = common_stem([name])
        if stem is not None:
            by_stem.setdefault(stem, []).append(name)
        by_label.setdefault(parameter, []).append(name)
    used: set[str] = set()
    families: dict[str, tuple[str | None, tuple[str, ...]]] = {}
    for stem, names in [*by_stem.items(), *(("", names) for names in by_label.values())]:
        places = {single[name][0]: name for name in names}
        if len(places) != len(outcomes) or len(names) != len(outcomes) or used & set(names):
            continue
        used |= set(names)
        columns = tuple(places[y] for y in outcomes)
        chosen = stem or common_stem(columns) or f"x{len(families) + 1}"
        families[columns[0]] = (chosen, columns)
        for name in columns[1:]:
            families[name] = (None, ())
    for name in model.covariates:
        families.setdefault(name, (None, (name,)))
    ordered = (families[name] for name in model.covariates)
    return tuple(family for family in ordered if family[1])


def dummy_column(name: str, variables: Sequence[Variable]) -> Column | None:
    """The indicator or product of categorical levels that `name` stands for, or None.

    ``sexmale`` is the level ``male`` of ``sex``; ``sexmale.age`` its product with ``age``.
    """
    parts: list[ColumnPart] = []
    rest = name
    numeric = {variable.name for variable in variables if variable.levels is None}
    while rest:
        found: tuple[ColumnPart, str] | None = None
        for variable in variables:
            for index, level in enumerate((variable.levels or ())[1:]):
                label = covariate_name(f"{variable.name}{level}")
                if rest == label or rest.startswith(label + "."):
                    expression = quote(variable.name)
                    part = ColumnPart(expression, index, str(level), "contrast")
                    found = part, rest[len(label) + 1 :]
        if found is None:
            head, _, tail = rest.partition(".")
            if head in numeric and (tail or parts):
                found = ColumnPart(head), tail
        if found is None:
            return None
        parts.append(found[0])
        rest = found[1]
    return Column(Term(tuple(part.expression for part in parts)), tuple(parts))
