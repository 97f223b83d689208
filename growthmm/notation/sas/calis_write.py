"""A structural equation model as a PROC CALIS step, in its PATH language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from growthmm.model.defaults import Loss
from growthmm.model.sem import Path, SemModel
from growthmm.notation.base import Written
from growthmm.notation.command_languages.names import Names
from growthmm.notation.command_languages.sem_loss import misread, sayable, sem_names
from growthmm.notation.losses.levels import levels_loss
from growthmm.notation.sas.calis import read_calis
from growthmm.notation.sas.names import SAS_NAMES
from growthmm.notation.sas.statements import find_procedure
from growthmm.notation.sem.text import number_text

__all__ = ["calis_lines", "write_calis"]

_TERM = re.compile(r"-?(?:[0-9.]+(?:e[-+]?[0-9]+)?(?:\*[A-Za-z_]\w*)?|[A-Za-z_]\w*)")


def write_calis(model: SemModel) -> Written:
    """Write a structural equation model as PROC CALIS.

    Observed variables are listed by VAR, directed effects by PATH, the rest by PVAR, PCOV and
    MEAN. Whether an effect of one latent variable on another measures it is not said.

    Parameters
    ----------
    model : SemModel
        Any model.

    Returns
    -------
    Written
        Text that reads back, and what SAS cannot say.
    """
    beyond = levels_loss(model, "PROC CALIS")
    if beyond:
        return Written("", beyond)
    said, losses = sayable(model, "SAS")
    if said.missing == "ml" and said.likelihood == "wishart":
        why = "METHOD=FIML divides by N"
        losses.append(Loss("divisor N - 1 with missing values", why, "likelihood normal"))
        said = replace(said, likelihood="normal")
    text, more = calis_lines(said, "")
    losses += more
    if not losses:
        losses = misread(said, lambda: read_calis(find_procedure(text)), "SAS")
    return Written(text, tuple(losses))


def calis_lines(model: SemModel, source: str) -> tuple[str, list[Loss]]:
    """The text and its losses.

    Parameters
    ----------
    model : SemModel
        A model of one group.
    source : str
        Options of the PROC statement before the method.
    """
    names, labels = sem_names(model, SAS_NAMES)
    losses = [*names.losses, *labels.losses]
    method = "fiml" if model.missing == "ml" else "ml"
    divisor = " vardef=n" if method == "ml" and model.likelihood == "normal" else ""
    lines = [f"/* {note} */" for note in (*names.notes(), *labels.notes())]
    lines.append(f"proc calis{source} method={method}{divisor};")
    observed = " ".join(names(name) for name in (*model.outcomes, *model.covariates))
    lines.append(f"  var {observed};")
    lines += _directed(model, names, labels)
    variances = [p for p in model.paths if p.op == "~~" and p.left == p.right]
    covariances = [p for p in model.paths if p.op == "~~" and p.left != p.right]
    means = [p for p in model.paths if p.op == "~1"]
    lines += _listed("pvar", [(names(p.left), _value(p, labels)) for p in variances])
    pairs = [(f"{names(p.left)} {names(p.right)}", _value(p, labels)) for p in covariances]
    lines += _listed("pcov", [*pairs, *_apart(model, names)])
    # CALIS frees the intercepts of observed outcomes that MEAN does not name.
    without = [name for name in model.outcomes if all(p.left != name for p in means)]
    centred = [(names(name), "0") for name in without]
    lines += _listed("mean", [*((names(p.left), _value(p, labels)) for p in means), *centred])
    lines += _bounds(model, labels)
    more = _relations(model, labels)
    losses += [loss for loss in more if isinstance(loss, Loss)]
    lines += [line for line in more if isinstance(line, str)]
    return "\n".join([*lines, "run;"]), losses


def _value(path: Path, labels: Names) -> str | None:
    """A parameter as CALIS writes it; None for a free one without a name or start."""
    if not path.free:
        return number_text(path.value or 0.0)
    start = "" if path.start is None else f"({number_text(path.start)})"
    return f"{labels(path.label)}{start}" if path.label else start or None


def _directed(model: SemModel, names: Names, labels: Names) -> list[str]:
    by_cause: dict[str, list[tuple[str, str | None]]] = {}
    for path in model.paths:
        if path.op in ("=~", "~"):
            cause, effect = path.left, path.right
            if path.op == "~":
                cause, effect = effect, cause
            by_cause.setdefault(cause, []).append((names(effect), _value(path, labels)))
    entries = []
    for cause, effects in by_cause.items():
        for group in _runs(effects):
            targets = " ".join(name for name, _ in group)
            values = " ".join(value for _, value in group if value is not None)
            entries.append(f"{names(cause)} ===> {targets}" + (f" = {values}" if values else ""))
    if not entries:
        return []
    return ["  path", *(f"    {entry}," for entry in entries[:-1]), f"    {entries[-1]};"]


def _runs(
    entries: Sequence[tuple[str, str | None]],
) -> list[list[tuple[str, str | None]]]:
    """Neighbours that all have a value, or all none."""
    runs: list[list[tuple[str, str | None]]] = []
    for entry in entries:
        if runs and (runs[-1][0][1] is None) == (entry[1] is None):
            runs[-1].append(entry)
        else:
            runs.append([entry])
    return runs


def _listed(word: str, entries: Sequence[tuple[str, str | None]]) -> list[str]:
    if not entries:
        return []
    shown = [name + (f" = {value}" if value is not None else "") for name, value in entries]
    return [f"  {word} {', '.join(shown)};"]


def _apart(model: SemModel, names: Names) -> list[tuple[str, str]]:
    """Zero covariances that CALIS would free."""
    explained = {p.right if p.op == "=~" else p.left for p in model.paths if p.op in ("=~", "~")}
    random = [n for n in (*model.outcomes, *model.latent) if n not in explained]
    written = {frozenset((p.left, p.right)) for p in model.paths if p.op == "~~"}
    pairs = [(a, x) for a in random for x in model.covariates]
    pairs += [(a, b) for k, a in enumerate(random) for b in random[:k]]
    return [(f"{names(a)} {names(b)}", "0") for a, b in pairs if frozenset((a, b)) not in written]


def _bounds(model: SemModel, labels: Names) -> list[str]:
    entries = []
    bounded = {p.label: p for p in model.paths if p.label and p.free}
    for label, path in bounded.items():
        if path.lower is not None:
            entries.append(f"{labels(label)} >= {number_text(path.lower)}")
        if path.upper is not None:
            entries.append(f"{labels(label)} <= {number_text(path.upper)}")
    return [f"  bounds {', '.join(entries)};"] if entries else []


def _relations(model: SemModel, labels: Names) -> list[str | Loss]:
    lines: list[str | Loss] = []
    for constraint in model.constraints:
        sides = [_linear(side, labels) for side in (constraint.left, constraint.right)]
        shown = f"{constraint.left} {constraint.op} {constraint.right}"
        if None in sides:
            why = "LINCON adds multiples of named parameters"
            lines.append(Loss(shown, why, "lavaan or OpenMx"))
            continue
        sign = {"==": "=", "<": "<=", ">": ">="}[constraint.op]
        lines.append(f"  lincon {sides[0]} {sign} {sides[1]};")
    return lines


def _linear(side: str, labels: Names) -> str | None:
    pieces = re.split(r" ([-+]) ", side)
    known = {path: labels(path) for path in labels.given}
    spelled = []
    for k, piece in enumerate(pieces):
        if k % 2:
            spelled.append(piece)
            continue
        if _TERM.fullmatch(piece) is None:
            return None
        number, star, name = piece.rpartition("*")
        bare = name.removeprefix("-")
        if bare[0].isalpha() or bare[0] == "_":
            if bare not in known:
                return None
            name = name.replace(bare, known[bare])
        spelled.append(f"{number}{star}{name}")
    return " ".join(spelled)
