"""The page on the command line, made from its own flags.

``python docs/command_line.py`` writes ``docs/command-line.md`` anew; a test holds that the page is
what this makes.
"""

from __future__ import annotations

import argparse
import pathlib

from growthmm.commands.parser import COMMANDS

PAGE = pathlib.Path(__file__).with_name("command-line.md")

HEAD = """\
<!-- Made by docs/command_line.py; do not edit. -->

# Command line

A model is a formula, SEM text, a whole call, or the path of a file that holds one. Its own options
stand behind a semicolon and win over flags:
`'y ~ t + (t | id) ; residual=by_occasion, estimator=reml'`. Data are a file: CSV, Parquet, or
JSON for moments.

Exit status: 0 done (for `verify` and `report`: the verdict is `identical` or `identical_if`), 1 a
verification or diagnosis that ended otherwise, 2 a bad call or bad input, with one message on
standard error, 3 a fault of growthmm's own.
"""


def page() -> str:
    """The page as Markdown."""
    lines = [HEAD]
    for name, (about, build) in COMMANDS.items():
        said = f"{about[:1].upper()}{about[1:]}"
        lines += [f"## growthmm {name}", "", said if said.endswith("?") else f"{said}.", ""]
        parser = build(name)
        lines += ["| flag | meaning |", "|---|---|"]
        lines += [_row(action) for action in parser._actions if action.dest != "help"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _row(action: argparse.Action) -> str:
    """A flag or argument with its value, and what it means."""
    value = action.metavar if isinstance(action.metavar, str) else ""
    if action.option_strings:
        shown = " ".join(filter(None, [", ".join(action.option_strings), value]))
    else:
        shown = (value or action.dest).upper()
    meaning = (action.help or "").replace(", see below", "") % {"default": action.default}
    needed = " (needed)" if action.required and action.option_strings else ""
    return f"| `{shown}` | {meaning.replace('|', chr(92) + '|')}{needed} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
