"""Sorts the rows of a table of draws into kinds: rows of one kind have the same answer in codes.

All that a row can say in codes depends on the words told of the patient, and for each number on the
cell between the cuts at which an answer may change. Rows that rest on whole values, such as an iron
over a binding capacity, or dates, are of one kind only where all their values are the same.
"""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import nan, prod
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron import units as lab
from rlsiron.columns import (
    Codes,
    Distinct,
    Floats,
    ResultColumn,
    distinct_cells,
    floats_of,
    is_numeric,
    key_of,
    paired,
)
from rlsiron.decision import Board, Borders, reaches
from rlsiron.errors import RlsironError, UnitError
from rlsiron.models import LabResult, Span
from rlsiron.panel import drawing
from rlsiron.patient import DATED, OLDEST, read_patient
from rlsiron.reading import ordinary, read_result

BLOCK = 1 << 15  # rows that stay in the cache
_DENSE = 1 << 20  # combinations that are counted in an array; more are hashed
_SEARCHED = 48  # cuts from where a binary search pays
_WHOLE = {"iron", "tibc", "uibc", "transferrin", *DATED}  # used by more than their cell
_NOT_GIVEN = 0

Numbers = NDArray[Any]


class Coded(NamedTuple):
    """What each row says of one input, as a number; 0 is not given.

    `keys` has for each number what rows that answer alike share, None where nothing tells: then
    only rows of one number answer alike.
    """

    codes: Numbers
    keys: Sequence[Hashable]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of the interval of each row, NaN where one is unknown."""

    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kind of each row, and the ends of what was read.

    `present` are the kinds that there are, of those under `size`, and `first` the first row of
    each. `keys` has for each of them what kinds that answer alike share, but for a value near to a
    limit: None where nothing is shared. `whole` are the rows that rest on whole values,
    `first_spans` the intervals of the first rows.
    """

    of_row: Numbers
    size: int
    present: Codes
    first: Codes
    keys: list[Hashable]
    whole: Codes
    ends: Mapping[str, Ends]
    first_spans: Mapping[str, list[Span]]

    def is_near(self, kind: int, about: Borders) -> bool:
        """Whether one of those present is within the variation of a limit, by its first row."""
        spans = self.first_spans
        return any(reaches(spans[one.analyte][kind], one) for one in about if one.analyte in spans)


def sort_rows(
    results: Mapping[str, ResultColumn],
    fields: Mapping[str, "pd.Series[Any]"],
    board: Board,
    *,
    rows: int,
    decimal: str,
) -> Kinds:
    """Return the kind of each row.

    Parameters
    ----------
    results, fields
        The columns that are read.
    board
        The tables, whose cuts tell kinds apart.
    rows
        How many rows there are.
    decimal
        The decimal sign of texts.
    """
    ends: dict[str, Ends] = {}
    coded: dict[str, Coded] = {}
    for name, result in results.items():
        if name not in _WHOLE:
            numbering = _Numbering(board, name)
            coded[name], ends[name] = _read_column(result, numbering, decimal=decimal)
    for name, column in fields.items():
        if name == "age":
            coded[name] = _ages(column, _Numbering(board, name))
        elif name == "drawn":
            coded[name] = _draws(column)
        elif name not in _WHOLE:
            coded[name] = _words(distinct_cells(column))
    kinds, size = _combined(list(coded.values()), rows)
    whole = _whole_rows(results, fields, rows)
    plain = size
    if len(whole):
        kinds, size = _with_whole(kinds, size, whole, results, fields)
    present, first = _present(kinds, size)
    keys = _keys(coded, first)
    keys[np.searchsorted(present, plain) :] = [None] * (present >= plain).sum()
    spans = {
        name: list(zip(one.low[first].tolist(), one.high[first].tolist(), strict=True))
        for name, one in ends.items()
    }
    return Kinds(kinds, size, present, first, keys, whole, ends, spans)


def _present(kinds: Numbers, size: int) -> tuple[Codes, Codes]:
    """Return which kinds there are, and the first row of each."""
    first = np.full(size, -1, np.intp)
    for start in range(0, len(kinds), BLOCK):
        block = kinds[start : start + BLOCK]
        unmet = np.flatnonzero(first[block] < 0)[::-1]
        first[block[unmet]] = start + unmet
    present = np.flatnonzero(first >= 0)
    return present, first[present]


