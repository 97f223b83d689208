"""A growth model as a mixed model: its terms, blocks and columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice, permutations, product

from growthmm.data.design.binding import bind_columns
from growthmm.data.design.names import r_name
from growthmm.data.levels import level_text
from growthmm.errors import NotationError, UnsupportedError
from growthmm.model.bound import BoundMixed, RandomColumns, block_names
from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, tree
from growthmm.model.expression_tree import Call
from growthmm.model.factor_pattern import entries, pattern_kind
from growthmm.model.growth import Covariate, FactorBlock, GrowthModel, direct_key, residual_keys
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, ColumnPart, Schema, Variable
from growthmm.model.strata import residual_terms
from growthmm.model.terms import Term
from growthmm.notation import notation
from growthmm.translation.coding import column_key
from growthmm.translation.groups.grouping import indicator, multiplied
from growthmm.translation.groups.shared_blocks import joined, whole_pattern
from growthmm.translation.loadings.curves import loading_parameters
from growthmm.translation.naming import occasion_indicator
from growthmm.translation.outcomes.bases import cell_indicator
from growthmm.translation.residuals.groups import variance_names
from growthmm.translation.states import is_of_states, state_block

__all__ = ["mixed_from_growth"]


def mixed_from_growth(
    growth: GrowthModel, *, spelling: str = "lme4"
) -> tuple[BoundMixed, tuple[tuple[str, str], ...]]:
    """Write a growth model as a mixed model.

    Parameters
    ----------
    growth : GrowthModel
        The growth model.
    spelling : str
        The mixed notation whose coefficient names are used.

    Returns
    -------
    bound : BoundMixed
        The mixed model with its columns.
    names : tuple of (str, str)
        For each growth parameter key the mixed model's name.

    Raises
    ------
    UnsupportedError
        If no formula says part of the model; all such parts at once.
    """
    return _Formula(growth, spelling).result()


NESTS = ("nlme", "stata", "statsmodels")
"""Notations in which a grouping factor is written within the one that holds it."""

ORDERS = 120
"""How many orders of the terms are tried."""

MESSAGE = "No mixed-model formula says parts of this model."


@dataclass
class _Formula:
    growth: GrowthModel
    spelling: str
    columns: list[tuple[str, Column]] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    def result(self) -> tuple[BoundMixed, tuple[tuple[str, str], ...]]:
        growth = self.growth
        self._means()
        self._occasions()
        self._effects()
        if self.losses:
            raise UnsupportedError(MESSAGE, losses=self.losses)
        schema = _with_categorical_time(growth.schema)
        ordered = _that_says(_in_order(self.columns), schema)
        terms = tuple(dict.fromkeys(column.term for _, column in ordered))
        spell = notation(self.spelling).coefficient
        names = [(key, spell(column)) for key, column in ordered]
        blocks, random = [], []
        person, cluster = growth.schema.person, growth.schema.cluster or ""
        grouped: list[tuple[tuple[FactorBlock, ...], str]] = []
        grouped += [((block,), cluster) for block in growth.outer_blocks]
        grouped += [(together, person) for together in joined(growth)]
        nested = bool(growth.outer_blocks) and self.spelling in NESTS
        within = ":".join(map(quote, (cluster, person))) if nested else quote(person)
        for together, group in grouped:
            columns = tuple(self._varying(n, block) for block in together for n in block.factors)
            block = together[0]
            if len(together) > 1:
                block, columns = _as_one(together, columns)
            states = is_of_states(block, growth)
            blocks.append(
                state_block(growth.schema)
                if states
                else _random_block(block, columns, quote(group) if group == cluster else within)
            )
            pattern = block.pattern
            if pattern and pattern_kind(pattern) == "unstructured":
                pattern = ()
            made = RandomColumns(columns, pattern=pattern, outer=group == cluster, states=states)
            random.append(made)
            effects = [spell(column) for column in columns]
            named = block_names(made, block.cells, effects, group, growth.schema)
            pairs = zip(entries(block.cells), entries(named), strict=True)
            found = {str(key): str(n) for (_, _, key), (_, _, n) in pairs if isinstance(key, str)}
            names += found.items()
        names += growth.loading_keys
        if growth.residual_by_group and growth.schema.grouping is not None:
            strata = variance_names(growth.residual, growth.schema)
            names += zip(residual_keys(growth), strata, strict=True)
        else:
            own = residual_terms(growth.residual, growth.schema)
            names += [(parameter.key, parameter.name) for parameter in own]
        model = MixedModel(
            response=_response(growth.schema.outcome),
            fixed=terms,
            random=tuple(blocks),
            residual=_placed(growth.residual, growth.schema),
            estimator=growth.estimator,
            loading_parameters=loading_parameters(growth),
            notation=self.spelling,
        )
        bound = BoundMixed(model, schema, tuple(column for _, column in ordered), tuple(random))
        losses = _unsaid(bound)
        if losses:
            raise UnsupportedError(MESSAGE, losses=losses)
        return bound, tuple(names)

    def _varying(self, factor: str, block: FactorBlock) -> Column:
        """The column of a random effect: the loading, in the block's groups alone."""
        column = self.growth.factor(factor).column
        grouping = self.growth.schema.grouping
        if not block.groups or grouping is None:
            return column
        return multiplied(indicator(block.groups, grouping), column)

    def _means(self) -> None:
        for factor in self.growth.factors:
            if factor.mean:
                self.columns.append((f"mean:{factor.name}", factor.column))

    def _time_indicator(self, occasion: int, coding: str) -> ColumnPart:
        schema = self.growth.schema
        times = schema.occasions
        time = schema.time or "time"
        expression = f"C({quote(time)})"
        index = occasion if coding == "full" else occasion - 1
        return ColumnPart(expression, index, level_text(times[occasion]), coding)  # type: ignore[arg-type]

    def _indicator(self, occasion: int) -> Column:
        """A numeric indicator of one occasion, of several outcomes times the outcome's own."""
        schema = self.growth.schema
        at_time = occasion_indicator(schema, occasion)
        return cell_indicator(schema, occasion, at_time) if schema.series else at_time

    def _occasions(self) -> None:
        """Free means at occasions: a categorical time, with or without an intercept."""
        growth = self.growth
        if not growth.occasion_means:
            return
        n = len(growth.schema.occasions)
        free = {mean.occasion for mean in growth.occasion_means}
        constant = any(f.mean and not f.column.parts for f in growth.factors)
        others = [f.name for f in growth.factors if f.mean and f.column.parts]
        if growth.schema.series:
            coding = "numeric"
        elif free == set(range(1, n)) and constant and not others:
            coding = "contrast"
        elif free == set(range(n)) and not any(f.mean for f in growth.factors):
            coding = "full"
        else:
            coding = "numeric"
        if coding == "numeric":
            for occasion in sorted(free):
                self.columns.append((f"occasion:{occasion}", self._indicator(occasion)))
            return
        for mean in sorted(growth.occasion_means, key=lambda m: m.occasion):
            part = self._time_indicator(mean.occasion, coding)
            column = Column(Term((part.expression,)), (part,))
            self.columns.append((f"occasion:{mean.occasion}", column))

    def _effects(self) -> None:
        for effect in self.growth.predictor_effects:
            column = self.growth.factor(effect.factor).column
            covariate = self.growth.covariate(effect.covariate).column
            product = _product(covariate, column)
            self.columns.append((f"effect:{effect.factor}:{effect.covariate}", product))
        single: dict[str, list[int]] = {}
        for direct in self.growth.direct_effects:
            covariate_of = self.growth.covariate(direct.covariate)
            if direct.occasion is None:
                column = covariate_of.column
                if direct.column is not None:
                    column = _product(column, direct.column)
                self.columns.append((direct_key(direct), column))
            else:
                single.setdefault(direct.covariate, []).append(direct.occasion)
        for name, occasions in single.items():
            self._by_occasion(self.growth.covariate(name), occasions)

    def _by_occasion(self, covariate: Covariate, occasions: list[int]) -> None:
        n = len(self.growth.schema.occasions)
        main = any(
            effect.covariate == covariate.name
            and not self.growth.factor(effect.factor).column.parts
            for effect in self.growth.predictor_effects
        )
        wanted = set(range(1, n)) if main else set(range(n))
        if set(occasions) != wanted or self.growth.schema.series:
            for occasion in sorted(occasions):
                key = f"direct:{covariate.name}@{occasion}"
                product = _product(covariate.column, self._indicator(occasion))
                self.columns.append((key, product))
            return
        for occasion in sorted(occasions):
            part = self._time_indicator(occasion, "contrast" if main else "full")
            column = Column(Term((part.expression,)), (part,))
            key = f"direct:{covariate.name}@{occasion}"
            self.columns.append((key, _product(covariate.column, column)))


