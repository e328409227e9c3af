"""Rows of a CSV file as a frame of texts, and back with their answers behind them."""

import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import TextIOBase, TextIOWrapper
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

import numpy as np
import pandas as pd

from rlsiron import csv_file
from rlsiron.csv_file import CsvFile, Row

if TYPE_CHECKING:
    from _csv import Writer

CHUNK = 20_000  # rows that are held at a time
_COPIED = 1 << 20  # bytes
_END = "\r\n"


class CsvBatch:
    """Some rows of a CSV file."""

    def __init__(self, rows: Sequence[Row], labels: Sequence[str]) -> None:
        self.rows = rows
        self._labels = labels

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.rows)

    def __getitem__(self, rows: slice) -> "CsvBatch":
        """Return some of them."""
        return CsvBatch(self.rows[rows], self._labels)

    def frame(self, labels: Collection[str]) -> pd.DataFrame:
        """Return some columns, of texts; a blank cell is empty."""
        data = {}
        for at, label in enumerate(self._labels):
            if label in labels:
                cells = [row.cells[at].strip() or None for row in self.rows]
                data[label] = pd.Series(cells, dtype="str")
        return pd.DataFrame(data)

    def place(self, row: int) -> int:
        """Return the line where a row begins."""
        return self.rows[row].line


class CsvSource:
    """A CSV file as rows that can be answered; see `rlsiron.file_answers.Source`."""

    def __init__(self, file: CsvFile, size: int) -> None:
        self.file = file
        self.name = file.name
        self.size = size
        self.labels = [name.strip() for name in file.header]
        self.types = ["text"] * len(self.labels)

    @property
    def position(self) -> int:
        """How many bytes are read."""
        return self.file.position

    def batches(self, *, skip: int = 0) -> Iterator[CsvBatch]:
        """Yield the rows, behind so many."""
        self.file.skip(skip)
        for rows in self.file.chunks(CHUNK):
            yield CsvBatch(rows, self.labels)


class CsvSink:
    """Writes rows as CSV, with the separator and the decimal sign of the input."""

    def __init__(self, writer: "Writer", decimal: str, header: Sequence[str]) -> None:
        self._writer = writer
        self._decimal = decimal
        self._header = header  # until it is written: a call that is refused prints nothing

    def write(self, batch: CsvBatch, answers: pd.DataFrame) -> None:
        """Write rows with their answers behind them, under the header."""
        if self._header:
            self._writer.writerow(self._header)
            self._header = ()
        columns = [_cells(answers[name], self._decimal) for name in answers.columns]
        self._writer.writerows(
            (*row.cells, *answer) for row, *answer in zip(batch.rows, *columns, strict=True)
        )


def _cells(column: "pd.Series[Any]", decimal: str) -> list[str]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        words = np.array(column.cat.categories, dtype=object)
        cells: list[str] = words[column.cat.codes.to_numpy()].tolist()
        return cells
    return [_digits(cell).replace(".", decimal) for cell in column.tolist()]


@lru_cache(maxsize=100_000)
def _digits(number: float) -> str:
    return "" if number != number else repr(number).removesuffix(".0")  # noqa: PLR0124 - NaN


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How CSV files are read and written: as declared."""

    separator: str | None
    encoding: str | None
    decimal: str
    suffix = ".csv"
    place = "line"

    @contextmanager
    def opened(self, path: Path) -> Iterator[CsvSource]:
        """Open a file."""
        with csv_file.opened(path, separator=self.separator, encoding=self.encoding) as file:
            yield CsvSource(file, path.stat().st_size)

    @contextmanager
    def sink(
        self, stream: BinaryIO | TextIO, source: CsvSource, answer: pd.DataFrame
    ) -> Iterator[CsvSink]:
        """Give what writes rows like those of a file, under a header with those of an answer."""
        file = source.file
        text = stream if isinstance(stream, TextIOBase) else _text_of(stream)
        writer = csv.writer(_Lines(text), delimiter=file.separator, lineterminator=_END)
        try:
            yield CsvSink(writer, self.decimal, [*file.header, *answer.columns])
        finally:
            if text is not stream:
                text.detach()  # writes what is left

    @staticmethod
    def join(parts: Sequence[Path], stream: BinaryIO) -> None:
        """Write the rows of some files as one, under the header of the first."""
        for part in parts:
            with part.open("rb") as source:
                head = _header(source)
                if part is parts[0]:
                    stream.write(head)
                copyfileobj(source, stream, _COPIED)


class _Lines:
    """Ends rows with a line feed, where the writer quotes cells that hold a part of `_END`."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def write(self, row: str) -> int:
        """Write a row."""
        return self._text.write(f"{row[: -len(_END)]}\n")


def _text_of(stream: BinaryIO | TextIO) -> TextIOWrapper:
    return TextIOWrapper(cast("BinaryIO", stream), encoding="utf-8", newline="")


def _header(part: BinaryIO) -> bytes:
    """Return the first row of a part; a name in it may hold line ends."""
    head = part.readline()
    while head.count(b'"') % 2:
        head += part.readline()
    return head
