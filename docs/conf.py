"""How Sphinx builds these pages: Markdown in, pages that load nothing from other hosts out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "Lastmile Workbench"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3  # links to headings are checked, too
html_theme = "furo"
html_title = "Lastmile Workbench"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
language = "en"


def setup(app: Sphinx) -> None:
    """Write what the declarations say before the pages are read."""
    from reference import write

    app.connect("builder-inited", lambda built: write(Path(built.srcdir) / "know" / "reference"))
