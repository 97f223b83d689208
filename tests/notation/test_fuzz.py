"""No text makes a reader raise anything but NotationError, or run on and on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from mutations import mutated, seeds
from printed_cases import OUTPUTS

from growthmm.errors import NotationError
from growthmm.notation import names, notation, recognise
from growthmm.printed import READERS, read_printed

SEEDS = seeds()

PRINTED = [path.read_text(encoding="utf-8") for path in sorted(OUTPUTS.glob("*.txt"))]

READABLE = sorted({name for name, _ in SEEDS})

SLOWEST = 5.0
"""Seconds that reading one text may take."""

WITNESSES = (
    ("lavaan", "i =~ 1*y0 +"),
    ("mplus", "MODEL: i s | y0@0 y1@1"),
    ("mplus", "VARIABLE: NAMES = y0-y99999999;\nMODEL: y0 ON y1;"),
    ("openmx", "mxModel("),
    ("sas", "proc mixed;"),
    ("spss", "MIXED"),
    ("stata", "mixed"),
    ("sas", "proc mixed; model y = " + "(" * 3000 + "; run;"),
    ("sas", "proc mixed; model y = " + "|".join(f"a{k}" for k in range(40)) + "; run;"),
    ("sas", "proc mixed; model y = t*" + "*".join(["t"] * 500) + "; run;"),
    ("sas", "proc calis; path a1-a900 <- b1-b900; run;"),
    ("sas", "proc calis; cov a1-a900; path y <- x; run;"),
    ("sas", "proc mixed data=" + "a(" * 900 + ")" * 900 + "; model y = t; run;"),
    ("spss", "MIXED y WITH t /FIXED=" + "(" * 3000),
    ("spss", "MIXED y WITH t /FIXED=" + "*".join(["t"] * 500) + "."),
    ("stata", "mixed y " + "(" * 3000),
    ("stata", "mixed y " + "##".join(f"c.a{k}" for k in range(40))),
    ("stata", "mixed y " + "(" * 300 + "t" + ")" * 300),
    ("stata", "mixed y " + "(" * 3000 + "t" + ")" * 3000),
    ("stata", "sem (a1-a900 <- b1-b900)"),
    ("stata", "sem " + "(y <- x) " * 500),
    ("nlme", "lme("),
    ("lme4", "(" * 3000 + "y"),
    ("statsmodels", "smf.mixedlm("),
)
"""Texts that readers once had trouble with, or might."""


def _inputs(n: int, seed: int) -> Iterator[tuple[str, str]]:
    draw = random.Random(seed)
    for _ in range(n):
        name, text = draw.choice(SEEDS)
        other = draw.choice(SEEDS)[1]
        if draw.random() < 0.1:
            name = draw.choice(READABLE)
        yield name, mutated(text, other, draw)


def _read(name: str, text: str) -> str | None:
    """What went wrong, or None."""
    start = time.perf_counter()
    try:
        notation(name).read(text)
    except NotationError:
        pass
    except Exception as error:  # noqa: BLE001
        return f"{name}: {type(error).__name__}: {error} at {text!r}"
    took = time.perf_counter() - start
    return None if took < SLOWEST else f"{name}: {took:.1f} s for {text!r}"


def test_the_corpus_is_read() -> None:
    assert len(SEEDS) > 100
    for name, text in SEEDS:
        assert notation(name).read(text) is not None, text


def test_every_reader_has_a_corpus() -> None:
    only_written = {"brms", "mixedmodels.jl", "dot", "ram"}
    assert {*READABLE, *only_written} == set(names())


@pytest.mark.parametrize(("name", "text"), WITNESSES)
def test_witnesses(name: str, text: str) -> None:
    assert _read(name, text) is None


def test_readers_of_models_raise_nothing_else() -> None:
    wrong = [found for name, text in _inputs(900, 1) if (found := _read(name, text))]
    assert not wrong, "\n".join(wrong[:5])


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_readers_of_models_raise_nothing_else_in_90_000_inputs(part: int) -> None:
    seed = random.SystemRandom().randrange(10**9)
    wrong = [found for name, text in _inputs(9_000, seed) if (found := _read(name, text))]
    assert not wrong, f"seed {seed}:\n" + "\n".join(wrong[:5])


@pytest.mark.nightly
def test_readers_of_printed_results_raise_nothing_else_in_10_000_inputs() -> None:
    seed = random.SystemRandom().randrange(10**9)
    draw = random.Random(seed)
    for _ in range(10_000):
        text = mutated(draw.choice(PRINTED), draw.choice(PRINTED), draw)
        program = draw.choice([None, *READERS])
        try:
            read_printed(text, program)
        except NotationError:
            continue


def test_recognising_raises_nothing() -> None:
    for name, text in _inputs(300, 2):
        assert isinstance(recognise(text), str), name
