"""The commands on one patient's results, as a person and as a script call them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calling import PLAIN, run
from rlsiron.interpretation import interpret
from rlsiron.models import Interpretation, Patient
from rlsiron.reading import read_result
from rlsiron.units import analytes

EVERY_UNIT = [(known.name, code) for known in analytes().values() for code in known.units]

# evidence/units.md §4 and §5: the analyte, the value, what the sentence shows, the way out.
REFUSED = {
    "underscore": ("ferritin", "1_000 ng/mL", "'1_000 ng/mL'", "write one number"),
    "arabic-digits": (
        "ferritin",
        "\u0667\u0665 ng/mL",
        "'\u0667\u0665 ng/mL'",
        "such as '62 ng/mL'",
    ),
    "nan": ("ferritin", "nan ng/mL", "'nan ng/mL'", "such as '62 ng/mL'"),
    "inf": ("ferritin", "inf ng/mL", "'inf ng/mL'", "such as '62 ng/mL'"),
    "1e400": ("ferritin", "1e400 ng/mL", "'1e400 ng/mL'", "too large"),
    "true": ("ferritin", "True", "'True'", "such as '62 ng/mL'"),
    "negative": ("ferritin", "-5 ng/mL", "'-5 ng/mL'", "no result is below zero"),
    "negative-fraction": ("tsat", "-.5 %", "'-.5 %'", "no result is below zero"),
    "range": ("ferritin", "75-100 ng/mL", "'75-100 ng/mL'", "write one number"),
    "decimal-comma": ("ferritin", "75,3 ng/mL", "'75,3 ng/mL'", "declare --decimal ,"),
    "group-by-comma": ("ferritin", "1,234 ng/mL", "'1,234 ng/mL'", "declare --decimal ,"),
    "group-and-comma": ("ferritin", "1.234,5 ng/mL", "'1.234,5 ng/mL'", "declare --decimal ,"),
    "group-by-space": ("ferritin", "1 234 ng/mL", "'1 234 ng/mL'", "write one number"),
    "group-by-apostrophe": ("ferritin", "1'234 ng/mL", '"1\'234 ng/mL"', "write one number"),
    "zero": ("ferritin", "0 ng/mL", "'0 ng/mL'", "leave it out if it is missing"),
    "below-zero": ("crp", "<0 mg/L", "'<0 mg/L'", "no result is below zero"),
    "comparator-only": ("ferritin", "<", "'<'", "no number"),
    "over-100": ("tsat", "128 %", "'128 %'", "where there is none"),
    "no-unit": ("ferritin", "62", "'62'", "write '62 ng/mL'"),
    "lost-micro-as-question-mark": ("ferritin", "5 ?g/L", "'?g/L'", "write 'ug/L'"),
    "lost-micro-as-replacement": ("iron", "5 \ufffdg/dL", "'\ufffdg/dL'", "write 'ug/dL'"),
    "lost-micro-as-y": ("iron", "5 ymol/l", "'ymol/l'", "write 'umol/L'"),
    "ferritin-in-iu": ("ferritin", "5 IU/L", "'IU/L'", "write one of ng/mL"),
    "ferritin-in-mmol": ("ferritin", "5 mmol/L", "'mmol/L'", "write one of ng/mL"),
    "ferritin-in-percent": ("ferritin", "5 %", "'%'", "write one of ng/mL"),
    "ferritin-in-grams": ("ferritin", "5 g/L", "'g/L'", "did you mean 'ug/L'?"),
    "ferritin-in-giga": ("ferritin", "5 G/L", "'G/L'", "'ug/L'"),
    "ferritin-per-nano": ("ferritin", "5 ng/dL", "'ng/dL'", "did you mean 'ng/mL'?"),
    "iron-in-grams": ("iron", "5 g/dL", "'g/dL'", "did you mean 'ug/dL'?"),
    "iron-in-mol": ("iron", "5 mol/L", "'mol/L'", "did you mean 'umol/L'?"),
    "iron-in-milligrams": ("iron", "5 mg/dL", "'mg/dL'", "iron is not reported in"),
    "tibc-in-grams": ("tibc", "5 g/L", "'g/L'", "tibc is not reported in"),
    "uibc-in-mol": ("uibc", "5 mol/L", "'mol/L'", "uibc is not reported in"),
}

WRONG_CALLS = {
    "unknown-word": (
        ["interpret", "--sex", "femal"],
        "unknown sex 'femal'; did you mean 'female'?",
    ),
    "unknown-condition": (["interpret", "--condition", "diabets"], "did you mean 'diabetes'?"),
    "impossible-age": (["interpret", "--age", "400"], "age '400'"),
    "negative-age": (["interpret", "--age", "-3"], "age '-3'"),
    "two-ages": (["interpret", "--age", "44", "--birth-date", "1980-01-01"], "not both"),
    "pregnant-man": (["interpret", "--sex", "male", "--pregnancy", "pregnant"], "contradicts"),
    "no-date": (["interpret", "--drawn", "31.01.2026"], "drawn '31.01.2026'"),
    "dates-backwards": (
        ["interpret", "--drawn", "2026-01-01", "--last-fever", "2026-01-02"],
        "last_fever '2026-01-02' is after drawn '2026-01-01'",
    ),
    "unknown-guideline": (["interpret", "--guideline", "asm-2025"], "did you mean 'aasm-2025'?"),
    "guideline-twice": (
        ["interpret", "--guideline", "mayo-2021", "--guideline", "mayo-2021"],
        "names 'mayo-2021' twice",
    ),
    "no-such-file": (["interpret", "--guideline", "none.toml"], "'none.toml'"),
    "unknown-analyte": (["convert", "feritin", "5 ng/mL"], "did you mean 'ferritin'?"),
    "unknown-target": (["convert", "ferritin", "5 ng/mL", "--to", "g/L"], "did you mean 'ug/L'?"),
    "negative-after-dashes": (["convert", "ferritin", "--", "-5 ng/mL"], "'-5 ng/mL' is negative"),
}


# interpret


def test_interpret_prints_the_notes_and_the_intended_use() -> None:
    answer = interpret(ferritin="62 ng/mL", tsat="18 %", patient={"age": 44, "sex": "female"})
    result = run("interpret", *PLAIN)
    assert result.exit_code == 0
    assert result.stdout == f"{answer}\n\n{answer.provenance.intended_use}\n"
    assert result.stderr == ""


def test_interpret_prints_json_that_is_the_answer() -> None:
    answer = interpret(ferritin="62 ng/mL", tsat="18 %", patient={"age": 44, "sex": "female"})
    result = run("interpret", *PLAIN, "--json")
    assert result.exit_code == 0
    assert result.stdout == answer.model_dump_json(indent=2) + "\n"
    assert Interpretation.model_validate_json(result.stdout) == answer


def test_interpret_without_any_result_is_an_answer() -> None:
    result = run("interpret", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["decisions"]["aasm-2025"]["needs"][:2] == ["ferritin", "tsat"]


def test_every_option_reaches_the_library() -> None:
    result = run(
        "interpret",
        *("--ferritin", "<62 ng/mL", "--tsat", "18 %", "--iron", "60 ug/dL", "--tibc", "333 ug/dL"),
        *("--uibc", "273 ug/dL", "--transferrin", "2.6 g/L", "--crp", "3 mg/L"),
        *("--hemoglobin", "13 g/dL", "--drawn", "2026-01-31T08:30", "--fasting", "--assay", "X"),
        *("--birth-date", "1980-02-29", "--sex", "female", "--rls", "confirmed"),
        *("--severity", "mild", "--pregnancy", "none", "--kidney", "ckd", "--oral-iron", "failed"),
        *("--rapid-response-wanted", "--no-inflammation", "--last-oral-iron", "2026-01-29"),
        *("--last-iv-iron", "2025-06-01", "--last-transfusion", "2024-01-01T10:00"),
        *("--last-fever", "2025-12-24", "--condition", "diabetes", "--condition", "gi-disease"),
        *("--guideline", "mayo-2021", "--guideline", "aan-2016", "--verified-only", "--json"),
    )
    answer = interpret(
        ferritin="<62 ng/mL",
        tsat="18 %",
        iron="60 ug/dL",
        tibc="333 ug/dL",
        uibc="273 ug/dL",
        transferrin="2.6 g/L",
        crp="3 mg/L",
        hemoglobin="13 g/dL",
        drawn="2026-01-31T08:30",
        fasting=True,
        assay="X",
        patient={
            "birth_date": "1980-02-29",
            "sex": "female",
            "rls": "confirmed",
            "severity": "mild",
            "pregnancy": "none",
            "kidney": "ckd",
            "oral_iron": "failed",
            "rapid_response_wanted": True,
            "inflammation": False,
            "last_oral_iron": "2026-01-29",
            "last_iv_iron": "2025-06-01",
            "last_transfusion": "2024-01-01T10:00",
            "last_fever": "2025-12-24",
            "conditions": {"diabetes", "gi-disease"},
        },
        guidelines=("mayo-2021", "aan-2016"),
        strict=True,
    )
    assert Interpretation.model_validate_json(result.stdout) == answer


@pytest.mark.parametrize("name", [name for name in Patient.model_fields if name != "conditions"])
def test_every_field_of_the_patient_is_an_option(name: str) -> None:
    assert f"--{name.replace('_', '-')} " in run("interpret", "--help").stdout


def test_one_condition_option_may_name_several() -> None:
    result = run("interpret", "--condition", "diabetes malignancy", "--json")
    told = json.loads(result.stdout)["patient"]["conditions"]
    assert sorted(told) == ["diabetes", "malignancy"]


def test_a_file_is_a_guideline(tmp_path: Path) -> None:
    from rlsiron.catalog import text_of

    file = tmp_path / "own.toml"
    text = text_of("guidelines/mayo-2021.toml").replace('id = "mayo-2021"', 'id = "own"', 1)
    text = text.replace("Mayo 2021", "Own", 1)
    file.write_text(text, encoding="utf-8")
    result = run("interpret", *PLAIN, "--guideline", str(file), "--json")
    assert list(json.loads(result.stdout)["decisions"]) == ["own"]


def test_the_decimal_sign_is_declared() -> None:
    result = run("interpret", "--ferritin", "62,5 ng/mL", "--decimal", ",", "--json")
    assert json.loads(result.stdout)["panel"]["ferritin"]["low"] == 62.5


@pytest.mark.parametrize("value", ["<5 ng/mL", "≤5 µg/L", "5 ng/mL (L)", "QNS", "-", ""])
def test_an_odd_value_is_a_value(value: str) -> None:
    result = run("interpret", "--ferritin", value, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["panel"]["reported"]["ferritin"]["reported"] == value


# what is refused


@pytest.mark.parametrize(
    ("analyte", "value", "shown", "way_out"), REFUSED.values(), ids=REFUSED.keys()
)
@pytest.mark.parametrize("called", ["interpret", "convert", "interpret --json"])
def test_what_must_not_be_read_is_refused(
    called: str, analyte: str, value: str, shown: str, way_out: str
) -> None:
    given = [analyte, value] if called == "convert" else [f"--{analyte}", value]
    result = run(*called.split(), *given)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert shown in result.stderr
    assert way_out in result.stderr


@pytest.mark.parametrize(
    ("analyte", "value", "shown"), [row[:3] for row in REFUSED.values()], ids=REFUSED.keys()
)
def test_what_must_not_be_read_counts_as_missing_if_so_declared(
    analyte: str, value: str, shown: str
) -> None:
    result = run("interpret", f"--{analyte}", value, "--errors", "note")
    assert result.exit_code == 0
    assert shown in result.stdout


def test_a_decimal_point_is_refused_where_a_comma_is_declared() -> None:
    result = run("convert", "ferritin", "75.3 ng/mL", "--decimal", ",")
    assert result.exit_code == 2
    assert result.stderr.endswith("declare --decimal .\n")


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_a_wrong_call_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert sentence in result.stderr


OPTIONS = [*analytes(), "age", "sex", "drawn", "last-fever", "condition", "guideline", "assay"]


@given(st.sampled_from(OPTIONS), st.text())
def test_no_text_is_a_fault_of_the_program(option: str, text: str) -> None:
    assert run("interpret", f"--{option}={text}").exit_code in {0, 2}


@given(st.text(), st.text(), st.text())
def test_no_text_is_a_fault_of_convert(analyte: str, value: str, unit: str) -> None:
    assert run("convert", f"--to={unit}", "--", analyte, value).exit_code == 2


# convert

CONVERTED = {
    "ferritin": (
        "75 ng/mL",
        ["75 ng/mL", "75 ug/L", "7.5 ug/dL", "168.539325843 pmol/L"],
    ),
    "iron": ("57 µg/dL", ["57 ug/dL", "570 ug/L", "10.206822455 umol/L"]),
    "transferrin": (
        "2.4 g/L",
        ["2.4 g/L", "240 mg/dL", "2400 mg/L", "30.162121403 umol/L"],
    ),
    "hemoglobin": ("13.5 g/dL", ["135 g/L", "13.5 g/dL", "8.377548171 mmol/L"]),
    "tsat": ("0.29 fraction", ["29 %", "0.29 fraction"]),
    "crp": (">0.5 mg/dL", [">5 mg/L", ">0.5 mg/dL", ">5 ug/mL", ">47.619047619 nmol/L"]),
}


@pytest.mark.parametrize(
    ("name", "value", "lines"), [(k, *v) for k, v in CONVERTED.items()], ids=CONVERTED.keys()
)
def test_convert_prints_every_unit(name: str, value: str, lines: list[str]) -> None:
    result = run("convert", name, value)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[: len(lines)] == lines


@pytest.mark.parametrize("bound", ["", "<", "<=", ">", ">="])
@pytest.mark.parametrize(("name", "unit"), EVERY_UNIT)
def test_what_convert_prints_can_be_read_again(name: str, unit: str, bound: str) -> None:
    value = f"{bound}0.7 {unit}" if unit != "1" else f"{bound}0.7 fraction"
    result = read_result(name, value)
    lines = run("convert", name, value).stdout.splitlines()
    for line in lines[: len(analytes()[name].units)]:
        again = read_result(name, line)
        assert again.bound == bound
        assert again.low == pytest.approx(result.low, abs=1e-7)
        assert again.high == pytest.approx(result.high, abs=1e-7)
    assert value in lines


def test_convert_prints_one_unit() -> None:
    result = run("convert", "ferritin", "<5 ng/mL", "--to", "µg/dL")
    assert result.stdout == "<0.5 ug/dL\n"


def test_a_small_number_is_printed_without_an_exponent() -> None:
    result = run("convert", "crp", "0.0001 mg/L", "--to", "mg/dL")
    assert result.stdout == "0.00001 mg/dL\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param(["168 pmol/L"], True, id="amount to all"),
        pytest.param(["168 pmol/L", "--to", "ng/mL"], True, id="amount to mass"),
        pytest.param(["75 ng/mL", "--to", "pmol/L"], True, id="mass to amount"),
        pytest.param(["75 ng/mL", "--to", "ug/L"], False, id="mass to mass"),
        pytest.param(["QNS"], False, id="missing"),
    ],
)
def test_the_convention_of_the_molar_mass_is_named(arguments: list[str], named: bool) -> None:  # noqa: FBT001
    convention = analytes()["ferritin"].convention
    plain = run("convert", "ferritin", *arguments)
    assert (f"Molar mass: {convention}.\n" in plain.stdout) is named
    told = json.loads(run("convert", "ferritin", *arguments, "--json").stdout)
    assert told["convention"] == (convention if named else "")


def test_a_missing_word_is_said_as_such() -> None:
    result = run("convert", "ferritin", "QNS")
    assert result.exit_code == 0
    assert result.stdout == "No Ferritin result: QNS.\n"


def test_an_implausible_value_is_flagged() -> None:
    result = run("convert", "hemoglobin", "135 g/dL")
    assert result.exit_code == 0
    assert "CAUTION: Hemoglobin 135 g/dL is outside the plausible range" in result.stdout


def test_convert_prints_json() -> None:
    result = run("convert", "crp", "<0,5 mg/dL", "--decimal", ",", "--to", "mg/L", "--json")
    assert json.loads(result.stdout) == {
        "analyte": "crp",
        "reported": "<0,5 mg/dL",
        "missing": "",
        "bound": "<",
        "values": {"mg/L": 5.0},
        "convention": "",
        "codes": [],
    }
