"""Writing the tree of an expression: canonically, in R, and in Python."""

from __future__ import annotations

import keyword
import re
from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.expression_functions import CONTRASTS, FUNCTIONS
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

__all__ = ["number_text", "python_string", "r_string", "show"]

Style = Literal["canonical", "r", "python"]

_PRECEDENCE = {"+": 2, "-": 2, "*": 3, "/": 3, ":": 5, "**": 7}
_COMPARISON = 1
_UNARY = 6
_ATOM = 8
_TIGHT = {
    "canonical": {"*", "/", "**", ":"},
    "r": {"/", "**", ":"},
    "python": {":"},
}
_R_RESERVED = frozenset(
    {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE"}
    | {"NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_"}
    | {"T", "F", "True", "False", "None", "nan", "inf"}
)
_PLAIN = re.compile(r"(?:[^\W\d_]|\.(?![\d.]|$))[\w.]*")
_R_PLAIN = re.compile(r"(?:[A-Za-z]|\.(?![0-9]|$))[A-Za-z0-9._]*")


def show(node: Node, style: Style) -> str:
    """The text of `node`.

    Raises
    ------
    NotationError
        If the language of `style` lacks a function that the tree uses.
    """
    return _show(node, style)[0]


def _show(node: Node, style: Style) -> tuple[str, int]:
    """The text, and how tightly its outermost operator binds."""
    if isinstance(node, Name):
        return _name(node.name, style), _ATOM
    if isinstance(node, Number):
        return number_text(node.value), _ATOM
    if isinstance(node, Truth):
        return (str(node.value).upper() if style == "r" else str(node.value)), _ATOM
    if isinstance(node, Text):
        return (python_string if style == "python" else r_string)(node.value), _ATOM
    if isinstance(node, Negative):
        text, binds = _show(node.operand, style)
        return f"-{text if binds >= _UNARY else f'({text})'}", _UNARY
    if isinstance(node, Operation):
        return _operation(node, style)
    return _call(node, style), _ATOM


def _operation(node: Operation, style: Style) -> tuple[str, int]:
    assert node.left is not None
    binds = _PRECEDENCE.get(node.operator, _COMPARISON)
    left, left_binds = _show(node.left, style)
    right, right_binds = _show(node.right, style)
    power = node.operator == "**"
    if (
        left_binds < binds
        or (power and left_binds == binds)
        or (binds == _COMPARISON == left_binds)
    ):
        left = f"({left})"
    if right_binds < binds or (right_binds == binds and not power):
        right = f"({right})"
    operator = "^" if power and style == "r" else node.operator
    space = "" if node.operator in _TIGHT[style] else " "
    return f"{left}{space}{operator}{space}{right}", binds


def _call(node: Call, style: Style) -> str:
    if node.function == "c":
        inside = ", ".join(show(a, style) for a in node.args)
        return f"c({inside})" if style == "r" else f"[{inside}]"
    if node.function == "Treatment":
        return f"Treatment({show(node.args[0], style)})"
    if style == "r" and node.function == "C":
        return _r_factor(node)
    function = FUNCTIONS[node.function]
    name = {"canonical": node.function, "r": function.r, "python": function.python}[style]
    keywords = node.keywords
    if node.function == "scale":
        name, keywords = _scale(node, style, name)
    if not name:
        language = "R" if style == "r" else "Python (patsy)"
        raise NotationError(
            f"{language} has no function for {show(node, 'canonical')}.",
            hint="Compute the column before the model, or use bs() or I(): both languages do.",
        )
    renamed = {p.name: p.r or p.name for p in function.parameters} if style == "r" else {}
    equals = " = " if style == "r" else "="
    parts = [show(a, style) for a in node.args]
    bounds = dict(keywords)
    if style == "r" and {"lower_bound", "upper_bound"} <= set(bounds):
        ends = Call("c", (bounds["lower_bound"], bounds["upper_bound"]))
        keywords = (
            *((k, v) for k, v in keywords if not k.endswith("_bound")),
            ("Boundary.knots", ends),
        )
    parts += [f"{renamed.get(k, k)}{equals}{show(v, style)}" for k, v in keywords]
    return f"{name}({', '.join(parts)})"


def _scale(node: Call, style: Style, name: str) -> tuple[str, tuple[tuple[str, Node], ...]]:
    """``scale()`` divides by n - 1 in R and by n in patsy."""
    keywords = dict(node.keywords)
    scaled = keywords.get("scale") != Truth(False)
    if style == "python":
        if not scaled:
            if "center" in keywords:
                return "", ()
            return "center", ()
        renamed: dict[str, Node] = {}
        if "center" in keywords:
            renamed["center"] = keywords["center"]
        ddof = keywords.get("ddof", Number(1.0))
        if ddof != Number(0.0):
            renamed["ddof"] = ddof
        return name, tuple(renamed.items())
    if style == "r" and "ddof" in keywords:
        return "", ()
    return name, node.keywords


def _r_factor(node: Call) -> str:
    """``factor()``, ``relevel()`` or ``C()``, whichever says it in R."""
    inner = show(node.args[0], "r")
    keywords = dict(node.keywords)
    levels = f", levels = {show(keywords['levels'], 'r')}" if "levels" in keywords else ""
    contrast = node.args[1] if len(node.args) > 1 else None
    if contrast is None:
        return f"factor({inner}{levels})"
    if isinstance(contrast, Call):
        return f"relevel(factor({inner}{levels}), ref = {show(_level(contrast.args[0]), 'r')})"
    assert isinstance(contrast, Name)
    # R's C() takes no text column, so the factor is always made first.
    return f"C(factor({inner}{levels}), {CONTRASTS[contrast.name][1]})"


def _level(node: Node) -> Node:
    return Text(number_text(node.value)) if isinstance(node, Number) else node


def _name(name: str, style: Style) -> str:
    if style == "python":
        plain = name.isidentifier() and not keyword.iskeyword(name) and name.isascii()
        usable = plain and name not in _R_RESERVED
        return name if usable else f"Q({python_string(name)})"
    pattern = _R_PLAIN if style == "r" else _PLAIN
    if pattern.fullmatch(name) and name not in _R_RESERVED:
        return name
    return f"`{_escape(name, '`')}`"


def number_text(value: float) -> str:
    """The shortest text of a number, whole numbers without a point.

    Examples
    --------
    >>> number_text(2.0), number_text(0.001)
    ('2', '0.001')
    """
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _escape(text: str, mark: str) -> str:
    """Escape as both R and Python read it."""
    named = {"\\": "\\\\", mark: f"\\{mark}", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(
        named.get(c, c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 65536 else c)
        for c in text
    )


def r_string(text: str) -> str:
    r"""A string literal of R.

    Examples
    --------
    >>> print(r_string('a "b"'))
    "a \"b\""
    """
    return f'"{_escape(text, chr(34))}"'


def python_string(text: str) -> str:
    """A string literal of Python, in double quotes.

    Examples
    --------
    >>> print(python_string("it's"))
    "it's"
    """
    return f'"{_escape(text, chr(34))}"'
