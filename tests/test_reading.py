"""Reading: one reported value becomes an interval in the canonical unit, or says why not."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import inf, nan
from time import perf_counter

import numpy as np
import pint
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rlsiron.errors import ReadingError, RlsironError, UnitError, shown
from rlsiron.models import LabResult
from rlsiron.reading import ordinary, read_result
from rlsiron.units import analytes, factor, settle

ANALYTES = list(analytes())
_DECLARE = "or for a column declare units={'ferritin': 'ng/mL'}"
_MORE = "has more behind the number than a unit; write one number and its unit"
_ZERO = "is zero, which no ferritin is; leave it out if it is missing"


def test_a_result_says_everything_about_itself() -> None:
    assert read_result("ferritin", " 62 µg/L ").model_dump() == {
        "analyte": "ferritin",
        "reported": "62 µg/L",
        "unit": "ug/L",
        "low": 62.0,
        "high": 62.0,
        "low_open": False,
        "high_open": False,
        "bound": "",
        "half_step": 0.5,
        "missing": "",
        "codes": (),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [("75", 75.0), (" 75 ", 75.0), ("+5", 5.0), (".5", 0.5), ("1.2e3", 1200.0), ("1E+3", 1000.0),
     ("075", 75.0), ("\u00a075\u2009", 75.0), ("^100", 100.0), ("=75", 75.0)],
    ids=ascii,
)  # fmt: skip
def test_a_number_is_read(text: str, expected: float) -> None:
    result = read_result("crp", text, unit="mg/L")
    assert (result.low, result.high, result.bound) == (expected, expected, "")
    assert result.is_point


@pytest.mark.parametrize(
    ("text", "expected"),
    [("75,3", 75.3), ("1.234", 1234.0), ("1.234,5", 1234.5), ("1 234", 1234.0), ("1'234", 1234.0),
     ("1 234,5", 1234.5), ("1.234.567,5", 1234567.5), (",5", 0.5), ("75", 75.0), ("1,2e3", 1200.0),
     ("12.345", 12345.0)],
)  # fmt: skip
def test_a_decimal_comma_allows_groups_of_three(text: str, expected: float) -> None:
    assert read_result("uibc", text, unit="ug/dL", decimal=",").low == expected


@pytest.mark.parametrize(
    "text",
    ["0.500", "0.5", "1.2345", "1.234 567", "1 2345", "1234.567", "1,234,5", "1\u00a0234",
     "1.234'567", "1_000", "1..234", "12.34"],
    ids=ascii,
)  # fmt: skip
def test_with_a_decimal_comma_other_groups_are_refused(text: str) -> None:
    with pytest.raises(ReadingError):
        read_result("ferritin", text, unit="ng/mL", decimal=",")


@pytest.mark.parametrize("text", ["75,3", "1,234", "1,234.5"])
def test_a_comma_says_to_declare_it(text: str) -> None:
    said = rf"^ferritin '{re.escape(text)}' has a comma; declare decimal=',' if it is the decimal"
    with pytest.raises(ReadingError, match=said):
        read_result("ferritin", text, unit="ng/mL")


def test_a_point_in_a_text_with_commas_says_to_declare_it() -> None:
    said = r"^ferritin '75\.3' has a decimal point; declare decimal='\.'$"
    with pytest.raises(ReadingError, match=said):
        read_result("ferritin", "75.3", unit="ng/mL", decimal=",")


def test_a_second_number_is_refused_as_such_whatever_the_decimal_sign() -> None:
    for decimal in (".", ","):
        with pytest.raises(ReadingError, match=re.escape(_MORE)):
            read_result("ferritin", "75 80 ng/mL", decimal=decimal)


@pytest.mark.parametrize("decimal", [";", "", "..", None, [","]])
def test_another_decimal_sign_is_refused(decimal: str) -> None:
    said = f"^unknown decimal sign {re.escape(repr(decimal))}; declare"
    with pytest.raises(ReadingError, match=said):
        read_result("ferritin", "75 ng/mL", decimal=decimal)


@pytest.mark.parametrize("number", [75, 75.0, Decimal("75.0"), Fraction(150, 2), np.int16(75)])
def test_a_number_has_no_decimal_comma(number: object) -> None:
    assert read_result("ferritin", number, unit="ng/mL", decimal=",").low == 75.0


@pytest.mark.parametrize(
    ("text", "bound", "limit"),
    [("<5", "<", 5.0), ("<= 5", "<=", 5.0), ("≤5", "<=", 5.0), (">1650.0", ">", 1650.0),
     ("≥ 7", ">=", 7.0), (">=7", ">=", 7.0), ("LESS THAN 10", "<", 10.0),
     ("GREATER THAN 2000", ">", 2000.0), ("Greater  than\u00a02000", ">", 2000.0),
     ("LT 5", "<", 5.0), ("lt5", "<", 5.0), ("GT 45", ">", 45.0),
     ("less than or equal to 5", "<=", 5.0),
     ("LE 5", "<=", 5.0), ("GE 5", ">=", 5.0), (">^100", ">", 100.0), ("<^.5", "<", 0.5),
     ("\uff1c5", "<", 5.0), ("=>5", ">=", 5.0), ("<5 (L)", "<", 5.0)],
    ids=ascii,
)  # fmt: skip
def test_a_bound_is_read(text: str, bound: str, limit: float) -> None:
    result = read_result("crp", text, unit="mg/L")
    assert result.bound == bound
    assert result.half_step == 0.0
    if bound.startswith("<"):
        assert (result.low, result.high) == (0.0, limit)
        assert (result.low_open, result.high_open) == (False, bound == "<")
    else:
        assert (result.low, result.high) == (limit, None)
        assert (result.low_open, result.high_open) == (bound == ">", False)


def test_an_open_end_is_the_next_float_inward() -> None:
    assert read_result("ferritin", "<5 ng/mL").span == (0.0, 4.999999999999999)
    assert read_result("ferritin", ">1000 ng/mL").span == (1000.0000000000001, inf)


@pytest.mark.parametrize(
    ("text", "low", "high", "low_open", "high_open"),
    [
        (">90 %", 90.0, 100.0, True, False),
        (">=90 %", 90.0, 100.0, False, False),
        (">= 100 %", 100.0, 100.0, False, False),
        ("<100 %", 0.0, 100.0, False, True),
        ("<=100 %", 0.0, 100.0, False, False),
        ("100 %", 100.0, 100.0, False, False),
        ("≥ 1 {ratio}", 100.0, 100.0, False, False),
        (">0.9 ratio", 90.0, 100.0, True, False),
    ],
)
def test_a_saturation_ends_at_100(
    *, text: str, low: float, high: float, low_open: bool, high_open: bool
) -> None:
    result = read_result("tsat", text)
    assert (result.low, result.high) == (low, high)
    assert (result.low_open, result.high_open) == (low_open, high_open)


@pytest.mark.parametrize("text", ["128 %", ">100 %", ">100.5 %", "<128 %", "100.000000001 %"])
def test_a_saturation_over_100_is_refused(text: str) -> None:
    said = rf"^tsat '{re.escape(text)}' is over 100 %, where there is none$"
    with pytest.raises(ReadingError, match=said):
        read_result("tsat", text)


def test_a_fraction_over_1_asks_whether_it_is_a_percentage() -> None:
    with pytest.raises(
        ReadingError, match=r"is over 100 %, where there is none; is its unit '%'\?"
    ):
        read_result("tsat", "18", unit="fraction")


@pytest.mark.parametrize(
    "text",
    ["75 (L)", "75 L", "75*", "75 HH", "75 H", "75 LL", "75 N", "75 A", "75 AA", "75 (H)", "75 [H]",
     "75(L)", "75 *", "75 (*)"],
)  # fmt: skip
def test_a_flag_is_taken_off(text: str) -> None:
    assert read_result("ferritin", text, unit="ng/mL").low == 75.0
    assert read_result("ferritin", f"{text} ng/mL").unit == "ng/mL"
    assert read_result("ferritin", text.replace("75", "75 ng/mL")).unit == "ng/mL"


@pytest.mark.parametrize("text", ["75 h", "75 l", "75 (high)", "75 X", "75 L L L", "75L"])
def test_what_is_no_flag_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="not reported in"):
        read_result("ferritin", text, unit="ng/mL")


@pytest.mark.parametrize(
    ("text", "code"),
    [("75 ug / L", "ug/L"), ("75 ug per L", "ug/L"), ("75 ug/ L", "ug/L"),
     ("75 ug /\u00a0L L", "ug/L"), ("75 µg / 100 mL", "ug/dL"), ("75 mcg per 100 mL", "ug/dL"),
     ("75ng/mL", "ng/mL"),
     ("75 &#181;g/L", "ug/L")],
    ids=ascii,
)  # fmt: skip
def test_a_liter_is_no_flag_and_its_parts_no_second_number(text: str, code: str) -> None:
    assert read_result("ferritin", text).unit == code


@pytest.mark.parametrize(
    "word",
    ["see note", "QNS", "TNP", "hemolyzed", "Hemolyzed", "haemolysed", "clotted", "pending", "NA",
     "NULL", "N/A", "See  Note:", "CANCELLED", "not done", "Pending.", ".", "-"],
)  # fmt: skip
def test_a_word_in_place_of_a_value_is_a_missing_result(word: str) -> None:
    result = read_result("ferritin", f" {word} ")
    assert (result.missing, result.reported, result.unit) == (word, word, "")
    assert (result.low, result.high, result.bound) == (None, None, "")
    assert (result.low_open, result.high_open, result.half_step) == (False, False, 0.0)
    assert result == read_result("ferritin", (word, "ng/mL"))


def test_an_empty_text_is_a_missing_result() -> None:
    for text in ("", "  ", "\u00a0"):
        assert read_result("crp", text, unit="mg/L").missing == "empty"


@pytest.mark.parametrize(
    "text",
    ["1_000", "\u0667\u0665", "\uff17\uff15", "nan", "NaN", "inf", "-inf", "1e400", "True", "-5",
     "-0.1", "75-100",
     "75 - 100", "75–100", "75 to 100", "75 100", "75/100", "0x4B", "75.", "5..2", "1.2.3", "<",
     "> ", "GREATER THAN", "<<5", "< -5", "<>5", "^100^-^200", "^1^:^128", "75^", "5000000.1",
     "abc", "?", "*", "(L)", "- 5", "1'234", "75 80 L", "75²", "75 ng/mL 80", "75 ng/mL (30 - 400)",
     "None"],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_measurement_is_refused(text: str) -> None:
    with pytest.raises(RlsironError, match=r"^ferritin .*['\"]"):
        read_result("ferritin", text, unit="ng/mL")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("62", f"ferritin '62' has no unit; write '62 ng/mL', {_DECLARE}"),
        ("<62 L", f"ferritin '<62 L' has no unit; write '<62 L ng/mL', {_DECLARE}"),
        ("-5 ng/mL", "ferritin '-5 ng/mL' is negative; no result is below zero"),
        ("GREATER THAN", "ferritin 'GREATER THAN' is a comparator with no number"),
        ("abc", "ferritin 'abc' cannot be read; write a number and its unit, such as '62 ng/mL'"),
        ("75-100 ng/mL", f"ferritin '75-100 ng/mL' {_MORE}"),
        ("1e400 ng/mL", "ferritin '1e400 ng/mL' is not a measurement; it is too large"),
        ("0 ng/mL", f"ferritin '0 ng/mL' {_ZERO}"),
        ("<0 ng/mL", "ferritin '<0 ng/mL' is an empty interval; no result is below zero"),
        ("x" * 500, f"ferritin '{'x' * 56}... is longer than 200 characters"),
    ],
)  # fmt: skip
def test_a_refusal_shows_the_value_and_the_way_out(text: str, expected: str) -> None:
    with pytest.raises(RlsironError) as fault:
        read_result("ferritin", text)
    assert str(fault.value) == expected


@pytest.mark.parametrize(
    "value",
    [True, np.True_, nan, inf, -inf, -5, Decimal("NaN"), Decimal("sNaN"), 10**400, 10**5_000,
     Fraction(10**400), 1j, None, b"75", [75], (75,), (1, 2, 3), ((75, "ng/mL"), "ng/mL"), {},
     {"a"}, ..., date(2026, 1, 1), np.array([75.0]), np.datetime64("2026-01-01"),
     np.timedelta64(5, "D"), LabResult],
    ids=shown,
)  # fmt: skip
def test_an_object_that_is_no_result_is_refused(value: object) -> None:
    with pytest.raises(ReadingError):
        read_result("ferritin", value, unit="ng/mL")


_PAIR = "is not a pair of value and unit, such as (62, 'ng/mL')"
_NUMBER = "cannot be read; give a number or a text with its unit"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, f"ferritin None {_NUMBER}"),
        ((True, "ng/mL"), f"ferritin True {_NUMBER}"),
        ((1, 2, 3), f"ferritin (1, 2, 3) {_PAIR}"),
        ([75], f"ferritin [75] {_PAIR}"),
        ((62, 1), "ferritin has 1 for a unit; give a text such as 'ng/mL'"),
    ],
)
def test_a_refusal_shows_the_object_and_the_way_out(value: object, expected: str) -> None:
    with pytest.raises(RlsironError) as fault:
        read_result("ferritin", value)
    assert str(fault.value) == expected


def test_a_text_of_200_characters_is_not_too_long() -> None:
    text = "75" + " " * 193 + "ng/mL"
    assert len(text) == 200
    assert read_result("ferritin", text).low == 75.0
    with pytest.raises(ReadingError, match="cannot be read; write a number"):
        read_result("ferritin", "x" * 200)


@pytest.mark.parametrize("text", ["0", "0.0", "5.4e-79", "0.0000000004", "<=0", ">0", ">=0"])
def test_zero_is_no_ferritin(text: str) -> None:
    with pytest.raises(ReadingError, match="is zero, which no ferritin is"):
        read_result("ferritin", text, unit="ng/mL")


@pytest.mark.parametrize("analyte", ["crp", "uibc", "tsat"])
@pytest.mark.parametrize("given", ["0", 0, 0.0, -0.0, 5.4e-79, "<=0"], ids=repr)
def test_zero_is_a_value_with_a_note(analyte: str, given: object) -> None:
    result = read_result(analyte, given, unit=analytes()[analyte].unit)
    assert (result.low, result.high, result.codes) == (0.0, 0.0, ("zero-value",))


def test_more_than_zero_is_a_bound_and_less_is_empty() -> None:
    result = read_result("crp", ">0 mg/L")
    assert (result.low, result.high, result.low_open, result.codes) == (0.0, None, True, ())
    with pytest.raises(ReadingError, match="is an empty interval"):
        read_result("crp", "<0 mg/L")


def test_a_zero_of_absurd_precision_is_no_measurement() -> None:
    with pytest.raises(ReadingError, match="is not a measurement"):
        read_result("crp", "0e400 mg/L")


@pytest.mark.parametrize(
    ("analyte", "low", "high", "unit"),
    [
        ("ferritin", 1, 100_000, "ug/L"),
        ("iron", 1, 1000, "ug/dL"),
        ("tibc", 50, 1000, "ug/dL"),
        ("transferrin", 0.1, 10, "g/L"),
        ("crp", 0.1, 1000, "mg/L"),
        ("hemoglobin", 20, 250, "g/L"),
    ],
)
def test_an_implausible_value_is_flagged_and_kept(
    analyte: str, low: float, high: float, unit: str
) -> None:
    assert read_result(analyte, low, unit=unit).codes == ()
    assert read_result(analyte, high, unit=unit).codes == ()
    above = read_result(analyte, settle(high + 1e-9), unit=unit)
    assert (above.low, above.codes) == (settle(high + 1e-9), ("implausible",))
    if analyte != "crp":
        assert read_result(analyte, settle(low - 1e-9), unit=unit).codes == ("implausible",)


def test_a_bound_is_implausible_by_its_limit() -> None:
    assert read_result("ferritin", "<1 ng/mL").codes == ()
    assert read_result("ferritin", "<0.5 ng/mL").codes == ("implausible",)
    assert read_result("ferritin", ">100001 ng/mL").codes == ("implausible",)


def test_the_largest_value_is_a_measurement_and_the_next_none() -> None:
    assert read_result("ferritin", "5000000 ng/mL").low == 5e6
    with pytest.raises(ReadingError, match="too large"):
        read_result("ferritin", "5000000.000000001 ng/mL")
    with pytest.raises(ReadingError, match="too large"):
        read_result("ferritin", "<500001 ug/dL")


@pytest.mark.parametrize(
    ("given", "unit", "expected"),
    [
        ("0.29", "1", 0.5),
        ("0.290", "1", 0.05),
        ("22", "%", 0.5),
        (22, "%", 0.5),
        (22.0, "%", 0.5),
        (22.5, "%", 0.05),
        (np.float32(0.1), "%", 0.05),
        (np.float64(22.0), "%", 0.5),
        (Decimal("22.0"), "%", 0.05),
        ("22.0", "%", 0.05),
        (".5", "%", 0.05),
        ("1.2e1", "%", 0.5),
        ("5e-1", "%", 0.05),
        (5e-5, "%", 0.000005),
        ("<22", "%", 0.0),
    ],
    ids=repr,
)
def test_half_of_the_last_printed_digit_is_kept(given: object, unit: str, expected: float) -> None:
    assert read_result("tsat", given, unit=unit).half_step == expected


def test_half_of_the_last_printed_digit_may_be_the_largest_value() -> None:
    assert read_result("crp", "0e7 mg/L").half_step == 5e6
    with pytest.raises(ReadingError, match="is not a measurement"):
        read_result("crp", "0e8 mg/L")


@pytest.mark.parametrize(
    ("analyte", "least", "most"),
    [
        ("ferritin", 1.0, 100_000.0),  # its plausible window
        ("tsat", 1e-9, 100.0),  # zero has a note of its own; none is over 100 %
        ("uibc", 1e-9, 5e6),  # no window is known
    ],
)
def test_what_is_read_with_nothing_to_note(analyte: str, least: float, most: float) -> None:
    assert ordinary(analyte) == (least, most)


def test_half_of_the_last_printed_digit_is_in_the_canonical_unit() -> None:
    assert read_result("iron", "10.5 µmol/L").half_step == 0.279225
    assert read_result("ferritin", "1.2e3 ng/mL").half_step == 50.0
    assert read_result("ferritin", "1.234,50 ng/mL", decimal=",").half_step == 0.005


@pytest.mark.parametrize(
    ("given", "unit", "low", "code", "reported"),
    [
        ("62 ng/mL", None, 62.0, "ng/mL", "62 ng/mL"),
        ("62", "ng/mL", 62.0, "ng/mL", "62 ng/mL"),
        (62, "µg/L", 62.0, "ug/L", "62 µg/L"),
        (62.0, "ng/mL", 62.0, "ng/mL", "62 ng/mL"),
        ((62, "ng/mL"), None, 62.0, "ng/mL", "62 ng/mL"),
        (["62 (L)", "ng/mL"], None, 62.0, "ng/mL", "62 (L) ng/mL"),
        (("62 ng/mL", None), None, 62.0, "ng/mL", "62 ng/mL"),
        ((62, None), "ng/mL", 62.0, "ng/mL", "62 ng/mL"),
        ((62, " "), "ng/mL", 62.0, "ng/mL", "62 ng/mL"),
        (pint.Quantity(62, "ng/mL"), None, 62.0, "ng/mL", "62 ng/mL"),
        (np.float32(0.1), "ug/dL", 1.0, "ug/dL", "0.1 ug/dL"),
        (Fraction(1, 2), "ug/dL", 5.0, "ug/dL", "0.5 ug/dL"),
        ("168 pmol/L", None, 74.76, "pmol/L", "168 pmol/L"),
    ],
    ids=repr,
)
def test_a_value_has_its_unit_from_somewhere(
    given: object, unit: str | None, low: float, code: str, reported: str
) -> None:
    result = read_result("ferritin", given, unit=unit)
    assert (result.low, result.unit, result.reported) == (low, code, reported)
    assert "own-unit-wins" not in result.codes


@pytest.mark.parametrize(
    "given",
    ["62 ng/mL", ("62 ng/mL", "ug/dL"), (62, "ng/mL"), pint.Quantity(62, "ng/mL"),
     (pint.Quantity(62, "ng/mL"), "ug/dL"), ("62 ng/mL", "")],
    ids=repr,
)  # fmt: skip
def test_the_nearest_unit_wins_with_a_note(given: object) -> None:
    result = read_result("ferritin", given, unit="ug/dL")
    assert (result.low, result.unit, result.codes) == (62.0, "ng/mL", ("own-unit-wins",))


def test_the_same_unit_in_two_spellings_is_no_news() -> None:
    assert read_result("ferritin", "62 mcg/L", unit="µg/L").codes == ()
    assert read_result("ferritin", ("62 mcg/L", "ug/L"), unit="UG/L").codes == ()


@pytest.mark.parametrize("given", ["62", 62, (62, None), ("62", ""), "62 (L)", "<62"], ids=repr)
def test_no_unit_is_ever_assumed(given: object) -> None:
    for unit in (None, "", " "):
        with pytest.raises(UnitError, match=r"has no unit; write '.* ng/mL', or for a column"):
            read_result("ferritin", given, unit=unit)


@pytest.mark.parametrize(
    ("analyte", "given", "expected"),
    [
        ("tsat", "0.18 %", 0.18),  # no fraction, however small
        ("ferritin", "0.062 ug/L", 0.062),
        ("ferritin", "62000 ng/mL", 62000),
        ("iron", "12 ug/dL", 12),  # as if µmol/L
        ("hemoglobin", "13.5 g/L", 13.5),  # as if g/dL
        ("crp", "40 mg/dL", 400),
    ],
)
def test_no_unit_is_inferred_from_the_size_of_a_number(
    analyte: str, given: str, expected: float
) -> None:
    """Clinical §1, 10: a published table printed the iron factor on ferritin."""
    assert read_result(analyte, given).span == (expected, expected)


@pytest.mark.parametrize(
    ("given", "unit"),
    [("62 foo", None), ("62", "foo"), ("62 ng/mL", "foo"), ((62, "foo"), None), ((62, 1), None),
     ("62", 1), (pint.Quantity(62, "g/L"), None), ((62, ["ng/mL"]), None),
     ((62, np.array([1, 2])), None)],
    ids=repr,
)  # fmt: skip
def test_a_unit_that_is_none_is_refused(given: object, unit: str | None) -> None:
    with pytest.raises(UnitError):
        read_result("ferritin", given, unit=unit)


def test_a_result_is_given_back_as_it_is() -> None:
    result = read_result("ferritin", "62 ng/mL")
    assert read_result("ferritin", result) is result
    with pytest.raises(ReadingError, match="a result of ferritin was given as iron"):
        read_result("iron", result)


@pytest.mark.parametrize("analyte", ["feritin", "", 1, None, ["ferritin"]])
@pytest.mark.parametrize("given", ["62 ng/mL", "QNS", 62])
def test_an_unknown_analyte_is_refused(analyte: str, given: object) -> None:
    with pytest.raises(UnitError, match="unknown analyte"):
        read_result(analyte, given)


def test_a_ferritin_of_75_is_one_result_in_every_unit() -> None:
    for text in ("75 ng/mL", "75 µg/L", "7.5 µg/dL", "75.0 ng/mL", "168.539325843 pmol/L"):
        assert read_result("ferritin", text).span == (75.0, 75.0)


_TEXTS = st.one_of(
    st.text(),
    st.text(alphabet="0123456789.,'<>=≤ -+eE_^/%()[]*LHNAnguµmdl\u00a0"),
    st.from_regex(r"(<|>=|LESS THAN )? ?[0-9]{1,4}([.,][0-9]{1,3})?(e-?[0-9])? ?(L|\(H\))? ?"
                  r"(ng/mL|%|mg/L|ug/dL|g/L|ratio)?", fullmatch=True),
)  # fmt: skip
_THINGS = st.one_of(
    _TEXTS,
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.fractions(),
    st.complex_numbers() | st.binary() | st.dates(),
    st.tuples(_TEXTS, _TEXTS)
    | st.tuples(st.floats(), st.none() | _TEXTS)
    | st.lists(st.integers()),
    st.floats(width=32).map(np.float32),
    st.builds(pint.Quantity, st.floats(), st.sampled_from(["ng/mL", "%", "g/L", "pmol/L", "m"])),
)


@given(
    st.sampled_from(ANALYTES),
    _THINGS,
    st.none() | _TEXTS | st.sampled_from(["ng/mL", "%", "mg/L", "ug/dL", "g/L", "1"]),
    st.sampled_from([".", ","]),
)
@example("ferritin", "75\ud800", "ng/mL", ".")
def test_whatever_is_given_is_a_result_or_an_error_of_ours(
    analyte: str, given: object, unit: str | None, decimal: str
) -> None:
    try:
        result = read_result(analyte, given, unit=unit, decimal=decimal)
    except RlsironError as fault:
        assert len(str(fault)) < 400  # noqa: PT017 - no error is fine too
        return
    # what was built unchecked passes every check, and survives the journey as JSON
    assert LabResult.model_validate(result.model_dump()) == result
    assert LabResult.model_validate_json(result.model_dump_json()) == result
    if result.missing:
        return
    lowest, highest = result.span
    assert 0 <= lowest <= highest
    assert highest <= 100 or analyte != "tsat"
    for end in (result.low, result.high):
        assert end is None or (end == settle(end) and end <= 5e6)
    assert read_result(analyte, result) is result


@given(st.sampled_from(ANALYTES), st.data(), st.sampled_from(["", "<", "<=", ">", ">="]))
def test_what_a_laboratory_prints_is_read_to_the_digit(
    analyte: str, data: st.DataObject, bound: str
) -> None:
    known = analytes()[analyte]
    code = data.draw(st.sampled_from(known.units))
    ratio = Fraction(*factor(analyte, code))
    most = (Fraction(known.maximum.value) if known.maximum else Fraction(5_000_000)) / ratio
    places = data.draw(st.integers(0, 4))
    digits = data.draw(st.integers(1, max(1, int(most * 10**places) - 1)))
    if digits >= most * 10**places:
        places += 4
    text = str(Decimal(digits).scaleb(-places))
    spelling = "ratio" if code == "1" else code  # a text with two numbers is refused
    result = read_result(analyte, f"{bound}{text} {spelling}")
    limit = result.high if bound.startswith("<") else result.low
    assert limit is not None
    exact = Fraction(text) * ratio
    assert abs(Fraction(limit) - exact) <= Fraction(1, 10**9) + exact / 10**15
    assert result.bound == bound
    assert read_result(analyte, f"{bound}{text}", unit=spelling) == result


@given(st.sampled_from(ANALYTES), st.data())
def test_a_larger_number_is_never_the_smaller_result(analyte: str, data: st.DataObject) -> None:
    known = analytes()[analyte]
    code = data.draw(st.sampled_from(known.units))
    numbers = st.floats(min_value=0.01, max_value=1.0)
    low, high = sorted((data.draw(numbers), data.draw(numbers)))
    first, second = read_result(analyte, (low, code)), read_result(analyte, (high, code))
    assert first.low is not None
    assert second.low is not None
    assert first.low <= second.low


@given(st.floats(min_value=0.01, max_value=1000.0))
def test_a_number_and_its_text_are_one_result(value: float) -> None:
    text = repr(value).removesuffix(".0")
    assert read_result("ferritin", value, unit="ng/mL") == read_result("ferritin", f"{text} ng/mL")


@pytest.mark.parametrize(
    "text",
    ["9" * 10**6, "5" * 200, "1e" + "9" * 150, " " * 10**6 + "x", "75" + " " * 10**6 + "ng/mL x",
     "75" + " " * 190 + "1",
     "75 " + "(L)" * 60, "<" * 10**6, "75 " + "per " * 45,
     "1 " * 99, "1e" * 99, "less than " * 19],
    ids=lambda text: f"{len(text)} of {text[:6]!r}",
)  # fmt: skip
def test_a_long_text_is_refused_quickly(text: str) -> None:
    start = perf_counter()
    for decimal in (".", ","):
        with pytest.raises(RlsironError):
            read_result("ferritin", text, decimal=decimal)
    assert perf_counter() - start < 1


def test_threads_read_alike() -> None:
    texts = [f"{n / 10} {code}" for n in range(20, 220) for code in analytes()["ferritin"].units]
    alone = [read_result("ferritin", text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: read_result("ferritin", text), texts)) == alone
