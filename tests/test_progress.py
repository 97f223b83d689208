"""Progress bars: in a terminal only, after a while, on what repeats, and off on request."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace

import pytest

import growthmm as gm
from growthmm import progress
from growthmm.cli import main
from growthmm.inference.result import FitResult
from growthmm.progress import bar, showing, stepped, stepping, steps, tracked

SLOPE = "gpa ~ occasion + (1 + occasion | student)"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@cache
def fitted(formula: str = SLOPE, estimator: str = "ml") -> FitResult:
    data = gm.datasets.gpa().query("student <= 40")
    return gm.fit(formula, data, estimator=estimator, progress=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error as a terminal, and no patience."""
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    monkeypatch.setenv("TERM", "xterm")
    return made


LONG_WORK: dict[str, tuple[str, Callable[..., object]]] = {
    "bootstrap": (
        "bootstrap",
        lambda **o: fitted().confidence_intervals("bootstrap", n_simulations=3, workers=1, **o),
    ),
    "profile": ("likelihood profiles", lambda **o: fitted().confidence_intervals("profile", **o)),
    "study": (
        "simulation study",
        lambda **o: gm.study(fitted(), 20, n_simulations=3, workers=1, **o),
    ),
    "cross_validate": ("cross-validation", lambda **o: gm.cross_validate(fitted(), n_folds=3, **o)),
    "all_optimizers": (
        "optimisers",
        lambda **o: gm.all_optimizers(fitted(), methods=["BFGS", "CG"], programs=(), **o),
    ),
    "restarts": ("restarts", lambda **o: gm.restarts(fitted(), 2, **o)),
    "exact test": (
        "null distribution",
        lambda **o: gm.test_variance(
            fitted("gpa ~ occasion + (1 | student)"),
            "(Intercept)",
            method="exact",
            n_simulations=20_000,
            **o,
        ),
    ),
    "test of several variances": (
        "null distribution",
        lambda **o: gm.test_variance(fitted(), ["(Intercept)", "occasion"], n_simulations=500, **o),
    ),
    "fit": ("fit by long", lambda **o: gm.fit(SLOPE, gm.datasets.gpa(), **o)),
    "compare": (
        "models by ML",
        lambda **o: gm.compare(
            fitted(estimator="reml"),
            fitted("gpa ~ occasion + (1 | student)", "reml"),
            refit=True,
            **o,
        ),
    ),
    "diagnose": ("persons left out", lambda **o: gm.diagnose(fitted(), influence=True, **o)),
    "verify": (
        "witnesses",
        lambda **o: gm.verify(SLOPE, gm.datasets.gpa(), engines=["semopy"], **o),
    ),
    "explain": (
        "differences",
        lambda **o: gm.explain(
            SLOPE, "gpa ~ occasion + (1 | student)", gm.datasets.gpa(), estimator_b="ml", **o
        ),
    ),
}


@pytest.mark.parametrize("name", LONG_WORK)
def test_a_bar_in_a_terminal(name: str, terminal: Terminal) -> None:
    title, work = LONG_WORK[name]
    work()
    said = terminal.getvalue()
    assert title in said
    # A search for a maximum has no known length.
    assert ("step 1" if name == "fit" else "━") in said


@pytest.mark.parametrize("name", LONG_WORK)
def test_none_on_request(name: str, terminal: Terminal) -> None:
    LONG_WORK[name][1](progress=False)
    assert terminal.getvalue() == ""


def test_steps_are_counted_and_the_line_is_cleared(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "FRAME", 0.0)
    with steps("searching"):
        for _ in range(3):
            stepped()
        with steps("within"):
            stepped()
        list(tracked(range(3), "within"))
    said = terminal.getvalue()
    assert "searching step 4" in said.replace("\x1b[0m", "")
    assert "within" not in said
    assert said.endswith("\x1b[2K")
    stepped()
    assert terminal.getvalue() == said


def test_a_program_that_is_waited_for_counts_too(terminal: Terminal) -> None:
    from growthmm.engines.limits import Deadline
    from growthmm.engines.r.process import _execute

    with steps("fit by lme4"):
        code = "import sys, time; time.sleep(0.35); sys.exit('x' * 9)"
        said = _execute([sys.executable, "-c", code], Deadline("R", 20.0))
    assert said.strip() == "x" * 9
    assert "step 3" in terminal.getvalue()


def test_a_fit_without_a_terminal_looks_at_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> float:
        raise AssertionError

    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=fail))
    gm.fit(SLOPE, gm.datasets.gpa().query("student <= 40"))
    assert not stepping()


def test_none_where_standard_error_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    monkeypatch.setenv("TERM", "xterm")
    gm.restarts(fitted(), 2)
    assert capsys.readouterr() == ("", "")
    gm.restarts(fitted(), 2, progress=True)
    assert "restarts" in capsys.readouterr().err


def test_none_without_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=None))
    assert list(tracked(range(3), "nothing")) == [0, 1, 2]


def test_short_work_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))
    assert sum(tracked(range(5), "short")) == 10
    assert made.getvalue() == ""


def test_a_bar_within_a_bar_is_not_shown(terminal: Terminal) -> None:
    for _ in tracked(range(3), "outer"):
        list(tracked(range(3), "inner"))
    assert "outer" in terminal.getvalue()
    assert "inner" not in terminal.getvalue()
    list(tracked(range(3), "inner"))
    assert "inner" in terminal.getvalue()


def test_the_bar_is_gone_at_the_end_and_after_an_error(terminal: Terminal) -> None:
    def fail() -> None:
        with bar("work", 3) as advance:
            advance(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    said = terminal.getvalue()
    assert "1/3" in said
    # The cursor is shown again and the line is cleared.
    assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l")
    assert said.endswith("\x1b[2K")
    list(tracked(range(2), "more"))
    assert "more" in terminal.getvalue()


def test_what_is_nearest_decides(terminal: Terminal) -> None:
    with showing(False), showing(None):
        list(tracked(range(3), "one"))
    assert terminal.getvalue() == ""
    with showing(False), showing(True):
        list(tracked(range(3), "two"))
    assert "two" in terminal.getvalue()


def test_titles_are_text(terminal: Terminal) -> None:
    list(tracked(range(3), "[red]a[/red]"))
    assert "[red]a[/red]" in terminal.getvalue()


def test_lazy_work_needs_its_number(terminal: Terminal) -> None:
    assert list(tracked((k for k in range(3)), "lazy", total=3)) == [0, 1, 2]
    assert "2/3" in terminal.getvalue()


def test_the_command_line_has_a_flag(
    terminal: Terminal, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"{tmp_path}/gpa.csv"
    gm.datasets.gpa().to_csv(path, index=False)
    words = ["compare", "gpa ~ occasion + (1 | student)", SLOPE, "--data", path]
    assert main([*words, "--no-progress"]) == 0
    assert terminal.getvalue() == ""
    assert main(words) == 0
    assert "models" in terminal.getvalue()


def test_rich_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, growthmm as gm\n"
        "gm.restarts(gm.fit('gpa ~ occasion + (1 | student)', gm.datasets.gpa()), 2)\n"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
