"""Pages whose commands are run: what a page shows is what its commands print.

``python docs/transcripts.py [PAGE ...]`` runs the commands of the pages and writes their output
into them anew; a test runs them too, and compares.

On a page a block marked ``sh`` holds commands of the shell, one marked ``python`` code. A block
marked ``text`` that follows is what they printed; a line ``...`` in it stands for lines left out.
A remark before a block says more:

- ``<!-- file: NAME -->``: the block is a file of that name, which commands read;
- ``<!-- file: NAME, from: COMMAND -->``: the same, and it is what COMMAND printed. Tests that have
  R run the command, the others take the file as it stands;
- ``<!-- not run -->``: the block is for reading;
- ``<!-- status: N -->``: its last command ends with this exit status, not with 0.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from growthmm.cli import main

ROOT = pathlib.Path(__file__).resolve().parents[1]

PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "quickstart.md",
    *sorted((ROOT / "docs" / "coming-from").glob("*.md")),
)
"""The pages whose commands are run."""

_REMARK = re.compile(r"^<!-- (?P<word>file|from|not run|status)(?:: (?P<rest>.*))? -->$")
_FENCE = re.compile(r"^```(?P<language>.*)$")
_VERSIONS = re.compile(
    r"\b(growthmm|statsmodels|semopy|lme4|nlme|glmmtmb|lavaan|openmx) v?\d[\w.-]*", re.IGNORECASE
)
_TOKEN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|-{4,}|[^\s\d.-]+|[.-]")
_TINY, _MOST = 1e-3, 6


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the remark before it, its text, the line where this starts."""

    language: str
    remark: str
    argument: str
    text: str
    line: int


@dataclass(frozen=True)
class Difference:
    """A block whose output is not what the page shows."""

    line: int
    code: str
    shown: str
    printed: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}\nshown:\n{self.shown}\nprinted:\n{self.printed}"


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        end = lines.index("```", at + 1)
        before = next((lines[k] for k in range(at - 1, -1, -1) if lines[k].strip()), "")
        remark = _REMARK.match(before)
        yield Block(
            fence["language"],
            remark["word"] if remark else "",
            (remark["rest"] or "") if remark else "",
            "\n".join(lines[at + 1 : end]),
            at + 2,
        )
        at = end + 1


@dataclass
class Session:
    """A folder in which commands run, and the names that Python code has defined."""

    folder: pathlib.Path
    names: dict[str, Any] = field(default_factory=dict)

    def run(self, block: Block) -> tuple[str, int]:
        """What a block prints, and its exit status."""
        if block.language == "python":
            return self._python(block.text), 0
        printed, status = "", 0
        for command in commands(block.text):
            out, status = self._command(command)
            printed += out
        return printed, status

    def _python(self, code: str) -> str:
        out = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out):
            exec(compile(code, "page", "exec"), self.names)
        return out.getvalue()

    def _command(self, command: str) -> tuple[str, int]:
        """Run one command; growthmm's own in this process, which saves its start."""
        own, rest = _first(command)
        if own[:1] != ["growthmm"]:
            return self.shell(command)
        out = io.StringIO()
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
        ):
            status = main(own[1:])
        if not rest:
            return out.getvalue(), status
        return self.shell(f"cat {rest}", out.getvalue())[0], status

    def shell(self, command: str, words: str = "") -> tuple[str, int]:
        """What a shell prints for a command that is given `words`, and the exit status."""
        path = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            input=words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            check=False,
            timeout=300,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        )
        return done.stdout, done.returncode


def commands(text: str) -> list[str]:
    """The commands of a block: lines, with those that end in a backslash joined to the next."""
    return [line for line in text.replace("\\\n", " ").split("\n") if line.strip()]


def _first(command: str) -> tuple[list[str], str]:
    """The words of the first program of a pipe, and what its output goes through."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    words = list(lexer)
    for k, word in enumerate(words):
        if word in ("|", ">"):
            return words[:k], f"{word} {shlex.join(words[k + 1 :])}"
    return words, ""


def same(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed.

    Spaces and line breaks don't count, nor do the versions of programs. The last digit of a number
    (the sixth, where there are more) may differ by one; figures in powers of ten that are below
    0.001 differ from machine to machine.
    """
    tokens = _tokens(printed)
    at = 0
    parts = re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)
    for k, part in enumerate(parts):
        wanted = _tokens(part)
        starts = range(at, len(tokens) - len(wanted) + 1) if k else [0]
        if k and k == len(parts) - 1 and wanted:
            starts = [len(tokens) - len(wanted)]
        found = next((s for s in starts if _equal(wanted, tokens[s : s + len(wanted)])), None)
        if found is None or found < at:
            return False
        at = found + len(wanted)
    return at == len(tokens) or (len(parts) > 1 and not parts[-1].strip())


