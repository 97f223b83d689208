"""The proof itself: moments of both forms, the parameter map, and a difference of zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from growthmm.equivalence.correspondence import Correspondence
from growthmm.equivalence.proof.mixed_form import mixed_covariance, mixed_mean
from growthmm.equivalence.proof.sem_form import sem_moments, traced_covariance
from growthmm.equivalence.proof.symbols import read_expression, sem_symbols, symbol
from growthmm.errors import EngineNotInstalledError, UnsupportedError
from growthmm.model.sem import SemModel
from growthmm.rendering import render
from growthmm.translation.pair import Pair

if TYPE_CHECKING:
    import sympy

__all__ = ["Proof", "prove"]


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
    mixed_mean, mixed_cov : Matrix
        Moments of the mixed model in its own parameters.
    sem_mean, sem_cov : Matrix
        Moments of the SEM in its own parameters.
    traced_cov : Matrix
        The SEM's covariance matrix by tracing paths, independently of `sem_cov`.
    mean_difference, cov_difference, traced_difference : Matrix
        Mixed less SEM, with the map applied, and matrices less paths; simplified.
    """

    outcomes: tuple[str, ...]
    mapping: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    constraints: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    mixed_mean: sympy.Matrix
    mixed_cov: sympy.Matrix
    sem_mean: sympy.Matrix
    sem_cov: sympy.Matrix
    traced_cov: sympy.Matrix
    mean_difference: sympy.Matrix
    cov_difference: sympy.Matrix
    traced_difference: sympy.Matrix

    @property
    def holds(self) -> bool:
        """Whether every difference is zero."""
        found = (self.mean_difference, self.cov_difference, self.traced_difference)
        return all(matrix.is_zero_matrix is True for matrix in found)

    def to_text(self) -> str:
        """The proof as text."""
        return str(render("proof.text", self))

    def to_latex(self) -> str:
        """The proof as LaTeX, for a document that loads amsmath."""
        return str(render("proof.latex", self))

    def to_html(self) -> str:
        """The proof as HTML."""
        return str(render("proof.html", self))

    def __repr__(self) -> str:
        n = len(self.outcomes)
        said = "holds" if self.holds else "fails"
        return f"<Proof {said}: {n} means, {n * (n + 1) // 2} variances and covariances>"

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
        If occasions differ from person to person, loadings or covariances depend on parameters
        or groups, or a rule of the parameter map is no arithmetic.
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
    mean, covariance = mixed_mean(pair, link), mixed_covariance(pair, link)
    sem_mean, sem_covariance = sem_moments(model)
    traced = traced_covariance(model)

    def zero(ours: sympy.Matrix, theirs: sympy.Matrix) -> sympy.Matrix:
        left = ours.subs(dict(mapping), simultaneous=True)
        right = theirs
        for _ in held:
            left, right = left.subs(dict(held)), right.subs(dict(held))
        return (left - right).applyfunc(_simplified)

    return Proof(
        model.outcomes,
        mapping,
        held,
        mean,
        covariance,
        sem_mean,
        sem_covariance,
        traced,
        zero(mean, sem_mean),
        zero(covariance, sem_covariance),
        (sem_covariance - traced).applyfunc(sympy.expand),
    )


def _simplified(entry: sympy.Expr) -> sympy.Expr:
    import sympy

    short = sympy.expand(entry)
    return short if short == 0 else sympy.simplify(short)


def _check(pair: Pair) -> None:
    growth = pair.growth
    why = ""
    if not growth.schema.shared_times or any(f.definition for f in growth.factors):
        why = "occasions or loadings differ from person to person"
    elif growth.schema.outcomes:
        why = "there are several outcomes"
    elif growth.loading_keys:
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
