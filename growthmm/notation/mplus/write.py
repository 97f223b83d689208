"""A model as an Mplus input: what the program's defaults do not say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.phantoms import Phantom, with_phantoms, without_phantoms
from growthmm.model.sem import SemModel
from growthmm.notation.base import Written
from growthmm.notation.lavaan.parser import Source, parse_side
from growthmm.notation.mplus.names import Shortened, shortened
from growthmm.notation.mplus.rows import normal, to_write
from growthmm.notation.mplus.syntax import Curve, Row, Syntax
from growthmm.notation.sem.expression import Call, Expression, Name, Negative, Operation, spell
from growthmm.notation.sem.levels import of_level
from growthmm.notation.sem.text import number_text

__all__ = ["Sections", "sections", "write_model"]

_WIDTH = 78
"""Columns that a written line takes; Mplus reads 90."""

_FUNCTIONS = ("sqrt", "exp", "log", "abs", "sin", "cos", "tan")


@dataclass(frozen=True, slots=True)
class Sections:
    """The parts of a written input.

    Parameters
    ----------
    comments : tuple of str
        What each shortened name stands for.
    grouping : str
        The GROUPING statement, or nothing.
    tscores : tuple of str
        Columns of individual times, as written.
    kind : {"", "RANDOM", "TWOLEVEL"}
        The TYPE that is needed.
    levels : tuple of str
        CLUSTER, WITHIN and BETWEEN, where there are two levels.
    information : str
        The information matrix where it is said.
    listwise : bool
        Whether incomplete persons are dropped.
    model : tuple of str
        The lines of MODEL, the groups' MODEL and MODEL CONSTRAINT.
    names : Shortened
        The written name of each variable.
    """

    comments: tuple[str, ...]
    grouping: str
    tscores: tuple[str, ...]
    kind: str
    levels: tuple[str, ...]
    information: str
    listwise: bool
    model: tuple[str, ...]
    names: Shortened

    @property
    def text(self) -> str:
        """The model alone."""
        lines = list(self.comments)
        if self.listwise:
            lines.append("DATA: LISTWISE = ON;")
        variable = [line for line in (self.grouping, self.times, *self.levels) if line]
        if variable:
            lines += ["VARIABLE:", *(f"  {line}" for line in variable)]
        analysis = self.analysis
        if analysis:
            lines += ["ANALYSIS:", *(f"  {line}" for line in analysis)]
        return "\n".join([*lines, *self.model])

    @property
    def times(self) -> str:
        """The TSCORES statement."""
        return "\n".join(wrapped("TSCORES =", self.tscores)) if self.tscores else ""

    @property
    def analysis(self) -> tuple[str, ...]:
        """The statements of ANALYSIS."""
        lines = [f"TYPE = {self.kind};", "ESTIMATOR = ML;"] if self.kind else []
        if self.information:
            lines.append(f"INFORMATION = {self.information.upper()};")
        return tuple(lines)


def write_model(model: SemModel) -> Written:
    """Write a model; what Mplus cannot say comes back as losses.

    The text reads back as `model`; names that Mplus would cut stand in comments.
    """
    from growthmm.notation.mplus.read import read

    said, losses = _sayable(with_phantoms(*without_phantoms(model)))
    text = sections(said).text
    if not losses:
        try:
            again = read(text)
        except NotationError as error:
            losses = (_unsaid(error.message),)
        else:
            if normal(again).table != normal(said).table:
                losses = (_unsaid(_difference(said, again)),)
    return Written(text, losses)


def _sayable(model: SemModel) -> tuple[SemModel, tuple[Loss, ...]]:
    """The part of the model that Mplus can say, and the rest."""
    losses = []
    if model.estimator == "reml":
        losses.append(Loss("estimator = reml", "Mplus has maximum likelihood alone", "lme4, or ML"))
    if model.likelihood != "normal":
        why = "Mplus divides covariances by N"
        losses.append(Loss("likelihood = wishart", why, "lavaan, or likelihood = normal"))
    if model.group_variable is not None and model.n_groups == 1:
        why = "Mplus names every group"
        losses.append(Loss(f"groups of {model.group_variable}", why, "name the groups"))
    paths = []
    by_column: dict[str, set[bool]] = {}
    for path in model.paths:
        if path.op == "=~" and not path.is_zero:
            by_column.setdefault(path.left, set()).add(path.definition is not None)
    for path in model.paths:
        if path.definition is not None and (path.op != "=~" or path.label):
            why = "in Mplus a column multiplies a random slope (st | y ON x)"
            losses.append(
                Loss(f"{path.name} = data.{path.definition}", why, "a loading, or OpenMx")
            )
            continue
        if path.definition is not None and model.n_groups > 1:
            why = "Mplus has no GROUPING beside TYPE = RANDOM, which the column needs"
            losses.append(Loss(f"{path.name} = data.{path.definition}", why, "OpenMx"))
            continue
        if path.definition is not None and len(by_column[path.left]) > 1:
            why = "in Mplus a factor's loadings are columns or numbers, not both"
            losses.append(Loss(f"{path.name} = data.{path.definition}", why, "OpenMx"))
            continue
        if path.free and (path.lower is not None or path.upper is not None):
            why = "Mplus has no bounds on parameters"
            losses.append(Loss(f"bounds of {path.name}", why, "MODEL CONSTRAINT: label > 0"))
        paths.append(replace(path, lower=None, upper=None))
    losses += _level_losses(model)
    said = replace(model, paths=tuple(paths), estimator="ml", likelihood="normal")
    losses += _unsaid_functions(model)
    return said, tuple(losses)


def _level_losses(model: SemModel) -> list[Loss]:
    """Means of level 1, and columns in loadings, of a model of two levels."""
    if model.n_levels == 1:
        return []
    above = set(of_level(model, 2).outcomes) | set(model.latent)
    losses = []
    for path in model.paths:
        if path.definition is not None:
            why = "a model of two levels is written here without columns in loadings"
            what = f"{path.name} = data.{path.definition}"
            losses.append(Loss(what, why, "the mixed model with nested random effects"))
        elif path.op == "~1" and path.level == 1 and path.left in above and not path.is_zero:
            why = "in Mplus all means are those of the between level"
            losses.append(Loss(path.name, why, f"zero, and the mean of {path.left} at level 2"))
    return losses


def _unsaid_functions(model: SemModel) -> list[Loss]:
    losses = []
    texts = [side for c in model.constraints for side in (c.left, c.right)]
    texts += [d.expression for d in model.defined]
    for text in texts:
        for function in sorted(set(_functions(_parsed(text))) - set(_FUNCTIONS)):
            why = f"MODEL CONSTRAINT has no function {function}"
            losses.append(Loss(text, why, f"one of {', '.join(_FUNCTIONS)}"))
    return losses


def _functions(expression: Expression) -> list[str]:
    if isinstance(expression, Call):
        inside = [name for argument in expression.arguments for name in _functions(argument)]
        return [expression.function, *inside]
    if isinstance(expression, Operation):
        return _functions(expression.left) + _functions(expression.right)
    return _functions(expression.operand) if isinstance(expression, Negative) else []


def _unsaid(why: str) -> Loss:
    return Loss("the model as a whole", why, "write the rows another way")


def _difference(model: SemModel, again: SemModel) -> str:
    mine = {path.identity: path.name for path in normal(model).paths if not path.is_zero}
    theirs = {path.identity: path.name for path in normal(again).paths if not path.is_zero}
    names = [name for key, name in mine.items() if key not in theirs]
    names += [name for key, name in theirs.items() if key not in mine]
    shown = ", ".join(dict.fromkeys(names)) or "its variables or constraints"
    return f"Mplus's defaults get in the way of {shown}"


def sections(model: SemModel) -> Sections:
    """The parts of the input that says `model`."""
    model, free = without_phantoms(normal(model))
    texts = _syntaxes(model)
    columns = [path.definition for path in model.paths if path.definition]
    group = [model.group_variable] if model.group_variable else []
    group += [model.cluster_variable] if model.cluster_variable else []
    variables = shortened([*model.latent, *model.outcomes, *model.covariates, *columns, *group])
    written = [row.label for syntax in texts.values() for row in syntax.rows if row.label]
    labels = shortened(written + [d.name for d in model.defined] + [p.parameter for p in free])
    groups = _groups(model)
    lines = ["MODEL:"]
    pen = _Pen(variables, labels)
    for header, syntax in texts.items():
        lines += [f"  {line}" for line in (header, *pen.lines(syntax, None)) if line]
    for number, (_, name) in enumerate(groups):
        own = pen.lines(texts[""], number)
        if own:
            lines += [f"MODEL {name}:", *(f"  {line}" for line in own)]
    relations = _relations(model, free, labels)
    if relations:
        lines += ["MODEL CONSTRAINT:", *(f"  {line}" for line in relations)]
    comments = [*variables.comments(), *labels.comments("label")]
    grouping = ""
    if model.n_groups > 1:
        column = variables[model.group_variable] if model.group_variable else _column(variables)
        values = " ".join(f"{value} = {name}" for value, name in groups)
        lead = f"GROUPING IS {column} ("
        grouping = "\n".join(wrapped(lead, values.split(" "), end=");", glue=True))
        comments += Shortened(
            {
                label: name
                for label, (value, name) in zip(model.group_labels, groups, strict=False)
                if label != value
            }
        ).comments("group")
    stated = any(d.rule == "DATA: LISTWISE = ON" for d in model.defaults)
    timed = {f for s in texts.values() for c in s.curves if c.kind == "at" for f in c.factors}
    times = [path.definition for path in model.paths if path.definition and path.left in timed]
    return Sections(
        comments=tuple(comments),
        grouping=grouping,
        tscores=tuple(dict.fromkeys(variables[name] for name in times)),
        kind="TWOLEVEL" if model.n_levels > 1 else "RANDOM" if columns else "",
        levels=_level_statements(model, variables),
        information=model.information if model.information == "expected" else "",
        listwise=model.missing == "listwise" and stated,
        model=tuple(lines),
        names=variables,
    )


def _column(variables: Shortened) -> str:
    """A name for a column of groups that the model does not name."""
    name = "group"
    return shortened([name], variables.written.values())[name]


def _syntaxes(model: SemModel) -> dict[str, Syntax]:
    """What to write under each header of a level; under none where there are no levels."""
    if model.n_levels == 1:
        return {"": to_write(model)}
    inner, outer = of_level(model, 1), of_level(model, 2)
    above = frozenset((*outer.outcomes, *outer.covariates))
    return {"%WITHIN%": to_write(inner, above=above), "%BETWEEN%": to_write(outer)}


def _level_statements(model: SemModel, variables: Shortened) -> tuple[str, ...]:
    """CLUSTER, and which columns stand at one level alone."""
    if model.n_levels == 1:
        return ()
    lines = [f"CLUSTER = {variables[model.cluster_variable]};"] if model.cluster_variable else []
    parts = [of_level(model, level) for level in (1, 2)]
    inner, outer = (dict.fromkeys((*part.outcomes, *part.covariates)) for part in parts)
    for word, own, other in (("WITHIN", inner, outer), ("BETWEEN", outer, inner)):
        alone = [variables[name] for name in own if name not in other]
        lines += wrapped(f"{word} =", alone) if alone else []
    return tuple(lines)


def _groups(model: SemModel) -> list[tuple[str, str]]:
    """Each group's value in the data, and its name."""
    if model.n_groups == 1:
        return []
    labels = model.group_labels
    whole = bool(labels) and all(_is_whole(label) for label in labels)
    groups = []
    for k in range(model.n_groups):
        value = labels[k] if whole else str(k + 1)
        groups.append((value, f"g{k + 1}"))
    return groups


