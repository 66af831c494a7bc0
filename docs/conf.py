"""How Sphinx builds the pages of this folder: `scripts/docs`."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "Backtest engine"
author = "The authors of the backtest engine"
version = release = version_of("backtest-engine")

extensions = [
    "myst_parser",
    "mathml",
    "notebook_pages",
    "command_reference",
    "document_reference",
]
exclude_patterns = ["extensions", "style"]
root_doc = "index"

nitpicky = True
smartquotes = False  # options begin with two hyphens
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"Backtest engine {version}"
html_static_path = ["style"]
html_css_files = ["pages.css"]
html_show_sphinx = False
html_copy_source = False
html_math_renderer = "mathml"
pygments_style = "default"
pygments_dark_style = "github-dark"
