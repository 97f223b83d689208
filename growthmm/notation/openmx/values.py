"""R's vectors and the few functions on them that scripts of models use; no code is run."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from growthmm.notation.sem.expression import FUNCTIONS
from growthmm.notation.sem.text import number_text

__all__ = [
    "CONSTANTS",
    "NULL",
    "VECTOR_FUNCTIONS",
    "Bound",
    "Item",
    "RError",
    "Vector",
    "binary",
    "bind",
    "negative",
    "opposite",
    "subset",
]

MAX_LENGTH = 10_000
MAX_TEXT = 100_000

Item = bool | float | str | None
Kind = Literal["null", "logical", "numeric", "character"]
_ORDER: tuple[Kind, ...] = ("null", "logical", "numeric", "character")


class RError(ValueError):
    """What R would stop for; whoever knows the position says where."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector: its entries, None where ``NA``.

    Parameters
    ----------
    items : tuple of bool, float, str or None
        Of one kind.
    """

    items: tuple[Item, ...]

    @property
    def kind(self) -> Kind:
        """What R calls its mode."""
        return max((_kind(item) for item in self.items), key=_ORDER.index, default="null")

    def __len__(self) -> int:
        return len(self.items)


NULL = Vector(())

CONSTANTS: dict[str, Vector] = {
    "TRUE": Vector((True,)),
    "FALSE": Vector((False,)),
    "T": Vector((True,)),
    "F": Vector((False,)),
    "NA": Vector((None,)),
    "NA_character_": Vector((None,)),
    "NA_real_": Vector((None,)),
    "NA_integer_": Vector((None,)),
    "NULL": NULL,
    "pi": Vector((math.pi,)),
    "Inf": Vector((math.inf,)),
    "letters": Vector(tuple("abcdefghijklmnopqrstuvwxyz")),
    "LETTERS": Vector(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
}
"""Names that mean something without an assignment."""


def _kind(item: Item) -> Kind:
    if item is None or isinstance(item, bool):
        return "logical"
    return "numeric" if isinstance(item, float) else "character"


def _coerced(items: Sequence[Item]) -> Vector:
    """Entries of several kinds as one kind."""
    if len(items) > MAX_LENGTH:
        raise RError(f"A vector of {len(items)} entries is longer than a model needs")
    kind = Vector(tuple(items)).kind
    if kind == "character":
        return Vector(tuple(None if item is None else _text(item) for item in items))
    if kind == "numeric":
        return Vector(tuple(None if item is None else float(item) for item in items))
    return Vector(tuple(items))


def _text(item: Item) -> str:
    if item is None:
        return "NA"
    if isinstance(item, bool):
        return "TRUE" if item else "FALSE"
    if isinstance(item, float):
        if not math.isfinite(item):
            return "NaN" if math.isnan(item) else ("Inf" if item > 0 else "-Inf")
        return number_text(float(f"{item:.15g}"))
    return item


@dataclass(frozen=True, slots=True)
class Bound:
    """Arguments after matching.

    Parameters
    ----------
    named : dict of str to Vector
        By formal name.
    rest : tuple of Vector
        What ``...`` takes.
    """

    named: dict[str, Vector]
    rest: tuple[Vector, ...]

    def one(self, name: str, kind: Kind) -> Item:
        """The single value of an argument, None where it is not given."""
        value = self.named.get(name, NULL)
        if not value.items or value.items == (None,):
            return None
        if len(value) != 1 or value.kind != kind:
            raise RError(f"{name} should be one {kind} value")
        return value.items[0]

    def count(self, name: str) -> int | None:
        """A whole number that is not negative."""
        value = self.one(name, "numeric")
        if value is None:
            return None
        number = cast("float", value)
        if not math.isfinite(number) or number < 0 or number > MAX_LENGTH:
            raise RError(f"{name} = {_text(number)} is no possible length")
        return int(number)


def bind(
    arguments: Sequence[tuple[str | None, Vector]],
    before: Sequence[str],
    dots: bool = False,
    after: Sequence[str] = (),
) -> Bound:
    """Match arguments by R's rules: exact names, then partial ones, then places.

    Parameters
    ----------
    arguments : sequence of (str or None, Vector)
        Names and values.
    before : sequence of str
        Formal arguments before ``...``.
    dots : bool
        Whether there is a ``...``.
    after : sequence of str
        Formal arguments after it, which need their whole name.

    Raises
    ------
    RError
        If an argument matches nothing.
    """
    named: dict[str, Vector] = {}
    waiting: list[tuple[str | None, Vector]] = []
    for name, value in arguments:
        if name is None:
            waiting.append((None, value))
            continue
        exact = name if name in (*before, *after) else None
        partial = [formal for formal in before if formal.startswith(name)]
        found = exact or (partial[0] if len(partial) == 1 else None)
        if found is not None and found in named:
            raise RError(f"The argument {found} is given twice")
        if found is not None:
            named[found] = value
        elif dots:
            waiting.append((name, value))
        else:
            raise RError(f"There is no argument {name}; there are {', '.join((*before, *after))}")
    free = [formal for formal in before if formal not in named]
    rest: list[Vector] = []
    for name, value in waiting:
        if name is None and free:
            named[free.pop(0)] = value
        elif dots:
            rest.append(value)
        else:
            raise RError(f"Too many arguments; there are {', '.join((*before, *after))}")
    return Bound(named, tuple(rest))


def binary(op: str, left: Vector, right: Vector) -> Vector:
    """``left op right``, entry by entry, the shorter one repeated."""
    if op == ":":
        return _range(left, right)
    if "character" in (left.kind, right.kind):
        raise RError(f"{op} takes no strings")
    if not len(left) or not len(right):
        return NULL
    size = max(len(left), len(right))
    return Vector(
        tuple(
            _arithmetic(op, left.items[k % len(left)], right.items[k % len(right)])
            for k in range(size)
        )
    )


def _arithmetic(op: str, left: Item, right: Item) -> float | None:
    if left is None or right is None:
        return None
    a, b = float(left), float(right)
    try:
        if op == "+":
            return a + b
        if op == "-":
            return a - b
        if op == "*":
            return a * b
        if op == "/":
            return a / b
        if op == "^":
            return math.pow(a, b)
    except (ZeroDivisionError, OverflowError, ValueError):
        raise RError(f"{_text(a)} {op} {_text(b)} is not finite") from None
    raise RError(f"The operator {op} is not read")


def _range(left: Vector, right: Vector) -> Vector:
    ends = [v.items[0] for v in (left, right) if len(v) == 1 and v.kind == "numeric"]
    if len(ends) != 2:
        raise RError("A range needs one number on either side")
    first, last = (float(cast("float", end)) for end in ends)
    if not math.isfinite(first) or not math.isfinite(last) or abs(last - first) >= MAX_LENGTH:
        raise RError(f"The range {_text(first)}:{_text(last)} is longer than a model needs")
    step = 1.0 if last >= first else -1.0
    count = math.floor(abs(last - first) + 1e-10) + 1
    return Vector(tuple(first + step * k for k in range(count)))


def negative(value: Vector) -> Vector:
    """``-value``."""
    if value.kind == "character":
        raise RError("- takes no strings")
    return Vector(tuple(None if item is None else -float(item) for item in value.items))


def opposite(value: Vector) -> Vector:
    """``!value``."""
    if value.kind != "logical":
        raise RError("! takes TRUE and FALSE")
    return Vector(tuple(None if item is None else not item for item in value.items))


def subset(value: Vector, index: Vector) -> Vector:
    """``value[index]`` for whole numbers, all positive or all negative."""
    if index.kind != "numeric" or any(item is None for item in index.items):
        raise RError("Only numbers are read as indices")
    places = [
        int(cast("float", item)) for item in index.items if math.isfinite(cast("float", item))
    ]
    if all(place < 0 for place in places):
        dropped = {-place for place in places}
        return Vector(tuple(v for k, v in enumerate(value.items, 1) if k not in dropped))
    if any(place < 1 or place > len(value) for place in places):
        raise RError(f"An index is outside the {len(value)} entries")
    return Vector(tuple(value.items[place - 1] for place in places))


Arguments = Sequence[tuple[str | None, Vector]]


def _c(arguments: Arguments) -> Vector:
    return _coerced([item for _, value in arguments for item in value.items])


def _pasted(arguments: Arguments, default: str) -> Vector:
    bound = bind(arguments, (), True, ("sep", "collapse"))
    sep = bound.one("sep", "character")
    collapse = bound.one("collapse", "character")
    between = default if sep is None else cast("str", sep)
    parts = [value for value in bound.rest if len(value)]
    size = max((len(value) for value in parts), default=0)
    made = [between.join(_text(v.items[k % len(v)]) for v in parts) for k in range(size)]
    if sum(map(len, made)) > MAX_TEXT:
        raise RError("The strings are longer than a model needs")
    if collapse is not None:
        return Vector((cast("str", collapse).join(made),))
    return Vector(tuple(made))


def _rep(arguments: Arguments) -> Vector:
    bound = bind(arguments, ("x", "times", "each", "length.out"))
    x = bound.named.get("x", NULL)
    each, length = bound.count("each"), bound.count("length.out")
    if len(x) * (1 if each is None else each) > MAX_LENGTH:
        raise RError("A vector that long is not needed by a model")
    items = [item for item in x.items for _ in range(1 if each is None else each)]
    times = bound.named.get("times", NULL)
    if length is not None:
        items = [items[k % len(items)] for k in range(length)] if items else []
    elif len(times) == len(items) and len(times) > 1:
        counts = [bound_count(item) for item in times.items]
        items = [item for item, count in zip(items, counts, strict=True) for _ in range(count)]
    else:
        count = bound.count("times")
        if count is not None and count * max(1, len(items)) > MAX_LENGTH:
            raise RError("A vector that long is not needed by a model")
        items = items * (1 if count is None else count)
    return _coerced(items)


def bound_count(item: Item) -> int:
    """One entry of ``times``."""
    count = Bound({"times": Vector((item,))}, ()).count("times")
    if count is None or count > MAX_LENGTH // 10:
        raise RError("times should be small numbers")
    return count


def _seq(arguments: Arguments) -> Vector:
    bound = bind(arguments, ("from", "to", "by", "length.out", "along.with"))
    if "along.with" in bound.named:
        return _range_of(len(bound.named["along.with"]))
    start, end, step = (bound.one(name, "numeric") for name in ("from", "to", "by"))
    length = bound.count("length.out")
    first = 1.0 if start is None else float(cast("float", start))
    if end is None and step is None and length is None:
        given = bound.named.get("from", NULL)
        return _range_of(int(first) if len(given) == 1 else len(given))
    if length is not None:
        if step is not None:
            gap = float(cast("float", step))
        elif end is None:
            gap = 1.0
        else:
            gap = (float(cast("float", end)) - first) / max(1, length - 1)
        return Vector(tuple(first + gap * k for k in range(length)))
    last = 1.0 if end is None else float(cast("float", end))
    gap = math.copysign(1.0, last - first) if step is None else float(cast("float", step))
    if gap == 0 or not all(map(math.isfinite, (first, last, gap))) or (last - first) / gap < 0:
        raise RError("seq() goes nowhere")
    if (last - first) / gap >= MAX_LENGTH:
        raise RError("A vector that long is not needed by a model")
    return Vector(
        tuple(first + gap * k for k in range(math.floor((last - first) / gap + 1e-10) + 1))
    )


def _range_of(count: int) -> Vector:
    if not 0 <= count <= MAX_LENGTH:
        raise RError("A vector that long is not needed by a model")
    return Vector(tuple(float(k) for k in range(1, count + 1)))


def _seq_len(arguments: Arguments) -> Vector:
    return _range_of(bind(arguments, ("length.out",)).count("length.out") or 0)


def _first(arguments: Arguments) -> Vector:
    bound = bind(arguments, ("x",), True)
    return bound.named.get("x", NULL)


def _sprintf(arguments: Arguments) -> Vector:
    bound = bind(arguments, ("fmt",), True)
    pattern = bound.one("fmt", "character")
    if pattern is None:
        raise RError("sprintf() needs a format")
    pieces = re.split(r"%(?:0?[0-9]{0,2})[dsi]|%%", cast("str", pattern))
    codes = re.findall(r"%(?:0?[0-9]{0,2})[dsi]|%%", cast("str", pattern))
    if any("%" in piece for piece in pieces) or sum(c != "%%" for c in codes) != len(bound.rest):
        raise RError("Only %d, %s and %i are read in sprintf(), one value for each")
    size = max((len(value) for value in bound.rest), default=1)
    made = []
    for k in range(size):
        values = iter(v.items[k % len(v)] if len(v) else None for v in bound.rest)
        text = pieces[0]
        for code, piece in zip(codes, pieces[1:], strict=True):
            text += ("%" if code == "%%" else _formatted(code, next(values))) + piece
        made.append(text)
    return Vector(tuple(made))


def _formatted(code: str, item: Item) -> str:
    width = code[1:-1]
    shown = _text(item)
    return shown.rjust(int(width or 0), "0" if width.startswith("0") else " ")


def _numeric(function: Callable[[float], float]) -> Callable[[Arguments], Vector]:
    def apply(arguments: Arguments) -> Vector:
        x = _first(arguments)
        if x.kind == "character":
            raise RError("This function takes no strings")
        try:
            return Vector(tuple(None if v is None else function(float(v)) for v in x.items))
        except (ValueError, OverflowError):
            raise RError("The result is not finite") from None

    return apply


def _as_character(arguments: Arguments) -> Vector:
    return Vector(tuple(None if v is None else _text(v) for v in _first(arguments).items))


VECTOR_FUNCTIONS: dict[str, Callable[[Arguments], Vector]] = {
    "c": _c,
    "list": _c,
    "unlist": _first,
    "as.character": _as_character,
    "as.numeric": _first,
    "as.integer": _first,
    "as.vector": _first,
    "invisible": _first,
    "paste0": lambda arguments: _pasted(arguments, ""),
    "paste": lambda arguments: _pasted(arguments, " "),
    "rep": _rep,
    "rep_len": lambda arguments: _rep(
        [
            (("x", "length.out")[k] if name is None and k < 2 else name, v)
            for k, (name, v) in enumerate(arguments)
        ]
    ),
    "rev": lambda arguments: Vector(_first(arguments).items[::-1]),
    "seq": _seq,
    "seq.int": _seq,
    "seq_len": _seq_len,
    "seq_along": lambda arguments: _range_of(len(_first(arguments))),
    "length": lambda arguments: Vector((float(len(_first(arguments))),)),
    "sprintf": _sprintf,
    **{name: _numeric(function) for name, function in FUNCTIONS.items()},
}
"""Functions of vectors, by name."""
