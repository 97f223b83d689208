"""Every bad input in the table gives its one message, status 2, and leaves no file behind.

``bad_input.txt`` holds the commands and, below each, what stands on standard error.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from bad_input_files import masked, write_files

from growthmm.cli import main
from growthmm.errors import NotationError, NotIdentifiedError

PROMPT = "$ growthmm "


def table() -> list[tuple[str, str]]:
    """The commands and their messages."""
    text = Path(__file__).with_name("bad_input.txt").read_text(encoding="utf-8")
    blocks = text.split(f"\n{PROMPT}")[1:]
    return [(line, rest.strip("\n")) for line, _, rest in (b.partition("\n") for b in blocks)]


CASES = table()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bad")
    write_files(place)
    return place


def test_the_table_is_long_and_says_nothing_twice() -> None:
    commands = [command for command, _ in CASES]
    assert len(commands) == len(set(commands))
    assert len(commands) >= 120


@pytest.mark.parametrize(("command", "message"), CASES, ids=[command for command, _ in CASES])
def test_bad_input(
    command: str,
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    status = main(shlex.split(command))
    answer = capsys.readouterr()
    assert masked(answer.err, folder) == message
    assert (status, answer.out) == (2, "")
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(("command", "message"), CASES, ids=[command for command, _ in CASES])
def test_message_has_one_line_and_a_hint(command: str, message: str) -> None:
    lines = message.split("\n")
    assert lines[0].startswith("growthmm: ")
    assert sum(line.startswith("Hint: ") for line in lines) == 1
    assert lines[-1].startswith("Hint: ")
    # Between them stand only the marked text, what was expected, and losses one by one.
    assert all(re.match(r"  |Expected: ", line) for line in lines[1:-1])


def test_long_text_is_shown_around_the_mark() -> None:
    text = "y ~ " + " + ".join(f"x{k}" for k in range(200)) + " + ) + " + "z" * 300
    error = NotationError("Unexpected ')'.", text=text, position=text.index(")"))
    _, shown, mark, _ = str(error).split("\n")
    assert max(len(shown), len(mark)) < 100
    assert shown[mark.index("^")] == ")"


def test_many_parameters_are_cut_short_in_text_alone() -> None:
    names = [f"p{k}" for k in range(30)]
    assert NotIdentifiedError.listed(names).endswith("p7 and 22 more")
    assert NotIdentifiedError("", parameters=names).parameters == tuple(names)