def _tokens(text: str) -> list[str]:
    plain = _VERSIONS.sub(lambda match: match[1], text)
    return ["----" if t.startswith("----") else t for t in _TOKEN.findall(plain)]


def _equal(wanted: list[str], got: list[str]) -> bool:
    return len(wanted) == len(got) and all(map(_alike, wanted, got))


def _alike(wanted: str, got: str) -> bool:
    if wanted == got:
        return True
    if not (_is_number(wanted) and _is_number(got)):
        return False
    if "e" in wanted or "e" in got:
        return float(wanted) <= _TINY and float(got) <= _TINY
    digits = min(len(wanted.partition(".")[2]), _MOST)
    return digits > 0 and abs(float(wanted) - float(got)) < 1.5 * 10.0**-digits


def _is_number(token: str) -> bool:
    return token[0].isdigit() or (token[0] == "." and len(token) > 1)


def check(page: pathlib.Path, folder: pathlib.Path, *, live: bool = False) -> list[Difference]:
    """Run a page's commands in a folder; where what it shows is not what they print.

    Parameters
    ----------
    page : Path
        The page.
    folder : Path
        An empty folder.
    live : bool
        Whether the files that commands made (R's) are made anew and compared as well.

    Returns
    -------
    list of Difference
        Blocks that are not as shown.
    """
    found = []
    for block, after, printed, status in _outputs(page.read_text(encoding="utf-8"), folder, live):
        expected = int(block.argument) if block.remark == "status" else 0
        code = block.text.split("\n")[0]
        if status != expected:
            found.append(Difference(block.line, code, f"status {expected}", f"status {status}"))
        if after is not None and not same(after.text, printed):
            found.append(Difference(after.line, code, after.text, printed))
    return found


def _outputs(
    text: str, folder: pathlib.Path, live: bool
) -> Iterator[tuple[Block, Block | None, str, int]]:
    """Each block that was run, the block that shows its output, what was printed, the status."""
    session = Session(folder)
    found = list(blocks(text))
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block.remark == "file":
            name, _, command = block.argument.partition(", from: ")
            words = block.text
            if command and live:
                words, status = session.shell(command)
                yield Block("sh", "", "", command, block.line), block, words, status
            (folder / name).write_text(words.rstrip() + "\n", encoding="utf-8")
        elif block.language in ("sh", "python") and block.remark != "not run":
            printed, status = session.run(block)
            shows = after is not None and after.language == "text" and not after.remark
            yield block, after if shows else None, printed, status


def renewed(text: str, folder: pathlib.Path, *, live: bool = False) -> str:
    """The page with what its commands print now."""
    lines = text.split("\n")
    made = [
        (after, printed)
        for _, after, printed, _ in _outputs(text, folder, live)
        if after is not None
    ]
    for after, printed in reversed(made):
        if same(after.text, printed):
            continue
        new = _shortened(after, printed)
        height = len(after.text.split("\n")) if after.text else 0
        lines[after.line - 1 : after.line - 1 + height] = new.split("\n")
    return "\n".join(lines)


def _shortened(after: Block, printed: str) -> str:
    """What was printed, with the lines left out that the page leaves out."""
    whole = [line.rstrip() for line in printed.rstrip("\n").split("\n")]
    if "..." not in after.text.split("\n"):
        return "\n".join(whole)
    made: list[str] = []
    at = 0
    for part in re.split(r"^\.\.\.$", after.text, flags=re.MULTILINE):
        wanted = part.strip("\n").split("\n")
        words = wanted[0].split()[:2]
        starts = [k for k in range(at, len(whole)) if whole[k].split()[: len(words)] == words]
        if wanted == [""]:
            made.append("...")
            continue
        if not starts:
            raise SystemExit(f"line {after.line}: no line starts with {' '.join(words)!r} any more")
        at = starts[0] + len(wanted)
        made += [*(["..."] if made and made[-1] != "..." else []), *whole[starts[0] : at]]
    return "\n".join(made)


def _pages(names: list[str]) -> list[pathlib.Path]:
    return [pathlib.Path(name).resolve() for name in names] or list(PAGES)


if __name__ == "__main__":
    os.environ["COLUMNS"] = "112"
    for chosen in _pages([word for word in sys.argv[1:] if word != "--live"]):
        with tempfile.TemporaryDirectory() as place:
            now = renewed(
                chosen.read_text(encoding="utf-8"),
                pathlib.Path(place),
                live="--live" in sys.argv,
            )
        chosen.write_text(now, encoding="utf-8")
