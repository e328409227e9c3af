"""Counts what was answered, and what could not be read, by kind, with the first of each."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd

from rlsiron.report import on_the_command_line
from rlsiron.wording import templates

COUNTED = ("_disposition", "problems")  # what names of columns that are counted end in
_UNREAD = ("unread-field", "unread-result")  # the notes that are problems of a row
# a value as an error shows it, which may be cut
_SHOWN = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*?(?:'|\.\.\.)|"(?:[^"\\]|\\.)*?(?:"|\.\.\.))""")
_NUMBER = re.compile(r"(^\w+ |\()-?(?:inf|\d[\d.]*(?:e[+-]?\d+)?)(?=[ ,])")
_PAIR = re.compile(r"\(…, …\)")  # a value and the unit beside it


@dataclass(slots=True)
class Problem:
    """A kind of problem: how many rows have it, and the first of them.

    `at` is a line of a CSV file, or a row of a Parquet file.
    """

    rows: int
    file: str
    at: int
    example: str


@dataclass(slots=True)
class Tally:
    """What was answered, counted.

    Attributes
    ----------
    rows, unreadable
        All rows, and those with a problem.
    dispositions
        For each guideline how many rows have each disposition.
    problems
        The kinds of problems.
    """

    rows: int = 0
    unreadable: int = 0
    dispositions: dict[str, Counter[str]] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Count in what comes behind."""
        self.rows += other.rows
        self.unreadable += other.unreadable
        for name, counts in other.dispositions.items():
            self.dispositions.setdefault(name, Counter()).update(counts)
        for kind, one in other.problems.items():
            self._meet(kind, one)

    def count(
        self, out: pd.DataFrame, guidelines: tuple[str, ...], file: str, place: Callable[[int], int]
    ) -> None:
        """Count the answers to some rows; `place` says where a row stands in the file."""
        self.rows += len(out)
        named = {id_: f"{id_.replace('-', '_')}_disposition" for id_ in guidelines}
        for id_, name in named.items():
            if name not in out:  # only of what was chosen
                continue
            said = _categorical(out[name])
            counts = np.bincount(said.codes, minlength=len(said.categories)).tolist()
            met = {word: n for word, n in zip(said.categories, counts, strict=True) if n}
            self.dispositions.setdefault(id_, Counter()).update(met)
        if "problems" not in out:
            return
        said = _categorical(out["problems"])
        texts = said.categories.tolist()
        bad = np.flatnonzero(np.array([bool(text) for text in texts])[said.codes])
        self.unreadable += len(bad)
        codes, first, counts = np.unique(said.codes[bad], return_index=True, return_counts=True)
        for at in np.argsort(first):  # in the order of the rows
            row, n = int(bad[first[at]]), int(counts[at])
            for kind, example in _kinds(texts[codes[at]]).items():
                self._meet(kind, Problem(n, file, place(row), example))

    def _meet(self, kind: str, found: Problem) -> None:
        if kind in self.problems:
            self.problems[kind].rows += found.rows
        else:
            self.problems[kind] = replace(found)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "rows": self.rows,
            "unreadable": self.unreadable,
            "dispositions": {id_: dict(counts) for id_, counts in self.dispositions.items()},
            "problems": {kind: asdict(one) for kind, one in self.problems.items()},
        }

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "Tally":
        """Return what `as_data` gave."""
        dispositions = {id_: Counter(counts) for id_, counts in data["dispositions"].items()}
        problems = {kind: Problem(**one) for kind, one in data["problems"].items()}
        return cls(data["rows"], data["unreadable"], dispositions, problems)


def _categorical(column: "pd.Series[Any]") -> pd.Categorical:
    return cast("pd.Categorical", column.array)


@lru_cache(maxsize=10_000)
def _kinds(text: str) -> dict[str, str]:
    """Return the problems of a row by their kind, which is what they say of any value."""
    said: dict[str, str] = {}
    for problem in _parts(text):
        masked = _NUMBER.sub(r"\1…", _SHOWN.sub("…", problem))
        masked = _PAIR.sub("…", masked).partition(";")[0]
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
