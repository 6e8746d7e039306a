"""What a page of our own server is told of the widgets, without what every such page has already.

The widget protocol sends each widget's script and style with its state, over and over: most of a dashboard's bytes.
Our page fetches all scripts once from its server (`leaf_scripts`), keeps them, and asks for the states alone. Other
front ends ask as the protocol says, and get everything.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import pkgutil
from functools import cache
from typing import Any

import comm
import ipywidgets
from ipywidgets.widgets.widget import _instances, _remove_buffers

import workbench.widgets
from workbench.widgets.base import Leaf

TARGET = "workbench.states"
# Which class draws a widget elsewhere; our page goes by the model's name.
_ELSEWHERE = (
    *("_model_module", "_model_module_version", "_view_module", "_view_module_version"),
    *("_view_name", "_view_count"),
)
_FETCHED = ("_esm", "_css")


def offer_states() -> None:
    """Answer a page that opens a comm of the target with the states of all widgets."""
    comm.get_comm_manager().register_target(TARGET, _answer)


@cache
def leaf_scripts() -> bytes:
    """Return the scripts and styles of all leaf widgets as JSON: `_esm` and `_css` by `_anywidget_id`."""
    for module in pkgutil.iter_modules(workbench.widgets.__path__):
        importlib.import_module(f"{workbench.widgets.__name__}.{module.name}")
    ours = (kind for kind in Leaf.__subclasses__() if _is_fetched(kind))
    found = {_id(kind): {name: str(getattr(kind, name)) for name in _FETCHED} for kind in ours}
    return json.dumps(found, ensure_ascii=False, sort_keys=True).encode()


def lean_state(widget: ipywidgets.Widget) -> dict[str, Any]:
    """Return a widget's state without what our page does not need; of a layout, what is set."""
    left_out = {*_ELSEWHERE, *(_FETCHED if _is_fetched(type(widget)) else ())}
    blank = isinstance(widget, ipywidgets.Layout)
    state = widget.get_state()
    return {name: value for name, value in state.items() if name not in left_out and not (blank and value is None)}


def _answer(channel: Any, _message: Any) -> None:
    states: Any = {}
    for key, widget in tuple(_instances.items()):
        # Another thread may close it, or what it holds, meanwhile: that has no comm any more, and cannot be named.
        if widget.comm is not None:
            with contextlib.suppress(AttributeError):
                states[key] = {"model_name": widget._model_name, "state": lean_state(widget)}  # noqa: SLF001 - protocol
    states, paths, buffers = _remove_buffers(states)
    channel.send({"method": "update_states", "states": states, "buffer_paths": paths}, buffers=buffers)


def _is_fetched(kind: type) -> bool:
    return issubclass(kind, Leaf) and kind.__module__.startswith(f"{workbench.widgets.__name__}.")


def _id(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"
