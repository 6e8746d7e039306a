"""Labelled controls for a group of values, with what is wrong beside the control it concerns."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class FieldSet(Leaf, asset="field_set"):
    """A form.

    Attributes:
        fields: One dictionary a control: `name`, `label`, `kind` (`int`, `float`, `bool`, `choice`, `text`) and
            optionally `help`, `choices` (list of `value`, `label`, `hint`), `cards` (choices as cards), `low`,
            `high`, `step`, `optional` (may be left empty, which is None), `placeholder`, `unit`, `advanced`,
            `half` (two of them share a row), `other` (the last choice is typed: its `label`, and `name` and
            `placeholder` of the line for it).
        values: Value a name. The page replaces the whole dictionary at each change.
        errors: A sentence a name, shown under the control.
        notes: A remark a name, shown under the control.
        enabled: False greys all controls.
        advanced_title: Name of the fold that holds the advanced fields; empty is the usual one.
    """

    fields = traitlets.List(traitlets.Dict()).tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    errors = traitlets.Dict().tag(sync=True)
    notes = traitlets.Dict().tag(sync=True)
    enabled = traitlets.Bool(default_value=True).tag(sync=True)
    advanced_title = traitlets.Unicode("").tag(sync=True)
