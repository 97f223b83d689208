"""Effects as SAS and SPSS list them (``a b a*b``, ``a|b@2``, ``a(b)``), and terms of a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from growthmm.model.expression import canonical, quote, tree
from growthmm.model.expression_tree import Call, Name, Number, Operation, Text
from growthmm.model.terms import Term
from growthmm.notation.command_languages.tokens import Token, error_at

__all__ = [
    "MAX_TERMS",
    "Monomial",
    "Product",
    "Variables",
    "crossed",
    "in_terms",
    "monomials",
    "ranged",
    "sorted_terms",
]

MAX_TERMS = 2000

Product = tuple[Token, ...]

_NUMBERED = re.compile(r"(.*?)([0-9]+)")


@dataclass
class Variables:
    """What the names of a program stand for.

    Parameters
    ----------
    folded : bool
        Whether upper and lower case are the same; the first spelling counts.
    classes : dict of str to str
        Categorical variables and the canonical expression of each.
    derived : dict of str to str
        Computed columns, with the canonical expression (without ``I()``) of each.
    longer : dict of str to str
        Shortened names, and the column of each.
    seen : dict of str to str
        The column of each name that was looked up.
    recoded : set of str
        Columns that the program changes in place.
    """

    folded: bool
    classes: dict[str, str] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    longer: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    recoded: set[str] = field(default_factory=set)

    def key(self, name: str) -> str:
        """The name as it is looked up."""
        return name.lower() if self.folded else name

    def column(self, token: Token) -> str:
        """The column that a name stands for."""
        return self.seen.setdefault(self.key(token.text), self.full(token.text))

    def full(self, name: str) -> str:
        """The name before it was shortened or copied."""
        copied = self.derived.get(self.key(name))
        node = tree(copied) if copied is not None else None
        return node.name if isinstance(node, Name) else self.longer.get(self.key(name), name)

    def quoted(self, token: Token) -> str:
        """The canonical expression of a name as it stands."""
        return quote(self.column(token))

    def term(self, product: Product) -> Term:
        """The term that a product of names is; repeated numeric names are powers."""
        counts = Counter(self.key(token.text) for token in product)
        factors: dict[str, None] = {}
        for token in product:
            key = self.key(token.text)
            if key in self.classes:
                factors[self.classes[key]] = None
            elif counts[key] == 1:
                factors[self._plain(token, key)] = None
            else:
                inner = self.derived.get(key) or self.quoted(token)
                shown = inner if isinstance(tree(inner), Name) else f"({inner})"
                factors[canonical(f"I({shown}**{counts[key]})")] = None
        return Term(tuple(factors))

    def _plain(self, token: Token, key: str) -> str:
        derived = self.derived.get(key)
        if derived is None:
            return self.quoted(token)
        node = tree(derived)
        return derived if isinstance(node, (Call, Name)) else canonical(f"I({derived})")


def sorted_terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Terms once each, by degree, as R lists them."""
    kept: dict[frozenset[str], Term] = {}
    for term in terms:
        kept.setdefault(frozenset(term.factors), term)
    return tuple(sorted(kept.values(), key=lambda term: len(term.factors)))


def in_terms(columns: Mapping[str, str], terms: Sequence[Term]) -> list[str]:
    """The categorical columns that stand in an effect, not only as a person or an occasion.

    Parameters
    ----------
    columns : mapping of str to str
        The column of each categorical factor of a term.
    terms : sequence of Term
        The fixed effects; random ones have all levels, and none to compare them to.
    """
    used = {factor for term in terms for factor in term.factors}
    return [column for factor, column in columns.items() if factor in used]


def ranged(text: str, first: Token, last: Token) -> list[Token]:
    """The names from ``y0`` to ``y3``.

    Raises
    ------
    NotationError
        If they are no numbered range of at most 1000 names.

    Examples
    --------
    >>> first, last = Token("name", "y8", 0, 2), Token("name", "y10", 3, 6)
    >>> [token.text for token in ranged("y8-y10", first, last)]
    ['y8', 'y9', 'y10']
    """
    low, high = _NUMBERED.fullmatch(first.text), _NUMBERED.fullmatch(last.text)
    shown = f"{first.text[:40]}-{last.text[:40]}"
    if low is None or high is None or low[1].lower() != high[1].lower():
        raise error_at(
            text, first, f"{shown} is no numbered range", hint="Write y1-y4, or all names."
        )
    start, stop = int(low[2][:9]), int(high[2][:9])
    if not 0 <= stop - start <= 1000:
        raise error_at(text, first, f"{shown} is no range of 1 to 1000 names")
    width = len(low[2]) if low[2].startswith("0") else 0
    return [
        Token("name", f"{low[1]}{number:0{width}d}", first.position, last.end)
        for number in range(start, stop + 1)
    ]


def crossed(text: str, parts: Sequence[Product], most: float) -> list[Product]:
    """The products of ``a|b|c``, of at most `most` names each."""
    if len(parts) == 1:
        return list(parts)
    if 2 ** min(len(parts), 100) > MAX_TERMS:
        message = f"The list expands to more than {MAX_TERMS} effects"
        raise error_at(text, parts[0][0], message)
    chosen = [s for size in range(1, len(parts) + 1) for s in combinations(range(len(parts)), size)]
    chosen.sort(key=lambda subset: [i in subset for i in reversed(range(len(parts)))])
    made = [tuple(t for i in subset for t in parts[i]) for subset in chosen]
    return [product for product in made if len(product) <= most]


@dataclass(frozen=True, slots=True)
class Monomial:
    """A factor that command languages can write in an effect.

    Parameters
    ----------
    name : str
        The column.
    power : int
        How often it is multiplied.
    categorical : bool
        Whether the text says that it is a factor.
    reference : str, float, or None
        The reference level, where the text names one.
    """

    name: str
    power: int = 1
    categorical: bool = False
    reference: str | float | None = None


def monomials(expression: str) -> Monomial | None:
    """A canonical factor as a monomial: ``t``, ``I(t**2)``, ``C(sex)``; None for others.

    Examples
    --------
    >>> monomials("I(t**2)").power, monomials("C(sex)").categorical, monomials("log(t)")
    (2, True, None)
    """
    node = tree(expression)
    if isinstance(node, Name):
        return Monomial(node.name)
    if (
        not isinstance(node, Call)
        or node.keywords
        or not isinstance(node.args[0], (Name, Operation))
    ):
        return None
    inner = node.args[0]
    if node.function == "C" and isinstance(inner, Name):
        return _categorical(inner.name, node)
    if node.function == "I" and isinstance(inner, Operation) and inner.operator == "**":
        base, power = inner.left, inner.right
        whole = isinstance(power, Number) and power.value.is_integer() and 2 <= power.value <= 9
        if isinstance(base, Name) and isinstance(power, Number) and whole:
            return Monomial(base.name, int(power.value))
    return None


def _categorical(name: str, node: Call) -> Monomial | None:
    if len(node.args) == 1:
        return Monomial(name, categorical=True)
    contrast = node.args[1]
    if isinstance(contrast, Call) and isinstance(contrast.args[0], (Text, Number)):
        return Monomial(name, categorical=True, reference=contrast.args[0].value)
    return None
