"""What codes of tests mean: evidence/units.md §3."""

import re

import pytest

from rlsiron import RlsironError
from rlsiron.catalog import document
from rlsiron.codes import check_digit, code_text, local_codes, meaning_of
from rlsiron.units import analytes

NEVER = document("analytes.toml").data["loinc"]["never"]


@pytest.mark.parametrize("name", analytes())
def test_the_codes_of_an_analyte_mean_it(name: str) -> None:
    one = analytes()[name]
    for code in (*one.loinc, *one.omop):
        assert meaning_of(code_text(code), {}).analyte == name


@pytest.mark.parametrize("code", NEVER)
def test_a_look_alike_is_refused_as_a_result_and_in_the_mapping(code: str) -> None:
    assert meaning_of(code, {}) == ("", "look-alike", NEVER[code], False, "")
    with pytest.raises(RlsironError, match=re.escape(f"and it is none: {NEVER[code]}; remove it")):
        local_codes({code: "transferrin"})


@pytest.mark.parametrize(
    ("name", "alike"),
    [
        ("Soluble  Transferrin Receptor", "transferrin receptor"),
        ("Desialotransferrin (CDT)", "desialotransferrin"),
        ("ALANINE AMINOTRANSFERASE", "alanine aminotransferase"),
        ("Aspartate aminotransferase", "aspartate aminotransferase"),
        ("Iron stain, marrow", "iron stain"),
        ("Urine iron, 24 h", "urine iron"),
    ],
)
def test_a_name_that_looks_alike_is_refused(name: str, alike: str) -> None:
    assert meaning_of(name, {})[:3] == ("", "look-alike", alike)
    with pytest.raises(RlsironError, match=f"and it is none: {alike}"):
        local_codes({name: "iron"})


def test_a_name_alone_means_nothing() -> None:
    assert {meaning_of(name, {}).reason for name in analytes()} == {"unknown-test"}


def test_an_ambiguous_name_means_what_the_caller_says() -> None:
    """`Fe` is ferritin in one data set and iron in another."""
    assert meaning_of("FE", {}).reason == "ambiguous-test"
    assert meaning_of("Fe", local_codes({"Fe": "ferritin"})).analyte == "ferritin"


def test_a_misspelt_local_name_gets_a_hint() -> None:
    local = local_codes({"Ferritin, serum": "ferritin"})
    assert meaning_of("Feritin, serum", local).what == "; did you mean 'Ferritin, serum'?"
    assert meaning_of("Sodium", local) == ("", "unknown-test", "", False, "")
    assert meaning_of("50925", local_codes({50924: "ferritin"})).what == ""


def test_a_code_is_the_same_as_a_number_as_a_float_and_as_text() -> None:
    assert [code_text(given) for given in (50924, 50924.0, " 50924 ")] == ["50924"] * 3
    assert code_text(1.5) == "1.5"


def test_loinc_codes_that_are_none_are_told_apart() -> None:
    assert meaning_of("2132-9", {}).reason == "other-test"  # vitamin B12, as SMART's patient has it
    assert meaning_of("2276-5", {})[1:3] == ("bad-loinc", "2276-4")
    assert meaning_of("", {}).reason == "no-test"


def test_the_check_digit_is_luhns() -> None:
    """By hand: 2345, doubled from the right 10 4 6 2, is 1+0+4+6+2 = 13, and 7 makes it 20."""
    assert check_digit("2345") == 7
    assert check_digit("30248") == 9


def test_blood_is_read_with_a_doubt() -> None:
    assert meaning_of("24373-3", {}).doubt == "in blood"
    assert meaning_of("2276-4", {}).doubt == ""


def test_the_iron_over_transferrin_ratio_is_a_saturation_in_percent_only() -> None:
    found = meaning_of("40763571", {})
    assert (found.analyte, found.percent) == ("tsat", True)
    assert meaning_of("40763571", local_codes({40763571: "tsat"})).percent


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ({"FER": "feritin"}, "unknown analyte 'feritin'; did you mean 'ferritin'?"),
        ({"2501-5": "tibc"}, "tests= names '2501-5' as tibc, and it is uibc; remove it"),
        ({3001122: "iron"}, "tests= names 3001122 as iron, and it is ferritin; remove it"),
        ({40763571: "iron"}, "tests= names 40763571 as iron, and it is tsat; remove it"),
        (
            {"2276-5": "ferritin"},
            "tests= names '2276-5' as ferritin, and it is 2276-4 by its check digit",
        ),
        ({"": "ferritin"}, "tests= names '' as ferritin, and it is no code; remove it"),
        ({7: "iron", "7": "tibc"}, "tests= names '7' as tibc, and it is iron; remove it"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(tests: dict[object, str], message: str) -> None:
    with pytest.raises(RlsironError, match=f"^{re.escape(message)}"):
        local_codes(tests)


def test_a_mapping_may_say_what_is_known_anyway() -> None:
    assert local_codes({"2276-4": "ferritin", 3: "iron"}) == {"2276-4": "ferritin", "3": "iron"}
