"""Keeps account of the rows of an extract: why one is left out, and what of another is doubted."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from rlsiron.catalog import document
from rlsiron.columns import Codes


class Account:
    """The rows of an extract that are left out or doubted, each with its reason.

    Attributes
    ----------
    reason
        Of each row the number of why it is left out; -1 where it is not.
    """

    def __init__(self, rows: int) -> None:
        self.reason = np.full(rows, -1)
        self._said: dict[tuple[str, str], int] = {}
        self._doubts: list[tuple[Codes, Codes]] = []

    def number(
        self, code: str, what: str = "", *, of: Literal["left_out", "doubted"] = "left_out"
    ) -> int:
        """Return the number of a reason, its sentence filled."""
        text = document("extracts.toml").data[of][code].format(what=what)
        return self._said.setdefault((code, text), len(self._said))

    def leave_out(self, rows: Codes, code: str) -> None:
        """Leave rows out for one reason."""
        self.leave_out_each(rows, np.full(len(rows), self.number(code)))

    def leave_out_each(self, rows: Codes, numbers: Codes) -> None:
        """Leave rows out, each by the number of its reason, -1 for none; the first one stands."""
        left = (self.reason[rows] < 0) & (numbers >= 0)
        self.reason[rows[left]] = numbers[left]

    def doubt(self, rows: Codes, code: str, what: str = "") -> None:
        """Doubt rows, if they are used in the end."""
        self._doubts.append((rows, np.full(len(rows), self.number(code, what, of="doubted"))))

    def left_out(self, columns: Mapping[str, "pd.Series[Any]"], index: Any) -> pd.DataFrame:  # noqa: ANN401 - pandas' own
        """Return the rows that are left out, in the order of the extract."""
        rows = np.flatnonzero(self.reason >= 0)
        return self._table(rows, self.reason[rows], columns, index)

    def doubted(self, columns: Mapping[str, "pd.Series[Any]"], index: Any) -> pd.DataFrame:  # noqa: ANN401
        """Return the rows that are used with a doubt, once for each."""
        none = np.empty(0, np.intp)
        rows = np.concatenate([none, *(rows for rows, _ in self._doubts)])
        numbers = np.concatenate([none, *(numbers for _, numbers in self._doubts)])
        order = np.lexsort((numbers, rows))
        order = order[self.reason[rows[order]] < 0]
        return self._table(rows[order], numbers[order], columns, index)

    def _table(
        self,
        rows: Codes,
        numbers: Codes,
        columns: Mapping[str, "pd.Series[Any]"],
        index: Any,  # noqa: ANN401
    ) -> pd.DataFrame:
        told: dict[str, Any] = {name: column.array.take(rows) for name, column in columns.items()}
        reasons, sentences = zip(*self._said, strict=True) if self._said else ((), ())
        told["reason"] = _words(reasons, numbers)
        told["says"] = _words(sentences, numbers)
        return pd.DataFrame(told, index=index.take(rows))


def _words(words: tuple[str, ...], numbers: Codes) -> Any:  # noqa: ANN401 - a categorical
    """Return the word of each row, by its number; the categories are those that are there."""
    present, of_row = np.unique(numbers, return_inverse=True)
    said = [words[at] for at in present]
    place = {word: at for at, word in enumerate(sorted(set(said)))}
    codes = np.array([place[word] for word in said], np.intp)[of_row]
    return pd.Categorical.from_codes(
        codes, dtype=pd.CategoricalDtype(pd.Index([*place], dtype="str"))
    )