def _as_one(
    blocks: tuple[FactorBlock, ...], columns: tuple[Column, ...]
) -> tuple[FactorBlock, tuple[Column, ...]]:
    """Blocks of several groups that share parameters as one, in the order that R gives terms."""
    pattern = whole_pattern(blocks)
    factors = [name for block in blocks for name in block.factors]
    order = sorted(range(len(columns)), key=lambda k: len(columns[k].parts))
    whole = tuple(tuple(pattern[a][b] for b in order) for a in order)
    return FactorBlock(tuple(factors[k] for k in order), whole), tuple(columns[k] for k in order)


def _random_block(block: FactorBlock, columns: tuple[Column, ...], group: str) -> RandomBlock:
    terms = tuple(dict.fromkeys(column.term for column in columns))
    if not block.pattern:
        return RandomBlock(terms, group)
    kind = pattern_kind(block.pattern)
    return RandomBlock(terms, group, kind, block.pattern if kind == "patterned" else ())


def _placed(residual: ResidualStructure, schema: Schema) -> ResidualStructure:
    """The structure with its columns named."""
    person = (
        None if residual.kind in ("common", "by_occasion", "by_group") else quote(schema.person)
    )
    return replace(residual, time=schema.time, person=person)


def _response(outcome: str) -> str:
    """The outcome as an expression: a column's name, or the function that a formula computes."""
    try:
        node = tree(outcome)
    except NotationError:
        return quote(outcome)
    return outcome if isinstance(node, Call) and node.function != "C" else quote(outcome)


