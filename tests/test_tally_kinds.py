"""Problems are counted by what they say of any value."""

import pytest

from rlsiron import tally

KINDS = {
    "a pair of value and unit": (
        ["ferritin ('75,3', 'ng/mL') has a comma; x", "ferritin '6,1' has a comma; x"],
        {"ferritin … has a comma"},
    ),
    "a quote within": (['ferritin "1\'2 ng/mL" has more', "ferritin '1_2' has more"], None),
    "a value that is cut": (["ferritin 'aaaa... is longer", "ferritin 'bbbb... is longer"], None),
    "an escape within": (["ferritin 'it\\'s \"x\"' has more", "ferritin '' has more"], None),
}


@pytest.mark.parametrize(("problems", "kinds"), KINDS.values(), ids=KINDS)
def test_a_kind_is_what_is_said_of_any_value(problems: list[str], kinds: set[str] | None) -> None:
    found = {kind for problem in problems for kind in tally._kinds(problem)}  # noqa: SLF001
    assert len(found) == 1
    assert kinds is None or found == kinds
