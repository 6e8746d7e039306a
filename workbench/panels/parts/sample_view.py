"""Samples of a dataset on the page: images as a gallery, rows of a table and numbers as a table, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.language import _
from workbench.panels.base import stack
from workbench.widgets.data_table import DataTable
from workbench.widgets.gallery import Gallery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from workbench.datasets import Dataset
    from workbench.datasets.dataset import Split

_PAGE = 24
_ROWS = 12
_LARGEST_SIDE = 64
_MOST_COLUMNS = 16
_Words = dict[str, str]


class SampleView:
    """Shows chosen samples of one split.

    Attributes:
        gallery: Where they are images.
        table: Where they are not.
        widget: What is put on the page.
    """

    def __init__(self, title: str, empty: str, *, guard: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
        """Show none.

        Args:
            title: What they will be.
            empty: What is said while there are none.
            guard: `Panel.guard`.
        """
        self._empty = empty
        self.gallery = Gallery(title=title, empty=empty, page=_PAGE)
        self.table = DataTable(title=title)
        self.widget = stack(self.gallery, self.table)
        self._data: Dataset | None = None
        self._split: Split = "test"
        self._index: NDArray[np.int64] = np.zeros(0, np.int64)
        self._words: Callable[[int], _Words] = lambda _index: {}
        self.gallery.on_page(guard(self._turn))

    def clear(self) -> None:
        """Show none."""
        self.gallery.clear()
        with self.gallery.hold_sync():
            self.gallery.caption, self.gallery.empty = "", self._empty
        self.table.rows = []

    def show(
        self,
        data: Dataset,
        split: Split,
        index: Sequence[int] | NDArray[np.int64],
        words: Callable[[int], _Words],
        *,
        title: str,
        caption: str = "",
    ) -> None:
        """Show samples.

        Args:
            data: Of which dataset.
            split: Of which split.
            index: Which, in this order; may be many.
            words: Of a sample by its index: `name`, and optionally `detail`, `tone` and `about`.
            title: What they are.
            caption: One line under the title.
        """
        self._data, self._split, self._words = data, split, words
        self._index = np.asarray(index, dtype=np.int64)
        images = data.kind == "images"
        with self.gallery.hold_sync():
            self.gallery.title, self.gallery.caption = title, caption
            self.gallery.empty = _("There are none.") if images else ""
            if not images:
                self.gallery.caption = ""
        shown = min(_ROWS, len(self._index))
        self.table.title = _("{title}: the first {n} of {total}").format(
            title=title, n=shown, total=f"{len(self._index):,}"
        )
        self._turn(0)

    def _turn(self, start: int) -> None:
        if self._data is None:
            return
        if self._data.kind != "images":
            self.gallery.clear()
            self._show_rows(self._data, self._index[start : start + _ROWS])
            return
        self.table.rows = []
        page = self._index[start : start + _PAGE]
        self.gallery.show(
            small_images(self._data, self._split, page), [self._words(int(at)) for at in page],
            start=start, total=len(self._index),
        )  # fmt: skip

    def _show_rows(self, data: Dataset, page: NDArray[np.int64]) -> None:
        found = [_values(data, self._split, int(at)) for at in page]
        names = list(found[0]) if found else []
        with self.table.hold_sync():
            self.table.empty = "" if found else _("There are none.")
            # Columns are called what their owner likes: their places name them here.
            self.table.columns = [
                {"name": "said", "label": _("Class")},
                *({"name": f"c{place}", "label": name, "format": _format(found[0][name])}
                  for place, name in enumerate(names)),
            ]  # fmt: skip
            self.table.rows = [
                {"said": _line(self._words(int(at))), **{f"c{place}": row[name] for place, name in enumerate(names)}}
                for at, row in zip(page, found, strict=True)
            ]


def mixed(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an order in which classes take turns: the first sample of each class, then the second ones."""
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        turn[members] = np.arange(len(members))
    return np.argsort(turn, kind="stable")


def small_images(data: Dataset, split: Split, index: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return images as grey levels, (n, height, width, channels), every second pixel and so on of large ones."""
    stored = (data.x_train if split == "train" else data.x_test)[np.asarray(index, dtype=np.int64)]
    step = -(-max(stored.shape[1:3]) // _LARGEST_SIDE)
    stored = np.asarray(stored[:, ::step, ::step])
    if stored.dtype == np.uint8:
        return stored
    return np.asarray(np.rint(np.clip(stored, 0, 1) * 255), np.uint8)


def _values(data: Dataset, split: Split, at: int) -> dict[str, Any]:
    values = data.row(split, at)
    if not values:
        flat = data.floats(split, slice(at, at + 1)).reshape(-1)[:_MOST_COLUMNS]
        values = {f"x{number}": float(value) for number, value in enumerate(flat)}
    return dict(list(values.items())[:_MOST_COLUMNS])


def _line(words: _Words) -> str:
    return " · ".join(part for part in (words["name"], words.get("detail", "")) if part)


def _format(value: Any) -> str:
    return "number" if isinstance(value, float) else "text"
