"""What a newcomer types first: the README's examples, the public names, make."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import growthmm as gm

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PUBLIC = (
    "Moments",
    "compare",
    "datasets",
    "fit",
    "read",
    "to_long",
    "to_wide",
    "translate",
    "verify",
    "write",
)
COMMANDS = ("demo", "translate", "reshape", "fit", "verify", "compare", "engines")


def blocks(language: str) -> list[str]:
    """The README's code blocks in one language (empty for none)."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    return [block for word, block in found if word == language]


def growthmm(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "growthmm", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the README names."""
    gm.datasets.gpa().to_csv(tmp_path / "gpa.csv", index=False)
    text = next(block for block in blocks("") if block.startswith("i =~"))
    (tmp_path / "model.lav").write_text(text, encoding="utf-8")
    return tmp_path


def test_version_is_said_once() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    assert gm.__version__ == project["version"]
    assert f"## {gm.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name(name: str) -> None:
    assert name in gm.__all__
    assert getattr(gm, name).__doc__


def test_readme_in_python() -> None:
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["fit"].log_likelihood == pytest.approx(-123.117105481461, abs=1e-6)
    assert names["check"].verdict == "identical"
    assert names["growth"].losses == ()


def test_quickstart_in_python() -> None:
    text = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE))
    names: dict[str, object] = {}
    exec(compile(code, "quickstart.md", "exec"), names)
    assert (names["check"].verdict, names["check"].model_verdict) == ("identical", "identical_if")


def test_readme_shows_the_text_that_translate_writes() -> None:
    shown = next(block for block in blocks("") if block.startswith("i =~"))
    model = "gpa ~ occasion + (1 + occasion | student)"
    assert gm.translate(model, "lavaan", data=gm.datasets.gpa()).text.strip() == shown.strip()


def test_readme_on_the_command_line(folder: Path) -> None:
    import shlex

    lines = [line for block in blocks("") for line in block.splitlines()]
    calls = [shlex.split(line)[1:] for line in lines if line.startswith("growthmm ")]
    assert {call[0] for call in calls} <= set(COMMANDS)
    for call in calls:
        answer = growthmm(*call, cwd=folder)
        assert (answer.returncode, answer.stderr) == (0, ""), call
        assert answer.stdout.strip(), call


def test_help_lists_the_commands(tmp_path: Path) -> None:
    answer = growthmm("--help", cwd=tmp_path)
    assert answer.returncode == 0
    assert [command for command in COMMANDS if command not in answer.stdout] == []


def test_verify_in_json(folder: Path) -> None:
    answer = growthmm(
        "verify",
        "gpa ~ occasion + (1 + occasion | student)",
        "--data",
        "gpa.csv",
        "--json",
        cwd=folder,
    )
    content = json.loads(answer.stdout)
    assert answer.returncode == 0
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
def test_bad_call_is_one_message(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    answer = growthmm(*arguments, cwd=folder)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert says in answer.stderr
    assert "Hint:" in answer.stderr
    assert "Traceback" not in answer.stderr


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


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []
