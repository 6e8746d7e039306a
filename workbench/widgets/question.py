"""A question to answer before one looks: predict, then see."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class Question(Leaf, asset="question", alone=True):
    """Choices, and once one is taken, what it really is and why.

    Attributes:
        text: What is asked.
        choices: What can be answered.
        answer: The one that is right.
        why: Said with the answer.
        chosen: What was predicted; empty before that.
    """

    text = traitlets.Unicode("").tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    answer = traitlets.Unicode("").tag(sync=True)
    why = traitlets.Unicode("").tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
