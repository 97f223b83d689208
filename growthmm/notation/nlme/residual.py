"""Residuals as nlme writes them: a correlation structure and a variance function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import quote, variables
from growthmm.model.expression_tree import Call, Name, Node, Number, Operation
from growthmm.model.mixed import RandomBlock
from growthmm.model.residual import ResidualKind, ResidualStructure
from growthmm.model.terms import Term
from growthmm.notation.formula.reading import read_conditioned
from growthmm.notation.r_code.arguments import Signature, matched
from growthmm.notation.r_code.call import Argument, CallText, truth_argument, whole_call
from growthmm.notation.residual_columns import by_column, by_columns

__all__ = ["Correlation", "Variances", "combined", "read_correlation", "read_weights"]

_CORRELATIONS: dict[str, ResidualKind] = {
    "corAR1": "ar1",
    "corCAR1": "ar1",
    "corExp": "ar1",
    "corCompSymm": "cs",
    "corSymm": "unstructured",
}
_VARIED: dict[ResidualKind, ResidualKind] = {
    "ar1": "arh1",
    "cs": "csh",
    "unstructured": "unstructured",
}
_DISTANCES = ("euclidean", "maximum", "manhattan")


@dataclass(frozen=True, slots=True)
class Correlation:
    """What a correlation structure says.

    Parameters
    ----------
    function : str
        The class.
    kind : str
        The residual structure with one variance.
    time : str or None
        The column of its covariate; None where it counts rows.
    groups : tuple of str
        Its grouping factors, from the outermost in.
    position : int
        Where it stands.
    defaults : tuple of Default
        What the program decides.
    """

    function: str
    kind: ResidualKind
    time: str | None
    groups: tuple[str, ...]
    position: int
    defaults: tuple[Default, ...] = ()


@dataclass(frozen=True, slots=True)
class Variances:
    """What a variance function says: a variance for each level of a column, or of two crossed."""

    column: str
    position: int
    crossed: str | None = None


def read_correlation(text: str, argument: Argument) -> Correlation:
    """Read the argument ``correlation`` of ``lme()`` or ``gls()``.

    Raises
    ------
    NotationError
        If it is malformed, or a structure that no growth model here has.
    """
    call = whole_call(text, argument)
    if call is None:
        written = text[argument.start : argument.stop]
        raise NotationError(
            "The correlation is no call of a correlation class",
            text=text,
            position=argument.start + len(written) - len(written.lstrip()),
            expected=tuple(f"{name}()" for name in _CORRELATIONS),
        )
    if call.function not in _CORRELATIONS:
        raise NotationError(
            f"The correlation class {call.function}() is not supported",
            text=text,
            position=call.start,
            expected=tuple(f"{name}()" for name in _CORRELATIONS),
        )
    spatial = call.function == "corExp"
    signature = Signature(
        call.function,
        ("value", "form", "nugget", "metric", "fixed") if spatial else ("value", "form", "fixed"),
        ("form", "nugget", "fixed") if spatial else ("form", "fixed"),
        f"{call.function}(form = ~ time | person)",
        frozenset({"value", "metric"}),
    )
    given = matched(text, call, signature)
    if "fixed" in given and truth_argument(text, given["fixed"], "fixed"):
        raise NotationError(
            f"{call.function}() with fixed parameters is not supported",
            text=text,
            position=given["fixed"].start,
            hint="Leave fixed out: the correlation is estimated.",
        )
    kind = _CORRELATIONS[call.function]
    if "nugget" in given and truth_argument(text, given["nugget"], "nugget"):
        kind = "ar1+common"
    time, groups, notes = _form(text, call, given.get("form"))
    if call.function in ("corCAR1", "corExp"):
        what = f"{call.function}: phi between 0 and 1"
        notes = (*notes, Default("correlation of residuals", "positive", what))
    return Correlation(call.function, kind, time, groups, call.start, notes)


def _form(
    text: str, call: CallText, form: Argument | None
) -> tuple[str | None, tuple[str, ...], tuple[Default, ...]]:
    """The covariate's column, the grouping factors, and what is decided silently."""
    if form is None:
        return None, (), _row_order(call.function, "form = ~ 1 unless told")
    left, groups = read_conditioned(form.blanked(text), shown=text)
    if isinstance(left, Number) and left.value == 1.0:
        return None, groups, _row_order(call.function, "form = ~ 1")
    shifted, counted = _column(left), _counted(left)
    name = counted if shifted is None else shifted
    if name is None:
        raise NotationError(
            f"The covariate of {call.function}() must be one column of times",
            text=text,
            position=left.position,
            hint="Write form = ~ time | person.",
        )
    if counted is not None and call.function in ("corAR1", "corCAR1", "corExp"):
        rule = f"{call.function}: the covariate is a number of the occasion"
        return name, groups, (Default("distance of residuals", "in occasions", rule),)
    return name, groups, ()


def _row_order(function: str, form: str) -> tuple[Default, ...]:
    if function == "corCompSymm":
        return ()
    return (
        Default(
            "distance of residuals",
            "in rows of the data, taken as occasions",
            f"{function}: {form} counts rows, whatever is missing between them",
        ),
    )


def _column(node: Node) -> str | None:
    """The column of a time that is shifted by a constant at most."""
    if isinstance(node, Call) and node.function == "I" and len(node.args) == 1:
        return _column(node.args[0])
    if isinstance(node, Operation) and node.operator in ("+", "-"):
        if isinstance(node.right, Number) and node.left is not None:
            return _column(node.left)
        if node.operator == "+" and isinstance(node.left, Number):
            return _column(node.right)
    return node.name if isinstance(node, Name) else None


