"""What every leaf widget shares: the house's style sheet, a few lines of script, and a typed way to hear the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HERE = Path(__file__).parent
_SAID = re.compile(r'\bsay\(\s*("(?:[^"\\]|\\.)*")')


def house_css() -> str:
    """Return the style sheet with the house's colours and controls; a page that frames widgets uses it too."""
    return (_HERE / "house.css").read_text(encoding="utf-8")


class Leaf(anywidget.AnyWidget):  # type: ignore[misc]
    """Base of all leaf widgets.

    A subclass `Foo(Leaf, asset="foo")` lies in `foo.py` beside `foo.js` and, if it has looks of its own, `foo.css`.
    The script is `house.js` followed by `foo.js`, so a leaf needs no bundler and no network; `parts` are scripts that a
    few leaves share and that come between them; one that stands `alone`, without a panel, brings the house's style
    sheet. What a leaf says itself stands in `say("…")`, and reaches it in the reader's language.

    Attributes:
        label: Accessible name of the widget; screen readers say it.
        words: What the script says in another language than English, by the English.
        translate: Gives a sentence in the reader's language; whoever builds pages of leaves sets it.
        said: All sentences of the script.
    """

    label = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict().tag(sync=True)

    translate: ClassVar[Callable[[str], str]] = staticmethod(str)
    said: ClassVar[tuple[str, ...]] = ()

    _esm: ClassVar[Any] = "export default { render() {} }"
    _css: ClassVar[Any] = ""

    def __init_subclass__(
        cls, asset: str = "", parts: Sequence[str] = (), *, alone: bool = False, **kwargs: Any
    ) -> None:
        if asset:
            cls._esm = "".join(_script(f"{name}.js") for name in ("house", *parts, asset))
            if (_HERE / f"{asset}.css").is_file():
                cls._css = (house_css() if alone else "") + _text(f"{asset}.css")
            cls.said = tuple(dict.fromkeys(json.loads(text) for text in _SAID.findall(cls._esm)))
        super().__init_subclass__(**kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {text: Leaf.translate(text) for text in self.said}
        self.words = {text: word for text, word in words.items() if word != text}

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
