"""Defaults of one program that another does not share, and what is written to keep the model.

What a target fills in by itself is found by asking it: each piece of the written text is left out
in turn and the rest read again. Where a default then steps in, the piece was written to keep the
model from it. Nothing is known here of any program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from growthmm.errors import GrowthmmError
from growthmm.model.defaults import Default
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, Notation
from growthmm.rendering import Brief

__all__ = ["DefaultRow", "default_rows"]

LONGEST_TEXT = 20_000
MOST_PIECES = 200


@dataclass(frozen=True, slots=True, repr=False)
class DefaultRow(Brief):
    """A default on which two programs differ.

    Parameters
    ----------
    what : str
        What is decided: ``"estimator"``, ``"gpa_0~~gpa_0"``.
    source_value, source_rule : str
        What the source decided it to be, and by which rule; ``"written"`` where the text says it.
    target_value, target_rule : str
        What the target would decide; empty where it has no default.
    written : str
        What was written to keep the model; empty where nothing was.
    """

    what: str
    source_value: str
    source_rule: str
    target_value: str
    target_rule: str
    written: str

    def __str__(self) -> str:
        target = f"; target: {self.target_value} ({self.target_rule})" if self.target_value else ""
        kept = f"; kept by: {self.written}" if self.written else "; nothing written for it"
        return f"{self.what}: {self.source_value} ({self.source_rule}){target}{kept}"


@dataclass(frozen=True, slots=True)
class _Override:
    """A default of the target that a piece of the text overrides."""

    what: str
    value: str
    rule: str
    piece: str
    kept: str


def default_rows(source: Model, target: Notation, text: str) -> tuple[DefaultRow, ...]:
    """The source's silent defaults that the target does not share, then the target's overridden.

    Parameters
    ----------
    source : MixedModel or SemModel
        The model as read, with the defaults that its program filled in.
    target : Notation
        The program written for.
    text : str
        What was written.

    Returns
    -------
    tuple of DefaultRow
        Rows on which both agree are left out.
    """
    try:
        whole = target.read(text)
    except GrowthmmError:
        return tuple(_unread(source))
    overrides = list(_overrides(target, text, whole)) if len(text) <= LONGEST_TEXT else []
    rows = list(_silent(source, whole, overrides, text))
    told = {_topic(row.what) for row in rows} | {_topic(d.what) for d in source.defaults}
    of_target = [
        DefaultRow(o.what, o.kept, _source_rule(source, o), o.value, o.rule, o.piece)
        for o in _grouped(overrides)
        if _topic(o.what) not in told and o.kept.casefold() != o.value.casefold()
    ]
    # A default of the source that stands there as paths is not said twice.
    used = {row.source_rule for row in of_target}
    return (*(row for row in rows if row.source_rule not in used), *of_target)


def _unread(source: Model) -> Iterator[DefaultRow]:
    """For targets that are only written: the source's defaults."""
    for default in source.defaults:
        yield DefaultRow(default.what, default.value, default.rule, "", "", "")


_TOPICS = {
    "missing values": "missing",
    "fixed.x": "covariates",
    "residual variance": "residuals",
}


def _topic(what: str) -> str:
    """One word for what programs call differently."""
    if what.startswith("covariance of"):
        return "covariance of random effects"
    return _TOPICS.get(what, what)


def _kept_by(source: Model, whole: Model, topic: str, text: str) -> str | None:
    """What keeps a default of which the target says nothing: its text, or (empty) its nature.

    None where nothing keeps it.
    """
    if isinstance(source, SemModel) or isinstance(whole, SemModel):
        shared = {"intercept", "covariates", "bounds", "paths"}
        if isinstance(whole, SemModel) and not isinstance(source, SemModel):
            # The complete table says them, and what was written for it is listed path by path.
            shared |= {"residuals", "covariance of random effects"}
            shared |= {"missing"} if whole.missing == "ml" else set()
        return "" if topic in shared else None
    alike = {
        "residuals": source.residual == whole.residual,
        "intercept": source.fixed == whole.fixed,
        "covariance of random effects": len(source.random) == len(whole.random),
    }
    if not alike.get(topic, False):
        return None
    return "" if topic in ("residuals", "intercept") else " ".join(text.split())


def _silent(
    source: Model, whole: Model, overrides: Sequence[_Override], text: str
) -> Iterator[DefaultRow]:
    """The source's defaults that the target would not come to by itself."""
    own = {_topic(default.what): default for default in whole.defaults}
    over = {_topic(override.what): override for override in overrides}
    for default in source.defaults:
        topic = _topic(default.what)
        shared = own.get(topic)
        if shared is not None and _same(topic, shared.value, default.value):
            continue
        if default.rule.startswith(("VARIABLE:", "DATA:")):
            continue  # said by the text, not left to the program
        override = over.get(topic)
        target = override if override is not None else shared
        if target is not None and _same(topic, target.value, default.value):
            continue
        kept = _kept_by(source, whole, topic, text) if target is None else None
        if kept == "":
            continue
        yield DefaultRow(
            default.what,
            default.value,
            default.rule,
            "" if target is None else target.value,
            "" if target is None else target.rule,
            kept or ("" if override is None else override.piece),
        )
    if not isinstance(source, SemModel) or not isinstance(whole, SemModel):
        return
    mine = {path.identity: path.rule for path in whole.paths}
    pieces = {override.what: override for override in _grouped(overrides)}
    by_rule: dict[tuple[str, str], list[str]] = {}
    for path in source.paths:
        if (
            path.rule == "written"
            or path.is_zero
            or mine.get(path.identity, "written") != "written"
        ):
            continue
        value = "free" if path.free else f"{path.value:g}"
        by_rule.setdefault((path.rule, value), []).append(path.name)
    for (rule, value), names in by_rule.items():
        shown = _names(names)
        matched = pieces.get(shown)
        yield DefaultRow(
            shown,
            value,
            rule,
            "" if matched is None else matched.value,
            "" if matched is None else matched.rule,
            shown if matched is None else matched.piece,
        )


