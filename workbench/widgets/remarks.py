"""A list of sentences, each under a word that says what it is about."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class Remarks(Leaf, asset="remarks"):
    """Sentences, the weightiest first; what does not fit folds away.

    Attributes:
        title: What they answer.
        items: One dictionary a sentence: `topic` and `text`.
        most: How many are in sight; the others fold away.
        empty: What is said while there are none; without it the widget is hidden until then.
    """

    title = traitlets.Unicode("").tag(sync=True)
    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    most = traitlets.Int(4).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
