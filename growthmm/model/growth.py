"""The canonical growth model, in which both families meet. It exists only bound.

For person i and occasion j::

    y_ij  = sum_k loadings[j, k] eta_ik + sum_c direct effects of covariates + e_ij
    eta_i = factor_means + predictor_effects x_i + zeta_i,   zeta_i ~ N(0, factor_cov)
    e_i   ~ N(0, residual_cov)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from growthmm.model.factor_pattern import (
    Pattern,
    entries,
    parameters_of,
    pattern_kind,
    renamed,
)
from growthmm.model.groupwise import groupwise_parameters
from growthmm.model.mixed import Estimator
from growthmm.model.residual import BY_LEVEL, COMMON, ResidualStructure
from growthmm.model.residual_parameters import ResidualParameter
from growthmm.model.schema import Column, Schema
from growthmm.model.shared_strata import cell_classes
from growthmm.model.strata import residual_terms, stratum_text
from growthmm.rendering import Brief

__all__ = [
    "Covariate",
    "DirectEffect",
    "FactorBlock",
    "GrowthFactor",
    "GrowthModel",
    "OccasionMean",
    "PredictorEffect",
    "between_key",
    "cov_key",
    "direct_key",
    "in_groups",
    "parameter_keys",
    "residual_cells",
    "residual_classes",
    "residual_keys",
]


@dataclass(frozen=True, slots=True)
class GrowthFactor:
    """A growth factor: a function of time with a mean, a variance, or both.

    Parameters
    ----------
    name : str
        Its name on the SEM side (``i``, ``s``, ``q``).
    column : Column
        How a formula says its loading: a product of functions of time alone.
    loadings : tuple of float
        The loading at each occasion; empty where loadings differ from person to person.
    mean : bool
        Whether its mean (a fixed effect) is estimated; otherwise it is zero.
    random : bool
        Whether persons differ in it.
    cells : tuple of (float or str)
        The loading at each shared occasion where parameters stand among them: a number, the name
        of a parameter, or arithmetic over parameters. `loadings` are then the values at the
        parameters' starts. Empty where all loadings are fixed.
    parameters : tuple of str
        The parameters in `cells`.
    starts : tuple of float
        Where a search for them may begin. Takes no part in comparison.
    definition : str, optional
        The covariate whose values are the loadings, person by person, where they differ: a
        function of individually varying times, a time-varying covariate with a random slope.
    """

    name: str
    column: Column
    loadings: tuple[float, ...]
    mean: bool = True
    random: bool = True
    cells: tuple[float | str, ...] = ()
    parameters: tuple[str, ...] = ()
    definition: str | None = None
    starts: tuple[float, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Covariate:
    """A numeric covariate column, as the SEM sees it.

    Parameters
    ----------
    name : str
        Its name on the SEM side (``sexmale``, ``lib_hours``), for a time-varying one the stem.
    column : Column
        How a formula says it.
    time_varying : bool
        Whether it has a value for each occasion.
    columns : tuple of str
        Wide column names: one for each occasion where time-varying, else just the name. Empty at
        the occasions at which a lagged covariate has no other value and no effect.
    """

    name: str
    column: Column
    time_varying: bool
    columns: tuple[str, ...]

    @property
    def shifted(self) -> bool:
        """Whether its values are those of other occasions."""
        return "" in self.columns


@dataclass(frozen=True, slots=True)
class PredictorEffect:
    """Effect of a person-level covariate on a growth factor (a cross-level interaction)."""

    factor: str
    covariate: str


@dataclass(frozen=True, slots=True)
class DirectEffect:
    """Effect of a covariate on the outcome, not through a growth factor.

    Parameters
    ----------
    covariate : str
        The covariate's name.
    occasion : int, optional
        The one occasion (from 0) it acts at; None for the same effect at every occasion.
    column : Column, optional
        The function of time that multiplies an effect which moves with time.
    loadings : tuple of float
        That function at the occasions; empty where the effect does not move.
    """

    covariate: str
    occasion: int | None = None
    column: Column | None = None
    loadings: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class OccasionMean:
    """A free mean of the outcome at one occasion (from 0): an indicator of a categorical time.

    Parameters
    ----------
    occasion : int
        Which occasion.
    column : Column
        How a formula says the indicator.
    """

    occasion: int
    column: Column


@dataclass(frozen=True, slots=True)
class FactorBlock:
    """Growth factors that vary together, and not with others.

    Parameters
    ----------
    factors : tuple of str
        Their names.
    pattern : tuple of tuple of (str or float)
        The covariance matrix where entries are equal or held: parameter keys, of the first entry
        that holds the parameter, and numbers. Empty where all are free. Where groups share some
        entries of their blocks and not others, keys name the groups too (``cov:i:i@0+2``).
    groups : tuple of int
        The groups, positions among the levels of the schema's grouping, whose persons vary in
        this way; empty for everyone.
    """

    factors: tuple[str, ...]
    pattern: Pattern = ()
    groups: tuple[int, ...] = ()

    @property
    def cells(self) -> Pattern:
        """The whole symmetric matrix, of parameter keys and numbers."""
        order = {name: at for at, name in enumerate(self.factors)}
        whole = self.pattern or tuple(
            tuple(cov_key(*sorted((a, b), key=order.__getitem__)) for b in self.factors)
            for a in self.factors
        )
        if not self.groups or self.shares:
            return whole
        return renamed(whole, {key: in_groups(key, self.groups) for key in parameters_of(whole)})

    @property
    def shares(self) -> bool:
        """Whether some entries are those of another block, of other groups.

        The keys in `pattern` then say in which groups a parameter stands.
        """
        return any("@" in key for key in parameters_of(self.pattern))

    @property
    def alone(self) -> FactorBlock:
        """The block as one of everyone, its parameters nowhere else.

        Examples
        --------
        >>> FactorBlock(("i",), (("cov:i:i@0+1",),), (0,)).alone
        FactorBlock(factors=('i',), pattern=(), groups=())
        """
        if not self.shares:
            return FactorBlock(self.factors, self.pattern)
        keys: dict[str, str] = {}
        for a, b, cell in entries(self.pattern):
            if isinstance(cell, str):
                keys.setdefault(cell, cov_key(self.factors[a], self.factors[b]))
        own = renamed(self.pattern, keys)
        return FactorBlock(self.factors, () if pattern_kind(own) == "unstructured" else own)


@dataclass(frozen=True, repr=False)
class GrowthModel(Brief):
    """A growth model, bound to a schema, in neither family's words.

    Parameters
    ----------
    schema : Schema
        What the data are.
    factors : tuple of GrowthFactor
        Growth factors, in the order of the fixed effects.
    blocks : tuple of FactorBlock
        Which random factors covary.
    covariates : tuple of Covariate
        Every covariate that acts.
    predictor_effects : tuple of PredictorEffect
        Effects on growth factors.
    direct_effects : tuple of DirectEffect
        Effects on the outcome.
    occasion_means : tuple of OccasionMean
        Free means at single occasions.
    residual : ResidualStructure
        Covariance of the residuals.
    estimator : {"ml", "reml"}
        How it is to be estimated.
    outer_blocks : tuple of FactorBlock
        Which growth factors clusters of persons differ in, with the persons' own deviations from
        their cluster in `blocks`; every covariance matrix written out.
    """

    schema: Schema
    factors: tuple[GrowthFactor, ...]
    blocks: tuple[FactorBlock, ...]
    covariates: tuple[Covariate, ...] = ()
    predictor_effects: tuple[PredictorEffect, ...] = ()
    direct_effects: tuple[DirectEffect, ...] = ()
    occasion_means: tuple[OccasionMean, ...] = ()
    residual: ResidualStructure = COMMON
    estimator: Estimator = "ml"
    outer_blocks: tuple[FactorBlock, ...] = ()

    def factor(self, name: str) -> GrowthFactor:
        """The growth factor called `name`."""
        return next(f for f in self.factors if f.name == name)

    def covariate(self, name: str) -> Covariate:
        """The covariate called `name`."""
        return next(c for c in self.covariates if c.name == name)

    @property
    def loading_keys(self) -> tuple[tuple[str, str], ...]:
        """Keys of the parameters within loadings, each with the parameter's name.

        A free loading's is ``loading:s:2``, its occasion last; that of a parameter of a curve
        ``loading:s:g``.
        """
        found: dict[str, str] = {}
        for factor in self.factors:
            for name in factor.parameters:
                place = factor.cells.index(name) if name in factor.cells else name
                found.setdefault(name, f"loading:{factor.name}:{place}")
        return tuple((key, name) for name, key in found.items())

    @property
    def random_factors(self) -> tuple[GrowthFactor, ...]:
        """Growth factors in which persons differ, in the order of the blocks."""
        names = dict.fromkeys(name for block in self.blocks for name in block.factors)
        return tuple(self.factor(name) for name in names)

    @property
    def by_group(self) -> bool:
        """Whether covariances or residual variances differ between groups of persons."""
        return self.residual_by_group or any(block.groups for block in self.blocks)

    @property
    def residual_by_group(self) -> bool:
        """Whether residual (co)variances differ between groups of persons, not outcomes."""
        if self.residual.kind not in BY_LEVEL:
            return False
        return not self.schema.series or self.residual.by != self.schema.indicator


def cov_key(first: str, second: str) -> str:
    """Key of the (co)variance of two growth factors."""
    return f"cov:{first}:{second}"


def in_groups(key: str, groups: Sequence[int]) -> str:
    """Key of a (co)variance among the persons of some groups.

    Examples
    --------
    >>> in_groups("cov:i:s", (0, 2)), in_groups("cov:i:s", ())
    ('cov:i:s@0+2', 'cov:i:s')
    """
    return key + ("@" + "+".join(map(str, groups)) if groups else "")


def between_key(first: str, second: str) -> str:
    """Key of the (co)variance of two growth factors among clusters."""
    return f"between:{first}:{second}"


def parameter_keys(model: GrowthModel) -> tuple[str, ...]:
    """Keys of the free parameters: means and effects, factor (co)variances, residuals.

    The keys are ``mean:i``, ``effect:i:sexmale``, ``occasion:2``, ``direct:lib_hours``,
    ``direct:x@2``, ``direct:x*t`` (moving with time), ``loading:s:2``, ``cov:i:s``, ``cov:i:s@0``
    (of the first group), ``between:i:s`` for clusters, and those of
    :func:`~growthmm.model.residual_parameters.residual_parameters` and :func:`residual_keys`.
    """
    keys = [f"mean:{f.name}" for f in model.factors if f.mean]
    keys += [f"effect:{e.factor}:{e.covariate}" for e in model.predictor_effects]
    keys += [f"occasion:{m.occasion}" for m in model.occasion_means]
    keys += [direct_key(effect) for effect in model.direct_effects]
    keys += [key for key, _ in model.loading_keys]
    for block in (*model.blocks, *model.outer_blocks):
        keys += parameters_of(block.cells)
    keys += residual_keys(model)
    # What blocks of several groups share is one parameter.
    return tuple(dict.fromkeys(keys))


def residual_keys(model: GrowthModel) -> tuple[str, ...]:
    """Keys of the parameters of the residuals.

    A variance that several groups share goes by the first of them; of a structure of its own in
    each group keys name the groups, as those of (co)variances do (``residual:rho@0+2``).
    """
    classes = residual_classes(model)
    if classes:
        return tuple(p.key for _, own in classes for p in own)
    if model.residual_by_group and model.schema.grouping is not None:
        return tuple(dict.fromkeys(residual_cells(model)))
    return tuple(p.key for p in residual_terms(model.residual, model.schema))


def residual_classes(
    model: GrowthModel,
) -> tuple[tuple[tuple[int, ...], tuple[ResidualParameter, ...]], ...]:
    """Groups, and the parameters of the residuals that they have for themselves.

    Nothing unless the residuals have a structure of its own in each group.
    """
    grouping = model.schema.grouping
    if model.residual.kind != "groupwise" or grouping is None:
        return ()
    levels = tuple(map(stratum_text, grouping.levels))
    found = groupwise_parameters(model.residual, levels, model.schema.numbers)
    return tuple((each.groups, each.parameters) for each in found)


def residual_cells(model: GrowthModel) -> tuple[str, ...]:
    """For each group, or each group at every occasion, the key of its residual variance."""
    assert model.schema.grouping is not None
    levels = tuple(map(stratum_text, model.schema.grouping.levels))
    groups, times = range(len(levels)), range(len(model.schema.occasions))
    keys = [f"residual:{g}" for g in groups]
    if model.residual.crossed:
        keys = [f"residual:{g}:{j}" for g in groups for j in times]
    classes = cell_classes(model.residual, levels, model.schema.occasions)
    return tuple(keys[classes.index(own)] for own in classes)


def direct_key(effect: DirectEffect) -> str:
    """Key of a direct effect."""
    if effect.column is not None:
        return f"direct:{effect.covariate}*{effect.column.term}" + "".join(
            f"[{part.label}]" for part in effect.column.parts if part.label
        )
    if effect.occasion is None:
        return f"direct:{effect.covariate}"
    return f"direct:{effect.covariate}@{effect.occasion}"
