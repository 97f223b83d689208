"""The proof itself: moments of both forms, the parameter map, and a difference of zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from growthmm.equivalence.correspondence import Correspondence
from growthmm.equivalence.proof.mixed_form import curved_effects, mixed_mean, mixed_parts
from growthmm.equivalence.proof.relations import constraints, parameter_mapping
from growthmm.equivalence.proof.residual_form import positive_covariances
from growthmm.equivalence.proof.sem_form import sem_moments, sem_parts, traced_covariance
from growthmm.equivalence.proof.simplifying import Zero, each_entry
from growthmm.equivalence.proof.strata import Stratum, strata
from growthmm.equivalence.proof.symbols import Parts, sem_symbols
from growthmm.errors import EngineNotInstalledError
from growthmm.rendering import Brief, render
from growthmm.translation.pair import Pair

if TYPE_CHECKING:
    import sympy

__all__ = ["CovarianceBlock", "MeanBlock", "Proof", "prove"]


@dataclass(frozen=True, repr=False)
class MeanBlock(Brief):
    """One group's means in both forms' symbols.

    Parameters
    ----------
    title : str
        Whose; empty where there is one group.
    mixed, sem : Matrix
        Either side's, (n_times, 1), each in its own parameters.
    difference : Matrix
        Mixed less SEM, with the map applied; simplified.
    """

    title: str
    mixed: sympy.Matrix
    sem: sympy.Matrix
    difference: sympy.Matrix


@dataclass(frozen=True, repr=False)
class CovarianceBlock(Brief):
    """One covariance matrix in both forms' symbols.

    Parameters
    ----------
    title : str
        Whose; empty where there is one group and one level of persons.
    mixed, sem : Parts
        Either side's, as a product of design (loadings) and covariances, and a residual.
    traced : Matrix
        The SEM's by tracing paths, independently of `sem`.
    difference, traced_difference : Matrix
        Mixed less SEM, with the map applied, and matrices less paths; simplified.
    """

    title: str
    mixed: Parts
    sem: Parts
    traced: sympy.Matrix
    difference: sympy.Matrix
    traced_difference: sympy.Matrix


@dataclass(frozen=True)
class Proof:
    """That both forms imply the same means and covariances, in symbols.

    Parameters
    ----------
    outcomes : tuple of str
        The outcomes, in order.
    mapping : tuple of (Symbol, Expr)
        Each mixed-model parameter, and what it is of the SEM's.
    constraints : tuple of (Symbol, Expr)
        What the SEM's equality constraints put in place of parameters, and the defined parameters
        that stand in them.
    means : tuple of MeanBlock
        Means, of each group.
    blocks : tuple of CovarianceBlock
        Covariances: of the outcomes in each group, or of persons within clusters and of clusters.
    positive : tuple of Symbol
        Covariances of the SEM that are taken to be positive: the correlation of occasions that are
        no whole number of time units apart has a value only then.
    """

    outcomes: tuple[str, ...]
    mapping: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    constraints: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    means: tuple[MeanBlock, ...]
    blocks: tuple[CovarianceBlock, ...]
    positive: tuple[sympy.Symbol, ...] = ()

    @property
    def mixed_mean(self) -> sympy.Matrix:
        """The mixed model's means (of the first group)."""
        return self.means[0].mixed

    @property
    def sem_mean(self) -> sympy.Matrix:
        """The SEM's means (of the first group)."""
        return self.means[0].sem

    @property
    def mean_difference(self) -> sympy.Matrix:
        """Mixed less SEM, with the map applied; simplified (of the first group)."""
        return self.means[0].difference

    @property
    def mixed_cov(self) -> sympy.Matrix:
        """The mixed model's covariance matrix (of the first block)."""
        return self.blocks[0].mixed.whole

    @property
    def sem_cov(self) -> sympy.Matrix:
        """The SEM's covariance matrix (of the first block)."""
        return self.blocks[0].sem.whole

    @property
    def traced_cov(self) -> sympy.Matrix:
        """The same by tracing paths (of the first block)."""
        return self.blocks[0].traced

    @property
    def cov_difference(self) -> sympy.Matrix:
        """Mixed less SEM, with the map applied; simplified (of the first block)."""
        return self.blocks[0].difference

    @property
    def traced_difference(self) -> sympy.Matrix:
        """Matrices less paths; simplified (of the first block)."""
        return self.blocks[0].traced_difference

    @property
    def holds(self) -> bool:
        """Whether every difference is zero."""
        found = [m.difference for m in self.means]
        found += [m for b in self.blocks for m in (b.difference, b.traced_difference)]
        return all(matrix.is_zero_matrix is True for matrix in found)

    def to_text(self) -> str:
        """The proof as text."""
        return str(render("proof.text", self))

    def to_latex(self) -> str:
        """The proof as LaTeX, for a document that loads amsmath."""
        return str(render("proof.latex", self))

    def to_html(self) -> str:
        """The proof as HTML, with formulas in MathML."""
        return str(render("proof.html", self))

    def __repr__(self) -> str:
        n = len(self.outcomes)
        said = "holds" if self.holds else "fails"
        many = len(self.blocks) * n * (n + 1) // 2
        means = len(self.means) * n
        return f"<Proof {said}: {means} means, {many} variances and covariances>"

    def _repr_html_(self) -> str:
        return self.to_html()


