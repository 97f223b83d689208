"""What the statements of a PROC CALIS step say, gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.sem import Constraint
from growthmm.notation.command_languages.sem import Cell, Row
from growthmm.notation.command_languages.tokens import Token, error_at
from growthmm.notation.sas.statements import Procedure, Statement

__all__ = ["Draft"]


@dataclass
class Draft:
    """What the statements say, so far.

    Parameters
    ----------
    procedure : Procedure
        The step.
    seen : dict of str to str
        First spelling of each name, by lower-case name.
    labels : dict of str to str
        First spelling of each parameter's name.
    rows : list of Row
        The parameters, as written.
    explained : set of str
        Variables with arrows to them.
    keys : set of tuple
        What the rows are about.
    order : dict of str to None
        Variables in the order of their rows.
    errors : dict of str to str
        Error terms, and the variable of each.
    latent_hint : set of str
        Variables that are latent because of their error's name.
    listed : list of str, optional
        Variables of VAR.
    constraints, bounds
        LINCON and BOUNDS.
    missing, likelihood
        As in :class:`growthmm.model.sem.SemModel`.
    defaults : list of Default
        What SAS fills in.
    data : str, optional
        The data set.
    lineqs : bool
        Whether there are equations.
    """

    procedure: Procedure
    seen: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)
    keys: set[tuple[str, str, str]] = field(default_factory=set)
    order: dict[str, None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    latent_hint: set[str] = field(default_factory=set)
    listed: list[str] | None = None
    constraints: list[Constraint] = field(default_factory=list)
    bounds: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    missing: Literal["listwise", "ml"] = "listwise"
    likelihood: Literal["normal", "wishart"] = "wishart"
    defaults: list[Default] = field(default_factory=list)
    data: str | None = None
    lineqs: bool = False

    def parsed(self, rule: str, statement: Statement) -> Any:
        """A statement as the grammar's rule has it."""
        return self.procedure.parsed(rule, statement)

    def variable(self, token: Token) -> str:
        """A variable's name in its first spelling, and before it was shortened."""
        full = self.procedure.longer.get(token.text.lower(), token.text)
        return self.seen.setdefault(token.text.lower(), full)

    def label(self, text: str) -> str:
        """A parameter's name in its first spelling, and before it was shortened."""
        full = self.procedure.longer.get(text.lower(), text)
        return self.labels.setdefault(text.lower(), full)

    def labelled(self, cell: Cell) -> Cell:
        """A parameter with its name in the first spelling."""
        return cell if cell.label is None else replace(cell, label=self.label(cell.label))

    def fail(
        self,
        message: str,
        where: Token | int,
        hint: str | None = None,
        expected: Sequence[str] = (),
    ) -> NotationError:
        """An error at a token."""
        return error_at(self.procedure.text, where, message, expected, hint=hint)

    def add(self, op: str, left: str, right: str, cell: Cell, token: Token) -> None:
        """A row; variables are known in the order of their rows."""
        row = Row(op, left, right, cell, token.position)
        if op == "->" and left == right:
            raise self.fail(f"{left} cannot explain itself", token)
        if row.key in self.keys:
            shown = f"{left} {op} {right}".strip()
            raise self.fail(f"{shown} is written twice", token, "Keep one of the two.")
        self.order.update(dict.fromkeys(name for name in (left, right) if name))
        self.keys.add(row.key)
        if op == "->":
            self.explained.add(right)
        self.rows.append(row)
