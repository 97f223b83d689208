"""The flags of every command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from growthmm import __version__
from growthmm.errors import SpecificationError
from growthmm.notation import names

__all__ = ["COMMANDS", "parse"]

_MODEL = """\
A model is a formula, SEM text, a whole call, or the path of a file that holds one:
  'gpa ~ occasion + (1 + occasion | student)'     lme4
  'lmer(gpa ~ occasion + (1 | student), d)'       a call; its arguments count
  model.lav                                       lavaan text in a file
Its own options stand behind a semicolon and win over flags:
  'y ~ t + (t | id) ; residual=by_occasion, estimator=reml'
"""

_STATUS = """\
Exit status: 0 done, 2 a bad call or bad input (one message on standard error).
"""


class _Format(argparse.RawDescriptionHelpFormatter):
    """Help with room for the flags and the text as it is written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=96)


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are growthmm's."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        raise SpecificationError(
            f"{message[:1].upper()}{message[1:]}.", hint=f"{self.prog} --help shows the flags."
        )


def _parser(command: str, about: str, epilog: str = _STATUS) -> _Parser:
    parser = _Parser(
        prog=f"growthmm {command}",
        description=about,
        epilog=epilog,
        formatter_class=_Format,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    return parser


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


def _refuse(parser: _Parser, word: str) -> NoReturn:
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


def _json(parser: _Parser) -> None:
    group = parser.add_argument_group("answer")
    group.add_argument("--json", action="store_true", help="one JSON object instead of text")
    group.add_argument("--output", metavar="FILE", help="write there, whole or not at all")
    group.add_argument("--no-progress", action="store_true", help="no bars in a terminal")


def _model(parser: _Parser) -> None:
    parser.add_argument("model", help="text or a file, see below")
    _reading(parser)


def _reading(parser: _Parser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument(
        "--from",
        dest="from_",
        metavar="NOTATION",
        help=f"how to read it, where that can't be told: {', '.join(names())}",
    )
    group.add_argument(
        "--function",
        metavar="NAME",
        help="whose defaults complete bare lavaan text: growth (the default), sem, cfa, lavaan",
    )
    group.add_argument(
        "--residual",
        metavar="KIND",
        help="residual structure that the notation can't say: common, by_occasion, "
        "by_group:COLUMN, across:COLUMN, ar1, ...",
    )


def _data(parser: _Parser) -> None:
    group = parser.add_argument_group("data")
    group.add_argument("--data", metavar="FILE", help="CSV or Parquet; JSON for moments")
    group.add_argument("--wide", action="store_true", help="a row a person, where it can't be told")
    group.add_argument(
        "--moments",
        nargs="?",
        const="",
        metavar="FILE",
        help="means and covariances from a JSON file (here or with --data)",
    )
    group.add_argument("--id", metavar="COLUMN", help="the person")
    group.add_argument("--time", metavar="COLUMN", help="the time")
    group.add_argument("--outcome", metavar="COLUMN", help="the outcome in long data")
    group.add_argument(
        "--time-values", metavar="T,T,...", help="times of the outcomes, where data lack them"
    )


def _preparing(parser: _Parser) -> None:
    group = parser.add_argument_group("preparing the data")
    group.add_argument(
        "--bin", metavar="WIDTH", help="round individual times to multiples, or to T,T,..."
    )
    group.add_argument(
        "--mundlak", metavar="X,X", help="add the person means of time-varying covariates"
    )


def _fitting(parser: _Parser) -> argparse._ArgumentGroup:
    group = parser.add_argument_group("fitting")
    group.add_argument(
        "--estimator", metavar="NAME", help="ml or reml; ml unless a call says otherwise"
    )
    group.add_argument(
        "--bounds",
        metavar="SPACE",
        help="psd keeps covariance matrices positive semi-definite, none does not",
    )
    return group


def _fixed(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fixed",
        action="append",
        metavar="NAME=VALUE",
        help="a parameter held at a value, by its name in the estimates; may be given repeatedly",
    )


def _demo(name: str) -> _Parser:
    parser = _parser(name, "The main job on the built-in GPA data: translate, fit, verify.")
    _json(parser)
    return parser


def _translate(name: str) -> _Parser:
    parser = _parser(name, "Carry a growth model over to another notation.", f"{_MODEL}\n{_STATUS}")
    _model(parser)
    parser.add_argument(
        "--to", required=True, metavar="NOTATION", help=f"the target: {', '.join(names())}"
    )
    parser.add_argument(
        "--estimator", metavar="NAME", help="ml or reml, in place of what the text says"
    )
    parser.add_argument(
        "--script", action="store_true", help="the complete program, data reading included"
    )
    _data(parser)
    _preparing(parser)
    _json(parser)
    return parser


def _defaults(name: str) -> _Parser:
    parser = _parser(
        name,
        "List the defaults of a model's program that another program does not share, each with "
        "what is\nwritten to keep the model. Needs no data.",
        f"{_MODEL}\n{_STATUS}",
    )
    _model(parser)
    parser.add_argument("--to", required=True, metavar="NOTATION", help="the other program")
    parser.add_argument("--estimator", metavar="NAME", help="ml or reml")
    group = parser.add_argument_group("facts that the text may not say")
    group.add_argument("--wide", action="store_true", help="a row a person")
    group.add_argument("--id", metavar="COLUMN", help="the person")
    group.add_argument("--time", metavar="COLUMN", help="the time")
    group.add_argument("--outcome", metavar="COLUMN", help="the outcome in long data")
    group.add_argument("--time-values", metavar="T,T,...", help="times of the outcomes")
    _json(parser)
    return parser


def _reshape(name: str) -> _Parser:
    parser = _parser(name, "Long data to wide, or wide to long, as CSV (or Parquet by --output).")
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
    _json(parser)
    return parser


def _fit(name: str) -> _Parser:
    parser = _parser(name, "Fit a model by one engine.", f"{_MODEL}\n{_STATUS}")
    _model(parser)
    _data(parser)
    _preparing(parser)
    group = _fitting(parser)
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
    _fixed(group)
    _json(parser)
    return parser


def _verify(name: str) -> _Parser:
    parser = _parser(
        name,
        "Translate a growth model, fit both forms, judge by evidence whether they are the same.",
        f"{_MODEL}\n"
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
    _json(parser)
    return parser


def _report(name: str) -> _Parser:
    parser = _parser(
        name,
        "Verify a growth model and write the whole verification as one HTML page (--output).",
        f"{_MODEL}\nExit status: as verify's.\n",
    )
    _verifying(parser)
    _json(parser)
    return parser


def _verifying(parser: _Parser) -> argparse._ArgumentGroup:
    _model(parser)
    _data(parser)
    _preparing(parser)
    group = _fitting(parser)
    group.add_argument(
        "--engines",
        metavar="NAME,...",
        help="witnesses beside ours (statsmodels,semopy); lme4,nlme,glmmtmb,lavaan,openmx run "
        "live in R",
    )
    _fixed(group)
    group.add_argument(
        "--time-limit",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="that a witness may take (%(default)g)",
    )
    return group


def _compare(name: str) -> _Parser:
    parser = _parser(
        name, "Likelihood-ratio tests and information criteria.", f"{_MODEL}\n{_STATUS}"
    )
    parser.add_argument("models", nargs="+", metavar="model", help="two or more, see below")
    _reading(parser)
    for side, word in (("a", "first"), ("b", "second")):
        parser.add_argument(
            f"--from-{side}", metavar="NOTATION", help=f"how to read the {word} model"
        )
        parser.add_argument(
            f"--estimator-{side}", metavar="NAME", help=f"estimator of the {word} model"
        )
    _data(parser)
    group = _fitting(parser)
    group.add_argument("--engine", default="auto", metavar="NAME", help="growthmm engines lists it")
    group.add_argument(
        "--refit",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="refit REML models by ML first (the default), or compare as fitted",
    )
    _json(parser)
    return parser


def _explain(name: str) -> _Parser:
    parser = _parser(
        name,
        "List what differs between two analyses of the same data, one difference at a time, with "
        "the\nnumbers that each moves. Each side is taken as its own program runs it by default. "
        "Without data\nthe differences are listed without numbers.",
        f"{_MODEL}\n{_STATUS}",
    )
    parser.add_argument("models", nargs="+", metavar="model", help="two, see below")
    _reading(parser)
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
    _data(parser)
    _json(parser)
    return parser


def _diagnose(name: str) -> _Parser:
    parser = _parser(
        name,
        "Fit a model and look the fit over: slope, curvature, boundary, scales, collinearity, "
        "time\nfar from zero, too few persons, variances near zero, correlations near one.",
        f"{_MODEL}\nExit status: 0 the estimates are a maximum, 1 they are not, 2 a bad call or "
        "bad input.\n",
    )
    _model(parser)
    _data(parser)
    _preparing(parser)
    group = _fitting(parser)
    group.add_argument(
        "--engine", default="auto", metavar="NAME", help="growthmm engines lists them; auto is ours"
    )
    _fixed(group)
    group.add_argument(
        "--influence", action="store_true", help="leave out every person in turn, a fit for each"
    )
    _json(parser)
    return parser


def _looking(name: str) -> _Parser:
    from growthmm.commands.looking import ABOUT, add_flags

    parser = _parser(name, ABOUT[name], f"{_MODEL}\n{_STATUS}")
    _model(parser)
    _data(parser)
    add_flags(parser, name)
    _json(parser)
    return parser


def _engines(name: str) -> _Parser:
    parser = _parser(name, "List the engines, their versions, and whether they can run here.")
    _json(parser)
    return parser


COMMANDS: dict[str, tuple[str, Callable[[str], _Parser]]] = {
    "demo": ("the main job on the built-in GPA data", _demo),
    "translate": ("carry a model over to another notation", _translate),
    "defaults": ("the defaults on which two programs differ", _defaults),
    "reshape": ("long data to wide, or wide to long", _reshape),
    "fit": ("fit a model by one engine", _fit),
    "verify": ("translate, fit both forms, judge by evidence", _verify),
    "report": ("verify, as one HTML page with pictures", _report),
    "compare": ("likelihood-ratio tests and information criteria", _compare),
    "diagnose": ("fit, and look the fit over: converged, well determined?", _diagnose),
    "explain": ("why two analyses give different numbers", _explain),
    "missing": ("missing data: patterns, who drops whom, what it does", _looking),
    "alternatives": ("the fixed effects by other estimators, side by side", _looking),
    "engines": ("list the engines and whether they can run", _engines),
}
"""Every command: what it is for, and its flags. A new one is a row here and an action."""
