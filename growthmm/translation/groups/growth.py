"""A growth curve of several groups as one growth model: what the groups share, and what not.

Each group's rows say an ordinary growth model. A coefficient that differs between groups is the
first group's, and an effect of the group on top; a block of random effects that differs is a block
of its own for each group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from growthmm.data.design.names import r_name
from growthmm.data.levels import level_text
from growthmm.errors import UnsupportedError
from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Assumption, Loss
from growthmm.model.factor_pattern import renamed
from growthmm.model.growth import (
    Covariate,
    DirectEffect,
    FactorBlock,
    GrowthFactor,
    GrowthModel,
    OccasionMean,
    PredictorEffect,
    direct_key,
)
from growthmm.model.residual import ResidualStructure
from growthmm.model.schema import Column, Grouping, Schema
from growthmm.model.sem import Constraint, SemModel
from growthmm.translation.coding import column_key
from growthmm.translation.groups.grouping import (
    contrast_columns,
    group_names,
    indicator,
    multiplied,
    weighed,
)
from growthmm.translation.groups.shared_blocks import GroupBlock, united
from growthmm.translation.groups.tied_groups import tied_groups
from growthmm.translation.naming import NameBook, occasion_indicator
from growthmm.translation.outcomes.group_distal import following_names, label_losses, shown_names
from growthmm.translation.residuals.groupwise import (
    GroupOfResiduals,
    residual_matrix_of,
    united_residuals,
)
from growthmm.translation.tabulate import at_occasions, tabulate
from growthmm.translation.tied_labels import described

__all__ = ["group_schema", "grouped_growth", "model_of_group"]

HINT = "growthmm fit still fits it on the SEM side."

MESSAGE = "The structural equation model is no growth model that a mixed model can say."


def model_of_group(model: SemModel, group: int) -> SemModel:
    """The rows of one group as a model of its own; each keeps the name of its parameter.

    Constraints among its own parameters are kept.
    """
    paths = tuple(
        replace(path, group=0, label=path.parameter if path.free else path.label)
        for path in model.paths
        if path.group == group
    )
    own = {path.parameter for path in paths if path.free}
    constraints = tuple(c for c in model.constraints if _parameters(c, model) <= own)
    return replace(
        model,
        paths=paths,
        constraints=constraints,
        n_groups=1,
        group_variable=None,
        group_labels=(),
    )


def _parameters(constraint: Constraint, model: SemModel) -> set[str]:
    words = set(re.findall(r"[^\W\d][\w.]*", f"{constraint.left} {constraint.right}"))
    return words & set(model.free_parameters)


def group_schema(schema: Schema, group: int) -> Schema:
    """The facts of one group's data: its own occasions, where groups have different ones."""
    grouping = schema.grouping
    assert grouping is not None
    if not grouping.columns:
        return replace(schema, grouping=None)
    columns = grouping.columns[group]
    occasions = tuple(time for _, time in columns)
    return replace(
        schema,
        grouping=None,
        outcome_columns=tuple(name for name, _ in columns),
        occasions=occasions,
        constants=at_occasions(schema, occasions),
    )


def grouped_growth(
    model: SemModel,
    schema: Schema,
    covariates: tuple[Covariate, ...],
    single: Callable[[SemModel, Schema], BoundSem],
    assumptions: tuple[Assumption, ...],
) -> BoundSem:
    """The growth model that a model of several groups says.

    Parameters
    ----------
    model : SemModel
        With the labels of its groups.
    schema : Schema
        Of all groups, with the grouping.
    covariates : tuple of Covariate
        What the model's covariates are in terms of long data.
    single : callable
        What recognises the growth model of one group, from its rows and its facts.
    assumptions : tuple of Assumption
        What was guessed so far.

    Returns
    -------
    BoundSem
        With the growth model, the names of its parameters and the rules for differences.

    Raises
    ------
    UnsupportedError
        If a group has no growth model, or groups differ in ways that no mixed model says; all
        reasons at once.
    """
    bound: list[BoundSem] = []
    losses: dict[str, Loss] = {}
    assert schema.grouping is not None
    for column in dict.fromkeys(p.definition for p in model.paths if p.definition is not None):
        if schema.grouping.columns or not schema.shared_times:
            why = "the translation of such groups covers times that all persons share"
            nearest = "one group, with the column"
            losses[column] = Loss(f"data column {column} as a path", why, nearest)
    for group in range(model.n_groups):
        try:
            bound.append(single(model_of_group(model, group), group_schema(schema, group)))
        except UnsupportedError as error:
            for loss in cast("tuple[Loss, ...]", error.losses):
                losses.setdefault(re.sub(r"\.g\d+", "", loss.what), loss)
    if losses:
        raise UnsupportedError(MESSAGE, losses=list(losses.values()), hint=HINT)
    return _Union(tuple(bound), model, schema, covariates).result(assumptions)


