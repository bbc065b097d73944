"""Sphinx reads this: `make docs` builds the site from the repository's own Markdown files.

The source folder is the repository itself, so that a link from one page to another is the same on
the site and where the repository is browsed.
"""  # noqa: INP001 - a configuration, in no package

import sys
from importlib.metadata import version as installed
from pathlib import Path

import django
from django.conf import settings
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "site"))

# Django's modules can only be imported, and so documented, after this.
settings.configure(SECRET_KEY="for the docstrings", INSTALLED_APPS=["django.contrib.sessions"])
django.setup()

project = "relogin"
author = "the relogin authors"
project_copyright = author
version = release = installed("relogin")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "contents",  # docs/site/contents.py: the list of pages at the side
    "finding",  # docs/site/finding.py: what the search takes for a word
    "playground",  # docs/site/playground.py: Pyodide and our code, put into the built site
]

root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "SPEC.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "findings/README.md",
    "grammar/README.md",
    "tests/vectors/README.md",
]
exclude_patterns = ["build", "dist", ".*", "src", "**/node_modules", "docs/site"]

# Markdown: headings can be linked to under the names that a repository browser gives them.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Docstrings: a single backtick names an object, or is plain code where there is none of that name.
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 60
autoclass_content = "both"  # what a class is for, and its parameters
autodoc_default_options = {"members": True, "show-inheritance": True}
# niquests brings a urllib3 of its own, and would replace the one that requests uses.
autodoc_mock_imports = ["niquests"]

copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True

_COLOURED = ["color-brand-primary", "color-brand-content", "color-api-name"]
html_theme = "furo"
html_title = "relogin"
html_favicon = "site/static/favicon.svg"
html_static_path = ["site/static"]
html_extra_path = ["site/root"]  # an index.html that leads to docs/index.html
html_css_files = ["relogin.css"]
html_search_language = "en"
html_search_scorer = str(HERE / "site" / "scorer.js")  # not found beside this file otherwise
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": dict.fromkeys(_COLOURED, "#0b6b57"),
    "dark_css_variables": dict.fromkeys(_COLOURED, "#4fd1ae"),
    "navigation_with_keys": True,
}
pygments_style = "friendly"
pygments_dark_style = "monokai"

# Languages of SPEC.md's examples, by which tests know what an example is: for a reader plain text.
_PLAIN = [
    "challenge", "received", "ignored", "refused", "recovered", "credentials",
    "refused-credentials", "authentication-info",
]  # fmt: skip


def setup(app: Sphinx) -> None:
    """Show the examples in a language of our own as plain text."""
    for language in _PLAIN:
        app.add_lexer(language, TextLexer)
