"""Pages show what their commands print."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import ROOT, script

transcripts = script("transcripts")
OTHERS = [page for page in transcripts.PAGES if page != ROOT / "README.md"]
LIVE = [page for page in OTHERS if ", from: " in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", OTHERS, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_page_shows_what_its_commands_print(page: Path, tmp_path: Path) -> None:
    wrong = transcripts.check(page, tmp_path)
    assert wrong == [], f"run: python docs/transcripts.py {page}\n" + "\n".join(map(str, wrong))


@pytest.mark.r("lme4", "nlme", "lavaan", "OpenMx", "glmmTMB")
@pytest.mark.parametrize("page", LIVE, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_files_of_other_programs_are_what_these_print(page: Path, tmp_path: Path) -> None:
    wrong = transcripts.check(page, tmp_path, live=True)
    assert wrong == [], "\n".join(map(str, wrong))


def test_there_are_pages() -> None:
    assert len(OTHERS) > 5


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a 1.25 b", "a   1.26\nb"),
        ("score 7.8e-14", "score 2e-15"),
        ("semopy 2.3.11 yes", "semopy 2.4.0 yes"),
        ("first\n...\nlast", "first\nand more\nlast"),
        ("...\nlast", "first\nlast"),
        ("first\n...", "first\nlast"),
        ("x  y\n-----------", "x      y\n-----------------"),
    ],
)
def test_same(shown: str, printed: str) -> None:
    assert transcripts.same(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a 1.25 b", "a 1.28 b"),
        ("200 persons", "201 persons"),
        ("score 7.8e-14", "score 0.2"),
        ("score 7.8e-14", "score 2e-1"),
        ("-0.5", "0.5"),
        ("first\nlast", "first\nand more\nlast"),
        ("first\n...\nlast", "first\nlast\nmore"),
        ("first\n...\nsecond\n...", "second\nfirst"),
        ("", "something"),
        ("something", ""),
    ],
)
def test_not_same(shown: str, printed: str) -> None:
    assert not transcripts.same(shown, printed)


def test_a_page_is_renewed(tmp_path: Path) -> None:
    page = "```sh\nprintf 'one\\ntwo\\nthree\\n'\n```\n\n```text\n{}\n```\n"
    assert transcripts.renewed(page.format("old"), tmp_path) == page.format("one\ntwo\nthree")
    left_out = page.format("one\n...\nthree").replace("three\\n", "three more\\n")
    renewed = transcripts.renewed(left_out, tmp_path)
    assert renewed.endswith("one\n...\nthree more\n```\n")


def test_a_page_that_is_wrong_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```sh\necho 3\n```\n\n```text\n4\n```\n\n<!-- status: 0 -->\n```sh\nfalse\n```\n",
        encoding="utf-8",
    )
    first, second = transcripts.check(page, tmp_path)
    assert (first.shown, first.printed) == ("4", "3\n")
    assert second.printed == "status 1"
