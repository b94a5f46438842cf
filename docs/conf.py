"""How Sphinx builds the documentation: ``python -m sphinx -W -n docs build/docs``, without a network."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from pfdicom_tagSub import __version__

project = "pfdicom_tagSub"
copyright = "FNNDSC"
author = "FNNDSC"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "generated",
]
exclude_patterns = ["_ext"]
html_theme = "furo"
html_title = f"{project} {release}"
html_show_sphinx = False
highlight_language = "none"
smartquotes = False  # they would turn -- and the quotes of commands into others
nitpicky = True
nitpick_ignore_regex = [("py:(class|data)", ".*")]  # types in signatures, most of which have no page
autodoc_typehints = "description"
autodoc_member_order = "bysource"
