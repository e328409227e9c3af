"""Opens frames of any library as frames of pandas, and gives the answer as the same kind.

What is said of a row is said in one place, of columns of pandas; nothing is read or decided here.
A kind is looked up among the libraries that the caller has imported, so no other is imported.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import pandas as pd

from rlsiron.columns import find_columns
from rlsiron.errors import RlsironError, shown
from rlsiron.foreign_columns import empty_table, from_arrow, from_polars, to_arrow, to_polars

BATCH = 1 << 19  # rows of a lazy frame or a reader that are held at a time


class Answer(Protocol):
    """Answers a frame of pandas; `part` says that it may be one of several."""

    def __call__(self, df: pd.DataFrame, /, *, part: bool) -> pd.DataFrame:
        """Return the answer to each row."""


class OpenFrame(ABC):
    """A frame of one kind, as what is common to all.

    Attributes
    ----------
    df
        The frame as it was given.
    whole
        Whether it is read as one part.
    """

    whole: ClassVar[bool] = True

    def __init__(self, df: Any) -> None:  # noqa: ANN401 - of a library that may not be there
        self.df = df

    @abstractmethod
    def labels(self) -> list[Any]:
        """Return the names of all columns."""

    @abstractmethod
    def parts(self, labels: Sequence[Any]) -> Iterator[pd.DataFrame]:
        """Yield some columns; an index without a meaning numbers the rows of the whole."""

    @abstractmethod
    def answered(self, answer: Answer, *, columns: Mapping[str, str]) -> Any:  # noqa: ANN401
        """Return the answer, as a frame of the same kind, its rows in the same order.

        Parameters
        ----------
        answer
            Answers a frame of pandas.
        columns
            For a name that is read the column that holds it.
        """


class _Pandas(OpenFrame):
    def labels(self) -> list[Any]:
        found: list[Any] = self.df.columns.tolist()
        return found

    def parts(self, labels: Sequence[Any]) -> Iterator[pd.DataFrame]:
        yield self.df[list(labels)]

    def answered(self, answer: Answer, *, columns: Mapping[str, str]) -> Any:  # noqa: ANN401, ARG002
        return answer(self.df, part=False)


class _Kind(OpenFrame):
    """A frame of another library."""

    @abstractmethod
    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        """Return some columns without rows."""

    @abstractmethod
    def closed(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        """Return the answer; `shape` is one without rows."""

    def answered(self, answer: Answer, *, columns: Mapping[str, str]) -> Any:  # noqa: ANN401
        labels = list(dict.fromkeys(find_columns(self.labels(), columns).values()))
        # so that a wrong call fails here, not later in a batch, and no type depends on the rows
        shape = answer(self.empty(labels), part=True)
        return self.closed(labels, answer, shape)

    def at_once(self, labels: Sequence[str], answer: Answer) -> pd.DataFrame:
        """Return the answer to a frame that is one part."""
        [part] = self.parts(labels)
        return answer(part, part=False)


class _Polars(_Kind):
    def labels(self) -> list[str]:
        return list(self.df.columns)

    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        return from_polars(self.df.select(labels).clear())

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield from_polars(self.df.select(labels))

    def closed(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        return to_polars(self.at_once(labels, answer), shape)


class _LazyPolars(_Polars):
    whole = False

    def labels(self) -> list[str]:
        return list(self.df.collect_schema())

    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        import polars as pl

        return from_polars(pl.DataFrame(schema=self.df.select(labels).collect_schema()))

    def parts(self, labels: Sequence[str], rows: int | None = None) -> Iterator[pd.DataFrame]:
        read = self.df.select(labels)
        start = 0
        if rows is not None:
            read = read.head(rows)
        for batch in read.collect_batches(chunk_size=BATCH, maintain_order=True):
            yield from_polars(batch, start)
            start += len(batch)

    def closed(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        from polars.io.plugins import register_io_source

        def batches(
            names: list[str] | None,
            where: Any,  # noqa: ANN401 - an expression of polars
            rows: int | None,
            _size: int | None,
        ) -> Iterator[Any]:
            for part in self.parts(labels, rows):
                out = to_polars(answer(part, part=True), shape)
                out = out if where is None else out.filter(where)
                yield out if names is None else out.select(names)

        return register_io_source(batches, schema=to_polars(shape, shape).schema)


class _Arrow(_Kind):
    """Tables of pyarrow."""

    def labels(self) -> list[str]:
        return list(self.df.schema.names)

    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        return from_arrow(empty_table(self.df.schema, labels))

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield from_arrow(self.df.select(labels))

    def closed(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        return _table([to_arrow(self.at_once(labels, answer), shape)])


class _ArrowBatch(_Arrow):
    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield from_arrow(_table([self.df.select(labels)]))

    def closed(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        return to_arrow(self.at_once(labels, answer), shape)


class _ArrowReader(_Arrow):
    """What is read once, from its beginning to its end."""

    whole = False

    def reader(self, labels: Sequence[str]) -> Any:  # noqa: ANN401, ARG002 - it reads all
        """Return the reader of the batches."""
        return self.df

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        start = 0
        for table in _joined(self.reader(labels)):
            yield from_arrow(table.select(labels), start)
            start += len(table)

    def closed(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        import pyarrow as pa  # type: ignore[import-untyped]

        batches = (to_arrow(answer(part, part=True), shape) for part in self.parts(labels))
        return pa.RecordBatchReader.from_batches(to_arrow(shape, shape).schema, batches)


class _ArrowDataset(_ArrowReader):
    def reader(self, labels: Sequence[str]) -> Any:  # noqa: ANN401
        return self.df.scanner(columns=labels, batch_size=BATCH).to_reader()


class _ArrowStream(_Arrow):
    """Frames of any library that speaks the Arrow C stream."""

    def __init__(self, df: Any) -> None:  # noqa: ANN401
        super().__init__(_read_stream(df))


class _DuckDb(_Arrow):
    def labels(self) -> list[str]:
        return list(self.df.columns)

    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        return from_arrow(_read_stream(self._selected(labels).limit(0)))

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield from_arrow(_read_stream(self._selected(labels)))

    def closed(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        self._refuse_shuffled_rows()
        answers = super().closed(labels, answer, shape)  # noqa: F841 - the query names it
        return self.df.query("draws", "select * from answers")

    def _selected(self, labels: Sequence[str]) -> Any:  # noqa: ANN401
        import duckdb

        return self.df.select(*map(duckdb.ColumnExpression, labels))

    def _refuse_shuffled_rows(self) -> None:
        setting = "preserve_insertion_order"
        if not self.df.query("draws", f"select current_setting('{setting}')").fetchall()[0][0]:
            raise RlsironError(
                f"this connection of DuckDB gives rows in any order, and an answer is told by its "
                f"place; run SET {setting} = true"
            )


def _joined(reader: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield tables of as many batches as are held at a time: each part has a cost of its own."""
    held: list[Any] = []
    for batch in reader:
        held.append(batch)
        if sum(map(len, held)) >= BATCH:
            yield _table(held)
            held = []
    if held:
        yield _table(held)


