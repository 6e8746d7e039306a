"""What a server has seen: counts by model and status, latencies; bounded memory, and one file a worker.

A file is mapped into memory and written by its worker alone, so counting costs no system call, what a killed worker
counted is still there, and any worker sums all of the folder's.
"""

from __future__ import annotations

import mmap
import threading
import time
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.records import ServingStats
from workbench.core.workspace import writing
from workbench.serve.status import Code
from workbench.serve.tallies import FILE, KEPT, MAGIC, MODELS, NAME_BYTES, ROW, VERSION, Tallies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_CODES = {code.name: index for index, code in enumerate(Code)}
_NOBODY = ""


class Counters:
    """Thread-safe; only models that exist are counted by name, so a client cannot grow it.

    Attributes:
        holds: Tells whether there is a model of a name; whoever holds the models sets it.
    """

    def __init__(self, names: Iterable[str] = (), *, folder: Path | None = None, worker: int = 0) -> None:
        """Begin to count.

        Args:
            names: Models known from the start; others are added when they first answer, or when `holds` knows them.
            folder: Where all workers of one server have their files; None counts in this process only.
            worker: Number of this one among them; the successor of one that was killed counts on in its file.

        Raises:
            WorkspaceError: The folder cannot be written.
        """
        self.holds: Callable[[str], bool] = lambda _: False
        self._folder = folder
        self._lock = threading.Lock()
        self._file = _mapped(None if folder is None else folder / f"counters-{worker}.bin")
        self.started = float(self._file["head"]["started"])
        self._rows: dict[str, Tallies] = {}
        for index in range(MODELS):
            name = _name(self._file["rows"][index])
            if index == 0 or name:
                self._rows[name] = Tallies(self._file["rows"][index : index + 1])
        for name in names:
            self._row(name)

    def count_request(self, name: str, status: str) -> None:
        """Count a request of any kind under its model and its status' name."""
        row = self._rows.get(name)
        if row is None:
            row = self._row(name) if self.holds(name) else self._rows[_NOBODY]
        with self._lock:
            row.requests[_CODES[status]] += 1

    def count_answer(
        self,
        name: str,
        seconds: float,
        run_seconds: float,
        examples: int,
        *,
        api: str = "REST",
        method: str = "Predict",
        encode_seconds: float | None = None,
    ) -> None:
        """Count a request for an inference that was answered.

        Args:
            name: Model name.
            seconds: From the request's arrival to its reply.
            run_seconds: Of them, waiting for a batch and inference.
            examples: Samples in the request.
            api: Door, one of `tallies.APIS`.
            method: What was asked, one of `tallies.METHODS`.
            encode_seconds: Of them, writing the reply; None where it is not measured.
        """
        row = self._rows.get(name) or self._row(name)
        micros = seconds * 1e6
        with self._lock:
            row.predictions[0] += 1
            row.examples[0] += examples
            row.example_counts.observe(examples)
            row.latency[api, method].observe(micros)
            row.runtime.observe(run_seconds * 1e6)
            if encode_seconds is not None:
                row.encode.observe(encode_seconds * 1e6)
            row.keep(micros)

    def count_error(self, name: str) -> None:
        """Count a request for an inference that was refused or failed."""
        row = self._rows.get(name)
        if row is not None and name != _NOBODY:
            with self._lock:
                row.predictions[0] += 1
                row.errors[0] += 1

    def count_run(self, name: str, seconds: float, waits: Iterable[float], sizes: Iterable[int], padding: int) -> None:
        """Count one run of a model, for one request or for several that shared it.

        Args:
            name: Model name.
            seconds: What the run took.
            waits: How long each request waited for it, seconds.
            sizes: Samples of each request.
            padding: Samples that were added.
        """
        row = self._rows.get(name) or self._row(name)
        total = padding
        with self._lock:
            row.inference.observe(seconds * 1e6)
            for wait in waits:
                row.queuing.observe(wait * 1e6)
            for size in sizes:
                row.input_size.observe(size)
                total += size
            row.processed_size.observe(total)
            row.padding_size.observe(padding)

    def count_warm_up(self, name: str, seconds: float) -> None:
        """Count the warm-up of a version."""
        row = self._rows.get(name) or self._row(name)
        with self._lock:
            row.warm_up.observe(seconds * 1e6)

    def count_noted(self, name: str, *, written: int = 0, lost: int = 0) -> None:
        """Count requests that the request log has, or should have had."""
        row = self._rows.get(name) or self._row(name)
        with self._lock:
            row.noted[0] += written
            row.not_noted[0] += lost

    def totals(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the sum over all workers as a `tallies.ROW` for each model, "" for requests that meant none.

        The kept latencies are not summed; `last` holds this worker's only.
        """
        found: dict[str, Any] = {}
        for row in self._all_rows():
            name = _name(row)
            if name in found:
                _add(found[name], row)
            else:
                found[name] = row.copy()
        return dict(sorted(found.items()))

    def requests(self, name: str, status: str) -> int:
        """Return how many requests of a model ended with a status, over all workers."""
        return sum(int(row["requests"][_CODES[status]]) for row in self._all_rows() if _name(row) == name)

    def stats(self, name: str, version: str) -> ServingStats:
        """Return one model's figures over all workers; percentiles are of the last answers kept."""
        predictions, errors, unlogged, last = 0, 0, 0, []
        for row in self._all_rows():
            if _name(row) == name:
                predictions += int(row["predictions"])
                errors += int(row["errors"])
                unlogged += int(row["not_noted"])
                last += row["last"][: min(int(row["answered"]), KEPT)].tolist()
        last.sort()
        return ServingStats(
            model=name,
            version=version,
            requests=predictions,
            errors=errors,
            p50_ms=_percentile_ms(last, 0.50),
            p95_ms=_percentile_ms(last, 0.95),
            p99_ms=_percentile_ms(last, 0.99),
            uptime_s=round(max(time.monotonic() - self.started, 0.0), 3),
            unlogged=unlogged,
        )

    def _all_rows(self) -> Iterator[Any]:
        files = [self._file]
        if self._folder is not None:
            # Our own is among them: what is mapped and what is read are the same pages.
            files = [one for path in sorted(self._folder.glob("counters-*.bin")) if (one := _read(path)) is not None]
        for file in files:
            for index in range(MODELS):
                if index == 0 or file["rows"][index]["name"]:
                    yield file["rows"][index]

    def _row(self, name: str) -> Tallies:
        """Return a model's row, claiming a free one for a new name; when all are taken it is nobody's."""
        with self._lock:
            if name in self._rows:
                return self._rows[name]
            encoded = name.encode(errors="replace")
            index = len(self._rows)
            if index >= MODELS or len(encoded) > NAME_BYTES:
                return self._rows[_NOBODY]
            row = self._file["rows"][index : index + 1]
            row["name"] = encoded
            self._rows[name] = Tallies(row)
            return self._rows[name]


def _mapped(path: Path | None) -> Any:
    if path is None:
        return _begun(np.zeros((), FILE))
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as stream:
            stream.truncate(FILE.itemsize)
            pages = mmap.mmap(stream.fileno(), FILE.itemsize)
    file = np.frombuffer(pages, FILE).reshape(())
    return file if _is_ours(file) else _begun(file)


def _begun(file: Any) -> Any:
    file["rows"] = np.zeros((), ROW)
    # All processes of a machine share this clock, and nobody sets it.
    file["head"] = (MAGIC, VERSION, time.monotonic(), ROW.itemsize)
    return file


def _is_ours(file: Any) -> bool:
    head = file["head"]
    return bool(head["magic"] == MAGIC and head["version"] == VERSION and head["row_bytes"] == ROW.itemsize)


def _read(path: Path) -> Any:
    try:
        file = np.fromfile(path, FILE, count=1)
    except OSError:
        return None
    return file[0] if len(file) and _is_ours(file[0]) else None


def _name(row: Any) -> str:
    return bytes(row["name"]).decode(errors="replace")


def _add(total: Any, row: Any) -> None:
    for field in ROW.names or ():
        if field not in ("name", "answered", "last"):
            _add_field(total[field], row[field], total, field)


def _add_field(ours: Any, theirs: Any, total: Any, field: str) -> None:
    if ours.dtype.names is None:
        total[field] = ours + theirs
        return
    for part in ours.dtype.names:
        total[field][part] = ours[part] + theirs[part]


def _percentile_ms(ordered: list[float], share: float) -> float | None:
    # Nearest rank: a value that was measured, never one in between.
    if not ordered:
        return None
    return round(ordered[max(ceil(share * len(ordered)) - 1, 0)] / 1000, 4)
