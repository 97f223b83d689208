"""A bound mixed model as a growth model: which column is a loading, which a covariate."""

from __future__ import annotations

from dataclasses import replace

from growthmm.data.design.names import r_name
from growthmm.errors import NotIdentifiedError, UnsupportedError
from growthmm.model.bound import BoundMixed, ParameterNames, RandomColumns, block_names
from growthmm.model.factor_pattern import Pattern, entries, renamed
from growthmm.model.growth import (
    Covariate,
    DirectEffect,
    FactorBlock,
    GrowthFactor,
    GrowthModel,
    OccasionMean,
    PredictorEffect,
    between_key,
    cov_key,
    direct_key,
    residual_keys,
)
from growthmm.model.residual import BY_LEVEL
from growthmm.model.schema import Column, ColumnPart
from growthmm.model.strata import residual_terms
from growthmm.model.terms import Term
from growthmm.notation import notation
from growthmm.translation.coding import PartKey, column_key
from growthmm.translation.definitions import grid_values
from growthmm.translation.groups.grouping import members, split_by_group
from growthmm.translation.groups.shared_blocks import apart, united
from growthmm.translation.loadings.affine import same
from growthmm.translation.loadings.curves import curve_factor, is_curve, starts_of
from growthmm.translation.mixed_losses import TIME_ROLES, mixed_losses, roles_of
from growthmm.translation.naming import NameBook, occasion_indicator
from growthmm.translation.residuals.groups import plainest, variance_names
from growthmm.translation.residuals.outcomes import plain_outcome_residual
from growthmm.translation.tabulate import tabulate

__all__ = ["growth_from_mixed"]


def growth_from_mixed(bound: BoundMixed) -> tuple[GrowthModel, ParameterNames]:
    """The growth model that a mixed model says, and the mixed names of its parameters.

    A fixed column is a product of functions of time and of covariates. The function of time is
    the loading of a growth factor; what multiplies it acts on that factor. A column that varies
    from row to row in any other way acts on the outcome directly.

    Parameters
    ----------
    bound : BoundMixed
        With time, occasions and roles in its schema.

    Returns
    -------
    model : GrowthModel
        The growth model.
    names : tuple of (str, str)
        For each parameter key the mixed model's name.

    Raises
    ------
    UnsupportedError
        If part of the model has no growth form here; all such parts at once.
    NotIdentifiedError
        If the same random effect is written twice.
    """
    losses = mixed_losses(bound)
    if losses:
        raise UnsupportedError(
            "The mixed model has parts with no growth curve form.", losses=losses
        )
    return _Assembly(bound).result()


def _product(parts: tuple[ColumnPart, ...]) -> Column:
    return Column(Term(tuple(part.expression for part in parts)), parts)


def _as_well(first: str, second: str) -> str:
    return "" if first == second else f": {first} has the same values"


