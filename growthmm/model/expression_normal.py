"""From a parsed tree to its normal form: known functions, arguments in one order, one spelling."""

from __future__ import annotations

from typing import Literal

from growthmm.errors import NotationError
from growthmm.model.expression_functions import ALIASES, CONTRASTS, FUNCTIONS, Function, Parameter
from growthmm.model.expression_tree import (
    Call,
    Name,
    Negative,
    Node,
    Number,
    Operation,
    Text,
    Truth,
    depth,
)

__all__ = ["normal"]

MAX_DEPTH = 150
_EQUALITIES = {"==", "!="}
_COMPARISONS = {"<", ">", "<=", ">=", *_EQUALITIES}
_OPERATORS = {"+", "-", "*", "/", "**", ":", *_COMPARISONS}
_AS_NUMBERS = {"as.numeric", "as.integer", "as.double"}
_RESERVED = {"NULL", "NA", "NaN", "Inf", "None", "nan", "inf", "."}
_CONTRAST_HINT = "Contrasts: Treatment, Treatment(level), Sum, Helmert, Poly, or R's contr.sum ..."


class _Normaliser:
    def __init__(self, shown: str, language: Literal["r", "python"]) -> None:
        self.shown = shown
        self.language = language

    def fail(self, message: str, node: Node, hint: str | None = None) -> NotationError:
        return NotationError(message, text=self.shown, position=node.position, hint=hint)

    def node(self, node: Node) -> Node:
        if isinstance(node, Name):
            if not node.quoted and node.name in _RESERVED:
                raise self.fail(
                    f"{node.name} is no column", node, "Quote it in backticks if it is one."
                )
            return Name(node.name)
        if isinstance(node, Number):
            return Number(node.value)
        if isinstance(node, Negative):
            return Negative(self.node(node.operand))
        if isinstance(node, Operation):
            if node.operator not in _OPERATORS or node.left is None:
                raise self.fail(
                    f"The operator {node.operator} has no meaning within a factor",
                    node,
                    "Within I() use + - * / ^ and comparisons.",
                )
            if node.operator in _EQUALITIES:
                return self.equality(node.operator, node.left, node.right)
            return Operation(node.operator, self.node(node.left), self.node(node.right))
        if isinstance(node, Call):
            return self.indicator(node) or self.call(node)
        raise self.fail("A column or a number was expected, not a literal", node, "Name a column.")

    def equality(self, operator: str, left: Node, right: Node) -> Node:
        """A comparison; a column is also equal to a text or a truth, the column to its left."""
        if isinstance(left, Text | Truth) and isinstance(right, Name):
            left, right = right, left
        if isinstance(left, Name) and isinstance(right, Text | Truth):
            literal: Node = Text(right.value) if isinstance(right, Text) else Truth(right.value)
            return Operation(operator, self.node(left), literal)
        return Operation(operator, self.node(left), self.node(right))

    def indicator(self, node: Call) -> Node | None:
        """A product with 1: lme4's ``dummy(x, "level")``, ``as.numeric()`` of a comparison."""
        if node.keywords:
            return None
        if node.function == "dummy" and len(node.args) == 2:
            truth: Node = Operation("==", node.args[0], node.args[1])
        elif node.function in _AS_NUMBERS and len(node.args) == 1:
            truth = node.args[0]
        else:
            return None
        if not isinstance(truth, Operation) or truth.operator not in _COMPARISONS:
            return None
        product = Operation("*", Number(1.0), self.node(truth))
        return product if node.function in _AS_NUMBERS else Call("I", (product,))

    def call(self, node: Call) -> Node:
        name = ALIASES.get(node.function, node.function)
        if node.function == "Q" and len(node.args) == 1 and isinstance(node.args[0], Text):
            return Name(node.args[0].value)
        if node.function in ("center", "standardize", "standardise"):
            return self.call(self.centred(node))
        if node.function == "relevel":
            node = self.releveled(node)
        if node.function in ("np.power", "numpy.power") and len(node.args) == 2:
            return Call("I", (self.node(Operation("**", *node.args)),))
        function = FUNCTIONS.get(name)
        if function is None or (function.kind == "lag" and self.language == "python"):
            raise self.fail(
                f"Unknown function {node.function}()",
                node,
                f"Functions: {', '.join(FUNCTIONS)}. Compute other columns before the model.",
            )
        node = Call(name, node.args, self.expanded(node), node.position)
        values = self.arguments(node, function)
        written = len(node.args) > 3 or any(k == "ddof" for k, _ in node.keywords)
        if name == "scale" and self.language == "python" and not written:
            values["ddof"] = Number(0.0)
        if name == "scale" and values.get("scale") == Truth(False):
            values.pop("ddof", None)
        if name == "C":
            return self.categorical(values)
        self.check(node, name, values)
        ordered = [p for p in function.parameters if p.name in values]
        positional = [p for p in ordered if p in function.parameters[: function.positional]]
        if name == "poly" and "degree" not in values:
            positional.append(Parameter("degree", "integer"))
            values["degree"] = Number(1.0)
        return Call(
            name,
            tuple(values[p.name] for p in positional),
            tuple((p.name, values[p.name]) for p in ordered if p not in positional),
        )

    def centred(self, node: Call) -> Call:
        """Patsy's ``center(x)`` and ``standardize(x)`` as ``scale()``."""
        if node.function == "center":
            return Call(
                "scale", node.args, (("scale", Truth(False)), *node.keywords), node.position
            )
        keywords = {"ddof": Number(0.0), **dict(node.keywords)}
        return Call("scale", node.args, tuple(keywords.items()), node.position)

    def releveled(self, node: Call) -> Call:
        """R's ``relevel(x, ref = "b")``, ``ref`` by name or in its place, as ``C()``."""
        given = [*node.args[1:2], *(value for name, value in node.keywords if name == "ref")]
        others = tuple(pair for pair in node.keywords if pair[0] != "ref")
        if len(given) != 1 or len(node.args) > 2:
            raise self.fail(
                "relevel() takes a factor and its new reference",
                node,
                'Write relevel(x, ref = "b").',
            )
        if isinstance(given[0], Number):
            raise self.fail(
                "relevel() with a number counts levels, in the order that R has them",
                node,
                'Name the level in quotes: relevel(x, ref = "b").',
            )
        contrast = Call("Treatment", (given[0],), (), node.position)
        return Call("C", node.args[:1], (("contrast", contrast), *others), node.position)

    def expanded(self, node: Call) -> tuple[tuple[str, Node], ...]:
        """Keywords with R's names turned into canonical ones."""
        keywords: list[tuple[str, Node]] = []
        for name, value in node.keywords:
            if name == "Boundary.knots":
                if not (isinstance(value, Call) and value.function == "c" and len(value.args) == 2):
                    raise self.fail("Boundary.knots takes two numbers", value, "Write c(0, 5).")
                keywords += [("lower_bound", value.args[0]), ("upper_bound", value.args[1])]
            elif name == "intercept":
                keywords.append(("include_intercept", value))
            else:
                keywords.append((name, value))
        return tuple(keywords)

    def arguments(self, node: Call, function: Function) -> dict[str, Node]:
        parameters = {p.name: p for p in function.parameters}
        names = list(parameters)
        if len(node.args) > len(names):
            raise self.fail(
                f"{node.function}() takes at most {len(names)} arguments, not {len(node.args)}",
                node,
                f"Arguments: {', '.join(names)}.",
            )
        given = dict(zip(names, node.args, strict=False))
        for name, value in node.keywords:
            if name not in parameters:
                raise self.fail(
                    f"{node.function}() has no argument {name}=",
                    value,
                    f"Arguments: {', '.join(names)}.",
                )
            if name in given:
                raise self.fail(f"{node.function}(): {name} is given twice", value, "Keep one.")
            given[name] = value
        values: dict[str, Node] = {}
        for parameter in function.parameters:
            if parameter.name not in given:
                if parameter.required:
                    raise self.fail(
                        f"{node.function}() lacks its argument {parameter.name}", node, "Give it."
                    )
                continue
            taken = self.value(node.function, parameter, given[parameter.name])
            if taken is not None and not _is_default(parameter, taken):
                values[parameter.name] = taken
        return values

    def value(self, function: str, parameter: Parameter, node: Node) -> Node | None:
        what, kind = f"{function}(): {parameter.name}", parameter.value
        if kind == "expression":
            return self.node(node)
        if isinstance(node, Name) and node.name in ("NULL", "None"):
            return None
        if kind == "truth":
            if isinstance(node, Name) and node.name in ("T", "F"):
                return Truth(node.name == "T")
            if not isinstance(node, Truth):
                raise self.fail(f"{what} must be TRUE or FALSE", node, "Write TRUE or FALSE.")
            return Truth(node.value)
        if kind == "contrast":
            return self.contrast(node)
        if kind == "levels":
            return self.vector(what, node, texts=True)
        if kind == "numbers":
            return self.vector(what, node, texts=False)
        number = _number(node)
        if number is None or (kind == "integer" and not number.is_integer()):
            raise self.fail(
                f"{what} must be a{' whole' if kind == 'integer' else ''} number",
                node,
                "Write a number.",
            )
        return _as_node(number)

    def vector(self, what: str, node: Node, *, texts: bool) -> Node:
        items = node.args if isinstance(node, Call) and node.function == "c" else (node,)
        if isinstance(node, Call) and (node.function != "c" or node.keywords):
            raise self.fail(f"{what} must be a list", node, "Write c(1, 2) or [1, 2].")
        values: list[Node] = []
        for item in items:
            number = _number(item)
            if number is not None:
                values.append(_as_node(number))
            elif texts and isinstance(item, Text | Truth):
                values.append(Text(item.value) if isinstance(item, Text) else Truth(item.value))
            else:
                raise self.fail(f"{what} must hold literals alone", item, "Write c(1, 2).")
        if not values:
            raise self.fail(f"{what} is empty", node, "Leave it out.")
        return Call("c", tuple(values))

    def contrast(self, node: Node) -> Node | None:
        """A contrast; None for plain treatment contrasts, the default."""
        if isinstance(node, Text):
            node = Name(node.value, node.position)
        if isinstance(node, Name) and node.name in CONTRASTS:
            name = CONTRASTS[node.name][0]
            return None if name == "Treatment" else Name(name)
        if isinstance(node, Call) and node.function in CONTRASTS:
            name = CONTRASTS[node.function][0]
            arguments = [*node.args, *(v for _, v in node.keywords)]
            if any(k not in ("reference", "ref") for k, _ in node.keywords):
                raise self.fail(f"Unknown argument of {node.function}()", node, _CONTRAST_HINT)
            if not arguments:
                return None if name == "Treatment" else Name(name)
            if name == "Treatment" and len(arguments) == 1:
                level = self.vector("Treatment()", arguments[0], texts=True)
                assert isinstance(level, Call)
                if len(level.args) == 1:
                    return Call("Treatment", level.args)
        raise self.fail("Unknown contrast", node, _CONTRAST_HINT)

    def categorical(self, values: dict[str, Node]) -> Node:
        """``C()`` with a factor inside taken together with it."""
        inner = values["x"]
        contrast, levels = values.get("contrast"), values.get("levels")
        if isinstance(inner, Call) and inner.function == "C":
            inside = dict(inner.keywords)
            levels = levels or inside.get("levels")
            if contrast is None and len(inner.args) > 1:
                contrast = inner.args[1]
            inner = inner.args[0]
        args = (inner,) if contrast is None else (inner, contrast)
        return Call("C", args, () if levels is None else (("levels", levels),))

    def check(self, node: Call, name: str, values: dict[str, Node]) -> None:
        degree = values.get("degree")
        if isinstance(degree, Number | Negative) and not 1 <= (_number(degree) or 0) <= 50:
            raise self.fail(f"{name}(): degree must lie between 1 and 50", node, "Write 2 or 3.")
        df = values.get("df")
        if isinstance(df, Number | Negative) and not 1 <= (_number(df) or 0) <= 1000:
            raise self.fail(f"{name}(): df must lie between 1 and 1000", node, "Write df=4.")
        if name in ("bs", "ns", "cr") and "df" in values and "knots" in values:
            raise self.fail(f"{name}() takes df or knots, not both", node, "Drop one of them.")
        if name in ("bs", "ns", "cr") and ("lower_bound" in values) != ("upper_bound" in values):
            raise self.fail(f"{name}() needs both bounds or none", node, "Give the other bound.")
        lag = values.get("k")
        if lag is not None and not 1 <= (_number(lag) or 0) <= 1000:
            way = "back" if name == "lag" else "ahead"
            hint = f"Write {name}(x, 2)."
            raise self.fail(f"{name}() looks {way} by 1 occasion or more", node, hint)
        if FUNCTIONS[name].kind == "lag" and not isinstance(values["x"], Name):
            hint = "Compute the column before the model."
            raise self.fail(f"{name}() takes a column", node, hint)
        if name == "cr" and "df" not in values and "knots" not in values:
            raise self.fail("cr() needs df or knots", node, "Write cr(x, df=4).")


def _number(node: Node) -> float | None:
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Negative) and isinstance(node.operand, Number):
        return -node.operand.value
    return None


def _as_node(number: float) -> Node:
    return Negative(Number(-number)) if number < 0 else Number(abs(number))


def _is_default(parameter: Parameter, value: Node) -> bool:
    default = parameter.default
    if default is None or not isinstance(value, Number | Truth):
        return False
    return value.value == default and isinstance(value, Truth) == isinstance(default, bool)


def normal(node: Node, shown: str, language: Literal["r", "python"]) -> Node:
    """The normal form of a parsed expression.

    Parameters
    ----------
    node : Node
        The tree, as parsed.
    shown : str
        The text it came from, for errors.
    language : {"r", "python"}
        Whose meaning ``scale()`` has.

    Returns
    -------
    Node
        A tree without positions, of canonical functions with arguments in canonical order.

    Raises
    ------
    NotationError
        If a function or operator is no part of the language.
    """
    if depth(node) > MAX_DEPTH:
        raise NotationError(
            f"The expression is nested more than {MAX_DEPTH} deep",
            text=shown,
            position=node.position,
            hint="Compute the column before the model.",
        )
    return _Normaliser(shown, language).node(node)
