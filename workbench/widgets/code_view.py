"""The Python that does what a panel does, folded away until asked for."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class CodeView(Leaf, asset="code_view"):
    """Code with a copy button.

    Attributes:
        code: Python.
        title: Name of the fold; empty is the usual one.
    """

    code = traitlets.Unicode("").tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
