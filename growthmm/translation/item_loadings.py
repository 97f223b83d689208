"""Second-order growth with estimated item loadings as a call of ``nlme()``, and back.

On stacked rows the growth and the state of an occasion are multiplied by the item's loading,
``L = (item == "a") + l*(item == "b")``, and items have intercepts of their own::

    y ~ L + t:L + I(1*(item == "b")),  (L + t:L | id),  (L | id:t)

What both sides know of the data is what the same model with loadings of 1 knows of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from growthmm.model.expression import canonical_tree, quote, tree, variables
from growthmm.model.expression_tree import Call, Name, Node, Number, Operation, Text
from growthmm.model.mixed import BlockCovariance, LoadingParameter, MixedModel, RandomBlock
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.model.schema import Scalar, Schema
from growthmm.model.sem import Path, SemModel
from growthmm.model.terms import Term
from growthmm.translation.pair import Pair
from growthmm.translation.second_order import SecondOrder, second_order

__all__ = ["ItemCurves", "by_item", "curved_mixed", "item_curves", "with_item_loadings"]

Loading = str | float


def curved_mixed(model: SemModel, near: Pair) -> MixedModel | None:
    """The mixed model of second-order growth with estimated loadings.

    Parameters
    ----------
    model : SemModel
        The model.
    near : Pair
        Both forms of the same model with loadings of 1.

    Returns
    -------
    MixedModel or None
        None where items have several loadings, intercepts or variances, states none of their own or
        several, factors covariances of a pattern, or covariates act on single states or items.
    """
    found = second_order(model)
    if found is None or model.constraints or model.n_groups > 1 or model.n_levels > 1:
        return None
    items = _Items(model, found, near.growth.schema)
    covariance = items.covariance
    if covariance is None or not items.alike:
        return None
    curve = items.curve()
    basis = {f.name: f.column.term.factors for f in near.growth.factors if f.name in found.growth}
    columns = {c.name: c.column.term.factors for c in near.growth.covariates}
    if set(basis) != set(found.growth):
        return None
    fixed = [Term((curve, *basis[name])) for name in found.growth if items.free(name, "~1")]
    fixed += [Term((items.indicator(item),)) for item in items.intercepts]
    for path in model.paths:
        if path.op == "~" and not path.is_zero:
            if path.left not in basis or path.right not in columns:
                return None
            fixed.append(Term((curve, *columns[path.right], *basis[path.left])))
    schema = near.growth.schema
    person, time = quote(schema.person), quote(schema.time or "time")
    growth = tuple(Term((curve, *basis[name])) for name in found.growth)
    states = RandomBlock((Term((curve,)),), f"{person}:{time}")
    return replace(
        near.mixed.model,
        fixed=tuple(sorted(fixed, key=lambda term: len(term.factors))),
        random=(RandomBlock(growth, person, covariance), states),
        residual=items.residual,
        estimator="ml",
        loading_parameters=tuple(
            LoadingParameter(value, 1.0) for value in items.loadings if isinstance(value, str)
        ),
        notation="nlme",
    )


class _Items:
    """What the items of a second-order growth model have."""

    def __init__(self, model: SemModel, found: SecondOrder, schema: Schema) -> None:
        self.model, self.found, self.schema = model, found, schema
        place = {y: k for k, y in enumerate(schema.outcome_columns)}
        self.items = tuple(dict.fromkeys(schema.series))
        self.columns = [
            [y for y in place if schema.series[place[y]] == item] for item in self.items
        ]
        self.state = {
            y: f for f, own in zip(found.occasions, found.items, strict=True) for y in own
        }

    def free(self, left: str, op: str, right: str = "") -> bool:
        path = next(
            (p for p in self.model.paths if (p.left, p.op, p.right) == (left, op, right)), 0
        )
        return isinstance(path, Path) and path.free

    def _said(self, y: str, op: str) -> Loading:
        """What a row of an item holds: its parameter, or its number."""
        left, right = (self.state[y], y) if op == "=~" else (y, y if op == "~~" else "")
        path = next(
            (p for p in self.model.paths if (p.left, p.op, p.right) == (left, op, right)), 0
        )
        if not isinstance(path, Path):
            return 0.0
        return path.parameter if path.free else float(path.value or 0.0)

    def _of_items(self, op: str) -> list[set[Loading]]:
        return [{self._said(y, op) for y in own} for own in self.columns]

    @property
    def alike(self) -> bool:
        """Whether an item has one loading, intercept and variance, and states one variance."""
        sets = [*self._of_items("=~"), *self._of_items("~1"), *self._of_items("~~")]
        if len(self.items) < 2 or any(len(own) != 1 for own in sets):
            return False
        free = [v for own in self._of_items("=~") for v in own if isinstance(v, str)]
        shifts = [v for own in self._of_items("~1") for v in own if v != 0.0]
        unique = {v for own in self._of_items("~~") for v in own}
        states = [self.model.path(f, "~~", f) for f in self.found.occasions]
        one = {p.parameter if p is not None and p.free else "" for p in states}
        names = (free, [v for v in shifts if isinstance(v, str)])
        return (
            all(len(set(own)) == len(own) for own in names)
            and all(isinstance(v, str) for v in (*shifts, *unique))
            and len(unique) in (1, len(self.items))
            and len(one) == 1
            and "" not in one
            and all(self.free(f, "~1") for f in self.found.growth)
            and not any(self._nonzero(p) for p in self.model.paths)
        )

    def _nonzero(self, path: Path) -> bool:
        """Whether a row is one that the mixed model has no place for."""
        growth, states = set(self.found.growth), set(self.found.occasions)
        if path.definition is not None:
            return True
        if path.op == "~1" and path.left in states:
            return not path.is_zero
        if path.op == "~~" and path.left != path.right:
            return not path.is_zero and not {path.left, path.right} <= growth
        return path.op == "=~" and path.left in growth and path.free

    @property
    def covariance(self) -> BlockCovariance | None:
        """How the growth factors vary together; None for a pattern."""
        pairs = list(combinations_with_replacement(self.found.growth, 2))
        cells = [self.model.path(a, "~~", b) or self.model.path(b, "~~", a) for a, b in pairs]
        own = [
            c.parameter for (a, b), c in zip(pairs, cells, strict=True) if a == b and c and c.free
        ]
        other = [
            c for (a, b), c in zip(pairs, cells, strict=True) if a != b and c and not c.is_zero
        ]
        if len(set(own)) < len(self.found.growth):
            return None
        if not other:
            return "diagonal" if len(own) > 1 else "unstructured"
        names = {*own, *(c.parameter for c in other if c.free)}
        return "unstructured" if len(names) == len(pairs) else None

    @property
    def loadings(self) -> list[Loading]:
        """Of each item."""
        return [next(iter(own)) for own in self._of_items("=~")]

    @property
    def intercepts(self) -> list[Scalar]:
        """Items that have one."""
        found = zip(self.items, self._of_items("~1"), strict=True)
        return [item for item, own in found if own != {0.0}]

    @property
    def residual(self) -> ResidualStructure:
        """One variance, or one for each item."""
        if len({v for own in self._of_items("~~") for v in own}) == 1:
            return COMMON
        return ResidualStructure("by_group", by=quote(str(self.schema.indicator)))

    def _is(self, item: Scalar) -> Node:
        value: Node = Text(item) if isinstance(item, str) else Number(float(item))
        return Operation("==", Name(str(self.schema.indicator)), value, bracketed=True)

    def indicator(self, item: Scalar) -> str:
        """One for the rows of an item."""
        return canonical_tree(Call("I", (Operation("*", Number(1.0), self._is(item)),)), "")

    def curve(self) -> str:
        """The loading of a row's item."""
        total: Node | None = None
        for item, loading in zip(self.items, self.loadings, strict=True):
            if loading == 0.0:
                continue
            here = self._is(item)
            if loading != 1.0:
                own: Node = Name(loading) if isinstance(loading, str) else Number(loading)
                here = Operation("*", own, here)
            total = here if total is None else Operation("+", total, here)
        assert total is not None
        return canonical_tree(Call("I", (total,)), "")


