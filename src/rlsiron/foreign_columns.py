"""Turns columns of polars and of Arrow into columns of pandas, and an answer back.

Numbers without gaps are taken where they lie. Of all else the distinct cells are taken once, and
numbered. What is unknown goes back as null, not as NaN, which both take for a number.
"""

from collections.abc import Sequence
from datetime import MAXYEAR, MINYEAR
from typing import Any

import numpy as np
import pandas as pd

from rlsiron.columns import cells_of_arrow
from rlsiron.errors import RlsironError

_CELLS = ("string", "large_string", "string_view", "boolean", "decimal", "date", "timestamp")
_LISTS = ("list", "large_list", "list_view", "large_list_view", "fixed_size_list")


def from_polars(df: Any, start: int = 0) -> pd.DataFrame:  # noqa: ANN401 - of a library not there
    """Return a frame of polars as one of pandas, its rows numbered from `start`."""
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
    return _distinct(codes.fill_null(-1).to_numpy(), _listed(cells))


def _listed(cells: Any) -> list[Any]:  # noqa: ANN401
    """Return a column of polars as Python has it, a date that it does not have as text."""
    import polars as pl

    type_ = cells.dtype.base_type()
    if type_ not in {pl.Date, pl.Datetime}:
        return list(cells.to_list())
    had = cells.dt.year().is_between(MINYEAR, MAXYEAR).fill_null(value=False)
    listed = cells.zip_with(had, pl.Series([None], dtype=cells.dtype)).to_list()
    numbers = cells.to_physical().to_list()
    return [
        f"{type_.__name__} {number}" if cell is None else cell
        for cell, number in zip(listed, numbers, strict=True)
    ]


def to_polars(out: pd.DataFrame, shape: pd.DataFrame) -> Any:  # noqa: ANN401
    """Return an answer: words of a closed list, by an answer without rows, as an `Enum`."""
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


def empty_table(schema: Any, labels: Sequence[str]) -> Any:  # noqa: ANN401
    """Return a table of pyarrow with some columns of a schema, and no row."""
    import pyarrow as pa  # type: ignore[import-untyped]

    return pa.schema([schema.field(label) for label in labels]).empty_table()


def from_arrow(table: Any, start: int = 0) -> pd.DataFrame:  # noqa: ANN401
    """Return a table of pyarrow as one of pandas, its rows numbered from `start`."""
    columns = {name: _cells_of_arrow(name, table[name]) for name in table.column_names}
    return _opened(columns, len(table), start)


def _cells_of_arrow(label: str, column: Any) -> Any:  # noqa: ANN401
    import pyarrow as pa

    coded = pa.types.is_dictionary(column.type)
    type_ = column.type.value_type if coded else column.type
    if not _is_one(type_, *_CELLS, *_LISTS, "floating", "integer", "null"):
        raise _unread(label, type_, "Arrow")
    if _is_one(type_, "floating", "integer"):
        numbers = column.cast(type_)  # a dictionary has gaps of its own
        return _numbers(numbers, gaps=numbers.null_count > 0, floating=pa.types.is_floating(type_))
    if not len(column) or _is_one(type_, *_LISTS, "null"):
        return pd.array(column.to_pylist(), dtype=object)
    if _is_one(type_, "decimal32", "decimal64"):  # which have no dictionaries
        type_ = pa.decimal128(type_.precision, type_.scale)
    if not coded or any(chunk.dictionary.null_count for chunk in column.chunks):
        column = column.cast(type_).dictionary_encode()
    whole = column.combine_chunks()
    codes = whole.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    return _distinct(codes, cells_of_arrow(whole.dictionary))


def _is_one(type_: Any, *names: str) -> bool:  # noqa: ANN401
    """Whether a type of Arrow is one of some."""
    import pyarrow as pa

    return any(getattr(pa.types, f"is_{name}")(type_) for name in names)


def to_arrow(out: pd.DataFrame, shape: pd.DataFrame) -> Any:  # noqa: ANN401
    """Return an answer as a record batch: words of a closed list by codes of a byte."""
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
            values = column.to_numpy()
            columns.append(pa.array(values, from_pandas=bool(np.isnan(values).any())))
    return pa.record_batch(columns, names=list(out.columns))


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
    return np.array([*cells, None], object)[
        codes
    ]  # the hour that comes twice in autumn, a dictionary with doubles


def _unread(label: str, type_: object, library: str) -> RlsironError:
    return RlsironError(
        f"column {label!r} has the type {type_} of {library}, which is not read; cast it to "
        "numbers, texts, booleans, dates or lists of texts"
    )


def columns_sought(schema: Any) -> list[str]:  # noqa: ANN401
    """Return the columns of which the least and the greatest are kept in a file of Parquet.

    Of words by codes they are not: to find them takes as long as all else of them.
    """
    import pyarrow as pa

    return [field.name for field in schema if not pa.types.is_dictionary(field.type)]
