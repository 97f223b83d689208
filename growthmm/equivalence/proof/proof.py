"""The proof itself: moments of both forms, the parameter map, and a difference of zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from growthmm.equivalence.correspondence import Correspondence
from growthmm.equivalence.proof.mixed_form import mixed_mean, mixed_parts
from growthmm.equivalence.proof.sem_form import sem_moments, sem_parts, traced_covariance
from growthmm.equivalence.proof.symbols import Parts, read_expression, sem_symbols, symbol
from growthmm.errors import EngineNotInstalledError, UnsupportedError
from growthmm.model.sem import SemModel
from growthmm.rendering import render
from growthmm.translation.pair import Pair

if TYPE_CHECKING:
    import sympy

__all__ = ["CovarianceBlock", "Proof", "prove"]


@dataclass(frozen=True)
class CovarianceBlock:
    """One covariance matrix in both forms' symbols.

    Parameters
    ----------
    title : str
        Whose; empty where there is one level of persons.
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
        What the SEM's equality constraints put in place of parameters.
    mixed_mean, sem_mean : Matrix
        Means, each in its own parameters.
    mean_difference : Matrix
        Mixed less SEM, with the map applied; simplified.
    blocks : tuple of CovarianceBlock
        Covariances: of the outcomes, or of persons within clusters and of clusters.
    """

    outcomes: tuple[str, ...]
    mapping: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    constraints: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    mixed_mean: sympy.Matrix
    sem_mean: sympy.Matrix
    mean_difference: sympy.Matrix
    blocks: tuple[CovarianceBlock, ...]

    @property
    def mixed_cov(self) -> sympy.Matrix:
        """The mixed model's covariance matrix (of persons within clusters)."""
        return self.blocks[0].mixed.whole

    @property
    def sem_cov(self) -> sympy.Matrix:
        """The SEM's covariance matrix (of persons within clusters)."""
        return self.blocks[0].sem.whole

    @property
    def traced_cov(self) -> sympy.Matrix:
        """The same by tracing paths."""
        return self.blocks[0].traced

    @property
    def cov_difference(self) -> sympy.Matrix:
        """Mixed less SEM, with the map applied; simplified (of persons within clusters)."""
        return self.blocks[0].difference

    @property
    def traced_difference(self) -> sympy.Matrix:
        """Matrices less paths; simplified (of persons within clusters)."""
        return self.blocks[0].traced_difference

    @property
    def holds(self) -> bool:
        """Whether every difference is zero."""
        found = [self.mean_difference]
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
        return f"<Proof {said}: {n} means, {many} variances and covariances>"

    def _repr_html_(self) -> str:
        return self.to_html()


def prove(pair: Pair, link: Correspondence) -> Proof:
    """Derive both forms' moments and simplify their difference.

    Parameters
    ----------
    pair : Pair
        The two forms.
    link : Correspondence
        Their parameters' names.

    Raises
    ------
    UnsupportedError
        If loadings or covariances depend on parameters or groups, or a rule of the parameter map
        is no arithmetic.
    EngineNotInstalledError
        If sympy is absent.
    """
    try:
        import sympy
    except ImportError:
        raise EngineNotInstalledError(
            "The proof needs sympy, which is not installed.", hint='pip install "growthmm[report]"'
        ) from None
    _check(pair)
    model = pair.sem.model
    known = sem_symbols(model)
    mapping = _mapping(pair, known)
    held = _constraints(model, known)

    def zero(ours: sympy.Matrix, theirs: sympy.Matrix) -> sympy.Matrix:
        left = ours.subs(dict(mapping), simultaneous=True)
        right = theirs
        for _ in held:
            left, right = left.subs(dict(held)), right.subs(dict(held))
        return _each(left - right, _simplified)

    def block(level: int) -> CovarianceBlock:
        ours, theirs = mixed_parts(pair, link, level), sem_parts(model, level)
        traced = traced_covariance(model, level)
        apart = _each(theirs.whole - traced, sympy.expand)
        title = _title(pair, level)
        return CovarianceBlock(title, ours, theirs, traced, zero(ours.whole, theirs.whole), apart)

    mean, sem_mean = mixed_mean(pair, link), sem_moments(model)[0]
    blocks = tuple(block(level) for level in range(1, model.n_levels + 1))
    return Proof(model.outcomes, mapping, held, mean, sem_mean, zero(mean, sem_mean), blocks)


def _title(pair: Pair, level: int) -> str:
    clusters = pair.mixed.model.random[0].group if pair.growth.outer_blocks else ""
    if not clusters:
        return ""
    return f"between {clusters}" if level == 2 else f"within {clusters}"


def _each(matrix: sympy.Matrix, make: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Matrix:
    """The function of every entry, taken once where a symmetric matrix has it twice."""
    made = matrix.copy()
    for j in range(matrix.rows):
        for k in range(matrix.cols):
            twin = k > j and matrix.is_square and matrix[j, k] == matrix[k, j]
            if not twin:
                made[j, k] = make(matrix[j, k])
    for j in range(matrix.rows):
        for k in range(j + 1, matrix.cols):
            if matrix.is_square and matrix[j, k] == matrix[k, j]:
                made[j, k] = made[k, j]
    return made


def _simplified(entry: sympy.Expr) -> sympy.Expr:
    import sympy

    short = sympy.expand(entry)
    return short if short == 0 else sympy.simplify(short)


def _check(pair: Pair) -> None:
    growth = pair.growth
    why = ""
    if growth.loading_keys:
        why = "loadings depend on parameters, and the model is no linear mixed model"
    elif growth.by_group or pair.sem.model.n_groups > 1:
        why = "covariances differ between groups"
    if why:
        raise UnsupportedError(
            f"There is no proof in symbols here: {why}.",
            hint="Levels 2 and 3 of verify show the same with numbers.",
        )


def _mapping(
    pair: Pair, known: dict[str, sympy.Symbol]
) -> tuple[tuple[sympy.Symbol, sympy.Expr], ...]:
    same, rules = dict(pair.sem.names), dict(pair.sem.rules)
    made = []
    for key, name in pair.mixed_names:
        if key in same and same[key] in known:
            made.append((symbol(name), known[same[key]]))
        elif key in rules:
            made.append((symbol(name), read_expression(rules[key], known)))
        else:
            raise UnsupportedError(
                f"The parameter map has no rule for {name} that is arithmetic.",
                hint="Levels 2 and 3 of verify show the same with numbers.",
            )
    return tuple(made)


def _constraints(
    model: SemModel, known: dict[str, sympy.Symbol]
) -> tuple[tuple[sympy.Symbol, sympy.Expr], ...]:
    made = []
    for constraint in model.constraints:
        if constraint.op != "==":
            continue
        if constraint.left not in known:
            raise UnsupportedError(
                f"The constraint {constraint.left} == {constraint.right} names no parameter.",
                hint="Write the parameter that it determines on the left.",
            )
        made.append((known[constraint.left], read_expression(constraint.right, known)))
    return tuple(made)
