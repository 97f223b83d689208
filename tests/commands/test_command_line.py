"""What holds of every command: streams, statuses, files, options, cheap help."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_input_files import write_files

import growthmm as gm
from growthmm.cli import main
from growthmm.commands.argument import given
from growthmm.commands.output import plain, write_whole
from growthmm.commands.parser import COMMANDS
from growthmm.errors import SpecificationError

FORMULA = "score ~ week + (1 | pupil)"
HEAVY = (
    *("pandas", "scipy", "formulaic", "networkx", "semopy", "statsmodels", "matplotlib", "lark"),
    *("polars", "pyarrow", "narwhals"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("commands")
    write_files(place)
    return place


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "growthmm", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """The JSON that a command prints."""
    status = main([*words, "--json"])
    answer = capsys.readouterr()
    assert (status, answer.err) == (0, "")
    return json.loads(answer.out, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))


def test_fields_of_fit(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "fit", FORMULA, "--data", "good.csv")
    wanted = "engine estimator log_likelihood n_parameters aic bic bic_subjects n_subjects n_rows"
    assert {*wanted.split(), "converged", "at_boundary", "estimates"} <= set(found)
    row = "name kind estimate std_error statistic df p_value ci_low ci_high"
    assert all(set(row.split()) <= set(estimate) for estimate in found["estimates"])
    assert found["estimator"] == "ml"


def test_fields_of_verify(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("verify", FORMULA, "--data", "good.csv", "--engines", "statsmodels")
    found = answered(capsys, *words)
    assert {"verdict", "model_verdict", "engines", "log_likelihood", "levels", "parameters"} <= set(
        found
    )
    assert all({"name", "used", "reason", "version"} <= set(row) for row in found["engines"])
    assert all({"name", "passed", "figure", "tolerance"} <= set(row) for row in found["levels"])
    assert set(found["log_likelihood"]) >= {"long", "wide", "statsmodels"}
    names = {"mixed_name", "mixed_syntax", "sem_name", "sem_syntax", "rule"}
    assert all(names | {"max_difference_in_se"} <= set(row) for row in found["parameters"])


def test_fields_of_compare_and_translate(capsys: pytest.CaptureFixture[str]) -> None:
    models = (FORMULA, "score ~ week + (week | pupil)")
    found = answered(capsys, "compare", models[0], "--data", "good.csv", models[1])
    row = "model n_parameters aic bic log_likelihood deviance chi_square df p_value delta_aic"
    assert all({*row.split(), "comparable"} <= set(line) for line in found["rows"])
    assert found["rows"][0]["p_value"] is None
    found = answered(capsys, "translate", FORMULA, "--to", "lavaan", "--data", "good.csv")
    assert {"text", "script", "parameters", "losses", "assumptions"} <= set(found)


def test_fields_of_explain(capsys: pytest.CaptureFixture[str]) -> None:
    models = (FORMULA, "score ~ week + (week | pupil)")
    words = ("--data", "good.csv", "--estimator-b", "ml", "--options-b", "tests=z,bic=subjects")
    found = answered(capsys, "explain", *models, *words)
    fields = {"cause", "description", "log_likelihood_before", "log_likelihood_after"}
    assert {"verdict", "steps"} <= set(found)
    assert all(fields <= set(step) for step in found["steps"])
    causes = [step["cause"] for step in found["steps"]]
    assert causes == ["estimator", "factor_variance", "tests", "bic"]
    assert main(["explain", *models]) == 0
    assert "factor_variance" in capsys.readouterr().out


def test_fields_of_engines_and_reshape(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "engines")
    assert {"long", "wide", "statsmodels", "semopy"} <= {row["name"] for row in found["engines"]}
    words = ("reshape", "--data", "missing_time.csv", "--to", "wide", "--id", "pupil")
    assert main([*words, "--time", "week", "--values", "score,hours"]) == 2
    capsys.readouterr()
    gone = pd.read_csv("good.csv").iloc[1:]
    gone.to_csv("gone.csv", index=False)
    words = ("reshape", "--data", "gone.csv", "--to", "wide", "--id", "pupil", "--time", "week")
    found = answered(capsys, *words, "--values", "score,hours")
    assert found["rows"][0]["score_0"] is None


def test_there_and_back_by_files(capsys: pytest.CaptureFixture[str]) -> None:
    for ending in ("csv", "parquet"):
        flags = ["--id", "pupil", "--time", "week", "--values", "score,hours"]
        there = ["reshape", "--data", "good.csv", "--to", "wide", "--output", f"made.{ending}"]
        back = ["reshape", "--data", f"made.{ending}", "--to", "long", "--output", "back.csv"]
        assert main([*there, *flags]) == main([*back, *flags]) == 0
        again, first = pd.read_csv("back.csv"), pd.read_csv("good.csv")
        pd.testing.assert_frame_equal(again[first.columns], first)
    assert capsys.readouterr().out == ""


def test_status_of_verify_is_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["verify", "score ~ week + (1 + week | pupil)", "--data", "good.csv", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert status == (0 if found["verdict"] in ("identical", "identical_if") else 1)
    assert main(["verify", FORMULA, "--data", "good.csv", "--engines", "statsmodels"]) == 0


def test_options_of_a_model_win_over_flags(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--data", "good.csv", "--estimator", "ml")
    found = answered(capsys, "fit", f"{FORMULA} ; estimator=reml, residual=by_occasion", *words)
    assert found["estimator"] == "reml"
    assert found["n_parameters"] == 7
    assert answered(capsys, "fit", FORMULA, *words)["n_parameters"] == 4
    stated = answered(capsys, "fit", f"lmer({FORMULA}, d, REML = TRUE)", "--data", "good.csv")
    assert stated["estimator"] == "reml"


@pytest.mark.parametrize(
    ("text", "model", "options"),
    [
        ("y ~ t", "y ~ t", {}),
        ("y ~ t ; residual=by_group:sex", "y ~ t", {"residual": "by_group:sex"}),
        ("y~t;estimator=reml;bounds=none", "y~t", {"estimator": "reml", "bounds": "none"}),
        ("m.lav; function = sem", "m.lav", {"function": "sem"}),
        ("i =~ 1*a; s =~ 0*a", "i =~ 1*a; s =~ 0*a", {}),
        ("y ~ a*x; a == 1", "y ~ a*x; a == 1", {}),
        ("y ~ a*x; b := a^2", "y ~ a*x; b := a^2", {}),
        ('y ~ `x"); system("id` + t', 'y ~ `x"); system("id` + t', {}),
        ("y ~ `a; residual=ar1`", "y ~ `a; residual=ar1`", {}),
        ("y ~ t;", "y ~ t;", {}),
    ],
)
def test_options_are_told_from_text(text: str, model: str, options: dict[str, str]) -> None:
    assert (given(text).text, given(text).options) == (model, options)


def test_negative_times_are_no_flags(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("translate", "y ~ t + (t | id)", "--to", "lavaan", "--time-values", "-1,0,1")
    found = answered(capsys, *words)
    assert "s =~ -1*y_m1 + 0*y_0 + 1*y_1" in found["text"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--moments", "moments.json"),
        ("--data", "moments.json"),
        ("--moments", "--data", "moments.json"),
    ],
)
def test_moments_from_a_file(flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "fit", "growth.lav", *flags)
    direct = answered(capsys, "fit", "growth.lav", "--data", "wide.csv")
    assert found["log_likelihood"] == pytest.approx(direct["log_likelihood"], abs=1e-8)


def test_output_is_written_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "fit.json"
    target.write_text("old", encoding="utf-8")
    words = ["fit", FORMULA, "--data", "good.csv", "--json", "--output", str(target)]
    assert main(words) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["n_rows"] == 48
    assert capsys.readouterr().out == ""
    target.write_text("old", encoding="utf-8")
    assert main(["fit", "score ~ weak + (1 | pupil)", *words[2:]]) == 2
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["fit.json"]


def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")

    def full(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SpecificationError, match="No space left"):
        write_whole(target, b"new")
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    write_whole(pipe, b"content\n")
    assert reader.communicate(timeout=30)[0] == b"content\n"
    assert pipe.is_fifo()


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_json_knows_no_nan() -> None:
    values = {"a": np.float64("nan"), "b": [np.inf, pd.NA, pd.NaT, None], "c": np.arange(2)}
    assert plain(values) == {"a": None, "b": [None, None, None, None], "c": [0, 1]}
    assert plain(pd.Timestamp("2020-01-02")) == "2020-01-02T00:00:00"


def test_a_closed_pipe_is_quiet(folder: Path) -> None:
    command = f"{sys.executable} -m growthmm fit '{FORMULA}' --data good.csv | head -1"
    answer = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert (answer.stdout.splitlines(), answer.stderr) == ([FORMULA, "0"], "")


def test_a_pipe_nobody_reads_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for words in (["fit", FORMULA, "--data", "good.csv"], ["--help"], ["fit", "--help"]):
        answer = subprocess.run(
            [sys.executable, "-m", "growthmm", *words],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        assert (answer.returncode, answer.stderr) == (0, b""), words
    os.close(writer)


def test_an_interrupt_is_quiet(tmp_path: Path) -> None:
    # The data are a pipe into which nothing is written, so that the command waits.
    code = (
        "import os, sys, signal, threading\n"
        "import growthmm.commands.actions as actions\n"
        "def wait(chosen):\n"
        "    print('ready', file=sys.stderr, flush=True)\n"
        "    signal.pause()\n"
        "actions.ACTIONS['demo'] = wait\n"
        "sys.argv = ['growthmm', 'demo']\n"
        "from growthmm.cli import run\n"
        "run()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 130


def test_a_fault_of_our_own_has_its_own_status() -> None:
    code = (
        "import sys\n"
        "import growthmm.commands.actions as actions\n"
        "actions.ACTIONS['demo'] = lambda chosen: {}['gone']\n"
        "sys.argv = ['growthmm', 'demo']\n"
        "from growthmm.cli import run\n"
        "run()\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith("growthmm: a fault inside growthmm: KeyError: 'gone'\nHint: ")
    assert "Traceback" not in answer.stderr


def test_text_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    frame = pd.read_csv("good.csv").rename(columns={"pupil": "Schüler"})
    frame.to_csv(tmp_path / "d.csv", index=False)
    words = ["fit", "score ~ week + (1 | Schüler)", "--data", str(tmp_path / "d.csv")]
    answer = subprocess.run(
        [sys.executable, "-m", "growthmm", *words],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (answer.returncode, answer.stderr) == (0, b"")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    answer = capsys.readouterr()
    assert answer.out.startswith(f"usage: growthmm {command} ")
    assert "--json" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 96
    assert answer.err == ""


def test_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        assert main(words) == 0
        out = capsys.readouterr().out
        assert all(f"\n  {command} " in out for command in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"growthmm {gm.__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["verify", "--help"], ["fitt"], ["fit", "x"]])
def test_help_and_refusals_load_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom growthmm.cli import main\n"
        f"main({words!r})\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "sys.exit(f'loaded {loaded}' if loaded else 0)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr


def seconds(code: str) -> float:
    """The quickest of five runs of a fresh interpreter."""
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - start)
    return min(spent)


def test_import_and_help_cost_little_more_than_numpy() -> None:
    numpy = seconds("import numpy")
    assert seconds("import growthmm") <= 1.5 * numpy
    assert seconds("from growthmm.cli import main; main(['--help'])") <= 1.5 * numpy