class _Assembly:
    """Collects the parts of the growth model, column by column."""

    def __init__(self, bound: BoundMixed) -> None:
        self.bound = bound
        self.schema = bound.schema
        self.spell = notation(bound.model.notation).coefficient
        taken = {self.schema.person, self.schema.outcome, self.schema.time or ""}
        taken |= {self.schema.cluster or ""}
        taken |= set(self.schema.outcome_columns) | {v.name for v in self.schema.variables}
        self.book = NameBook(taken)
        self.factors: dict[tuple[ColumnPart, ...], GrowthFactor] = {}
        self.covariates: dict[frozenset[PartKey], Covariate] = {}
        self.varying: dict[tuple[ColumnPart, ...], set[int]] = {}
        self.predictors: list[PredictorEffect] = []
        self.direct: list[DirectEffect] = []
        self.means: list[OccasionMean] = []
        self.names: list[tuple[str, str]] = []
        self.strata: tuple[str, ...] = ()
        self.outer: set[str] = set()

    def result(self) -> tuple[GrowthModel, ParameterNames]:
        blocks = self._blocks()
        random_parts = {self._of_time(c)[1] for block in blocks for c in block.columns}
        fixed_names: list[tuple[str, str]] = []
        for column in self.bound.fixed:
            fixed_names.append((self._fixed(column, random_parts), self.spell(column)))
        growth_blocks = tuple(
            made for block in blocks if not block.outer for made in self._own_blocks(block)
        )
        outer_blocks = tuple(self._outer_block(block) for block in blocks if block.outer)
        residual = self.bound.model.residual
        if residual.kind in BY_LEVEL and residual.by != self.schema.indicator:
            self.strata = variance_names(residual, self.schema)
            residual = plainest(residual, self.schema)
        else:
            own = residual_terms(residual, self.schema)
            residual = plain_outcome_residual(residual, self.schema)
            keys = [parameter.key for parameter in residual_terms(residual, self.schema)]
            self.names += zip(keys, (parameter.name for parameter in own), strict=True)
        model = GrowthModel(
            schema=self.schema,
            factors=tuple(self.factors.values()),
            blocks=growth_blocks,
            covariates=tuple(self.covariates.values()),
            predictor_effects=tuple(self.predictors),
            direct_effects=tuple(self.direct),
            occasion_means=tuple(self.means),
            residual=residual,
            estimator=self.bound.model.estimator,
            outer_blocks=outer_blocks,
        )
        if self.strata:
            self.names += zip(residual_keys(model), self.strata, strict=True)
        return model, (*fixed_names, *model.loading_keys, *self.names)

    @property
    def group(self) -> str:
        return self.schema.person

    def _blocks(self) -> list[RandomColumns]:
        """Independent blocks of random effects."""
        blocks: list[RandomColumns] = []
        for block in self.bound.random:
            apart = [RandomColumns((c,), outer=block.outer) for c in block.columns]
            blocks += apart if block.diagonal else [block]
        return blocks

    def _fixed(self, column: Column, random_parts: set[tuple[ColumnPart, ...]]) -> str:
        time = self._loading(column.parts, random_parts)
        rest = tuple(p for p in column.parts if p not in time)
        roles = roles_of(rest, self.bound)
        if not roles <= {"person_level"}:
            self.direct.append(self._varying(time, rest))
            return direct_key(self.direct[-1])
        occasion = None if time in random_parts else self._single_occasion(time)
        if occasion is not None:
            if not rest:
                self.means.append(OccasionMean(occasion, _product(time)))
                return f"occasion:{occasion}"
            self.direct.append(DirectEffect(self._covariate(rest, varying=False), occasion))
            return direct_key(self.direct[-1])
        if not rest:
            factor = self._factor(time, mean=True)
            return f"mean:{factor}"
        factor = self._factor(time)
        covariate = self._covariate(rest, varying=False)
        if PredictorEffect(factor, covariate) in self.predictors:
            raise NotIdentifiedError(
                f"The effect of {self.spell(column)} is written twice.",
                parameters=(self.spell(column),),
                hint="Keep it in one term.",
            )
        self.predictors.append(PredictorEffect(factor, covariate))
        return f"effect:{factor}:{covariate}"

    def _loading(
        self, parts: tuple[ColumnPart, ...], random_parts: set[tuple[ColumnPart, ...]]
    ) -> tuple[ColumnPart, ...]:
        """The parts of a product that are a factor's loading: its functions of time.

        Or the widest random column that differs by person, where all else is of the persons.
        """
        time = tuple(p for p in parts if roles_of((p,), self.bound) <= TIME_ROLES)
        own = [
            random
            for random in random_parts
            if not roles_of(random, self.bound) <= TIME_ROLES
            and set(random) <= set(parts)
            and roles_of((p for p in parts if p not in random), self.bound) <= {"person_level"}
        ]
        return max(own, key=lambda random: (len(random), str(random)), default=time)

    def _varying(self, time: tuple[ColumnPart, ...], rest: tuple[ColumnPart, ...]) -> DirectEffect:
        """The effect of a time-varying covariate: constant, at one occasion, or moving with time.

        Where the covariate has an effect at every occasion too, one at a single occasion is an
        effect that moves: two paths cannot join the same two variables.
        """
        if time and not self.schema.shared_times:
            return DirectEffect(self._covariate((*time, *rest), varying=True))
        covariate = self._covariate(rest, varying=True)
        if not time:
            return DirectEffect(covariate)
        occasion = self._single_occasion(time)
        alone = column_key(_product(rest))
        if occasion is not None and all(column_key(c) != alone for c in self.bound.fixed):
            return DirectEffect(covariate, occasion)
        column = _product(time)
        return DirectEffect(covariate, None, column, tabulate(column, self.schema))

    def _single_occasion(self, parts: tuple[ColumnPart, ...]) -> int | None:
        """The occasion that a product of indicators picks out, or None."""
        if not self.schema.shared_times:
            return None
        if self.schema.series:
            return self._single_cell(parts)
        if len(parts) == 1 and parts[0].coding == "numeric":
            alike = (occasion_indicator(self.schema, j) for j in range(len(self.schema.occasions)))
            return next((j for j, one in enumerate(alike) if one.parts == parts), None)
        if not parts or any(part.coding == "numeric" for part in parts):
            return None
        values = tabulate(_product(parts), self.schema)
        ones = [j for j, value in enumerate(values) if value == 1.0]
        return ones[0] if len(ones) == 1 and values.count(0.0) == len(values) - 1 else None

    def _single_cell(self, parts: tuple[ColumnPart, ...]) -> int | None:
        """The one occasion of several outcomes that a product of functions of time picks out.

        An outcome with one occasion has a growth factor there, not an occasion mean.
        """
        values = tabulate(_product(parts), self.schema)
        ones = [j for j, value in enumerate(values) if value == 1.0]
        if len(ones) != 1 or values.count(0.0) != len(values) - 1:
            return None
        return ones[0] if len(self.schema.cells_of(self.schema.series[ones[0]])) > 1 else None

    def _factor(
        self,
        parts: tuple[ColumnPart, ...],
        *,
        mean: bool = False,
        random: bool = False,
        groups: tuple[int, ...] = (),
    ) -> str:
        """The growth factor of a function of time; columns with the same values share one."""
        key = self._key(parts)
        old = self.factors.get(key)
        if old is None and is_curve(parts, self.bound.model):
            wish = "s" if "s" not in self.book.taken else "f"
            model = self.bound.model
            old = curve_factor(
                self.book.fresh(wish),
                _product(parts),
                model.loading_names,
                self.schema,
                starts_of(model),
            )
        elif old is None:
            old = self._new_factor(_product(parts))
        if (mean and old.mean) or (random and self._again(key, groups)):
            raise NotIdentifiedError(
                f"The {'fixed' if mean else 'random'} effect of {self.spell(_product(parts))} is "
                f"written twice{_as_well(self.spell(old.column), self.spell(_product(parts)))}.",
                parameters=(self.spell(_product(parts)),),
                hint="Keep it in one term." if mean else "Keep it in one block.",
            )
        self.factors[key] = replace(old, mean=old.mean or mean, random=old.random or random)
        return old.name

    def _same_for_all(self, parts: tuple[ColumnPart, ...]) -> bool:
        return not parts or (self.schema.shared_times and roles_of(parts, self.bound) <= TIME_ROLES)

    def _new_factor(self, column: Column) -> GrowthFactor:
        if self._same_for_all(column.parts):
            loadings = tabulate(column, self.schema)
            name = self.book.growth_factor(loadings, self.schema, r_name(column))
            return GrowthFactor(name, column, loadings, mean=False, random=False)
        values, grid = grid_values(column, self.schema)
        name = self.book.factor(values, grid, r_name(column))
        varying = not roles_of(column.parts, self.bound) <= {"person_level"}
        definition = self._covariate(column.parts, varying=varying)
        return GrowthFactor(name, column, (), mean=False, random=False, definition=definition)

    def _again(self, key: tuple[ColumnPart, ...], groups: tuple[int, ...]) -> bool:
        """Whether the factor varies already among some of these persons."""
        grouping = self.schema.grouping
        everyone = range(1 if grouping is None else len(grouping.levels))
        acting, before = set(groups or everyone), self.varying.setdefault(key, set())
        again = bool(before & acting)
        before |= acting
        return again

    def _key(self, parts: tuple[ColumnPart, ...]) -> tuple[ColumnPart, ...]:
        """The parts of the factor that has the same loadings, or these."""
        if parts in self.factors or is_curve(parts, self.bound.model):
            return parts
        numbers = self._same_for_all(parts)
        loadings = tabulate(_product(parts), self.schema) if numbers else ()
        own = column_key(_product(parts))
        for key, factor in self.factors.items():
            if factor.cells or (factor.definition is None) != numbers:
                continue
            if column_key(factor.column) == own or (numbers and same(factor.loadings, loadings)):
                return key
        return parts

    def _covariate(self, parts: tuple[ColumnPart, ...], *, varying: bool) -> str:
        column = _product(parts)
        key = column_key(column)
        found = self.covariates.get(key)
        if found is None:
            # Groups last, as the way back from a structural equation model has them.
            own, rest = split_by_group(parts, self.schema.grouping)
            shown = r_name(_product((*rest, *own)))
            name, columns = self.book.covariate(column, self.schema, shown, varying)
            found = Covariate(name, column, varying, columns)
            self.covariates[key] = found
        return found.name

    def _of_time(self, column: Column) -> tuple[tuple[int, ...], tuple[ColumnPart, ...]]:
        """The groups that a random effect acts in, empty for all, and its function of time."""
        own, rest = split_by_group(column.parts, self.schema.grouping)
        return (members(own, self.schema) or () if own else ()), rest

    def _own_blocks(self, block: RandomColumns) -> tuple[FactorBlock, ...]:
        """The block, or those of several groups of which it is made."""
        acting = [self._of_time(column)[0] for column in block.columns]
        if len(set(acting)) == 1 or not block.pattern:
            return (self._block(block),)
        factors = [
            self._factor(self._of_time(column)[1], random=True, groups=groups)
            for column, groups in zip(block.columns, acting, strict=True)
        ]
        everyone = len(self.schema.grouping.levels) if self.schema.grouping else 1
        blocks, keys = united(apart(factors, block.pattern, acting), everyone)
        shown = self._shown(block, block.pattern, self.group)
        self.names += [(key, shown[own]) for key, own in keys]
        return blocks

    def _block(self, block: RandomColumns) -> FactorBlock:
        groups = self._of_time(block.columns[0])[0]
        factors = tuple(
            self._factor(self._of_time(column)[1], random=True, groups=groups)
            for column in block.columns
        )
        made = FactorBlock(factors, groups=groups)
        if block.pattern:
            keys: dict[str, str] = {}
            for a, b, cell in entries(block.pattern):
                if isinstance(cell, str):
                    keys.setdefault(cell, cov_key(factors[a], factors[b]))
            made = FactorBlock(factors, renamed(block.pattern, keys), groups)
        self._name(block, made, self.group)
        return made

    def _outer_block(self, block: RandomColumns) -> FactorBlock:
        """Growth factors in which clusters differ."""
        factors = tuple(self._factor(column.parts) for column in block.columns)
        twice = [f for f in factors if f in self.outer or factors.count(f) > 1]
        if twice:
            raise NotIdentifiedError(
                f"The random effect of {self.schema.cluster} on {twice[0]} is written twice.",
                parameters=(twice[0],),
                hint="Keep it in one block.",
            )
        self.outer.update(factors)
        keys: dict[str, str] = {}
        cells = block.pattern or FactorBlock(factors).cells
        for a, b, cell in entries(cells):
            if isinstance(cell, str):
                keys.setdefault(cell, between_key(factors[a], factors[b]))
        made = FactorBlock(factors, renamed(cells, keys))
        self._name(block, made, self.schema.cluster or "")
        return made

    def _name(self, block: RandomColumns, made: FactorBlock, group: str) -> None:
        self.names += self._shown(block, made.cells, group).items()

    def _shown(self, block: RandomColumns, cells: Pattern, group: str) -> dict[str, str]:
        """The mixed model's name of each parameter of a block's covariance matrix."""
        effects = [self.spell(column) for column in block.columns]
        mixed = block_names(block, cells, effects, group, self.schema)
        pairs = zip(entries(cells), entries(mixed), strict=True)
        return {key: str(name) for (_, _, key), (_, _, name) in pairs if isinstance(key, str)}
