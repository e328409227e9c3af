"""Puts the answers behind the rows of a CSV file, a chunk at a time, and counts them."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TextIO

import pandas as pd

from rlsiron.csv_file import CsvFile, Row
from rlsiron.errors import ReadingError, RlsironError, UnitError
from rlsiron.frames import interpret_frame
from rlsiron.guideline import Guideline
from rlsiron.models import Draw, Patient
from rlsiron.reading import read_result
from rlsiron.report import on_the_command_line
from rlsiron.units import analytes
from rlsiron.wording import templates

CHUNK = 20_000  # rows that are held at a time

_NUMBERS = ("ferritin_low_ug_l", "ferritin_high_ug_l", "tsat_low_pct", "tsat_high_pct")
_UNREAD = ("unread-field", "unread-result")  # the notes that are problems of a row
# a value as an error shows it, which may be cut
_SHOWN = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*?(?:'|\.\.\.)|"(?:[^"\\]|\\.)*?(?:"|\.\.\.))""")
_PAIR = re.compile(r"\(…, …\)")  # a value and the unit beside it


@dataclass(slots=True)
class Problem:
    """A kind of problem: how many rows have it, and the first of them."""

    rows: int
    line: int
    example: str


@dataclass(slots=True)
class Tally:
    """What was read and answered, counted.

    Attributes
    ----------
    read
        For each name that is read the column that holds it.
    not_read
        The other columns.
    rows, unreadable
        All rows, and those with a problem.
    dispositions
        For each guideline how many rows have each disposition.
    problems
        The kinds of problems.
    """

    read: Mapping[str, str]
    not_read: Sequence[str]
    rows: int = 0
    unreadable: int = 0
    dispositions: dict[str, Counter[str]] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)


def answer_rows(
    source: CsvFile,
    sink: TextIO,
    *,
    guidelines: tuple[Guideline, ...],
    units: Mapping[str, str],
    columns: Mapping[str, str],
    decimal: Literal[".", ","],
    strict: bool,
    prefix: str,
    told: Callable[[int], None],
) -> Tally:
    """Write every row of a file with its answer behind it, and return the tally.

    Parameters
    ----------
    source, sink
        Where rows come from, and go to; with the same separator and decimal sign.
    guidelines, units, columns, decimal, strict
        As `rlsiron.frames.interpret_frame` takes them.
    prefix
        What the names of the answer's columns begin with.
    told
        Is told of the bytes that were read.

    Raises
    ------
    RlsironError
        If there is no row, a column is missing, doubled, misspelt or has the name of one of the
        answer's, numbers have no unit, or the file is not CSV.
    """
    labels = [name.strip() for name in source.header]
    read = _columns_read(labels, columns)
    tally = Tally(read, [label for label in labels if label not in read.values()])
    writer = csv.writer(sink, delimiter=source.separator, lineterminator="\n")
    for chunk in source.chunks(CHUNK):
        df = _frame(chunk, labels, set(read.values()))
        out = interpret_frame(
            df,
            guidelines=guidelines,
            units=units,
            columns=columns,
            decimal=decimal,
            strict=strict,
        )
        if not tally.rows:
            _refuse_bare_numbers(df, read, units, decimal)
        if not tally.rows:
            writer.writerow([*source.header, *_names(out, labels, prefix)])
        _count(tally, chunk, out, guidelines)
        answers = [_cells(out, name, decimal) for name in out.columns]
        writer.writerows(
            (*row.cells, *answer) for row, *answer in zip(chunk, *answers, strict=True)
        )
        told(source.position)
    if not tally.rows:
        raise RlsironError(f"{source.name} has a header and no row below it; give it rows")
    return tally


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


def _frame(chunk: Sequence[Row], labels: Sequence[str], used: set[str]) -> pd.DataFrame:
    """Return rows as a frame of texts; a blank cell is empty, and a column not used is too."""
    data: dict[str, Any] = dict.fromkeys(labels)
    for at, label in enumerate(labels):
        if label in used:
            cells = [row.cells[at].strip() or None for row in chunk]
            data[label] = pd.Series(cells, dtype="str")
    return pd.DataFrame(data, index=range(len(chunk)))


