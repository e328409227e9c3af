"""Long extracts: one row for each draw, and every row of the extract accounted for."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from rlsiron import LabResult, RlsironError, UnitError, interpret
from rlsiron.extracts import Panels, panels_from_long
from rlsiron.frames import interpret_frame
from rlsiron.reading import read_result

FERRITIN, TSAT, IRON, TIBC, CRP = "2276-4", "2502-3", "2498-4", "2500-7", "1988-5"
EIGHT, NINE, NOON = "2026-03-02T08:00", "2026-03-02T09:00", "2026-03-02T12:00"
UNKNOWN = "is no code that is known; name it in tests= if it is one of the tests that are read"
COLUMNS = ["patient", "time", "test", "value", "unit", "status"]


def extract(*rows: Sequence[Any]) -> pd.DataFrame:
    """Return rows of patient, time, test, value, unit and, if told, status as a frame."""
    return pd.DataFrame(list(rows), columns=COLUMNS[: len(rows[0])], dtype=object)


def ferritin(*rows: Sequence[Any], at: str = EIGHT) -> pd.DataFrame:
    """Return results of ferritin of one draw: value, unit and, if told, status."""
    return extract(*((7, at, FERRITIN, *row) for row in rows))


def cells(found: Panels, *names: str) -> list[list[Any]]:
    panels = found.panels[list(names)].astype(object)
    return panels.where(panels.notna(), None).to_numpy().tolist()


def reasons(table: pd.DataFrame) -> list[tuple[Any, str]]:
    return list(zip(table.index.tolist(), table["reason"].tolist(), strict=True))


def test_results_of_one_time_are_one_draw_as_they_were_reported() -> None:
    found = panels_from_long(
        extract(
            (7, EIGHT, FERRITIN, "62 (L)", "ng/mL"),
            (7, EIGHT, TSAT, "<18", "%"),
            (7, NOON, FERRITIN, "60", "ug/L"),
            (3, NOON, TSAT, "0.2", "1"),
        )
    )
    assert cells(found, "patient", "drawn", "ferritin", "ferritin_unit", "tsat", "tsat_unit") == [
        [3, NOON, None, None, "0.2", "1"],
        [7, EIGHT, "62 (L)", "ng/mL", "<18", "%"],
        [7, NOON, "60", "ug/L", None, None],
    ]
    assert found.left_out.empty
    assert found.doubted.empty


def test_a_panel_is_answered_as_one_patient_is() -> None:
    found = panels_from_long(
        extract((7, EIGHT, FERRITIN, "62", "ng/mL"), (7, EIGHT, TSAT, "18", "%"))
    )
    out = interpret_frame(found.panels, guidelines="aasm-2025")
    answer = interpret(ferritin="62 ng/mL", tsat="18 %", drawn=EIGHT, guidelines="aasm-2025")
    assert out["aasm_2025_disposition"].tolist() == [answer.decision.disposition]
    assert out["notes"].str.split().tolist() == [
        list(dict.fromkeys(note.code for note in answer.notes))
    ]


def test_omop_concepts_are_read_with_their_units_and_operators() -> None:
    """evidence/units.md §3: 8842 ng/mL, 8554 %, 4171756 <, 4172703 =, 0 no unit."""
    df = pd.DataFrame(
        {
            "person_id": [1, 1, 2, 2],
            "measurement_datetime": pd.to_datetime([EIGHT] * 4),
            "measurement_concept_id": [3001122, 3000185, 3001122, 0],
            "operator_concept_id": [4171756.0, 4172703.0, np.nan, 0.0],
            "value_as_number": [15.0, 18.5, 62.0, 1.0],
            "unit_concept_id": [8842.0, 8554.0, 0.0, np.nan],
        }
    )
    found = panels_from_long(
        df,
        columns={
            "patient": "person_id",
            "time": "measurement_datetime",
            "test": "measurement_concept_id",
            "comparator": "operator_concept_id",
            "value": "value_as_number",
            "unit": "unit_concept_id",
        },
    )
    assert cells(found, "patient", "ferritin", "ferritin_unit", "tsat", "tsat_unit") == [
        [1, "<15", "ng/mL", "18.5", "%"],
        [2, "62", None, None, None],
    ]
    assert reasons(found.left_out) == [(3, "unknown-test")]
    assert found.left_out.columns.tolist() == [
        "patient", "time", "test", "value", "unit", "comparator", "reason", "says",
    ]  # fmt: skip


def test_local_names_are_those_of_the_caller() -> None:
    df = extract((7, EIGHT, "FER", "62", "ng/mL"), (7, EIGHT, "Fer", "62", "ng/mL"))
    found = panels_from_long(df, tests={"FER": "ferritin"})
    assert cells(found, "ferritin") == [["62"]]
    assert found.left_out["says"].tolist() == [f"{UNKNOWN}; did you mean 'FER'?"]


def test_a_row_is_left_out_with_its_reason() -> None:
    df = extract(
        (7, EIGHT, FERRITIN, "62", "ng/mL", "final"),
        (7, EIGHT, None, "1", "", "final"),
        (7, EIGHT, "30248-9", "1", "mg/L", "final"),
        (7, EIGHT, "2132-9", "1", "pg/mL", "final"),
        (7, EIGHT, "2276-5", "1", "ng/mL", "final"),
        (7, EIGHT, "Ferritin", "1", "ng/mL", "final"),
        (7, EIGHT, "Fe", "1", "ng/mL", "final"),
        (None, EIGHT, FERRITIN, "1", "ng/mL", "final"),
        (" ", EIGHT, FERRITIN, "1", "ng/mL", "final"),
        (7, "02/03/2026", FERRITIN, "1", "ng/mL", "final"),
        (7, None, FERRITIN, "1", "ng/mL", "final"),
        (7, EIGHT, FERRITIN, None, "ng/mL", "final"),
        (7, EIGHT, FERRITIN, " ", "ng/mL", "final"),
        (7, EIGHT, FERRITIN, "61", "ng/mL", "preliminary"),
        (7, EIGHT, FERRITIN, "61", "ng/mL", "cancelled"),
        (7, EIGHT, FERRITIN, "61", "ng/mL", "done"),
    )
    found = panels_from_long(df)
    assert cells(found, "ferritin") == [["62"]]
    assert reasons(found.left_out) == [
        (1, "no-test"),
        (2, "look-alike"),
        (3, "other-test"),
        (4, "bad-loinc"),
        (5, "unknown-test"),
        (6, "ambiguous-test"),
        (7, "no-patient"),
        (8, "no-patient"),
        (9, "no-time"),
        (10, "no-time"),
        (11, "no-value"),
        (12, "no-value"),
        (13, "not-final"),
        (14, "cancelled"),
        (15, "unknown-status"),
    ]
    assert found.left_out["says"].iloc[1] == (
        "looks like a test that is read, and is none: soluble transferrin receptor"
    )
    told = found.left_out[COLUMNS].astype(object)
    assert_frame_equal(told.where(told.notna(), None), df.drop(index=0))


def test_the_same_result_counts_once_whatever_its_unit() -> None:
    """75 ng/mL is 75 µg/L is 7.5 µg/dL; the first by its text is used."""
    found = panels_from_long(ferritin(("75", "ug/L"), ("75", "ng/mL"), ("7.5", "ug/dL")))
    assert cells(found, "ferritin", "ferritin_unit") == [["7.5", "ug/dL"]]
    assert reasons(found.left_out) == [(0, "duplicate"), (1, "duplicate")]


def test_of_the_same_results_the_one_that_is_used_does_not_hang_on_their_order() -> None:
    df = extract(
        (7, EIGHT, FERRITIN, "62", "ng/mL"),
        (7, NINE, FERRITIN, "62", "ng/mL"),
        (7, NINE, 3001122, "62", "ng/mL"),
    )
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        found = panels_from_long(df.iloc[order], window="1h")
        assert cells(found, "drawn") == [[EIGHT]]
        assert set(found.left_out.index) == {1, 2}


def test_results_that_differ_become_the_interval_that_holds_them() -> None:
    """Which is right is not guessed; design §2: doubt only widens."""
    found = panels_from_long(ferritin(("62", "ng/mL"), ("90", "ng/mL"), ("62.0", "ug/L")))
    held = found.panels["ferritin"].iloc[0]
    assert (held.low, held.high, held.bound) == (62, 90, "")
    assert held.reported == "62 ng/mL; 90 ng/mL"
    assert reasons(found.left_out) == [(2, "duplicate")]
    assert reasons(found.doubted) == [(0, "results-differ"), (1, "results-differ")]
    for units in (None, {"ferritin": "ng/mL"}):
        out = interpret_frame(found.panels, guidelines="aasm-2025", units=units)
        assert out["ferritin_low_ug_l"].tolist() == [62]
        assert out["ferritin_high_ug_l"].tolist() == [90]
        assert out["problems"].tolist() == [""]
        assert "results-differ" in out["notes"].iloc[0].split()


@pytest.mark.parametrize(
    ("values", "low", "high", "bound", "codes"),
    [
        (("<15", "20"), 0, 20, "<=", ("results-differ",)),
        (("<15", "<20"), 0, 20, "<", ("results-differ",)),
        ((">1000", "900"), 900, None, ">=", ("results-differ",)),
        ((">1000", ">900"), 900, None, ">", ("results-differ",)),
        (("0.5", "20"), 0.5, 20, "", ("results-differ", "implausible")),
    ],
)
def test_an_interval_holds_bounds_too(
    values: Sequence[str], low: float, high: float | None, bound: str, codes: Sequence[str]
) -> None:
    found = panels_from_long(ferritin(*((value, "ng/mL") for value in values)))
    held = found.panels["ferritin"].iloc[0]
    assert (held.low, held.high, held.bound, held.codes) == (low, high, bound, codes)
    assert held == LabResult.model_validate(held.model_dump())


def test_a_differing_crp_leaves_inflammation_open() -> None:
    """A CRP that counted as missing would be taken for none: the limit is 5 mg/L (evidence §7)."""
    low = ((7, EIGHT, FERRITIN, "150", "ng/mL"), (7, EIGHT, TSAT, "15", "%"))
    found = panels_from_long(
        extract(*low, (7, EIGHT, CRP, "3", "mg/L"), (7, EIGHT, CRP, "6", "mg/dL"))
    )
    held = found.panels["crp"].iloc[0]
    assert (held.low, held.high) == (3, 60)
    out = interpret_frame(found.panels.assign(age=50), guidelines="mayo-2021")
    assert out["mayo_2021_needs"].tolist() == ["crp"]


def test_a_result_that_cannot_be_read_beside_another_leaves_none() -> None:
    found = panels_from_long(
        extract(
            (7, EIGHT, FERRITIN, "62", "ng/mL"),
            (7, EIGHT, FERRITIN, "6 2", "ng/mL"),
            (7, EIGHT, TSAT, "18", "%"),
        )
    )
    assert "ferritin" not in found.panels
    assert reasons(found.left_out) == [(0, "conflict"), (1, "conflict")]


def test_a_result_that_cannot_be_read_stays_for_the_reader_to_say_so() -> None:
    found = panels_from_long(ferritin(("6 2", "ng/mL"), ("6 2", "ng/mL")))
    assert cells(found, "ferritin") == [["6 2"]]
    assert reasons(found.left_out) == [(1, "duplicate")]
    assert "ferritin" in interpret_frame(found.panels)["problems"].iloc[0]


def test_a_word_in_place_of_a_result_counts_only_where_there_is_none() -> None:
    found = panels_from_long(ferritin(("QNS", ""), ("62", "ng/mL")))
    assert cells(found, "ferritin") == [["62"]]
    assert reasons(found.left_out) == [(0, "no-result")]
    found = panels_from_long(ferritin(("QNS", ""), ("hemolyzed", "")))
    assert cells(found, "ferritin") == [["QNS"]]
    assert reasons(found.left_out) == [(1, "duplicate")]


@pytest.mark.parametrize("word", ["C", "corrected", "Amended", " A "])
def test_a_correction_replaces_what_is_none(word: str) -> None:
    found = panels_from_long(
        ferritin(("62", "ng/mL", "F"), ("26", "ng/mL", word), ("63", "ng/mL", ""))
    )
    assert cells(found, "ferritin") == [["26"]]
    assert reasons(found.left_out) == [(0, "replaced"), (2, "replaced")]


def test_a_correction_of_the_same_value_stands_for_it() -> None:
    found = panels_from_long(ferritin(("62", "ng/mL", "F"), ("62", "ng/mL", "C")))
    assert reasons(found.left_out) == [(0, "replaced")]


def test_what_was_corrected_does_not_come_back_when_the_correction_is_withdrawn() -> None:
    found = panels_from_long(
        ferritin(("62", "ng/mL", "F"), ("26", "ng/mL", "C"), ("26", "ng/mL", "W"))
    )
    assert found.panels.empty
    assert reasons(found.left_out) == [(0, "replaced"), (1, "withdrawn"), (2, "withdrawn")]


def test_two_corrections_that_differ_are_an_interval() -> None:
    found = panels_from_long(
        ferritin(("62", "ng/mL", "F"), ("26", "ng/mL", "C"), ("28", "ng/mL", "C"))
    )
    held = found.panels["ferritin"].iloc[0]
    assert (held.low, held.high) == (26, 28)


@pytest.mark.parametrize("value", [None, "QNS"])
def test_a_correction_to_no_result_leaves_none(value: str | None) -> None:
    """What it corrects must not come back."""
    found = panels_from_long(ferritin(("62", "ng/mL", "F"), (value, "ng/mL", "C")))
    if value:
        assert cells(found, "ferritin") == [["QNS"]]
        assert reasons(found.left_out) == [(0, "replaced")]
    else:
        assert found.panels.empty
        assert reasons(found.left_out) == [(0, "replaced"), (1, "no-value")]


@pytest.mark.parametrize("word", ["W", "D", "entered-in-error"])
def test_what_was_entered_in_error_takes_its_original_with_it(word: str) -> None:
    """HL7 posts the original again as wrong; FHIR marks the result itself."""
    found = panels_from_long(
        ferritin(("62", "ng/mL", "F"), ("62.0", "ug/L", word), ("75", "ng/mL", "F"))
    )
    assert cells(found, "ferritin") == [["75"]]
    assert reasons(found.left_out) == [(0, "withdrawn"), (1, "withdrawn")]
    alone = panels_from_long(ferritin(("62", "ng/mL", word)))
    assert alone.panels.empty
    assert reasons(alone.left_out) == [(0, "withdrawn")]


@pytest.mark.parametrize("value", [None, "QNS", "6 2"])
def test_an_error_that_names_no_value_takes_all_but_corrections(value: str | None) -> None:
    found = panels_from_long(
        ferritin(("62", "ng/mL", "F"), (value, "ng/mL", "W"), ("75", "ng/mL", "C"))
    )
    assert cells(found, "ferritin") == [["75"]]
    assert reasons(found.left_out) == [(0, "withdrawn"), (1, "withdrawn")]


def test_what_is_withdrawn_in_one_draw_stands_in_another() -> None:
    found = panels_from_long(
        extract(
            (7, EIGHT, FERRITIN, "62", "ng/mL", "F"),
            (7, NINE, FERRITIN, "62", "ng/mL", "W"),
            (8, EIGHT, FERRITIN, "62", "ng/mL", "F"),
            (8, EIGHT, TSAT, "62", "%", "W"),
        )
    )
    assert cells(found, "patient", "drawn") == [[7, EIGHT], [8, EIGHT]]


def test_what_is_withdrawn_does_not_say_when_a_draw_was() -> None:
    found = panels_from_long(
        extract(
            (7, EIGHT, FERRITIN, "62", "ng/mL", "W"),
            (7, NINE, FERRITIN, "75", "ng/mL", "F"),
            (7, NOON, TSAT, "20", "%", "F"),
        ),
        window="4h",
    )
    assert cells(found, "drawn", "ferritin", "tsat") == [[NINE, "75", "20"]]


def test_an_unknown_status_is_read_with_a_doubt() -> None:
    found = panels_from_long(ferritin(("62", "ng/mL", "unknown")))
    assert cells(found, "ferritin") == [["62"]]
    assert reasons(found.doubted) == [(0, "status-unknown")]
    assert found.doubted["says"].tolist() == ["has a status that says that it is unknown"]


def test_a_row_with_two_doubts_stands_there_twice_and_one_left_out_not_at_all() -> None:
    df = extract(
        (7, EIGHT, "24373-3", "62", "ng/mL", "unknown"),
        (7, EIGHT, "24373-3", "62", "ng/mL", "unknown"),
    )
    found = panels_from_long(df)
    assert reasons(found.doubted) == [(0, "code-remark"), (0, "status-unknown")]
    assert found.doubted["says"].iloc[0] == "is a code to doubt: in blood"


def test_results_of_one_draw_may_come_hours_apart_if_the_caller_says_so() -> None:
    df = extract(
        (7, NOON, TSAT, "18", "%"),
        (7, EIGHT, FERRITIN, "62", "ng/mL"),
        (7, "2026-03-02T12:00:01", IRON, "60", "ug/dL"),
    )
    assert cells(panels_from_long(df), "drawn") == [[EIGHT], [NOON], ["2026-03-02T12:00:01"]]
    found = panels_from_long(df, window="4h")
    assert cells(found, "drawn", "ferritin", "tsat", "iron") == [
        [EIGHT, "62", "18", None],
        ["2026-03-02T12:00:01", None, None, "60"],
    ]


def test_a_draw_that_runs_into_the_next_day_is_doubted() -> None:
    df = extract(
        (7, "2026-03-02T23:00", FERRITIN, "62", "ng/mL"),
        (7, "2026-03-03T01:00", TSAT, "18", "%"),
    )
    found = panels_from_long(df, window="2h")
    assert cells(found, "drawn") == [["2026-03-02T23:00"]]
    assert reasons(found.doubted) == [(1, "next-day")]
    assert panels_from_long(df).doubted.empty


def test_a_bare_date_stays_one() -> None:
    """It says no hour, and `interpret` treats it so."""
    found = panels_from_long(ferritin(("62", "ng/mL"), at="2026-03-02"))
    assert cells(found, "drawn") == [["2026-03-02"]]


def test_units_are_declared_for_what_states_none() -> None:
    df = extract(
        (7, EIGHT, FERRITIN, 75, None), (7, EIGHT, FERRITIN, 7.5, "ug/dL"), (7, EIGHT, TSAT, 18, "")
    )
    found = panels_from_long(df, units={"ferritin": "mcg/L"})
    assert cells(found, "ferritin", "ferritin_unit") == [[7.5, "ug/dL"]]
    assert reasons(found.left_out) == [(0, "duplicate")]
    assert "tsat_unit" not in found.panels
    found = panels_from_long(df.drop(columns="unit"), units={"ferritin": "ug/L", "tsat": "%"})
    assert cells(found, "tsat", "tsat_unit") == [[18, "%"]]
    with pytest.raises(UnitError, match="ferritin is not reported in 'mg/L'"):
        panels_from_long(df, units={"ferritin": "mg/L"})
    with pytest.raises(UnitError, match="unknown analyte 'feritin'; did you mean 'ferritin'"):
        panels_from_long(df, units={"feritin": "ng/mL"})


@pytest.mark.parametrize(
    ("value", "unit", "used"),
    [("29", "%", 1), ("29 %", None, 1), ("0.29", "1", 0), ("29", None, 0)],
)
def test_the_iron_over_transferrin_ratio_is_read_in_percent_only(
    value: str, unit: str | None, used: int
) -> None:
    """evidence/units.md §3: 40763571 is used for the saturation in Finland."""
    found = panels_from_long(extract((7, EIGHT, 40763571, value, unit)))
    assert len(found.panels) == used
    assert reasons(found.left_out) == ([] if used else [(0, "needs-percent")])


@pytest.mark.parametrize(
    ("value", "comparator", "said"),
    [
        ("5", "<", "<5"), (5.0, "≤", "<=5"), ("5", "less than", "<5"), ("5", "=", "5"),
        ("5", None, "5"), (None, "<", None), ("5", "ad", None),
    ],
)  # fmt: skip
def test_a_comparator_beside_a_value_makes_a_bound(
    value: object, comparator: str | None, said: str | None
) -> None:
    df = extract((7, EIGHT, FERRITIN, value, "ng/mL"), (8, EIGHT, FERRITIN, "9", "ng/mL"))
    found = panels_from_long(df.assign(comparator=pd.Series([comparator, ">"], dtype=object)))
    first = [[7, said]] if said else []
    assert cells(found, "patient", "ferritin") == [*first, [8, ">9"]]
    if not said:
        assert reasons(found.left_out) == [(0, "unknown-comparator" if value else "no-value")]


def test_comparators_that_say_nothing_leave_numbers_as_they_are() -> None:
    df = pd.DataFrame(
        {"patient": [7], "time": [EIGHT], "test": [FERRITIN], "value": [62.0], "comparator": ["="]}
    )
    assert panels_from_long(df).panels["ferritin"].dtype == np.float64


def test_columns_are_kept_where_they_agree_and_say_all_where_not() -> None:
    df = extract(
        (7, EIGHT, FERRITIN, "62", "ng/mL"),
        (7, EIGHT, TSAT, "18", "%"),
        (7, EIGHT, IRON, "60", "ug/dL"),
        (8, EIGHT, TSAT, "18", "%"),
    )
    told: dict[str, list[Any]] = {
        "sex": ["female", None, "female", None],
        "pregnancy": ["none", "trimester-1", "none", None],
        "age": [44, 44, 44, 50],
    }
    df = df.assign(**told)
    found = panels_from_long(df, keep=["sex", "pregnancy", "age"])
    assert cells(found, "sex", "pregnancy", "age") == [
        ["female", "none | trimester-1", 44],
        [None, None, 50],
    ]
    assert reasons(found.doubted) == [(at, "fields-differ") for at in (0, 1, 2)]
    assert "differ in pregnancy" in found.doubted["says"].iloc[0]
    assert found.left_out.empty
    problems = interpret_frame(found.panels)["problems"].tolist()
    assert "none | trimester-1" in problems[0]
    assert problems[1] == ""


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"df": [1]}, "is not a DataFrame of pandas; give one"),
        ({"columns": {"tset": "test"}}, "columns= names 'tset'; did you mean 'test'?"),
        ({"columns": {"test": "tst"}}, "there is no column 'tst' for 'test'; did you mean 'test'?"),
        (
            {"columns": {"unit": "value"}},
            "column 'value' is named for 'value' and 'unit'; name one",
        ),
        ({"drop": "time"}, "there is no column 'time' for 'time'"),
        ({"drop": "unit", "add": "units"}, "column 'units' is not read; did you mean 'unit'?"),
        ({"keep": "sex"}, r"keep='sex' is a text; give a list: \['sex'\]"),
        ({"keep": ["sexe"]}, "there is no column 'sexe' for 'sexe'"),
        ({"keep": ["ferritin"]}, "keep= names 'ferritin', a column of the panels; rename yours"),
        ({"twice": "value"}, "column 'value' stands there 2 times"),
        ({"tests": {"x": "feritin"}}, "unknown analyte 'feritin'"),
        ({"tests": {"30248-9": "transferrin"}}, "and it is none: soluble transferrin receptor"),
        ({"window": "soon"}, "window 'soon' is no length of time"),
        ({"decimal": ";"}, "decimal=';' is not a choice"),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(given),
)
def test_a_call_that_cannot_be_is_refused(call: dict[str, Any], message: str) -> None:
    df: Any = call.pop("df", None) or ferritin(("62", "ng/mL"), ("63", "ng/mL"))
    if "drop" in call:
        df = df.drop(columns=call.pop("drop"))
    if "add" in call:
        df = df.assign(**{call.pop("add"): 1})
    if "twice" in call:
        df = pd.concat([df, df[[call.pop("twice")]]], axis=1)
    with pytest.raises(RlsironError, match=message):
        panels_from_long(df, **call)


def test_an_extract_with_no_result_is_no_panel() -> None:
    for df in (ferritin(("62", "ng/mL")).head(0), extract((7, EIGHT, "2132-9", "1", "pg/mL"))):
        found = panels_from_long(df, keep=[])
        assert found.panels.columns.tolist() == ["patient", "drawn"]
        assert len(found.panels) == 0
        assert len(found.left_out) == len(df)


@pytest.mark.parametrize("dtype", ["str", "category", "string[pyarrow]", "float64", "Int64"])
def test_values_of_every_type_come_back_as_they_were(dtype: Any) -> None:  # noqa: ANN401
    df = ferritin(("62", "ng/mL")).astype({"value": dtype})
    found = panels_from_long(df)
    assert found.panels["ferritin"].dtype == df["value"].dtype
    assert interpret_frame(found.panels)["ferritin_low_ug_l"].tolist() == [62]


# the same by another hand: loops over rows, one at a time

Row = tuple[Any, int, str, str, str, str]
START = np.datetime64("2026-03-02T22:00", "ns")
KINDS = {"F": "plain", "": "plain", "C": "corrected", "W": "withdrawn", "P": "left", "?": "left"}
NAMES = {FERRITIN: "ferritin", TSAT: "tsat", "FER": "ferritin"}


def said(row: Row) -> Any:  # noqa: ANN401 - a span or a word
    """Return what a row says: an interval, a missing result, or that it cannot be read."""
    try:
        read = read_result(NAMES[row[2]], row[3], unit=row[4] or None)
    except RlsironError:
        return "unread", row[3], row[4]
    return "missing" if read.missing else read.span


def oracle_draws(rows: list[Row], window: int) -> list[list[Row]]:
    """Return the rows of each draw, by patient and time."""
    draws: list[list[Row]] = []
    usable = [
        row
        for row in rows
        if row[0] and row[2] in NAMES and KINDS[row[5]] != "left"
        and (row[3] or KINDS[row[5]] != "plain")
    ]  # fmt: skip
    for row in sorted(usable, key=lambda row: (row[0], row[1])):
        last = draws[-1] if draws else []
        if last and last[0][0] == row[0] and row[1] - last[0][1] <= window:
            last.append(row)
        else:
            draws.append([row])
    return draws


def oracle_cell(rows: list[Row]) -> tuple[Any, list[Row]]:
    """Return what a draw says of one analyte, and the rows that are not withdrawn."""
    gone = {said(row) for row in rows if KINDS[row[5]] == "withdrawn"}
    vague = any(one == "missing" or one[0] == "unread" for one in gone)
    corrected = any(KINDS[row[5]] == "corrected" for row in rows)
    rows = [
        row
        for row in rows
        if said(row) not in gone and not (vague and KINDS[row[5]] != "corrected")
    ]
    standing = rows
    if corrected:
        rows = [row for row in rows if KINDS[row[5]] == "corrected"]
    values = {said(row) for row in rows if row[3]}
    if len(values) > 1:
        values.discard("missing")
    if not values or (len(values) > 1 and any(one[0] == "unread" for one in values)):
        return None, standing
    if len(values) == 1:
        return values.pop(), standing
    return (min(one[0] for one in values), max(one[1] for one in values)), standing


def oracle(rows: list[Row], window: int) -> list[tuple[Any, int, Any, Any]]:
    """Return patient, time, ferritin and saturation of each draw."""
    found = []
    for draw in oracle_draws(rows, window):
        of_analyte: dict[str, list[Row]] = defaultdict(list)
        for row in draw:
            of_analyte[NAMES[row[2]]].append(row)
        told = {name: oracle_cell(some) for name, some in of_analyte.items()}
        if any(cell is not None for cell, _ in told.values()):
            first = min(row[1] for _, standing in told.values() for row in standing)
            cell = [told.get(name, (None, []))[0] for name in ("ferritin", "tsat")]
            found.append((draw[0][0], first, cell[0], cell[1]))
    return found


ROWS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, None]),
        st.integers(0, 12),
        st.sampled_from([FERRITIN, TSAT, "FER", "30248-9"]),
        st.sampled_from(["62", "62.0", "6.2", "<15", "20", "QNS", "6 2", ""]),
        st.sampled_from(["ng/mL", "ug/dL", "%", ""]),
        st.sampled_from(["F", "F", "", "C", "W", "P", "?"]),
    ),
    max_size=14,
)


def frame_of(rows: list[Row]) -> pd.DataFrame:
    df = pd.DataFrame(rows, columns=COLUMNS).astype(
        dict.fromkeys(("test", "value", "unit", "status"), "str") | {"patient": "Int64"}
    )
    return df.assign(time=START + df["time"].to_numpy(int).astype("timedelta64[h]"))


def read_cell(name: str, row: Mapping[Any, Any]) -> object:
    value = row.get(name)
    if isinstance(value, LabResult):
        return value.span
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN
        return None
    unit = row.get(f"{name}_unit")
    code = {"ferritin": FERRITIN, "tsat": TSAT}[name]
    return said((1, 0, code, value, unit if isinstance(unit, str) else "", ""))


@given(ROWS, st.integers(0, 5))
def test_panels_are_those_of_another_hand(rows: list[Row], window: int) -> None:
    found = panels_from_long(
        frame_of(rows), window=pd.Timedelta(window, "h"), tests={"FER": "ferritin"}
    )
    hours = ((found.panels["drawn"] - START) / np.timedelta64(1, "h")).tolist()
    records = found.panels.to_dict("records")
    assert [
        (row["patient"], hour, read_cell("ferritin", row), read_cell("tsat", row))
        for row, hour in zip(records, hours, strict=True)
    ] == oracle(rows, window)


def counted(table: pd.DataFrame) -> Mapping[Any, int]:
    return table.astype(str).value_counts(sort=False).to_dict()


@given(ROWS, st.integers(0, 5), st.randoms())
def test_the_order_of_rows_changes_nothing(rows: list[Row], window: int, random: Random) -> None:
    """Rows that are the same in every column cannot be told apart, so their index may differ."""
    df = frame_of(rows)
    order = random.sample(range(len(df)), len(df))
    first, second = (
        panels_from_long(one, window=pd.Timedelta(window, "h"), tests={"FER": "ferritin"})
        for one in (df, df.iloc[order])
    )
    assert_frame_equal(first.panels, second.panels)
    assert counted(first.left_out) == counted(second.left_out)
    assert counted(first.doubted) == counted(second.doubted)


@given(ROWS, st.integers(0, 5))
def test_every_row_is_used_once_or_left_out(rows: list[Row], window: int) -> None:
    df = frame_of(rows)
    found = panels_from_long(df, window=pd.Timedelta(window, "h"), tests={"FER": "ferritin"})
    used = df.drop(index=found.left_out.index)
    assert len(used) + len(found.left_out) == len(df)
    assert_frame_equal(found.left_out[COLUMNS], df.loc[found.left_out.index])
    assert set(found.doubted.index) <= set(used.index)
    texts = []
    for name in ("ferritin", "tsat"):
        cells = found.panels.get(name, pd.Series(dtype=object)).dropna()
        for cell in cells.tolist():
            parts = cell.reported.split("; ") if isinstance(cell, LabResult) else [cell]
            texts += [part.removesuffix(" ug/dL").removesuffix(" ng/mL").removesuffix(" %")
                      for part in parts]  # fmt: skip
    assert sorted(texts) == sorted(used["value"])


# real data


def test_nhanes_as_a_long_extract_is_answered_as_the_wide_frame_is(shared_data: Path) -> None:
    raw = pd.read_csv(shared_data / "nhanes-tsat" / "women-18-45.csv").drop_duplicates("SEQN")
    units = {
        "LBXFER": "ng/mL",
        "LBDPCT": "%",
        "LBXIRN": "ug/dL",
        "LBXTIB": "ug/dL",
        "LBXHGB": "g/dL",
    }
    tests = {
        "LBXFER": "ferritin", "LBDPCT": "tsat", "LBXIRN": "iron", "LBXTIB": "tibc",
        "LBXHGB": "hemoglobin",
    }  # fmt: skip
    wide = raw.sort_values("SEQN", ignore_index=True)
    wide = wide[wide[list(tests)].notna().any(axis=1)].reset_index(drop=True)
    long = wide.assign(drawn="2018-01-01", sex="female").melt(
        ["SEQN", "drawn", "RIDAGEYR", "sex"], list(tests), "test", "value"
    )
    long = long.assign(unit=long["test"].map(units)).sample(frac=1, random_state=1)
    found = panels_from_long(
        long,
        tests=tests,
        columns={"patient": "SEQN", "time": "drawn"},
        keep=["RIDAGEYR", "sex"],
    )
    assert set(found.left_out["reason"]) == {"no-value"}
    assert len(found.left_out) == wide[list(tests)].isna().sum().sum()
    assert found.doubted.empty
    told = wide.assign(drawn="2018-01-01", sex="female")
    columns = {name: label for label, name in tests.items()} | {"age": "RIDAGEYR"}
    expected = interpret_frame(
        told, columns=columns, units={name: units[label] for label, name in tests.items()}
    )
    assert len(expected) == len(wide)
    assert_frame_equal(interpret_frame(found.panels, columns={"age": "RIDAGEYR"}), expected)


def test_the_smart_patient_is_read_from_its_observations(shared_data: Path) -> None:
    """The README of the data: ferritin 9 µg/L, TSAT 8 %, iron 33 labelled µg/L on 2015-10-31."""
    file = next((shared_data / "smart-8888803").glob("*.json"))
    bundle = json.loads(file.read_text("utf-8"))
    observations = [one["resource"] for one in bundle["entry"]]
    rows = [
        (
            one["subject"]["reference"],
            one.get("effectiveDateTime"),
            one["code"]["coding"][0]["code"],
            one["valueQuantity"].get("value"),
            one["valueQuantity"].get("unit"),
            one["status"],
        )
        for one in observations
        if one["resourceType"] == "Observation" and "valueQuantity" in one
    ]
    found = panels_from_long(pd.DataFrame(rows, columns=COLUMNS))
    assert len(rows) == 41
    panels = found.panels.set_index("drawn").loc[["2015-10-31"]]
    assert panels[["ferritin", "tsat", "iron", "tibc"]].to_numpy().tolist() == [[9, 8, 33, 415]]
    assert panels[["uibc", "hemoglobin"]].to_numpy().tolist() == [[379, 11.4]]
    assert panels["iron_unit"].tolist() == ["ug/L"]
    assert set(found.left_out["reason"]) <= {"other-test", "look-alike", "duplicate"}
    assert "2284-8" in found.left_out["test"].tolist()  # folate, which looks like ferritin
    out = interpret_frame(panels)
    assert "tsat-unit-suspected" in out["notes"].iloc[0].split()
    assert set(found.doubted["reason"]) == {"status-unknown"}


@pytest.mark.parametrize(
    "dtype", ["float32", "Float32", "float[pyarrow]", "float64", "object", "category of float32"]
)
def test_results_that_differ_elsewhere_leave_a_short_float_as_it_was_printed(dtype: str) -> None:
    """0.45 of 32 bits is 0.44999998807907104 of 64, which is under the ceiling of 45 %."""
    rows = [
        ("A", "2276-4", 62, "ng/mL"),
        ("A", "2502-3", 0.45, "1"),
        ("B", "2276-4", 62, "ng/mL"),
        ("B", "2502-3", 0.30, "1"),
        ("B", "2502-3", 0.35, "1"),
    ]
    df = pd.DataFrame(rows, columns=["patient", "test", "value", "unit"])
    kind: Any = dtype.removeprefix("category of ")
    df["value"] = df["value"].astype(kind)
    if dtype.startswith("category"):
        df["value"] = df["value"].astype("category")
    panels = panels_from_long(df.assign(time="2026-03-02")).panels
    out = interpret_frame(panels.assign(age=44), guidelines="aasm-2025")
    assert out["tsat_low_pct"].tolist() == [45.0, 30.0]
    assert out["tsat_high_pct"].tolist() == [45.0, 35.0]
    assert out["aasm_2025_disposition"].tolist()[0] == "withhold-iron"


@pytest.mark.parametrize("call", [{"tests": ["2276-4"]}, {"units": "ng/mL"}, {"columns": "x"}])
def test_what_is_no_mapping_is_refused(call: dict[str, Any]) -> None:
    df = pd.DataFrame({"patient": [1], "time": ["2026-03-02"], "test": ["2276-4"], "value": ["62"]})
    with pytest.raises(RlsironError, match="is no mapping; give a dict by name"):
        panels_from_long(df, **call)
