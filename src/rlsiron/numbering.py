"""Numbers what each row of a table of draws says of one input.

Rows of one number are answered alike: for a result or an age the number is that of the cell between
the cuts at which an answer may change, unless more than a plain value is told.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from math import ceil, inf, nan
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlsiron import units as lab
from rlsiron.board import Board
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
    with_unit,
)
from rlsiron.errors import RlsironError, UnitError
from rlsiron.models import LabResult, Span
from rlsiron.panel import drawing
from rlsiron.patient import OLDEST, read_patient
from rlsiron.reading import ordinary, read_result

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 1 << 16  # rows that stay in the cache
_BUCKETS = 16  # to a unit; a power of two, so that a multiple is exact
NOT_GIVEN = 0
_SPLIT = 0  # no cell has that number

Numbers = NDArray[Any]
Opened = Callable[[slice], Floats]


class Coded(NamedTuple):
    """What each row says of one input, as a number; 0 is not given.

    `keys` has for each number what rows that answer alike share, None where nothing tells: then
    only rows of one number answer alike. `meaning` tells what the numbers stand for: where it is
    that of another table, so are they. None where it cannot be. Numbers from 1 to under `plain` are
    of a point of which no more is told.
    """

    codes: Numbers
    keys: Sequence[Hashable]
    meaning: Hashable
    plain: int = 1

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.keys)

    @property
    def is_plain(self) -> NDArray[np.bool_]:
        """Which rows hold a point of which no more is told."""
        return (self.codes > NOT_GIVEN) & (self.codes < self.plain)

    def only(self, rows: NDArray[np.bool_]) -> "Coded":
        """Return the points of some rows that hold plain ones, as if the others held nothing."""
        codes = np.where(rows, self.codes, NOT_GIVEN)
        return Coded(codes, self.keys[: self.plain], (), self.plain)


class Ends(NamedTuple):
    """The ends of the interval of each row, NaN where one is unknown."""

    low: Floats
    high: Floats


@lru_cache(maxsize=64)
def _of_buckets(cuts: tuple[float, ...]) -> Numbers:
    """Return for each bucket the number of the cell that it lies in; the last one has no end."""
    edges = np.arange(ceil(cuts[-1] if cuts else 0) * _BUCKETS + 1) / _BUCKETS
    ends = np.append(np.nextafter(edges[1:], 0), inf)
    low, high = (np.searchsorted(cuts, each, side="right") + 1 for each in (edges, ends))
    width = np.int8 if len(cuts) < 126 else np.int32  # noqa: PLR2004
    return np.where(low == high, low, _SPLIT).astype(width)


class _Read(NamedTuple):
    """One result as it was read: its interval, its ends, and what else it says.

    `told` is None of a plain point.
    """

    span: Span
    ends: tuple[float, float]
    told: Hashable
    half_step: float = nan


class Numbering:
    """Numbers what rows say of one input: 0 not given, then the cells, then all else as met."""

    def __init__(self, board: Board, name: str) -> None:
        coarse = board.cuts(name)
        self._cuts = board.fine_cuts(name)
        self._of_bucket = _of_buckets(self._cuts)
        self._coarse = coarse
        self._met: dict[Hashable, int] = {}
        self._keys: list[Hashable] = [NOT_GIVEN, 1]
        self._keys += [self._key(cut) for cut in self._cuts]

    def coded(self, codes: Numbers) -> Coded:
        """Return the numbers of all rows, when all are numbered."""
        return Coded(codes, self._keys, tuple(self._met), len(self._cuts) + 2)

    def _key(self, value: float) -> int:
        return bisect_right(self._coarse, value) + 1

    def points(self, rows: int, opened: Opened, span: Span) -> tuple[Numbers, Codes]:
        """Return the numbers of the points in a span, and all other rows.

        `opened` gives the values of a block of rows.
        """
        least, most = span
        codes = np.empty(rows, self._of_bucket.dtype)
        other = []
        for start in range(0, rows, BLOCK):
            block = slice(start, start + BLOCK)
            values = opened(block)
            if values.min() >= least and values.max() <= most:  # of an empty cell neither is
                codes[block] = self._cells(values)
                continue
            plain = (values >= least) & (values <= most)
            codes[block] = np.where(plain, self._cells(np.where(plain, values, least)), NOT_GIVEN)
            other.append(start + np.flatnonzero(~plain))
        return codes, np.concatenate(other) if other else np.empty(0, np.intp)

    def _cells(self, values: Floats) -> Numbers:
        """Return the numbers of points, none of which is less than 0."""
        cells = self._of_bucket.take((values * _BUCKETS).astype(np.intp), mode="clip")
        split = np.flatnonzero(cells == _SPLIT)
        cells[split] = np.searchsorted(self._cuts, values[split], side="right") + 1
        return cells

    def _cell(self, value: float) -> int:
        return bisect_right(self._cuts, value) + 1

    def _other(self, identity: Hashable, key: Hashable) -> int:
        """Return the number of what is no plain point."""
        number = self._met.setdefault(identity, len(self._keys))
        if number == len(self._keys):
            self._keys.append(key)
        return number

    def results(self, read: Sequence[_Read]) -> Numbers:
        """Return the numbers of results."""
        lows = [span[0] for span, *_ in read]
        numbers = np.searchsorted(self._cuts, lows, side="right") + 1
        for at, (span, _, told, _) in enumerate(read):
            if told is not None:
                cells, keys = zip(*((self._cell(end), self._key(end)) for end in span), strict=True)
                numbers[at] = self._other((told, cells), (told, keys))
        return numbers

    def age(self, given: object) -> int:
        """Return the number of an age."""
        told = read_patient({"age": given}, errors="note")
        if told.patient.age is None:
            return self._other(told.problems, told.problems)
        return self._cell(told.patient.age)


def _read(name: str, cell: object, unit: object, decimal: str) -> _Read:
    """Return one result."""
    try:
        result = read_result(name, with_unit(cell, unit), decimal=decimal)
    except RlsironError as error:
        return _Read((nan, nan), (nan, nan), str(error))
    told = (bool(result.missing), result.bound, result.codes)
    plain = result.is_point and not result.codes
    return _Read(result.span, ends_of(result), None if plain else told, result.half_step)


_read_again = lru_cache(maxsize=1 << 16)(_read)


def _read_once(name: str, cell: object, unit: object, decimal: str) -> _Read:
    """Return one result; a text that was read in an earlier table is not read again."""
    texts = type(cell) is str and (unit is None or type(unit) is str)
    return (_read_again if texts else _read)(name, cell, unit, decimal)


def ends_of(result: LabResult | None) -> tuple[float, float]:
    """Return the ends of a result; NaN where one is unknown."""
    if result is None or result.low is None:
        return nan, nan
    return result.low, nan if result.high is None else result.high


def number_words(distinct: Distinct) -> Coded:
    """Return the numbers of a column of words."""
    keys = (NOT_GIVEN, *(key_of(cell) for cell in distinct.cells))
    return Coded(distinct.codes + 1, keys, None if None in keys else keys)


def number_results(
    result: ResultColumn, numbering: Numbering, *, decimal: str
) -> tuple[Coded, Ends]:
    """Return the numbers and the ends of a column of results."""
    rows = len(result.column)
    ends = Ends(np.empty(rows), np.empty(rows))
    if is_numeric(result.column):
        codes, unread = _read_numbers(result, numbering, ends)
        if not len(unread):
            return numbering.coded(codes), ends
        result = result.taken(unread)
    else:
        codes, unread = np.empty(rows, np.intp), slice(None)
    read, of_row = _read_distinct(result, decimal)
    codes = codes.astype(np.intp, copy=False)
    codes[unread] = np.append(numbering.results(read), NOT_GIVEN)[of_row]
    for at, end in enumerate(ends):
        end[unread] = np.array([*(one.ends[at] for one in read), nan])[of_row]
    return numbering.coded(codes), ends


def half_steps(result: ResultColumn, decimal: str) -> Floats:
    """Return half of the last printed digit of each row; NaN where none is read."""
    read, of_row = _read_distinct(result, decimal)
    return np.array([*(one.half_step for one in read), nan])[of_row]


def _read_distinct(result: ResultColumn, decimal: str) -> tuple[list[_Read], Codes]:
    """Return the distinct results, and the place of that of each row; -1 where it is empty."""
    cells = distinct_cells(result.column)
    pairs, of_row = paired(cells, result.unit)
    units = result.unit.cells
    read = [
        _read_once(result.name, cells.cells[cell], units[unit], decimal) for cell, unit in pairs
    ]
    return read, of_row


def _read_numbers(result: ResultColumn, numbering: Numbering, ends: Ends) -> tuple[Numbers, Any]:
    """Return the numbers of plain points, whose ends are put down, and all other rows."""
    given = floats_of(result.column)
    canonical = _canonical(result)

    def opened(block: slice) -> Floats:
        values = canonical(given[block], block)
        ends.low[block] = ends.high[block] = values
        return values

    codes, other = numbering.points(len(given), opened, ordinary(result.name))
    return codes, other[~np.isnan(given[other])]


def _canonical(result: ResultColumn) -> Callable[[Floats, slice], Floats]:
    """Return what puts numbers on the grid of the canonical unit; NaN where the unit is none."""
    stated = result.unit.cells
    if len(stated) == 1:
        only = lab.factor(result.name, stated[0])
        return lambda values, _: lab.settle(values, only)
    factors = [_factor(result.name, unit) for unit in stated]

    def of_rows(values: Floats, block: slice) -> Floats:
        settled = np.full(len(values), nan)
        units = result.unit.codes[block] % len(stated)
        for unit in np.unique(units).tolist():
            rows = units == unit
            if factor := factors[unit]:
                settled[rows] = lab.settle(values[rows], factor)
        return settled

    return of_rows


def _factor(name: str, unit: object) -> lab.Factor | None:
    try:
        return lab.factor(name, lab.unit_code(name, unit))
    except (UnitError, TypeError):  # a problem of the rows
        return None


def number_ages(column: "pd.Series[Any]", numbering: Numbering) -> Coded:
    """Return the numbers of a column of ages."""
    unread: Any = slice(None)
    codes: Numbers = np.empty(len(column), np.intp)
    if is_numeric(column):
        ages = floats_of(column)
        codes, other = numbering.points(len(ages), ages.__getitem__, (0.0, float(OLDEST)))
        unread = other[~np.isnan(ages[other])]
        if not len(unread):
            return numbering.coded(codes)
    distinct = distinct_cells(column.iloc[unread])
    found = [numbering.age(cell) for cell in distinct.cells]
    codes = codes.astype(np.intp, copy=False)
    codes[unread] = np.array([*found, NOT_GIVEN], np.intp)[distinct.codes]
    return numbering.coded(codes)


def number_draws(column: "pd.Series[Any]") -> Coded:
    """Return what is said of when the sample was drawn; the day counts for whole rows only."""
    distinct = distinct_cells(column)
    keys: list[Hashable] = [NOT_GIVEN]
    for cell in distinct.cells:
        told = read_patient(errors="note", drawn=cell)
        keys.append((told.problems, tuple(code for code, _ in drawing(told.draw))))
    return Coded(distinct.codes + 1, keys, tuple(keys))
