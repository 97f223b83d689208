"""The flags of every command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from growthmm import __version__
from growthmm.commands.flags import (
    MODEL,
    STATUS,
    Parser,
    add_answer,
    add_data,
    add_fitting,
    add_fixed,
    add_model,
    add_preparing,
    add_reading,
    command_parser,
)
from growthmm.errors import SpecificationError
from growthmm.notation import names

__all__ = ["COMMANDS", "parse"]


def parse(words: Sequence[str]) -> argparse.Namespace | None:
    """Read a command line.

    Parameters
    ----------
    words : sequence of str
        What stands behind ``growthmm``.

    Returns
    -------
    Namespace or None
        The command and its flags; None where only the overview was asked for (and printed).

    Raises
    ------
    SpecificationError
        If a command or flag is unknown, or something is missing.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        if len(words) > 1 and words[1] in COMMANDS:
            return parse([words[1], "--help"])
        print(_overview())
        return None
    if words[0] == "--version":
        print(f"growthmm {__version__}")
        return None
    if words[0] not in COMMANDS:
        kind = "flag" if words[0].startswith("-") else "command"
        near = get_close_matches(words[0], COMMANDS, n=1)
        raise SpecificationError(
            f"There is no {kind} {words[0]!r}.",
            hint=(f"Did you mean {near[0]!r}? " if near else "")
            + f"Commands: {', '.join(COMMANDS)}.",
        )
    parser = COMMANDS[words[0]][1](words[0])
    chosen, strange = parser.parse_known_intermixed_args(_joined(words[1:]))
    if strange:
        _refuse(parser, strange[0])
    return chosen


def _joined(words: Sequence[str]) -> list[str]:
    """The words with values tied to their flag where argparse would take them for flags."""
    data = any(word == "--data" or word.startswith("--data=") for word in words)
    made: list[str] = []
    for word in words:
        if made and made[-1] in ("--time-values", "--bin"):
            made[-1] = f"{made[-1]}={word}"
        elif made and made[-1] == "--moments" and _names_moments(word, data=data):
            made[-1] = f"--moments={word}"
        else:
            made.append(word)
    return ["--moments=" if word == "--moments" else word for word in made]


def _names_moments(word: str, *, data: bool) -> bool:
    """Whether the word behind ``--moments`` is its file, not the model."""
    return word.endswith(".json") or not (data or word.startswith("-"))


def _refuse(parser: Parser, word: str) -> NoReturn:
    flags = sorted(flag for flag in parser._option_string_actions if flag.startswith("--"))
    near = get_close_matches(word.split("=", maxsplit=1)[0], flags, n=1)
    if word.startswith("-"):
        raise SpecificationError(
            f"{parser.prog} has no flag {word!r}.",
            hint=(f"Did you mean {near[0]}? " if near else "") + f"Flags: {', '.join(flags)}.",
        )
    raise SpecificationError(
        f"{parser.prog} does not know what to do with {word!r}.",
        hint="Put a model in quotes, as one word.",
    )


def _overview() -> str:
    lines = [
        "usage: growthmm COMMAND ... [--json] [--output FILE]",
        "",
        "Growth models as mixed models and as structural equation models: translate, fit both,",
        "verify that they are the same.",
        "",
        "Commands:",
        *(f"  {name:13}{about}" for name, (about, _) in COMMANDS.items()),
        "",
        "Try:",
        "  growthmm demo",
        "  growthmm verify 'gpa ~ occasion + (1 + occasion | student)' --data gpa.csv",
        "",
        "growthmm COMMAND --help shows a command's flags; growthmm --version the version.",
    ]
    return "\n".join(lines)


def _demo(name: str) -> Parser:
    parser = command_parser(name, "The main job on the built-in GPA data: translate, fit, verify.")
    add_answer(parser)
    return parser


def _translate(name: str) -> Parser:
    parser = command_parser(
        name, "Carry a growth model over to another notation.", f"{MODEL}\n{STATUS}"
    )
    add_model(parser)
    parser.add_argument(
        "--to", required=True, metavar="NOTATION", help=f"the target: {', '.join(names())}"
    )
    parser.add_argument(
        "--estimator", metavar="NAME", help="ml or reml, in place of what the text says"
    )
    parser.add_argument(
        "--script", action="store_true", help="the complete program, data reading included"
    )
    add_data(parser)
    add_preparing(parser)
    add_answer(parser)
    return parser


