"""Sorts the rows of a table of draws into kinds: rows of one kind have the same answer in codes.

All that a row can say in codes depends on the words told of the patient, and for each number on the
cell between the cuts at which an answer may change. Rows that rest on whole values, such as dates
or a transferrin, are of one kind only where all their values are the same. A TSAT that is iron over
TIBC is a number as a reported one is, where no more is told of both and no other reading differs.
"""

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import nan, prod
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron.board import Board
from rlsiron.columns import Codes, ResultColumn, distinct_cells, paired
from rlsiron.decision import Borders, reaches
from rlsiron.models import Span
from rlsiron.numbering import (
    BLOCK,
    NOT_GIVEN,
    Coded,
    Ends,
    Numbering,
    Numbers,
    half_steps,
    number_ages,
    number_draws,
    number_results,
    number_words,
)
from rlsiron.panel import is_same, saturation
from rlsiron.patient import DATED
from rlsiron.reading import ordinary
from rlsiron.units import settle

_DENSE = 1 << 20  # combinations that are counted in an array; more are hashed
_WHOLE = {"iron", "tibc", "uibc", "transferrin", *DATED}  # used by more than their cell
_PARTS = {"iron", "tibc"}

Flags = NDArray[np.bool_]


class Unmet(NamedTuple):
    """The kinds of which nothing is known yet, by the first row of each.

    `keys` has for each of them what kinds that answer alike share, but for a value near to a limit:
    None where nothing is shared. `spans` are the intervals of the first rows.
    """

    kinds: Codes
    first: Codes
    keys: list[Hashable]
    spans: Mapping[str, list[Span]]

    def is_near(self, at: int, about: Borders) -> bool:
        """Whether one of them is within the variation of a limit."""
        spans = self.spans
        return any(reaches(spans[one.analyte][at], one) for one in about if one.analyte in spans)


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kind of each row, and the ends of what was read.

    `of_row` are numbers under `size`. Those from `plain` on are of the rows that rest on whole
    values, `whole`. `partitions` is what each input says.
    """

    of_row: Numbers
    size: int
    plain: int
    whole: Codes
    ends: Mapping[str, Ends]
    parts: Mapping[str, Coded]

    @property
    def meaning(self) -> Hashable:
        """What the numbers under `plain` stand for, in any table of that meaning; or None."""
        if prod(part.size for part in self.parts.values()) > _DENSE:
            return None  # numbered as they were met
        meanings = [part.meaning for part in self.parts.values()]
        return None if None in meanings else (tuple(self.parts), tuple(meanings))

    def places(self, of_kind: Codes) -> Numbers:
        """Return for each row what `of_kind` has for its kind."""
        places = np.empty(len(self.of_row), np.intp)
        table = of_kind
        for start in range(0, len(places), BLOCK):
            block = self.of_row[start : start + BLOCK].astype(np.intp)
            table.take(block, out=places[start : start + BLOCK], mode="clip")  # none is out of it
        return places

    def unmet(self, places: Numbers) -> Unmet:
        """Return the kinds of the rows whose place is less than 0."""
        first = np.full(self.size, -1, np.intp)
        for start in range(0, len(places), BLOCK):
            block = self.of_row[start : start + BLOCK]
            rows = np.flatnonzero(places[start : start + BLOCK] < 0)
            rows = rows[first[block[rows]] < 0][::-1]
            first[block[rows]] = start + rows
        kinds = np.flatnonzero(first >= 0)
        first = first[kinds]
        keys = _keys(self.parts, first)
        keys[np.searchsorted(kinds, self.plain) :] = [None] * (kinds >= self.plain).sum()
        spans = {
            name: list(zip(one.low[first].tolist(), one.high[first].tolist(), strict=True))
            for name, one in self.ends.items()
        }
        return Unmet(kinds, first, keys, spans)


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
    parts: dict[str, Coded] = {}
    for name, result in results.items():
        if name not in _WHOLE:
            numbering = Numbering(board, name)
            parts[name], ends[name] = number_results(result, numbering, decimal=decimal)
    for name, column in fields.items():
        if name == "age":
            parts[name] = number_ages(column, Numbering(board, name))
        elif name == "drawn":
            parts[name] = number_draws(column)
        elif name not in _WHOLE:
            parts[name] = number_words(distinct_cells(column))
    given = {name: result.column for name, result in results.items()} | dict(fields)
    whole = _have(given, _WHOLE, rows)
    if given.keys() >= _PARTS:
        others = _have(given, _WHOLE - _PARTS, rows)
        whole &= ~_compute(results, parts, ends, board, others=others, decimal=decimal)
    kinds, size = _combined(list(parts.values()), rows)
    at = np.flatnonzero(whole)
    plain = size
    if len(at):
        kinds, size = _with_whole(kinds, size, at, results, fields)
    return Kinds(kinds, size, plain, at, ends, parts)


def _compute(
    results: Mapping[str, ResultColumn],
    parts: dict[str, Coded],
    ends: dict[str, Ends],
    board: Board,
    *,
    others: Flags,
    decimal: str,
) -> Flags:
    """Put down the TSAT of the rows where it is iron over TIBC, and return which these are.

    Both are points of which no more is told, a reported TSAT is the same one, and there are no
    `others` that tell of it.
    """
    read = {
        name: number_results(results[name], Numbering(board, name), decimal=decimal)
        for name in sorted(_PARTS)
    }
    (iron, of_iron), (tibc, of_tibc) = read.values()
    at = np.flatnonzero(iron.is_plain & tibc.is_plain & ~others)
    values = settle(saturation(of_iron.low[at], of_tibc.low[at]))
    least, most = ordinary("tsat")
    fits = (values >= least) & (values <= most)
    if "tsat" in parts:
        reported, steps = ends["tsat"].low[at], half_steps(results["tsat"].taken(at), decimal)
        alike = parts["tsat"].is_plain[at] & is_same(values, reported, steps)
        fits &= alike | (parts["tsat"].codes[at] == NOT_GIVEN)
    at, values = at[fits], values[fits]
    computed = np.zeros(len(others), bool)
    computed[at] = True
    parts |= {name: coded.only(computed) for name, (coded, _) in read.items()}
    ends |= {name: own for name, (_, own) in read.items()}
    numbering = Numbering(board, "tsat")
    codes = np.full(len(others), NOT_GIVEN)
    codes[at], _ = numbering.points(len(at), values.__getitem__, (least, most))
    parts["iron/tibc"] = numbering.coded(codes)
    ends.setdefault("tsat", Ends(*np.full((2, len(others)), nan)))
    for end in ends["tsat"]:
        end[at] = values
    return computed


def _keys(parts: Mapping[str, Coded], first: Codes) -> list[Hashable]:
    """Return for each kind what kinds that answer alike share, by its first row."""
    said = [[one.keys[code] for code in one.codes[first].tolist()] for one in parts.values()]
    names = tuple(parts)
    kinds = zip(*said, strict=True) if said else [()] * len(first)
    return [None if None in kind else (names, kind) for kind in kinds]


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


def _have(columns: "Mapping[str, pd.Series[Any]]", names: AbstractSet[str], rows: int) -> Flags:
    """Return the rows in which one of some columns is not empty."""
    given = np.zeros(rows, bool)
    for name in names & columns.keys():
        given |= columns[name].notna().to_numpy(bool)
    return given


def _with_whole(
    kinds: Numbers,
    size: int,
    rows: Codes,
    results: Mapping[str, ResultColumn],
    fields: Mapping[str, "pd.Series[Any]"],
) -> tuple[Numbers, int]:
    """Give the rows that rest on whole values a kind for each set of them."""
    parts = [number_words(distinct_cells(column.iloc[rows])) for column in fields.values()]
    for result in results.values():
        taken = result.taken(rows)
        pairs, pair = paired(distinct_cells(taken.column), taken.unit)
        parts.append(Coded(pair + 1, [None] * (len(pairs) + 1), None))
    found, more = _combined(parts, len(rows))
    kinds = kinds.astype(np.intp)
    kinds[rows] = size + found
    return kinds, size + more
