"""Reads the columns of a long extract: which of its rows are results, and what they say."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron import units as lab
from rlsiron.account import Account
from rlsiron.catalog import document
from rlsiron.codes import code_text, local_codes, meaning_of
from rlsiron.columns import (
    Codes,
    Distinct,
    distinct_cells,
    is_numeric,
    refuse_misspelt,
    refuse_shared,
)
from rlsiron.errors import RlsironError, did_you_mean, shown
from rlsiron.repeats import CORRECTED, PLAIN, WITHDRAWN, Readings, read_all

Columns = Mapping[str, "pd.Series[Any]"]

ANALYTES = tuple(lab.analytes())
_NUMBER = {name: at for at, name in enumerate(ANALYTES)}
_NEEDED = ("patient", "time", "test", "value")
_KNOWN = (*_NEEDED, "unit", "status", "comparator")
_OWN = {"drawn", "reason", "says", *_KNOWN, *ANALYTES, *(f"{name}_unit" for name in ANALYTES)}
_CLASS = {"final": PLAIN, "unknown": PLAIN, "corrected": CORRECTED, "withdrawn": WITHDRAWN}
_NOTHING = {"", "0"}  # OMOP's concept of none


class Results(NamedTuple):
    """The rows of an extract that are results.

    Attributes
    ----------
    row
        Its place in the extract.
    analyte
        Its number among `ANALYTES`.
    status
        What its status makes of it, as `rlsiron.repeats` has it.
    value, unit
        As they were reported; a unit that is not stated is -1.
    """

    row: Codes
    analyte: Codes
    status: NDArray[Any]
    value: "pd.Series[Any]"
    unit: Distinct

    def taken(self, rows: NDArray[Any]) -> "Results":
        """Return some of them."""
        unit = Distinct(self.unit.codes[rows], self.unit.cells)
        value = self.value.iloc[rows]
        return Results(self.row[rows], self.analyte[rows], self.status[rows], value, unit)

    def read(self, decimal: str) -> Readings:
        """Return what they say."""
        return read_all(
            ANALYTES, self.analyte, distinct_cells(self.value), self.unit, decimal=decimal
        )


def open_long(df: object, columns: Mapping[str, str], keep: Sequence[str]) -> Columns:
    """Return the columns that are read, by name.

    Raises
    ------
    RlsironError
        If one is missing, doubled or misspelt.
    """
    if not isinstance(df, pd.DataFrame):
        raise RlsironError(f"{shown(df)} is not a DataFrame of pandas; give one")
    if isinstance(keep, str):
        raise RlsironError(f"keep={keep!r} is a text; give a list: [{keep!r}]")
    for name in columns:
        if name not in _KNOWN:
            raise RlsironError(f"columns= names {shown(name)}{did_you_mean(name, _KNOWN)}")
    for name in keep:
        if name in _OWN:
            raise RlsironError(f"keep= names {name!r}, a column of the panels; rename yours")
    labels: list[Any] = df.columns.tolist()
    wanted = {name: columns.get(name, name) for name in _KNOWN} | dict(zip(keep, keep, strict=True))
    found = {name: label for name, label in wanted.items() if label in labels}
    for name, label in wanted.items():
        if name not in found and (name in _NEEDED or name in columns or name in keep):
            hint = did_you_mean(label, map(str, labels))
            raise RlsironError(f"there is no column {shown(label)} for {name!r}{hint}")
        if labels.count(label) > 1:
            raise RlsironError(f"column {label!r} stands there {labels.count(label)} times")
    refuse_shared({name: label for name, label in found.items() if name in _KNOWN})
    refuse_misspelt(set(labels) - set(found.values()), [n for n in _KNOWN if n not in found])
    return {name: df[label] for name, label in found.items()}


def read_results(
    read: Columns,
    tests: Mapping[Any, str],
    units: Mapping[str, str],
    decimal: str,
    account: Account,
) -> Results:
    """Return the rows that are results of an analyte; the others are left out.

    Parameters
    ----------
    read
        The columns, as `open_long` gives them.
    tests, units, decimal
        As `rlsiron.extracts.panels_from_long` takes them.
    account
        Where is kept what is left out.

    Raises
    ------
    RlsironError
        If `tests` or `units` cannot be so.
    """
    declared = {name: lab.unit_code(name, unit) for name, unit in units.items()}
    rows, analyte, only_percent = _tests(read["test"], local_codes(tests), account)
    part = {name: column.iloc[rows] for name, column in read.items()}
    status = _statuses(part.get("status"), rows, account)
    value = _values(part, rows, account)
    account.leave_out(rows[value.isna().to_numpy(bool) & (status == PLAIN)], "no-value")
    unit = _units(part.get("unit"), analyte, declared)
    results = Results(rows, analyte, status, value, unit)
    if only_percent.any():
        _leave_out_fractions(results.taken(only_percent), decimal, account)
    return results.taken(account.reason[rows] < 0)


def _tests(
    column: "pd.Series[Any]", local: Mapping[str, str], account: Account
) -> tuple[Codes, Codes, NDArray[np.bool_]]:
    """Return the rows that are of an analyte, its number, and whether it is one in % only."""
    codes, cells = distinct_cells(column)
    meanings = [meaning_of(code_text(cell), local) for cell in [*cells, ""]]
    of_each = np.array([_NUMBER.get(one.analyte, -1) for one in meanings])[codes]
    said = [account.number(one.reason, one.what) if one.reason else -1 for one in meanings]
    account.leave_out_each(np.arange(len(codes)), np.array(said)[codes])
    for at, one in enumerate(meanings):
        if one.doubt:
            account.doubt(np.flatnonzero(codes == at), "code-remark", one.doubt)
    rows = np.flatnonzero(of_each >= 0)
    percent = np.array([one.percent for one in meanings])[codes]
    return rows, of_each[rows], percent[rows]


def _statuses(column: "pd.Series[Any] | None", rows: Codes, account: Account) -> NDArray[Any]:
    """Return what the status of each row makes of it."""
    if column is None:
        return np.full(len(rows), PLAIN)
    words = document("extracts.toml").data["status"]
    kinds = {word: kind for kind, spelled in words.items() for word in spelled} | {"": "final"}
    codes, cells = distinct_cells(column)
    said = [kinds.get(str(cell).strip().casefold(), "unknown-status") for cell in [*cells, ""]]
    left_out = [-1 if kind in _CLASS else account.number(kind) for kind in said]
    account.leave_out_each(rows, np.array(left_out)[codes])
    unknown = np.array([kind == "unknown" for kind in said])[codes]
    account.doubt(rows[unknown], "status-unknown")
    return np.array([_CLASS.get(kind, PLAIN) for kind in said])[codes]


def _values(part: Columns, rows: Codes, account: Account) -> "pd.Series[Any]":
    """Return the value of each row, with the comparator that stands beside it."""
    value = without_blanks(part["value"])
    if "comparator" not in part:
        return value
    compared, words = distinct_cells(part["comparator"])
    signs = [_sign(word) for word in [*words, ""]]
    account.leave_out(
        rows[np.array([sign is None for sign in signs])[compared]], "unknown-comparator"
    )
    if not any(signs):
        return value
    codes, cells = distinct_cells(value)
    pair = np.where(codes < 0, -1, codes * len(signs) + compared % len(signs))
    of_row, distinct = pd.factorize(pair)
    texts = []
    for one in distinct.tolist():
        cell, sign = divmod(one, len(signs))
        texts.append(None if cell < 0 else f"{signs[sign] or ''}{code_text(cells[cell])}")
    return pd.Series(np.array([*texts, None], object)[of_row], dtype="str")


def without_blanks(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column where a blank text is empty."""
    if is_numeric(column):
        return column
    codes, cells = distinct_cells(column)
    blank = [isinstance(cell, str) and not cell.strip() for cell in cells]
    return column.mask(np.array([*blank, False])[codes]) if any(blank) else column


