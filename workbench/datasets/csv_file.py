"""Read a CSV file into rows of texts."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.datasets import cells
from workbench.datasets.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUFFIXES = frozenset({".csv", ".tsv"})
# Counts up when the same file is read otherwise than before.
REVISION = 1
MOST_BYTES = 256 << 20
# A text takes some 60 bytes of memory however short it is.
MOST_VALUES = 20_000_000
MOST_COLUMNS = 10_000
_DELIMITERS = ",;\t|"
_LOOKED_AT = 4096


@dataclass(frozen=True)
class CsvFile:
    """A file's rows, all as long as the header.

    Attributes:
        name: Of the file, for a sentence.
        header: Names of the columns, all different.
        rows: Texts without blanks around them.
        numbers: Number of each row as a spreadsheet counts: the header is row 1.
    """

    name: str
    header: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int]

    def row(self, index: int) -> str:
        """Say in words which row an index is."""
        return f"{self.name}, row {self.numbers[index]}"

    def texts(self, column: str, rows: Iterable[int] | None = None) -> list[str]:
        """Return a column's texts, all of them or those of some rows."""
        place = self.header.index(column)
        every = [row[place] for row in self.rows]
        return every if rows is None else [every[index] for index in rows]


def require_size(path: Path) -> None:
    """Refuse a file by its size, before it is read.

    Raises:
        BadInputError: It is too large.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise BadInputError.of(shown(path.name), rule=f"must be at most {MOST_BYTES >> 20} MiB",
                               got=f"{size / (1 << 20):,.0f} MiB", hint="take fewer rows or columns")  # fmt: skip


def read_csv(path: Path) -> CsvFile:
    """Read a UTF-8 file with a header; comma, semicolon, tab or bar is told from its first lines.

    Raises:
        BadInputError: Naming the row at fault.
    """
    require_size(path)
    name, text = shown(path.name), _text(path)
    if not text.strip():
        raise BadInputError.of(name, rule="must not be empty", got=f"{path.stat().st_size} bytes",
                               hint="write a header and rows into it")  # fmt: skip
    header, rows, numbers = _rows(name, text)
    if not rows:
        raise BadInputError.of(name, rule="must hold rows under its header", got="only a header")
    return CsvFile(name, header, rows, numbers)


def _text(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise BadInputError.of(
            f"{shown(path.name)}, row {row},", rule="must be UTF-8 text", got=raw[error.start : error.start + 1],
            hint="save it as CSV UTF-8",
        ) from None  # fmt: skip


def _rows(name: str, text: str) -> tuple[tuple[str, ...], list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True, skipinitialspace=True)
    header: tuple[str, ...] | None = None
    rows: list[list[str]] = []
    numbers: list[int] = []
    number = 0
    try:
        for number, values in enumerate(reader, 1):
            if not any(value.strip() for value in values):
                continue
            if header is None:
                header = _header(name, values)
                continue
            _require_fit(name, number, len(values), len(header), len(rows))
            rows.append([value.strip() for value in values])
            numbers.append(number)
    except csv.Error as error:
        raise BadInputError.of(f"{name}, row {number + 1},", rule="must be a row of CSV", got=str(error),
                               hint='write " inside quotes twice and close every quote') from error  # fmt: skip
    return header or (), rows, numbers


def _require_fit(name: str, number: int, found: int, wanted: int, before: int) -> None:
    if found != wanted:
        raise BadInputError.of(f"{name}, row {number},", rule=f"must have {wanted} values like the header",
                               got=found, hint="put texts that hold the delimiter into quotes")  # fmt: skip
    if (before + 1) * wanted > MOST_VALUES:
        raise BadInputError.of(name, rule=f"must hold at most {MOST_VALUES:,} values", got=f"more by row {number}",
                               hint="take fewer rows or columns")  # fmt: skip


def _header(name: str, values: list[str]) -> tuple[str, ...]:
    # Whoever writes an index without a name gets the name that pandas gives it.
    names = tuple(value.strip() or f"Unnamed: {place}" for place, value in enumerate(values))
    if len(names) > MOST_COLUMNS:
        raise BadInputError.of(name, rule=f"must have at most {MOST_COLUMNS:,} columns", got=len(names))
    if all(cells.number_in(value) is not None for value in values):
        raise BadInputError.of(name, rule="must begin with a header that names its columns",
                               got=", ".join(names), hint="write one as its first line")  # fmt: skip
    for place, each in enumerate(names):
        if each in names[:place]:
            raise BadInputError.of(
                f"{name}, column {place + 1},", rule="must have a name that no other column has", got=each,
                hint=f"rename it, column {names.index(each) + 1} has it too",
            )  # fmt: skip
    return names


def _delimiter(text: str) -> str:
    """Tell the delimiter by the csv module; its guess must part the header, else what does so most often is taken."""
    first, _, _ = text.lstrip().partition("\n")
    counts = {delimiter: first.count(delimiter) for delimiter in _DELIMITERS}
    begin = text[:_LOOKED_AT]
    try:
        guess = csv.Sniffer().sniff(begin.rpartition("\n")[0] or begin, _DELIMITERS).delimiter
    except csv.Error:
        guess = ""
    return guess if counts.get(guess) else max(_DELIMITERS, key=lambda delimiter: counts[delimiter])
