"""The commands ``missing`` and ``alternatives``: their flags, and what they do."""

from __future__ import annotations

import argparse
from typing import Any

from growthmm.commands.argument import Given
from growthmm.commands.output import Answer
from growthmm.errors import SpecificationError

__all__ = ["ABOUT", "add_flags", "looked_at_missing", "set_beside"]

ABOUT = {
    "missing": "Look at missing data: patterns, who is dropped by which program, whether dropout "
    "goes with\nearlier outcomes, and estimates by maximum likelihood, of complete persons, by "
    "imputation.",
    "alternatives": "The fixed effects by the mixed model and its growth curve, by fixed effects "
    "of persons, least\nsquares clustered by person and estimating equations, and what each "
    "estimates.",
}


def add_flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags that a command has beside model and data.

    Parameters
    ----------
    parser : ArgumentParser
        The command's.
    name : {"missing", "alternatives"}
        The command.
    """
    group = parser.add_argument_group("fitting")
    group.add_argument(
        "--estimator", metavar="NAME", help="ml or reml; ml unless a call says otherwise"
    )
    if name == "alternatives":
        return
    group = parser.add_argument_group("filling in")
    group.add_argument(
        "--imputations", type=int, default=20, metavar="N", help="how many (%(default)s); 0: none"
    )
    group.add_argument(
        "--forest",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="impute once by random forests too, or not; up to 5,000 persons unless told",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the imputations")
    group.add_argument(
        "--auxiliary", metavar="X,X", help="columns that go with missing values, not in the model"
    )


def looked_at_missing(
    chosen: argparse.Namespace, model: Given, data: Any, options: dict[str, Any]
) -> Answer:
    """Look at missing data.

    Parameters
    ----------
    chosen : Namespace
        The flags.
    model : Given
        The model argument.
    data : data frame or path
        What ``--data`` names.
    options : dict
        How model and data are read.
    """
    from growthmm.verbs.missing import missing

    named = [name.strip() for name in (chosen.auxiliary or "").split(",") if name.strip()]
    if chosen.auxiliary is not None and not named:
        raise SpecificationError(
            f"--auxiliary {chosen.auxiliary!r} names nothing.",
            hint="Write --auxiliary NAME,NAME or leave it out.",
        )
    found = missing(
        model.text,
        data,
        auxiliary=named,
        n_imputations=chosen.imputations,
        forest=chosen.forest,
        seed=chosen.seed,
        **options,
    )
    return Answer(found.to_dict(), found.summary())


def set_beside(model: Given, data: Any, options: dict[str, Any]) -> Answer:
    """Other estimators of the fixed effects.

    Parameters
    ----------
    model : Given
        The model argument.
    data : data frame or path
        What ``--data`` names.
    options : dict
        How model and data are read.
    """
    from growthmm.verbs.alternatives import alternatives

    found = alternatives(model.text, data, **options)
    return Answer(found.to_dict(), found.summary())
