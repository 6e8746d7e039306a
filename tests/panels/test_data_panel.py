"""Data: what is shown of it, and that what a page sends is not believed."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from workbench.panels.data import DataPanel
from workbench.panels.parts import incoming
from workbench.panels.session import Session
from workbench.widgets.upload import SLICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

LONG = 180


def until(panel: DataPanel, condition: Callable[[], bool]) -> None:
    """Wait for what traits of the panel show."""
    turned = threading.Event()

    def look(_change: object) -> None:
        if condition():
            turned.set()

    watched = (panel.upload.widget, panel._checks, panel._progress, panel.form.widget, panel.errors)
    for widget in watched:
        widget.observe(look)
    look(None)
    assert turned.wait(LONG), (panel._progress.text, panel.upload.widget.error, panel.errors.message)


def shown(panel: DataPanel, name: str) -> bool:
    """Say whether a dataset of that name is on the page, with its checks."""
    return panel.data is not None and panel.data.name == name and bool(panel._checks.rows)


@pytest.fixture
def panel(fresh_workspace: Workspace) -> Iterator[DataPanel]:
    made = DataPanel(workspace=fresh_workspace)
    yield made
    made.close()


@pytest.fixture
def shared(workspace: Workspace, digits: Dataset) -> Iterator[DataPanel]:
    session = Session(workspace)
    session.dataset = digits.name
    made = DataPanel(session)
    yield made
    made.close()
    session.close()


class Page:
    """What a browser sends, and what it is told."""

    def __init__(self, panel: DataPanel, number: int = 7) -> None:
        self.widget, self.number, self.told = panel.upload.widget, number, []
        panel.upload.widget.send = lambda content, buffers=None: self.told.append(content)  # noqa: ARG005

    def say(self, kind: str, *parts: bytes, **more: Any) -> None:
        self.widget._handle_custom_msg({"type": kind, "number": self.number, **more}, [memoryview(p) for p in parts])

    def send(self, name: str, data: bytes, size: int | None = None) -> None:
        self.say("begin", name=name, size=len(data) if size is None else size)
        for at in range(0, len(data), SLICE):
            self.say("slice", data[at : at + SLICE], at=at)
        self.say("end")

    @property
    def answers(self) -> list[str]:
        return [each["type"] for each in self.told]


def left_behind(workspace: Workspace) -> list[Path]:
    return list(workspace.uploads.rglob("*")) if workspace.uploads.is_dir() else []


def stripes(**more: Any) -> bytes:
    labels = np.tile(np.arange(3), 20)
    images = np.random.default_rng(1).integers(0, 200, (60, 12, 12), dtype=np.uint8)
    out = io.BytesIO()
    np.savez(out, x=images, y=labels, **more)
    return out.getvalue()


def test_samples_balance_and_checks_are_shown(shared: DataPanel, digits: Dataset) -> None:
    until(shared, lambda: shown(shared, "digits"))
    train, test = shared.samples["train"].gallery, shared.samples["test"].gallery
    assert (train.total, test.total) == (digits.train_size, digits.test_size)
    assert {item["name"] for item in train.items[:10]} == set(digits.classes)  # classes take turns
    first = int(train.items[0]["detail"].removeprefix("#"))
    assert train.pixels[: 28 * 28] == digits.x_train[first].tobytes()
    assert train.items[0]["name"] == digits.classes[int(digits.y_train[first])]
    assert sum(row["train"] for row in shared._balance.rows) == digits.train_size
    assert shared._tiles.tiles[0]["value"] == f"{digits.train_size:,}"


def test_one_class_is_chosen_and_paged_through(shared: DataPanel, digits: Dataset) -> None:
    until(shared, lambda: shown(shared, "digits"))
    shared._view.values = {"shown": "3"}
    gallery = shared.samples["train"].gallery
    threes = np.flatnonzero(digits.y_train == 3)
    assert {item["name"] for item in gallery.items} == {"3"}
    assert gallery.total == len(threes)
    gallery._handle_custom_msg({"type": "page", "start": 24}, [])
    assert gallery.items[0]["detail"] == f"#{threes[24]}"
    before = gallery.items
    for start in (-1, len(threes), "x", None, 10**9):
        gallery._handle_custom_msg({"type": "page", "start": start}, [])
    assert gallery.items == before


def test_a_table_is_shown_as_a_table(workspace: Workspace, tmp_path: Path) -> None:
    rows = [f"{number % 7},{number % 3 * 2.5},{'abc'[number % 3]}" for number in range(60)]
    own = tmp_path / "own.csv"
    own.write_text("\n".join(["size,<b>,class", *rows]) + "\n", encoding="utf-8")
    panel = DataPanel(workspace=workspace)
    panel.form.write({"dataset": str(own)})
    panel.start()
    until(panel, lambda: shown(panel, "own") or bool(panel.errors.message))
    table = panel.samples["train"].table
    assert [column["label"] for column in table.columns] == ["Class", "size", "<b>"]
    assert table.title == "Training: the first 12 of 48"
    assert table.rows[0]["c0"] == pytest.approx(float(rows[0].split(",")[0]), abs=7)
    assert panel.samples["train"].gallery.items == []
    assert panel.session.dataset == str(own)
    panel.close()


def test_a_file_comes_in_slices_and_is_shown(workspace: Workspace) -> None:
    panel = DataPanel(workspace=workspace)
    page, data = Page(panel), stripes(extra=np.random.default_rng(0).bytes(2_500_000))
    page.send("my stripes (1).npz", data)
    assert page.answers == ["begun", "taken", "taken", "taken", "ended"]
    until(panel, lambda: shown(panel, "my_stripes__1_") or bool(panel.upload.widget.error))
    assert panel.upload.widget.error == ""
    kept = workspace.uploads / hashlib.sha256(data).hexdigest()[:12] / "my_stripes__1_.npz"
    assert kept.read_bytes() == data
    assert panel.session.dataset == str(kept)
    assert panel.data is not None
    assert (panel.data.name, len(panel.data.classes)) == ("my_stripes__1_", 3)
    assert panel.session.uploaded == len(data)
    assert [p for p in workspace.uploads.iterdir() if p.name.startswith(".")] == []
    panel.close()


def test_a_zip_of_class_folders_is_unpacked_and_shown(workspace: Workspace) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for number in range(10):
            image = io.BytesIO()
            Image.fromarray(np.full((8, 8), 25 * number, np.uint8)).save(image, "PNG")
            file.writestr(f"shapes/{'ab'[number % 2]}/{number}.png", image.getvalue())
    panel = DataPanel(workspace=workspace)
    Page(panel).send("shapes.zip", out.getvalue())
    until(panel, lambda: shown(panel, "shapes") or bool(panel.upload.widget.error))
    assert panel.data is not None
    assert (panel.data.classes, panel.data.train_size) == (("a", "b"), 8)
    panel.close()


def test_a_pickle_in_an_npz_is_refused_and_not_kept(workspace: Workspace) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (print, ("unpickled",))

    panel = DataPanel(workspace=workspace)
    out = io.BytesIO()
    np.savez(out, x=np.array([Evil()] * 4, dtype=object), y=np.arange(4) % 2)
    Page(panel).send("evil.npz", out.getvalue())
    until(panel, lambda: bool(panel.upload.widget.error))
    assert "must be a plain numeric array, whole and not pickled" in panel.upload.widget.error
    assert not (workspace.uploads / hashlib.sha256(out.getvalue()).hexdigest()[:12]).exists()
    panel.close()


@pytest.mark.parametrize(
    "name",
    ["../../evil.npz", "/etc/evil.npz", "a\\b.npz", "<script>alert(1)</script>.npz", "x\u202ezpn.npz", "a\n.npz",
     ".npz", "", "x.exe", "x.npz\0", "\ud800.npz", "y" * 250 + ".npz"],
)  # fmt: skip
def test_a_name_that_is_more_than_a_name_is_refused(panel: DataPanel, fresh_workspace: Workspace, name: str) -> None:
    page = Page(panel)
    page.send(name, b"x")
    assert page.answers == ["refused"]
    assert page.widget.error.startswith("file name must")
    assert left_behind(fresh_workspace) == []


@pytest.mark.parametrize("size", [2 << 30, incoming.MOST_BYTES + 1, 0, -1, 10**30, "9", None, True])
def test_a_size_is_refused_before_a_byte_is_sent(panel: DataPanel, fresh_workspace: Workspace, size: Any) -> None:
    page = Page(panel)
    page.say("begin", name="x.npz", size=size)
    if size is True:  # one byte, to Python
        page.say("cancel")
    else:
        assert page.answers == ["refused"]
        assert "must have 1 byte to 500 MB" in page.widget.error
    assert left_behind(fresh_workspace) == []


@pytest.mark.parametrize(
    ("size", "slices"),
    [
        (10, [(0, b"x" * 11)]),
        (10, [(5, b"x" * 5)]),
        (10, [(-1, b"x" * 10)]),
        (SLICE + 5, [(0, b"x" * SLICE), (0, b"x" * SLICE)]),
        (SLICE + 5, [(SLICE, b"x" * 6)]),
        (SLICE + 5, [(10**15, b"x" * 5)]),
        (10, [(0, b"")]),
    ],
)
def test_what_was_not_announced_is_refused(
    panel: DataPanel, fresh_workspace: Workspace, size: int, slices: list[tuple[int, bytes]]
) -> None:
    page = Page(panel)
    page.say("begin", name="x.npz", size=size)
    for at, part in slices:
        page.say("slice", part, at=at)
    assert page.answers[-1] == "refused"
    assert left_behind(fresh_workspace) == []


def test_an_end_before_all_slices_and_a_change_of_mind_leave_nothing(
    panel: DataPanel, fresh_workspace: Workspace
) -> None:
    page = Page(panel)
    page.send("x.npz", b"x", size=SLICE + 1)
    assert page.answers[-1] == "refused"
    page.say("begin", name="x.npz", size=10)
    assert left_behind(fresh_workspace) != []
    page.say("cancel")
    assert left_behind(fresh_workspace) == []


def test_two_tabs_do_not_mix_their_files(panel: DataPanel, fresh_workspace: Workspace) -> None:
    one, other = Page(panel, 1), Page(panel, 2)
    one.say("begin", name="x.npz", size=4)
    other.say("begin", name="y.npz", size=4)
    one.say("slice", b"evil", at=0)
    one.say("end")
    assert len([p for p in left_behind(fresh_workspace) if p.is_file()]) == 1
    assert panel.upload._file is not None
    assert panel.upload._file.name == "y.npz"
    other.say("cancel")
    assert left_behind(fresh_workspace) == []


def test_nonsense_from_the_page_is_dropped(panel: DataPanel, fresh_workspace: Workspace) -> None:
    widget = panel.upload.widget
    for content in (None, [], "x", {}, {"type": "slice"}, {"type": "end", "number": 3}, {"type": "begin"},
                    {"type": "begin", "number": "x", "name": "x.npz", "size": 3}):  # fmt: skip
        widget._handle_custom_msg(content, [])
    assert left_behind(fresh_workspace) == []
    assert panel.errors.message == ""


def test_a_session_may_send_only_so_much(
    panel: DataPanel, fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(panel)
    panel.session.uploaded = incoming.MOST_BYTES_A_SESSION - 5
    page.say("begin", name="x.npz", size=6)
    assert page.answers == ["refused"]
    assert "that this page may still send" in page.widget.error
    page.say("begin", name="x.npz", size=5)
    assert page.answers[-1] == "begun"
    page.say("cancel")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Full", (), {"free": 10})())
    panel.session.uploaded = 0
    page.say("begin", name="x.npz", size=5)
    assert "must leave room on the disk" in page.widget.error
    assert left_behind(fresh_workspace) == []


def test_a_page_for_viewing_sends_nothing(fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("WORKBENCH_ROLE", "viewer")
        panel = DataPanel(workspace=fresh_workspace)
        assert not panel.upload.widget.enabled
        page = Page(panel)
        page.send("x.npz", b"x")
        assert page.answers == ["refused"]
        assert "must be an operator's" in page.widget.error
        panel._actions._handle_custom_msg({"type": "press", "name": "show"}, [])
        assert "must be an operator's" in panel.errors.message
        assert not fresh_workspace.home.exists()
        panel.close()


@pytest.mark.parametrize(
    ("data", "rule"),
    [(b"no zip", "must be an .npz file"), ({"x.npy": b"x", "run.sh": b"x"}, "must hold arrays"),
     ({"x.npy": b"\0" * 300_000_000}, "must unpack to at most")],
    ids=["no zip", "a script", "a bomb"],
)  # fmt: skip
def test_what_is_no_npz_is_refused(panel: DataPanel, fresh_workspace: Workspace, data: Any, rule: str) -> None:
    if isinstance(data, dict):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in data.items():
                file.writestr(name, content)
        data = out.getvalue()
    Page(panel).send("x.npz", data)
    until(panel, lambda: bool(panel.upload.widget.error))
    assert rule in panel.upload.widget.error
    assert [p for p in left_behind(fresh_workspace) if p.is_file()] == []
    assert panel.errors.message == ""


def test_data_that_is_ready_late_does_not_take_the_place_of_the_chosen(workspace: Workspace, tmp_path: Path) -> None:
    panel, files = DataPanel(workspace=workspace), {}
    for name in ("first", "second"):
        files[name] = tmp_path / f"{name}.npz"
        files[name].write_bytes(stripes(extra=np.frombuffer(name.encode(), np.uint8)))
        panel.form.write({"dataset": str(files[name])})
        panel.start()
    until(panel, lambda: shown(panel, "second") and panel._preparing is None)
    assert panel.session.dataset == str(files["second"])
    assert panel._progress.text == "second is ready"
    panel.close()