def _is_whole(label: str) -> bool:
    return label.isascii() and label.isdigit() and len(label) < 8


class _Pen:
    """Writes rows as statements, with the names that Mplus takes."""

    def __init__(self, variables: Shortened, labels: Shortened) -> None:
        self.variables = variables
        self.labels = labels

    def lines(self, syntax: Syntax, group: int | None) -> list[str]:
        """The statements of MODEL, or of a group's."""
        rows = [row for row in syntax.rows if row.group == group]
        lines: list[str] = []
        curved: set[tuple[str, str]] = set()
        if group is None:
            for curve in syntax.curves:
                lines += self._curve(curve, rows)
                curved |= {(f, y) for f in curve.factors for y in curve.indicators}
        loadings = [r for r in rows if r.op == "=~" and (r.left, r.right) not in curved]
        lines += self._by_left(loadings, "BY")
        lines += self._by_left([r for r in rows if r.op == "~"], "ON")
        pairs = [r for r in rows if r.op == "~~" and r.left != r.right]
        lines += self._by_left(pairs, "WITH")
        variances = [r for r in rows if r.op == "~~" and r.left == r.right]
        lines += self._lists(variances, lambda r: r.left, "", ";")
        lines += self._lists([r for r in rows if r.op == "~1"], lambda r: r.left, "[", "];")
        return lines

    def _curve(self, curve: Curve, rows: Sequence[Row]) -> list[str]:
        table = {(row.left, row.right): row for row in rows if row.op == "=~"}
        factors = " ".join(self.variables[name] for name in curve.factors)
        written = [self.variables[name] for name in curve.indicators]
        columns = [table[curve.factors[-1], y].definition or "" for y in curve.indicators]
        if curve.kind == "slope":
            pairs = zip(written, columns, strict=True)
            return [f"{factors} | {y} ON {self.variables[x]};" for y, x in pairs]
        if curve.kind == "at":
            times = [self.variables[x] for x in columns]
            return wrapped(f"{factors} |", [*written, "AT", *times])
        slopes = [table[curve.factors[1], y] for y in curve.indicators]
        scores = [y + _mark(row, always=True) for y, row in zip(written, slopes, strict=True)]
        return wrapped(f"{factors} |", scores)

    def _by_left(self, rows: Sequence[Row], word: str) -> list[str]:
        lines: list[str] = []
        for left in dict.fromkeys(row.left for row in rows):
            own = [row for row in rows if row.left == left]
            lead = f"{self.variables[left]} {word} "
            lines += self._lists(own, lambda r: r.right, lead, ";", always=word == "BY")
        return lines

    def _lists(
        self,
        rows: Sequence[Row],
        name: Callable[[Row], str],
        lead: str,
        end: str,
        *,
        always: bool = False,
    ) -> list[str]:
        """Statements: one for what has no label, one for each label, none longer than a line."""
        by_label: dict[str | None, list[str]] = {}
        for row in rows:
            item = self.variables[name(row)] + _mark(row, always)
            by_label.setdefault(row.label, []).append(item)
        lines: list[str] = []
        for label, items in by_label.items():
            if label is None:
                lines += wrapped(lead.rstrip(), items, end=end, glue=lead[-1:] == "[")
                continue
            tail = f" ({self.labels[label]});"
            closing = end.rstrip(";") + tail
            lines += _chunks(lead, items, closing)
        return lines


