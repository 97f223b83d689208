"""Coefficients of growth models of several groups, whatever coding of the groups they have."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np

from growthmm.model.schema import Column, Schema
from growthmm.model.terms import Term
from growthmm.translation.coding import column_key
from growthmm.translation.groups.grouping import of_group, split_by_group

__all__ = ["effect_spans"]

DIGITS = 9


def effect_spans(
    effects: Iterable[tuple[Hashable, Column]], schema: Schema
) -> frozenset[tuple[object, ...]]:
    """What coefficients can be in each group, for everything that they act on.

    A mean and a difference between groups, or a mean for each group, are two codings of one
    model: for one covariate (none: the mean), their values in the groups span the same space. A
    space is told by the matrix that projects on it.

    Parameters
    ----------
    effects : iterable of (where, Column)
        What each coefficient acts on, and its column; the constant column for a mean.
    schema : Schema
        With the groups; where there are none, every column counts as it is.

    Returns
    -------
    frozenset
        Of where, the column without its functions of the group, and the projection.

    Examples
    --------
    >>> from growthmm.model.schema import ColumnPart, Grouping, Variable
    >>> def coded(index, label, coding):
    ...     return Column(Term(("sex",)), (ColumnPart("sex", index, label, coding),))
    >>> sex = Variable("sex", "person_level", ("f", "m"))
    >>> schema = Schema("id", "t", "y", variables=(sex,), grouping=Grouping("sex", ("f", "m")))
    >>> contrast = [("s", Column(Term())), ("s", coded(0, "m", "contrast"))]
    >>> each = [("s", coded(0, "f", "full")), ("s", coded(1, "m", "full"))]
    >>> effect_spans(contrast, schema) == effect_spans(each, schema)
    True
    """
    found: dict[tuple[Hashable, Hashable], list[tuple[float, ...]]] = {}
    for where, column in effects:
        own, rest = split_by_group(column.parts, schema.grouping)
        left = Column(Term(tuple(part.expression for part in rest)), rest)
        values = of_group(own, schema) if schema.grouping is not None else (1.0,)
        found.setdefault((where, column_key(left)), []).append(values)
    return frozenset((*key, _projection(values)) for key, values in found.items())


def _projection(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    _, size, directions = np.linalg.svd(np.array(rows), full_matrices=False)
    basis = directions[size > 1e-10 * max(float(size[0]), 1.0)]
    # Adding zero makes minus zero zero.
    return tuple(float(v) for v in np.round(basis.T @ basis, DIGITS).ravel() + 0.0)
