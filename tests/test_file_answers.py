"""The answers behind the rows of a file, a batch at a time, of whichever kind it is."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import pandas as pd
import pytest

from rlsiron.errors import RlsironError, UnitError
from rlsiron.file_answers import Asked, answer_rows, planned, refuse_bare_numbers
from rlsiron.frames import interpret_frame
from rlsiron.guideline import load_guideline
from rlsiron.tally import Tally

GUIDELINES = ("aasm-2025", "mayo-2021")


class Rows:
    """Rows that are a frame already; they begin at line 10."""

    def __init__(self, frame: pd.DataFrame, start: int = 0) -> None:
        self._frame = frame
        self._start = start

    def __len__(self) -> int:
        return len(self._frame)

    def __getitem__(self, rows: slice) -> "Rows":
        start, stop, _ = rows.indices(len(self))
        return Rows(self._frame[start:stop], self._start + start)

    def frame(self, labels: Collection[str]) -> pd.DataFrame:
        return self._frame[list(labels)]

    def place(self, row: int) -> int:
        return 10 + self._start + row


class File:
    """A file that is a frame."""

    name = "'labs'"
    size = position = 0

    def __init__(self, frame: pd.DataFrame) -> None:
        self.labels: Sequence[str] = list(frame.columns)
        self.types: Sequence[str] = ["text"] * len(self.labels)
        self._frame = frame

    def batches(self, *, skip: int = 0) -> Iterator[Rows]:
        yield Rows(self._frame)[skip:]


class Kept:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.answers: list[pd.DataFrame] = []

    def write(self, batch: Rows, answers: pd.DataFrame) -> None:
        assert len(batch) == len(answers)
        self.answers.append(answers)


def asked(*chosen: str, **given: Any) -> Asked:  # noqa: ANN401 - of each its own type
    """Return what is asked of two guidelines."""
    said: dict[str, Any] = {"units": {}, "columns": {}, "decimal": ".", "strict": False, **given}
    return Asked(tuple(map(load_guideline, GUIDELINES)), chosen=chosen, **said)


def texts(**columns: Iterable[str | None]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()})


Answered = tuple[list[pd.DataFrame], Tally, list[int]]


def answer(frame: pd.DataFrame, asks: Asked, size: int = 100) -> Answered:
    """Return the answers to batches of so many rows, the tally, and what was told."""
    file, sink, told = File(frame), Kept(), list[int]()
    (rows,) = file.batches()
    batches = [rows[at : at + size] for at in range(0, len(frame), size)]
    plan = planned(file.labels, asks)
    tally = answer_rows(plan, file, batches, sink, told=told.append)
    return sink.answers, tally, told


FRAME = texts(
    ferritin=["62 ng/mL", "a lot", None, "310 ng/mL", "QNS", "5 ug/L", "62"],
    tsat=["18 %", None, "60 %", "<5 %", "x", "18 %", "18 %"],
)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_row_is_answered_alike_in_batches_of_any_size(size: int) -> None:
    answers, tally, told = answer(FRAME, asked(), size)
    got = pd.concat([frame.astype(object) for frame in answers], ignore_index=True)
    expected = interpret_frame(FRAME, guidelines=GUIDELINES).astype(object)
    pd.testing.assert_frame_equal(
        got.drop(columns="problems"), expected.drop(columns="problems"), check_dtype=False
    )
    assert sum(told) == tally.rows == 7
    assert len(told) == len(answers)
    assert tally.unreadable == sum(map(bool, expected["problems"]))
    assert {one.at for one in tally.problems.values()} == {11, 14, 16}


def test_a_way_out_is_said_as_on_the_command_line() -> None:
    (answers,), _, _ = answer(texts(ferritin=["5 ug/L", "62"]), asked("problems"))
    assert "--unit ferritin=ng/mL" in answers["problems"].tolist()[1]
    assert "units=" not in answers["problems"].tolist()[1]


@pytest.mark.parametrize(
    ("chosen", "written"),
    [
        (("notes",), ["notes"]),
        (("disposition",), ["aasm_2025_disposition", "mayo_2021_disposition"]),
        (("mayo_2021_disposition", "tsat_low_pct"), ["tsat_low_pct", "mayo_2021_disposition"]),
        (
            ("notes", "disposition", "aasm_2025_disposition"),
            ["aasm_2025_disposition", "mayo_2021_disposition", "notes"],
        ),
    ],
    ids=str,
)
def test_columns_are_chosen_by_name_or_of_every_guideline(
    chosen: tuple[str, ...], written: list[str]
) -> None:
    (answers,), tally, _ = answer(FRAME, asked(*chosen, prefix="x_"))
    assert list(answers.columns) == [f"x_{name}" for name in written]
    assert tally.unreadable == 3  # though `problems` is not written


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (
            "dispositions",
            "--columns 'dispositions' is no column of the answer; did you mean 'disposition'?",
        ),
        (
            "id",
            (
                "--columns 'id' is a column of the input, all of which are written; choose of the "
                "answer's only"
            ),
        ),
        (
            "ferritin=id",
            (
                "--columns 'ferritin=id' is a pair, and chooses no column of the answer; say "
                "--column ferritin=id"
            ),
        ),
        (
            "irlssg_2018_rule",
            (
                "--columns 'irlssg_2018_rule' is no column of the answer; did you mean "
                "'mayo_2021_rule'?"
            ),
        ),
    ],
)
def test_a_column_that_cannot_be_chosen_is_refused(word: str, why: str) -> None:
    with pytest.raises(RlsironError) as fault:
        planned(["id", "ferritin"], asked("notes", word))
    assert str(fault.value) == why


def test_what_is_read_and_what_is_not_is_told() -> None:
    plan = planned(["id", "LBX", "age", "id"], asked(columns={"ferritin": "LBX"}))
    assert plan.read == {"ferritin": "LBX", "age": "age"}
    assert plan.not_read == ["id", "id"]
    assert len(plan.answer) == 0
    assert list(plan.answer.columns) == list(plan.written.values())


def test_a_column_of_the_answer_in_the_input_is_refused_unless_set_apart() -> None:
    labels = ["ferritin", "notes"]
    with pytest.raises(RlsironError, match=r"is in the input and in the answer; .*: --prefix r"):
        planned(labels, asked())
    assert "x_notes" in planned(labels, asked(prefix="x_")).written.values()
    assert "notes" not in planned(labels, asked("rule")).written


def test_a_column_that_is_read_stands_once() -> None:
    with pytest.raises(RlsironError, match="column 'ferritin' stands 3 times in the header"):
        planned(["ferritin"] * 3, asked())


def test_two_columns_for_one_analyte_are_refused() -> None:
    with pytest.raises(RlsironError, match="is named for 'ferritin' and"):
        planned(["x"], asked(columns={"ferritin": "x", "tsat": "x"}))


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(RlsironError, match="'LBX'"):
        planned(["ferritin"], asked(columns={"tsat": "LBX"}))
    with pytest.raises(RlsironError, match="no column has results"):
        planned(["id"], asked())


BARE = (
    "ferritin is a column of numbers with no unit; declare units={'ferritin': 'ng/mL'}, or give a "
    "column 'ferritin_unit'"
)


def look(frame: pd.DataFrame, asks: Asked) -> None:
    refuse_bare_numbers(planned(frame.columns.tolist(), asks), Rows(frame, 0))


def test_a_column_of_bare_numbers_is_a_fault_of_the_call() -> None:
    for cells in (["62", "310"], ["62", None], ["62", "a lot"], ["<5", "QNS"]):
        with pytest.raises(UnitError) as fault:
            look(texts(ferritin=cells), asked())
        assert str(fault.value) == BARE


@pytest.mark.parametrize(
    "column", [[62.0, None], [62, 310], ["62", "70"]], ids=["floats", "whole numbers", "texts"]
)
def test_a_column_without_a_unit_beside_any_cell_is_bare(column: list[Any]) -> None:
    df = pd.DataFrame({"ferritin": column})
    for units in ([None, None], ["", " "]):
        given = df.assign(ferritin_unit=pd.Series(units, dtype="str"))
        with pytest.raises(UnitError) as fault:
            look(given.replace(["", " "], None), asked())
        assert str(fault.value) == BARE
    look(df.assign(ferritin_unit=pd.Series([None, "ng/mL"], dtype="str")), asked())


@pytest.mark.parametrize(
    ("cells", "given"),
    [
        (["62", "310 ng/mL"], {}),
        (["QNS", "a lot"], {}),
        ([None, None], {}),
        (["62", "310"], {"units": {"ferritin": "ng/mL"}}),
    ],
)
def test_a_column_is_not_bare_with_one_unit_or_without_a_number(
    cells: list[str | None], given: dict[str, Any]
) -> None:
    look(texts(ferritin=cells), asked(**given))


def test_numbers_without_a_unit_further_down_are_problems_of_their_rows() -> None:
    for frame in (texts(ferritin=["62", "70"]), pd.DataFrame({"ferritin": [62.0, 70.0]})):
        given = frame.assign(ferritin_unit=pd.Series([None, None], dtype="str"))
        _, tally, _ = answer(given, asked(), 1)
        assert tally.unreadable == 2


def test_the_frame_says_the_same_of_binary_numbers() -> None:
    with pytest.raises(UnitError) as fault:
        answer(pd.DataFrame({"ferritin": [62.0]}), asked())
    assert str(fault.value) == BARE
