"""The flags of every command."""

from __future__ import annotations

import argparse
from typing import NoReturn

from growthmm import __version__
from growthmm.notation import names

__all__ = ["build_parser"]


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one message and a hint."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"growthmm: {message}\nHint: {self.prog} --help shows the flags.\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="growthmm",
        description="Growth models as mixed models and as structural equation models: translate, "
        "fit both, verify that they are the same.",
    )
    parser.add_argument("--version", action="version", version=f"growthmm {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _demo(commands)
    _translate(commands)
    _reshape(commands)
    _fit(commands)
    _verify(commands)
    _compare(commands)
    engines = commands.add_parser("engines", help="list the engines and whether they can run")
    _json(engines)
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--output", metavar="FILE", help="write there instead of printing")


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        help="a formula, SEM text, a whole call, or a file; options behind a semicolon: "
        "'y ~ t + (t | id) ; residual=by_occasion'",
    )
    _reading(parser)


def _reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="from_", metavar="NOTATION", choices=names())
    parser.add_argument(
        "--function",
        choices=("growth", "sem", "cfa", "lavaan"),
        help="whose defaults fill bare lavaan text in (growth)",
    )
    parser.add_argument(
        "--residual",
        metavar="KIND",
        help="common, by_occasion, ... for notations that can't say it",
    )


def _data(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("--data", metavar="FILE", required=required, help="CSV or Parquet")
    parser.add_argument("--wide", action="store_true", help="the data have a row a person")
    parser.add_argument("--id", metavar="COLUMN", help="the person column")
    parser.add_argument("--time", metavar="COLUMN", help="the time column")
    parser.add_argument("--outcome", metavar="COLUMN", help="the outcome's name in long data")
    parser.add_argument(
        "--time-values", metavar="T,T,...", help="times of the outcomes, where the data lack them"
    )


def _demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("demo", help="the main job on the built-in GPA data")
    _json(parser)


def _translate(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("translate", help="carry a model over to another notation")
    _model(parser)
    parser.add_argument("--to", required=True, metavar="NOTATION", choices=names())
    _data(parser, required=False)
    parser.add_argument("--script", action="store_true", help="print the complete program")
    _json(parser)


def _reshape(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("reshape", help="long data to wide, or wide to long")
    parser.add_argument("--data", metavar="FILE", required=True, help="CSV or Parquet")
    parser.add_argument("--to", required=True, choices=("wide", "long"))
    parser.add_argument("--id", metavar="COLUMN", required=True)
    parser.add_argument("--time", metavar="COLUMN", required=True)
    parser.add_argument(
        "--values", metavar="COLUMN,...", required=True, help="columns that change over time"
    )
    parser.add_argument("--names", default="{value}_{time}", help="template of wide names")
    _json(parser)


def _fit(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("fit", help="fit a model by one engine")
    _model(parser)
    _data(parser)
    parser.add_argument("--moments", action="store_true", help="--data is a JSON file of moments")
    parser.add_argument("--engine", default="auto", metavar="NAME")
    parser.add_argument("--estimator", default="ml", choices=("ml", "reml"))
    parser.add_argument("--bounds", choices=("psd", "none"))
    parser.add_argument("--information", choices=("expected", "observed"))
    _json(parser)


def _verify(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("verify", help="translate, fit both forms, judge by evidence")
    _model(parser)
    _data(parser)
    parser.add_argument("--moments", action="store_true", help="--data is a JSON file of moments")
    parser.add_argument("--engines", metavar="NAME,...", help="witnesses: statsmodels,semopy,lme4")
    parser.add_argument("--estimator", default="ml", choices=("ml", "reml"))
    parser.add_argument("--bounds", choices=("psd", "none"), help="one space for both forms")
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="SECONDS")
    _json(parser)


def _compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("compare", help="likelihood-ratio tests and information criteria")
    parser.add_argument("models", nargs="+", metavar="model", help="as for fit; at least two")
    _reading(parser)
    _data(parser)
    parser.add_argument("--engine", default="auto", metavar="NAME")
    parser.add_argument("--estimator", default="ml", choices=("ml", "reml"))
    parser.add_argument(
        "--refit",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="refit REML models by ML before comparing (the default), or compare as fitted",
    )
    _json(parser)
