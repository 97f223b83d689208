"""Rows, terms and calls as lavaan spells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.model.sem import SemModel
from growthmm.notation.lavaan.modifiers import Modifiers
from growthmm.notation.lavaan.parser import Source, parse_side
from growthmm.notation.lavaan.syntax import Row
from growthmm.notation.sem.expression import spell
from growthmm.notation.sem.text import is_syntactic, number_text, r_string

__all__ = ["arithmetic_text", "call_text", "formula_lines", "is_bare", "term_text"]


def arithmetic_text(expression: str) -> str:
    """A constraint's side in R's spelling.

    Examples
    --------
    >>> arithmetic_text("a**2 + 1")
    'a^2 + 1'
    """
    return spell(parse_side(expression, "arithmetic", Source(expression), 0), power="^")


def formula_lines(rows: Sequence[Row], n_groups: int) -> list[str]:
    """Formulas, one line for each factor's indicators, each regressed variable, each moment.

    Parameters
    ----------
    rows : sequence of Row
        What to write, in order.
    n_groups : int
        How many values a modifier has.
    """
    lines: dict[tuple[str, ...], list[str]] = {}
    short = [_shortened(row.modifiers) for row in rows]
    silent = n_groups > max((modifiers.n_groups for modifiers in short), default=1)
    if silent and rows:
        short[0] = replace(short[0], fixed=rows[0].modifiers.fixed or (None,) * n_groups)
    for row, modifiers in zip(rows, short, strict=True):
        term = term_text(row.right if row.op != "~1" else "1", modifiers)
        alone = row.op in ("~~", "~1")
        key = (row.left, row.op, row.right) if alone else (row.left, row.op)
        lines.setdefault(key, []).append(term)
    written = []
    for (left, op, *_), terms in lines.items():
        written.append(f"{left} {'~' if op == '~1' else op} {' + '.join(terms)}")
    return written


def _shortened(modifiers: Modifiers) -> Modifiers:
    """Values that are the same in all groups, once; labels stand for each group."""

    def once(values: tuple[float | None, ...] | None) -> tuple[float | None, ...] | None:
        return values[:1] if values is not None and len(set(values)) == 1 else values

    return Modifiers(
        fixed=once(modifiers.fixed),
        start=once(modifiers.start),
        lower=once(modifiers.lower),
        upper=once(modifiers.upper),
        label=modifiers.label,
    )


def term_text(variable: str, modifiers: Modifiers) -> str:
    """A term: the variable, once for each of its modifiers.

    Examples
    --------
    >>> term_text("y1", Modifiers(fixed=(1.0,))), term_text("y1", Modifiers(label=("a", "b")))
    ('1*y1', 'c(a, b)*y1')
    """
    pieces = []
    if modifiers.fixed is not None:
        pieces.append(_vector([_number(value) for value in modifiers.fixed]))
    if modifiers.label is not None:
        pieces.append(_labels(modifiers.label))
    if modifiers.start is not None:
        pieces.append(f"start({', '.join(_number(value) for value in modifiers.start)})")
    for name, values, none in (
        ("lower", modifiers.lower, "-Inf"),
        ("upper", modifiers.upper, "Inf"),
    ):
        if values is not None:
            shown = ", ".join(none if value is None else number_text(value) for value in values)
            pieces.append(f"{name}({shown})")
    return " + ".join(f"{piece}*{variable}" for piece in pieces) or variable


def _number(value: float | None) -> str:
    return "NA" if value is None else number_text(value)


def _vector(entries: list[str]) -> str:
    return entries[0] if len(entries) == 1 else f"c({', '.join(entries)})"


def _labels(labels: tuple[str, ...]) -> str:
    if all(is_syntactic(label) for label in labels):
        return _vector(list(labels))
    if len(labels) == 1:
        return f"equal({r_string(labels[0])})"
    return f"c({', '.join(r_string(label) if label else 'NA' for label in labels)})"


def is_bare(model: SemModel) -> bool:
    """Whether the formulas alone say the model, with nothing for a call to add."""
    return (
        model.function == "growth"
        and model.missing == "listwise"
        and model.information is None
        and model.likelihood == "normal"
        and model.fixed_x
        and model.group_variable is None
        and not model.group_labels
        and model.cluster_variable is None
    )


def call_text(model: SemModel, formulas: str, **extra: str) -> str:
    """The formulas, or a call around them where the model needs one.

    Parameters
    ----------
    model : SemModel
        The model.
    formulas : str
        Its text.
    **extra : str
        More arguments, as R code; with any, a call is always written.
    """
    if is_bare(model) and not extra:
        return formulas
    arguments = list(_arguments(model))
    if "data" in extra:
        arguments = [argument for argument in arguments if not argument.startswith("data = ")]
    arguments += [f"{name.replace('_', '.')} = {value}" for name, value in extra.items()]
    return f"{model.function}('\n{formulas}\n'{''.join(f', {a}' for a in arguments)})"


def _arguments(model: SemModel) -> list[str]:
    arguments = []
    if model.data is not None and is_syntactic(model.data):
        arguments.append(f"data = {model.data}")
    if model.group_variable is not None:
        arguments.append(f"group = {r_string(model.group_variable)}")
    if model.group_labels:
        arguments.append(f"group.label = c({', '.join(map(r_string, model.group_labels))})")
    if model.cluster_variable is not None:
        arguments.append(f"cluster = {r_string(model.cluster_variable)}")
    if model.missing != "listwise":
        arguments.append(f"missing = {r_string(model.missing)}")
    if model.information is not None:
        arguments.append(f"information = {r_string(model.information)}")
    if model.likelihood != "normal":
        arguments.append(f"likelihood = {r_string(model.likelihood)}")
    if not model.fixed_x:
        arguments.append("fixed.x = FALSE")
    return arguments
