"""The command ``explain``: two models, each with flags of its own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from growthmm.commands.argument import given
from growthmm.commands.output import Answer
from growthmm.errors import SpecificationError

__all__ = ["explained"]


def explained(chosen: argparse.Namespace, data: Any, facts: dict[str, Any]) -> Answer:
    """Why two analyses give different numbers.

    Parameters
    ----------
    chosen : Namespace
        With two ``models`` and the flags of either side.
    data : path, Moments or None
        What ``--data`` names.
    facts : dict
        What the flags say of the data.
    """
    from growthmm.verbs.explain import explain as compare_analyses

    if len(chosen.models) != 2:
        count = len(chosen.models)
        raise SpecificationError(
            f"{count} model{'s were' if count > 1 else ' was'} given to explain.",
            hint="Give two, each in quotes.",
        )
    models = [given(text) for text in chosen.models]
    sides: dict[str, Any] = {}
    for side, model in zip("ab", models, strict=True):
        stated = getattr(chosen, f"options_{side}")
        options = _assignments(stated, f"--options-{side}") if stated is not None else {}
        options |= {"bounds": model.options["bounds"]} if "bounds" in model.options else {}
        notation = model.options.get("from", getattr(chosen, f"from_{side}") or chosen.from_)
        estimator = model.options.get("estimator", getattr(chosen, f"estimator_{side}"))
        printed = getattr(chosen, f"printed_{side}")
        sides |= {
            f"notation_{side}": notation,
            f"estimator_{side}": estimator,
            f"residual_{side}": model.options.get("residual", chosen.residual),
            f"options_{side}": options,
            f"printed_{side}": None if printed is None else Path(printed),
        }
    functions = [model.options.get("function", chosen.function) for model in models]
    result = compare_analyses(
        models[0].text,
        models[1].text,
        data,
        function_a=functions[0],
        function_b=functions[1],
        **sides,
        **facts,
    )
    return Answer(result.to_dict(), result.summary())


def _assignments(text: str, flag: str) -> dict[str, str]:
    """The pairs of ``NAME=VALUE,NAME=VALUE``."""
    made: dict[str, str] = {}
    for piece in text.split(","):
        name, mark, value = piece.partition("=")
        if not mark or not name.strip() or not value.strip():
            raise SpecificationError(
                f"{flag} {text!r} is no list of NAME=VALUE.",
                hint=f"Write {flag} missing=listwise,bounds=none.",
            )
        made[name.strip()] = value.strip()
    return made
