"""The templates of the HTML pages."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from growthmm.errors import EngineNotInstalledError

if TYPE_CHECKING:
    import jinja2

__all__ = ["page_template"]


def page_template(name: str, *packages: str) -> jinja2.Template:
    """A template, which escapes what is no markup and refuses what is not defined.

    Parameters
    ----------
    name : str
        The file among the templates.
    *packages : str
        What the page needs beside jinja2.

    Raises
    ------
    EngineNotInstalledError
        If jinja2 or one of the packages is absent.
    """
    try:
        import jinja2

        for package in packages:
            import_module(package)
    except ImportError as error:
        raise EngineNotInstalledError(
            f"The HTML report needs {error.name}, which is not installed.",
            hint='pip install "growthmm[report]"',
        ) from None
    return jinja2.Environment(
        loader=jinja2.PackageLoader("growthmm.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(name)
