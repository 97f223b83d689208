"""A mixed model's names, categorical columns and computed columns, as a program needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from growthmm.model.defaults import Loss
from growthmm.model.expression import canonical, quote, tree, variables
from growthmm.model.expression_print import r_string
from growthmm.model.expression_tree import Name
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.terms import Term
from growthmm.notation.command_languages.arithmetic import arithmetic, computed
from growthmm.notation.command_languages.effects import Monomial, monomials
from growthmm.notation.command_languages.facts import quoted_group
from growthmm.notation.command_languages.names import NameRule, Names
from growthmm.notation.formula.loss import loading_losses
from growthmm.notation.residual_columns import within

__all__ = ["Piece", "Sheet", "with_categories", "with_levels"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A variable in an effect, spelled for the program."""

    name: str
    power: int = 1
    categorical: bool = False
    reference: str | float | None = None


class Sheet:
    """What a mixed model's text needs before its effects can be written.

    Parameters
    ----------
    model : MixedModel
        The model.
    program : {"sas", "spss", "stata"}
        Whose arithmetic computes columns.
    rule : NameRule
        Whose names they are.
    copies : bool
        Whether a column can be categorical or numeric, but not both, so that one is copied.
    numeric : tuple of str
        Further columns that the text uses as numbers.

    Attributes
    ----------
    assignments : list of (str, str)
        Columns to compute, each with its arithmetic.
    references : dict of str to (str, float or None)
        Categorical columns as the program names them, in order, with the reference level.
    losses : list of Loss
        What cannot be written.
    """

    def __init__(
        self,
        model: MixedModel,
        program: str,
        rule: NameRule,
        *,
        copies: bool,
        numeric: tuple[str, ...] = (),
    ) -> None:
        self.model = model
        self.program = program
        self.copies = copies
        self.terms = [*model.fixed, *(t for block in model.random for t in block.terms)]
        self.factors = list(dict.fromkeys(f for term in self.terms for f in term.factors))
        columns = within(model)
        self.person = columns.person
        self.occasion = columns.time
        self.names = Names(rule, self._columns())
        self.assignments: list[tuple[str, str]] = []
        self.references: dict[str, str | float | None] = {}
        self.losses: list[Loss] = [*loading_losses(model), *self.names.losses]
        self._numeric = {*numeric, *self._numeric_columns()}
        self._copied: dict[str, str] = {}
        self._pieces = {factor: self._factor(factor) for factor in self.factors}
        self.response = self._response()

    def _columns(self) -> list[str]:
        found = [*variables(self.model.response)]
        found += [name for factor in self.factors for name in variables(factor)]
        for group in (*self.model.groups, *([self.person] if self.person else [])):
            found += quoted_group(group)
        if self.model.residual.by is not None:
            found.append(self.model.residual.by)
        if self.occasion is not None:
            found.append(self.occasion)
        return found

    def _numeric_columns(self) -> set[str]:
        found = {*variables(self.model.response)}
        for factor in self.factors:
            known = monomials(factor)
            if known is None or not known.categorical:
                found |= set(variables(factor))
        return found

    def categorical(self, column: str) -> str:
        """The program's name of a column that it takes as categorical."""
        name = self.names(column)
        if self.copies and column in self._numeric:
            if column not in self._copied:
                self._copied[column] = self.names.free(_stem(column))
                self.assignments.append((self._copied[column], name))
            name = self._copied[column]
        self.references.setdefault(name, None)
        return name

    def _factor(self, factor: str) -> Piece | None:
        known = monomials(factor)
        if known is not None:
            return self._monomial(factor, known)
        node = computed(factor)
        text = None if node is None else arithmetic(node, self.program, self.names)
        if text is None:
            self._lose(factor, f"{self.names.rule.title} has no such function in its commands")
            return None
        name = self.names.free("computed")
        self.assignments.append((name, text))
        return Piece(name)

    def _monomial(self, factor: str, known: Monomial) -> Piece | None:
        if not known.categorical:
            return Piece(self.names(known.name), known.power)
        name = self.categorical(known.name)
        reference: str | float | None = known.reference if known.reference is not None else ""
        before = self.references[name]
        if before is not None and before != reference:
            self._lose(factor, "one categorical column has one reference level")
        self.references[name] = reference
        return Piece(name, 1, True, known.reference)

    def _lose(self, what: str, why: str) -> None:
        self.losses.append(Loss(what, why, "a column computed before the model"))

    def _response(self) -> str:
        node = tree(self.model.response)
        if isinstance(node, Name):
            return self.names(node.name)
        inner = computed(self.model.response)
        text = None if inner is None else arithmetic(inner, self.program, self.names)
        if text is None:
            self._lose(self.model.response, f"{self.names.rule.title} has no such function")
            return "outcome"
        name = self.names.free("outcome")
        self.assignments.append((name, text))
        return name

    def pieces(self, term: Term) -> list[Piece]:
        """The variables of a term; those that cannot be written are left out."""
        found = [self._pieces[factor] for factor in term.factors]
        return [piece for piece in found if piece is not None]


def _stem(column: str) -> str:
    plain = column if column.isascii() and column.isidentifier() else "column"
    return f"{plain[:20]}_level"


def with_levels(model: MixedModel, schema: Schema | None) -> MixedModel:
    """A model in which every column that the data hold as categorical is written as such."""
    if schema is None:
        return model
    renamed: dict[str, str] = {}
    for variable in schema.variables:
        if variable.levels and schema.contrasts == "treatment":
            first = variable.levels[0]
            if isinstance(first, bool) or not isinstance(first, (str, int, float)):
                level = r_string(str(first))
            else:
                level = r_string(first) if isinstance(first, str) else repr(first)
            column = quote(variable.name)
            coded = canonical(f"C({column}, Treatment({level}))")
            renamed[column] = coded
            renamed[canonical(f"C({column})")] = coded
    return _respelled(model, renamed)


def with_categories(model: MixedModel, schema: Schema) -> MixedModel:
    """A model in which bare columns that the data hold as categorical are said to be so.

    Parameters
    ----------
    model : MixedModel
        The model as a program writes it that sees from the data what a column is.
    schema : Schema
        What the data are.

    Examples
    --------
    >>> from growthmm.model.schema import Variable
    >>> from growthmm.notation.lme4 import NOTATION
    >>> facts = Schema("id", "t", "y", variables=(Variable("sex", "person_level", ("f", "m")),))
    >>> [str(term) for term in with_categories(NOTATION.read("y ~ sex + (1 | id)"), facts).fixed]
    ['1', 'C(sex)']
    """
    renamed = {
        quote(variable.name): canonical(f"C({quote(variable.name)})")
        for variable in schema.variables
        if variable.levels and any(isinstance(level, str) for level in variable.levels)
    }
    return _respelled(model, renamed)


def _respelled(model: MixedModel, renamed: Mapping[str, str]) -> MixedModel:
    """The model with other expressions in its terms."""

    def terms(given: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(Term(tuple(renamed.get(f, f) for f in term.factors)) for term in given)

    random = tuple(replace(block, terms=terms(block.terms)) for block in model.random)
    return replace(model, fixed=terms(model.fixed), random=random)