def _mark(row: Row, always: bool) -> str:
    """``@1`` for a fixed row, ``*0.5`` for a start; ``*`` where a free one must say so."""
    if not row.free:
        return f"@{number_text(row.value or 0.0)}"
    if row.start is not None:
        return f"*{number_text(row.start)}"
    return "*" if always else ""


def wrapped(lead: str, items: Sequence[str], *, end: str = ";", glue: bool = False) -> list[str]:
    """A statement over as many lines as it needs.

    Examples
    --------
    >>> wrapped("i s |", ["y0@0", "y1@1"])
    ['i s | y0@0 y1@1;']
    """
    lines = [lead]
    for number, item in enumerate(items):
        space = "" if not lines[-1] or (glue and number == 0) else " "
        if len(lines[-1]) + len(space) + len(item) + len(end) > _WIDTH and number > 0:
            lines.append(f"  {item}")
        else:
            lines[-1] += space + item
    lines[-1] += end
    return lines


def _chunks(lead: str, items: Sequence[str], closing: str) -> list[str]:
    """Statements of one line each: a label counts for its own line alone."""
    lines: list[str] = []
    current = ""
    for item in items:
        longer = f"{current} {item}" if current else item
        if current and len(lead) + len(longer) + len(closing) > _WIDTH:
            lines.append(lead + current + closing)
            current = item
        else:
            current = longer
    return [*lines, lead + current + closing]


