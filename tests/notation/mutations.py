"""Texts that go wrong in the ways that people's and programs' texts do."""

from __future__ import annotations

import random
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"

PIECES = (
    *("(", ")", "[", "]", "{", "}", "|", "||", "~", "~~", "=~", "~1", ":=", "==", "<", ">", "@"),
    *("*", "**", "^", "+", "-", "/", "%in%", ":", ";", ",", ".", "!", "#", "'", '"', "`", "\\"),
    *("\n", "\r\n", "\t", "\0", "\f", "\u00a0", "\u2028", "é", "𝛼", "ß", "İ", "٣", "²", "&", "$"),
    *("0", "-1", "1e999", "1e-400", "9" * 40, "0x10", "1L", "TRUE", "NA", "NULL", "Inf", "None"),
    *("y0-y9999", "y9-y0", "c(", "list(", "poly(t, 2)", "I(t^2)", "factor(x)", "ns(t, df = 3)"),
    *("data.t", "start(1)*", "NA*", "equal('a')*", "1 + 1", "()", "(((((((((", "))))))", "-" * 30),
    *("MODEL:", "ON", "WITH", "BY", "AT", "%WITHIN%", "run;", "proc", "quit;", "/FIXED", "///"),
    *("covariance(", "residuals(", "type=", "subject=", "mxPath(", "mxModel(", "pdDiag(", "~ . |"),
)
"""What is thrown in."""


def seeds() -> list[tuple[str, str]]:
    """The texts of the corpus: each with its notation's name."""
    found = []
    for path in sorted(CORPUS.glob("*.txt")):
        texts = path.read_text(encoding="utf-8").split("\n----\n")
        found += [(path.stem, text) for text in texts]
    return found


def mutated(text: str, other: str, draw: random.Random) -> str:
    """`text` after one to five accidents; `other` lends pieces."""
    for _ in range(draw.randint(1, 5)):
        at = draw.randint(0, len(text))
        end = min(len(text), at + int(draw.expovariate(0.1)))
        kind = draw.randrange(7)
        if kind == 0:
            text = text[:at] + text[end:]
        elif kind == 1:
            text = text[:at] + draw.choice(PIECES) + text[at:]
        elif kind == 2:
            text = text[:at] + draw.choice(PIECES) + text[end:]
        elif kind == 3:
            text = text[:end] + text[at:]
        elif kind == 4:
            start = draw.randint(0, len(other))
            text = text[:at] + other[start : start + draw.randint(1, 60)] + text[at:]
        elif kind == 5:
            text = text[:at] + text[at:end].swapcase() + text[end:]
        else:
            text = text[:at]
    return text[:4000]
