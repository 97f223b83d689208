"""What each command does: read the flags, call the verb, print or write."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from growthmm.commands.output import deliver, write_frame
from growthmm.data.moments import Moments
from growthmm.errors import DataError, SpecificationError

__all__ = ["compare", "demo", "engines", "fit", "reshape", "translate", "verify"]

OPTION = re.compile(r"\s*(residual|estimator|bounds|function)\s*=\s*([^,;=\s]+)\s*")


@dataclass(frozen=True)
class Given:
    """A model argument with its own options split off."""

    text: str
    options: dict[str, str]


def _given(text: str) -> Given:
    """Split ``text ; key=value, key=value``; lavaan's own semicolons stay."""
    head, mark, tail = text.rpartition(";")
    if not mark:
        return Given(text, {})
    pieces = [piece for piece in tail.split(",") if piece.strip()]
    matches = [OPTION.fullmatch(piece) for piece in pieces]
    if not pieces or not any(matches):
        return Given(text, {})
    options = {}
    for piece, match in zip(pieces, matches, strict=True):
        if match is None:
            raise SpecificationError(
                f"The model option {piece.strip()!r} is not understood.",
                hint="Options are residual=, estimator=, bounds=, function=.",
            )
        options[match.group(1)] = match.group(2)
    return Given(head.strip(), options)


def _facts(chosen: argparse.Namespace) -> dict[str, Any]:
    return {
        "id": chosen.id,
        "time": chosen.time,
        "outcome": chosen.outcome,
        "time_values": _numbers(chosen.time_values),
        "layout": "wide" if chosen.wide else None,
    }


def _numbers(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(piece) for piece in text.split(",")]
    except ValueError:
        raise SpecificationError(
            f"--time-values {text!r} is no list of numbers.", hint="Write --time-values 0,1,2,3."
        ) from None


def _option(chosen: argparse.Namespace, given: Given, name: str) -> str | None:
    """An option of the model's own, or the flag."""
    value: str | None = given.options.get(name, getattr(chosen, name, None))
    return value


def _data(chosen: argparse.Namespace) -> Any:
    if not getattr(chosen, "moments", False):
        return chosen.data
    import json

    try:
        held = json.loads(Path(chosen.data).read_text(encoding="utf-8"))
        mean, cov, n = held["mean"], held["cov"], held["n"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The moments file {chosen.data} cannot be used: {error}.",
            hint='It is JSON: {"names": [...], "mean": [...], "cov": [[...]], "n": 200, "ddof": 0}.',
        ) from None
    return Moments(mean, cov, n, held.get("names"), ddof=held.get("ddof", 0))


def _reading(chosen: argparse.Namespace, given: Given) -> dict[str, Any]:
    return {
        "function": _option(chosen, given, "function"),
        "residual": _option(chosen, given, "residual"),
    }


def demo(chosen: argparse.Namespace) -> int:
    """The main job on the built-in GPA data."""
    from growthmm import datasets
    from growthmm.rendering import render
    from growthmm.verbs.translate import translate as carry
    from growthmm.verbs.verify import verify as judge

    formula = "gpa ~ occasion + (1 + occasion | student)"
    data = datasets.gpa()
    made = carry(formula, "lavaan", data=data)
    result = judge(formula, data)
    if chosen.json:
        return deliver({"translation": made.to_dict()} | result.to_dict(), "", chosen)
    values = dict(zip(result.sem_fit.fit.names, result.sem_fit.fit.estimates.tolist(), strict=True))
    lines = [
        "The built-in GPA data (synthetic; same means and covariances as the original):",
        f"{data['student'].nunique()} students, {len(data)} rows",
        "",
        "Mixed model (lme4)",
        f"  {formula}",
        "",
        "The same model as a latent growth curve (lavaan)",
        *("  " + line for line in made.text.splitlines()),
        "",
        "Path diagram, with estimates",
        *("  " + line for line in render("sem.diagram", result.sem_fit.model, values).splitlines()),
        "",
        result.summary(),
    ]
    return deliver({}, "\n".join(lines), chosen)


