"""A redundant parameter fixed instead of refused: residual variances written twice."""

from __future__ import annotations

from dataclasses import replace

from growthmm.model.bound import BoundMixed
from growthmm.model.defaults import Assumption
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, Schema
from growthmm.translation.tabulate import part_variables, tabulate

__all__ = ["without_redundancy"]

NOTE = Assumption(
    "the common residual variance is fixed at zero",
    "with a variance for every occasion among the random effects it is redundant: the two add up "
    "to residual variances by occasion",
)


def without_redundancy(bound: BoundMixed) -> BoundMixed:
    """The same model with residual variances by occasion written as such.

    An uncorrelated random effect for every occasion, beside a common residual variance, has the
    moments of residual variances by occasion and one parameter too many (condition 17: glmmTMB's
    ``diag(0 + factor(t) | id)``).

    Parameters
    ----------
    bound : BoundMixed
        A mixed model with its occasions known.

    Returns
    -------
    BoundMixed
        `bound` itself where nothing is redundant.
    """
    schema = bound.schema
    if bound.model.residual.kind != "common" or not schema.shared_times or not schema.occasions:
        return bound
    diagonal = [
        k for k, block in enumerate(bound.random) if block.diagonal and _all(block.columns, schema)
    ]
    if not diagonal:
        return bound
    kept = tuple(block for k, block in enumerate(bound.random) if k != diagonal[0])
    # A diagonal block of the text is one block of columns; which of them it is, their order says.
    earlier = sum(block.diagonal for block in bound.random[: diagonal[0]])
    texts = [k for k, block in enumerate(bound.model.random) if block.covariance == "diagonal"]
    dropped = texts[earlier]
    model = replace(
        bound.model,
        random=tuple(b for k, b in enumerate(bound.model.random) if k != dropped),
        residual=ResidualStructure("by_occasion", time=schema.time),
    )
    return replace(bound, model=model, random=kept, assumptions=(*bound.assumptions, NOTE))


def _all(columns: tuple[Column, ...], schema: Schema) -> bool:
    """Whether the columns are the indicators of all occasions."""
    times = {schema.time} | {v.name for v in schema.variables if v.role == "time_function"}
    if not all(name in times for c in columns for p in c.parts for name in part_variables(p)):
        return False
    n = len(schema.occasions)
    unit = {tuple(float(j == k) for j in range(n)) for k in range(n)}
    return n > 1 and {tabulate(column, schema) for column in columns} == unit
