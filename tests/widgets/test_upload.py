"""The place to drop a file: what the page says is handed on in order, and what is refused is not called done."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.widgets.upload import Offer, Upload


class Heard:
    """Who takes files, and what the page is told."""

    def __init__(self, refuse: str = "") -> None:
        self.calls: list[Any] = []
        self.told: list[Any] = []
        self.upload = Upload(limit=100, left=100, suffixes=[".zip"])
        self.upload.send = lambda content, buffers=None: self.told.append(content)  # noqa: ARG005

        def call(name: str) -> Any:
            def called(*given: Any) -> None:
                self.calls.append((name, *(bytes(each) if isinstance(each, memoryview) else each for each in given)))
                if name == refuse:
                    self.upload.refuse(f"no {name}")

            return called

        self.upload.listen(call("begin"), call("take"), call("end"), call("cancel"))

    def say(self, kind: str, *parts: bytes, number: Any = 1, **more: Any) -> None:
        content = {"type": kind, "number": number, **more}
        self.upload._handle_custom_msg(content, [memoryview(part) for part in parts])


def test_a_file_is_announced_taken_and_ended() -> None:
    heard = Heard()
    heard.say("begin", name="a.zip", size=3)
    heard.say("slice", b"abc", at=0)
    heard.say("end")
    heard.say("end")
    assert heard.calls == [("begin", Offer("a.zip", 3)), ("take", 0, b"abc"), ("end",)]
    assert heard.told == [
        {"type": "begun", "number": 1}, {"type": "taken", "number": 1, "at": 0}, {"type": "ended", "number": 1},
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["begin", "take", "end"])
def test_who_is_refused_is_not_told_that_it_went_well(step: str) -> None:
    heard = Heard(refuse=step)
    heard.say("begin", name="a.zip", size=3)
    heard.say("slice", b"abc", at=0)
    heard.say("end")
    assert heard.told[-1] == {"type": "refused", "number": 1}
    assert heard.calls[-1][0] == step
    assert heard.upload.error == f"no {step}"


def test_a_slice_of_another_file_or_without_bytes_is_not_taken() -> None:
    heard = Heard()
    heard.say("begin", name="a.zip", size=3)
    heard.say("slice", b"abc", number=2, at=0)
    assert [call[0] for call in heard.calls] == ["begin"]
    heard.say("slice", at=0)
    assert heard.calls[-1] == ("cancel",)
    assert heard.told[-1] == {"type": "refused", "number": 1}


@pytest.mark.parametrize(("name", "size"), [(None, 3), (["a"], 3), ("a" * 10_000, 3), ("a.zip", "3"), ("a.zip", 1.5)])
def test_what_is_no_name_or_size_comes_as_one_that_nobody_takes(name: Any, size: Any) -> None:
    heard = Heard()
    heard.say("begin", name=name, size=size)
    ((_, offer),) = heard.calls
    assert offer.name == "" or offer.size == -1 or len(offer.name) == 300