def _counted(node: Node) -> str | None:
    """The column whose levels are numbered: ``as.integer(factor(t))``."""
    if isinstance(node, Call) and len(node.args) == 1 and not node.keywords:
        if node.function in ("as.integer", "as.numeric", "unclass"):
            inner = node.args[0]
            return inner.name if isinstance(inner, Name) else _counted(inner)
        if node.function in ("factor", "as.factor") and isinstance(node.args[0], Name):
            return node.args[0].name
    return None


def read_weights(text: str, argument: Argument) -> Variances:
    """Read the argument ``weights`` of ``lme()`` or ``gls()``: ``varIdent`` and nothing else.

    Raises
    ------
    NotationError
        If it is malformed or another variance function.
    """
    call = whole_call(text, argument)
    hint = "Write varIdent(form = ~ 1 | time)."
    if call is None or call.function != "varIdent":
        written = text[argument.start : argument.stop]
        what = (
            "Weights other than varIdent() are"
            if call is None
            else (f"The variance function {call.function}() is")
        )
        raise NotationError(
            f"{what} not supported",
            text=text,
            position=argument.start + len(written) - len(written.lstrip()),
            hint=hint,
        )
    signature = Signature(
        "varIdent",
        ("value", "form"),
        ("form",),
        "varIdent(form = ~ 1 | time)",
        frozenset({"value"}),
        {"fixed": "Leave it out: the variances are estimated."},
    )
    given = matched(text, call, signature)
    form = given.get("form")
    if form is None and "value" in given:
        written = text[given["value"].start : given["value"].stop].lstrip()
        form = given["value"] if written.startswith("~") else None
    if form is None:
        raise NotationError("varIdent() names no column", text=text, position=call.start, hint=hint)
    # varIdent() has a variance for every combination of levels, which it writes as a product.
    left, groups = read_conditioned(form.blanked(text).replace("*", ":"), shown=text)
    if not (isinstance(left, Number) and left.value == 1.0) or len(groups) != 1:
        raise NotationError(
            "varIdent() takes the levels of one column",
            text=text,
            position=left.position,
            hint=hint,
        )
    names = variables(groups[0])
    if len(names) > 2 or groups[0] != ":".join(quote(name) for name in names):
        raise NotationError(
            "varIdent() takes the levels of one column",
            text=text,
            position=left.position,
            hint=hint,
        )
    return Variances(names[0], call.start, names[1] if len(names) > 1 else None)


def combined(
    text: str,
    correlation: Correlation | None,
    variances: Variances | None,
    fixed: Sequence[Term],
    random: Sequence[RandomBlock],
) -> ResidualStructure:
    """The residual structure of a correlation and variances together.

    Parameters
    ----------
    text : str
        The text, for errors.
    correlation, variances : optional
        What was read.
    fixed, random : sequence
        The model's terms.

    Raises
    ------
    NotationError
        If there is no such residual structure, or the two are about different columns.
    """
    if correlation is None:
        if variances is None:
            return ResidualStructure()
        if variances.crossed is not None:
            return by_columns((variances.column, variances.crossed), random)
        return by_column(variances.column, fixed, random)
    across = _across(correlation, variances, random)
    if across is not None:
        return across
    person = _person(text, correlation, random)
    if variances is None:
        if correlation.kind == "unstructured":
            raise NotationError(
                "corSymm() with one variance for all occasions is not supported",
                text=text,
                position=correlation.position,
                hint="Add weights = varIdent(form = ~ 1 | time) for unstructured residuals.",
            )
        return ResidualStructure(correlation.kind, time=correlation.time, person=person)
    if variances.crossed is not None:
        raise NotationError(
            "A correlation with variances by two columns is not supported",
            text=text,
            position=variances.position,
            hint="Write varIdent(form = ~ 1 | time).",
        )
    if correlation.kind not in _VARIED:
        raise NotationError(
            f"{correlation.function}() with nugget = TRUE and varIdent() is not supported",
            text=text,
            position=variances.position,
            hint="Leave one of them out.",
        )
    if correlation.time not in (None, variances.column):
        raise NotationError(
            f"The variances are by {variances.column}, the correlation over {correlation.time}",
            text=text,
            position=variances.position,
            hint="Write both with the column of times.",
        )
    kind = _VARIED[correlation.kind]
    return ResidualStructure(kind, time=variances.column, person=person)


def _across(
    correlation: Correlation, variances: Variances | None, random: Sequence[RandomBlock]
) -> ResidualStructure | None:
    """Covariances of the outcomes within person and time: one level more than random effects."""
    groups = tuple(dict.fromkeys(block.group for block in random))
    if correlation.kind != "unstructured" or variances is None or variances.crossed is not None:
        return None
    if not groups or correlation.time not in (None, variances.column):
        return None
    own = correlation.groups
    if own[: len(groups)] != groups or len(own) != len(groups) + 1:
        return None
    time = variables(own[-1])[-1]
    return ResidualStructure("across", by=variances.column, time=time, person=groups[-1])


def _person(text: str, correlation: Correlation, random: Sequence[RandomBlock]) -> str | None:
    groups = tuple(dict.fromkeys(block.group for block in random))
    own = correlation.groups
    if not own:
        if groups:
            return None
        raise NotationError(
            f"{correlation.function}() without a grouping factor takes all rows as one person's",
            text=text,
            position=correlation.position,
            hint="Write form = ~ time | person.",
        )
    if groups and own[-1] != groups[-1] and own[: len(groups)] != groups:
        raise NotationError(
            f"The correlation is within {own[-1]}, the random effects within {groups[-1]}",
            text=text,
            position=correlation.position,
            hint="Write both with the same grouping factor.",
        )
    return own[-1]
