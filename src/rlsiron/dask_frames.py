"""The same for a frame of Dask: each partition is a frame, wherever it lies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import has_magic
from typing import Any, Unpack

import dask.dataframe as dd
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.dataset as ds  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from dask.base import compute
from dask.dataframe.dispatch import make_meta
from dask.dataframe.utils import clear_known_categories
from dask.delayed import delayed
from fsspec.core import url_to_fs  # type: ignore[import-untyped]

from rlsiron.errors import RlsironError, shown
from rlsiron.foreign_columns import columns_sought
from rlsiron.partitions import Asked, Question, ask, beside

_ROWS = 1 << 20  # that are held at a time, unless one row group has more
_PARQUET = ds.ParquetFileFormat(  # else damaged numbers are read as other numbers
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


def interpret_dask(df: dd.DataFrame, **asked: Unpack[Asked]) -> dd.DataFrame:
    """Return what guidelines for RLS say of the iron results in each row of a frame of Dask.

    Parameters
    ----------
    df
        A row for each draw, with the columns that `rlsiron.frames.interpret_frame` reads.
    asked
        As `rlsiron.frames.interpret_frame` takes them, by keyword.

    Returns
    -------
    DataFrame
        The columns of `interpret_frame`, with the index, the partitions and the divisions of `df`.
        Of dispositions, criteria, iron and bounds the categories are known; of all other words they
        are those met in each partition, and unknown to Dask before it computes. Nothing is
        computed here.

    Raises
    ------
    RlsironError
        Here for the call, as `interpret_frame` does; when it is computed, with ``errors="raise"``,
        for a row that cannot be read, by its label.
    """
    if not isinstance(df, dd.DataFrame):
        raise RlsironError(f"{shown(df)} is not a DataFrame of Dask; give one")
    question = ask(**asked)
    answers: dd.DataFrame = df.map_partitions(
        _answered, _travelling(question), meta=_meta(df, question)
    )
    return answers


def interpret_parquet(
    source: str | Sequence[str],
    target: str,
    *,
    prefix: str = "",
    answers: Sequence[str] | None = None,
    **asked: Unpack[Asked],
) -> None:
    """Write the rows of Parquet files with their answers, in parts, to a folder that is new.

    The folder stands there when every part is written, or not at all.

    Parameters
    ----------
    source, target
        Paths or addresses as Dask takes them, seen by every worker: a file, several, a folder or a
        pattern, and a folder. A ``name=value`` in a path is no column.
    prefix
        What the names of the answer's columns begin with.
    answers
        The columns of the answer that are wanted, if not all.
    asked
        As `rlsiron.frames.interpret_frame` takes them, by keyword.

    Raises
    ------
    RlsironError
        As `interpret_dask` does; if the folder is there, the source cannot be read, or a column has
        the name of one of the answer's.
    """
    system, folder = url_to_fs(target)
    if system.exists(folder):
        raise RlsironError(f"{shown(target)} is there; name a folder that is new")
    question = ask(**asked)
    schema, pieces = _opened(source)
    names = beside(schema.names, question.shape_of(schema), prefix=prefix, wanted=answers)
    unfinished = f"{folder.rstrip('/')}.unfinished"
    if system.exists(unfinished):
        system.rm(unfinished, recursive=True)
    system.makedirs(unfinished)
    write = delayed(_Writer(schema, question, names, system, unfinished), traverse=False)
    compute(*(write(piece, at) for at, piece in enumerate(pieces)))
    system.mv(unfinished, folder, recursive=True)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes rows with their answers as a part, wherever they are read."""

    schema: pa.Schema
    question: Question
    names: Mapping[str, str]
    system: Any
    folder: str

    def __call__(self, piece: ds.ParquetFileFragment, at: int) -> None:
        try:
            table = piece.to_table(schema=self.schema)
            table.validate(full=True)  # texts that are none, codes of no word
        except (pa.ArrowException, OSError) as fault:
            raise RlsironError(_unreadable(piece.path, fault)) from None
        answers = self.question.answered(self.question.opened(table))
        for name, label in self.names.items():
            table = table.append_column(label, pa.array(answers[name], from_pandas=True))
        with self.system.open(f"{self.folder}/part-{at:06}.parquet", "wb") as stream:
            pq.write_table(table, stream, write_statistics=columns_sought(table.schema))


def _opened(source: str | Sequence[str]) -> tuple[pa.Schema, list[ds.ParquetFileFragment]]:
    """Return the columns of Parquet files, and the pieces that are read at a time, in order."""
    if isinstance(source, str):
        system, path = url_to_fs(source)
        found = sorted(system.glob(path)) if has_magic(path) else path
    else:
        named = [url_to_fs(one) for one in source]
        system, found = named[0][0], [path for _, path in named]
    if not found:
        raise RlsironError(f"{shown(source)} names no file; give Parquet files or their folder")
    try:
        # a name=value in a path is no column: files have others by such a name
        files = ds.dataset(found, filesystem=system, format=_PARQUET, partitioning=None)
        fragments = sorted(files.get_fragments(), key=lambda one: one.path)
        stored = [_without_codes(one.physical_schema) for one in fragments]
        schema = pa.unify_schemas(stored, promote_options="permissive")
        _refuse_rounding(schema, stored)
        return schema, [piece for one in fragments for piece in _pieces(one)]
    except (OSError, pa.ArrowException) as fault:
        raise RlsironError(_unreadable(source, fault)) from None


def _unreadable(source: object, fault: Exception) -> str:
    return f"{shown(source)} cannot be read as Parquet: {fault}"


def _refuse_rounding(schema: pa.Schema, stored: Sequence[pa.Schema]) -> None:
    """Refuse numbers that would not be those of their file where files are read as one table.

    A short float would be a long one of other digits; whole numbers as floats are the same, or
    fail when they are read.
    """
    for field in schema:
        for one in stored:
            kind = one.field(field.name).type if field.name in one.names else field.type
            fine = pa.types.is_null(kind) or pa.types.is_integer(kind) or kind == field.type
            if not (fine or pa.types.is_large_string(field.type)):
                raise RlsironError(
                    f"column {field.name!r} is {kind} in one file and another type in another, "
                    f"and would be read as {field.type}; write them alike"
                )


def _without_codes(schema: pa.Schema) -> pa.Schema:
    """Return columns with the values of categories for their codes, which differ by file."""
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in schema.types]
    return pa.schema(zip(schema.names, kinds, strict=True))


def _pieces(fragment: ds.ParquetFileFragment) -> Iterator[ds.ParquetFileFragment]:
    """Yield a file as pieces of some row groups."""
    groups: list[int] = []
    rows = 0
    for group in fragment.row_groups:
        if groups and rows + group.num_rows > _ROWS:
            yield fragment.subset(row_group_ids=groups)
            groups, rows = [], 0
        groups.append(group.id)
        rows += group.num_rows
    yield fragment.subset(row_group_ids=groups)


def _meta(df: dd.DataFrame, question: Question) -> pd.DataFrame:
    """Return the answers without any row; words that are met only in rows are unknown."""
    answers = question.shape(make_meta(df))
    met = [n for n in answers if answers[n].dtype == "category" and answers[n].cat.categories.empty]
    meta: pd.DataFrame = clear_known_categories(answers, cols=met)
    return meta


def _travelling(question: Question) -> Any:  # noqa: ANN401 - Dask has no types
    """Return a question as a task of its own, which each worker is sent once."""
    return delayed(question, traverse=False)


def _answered(part: pd.DataFrame, question: Question) -> pd.DataFrame:
    return question.answered(part)
