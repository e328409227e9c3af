"""The same for a DataFrame of Spark: each batch of a partition is a frame, wherever it lies.

The answers stand beside the columns of the input: rows of Spark have no index to join them by.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Unpack

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from rlsiron.errors import RlsironError, shown
from rlsiron.partitions import Asked, Question, ask, beside

_READING = {
    "mergeSchema": "true",  # else the columns are those of any one file
    "recursiveFileLookup": "true",  # a name=value in a path is no column
    "parquet.page.verify-checksum.enabled": "true",  # else damaged numbers are other numbers
}
_ROWS = 1 << 17  # that are answered at a time: what a part costs beside its rows is then small


def interpret_spark(
    df: DataFrame,
    *,
    prefix: str = "",
    answers: Sequence[str] | None = None,
    **asked: Unpack[Asked],
) -> DataFrame:
    """Return the rows of a DataFrame of Spark with what guidelines for RLS say of each.

    Parameters
    ----------
    df
        A row for each draw, with the columns that `rlsiron.frames.interpret_frame` reads.
    prefix
        What the names of the answer's columns begin with.
    answers
        The columns of the answer that are wanted, if not all; each text costs its length.
    asked
        As `rlsiron.frames.interpret_frame` takes them, by keyword.

    Returns
    -------
    DataFrame
        The columns of `df`, and behind them those of `interpret_frame`: numbers as doubles, null
        where one is unknown, all else as strings. Nothing is computed before an action.

    Raises
    ------
    RlsironError
        Here for the call, as `interpret_frame` does, and for a column that has the name of one of
        the answer's. With ``errors="raise"`` an action ends with Spark's error, which holds ours:
        it names the row by its partition and its place there.
    """
    if not isinstance(df, DataFrame):
        raise RlsironError(f"{shown(df)} is not a DataFrame of Spark; give one")
    question = ask(**asked)
    empty = df.sparkSession.createDataFrame([], df.schema).toArrow()
    all_ = question.shape_of(empty.schema)
    names = beside(df.columns, all_, prefix=prefix, wanted=answers)
    words = [isinstance(all_[name].dtype, pd.CategoricalDtype) for name in names]
    kinds = [StringType() if word else DoubleType() for word in words]
    fields = [StructField(*one) for one in zip(names.values(), kinds, strict=True)]
    schema = StructType([*df.schema.fields, *fields])
    return df.mapInArrow(partial(answer_batches, question=question, names=names), schema)


def interpret_parquet(
    source: str | Sequence[str],
    target: str,
    *,
    spark: SparkSession,
    prefix: str = "",
    answers: Sequence[str] | None = None,
    **asked: Unpack[Asked],
) -> None:
    """Write the rows of Parquet files with their answers, in parts, to a folder that is new.

    Parameters
    ----------
    source, target
        Paths or addresses as Spark takes them, one or several, seen by every worker; a
        ``name=value`` in a path is no column. The folder is whole where it holds ``_SUCCESS``.
    spark
        The session that does it.
    prefix, answers, asked
        As `interpret_spark` takes them.

    Raises
    ------
    RlsironError
        As `interpret_spark` does.
    """
    paths = [source] if isinstance(source, str) else source
    reader = spark.read.options(**_READING)
    df = interpret_spark(reader.parquet(*paths), prefix=prefix, answers=answers, **asked)
    df.write.parquet(target)


def answer_batches(
    batches: Iterable[pa.RecordBatch], *, question: Question, names: Mapping[str, str]
) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a partition with their answers behind them.

    Parameters
    ----------
    batches
        Rows, as Arrow has them.
    question
        What is asked of each.
    names
        The columns of the answer that are wanted, and what they are called.

    Raises
    ------
    RlsironError
        As `interpret_spark` says.
    """
    rows = 0
    for table in _gathered(batches):
        df = question.opened(table, rows)
        rows += len(df)
        try:
            answers = question.answered(df)
        except RlsironError as fault:
            at = TaskContext.get()
            where = f"partition {at.partitionId()}, " if at else ""
            raise RlsironError(f"{where}{fault}") from None
        columns = [*table.columns, *(_plain(answers[name]) for name in names)]
        labels = [*table.column_names, *names.values()]
        yield from pa.Table.from_arrays(columns, labels).to_batches()


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield batches a few at a time."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(one.num_rows for one in held) >= _ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _plain(column: "pd.Series[Any]") -> pa.Array:
    """Return a column of answers as Spark takes it: strings, or numbers with nulls."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pa.array(column).cast(pa.string())
    return pa.array(column, from_pandas=True)
