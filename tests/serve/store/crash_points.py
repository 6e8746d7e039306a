"""A program that kills writers of a store at every write, rename, deletion and flush, and looks at what is left.

It forks, which a process with threads had better not: that is why it is a program of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.records import Override
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Call = Callable[[Store], Any]

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EVENTS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate"}
WHO = Override(who="anna", why="a test")


class Clock:
    """Counts what this process does to the disk, and kills it at a number."""

    def __init__(self, end: int, root: Path) -> None:
        self.count = 0
        self.end = end
        self.root = str(root)

    def start(self) -> None:
        sys.addaudithook(self._hear)
        write, fsync = os.write, os.fsync

        def half_and_whole(descriptor: int, data: Any) -> int:
            self.tick()
            self.tick(lambda: write(descriptor, bytes(data)[: len(data) // 2]))
            done = write(descriptor, data)
            self.tick()
            return done

        def before_and_after(descriptor: int) -> None:
            self.tick()
            fsync(descriptor)
            self.tick()

        os.write, os.fsync = half_and_whole, before_and_after  # type: ignore[assignment]

    def tick(self, first: Callable[[], object] = lambda: None) -> None:
        self.count += 1
        if self.count == self.end:
            first()
            os.kill(os.getpid(), signal.SIGKILL)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and str(arguments[0]).startswith(self.root) and arguments[2] & _WRITING
        if writes or event in _EVENTS:
            self.tick()


def killed(call: Call, store: Store, end: int) -> bool:
    """Run a call in a child that is killed at a number; False where it was done before."""
    child = os.fork()
    if not child:
        try:
            Clock(end, store.base).start()
            call(store)
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - the parent is told
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def every_end(call: Call, given: Store, place: Path) -> Iterator[Store]:
    """Yield a copy of a store after the call was killed in it, for every moment there is."""
    end = 0
    while True:
        end += 1
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(given.base, place)
        store = Store(place)
        if not killed(call, store, end):
            return
        yield store


def state(store: Store) -> tuple[dict[int, str], dict[str, int]]:
    """Return the models and labels there are; all are whole, all labels mean one."""
    models = {number: Artifact.load(folder).verify().sha256 for number, folder in store.versions("m").items()}
    labels = store.labels("m")
    assert set(labels.values()) <= models.keys()
    return models, labels


def replayed(store: Store) -> tuple[dict[int, str], dict[str, int]]:
    """Return the models and labels that the history tells of."""
    models: dict[int, str] = {}
    labels: dict[str, int] = {}
    for each in store.history("m"):
        if each.action == "publish":
            models[each.version] = each.sha256
        elif each.action == "delete":
            del models[each.version]
        elif each.action == "unlabel":
            del labels[each.label]
        else:
            assert labels.get(each.label) == each.previous
            labels[each.label] = each.version
    return models, labels


def tidy(store: Store) -> bool:
    hidden = {path.name for path in (store.base / "m").iterdir() if path.name.startswith(".")}
    return hidden <= {".lock"}


def made(place: Path, content: str) -> Artifact:
    place.mkdir(parents=True)
    (place / "model.onnx").write_text(content)
    return Artifact.write(place, file="model.onnx", name="m", format="onnx", numeric="float32")


def survives(call: Call, given: Store, place: Path) -> int:
    """Kill a call at every moment; return how many there were."""
    before, count = state(given), 0
    shutil.copytree(given.base, place)
    call(Store(place))
    after = state(Store(place))
    assert after != before
    for store in every_end(call, given, place):
        count += 1
        left = state(store)
        for index in (0, 1):  # models, labels: each as before, as after, or on the way
            kept = before[index].items() & after[index].items()
            assert kept <= left[index].items() <= before[index].items() | after[index].items(), count
        assert store.history("m")[: len(given.history("m"))] == given.history("m")
        call(store)  # the next call works, and ends where an undisturbed one does
        assert state(store) == after == replayed(store), count
        assert tidy(store), count
    return count


def survives_twice(first: Call, then: Call, given: Store, place: Path) -> int:
    """Kill a call at every moment, then at every moment the next one, which mends what the first left."""
    count = 0
    for once in every_end(first, given, place / "once"):
        for twice in every_end(then, once, place / "twice"):
            count += 1
            state(twice)
            then(twice)
            assert state(twice) == replayed(twice), count
            assert tidy(twice), count
    return count


def main(place: Path) -> None:
    """Do all that, and print how many moments each call had."""
    os.fsync = os.fstat  # type: ignore[assignment] - a kill, unlike a power cut, loses nothing that was not flushed
    given, artifacts = Store(place / "given"), [made(place / f"made-{index}", str(index)) for index in range(6)]
    for one in artifacts[:5]:
        given.publish(one, "m", override=WHO)
    for version in (3, 4):
        given.label("m", "stable", version, bless=None)
    calls: dict[str, Call] = {
        "publish": lambda store: store.publish(artifacts[5], "m", override=WHO),
        "label": lambda store: store.label("m", "canary", 5, bless=None),
        "move": lambda store: store.label("m", "stable", 5, bless=None),
        "unlabel": lambda store: store.unlabel("m", "stable"),
        "rollback": lambda store: store.rollback("m", to=3),
        "collect": lambda store: store.collect("m", 1),
    }
    found = {name: survives(call, given, place / name) for name, call in calls.items()}
    new = Store(place / "new")
    new.base.mkdir()
    found["first"] = sum(1 for store in every_end(calls["publish"], new, place / "first") if _first(calls, store))
    small = Store(place / "small")
    for one in artifacts[:2]:
        small.publish(one, "m", override=WHO)
    small.label("m", "stable", 1, bless=None)
    found["twice"] = survives_twice(
        lambda store: store.label("m", "stable", 2, bless=None), calls["unlabel"], small, place / "pairs"
    )
    sys.stdout.write(json.dumps(found))


def _first(calls: dict[str, Call], store: Store) -> bool:
    """Say that the first version of all survives too."""
    assert store.versions("m").keys() <= {1}
    calls["publish"](store)
    assert state(store) == replayed(store)
    return tidy(store) and list(store.versions("m")) == [1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
