"""What `table` tells at its end."""

from collections import Counter
from typing import Any

import pytest

from rlsiron.archive import Done
from rlsiron.file_answers import Asked, planned
from rlsiron.guideline import load_guideline
from rlsiron.report import Grid
from rlsiron.table_summary import as_data, summary
from rlsiron.tally import Problem, Tally

GUIDELINES = (load_guideline("aasm-2025"), load_guideline("mayo-2021"))


def done(*problems: Problem, labels: tuple[str, ...] = ("id", "LBX"), parts: int = 0) -> Done:
    """Return what was done with eight rows."""
    asked = Asked(GUIDELINES, {}, {"ferritin": "LBX"}, ".", strict=False, chosen=("notes",))
    tally = Tally(
        rows=8,
        unreadable=sum(one.rows for one in problems),
        dispositions={
            "aasm-2025": Counter({"indeterminate": 6, "withhold-iron": 2}),
            "mayo-2021": Counter({"no-iron": 7, "iv-iron": 0, "oral-iron": 1}),
        },
        problems={f"kind {at}": one for at, one in enumerate(problems)},
    )
    return Done(planned(labels, asked), tally, parts, parts // 2)


def told(about: Done) -> tuple[list[str], list[Grid]]:
    """Return the lines and the tables of a summary."""
    parts = summary(about, GUIDELINES, "line")
    assert not isinstance(parts, str)
    texts = [
        part if isinstance(part, str) else part.text for part in parts if not isinstance(part, Grid)
    ]
    return texts, [part for part in parts if isinstance(part, Grid)]


def test_rows_are_counted_by_guideline_and_answer_with_their_share() -> None:
    texts, (grid,) = told(done())
    assert texts[0] == "Rows: 8; with something that could not be read: 0."
    assert grid.heads == ("guideline", "answer", "rows", "share")
    assert [row[0] for row in grid.rows] == ["AASM 2025"] * 2 + ["Mayo 2021"] * 2
    assert {row[2:] for row in grid.rows} == {
        ("6", "75.0 %"),
        ("2", "25.0 %"),
        ("7", "87.5 %"),
        ("1", "12.5 %"),
    }


def test_answers_stand_in_the_order_of_the_vocabulary() -> None:
    _, (grid,) = told(done())
    answers = ["withhold iron", "undecided", "oral iron", "no reason to start iron"]
    assert [row[1] for row in grid.rows] == answers


def test_columns_are_named_with_those_that_hold_them() -> None:
    texts, _ = told(done())
    assert "Columns read: ferritin from LBX." in texts
    assert "Columns not read: id." in texts
    texts, _ = told(done(labels=("LBX", "age")))
    assert "Columns read: ferritin from LBX, age." in texts
    assert not any(text.startswith("Columns not read") for text in texts)


def test_parts_are_told_where_there_are_any() -> None:
    assert "Parts: 4; there before: 2." in told(done(parts=4))[0]
    assert not any(text.startswith("Parts") for text in told(done())[0])


def test_what_it_is_for_stands_at_the_end() -> None:
    assert told(done())[0][-1].startswith("For research")


def test_problems_are_told_most_rows_first_with_an_example() -> None:
    one, two = Problem(1, "'a'", 7, "example 1"), Problem(3, "'a'", 9, "example 2")
    _, (_, grid) = told(done(one, two))
    assert grid.heads == ("rows", "not read", "first in line", "which says")
    assert grid.rows == [("3", "kind 1", "9", "example 2"), ("1", "kind 0", "7", "example 1")]


def test_of_several_files_a_problem_names_its_own() -> None:
    _, (_, grid) = told(done(Problem(2, "'a'", 7, "x"), Problem(1, "'b'", 9, "y")))
    assert [row[2] for row in grid.rows] == ["7 of 'a'", "9 of 'b'"]


@pytest.mark.parametrize("count", [10, 12])
def test_the_ten_most_frequent_problems_are_shown(count: int) -> None:
    texts, (_, grid) = told(done(*(Problem(1, "'a'", at, "x") for at in range(count))))
    assert len(grid.rows) == 10
    assert ("2 other kinds are not shown; --json has all." in texts) == (count == 12)


def test_a_program_gets_all_of_it() -> None:
    problems = [Problem(1, "'a'", at, f"example {at}") for at in range(12)]
    about = done(*problems, parts=4)
    data: dict[str, Any] = as_data(about, GUIDELINES, "row", files=["a.pq"], output="out.pq")
    assert data.pop("intended_use").startswith("For research")
    assert data.pop("problems") == [
        {"kind": f"kind {at}", "rows": 1, "file": "'a'", "row": at, "example": f"example {at}"}
        for at in range(12)
    ]
    assert data == {
        "files": ["a.pq"],
        "output": "out.pq",
        "rows": 8,
        "unreadable": 12,
        "parts": 4,
        "parts_before": 2,
        "dispositions": {
            "aasm-2025": {"withhold-iron": 2, "indeterminate": 6},
            "mayo-2021": {"oral-iron": 1, "no-iron": 7},
        },
        "read": {"ferritin": "LBX"},
        "not_read": ["id"],
        "written": ["notes"],
    }
