"""A structural equation model as a growth model: growth structure recognised in its paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.data.levels import level_text
from growthmm.errors import UnsupportedError
from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Assumption, Loss, NonlinearLoss
from growthmm.model.expression import quote
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
from growthmm.model.schema import Column, ColumnPart, Schema
from growthmm.model.sem import Constraint, Path, SemModel
from growthmm.model.terms import Term
from growthmm.translation.carriers import carriers
from growthmm.translation.definitions import defined_factor, losses_by_visit, losses_of_several
from growthmm.translation.direct_effects import direct_effects
from growthmm.translation.factor_reading import read_factor_covariances
from growthmm.translation.groups.growth import HINT, MESSAGE, grouped_growth
from growthmm.translation.inequalities import without_inequalities
from growthmm.translation.lagged import acting
from growthmm.translation.levels_from_sem import flattened
from growthmm.translation.loadings.basis import basis_column, no_column, whole_bases
from growthmm.translation.loadings.proportional_change import (
    Change,
    change_curves,
    change_of_several,
)
from growthmm.translation.loadings.recognised_curves import KnownCurve, estimated_loadings
from growthmm.translation.loadings.tables import loading_table
from growthmm.translation.moving_effects import moving_effects
from growthmm.translation.naming import occasion_indicator
from growthmm.translation.outcomes.bases import cell_indicator, whole_effects, whole_outcomes
from growthmm.translation.outcomes.distal import (
    among_outcomes,
    distal_factors,
    distal_outcomes,
    refuse_clusters,
    refuse_in_groups,
    with_links,
)
from growthmm.translation.reduction import Reduction, reduced
from growthmm.translation.residuals.outcomes import read_outcome_residuals
from growthmm.translation.residuals.reading import read_residuals
from growthmm.translation.states import states_last
from growthmm.translation.tied_labels import tied_labels

__all__ = ["growth_from_sem"]


def growth_from_sem(
    model: SemModel,
    schema: Schema,
    covariates: Sequence[Covariate],
    assumptions: tuple[Assumption, ...] = (),
    *,
    hints: tuple[Column, ...] = (),
    curves: tuple[KnownCurve, ...] = (),
) -> BoundSem:
    """The growth model that a structural equation model says, if it says one.

    Parameters
    ----------
    model : SemModel
        The table of paths.
    schema : Schema
        Occasions, and the outcomes' columns in the same order.
    covariates : sequence of Covariate
        What each covariate of the model is in terms of long data.
    assumptions : tuple of Assumption
        What was guessed so far.
    hints : tuple of Column
        Columns of time that the loadings may be, tried first.
    curves : tuple of KnownCurve
        Columns with parameters that estimated loadings may be, tried first.

    Returns
    -------
    BoundSem
        With the growth model and the names of its parameters.

    Raises
    ------
    UnsupportedError
        If the model is no growth model that a mixed model can say; all reasons at once.
    """
    free, notes = without_inequalities(model)
    if notes:
        given = (free, schema, covariates, (*assumptions, *notes))
        return replace(growth_from_sem(*given, hints=hints, curves=curves), model=model)
    if schema.grouping is not None and model.group_labels:

        def of_group(own: SemModel, facts: Schema) -> BoundSem:
            return growth_from_sem(own, facts, covariates, hints=hints, curves=curves)

        refuse_in_groups(schema)
        return grouped_growth(model, schema, tuple(covariates), of_group, assumptions)
    levels = flattened(model)
    plain = reduced(levels.model)
    reading = _Recognition(plain, schema, tuple(covariates), hints, curves)
    if plain.change is not None:
        reading.proportional(plain.change)
    reading.between = levels.factors
    found = reading.result(assumptions)
    if levels.outer and schema.series:
        refuse_clusters(reading.distal)
    if levels.outer:
        found = replace(
            found,
            model=model,
            growth=levels.lifted(found.growth),
            names=(*found.names, *levels.names),
        )
    if plain.model is levels.model:
        return replace(found, model=model)
    changed = dict(plain.rules)
    return replace(
        found,
        model=model,
        names=tuple((key, name) for key, name in found.names if name not in changed),
        rules=(
            *((key, changed[name]) for key, name in found.names if name in changed),
            *found.rules,
        ),
        inverse=plain.inverse,
    )


class _Recognition:
    """Walks over the rows, kind by kind, and keeps what does not fit."""

    def __init__(
        self,
        plain: Reduction,
        schema: Schema,
        covariates: tuple[Covariate, ...],
        hints: tuple[Column, ...],
        curves: tuple[KnownCurve, ...],
    ) -> None:
        self.model = model = plain.model
        self.schema = schema
        self.covariates = covariates
        self.hints = hints
        self.outcomes = schema.outcome_columns
        self.carriers = carriers(model)
        carrying = {carrier.name for carrier in self.carriers}
        self.factor_names = tuple(name for name in model.latent if name not in carrying)
        self.latent = set(self.factor_names)
        # A curve is one outcome's; estimated loadings of several are refused with the factors.
        table = {} if schema.series else self._table()
        self.estimated = estimated_loadings(model, table, schema, curves, plain.phantoms)
        self.between: frozenset[str] = frozenset()
        self.names: list[tuple[str, str]] = []
        self.rules: tuple[tuple[str, str], ...] = ()
        self.met: set[Constraint] = set()
        self.losses: list[Loss] = []
        self.distal, losses = distal_outcomes(model, schema, self.factor_names)
        self.losses += losses
        self.of_column = {one.column: one for one in self.distal}

    def _table(self) -> dict[str, dict[str, Path]]:
        """Loadings of the growth factors; carriers have estimated ones of their own."""
        return {n: rows for n, rows in loading_table(self.model).items() if n in self.factor_names}

    def result(self, assumptions: tuple[Assumption, ...]) -> BoundSem:
        self._whole()
        if not self.schema.shared_times:
            by_visit = losses_by_visit(self.model, self.schema)
            if by_visit:
                raise UnsupportedError(MESSAGE, losses=self.losses + by_visit, hint=HINT)
        if self.schema.series:
            self.losses += losses_of_several(self.model)
        factors = [*self._factors(), *distal_factors(self.distal, self.schema, self.hints)]
        if self.schema.series:
            # The order of the fixed effects: whatever outcome is written first, terms by degree.
            factors.sort(key=lambda factor: len(factor.column.parts))
        means = self._occasion_means()
        predictors, direct = self._regressions(factors)
        direct += self._moving()
        blocks = self._blocks(factors)
        residual = self._residual()
        self.losses += tied_labels(self.names)
        if self.losses:
            raise UnsupportedError(MESSAGE, losses=self.losses, hint=HINT)
        random = {name for block in blocks for name in block.factors}
        effects = {effect.factor for effect in predictors}
        used = {effect.covariate for effect in predictors} | {e.covariate for e in direct}
        used |= {f.definition for f in factors if f.definition is not None}
        factors = [
            replace(f, random=f.name in random)
            for f in factors
            if f.mean or f.name in random or f.name in effects or f.name in self.between
        ]
        whole = whole_bases(factors, blocks, predictors, self.schema)
        if self.schema.series:
            whole = whole_outcomes(whole, blocks, predictors, self.schema)
            direct = self._recoded(direct)
        growth = GrowthModel(
            schema=self.schema,
            factors=whole,
            blocks=blocks,
            covariates=tuple(c for c in self.covariates if c.name in used),
            predictor_effects=tuple(predictors),
            direct_effects=tuple(direct),
            occasion_means=tuple(means),
            residual=residual,
            estimator=self.model.estimator,
        )
        growth = states_last(growth)
        same = dict(pair for found in self.estimated.values() for pair in found.names)
        self.names += [(key, same[n]) for key, n in growth.loading_keys if n in same]
        return BoundSem(
            self.model,
            self.schema,
            self.covariates,
            growth,
            tuple(self.names),
            assumptions,
            self.rules,
        )

    def _recoded(self, direct: list[DirectEffect]) -> list[DirectEffect]:
        """Direct effects on single outcomes as a formula says them, under their new keys."""
        made = list(whole_effects(direct, self.schema))
        keys = {direct_key(a): direct_key(b) for a, b in zip(direct, made, strict=True)}
        self.names = [(keys.get(key, key), name) for key, name in self.names]
        return made

    def _lose(self, what: str, why: str, nearest: str, kind: type[Loss] = Loss) -> None:
        self.losses.append(kind(what, why, nearest))

    def proportional(self, change: Change) -> None:
        """Take loadings from coefficients of proportional change."""
        if self.schema.series:
            self.losses.append(change_of_several(change))
        else:
            self.estimated |= change_curves(change, self.schema)

    def _whole(self) -> None:
        model = self.model
        if model.n_groups > 1 or model.group_variable:
            self._lose(
                "several groups",
                "each group has parameters of its own",
                "one group, or the group as a covariate",
            )
        for name in model.outcomes:
            if name not in self.outcomes:
                self._lose(
                    name,
                    "it is an outcome that loads on no growth factor",
                    "condition on it as a covariate, or fit on the SEM side",
                )
        for path in model.paths:
            if path.definition is not None and path.op != "=~":
                self._lose(
                    f"{path.name} by data column {path.definition}",
                    "the translation covers columns of the data as loadings alone",
                    "the mixed model with that column as it is, or a product column",
                )

    def _factors(self) -> list[GrowthFactor]:
        table = loading_table(self.model)
        factors = []
        for name in self.factor_names:
            rows = table[name]
            if name in self.estimated:
                factors.append(replace(self.estimated[name].factor, mean=self._named_mean(name)))
                continue
            free = [row for row in rows.values() if row.free]
            if free:
                self._lose(
                    f"estimated loadings {', '.join(row.name for row in free)}",
                    "curves of several outcomes at once are not translated here"
                    if self.schema.series
                    else "their constraints are no curve in time that is known here",
                    "nlme, or loadings without constraints",
                    NonlinearLoss,
                )
                continue
            if any(row.definition for row in rows.values()):
                defined = defined_factor(name, rows, self.outcomes, self.covariates)
                if isinstance(defined, Loss):
                    self.losses.append(defined)
                else:
                    factors.append(replace(defined, mean=self._named_mean(name)))
                continue
            loadings = tuple(
                float(rows[y].value or 0.0) if y in rows else 0.0 for y in self.outcomes
            )
            column = basis_column(loadings, self.schema, hints=self.hints)
            if column is None:
                self.losses.append(no_column(name, loadings))
                continue
            factors.append(GrowthFactor(name, column, loadings, mean=self._named_mean(name)))
        return factors

    def _named_mean(self, name: str) -> bool:
        """Whether a factor has a mean, whose name is kept."""
        mean = self._mean(name)
        if mean:
            row = self.model.path(name, "~1")
            assert row is not None
            self.names.append((f"mean:{name}", row.parameter))
        return mean

    def _mean(self, name: str) -> bool:
        row = self.model.path(name, "~1")
        if row is None or (not row.free and row.value == 0):
            return False
        if not row.free:
            self._lose(
                f"{row.name} fixed at {row.value:g}",
                "a formula fixes no coefficient but at zero",
                "an offset, or a free mean",
            )
            return False
        return True

    def _occasion_means(self) -> list[OccasionMean]:
        means = []
        time = self.schema.time or "time"
        expression = f"C({quote(time)})"
        for j, y in enumerate(self.outcomes):
            if y not in self.of_column and self._mean(y):
                row = self.model.path(y, "~1")
                assert row is not None
                part = ColumnPart(expression, j, level_text(self.schema.occasions[j]), "full")
                column = Column(Term((expression,)), (part,))
                if self.schema.series:
                    column = cell_indicator(self.schema, j, occasion_indicator(self.schema, j))
                means.append(OccasionMean(j, column))
                self.names.append((f"occasion:{j}", row.parameter))
        growing = [y for y in self.outcomes if y not in self.of_column]
        if len({row.parameter for y in growing if (row := self._free_mean(y))}) < len(means):
            self._lose(
                "intercepts of outcomes that share a label",
                "they are no coefficients of a categorical time",
                "a growth factor with loadings 1 at those occasions",
            )
        return means

    def _free_mean(self, y: str) -> Path | None:
        row = self.model.path(y, "~1")
        return row if row is not None and row.free else None

    def _regressions(
        self, factors: Sequence[GrowthFactor]
    ) -> tuple[list[PredictorEffect], list[DirectEffect]]:
        known = {column for c in self.covariates for column in c.columns}
        predictors: list[PredictorEffect] = []
        direct: dict[str, list[tuple[int, Path]]] = {}
        carrying = {carrier.name for carrier in self.carriers}
        for path in self.model.paths:
            if path.op != "~" or path.left in carrying or path.right in self.of_column:
                continue
            if path.left in self.of_column:
                if path.right in known and path.free:
                    one, x = self.of_column[path.left], self._acting(path)
                    predictors.append(PredictorEffect(one.factor, x.name if x else ""))
                continue
            if not path.free:
                if path.value:
                    self._lose(
                        f"{path.name} fixed at {path.value:g}",
                        "a formula fixes no coefficient but at zero",
                        "a free regression",
                    )
                continue
            covariate = self._acting(path)
            if covariate is None and {path.left, path.right} <= set(self.model.latent):
                self._lose(
                    path.name,
                    "it restricts the factors' means or covariances: with it one of them is a "
                    "nonlinear function of the others, which random effects leave free",
                    "free covariances of all pairs of factors, free means, and a covariate of one "
                    "factor on those that it acts on as well",
                    NonlinearLoss,
                )
            elif covariate is None:
                self.losses.append(among_outcomes(path))
            elif path.left in self.latent:
                predictors.append(PredictorEffect(path.left, covariate.name))
                self.names.append((f"effect:{path.left}:{covariate.name}", path.parameter))
            elif path.left in self.outcomes:
                j = self.outcomes.index(path.left)
                if covariate.time_varying and covariate.columns[j] != path.right:
                    self._lose(
                        path.name,
                        "the covariate of one occasion acts at another that is not later, or "
                        "earlier, by the same number of occasions everywhere",
                        "effects of one lag, at every occasion that has such another one",
                    )
                    continue
                direct.setdefault(covariate.name, []).append((j, path))
        effects: list[DirectEffect] = []
        constant = next((f.name for f in factors if not f.column.parts), None)
        for name, found in direct.items():
            for effect in self._direct(name, found):
                same = next(c for c in self.covariates if c.name == name)
                if constant is None or same.time_varying or effect.occasion is not None:
                    effects.append(effect)
                    continue
                # The same path to every occasion is an effect on the factor that all load on.
                predictors.append(PredictorEffect(constant, name))
                at = self.names.index((direct_key(effect), found[0][1].parameter))
                self.names[at] = (f"effect:{constant}:{name}", found[0][1].parameter)
        return predictors, effects

    def _acting(self, path: Path) -> Covariate | None:
        return acting(self.covariates, path.right, path.left, self.outcomes)

    def _moving(self) -> list[DirectEffect]:
        found = moving_effects(self.carriers, self.covariates, self.schema, self.hints)
        self.losses += found.losses
        self.names += found.names
        return list(found.effects)

    def _direct(self, name: str, found: list[tuple[int, Path]]) -> list[DirectEffect]:
        covariate = next(c for c in self.covariates if c.name == name)
        read = direct_effects(covariate, found, self.model, self.schema, self.hints)
        if read is None:
            self._lose(
                f"effects of {name} of which some are equal",
                "a formula has one effect for all occasions or one for each",
                "one label for all, or none",
            )
            return []
        self.names += read.names
        self.rules += read.rules
        self.met |= set(read.constraints)
        return list(read.effects)

    def _blocks(self, factors: list[GrowthFactor]) -> tuple[FactorBlock, ...]:
        names = [factor.name for factor in factors]
        linked, made = with_links(self.model, self.distal)
        latent = self.latent | {one.factor for one in self.distal}
        found = read_factor_covariances(linked, names, latent)
        self.names += [(key, name) for key, name in found.names if name not in made]
        self.losses += found.losses
        return found.blocks

    def _residual(self) -> ResidualStructure:
        """The residual structure; what is none, and constraints left over, are lost."""
        if self.schema.series:
            found = read_outcome_residuals(
                self.model, self.schema, self.latent, set(self.of_column)
            )
        else:
            found = read_residuals(self.model, self.outcomes, self.latent, self.schema.numbers)
        self.names += found.names
        self.rules += found.expressions
        self.losses += found.losses
        curved = {c for curve in self.estimated.values() for c in curve.constraints}
        for constraint in self.model.constraints:
            if constraint not in curved | self.met and constraint not in found.constraints:
                self._lose(
                    f"{constraint.left} {constraint.op} {constraint.right}",
                    "a formula has no constraints among parameters",
                    "labels shared by all residual variances, or fixed values",
                )
        return found.structure
