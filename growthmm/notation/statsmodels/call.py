"""Find the call of ``mixedlm()`` in a Python program, by its syntax tree; nothing is run."""

from __future__ import annotations

import ast
import textwrap
import warnings
from dataclasses import dataclass

from growthmm.errors import NotationError

__all__ = ["MixedlmText", "find_mixedlm"]

MAX_LENGTH = 100_000
_ORDER = ("formula", "data", "re_formula", "vc_formula", "subset", "use_sparse", "missing")
_KNOWN = {*_ORDER, "groups", "eval_env"}
_FIT_ORDER = ("start_params", "reml")


@dataclass(frozen=True, slots=True)
class MixedlmText:
    """The arguments of a call of ``mixedlm()``.

    Parameters
    ----------
    formula : str
        Outcome and fixed effects.
    groups : str
        The column of groups.
    re_formula : str or None
        Correlated random effects; None where absent.
    components : tuple of (str, str)
        ``vc_formula``: name and formula of each variance component.
    reml : bool or None
        As ``fit()`` was told; None where it was not.
    data : str or None
        The name of the data, where it is a name.
    """

    formula: str
    groups: str
    re_formula: str | None
    components: tuple[tuple[str, str], ...]
    reml: bool | None
    data: str | None


@dataclass(frozen=True, slots=True)
class _Program:
    text: str

    def fail(self, message: str, node: ast.AST | None, hint: str | None = None) -> NotationError:
        position = 0
        if isinstance(node, ast.expr):
            lines = self.text.split("\n")
            before = lines[: node.lineno - 1]
            column = len(lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="ignore"))
            position = sum(len(line) + 1 for line in before) + column
        return NotationError(message, text=self.text, position=position, hint=hint)

    def tree(self) -> ast.Module:
        if len(self.text) > MAX_LENGTH or "\0" in self.text:
            raise self.fail(
                "The text is too long, or holds null characters", None, "Give the call alone."
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text)
        except SyntaxError as error:
            line = error.lineno or 1
            start = sum(len(t) + 1 for t in self.text.split("\n")[: line - 1])
            raise NotationError(
                f"This is no Python: {error.msg}",
                text=self.text,
                position=start + max((error.offset or 1) - 1, 0),
                hint='Write smf.mixedlm("y ~ t", data, groups="id", re_formula="~ t").',
            ) from None
        except (RecursionError, MemoryError, ValueError):
            raise self.fail(
                "The text is nested too deeply to be read", None, "Give the call alone."
            ) from None

    def string(self, node: ast.expr, what: str) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "\0" in node.value:
                raise self.fail(f"{what} holds a null character", node, "Remove it.")
            return node.value
        raise self.fail(
            f"{what} must be written out as a string",
            node,
            "Write it in quotes, without variables.",
        )


