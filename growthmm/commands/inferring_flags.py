"""Flags of the commands that ask something of a fitted model, or plan one."""

from __future__ import annotations

from growthmm.commands.flags import (
    Parser,
    add_data,
    add_fitting,
    add_fixed,
    add_model,
    add_preparing,
    add_reading,
)

__all__ = ["ABOUT", "add_flags"]

ABOUT = {
    "test": "Test hypotheses of a fitted model: every term of its formula, equations among "
    "parameters\n('sexmale = 0, occasion:sexmale = 0'), whether random effects are there.",
    "intervals": "Confidence intervals of a fitted model's parameters, and of standard deviations "
    "and\ncorrelations.",
    "variance": "Variance accounted for, by source and level, and the intraclass correlation.",
    "simulate": "Draw a sample from a model, as CSV: from its fit to --data, or at the values of "
    "--parameter\nfor the persons that --design, or --n-subjects with --time-values, describe.",
    "study": "Draw many samples from a model, fit each, and tell bias, coverage and power. The "
    "model is\ngiven as for growthmm simulate.",
}


def add_flags(parser: Parser, name: str) -> None:
    """Add a command's flags.

    Parameters
    ----------
    parser : Parser
        The command's.
    name : str
        A key of ``ABOUT``.
    """
    if name in ("simulate", "study"):
        _planning(parser, several=name == "study")
        if name == "study":
            _studying(parser)
        return
    add_model(parser)
    if name == "test":
        parser.add_argument(
            "hypotheses", nargs="*", help="equations among parameters, or a term; all terms if none"
        )
    add_data(parser)
    add_preparing(parser)
    group = add_fitting(parser)
    group.add_argument(
        "--engine", default="auto", metavar="NAME", help="growthmm engines lists them; auto is ours"
    )
    group.add_argument(
        "--df",
        metavar="METHOD",
        help="degrees of freedom of the tests: satterthwaite, kenward-roger, none",
    )
    group.add_argument(
        "--robust", metavar="KIND", help="sandwich standard errors: cr0, cr2, observed"
    )
    add_fixed(group)
    {"test": _testing, "intervals": _bounding, "variance": _sharing}[name](parser)


def _testing(parser: Parser) -> None:
    group = parser.add_argument_group("tests")
    group.add_argument(
        "--kind", default="wald", metavar="NAME", help="of equations: wald, score, lrt"
    )
    group.add_argument(
        "--terms",
        nargs="?",
        const="III",
        metavar="TYPE",
        help="every term of the formula, by type I, II or III (the default)",
    )
    group.add_argument(
        "--effects", metavar="NAME,...", help="whether these random effects are there"
    )
    group.add_argument(
        "--exact", action="store_true", help="--effects by the finite-sample distribution"
    )
    _random(parser, 10_000)


def _bounding(parser: Parser) -> None:
    group = parser.add_argument_group("intervals")
    group.add_argument(
        "--method", default="wald", metavar="NAME", help="wald, profile or bootstrap"
    )
    group.add_argument("--level", type=float, default=0.95, metavar="P", help="%(default)g")
    group.add_argument(
        "--kind", default="parametric", metavar="NAME", help="of bootstrap: parametric, case"
    )
    group.add_argument(
        "--interval", default="percentile", metavar="NAME", help="of bootstrap: percentile, basic"
    )
    _random(parser, 1000)
    _workers(group)


def _sharing(parser: Parser) -> None:
    group = parser.add_argument_group("variance")
    group.add_argument(
        "--r2beta",
        nargs="?",
        const="kenward-roger",
        metavar="METHOD",
        help="of every fixed effect too: kenward-roger (REML), nsj or sgv",
    )


def _planning(parser: Parser, *, several: bool) -> None:
    parser.add_argument("model", help="text or a file, see below")
    add_reading(parser)
    add_data(parser)
    group = add_fitting(parser)
    group.add_argument(
        "--engine", default="auto", metavar="NAME", help="of the fit to --data; auto is ours"
    )
    add_fixed(group)
    group = parser.add_argument_group("what is true")
    group.add_argument(
        "--parameter",
        action="append",
        metavar="NAME=VALUE",
        help="in place of an estimate, or, without --data, one for each; may be given repeatedly",
    )
    group.add_argument(
        "--n-subjects",
        metavar="N,N,..." if several else "N",
        help="persons of a sample; the data's own where there are data",
    )
    group.add_argument(
        "--design", metavar="FILE", help="times and covariates of persons, for a bare model"
    )
    group.add_argument(
        "--covariate",
        action="append",
        metavar="NAME=V,V,...",
        help="values of a person-level covariate, shared out in turn, for a bare model",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the random numbers")


def _studying(parser: Parser) -> None:
    group = parser.add_argument_group("study")
    group.add_argument(
        "--n-simulations", type=int, default=500, metavar="N", help="samples (%(default)d)"
    )
    group.add_argument(
        "--df", metavar="METHOD", help="degrees of freedom: satterthwaite, kenward-roger, none"
    )
    group.add_argument("--level", type=float, default=0.95, metavar="P", help="of the intervals")
    _workers(group)


def _random(parser: Parser, n: int) -> None:
    group = parser.add_argument_group("simulation")
    group.add_argument("--n-simulations", type=int, default=n, metavar="N", help="%(default)d")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the random numbers")


def _workers(group: object) -> None:
    group.add_argument(  # type: ignore[attr-defined]
        "--workers", type=int, metavar="N", help="processes; as many as are worth it where not told"
    )
