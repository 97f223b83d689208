"""Calls of OpenMx functions as values: models, paths, data, algebras, constraints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from growthmm.errors import NotationError
from growthmm.notation.lavaan.parser import Source
from growthmm.notation.openmx.data import DataPart, data_part
from growthmm.notation.openmx.parser import (
    Assign,
    Binary,
    Call,
    Field,
    Index,
    Name,
    Node,
    Number,
    String,
    Unary,
)
from growthmm.notation.openmx.parts import (
    AlgebraPart,
    ConstraintPart,
    GroupsPart,
    Ignored,
    ModelPart,
    PathPart,
    Several,
    Unknown,
    Value,
)
from growthmm.notation.openmx.values import (
    CONSTANTS,
    NULL,
    VECTOR_FUNCTIONS,
    RError,
    Vector,
    binary,
    bind,
    negative,
    opposite,
    subset,
)

__all__ = ["run"]


_SAME_MODEL = ("mxRun", "mxTryHard", "mxTryHardOrig", "mxTryHardWideSearch", "mxAutoStart")
_NO_PART = ("mxCI", "mxFitFunctionML", "mxComputeSequence", "mxComputeDefault")
_REPORTS = frozenset(
    {
        "mxAvailableOptimizers",
        "mxBootstrap",
        "mxCheckIdentification",
        "mxCompare",
        "mxEval",
        "mxFactorScores",
        "mxGenerateData",
        "mxGetExpected",
        "mxParametricBootstrap",
        "mxRefModels",
        "mxSE",
        "mxStandardizeRAMpaths",
        "mxVersion",
        "omxGetParameters",
        "omxGraphviz",
    }
)
_PATH = ("from", "to", "connect", "arrows", "free", "values", "labels", "lbound", "ubound")
_CONNECT = ("single", "all.pairs", "unique.pairs", "all.bivariate", "unique.bivariate")


def run(statements: tuple[Node, ...], source: Source) -> tuple[ModelPart, ...]:
    """Work out what a script's statements say of models.

    Parameters
    ----------
    statements : tuple of Node
        The script.
    source : Source
        Its text, for errors.

    Returns
    -------
    tuple of ModelPart
        Every model that the script makes, in order; a later version replaces an earlier one of
        the same name.

    Raises
    ------
    NotationError
        If a model uses something that is not read.
    """
    script = _Script(source)
    for node in statements:
        script.statement(node)
    return tuple(script.models.values())


@dataclass
class _Script:
    """The variables that a script has set so far, and its models."""

    source: Source
    variables: dict[str, Value] = field(default_factory=dict)
    models: dict[str, ModelPart] = field(default_factory=dict)

    def fail(self, message: str, node: Node, hint: str | None = None) -> NotationError:
        return self.source.error(message, node.position, hint=hint)

    def statement(self, node: Node) -> Value:
        value = self._assigned(node) if isinstance(node, Assign) else self.value(node)
        if isinstance(value, ModelPart):
            for part in value.submodels:
                self.models.pop(part.name, None)
            self.models.pop(value.name, None)
            self.models[value.name] = value
        return value

    def _assigned(self, node: Assign) -> Value:
        value = self.statement(node.value)
        target = node.target
        if isinstance(target, (Name, String)):
            self.variables[target.text] = value
            return value
        root: Node = target
        while isinstance(root, (Index, Field)) or (isinstance(root, Call) and root.arguments):
            root = root.target if isinstance(root, (Index, Field)) else _inside(root)
        if isinstance(root, Name) and isinstance(self.variables.get(root.text), ModelPart):
            raise self.fail(
                "A change within a model is not read.", node, "Say it in mxPath(), in the model."
            )
        return Ignored()

    def value(self, node: Node) -> Value:
        """The value of an expression."""
        try:
            return self._value(node)
        except RError as error:
            raise self.fail(f"{error}.", node) from None

    def _value(self, node: Node) -> Value:
        if isinstance(node, Number):
            return Vector((node.value,))
        if isinstance(node, String):
            return Vector((node.text,))
        if isinstance(node, Name):
            return self.variables.get(node.text) or CONSTANTS.get(node.text) or Unknown(node)
        if isinstance(node, Unary):
            operand = self.value(node.operand)
            if not isinstance(operand, Vector) or node.op == "~":
                return Unknown(node)
            if node.op == "+":
                return operand
            return negative(operand) if node.op == "-" else opposite(operand)
        if isinstance(node, Binary):
            left, right = self.value(node.left), self.value(node.right)
            if isinstance(left, Vector) and isinstance(right, Vector) and node.op in "+-*/^:":
                return binary(node.op, left, right)
            return Unknown(node)
        if isinstance(node, Index):
            return self._element(node)
        if isinstance(node, Call):
            return self._called(node)
        return self.statement(node) if isinstance(node, Assign) else Unknown(node)

    def _element(self, node: Index) -> Value:
        target = self.value(node.target)
        if isinstance(target, Vector) and len(node.arguments) == 1:
            argument = node.arguments[0].value
            index = self.value(argument) if argument is not None else Ignored()
            if isinstance(index, Vector):
                return subset(target, index)
        return Unknown(node)

    def _called(self, node: Call) -> Value:
        name = node.function
        if name in _CALLS:
            return _CALLS[name](self, node)
        if name in _NO_PART:
            return Ignored()
        if name in _SAME_MODEL:
            return self._arguments(node)[0][1] if node.arguments else Unknown(node)
        if name.startswith(("mx", "omx", "imx")) and name not in _REPORTS:
            raise self.fail(
                f"{name}() is not read.",
                node,
                'Read are mxModel(type = "RAM"), mxPath, mxData, mxAlgebra, mxConstraint and '
                "mxFitFunctionMultigroup.",
            )
        function = VECTOR_FUNCTIONS.get(name)
        if function is None:
            return Unknown(node)
        arguments = self._arguments(node)
        vectors = [(label, value) for label, value in arguments if isinstance(value, Vector)]
        if len(vectors) == len(arguments):
            return function(vectors)
        parts = tuple(value for _, value in arguments)
        return Several(parts) if name in ("c", "list") else Unknown(node)

    def _arguments(self, node: Call) -> list[tuple[str | None, Value]]:
        return [
            (argument.name, self.value(argument.value))
            for argument in node.arguments
            if argument.value is not None
        ]

    def known(self, node: Call) -> list[tuple[str | None, Vector]]:
        """Arguments, all of which must have a value."""
        made = []
        for argument in node.arguments:
            if argument.value is None:
                continue
            value = self.value(argument.value)
            if not isinstance(value, Vector):
                raise self.fail(
                    f"This argument of {node.function}() cannot be worked out from the text.",
                    argument.value,
                    "Write names and numbers out: c(...), paste0(...), 0:3, rep(...).",
                )
            made.append((argument.name, value))
        return made


def _inside(call: Call) -> Node:
    value = call.arguments[0].value
    return value if value is not None else String("", call.position)


def _strings(value: Vector, what: str) -> tuple[str, ...]:
    if value.items in ((), (None,)):
        return ()
    strings = tuple(item for item in value.items if isinstance(item, str))
    if len(strings) != len(value):
        raise RError(f"{what} should be strings")
    return strings


def _path(script: _Script, node: Call) -> PathPart:
    bound = bind(script.known(node), _PATH)
    _strings(bound.named.get("from", NULL), "from")
    if not len(bound.named.get("from", NULL)):
        raise RError("mxPath() needs from")
    connect = bound.named.get("connect", Vector(("single",)))
    if len(connect) != 1 or connect.items[0] not in _CONNECT:
        raise RError(f"connect should be one of {', '.join(_CONNECT)}")
    targets = bound.named.get("to", NULL)
    _strings(targets, "to")

    def given(name: str, default: bool | float | None, kinds: tuple[str, ...]) -> Vector:
        value = bound.named.get(name, Vector((default,)))
        empty = all(item is None for item in value.items)
        if not len(value) or (value.kind not in kinds and not empty):
            raise RError(f"{name} should be {kinds[0]}")
        if name in ("arrows", "free") and any(item is None for item in value.items):
            raise RError(f"{name} should not be NA")
        return value

    return PathPart(
        bound.named["from"],
        NULL if targets.items == (None,) else targets,
        connect.items[0],
        given("arrows", 1.0, ("numeric",)),
        given("free", True, ("logical",)),
        given("values", None, ("numeric",)),
        given("labels", None, ("character",)),
        given("lbound", None, ("numeric",)),
        given("ubound", None, ("numeric",)),
        node.position,
    )


def _named_expression(script: _Script, node: Call) -> tuple[Node, str | None]:
    """The unevaluated first argument of ``mxAlgebra()`` and the like, and its name."""
    expression: Node | None = None
    name: str | None = None
    for argument in node.arguments:
        if argument.name == "name" or (argument.name is None and expression is not None):
            value = script.value(argument.value) if argument.value is not None else NULL
            if not isinstance(value, Vector) or len(_strings(value, "name")) != 1:
                raise RError("name should be one string")
            name = cast("str", value.items[0])
        elif argument.name in (None, "expression"):
            expression = argument.value
        else:
            raise RError(f"The argument {argument.name} of {node.function}() is not read")
    if expression is None:
        raise RError(f"{node.function}() needs an expression")
    return expression, name


def _algebra(script: _Script, node: Call) -> AlgebraPart:
    expression, name = _named_expression(script, node)
    if name is None:
        raise RError("mxAlgebra() needs a name")
    return AlgebraPart(name, expression, node.position)


def _constraint(script: _Script, node: Call) -> ConstraintPart:
    relation, _ = _named_expression(script, node)
    if not isinstance(relation, Binary) or relation.op not in ("==", "<", ">"):
        raise RError("mxConstraint() needs a relation: ==, < or >")
    return ConstraintPart(relation, node.position)


def _groups(script: _Script, node: Call) -> GroupsPart:
    bound = bind(script.known(node), ("groups",), True)
    names = _strings(bound.named.get("groups", NULL), "groups")
    return GroupsPart(tuple(name.removesuffix(".fitfunction") for name in names), node.position)


def _data(script: _Script, node: Call) -> DataPart:
    def follow(target: Node) -> Node:
        if isinstance(target, Name):
            value = script.variables.get(target.text)
            if isinstance(value, Unknown) and isinstance(value.node, (Call, Index)):
                return value.node
        return target

    return data_part(node, follow, script.source)


def _option(script: _Script, node: Call) -> Value:
    arguments = script._arguments(node)
    if not arguments or not isinstance(arguments[0][1], ModelPart):
        return Ignored()
    settings = [v.items[0] if isinstance(v, Vector) and v.items else None for _, v in arguments[1:]]
    observed = settings[:1] == ["Calculate Hessian"] and settings[1:2] == ["Yes"]
    model = arguments[0][1]
    return replace(model, observed_information=model.observed_information or observed)


def _model(script: _Script, node: Call) -> ModelPart:
    made = ModelPart("", "", position=node.position)
    first = True
    for argument in node.arguments:
        if argument.value is None:
            continue
        value = script.value(argument.value)
        if argument.name in (None, "model"):
            if first and isinstance(value, ModelPart):
                made = replace(value, position=node.position)
            elif first and isinstance(value, Vector):
                made = replace(made, name="".join(_strings(value, "The model's name")))
            else:
                made = _with(made, value, script, argument.value)
            first = False
            continue
        if not isinstance(value, Vector):
            raise script.fail(
                f"The argument {argument.name} cannot be worked out from the text.", argument.value
            )
        made = _setting(made, argument.name, value)
    return made


def _setting(made: ModelPart, name: str, value: Vector) -> ModelPart:
    if name == "manifestVars":
        return replace(
            made, manifest=tuple(dict.fromkeys((*made.manifest, *_strings(value, name))))
        )
    if name == "latentVars":
        return replace(made, latent=tuple(dict.fromkeys((*made.latent, *_strings(value, name)))))
    if name in ("type", "name"):
        strings = _strings(value, name)
        if len(strings) != 1:
            raise RError(f"{name} should be one string")
        if name == "name":
            return replace(made, name=strings[0])
        if strings[0] != "RAM":
            raise RError(f'Models of type "{strings[0]}" are not read; type = "RAM" is')
        return replace(made, kind="RAM")
    if name == "independent" and value.items == (False,):
        return made
    raise RError(f"The argument {name} of mxModel() is not read")


def _with(made: ModelPart, value: Value, script: _Script, node: Node) -> ModelPart:
    """The model with one more part."""
    if isinstance(value, Several):
        for part in value.parts:
            made = _with(made, part, script, node)
        return made
    if isinstance(value, PathPart):
        return replace(made, paths=(*made.paths, value))
    if isinstance(value, (AlgebraPart, ConstraintPart)):
        return replace(made, relations=(*made.relations, value))
    if isinstance(value, DataPart):
        return replace(made, data=value)
    if isinstance(value, GroupsPart):
        return replace(made, groups=value)
    if isinstance(value, ModelPart):
        others = tuple(part for part in made.submodels if part.name != value.name)
        return replace(made, submodels=(*others, value))
    if isinstance(value, Ignored) or value == NULL:
        return made
    raise script.fail(
        "This part of the model cannot be worked out from the text.",
        node,
        "Write mxPath(), mxData(), mxAlgebra() and mxConstraint() out.",
    )


_CALLS: dict[str, Callable[[_Script, Call], Value]] = {
    "mxModel": _model,
    "mxPath": _path,
    "mxData": _data,
    "mxAlgebra": _algebra,
    "mxConstraint": _constraint,
    "mxFitFunctionMultigroup": _groups,
    "mxOption": _option,
}
