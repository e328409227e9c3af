"""Settles what several rows of one test in one draw say: what is withdrawn, replaced or the same.

Which of two results is right is never guessed: the interval that holds both stands in their place.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlsiron.columns import Codes, Distinct
from rlsiron.errors import RlsironError
from rlsiron.models import Bound, LabResult
from rlsiron.reading import read_result

PLAIN, CORRECTED, WITHDRAWN = range(3)

Mask = NDArray[np.bool_]


class Readings(NamedTuple):
    """What rows say, each distinct result read once.

    Attributes
    ----------
    of_row
        Which of `results` each row says.
    results
        In the order of their texts; None where one cannot be read.
    """

    of_row: Codes
    results: Sequence[LabResult | None]


class Settled(NamedTuple):
    """What became of rows.

    Attributes
    ----------
    reasons
        By the code of the reason, the rows that are left out.
    differ
        The rows that differ from others of their cell.
    held
        The first row of each cell whose results differ, with the interval that stands for all.
    """

    reasons: dict[str, Mask]
    differ: Mask
    held: dict[int, LabResult]


def read_all(
    names: Sequence[str], analyte: Codes, value: Distinct, unit: Distinct, decimal: str
) -> Readings:
    """Return what rows say; an empty value is a missing result.

    Parameters
    ----------
    names
        Of the analytes.
    analyte, value, unit
        Of each row.
    decimal
        The decimal sign of texts.
    """
    values, units = [*value.cells, ""], [*unit.cells, None]
    shape = len(values), len(units), len(names)
    joined = np.ravel_multi_index((value.codes, unit.codes, analyte), shape, mode="wrap")
    distinct, of_row = np.unique(joined, return_inverse=True)
    parts = [
        (names[name], values[value_], units[unit_])
        for value_, unit_, name in zip(*np.unravel_index(distinct, shape), strict=True)
    ]
    # by text, not as met: what comes first must not depend on the order of the rows
    texts = [(str(cell), type(cell).__name__, str(stated)) for _, cell, stated in parts]
    by_text = sorted(range(len(parts)), key=texts.__getitem__)
    place = np.empty(len(parts), np.intp)
    place[by_text] = np.arange(len(parts))
    return Readings(place[of_row], [_read(*parts[at], decimal) for at in by_text])


def _read(name: str, cell: object, unit: str | None, decimal: str) -> LabResult | None:
    try:
        return read_result(name, cell, unit=unit, decimal=decimal)
    except RlsironError:
        return None


def settle_repeats(cell: Codes, status: NDArray[Any], empty: Mask, read: Readings) -> Settled:
    """Return which rows of each cell are used.

    Parameters
    ----------
    cell
        Of each row the number of its draw and test.
    status
        `PLAIN`, `CORRECTED` (replaces what is not) or `WITHDRAWN` (and so is what says the same, or
        all that is not corrected where it says no value).
    empty
        The rows that have no value.
    read
        What the rows say.
    """
    same = _same(read.results)[read.of_row]
    order = np.lexsort((read.of_row, same, cell))
    cell, same, status, said = cell[order], same[order], status[order], read.of_row[order]
    missing = np.array([bool(one and one.missing) for one in read.results], bool)[said]
    unread = np.array([one is None for one in read.results], bool)[said]
    in_cell, in_pair = _any_among(cell), _any_among(cell, same)
    reasons: dict[str, Mask] = {}
    live = np.ones(len(order), bool)

    def leave_out(code: str, rows: Mask) -> None:
        reasons[code] = np.zeros(len(order), bool)
        reasons[code][order] = live & rows
        live[rows] = False

    withdrawn, corrected = status == WITHDRAWN, status == CORRECTED
    vague = in_cell(withdrawn & (missing | unread)) & ~corrected
    leave_out("withdrawn", in_pair(withdrawn) | vague)
    leave_out("replaced", in_cell(corrected) & ~corrected)  # by one that is withdrawn too
    leave_out("no-value", empty[order])
    leave_out("no-result", missing & in_cell(live & ~missing))
    leave_out("duplicate", ~_first(live, cell, same))
    differ = live & ~_first(live, cell)
    differ = live & in_cell(differ)
    leave_out("conflict", differ & in_cell(differ & unread))
    differ &= live
    rows = np.flatnonzero(differ)
    held = {
        int(order[group[0]]): _holding([read.results[at] for at in said[group]])
        for group in np.split(rows, np.flatnonzero(np.diff(cell[rows])) + 1)
        if len(group)
    }
    told = np.zeros(len(order), bool)
    told[order] = differ
    return Settled(reasons, told, held)


def _same(results: Sequence[LabResult | None]) -> Codes:
    """Return for each result what those share that say the same; one not read is like no other."""
    met: dict[object, int] = {}
    keys = (at if one is None else (one.span, one.missing != "") for at, one in enumerate(results))
    return np.array([met.setdefault(key, len(met)) for key in keys], np.intp)


def _begins(*keys: Codes) -> Mask:
    """Return where a group of rows begins that share all keys."""
    begins = np.ones(len(keys[0]), bool)
    begins[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return begins


def _any_among(*keys: Codes) -> Callable[[Mask], Mask]:
    """Return what tells of each row whether something holds of one of its group."""
    group = np.cumsum(_begins(*keys)) - 1

    def any_among(rows: Mask) -> Mask:
        found: Mask = np.zeros(len(group), bool)
        found[group[rows]] = True
        told: Mask = found[group]
        return told

    return any_among


def _first(live: Mask, *keys: Codes) -> Mask:
    """Return the live rows that have no live row of their group before them."""
    begins = np.flatnonzero(_begins(*keys))
    met: Codes = np.cumsum(live) - live
    before: Codes = np.repeat(met[begins], np.diff(begins, append=len(live)))
    first: Mask = live & (met == before)
    return first


def _holding(results: Sequence[Any]) -> LabResult:
    """Return the interval that holds some results."""
    low, low_open = min((one.low, one.low_open) for one in results)
    high, closed = max(
        (inf if one.high is None else one.high, not one.high_open) for one in results
    )
    doubts = {code for one in results for code in one.codes if code == "implausible"}
    return LabResult.trusted(
        analyte=results[0].analyte,
        reported="; ".join(one.reported for one in results),
        unit=results[0].unit,
        low=low,
        high=None if high == inf else high,
        low_open=low_open,
        high_open=not closed and high < inf,
        bound=_bound(low, high, low_open=low_open, high_open=not closed),
        half_step=0.0,
        missing="",
        codes=("results-differ", *doubts),
    )


def _bound(low: float, high: float, *, low_open: bool, high_open: bool) -> Bound:
    """Return the comparator of an interval with an end that says nothing."""
    if high == inf:
        return ">" if low_open else ">="
    if low == 0:
        return "<" if high_open else "<="
    return ""
