"""The command line, as a person and as a script call it."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib.metadata import entry_points, version
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from rlsiron import cli
from rlsiron.interpretation import interpret
from rlsiron.models import Interpretation, Patient
from rlsiron.reading import read_result
from rlsiron.units import analytes

EVERY_UNIT = [(known.name, code) for known in analytes().values() for code in known.units]
PLAIN = ("--ferritin", "62 ng/mL", "--tsat", "18 %", "--age", "44", "--sex", "female")
STOPPED = ("--ferritin", "0.5 ng/mL", "--tsat", "60 %", "--age", "44", "--sex", "female")

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
    "decimal-comma": ("ferritin", "75,3 ng/mL", "'75,3 ng/mL'", "declare --decimal ','"),
    "group-by-comma": ("ferritin", "1,234 ng/mL", "'1,234 ng/mL'", "declare --decimal ','"),
    "group-and-comma": ("ferritin", "1.234,5 ng/mL", "'1.234,5 ng/mL'", "declare --decimal ','"),
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

WRONG_USAGE = {
    "unknown-option": (["interpret", "--feritin", "5 ng/mL"], "--ferritin"),
    "unknown-command": (["convrt"], "Did you mean 'convert'?"),
    "missing-value": (["interpret", "--ferritin"], "'--ferritin' requires an argument"),
    "missing-argument": (["convert", "ferritin"], "Missing argument 'VALUE'"),
    "extra-argument": (["interpret", "62 ng/mL"], "62 ng/mL"),
    "unknown-decimal": (["interpret", "--decimal", ";"], "';' is not one of"),
    "unknown-errors": (["interpret", "--errors", "hide"], "'hide' is not one of"),
}


def run(*arguments: str) -> Result:
    """Run a call in this process."""
    with redirect_stdout(StringIO()):  # even where the tests run on a terminal
        app = cli.application()
    result = CliRunner().invoke(app, list(arguments), prog_name="rlsiron")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def command(*arguments: str) -> list[str]:
    """Return a call as a process of its own."""
    return [sys.executable, "-c", "from rlsiron.cli import main; main()", *arguments]


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a call as a process of its own, its output piped."""
    return subprocess.run(
        command(*arguments), capture_output=True, check=False, encoding="utf-8", timeout=60
    )


