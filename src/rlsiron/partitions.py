"""What is asked of every part of a table that lies on several machines, as it travels to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, TypedDict

import pandas as pd

from rlsiron.columns import find_columns, is_numeric, refuse_no_mapping
from rlsiron.errors import RlsironError, did_you_mean, shown
from rlsiron.foreign_columns import empty_table, from_arrow
from rlsiron.frames import answer_part
from rlsiron.guideline import Guideline, load_guidelines
from rlsiron.interpretation import DEFAULT_GUIDELINES, board_of, choose, named, provenance_of
from rlsiron.models import Provenance
from rlsiron.units import analytes


class Asked(TypedDict, total=False):
    """What `rlsiron.frames.interpret_frame` is asked, by keyword."""

    guidelines: Any
    units: Mapping[str, str] | None
    columns: Mapping[str, str] | None
    decimal: Literal[".", ","]
    errors: Literal["raise", "note"]
    strict: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every part, with the guidelines as they were read where it was asked."""

    guidelines: tuple[Guideline, ...]
    strict: bool
    units: Mapping[str, str]
    columns: Mapping[str, str]
    decimal: str
    errors: str
    rests_on: Provenance

    def shape(self, empty: pd.DataFrame) -> pd.DataFrame:
        """Return the answers to a part without rows, where it is asked.

        Raises
        ------
        RlsironError
            If the call is wrong, as far as the types of the columns tell.
        """
        return self._answered(empty)

    def answered(self, part: pd.DataFrame) -> pd.DataFrame:
        """Return the answers to a part, where it is.

        Raises
        ------
        RlsironError
            If what is installed here would not answer as where it was asked, or a row cannot be
            read and that is to be an error.
        """
        return self._answered(part.assign(**dict.fromkeys(self._without_unit(part))))

    def shape_of(self, schema: Any) -> pd.DataFrame:  # noqa: ANN401 - pyarrow is not always there
        """Return the same for the columns of a table of pyarrow."""
        return self.shape(from_arrow(empty_table(schema, self._read(schema.names))))

    def opened(self, table: Any, start: int = 0) -> pd.DataFrame:  # noqa: ANN401
        """Return the columns of a table of pyarrow that are read, its rows numbered from `start`.

        Raises
        ------
        RlsironError
            If one is missing, doubled or misspelt, or of a type that is not read.
        """
        return from_arrow(table.select(self._read(table.column_names)), start)

    def _read(self, labels: list[str]) -> list[str]:
        return list(dict.fromkeys(find_columns(labels, self.columns).values()))

    def _without_unit(self, part: pd.DataFrame) -> list[str]:
        """Return the names of units that have no column, of results that are numbers in this part.

        They are in others no numbers, or the call would have been refused: a problem of rows.
        """
        labels = {name: self.columns.get(name, name) for name in analytes()}
        found = [
            name for name, label in labels.items() if label in part and is_numeric(part[label])
        ]
        stated = {f"{name}_unit" for name in self.units}.union(self.columns, part.columns)
        return [unit for name in found if (unit := f"{name}_unit") not in stated]

    def _answered(self, part: pd.DataFrame) -> pd.DataFrame:
        board = board_of(self.guidelines, strict=self.strict)  # each process compiles once
        here, asked = provenance_of(board), self.rests_on
        if here != asked:
            raise RlsironError(
                f"this worker has rlsiron {here.library_version!r} with knowledge "
                f"{here.sha256[:8]!r}, and was asked by {asked.library_version!r} with "
                f"{asked.sha256[:8]!r}; install one version on all machines"
            )
        return answer_part(
            part,
            board=board,
            units=self.units,
            columns=self.columns,
            decimal=self.decimal,
            errors=self.errors,
            part=True,
        )


def ask(
    *,
    guidelines: Any = DEFAULT_GUIDELINES,  # noqa: ANN401 - checked where they are loaded
    units: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    decimal: Literal[".", ","] = ".",
    errors: Literal["raise", "note"] = "note",
    strict: bool = False,
) -> Question:
    """Return a question, as `rlsiron.frames.interpret_frame` is asked it.

    Paths of guideline files are read here: they need not be where the parts are.
    """
    choose("errors", errors, "raise", "note")
    choose("decimal", decimal, ".", ",")
    choose("strict", strict, *(False, True))
    units, columns = units or {}, columns or {}
    refuse_no_mapping(columns=columns, units=units)
    loaded = tuple(chain(*map(load_guidelines, named(guidelines))))
    rests_on = provenance_of(board_of(loaded, strict=strict))
    return Question(loaded, strict, dict(units), dict(columns), decimal, errors, rests_on)


def beside(
    labels: Iterable[object], answers: pd.DataFrame, *, prefix: str, wanted: Sequence[str] | None
) -> dict[str, str]:
    """Return for each column of the answer that is wanted its name beside those of the input.

    Raises
    ------
    RlsironError
        If the answer has no such column, or the input has one of that name; engines that speak SQL
        do not tell upper case from lower.
    """
    for name in wanted or ():
        if name not in answers:
            raise RlsironError(f"answers= names {shown(name)}{did_you_mean(name, answers.columns)}")
    names = {name: f"{prefix}{name}" for name in wanted or answers.columns}
    folded = {name.casefold() for name in names.values()}
    for label in labels:
        if str(label).casefold() in folded:
            raise RlsironError(
                f"column {label!r} is in the input and in the answer; rename it, or set the "
                f"answer's names apart: prefix={prefix + 'rlsiron_'!r}"
            )
    return names
