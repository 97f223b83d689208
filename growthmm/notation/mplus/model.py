"""The statements of MODEL and of a group's MODEL, as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from growthmm.errors import NotationError
from growthmm.model.sem import Operator
from growthmm.notation.mplus.lists import Names, expand
from growthmm.notation.mplus.parser import (
    Entry,
    Item,
    Labels,
    MeanList,
    RandomSlope,
    Relation,
    TimeScores,
    VarianceList,
    parse_statement,
)
from growthmm.notation.mplus.syntax import Curve, Row, merged
from growthmm.notation.mplus.text import Statement, error_at

__all__ = ["ModelText"]

_LEVELS = "Write it as a mixed model: a time-varying slope, with a random effect for each level."
_GAUSSIAN = "growthmm fits linear Gaussian models."

_UNSUPPORTED = (
    (r"%\s*OVERALL\s*%", "%OVERALL%, a mixture's overall model,", "growthmm fits no mixtures."),
    (r"%[^%]*%?", "A class's model", "growthmm fits no mixtures."),
    (r"\{", "A scale factor { }", _GAUSSIAN),
    (r"\$", "A threshold $", _GAUSSIAN),
    (r"#", "A category #", "growthmm fits neither mixtures nor nominal variables."),
    (r"\bXWITH\b", "An interaction of latent variables (XWITH)", "growthmm fits linear models."),
    (r"\^", "A residual ^", "Write the residuals as latent variables, f BY y@1, with y@0."),
    (r"&", "A lag &", "Dynamic models are not supported."),
    (r"\b(?:IND|VIA|MOD)\b", "An indirect effect", "Define it in MODEL CONSTRAINT: NEW(ab)."),
    (r"\bDO\s*\(", "DO", "Write the statements out."),
    (r"~", "The sign ~", "Write BY, ON, WITH or |: this is Mplus's MODEL command."),
)
"""Signs that belong to what cannot be said in a linear Gaussian SEM of one level."""

_SUM = {1: "an intercept", 2: "a slope", 3: "a quadratic", 4: "a cubic factor"}


class ModelText:
    """Collects the rows of an input's MODEL commands.

    Parameters
    ----------
    text : str
        The input, for errors.
    names : Names
        The spelling of variables.
    label_names : Names
        The spelling of labels.
    order : sequence of str
        Observed variables in the order of USEVARIABLES or NAMES.
    nested : bool
        Whether it is one of two levels, which have no columns as loadings.
    """

    def __init__(
        self,
        text: str,
        names: Names,
        label_names: Names,
        order: Sequence[str],
        *,
        nested: bool = False,
    ) -> None:
        self.nested = nested
        self.text = text
        self.names = names
        self.label_names = label_names
        self.order = list(order)
        self.rows: dict[tuple[int | None, tuple[str, str, str]], Row] = {}
        self.curves: list[Curve] = []
        self.used: list[tuple[str, int]] = []
        self._measured: set[str] = set()
        self._label_kinds: set[str] = set()
        self._group: int | None = None

    def declare(self, statements: Sequence[Statement]) -> None:
        """Note the latent variables that `statements` make, in order, so that lists know them."""
        made = re.compile(r"\s*([^|]*?)(?:\bBY\b|\|)", re.I)
        for statement in statements:
            match = made.match(statement.text)
            if match is None:
                continue
            for first, last in re.findall(r"([^\W\d]\w*)(?:\s*-\s*([^\W\d]\w*))?", match[1]):
                place = statement.position
                for name in expand(first, last or first, self.order, self.text, place):
                    if name.lower() not in map(str.lower, self.order):
                        self.order.append(name)

    def add(self, statement: Statement, group: int | None) -> None:
        """Add a statement of MODEL, or of a group's."""
        self._refuse(statement)
        self._group = group
        parsed = parse_statement(statement, self.text)
        if isinstance(parsed, VarianceList):
            names = self._segments(parsed.entries)
            self._rows([[(n, "~~", n, item) for n, item in part] for part, _ in names], names)
        elif isinstance(parsed, MeanList):
            names = self._segments(parsed.entries)
            self._rows([[(n, "~1", "", item) for n, item in part] for part, _ in names], names)
        elif isinstance(parsed, Relation):
            self._relation(parsed)
        elif group is not None:
            raise self._error(
                statement.position,
                "A group's MODEL makes no growth factors.",
                "Write the | statement in the overall MODEL.",
            )
        elif self.nested and (isinstance(parsed, RandomSlope) or parsed.times):
            what = "A random slope" if isinstance(parsed, RandomSlope) else "AT"
            message = f"{what} in a model of two levels is not supported."
            raise self._error(statement.position, message, _LEVELS)
        elif isinstance(parsed, TimeScores):
            self._growth(parsed)
        else:
            self._random_slope(parsed)

    def _error(self, position: int, message: str, hint: str | None = None) -> NotationError:
        return error_at(self.text, position, message, hint=hint)

    def _refuse(self, statement: Statement) -> None:
        first: tuple[int, str, str] | None = None
        for pattern, what, hint in _UNSUPPORTED:
            match = re.search(pattern, statement.text, re.I)
            if match is not None and (first is None or match.start() < first[0]):
                first = match.start(), what, hint
        if first is not None:
            at, what, hint = first
            raise self._error(statement.position + at, f"{what} is not supported.", hint)

    def _line(self, position: int) -> int:
        return self.text.count("\n", 0, position)

    def _expanded(self, item: Item) -> list[str]:
        names = expand(item.first, item.last, self.order, self.text, item.position)
        spelled = [self.names.spell(name) for name in names]
        self.used += [(name, item.position) for name in spelled]
        return spelled

    def _plain(self, entries: Sequence[Entry], what: str) -> list[tuple[str, Item]]:
        """Names alone: no labels."""
        found = []
        for entry in entries:
            if isinstance(entry, Labels):
                raise self._error(entry.position, f"A label stands at {what}.")
            found += [(name, entry) for name in self._expanded(entry)]
        return found

    def _segments(
        self, entries: Sequence[Entry]
    ) -> list[tuple[list[tuple[str, Item]], Labels | None]]:
        """Names in stretches that share a label.

        As in Mplus a label is that of the parameters before it in its line, or in the last line
        that has some.
        """
        parts: list[tuple[list[tuple[str, Item]], Labels | None]] = []
        waiting: list[tuple[str, Item]] = []
        for entry in entries:
            if isinstance(entry, Item):
                waiting += [(name, entry) for name in self._expanded(entry)]
                continue
            if not waiting:
                raise self._error(entry.position, "This label follows no parameter.")
            line = self._line(waiting[-1][1].position)
            before = [pair for pair in waiting if self._line(pair[1].position) != line]
            if before:
                parts.append((before, None))
            parts.append((waiting[len(before) :], entry))
            waiting = []
        if waiting:
            parts.append((waiting, None))
        return parts

    def _relation(self, parsed: Relation) -> None:
        left = [
            name for name, item in self._plain(parsed.left, "the left side") if self._bare(item)
        ]
        parts = self._segments(parsed.right)
        if parsed.op in ("PON", "PWITH"):
            total = sum(len(part) for part, _ in parts)
            if total != len(left):
                raise self._error(
                    parsed.position,
                    f"{parsed.op} pairs {len(left)} with {total} variables.",
                    "Give as many on the right as on the left.",
                )
            rest = iter(left)
            op: Operator = "~" if parsed.op == "PON" else "~~"
            paired = [[(next(rest), op, n, item) for n, item in part] for part, _ in parts]
            self._rows(paired, parts)
        elif parsed.op == "WITH":
            lists = len(left) > 1 and sum(len(part) for part, _ in parts) > 1
            self._rows([self._covariances(left, part, lists) for part, _ in parts], parts)
        else:
            by = parsed.op == "BY"
            op = "=~" if by else "~"
            chosen: list[list[tuple[str, Operator, str, Item]]] = [
                [(a, op, b, item) for a, (b, item) in product(left, part)] for part, _ in parts
            ]
            for name, _, b, item in (row for part in chosen for row in part):
                if name == b:
                    raise self._error(item.position, f"{name} {parsed.op} {name} relates nothing.")
            self._rows(chosen, parts)

    def _covariances(
        self, left: list[str], part: list[tuple[str, Item]], lists: bool
    ) -> list[tuple[str, Operator, str, Item]]:
        chosen: list[tuple[str, Operator, str, Item]] = []
        seen: set[tuple[str, str]] = set()
        for a, (b, item) in product(left, part):
            if a == b:
                if not lists:
                    raise self._error(item.position, f"{a} WITH {a} is no covariance.")
                continue
            first, second = sorted((a, b))
            if (first, second) not in seen:
                seen.add((first, second))
                chosen.append((a, "~~", b, item))
        return chosen

    def _bare(self, item: Item) -> bool:
        if item.sign:
            raise self._error(
                item.position,
                "A value stands on the left side.",
                "Values stand at what is on the right: i ON x@0.",
            )
        return True

    def _rows(
        self,
        parts: Sequence[Sequence[tuple[str, Operator, str, Item]]],
        segments: Sequence[tuple[list[tuple[str, Item]], Labels | None]],
    ) -> None:
        """Add the rows of each stretch with its labels."""
        for rows, (_, labels) in zip(parts, segments, strict=True):
            words = self._labels(labels, len(rows))
            for cell, label in zip(rows, words, strict=True):
                self._row(cell, label, listed=len(set(words)) > 1)

    def _labels(self, labels: Labels | None, n: int) -> list[str | None]:
        if labels is None:
            return [None] * n
        words: list[str] = []
        for first, last in labels.words:
            self._label_kinds.add("number" if first[0].isdigit() else first[:2].lower())
            if self._label_kinds >= {"number", "eq"}:
                raise self._error(
                    labels.position,
                    "Numbers and labels that begin with eq stand beside each other.",
                    "Here the number (1) is called eq1: name the other labels otherwise.",
                )
            if first[0].isdigit():
                words += self._numbers(first, last, labels.position)
            else:
                words += expand(first, last, (), self.text, labels.position)
        spelled: list[str | None] = [self.label_names.spell(word) for word in words]
        if len(spelled) == 1:
            return spelled * n
        if len(spelled) != n:
            raise self._error(
                labels.position,
                f"{len(spelled)} labels for {n} parameters.",
                "Give one label, or one for each parameter of the line.",
            )
        return spelled

    def _numbers(self, first: str, last: str, position: int) -> list[str]:
        if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
            raise self._error(
                position, f"{first}-{last} is no label.", "Labels are names or whole numbers."
            )
        names = expand(f"eq{first}", f"eq{last}", (), self.text, position)
        return [f"eq{int(name[2:])}" for name in names]

    def _row(self, cell: tuple[str, Operator, str, Item], label: str | None, listed: bool) -> None:
        left, op, right, item = cell
        fixed = item.sign == "@"
        row = Row(
            left,
            op,
            right,
            free=not fixed,
            value=item.value if fixed else None,
            start=item.value if item.sign == "*" else None,
            label=label,
            group=self._group,
            position=item.position,
        )
        if op == "=~" and self._group is None and left not in self._measured:
            self._measured.add(left)
            if not item.sign:
                # A label for several parameters leaves out the one that sets the metric.
                row = replace(
                    row, free=False, value=1.0, marker=True, label=label if listed else None
                )
        place = (self._group, row.key)
        old = self.rows.get(place)
        self.rows[place] = row if old is None else merged(old, row)

    def _growth(self, parsed: TimeScores) -> None:
        factors = [
            n for n, item in self._plain(parsed.factors, "growth factors") if self._bare(item)
        ]
        outcomes = self._plain(parsed.outcomes, "time scores")
        at = parsed.factors[0]
        if len(factors) not in _SUM or len(set(factors)) < len(factors):
            raise self._error(
                at.position,
                f"A growth statement makes one to four factors, not {len(factors)}: "
                f"{', '.join(_SUM.values())}.",
            )
        names = [name for name, _ in outcomes]
        if len(set(names)) < len(names):
            raise self._error(outcomes[0][1].position, "An outcome has two time scores.")
        for name in factors:
            self._measured.add(name)
        if parsed.times:
            self._individual(factors, outcomes, self._plain(parsed.times, "times"), at.position)
            self.curves.append(Curve(tuple(factors), tuple(names), "at"))
            return
        self.curves.append(Curve(tuple(factors), tuple(names)))
        for power, factor in enumerate(factors):
            for name, item in outcomes:
                if power == 0:
                    self._loading(factor, name, 1.0, item)
                elif item.sign == "@":
                    self._loading(factor, name, self._power(item, power), item)
                elif len(factors) == 2:
                    row = Row(factor, "=~", name, start=item.value, position=item.position)
                    self.rows[None, row.key] = row
                else:
                    raise self._error(
                        item.position,
                        f"The time score of {name} is not fixed, and its powers cannot be.",
                        "Fix the time scores, or leave out the powers.",
                    )

    def _power(self, item: Item, power: int) -> float:
        try:
            return float((item.value or 0.0) ** power)
        except OverflowError:
            raise self._error(item.position, "The time score is too large.") from None

    def _loading(self, factor: str, outcome: str, value: float, item: Item) -> None:
        row = Row(factor, "=~", outcome, free=False, value=value, position=item.position)
        old = self.rows.get((None, row.key))
        if old is not None and (old.free or old.value != value):
            raise self._error(
                item.position, f"{outcome} loads on {factor} in two ways.", "Keep one of them."
            )
        self.rows[None, row.key] = row

    def _individual(
        self,
        factors: list[str],
        outcomes: list[tuple[str, Item]],
        times: list[tuple[str, Item]],
        position: int,
    ) -> None:
        if len(factors) > 2:
            raise self._error(
                position,
                "Powers of individual times are not supported.",
                "Add columns with the squared times: i q | y1-y4 AT q1-q4, beside i s | ... AT.",
            )
        if len(times) != len(outcomes):
            raise self._error(position, f"{len(outcomes)} outcomes AT {len(times)} times.")
        for name, item in outcomes:
            self._bare(item)
            self._loading(factors[0], name, 1.0, item)
        for (name, item), (time, time_item) in zip(outcomes, times, strict=True):
            self._bare(time_item)
            for factor in factors[1:]:
                self._by_column(factor, name, time, item)

    def _by_column(self, factor: str, outcome: str, column: str, item: Item) -> None:
        row = Row(factor, "=~", outcome, free=False, definition=column, position=item.position)
        if (None, row.key) in self.rows:
            raise self._error(item.position, f"{outcome} loads on {factor} in two ways.")
        self.rows[None, row.key] = row

    def _random_slope(self, parsed: RandomSlope) -> None:
        sides = [
            self._plain(parsed.factors, "a random slope"),
            self._plain(parsed.outcomes, "a random slope"),
            self._plain(parsed.predictors, "a random slope"),
        ]
        if parsed.op != "ON" or any(len(side) != 1 for side in sides):
            raise self._error(
                parsed.position, "A random slope is that of one regression: st | y1 ON a1;"
            )
        (factor, first), (outcome, second), (column, third) = (side[0] for side in sides)
        for item in (first, second, third):
            self._bare(item)
        self._measured.add(factor)
        self._by_column(factor, outcome, column, second)
        curve = next((c for c in self.curves if c.kind == "slope" and c.factors == (factor,)), None)
        if curve is None:
            self.curves.append(Curve((factor,), (outcome,), "slope"))
        else:
            place = self.curves.index(curve)
            self.curves[place] = replace(curve, indicators=(*curve.indicators, outcome))