def _defaults(name: str) -> Parser:
    parser = command_parser(
        name,
        "List the defaults of a model's program that another program does not share, each with "
        "what is\nwritten to keep the model. Needs no data.",
        f"{MODEL}\n{STATUS}",
    )
    add_model(parser)
    parser.add_argument("--to", required=True, metavar="NOTATION", help="the other program")
    parser.add_argument("--estimator", metavar="NAME", help="ml or reml")
    group = parser.add_argument_group("facts that the text may not say")
    group.add_argument("--wide", action="store_true", help="a row a person")
    group.add_argument("--id", metavar="COLUMN", help="the person")
    group.add_argument("--time", metavar="COLUMN", help="the time")
    group.add_argument("--outcome", metavar="COLUMN", help="the outcome in long data")
    group.add_argument("--time-values", metavar="T,T,...", help="times of the outcomes")
    add_answer(parser)
    return parser


def _reshape(name: str) -> Parser:
    parser = command_parser(
        name, "Long data to wide, or wide to long, as CSV (or Parquet by --output)."
    )
    parser.add_argument("--data", metavar="FILE", required=True, help="CSV or Parquet")
    parser.add_argument("--to", required=True, metavar="LAYOUT", help="wide or long")
    parser.add_argument("--id", metavar="COLUMN", required=True, help="the person")
    parser.add_argument("--time", metavar="COLUMN", required=True, help="the time")
    parser.add_argument(
        "--values", metavar="COLUMN,...", required=True, help="columns that change over time"
    )
    parser.add_argument(
        "--names", metavar="TEMPLATE", default="{value}_{time}", help="of wide columns: %(default)s"
    )
    parser.add_argument(
        "--stack", metavar="COLUMN", help="of several outcomes: which one a row holds"
    )
    add_answer(parser)
    return parser


def _fit(name: str) -> Parser:
    parser = command_parser(name, "Fit a model by one engine.", f"{MODEL}\n{STATUS}")
    add_model(parser)
    add_data(parser)
    add_preparing(parser)
    group = add_fitting(parser)
    group.add_argument(
        "--engine", default="auto", metavar="NAME", help="growthmm engines lists them; auto is ours"
    )
    group.add_argument(
        "--information", metavar="KIND", help="standard errors from expected or observed"
    )
    group.add_argument(
        "--robust", metavar="KIND", help="sandwich standard errors: cr0, cr2, observed"
    )
    group.add_argument(
        "--df",
        metavar="METHOD",
        help="degrees of freedom of the tests: satterthwaite, kenward-roger, none",
    )
    group.add_argument(
        "--penalty", metavar="NAME", help="keep covariances off zero: wishart, gamma"
    )
    add_fixed(group)
    add_answer(parser)
    return parser


def _verify(name: str) -> Parser:
    parser = command_parser(
        name,
        "Translate a growth model, fit both forms, judge by evidence whether they are the same.",
        f"{MODEL}\n"
        "With --against: fits the model as the program that printed FILE does and compares number\n"
        "by number, to the printed precision; differences are explained by refits.\n\n"
        "Exit status: 0 identical or identical_if (all printed numbers agree), 1 another verdict,\n"
        "2 a bad call or bad input.\n",
    )
    group = _verifying(parser)
    group.add_argument(
        "--against",
        metavar="FILE",
        help="results that another program printed: Mplus .out, summary() of R, a listing or log",
    )
    add_answer(parser)
    return parser


def _report(name: str) -> Parser:
    parser = command_parser(
        name,
        "Verify a growth model and write the whole verification as one HTML page (--output).",
        f"{MODEL}\nExit status: as verify's.\n",
    )
    _verifying(parser)
    add_answer(parser)
    return parser


def _verifying(parser: Parser) -> argparse._ArgumentGroup:
    add_model(parser)
    add_data(parser)
    add_preparing(parser)
    group = add_fitting(parser)
    group.add_argument(
        "--engines",
        metavar="NAME,...",
        help="witnesses beside ours (statsmodels,semopy); lme4,nlme,glmmtmb,lavaan,openmx run "
        "live in R",
    )
    add_fixed(group)
    group.add_argument(
        "--time-limit",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="that a witness may take (%(default)g)",
    )
    return group