def status(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]) -> int:
    """Return the exit status of `main` in this process."""
    monkeypatch.setattr(sys, "argv", ["rlsiron", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert isinstance(end.value.code, int)
    return end.value.code


def on_terminal(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, columns: int = 120
) -> tuple[int, str]:
    """Return the exit status of a call, and what a terminal shows of it."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    there, here = pty.openpty()
    shown: list[bytes] = []
    reader = Thread(target=lambda: shown.extend(_read(there)))
    reader.start()
    with open(here, "w", encoding="utf-8") as screen:  # noqa: PTH123 - a descriptor, no path
        monkeypatch.setattr(sys, "stdout", screen)
        code = status(monkeypatch, arguments)
        monkeypatch.undo()
    reader.join(timeout=60)
    os.close(there)
    return code, b"".join(shown).decode().replace("\r\n", "\n")


def _read(descriptor: int) -> Iterator[bytes]:
    try:
        while part := os.read(descriptor, 4096):
            yield part
    except OSError:  # how Linux ends a terminal
        return


def unstyled(text: str) -> str:
    """Return a text without the styles of a terminal."""
    from rich.text import Text

    return Text.from_ansi(text).plain


def examples(help_: str) -> list[str]:
    """Return the examples of a help."""
    lines = help_.partition("Examples:")[2].splitlines()
    return [line.strip() for line in lines if line.strip()]


def test_the_entry_point_is_the_command_line() -> None:
    (entry,) = entry_points(group="console_scripts", name="rlsiron")
    assert entry.load() is cli.main


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
    assert result.stderr.endswith("declare --decimal '.'\n")


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_a_wrong_call_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert sentence in result.stderr


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_a_wrong_usage_is_told(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


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


# help


@pytest.mark.parametrize("name", cli.EXAMPLES, ids=lambda name: name or "root")
def test_the_examples_in_the_help_run(name: str) -> None:
    shown = examples(run(*name.split(), "--help").stdout)
    assert shown == list(cli.EXAMPLES[name])
    for example in shown:
        program, *arguments = shlex.split(example)
        assert program == "rlsiron"
        result = run(*arguments)
        assert result.exit_code == 0, result.stderr


def test_every_command_has_examples() -> None:
    assert set(cli.EXAMPLES) == {"", *(command.name for command in cli.COMMANDS)}


def test_the_help_cuts_no_word() -> None:
    help_ = run("interpret", "--help").stdout
    assert "dopaminergic-treatment" in help_
    assert "…" not in help_
    assert max(map(len, help_.splitlines())) <= 80


def test_there_is_no_clutter_of_shell_completion() -> None:
    assert "completion" not in run("--help").stdout


@pytest.mark.parametrize("option", ["--ferritin", "--age"])
def test_an_option_that_is_given_twice_is_refused(option: str) -> None:
    """Nothing is picked or dropped in silence."""
    done = process("interpret", "--ferritin=62 ng/mL", "--age=44", option, "9 ng/mL")
    assert done.returncode == cli.WRONG
    assert f"{option} is given twice" in done.stderr


def test_without_a_command_the_help_is_shown() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Usage: rlsiron [OPTIONS] COMMAND" in result.output


def test_the_version_is_told() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"rlsiron {version('rlsiron')}\n"


# on a terminal


def test_on_a_terminal_notes_are_styled_by_severity(monkeypatch: pytest.MonkeyPatch) -> None:
    code, shown = on_terminal(monkeypatch, "interpret", *STOPPED)
    assert code == 0
    assert "\x1b[1;31mSTOP: " in shown
    assert "\x1b[33mCAUTION: " in shown
    assert "\x1b[2mFor research" in shown


def test_on_a_terminal_lines_end_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = on_terminal(monkeypatch, "interpret", *STOPPED, columns=60)
    plain = unstyled(shown)
    assert max(map(len, plain.splitlines())) <= 60
    assert plain.split() == run("interpret", *STOPPED).stdout.split()


def test_on_a_terminal_json_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = on_terminal(monkeypatch, "interpret", *PLAIN, "--json", columns=40)
    assert shown == run("interpret", *PLAIN, "--json").stdout


@pytest.mark.parametrize("columns", [60, 99, 100, 200])
@pytest.mark.parametrize("name", cli.EXAMPLES, ids=lambda name: name or "root")
def test_on_a_terminal_the_help_is_whole(
    monkeypatch: pytest.MonkeyPatch, name: str, columns: int
) -> None:
    code, shown = on_terminal(monkeypatch, *name.split(), "--help", columns=columns)
    plain = unstyled(shown)
    assert code == 0
    assert "…" not in plain
    assert ("╭" in plain) is (columns >= 100)
    assert examples(plain) == list(cli.EXAMPLES[name])


# as a process


def test_a_process_answers_into_a_pipe_without_styles() -> None:
    done = process("interpret", *STOPPED)
    assert done.returncode == 0
    assert done.stdout == run("interpret", *STOPPED).stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["interpret", "--ferritin", "75,3 ng/mL"],
        ["interpret", "--ferritin", "-5 ng/mL", "--json"],
        ["interpret", "--nonsense"],
        ["convert", "ferritin", "-5 ng/mL"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_of_a_process_leaves_no_traceback(arguments: list[str]) -> None:
    done = process(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "rror: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="arguments are always text")
def test_bytes_that_are_no_text_are_refused() -> None:
    done = process("interpret", "--assay", "\udcff", "--json")
    assert done.returncode == 2
    assert done.stderr == "error: the argument '\\udcff' is not text; write it in UTF-8\n"


def test_an_output_that_speaks_no_unicode_still_gets_an_answer() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for arguments in (["interpret", *PLAIN], ["interpret", *PLAIN, "--json"]):
        done = subprocess.run(
            command(*arguments), capture_output=True, check=True, env=environment, timeout=60
        )
        assert done.stdout.isascii()
    assert json.loads(done.stdout)["decisions"]


@pytest.mark.skipif(os.name != "posix", reason="pipes close in another way")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["interpret"], ["interpret", "--help"], ["--version"]])
def test_a_reader_that_leaves_is_met_quietly(arguments: list[str], unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            command(*arguments),
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            timeout=60,
        )
    assert done.returncode == 141
    assert done.stderr == b""


def test_numbers_and_tables_are_loaded_only_when_needed() -> None:
    code = (
        "import sys; from rlsiron import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({'numpy', 'pandas', 'pint', 'rich'} & sys.modules.keys()))"
    )
    loaded = {
        name: subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            check=True,
            encoding="utf-8",
            timeout=60,
        ).stdout.splitlines()[-1]
        for name, arguments in {"help": ["--help"], "answer": ["interpret", *PLAIN]}.items()
    }
    assert set(loaded["help"].split()) <= {"rich"}
    assert "pandas" not in loaded["answer"].split()


# what the process of a call does at its ends


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_the_way_to_install_it_is_told(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert status(monkeypatch, ["--help"]) == 2
    assert capsys.readouterr().err == (
        "error: the command line is not installed; pip install 'rlsiron[cli]'\n"
    )


def test_main_ends_with_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(monkeypatch, ["--version"]) == 0
    assert status(monkeypatch, ["interpret", "--age", "400"]) == 2
    assert status(monkeypatch, ["interpret", "--assay", "\udcff"]) == 2
    assert "'\\udcff' is not text" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["in a command", "before it"])
def test_an_interrupt_is_quiet(
    where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> NoReturn:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    if where == "in a command":
        wait = cli.Command("wait", "Wait.", interrupted, lambda: iter(()))
        monkeypatch.setattr(cli, "COMMANDS", (wait,))
        monkeypatch.setitem(cli.EXAMPLES, "wait", ())
    else:
        monkeypatch.setattr(cli, "application", interrupted)
    assert status(monkeypatch, ["wait"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="pipes close in another way")
@pytest.mark.parametrize("arguments", [["convert", "iron", "60 ug/dL"], ["--help"]], ids=str)
def test_a_closed_pipe_is_told_from_a_success(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert status(monkeypatch, arguments) == 141
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert status(monkeypatch, ["interpret"]) == 2
        monkeypatch.undo()
    assert capsys.readouterr().err.startswith("error: the output cannot be written: ")


def test_a_closed_output_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert status(monkeypatch, ["--version"]) == 0
    sys.stdout.close()


def test_an_output_that_is_no_file_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with redirect_stdout(StringIO()) as output:
        assert status(monkeypatch, ["convert", "tsat", "29 %", "--to", "ratio"]) == 0
    assert output.getvalue() == "0.29 fraction\n"