def _same(topic: str, one: str, other: str) -> bool:
    if topic == "missing":
        rows = {"rows dropped", "ml"}
        return one == other or {one, other} <= rows
    fixed = {"fixed", "TRUE"}
    return one.casefold() == other.casefold() or {one, other} <= fixed


def _overrides(target: Notation, text: str, whole: Model) -> Iterator[_Override]:
    """Leave out piece by piece; what the target then fills in is its default."""
    for piece, rest in _without(text):
        try:
            less = target.read(rest)
        except GrowthmmError:
            continue
        if type(less) is not type(whole):
            continue
        yield from _new_defaults(less, whole, piece)
        if isinstance(less, SemModel) and isinstance(whole, SemModel):
            yield from _new_paths(less, whole, piece)


def _new_defaults(less: Model, whole: Model, piece: str) -> Iterator[_Override]:
    said: set[tuple[str, str]] = {(d.what, d.value) for d in whole.defaults}
    for default in less.defaults:
        if (default.what, default.value) not in said:
            yield _Override(default.what, default.value, default.rule, piece, _kept(whole, default))


def _kept(whole: Model, default: Default) -> str:
    value = getattr(whole, default.what, None)
    return str(value).upper() if isinstance(value, str) else "written"


def _new_paths(less: SemModel, whole: SemModel, piece: str) -> Iterator[_Override]:
    if set(less.latent) != set(whole.latent):
        return
    before = {path.name: path for path in whole.paths}
    for path in less.paths:
        old = before.get(path.name)
        if path.rule == "written" or (old is not None and old.rule != "written"):
            continue
        if old is not None and old.identity == path.identity:
            continue
        if old is None and path.is_zero:
            continue
        value = "free" if path.free else f"{path.value:g}"
        kept = "0" if old is None else _said(old.free, old.value, old.label)
        yield _Override(path.name, value, path.rule, piece, kept)


def _said(free: bool, value: float | None, label: str | None) -> str:
    if not free:
        return "by data" if value is None else f"{value:g}"
    return f"free, equal ({label})" if label else "free"


def _grouped(overrides: Sequence[_Override]) -> list[_Override]:
    """Rows of one rule together."""
    groups: dict[tuple[str, str, str], list[_Override]] = {}
    for override in overrides:
        key = (override.rule, override.value, override.kept)
        groups.setdefault(key, []).append(override)
    made = []
    for (rule, value, kept), members in groups.items():
        pieces = list(dict.fromkeys(member.piece for member in members))
        shown = "; ".join(pieces if len(pieces) < 4 else [pieces[0], "...", pieces[-1]])
        made.append(_Override(_names([m.what for m in members]), value, rule, shown, kept))
    return made


def _names(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    if len(distinct) > 3:
        distinct = [distinct[0], "...", distinct[-1]]
    return ", ".join(distinct)


def _source_rule(source: Model, override: _Override) -> str:
    """The source's default behind what was written, else that its text says so."""
    topics = {_topic(default.what): default for default in source.defaults}
    if not isinstance(source, SemModel):
        left, _, right = override.what.partition(",")[0].partition("~~")
        if right and left == right and "residuals" in topics:
            return topics["residuals"].rule
        if right and left != right and "covariance of random effects" in topics:
            return topics["covariance of random effects"].rule
    return "written"


def _without(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of a text, each with the text that is left without it."""
    spans = list(dict.fromkeys([*_lines(text), *_statements(text), *_options(text)]))
    for start, end in spans[:MOST_PIECES]:
        piece = text[start:end].strip().strip(",; \n")
        if piece:
            yield piece, text[:start] + text[end:]


def _lines(text: str) -> Iterator[tuple[int, int]]:
    position = 0
    for line in text.splitlines(keepends=True):
        yield position, position + len(line)
        position += len(line)


def _statements(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[^;\n]+;", text):
        yield match.span()


def _options(text: str) -> Iterator[tuple[int, int]]:
    """Arguments of a call, and words with values or brackets as SAS, SPSS and Stata write them."""
    for match in re.finditer(r",\s*[\w.]+\s*=\s*(?:\"[^\"\n]*\"|[\w.]+(?:\([^()\n]*\))?)", text):
        yield match.span()
    for match in re.finditer(r"\s[/]?[A-Za-z]\w*\s*=\s*[\w.]+(?:\([^()\n]*\))?", text):
        yield match.span()
    for match in re.finditer(r"(?<=[,\s])[A-Za-z]\w*\([^()\n]*\)|(?<=[,\s])(?:mle|reml)\b", text):
        yield match.span()