@dataclass
class _Union:
    bound: tuple[BoundSem, ...]
    model: SemModel
    schema: Schema
    given: tuple[Covariate, ...]
    losses: list[Loss] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    covariates: list[Covariate] = field(default_factory=list)
    met: list[Constraint] = field(default_factory=list)

    def __post_init__(self) -> None:
        grouping = self.grouping
        levels = [level_text(level) for level in grouping.levels]
        self.level_of = [levels.index(name) for name in group_names(grouping)]
        follow = [following_names(b) for b in self.bound]
        self.texts = {mark: text for _, texts in follow for mark, text in texts.items()}
        self.own = [
            {self._whole(key, b.schema): name for key, name in b.names} | names
            for b, (names, _) in zip(self.bound, follow, strict=True)
        ]
        names = [n for c in self.given for n in (c.name, *c.columns)]
        taken = {*names, *self.model.latent, *self.model.outcomes, *self.schema.outcome_columns}
        taken |= {v.name for v in self.schema.variables}
        taken |= {self.schema.person, self.schema.outcome, self.schema.time or ""}
        self.book = NameBook(taken)
        self.covariates = list(self.given)

    @property
    def grouping(self) -> Grouping:
        assert self.schema.grouping is not None
        return self.schema.grouping

    def result(self, assumptions: tuple[Assumption, ...]) -> BoundSem:
        self.losses += label_losses(self.bound)
        factors = self._factors()
        self._labels()
        shared = [key for key in self.own[0] if key.startswith("loading:")]
        self.names += [(key, self.own[0][key]) for key in shared]
        predictors, direct, means = self._coefficients(factors)
        self._constraints()
        blocks = self._blocks()
        residual = self._residual()
        if self.losses:
            raise UnsupportedError(MESSAGE, losses=self.losses, hint=HINT)
        constant = {key.removeprefix("mean:") for key, _ in self.names if key.startswith("mean:")}
        random = {name for block in blocks for name in block.factors}
        used = {e.covariate for e in predictors} | {e.covariate for e in direct}
        used |= {factor.definition for factor in factors if factor.definition is not None}
        growth = GrowthModel(
            schema=self.schema,
            factors=tuple(
                replace(f, mean=f.name in constant, random=f.name in random) for f in factors
            ),
            blocks=blocks,
            covariates=tuple(c for c in self.covariates if c.name in used),
            predictor_effects=tuple(predictors),
            direct_effects=tuple(direct),
            occasion_means=tuple(means),
            residual=residual,
            estimator=self.model.estimator,
        )
        own = set(self.model.free_parameters)
        names = shown_names(self.names, self.texts)
        return BoundSem(
            self.model,
            self.schema,
            self.given,
            growth,
            tuple(pair for pair in names if pair[1] in own),
            assumptions,
            tuple(pair for pair in names if pair[1] not in own),
            tuple(dict.fromkeys(pair for b in self.bound for pair in b.inverse)),
        )

    def _lose(self, what: str, why: str, nearest: str) -> None:
        self.losses.append(Loss(what, why, nearest))

    def _constraints(self) -> None:
        """Constraints that neither a group meets by itself nor a coefficient of the groups."""
        for constraint in self.model.constraints:
            known = (*self.met, *(own for b in self.bound for own in b.model.constraints))
            if constraint not in known:
                self._lose(
                    f"{constraint.left} {constraint.op} {constraint.right}",
                    "a formula has no constraints among parameters of different groups",
                    "labels shared by groups, or fixed values",
                )

    def _factors(self) -> list[GrowthFactor]:
        """The growth factors of all groups; one name is one function of time."""
        found: dict[str, GrowthFactor] = {}
        for b in self.bound:
            for factor in b.growth.factors:
                old = found.get(factor.name)
                if factor.cells and self.grouping.columns:
                    self._lose(
                        f"estimated loadings of {factor.name} in groups with times of their own",
                        "the parameters stand at other times in each group",
                        "one group with a column for each time",
                    )
                elif factor.cells:
                    if found.setdefault(factor.name, factor).cells != factor.cells:
                        self._lose(
                            f"estimated loadings of {factor.name} that differ between groups",
                            "a random effect is one function of time for everyone",
                            "the same labels in all groups",
                        )
                elif old is None and factor.definition is not None:
                    found[factor.name] = factor
                elif old is None:
                    loadings = tabulate(factor.column, self.schema)
                    found[factor.name] = replace(factor, loadings=loadings)
                elif column_key(old.column) != column_key(factor.column):
                    self._lose(
                        f"loadings of {factor.name} that are {old.column.term} in one group and "
                        f"{factor.column.term} in another",
                        "a random effect is one function of time for everyone",
                        "a factor of its own for each group",
                    )
        # Behind them outcomes that persons have once, which are no latent variables.
        latent = self.model.latent
        order = {name: at for at, name in enumerate((*latent, *(set(found) - set(latent))))}
        made = sorted(found.values(), key=lambda factor: order[factor.name])
        return sorted(made, key=lambda f: len(f.column.parts)) if len(found) > len(latent) else made

    def _labels(self) -> None:
        """One label on different parameters of different groups."""
        keys: dict[str, set[str]] = {}
        for names in self.own:
            for key, name in names.items():
                keys.setdefault(name, set()).add(key)
        for name, found in keys.items():
            kinds = {key.partition(":")[0] for key in found}
            # (Co)variances may be equal in any way; where groups have times of their own, the
            # translation covers variances of one time.
            alike = kinds == {"cov"} or (kinds == {"residual"} and not self.grouping.columns)
            if len(found) > 1 and not alike:
                self._lose(
                    f"the label {name} on several parameters",
                    f"it makes {' and '.join(map(described, sorted(found)))} equal in different "
                    "groups; a formula has no equal coefficients, and groups share one parameter "
                    "each",
                    "parameters without the label, or growthmm fit on the SEM side",
                )

    def _coefficients(
        self, factors: Sequence[GrowthFactor]
    ) -> tuple[list[PredictorEffect], list[DirectEffect], list[OccasionMean]]:
        predictors: list[PredictorEffect] = []
        direct: list[DirectEffect] = []
        means: list[OccasionMean] = []
        for factor in factors:
            key = f"mean:{factor.name}"
            for column, name in self._spread(key, [own.get(key) for own in self.own]):
                covariate = self._covariate(None, column)
                predictors.append(PredictorEffect(factor.name, covariate))
                self.names.append((f"effect:{factor.name}:{covariate}", name))
        for effect in dict.fromkeys(e for b in self.bound for e in b.growth.predictor_effects):
            key = f"effect:{effect.factor}:{effect.covariate}"
            base = len(self.names)
            extra = self._spread(key, [own.get(key) for own in self.own])
            if len(self.names) > base:
                predictors.append(effect)
            for column, name in extra:
                covariate = self._covariate(effect.covariate, column)
                predictors.append(PredictorEffect(effect.factor, covariate))
                self.names.append((f"effect:{effect.factor}:{covariate}", name))
        for j, time in enumerate(self.schema.occasions):
            names = [own.get(f"occasion:{j}") for own in self.own]
            if any(names):
                shown = next(name for name in names if name)
                there = [time in b.schema.occasions for b in self.bound]
                # A group that was not there then has no mean of its own.
                names = [n if seen else shown for n, seen in zip(names, there, strict=True)]
                base = len(self.names)
                extra = self._spread(f"occasion:{j}", names)
                if len(self.names) > base:
                    means.append(self._occasion_mean(j))
                for column, name in extra:
                    direct.append(DirectEffect(self._covariate(None, column), j))
                    self.names.append((direct_key(direct[-1]), name))
        for one in dict.fromkeys(e for b in self.bound for e in b.growth.direct_effects):
            key = direct_key(one)
            if self.grouping.columns:
                self._lose(
                    f"effects of {one.covariate} on the outcome in groups with occasions of their "
                    "own",
                    "the columns of a time-varying covariate stand for other times in each group",
                    "one group with a column for each time",
                )
                continue
            base = len(self.names)
            extra = self._spread(key, [own.get(key) for own in self.own])
            if len(self.names) > base:
                direct.append(one)
            for column, name in extra:
                direct.append(replace(one, covariate=self._covariate(one.covariate, column)))
                self.names.append((direct_key(direct[-1]), name))
        return predictors, direct, means

    def _occasion_mean(self, j: int) -> OccasionMean:
        same = (m for b in self.bound for m in b.growth.occasion_means if m.occasion == j)
        whole = None if self.grouping.columns else next(same, None)
        return whole or OccasionMean(j, occasion_indicator(self.schema, j))

    def _whole(self, key: str, own: Schema) -> str:
        """A key of one group with the occasion's place among those of all groups."""
        if not self.grouping.columns:
            return key
        head, at, number = key.rpartition("@" if key.startswith("direct") else ":")
        if head not in ("occasion", "residual") and not (key.startswith("direct") and at):
            return key
        return f"{head}{at}{self.schema.occasions.index(own.occasions[int(number)])}"

    def _spread(self, key: str, names: Sequence[str | None]) -> list[tuple[Column, str]]:
        """A coefficient's columns of groups beside the one for everyone, with their parameters.

        Parameters
        ----------
        key : str
            Of the coefficient for everyone, whose name is kept where there is one.
        names : sequence of (str or None)
            The parameter in each group, None where the coefficient is zero.
        """
        by_level = dict(sorted(zip(self.level_of, names, strict=True)))
        tied = tied_groups(by_level, self.model)
        if tied is not None:
            self.met += tied.constraints
            return [(weighed(values, self.grouping), name) for name, values in tied.columns]
        classes: dict[str | None, list[int]] = {}
        for level in range(len(by_level)):
            classes.setdefault(by_level[level], []).append(level)
        if None in classes:
            present = [(n, levels) for n, levels in classes.items() if n is not None]
            return [(indicator(levels, self.grouping), name) for name, levels in present]
        (first, _), *others = classes.items()
        assert first is not None
        self.names.append((key, first))
        alone = all(len(levels) == 1 for levels in classes.values())
        contrasts = contrast_columns(self.grouping)
        return [
            (
                contrasts[levels[0] - 1] if alone else indicator(levels, self.grouping),
                f"{name} - {first}",
            )
            for name, levels in others
        ]

    def _covariate(self, name: str | None, column: Column) -> str:
        """The covariate that an indicator of groups, or its product with a covariate, is."""
        varying = False
        if name is not None:
            base = next(c for c in self.covariates if c.name == name)
            column, varying = multiplied(base.column, column), base.time_varying
        key = column_key(column)
        found = next((c for c in self.covariates if column_key(c.column) == key), None)
        if found is None:
            made, columns = self.book.covariate(column, self.schema, r_name(column), varying)
            found = Covariate(made, column, varying, columns)
            self.covariates.append(found)
        return found.name

    def _blocks(self) -> tuple[FactorBlock, ...]:
        """Blocks that all groups share, and those of some."""
        found = [
            GroupBlock(block.factors, renamed(block.cells, self.own[g]), (self.level_of[g],))
            for g, b in enumerate(self.bound)
            for block in b.growth.blocks
        ]
        blocks, names = united(found, len(self.level_of))
        self.names += names
        return blocks

    def _residual(self) -> ResidualStructure:
        groups = [
            GroupOfResiduals(
                level,
                b.growth.residual,
                {k: n for k, n in own.items() if k.split(":")[0] == "residual"},
                b.rules,
                residual_matrix_of(b),
            )
            for level, own, b in zip(self.level_of, self.own, self.bound, strict=True)
        ]
        found = united_residuals(groups, self.schema)
        self.names += found.names
        self.losses += found.losses
        return found.structure
