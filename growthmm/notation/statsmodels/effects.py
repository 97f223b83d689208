"""Random blocks as statsmodels says them: one correlated block and variance components."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.model.defaults import Loss
from growthmm.model.expression import tree, variables
from growthmm.model.expression_tree import Call, Name, Node, Operation
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.terms import Term

__all__ = ["Component", "Effects", "plan"]

_PER_GROUP = ("C", "poly", "scale", "bs", "ns", "cr")


@dataclass(frozen=True, slots=True)
class Component:
    """One variance component: ``term`` over the levels of ``within`` inside each group."""

    name: str
    term: Term
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Effects:
    """The random effects of a call of ``mixedlm()``.

    Parameters
    ----------
    groups : str or None
        The column of groups; None where there are no random effects.
    correlated : tuple of Term
        ``re_formula``; empty where there is none.
    components : tuple of Component
        ``vc_formula``.
    losses : tuple of Loss
        What does not fit into these.
    """

    groups: str | None
    correlated: tuple[Term, ...]
    components: tuple[Component, ...]
    losses: tuple[Loss, ...]


def plan(model: MixedModel) -> Effects:
    """Split the blocks of a model into ``re_formula`` and ``vc_formula``.

    Parameters
    ----------
    model : MixedModel
        A mixed model.

    Returns
    -------
    Effects
        With losses for what MixedLM cannot say.
    """
    if not model.random:
        loss = Loss("no random effects", "MixedLM needs groups", "smf.ols() or smf.gls()")
        return Effects(None, (), (), (loss,))
    paths = [_path(tree(block.group)) for block in model.random]
    top = next((p[0] for p in paths if p), None)
    losses = [
        Loss(
            f"random effects over {block.group}",
            f"MixedLM has one grouping column, {top}, and levels within it",
            "lme4, which has crossed factors",
        )
        for block, path in zip(model.random, paths, strict=True)
        if not path or path[0] != top
    ]
    usable = [
        (block, path)
        for block, path in zip(model.random, paths, strict=True)
        if path and path[0] == top
    ]
    correlated = _correlated(usable)
    components: list[Component] = []
    for block, path in usable:
        if block is correlated:
            continue
        if len(block.terms) > 1 and block.covariance == "unstructured":
            losses.append(
                Loss(
                    f"covariances of the random effects ({_shown(block)})",
                    "MixedLM has one correlated block (re_formula); others are variance components",
                    "lme4",
                )
            )
        for term in block.terms:
            per_group = [f for f in term.factors if _is_per_group(f)]
            if per_group:
                losses.append(
                    Loss(
                        f"the variance component of {term} | {block.group}",
                        f"MixedLM evaluates {per_group[0]} within each group, with one variance "
                        "for all its columns",
                        "lme4, or numeric columns computed before the model",
                    )
                )
            components.append(Component(_name(term, path, components), term, path[1:]))
    groups = top if top is not None else variables(model.random[0].group)[0]
    terms = () if correlated is None else correlated.terms
    return Effects(groups, terms, tuple(components), tuple(losses))


def _correlated(usable: list[tuple[RandomBlock, tuple[str, ...]]]) -> RandomBlock | None:
    """The block for ``re_formula``: a correlated one, else a first one with a single term."""
    tops = [block for block, path in usable if len(path) == 1]
    several = [b for b in tops if b.covariance == "unstructured" and len(b.terms) > 1]
    if several:
        return several[0]
    single = [b for b in tops if len(b.terms) == 1]
    return single[0] if single else None


def _path(node: Node) -> tuple[str, ...]:
    """The columns of ``a:b:c``; empty where it is anything else."""
    if isinstance(node, Name):
        return (node.name,)
    if isinstance(node, Operation) and node.operator == ":" and node.left is not None:
        left, right = _path(node.left), _path(node.right)
        return (*left, *right) if left and right else ()
    return ()


def _is_per_group(factor: str) -> bool:
    node = tree(factor)
    return isinstance(node, Call) and node.function in _PER_GROUP


def _shown(block: RandomBlock) -> str:
    return f"{' + '.join(str(t) for t in block.terms)} | {block.group}"


def _name(term: Term, path: tuple[str, ...], taken: list[Component]) -> str:
    """A name for the component, once only."""
    base = ":".join([*path[1:], *([] if term.is_intercept and path[1:] else [_label(term)])])
    name, number = base, 2
    while any(component.name == name for component in taken):
        name, number = f"{base} {number}", number + 1
    return name


def _label(term: Term) -> str:
    return "Intercept" if term.is_intercept else str(term)
