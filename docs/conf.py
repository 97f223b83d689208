"""How the documentation is built: offline, and with warnings as errors."""

import os
from importlib.metadata import version as installed_version
from pathlib import Path

project = "growthmm"
author = "The growthmm developers"
copyright = "2026, The growthmm developers"
release = installed_version("growthmm")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
]
source_suffix = {".md": "myst-nb"}
exclude_patterns = ["_build", "_kernels"]
nitpicky = False

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

# Tables are as wide as the terminal; those of the pages are as wide as their column.
os.environ["COLUMNS"] = "88"

# A vignette is a page with code cells. All are run, and one that fails fails the build.
# The kernel is this Python, whatever others are installed.
os.environ["JUPYTER_PATH"] = str(Path(__file__).parent / "_kernels")
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True
nb_code_prompt_show = "What this section claims, as assertions"
nb_code_prompt_hide = "Hide"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autosummary_generate = False

html_theme = "pydata_sphinx_theme"
html_title = "growthmm"
html_static_path = ["_static"]
html_css_files = ["vignettes.css"]
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    # Wide tables take the room of the list of sections.
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "support-table": [],
        "limitations": [],
    },
}
html_sidebars = {"quickstart": []}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False

# Formulas become MathML as the pages are built, so that they can be read without a network.
html_math_renderer = "mathml"


def setup(app):
    """Load the extension that stands beside this file."""
    import sys

    sys.path.insert(0, str(app.confdir))
    app.setup_extension("mathml")