def _product(first: Column, second: Column) -> Column:
    """The product of two columns, time's part first."""
    return Column(Term((*second.term.factors, *first.term.factors)), (*second.parts, *first.parts))


def _in_order(columns: list[tuple[str, Column]]) -> list[tuple[str, Column]]:
    """Columns as R lists them: terms by degree, their factors in order of first appearance."""
    by_degree = sorted(columns, key=lambda kc: len(kc[1].parts))
    factors = dict.fromkeys(p.expression for _, column in by_degree for p in column.parts)
    place = {expression: at for at, expression in enumerate(factors)}
    arranged = []
    for key, column in by_degree:
        parts = tuple(sorted(column.parts, key=lambda part: place[part.expression]))
        arranged.append((key, Column(Term(tuple(part.expression for part in parts)), parts)))
    first: dict[Term, int] = {}
    for at, (_, column) in enumerate(arranged):
        first.setdefault(column.term, at)
    return sorted(arranged, key=lambda kc: (len(kc[1].parts), first[kc[1].term]))


def _that_says(columns: list[tuple[str, Column]], schema: Schema) -> list[tuple[str, Column]]:
    """The columns in an order of terms whose coding is the one that is meant.

    Whether a factor has all its levels or all but one depends on the terms before its own
    (Chambers & Hastie 1992, Statistical Models in S, section 2.4.1), so among terms of one degree
    other orders are tried.
    """
    by_term: dict[Term, list[tuple[str, Column]]] = {}
    for key, column in columns:
        by_term.setdefault(column.term, []).append((key, column))
    degrees: dict[int, list[Term]] = {}
    for term in by_term:
        degrees.setdefault(len(term.factors), []).append(term)
    wanted = Counter(column_key(column) for _, column in columns)
    orders = product(*(permutations(terms) for terms in degrees.values()))
    for order in islice(orders, ORDERS):
        terms = [term for same in order for term in same]
        said = bind_columns(terms, None, known=schema).columns
        if Counter(column_key(column) for column in said) == wanted:
            return [pair for term in terms for pair in by_term[term]]
    return columns


def _unsaid(bound: BoundMixed) -> list[Loss]:
    """What the formula, bound again, has more or less than the columns that are meant."""
    losses = []
    groups = [(bound.model.fixed, bound.fixed, "fixed effects")]
    groups += [
        (block.terms, columns.columns, "random effects")
        for block, columns in zip(bound.model.random, bound.random, strict=True)
        if not columns.states
    ]
    for terms, meant, kind in groups:
        again = bind_columns(terms, None, known=bound.schema).columns
        wanted = Counter(column_key(column) for column in meant)
        said = Counter(column_key(column) for column in again)
        if wanted == said:
            continue
        extra = [r_name(c) for c in again if column_key(c) not in wanted]
        lacking = [r_name(c) for c in meant if column_key(c) not in said]
        twice = [r_name(c) for c in meant if wanted[column_key(c)] > 1]
        about = [
            *(f"{name} is not in the model, and the formula would add it" for name in extra),
            *(f"{name} stands for itself in no formula" for name in lacking),
            *(f"{name} would be there twice" for name in dict.fromkeys(twice)),
        ]
        losses.append(
            Loss(
                f"{kind} {', '.join(dict.fromkeys(str(column.term) for column in meant))}",
                "; ".join(about),
                "effects of all columns of a factor, or a numeric data column for each",
            )
        )
    return losses


def _with_categorical_time(schema: Schema) -> Schema:
    """The schema, with time known as a variable so that its levels can be indicators."""
    if schema.time is None or schema.variable(schema.time) is not None:
        return schema
    return replace(schema, variables=(Variable(schema.time, "time"), *schema.variables))
