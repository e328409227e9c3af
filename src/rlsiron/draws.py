"""Gathers results into draws: those of one patient that lie within a window of the first of them.

A bare date, a time, and a time with a zone cannot be compared: they are never of one draw.
"""

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from rlsiron.columns import Codes, distinct_cells
from rlsiron.errors import RlsironError, shown
from rlsiron.models import Moment

Steps = NDArray[np.int64]

_MOMENT: TypeAdapter[Any] = TypeAdapter(Moment)
_KINDS = 3  # a bare date, a time, a time with a zone
_DATE, _CLOCK, _ZONED = range(_KINDS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = datetime.resolution
_NS_IN_DAY = 86_400 * 10**9


class Times(NamedTuple):
    """When each row was drawn.

    Attributes
    ----------
    kind
        Whether it is a bare date, a time, or one with a zone; -1 where it cannot be read.
    instant
        In steps since 1970.
    order
        A number that sorts instants, and tells apart texts of one instant.
    day
        Of the calendar where it was drawn.
    step
        Nanoseconds of one step.
    """

    kind: NDArray[np.int8]
    instant: Steps
    order: Steps
    day: Steps
    step: int

    def taken(self, rows: Any) -> "Times":  # noqa: ANN401 - whatever numpy takes
        """Return those of some rows."""
        kind, instant, order, day = (one[rows] for one in self[:-1])
        return Times(kind, instant, order, day, self.step)


def window_of(given: object) -> int:
    """Return how long a window is, in nanoseconds.

    Raises
    ------
    RlsironError
        If it is no length of time with a unit.

    Examples
    --------
    >>> window_of("2h")
    7200000000000
    """
    bare = isinstance(given, int | float) or (isinstance(given, str) and given.strip().isdigit())
    try:
        length = None if bare else pd.Timedelta(given)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        length = None
    if length is None or not length >= pd.Timedelta(0):  # NaT is no length
        raise RlsironError(f"window {shown(given)} is no length of time; give one such as '2h'")
    return length.as_unit("ns").value


def read_times(column: "pd.Series[Any]") -> Times:
    """Return the times of a column: datetimes, dates, or ISO 8601 text."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _of_datetimes(column, column.dt.tz_localize(None), _ZONED)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        return _of_datetimes(column, column, _CLOCK)
    codes, cells = distinct_cells(column)
    read = [*map(_moment, cells), (-1, 0, 0)]
    found = np.array(read, np.int64)
    order = np.empty(len(read), np.int64)
    texts = [*((str(cell), type(cell).__name__) for cell in cells), ("", "")]
    by_time = sorted(range(len(read)), key=lambda at: (read[at], texts[at]))
    order[by_time] = np.arange(len(read))
    kind, instant, day = found.T
    return Times(kind[codes].astype(np.int8), instant[codes], order[codes], day[codes], 1000)


def _of_datetimes(column: "pd.Series[Any]", local: "pd.Series[Any]", kind: int) -> Times:
    """Return the times of a column that has a type of them."""
    unit: Any = np.datetime_data(local.to_numpy().dtype)[0]
    step = pd.Timedelta(1, unit).as_unit("ns").value
    instant = column.to_numpy(f"datetime64[{unit}]").view(np.int64)
    day = local.to_numpy().view(np.int64) // (_NS_IN_DAY // step)
    readable = np.full(len(column), kind, np.int8)
    readable[column.isna()] = -1
    year = local.dt.year.fillna(0).astype(int)
    for one in year.unique().tolist():
        if not MINYEAR <= one <= MAXYEAR or _moment(date(one, 1, 1))[0] < 0:
            readable[year == one] = -1
    return Times(readable, instant, instant, day, step)


def _moment(given: object) -> tuple[int, int, int]:
    """Return the kind, the microsecond and the day of one time, by the reader of `drawn`."""
    try:
        moment = _MOMENT.validate_python(given)
    except ValidationError:
        return -1, 0, 0
    day = moment.toordinal() - _EPOCH.toordinal()
    if not isinstance(moment, datetime):
        return _DATE, day * _NS_IN_DAY // 1000, day
    zoned = moment.tzinfo is not None
    since = (moment if zoned else moment.replace(tzinfo=UTC)) - _EPOCH
    return (_ZONED if zoned else _CLOCK), since // _MICROSECOND, day


def ranked(column: "pd.Series[Any]") -> Codes:
    """Return a number for the cell of each row, in the order of the cells; -1 where it is empty."""
    codes, cells = distinct_cells(column)
    place = np.full(len(cells) + 1, -1, np.intp)
    place[sorted(range(len(cells)), key=_comparable(cells).__getitem__)] = np.arange(len(cells))
    return place[codes]


def _comparable(cells: list[Any]) -> list[Any]:
    """Return what sorts cells: themselves where they are of one type that sorts."""
    if any({type(cell) for cell in cells} <= {type_} for type_ in (int, float, str)):
        return cells
    return [(type(cell).__name__, str(cell)) for cell in cells]


def gather(patient: Codes, times: Times, window: int) -> tuple[Codes, Codes]:
    """Return for each row the number of its draw, and the rows in the order of time.

    Draws are numbered by patient, and for each by time.

    Parameters
    ----------
    patient, times
        Of each row.
    window
        Nanoseconds from the first result of a draw to its last, both ends among them.
    """
    group = patient * _KINDS + times.kind
    order = np.lexsort((times.order, group))
    group, at = group[order], times.instant[order]
    width = window // times.step
    begins = np.ones(len(order), bool)
    begins[1:] = (group[1:] != group[:-1]) | (np.diff(at) > width)
    _part(begins, at, width)
    draw = np.empty(len(order), np.intp)
    draw[order] = np.cumsum(begins) - 1
    return draw, order


def _part(begins: NDArray[np.bool_], at: Steps, width: int) -> None:
    """Part what hangs together row by row and is longer than a window, all at once, in place."""
    row = np.flatnonzero(begins)
    end = np.append(row[1:], len(at))[: len(row)]
    long = at[end - 1] - at[row] > width
    row, end = row[long], end[long]
    first = at[row]
    while len(row):
        beyond = at[row] - first > width
        begins[row[beyond]] = True
        first = np.where(beyond, at[row], first)
        row = row + 1
        left = row < end
        row, end, first = row[left], end[left], first[left]
