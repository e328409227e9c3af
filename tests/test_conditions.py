"""Conditions of files in words."""

import pytest

from rlsiron.conditions import conditions, in_words, parameters, ways_of
from rlsiron.guideline import load_guideline


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ({"ferritin": "<= 75 ug/L"}, "ferritin ≤ 75 µg/L"),
        ({"ferritin": [">= 100 ug/L", "< 300 ug/L"]}, "ferritin ≥ 100 µg/L and < 300 µg/L"),
        ({"tsat": ">= tsat_ceiling"}, "TSAT ≥ 45 %"),
        ({"age": "< child_below"}, "age < 18 years"),
        ({"earlier-iv": False}, "earlier-iv no"),
        ({"kidney": ["none", "ckd"]}, "kidney none or ckd"),
    ],
)
def test_a_condition_is_said_with_the_limits_of_its_file(way: dict[str, object], said: str) -> None:
    assert in_words([way], parameters()) == said


def test_and_binds_before_or() -> None:
    ways = [{"ferritin": "< 200 ug/L", "tsat": "< 20 %"}, {"sex": "male"}]
    assert in_words(ways, {}) == "ferritin < 200 µg/L and TSAT < 20 %; or sex male"


def test_a_rule_without_a_condition_always_holds() -> None:
    assert in_words(ways_of({"id": "rest"}), {}) == ""


def test_remarks_have_their_conditions_beside_the_rules() -> None:
    ((_, applies, _), (_, _, child)) = conditions(load_guideline("irlssg-2018"))
    assert applies == {"age": ">= child_below"}
    assert child == {"IR-12": [{"ferritin": "< 50 ug/L"}], "IR-12-unmet": [{}], "IR-11": [{}]}
