"""A verification as one self-contained HTML page."""

from __future__ import annotations

from typing import Any

from growthmm.engines.registry import ENGINES
from growthmm.equivalence.result import Equivalence
from growthmm.errors import EngineNotInstalledError, UnsupportedError
from growthmm.report.equations import equations_mathml
from growthmm.report.methods_text import methods_paragraph, own_version
from growthmm.report.page_template import page_template
from growthmm.report.program_texts import mixed_text, program_texts, sem_text
from growthmm.report.specification import specification_parts
from growthmm.report.text_table import figure
from growthmm.report.texts.evidence import asked, not_asked

__all__ = ["report_page", "sentence"]


def report_page(result: Equivalence) -> str:
    """The page: verdict, specifications, equations, diagram, parameters, evidence, pictures, code.

    Parameters
    ----------
    result : Equivalence
        The verification.

    Returns
    -------
    str
        HTML that loads nothing; whatever comes from the user's data is escaped.

    Raises
    ------
    EngineNotInstalledError
        If jinja2 or matplotlib is absent.
    """
    template = page_template("report.html.j2", "matplotlib")
    from markupsafe import Markup

    from growthmm.report.diagrams.svg import diagram_svg
    from growthmm.report.diagrams.text import path_diagram

    pair, fit = result.pair, result.sem_fit
    values = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    return template.render(
        result=result,
        version=own_version(),
        parts=specification_parts(pair),
        mixed_text=mixed_text(pair),
        sem_text=sem_text(pair),
        equations=[(what, Markup(math)) for what, math in equations_mathml(pair.growth)],
        diagram=Markup(diagram_svg(fit.model, values, name="diagram")),  # type: ignore[arg-type]
        diagram_words=path_diagram(fit.model, values),  # type: ignore[arg-type]
        table=_parameter_table(result),
        pictures=[(title, Markup(svg)) for title, svg in _pictures(result)],
        proof=_proof(result),
        programs=program_texts(pair, result.file),
        methods=methods_paragraph(result),
        number=figure,
        asked=asked,
        not_asked=not_asked,
        sentence=sentence,
    )


def _proof(result: Equivalence) -> str | None:
    """The proof as HTML; None where there is none, or no sympy."""
    from markupsafe import Markup

    try:
        return Markup(result.proof().to_html())
    except (UnsupportedError, EngineNotInstalledError):
        return None


def _parameter_table(result: Equivalence) -> dict[str, Any]:
    rows = result.to_dict()["parameters"]
    engines = list(rows[0]["estimate"]) if rows else []
    return {
        "engines": engines,
        "rows": [
            {
                "mixed": row["mixed_name"],
                "sem": row["sem_name"],
                "rule": row["rule"],
                "estimates": [figure(row["estimate"][engine], 4) for engine in engines],
                "error": figure(row["std_error"].get("long"), 4),
                "gap": ""
                if row["max_difference_in_se"] is None
                else f"{row['max_difference_in_se']:.0e}",
            }
            for row in rows
        ],
    }


def sentence(text: str) -> str:
    """A note as a sentence: with a capital letter and a full stop.

    Examples
    --------
    >>> sentence("one model written twice"), sentence("lme4 is not installed."), sentence("")
    ('One model written twice.', 'lme4 is not installed.', '')
    """
    if not text:
        return ""
    first = text.split(maxsplit=1)[0]
    # Names of programs and parameters begin as they are written.
    plain = first.isalpha() and first.islower() and first not in ENGINES
    text = text[0].upper() + text[1:] if plain else text
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def _pictures(result: Equivalence) -> list[tuple[str, str]]:
    from growthmm.report.pictures.catalogue import PICTURES, available, picture
    from growthmm.report.pictures.svg import figure_svg
    from growthmm.report.pictures.words import picture_words

    made = []
    for kind in available(result):
        words = picture_words(result, kind)
        made.append(
            (PICTURES[kind][0], figure_svg(picture(result, kind), f"picture-{kind}", words))
        )
    return made