def translate(chosen: argparse.Namespace) -> int:
    """Carry a model over to another notation."""
    from growthmm.verbs.translate import translate as carry

    given = _given(chosen.model)
    made = carry(
        given.text,
        chosen.to,
        data=chosen.data,
        notation_name=chosen.from_,
        estimator=given.options.get("estimator"),
        **_reading(chosen, given),
        **_facts(chosen),
    )
    if chosen.script:
        return deliver(made.to_dict(), made.script, chosen)
    lines = [made.text]
    if made.parameter_rows:
        from growthmm.report.text_table import table

        rows = [[r.mixed_name, r.sem_name, r.rule] for r in made.parameter_rows]
        lines += ["", table(["mixed", "SEM", "rule"], rows, left=3)]
    if made.assumptions:
        lines += ["", *(f"Assumed: {note}" for note in made.assumptions)]
    return deliver(made.to_dict(), "\n".join(lines), chosen)


def reshape(chosen: argparse.Namespace) -> int:
    """Long data to wide, or wide to long."""
    from growthmm.data.frames import as_pandas
    from growthmm.data.reshape import to_long, to_wide

    values = [name.strip() for name in chosen.values.split(",") if name.strip()]
    turn: Callable[..., Any] = to_wide if chosen.to == "wide" else to_long
    frame = turn(
        as_pandas(chosen.data), id=chosen.id, time=chosen.time, values=values, names=chosen.names
    )
    return write_frame(frame, chosen)


def fit(chosen: argparse.Namespace) -> int:
    """Fit a model by one engine."""
    from growthmm.verbs.fit import fit as estimate

    given = _given(chosen.model)
    result = estimate(
        given.text,
        _data(chosen),
        engine=chosen.engine,
        estimator=given.options.get("estimator", chosen.estimator),
        bounds=_option(chosen, given, "bounds"),
        information=chosen.information,
        notation=chosen.from_,
        **_reading(chosen, given),
        **_facts(chosen),
    )
    return deliver(result.to_dict(), result.summary(), chosen)


def verify(chosen: argparse.Namespace) -> int:
    """Translate, fit both forms, judge by evidence."""
    from growthmm.verbs.verify import verify as judge

    given = _given(chosen.model)
    wanted = None
    if chosen.engines is not None:
        wanted = [name.strip() for name in chosen.engines.split(",") if name.strip()]
    result = judge(
        given.text,
        _data(chosen),
        engines=wanted,
        estimator=given.options.get("estimator", chosen.estimator),
        bounds=_option(chosen, given, "bounds"),
        notation=chosen.from_,
        time_limit=chosen.time_limit,
        **_reading(chosen, given),
        **_facts(chosen),
    )
    deliver(result.to_dict(), result.summary(), chosen)
    return 0 if result.identical else 1


def compare(chosen: argparse.Namespace) -> int:
    """Likelihood-ratio tests and information criteria."""
    from growthmm.data.frames import as_pandas
    from growthmm.verbs.compare import compare as weigh
    from growthmm.verbs.fit import fit as estimate

    frame = as_pandas(chosen.data)
    fits = []
    for text in chosen.models:
        given = _given(text)
        fits.append(
            estimate(
                given.text,
                frame,
                engine=chosen.engine,
                estimator=given.options.get("estimator", chosen.estimator),
                bounds=given.options.get("bounds"),
                notation=chosen.from_,
                **_reading(chosen, given),
                **_facts(chosen),
            )
        )
    result = weigh(*fits, refit=chosen.refit)
    return deliver(result.to_dict(), result.summary(), chosen)


def engines(chosen: argparse.Namespace) -> int:
    """List the engines and whether they can run."""
    from growthmm.engines.registry import states
    from growthmm.report.text_table import table

    found = states()
    rows = [
        [s.name, s.family, "yes" if s.installed else "no", s.version, s.reason or s.title]
        for s in found
    ]
    text = table(["engine", "fits", "installed", "version", "note"], rows, left=5)
    return deliver({"engines": [asdict(s) for s in found]}, text, chosen)