def _compare(name: str) -> Parser:
    parser = command_parser(
        name, "Likelihood-ratio tests and information criteria.", f"{MODEL}\n{STATUS}"
    )
    parser.add_argument("models", nargs="+", metavar="model", help="two or more, see below")
    add_reading(parser)
    for side, word in (("a", "first"), ("b", "second")):
        parser.add_argument(
            f"--from-{side}", metavar="NOTATION", help=f"how to read the {word} model"
        )
        parser.add_argument(
            f"--estimator-{side}", metavar="NAME", help=f"estimator of the {word} model"
        )
    add_data(parser)
    group = add_fitting(parser)
    group.add_argument("--engine", default="auto", metavar="NAME", help="growthmm engines lists it")
    group.add_argument(
        "--refit",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="refit REML models by ML first (the default), or compare as fitted",
    )
    group = parser.add_argument_group("prediction")
    group.add_argument(
        "--conditional", action="store_true", help="conditional AICs too: of the same persons again"
    )
    group.add_argument(
        "--folds", type=int, metavar="K", help="cross-validate by person too, in K folds"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the folds")
    add_answer(parser)
    return parser


def _explain(name: str) -> Parser:
    parser = command_parser(
        name,
        "List what differs between two analyses of the same data, one difference at a time, with "
        "the\nnumbers that each moves. Each side is taken as its own program runs it by default. "
        "Without data\nthe differences are listed without numbers.",
        f"{MODEL}\n{STATUS}",
    )
    parser.add_argument("models", nargs="+", metavar="model", help="two, see below")
    add_reading(parser)
    for side, word in (("a", "first"), ("b", "second")):
        parser.add_argument(
            f"--from-{side}", metavar="NOTATION", help=f"how to read the {word} model"
        )
        parser.add_argument(
            f"--estimator-{side}", metavar="NAME", help=f"estimator of the {word} model"
        )
        parser.add_argument(
            f"--options-{side}",
            metavar="NAME=VALUE,...",
            help=f"how the {word} program was run otherwise: missing=listwise, bounds=none, "
            "information=observed, ...",
        )
        parser.add_argument(
            f"--printed-{side}", metavar="FILE", help=f"results that the {word} program printed"
        )
    add_data(parser)
    add_answer(parser)
    return parser


def _diagnose(name: str) -> Parser:
    parser = command_parser(
        name,
        "Fit a model and look the fit over: slope, curvature, boundary, scales, collinearity, "
        "time\nfar from zero, too few persons, variances near zero, correlations near one.",
        f"{MODEL}\nExit status: 0 the estimates are a maximum, 1 they are not, 2 a bad call or "
        "bad input.\n",
    )
    add_model(parser)
    add_data(parser)
    add_preparing(parser)
    group = add_fitting(parser)
    group.add_argument(
        "--engine", default="auto", metavar="NAME", help="growthmm engines lists them; auto is ours"
    )
    add_fixed(group)
    group.add_argument(
        "--influence", action="store_true", help="leave out every person in turn, a fit for each"
    )
    add_answer(parser)
    return parser


def _looking(name: str) -> Parser:
    from growthmm.commands.looking import ABOUT, add_flags

    parser = command_parser(name, ABOUT[name], f"{MODEL}\n{STATUS}")
    add_model(parser)
    add_data(parser)
    add_flags(parser, name)
    add_answer(parser)
    return parser


def _inferring(name: str) -> Parser:
    from growthmm.commands.inferring_flags import ABOUT, add_flags

    parser = command_parser(name, ABOUT[name], f"{MODEL}\n{STATUS}")
    add_flags(parser, name)
    add_answer(parser)
    return parser


def _engines(name: str) -> Parser:
    parser = command_parser(
        name, "List the engines, their versions, and whether they can run here."
    )
    add_answer(parser)
    return parser


COMMANDS: dict[str, tuple[str, Callable[[str], Parser]]] = {
    "demo": ("the main job on the built-in GPA data", _demo),
    "translate": ("carry a model over to another notation", _translate),
    "defaults": ("the defaults on which two programs differ", _defaults),
    "reshape": ("long data to wide, or wide to long", _reshape),
    "fit": ("fit a model by one engine", _fit),
    "verify": ("translate, fit both forms, judge by evidence", _verify),
    "report": ("verify, as one HTML page with pictures", _report),
    "compare": ("likelihood-ratio tests and information criteria", _compare),
    "diagnose": ("fit, and look the fit over: converged, well determined?", _diagnose),
    "test": ("tests of terms, of equations, of random effects", _inferring),
    "intervals": ("intervals by Wald, profile likelihood or bootstrap", _inferring),
    "variance": ("variance accounted for, intraclass correlation", _inferring),
    "simulate": ("draw a sample from a model", _inferring),
    "study": ("bias, coverage and power, by simulation", _inferring),
    "explain": ("why two analyses give different numbers", _explain),
    "missing": ("missing data: patterns, who drops whom, what it does", _looking),
    "alternatives": ("the fixed effects by other estimators, side by side", _looking),
    "engines": ("list the engines and whether they can run", _engines),
}
"""Every command: what it is for, and its flags. A new one is a row here and an action."""