def prove(pair: Pair, link: Correspondence) -> Proof:
    """Derive both forms' moments and simplify their difference.

    Groups of persons whose parameters differ have means and a covariance matrix each; parameters
    within loadings stand as symbols.

    Parameters
    ----------
    pair : Pair
        The two forms.
    link : Correspondence
        Their parameters' names.

    Raises
    ------
    UnsupportedError
        If a design column, a residual structure, a rule of the parameter map or a constraint has
        no symbols, the paths form a cycle, or sympy does not get a difference to zero that is zero
        in numbers.
    EngineNotInstalledError
        If sympy is absent.
    """
    try:
        import sympy
    except ImportError:
        raise EngineNotInstalledError(
            "The proof needs sympy, which is not installed.", hint='pip install "growthmm[report]"'
        ) from None
    model = pair.sem.model
    mapping = parameter_mapping(pair, curved_effects(pair, link))
    held = constraints(model)
    known = sem_symbols(model)
    positive = tuple(known[name] for name in positive_covariances(pair))
    zero = Zero(mapping, held, positive)

    def block(stratum: Stratum, level: int) -> CovarianceBlock:
        columns = [model.outcomes.index(y) for y in stratum.outcomes]
        ours = mixed_parts(pair, link, stratum, level)
        theirs = _of_outcomes(sem_parts(model, level, stratum.group), columns)
        traced = traced_covariance(model, level, stratum.group).extract(columns, columns)
        whole = theirs.whole
        apart = each_entry(whole - traced, sympy.expand)
        title = stratum.title or _title(pair, level)
        return CovarianceBlock(title, ours, theirs, traced, zero(ours.whole, whole), apart)

    def mean(stratum: Stratum) -> MeanBlock:
        ours = mixed_mean(pair, link, stratum)
        theirs, _ = sem_moments(model, stratum.group)
        own = theirs.extract([model.outcomes.index(y) for y in stratum.outcomes], [0])
        return MeanBlock(stratum.title, ours, own, zero(ours, own))

    groups = strata(pair)
    blocks = tuple(block(one, level) for one in groups for level in range(1, model.n_levels + 1))
    means = tuple(map(mean, groups))
    return Proof(groups[0].outcomes, mapping, held, means, blocks, positive)


def _of_outcomes(parts: Parts, columns: list[int]) -> Parts:
    """The same of some outcomes, in their order."""
    every = list(range(parts.design.cols))
    return Parts(
        parts.design.extract(columns, every),
        parts.covariance,
        parts.residual.extract(columns, columns),
    )


def _title(pair: Pair, level: int) -> str:
    clusters = pair.mixed.model.random[0].group if pair.growth.outer_blocks else ""
    if not clusters:
        return ""
    return f"between {clusters}" if level == 2 else f"within {clusters}"