def _is_mixedlm(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id == "mixedlm"
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr == "mixedlm":
        return True
    owner = function.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return function.attr == "from_formula" and name == "MixedLM"


_OTHERS = {
    "gee": "generalised estimating equations",
    "glm": "generalised linear models",
    "ols": "linear models without random effects",
    "nominal_gee": "generalised estimating equations",
    "ordinal_gee": "generalised estimating equations",
    "from_formula": "another model than MixedLM",
}


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def find_mixedlm(text: str) -> MixedlmText:
    """The arguments of the one call of ``mixedlm()`` in a program.

    Parameters
    ----------
    text : str
        A Python program or expression.

    Returns
    -------
    MixedlmText
        What the call says.

    Raises
    ------
    NotationError
        If the text is no Python, has no such call or several, or an argument is computed.

    Examples
    --------
    >>> find_mixedlm('smf.mixedlm("y ~ t", d, groups="id").fit(reml=False)').reml
    False
    """
    program = _Program(textwrap.dedent(text).strip("\n") if text.strip() else text)
    module = program.tree()
    calls = [n for n in ast.walk(module) if isinstance(n, ast.Call)]
    found = [call for call in calls if _is_mixedlm(call)]
    other = next((call for call in calls if _name(call) in _OTHERS), None)
    if not found and other is not None:
        raise program.fail(
            f"{_name(other)}() fits {_OTHERS[_name(other)]} and is not read",
            other,
            'Write smf.mixedlm("y ~ t", data, groups="id", re_formula="~ t").',
        )
    if len(found) != 1:
        raise program.fail(
            f"{len(found)} calls of mixedlm(), where one was expected"
            if found
            else "There is no call of mixedlm()",
            found[1] if found else None,
            'Write smf.mixedlm("y ~ t", data, groups="id", re_formula="~ t").',
        )
    call = found[0]
    given = _arguments(program, call, _ORDER)
    unknown = [name for name in given if name not in _KNOWN]
    if unknown:
        raise program.fail(
            f"mixedlm() has no argument {unknown[0]}=",
            given[unknown[0]],
            f"Arguments: {', '.join(sorted(_KNOWN))}.",
        )
    if "formula" not in given or "groups" not in given:
        missing = "formula" if "formula" not in given else "groups"
        raise program.fail(f"mixedlm() lacks {missing}=", call, 'Write groups="id".')
    if not _is_none(given.get("subset")):
        raise program.fail(
            "mixedlm(): subset= is not supported",
            given["subset"],
            "Select the rows in the data before the model.",
        )
    re_formula = given.get("re_formula")
    data = given.get("data")
    return MixedlmText(
        formula=program.string(given["formula"], "The formula"),
        groups=_groups(program, given["groups"]),
        re_formula=None
        if re_formula is None or _is_none(re_formula)
        else program.string(re_formula, "re_formula"),
        components=_components(program, given.get("vc_formula")),
        reml=_reml(program, module, calls, call),
        data=data.id if isinstance(data, ast.Name) else None,
    )


def _arguments(program: _Program, call: ast.Call, order: tuple[str, ...]) -> dict[str, ast.expr]:
    if len(call.args) > len(order) or any(isinstance(a, ast.Starred) for a in call.args):
        raise program.fail("Too many arguments without names", call, "Name them.")
    given = dict(zip(order, call.args, strict=False))
    for item in call.keywords:
        if item.arg is None:
            raise program.fail("Arguments in ** cannot be read", item.value, "Write them out.")
        if item.arg in given:
            raise program.fail(f"{item.arg}= is given twice", item.value, "Keep one.")
        given[item.arg] = item.value
    return given


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _groups(program: _Program, node: ast.expr) -> str:
    """``"id"``, ``data["id"]`` or ``data.id``."""
    if isinstance(node, ast.Subscript):
        node = node.slice
    elif isinstance(node, ast.Attribute):
        return node.attr
    name = program.string(node, "groups")
    if not name:
        raise program.fail("groups is empty", node, 'Write groups="id".')
    return name


def _components(program: _Program, node: ast.expr | None) -> tuple[tuple[str, str], ...]:
    if node is None or _is_none(node):
        return ()
    if not isinstance(node, ast.Dict):
        raise program.fail(
            "vc_formula must be written out as a dictionary",
            node,
            'Write vc_formula={"t": "0 + t"}.',
        )
    found: dict[str, str] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise program.fail("vc_formula holds **", value, "Write its entries out.")
        name = program.string(key, "A name in vc_formula")
        if name in found:
            raise program.fail(f"vc_formula has {name!r} twice", key, "Keep one.")
        found[name] = program.string(value, f"vc_formula[{name!r}]")
    return tuple(found.items())


def _reml(
    program: _Program, module: ast.Module, calls: list[ast.Call], model: ast.Call
) -> bool | None:
    """What ``fit()`` of this model, or of the variable it is assigned to, was told."""
    names = {
        target.id
        for statement in ast.walk(module)
        if isinstance(statement, ast.Assign) and statement.value is model
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for call in calls:
        function = call.func
        if not isinstance(function, ast.Attribute):
            continue
        owner = function.value
        if owner is not model and not (isinstance(owner, ast.Name) and owner.id in names):
            continue
        if function.attr == "fit_regularized":
            message = "fit_regularized() fits with a penalty, which is not supported"
            raise program.fail(message, call, "Write .fit().")
        if function.attr != "fit":
            continue
        value = _arguments(program, call, _FIT_ORDER).get("reml")
        if value is None:
            return None
        if not (isinstance(value, ast.Constant) and isinstance(value.value, bool)):
            raise program.fail("reml must be True or False", value, "Write reml=False.")
        return value.value
    return None
