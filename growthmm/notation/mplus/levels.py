"""The levels of an Mplus input: what stands behind %WITHIN% and %BETWEEN%, and their table.

The rules are those of the Mplus User's Guide (Muthén & Muthén 2017, chapters 9 and 16): the
defaults fill each level by itself, but all means are those of the between level, except those of
variables that stand at the within level alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from growthmm.notation.mplus.defaults import complete
from growthmm.notation.mplus.lists import Names
from growthmm.notation.mplus.model import ModelText
from growthmm.notation.mplus.options import Options
from growthmm.notation.mplus.syntax import Syntax
from growthmm.notation.mplus.text import Statement, error_at
from growthmm.notation.sem.table import Table, Variables

__all__ = ["by_level", "complete_levels"]

_NAMES = {1: "%WITHIN%", 2: "%BETWEEN%"}
_HEADER = re.compile(r"%\s*(WITHIN|BETWEEN)\b([^%]*)%\s*", re.IGNORECASE)


def by_level(
    body: Sequence[Statement], text: str, *, told: bool | None
) -> dict[int, list[Statement]]:
    """The statements of MODEL by level; all at level 0 where there are no levels.

    Parameters
    ----------
    body : sequence of Statement
        The statements.
    text : str
        The input, for errors.
    told : bool, optional
        Whether ANALYSIS says TYPE = TWOLEVEL; None for a MODEL without other commands.

    Raises
    ------
    NotationError
        If a level is missing or of a kind that is not supported.
    """
    found: dict[int, list[Statement]] = {}
    level = 0
    for statement in body:
        rest = statement
        while (match := _HEADER.match(rest.text)) is not None:
            if match[2].strip():
                hint = "Write three levels as a mixed model: a random effect for each level."
                message = f"The level {match.group().strip()} is not supported."
                raise error_at(text, rest.position, message, hint=hint)
            level = 1 if match[1].upper() == "WITHIN" else 2
            if told is False:
                message = f"%{match[1].upper()}% stands in a model without TYPE = TWOLEVEL."
                hint = "Write ANALYSIS: TYPE = TWOLEVEL; and VARIABLE: CLUSTER = school;"
                raise error_at(text, rest.position, message, hint=hint)
            found.setdefault(level, [])
            rest = Statement(rest.text[match.end() :], rest.position + match.end())
        if rest.text:
            found.setdefault(level, []).append(rest)
    if found.keys() & {1, 2} or told:
        _check(found, body, text)
    return found


def _check(found: Mapping[int, list[Statement]], body: Sequence[Statement], text: str) -> None:
    place = body[0].position if body else 0
    if not found.keys() & {1, 2}:
        message = "A model with TYPE = TWOLEVEL has no levels."
        hint = "Write %WITHIN% and %BETWEEN% in MODEL, each with its statements."
        raise error_at(text, place, message, hint=hint)
    if found.get(0):
        message = f"This stands before the first level, {_NAMES[min(found.keys() - {0})]}."
        hint = "Begin MODEL with %WITHIN% or %BETWEEN%."
        raise error_at(text, found[0][0].position, message, hint=hint)
    for level, name in _NAMES.items():
        if not found.get(level):
            hint = "Write both levels: %WITHIN% and %BETWEEN%."
            raise error_at(text, place, f"{name} holds no statement.", hint=hint)


def complete_levels(
    parts: Mapping[int, tuple[ModelText, Syntax]], options: Options, names: Names, text: str
) -> Table:
    """Fill in what Mplus fills in, level by level, and join the tables.

    Raises
    ------
    NotationError
        If a variable stands at levels where VARIABLE does not put it.
    """
    (inner_text, inner), (outer_text, outer) = parts[1], parts[2]
    above = complete(outer, no_covariances=options.no_covariances)
    shared = frozenset(above.variables.observed)
    below = complete(inner, no_covariances=options.no_covariances, above=shared)
    _check_factors(below.variables, above.variables, outer_text, text)
    if options.names:
        lists = _Lists(
            {names.spell(name) for name in options.within},
            {names.spell(name) for name in options.between},
        )
        lists.check(1, below.variables, shared, inner_text)
        lists.check(2, above.variables, frozenset(below.variables.observed), outer_text)
    for row in inner.rows:
        latent = row.left in below.variables.latent
        if row.op == "~1" and (row.free or row.value) and (latent or row.left in shared):
            message = f"The mean of {row.left} stands in %WITHIN%."
            raise error_at(text, row.position, message, hint="Write it in %BETWEEN%.")
    paths = (*below.paths, *(replace(path, level=2) for path in above.paths))
    return Table(paths, below.variables.joined(above.variables))


def _check_factors(inner: Variables, outer: Variables, used: ModelText, text: str) -> None:
    covariates = {*inner.exogenous, *outer.exogenous}
    known = {*inner.observed, *inner.latent}
    for name, position in used.used:
        if name not in known:
            continue
        if name in inner.latent or name in outer.latent:
            hint = "Give the factors of each level names of their own."
            message = f"The latent variable {name} stands at both levels."
            raise error_at(text, position, message, hint=hint)
        if name in covariates:
            message = (
                f"The covariate {name} stands at both levels, where Mplus splits it into a "
                "latent mean and the rest."
            )
            hint = f"Use {name} at one level, or a column with its means in %BETWEEN%."
            raise error_at(text, position, message, hint=hint)


@dataclass(frozen=True)
class _Lists:
    """VARIABLE: WITHIN and BETWEEN."""

    within: set[str]
    between: set[str]

    def check(
        self, level: int, variables: Variables, other: frozenset[str], used: ModelText
    ) -> None:
        """Every observed variable of a level stands at the other too, or in the level's list."""
        mine, theirs = ("WITHIN", "BETWEEN") if level == 1 else ("BETWEEN", "WITHIN")
        listed, elsewhere = (self.within, self.between)[:: 1 if level == 1 else -1]
        for name, position in used.used:
            if name in variables.latent:
                continue
            if name in elsewhere:
                message = f"{name} stands in %{mine}% and in VARIABLE: {theirs}."
                raise error_at(used.text, position, message, hint=f"Take it out of {theirs}.")
            if name not in other and name not in listed:
                message = f"{name} stands in %{mine}% alone, and not in VARIABLE: {mine}."
                hint = f"Write {mine} = {name}; or say what it is at the other level."
                raise error_at(used.text, position, message, hint=hint)
            if name in other and name in listed:
                message = f"{name} stands at both levels, and in VARIABLE: {mine}."
                raise error_at(used.text, position, message, hint=f"Take it out of {mine}.")
