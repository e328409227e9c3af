"""Rows of a Parquet file as a frame, and back with their answers behind them.

Every column of the input goes through as it is; those that are read become columns of pandas.
Words of the answer become dictionaries from their codes, and are never made into texts.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from rlsiron.errors import RlsironError
from rlsiron.foreign_columns import columns_sought, from_arrow, to_arrow

CHUNK = 1_000_000  # rows that are held at a time
_READ_AHEAD = 1 << 20  # bytes of a column; else all of a row group would be held


class ParquetBatch:
    """Some rows of a Parquet file; `start` are before them."""

    def __init__(self, rows: pa.RecordBatch, start: int) -> None:
        self.rows = rows
        self._start = start

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.rows.num_rows)

    def __getitem__(self, rows: slice) -> "ParquetBatch":
        """Return some of them."""
        start, stop, _ = rows.indices(len(self))
        return ParquetBatch(self.rows.slice(start, stop - start), self._start + start)

    def frame(self, labels: Collection[str]) -> pd.DataFrame:
        """Return some columns."""
        return from_arrow(pa.Table.from_batches([self.rows.select(list(labels))]), self._start)

    def place(self, row: int) -> int:
        """Return the number of a row in its file, from 1."""
        return self._start + row + 1


class ParquetSource:
    """A Parquet file as rows that can be answered; see `rlsiron.file_answers.Source`."""

    def __init__(self, file: pq.ParquetFile, name: str) -> None:
        self._file = file
        self.name = name
        self.schema: pa.Schema = file.schema_arrow
        self.labels: Sequence[str] = self.schema.names
        self.size: int = file.metadata.num_rows
        self.types: Sequence[str] = [str(field.type) for field in self.schema]
        self.position = 0

    def batches(
        self, *, skip: int = 0, only: Sequence[str] | None = None
    ) -> Iterator[ParquetBatch]:
        """Yield the rows, behind so many, of all columns or of some.

        Row groups that are passed over are not read.
        """
        group, start = 0, 0
        sizes = [self._file.metadata.row_group(at).num_rows for at in range(self._groups)]
        while group < self._groups and start + sizes[group] <= skip:
            start += sizes[group]
            group += 1
        for rows in self._read(range(group, self._groups), only):
            over = max(skip - start, 0)
            self.position = start + rows.num_rows
            if over < rows.num_rows:
                yield ParquetBatch(rows, start)[over:]
            start = self.position

    @property
    def _groups(self) -> int:
        return int(self._file.metadata.num_row_groups)

    def _read(self, groups: range, only: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        try:
            for rows in self._file.iter_batches(CHUNK, row_groups=groups, columns=only):
                rows.validate(full=True)  # texts that are none, codes of no word
                yield rows
        except (pa.ArrowException, OSError) as fault:
            raise RlsironError(_damaged(self.name, fault)) from None


def _damaged(name: str, fault: Exception) -> str:
    what = str(fault).splitlines()[0].rstrip(".")
    return f"{name} is no whole Parquet file: {what}; write or copy it again"


@contextmanager
def opened(path: Path) -> Iterator[ParquetSource]:
    """Open a Parquet file.

    Raises
    ------
    RlsironError
        If it cannot be opened, or is damaged or cut.
    """
    name = repr(str(path))
    try:
        file = pq.ParquetFile(
            path,
            pre_buffer=False,
            buffer_size=_READ_AHEAD,
            page_checksum_verification=True,  # else damaged numbers are read as other numbers
        )
    except (pa.ArrowException, OSError) as fault:
        if isinstance(fault, OSError) and fault.errno:  # of the system; else of what was read
            raise RlsironError(f"{name} cannot be opened: {fault}") from None
        raise RlsironError(_damaged(name, fault)) from None
    with file:
        yield ParquetSource(file, name)


class ParquetSink:
    """Writes rows as Parquet; one batch is written while the next one is answered."""

    def __init__(
        self, writer: pq.ParquetWriter, shape: pd.DataFrame, pool: ThreadPoolExecutor
    ) -> None:
        self._writer = writer
        self._shape = shape
        self._pool = pool
        self._under_way: Future[None] | None = None

    def write(self, batch: ParquetBatch, answers: pd.DataFrame) -> None:
        """Write rows with their answers behind them."""
        columns = [*batch.rows.columns, *to_arrow(answers, self._shape).columns]
        rows = pa.RecordBatch.from_arrays(columns, schema=self._writer.schema)
        self.settle()
        self._under_way = self._pool.submit(self._writer.write_batch, rows, CHUNK)

    def settle(self) -> None:
        """Wait until all is written that was given."""
        if self._under_way is not None:
            self._under_way.result()


@contextmanager
def _writer(stream: BinaryIO, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    sought = columns_sought(schema)
    writer = pq.ParquetWriter(stream, schema, write_statistics=sought, write_page_checksum=True)
    try:
        yield writer
        writer.close()
    except BaseException:
        writer.is_open = False  # else its end would write once more
        raise


@dataclass(frozen=True, slots=True)
class ParquetFormat:
    """How Parquet files are read and written.

    Attributes
    ----------
    about
        What the answers rest on; it becomes the key ``rlsiron`` of the metadata.
    """

    about: Mapping[str, Any]
    suffix = ".parquet"
    place = "row"

    @staticmethod
    def opened(path: Path) -> AbstractContextManager[ParquetSource]:
        """Open a file."""
        return opened(path)

    @contextmanager
    def sink(
        self, stream: BinaryIO, source: ParquetSource, answer: pd.DataFrame
    ) -> Iterator[ParquetSink]:
        """Give what writes rows like those of a file, with columns like those of an answer."""
        added = to_arrow(answer, answer).schema
        about = {b"rlsiron": json.dumps(self.about).encode()}
        schema = pa.schema([*source.schema, *added], {**(source.schema.metadata or {}), **about})
        with _writer(stream, schema) as writer, ThreadPoolExecutor(1) as pool:
            sink = ParquetSink(writer, answer, pool)
            yield sink
            sink.settle()

    @staticmethod
    def join(parts: Sequence[Path], stream: BinaryIO) -> None:
        """Write the rows of some files as one."""
        with _writer(stream, pq.read_schema(parts[0])) as writer:
            for part in parts:
                with opened(part) as source:
                    for batch in source.batches():
                        writer.write_batch(batch.rows, CHUNK)
