"""What our own page is told: all that it needs of each widget, and nothing that it has already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anywidget
import comm
import ipywidgets

from workbench.panels.parts.page_states import TARGET, leaf_scripts, lean_state
from workbench.panels.session import Session
from workbench.widgets.figure import Figure
from workbench.widgets.heading import Heading

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace


class Stranger(anywidget.AnyWidget):  # type: ignore[misc]
    """Somebody's own widget beside ours."""

    _esm = "export default { render() {} }"


def test_a_state_and_the_scripts_together_are_the_widget() -> None:
    scripts = json.loads(leaf_scripts())
    for widget in (Heading(title="Train"), Figure()):
        full, lean = widget.get_state(), lean_state(widget)
        whole = lean | scripts[lean["_anywidget_id"]]
        assert "_esm" not in lean
        assert {name: full[name] for name in whole} == whole
        assert all(name.startswith(("_model_", "_view_")) for name in full.keys() - whole.keys())
        widget.close()


def test_a_strangers_widget_brings_its_script() -> None:
    widget = Stranger()
    assert lean_state(widget)["_esm"] == widget._esm
    widget.close()


def test_of_a_layout_what_is_set_is_told() -> None:
    layout = ipywidgets.Layout(display="none")
    assert {name for name in lean_state(layout) if name != "_model_name"} == {"display"}
    layout.close()


def test_a_page_that_asks_gets_all_widgets(fresh_workspace: Workspace) -> None:
    sent: list[dict[str, Any]] = []

    class Channel(comm.DummyComm):  # type: ignore[misc]
        def publish_msg(self, _type: str, **said: Any) -> None:
            sent.append(said["data"])

    session = Session(fresh_workspace)
    closing = Heading(title="Closing")
    holder = ipywidgets.VBox([closing])
    closing.comm = None  # as in the middle of its end
    opened = {"content": {"comm_id": "page", "target_name": TARGET}}
    channel = Channel(comm_id="page", target_name=TARGET, primary=False)
    comm.get_comm_manager().targets[TARGET](channel, opened)
    assert session.presence.model_id in sent[-1]["states"]
    assert session.presence.model_id in json.dumps(sent[-1])
    assert "Closing" not in json.dumps(sent[-1])
    assert holder.model_id not in sent[-1]["states"]
    holder.close()
    session.close()
