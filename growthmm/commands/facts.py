"""What the flags of a command line say, as the arguments of verbs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from growthmm.commands.argument import Given, given
from growthmm.errors import SpecificationError

if TYPE_CHECKING:
    from growthmm.inference.result import FitResult

__all__ = [
    "data_of",
    "facts",
    "fitted",
    "held",
    "named",
    "notation",
    "numbers",
    "option",
    "preparing",
    "reading",
]

OWN_DATA = ("fit", "verify", "report", "diagnose", "test", "intervals", "variance")
"""Commands that use the data which a model's file names, where no others are given."""


def facts(chosen: argparse.Namespace) -> dict[str, Any]:
    """What is said of the data's columns."""
    return {
        "id": chosen.id,
        "time": chosen.time,
        "outcome": chosen.outcome,
        "time_values": numbers(chosen.time_values),
        "layout": "wide" if chosen.wide else None,
    }


def numbers(text: str | None, flag: str = "--time-values") -> list[float] | None:
    """Numbers divided by commas."""
    if text is None:
        return None
    try:
        return [float(piece) for piece in text.split(",")]
    except ValueError:
        raise SpecificationError(
            f"{flag} {text!r} is no list of numbers.", hint=f"Write {flag} 0,1,2,3."
        ) from None


def named(text: str, flag: str) -> list[str]:
    """Names divided by commas."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise SpecificationError(
            f"{flag} {text!r} names nothing.", hint=f"Write {flag} NAME,NAME or leave it out."
        )
    return found


def held(pieces: list[str] | None, flag: str = "--fixed") -> dict[str, float] | None:
    """Parameters and values; a name may hold an equals sign itself (``i=~y2``)."""
    if not pieces:
        return None
    found: dict[str, float] = {}
    for piece in pieces:
        name, _, text = piece.rpartition("=")
        try:
            value = float(text)
        except ValueError:
            value = None
        if not name.strip() or value is None:
            raise SpecificationError(
                f"{flag} {piece!r} is no parameter and value.",
                hint=f"Write {flag} 'NAME=VALUE', the name as the estimates have it.",
            )
        if name.strip() in found:
            raise SpecificationError(
                f"{flag} gives {name.strip()!r} twice.", hint="Give each parameter one value."
            )
        found[name.strip()] = value
    return found


def option(chosen: argparse.Namespace, model: Given, name: str) -> str | None:
    """An option of the model's own, or the flag."""
    value: str | None = model.options.get(name, getattr(chosen, name, None))
    return value


def data_of(chosen: argparse.Namespace, *, required: bool = True) -> Any:
    """What ``--data`` and ``--moments`` name: a path, moments or nothing."""
    if chosen.moments is None and not str(chosen.data).lower().endswith(".json"):
        if chosen.data is None and required and not _in_file(chosen):
            raise SpecificationError(
                f"growthmm {chosen.command} needs data.", hint="Give a file: --data gpa.csv."
            )
        return chosen.data
    if chosen.moments and chosen.data is not None:
        raise SpecificationError(
            f"Both --data {chosen.data} and --moments {chosen.moments} are given.",
            hint="Give one of them.",
        )
    path = chosen.moments or chosen.data
    if path is None:
        raise SpecificationError("--moments names no file.", hint="Write --moments FILE.")
    from growthmm.commands.moments_file import read_moments

    return read_moments(path)


def _in_file(chosen: argparse.Namespace) -> bool:
    """Whether the command takes one model, and this one is a file, which may name its data."""
    return chosen.command in OWN_DATA and given(chosen.model).in_file


def reading(chosen: argparse.Namespace, model: Given) -> dict[str, Any]:
    """How a model is read."""
    return {
        "function": option(chosen, model, "function"),
        "residual": option(chosen, model, "residual"),
    }


def preparing(chosen: argparse.Namespace) -> dict[str, Any]:
    """What is done to model and data before: rounding of times, person means."""
    made: dict[str, Any] = {}
    if chosen.bin is not None:
        values = numbers(chosen.bin, "--bin") or []
        made["bin"] = values[0] if len(values) == 1 else values
    if chosen.mundlak is not None:
        made["mundlak"] = named(chosen.mundlak, "--mundlak")
    return made


def notation(chosen: argparse.Namespace, model: Given) -> str | None:
    """The notation that was named."""
    found: str | None = model.options.get("from", chosen.from_)
    return found


def fitted(chosen: argparse.Namespace) -> FitResult:
    """The model of a command line, fitted as its flags say."""
    from growthmm.verbs.fit import fit

    model = given(chosen.model)
    options = ("information", "robust", "df", "penalty")
    return fit(
        model.text,
        data_of(chosen),
        engine=chosen.engine,
        estimator=option(chosen, model, "estimator"),
        bounds=option(chosen, model, "bounds"),
        fixed=held(chosen.fixed),
        **{name: value for name in options if (value := getattr(chosen, name, None))},
        notation=notation(chosen, model),
        **preparing(chosen),
        **reading(chosen, model),
        **facts(chosen),
    )
