"""Flags that several commands share."""

from __future__ import annotations

import argparse
from typing import NoReturn

from growthmm.errors import SpecificationError
from growthmm.notation import WRITTEN_ONLY, names

__all__ = [
    "MODEL",
    "STATUS",
    "Parser",
    "add_answer",
    "add_data",
    "add_fitting",
    "add_fixed",
    "add_model",
    "add_preparing",
    "add_reading",
    "command_parser",
]

MODEL = """\
A model is a formula, SEM text, a whole call, or the path of a file that holds one:
  'gpa ~ occasion + (1 + occasion | student)'     lme4
  'lmer(gpa ~ occasion + (1 | student), d)'       a call; its arguments count
  model.lav                                       lavaan text in a file
Its own options stand behind a semicolon and win over flags:
  'y ~ t + (t | id) ; residual=by_occasion, estimator=reml'
"""

STATUS = """\
Exit status: 0 done, 2 a bad call or bad input (one message on standard error).
"""


class _Format(argparse.RawDescriptionHelpFormatter):
    """Help with room for the flags and the text as it is written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=96)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are growthmm's."""

    def error(self, message: str) -> NoReturn:
        """Raise growthmm's error in place of argparse's exit."""
        message = message.removeprefix("argument ")
        raise SpecificationError(
            f"{message[:1].upper()}{message[1:]}.", hint=f"{self.prog} --help shows the flags."
        )


def command_parser(command: str, about: str, epilog: str = STATUS) -> Parser:
    """A parser of one command's flags; its words go to ``command``."""
    parser = Parser(
        prog=f"growthmm {command}",
        description=about,
        epilog=epilog,
        formatter_class=_Format,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    return parser


def add_answer(parser: Parser) -> None:
    """How the answer is printed."""
    group = parser.add_argument_group("answer")
    group.add_argument("--json", action="store_true", help="one JSON object instead of text")
    group.add_argument("--output", metavar="FILE", help="write there, whole or not at all")
    group.add_argument("--no-progress", action="store_true", help="no bars in a terminal")


def add_model(parser: Parser) -> None:
    """One model, and how to read it."""
    parser.add_argument("model", help="text or a file, see below")
    add_reading(parser)


def add_reading(parser: Parser) -> None:
    """How to read models."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--from",
        dest="from_",
        metavar="NOTATION",
        help="how to read it, where that can't be told: "
        + ", ".join(name for name in names() if name not in WRITTEN_ONLY),
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


def add_data(parser: Parser) -> None:
    """Where the data are, and what their columns are."""
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


def add_preparing(parser: Parser) -> None:
    """What is done to model and data first."""
    group = parser.add_argument_group("preparing the data")
    group.add_argument(
        "--bin", metavar="WIDTH", help="round individual times to multiples, or to T,T,..."
    )
    group.add_argument(
        "--mundlak", metavar="X,X", help="add the person means of time-varying covariates"
    )


def add_fitting(parser: Parser) -> argparse._ArgumentGroup:
    """How models are fitted; the group of flags is returned."""
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


def add_fixed(group: argparse._ArgumentGroup) -> None:
    """Parameters that are held."""
    group.add_argument(
        "--fixed",
        action="append",
        metavar="NAME=VALUE",
        help="a parameter held at a value, by its name in the estimates; may be given repeatedly",
    )