def _keys(coded: Mapping[str, Coded], first: Codes) -> list[Hashable]:
    """Return for each kind what kinds that answer alike share, by its first row."""
    parts = [[one.keys[code] for code in one.codes[first].tolist()] for one in coded.values()]
    names = tuple(coded)
    kinds = zip(*parts, strict=True) if parts else [()] * len(first)
    return [None if None in kind else (names, kind) for kind in kinds]


class _Numbering:
    """Numbers what rows say of one input: 0 not given, then the cells, then all else as met."""

    def __init__(self, board: Board, name: str) -> None:
        coarse = board.cuts(name)
        self._cuts = board.fine_cuts(name)
        self._name = name
        self._coarse = coarse
        self._met: dict[Hashable, int] = {}
        self.keys: list[Hashable] = [_NOT_GIVEN, 1]
        self.keys += [self._key(cut) for cut in self._cuts]

    def _key(self, value: float) -> int:
        return bisect_right(self._coarse, value) + 1

    def cells(self, values: Floats) -> Numbers:
        """Return the numbers of points."""
        if len(self._cuts) > _SEARCHED:
            return np.searchsorted(self._cuts, values, side="right") + 1
        cells = np.ones(len(values), np.int8)
        flags = np.empty(min(len(values), BLOCK), bool)
        for start in range(0, len(values), BLOCK):
            within, counted = (all_[start : start + BLOCK] for all_ in (values, cells))
            beyond = flags[: len(within)]
            for cut in self._cuts:
                np.greater_equal(within, cut, out=beyond)
                counted += beyond.view(np.int8)
        return cells

    def cell(self, value: float) -> int:
        """Return the number of a point."""
        return bisect_right(self._cuts, value) + 1

    def other(self, identity: Hashable, key: Hashable) -> int:
        """Return the number of what is no plain point."""
        number = self._met.setdefault(identity, len(self.keys))
        if number == len(self.keys):
            self.keys.append(key)
        return number

    def result(self, given: object, decimal: str) -> tuple[int, float, float]:
        """Return the number of a result, and its ends."""
        try:
            read = read_result(self._name, given, decimal=decimal)
        except RlsironError as error:
            return self.other(str(error), str(error)), nan, nan
        low, high = read.span
        cells = (self.cell(low), self.cell(high))
        if read.is_point and not read.codes:
            number = cells[0]
        else:
            told = (bool(read.missing), read.bound, read.codes)
            number = self.other((told, cells), (told, self._key(low), self._key(high)))
        return number, *ends_of(read)

    def age(self, given: object) -> int:
        """Return the number of an age."""
        told = read_patient({"age": given}, errors="note")
        if told.patient.age is None:
            return self.other(told.problems, told.problems)
        return self.cell(told.patient.age)


def ends_of(result: LabResult | None) -> tuple[float, float]:
    """Return the ends of a result; NaN where one is unknown."""
    if result is None or result.low is None:
        return nan, nan
    return result.low, nan if result.high is None else result.high


def _words(distinct: Distinct) -> Coded:
    keys = (key_of(cell) for cell in distinct.cells)
    return Coded(distinct.codes + 1, [_NOT_GIVEN, *keys])


def _read_column(
    result: ResultColumn, numbering: _Numbering, *, decimal: str
) -> tuple[Coded, Ends]:
    """Return the numbers and the ends of a column of results."""
    rows = len(result.column)
    if not is_numeric(result.column):
        cells, unread = distinct_cells(result.column), None
        low, high, codes = np.full(rows, nan), np.full(rows, nan), np.zeros(rows, np.intp)
    else:
        given = floats_of(result.column)
        low = _in_canonical_unit(result, given)
        codes = numbering.cells(low)
        least, most = ordinary(result.name)
        if rows and low.min() >= least and low.max() <= most:
            return Coded(codes, numbering.keys), Ends(low, low.copy())
        plain = (low >= least) & (low <= most)
        low[~plain], codes[~plain] = nan, 0
        high = low.copy()
        unread = np.flatnonzero(~(plain | np.isnan(given)))
        result = result.taken(unread)
        cells = distinct_cells(result.column)
    pairs, pair = paired(cells, result.unit)
    read = [numbering.result(result.pair(cells.cells[cell], unit), decimal) for cell, unit in pairs]
    found = np.array([*read, (0, nan, nan)])[pair]
    codes = codes.astype(np.intp)
    rows_read = slice(None) if unread is None else unread
    codes[rows_read] = found[:, 0].astype(np.intp)
    low[rows_read], high[rows_read] = found[:, 1], found[:, 2]
    return Coded(codes, numbering.keys), Ends(low, high)


