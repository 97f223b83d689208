"""A verification as one self-contained HTML page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from growthmm.equivalence.result import Equivalence
from growthmm.errors import EngineNotInstalledError, GrowthmmError
from growthmm.notation import names, notation
from growthmm.notation.base import families
from growthmm.report.equations import equations_mathml
from growthmm.report.methods_text import methods_paragraph, own_version
from growthmm.report.specification import specification_parts
from growthmm.report.text_table import figure

if TYPE_CHECKING:
    from growthmm.translation.pair import Pair

__all__ = ["ProgramText", "program_texts", "report_page"]


@dataclass(frozen=True, slots=True)
class ProgramText:
    """The model in one program's words.

    Parameters
    ----------
    key : str
        The notation, with ``-sem`` or ``-mixed`` where it writes both families.
    title : str
        The program.
    text : str
        The model; empty where the program can't say it.
    losses : tuple of str
        What it can't say.
    """

    key: str
    title: str
    text: str
    losses: tuple[str, ...]


def program_texts(pair: Pair) -> tuple[ProgramText, ...]:
    """The model as every notation writes it, or why one can't.

    Parameters
    ----------
    pair : Pair
        The two forms.
    """
    made = []
    for name in names():
        speaker = notation(name)
        written_by = families(speaker)
        for family in written_by:
            model = pair.mixed.model if family == "mixed" else pair.sem.model
            both = len(written_by) > 1
            kind = "mixed model" if family == "mixed" else "SEM"
            title = f"{speaker.title} ({kind})" if both else speaker.title
            key = f"{name.replace('.', '-')}-{family}" if both else name.replace(".", "-")
            try:
                written = speaker.write(replace(model, notation=name))
            except GrowthmmError as error:
                made.append(ProgramText(key, title, "", (str(error),)))
                continue
            losses = tuple(f"{loss}" for loss in written.losses)
            made.append(ProgramText(key, title, written.text, losses))
    return tuple(made)


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
    try:
        import jinja2
        import matplotlib as mpl  # noqa: F401
        from markupsafe import Markup
    except ImportError as error:
        raise EngineNotInstalledError(
            f"The HTML report needs {error.name}, which is not installed.",
            hint='pip install "growthmm[report]"',
        ) from None
    from growthmm.report.diagram_svg import diagram_svg
    from growthmm.report.diagram_text import path_diagram

    fit = result.sem_fit
    values = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("growthmm.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page: str = environment.get_template("report.html.j2").render(
        result=result,
        version=own_version(),
        parts=specification_parts(result.pair),
        mixed_text=_mixed_text(result),
        sem_text=_sem_text(result),
        equations=[(what, Markup(math)) for what, math in equations_mathml(result.pair.growth)],
        diagram=Markup(diagram_svg(fit.model, values, name="diagram")),  # type: ignore[arg-type]
        diagram_words=path_diagram(fit.model, values),  # type: ignore[arg-type]
        table=_parameter_table(result),
        pictures=[(title, Markup(svg)) for title, svg in _pictures(result)],
        programs=program_texts(result.pair),
        methods=methods_paragraph(result),
        number=figure,
    )
    return page


def _mixed_text(result: Equivalence) -> str:
    model = result.pair.mixed.model
    return notation(model.notation).write(model).text


def _sem_text(result: Equivalence) -> str:
    model = result.pair.sem.model
    by_person = any(path.definition is not None for path in model.paths)
    return notation("openmx" if by_person else "lavaan").write(model).text


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


def _pictures(result: Equivalence) -> list[tuple[str, str]]:
    from growthmm.report.picture_svg import figure_svg
    from growthmm.report.pictures import PICTURES, available, picture

    made = []
    for kind in available(result):
        title = PICTURES[kind][0]
        made.append((title, figure_svg(picture(result, kind), f"picture-{kind}", title)))
    return made
