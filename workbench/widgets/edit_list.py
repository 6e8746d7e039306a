"""A list of short texts that can be changed, added to and taken from, each with its state beside it."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class EditList(Leaf, asset="edit_list"):
    """Lines of text.

    Attributes:
        title: What they are.
        items: The texts; the page replaces the whole list at each change.
        errors: What is wrong with a text, by the text.
        chips: One dictionary by the text: `text` (its state, a word or two) and `tone`.
        placeholder: Example in the line for a new one.
        note: Remark under the list.
        enabled: False lets nobody change it.
    """

    title = traitlets.Unicode("").tag(sync=True)
    items = traitlets.List(traitlets.Unicode()).tag(sync=True)
    errors = traitlets.Dict().tag(sync=True)
    chips = traitlets.Dict().tag(sync=True)
    placeholder = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    enabled = traitlets.Bool(default_value=True).tag(sync=True)
