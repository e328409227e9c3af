"""Counts who changes class between guidelines, or between cut-offs of one's own."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from math import prod
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron.columns import distinct_cells, find_columns, refuse_no_mapping
from rlsiron.dataframes import open_frame
from rlsiron.errors import RlsironError, did_you_mean, shown
from rlsiron.frames import answer_part
from rlsiron.interpretation import DEFAULT_GUIDELINES, board_of, choose
from rlsiron.models import Disposition

_WORDS = get_args(Disposition)


def compare_guidelines(
    df: object,
    *,
    guidelines: Any = DEFAULT_GUIDELINES,  # noqa: ANN401 - checked where they are loaded
    units: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    decimal: Literal[".", ","] = ".",
    strict: bool = False,
    by: Hashable | None = None,
    said: Literal["disposition", "criterion"] = "disposition",
) -> pd.DataFrame:
    """Return how many rows have which disposition under one guideline and under another.

    Parameters
    ----------
    df
        A frame of any kind, as `rlsiron.frames.interpret_frame` takes it.
    guidelines
        Two or more: ids, paths of guideline files, or `Guideline` objects. A file that ``extends``
        a guideline with another limit shows whom that limit moves.
    units, columns, decimal, strict
        As `rlsiron.frames.interpret_frame` takes them.
    by
        A column, for each of whose values the rows are counted apart.
    said
        What is compared: the ``"disposition"``, or the ``"criterion"``, which is that before
        safety.

    Returns
    -------
    DataFrame
        A row for each pair of guidelines and of dispositions that any row has, with ``rows``, how
        many, and ``share``, of all rows (with that value of `by`). A row of the frame stands once
        under each pair of guidelines; what cannot be read leaves it open, as a missing value does.
        Two answers ``indeterminate`` need not leave the same open.

    Raises
    ------
    RlsironError
        If there is one guideline only, `by` is no column of single values, or as
        `rlsiron.frames.interpret_frame` raises.

    Examples
    --------
    >>> df = pd.DataFrame({"ferritin": [62, 80, 90, 140], "tsat": 30, "age": 44})
    >>> counts = compare_guidelines(
    ...     df, guidelines=("aasm-2025", "aan-2016"), units={"ferritin": "ng/mL", "tsat": "%"}
    ... )
    >>> counts[["disposition", "other_disposition", "rows", "share"]].values.tolist()
    [['iv-iron', 'no-iron', 2, 0.5],
     ['oral-or-iv-iron', 'oral-iron', 1, 0.25],
     ['no-iron', 'no-iron', 1, 0.25]]
    """
    choose("decimal", decimal, ".", ",")
    choose("strict", strict, *(False, True))
    choose("said", said, "disposition", "criterion")
    columns, units = columns or {}, units or {}
    refuse_no_mapping(columns=columns, units=units)
    board = board_of(guidelines, strict=strict)
    ids = [table.guideline.id for table in board.tables]
    if len(ids) < 2:  # noqa: PLR2004 - a pair
        raise RlsironError(f"guidelines= names only {ids[0]!r}; give two or more to compare")
    frame = open_frame(df)
    labels = frame.labels()
    read = list(dict.fromkeys(find_columns(labels, columns).values()))
    if by is not None and labels.count(by) != 1:
        hint = did_you_mean(str(by), map(str, labels))
        raise RlsironError(f"by={shown(by)} is not the name of one column{hint}")
    names = ["guideline", said, "other_guideline", f"other_{said}", "rows", "share"]
    if by in names:
        raise RlsironError(f"by={shown(by)} is a column of the counts; rename yours")
    tally = _Tally(ids, said)
    for part in frame.parts(read if by is None or by in read else [*read, by]):
        out = answer_part(
            part[read],
            board=board,
            units=units,
            columns=columns,
            decimal=decimal,
            part=not frame.whole,
        )
        tally.add(out, None if by is None else part[by])
    counted = pd.DataFrame(tally.counted(), columns=[by, *names])
    counted = counted.astype({"rows": np.int64, "share": np.float64})
    return counted[names] if by is None else counted


class _Tally:
    """How many rows have which two words: for each stratum and each pair of guidelines."""

    def __init__(self, ids: Sequence[str], said: str) -> None:
        self._pairs = list(combinations(ids, 2))
        self._said = said
        self._counts: dict[Hashable, NDArray[np.intp]] = {}

    def add(self, out: pd.DataFrame, by: "pd.Series[Any] | None") -> None:
        """Count the rows of an answer; where nothing parts them, they are one stratum."""
        codes, cells = (np.full(len(out), -1), []) if by is None else distinct_cells(by)
        if not all(isinstance(cell, Hashable) for cell in cells):
            raise RlsironError("by= names a column of lists; name one with a single value a row")
        if len(set(cells)) < len(cells):  # as 1 and True
            raise RlsironError("by= names a column of mixed types; make them one")
        strata = [*cells, None]  # -1 is the last one
        shape = (len(strata), len(_WORDS), len(_WORDS))
        for at, pair in enumerate(self._pairs):
            words = [self._codes(out, id_) for id_ in pair]
            place = np.ravel_multi_index((codes % len(strata), *words), shape)
            met = np.bincount(place, minlength=prod(shape)).reshape(shape)
            for stratum, counts in zip(strata, met, strict=True):
                empty = np.zeros((len(self._pairs), *shape[1:]), np.intp)
                self._counts.setdefault(stratum, empty)[at] += counts

    def _codes(self, out: pd.DataFrame, id_: str) -> NDArray[np.intp]:
        found = out[f"{id_.replace('-', '_')}_{self._said}"]
        return np.asarray(found.cat.set_categories(_WORDS).cat.codes, np.intp)

    def counted(self) -> Iterator[tuple[object, ...]]:
        """Yield the pairs of words that any row has, with their number and share."""
        for stratum, counts in self._counts.items():
            for (one, other), met in zip(self._pairs, counts, strict=True):
                for first, second in np.argwhere(met):
                    rows = int(met[first, second])
                    words = one, _WORDS[first], other, _WORDS[second]
                    yield stratum, *words, rows, rows / int(met.sum())
