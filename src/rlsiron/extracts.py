"""Turns a long extract, a row for each result, into panels: a row for each draw.

Nothing is guessed and nothing is dropped unseen: every row is used once, or left out with its
reason. The panels do not depend on the order of the rows.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron.account import Account
from rlsiron.columns import Codes, distinct_cells, plain_cells, refuse_no_mapping
from rlsiron.draws import gather, ranked, read_times, window_of
from rlsiron.interpretation import choose
from rlsiron.models import LabResult
from rlsiron.repeats import PLAIN, Mask, settle_repeats
from rlsiron.results import ANALYTES, Columns, Results, open_long, read_results, without_blanks


class Panels(NamedTuple):
    """What became of a long extract.

    Attributes
    ----------
    panels
        A row for each draw, by patient and time, as `rlsiron.frames.interpret_frame` takes it:
        `patient`; `drawn`, the time of its first result that is not withdrawn, as it was given; the
        columns of `keep`; and each analyte as it was reported, with its unit in `<analyte>_unit`.
    left_out
        The rows that are not used, with the index of the extract, a `reason` and what it `says`.
    doubted
        The rows that are used with a doubt, in the same form, once for each doubt.
    """

    panels: pd.DataFrame
    left_out: pd.DataFrame
    doubted: pd.DataFrame


def panels_from_long(
    df: pd.DataFrame,
    *,
    tests: Mapping[Any, str] | None = None,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    window: str | timedelta = "0h",
    keep: Sequence[str] = (),
    decimal: Literal[".", ","] = ".",
) -> Panels:
    """Return a long extract as panels, with what was left out, and why.

    Parameters
    ----------
    df
        A row for each result, with the columns `patient`, `time` (datetimes, dates, or ISO 8601
        text), `test` and `value`, and where there are such: `unit` (text or OMOP concepts),
        `status` (of HL7 OBX-11 or FHIR) and `comparator` (such as ``<``, or OMOP operators).
    tests
        For your own codes and names of tests the analyte. The LOINC codes and OMOP concepts of the
        analytes are known; nothing is known by its name.
    columns
        For one of the names above the column that holds it.
    units
        For an analyte the unit of those results that state none.
    window
        How long after its first result a result is still of a draw, that moment included. By
        default one draw is what has one and the same time. A bare date is never of one draw with
        a time.
    keep
        Other columns to keep, such as ``sex`` or ``birth_date``.
    decimal
        The decimal sign of texts, by which results are compared.

    Returns
    -------
    Panels
        The panels, the rows that were left out, and the rows that are doubted. Of one analyte in
        one draw a correction replaces what is none, what was entered in error takes with it what
        says the same, and of results that are the same, whatever their units, one is used. Results
        that differ become the interval that holds them, a `LabResult` with a note. If one of them
        cannot be read, none is used.

    Raises
    ------
    RlsironError
        If a column is missing, doubled or misspelt, or `tests` names what is known to be another
        test.

    Examples
    --------
    >>> long = pd.DataFrame(
    ...     {
    ...         "patient": [7, 7, 7],
    ...         "time": ["2026-03-02T08:10", "2026-03-02T08:10", "2026-03-02T11:30"],
    ...         "test": ["2276-4", "2502-3", "30248-9"],
    ...         "value": ["62", "18", "1.4"],
    ...         "unit": ["ng/mL", "%", "mg/L"],
    ...     }
    ... )
    >>> panels, left_out, doubted = panels_from_long(long)
    >>> panels[["ferritin", "ferritin_unit", "tsat"]].values.tolist()
    [['62', 'ng/mL', '18']]
    >>> left_out[["test", "reason"]].values.tolist()
    [['30248-9', 'look-alike']]
    """
    choose("decimal", decimal, ".", ",")
    tests, columns, units = tests or {}, columns or {}, units or {}
    refuse_no_mapping(tests=tests, columns=columns, units=units)
    read = open_long(df, columns, keep)
    account, length = Account(len(df)), window_of(window)
    results = read_results(read, tests, units, decimal, account)
    patient = ranked(without_blanks(read["patient"].iloc[results.row]))
    times = read_times(read["time"].iloc[results.row])
    account.leave_out(results.row[patient < 0], "no-patient")
    account.leave_out(results.row[times.kind < 0], "no-time")

    left = account.reason[results.row] < 0
    results, times = results.taken(left), times.taken(left)
    draw, by_time = gather(patient[left], times, length)
    held, withdrawn = _settle(read, results, draw, decimal, account)
    standing = by_time[~withdrawn[by_time]]
    begins = standing[np.diff(draw[standing], prepend=-1) > 0]
    first = np.full(draw.max(initial=-1) + 1, -1)
    first[draw[begins]] = begins
    account.doubt(results.row[times.day != times.day[first[draw]]], "next-day")

    used = account.reason[results.row] < 0
    present = np.zeros(len(first), bool)
    present[draw[used]] = True
    first_row, draw = results.row[first[present]], (np.cumsum(present) - 1)[draw[used]]
    results = results.taken(used)
    panels = {
        "patient": read["patient"].array.take(first_row),
        "drawn": read["time"].array.take(first_row),
        **_agreed({name: read[name] for name in keep}, results.row, draw, account),
        **_reported(results, draw, held),
    }
    return Panels(
        pd.DataFrame(panels), account.left_out(read, df.index), account.doubted(read, df.index)
    )


def _settle(
    read: Columns, results: Results, draw: Codes, decimal: str, account: Account
) -> tuple[Mapping[int, LabResult], Mask]:
    """Settle what a draw has more than once.

    Returns
    -------
    mapping, array
        The intervals of results that differ, each by its first row; and which rows are withdrawn.
    """
    cell = draw * len(ANALYTES) + results.analyte
    order = np.argsort(cell, kind="stable")
    again = np.diff(cell[order]) == 0
    several = results.status != PLAIN
    several[order[1:][again]] = several[order[:-1][again]] = True
    at = np.flatnonzero(several)
    # of rows that say the same the first is used: by its time, then by all else that it says
    columns = [column.iloc[results.row[at]] for column in read.values()]
    at = at[np.lexsort([ranked(column) for column in reversed(columns)])]
    results = results.taken(at)
    empty = results.value.isna().to_numpy(bool)
    settled = settle_repeats(cell[at], results.status, empty, results.read(decimal))
    for reason, left_out in settled.reasons.items():
        account.leave_out(results.row[left_out], reason)
    account.doubt(results.row[settled.differ], "results-differ")
    withdrawn = np.zeros(len(draw), bool)
    withdrawn[at[settled.reasons["withdrawn"]]] = True
    return {int(results.row[one]): held for one, held in settled.held.items()}, withdrawn


def _reported(results: Results, draw: Codes, held: Mapping[int, LabResult]) -> dict[str, Any]:
    """Return the columns of the analytes and of their units, a row for each draw."""
    columns: dict[str, Any] = {}
    draws = draw.max(initial=-1) + 1
    intervals = np.isin(results.row, [*held])
    for number, name in enumerate(ANALYTES):
        rows = np.flatnonzero(results.analyte == number)
        if not len(rows):
            continue
        of_draw = np.full(draws, -1)
        of_draw[draw[rows]] = rows
        column = results.value.array.take(of_draw, allow_fill=True)
        unit = np.append(results.unit.codes, -1)[of_draw]
        differ = rows[intervals[rows]]
        if len(differ):
            column = _objects(column)
            for at, row in zip(draw[differ], results.row[differ].tolist(), strict=True):
                column[at] = held[row]
            unit[draw[differ]] = -1  # an interval has its own
        columns[name] = column
        if (unit >= 0).any():
            words = pd.Index(results.unit.cells, dtype="str")
            columns[f"{name}_unit"] = pd.Categorical.from_codes(unit, words)
    return columns


def _objects(column: Any) -> NDArray[Any]:  # noqa: ANN401 - an array of pandas or numpy
    """Return a column as cells of any type, a short float as the number that was printed."""
    cells = np.empty(len(column), object)
    cells[:] = plain_cells(pd.Series(column))
    return cells


def _agreed(columns: Columns, rows: Codes, draw: Codes, account: Account) -> dict[str, Any]:
    """Return what the rows of each draw say in other columns: where they differ, all of it."""
    agreed: dict[str, Any] = {}
    for name, column in columns.items():
        codes, cells = distinct_cells(column.iloc[rows])
        told = np.flatnonzero(codes >= 0)
        of_draw, said = (np.full(draw.max(initial=-1) + 1, -1) for _ in range(2))
        of_draw[draw[told]], said[draw[told]] = rows[told], codes[told]
        agreed[name] = column.array.take(of_draw, allow_fill=True)
        apart = np.zeros(len(said), bool)
        apart[draw[told][codes[told] != said[draw[told]]]] = True
        if not apart.any():
            continue
        account.doubt(rows[apart[draw]], "fields-differ", name)
        several = told[apart[draw[told]]]
        agreed[name] = _objects(agreed[name])
        for at, members in pd.Series(codes[several]).groupby(draw[several]):
            agreed[name][at] = " | ".join(sorted(str(cells[code]) for code in set(members)))
    return agreed
