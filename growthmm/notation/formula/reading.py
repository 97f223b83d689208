"""Formulas with bars: from the tree of a text to response, fixed terms and random blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.expression import canonical_tree, variables
from growthmm.model.expression_tree import (
    Call,
    Name,
    Negative,
    Node,
    Number,
    Operation,
    Text,
    Truth,
    parse,
)
from growthmm.model.mixed import RandomBlock
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.formula.algebra import Atoms, expand

__all__ = ["Formula", "Structured", "read_conditioned", "read_formula", "read_terms", "terms_of"]

Language = Literal["r", "python"]

BARS = ("|", "||")
MAX_FACTORS = 100
_STRUCTURES = frozenset(("us", "diag", "cs", "homcs", "ar1", "hetar1", "ou", "toep", "rr"))


@dataclass(frozen=True, slots=True)
class Structured:
    """A random term within a covariance function, as in ``ar1(0 + factor(t) | id)``.

    Parameters
    ----------
    function : str
        The function: ``"ar1"``.
    terms : tuple of Term
        The terms before the bar.
    group : str
        The grouping factor, a canonical expression.
    position : int
        Where the function stands in the text.
    after : int
        The number of plain random blocks before it in the text.
    """

    function: str
    terms: tuple[Term, ...]
    group: str
    position: int
    after: int


@dataclass(frozen=True, slots=True)
class Formula:
    """What a formula with bars says.

    Parameters
    ----------
    response : str
        Canonical expression of the outcome.
    fixed : tuple of Term
        In R's order.
    random : tuple of RandomBlock
        In the order of the text.
    structured : tuple of Structured
        Random terms within functions, where the program has such functions.
    """

    response: str
    fixed: tuple[Term, ...]
    random: tuple[RandomBlock, ...]
    structured: tuple[Structured, ...] = ()


@dataclass(frozen=True, slots=True)
class _Reader:
    shown: str
    language: Language
    program: str
    structures: Collection[str] = ()

    def fail(self, message: str, node: Node, hint: str) -> NotationError:
        return NotationError(message, text=self.shown, position=node.position, hint=hint)

    def formula(self, node: Node) -> Formula:
        if not (isinstance(node, Operation) and node.operator == "~"):
            raise self.fail(
                "This is no formula: it has no ~", node, "Write outcome ~ terms + (terms | person)."
            )
        if node.left is None:
            raise self.fail(
                "The formula has no outcome left of ~",
                node.right,
                "Write outcome ~ terms + (terms | person).",
            )
        if isinstance(node.left, Call) and node.left.function == "cbind":
            raise self.fail(
                "Several outcomes in one formula", node.left, "Stack them in one long column."
            )
        response = canonical_tree(node.left, self.shown, language=self.language)
        if not variables(response):
            raise self.fail("The outcome names no column", node.left, "Write a column before ~.")
        fixed: list[tuple[str, Node]] = []
        random: list[RandomBlock] = []
        structured: list[Structured] = []
        for sign, summand in self.flat(self.summands(node.right)):
            if isinstance(summand, Operation) and summand.operator in BARS:
                if not summand.bracketed:
                    raise self.fail(
                        "A bar outside parentheses",
                        summand,
                        "Write (terms | person) in parentheses.",
                    )
                if sign == "-":
                    raise self.fail(
                        "A random term is taken away", summand, "Leave it out of the formula."
                    )
                random += self.blocks(summand)
            elif isinstance(summand, Call) and summand.function in self.structures:
                if sign == "-":
                    raise self.fail(
                        "A random term is taken away", summand, "Leave it out of the formula."
                    )
                structured += self.structured(summand, len(random))
            else:
                fixed.append((sign, summand))
        return Formula(response, self.terms(fixed), tuple(random), tuple(structured))

    def structured(self, node: Call, after: int) -> Iterator[Structured]:
        """The random terms of one covariance function, a group each."""
        inside = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if not (isinstance(inside, Operation) and inside.operator == "|" and inside.left):
            raise self.fail(
                f"{node.function}() holds no random term",
                node,
                f"Write {node.function}(0 + factor(time) | person).",
            )
        plain = replace(inside, left=_unwrapped(inside.left))
        for block in self.blocks(plain):
            yield Structured(node.function, block.terms, block.group, node.position, after)

    def summands(self, node: Node) -> list[tuple[str, Node]]:
        """The summands of a sum with their signs, in order, without recursion."""
        found: list[tuple[str, Node]] = []
        while isinstance(node, Operation) and node.operator in ("+", "-") and node.left is not None:
            found.append((node.operator, node.right))
            node = node.left
        if isinstance(node, Negative):
            found.append(("-", node.operand))
        else:
            found.append(("+", node))
        return found[::-1]

    def terms(self, summands: Sequence[tuple[str, Node]]) -> tuple[Term, ...]:
        """Terms of one part of the formula, the intercept implied unless taken away."""
        atoms = Atoms()
        intercept = True
        text = "0"
        for sign, node in self.flat(summands):
            if isinstance(node, Number) and node.value in (0.0, 1.0):
                intercept = (sign == "+") == (node.value == 1.0)
            else:
                text += f" {sign} ({self.algebra(node, atoms)})"
                if sign == "-":
                    intercept = intercept and not _takes_intercept(node)
        if len(atoms.names) > MAX_FACTORS * 10:
            raise self.fail(
                f"The formula has {len(atoms.names)} different factors",
                summands[0][1],
                "Write a smaller model.",
            )
        position = summands[0][1].position if summands else 0
        terms = expand(text, atoms, shown=self.shown, position=position)
        rest = tuple(term for term in terms if not term.is_intercept)
        return (INTERCEPT, *rest) if intercept else rest

    def flat(self, summands: Sequence[tuple[str, Node]]) -> list[tuple[str, Node]]:
        """Summands with added parentheses opened; taken away ones stay as they are."""
        found: list[tuple[str, Node]] = []
        for sign, node in summands:
            inner = self.summands(node) if sign == "+" else []
            found += self.flat(inner) if len(inner) > 1 else [(sign, node)]
        return found

    def algebra(self, node: Node, atoms: Atoms) -> str:
        """The term algebra of `node` over plain names, for the formula parser."""
        if isinstance(node, Number):
            if node.value not in (0.0, 1.0):
                raise self.fail(
                    "Numbers other than 0 and 1 are no terms",
                    node,
                    "Write I(...) around arithmetic, as in I(t/10).",
                )
            return str(int(node.value))
        if isinstance(node, Negative):
            raise self.fail(
                "A minus sign within a term", node, "Write I(-x), or take terms away with a - b."
            )
        if isinstance(node, Text | Truth):
            raise self.fail("A literal is no term", node, "Name a column.")
        if isinstance(node, Operation):
            return self.operation(node, atoms)
        if isinstance(node, Call):
            self.refuse(node)
        if isinstance(node, Name) and node.name == "." and not node.quoted:
            raise self.fail("The dot for all other columns", node, "Name the columns.")
        return atoms.name(canonical_tree(node, self.shown, language=self.language))

    def refuse(self, node: Call) -> None:
        """Name what looks like a factor and is something else."""
        if node.function in ("offset", "stats::offset"):
            raise self.fail(
                "offset() is not supported", node, "Subtract it from the outcome before the model."
            )
        bars = [a for a in node.args if isinstance(a, Operation) and a.operator in BARS]
        if bars or node.function in _STRUCTURES:
            raise self.fail(
                f"The covariance structure {node.function}() of a random term is not supported",
                node,
                "Write (terms | person) or (terms || person); for residuals use residual=.",
            )

    def operation(self, node: Operation, atoms: Atoms) -> str:
        if node.operator in BARS:
            raise self.fail(
                "A random term within another term", node, "Add it to the formula with +."
            )
        if node.operator == "**":
            power = node.right.value if isinstance(node.right, Number) else 0.0
            if not (power.is_integer() and 1 <= power <= 10) or node.left is None:
                raise self.fail(
                    "The power of a sum of terms must be a whole number from 1 to 10",
                    node,
                    "Write (a + b)^2 for interactions, I(t^2) for the square.",
                )
            return f"({self.algebra(node.left, atoms)})**{int(power)}"
        if node.operator in ("+", "-"):
            pieces = [f" {s} ({self.algebra(n, atoms)})" for s, n in self.summands(node)]
            return "".join(pieces).removeprefix(" +").strip()
        operator = ":" if node.operator == "%in%" else node.operator
        if operator not in ("*", ":", "/") or node.left is None:
            raise self.fail(
                f"The operator {node.operator} has no meaning between terms",
                node,
                "Write I(...) around arithmetic and comparisons.",
            )
        sides = []
        if node.operator == "%in%":
            left = f"({self.algebra(node.left, atoms)})"
            # R nests within all the factors on the right together.
            inside = [f"({self.algebra(n, atoms)})" for _, n in self.summands(node.right)]
            return ":".join([left, *inside])
        for side in (node.left, node.right):
            if isinstance(side, Number):
                raise self.fail(
                    "A number within a product of terms",
                    side,
                    "Write I(...) around arithmetic, as in I(t/10).",
                )
            sides.append(f"({self.algebra(side, atoms)})")
        return operator.join(sides)

    def blocks(self, node: Operation) -> Iterator[RandomBlock]:
        assert node.left is not None
        if isinstance(node.left, Operation) and node.left.operator in BARS:
            raise self.fail("Two bars in one random term", node, "Write one bar: (terms | person).")
        terms = self.terms(self.summands(node.left))
        if not terms:
            raise self.fail(
                "The random term has no effects before the bar", node, "Write (1 | person)."
            )
        covariance: Literal["unstructured", "by_term"] = (
            "by_term" if node.operator == "||" else "unstructured"
        )
        for group in self.groups(node.right):
            yield RandomBlock(terms, group, covariance)

    def groups(self, node: Node) -> list[str]:
        """The grouping factors; ``a/b`` is ``a`` and ``a:b``, ``a + b`` is both."""
        if isinstance(node, Operation) and node.left is not None:
            if node.operator == "/":
                outer, inner = self.groups(node.left), self.groups(node.right)
                return [*outer, *(f"{outer[-1]}:{g}" for g in inner)]
            if node.operator == "+":
                return [*self.groups(node.left), *self.groups(node.right)]
            if node.operator in (":", "%in%"):
                left, right = self.groups(node.left), self.groups(node.right)
                if len(left) == len(right) == 1:
                    return [f"{left[0]}:{right[0]}"]
        if isinstance(node, Name):
            return [canonical_tree(node, self.shown, language=self.language)]
        if isinstance(node, Call) and node.function in ("factor", "as.factor", "C"):
            inside = canonical_tree(node, self.shown, language=self.language)
            # A grouping factor is one whether or not the text says so.
            return [canonical_tree(node.args[0], self.shown)] if "," not in inside else [inside]
        raise self.fail(
            "The grouping factor after the bar must be a column",
            node,
            "Write (terms | person), (terms | school/person) or (terms | school:person).",
        )


def _unwrapped(node: Node) -> Node:
    """A ``numFactor(t)`` of glmmTMB as the factor that it is."""
    if isinstance(node, Call) and node.function in ("numFactor", "glmmTMB::numFactor"):
        return replace(node, function="factor")
    if isinstance(node, Operation) and node.left is not None and node.operator in ("+", "-"):
        # Only the ends of the sum are looked at: such a term has an intercept and one factor.
        return replace(node, left=_unwrapped(node.left), right=_unwrapped(node.right))
    return node


def _takes_intercept(node: Node) -> bool:
    """Whether a sum that is taken away holds the intercept, as in ``a - (b + 1)``."""
    while isinstance(node, Operation) and node.operator == "+" and node.left is not None:
        if node.right == Number(1.0):
            return True
        node = node.left
    return node == Number(1.0)


def read_formula(
    text: str,
    *,
    shown: str | None = None,
    language: Language = "r",
    program: str = "lme4",
    structures: Collection[str] = (),
) -> Formula:
    """Read ``outcome ~ terms + (terms | group)``.

    Parameters
    ----------
    text : str
        The formula.
    shown : str, optional
        A text of the same length that errors show instead.
    language : {"r", "python"}
        Whose meaning ambiguous functions have.
    program : str
        The program, for errors.
    structures : collection of str
        Covariance functions that the program has around random terms.

    Returns
    -------
    Formula
        Response, fixed terms, random blocks.

    Raises
    ------
    NotationError
        If the text is malformed or says something unsupported.

    Examples
    --------
    >>> formula = read_formula("y ~ t*x + (t | id)")
    >>> [str(term) for term in formula.fixed]
    ['1', 't', 'x', 't:x']
    """
    reader = _Reader(text if shown is None else shown, language, program, structures)
    return reader.formula(parse(text, shown=shown))


def read_conditioned(text: str, *, shown: str | None = None) -> tuple[Node, tuple[str, ...]]:
    """Read ``~ left | groups``, as nlme writes random effects and correlations.

    Parameters
    ----------
    text : str
        The one-sided formula.
    shown : str, optional
        A text of the same length that errors show instead.

    Returns
    -------
    left : Node
        What stands before the bar, unread.
    groups : tuple of str
        The grouping factors from the outermost in, ``a/b`` being ``a`` and ``a:b``; empty
        where there is no bar.

    Raises
    ------
    NotationError
        If the text is malformed.

    Examples
    --------
    >>> read_conditioned("~ 1 | school/child")[1]
    ('school', 'school:child')
    """
    reader = _Reader(text if shown is None else shown, "r", "nlme")
    node = parse(text, shown=shown)
    if not (isinstance(node, Operation) and node.operator == "~" and node.left is None):
        first = node.left if isinstance(node, Operation) and node.left is not None else node
        raise reader.fail("A one-sided formula was expected", first, "Write ~ terms | person.")
    right = node.right
    if isinstance(right, Operation) and right.operator in BARS and right.left is not None:
        if right.operator == "||" or (
            isinstance(right.left, Operation) and right.left.operator in BARS
        ):
            raise reader.fail("Two bars in one random term", right, "Write ~ terms | person.")
        return right.left, tuple(reader.groups(right.right))
    return right, ()


def terms_of(node: Node, shown: str) -> tuple[Term, ...]:
    """The terms of an already parsed sum; `shown` is the text it came from."""
    reader = _Reader(shown, "r", "nlme")
    return reader.terms(reader.summands(node))


def read_terms(
    text: str, *, shown: str | None = None, language: Language = "python"
) -> tuple[Term, ...]:
    """Read a one-sided formula, with or without its ``~``.

    Examples
    --------
    >>> [str(term) for term in read_terms("~ 0 + t")]
    ['t']
    """
    node = parse(text, shown=shown)
    reader = _Reader(text if shown is None else shown, language, "statsmodels")
    if isinstance(node, Operation) and node.operator == "~":
        if node.left is not None:
            raise reader.fail("A one-sided formula was expected", node.left, "Write ~ terms.")
        node = node.right
    return reader.terms(reader.summands(node))
