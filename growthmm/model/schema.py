"""What a bound model knows about its data: roles, levels, occasions, basis constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from growthmm.model.terms import Term
from growthmm.rendering import Shown

__all__ = [
    "Column",
    "ColumnPart",
    "Constants",
    "Contrast",
    "Grouping",
    "Lagged",
    "Role",
    "Schema",
    "Variable",
]

Role = Literal[
    "person", "time", "outcome", "person_level", "cluster_level", "time_varying", "time_function"
]
"""``time_function`` is the same for everyone at one time (a knot variable, say), ``cluster_level``
for all persons of a cluster."""

Contrast = Literal["treatment", "sum", "helmert", "poly"]

Scalar = str | float | int | bool


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the data and what it is to the model.

    Parameters
    ----------
    name : str
        The column.
    role : Role
        What it is to the model.
    levels : tuple of scalars, optional
        The levels of a categorical column in their order, the first being the reference;
        None for a numeric one.
    """

    name: str
    role: Role
    levels: tuple[Scalar, ...] | None = None


@dataclass(frozen=True, slots=True)
class Constants:
    """Frozen constants of one stateful expression, such as ``poly(t, 2)`` or ``scale(x)``.

    Parameters
    ----------
    expression : str
        The canonical expression.
    values : tuple of (str, tuple of float)
        Named constants, as the evaluator of the function stores and reads them.
    """

    expression: str
    values: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class ColumnPart:
    """One column of one encoded factor.

    Parameters
    ----------
    expression : str
        The canonical expression of the factor.
    index : int
        Which column of the factor's encoding, from 0.
    label : str
        What the notation in R's spelling appends to the factor's name: ``"male"`` for
        ``sexmale``, ``"1"`` for ``poly(t, 2)1``, empty for a numeric factor.
    coding : {"numeric", "contrast", "full"}
        Numeric, contrasts, or one indicator a level.
    """

    expression: str
    index: int = 0
    label: str = ""
    coding: Literal["numeric", "contrast", "full"] = "numeric"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a design matrix: the product of its parts (none: the constant).

    Parameters
    ----------
    term : Term
        The term it belongs to.
    parts : tuple of ColumnPart
        One for each factor of the term, in the term's order.
    """

    term: Term
    parts: tuple[ColumnPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """The column that splits persons into groups with parameters of their own.

    Parameters
    ----------
    variable : str
        A person-level column.
    levels : tuple of scalars
        Its values in their order, the first being the reference.
    order : tuple of scalars
        The values in the order in which the data first show them, which numbers the groups of a
        structural equation program; empty where it is that of `levels`.
    columns : tuple of tuple of (str, float)
        For each group, in that order, its outcome columns with their times, ascending, where one
        column stands for different times in different groups (cohorts); empty otherwise.
    """

    variable: str
    levels: tuple[Scalar, ...]
    order: tuple[Scalar, ...] = ()
    columns: tuple[tuple[tuple[str, float], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Lagged:
    """A column that holds a time-varying covariate's value of an earlier or a later occasion.

    It is zero at the first `by` occasions, which have no earlier one (at the last, which have no
    later one), and missing where the other value is. Where times differ between persons, an
    occasion before is the row before.

    Parameters
    ----------
    name : str
        The column.
    of : str
        The covariate.
    by : int
        How many occasions earlier; below zero how many later.

    Examples
    --------
    >>> x = Variable("x", "time_varying")
    >>> schema = Schema("id", "t", "y", (0.0, 1.0), (x,), varying_columns=(("x", ("x_0", "x_1")),),
    ...                 lagged=(Lagged("x_lag1", "x"), Lagged("x_lead1", "x", -1)))
    >>> schema.wide_columns("x_lag1"), schema.wide_columns("x_lead1")
    (('', 'x_0'), ('x_1', ''))
    """

    name: str
    of: str
    by: int = 1


@dataclass(frozen=True, repr=False)
class Schema(Shown):
    """The facts that turn a symbolic model into a bound one.

    Parameters
    ----------
    person : str
        The column that identifies persons.
    time : str, optional
        The column that, with `person`, identifies rows; None where nothing needs it.
    outcome : str
        The outcome column in long data.
    occasions : tuple of float
        Distinct values of `time`, ascending, where occasions are shared; empty otherwise. Of
        several outcomes each has its own, one outcome after the other.
    variables : tuple of Variable
        Every other column that the model uses.
    constants : tuple of Constants
        Frozen basis constants.
    outcome_columns : tuple of str
        Wide columns of the outcome, one for each occasion; where times vary individually one
        for each visit, a person's visits in order of time.
    varying_columns : tuple of (str, tuple of str)
        For each time-varying covariate its wide columns, one for each occasion or visit; where
        times vary individually, those of time itself too.
    cluster : str, optional
        The column of clusters, where persons stand in some that have random effects.
    repeats : bool
        Whether persons' names repeat from cluster to cluster, so that a person is a pair of both.
    shared_times : bool
        Whether occasions are shared (loadings the same for everyone).
    computed_columns : tuple of (Column, tuple of str)
        Wide columns of what a translation computes for each occasion or visit, the square of
        individual times, say, or for each person. Tells what they are on the way back.
    time_range : tuple of (float, float), optional
        The first and the last of individually varying times. Random persons on whom two models
        are compared have theirs in between; the translation does not depend on it.
    grouping : Grouping, optional
        The groups, where the model has parameters by group.
    contrasts : {"treatment", "sum", "helmert", "poly"}
        Default contrasts of categorical columns.
    indicator : str, optional
        Of several outcomes in stacked rows: the column that says whose value a row holds.
    series : tuple of scalars
        For each of `occasions` which outcome it is of; empty where there is one outcome.
    lagged : tuple of Lagged
        Variables that are an earlier or later value of another one. They have no wide columns of
        their own.
    """

    _html: ClassVar[str] = "schema.html"

    person: str
    time: str | None
    outcome: str
    occasions: tuple[float, ...] = ()
    variables: tuple[Variable, ...] = ()
    constants: tuple[Constants, ...] = ()
    outcome_columns: tuple[str, ...] = ()
    varying_columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    shared_times: bool = True
    computed_columns: tuple[tuple[Column, tuple[str, ...]], ...] = ()
    time_range: tuple[float, float] | None = None
    cluster: str | None = None
    repeats: bool = False
    contrasts: Contrast = field(default="treatment")
    grouping: Grouping | None = None
    indicator: str | None = None
    series: tuple[Scalar, ...] = ()
    lagged: tuple[Lagged, ...] = ()

    def __repr__(self) -> str:
        times = [f"{time:.6g}" for time in self.times]
        shown = ", ".join(times if len(times) <= 6 else [*times[:3], "...", times[-1]])
        when = f"{self.time} ({shown})" if self.shared_times and shown else str(self.time)
        found = [f"person {self.person}", f"time {when}", f"outcome {self.outcome}"]
        found += [f"clusters {self.cluster}"] if self.cluster else []
        found += [f"groups {self.grouping.variable}"] if self.grouping else []
        n = len(self.variables)
        found += [f"{n} other variable{'s' * (n != 1)}"] if n else []
        return f"<Schema: {', '.join(found)}>"

    @property
    def times(self) -> tuple[float, ...]:
        """The distinct times, ascending."""
        return tuple(sorted(set(self.occasions))) if self.series else self.occasions

    @property
    def outcomes(self) -> tuple[Scalar, ...]:
        """The several outcomes in their order; empty where there is one."""
        return tuple(dict.fromkeys(self.series))

    def cells_of(self, outcome: Scalar) -> tuple[int, ...]:
        """The positions among `occasions` of one of several outcomes."""
        return tuple(j for j, own in enumerate(self.series) if own == outcome)

    @property
    def numbers(self) -> tuple[float, ...]:
        """What wide columns are numbered by: occasions, or visits 1, 2, ... at individual times."""
        if self.shared_times:
            return self.occasions
        return tuple(float(k + 1) for k in range(len(self.outcome_columns)))

    def variable(self, name: str) -> Variable | None:
        """The variable called `name`, or None."""
        return next((v for v in self.variables if v.name == name), None)

    def constants_of(self, expression: str) -> Constants | None:
        """The frozen constants of `expression`, or None."""
        return next((c for c in self.constants if c.expression == expression), None)

    def wide_columns(self, name: str) -> tuple[str, ...] | None:
        """Wide columns of the time-varying covariate `name`, or None.

        Those of a lagged one are its covariate's, empty names where it has no other value.
        """
        lagged = self.lag(name)
        if lagged is not None:
            own = self.wide_columns(lagged.of)
            return None if own is None else self.shifted(own, lagged.by)
        return next((columns for n, columns in self.varying_columns if n == name), None)

    def shifted(self, columns: Sequence[str], by: int) -> tuple[str, ...]:
        """Wide columns `by` occasions before, empty names where there is none.

        Parameters
        ----------
        columns : sequence of str
            One for each occasion or visit.
        by : int
            How many occasions earlier; below zero how many later.
        """
        return tuple("" if k is None else columns[k] for k in self.places_before(by))

    def places_before(self, by: int) -> tuple[int | None, ...]:
        """For each occasion or visit the place of the one `by` before, or None.

        Of several outcomes occasions are the times of all of them, and a covariate has the same
        value whatever outcome a row holds.

        Examples
        --------
        >>> Schema("id", "t", "y", (0.0, 1.0, 3.0)).places_before(1)
        (None, 0, 1)
        """
        if not self.shared_times:
            n = len(self.outcome_columns)
            return tuple(k - by if 0 <= k - by < n else None for k in range(n))
        times = self.times
        made: list[int | None] = []
        for cell, time in enumerate(self.occasions):
            at = times.index(time) - by
            if not 0 <= at < len(times):
                made.append(None)
                continue
            alike = [k for k, other in enumerate(self.occasions) if other == times[at]]
            own = [k for k in alike if self.series and self.series[k] == self.series[cell]]
            made.append((own or alike)[0])
        return tuple(made)

    def lag(self, name: str) -> Lagged | None:
        """What the column `name` is an earlier value of, or None."""
        return next((lagged for lagged in self.lagged if lagged.name == name), None)
