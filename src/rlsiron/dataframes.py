"""Opens a frame of any library as pandas frames of the columns that are read, and closes the
answer as a frame of that library.

What is said of a row is said in one place, of columns of pandas; nothing is read or decided here.
A kind is looked up among the libraries that the caller has imported. Numbers without gaps are taken
where they lie; of all else the distinct cells are taken once, and numbered.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd

from rlsiron.columns import find_columns
from rlsiron.errors import RlsironError, shown

BATCH = 1 << 17  # rows of a lazy frame that are held at a time


class Answer(Protocol):
    """Answers a frame of pandas; `part` says that it may be one of several."""

    def __call__(self, df: pd.DataFrame, /, *, part: bool) -> pd.DataFrame:
        """Return the answer to each row."""


def answered(df: object, answer: Answer, *, columns: Mapping[str, str]) -> Any:  # noqa: ANN401 - of its kind
    """Return the answer to a frame, as a frame of its kind.

    Parameters
    ----------
    df
        A frame of pandas, polars (lazy ones too), pyarrow, DuckDB, or of a library that speaks the
        Arrow C stream.
    answer
        Answers a frame of pandas.
    columns
        For a name that is read the column that holds it.

    Returns
    -------
    Any
        The same rows in the same order. A dataset of pyarrow is answered as a
        ``RecordBatchReader``, a library that is not known as a ``Table``.

    Raises
    ------
    RlsironError
        If it is no frame, or the type of a column is none that is read.
    """
    if isinstance(df, pd.DataFrame):
        return answer(df, part=False)
    kind = _kind_of(df)
    labels = list(dict.fromkeys(find_columns(kind.labels(), columns).values()))
    # so that a wrong call fails here, not later in a batch, and no type depends on the rows
    shape = answer(kind.empty(labels), part=True)
    return kind.answered(labels, answer, shape)


def labels_of(df: object) -> list[Any]:
    """Return the names of the columns of a frame of any kind."""
    return df.columns.tolist() if isinstance(df, pd.DataFrame) else _kind_of(df).labels()


def parts_of(df: object, labels: Sequence[Any]) -> Iterator[pd.DataFrame]:
    """Yield some columns of a frame of any kind as frames of pandas, all rows in order."""
    if isinstance(df, pd.DataFrame):
        yield df[list(labels)]
    else:
        yield from _kind_of(df).parts(labels)


class _Kind(ABC):
    """Frames of one kind."""

    def __init__(self, df: Any) -> None:  # noqa: ANN401 - of a library that may not be there
        self.df = df

    @abstractmethod
    def labels(self) -> list[str]:
        """Return the names of all columns."""

    @abstractmethod
    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        """Return some columns without rows."""

    @abstractmethod
    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield some columns; the index numbers the rows of the whole."""

    @abstractmethod
    def answered(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        """Return the answer; `shape` is one without rows."""

    def answer_at_once(self, labels: Sequence[str], answer: Answer) -> pd.DataFrame:
        """Return the answer to a frame that is one part."""
        [whole] = self.parts(labels)
        return answer(whole, part=False)


class _Polars(_Kind):
    def labels(self) -> list[str]:
        return list(self.df.columns)

    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        return _from_polars(self.df.select(labels).clear())

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield _from_polars(self.df.select(labels))

    def answered(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        return _to_polars(self.answer_at_once(labels, answer), shape)


class _LazyPolars(_Polars):
    def labels(self) -> list[str]:
        return list(self.df.collect_schema())

    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        import polars as pl

        return _from_polars(pl.DataFrame(schema=self.df.select(labels).collect_schema()))

    def parts(self, labels: Sequence[str], rows: int | None = None) -> Iterator[pd.DataFrame]:
        read = self.df.select(labels)
        start = 0
        if rows is not None:
            read = read.head(rows)
        for batch in read.collect_batches(chunk_size=BATCH, maintain_order=True):
            yield _from_polars(batch, start)
            start += len(batch)

    def answered(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        from polars.io.plugins import register_io_source

        def batches(
            names: list[str] | None,
            where: Any,  # noqa: ANN401 - an expression of polars
            rows: int | None,
            _size: int | None,
        ) -> Iterator[Any]:
            for part in self.parts(labels, rows):
                out = _to_polars(answer(part, part=True), shape)
                out = out if where is None else out.filter(where)
                yield out if names is None else out.select(names)

        return register_io_source(batches, schema=_to_polars(shape, shape).schema)


class _Arrow(_Kind):
    """Tables of pyarrow."""

    def labels(self) -> list[str]:
        return list(self.df.schema.names)

    def empty(self, labels: Sequence[str]) -> pd.DataFrame:
        return _from_arrow(self.df.schema.empty_table().select(labels))

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield _from_arrow(self.df.select(labels))

    def answered(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        return _table(_to_arrow(self.answer_at_once(labels, answer), shape))


class _ArrowBatch(_Arrow):
    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield _from_arrow(_table(self.df.select(labels)))

    def answered(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        return _to_arrow(self.answer_at_once(labels, answer), shape)


class _ArrowReader(_Arrow):
    """What is read once, from its beginning to its end."""

    def reader(self, labels: Sequence[str]) -> Any:  # noqa: ANN401, ARG002 - it reads all
        """Return the reader of the batches."""
        return self.df

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        start = 0
        for batch in self.reader(labels):
            yield _from_arrow(_table(batch.select(labels)), start)
            start += len(batch)

    def answered(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        import pyarrow as pa  # type: ignore[import-untyped]

        batches = (_to_arrow(answer(part, part=True), shape) for part in self.parts(labels))
        return pa.RecordBatchReader.from_batches(_to_arrow(shape, shape).schema, batches)


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
        return _from_arrow(_read_stream(self._selected(labels).limit(0)))

    def parts(self, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        yield _from_arrow(_read_stream(self._selected(labels)))

    def answered(self, labels: Sequence[str], answer: Answer, shape: pd.DataFrame) -> Any:  # noqa: ANN401
        self._refuse_shuffled_rows()
        answers = super().answered(labels, answer, shape)  # noqa: F841 - the query names it
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


_KINDS: tuple[tuple[str, str, type[_Kind]], ...] = (
    ("polars", "DataFrame", _Polars),
    ("polars", "LazyFrame", _LazyPolars),
    ("pyarrow", "Table", _Arrow),
    ("pyarrow", "RecordBatch", _ArrowBatch),
    ("pyarrow", "RecordBatchReader", _ArrowReader),
    ("pyarrow.dataset", "Dataset", _ArrowDataset),
    ("duckdb", "DuckDBPyRelation", _DuckDb),
)


def _kind_of(df: object) -> _Kind:
    """Return a frame with what is known of its kind."""
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


def _opened(columns: dict[str, Any], rows: int, start: int) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.RangeIndex(start, start + rows), copy=False)


def _numbers(column: Any, *, gaps: bool, floating: bool) -> Any:  # noqa: ANN401
    """Return the numbers of a column of polars or pyarrow; a gap in a float is NaN."""
    if floating or not gaps:
        return column.to_numpy()
    # not as floats, which do not hold every whole number
    return pd.arrays.IntegerArray(column.fill_null(0).to_numpy(), column.is_null().to_numpy())


def _distinct(codes: Any, cells: list[Any]) -> Any:  # noqa: ANN401
    """Return a column of distinct cells by their numbers; -1 is an empty one."""
    index = pd.Index(cells, dtype=object)
    if index.is_unique:
        return pd.Categorical.from_codes(codes, index)
    return np.array([*cells, None], object)[codes]  # the hour that comes twice in autumn


def _unread(label: str, type_: object, library: str) -> RlsironError:
    return RlsironError(
        f"column {label!r} has the type {type_} of {library}, which is not read; cast it to "
        "numbers, texts, booleans, dates or lists of texts"
    )


def _from_polars(df: Any, start: int = 0) -> pd.DataFrame:  # noqa: ANN401
    columns = {name: _cells_of_polars(df[name]) for name in df.columns}
    return _opened(columns, len(df), start)


def _cells_of_polars(column: Any) -> Any:  # noqa: ANN401
    import polars as pl

    type_ = column.dtype.base_type()
    whole = {pl.Decimal, pl.Int128, pl.UInt128}  # numpy has none as exact
    if type_.is_numeric() and type_ not in whole:
        return _numbers(column, gaps=column.null_count() > 0, floating=type_.is_float())
    if type_ in {pl.List, pl.Null}:
        return pd.array(column.to_list(), dtype=object)
    words = {pl.String, pl.Categorical, pl.Enum}
    if type_ not in {*whole, *words, pl.Boolean, pl.Date, pl.Datetime}:
        raise _unread(column.name, column.dtype, "polars")
    cells = column.drop_nulls().unique()
    places = pl.Series(range(len(cells)), dtype=pl.Int32)
    codes = column.replace_strict(cells, places, default=None, return_dtype=pl.Int32)
    return _distinct(codes.fill_null(-1).to_numpy(), cells.to_list())


def _to_polars(out: pd.DataFrame, shape: pd.DataFrame) -> Any:  # noqa: ANN401
    """Return an answer: a closed list of words as an `Enum`, others as `Categorical`."""
    import polars as pl

    columns = []
    for name in out.columns:
        column = out[name]
        if not isinstance(column.dtype, pd.CategoricalDtype):
            columns.append(pl.Series(name, column.to_numpy(), nan_to_null=True))
            continue
        closed = shape[name].cat.categories.tolist()
        words = pl.Series(
            name, column.cat.categories.tolist(), pl.Enum(closed) if closed else pl.Categorical()
        )
        columns.append(words[column.cat.codes.to_numpy()])
    return pl.DataFrame(columns)


def _from_arrow(table: Any, start: int = 0) -> pd.DataFrame:  # noqa: ANN401
    columns = {name: _cells_of_arrow(name, table[name]) for name in table.column_names}
    return _opened(columns, len(table), start)


def _cells_of_arrow(label: str, column: Any) -> Any:  # noqa: ANN401
    import pyarrow as pa

    coded = pa.types.is_dictionary(column.type)
    type_ = column.type.value_type if coded else column.type
    if not _is_one(type_, *_CELLS, *_LISTS, "floating", "integer", "null"):
        raise _unread(label, type_, "Arrow")
    if _is_one(type_, "floating", "integer"):
        floating = pa.types.is_floating(type_)
        return _numbers(column.cast(type_), gaps=column.null_count > 0, floating=floating)
    if not len(column) or _is_one(type_, *_LISTS, "null"):
        return pd.array(column.to_pylist(), dtype=object)
    if _is_one(type_, "decimal32", "decimal64"):  # which have no dictionaries
        type_ = pa.decimal128(type_.precision, type_.scale)
    if not coded or any(chunk.dictionary.null_count for chunk in column.chunks):
        column = column.cast(type_).dictionary_encode()
    whole = column.combine_chunks()
    codes = whole.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    return _distinct(codes, whole.dictionary.to_pylist())


_CELLS = ("string", "large_string", "string_view", "boolean", "decimal", "date", "timestamp")
_LISTS = ("list", "large_list", "list_view", "large_list_view", "fixed_size_list")


def _is_one(type_: Any, *names: str) -> bool:  # noqa: ANN401
    """Whether a type of Arrow is one of some."""
    import pyarrow as pa

    return any(getattr(pa.types, f"is_{name}")(type_) for name in names)


def _to_arrow(out: pd.DataFrame, shape: pd.DataFrame) -> Any:  # noqa: ANN401
    """Return an answer as a record batch: words as dictionaries, of bytes where their list is closed."""
    import pyarrow as pa

    columns = []
    for name in out.columns:
        column = out[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            closed = len(shape[name].cat.categories) > 0
            codes = column.cat.codes.to_numpy(np.int8 if closed else np.int32)
            words = pa.array(column.cat.categories.tolist(), pa.string())
            columns.append(pa.DictionaryArray.from_arrays(pa.array(codes), words))
        else:
            columns.append(pa.array(column.to_numpy(), from_pandas=True))
    return pa.record_batch(columns, names=list(out.columns))


def _table(batch: Any) -> Any:  # noqa: ANN401
    import pyarrow as pa

    return pa.Table.from_batches([batch])
