"""A place to drop a file: it comes in slices, each acknowledged, and what is too large is never begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable

SLICE = 1_000_000
IN_FLIGHT = 4
_LONGEST_SAID = 300


class Offer(NamedTuple):
    """What the page says of a file before it sends any of it; nothing of it is to be believed."""

    name: str
    size: int


class Upload(Leaf, asset="upload"):
    """Takes one file at a time; where it is kept is up to who listens.

    Attributes:
        title: What may be dropped.
        note: A remark under it.
        suffixes: Endings of names that are taken, e.g. `.zip`.
        limit: Most bytes of one file; the page refuses a larger one before it sends anything.
        left: Bytes that this page may still send.
        enabled: False takes nothing.
        busy: What is being done with the file now that it is here; empty for nothing.
        done: What came of the last one.
        error: What is wrong with the file, one sentence.
        slice_bytes: Bytes of a slice.
        in_flight: Slices that may be under way before the first is acknowledged.
    """

    title = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    suffixes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    limit = traitlets.Int(0).tag(sync=True)
    left = traitlets.Int(0).tag(sync=True)
    enabled = traitlets.Bool(default_value=True).tag(sync=True)
    busy = traitlets.Unicode("").tag(sync=True)
    done = traitlets.Unicode("").tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    slice_bytes = traitlets.Int(SLICE).tag(sync=True)
    in_flight = traitlets.Int(IN_FLIGHT).tag(sync=True)

    _number: int | None = None

    def listen(
        self,
        begin: Callable[[Offer], None],
        take: Callable[[int, memoryview], None],
        end: Callable[[], None],
        cancel: Callable[[], None],
    ) -> None:
        """Set who takes a file: `begin`, then `take` a slice for each, then `end`; or `cancel` at any time.

        Each may call `refuse`. A message that is not what the script sends is dropped, unless a file is under way:
        then it is cancelled.

        Args:
            begin: Gets what is offered.
            take: Gets a slice's place in the file, in bytes, and its bytes.
            end: All slices were taken.
            cancel: The person, or the page, gave up.
        """

        def received(_widget: Any, content: Any, buffers: Any) -> None:
            if not isinstance(content, dict):
                return
            kind, number = content.get("type"), content.get("number")
            if kind == "begin" and isinstance(number, int):
                if self._number is not None:
                    cancel()
                self._number = number
                begin(_offer(content))
                self._answer("begun")
            elif number != self._number or self._number is None:
                return
            elif kind == "slice":
                at = content.get("at")
                if not isinstance(at, int) or not _is_count(at) or not buffers:
                    cancel()
                    self.refuse("")
                    return
                take(at, memoryview(buffers[0]).cast("B"))
                self._answer("taken", at=at)
            elif kind == "end":
                end()
                self._answer("ended")
                self._number = None
            elif kind == "cancel":
                cancel()
                self._number = None

        self.on_msg(received)

    def refuse(self, sentence: str) -> None:
        """End what is under way and say why."""
        with self.hold_sync():
            self.error, self.busy, self.done = sentence, "", ""
        self._answer("refused")
        self._number = None

    def _answer(self, type_: str, **more: Any) -> None:
        # Who was refused in the middle of a message is not told that it went well.
        if self._number is not None:
            self.send({"type": type_, "number": self._number, **more})


def _offer(content: dict[str, Any]) -> Offer:
    name, size = content.get("name"), content.get("size")
    return Offer(name[:_LONGEST_SAID] if isinstance(name, str) else "", size if isinstance(size, int) else -1)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
