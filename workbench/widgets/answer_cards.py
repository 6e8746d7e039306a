"""Several models' answers to one question, side by side."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class AnswerCards(Leaf, asset="answer_cards"):
    """A card a model: what it says, how sure it is, and what else it thought of.

    Attributes:
        title: What was asked.
        classes: Names of the classes.
        cards: One dictionary a model, in their order: `name`, `detail`, and either `shares` (a number in [0, 1] a
            class), `time` in words, `differs` (it says something else than most) and `stroke` (number of the question
            that it answers), or `note`, why it does not answer.
        verdict: What they say together, one sentence.
        tone: Colour of the verdict: `quiet`, `good` or `warn`.
        empty: What is said while there are no cards.
    """

    title = traitlets.Unicode("").tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    cards = traitlets.List(traitlets.Dict()).tag(sync=True)
    verdict = traitlets.Unicode("").tag(sync=True)
    tone = traitlets.Enum(("quiet", "good", "warn"), "quiet").tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
