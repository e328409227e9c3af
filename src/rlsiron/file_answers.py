"""Puts the answers behind the rows of a file, a batch at a time; knows no kind of file."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import pandas as pd

from rlsiron.columns import is_numeric, without_unit
from rlsiron.errors import ReadingError, RlsironError, UnitError, did_you_mean
from rlsiron.frames import answer_part
from rlsiron.guideline import Guideline
from rlsiron.interpretation import board_of
from rlsiron.models import Draw, Patient
from rlsiron.reading import read_result
from rlsiron.report import on_the_command_line
from rlsiron.tally import COUNTED, Tally
from rlsiron.units import analytes


class Batch(Protocol):
    """Rows of a file that are held at a time."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, rows: slice, /) -> "Batch":
        """Return some of them."""

    def frame(self, labels: Collection[str]) -> pd.DataFrame:
        """Return some of its columns."""

    def place(self, row: int) -> int:
        """Return where in the file a row stands, as one says it."""


class Source(Protocol):
    """A file that is being read.

    Attributes
    ----------
    name
        Its path, as it is shown in an error.
    labels, types
        The names of its columns, and their types.
    size
        How much there is to read.
    """

    name: str
    labels: Sequence[str]
    types: Sequence[str]
    size: int

    @property
    def position(self) -> int:
        """How much is read."""

    def batches(self, *, skip: int = 0) -> Iterator[Batch]:
        """Yield the rows, behind so many."""


class Sink(Protocol):
    """Where rows go."""

    def write(self, batch: Any, answers: pd.DataFrame) -> None:  # noqa: ANN401 - of its own kind
        """Write rows with their answers behind them."""


class Format(Protocol):
    """How files of one kind are read and written."""

    @property
    def suffix(self) -> str:
        """What names of its files end in."""

    @property
    def place(self) -> str:
        """What the number is by which one finds a row: a line or a row."""

    def opened(self, path: Path) -> AbstractContextManager[Any]:
        """Open a file, as a `Source`."""

    def sink(
        self,
        stream: Any,  # noqa: ANN401 - of bytes, or of text
        source: Any,  # noqa: ANN401 - of its own kind
        answer: pd.DataFrame,
    ) -> AbstractContextManager[Sink]:
        """Give what writes rows like those of a source, with columns like those of an answer."""

    def join(self, parts: Sequence[Path], stream: BinaryIO) -> None:
        """Write the rows of some files as one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every row.

    Attributes
    ----------
    guidelines, units, columns, decimal, strict
        As `rlsiron.frames.interpret_frame` takes them.
    prefix
        What the names of the answer's columns begin with.
    chosen
        Which columns of the answer are written; all if empty.
    """

    guidelines: tuple[Guideline, ...]
    units: Mapping[str, str]
    columns: Mapping[str, str]
    decimal: Literal[".", ","]
    strict: bool
    prefix: str = ""
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is read of a file, and written of the answer.

    Attributes
    ----------
    asked
        What is asked of every row.
    read
        For each name that is read the column that holds it.
    not_read
        The other columns.
    written
        For each column of the answer that is written its name there.
    answer
        The answer to no row, as it is written.
    """

    asked: Asked
    read: Mapping[str, str]
    not_read: Sequence[str]
    written: Mapping[str, str]
    answer: pd.DataFrame

    @property
    def counted(self) -> dict[str, str]:
        """For each column that is written and counted its name in the answer."""
        written = self.written.items()
        return {label: name for name, label in written if name.endswith(COUNTED)}


def answered(frame: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Return the answers to the rows of a batch: the one place where they are made."""
    return answer_part(
        frame,
        board=board_of(asked.guidelines, strict=asked.strict),
        units=asked.units,
        columns=asked.columns,
        decimal=asked.decimal,
        part=True,
    )


def planned(labels: Sequence[str], asked: Asked) -> Plan:
    """Return what is read of columns with such names, and written.

    Raises
    ------
    RlsironError
        If a column is missing, doubled, misspelt or has the name of one of the answer's, or a
        column is chosen that the answer does not have.
    """
    read = _columns_read(labels, asked.columns)
    empty = pd.DataFrame({label: pd.Series(dtype=object) for label in labels})
    answer = answered(empty, asked)
    names = list(answer.columns)
    chosen = _chosen(names, labels, asked)
    written = {name: f"{asked.prefix}{name}" for name in names if name in chosen}
    for label in labels:
        if label in written.values():
            raise RlsironError(
                f"column {label!r} is in the input and in the answer; rename it, or set the "
                f"answer's names apart: --prefix {asked.prefix}rlsiron_"
            )
    not_read = [label for label in labels if label not in read.values()]
    return Plan(asked, read, not_read, written, _as_written(answer, written))


