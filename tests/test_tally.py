"""What is counted, against a plain count."""

import json
from collections import Counter

import pandas as pd
import pytest

from rlsiron import tally as tally_module
from rlsiron.frames import interpret_frame
from rlsiron.tally import Tally

GUIDELINES = ("aasm-2025", "mayo-2021")
CELLS = ["62 ng/mL", "QNS", "a lot", "310 ng/mL", "62", "some", "50 mg/L", "", "5 ng/mL", "7"]


def answers() -> pd.DataFrame:
    frame = pd.DataFrame({"ferritin": CELLS, "sex": ["female", "?", "male", "x", "x"] * 2})
    return interpret_frame(frame, guidelines=GUIDELINES)


def tally(out: pd.DataFrame, start: int = 0) -> Tally:
    counted = Tally()
    counted.count(out, GUIDELINES, "labs", lambda row: start + row + 1)
    return counted


def test_dispositions_are_counted_as_by_hand() -> None:
    out = answers()
    assert tally(out).dispositions == {
        id_: Counter(out[f"{id_.replace('-', '_')}_disposition"].tolist()) for id_ in GUIDELINES
    }


def test_rows_with_a_problem_are_counted_as_by_hand() -> None:
    out = answers()
    bad = [text for text in out["problems"].tolist() if text]
    counted = tally(out)
    assert (counted.rows, counted.unreadable) == (10, len(bad))
    # sex "?" in rows 2 and 7, and "x" in rows 4, 5, 9 and 10
    sex = next(one for kind, one in counted.problems.items() if kind.startswith("unknown sex"))
    assert (sex.rows, sex.at, sex.file) == (6, 2, "labs")
    assert "'?'" in sex.example


def test_a_kind_is_what_a_problem_says_of_any_value() -> None:
    counted = tally(answers())
    unread = counted.problems["ferritin … cannot be read"]
    assert (unread.rows, unread.at) == (2, 3)  # "a lot", "some"
    assert "'a lot'" in unread.example
    bare = counted.problems["ferritin … has no unit"]
    assert (bare.rows, bare.at) == (2, 5)  # "62", "7"


@pytest.mark.parametrize("cut", range(len(CELLS) + 1))
def test_two_batches_are_counted_as_the_whole(cut: int) -> None:
    out = answers()
    two = tally(out[:cut])
    two.add(tally(out[cut:], start=cut))
    assert two == tally(out)
    assert list(two.problems) == list(tally(out).problems)


def test_a_batch_is_counted_into_one_that_was_counted() -> None:
    out = answers()
    counted = tally(out[:4])
    counted.count(out[4:], GUIDELINES, "labs", lambda row: 4 + row + 1)
    assert counted == tally(out)


def test_adding_leaves_what_was_added_alone() -> None:
    once, twice = tally(answers()), Tally()
    twice.add(once)
    twice.add(once)
    assert twice.unreadable == 2 * once.unreadable
    assert once == tally(answers())


def test_no_row_has_nothing_to_count() -> None:
    counted = tally(answers()[:0])
    assert (counted.rows, counted.unreadable, counted.problems) == (0, 0, {})
    assert not any(counted.dispositions["aasm-2025"].values())


def test_a_tally_goes_into_json_and_comes_back() -> None:
    counted = tally(answers())
    assert Tally.of_data(json.loads(json.dumps(counted.as_data()))) == counted
    assert Tally.of_data(Tally().as_data()) == Tally()


KINDS = {
    "a pair of value and unit": (
        ["ferritin ('75,3', 'ng/mL') has a comma; x", "ferritin '6,1' has a comma; x"],
        {"ferritin … has a comma"},
    ),
    "numbers and their unit": (
        [
            "ferritin (-0.142, 'ng/mL') is negative; no result is below zero",
            "ferritin (-3, 'ng/mL') is negative; no result is below zero",
            "ferritin (-1e-05, 'ng/mL') is negative; no result is below zero",
        ],
        {"ferritin … is negative"},
    ),
    "numbers": (
        [
            "age 131 cannot be read: over 130",
            "age 130.5 cannot be read: over 130",
            "age inf cannot be read: over 130",
        ],
        {"age … cannot be read: over 130"},
    ),
    "a quote within": (['ferritin "1\'2 ng/mL" has more', "ferritin '1_2' has more"], None),
    "a value that is cut": (["ferritin 'aaaa... is longer", "ferritin 'bbbb... is longer"], None),
    "an escape within": (["ferritin 'it\\'s \"x\"' has more", "ferritin '' has more"], None),
}


@pytest.mark.parametrize(("problems", "kinds"), KINDS.values(), ids=KINDS)
def test_a_kind_is_what_is_said_of_any_value(problems: list[str], kinds: set[str] | None) -> None:
    found = {kind for problem in problems for kind in tally_module._kinds(problem)}  # noqa: SLF001
    assert len(found) == 1
    assert kinds is None or found == kinds
