"""How results find their rendering: a registry of names, filled by where the rendering lives.

Results stand below reports in the direction of imports; they ask here for a rendering by name and
never import upward themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

__all__ = ["RENDERINGS", "Brief", "Shown", "Tabular", "render"]

RENDERINGS: dict[str, str] = {
    "fit.summary": "growthmm.report.texts.fit:fit_summary",
    "fit.html": "growthmm.report.fit_html:fit_html",
    "equivalence.summary": "growthmm.report.texts.equivalence:equivalence_summary",
    "explanation.summary": "growthmm.report.texts.explanation:explanation_summary",
    "explanation.html": "growthmm.report.explanation_html:explanation_html",
    "equivalence.html": "growthmm.report.page:report_page",
    "not_representable.summary": (
        "growthmm.report.texts.not_representable:not_representable_summary"
    ),
    "not_representable.html": "growthmm.report.not_representable_page:not_representable_page",
    "equivalence.picture": "growthmm.report.pictures.catalogue:picture",
    "proof.text": "growthmm.report.proof_text:proof_text",
    "proof.latex": "growthmm.report.proof_text:proof_latex",
    "proof.html": "growthmm.report.proof_html:proof_html",
    "comparison.summary": "growthmm.report.texts.comparison:comparison_summary",
    "alternatives.summary": "growthmm.report.texts.alternatives:alternatives_summary",
    "missing.summary": "growthmm.report.texts.missing:missing_summary",
    "missing.figure": "growthmm.report.pictures.patterns:patterns_figure",
    "diagnosis.summary": "growthmm.report.texts.diagnosis:diagnosis_summary",
    "endings.summary": "growthmm.report.texts.endings:endings_summary",
    "table.latex": "growthmm.report.result_tables:latex_table",
    "table.markdown": "growthmm.report.result_tables:markdown_table",
    "table.html": "growthmm.report.result_tables:html_table",
    "printed.summary": "growthmm.report.texts.printed:printed_summary",
    "variance.figure": "growthmm.report.pictures.variance:variance_figure",
    "region.figure": "growthmm.report.pictures.region:region_figure",
    "trajectories.figure": "growthmm.report.pictures.trajectories:trajectories_figure",
    "result.html": "growthmm.report.result_html:result_html",
    "model.html": "growthmm.report.result_html:model_html",
    "written.html": "growthmm.report.result_html:written_html",
    "moments.html": "growthmm.report.result_html:moments_html",
    "schema.html": "growthmm.report.result_html:fields_html",
    "fields.html": "growthmm.report.result_html:fields_html",
    "fields.text": "growthmm.report.texts.fields:fields_text",
    "sem.diagram": "growthmm.report.diagrams.text:path_diagram",
    "sem.svg": "growthmm.report.diagrams.svg:diagram_svg",
    "sem.picture": "growthmm.report.diagrams.figure:diagram_picture",
}
"""Name of each rendering and the function, ``module:name``, that makes it."""


def render(name: str, *arguments: Any, **options: Any) -> Any:
    """Render something by the name of its rendering."""
    module, _, function = RENDERINGS[name].partition(":")
    return getattr(import_module(module), function)(*arguments, **options)


class Tabular:
    """A result whose table can be written for papers and pages."""

    __slots__ = ()

    def to_latex(self) -> str:
        """The table as a LaTeX ``tabular`` (booktabs); special letters are escaped."""
        return str(render("table.latex", self))

    def to_markdown(self) -> str:
        """The table in Markdown."""
        return str(render("table.markdown", self))

    def to_html(self) -> str:
        """The table in HTML; everything is escaped."""
        return str(render("table.html", self))


class Shown:
    """A result that notebooks show as HTML, by the rendering that its class names."""

    __slots__ = ()

    _html: ClassVar[str] = "result.html"

    def _repr_html_(self) -> str:
        return str(render(self._html, self))


class Brief(Shown):
    """A part of a result, a data class that is shown by what it holds, in one line."""

    __slots__ = ()

    _html: ClassVar[str] = "fields.html"

    def __repr__(self) -> str:
        return str(render("fields.text", self))