def _table(batches: list[Any]) -> Any:  # noqa: ANN401
    import pyarrow as pa

    return pa.Table.from_batches(batches)


_KINDS: tuple[tuple[str, str, type[_Kind]], ...] = (
    ("polars", "DataFrame", _Polars),
    ("polars", "LazyFrame", _LazyPolars),
    ("pyarrow", "Table", _Arrow),
    ("pyarrow", "RecordBatch", _ArrowBatch),
    ("pyarrow", "RecordBatchReader", _ArrowReader),
    ("pyarrow.dataset", "Dataset", _ArrowDataset),
    ("duckdb", "DuckDBPyRelation", _DuckDb),
)


def open_frame(df: object) -> OpenFrame:
    """Return a frame as what is common to all kinds.

    Parameters
    ----------
    df
        A frame of pandas, polars (lazy ones too), pyarrow or DuckDB; or of a library that speaks
        the Arrow C stream, which is answered as a ``Table`` of pyarrow.

    Raises
    ------
    RlsironError
        If it is no frame.
    """
    if isinstance(df, pd.DataFrame):
        return _Pandas(df)
    for module, name, kind in _KINDS:
        library = sys.modules.get(module)
        if library is not None and isinstance(df, getattr(library, name)):
            return kind(df)
    if hasattr(df, "__arrow_c_stream__"):
        return _ArrowStream(df)
    raise RlsironError(f"{shown(df)} is no frame; give one of pandas, polars, pyarrow or DuckDB")


def _read_stream(df: object) -> Any:  # noqa: ANN401
    """Return a frame that speaks the Arrow C stream as a table of pyarrow."""
    kind = f"{type(df).__module__}.{type(df).__qualname__}"
    try:
        import pyarrow as pa
    except ImportError:
        raise RlsironError(f"a {kind} is read by pyarrow; install pyarrow") from None
    try:
        return pa.table(df)
    except pa.ArrowInvalid:
        raise RlsironError(f"a {kind} is no frame with columns; give one that has them") from None