def _refuse_bare_numbers(
    df: pd.DataFrame, read: Mapping[str, str], units: Mapping[str, str], decimal: str
) -> None:
    """Refuse a column whose results have no unit, none of them: that is one fault of the call."""
    for name in analytes():
        if name not in read or name in units:
            continue
        column = df[read[name]]
        if f"{name}_unit" in read:
            column = column[df[read[f"{name}_unit"]].isna()]
        cells = column.dropna().unique().tolist()
        if len(column) == len(df) and _all_bare(name, cells, decimal):
            sample = analytes()[name].units[0]
            raise UnitError(
                f"{name} is a column of numbers with no unit; say --unit {name}={sample}, or give "
                f"a column '{name}_unit'"
            )


def _all_bare(name: str, cells: Sequence[str], decimal: str) -> bool:
    """Whether some texts are results but for their unit, and none is one with it."""
    bare = False
    for cell in cells:
        try:
            if not read_result(name, cell, decimal=decimal).missing:
                return False
        except UnitError:
            bare = bare or _is_bare(name, cell, decimal)
        except ReadingError:
            continue
    return bare


def _is_bare(name: str, cell: str, decimal: str) -> bool:
    try:
        read_result(name, cell, unit=analytes()[name].unit, decimal=decimal)
    except RlsironError:
        return False
    return True


def _names(out: pd.DataFrame, labels: Sequence[str], prefix: str) -> list[str]:
    """Return the names of the answer's columns, none of which the input has."""
    names = [f"{prefix}{name}" for name in out.columns]
    for label in labels:
        if label in names:
            raise RlsironError(
                f"column {label!r} is in the input and in the answer; rename it, or set the "
                f"answer's names apart: --prefix {prefix}rlsiron_"
            )
    return names


def _cells(out: pd.DataFrame, name: str, decimal: str) -> list[str]:
    cells = out[name].tolist()
    if name in _NUMBERS:
        return [_digits(cell).replace(".", decimal) for cell in cells]
    if name == "problems":
        said = {text: on_the_command_line(text) for text in set(cells)}
        return [said[cell] for cell in cells]
    return cells


@lru_cache(maxsize=100_000)
def _digits(number: float) -> str:
    return "" if number != number else repr(number).removesuffix(".0")  # noqa: PLR0124 - NaN


def _count(
    tally: Tally, chunk: Sequence[Row], out: pd.DataFrame, guidelines: tuple[Guideline, ...]
) -> None:
    tally.rows += len(chunk)
    for guideline in guidelines:
        met = out[f"{guideline.id.replace('-', '_')}_disposition"].tolist()
        tally.dispositions.setdefault(guideline.id, Counter()).update(met)
    for row, text in zip(chunk, out["problems"].tolist(), strict=True):
        if not text:
            continue
        tally.unreadable += 1
        for kind, example in _kinds(text).items():
            tally.problems.setdefault(kind, Problem(0, row.line, example)).rows += 1


@lru_cache(maxsize=10_000)
def _kinds(text: str) -> dict[str, str]:
    """Return the problems of a row by their kind, which is what they say of any value."""
    said: dict[str, str] = {}
    for problem in _parts(text):
        masked = _PAIR.sub("…", _SHOWN.sub("…", problem)).partition(";")[0]
        said.setdefault(masked, on_the_command_line(problem))
    return said


def _parts(text: str) -> Iterator[str]:
    """Yield the problems of a row without the notes around them."""
    around = [templates()[code].text.partition("{problem}") for code in _UNREAD]
    starts = "|".join(re.escape(before) for before, _, _ in around)
    for part in re.split(f"; (?={starts})", text):
        found = (one for one in around if part.startswith(one[0]))
        before, _, behind = next(found, ("", "", ""))
        yield part.removeprefix(before).removesuffix(behind)