def answer_rows(
    plan: Plan,
    source: Source,
    batches: Iterable[Batch],
    sink: Sink,
    *,
    told: Callable[[int], None],
) -> Tally:
    """Write rows of a file with their answers behind them, and return the tally.

    Parameters
    ----------
    plan
        What is read and written.
    source
        Where the rows come from.
    batches, sink
        The rows, and where they go to.
    told
        Is told of the rows that were answered, after each batch.

    Raises
    ------
    RlsironError
        If the file cannot be read or written.
    """
    asked, tally = plan.asked, Tally()
    ids = tuple(guideline.id for guideline in asked.guidelines)
    for batch in batches:
        df = batch.frame(plan.read.values())
        out = answered(df, asked)
        tally.count(out, ids, source.name, batch.place)
        sink.write(batch, _as_written(out, plan.written))
        told(len(batch))
    return tally


def _as_written(out: pd.DataFrame, written: Mapping[str, str]) -> pd.DataFrame:
    """Return the chosen columns by their names there, ways out as one says them in a shell."""
    if "problems" in written:
        here = out["problems"].map(on_the_command_line).astype("category")
        out = out.assign(problems=here)
    return out[list(written)].set_axis(list(written.values()), axis=1)


def _columns_read(labels: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return for each name that is read its column, which must stand there once."""
    known = (
        *analytes(),
        *(f"{name}_unit" for name in analytes()),
        *Patient.model_fields,
        *Draw.model_fields,
    )
    read = {name: label for name in known if (label := columns.get(name, name)) in labels}
    for label in read.values():
        if labels.count(label) > 1:
            raise RlsironError(
                f"column {label!r} stands {labels.count(label)} times in the header; rename all "
                "but the one to read"
            )
    return read


def _chosen(names: Sequence[str], labels: Sequence[str], asked: Asked) -> set[str]:
    """Return the columns of the answer that are meant: by name, or one of every guideline."""
    ids = [guideline.id.replace("-", "_") for guideline in asked.guidelines]
    short = dict.fromkeys(
        name.removeprefix(f"{id_}_") for id_ in ids for name in names if name.startswith(f"{id_}_")
    )
    found = set() if asked.chosen else set(names)
    for word in asked.chosen:
        meant = {word, *(f"{id_}_{word}" for id_ in ids)} & set(names)
        if not meant:
            raise RlsironError(f"--columns {word!r} {_not_chosen(word, [*short, *names], labels)}")
        found |= meant
    return found


def _not_chosen(word: str, known: Sequence[str], labels: Sequence[str]) -> str:
    """Return why a column cannot be chosen."""
    if "=" in word:
        return f"is a pair, and chooses no column of the answer; say --column {word}"
    if word in labels:
        return "is a column of the input, all of which are written; choose of the answer's only"
    return f"is no column of the answer{did_you_mean(word, known)}"


def refuse_bare_numbers(plan: Plan, batch: Batch) -> None:
    """Refuse a column whose results have no unit, none of them: that is one fault of the call.

    `batch` are the first rows of the table; a number without a unit further down is a problem of
    its row.
    """
    df, asked = batch.frame(plan.read.values()), plan.asked
    for name, label in plan.read.items():
        if name not in analytes() or name in asked.units:
            continue
        column = df[label]
        if f"{name}_unit" in plan.read:
            column = column[df[plan.read[f"{name}_unit"]].isna()]
        if len(column) == len(df) and _is_bare(name, column, asked.decimal):
            raise without_unit(name)


def _is_bare(name: str, column: "pd.Series[Any]", decimal: str) -> bool:
    """Whether some cells are results but for their unit, and none is one with it."""
    if is_numeric(column):
        return bool(column.notna().any())
    bare = False
    for cell in column.dropna().unique().tolist():
        try:
            if not read_result(name, cell, decimal=decimal).missing:
                return False
        except UnitError:
            bare = bare or _is_a_number(name, cell, decimal)
        except ReadingError:
            continue
    return bare


def _is_a_number(name: str, cell: object, decimal: str) -> bool:
    try:
        read_result(name, cell, unit=analytes()[name].unit, decimal=decimal)
    except RlsironError:
        return False
    return True
