"""The verdict ``not_representable`` on a structural equation model, as a page."""

from __future__ import annotations

from growthmm.equivalence.not_representable import NotRepresentable
from growthmm.report.methods_text import own_version
from growthmm.report.page import sentence
from growthmm.report.page_template import page_template
from growthmm.report.text_table import figure
from growthmm.report.texts.evidence import asked, not_asked
from growthmm.report.texts.not_representable import curved_lines, nearest_lines

__all__ = ["not_representable_page"]


def not_representable_page(result: NotRepresentable) -> str:
    """The page: verdict, losses, nearest model, diagram, parameters, evidence, engines.

    Parameters
    ----------
    result : NotRepresentable
        The verification.

    Returns
    -------
    str
        HTML that loads nothing; whatever comes from the user's data is escaped.

    Raises
    ------
    EngineNotInstalledError
        If jinja2 is absent.
    """
    template = page_template("not_representable.html.j2")
    from markupsafe import Markup

    from growthmm.report.diagrams.svg import diagram_svg
    from growthmm.report.diagrams.text import path_diagram

    fit = result.sem_fit
    values = dict(zip(fit.fit.names, fit.fit.estimates.tolist(), strict=True))
    return template.render(
        result=result,
        version=own_version(),
        nearest="\n".join([*curved_lines(result), *nearest_lines(result)]),
        diagram=Markup(diagram_svg(fit.model, values, name="diagram")),  # type: ignore[arg-type]
        diagram_words=path_diagram(fit.model, values),  # type: ignore[arg-type]
        rows=result.to_dict()["parameters"],
        number=figure,
        asked=asked,
        not_asked=not_asked,
        sentence=sentence,
    )
