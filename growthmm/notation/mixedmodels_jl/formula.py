"""Formulas in Julia's spelling, and the contrasts that it keeps beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.expression import tree, variables
from growthmm.model.expression_print import number_text
from growthmm.model.expression_tree import (
    Call,
    Name,
    Negative,
    Node,
    Number,
    Operation,
    Text,
    Truth,
)
from growthmm.model.mixed import MixedModel
from growthmm.model.terms import Term
from growthmm.notation.formula.bars import bars

__all__ = [
    "coding_text",
    "contrast_losses",
    "contrasts",
    "expression_losses",
    "formula_text",
    "julia_string",
    "spelled",
]

_RESERVED = frozenset(
    {"baremodule", "begin", "break", "catch", "const", "continue", "do", "else", "elseif", "end"}
    | {"export", "false", "finally", "for", "function", "global", "if", "import", "in", "isa"}
    | {"let", "local", "macro", "module", "quote", "return", "struct", "true", "try", "using"}
    | {"while", "where", "var", "abstract", "mutable", "primitive", "type"}
)
_ELEMENTWISE = {
    **{n: n for n in ("log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "floor")},
    **{n: n for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "ceil")},
    "maximum": "max",
    "minimum": "min",
}
_PRECEDENCE = {"+": 2, "-": 2, "*": 3, "/": 3, "**": 7}
_CODINGS = {"Treatment": "DummyCoding()", "Helmert": "HelmertCoding()"}


def julia_string(text: str) -> str:
    r"""A string literal of Julia.

    Examples
    --------
    >>> print(julia_string('a "$b"'))
    "a \"\$b\""
    """
    named = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    made = "".join(named.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text)
    return f'"{made}"'


def identifier(name: str) -> str:
    r"""A name in Julia; ``var"..."`` where it is no plain one.

    Examples
    --------
    >>> identifier("t"), identifier("my column"), identifier("x.1")
    ('t', 'var"my column"', 'var"x.1"')
    """
    if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name not in _RESERVED:
        return name
    # Within var"..." backslashes are themselves but before a quote.
    escaped = re.sub(r'(\\*)"', lambda m: m[1] * 2 + '\\"', name)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f'var"{escaped}{escaped[len(escaped) - trailing :]}"'


def spelled(expression: str) -> str:
    """A canonical expression in Julia's spelling, itself where Julia has none.

    Examples
    --------
    >>> spelled("I(t**2)"), spelled("C(sex)"), spelled("I(a*b)")
    ('t ^ 2', 'sex', 'protect(a * b)')
    """
    try:
        return _show(tree(expression), protected=False)[0]
    except NotationError:
        return expression


def _show(node: Node, *, protected: bool) -> tuple[str, int]:
    if isinstance(node, Name):
        return identifier(node.name), 9
    if isinstance(node, Number):
        return number_text(node.value), 9
    if isinstance(node, Negative):
        text, binds = _show(node.operand, protected=True)
        return f"-{text if binds >= 6 else f'({text})'}", 6
    if isinstance(node, Operation):
        return _operation(node)
    if isinstance(node, Call) and node.function == "I":
        inside = node.args[0]
        text, binds = _show(inside, protected=True)
        # These have a meaning of their own between terms.
        special = _uses(inside, ("+", "-", "*")) or isinstance(inside, Negative)
        return (f"protect({text})", 9) if special and not protected else (text, binds)
    if isinstance(node, Call) and node.function == "C" and isinstance(node.args[0], Name):
        return identifier(node.args[0].name), 9
    if isinstance(node, Call) and node.function in _ELEMENTWISE:
        arguments = ", ".join(_show(a, protected=True)[0] for a in node.args)
        return f"{_ELEMENTWISE[node.function]}({arguments})", 9
    raise NotationError("Julia has no such function in formulas.")


def _operation(node: Operation) -> tuple[str, int]:
    assert node.left is not None
    binds = _PRECEDENCE.get(node.operator, 1)
    left, left_binds = _show(node.left, protected=True)
    right, right_binds = _show(node.right, protected=True)
    power = node.operator == "**"
    if left_binds < binds or (power and left_binds == binds):
        left = f"({left})"
    if right_binds < binds or (right_binds == binds and not power):
        right = f"({right})"
    return f"{left} {'^' if power else node.operator} {right}", binds


def _uses(node: Node, operators: tuple[str, ...]) -> bool:
    if isinstance(node, Operation):
        inside = [node.right] if node.left is None else [node.left, node.right]
        return node.operator in operators or any(_uses(n, operators) for n in inside)
    return isinstance(node, Negative)


def formula_text(model: MixedModel) -> str:
    """The formula in Julia's spelling, the intercept always written."""
    factors = dict.fromkeys(
        f
        for term in (*model.fixed, *(t for b in model.random for t in b.terms))
        for f in term.factors
    )
    texts = {f: spelled(f) for f in factors}
    places = {f: f"\0{at}\0" for at, f in enumerate(texts)}
    pieces = [_terms(model.fixed, texts)]
    for block in model.random:
        group = " & ".join(identifier(name) for name in variables(block.group))
        pieces += [_filled(b, list(texts.values())) for b in bars(block, places, group, _ZERO)]
    return f"{spelled(model.response)} ~ {' + '.join(pieces)}"