def _parsed(text: str) -> Expression:
    expression: Expression = parse_side(text, "arithmetic", Source(text), 0)
    return expression


def _relations(model: SemModel, free: Sequence[Phantom], labels: Shortened) -> list[str]:
    lines: list[str] = []
    new = [labels[d.name] for d in model.defined]
    new += [
        labels[p.parameter] + ("" if p.start is None else f"*{number_text(p.start)}") for p in free
    ]
    if new:
        lines += wrapped("NEW(", new, end=");", glue=True)
    for d in model.defined:
        lines += _equation(labels[d.name], "=", _arithmetic(d.expression, labels))
    for c in model.constraints:
        op = "=" if c.op == "==" else c.op
        lines += _equation(_arithmetic(c.left, labels), op, _arithmetic(c.right, labels))
    return lines


def _equation(left: str, op: str, right: str) -> list[str]:
    return wrapped("", [*left.split(" "), op, *right.split(" ")])


def _arithmetic(text: str, labels: Shortened) -> str:
    return spell(_renamed(_parsed(text), labels))


def _renamed(expression: Expression, labels: Shortened) -> Expression:
    if isinstance(expression, Name):
        return replace(expression, text=labels.written.get(expression.text, expression.text))
    if isinstance(expression, Negative):
        return replace(expression, operand=_renamed(expression.operand, labels))
    if isinstance(expression, Operation):
        left, right = _renamed(expression.left, labels), _renamed(expression.right, labels)
        return replace(expression, left=left, right=right)
    if isinstance(expression, Call):
        inside = tuple(_renamed(argument, labels) for argument in expression.arguments)
        return replace(expression, arguments=inside)
    return expression
