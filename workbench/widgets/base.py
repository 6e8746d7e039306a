"""What every leaf widget shares: the house's style sheet, a few lines of script, and a typed way to hear the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

if TYPE_CHECKING:
    from collections.abc import Callable

_HERE = Path(__file__).parent


def house_css() -> str:
    """Return the style sheet with the house's colours and controls; a page that frames widgets uses it too."""
    return (_HERE / "house.css").read_text(encoding="utf-8")


class Leaf(anywidget.AnyWidget):  # type: ignore[misc]
    """Base of all leaf widgets.

    A subclass `Foo(Leaf, asset="foo")` lies in `foo.py` beside `foo.js` and, if it has looks of its own, `foo.css`.
    The script is `house.js` followed by `foo.js`, so a leaf needs no bundler and no network.

    Attributes:
        label: Accessible name of the widget; screen readers say it.
    """

    label = traitlets.Unicode("").tag(sync=True)

    _esm: ClassVar[Any] = "export default { render() {} }"
    _css: ClassVar[Any] = ""

    def __init_subclass__(cls, asset: str = "", **kwargs: Any) -> None:
        if asset:
            cls._esm = _script("house.js") + _script(f"{asset}.js")
            if (_HERE / f"{asset}.css").is_file():
                cls._css = _text(f"{asset}.css")
        super().__init_subclass__(**kwargs)

    def hear(self, kind: str, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call back with each message `{type: kind, …}` that the script sends."""

        def received(_widget: Any, content: Any, _buffers: Any) -> None:
            if isinstance(content, dict) and content.get("type") == kind:
                callback(content)

        self.on_msg(received)


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8") + "\n"


def _script(name: str) -> str:
    # Each widget sends its script with its state: remarks and indents stay here.
    lines = (line.strip() for line in _text(name).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"