@dataclass(frozen=True)
class ItemCurves:
    """A mixed model whose growth and states are multiplied by loadings of items.

    Parameters
    ----------
    near : MixedModel
        The same model with loadings of 1, the items' intercepts as effects of a factor.
    item : str
        The column that tells the items apart.
    loadings : tuple of (scalar, str or float)
        The loading of each item.
    intercepts : tuple of scalar
        Items with an intercept of their own.
    """

    near: MixedModel
    item: str
    loadings: tuple[tuple[Scalar, Loading], ...]
    intercepts: tuple[Scalar, ...]


def item_curves(model: MixedModel) -> ItemCurves | None:
    """Recognise second-order growth with estimated loadings in a mixed model.

    Parameters
    ----------
    model : MixedModel
        Any mixed model.

    Returns
    -------
    ItemCurves or None
        None for any other model.

    Examples
    --------
    >>> from growthmm.notation import notation
    >>> loading = '((item == "a") + l*(item == "b"))'
    >>> found = item_curves(notation("nlme").read(
    ...     f'nlme(y ~ m*(item == "b") + (i + s*t + u)*{loading}, fixed = i + s + m + l ~ 1, '
    ...     'random = list(id = pdSymm(i + s ~ 1), t = pdSymm(u ~ 1)))'
    ... ))
    >>> found.near
    <MixedModel y ~ 1 + t + item + (1 + t | id) + (1 | id:t): residual common, ML, nlme>
    >>> found.item, found.loadings, found.intercepts
    ('item', (('a', 1.0), ('b', 'l')), ('b',))
    """
    states = [b for b in model.random if len(variables(b.group)) == 2 and len(b.terms) == 1]
    if not model.loading_parameters or len(states) != 1 or len(states[0].terms[0].factors) != 1:
        return None
    curve = _inner(tree(states[0].terms[0].factors[0]))
    found = _indicators(curve)
    if found is None:
        return None
    item, loadings = found
    plain: list[Term] = []
    intercepts: list[Scalar] = []
    for term in model.fixed:
        without = _without(term, curve)
        if without is not None:
            plain.append(without)
            continue
        own = _indicators(_inner(tree(term.factors[0]))) if len(term.factors) == 1 else None
        if own is None or own[0] != item or len(own[1]) != 1 or own[1][0][1] != 1.0:
            return None
        intercepts.append(own[1][0][0])
    blocks = []
    for block in model.random:
        terms = [_without(term, curve) for term in block.terms]
        if None in terms:
            return None
        blocks.append(replace(block, terms=tuple(t for t in terms if t is not None)))
    plain.append(Term((quote(item),)))
    near = replace(
        by_item(model, item),
        fixed=tuple(sorted(plain, key=lambda term: len(term.factors))),
        random=tuple(blocks),
        loading_parameters=(),
    )
    return ItemCurves(near, item, loadings, tuple(intercepts))


