"""What a newcomer types first: the command line, the public names, make."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

import growthmm as gm
from growthmm.cli import main
from growthmm.model.residual import ResidualKind
from growthmm.notation import names, notation

ROOT = Path(__file__).resolve().parents[1]
NOTATIONS = (ROOT / "docs" / "notations.md").read_text(encoding="utf-8")
PUBLIC = (
    "Moments",
    "Schema",
    "Variable",
    "compare",
    "datasets",
    "diagnose",
    "explain",
    "fit",
    "log_likelihood",
    "read",
    "to_long",
    "to_wide",
    "translate",
    "verify",
    "write",
)
COMMANDS = (
    "demo",
    "translate",
    "reshape",
    "fit",
    "verify",
    "compare",
    "explain",
    "diagnose",
    "engines",
)


@dataclass(frozen=True)
class Answer:
    """What a command printed and its exit status."""

    status: int
    out: str
    err: str


@pytest.fixture
def growthmm(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """The command line, in the folder of the README's data."""
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        status = main(arguments)
        printed = capsys.readouterr()
        return Answer(status, printed.out, printed.err)

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data that the README names."""
    made = tmp_path_factory.mktemp("readme")
    gm.datasets.gpa().to_csv(made / "gpa.csv", index=False)
    return made


def test_version_is_said_once() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    assert gm.__version__ == project["version"]
    assert f"## {gm.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name(name: str) -> None:
    assert name in gm.__all__
    assert getattr(gm, name).__doc__


SECTIONS = {
    section.split("\n")[0]: re.findall(r"^```\w*\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    for section in re.split(r"^## ", NOTATIONS, flags=re.MULTILINE)[1:]
}
LINES = ("lme4", "statsmodels", "nlme", "glmmTMB")
"""Sections of the page on notations in which each line is a model of its own."""


@pytest.mark.parametrize("title", [title for title in SECTIONS if title.lower() in names()])
def test_examples_of_notations_read(title: str) -> None:
    texts = [
        t for block in SECTIONS[title] for t in (block.splitlines() if title in LINES else [block])
    ]
    assert texts
    for text in texts:
        notation(title.lower()).read(text)


def test_every_notation_is_on_the_page_of_notations() -> None:
    heads = " ".join(SECTIONS).lower()
    assert [name for name in names() if name not in heads] == []
    assert [kind for kind in get_args(ResidualKind) if f"`{kind}" not in NOTATIONS] == []


def test_help_lists_the_commands(growthmm: Callable[..., Answer]) -> None:
    answer = growthmm("--help")
    assert answer.status == 0
    assert [command for command in COMMANDS if command not in answer.out] == []


def test_verify_in_json(growthmm: Callable[..., Answer]) -> None:
    model = "gpa ~ occasion + (1 + occasion | student)"
    answer = growthmm("verify", model, "--data", "gpa.csv", "--json")
    content = json.loads(answer.out)
    assert answer.status == 0
    assert (content["verdict"], content["model_verdict"]) == ("identical", "identical_if")
    assert len(content["levels"]) == 6
    assert all(level["passed"] for level in content["levels"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("fit", "gpa ~ occasion + (1 | student)", "--data", "absent.csv"), "absent.csv"),
        (("fit", "gpa ~ occasion + (1 | student", "--data", "gpa.csv"), "^"),
        (("fit", "gpa ~ ocasion + (1 | student)", "--data", "gpa.csv"), "occasion"),
        (("translate", "gpa ~ t + (1 | id)", "--to", "lavan"), "lavaan"),
    ],
)
def test_bad_call_is_one_message(
    growthmm: Callable[..., Answer], arguments: tuple[str, ...], says: str
) -> None:
    answer = growthmm(*arguments)
    assert (answer.status, answer.out) == (2, "")
    assert says in answer.err
    assert "Hint:" in answer.err
    assert "Traceback" not in answer.err


def test_bad_call_in_a_process_of_its_own(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "growthmm", "translate", "y ~ t + (1 | id)", "--to", "lavan"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "lavaan" in answer.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on the path")
def test_make_knows_its_targets() -> None:
    answer = subprocess.run(
        ["make", "--no-print-directory", "-s", "help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    targets = set(re.findall(r"^  ([a-z]+)", answer.stdout, flags=re.MULTILINE))
    assert {"demo", "test", "lint", "types", "docs", "bench", "clean", "help"} <= targets


PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).is_file()] == []
