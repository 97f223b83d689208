"""Any result as HTML for notebooks: its text in a line or block, and its tables."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.report.texts.fields import shown_fields

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fields_html", "model_html", "moments_html", "result_html", "written_html"]

LONGEST = 400
"""Characters of a fact."""

_SENTENCE = re.compile(r"<td>(?=[^<]{31,}</td>)(?=[^<]* )")


def result_html(result: Any) -> str:
    """What a result says first, then its table; the whole text where it has none.

    Parameters
    ----------
    result : object
        With a text, and perhaps a data frame ``table`` or ``shares``.
    """
    text = repr(result)
    frame = getattr(result, "table", None)
    if frame is None:
        frame = getattr(result, "shares", None)
    if frame is None:
        return _block(text)
    # The text's own table has columns, that is, several spaces in a row.
    said = takewhile(lambda line: line.strip() and "  " not in line, text.splitlines())
    return "\n".join([*(f"<p>{escape(line)}</p>" for line in said), _table(frame)])


def model_html(model: MixedModel | SemModel) -> str:
    """A model in its notation's words, with what they can't say."""
    speaker = notation(model.notation)
    written = speaker.write(replace(model))
    losses = "".join(f"<li>{escape(str(loss))}</li>" for loss in written.losses)
    said = f"<p>Not said by {escape(speaker.title)}:</p><ul>{losses}</ul>" if losses else ""
    return f"<p>{escape(repr(model))}</p>{_block(written.text)}{said}"


def written_html(made: Any) -> str:
    """A model that was written: its text, the parameter map, what was assumed and lost."""
    parts = [_block(made.text)]
    if getattr(made, "parameter_rows", ()):
        parts.append(_table(made.parameters))
    for title, notes in (
        ("Assumed", getattr(made, "assumptions", ())),
        ("Not said", made.losses),
    ):
        if notes:
            items = "".join(f"<li>{escape(str(note))}</li>" for note in notes)
            parts.append(f"<p>{title}</p><ul>{items}</ul>")
    if made.script:
        parts.append(
            f"<details><summary>A complete program</summary>{_block(made.script)}</details>"
        )
    return "\n".join(parts)


def moments_html(moments: Any) -> str:
    """Means and covariances as tables."""
    import pandas as pd

    mean, cov = moments.mean, moments.cov
    names = list(getattr(moments, "names", ())) or list(mean.index)
    means = pd.DataFrame([list(mean)], index=["mean"], columns=names)
    covariances = pd.DataFrame(getattr(cov, "to_numpy", lambda: cov)(), index=names, columns=names)
    head = repr(moments).splitlines()[0] if hasattr(moments, "n") else "Implied moments"
    parts = [f"<p>{escape(head)}</p>", _table(means, index=True), _table(covariances, index=True)]
    slopes = getattr(moments, "slopes", None)
    if slopes is not None and slopes.shape[1]:
        parts += ["<p>Effects of covariates</p>", _table(slopes, index=True)]
    return "\n".join(parts)


def fields_html(part: Any) -> str:
    """A data class as a table of what it holds; fields left empty are left out.

    Parameters
    ----------
    part : dataclass instance
        The facts of data, or a part of a result.
    """
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in shown_fields(part, LONGEST)
    )
    return f"<table><tbody>{lines}</tbody></table>"


def _block(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _table(frame: pd.DataFrame, *, index: bool | None = None) -> str:
    """A data frame; names of parameters, methods and courses may be rows' labels.

    Sentences wrap. A column of dictionaries is left out: it is for programs.
    """
    if index is None:
        index = frame.index.dtype == object or str(frame.index.dtype).startswith("str")
    shown = [
        k for k in range(frame.shape[1]) if not any(isinstance(v, dict) for v in frame.iloc[:, k])
    ]
    html = frame.iloc[:, shown].to_html(
        index=index, na_rep="", float_format="{:.4g}".format, escape=True
    )
    return _SENTENCE.sub('<td style="white-space: normal; min-width: 14em">', str(html))