def by_item(model: MixedModel, item: str) -> MixedModel:
    """The model with residual variances by item where text alone took the items for times.

    Parameters
    ----------
    model : MixedModel
        As it was read.
    item : str
        The column that tells the items apart.
    """
    if model.residual != ResidualStructure("by_occasion", time=quote(item)):
        return model
    return replace(model, residual=ResidualStructure("by_group", by=quote(item)))


def with_item_loadings(found: ItemCurves, near: Pair) -> SemModel:
    """The latent growth curve of a mixed model with loadings of items.

    Parameters
    ----------
    found : ItemCurves
        What the mixed model says.
    near : Pair
        Both forms of the same model with loadings of 1.
    """
    model, schema = near.sem.model, near.growth.schema
    upper = [p for p in model.paths if p.op == "=~" and p.right in model.latent]
    states = {path.right for path in upper}
    kept = states | {path.left for path in upper}
    gone = set(model.latent) - kept
    item = dict(zip(schema.outcome_columns, schema.series, strict=True))
    loadings = dict(found.loadings)
    taken = set(model.free_parameters) | set(model.outcomes) | set(model.covariates) | kept
    labels = {one: _fresh(f"m_{one}", taken) for one in found.intercepts}
    paths = []
    for path in model.paths:
        if {path.left, path.right} & gone:
            continue
        if path.op == "=~" and path.left in states:
            own = loadings[item[path.right]]
            made = Path(path.left, "=~", path.right, free=False, value=1.0)
            made = (
                replace(made, free=True, value=None, label=own, start=1.0)
                if isinstance(own, str)
                else replace(made, value=own)
            )
            paths.append(made)
        elif path.op == "~1" and path.left in item and item[path.left] in labels:
            paths.append(Path(path.left, "~1", label=labels[item[path.left]]))
        else:
            paths.append(path)
    return replace(model, paths=tuple(paths), latent=tuple(n for n in model.latent if n in kept))


def _fresh(wish: str, taken: set[str]) -> str:
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in wish)
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _inner(node: Node) -> Node:
    return node.args[0] if isinstance(node, Call) and node.function == "I" else node


def _summed(node: Node) -> Iterator[Node]:
    if isinstance(node, Operation) and node.operator == "+" and node.left is not None:
        yield from _summed(node.left)
        yield from _summed(node.right)
    else:
        yield node


def _multiplied(node: Node) -> Iterator[Node]:
    if isinstance(node, Operation) and node.operator == "*" and node.left is not None:
        yield from _multiplied(node.left)
        yield from _multiplied(node.right)
    else:
        yield node


def _indicators(node: Node) -> tuple[str, tuple[tuple[Scalar, Loading], ...]] | None:
    """A sum of indicators of one column's values, each times a parameter or a number."""
    column, found = "", dict[Scalar, Loading]()
    for part in _summed(node):
        factors = list(_multiplied(part))
        said = [f for f in factors if isinstance(f, Operation) and f.operator == "=="]
        others = [f for f in factors if f not in said and f != Number(1.0)]
        if len(said) != 1 or len(others) > 1:
            return None
        left, right = said[0].left, said[0].right
        if not isinstance(left, Name) or not isinstance(right, Text | Number):
            return None
        own: Loading = 1.0
        if others:
            if not isinstance(others[0], Name | Number):
                return None
            own = others[0].name if isinstance(others[0], Name) else others[0].value
        if column not in ("", left.name) or right.value in found:
            return None
        column, found[right.value] = left.name, own
    return column, tuple(found.items())


def _without(term: Term, curve: Node) -> Term | None:
    """The term without the loading that it is multiplied by; None where it is not."""
    left: list[str] = []
    times = 0
    for factor in term.factors:
        parts = list(_multiplied(_inner(tree(factor))))
        if curve not in parts:
            left.append(factor)
            continue
        times += 1
        parts.remove(curve)
        left += [
            canonical_tree(p if isinstance(p, Name) else Call("I", (p,)), "")
            for p in parts
            if p != Number(1.0)
        ]
    return Term(tuple(left)) if times == 1 else None