def _sign(word: object) -> str | None:
    """Return a comparator as it stands before a number; None for one that is not known."""
    operators = document("analytes.toml").data["omop"]["operators"]
    code = code_text(word)
    sign = operators.get(code, "" if code in _NOTHING else code)
    known = {"": "", **lab.spellings()["comparators"]}
    return known.get(" ".join(sign.casefold().split()))


def _units(
    column: "pd.Series[Any] | None", analyte: Codes, declared: Mapping[str, str]
) -> Distinct:
    """Return the unit of each row: its own, else the declared one."""
    codes, cells = (np.full(len(analyte), -1), []) if column is None else distinct_cells(column)
    concepts = document("analytes.toml").data["omop"]["units"]
    texts = [concepts.get(text, text) for text in map(code_text, cells)]
    units = sorted({*texts, *declared.values()} - _NOTHING)
    place = dict.fromkeys(_NOTHING, -1) | {text: at for at, text in enumerate(units)}
    own = np.array([*(place[text] for text in texts), -1])[codes]
    for name, unit in declared.items():
        own[(own < 0) & (analyte == _NUMBER[name])] = place[unit]
    return Distinct(own, units)


def _leave_out_fractions(results: Results, decimal: str, account: Account) -> None:
    """Leave out what is a saturation in % only, and is not in %."""
    read = results.read(decimal)
    percent = np.array([bool(one and one.unit == "%") for one in read.results])
    account.leave_out(results.row[~percent[read.of_row]], "needs-percent")