def _in_canonical_unit(result: ResultColumn, given: Floats) -> Floats:
    """Return numbers on the grid of the canonical unit; NaN where the unit is none."""
    if len(result.unit.cells) == 1:
        return lab.settle(given, lab.factor(result.name, result.unit.cells[0]))
    settled = np.full(len(given), nan)
    for at, unit in enumerate(result.unit.cells):
        try:
            factor = lab.factor(result.name, lab.unit_code(result.name, unit))
        except (UnitError, TypeError):  # a problem of the rows
            continue
        rows = result.unit.codes % len(result.unit.cells) == at
        settled[rows] = lab.settle(given[rows], factor)
    return settled


def _ages(column: "pd.Series[Any]", numbering: _Numbering) -> Coded:
    unread: Any = slice(None)
    codes: Numbers = np.zeros(len(column), np.intp)
    if is_numeric(column):
        ages = floats_of(column)
        codes = numbering.cells(ages)
        if len(ages) and ages.min() >= 0 and ages.max() <= OLDEST:
            return Coded(codes, numbering.keys)
        plain = (ages >= 0) & (ages <= OLDEST)
        codes = np.where(plain, codes, 0).astype(np.intp)
        unread = np.flatnonzero(~(plain | np.isnan(ages)))
    distinct = distinct_cells(column.iloc[unread])
    found = [numbering.age(cell) for cell in distinct.cells]
    codes[unread] = np.array([*found, 0], np.intp)[distinct.codes]
    return Coded(codes, numbering.keys)


def _draws(column: "pd.Series[Any]") -> Coded:
    """Return what is said of when the sample was drawn; the day counts for whole rows only."""
    distinct = distinct_cells(column)
    keys: list[Hashable] = [_NOT_GIVEN]
    for cell in distinct.cells:
        told = read_patient(errors="note", drawn=cell)
        keys.append((told.problems, tuple(code for code, _ in drawing(told.draw))))
    return Coded(distinct.codes + 1, keys)


def _combined(parts: Sequence[Coded], rows: int) -> tuple[Numbers, int]:
    """Return the number of each row's combination, and how many there may be."""
    size = prod(part.size for part in parts)
    if size > _DENSE:
        return _hashed(parts, rows)
    kinds = np.zeros(rows, np.int32)
    for start in range(0, rows, BLOCK):
        block = kinds[start : start + BLOCK]
        for part in parts:
            block *= part.size
            block += part.codes[start : start + BLOCK]
    return kinds, size


def _hashed(parts: Sequence[Coded], rows: int) -> tuple[Numbers, int]:
    """Return the same where there may be more combinations than can be counted."""
    kinds: Numbers = np.zeros(rows, np.int64)
    size = 1
    for part in parts:
        kinds = kinds * part.size + part.codes
        kinds, distinct = pd.factorize(kinds)
        size = len(distinct)
    return kinds, size


def _whole_rows(
    results: Mapping[str, ResultColumn], fields: Mapping[str, "pd.Series[Any]"], rows: int
) -> Codes:
    """Return the rows whose answer rests on whole values, not on their cells."""
    columns = {name: result.column for name, result in results.items()} | dict(fields)
    given = np.zeros(rows, bool)
    for name in _WHOLE & columns.keys():
        given |= columns[name].notna().to_numpy(bool)
    return np.flatnonzero(given)


def _with_whole(
    kinds: Numbers,
    size: int,
    rows: Codes,
    results: Mapping[str, ResultColumn],
    fields: Mapping[str, "pd.Series[Any]"],
) -> tuple[Numbers, int]:
    """Give the rows that rest on whole values a kind for each set of them."""
    parts = [_words(distinct_cells(column.iloc[rows])) for column in fields.values()]
    for result in results.values():
        taken = result.taken(rows)
        pairs, pair = paired(distinct_cells(taken.column), taken.unit)
        parts.append(Coded(pair + 1, [None] * (len(pairs) + 1)))
    found, more = _combined(parts, len(rows))
    kinds = kinds.astype(np.intp)
    kinds[rows] = size + found
    return kinds, size + more