_ZERO = "zerocorr({terms} | {group})"


def _terms(terms: tuple[Term, ...], texts: dict[str, str]) -> str:
    pieces = [" & ".join(texts[f] for f in t.factors) if t.factors else "1" for t in terms]
    return " + ".join(pieces if "1" in pieces else ["0", *pieces])


def _filled(bar: str, values: list[str]) -> str:
    """Numbered places filled, and ``:`` between them written as Julia's ``&``."""
    joined = bar.replace("\0:\0", "\0 & \0")
    return re.sub("\0(\\d+)\0", lambda m: values[int(m[1])], joined)


def contrasts(model: MixedModel) -> dict[str, Call]:
    """The coding of each column that the formula makes categorical."""
    found: dict[str, Call] = {}
    for node, _ in _with_text(model):
        if isinstance(node, Call) and node.function == "C" and isinstance(node.args[0], Name):
            found.setdefault(node.args[0].name, node)
    return found


def coding_text(node: Call) -> str:
    """The coding of ``C(...)`` as an object of StatsModels.jl."""
    contrast = node.args[1] if len(node.args) > 1 else None
    options = []
    if isinstance(contrast, Call) and contrast.function == "Treatment":
        options.append(f"base = {_value(contrast.args[0])}")
    levels = dict(node.keywords).get("levels")
    if isinstance(levels, Call):
        options.append(f"levels = [{', '.join(_value(a) for a in levels.args)}]")
    name = "HelmertCoding" if contrast == Name("Helmert") else "DummyCoding"
    return f"{name}({'; ' if options else ''}{', '.join(options)})"


def _value(node: Node) -> str:
    if isinstance(node, Text):
        return julia_string(node.value)
    if isinstance(node, Truth):
        return str(node.value).lower()
    return _show(node, protected=True)[0]


def contrast_losses(model: MixedModel) -> list[Loss]:
    """Codings that the program lacks, and columns that would need two."""
    losses = []
    numeric = {
        v
        for node, factor in _with_text(model)
        if not (isinstance(node, Call) and node.function == "C")
        for v in variables(factor)
    }
    codings: dict[str, set[str]] = {}
    for node, factor in _with_text(model):
        if not (isinstance(node, Call) and node.function == "C"):
            continue
        contrast = node.args[1] if len(node.args) > 1 else None
        if isinstance(contrast, Name) and contrast.name not in _CODINGS:
            losses.append(
                Loss(
                    factor,
                    f"MixedModels.jl counts {contrast.name} contrasts from other levels than R",
                    "treatment or Helmert contrasts",
                )
            )
        for name in variables(factor):
            codings.setdefault(name, set()).add(factor)
    for name, found in codings.items():
        if len(found) > 1 or name in numeric:
            losses.append(
                Loss(
                    f"{name} with more than one coding",
                    "MixedModels.jl codes a column once for the whole formula",
                    "a copy of the column under another name",
                )
            )
    return losses


def _with_text(model: MixedModel) -> Iterator[tuple[Node, str]]:
    for term in (*model.fixed, *(t for b in model.random for t in b.terms)):
        for factor in term.factors:
            yield tree(factor), factor


def expression_losses(model: MixedModel) -> list[Loss]:
    """Factors that need a function which formulas in Julia lack, and what only lm() fits."""
    losses = []
    for expression in dict.fromkeys([model.response, *(f for _, f in _with_text(model))]):
        try:
            _show(tree(expression), protected=False)
        except NotationError:
            losses.append(
                Loss(
                    expression,
                    "MixedModels.jl has no such function",
                    "a column computed before the model, or I(t**2) and the like for polynomials",
                )
            )
    if not model.random:
        losses.append(
            Loss(
                "no random effects",
                "MixedModels.jl fits models with at least one",
                "nlme::gls() or lm()",
            )
        )
    return losses
